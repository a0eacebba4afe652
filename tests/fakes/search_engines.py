"""Search engines behind the fake Kubernetes API, answering as a real one does."""

from base64 import b64encode
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from clients.cluster.kubernetes import Cluster
from clients.search_engine import SearchEngine
from dualregion.config.sections.search_engine import SearchEngineSettings
from tests.fakes.kubernetes import LOGIN, Document, FakeKubernetes, Reply

MAXIMUM = 1 << 53
SHARDS = {"total": 2, "successful": 2, "failed": 0}
STARTED = Reply(200, {"accepted": True})
ACKNOWLEDGED = Reply(200, {"acknowledged": True})


def refusal(status: int, kind: str, reason: str) -> Reply:
    """Return an error as an engine words it."""
    cause = {"type": kind, "reason": reason}
    return Reply(status, {"error": {"root_cause": [cause]} | cause, "status": status})


NO_SNAPSHOT = refusal(404, "snapshot_missing_exception", "[camunda_backup:f1] is missing")
NO_REPOSITORY = refusal(404, "repository_missing_exception", "[camunda_backup] missing")


def health(indices: dict[str, str], status: str = "green") -> Reply:
    """Return a health answer of indices of one shard: `done`, `waits`, `failed` or `again`."""
    states: dict[str, Document] = {
        "done": {"status": "green", "primary_active": True, "initializing_shards": 0},
        "waits": {"status": "yellow", "primary_active": False, "initializing_shards": 0},
        "failed": {"status": "red", "primary_active": False, "initializing_shards": 0},
        "again": {"status": "red", "primary_active": False, "initializing_shards": 1},
    }
    shards = {name: {"shards": {"0": states[state]}} for name, state in indices.items()}
    return Reply(200, {"status": status, "number_of_nodes": 2, "indices": shards})


def marks(numbers: dict[str, int], later: int = 0) -> Reply:
    """Return what `_stats/docs` says of indices of one shard, which hold so many documents.

    :param later: how many operations there were besides.
    """
    indices = {
        name: {
            "shards": {
                "0": [
                    {
                        "routing": {"primary": primary},
                        "docs": {"count": each},
                        "seq_no": {"max_seq_no": each + later - 1},
                    }
                    for primary in (False, True)
                ]
            }
        }
        for name, each in numbers.items()
    }
    return Reply(200, {"_shards": {"failed": 0}, "indices": indices})


def records(numbers: dict[int, tuple[int, int, int]]) -> Reply:
    """Return the answer to a search for records: count, lowest, highest of each partition."""
    buckets = [
        {
            "key": partition,
            "doc_count": count,
            "lowest": {"value": float(lowest)},
            "highest": {"value": float(highest)},
        }
        for partition, (count, lowest, highest) in numbers.items()
    ]
    return Reply(200, {"_shards": SHARDS, "aggregations": {"partitions": {"buckets": buckets}}})


def snapshot(name: str, state: str = "SUCCESS", **changes: Any) -> Reply:
    """Return the answer about one snapshot of indices `one` and `two`."""
    found = {
        "snapshot": name,
        "uuid": f"uuid-of-{name}",
        "indices": ["one", "two"],
        "metadata": {"incident": "region1-lost"},
        "state": state,
        "failures": [],
        "shards": {"total": 2, "failed": 0, "successful": 2},
    }
    return Reply(200, {"snapshots": [found | changes]})


@dataclass
class FakeEngine:
    """One installation's search engine in the fake cluster."""

    kubernetes: FakeKubernetes
    cluster: Cluster
    namespace: str

    @property
    def search(self) -> SearchEngine:
        """The real client of it."""
        return SearchEngine(self.cluster, self.namespace, "camunda")

    @property
    def target(self) -> str:
        return f"{self.namespace}/services/camunda-elasticsearch-master-hl:9200"

    def says(self, method: str, path: str, *replies: Reply) -> None:
        """Set what it answers, one after the other, the last one for good."""
        self.kubernetes.behind(self.target, path, *replies, method=method)

    def holds_documents(self, *numbers: dict[str, int]) -> None:
        """Let it hold so many documents in each index; several for several questions."""
        self.says(
            "GET",
            "/_cluster/health",
            *(health(dict.fromkeys([*each, ".own"], "done")) for each in numbers),
        )
        self.says("POST", "/*,-.*/_refresh", Reply(200, {"_shards": SHARDS}))
        self.says("GET", "/*,-.*/_stats/docs", *map(marks, numbers))

    def holds_records(self, *answers: Reply) -> None:
        """Let it answer these to searches for records, each of which follows on a write."""
        written = (marks({"zeebe-record": 1}, later) for later, _ in enumerate(answers))
        self.says("GET", "/zeebe-record*/_stats/docs", *written)
        self.says("POST", "/zeebe-record*/_refresh", Reply(200, {"_shards": SHARDS}))
        self.says("POST", "/zeebe-record*/_search", *answers)

    def holds_templates(self, *names: str) -> None:
        """Let it hold these index templates."""
        listed = [{"name": name, "index_template": {}} for name in names]
        self.says("GET", "/_index_template", Reply(200, {"index_templates": listed}))
        self.says("GET", "/_component_template", Reply(200, {"component_templates": []}))
        self.says("GET", "/_template", Reply(200, {}))

    def asked(self, method: str = "") -> list[str]:
        """Return what it was asked, in order, as `METHOD path`."""
        place = f"/api/v1/namespaces/{self.target}/proxy"
        return [
            each.replace(place, "")
            for each in self.kubernetes.asked
            if place in each and each.startswith(method)
        ]

    def got(self, request: str) -> Any:
        """Return the last body that came with a request, e.g. `POST /_snapshot/r`."""
        method, path = request.split(" ")
        return self.kubernetes.bodies[f"{method} /api/v1/namespaces/{self.target}/proxy{path}"]


