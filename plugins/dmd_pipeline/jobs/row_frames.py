"""Rows in memory as Great Expectations' pandas engine takes them, and what it computes of them."""

from __future__ import annotations

import warnings
from math import isnan
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import ExpectationsError


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    from dmd_pipeline.rows import Row


# Values of a column that are worth sharing among rows; of identifiers, which are mostly different, sharing costs more.
_SHARED_VALUES: Final = 1_000


def frame_of(columns: Mapping[str, Callable[[Row, date], Any]], rows: Iterable[tuple[Row, date]]) -> Any:
    """The columns of rows as pandas takes them, with Python's own values: it guesses no types.

    Args:
        columns: By name, what reads one from a row and its partition date.
        rows: Read once; nothing of them is kept but the columns.
    """
    import pandas  # type: ignore[import-untyped]

    readers = [_Reader(read) for read in columns.values()]
    for row, day in rows:
        for reader in readers:
            reader.add(row, day)
    return pandas.DataFrame({name: reader.cells for name, reader in zip(columns, readers, strict=True)}, dtype=object)


class _Reader:
    """Collects a column. Equal texts are one object: of a few statuses or of one date there need not be thousands."""

    def __init__(self, read: Callable[[Row, date], Any]) -> None:
        self.cells: list[Any] = []
        self._read = read
        self._shared: dict[str, str] = {}

    def add(self, row: Row, day: date) -> None:
        value = self._read(row, day)
        if isinstance(value, str):
            value = self._shared.get(value, value)
            if len(self._shared) < _SHARED_VALUES:
                self._shared[value] = value
        elif isinstance(value, dict | list):
            value = True  # only whether it is there matters
        elif isinstance(value, float) and isnan(value):
            value = "NaN"  # pandas takes it for missing, SQL does not
        self.cells.append(value)


def compute(metrics: Sequence[Any], frame: Any) -> Mapping[Any, Any]:
    """What Great Expectations computes of a frame, by the metrics' id.

    Raises:
        ExpectationsError: A metric cannot be computed; names it, and nothing of the rows.
    """
    import pandas
    from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
    from great_expectations.validator.metrics_calculator import MetricsCalculator

    engine = PandasExecutionEngine()
    engine.load_batch_data("partition", frame)
    with warnings.catch_warnings(), pandas.option_context("mode.string_storage", "python"):
        # Regular expressions are Python's own, in an environment with pyarrow too, to which pandas would give some.
        # It also warns of groups in them, which are welcome.
        warnings.filterwarnings("ignore", "This pattern is interpreted as a regular expression")
        computed: Mapping[Any, Any]
        computed, aborted = MetricsCalculator(engine).compute_metrics(list(metrics))
    if aborted:
        names = sorted({str(identity.metric_name) for identity in aborted})
        raise ExpectationsError(f"Great Expectations cannot compute {', '.join(names)} of the columns")
    return computed
