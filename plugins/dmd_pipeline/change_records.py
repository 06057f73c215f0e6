"""A change record as it lies on the stream: what happened to one item of the DynamoDB table.

The JSON is DynamoDB's own for Kinesis data streams. Only what delivery needs is asked of it: a change record that
lacks, say, its ``eventID`` is still a change.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from dmd_pipeline.attribute_values import misfit, unmarshal_map
from dmd_pipeline.errors import InvalidRecordError


REMOVE: Final = "REMOVE"
_IMAGES: Final = {"INSERT": "NewImage", "MODIFY": "NewImage", REMOVE: "OldImage"}
_decode: Final = json.JSONDecoder().decode
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PRECISIONS: Final = {"MILLISECOND": timedelta(milliseconds=1), "MICROSECOND": timedelta(microseconds=1)}
_TTL_IDENTITY: Final = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


class ChangeRecord(NamedTuple):
    """One change of one item.

    Attributes:
        event_name: ``INSERT``, ``MODIFY`` or ``REMOVE``.
        attributes: The item after the change, or before its removal, as attribute values.
        document: The whole JSON object.
    """

    event_name: str
    attributes: dict[str, Any]
    document: dict[str, Any]

    @property
    def event_id(self) -> str:
        """The change's own id, ``""`` when it has none; copies of one change share it."""
        return str(self.document.get("eventID") or "")

    @property
    def record_type(self) -> str:
        """The item's ``type``.

        Raises:
            InvalidRecordError: It has none.
        """
        try:
            name = self.attributes["type"]["S"]
        except (KeyError, TypeError):
            name = None
        if not isinstance(name, str):
            attribute = self.attributes.get("type")
            raise InvalidRecordError(
                "type", "missing" if attribute is None else misfit("a string (S)", attribute).reason
            )
        return name

    @property
    def image(self) -> dict[str, Any]:
        """The item as plain values.

        Raises:
            InvalidRecordError: One of them is no attribute value; names its dotted path.
        """
        try:
            return unmarshal_map(self.attributes)
        except RecursionError:
            raise InvalidRecordError("", "nested too deeply") from None

    @property
    def is_ttl_removal(self) -> bool:
        """Whether DynamoDB itself removed the item because its time to live had run out."""
        identity = self.document.get("userIdentity")
        return (
            self.event_name == REMOVE
            and isinstance(identity, dict)
            and all(identity.get(key) == value for key, value in _TTL_IDENTITY.items())
        )

    @property
    def approximate_creation(self) -> datetime:
        """When the change happened, in UTC.

        Raises:
            InvalidRecordError: Missing, no integer, of unknown precision, or outside the years 1 to 9999.
        """
        change = self.document["dynamodb"]
        field = "dynamodb.ApproximateCreationDateTime"
        unit = _PRECISIONS.get(str(change.get("ApproximateCreationDateTimePrecision", "MILLISECOND")))
        if unit is None:
            raise InvalidRecordError(f"{field}Precision", f"expected one of {', '.join(_PRECISIONS)}")
        count = change.get("ApproximateCreationDateTime")
        if type(count) is not int:
            raise InvalidRecordError(field, "missing" if count is None else "expected an integer")
        try:
            return _EPOCH + count * unit
        except OverflowError:
            raise InvalidRecordError(field, "expected a time in the years 1 to 9999") from None


def parse(data: bytes) -> ChangeRecord:
    """Read a change record as far as delivery needs it.

    Raises:
        InvalidRecordError: It is no JSON object in UTF-8, its ``eventName`` is none of the three, or it lacks the
            image that goes with it. Names the field; never holds a value.
    """
    document = _load(data)
    event_name = document.get("eventName")
    image = _IMAGES.get(event_name) if isinstance(event_name, str) else None
    if image is None:
        raise InvalidRecordError("eventName", f"expected one of {', '.join(_IMAGES)}")
    change = document.get("dynamodb")
    if not isinstance(change, dict):
        raise InvalidRecordError("dynamodb", "missing" if change is None else "expected an object")
    attributes = change.get(image)
    if not isinstance(attributes, dict):
        reason = f"missing, and {event_name} needs it" if attributes is None else "expected an object"
        raise InvalidRecordError(f"dynamodb.{image}", reason)
    return ChangeRecord(str(event_name), attributes, document)


@lru_cache(maxsize=1)
def decoded(data: bytes) -> Any:
    """What JSON in UTF-8 says; not to be changed, for the last one is remembered.

    A replay asks for each record several times in turn: to filter it, for its row, and for the row at another time.

    Raises:
        ValueError: It is none, or holds an integer of thousands of digits.
        RecursionError: It holds thousands of brackets.
    """
    return _decode(data.decode())


def _load(data: bytes) -> dict[str, Any]:
    try:
        document = decoded(data)
    except UnicodeDecodeError:
        raise InvalidRecordError("", "expected JSON in UTF-8, found other bytes") from None
    except json.JSONDecodeError as error:
        raise InvalidRecordError("", f"not valid JSON at character {error.pos}: {error.msg}") from None
    except (ValueError, RecursionError):  # an integer of thousands of digits, or thousands of brackets
        raise InvalidRecordError("", "expected JSON that a change record may hold, found excess") from None
    if not isinstance(document, dict):
        raise InvalidRecordError("", "expected a JSON object")
    return document
