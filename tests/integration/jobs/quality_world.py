"""A pipeline with partitions to check: the demo's rows in the local AWS, written as the delivery worker writes them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dmd_pipeline.delivery import container, deliver
from dmd_pipeline.errors import ChecksFailedError
from dmd_pipeline.jobs import check_data_quality, partition_checks
from dmd_pipeline.jobs.partition_checks import Environment
from dmd_pipeline.jobs.quality_store import QualityStore
from dmd_pipeline.patience import Patience
from dmd_pipeline.record_types import load_record_types
from local.traffic.plan import Size, plan
from tests.integration.jobs.conftest import workgroup


if TYPE_CHECKING:
    from collections.abc import Sequence

    from dmd_pipeline.jobs.quality_reports import Checked, CheckReport, LookReport
    from dmd_pipeline.quality_documents import Entry, Result
    from dmd_pipeline.rows import Row
    from tests.integration.jobs.conftest import World

RECORD_TYPES = load_record_types()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@cache
def delivered(records: int = 1_500, days: int = 4) -> dict[tuple[str, date], list[Row]]:
    """The rows of each partition, as the demo makes them but fewer."""
    sent = [one.data for one in plan(Size(records=records, days=days), 1, NOW) if one.record_type is not None]
    groups: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for place in range(0, len(sent), 500):
        for group, rows in deliver(sent[place : place + 500], RECORD_TYPES, now=NOW).groups.items():
            groups[group] += rows
    return dict(groups)


@dataclass
class QualityWorld:
    """The local AWS with partitions in it, and the jobs that check them."""

    world: World
    now: datetime = NOW
    told: list[Checked] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.aws = self.world.aws
        self.environment = Environment(
            self.world.settings,
            RECORD_TYPES,
            self.world.bucket,
            self.world.catalog,
            lambda: workgroup(self.world.settings),
        )

    @property
    def layout(self) -> Any:
        return self.world.settings.layout

    def settle(self, **quality: Any) -> None:
        """Other settings of the section ``quality``."""
        section = self.environment.settings.quality.model_copy(update=quality)
        settings = self.environment.settings.model_copy(update={"quality": section})
        self.environment = replace(self.environment, settings=settings)

    def write(self, table: str, day: date, rows: Sequence[Row], number: int = 0) -> str:
        """Put a file of rows; its key."""
        body = container(RECORD_TYPES[table], rows, sync_marker=bytes(16))
        key = self.layout.delivered_key(table, day, NOW - timedelta(minutes=5), UUID(int=number))
        self.put(key, body)
        return str(key)

    def put(self, key: str, body: bytes) -> None:
        self.aws.client("s3").put_object(Bucket=self.world.settings.bucket, Key=key, Body=body)

    def delete(self, key: str) -> None:
        self.aws.client("s3").delete_object(Bucket=self.world.settings.bucket, Key=key)

    def register(self) -> None:
        self.world.register(today=self.now.date())

    def fill(self, *tables: str) -> None:
        """Write and register the demo's partitions of some tables."""
        for (table, day), rows in delivered().items():
            if table in tables:
                self.write(table, day, rows)
        self.register()
        self.aws.calls.clear()

    def look(self, **asked: Any) -> LookReport:
        return check_data_quality.look(self.environment, now=self.now, today=self.now.date(), **asked)

    def check(self, look: LookReport, run_id: str = "test", **asked: Any) -> list[CheckReport]:
        """Check all chunks; what they raise is left aside, for the reports say it too."""
        reports: list[CheckReport] = []
        for chunk in look.as_data()["chunks"]:
            try:
                partition_checks.check(
                    self.environment,
                    chunk,
                    run_id=run_id,
                    now=lambda: self.now,
                    tell=self.told.append,
                    report_to=reports.append,
                    **asked,
                )
            except ChecksFailedError:
                continue
        return reports

    def run(self, *, engine: str = "auto", run_id: str = "test", **asked: Any) -> dict[str, Result]:
        """Look and check; what came of it by partition."""
        reports = self.check(self.look(**asked), run_id, engine=engine, forced=asked.get("force", False))
        assert not any(report.errors for report in reports), [report.errors for report in reports]
        return {one.name: one.result for report in reports for one in report.checked}

    def entries(self, table: str) -> dict[date, Entry]:
        return QualityStore(self.world.bucket, self.layout, Patience(sleep=lambda _: None)).entries(table, [2025, 2026])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return list(workgroup(self.world.settings).rows(sql))

    def objects(self, prefix: str = "") -> dict[str, bytes]:
        """All objects below a prefix of the quality documents."""
        below = f"{self.world.settings.prefix}/quality/{prefix}"
        bucket = self.world.bucket
        return {stored.key: bucket.read(stored.key) for stored in bucket.objects_below(below)}