Snapshots = dict[str, tuple[Document, "Held"]]
"""A place that several engines reach: each snapshot as it is described, and what it holds."""


@dataclass
class Held:
    """What an engine holds.

    :ivar documents: how many documents each index holds.
    :ivar rewritten: how often a document of each index was replaced.
    :ivar positions: the positions of each partition's records.
    :ivar lifecycles: how long each lifecycle policy keeps what it is of.
    :ivar persistent: the engine's persistent settings.
    """

    documents: dict[str, int] = field(default_factory=dict)
    positions: dict[int, set[int]] = field(default_factory=dict)
    templates: set[str] = field(default_factory=set)
    rewritten: dict[str, int] = field(default_factory=dict)
    lifecycles: dict[str, str] = field(default_factory=dict)
    persistent: Document = field(default_factory=dict, compare=False)

    def marks(self, prefix: str) -> Reply:
        """Return what `_stats/docs` says of the indices whose names begin so."""
        indices: Document = {}
        for name, count in self.documents.items():
            later = self.rewritten.get(name, 0)
            if name.startswith("zeebe-record"):
                later += sum(map(len, self.positions.values()))
            if name.startswith(prefix):
                indices |= marks({name: count}, later).body["indices"]
        return Reply(200, {"_shards": {"failed": 0}, "indices": indices})


