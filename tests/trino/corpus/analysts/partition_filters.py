"""Which partitions analysts ask for: literals, ranges, functions of the date."""

from __future__ import annotations

from tests.trino.statements import Statement


def _where(name: str, condition: str) -> Statement:
    return Statement(
        name, f"SELECT partition_date, count(*) AS n FROM demand WHERE {condition} GROUP BY partition_date"
    )


STATEMENTS = (
    _where("one date", "partition_date = '2026-02-20'"),
    _where("a date that is not there", "partition_date = '2019-01-01'"),
    _where("a range", "partition_date BETWEEN '2026-02-20' AND '2026-02-25'"),
    _where("open to one side", "partition_date >= '2026-02-25'"),
    _where("a list", "partition_date IN ('2026-02-20', '2026-02-22', '2030-01-01')"),
    _where("all but one", "partition_date <> '2026-02-20' AND partition_date > '2026-02-18'"),
    _where("a prefix", "partition_date LIKE '2026-02-2%'"),
    _where("a month by substr", "substr(partition_date, 1, 7) = '2026-02'"),
    _where("a date as a date", "CAST(partition_date AS date) BETWEEN DATE '2026-02-20' AND DATE '2026-02-22'"),
    _where("a date as a date plus days", "date(partition_date) > DATE '2026-03-01' - INTERVAL '5' DAY"),
    _where("a weekday", "day_of_week(date(partition_date)) IN (6, 7)"),
    _where("a date parsed", "date_parse(partition_date, '%Y-%m-%d') >= TIMESTAMP '2026-02-25 00:00:00'"),
    _where("a date truncated", "date_trunc('month', date(partition_date)) = DATE '2026-02-01'"),
    _where("a regular expression", "regexp_like(partition_date, '-0[13]$')"),
    _where(
        "an OR of dates and a column",
        "partition_date = '2026-02-20' OR (partition_date = '2026-02-21' AND contactmethod = 'sms')",
    ),
    _where("a NOT", "NOT (partition_date < '2026-02-26' OR partition_date > '2026-02-28')"),
    _where(
        "an expression with a column of the files", "partition_date || coalesce(contactmethod, '') = '2026-02-20sms'"
    ),
    _where("a subquery", "partition_date IN (SELECT partition_date FROM sale)"),
    _where("a scalar subquery", "partition_date > (SELECT min(partition_date) FROM sale)"),
    _where("nothing", "false"),
    _where("NULL", "partition_date IS NULL OR partition_date = NULL"),
    _where("a text that is no date", "partition_date > 'x'"),
    _where("a try", "try(CAST(partition_date AS integer)) IS NULL AND partition_date > '2026-02-25'"),
    _where("compared to a date", "partition_date > DATE '2026-02-20'"),
    _where("compared to a number", "partition_date > 20260220"),
    _where("a CASE", "CASE WHEN partition_date < '2026-02-20' THEN false ELSE partition_date < '2026-02-23' END"),
    _where("concatenated", "concat(partition_date, '!') = '2026-02-20!'"),
    _where("a year that is to be cast", "CAST(split_part(partition_date, '-', 1) AS integer) = 2025"),
    Statement(
        "a filter outside of the subquery",
        "SELECT count(*) AS n FROM (SELECT partition_date AS day, fanid FROM demand) WHERE day = '2026-02-20'",
    ),
    Statement(
        "a filter of both sides of a join",
        """
SELECT d.partition_date, count(*) AS n FROM demand d JOIN notification n ON n.partition_date = d.partition_date
  AND n.eventid = d.eventid
WHERE d.partition_date = '2026-02-20' GROUP BY 1
""",
    ),
)
