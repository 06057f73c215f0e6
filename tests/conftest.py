"""Fixtures for every test: the environment's settings, the strict local AWS, and a browser.

``local_aws`` is one server for the whole test run. ``aws`` is the same server, emptied before each test, with the
process's environment pointing at it: boto3 clients and child processes reach it and nothing else. ``browser`` is one
Chromium for the whole test run, too: Playwright runs once in a process.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from dmd_pipeline.settings import Settings, load_settings


if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from xdist.scheduler import Scheduling

    from local.aws import LocalAws

_END_TO_END = "tests/e2e/"

# Airflow writes a configuration file when it is imported: not into the home of whoever runs the tests.
_AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="dmd-tests-airflow-")
os.environ["AIRFLOW_HOME"] = _AIRFLOW_HOME.name
atexit.register(_AIRFLOW_HOME.cleanup)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Tests of a file run together, in one process; those that look at the running pipeline are as one file."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return _END_TO_END if nodeid.startswith(_END_TO_END) else super()._split_scope(nodeid)

    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the tests, what takes longest begins first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(_END_TO_END))


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Settings of the environment ``local``."""
    return load_settings("local")


@pytest.fixture(scope="session")
def local_aws(settings: Settings) -> Iterator[LocalAws]:
    """The strict local AWS, started once; holds whatever earlier tests left (use ``aws`` for an empty one)."""
    from local.aws import LocalAws  # here: loading moto takes seconds, which the unit tests need not spend

    with LocalAws(settings=settings) as server:
        yield server


@pytest.fixture
def aws(local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> LocalAws:
    """The strict local AWS with nothing but the environment's resources in it."""
    for name, value in local_aws.session_env().items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    local_aws.reset()
    return local_aws


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    from local.browser import FLAGS, find_browser

    path = find_browser()
    assert path is not None, "no Chromium: `make browser` tells how to get one"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield launched
        launched.close()
