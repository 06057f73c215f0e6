from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.record_types import load_record_types
from local.delivery_worker.batches import Batch, StreamRecord
from local.delivery_worker.crashes import CrashPoint
from local.delivery_worker.function import DeliveryFunction
from local.delivery_worker.invoker import Invoker
from local.delivery_worker.mapping import read_mapping
from local.delivery_worker.reports import Reports
from local.ledger import Ledger, sent_by_type
from local.traffic.plan import Size
from local.waiting import wait_for
from tests.integration.jobs.conftest import World


if TYPE_CHECKING:
    from local.aws import LocalAws
    from tests.integration.local_pipeline.conftest import WorkerBench


def valid(ledger: Ledger) -> Counter[str]:
    counts: Counter[str] = Counter()
    for record_type, _, sent in ledger.entries():
        counts[record_type] += sent.valid
    return counts


def dead_letters(bench: WorkerBench) -> list[dict[str, Any]]:
    return [message.body for message in bench.evidence.dead_letters()]


def test_what_is_valid_becomes_rows_what_is_not_goes_to_errors_and_the_filter_drops_the_rest(
    bench: WorkerBench,
) -> None:
    bench.start()
    ledger = bench.send(Size(records=600, days=7))
    bench.await_done(ledger)

    assert bench.rows() == valid(ledger)
    assert sum(bench.evidence.in_errors().values()) == sum(ledger.flaws.values()) > 0
    assert bench.evidence.filtered() == sum(ledger.filtered.values()) > 0
    assert dead_letters(bench) == []


def test_files_lie_and_look_as_the_delivery_workers_do(bench: WorkerBench) -> None:
    bench.start()
    bench.await_done(bench.send(Size(records=500, days=3)))
    settings = bench.aws.settings
    s3 = bench.aws.client("s3")

    avro, errors = bench.keys(settings.layout.table_prefix("demand")), bench.keys(settings.layout.errors_prefix())

    stamp, unique = r"\d{4}(-\d\d){5}", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    for key in avro:
        assert_matches(rf"data-pipeline/avro/demand/partition_date=\d{{4}}-\d\d-\d\d/{stamp}-{unique}\.avro", key)
        assert s3.head_object(Bucket=settings.bucket, Key=key)["ContentType"] == "avro/binary"
    for key in errors:
        assert_matches(rf"data-pipeline/errors/{stamp}-{unique}\.json", key)
    assert avro
    assert errors


def test_nothing_that_was_sent_before_the_worker_began_is_delivered_from_latest(bench: WorkerBench) -> None:
    bench.send(Size(records=50, days=3), seed=1)
    bench.start()
    ledger = bench.send(Size(records=50, days=3), seed=2)
    bench.await_done(ledger)

    assert bench.rows() == valid(ledger)


def test_a_restarted_worker_goes_on_where_it_was(bench: WorkerBench) -> None:
    bench.start()
    first = bench.send(Size(records=50, days=3), seed=1)
    bench.await_done(first)
    assert bench.stop() == 0
    second = bench.send(Size(records=50, days=3), seed=2)
    bench.restart()
    bench.await_done(second)

    assert bench.rows() == valid(first) + valid(second)


def test_the_children_of_a_shard_are_read_after_it_and_whole(bench: WorkerBench) -> None:
    bench.start()
    first = bench.send(Size(records=200, days=3), seed=1)
    bench.reshard()
    second = bench.send(Size(records=200, days=3), seed=2)
    bench.await_done(second)
    bench.stop()
    third = bench.send(Size(records=50, days=3), seed=3)
    bench.restart()
    bench.await_done(third)

    assert bench.rows() == valid(first) + valid(second) + valid(third)
    read = [json.loads(line)["context"]["shardId"] for line in bench.log_lines() if '"Processing batch"' in line]
    children = set(second.last_sequence_numbers) - set(first.last_sequence_numbers)
    assert len(children) == 2 * len(first.last_sequence_numbers)
    assert children < set(read)


@pytest.mark.parametrize("point", list(CrashPoint))
def test_a_batch_on_which_the_function_crashes_ends_in_the_dead_letter_queue(
    bench: WorkerBench, point: CrashPoint
) -> None:
    World(bench.aws, bench.aws.settings).create_tables()  # the evidence asks Athena, too
    bench.set_mapping(MaximumRetryAttempts=1)
    bench.set_timeout(1)
    bench.start()
    ledger = bench.send(Size(records=600, days=5, crash_points=(point, point)))
    bench.await_done(ledger)

    messages = dead_letters(bench)
    dead = bench.evidence.find().waiting

    assert [one["requestContext"]["condition"] for one in messages] == ["RetryAttemptsExhausted"] * 2
    assert [one["requestContext"]["approximateInvokeCount"] for one in messages] == [2, 2]
    assert dead.total() == sum(one["KinesisBatchInfo"]["batchSize"] for one in messages)
    copies = written_by_failed_invocations(bench)
    assert (copies.total() == 0) is (point is CrashPoint.BEFORE_WRITES)
    if point is CrashPoint.AFTER_WRITES:
        assert copies == Counter({name: 2 * count for name, count in dead.items()}), "each attempt wrote everything"
    timed_out = [line for line in bench.log_lines() if "Task timed out after 1.00 seconds" in line]
    assert len(timed_out) == (4 if point is CrashPoint.TIMEOUT else 0)
    places = bench.rows() + bench.evidence.in_errors() + dead
    assert places - copies == sent_by_type([ledger]), "each record is somewhere, once, copies aside"


