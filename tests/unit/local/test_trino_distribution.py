"""What the judge needs on a machine, and what it says when that is missing."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from local.trino import CLOSEST, NEWER, MissingToolError, prepare
from local.trino.distribution import DistributionError, is_cached, jdk


if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where JDKs are installed: nothing yet."""
    folder = tmp_path / "jvm"
    monkeypatch.setattr("local.trino.distribution._INSTALLED", folder)
    return folder


def _program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def _javac(home: Path, version: str) -> Path:
    return _program(home / "bin" / "javac", f"echo javac {version}")


def test_without_any_jdk_the_message_says_which_and_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError) as caught:
        jdk(CLOSEST, {"PATH": str(tmp_path)})
    assert str(caught.value) == (
        "Trino 411 needs a JDK from 17 to 21; found: none. "
        "On Debian and Ubuntu, apt-get install openjdk-17-jdk-headless, or name one with JAVA_HOME."
    )


def test_a_jdk_that_will_not_do_is_named_with_its_version(tmp_path: Path) -> None:
    compiler = _javac(tmp_path / "eight", "8.0.1")
    with pytest.raises(MissingToolError, match=rf"found: {compiler} \(8\)"):
        jdk(CLOSEST, {"PATH": "", "JAVA_HOME": str(tmp_path / "eight")})


def test_each_release_gets_a_jdk_that_it_runs_on(tmp_path: Path, installed: Path) -> None:
    old, new = _javac(tmp_path / "old", "17.0.15"), _javac(installed / "new", "25")
    environ = {"PATH": str(old.parent)}
    assert (jdk(CLOSEST, environ), jdk(NEWER, environ)) == (old, new)


def test_the_jdk_that_java_home_names_comes_first(tmp_path: Path) -> None:
    on_path, named = _javac(tmp_path / "path", "17.0.1"), _javac(tmp_path / "named", "17.0.2")
    assert jdk(CLOSEST, {"PATH": str(on_path.parent), "JAVA_HOME": str(tmp_path / "named")}) == named


def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maven: str | None) -> dict[str, str]:
    """A machine whose javac writes an empty class, and whose Maven is a script."""
    tools = tmp_path / "tools" / "bin"
    compile_it = (
        'while [ "$1" != -d ]; do shift; done; mkdir -p $2/dmd/trino; : > $2/dmd/trino/$(basename $3 .java).class'
    )
    _program(tools / "javac", f"[ $1 = -version ] && echo javac 17.0.1 && exit\n{compile_it}")
    if maven is not None:
        _program(tools / "mvn", maven)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin" if maven is not None else str(tools))
    return {"PATH": str(tools), "DMD_TRINO_CACHE": str(tmp_path / "cache")}


def test_without_maven_the_message_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingToolError, match="no mvn was found on the PATH: on Debian and Ubuntu, apt-get install"):
        prepare(CLOSEST, _machine(tmp_path, monkeypatch, None))


def test_what_maven_cannot_fetch_is_said_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = _machine(tmp_path, monkeypatch, "echo '[ERROR] Could not find artifact'; exit 1")
    with pytest.raises(DistributionError, match=r"Could not fetch io\.trino:trino-main:411: .*Could not find artifact"):
        prepare(CLOSEST, environ)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_was_put_together_is_whole_and_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    environ = _machine(tmp_path, monkeypatch, f"echo $* >> {log}")
    first, second = prepare(CLOSEST, environ), prepare(CLOSEST, environ)
    assert first == second
    assert [line.count("--strict-checksums") for line in log.read_text().splitlines()] == [1, 1]
    assert zipfile.ZipFile(first.folder / "lib" / "dmd-launcher.jar").namelist() == ["dmd/trino/Launcher.class"]
    with zipfile.ZipFile(first.plugins / "hive" / "dmd-plugin.jar") as jar:
        assert jar.read("META-INF/services/io.trino.spi.Plugin").decode() == "dmd.trino.HivePlugin"
        assert "dmd/trino/HivePlugin.class" in jar.namelist()
    assert is_cached(CLOSEST, environ)
    assert not is_cached(NEWER, environ)
