"""Small packages made from text tables, for tests of everything that reads packages."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from iskp.package.apply import TextTable


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
