"""Table schemas: the one definition of every column, read strictly.

A schema is a Table Schema (Data Package v2) with three extension properties that this package gives to fields:
``derived`` (computed from other cells), ``editorial`` (our own words or a decision of ours) and ``mapping`` (the
corresponding field of another dataset). Unknown keys are refused, since a misspelt ``constraint`` would otherwise
switch a check off without a word. Arrow types, pandas dtypes, pandera checks and the descriptor are projections
of the models in this module; none of them defines a column again.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from iskp.problem import Problem, ProblemsFound

FieldType = Literal["string", "integer", "number", "boolean", "date"]


class Strict(BaseModel):
    """Base of all models that a person writes as a file: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Category(Strict):
    """One code of a closed vocabulary; ``broader`` is the code of a wider vocabulary that it implies."""

    value: str
    label: str
    description: str = ""
    broader: str | None = None


class Constraints(Strict):
    """Constraints of a field, as in Table Schema v2."""

    required: bool = False
    unique: bool = False
    enum: tuple[str, ...] | None = None
    pattern: str | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None


class FieldSchema(Strict):
    """One column."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: FieldType
    title: str
    description: str = Field(min_length=10)
    example: str
    constraints: Constraints = Constraints()
    categories: tuple[Category, ...] | None = None
    derived: bool = False
    editorial: bool = False
    mapping: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _codes_are_told_once(self) -> FieldSchema:
        codes = None if self.categories is None else tuple(category.value for category in self.categories)
        if codes != self.constraints.enum:
            raise ValueError("constraints.enum and categories must list the same codes in the same order")
        return self


class Reference(Strict):
    """The far end of a foreign key; ``resource`` is empty for the table itself."""

    resource: str
    fields: tuple[str, ...]


class ForeignKey(Strict):
    """A foreign key."""

    fields: tuple[str, ...]
    reference: Reference


class TableSchema(Strict):
    """One table.

    ``transient_ids`` says that the keys of its rows are made of what they say, so that a row comes and goes as a value
    is corrected: nobody is promised that such an id stays, as they are for the ids of other tables.
    """

    name: str
    title: str
    description: str
    fields: tuple[FieldSchema, ...]
    missing_values: tuple[Literal[""], ...] = Field(alias="missingValues")
    primary_key: tuple[str, ...] = Field(alias="primaryKey", min_length=1)
    transient_ids: bool = Field(alias="transientIds", default=False)
    unique_keys: tuple[tuple[str, ...], ...] = Field(alias="uniqueKeys", default=())
    foreign_keys: tuple[ForeignKey, ...] = Field(alias="foreignKeys", default=())

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(field.name for field in self.fields)

    @property
    def key(self) -> str:
        """Name of the primary key's column.

        Raises:
            ValueError: if the key has more than one column.
        """
        if len(self.primary_key) != 1:
            raise ValueError(f"{self.name}: the primary key has {len(self.primary_key)} columns")
        return self.primary_key[0]

    def field(self, name: str) -> FieldSchema:
        """Return the column of that name.

        Raises:
            KeyError: if there is none.
        """
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no column {name!r}")

    @model_validator(mode="after")
    def _keys_name_columns(self) -> TableSchema:
        columns = set(self.columns)
        if len(columns) != len(self.fields):
            raise ValueError("two columns have the same name")
        keys: list[Sequence[str]] = [self.primary_key, *self.unique_keys]
        keys += [foreign.fields for foreign in self.foreign_keys]
        for key in keys:
            if unknown := set(key) - columns:
                raise ValueError(f"a key names the column {min(unknown)!r}, which the table does not have")
        return self

    def descriptor(self) -> dict[str, Any]:
        """Return the schema as the JSON object that a data package embeds."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


Schemas = Mapping[str, TableSchema]


def suggest(name: str, known: Sequence[str]) -> str:
    """Name the nearest known word, or list the known ones when none is near.

    >>> suggest("evnts", ["events", "places"])
    "did you mean 'events'?"
    """
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else "known are: " + ", ".join(sorted(known))


MODELS = (TableSchema, FieldSchema, Constraints, Category, ForeignKey, Reference)
KEYS = sorted({field.alias or name for model in MODELS for name, field in model.model_fields.items()})


def schema_faults(error: ValidationError) -> list[tuple[str, str]]:
    """Return the faults of a schema, each as what is wrong, and what to do."""
    faults = []
    for detail in error.errors():
        place = ".".join(map(str, detail["loc"])) or "schema"
        if detail["type"] == "extra_forbidden":
            faults.append((f"{place}: unknown key", suggest(str(detail["loc"][-1]), KEYS)))
        else:
            message = detail["msg"].removeprefix("Value error, ")
            faults.append((f"{place}: {message}", "see Table Schema v2 and the models of iskp.package.schema"))
    return faults


def _shown(path: Path) -> str:
    """Name a schema file with its folder: where a person finds it, on whatever machine the package lies."""
    return f"{path.parent.name}/{path.name}"


def read_schema(path: Path) -> TableSchema:
    """Read one schema file.

    Raises:
        ProblemsFound: if the file is no JSON, has an unknown key, or contradicts itself.
    """
    try:
        return TableSchema.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise ProblemsFound(
            [Problem(_shown(path), error.lineno, f"not JSON: {error.msg}", "mend the syntax", "schema_syntax")]
        ) from error
    except ValidationError as error:
        raise ProblemsFound(
            Problem(_shown(path), 0, what, remedy, "schema_model") for what, remedy in schema_faults(error)
        ) from error


def read_schemas(folder: Path) -> dict[str, TableSchema]:
    """Read every ``*.json`` in a folder; the file's name must be the table's.

    Raises:
        ProblemsFound: for faults inside a file, a misnamed file, a foreign key that leads nowhere, and a column
            name that stands for two types (one name means one thing, in every table).
    """
    schemas: dict[str, TableSchema] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.json")):
        try:
            schema = read_schema(path)
        except ProblemsFound as found:
            problems += found.problems
            continue
        if schema.name != path.stem:
            problems.append(
                Problem(_shown(path), 0, f"the schema calls itself {schema.name!r}", "rename one", "schema_name")
            )
        schemas[schema.name] = schema
    problems += [] if problems else _check_together(schemas, folder)
    if problems:
        raise ProblemsFound(problems)
    return schemas


def _check_together(schemas: Schemas, folder: Path) -> list[Problem]:
    problems: list[Problem] = []
    types: dict[str, tuple[str, str]] = {}
    for schema in schemas.values():
        path = _shown(folder / f"{schema.name}.json")
        for field in schema.fields:
            other, kind = types.setdefault(field.name, (schema.name, field.type))
            if kind != field.type:
                problems.append(
                    Problem(
                        path,
                        0,
                        f"column {field.name!r} is {field.type} here and {kind} in {other}",
                        "give one of them another name",
                        "schema_one_meaning",
                    )
                )
        for foreign in schema.foreign_keys:
            target = schemas.get(foreign.reference.resource)
            if target is None or not set(foreign.reference.fields) <= set(target.columns):
                problems.append(
                    Problem(
                        path,
                        0,
                        f"a foreign key leads to {foreign.reference.resource}.{', '.join(foreign.reference.fields)}",
                        "name a table and column that exist",
                        "schema_foreign_key",
                    )
                )
    return problems
