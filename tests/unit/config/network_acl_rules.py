"""What must never be among the rules of network ACLs: rules over what the engine is asked for."""

from collections.abc import Iterable, Iterator

from tests.fakes.pulumi_engine import Registered

RULE = "aws:ec2/networkAclRule:NetworkAclRule"
POLICY = ":NetworkPolicy"
GATE = "ConfigMap::F1"
FIELDS = ("cidrBlock", "ipv6CidrBlock")


def violations(resources: Iterable[Registered]) -> list[str]:
    """Return a sentence for each rule that is broken, and by what."""
    asked = list(resources)
    rules = [each for each in asked if each.type == RULE]
    return [
        *(f"{each} does not deny" for each in _allowing(rules)),
        *(f"{each} is about some protocols only" for each in _partial(rules)),
        *(f"{each} cuts what no network policy cuts" for each in _foreign(rules, asked)),
        *(f"{each} is cut in one direction only" for each in _one_way(rules)),
        *(f"{each} does not come before F1" for each in _late(rules, asked)),
        *(f"{each} stays when it is no longer declared" for each in _staying(rules)),
        *(f"{each} takes the number of another rule" for each in _colliding(rules)),
    ]


def cut_by(rule: Registered) -> tuple[str, ...]:
    """Return the address ranges that a rule is about: one, if it is made well."""
    return tuple(rule.inputs[each] for each in FIELDS if each in rule.inputs)


def cut_by_policies(asked: Iterable[Registered]) -> set[str]:
    """Return the address ranges that every network policy cuts; none without a policy."""
    cut = [
        {
            each
            for peer in policy.inputs["spec"]["egress"][0]["to"]
            for each in peer["ipBlock"].get("except", ())
        }
        for policy in asked
        if policy.type.endswith(POLICY)
    ]
    return set.intersection(*cut) if cut else set()


def _allowing(rules: list[Registered]) -> Iterator[str]:
    return (each.name for each in rules if each.inputs["ruleAction"] != "deny")


def _partial(rules: list[Registered]) -> Iterator[str]:
    return (each.name for each in rules if each.inputs["protocol"] != "-1")


def _foreign(rules: list[Registered], asked: list[Registered]) -> Iterator[str]:
    """Find 0.0.0.0/0 too, and any rule in a phase without network policies."""
    allowed = cut_by_policies(asked)
    for each in rules:
        if len(cut_by(each)) != 1 or not set(cut_by(each)) <= allowed:
            yield each.name


def _one_way(rules: list[Registered]) -> Iterator[str]:
    there = {(each.inputs["networkAclId"], cut_by(each), each.inputs["egress"]) for each in rules}
    for acl, cut, egress in there:
        if (acl, cut, not egress) not in there:
            yield f"{', '.join(cut)} in {acl}"


def _late(rules: list[Registered], asked: list[Registered]) -> Iterator[str]:
    gates = [each for each in asked if f"{each.type.rpartition(':')[2]}::{each.name}" == GATE]
    before = {name for gate in gates for name in gate.depends_on}
    return (each.name for each in rules if f"NetworkAclRule::{each.name}" not in before)


def _staying(rules: list[Registered]) -> Iterator[str]:
    return (each.name for each in rules if each.retained)


def _colliding(rules: list[Registered]) -> Iterator[str]:
    """Find two rules at one place, and a change of a rule that would be made beside the old one."""
    taken = set()
    for each in rules:
        inputs = each.inputs
        place = (inputs["networkAclId"], inputs["egress"], inputs["ruleNumber"])
        if place in taken or not each.deleted_first:
            yield each.name
        taken.add(place)
