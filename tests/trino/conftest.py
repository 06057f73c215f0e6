"""The local Athena and a real Trino, side by side on one local AWS.

Not part of ``make test``: it needs a JDK and Maven, and fetches Trino once. ``make conformance-trino`` runs it and
prints how many cases are equal, listed in ``differences.py``, or different.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local.athena.duck import Duck
from local.athena.moto_ports import MotoCatalog, MotoObjects
from local.athena.queries import QueryRunner
from local.aws.local_aws import ACCESS_KEY, SECRET_KEY
from local.trino import CLOSEST, NEWER, MissingToolError, Trino, prepare
from tests.conformance.account import Account
from tests.trino import demo_data
from tests.trino.judge import Judge, Verdicts, counts, table
from tests.trino.record import record


if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.aws import LocalAws
    from local.trino import Release

_VERDICTS = pytest.StashKey[Verdicts]()


@pytest.fixture(scope="session")
def engine(local_aws: LocalAws) -> Iterator[QueryRunner]:
    """The local Athena's engine, on the local AWS."""
    settings, duck = local_aws.settings, Duck()
    yield QueryRunner(MotoCatalog(settings.account_id, settings.region), MotoObjects(settings.account_id), duck)
    duck.close()


@pytest.fixture(scope="session")
def verdicts(pytestconfig: pytest.Config) -> Verdicts:
    """What was found so far."""
    return pytestconfig.stash.setdefault(_VERDICTS, {})


@pytest.fixture(scope="session")
def judge(local_aws: LocalAws, engine: QueryRunner, verdicts: Verdicts) -> Iterator[Judge]:
    """The release of Trino that judges everything."""
    with _started(CLOSEST, local_aws) as trino:
        yield Judge(engine, trino, verdicts)


@pytest.fixture(scope="session")
def newer_judge(local_aws: LocalAws, engine: QueryRunner, verdicts: Verdicts) -> Iterator[Judge]:
    """The release of Trino that judges how partitions are read, once more; needs a newer JDK."""
    with _started(NEWER, local_aws) as trino:
        yield Judge(engine, trino, verdicts)


def _started(release: Release, aws: LocalAws) -> Trino:
    try:
        return Trino(prepare(release), aws.url, (ACCESS_KEY, SECRET_KEY), aws.settings)
    except MissingToolError as error:
        if release is CLOSEST:
            pytest.exit(str(error), 2)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def demo_database(local_aws: LocalAws) -> str:
    """Name of the database that holds the demo's data."""
    demo_data.fill(local_aws)
    return local_aws.settings.database


@pytest.fixture
def account(local_aws: LocalAws) -> Iterator[Account]:
    """Room for one case in the AWS that both read."""
    account = Account(local_aws.settings, local_aws.client, is_local=True)
    yield account
    account.clean_up()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that keeps what was found."""
    parser.addoption("--record", action="store_true", help="write the counts into verdicts.json and the README")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Print the table of counts; keep it when that is asked for and no case was left out."""
    verdicts = config.stash.get(_VERDICTS, {})
    if not verdicts:
        return
    terminalreporter.section("The local Athena beside Trino")
    terminalreporter.write_line(table(counts(verdicts)))
    for (release, group, name), verdict in verdicts.items():
        if verdict == "different":  # of random queries, whose names are the statements, Hypothesis may not show it
            terminalreporter.write_line(f"different from {release}, {group}: {name}")
    if config.getoption("--record"):
        if exitstatus == pytest.ExitCode.OK and not terminalreporter.stats.get("deselected"):
            record(verdicts)
        else:
            terminalreporter.write_line("Not recorded: that needs all cases of a file, and none that differs.")
