"""What comes of a statement, on the local Athena and on Trino, in a form in which the two can be compared.

Rows are multisets of texts. Doubles have 12 significant digits and reals 6: sums depend on the order of the rows.
"""

from __future__ import annotations

import base64
import math
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trino.exceptions import TrinoQueryError

from local.athena.errors import QueryError
from local.athena.results import text_of
from tests.trino.type_names import parse


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from local.athena.queries import QueryRunner
    from local.athena.types import Type
    from local.trino import Trino

Row = tuple["str | None", ...]
_DIGITS = {"double": 12, "real": 6}
_MOST_SHOWN = 5
BROKEN_OFF = "BROKEN_OFF"
"""Our name for answers that end or differ from their own types because Trino fails while it writes them."""
_SHOWN_DIGITS = 3
_SECONDS_UNTIL_NODE = 30


@dataclass(frozen=True)
class Outcome:
    """What came of a statement.

    Attributes:
        columns: Name and type of each column, as Trino displays types.
        rows: How often each row came.
        error: Name of the error, when it failed.
        message: The error's message, for people.
    """

    columns: tuple[tuple[str, str], ...] = ()
    rows: Counter[Row] = field(default_factory=Counter)
    error: str | None = None
    message: str = ""


def on_local(runner: QueryRunner, sql: str, database: str | None, now: datetime) -> Outcome:
    """Run a statement on the local Athena."""
    try:
        found = runner.run(sql, database, now)
    except QueryError as error:
        return Outcome(error=error.name, message=error.reason)
    kinds = [column.type for column in found.columns]
    return Outcome(
        tuple((column.name, str(column.type)) for column in found.columns), _rows(found.rows, kinds, _local_leaf)
    )


def on_trino(trino: Trino, sql: str, database: str | None) -> Outcome:
    """Run a statement on Trino; a busy machine's newly started one may need seconds until its only node is known."""
    for _ in range(_SECONDS_UNTIL_NODE):
        outcome = _asked(trino, sql, database)
        if outcome.error != "NO_NODES_AVAILABLE":
            break
        time.sleep(1)
    return outcome


def _asked(trino: Trino, sql: str, database: str | None) -> Outcome:
    try:
        with trino.connect(database) as connection:
            cursor: Any = connection.cursor()
            cursor.execute(sql)
            rows = cursor.fetchall()
            described = [(column[0], column[1]) for column in cursor.description]
    except TrinoQueryError as error:
        return Outcome(error=error.error_name, message=error.message)
    except KeyError as error:  # the client looks for what an answer that breaks off lacks
        return Outcome(error=BROKEN_OFF, message=f"the answer lacks {error}")
    kinds = [parse(text) for _, text in described]
    columns = tuple((name, str(kind)) for (name, _), kind in zip(described, kinds, strict=True))
    try:
        return Outcome(columns, _rows(rows, kinds, _trino_leaf))
    except ValueError as error:  # a row with more or fewer fields than its type
        return Outcome(error=BROKEN_OFF, message=str(error))


def difference(local: Outcome, trino: Outcome, tolerance: float = 0.0) -> str | None:
    """What differs, for people; None when nothing does."""
    if local.error != trino.error:
        return f"local: {_ending(local)}\ntrino: {_ending(trino)}"
    if local.columns != trino.columns:
        return f"local columns: {local.columns}\ntrino columns: {trino.columns}"
    if local.rows == trino.rows or (tolerance and _close(local.rows, trino.rows, tolerance)):
        return None
    return f"only local: {_some(local.rows - trino.rows)}\nonly trino: {_some(trino.rows - local.rows)}"


def _ending(outcome: Outcome) -> str:
    if outcome.error is not None:
        return f"{outcome.error} ({outcome.message})"
    return f"{outcome.rows.total()} rows {_some(outcome.rows)}"


def _some(rows: Counter[Row]) -> str:
    shown = [str(row) for row in list(rows.elements())[:_MOST_SHOWN]]
    return ", ".join(shown) + (" …" if rows.total() > _MOST_SHOWN else "")


def _close(local: Counter[Row], trino: Counter[Row], tolerance: float) -> bool:
    """Whether the rows, in the order of their texts, differ by no more than the tolerance."""
    pairs = zip(sorted(local.elements(), key=str), sorted(trino.elements(), key=str), strict=False)
    return local.total() == trino.total() and all(
        one == other or _near(one, other, tolerance)
        for row, row2 in pairs
        for one, other in zip(row, row2, strict=True)
    )


def _near(one: str | None, other: str | None, tolerance: float) -> bool:
    try:
        return one is not None and other is not None and math.isclose(float(one), float(other), rel_tol=tolerance)
    except ValueError:
        return False


def _rows(rows: Sequence[Sequence[Any]], kinds: Sequence[Type], leaf: Callable[[Any, Type], str]) -> Counter[Row]:
    return Counter(tuple(_text(value, kind, leaf) for value, kind in zip(row, kinds, strict=True)) for row in rows)


def _text(value: Any, kind: Type, leaf: Callable[[Any, Type], str]) -> str | None:
    if value is None:
        return None
    match kind.name:
        case "array":
            return f"[{', '.join(str(_text(one, kind.element, leaf)) for one in value)}]"
        case "map":
            key, element = kind.elements
            # A map has no order.
            pairs = sorted(f"{_text(one, key, leaf)}={_text(two, element, leaf)}" for one, two in value.items())
            return f"{{{', '.join(pairs)}}}"
        case "row":
            values = value.values() if isinstance(value, dict) else value
            fields = (str(_text(one, inner, leaf)) for one, inner in zip(values, kind.elements, strict=True))
            return f"({', '.join(fields)})"
        case "double" | "real":
            return f"{float(value):.{_DIGITS[kind.name]}g}"
    return leaf(value, kind)


def _local_leaf(value: Any, kind: Type) -> str:
    written = str(text_of(value, kind))
    if kind.name.startswith("timestamp") and kind.numbers[0] < _SHOWN_DIGITS:
        # Athena shows milliseconds whatever the type's precision; Trino shows the type's digits.
        digits = kind.numbers[0]
        return re.sub(r"\.(\d+)", lambda found: f".{found[1][:digits]}" if digits else "", written, count=1)
    return written


def _trino_leaf(value: Any, kind: Type) -> str:
    match kind.name:
        case "boolean":
            return "true" if value in (True, "true") else "false"
        case "varbinary":
            return base64.b64decode(value).hex(" ")
    return str(value)
