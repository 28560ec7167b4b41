"""The difference of two versions of a package: schema, rows by key, and cells with old and new value.

Rows are compared as values and not as text, so that ``1.0`` and ``1``, or a date written in Parquet and in CSV, are
equal. The work is done by DuckDB in two steps: each row of both versions is hashed (64 bits) and the hashes are
joined by key, which tells rows that are new, gone or other; only of those the fields are read and compared. A
changed row would escape with a probability of 2⁻⁶⁴.

A table without a primary key is compared by its unique key or unique column, else as a bag of whole rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from iskp.package.opening import OpenedPackage

CHANGE_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("table", "record_id", "op", "field", "old", "new", "cause")]
)
"""The change table: one row per changed cell, per cell of a new or removed row, and per change of the schema.

``op`` is one of ``add_table remove_table add_column remove_column change_type change_constraint change_key add_code
remove_code`` (then ``record_id`` is empty), ``rename``, ``add``, ``remove``, ``change``.
"""

LEXICAL_FORMS = {
    "integer": ("[+-]?[0-9]+", "HUGEINT"),
    "year": ("[+-]?[0-9]+", "HUGEINT"),
    "number": ("[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?", "DOUBLE"),
    "boolean": ("true|false|True|False|TRUE|FALSE|1|0", "BOOLEAN"),
    "date": ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "DATE"),
}
CONSTRAINTS = (
    *("required", "unique", "pattern", "minimum", "maximum"),
    *("exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
)
Renames = Mapping[str, Mapping[str, str]]
"""Table to old id to new id."""


@dataclass(frozen=True)
class TableDiff:
    """How many rows of one table are new, gone, other, renamed, and how many cells changed."""

    table: str
    added: int = 0
    removed: int = 0
    changed: int = 0
    renamed: int = 0
    cells: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.renamed)


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


ROW_OPERATIONS = frozenset({"add", "remove", "change", "rename"})


def diff_packages(old: OpenedPackage, new: OpenedPackage, renames: Renames | None = None) -> Diff:
    """Compare two packages.

    Raises:
        ValueError: if rows of a table share a key, or a cell has not the form of its type.
    """
    before, after = old.resources(), new.resources()
    renames = renames or {}
    parts: list[pa.Table] = []
    tables: dict[str, TableDiff] = {}
    schema_changes: list[Change] = []
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        for name in sorted(before.keys() | after.keys()):
            if name not in after:
                schema_changes.append(Change(name, "remove_table", "", _json(_shape(before[name]["schema"])), ""))
                continue
            if name not in before:
                schema_changes.append(Change(name, "add_table", "", "", _json(_shape(after[name]["schema"]))))
            else:
                schema_changes += schema_difference(name, before[name]["schema"], after[name]["schema"])
            comparison = _Comparison(connection, name, renames)
            part, tables[name] = comparison.run(Side(old, before.get(name)), Side(new, after[name]))
            parts.append(part)
    changes = pa.concat_tables([_as_table(schema_changes), *parts])
    return Diff(old.name, new.name, changes, tables, _metadata(old) != _metadata(new))


@dataclass(frozen=True)
class Change:
    """A change of the schema."""

    table: str
    op: str
    field: str
    old: str
    new: str


def _as_table(changes: Sequence[Change]) -> pa.Table:
    rows = [
        {"table": c.table, "record_id": "", "op": c.op, "field": c.field, "old": c.old, "new": c.new, "cause": ""}
        for c in changes
    ]
    return pa.Table.from_pylist(rows, schema=CHANGE_SCHEMA)


IGNORED = frozenset({"version", "created", "resources", "temporal", "spatial", "sources"})


def _metadata(package: OpenedPackage) -> dict[str, Any]:
    """Return what a descriptor says apart from the tables' content, versions and dates."""
    about = {key: value for key, value in package.descriptor.items() if key not in IGNORED}
    about["tables"] = {name: resource["schema"] for name, resource in package.resources().items()}
    return about


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


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


