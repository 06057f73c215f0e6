"""The tables as Airflow assets: what other teams schedule their DAGs on."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from airflow.sdk import Asset

from dmd_pipeline.settings import INCLUDE, load_settings


if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def table_names() -> tuple[str, ...]:
    """Names of all tables: a listing of include/schemas, which DAG files can afford; nothing is read."""
    return tuple(sorted(file.stem for file in (INCLUDE / "schemas").glob("*.avsc")))


@cache
def table_assets() -> Mapping[str, Asset]:
    """One asset a table, by name."""
    layout = load_settings().layout
    return {table: s3_asset(table, layout.table_location(table)) for table in table_names()}


@cache
def checked_assets() -> Mapping[str, Asset]:
    """One asset a table, by the table's name, for its dates that passed their checks: ``{table}_checked``."""
    layout = load_settings().layout
    results = layout.uri(layout.quality_results_prefix())
    return {table: s3_asset(f"{table}_checked", f"{results}{table}/") for table in table_names()}


def s3_asset(name: str, uri: str) -> Asset:
    """The asset ``Asset(name, uri)``, made without importing boto3.

    For an s3:// URI, Asset asks the amazon provider for its normal form, and importing the provider costs a tenth of
    what importing Airflow itself does, for every DAG file at every parsing. The normal form of such a URI is the URI
    without the slash at its end; a test compares the two.
    """
    asset = Asset(name=name)
    object.__setattr__(asset, "uri", uri.rstrip("/"))  # past the setter, which normalises
    return asset
