"""The isolation in AWS's network ACLs: there exactly while the network policies are, and nothing but denials.

A rule that is missing lets a lost region back in; one that stays, or that cuts too much, takes a region
off the network that is not lost. So each phase is tried on each stack, and each rule of
`network_acl_rules` is shown to find what it is there for.
"""

import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from cli.stacks.region_steps import ahead
from cli.stacks.step_actions import calls
from components import region as region_component
from dualregion.config.sections.network_acls import NetworkAclSettings, rules_in_words
from dualregion.config.settings import Settings
from dualregion.decision.desired import desired, remembered
from dualregion.procedure import Phase
from dualregion.state.held import name_of, nodes_of
from dualregion.state.progress import Stack
from messages.steps.components import aws_package_missing
from tests.fakes import command
from tests.fakes.pulumi_engine import (
    BASE,
    NORMAL_PEER,
    POLICY,
    Recorder,
    behind,
    declared,
    of_type,
    site_of,
)
from tests.fakes.regions import BACKUP, RECREATED, SURVIVOR, TURNS
from tests.inputs.examples import (
    ACLS,
    POD_CIDRS,
    failover,
    settings,
    storage,
    with_acls,
    with_cidrs,
)
from tests.raising import raises
from tests.unit.config.network_acl_rules import RULE, cut_by, violations

LOST = pytest.mark.parametrize("lost", [1, 0], ids=["region 1 lost", "region 0 lost"])
Place = tuple[str, bool, int, str]


def rules_of(recorder: Recorder) -> dict[str, Any]:
    return of_type(recorder, RULE)


def places(recorder: Recorder) -> set[Place]:
    """Return ACL, direction, number and address range of each rule."""
    return {
        (
            each.inputs["networkAclId"],
            each.inputs["egress"],
            each.inputs["ruleNumber"],
            *cut_by(each),
        )
        for each in rules_of(recorder).values()
    }


def of_survivor(lost: int, **changes: Any) -> Settings:
    return failover(1 - lost, lost, **{"regions": with_acls()} | changes)


def kinds(role: str, gates: str) -> tuple[str, ...]:
    """Return the installations of a stack that has proved these steps of a failback."""
    both = role == SURVIVOR and "B5" not in gates
    return ("normal", "failover") if both else ("normal",)


def stack(gates: str, lost: int, *kinds: str) -> Stack:
    """Return what a stack's state holds that has proved these steps of the first incident."""
    proved = gates.split()
    incident = f"1-region{lost}-lost"
    held = frozenset((*proved, *kinds)) if proved else frozenset()
    return Stack(None, lost, held, gates=dict.fromkeys(proved, incident))


@pytest.fixture(scope="module", params=[1, 0], ids=["region 1 lost", "region 0 lost"])
def survivor(request: pytest.FixtureRequest) -> tuple[Settings, Recorder]:
    found = of_survivor(request.param)
    return found, declared(site_of(found))


def test_a_survivor_denies_the_other_regions_addresses_both_ways_in_each_of_its_network_acls(
    survivor: tuple[Settings, Recorder],
) -> None:
    found, recorder = survivor
    own, cut = ACLS[found.region], POD_CIDRS[1 - found.region]
    assert places(recorder) == {
        (acl, egress, number, cidr)
        for acl in own
        for egress in (False, True)
        for number, cidr in zip((10, 11), cut, strict=True)
    }
    assert violations(recorder.found.values()) == []


def test_an_address_range_stands_in_the_field_of_its_family(
    survivor: tuple[Settings, Recorder],
) -> None:
    for rule in rules_of(survivor[1]).values():
        field = "ipv6CidrBlock" if ":" in cut_by(rule)[0] else "cidrBlock"
        assert rule.inputs.keys() & {"cidrBlock", "ipv6CidrBlock"} == {field}
        assert rule.inputs.keys().isdisjoint({"fromPort", "toPort", "icmpType", "icmpCode"})


