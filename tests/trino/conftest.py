"""The local Athena and a real Trino, side by side on one local AWS.

Not part of ``make test``: it needs a JDK and Maven, and fetches Trino once. ``make conformance-trino`` runs it and
prints how many cases are equal, listed in ``differences.py``, or different.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tabulate import tabulate

from local.athena.duck import Duck
from local.athena.moto_ports import MotoCatalog, MotoObjects
from local.athena.queries import QueryRunner
from local.aws.local_aws import ACCESS_KEY, SECRET_KEY
from local.errors import LocalError
from local.trino import VERSION, Trino, distribution
from tests.conformance.account import Account
from tests.trino import demo_data
from tests.trino.judge import VERDICTS, Judge


if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.aws import LocalAws

_JUDGE = pytest.StashKey[Judge]()


@pytest.fixture(scope="session")
def judge(local_aws: LocalAws, pytestconfig: pytest.Config) -> Iterator[Judge]:
    """The local Athena's engine and a Trino, on the same catalog and objects."""
    settings = local_aws.settings
    try:
        server = Trino(distribution(), local_aws.url, (ACCESS_KEY, SECRET_KEY), settings)
        server.start()
    except LocalError as error:
        pytest.exit(str(error), 2)
    duck = Duck()
    catalog = MotoCatalog(settings.account_id, settings.region)
    judge = Judge(QueryRunner(catalog, MotoObjects(settings.account_id), duck), server)
    pytestconfig.stash[_JUDGE] = judge
    yield judge
    server.stop()
    duck.close()


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table of counts."""
    judge = config.stash.get(_JUDGE, None)
    if judge is None or not judge.verdicts:
        return
    rows = [[group, *(counts[one] for one in VERDICTS), counts.total()] for group, counts in judge.counts().items()]
    totals = [sum(column) for column in list(zip(*rows, strict=True))[1:]]
    terminalreporter.section(f"The local Athena beside Trino {VERSION}")
    terminalreporter.write_line(tabulate([*rows, ["in all", *totals]], ["cases", *VERDICTS, "in all"], intfmt=","))
