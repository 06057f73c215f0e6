"""Random queries on one table or two, well typed by construction, that read few partitions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.trino.random_expressions import ALONE, Expressions, quoted


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from tests.trino.random_tables import SampledTable

# What an engine may or may not recognise as a condition on partitions: both must read what satisfies it.
_DAY_CONDITIONS = (
    "{key} = '{day}'",
    "'{day}' = {key}",
    "{key} IN ('{day}', '{next}', '1970-01-01')",
    "{key} IN ('{day}', NULL)",
    "{key} BETWEEN '{day}' AND '{next}'",
    "{key} >= '{day}' AND {key} < '{next}'",
    "({key} > '{day}' AND {key} <= '{next}')",
    "({key} = '{day}' OR {key} = '{next}')",
    "NOT {key} <> '{day}'",
    "NOT ({key} < '{day}' OR {key} > '{next}')",
    "{key} IS NOT DISTINCT FROM '{day}'",
    "{key} LIKE '{day}'",
    "{key} LIKE '{day}%' AND {key} IS NOT NULL",
    "{key} || '!' = '{day}!'",
    "substr({key}, 1, 10) = '{day}'",
    "lower({key}) = '{day}'",
    "CAST({key} AS date) = DATE '{day}'",
    "CAST({key} AS date) BETWEEN DATE '{day}' AND DATE '{day}' + INTERVAL '1' DAY",
    "date({key}) IN (DATE '{day}', DATE '{next}')",
    "TRY_CAST({key} AS date) = date_add('day', -1, DATE '{next}')",
    "CAST({key} AS timestamp) = TIMESTAMP '{day} 00:00:00'",
    "date_diff('day', DATE '{day}', CAST({key} AS date)) IN (0, 1)",
    "date_format(CAST({key} AS timestamp), '%Y-%m-%d') = '{day}'",
    "date_parse({key}, '%Y-%m-%d') = TIMESTAMP '{day} 00:00:00'",
    "from_iso8601_date({key}) = DATE '{day}'",
    "year(CAST({key} AS date)) * 10000 + month(CAST({key} AS date)) * 100 + day(CAST({key} AS date)) = {number}",
    "coalesce({key} = '{day}', true)",
    "nullif({key}, '{day}') IS NULL",
    "if({key} = '{day}', true, false)",
    "CASE {key} WHEN '{day}' THEN true WHEN '{next}' THEN {boolean} END",
    "contains(ARRAY['{day}', '{next}'], {key})",
    "{key} = (SELECT '{day}')",
    "{key} IN (VALUES '{day}', '{next}')",
    "{key} = concat('{day}', '')",
    "regexp_like({key}, '^{day}$')",
    "({key}, 1) = ('{day}', 1)",
    "{key} = '{day}' AND {key} <> '{next}'",
    "{key} = '{day}' AND NULL",
    "({key} = '{day}' AND {boolean}) OR ({key} = '{next}' AND {boolean})",
    "{key} = '{day}' OR ({boolean} AND {key} = '{next}')",
    "({key} = '{day}' AND {key} = '{next}') OR {key} = '{day}'",
    "greatest({key}, '{day}') = least({key}, '{day}')",
)
# What is counted DISTINCT has a column in it: Trino 411 counts a constant once for every row.
_AGGREGATES = (
    "count(*)",
    "count({boolean})",
    "count({text})",
    "count(DISTINCT {column})",
    "count(DISTINCT substr({column}, {positive}, {positive}))",
    "count(DISTINCT ROW({column}, {boolean}, {bigint}))",
    "count(DISTINCT ARRAY[{column}, {text}])",
    "count_if({boolean})",
    "sum({bigint})",
    "sum(DISTINCT length({column}) * {positive})",
    "sum({integer})",
    "sum({decimal})",
    "sum({double})",
    "avg({bigint})",
    "avg({double})",
    "avg({money})",
    "min({text})",
    "max({text})",
    "min({bigint})",
    "max({double})",
    "min({decimal})",
    "max({date})",
    "min({timestamp})",
    "max({zoned})",
    "max({boolean})",
    "min({integer})",
    "bool_and({boolean})",
    "bool_or({boolean})",
    "every({boolean})",
    "array_sort(array_agg({text}))",
    "array_sort(array_agg(DISTINCT {bigint}))",
    "array_agg({text} ORDER BY reference.id, reference.timestamp) = ARRAY[]",
    "cardinality(array_agg({boolean}))",
    "listagg({text}, ',') WITHIN GROUP (ORDER BY reference.id, reference.timestamp) IS NULL",
    "histogram({boolean})",
    "count(*) FILTER (WHERE {boolean})",
    "sum({bigint}) FILTER (WHERE {boolean})",
    "max({text}) FILTER (WHERE {boolean})",
    "count(DISTINCT {column}) FILTER (WHERE {boolean})",
    "max({bigint}) - min({bigint})",
    "coalesce(sum({integer}), -1)",
    "if(bool_or({boolean}), min({text}), max({text}))",
    "CASE WHEN count(*) > {number} THEN max({date}) END",
    "sum(if({boolean}, 1, 0)) / count(*)",
    "100.0 * count_if({boolean}) / count(*)",
    "bitwise_or_agg({bigint})",
)
_HAVING = (
    "count(*) > {number}",
    "count_if({boolean}) BETWEEN 1 AND {number}",
    "min({text}) < max({text})",
    "bool_or({boolean})",
    "sum({bigint}) > {number} OR count(*) = 1",
    "max({date}) IS NOT NULL",
    "avg({bigint}) >= {number}",
    "NOT every({boolean})",
)
_MEASURES = ("length({column})", "length({column}) % {positive}", "coalesce(strpos({column}, {part}), {bigint})")
# Kinds whose values can be grouped by; not integers: an integer literal is a position.
_KEYS = ("text", "boolean", "bigint", "date", "decimal", "texts", "row", "zoned", "double")
_SELECTED = ("text", "boolean", "bigint", "integer", "double", "decimal", "date", "timestamp", "zoned", "texts", "row")
_GROUPINGS = (
    "GROUPING SETS ((a), (b), ())",
    "GROUPING SETS ((a, b), (a))",
    "ROLLUP (a, b)",
    "CUBE (a, b)",
    "a, ROLLUP (b)",
    "a, GROUPING SETS ((b), ())",
    "ROLLUP (a), ROLLUP (b)",
)
_JOINS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")


_SIDES = ("count({text})", "count_if({boolean})", "max({text})", "min({bigint})")


def filters(tables: Sequence[SampledTable]) -> st.SearchStrategy[str]:
    """What is left by a condition on partitions and others: counted, and told by some aggregates."""
    return _made(_filter, tables)


def projections(tables: Sequence[SampledTable]) -> st.SearchStrategy[str]:
    """Expressions for each row of a day."""
    return _made(_projection, tables)


def aggregates(tables: Sequence[SampledTable]) -> st.SearchStrategy[str]:
    """Groups by expressions, or by sets of columns of a subquery."""
    return _made(_aggregate, tables)


def joins(tables: Sequence[SampledTable], others: Sequence[SampledTable]) -> st.SearchStrategy[str]:
    """Two tables by the event that both tell of, or rows that have or have not a counterpart."""
    return st.randoms(use_true_random=False).map(
        lambda random: _join(random.choice(tables), random.choice(others), random)
    )


def _made(make: Callable[[SampledTable, Random], str], tables: Sequence[SampledTable]) -> st.SearchStrategy[str]:
    # Not one strategy for each choice: Hypothesis would spend most examples on copying parts of one query to others.
    return st.randoms(use_true_random=False).map(lambda random: make(random.choice(tables), random))


def _day_condition(table: SampledTable, random: Random, key: str = "partition_date") -> str:
    """A condition that few partitions satisfy."""
    expressions = Expressions(table, random, key)
    day = random.choice(table.days)
    following = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    template = random.choice(_DAY_CONDITIONS)
    for name, text in (("key", key), ("day", day), ("next", following), ("number", day.replace("-", ""))):
        template = template.replace(f"{{{name}}}", text)
    return f"({expressions.filled([template])})" if "{boolean}" in template else f"({template})"


def _filter(table: SampledTable, random: Random) -> str:
    expressions = Expressions(table, random)
    told = [expressions.filled(_AGGREGATES) for _ in range(random.randint(1, 4))]
    conditions = [expressions.path_condition() if random.randrange(2) else expressions.of("boolean", 3)]
    conditions = conditions[: random.randrange(4)]  # one of four queries has no other condition than the day's
    conditions.insert(random.randint(0, len(conditions)), _day_condition(table, random))
    return f"SELECT count(*), {', '.join(told)} FROM {table.name} WHERE {' AND '.join(conditions)}"


def _projection(table: SampledTable, random: Random) -> str:
    expressions = Expressions(table, random)
    source = f"FROM {table.name} WHERE partition_date = {quoted(random.choice(table.days))}"
    if random.randrange(5) == 0:
        return f"SELECT {expressions.filled(ALONE)} {source}"
    selected = [expressions.of(random.choice(_SELECTED), 3) for _ in range(random.randint(1, 6))]
    return f"SELECT {random.choice(('', '', 'DISTINCT '))}{', '.join(selected)} {source}"


def _aggregate(table: SampledTable, random: Random) -> str:
    return random.choice((_grouped, _grouped, _grouping_sets))(table, random)


def _grouped(table: SampledTable, random: Random) -> str:
    expressions = Expressions(table, random)
    keys = [expressions.of(random.choice(_KEYS), 2) for _ in range(random.randint(1, 2))]
    told = [expressions.filled(_AGGREGATES) for _ in range(random.randint(1, 4))]
    by = random.choice((", ".join(keys), ", ".join(str(at + 1) for at in range(len(keys)))))
    having = f" HAVING {expressions.filled(_HAVING)}" if random.randrange(2) else ""
    where = _day_condition(table, random)
    return f"SELECT {', '.join([*keys, *told])} FROM {table.name} WHERE {where} GROUP BY {by}{having}"


def _grouping_sets(table: SampledTable, random: Random) -> str:
    expressions = Expressions(table, random)
    kinds = {"a": random.choice(_KEYS), "b": random.choice(_KEYS), "f": "boolean"}
    columns = ", ".join(f"{expressions.of(kind)} AS {name}" for name, kind in kinds.items())
    columns += f", {expressions.filled(_MEASURES)} AS n"
    having = random.choice(("", " HAVING count(*) > 1", " HAVING grouping(a) = 0 OR max(n) > 2"))
    return (
        "SELECT a, b, grouping(a, b), count(*), sum(n), count(*) FILTER (WHERE f), count(DISTINCT n) "
        f"FROM (SELECT {columns} FROM {table.name} WHERE {_day_condition(table, random)}) "
        f"GROUP BY {random.choice(_GROUPINGS)}{having}"
    )


def _join(left: SampledTable, right: SampledTable, random: Random) -> str:
    one, other = left.aliased("l"), right.aliased("r")
    days = [_day_condition(table, random, f"{alias}.partition_date") for table, alias in ((one, "l"), (other, "r"))]
    sides = [Expressions(table, random, f"{alias}.partition_date") for table, alias in ((one, "l"), (other, "r"))]
    keys = [f"{alias}.{'id' if table.name == 'event' else 'eventid'}" for table, alias in ((one, "l"), (other, "r"))]
    sources = [
        f"(SELECT * FROM {table.name} AS {alias} WHERE {day}) AS {alias}"
        for table, alias, day in ((one, "l", days[0]), (other, "r", days[1]))
    ]
    if random.randrange(3) == 0:
        test = random.choice(("IN", "NOT IN"))
        chosen = random.choice((keys[1], f"if({sides[1].of('boolean', 1)}, {keys[1]})"))
        return (
            f"SELECT count(*), {sides[0].filled(_SIDES)} FROM {sources[0]} "
            f"WHERE {keys[0]} {test} (SELECT {chosen} FROM {sources[1]})"
        )
    conditions = (f"{keys[0]} = {keys[1]}", *(f"{keys[0]} = {keys[1]} AND {side.of('boolean', 1)}" for side in sides))
    wheres = ("", f" WHERE {days[0]}", f" WHERE {days[1]}", *(f" WHERE {side.of('boolean')}" for side in sides))
    return (
        f"SELECT count(*), {sides[0].filled(_SIDES)}, {sides[1].filled(_SIDES)} FROM {sources[0]} "
        f"{random.choice(_JOINS)} {sources[1]} ON {random.choice(conditions)}{random.choice(wheres)}"
    )
