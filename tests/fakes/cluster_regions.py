"""Two regions whose clusters are changed by the management API, living in two fake clusters.

An `ApiWorld` begins with both regions at work. Its methods do what Pulumi, Helm, the nodes and a disaster do between the
steps; what a step orders (a removal, a pause, a snapshot, a restart) takes effect in it. `ApiWorld.ctx` is the site of a
step, with a topology that `desired` has made of the progress that belongs to it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from clients.cluster.kubernetes import Cluster
from dualregion import brokers
from dualregion.config.settings import RegionSettings, Settings
from dualregion.decision.desired import desired
from dualregion.names import POLICY_NAME
from dualregion.procedure import Phase
from dualregion.procedure.topology import Installation
from dualregion.procedure.versions import VERSIONS, CamundaVersion, Engine, WebApps
from dualregion.state.progress import Stack, current_incident
from steps import broker_views, cluster_api
from steps.context import Evidence
from tests.fakes.cluster_management import FakeManagement
from tests.fakes.kubernetes import (
    NO_SUCH_TASK,
    Document,
    FakeKubernetes,
    LivingBrokers,
    Reply,
    gateway_pods,
    kubeconfig_of,
    partition_states,
    search_engine,
    serving,
)
from tests.fakes.regions import BACKUP, RECREATED, SURVIVOR, WEB_APPS, PickySite, web_app
from tests.fakes.search_engines import Held, LivingEngine, SecuredEngine, Snapshots
from tests.inputs.examples import settings, with_cidrs

Gates = str
MEMBER = "member"
TURNS: Mapping[tuple[str, str], tuple[str, Gates, Gates]] = {
    ("N", MEMBER): ("normal", "", ""),
    ("F0", SURVIVOR): ("failover", "", ""),
    ("F1", SURVIVOR): ("failover", "F0", ""),
    ("F2", SURVIVOR): ("failover", "F0 F1", ""),
    ("F3", SURVIVOR): ("failover", "F0 F1 F2", ""),
    ("B0", SURVIVOR): ("failback-pending", "F0 F1 F2 F3", ""),
    ("B1", RECREATED): ("failback-pending", "", "B0"),
    ("B2", SURVIVOR): ("failback-pending", "B0", "B1"),
    ("B3", SURVIVOR): ("failback-pending", "B0 B2", "B1"),
    ("B4", SURVIVOR): ("failback-pending", "B0 B2 B3", "B1"),
    ("B5", SURVIVOR): ("restored", "B0 B2 B3 B4", "B1"),
    ("B6", SURVIVOR): ("restored", "B0 B2 B3 B4 B5", "B1"),
    ("B7", SURVIVOR): ("restored", "B0 B2 B3 B4 B5 B6", "B1"),
    ("B7", RECREATED): ("restored", "B1", "B0 B2 B3 B4 B5 B6 B7"),
}
"""Phase, own gates and the other stack's, as a step finds them."""
OF_RECREATED = "5ecret-new"
"""That of the recreated region's search engine, where the chart brings none."""
ALL, QUIET, EMPTY = "all", "quiet", "empty"
"""The brokers' revisions: as the user has them, without web apps, and with nothing that may write to the engine."""


