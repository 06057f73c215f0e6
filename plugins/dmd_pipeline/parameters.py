"""What a run may be asked: which tables, and which dates; validated before anything is read or written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Self

from dmd_pipeline.errors import ParameterError
from dmd_pipeline.layout import PARTITION_KEY


if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


@dataclass(frozen=True)
class DateRange:
    """Partition dates from ``first`` to ``last``, both included; None is an open end.

    >>> date(2025, 6, 30) in DateRange.between("2025-06-01", None)
    True
    """

    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ParameterError(f"from_date {self.first} is after to_date {self.last}: swap them, or leave one out")

    @classmethod
    def between(cls, from_date: str | date | None, to_date: str | date | None) -> Self:
        """Read the Params ``from_date`` and ``to_date``.

        Raises:
            ParameterError: One of them is not a date, or from is after to.
        """
        return cls(_date("from_date", from_date), _date("to_date", to_date))

    def __contains__(self, partition_date: object) -> bool:
        return isinstance(partition_date, date) and not (
            (self.first is not None and partition_date < self.first)
            or (self.last is not None and partition_date > self.last)
        )

    def __str__(self) -> str:
        return f"{self.first or 'the first'} to {self.last or 'the last'}"

    @property
    def glue_expression(self) -> str | None:
        """The range as Glue filters partitions by it, None when both ends are open."""
        bounds = ((">=", self.first), ("<=", self.last))
        return " AND ".join(f"{PARTITION_KEY} {sign} '{bound}'" for sign, bound in bounds if bound) or None


def consecutive(dates: Iterable[date]) -> list[tuple[date, date]]:
    """First and last of each run of days that follow one another, sorted.

    >>> [str(last) for _, last in consecutive([date(2024, 3, 1), date(2024, 2, 28), date(2024, 2, 29)])]
    ['2024-03-01']
    """
    runs: list[tuple[date, date]] = []
    for day in sorted(set(dates)):
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = runs[-1][0], day
        else:
            runs.append((day, day))
    return runs


def chosen_tables(asked: Sequence[str] | None, known: Collection[str]) -> tuple[str, ...]:
    """The tables a run acts on, sorted and each once: those asked for, or all when none is named.

    Raises:
        ParameterError: One of them is not a table of this project.
    """
    unknown = sorted(set(asked or ()) - set(known))
    if unknown:
        raise ParameterError(f"tables: unknown {', '.join(map(repr, unknown))}; known are {', '.join(sorted(known))}")
    return tuple(sorted(set(asked or known)))


def _date(parameter: str, value: str | date | None) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        parsed = date.fromisoformat(value)
    except ValueError:
        parsed = None
    # fromisoformat also reads 20250601 and 2025-W23-1, which are no partition dates.
    if parsed is None or parsed.isoformat() != value:
        raise ParameterError(f"{parameter}: expected a date as YYYY-MM-DD, found {value!r}")
    return parsed
