"""What analysts do with the ISO-8601 texts and partition dates of the tables."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement(
        "requests by the hour of the day, UTC",
        """
SELECT extract(HOUR FROM from_iso8601_timestamp(d.date.requested)) AS hour, count(*) AS requests
FROM demand d
GROUP BY 1
""",
    ),
    Statement(
        "requests by the local hour in New York",
        """
SELECT hour(at_timezone(from_iso8601_timestamp(d.date.requested), 'America/New_York')) AS hour, count(*) AS requests
FROM demand d
GROUP BY 1
""",
    ),
    Statement(
        "moments in another zone",
        """
SELECT id, from_iso8601_timestamp(salestartdatetime) AT TIME ZONE 'Europe/Berlin' AS berlin,
       at_timezone(from_iso8601_timestamp(salestartdatetime), '+05:30') AS mumbai
FROM sale
WHERE partition_date >= '2026-03-05'
""",
    ),
    Statement(
        "requests by day of the week",
        """
SELECT day_of_week(CAST(partition_date AS date)) AS weekday,
       date_format(CAST(partition_date AS timestamp), '%W') AS name, count(*) AS requests
FROM demand
GROUP BY 1, 2
""",
    ),
    Statement(
        "requests by week, month, quarter and year",
        """
SELECT date_trunc('week', day) AS week, date_trunc('month', day) AS month, date_trunc('quarter', day) AS quarter,
       date_trunc('year', day) AS year, count(*) AS requests
FROM (SELECT CAST(partition_date AS date) AS day FROM demand)
GROUP BY 1, 2, 3, 4
""",
    ),
    Statement(
        "parts of dates",
        """
SELECT DISTINCT day, year(day) AS y, quarter(day) AS q, month(day) AS m, week(day) AS w, year_of_week(day) AS yw,
       day(day) AS d, day_of_year(day) AS doy, day_of_week(day) AS dow, last_day_of_month(day) AS last_day
FROM (SELECT date(partition_date) AS day FROM event)
""",
    ),
    Statement(
        "parts of moments",
        """
SELECT t, year(t) AS y, month(t) AS m, day(t) AS d, hour(t) AS h, minute(t) AS mi, second(t) AS s, millisecond(t) AS ms
FROM (SELECT from_iso8601_timestamp(salestartdatetime) AS t FROM sale WHERE partition_date < '2026-02-28')
""",
    ),
    Statement(
        "extract in all its spellings",
        """
SELECT DISTINCT extract(YEAR FROM t) AS y, extract(MONTH FROM t) AS m, extract(DAY FROM t) AS d,
       extract(DOW FROM t) AS dow, extract(DOY FROM t) AS doy, extract(WEEK FROM t) AS w, extract(QUARTER FROM t) AS q,
       extract(DAY_OF_WEEK FROM t) AS dow2
FROM (SELECT from_iso8601_timestamp(salestartdatetime) AS t FROM sale)
""",
    ),
    Statement(
        "minutes between a notification and its last change",
        """
SELECT statusid,
       min(date_diff('minute', from_iso8601_timestamp(n.date.created),
         from_iso8601_timestamp(n.date.updated))) AS least,
       max(date_diff('minute', from_iso8601_timestamp(n.date.created),
         from_iso8601_timestamp(n.date.updated))) AS most
FROM notification n
WHERE n.date.updated IS NOT NULL
GROUP BY statusid
""",
    ),
    Statement(
        "how long a sale lasts",
        """
SELECT id, from_iso8601_timestamp(saleenddatetime) - from_iso8601_timestamp(salestartdatetime) AS lasts
FROM sale
WHERE saleenddatetime IS NOT NULL
""",
    ),
    Statement(
        "differences in every unit",
        """
SELECT DISTINCT day, date_diff('day', DATE '2026-01-31', day) AS days,
       date_diff('week', DATE '2026-01-31', day) AS weeks, date_diff('month', DATE '2026-01-31', day) AS months,
       date_diff('quarter', DATE '2026-01-31', day) AS quarters,
       date_diff('year', DATE '2025-03-01', day) AS years
FROM (SELECT CAST(partition_date AS date) AS day FROM demand)
""",
    ),
    Statement(
        "differences of moments in every unit",
        """
SELECT date_diff('millisecond', s, e) AS ms, date_diff('second', s, e) AS seconds, date_diff('hour', s, e) AS hours,
       date_diff('day', s, e) AS days, date_diff('month', s, e) AS months
FROM (
  SELECT from_iso8601_timestamp(salestartdatetime) AS s, from_iso8601_timestamp(saleenddatetime) AS e FROM sale
)
WHERE e IS NOT NULL
""",
    ),
    Statement(
        "dates added to",
        """
SELECT DISTINCT date_add('month', 1, day) AS m, date_add('year', -1, day) AS y, date_add('quarter', 2, day) AS q,
       day + INTERVAL '10' DAY AS d, day - INTERVAL '1' MONTH AS before, day + INTERVAL '1-2' YEAR TO MONTH AS ym
FROM (SELECT CAST(partition_date AS date) AS day FROM demand)
""",
    ),
    Statement(
        "moments added to",
        """
