"""Macros in DuckDB that behave as Trino does where DuckDB's own functions do not."""

from __future__ import annotations

from local.athena.sql.failing import failing_as


_WHITESPACE = "chr(32) || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"
_ISO = (
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)?)?"
    r"(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_ISO_PARTS = f"[regexp_extract(s, '{_ISO}', 1), regexp_extract(s, '{_ISO}', 2), regexp_extract(s, '{_ISO}', 3)]"
_STAMP = (
    r"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})(?: ([0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:\.[0-9]+)?)?))?"
    r"(?: ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})| ([A-Za-z_]+(?:/[A-Za-z_+-]+[0-9]*)*))?"
)

_URL = r"^(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$"
_URL_NAMES = "['s', 'a', 'p', 'q', 'f']"  # scheme, authority, path, query, fragment
# What Java's URI lets pass; of anything else the functions are NULL.
_URL_CHARACTER = r'(?:[^\s"<>\\^`{|}%#]|%[0-9a-fA-F]{2})'
_URL_CHARACTERS = f"{_URL_CHARACTER}*(?:#{_URL_CHARACTER}*)?"

_ZONED = "STRUCT(u TIMESTAMP, z VARCHAR)"


def _fail(name: str, message: str, duckdb_type: str = "INTEGER") -> str:
    return failing_as(name, message, duckdb_type)


def _invalid_format(duckdb_type: str) -> str:
    return _fail("INVALID_FUNCTION_ARGUMENT", "'Invalid format: \"' || s || '\"'", duckdb_type)


def _once(name: str, value: str, body: str) -> str:
    """An expression that names a value, so that it is computed once however often ``body`` uses it.

    A macro's parameter stands for an expression, which is copied to every place where it is used: macros that use
    theirs more than once, and are handed to one another, would grow without bound.
    """
    return f"list_transform([{value}], lambda {name}: {body})[1]"


def _sequence(step: str, distance: str, direction: str, element: str) -> str:
    """The list from ``span.a`` by ``span.s`` to ``span.b``: ``element`` is what lies ``place`` steps from its start."""
    places = f"range(trino_steps({distance}, {direction}, span.s) + 1)"
    body = f"list_transform({places}, lambda place: {element})"
    return _once("span", f"struct_pack(a := a, b := b, s := {step})", body)


