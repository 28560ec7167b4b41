"""The lexical form of cells in CSV files.

No engine's casts match Table Schema (DuckDB reads ``5.7`` as the integer 6, and ``21-02-03`` as the year 21), so
cells are read as text and each typed cell is held against the lexical form of the specification first.
"""

from __future__ import annotations

import csv
import datetime
import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from iskp.package.schema import FieldType, TableSchema
from iskp.package.types import Cell

LEXICAL: Mapping[FieldType, re.Pattern[str]] = {
    "string": re.compile(r"(?s).*"),
    "integer": re.compile(r"[+-]?[0-9]+"),
    "number": re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|INF|-INF"),
    "boolean": re.compile(r"true|false|True|False|TRUE|FALSE|1|0"),
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
}


def format_cell(cell: Any) -> str:
    """Write a cell: ISO dates, ``true``/``false``, shortest exact decimals, and nothing at all for a missing value.

    >>> format_cell(True), format_cell(30.5), format_cell(None), format_cell(datetime.date(2019, 5, 15))
    ('true', '30.5', '', '2019-05-15')
    """
    if cell is None or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    return repr(cell) if isinstance(cell, float) else str(cell)


def parse_cell(text: str, kind: FieldType) -> Cell:
    """Read a cell of a CSV file; the empty text is the only missing value.

    Raises:
        ValueError: if the text has not the lexical form of the type.

    >>> parse_cell("20", "integer"), parse_cell("", "integer"), parse_cell("2019-05-15", "date")
    (20, None, datetime.date(2019, 5, 15))
    """
    if text == "":
        return None
    if not LEXICAL[kind].fullmatch(text):
        raise ValueError(f"{text!r} is no {kind}")
    if kind == "integer":
        return int(text)
    if kind == "number":
        return float(text.replace("INF", "inf"))
    if kind == "boolean":
        return text in {"true", "True", "TRUE", "1"}
    if kind == "date":
        return datetime.date.fromisoformat(text)
    return text


def write_csv(frame: pd.DataFrame, schema: TableSchema) -> bytes:
    """Write a table as RFC 4180 CSV in UTF-8 with LF line ends; the same frame gives the same bytes."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(schema.columns)
    columns: Sequence[list[Any]] = [frame[column].astype(object).tolist() for column in schema.columns]
    writer.writerows([format_cell(cell) for cell in row] for row in zip(*columns, strict=True))
    return buffer.getvalue().encode()
