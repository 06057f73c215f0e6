"""What analysts ask of the answer to another question: IN, EXISTS, scalars, sets."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement("shows with requests", "SELECT id FROM event WHERE id IN (SELECT eventid FROM demand)"),
    Statement("shows without requests", "SELECT DISTINCT id FROM event WHERE id NOT IN (SELECT eventid FROM demand)"),
    Statement(
        "NOT IN a list with NULL is never true",
        "SELECT count(*) FROM demand WHERE eventid NOT IN (SELECT artistid FROM demand)",
    ),
    Statement(
        "shows with a sale that exists",
        """
SELECT DISTINCT e.id FROM event e
WHERE EXISTS (SELECT 1 FROM sale s WHERE s.eventid = e.id AND NOT coalesce(s.isdeleted, false))
""",
    ),
    Statement(
        "shows without any sale",
        "SELECT DISTINCT e.id FROM event e WHERE NOT EXISTS (SELECT 1 FROM sale s WHERE s.eventid = e.id)",
    ),
    Statement(
        "a scalar subquery for each row",
        """
SELECT DISTINCT e.id, (SELECT count(*) FROM sale s WHERE s.eventid = e.id) AS sales,
       (SELECT max(salestartdatetime) FROM sale s WHERE s.eventid = e.id) AS last_start
FROM event e
""",
    ),
    Statement(
        "requests of the day with the most",
        """
WITH days AS (SELECT partition_date AS day, count(*) AS n FROM demand GROUP BY 1)
SELECT eventid, count(*) AS n
FROM demand
WHERE partition_date IN (SELECT day FROM days WHERE n = (SELECT max(n) FROM days))
GROUP BY eventid
""",
    ),
    Statement(
        "shows above the average",
        """
SELECT eventid, n FROM (SELECT eventid, count(*) AS n FROM demand GROUP BY eventid)
WHERE n > (SELECT avg(n) FROM (SELECT count(*) AS n FROM demand GROUP BY eventid))
""",
    ),
    Statement(
        "ALL and ANY",
        """
SELECT DISTINCT partition_date FROM sale
WHERE partition_date >= ALL (SELECT partition_date FROM event) OR partition_date < ANY (SELECT min(partition_date)
  FROM demand GROUP BY eventid)
""",
    ),
    Statement("dates in both tables", "SELECT partition_date FROM sale INTERSECT SELECT partition_date FROM event"),
    Statement(
        "dates in one and not the other", "SELECT partition_date FROM event EXCEPT SELECT partition_date FROM sale"
    ),
    Statement(
        "counts of all tables",
        """
SELECT 'demand' AS name, count(*) AS n FROM demand UNION ALL SELECT 'event', count(*) FROM event
UNION ALL SELECT 'sale', count(*) FROM sale UNION ALL SELECT 'notification', count(*) FROM notification
""",
    ),
    Statement(
        "a union without duplicates",
        "SELECT eventid FROM demand UNION SELECT eventid FROM sale UNION DISTINCT SELECT id FROM event",
    ),
    Statement("INTERSECT binds before UNION", "SELECT 1 UNION SELECT 2 INTERSECT SELECT 2 UNION ALL SELECT 1"),
    Statement("types of a union", "SELECT 1 AS x UNION ALL SELECT 2.5 UNION ALL SELECT NULL"),
    Statement(
        "types of texts in a union",
        "SELECT 'a' AS x UNION ALL SELECT 'bcd' UNION ALL SELECT salename FROM demand WHERE false",
    ),
    Statement(
        "EXCEPT ALL and INTERSECT ALL",
        """
(SELECT contactmethod FROM demand WHERE partition_date < '2026-02-18' EXCEPT ALL SELECT contactmethod FROM demand
  WHERE partition_date < '2026-02-17')
UNION ALL (SELECT 'both' FROM demand WHERE false)
""",
    ),
    Statement(
        "several WITH, one on another",
        """
WITH days AS (SELECT partition_date AS day, count(*) AS n FROM demand GROUP BY 1), busy AS (SELECT day, n FROM days
  WHERE n > 300),
     quiet AS (SELECT day, n FROM days WHERE day NOT IN (SELECT day FROM busy))
