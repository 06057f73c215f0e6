"""The application behind the pages: its addresses, and what holds for all of them.

Nothing here changes anything: "Check again" is asked of Airflow's own API by the browser, with the user's session, so
that Airflow decides and notes who did it. Every answer says what a browser may load for it: nothing but this.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from fastapi.exception_handlers import http_exception_handler
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.responses import HTMLResponse, Response

from dmd_pipeline.airflow.assets import table_names
from dmd_pipeline.errors import ConfigurationError, PipelineError
from dmd_pipeline.settings import load_settings
from dmd_pipeline.ui import access, charts
from dmd_pipeline.ui.calendar import calendar
from dmd_pipeline.ui.documents import Documents
from dmd_pipeline.ui.partition import HISTORY_DAYS, history_start, partition
from dmd_pipeline.ui.ranges import Range, RangeError, iso_date
from dmd_pipeline.ui.trends import trends


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from dmd_pipeline.aws.s3 import Bucket
    from dmd_pipeline.expectations import Suite

logger = logging.getLogger(__name__)

_FOLDER: Final = Path(__file__).parent
_POLICY: Final = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
_DOCUMENT_POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Data Docs are HTML from S3: shown, and given neither scripts nor the user's session nor a way out."""
_NO_DOCS: Final = "There are no Data Docs of {table} {day}: it was not checked yet, or they have expired."
_QUICK_DAYS: Final = ((30, "30 days"), (90, "90 days"), (365, "1 year"))
_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Services:
    """What the pages work with.

    Attributes:
        documents: What lies on S3.
        tables: Names of all tables; no page knows another.
        suite: The suite of a table; ConfigurationError when it is missing or wrong.
        now: The time (UTC).
    """

    documents: Documents
    tables: tuple[str, ...]
    suite: Callable[[str], Suite]
    now: Callable[[], datetime]


def create_application(services: Callable[[], Services] | None = None) -> FastAPI:
    """Make the application; nothing is read before a page is asked for.

    Args:
        services: Gives what the pages work with; that of the current environment when None.
    """
    application = FastAPI(
        title="Data quality",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[access.LOGGED_IN, access.READERS],
    )
    application.state.services = services or current_services
    application.include_router(_router)
    application.add_exception_handler(AnyHTTPException, _refused)
    application.add_exception_handler(PipelineError, _out_of_reach)
    application.add_exception_handler(Exception, _defect)
    application.add_middleware(_Headers)
    return application


@cache
def current_services() -> Services:
    """What the pages work with in this environment, made once."""
    from dmd_pipeline.expectations import load_suite

    settings = load_settings()

    def connect() -> Bucket:
        from dmd_pipeline.ui.storage import bucket

        return bucket(settings)

    return Services(Documents(connect, settings.layout), table_names(), cache(load_suite), lambda: datetime.now(UTC))


_router = APIRouter()


def _services(request: Request) -> Services:
    services: Services = request.app.state.services()
    return services


def _known_table(table: str, services: Annotated[Services, Depends(_services)]) -> str:
    """A table in an address, if there is such a table."""
    if table not in services.tables:
        raise HTTPException(
            HTTPStatus.NOT_FOUND, f"There is no table {table[:80]!r}; the tables are: {', '.join(services.tables)}."
        )
    return table


def _known_day(day: str) -> date:
    """A date in an address, if it is one."""
    found = iso_date(day)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"{day[:80]!r} is no date: expected one such as 2026-03-01.")
    return found


ServicesOf = Annotated[Services, Depends(_services)]
Table = Annotated[str, Depends(_known_table)]
Day = Annotated[date, Depends(_known_day)]
From = Annotated[str | None, Query(alias="from")]
Allowed = Annotated[bool, Depends(access.may_check_again)]
To = Annotated[str | None, Query(alias="to")]


