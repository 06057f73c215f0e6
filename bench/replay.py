"""What a replay costs, beside the bare calls that it cannot do without.

Failed batches of 1,000 records lie on the shards of a stream, one message a batch in the dead-letter queue. Both sides
end in the same rows in S3:

* *replay*: ``secure``, then ``convert_lane`` for each shard, from claim to settled: records secured and encrypted, the
  worker's files and earlier replays looked for in every partition, partitions registered, done documents written. The
  shards are converted one after the other here, in this process; Airflow runs their tasks side by side.
* *bare*: GetRecords of each range, ``deliver``, one PutObject for each record type and partition date. Nothing is
  secured, compared, registered or told; whoever kills it half-way has lost or doubled rows.

They are measured in turn, on the clock on the wall: both mostly wait for the local AWS, which runs in a process of its
own. The replay may use all of a shard's read limits here (``replay.read_share`` is 0.4 otherwise), for the bare calls
do as well. The batches lie on so many shards that these limits, 2 MiB a second each, hold up neither side for long: on
half as many, securing spent most of its time waiting for them, and the bare calls were too slow to meet them.

Memory is what tracemalloc counts: of one batch of 10,000 records, and of securing and looking at batches that have to
wait for certainty, the same 2,000 records in 100 and in 1,000 of them. It does not see the 256 KiB that SQLite keeps of
the backlog, the same with any number of batches.
"""

from __future__ import annotations

import itertools
import json
import statistics
import time
import tracemalloc
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

from bench.delivery import change_records
from bench.local_account import CountedSession, aws_in_another_process
from dmd_pipeline.aws.cloudwatch import Alarms
from dmd_pipeline.aws.glue import Catalog
from dmd_pipeline.aws.kinesis import Stream
from dmd_pipeline.aws.lambda_ import Functions
from dmd_pipeline.aws.s3 import Bucket
from dmd_pipeline.aws.sqs import Queue
from dmd_pipeline.delivery import CONTENT_TYPE, container, deliver
from dmd_pipeline.hive import table_input
from dmd_pipeline.jobs.conversion import convert_lane
from dmd_pipeline.jobs.replay_environment import Environment
from dmd_pipeline.jobs.reprocess_failed_batches import secure
from dmd_pipeline.layout import PARTITION_KEY
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dmd_pipeline.jobs.lane_reports import LaneReport

    _Side = Callable[[CountedSession, Sequence["Range"]], int]
    """Does its work on failed batches, and says how many files it wrote."""


BATCH = 1000
LOCAL = load_settings("local")
SETTINGS = LOCAL.model_copy(update={"replay": LOCAL.replay.model_copy(update={"read_share": 1.0})})
_PUT_BATCH = 500
_PUT_PAUSE_SECONDS = 0.7
"""Between two PutRecords to one shard, which takes 1,000 records and 1 MiB a second."""
_READ_PAUSE_SECONDS = 2.0
"""Before each side: so long, and no record of the other side's reading counts against the shards' limits."""
_SHARDS = 8
"""More than the four of the local stream: see above."""
_WAITING_RECORDS = 2_000
_HASH_KEYS = 2**128
_DATA_CALLS = frozenset({"kinesis.GetRecords", "s3.PutObject", "s3.GetObject"})


class ReplayFigures(TypedDict):
    """Rates are medians over all rounds, by the clock on the wall; calls are those of one round."""

    batches: int
    records: int
    rounds: int
    replay_records_per_second: int
    bare_records_per_second: int
    ratio: float
    ratio_lowest: float
    ratio_highest: float
    replay_seconds: float
    replay_seconds_waiting_for_the_shards_limits: float
    files: int
    calls: dict[str, int]
    calls_a_batch_beside_data: float
    peak_megabytes_of_10_000_records: float
    peak_megabytes_of_100_waiting: float
    peak_megabytes_of_1_000_waiting: float


@dataclass(frozen=True)
class Range:
    """A failed batch on the stream."""

    shard_id: str
    start: str
    end: str
    size: int


