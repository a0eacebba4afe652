"""The section `gatewayLogin` of the configuration: who this program logs in as at the gateway's REST API (Camunda 8.8 and later)."""

from typing import Annotated

from dualregion.config.forms import DataKey, DnsLabel, Text, matching
from dualregion.config.sections.section import Model
from dualregion.names import GatewayLogin
from messages.config import forms


class GatewayLoginSettings(Model):
    """A user of Camunda's own, by basic authentication; the same in both regions."""

    user: Annotated[Text, matching(r"[^\s:\x00-\x1f]{1,128}", forms.engine_user_needed)]
    """Who the program logs in as; needs no role but the one to read the topology."""
    secret: DnsLabel
    """The Secret in each region's namespace that holds the user's password."""
    key: DataKey = "password"
    """The password's key in it."""

    @property
    def login(self) -> GatewayLogin:
        """What it is logged in to with."""
        return GatewayLogin(self.user, self.secret, self.key)
