"""``python -m local COMMAND``: what the Makefile's targets call.

The commands themselves are in ``local.commands``, whose imports take a second or two. This module needs nothing, so
that an interruption is understood from the first moment on.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_INTERRUPTED = 130  # as a shell reports it
_MESSAGE = "Interrupted.\n"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    # A polite end (CI's time limit, `kill`) cleans up as Ctrl-C does; and Ctrl-C does so even where a shell that runs
    # commands in the background has told them to ignore it.
    _on_interruption(_end_at_once)
    try:
        from local import commands  # here: it must not take time before the line above

        _on_interruption(_interrupt)
        return commands.run(arguments)
    except KeyboardInterrupt:
        sys.stdout.flush()
        sys.stderr.write(_MESSAGE)
        return _INTERRUPTED


def _on_interruption(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _end_at_once(*_: object) -> None:
    # Nothing has been started yet. An exception would not do: there are imports that swallow it (a compiled module
    # that calls back into Python reports it as "ignored"), and the command would go on as if nothing had been asked.
    os.write(sys.stderr.fileno(), _MESSAGE.encode())
    os._exit(_INTERRUPTED)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
