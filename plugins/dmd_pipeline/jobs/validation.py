"""Validate a partition against its suite: Great Expectations decides, on numbers that either engine counted.

An expectation needs only a few numbers, which Great Expectations calls metrics: rows, nulls, unexpected values. There
are two ways to get them, and one way from there to a verdict::

    rows of the Avro files ── Great Expectations' pandas engine ──┐
                                                                  ├─ numbers ── metrics_validate ── outcomes
    one statement in Athena ── measures.counts_of ────────────────┘

so thresholds, ``mostly``, rounding and wording are the same code whoever counted. Nothing is written: neither the
files nor the "data context" that Great Expectations keeps elsewhere exist here.

Cost: no call to AWS. The first :class:`Validator` of a process takes the seconds of
:func:`dmd_pipeline.jobs.expectation_library.load`, a partition about a tenth of a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import ExpectationsError
from dmd_pipeline.jobs import expectation_library
from dmd_pipeline.jobs.data_docs import data_docs_page
from dmd_pipeline.jobs.partition_facts import FACT_METRIC
from dmd_pipeline.jobs.row_frames import compute, frame_of
from dmd_pipeline.masking import masked


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from dmd_pipeline.checked_columns import CheckedColumn
    from dmd_pipeline.expectations import Expectation, Suite
    from dmd_pipeline.measures import Counts, PartitionCounts
    from dmd_pipeline.rows import Row

    Numbers = Mapping[Any, Any]  # by MetricConfigurationID


SAMPLES: Final = 10
"""Failing rows that are shown of each expectation, at most."""

REFERENCE: Final = ("reference.id", "reference.timestamp")
"""What a failing row is found by."""

_RESULT_FORMAT: Final = MappingProxyType({"result_format": "BASIC", "partial_unexpected_count": 0})

_UNUSED: Final = (".unexpected_values", ".unexpected_index_query")


@dataclass(frozen=True)
class Failing:
    """A row that breaks an expectation, masked.

    Attributes:
        reference_id: Its ``reference.id``.
        reference_timestamp: Its ``reference.timestamp``.
        value: What is wrong with it; of an expectation of several columns, all of them.
    """

    reference_id: str
    reference_timestamp: str
    value: str


@dataclass(frozen=True)
class Outcome:
    """What came of one expectation.

    Attributes:
        expectation: Of the suite.
        passed: Whether it holds.
        observed: Percent of unexpected values among those looked at, or the number that is expected to lie between two
            bounds; None when there was nothing to look at.
        element_count: Rows of the partition; None where rows are not what is looked at.
        unexpected_count: Rows that break it; None likewise.
        expected: Beside ``observed``, for people: "at most 0.1 % unexpected".
        sample: Some of the rows that break it; none when it holds.
    """

    expectation: Expectation
    passed: bool
    observed: float | None
    element_count: int | None
    unexpected_count: int | None
    expected: str
    sample: tuple[Failing, ...] = ()


@dataclass(frozen=True)
class Validation:
    """What came of a partition. One without rows is no success, whatever its outcomes: nothing was looked at.

    Attributes:
        suite: What was expected.
        rows: Of the partition.
        outcomes: One for each expectation, in the suite's order.
        results: Great Expectations' own, in the same order, for its Data Docs.
    """

    suite: Suite
    rows: int
    outcomes: tuple[Outcome, ...]
    results: tuple[Any, ...] = field(repr=False, compare=False)


class Validator:
    """Validates partitions. Make one for many: the first of a process loads Great Expectations."""

    def __init__(self) -> None:
        expectation_library.load()
        self._loaded: dict[tuple[str, str], tuple[_Check, ...]] = {}

    def in_memory(
        self,
        suite: Suite,
        columns: Mapping[str, CheckedColumn],
        rows: Iterable[tuple[Row, date]],
        facts: Mapping[str, float | None],
        *,
        samples: int = SAMPLES,
    ) -> Validation:
        """Validate rows that are at hand. Of each, only the columns that the suite speaks of are kept.

        Args:
            suite: What is expected.
            columns: The table's checked columns, by name.
            rows: As fastavro reads them, each with the partition date it lies under; read once.
            facts: What is known of the partition otherwise, by name; what is missing or None is not measured.
            samples: How many failing rows are shown of each expectation.

        Raises:
            ExpectationsError: An expectation cannot be checked on these columns.
        """
        checks = self._checks(suite)
        names = sorted({*suite.columns, *REFERENCE})
        frame = frame_of({name: columns[name].value for name in names}, rows)
        numbers = _counted(checks, frame)
        judged = [(check, check.judge(numbers, facts)) for check in checks]
        failing = {
            check.ours.id: _failing_rows(check, frame, min(samples, SAMPLES))
            for check, result in judged
            if not result.success and result.result.get("unexpected_count") and samples
        }
        return _validation(suite, len(frame), judged, failing, columns)

    def from_counts(
        self,
        suite: Suite,
        counts: PartitionCounts,
        facts: Mapping[str, float | None],
        samples: Mapping[str, Sequence[tuple[str, str, Any]]] | None = None,
        columns: Mapping[str, CheckedColumn] | None = None,
    ) -> Validation:
        """Validate what was counted elsewhere.

        Args:
            suite: What is expected, and what was counted for.
            counts: Of one partition.
            facts: As for :meth:`in_memory`.
            samples: By expectation, some of the rows that break it: ``reference.id``, ``reference.timestamp`` and the
                value, or a sequence of the values of an expectation of several columns. Not masked yet.
            columns: The table's checked columns, which tell what is personal; of a column that is not among them, only
                the shape is shown.

        Raises:
            ExpectationsError: An expectation was not counted.
        """
        judged = [(check, check.judge(_given(suite, check, counts), facts)) for check in self._checks(suite)]
        return _validation(suite, counts.rows, judged, samples or {}, columns or {})

    def document(self, validation: Validation, *, title: str, about: Mapping[str, str]) -> bytes:
        """Great Expectations' Data Docs page of a validation: HTML that needs nothing from elsewhere.

        Args:
            validation: Of either engine.
            title: Heads the page.
            about: What else there is to know, shown as a table.
        """
        return data_docs_page(validation, title=title, about=about)

    def _checks(self, suite: Suite) -> tuple[_Check, ...]:
        key = (suite.table, suite.digest)
        if key not in self._loaded:
            import great_expectations

            loaded = great_expectations.ExpectationSuite(**suite.config).expectations
            by_id = {(expectation.meta or {}).get("id"): expectation for expectation in loaded}
            self._loaded[key] = tuple(_Check.of(ours, by_id[ours.id]) for ours in suite.expectations)
        return self._loaded[key]


@dataclass(frozen=True)
class _Check:
    """An expectation, and what Great Expectations makes of it.

    Attributes:
        ours: As the suite says it.
        theirs: An instance of its class in Great Expectations.
        counted: Metrics that it needs and that are counted of rows. The result's format is part of their identity.
        fact: The metric that is given, with its name; if it needs one.
        unused: Metrics that it asks for and does not need: the failing values, which are shown apart, and masked.
    """

    ours: Expectation
    theirs: Any
    counted: tuple[Any, ...]
    fact: tuple[Any, str] | None
    unused: tuple[Any, ...]

    @classmethod
    def of(cls, ours: Expectation, theirs: Any) -> _Check:
        metrics = _metrics(theirs, _RESULT_FORMAT)
        unused = [metric for metric in metrics if metric.metric_name.endswith(_UNUSED)]
        facts = [metric for metric in metrics if metric.metric_name == FACT_METRIC]
        return cls(
            ours,
            theirs,
            counted=tuple(metric for metric in metrics if metric not in unused and metric not in facts),
            fact=(facts[0].id, facts[0].metric_value_kwargs["fact"]) if facts else None,
            unused=tuple(metric.id for metric in unused),
        )

    def judge(self, numbers: Numbers, facts: Mapping[str, float | None]) -> Any:
        """Great Expectations' own result."""
        known = {metric.id: numbers[metric.id] for metric in self.counted} | dict.fromkeys(self.unused)
        if self.fact is not None:
            metric_id, fact = self.fact
            known[metric_id] = facts.get(fact)
        return self.theirs.metrics_validate(known, runtime_configuration={"result_format": dict(_RESULT_FORMAT)})


