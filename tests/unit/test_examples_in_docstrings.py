"""Every example in a docstring of the library does what it says."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest


PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
MODULES = [
    ".".join(path.relative_to(PLUGINS).with_suffix("").parts)
    for path in sorted((PLUGINS / "dmd_pipeline").rglob("*.py"))
    if ">>>" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0
