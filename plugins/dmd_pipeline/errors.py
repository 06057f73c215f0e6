"""Every error this project raises on purpose.

The hierarchy::

    PipelineError
    ├── ConfigurationError         what people wrote: fixed by editing a file or a parameter
    │   ├── SettingsError          include/environments/{environment}.yaml
    │   ├── SchemaError            include/schemas/{table}.avsc or include/record_types/{table}.yaml
    │   ├── SchemaRefusedError     the schema is sound, and the files or the catalog cannot follow it
    │   ├── ExpectationsError      include/expectations/{table}.json
    │   └── ParameterError         what a run was triggered with
    ├── InvalidRecordError         one change record that cannot become a row; never fails a batch
    ├── NotAFailureError           a message that tells of no failed batch of this pipeline
    ├── CatalogError               Glue refused, or holds something else than expected
    │   ├── DatabaseNotFoundError
    │   ├── TableNotFoundError
    │   ├── ConcurrentChangeError  somebody else changed the same table meanwhile: run again
    │   ├── VerificationError      Athena does not read what the files hold
    │   └── PartitionsFailedError  some partitions or tables failed; names each with its reason
    ├── StorageError               S3 refused, or holds something else than expected
    │   ├── ContainerFileError     an object is no Avro container file, or a damaged one
    │   └── ManifestError          what is known of an expired partition is missing or damaged
    ├── QueueError                 SQS refused
    ├── StreamError                Kinesis refused
    │   ├── ShardNotFoundError     the shard is gone, and its records with it
    │   └── PositionError          a sequence number or a time that the shard cannot be read from
    ├── FunctionError              Lambda refused, or holds something else than expected
    │   └── PatternError           a filter pattern of the event source mapping that is not understood
    ├── AlarmError                 CloudWatch refused
    ├── QueryFailedError           a query in Athena failed, or Athena refused it
    ├── ReplayIncompleteError      failed batches were lost, failed or were tried too often; all others were replayed
    ├── ChecksFailedError          some partitions failed their checks, or could not be checked; all others were
    ├── ChecksIncompleteError      some tables could not be looked at; all others were
    ├── BacklogError               the worker's disk does not take what waits: make room in its temporary directory
    ├── ThrottledError             AWS asked to slow down until our patience ran out
    └── AlertError                 an alert could not be sent

Catch :class:`PipelineError` to handle all of them; everything else is a defect or an outage::

    try:
        register_partitions.run(...)
    except PipelineError as error:
        logger.error("%s", error)
"""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class PipelineError(Exception):
    """Base of every error this project raises on purpose; its message names the thing, the place and the remedy."""


class ConfigurationError(PipelineError):
    """Something that people wrote is wrong: a file or a parameter."""


class SettingsError(ConfigurationError):
    """An environment's YAML file is missing, unreadable or holds a wrong or unknown key."""


class SchemaError(ConfigurationError):
    """A table's Avro schema or declaration is invalid or cannot be expressed in Glue."""


class SchemaRefusedError(ConfigurationError):
    """A change of a schema that files or catalog cannot follow; says the nearest change that they can."""


class ExpectationsError(ConfigurationError):
    """A table's suite of expectations is missing, unreadable or expects something that cannot be checked."""


class ParameterError(ConfigurationError):
    """A run was triggered with a parameter that makes no sense."""


class InvalidRecordError(PipelineError):
    """A change record that cannot become a row of its table.

    Attributes:
        field: Dotted path of the offending field, ``""`` when the record as a whole is unreadable.
        reason: What is wrong with it, in words; never holds the value, which may be personal data.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}" if field else reason)


class NotAFailureError(PipelineError):
    """A message that tells of no failed batch of this pipeline.

    Attributes:
        reason: ``foreign``: of another stream or function; ``unknown``: nothing that is understood.
        text: Why, by field; never holds a value, which may be personal data.
    """

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        self.text = text
        super().__init__(f"{reason}: {text}")


class CatalogError(PipelineError):
    """Glue refused a call, or holds something else than expected."""


class DatabaseNotFoundError(CatalogError):
    """The environment's Glue database does not exist."""