def test_the_rules_wait_for_nothing_and_everything_of_the_failover_waits_for_them(
    survivor: tuple[Settings, Recorder],
) -> None:
    recorder = survivor[1]
    rules = {f"NetworkAclRule::{name}" for name in rules_of(recorder)}
    assert len(rules) >= 4
    for each in rules:
        assert behind(recorder, each) == set()
    for each in ("ConfigMap::F1", "Release::normal", "Release::failover", "ConfigMap::F2"):
        assert rules <= behind(recorder, each)


def test_they_cut_nothing_off_before_it_is_out_of_sight(
    survivor: tuple[Settings, Recorder],
) -> None:
    recorder = survivor[1]
    rules = [each for key, each in recorder.found.items() if key.startswith("NetworkAclRule::")]
    assert rules
    for each in rules:
        assert each.before_create == (f"out-of-sight-{each.name}",)


def test_they_are_made_in_the_survivors_aws_region(survivor: tuple[Settings, Recorder]) -> None:
    found, recorder = survivor
    name = f"region{found.region}-network-acls"
    assert (
        recorder.found[f"aws::{name}"].inputs["region"] == ("eu-west-2", "eu-west-3")[found.region]
    )
    assert {each.provider for each in rules_of(recorder).values()} == {f"aws::{name}"}
    assert {each.parent for each in rules_of(recorder).values()} == {f"NetworkAcls::{name}"}


@LOST
@pytest.mark.parametrize(("step", "role"), list(TURNS))
def test_no_stack_has_any_in_a_failback(step: str, role: str, lost: int) -> None:
    """With B0 they are no longer declared, so Pulumi deletes them when B0 is proved, as it does the policies."""
    phase, mine, theirs = TURNS[step, role]
    peer = RECREATED if role == SURVIVOR else SURVIVOR
    found = settings(
        region=1 - lost if role == SURVIVOR else lost,
        phase=phase,
        lostRegion=lost,
        regions=with_acls(),
        backup=BACKUP,
    )
    topology = desired(
        found,
        BASE,
        stack(theirs, lost, *kinds(peer, theirs)),
        stack(mine, lost, *kinds(role, mine)),
    )
    assert any(gate.step.id == step for gate in topology.gates)
    recorder = declared(site_of(found, topology=topology))
    assert rules_of(recorder) == {}
    assert of_type(recorder, POLICY) == {}


@LOST
def test_a_failback_that_is_backed_out_of_has_them_again(lost: int) -> None:
    found = of_survivor(lost)
    own = stack("B0 B2", lost, "normal", "failover")
    recorder = declared(
        site_of(found, topology=desired(found, BASE, stack("B1", lost, "normal"), own))
    )
    assert places(recorder) == places(declared(site_of(found)))
    assert violations(recorder.found.values()) == []


@pytest.mark.parametrize("region", [0, 1])
@pytest.mark.parametrize("lost", [None, 0, 1])
@pytest.mark.parametrize("peer", [Stack(), NORMAL_PEER], ids=["alone", "both installed"])
def test_there_are_none_in_phase_normal(region: int, lost: int | None, peer: Stack) -> None:
    changes = {} if lost is None else {"lostRegion": lost}
    found = settings(region=region, regions=with_acls(), **changes)
    recorder = declared(site_of(found, peer=peer))
    assert not [each for each in recorder.found.values() if each.type.startswith("aws:")]
    assert not [each for each in recorder.found if each.startswith(("aws::", "NetworkAcls::"))]


@LOST
@pytest.mark.parametrize(
    "peer",
    [Stack(), Stack(Phase.FAILOVER, None, frozenset({"normal", "failover", "F1", "F2", "F3"}))],
    ids=["not taken over yet", "taken over"],
)
@pytest.mark.parametrize("holds", [(), ("normal", "N")], ids=["empty", "installed"])
def test_a_lost_regions_stack_makes_none(lost: int, peer: Stack, holds: Iterable[str]) -> None:
    found = failover(lost, lost, regions=with_acls())
    peer = replace(peer, lost_region=lost if peer.phase else None)
    topology = desired(found, BASE, peer, Stack(nodes=frozenset(holds)))
    assert rules_of(declared(site_of(found, topology=topology))) == {}


