"""The failback's gates as their tests try them: each is proved, or fails for one thing and says so.

What a gate says when it fails is checked in one place: it names the step, the next thing to try, and, if
and only if exporters are paused, how to go on or back.
"""

from dataclasses import dataclass, replace

import pytest

from dualregion.errors import DualRegionError
from messages import Message
from messages.steps import steps
from steps import actions
from steps.context import Evidence
from tests.fakes.kubernetes import Reply
from tests.fakes.regions import SURVIVOR, World
from tests.raising import assert_message, assert_tells, tells

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
    ) -> Message:
        """Let the gate fail, and check its message.

        :param told: what it must tell, see `tells`.
        :param paused: whether it must say that exporters are paused; if not, it must not.
        :param gives_up_on: the code of what it waits for, in vain.
        :returns: its message, without that of paused exporters.
        """
        ctx = replace(here.ctx(self.step, self.role), gives_up_on=gives_up_on)
        with pytest.raises(DualRegionError) as caught:
            actions.PROOFS[self.step](ctx)
        found = caught.value.message
        assert isinstance(found, Message), f"no message: {found!r}"
        assert tells(found, "exporters-paused") == paused, found
        problem = found.facts["problem"] if paused else found
        assert isinstance(problem, Message), f"no message: {problem!r}"
        assert problem.facts["step"] == self.step
        assert_tells(problem, *told)
        return problem

    def waits(self, here: World, what: str, *told: str, hint: str, paused: bool = False) -> Message:
        """Let the gate wait in vain for one thing, and check its message.

        :param what: the code of what it waits for.
        :param told: what was last seen.
        :param hint: what it must tell as the next thing to try.
        """
        found = self.fails(here, paused=paused, gives_up_on=what)
        assert_message(found, "deadline-exceeded")
        assert_tells(found.facts["what"], what)
        assert_tells(found.facts["last_seen"], *told)
        assert_tells(found.facts["hint"], hint)
        return found

    def waits_for_pause(self, here: World, *told: str, paused: bool) -> Message:
        """Let the gate fail as exporters have been resumed behind its back."""
        return self.waits(
            here, "exporters-stay-paused", *told, hint="back-out-if-resumed", paused=paused
        )

    def waits_for_command(self, here: World, *told: str, paused: bool = False) -> Message:
        """Let the gate fail as a partition does not take a command."""
        return self.waits(
            here, "commands-accepted", *told, hint=hint_on_gateway(here), paused=paused
        )


def written(here: World) -> list[str]:
    """Return what was asked of either cluster that changes something."""
    return [each for each in (*here.near.asked, *here.far.asked) if not each.startswith("GET")]


def hint_on_pods(here: World, namespace: str) -> Message:
    region = here.recreated if namespace == here.recreated.namespace else here.survivor
    return steps.look_at_pods(f"kubectl --context {region.kube_context} -n {namespace}")


def hint_on_gateway(here: World) -> Message:
    place = f"--context {here.survivor.kube_context} -n {here.survivor.namespace}"
    return steps.look_at_gateway(f"kubectl {place}", "camunda-zeebe-gateway")


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
