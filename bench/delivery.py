"""Change records a second through ``delivery``, beside the bare sum of its parts.

Both sides get the same records in the same batches of 1000 and end in the same thing, Avro container files in memory:

* *delivery*: ``deliver``, then ``container`` for every group: one file for each record type **and partition date**.
  That is reading, validation, marking and scrubbing removals, derived fields, and grouping.
* *the parts*: ``json.loads``, boto3's ``TypeDeserializer`` on every attribute of the image, ``fastavro.writer`` once a
  record type and batch. No validation, no grouping, nothing derived. What it writes are the rows that ``deliver`` made
  of the same records beforehand (outside the measurement), for its own Decimals do not fit the schema.

The parts therefore write fewer and larger files: the comparison is in their favour. Batch by batch both sides run in
turn, the order swapped from batch to batch; a round is all batches, and the ratio is the median of the rounds' ratios.
Measured is the process's own processor time, which a busy machine disturbs less than the clock on the wall. All records
are valid: validation is part of the work, rejection is not.
"""

from __future__ import annotations

import json
import random
import statistics
import time
import tracemalloc
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypedDict

import fastavro
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from dmd_pipeline.delivery import container, deliver
from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.schemas import writer_schema


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


BATCH = 1000
"""Records a batch: what the event source mapping hands to the delivery worker at most."""

NOW = datetime(2025, 6, 15, 12, tzinfo=UTC)
SYNC_MARKER = b"bench/delivery!!"

_SHARES = {"demand": 60, "notification": 25, "sale": 10, "event": 5}
_DATES = 14


class DeliveryFigures(TypedDict):
    """Rates are medians over all rounds, a second of processor time; memory is what tracemalloc counts."""

    records: int
    rounds: int
    delivery_records_per_second: int
    parts_records_per_second: int
    ratio: float
    ratio_lowest: float
    ratio_highest: float
    files_delivery: int
    files_parts: int
    peak_megabytes_of_one_batch: float
    growth_kilobytes_over_all_batches: float


def measure(records: int = 20_000, rounds: int = 5) -> DeliveryFigures:
    """Run both sides in turn, ``rounds`` times over ``records`` records, after one round that warms the caches."""
    batches = _batches(change_records(records))
    rows = [_rows_by_type(batch) for batch in batches]
    seconds: tuple[list[float], list[float]] = ([], [])
    files = [0, 0]
    for round_number in range(rounds + 1):
        total = [0.0, 0.0]
        files = [0, 0]
        for number, (batch, by_type) in enumerate(zip(batches, rows, strict=True)):
            for side in (0, 1) if number % 2 else (1, 0):
                started = time.process_time()
                files[side] += _run_parts(batch, by_type) if side else _deliver_batch(batch)
                total[side] += time.process_time() - started
        if round_number > 0:
            seconds[0].append(total[0])
            seconds[1].append(total[1])
    peak, growth = _memory(batches)
    ratios = [parts / delivery for delivery, parts in zip(*seconds, strict=True)]
    return {
        "records": records,
        "rounds": rounds,
        "delivery_records_per_second": round(records / statistics.median(seconds[0])),
        "parts_records_per_second": round(records / statistics.median(seconds[1])),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_lowest": round(min(ratios), 3),
        "ratio_highest": round(max(ratios), 3),
        "files_delivery": files[0],
        "files_parts": files[1],
        "peak_megabytes_of_one_batch": round(peak / 2**20, 2),
        "growth_kilobytes_over_all_batches": round(growth / 2**10, 1),
    }


def _deliver_batch(batch: Sequence[bytes]) -> int:
    record_types = load_record_types()
    delivery = deliver(batch, record_types, now=NOW)
    if delivery.rejected:
        raise ValueError(f"a record of the benchmark is invalid: {delivery.rejected[0].reason}")
    files = [
        container(record_types[name], rows, sync_marker=SYNC_MARKER) for (name, _date), rows in delivery.groups.items()
    ]
    return len(files)


def _run_parts(batch: Sequence[bytes], rows: Mapping[str, list[dict[str, Any]]]) -> int:
    deserialize = TypeDeserializer().deserialize
    for data in batch:
        document = json.loads(data)
        change = document["dynamodb"]
        image = change["OldImage" if document["eventName"] == "REMOVE" else "NewImage"]
        {name: deserialize(attribute) for name, attribute in image.items()}
    files = []
    for name, rows_of_type in rows.items():
        file = BytesIO()
        fastavro.writer(file, _SCHEMAS[name], rows_of_type, codec="null", sync_marker=SYNC_MARKER)
        files.append(file.getvalue())
    return len(files)


_SCHEMAS = {name: writer_schema(record_type.schema) for name, record_type in load_record_types().items()}


