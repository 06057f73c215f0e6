"""Where rows come from, and which partitions there are."""

from __future__ import annotations

from tests.trino.statements import Statement


STATEMENTS = (
    Statement("rows of each file", 'SELECT "$path", count(*) AS n FROM demand GROUP BY "$path"'),
    Statement("sizes of files", 'SELECT DISTINCT "$path", "$file_size" FROM sale'),
    Statement("times of files", 'SELECT DISTINCT "$path", "$file_modified_time" FROM sale'),
    Statement("the partition's name", 'SELECT DISTINCT "$partition" FROM event'),
    Statement(
        "the file's name",
        """SELECT DISTINCT regexp_extract("$path", '[^/]+$') AS file, partition_date FROM event""",
    ),
    Statement(
        "the date in the path is the partition's",
        """
SELECT count(*) AS n, count_if("$path" LIKE '%partition_date=' || partition_date || '/%') AS agreeing
  FROM notification
""",
    ),
    Statement(
        "rows of the first file",
        'SELECT count(*) AS n FROM sale WHERE "$path" = (SELECT min("$path") FROM sale)',
    ),
    Statement(
        "bytes of a table",
        """
SELECT count(*) AS files, sum(size) AS bytes FROM (SELECT "$path" AS file, max("$file_size") AS size FROM demand
  GROUP BY 1)
""",
    ),
    Statement("a star has no hidden columns", "SELECT * FROM sale WHERE false"),
    Statement(
        "hidden columns of a joined table",
        'SELECT count(DISTINCT s."$path") AS n FROM sale s JOIN event e ON e.id = s.eventid',
    ),
    Statement("partitions", 'SELECT partition_date FROM "demand$partitions"'),
    Statement("a star of the partitions", 'SELECT * FROM "sale$partitions"'),
    Statement("the latest partition", 'SELECT max(partition_date) AS latest, count(*) AS n FROM "event$partitions"'),
    Statement(
        "partitions without rows",
        """
SELECT p.partition_date FROM "sale$partitions" p LEFT JOIN sale s ON s.partition_date = p.partition_date
  WHERE s.id IS NULL
""",
    ),
    Statement(
        "rows of the latest partition by the list of partitions",
        'SELECT count(*) AS n FROM demand WHERE partition_date = (SELECT max(partition_date) FROM "demand$partitions")',
    ),
    Statement("hidden columns need their quotes", "SELECT $path FROM sale"),
    Statement("a hidden column that is none", 'SELECT "$nothing" FROM sale'),
    Statement("a table of partitions of a table that is none", 'SELECT * FROM "nothing$partitions"'),
    Statement(
        "tables of the database",
        """
SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'prd3292_local_dmnd_pipeline'
""",
    ),
    Statement(
        "columns of a table",
        """
SELECT column_name, ordinal_position, data_type, is_nullable FROM information_schema.columns
WHERE table_schema = 'prd3292_local_dmnd_pipeline' AND table_name = 'sale'
""",
    ),
)
