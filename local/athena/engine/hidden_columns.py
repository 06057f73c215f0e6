"""The columns that every table of Athena's has besides its own: where a row comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from local.athena.types import BIGINT, VARCHAR, ZONED, Type


if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.athena.ports import StoredObject


HIDDEN_COLUMNS: dict[str, Type] = {
    "$path": VARCHAR,
    "$file_size": BIGINT,
    "$file_modified_time": ZONED,
    "$partition": VARCHAR,
}


def with_hidden(table: pa.Table, files: Sequence[StoredObject], counts: Sequence[int]) -> pa.Table:
    """A table with the columns h0, h1 and h2 beside its own.

    Args:
        table: The rows of the files, one file after another.
        files: The files.
        counts: How many rows each has.
    """
    repeated = np.repeat(np.arange(len(files), dtype=np.int32), counts)
    hidden: dict[str, Any] = {
        "h0": pa.array([one.uri for one in files], pa.string()),
        "h1": pa.array([one.size for one in files], pa.int64()),
        "h2": pa.array([one.modified.replace(tzinfo=None) for one in files], pa.timestamp("us")),
    }
    for name, values in hidden.items():
        table = table.append_column(name, values.take(pa.array(repeated)))
    return table
