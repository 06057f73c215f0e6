"""What of a value may be shown to people: never a phone number, an e-mail address or the text of a message.

Results, Data Docs, samples and logs are read by more people than the tables are. A value of a personal column shows
only its shape; in any other value, so do the parts that look like an e-mail address or a phone number, wherever they
come from. A shape still tells what is wrong with a value: that it is empty, too short, or of another form.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

from dmd_pipeline.wording import cut


LENGTH: Final = 60
"""Characters of a value that are shown."""

MISSING: Final = "(missing)"
"""Stands for a value that is not there."""

# Of a word with an at sign, however it is written, all is masked: what stands before the sign may hold anything.
_AT_SIGNS: Final = ("@", "\uff20", "%40")

# A date reads like the beginning of a phone number, and is none: it comes first, so that it is taken whole.
# A phone number has a plus and at least 7 digits (E.164), or at least 10 digits, with the usual signs between them:
# a shorter run of digits is more often an identifier, which people need to find the row.
_DATE_OR_PHONE: Final = re.compile(
    r"(?P<date>(?<!\d)\d{4}-\d{2}-\d{2}(?!\d))"
    r"|\+\(?\d(?:[\s().\-/]{0,2}\d){6,}"
    r"|\(?\d(?:[\s().\-/]{0,2}\d){9,}"
)

_WORDS: Final = re.compile(r"(\s+)")


def masked(value: Any, *, personal: bool) -> str:
    """A value as people may see it, on one line.

    Args:
        value: Of any type; None is "(missing)".
        personal: Whether it comes from a column that holds personal data, and so shows nothing but its shape.

    >>> masked("jane.doe@example.com", personal=True)
    'xxxx.xxx@xxxxxxx.xxx'
    >>> masked("order 17 of jane.doe@example.com, +1 555 0100", personal=False)
    'order 17 of xxxx.xxx@xxxxxxx.xxx, +9 999 9999'
    >>> masked("2026-03-01T12:00:00.000Z", personal=False)
    '2026-03-01T12:00:00.000Z'
    """
    if value is None:
        return MISSING
    text = str(value)
    # Masked before it is cut: the first half of an address does not look like one.
    safe = _shape(text[: LENGTH + 1]) if personal else _without_contacts(text)
    return cut("".join(character if character.isprintable() else " " for character in safe), LENGTH)


def _without_contacts(text: str) -> str:
    if any(sign in text for sign in _AT_SIGNS):
        text = "".join(_shape(word) if any(sign in word for sign in _AT_SIGNS) else word for word in _WORDS.split(text))
    return _DATE_OR_PHONE.sub(lambda found: found[0] if found["date"] else _shape(found[0]), text)


def _shape(text: str) -> str:
    return "".join(map(_shape_of_one, text))


def _shape_of_one(character: str) -> str:
    """An x, or a 9, of whatever script; punctuation, signs and spaces (categories P, S, Z, Cc) stay."""
    if character.isnumeric():
        return "9"
    category = unicodedata.category(character)
    return character if category[0] in "PSZ" or category == "Cc" else "x"
