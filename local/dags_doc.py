"""Write docs/dags.md from the DAGs themselves: ``python -m local.dags_doc``.

A table of all DAGs, then the docstring of each. A test compares the file with what this module would write.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from dmd_pipeline.settings import INCLUDE, load_settings


if TYPE_CHECKING:
    from airflow.sdk import DAG


ROOT = Path(__file__).resolve().parents[1]
DAGS = ROOT / "dags"
DOCUMENT = ROOT / "docs" / "dags.md"

_INTRODUCTION = """\
<!-- Written by `make docs` from the docstrings in dags/; do not edit. -->
# DAGs

All times are UTC. DAGs are paused when they first appear; dates given by hand are business dates, not run dates.
"""


def load_dags() -> dict[str, DAG]:
    """Every DAG by id; a DAG's file, its function and its id have one name."""
    if "AIRFLOW_HOME" in os.environ:
        return {path.stem: _load(path) for path in sorted(DAGS.glob("*.py"))}
    # Airflow writes a configuration file when it is imported: not into the home of whoever runs this.
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home
        try:
            return {path.stem: _load(path) for path in sorted(DAGS.glob("*.py"))}
        finally:
            del os.environ["AIRFLOW_HOME"]


def document() -> str:
    """The whole of docs/dags.md."""
    dags = load_dags()
    rows = ["| DAG | runs | tags | what for |", "|---|---|---|---|"]
    rows += [
        f"| [`{name}`](#{name}) | {_schedule(name)} | {', '.join(f'`{tag}`' for tag in sorted(dag.tags))} "
        f"| {_first_sentence(dag)} |"
        for name, dag in dags.items()
    ]
    chapters = [f"## {name}\n\n{_demoted(dag)}" for name, dag in dags.items()]
    return "\n".join([_INTRODUCTION, *rows, "", "\n\n".join(chapters), ""])


def _load(path: Path) -> DAG:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path}: cannot be imported")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    dag: DAG = getattr(module, path.stem)()
    return dag


def _schedule(name: str) -> str:
    """The cron expression, with the environments of each where they differ."""
    environments = sorted(path.stem for path in (INCLUDE / "environments").glob("*.yaml"))
    crons = sorted(
        (cron, environment)
        for environment in environments
        if (cron := getattr(load_settings(environment).schedules, name, None)) is not None
    )
    by_cron = {cron: [environment for _, environment in group] for cron, group in groupby(crons, lambda pair: pair[0])}
    if not by_cron:
        return "by hand"
    if len(by_cron) == 1:
        return f"`{next(iter(by_cron))}`"
    return "; ".join(f"`{cron}` ({', '.join(where)})" for cron, where in by_cron.items())


def _first_sentence(dag: DAG) -> str:
    return (dag.doc_md or "").strip().split("\n\n")[0].replace("\n", " ")


def _demoted(dag: DAG) -> str:
    """The docstring with its headings one level lower."""
    lines = (dag.doc_md or "").strip().splitlines()
    return "\n".join(f"#{line}" if line.startswith("#") else line for line in lines)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