def _rows_by_type(batch: Sequence[bytes]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for (name, _date), group in deliver(batch, load_record_types(), now=NOW).groups.items():
        rows[name].extend(group)
    return dict(rows)


def _memory(batches: Sequence[Sequence[bytes]]) -> tuple[int, int]:
    """Highest use of memory within a batch, and what is left of it after all of them, in bytes."""
    tracemalloc.start()
    try:
        _deliver_batch(batches[0])
        before, _peak = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for batch in batches:
            _deliver_batch(batch)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak - before, after - before


def _batches(records: Iterator[bytes]) -> list[list[bytes]]:
    everything = list(records)
    return [everything[start : start + BATCH] for start in range(0, len(everything), BATCH)]


def change_records(count: int, seed: int = 3292) -> Iterator[bytes]:
    """Seeded change records of all four types over two weeks of business dates; one in ten is a removal."""
    chance = random.Random(seed)  # noqa: S311 not cryptography
    serialize = TypeSerializer().serialize
    names = chance.choices(list(_SHARES), weights=list(_SHARES.values()), k=count)
    for number, name in enumerate(names):
        day = NOW - timedelta(days=chance.randrange(_DATES), seconds=chance.randrange(3600))
        stamp = f"{day.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
        image = {key: serialize(value) for key, value in _ITEMS[name](number, stamp, chance).items()}
        event_name = chance.choices(["INSERT", "MODIFY", "REMOVE"], weights=[6, 3, 1])[0]
        yield json.dumps(
            {
                "awsRegion": "us-east-1",
                "eventID": f"00000000-0000-4000-8000-{number:012d}",
                "eventName": event_name,
                "userIdentity": None,
                "recordFormat": "application/json",
                "tableName": "prd3292-local-dmnd-table",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1_750_000_000_000 + number,
                    "Keys": {"pk": {"S": f"{name}#{number}"}, "sk": {"S": stamp}},
                    "OldImage" if event_name == "REMOVE" else "NewImage": image,
                    "SizeBytes": 512,
                },
                "eventSource": "aws:dynamodb",
            }
        ).encode()


def _item(name: str, number: int) -> dict[str, Any]:
    return {"pk": f"{name}#{number}", "sk": "v1", "type": name, "ttl": 1_760_000_000 + number}


def _demand(number: int, stamp: str, chance: random.Random) -> dict[str, Any]:
    return _item("demand", number) | {
        "fanId": f"fan-{number:09d}",
        "eventId": f"event-{chance.randrange(5000)}",
        "saleId": f"sale-{chance.randrange(20000)}",
        "artistId": f"artist-{chance.randrange(900)}",
        "eventName": "An evening with the Benchmarks",
        "requestedDateTime": stamp,
        "phoneNumber": f"+1555{chance.randrange(10**7):07d}",
        "email": f"fan{number}@example.com",
        "contactMethod": chance.choice(["sms", "email"]),
        "demandType": chance.choice(["remind", "invite"]),
        "date": {"requested": stamp, "triggered": stamp},
        "systemUserId": f"HOST-NTL.{number}",
    }


def _notification(number: int, stamp: str, chance: random.Random) -> dict[str, Any]:
    return _item("notification", number) | {
        "fanId": f"fan-{number:09d}",
        "eventId": f"event-{chance.randrange(5000)}",
        "saleId": f"sale-{chance.randrange(20000)}",
        "saleName": "Presale",
        "messageBody": "Tickets for An evening with the Benchmarks go on sale in one hour. Reply STOP to opt out.",
        "phoneNumber": f"+1555{chance.randrange(10**7):07d}",
        "contactMethod": "sms",
        "statusId": chance.choice(["CREATED", "QUEUED", "SENT", "DELIVERED", "FAILED"]),
        "date": {"created": stamp, "updated": stamp},
    }


def _sale(number: int, stamp: str, chance: random.Random) -> dict[str, Any]:
    return _item("sale", number) | {
        "id": f"sale-{number}",
        "eventId": f"event-{chance.randrange(5000)}",
        "saleTypes": ["presale", "fan club"],
        "name": "Presale",
        "saleStartDate": stamp[:10],
        "saleStartDateTime": stamp,
        "saleEndDateTime": "2025-12-31T23:59:59Z",
    }


def _event(number: int, stamp: str, chance: random.Random) -> dict[str, Any]:
    sizes = [(100, 56), (205, 115), (305, 203), (640, 360), (1024, 576), (2048, 1152)]
    return _item("event", number) | {
        "id": f"event-{number}",
        "name": "An evening with the Benchmarks",
        "isSuppressed": False,
        "url": f"https://example.com/event/{number}",
        "locale": "en-us",
        "eventDate": {"start": {"dateTime": "2025-12-01T01:00:00Z", "localDate": "2025-11-30"}},
        "date": {"firstSeen": stamp, "updated": stamp},
        "classifications": [
            {"segment": "Music", "genre": "Rock", "subGenre": "Pop", "type": "Group", "subType": "Band"}
        ],
        "images": [
            {
                "url": f"https://example.com/{number}/{width}.jpg",
                "width": width,
                "height": height,
                "attribution": "N. N.",
            }
            for width, height in sizes
        ],
        "promoter": {"id": "494", "name": "Benchmark Concerts"},
        "promoters": [{"id": "494", "name": "Benchmark Concerts"}],
        "ticketing": {"safeTix": True},
        "venues": [
            {
                "id": f"venue-{chance.randrange(300)}",
                "name": "The Bench",
                "address": "1 Main Street",
                "location": _location(chance),
                "markets": [{"id": "27", "name": "Los Angeles"}],
            }
        ],
        "attractions": [
            {"id": "a-1", "name": "The Benchmarks", "url": "https://example.com/a-1", "type": "attraction"}
        ],
    }


def _location(chance: random.Random) -> dict[str, Any]:
    return {"longitude": Decimal(chance.randrange(-180_000, 180_000)) / 1000, "latitude": Decimal("34.0430")}


_ITEMS: dict[str, Callable[[int, str, random.Random], dict[str, Any]]] = {
    "demand": _demand,
    "notification": _notification,
    "sale": _sale,
    "event": _event,
}
