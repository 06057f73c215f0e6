"""Statements whose LIMIT cuts rows that no order tells apart: each engine may show others, and both are right."""

from __future__ import annotations

import re


_LIMIT = re.compile(r"\s+LIMIT \d+\s*\Z")


def unlimited(sql: str) -> str:
    """The same statement, for all of its rows."""
    return _LIMIT.sub("", sql)