def _metrics(theirs: Any, result_format: Mapping[str, Any]) -> list[Any]:
    configuration = {"result_format": dict(result_format)}
    dependencies = theirs.get_validation_dependencies(runtime_configuration=configuration)
    metrics: list[Any] = dependencies.get_metric_configurations()
    return metrics


# From rows to numbers


def _counted(checks: Sequence[_Check], frame: Any) -> Numbers:
    """What the expectations need to know of the rows."""
    wanted = {metric.id: metric for check in checks for metric in check.counted}
    return dict.fromkeys(wanted, 0) if frame.empty else compute(list(wanted.values()), frame)


def _failing_rows(check: _Check, frame: Any, limit: int) -> list[tuple[str, str, Any]]:
    """The first rows that break an expectation: what they are found by, and the values of its columns."""
    result_format = {**_RESULT_FORMAT, "include_unexpected_rows": True, "partial_unexpected_count": limit}
    (wanted,) = (
        metric for metric in _metrics(check.theirs, result_format) if metric.metric_name.endswith(".unexpected_rows")
    )
    rows = compute([wanted], frame)[wanted.id]
    subject = _subject(check.ours.kwargs)
    return [(row[REFERENCE[0]], row[REFERENCE[1]], [row[name] for name in subject]) for row in rows.to_dict("records")]


