"""The difference of two versions of a package: schema, rows by key, and cells with old and new value.

Rows are compared as values and not as text, so that ``1.0`` and ``1``, or a date written in Parquet and in CSV, are
equal. The work is done by DuckDB in two steps. The first picks rows that may differ: by a full join on the key, or,
for large tables, by the rows' 64-bit hashes, which takes two scans but far less memory; there a changed row would
escape with a probability of 2⁻⁶⁴. The second compares the cells of the few rows picked.

A table without a primary key is compared by its unique key or unique column, else as a bag of whole rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet

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


MEMORY = "420MB"
"""What DuckDB may take before it goes to disk; the rest of the process takes some 100 MB."""
LARGE = 3_000_000
"""Rows of both versions together from which on rows are picked by their hashes: about where a join goes to disk."""

BYTES_OF_A_ROW = 200
CHECKED_ROWS = 200_000

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
        connection.execute(f"SET memory_limit = '{MEMORY}'")
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
    if schema_changes or not parts:
        # pyarrow makes even an empty table from Python's values with the help of pandas, which takes 0.2 s to import.
        parts.insert(0, _as_table(schema_changes))
    changes = pa.concat_tables(parts)
    return Diff(_name(old), _name(new), changes, tables, _metadata(old) != _metadata(new))


def _name(package: OpenedPackage) -> str:
    """Return how to call a package: by how it was asked for, and its version where that does not tell it."""
    return package.name if package.version in package.name else f"{package.version} in {package.name}"


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

    Columns of two Parquet files are hashed as they are, and those of two CSV files as text: equal texts are equal
    values, and casting every cell would take longer than all the rest. Where one of each is compared, and in the
    rows that differ, every cell is brought to the one lexical form of its type.
    """

    connection: duckdb.DuckDBPyConnection
    table: str
    renames: Renames
    key: list[str] = field(default_factory=list)

    def run(self, old: Side, new: Side) -> tuple[pa.Table, TableDiff]:
        """Return the changes of the table's rows, and their counts."""
        keys = [key_columns(side.schema) for side in (old, new) if side.resource is not None]
        self.key = keys[-1] if all(key == keys[-1] for key in keys) else []
        mixed = len({side.is_parquet for side in (old, new) if side.resource is not None}) > 1
        there = old if old.resource is not None else new
        shared = [name for name in new.columns if name in there.columns]
        self._view("new", new, shared, cast=mixed or not self.key, renamed=False)
        if old.resource is None:
            self._execute("CREATE OR REPLACE TEMP VIEW old_rows AS SELECT * FROM new_rows WHERE false")
        else:
            self._view("old", old, shared, cast=mixed or not self.key, renamed=True)
        for name, side in (("old", old), ("new", new)):
            if side.is_checked:
                self._check_unique(f"{name}_rows", name)
        self._pick(shared, old.rows + new.rows)
        filled = [f for f in new.schema["fields"] if f["name"] not in there.columns]
        return self._changes(there, new, shared, filled)

    def _execute(self, query: str) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(query)

    def _view(self, name: str, side: Side, shared: Sequence[str], *, cast: bool, renamed: bool) -> None:
        """Make a view of a file: each row's id, its columns, old ids under their new names, cells cast where needed."""
        expressions = {
            f["name"]: side.lexical(f)
            if cast or (f["name"] in self.key and not side.is_parquet)
            else _quoted(f["name"])
            for f in side.schema["fields"]
        }
        if renamed:
            expressions |= self._renamed(expressions, side.schema)
        selected = ", ".join(f"{expression} AS {_quoted(column)}" for column, expression in expressions.items())
        self._execute(
            f"CREATE OR REPLACE TEMP VIEW {name}_rows AS SELECT {self._identity(shared)} AS __record_id, * "
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

    def _one(self, query: str) -> tuple[Any, ...]:
        return self._execute(query).fetchone() or ()

    def _pick(self, shared: Sequence[str], rows: int) -> None:
        """Pick the rows of both versions that may differ, as ``old_picked`` and ``new_picked``."""
        if rows > LARGE and self.key:
            self._pick_by_hash(shared)
        else:
            self._pick_by_join(shared)
        for side in ("old", "new"):
            self._check_unique(f"{side}_picked", side)

    def _check_unique(self, rows: str, side: str) -> None:
        total, distinct = self._one(f"SELECT count(*), count(DISTINCT __record_id) FROM {rows}")
        if total != distinct:
            raise ValueError(f"{self.table}: {total - distinct} rows of the {side} version share a key or have none")

    def _pick_by_join(self, shared: Sequence[str]) -> None:
        other = " OR ".join(f"__old.{_quoted(c)} IS DISTINCT FROM __new.{_quoted(c)}" for c in shared) or "false"
        self._execute(
            "CREATE OR REPLACE TEMP TABLE pairs AS SELECT __old, __new FROM old_rows __old "
            "FULL OUTER JOIN new_rows __new ON __old.__record_id = __new.__record_id "
            f"WHERE __old.__record_id IS NULL OR __new.__record_id IS NULL OR {other}"
        )
        for side in ("old", "new"):
            self._execute(
                f"CREATE OR REPLACE TEMP VIEW {side}_picked AS "
                f"SELECT unnest(__{side}) FROM pairs WHERE __{side}.__record_id IS NOT NULL"
            )

    def _pick_by_hash(self, shared: Sequence[str]) -> None:
        digest = f"hash(__record_id, {', '.join(map(_quoted, shared))})"
        for side, other in (("old", "new"), ("new", "old")):
            self._execute(f"CREATE OR REPLACE TEMP TABLE digests AS SELECT {digest} AS digest FROM {other}_rows")
            self._execute(
                f"CREATE OR REPLACE TEMP TABLE {side}_picked_rows AS "
                f"SELECT * FROM {side}_rows WHERE {digest} NOT IN (SELECT digest FROM digests)"
            )
            self._execute(f"CREATE OR REPLACE TEMP VIEW {side}_picked AS SELECT * FROM {side}_picked_rows")
        self._execute("DROP TABLE digests")

    def _changes(
        self, old: Side, new: Side, shared: Sequence[str], filled: Sequence[Mapping[str, Any]]
    ) -> tuple[pa.Table, TableDiff]:
        for name, side in (("old", old), ("new", new)):
            cells = ", ".join(f"{side.lexical(f)} AS {_quoted(f['name'])}" for f in side.schema["fields"])
            self._execute(
                f"CREATE OR REPLACE TEMP TABLE {name}_touched AS SELECT __record_id, {cells} FROM {name}_picked"
            )
        queries = [*self._rename_queries(), _lonely("add", new.columns), _lonely("remove", old.columns)]
        if shared:
            queries.append(_changed(shared))
        queries += [
            f"SELECT r.k, 'change', {_text(described['name'])}, NULL, r.v FROM (SELECT __record_id AS k, "
            f"{new.lexical(described)} AS v FROM new_rows) r "
            "WHERE r.v IS NOT NULL AND r.k IN (SELECT __record_id FROM old_rows)"
            for described in filled
        ]
        union = " UNION ALL ".join(f"({query})" for query in queries)
        self._execute(f"CREATE OR REPLACE TEMP TABLE changes AS SELECT * FROM ({union}) u(r, op, f, a, b)")
        counted = self._execute("SELECT op, count(DISTINCT r), count(*) FROM changes GROUP BY op").fetchall()
        rows = {op: count for op, count, _ in counted}
        cells_changed = sum(count for op, _, count in counted if op == "change")
        added, removed, changed, renamed = (rows.get(op, 0) for op in ("add", "remove", "change", "rename"))
        result: pa.Table = self.connection.sql(
            f"SELECT {_text(self.table)} t, r::VARCHAR, op, f, a::VARCHAR, b::VARCHAR, '' c "
            "FROM changes ORDER BY r, op, f"
        ).to_arrow_table()
        changes = result.rename_columns(CHANGE_SCHEMA.names)
        return changes, TableDiff(self.table, added, removed, changed, renamed, cells_changed)

    def _rename_queries(self) -> Iterator[str]:
        """Yield the query for renamed rows, which the view of the old rows has under their new names already."""
        renames = self.renames.get(self.table)
        if renames and len(self.key) == 1:
            pairs = ", ".join(f"({_text(a)}, {_text(b)})" for a, b in renames.items())
            yield (
                f"SELECT p.a, 'rename', '', p.a, p.b FROM (VALUES {pairs}) p(a, b) "
                "WHERE p.b IN (SELECT __record_id FROM old_rows) AND p.b IN (SELECT __record_id FROM new_rows)"
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
    def rows(self) -> int:
        """Return the number of rows: of Parquet as its metadata tell, of CSV as its size lets expect."""
        if self.resource is None:
            return 0
        if self.is_parquet:
            return int(pyarrow.parquet.read_metadata(self.path).num_rows)
        return Path(self.path).stat().st_size // BYTES_OF_A_ROW

    @property
    def is_checked(self) -> bool:
        """Tell whether all rows are checked for keys that stand twice; of a large table only those that differ are.

        There the check would take as long as a fifth of the rest, and rows that stand twice and alike in both
        versions make no difference.
        """
        return self.resource is not None and self.rows < CHECKED_ROWS

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

    def lexical(self, described: Mapping[str, Any]) -> str:
        """Return the SQL of a column's cells in the one lexical form of their type.

        A CSV cell that has not the form of its type stays as it is written, so that it equals no other.
        """
        name = _quoted(described["name"])
        kind = described.get("type", "string")
        if self.is_parquet:
            return f"{name}::VARCHAR"
        if kind not in LEXICAL_FORMS:
            return name
        form, duckdb_type = LEXICAL_FORMS[kind]
        cast = f"TRY_CAST({name} AS {duckdb_type})::VARCHAR"
        return f"CASE WHEN regexp_full_match({name}, {_text(form)}) THEN coalesce({cast}, {name}) ELSE {name} END"


def _lonely(op: str, columns: Sequence[str]) -> str:
    """Return the query for all cells of rows that only one version has, the missing ones left out."""
    names = ", ".join(map(_quoted, columns))
    side, other, cells = ("new", "old", "NULL, __cell") if op == "add" else ("old", "new", "__cell, NULL")
    rows = f"SELECT * FROM {side}_touched WHERE __record_id NOT IN (SELECT __record_id FROM {other}_touched)"
    return (
        f"SELECT __record_id, '{op}', __column, {cells} FROM "
        f"(UNPIVOT ({rows}) ON {names} INTO NAME __column VALUE __cell)"
    )


def _changed(columns: Sequence[str]) -> str:
    """Return the query for the cells that differ in rows that both versions have."""
    pairs = ", ".join(
        f"{{'f': {_text(column)}, 'a': o.{_quoted(column)}, 'b': n.{_quoted(column)}}}" for column in columns
    )
    return (
        f"SELECT k, 'change', u.f, u.a, u.b FROM (SELECT o.__record_id AS k, unnest([{pairs}]) AS u "
        "FROM old_touched o JOIN new_touched n ON o.__record_id = n.__record_id) WHERE u.a IS DISTINCT FROM u.b"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
