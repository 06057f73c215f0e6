"""What analysts calculate: shares, rounding, decimals, casts, conditions."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement(
        "a share of integers is an integer",
        """
SELECT count_if(isdeleted) / count(*) AS whole, count_if(isdeleted) * 1.0 / count(*) AS one,
       100 * count_if(isdeleted) / count(*) AS percent
FROM demand
""",
    ),
    Statement(
        "shares as doubles and decimals",
        """
SELECT contactmethod, CAST(count_if(isdeleted) AS double) / count(*) AS d,
       round(CAST(count_if(isdeleted) AS double) / count(*), 3) AS r,
       CAST(count_if(isdeleted) AS decimal(18, 4)) / count(*) AS e,
       count_if(isdeleted) / CAST(count(*) AS real) AS f
FROM demand
GROUP BY contactmethod
""",
    ),
    Statement(
        "decimals of every operator",
        """
SELECT p + 1 AS a, p - 0.005 AS s, p * p AS m, p / 3 AS d, p % 7 AS r, -p AS n, round(p, 1) AS o, round(p) AS w,
       ceil(p) AS c, floor(p) AS f, abs(-p) AS b
FROM (SELECT CAST(i.width AS decimal(10, 2)) / 100 AS p FROM event CROSS JOIN UNNEST(images) AS i
  WHERE partition_date > '2026-03-04')
""",
    ),
    Statement(
        "decimals rounded to even or up",
        """
SELECT round(2.5) AS a, round(3.5) AS b, round(-2.5) AS c, round(1.005, 2) AS d, round(2.5e0) AS e,
       CAST(2.5 AS integer) AS f, CAST(1.15 AS decimal(2, 1)) AS g
""",
    ),
    Statement(
        "large decimals",
        "SELECT 12345678901234567890.12 * 1000.5 AS b, DECIMAL '0.1' + DECIMAL '0.20' AS c",
    ),
    Statement("a decimal that does not fit", "SELECT CAST(1000 AS decimal(3, 1))"),
    Statement("an integer that does not fit", "SELECT CAST(count(*) * 1000000 AS integer) FROM demand"),
    Statement("a product that does not fit", "SELECT i.width * 10000000 FROM event CROSS JOIN UNNEST(images) AS i"),
    Statement("division by zero", "SELECT count(*) / count_if(contactmethod = 'none') FROM demand"),
    Statement(
        "division by zero, guarded",
        "SELECT count(*) / nullif(count_if(contactmethod = 'none'), 0) AS n FROM demand",
    ),
    Statement(
        "division of doubles by zero",
        "SELECT CAST(count(*) AS double) / 0 AS i, -1e0 / 0 AS m, 0e0 / 0 AS n FROM demand",
    ),
    Statement("remainders", "SELECT 7 % -3 AS a, -7 % 3 AS b, mod(-7, 3) AS c, 7.5 % 2 AS d, 7.5e0 % 2 AS e"),
    Statement(
        "functions of numbers",
        """
SELECT n, sqrt(n) AS s, ln(n) AS l, log10(n) AS t, log(2, n) AS b, power(n, 2) AS p, exp(n / 100e0) AS e,
       cbrt(n) AS c, sign(n) AS g, greatest(n, 5) AS x, least(n, 5) AS y, width_bucket(n, 0, 100, 10) AS w
FROM (SELECT DISTINCT n FROM (SELECT count(*) AS n FROM demand GROUP BY eventid))
""",
    ),
    Statement(
        "trigonometry",
        "SELECT degrees(pi()) AS d, sin(radians(30)) AS s, cos(0) AS c, atan2(1, 1) AS a, e() AS e, tan(0.5) AS t",
    ),
    Statement(
        "distances between venues and the first",
        """
SELECT DISTINCT v.name, round(6371 * acos(least(1e0, sin(radians(v.location.latitude)) * sin(radians(36.16))
       + cos(radians(v.location.latitude)) * cos(radians(36.16)) * cos(radians(v.location.longitude + 86.78)))),
         3) AS km
FROM event CROSS JOIN UNNEST(venues) AS v
WHERE v.location.latitude IS NOT NULL
""",
    ),
    Statement(
        "bits",
        """
SELECT bitwise_and(12, 10) AS a, bitwise_or(12, 10) AS o, bitwise_xor(12, 10) AS x, bitwise_not(5) AS n
""",
    ),
    Statement(
        "casts of texts",
        """
