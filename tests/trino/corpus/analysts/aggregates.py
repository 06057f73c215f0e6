"""What analysts count and sum: groups, sets of groups, approximations, maps and arrays of groups."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement("rows of a table", "SELECT count(*) FROM demand"),
    Statement(
        "counts of what is there",
        """
SELECT count(*) AS n, count(email) AS emails, count(DISTINCT fanid) AS fans, count(DISTINCT contactmethod) AS methods,
       count_if(isdeleted) AS deleted, count(*) FILTER (WHERE demandtype = 'invite') AS invites
FROM demand
""",
    ),
    Statement(
        "removals left out",
        """
SELECT eventid, count(*) AS requests FROM demand WHERE NOT coalesce(isdeleted, false) GROUP BY eventid
""",
    ),
    Statement(
        "a plain isdeleted = false leaves out rows that do not say",
        """
SELECT isdeleted, isdeleted = false AS plain, NOT coalesce(isdeleted, false) AS whole, count(*) AS n
FROM demand
GROUP BY isdeleted
""",
    ),
    Statement(
        "groups with more than a few",
        """
SELECT eventid, count(*) AS n, count(DISTINCT fanid) AS fans
FROM demand
GROUP BY eventid
HAVING count(*) > 5 AND count(DISTINCT fanid) > 3
""",
    ),
    Statement("grouping by position", "SELECT contactmethod, demandtype, count(*) FROM demand GROUP BY 1, 2"),
    Statement(
        "grouping by an expression",
        """
SELECT substr(partition_date, 1, 7) AS month, count(*) AS n FROM demand GROUP BY substr(partition_date, 1, 7)
""",
    ),
    Statement(
        "an alias cannot be grouped by",
        """
SELECT substr(partition_date, 1, 7) AS month, count(*) AS n FROM demand GROUP BY month
""",
    ),
    Statement(
        "GROUPING SETS",
        """
SELECT contactmethod, demandtype, count(*) AS n, grouping(contactmethod, demandtype) AS g
FROM demand
GROUP BY GROUPING SETS ((contactmethod, demandtype), (contactmethod), (demandtype), ())
""",
    ),
    Statement(
        "ROLLUP with grouping",
        """
SELECT partition_date, statusid, count(*) AS n, grouping(partition_date) AS g, grouping(statusid) AS h
FROM notification
GROUP BY ROLLUP (partition_date, statusid)
""",
    ),
    Statement(
        "CUBE",
        """
SELECT contactmethod, demandtype, isdeleted, count(*) AS n
FROM demand
GROUP BY CUBE (contactmethod, demandtype, isdeleted)
""",
    ),
    Statement(
        "a plain group beside a rollup",
        """
SELECT statusid, contactmethod, partition_date, count(*) AS n
FROM notification
WHERE partition_date > '2026-02-20'
GROUP BY statusid, ROLLUP (contactmethod, partition_date)
""",
    ),
    Statement(
        "ROLLUP with HAVING on grouping",
        """
SELECT contactmethod, count(*) AS n FROM demand GROUP BY ROLLUP (contactmethod) HAVING grouping(contactmethod) = 1
""",
    ),
    Statement("grouping by nothing", "SELECT count(*) AS n FROM demand WHERE false GROUP BY ()"),
    Statement(
        "aggregates of nothing",
        "SELECT count(*), sum(1), max(fanid), avg(1.5), array_agg(fanid) FROM demand WHERE false",
    ),
    Statement(
        "approximate counts",
        """
SELECT approx_distinct(fanid) AS fans, approx_distinct(eventid) AS shows, approx_distinct(fanid, 0.01) AS close
FROM demand
""",
        0.1,
    ),
    Statement(
        "approximate counts by day",
        """
SELECT partition_date, approx_distinct(fanid) AS fans FROM notification GROUP BY partition_date
""",
        0.1,
    ),
    Statement(
        "approximate percentiles",
        """
SELECT approx_percentile(requests, 0.5) AS half, approx_percentile(requests, 0.95) AS most
FROM (SELECT eventid, count(*) AS requests FROM demand GROUP BY eventid)
""",
        0.1,
    ),
    Statement(
        "several approximate percentiles at once",
        """
SELECT approx_percentile(pixels, ARRAY[0.1, 0.75]) AS low_and_high
FROM (SELECT CAST(i.width * i.height AS double) AS pixels FROM event CROSS JOIN UNNEST(images) AS i)
""",
        0.1,
    ),
    Statement(
        "weighted percentiles",
        """
