"""How a change of a record lies on the stream: DynamoDB's change record for Kinesis, as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping

_TTL = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY_FIELDS = {
    "demand": ("eventId", "saleId", "fanId"),
    "notification": ("eventId", "saleId", "fanId"),
    "event": ("id",),
    "sale": ("eventId", "id"),
}


def attribute(value: Any) -> dict[str, Any]:
    """A value as DynamoDB types it.

    >>> attribute(["a", 1.5, None, {"b": True}])
    {'L': [{'S': 'a'}, {'N': '1.5'}, {'NULL': True}, {'M': {'b': {'BOOL': True}}}]}
    """
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | float():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case list():
            return {"L": [attribute(one) for one in value]}
        case dict():
            return {"M": {name: attribute(one) for name, one in value.items()}}
        case _:
            raise TypeError(f"no attribute value for {type(value).__name__}")


def item_key(record: Mapping[str, Any]) -> str:
    """What identifies the record in its DynamoDB table."""
    fields = _KEY_FIELDS.get(record["type"], ("id",))
    return "#".join([record["type"], *(str(record.get(field)) for field in fields)])


def change_record(
    record: Mapping[str, Any], event_name: str, event_id: str, at: datetime, *, by_ttl: bool, microseconds: bool
) -> dict[str, Any]:
    """The change record of one change.

    Args:
        record: The item after the change, or before its removal.
        event_name: ``INSERT``, ``MODIFY`` or ``REMOVE``.
        event_id: The change's own id.
        at: When it happened.
        by_ttl: Whether DynamoDB itself removed the item.
        microseconds: Whether the time is given in microseconds.
    """
    image = {name: attribute(value) for name, value in record.items()}
    keys = {"pk": {"S": item_key(record)}, "sk": {"S": record["type"]}}
    since_epoch = at - _EPOCH
    milliseconds = (since_epoch.days * 86_400 + since_epoch.seconds) * 1000 + since_epoch.microseconds // 1000
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": milliseconds * 1000 + at.microsecond % 1000 if microseconds else milliseconds,
        "Keys": keys,
    }
    if microseconds:
        change["ApproximateCreationDateTimePrecision"] = "MICROSECOND"
    images = {"INSERT": ("NewImage",), "MODIFY": ("NewImage", "OldImage"), "REMOVE": ("OldImage",)}[event_name]
    for name in images:
        change[name] = keys | image
    change["SizeBytes"] = 400 + 40 * len(image)
    return {
        "awsRegion": "us-east-1",
        "eventID": event_id,
        "eventName": event_name,
        "userIdentity": _TTL if by_ttl else None,
        "recordFormat": "application/json",
        "tableName": "prd3292-local-dmnd-table",
        "dynamodb": change,
        "eventSource": "aws:dynamodb",
    }


def encode(document: Mapping[str, Any]) -> bytes:
    """A change record as the bytes of a Kinesis record."""
    return json.dumps(document, ensure_ascii=False).encode()
