"""The fenced blocks of the project's documents: what they tell people to type is what the tests run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


ROOT = Path(__file__).resolve().parents[1]
RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
GUIDES = [ROOT / "docs" / "reading-the-reports.md"]
"""Documents beside the runbooks whose statements people copy."""
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w+)\n(?P<code>.*?)^ *```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a document.

    Attributes:
        name: Document and number of the block, to find it again.
        language: As written behind the fence.
        code: Without the indentation of the list it stands in.
    """

    name: str
    language: str
    code: str


def blocks_of(document: Path) -> list[Block]:
    """The blocks of a document that name their language."""
    return [
        Block(
            f"{document.stem}-{number}",
            found["language"],
            re.sub(f"^{found['indent']}", "", found["code"], flags=re.MULTILINE),
        )
        for number, found in enumerate(_BLOCK.finditer(document.read_text(encoding="utf-8")), 1)
    ]