@LOST
def test_a_lost_region_that_does_not_answer_keeps_exactly_those_that_it_has(lost: int) -> None:
    """A second loss, in the midst of F1: in a region that may be gone, nothing new is begun."""
    found = failover(lost, lost, regions=with_acls())
    before = of_survivor(1 - lost)
    every = [each.name for each in desired(before, BASE, Stack()).acl_rules]
    policies = ("normal", "normal-isolation")
    for kept in ([], every[:1], every):
        topology = remembered(found, Stack(nodes=frozenset((*policies, *kept))))
        assert [each.name for each in topology.acl_rules] == kept
    without_policy = remembered(found, Stack(nodes=frozenset(("normal", *every))))
    assert without_policy.acl_rules == ()


@LOST
@pytest.mark.parametrize("changed", ["none in this region", "no addresses"])
def test_without_network_acls_nothing_is_made_on_aws(lost: int, changed: str) -> None:
    regions = with_cidrs()
    if changed == "none in this region":
        regions[lost] = with_acls()[lost]
    else:
        regions = [{**each, "podCidrs": []} for each in regions]
    recorder = declared(site_of(of_survivor(lost, regions=regions)))
    assert not [each for each in recorder.found if each.startswith(("aws::", "NetworkAcls::"))]


def test_what_the_state_holds_of_them_is_known_by_their_names(
    survivor: tuple[Settings, Recorder],
) -> None:
    recorder = survivor[1]
    urns: dict[str, dict[str, Any]] = {
        urn: {} for urn in recorder.get_registered_resources() if RULE in urn
    }
    assert nodes_of(urns).keys() == rules_of(recorder).keys()
    assert {name_of(urn) for urn in urns} == rules_of(recorder).keys()


def inputs(**changes: Any) -> dict[str, dict[str, Any]]:
    """Return the inputs of region 0's rules, by name."""
    regions = with_acls()
    regions[1]["podCidrs"] = changes.pop("cut", POD_CIDRS[1])
    regions[0]["networkAcls"] |= changes
    recorder = declared(site_of(failover(0, 1, regions=regions)))
    assert violations(recorder.found.values()) == []
    return {name: each.inputs for name, each in rules_of(recorder).items()}


def test_a_change_of_the_network_acls_touches_no_rule_in_the_others() -> None:
    before, first, second = inputs(), *ACLS[0]
    for ids in ([second], [second, first], [first, "acl-ffffffff", second]):
        after = inputs(ids=ids)
        stay = {name for name in before if name.startswith(tuple(set(ids)))}
        assert stay
        assert {name: after[name] for name in stay} == {name: before[name] for name in stay}
        assert {name for name in after if "ffffffff" not in name} == stay


def test_another_address_range_touches_no_rule_before_it() -> None:
    before, after = inputs(), inputs(cut=[*POD_CIDRS[1], "10.99.0.0/16"])
    assert {name: after[name] for name in before} == before
    assert {each["ruleNumber"] for name, each in after.items() if name not in before} == {12}


def test_other_numbers_are_other_rules_so_that_the_old_ones_are_there_until_the_new_ones_are() -> (
    None
):
    before, after = inputs(), inputs(firstRuleNumber=20)
    assert {each["ruleNumber"] for each in after.values()} == {20, 21}
    assert before.keys().isdisjoint(after)


def test_an_address_range_is_written_as_aws_gives_it_back_and_once() -> None:
    """Another spelling would be replaced in every `up`, and be open for that moment."""
    written = inputs(cut=["FD00:0181:0::/64", "fd00:181::/64", "10.181.0.0/16"]).values()
    assert {each.get("ipv6CidrBlock") or each["cidrBlock"] for each in written} == {
        "fd00:181::/64",
        "10.181.0.0/16",
    }
    assert {each["ruleNumber"] for each in written} == {10, 11}


@pytest.mark.parametrize("first", [1, 32765])
def test_the_rules_may_take_the_first_numbers_and_the_last_ones(first: int) -> None:
    numbers = {each["ruleNumber"] for each in inputs(firstRuleNumber=first).values()}
    assert numbers == {first, first + 1}


