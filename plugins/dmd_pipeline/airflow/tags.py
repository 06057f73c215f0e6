"""Tags of the DAGs, as the Airflow UI filters by them: what a DAG owns, and what it may do to it."""

from __future__ import annotations

from enum import StrEnum


class Tag(StrEnum):
    """Every tag there is; a DAG carries one of each group."""

    # What it owns
    CATALOG = "owns:catalog"
    DELIVERY = "owns:delivery"
    QUALITY = "owns:quality"
    RETENTION = "owns:retention"

    # What it may do
    ADDS = "impact:adds"
    """Only adds, or puts right what can be computed again."""
    CHANGES = "impact:changes"
    """Changes what is there: planned, proved, and undoable."""
    DELETES = "impact:deletes"
    """Deletes for good: what a manifest lists or tests have left, after it was announced."""
