"""Which parts the set-up consists of, given the tools that the user already has."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from sandbox.setup.part import Part
from sandbox.setup.parts import classes, debian_root, gotools, java, seed

# Needed only beside a Pulumi of our own: the official one brings the first and downloads the second.
PULUMI_PLUGINS = ("pulumi-language-python", "pulumi-resource-kubernetes")


@dataclass(frozen=True)
class Plan:
    """The parts in the order in which they are made.

    :ivar parts: all of them, what others need first.
    :ivar seed: the one that is the image seed.
    :ivar broker: the one with the rehearsal broker that the images hold.
    :ivar binaries: binary -> the part that has it.
    :ivar pulumi_plugins: those of our own binaries that Pulumi must find on PATH.
    """

    parts: tuple[Part, ...]
    seed: Part
    broker: Part
    binaries: dict[str, Part]
    pulumi_plugins: tuple[str, ...]

    @property
    def from_go(self) -> tuple[Part, ...]:
        """The parts that are built by Go."""
        return (self.broker, *self.binaries.values())

    def binary(self, name: str) -> Path:
        """Where a binary of ours lies once its part is made."""
        return self.binaries[name].folder / "bin" / name


def plan(own: Collection[str]) -> Plan:
    """The plan.

    :param own: names of the tools that the user has in a fitting version; they are not built.
    """
    without = frozenset(own)
    if "pulumi" in without:
        without |= frozenset(PULUMI_PLUGINS)
    binaries: dict[str, Part] = {}
    for tool in gotools.TOOLS:
        part = gotools.part_of(tool, without)
        if part is not None:
            binaries |= {name: part for name, _ in tool.binaries if name not in without}
    runtime, opensearch = java.runtime_part(), java.opensearch_part()
    ingredients = {
        "debian_root": debian_root.part(),
        "java": runtime,
        "opensearch": opensearch,
        "classes": classes.part(runtime, opensearch),
        "broker": gotools.broker_part(),
    }
    images = seed.part(**ingredients)
    built = tuple({part.name: part for part in binaries.values()}.values())
    # Downloads first: a registry that refuses is known before the long builds.
    return Plan(
        parts=(*ingredients.values(), images, *built),
        seed=images,
        broker=ingredients["broker"],
        binaries=binaries,
        pulumi_plugins=tuple(name for name in PULUMI_PLUGINS if name in binaries),
    )
