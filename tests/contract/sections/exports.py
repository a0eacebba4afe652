"""What exporters write into search engines, and the positions that they say."""

import re
import time
from datetime import UTC, datetime

from tests.contract.asking import (
    KEY_BITS,
    create,
    create_on_each,
    deployed,
    idle,
    ids_of,
    led,
    partition_ids,
    probe_all,
    replicas,
    topology,
    whole,
)
from tests.contract.expectations import (
    BULK,
    DIRECTOR,
    DISTRIBUTION,
    ELASTIC_EXPORTER,
    EXPORTER,
    EXPORTERS,
    INDEX_ROUTER,
    PARTITIONS,
    SEEN,
    TEMPLATES,
    expected,
)
from tests.contract.sink import Sink
from tests.contract.target import Document, Engine, Need, Target, eventually

_READERS = (
    "clients/search_engine.py",
    "drill/observation/records.py",
    "drill/observation/cluster.py",
)
_DOCUMENTS = 11
_POSITIONS = 20
"""No instance's records begin later than so many positions after what came before."""
_REPLICATED = 3.0
"""Seconds after which every replica has what its leader has: a position that lags then does so on purpose."""
_FIELDS = {
    "partitionId",
    "position",
    "sourceRecordPosition",
    "sequence",
    "key",
    "timestamp",
    "recordType",
    "intent",
    "valueType",
    "value",
    "brokerVersion",
    "recordVersion",
    "rejectionType",
    "rejectionReason",
    "authorizations",
}
_TYPES = {"process-instance-creation": 1, "process-instance": 9, "job": 1}
_INDEX = re.compile(r"(?P<prefix>.+)_(?P<type>[a-z-]+)_(?P<version>[^_]+)_(?P<day>\d{4}-\d\d-\d\d)")


@expected(Need.ENGINE, relied_on=_READERS, sources=(BULK, INDEX_ROUTER))
def an_instance_leaves_eleven_records_named_by_partition_and_position(target: Target) -> None:
    """An instance of the drill's process is eleven records, whose ids are `<partition>-<position>`."""
    key, documents = _exported(target)
    for document in documents:
        source = document.source
        assert document.id == f"{source['partitionId']}-{source['position']}", document
        assert source["partitionId"] == key >> KEY_BITS, document
    assert len(ids_of(documents)) == _DOCUMENTS, documents
    types = [_index(document)["type"] for document in documents]
    assert {each: types.count(each) for each in types} == _TYPES, types


@expected(Need.ENGINE, relied_on=_READERS, sources=(EXPORTER, INDEX_ROUTER))
def indices_are_named_by_prefix_type_version_and_day(target: Target) -> None:
    """A record lies in `<prefix>_<type>_<version>_<yyyy-MM-dd>`, by the day of its timestamp in UTC."""
    version = topology(target)["gatewayVersion"]
    for document in _exported(target)[1]:
        index = _index(document)
        day = datetime.fromtimestamp(document.source["timestamp"] / 1000, UTC).date()
        assert index["prefix"] == "zeebe-record", document
        assert index["day"] == day.isoformat(), document
        assert index["version"] == document.source["brokerVersion"], document
        assert version.startswith(index["version"].partition("-")[0]), document


@expected(Need.ENGINE, relied_on=_READERS, sources=(INDEX_ROUTER, ELASTIC_EXPORTER))
def records_are_routed_by_partition(target: Target) -> None:
    """A record's routing is its partition."""
    for document in _exported(target)[1]:
        assert document.routing == str(document.source["partitionId"]), document


@expected(Need.ENGINE, relied_on=_READERS, sources=(EXPORTER, EXPORTERS))
def records_have_the_fields_that_searches_use(target: Target) -> None:
    """A record is an event with all fields of the protocol; its sequence names its partition in the upper bits."""
    for document in _exported(target)[1]:
        source = document.source
        assert set(source) >= _FIELDS, document
        assert source["recordType"] == "EVENT", document
        assert source["sequence"] >> KEY_BITS == source["partitionId"], document
        for name in ("partitionId", "position", "key", "timestamp"):
            assert isinstance(source[name], int), document


@expected(
    Need.ENGINE,
    relied_on=("drill/observation/cluster.py", "drill/checks/audit.py"),
    sources=(EXPORTERS, SEEN),
)
def an_instance_is_proved_by_its_activated_process(target: Target) -> None:
    """One record of an instance has its key, intent `ELEMENT_ACTIVATED` and element type `PROCESS`."""
    key, documents = _exported(target)
    proofs = [
        each
        for each in documents
        if each.source["key"] == key
        and each.source["intent"] == "ELEMENT_ACTIVATED"
        and each.source["value"]["bpmnElementType"] == "PROCESS"
    ]
    assert len(proofs) == 1, proofs


