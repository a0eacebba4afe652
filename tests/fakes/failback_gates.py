"""The failback's gates as their tests try them: each is proved, or fails for one thing and says so.

What a gate says when it fails is checked in one place: it names the step, the next thing to try, and, if
and only if exporters are paused, how to go on or back.
"""

from dataclasses import dataclass, replace

import pytest

from dualregion.errors import DualRegionError
from steps import actions
from steps.context import Evidence
from tests.fakes.kubernetes import Reply
from tests.fakes.regions import SURVIVOR, World

EACH_INSTALLATION = pytest.mark.parametrize(
    "installation", [0, 1, 2], ids=["own", "failover", "recreated"]
)
REFUSED_IN_BODY = Reply(
    200,
    {
        "body": {"message": "Expected 4 members of partition 2 but found 3, current topology: ..."},
        "status": 500,
        "contentType": None,
    },
)
"""What the gateway says to a pause while a broker is missing: refused, under a status line that accepts."""
ROLLS_BY_ITSELF = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
REPOSITORY = "/_snapshot/camunda_backup"


@dataclass(frozen=True)
class Gate:
    """A step of the failback on one of the two stacks."""

    step: str
    role: str = SURVIVOR

    def prove(self, here: World) -> Evidence:
        """Let the gate do its work and prove it."""
        return actions.PROOFS[self.step](here.ctx(self.step, self.role))

    def fails(
        self, here: World, *told: str, paused: bool = False, gives_up_on: str | None = None
    ) -> str:
        """Let the gate fail, and check what it says.

        :param told: what it must say.
        :param paused: whether it must say that exporters are paused; if not, it must not.
        :param gives_up_on: a part of what it waits for, in vain.
        :returns: all that it says.
        """
        ctx = replace(here.ctx(self.step, self.role), gives_up_on=gives_up_on)
        with pytest.raises(DualRegionError) as caught:
            actions.PROOFS[self.step](ctx)
        text = str(caught.value)
        assert text.startswith(f"{self.step}: "), text
        for part in told:
            assert part in text
        if paused:
            assert says_how_to_go_on_and_back(text), text
        else:
            assert "EXPORTERS ARE PAUSED" not in text
        return text

    def waits(self, here: World, what: str, *told: str, hint: str, paused: bool = False) -> str:
        """Let the gate wait in vain for one thing, and check what it says.

        :param hint: what it must say is the next thing to try.
        """
        text = self.fails(here, *told, paused=paused, gives_up_on=what)
        assert text.startswith(f"{self.step}: waited "), text
        assert what in text.partition("Last seen: ")[0], text
        assert hint in text.partition("Last seen: ")[2], text
        assert "The same `pulumi up` goes on from here." in text, text
        return text

    def waits_for_pause(self, here: World, *told: str, paused: bool) -> str:
        """Let the gate fail as exporters have been resumed behind its back."""
        return self.waits(
            here,
            "exporting is still paused on every partition",
            *told,
            hint="If exporting was resumed by hand, back out: set phase failover on both stacks",
            paused=paused,
        )

    def waits_for_command(self, here: World, *told: str, paused: bool = False) -> str:
        """Let the gate fail as a partition does not take a command."""
        what = "a command is accepted on every partition"
        return self.waits(here, what, *told, hint=hint_on_gateway(here), paused=paused)


def says_how_to_go_on_and_back(text: str) -> bool:
    """Whether a message leaves no doubt that exporters are paused."""
    return all(
        part in text
        for part in (
            "EXPORTERS ARE PAUSED (",
            "the brokers' disks fill",
            "`pulumi up` on the survivor's stack goes on",
            "to back out, `pulumi config set phase failover` on both stacks and `pulumi up` on the survivor's",
            "possible until step B5",
        )
    )


def written(here: World) -> list[str]:
    """Return what was asked of either cluster that changes something."""
    return [each for each in (*here.near.asked, *here.far.asked) if not each.startswith("GET")]


def hint_on_pods(here: World, namespace: str) -> str:
    region = here.recreated if namespace == here.recreated.namespace else here.survivor
    return f"Look at the pods: kubectl --context {region.kube_context} -n {namespace} get pods. The"


def hint_on_gateway(here: World) -> str:
    place = f"--context {here.survivor.kube_context} -n {here.survivor.namespace}"
    return f"Look at the gateway's log: kubectl {place} logs deployment/camunda-zeebe-gateway. The"


def last_broker(here: World, installation: int) -> tuple[str, int]:
    """Return namespace and ordinal of an installation's last broker, which never sleeps."""
    namespace = here.namespaces[installation]
    return namespace, len(here.ids(namespace)) - 1


def gateway(namespace: str) -> str:
    return f"{namespace}/services/camunda-zeebe-gateway:8080"


def takes_no_command(here: World, partition: int, reply: Reply) -> None:
    """Let the survivor's gateway answer this to a command for a partition."""
    path = f"/v1/user-tasks/{partition << 51}/completion"
    here.near.behind(gateway(here.survivor.namespace), path, reply, method="POST")


def hosts(evidence: Evidence) -> dict[str, str]:
    """Return the hosts of the brokers that a gate has seen, by their ids."""
    return dict(each.split(" ") for each in evidence["brokers"].split(", "))
