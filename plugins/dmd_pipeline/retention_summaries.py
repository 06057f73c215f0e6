"""Summaries: what is known of all manifests of a table, in one object, so that nobody has to read them one by one.

``retention/summaries/{table}.json.gz``, one a table, is written at the end of each run that lets partitions leave or
deletes their objects::

    {"version": 1, "table": "demand", "manifests": {
        "2024-01-31": {"etag": "…", "deleted_at": null, "manifest": {"version": 1, "table": "demand", …}},
        "2024-01-30": {"etag": "…", "deleted_at": "2026-03-15T03:00:00Z", "manifest": null}}}

It speaks of a manifest only as long as this has the ETag that it had: who writes a manifest anew need not know of the
summary. Of what it does not say, the manifests are read; without it everything is found again, but for deletions of
which objects have come back since: nobody knows then that these had been deleted.
"""

from __future__ import annotations

import gzip
import zlib
from datetime import date  # noqa: TC003 - pydantic asks for it
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from dmd_pipeline.errors import ManifestError
from dmd_pipeline.retention_manifests import Manifest, Part, first_error


if TYPE_CHECKING:
    from collections.abc import Mapping

    from dmd_pipeline.layout import Layout


VERSION: Final = 1
_COMPRESSION: Final = 6
"""Level 9, the default, takes three times as long and saves next to nothing."""


class Known(Part):
    """What is known of a manifest.

    Attributes:
        etag: Of the manifest, in quotation marks as S3 gives it: with another one, all this is out of date.
        deleted_at: When the objects were deleted that the manifest lists: then nothing else is kept of it.
        manifest: What it says.
    """

    etag: Annotated[str, Field(min_length=1)]
    deleted_at: AwareDatetime | None = None
    manifest: Manifest | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.deleted_at is None) == (self.manifest is None):
            raise ValueError("expected either deleted_at or manifest")
        return self

    @classmethod
    def of(cls, manifest: Manifest, etag: str) -> Self:
        """What is known of a manifest that was read or written.

        One that says both that its objects were deleted and until when they are kept is of a restoration that was cut
        off: all of it counts.
        """
        if manifest.deleted_at is not None and manifest.keep_until is None:
            return cls(etag=etag, deleted_at=manifest.deleted_at)
        return cls(etag=etag, manifest=manifest)


class Summary(Part):
    """What is known of a table's manifests.

    Attributes:
        table: The table.
        manifests: By partition date; not necessarily of all.
    """

    version: Literal[1] = VERSION
    table: str
    manifests: dict[date, Known] = Field(default_factory=dict)

    @classmethod
    def read(cls, content: bytes, layout: Layout, table: str) -> Self:
        """The summary of a table, from its object's bytes.

        Args:
            content: The bytes.
            layout: Where things lie.
            table: The table.

        Raises:
            ManifestError: They are no summary of this table; names the key, the first thing that is wrong, the remedy.
        """
        key = layout.retention_summary_key(table)
        remedy = "restore its object; without it, all manifests are read one by one"
        try:
            summary = cls.model_validate_json(gzip.decompress(content))
        except (OSError, EOFError, zlib.error) as error:
            raise ManifestError(f"{key} is no summary: {error}: {remedy}") from error
        except ValidationError as error:
            raise ManifestError(f"{key} is no summary: {first_error(error)}: {remedy}") from error
        if summary.table != table:
            raise ManifestError(f"{key} is the summary of {summary.table}: {remedy}")
        for day, known in summary.manifests.items():
            if known.manifest is not None:
                known.manifest.check(layout, table, day, key)
        return summary

    def content(self) -> bytes:
        """The bytes of its object."""
        return gzip.compress(self.model_dump_json().encode(), _COMPRESSION, mtime=0)

    def of(self, etags: Mapping[date, str]) -> dict[date, Known]:
        """What it says of manifests that are as they were.

        Args:
            etags: Of the manifests as they are now, by partition date.
        """
        return {day: known for day, known in self.manifests.items() if known.etag == etags.get(day)}