@_router.get("/")
def show_calendar(request: Request, services: ServicesOf, start: From = None, end: To = None) -> Response:
    """Tables and dates, by state."""
    now = services.now()
    asked, error = _range(start, end, now.date())
    known = services.documents.years(services.tables, asked.years)
    digests, problems = _digests(services, services.tables)
    page = calendar(known, digests, asked, now.date(), now)
    return _page(
        request,
        "calendar.html",
        HTTPStatus.BAD_REQUEST if error else HTTPStatus.OK,
        page=page,
        problems=(*page.problems, *problems),
        error=error,
        quick=_quick_ranges(asked, now.date()),
        query=f"?from={asked.start}&to={asked.end}" if asked.chosen else "",
    )


@_router.get("/static/{name:path}")
def show_file(name: str) -> Response:
    """A style sheet, a script or a drawing of the pages."""
    found = _static_files().get(name)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such file.")
    # The address carries the version, so that the answer never changes.
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(found, media_type=_MEDIA_TYPES[Path(name).suffix], headers=headers)


@_router.get("/docs/{table}/{day}")
def show_document(table: Table, day: Day, services: ServicesOf) -> Response:
    """Great Expectations' own page of a partition, as it lies on S3."""
    found = services.documents.docs(table, day)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, _NO_DOCS.format(table=table, day=day))
    return HTMLResponse(found, headers={"Content-Security-Policy": _DOCUMENT_POLICY})


@_router.get("/{table}")
def show_trends(request: Request, table: Table, services: ServicesOf, start: From = None, end: To = None) -> Response:
    """What became of a table over time."""
    now = services.now()
    asked, error = _range(start, end, now.date())
    known = services.documents.years([table], asked.years)[table]
    suite, problems = _suite(services, table)
    return _page(
        request,
        "trends.html",
        HTTPStatus.BAD_REQUEST if error else HTTPStatus.OK,
        page=trends(table, known, suite, asked, now.date(), now),
        problems=(*known.problems, *problems),
        error=error,
        quick=_quick_ranges(asked, now.date()),
        query=f"?from={asked.start}&to={asked.end}" if asked.chosen else "",
        tables=services.tables,
        width=charts.CHART_WIDTH,
        height=charts.CHART_HEIGHT,
    )


@_router.get("/{table}/{day}")
def show_partition(request: Request, table: Table, day: Day, services: ServicesOf, allowed: Allowed) -> Response:
    """The verdict on one partition, and what it rests on: one GET for the result, one or two for the history."""
    suite, problems = _suite(services, table)
    known = services.documents.years([table], range(history_start(day).year, day.year + 1))[table]
    entry = known.entries.get(day)
    result = services.documents.result(table, day, entry.verdict) if entry and entry.verdict else None
    page = partition(table, day, known, suite, result, services.now())
    return _page(
        request,
        "partition.html",
        page=page,
        problems=(*page.problems, *problems),
        dag_id=access.DAG_ID,
        allowed=allowed,
        history_days=HISTORY_DAYS,
        width=charts.SPARK_WIDTH,
        height=charts.SPARK_HEIGHT,
    )


@_router.get("/{table}/{day}/docs")
def show_docs(request: Request, table: Table, day: Day, services: ServicesOf) -> Response:
    """Great Expectations' own page of a partition, below the way back."""
    if services.documents.docs(table, day) is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, _NO_DOCS.format(table=table, day=day))
    return _page(request, "docs.html", table=table, day=day)


@_router.get("/{anything:path}")
def show_nothing() -> Response:
    """Every other address: known only to be none once somebody is logged in."""
    raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such page.")


def _range(start: str | None, end: str | None, today: date) -> tuple[Range, str]:
    """The range asked for; the usual one and a sentence when that is none."""
    try:
        return Range.asked(start, end, today), ""
    except RangeError as error:
        return Range.asked(None, None, today), str(error)


