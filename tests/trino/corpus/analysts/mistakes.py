"""What analysts get wrong: the names of the errors are compared."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement("a column that is not there", "SELECT fan_id FROM demand"),
    Statement("a column of another table", "SELECT d.statusid FROM demand d JOIN notification n ON n.fanid = d.fanid"),
    Statement("a field that is not there", 'SELECT "date".created FROM demand'),
    Statement("a field of a text", "SELECT fanid.id FROM demand"),
    Statement("a column in double quotes is no text", 'SELECT count(*) FROM demand WHERE contactmethod = "sms"'),
    Statement("a table that is not there", "SELECT * FROM demands"),
    Statement("a database that is not there", "SELECT * FROM nowhere.demand"),
    Statement("a catalog that is not there", "SELECT * FROM nowhere.prd3292_local_dmnd_pipeline.demand"),
    Statement("an alias that is not there", "SELECT x.fanid FROM demand d"),
    Statement("the table's name behind its alias", "SELECT demand.fanid FROM demand d"),
    Statement("a function that is not there", "SELECT ifnull(fanid, 'x') FROM demand"),
    Statement("a function of MySQL", "SELECT date_sub(partition_date, 1) FROM demand"),
    Statement("a function of PostgreSQL", "SELECT to_char(date(partition_date), 'YYYY') FROM demand"),
    Statement("a function of Hive", "SELECT get_json_object(messagebody, '$.a') FROM notification"),
    Statement("a function with too few arguments", "SELECT date_diff('day', partition_date) FROM demand"),
    Statement("a function of a wrong type", "SELECT date_trunc('day', partition_date) FROM demand"),
    Statement("length of a number", "SELECT length(1) FROM demand"),
    Statement("sum of texts", "SELECT sum(fanid) FROM demand"),
    Statement("avg of texts", "SELECT avg(partition_date) FROM demand"),
    Statement("cardinality of a text", "SELECT cardinality(fanid) FROM demand"),
    Statement(
        "a text and a number compared", "SELECT count(*) FROM event e CROSS JOIN UNNEST(images) i WHERE i.width = '640'"
    ),
    Statement("a text and a date compared", "SELECT count(*) FROM demand WHERE partition_date = DATE '2026-03-01'"),
    Statement("a boolean and a text compared", "SELECT count(*) FROM demand WHERE isdeleted = 'false'"),
    Statement("a boolean and a number compared", "SELECT count(*) FROM demand WHERE isdeleted = 0"),
    Statement("rows of different shapes compared", "SELECT count(*) FROM demand WHERE reference = system"),
    Statement("a row and a text compared", "SELECT count(*) FROM demand WHERE reference = 'x'"),
    Statement("a number and a text added", "SELECT partition_date + 1 FROM demand"),
    Statement("a text and a number concatenated", "SELECT eventid || 1 FROM demand"),
    Statement("a condition that is none", "SELECT count(*) FROM demand WHERE fanid"),
    Statement("a CASE of different types", "SELECT CASE WHEN isdeleted THEN 'x' ELSE 1 END FROM demand"),
    Statement("coalesce of different types", "SELECT coalesce(isdeleted, 'no') FROM demand"),
    Statement("IN a list of different types", "SELECT count(*) FROM demand WHERE fanid IN (1, 2)"),
    Statement(
        "IN a subquery of two columns", "SELECT count(*) FROM demand WHERE fanid IN (SELECT id, eventid FROM sale)"
    ),
    Statement("a union of different types", "SELECT fanid FROM demand UNION ALL SELECT isdeleted FROM sale"),
    Statement(
        "a union of different numbers of columns", "SELECT fanid, eventid FROM demand UNION ALL SELECT id FROM sale"
    ),
    Statement("a column that is not grouped", "SELECT eventid, fanid, count(*) FROM demand GROUP BY eventid"),
    Statement(
        "a struct's other field that is not grouped",
        'SELECT "date".triggered, count(*) FROM demand d GROUP BY d."date".requested',
    ),
    Statement(
        "a struct's field that is grouped, in another spelling",
        "SELECT date.requested, count(*) AS n FROM demand d GROUP BY d.date.requested",
    ),
    Statement("an aggregate in WHERE", "SELECT eventid FROM demand WHERE count(*) > 1 GROUP BY eventid"),
    Statement("an aggregate in GROUP BY", "SELECT count(*) FROM demand GROUP BY count(*)"),
    Statement("a window in WHERE", "SELECT eventid FROM demand WHERE row_number() OVER (ORDER BY fanid) = 1"),
    Statement(
        "a window in HAVING", "SELECT eventid FROM demand GROUP BY eventid HAVING rank() OVER (ORDER BY eventid) = 1"
    ),
    Statement("a window without OVER", "SELECT row_number() FROM demand"),
    Statement("a window within a window", "SELECT sum(rank() OVER (ORDER BY fanid)) OVER () FROM demand"),
    Statement("an aggregate of an aggregate", "SELECT max(count(*)) FROM demand GROUP BY eventid"),
    Statement("an alias in WHERE", "SELECT eventid AS e FROM demand WHERE e = 'event-1'"),
    Statement("an alias in HAVING", "SELECT eventid, count(*) AS n FROM demand GROUP BY eventid HAVING n > 1"),
    Statement("an alias beside its definition", "SELECT length(fanid) AS n, n + 1 FROM demand"),
    Statement("a name in both tables", "SELECT eventid FROM demand JOIN sale ON demand.saleid = sale.id"),
    Statement("a position that is not there", "SELECT eventid FROM demand GROUP BY 2"),
    Statement("an order by a position that is not there", "SELECT eventid FROM demand ORDER BY 3"),
    Statement("an order by what DISTINCT dropped", "SELECT DISTINCT eventid FROM demand ORDER BY fanid"),
    Statement(
        "an order by what a group dropped", "SELECT eventid, count(*) FROM demand GROUP BY eventid ORDER BY fanid"
    ),
    Statement("a subquery of several rows", "SELECT (SELECT id FROM sale WHERE partition_date > '2026-02-20') AS one"),
    Statement("a subquery of several columns", "SELECT (SELECT id, name FROM sale) AS one"),
    Statement("a join without a condition", "SELECT count(*) FROM demand d JOIN sale s"),
    Statement("a join by USING of a column of one side", "SELECT count(*) FROM demand JOIN sale USING (fanid)"),
    Statement("a join on what is no condition", "SELECT count(*) FROM demand d JOIN sale s ON d.eventid"),
    Statement("UNNEST of a text", "SELECT x FROM demand CROSS JOIN UNNEST(fanid) AS t(x)"),
    Statement("UNNEST of a row", "SELECT x FROM demand CROSS JOIN UNNEST(reference) AS t(x)"),
    Statement("too few names for UNNEST", "SELECT a FROM event CROSS JOIN UNNEST(attractions) AS t(a, b)"),
    Statement("a field of an array", "SELECT venues.name FROM event"),
    Statement("a subscript that is a text", "SELECT venues['x'] FROM event"),
    Statement(
        "a unit that is none", "SELECT date_diff('fortnight', date(partition_date), date(partition_date)) FROM demand"
    ),
    Statement(
        "a zone that is none", "SELECT at_timezone(from_iso8601_timestamp(salestartdatetime), 'Mars/Olympus') FROM sale"
    ),
    Statement("a pattern that does not fit", "SELECT date_parse(partition_date, '%d.%m.%Y') FROM sale"),
    Statement("a date that is none", "SELECT DATE '2026-02-30'"),
    Statement(
        "a literal of a moment that is none", "SELECT count(*) FROM sale WHERE partition_date > TIMESTAMP 'yesterday'"
    ),
    Statement("a regular expression that is none", "SELECT regexp_like(fanid, '(') FROM demand"),
    Statement("a JSON path that is none", "SELECT json_extract_scalar('{}', 'a..b[') FROM sale"),
    Statement("LIMIT of a negative number", "SELECT fanid FROM demand LIMIT -1"),
    Statement("backquotes", "SELECT `fanid` FROM demand"),
    Statement("a comma too much", "SELECT fanid, FROM demand"),
    Statement("WHERE after GROUP BY", "SELECT eventid FROM demand GROUP BY eventid WHERE true"),
    Statement("two semicolons of thought", "SELECT 1; SELECT 2"),
    Statement("a text that does not end", "SELECT 'abc FROM demand"),
    Statement("a parenthesis that does not close", "SELECT count(* FROM demand"),
    Statement("an equals sign of a programmer", "SELECT count(*) FROM demand WHERE fanid == 'x'"),
    Statement("a cast of PostgreSQL", "SELECT fanid::integer FROM demand"),
    Statement("TOP of another database", "SELECT TOP 10 fanid FROM demand"),
    Statement("LIMIT with two numbers", "SELECT fanid FROM demand LIMIT 10, 20"),
    Statement("QUALIFY of another database", "SELECT fanid FROM demand QUALIFY row_number() OVER (ORDER BY fanid) = 1"),
    Statement("a lambda where there is none", "SELECT lower(x -> x) FROM demand"),
    Statement("a cast that is not possible", "SELECT CAST(reference AS bigint) FROM demand"),
    Statement("a cast of an array to a text", "SELECT CAST(saletypes AS varchar) FROM sale"),
    Statement("a type that is not there", "SELECT CAST(fanid AS string) FROM demand"),
    Statement("a star in a group", "SELECT * FROM demand GROUP BY eventid"),
    Statement("a star without a table", "SELECT *"),
    Statement("DISTINCT of JSON", "SELECT DISTINCT CAST(saletypes AS json) AS j FROM sale"),
    Statement("an order of maps", "SELECT MAP(ARRAY['a'], ARRAY[1]) AS m ORDER BY m"),
    Statement("COUNT DISTINCT of a star", "SELECT count(DISTINCT *) FROM demand"),
    Statement("a filter on what is no aggregate", "SELECT lower(fanid) FILTER (WHERE true) FROM demand"),
    Statement("a frame without an order", "SELECT sum(1) OVER (RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM sale"),
    Statement(
        "a frame that ends before it begins",
        "SELECT sum(1) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM sale",
    ),
    Statement("a window that is not named", "SELECT rank() OVER w FROM sale"),
    Statement("two WITH of one name", "WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a"),
    Statement("two tables of one name", "SELECT a.id FROM sale a JOIN event a ON true"),
    Statement(
        "grouping of what is not grouped", "SELECT grouping(fanid), count(*) FROM demand GROUP BY ROLLUP (eventid)"
    ),
    Statement(
        "two columns out of a subquery of one row",
        """
SELECT (SELECT max(id), max(name) FROM sale) AS one
""",
    ),
)
