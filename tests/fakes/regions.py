"""Two regions in a failback, living in two fake clusters: brokers, exporters, web apps and search engines.

A `World` begins where the failover has ended. Its methods do what Pulumi, Helm and the nodes do between the
steps; what a gate orders (a pause, a snapshot, a restart) takes effect in it. `World.site` is the site of a
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
from dualregion.procedure import Phase, Step
from dualregion.procedure.versions import VERSIONS
from dualregion.state.progress import Stack, current_incident
from messages import Message
from sandbox.patience import allowed
from steps import broker_views
from steps.context import StepContext
from steps.polling import Waiting
from steps.releases.webapps import REPLICAS_ANNOTATION
from tests.fakes.kubernetes import (
    NO_SUCH_TASK,
    Document,
    FakeKubernetes,
    LivingBrokers,
    Reply,
    failure,
    kubeconfig_of,
    owner,
    partition_states,
    search_engine,
    serving,
    topology,
)
from tests.fakes.search_engines import Held, LivingEngine, Snapshots
from tests.inputs.examples import settings, with_cidrs

FAILED_OVER, BOTH, AWAKE = "failed-over", "both", "awake"
"""The brokers' revisions: exporting to the failover engine, to both regions, and with none asleep."""
BACKUP = {"type": "fs", "settings": {"location": "/backup"}}
WEB_APPS = {"operate": 2, "tasklist": 1}
SURVIVOR, RECREATED = "survivor", "recreated"
PATIENT, IMPATIENT = allowed(30.0), 0.05

Gates = str
TURNS: Mapping[tuple[str, str], tuple[str, Gates, Gates]] = {
    ("B0", SURVIVOR): ("failback-pending", "F0 F1 F2 F3", ""),
    ("B1", RECREATED): ("failback-pending", "", "B0"),
    ("B2", SURVIVOR): ("failback-pending", "B0", "B1"),
    ("B3", SURVIVOR): ("failback-pending", "B0 B2", "B1"),
    ("B4", SURVIVOR): ("failback-pending", "B0 B2 B3", "B1"),
    ("B4", RECREATED): ("failback-pending", "B1", "B0 B2 B3 B4"),
    ("B5", RECREATED): ("restored", "B1 B4", "B0 B2 B3 B4"),
    ("B5", SURVIVOR): ("restored", "B0 B2 B3 B4", "B1 B4 B5"),
    ("B6", RECREATED): ("restored", "B1 B4 B5", "B0 B2 B3 B4 B5"),
    ("B7", RECREATED): ("restored", "B1 B4 B5 B6", "B0 B2 B3 B4 B5"),
}
"""Phase, own gates and the other stack's, as a step finds them."""


@dataclass
class PickyWaiting(Waiting):
    """Waits patiently, but for one thing: a busy machine must not make another wait fail first.

    :ivar gives_up_on: the code of what that one is for.
    :ivar more_looks: how often it looks for that at least once more, however busy the machine is.
    """

    gives_up_on: str | None = None
    more_looks: int = 0

    def last_reason(self, what: Message, look: Callable[[], Message | None]) -> Message | None:
        if what.code != self.gives_up_on:
            return super().last_reason(what, look)
        short = replace(self, deadline_seconds=IMPATIENT, gives_up_on=None)
        reason = short.last_reason(what, look)
        once = replace(short, deadline_seconds=0.0)
        for _ in range(self.more_looks if reason else 0):
            reason = reason and once.last_reason(what, look)
        return reason


@dataclass(frozen=True)
class PickySite(StepContext):
    """A site whose gates look often, and give up soon where a test wants to see them fail."""

    gives_up_on: str | None = None
    more_looks: int = 0

    def waiting(self, step: Step) -> Waiting:
        return PickyWaiting(
            step.id,
            self.say,
            PATIENT,
            0.01,
            gives_up_on=self.gives_up_on,
            more_looks=self.more_looks,
        )