class TableNotFoundError(CatalogError):
    """A Glue table does not exist."""


class ConcurrentChangeError(CatalogError):
    """Somebody else changed the same table between our reading and our writing."""


class VerificationError(CatalogError):
    """What Athena reads of a table is not what its files hold."""


class PartitionsFailedError(CatalogError):
    """Some partitions, or all of some tables, could not be written; the others were.

    Attributes:
        failures: Reason by ``table/partition_date=YYYY-MM-DD``, or by table where nothing at all could be done.
    """

    def __init__(self, failures: dict[str, str]) -> None:
        self.failures = failures
        listed = "; ".join(f"{partition}: {reason}" for partition, reason in sorted(failures.items()))
        super().__init__(f"{len(failures)} partition(s) or table(s) failed, all others were written. {listed}")


class StorageError(PipelineError):
    """S3 refused a call, or holds something else than expected."""


class ContainerFileError(StorageError):
    """An object is no Avro object container file, or one that is cut off or damaged."""


class ManifestError(StorageError):
    """What is known of an expired partition is missing, damaged, or of another partition."""


class QueueError(PipelineError):
    """SQS refused a call, or the queue does not exist."""


class StreamError(PipelineError):
    """Kinesis refused a call, or the stream does not exist."""


class ShardNotFoundError(StreamError):
    """The stream has no such shard: it never had, or forgot it when its last record expired."""


class PositionError(StreamError):
    """A shard cannot be read from this place: the sequence number is not its own, or the time has not come."""


class FunctionError(PipelineError):
    """Lambda refused a call, or has no such function or event source mapping."""


class PatternError(FunctionError):
    """An event source mapping's filter pattern that Lambda would refuse, or that this project does not understand."""


class AlarmError(PipelineError):
    """CloudWatch refused a call."""


class QueryFailedError(PipelineError):
    """A query in Athena failed, or Athena refused to start it.

    Attributes:
        reason: What Athena says.
        workgroup: Where it ran.
        execution_id: Under which Athena keeps it; None when it was never started.
    """

    def __init__(self, reason: str, workgroup: str, execution_id: str | None = None) -> None:
        self.reason = reason
        self.workgroup = workgroup
        self.execution_id = execution_id
        if execution_id is None:
            super().__init__(f"Athena did not start a query in workgroup {workgroup}: {reason}")
        else:
            super().__init__(
                f"query {execution_id} failed: {reason} (its text: Athena's console, workgroup {workgroup}, Recent "
                f"queries; or aws athena get-query-execution --query-execution-id {execution_id})"
            )


class ReplayIncompleteError(PipelineError):
    """Some failed batches were lost, failed again or were tried too often; all others were replayed.

    Attributes:
        problems: Each with its batch, message or document, and the reason.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"all else is done. {'. '.join(self.problems)}. Runbook: docs/runbooks/dead-letter-queue.md")


class ChecksFailedError(PipelineError):
    """Some partitions failed their checks, or could not be checked; all others were, and each bad one had its alert.

    Attributes:
        partitions: Which, by table and verdict.
        reasons: What does not hold, or why it cannot be told.
    """

    def __init__(self, partitions: Sequence[str], reasons: Sequence[str]) -> None:
        self.partitions = tuple(partitions)
        self.reasons = tuple(reasons)
        super().__init__(
            f"all else is checked. {'; '.join(self.partitions)}. {' '.join(self.reasons)} "
            "Runbook: docs/runbooks/data-quality.md"
        )


class ChecksIncompleteError(PipelineError):
    """Some tables could not be looked at, so nothing of them was checked; all others were.

    Attributes:
        errors: Reason by table.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        listed = "; ".join(f"{table}: {why}" for table, why in sorted(self.errors.items()))
        super().__init__(f"all other tables are checked. {listed}. Runbook: docs/runbooks/data-quality.md")


class BacklogError(PipelineError):
    """What a run has claimed could not be kept on the worker's disk."""


class ThrottledError(PipelineError):
    """AWS asked to slow down, and kept asking until the retries ran out."""


class AlertError(PipelineError):
    """An alert could not be sent to one of its channels."""
