"""Applying a change table: the old tables and the changes give the new tables, exactly.

This is the definition of what a change table means, and its test. Tables are held as text cells here, in the lexical
form that the change table uses; a missing cell is ``None``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from iskp.package.opening import OpenedPackage
from iskp.package.schema_diff import key_columns
from iskp.package.text import format_cell, parse_cell
from iskp.package.validate import read_csv_cells

Cells = dict[str, str | None]


@dataclass
class TextTable:
    """A table as text: its key, its columns with their types in order, and its rows by id."""

    key: list[str]
    columns: dict[str, str]
    rows: dict[str, Cells] = field(default_factory=dict)


def record_id(row: Mapping[str, str | None], key: list[str]) -> str:
    """Return the id of a row in a change table: its key, or a JSON array of its keys."""
    if len(key) == 1:
        return str(row[key[0]])
    return json.dumps([row[column] for column in key], ensure_ascii=False, separators=(",", ":"))


def text_tables(package: OpenedPackage) -> dict[str, TextTable]:
    """Read the CSV tables of a package that have a key."""
    tables: dict[str, TextTable] = {}
    for resource in package.descriptor["resources"]:
        schema = resource.get("schema")
        if schema is None or not resource["path"].endswith(".csv"):
            continue
        types = {described["name"]: described.get("type", "string") for described in schema["fields"]}
        table = TextTable(key_columns(schema), types)
        for row in read_csv_cells((package.root / resource["path"]).read_bytes()):
            cells: Cells = {}
            for (name, kind), cell in zip(types.items(), row, strict=True):
                cells[name] = format_cell(parse_cell(cell, kind)) or None
            table.rows[record_id(cells, table.key)] = cells
        tables[resource["name"]] = table
    return tables


def apply_changes(tables: dict[str, TextTable], changes: Iterable[Mapping[str, str | None]]) -> dict[str, TextTable]:
    """Return the tables after the changes; those given are left as they were.

    Schema changes come first in a change table, then renames, then rows; so each change finds what it needs.
    """
    result = {
        name: TextTable(list(t.key), dict(t.columns), {k: dict(row) for k, row in t.rows.items()})
        for name, t in tables.items()
    }
    ordered = sorted(changes, key=lambda change: ORDER.index(str(change["op"])))
    for change in ordered:
        _apply(result, {name: value or "" for name, value in change.items()}, change["new"])
    return result


ORDER = (
    *("remove_file", "add_file", "change_file"),
    *("remove_table", "add_table", "remove_column", "add_column", "change_type", "change_key"),
    *("change_constraint", "add_code", "remove_code", "rename", "remove", "add", "change"),
)


def _apply(tables: dict[str, TextTable], change: Mapping[str, str], new: str | None) -> None:
    name, identity, column = change["table"], change["record_id"], change["field"]
    if change["op"] in {"add_table", "remove_table"}:
        _apply_to_tables(tables, change)
    elif change["op"] in {"add_column", "remove_column", "change_type"}:
        _apply_to_columns(tables[name], change)
    elif change["op"] == "rename":
        _rename(tables[name], identity, change["new"])
    elif change["op"] == "remove":
        tables[name].rows.pop(identity, None)
    elif change["op"] == "add":
        tables[name].rows.setdefault(identity, dict.fromkeys(tables[name].columns))[column] = new
    elif change["op"] == "change":
        tables[name].rows[identity][column] = new


def _apply_to_tables(tables: dict[str, TextTable], change: Mapping[str, str]) -> None:
    if change["op"] == "remove_table":
        del tables[change["table"]]
    else:
        shape = json.loads(change["new"])
        tables[change["table"]] = TextTable(shape["key"], dict(shape["columns"]))


def _apply_to_columns(table: TextTable, change: Mapping[str, str]) -> None:
    column = change["field"]
    if change["op"] == "change_type":
        table.columns[column] = change["new"]
    elif change["op"] == "remove_column":
        del table.columns[column]
        for row in table.rows.values():
            del row[column]
    else:
        position, kind = json.loads(change["new"])
        columns = list(table.columns.items())
        columns.insert(position, (column, kind))
        table.columns = dict(columns)
        for row in table.rows.values():
            row[column] = None


def _rename(table: TextTable, old: str, new: str) -> None:
    row = table.rows.pop(old)
    row[table.key[0]] = new
    table.rows[new] = row