SELECT date_add('minute', 90, t) AS a, t + INTERVAL '1' HOUR AS b,
       date_add('millisecond', -1, t) AS d, t + INTERVAL '1' MONTH AS e
FROM (SELECT from_iso8601_timestamp(salestartdatetime) AS t FROM sale WHERE partition_date > '2026-03-04')
""",
    ),
    Statement(
        "a text parsed by MySQL's pattern",
        """
SELECT DISTINCT date_parse(partition_date, '%Y-%m-%d') AS t,
       date_parse(partition_date || ' 23:59', '%Y-%m-%d %H:%i') AS e
FROM demand
""",
    ),
    Statement(
        "a text parsed by Joda's pattern",
        """
SELECT parse_datetime(salestartdatetime, 'yyyy-MM-dd''T''HH:mm:ss.SSS''Z''') AS t
FROM sale
WHERE length(salestartdatetime) = 24
""",
    ),
    Statement(
        "a text parsed by Joda's pattern with a zone",
        """
SELECT parse_datetime(partition_date || ' +0200', 'yyyy-MM-dd Z') AS t FROM (SELECT DISTINCT partition_date FROM sale)
""",
    ),
    Statement(
        "moments written by Joda's pattern",
        """
SELECT format_datetime(from_iso8601_timestamp(salestartdatetime), 'EEE, d MMM yyyy HH:mm:ss') AS text,
       format_datetime(from_iso8601_timestamp(salestartdatetime), 'yyyyMMdd''T''HHmm') AS short,
       format_datetime(from_iso8601_timestamp(salestartdatetime), 'hh:mm a') AS clock
FROM sale
WHERE partition_date > '2026-03-03'
""",
    ),
    Statement(
        "moments written by MySQL's pattern",
        """
SELECT date_format(from_iso8601_timestamp(salestartdatetime), '%Y/%m/%d %h:%i:%s %p') AS text,
       date_format(from_iso8601_timestamp(salestartdatetime), '%a %b %e %T.%f') AS other,
       date_format(from_iso8601_timestamp(salestartdatetime), '%j, %v of %x, %y') AS week
FROM sale
WHERE partition_date > '2026-03-03'
""",
    ),
    Statement(
        "a pattern that a column holds",
        """
SELECT date_format(CAST(partition_date AS timestamp), f) AS text
FROM (SELECT DISTINCT partition_date FROM sale) CROSS JOIN (VALUES '%Y', '%m.%d') AS t(f)
""",
    ),
    Statement(
        "ISO-8601 written again",
        """
SELECT to_iso8601(from_iso8601_timestamp(salestartdatetime)) AS moment, to_iso8601(CAST(partition_date AS date)) AS day,
       to_iso8601(CAST(partition_date AS timestamp)) AS midnight
FROM sale
WHERE partition_date > '2026-03-03'
""",
    ),
    Statement(
        "seconds since 1970 and back",
        """
SELECT to_unixtime(from_iso8601_timestamp(salestartdatetime)) AS seconds,
       from_unixtime(to_unixtime(from_iso8601_timestamp(salestartdatetime))) AS moment,
       from_unixtime(floor(to_unixtime(from_iso8601_timestamp(salestartdatetime)) / 3600) * 3600) AS hour
FROM sale
WHERE partition_date > '2026-03-03'
""",
    ),
    Statement(
        "casts between dates and moments",
        """
SELECT CAST(t AS date) AS day, CAST(t AS timestamp) AS plain, CAST(t AS varchar) AS text,
       CAST(CAST(t AS date) AS timestamp) AS midnight
FROM (SELECT from_iso8601_timestamp(salestartdatetime) AS t FROM sale WHERE partition_date > '2026-03-03')
""",
    ),
    Statement(
        "the business date is the UTC date of the stamp",
        """
SELECT count(*) AS n,
       count_if(CAST(from_iso8601_timestamp(d.date.requested) AS date) = date(partition_date)) AS agreeing
FROM demand d
""",
    ),
    Statement(
        "moments to the millisecond",
        """
SELECT d.date.requested, from_iso8601_timestamp(d.date.requested) AS moment
FROM demand d
WHERE d.date.requested LIKE '%1Z'
""",
    ),
    Statement(
        "from_iso8601_timestamp_nanos keeps all digits",
        """
SELECT d.date.requested, from_iso8601_timestamp_nanos(d.date.requested) AS moment
FROM demand d
WHERE d.date.requested LIKE '%1Z'
""",
    ),
    Statement(
        "requests before a moment",
        """
SELECT count(*) AS n
FROM demand d
WHERE from_iso8601_timestamp(d.date.requested) < TIMESTAMP '2026-02-25 12:00:00 UTC'
  AND from_iso8601_timestamp(d.date.requested) >= TIMESTAMP '2026-02-24 12:00:00'
""",
    ),
    Statement(
        "a moment between two days",
        """
SELECT count(*) AS n
FROM notification n
WHERE date(from_iso8601_timestamp(n.date.created)) BETWEEN DATE '2026-02-20' AND DATE '2026-02-24'
""",
    ),
    Statement(
        "the day of a moment in local time",
        """
