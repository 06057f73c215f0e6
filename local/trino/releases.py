"""The releases of Trino that judge, and how they differ for whoever runs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """A release of Trino.

    Attributes:
        version: As Maven Central names it.
        java: The major versions of Java that it runs on.
        avro_reader: What reads Avro files, for people.
        plugin: The class that offers its Hive connector; ours where it was published only in an archive.
        s3: Properties of the catalog, which may hold ``{endpoint}``, ``{region}``, ``{key}`` and ``{secret}``.
        options: More options of the Java virtual machine.
    """

    version: str
    java: range
    avro_reader: str
    plugin: str
    s3: tuple[tuple[str, str], ...]
    options: tuple[str, ...] = ()


OWN_PLUGIN = "dmd.trino.HivePlugin"

CLOSEST = Release(
    version="411",
    java=range(17, 22),
    avro_reader="Hive's",
    plugin=OWN_PLUGIN,
    s3=(
        ("hive.s3.endpoint", "{endpoint}"),
        ("hive.s3.path-style-access", "true"),
        ("hive.s3.ssl.enabled", "false"),
        ("hive.s3.aws-access-key", "{key}"),
        ("hive.s3.aws-secret-key", "{secret}"),
    ),
)
"""The release closest to what Athena's engine 3 grew from (2022) that runs on Java 17 and whose Hive connector can be
resolved from Maven Central in all its parts; 435, the last for Java 17, cannot."""

NEWER = Release(
    version="476",
    java=range(24, 27),
    avro_reader="its own",
    plugin="io.trino.plugin.hive.HivePlugin",
    s3=(
        ("fs.native-s3.enabled", "true"),
        ("s3.endpoint", "{endpoint}"),
        ("s3.region", "{region}"),
        ("s3.path-style-access", "true"),
        ("s3.aws-access-key", "{key}"),
        ("s3.aws-secret-key", "{secret}"),
    ),
    options=("--add-modules", "jdk.incubator.vector"),
)
"""A release that reads Avro with Trino's own reader, as all do since 419. Which of the two readers Athena has is not
known: what both agree on is likely right there."""

RELEASES = (CLOSEST, NEWER)
