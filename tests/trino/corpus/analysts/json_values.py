"""What analysts do with JSON: texts of their own, and rows turned into JSON."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement(
        "a text built as JSON and read again",
        """
SELECT json_extract_scalar(body, '$.fan') AS fan, json_extract_scalar(body, '$.show.id') AS show
FROM (
  SELECT '{"fan": "' || fanid || '", "show": {"id": "' || eventid || '"}}' AS body FROM demand
    WHERE partition_date < '2026-02-10'
)
""",
    ),
    Statement(
        "an object within an object",
        """
SELECT json_extract(body, '$.show') AS show, json_extract(body, '$.shows[0]') AS first,
       json_extract(body, '$.none') AS none
FROM (SELECT '{"show": {"id": "' || id || '", "n": 1.50}, "shows": ["' || id || '"]}' AS body FROM event)
""",
    ),
    Statement(
        "scalars of every kind",
        r"""
SELECT json_extract_scalar(t, '$.a') AS a, json_extract(t, '$.a') AS j
FROM (VALUES '{"a": 1}', '{"a": 1.5}', '{"a": true}', '{"a": null}', '{"a": "x\u00e9"}', '{"a": [1]}',
  '{"b": 1}', '1e3', '') AS v(t)
""",
    ),
    Statement(
        "paths in brackets",
        """
SELECT json_extract_scalar(t, '$["a b"]') AS spaced, json_extract_scalar(t, '$.list[1]') AS second,
       json_extract_scalar(t, '$.list[9]') AS ninth, json_extract(t, '$') AS whole
FROM (VALUES '{"a b": "x", "list": [1, 2]}') AS v(t)
""",
    ),
    Statement(
        "a path that a column holds",
        """
SELECT json_extract_scalar('{"a": 1, "b": 2}', p) AS v FROM (VALUES '$.a', '$.b', '$.c') AS t(p)
""",
    ),
    Statement(
        "lengths of lists",
        """
SELECT id, json_array_length(CAST(saletypes AS json)) AS n, json_array_length('{"a": 1}') AS no_list FROM sale
""",
    ),
    Statement(
        "an array as JSON",
        """
SELECT json_format(CAST(saletypes AS json)) AS types FROM sale
""",
    ),
    Statement(
        "a row as JSON",
        """
SELECT json_format(CAST(reference AS json)) AS reference, CAST(system AS json) AS system
FROM demand
WHERE partition_date = (SELECT min(partition_date) FROM demand)
""",
    ),
    Statement(
        "an array of rows as JSON",
        """
SELECT id, json_format(CAST(venues AS json)) AS venues FROM event WHERE partition_date > '2026-03-04'
""",
    ),
    Statement(
        "a map as JSON",
        """
SELECT json_format(CAST(map_agg(statusid, n) AS json)) AS counts
FROM (SELECT statusid, count(*) AS n FROM notification WHERE statusid IS NOT NULL GROUP BY 1)
""",
    ),
    Statement(
        "JSON as an array and a map",
        """
SELECT CAST(json_parse('[1, "2", null]') AS array(integer)) AS numbers,
       CAST(json_parse('{"a": 1, "b": 2}') AS map(varchar, bigint)) AS counts
""",
    ),
    Statement(
        "numbers of JSON cast",
        """
SELECT CAST(json_extract(t, '$.n') AS bigint) AS n, CAST(json_extract(t, '$.d') AS double) AS d,
       CAST(json_extract(t, '$.b') AS boolean) AS b, CAST(json_extract(t, '$.s') AS varchar) AS s
FROM (VALUES '{"n": 12, "d": 1.5, "b": true, "s": "x"}', '{"n": null}',
  '{"n": "7", "d": "2.5", "b": "false", "s": 1}') AS v(t)
""",
    ),
    Statement(
        "scalars as JSON",
        """
SELECT CAST(1 AS json) AS i, CAST('x' AS json) AS s, CAST(1.5 AS json) AS d, CAST(true AS json) AS b,
       CAST(NULL AS json) AS n, CAST(DATE '2026-03-01' AS json) AS day, CAST(1e0 AS json) AS f
""",
    ),
    Statement(
        "json_parse sorts keys",
        """
SELECT json_format(json_parse('{"b": 1, "a": {"z": 1, "y": 2}}')) AS sorted,
       json_parse('{"b":1,"a":2}') = json_parse('{"a":2,"b":1}') AS same
""",
    ),
    Statement(
        "a literal of JSON",
        """
SELECT JSON '{"a": [1, 2]}' AS j, json_size(JSON '{"a": [1, 2]}', '$.a') AS n
""",
    ),
    Statement(
        "JSON unnested",
        """
SELECT id, json_extract_scalar(v, '$.name') AS venue
FROM event
CROSS JOIN UNNEST(CAST(CAST(venues AS json) AS array(json))) AS t(v)
WHERE partition_date > '2026-03-03'
""",
    ),
    Statement(
        "what is not JSON is NULL to json_extract",
        """
SELECT count(json_extract(messagebody, '$.a')) AS n, count(json_extract_scalar(messagebody, '$')) AS m FROM notification
""",
    ),
    Statement(
        "what is not JSON fails json_parse",
        """
SELECT json_parse(messagebody) FROM notification
""",
    ),
    Statement(
        "try around json_parse",
        """
SELECT count(try(json_parse(messagebody))) AS n FROM notification
""",
    ),
    Statement(
        "json_value and json_query",
        """
SELECT json_value('{"a": {"b": 7}}', 'lax $.a.b' RETURNING integer) AS n, json_query('{"a": [1, 2]}', 'lax $.a') AS l,
       json_exists('{"a": 1}', 'lax $.a') AS there
""",
    ),
    Statement(
        "JSON as a row",
        """
SELECT CAST(json_parse('{"id": "x", "n": 2}') AS ROW(id varchar, n integer)) AS r,
       CAST(json_parse('["x", 2]') AS ROW(id varchar, n integer)) AS by_place
""",
    ),
    Statement(
        "a value in a list of JSON",
        """
SELECT json_array_contains('[1, 2]', 2) AS has
""",
    ),
    Statement(
        "a decimal in JSON keeps its digits",
        """
SELECT json_extract_scalar('{"a": 1.50}', '$.a') AS text, json_extract('{"a": 1.50}', '$.a') AS json
""",
    ),
    Statement(
        "the first of a list of JSON",
        """
SELECT json_array_get('[1, 2]', 0) AS first
""",
    ),
)
