"""What analysts rank, number and compare with the row before."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement(
        "the latest row of every request",
        """
WITH ranked AS (
  SELECT d.*, row_number() OVER (
    PARTITION BY d.reference.id ORDER BY d.reference.timestamp DESC, coalesce(d.isdeleted, false) DESC, "$path", email
  ) AS newest
  FROM demand d
)
SELECT reference.id, reference.timestamp, isdeleted FROM ranked WHERE newest = 1
""",
    ),
    Statement(
        "the latest state of every sale that still exists",
        """
SELECT id, eventid, name, latest
FROM (
  SELECT s.id, s.eventid, s.name, s.isdeleted, s.reference.timestamp AS latest,
         rank() OVER (PARTITION BY s.reference.id ORDER BY s.reference.timestamp DESC) AS newest
  FROM sale s
)
WHERE newest = 1 AND coalesce(isdeleted, false) = false
""",
    ),
    Statement(
        "states of a notification in order",
        """
SELECT reference.id, statusid,
       dense_rank() OVER (PARTITION BY reference.id ORDER BY reference.timestamp) AS station
FROM notification
WHERE statusid IS NOT NULL
""",
    ),
    Statement(
        "time since the request before",
        """
SELECT eventid, requested, lag(requested) OVER (PARTITION BY eventid ORDER BY requested) AS before
FROM (SELECT DISTINCT eventid, d.date.requested AS requested FROM demand d)
""",
    ),
    Statement(
        "lag and lead with distance and default",
        """
SELECT day, requests,
       lag(requests, 2, BIGINT '0') OVER (ORDER BY day) AS two_days_ago,
       lead(requests, 1, BIGINT '-1') OVER (ORDER BY day) AS next_day
FROM (SELECT partition_date AS day, count(*) AS requests FROM demand GROUP BY 1)
""",
    ),
    Statement(
        "a running total by rows",
        """
SELECT day, requests, sum(requests) OVER (ORDER BY day ROWS UNBOUNDED PRECEDING) AS so_far
FROM (SELECT partition_date AS day, count(*) AS requests FROM demand GROUP BY 1)
""",
    ),
    Statement(
        "a moving average of seven days",
        """
SELECT day, avg(requests) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS week
FROM (SELECT partition_date AS day, count(*) AS requests FROM demand GROUP BY 1)
""",
    ),
    Statement(
        "a frame by range takes the row's peers",
        """
SELECT contactmethod, requests, sum(requests) OVER (ORDER BY contactmethod) AS with_peers
FROM (SELECT contactmethod, eventid, count(*) AS requests FROM demand GROUP BY 1, 2)
""",
    ),
    Statement(
        "a frame by range of days",
        """
SELECT day, sum(requests) OVER (ORDER BY day RANGE BETWEEN INTERVAL '3' DAY PRECEDING AND CURRENT ROW) AS four_days
FROM (SELECT CAST(partition_date AS date) AS day, count(*) AS requests FROM demand GROUP BY 1)
""",
    ),
    Statement(
        "a frame by range of numbers",
        """
SELECT requests, count(*) OVER (ORDER BY requests RANGE BETWEEN 2 PRECEDING AND 2 FOLLOWING) AS alike
FROM (SELECT eventid, count(*) AS requests FROM demand GROUP BY 1)
""",
    ),
    Statement(
        "a frame by groups",
        """
