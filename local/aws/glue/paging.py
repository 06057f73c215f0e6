"""Continuation tokens: opaque to clients, tied to the request they continue, refused when tampered with."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

from local.aws.wire import AwsError


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Item = TypeVar("Item")
_NOT_PART_OF_THE_QUESTION = frozenset({"NextToken", "MaxResults"})


def page(
    items: Sequence[Item],
    position: Callable[[Item], list[Any]],
    body: Mapping[str, Any],
    largest: int,
) -> tuple[Sequence[Item], dict[str, str]]:
    """One page of a sorted listing.

    Args:
        items: Everything there is, in the order of ``position``.
        position: Where an item stands in the order; goes into the token.
        body: The request; its ``NextToken`` and ``MaxResults`` are honoured.
        largest: Most items of a page, and the size of a page that asks for no other.

    Returns:
        The page's items, and ``{"NextToken": …}`` when there are more.

    Raises:
        AwsError: The token is not one of ours, or belongs to another request.
    """
    question = _fingerprint(body)
    start = 0
    if body.get("NextToken"):
        start = bisect_right(items, _decode(body["NextToken"], question), key=position)
    end = start + min(int(body.get("MaxResults") or largest), largest)
    chosen = items[start:end]
    more = end < len(items)
    return chosen, {"NextToken": _encode(position(chosen[-1]), question)} if more and chosen else {}


def _fingerprint(body: Mapping[str, Any]) -> int:
    question = {name: value for name, value in body.items() if name not in _NOT_PART_OF_THE_QUESTION}
    return crc32(json.dumps(question, sort_keys=True).encode())


def _encode(after: list[Any], question: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([question, after]).encode()).decode()


def _decode(token: str, question: int) -> list[Any]:
    try:
        asked, after = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError):
        asked, after = None, None
    if asked != question or not isinstance(after, list):
        raise AwsError("InvalidInputException", "The continuation token is not valid for this request.")
    return after
