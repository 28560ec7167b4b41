"""The JSON Schema of coding sheets, by which an editor completes columns and codes and marks what is wrong.

It is made from the table schemas, and says the same as the model of :mod:`iskp.coding.sheet`, which decides; but it
tells each code with its definition, and takes numbers and booleans as YAML has them, without quotes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iskp.coding.sheet import CHILD_SECTIONS, ChildRow, Claimed, Row, SourceHeader, coded_columns
from iskp.package.schema import FieldSchema, Schemas, Strict, TableSchema

PLAIN = ["string", "integer", "number", "boolean"]
"""Types that a plain value has for an editor; the build reads every one as text."""
TABLES = ("events", "organizations", "designations", "places")


def editor_schema(schemas: Schemas) -> dict[str, Any]:
    """Return the JSON Schema of a coding sheet."""
    definitions = {"source": _object(_properties(SourceHeader), required=_required(SourceHeader))}
    for table in TABLES:
        definitions[table] = _row(schemas[table], schemas, Row)
    for section in CHILD_SECTIONS.values():
        definitions[section.table] = _row(schemas[section.table], schemas, ChildRow)
    records = {table: {"type": "object", "additionalProperties": _reference(table)} for table in TABLES}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Coding sheet",
        "description": "What one document says, for the iskp data package.",
        **_object({"source": _reference("source"), **records}, required=["source"]),
        "$defs": definitions,
    }


def _object(properties: Mapping[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    described: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": dict(properties)}
    return described | ({"required": required} if required else {})


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _properties(model: type[Strict]) -> dict[str, Any]:
    """Return the keys of a static model as an editor should see them: titles dropped, plain values of any type."""
    described: dict[str, Any] = {}
    for name, content in model.model_json_schema()["properties"].items():
        branches = [branch for branch in content.get("anyOf", [content]) if branch.get("type") != "null"]
        codes = branches[0].get("enum") or ([branches[0]["const"]] if "const" in branches[0] else None)
        described[name] = {"enum": codes} if codes else {"type": PLAIN}
        if branches[0].get("type") == "array":
            described[name] = {"anyOf": [{"type": PLAIN}, {"type": "array", "items": {"type": PLAIN}}]}
    return described


def _required(model: type[Strict]) -> list[str]:
    return list(model.model_json_schema()["required"])


def _row(schema: TableSchema, schemas: Schemas, base: type[Row]) -> dict[str, Any]:
    shared = {name: content for name, content in _properties(Claimed[str]).items() if name != "value"}
    properties: dict[str, Any] = dict(_properties(base))
    for field in coded_columns(schema):
        value = _value(field)
        claim = {"anyOf": [value, _object({"value": value, **shared})]}
        properties[field.name] = {"description": field.description, "anyOf": [claim, {"type": "array", "items": claim}]}
    for name, section in CHILD_SECTIONS.items():
        if section.parent == schema.name:
            described = schemas[section.table].description
            properties[name] = {"description": described, "type": "array", "items": _reference(section.table)}
    return _object(properties)


def _value(field: FieldSchema) -> dict[str, Any]:
    if field.categories is None:
        return {"type": PLAIN, "examples": [field.example]}
    return {"oneOf": [{"const": code.value, "description": code.description} for code in field.categories]}
