from __future__ import annotations

import io

import pytest

from local.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_step_is_one_line_with_its_seconds_where_nobody_watches() -> None:
    stream = io.StringIO()
    console = Console(stream)

    with console.step("count sheep"):
        console.progress("1")
        console.progress("2")

    assert stream.getvalue() == "  count sheep: 0.0 s\n"
    assert [title for title, _ in console.steps] == ["count sheep"]


def test_progress_replaces_itself_on_a_terminal() -> None:
    stream = Terminal()
    console = Console(stream)

    with console.step("count sheep"):
        console.progress("1")

    assert "\r\x1b[K  count sheep ... 1" in stream.getvalue()
    assert stream.getvalue().endswith("\r\x1b[K  count sheep: 0.0 s\n")


def test_a_step_that_breaks_off_says_so_and_is_not_counted() -> None:
    stream = io.StringIO()
    console = Console(stream)

    with pytest.raises(RuntimeError), console.step("count sheep"):
        raise RuntimeError

    assert stream.getvalue() == "  count sheep: stopped after 0.0 s\n"
    assert console.steps == []


def test_tables_are_aligned_and_group_thousands() -> None:
    stream = io.StringIO()

    Console(stream).table([["demand", 13014]], ["type", "sent"])

    assert "  demand  13,014" in stream.getvalue()
