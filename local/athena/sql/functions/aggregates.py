"""Trino's aggregate and window functions and their DuckDB equivalents, as data.

Where a template is more than one call, double brackets enclose the aggregate: what DISTINCT, ORDER BY, FILTER and OVER
belong to.
"""

# ruff: noqa: E501 - one signature a line, however long

from __future__ import annotations

from local.athena.sql.functions.signatures import parse_signatures


_AGGREGATES = r"""
count(T) -> bigint: count({0})
count_if(boolean) -> bigint: count({0}) FILTER_TRUE({0})
sum(tinyint) -> bigint: sum({0})
sum(smallint) -> bigint: sum({0})
sum(integer) -> bigint: sum({0})
sum(bigint) -> bigint: sum({0})
sum(real) -> real: sum({0})
sum(double) -> double: sum({0})
sum(interval day to second) -> interval day to second: sum({0})
avg(bigint) -> double: avg({0})
avg(real) -> real: avg({0})
avg(double) -> double: avg({0})
avg(interval day to second) -> interval day to second: avg({0})
min(T) -> T: min({0})
max(T) -> T: max({0})
min_by(T, U) -> T: arg_min_null({0}, {1})
max_by(T, U) -> T: arg_max_null({0}, {1})
min(T, bigint) -> array(T): min({0}, {1})
max(T, bigint) -> array(T): max({0}, {1})
min_by(T, U, bigint) -> array(T): list_transform([[arg_min(struct_pack(v := {0}), {1}, {2})]], lambda e: e.v)
max_by(T, U, bigint) -> array(T): list_transform([[arg_max(struct_pack(v := {0}), {1}, {2})]], lambda e: e.v)
arbitrary(T) -> T: any_value({0})
bool_and(boolean) -> boolean: bool_and({0})
every(boolean) -> boolean: bool_and({0})
bool_or(boolean) -> boolean: bool_or({0})
array_agg(T) -> array(T): list({0})
approx_distinct(T) -> bigint: count(DISTINCT {0})
approx_distinct(T, double) -> bigint: count(DISTINCT {0})
approx_percentile(bigint, double) -> bigint: quantile_disc({0}, {1})
approx_percentile(real, double) -> real: quantile_disc({0}, {1})
approx_percentile(double, double) -> double: quantile_disc({0}, {1})
approx_percentile(bigint, array(double)) -> array(bigint): quantile_disc({0}, {1})
approx_percentile(double, array(double)) -> array(double): quantile_disc({0}, {1})
approx_percentile(bigint, double, double) -> bigint: !
approx_percentile(double, double, double) -> double: !
stddev(double) -> double: stddev_samp({0})
stddev_samp(double) -> double: stddev_samp({0})
stddev_pop(double) -> double: stddev_pop({0})
variance(double) -> double: var_samp({0})
var_samp(double) -> double: var_samp({0})
var_pop(double) -> double: var_pop({0})
corr(real, real) -> real: corr({0}, {1})
corr(double, double) -> double: corr({0}, {1})
covar_pop(real, real) -> real: covar_pop({0}, {1})
covar_pop(double, double) -> double: covar_pop({0}, {1})
covar_samp(real, real) -> real: covar_samp({0}, {1})
covar_samp(double, double) -> double: covar_samp({0}, {1})
regr_slope(real, real) -> real: regr_slope({0}, {1})
regr_slope(double, double) -> double: regr_slope({0}, {1})
regr_intercept(real, real) -> real: regr_intercept({0}, {1})
regr_intercept(double, double) -> double: regr_intercept({0}, {1})
geometric_mean(double) -> double: exp([[avg(ln({0}))]])
bitwise_and_agg(bigint) -> bigint: bit_and({0})
bitwise_or_agg(bigint) -> bigint: bit_or({0})
histogram(T) -> map(T, bigint): histogram({0})
map_agg(K, V) -> map(K, V): trino_map_of_entries([[list(struct_pack(k := {0}, v := {1}))]])
multimap_agg(K, V) -> map(K, array(V)): trino_multimap_of_entries([[list(struct_pack(k := {0}, v := {1}))]])
map_union(map(K, V)) -> map(K, V): trino_map_of_entries(flatten(list_transform([[list({0})]], lambda m: list_transform(map_entries(m), lambda e: struct_pack(k := e.key, v := e.value)))))
kurtosis(double) -> double: kurtosis({0})
skewness(double) -> double: !
"""

_WINDOWS = r"""
row_number() -> bigint: row_number()
rank() -> bigint: rank()
dense_rank() -> bigint: dense_rank()
percent_rank() -> double: percent_rank()
cume_dist() -> double: cume_dist()
ntile(bigint) -> bigint: ntile({0})
lag(T) -> T: lag({0})
lag(T, bigint) -> T: lag({0}, {1})
lag(T, bigint, T) -> T: lag({0}, {1}, {2})
lead(T) -> T: lead({0})
lead(T, bigint) -> T: lead({0}, {1})
lead(T, bigint, T) -> T: lead({0}, {1}, {2})
first_value(T) -> T: first_value({0})
last_value(T) -> T: last_value({0})
nth_value(T, bigint) -> T: nth_value({0}, {1})
"""

# In place of the brackets, which arrays of arrays have, too.
CALL_BEGINS, CALL_ENDS = "\x02", "\x03"

AGGREGATES = parse_signatures(_AGGREGATES.replace("[[", CALL_BEGINS).replace("]]", CALL_ENDS))
WINDOWS = parse_signatures(_WINDOWS)
