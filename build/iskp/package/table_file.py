"""A table's file as DuckDB reads it: Parquet with its types, CSV as text, each cell in one lexical form."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from iskp.package.opening import ENCODINGS, OpenedPackage

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
        """Return the file.

        Raises:
            FileNotFoundError: if it is not there.
        """
        resource = self.resource or {}
        path = self.package.root / resource["path"]
        if not path.is_file():
            raise FileNotFoundError(f"{self.package.name}: the table {resource['name']} has no file {resource['path']}")
        return str(path)

    def rows(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Return the number of rows: of Parquet as its metadata tell, of text as its size lets expect."""
        if self.resource is None:
            return 0
        if not self.is_parquet:
            return Path(self.path).stat().st_size // BYTES_OF_A_ROW
        # Not by pyarrow.parquet, whose import takes longer than the difference of two small packages.
        query = f"SELECT num_rows FROM parquet_file_metadata({literal(self.path)})"
        return int((connection.execute(query).fetchone() or [0])[0])

    @property
    def form(self) -> str | None:
        """Return how the table is stored; ``None`` where there is no table."""
        return None if self.resource is None else self.package.table_format(self.resource)

    @property
    def is_parquet(self) -> bool:
        """Tell whether the file is Parquet; in all others cells are text."""
        return self.form == "parquet"

    @property
    def dialect(self) -> dict[str, Any]:
        """Return how the CSV file is written: what separates and quotes cells, and whether there is a header."""
        declared = (self.resource or {}).get("dialect", {})
        declared = {**declared, **declared.get("csv", {})} if isinstance(declared, dict) else {}
        return {
            "delimiter": str(declared.get("delimiter", "\t" if self.form == "tsv" else ",")),
            "quote": str(declared.get("quoteChar", '"')),
            "header": bool(declared.get("header", True)),
        }

    @property
    def encoding(self) -> str:
        """Return the encoding of the text, as DuckDB calls it."""
        return ENCODINGS[str((self.resource or {}).get("encoding", "utf-8")).lower()]

    @property
    def missing_values(self) -> list[str]:
        """Return the texts that stand for a missing cell (Table Schema, ``missingValues``)."""
        listed = self.schema.get("missingValues", [""])
        return [str(value["value"] if isinstance(value, dict) else value) for value in listed]

    def header(self) -> list[str]:
        """Return the columns of the CSV file in its own order, which need not be that of the schema.

        Raises:
            ValueError: if a column of the schema is not among them.
        """
        if not self.dialect["header"]:
            return self.columns
        with Path(self.path).open(encoding=self.encoding.replace("utf-8", "utf-8-sig"), newline="") as lines:
            dialect = self.dialect
            found = next(csv.reader(lines, delimiter=dialect["delimiter"], quotechar=dialect["quote"]), [])
        missing = [column for column in self.columns if column not in found]
        if missing:
            raise ValueError(f"{self.path} has no column {missing[0]!r}, which its schema names")
        return found

    def source(self) -> str:
        """Return the SQL that reads the file; text as text, since DuckDB's own casts are not those of Table Schema."""
        if self.is_parquet:
            return f"read_parquet({literal(self.path)})"
        if self.form in {"json", "ndjson"}:
            columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.columns)
            form = "array" if self.form == "json" else "newline_delimited"
            return f"read_json({literal(self.path)}, format = '{form}', columns = {{{columns}}})"
        dialect = self.dialect
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.header())
        missing = ", ".join(map(literal, self.missing_values))
        return (
            f"read_csv({literal(str(self.lines or self.path))}, header = {dialect['header'] and self.lines is None}, "
            f"auto_detect = false, delim = {literal(dialect['delimiter'])}, quote = {literal(dialect['quote'])}, "
            f"escape = {literal(dialect['quote'])}, encoding = {literal(self.encoding)}, nullstr = [{missing}], "
            f"columns = {{{columns}}})"
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
