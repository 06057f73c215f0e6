"""What analysts join: requests with shows, sales and notifications, and a table with itself."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement(
        "requests of shows that are known",
        """
SELECT d.eventid, e.name, count(*) AS requests
FROM demand d
JOIN event e ON e.id = d.eventid
GROUP BY d.eventid, e.name
""",
    ),
    Statement(
        "shows and the sales of each, shows without a sale included",
        """
SELECT e.id, s.id AS sale_id, s.name
FROM event e
LEFT JOIN sale s ON s.eventid = e.id AND NOT coalesce(s.isdeleted, false)
""",
    ),
    Statement(
        "sales of shows that are not known",
        """
SELECT s.eventid, s.id
FROM event e
RIGHT JOIN sale s ON s.eventid = e.id
WHERE e.id IS NULL
""",
    ),
    Statement(
        "dates on which there is anything, by table",
        """
SELECT coalesce(d.partition_date, n.partition_date) AS day, d.requests, n.notifications
FROM (SELECT partition_date, count(*) AS requests FROM demand GROUP BY partition_date) d
FULL OUTER JOIN (SELECT partition_date, count(*) AS notifications FROM notification GROUP BY partition_date) n
  ON d.partition_date = n.partition_date
""",
    ),
    Statement(
        "a join by USING names the column once",
        """
SELECT *
FROM (SELECT DISTINCT eventid, contactmethod FROM demand) d
JOIN (SELECT DISTINCT eventid, statusid FROM notification) n USING (eventid)
""",
    ),
    Statement(
        "a full join by USING takes the key from either side",
        """
SELECT eventid, d.requests, s.sales
FROM (SELECT eventid, count(*) AS requests FROM demand GROUP BY 1) d
FULL JOIN (SELECT eventid, count(*) AS sales FROM sale GROUP BY 1) s USING (eventid)
""",
    ),
    Statement(
        "every kind of contact with every kind of request",
        """
SELECT c.contactmethod, t.demandtype, count(d.fanid) AS requests
FROM (SELECT DISTINCT contactmethod FROM demand) c
CROSS JOIN (SELECT DISTINCT demandtype FROM demand) t
LEFT JOIN demand d ON d.contactmethod = c.contactmethod AND d.demandtype = t.demandtype
GROUP BY 1, 2
""",
    ),
    Statement(
        "fans who asked and were told of the same show",
        """
SELECT d.fanid, d.eventid, n.statusid
FROM demand d
JOIN notification n ON n.fanid = d.fanid AND n.eventid = d.eventid
""",
    ),
    Statement(
        "fans who asked for the same show in two ways",
        """
SELECT DISTINCT a.eventid, a.fanid AS one, b.fanid AS other
FROM demand a
JOIN demand b ON a.eventid = b.eventid AND a.saleid = b.saleid AND a.fanid < b.fanid
WHERE a.contactmethod = 'sms' AND b.contactmethod = 'email'
  AND a.partition_date >= (SELECT max(partition_date) FROM demand)
""",
    ),
    Statement(
        "a join by a range",
        """
SELECT s.reference.id, count(d.fanid) AS requests_before_the_sale
FROM sale s
LEFT JOIN demand d ON d.eventid = s.eventid AND d.partition_date <= s.partition_date
GROUP BY 1
""",
    ),
    Statement(
        "four tables at once",
        """
SELECT e.id,
       count(DISTINCT s.id) AS sales,
       count(DISTINCT d.fanid) AS fans,
       count(DISTINCT n.reference.id) AS notifications
FROM event e
LEFT JOIN sale s ON s.eventid = e.id
LEFT JOIN demand d ON d.eventid = e.id
LEFT JOIN notification n ON n.eventid = e.id AND n.fanid = d.fanid
GROUP BY e.id
""",
    ),
    Statement(
        "a comma is a cross join",
        """
SELECT d.eventid, s.id
FROM demand d, sale s
WHERE d.eventid = s.eventid AND d.saleid <> s.id AND d.demandtype = 'invite'
GROUP BY d.eventid, s.id
""",
    ),
    Statement(
        "columns of one side by its name and a star",
        """
SELECT s.*, e.name AS event_name
FROM sale s JOIN event e ON s.eventid = e.id
""",
    ),
    Statement(
        "columns of equal names stay apart",
        """
SELECT e.id, s.id, e.name, s.name
FROM event e JOIN sale s ON s.eventid = e.id
""",
    ),
    Statement(
        "a join on an expression of both sides",
        """
SELECT count(*) AS pairs
FROM event e
JOIN sale s ON lower(e.id) = lower(s.eventid) AND length(s.name) > length(s.id) - 6
""",
    ),
    Statement(
        "a row for each of several joined aggregates",
        """
WITH per_event AS (
  SELECT eventid, count(*) AS requests, min(partition_date) AS first_day FROM demand GROUP BY eventid
), sales AS (
  SELECT eventid, count(*) AS sales FROM sale GROUP BY eventid
)
SELECT p.eventid, p.requests, p.first_day, coalesce(s.sales, 0) AS sales
FROM per_event p LEFT JOIN sales s ON s.eventid = p.eventid
WHERE p.requests > 5
""",
    ),
    Statement(
        "a key that is NULL joins nothing",
        """
SELECT count(*) AS requests, count(other.artistid) AS matched
FROM (SELECT artistid FROM demand WHERE partition_date > '2020-01-01') one
LEFT JOIN (SELECT DISTINCT artistid FROM demand) other ON one.artistid = other.artistid
""",
    ),
    Statement(
        "a key that is NULL joins itself by IS NOT DISTINCT FROM",
        """
SELECT one.contactmethod, count(*) AS rows
FROM (SELECT DISTINCT contactmethod FROM demand) one
JOIN notification two ON one.contactmethod IS NOT DISTINCT FROM two.contactmethod
GROUP BY one.contactmethod
""",
    ),
    Statement(
        "a join of a list that the statement holds",
        """
SELECT t.label, count(*) AS requests
FROM (VALUES ('sms', 'by text message'), ('email', 'by e-mail')) AS t(method, label)
JOIN demand d ON d.contactmethod = t.method
GROUP BY t.label
""",
    ),
    Statement(
        "a lateral subquery for each row",
        """
SELECT e.id, newest.salestartdatetime
FROM event e
CROSS JOIN LATERAL (SELECT max(s.salestartdatetime) AS salestartdatetime FROM sale s WHERE s.eventid = e.id) newest
""",
    ),
)
