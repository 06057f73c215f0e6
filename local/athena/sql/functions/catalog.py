"""Trino's scalar functions and their DuckDB equivalents, as data.

Only what is listed here (or in ``special``) runs. Where DuckDB's function of the same name behaves differently, the
template spells out what Trino does. Names beginning with ``trino_``, ``json_`` … that are not DuckDB's are macros of
``local.athena.sql.macros``.
"""

# ruff: noqa: E501 - one signature a line, however long

from __future__ import annotations

from local.athena.sql.functions.signatures import parse_signatures


_TEXT = r"""
# ------------------------------------------------------------------------------------------------------------- text
lower(varchar(x)) -> varchar(x): lower({0})
upper(varchar(x)) -> varchar(x): java_upper({0})
length(varchar) -> bigint: length({0})
length(varbinary) -> bigint: octet_length({0})
reverse(varchar(x)) -> varchar(x): reverse({0})
reverse(array(T)) -> array(T): list_reverse({0})
trim(varchar(x)) -> varchar(x): trim({0}, whitespace())
ltrim(varchar(x)) -> varchar(x): ltrim({0}, whitespace())
rtrim(varchar(x)) -> varchar(x): rtrim({0}, whitespace())
trim(varchar(x), varchar) -> varchar(x): trim({0}, {1})
ltrim(varchar(x), varchar) -> varchar(x): ltrim({0}, {1})
rtrim(varchar(x), varchar) -> varchar(x): rtrim({0}, {1})
lpad(varchar, bigint, varchar) -> varchar: lpad({0}, pad_length({0}, {1}, {2}), {2})
rpad(varchar, bigint, varchar) -> varchar: rpad({0}, pad_length({0}, {1}, {2}), {2})
replace(varchar(x), varchar) -> varchar(x): replace({0}, {1}, '')
translate(varchar, varchar, varchar) -> varchar: translate({0}, {1}, {2})
split(varchar(x), varchar) -> array(varchar(x)): trino_split({0}, {1})
split(varchar(x), varchar, bigint) -> array(varchar(x)): trino_split_limited({0}, {1}, {2})
split_to_map(varchar, varchar, varchar) -> map(varchar, varchar): trino_split_to_map({0}, {1}, {2})
split_part(varchar(x), varchar, bigint) -> varchar(x): trino_split_part({0}, {1}, {2})
strpos(varchar, varchar) -> bigint: instr({0}, {1})
strpos(varchar, varchar, bigint) -> bigint: trino_strpos({0}, {1}, {2})
starts_with(varchar, varchar) -> boolean: starts_with({0}, {1})
substr(varchar(x), bigint) -> varchar(x): trino_substr({0}, {1})
substr(varchar(x), bigint, bigint) -> varchar(x): trino_substr_length({0}, {1}, {2})
substring(varchar(x), bigint) -> varchar(x): trino_substr({0}, {1})
substring(varchar(x), bigint, bigint) -> varchar(x): trino_substr_length({0}, {1}, {2})
chr(bigint) -> varchar(1): chr(CAST({0} AS INTEGER))
concat(array(T), array(T)...) -> array(T): trino_concat_lists([{*}])
concat_ws(varchar, varchar, varchar...) -> varchar: concat_ws({*})
levenshtein_distance(varchar, varchar) -> bigint: trino_levenshtein({0}, {1})
hamming_distance(varchar, varchar) -> bigint: trino_hamming({0}, {1})
regexp_like(varchar, varchar) -> boolean: regexp_matches({0}, {1})
regexp_count(varchar, varchar) -> bigint: len(regexp_extract_all({0}, {1}))
regexp_extract(varchar(x), varchar) -> varchar(x): regexp_extract_all({0}, {1})[1]
regexp_extract_all(varchar(x), varchar) -> array(varchar(x)): regexp_extract_all({0}, {1})
regexp_split(varchar(x), varchar) -> array(varchar(x)): CASE WHEN {1} IS NOT NULL THEN regexp_split_to_array({0}, {1}) END
normalize(varchar) -> varchar: nfc_normalize({0})
regexp_replace(varchar, varchar, function(array(varchar), varchar)) -> varchar: !
to_utf8(varchar) -> varbinary: encode({0})
from_utf8(varbinary) -> varchar: trino_from_utf8({0})
to_hex(varbinary) -> varchar: hex({0})
from_hex(varchar) -> varbinary: unhex({0})
to_base64(varbinary) -> varchar: to_base64({0})
from_base64(varchar) -> varbinary: trino_from_base64({0})
md5(varbinary) -> varbinary: unhex(md5({0}))
sha1(varbinary) -> varbinary: unhex(sha1({0}))
sha256(varbinary) -> varbinary: unhex(sha256({0}))
to_base(bigint, bigint) -> varchar(64): CASE WHEN {0} < 0 THEN '-' ELSE '' END || lower(to_base(abs({0}), CAST({1} AS INTEGER)))

# ------------------------------------------------------------------------------------------------------------- URLs
url_extract_protocol(varchar(x)) -> varchar(x): url_part({0}, 's')
url_extract_host(varchar(x)) -> varchar(x): url_host({0})
url_extract_port(varchar) -> bigint: url_port({0})
url_extract_path(varchar(x)) -> varchar(x): url_decode(url_part({0}, 'p'))
url_extract_query(varchar(x)) -> varchar(x): url_decode(url_part({0}, 'q'))
url_extract_fragment(varchar(x)) -> varchar(x): url_decode(url_part({0}, 'f'))
url_extract_parameter(varchar(x), varchar) -> varchar(x): url_parameter({0}, {1})
url_decode(varchar(x)) -> varchar(x): url_decode(replace({0}, '+', ' '))

# ------------------------------------------------------------------------------------------------------------- numbers
sqrt(double) -> double: trino_sqrt({0})
cbrt(double) -> double: cbrt({0})
exp(double) -> double: exp({0})
ln(double) -> double: trino_ln({0})
log2(double) -> double: (trino_ln({0}) / ln(2))
log10(double) -> double: trino_log10({0})
log(double, double) -> double: (trino_ln({1}) / trino_ln({0}))
power(double, double) -> double: pow({0}, {1})
pow(double, double) -> double: pow({0}, {1})
sin(double) -> double: sin({0})
cos(double) -> double: cos({0})
tan(double) -> double: tan({0})
asin(double) -> double: asin({0})
acos(double) -> double: acos({0})
atan(double) -> double: atan({0})
atan2(double, double) -> double: atan2({0}, {1})
sinh(double) -> double: sinh({0})
cosh(double) -> double: cosh({0})
tanh(double) -> double: tanh({0})
degrees(double) -> double: degrees({0})
radians(double) -> double: radians({0})
pi() -> double: pi()
e() -> double: exp(1)
nan() -> double: CAST('NaN' AS DOUBLE)
infinity() -> double: CAST('Infinity' AS DOUBLE)
is_nan(double) -> boolean: isnan({0})
is_finite(double) -> boolean: isfinite({0})
is_infinite(double) -> boolean: isinf({0})
abs(tinyint) -> tinyint: abs({0})
abs(smallint) -> smallint: abs({0})
abs(integer) -> integer: abs({0})
abs(bigint) -> bigint: abs({0})
abs(real) -> real: abs({0})
abs(double) -> double: abs({0})
sign(integer) -> integer: sign({0})
sign(bigint) -> bigint: sign({0})
sign(double) -> double: CAST(sign({0}) AS DOUBLE)
floor(integer) -> integer: {0}
floor(bigint) -> bigint: {0}
floor(double) -> double: floor({0})
ceil(integer) -> integer: {0}
ceil(bigint) -> bigint: {0}
ceil(double) -> double: ceil({0})
ceiling(integer) -> integer: {0}
ceiling(bigint) -> bigint: {0}
ceiling(double) -> double: ceil({0})
round(integer) -> integer: {0}
round(bigint) -> bigint: {0}
round(double) -> double: round({0})
round(double, integer) -> double: round({0}, {1})
truncate(double) -> double: trunc({0})
bitwise_and(bigint, bigint) -> bigint: ({0} & {1})
bitwise_or(bigint, bigint) -> bigint: ({0} | {1})
bitwise_xor(bigint, bigint) -> bigint: xor({0}, {1})
bitwise_not(bigint) -> bigint: (~{0})
width_bucket(double, double, double, bigint) -> bigint: trino_width_bucket({0}, {1}, {2}, {3})

# ------------------------------------------------------------------------------------------------------------- dates
date(varchar) -> date: {0:cast}
date(date) -> date: {0}
date(timestamp) -> date: CAST({0} AS DATE)
date(timestamp with time zone) -> date: CAST(zoned_local({0}) AS DATE)
from_iso8601_date(varchar) -> date: iso_date({0})
from_iso8601_timestamp(varchar) -> timestamp(3) with time zone: iso_zoned({0})
from_unixtime(double) -> timestamp(3) with time zone: unix_zoned({0}, 'UTC')
from_unixtime(double, varchar) -> timestamp(3) with time zone: unix_zoned({0}, {1})
to_unixtime(timestamp) -> double: (epoch_us({0}) / 1e6)
to_unixtime(timestamp with time zone) -> double: (epoch_us(({0}).u) / 1e6)
at_timezone(timestamp(p) with time zone, varchar) -> timestamp(p) with time zone: zoned_at({0}, {1})
with_timezone(timestamp(p), varchar) -> timestamp(p) with time zone: zoned_from_local({0}, {1})
year(date) -> bigint: year({0})
year(timestamp) -> bigint: year({0})
year(timestamp with time zone) -> bigint: year(zoned_local({0}))
quarter(date) -> bigint: quarter({0})
quarter(timestamp) -> bigint: quarter({0})
quarter(timestamp with time zone) -> bigint: quarter(zoned_local({0}))
month(date) -> bigint: month({0})
month(timestamp) -> bigint: month({0})
month(timestamp with time zone) -> bigint: month(zoned_local({0}))
week(date) -> bigint: weekofyear({0})
week(timestamp) -> bigint: weekofyear({0})
week(timestamp with time zone) -> bigint: weekofyear(zoned_local({0}))
week_of_year(date) -> bigint: weekofyear({0})
week_of_year(timestamp) -> bigint: weekofyear({0})
week_of_year(timestamp with time zone) -> bigint: weekofyear(zoned_local({0}))
year_of_week(date) -> bigint: isoyear({0})
year_of_week(timestamp) -> bigint: isoyear({0})
year_of_week(timestamp with time zone) -> bigint: isoyear(zoned_local({0}))
yow(date) -> bigint: isoyear({0})
yow(timestamp) -> bigint: isoyear({0})
yow(timestamp with time zone) -> bigint: isoyear(zoned_local({0}))
day(date) -> bigint: day({0})
day(timestamp) -> bigint: day({0})
day(timestamp with time zone) -> bigint: day(zoned_local({0}))
day_of_month(date) -> bigint: day({0})
day_of_month(timestamp) -> bigint: day({0})
day_of_month(timestamp with time zone) -> bigint: day(zoned_local({0}))
day_of_week(date) -> bigint: isodow({0})
day_of_week(timestamp) -> bigint: isodow({0})
day_of_week(timestamp with time zone) -> bigint: isodow(zoned_local({0}))
dow(date) -> bigint: isodow({0})
dow(timestamp) -> bigint: isodow({0})
dow(timestamp with time zone) -> bigint: isodow(zoned_local({0}))
day_of_year(date) -> bigint: dayofyear({0})
day_of_year(timestamp) -> bigint: dayofyear({0})
day_of_year(timestamp with time zone) -> bigint: dayofyear(zoned_local({0}))
doy(date) -> bigint: dayofyear({0})
doy(timestamp) -> bigint: dayofyear({0})
doy(timestamp with time zone) -> bigint: dayofyear(zoned_local({0}))
hour(timestamp) -> bigint: hour({0})
hour(timestamp with time zone) -> bigint: hour(zoned_local({0}))
minute(timestamp) -> bigint: minute({0})
minute(timestamp with time zone) -> bigint: minute(zoned_local({0}))
second(timestamp) -> bigint: second({0})
second(timestamp with time zone) -> bigint: second(zoned_local({0}))
millisecond(timestamp) -> bigint: (millisecond({0}) % 1000)
millisecond(timestamp with time zone) -> bigint: (millisecond(zoned_local({0})) % 1000)
last_day_of_month(date) -> date: last_day({0})
last_day_of_month(timestamp) -> date: last_day({0})
last_day_of_month(timestamp with time zone) -> date: last_day(zoned_local({0}))
timezone_hour(timestamp with time zone) -> bigint: trunc(zone_minutes({0}) / 60)
timezone_minute(timestamp with time zone) -> bigint: fmod(zone_minutes({0}), 60)
current_timezone() -> varchar: 'UTC'
to_milliseconds(interval day to second) -> bigint: {0}

# ------------------------------------------------------------------------------------------------------------- JSON
json_parse(varchar) -> json: trino_json_parse({0})
json_format(json) -> varchar: CAST({0} AS VARCHAR)
json_extract(json, varchar) -> json: json_extract({0}, {1:path})
json_extract(varchar, varchar) -> json: json_extract(json_or_null({0}), {1:path})
json_extract_scalar(json, varchar) -> varchar: json_scalar(json_extract({0}, {1:path}))
json_extract_scalar(varchar(x), varchar) -> varchar(x): json_scalar(json_extract(json_or_null({0}), {1:path}))
json_array_length(json) -> bigint: json_length_of({0})
json_array_length(varchar) -> bigint: json_length_of(json_or_null({0}))
json_size(json, varchar) -> bigint: json_size_of(json_extract({0}, {1:path}))
json_size(varchar, varchar) -> bigint: json_size_of(json_extract(json_or_null({0}), {1:path}))
json_array_get(json, bigint) -> json: !
json_array_get(varchar, bigint) -> json: !
is_json_scalar(json) -> boolean: (json_type({0}) NOT IN ('OBJECT', 'ARRAY'))
is_json_scalar(varchar) -> boolean: (json_type(trino_json_parse({0})) NOT IN ('OBJECT', 'ARRAY'))

# ------------------------------------------------------------------------------------------------------------- arrays
cardinality(array(T)) -> bigint: len({0})
cardinality(map(K, V)) -> bigint: CAST(cardinality({0}) AS BIGINT)
contains(array(T), T) -> boolean: trino_contains({0}, {1})
element_at(array(T), bigint) -> T: trino_element_at({0}, {1})
element_at(map(K, V), K) -> V: map_extract_value({0}, {1})
array_distinct(array(T)) -> array(T): trino_distinct({0})
array_max(array(T)) -> T: trino_array_max({0})
array_min(array(T)) -> T: trino_array_min({0})
array_sort(array(T)) -> array(T): list_sort({0}, 'ASC', 'NULLS LAST')
array_position(array(T), T) -> bigint: trino_array_position({0}, {1})
array_remove(array(T), T) -> array(T): CASE WHEN {1} IS NOT NULL THEN list_filter({0}, lambda e: e IS NULL OR e <> {1}) END
array_intersect(array(T), array(T)) -> array(T): CASE WHEN {1} IS NOT NULL THEN trino_distinct(list_filter({0}, lambda e: trino_has({1}, e))) END
array_except(array(T), array(T)) -> array(T): CASE WHEN {1} IS NOT NULL THEN trino_distinct(list_filter({0}, lambda e: NOT trino_has({1}, e))) END
array_union(array(T), array(T)) -> array(T): trino_distinct(trino_concat_lists([{0}, {1}]))
arrays_overlap(array(T), array(T)) -> boolean: trino_overlap({0}, {1})
array_join(array(T), varchar) -> varchar: CASE WHEN {1} IS NOT NULL THEN array_to_string(list_filter({0:text}, lambda e: e IS NOT NULL), {1}) END
array_join(array(T), varchar, varchar) -> varchar: CASE WHEN {1} IS NOT NULL AND {2} IS NOT NULL THEN array_to_string(list_transform({0:text}, lambda e: coalesce(e, {2})), {1}) END
flatten(array(array(T))) -> array(T): flatten({0})
trim_array(array(T), bigint) -> array(T): trino_trim_array({0}, {1})
contains_sequence(array(T), array(T)) -> boolean: trino_contains_sequence({0}, {1})
slice(array(T), bigint, bigint) -> array(T): trino_slice({0}, {1}, {2})
sequence(bigint, bigint) -> array(bigint): trino_sequence({0}, {1})
sequence(bigint, bigint, bigint) -> array(bigint): trino_sequence_step({0}, {1}, {2})
sequence(date, date) -> array(date): trino_days({0}, {1}, CASE WHEN {0} <= {1} THEN 86400000 ELSE -86400000 END)
sequence(date, date, interval day to second) -> array(date): trino_days({0}, {1}, {2})
sequence(date, date, interval year to month) -> array(date): list_transform(trino_months({0}, {1}, {2}), lambda e: CAST(e AS DATE))
repeat(T, integer) -> array(T): list_transform(range(repeat_count({1})), lambda e: {0})
map(array(K), array(V)) -> map(K, V): trino_map({0}, {1})
map_keys(map(K, V)) -> array(K): map_keys({0})
map_values(map(K, V)) -> array(V): map_values({0})
map_from_entries(array(row(K, V))) -> map(K, V): trino_map(list_transform({0}, lambda e: e.f0), list_transform({0}, lambda e: e.f1))
map_entries(map(K, V)) -> array(row(K, V)): list_transform(map_entries({0}), lambda e: struct_pack(f0 := e.key, f1 := e.value))
map_concat(map(K, V), map(K, V)...) -> map(K, V): CASE WHEN NOT has_null([{*}]) THEN map_concat({*}) END
zip(array(T), array(U), array(V)) -> array(row(T, U, V)): list_transform(list_zip({0}, {1}, {2}), lambda e: struct_pack(f0 := e[1], f1 := e[2], f2 := e[3]))
zip(array(T), array(U)) -> array(row(T, U)): CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN list_transform(list_zip({0}, {1}), lambda e: struct_pack(f0 := e[1], f1 := e[2])) END

# ------------------------------------------------------------------------------------------------------------- lambdas
transform(array(T), function(T, R)) -> array(R): list_transform({0}, lambda {1})
filter(array(T), function(T, boolean)) -> array(T): list_filter({0}, lambda {1})
any_match(array(T), function(T, boolean)) -> boolean: trino_any(list_transform({0}, lambda {1}))
all_match(array(T), function(T, boolean)) -> boolean: trino_all(list_transform({0}, lambda {1}))
none_match(array(T), function(T, boolean)) -> boolean: (NOT trino_any(list_transform({0}, lambda {1})))
zip_with(array(T), array(U), function(T, U, R)) -> array(R): list_transform(pairs_of_lists({0}, {1}), lambda {2})
reduce(array(T), S, function(S, T, S), function(S, R)) -> R: list_transform([list_reduce(reduced_pairs({0}, {1}), lambda a, e: struct_pack(p0 := list_transform([struct_pack(p0 := a.p0, p1 := e.p1)], lambda {2})[1], p1 := e.p1)).p0], lambda {3})[CASE WHEN {0} IS NOT NULL THEN 1 END]
array_sort(array(T), function(T, T, integer)) -> array(T): list_transform(list_sort(list_transform({0}, lambda one, place: struct_pack(rank := len(list_filter({0}, lambda other, here: here <> place AND trino_comparison(list_transform([struct_pack(p0 := other, p1 := one)], lambda {1})[1]) < 0)), place := place, value := one))), lambda e: e.value)
map_filter(map(K, V), function(K, V, boolean)) -> map(K, V): map_from_entries(list_filter(pairs_of_map({0}), lambda {1}))
transform_keys(map(K, V), function(K, V, R)) -> map(R, V): trino_map(list_transform(pairs_of_map({0}), lambda {1}), map_values({0}))
transform_values(map(K, V), function(K, V, R)) -> map(K, R): map(map_keys({0}), list_transform(pairs_of_map({0}), lambda {1}))
map_zip_with(map(K, T), map(K, U), function(K, T, U, R)) -> map(K, R): map(joined_keys({0}, {1}), list_transform(pairs_of_maps({0}, {1}), lambda {2}))

# ------------------------------------------------------------------------------------------------------------- others
typeof(T) -> varchar: {0:type}
uuid() -> varchar: CAST(uuid() AS VARCHAR)
version() -> varchar: 'local'
"""

SCALARS = parse_signatures(_TEXT)
RANDOM = frozenset({"uuid", "random", "rand"})