@expected(
    Need.ENGINE,
    relied_on=("clients/search_engine.py", "drill/observation/measure.py"),
    sources=(TEMPLATES, EXPORTER),
)
def templates_name_their_indices_and_aliases(target: Target) -> None:
    """There is a component template, and for each type an index template composed of it with pattern and alias."""
    documents = _exported(target)[1]
    for engine in target.engines:
        components, templates = engine.templates()
        assert "zeebe-record" in components, components
        for document in documents:
            index = _index(document)
            name = f"zeebe-record_{index['type']}_{index['version']}"
            template = templates[name]
            assert template["composed_of"] == ["zeebe-record"], template
            assert template["index_patterns"] == [f"{name}_*"], template
            aliases = template["template"]["aliases"]
            assert f"zeebe-record-{index['type']}" in aliases, template


@expected(Need.SINK, relied_on=("clients/search_engine.py",), sources=(ELASTIC_EXPORTER,))
def templates_are_there_before_the_first_record(target: Target) -> None:
    """Templates are put before the first record is written: mappings come too late afterwards."""
    _exported(target)
    for sink in _sinks(target):
        kinds = [each.path.strip("/").partition("/")[0] for each in sink.requests()]
        kinds = [kind.partition("?")[0] for kind in kinds]
        first = kinds.index("_bulk")
        assert "_component_template" in kinds[:first], kinds[: first + 1]
        assert "_index_template" in kinds[:first], kinds[: first + 1]


@expected(Need.SINK, relied_on=_READERS, sources=(BULK,))
def records_are_written_in_bulks(target: Target) -> None:
    """Records come by `POST /_bulk` as lines of action and document, the action being `index`."""
    _exported(target)
    for sink in _sinks(target):
        for bulk in sink.bulks():
            assert bulk.method == "POST", bulk.path
            assert bulk.content_type.startswith("application/x-ndjson"), bulk.content_type
            for action in bulk.actions:
                assert set(action) == {"index"}, action
                assert {"_index", "_id", "routing"} <= set(action["index"]), action


@expected(Need.TWO_ENGINES, relied_on=("drill/observation/records.py",), sources=(EXPORTERS, SEEN))
def both_engines_get_the_same_records(target: Target) -> None:
    """Both exporters write the same records under the same ids."""
    key, documents = _exported(target)
    first, second = (engine.documents(key) for engine in target.engines[:2])
    assert ids_of(first) == ids_of(second) == ids_of(documents)


@expected(
    Need.BREAK,
    Need.TWO_ENGINES,
    relied_on=("clients/zeebe.py", "cli"),
    sources=(EXPORTERS, DIRECTOR),
    quirk="independent-exporters",
)
def an_engine_that_is_gone_does_not_stop_the_other_exporter(target: Target) -> None:
    """While one engine is gone the other one gets all, the position stays, and the first gets all afterwards."""
    process = deployed(target)
    first, second = target.engines[:2]
    eventually(lambda: idle(target), target.timing.exported)
    before = {partition: each.exported for partition, each in led(target).items()}
    second.stop()
    keys = create_on_each(target, process)
    eventually(lambda: _lacking(first, keys), target.timing.exported)
    # A second round once writes have failed: what was taken in before says nothing of an exporter that waits.
    time.sleep(target.timing.bulk_delay + 1)
    keys = create_on_each(target, process)
    eventually(lambda: _lacking(first, keys), target.timing.exported)
    for partition, replica in led(target).items():
        assert replica.exported < replica.processed, replica
        # What lies in front of the first record that is not exported may count as exported.
        assert replica.exported <= before[partition] + _POSITIONS, (before, replica)
    second.start()
    eventually(lambda: _lacking(second, keys), target.timing.exported)
    for key in keys.values():
        assert ids_of(first.documents(key)) == ids_of(second.documents(key))


@expected(Need.SINK, relied_on=("drill/observation/records.py",), sources=(ELASTIC_EXPORTER, SEEN))
def a_bulk_that_failed_is_written_again_under_the_same_ids(target: Target) -> None:
    """A bulk that an engine refused is sent again with the same records, so nothing is lost or doubled."""
    process, sink = deployed(target), _sinks(target)[1]
    eventually(lambda: idle(target), target.timing.exported)
    began = len(sink.bulks())
    sink.stop()
    (key,) = create(target, process)
    partition = str(key >> KEY_BITS)

    def tries() -> list[list[str]]:
        bulks = [bulk.ids for bulk in sink.bulks()[began:]]
        return [ids for ids in bulks if ids[0].partition("-")[0] == partition]

    eventually(lambda: None if len(tries()) > 1 else "not sent twice", target.timing.exported)
    sink.start()
    eventually(lambda: _lacking(sink, {0: key}), target.timing.exported)
    first, *again = tries()
    assert all(set(ids) >= set(first) for ids in again), tries()
    assert len(sink.documents(key)) == _DOCUMENTS


