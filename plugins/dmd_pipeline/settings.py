"""One validated YAML file an environment: ``include/environments/{environment}.yaml``.

``DMD_ENV`` names the environment (default ``local``). Loading is the only thing that reads the file, and it is
cached: DAG files load it while they are parsed.
"""

from __future__ import annotations

import os
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from dmd_pipeline.errors import SettingsError
from dmd_pipeline.layout import Layout
from dmd_pipeline.yaml_files import load_yaml


INCLUDE = Path(__file__).resolve().parents[2] / "include"

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
"""A name that may stand in SQL and in a path: lower-case letters, digits, underscores."""
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Sentence = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$", max_length=200)]
"""A line for people."""
LEAST_RETENTION_DAYS: Final = 30
"""Nothing younger expires, whatever a file says: by then the data may still be late, repaired or replayed."""
_CRON_FIELDS = {"minute": (0, 59), "hour": (0, 23), "day of month": (1, 31), "month": (1, 12), "day of week": (0, 7)}


def _check_cron(expression: str) -> str:
    """Refuse here, by file and key, what Airflow would refuse when it parses the DAG."""
    fields = expression.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError(f"expected five fields: {', '.join(_CRON_FIELDS)}")
    for text, (name, (least, most)) in zip(fields, _CRON_FIELDS.items(), strict=True):
        for part in text.split(","):
            match = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?", part, re.ASCII)
            if match is None or not all(least <= int(number) <= most for number in match.groups()[:2] if number):
                raise ValueError(f"expected a {name} as *, {least} to {most}, a range, or steps such as */{most // 2}")
    return expression


Cron = Annotated[str, AfterValidator(_check_cron)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Registration(_Section):
    """How ``register_partitions`` works."""

    ahead_days: Annotated[int, Field(ge=0, le=366)] = Field(
        description="Register this many days after today (UTC), whether or not they hold data."
    )
    parallel_batches: Annotated[int, Field(ge=1, le=16)] = Field(
        description="BatchCreatePartition calls under way at once, per table."
    )


class SchemaChanges(_Section):
    """How ``apply_schema_changes`` works."""

    repair_drift: bool = Field(description="Undo what was changed by hand in Glue; otherwise only report it.")
    approve_breaking: bool = Field(description="Ask a person before a breaking change.")
    approval_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        description="Hours in which the person may answer; no answer is a rejection."
    )
    sampled_partitions: Annotated[int, Field(ge=0, le=1000)] = Field(
        description="Look at the oldest and newest file of at most this many partitions of a table."
    )


class Replay(_Section):
    """How ``reprocess_failed_batches`` works."""

    read_share: Annotated[float, Field(gt=0, le=0.5)] = Field(
        description="Share of a shard's GetRecords limits that one run may use; two may be under way, and the delivery "
        "worker needs the rest."
    )
    deadline_margin_hours: Annotated[int, Field(ge=0, le=168)] = Field(
        description="Alert when a batch is found that would be lost within so many hours."
    )
    attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        description="How often a document of rejected records is tried; after that it is only reported."
    )
    alarm_age_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        description="CloudWatch's own alarm: when the oldest message in the dead-letter queue is so many hours old."
    )


class Quality(_Section):
    """How ``check_data_quality`` works."""

    window_days: Annotated[int, Field(ge=0, le=3660)] = Field(
        description="Look at partitions of so many days back, and at all dates ahead."
    )
    memory_megabytes: Annotated[int, Field(ge=0, le=1024)] = Field(
        description="Check partitions of up to this size in memory, which takes about twice as much; larger in Athena."
    )
    parallel_chunks: Annotated[int, Field(ge=1, le=16)] = Field(
        description="Chunks of partitions that are checked at once, by a process each."
    )


class Hold(_Section):
    """Dates of a table that do not expire while the hold is listed, whatever their age."""

    from_date: date | None = Field(default=None, description="First partition date; none means from the oldest on.")
    to_date: date | None = Field(default=None, description="Last partition date, included; none means no end.")
    reason: Sentence = Field(description="Why, and who asked for it: shown in every plan.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.from_date is not None and self.to_date is not None and self.from_date > self.to_date:
            raise ValueError(f"from_date {self.from_date} is after to_date {self.to_date}")
        return self

    def covers(self, day: date) -> bool:
        """Whether a partition date is held."""
        return (self.from_date or date.min) <= day <= (self.to_date or date.max)


class TableRetention(_Section):
    """How long one table keeps its partitions."""

    retention_days: Annotated[int, Field(ge=LEAST_RETENTION_DAYS, le=36_500)] | None = Field(
        default=None, description="Partitions whose business date is longer ago expire; none keeps all for ever."
    )
    grace_days: Annotated[int, Field(ge=1, le=365)] = Field(
        default=14, description="How long the objects of an expired partition stay, so that it can be restored."
    )
    mode: Literal["plan", "enforce"] = Field(default="plan", description="Only say what would expire, or do it.")
    max_partitions_per_run: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=100, description="A person approves what goes beyond so many partitions."
    )
    max_share_per_run: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.1, description="A person approves what goes beyond this share of the table's partitions."
    )
    holds: tuple[Hold, ...] = Field(default=(), strict=False, description="Dates that do not expire.")


