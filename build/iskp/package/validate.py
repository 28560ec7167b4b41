"""Validation of a package on disk: any tabular Data Package, and closely those whose schemas keep to our model.

Each check takes what it needs and returns problems; none prints or stops early, so that one run shows all faults.
frictionless gives a second opinion on the descriptor and the tables that are not Parquet, beside these checks: it does
not enforce categories, ``uniqueKeys``, hashes of Parquet files or line breaks in cells, and cannot read nulls in
Parquet integers, so those are checked here. Of a package that others made, with types and missing values that our
model has not, the profile, the bytes and the hashes are checked here, and the cells by frictionless alone.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pyarrow.parquet
from pydantic import ValidationError

from iskp.package.files import sha256
from iskp.package.resource import file_format, is_local_file
from iskp.package.schema import Constraints, FieldSchema, ForeignKey, TableSchema, schema_faults
from iskp.package.second_opinion import SecondOpinion
from iskp.package.text import LEXICAL, parse_cell
from iskp.package.types import CONTROL, MISSING_TOKENS, Cell, arrow_schema
from iskp.problem import REBUILD, Problem

Table = Sequence[Mapping[str, Cell]]


def validate_package(path: Path) -> list[Problem]:
    """Check the package whose descriptor is at ``path``; return every problem, sorted, none if it is good.

    What frictionless says counts only where our own checks find nothing: it would say most faults again.
    """
    with SecondOpinion() as second_opinion:
        second_opinion.ask(path)
        problems = check_package(path)
        if any(problem.rule == "descriptor_syntax" for problem in problems):
            return problems
        if not is_of_our_kind(path):
            found = [*problems, *second_opinion.answer()]
            return sorted(replace(problem, remedy=_remedy_of_others(problem)) for problem in found)
        return problems or sorted(second_opinion.answer())


def _remedy_of_others(problem: Problem) -> str:
    return "mend the data, or the schema" if problem.remedy == REBUILD else problem.remedy


def check_package(path: Path) -> list[Problem]:
    """Check a package as :func:`validate_package` does, without the second opinion."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [_problem(path.name, f"cannot be read as JSON: {error}", REBUILD, "descriptor_syntax")]
    problems = check_profile(content, path.name)
    local = [described for described in _resources(content) if is_local_file(described)]
    for described in local:
        problems += check_bytes(described, path.parent)
    schemas, faults = _read_schemas(local)
    if schemas:
        problems += [_problem(path.name, *fault, "schema_model") for fault in faults]
    tables: dict[str, Table] = {}
    for described in local:
        name, file = described["name"], path.parent / described["path"]
        if name in schemas and file_format(described) == "csv" and file.is_file():
            tables[name], found = read_csv_table(file.read_bytes(), schemas[name], described["path"])
            problems += found
    for name in tables:
        problems += check_keys(tables, name, schemas[name])
    for described in local:
        file = path.parent / described["path"]
        twin = described["name"].removesuffix("-parquet")
        if file_format(described) == "parquet" and file.is_file() and twin in tables:
            problems += check_twin(file, tables[twin], schemas[twin], described["path"])
    return sorted(problems)


def _resources(content: Any) -> list[dict[str, Any]]:
    """Return the resources of a descriptor that have at least a name, whatever else the profile says of it."""
    listed = content.get("resources") if isinstance(content, dict) else None
    named = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return [each for each in named if isinstance(each.get("name"), str)]


def _read_schemas(local: Sequence[Mapping[str, Any]]) -> tuple[dict[str, TableSchema], list[tuple[str, str]]]:
    """Read the schemas of resources; return also what is wrong, each with a remedy, with those that are not ours.

    Our model is narrower than Table Schema: each column is described, an empty cell alone is missing, and so on. A
    package of which no schema keeps to it was made by others, and its cells are frictionless's to judge.
    """
    schemas: dict[str, TableSchema] = {}
    faults: list[tuple[str, str]] = []
    for described in local:
        if "schema" not in described:
            continue
        try:
            schemas[described["name"]] = TableSchema.model_validate(described["schema"])
        except ValidationError as error:
            faults += [(f"the schema of {described['name']}: {what}", remedy) for what, remedy in schema_faults(error)]
    return schemas, faults


