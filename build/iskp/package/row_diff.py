"""The difference of two versions of one table: rows by key, and cells with old and new value.

Rows are compared as values and not as text, so that ``1.0`` and ``1``, or a date written in Parquet and in CSV, are
equal. The work is done by DuckDB in two steps. The first picks the rows that may differ, by a full join of the rows'
64-bit hashes: it holds no more than the hashes and the few rows that only one version has. A changed row would
escape with a probability of 2⁻⁶⁴. The second compares the cells of the rows picked.

A table without a primary key is compared by its unique key or unique column, else as a bag of whole rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from iskp.package.change_table import CHANGE_SCHEMA
from iskp.package.line_diff import differing_lines
from iskp.package.schema_diff import key_columns
from iskp.package.table_file import TableFile, identifier, literal

Renames = Mapping[str, Mapping[str, str]]
"""Table to old id to new id."""

CHECKED_ROWS = 200_000
"""Rows up to which all of a table are checked for keys that stand twice; of a larger one only those that differ are.

There the check would take as long as a fifth of the rest, and rows that stand twice and alike in both versions make
no difference.
"""


@dataclass(frozen=True)
class TableDiff:
    """How many rows of one table are new, gone, other, renamed, and how many cells changed.

    ``promised`` tells whether the old version promised that its ids stay.
    """

    table: str
    added: int = 0
    removed: int = 0
    changed: int = 0
    renamed: int = 0
    cells: int = 0
    promised: bool = True

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.renamed)


def diff_rows(
    connection: duckdb.DuckDBPyConnection, table: str, renames: Renames, old: TableFile, new: TableFile
) -> tuple[pa.Table, TableDiff]:
    """Return the changes of a table's rows as a change table, and their counts.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if rows share a key, or a file cannot be read as its descriptor says.
    """
    keys = [key_columns(side.schema) for side in (old, new) if side.resource is not None]
    key = keys[-1] if all(one == keys[-1] for one in keys) else []
    comparison = _Comparison(connection, table, renames, key)
    with tempfile.TemporaryDirectory() as folder:
        try:
            return comparison.run(*comparison.reduced(old, new, Path(folder)))
        except duckdb.Error as error:
            raise ValueError(
                f"{table}: a file is not what its descriptor says: {str(error).splitlines()[0]}"
            ) from error


@dataclass
class _Comparison:
    """The comparison of one table, as SQL.

    Columns of two Parquet files are hashed as they are, and those of two CSV files as text: equal texts are equal
    values, and casting every cell would take longer than all the rest. Where one of each is compared, in columns that
    have another type now, and in the cells that differ, every cell is brought to the one lexical form of its type.
    """

    connection: duckdb.DuckDBPyConnection
    table: str
    renames: Renames
    key: list[str] = field(default_factory=list)

    def reduced(self, old: TableFile, new: TableFile, folder: Path) -> tuple[TableFile, TableFile]:
        """Return both versions, or, of two large CSV files of one form, only the lines that differ."""
        if old.form != "csv" or new.form != "csv" or not self.key or any(self.renames.values()):
            return old, new
        if any(side.rows(self.connection) < CHECKED_ROWS for side in (old, new)):
            return old, new
        if not old.dialect["header"] or self._form(old) != self._form(new):
            return old, new
        return differing_lines(self.connection, old, new, folder) or (old, new)

    @staticmethod
    def _form(side: TableFile) -> tuple[Any, ...]:
        types = [(described["name"], described.get("type", "string")) for described in side.schema["fields"]]
        return side.dialect, side.encoding, side.header(), side.missing_values, types

    def run(self, old: TableFile, new: TableFile) -> tuple[pa.Table, TableDiff]:
        """Return the changes of the table's rows, and their counts."""
        mixed = len({side.is_parquet for side in (old, new) if side.resource is not None}) > 1
        there = old if old.resource is not None else new
        shared = [name for name in new.columns if name in there.columns]
        cast = set(new.columns + there.columns) if mixed or not self.key else _retyped(there, new)
        self._view("new", new, shared, cast, renamed=False)
        if old.resource is None:
            self._execute("CREATE OR REPLACE VIEW old_rows AS SELECT * FROM new_rows WHERE false")
        else:
            self._view("old", old, shared, cast, renamed=True)
        for name, side in (("old", old), ("new", new)):
            if side.resource is not None and side.rows(self.connection) < CHECKED_ROWS:
                self._check_unique(f"{name}_rows", name)
        self._pick(shared)
        return self._changes(there, new, shared)

    def _execute(self, query: str) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(query)

    def _view(self, name: str, side: TableFile, shared: Sequence[str], cast: set[str], *, renamed: bool) -> None:
        """Make a view of a file: each row's id, its columns, old ids under their new names, cells cast where needed."""
        expressions = {
            f["name"]: side.lexical(f)
            if f["name"] in cast or (f["name"] in self.key and not side.is_parquet)
            else identifier(f["name"])
            for f in side.schema["fields"]
        }
        if renamed:
            expressions |= self._renamed(expressions, side.schema)
        selected = ", ".join(f"{expression} AS {identifier(column)}" for column, expression in expressions.items())
        self._execute(
            f"CREATE OR REPLACE VIEW {name}_rows AS SELECT {self._identity(shared)} AS __record_id, * "
            f"FROM (SELECT {selected} FROM {side.source()})"
        )

    def _renamed(self, expressions: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, str]:
        targets = {self.key[0]: self.table} if len(self.key) == 1 else {}
        for foreign in schema.get("foreignKeys", []):
            fields = foreign["fields"]
            column = fields if isinstance(fields, str) else fields[0]
            targets.setdefault(column, foreign["reference"].get("resource") or self.table)
        renamed = {}
        for column, target in targets.items():
            if self.renames.get(target):
                pairs = " ".join(f"WHEN {literal(a)} THEN {literal(b)}" for a, b in self.renames[target].items())
                text = f"{expressions[column]}::VARCHAR"
                renamed[column] = f"CASE {text} {pairs} ELSE {text} END"
        return renamed

    def _identity(self, shared: Sequence[str]) -> str:
        """Return the SQL of a row's id: its key, a JSON array of its keys, or its content and a running number."""
        if len(self.key) == 1:
            return f"{identifier(self.key[0])}::VARCHAR"
        columns = self.key or shared
        whole = f"to_json([{', '.join(f'{identifier(name)}::VARCHAR' for name in columns)}])::VARCHAR"
        return whole if self.key else f"md5({whole}) || '#' || row_number() OVER (PARTITION BY {whole})"

    def _check_unique(self, rows: str, side: str) -> None:
        doubled = self._count(rows) - self._count(rows, "DISTINCT __record_id")
        if doubled:
            raise ValueError(f"{self.table}: {doubled} rows of the {side} version share a key or have none")

    def _count(self, rows: str, what: str = "*") -> int:
        return int((self._execute(f"SELECT count({what}) FROM {rows}").fetchone() or [0])[0])

    def _pick(self, shared: Sequence[str]) -> None:
        """Pick the rows that only one version has in this form, as ``old_picked`` and ``new_picked``."""
        columns = list(map(identifier, shared)) if self.key else ["__record_id", *map(identifier, shared)]
        digest = f"hash({', '.join(columns)})"
        self._execute(
            "CREATE OR REPLACE TABLE apart AS SELECT __old.__digest, __new FROM "
            f"(SELECT *, {digest} AS __digest FROM new_rows) __new FULL OUTER JOIN "
            f"(SELECT {digest} AS __digest FROM old_rows) __old ON __old.__digest = __new.__digest "
            "WHERE __old.__digest IS NULL OR __new.__digest IS NULL"
        )
        self._execute("CREATE OR REPLACE VIEW new_picked AS SELECT unnest(__new) FROM apart WHERE __digest IS NULL")
        self._execute(
            f"CREATE OR REPLACE TABLE old_picked AS SELECT * FROM old_rows WHERE {digest} IN "
            "(SELECT __digest FROM apart WHERE __digest IS NOT NULL)"
        )
        for side in ("old", "new"):
            self._check_unique(f"{side}_picked", side)

    def _changes(self, old: TableFile, new: TableFile, shared: Sequence[str]) -> tuple[pa.Table, TableDiff]:
        """Return the cells of the picked rows, in the order of operation, row and column; sorted as rows, not cells."""
        before = {described["name"]: described for described in old.schema["fields"]}
        after = {described["name"]: described for described in new.schema["fields"]}
        changed = [
            _changed(name, old.lexical(before[name], "__old."), new.lexical(after[name], "__new.")) for name in shared
        ]
        changed += [_filled(name, new.lexical(described)) for name, described in after.items() if name not in before]
        self._execute("SET preserve_insertion_order = true")
        # Each of these is too small for DuckDB to share out, so they are run side by side.
        with ThreadPoolExecutor(2) as pool:
            tasks = [
                pool.submit(self._cells, "rename", self._rename_query()),
                pool.submit(self._changed_cells, changed),
                pool.submit(self._cells, "add", _lonely("new", "old", new, "NULL, __cell")),
                pool.submit(self._cells, "remove", _lonely("old", "new", old, "__cell, NULL")),
            ]
            parts = [task.result() for task in tasks]
        self._execute("SET preserve_insertion_order = false")
        added, removed = (self._count(f"{side}_picked") - self._count("both_picked") for side in ("new", "old"))
        renamed, cells = parts[0].num_rows, parts[1].num_rows
        rows = self._count("changed_cells", "DISTINCT r")
        promised = not old.schema.get("transientIds", False)
        return pa.concat_tables(parts), TableDiff(self.table, added, removed, rows, renamed, cells, promised)

    def _changed_cells(self, queries: Sequence[str]) -> pa.Table:
        """Return the change table of the cells that differ in rows that both versions have."""
        cursor = self.connection.cursor()
        cursor.execute(
            "CREATE OR REPLACE TABLE both_picked AS SELECT __old, __new FROM old_picked __old "
            "JOIN new_picked __new ON __old.__record_id = __new.__record_id"
        )
        union = " UNION ALL ".join(queries)
        cursor.execute(f"CREATE OR REPLACE TABLE changed_cells AS SELECT * FROM ({union}) q(r, f, a, b)")
        return self._cells("change", "SELECT * FROM changed_cells ORDER BY r, f")

    def _cells(self, op: str, query: str) -> pa.Table:
        """Return the change table of one operation; the query has record, field, old and new value."""
        cells: pa.Table = (
            self.connection.cursor()
            .sql(
                f"SELECT {literal(self.table)}, r::VARCHAR, {literal(op)}, f, a::VARCHAR, b::VARCHAR, '' "
                f"FROM ({query}) q(r, f, a, b)"
            )
            .to_arrow_table()
        )
        return cells.rename_columns(CHANGE_SCHEMA.names)

    def _rename_query(self) -> str:
        """Return the query for renamed rows, which the view of the old rows has under their new names already."""
        renames = self.renames.get(self.table)
        if not renames or len(self.key) != 1:
            return "SELECT '', '', '', '' WHERE false"
        pairs = ", ".join(f"({literal(a)}, {literal(b)})" for a, b in renames.items())
        return (
            f"SELECT p.a, '', p.a, p.b FROM (VALUES {pairs}) p(a, b) WHERE p.b IN (SELECT __record_id FROM old_rows) "
            "AND p.b IN (SELECT __record_id FROM new_rows) ORDER BY 1"
        )


