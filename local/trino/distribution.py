"""A Trino server put together from Maven Central, once, in a cache outside the repository.

The server and its Hive connector are libraries there. What makes a program and a plugin of them is published only as
part of an archive of all connectors; two classes of ours do the same, and are compiled here.
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
from local.trino.releases import OWN_PLUGIN


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from local.trino.releases import Release

_REVISION = "1"  # of what is made here: a change of it makes the distribution anew
_SOURCES = Path(__file__).parent
_INSTALLED = Path("/usr/lib/jvm")
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dmd</groupId><artifactId>trino-libraries</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>io.trino</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>
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
        release: Which one it is.
        folder: Holds ``lib/`` (the server), ``plugin/`` (its Hive connector).
        java: The program that runs it.
    """

    release: Release
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


def prepare(release: Release, environ: Mapping[str, str] = os.environ) -> Distribution:
    """The distribution in the cache; put together now if it is not there yet (some 400 to 700 MB are fetched).

    Args:
        release: Which one.
        environ: ``DMD_TRINO_CACHE`` names the cache, ``~/.cache/dmd-pipeline/trino`` unless given. A JDK is looked for
            where ``JAVA_HOME`` says, on the PATH, and where Debian installs them.

    Raises:
        MissingToolError: No JDK that will do, or no Maven.
        DistributionError: Maven could not fetch a part, or a class did not compile.
    """
    compiler = jdk(release, environ)
    folder = _folder(release, environ)
    if not folder.is_dir():
        maven = _maven()
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Made beside its place and renamed into it: what is there is whole, whenever this was interrupted.
        with tempfile.TemporaryDirectory(prefix="making-", dir=folder.parent) as made:
            _make(release, Path(made) / "made", maven, compiler)
            _rename(Path(made) / "made", folder)
    return Distribution(release, folder, compiler.with_name("java"))


def is_cached(release: Release, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a release was put together before."""
    return _folder(release, environ).is_dir()


def jdk(release: Release, environ: Mapping[str, str]) -> Path:
    """The compiler of a JDK that a release runs on.

    Raises:
        MissingToolError: There is none.
    """
    seen: list[str] = []
    for compiler in _compilers(environ):
        version = _java_version(compiler)
        if version in release.java:
            return compiler
        seen.append(f"{compiler} ({version or 'of unknown version'})")
    first, last = release.java[0], release.java[-1]
    raise MissingToolError(
        f"Trino {release.version} needs a JDK from {first} to {last}; found: {', '.join(seen) or 'none'}. "
        f"On Debian and Ubuntu, apt-get install openjdk-{first}-jdk-headless, or name one with JAVA_HOME."
    )


def _compilers(environ: Mapping[str, str]) -> Iterator[Path]:
    named = [Path(environ["JAVA_HOME"]) / "bin" / "javac"] if environ.get("JAVA_HOME") else []
    on_path = shutil.which("javac", path=environ.get("PATH"))
    candidates = [*named, *([Path(on_path)] if on_path else []), *sorted(_INSTALLED.glob("*/bin/javac"))]
    yield from dict.fromkeys(found.resolve() for found in candidates if found.exists())


def _java_version(compiler: Path) -> int | None:
    done = subprocess.run([compiler, "-version"], capture_output=True, text=True, check=False)
    version = re.match(r"javac (\d+)", done.stdout)
    return int(version[1]) if version else None


def _folder(release: Release, environ: Mapping[str, str]) -> Path:
    named = environ.get("DMD_TRINO_CACHE")
    general = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    cache = Path(named).absolute() if named else general / "dmd-pipeline" / "trino"
    return cache / f"{release.version}-{_REVISION}"


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise MissingToolError(
            "Maven fetches Trino, and no mvn was found on the PATH: on Debian and Ubuntu, apt-get install maven."
        )
    return found


def _make(release: Release, folder: Path, maven: str, compiler: Path) -> None:
    server, plugin = folder / "lib", folder / "plugin" / "hive"
    for artifact, libraries in (("trino-main", server), ("trino-hive", plugin)):
        _fetch(maven, artifact, release.version, libraries)
    _lay(server / "dmd-launcher.jar", _compiled(compiler, "Launcher", server))
    offered = {"META-INF/services/io.trino.spi.Plugin": release.plugin.encode()}
    own = _compiled(compiler, "HivePlugin", plugin) if release.plugin == OWN_PLUGIN else {}
    _lay(plugin / "dmd-plugin.jar", {**offered, **own})


def _fetch(maven: str, artifact: str, version: str, libraries: Path) -> None:
    """Copy an artefact and all it needs at run time; Maven checks each against its published checksum."""
    libraries.mkdir(parents=True)
    pom = libraries.parent / f"{artifact}.pom.xml"
    pom.write_text(_POM.format(artifact=artifact, version=version))
    options = ["--batch-mode", "--quiet", "--strict-checksums", "--file", str(pom)]
    settings = ["-DincludeScope=runtime", f"-DoutputDirectory={libraries}"]
    _run([maven, *options, _COPY, *settings], f"fetch io.trino:{artifact}:{version}")
    pom.unlink()  # what is beside a plugin's folder is taken for a plugin


def _compiled(compiler: Path, name: str, libraries: Path) -> dict[str, bytes]:
    """A class of ours, compiled against the libraries it belongs to: its path in a jar, and its bytes."""
    with tempfile.TemporaryDirectory() as made:
        source = _SOURCES / f"{name}.java"
        _run([str(compiler), "-proc:none", "-cp", f"{libraries}/*", "-d", made, str(source)], f"compile {source}")
        path = f"dmd/trino/{name}.class"
        return {path: (Path(made) / path).read_bytes()}


def _lay(jar: Path, entries: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(jar, "w") as written:
        for path, content in entries.items():
            written.writestr(path, content)


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