def is_of_our_kind(path: Path) -> bool:
    """Tell whether a package keeps to our model of schemas, so that our own checks read its cells."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return bool(_read_schemas([described for described in _resources(content) if is_local_file(described)])[0])


def _problem(file: str, what: str, remedy: str, rule: str, line: int = 0) -> Problem:
    return Problem(file, line, what, remedy, rule)


def check_profile(content: Any, name: str) -> list[Problem]:
    """Check a descriptor against the official Data Package v2 profile, vendored so that no network is needed."""
    profile = resources.files("iskp.package").joinpath("profiles/datapackage-2.0.json").read_text(encoding="utf-8")
    validator = jsonschema_rs.Draft7Validator(json.loads(profile))
    return [
        _problem(
            name,
            f"{'/'.join(map(str, error.instance_path)) or 'the descriptor'} breaks the profile: {error.message[:200]}",
            "mend the metadata",
            "v2_profile",
        )
        for error in validator.iter_errors(content)
    ]


def check_bytes(described: Mapping[str, Any], root: Path) -> list[Problem]:
    """Check that a resource's file exists and has the declared size and SHA-256."""
    file = root / described["path"]
    if not file.is_file():
        return [_problem(described["path"], "the file is missing", REBUILD, "file_exists")]
    content = file.read_bytes()
    problems = []
    if "bytes" in described and described["bytes"] != len(content):
        what = f"{len(content)} bytes, but the descriptor says {described['bytes']}"
        problems.append(_problem(described["path"], what, REBUILD, "file_bytes"))
    algorithm, _, digest = described.get("hash", "").rpartition(":")
    if algorithm == "sha256" and digest != sha256(content):
        what = f"SHA-256 is {sha256(content)}, but the descriptor says {digest}"
        problems.append(_problem(described["path"], what, REBUILD, "file_hash"))
    return problems


def read_csv_cells(content: bytes) -> list[list[str]]:
    """Read the cells of a CSV file as text, without its header."""
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))[1:]


def read_csv_table(content: bytes, schema: TableSchema, name: str) -> tuple[Table, list[Problem]]:
    """Parse CSV bytes into typed records, with a problem for each cell or line that breaks the schema.

    A cell that fails is read as missing, so that later checks still see its row.
    """
    problems: list[Problem] = []
    try:
        text = content.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        return [], [_problem(name, f"not UTF-8: {error}", REBUILD, "csv_encoding")]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(reader, [])
    if tuple(header) != schema.columns:
        what = f"the header is {', '.join(header)}, but the schema has {', '.join(schema.columns)}"
        return [], [_problem(name, what, REBUILD, "csv_header", line=1)]
    records: list[dict[str, Cell]] = []
    try:
        for row in reader:
            if len(row) == len(header):
                record, found = _read_row(row, schema, name, reader.line_num)
                records.append(record)
                problems += found
            else:
                what = f"{len(row)} cells instead of {len(header)}"
                problems.append(Problem(name, reader.line_num, what, REBUILD, "csv_width"))
    except csv.Error as error:
        problems.append(Problem(name, reader.line_num, f"no CSV from here on: {error}", REBUILD, "csv_syntax"))
    return records, problems


def _read_row(row: Sequence[str], schema: TableSchema, name: str, line: int) -> tuple[dict[str, Cell], list[Problem]]:
    record: dict[str, Cell] = dict.fromkeys(schema.columns)
    problems = []
    for field, cell in zip(schema.fields, row, strict=True):
        for what, rule in _cell_faults(cell, field):
            problems.append(Problem(name, line, what, REBUILD, rule, column=field.name, value=cell[:60]))
        try:
            record[field.name] = parse_cell(cell, field.type)
        except ValueError as error:
            problems.append(Problem(name, line, str(error), REBUILD, "cell_type", column=field.name))
    return record, problems


