"""docs/local-aws.md lists every case that defines the local AWS."""

from __future__ import annotations

import ast
import re
from pathlib import Path


ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "local-aws.md"
CASES = ROOT / "tests" / "conformance"
_ATHENA = ("test_athena_", "test_engine_", "test_json_tables_", "test_sql_", "test_views_")
"""The local Athena has a page of its own, docs/local-athena.md."""


def test_every_case_is_documented_and_every_documented_case_exists() -> None:
    written = {
        node.name
        for file in CASES.glob("test_*_cases.py")
        if not file.name.startswith(_ATHENA)
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    documented = re.findall(r"\| (test_\w+) \|$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(set(documented)) == sorted(written)


def test_every_documented_module_exists() -> None:
    modules = re.search(r"\| module \|.*?\n\n", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert modules is not None
    names = re.findall(r"`(\w+)/?`", "".join(line.split("|")[1] for line in modules.group().splitlines()[2:] if line))
    package = ROOT / "local" / "aws"
    assert names
    assert [name for name in names if not (package / f"{name}.py").exists() and not (package / name).is_dir()] == []
