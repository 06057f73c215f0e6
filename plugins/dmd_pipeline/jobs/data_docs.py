"""A Data Docs page of a validation: Great Expectations' own renderer, on a page that needs nothing from elsewhere.

Great Expectations' page loads styles, scripts and pictures from six other machines, and shows what it measured without
saying why anybody should care. Here its renderer and its view make the content, and ``data_docs_templates/`` replaces
the frame around it: one style sheet in the page, no script, no picture, and a policy that forbids the browser the rest.
What the suite says for people is added to each expectation: its sentence and its severity.

No value of a row is on the page but the masked samples of the outcomes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.expectations import Severity


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dmd_pipeline.jobs.validation import Outcome, Validation


TEMPLATES: Final = Path(__file__).with_name("data_docs_templates")
"""Take the place of Great Expectations' own templates of the same names."""


def data_docs_page(validation: Validation, *, title: str, about: Mapping[str, str]) -> bytes:
    """The page, as HTML.

    Args:
        validation: What came of a partition.
        title: Heads the page.
        about: What else there is to know, shown as a table.
    """
    from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

    passed = sum(outcome.passed for outcome in validation.outcomes)
    document = ValidationResultsPageRenderer().render(
        ExpectationSuiteValidationResult(
            success=passed == len(validation.results) and validation.rows > 0,
            results=list(validation.results),
            suite_name=validation.suite.table,
            statistics={
                "evaluated_expectations": len(validation.results),
                "successful_expectations": passed,
                "unsuccessful_expectations": len(validation.results) - passed,
            },
        )
    )
    # Its overview says "Succeeded" or "Failed", which is not our verdict, and links to a page that is not there.
    overview, *sections = document.sections
    _, statistics, _ = overview.content_blocks
    overview.content_blocks = [_table([("Rows", f"{validation.rows:,}"), *about.items()], "facts"), statistics]
    for section, outcomes in zip(sections, _by_section(validation.outcomes), strict=True):
        _, table = section.content_blocks
        table.styling = {**table.styling, "body": {"classes": ["expectations"]}}
        table.header_row = [*table.header_row, "If broken"]
        table.table = [_explained(cells, outcome) for cells, outcome in zip(table.table, outcomes, strict=True)]
    document.page_title = title
    page: str = _view().render(document)
    return page.encode()


@cache
def _view() -> Any:
    from great_expectations.render.view.view import DefaultJinjaPageView
    from jinja2 import ChoiceLoader, FileSystemLoader

    view: Any = DefaultJinjaPageView()
    view.env.loader = ChoiceLoader([FileSystemLoader(TEMPLATES), view.env.loader])
    return view


def _by_section(outcomes: Sequence[Outcome]) -> Iterable[list[Outcome]]:
    """The outcomes as the renderer groups them: first what speaks of no single column, then by column, sorted."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.expectation.kwargs.get("column", ""), []).append(outcome)
    return (groups[column] for column in sorted(groups))


def _explained(cells: Sequence[Any], outcome: Outcome) -> list[Any]:
    """A row of the table: what is meant in words, too, and some of the rows that break it."""
    _, expectation, observed = cells
    warns = outcome.expectation.severity is Severity.WARN
    status = "passed" if outcome.passed else "warned" if warns else "failed"
    # After its own words come counts, as percent of what they are not counted of, and values that are not masked.
    condition = expectation[0] if isinstance(expectation, list) else expectation
    return [
        _text(status, "verdict", f"verdict-{status}", tag="span"),
        [_text(outcome.expectation.sentence, "sentence"), condition, *_broken(outcome)],
        observed,
        _text("warns" if warns else "fails"),
    ]


def _broken(outcome: Outcome) -> Iterable[Any]:
    if not outcome.passed and outcome.unexpected_count is not None:
        yield _text(f"{outcome.unexpected_count:,} of {outcome.element_count:,} rows break it.", "broken")
    if outcome.sample:
        rows = [(row.value, row.reference_id, row.reference_timestamp) for row in outcome.sample]
        yield _table(rows, "sample", header=("For example", "reference.id", "reference.timestamp"))


def _table(rows: Iterable[Sequence[str]], *classes: str, header: Sequence[str] = ()) -> Any:
    from great_expectations.render.components import RenderedTableContent

    return RenderedTableContent(
        table=[[_text(cell) for cell in row] for row in rows],
        header_row=list(header),
        styling={"classes": ["table-responsive"], "body": {"classes": list(classes)}},
    )


def _text(text: str, *classes: str, tag: str = "div") -> Any:
    """A text as Great Expectations' view escapes it: it does so with parameters only."""
    from great_expectations.render.components import RenderedStringTemplateContent

    return RenderedStringTemplateContent(
        string_template={
            "template": "$text",
            "params": {"text": text},
            "tag": tag,
            "styling": {"classes": list(classes)},
        },
    )
