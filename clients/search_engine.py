"""Asking a region's search engine: records, snapshots, restores.

Only calls that Elasticsearch 8 and OpenSearch 2 both know, with the same meaning. Whatever it refuses
becomes a `CallFailed` with the engine's own reason.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from clients import engine_calls
from clients.cluster.kubernetes import READ_SECONDS, Answer, CallFailed, Cluster, Target, understood
from dualregion import plain_json
from dualregion.names import EngineAddress, engine_of_chart
from dualregion.observed.search_engine import fitness, restores, snapshots
from dualregion.observed.search_engine.documents import is_opensearch, lifecycles_of, templates_of
from dualregion.observed.search_engine.fitness import Room
from dualregion.observed.search_engine.health import EngineHealth, health_of
from dualregion.observed.search_engine.indices import USER_INDICES, user_indices
from dualregion.observed.search_engine.marks import Mark, documents_of, marks_of, of_users, unseen
from dualregion.observed.search_engine.records import (
    RECORD_PREFIX,
    PartitionRecords,
    Records,
    records_of,
    records_query,
)
from dualregion.observed.search_engine.repositories import Repository, same_definition
from dualregion.observed.search_engine.snapshots import Snapshot
from dualregion.observed.words import error_reason
from messages import Message
from messages.clients import search_engine as messages

T = TypeVar("T")

_EXACT = "allow_partial_search_results=false"
"""A search that some shard does not answer must fail: by default it counts what the others hold."""
_HIDDEN_TOO = "expand_wildcards=open,hidden"
"""By default a wildcard leaves out what is hidden; that is the user's all the same."""
_MARK_FIELDS = ",".join(
    (
        "_shards.failed",
        *(
            f"indices.*.shards.*.{each}"
            for each in ("routing.primary", "docs.count", "seq_no.max_seq_no")
        ),
    )
)
_PATH_LENGTH = 3000
"""How many characters of names one path may hold; engines refuse a first line beyond 4096."""
_SHOWN = 120
"""How many characters of a path an error shows: there may be hundreds of names in it."""
_OF_FULL_DISKS = "index.blocks.read_only_allow_delete"
"""What an engine sets where its disk is full. A copy that is made just then has it, too, and takes no records."""
_NO_REPOSITORY, _NO_SNAPSHOT = "repository_missing_exception", "snapshot_missing_exception"
_SHARD_LIMIT = "*.cluster.max_shards_per_node"
_DISKS = "nodes.*.roles,nodes.*.fs.total.available_in_bytes"
_SIZE = "_all.primaries.store.size_in_bytes"
_RECOVERY_FIELDS = "*.shards.type,*.shards.source,*.shards.index.size"


