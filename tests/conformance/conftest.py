"""What the conformance cases run against: the local AWS, or the real account of ``DMD_ENV``.

The cases in this folder define how strict the local AWS is. They read like documentation of AWS, and whoever has an
account can have AWS confirm them::

    pytest tests/conformance                 # the local AWS
    DMD_ENV=dev1 pytest tests/conformance    # the account of dev1, with the caller's own credentials

Against a real account they stay in a scratch Glue database of their own and below ``{prefix}/test/`` in the bucket,
and remove both. Cases marked ``creates_resources`` also make and delete a stream, a queue, a workgroup or a bucket;
against a real account they run only with ``DMD_CONFORMANCE_CREATE=1``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from dmd_pipeline.settings import Settings, current_environment, load_settings
from tests.conformance.account import Account


if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.aws import LocalAws


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """The account that the case runs against, cleaned up afterwards."""
    if current_environment() == "local":
        aws: LocalAws = request.getfixturevalue("aws")
        account = Account(aws.settings, aws.client, is_local=True)
    else:
        if request.node.get_closest_marker("creates_resources") and os.environ.get("DMD_CONFORMANCE_CREATE") != "1":
            pytest.skip("makes a stream, queue, workgroup or bucket: set DMD_CONFORMANCE_CREATE=1 to allow it")
        account = _real_account(load_settings())
    yield account
    account.clean_up()


def _real_account(settings: Settings) -> Account:
    session: Any = boto3.Session(region_name=settings.region)
    found = session.client("sts").get_caller_identity()["Account"]
    if found != settings.account_id:
        pytest.exit(f"the credentials are for account {found}, {settings.environment} is in {settings.account_id}", 1)
    return Account(settings, session.client, is_local=False)


def pytest_configure(config: pytest.Config) -> None:
    """Register this folder's marker."""
    config.addinivalue_line("markers", "creates_resources: makes a stream, queue, workgroup or bucket of its own")
