"""What Trino's SQL means, as data: expressions with type and value, queries with rows, and what is refused.

No table is needed: everything is computed from VALUES. Types are named as GetQueryResults names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Sequence


class Expression(NamedTuple):
    """``SELECT {sql}`` has one column of a type, and one row with a value, None for NULL."""

    sql: str
    type: str
    value: str | None


class Query(NamedTuple):
    """A query, the names of its columns, and its rows in order."""

    sql: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]


class Refused(NamedTuple):
    """A statement that fails with an error whose reason holds a text."""

    sql: str
    error: str
    saying: str = ""


# What a subquery can be asked for each row of: k is the row's number, t a text, l a list of texts.
_ROWS = "WITH s(k, t, l) AS (VALUES (1, 'a', ARRAY['a', 'b']), (2, 'b', ARRAY['c', NULL]), (3, NULL, NULL))"
# Subqueries that use columns of the query around them: answers for the three rows.
_JOINED: dict[str, list[str | None]] = {
    "(SELECT max(x) FROM (VALUES 1, 2) v(x) WHERE x = k)": ["1", "2", None],
    "(SELECT x FROM (VALUES 1, 2) v(x) WHERE x = k)": ["1", "2", None],
    "(SELECT max(x) FROM (SELECT x FROM (VALUES 1, 2) v(x) WHERE x = k))": ["1", "2", None],
    "(SELECT max(a.x) FROM (VALUES 1) a(x) JOIN (VALUES 1) b(y) ON a.x = b.y AND b.y = k)": ["1", None, None],
    "(SELECT max(p) FROM s AS z CROSS JOIN UNNEST(z.l) AS u(p) WHERE z.k = s.k)": ["b", "c", None],
    "(SELECT k)": ["1", "2", "3"],
    "EXISTS (SELECT k FROM (VALUES 1) v(x) WHERE x < k)": ["false", "true", "true"],
    "k IN (SELECT x FROM (VALUES 1) v(x) WHERE x <= k)": ["true", "false", "false"],
    "(SELECT max(p || t) FROM UNNEST(l) AS u(p))": ["ba", "cb", None],
    "(SELECT count(p) FROM UNNEST(filter(l, each -> each = 'a')) AS u(p))": ["1", "0", "0"],
    "(SELECT count(p) FROM UNNEST(l) WITH ORDINALITY AS u(p, o))": ["2", "1", "0"],
    "(SELECT p FROM UNNEST(l) AS u(p) ORDER BY p LIMIT 1)": ["a", "c", None],
    "EXISTS (SELECT 1 FROM UNNEST(l) AS u(p))": ["true", "true", "false"],
}
# Those that Trino cannot turn into a join.
_UNJOINABLE = (
    "(SELECT count(p) FROM UNNEST(l) AS u(p) WHERE p = 'a')",
    "EXISTS (SELECT 1 FROM UNNEST(l) AS u(p) WHERE p = 'a')",
    "EXISTS (SELECT 1 FROM UNNEST(l) AS u(p) LIMIT 1)",
    "(SELECT count(p) FROM (SELECT p FROM UNNEST(l) AS u(p)) WHERE p = 'a')",
    "(SELECT max(p) FROM (SELECT p FROM UNNEST(l) AS u(p) LIMIT 1))",
    "(SELECT count(p) FILTER (WHERE p = 'a') FROM UNNEST(l) AS u(p))",
    "(SELECT count(p) FROM UNNEST(l) AS u(p) HAVING count(p) > 1)",
    "(SELECT DISTINCT p FROM UNNEST(ARRAY[t]) AS u(p))",
    "(SELECT row_number() OVER (ORDER BY p) FROM UNNEST(ARRAY[t]) AS u(p))",
    "(SELECT p FROM UNNEST(l) AS u(p) OFFSET 1 LIMIT 1)",
    "(SELECT count(*) FROM UNNEST(l) AS a(p), UNNEST(l) AS b(q))",
    "(SELECT count(*) FROM (SELECT 1 FROM UNNEST(l) AS a(p) UNION ALL SELECT 2))",
    "(SELECT max(p) FROM s AS z CROSS JOIN UNNEST(s.l) AS u(p))",
    "t IN (SELECT p FROM UNNEST(l) AS u(p))",
    "t = ANY (SELECT p FROM UNNEST(l) AS u(p))",
    "k IN (SELECT x + k FROM (VALUES 0) v(x))",
    "k IN (SELECT max(z.k) FROM s z WHERE z.t = s.t)",
    "(SELECT max(k + x) FROM (VALUES 1, 2) v(x) WHERE x = k)",
    "(SELECT count_if(x = k) FROM (VALUES 1, 2) v(x))",
    "(SELECT count(*) FROM (VALUES 1, 2) v(x) WHERE x = k HAVING count(*) > 1)",
    "(SELECT x FROM (VALUES 1, 2, 2) v(x) WHERE x <= k ORDER BY x LIMIT 1)",
    "(SELECT count(*) FROM (SELECT k AS y) w WHERE y = 1)",
    "(SELECT max(x) FROM (VALUES k, k + 1) v(x))",
    "(SELECT max(a.x) FROM (VALUES 1) a(x) LEFT JOIN (VALUES 1) b(y) ON a.x = b.y AND b.y = k)",
    "(SELECT max(x) FROM (VALUES 1, 2) v(x) WHERE EXISTS (SELECT 1 FROM s z WHERE z.t = s.t AND z.k = x))",
)

EXPRESSIONS = [
    # literals
    Expression("1", "integer", "1"),
    Expression("3000000000", "bigint", "3000000000"),
    Expression("1.50", "decimal", "1.50"),
    Expression("1e0", "double", "1.0"),
    Expression("-2147483648", "integer", "-2147483648"),
    Expression("'it''s'", "varchar", "it's"),
    Expression("INTERVAL '1 02:03:04.5' DAY TO SECOND", "interval day to second", "1 02:03:04.500"),
    Expression("INTERVAL '0.5' SECOND", "interval day to second", "0 00:00:00.500"),
    Expression("true", "boolean", "true"),
    Expression("NULL", "unknown", None),
    Expression("X'00ff'", "varbinary", "00 ff"),
    Expression("DATE '2025-06-01'", "date", "2025-06-01"),
    Expression("TIMESTAMP '2025-06-01 10:00:00'", "timestamp", "2025-06-01 10:00:00.000"),
    Expression("TIMESTAMP '2025-06-01 10:00:00 UTC'", "timestamp with time zone", "2025-06-01 10:00:00.000 UTC"),
    Expression("INTERVAL '2' DAY", "interval day to second", "2 00:00:00.000"),
    Expression("INTERVAL '1-2' YEAR TO MONTH", "interval year to month", "1-2"),
    # arithmetic
    Expression("7 / 2", "integer", "3"),
    Expression("-7 / 2", "integer", "-3"),
    Expression("-7 % 3", "integer", "-1"),
    Expression("7 / 2.0", "decimal", "3.5"),
    Expression("10.0 / 3.0", "decimal", "3.3"),
    Expression("2.0 / 3", "decimal", "0.7"),
    Expression("1.1 * 2.22", "decimal", "2.442"),
    Expression("1.1 + 2.22", "decimal", "3.32"),
    Expression("7e0 / 2", "double", "3.5"),
    Expression("1e0 / 0", "double", "Infinity"),
    Expression("0e0 / 0", "double", "NaN"),
    Expression("1 + NULL", "integer", None),
    Expression("BIGINT '1' + 1", "bigint", "2"),
    Expression("mod(7, 3)", "integer", "1"),
    Expression("round(2.567, 2)", "decimal", "2.570"),
    Expression("round(2.5e0)", "double", "3.0"),
    Expression("round(-2.5e0)", "double", "-3.0"),
    Expression("ceil(1.2)", "decimal", "2"),
    Expression("floor(-1.5)", "decimal", "-2"),
    Expression("abs(-3)", "integer", "3"),
    Expression("power(2, 10)", "double", "1024.0"),
    Expression("greatest(1, 2, NULL)", "integer", None),
    Expression("least(3, 2)", "integer", "2"),
    Expression("CAST(DECIMAL '-0.5' AS varchar)", "varchar", "-0.5"),
    Expression("CAST(DECIMAL '0.05' AS json)", "json", "0.05"),
    # comparison and logic
    Expression("1 = 1.0", "boolean", "true"),
    Expression("NULL = NULL", "boolean", None),
    Expression("NULL IS NOT DISTINCT FROM NULL", "boolean", "true"),
    Expression("'b' BETWEEN 'a' AND 'c'", "boolean", "true"),
    Expression("1 IN (2, NULL)", "boolean", None),
    Expression("ROW(1, NULL) = ROW(1, NULL)", "boolean", None),
    Expression("ROW(1, NULL) = ROW(2, NULL)", "boolean", "false"),
    Expression("ROW(1, ROW('a', NULL)) <> ROW(1, ROW('a', NULL))", "boolean", None),
    Expression("ROW(1, NULL) IS NOT DISTINCT FROM ROW(1, NULL)", "boolean", "true"),
    Expression("ROW(1, 2) IN (ROW(1, 3), ROW(NULL, 2))", "boolean", None),
    Expression("ARRAY[1, NULL] = ARRAY[1, NULL]", "boolean", None),
    Expression("ARRAY[1, NULL] <> ARRAY[1]", "boolean", "true"),
    Expression("map(ARRAY[1, 2], ARRAY['a', 'b']) = map(ARRAY[2, 1], ARRAY['b', 'a'])", "boolean", "true"),
    Expression("nullif(ARRAY[1, NULL], ARRAY[1, NULL])", "array", "[1, null]"),
    Expression("CASE ROW(1, NULL) WHEN ROW(1, NULL) THEN 1 ELSE 2 END", "integer", "2"),
    Expression("'a_c' LIKE 'a!_c' ESCAPE '!'", "boolean", "true"),
    Expression("'abc' NOT LIKE 'a%'", "boolean", "false"),
    Expression("DATE '2025-06-01' < TIMESTAMP '2025-06-01 00:00:01'", "boolean", "true"),
    # conditional
    Expression("CASE WHEN false THEN 1 END", "integer", None),
    Expression("CASE 'a' WHEN 'a' THEN 1 ELSE 2.5 END", "decimal", "1.0"),
    Expression("if(1 > 2, 'yes', 'no')", "varchar", "no"),
    Expression("if(false, 1)", "integer", None),
    Expression("coalesce(NULL, 2, 3)", "integer", "2"),
    Expression("nullif(1, 1)", "integer", None),
    Expression("try(1 / 0)", "integer", None),
    Expression("try(CAST('x' AS bigint))", "bigint", None),
    # casts
    Expression("CAST('12' AS integer)", "integer", "12"),
    Expression("CAST(' 1.5 ' AS double)", "double", "1.5"),
    Expression("CAST(2.5e0 AS bigint)", "bigint", "3"),
    Expression("CAST(-2.5e0 AS bigint)", "bigint", "-3"),
    Expression("CAST(1.5 AS integer)", "integer", "2"),
    Expression("CAST(1.5e0 AS varchar)", "varchar", "1.5E0"),
    Expression("CAST(1e10 AS varchar)", "varchar", "1.0E10"),
    Expression("CAST(0e0 AS varchar)", "varchar", "0E0"),
    Expression("CAST(CAST(NULL AS double) AS varchar)", "varchar", None),
    Expression("CAST('1.5d' AS double)", "double", "1.5"),
    Expression("TRY_CAST('nan' AS double)", "double", None),
    Expression("TRY_CAST('inf' AS double)", "double", None),
    Expression("CAST(100 AS varchar)", "varchar", "100"),
    Expression("CAST('abcdef' AS varchar(3))", "varchar", "abc"),
    Expression("CAST(true AS integer)", "integer", "1"),
    Expression("CAST('t' AS boolean)", "boolean", "true"),
    Expression("CAST('2025-06-01' AS date)", "date", "2025-06-01"),
    Expression("CAST('2025-06-01 10:00' AS timestamp)", "timestamp", "2025-06-01 10:00:00.000"),
    Expression("CAST(TIMESTAMP '2025-06-01 10:00:00' AS date)", "date", "2025-06-01"),
    Expression("CAST(DATE '2025-06-01' AS varchar)", "varchar", "2025-06-01"),
    Expression("CAST(1 AS decimal(10, 2))", "decimal", "1.00"),
    Expression("TRY_CAST('x' AS integer)", "integer", None),
    Expression("TRY_CAST('2026-02-30' AS date)", "date", None),
    Expression("try(CAST('2026-02-30' AS date))", "date", None),
    Expression("CAST('1.5' AS decimal)", "decimal", "2"),
    Expression("DECIMAL '1.50'", "decimal", "1.50"),
    Expression("CAST(text AS varchar) FROM (VALUES 'a') t(text)", "varchar", "a"),
    Expression("CAST(TIMESTAMP '2025-01-01 00:00:00.597 UTC' AS timestamp(0))", "timestamp", "2025-01-01 00:00:01.000"),
    Expression("CAST(TIMESTAMP '2025-01-01 03:22:23.597' AS time)", "time", "03:22:23.597"),
    Expression("TRY_CAST('1.5' AS integer)", "integer", None),
    Expression("CAST(ROW(1, 'a') AS ROW(x bigint, y varchar))", "row", "{x=1, y=a}"),
    Expression("CAST(ROW(1, 'a') AS ROW(x bigint, y varchar)).y", "varchar", "a"),
    Expression("CAST(ARRAY['1', '2'] AS array(integer))", "array", "[1, 2]"),
    Expression("typeof(ARRAY[1, 2.5])", "varchar", "array(decimal(11,1))"),
    # text
    Expression("lower('AbC')", "varchar", "abc"),
    Expression("length('abc')", "bigint", "3"),
    Expression("'a' || 'b'", "varchar", "ab"),
    Expression("concat('a', NULL)", "varchar", None),
    Expression("substr('hello', 2, 3)", "varchar", "ell"),
    Expression("substr('hello', -2)", "varchar", "lo"),
    Expression("substr('hello', 0)", "varchar", ""),
    Expression("substring('hello' FROM 2 FOR 2)", "varchar", "el"),
    Expression("position('l' IN 'hello')", "bigint", "3"),
    Expression("strpos('abc', 'z')", "bigint", "0"),
    Expression("trim('  a\t')", "varchar", "a"),
    Expression("trim(LEADING 'x' FROM 'xxaxx')", "varchar", "axx"),
    Expression("lpad('7', 3, '0')", "varchar", "007"),
    Expression("split('a,b,c', ',')", "array", "[a, b, c]"),
    Expression("split_part('a,b', ',', 2)", "varchar", "b"),
    Expression("split_part('a,b', ',', 3)", "varchar", None),
    Expression("replace('aXbX', 'X')", "varchar", "ab"),
    Expression("replace('abc', 'b', 'xyz')", "varchar", "axyzc"),
    Expression("reverse('abc')", "varchar", "cba"),
    Expression("lower(NULL)", "varchar", None),
    Expression("upper(CAST(1 AS varchar))", "varchar", "1"),
    Expression("chr(65)", "varchar", "A"),
    Expression("regexp_split('a1b', '\\d')", "array", "[a, b]"),
    Expression("regexp_replace('abc', 'b')", "varchar", "ac"),
    Expression("starts_with('abc', 'ab')", "boolean", "true"),
    Expression("regexp_like('2025-06-01', '^\\d{4}-\\d{2}')", "boolean", "true"),
    Expression("regexp_extract('a1b22', '\\d+')", "varchar", "1"),
    Expression("regexp_extract('k=v', '(\\w)=(\\w)', 2)", "varchar", "v"),
    Expression("regexp_extract('abc', '\\d+')", "varchar", None),
    Expression("regexp_extract_all('a1b22', '\\d+')", "array", "[1, 22]"),
    Expression("regexp_replace('a1b2', '(\\d)', '<$1>')", "varchar", "a<1>b<2>"),
    Expression("to_hex(md5(to_utf8('a')))", "varchar", "0CC175B9C0F1B6A831C399E269772661"),
    # dates
    Expression("date_diff('day', DATE '2025-01-01', DATE '2025-03-01')", "bigint", "59"),
    Expression("date_diff('month', DATE '2025-01-31', DATE '2025-02-27')", "bigint", "0"),
    Expression("date_diff('hour', TIMESTAMP '2025-01-01 10:59:00', TIMESTAMP '2025-01-01 12:00:00')", "bigint", "1"),
    Expression("date_add('month', 1, DATE '2025-01-31')", "date", "2025-02-28"),
    Expression(
        "date_add('millisecond', -1, TIMESTAMP '2025-01-31 10:00:00.5')", "timestamp", "2025-01-31 10:00:00.500"
    ),
    Expression("to_unixtime(TIMESTAMP '2025-10-26 02:30:00 Europe/Berlin')", "double", "1.7614386E9"),
    Expression(
        "CAST(TIMESTAMP '2025-03-31 23:59:59.999 UTC' AS timestamp(0)) = TIMESTAMP '2025-04-01 00:00:00'",
        "boolean",
        "true",
    ),
    Expression("date_parse('10:11 PM', '%I:%i %p')", "timestamp", "1970-01-01 22:11:00.000"),
    Expression("typeof(TIMESTAMP '2025-03-31 10:00:00' AT TIME ZONE 'UTC')", "varchar", "timestamp(0) with time zone"),
    Expression("date_add('day', -1, DATE '2025-03-01')", "date", "2025-02-28"),
    Expression("DATE '2025-01-31' + INTERVAL '1' MONTH", "date", "2025-02-28"),
    Expression("TIMESTAMP '2025-01-02 00:00:00' - INTERVAL '1' HOUR", "timestamp", "2025-01-01 23:00:00.000"),
    Expression("DATE '2025-01-03' - DATE '2025-01-01'", "interval day to second", "2 00:00:00.000"),
    Expression("date_trunc('month', DATE '2025-06-15')", "date", "2025-06-01"),
    Expression("date_trunc('hour', TIMESTAMP '2025-06-15 10:11:12')", "timestamp", "2025-06-15 10:00:00.000"),
    Expression("date_format(TIMESTAMP '2025-06-05 09:08:07', '%Y-%m-%d %H:%i:%s')", "varchar", "2025-06-05 09:08:07"),
    Expression("date_format(DATE '2025-06-05', '%W, %e %M %y')", "varchar", "Thursday, 5 June 25"),
    Expression("date_parse('05/06/2025', '%d/%m/%Y')", "timestamp", "2025-06-05 00:00:00.000"),
    Expression("format_datetime(TIMESTAMP '2025-06-05 09:08:07', 'yyyy-MM-dd''T''HH')", "varchar", "2025-06-05T09"),
    Expression("parse_datetime('2025-06-05', 'yyyy-MM-dd')", "timestamp with time zone", "2025-06-05 00:00:00.000 UTC"),
    Expression(
        "from_iso8601_timestamp('2025-06-05T09:08:07.5Z')", "timestamp with time zone", "2025-06-05 09:08:07.500 UTC"
    ),
    Expression(
        "from_iso8601_timestamp('2025-06-05T09:00:00+02:00')",
        "timestamp with time zone",
        "2025-06-05 09:00:00.000 +02:00",
    ),
    Expression("date(from_iso8601_timestamp('2025-06-05T01:00:00+02:00'))", "date", "2025-06-05"),
    Expression(
        "CAST(CAST(try(from_iso8601_timestamp('2026-03-01T23:59:00-05:00')) AT TIME ZONE 'UTC' AS date) AS varchar)",
        "varchar",
        "2026-03-02",
    ),
    Expression(
        "try(from_iso8601_timestamp('2026-02-30T00:00:00Z')) AT TIME ZONE 'UTC'", "timestamp with time zone", None
    ),
    Expression("coalesce(try(from_iso8601_timestamp('')) IS NULL, false)", "boolean", "true"),
    Expression(
        "from_iso8601_timestamp('2025-06-05T09:00:00+02:00') = from_iso8601_timestamp('2025-06-05T07:00:00Z')",
        "boolean",
        "true",
    ),
    Expression("from_iso8601_date('2025-06-05')", "date", "2025-06-05"),
    Expression("to_iso8601(DATE '2025-06-05')", "varchar", "2025-06-05"),
    Expression("to_iso8601(TIMESTAMP '2025-06-05 09:08:07.123456')", "varchar", "2025-06-05T09:08:07.123456"),
    Expression(
        "to_iso8601(TIMESTAMP '2025-06-05 09:08:07.120 America/New_York')", "varchar", "2025-06-05T09:08:07.120-04:00"
    ),
    Expression(
        "at_timezone(TIMESTAMP '2025-07-01 00:00:00 UTC', 'America/New_York')",
        "timestamp with time zone",
        "2025-06-30 20:00:00.000 America/New_York",
    ),
    Expression(
        "TIMESTAMP '2025-07-01 00:00:00 UTC' AT TIME ZONE 'Europe/Berlin'",
        "timestamp with time zone",
        "2025-07-01 02:00:00.000 Europe/Berlin",
    ),
    Expression("year(DATE '2025-06-05')", "bigint", "2025"),
    Expression("EXTRACT(HOUR FROM TIMESTAMP '2025-06-05 09:08:07')", "bigint", "9"),
    Expression("day_of_week(DATE '2025-06-05')", "bigint", "4"),
    Expression("week(DATE '2025-01-01')", "bigint", "1"),
    Expression("last_day_of_month(DATE '2025-02-03')", "date", "2025-02-28"),
    Expression("to_unixtime(TIMESTAMP '1970-01-02 00:00:00')", "double", "86400.0"),
    Expression("from_unixtime(86400)", "timestamp with time zone", "1970-01-02 00:00:00.000 UTC"),
    Expression("date_diff('second', now(), current_timestamp)", "bigint", "0"),
    # JSON
    Expression("""json_extract_scalar('{"a": {"b": "c"}}', '$.a.b')""", "varchar", "c"),
    Expression("""json_extract_scalar('{"a": {"b": "c"}}', '$.a')""", "varchar", None),
    Expression("json_extract_scalar('no JSON', '$.a')", "varchar", None),
    Expression("""json_extract('{"a": [1, 2]}', '$.a')""", "json", "[1,2]"),
    Expression("json_array_length('[1, 2, 3]')", "bigint", "3"),
    Expression("""json_format(json_parse('{"a": 1}'))""", "varchar", '{"a":1}'),
    Expression("CAST(json_parse('[1, 2]') AS array(bigint))", "array", "[1, 2]"),
    Expression("CAST(ARRAY[1, 2] AS json)", "json", "[1,2]"),
    # arrays, maps, rows, lambdas
    Expression("ARRAY[1, 2][2]", "integer", "2"),
    Expression("element_at(ARRAY[1, 2], 3)", "integer", None),
    Expression("element_at(ARRAY[1, 2], -1)", "integer", "2"),
    Expression("cardinality(ARRAY[1, 2])", "bigint", "2"),
    Expression("contains(ARRAY['a'], 'a')", "boolean", "true"),
    Expression("array_join(ARRAY[1, NULL, 3], '-')", "varchar", "1-3"),
    Expression("array_join(ARRAY[1, NULL, 3], '-', '?')", "varchar", "1-?-3"),
    Expression("array_sort(ARRAY[3, 1, NULL, 2])", "array", "[1, 2, 3, null]"),
    Expression("array_distinct(ARRAY[1, 1, 2])", "array", "[1, 2]"),
    Expression("flatten(ARRAY[ARRAY[1], ARRAY[2, 3]])", "array", "[1, 2, 3]"),
    Expression("slice(ARRAY[1, 2, 3], 2, 2)", "array", "[2, 3]"),
    Expression("sequence(3, 1)", "array", "[3, 2, 1]"),
    Expression("ARRAY[1] || ARRAY[2]", "array", "[1, 2]"),
    Expression("ARRAY[1] || CAST(NULL AS integer)", "array", None),
    Expression("array_remove(ARRAY[1, 2], NULL)", "array", None),
    Expression("array_union(ARRAY[1], CAST(NULL AS array(integer)))", "array", None),
    Expression("array_except(ARRAY[1], CAST(NULL AS array(integer)))", "array", None),
    Expression("array_intersect(ARRAY[1], CAST(NULL AS array(integer)))", "array", None),
    Expression("array_join(ARRAY[1, NULL], ',', CAST(NULL AS varchar))", "varchar", None),
    Expression("zip(ARRAY[1], CAST(NULL AS array(integer)))", "array", None),
    Expression("map_concat(map(ARRAY['a'], ARRAY[1]), CAST(NULL AS map(varchar, integer)))", "map", None),
    Expression("slice(ARRAY[1, 2, 3], -5, 3)", "array", "[]"),
    Expression("split('a-b', CAST(NULL AS varchar))", "array", None),
    Expression("split_part(CAST(NULL AS varchar), '-', 0)", "varchar", None),
    Expression("CAST(NULL AS array(integer))[0]", "integer", None),
    Expression("lpad(CAST(NULL AS varchar), -1, '')", "varchar", None),
    Expression("CAST(NULL AS decimal(3, 1)) / 0", "decimal", None),
    Expression("substr('abc', 0, CAST(NULL AS bigint))", "varchar", None),
    Expression("CAST(map(ARRAY['b', 'a'], ARRAY[1, NULL]) AS json)", "json", '{"a":null,"b":1}'),
    Expression("width_bucket(0e0, 2e0, 0e0, 4)", "bigint", "4"),
    Expression(
        "at_timezone(TIMESTAMP '2025-06-01 10:00:00 UTC', CAST(NULL AS varchar))", "timestamp with time zone", None
    ),
    Expression("array_remove(ARRAY[1, 2, NULL], 1)", "array", "[2, null]"),
    Expression("zip(ARRAY[1, 2], ARRAY['a', 'b'])", "array", "[{field0=1, field1=a}, {field0=2, field1=b}]"),
    Expression("transform(ARRAY[1, 2], x -> x * 10)", "array", "[10, 20]"),
    Expression(
        "transform(ARRAY[CAST(ROW('in') AS ROW(name varchar))], v -> v.name) FROM (VALUES 'out') t(name)",
        "array",
        "[in]",
    ),
    Expression(
        "cardinality(filter(ARRAY[CAST(ROW('in') AS ROW(name varchar))], v -> v.name = 'in')) "
        "FROM (VALUES 'out') t(name)",
        "bigint",
        "1",
    ),
    Expression(
        "element_at(ARRAY[CAST(ROW('in') AS ROW(name varchar))], 1).name FROM (VALUES 'out') t(name)", "varchar", "in"
    ),
    Expression("arbitrary(x).name FROM (SELECT CAST(ROW('in') AS ROW(name varchar)) AS x)", "varchar", "in"),
    Expression("map_agg(k, v)['a'] FROM (VALUES ('a', 1), ('a', 1), (NULL, 2)) t(k, v)", "integer", "1"),
    Expression("cardinality(map_agg(k, v)) FROM (VALUES ('a', 1), ('a', 2), (NULL, 3)) t(k, v)", "bigint", "1"),
    Expression(
        "sequence(DATE '2025-02-27', DATE '2025-03-01', INTERVAL '1' DAY)",
        "array",
        "[2025-02-27, 2025-02-28, 2025-03-01]",
    ),
    Expression(
        "sequence(DATE '2025-06-03', DATE '2025-06-01', INTERVAL '-2' DAY)", "array", "[2025-06-03, 2025-06-01]"
    ),
    Expression("sequence(DATE '2025-06-02', DATE '2025-06-01')", "array", "[2025-06-02, 2025-06-01]"),
    Expression(
        "sequence(DATE '2025-01-31', DATE '2025-03-01', INTERVAL '1' MONTH)", "array", "[2025-01-31, 2025-02-28]"
    ),
    Expression(
        "sequence(TIMESTAMP '2025-06-01 22:30:00', TIMESTAMP '2025-06-02 00:00:00', INTERVAL '1' HOUR)",
        "array",
        "[2025-06-01 22:30:00.000, 2025-06-01 23:30:00.000]",
    ),
    Expression("DATE '2025-06-01' + 2 * INTERVAL '1' DAY", "date", "2025-06-03"),
    Expression("sequence(NULL, DATE '2025-06-01', INTERVAL '1' DAY)", "array", None),
    Expression("sequence(5, 1, -2)", "array", "[5, 3, 1]"),
    Expression("filter(ARRAY[1, 2, 3], x -> x > 1)", "array", "[2, 3]"),
    Expression("any_match(ARRAY[1, 2], x -> x = 2)", "boolean", "true"),
    Expression("transform(ARRAY[ARRAY[1, 2]], x -> transform(x, y -> y + cardinality(x)))", "array", "[[3, 4]]"),
    Expression("MAP(ARRAY['a', 'b'], ARRAY[1, 2])", "map", "{a=1, b=2}"),
    Expression("MAP(ARRAY['a', 'b'], ARRAY[1, 2])['b']", "integer", "2"),
    Expression("element_at(MAP(ARRAY['a'], ARRAY[1]), 'z')", "integer", None),
    Expression("map_keys(MAP(ARRAY['a'], ARRAY[1]))", "array", "[a]"),
    Expression("concat_ws('-', '{0}', '{*}')", "varchar", "{0}-{*}"),
    Expression("CAST(ARRAY[ARRAY[1]] AS array(array(varchar)))", "array", "[[1]]"),
    # subqueries
    Expression("(SELECT 1 WHERE false)", "integer", None),
    Expression("EXISTS (SELECT 1)", "boolean", "true"),
    Expression("1 IN (SELECT 1)", "boolean", "true"),
    Expression("3 > ALL (SELECT x FROM (VALUES 1, 2) t(x))", "boolean", "true"),
]

_NUMBERS = "(VALUES 1, 2, 3) t(x)"
_PAIRS = "(VALUES ('a', 1), ('b', 2), ('a', 3)) t(k, v)"

QUERIES = [
    Query("SELECT 1.5, count(*) AS n FROM (VALUES 1, 2) t(x) GROUP BY 1.5", ["_col0", "n"], [["1.5", "2"]]),
    Query("SELECT 1, 2 AS two, x FROM (VALUES 3) t(x)", ["_col0", "two", "x"], [["1", "2", "3"]]),
    Query(
        "SELECT a[1].n, (r).n, r.n "
        "FROM (VALUES (ARRAY[CAST(ROW(1) AS ROW(n int))], CAST(ROW(2) AS ROW(n int)))) t(a, r)",
        ["_col0", "n", "n"],
        [["1", "2", "2"]],
    ),
    Query("SELECT * FROM (VALUES ROW(1, 'a'), (2, 'b')) t(x, y) ORDER BY x", ["x", "y"], [["1", "a"], ["2", "b"]]),
    Query("SELECT * FROM (VALUES (1, 'a')) t(x, y);", ["x", "y"], [["1", "a"]]),
    Query("-- a comment\nSELECT /* another */ 1 AS one", ["one"], [["1"]]),
    Query(f"SELECT count(*) AS n, sum(x) AS s, avg(x) AS a FROM {_NUMBERS}", ["n", "s", "a"], [["3", "6", "2.0"]]),
    Query(f"SELECT count_if(x > 1) AS c FROM {_NUMBERS}", ["c"], [["2"]]),
    Query(f"SELECT sum(x) FILTER (WHERE x > 1) AS s FROM {_NUMBERS}", ["s"], [["5"]]),
    Query("SELECT count(*) AS c, sum(x) AS s FROM (VALUES 1) t(x) WHERE x > 1", ["c", "s"], [["0", None]]),
    Query(f"SELECT k, count(*) AS n FROM {_PAIRS} GROUP BY k ORDER BY n DESC", ["k", "n"], [["a", "2"], ["b", "1"]]),
    Query(f"SELECT k, sum(v) AS s FROM {_PAIRS} GROUP BY 1 HAVING sum(v) > 2 ORDER BY 1", ["k", "s"], [["a", "4"]]),
    Query(f"SELECT upper(k) AS u FROM {_PAIRS} GROUP BY upper(k) ORDER BY u", ["u"], [["A"], ["B"]]),
    Query(f"SELECT array_agg(v ORDER BY v DESC) AS a FROM {_PAIRS}", ["a"], [["[3, 2, 1]"]]),
    Query(f"SELECT count(DISTINCT k) AS n, approx_distinct(k) AS m FROM {_PAIRS}", ["n", "m"], [["2", "2"]]),
    Query(f"SELECT listagg(k, ',') WITHIN GROUP (ORDER BY v) AS l FROM {_PAIRS}", ["l"], [["a,b,a"]]),
    Query(
        f"SELECT array_agg(DISTINCT k ORDER BY k DESC) AS d, array_agg(v ORDER BY k, v DESC) AS a FROM {_PAIRS}",
        ["d", "a"],
        [["[b, a]", "[3, 1, 2]"]],
    ),
    Query(
        "SELECT count(DISTINCT t) AS n "
        "FROM (VALUES TIMESTAMP '2025-01-01 00:00:00 UTC', TIMESTAMP '2025-01-01 02:00:00 +02:00') u(t)",
        ["n"],
        [["1"]],
    ),
    Query(f"SELECT max_by(k, v) AS k, min_by(v, v) AS v FROM {_PAIRS}", ["k", "v"], [["a", "1"]]),
    Query(f"SELECT approx_percentile(x, 0.5) AS m FROM {_NUMBERS}", ["m"], [["2"]]),
    Query(
        f"SELECT k, count(*) AS n, grouping(k) AS g FROM {_PAIRS} GROUP BY GROUPING SETS ((k), ()) ORDER BY k",
        ["k", "n", "g"],
        [["a", "2", "0"], ["b", "1", "0"], [None, "3", "1"]],
    ),
    Query(
        f"SELECT k, count(*) AS n FROM {_PAIRS} GROUP BY ROLLUP (k) ORDER BY n DESC, k",
        ["k", "n"],
        [[None, "3"], ["a", "2"], ["b", "1"]],
    ),
    Query("SELECT x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x", ["x"], [["1"], ["2"], [None]]),
    Query("SELECT x FROM (VALUES 2, NULL, 1) t(x) ORDER BY x DESC", ["x"], [["2"], ["1"], [None]]),
    Query("SELECT x FROM (VALUES 2, NULL) t(x) ORDER BY x NULLS FIRST", ["x"], [[None], ["2"]]),
    Query("SELECT DISTINCT x FROM (VALUES 1, 1, 2) t(x) ORDER BY x LIMIT 1", ["x"], [["1"]]),
    Query(f"SELECT x FROM {_NUMBERS} ORDER BY x OFFSET 1 LIMIT 1", ["x"], [["2"]]),
    Query(f"SELECT x FROM {_NUMBERS} ORDER BY x FETCH FIRST 1 ROWS ONLY", ["x"], [["1"]]),
    Query(f"SELECT x + 1 AS y FROM {_NUMBERS} WHERE x > 1 ORDER BY y", ["y"], [["3"], ["4"]]),
    Query("SELECT 1 AS x UNION SELECT 1 UNION ALL SELECT 2 ORDER BY x", ["x"], [["1"], ["2"]]),
    Query("SELECT 1 AS x INTERSECT SELECT 1.0", ["x"], [["1.0"]]),
    Query(f"SELECT x FROM {_NUMBERS} EXCEPT SELECT 2 ORDER BY 1", ["x"], [["1"], ["3"]]),
    Query("WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS x FROM a) SELECT * FROM b", ["x"], [["2"]]),
    Query("WITH a(y) AS (SELECT 1) SELECT l.y FROM a l JOIN a r ON l.y = r.y", ["y"], [["1"]]),
    Query(
        "SELECT a.x, b.y FROM (VALUES 1, 2) a(x) LEFT JOIN (VALUES (2, 'b')) b(x, y) ON a.x = b.x ORDER BY 1",
        ["x", "y"],
        [["1", None], ["2", "b"]],
    ),
    Query(
        "SELECT * FROM (VALUES (1, 'l')) a(x, l) FULL JOIN (VALUES (2, 'r')) b(x, r) USING (x) ORDER BY x",
        ["x", "l", "r"],
        [["1", "l", None], ["2", None, "r"]],
    ),
    Query("SELECT a.x, b.x FROM (SELECT 1 AS x) a, (SELECT 2 AS x) b", ["x", "x"], [["1", "2"]]),
    Query(
        "SELECT n, o FROM UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS t(n, o) ORDER BY o",
        ["n", "o"],
        [["a", "1"], ["b", "2"]],
    ),
    Query(
        "SELECT t.a, t.b FROM (SELECT ARRAY[ROW(1, 'x'), ROW(2, 'y')] AS r) CROSS JOIN UNNEST(r) AS t(a, b) ORDER BY 1",
        ["a", "b"],
        [["1", "x"], ["2", "y"]],
    ),
    Query("SELECT * FROM UNNEST(ARRAY[1, 2], ARRAY['a']) AS t(x, y) ORDER BY x", ["x", "y"], [["1", "a"], ["2", None]]),
    Query(
        "SELECT k, v FROM UNNEST(MAP(ARRAY['a', 'b'], ARRAY[1, 2])) AS t(k, v) ORDER BY k",
        ["k", "v"],
        [["a", "1"], ["b", "2"]],
    ),
    Query(
        "SELECT x, n FROM (VALUES (1, ARRAY[]), (2, ARRAY[7])) t(x, a) LEFT JOIN UNNEST(a) AS u(n) ON true ORDER BY x",
        ["x", "n"],
        [["1", None], ["2", "7"]],
    ),
    Query(
        f"SELECT v, row_number() OVER (PARTITION BY k ORDER BY v DESC) AS r FROM {_PAIRS} ORDER BY v",
        ["v", "r"],
        [["1", "2"], ["2", "1"], ["3", "1"]],
    ),
    Query(
        f"SELECT x, sum(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM {_NUMBERS} ORDER BY x",
        ["x", "s"],
        [["1", "1"], ["2", "3"], ["3", "5"]],
    ),
    Query(
        f"SELECT x, lag(x) OVER w AS p, last_value(x) OVER w AS l FROM {_NUMBERS} WINDOW w AS (ORDER BY x) ORDER BY x",
        ["x", "p", "l"],
        [["1", None, "1"], ["2", "1", "2"], ["3", "2", "3"]],
    ),
    Query(
        "SELECT k, n FROM (SELECT k, v AS n, rank() OVER (PARTITION BY k ORDER BY v DESC) AS r "
        f"FROM {_PAIRS}) WHERE r = 1 ORDER BY k",
        ["k", "n"],
        [["a", "3"], ["b", "2"]],
    ),
    Query(f"SELECT x FROM {_NUMBERS} WHERE x = (SELECT max(x) FROM {_NUMBERS})", ["x"], [["3"]]),
    Query(
        "SELECT x, (SELECT count(*) FROM (VALUES 1, 1) u(y) WHERE y = x) AS n FROM (VALUES 1, 2) t(x) ORDER BY x",
        ["x", "n"],
        [["1", "2"], ["2", "0"]],
    ),
    Query(
        "SELECT x, y FROM (VALUES 1, 2) t(x) CROSS JOIN LATERAL (SELECT x * 10 AS y) ORDER BY x",
        ["x", "y"],
        [["1", "10"], ["2", "20"]],
    ),
    Query("SELECT d.requested FROM (SELECT CAST(ROW('r') AS ROW(requested varchar)) AS d)", ["requested"], [["r"]]),
    Query(
        "SELECT date.requested FROM (SELECT CAST(ROW('r') AS ROW(requested varchar)) AS date)", ["requested"], [["r"]]
    ),
    Query(
        "SELECT d FROM (VALUES (DATE '2025-06-01', DATE '2025-06-02')) t(a, b) "
        "CROSS JOIN UNNEST(sequence(a, b, INTERVAL '1' DAY)) AS u(d) ORDER BY d",
        ["d"],
        [["2025-06-01"], ["2025-06-02"]],
    ),
    Query('SELECT "A B" FROM (SELECT 1 AS "A B")', ["A B"], [["1"]]),
    Query("SELECT sum(x) AS s FROM (VALUES 1.5, 2.5) t(x)", ["s"], [["4.0"]]),
    Query(f"SELECT stddev(x) AS s, variance(x) AS v FROM {_NUMBERS}", ["s", "v"], [["1.0", "1.0"]]),
    Query(f"SELECT histogram(k)['a'] AS n FROM {_PAIRS}", ["n"], [["2"]]),
    Query(
        "SELECT x, cume_dist() OVER w AS c, percent_rank() OVER w AS p, dense_rank() OVER w AS d, ntile(2) OVER w AS n "
        "FROM (VALUES 1, 2, 2, 3) t(x) WINDOW w AS (ORDER BY x) ORDER BY x, n",
        ["x", "c", "p", "d", "n"],
        [
            ["1", "0.25", "0.0", "1", "1"],
            ["2", "0.75", "0.3333333333333333", "2", "1"],
            ["2", "0.75", "0.3333333333333333", "2", "2"],
            ["3", "1.0", "1.0", "3", "2"],
        ],
    ),
    Query(
        "SELECT x, first_value(x) OVER w AS f, nth_value(x, 2) OVER w AS n, lead(x) OVER w AS l, "
        f"lead(x, 2, 0) OVER w AS m FROM {_NUMBERS} WINDOW w AS (ORDER BY x) ORDER BY x",
        ["x", "f", "n", "l", "m"],
        [["1", "1", None, "2", "3"], ["2", "1", "2", "3", "0"], ["3", "1", "2", None, "0"]],
    ),
    Query(
        f"SELECT v, sum(v) OVER (w ORDER BY v) AS s, sum(v) OVER w AS t FROM {_PAIRS} "
        "WINDOW w AS (PARTITION BY k) ORDER BY v",
        ["v", "s", "t"],
        [["1", "1", "4"], ["2", "2", "2"], ["3", "4", "4"]],
    ),
    Query(
        "SELECT d, count(*) OVER (ORDER BY d RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) AS n "
        "FROM (VALUES DATE '2025-01-01', DATE '2025-01-02', DATE '2025-01-04') t(d) ORDER BY d",
        ["d", "n"],
        [["2025-01-01", "1"], ["2025-01-02", "2"], ["2025-01-04", "1"]],
    ),
    Query(
        "SELECT x, sum(x) OVER (ORDER BY x RANGE BETWEEN 1.5 PRECEDING AND CURRENT ROW) AS s "
        f"FROM {_NUMBERS} ORDER BY x",
        ["x", "s"],
        [["1", "1"], ["2", "3"], ["3", "5"]],
    ),
    *(
        Query(f"{_ROWS} SELECT {sql} AS v FROM s ORDER BY k", ["v"], [[value] for value in values])
        for sql, values in _JOINED.items()
    ),
    # the newest row of each group, and what that is asked for
    Query(
        f"SELECT k, v FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY v DESC) AS place FROM {_PAIRS}) "
        "WHERE place = 1 ORDER BY k",
        ["k", "v"],
        [["a", "3"], ["b", "2"]],
    ),
    Query(
        f"SELECT count(*) AS n FROM {_PAIRS} WHERE v IN (SELECT v FROM (SELECT *, row_number() OVER "
        f"(PARTITION BY k ORDER BY v DESC) AS place FROM {_PAIRS}) WHERE place = 1 AND k = 'a')",
        ["n"],
        [["1"]],
    ),
    # counts of groups, summed up, beside rows that another table lacks
    Query(
        "SELECT d, sum(c) AS c, sum(CASE WHEN c > 1 THEN c ELSE 0 END) AS doubled, sum(o) AS o FROM (SELECT l.d, l.x, "
        "count(*) AS c, count_if(l.x IS NOT NULL AND r.x IS NULL) AS o "
        "FROM (VALUES ('1', 'a'), ('1', 'a'), ('1', 'b'), ('2', NULL)) l(d, x) "
        "LEFT JOIN (SELECT DISTINCT x FROM (VALUES 'a', 'a', 'c') v(x)) r ON l.x = r.x "
        "GROUP BY l.d, l.x) GROUP BY d ORDER BY d",
        ["d", "c", "doubled", "o"],
        [["1", "3", "2", "1"], ["2", "1", "0", "0"]],
    ),
    Query(
        'SELECT "reference"."timestamp", count_if(regexp_like("reference"."timestamp", \'^\\d{4}-\')) AS n '
        "FROM (SELECT CAST(ROW('2026-03-01') AS ROW(\"timestamp\" varchar)) AS reference) GROUP BY 1",
        ["timestamp", "n"],
        [["2026-03-01", "1"]],
    ),
]

REFUSED = [
    Refused("SELECT lpad('a', 5, '')", "INVALID_FUNCTION_ARGUMENT", "Padding string must not be empty"),
    Refused("SELECT split('a', '')", "INVALID_FUNCTION_ARGUMENT", "The delimiter may not be the empty string"),
    Refused("SELECT slice(ARRAY[1], 0, 1)", "INVALID_FUNCTION_ARGUMENT", "SQL array indices start at 1"),
    Refused("SELECT repeat(1, -1)", "INVALID_FUNCTION_ARGUMENT", "must be greater than or equal to 0"),
    Refused("SELECT width_bucket(1e0, 1e0, 1e0, 4)", "INVALID_FUNCTION_ARGUMENT", "bounds cannot equal each other"),
    Refused(
        "SELECT with_timezone(TIMESTAMP '2025-06-01 10:00:00', 'x')", "INVALID_FUNCTION_ARGUMENT", "not a valid time"
    ),
    Refused("SELECT CAST(BIGINT '300' AS tinyint)", "NUMERIC_VALUE_OUT_OF_RANGE", "Out of range for tinyint: 300"),
    Refused("SELECT -(BIGINT '-9223372036854775808')", "NUMERIC_VALUE_OUT_OF_RANGE"),
    Refused("SELECT char_length('a')", "FUNCTION_NOT_FOUND"),
    Refused("SELECT 1 / 0", "DIVISION_BY_ZERO"),
    Refused("SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE", "integer addition overflow: 2147483647 + 1"),
    Refused("SELECT CAST('x' AS integer)", "INVALID_CAST_ARGUMENT", "Cannot cast 'x' to INT"),
    Refused("SELECT CAST('2025-06-01T00:00:00Z' AS timestamp)", "INVALID_CAST_ARGUMENT"),
    Refused("SELECT CAST(DATE '2025-06-01' AS bigint)", "TYPE_MISMATCH", "Cannot cast date to bigint"),
    Refused("SELECT 1 = 'a'", "TYPE_MISMATCH", "Cannot apply operator: integer = varchar(1)"),
    Refused("SELECT DATE '2025-06-01' = '2025-06-01'", "TYPE_MISMATCH", "operator: date = varchar(10)"),
    Refused("SELECT 'a' + 1", "TYPE_MISMATCH"),
    Refused("SELECT 1 WHERE 1", "TYPE_MISMATCH", "must evaluate to a boolean"),
    Refused("SELECT 1 UNION SELECT 'a'", "TYPE_MISMATCH"),
    Refused("SELECT coalesce(1, 'a')", "TYPE_MISMATCH"),
    Refused("SELECT nope", "COLUMN_NOT_FOUND", "line 1:8: Column 'nope' cannot be resolved"),
    Refused("SELECT x FROM (VALUES 1) a(x) CROSS JOIN (VALUES 1) b(x)", "AMBIGUOUS_NAME", "Column 'x' is ambiguous"),
    Refused("SELECT * FROM nope", "TABLE_NOT_FOUND", "nope' does not exist"),
    Refused("SELECT * FROM nowhere.nope", "SCHEMA_NOT_FOUND", "Schema 'nowhere' does not exist"),
    Refused("SELECT frobnicate(1)", "FUNCTION_NOT_FOUND", "Function 'frobnicate' not registered"),
    Refused("SELECT lower(1)", "FUNCTION_NOT_FOUND", "Unexpected parameters (integer) for function lower"),
    Refused("SELECT read_parquet('x')", "FUNCTION_NOT_FOUND"),
    Refused("SELECT list_value(1)", "FUNCTION_NOT_FOUND"),
    Refused("SELECT strftime('%Y', now())", "FUNCTION_NOT_FOUND"),
    Refused("SELECT k, v FROM (VALUES (1, 2)) t(k, v) GROUP BY k", "EXPRESSION_NOT_AGGREGATE", "'v' must be"),
    Refused("SELECT k, sum(v) FROM (VALUES (1, 2)) t(k, v)", "EXPRESSION_NOT_AGGREGATE"),
    Refused("SELECT x FROM (VALUES 1) t(x) WHERE sum(x) > 1", "EXPRESSION_NOT_SCALAR"),
    Refused("SELECT sum(sum(x)) FROM (VALUES 1) t(x)", "NESTED_AGGREGATION"),
    Refused("SELECT rank() FROM (VALUES 1) t(x)", "MISSING_OVER"),
    Refused("SELECT DISTINCT x FROM (VALUES (1, 2)) t(x, y) ORDER BY y", "EXPRESSION_NOT_IN_DISTINCT"),
    Refused("SELECT ARRAY[1][2]", "INVALID_FUNCTION_ARGUMENT", "Array subscript must be less than or equal to array"),
    Refused("SELECT MAP(ARRAY['a'], ARRAY[1])['z']", "INVALID_FUNCTION_ARGUMENT", "Key not present in map: z"),
    Refused("SELECT (SELECT x FROM (VALUES 1, 2) t(x))", "SUBQUERY_MULTIPLE_ROWS"),
    Refused("SELECT sum(x) FROM (VALUES 9223372036854775807, 1) t(x)", "NUMERIC_VALUE_OUT_OF_RANGE"),
    Refused("SELECT from_iso8601_timestamp('yesterday')", "INVALID_FUNCTION_ARGUMENT", "yesterday"),
    Refused("SELECT date_diff('fortnight', now(), now())", "INVALID_FUNCTION_ARGUMENT", "fortnight"),
    Refused(
        "SELECT date_diff('day', '2025-06-01', 1)",
        "FUNCTION_NOT_FOUND",
        "for function date_diff. Expected: date_diff(varchar(x), date, date), ",
    ),
    Refused("SELECT sequence(1, 5, -1)", "INVALID_FUNCTION_ARGUMENT", "sequence stop value should be greater than"),
    Refused("SELECT sequence(1, 10001)", "INVALID_FUNCTION_ARGUMENT", "must not have more than 10000 entries"),
    Refused("SELECT sequence(1, 5, 0)", "INVALID_FUNCTION_ARGUMENT", "step must not be zero"),
    Refused(
        "SELECT sequence(DATE '2025-06-01', DATE '2025-06-02', INTERVAL '1' HOUR)",
        "INVALID_FUNCTION_ARGUMENT",
        "sequence step must be a day interval if start and end values are dates",
    ),
    Refused("SELECT CAST(1 AS string)", "TYPE_MISMATCH", "Unknown type: string"),
    Refused("SELECT CAST(1 AS float)", "TYPE_MISMATCH", "Unknown type: float"),
    Refused("SELECT CAST(NULL AS row(x string))", "TYPE_MISMATCH", "Unknown type: string"),
    Refused("SELECT DATE '2026-02-30'", "INVALID_LITERAL", "'2026-02-30' is not a valid date literal"),
    Refused("SELECT 1 > TIMESTAMP 'yesterday'", "INVALID_LITERAL", "'yesterday' is not a valid timestamp literal"),
    Refused("SELECT CAST('2026-02-30' AS date)", "INVALID_CAST_ARGUMENT"),
    Refused("SELECT 99999999999999999999", "SYNTAX_ERROR", "Invalid numeric literal"),
    Refused("SELECT 'a' || 1", "FUNCTION_NOT_FOUND", "Unexpected parameters (varchar(1), integer) for function concat"),
    Refused("SELECT lower(x -> x)", "FUNCTION_NOT_FOUND", "Unexpected parameters (<function>) for function lower"),
    Refused("SELECT MAP(ARRAY['a'], ARRAY[1]) AS m ORDER BY m", "TYPE_MISMATCH", "is not orderable"),
    Refused("WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a", "DUPLICATE_NAMED_QUERY"),
    Refused("SELECT sum(x) FROM (VALUES 1) t(x) HAVING row_number() OVER () > 1", "NESTED_WINDOW"),
    Refused("SELECT sum(1) OVER (RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)", "MISSING_ORDER_BY"),
    Refused("SELECT sum(1) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING)", "INVALID_WINDOW_FRAME"),
    Refused("SELECT sum(x) OVER (w ORDER BY x) FROM (VALUES 1) t(x) WINDOW w AS (ORDER BY x)", "INVALID_ORDER_BY"),
    Refused(
        "SELECT sum(x) OVER (w PARTITION BY x) FROM (VALUES 1) t(x) WINDOW w AS (ORDER BY x)", "INVALID_PARTITION_BY"
    ),
    Refused(
        "WITH s AS (SELECT CAST(ROW(1) AS ROW(id integer)) AS r) "
        "SELECT (SELECT count(*) FROM s t WHERE t.r.id = s.r.id) FROM s",
        "NOT_SUPPORTED",
        "Given correlated subquery is not supported",
    ),
    *(
        Refused(f"{_ROWS} SELECT {sql} FROM s", "NOT_SUPPORTED", "Given correlated subquery is not supported")
        for sql in _UNJOINABLE
    ),
    Refused("SELECT 1 IN (SELECT 1, 2)", "TYPE_MISMATCH"),
    Refused("SELECT x FROM (VALUES 1) t(x, y)", "MISMATCHED_COLUMN_ALIASES"),
]

# What Trino's grammar does not know, although other databases (DuckDB among them) do.
MALFORMED = [
    "SELCT 1",
    "SELECT FROM",
    "SELECT FROM (VALUES 1) t(x)",
    "SELECT `x` FROM t",
    "SELECT 1::bigint",
    "SELECT 'a' 'b'",
    "SELECT 1; SELECT 2",
    "SELECT [1, 2]",
    "SELECT * EXCLUDE (x) FROM (VALUES 1) t(x)",
    "SELECT {'a': 1}",
    "FROM (VALUES 1) t(x)",
    "SELECT x FROM (VALUES 1) t(x) QUALIFY true",
    "SELECT 1 LIMIT 1 OFFSET 1",
    "SELECT 1 == 1",
    "SELECT x FROM (VALUES 1) t(x) GROUP BY ALL HAVING",
]
