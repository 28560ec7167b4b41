"""The change table: one row per changed cell, per cell of a new or removed row, and per change of the schema."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa

CHANGE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("table", "record_id", "op", "field", "old", "new", "cause")]
)
"""The columns. ``op`` is one of ``add_file remove_file change_file add_table remove_table add_column remove_column
change_type change_constraint change_key add_code remove_code`` (then ``record_id`` is empty), ``rename``, ``change``,
``add``, ``remove``. Changes of files and schema come first, then, table by table, those of rows in this order, by
record and field."""

ROW_OPERATIONS = frozenset({"add", "remove", "change", "rename"})


@dataclass(frozen=True)
class SchemaChange:
    """A change of the schema."""

    table: str
    op: str
    field: str
    old: str
    new: str


def as_change_table(changes: Iterable[SchemaChange]) -> pa.Table:
    """Return changes of the schema as a change table."""
    rows = [
        {"table": c.table, "record_id": "", "op": c.op, "field": c.field, "old": c.old, "new": c.new, "cause": ""}
        for c in changes
    ]
    return pa.Table.from_pylist(rows, schema=CHANGE_SCHEMA)
