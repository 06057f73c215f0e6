"""``python -m local.aws [--port N]``: serve the strict AWS in the foreground until interrupted."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from dmd_pipeline.errors import PipelineError
from local.aws import DEFAULT_PORT, LocalAws
from local.console import complain
from local.errors import LocalError, UsageError
from local.workspace import port_of


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        The exit code: 0, 1 when the port is taken, or 2 when the configuration is wrong.
    """
    try:
        return _serve(_port(arguments))
    except (LocalError, PipelineError) as error:
        complain(str(error))
        return UsageError.exit_code


def _port(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.aws", description=__doc__)
    default = port_of(os.environ, "DMD_AWS_PORT", DEFAULT_PORT)
    parser.add_argument("--port", type=int, default=default, help="port on 127.0.0.1 (default %(default)s)")
    port: int = parser.parse_args(arguments).port
    return port


def _serve(port: int) -> int:
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    try:
        with LocalAws(port) as aws:
            sys.stdout.write(f"The local AWS listens on {aws.url}\n")
            sys.stdout.flush()
            stop.wait()
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a port"
        complain(f"Port {port} cannot be used: {reason}. Set DMD_AWS_PORT to another.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
