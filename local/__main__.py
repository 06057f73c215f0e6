"""``python -m local COMMAND``: what the Makefile's targets call.

The commands themselves are in ``local.commands``, whose imports take a second or two. This module needs nothing, so
that an interruption is understood from the first moment on.
"""

from __future__ import annotations

import signal
import sys


_INTERRUPTED = 130  # as a shell reports it


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    # A polite end (CI's time limit, `kill`) cleans up as Ctrl-C does; and Ctrl-C does so even where a shell that runs
    # commands in the background has told them to ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        from local import commands  # here: it must not take time before the lines above

        return commands.run(arguments)
    except KeyboardInterrupt:
        sys.stdout.flush()
        sys.stderr.write("Interrupted.\n")
        return _INTERRUPTED


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
