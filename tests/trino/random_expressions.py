"""Random expressions of Trino's SQL that are well typed by construction: a grammar by type, as data.

A template's holes are named after the kind of expression that fits. No template can fail at run time: Trino takes the
terms of AND from left to right and the local Athena in any order, which is a listed difference, so that an error
behind a guard would come on one side only. ``ALONE`` holds those that can fail.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from tests.trino.random_tables import SampledTable

_COMPARED = ("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
_EQUAL = ("=", "<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")

# Result kind: templates. ``text`` … are expressions, ``word`` … are drawn from the data or a small range.
_GRAMMAR: dict[str, tuple[str, ...]] = {
    "boolean": (
        "({boolean} AND {boolean})",
        "({boolean} OR {boolean})",
        "(NOT {boolean})",
        "({boolean} {equal} {boolean})",
        "({boolean} IS NULL)",
        "({boolean} IN (true, NULL))",
        "coalesce({boolean}, {boolean})",
        "nullif({boolean}, {boolean})",
        "if({boolean}, {boolean}, {boolean})",
        "if({boolean}, {boolean})",
        "CASE WHEN {boolean} THEN {boolean} WHEN {boolean} THEN {boolean} ELSE {boolean} END",
        "CASE {text} WHEN {text} THEN {boolean} WHEN {word} THEN {boolean} END",
        "TRY_CAST({text} AS boolean)",
        "({text} {compared} {text})",
        "({text} IN ({word}, {text}, NULL))",
        "({text} NOT IN ({word}, {text}))",
        "({text} BETWEEN {text} AND {text})",
        "({text} NOT BETWEEN {word} AND {text})",
        "({text} IS NULL)",
        "({text} IS NOT NULL)",
        "({text} LIKE {text} || '%')",
        "starts_with({text}, {text})",
        "({bigint} {compared} {bigint})",
        "({bigint} {compared} {number})",
        "({integer} {compared} {bigint})",
        "({bigint} BETWEEN {number} AND {bigint})",
        "({bigint} NOT IN ({number}, {number}, NULL))",
        "({bigint} IN ({integer}, {number}))",
        "({double} {compared} {bigint})",
        "({double} BETWEEN {double} AND {number})",
        "({decimal} {compared} {decimal})",
        "({decimal} {compared} {bigint})",
        "({decimal} {compared} {double})",
        "({date} {compared} {date})",
        "({date} {compared} {timestamp})",
        "({timestamp} {compared} {timestamp})",
        "({timestamp} {compared} {zoned})",
        "({zoned} {compared} {zoned})",
        "({zoned} BETWEEN {zoned} AND {zoned})",
        "({zoned} IN ({zoned}, {zoned}))",
        "({same_rows})",
        "(ROW({text}, {boolean}) {equal} ROW({text}, {boolean}))",
        "({row} IS NULL)",
        "(({text}, {bigint}) = ({text}, {number}))",
        "(({text}, {boolean}) IN (({word}, true), ({text}, NULL)))",
        # Not IS DISTINCT FROM: Trino 411 fails when it derives a domain from an array with a NULL in it.
        "({texts} = {texts})",
        "({texts} <> {texts})",
        "({texts} IS NULL)",
        "(cardinality({texts}) {compared} {number})",
        "contains({texts}, {text})",
        "contains({texts}, {word})",
        "arrays_overlap({texts}, {texts})",
        "any_match({texts}, each -> each {compared} {text})",
        "all_match({texts}, each -> each LIKE {pattern})",
        "none_match({texts}, each -> each IS NULL)",
        "contains({integers}, {number})",
        "any_match({integers}, each -> each {compared} {number})",
        "regexp_like({text}, {regex})",
    ),
    "text": (
        "lower({text})",
        "upper({text})",
        "trim({text})",
        "reverse({text})",
        "substr({text}, {digit})",
        "substr({text}, {position}, {digit})",
        "substr({text}, -{positive}, {digit})",
        "concat({text}, {text})",
        "({text} || '_' || {text})",
        "replace({text}, {part}, {word})",
        "replace({text}, {part})",
        "translate({text}, 'aeiou-', 'AEIO')",
        "split_part({text}, {separator}, {positive})",
        "lpad({text}, {digit}, 'xy')",
        "rpad({text}, {digit}, '*')",
        "regexp_extract({text}, {regex})",
        "regexp_replace({text}, {regex}, '<>')",
        "coalesce({text}, {text})",
        "coalesce({text}, {word})",
        "nullif({text}, {text})",
        "if({boolean}, {text}, {text})",
        "CASE WHEN {boolean} THEN {text} WHEN {boolean} THEN {word} END",
        "CASE {text} WHEN {word} THEN {text} ELSE {text} END",
        "greatest({text}, {text})",
        "least({text}, {word})",
        "element_at({texts}, {positive})",
        "element_at({texts}, -{positive})",
        "array_join({texts}, {separator})",
        "array_join({texts}, {separator}, {word})",
        "array_max({texts})",
        "array_min({texts})",
        "CAST({bigint} AS varchar)",
        "CAST({boolean} AS varchar)",
        "CAST({date} AS varchar)",
        "CAST({timestamp} AS varchar)",
        "CAST({zoned} AS varchar)",
        "CAST({decimal} AS varchar)",
        "CAST({double} AS varchar)",
        "CAST({text} AS varchar(5))",
        "date_format({timestamp}, '%Y-%m-%d %H:%i:%s')",
        "date_format({date}, '%a %e %b %Y, %j')",
        "format_datetime({timestamp}, 'yyyy/MM/dd HH:mm:ss')",
        "to_iso8601({timestamp})",
        "to_iso8601({zoned})",
        "to_iso8601({date})",
        "to_hex(md5(to_utf8({text})))",
        "json_extract_scalar(CAST({texts} AS json), '$[0]')",
        "json_format(CAST({texts} AS json))",
    ),
    "bigint": (
        "({bigint} + {bigint})",
        "({bigint} - {integer})",
        "({bigint} * {digit})",
        "({bigint} / {positive})",
        "({bigint} / nullif({bigint}, 0))",
        "({bigint} % {positive})",
        "mod({bigint}, -{positive})",
        "(- {bigint})",
        "abs({bigint})",
        "sign({bigint})",
        "length({text})",
        "cardinality({texts})",
        "strpos({text}, {part})",
        "array_position({texts}, {text})",
        "coalesce({bigint}, {number})",
        "nullif({bigint}, {number})",
        "if({boolean}, {bigint}, {number})",
        "CASE WHEN {boolean} THEN {bigint} END",
        "greatest({bigint}, {integer})",
        "least({bigint}, {bigint})",
        "TRY_CAST({text} AS bigint)",
        "CAST({decimal} AS bigint)",
        "CAST({boolean} AS bigint)",
        "CAST({double} AS bigint)",
        "date_diff('day', {date}, {date})",
        "date_diff('month', {date}, {date})",
        "date_diff('hour', {timestamp}, {timestamp})",
        "date_diff('week', {timestamp}, {date})",
        "date_diff('second', {zoned}, {zoned})",
        "year({date})",
        "month({timestamp})",
        "day_of_week({date})",
        "week({date})",
        "year_of_week({date})",
        "day_of_year({date})",
        "quarter({date})",
        "hour({zoned})",
        "minute({timestamp})",
        "millisecond({zoned})",
        "extract(day FROM {date})",
        "round({bigint})",
        "json_array_length(CAST({texts} AS json))",
        "bitwise_and({bigint}, {bigint})",
    ),
    "integer": (
        "({integer} + {digit})",
        "({integer} / {positive})",
        "({integer} % {positive})",
        "(- {integer})",
        "coalesce({integer}, {digit})",
        "if({boolean}, {digit}, {integer})",
        "TRY_CAST({text} AS integer)",
        "CAST({boolean} AS integer)",
        "element_at({integers}, {positive})",
        "array_max({integers})",
    ),
    "double": (
        "({bigint} / 4e0)",
        "({double} + {bigint})",
        "({double} * 1.5)",
        "({double} - {double})",
        "(- {double})",
        "abs({double})",
        "round({double})",
        "round({double}, 2)",
        "floor({double})",
        "ceil({double})",
        "truncate({double})",
        "sqrt(abs({double}))",
        "CAST({bigint} AS double)",
        "CAST({decimal} AS double)",
        "coalesce({double}, {digit})",
        "if({boolean}, {double}, {bigint})",
        "power({digit}, 2)",
        "to_unixtime({timestamp})",
        "to_unixtime({zoned})",
    ),
    "decimal": (
        "({money} + {money})",
        "({money} - 0.125)",
        "({money} * {money})",
        "({money} / 1.5)",
        "({money} / {positive})",
        "({money} % 1.7)",
        "(- {money})",
        "abs({money})",
        "round({money})",
        "round({money}, 1)",
        "floor({money})",
        "ceil({money})",
        "({bigint} * 2.5)",
        "({integer} + 0.05)",
        "coalesce({money}, 1.5)",
        "if({boolean}, {money}, {number})",
        "greatest({money}, 2.345)",
    ),
    "money": (),
    "date": (
        "CAST({timestamp} AS date)",
        "CAST({zoned} AS date)",
        "date({timestamp})",
        "TRY_CAST(substr({iso}, 1, 10) AS date)",
        "date_add('day', {digit}, {date})",
        "date_add('month', -{positive}, {date})",
        "({date} + INTERVAL '{positive}' DAY)",
        "({date} - INTERVAL '{positive}' MONTH)",
        "date_trunc('month', {date})",
        "date_trunc('week', {date})",
        "last_day_of_month({date})",
        "coalesce({date}, DATE '2026-02-28')",
        "if({boolean}, {date}, {date})",
        "greatest({date}, {date})",
    ),
    "timestamp": (
        "CAST({date} AS timestamp)",
        "CAST({zoned} AS timestamp)",
        "TRY_CAST(replace(substr({iso}, 1, 19), 'T', ' ') AS timestamp)",
        "date_add('hour', {digit}, {timestamp})",
        "date_add('month', {digit}, {timestamp})",
        "({timestamp} + INTERVAL '{positive}' HOUR)",
        "({timestamp} - INTERVAL '{positive}' DAY)",
        "date_trunc('hour', {timestamp})",
        "date_trunc('quarter', {timestamp})",
        "coalesce({timestamp}, {timestamp})",
        "if({boolean}, {timestamp}, {date})",
        "TRY(date_parse(substr({iso}, 1, 19), '%Y-%m-%dT%H:%i:%s'))",
    ),
    "zoned": (
        "TRY(from_iso8601_timestamp({iso}))",
        "with_timezone({timestamp}, 'America/New_York')",
        "({zoned} AT TIME ZONE 'Europe/Berlin')",
        "({zoned} AT TIME ZONE '+05:30')",
        "date_trunc('day', {zoned})",
        "date_add('day', {digit}, {zoned})",
        "({zoned} + INTERVAL '{positive}' MINUTE)",
        "from_unixtime({number} * 100000)",
        "CAST({timestamp} AS timestamp with time zone)",
    ),
    "texts": (
        "ARRAY[{text}, {text}]",
        "ARRAY[{text}, NULL, {word}]",
        "split({text}, {separator})",
        "filter({texts}, each -> each {compared} {text})",
        "filter({texts}, each -> length(each) > {digit})",
        "transform({texts}, each -> upper(each))",
        "transform({texts}, each -> coalesce(each, {text}))",
        "array_distinct({texts})",
        "array_sort({texts})",
        "array_sort(array_union({texts}, {texts}))",
        "array_sort(array_intersect({texts}, {texts}))",
        "array_sort(array_except({texts}, {texts}))",
        "array_remove({texts}, {text})",
        "reverse({texts})",
        "({texts} || {texts})",
        "({texts} || {text})",
        "slice({texts}, {positive}, {digit})",
        "coalesce({texts}, {texts})",
        "if({boolean}, {texts}, {texts})",
        "regexp_extract_all({text}, {regex})",
        "flatten(ARRAY[{texts}, {texts}])",
        "map_keys(map(ARRAY['one'], ARRAY[{text}]))",
        "map_values(map(ARRAY['one', 'two'], ARRAY[{text}, {text}]))",
    ),
    "integers": (
        "ARRAY[{integer}, {digit}]",
        "ARRAY[{integer}, NULL]",
        "filter({integers}, each -> each {compared} {number})",
        "transform({integers}, each -> each % {positive})",
        "array_sort({integers})",
    ),
    "row": (
        "ROW({text}, {boolean})",
        "if({boolean}, ROW({text}, NULL), ROW({text}, {word}))",
        "CAST(ROW({bigint}, {text}) AS row(amount double, label varchar))",
    ),
}

# To be the only expression of a query: they can fail, or have a subquery, which the local Athena refuses in a lambda.
ALONE = (
    "({bigint} / {bigint})",
    "({integer} % {integer})",
    "({money} / {bigint})",
    "CAST({text} AS bigint)",
    "CAST({text} AS boolean)",
    "CAST({text} AS double)",
    "CAST({text} AS date)",
    "CAST({text} AS decimal(10, 2))",
    "CAST({bigint} * 100 AS tinyint)",
    "CAST({bigint} * 1000 AS decimal(4, 1))",
    "from_iso8601_timestamp({text})",
    "from_iso8601_date({text})",
    "date_parse({text}, '%Y-%m-%d')",
    "json_parse({text})",
    "{texts}[{positive}]",
    "split_part({text}, {separator}, {bigint})",
    "substr({text}, {bigint}, {bigint})",
    "element_at({texts}, {bigint})",
    "sequence({bigint}, {bigint})",
    "CAST({bigint} * 100000000000 AS integer)",
    "({bigint} * 4611686018427387904)",
    "chr({bigint})",
    "(SELECT part FROM UNNEST({texts}) AS parts (part))",
    "(SELECT max(part) FROM UNNEST({texts}) AS parts (part))",
    "(SELECT count(part) FROM UNNEST({texts}) AS parts (part))",
    "(SELECT count(part) FROM UNNEST({texts}) AS parts (part) WHERE part {compared} {word})",
    "EXISTS (SELECT 1 FROM UNNEST({texts}) AS parts (part))",
    "EXISTS (SELECT 1 FROM UNNEST({texts}) AS parts (part) WHERE part LIKE {pattern})",
    "({text} IN (SELECT part FROM UNNEST({texts}) AS parts (part)))",
    "({text} = ANY (SELECT part FROM UNNEST({texts}) AS parts (part)))",
)

_PATTERNS = ("'%'", "''", "'_'", "'%-%'", "'%a%e%'", "'%!_%' ESCAPE '!'", "'2026-__-%'")
_REGEXES = (r"'\d+'", "'^[a-f]'", "'[A-Z][a-z]*'", r"'\s'", "'(?i)E'", "'x|-'", r"'[^\w]+$'")
_PLAIN: dict[str, tuple[str, ...]] = {
    "compared": _COMPARED,
    "equal": _EQUAL,
    "regex": _REGEXES,
    "separator": ("'-'", "'_'", "' '", "'T'", "','"),
    "position": tuple(map(str, range(10))),
    "digit": tuple(map(str, range(10))),
    "positive": tuple(map(str, range(1, 10))),
    "number": ("0", "1", "2", "-1", "3", "10", "24", "36", "1000"),
}
# Literals that stand where an expression is drawn and none of the table's paths fits.
_LITERALS: dict[str, tuple[str, ...]] = {
    "boolean": ("true", "false", "CAST(NULL AS boolean)"),
    "bigint": ("length(partition_date)", "BIGINT '7'", "CAST(NULL AS bigint)"),
    "integer": ("0", "5", "-3", "CAST(NULL AS integer)"),
    "double": ("0e0", "-1.5e0", "2.675e0", "CAST(NULL AS double)"),
    "decimal": ("1.05", "DECIMAL '-0.5'"),
    "money": ("1.50", "0.05", "-12.345", "CAST(NULL AS decimal(5, 2))"),
    "date": ("CAST(partition_date AS date)", "DATE '2026-02-28'", "DATE '1999-12-31'", "CAST(NULL AS date)"),
    "timestamp": ("TIMESTAMP '2026-02-28 23:59:59.999'", "CAST(partition_date AS timestamp)"),
    "zoned": ("TIMESTAMP '2026-02-28 12:00:00 UTC'", "TIMESTAMP '2026-02-28 12:00:00 America/New_York'"),
    "texts": ("ARRAY['presale', NULL]", "CAST(NULL AS array(varchar))", "CAST(ARRAY[] AS array(varchar))"),
    "integers": ("ARRAY[1, 2]", "CAST(ARRAY[] AS array(integer))"),
}
_PATH_CONDITIONS = (
    "({path} = {value})",
    "({path} <> {value})",
    "({path} IN ({value}, {other}))",
    "({path} NOT IN ({value}, {other}))",
    "({path} BETWEEN {value} AND {other})",
    "({path} LIKE {prefix})",
    "({path} NOT LIKE {middle})",
    "({path} >= {value})",
    "({path} < {value})",
    "({path} IS NULL)",
    "contains(ARRAY[{value}, {other}], {path})",
)
_HOLE = re.compile(r"\{(\w+)\}")


def quoted(text: str) -> str:
    """A string literal."""
    return "'" + text.replace("'", "''") + "'"


class Expressions:
    """Random expressions over the columns of one table.

    Args:
        table: The table, or a table under an alias.
        random: Where the choices come from.
        partition_date: SQL of its partition key.
    """

    def __init__(self, table: SampledTable, random: Random, partition_date: str = "partition_date") -> None:
        self._table = table
        self._random = random
        self._partition_date = partition_date
        self._paths = [path for path, values in table.values.items() if values]
        self._terminals: dict[str, Callable[[], str]] = {
            "word": lambda: quoted(self._value()),
            "part": self._part,
            "pattern": self._pattern,
            "column": self._column,
            "same_rows": self._same_rows,
            "iso": lambda: self._random.choice(self._table.paths["iso"]),
        }

    def of(self, kind: str, depth: int = 2) -> str:
        """An expression of a kind, nested at most so deep."""
        if kind in _PLAIN:
            return self._random.choice(_PLAIN[kind])
        if kind in self._terminals:
            return self._terminals[kind]()
        if depth <= 0 or not _GRAMMAR[kind] or self._random.randrange(4) == 0:
            return self._leaf(kind)
        if kind == "boolean" and self._random.randrange(3) == 0:
            return self.path_condition()
        return self.filled(_GRAMMAR[kind], depth - 1)

    def filled(self, templates: Sequence[str], depth: int = 1) -> str:
        """One of the templates with its holes filled."""
        return _HOLE.sub(lambda hole: self.of(hole[1], depth), self._random.choice(templates))

    def path_condition(self) -> str:
        """A condition on a text and values that it has."""
        path = self._random.choice(self._paths)
        value, other = (self._random.choice(self._table.values[path]) for _ in range(2))
        cut = self._random.randint(1, 12)
        return self._random.choice(_PATH_CONDITIONS).format(
            path=path,
            value=quoted(value),
            other=quoted(other),
            prefix=quoted(value[:cut] + "%"),
            middle=quoted("%" + value[cut : cut + 2] + "%"),
        )

    def _leaf(self, kind: str) -> str:
        paths = self._table.paths.get(kind, ())
        literals = tuple(one.replace("partition_date", self._partition_date) for one in _LITERALS.get(kind, ()))
        # A path more often than a literal.
        return self._random.choice(paths if paths and (not literals or self._random.randrange(3)) else literals)

    def _value(self) -> str:
        return self._random.choice(self._table.values[self._random.choice(self._paths)])

    def _column(self) -> str:
        """A text that no condition on partitions can make a constant."""
        return self._random.choice([path for path in self._paths if path != self._partition_date])

    def _same_rows(self) -> str:
        """A row beside itself: a field that is NULL makes that unknown."""
        row = self._random.choice(self._table.paths["row"])
        return f"{row} {self._random.choice(_EQUAL)} {row}"

    def _part(self) -> str:
        value, start = self._value(), self._random.randrange(7)
        return quoted(value[start : start + self._random.randint(1, 3)] or value)

    def _pattern(self) -> str:
        if self._random.randrange(2):
            return self._random.choice(_PATTERNS)
        return quoted(self._value()[: self._random.randrange(9)] + "%")