SELECT eventid, requests,
       sum(requests) OVER (ORDER BY requests GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS neighbours
FROM (SELECT eventid, count(*) AS requests FROM demand GROUP BY 1)
""",
    ),
    Statement(
        "first and last of a day",
        """
SELECT DISTINCT partition_date,
       first_value(d.date.requested) OVER w AS first_request,
       last_value(d.date.requested) OVER w AS last_request
FROM demand d
WINDOW w AS (
  PARTITION BY partition_date ORDER BY d.date.requested ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
)
""",
    ),
    Statement(
        "last_value without a frame ends at the row",
        """
SELECT day, last_value(day) OVER (ORDER BY day) AS itself
FROM (SELECT DISTINCT partition_date AS day FROM sale)
""",
    ),
    Statement(
        "the first value that is there",
        """
SELECT DISTINCT eventid,
       first_value(artistid) IGNORE NULLS OVER (
         PARTITION BY eventid ORDER BY artistid ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
       ) AS artist
FROM demand
""",
    ),
    Statement(
        "the last value that was there, carried on",
        """
SELECT day, last_value(sales) IGNORE NULLS OVER (ORDER BY day) AS latest_known
FROM (
  SELECT d.day, s.sales
  FROM (SELECT DISTINCT partition_date AS day FROM demand) d
  LEFT JOIN (SELECT partition_date AS day, count(*) AS sales FROM sale GROUP BY 1) s ON s.day = d.day
)
""",
    ),
    Statement(
        "lag that passes over NULL",
        """
SELECT fanid, requested, lag(artistid, 1) IGNORE NULLS OVER (PARTITION BY eventid ORDER BY requested, fanid) AS before
FROM (SELECT DISTINCT fanid, eventid, artistid, d.date.requested AS requested FROM demand d)
""",
    ),
    Statement(
        "the third of each show",
        """
SELECT DISTINCT eventid, nth_value(requested, 3) OVER (
  PARTITION BY eventid ORDER BY requested ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
) AS third
FROM (SELECT DISTINCT eventid, requesteddatetime AS requested FROM demand)
""",
    ),
    Statement(
        "quarters of shows by requests",
        """
SELECT eventid, ntile(4) OVER (ORDER BY requests DESC, eventid) AS quarter
FROM (SELECT eventid, count(*) AS requests FROM demand GROUP BY 1)
""",
    ),
    Statement(
        "percent_rank and cume_dist",
        """
SELECT eventid,
       percent_rank() OVER (ORDER BY requests) AS below,
       cume_dist() OVER (ORDER BY requests) AS up_to
FROM (SELECT eventid, count(*) AS requests FROM demand GROUP BY 1)
""",
    ),
    Statement(
        "the share of each status in its day",
        """
SELECT partition_date, statusid, count(*) AS n,
       round(100.0 * count(*) / sum(count(*)) OVER (PARTITION BY partition_date), 2) AS percent
FROM notification
GROUP BY partition_date, statusid
""",
    ),
    Statement(
        "a window over an aggregate of the same query",
        """
SELECT partition_date, count(*) AS requests, rank() OVER (ORDER BY count(*) DESC) AS place
FROM demand
GROUP BY partition_date
""",
    ),
    Statement(
        "two named windows, one built on the other",
        """
SELECT eventid, day, requests,
       sum(requests) OVER (w ORDER BY day) AS so_far,
       sum(requests) OVER w AS all_days
FROM (SELECT eventid, partition_date AS day, count(*) AS requests FROM demand GROUP BY 1, 2)
WINDOW w AS (PARTITION BY eventid)
""",
    ),
    Statement(
        "NULL is last in a window's order, and first when it says so",
        """
SELECT contactmethod,
       row_number() OVER (ORDER BY contactmethod) AS usual,
       row_number() OVER (ORDER BY contactmethod DESC) AS descending,
       row_number() OVER (ORDER BY contactmethod NULLS FIRST) AS nulls_first
FROM (SELECT DISTINCT contactmethod FROM demand)
""",
    ),
    Statement(
        "count of distinct things up to a day, by their first day",
        """
SELECT day, sum(new_fans) OVER (ORDER BY day) AS fans_so_far
FROM (
  SELECT day, count(*) AS new_fans
  FROM (SELECT fanid, min(partition_date) AS day FROM demand GROUP BY fanid)
  GROUP BY day
)
""",
    ),
    Statement(
        "gaps between the dates of a table",
        """
SELECT day, next_day, date_diff('day', CAST(day AS date), CAST(next_day AS date)) AS days
FROM (
  SELECT partition_date AS day, lead(partition_date) OVER (ORDER BY partition_date) AS next_day
  FROM (SELECT DISTINCT partition_date FROM sale)
)
WHERE next_day IS NOT NULL
""",
    ),
    Statement(
        "an array collected over a window",
        """
SELECT day, array_agg(day) OVER (ORDER BY day ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS around
FROM (SELECT DISTINCT partition_date AS day FROM event)
""",
    ),
    Statement(
        "max_by over a window",
        """
SELECT DISTINCT eventid, max_by(requested, requested) OVER (PARTITION BY eventid) AS latest
FROM (SELECT eventid, requesteddatetime AS requested FROM demand)
""",
    ),
)