def test_bisection_leaves_only_the_culprit_in_the_dead_letter_queue(bench: WorkerBench) -> None:
    bench.set_mapping(MaximumRetryAttempts=0, BisectBatchOnFunctionError=True)
    bench.start()
    ledger = bench.send(Size(records=300, days=3, crash_points=(CrashPoint.BEFORE_WRITES,)))
    bench.await_done(ledger)

    assert [one["KinesisBatchInfo"]["batchSize"] for one in dead_letters(bench)] == [1]
    assert bench.rows().total() == valid(ledger).total() - 1


def test_during_an_outage_the_shard_waits_and_then_all_is_delivered(bench: WorkerBench) -> None:
    bench.set_mapping(MaximumRetryAttempts=-1)
    bench.set_crash("before_writes")
    bench.start()
    ledger = bench.send(Size(records=40, days=3))
    wait_for(lambda: errors_metric(bench) >= 2, "failing invocations", 30)
    assert bench.rows().total() == 0

    bench.set_crash(None)
    bench.await_done(ledger)

    assert bench.rows() == valid(ledger)
    assert dead_letters(bench) == []


def test_a_disabled_mapping_reads_nothing(bench: WorkerBench) -> None:
    bench.set_mapping(Enabled=False)
    bench.start()
    ledger = bench.send(Size(records=20, days=3))
    with pytest.raises(Exception, match="it did not come"):
        wait_for(lambda: bench.rows().total() > 0, "rows", 3)

    bench.set_mapping(Enabled=True)
    bench.await_done(ledger)

    assert bench.rows() == valid(ledger)


def test_the_function_logs_json_lines_between_lambdas_own(bench: WorkerBench) -> None:
    bench.start()
    bench.await_done(bench.send(Size(records=100, days=3)))

    lines = bench.log_lines()
    winston = [json.loads(line) for line in lines if line.startswith("{")]

    assert {tuple(line) for line in winston} == {("timestamp", "level", "message", "requestId", "context")}
    written = next(line for line in winston if line["message"] == "Wrote file")
    assert {"batchSize", "recordType", "partitionDate"} <= set(written["context"])
    invocations = sum(line.startswith("START RequestId") for line in lines)
    assert invocations == sum(line.startswith("REPORT RequestId") for line in lines) > 0
    assert "example.com" not in "".join(lines)
    assert "+1-555" not in "".join(lines)


def test_lambdas_metrics_tell_invocations_errors_and_what_was_polled(bench: WorkerBench) -> None:
    bench.set_mapping(MaximumRetryAttempts=1)
    bench.start()
    ledger = bench.send(Size(records=300, days=3, crash_points=(CrashPoint.BEFORE_WRITES,)))
    bench.await_done(ledger)
    function, mapping = bench.aws.settings.function, bench.mapping_uuid

    def of_mapping(name: str) -> float:
        return bench.metric(name, "EventSourceMappingUUID", mapping)

    assert errors_metric(bench) == 2
    assert bench.metric("Invocations", "FunctionName", function) > 2
    assert bench.metric("Duration", "FunctionName", function) > 0
    assert of_mapping("PolledEventCount") == ledger.total
    gone = of_mapping("OnFailureDestinationDeliveredEventCount")
    assert of_mapping("FilteredOutEventCount") + of_mapping("InvokedEventCount") + gone == ledger.total


@pytest.mark.usefixtures("bench")
def test_a_batch_that_got_too_old_is_given_up_without_an_invocation(aws: LocalAws) -> None:
    settings = aws.settings
    arrived = datetime.now(UTC) - timedelta(hours=7)
    batch = Batch("shardId-000000000000", (StreamRecord("7", "key", arrived, b"{}"),))
    reports = Reports(aws.client("logs"), aws.client("cloudwatch"), settings, "mapping", str(uuid.uuid4()).lower())
    invoker = Invoker(
        DeliveryFunction(aws.client("s3"), settings, load_record_types()),
        lambda: read_mapping(aws.client("lambda"), settings),
        reports,
        aws.client("lambda"),
        aws.client("sqs"),
        settings,
        Event(),
    )

    invoker.bring_to_end(batch)

    queue = aws.client("sqs").get_queue_url(QueueName=settings.dead_letter_queue)["QueueUrl"]
    [message] = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    body = json.loads(message["Body"])
    assert body["requestContext"]["condition"] == "RecordAgeExceeded"
    assert "responseContext" not in body


def errors_metric(bench: WorkerBench) -> float:
    return bench.metric("Errors", "FunctionName", bench.aws.settings.function)


def written_by_failed_invocations(bench: WorkerBench) -> Counter[str]:
    """What the accounting takes for copies, counted in the files themselves rather than by Athena."""
    files = bench.evidence.files_of_failed_invocations()
    counts: Counter[str] = Counter()
    for line in bench.log_lines():
        if line.startswith("{") and (context := json.loads(line)["context"]).get("key") in files:
            if "recordType" in context:
                counts[context["recordType"]] += context["batchSize"]
            else:
                counts += bench.evidence.in_errors([context["key"]])
    return counts


def assert_matches(pattern: str, text: str) -> None:
    assert re.fullmatch(pattern, text), text