@pytest.mark.parametrize(
    "aws_region", ["eu-west-2", "us-gov-east-1", "ap-southeast-3", "cn-north-1"]
)
def test_every_kind_of_aws_region_is_taken(aws_region: str) -> None:
    assert NetworkAclSettings.model_validate({"awsRegion": aws_region, "ids": ["acl-0a1b2c3d"]})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"regions": with_acls()}, ["networkAcls"]),
        (
            {"regions": with_acls(), "backup": storage(create=True)},
            ["backup.storage", "networkAcls"],
        ),
    ],
)
def test_a_missing_aws_package_is_told_by_day_and_not_in_the_incident(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], named: list[str]
) -> None:
    monkeypatch.setitem(sys.modules, region_component.AWS_PACKAGE, None)
    with raises(
        "nothing-was-changed",
        pulumi.RunError,
        problems=[aws_package_missing(named, region_component.AWS_PACKAGE)],
    ):
        declared(site_of(settings(**changes)))


# --- What the command says of them ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (["10.1.0.0/16"], "rule 10 of network ACL acl-0a1b2c3d"),
        (["10.1.0.0/16", "10.2.0.0/16"], "rules 10 to 11 of network ACL acl-0a1b2c3d"),
    ],
)
def test_the_rules_in_words(cut: list[str], words: str) -> None:
    acls = settings(regions=with_acls()).regions[0].network_acls
    assert acls is not None
    assert rules_in_words(acls, cut)[0] == words


@LOST
def test_a_plan_names_the_rules_that_are_made_with_f1_and_go_with_b0(lost: int) -> None:
    stacks = command.normal()
    found = of_survivor(lost)

    def said(phase: Phase, step: str) -> list[str]:
        (turn,) = [each for each in ahead(phase, lost, stacks) if each.step.id == step]
        return list(calls(turn, found, lost))

    cut = ", ".join(POD_CIDRS[lost])
    for acl in ACLS[1 - lost]:
        rules = f"rules 10 to 11 of network ACL {acl}"
        assert f"deny {cut}, both ways, by {rules}" in said(Phase.FAILOVER, "F1")
        assert f"delete {rules}" in said(Phase.FAILBACK_PENDING, "B0")
    assert not any(ACLS[lost][0] in each for each in said(Phase.FAILOVER, "F1"))


# --- The rules over what is declared -------------------------------------------------------------


def broken(recorder: Recorder, count: int, **changes: Any) -> list[str]:
    """Return what is found after a change of this many rules; None takes an input away."""
    names = list(rules_of(recorder))[:count]
    return violations(
        replace(
            each,
            inputs={k: v for k, v in (each.inputs | changes).items() if v is not None},
        )
        if each.name in names
        else each
        for each in recorder.found.values()
    )


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"ruleAction": "allow"}, "does not deny"),
        ({"protocol": "tcp"}, "some protocols only"),
        ({"cidrBlock": "0.0.0.0/0", "ipv6CidrBlock": None}, "no network policy cuts"),
        ({"cidrBlock": None, "ipv6CidrBlock": "::/0"}, "no network policy cuts"),
        ({"cidrBlock": None, "ipv6CidrBlock": None}, "no network policy cuts"),
        ({"egress": True}, "one direction only"),
        ({"ruleNumber": 11}, "number of another rule"),
    ],
)
def test_each_rule_finds_what_it_is_there_for(
    survivor: tuple[Settings, Recorder], changes: dict[str, Any], found: str
) -> None:
    assert [each for each in broken(survivor[1], 1, **changes) if found in each]


def test_rules_without_policies_late_ones_and_those_that_stay_are_found(
    survivor: tuple[Settings, Recorder],
) -> None:
    every = list(survivor[1].found.values())
    count = len(rules_of(survivor[1]))
    alone = [each for each in every if not each.type.endswith(POLICY)]
    assert len([each for each in violations(alone) if "no network policy cuts" in each]) == count
    late = [replace(each, depends_on=frozenset()) for each in every]
    assert len([each for each in violations(late) if "before F1" in each]) == count
    kept = [replace(each, retained=True) for each in every]
    assert len([each for each in violations(kept) if "no longer declared" in each]) == count
    beside = [replace(each, deleted_first=False) for each in every]
    assert len([each for each in violations(beside) if "number of another" in each]) == count