SELECT 'busy' AS kind, count(*) AS days, sum(n) AS n FROM busy UNION ALL SELECT 'quiet', count(*), sum(n) FROM quiet
""",
    ),
    Statement(
        "columns named by WITH",
        "WITH t(day, n) AS (SELECT partition_date, count(*) FROM sale GROUP BY 1) SELECT day, n FROM t WHERE n > 10",
    ),
    Statement(
        "the most recent change by a correlated subquery",
        """
SELECT s.reference.id, s.isdeleted FROM sale s
WHERE s.reference.timestamp = (SELECT max(t.reference.timestamp) FROM sale t WHERE t.reference.id = s.reference.id)
""",
    ),
    Statement(
        "a subquery with LIMIT after a total order",
        "SELECT day FROM (SELECT DISTINCT partition_date AS day FROM demand ORDER BY day DESC LIMIT 3)",
    ),
    Statement(
        "OFFSET and FETCH",
        "SELECT DISTINCT partition_date FROM demand ORDER BY partition_date OFFSET 2 ROWS FETCH FIRST 3 ROWS ONLY",
    ),
    Statement("OFFSET and LIMIT", "SELECT DISTINCT partition_date FROM demand ORDER BY 1 OFFSET 1 LIMIT 2"),
    Statement(
        "WITH TIES",
        """
SELECT contactmethod, demandtype FROM (SELECT DISTINCT contactmethod, demandtype FROM demand)
  ORDER BY contactmethod FETCH FIRST 1 ROW WITH TIES
""",
    ),
    Statement("VALUES alone", "VALUES (1, 'a'), (2, NULL)"),
    Statement("TABLE alone", "SELECT count(*) FROM (TABLE sale)"),
    Statement(
        "one row of a group by row_number",
        """
SELECT eventid, fanid
FROM (
  SELECT eventid, fanid, row_number() OVER (PARTITION BY eventid ORDER BY fanid) AS n
  FROM (SELECT DISTINCT eventid, fanid FROM demand)
)
WHERE n <= 2
""",
    ),
    Statement(
        "WITH RECURSIVE",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT n FROM t",
    ),
    Statement(
        "a correlated subquery in a CASE",
        """
SELECT DISTINCT e.id, CASE WHEN EXISTS (SELECT 1 FROM demand d WHERE d.eventid = e.id) THEN 'wanted'
  ELSE 'not' END AS state FROM event e
""",
    ),
    Statement(
        "a name of the database before the table",
        "SELECT count(*) AS n FROM prd3292_local_dmnd_pipeline.sale s WHERE s.partition_date IS NOT NULL",
    ),
    Statement(
        "the most recent change by a join with the latest of each",
        """
SELECT s.reference.id, s.isdeleted FROM sale s
JOIN (SELECT t.reference.id AS id, max(t.reference.timestamp) AS latest FROM sale t GROUP BY 1) l
  ON l.id = s.reference.id AND l.latest = s.reference.timestamp
""",
    ),
    Statement(
        "the most recent change by a correlated subquery on a plain column",
        """
SELECT s.id, s.salestartdatetime FROM sale s
WHERE s.salestartdatetime = (SELECT max(t.salestartdatetime) FROM sale t WHERE t.eventid = s.eventid)
""",
    ),
    Statement(
        "a correlated subquery on another relation than equality",
        """
SELECT DISTINCT s.partition_date, (SELECT count(*) FROM sale t WHERE t.partition_date < s.partition_date) AS before
  FROM sale s
""",
    ),
    Statement(
        "a correlated subquery with LIMIT",
        """
SELECT DISTINCT e.id, (SELECT s.salestartdatetime FROM sale s WHERE s.eventid = e.id
  ORDER BY s.salestartdatetime LIMIT 1) AS first FROM event e
""",
    ),
    Statement(
        "EXISTS on another relation than equality",
        """
SELECT count(*) AS n FROM event e WHERE EXISTS (SELECT 1 FROM sale s WHERE s.eventid = e.id
  AND s.partition_date > e.partition_date)
""",
    ),
)
