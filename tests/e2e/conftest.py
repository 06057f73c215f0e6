"""A second local pipeline beside whatever runs on this machine, and a browser to look at it.

It is started by ``make demo``'s own code, with less traffic, on free ports and in a folder of its own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.record_types import load_record_types
from dmd_pipeline.settings import load_settings
from local.airflow_api import AirflowApi
from local.clients import LocalClients
from local.evidence import Evidence
from local.ledger import Ledger, load_all
from local.workspace import REPOSITORY, Workspace


if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

RECORDS = 2000
_DEMO_SECONDS = 600
_TEST_SECONDS = 300


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test that needs the pipeline also waits for the whole demo: that time is not the test's own."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(_DEMO_SECONDS + _TEST_SECONDS))


@dataclass(frozen=True)
class RunningPipeline:
    """A pipeline on which the demo has been shown.

    Attributes:
        workspace: Its place.
        demo: What the demo printed, and its exit code.
    """

    workspace: Workspace
    demo: subprocess.CompletedProcess[str]

    @cached_property
    def api(self) -> AirflowApi:
        return AirflowApi(self.workspace.airflow_url)

    @cached_property
    def clients(self) -> LocalClients:
        return LocalClients(self.workspace, load_settings("local"))

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence(self.clients, load_settings("local"), load_record_types())

    @property
    def ledgers(self) -> list[Ledger]:
        return load_all(self.workspace.ledger)

    def local(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return local(self.workspace, *arguments)


def local(workspace: Workspace, *arguments: str, seconds: float = _DEMO_SECONDS) -> subprocess.CompletedProcess[str]:
    """Run a local command for a workspace, as the Makefile does."""
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **workspace.environment()},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def free_workspace(directory: Path) -> Workspace:
    """A workspace on ports that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return Workspace(directory, one.getsockname()[1], other.getsockname()[1])


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPipeline]:
    """A running pipeline, after ``make demo`` with 2,000 records."""
    workspace = free_workspace(tmp_path_factory.mktemp("pipeline"))
    shown = RunningPipeline(workspace, local(workspace, "demo", "--records", str(RECORDS)))
    try:
        yield shown
    finally:
        shown.clients.close()
        local(workspace, "down")


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, pipeline: RunningPipeline, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty page of the Airflow UI, once in each color scheme."""
    context = browser.new_context(
        base_url=pipeline.workspace.airflow_url,
        color_scheme=request.param,
        viewport={"width": 1400, "height": 1000},
    )
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


@pytest.fixture
def screenshot(page: Page, request: pytest.FixtureRequest) -> Iterator[None]:
    """Takes a picture of how the test left the page; they lie in .local/screenshots."""
    yield
    folder = REPOSITORY / ".local" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{request.node.name}.png", full_page=True)