SELECT DISTINCT eventdate.start.localdate AS told,
       CAST(at_timezone(from_iso8601_timestamp(eventdate.start.datetime), 'America/Los_Angeles') AS date) AS in_la
FROM event
WHERE eventdate.start.datetime IS NOT NULL
""",
    ),
    Statement(
        "the hour in which most is asked",
        """
SELECT date_trunc('hour', from_iso8601_timestamp(d.date.requested)) AS hour, count(*) AS n
FROM demand d
GROUP BY 1
HAVING count(*) > 40
""",
    ),
    Statement(
        "lengths of time for people",
        """
SELECT DISTINCT human_readable_seconds(date_diff('day', from_iso8601_timestamp(salestartdatetime),
                                                 from_iso8601_timestamp(saleenddatetime)) * 86400) AS lasts
FROM sale
WHERE saleenddatetime IS NOT NULL
""",
    ),
    Statement(
        "intervals compared, added and averaged",
        """
SELECT max(lasts) AS longest, min(lasts) AS shortest, count_if(lasts > INTERVAL '20' DAY) AS long_ones,
       max(lasts) + INTERVAL '1' DAY AS longer, sum(lasts) AS altogether
FROM (
  SELECT from_iso8601_timestamp(saleenddatetime) - from_iso8601_timestamp(salestartdatetime) AS lasts
  FROM sale
  WHERE saleenddatetime IS NOT NULL
)
""",
    ),
    Statement(
        "a zone's name and its offset",
        """
SELECT DISTINCT timezone_hour(at_timezone(t, 'Asia/Kolkata')) AS hours,
       timezone_minute(at_timezone(t, 'Asia/Kolkata')) AS minutes
FROM (SELECT from_iso8601_timestamp(salestartdatetime) AS t FROM sale)
""",
    ),
    Statement(
        "a zone added to a moment without one",
        """
SELECT DISTINCT with_timezone(CAST(partition_date AS timestamp), 'America/Chicago') AS midnight,
       at_timezone(with_timezone(CAST(partition_date AS timestamp), 'America/Chicago'), 'UTC') AS utc
FROM sale
""",
    ),
    Statement(
        "the hour that the clocks skip",
        """
SELECT at_timezone(TIMESTAMP '2026-03-08 07:30:00 UTC', 'America/New_York') AS after,
       TIMESTAMP '2026-03-08 06:59:59 UTC' AT TIME ZONE 'America/New_York' AS before,
       TIMESTAMP '2026-11-01 01:30:00 America/New_York' AS twice
""",
    ),
    Statement(
        "two moments in two zones are one moment",
        """
SELECT count(DISTINCT t) AS moments
FROM (VALUES TIMESTAMP '2026-03-01 12:00:00 UTC', TIMESTAMP '2026-03-01 13:00:00 +01:00') AS v(t)
""",
    ),
    Statement(
        "an interval of days and minutes",
        """
SELECT DISTINCT CAST(partition_date AS timestamp) - INTERVAL '2 03:04' DAY TO MINUTE AS before FROM sale
""",
    ),
    Statement(
        "years of weeks",
        """
SELECT DISTINCT extract(YEAR_OF_WEEK FROM t) AS yow, yow(t) AS short, week_of_year(t) AS w
FROM (SELECT from_iso8601_timestamp(salestartdatetime) AS t FROM sale)
""",
    ),
    Statement(
        "moments written with their offset",
        """
SELECT format_datetime(at_timezone(from_iso8601_timestamp(salestartdatetime), 'Asia/Kolkata'),
  'yyyy-MM-dd HH:mm ZZ') AS text
FROM sale
WHERE partition_date > '2026-03-03'
""",
    ),
    Statement(
        "the average of intervals",
        """
SELECT avg(from_iso8601_timestamp(saleenddatetime) - from_iso8601_timestamp(salestartdatetime)) AS usual FROM sale
""",
    ),
    Statement(
        "durations parsed",
        """
SELECT parse_duration('1.5h') AS a, parse_duration('90s') AS b
""",
    ),
    Statement(
        "the time of day",
        """
SELECT CAST(from_iso8601_timestamp(salestartdatetime) AS time) AS clock FROM sale WHERE partition_date > '2026-03-03'
""",
    ),
    Statement(
        "moments rounded to seconds",
        """
SELECT CAST(from_iso8601_timestamp(salestartdatetime) AS timestamp(0)) AS seconds FROM sale
  WHERE partition_date > '2026-03-03'
""",
    ),
    Statement(
        "groups of moments in several zones",
        """
SELECT at_timezone(t, 'UTC') AS utc, count(*) AS n
FROM (VALUES TIMESTAMP '2026-03-01 12:00:00.000 UTC', TIMESTAMP '2026-03-01 13:00:00.000 +01:00') AS v(t)
GROUP BY t
""",
    ),
    Statement(
        "weekdays by Joda's pattern",
        """
SELECT DISTINCT format_datetime(CAST(partition_date AS timestamp), 'e EEEE') AS weekday FROM sale
""",
    ),
)
