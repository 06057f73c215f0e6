"""The ledger: what was sent, by record type and business date.

One file for each batch of traffic, below the workspace's ``ledger/``; together they tell all that was ever sent to the
pipeline that runs.
"""

from __future__ import annotations

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


@dataclass
class Ledger:
    """What one batch of traffic sent.

    Attributes:
        seed: What it was drawn from.
        types: What was sent of the four types, by type and business date.
        filtered: What the event source mapping's filter drops, by what is wrong with it.
        flaws: The invalid records, by what is wrong with them.
        failing_batches: How many batches the function was to crash on.
        last_sequence_numbers: The last record sent, by shard.
    """

    seed: int
    types: dict[str, dict[str, Sent]] = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)
    flaws: dict[str, int] = field(default_factory=dict)
    failing_batches: int = 0
    last_sequence_numbers: dict[str, str] = field(default_factory=dict)

    def add(self, one: Planned) -> None:
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
        sent.duplicated += one.duplicate
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

    def save(self, folder: Path) -> Path:
        """Write the ledger as the next file of a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{len(list(folder.glob('*.json'))) + 1:03}.json"
        path.write_text(json.dumps(asdict(self), indent=1, sort_keys=True), encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a ledger back."""
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        types = {
            record_type: {business_date: Sent(**sent) for business_date, sent in by_date.items()}
            for record_type, by_date in document.pop("types").items()
        }
        return cls(types=types, **document)


def load_all(folder: Path) -> list[Ledger]:
    """Every ledger of a folder, oldest first."""
    return [Ledger.load(path) for path in sorted(folder.glob("*.json"))]


def sent_by_type(ledgers: Iterable[Ledger]) -> Counter[str]:
    """How many records of each of the four types were sent, good and bad."""
    counts: Counter[str] = Counter()
    for ledger in ledgers:
        for record_type, _, sent in ledger.entries():
            counts[record_type] += sent.valid + sent.invalid
    return counts


def _count(counts: dict[str, int], flaw: str | None) -> None:
    counts[flaw or ""] = counts.get(flaw or "", 0) + 1
