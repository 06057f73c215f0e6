"""Pages of a list and the tokens between them."""

from __future__ import annotations

from typing import Any

from local.athena.errors import invalid_request


_PREFIX = "next-"


def token(position: int) -> str:
    """The token of the page that begins at a position."""
    return f"{_PREFIX}{position}"


def position(given: str | None) -> int:
    """Where the page of a token begins.

    Raises:
        AthenaApiError: It is no token of ours.
    """
    if given is None:
        return 0
    number = given.removeprefix(_PREFIX)
    if not given.startswith(_PREFIX) or not number.isdigit():
        raise invalid_request("Invalid NextToken")
    return int(number)


def paged(items: list[Any], body: dict[str, Any], largest: int) -> tuple[list[Any], dict[str, str]]:
    """One page of a list, and the token of the next.

    Raises:
        AthenaApiError: More is asked for than a page can hold.
    """
    start, size = position(body.get("NextToken")), body.get("MaxResults") or largest
    if not 1 <= size <= largest:
        raise invalid_request(f"MaxResults must be between 1 and {largest}")
    end = start + size
    return items[start:end], {"NextToken": token(end)} if end < len(items) else {}