@dataclass
class World:
    """Both regions' clusters.

    :ivar near: the survivor's cluster.
    :ivar far: the recreated region's.
    :ivar number: how many regions were lost up to now.
    :ivar base: the user's Helm values.
    :ivar brokers: those of each installation, by namespace.
    :ivar phases: what each broker says of its exporters, by namespace and ordinal.
    :ivar position: how far exporting has come.
    :ivar stuck: whether nothing comes further.
    :ivar refusals: what the gateway answers to a pause or a resumption before it obeys.
    :ivar deaf: the brokers that no pause and no resumption reaches.
    :ivar unseen: broker ids that no gateway sees.
    :ivar unhealthy: broker ids whose replicas are not healthy.
    :ivar faults: whenever a broker was ended while one of another installation was down.
    """

    lost: int
    near: FakeKubernetes
    far: FakeKubernetes
    folder: Path
    size: int = 4
    number: int = 1
    base: dict[str, Any] = field(default_factory=lambda: flushing_after(0))
    said: list[str] = field(default_factory=list)
    brokers: dict[str, LivingBrokers] = field(default_factory=dict)
    phases: dict[tuple[str, int], str] = field(default_factory=dict)
    position: int = 100
    stuck: bool = False
    refusals: list[Reply] = field(default_factory=list)
    deaf: set[tuple[str, int]] = field(default_factory=set)
    unseen: set[int] = field(default_factory=set)
    unhealthy: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        place: Snapshots = {}
        self.own, self.takeover, self.empty = (
            LivingEngine(fake, self.cluster(region), namespace, place=place)
            for fake, region, namespace in (
                (self.near, self.survivor, self.survivor.namespace),
                (self.near, self.survivor, self.survivor.failover),
                (self.far, self.recreated, self.recreated.namespace),
            )
        )
        self.own.held = Held(
            {"zeebe-record_process": 80, "zeebe-record_job": 40, "operate-list-view": 7},
            {partition: set(range(1, 21)) for partition in self.partitions},
            {"zeebe-record", "operate-list-view_template"},
        )
        self.takeover.held = Held(
            {"zeebe-record_process": 40},
            {partition: set(range(11, 21)) for partition in self.partitions},
        )
        for fake in (self.near, self.far):
            fake.delete_pod = self.end
        self.has_namespace(self.near, self.survivor.namespace, self.survivor.failover)
        self.runs(self.survivor.namespace, FAILED_OVER)
        self.runs(self.survivor.failover, FAILED_OVER)
        self.has_web_apps(self.survivor.namespace)
        for region, fake in ((self.survivor, self.near), (self.recreated, self.far)):
            for port in (8080, 9600):
                fake.lives(
                    f"{region.namespace}/services/camunda-zeebe-gateway:{port}", self._gateway
                )

    # --- Who is who ------------------------------------------------------------------------------

    @property
    def survivor(self) -> RegionSettings:
        return self._any_settings.regions[1 - self.lost]

    @property
    def recreated(self) -> RegionSettings:
        return self._any_settings.regions[self.lost]

    @property
    def namespaces(self) -> tuple[str, str, str]:
        """The namespaces of the survivor's installations and of the recreated one's."""
        return self.survivor.namespace, self.survivor.failover, self.recreated.namespace

    @property
    def partitions(self) -> range:
        return range(1, self.size + 1)

    @property
    def incident(self) -> str:
        return f"{self.number}-region{self.lost}-lost"

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
        return settings(regions=with_cidrs())

    def settings(self, role: str, phase: str = "failback-pending") -> Settings:
        return settings(
            region=1 - self.lost if role == SURVIVOR else self.lost,
            phase=phase,
            lostRegion=self.lost,
            clusterSize=self.size,
            partitionCount=self.size,
            regions=with_cidrs(),
            backup=BACKUP,
            kubeconfig=self.kubeconfig,
        )

    def cluster(self, region: RegionSettings) -> Cluster:
        return self._clusters[region.kube_context]

    def fake_of(self, namespace: str) -> FakeKubernetes:
        return self.far if namespace == self.recreated.namespace else self.near

    def ids(self, namespace: str) -> tuple[int, ...]:
        """Return the broker ids of an installation, by ordinal."""
        if namespace == self.survivor.failover:
            return brokers.failover_broker_ids(self.size, self.lost)
        region = self.lost if namespace == self.recreated.namespace else 1 - self.lost
        return brokers.region_broker_ids(self.size, region)

    # --- The site of a step ----------------------------------------------------------------------

    def ctx(self, step: str, role: str = SURVIVOR) -> PickySite:
        phase, mine, theirs = TURNS[step, role]
        return self.site_after(role, phase, mine, theirs)

    def failing_over(self, gates: Gates = "F0 F1 F2 F3") -> PickySite:
        """Return the survivor's site in phase failover, after these gates."""
        return self.site_after(SURVIVOR, "failover", gates, "")

    def stack(self, role: str, gates: Gates) -> Stack:
        """Return what a stack's state holds that has proved these steps."""
        if not gates:
            return Stack()
        retired = role == SURVIVOR and "B5" in gates
        kinds = {"normal"} if retired or role == RECREATED else {"normal", "failover"}
        return Stack(
            Phase.FAILBACK_PENDING,
            self.lost,
            frozenset({*kinds, *gates.split()}),
            1 - self.lost if role == SURVIVOR else self.lost,
            dict.fromkeys(gates.split(), self.incident),
        )

    def site_after(self, role: str, phase: str, mine: Gates, theirs: Gates) -> PickySite:
        """Return a stack's site in a phase, after its own gates and the other stack's."""
        found = self.settings(role, phase)
        own, peer = self.stack(role, mine), self.stack(_other(role), theirs)
        return PickySite(
            self.cluster(found.own),
            found,
            desired(found, self.base, peer, own),
            self.said.append,
            own,
            peer,
            current_incident(found, own, peer),
        )

    # --- What happens between the steps ----------------------------------------------------------

    def joins(self) -> None:
        """Install the recreated region's brokers, half of them asleep."""
        self.has_namespace(self.far, self.recreated.namespace)
        self.runs(self.recreated.namespace, FAILED_OVER, failing_back=True)

    def freezes(self) -> None:
        """Pause every exporter and scale the web apps down."""
        self.joins()
        self.say_phase("PAUSED")
        self.has_web_apps(self.survivor.namespace, running=False)

    def copies(self) -> None:
        """Let the recreated engine hold what the survivor's holds, and update the survivor's releases."""
        self.freezes()
        self.empty.held = Held(
            dict(self.own.held.documents),
            {partition: set(each) for partition, each in self.own.held.positions.items()},
            set(self.own.held.templates),
        )
        self.near.objects.pop(_deployments(self.survivor.namespace))
        for namespace in self.namespaces[:2]:
            self.updates(namespace, BOTH)

    def repoints(self) -> None:
        """Let the survivor's brokers run, and the recreated region's get, the original exporters."""
        self.copies()
        for namespace in self.namespaces[:2]:
            self.runs(namespace, BOTH)
        self.updates(self.recreated.namespace, BOTH, failing_back=True)

    def opens(self) -> None:
        """Let every broker have the original exporters, still paused, and install the web apps."""
        self.repoints()
        self.runs(self.recreated.namespace, BOTH, failing_back=True)
        for namespace in (self.survivor.namespace, self.recreated.namespace):
            self.has_web_apps(namespace)

    def retires(self) -> None:
        """Let exporting go on, drop the failover installation, and wake everybody in the next update."""
        self.opens()
        self.say_phase("EXPORTING")
        self.drop_failover()
        self.updates(self.recreated.namespace, AWAKE)

    def drop_failover(self) -> None:
        namespace = self.survivor.failover
        self.near.objects["/api/v1/namespaces"].pop(namespace)
        for path in list(self.near.objects):
            if f"/namespaces/{namespace}/" in path:
                self.near.objects.pop(path)
        del self.brokers[namespace]

    def has_namespace(self, fake: FakeKubernetes, *names: str) -> None:
        fake.put("/api/v1/namespaces", *({"metadata": {"name": each}} for each in names))

    def runs(self, namespace: str, revision: str, *, failing_back: bool = False) -> None:
        """Let an installation's brokers run a revision, all of them, and its engine's nodes be ready."""
        fake, count = self.fake_of(namespace), len(self.ids(namespace))
        sets, pods = _stateful_sets(namespace), _pods(namespace)
        fake.objects.pop(pods, None)
        made = LivingBrokers(fake, namespace, count, failing_back, revision, self._environments())
        fake.put(sets, search_engine(2, 2))
        self.brokers[namespace] = made
        for each in (self.near, self.far):
            each.tick, each.delete_pod = self.tick, self.end
        for ordinal in range(count):
            self.phases.setdefault((namespace, ordinal), "EXPORTING")
            target = f"{namespace}/pods/camunda-zeebe-{ordinal}:9600"
            fake.lives(target, partial(self._broker, namespace, ordinal))

    def updates(self, namespace: str, revision: str, *, failing_back: bool = False) -> None:
        """Update a release as Helm does, held so that nothing restarts by itself."""
        living = self.brokers[namespace]
        living.stateful_set["spec"]["updateStrategy"] = {
            "type": "RollingUpdate",
            "rollingUpdate": {"partition": living.count},
        }
        living.update(revision, failing_back=failing_back)
        living.pass_time(10)
        assert living.restarts == []

    def has_web_apps(self, namespace: str, *, running: bool = True) -> None:
        for app, count in WEB_APPS.items():
            document = web_app(app, count if running else 0)
            if not running:
                document["metadata"]["annotations"][REPLICAS_ANNOTATION] = str(count)
            self.fake_of(namespace).put(_deployments(namespace), document)

    def say_phase(self, phase: str, *places: tuple[str, int]) -> None:
        """Let brokers say this phase of their exporters; all of them if none is named."""
        for place in places or tuple(self.phases):
            self.phases[place] = phase

    def _environments(self) -> Mapping[str, Sequence[Document]]:
        found = self.settings(SURVIVOR)
        wanted = {
            FAILED_OVER: broker_views.wanted_environment(found, replaced_region=self.lost),
            BOTH: broker_views.wanted_environment(found, replaced_region=None),
        }
        env = {
            revision: [{"name": name, "value": value} for name, value in each.items()]
            for revision, each in wanted.items()
        }
        return env | {AWAKE: env[BOTH], "again": env[BOTH], "wrong": env[FAILED_OVER]}

    # --- What a test looks at --------------------------------------------------------------------

    def web_app_counts(self, namespace: str | None = None) -> dict[str, int]:
        place = namespace or self.survivor.namespace
        found = self.fake_of(place).objects.get(_deployments(place), {})
        return {
            name.removeprefix("camunda-"): each["spec"]["replicas"] for name, each in found.items()
        }

    def orders(self) -> list[str]:
        """Return the orders to pause or resume that any gateway was given."""
        path = "/actuator/exporting/"
        asked = [*self.near.asked, *self.far.asked]
        return [each.rsplit("/", 1)[1] for each in asked if path in each]

    def restarts(self) -> dict[str, list[int]]:
        """Return the ordinals of the brokers that were restarted, by namespace."""
        return {name: each.restarts for name, each in self.brokers.items() if each.restarts}

    def all_faults(self) -> list[str]:
        return [*self.faults, *(each for living in self.brokers.values() for each in living.faults)]

    # --- What lives ------------------------------------------------------------------------------

    def tick(self) -> None:
        for living in self.brokers.values():
            living.tick()

    def end(self, pod: Document) -> None:
        namespace = pod["metadata"]["namespace"]
        down = {name: each.down() for name, each in self.brokers.items() if name != namespace}
        if any(down.values()) and self._answers(namespace, pod["metadata"]["name"]):
            self.faults.append(f"{pod['metadata']['name']} was ended while {down} were down")
        self.brokers[namespace].end(pod)

    def _answers(self, namespace: str, name: str) -> bool:
        return self.brokers[namespace].answers(int(name.rsplit("-", 1)[1]))

    def _gateway(self, method: str, path: str, body: Any) -> Reply | None:
        if path == "/v1/topology":
            return Reply(200, self.view())
        if path.startswith("/v1/user-tasks/"):
            return NO_SUCH_TASK
        if path.startswith("/actuator/exporting/"):
            return self._obeys(path.rsplit("/", 1)[1])
        return None

    def _obeys(self, order: str) -> Reply:
        if self.refusals:
            return self.refusals.pop(0)
        phase = {"pause": "PAUSED", "resume": "EXPORTING"}[order]
        for place in self.phases.keys() - self.deaf:
            self.phases[place] = phase
        return Reply(200, {"body": None, "status": 204, "contentType": None})

    def view(self) -> Document:
        """Return what every gateway answers to `GET /v1/topology`."""
        hosts = {
            id_: namespace
            for namespace in reversed(self.namespaces)
            if namespace in self.brokers
            for ordinal, id_ in enumerate(self.ids(namespace))
            if self._is_seen(self.brokers[namespace], ordinal) and id_ not in self.unseen
        }
        return topology(
            hosts, partitions=self.size, size=self.size, unhealthy=tuple(self.unhealthy)
        )

    def _is_seen(self, living: LivingBrokers, ordinal: int) -> bool:
        if living.sleeps(ordinal):
            return living.answers(ordinal)
        return ordinal not in living.seen_down()

    def _broker(
        self, namespace: str, ordinal: int, method: str, path: str, body: Any
    ) -> Reply | None:
        if not self.brokers[namespace].answers(ordinal):
            return failure(503, "ServiceUnavailable", "connection refused")
        if path == "/actuator/partitions/resumeExporting":
            self.phases[namespace, ordinal] = "EXPORTING"
        elif path != "/actuator/partitions":
            return None
        phase = self.phases[namespace, ordinal]
        self.position += phase == "EXPORTING" and not self.stuck
        return Reply(200, self._partitions(self.ids(namespace)[ordinal], phase))

    def _partitions(self, id_: int, phase: str) -> Document:
        running = {
            each
            for namespace, living in self.brokers.items()
            for ordinal, each in enumerate(self.ids(namespace))
            if living.answers(ordinal)
        }
        roles: dict[int, str] = {}
        for partition in self.partitions:
            holders = brokers.replicas(partition, self.size, 4)
            leader = next(each for each in holders if each in running)
            if id_ in holders:
                roles[partition] = "LEADER" if id_ == leader else "FOLLOWER"
        return partition_states(roles, exported=self.position, processed=1 << 40, phase=phase)


