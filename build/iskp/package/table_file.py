"""A table's file as DuckDB reads it: Parquet with its types, CSV as text, each cell in one lexical form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from iskp.package.opening import OpenedPackage

LEXICAL_FORMS = {
    "integer": ("[+-]?[0-9]+", "HUGEINT"),
    "year": ("[+-]?[0-9]+", "HUGEINT"),
    "number": ("[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?", "DOUBLE"),
    "boolean": ("true|false|True|False|TRUE|FALSE|1|0", "BOOLEAN"),
    "date": ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "DATE"),
}
BYTES_OF_A_ROW = 200
Field = Mapping[str, Any]
"""A field's descriptor."""


@dataclass(frozen=True)
class TableFile:
    """One version of a table: its file and schema; ``resource`` is ``None`` where the version has no such table.

    ``lines`` is a file with some lines of the CSV file and without its header, where only those are to be read.
    """

    package: OpenedPackage
    resource: Mapping[str, Any] | None
    lines: Path | None = None

    @property
    def schema(self) -> Mapping[str, Any]:
        """Return the schema; one without fields where there is no table."""
        return {"fields": []} if self.resource is None else self.resource["schema"]

    @property
    def columns(self) -> list[str]:
        """Return the names of the columns."""
        return [described["name"] for described in self.schema["fields"]]

    @property
    def path(self) -> str:
        """Return the file."""
        return str(self.package.root / (self.resource or {})["path"])

    def rows(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Return the number of rows: of Parquet as its metadata tell, of CSV as its size lets expect."""
        if self.resource is None:
            return 0
        if not self.is_parquet:
            return Path(self.path).stat().st_size // BYTES_OF_A_ROW
        # Not by pyarrow.parquet, whose import takes longer than the difference of two small packages.
        query = f"SELECT num_rows FROM parquet_file_metadata({literal(self.path)})"
        return int((connection.execute(query).fetchone() or [0])[0])

    @property
    def is_parquet(self) -> bool:
        """Tell whether the file is Parquet."""
        return self.path.endswith(".parquet")

    @property
    def delimiter(self) -> str:
        """Return what separates the cells of the CSV file."""
        return str((self.resource or {}).get("dialect", {}).get("delimiter", ","))

    def source(self) -> str:
        """Return the SQL that reads the file; CSV as text, since DuckDB's own casts are not those of Table Schema."""
        if self.is_parquet:
            return f"read_parquet({literal(self.path)})"
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.columns)
        return (
            f"read_csv({literal(str(self.lines or self.path))}, header = {self.lines is None}, auto_detect = false, "
            f"delim = {literal(self.delimiter)}, quote = '\"', escape = '\"', nullstr = '', columns = {{{columns}}})"
        )

    def lexical(self, described: Field, row: str = "") -> str:
        """Return the SQL of a column's cells, of the row of that name, in the one lexical form of their type.

        A CSV cell that has not the form of its type stays as it is written, so that it equals no other.
        """
        name = row + identifier(described["name"])
        kind = described.get("type", "string")
        if self.is_parquet:
            return f"{name}::VARCHAR"
        if kind not in LEXICAL_FORMS:
            return name
        form, duckdb_type = LEXICAL_FORMS[kind]
        cast = f"TRY_CAST({name} AS {duckdb_type})::VARCHAR"
        return f"CASE WHEN regexp_full_match({name}, {literal(form)}) THEN coalesce({cast}, {name}) ELSE {name} END"


def identifier(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Return a text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"