def _cell_faults(cell: str, field: FieldSchema) -> Iterator[tuple[str, str]]:
    constraints = field.constraints
    if cell == "":
        if constraints.required:
            yield "the cell is empty, but the column is required", "cell_required"
        return
    if CONTROL.search(cell):
        yield "a line break or control character in the cell", "cell_control"
    if cell in MISSING_TOKENS:
        yield f"the text {cell!r} would be read as missing", "cell_missing_token"
    if constraints.enum is not None and cell not in constraints.enum:
        yield f"{cell!r} is no code of the column", "cell_enum"
    if constraints.pattern is not None and not re.fullmatch(constraints.pattern, cell):
        yield f"{cell!r} does not match {constraints.pattern}", "cell_pattern"
    if field.type in {"integer", "number"} and LEXICAL[field.type].fullmatch(cell):
        yield from _range_faults(float(cell), constraints)


def _range_faults(number: float, constraints: Constraints) -> Iterator[tuple[str, str]]:
    if constraints.minimum is not None and number < constraints.minimum:
        yield f"{number} is below {constraints.minimum}", "cell_minimum"
    if constraints.maximum is not None and number > constraints.maximum:
        yield f"{number} is above {constraints.maximum}", "cell_maximum"


def check_keys(tables: Mapping[str, Table], name: str, schema: TableSchema) -> list[Problem]:
    """Check primary key, unique keys, order of rows and foreign keys of one table."""
    rows = tables[name]
    faults = [*_repeated(rows, schema.primary_key, "primary_key")]
    for key in schema.unique_keys:
        faults += _repeated(rows, key, "unique_key")
    faults += _out_of_order(rows, schema)
    for foreign in schema.foreign_keys:
        faults += _dangling(rows, foreign, tables.get(foreign.reference.resource or name))
    return [_row_problem(name, schema, fault) for fault in faults]


RowFault = tuple[Mapping[str, Cell], Sequence[str], str, str]
"""Row, columns, what is wrong, and the rule."""


def _row_problem(name: str, schema: TableSchema, fault: RowFault) -> Problem:
    row, columns, what, rule = fault
    key = "/".join(str(row[column]) for column in schema.primary_key)
    value = ", ".join(str(row[column]) for column in columns)
    return Problem(name, 0, what, REBUILD, rule, table=name, key=key, column=", ".join(columns), value=value)


def _repeated(rows: Table, columns: Sequence[str], rule: str) -> Iterator[RowFault]:
    seen: set[tuple[Cell, ...]] = set()
    for row in rows:
        values = tuple(row[column] for column in columns)
        if values in seen:
            yield row, columns, "another row has the same key", rule
        seen.add(values)


def _out_of_order(rows: Table, schema: TableSchema) -> Iterator[RowFault]:
    keys = [tuple(str(row[column]) for column in schema.primary_key) for row in rows]
    for row, before, after in zip(rows[1:], keys, keys[1:], strict=False):
        if after < before:
            yield row, schema.primary_key, "the row is out of order", "row_order"


def _dangling(rows: Table, foreign: ForeignKey, target: Table | None) -> Iterator[RowFault]:
    if target is None:
        return
    known = {tuple(row[column] for column in foreign.reference.fields) for row in target}
    for row in rows:
        values = tuple(row[column] for column in foreign.fields)
        if None not in values and values not in known:
            yield row, foreign.fields, f"no such row in {foreign.reference.resource or 'this table'}", "foreign_key"


def check_twin(file: Path, rows: Table, schema: TableSchema, name: str) -> list[Problem]:
    """Check that a Parquet file has the schema's Arrow types and, cell by cell, the values of its CSV twin."""
    with pyarrow.parquet.ParquetFile(file) as opened:
        table = opened.read()
    wanted = arrow_schema(schema)
    if not table.schema.equals(wanted):
        return [_problem(name, "the Arrow schema is not that of the table", REBUILD, "parquet_schema")]
    twin_rows = table.to_pylist()
    if len(twin_rows) != len(rows):
        what = f"{len(twin_rows)} rows, but {len(rows)} in the CSV file"
        return [_problem(name, what, REBUILD, "parquet_rows")]
    problems = []
    for row, twin in zip(rows, twin_rows, strict=True):
        for column in schema.columns:
            if row[column] != twin[column]:
                what = f"{twin[column]!r}, but {row[column]!r} in the CSV file"
                key = "/".join(str(row[part]) for part in schema.primary_key)
                problems.append(
                    Problem(name, 0, what, REBUILD, "parquet_cell", table=schema.name, key=key, column=column)
                )
    return problems
