"""The result document of one check, as the pages need it: nothing of it is trusted before it is validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from dmd_pipeline.quality_documents import BrokenDocumentError, broken


if TYPE_CHECKING:
    from datetime import date


class _Part(BaseModel):
    # Keys that are not known are left out: a later version of the pipeline may write more.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Failing(_Part):
    """A row that does not fit; its values are masked."""

    reference_id: str | None
    reference_timestamp: str | None
    value: str


class Outcome(_Part):
    """What came of one expectation.

    Attributes:
        observed: Percent of rows that do not fit when there is an ``unexpected_count``, the observed value otherwise;
            None when it was not measured.
    """

    id: str
    sentence: str
    severity: Literal["fail", "warn"]
    passed: bool
    observed: float | None
    element_count: int | None
    unexpected_count: int | None
    expected: str
    sample: tuple[Failing, ...] = ()


class Result(_Part):
    """What came of all expectations of one partition."""

    table_name: str
    partition_date: str
    expectations: tuple[Outcome, ...]


def parse_result(body: bytes, key: str, table: str, day: date) -> Result:
    """Read a result document.

    Args:
        body: Its content.
        key: Where it lies, for the message.
        table: Table that it has to be about.
        day: Partition date that it has to be about.

    Raises:
        BrokenDocumentError: It is no result, or that of another partition; names the key and what is wrong.
    """
    try:
        result = Result.model_validate_json(body)
    except ValidationError as error:
        raise broken(key, error) from error
    if (result.table_name, result.partition_date) != (table, day.isoformat()):
        about = f"{result.table_name[:80]} {result.partition_date[:40]}"
        raise BrokenDocumentError(f"broken document: {key}: it is about {about}")
    return result