SELECT try_cast(split_part(eventid, '-', 2) AS integer) AS i, try_cast(eventid AS double) AS d,
  CAST(split_part(eventid, '-', 2) AS bigint) AS b,
       try(CAST(eventid AS bigint)) AS t
FROM demand WHERE partition_date = '2026-03-01'
""",
    ),
    Statement(
        "casts to text",
        """
SELECT CAST(1.50 AS varchar) AS d, CAST(1e0 AS varchar) AS f, CAST(12345678.9e0 AS varchar) AS g,
       CAST(1e-5 AS varchar) AS h, CAST(true AS varchar) AS b, CAST(REAL '1.1' AS varchar) AS r
""",
    ),
    Statement("a text that is no number", "SELECT CAST(eventid AS bigint) FROM demand"),
    Statement("a fan cast to a date", "SELECT CAST(fanid AS date) FROM demand"),
    Statement("a text that is no moment", "SELECT CAST(salestartdatetime AS timestamp) FROM sale"),
    Statement("a text that is no ISO-8601", "SELECT from_iso8601_timestamp(fanid) FROM demand"),
    Statement(
        "conditions",
        """
SELECT DISTINCT CASE contactmethod WHEN 'sms' THEN 1 WHEN 'email' THEN 2 END AS simple,
       CASE WHEN contactmethod IS NULL THEN 'none' WHEN demandtype = 'invite' THEN 'i' ELSE 'r' END AS searched,
       if(contactmethod = 'sms', 's') AS i, coalesce(contactmethod, demandtype, '-') AS c,
       nullif(contactmethod, 'sms') AS n
FROM demand
""",
    ),
    Statement(
        "branches of different types",
        """
SELECT CASE WHEN isdeleted THEN 1 ELSE 2.50 END AS d, coalesce(1, 2e0) AS c, if(true, 1, BIGINT '2') AS i,
       greatest(1, 2.5) AS g
FROM sale
""",
    ),
    Statement(
        "three-valued logic",
        """
SELECT isdeleted, isdeleted AND false AS a, isdeleted OR true AS o, NOT isdeleted AS n, isdeleted IS NULL AS u,
       isdeleted = NULL AS e, isdeleted IS DISTINCT FROM true AS d, count(*) AS c
FROM sale
GROUP BY isdeleted
""",
    ),
    Statement(
        "types of literals",
        r"""
SELECT 1 AS i, 2147483648 AS b, 1.0 AS d, 1e0 AS f, 'x' AS v, NULL AS n, X'41' AS x, true AS t,
       DATE '2026-03-01' AS y
""",
    ),
    Statement(
        "small integers",
        """
SELECT CAST(1 AS tinyint) + CAST(1 AS smallint) AS s, CAST(1 AS tinyint) AS t, SMALLINT '7' / 2 AS h,
       abs(TINYINT '-7') AS a
""",
    ),
    Statement(
        "NaN and infinity",
        """
SELECT is_nan(0e0 / 0) AS n, infinity() > 1 AS i, is_finite(1e0) AS f, greatest(1e0, 2e0) AS g
""",
    ),
    Statement(
        "truncate",
        """
SELECT truncate(1.29, 1) AS d, truncate(-1.9) AS w, truncate(1.9e0) AS f
""",
    ),
    Statement(
        "numbers to other bases",
        """
SELECT to_base(255, 16) AS h, from_base('ff', 16) AS v
""",
    ),
    Statement(
        "bits counted",
        """
SELECT bit_count(7, 64) AS n
""",
    ),
    Statement(
        "a literal with too many digits",
        """
SELECT 99999999999999999999999999999999999999
""",
    ),
    Statement(
        "a decimal literal of 38 digits",
        """
SELECT DECIMAL '99999999999999999999999999999999999999' AS d, 1234567890123456789.0 AS e
""",
    ),
    Statement(
        "try around an aggregate",
        """
SELECT try(count(*) / 0) AS t FROM demand
""",
    ),
    Statement(
        "a literal of a time",
        """
SELECT TIME '10:00:00' AS c
""",
    ),
    Statement(
        "NaN is not equal to itself",
        """
SELECT nan() = nan() AS e, nan() <> nan() AS n
""",
    ),
    Statement(
        "bits shifted",
        """
SELECT bitwise_left_shift(1, 4) AS l, bitwise_right_shift(16, 2) AS r
""",
    ),
)
