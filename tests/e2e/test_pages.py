"""The data quality pages in a real browser, in front of a real Airflow with a login; pictures in .local/screenshots.

The documents are fabricated, of a year in which nothing else happened.
"""

from __future__ import annotations

import re
import shlex
import socket
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from dmd_pipeline.settings import load_settings
from local.quality_act import verdicts
from local.workspace import HOST, REPOSITORY
from tests.integration.ui.api_server import serving
from tests.integration.ui.fabricated import SENTENCE, STATES, Documents, expectation


if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, FrameLocator, Locator, Page

    from tests.e2e.conftest import RunningPipeline
    from tests.integration.ui.api_server import ApiServer

FIRST = date(2019, 3, 1)
FAILED = date(2019, 3, 16)
RANGE = "2019-03-01", "2019-04-10"
TABLES = ("demand", "event", "notification", "sale")
DOCS = (
    b"<html><body><h1>Validation results</h1><script>document.body.textContent = 'a script ran'</script></body></html>"
)


@pytest.fixture(scope="module")
def guarded(pipeline: RunningPipeline, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """The pipeline's Airflow, behind a login."""
    lines = pipeline.workspace.airflow_environment.read_text(encoding="utf-8").splitlines()
    environment = dict(word.split("=", 1) for line in lines for word in shlex.split(line, comments=True))
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    with serving(tmp_path_factory.mktemp("guarded"), environment, port) as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def documents(pipeline: RunningPipeline) -> None:
    """Six weeks of four tables: mostly sound, each state somewhere, one day that failed for a reason."""
    settings = load_settings("local")
    made = Documents(settings, datetime.now(UTC))
    for row, table in enumerate(TABLES):
        for number in range(41):
            day = FIRST + timedelta(days=number)
            state = STATES[number // 5] if number % 5 == 4 and row == number // 5 % len(TABLES) else "passed"
            rows = 1000 + 40 * (number % 7) + 10 * row
            if state == "passed":
                made.judge(table, day, rows=rows, observed={"event_id_present": 0.01 * (number % 4)})
            else:
                made.put_in_state(table, day, state)
    sample = [
        {
            "reference_id": f"evt-{number}-sale-7",
            "reference_timestamp": "2019-03-16T10:00:00.000Z",
            "value": "xxx@xxx.xx",
        }
        for number in range(3)
    ]
    holds = expectation(
        id="no_duplicates",
        sentence="No change is stored twice.",
        passed=True,
        observed=0.0,
        unexpected_count=0,
        sample=[],
    )
    made.judge("demand", FAILED, "failed", expectation(sample=sample), holds, rows=990)
    made.objects[settings.layout.quality_docs_key("demand", FAILED)] = DOCS
    for key, body in made.all():
        pipeline.clients("s3").put_object(Bucket=settings.bucket, Key=key, Body=body)


@pytest.fixture(params=["light", "dark"])
def analyst(browser: Browser, guarded: ApiServer, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Airflow's first page, as somebody sees it who has just logged in; once in each color scheme."""
    context = browser.new_context(
        base_url=guarded.url, color_scheme=request.param, viewport={"width": 1400, "height": 1000}
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto("/")
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill("admin")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Data quality")).to_be_visible()
    yield page
    context.close()


only_light = pytest.mark.parametrize("analyst", ["light"], indirect=True)


def test_an_analyst_finds_out_why_a_day_failed(analyst: Page, request: pytest.FixtureRequest) -> None:
    hosts: set[str] = set()
    analyst.on("request", lambda asked: hosts.add(urlsplit(asked.url).netloc))
    frame = open_calendar(analyst)
    failed = frame.locator(f"a.cell.failed[href$='/demand/{FAILED}']")
    failed.hover()
    expect(failed.locator(".tip")).to_have_css("opacity", "1")
    expect(failed.locator(".tip")).to_contain_text("990 rows")
    expect_airflows_colours(analyst, frame)
    picture(analyst, request, "calendar")

    failed.click()
    expect(frame.get_by_role("heading", name="demand, Sat 16 March 2019: failed")).to_be_visible()
    expect(frame.get_by_text(SENTENCE)).to_be_visible()
    expect(frame.get_by_text("evt-1-sale-7")).to_be_visible()
    expect(frame.get_by_role("button", name="Check again")).to_be_enabled()
    expect_airflows_colours(analyst, frame)
    picture(analyst, request, "partition")

    frame.get_by_role("navigation", name="Where this page is").get_by_role("link", name="demand").click()
    choose_range(frame)
    expect(frame.get_by_role("img", name="Rows a day")).to_be_visible()
    expect(frame.get_by_role("link", name=str(FAILED))).to_be_attached()
    expect_airflows_colours(analyst, frame)
    picture(analyst, request, "trends")
    assert hosts - {""} == {urlsplit(analyst.url).netloc}, "apart from data: addresses"


def test_the_pages_follow_airflows_theme_while_they_are_open(analyst: Page) -> None:
    frame = open_calendar(analyst)
    before = background(frame.locator("body"))
    analyst.get_by_role("button", name="User").click()
    analyst.get_by_role("menuitem", name=re.compile("Appearance|mode", re.IGNORECASE)).first.click()
    other = analyst.get_by_role("menuitem", name=re.compile("Light|Dark")).or_(
        analyst.get_by_role("menuitemradio", name=re.compile("Light|Dark"))
    )
    dark = "dark" in (analyst.locator("html").get_attribute("class") or "")
    other.filter(has_text="Light" if dark else "Dark").first.click()
    expect(frame.locator("html")).to_have_class(re.compile("light" if dark else "dark"))
    assert background(frame.locator("body")) != before


@only_light
def test_the_keyboard_leads_through_the_calendar(analyst: Page) -> None:
    frame = open_calendar(analyst)
    frame.locator("a.cell[tabindex='0']").focus()
    for key, place in (
        ("ArrowLeft", "demand/2019-04-09"),
        ("ArrowDown", "event/2019-04-09"),
        ("Home", "event/2019-04-01"),
        ("ArrowLeft", "event/2019-03-31"),
        ("End", "event/2019-03-31"),
        ("ArrowUp", "demand/2019-03-31"),
        ("ArrowUp", "sale/2019-04-10"),
        ("PageDown", "sale/2019-03-10"),
    ):
        analyst.keyboard.press(key)
        expect(frame.locator("a.cell:focus")).to_have_attribute("href", f"/dq/{place}")
    expect(frame.locator("a.cell:focus .tip")).to_have_css("opacity", "1")
    expect(frame.get_by_role("link", name="demand, Sat 16 March 2019")).to_have_count(1)
    assert frame.locator("a.cell[tabindex='0']").count() == 1
    analyst.keyboard.press("Enter")
    expect(frame.get_by_role("heading", name="sale, Sun 10 March 2019")).to_be_visible()


@only_light
def test_the_run_opens_in_airflow_and_back_comes_back(analyst: Page) -> None:
    frame = open_partition(analyst)
    address = analyst.url
    frame.get_by_role("link", name="Run in Airflow").click()
    analyst.wait_for_url(re.compile(r"/dags/check_data_quality/runs/manual__2026"))
    expect(analyst.locator("iframe")).to_have_count(0)
    analyst.go_back()
    expect(frame.get_by_text(SENTENCE)).to_be_visible()
    assert analyst.url == address
    analyst.reload()
    expect(frame.get_by_text(SENTENCE)).to_be_visible()


@only_light
def test_check_again_leads_to_a_new_verdict(analyst: Page, pipeline: RunningPipeline) -> None:
    """On a partition of the demo, with the scheduler behind it."""
    table, day, *_ = max(verdicts(pipeline.clients), key=lambda row: (row[2] == "passed", row[1]))
    analyst.goto(f"/dq/{table}/{day}")
    run = analyst.get_by_role("link", name="Run in Airflow")
    before = run.get_attribute("href") or ""
    assert "/runs/" in before
    analyst.get_by_role("button", name="Check again").click()
    expect(run).not_to_have_attribute("href", before, timeout=180_000)
    expect(analyst.get_by_text("just now").first).to_be_visible()


@only_light
def test_data_docs_are_shown_and_run_no_script(analyst: Page) -> None:
    frame = open_partition(analyst)
    frame.get_by_role("link", name="Data Docs").click()
    docs = frame.frame_locator("iframe.docs")
    expect(docs.get_by_role("heading", name="Validation results")).to_be_visible()
    frame.get_by_role("link", name=str(FAILED)).click()
    expect(frame.get_by_text(SENTENCE)).to_be_visible()


@only_light
def test_a_lost_session_leads_to_the_login_and_back(analyst: Page) -> None:
    frame = open_partition(analyst)
    analyst.context.clear_cookies()
    frame.get_by_role("link", name="Data quality").click()
    analyst.wait_for_url(re.compile(r"/auth/login\?next="))
    analyst.locator("input[name=username]").fill("viewer")
    analyst.locator("input[name=password]").fill("viewer")
    analyst.keyboard.press("Enter")
    expect(frame.get_by_text(SENTENCE)).to_be_visible()
    expect(frame.get_by_role("button", name="Check again")).to_be_disabled()


def test_a_visitor_without_a_session_gets_nothing(guarded: ApiServer) -> None:
    with httpx.Client(base_url=guarded.url, trust_env=False) as nobody:
        for address in ("", "demand", f"demand/{FAILED}", f"docs/demand/{FAILED}", "static/pages.css", "nonsense"):
            assert nobody.get(f"/dq/{address}").status_code == 401, address


def test_airflow_loads_the_plugin_without_complaint(guarded: ApiServer) -> None:
    with guarded.session("admin") as admin:
        assert "dmd_ui" in [plugin["name"] for plugin in admin.get("/api/v2/plugins").json()["plugins"]]
        assert admin.get("/api/v2/plugins/importErrors").json()["total_entries"] == 0


def open_calendar(page: Page) -> FrameLocator:
    """Go there as people do, and choose the days of the fabricated documents."""
    page.get_by_role("link", name="Data quality").click()
    frame = page.frame_locator("iframe")
    choose_range(frame)
    expect(frame.get_by_role("grid", name="April 2019")).to_be_visible()
    return frame


def choose_range(frame: FrameLocator) -> None:
    frame.get_by_label("From", exact=True).fill(RANGE[0])
    frame.get_by_label("To", exact=True).fill(RANGE[1])
    frame.get_by_role("button", name="Show").click()


def open_partition(page: Page) -> FrameLocator:
    frame = open_calendar(page)
    frame.locator(f"a.cell[href$='/demand/{FAILED}']").click()
    expect(frame.get_by_text(SENTENCE)).to_be_visible()
    page.wait_for_url(re.compile(f"/demand/{FAILED}$"))  # the frame's address comes into the window's a little later
    return frame


def background(element: Locator) -> str:
    return str(element.evaluate("element => getComputedStyle(element).backgroundColor"))


def expect_airflows_colours(page: Page, frame: FrameLocator) -> None:
    """The page has the background that Airflow has, in the theme that it has."""
    wanted = page.evaluate(
        """() => {
            const probe = document.body.appendChild(document.createElement("div"));
            probe.style.background = "var(--chakra-colors-bg)";
            const colour = getComputedStyle(probe).backgroundColor;
            probe.remove();
            return colour;
        }"""
    )
    assert background(frame.locator("body")) == wanted


def picture(page: Page, request: pytest.FixtureRequest, name: str) -> None:
    folder = REPOSITORY / ".local" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    scheme = request.node.callspec.params["analyst"]
    page.screenshot(path=folder / f"data_quality_{name}[{scheme}].png")
