"""Where the records that were sent are now, as AWS tells it.

Each function looks in one place and counts records by their type. Nothing is taken from the ledger here: what was
sent and what was found must agree by themselves. Nor is anything taken from what ``reprocess_failed_batches`` says of
itself.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dmd_pipeline.delivery import Deliverer, original_events
from dmd_pipeline.errors import InvalidRecordError
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.rows import Now
from local.copies import copies_of_failed_invocations, copies_of_waiting_batches, was_rejected, written_group
from local.dead_letters import EvidenceError, in_flight, peek, records_between
from local.delivery_worker.batches import lane_of
from local.delivery_worker.mapping import read_mapping
from local.fates import Witnesses, tell
from local.ledger import digest
from local.replay_evidence import ReplayEvidence
from local.traffic.plan import DELIVERY_DAY
from local.worker_log import invocations_in


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dmd_pipeline.failed_batches import StreamRecord
    from dmd_pipeline.settings import Settings
    from local.clients import LocalClients
    from local.copies import Rows
    from local.dead_letters import Message
    from local.replay_evidence import Held
    from local.worker_log import Invocation

UNREADABLE = "unreadable"
"""Stands for the type of a record from which none can be read."""
_PERIOD = timedelta(days=2)  # a local pipeline runs for hours
_LOOKS = 30
_BETWEEN_LOOKS_SECONDS = 1.0
_PATHS_OF_A_QUERY = 1000  # a query has at most 262,144 bytes
_NO_DAY = datetime(1970, 1, 1, tzinfo=UTC)
"""A time of delivery on which no business date falls: what is dated so has no date of its own."""


@dataclass(frozen=True)
class Found:
    """Where records are at one moment.

    Attributes:
        rows: Rows that Athena reads, copies included.
        in_errors: Records in errors/, copies included, without those of documents that were replayed from there.
        in_quarantine: Records in quarantine that are nowhere else.
        waiting: Records of failed batches that are secured, or in the dead-letter queue, or both: each once.
        waiting_rows: Those of them that will become rows, by business date or ``DELIVERY_DAY``.
        replayed: Settled records of which no failed attempt wrote a row, so that only the replay can have written it;
            by table, business date and digest.
        left_in_errors: Settled records that are no rows, and that no failed attempt has put into errors/; by type and
            digest.
        unwritten: All records of failed batches that no failed attempt made a row of or put into errors/, by digest.
        rewritten_rows: Copies among the rows: see :func:`~local.accounting.account`.
        rewritten_errors: Copies among the records in errors/.
        filtered: Records that the event source mapping dropped.
        days_of_delivery: Dates that records without a business date may have.
    """

    rows: Rows
    in_errors: Counter[str]
    in_quarantine: Counter[str]
    waiting: Counter[str]
    waiting_rows: Rows
    replayed: Counter[tuple[str, str, str]]
    left_in_errors: Counter[tuple[str, str]]
    unwritten: Counter[str]
    rewritten_rows: Rows
    rewritten_errors: Counter[str]
    filtered: int
    days_of_delivery: frozenset[str]


class Evidence:
    """Looks for records in one local pipeline's AWS.

    Args:
        clients: Its clients.
        settings: The environment's names.
        tables: The record types.
    """

    def __init__(self, clients: LocalClients, settings: Settings, tables: Iterable[str]) -> None:
        self._clients = clients
        self._settings = settings
        self._tables = sorted(tables)
        self._replay = ReplayEvidence(clients, settings, self._tables)

    def find(self) -> Found:
        """Look everywhere, at one moment: again when failed batches were moved meanwhile.

        Raises:
            EvidenceError: They kept moving; or two things do not go together.
        """
        sqs, queue = self._clients("sqs"), self._settings.dead_letter_queue
        for _ in range(_LOOKS):
            if not in_flight(sqs, queue):
                messages, keys = self.dead_letters(), self._replay.keys()
                found = self._find(messages, keys)
                if keys == self._replay.keys() and {one.id for one in messages} == {
                    one.id for one in self.dead_letters()
                }:
                    return found
            time.sleep(_BETWEEN_LOOKS_SECONDS)
        raise EvidenceError(
            f"Failed batches kept moving while they were counted; {in_flight(sqs, queue)} messages of {queue} are "
            "hidden, because somebody works on them."
        )

    def readable(self) -> Rows:
        """Rows that Athena reads, by table and partition date."""
        found: Rows = Counter()
        for table in self._tables:
            rows = self._query(f"SELECT partition_date, count(*) FROM {table} GROUP BY 1")
            found.update({(table, day): int(count) for day, count in rows})
        return found

    def rows_in(self, files: Iterable[str]) -> dict[str, Rows]:
        """Rows that Athena reads in some files, by the file's key."""
        found: dict[str, Rows] = {}
        listed = sorted(files)
        for table in self._tables:
            prefix = self._settings.layout.table_prefix(table)
            paths = [f"'{self._settings.layout.uri(key)}'" for key in listed if key.startswith(prefix)]
            for start in range(0, len(paths), _PATHS_OF_A_QUERY):
                found |= self._by_file(table, f"IN ({', '.join(paths[start : start + _PATHS_OF_A_QUERY])})")
        return found

    def replayed_rows(self) -> dict[str, Rows]:
        """Rows that Athena reads in files of replayed rows, by the file's key."""
        found: dict[str, Rows] = {}
        for table in self._tables:
            found |= self._by_file(table, "LIKE '%/replay-%'")
        return found

    def in_errors(self, files: Iterable[str] | None = None) -> Counter[str]:
        """Records in files of errors/, all files unless some are given."""
        counts: Counter[str] = Counter()
        s3 = self._clients("s3")
        for key in self._error_files() if files is None else files:
            body = s3.get_object(Bucket=self._settings.bucket, Key=key)["Body"].read()
            counts.update(record_type_of(event) for event in original_events(body))
        return counts

    def dead_letters(self) -> list[Message]:
        """The messages in the dead-letter queue; they stay there."""
        return peek(self._clients("sqs"), self._settings.dead_letter_queue)

    def open_batches(self) -> list[Held]:
        """The secured batches that are not settled."""
        return [one for one in self._replay.secured(self._replay.keys()) if not one.settled]

    def alerts(self) -> list[dict[str, Any]]:
        """What the alerts' topic has sent to the queues that it feeds; it stays there."""
        subscriptions = self._clients("sns").list_subscriptions_by_topic(TopicArn=self._settings.alerts_topic_arn)
        queues = [
            one["Endpoint"].rpartition(":")[2] for one in subscriptions["Subscriptions"] if one["Protocol"] == "sqs"
        ]
        return [message.body for queue in queues for message in peek(self._clients("sqs"), queue)]

    def filtered(self) -> int:
        """Records that the event source mapping's filter dropped, by its own metric."""
        mapping = read_mapping(self._clients("lambda"), self._settings)
        now = datetime.now(UTC)
        answer = self._clients("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="FilteredOutEventCount",
            Dimensions=[{"Name": "EventSourceMappingUUID", "Value": mapping.uuid}],
            StartTime=now - _PERIOD,
            EndTime=now + timedelta(minutes=5),
            Period=300,
            Statistics=["Sum"],
        )
        return int(sum(point["Sum"] for point in answer["Datapoints"]))

    def invocations(self) -> list[Invocation]:
        """The function's invocations, by its log."""
        pages = self._clients("logs").get_paginator("filter_log_events")
        group = f"/aws/lambda/{self._settings.function}"
        return invocations_in(
            event["message"] for page in pages.paginate(logGroupName=group) for event in page["events"]
        )

    def files_of_failed_invocations(self) -> list[str]:
        """Keys of the files that the function wrote in invocations that crashed later, by its log."""
        return [key for one in self.invocations() if one.crashed for key in one.files]

    def registered(self) -> dict[str, list[str]]:
        """The partition dates that Glue holds, by table."""
        pages = self._clients("glue").get_paginator("get_partitions")
        return {
            table: [
                partition["Values"][0]
                for page in pages.paginate(
                    DatabaseName=self._settings.database, TableName=table, ExcludeColumnSchema=True
                )
                for partition in page["Partitions"]
            ]
            for table in self._tables
        }

    def _find(self, messages: Sequence[Message], keys: frozenset[str]) -> Found:
        mapping = read_mapping(self._clients("lambda"), self._settings)
        invocations = self.invocations()
        failed = [key for one in invocations if one.crashed for key in one.files]
        witnesses = Witnesses(
            invocations,
            lambda key: lane_of(key, mapping.parallelization_factor),
            lambda record: mapping.event_filter.passes(record.data, record.partition_key),
        )
        dead = [self._records_of(message, witnesses) for message in messages]
        secured = self._replay.secured(keys)
        told = tell(dead, secured, self._replay.rejected(keys), witnesses)
        deliverer = Deliverer(load_record_types())
        replayed, places = self.replayed_rows(), self._replay.replayed(keys)
        for key, rows in replayed.items():
            if rows.total() != len(places[key]):
                raise EvidenceError(f"{key}: its header tells of {len(places[key])} rows, Athena reads {rows.total()}.")
        rows_of_failed = self.rows_in(failed)
        from_errors = {one.batch.source for one in secured if one.settled}
        errors_of_failed = {
            key for one in invocations if one.crashed for key in one.errors if _source_of(key) not in from_errors
        }
        rejected = {
            place
            for place, record in (told.waiting | told.settled).items()
            if was_rejected(place, record, errors_of_failed, witnesses, deliverer)
        }
        left = [
            (place, record)
            for place, record in (told.waiting | told.settled).items()
            if place not in rejected and written_group(place, record, rows_of_failed, witnesses, deliverer) is None
        ]
        rewritten_errors = self.in_errors(errors_of_failed)
        rewritten_errors.subtract(
            record_type_of(record.data) for place, record in told.settled.items() if place in rejected
        )
        rewritten = copies_of_failed_invocations(rows_of_failed, told, witnesses, deliverer)
        rewritten.update(copies_of_waiting_batches(replayed, places, told))
        return Found(
            rows=self.readable(),
            in_errors=self.in_errors(key for key in self._error_files() if _source_of(key) not in from_errors),
            in_quarantine=Counter(record_type_of(record.data) for record in told.quarantined.values()),
            waiting=Counter(record_type_of(record.data) for record in told.waiting.values()),
            waiting_rows=Counter(_groups_of(told.waiting.values(), deliverer)),
            replayed=Counter(
                (*group, digest(record.data))
                for place, record in left
                if place in told.settled
                for group in _groups_of([record], deliverer)
            ),
            left_in_errors=Counter(
                (record_type_of(record.data), digest(record.data))
                for place, record in left
                if place in told.settled and not list(_groups_of([record], deliverer))
            ),
            unwritten=Counter(digest(record.data) for _, record in left),
            rewritten_rows=rewritten,
            rewritten_errors=rewritten_errors,
            filtered=self.filtered(),
            days_of_delivery=_days_of_delivery(invocations),
        )

    def _records_of(self, message: Message, witnesses: Witnesses) -> tuple[str, list[StreamRecord]]:
        """The shard of a failed batch, and what lies between its ends.

        Raises:
            EvidenceError: The stream holds another number of the batch's own records than the message says.
        """
        batch = message.body["KinesisBatchInfo"]
        records = records_between(self._clients("kinesis"), self._settings.stream, batch)
        passed = [record for record in records if witnesses.passes(record)]
        lanes = [witnesses.lane_of(record.partition_key) for record in passed]
        own = lanes.count(lanes[0]) if lanes else 0
        if own != batch["batchSize"]:
            raise EvidenceError(
                f"A message in the dead-letter queue speaks of {batch['batchSize']} records in {batch['shardId']} "
                f"from {batch['startSequenceNumber']}; the stream holds {own}."
            )
        return batch["shardId"], records

    def _by_file(self, table: str, condition: str) -> dict[str, Rows]:
        sql = f'SELECT "$path", partition_date, count(*) FROM {table} WHERE "$path" {condition} GROUP BY 1, 2'
        root = self._settings.layout.uri("")
        return {path.removeprefix(root): Counter({(table, day): int(count)}) for path, day, count in self._query(sql)}

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with self._clients.athena().cursor() as cursor:
            return list(cursor.execute(sql).fetchall())

    def _error_files(self) -> Iterator[str]:
        pages = self._clients("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._settings.bucket, Prefix=self._settings.layout.errors_prefix()):
            for found in page.get("Contents", []):
                yield found["Key"]


def record_type_of(data: bytes) -> str:
    """The type of a change record, ``UNREADABLE`` when it tells none."""
    try:
        change = json.loads(data)["dynamodb"]
        image = change.get("NewImage") or change["OldImage"]
        return str(image["type"]["S"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return UNREADABLE


def _groups_of(records: Iterable[StreamRecord], deliverer: Deliverer) -> Iterator[tuple[str, str]]:
    """Table and business date of those of some records that become rows."""
    for record in records:
        try:
            (table, day), _ = deliverer.row(record.data, Now.at(_NO_DAY))
        except InvalidRecordError:
            continue
        yield table, DELIVERY_DAY if day == _NO_DAY.date() else day.isoformat()


def _source_of(key: str) -> str:
    """What stands for a shard where a document in errors/ was replayed."""
    return f"errors-{key.rpartition('/')[2].removesuffix('.json')}"


def _days_of_delivery(invocations: Sequence[Invocation]) -> frozenset[str]:
    """From the day before the first invocation, when its records may have arrived, to the last one's."""
    days = sorted(one.at.date() for one in invocations)
    if not days:
        return frozenset()
    span = (days[-1] - days[0]).days + 1
    return frozenset((days[-1] - timedelta(days=count)).isoformat() for count in range(span + 1))