@dataclass(frozen=True)
class SearchEngine:
    """The search engine of one installation, reached through the API server.

    :ivar record_prefix: what the names of the exporter's indices begin with.
    :ivar seconds: how long an answer may take that is more work the more the engine holds.
    :ivar given: where it is, if it is not where the release's chart would have put it.
    """

    cluster: Cluster
    namespace: str
    release: str
    record_prefix: str = RECORD_PREFIX
    seconds: float = READ_SECONDS
    given: EngineAddress | None = None

    @property
    def address(self) -> EngineAddress:
        """Where it is."""
        return self.given or engine_of_chart(self.release)

    @property
    def target(self) -> Target:
        """The engine's service."""
        return Target(self.namespace, "services", self.address.service, self.address.port)

    def __str__(self) -> str:
        return f"the search engine of {self.namespace}"

    def health(self) -> EngineHealth:
        """Return the engine's health, shard by shard."""
        return self._read(health_of, self._ask("GET", "/_cluster/health?level=shards"))

    def indices(self) -> tuple[str, ...]:
        """Return the names of all user indices, closed ones too."""
        return user_indices(self.health().indices)

    def marks(self) -> dict[tuple[str, int], Mark]:
        """Return what the shards of all user indices hold, everything that was written included.

        :raises CallFailed: if some shard does not answer.
        """
        self._refresh(USER_INDICES)
        found = of_users(self._marks(USER_INDICES))
        silent = unseen(self.health(), found)
        if silent:
            raise CallFailed(messages.engine_incomplete(self.namespace, silent))
        return found

    def write_marks(self) -> dict[tuple[str, int], Mark]:
        """Return what the shards of all user indices hold: how far writing has come, visible already or not.

        Unlike `marks` it makes nothing visible, so it may be asked again and again; a shard that does not answer is left out.
        """
        return of_users(self._marks(USER_INDICES))

    def document_counts(self) -> dict[str, int]:
        """Return how many documents each user index holds, nested ones counted; raises as `marks`."""
        return documents_of(self.marks())

    def record_marks(self) -> dict[tuple[str, int], Mark]:
        """Return what the shards of the exporter's indices hold: how far writing has come, visible already or not."""
        return self._marks(f"{self.record_prefix}*")

    def _marks(self, indices: str) -> dict[tuple[str, int], Mark]:
        path = f"/{indices}/_stats/docs?level=shards&{_HIDDEN_TOO}&filter_path={_MARK_FIELDS}"
        return self._read(marks_of, self._whole(indices, self._ask("GET", path)))

    def records(self, within: Records | None = None) -> dict[int, PartitionRecords]:
        """Return what the engine holds of each partition's records.

        :param within: count only inside these ranges of positions.
        :raises CallFailed: if some shard cannot be asked.
        """
        if within is not None and not within:
            return {}
        answer = self._search(f"{self.record_prefix}*", records_query(within))
        return self._read(records_of, answer)

    def blocked(self) -> list[Message]:
        """Return what keeps the engine from being counted, copied, deleted and restored; see `fitness.blocked`."""
        return self._read(fitness.blocked, self._ask("GET", "/_cluster/state/blocks"))

    def room(self) -> Room:
        """Return how much the engine takes."""
        return self._read(
            fitness.room_of,
            self._ask(
                "GET", f"/_cluster/settings?include_defaults=true&filter_path={_SHARD_LIMIT}"
            ),
            self._ask("GET", f"/_nodes/stats/fs?filter_path={_DISKS}"),
        )

    def bytes_held(self) -> int:
        """Return how large the primary copies of all user indices are."""
        path = f"/{USER_INDICES}/_stats/store?{_HIDDEN_TOO}&filter_path=_shards.failed,{_SIZE}"
        answer = self._whole(USER_INDICES, self._ask("GET", path))
        return understood(self, lambda: _at(answer, _SIZE) if "_all" in answer else 0)

    def data_streams(self) -> tuple[str, ...]:
        """Return the names of the user's data streams, whose indices are hidden behind names of the engine's own."""
        return self._read(fitness.data_streams_of, self._ask("GET", "/_data_stream"))

    def version(self) -> str:
        """Return its version, such as `8.19.2`."""
        answer = self._ask("GET", "/")
        return understood(self, lambda: str(answer["version"]["number"]))

    def uuid(self) -> str:
        """Return the engine's identity: a recreated engine has another."""
        answer = self._ask("GET", "/_cluster/state/blocks?filter_path=cluster_uuid")
        return understood(self, lambda: str(answer["cluster_uuid"]))

    def persistent_settings(self) -> dict[str, Any]:
        """Return the engine's settings that outlast its restarts, by their whole names."""
        answer = self._ask("GET", "/_cluster/settings?flat_settings=true")
        return understood(self, lambda: dict(answer["persistent"]))

    def set_persistent_settings(self, settings: Mapping[str, Any]) -> None:
        """Set such settings; a null takes one away."""
        self._ask("PUT", "/_cluster/settings", {"persistent": dict(settings)})

    def templates(self) -> tuple[str, ...]:
        """Return the names of all templates that the engine did not bring itself."""
        return self._read(
            templates_of,
            self._ask("GET", "/_index_template"),
            self._ask("GET", "/_component_template"),
            self._ask("GET", "/_template"),
        )

    def lifecycles(self) -> dict[str, str]:
        """Return what each lifecycle policy says that the engine did not bring itself, by its name.

        OpenSearch has none of that kind.
        """
        if self._read(is_opensearch, self._ask("GET", "/")):
            return {}
        return self._read(lifecycles_of, self._ask("GET", "/_ilm/policy"))

    def register_repository(self, repository: Repository, *, readonly: bool) -> None:
        """Register a repository, or verify one that is registered alike.

        It is not registered again then, as engines refuse that while it is in use. But it must be verified:
        one that failed its verification stays registered all the same.
        """
        wanted = repository.definition(readonly=readonly)
        path = f"/_snapshot/{_quoted(repository.name)}"
        found = (self._ask_or_none("GET", path, _NO_REPOSITORY) or {}).get(repository.name)
        if not same_definition(wanted, found):
            self._ask("POST", path, wanted)
            return
        try:
            self._ask("POST", f"{path}/_verify")
        except CallFailed as error:
            # Not verified in time: a snapshot that is being taken keeps it busy, so it works. Nothing else may.
            if error.status is not None or not self._is_taking(repository.name):
                raise

    def _is_taking(self, repository: str) -> bool:
        """Return whether a snapshot of this program is being taken into a repository."""
        answer = self._ask("GET", f"/_snapshot/{_quoted(repository)}/_status")
        return self._read(snapshots.is_taking, answer)

    def forget_repository(self, name: str) -> None:
        """Take a repository's registration away; one that is not registered is no error."""
        self._ask_or_none("DELETE", f"/_snapshot/{_quoted(name)}", _NO_REPOSITORY)

    def start_snapshot(self, repository: str, name: str, incident: str) -> None:
        """Start a snapshot of all user indices and the templates, without waiting for its end."""
        body = {
            "indices": USER_INDICES,
            "include_global_state": True,
            # Elasticsearch would take closed indices along, OpenSearch leave hidden ones out.
            "expand_wildcards": "open,hidden",
            "ignore_unavailable": False,
            "partial": False,
            # Elasticsearch's own indices (its users, its geography) stay each region's own. OpenSearch
            # has no such thing, and overlooks the word.
            "feature_states": ["none"],
            "metadata": {"incident": incident, "takenBy": "camunda-dual-region"},
        }
        self._ask("POST", f"{_snapshot(repository, name)}?wait_for_completion=false", body)

    def snapshot(self, repository: str, name: str) -> Snapshot | None:
        """Return a snapshot, running or finished, or None if the repository does not hold it."""
        answer = self._ask_or_none("GET", _snapshot(repository, name), _NO_SNAPSHOT)
        return None if answer is None else self._read(snapshots.snapshot_of, answer)

    def snapshot_progress(self, repository: str, name: str) -> Message:
        """Return how far a running snapshot is."""
        status = self._ask("GET", f"{_snapshot(repository, name)}/_status")
        return self._read(snapshots.snapshot_progress, status)

    def delete_indices(self, names: Iterable[str]) -> None:
        """Delete indices by their names; those that are gone already are no error."""
        for some in _in_paths(sorted(names)):
            self._ask("DELETE", f"/{some}?ignore_unavailable=true", seconds=self.seconds)

    def restore(self, repository: str, name: str) -> None:
        """Start the restore of all user indices and the templates, without waiting for its end."""
        body = {
            "indices": USER_INDICES,
            "include_global_state": True,
            "include_aliases": True,
            "ignore_unavailable": False,
            "partial": False,
            "ignore_index_settings": [_OF_FULL_DISKS],
        }
        path = f"{_snapshot(repository, name)}/_restore?wait_for_completion=false"
        self._ask("POST", path, body, seconds=self.seconds)

    def recoveries(self) -> dict[str, Any]:
        """Return the answer of `_recovery`: where each copy of each shard came from, and how far it is."""
        return self._ask("GET", f"/_recovery?filter_path={_RECOVERY_FIELDS}")

    def given_up(self, index: str, shard: int) -> Message | None:
        """Return why the engine has given up a shard's primary copy, or None if it has not."""
        body = {"index": index, "shard": shard, "primary": True}
        found = self._ask("POST", "/_cluster/allocation/explain", body)
        return self._read(restores.given_up, found)

    def _read(self, reader: Callable[..., T], *documents: Mapping[str, Any]) -> T:
        return understood(self, lambda: reader(*documents))

    def _search(self, indices: str, query: dict[str, Any]) -> dict[str, Any]:
        """Search in everything that was written so far, exactly or not at all."""
        self._refresh(indices)
        path = f"/{indices}/_search?{_EXACT}&{_HIDDEN_TOO}"
        # The engine, too, gives up what is not waited for any more.
        limited = {**query, "timeout": f"{int(self.seconds * 1000)}ms"}
        return self._whole(indices, self._ask("POST", path, limited, seconds=self.seconds))

    def _refresh(self, indices: str) -> None:
        """Make visible what was written: otherwise it becomes so when the engine likes."""
        path = f"/{indices}/_refresh?{_HIDDEN_TOO}"
        self._whole(indices, self._ask("POST", path, seconds=self.seconds))

    def _whole(self, indices: str, answer: dict[str, Any]) -> dict[str, Any]:
        failed = understood(self, lambda: int(answer["_shards"]["failed"]))
        if failed or answer.get("timed_out"):
            raise CallFailed(messages.shards_silent(self.namespace, failed, indices))
        return answer

    def _ask(
        self, method: str, path: str, body: Any = None, *, seconds: float = READ_SECONDS
    ) -> dict[str, Any]:
        return self._document(method, path, self._answer(method, path, body, seconds))

    def _ask_or_none(self, method: str, path: str, unless: str) -> dict[str, Any] | None:
        """Ask, and return None if the answer is an error of this type."""
        answer = self._answer(method, path)
        if answer.status == 404 and f'"{unless}"' in answer.body:
            return None
        return self._document(method, path, answer)

    def _document(self, method: str, path: str, answer: Answer) -> dict[str, Any]:
        if 200 <= answer.status < 300:
            return answer.json()
        reason = error_reason(_message(answer.body))
        raise CallFailed(_refused(self, method, path, answer.status, reason), answer.status)

    def _answer(
        self, method: str, path: str, body: Any = None, seconds: float = READ_SECONDS
    ) -> Answer:
        try:
            if self.address.login is None:
                return self.cluster.ask(method, self.target, path, body, seconds)
            request = (method, path, body)
            return engine_calls.ask(self.cluster, self.namespace, self.address, request, seconds)
        except CallFailed as error:
            reason = error_reason(error.details)
            if error.status is None or reason == error.details:
                raise
            raise CallFailed(
                _refused(self, method, path, error.status, reason), error.status
            ) from None


