"""The coding sheet: one YAML file for what one document says.

A sheet has the document's bibliographic record and, by table and record, what the document states. Every coded value
is a claim: the value, the words that carry it, and where they stand. Most rows share one span, so a row may give
``at``, ``stated``, ``qualifier``, ``asserted_by_id`` and ``note`` once for all its plain values, and a value that
has its own is written as a mapping; where the document states a field more than once, the value is a list of these::

    events:
      ev0042:
        event_type: {value: suicide_bombing, stated: suicide blast, at: 312+2:9f86…}
        actors:
          - {org_id: islamic-state, role: claimant, certainty: asserted, at: 305+4:2c26…}

The columns, their codes and their patterns come from the table schemas: the models are made from them, so nothing is
defined here twice.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, create_model

from iskp.coding.edtf_dates import bounds
from iskp.coding.evidence import Evidence, normalised_words
from iskp.coding.figures import read_figure
from iskp.coding.yaml_lines import LinedFile, Place
from iskp.package.schema import FieldSchema, Schemas, Strict, TableSchema, suggest
from iskp.package.text import LEXICAL
from iskp.package.types import CONTROL, MISSING_TOKENS
from iskp.problem import Problem, ProblemsFound

STATED_WORDS = 9
"""A sheet carries at most the few words that bear a value, never a sentence."""


@dataclass(frozen=True)
class Section:
    """A table as it stands in a sheet: under its parent's rows, in a list; its id is made of some columns."""

    table: str
    parent: str
    id_columns: tuple[str, ...]


CHILD_SECTIONS: Mapping[str, Section] = {
    "actors": Section("event_actors", "events", ("role", "org_id")),
    "counts": Section("event_counts", "events", ("measure", "victim_class")),
    "names": Section("organization_names", "organizations", ("name",)),
    "relations": Section("organization_relations", "organizations", ("relation", "related_org_id")),
    "presence": Section("organization_presence", "organizations", ("presence_kind", "place_id")),
    "identifiers": Section("organization_identifiers", "organizations", ("scheme", "identifier")),
    "estimates": Section("estimates", "organizations", ("measure", "estimator_id")),
    "actions": Section("designation_actions", "designations", ("action",)),
}
REGISTRY_COLUMNS: Mapping[str, frozenset[str]] = {
    "events": frozenset({"event_id", "title", "description"}),
    "organizations": frozenset({"org_id", "name", "acronym", "description"}),
    "designations": frozenset({"designation_id"}),
    "places": frozenset({"place_id", "name", "place_type", "parent_id"}),
}
"""Columns that the registry gives and no sheet may: identity, and our own words."""

FIGURE_COLUMNS = frozenset({"best"})
T = TypeVar("T")


def is_date_column(name: str) -> bool:
    """Tell whether a column holds an EDTF expression."""
    return name.endswith("_edtf")


def _check_edtf(value: str) -> str:
    bounds(value)
    return value


def _check_evidence(value: str) -> str:
    Evidence.parse(value)
    return value


def _check_stated(value: str) -> str:
    if len(normalised_words(value)) > STATED_WORDS:
        raise ValueError(f"at most {STATED_WORDS} words of a text may be kept; leave out what does not carry the value")
    return value


def _check_figure(value: str) -> str:
    read_figure(value)
    return value


def _check_text(value: str) -> str:
    if CONTROL.search(value):
        raise ValueError("a line break or control character in a cell; write the text on one line")
    if value in MISSING_TOKENS:
        raise ValueError("many programs read this text as a missing value; write it out, or leave the key out")
    return value


