"""The difference of two versions of a package: schemas, rows by key, and cells with old and new value."""

from __future__ import annotations

import filecmp
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from iskp.package.change_table import ROW_OPERATIONS, as_change_table
from iskp.package.file_diff import file_difference
from iskp.package.opening import OpenedPackage
from iskp.package.row_diff import Renames, TableDiff, diff_rows
from iskp.package.schema_diff import added_table, removed_table, schema_difference
from iskp.package.table_file import TableFile

LARGE = 3_000_000
"""Rows of both versions of a table together, above which DuckDB may take more memory."""


@dataclass(frozen=True)
class Diff:
    """All differences: the change table, counts by table, and whether the descriptors differ otherwise."""

    old: str
    new: str
    changes: pa.Table
    tables: Mapping[str, TableDiff]
    metadata_changed: bool = False

    def __bool__(self) -> bool:
        return self.changes.num_rows > 0 or self.metadata_changed

    def schema_changes(self) -> list[dict[str, str]]:
        """Return the changes of the schema, as records."""
        return [row for row in self.changes.to_pylist() if row["op"] not in ROW_OPERATIONS]


def diff_packages(old: OpenedPackage, new: OpenedPackage, renames: Renames | None = None) -> Diff:
    """Compare two packages.

    Raises:
        FileNotFoundError: if a table's file is missing.
        ValueError: if rows of a table share a key, or a file is not what its descriptor says.
    """
    before, after = old.resources(), new.resources()
    renames = renames or {}
    parts: list[pa.Table] = []
    tables: dict[str, TableDiff] = {}
    schema_changes = list(file_difference(old, new))
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        # The right side of a join is the one held in memory; DuckDB, which cannot know how many rows a CSV file has,
        # would at times take the other.
        connection.execute("SET disabled_optimizers = 'build_side_probe_side'")
        for name in sorted(before.keys() | after.keys()):
            if name not in after:
                schema_changes.append(removed_table(name, before[name]["schema"]))
                continue
            if name not in before:
                schema_changes.append(added_table(name, after[name]["schema"]))
            else:
                schema_changes += schema_difference(name, before[name]["schema"], after[name]["schema"])
            files = TableFile(old, before.get(name)), TableFile(new, after[name])
            if name in before and not any(renames.values()) and _is_same(*files):
                tables[name] = TableDiff(name)
                continue
            connection.execute(f"SET memory_limit = '{_memory(connection, *files)}'")
            part, tables[name] = diff_rows(connection, name, renames, *files)
            parts.append(part)
    if schema_changes or not parts:
        # pyarrow makes even an empty table from Python's values with the help of pandas, which takes 0.2 s to import.
        parts.insert(0, as_change_table(schema_changes))
    changes = pa.concat_tables(parts)
    return Diff(_name(old), _name(new), changes, tables, _metadata(old) != _metadata(new))


def _is_same(old: TableFile, new: TableFile) -> bool:
    """Tell whether two versions of a table have the same bytes and are read the same way."""
    unlike = {"path", "title", "description", "name"}
    described = [{k: v for k, v in (file.resource or {}).items() if k not in unlike} for file in (old, new)]
    return described[0] == described[1] and filecmp.cmp(old.path, new.path, shallow=False)


def _memory(connection: duckdb.DuckDBPyConnection, *files: TableFile) -> str:
    """Return what DuckDB may take before it goes to disk; the rest of the process takes some 100 MB."""
    return "900MB" if sum(file.rows(connection) for file in files) > LARGE else "420MB"


def _name(package: OpenedPackage) -> str:
    """Return how to call a package: by how it was asked for, and its version where that does not tell it."""
    return package.name if package.version in package.name else f"{package.version} in {package.name}"


IGNORED = frozenset({"version", "created", "resources", "temporal", "spatial", "sources"})


def _metadata(package: OpenedPackage) -> dict[str, Any]:
    """Return what a descriptor says apart from the tables' content, versions and dates."""
    about = {key: value for key, value in package.descriptor.items() if key not in IGNORED}
    about["tables"] = {name: resource["schema"] for name, resource in package.resources().items()}
    return about
