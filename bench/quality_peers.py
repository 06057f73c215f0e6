"""What a partition's check is measured beside: Great Expectations and Soda, on Athena, as their users run them.

Both get what of our suite they can check there by themselves: presence, sets and the count of rows, of the table's own
columns. Patterns, fields of records, duplicates, orphaned rows and facts are left out, which is in their favour.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict
from urllib.parse import urlencode

from bench.quality_world import POLL_SECONDS, SETTINGS, TABLE
from dmd_pipeline.expectation_types import FACT, IN_SET, MATCH, NOT_MATCH, NOT_NULL, ROW_COUNT
from dmd_pipeline.expectations import columns_of, load_suite
from dmd_pipeline.hive import glue_columns
from dmd_pipeline.jobs import expectation_library
from dmd_pipeline.record_types import load_record_types


if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from dmd_pipeline.expectations import Expectation


SODA: Final = "soda-athena==4.28.0"

_PATIENCE_SECONDS: Final = 300


class SodaError(Exception):
    """Soda cannot be installed, or did not do what was asked of it."""


# ---------------------------------------------------------------------------------------------- Great Expectations


def plain_suite(table: str) -> Any:
    """What of a suite Great Expectations can check on Athena by itself: no patterns, the table's own columns."""
    import great_expectations  # here, for it takes seconds

    suite = load_suite(table)
    kept = {expectation.id for expectation in _plain(table)}
    declared = [one for one in suite.config["expectations"] if one["meta"]["id"] in kept]
    return great_expectations.ExpectationSuite(name=table, expectations=declared)


def validate_with_great_expectations(days: Sequence[date], poll_seconds: float = POLL_SECONDS) -> None:
    """Validate partitions: its SQL source on PyAthena's dialect, an asset of a query for each, results as by default.

    A table asset cannot be parted here: its partitioners want a column of dates, and the partition's is a text.

    Raises:
        ValueError: A partition is not what it expects.
    """
    expectation_library.load()
    import great_expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source: Any = context.data_sources.add_sql("athena", connection_string=_url(poll_seconds))
    suite = plain_suite(TABLE)
    for day in days:
        asset = source.add_query_asset(f"{TABLE} {day}", query=f"SELECT * FROM {TABLE} WHERE {_on(day)}")
        found = asset.add_batch_definition_whole_table("all").get_batch().validate(suite, result_format="SUMMARY")
        if not found.success:
            raise ValueError(f"Great Expectations does not pass {TABLE} {day}")


def _url(poll_seconds: float) -> str:
    options = urlencode(
        {
            "work_group": SETTINGS.workgroup,
            "s3_staging_dir": SETTINGS.layout.athena_results_location(),
            "poll_interval": str(poll_seconds),
        }
    )
    return f"awsathena+rest://@athena.{SETTINGS.region}.amazonaws.com:443/{SETTINGS.database}?{options}"


def _plain(table: str) -> list[Expectation]:
    own = {column["Name"] for column in glue_columns(load_record_types()[table].schema)}
    return [
        expectation
        for expectation in load_suite(table).expectations
        if expectation.type not in {MATCH, NOT_MATCH, FACT} and own.issuperset(columns_of(expectation))
    ]


def _on(day: date) -> str:
    return f"partition_date = '{day}'"


# ------------------------------------------------------------------------------------------------------------ Soda


class SodaRun(TypedDict):
    """What Soda says: its checks, whether all pass, and how long each run took."""

    checks: int
    passed: bool
    seconds: list[float]


def soda_python() -> Path:
    """The Python of Soda's own environment, made the first time; what this project installs does not fit beside it.

    It is kept in ``~/.cache/dmd-pipeline/soda``, or where ``DMD_SODA_CACHE`` says.

    Raises:
        SodaError: It cannot be installed; says why.
    """
    cache = Path(os.environ.get("DMD_SODA_CACHE") or Path.home() / ".cache" / "dmd-pipeline" / "soda")
    folder = cache / SODA.replace("==", "-")
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.exists():
        return python
    commands: list[list[str | Path]] = [
        [sys.executable, "-m", "venv", "--clear", folder],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SODA],
    ]
    for command in commands:
        found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 our own words
        if found.returncode:
            last = (found.stderr.strip() or found.stdout.strip() or "no word of it").splitlines()[-1]
            raise SodaError(f"{SODA} cannot be installed: {last}")
    ready.touch()
    return python


def soda_contract(table: str, day: date) -> dict[str, Any]:
    """The same expectations as :func:`plain_suite`, of one partition, in Soda's words (JSON is YAML, too)."""
    checks: list[dict[str, Any]] = []
    columns: dict[str, list[dict[str, Any]]] = {}
    for expectation in _plain(table):
        kwargs = expectation.kwargs
        if expectation.type == ROW_COUNT:
            checks.append({"row_count": {"threshold": {"must_be_greater_than_or_equal": kwargs["min_value"]}}})
            continue
        of = {"metric": "percent", "must_be_less_than_or_equal": round((1 - kwargs.get("mostly", 1)) * 100, 6)}
        # Each of its own name: a column may have two expectations of one kind.
        said = {"name": expectation.sentence, "qualifier": expectation.id, "threshold": of}
        if expectation.type == NOT_NULL:
            check = {"missing": said}
        elif expectation.type == IN_SET:
            check = {"invalid": {**said, "valid_values": list(kwargs["value_set"])}}
        else:
            raise ValueError(f"how is {expectation.type} said to Soda?")
        columns.setdefault(kwargs["column"], []).append(check)
    return {
        "dataset": f"bench/awsdatacatalog/{SETTINGS.database}/{table}",
        "filter": _on(day),
        "columns": [{"name": name, "checks": checks_of} for name, checks_of in columns.items()],
        "checks": checks,
    }


def verify_with_soda(day: date, rounds: int) -> SodaRun:
    """Verify a partition's contract some times, in a process of its own whose libraries are loaded before.

    Raises:
        SodaError: It cannot be installed, or fails.
    """
    python = soda_python()
    source = {
        "type": "athena",
        "name": "bench",
        "connection": {
            "region_name": SETTINGS.region,
            "staging_dir": SETTINGS.layout.athena_results_location(),
            "work_group": SETTINGS.workgroup,
        },
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in (("source.yml", source), ("contract.yml", soda_contract(TABLE, day))):
            (folder / file).write_text(json.dumps(content), encoding="utf-8")
        (folder / "verify.py").write_text(_VERIFY, encoding="utf-8")
        found = subprocess.run(  # noqa: S603 our own words
            [python, "verify.py", str(rounds), str(POLL_SECONDS)],
            cwd=folder,
            env={**os.environ, "SODA_CORE_TELEMETRY_ENABLED": "false"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )
    if found.returncode:
        raise SodaError(f"{SODA} fails: {(found.stderr.strip() or found.stdout.strip()).splitlines()[-1]}")
    run: SodaRun = json.loads(found.stdout.splitlines()[-1])
    return run


_VERIFY: Final = """
import functools, json, sys, time
import pyathena

# It asks once a second otherwise, and has no option for that.
pyathena.connect = functools.partial(pyathena.connect, poll_interval=float(sys.argv[2]))
from soda_core.contracts import verify_contract_locally

seconds = []
for _ in range(int(sys.argv[1])):
    started = time.perf_counter()
    found = verify_contract_locally(data_source_file_path="source.yml", contract_file_path="contract.yml")
    seconds.append(time.perf_counter() - started)
if found.has_errors:
    sys.exit(found.get_errors_str())
print(json.dumps({"checks": found.number_of_checks, "passed": found.is_passed, "seconds": seconds}))
"""
