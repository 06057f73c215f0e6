"""What analysts take out of rows and arrays: venues, attractions, classifications, images, markets."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement(
        "venues of the events, a column for each field",
        """
SELECT e.id, v.id AS venue_id, v.name, v.address, v.location, v.markets
FROM event e
CROSS JOIN UNNEST(e.venues) AS v(id, name, address, location, markets)
""",
    ),
    Statement(
        "venues of the events, fields by the names of their type",
        """
SELECT e.id, v.name AS venue_name, v.location.latitude, v.location.longitude
FROM event e
CROSS JOIN UNNEST(e.venues) AS v
""",
    ),
    Statement(
        "events without a venue stay",
        """
SELECT e.id, v.name AS venue
FROM event e
LEFT JOIN UNNEST(e.venues) AS v ON TRUE
""",
    ),
    Statement(
        "an array in an array: the markets of the venues",
        """
SELECT e.id, v.name AS venue, m.name AS market
FROM event e
CROSS JOIN UNNEST(e.venues) AS v
CROSS JOIN UNNEST(v.markets) AS m
""",
    ),
    Statement(
        "attractions with their place in the list",
        """
SELECT e.id, a.place, a.name, a.type
FROM event e
CROSS JOIN UNNEST(e.attractions) WITH ORDINALITY AS a(id, name, url, type, place)
""",
    ),
    Statement(
        "the first attraction of each event",
        """
SELECT e.id, a.name
FROM event e
LEFT JOIN UNNEST(e.attractions) WITH ORDINALITY AS a(id, name, url, type, place) ON TRUE
WHERE a.place = 1 OR a.place IS NULL
""",
    ),
    Statement(
        "genres by number of events",
        """
SELECT c.segment, c.genre, count(DISTINCT e.reference.id) AS events
FROM event e, UNNEST(e.classifications) AS c
GROUP BY c.segment, c.genre
""",
    ),
    Statement(
        "the largest picture of an event",
        """
SELECT e.id, max_by(i.url, i.width * i.height) AS url, max(i.width * i.height) AS pixels
FROM event e
CROSS JOIN UNNEST(e.images) AS i
GROUP BY e.id
""",
    ),
    Statement(
        "two arrays side by side",
        """
SELECT e.id, t.width, t.segment
FROM event e
CROSS JOIN UNNEST(
  transform(e.images, i -> i.width), transform(e.classifications, c -> c.segment)
) AS t(width, segment)
""",
    ),
    Statement(
        "kinds of sales",
        """
SELECT kind, count(*) AS sales
FROM sale
CROSS JOIN UNNEST(saletypes) AS t(kind)
GROUP BY kind
""",
    ),
    Statement(
        "UNNEST of a whole column without an alias",
        """
SELECT count(*) AS n FROM sale CROSS JOIN UNNEST(saletypes)
""",
    ),
    Statement(
        "a star over UNNEST",
        """
SELECT * FROM (SELECT id, saletypes FROM sale) s CROSS JOIN UNNEST(s.saletypes) AS t(kind)
""",
    ),
    Statement(
        "subscripts and lengths of arrays",
        """
SELECT id, cardinality(venues) AS n, venues[1].name AS first_venue, element_at(attractions, -1).name AS last_attraction
FROM event
WHERE cardinality(venues) > 0
""",
    ),
    Statement(
        "an element that is not there is NULL by element_at",
        """
SELECT id, element_at(images, 9).url AS ninth, element_at(venues, 2) AS second
FROM event
""",
    ),
    Statement(
        "the struct date, whose name is a type's",
        """
SELECT d.date.requested, date.triggered, "date".notified, "date"."deleted" AS removed
FROM demand d
WHERE fanid < 'fan-2'
""",
    ),
    Statement(
        "a row as a whole",
        """
SELECT reference, system FROM demand WHERE system IS NOT NULL
""",
    ),
    Statement(
        "parts of a row that is NULL are NULL",
        """
SELECT count(*) AS requests, count(system) AS with_system, count(system.id) AS with_id,
       count(system.memberid) AS members
FROM demand
""",
    ),
    Statement(
        "rows of a deep struct",
        """
SELECT id, eventdate.start.datetime AS starts, eventdate."end".datetime AS ends, eventdate.start.localdate
FROM event
WHERE eventdate.start.datetime IS NOT NULL
""",
    ),
    Statement(
        "a field named as a keyword needs quotes",
        """
SELECT eventdate.end FROM event
""",
    ),
    Statement(
        "equal rows are equal",
        """
SELECT count(*) AS n FROM demand a JOIN sale s ON a.reference = s.reference
""",
    ),
    Statement(
        "distinct rows",
        """
SELECT DISTINCT ticketing, promoter FROM event
""",
    ),
    Statement(
        "grouping by a row and by an array",
        """
SELECT promoter, saletypes, count(*) AS n
FROM event e JOIN sale s ON s.eventid = e.id
GROUP BY promoter, saletypes
""",
    ),
    Statement(
        "arrays compared",
        """
SELECT id, saletypes
FROM sale
WHERE saletypes = ARRAY['presale'] OR saletypes = ARRAY['public', 'vip', 'presale']
""",
    ),
    Statement(
        "a row made and read",
        """
SELECT r.eventid, r.n FROM (
  SELECT CAST(ROW(eventid, count(*)) AS ROW(eventid varchar, n bigint)) AS r FROM demand GROUP BY eventid
)
""",
    ),
    Statement(
        "rows compared to a list of rows",
        """
SELECT count(*) AS n
FROM demand
WHERE (contactmethod, demandtype) IN (('sms', 'invite'), ('email', 'remind'))
""",
    ),
    Statement(
        "rows compared by order",
        """
SELECT count(*) AS n FROM demand WHERE (partition_date, fanid) > ('2026-11-01', 'fan-5')
""",
    ),
    Statement(
        "every column of the nested table",
        """
SELECT * FROM event
""",
    ),
    Statement(
        "every column of requests of the latest day",
        """
SELECT * FROM demand WHERE partition_date = (SELECT max(partition_date) FROM demand)
""",
    ),
    Statement(
        "every column of sales",
        """
SELECT * FROM sale
""",
    ),
    Statement(
        "every column of notifications of the latest day",
        """
SELECT * FROM notification WHERE partition_date IN (SELECT max(partition_date) FROM notification)
""",
    ),
    Statement(
        "the average place of the venues",
        """
SELECT m.name, avg(v.location.latitude) AS latitude, avg(v.location.longitude) AS longitude, count(*) AS venues
FROM event e
CROSS JOIN UNNEST(e.venues) v
CROSS JOIN UNNEST(v.markets) m
GROUP BY m.name
""",
    ),
    Statement(
        "a sequence of days for each sale",
        """
SELECT s.id, day
FROM sale s
CROSS JOIN UNNEST(
  sequence(CAST(s.partition_date AS date), date_add('day', 2, CAST(s.partition_date AS date)), INTERVAL '1' DAY)
) AS t(day)
""",
    ),
    Statement(
        "days without a sale",
        """
SELECT day
FROM UNNEST(sequence(DATE '2026-11-01', DATE '2026-12-31', INTERVAL '1' DAY)) AS t(day)
WHERE CAST(day AS varchar) NOT IN (SELECT partition_date FROM sale)
""",
    ),
    Statement(
        "a map unnested",
        """
SELECT status, n
FROM (SELECT histogram(statusid) AS h FROM notification)
CROSS JOIN UNNEST(h) AS t(status, n)
""",
    ),
)
