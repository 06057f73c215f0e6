"""The words of a DDL statement in Athena's Hive dialect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from local.athena.errors import DdlError


@dataclass(frozen=True)
class Token:
    """A word, a string or a sign.

    Attributes:
        kind: ``word``, ``name`` (in backquotes), ``string`` or ``sign``.
        text: What it stands for: a string without quotes.
        start: Where it begins.
        end: Where the next character after it is.
    """

    kind: str
    text: str
    start: int
    end: int


_TOKEN = re.compile(
    r"(?P<space>\s+|--[^\n]*|/\*.*?\*/)"
    r"|(?P<string>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<name>`(?:[^`]|``)*`)"
    r"|(?P<word>[\w$]+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}


class Tokens:
    """Reads a statement word by word.

    Raises:
        DdlError: ParseException, with line and column, when a word is not what must stand there.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = [
            Token(kind, _plain(kind, found.group()), found.start(), found.end())
            for found in _TOKEN.finditer(text)
            if (kind := found.lastgroup or "") != "space"
        ]
        self._at = 0

    def peek(self, ahead: int = 0) -> Token | None:
        """The next token, which stays the next."""
        position = self._at + ahead
        return self._tokens[position] if position < len(self._tokens) else None

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        if token is None:
            self.fail("something")
        self._at += 1
        return token

    def accept(self, *words: str) -> bool:
        """Whether these words come next; takes them if so."""
        for ahead, word in enumerate(words):
            token = self.peek(ahead)
            if token is None or token.kind not in ("word", "sign") or token.text.upper() != word:
                return False
        self._at += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Take these words."""
        if not self.accept(*words):
            self.fail(f"'{' '.join(words)}'")

    def string(self) -> str:
        """A string."""
        token = self.peek()
        if token is None or token.kind != "string":
            self.fail("a string in quotes")
        return self.take().text

    def identifier(self) -> str:
        """A name, in lower case."""
        token = self.peek()
        if token is None or token.kind not in ("word", "name"):
            self.fail("a name")
        return self.take().text.lower()

    def qualified(self, database: str | None) -> tuple[str, str]:
        """``[database.]name``."""
        name = self.identifier()
        if self.accept("."):
            return name, self.identifier()
        if database is None:
            raise DdlError("SemanticException", "Schema must be specified when session schema is not set")
        return database, name

    def end(self) -> None:
        """Nothing may be left but a semicolon."""
        self.accept(";")
        if self.peek() is not None:
            self.fail("the end of the statement")

    def fail(self, expected: str) -> NoReturn:
        """Refuse the statement at this place."""
        token = self.peek()
        start = token.start if token else len(self.text)
        line = self.text.count("\n", 0, start) + 1
        column = start - (self.text.rfind("\n", 0, start) + 1)
        found = f"'{self.text[token.start : token.end]}'" if token else "'<EOF>'"
        raise DdlError("ParseException", f"line {line}:{column} mismatched input {found} expecting {expected}")


def _plain(kind: str, text: str) -> str:
    if kind == "name":
        return text[1:-1].replace("``", "`")
    if kind != "string":
        return text
    quote, inner = text[0], text[1:-1]
    unescaped = re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), inner, flags=re.DOTALL)
    return unescaped.replace(quote * 2, quote) if quote == "'" else unescaped
