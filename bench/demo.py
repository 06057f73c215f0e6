"""How long ``make demo`` takes once everything is installed, and where the time goes.

It is the demo itself, in a workspace of its own on free ports, from nothing to the last line; then it is taken down.
"""

from __future__ import annotations

import io
import socket
import tempfile
import time
from pathlib import Path
from typing import TypedDict

from local.console import Console
from local.delivery_worker.crashes import AT_ONCE
from local.demo import Demo
from local.pipeline import Pipeline
from local.traffic.plan import Size
from local.workspace import HOST, Workspace


SIZE = Size(records=24_000, days=21, crash_points=AT_ONCE)  # as `make demo` sends


class DemoFigures(TypedDict):
    """Minutes in all; seconds by step, of which some run beside each other."""

    records: int
    minutes: float
    seconds_by_step: dict[str, float]


def measure() -> DemoFigures:
    """Run the demo once, from nothing."""
    with tempfile.TemporaryDirectory() as directory:
        console = Console(io.StringIO())
        pipeline = Pipeline(_free_workspace(Path(directory)), console)
        started = time.monotonic()
        try:
            Demo(pipeline, console, SIZE).show()
            seconds = time.monotonic() - started
        finally:
            pipeline.stop()
    return {
        "records": SIZE.records,
        "minutes": round(seconds / 60, 1),
        "seconds_by_step": {title: round(seconds, 1) for title, seconds in console.steps},
    }


def _free_workspace(directory: Path) -> Workspace:
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
        return Workspace(directory, one.getsockname()[1], other.getsockname()[1])