def _at(answer: Mapping[str, Any], path: str) -> int:
    """Return the number at a path of keys."""
    found: Any = answer
    for key in path.split("."):
        found = found[key]
    return int(found)


def _refused(asked: SearchEngine, method: str, path: str, status: int, reason: str) -> Message:
    plain = path.partition("?")[0]
    shown = plain if len(plain) <= _SHOWN else f"{plain[:_SHOWN]}..."
    return messages.engine_refused(asked.namespace, f"{method} {shown}", status, reason[:600])


def _message(body: str) -> str:
    """Return the message of a Kubernetes error document, else the body as it is."""
    try:
        document = plain_json.read(body)
    except ValueError:
        return body
    if isinstance(document, dict) and document.get("kind") == "Status":
        return str(document.get("message") or body)
    return body


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _snapshot(repository: str, name: str) -> str:
    return f"/_snapshot/{_quoted(repository)}/{_quoted(name)}"


def _in_paths(names: Sequence[str]) -> Iterator[str]:
    """Yield the names joined by commas, so many at a time as a path can hold."""
    some: list[str] = []
    for name in map(_quoted, names):
        if some and sum(map(len, some)) + len(some) + len(name) > _PATH_LENGTH:
            yield ",".join(some)
            some = []
        some.append(name)
    if some:
        yield ",".join(some)
