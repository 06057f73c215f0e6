"""Every known difference between the local Athena and Trino, with its reason.

The list is strict: what is listed must differ, and what differs must be listed. ``docs/local-athena.md`` tells the
same under "Known differences", for whoever writes queries.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """A cause, and the cases in which it shows.

    Attributes:
        reason: Why the local Athena does otherwise, or nothing.
        names: The names of the cases, by group.
        releases: The releases of Trino that differ.
    """

    reason: str
    names: dict[str, tuple[str, ...]]
    releases: tuple[str, ...] = ("411", "476")


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "Athena takes a semicolon at the end of a statement; Trino's clients take it off.",
        {"queries": ("SELECT * FROM (VALUES (1, 'a')) t(x, y);",)},
    ),
    Difference(
        "Trino takes concat of a text and NULL for one of arrays; here it is text. The value is NULL on both.",
        {"expressions": ("concat('a', NULL)",)},
    ),
    Difference(
        "Refused: a function that the local Athena lacks.",
        {
            "analysts": (
                "weighted percentiles",
                "the most frequent",
                "checksum",
                "reduce_agg",
                "numeric_histogram",
                "skewness and kurtosis",
                "from_iso8601_timestamp_nanos keeps all digits",
                "lengths of time for people",
                "durations parsed",
                "the first of a list of JSON",
                "a value in a list of JSON",
                "json_value and json_query",
                "combinations",
                "ngrams",
                "bits shifted",
                "bits counted",
                "numbers to other bases",
                "a regular expression replaced by a lambda",
                "the place of a regular expression",
                "hashes of other kinds",
                "soundex and word_stem",
                "a map of lists out of a text",
            )
        },
    ),
    Difference(
        "Refused: a form of SQL that the local Athena lacks.",
        {
            "analysts": (
                "try around an aggregate",
                "WITH TIES",
                "TABLE alone",
                "WITH RECURSIVE",
                "char and varchar",
                "a literal of a time",
                "a literal with escapes",
                "normalised characters",
                "an interval of days and minutes",
                "a subquery of several columns",
                "two columns out of a subquery of one row",
            )
        },
    ),
    Difference(
        "Refused: patterns and paths are literals, and of the usual letters.",
        {
            "analysts": (
                "a pattern that a column holds",
                "a path that a column holds",
                "a text parsed by Joda's pattern with a zone",
                "moments written with their offset",
                "weekdays by Joda's pattern",
                "a regular expression that looks ahead",
            )
        },
    ),
    Difference(
        "Functions of other releases and plugins of Trino: refused here as not available, unknown to this Trino.",
        {"analysts": ("any_value", "a function of PostgreSQL")},
    ),
    Difference(
        "JSON keeps the order of its keys here, and objects in another order are not equal.",
        {"analysts": ("json_parse sorts keys",)},
    ),
    Difference("Zeros at a JSON number's end are lost here.", {"analysts": ("a decimal in JSON keeps its digits",)}),
    Difference("NaN equals itself here.", {"analysts": ("NaN is not equal to itself",)}),
    Difference(
        "Trino 411 loses the rows for which the subquery finds nothing; the local Athena refuses it.",
        {"analysts": ("a correlated subquery with LIMIT",)},
    ),
    Difference(
        "Moments in several zones that are one moment are several groups here.",
        {"analysts": ("groups of moments in several zones",)},
    ),
    Difference(
        "AWS documents that Avro is verified by index; Trino compares names. A partition must pass both here.",
        {
            "engine: verification": (
                "a column inserted before one of another type fails: columns are compared by position",
                "a column removed from the middle fails when the types shift",
                "columns in another order fail when their types do not coerce",
            ),
            "engine: schema change": (
                "a column is inserted: switched without having been shortened",
                "a column is inserted at the beginning: switched without having been shortened",
                "columns change places: switched without having been shortened",
            ),
        },
    ),
    Difference(
        "A field of a struct that the files have and the partition's own copy lacks: Trino shows it in the struct, and "
        "NULL where it alone is wanted. Refused.",
        {
            "engine: presentation": (
                "a field of a struct that the files have and the partition's copy lacks is refused: it shows or not",
                "a field of a struct that the files have and the partition's copy lacks is refused by itself too",
            ),
            "engine: schema change": ("a struct gains a field at its end: switched without having been shortened",),
        },
    ),
    Difference(
        "The Avro schema gives a column another type than partition and table declare: 411 writes the value into the "
        "table's type unconverted, 476 fails or shows its bits. Refused.",
        {
            "engine: presentation": (
                "a partition's double may become, and is not read as, the table's float",
                "a partition's tinyint may become, and is not read as, the table's smallint",
                "a partition's smallint may become, and is not read as, the table's int",
                "the schema's int in the table's bigint is refused",
                "the schema's int in the table's double is refused",
                "the schema's long in the table's double is refused",
                "the schema's float in the table's double is refused",
                "the schema's int in the table's smallint is refused",
                "the schema's long in the table's int is refused",
                "the schema's double in the table's bigint is refused",
                "the schema's int in the table's float is refused",
                "the schema's int in the table's date is refused",
                "the schema's date in the table's int is refused",
                "the schema's long in the table's timestamp is refused",
                "the schema's string in the table's binary is refused",
                "the schema's array in the table's array<bigint> is refused",
                (
                    "a struct whose fields stand elsewhere in the schema than in the table is refused: it is read by "
                    "position"
                ),
            ),
        },
    ),
    Difference(
        "Symbols that the schema lacks and no row has, and fields that differ in case only: 411 reads them, 476 does "
        "not. Refused.",
        {
            "engine: resolution": ("a symbol that the schema lacks is refused while no row has it",),
            "engine: lookup": ("fields that differ in case only are refused",),
        },
    ),
    Difference(
        "Unions of several types, and decimals of another scale than in their file, are not read here.",
        {
            "engine: resolution": (
                "a union of several types is refused",
                "a decimal of another scale than in its file is refused",
            ),
        },
    ),
    Difference(
        "411 drops the rows of a last block of which the end is missing, and says nothing.",
        {"engine: files": ("a file of which the end is missing is an error",)},
        ("411",),
    ),
)


GUARDED = {
    "476": "The two releases have different readers of Avro: what the older one refuses is refused here, by its names.",
}
"""Why the local Athena may refuse what a release of Trino answers, or refuse it by another name, in any case."""


def listed(release: str, group: str, name: str, *, refused: bool) -> str | None:
    """The reason for which a case may differ from a release of Trino; None when it must be equal.

    Args:
        release: The release.
        group: What the case belongs to.
        name: Its name there.
        refused: Whether the local Athena, which differs, refuses the case.
    """
    return _REASONS.get((release, group, name)) or (GUARDED.get(release) if refused else None)


_REASONS = {
    (release, group, name): difference.reason
    for difference in DIFFERENCES
    for release in difference.releases
    for group, names in difference.names.items()
    for name in names
}
