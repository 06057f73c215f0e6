"""The Data Docs page of a validation: what it says, what it must not say, and what it looks like."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.expectations import Severity
from dmd_pipeline.jobs.validation import Validator
from tests.integration.jobs.small_suites import (
    DAY,
    FACT,
    IN_SET,
    KEY,
    MATCH,
    NOT_MATCH,
    NOT_NULL,
    PAIR,
    ROW_COUNT,
    STAMP,
    UNIQUE,
    columns,
    counted,
    expectation,
    suite,
)


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from dmd_pipeline.jobs.validation import Validation

MAIL = "jane.doe@fans.example.com"
PHONE = "+1-555-0142"
TAG = "<script>alert('$tag')</script>"

SUITE = suite(
    expectation("rows", ROW_COUNT, min_value=1, sentence="A partition with files has rows."),
    expectation("known", IN_SET, column="status", value_set=["SENT"], sentence=f"Statuses are known, {TAG}."),
    expectation("sent", MATCH, column="status", regex="^[A-Z]+$", sentence="Statuses are words."),
    expectation(
        "mailed", NOT_NULL, column="email", mostly=0.5, severity=Severity.WARN, sentence="Most rows have an address."
    ),
    expectation("redacted", NOT_MATCH, column="email", regex="@", sentence="Deleted rows have no address left."),
    expectation("same", PAIR, column_A="a", column_B="b", ignore_row_if="either_value_is_missing", sentence="Equal."),
    expectation("unique", UNIQUE, **KEY, sentence="A change is there once."),
    expectation("fresh", FACT, fact="hours_since_newest_file", max_value=36, sentence="Files come every day."),
    expectation("usual", FACT, fact="share_of_usual_rows", min_value=0.5, sentence="As many rows as on other days."),
)
COLUMNS = columns("status", "a", "b", personal="email")
FACTS = {"share_of_usual_rows": 0.25}


def a_row(number: int, **values: Any) -> tuple[dict[str, Any], Any]:
    row = {"status": "SENT", "email": None, "a": "x", "b": "x"}
    return row | {"reference.id": f"event-{number}_{PHONE}", "reference.timestamp": STAMP} | values, DAY


BROKEN = [a_row(1, status=TAG), a_row(2, email=MAIL), a_row(3, b="y"), a_row(4, status=MAIL), a_row(4)]
WHOLE = [a_row(1, email="[redacted]"), a_row(2, email="[redacted]")]


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


@pytest.fixture(scope="module")
def broken(validator: Validator) -> Validation:
    """Everything that is expected of the rows is broken."""
    return validator.in_memory(SUITE, COLUMNS, BROKEN, FACTS)


def page_of(validator: Validator, validation: Validation, **about: str) -> str:
    return validator.document(validation, title="demand, 2026-03-01", about=about).decode()


class Elements(HTMLParser):
    """What an HTML page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


class TestWhatItSays:
    def test_each_expectation_says_what_is_meant_and_how_it_came_out(
        self, validator: Validator, broken: Validation
    ) -> None:
        text = Elements(page_of(validator, broken)).text
        for said in (
            "passed A partition with files has rows. Must have greater than or equal to 1 rows. 5 fails",
            "failed A change is there once. Values for given compound columns must be unique together:",
            "2 of 5 rows break it. For example reference.id reference.timestamp",
            "warned Most rows have an address. values must not be null, at least 50 % of the time. 4 of 5 rows break",
            "passed Files come every day. The partition's hours_since_newest_file must be at most 36 , where",
            "where it is known. not measured fails",
            "failed As many rows as on other days. The partition's share_of_usual_rows must be at least 0.5 , where",
            "where it is known. 0.25 fails",
            "failed Equal. Values in a and b must always be equal. 1 of 5 rows break it.",
            f"x ≠ y event-3_+9-999-9999 {STAMP}",
            "Evaluated Expectations 9 Successful Expectations 2 Unsuccessful Expectations 7",
        ):
            assert said in text

    def test_a_suite_of_expectations_of_single_columns_has_its_own_sections(self, validator: Validator) -> None:
        wanted = suite(*(each for each in SUITE.expectations if each.id in {"redacted", "known"}))
        text = Elements(page_of(validator, validator.in_memory(wanted, COLUMNS, BROKEN, {}))).text
        assert text.index("Deleted rows have no address left.") < text.index("Statuses are known")

    def test_it_tells_what_else_there_is_to_know(self, validator: Validator, broken: Validation) -> None:
        text = Elements(page_of(validator, broken, Verdict="failed", Engine="memory")).text
        assert "Rows 5 Verdict failed Engine memory" in text
        assert text.startswith("demand, 2026-03-01")

    def test_of_counts_it_says_the_same(self, validator: Validator, broken: Validation) -> None:
        counts = counted(
            5,
            known=(0, 2, 5),
            sent=(0, 2, 5),
            mailed=(4, 4, 5),
            redacted=(4, 1, 1),
            same=(0, 1, 5),
            unique=(0, 2, 5),
        )
        samples: dict[str, list[tuple[str, str, Any]]] = {
            "known": [(row["reference.id"], STAMP, row["status"]) for row, _ in BROKEN if row["status"] != "SENT"],
            "mailed": [(row["reference.id"], STAMP, None) for row, _ in BROKEN if row["email"] is None],
            "redacted": [(row["reference.id"], STAMP, MAIL) for row, _ in BROKEN if row["email"]],
            "same": [(row["reference.id"], STAMP, ("x", "y")) for row, _ in BROKEN if row["b"] == "y"],
            "unique": [(row["reference.id"], STAMP, (row["reference.id"], STAMP)) for row, _ in BROKEN[3:]],
        }
        samples["sent"] = samples["known"]
        validation = validator.from_counts(SUITE, counts, FACTS, samples, COLUMNS)
        assert validation == broken
        assert page_of(validator, validation) == page_of(validator, broken)

    def test_a_partition_without_rows_has_a_page(self, validator: Validator) -> None:
        text = Elements(page_of(validator, validator.in_memory(SUITE, COLUMNS, [], {}))).text
        assert "Rows 0" in text
        assert "failed A partition with files has rows." in text


