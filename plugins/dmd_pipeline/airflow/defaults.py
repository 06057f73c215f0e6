"""What every task has unless its DAG says otherwise, with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from dmd_pipeline.airflow.alerts import alert_on_failure
from dmd_pipeline.errors import (
    ChecksFailedError,
    ConfigurationError,
    DatabaseNotFoundError,
    PartitionsFailedError,
    ReplayIncompleteError,
    TableNotFoundError,
)


RETRY_POLICY: Final = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[ConfigurationError, DatabaseNotFoundError, TableNotFoundError],
            action=RetryAction.FAIL,
            reason="the same will happen again until somebody acts",
        ),
        RetryRule(
            exception=[PartitionsFailedError, ReplayIncompleteError],
            action=RetryAction.FAIL,
            reason="the job has insisted long enough; the next run takes up what is left",
        ),
        RetryRule(
            exception=[ChecksFailedError],
            action=RetryAction.FAIL,
            reason="the verdict stands until the data changes",
        ),
    ]
)

DEFAULT_ARGS: Final[dict[str, Any]] = {
    "owner": "demand-pipeline",
    "retries": 2,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
    "retry_policy": RETRY_POLICY,
    "execution_timeout": timedelta(minutes=30),
    "on_failure_callback": alert_on_failure,
}
