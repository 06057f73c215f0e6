"""What the scheduler pays to parse this project's DAG files, beside what any DAG file pays.

Each round starts two fresh interpreters in turn: one imports ``dag, task, Asset, Param`` from ``airflow.sdk`` and
nothing else, the other imports every file in ``dags/``. Measured is processor time (user + system) of the child, which
a busy machine disturbs less than the clock on the wall.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypedDict


ROOT = Path(__file__).resolve().parents[1]
BARE = "from airflow.sdk import dag, task, Asset, Param"
ALL = """
import importlib.util, sys
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location(path.rsplit("/", 1)[1].removesuffix(".py"), path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""


class ParsingFigures(TypedDict):
    """Processor seconds, medians over all rounds."""

    dag_files: int
    rounds: int
    bare_import_seconds: float
    all_dag_files_seconds: float
    ratio: float


def measure(rounds: int = 7) -> ParsingFigures:
    """Import all DAG files and the bare SDK in turn, ``rounds`` times each, after one round that warms the caches."""
    files = [str(path) for path in sorted((ROOT / "dags").glob("*.py"))]
    bare: list[float] = []
    everything: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        for round_number in range(rounds + 1):
            pair = _processor_seconds(BARE, [], home), _processor_seconds(ALL, files, home)
            if round_number > 0:
                bare.append(pair[0])
                everything.append(pair[1])
    return {
        "dag_files": len(files),
        "rounds": rounds,
        "bare_import_seconds": round(statistics.median(bare), 3),
        "all_dag_files_seconds": round(statistics.median(everything), 3),
        "ratio": round(statistics.median(b / a for a, b in zip(bare, everything, strict=True)), 3),
    }


def _processor_seconds(code: str, arguments: list[str], home: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"AIRFLOW_HOME": home, "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
    subprocess.run([sys.executable, "-c", code, *arguments], env=environment, check=True)  # noqa: S603 our own code
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