@dataclass
class LivingEngine(FakeEngine):
    """A search engine that remembers, in the place of a table of answers.

    It knows the indices that a Camunda of one shard each has, what was registered, and the snapshots that
    all engines of one repository see. What goes wrong is said beforehand.

    :ivar arriving: records (partition and position) that come late, one with each look at the records.
    :ivar snapshots_are: how its snapshots turn out, other than well.
    :ivar gives_up: whether it gives up the first shard of a restore.
    :ivar blocks: what `_cluster/state/blocks` shows.
    :ivar streams: its data streams.
    :ivar distribution: what it says of itself besides its version; of Elasticsearch nothing.
    :ivar version: what it says of itself.
    :ivar available: bytes that its disks have left.
    :ivar drops: how many documents a restore loses on the way.
    :ivar forgets_templates: whether a restore leaves the templates out.
    """

    place: Snapshots = field(default_factory=dict)
    held: Held = field(default_factory=Held)
    status: str = "green"
    repositories: dict[str, Document] = field(default_factory=dict)
    arriving: list[tuple[int, int]] = field(default_factory=list)
    snapshots_are: dict[str, Any] = field(default_factory=dict)
    gives_up: bool = False
    blocks: Document = field(default_factory=dict)
    streams: tuple[str, ...] = ()
    distribution: Document = field(default_factory=dict)
    version: str = "8.18.0"
    shards_per_node: int = 1000
    available: int = 10**12
    drops: int = 0
    forgets_templates: bool = False

    def __post_init__(self) -> None:
        self.kubernetes.lives(self.target, self.answer)

    def answer(self, method: str, path: str, body: Any) -> Reply | None:
        """Answer one request."""
        match method, path.strip("/").split("/"):
            case _, ["_cluster", *asked]:
                return self._of_cluster(asked, body)
            case "GET", ["_recovery"]:
                return Reply(200, {})
            case _, ["_snapshot", repository, *rest]:
                return self._repository(method, repository, rest, body)
            case "POST", [indices, "_refresh"]:
                self._let_arrive(indices)
                return Reply(200, {"_shards": SHARDS})
            case "POST", [indices, "_search"]:
                return self._records(indices.rstrip("*"), body["query"])
            case "DELETE", [names]:
                for name in names.split(","):
                    self.held.documents.pop(name, None)
                return ACKNOWLEDGED
            case "GET", ["_index_template" | "_component_template" | "_template" as kind]:
                return Reply(200, self._templates(kind))
            case "GET", asked:
                return self._shown(asked)
        return None

    def _shown(self, asked: list[str]) -> Reply | None:
        match asked:
            case [indices, "_stats", "docs"]:
                self._let_arrive(indices)
                return self.held.marks(indices.split("*")[0])
            case [_, "_stats", "store"]:
                size = {"store": {"size_in_bytes": 10**6 * len(self.held.documents)}}
                return Reply(200, {"_shards": SHARDS, "_all": {"primaries": size}})
            case [""]:
                return Reply(200, {"version": {"number": self.version} | self.distribution})
            case ["_ilm", "policy"] if self.distribution:
                return Reply(400, {"error": "no handler found for uri [/_ilm/policy]"})
            case ["_ilm", "policy"]:
                return Reply(200, self._lifecycles())
            case ["_data_stream"]:
                return Reply(200, {"data_streams": [{"name": each} for each in self.streams]})
            case ["_nodes", "stats", "fs"]:
                return Reply(200, self._nodes())
        return None

    def _lifecycles(self) -> Document:
        given = {
            name: {"policy": {"phases": {"delete": {"min_age": age}}}}
            for name, age in self.held.lifecycles.items()
        }
        return given | {"logs": {"policy": {"phases": {}, "_meta": {"managed": True}}}}

    def _of_cluster(self, asked: list[str], body: Any) -> Reply | None:
        match asked:
            case ["health"]:
                return self._health()
            case ["state", "blocks"]:
                uuid = f"uuid-of-{self.namespace}"
                return Reply(200, {"cluster_uuid": uuid, "blocks": self.blocks})
            case ["settings"]:
                return self._settings(body)
            case ["allocation", "explain"]:
                return Reply(200, self._explain(body))
        return None

    def _settings(self, body: Any) -> Reply:
        for name, value in (body or {}).get("persistent", {}).items():
            self.held.persistent.pop(name, None)
            if value is not None:
                self.held.persistent[name] = value
        defaults = {"cluster": {"max_shards_per_node": str(self.shards_per_node)}}
        return Reply(200, {"persistent": self.held.persistent, "defaults": defaults})

    def _nodes(self) -> Document:
        disk = {"total": {"available_in_bytes": self.available}}
        return {
            "nodes": {
                "one": {"roles": ["data", "ingest"], "fs": disk},
                "two": {"roles": ["cluster_manager"], "fs": disk},
            }
        }

    def _health(self) -> Reply:
        states = dict.fromkeys([*self.held.documents, ".own"], "done")
        if self.gives_up and self.held.documents:
            states[min(self.held.documents)] = "failed"
        return health(states, self.status)

    def _explain(self, body: Document) -> Document:
        decider = {"decider": "restore_in_progress", "decision": "NO"}
        details = "failed recovery, nested: NoSuchFileException[/backup/one]; "
        return body | {
            "current_state": "unassigned",
            "unassigned_info": {"details": details},
            "node_allocation_decisions": [{"deciders": [decider]}],
        }

    def _templates(self, kind: str) -> Document:
        names = sorted(self.held.templates)
        listed = [{"name": name, "index_template": {}} for name in names]
        known: dict[str, Document] = {
            "_index_template": {"index_templates": listed},
            "_component_template": {"component_templates": []},
        }
        return known.get(kind, {})

    def _let_arrive(self, indices: str) -> None:
        if self.arriving and not indices.startswith("*"):
            partition, position = self.arriving.pop(0)
            self.held.positions[partition].add(position)

    def _records(self, prefix: str, query: Document) -> Reply:
        # A wildcard that no index answers to is no error, and finds nothing.
        there = any(name.startswith(prefix) for name in self.held.documents)
        ranges = dict.fromkeys(self.held.positions, (0, MAXIMUM))
        if "bool" in query:
            ranges = dict(map(_range, query["bool"]["should"]))
        found = {
            partition: sorted(each for each in held if _within(each, ranges.get(partition)))
            for partition, held in self.held.positions.items()
        }
        return records(
            {key: (len(each), each[0], each[-1]) for key, each in found.items() if each and there}
        )

    def _repository(self, method: str, name: str, rest: list[str], body: Any) -> Reply | None:
        match method, rest:
            case "POST", []:
                self.repositories[name] = body
                return ACKNOWLEDGED
            case "POST", ["_verify"]:
                return Reply(200, {"nodes": {}})
        if name not in self.repositories:
            return NO_REPOSITORY
        match method, rest:
            case "GET", []:
                return Reply(200, {name: self.repositories[name]})
            case "DELETE", []:
                del self.repositories[name]
                return ACKNOWLEDGED
            case "POST", [taken]:
                self._take(taken, body["metadata"])
                return STARTED
            case "GET", [taken]:
                return self._taken(taken)
            case "POST", [taken, "_restore"]:
                return self._restore(taken)
        return None

    def _take(self, name: str, metadata: Document) -> None:
        indices = sorted(self.held.documents)
        shards = {"total": len(indices), "failed": 0, "successful": len(indices)}
        found = {"indices": indices, "metadata": metadata, "shards": shards} | self.snapshots_are
        self.place[name] = (found, deepcopy(self.held))

    def _taken(self, name: str) -> Reply:
        return snapshot(name, **self.place[name][0]) if name in self.place else NO_SNAPSHOT

    def _restore(self, name: str) -> Reply:
        _, copy = self.place[name]
        there = copy.documents.keys() & self.held.documents.keys()
        if there:
            reason = (
                f"cannot restore index [{min(there)}] because an open index with same name exists"
            )
            return refusal(500, "snapshot_restore_exception", reason)
        kept = self.held.templates if self.forgets_templates else copy.templates
        self.held = replace(deepcopy(copy), templates=set(kept))
        self.held.documents[min(copy.documents)] -= self.drops
        return STARTED


