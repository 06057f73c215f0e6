"""Change records for the tests: plain items in, the bytes that lie on the stream out.

Items are marshalled by boto3's own serializer, not by code of this project.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeSerializer


NOW = datetime(2025, 6, 15, 12, 30, 45, 678900, tzinfo=UTC)
NOW_STAMP = "2025-06-15T12:30:45.678Z"

_serialize: Any = TypeSerializer().serialize


def marshal(value: object) -> dict[str, Any]:
    """The attribute value of a plain value, as it stands in the stream's JSON: bytes are base64."""
    return _in_json(_serialize(value))


def _in_json(attribute: dict[str, Any]) -> dict[str, Any]:
    tag, value = next(iter(attribute.items()))
    if tag == "B":
        return {tag: _base64(value)}
    if tag == "BS":
        return {tag: [_base64(item) for item in value]}
    if tag == "L":
        return {tag: [_in_json(item) for item in value]}
    if tag == "M":
        return {tag: {name: _in_json(item) for name, item in value.items()}}
    return {tag: value}


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def image(item: dict[str, Any]) -> dict[str, Any]:
    """The attribute values of an item."""
    return {name: marshal(value) for name, value in item.items()}


def document(attributes: dict[str, Any], event_name: str = "INSERT", **changed: Any) -> dict[str, Any]:
    """A change record around attribute values; keyword arguments replace its own keys."""
    return {
        "awsRegion": "us-east-1",
        "eventID": "6b1c1d9a-3b0a-4c3e-9f0e-0d5d6f1f2a3b",
        "eventName": event_name,
        "userIdentity": None,
        "recordFormat": "application/json",
        "tableName": "prd3292-local-dmnd-table",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_750_000_000_123,
            "Keys": {"pk": {"S": "key"}},
            "OldImage" if event_name == "REMOVE" else "NewImage": attributes,
            "SizeBytes": 200,
        },
        "eventSource": "aws:dynamodb",
    } | changed


def change(item: dict[str, Any], event_name: str = "INSERT", **changed: Any) -> bytes:
    """The bytes of a change of an item."""
    return json.dumps(document(image(item), event_name, **changed)).encode()


def demand(**changed: Any) -> dict[str, Any]:
    """A demand with every required field; None takes a field away."""
    return _item(
        {
            "type": "demand",
            "fanId": "fan-1",
            "eventId": "event-1",
            "saleId": "sale-1",
            "requestedDateTime": "2025-06-01T10:00:00Z",
            "date": {"requested": "2025-06-01T10:00:00Z"},
        },
        changed,
    )


def notification(**changed: Any) -> dict[str, Any]:
    """A notification with every required field; None takes a field away."""
    return _item(
        {
            "type": "notification",
            "fanId": "fan-1",
            "eventId": "event-1",
            "saleId": "sale-1",
            "date": {"created": "2025-06-02T10:00:00Z"},
        },
        changed,
    )


def event(**changed: Any) -> dict[str, Any]:
    """An event with every required field; None takes a field away."""
    return _item({"type": "event", "id": "event-1"}, changed)


def sale(**changed: Any) -> dict[str, Any]:
    """A sale with every required field; None takes a field away."""
    return _item(
        {
            "type": "sale",
            "id": "sale-1",
            "eventId": "event-1",
            "saleTypes": ["presale"],
            "saleStartDateTime": "2025-12-24T18:00:00Z",
        },
        changed,
    )


def _item(item: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (item | changed).items() if value is not None}