SELECT approx_percentile(length(fanid), requests, 0.5) AS half
FROM (SELECT fanid, count(*) AS requests FROM demand GROUP BY fanid)
""",
        0.1,
    ),
    Statement(
        "the most frequent",
        """
SELECT approx_most_frequent(3, statusid, 100) AS frequent FROM notification WHERE statusid IS NOT NULL
""",
        0.1,
    ),
    Statement(
        "sums and averages of numbers of every type",
        """
SELECT sum(w) AS si, avg(w) AS ai, sum(CAST(w AS double)) AS sd, avg(CAST(w AS decimal(10, 2))) AS ad,
       sum(CAST(w AS decimal(10, 2))) AS sdec, sum(CAST(w AS real)) AS sr, avg(CAST(w AS real)) AS ar
FROM (SELECT i.width AS w FROM event CROSS JOIN UNNEST(images) AS i)
""",
    ),
    Statement(
        "minimum and maximum of everything",
        """
SELECT min(d.date.requested) AS a, max(from_iso8601_timestamp(d.date.requested)) AS b, min(isdeleted) AS c,
       max(reference) AS d, max(date(partition_date)) AS e
FROM demand d
""",
    ),
    Statement(
        "min_by and max_by",
        """
SELECT eventid, max_by(id, salestartdatetime || id) AS last_sale,
       min_by(salestartdatetime, salestartdatetime) AS first_start
FROM sale
GROUP BY eventid
""",
    ),
    Statement(
        "the three latest of each show",
        """
SELECT eventid, max(salestartdatetime, 3) AS latest, min_by(id, salestartdatetime || id, 2) AS first_two
FROM sale
GROUP BY eventid
""",
    ),
    Statement(
        "arrays of groups in order",
        """
SELECT eventid, array_agg(fanid ORDER BY fanid, statusid DESC) AS fans FROM notification GROUP BY eventid
""",
    ),
    Statement(
        "arrays of distinct values in order",
        """
SELECT eventid, array_agg(DISTINCT statusid ORDER BY statusid) AS stations FROM notification GROUP BY eventid
""",
    ),
    Statement(
        "arrays of groups sorted afterwards",
        """
SELECT eventid, array_sort(array_agg(DISTINCT contactmethod)) AS methods FROM demand GROUP BY eventid
""",
    ),
    Statement(
        "arrays of groups with a filter",
        """
SELECT eventid, array_agg(contactmethod ORDER BY contactmethod) FILTER (WHERE contactmethod IS NOT NULL) AS methods
FROM demand
GROUP BY eventid
""",
    ),
    Statement(
        "texts of groups joined",
        """
SELECT eventid, listagg(kind, ', ') WITHIN GROUP (ORDER BY kind) AS kinds
FROM (SELECT DISTINCT eventid, kind FROM sale CROSS JOIN UNNEST(saletypes) AS t(kind))
GROUP BY eventid
""",
    ),
    Statement(
        "texts of groups joined by array_join",
        """
SELECT eventid, array_join(array_sort(array_agg(DISTINCT name)), ' | ', 'no name') AS names FROM sale GROUP BY eventid
""",
    ),
    Statement("histogram", "SELECT histogram(statusid) AS counts FROM notification"),
    Statement(
        "histogram by day",
        """
SELECT partition_date, histogram(coalesce(contactmethod, 'none')) AS methods FROM demand GROUP BY partition_date
""",
    ),
    Statement(
        "map_agg",
        """
SELECT contactmethod, map_agg(demandtype, n) AS counts
FROM (SELECT contactmethod, demandtype, count(*) AS n FROM demand WHERE demandtype IS NOT NULL GROUP BY 1, 2)
GROUP BY contactmethod
""",
    ),
    Statement(
        "multimap_agg",
        """
SELECT transform_values(multimap_agg(type, name), (k, v) -> cardinality(v)) AS names
FROM (SELECT a.type, a.name FROM event CROSS JOIN UNNEST(attractions) AS a)
""",
    ),
    Statement(
        "map_union",
        """
SELECT map_keys(map_union(m)) AS keys FROM (SELECT MAP(ARRAY['n'], ARRAY[count(*)]) AS m FROM demand GROUP BY eventid)
""",
    ),
    Statement(
        "bool_and, bool_or, every",
        """