Text = Annotated[str, Field(min_length=1), AfterValidator(_check_text)]
Stated = Annotated[str, AfterValidator(_check_text), AfterValidator(_check_stated)]
At = Annotated[str, AfterValidator(_check_evidence)]
Edtf = Annotated[str, AfterValidator(_check_edtf)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Qualifier = Literal["exact", "at_least", "more_than", "nearly", "about", "up_to", "range", "vague", "near", "inferred"]


class Claimed(Strict, Generic[T]):
    """One claim: a value, or a mere word for a number, and what carries it."""

    value: T | None = None
    stated: Stated | None = None
    qualifier: Qualifier | None = None
    asserted_by_id: Slug | None = None
    at: At | None = None
    relative_to: Edtf | None = None
    followed_by: Edtf | None = None
    by_then: Literal["yes"] | None = None
    note: Text | None = None


class Row(Strict):
    """What all rows share: defaults for their plain values."""

    at: At | None = None
    stated: Stated | None = None
    qualifier: Qualifier | None = None
    asserted_by_id: Slug | None = None
    note: Text | None = None


class ChildRow(Row):
    """A row of a child table; ``key`` tells apart rows that would have the same id."""

    key: Slug | None = None


def _listed(coded: Any) -> Any:
    return coded if isinstance(coded, list) else [coded]


class SourceHeader(Strict):
    """Bibliographic record of the document; ``note`` says how a date or an origin was settled.

    ``derived_from`` names the sources of which the document is a copy, the main one first.
    """

    source_id: Slug
    title: Text
    publisher: Text
    distributor: Text | None = None
    author: Text | None = None
    source_type: Text
    published_edtf: Edtf | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")]
    url: Annotated[str, Field(pattern=r"^https?://[^ ]+$")] | None = None
    derived_from: Annotated[tuple[Slug, ...], BeforeValidator(_listed)] = ()
    perpetrator_affiliated: Literal["yes", "no", "unknown"]
    accessed_on: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None
    text_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    licence: Text | None = None
    note: Text | None = None

    @property
    def main_original(self) -> str | None:
        """Return the source of which it is a copy for the most part."""
        return self.derived_from[0] if self.derived_from else None


def _list_of_mappings(coded: Any) -> Any:
    return [_mapping(item) for item in coded] if isinstance(coded, list) else [_mapping(coded)]


def _mapping(coded: Any) -> Any:
    return coded if isinstance(coded, dict) else {"value": coded}


def _value_type(field: FieldSchema) -> Any:
    if field.categories is not None:
        return Literal[tuple(category.value for category in field.categories)]
    if field.name in FIGURE_COLUMNS:
        return Annotated[str, Field(pattern=r"^[0-9]+(\.\.[0-9]+)?$"), AfterValidator(_check_figure)]
    if is_date_column(field.name):
        return Edtf
    if field.constraints.pattern is not None:
        return Annotated[str, Field(pattern=f"^{field.constraints.pattern}$")]
    if field.type != "string":
        return Annotated[str, Field(pattern=f"^({LEXICAL[field.type].pattern})$")]
    return Text


def coded_columns(schema: TableSchema) -> list[FieldSchema]:
    """Return the columns that a sheet may claim: not those computed, nor those that the registry gives."""
    given = REGISTRY_COLUMNS.get(schema.name, frozenset())
    return [field for field in schema.fields if not field.derived and field.name not in given]


def _row_model(schema: TableSchema, schemas: Schemas, base: type[Row]) -> type[Row]:
    columns: dict[str, Any] = {}
    for field in coded_columns(schema):
        value: Any = _value_type(field)
        kind = Annotated[tuple[Claimed[value], ...], BeforeValidator(_list_of_mappings)]
        columns[field.name] = (kind, Field(default=(), description=field.description))
    for name, section in CHILD_SECTIONS.items():
        if section.parent == schema.name:
            child = _row_model(schemas[section.table], schemas, ChildRow)
            columns[name] = (list[child], Field(default=[], description=schemas[section.table].description))  # type: ignore[valid-type]
    return create_model(f"{schema.name.title().replace('_', '')}Row", __base__=base, **columns)


def sheet_model(schemas: Schemas) -> type[Strict]:
    """Make the model of a sheet from the table schemas."""
    tables: dict[str, Any] = {
        table: (dict[Slug, _row_model(schemas[table], schemas, Row)], Field(default={}))  # type: ignore[misc]
        for table in ("events", "organizations", "designations", "places")
    }
    return create_model("Sheet", __base__=Strict, source=(SourceHeader, ...), **tables)


def parse_sheet(file: LinedFile, model: type[Strict]) -> Any:
    """Read a sheet into its model.

    Raises:
        ProblemsFound: with the line of each fault, and what to write instead.
    """
    try:
        return model.model_validate(file.content)
    except ValidationError as error:
        raise ProblemsFound(explain(detail, file, model) for detail in error.errors()) from error


def explain(detail: Mapping[str, Any], file: LinedFile, model: type[Strict]) -> Problem:
    """Turn a fault that pydantic found into a problem with file, line and remedy."""
    place = _written_place(detail["loc"], file.content)
    shown = ".".join(map(str, place))
    line, kind, given = file.line(place), detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        known = known_keys(model, place[:-1])
        return Problem(
            file.name, line, f"unknown key {place[-1]!r} at {shown}", suggest(str(place[-1]), known), "unknown_key"
        )
    if kind in {"literal_error", "enum"}:
        codes = re.findall(r"'([^']+)'", str(detail["ctx"]["expected"]))
        return Problem(
            file.name, line, f"unknown code {given!r} at {shown}", suggest(str(given), codes), "unknown_code"
        )
    if kind == "missing":
        return Problem(file.name, line, f"{shown} is missing", "add it", "missing_key")
    if place and place[-1] == "at":
        remedy = "run 'iskp cite TEXT --sheet SHEET' to turn quoted words into fingerprints"
        return Problem(file.name, line, f"{shown}: {str(given)[:40]!r} is no fingerprint", remedy, "evidence_form")
    message = str(detail["msg"]).removeprefix("Value error, ")
    return Problem(file.name, line, f"{shown}: {given!r}: {message}", "mend the value", "sheet_value")


def _written_place(location: Sequence[str | int], content: Any) -> Place:
    """Drop the parts of a model's location that the file does not have: list wrappers and key markers."""
    place: list[str | int] = []
    for part in location:
        if part == "[key]" or (isinstance(part, int) and not isinstance(content, list)):
            continue
        place.append(part)
        if isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
        elif isinstance(content, dict):
            content = content.get(part)
    return tuple(place)


def known_keys(model: Any, place: Sequence[str | int]) -> list[str]:
    """Return the keys that a model knows at a place in a file; empty where it can't tell."""
    current = model
    for part in place:
        if not hasattr(current, "model_fields"):
            break
        field = current.model_fields.get(str(part))
        if field is None:
            continue
        current = next(_models_in(field.annotation), current)
    return sorted(getattr(current, "model_fields", {}))


def _models_in(annotation: Any) -> Iterator[Any]:
    if hasattr(annotation, "model_fields"):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def closest(name: str, known: Sequence[str]) -> str:
    """Name the nearest known id for an error, or say that it must be added to the registry."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}? If not, add it to the registry" if near else "add it to the registry"
