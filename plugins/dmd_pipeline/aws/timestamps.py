"""Timestamps of AWS's answers, read quickly: a page of a listing or of a stream has thousands.

Botocore's own parser tries many formats, which is half of the work that a listing makes on this side. To each number it
gives the machine's own time zone, and an object of it, which takes more memory than many a record.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.parsers import DEFAULT_TIMESTAMP_PARSER


if TYPE_CHECKING:
    import boto3


_any_timestamp: Any = DEFAULT_TIMESTAMP_PARSER  # its stub knows texts only, it reads numbers as well


def parse_timestamp(value: float | str) -> datetime:
    """The moment that botocore reads as well: here, when it is a number or of ISO 8601 with an offset.

    Args:
        value: Seconds since 1970, or a text that botocore knows.

    Raises:
        ValueError: It is none.
    """
    try:
        if not isinstance(value, str):
            return datetime.fromtimestamp(value, UTC)
        parsed: datetime | None = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError):
        parsed = None
    # Seconds in a text can look like a date, but have no offset.
    if parsed is None or parsed.tzinfo is None:
        parsed = _any_timestamp(value)
    return parsed


def read_timestamps_quickly(session: boto3.Session) -> None:
    """Have all clients read timestamps quickly that a session makes from now on."""
    parsers = session._session.get_component(  # noqa: SLF001 - boto3 shows it only to those who have given it one
        "response_parser_factory"
    )
    parsers.set_parser_defaults(timestamp_parser=parse_timestamp)