# Trino's behaviour where DuckDB's differs. A macro's parameters stand for expressions.
MACROS = {
    "whitespace()": _WHITESPACE,
    "query_now()": "CAST(getvariable('query_now') AS TIMESTAMP)",
    # -------------------------------------------------------------------------------------------------- text
    "trino_substr(s, start)": (
        "CASE WHEN start = 0 OR abs(start) > length(s) THEN CASE WHEN s IS NULL OR start IS NULL THEN NULL ELSE '' END "
        "ELSE substring(s, start) END"
    ),
    "trino_substr_length(s, start, size)": (
        "CASE WHEN start = 0 OR size <= 0 OR abs(start) > length(s) "
        "THEN CASE WHEN s IS NULL OR start IS NULL OR size IS NULL THEN NULL ELSE '' END "
        "ELSE substring(s, start, size) END"
    ),
    "pad_length(s, size, p)": (
        "CASE WHEN s IS NULL OR size IS NULL OR p IS NULL THEN NULL WHEN size < 0 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Target length must be in the range [0..2147483647]'")
        + " WHEN p = '' THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Padding string must not be empty'")
        + " ELSE CAST(size AS INTEGER) END"
    ),
    "trino_split(s, d)": (
        "CASE WHEN s IS NULL THEN NULL WHEN d = '' THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'The delimiter may not be the empty string'", "VARCHAR[]")
        + " WHEN d IS NOT NULL THEN string_split(s, d) END"
    ),
    # Java has no capital for this letter when it goes through a text letter by letter.
    "java_upper(s)": "replace(upper(replace(s, 'ß', chr(1))), chr(1), 'ß')",
    "trino_split_part(s, d, n)": (
        "string_split(s, d)[CASE WHEN s IS NULL OR d IS NULL THEN NULL WHEN n < 1 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Index must be greater than zero'")
        + " ELSE n END]"
    ),
    "trino_codepoint(s)": (
        "CASE WHEN s IS NULL THEN NULL WHEN length(s) = 1 THEN unicode(s) ELSE "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Input string must be a single character string'")
        + " END"
    ),
    "trino_from_base64(s)": (
        "CASE WHEN s IS NULL THEN NULL ELSE coalesce(TRY(from_base64(s)), "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Illegal base64: ' || s", "BLOB")
        + ") END"
    ),
    "trino_from_utf8(b)": (
        "CASE WHEN b IS NULL THEN NULL ELSE coalesce(TRY(decode(b)), "
        + _fail("NOT_SUPPORTED", "'The local Athena does not replace what is no UTF-8'", "VARCHAR")
        + ") END"
    ),
    "trino_split_limited(s, d, n)": _once(
        "parts",
        "string_split(s, d)",
        "CASE WHEN n < 1 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'The limit must be greater than zero'", "VARCHAR[]")
        + " WHEN len(parts) <= n THEN parts ELSE list_append(parts[: n - 1], array_to_string(parts[n:], d)) END",
    ),
    "trino_strpos(s, part, n)": _once(
        "before",
        "string_split(s, part)[:n]",
        "CASE WHEN n < 1 THEN "
        + _fail("NOT_SUPPORTED", "'The local Athena finds the first, second, … instance'", "BIGINT")
        + " WHEN s IS NULL OR part IS NULL THEN NULL WHEN len(string_split(s, part)) <= n THEN 0 "
        "ELSE length(array_to_string(before, part)) + 1 END",
    ),
    # -------------------------------------------------------------------------------------------------- URLs
    "url_parts(s)": (
        f"CASE WHEN regexp_full_match(s, '{_URL_CHARACTERS}') THEN regexp_extract("
        # What has a scheme and then no slash has no other parts.
        f"CASE WHEN regexp_matches(s, '^[^:/?#]+:[^/]') THEN regexp_extract(s, '^[^:]*:') ELSE s END, "
        f"'{_URL}', {_URL_NAMES}) END"
    ),
    "java_url_encode(s)": "replace(replace(replace(url_encode(s), '%20', '+'), '%2A', '*'), '~', '%7E')",
    "url_part(s, name)": "url_parts(s)[name]",
    "url_address(s)": "regexp_replace(url_part(s, 'a'), '^[^@]*@', '')",
    "url_host(s)": "regexp_replace(url_address(s), ':[0-9]*$', '')",
    "url_port(s)": "TRY_CAST(nullif(regexp_extract(url_address(s), ':([0-9]*)$', 1), '') AS BIGINT)",
    "url_parameter(s, name)": (
        "list_transform(list_filter(list_transform(string_split(url_part(s, 'q'), '&'), "
        "lambda part: string_split(part, '=')), lambda part: part[1] = name), "
        "lambda part: url_decode(replace(coalesce(array_to_string(part[2:], '='), ''), '+', ' ')))[1]"
    ),
    # ------------------------------------------------------------------------------------------------- numbers
    "trino_sqrt(x)": "CASE WHEN x < 0 THEN CAST('NaN' AS DOUBLE) ELSE sqrt(x) END",
    "trino_ln(x)": (
        "CASE WHEN x < 0 THEN CAST('NaN' AS DOUBLE) WHEN x = 0 THEN CAST('-Infinity' AS DOUBLE) ELSE ln(x) END"
    ),
    "trino_log10(x)": (
        "CASE WHEN x < 0 THEN CAST('NaN' AS DOUBLE) WHEN x = 0 THEN CAST('-Infinity' AS DOUBLE) ELSE log10(x) END"
    ),
    # From the lower to the higher bound, and counted from the end when the bounds are the other way round.
    "bucket(x, low, high, n)": (
        "CASE WHEN x < low THEN 0 WHEN x > high THEN n + 1 "
        "ELSE CAST(floor(n * (x - low) / (high - low)) AS BIGINT) + 1 END"
    ),
    "trino_width_bucket(x, one, other, n)": (
        "CASE WHEN x IS NULL OR one IS NULL OR other IS NULL THEN NULL WHEN n <= 0 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'bucketCount must be greater than 0'", "BIGINT")
        + " WHEN one = other THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'bounds cannot equal each other'", "BIGINT")
        + " WHEN one < other THEN bucket(x, one, other, n) WHEN one > other THEN n - bucket(x, other, one, n) + 1 END"
    ),
    # DuckDB's text of a number is the shortest that reads back as the same; Trino and Java only write it differently.
    "number_whole(t)": "ltrim(split_part(split_part(t, 'e', 1), '.', 1), '0')",
    "number_fraction(t)": "split_part(split_part(t, 'e', 1), '.', 2)",
    "number_digits(t)": "coalesce(nullif(rtrim(ltrim(number_whole(t) || number_fraction(t), '0'), '0'), ''), '0')",
    "number_exponent(t)": (
        "coalesce(TRY_CAST(split_part(t, 'e', 2) AS INTEGER), 0) + CASE WHEN number_whole(t) <> '' "
        "THEN length(number_whole(t)) - 1 "
        "ELSE length(ltrim(number_fraction(t), '0')) - length(number_fraction(t)) - 1 END"
    ),
    "number_scientific(t)": (
        "CASE WHEN number_digits(t) = '0' THEN '0E0' ELSE "
        "left(number_digits(t), 1) || '.' || coalesce(nullif(substring(number_digits(t), 2), ''), '0') || 'E' || "
        "number_exponent(t) END"
    ),
    "number_plain(t)": (
        "CASE WHEN number_exponent(t) < 0 "
        "THEN '0.' || repeat('0', -(number_exponent(t)) - 1) || number_digits(t) "
        "ELSE rpad(number_digits(t), CAST(greatest(length(number_digits(t)), number_exponent(t) + 1) AS INTEGER), '0')"
        "[:number_exponent(t) + 1] || '.' || "
        "coalesce(nullif(substring(number_digits(t), number_exponent(t) + 2), ''), '0') END"
    ),
    "number_signed(x, t)": (
        "CASE WHEN x IS NULL THEN NULL WHEN isnan(x) THEN 'NaN' "
        "WHEN isinf(x) THEN CASE WHEN x < 0 THEN '-' ELSE '' END || 'Infinity' "
        "ELSE CASE WHEN signbit(x) THEN '-' ELSE '' END || t END"
    ),
    # DuckDB counts bytes, Trino characters: both are the same as long as every character is one byte.
    "trino_levenshtein(a, b)": (
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN strlen(a) + strlen(b) = length(a) + length(b) "
        "THEN levenshtein(a, b) ELSE "
        + _fail("NOT_SUPPORTED", "'The local Athena measures the distance of ASCII texts only: ' || a || ', ' || b")
        + " END"
    ),
    "trino_hamming(a, b)": (
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN a = '' AND b = '' THEN 0 "
        "WHEN strlen(a) + strlen(b) = length(a) + length(b) THEN hamming(a, b) ELSE "
        + _fail("NOT_SUPPORTED", "'The local Athena measures the distance of ASCII texts only: ' || a || ', ' || b")
        + " END"
    ),
    "trino_number_text(x)": "number_signed(x, number_scientific(CAST(abs(x) AS VARCHAR)))",
    "java_number_text(x)": (
        "number_signed(x, CASE WHEN x = 0 THEN '0.0' WHEN abs(x) >= 1e-3 AND abs(x) < 1e7 "
        "THEN number_plain(CAST(abs(x) AS VARCHAR)) ELSE number_scientific(CAST(abs(x) AS VARCHAR)) END)"
    ),
    "decimal_quotient(a, b, scale)": (
        "CASE WHEN a IS NULL THEN NULL WHEN b = 0 THEN "
        + _fail("DIVISION_BY_ZERO", "'Division by zero'")
        + " ELSE CAST(((abs(a) * 2 + abs(b)) // (abs(b) * 2)) * (CASE WHEN (a < 0) <> (b < 0) THEN -1 ELSE 1 END) "
        "AS DECIMAL(38, 0)) / CAST(pow(10, scale) AS DECIMAL(38, 0)) END"
    ),
    # ------------------------------------------------------------------------------------------------- dates
    "timestamp_text(t, digits)": (
        "strftime(t, '%Y-%m-%d %H:%M:%S') || CASE WHEN digits = 0 THEN '' ELSE '.' || "
        "left(rpad(strftime(t, '%f'), 12, '0'), digits) END"
    ),
    "zone_seconds(z)": (
        "CASE WHEN z IN ('UTC', 'Z') THEN 0 ELSE "
        "(CASE WHEN left(z, 1) = '-' THEN -1 ELSE 1 END) * "
        "(CAST(substring(z, 2, 2) AS INTEGER) * 3600 + "
        "CAST(coalesce(nullif(right(replace(substring(z, 4), ':', ''), 2), ''), '0') AS INTEGER) * 60) END"
    ),
    "is_offset(z)": "(z IN ('UTC', 'Z') OR regexp_matches(z, '^[+-]'))",
    "zoned_local_at(v, zone)": (
        "CASE WHEN is_offset(zone) THEN (v).u + to_seconds(zone_seconds(zone)) "
        "ELSE timezone(zone, timezone('UTC', (v).u)) END"
    ),
    "zoned_local(v)": _once("one", "v", "zoned_local_at(one, one.z)"),
    # An hour that a clock shows twice is, in Trino, the first one; in DuckDB, the second.
    "instant_of(t, zone)": _once(
        "instant",
        "timezone('UTC', timezone(zone, t))",
        "CASE WHEN timezone(zone, timezone('UTC', instant - to_hours(1))) = t THEN instant - to_hours(1) "
        "ELSE instant END",
    ),
    "zoned_from_local(t, zone)": _once(
        "local_time",
        "struct_pack(t := t, z := zone)",
        "CASE WHEN local_time.t IS NULL OR local_time.z IS NULL THEN NULL ELSE "
        "struct_pack(u := CASE WHEN is_offset(local_time.z) THEN local_time.t - to_seconds(zone_seconds(local_time.z)) "
        "ELSE instant_of(local_time.t, local_time.z) END, z := local_time.z) END",
    ),
    # A zone that does not exist fails where it is named.
    "known_zone(zone)": "CASE WHEN is_offset(zone) OR timezone(zone, TIMESTAMP '2000-01-01') IS NOT NULL THEN zone END",
    "zoned_at(v, zone)": (
        "CASE WHEN v IS NULL OR zone IS NULL THEN NULL ELSE struct_pack(u := (v).u, z := known_zone(zone)) END"
    ),
    "zoned_shifted(v, amount, calendar)": _once(
        "moment",
        "v",
        "CASE WHEN moment IS NULL THEN NULL "
        "WHEN calendar THEN zoned_from_local(zoned_local(moment) + amount, moment.z) "
        "ELSE struct_pack(u := moment.u + amount, z := moment.z) END",
    ),
    "zoned_truncated(unit, v)": _once(
        "moment", "v", "zoned_from_local(date_trunc(unit, zoned_local(moment)), moment.z)"
    ),
    "zoned_text(v, digits)": _once("moment", "v", "timestamp_text(zoned_local(moment), digits) || ' ' || moment.z"),
    "timestamp_iso(t, digits)": "replace(timestamp_text(t, digits), ' ', 'T')",
    "zone_minutes(v)": "((epoch_us(zoned_local(v)) - epoch_us((v).u)) // 60000000)",
    "zone_offset(v)": _once(
        "minutes",
        "zone_minutes(v)",
        "CASE WHEN minutes = 0 THEN 'Z' ELSE CASE WHEN minutes < 0 THEN '-' ELSE '+' END || "
        "lpad(CAST(abs(minutes) // 60 AS VARCHAR), 2, '0') || ':' || "
        "lpad(CAST(abs(minutes) % 60 AS VARCHAR), 2, '0') END",
    ),
    "zoned_iso(v, digits)": _once("moment", "v", "timestamp_iso(zoned_local(moment), digits) || zone_offset(moment)"),
    "unix_zoned(seconds, zone)": (
        "CASE WHEN seconds IS NULL OR zone IS NULL THEN NULL ELSE "
        "struct_pack(u := make_timestamp(CAST(round(seconds * 1000) AS BIGINT) * 1000), z := known_zone(zone)) END"
    ),
    "zoned_parts(day, clock, zone)": _once(
        "part",
        "struct_pack(day := day, clock := clock, zone := zone)",
        "zoned_from_local(TRY_CAST(part.day || ' ' || CASE WHEN part.clock = '' THEN '00:00' ELSE part.clock END || "
        "CASE WHEN length(part.clock) = 5 THEN ':00' WHEN part.clock = '' THEN ':00' ELSE '' END AS TIMESTAMP), "
        "CASE WHEN part.zone IN ('', 'Z', '+00:00', '-00:00', '+0000') THEN 'UTC' "
        "WHEN regexp_full_match(part.zone, '[+-][0-9]{2}') THEN part.zone || ':00' "
        "WHEN regexp_full_match(part.zone, '[+-][0-9]{4}') THEN left(part.zone, 3) || ':' || right(part.zone, 2) "
        "ELSE part.zone END)",
    ),
    "iso_matched(s, groups)": "zoned_parts(groups[1], left(replace(groups[2], ',', '.'), 12), groups[3])",
    "iso_zoned(s)": (
        "CASE WHEN s IS NULL THEN NULL ELSE "
        + _once(
            "moment",
            f"CASE WHEN regexp_full_match(s, '{_ISO}') THEN iso_matched(s, {_ISO_PARTS}) END",
            "CASE WHEN moment.u IS NOT NULL THEN moment ELSE " + _invalid_format(_ZONED) + " END",
        )
        + " END"
    ),
    "iso_date(s)": (
        "CASE WHEN s IS NULL THEN NULL WHEN regexp_full_match(s, '[0-9]{4}-[0-9]{2}-[0-9]{2}') "
        "AND TRY_CAST(s AS DATE) IS NOT NULL THEN TRY_CAST(s AS DATE) "
        "ELSE " + _invalid_format("DATE") + " END"
    ),
    "text_timestamp(s)": (
        "TRY_CAST(CASE WHEN regexp_full_match(s, '.* [0-9]{1,2}:[0-9]{1,2}') THEN s || ':00' ELSE s END AS TIMESTAMP)"
    ),
    "text_zoned(s)": (
        f"CASE WHEN regexp_full_match(s, '{_STAMP}') THEN zoned_parts(regexp_extract(s, '{_STAMP}', 1), "
        f"regexp_extract(s, '{_STAMP}', 2), regexp_extract(s, '{_STAMP}', 3) || regexp_extract(s, '{_STAMP}', 4)) END"
    ),
    "trino_parse_date(s, f)": (
        "CASE WHEN s IS NULL THEN NULL WHEN try_strptime(s, f) IS NOT NULL THEN try_strptime(s, f) "
        "ELSE " + _invalid_format("TIMESTAMP") + " END"
    ),
    # ------------------------------------------------------------------------------------------------- arrays
    "trino_subscript(a, i)": (
        "a[CASE WHEN a IS NULL THEN NULL WHEN i < 0 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Array subscript is negative: ' || i")
        + " WHEN i = 0 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'SQL array indices start at 1'")
        + " WHEN i > len(a) THEN "
        + _fail(
            "INVALID_FUNCTION_ARGUMENT",
            "'Array subscript must be less than or equal to array length: ' || i || ' > ' || len(a)",
        )
        + " ELSE i END]"
    ),
    "trino_map_subscript(m, k)": (
        "map_values(m)[CASE WHEN m IS NULL OR k IS NULL THEN NULL WHEN map_contains(m, k) "
        "THEN list_position(map_keys(m), k) ELSE "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Key not present in map: ' || k")
        + " END]"
    ),
    "trino_element_at(a, i)": (
        "a[CASE WHEN a IS NULL THEN NULL WHEN i = 0 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'SQL array indices start at 1'")
        + " ELSE i END]"
    ),
    "has_null(a)": "(len(list_filter(a, lambda x: x IS NULL)) > 0)",
    "trino_distinct(a)": "list_filter(a, lambda x, i: coalesce(list_position(a, x), i) = i)",
    "repeated_key(k)": "CAST(list_filter(k, lambda x, i: list_position(k, x) < i)[1] AS VARCHAR)",
    "trino_map(k, v)": (
        "CASE WHEN k IS NULL OR v IS NULL THEN NULL ELSE map(k[:CASE WHEN has_null(k) THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'map key cannot be null'")
        + " WHEN len(k) <> len(v) THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Key and value arrays must be the same length'")
        + " WHEN len(trino_distinct(k)) < len(k) THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Duplicate keys (' || repeated_key(k) || ') are not allowed'")
        + " ELSE len(k) END], v) END"
    ),
    "entry_parts(entry, d)": (
        "string_split(entry, CASE WHEN strpos(entry, d) = 0 THEN "
        + _fail(
            "INVALID_FUNCTION_ARGUMENT",
            "'Key-value delimiter must appear exactly once in each entry. Bad input: ' || entry",
            "VARCHAR",
        )
        + " ELSE d END)"
    ),
    "trino_split_to_map(s, d, kd)": _once(
        "entries",
        "list_transform(CASE WHEN s = '' THEN [] ELSE string_split(s, d) END, lambda entry: entry_parts(entry, kd))",
        "trino_map(list_transform(entries, lambda e: e[1]), list_transform(entries, lambda e: e[2]))",
    ),
    "pairs_of_map(m)": "list_transform(map_entries(m), lambda entry: struct_pack(p0 := entry.key, p1 := entry.value))",
    "joined_keys(a, b)": "trino_distinct(list_concat(map_keys(a), map_keys(b)))",
    "pairs_of_maps(a, b)": (
        "list_transform(joined_keys(a, b), lambda k: "
        "struct_pack(p0 := k, p1 := map_extract_value(a, k), p2 := map_extract_value(b, k)))"
    ),
    "pairs_of_lists(a, b)": "list_transform(list_zip(a, b), lambda pair: struct_pack(p0 := pair[1], p1 := pair[2]))",
    # What reduce folds: the state to begin with, and then an element at a time, all of one type.
    "reduced_pairs(a, s)": (
        "list_concat([struct_pack(p0 := s, p1 := a[1])], list_transform(a, lambda e: struct_pack(p0 := s, p1 := e)))"
    ),
    "trino_comparison(c)": (
        "CASE WHEN c IN (-1, 0, 1) THEN c ELSE "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Lambda comparator must return either -1, 0, or 1'")
        + " END"
    ),
    "trino_trim_array(a, n)": (
        "a[:CASE WHEN n < 0 OR n > len(a) THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'size must not exceed array cardinality ' || len(a) || ': ' || n")
        + " ELSE len(a) - n END]"
    ),
    "trino_contains_sequence(a, b)": ("len(b) = 0 OR len(list_filter(a, lambda x, i: a[i : i + len(b) - 1] = b)) > 0"),
    # Trino keeps the first value of a key, and leaves out entries without one.
    "trino_map_of_entries(entries)": _once(
        "keyed",
        "list_filter(entries, lambda entry: entry.k IS NOT NULL)",
        "map_from_entries(list_filter(keyed, lambda entry, place: "
        "list_position(list_transform(keyed, lambda other: other.k), entry.k) = place))",
    ),
    "trino_multimap_of_entries(entries)": _once(
        "keyed",
        "list_filter(entries, lambda entry: entry.k IS NOT NULL)",
        "map_from_entries(list_transform(trino_distinct(list_transform(keyed, lambda entry: entry.k)), lambda key: "
        "struct_pack(k := key, v := list_transform(list_filter(keyed, lambda entry: entry.k = key), "
        "lambda entry: entry.v))))",
    ),
    "trino_has(a, e)": "(CASE WHEN e IS NULL THEN has_null(a) ELSE list_contains(a, e) END)",
    "trino_contains(a, e)": (
        "CASE WHEN a IS NULL OR e IS NULL THEN NULL WHEN list_contains(a, e) THEN true "
        "WHEN has_null(a) THEN NULL ELSE false END"
    ),
    "trino_overlap(a, b)": (
        "CASE WHEN a IS NULL OR b IS NULL THEN NULL "
        "WHEN list_has_any(list_filter(a, lambda x: x IS NOT NULL), b) THEN true "
        "WHEN (has_null(a) OR has_null(b)) AND len(a) > 0 AND len(b) > 0 THEN NULL ELSE false END"
    ),
    "trino_array_position(a, e)": (
        "CASE WHEN a IS NULL OR e IS NULL THEN NULL ELSE coalesce(list_position(a, e), 0) END"
    ),
    "trino_array_max(a)": "CASE WHEN has_null(a) THEN NULL ELSE list_max(a) END",
    "trino_array_min(a)": "CASE WHEN has_null(a) THEN NULL ELSE list_min(a) END",
    "trino_concat_lists(a)": ("CASE WHEN has_null(a) THEN NULL ELSE flatten(a) END"),
    "slice_size(start, size)": (
        "CASE WHEN size < 0 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'length must be greater than or equal to 0'", "BIGINT")
        + " WHEN start = 0 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'SQL array indices start at 1'", "BIGINT")
        + " ELSE size END"
    ),
    "trino_slice(a, start, size)": (
        "CASE WHEN a IS NULL OR start IS NULL OR size IS NULL THEN NULL WHEN slice_size(start, size) = 0 THEN a[:0] "
        "WHEN start >= 0 THEN a[start : start + size - 1] "
        "WHEN len(a) + start < 0 THEN a[:0] ELSE a[len(a) + start + 1 : len(a) + start + size] END"
    ),
    "repeat_count(n)": (
        "CASE WHEN n < 0 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'count argument of repeat function must be greater than or equal to 0'")
        + " ELSE n END"
    ),
    # How often a step fits between two ends, and the refusal of what is no sequence.
    "trino_steps(distance, direction, step)": (
        "CASE WHEN step = 0 THEN "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'step must not be zero'", "BIGINT")
        + " WHEN sign(step) * direction < 0 THEN "
        + _fail(
            "INVALID_FUNCTION_ARGUMENT",
            "'sequence stop value should be greater than or equal to start value if step is greater than zero "
            "otherwise stop should be less than or equal to start'",
            "BIGINT",
        )
        + " WHEN distance // step >= 10000 THEN "
        + _fail(
            "INVALID_FUNCTION_ARGUMENT", "'result of sequence function must not have more than 10000 entries'", "BIGINT"
        )
        + " ELSE distance // step END"
    ),
    "trino_sequence_step(a, b, s)": _sequence(
        "s", "span.b - span.a", "span.b - span.a", "span.a + CAST(place * span.s AS BIGINT)"
    ),
    "trino_sequence(a, b)": "trino_sequence_step(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END)",
    "trino_days(a, b, s)": _sequence(
        "CASE WHEN s % 86400000 = 0 THEN s // 86400000 ELSE "
        + _fail(
            "INVALID_FUNCTION_ARGUMENT",
            "'sequence step must be a day interval if start and end values are dates'",
            "BIGINT",
        )
        + " END",
        "span.b - span.a",
        "span.b - span.a",
        "span.a + CAST(place * span.s AS INTEGER)",
    ),
    "trino_moments(a, b, s)": _sequence(
        "s * 1000",
        "epoch_us(span.b) - epoch_us(span.a)",
        "epoch_us(span.b) - epoch_us(span.a)",
        "span.a + to_microseconds(CAST(place * span.s AS BIGINT))",
    ),
    "trino_months(a, b, s)": _sequence(
        "s",
        "date_sub('month', span.a, span.b)",
        "epoch_us(span.b) - epoch_us(span.a)",
        "span.a + to_months(CAST(place * span.s AS INTEGER))",
    ),
    "trino_any(a)": (
        "CASE WHEN a IS NULL THEN NULL WHEN list_contains(a, true) THEN true WHEN has_null(a) THEN NULL ELSE false END"
    ),
    "trino_all(a)": (
        "CASE WHEN a IS NULL THEN NULL WHEN list_contains(a, false) THEN false WHEN has_null(a) THEN NULL ELSE true END"
    ),
    "single_value(a)": (
        "a[CASE WHEN len(a) > 1 THEN "
        + _fail("SUBQUERY_MULTIPLE_ROWS", "'Scalar sub-query has returned multiple rows'")
        + " ELSE 1 END]"
    ),
    # ------------------------------------------------------------------------------------------------- JSON
    "json_or_null(s)": "CASE WHEN json_valid(s) THEN CAST(s AS JSON) END",
    "trino_json_parse(s)": (
        "CASE WHEN s IS NULL THEN NULL WHEN json_valid(s) THEN json(s) ELSE "
        + _fail("INVALID_FUNCTION_ARGUMENT", "'Cannot convert value to JSON: ' || chr(39) || s || chr(39)", "JSON")
        + " END"
    ),
    "json_scalar(j)": "CASE WHEN json_type(j) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN json_extract_string(j, '$') END",
    "json_member(j, k)": "json_extract(j, '$.\"' || k || '\"')",
    "json_member_of(j, k)": ("json_member(j, list_filter(json_keys(j), lambda key: lower(key) = k)[1])"),
    "json_length_of(j)": "CASE WHEN json_type(j) = 'ARRAY' THEN json_array_length(j) END",
    "json_size_of(j)": (
        "CASE json_type(j) WHEN 'ARRAY' THEN json_array_length(j) WHEN 'OBJECT' THEN len(json_keys(j)) ELSE "
        "CASE WHEN j IS NULL THEN NULL ELSE 0 END END"
    ),
}