def schema_difference(table: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes of one table's schema, in the order of its columns."""
    before = {f["name"]: f for f in old["fields"]}
    after = {f["name"]: f for f in new["fields"]}
    if key_columns(old) != key_columns(new):
        yield Change(table, "change_key", "", _json(key_columns(old)), _json(key_columns(new)))
    for name, described in before.items():
        if name not in after:
            yield Change(table, "remove_column", name, described.get("type", "string"), "")
    for position, (name, described) in enumerate(after.items()):
        if name not in before:
            yield Change(table, "add_column", name, "", _json([position, described.get("type", "string")]))
        else:
            yield from _field_difference(table, name, before[name], described)
    if _foreign_keys(old) != _foreign_keys(new):
        yield Change(table, "change_constraint", "foreignKeys", _json(_foreign_keys(old)), _json(_foreign_keys(new)))


def _foreign_keys(schema: Mapping[str, Any]) -> list[Any]:
    return sorted(schema.get("foreignKeys", []), key=_json)


def _field_difference(table: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    if old.get("type", "string") != new.get("type", "string"):
        yield Change(table, "change_type", name, old.get("type", "string"), new.get("type", "string"))
    before, after = old.get("constraints", {}), new.get("constraints", {})
    for constraint in CONSTRAINTS:
        if before.get(constraint) != after.get(constraint):
            values = _json({constraint: before.get(constraint)}), _json({constraint: after.get(constraint)})
            yield Change(table, "change_constraint", name, *values)
    codes, other = codes_of(old), codes_of(new)
    if (codes is None) != (other is None):
        yield Change(table, "change_constraint", name, _json({"enum": codes}), _json({"enum": other}))
    for code in codes or []:
        if other is not None and code not in other:
            yield Change(table, "remove_code", name, str(code), "")
    for code in other or []:
        if codes is not None and code not in codes:
            yield Change(table, "add_code", name, "", str(code))


def codes_of(described: Mapping[str, Any]) -> list[Any] | None:
    """Return the closed vocabulary of a column: its enum, else its categories, else ``None``."""
    enum = described.get("constraints", {}).get("enum")
    if enum is not None:
        return list(enum)
    categories = described.get("categories")
    if categories is None:
        return None
    return [category["value"] if isinstance(category, dict) else category for category in categories]


@dataclass
class _Comparison:
    """The comparison of one table, as SQL.

    Where both versions are Parquet the columns keep their types; else every cell is brought to one lexical form, so
    that a date or a number of a CSV file equals that of a Parquet file.
    """

    connection: duckdb.DuckDBPyConnection
    table: str
    renames: Renames
    key: list[str] = field(default_factory=list)
    typed: bool = True

    def run(self, old: Side, new: Side) -> tuple[pa.Table, TableDiff]:
        """Return the changes of the table's rows, and their counts."""
        keys = [key_columns(side.schema) for side in (old, new) if side.resource is not None]
        self.key = keys[-1] if all(key == keys[-1] for key in keys) else []
        self.typed = all(side.is_parquet for side in (old, new) if side.resource is not None)
        shared = [name for name in new.columns if name in old.columns] if old.resource is not None else new.columns
        self._view("new_rows", new, renamed=False)
        if old.resource is None:
            self._execute("CREATE OR REPLACE TEMP VIEW old_rows AS SELECT * FROM new_rows WHERE false")
        else:
            self._view("old_rows", old, renamed=True)
        for side in ("old", "new"):
            self._hash(side, shared)
        touched = self._join()
        filled = [] if old.resource is None else [name for name in new.columns if name not in shared]
        if not touched and not filled and not self.renames.get(self.table):
            return CHANGE_SCHEMA.empty_table(), TableDiff(self.table)
        old_columns = old.columns if old.resource is not None else new.columns
        changes = self._changes(old_columns, new.columns, shared, filled)
        return changes, _counted(self.table, changes)

    def _execute(self, query: str) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(query)

    def _view(self, view: str, side: Side, *, renamed: bool) -> None:
        """Make a view of a file, its old ids under their new names."""
        expressions = {f["name"]: side.expression(f, typed=self.typed) for f in side.schema["fields"]}
        if renamed:
            expressions |= self._renamed(expressions, side.schema)
        selected = ", ".join(f"{expression} AS {_quoted(name)}" for name, expression in expressions.items())
        self._execute(f"CREATE OR REPLACE TEMP VIEW {view} AS SELECT {selected} FROM {side.source()}")

    def _renamed(self, expressions: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, str]:
        targets = {self.key[0]: self.table} if len(self.key) == 1 else {}
        for foreign in schema.get("foreignKeys", []):
            fields = foreign["fields"]
            column = fields if isinstance(fields, str) else fields[0]
            targets.setdefault(column, foreign["reference"].get("resource") or self.table)
        renamed = {}
        for column, target in targets.items():
            if self.renames.get(target):
                pairs = " ".join(f"WHEN {_text(a)} THEN {_text(b)}" for a, b in self.renames[target].items())
                text = f"{expressions[column]}::VARCHAR"
                renamed[column] = f"CASE {text} {pairs} ELSE {text} END"
        return renamed

    def _identity(self, shared: Sequence[str]) -> str:
        """Return the SQL of a row's id: its key, a JSON array of its keys, or its content and a running number."""
        if len(self.key) == 1:
            return f"{_quoted(self.key[0])}::VARCHAR"
        columns = self.key or shared
        whole = f"to_json([{', '.join(f'{_quoted(name)}::VARCHAR' for name in columns)}])::VARCHAR"
        return whole if self.key else f"md5({whole}) || '#' || row_number() OVER (PARTITION BY {whole})"

    def _hash(self, side: str, shared: Sequence[str]) -> None:
        values = ", ".join(map(_quoted, shared)) or "1"
        self._execute(
            f"CREATE OR REPLACE TEMP TABLE {side}_hashes AS "
            f"SELECT {self._identity(shared)} AS record_id, hash({values}) AS digest FROM {side}_rows"
        )
        total, distinct = self._one(f"SELECT count(*), count(DISTINCT record_id) FROM {side}_hashes")
        if total != distinct:
            raise ValueError(f"{self.table}: {total - distinct} rows of the {side} version share a key, or have none")

    def _one(self, query: str) -> tuple[Any, ...]:
        return self._execute(query).fetchone() or ()

    def _join(self) -> int:
        """Join the hashes by key; return the number of rows that are new, gone or other."""
        self._execute(
            "CREATE OR REPLACE TEMP TABLE touched AS SELECT coalesce(n.record_id, o.record_id) AS record_id, "
            "CASE WHEN o.record_id IS NULL THEN 'add' WHEN n.record_id IS NULL THEN 'remove' ELSE 'change' END AS op "
            "FROM old_hashes o FULL OUTER JOIN new_hashes n ON o.record_id = n.record_id "
            "WHERE o.digest IS DISTINCT FROM n.digest OR o.record_id IS NULL OR n.record_id IS NULL"
        )
        (touched,) = self._one("SELECT count(*) FROM touched")
        return int(touched)

    def _changes(
        self, old: Sequence[str], new: Sequence[str], shared: Sequence[str], filled: Sequence[str]
    ) -> pa.Table:
        identity = self._identity(shared)
        for side, columns in (("old", old), ("new", new)):
            cells = ", ".join(f"{_quoted(column)}::VARCHAR AS {_quoted(column)}" for column in columns)
            self._execute(
                f"CREATE OR REPLACE TEMP TABLE {side}_touched AS SELECT * FROM (SELECT {identity} AS __record_id, "
                f"{cells} FROM {side}_rows) WHERE __record_id IN (SELECT record_id FROM touched)"
            )
        queries = [*self._rename_queries()]
        queries += [_lonely("add", "new", column) for column in new]
        queries += [_lonely("remove", "old", column) for column in old]
        queries += [_changed(column) for column in shared]
        for column in filled:
            cell = f"{_quoted(column)}::VARCHAR"
            queries.append(
                f"SELECT r.k, 'change', {_text(column)}, NULL, r.v FROM (SELECT {identity} AS k, {cell} AS v FROM "
                "new_rows) r JOIN old_hashes o ON o.record_id = r.k WHERE r.v IS NOT NULL"
            )
        union = " UNION ALL ".join(queries)
        result: pa.Table = self.connection.sql(
            f"SELECT {_text(self.table)} t, r, op, f, a, b, '' c FROM ({union}) u(r, op, f, a, b) ORDER BY r, op, f"
        ).to_arrow_table()
        return result.rename_columns(CHANGE_SCHEMA.names).cast(CHANGE_SCHEMA).combine_chunks()

    def _rename_queries(self) -> Iterator[str]:
        """Yield the query for renamed rows, which the view of the old rows has under their new names already."""
        renames = self.renames.get(self.table)
        if renames and len(self.key) == 1:
            pairs = ", ".join(f"({_text(a)}, {_text(b)})" for a, b in renames.items())
            yield (
                f"SELECT p.a, 'rename', '', p.a, p.b FROM (VALUES {pairs}) p(a, b) "
                "JOIN old_hashes o ON o.record_id = p.b JOIN new_hashes n ON n.record_id = p.b"
            )


@dataclass(frozen=True)
class Side:
    """One version of a table: its file and schema; ``resource`` is ``None`` where the version has no such table."""

    package: OpenedPackage
    resource: Mapping[str, Any] | None

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

    @property
    def is_parquet(self) -> bool:
        """Tell whether the file is Parquet."""
        return self.path.endswith(".parquet")

    def source(self) -> str:
        """Return the SQL that reads the file; CSV as text, since DuckDB's own casts are not those of Table Schema."""
        if self.is_parquet:
            return f"read_parquet({_text(self.path)})"
        delimiter = (self.resource or {}).get("dialect", {}).get("delimiter", ",")
        columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in self.columns)
        return (
            f"read_csv({_text(self.path)}, header = true, auto_detect = false, delim = {_text(delimiter)}, "
            f"quote = '\"', escape = '\"', nullstr = '', columns = {{{columns}}})"
        )

    def expression(self, described: Mapping[str, Any], *, typed: bool) -> str:
        """Return the SQL of a column: as it is, or in the one lexical form of its type.

        A CSV cell that has not the form of its type stays as it is written, so that it equals no other.
        """
        name = _quoted(described["name"])
        if typed:
            return name
        if self.is_parquet:
            return f"{name}::VARCHAR"
        kind = described.get("type", "string")
        if kind not in LEXICAL_FORMS:
            return name
        form, duckdb_type = LEXICAL_FORMS[kind]
        cast = f"TRY_CAST({name} AS {duckdb_type})::VARCHAR"
        return f"CASE WHEN regexp_full_match({name}, {_text(form)}) THEN coalesce({cast}, {name}) ELSE {name} END"


def _counted(table: str, changes: pa.Table) -> TableDiff:
    rows = {
        op: len(pc.unique(changes.filter(pc.equal(changes["op"], op))["record_id"]))
        for op in ("add", "remove", "change", "rename")
    }
    cells = int(pc.sum(pc.equal(changes["op"], "change")).as_py() or 0)
    return TableDiff(table, rows["add"], rows["remove"], rows["change"], rows["rename"], cells)


def _lonely(op: str, side: str, column: str) -> str:
    cell = f"x.{_quoted(column)}"
    old, new = ("NULL", cell) if op == "add" else (cell, "NULL")
    return (
        f"SELECT t.record_id, '{op}', {_text(column)}, {old}, {new} FROM touched t "
        f"JOIN {side}_touched x ON x.__record_id = t.record_id WHERE t.op = '{op}' AND {cell} IS NOT NULL"
    )


def _changed(column: str) -> str:
    quoted = _quoted(column)
    return (
        f"SELECT o.__record_id, 'change', {_text(column)}, o.{quoted}, n.{quoted} FROM old_touched o "
        f"JOIN new_touched n ON o.__record_id = n.__record_id WHERE o.{quoted} IS DISTINCT FROM n.{quoted}"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