class TestWhatItMustNotSay:
    def test_no_personal_data(self, validator: Validator, broken: Validation) -> None:
        page = page_of(validator, broken)
        assert "xxxx.xxx@xxxx.xxxxxxx.xxx" in page, "the rows in question are shown"
        for personal in (MAIL, "jane", "fans.example", PHONE, "555"):
            assert personal not in page

    def test_no_markup_from_elsewhere(self, validator: Validator, broken: Validation) -> None:
        elements = Elements(validator.document(broken, title=TAG, about={TAG: TAG}).decode())
        assert "script" not in elements.tags
        # The title is there twice, the value in the samples of two expectations; it is text, to the last sign.
        assert elements.text.count(TAG) == len(["title", "heading", "about", "about", "sentence", "value", "value"])

    def test_nothing_is_loaded_and_no_link_leads_away(self, validator: Validator, broken: Validation) -> None:
        page = page_of(validator, broken)
        elements = Elements(page)
        assert not elements.tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "audio"}
        targets = [value for name, value in elements.attributes if name in {"src", "href", "action", "srcset", "data"}]
        assert targets
        assert all(re.fullmatch(r"#[\w-]+", target) for target in targets)
        assert not re.search(r"url\(|@import|//[a-z]", page, re.IGNORECASE)
        assert "default-src 'none'; style-src 'unsafe-inline'" in page


CONTRAST = """
element => {
  const light = colour => {
    const [r, g, b] = colour.match(/[0-9.]+/g).slice(0, 3).map(Number).map(c => c / 255)
      .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(light);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}
"""


class TestWhatItLooksLike:
    @pytest.fixture(params=["light", "dark"])
    def shown(
        self, request: pytest.FixtureRequest, browser: Browser, validator: Validator, broken: Validation, tmp_path: Path
    ) -> Iterator[Page]:
        file = tmp_path / "page.html"
        file.write_bytes(validator.document(broken, title="demand, 2026-03-01", about={"Verdict": "failed"}))
        context = browser.new_context(color_scheme=request.param, viewport={"width": 1200, "height": 900})
        page = context.new_page()
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(file.as_uri())
        yield page
        page.screenshot(path=tmp_path / f"data-docs-{request.param}.png", full_page=True)
        context.close()
        assert asked == [file.as_uri()]
        assert complaints == []

    def test_all_of_it_can_be_read(self, shown: Page) -> None:
        texts = shown.locator("h1, p, label, a, h5, h6, th, td div, .badge, .verdict, .broken, footer").all()
        visible = [element for element in texts if element.is_visible()]
        assert len(visible) > 100
        assert min(element.evaluate(CONTRAST) for element in visible) >= 4.5

    def test_nothing_is_wider_than_the_window(self, shown: Page) -> None:
        for width in (1200, 400):
            shown.set_viewport_size({"width": width, "height": 900})
            assert shown.evaluate("document.documentElement.scrollWidth") <= width

    def test_what_holds_can_be_hidden(self, shown: Page) -> None:
        assert shown.get_by_text("A partition with files has rows.").is_visible()
        shown.get_by_label("Only what does not hold").check()
        assert not shown.get_by_text("A partition with files has rows.").is_visible()
        assert shown.get_by_text("A change is there once.").is_visible()
        assert shown.locator(".sample").first.is_visible()

    def test_the_contents_lead_to_their_sections(self, shown: Page) -> None:
        shown.get_by_role("link", name="status").click()
        assert shown.get_by_text("Statuses are words.").is_visible()
        assert shown.url.endswith("#section-4")
