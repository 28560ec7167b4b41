"""The difference of two schemas: tables, keys, columns, types, constraints and codes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from iskp.package.change_table import SchemaChange

CONSTRAINTS = (
    *("required", "unique", "pattern", "minimum", "maximum"),
    *("exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
)


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def removed_table(table: str, schema: Mapping[str, Any]) -> SchemaChange:
    """Return the change of a table that is gone, with what it takes to make it again."""
    return SchemaChange(table, "remove_table", "", _json(_shape(schema)), "")


def added_table(table: str, schema: Mapping[str, Any]) -> SchemaChange:
    """Return the change of a new table, with what it takes to make it."""
    return SchemaChange(table, "add_table", "", "", _json(_shape(schema)))


def _shape(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a table needs to be made: key, columns and their types."""
    return {"key": key_columns(schema), "columns": [[f["name"], f.get("type", "string")] for f in schema["fields"]]}


def key_columns(schema: Mapping[str, Any]) -> list[str]:
    """Return the columns that identify a row: the primary key, else a unique key, else a unique column, else none."""
    key: str | list[str] = schema.get("primaryKey") or next(iter(schema.get("uniqueKeys", [])), [])
    if key:
        return [key] if isinstance(key, str) else list(key)
    unique = [f["name"] for f in schema["fields"] if f.get("constraints", {}).get("unique")]
    return unique[:1]


def schema_difference(table: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SchemaChange]:
    """Yield the changes of one table's schema, in the order of its columns."""
    before = {f["name"]: f for f in old["fields"]}
    after = {f["name"]: f for f in new["fields"]}
    if key_columns(old) != key_columns(new):
        yield SchemaChange(table, "change_key", "", _json(key_columns(old)), _json(key_columns(new)))
    for name, described in before.items():
        if name not in after:
            yield SchemaChange(table, "remove_column", name, described.get("type", "string"), "")
    for position, (name, described) in enumerate(after.items()):
        if name not in before:
            yield SchemaChange(table, "add_column", name, "", _json([position, described.get("type", "string")]))
        else:
            yield from _field_difference(table, name, before[name], described)
    if _foreign_keys(old) != _foreign_keys(new):
        yield SchemaChange(
            table, "change_constraint", "foreignKeys", _json(_foreign_keys(old)), _json(_foreign_keys(new))
        )


def _foreign_keys(schema: Mapping[str, Any]) -> list[Any]:
    return sorted(schema.get("foreignKeys", []), key=_json)


def _field_difference(table: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SchemaChange]:
    if old.get("type", "string") != new.get("type", "string"):
        yield SchemaChange(table, "change_type", name, old.get("type", "string"), new.get("type", "string"))
    before, after = old.get("constraints", {}), new.get("constraints", {})
    for constraint in CONSTRAINTS:
        if before.get(constraint) != after.get(constraint):
            values = _json({constraint: before.get(constraint)}), _json({constraint: after.get(constraint)})
            yield SchemaChange(table, "change_constraint", name, *values)
    codes, other = codes_of(old), codes_of(new)
    if (codes is None) != (other is None):
        yield SchemaChange(table, "change_constraint", name, _json({"enum": codes}), _json({"enum": other}))
    for code in codes or []:
        if other is not None and code not in other:
            yield SchemaChange(table, "remove_code", name, str(code), "")
    for code in other or []:
        if codes is not None and code not in codes:
            yield SchemaChange(table, "add_code", name, "", str(code))


def codes_of(described: Mapping[str, Any]) -> list[Any] | None:
    """Return the closed vocabulary of a column: its enum, else its categories, else ``None``."""
    enum = described.get("constraints", {}).get("enum")
    if enum is not None:
        return list(enum)
    categories = described.get("categories")
    if categories is None:
        return None
    return [category["value"] if isinstance(category, dict) else category for category in categories]