def _quick_ranges(asked: Range, today: date) -> list[dict[str, Any]]:
    choices = []
    for days, text in _QUICK_DAYS:
        usual = Range.asked(None, None, today)
        start = today - timedelta(days=days - 1)
        if start == usual.start:
            choices.append({"text": text, "query": "", "current": not asked.chosen})
        else:
            current = asked.chosen and (asked.start, asked.end) == (start, today)
            choices.append({"text": text, "query": f"?from={start}&to={today}", "current": current})
    return choices


def _suite(services: Services, table: str) -> tuple[Suite | None, list[str]]:
    """A table's suite; None and a sentence when it cannot be read."""
    try:
        return services.suite(table), []
    except ConfigurationError as error:
        return None, [f"The expectations of {table} cannot be read, so nothing is shown as stale for them: {error}"]


def _digests(services: Services, tables: Iterable[str]) -> tuple[dict[str, str | None], list[str]]:
    digests: dict[str, str | None] = {}
    problems: list[str] = []
    for table in tables:
        suite, said = _suite(services, table)
        digests[table] = suite.digest if suite else None
        problems += said
    return digests, problems


def _page(request: Request, template: str, status: HTTPStatus = HTTPStatus.OK, **what: Any) -> Response:
    text = (
        _templates()
        .get_template(template)
        .render(root=_root(request), airflow=_airflow_root(request), version=_version(), **what)
    )
    return HTMLResponse(text, status)


def _root(request: Request) -> str:
    """Where the pages are mounted, as the browser sees it."""
    return str(request.scope.get("root_path", ""))


def _airflow_root(request: Request) -> str:
    """Where Airflow is mounted, as the browser sees it."""
    return str(request.scope.get("app_root_path", ""))


def _wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


async def _refused(request: Request, error: Exception) -> Response:
    """Tell people in a page and programs in JSON what is wrong with a request."""
    if not isinstance(error, AnyHTTPException):
        raise error
    if not _wants_html(request):
        return await http_exception_handler(request, error)
    if error.status_code == HTTPStatus.UNAUTHORIZED:
        return access.signed_out_page(_airflow_root(request))
    if error.status_code == HTTPStatus.FORBIDDEN:
        return access.forbidden_page()
    status = HTTPStatus(error.status_code)
    return _page(request, "message.html", status, title=status.phrase.capitalize(), sentences=[str(error.detail)])


async def _out_of_reach(request: Request, error: Exception) -> Response:
    """Tell that S3 does not answer; why stands in the log too."""
    logger.warning("the data quality pages cannot read their documents: %s", error)
    sentences = [
        (
            "The results of the checks lie on S3, and S3 does not answer. Nothing is known about the tables right now; "
            "that says nothing about the data itself. Try again in a moment."
        ),
        str(error),
    ]
    return _page(
        request, "message.html", HTTPStatus.SERVICE_UNAVAILABLE, title="S3 cannot be read", sentences=sentences
    )


async def _defect(request: Request, error: Exception) -> Response:
    """Tell that something went wrong, and nothing of its inside; the server logs the rest."""
    sentences = ["The page could not be made. What went wrong stands in the log of Airflow's api-server."]
    return _page(
        request, "message.html", HTTPStatus.INTERNAL_SERVER_ERROR, title=type(error).__name__, sentences=sentences
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _static_files() -> Mapping[str, bytes]:
    """Every file that may be loaded, by its name: a closed list, so that no name leads anywhere else."""
    folder = _FOLDER / "static"
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.suffix in _MEDIA_TYPES
    }


@cache
def _version() -> str:
    """Changes whenever one of the files does."""
    return hashlib.sha256(b"".join(_static_files().values())).hexdigest()[:12]


class _Headers:
    """Adds to every answer what the browser may do with it; what an answer says for itself stays."""

    _ALWAYS: Final = {
        b"content-security-policy": _POLICY.encode(),
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"SAMEORIGIN",
        b"referrer-policy": b"same-origin",
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
        b"cache-control": b"no-store",
    }

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                added = [(name, value) for name, value in self._ALWAYS.items() if name not in given]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, with_headers)
