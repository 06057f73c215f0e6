"""``python -m local.aws [--port N]``: serve the strict AWS in the foreground until interrupted."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from local.aws import DEFAULT_PORT, LocalAws


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        The exit code: 0, or 1 when the port is taken.
    """
    parser = argparse.ArgumentParser(prog="python -m local.aws", description=__doc__)
    default = int(os.environ.get("DMD_AWS_PORT", DEFAULT_PORT))
    parser.add_argument("--port", type=int, default=default, help="port on 127.0.0.1 (default %(default)s)")
    port: int = parser.parse_args(arguments).port
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    try:
        with LocalAws(port) as aws:
            sys.stdout.write(f"The local AWS listens on {aws.url}\n")
            sys.stdout.flush()
            stop.wait()
    except OSError as error:
        sys.stderr.write(f"Port {port} cannot be used: {error.strerror}. Set DMD_AWS_PORT to another.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
