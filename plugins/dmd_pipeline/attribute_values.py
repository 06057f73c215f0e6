"""DynamoDB's attribute values in JSON, such as ``{"S": "a text"}``, and what they stand for.

Two ways lead out of them: :func:`unmarshal` gives the plain value of any attribute, as boto3's ``TypeDeserializer``
does; :mod:`dmd_pipeline.avro_readers` goes straight to the value a schema asks for, and checks it on the way.

No reason given here holds a value: values may be personal data.
"""

from __future__ import annotations

import base64
import binascii
import re
from decimal import Clamped, Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Rounded, Underflow
from typing import TYPE_CHECKING, Any, Final

from dmd_pipeline.errors import InvalidRecordError


if TYPE_CHECKING:
    from collections.abc import Callable


NULL: Final[dict[str, Any]] = {"NULL": True}

is_number: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII).fullmatch
"""Whether a text is a number as DynamoDB writes it: Python's parsers also take underscores, foreign digits and NaN."""

# What DynamoDB can hold, as boto3 draws the line: 38 significant digits, magnitudes from 1E-128 to 1E+126.
_NUMBERS: Final = Context(
    Emin=-128, Emax=126, prec=38, traps=[Clamped, InvalidOperation, Overflow, Inexact, Rounded, Underflow]
)

_DESCRIPTIONS: Final = {
    "S": "a string (S)",
    "N": "a number (N)",
    "BOOL": "a boolean (BOOL)",
    "NULL": "null (NULL)",
    "M": "a map (M)",
    "L": "a list (L)",
    "B": "bytes (B)",
    "SS": "a set of strings (SS)",
    "NS": "a set of numbers (NS)",
    "BS": "a set of bytes (BS)",
}


def misfit(expected: str, attribute: object) -> InvalidRecordError:
    """The error that an attribute value is not what was expected, in words that hold no value."""
    tag = next(iter(attribute)) if isinstance(attribute, dict) and len(attribute) == 1 else None
    found = _DESCRIPTIONS.get(str(tag), "something that is no attribute value")
    if found == expected:
        found = "that with a malformed value"
    return InvalidRecordError("", f"expected {expected}, found {found}")


def below(name: str, error: InvalidRecordError) -> InvalidRecordError:
    """An error in a part of something, as an error in the whole: its path grows at the front."""
    separator = "." if error.field and not error.field.startswith("[") else ""
    return InvalidRecordError(f"{name}{separator}{error.field}", error.reason)


def decode_base64(text: object) -> bytes:
    """The bytes of a B attribute value.

    Raises:
        InvalidRecordError: Not base64.
    """
    try:
        return base64.b64decode(text, validate=True)  # type: ignore[arg-type]  # anything may stand in the JSON
    except (binascii.Error, ValueError, TypeError):
        raise InvalidRecordError("", "expected bytes in base64") from None


def unmarshal(attribute: object) -> Any:
    """The plain value that an attribute value stands for.

    S is a str, N a Decimal, BOOL a bool, NULL None, M a dict, L a list, B bytes, and SS, NS and BS are sets.

    >>> unmarshal({"M": {"tickets": {"N": "2"}, "row": {"S": "A"}}})
    {'tickets': Decimal('2'), 'row': 'A'}

    Raises:
        InvalidRecordError: It is no attribute value; names the dotted path within it.
    """
    if not isinstance(attribute, dict) or len(attribute) != 1:
        raise misfit("an attribute value", attribute)
    tag, value = next(iter(attribute.items()))
    plain = _PLAIN.get(tag)
    if plain is None:
        raise misfit("an attribute value", attribute)
    return plain(value)


def unmarshal_map(attributes: object) -> dict[str, Any]:
    """The plain values of a map of attribute values: the content of an M, or an image.

    Raises:
        InvalidRecordError: One is no attribute value; names its dotted path.
    """
    plain: dict[str, Any] = {}
    for name, attribute in _of_type(dict, attributes, "M").items():
        try:
            plain[name] = unmarshal(attribute)
        except InvalidRecordError as error:
            raise below(name, error) from None
    return plain


def _list(attributes: object) -> list[Any]:
    plain = []
    for index, attribute in enumerate(_of_type(list, attributes, "L")):
        try:
            plain.append(unmarshal(attribute))
        except InvalidRecordError as error:
            raise below(f"[{index}]", error) from None
    return plain


def _number(text: object) -> Decimal:
    if not isinstance(text, str) or is_number(text) is None:
        raise misfit(_DESCRIPTIONS["N"], {"N": text})
    try:
        return _NUMBERS.create_decimal(text)
    except DecimalException:
        raise InvalidRecordError("", "expected a number that DynamoDB can hold: 38 digits") from None


def _of_type(kind: type[Any], value: object, tag: str) -> Any:
    if type(value) is not kind:
        raise misfit(_DESCRIPTIONS[tag], {tag: value})
    return value


_PLAIN: Final[dict[str, Callable[[Any], Any]]] = {
    "S": lambda value: _of_type(str, value, "S"),
    "N": _number,
    "BOOL": lambda value: _of_type(bool, value, "BOOL"),
    "NULL": lambda _value: None,
    "M": unmarshal_map,
    "L": _list,
    "B": decode_base64,
    "SS": lambda values: {_of_type(str, value, "SS") for value in _of_type(list, values, "SS")},
    "NS": lambda values: {_number(value) for value in _of_type(list, values, "NS")},
    "BS": lambda values: {decode_base64(value) for value in _of_type(list, values, "BS")},
}
