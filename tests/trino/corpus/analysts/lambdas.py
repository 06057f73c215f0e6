"""What analysts do with arrays and maps by functions of functions."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement(
        "names of the venues",
        "SELECT id, transform(venues, v -> v.name) AS names FROM event",
    ),
    Statement(
        "wide pictures only",
        "SELECT id, filter(images, i -> i.width > 1000) AS wide FROM event",
    ),
    Statement(
        "events with an attraction of a kind",
        """
SELECT id, any_match(attractions, a -> a.type = 'venue') AS any_venue,
       all_match(attractions, a -> a.type = 'venue') AS all_venues,
       none_match(attractions, a -> a.type = 'venue') AS no_venue
FROM event
""",
    ),
    Statement(
        "pixels of all pictures of an event",
        "SELECT id, reduce(images, 0, (s, i) -> s + i.width * i.height, s -> s) AS pixels FROM event",
    ),
    Statement(
        "reduce over a row",
        """
SELECT id,
       reduce(images, CAST(ROW(0, 0) AS ROW(sum integer, n integer)),
              (s, i) -> CAST(ROW(s.sum + i.width, s.n + 1) AS ROW(sum integer, n integer)),
              s -> if(s.n = 0, NULL, s.sum / s.n)) AS usual
FROM event
""",
    ),
    Statement(
        "two lists, one by one",
        """
SELECT id,
       zip_with(saletypes, sequence(1, cardinality(saletypes)),
                (t, n) -> CAST(n AS varchar) || ':' || t) AS numbered
FROM sale
WHERE cardinality(saletypes) > 0
""",
    ),
    Statement("zip", "SELECT id, zip(saletypes, ARRAY['a', 'b']) AS pairs FROM sale"),
    Statement("zip of three", "SELECT zip(ARRAY[1, 2], ARRAY['a'], ARRAY[true, false, NULL]) AS z"),
    Statement(
        "sorted, the other way round and by length",
        """
SELECT id, array_sort(saletypes) AS up, reverse(array_sort(saletypes)) AS down,
       array_sort(saletypes, (a, b) -> if(length(a) < length(b), -1, if(length(a) > length(b), 1,
                                          if(a < b, -1, if(a = b, 0, 1))))) AS by_length
FROM sale
""",
    ),
    Statement(
        "sets of kinds",
        """
SELECT id, array_distinct(saletypes) AS d, array_union(saletypes, ARRAY['x']) AS u,
       array_intersect(saletypes, ARRAY['presale', 'vip']) AS i, array_except(saletypes, ARRAY['presale']) AS e,
       arrays_overlap(saletypes, ARRAY['vip']) AS o, contains(saletypes, 'vip') AS c
FROM sale
""",
    ),
    Statement(
        "places in a list",
        """
SELECT id, array_position(saletypes, 'vip') AS place, array_remove(saletypes, 'vip') AS others,
       array_max(saletypes) AS last, array_min(saletypes) AS first, slice(saletypes, 1, 2) AS two,
       cardinality(saletypes) AS n
FROM sale
""",
    ),
    Statement(
        "lists joined",
        """
SELECT id, array_join(saletypes, ', ') AS text, saletypes || 'more' AS longer, 'more' || saletypes AS before,
       concat(saletypes, ARRAY['x'], ARRAY['y']) AS three, saletypes || ARRAY['z'] AS four
FROM sale
""",
    ),
    Statement(
        "lists in lists",
        """
SELECT id, flatten(transform(venues, v -> transform(v.markets, m -> m.name))) AS markets FROM event
""",
    ),
    Statement(
        "a lambda that uses a column",
        "SELECT id, transform(saletypes, t -> t || ' of ' || eventid) AS texts FROM sale",
    ),
    Statement(
        "a lambda in WHERE",
        """
SELECT id
FROM event
WHERE any_match(classifications, c -> c.segment = 'Music') AND NOT any_match(images, i -> i.width IS NULL)
""",
    ),
    Statement(
        "combinations",
        """
SELECT combinations(ARRAY['a', 'b', 'c'], 2) AS c
""",
    ),
    Statement(
        "maps of lists",
        """
SELECT map_from_entries(transform(venues, v -> ROW(coalesce(v.id, 'none'), v.name))) AS m FROM event
  WHERE cardinality(venues) = 1
""",
    ),
    Statement(
        "maps filtered and changed",
        """
SELECT map_filter(h, (k, v) -> v > 100) AS large, transform_values(h, (k, v) -> v * 2) AS doubled,
       transform_keys(h, (k, v) -> lower(k)) AS lowered
FROM (SELECT histogram(statusid) AS h FROM notification)
""",
    ),
    Statement(
        "maps read",
        """
SELECT h['SENT'] AS sent, element_at(h, 'NONE') AS none, cardinality(h) AS n, array_sort(map_keys(h)) AS k,
       array_sort(map_values(h)) AS v
FROM (SELECT histogram(statusid) AS h FROM notification)
""",
    ),
    Statement(
        "map_entries in order",
        "SELECT array_sort(map_entries(h)) AS e FROM (SELECT histogram(contactmethod) AS h FROM demand)",
    ),
    Statement(
        "maps joined",
        """
SELECT map_concat(MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['a', 'b'], ARRAY[2, 3])) AS m
""",
    ),
    Statement(
        "a key that is not there", "SELECT h['nothing'] FROM (SELECT histogram(statusid) AS h FROM notification)"
    ),
    Statement("a subscript beyond the end", "SELECT saletypes[9] FROM sale"),
    Statement("a subscript of zero", "SELECT saletypes[0] FROM sale"),
    Statement("a key twice in a map", "SELECT MAP(ARRAY['a', 'a'], ARRAY[1, 2])"),
    Statement(
        "NULL within lists",
        """
SELECT array_sort(ARRAY[2, NULL, 1]) AS s, array_max(ARRAY[1, NULL]) AS m, contains(ARRAY[1, NULL], 2) AS c,
       any_match(ARRAY[1, NULL], x -> x > 1) AS a, array_distinct(ARRAY[NULL, NULL, 1]) AS d,
       ARRAY[1, NULL] = ARRAY[1, NULL] AS e
""",
    ),
    Statement(
        "lists of numbers",
        """
SELECT reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s) AS total, repeat(1, 3) AS r, sequence(1, 9, 4) AS q,
       transform(sequence(1, 3), x -> x * x) AS squares
""",
    ),
    Statement(
        "the cardinality of NULL",
        """
SELECT cardinality(NULL) AS n
""",
    ),
    Statement(
        "maps side by side",
        """
SELECT map_zip_with(MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['b'], ARRAY['x']), (k, x, y) -> k) AS z
""",
    ),
    Statement(
        "an empty map",
        """
SELECT MAP() AS empty
""",
    ),
    Statement(
        "ngrams",
        """
SELECT ngrams(ARRAY['a', 'b', 'c'], 2) AS n
""",
    ),
    Statement(
        "an array without its end",
        """
SELECT trim_array(ARRAY[1, 2, 3], 1) AS t
""",
    ),
)
