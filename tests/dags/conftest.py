"""An Airflow for the DAGs under test, one for all tests of a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.dags.dag_runner import DagRunner


if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.aws import LocalAws


@pytest.fixture(scope="module")
def runner(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagRunner]:
    """An Airflow that reaches the local AWS through its connection."""
    environment = {**local_aws.session_env(), "AIRFLOW_CONN_AWS_DEFAULT": "aws://"}
    runner = DagRunner(Path(__file__).resolve().parents[2], tmp_path_factory.mktemp("airflow"), environment)
    yield runner
    runner.close()