class Retention(_Section):
    """How ``drop_expired_partitions`` and ``clean_test_data`` work."""

    approval_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        description="Hours in which a person may approve a plan; no answer is a rejection."
    )
    test_data_days: Annotated[int, Field(ge=1, le=3660)] = Field(
        description="Objects of tests that were written longer ago are deleted."
    )
    personal_data_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        description="Every plan tells of tables without a retention that hold personal data for longer."
    )
    tables: dict[Identifier, TableRetention] = Field(description="By table; one that is not named is kept for ever.")

    def of(self, table: str) -> TableRetention:
        """How long a table keeps its partitions."""
        return self.tables.get(table, TableRetention())


class Lifecycle(_Section):
    """What ``apply_lifecycle_rules`` tells S3: how long our own leftovers stay, by the age of each object.

    Nothing here is about files of tables, ``errors/``, what is known of expired partitions, or the summaries of
    quality (one document a table and year): they stay until something else deletes them.
    """

    approval_hours: Annotated[int, Field(ge=1, le=168)] = Field(
        description="Hours in which a person may approve a plan; no answer is a rejection."
    )
    replay_raw_days: Annotated[int, Field(ge=LEAST_RETENTION_DAYS, le=36_500)] = Field(
        description="Secured records of a failed batch that is settled; of one that is not, they stay."
    )
    quarantine_days: Annotated[int, Field(ge=LEAST_RETENTION_DAYS, le=36_500)] = Field(
        description="What could not be converted: until then it can be mended and replayed."
    )
    backups_days: Annotated[int, Field(ge=LEAST_RETENTION_DAYS, le=36_500)] = Field(
        description="Backups of tables' definitions: until then a change can be rolled back."
    )
    quality_days: Annotated[int, Field(ge=90, le=36_500)] = Field(
        description="Results of checks, and their pages; the verdict in the summary stays."
    )
    athena_results_days: Annotated[int, Field(ge=1, le=36_500)] = Field(
        description="Results of queries of the environment's workgroup."
    )
    noncurrent_days: Annotated[int, Field(ge=LEAST_RETENTION_DAYS, le=36_500)] = Field(
        description="Versions that were overwritten or deleted: until then, a deleted partition can be brought back."
    )
    unfinished_uploads_days: Annotated[int, Field(ge=1, le=365)] = Field(
        description="Parts of uploads that nobody has finished."
    )


class Schedules(_Section):
    """Cron expressions (UTC), one a scheduled DAG."""

    register_partitions: Cron
    apply_schema_changes: Cron
    reprocess_failed_batches: Cron
    check_data_quality: Cron
    drop_expired_partitions: Cron
    clean_test_data: Cron


class Settings(_Section):
    """Everything that differs between environments."""

    environment: Literal["local", "dev1", "qa1", "preprod1", "prod1"]
    account_id: Annotated[str, StringConstraints(pattern=r"^\d{12}$")] = Field(description="AWS account, 12 digits.")
    region: Name
    bucket: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    prefix: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")] = Field(description="First folder of every key.")
    database: Identifier = Field(description="Glue database.")
    workgroup: Name = Field(description="Athena workgroup.")
    stream: Name = Field(description="Kinesis data stream of change records.")
    function: Name = Field(description="The delivery worker's Lambda function.")
    dead_letter_queue: Name = Field(description="SQS queue that receives the positions of failed batches.")
    alerts_topic: Name = Field(description="SNS topic of alerts.")
    kms_key: Name = Field(description="Alias (without `alias/`) of the key that encrypts raw and quarantined records.")
    aws_conn_id: Name = Field(description="Airflow connection that gives access to AWS.")
    registration: Registration
    schema_changes: SchemaChanges
    replay: Replay
    quality: Quality
    retention: Retention
    lifecycle: Lifecycle
    schedules: Schedules

    @property
    def layout(self) -> Layout:
        """Where things lie in this environment's bucket."""
        return Layout(self.bucket, self.prefix)

    @property
    def alerts_topic_arn(self) -> str:
        """ARN of the SNS topic of alerts."""
        return f"arn:aws:sns:{self.region}:{self.account_id}:{self.alerts_topic}"

    @property
    def kms_key_arn(self) -> str:
        """ARN of the alias of the key that encrypts raw and quarantined records."""
        return f"arn:aws:kms:{self.region}:{self.account_id}:alias/{self.kms_key}"

    @property
    def stream_arn(self) -> str:
        """ARN of the stream of change records."""
        return f"arn:aws:kinesis:{self.region}:{self.account_id}:stream/{self.stream}"

    @property
    def function_arn(self) -> str:
        """ARN of the delivery worker's function."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.function}"

    @property
    def dead_letter_queue_arn(self) -> str:
        """ARN of the queue of failed batches."""
        return f"arn:aws:sqs:{self.region}:{self.account_id}:{self.dead_letter_queue}"


def current_environment() -> str:
    """Name of the environment this process works in: ``DMD_ENV``, or ``local``."""
    return os.environ.get("DMD_ENV", "local")


def load_settings(environment: str | None = None, include: Path = INCLUDE) -> Settings:
    """Read and validate an environment's file; each file is read once in the life of a process.

    Args:
        environment: Its name; the current one when None.
        include: Folder that holds ``environments/``.

    Raises:
        SettingsError: The file is missing, is not YAML, or holds a wrong or unknown key; names file, key and what was
            expected.
    """
    return _load(environment or current_environment(), include)


@cache
def _load(environment: str, include: Path) -> Settings:
    path = include / "environments" / f"{environment}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml"))) or "none"
        raise SettingsError(f"{path}: missing; environments with a file: {known}")
    settings = load_yaml(path, Settings, SettingsError)
    if settings.environment != environment:
        raise SettingsError(
            f"{path}: environment: expected {environment!r} as in the file's name, found {settings.environment!r}"
        )
    return settings