def _range(clause: Document) -> tuple[int, tuple[int, int]]:
    of, within = clause["bool"]["filter"]
    position = within["range"]["position"]
    return of["range"]["partitionId"]["gte"], (position["gte"], position["lte"])


def _within(position: int, within: tuple[int, int] | None) -> bool:
    return within is not None and within[0] <= position <= within[1]


@dataclass
class SecuredEngine(LivingEngine):
    """A search engine that is installed beside the release, with ECK's names, and asks for a password.

    :ivar password: that of its user; None while it is not installed.
    """

    password: str | None = None
    address = SearchEngineSettings().address

    def __post_init__(self) -> None:
        """It is there once it is installed."""

    @property
    def search(self) -> SearchEngine:
        """The real client of it."""
        return SearchEngine(self.cluster, self.namespace, "camunda", given=self.address)

    @property
    def target(self) -> str:
        return f"{self.namespace}/pods/elasticsearch-es-masters-0:9200"

    def install(self, password: str) -> None:
        """Let it be there, with the Secret of its password."""
        login = self.address.login
        assert login is not None
        self.password = password
        key, _, name = self.address.selector.partition("=")
        labels, core = {key: name}, f"/api/v1/namespaces/{self.namespace}"
        put = self.kubernetes.put
        put(
            f"{core}/secrets",
            {"metadata": {"name": login.secret}, "data": {login.key: encoded(password)}},
        )
        put(
            f"{core}/pods",
            {
                "metadata": {"name": "elasticsearch-es-masters-0", "labels": labels},
                "spec": {"containers": [{"name": "elasticsearch"}]},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            },
        )
        put(
            f"{core}/persistentvolumeclaims",
            {
                "metadata": {
                    "name": "elasticsearch-data-elasticsearch-es-masters-0",
                    "labels": labels,
                }
            },
        )
        put(
            f"/apis/apps/v1/namespaces/{self.namespace}/statefulsets",
            {
                "metadata": {"name": "elasticsearch-es-masters", "generation": 1, "labels": labels},
                "spec": {
                    "replicas": 1,
                    "serviceName": "elasticsearch-es-masters",
                    "selector": {"matchLabels": labels},
                    "template": {"metadata": {"labels": labels}, "spec": {"containers": []}},
                },
                "status": {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1},
            },
        )
        self.kubernetes.lives(self.target, self.answer)

    def answer(self, method: str, path: str, body: Any) -> Reply | None:
        """Answer one request of a caller who is logged in."""
        wanted = f"Basic {encoded(f'elastic:{self.password}')}"
        if self.kubernetes.headers[-1].get(LOGIN) != wanted:
            return refusal(401, "security_exception", "unable to authenticate user [elastic]")
        return super().answer(method, path, body)

    def copies(self) -> dict[str, str]:
        """Return what the Secrets hold, in its namespace, that brokers read passwords from: in base64, by their names."""
        login = self.address.login
        assert login is not None
        held = self.kubernetes.objects.get(f"/api/v1/namespaces/{self.namespace}/secrets", {})
        return {
            name: each["data"][login.key]
            for name, each in held.items()
            if name.startswith(login.copies)
        }


def encoded(text: str) -> str:
    """Return a text as a Secret holds it."""
    return b64encode(text.encode()).decode()
