"""What is asked of the tables: by the project's programs, checks and documents, Great Expectations, and analysts."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dmd_pipeline.record_types import load_record_types
from tests.trino.corpus import checks, documents, great_expectations, jobs


if TYPE_CHECKING:
    from local.aws import LocalAws
    from tests.trino.judge import Judge
    from tests.trino.statements import Statement

TABLES = sorted(load_record_types())
THEMES = sorted(path.stem for path in (Path(__file__).parent / "corpus" / "analysts").glob("*.py"))
ANALYSTS: list[Statement] = [
    statement for theme in THEMES for statement in import_module(f"tests.trino.corpus.analysts.{theme}").STATEMENTS
]


@pytest.fixture(scope="session")
def accounting(local_aws: LocalAws, demo_database: str) -> dict[str, str]:  # noqa: ARG001 - the data must be there
    return jobs.accounting(local_aws.client, local_aws.settings, TABLES)


@pytest.fixture(scope="session")
def validations(local_aws: LocalAws, demo_database: str) -> dict[str, list[Statement]]:  # noqa: ARG001 - as above
    environment = local_aws.session_env()
    return great_expectations.Validations(local_aws.client, environment, local_aws.settings).statements(TABLES)


def test_every_statement_of_the_analysts_has_a_name_and_a_text_of_its_own() -> None:
    assert len({statement.name for statement in ANALYSTS}) == len(ANALYSTS)
    assert len({statement.sql for statement in ANALYSTS}) == len(ANALYSTS)


@pytest.mark.parametrize("statement", ANALYSTS, ids=lambda statement: statement.name)
def test_what_analysts_ask(judge: Judge, demo_database: str, statement: Statement) -> None:
    judge.compare("analysts", statement.name, statement.sql, demo_database, statement.tolerance)


@pytest.mark.parametrize("statement", documents.STATEMENTS, ids=lambda statement: statement.name)
def test_what_the_documents_ask(judge: Judge, demo_database: str, statement: Statement) -> None:
    reason = documents.why_left_out(statement.sql)
    if reason is not None:
        pytest.skip(f"{statement.sql.splitlines()[0]}: {reason}")
    judge.compare("documents", statement.name, statement.sql, demo_database)


@pytest.mark.parametrize("name", [f"{what} of {table}" for what in ("rows", "copies") for table in TABLES])
def test_what_the_account_asks(judge: Judge, demo_database: str, accounting: dict[str, str], name: str) -> None:
    judge.compare("jobs", name, accounting[name], demo_database)


def test_what_the_demo_asks(judge: Judge, demo_database: str) -> None:
    judge.compare("jobs", "question of the demo", jobs.question_of_the_demo(), demo_database)


@pytest.mark.parametrize("table", TABLES)
def test_what_the_checks_ask(judge: Judge, demo_database: str, table: str, subtests: pytest.Subtests) -> None:
    for name, sql, tolerance in checks.statements(table):
        with subtests.test(name):
            judge.compare("checks", f"{table}, {name}", sql, demo_database, tolerance)


@pytest.mark.parametrize("statement", [*checks.odd_texts()], ids=lambda statement: statement.name)
def test_what_the_checks_make_of_odd_texts(judge: Judge, demo_database: str, statement: Statement) -> None:
    judge.compare("checks", statement.name, statement.sql, demo_database)


@pytest.mark.parametrize("table", TABLES)
def test_what_great_expectations_asks(
    judge: Judge,
    demo_database: str,
    validations: dict[str, list[Statement]],
    table: str,
    subtests: pytest.Subtests,
) -> None:
    assert validations[table], "Great Expectations asked nothing"
    for name, sql, tolerance in validations[table]:
        with subtests.test(name):
            judge.compare("great expectations", f"{table}, {name}", sql, demo_database, tolerance)
