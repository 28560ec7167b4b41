"""The descriptor: ``datapackage.json``, Data Package v2, made from the schemas and the bytes of the files.

It is written by ourselves and not by frictionless, which adds keys of its own and writes no final newline; and it
keeps to what both the official v2 profile and frictionless accept: ``type`` is ``table``, keys are arrays, no
``fieldsMatch``, no ``list`` fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from iskp.package.files import sha256
from iskp.package.schema import TableSchema

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
MEDIA_TYPES = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def resource(path: PurePosixPath, content: bytes, schema: TableSchema) -> dict[str, Any]:
    """Describe one file of a table; the Parquet twin of ``events`` is the resource ``events-parquet``."""
    kind = path.suffix.lstrip(".")
    described: dict[str, Any] = {
        "name": schema.name if kind == "csv" else f"{schema.name}-{kind}",
        "type": "table",
        "path": str(path),
        "title": schema.title if kind == "csv" else f"{schema.title} ({kind.capitalize()})",
        "description": schema.description,
        "format": kind,
        "mediatype": MEDIA_TYPES[kind],
        "bytes": len(content),
        "hash": f"sha256:{sha256(content)}",
    }
    if kind == "csv":
        described["encoding"] = "utf-8"
        described["dialect"] = {"lineTerminator": "\n"}
    return described | {"schema": schema.descriptor()}


def descriptor(
    metadata: Mapping[str, Any], files: Mapping[PurePosixPath, bytes], schemas: Mapping[str, TableSchema]
) -> dict[str, Any]:
    """Describe a package: its metadata, then its CSV resources, then their Parquet twins, each in schema order."""
    resources = [
        resource(path, content, schemas[path.stem])
        for suffix in (".csv", ".parquet")
        for path, content in sorted(files.items())
        if path.suffix == suffix
    ]
    stamped = {**metadata}
    if "created" in stamped:
        # Both the profile and frictionless want a time of day; a release has only a day.
        stamped["created"] = f"{stamped['created']}T00:00:00Z"
    return {"$schema": PROFILE, **stamped, "resources": resources}


def as_bytes(content: Mapping[str, Any]) -> bytes:
    """Serialize as JSON with two spaces of indent, in UTF-8, with a final newline: stable under diff."""
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
