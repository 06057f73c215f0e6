"""The ways in which a change record can be wrong.

*Invalid* records pass the event source mapping's filter and end in ``errors/``; *filtered* ones never reach the
function. Each way makes exactly one thing wrong.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Callable

Change = dict[str, Any]
_REQUIRED = {"demand": "eventId", "notification": "fanId", "event": "id", "sale": "saleStartDateTime"}


def _missing_field(change: Change, kind: str) -> None:
    del _image(change)[_REQUIRED[kind]]


def _null_field(change: Change, kind: str) -> None:
    _image(change)[_REQUIRED[kind]] = {"NULL": True}


def _wrong_type(change: Change, kind: str) -> None:
    _image(change)[_REQUIRED[kind]] = {"N": "17"}


def _impossible_date(change: Change, kind: str) -> None:
    image = _image(change)
    wrong = {"S": "2025-02-30T10:00:00.000Z"}
    if kind == "sale":
        image["saleStartDateTime"] = wrong
    elif kind == "event":
        image["date"] = {"M": {"firstSeen": wrong, "updated": {"S": "2025-01-01T00:00:00.000Z"}}}
    else:
        image["date"]["M"]["requested" if kind == "demand" else "created"] = wrong


def _unknown_symbol(change: Change, kind: str) -> None:
    image = _image(change)
    match kind:
        case "demand":
            image["contactMethod"] = {"S": "pigeon"}
        case "notification":
            image["statusId"] = {"S": "LOST"}
        case "event":
            image["attractions"] = {"L": [{"M": {"id": {"S": "artist-1"}, "type": {"S": "circus"}}}]}
        case _:  # a sale has no enum: a list that is none comes nearest
            image["saleTypes"] = {"S": "presale"}


def _unknown_attribute_type(change: Change, kind: str) -> None:
    _image(change)[_REQUIRED[kind]] = {"X": "?"}


INVALID: dict[str, Callable[[Change, str], None]] = {
    "a required field is missing": _missing_field,
    "a required field is null": _null_field,
    "a number where a string belongs": _wrong_type,
    "a date that does not exist": _impossible_date,
    "an unknown symbol": _unknown_symbol,
    "an unknown attribute type": _unknown_attribute_type,
}
"""Each takes a change record and its type, and spoils it."""


def _unknown_type(data: bytes) -> bytes:
    change = json.loads(data)
    for name in ("NewImage", "OldImage"):
        if name in change["dynamodb"]:
            change["dynamodb"][name]["type"] = {"S": "refund"}
    return json.dumps(change).encode()


def _cut_off(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _without_image(data: bytes) -> bytes:
    change = json.loads(data)
    change["dynamodb"] = {name: value for name, value in change["dynamodb"].items() if not name.endswith("Image")}
    return json.dumps(change).encode()


FILTERED: dict[str, Callable[[bytes], bytes]] = {
    "a type that the pipeline does not know": _unknown_type,
    # Lambda drops what its pattern, being JSON, cannot be applied to.
    "no JSON": _cut_off,
    "no image, so no type": _without_image,
}
"""Each takes a good change record's bytes and gives some that the filter drops."""


def _image(change: Change) -> dict[str, Any]:
    """The image that delivery looks at."""
    name = "OldImage" if change["eventName"] == "REMOVE" else "NewImage"
    image: dict[str, Any] = change["dynamodb"][name]
    return image
