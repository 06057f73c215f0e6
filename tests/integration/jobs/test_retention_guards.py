"""Every guard of retention is needed: with any of them taken out, a test of retention fails.

Each case is a copy of the package in which one guard is gone. The tests run on it in a process of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dmd_pipeline


PACKAGE = Path(dmd_pipeline.__file__).parent
REPOSITORY = PACKAGE.parents[1]
PURE = "tests/unit/test_retention.py"
MANIFESTS = "tests/unit/test_retention_manifests.py"
SETTINGS = "tests/unit/test_settings.py"
JOBS = "tests/integration/jobs/test_retention.py"
SUMMARIES = "tests/unit/test_retention_summaries.py"
DROP, ROWS, RESTORE, BACK, DELETE, KNOWN, TWO = (
    f"{JOBS}::Test{name}"
    for name in ("Drop", "Rows", "Restore", "RestoreAfterTheGracePeriod", "Delete", "Summary", "TwoAtOnce")
)

# What the guard is against: the file, the code, what is there without it, and the tests that have to fail.
GUARDS = {
    "what is not old enough": ("retention", "return day < self._oldest_kept", "return True", PURE),
    "the very last day": ("retention", "return day < self._oldest_kept", "return day <= self._oldest_kept", PURE),
    "no retention at all": ("retention", "date.min if days is None else", "now.date() if days is None else", PURE),
    "a table under change": ("retention", "if self._change is not None:", "if False:", PURE),
    "a hold": ("retention", "if hold.covers(day)", "if False", PURE),
    "a place elsewhere": ("retention", "if not same_location(place, ", "if False and (place, ", PURE),
    "a shared place": ("retention", "for one in self._places) > 1:", "for one in self._places) > 9:", PURE),
    "a partition around it": ("retention", " or folder.startswith(one) for", " for", PURE),
    "what was restored": ("retention", "guards.is_expired(day) or is_kept:", "guards.is_expired(day):", PURE),
    "objects of another kind": ("retention", "            if strange:", "            if False:", PURE),
    "rows that cannot be counted": ("retention", "elif isinstance(counted, str):", "elif False:", PURE),
    "a restoration that was killed": (
        "retention", "if manifest.deleted_at is not None or manifest.is_kept(now):", "if manifest.is_kept(now):", PURE,
    ),
    "another version beneath the marker": (
        "jobs/restore_partitions", " and one == ObjectVersion.of(left[one.key].version)", "", BACK,
    ),
    "a partition that is registered": (
        "jobs/restore_partitions", "if not wrong and str(day) not in registered:", "if not wrong:", BACK,
    ),
    "what could not be brought back": ("jobs/restore_partitions", "            del again.manifests[day]", "", BACK),
    "a deletion between the two": (
        "jobs/restore_partitions", "            self._keep(found.manifests[day])", "            pass", BACK,
    ),
    "markers without an id": ("aws/s3", 'all(one["VersionId"] != _NO_ID for one in markers)', "True", BACK),
    "rows that do not come back": (
        "jobs/restore_partitions", "if counted[one.partition_date] != one.rows", "if False", RESTORE,
    ),
    "the grace period": ("retention", "now < (ends :=", "now > (ends :=", PURE),
    "the longer grace period": ("retention_manifests", "max(self.grace_days, grace_days)", "grace_days", PURE),
    "what is not registered though restored": ("retention", "if manifest.keep_until is not None:", "if False:", PURE),
    "a retention that was raised": ("retention", "if not self.is_expired(day):", "if False:", PURE),
    "what is registered again": ("retention", "if day not in by_date}\n    guards", "}\n    guards", PURE),
    "objects that have changed": ("retention", "            if changed:", "            if False:", PURE),
    "objects that came later": ("retention", "tuple(one for one in found if one.key in listed)", "found", PURE),
    "the first time": ("retention", "    if is_first:", "    if False:", PURE),
    "too many at once": ("retention", "if count > rules.max_partitions_per_run:", "if False:", PURE),
    "too large a share": ("retention", "if partitions and count / partitions", "if False and count / partitions", PURE),
    "a manifest of another partition": (
        "retention_manifests", "!= (table, day):", "!= (manifest.table, manifest.partition_date):", MANIFESTS,
    ),
    "a manifest of other objects": ("retention_manifests", "if strange := [", "if False and [", MANIFESTS),
    "keys that nobody knows": ("retention_manifests", 'extra="forbid"', 'extra="ignore"', MANIFESTS),
    "a retention that is too short": ("settings", "_DAYS: Final = 30", "_DAYS: Final = 1", SETTINGS),
    "mode plan": ("jobs/drop_expired_partitions", 'if mode == "plan":', "if False:", DROP),
    "a dry run": ("jobs/drop_expired_partitions", "        if dry_run:", "        if False:", DROP),
    "a missing approval": ("jobs/drop_expired_partitions", "if made.approval and ", "if False and ", DROP),
    "an approval of another plan": (
        "jobs/drop_expired_partitions", "made.table) != made.digest:", "made.table) is None:", DROP,
    ),
    "a manifest that changes meanwhile": (
        "jobs/expired_objects", 'changed[one.day] = "its manifest has changed"', "pass", DELETE,
    ),
    "a summary of another manifest": ("retention_summaries", " if known.etag == etags.get(day)", "", KNOWN),
    "a summary of other objects": ("retention_summaries", "known.manifest.check(", "str(", SUMMARIES),
    "a registration meanwhile": ("jobs/expired_objects", 'changed[one.day] = "it is registered again"', "pass", DELETE),
    "other objects meanwhile": (
        "jobs/expired_objects", 'changed[one.day] = "its objects have changed"', "pass", DELETE,
    ),
    "objects that are still there": ("jobs/expired_objects", "if left := [", "if False and [", DELETE),
    "a verdict on other files": (
        "jobs/partition_rows", " and verdict.content == seen[day].content", "", ROWS,
    ),
    "another run at work": ("jobs/retention_store", "leases.take(bucket, key, holder, now())", "None", TWO),
    "registration of what has expired": (
        "jobs/register_partitions", "first = first.without(expired)", "first = first.without({})", DROP,
    ),
    "restoring what is not whole": (
        "jobs/restore_partitions", "wrong = [one for one in missing if one.key not in back]", "wrong = []", RESTORE,
    ),
    "restoring a table under change": (
        "jobs/restore_partitions", "ChangeMark.of(model)", "None", RESTORE,
    ),
}  # fmt: skip


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder with a copy of the package, beside include/ as in the repository."""
    (tmp_path / "include").symlink_to(REPOSITORY / "include")
    unused = shutil.ignore_patterns("__pycache__", "static", "templates")
    shutil.copytree(PACKAGE, tmp_path / "plugins" / PACKAGE.name, ignore=unused)
    return tmp_path / "plugins"


@pytest.mark.parametrize("guard", GUARDS)
def test_without_it_a_test_fails(guard: str, plugins: Path) -> None:
    module, code, without, tests = GUARDS[guard]
    path = plugins / PACKAGE.name / f"{module}.py"
    text = path.read_text(encoding="utf-8")
    assert text.count(code) == 1, "the guard is not where this test looks for it"
    path.write_text(text.replace(code, without), encoding="utf-8")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", tests, "-k", "not killed"),
            *("--override-ini", f"pythonpath={plugins} ."),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(plugins)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = ended.stdout[-2000:]
    assert ended.returncode == 1, f"no test fails without the guard against {guard}:\n{told}"
    assert "1 failed" in ended.stdout, told


def test_the_copy_is_what_is_imported(plugins: Path) -> None:
    """What the tests above change is what their processes import."""
    environment = {**os.environ, "PYTHONPATH": str(plugins)}
    asked = [sys.executable, "-c", "import dmd_pipeline; print(dmd_pipeline.__file__)"]
    ran = subprocess.run(asked, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(plugins / PACKAGE.name / "__init__.py")
