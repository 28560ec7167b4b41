"""Parquet files: zstd, one explicit Arrow schema, the same bytes for the same table."""

from __future__ import annotations

import io

import pandas as pd
import pyarrow.parquet

from iskp.package.schema import TableSchema
from iskp.package.types import to_arrow


def write_parquet(frame: pd.DataFrame, schema: TableSchema) -> bytes:
    """Write a typed frame as Parquet.

    Raises:
        pyarrow.ArrowInvalid, ValueError: if a required column has an empty cell.
    """
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(to_arrow(frame, schema), buffer, compression="zstd", version="2.6")
    return buffer.getvalue()