def measure(batches: int = 32, rounds: int = 3) -> ReplayFigures:
    """Replay so many batches, and read and write them bare, ``rounds`` times in turn."""
    seconds: dict[str, list[float]] = {"replay": [], "bare": [], "waited": []}
    with aws_in_another_process(_nothing) as environment:
        counted = CountedSession(environment)
        counted.prepare("kinesis", "s3", "sqs", "lambda", "cloudwatch", "glue")
        _make_tables(counted)
        counted.client("kinesis").update_shard_count(
            StreamName=SETTINGS.stream, TargetShardCount=_SHARDS, ScalingType="UNIFORM_SCALING"
        )
        for round_number in range(rounds):
            records = list(change_records(batches * BATCH, seed=round_number))
            ranges = _fail(counted, [records[start : start + BATCH] for start in range(0, len(records), BATCH)])
            waits = _Waits()
            sides: list[tuple[str, _Side]] = [("replay", partial(_replay, waits)), ("bare", _bare)]
            for name, side in sides if round_number % 2 else reversed(sides):
                time.sleep(_READ_PAUSE_SECONDS)
                counted.calls.clear()
                started = time.perf_counter()
                files = side(counted, ranges)
                seconds[name].append(time.perf_counter() - started)
                if name == "replay":
                    calls = dict(sorted(counted.calls.items()))
            seconds["waited"].append(waits.seconds)
            _empty_tables(counted)
        peaks = _memory(counted)
    ratios = [bare / ours for ours, bare in zip(seconds["replay"], seconds["bare"], strict=True)]
    # Done documents are written, leases are written and read, too, but are no data.
    beside = sum(count for call, count in calls.items() if call not in _DATA_CALLS) + batches + 2 * _SHARDS
    return {
        "batches": batches,
        "records": batches * BATCH,
        "rounds": rounds,
        "replay_records_per_second": round(batches * BATCH / statistics.median(seconds["replay"])),
        "bare_records_per_second": round(batches * BATCH / statistics.median(seconds["bare"])),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_lowest": round(min(ratios), 3),
        "ratio_highest": round(max(ratios), 3),
        "replay_seconds": round(statistics.median(seconds["replay"]), 2),
        "replay_seconds_waiting_for_the_shards_limits": round(statistics.median(seconds["waited"]), 2),
        "files": files,
        "calls": calls,
        "calls_a_batch_beside_data": round(beside / batches, 1),
        "peak_megabytes_of_10_000_records": peaks[0],
        "peak_megabytes_of_100_waiting": peaks[1],
        "peak_megabytes_of_1_000_waiting": peaks[2],
    }


