"""What analysts do with texts: parts, patterns, regular expressions, hashes."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement(
        "parts of a key",
        """
SELECT reference.id, split(reference.id, '_') AS parts, split_part(reference.id, '_', 2) AS sale,
       split_part(reference.id, '_', 9) AS none
FROM demand
WHERE partition_date = '2026-03-01'
""",
    ),
    Statement(
        "places and lengths",
        """
SELECT DISTINCT eventname, length(eventname) AS n, strpos(eventname, ',') AS comma,
       position('night' IN eventname) AS night, substr(eventname, 1, 7) AS head,
       substring(eventname, -3) AS tail, substring(eventname FROM 3 FOR 4) AS mid
FROM demand
""",
    ),
    Statement(
        "cases, padding and trimming",
        """
SELECT DISTINCT upper(salename) AS u, lower(salename) AS l, lpad(salename, 12, '.') AS lp, rpad(salename, 4, '.') AS rp,
       trim(BOTH 'P' FROM salename) AS t, ltrim('  ' || salename) AS lt, reverse(salename) AS r
FROM demand
""",
    ),
    Statement(
        "LIKE, with and without an escape",
        """
SELECT count_if(reference.id LIKE '%sale-1%') AS a, count_if(reference.id LIKE 'event-1__\\_%' ESCAPE '\\') AS b,
       count_if(email LIKE '%@fans.example.com') AS c, count_if(email NOT LIKE '%@%') AS d
FROM demand
""",
    ),
    Statement(
        "concatenation with NULL",
        """
SELECT DISTINCT salename || '!' AS operator, concat('<', salename, '>') AS function,
       concat_ws(', ', salename, NULL, 'x') AS joined
FROM notification
""",
    ),
    Statement(
        "numbers within keys",
        r"""
SELECT eventid, CAST(regexp_extract(eventid, '\d+') AS integer) AS number FROM demand
  WHERE partition_date = '2026-03-01'
""",
    ),
    Statement(
        "regular expressions",
        r"""
SELECT DISTINCT eventname, regexp_like(eventname, 'night [1-5]$') AS early,
       regexp_extract(eventname, 'night (\d+)', 1) AS night, regexp_replace(eventname, '[aeiou]', '_') AS vowels,
       regexp_extract_all(eventname, '[A-Z]') AS capitals, regexp_split(eventname, ',\s*') AS parts,
       regexp_count(eventname, 'e') AS es
FROM demand
""",
    ),
    Statement(
        "a regular expression with groups put in another order",
        """
SELECT DISTINCT regexp_replace(partition_date, '(\\d+)-(\\d+)-(\\d+)', '$3.$2.$1') AS day FROM sale
""",
    ),
    Statement(
        "a regular expression replaced by a lambda",
        """
SELECT DISTINCT regexp_replace(lower(salename), '(\\w)(\\w*)', x -> upper(x[1]) || x[2]) AS title FROM notification
""",
    ),
    Statement(
        "a regular expression that looks ahead",
        """
SELECT count(*) AS n FROM demand WHERE regexp_like(fanid, '^fan-(?!1)\\d+')
""",
    ),
    Statement(
        "a regular expression that ignores case",
        """
SELECT DISTINCT salename FROM notification WHERE regexp_like(salename, '(?i)^PUBLIC')
""",
    ),
    Statement(
        "fans without a telephone",
        """
SELECT coalesce(nullif(phonenumber, '[redacted]'), 'none') = 'none' AS none, count(*) AS n FROM demand GROUP BY 1
""",
    ),
    Statement(
        "hashes of personal data",
        """
SELECT to_hex(sha256(to_utf8(email))) AS sha, to_hex(md5(to_utf8(fanid))) AS md,
  lower(to_hex(sha1(to_utf8(fanid)))) AS s1,
       to_base64(to_utf8(fanid)) AS b
FROM demand
WHERE partition_date = '2026-03-01'
""",
    ),
    Statement(
        "translate, replace and starts_with",
        """
SELECT DISTINCT translate(salename, 'Pl', 'pL') AS t, replace(salename, 'sale') AS r, replace(salename, ' ', '_') AS u,
       starts_with(salename, 'Pre') AS pre
FROM demand
""",
    ),
    Statement(
        "characters",
        """
SELECT DISTINCT codepoint(CAST(substr(salename, 1, 1) AS varchar(1))) AS code, chr(65) AS a,
       levenshtein_distance(salename, 'Presale') AS d, hamming_distance(substr(salename, 1, 1), 'P') AS h
FROM demand
WHERE salename IS NOT NULL
""",
    ),
    Statement(
        "texts with accents",
        """
SELECT length('Zoë') AS n, upper('straße') AS u, reverse('aéb') AS r, substr('naïve', 3, 1) AS i,
       length(to_utf8('é')) AS bytes
""",
    ),
    Statement(
        "a map out of a text",
        """
SELECT split_to_map('a=1;b=2', ';', '=') AS m, split('a--b', '-', 2) AS limited,
       url_extract_host('https://www.example.com/x?y=1') AS host
""",
    ),
    Statement(
        "parts of the events' addresses",
        """
SELECT DISTINCT url_extract_host(url) AS host, url_extract_path(url) AS path, url_extract_protocol(url) AS protocol
FROM event
WHERE partition_date > '2026-03-04'
""",
    ),
    Statement(
        "format",
        """
SELECT format('%s has %d, %.2f%%, %05d', eventid, n, CAST(n AS double) / 7, n) AS text
FROM (SELECT eventid, count(*) AS n FROM demand GROUP BY eventid)
""",
    ),
    Statement(
        "texts ordered and compared",
        """
SELECT count_if(fanid < 'fan-5') AS a, count_if(fanid BETWEEN 'fan-2' AND 'fan-3') AS b, greatest('a', 'b') AS g,
       least('B', 'a') AS l
FROM demand
""",
    ),
    Statement(
        "char and varchar",
        """
SELECT CAST('ab' AS char(4)) = 'ab' AS padded, length(CAST('ab' AS char(4))) AS n, CAST('abc' AS varchar(2)) AS cut
""",
    ),
    Statement(
        "typeof",
        """
SELECT DISTINCT typeof(reference) AS r, typeof(partition_date) AS p, typeof(saletypes) AS s, typeof('x') AS x
  FROM sale
""",
    ),
    Statement(
        "texts repeated are a list",
        """
SELECT translate('abc', 'ab', '') AS t, repeat('x', 3) AS r
""",
    ),
    Statement(
        "the place of a regular expression",
        """
SELECT DISTINCT regexp_position(eventname, 'n') AS first FROM demand
""",
    ),
    Statement(
        "hashes of other kinds",
        """
SELECT xxhash64(to_utf8(fanid)) AS xx, crc32(to_utf8(fanid)) AS crc FROM demand WHERE partition_date = '2026-03-01'
""",
    ),
    Statement(
        "soundex and word_stem",
        """
SELECT soundex('Presale') AS s, word_stem('running') AS w
""",
    ),
    Statement(
        "normalised characters",
        r"""
SELECT normalize(U&'e\0301', NFC) = 'é' AS same
""",
    ),
    Statement(
        "a map of lists out of a text",
        """
SELECT split_to_multimap('a=1;a=2', ';', '=') AS m
""",
    ),
    Statement(
        "a literal with escapes",
        r"""
SELECT U&'\00e9' AS u
""",
    ),
)
