"""The ledger: what was sent, by record type and business date.

One file for each batch of traffic, below the workspace's ``ledger/``; together they tell all that was ever sent to the
pipeline that runs. The file is never behind the stream: what a PutRecords is about to send is written down before it,
and entered after it. When a sender dies in between, ``local.traffic.settling`` asks the stream what came through.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Self


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from local.traffic.plan import Planned


@dataclass
class Sent:
    """What was sent of one record type for one business date.

    Attributes:
        valid: Records that become rows.
        invalid: Records that go to errors/.
        duplicated: Those of the valid that were sent before.
        removed: Those of the valid that tell of a removal.
    """

    valid: int = 0
    invalid: int = 0
    duplicated: int = 0
    removed: int = 0


@dataclass(frozen=True)
class UnderWay:
    """A record that is about to be sent: all that the ledger enters of it, and how to know it again on the stream.

    Attributes:
        digest: SHA-256 of its bytes.
        record_type: As in ``Planned``; so are the others.
    """

    digest: str
    record_type: str | None
    business_date: str
    flaw: str | None
    removed: bool
    duplicate: bool

    @classmethod
    def of(cls, one: Planned) -> Self:
        """What to write down of a planned record."""
        return cls(
            digest(one.data), one.record_type, one.business_date, one.flaw, removed=one.removed, duplicate=one.duplicate
        )


@dataclass
class Ledger:
    """What one batch of traffic sent.

    Attributes:
        seed: What it was drawn from.
        types: What was sent of the four types, by type and business date.
        filtered: What the event source mapping's filter drops, by what is wrong with it.
        flaws: The invalid records, by what is wrong with them.
        repeated: Digests of the records that were sent before, one for each time.
        crash_points: Where the function was to crash, for each batch that was to fail.
        last_sequence_numbers: The last record sent, by shard, in this batch of traffic or in one before it.
        under_way: Records of which it is not known yet whether they were sent; none once the batch is sent.
    """

    seed: int
    types: dict[str, dict[str, Sent]] = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)
    flaws: dict[str, int] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    crash_points: list[str] = field(default_factory=list)
    last_sequence_numbers: dict[str, str] = field(default_factory=dict)
    under_way: list[UnderWay] = field(default_factory=list)

    def add(self, one: Planned | UnderWay) -> None:
        """Enter a record."""
        if one.record_type is None:
            _count(self.filtered, one.flaw)
            return
        sent = self.types.setdefault(one.record_type, {}).setdefault(one.business_date, Sent())
        if one.flaw is not None:
            _count(self.flaws, one.flaw)
            sent.invalid += 1
            return
        sent.valid += 1
        if one.duplicate:
            sent.duplicated += 1
            self.repeated.append((one if isinstance(one, UnderWay) else UnderWay.of(one)).digest)
        sent.removed += one.removed

    @property
    def total(self) -> int:
        """How many records were sent in all."""
        return sum(self.filtered.values()) + sum(one.valid + one.invalid for _, _, one in self.entries())

    def entries(self) -> Iterator[tuple[str, str, Sent]]:
        """Record type, business date and what was sent of them."""
        for record_type, by_date in sorted(self.types.items()):
            for business_date, sent in sorted(by_date.items()):
                yield record_type, business_date, sent

    def save(self, path: Path) -> None:
        """Write the ledger into its file, which is never half written."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), indent=1, sort_keys=True), encoding="utf-8")
        fresh.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a ledger back."""
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        types = {
            record_type: {business_date: Sent(**sent) for business_date, sent in by_date.items()}
            for record_type, by_date in document.pop("types").items()
        }
        under_way = [UnderWay(**one) for one in document.pop("under_way")]
        return cls(types=types, under_way=under_way, **document)


@dataclass
class Journal:
    """A ledger and its file, while its batch of traffic is sent.

    Attributes:
        ledger: The ledger.
        path: The file.
    """

    ledger: Ledger
    path: Path

    def about_to_send(self, planned: Iterable[Planned]) -> None:
        """Write down what goes out next."""
        self.ledger.under_way = [UnderWay.of(one) for one in planned]
        self.ledger.save(self.path)

    def sent(self) -> None:
        """Enter what went out."""
        for one in self.ledger.under_way:
            self.ledger.add(one)
        self.ledger.under_way = []
        self.ledger.save(self.path)


def next_journal(folder: Path, seed: int | None, crash_points: Iterable[str]) -> Journal:
    """The ledger of the next batch of traffic.

    Args:
        folder: Where the ledgers are.
        seed: What the batch is drawn from; None for one above all that were used.
        crash_points: Where the function is to crash, for each batch that is to fail.
    """
    ledgers = load_all(folder)
    if seed is None:
        seed = max((ledger.seed for ledger in ledgers), default=0) + 1
    # A ledger goes on where the one before it ended: so one that was interrupted knows where on the stream it begins.
    before = dict(ledgers[-1].last_sequence_numbers) if ledgers else {}
    return Journal(
        Ledger(seed, crash_points=list(crash_points), last_sequence_numbers=before),
        folder / f"{len(ledgers) + 1:03}.json",
    )


def load_all(folder: Path) -> list[Ledger]:
    """Every ledger of a folder, oldest first."""
    return [Ledger.load(path) for path in files(folder)]


def files(folder: Path) -> list[Path]:
    """The ledgers' files, oldest first."""
    return sorted(folder.glob("*.json"))


def digest(data: bytes) -> str:
    """What a record is known by in ``under_way``: the ledger holds no personal data."""
    return hashlib.sha256(data).hexdigest()


def sent_by_type(ledgers: Iterable[Ledger]) -> Counter[str]:
    """How many records of each of the four types were sent, good and bad."""
    counts: Counter[str] = Counter()
    for ledger in ledgers:
        for record_type, _, sent in ledger.entries():
            counts[record_type] += sent.valid + sent.invalid
    return counts


def valid_by_date(ledgers: Iterable[Ledger]) -> Counter[tuple[str, str]]:
    """How many valid records were sent, by record type and business date."""
    counts: Counter[tuple[str, str]] = Counter()
    for ledger in ledgers:
        for record_type, business_date, sent in ledger.entries():
            counts[record_type, business_date] += sent.valid
    return counts


def times_sent(ledgers: Iterable[Ledger]) -> Counter[str]:
    """How often each record that was sent more than once was sent, by its digest."""
    repeated = Counter(name for ledger in ledgers for name in ledger.repeated)
    return Counter({name: 1 + count for name, count in repeated.items()})


def _count(counts: dict[str, int], flaw: str | None) -> None:
    counts[flaw or ""] = counts.get(flaw or "", 0) + 1
