"""The section `networkAcls` of a region: where AWS itself cuts the other region off, beside the network policies."""

import re
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field

from dualregion import brokers
from dualregion.config.forms import AwsRegion, Text, whole
from dualregion.config.sections.section import Model
from dualregion.procedure.topology import AclRule
from messages import Message
from messages.config import forms
from messages.config import settings as messages

LAST_RULE_NUMBER = 32766
"""AWS keeps the numbers above it for itself. Source: Amazon EC2, 'CreateNetworkAclEntry'."""


def _acl_id(text: str) -> str:
    if not re.fullmatch(r"acl-([0-9a-f]{8}|[0-9a-f]{17})", text):
        raise ValueError(forms.network_acl_id_needed())
    return text


class NetworkAclSettings(Model):
    """The network ACLs of the subnets in which a region's nodes, and so its pods, are."""

    aws_region: AwsRegion
    """Where they are."""
    ids: Annotated[tuple[Annotated[Text, AfterValidator(_acl_id)], ...], Field(min_length=1)]
    first_rule_number: Annotated[int, whole(1, LAST_RULE_NUMBER)] = 10
    """The number of the first rule, one for each address range of the other region; the lowest number counts,
    so all must be lower than those of the rules that let the other region in."""

    def rules(self, cidrs: Sequence[str]) -> tuple[AclRule, ...]:
        """Return the rules that cut these address ranges, both ways, in each network ACL."""
        return tuple(
            AclRule(acl, number, egress, network)
            for acl in self.ids
            for number, network in zip(self.numbers(cidrs), _networks(cidrs), strict=True)
            for egress in (False, True)
        )

    def numbers(self, cidrs: Sequence[str]) -> range:
        """Return the numbers that the rules for these address ranges take, the same in each network ACL."""
        return range(self.first_rule_number, self.first_rule_number + len(_networks(cidrs)))


def rules_in_words(acls: NetworkAclSettings, cidrs: Sequence[str]) -> tuple[str, ...]:
    """Return for each network ACL which of its rules cut these address ranges."""
    numbers = acls.numbers(cidrs)
    rules = f"rule {numbers[0]}" if len(numbers) == 1 else f"rules {numbers[0]} to {numbers[-1]}"
    return tuple(f"{rules} of network ACL {each}" for each in acls.ids)


def _networks(cidrs: Sequence[str]) -> tuple[str, ...]:
    """Return each address range once, in the form in which AWS gives it back: another one would be a difference."""
    return tuple(dict.fromkeys(str(ip_network(each)) for each in cidrs))


def acls_problem(
    acls: tuple[NetworkAclSettings | None, NetworkAclSettings | None],
    pod_cidrs: tuple[Sequence[str], Sequence[str]],
) -> Message | None:
    """Return why the network ACLs cannot be used as they are configured, or None.

    :param acls: those of region 0 and 1.
    :param pod_cidrs: the address ranges of either region's pods.
    """
    for region, (own, cut) in enumerate(zip(acls, reversed(pod_cidrs), strict=True)):
        if own is not None and (problem := _problem(region, own, cut)):
            return problem
    first, second = (set(each.ids) if each else set() for each in acls)
    shared = sorted(first & second)
    return messages.network_acl_of_both_regions(shared[0]) if shared else None


def _problem(region: int, acls: NetworkAclSettings, cut: Sequence[str]) -> Message | None:
    twice = [each for index, each in enumerate(acls.ids) if each in acls.ids[:index]]
    if twice:
        return messages.network_acl_twice(f"regions[{region}].networkAcls.ids", twice[0])
    if not cut:
        return messages.nothing_to_cut(region, peer=brokers.other(region))
    last = acls.numbers(cut)[-1]
    if last > LAST_RULE_NUMBER:
        return messages.rule_numbers_exhausted(
            region, first=acls.first_rule_number, last=last, most=LAST_RULE_NUMBER
        )
    return None
