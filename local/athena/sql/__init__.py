"""Trino SQL → DuckDB SQL: what Trino would refuse is refused, and so is what cannot be translated faithfully."""
