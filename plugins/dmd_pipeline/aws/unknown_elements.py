"""What an answer in XML says that boto3 does not know: it leaves such elements out without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree


if TYPE_CHECKING:
    from collections.abc import Iterator


def unknown_elements(document: bytes, shape: Any) -> list[str]:
    """Names of the elements of an answer that its model does not have.

    Args:
        document: Of AWS.
        shape: Botocore's model of the answer.
    """
    return list(_unknown(ElementTree.fromstring(document), shape))  # noqa: S314 - boto3 has parsed it the same way


def _unknown(element: ElementTree.Element, shape: Any) -> Iterator[str]:
    if shape.type_name == "list":  # S3 writes an element for each of its items, without one around them
        shape = shape.member
    if shape.type_name != "structure":
        return
    known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name in known:
            yield from _unknown(child, known[name])
        else:
            yield name