@dataclass
class ApiWorld:
    """Both regions' clusters.

    :ivar near: the survivor's cluster.
    :ivar far: the lost region's, and the recreated one's.
    :ivar brokers: those of each installation, by namespace.
    :ivar position: how far exporting has come.
    :ivar stuck: whether nothing comes further.
    :ivar unseen: broker ids that no gateway sees.
    :ivar faults: whenever a member was ended while another one was down.
    """

    lost: int
    version: CamundaVersion
    near: FakeKubernetes
    far: FakeKubernetes
    folder: Path
    size: int = 4
    said: list[str] = field(default_factory=list)
    brokers: dict[str, LivingBrokers] = field(default_factory=dict)
    position: int = 100
    stuck: bool = False
    unseen: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        form = self.version.exporter
        self.management = FakeManagement(
            self.version.minor, self.size, [form.id_of(each) for each in (0, 1)], self.running
        )
        place: Snapshots = {}
        kind = LivingEngine if self.version.engine is Engine.SUBCHART else SecuredEngine
        self.own, self.empty = (
            kind(fake, self.cluster(region), region.namespace, place=place)
            for fake, region in ((self.near, self.survivor), (self.far, self.recreated))
        )
        self.own.held = Held(
            {"operate-list-view-8.3.0_": 7, "camunda-authorization-8.8.0_": 3},
            templates={"operate-list-view_template"},
            lifecycles={"camunda-retention-policy": "30d"},
        )
        self.empty.held = replace(self.own.held, documents=dict(self.own.held.documents))
        for region, fake in self.places:
            self.has_namespace(fake, region.namespace)
            self._answers(region, fake)
            self.runs(region.namespace, ALL)
            self.has_web_apps(region.namespace)
        policies = "/apis/networking.k8s.io/v1/namespaces"
        name = self.survivor.namespace
        self.near.put(f"{policies}/{name}/networkpolicies", {"metadata": {"name": POLICY_NAME}})

    # --- Who is who ------------------------------------------------------------------------------

    @property
    def survivor(self) -> RegionSettings:
        return self._any_settings.regions[1 - self.lost]

    @property
    def recreated(self) -> RegionSettings:
        return self._any_settings.regions[self.lost]

    @property
    def places(self) -> tuple[tuple[RegionSettings, FakeKubernetes], ...]:
        return (self.survivor, self.near), (self.recreated, self.far)

    @property
    def partitions(self) -> range:
        return range(1, self.size + 1)

    @property
    def incident(self) -> str:
        return f"1-region{self.lost}-lost"

    @property
    def lost_ids(self) -> tuple[int, ...]:
        return brokers.region_broker_ids(self.size, self.lost)

    @property
    def kept_ids(self) -> tuple[int, ...]:
        return brokers.region_broker_ids(self.size, 1 - self.lost)

    @property
    def lost_exporter(self) -> str:
        return self.version.exporter.id_of(self.lost)

    @property
    def kept_exporter(self) -> str:
        return self.version.exporter.id_of(1 - self.lost)

    @cached_property
    def kubeconfig(self) -> str:
        urls = {
            self.survivor.kube_context: self.near.url,
            self.recreated.kube_context: self.far.url,
        }
        return kubeconfig_of(self.folder, urls)

    @cached_property
    def _clusters(self) -> dict[str, Cluster]:
        contexts = (each.kube_context for each in self._any_settings.regions)
        return {each: Cluster(self.kubeconfig, each) for each in contexts}

    @cached_property
    def _any_settings(self) -> Settings:
        return settings(regions=_regions(), camundaVersion=self.version.minor)

    def settings(self, role: str, phase: str) -> Settings:
        return settings(
            region=self.lost if role == RECREATED else 1 - self.lost,
            phase=phase,
            lostRegion=None if phase == "normal" else self.lost,
            camundaVersion=self.version.minor,
            clusterSize=self.size,
            partitionCount=self.size,
            regions=_regions(),
            backup=BACKUP,
            kubeconfig=self.kubeconfig,
        )

    def cluster(self, region: RegionSettings) -> Cluster:
        return self._clusters[region.kube_context]

    def fake_of(self, namespace: str) -> FakeKubernetes:
        return self.far if namespace == self.recreated.namespace else self.near

    def ids(self, namespace: str) -> tuple[int, ...]:
        """Return the broker ids of an installation, by ordinal."""
        return self.lost_ids if namespace == self.recreated.namespace else self.kept_ids

    # --- The site of a step ----------------------------------------------------------------------

    def ctx(self, step: str, role: str = SURVIVOR) -> PickySite:
        phase, mine, theirs = TURNS[step, role]
        return self.site_after(role, phase, mine, theirs)

    def site_after(self, role: str, phase: str, mine: Gates, theirs: Gates) -> PickySite:
        """Return a stack's site in a phase, after its own gates and the other stack's."""
        found = self.settings(role, phase)
        other = SURVIVOR if role == RECREATED else RECREATED
        own, peer = self._stack(role, phase, mine), self._stack(other, phase, theirs)
        return PickySite(
            self.cluster(found.own),
            found,
            desired(found, self.base, peer, own),
            self.said.append,
            own,
            peer,
            current_incident(found, own, peer),
        )

    def _stack(self, role: str, phase: str, gates: Gates) -> Stack:
        names = gates.split()
        if not names:
            return Stack()
        return Stack(
            Phase(phase),
            self.lost,
            frozenset({"normal", *names}),
            self.lost if role == RECREATED else 1 - self.lost,
            dict.fromkeys(names, self.incident),
        )

    @property
    def base(self) -> dict[str, Any]:
        """The user's Helm values, in which exporters flush at once."""
        form = self.version.exporter
        env = [
            {"name": form.variable(region, "ARGS_BULK_DELAY"), "value": "0"} for region in (0, 1)
        ]
        return {self.version.brokers.component: {"env": env}}

    proofs = cluster_api.PROOFS

    def prove(self, step: str, role: str = SURVIVOR) -> Evidence:
        """Let a step do its work and prove it."""
        return self.proofs[step](self.ctx(step, role))

    # --- What happens between the steps ----------------------------------------------------------

    def lose(self) -> None:
        """Let the region be gone, with all that was in it."""
        self.far.objects.clear()
        self.has_namespace(self.far, "kube-system")
        self.far.living.clear()
        del self.brokers[self.recreated.namespace]
        self.empty.held = Held()

    def fail_over(self) -> None:
        """Lose the region, and let the failover be complete."""
        self.lose()
        self.management.keep(self.kept_ids)
        self.management.set_exporter(self.lost_exporter, "DISABLED")

    def joins(self) -> None:
        """Install the recreated region, outside of the cluster."""
        self.fail_over()
        self.reinstalls()

    def recreates(self) -> None:
        """Let the lost region's cluster be there again, with a search engine where the chart brings none."""
        self.has_namespace(self.far, self.recreated.namespace)
        if isinstance(self.empty, SecuredEngine):
            self.empty.install(OF_RECREATED)

    def reinstalls(self) -> None:
        """Install the recreated region."""
        namespace = self.recreated.namespace
        self.has_namespace(self.far, namespace)
        self._answers(self.recreated, self.far)
        self.far.living[f"/api/v1/namespaces/{self.empty.target}"] = self.empty.answer
        self.runs(namespace, EMPTY, password=OF_RECREATED)
        self.has_web_apps(namespace, running=False)

    def without_web_apps(self) -> None:
        """Update the survivor's release, so that it runs no web apps."""
        self.updates(self.survivor.namespace, QUIET)
        self.has_web_apps(self.survivor.namespace, running=False)

    def freezes(self) -> None:
        """Let the web apps be down and exporters be paused."""
        self.joins()
        self.runs(self.survivor.namespace, QUIET)
        self.has_web_apps(self.survivor.namespace, running=False)
        self.management.say_phase("PAUSED")

    def copies(self) -> None:
        """Let the recreated engine hold what the survivor's holds."""
        self.freezes()
        self.empty.held = replace(self.own.held, documents=dict(self.own.held.documents))

    def enables(self) -> None:
        """Let the recreated region's exporter be enabled, still paused."""
        self.copies()
        self.management.set_exporter(self.lost_exporter, "ENABLED")

    def resumes(self) -> None:
        """Let exporting go on."""
        self.enables()
        self.management.say_phase("EXPORTING")

    def adds(self) -> None:
        """Let all brokers be members again."""
        self.resumes()
        fresh = FakeManagement(
            self.version.minor, self.size, self.management.exporters, self.running
        )
        self.management.members, self.management.states = fresh.members, fresh.states
        self.brokers[self.recreated.namespace].pass_time(10)

    def opens(self, namespace: str) -> None:
        """Update a release to what the user wants of it."""
        self.updates(namespace, ALL)
        self.has_web_apps(namespace)

    def has_namespace(self, fake: FakeKubernetes, *names: str) -> None:
        found = ({"metadata": {"name": each, "uid": "1"}} for each in names)
        fake.put("/api/v1/namespaces", *found)

    def runs(self, namespace: str, revision: str, password: str | None = None) -> None:
        """Let an installation's brokers run a revision, all of them, and its engine's nodes be ready.

        :param password: that of an engine beside the chart; None for the one that it has.
        """
        fake, ids = self.fake_of(namespace), self.ids(namespace)
        fake.objects.pop(f"/api/v1/namespaces/{namespace}/pods", None)
        made = LivingBrokers(
            fake,
            namespace,
            len(ids),
            revision=revision,
            environments=self._environments(),
            config_maps=("camunda-zeebe-configuration",),
            container=self.version.brokers.container,
            becomes_ready=lambda ordinal: self._becomes_ready(ids[ordinal]),
        )
        engine = self.empty if namespace == self.recreated.namespace else self.own
        if isinstance(engine, SecuredEngine):
            engine.install(password or engine.password or f"5ecret-{namespace}")
        else:
            fake.put(f"/apis/apps/v1/namespaces/{namespace}/statefulsets", search_engine(2, 2))
        self.brokers[namespace] = made
        for each in (self.near, self.far):
            each.tick, each.delete_pod = self.tick, self.end
        if not self.version.brokers.serves_gateway:
            fake.put(f"/api/v1/namespaces/{namespace}/pods", *gateway_pods(namespace, 1))
            fake.lives(f"{namespace}/pods/camunda-zeebe-gateway-0:8080", self._rest)
        for ordinal in range(len(ids)):
            pod = f"{namespace}/pods/camunda-zeebe-{ordinal}"
            fake.lives(f"{pod}:9600", partial(self._broker, namespace, ordinal))
            fake.lives(f"{pod}:8080", self._rest)

    def updates(self, namespace: str, revision: str) -> None:
        """Update a release as Helm does, held so that nothing restarts by itself."""
        living = self.brokers[namespace]
        living.stateful_set["spec"]["updateStrategy"] = {
            "type": "RollingUpdate",
            "rollingUpdate": {"partition": living.count},
        }
        living.restarts.clear()
        if self.version.web_apps is WebApps.PROFILES:
            living.update(revision, failing_back=False)
        living.pass_time(10)
        assert living.restarts == []

    def has_web_apps(self, namespace: str, *, running: bool = True) -> None:
        """Let an installation's configuration run web apps, or none."""
        fake = self.fake_of(namespace)
        deployments = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        fake.objects.pop(deployments, None)
        if self.version.web_apps is WebApps.DEPLOYMENTS:
            apps = {"zeebe-gateway": 1} | (WEB_APPS if running else {})
            fake.put(deployments, *(web_app(app, count) for app, count in apps.items()))
        profiles = ["broker", "identity", *(WEB_APPS if running else ())]
        text = f'spring:\n  profiles:\n    active: "{",".join(profiles)}"\n'
        fake.put(
            f"/api/v1/namespaces/{namespace}/configmaps",
            {
                "metadata": {"name": "camunda-zeebe-configuration"},
                "data": {"startup.sh": "exec camunda", "application.yaml": text},
            },
        )

    def _environments(self) -> Mapping[str, Sequence[Document]]:
        """Return what desired values of each kind of release put into the brokers' environment."""
        wanted = {
            ALL: self.ctx("F1"),
            QUIET: self.ctx("B2"),
            EMPTY: self.ctx("B1", RECREATED),
        }
        return {
            revision: [
                *(
                    {"name": name, "value": value}
                    for name, value in broker_views.wanted_environment(
                        found.settings, replaced_region=None
                    ).items()
                ),
                *_own_release(found).values[self.version.brokers.component]["env"],
            ]
            for revision, found in wanted.items()
        }

    # --- What lives ------------------------------------------------------------------------------

    def running(self) -> frozenset[int]:
        """Return the ids of the brokers that run, and are in sight."""
        return frozenset(
            id_
            for namespace, living in self.brokers.items()
            for ordinal, id_ in enumerate(self.ids(namespace))
            if living.runs(ordinal)
        ) - frozenset(self.unseen)

    def _becomes_ready(self, id_: int) -> bool:
        is_member = bool(self.management.members.get(id_))
        return is_member or self.version.outsiders_are_ready

    def tick(self) -> None:
        for living in self.brokers.values():
            living.tick()

    def end(self, pod: Document) -> None:
        namespace = pod["metadata"]["namespace"]
        down = {name: each.down() for name, each in self.brokers.items() if name != namespace}
        ordinal = int(pod["metadata"]["name"].rsplit("-", 1)[1])
        if any(down.values()) and self.ids(namespace)[ordinal] in self.management.members:
            self.faults.append(f"{pod['metadata']['name']} was ended while {down} were down")
        self.brokers[namespace].end(pod)

    def _answers(self, region: RegionSettings, fake: FakeKubernetes) -> None:
        gateway = f"{region.namespace}/services/camunda-zeebe-gateway"
        fake.lives(f"{gateway}:8080", self._rest)
        fake.lives(f"{gateway}:9600", partial(self._management, fake))

    def _rest(self, method: str, path: str, body: Any) -> Reply | None:
        del method, body
        if path == "/v2/topology":
            return Reply(200, self.view())
        if not path.startswith("/v2/user-tasks/"):
            return None
        partition = int(path.split("/")[3]) >> 51
        if self.leader_of(partition) is None:
            return Reply(503, {"title": "RESOURCE_EXHAUSTED"})
        return NO_SUCH_TASK

    def _management(self, fake: FakeKubernetes, method: str, path: str, body: Any) -> Reply | None:
        return self.management.answer(method, path, fake.query, body)

    def leader_of(self, partition: int) -> int | None:
        """Return who leads a partition; None while its members have no quorum."""
        holders = self.management.holders(partition)
        alive = [each for each in holders if each in self.running() and self._is_up(each)]
        return alive[0] if len(alive) > len(holders) // 2 else None

    def _is_up(self, id_: int) -> bool:
        return any(
            living.answers(self.ids(namespace).index(id_))
            for namespace, living in self.brokers.items()
            if id_ in self.ids(namespace)
        )

    def view(self) -> Document:
        """Return what every gateway answers to `GET /v2/topology`."""
        return {
            "brokers": [self._seen(id_) for id_ in sorted(self.running())],
            "clusterSize": len(self.management.members),
            "partitionsCount": self.size,
            "replicationFactor": len(self.management.holders(1)),
            "gatewayVersion": self.version.minor,
        }

    def _seen(self, id_: int) -> Document:
        namespace = (self.recreated if id_ in self.lost_ids else self.survivor).namespace
        ordinal = self.ids(namespace).index(id_)
        return {
            "nodeId": id_,
            "host": f"camunda-zeebe-{ordinal}.camunda-zeebe.{namespace}",
            "port": 26501,
            "partitions": [
                {
                    "partitionId": partition,
                    "role": "leader" if self.leader_of(partition) == id_ else "follower",
                    "health": "healthy" if self._is_up(id_) else "unhealthy",
                }
                for partition, replica in sorted(self.management.members.get(id_, {}).items())
                if replica.state == "ACTIVE"
            ],
            "version": self.version.minor,
        }

    def _broker(
        self, namespace: str, ordinal: int, method: str, path: str, body: Any
    ) -> Reply | None:
        del method, body
        if not self.brokers[namespace].runs(ordinal):
            return Reply(503, "connection refused")
        if path != "/actuator/partitions":
            return None
        id_ = self.ids(namespace)[ordinal]
        held = self.management.members.get(id_, {})
        self.position += not self.stuck
        answer: Document = {}
        for partition, replica in held.items():
            leads = self.leader_of(partition) == id_
            position = self.position if replica.phase == "EXPORTING" else 100
            answer |= partition_states(
                {partition: "LEADER" if leads else "FOLLOWER"},
                exported=position,
                processed=1 << 40,
                phase=replica.phase,
            )
        return Reply(200, answer)

    # --- What a test looks at --------------------------------------------------------------------

    def restarts(self) -> dict[str, list[int]]:
        """Return the ordinals of the brokers that were restarted, by namespace."""
        return {name: each.restarts for name, each in self.brokers.items() if each.restarts}

    def all_faults(self) -> list[str]:
        return [*self.faults, *(each for living in self.brokers.values() for each in living.faults)]

    def orders(self) -> list[str]:
        """Return what was asked of the management API that changes something."""
        return list(self.management.calls)

    def phases(self) -> set[str]:
        """Return the phases that replicas of members are in."""
        held = self.management.members.values()
        return {replica.phase for each in held for replica in each.values()}


