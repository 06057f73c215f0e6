"""A Trino server put together from Maven Central, once, in a cache outside the repository.

Trino 411 is the version closest to what Athena's engine 3 grew from that runs on Java 17 and whose Hive connector can
be resolved from Maven Central in all its parts. The server and the connector are libraries there; the two classes
that make a program and a plugin of them are ours, and are compiled here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.errors import LocalError


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION = "411"
_JAVA_FROM, _JAVA_TO = 17, 23  # from 24 on, Java lacks what Hadoop's file systems need
_REVISION = "1"  # of what is made here: a change of it makes the distribution anew
_SOURCES = Path(__file__).parent
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dmd</groupId><artifactId>trino-libraries</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.trino</groupId><artifactId>{{artifact}}</artifactId><version>{VERSION}</version></dependency>
  </dependencies>
</project>
"""
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"


class MissingToolError(LocalError):
    """A program that the judge needs is not on this machine, or not in a version that will do."""


class DistributionError(LocalError):
    """Trino could not be fetched or put together."""


@dataclass(frozen=True)
class Distribution:
    """A Trino that can be started.

    Attributes:
        folder: Holds ``lib/`` (the server), ``plugin/`` (its Hive connector).
        java: The program that runs it.
    """

    folder: Path
    java: Path

    @property
    def class_path(self) -> str:
        """The server's libraries, as ``java -cp`` takes them."""
        return f"{self.folder / 'lib'}/*"

    @property
    def plugins(self) -> Path:
        """Folder of the plugins."""
        return self.folder / "plugin"


def distribution(environ: Mapping[str, str] = os.environ) -> Distribution:
    """The distribution in the cache; put together now if it is not there yet (some 370 MB are fetched).

    Args:
        environ: ``DMD_TRINO_CACHE`` names the cache, ``~/.cache/dmd-pipeline/trino`` unless given; ``JAVA_HOME`` the
            JDK, which is found on the PATH unless given.

    Raises:
        MissingToolError: No JDK that will do, or no Maven.
        DistributionError: Maven could not fetch a part, or a class did not compile.
    """
    java, compiler = jdk(environ)
    folder = _cache(environ) / f"{VERSION}-{_REVISION}"
    if not folder.is_dir():
        maven = _maven()
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Made beside its place and renamed into it: what is there is whole, whenever this was interrupted.
        with tempfile.TemporaryDirectory(prefix="making-", dir=folder.parent) as made:
            _make(Path(made), maven, compiler)
            _rename(Path(made), folder)
    return Distribution(folder, java)


def jdk(environ: Mapping[str, str]) -> tuple[Path, Path]:
    """``java`` and ``javac`` of a JDK that Trino runs on.

    Raises:
        MissingToolError: There is none.
    """
    home = environ.get("JAVA_HOME")
    where = f"JAVA_HOME is {home}" if home else "JAVA_HOME is not set"
    found = shutil.which("javac", path=f"{home}/bin" if home else environ.get("PATH"))
    needed = f"Trino {VERSION} needs a JDK from {_JAVA_FROM} to {_JAVA_TO}"
    remedy = "on Debian and Ubuntu, apt-get install openjdk-17-jdk-headless; or name one with JAVA_HOME"
    if found is None:
        raise MissingToolError(f"{needed}, and no javac was found ({where}): {remedy}.")
    compiler = Path(found).resolve()
    said = subprocess.run([compiler, "-version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"javac (\d+)", said)
    if version is None or not _JAVA_FROM <= int(version[1]) <= _JAVA_TO:
        raise MissingToolError(f"{needed}, and {compiler} is {said.strip() or 'of no version'} ({where}): {remedy}.")
    return compiler.with_name("java"), compiler


def _cache(environ: Mapping[str, str]) -> Path:
    named = environ.get("DMD_TRINO_CACHE")
    if named:
        return Path(named).absolute()
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dmd-pipeline" / "trino"


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise MissingToolError(
            "Maven fetches Trino, and no mvn was found on the PATH: on Debian and Ubuntu, apt-get install maven."
        )
    return found


def _make(folder: Path, maven: str, compiler: Path) -> None:
    server, plugin = folder / "lib", folder / "plugin" / "hive"
    for artifact, libraries in (("trino-main", server), ("trino-hive", plugin)):
        _fetch(maven, artifact, libraries, folder)
    _compile(compiler, "Launcher", server, {})
    _compile(compiler, "HivePlugin", plugin, {"META-INF/services/io.trino.spi.Plugin": "dmd.trino.HivePlugin\n"})


def _fetch(maven: str, artifact: str, libraries: Path, folder: Path) -> None:
    """Copy an artefact and all it needs at run time; Maven checks each against its published checksum."""
    pom = folder / f"{artifact}.pom.xml"
    pom.write_text(_POM.format(artifact=artifact))
    options = ["--batch-mode", "--quiet", "--strict-checksums", "--file", str(pom)]
    settings = ["-DincludeScope=runtime", f"-DoutputDirectory={libraries}"]
    _run([maven, *options, _COPY, *settings], f"fetch io.trino:{artifact}:{VERSION}")


def _compile(compiler: Path, name: str, libraries: Path, more: Mapping[str, str]) -> None:
    """Compile a class of ours against the libraries it belongs to, and lay it beside them."""
    with tempfile.TemporaryDirectory() as made:
        source = _SOURCES / f"{name}.java"
        command = [str(compiler), "-proc:none", "-cp", f"{libraries}/*", "-d", made, str(source)]
        _run(command, f"compile {source}")
        with zipfile.ZipFile(libraries / f"dmd-{name}.jar", "w") as jar:
            jar.write(Path(made) / "dmd" / "trino" / f"{name}.class", f"dmd/trino/{name}.class")
            for path, text in more.items():
                jar.writestr(path, text)


def _run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        said = [line for line in done.stdout.splitlines() if "ERROR" in line or "error:" in line]
        raise DistributionError(f"Could not {what}: {' '.join(said[:3]) or done.stdout.strip()[-500:]}")


def _rename(made: Path, folder: Path) -> None:
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was faster: both made the same
            raise
    else:
        made.mkdir()  # the context manager removes it