# From counts to numbers


def _given(suite: Suite, check: _Check, counts: PartitionCounts) -> Numbers:
    """What one expectation needs to know, as it was counted."""
    counted = counts.by_expectation.get(check.ours.id)
    numbers: dict[Any, int] = {}
    for metric in check.counted:
        if metric.metric_name == "table.row_count":
            numbers[metric.id] = counts.rows
        elif counted is None:
            raise ExpectationsError(f"{suite.table}: nothing was counted for the expectation {check.ours.id}")
        else:
            numbers[metric.id] = _number(metric.metric_name, check.theirs.map_metric, counted)
    return numbers


def _number(metric: str, map_metric: str, counted: Counts) -> int:
    numbers: dict[str, int] = {
        "column_values.nonnull.unexpected_count": counted.nulls,
        # Last, for an expectation of presence asks for the one above, and means this one.
        f"{map_metric}.unexpected_count": counted.unexpected,
        f"{map_metric}.filtered_row_count": counted.considered,
    }
    return numbers[metric]


# From numbers to outcomes


def _validation(
    suite: Suite,
    rows: int,
    judged: Sequence[tuple[_Check, Any]],
    samples: Mapping[str, Sequence[tuple[str, str, Any]]],
    columns: Mapping[str, CheckedColumn],
) -> Validation:
    outcomes = tuple(_outcome(check.ours, result, samples.get(check.ours.id, ()), columns) for check, result in judged)
    return Validation(suite, rows, outcomes, tuple(result for _, result in judged))


def _outcome(
    expectation: Expectation,
    result: Any,
    sample: Sequence[tuple[str, str, Any]],
    columns: Mapping[str, CheckedColumn],
) -> Outcome:
    found = result.result
    observed = found.get("unexpected_percent", found.get("observed_value"))
    return Outcome(
        expectation=expectation,
        passed=bool(result.success),
        observed=None if observed is None else float(observed),
        element_count=found.get("element_count"),
        unexpected_count=found.get("unexpected_count"),
        expected=_expected(expectation.kwargs, by_rows="unexpected_count" in found),
        sample=() if result.success else tuple(_failing(expectation, *row, columns) for row in sample[:SAMPLES]),
    )


def _expected(kwargs: Mapping[str, Any], *, by_rows: bool) -> str:
    if by_rows:
        # As it was written: 1 - 0.999 is not 0.001 in binary fractions.
        tolerated = (1 - Decimal(str(kwargs.get("mostly", 1)))) * 100
        return f"at most {tolerated.normalize():f} % unexpected" if tolerated else "none unexpected"
    bounds = {"at least": kwargs.get("min_value"), "at most": kwargs.get("max_value")}
    return " and ".join(f"{word} {bound:,}" for word, bound in bounds.items() if bound is not None)


def _failing(
    expectation: Expectation, reference_id: Any, timestamp: Any, value: Any, columns: Mapping[str, CheckedColumn]
) -> Failing:
    subject = _subject(expectation.kwargs)
    values = value if isinstance(value, list | tuple) else [value]
    between = " ≠ " if "column_A" in expectation.kwargs else ", "
    shown = between.join(
        masked(each, personal=name not in columns or columns[name].personal)
        for name, each in zip(subject, values, strict=True)
    )
    return Failing(masked(reference_id, personal=False), masked(timestamp, personal=False), shown)


def _subject(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation speaks of."""
    if "column_list" in kwargs:
        return tuple(kwargs["column_list"])
    return tuple(kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs)
