"""What the local commands say to the person who typed them; the only place that writes to standard output."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from tabulate import tabulate


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CLEAR_LINE = "\r\x1b[K"
_PLAIN_PROGRESS_SECONDS = 10.0  # without a terminal, progress is a line now and then


class Console:
    """Prints steps, their progress and where the time went.

    On a terminal the progress of a step is one line that keeps changing; elsewhere (a pipe, CI) it is a plain line
    every ten seconds, so that a log stays readable.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._shown_at = 0.0
        self._current: str | None = None
        self.steps: list[tuple[str, float]] = []

    def say(self, text: str = "") -> None:
        """Print a line, or several."""
        if self._live and self._current is not None:
            self._stream.write(_CLEAR_LINE)
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def heading(self, text: str) -> None:
        """Print a line that opens a part of the output."""
        self.say(f"\n{text}")

    def table(self, rows: Sequence[Sequence[object]], headers: Sequence[str]) -> None:
        """Print a table, indented."""
        text = tabulate(rows, headers=headers, tablefmt="simple", intfmt=",", floatfmt=".1f")
        self.say("\n".join(f"  {line}".rstrip() for line in text.splitlines()))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A piece of work whose progress is shown, whose seconds are printed at its end and kept in ``steps``."""
        started = time.monotonic()
        self._current = title
        self._shown_at = started
        if self._live:
            self._stream.write(f"  {title} ...")
            self._stream.flush()
        try:
            yield
        except BaseException:
            self.say(f"  {title}: stopped after {time.monotonic() - started:.1f} s")
            raise
        else:
            seconds = time.monotonic() - started
            self.steps.append((title, seconds))
            self.say(f"  {title}: {seconds:.1f} s")
        finally:
            self._current = None

    def progress(self, text: str) -> None:
        """Show how far the current step has come."""
        now = time.monotonic()
        if self._live:
            self._stream.write(f"{_CLEAR_LINE}  {self._current} ... {text}")
            self._stream.flush()
        elif now - self._shown_at >= _PLAIN_PROGRESS_SECONDS:
            self._stream.write(f"  {self._current} ... {text}\n")
            self._stream.flush()
            self._shown_at = now


def complain(text: str) -> None:
    """Print a message about what went wrong to standard error."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
