"""Small packages made from text tables, for tests of everything that reads packages."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from iskp.package.apply import TextTable
from iskp.package.text import parse_cell


def table(key: list[str], columns: dict[str, str], *rows: tuple[str | None, ...]) -> TextTable:
    """Return a text table; rows in the order of the columns."""
    made = TextTable(key, columns)
    for row in rows:
        cells = dict(zip(columns, row, strict=True))
        made.rows[str(cells[key[0]])] = cells
    return made


def write_package(
    folder: Path, tables: dict[str, TextTable], constraints: dict[str, dict[str, Any]] | None = None, **metadata: Any
) -> Path:
    """Write a package of CSV tables; ``constraints`` are by ``table.column``. Return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    resources = []
    for name, made in tables.items():
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(made.columns)
        writer.writerows([row[column] for column in made.columns] for row in made.rows.values())
        (folder / f"{name}.csv").write_text(buffer.getvalue(), encoding="utf-8")
        fields = [
            {"name": column, "type": kind, "constraints": (constraints or {}).get(f"{name}.{column}", {})}
            for column, kind in made.columns.items()
        ]
        schema: dict[str, Any] = {"fields": fields}
        if made.key:
            schema["primaryKey"] = made.key
        resources.append({"name": name, "type": "table", "path": f"{name}.csv", "format": "csv", "schema": schema})
    descriptor = {"name": "small", "version": "1.0.0", **metadata, "resources": resources}
    (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return folder


ARROW_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}


def as_parquet(folder: Path, target: Path) -> Path:
    """Write a package of CSV tables again, its tables as Parquet with their types. Return the new folder."""
    target.mkdir(parents=True, exist_ok=True)
    descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for resource in descriptor["resources"]:
        with (folder / resource["path"]).open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        arrays = {
            field["name"]: pa.array(
                [parse_cell(row[field["name"]], field["type"]) for row in rows], ARROW_TYPES[field["type"]]
            )
            for field in resource["schema"]["fields"]
        }
        resource.update(path=f"{resource['name']}.parquet", format="parquet")
        pyarrow.parquet.write_table(pa.table(arrays), target / resource["path"])
    (target / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    return target
