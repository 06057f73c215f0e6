"""A local Athena: Trino SQL really runs, over the Avro and JSON objects of what the catalog has registered.

Where to look:

* ``service``     the Athena API; behind it ``executions``, ``workgroups``, ``results``, ``data_catalogs``
* ``queries``     one statement from its text to its rows
* ``sql``         Trino SQL → DuckDB SQL: parsing, types, functions, scopes, refusals
* ``engine``      how a partition's files become rows: verification, schemas, resolution, coercion
* ``ddl``         the statements that change or show the catalog; ``views`` as the catalog keeps them
* ``ports``       the two things the engine needs from outside: a catalog and objects; ``moto_ports`` provides them
"""

from __future__ import annotations