def flushing_after(seconds: int | None) -> dict[str, Any]:
    """Return Helm values in which exporters flush after so many seconds; None leaves it to their default."""
    names = [VERSIONS["8.5"].exporter.variable(region, "ARGS_BULK_DELAY") for region in (0, 1)]
    env = [{"name": name, "value": str(seconds)} for name in names if seconds is not None]
    return {"zeebe": {"env": env}}


def web_app(app: str, replicas: int) -> Document:
    """Return a web app's Deployment, all of its pods ready."""
    labels = {"app.kubernetes.io/component": app}
    status = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas"), replicas)
    return {
        "metadata": {"name": f"camunda-{app}", "generation": 1, "annotations": {}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": []}},
        },
        "status": {"observedGeneration": 1} | status,
    }


def web_app_pod(namespace: str, app: str) -> Document:
    """Return a pod of a web app."""
    labels = {"app.kubernetes.io/component": app, "app.kubernetes.io/instance": "camunda"}
    return {
        "metadata": {
            "name": f"camunda-{app}-7d4f",
            "namespace": namespace,
            "labels": labels,
            "ownerReferences": [owner("ReplicaSet", f"camunda-{app}")],
        },
        "spec": {"containers": []},
        "status": {"phase": "Running"},
    }


@contextmanager
def world(lost: int, folder: Path, size: int = 4) -> Iterator[World]:
    """Serve both clusters as the failover has left them: the lost one is there again, and empty."""
    with serving() as near, serving() as far:
        yield World(lost, near, far, folder, size)


def _other(role: str) -> str:
    return RECREATED if role == SURVIVOR else SURVIVOR


def _pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def _stateful_sets(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/statefulsets"


def _deployments(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments"