@expected(
    Need.MOVE,
    relied_on=("clients/zeebe.py", "dualregion/chart/values.py"),
    sources=(EXPORTERS, SEEN),
)
def an_exporter_with_a_new_address_goes_on_from_its_position(target: Target) -> None:
    """An exporter whose URL changes gives the new engine what the old one had not acknowledged, and nothing else."""
    process, second = deployed(target), target.engines[1]
    (old,) = create(target, process)
    eventually(lambda: _lacking(second, {0: old}), target.timing.exported)
    eventually(lambda: idle(target), target.timing.exported)
    second.stop()
    new = create_on_each(target, process)
    eventually(lambda: _lacking(target.engines[0], new), target.timing.exported)
    spare = target.ours.spare_engine()
    target.ours.point(1, spare.url)
    target.hands.stop(*target.brokers)
    target.hands.start(*target.brokers)
    whole(target)
    eventually(lambda: _lacking(spare, new), target.timing.exported)
    assert spare.documents(old) == []


@expected(
    relied_on=("dualregion/observed/zeebe_answers.py",),
    sources=(DIRECTOR, SEEN),
    quirk="position-moves-past-commands",
)
def positions_move_past_what_is_not_exported(target: Target) -> None:
    """On an idle cluster the exported position reaches the processed one, though commands are not exported."""
    for _ in range(2):
        before = {partition: each.processed for partition, each in led(target).items()}
        probe_all(target)
        after = led(target)
        assert all(after[each].processed > before[each] for each in before), (before, after)
        eventually(lambda: idle(target), target.timing.exported)


@expected(
    relied_on=("dualregion/observed/zeebe_answers.py", "drill/observation/cluster.py"),
    sources=(DISTRIBUTION, PARTITIONS, SEEN),
    quirk="followers-lag",
)
def a_followers_exported_position_may_lag(target: Target) -> None:
    """Only the leader's exported position is the last one: followers hear of it from time to time, every 15 s."""
    for _ in range(4):
        before = {partition: each.exported for partition, each in led(target).items()}
        probe_all(target)
        eventually(lambda b=before: _moved(target, b), target.timing.exported)  # type: ignore[misc]
        leading = {partition: each.exported for partition, each in led(target).items()}
        time.sleep(_REPLICATED)
        followers = [each for each in replicas(target) if each.role == "FOLLOWER"]
        if any(each.exported < leading[each.partition] for each in followers):
            return
    raise AssertionError("no follower ever said less than its leader")


@expected(
    Need.MOVE, relied_on=("dualregion/observed/zeebe_answers.py",), sources=(PARTITIONS, SEEN)
)
def before_the_first_export_the_position_is_minus_one(target: Target) -> None:
    """A cluster that has exported nothing says -1."""
    target.hands.stop(*target.brokers)
    target.hands.wipe(*target.brokers)
    for engine in target.engines:
        engine.stop()
    target.hands.start(*target.brokers)
    eventually(lambda: _exported_something(target), target.timing.patience)


def _exported_something(target: Target) -> str | None:
    more = [each for each in led(target).values() if each.exported != -1]
    return f"exported already: {more}" if more else None


def _exported(target: Target) -> tuple[int, list[Document]]:
    """Create an instance; return its key and its records once every engine has them."""
    (key,) = create(target, deployed(target))
    for engine in target.engines:
        eventually(lambda e=engine: _lacking(e, {0: key}), target.timing.exported)  # type: ignore[misc]
    return key, target.engines[0].documents(key)


def _lacking(engine: Engine, keys: dict[int, int]) -> str | None:
    counts = {key: len(engine.documents(key)) for key in keys.values()}
    lacking = {key: count for key, count in counts.items() if count < _DOCUMENTS}
    return f"records of instances: {lacking}" if lacking else None


def _index(document: Document) -> dict[str, str]:
    found = _INDEX.fullmatch(document.index)
    assert found, document
    return found.groupdict()


def _sinks(target: Target) -> list[Sink]:
    return [engine for engine in target.engines if isinstance(engine, Sink)]


def _moved(target: Target, before: dict[int, int]) -> str | None:
    found = {partition: each.exported for partition, each in led(target).items()}
    still = [each for each in partition_ids(target) if found[each] <= before[each]]
    return f"position of partition {still} stays" if still else None
