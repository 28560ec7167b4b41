"""Projections of a table schema to Arrow, pandas and pandera types.

Rules, from what the libraries were seen to do (pandas 3.1, pyarrow 26, pandera 0.35):

- Dates are ``date32`` in Arrow. Without help pandas would read them as ``object``; the pandas metadata that
  :func:`to_arrow` leaves in the file name ``date32[day][pyarrow]``, so a bare ``pd.read_parquet`` is right.
- Integers and booleans are pandas' nullable ``Int64`` and ``boolean``: an empty cell is not zero and not false.
- A column with a closed vocabulary is a ``category`` with *all* codes in schema order, seen or not, so that tables
  of two versions compare and group alike.
- ``required`` becomes ``nullable=False`` in Arrow, which refuses nulls when the table is made.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa

from iskp.package.schema import FieldSchema, TableSchema

Cell = str | int | float | bool | datetime.date | None
Record = Mapping[str, Cell]

_ARROW: Mapping[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
_PANDAS: Mapping[str, Any] = {
    "string": pd.StringDtype(na_value=float("nan")),
    "integer": pd.Int64Dtype(),
    "number": "float64",
    "boolean": pd.BooleanDtype(),
    "date": pd.ArrowDtype(pa.date32()),
}


def arrow_type(field: FieldSchema) -> pa.DataType:
    """Return the Arrow type of a column; a closed vocabulary is dictionary-encoded."""
    if field.categories is not None:
        return pa.dictionary(pa.int8() if len(field.categories) < 128 else pa.int16(), pa.string())
    return _ARROW[field.type]


def arrow_schema(schema: TableSchema) -> pa.Schema:
    """Return the Arrow schema of a table, each field with its description as metadata."""
    return pa.schema(
        [
            pa.field(
                field.name,
                arrow_type(field),
                nullable=not field.constraints.required,
                metadata={"description": field.description},
            )
            for field in schema.fields
        ],
        metadata={"title": schema.title, "description": schema.description},
    )


def pandas_dtype(field: FieldSchema) -> Any:
    """Return the pandas dtype of a column."""
    if field.categories is not None:
        return pd.CategoricalDtype([category.value for category in field.categories])
    return _PANDAS[field.type]


def to_frame(records: Sequence[Record], schema: TableSchema) -> pd.DataFrame:
    """Build the typed frame of a table, sorted by primary key, from records whose cells have Python types.

    Raises:
        ValueError: if a record has a column that the schema does not know.
    """
    for record in records:
        if unknown := set(record) - set(schema.columns):
            raise ValueError(f"{schema.name} has no column {min(unknown)!r}")
    ordered = sorted(records, key=lambda record: tuple(str(record[column]) for column in schema.primary_key))
    return pd.DataFrame(
        {
            field.name: pd.Series(
                [record.get(field.name) for record in ordered],
                dtype=pandas_dtype(field),
            )
            for field in schema.fields
        }
    )


def to_arrow(frame: pd.DataFrame, schema: TableSchema) -> pa.Table:
    """Convert a typed frame to Arrow in one chunk per column, with pandas metadata that restores its dtypes.

    Raises:
        pyarrow.ArrowInvalid, ValueError: if a required column has an empty cell.
    """
    wanted = arrow_schema(schema)
    table = pa.Table.from_pandas(frame, schema=wanted, preserve_index=False).combine_chunks()
    return table.replace_schema_metadata({**(table.schema.metadata or {}), **(wanted.metadata or {})})


def _checks(field: FieldSchema) -> list[pandera.Check]:
    constraints = field.constraints
    checks: list[pandera.Check] = []
    if constraints.pattern is not None:
        # str_matches anchors only the start; Table Schema patterns are anchored at both ends.
        checks.append(pandera.Check.str_matches(f"^(?:{constraints.pattern})$", error="pattern"))
    if constraints.minimum is not None:
        checks.append(pandera.Check.ge(constraints.minimum, error="minimum"))
    if constraints.maximum is not None:
        checks.append(pandera.Check.le(constraints.maximum, error="maximum"))
    if field.type == "string" and field.categories is None:
        checks.append(pandera.Check(_is_clean_text, error="clean_text", element_wise=True))
    if constraints.enum is not None:
        checks.append(pandera.Check.isin(constraints.enum, error="enum"))
    return checks


CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MISSING_TOKENS = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null"}
)


def _is_clean_text(text: str) -> bool:
    return text not in MISSING_TOKENS and not CONTROL.search(text) and text == text.strip()


def pandera_schema(schema: TableSchema) -> pandera.DataFrameSchema:
    """Return the pandera schema of a table: types, required cells, codes, patterns, ranges and uniqueness.

    It validates typed frames and coerces nothing: a failed coercion would hide the checks that come after it.
    """
    return pandera.DataFrameSchema(
        {
            field.name: pandera.Column(
                pandas_dtype(field),
                checks=_checks(field),
                nullable=not field.constraints.required,
                unique=field.constraints.unique,
            )
            for field in schema.fields
        },
        name=schema.name,
        strict=True,
        ordered=True,
        coerce=False,
        unique=list(schema.primary_key),
    )