SELECT eventid, bool_and(coalesce(isdeleted, false)) AS all_gone, bool_or(isdeleted) AS some_gone,
       every(isdeleted) AS every_gone
FROM sale
GROUP BY eventid
""",
    ),
    Statement(
        "spread of numbers",
        """
SELECT stddev(n) AS s, stddev_pop(n) AS sp, variance(n) AS v, var_pop(n) AS vp,
       geometric_mean(n) AS g
FROM (SELECT eventid, count(*) AS n FROM demand GROUP BY eventid)
""",
    ),
    Statement(
        "how two numbers go together",
        """
SELECT corr(w, h) AS c, covar_pop(w, h) AS cp, covar_samp(w, h) AS cs, regr_slope(h, w) AS slope,
       regr_intercept(h + 10, w) AS i
FROM (SELECT CAST(i.width AS double) AS w, CAST(i.height AS double) AS h FROM event CROSS JOIN UNNEST(images) AS i)
""",
    ),
    Statement(
        "checksum",
        """
SELECT checksum(fanid) = checksum(fanid) AS same FROM demand
""",
    ),
    Statement(
        "any value of a group that has one",
        """
SELECT eventid, arbitrary(eventid) AS one FROM demand GROUP BY eventid
""",
    ),
    Statement(
        "reduce_agg",
        """
SELECT contactmethod, reduce_agg(1, 0, (a, b) -> a + b, (a, b) -> a + b) AS n FROM demand GROUP BY contactmethod
""",
    ),
    Statement(
        "distinct rows of several columns",
        """
SELECT DISTINCT contactmethod, demandtype FROM demand
""",
    ),
    Statement(
        "distinct of two columns counted",
        """
SELECT count(*) AS pairs FROM (SELECT DISTINCT fanid, eventid FROM demand)
""",
    ),
    Statement(
        "distinct of a row counted",
        """
SELECT count(DISTINCT (fanid, eventid)) AS pairs FROM demand
""",
    ),
    Statement(
        "a pivot by CASE",
        """
SELECT partition_date,
       sum(CASE WHEN statusid = 'SENT' THEN 1 ELSE 0 END) AS sent,
       sum(CASE WHEN statusid = 'FAILED' THEN 1 ELSE 0 END) AS failed,
       CAST(sum(CASE WHEN statusid = 'FAILED' THEN 1 ELSE 0 END) AS double) / count(*) AS share
FROM notification
GROUP BY partition_date
""",
    ),
    Statement(
        "numeric_histogram",
        """
SELECT numeric_histogram(3, n) AS h FROM (SELECT DISTINCT CAST(i.width AS double) AS n FROM event CROSS
  JOIN UNNEST(images) AS i)
""",
        0.001,
    ),
    Statement(
        "an aggregate of an aggregate by a subquery",
        """
SELECT avg(n) AS usual, max(n) AS most FROM (SELECT count(*) AS n FROM demand GROUP BY fanid)
""",
    ),
    Statement(
        "filters on several aggregates",
        """
SELECT partition_date, count(DISTINCT fanid) FILTER (WHERE contactmethod = 'sms') AS by_sms,
       max(fanid) FILTER (WHERE contactmethod = 'none') AS nobody
FROM demand
GROUP BY partition_date
""",
    ),
    Statement(
        "any_value",
        """
SELECT eventid, any_value(eventid) AS one FROM demand GROUP BY eventid
""",
    ),
    Statement(
        "skewness and kurtosis",
        """
SELECT skewness(n) AS sk, kurtosis(n) AS k FROM (SELECT count(*) AS n FROM demand GROUP BY eventid)
""",
    ),
    Statement(
        "several approximate percentiles of many numbers",
        """
SELECT approx_percentile(n, ARRAY[0.25, 0.5, 0.75]) AS quartiles
FROM (SELECT length(fanid) + date_diff('day', DATE '2020-01-01', date(partition_date)) AS n FROM demand)
""",
        0.1,
    ),
    Statement(
        "arrays of groups in the order of another column",
        """
SELECT eventid, array_agg(fanid ORDER BY requesteddatetime DESC, fanid) AS fans
FROM (SELECT DISTINCT eventid, fanid, requesteddatetime FROM demand)
GROUP BY eventid
""",
    ),
)