class _Waits:
    """Sleeps, and adds up for how long."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, seconds: float) -> None:
        self.seconds += seconds
        time.sleep(seconds)


def _replay(waits: _Waits, counted: CountedSession, _ranges: Sequence[Range]) -> int:
    settled = [batch for report in _run(counted, waits) for batch in report.batches]
    if wrong := [batch for batch in settled if batch.state != "settled"]:
        raise ValueError(f"a batch of the benchmark was not settled: {wrong[0]}")
    return sum(len(batch.files) for batch in settled)


def _run(counted: CountedSession, sleep: Callable[[float], None] = time.sleep) -> Iterator[LaneReport]:
    """Secure, then convert lane by lane; each of them is a task of its own, and nobody keeps the reports of all."""
    bucket = Bucket(counted.client("s3"), SETTINGS.bucket)
    stream, functions = Stream(counted.client("kinesis"), SETTINGS.stream), Functions(counted.client("lambda"))
    secured = secure(
        SETTINGS,
        queue=Queue(counted.client("sqs"), SETTINGS.dead_letter_queue),
        stream=stream,
        functions=functions,
        alarms=Alarms(counted.client("cloudwatch")),
        bucket=bucket,
        sleep=sleep,
        long_poll=timedelta(0),
    )
    glue = Catalog(counted.client("glue"), SETTINGS.database)
    environment = Environment(SETTINGS, load_record_types(), bucket, glue, functions, stream)
    for lane in secured.lanes:
        yield convert_lane(environment, lane, run_id="bench")


def _bare(counted: CountedSession, ranges: Sequence[Range]) -> int:
    kinesis, s3, record_types = counted.client("kinesis"), counted.client("s3"), load_record_types()
    files = 0
    for one in ranges:
        iterator = kinesis.get_shard_iterator(
            StreamName=SETTINGS.stream,
            ShardId=one.shard_id,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=one.start,
        )["ShardIterator"]
        page = kinesis.get_records(ShardIterator=iterator, Limit=one.size)["Records"]
        if (len(page), page[-1]["SequenceNumber"]) != (one.size, one.end):
            raise ValueError("a page of the benchmark is not the batch")
        delivery = deliver(
            (record["Data"] for record in page), record_types, now=page[0]["ApproximateArrivalTimestamp"]
        )
        for (name, day), rows in delivery.groups.items():
            body = container(record_types[name], rows, sync_marker=uuid.uuid4().bytes)
            # A folder like the worker's, whose name addresses escape; outside the table, lest the replay finds it.
            key = f"{SETTINGS.prefix}/test/bench/{name}/{PARTITION_KEY}={day}/{uuid.uuid4()}.avro"
            s3.put_object(Bucket=SETTINGS.bucket, Key=key, Body=body, ContentType=CONTENT_TYPE)
            files += 1
    return files


def _memory(counted: CountedSession) -> tuple[float, float, float]:
    """Peaks in megabytes: of one large batch, and of few and of many batches that wait."""
    _fail(counted, [list(change_records(10 * BATCH, seed=101))])
    large = _peak(counted)

    def waiting(count: int) -> float:
        records, size = change_records(_WAITING_RECORDS, seed=200 + count), _WAITING_RECORDS // count
        _fail(counted, [list(itertools.islice(records, size)) for _ in range(count)], told=size + 1)
        return _peak(counted)

    return large, waiting(100), waiting(1_000)


def _peak(counted: CountedSession) -> float:
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in _run(counted):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return round((peak - before) / 2**20, 1)


def _fail(counted: CountedSession, batches: Iterable[Sequence[bytes]], told: int | None = None) -> list[Range]:
    """Put batches onto the shards in turn, and a message about each into the queue.

    Args:
        counted: Gives the clients.
        batches: Of records.
        told: How many records the messages say that a batch had; the truth when None.
    """
    kinesis, sqs = counted.client("kinesis"), counted.client("sqs")
    queue = sqs.get_queue_url(QueueName=SETTINGS.dead_letter_queue)["QueueUrl"]
    ranges = []
    for number, batch in enumerate(batches):
        shard = number % _SHARDS
        answers: list[Any] = []
        for start in range(0, len(batch), _PUT_BATCH):
            entries = [
                {"Data": data, "PartitionKey": "bench", "ExplicitHashKey": str(shard * _HASH_KEYS // _SHARDS)}
                for data in batch[start : start + _PUT_BATCH]
            ]
            answers += _put(kinesis, entries)
        numbers = sorted((answer["SequenceNumber"] for answer in answers), key=int)
        one = Range(answers[0]["ShardId"], numbers[0], numbers[-1], len(batch))
        ranges.append(one)
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(_message(one, told or one.size)))
    return ranges


def _put(kinesis: Any, entries: list[dict[str, Any]]) -> list[Any]:
    """Put records until none is refused any more; their places."""
    placed = []
    while entries:
        answers = kinesis.put_records(StreamName=SETTINGS.stream, Records=entries)["Records"]
        placed += [answer for answer in answers if "ErrorCode" not in answer]
        entries = [entry for entry, answer in zip(entries, answers, strict=True) if "ErrorCode" in answer]
        if entries:
            time.sleep(_PUT_PAUSE_SECONDS)
    return placed


def _message(one: Range, size: int) -> dict[str, Any]:
    now = f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": SETTINGS.function_arn,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": now,
        "KinesisBatchInfo": {
            "shardId": one.shard_id,
            "startSequenceNumber": one.start,
            "endSequenceNumber": one.end,
            "approximateArrivalOfFirstRecord": now,
            "approximateArrivalOfLastRecord": now,
            "batchSize": size,
            "streamArn": SETTINGS.stream_arn,
        },
    }


def _make_tables(counted: CountedSession) -> None:
    glue = counted.client("glue")
    for name, record_type in load_record_types().items():
        table = table_input(name, record_type.schema, SETTINGS.layout.table_location(name))
        glue.create_table(DatabaseName=SETTINGS.database, TableInput=table)


def _empty_tables(counted: CountedSession) -> None:
    """Take away what a round has written: the bare calls look at nothing, and replays of the next one would read it."""
    bucket = Bucket(counted.client("s3"), SETTINGS.bucket)
    keys = [stored.key for stored in bucket.objects_below(SETTINGS.layout.tables_prefix())]
    for start in range(0, len(keys), 1000):
        bucket.delete_together(keys[start : start + 1000])


def _nothing() -> Iterator[tuple[str, bytes]]:
    yield from ()