def _retyped(old: TableFile, new: TableFile) -> set[str]:
    """Return the columns that have another type now; their hashes cannot be compared: 0 and false have the same."""
    types = [{f["name"]: f.get("type", "string") for f in side.schema["fields"]} for side in (old, new)]
    return {name for name, kind in types[0].items() if types[1].get(name, kind) != kind}


def _lonely(rows: str, others: str, side: TableFile, cells: str) -> str:
    """Return the query for all cells of rows that only one version has, the missing ones left out."""
    fields = sorted(side.schema["fields"], key=lambda described: str(described["name"]))
    lexical = ", ".join(f"{side.lexical(f)} AS {identifier(f['name'])}" for f in fields)
    lonely = (
        f"SELECT __record_id, {lexical} FROM {rows}_picked "
        f"WHERE __record_id NOT IN (SELECT __record_id FROM {others}_picked) ORDER BY __record_id"
    )
    names = ", ".join(identifier(f["name"]) for f in fields)
    return f"SELECT __record_id, __column, {cells} FROM (UNPIVOT ({lonely}) ON {names} INTO NAME __column VALUE __cell)"


def _filled(column: str, new: str) -> str:
    """Return the query for the cells of a new column in rows that both versions have."""
    return (
        f"SELECT r.k, {literal(column)}, NULL, r.v FROM (SELECT __record_id AS k, {new} AS v FROM new_rows) r "
        "WHERE r.v IS NOT NULL AND r.k IN (SELECT __record_id FROM old_rows)"
    )


def _changed(column: str, old: str, new: str) -> str:
    """Return the query for the cells of one column that differ in rows that both versions have.

    Most cells of such a row are alike, whatever their types; their hashes tell so without bringing them to a form.
    """
    name = identifier(column)
    return (
        f"SELECT __new.__record_id, {literal(column)}, {old}, {new} FROM both_picked "
        f"WHERE hash(__old.{name}) <> hash(__new.{name}) AND {old} IS DISTINCT FROM {new}"
    )
