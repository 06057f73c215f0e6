"""Manifests: what is known of a partition that has left the catalog, enough to bring it back.

A manifest is one JSON object a partition, ``retention/{table}/{partition_date}.json``, written before the partition
leaves the catalog::

    {"version": 1, "table": "demand", "partition_date": "2024-01-31", "definition": {"Values": ["2024-01-31"], …},
     "objects": [{"key": "data-pipeline/avro/…", "version": "…", "etag": "…", "size": 52000}],
     "rows": 1200, "dropped_at": "2026-03-01T03:00:00Z", "dropped_by": "…", "grace_days": 14,
     "keep_until": null, "deleted_at": null}

Nothing is ever deleted that no manifest lists. While a manifest says that its partition has expired, nobody registers
the partition again: neither registration nor a replay. Restoring it writes ``keep_until``. When its objects were
deleted, the table's summary says (:mod:`dmd_pipeline.retention_summaries`); a manifest says it only when it is written
anew after that.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dmd_pipeline.errors import ManifestError
from dmd_pipeline.layout import is_partition_file


if TYPE_CHECKING:
    from dmd_pipeline.aws.s3 import StoredVersion
    from dmd_pipeline.layout import Layout


VERSION: Final = 1

_Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """A part of what is known of expired partitions."""

    # A key that is not known may change what the others mean: better to stop than to delete by half a manifest.
    model_config = ConfigDict(frozen=True, extra="forbid")


class ObjectVersion(Part):
    """An object as it was when its partition left the catalog.

    Attributes:
        key: Its key.
        version: Its version id; ``null`` in a bucket without versions.
        etag: Of its content, in quotation marks as S3 gives it.
        size: In bytes.
    """

    key: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    etag: Annotated[str, Field(min_length=1)]
    size: _Count

    @classmethod
    def of(cls, stored: StoredVersion) -> ObjectVersion:
        """What a manifest keeps of an object that was listed."""
        # Not validated: S3 has said it, and of a listing it would be a tenth of the work.
        return cls.model_construct(key=stored.key, version=stored.version, etag=stored.etag, size=stored.size)


class Manifest(Part):
    """What is known of an expired partition.

    Attributes:
        table: Its table.
        partition_date: Its date.
        definition: The partition as Glue had it, as CreatePartition takes it.
        objects: All that lay in its folder: what may be deleted, and nothing else.
        rows: How many rows they hold, by the heads of their blocks; or by the verdict that was given on them.
        dropped_at: When it was about to leave the catalog: the grace period begins.
        dropped_by: The run.
        grace_days: How long its objects stay, as the settings said then.
        keep_until: Somebody has restored it: it does not expire before that.
        deleted_at: When its objects were deleted.
    """

    version: Literal[1] = VERSION
    table: str
    partition_date: date
    definition: dict[str, Any]
    objects: tuple[ObjectVersion, ...]
    rows: _Count
    dropped_at: AwareDatetime
    dropped_by: str
    grace_days: Annotated[int, Field(ge=1)]
    keep_until: AwareDatetime | None = None
    deleted_at: AwareDatetime | None = None

    @classmethod
    def read(cls, content: bytes, layout: Layout, table: str, day: date) -> Self:
        """The manifest of a partition, from its object's bytes.

        Args:
            content: The bytes.
            layout: Where things lie: a manifest that lists anything but files of its own partition is none.
            table: The partition's table.
            day: The partition's date.

        Raises:
            ManifestError: They are no manifest of this partition; names the key and the first thing that is wrong.
        """
        key = layout.manifest_key(table, day)
        try:
            manifest = cls.model_validate_json(content)
        except ValidationError as error:
            raise ManifestError(f"{key} is no manifest: {first_error(error)}") from error
        manifest.check(layout, table, day, key)
        return manifest

    def check(self, layout: Layout, table: str, day: date, key: str) -> None:
        """Make sure that it is the manifest of a partition.

        Args:
            layout: Where things lie: a manifest that lists anything but files of its own partition is none.
            table: The partition's table.
            day: The partition's date.
            key: Of the object that it was read from.

        Raises:
            ManifestError: It is not; names the key and what is wrong.
        """
        if (self.table, self.partition_date) != (table, day):
            raise ManifestError(f"{key} is the manifest of {self.table}/{self.partition_date}: restore its object")
        if self.definition.get("Values") != [day.isoformat()]:
            raise ManifestError(f"{key}: definition.Values: expected [{day.isoformat()!r}]")
        folder = layout.partition_prefix(table, day)
        if strange := [one.key for one in self.objects if not is_partition_file(one.key, folder)]:
            raise ManifestError(f"{key}: objects: {strange[0]!r} is no file of the partition")

    def content(self) -> bytes:
        """The bytes of its object."""
        return self.model_dump_json(indent=1).encode()

    @property
    def bytes(self) -> int:
        """Of all its objects."""
        return sum(one.size for one in self.objects)

    def grace_ends(self, grace_days: int) -> datetime:
        """When its objects may be deleted, by the longer of two grace periods: the manifest's and the settings'."""
        return self.dropped_at + timedelta(days=max(self.grace_days, grace_days))

    def is_kept(self, now: datetime) -> bool:
        """Whether somebody has restored the partition, and it does not expire yet."""
        return self.keep_until is not None and now < self.keep_until


def first_error(error: ValidationError) -> str:
    """The first thing that is wrong, and where."""
    first = error.errors(include_url=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{f'{place}: ' if place else ''}{first['msg']}"
