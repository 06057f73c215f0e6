"""``python -m local COMMAND``: what the Makefile's targets call."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING

from dmd_pipeline.errors import PipelineError
from local.console import Console, complain
from local.errors import LocalError
from local.pipeline import Pipeline
from local.workspace import Workspace


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INTERRUPTED = 130  # as a shell reports it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; every foreseen failure is a message and an exit code, never a traceback."""
    parsed = _parser().parse_args(arguments)
    # A polite end (CI's time limit, `kill`) cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        command: Callable[[argparse.Namespace], int] = parsed.command
        return command(parsed)
    except LocalError as error:
        complain(str(error))
        return error.exit_code
    except PipelineError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("Interrupted.")
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="The pipeline on one machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("up", help="start everything in the background").set_defaults(command=_up)
    commands.add_parser("down", help="stop exactly what was started").set_defaults(command=_down)
    return parser


def _up(_: argparse.Namespace) -> int:
    console = Console()
    pipeline = Pipeline(Workspace.from_environment(), console)
    if pipeline.running():
        console.say("The pipeline is running already.")
    else:
        pipeline.start()
    console.say(pipeline.addresses())
    return 0


def _down(_: argparse.Namespace) -> int:
    console = Console()
    stopped = Pipeline(Workspace.from_environment(), console).stop()
    console.say(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