def _own_release(found: PickySite) -> Installation:
    return found.topology.installations[0]


def _regions() -> list[dict[str, Any]]:
    return [
        {key: value for key, value in each.items() if key != "failoverNamespace"}
        for each in with_cidrs()
    ]


@contextmanager
def api_world(lost: int, version: str, folder: Path, size: int = 4) -> Iterator[ApiWorld]:
    """Serve both clusters, at work together."""
    with serving() as near, serving() as far:
        yield ApiWorld(lost, VERSIONS[version], near, far, folder, size)


Prove = Callable[[str, str], None]
"""Lets the step of a role do its work and prove it."""


def whole_incident(here: ApiWorld, prove: Prove) -> None:
    """Prove every step from the loss to the end in turn, and do between them what Pulumi, Helm and the nodes do."""
    survivor, recreated = here.survivor.namespace, here.recreated.namespace
    here.lose()
    for step in ("F1", "F2", "F3"):
        prove(step, SURVIVOR)
    here.recreates()
    prove("B0", SURVIVOR)
    here.reinstalls()
    prove("B1", RECREATED)
    here.without_web_apps()
    for step in ("B2", "B3", "B4", "B5", "B6"):
        prove(step, SURVIVOR)
    here.opens(survivor)
    prove("B7", SURVIVOR)
    here.opens(recreated)
    prove("B7", RECREATED)
