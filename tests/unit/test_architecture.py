"""The layers of the design, held by tests: who may import whom, what Airflow may execute, what parsing may cost."""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path

import pytest
from airflow.sdk._shared.module_loading import find_path_from_directory


ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "plugins" / "dmd_pipeline"

AIRFLOW_LAYER = "dmd_pipeline.airflow"
GATEWAYS = "dmd_pipeline.aws"
JOBS = "dmd_pipeline.jobs"
PAGES = "dmd_pipeline.ui"

CORE_MAY_IMPORT = {*sys.stdlib_module_names, "pydantic", "fastavro", "yaml", "tabulate"}
GATEWAYS_MAY_IMPORT = {*sys.stdlib_module_names, "boto3", "botocore", "pyathena"}


def _module_name(path: Path) -> str:
    parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> set[str]:
    """Every module a file imports when it runs, wherever in it; imports for the type checker alone are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(
                f"{node.module}.{alias.name}" for alias in node.names if node.module.startswith("dmd_pipeline")
            )
    return found


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _layer(module: str) -> str:
    return next((package for package in (AIRFLOW_LAYER, GATEWAYS, JOBS, PAGES) if _inside(module, package)), "core")


def _modules(layer: str) -> list[Path]:
    return [path for path in sorted(LIBRARY.rglob("*.py")) if _layer(_module_name(path)) == layer]


def _foreign(path: Path) -> set[str]:
    return {name.split(".")[0] for name in _imports(path)} - {"dmd_pipeline", "__future__"}


def _own(path: Path) -> set[str]:
    return {_layer(name) for name in _imports(path) if _inside(name, "dmd_pipeline") and name != "dmd_pipeline"}


def test_the_layers_are_found() -> None:
    """Guards the tests below: an empty list of modules would let each of them pass."""
    assert all(len(_modules(layer)) > 1 for layer in ("core", GATEWAYS, JOBS, AIRFLOW_LAYER, PAGES))


@pytest.mark.parametrize("path", _modules("core"), ids=_module_name)
def test_the_pure_core_knows_neither_airflow_nor_aws(path: Path) -> None:
    assert _foreign(path) <= CORE_MAY_IMPORT
    assert _own(path) <= {"core"}


@pytest.mark.parametrize("path", _modules(GATEWAYS), ids=_module_name)
def test_a_gateway_knows_its_service_and_our_errors_and_no_policy(path: Path) -> None:
    assert _foreign(path) <= GATEWAYS_MAY_IMPORT
    assert _own(path) <= {"core", GATEWAYS}


@pytest.mark.parametrize("path", _modules(JOBS), ids=_module_name)
def test_a_job_runs_without_airflow_and_builds_no_client(path: Path) -> None:
    assert not _foreign(path) & {"airflow", "boto3"}
    assert not _own(path) & {AIRFLOW_LAYER, PAGES}


@pytest.mark.parametrize("path", _modules(AIRFLOW_LAYER), ids=_module_name)
def test_nothing_knows_the_pages(path: Path) -> None:
    assert PAGES not in _own(path)


@pytest.mark.parametrize("path", _modules(PAGES), ids=_module_name)
def test_the_pages_only_show_what_jobs_have_found(path: Path) -> None:
    assert not _foreign(path) & {"boto3", "great_expectations", "pandas"}
    assert JOBS not in _own(path)


@pytest.mark.parametrize("path", sorted(LIBRARY.rglob("*.py")), ids=_module_name)
def test_the_library_does_not_know_that_a_local_pipeline_exists(path: Path) -> None:
    assert not _foreign(path) & {"local", "tests", "moto", "duckdb", "sqlglot"}


MAY_DELETE = {
    "jobs/leases.py": {"delete"},  # its own lease
    "jobs/expired_objects.py": {"delete_together"},  # what a manifest lists
    "jobs/clean_test_data.py": {"delete_together"},  # names below test/, of which it alone makes keys
    "jobs/restore_partitions.py": {"take_markers_away"},  # delete markers above what a manifest lists
}
"""All that deletes objects, and which of the bucket's verbs it has for that."""


def test_no_other_code_deletes_an_object() -> None:
    """Wherever a verb that only deletes stands, and ``delete`` where it is asked of a bucket or of a client."""
    only_delete = {"delete_together", "take_markers_away", "delete_object", "delete_objects"}
    found: dict[str, set[str]] = {}
    for path in sorted([*LIBRARY.parent.rglob("*.py"), *(ROOT / "dags").glob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute):
                continue
            asked = ast.unparse(node.value).rpartition(".")[2].strip("_")
            if node.attr in only_delete or (node.attr == "delete" and asked in {"bucket", "client", "s3"}):
                found.setdefault(path.name if path.parent.name != "jobs" else f"jobs/{path.name}", set()).add(node.attr)
    assert found.pop("s3.py") == {"delete_object", "delete_objects"}, "the gateway, which knows no key"
    assert found == MAY_DELETE


def test_airflow_executes_no_file_of_the_library() -> None:
    """Asked of Airflow's own loader, which runs every file it finds under the file's bare name."""
    executed = {Path(path) for path in find_path_from_directory(LIBRARY.parent, ".airflowignore", "glob")}
    assert not {path for path in executed if path.is_relative_to(LIBRARY)}


def test_without_the_ignore_file_airflow_would_execute_the_library(tmp_path: Path) -> None:
    """Guards the test above: the ignore file is what keeps the library from being executed."""
    shutil.copytree(LIBRARY, tmp_path / "dmd_pipeline")
    executed = {Path(path).name for path in find_path_from_directory(tmp_path, ".airflowignore", "glob")}
    assert "errors.py" in executed
