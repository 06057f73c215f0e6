"""Every command and every statement of the runbooks, and every statement of the guides, is run as it is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyathena import connect

from tests.documents import GUIDES, RUNBOOKS, Block, blocks_of
from tests.integration.docs.conftest import give_verdicts, remember_deletion


if TYPE_CHECKING:
    from dmd_pipeline.settings import Settings
    from local.aws import LocalAws


_EMPTY_BY_NATURE = ("ALTER TABLE", "MSCK REPAIR")
BLOCKS = [block for document in (*RUNBOOKS, *GUIDES) for block in blocks_of(document)]


def prepare(pipeline: LocalAws, settings: Settings, code: str) -> None:
    """Give verdicts and deletions to who asks for them, and count calls from here."""
    if "quality" in code:  # it takes seconds, which others need not wait
        give_verdicts(pipeline, settings)
    if "retention/summaries" in code:
        remember_deletion(pipeline, settings)
    pipeline.calls.clear()


def statements() -> list[Block]:
    return [block for block in BLOCKS if block.language == "sql"]


def test_the_runbooks_hold_commands_statements_and_programs() -> None:
    """Guards the tests below, which would all pass on documents without blocks."""
    assert {block.language for block in BLOCKS} == {"sh", "sql", "python"}


@pytest.mark.parametrize("runbook", RUNBOOKS, ids=lambda runbook: runbook.stem)
def test_the_commands_of_a_runbook_succeed_one_after_the_other(
    runbook: Path, pipeline: LocalAws, settings: Settings
) -> None:
    """In one shell, from the top: variables set early are there later, as for whoever follows the runbook."""
    commands = [block.code for block in blocks_of(runbook) if block.language == "sh"]
    if not commands:
        pytest.fail(f"{runbook} has no command: give it one, or exempt it here with a reason")
    prepare(pipeline, settings, "\n".join(commands))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-eux", "-o", "pipefail", "-c", "\n".join(commands)],
        env=os.environ | {"PATH": path, "AWS_PAGER": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert pipeline.calls.totals(), "no command reached AWS"
    assert done.stdout.strip(), "the commands show nothing"


@pytest.mark.parametrize("block", statements(), ids=lambda block: block.name)
def test_a_statement_of_a_runbook_runs_in_athena(block: Block, pipeline: LocalAws, settings: Settings) -> None:
    prepare(pipeline, settings, block.code)
    with (
        connect(
            work_group=settings.workgroup, schema_name=settings.database, region_name=settings.region
        ) as connection,
        connection.cursor() as cursor,
    ):
        rows = cursor.execute(block.code).fetchall()
    assert rows or block.code.startswith(_EMPTY_BY_NATURE), f"no rows:\n{block.code}"
    assert pipeline.calls.count("athena:StartQueryExecution") == 1


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language == "python"], ids=lambda block: block.name
)
def test_a_program_of_a_runbook_runs(block: Block, pipeline: LocalAws) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.code],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | pipeline.session_env(),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
