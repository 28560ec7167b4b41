"""The registry: what we decided, apart from what sources say.

Identity of organizations, places, events and authorities; our own titles and descriptions; decisions on conflicts;
ids that are no longer in use; and the package's metadata. Everything decided here becomes a claim too, of the source
``iskp-editors``, so that every cell of every table has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from iskp.coding.claims import EDITORS, Claim
from iskp.coding.sheet import Slug, Text, explain
from iskp.coding.yaml_lines import LinedFile, read_yaml
from iskp.package.schema import Schemas, Strict
from iskp.problem import Problem, ProblemsFound

EventId = Annotated[str, Field(pattern=r"^ev[0-9]{4,}$")]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class Event(Strict):
    """Identity of an event; ``note`` says why what several texts tell is one event."""

    title: Text
    description: Text | None = None
    note: Text | None = None
    retracted: Literal["yes"] | None = None


class Organization(Strict):
    """Identity of an organization."""

    name: Text
    acronym: Text | None = None
    description: Text | None = None
    note: Text | None = None


class PlaceEntry(Strict):
    """Identity of a place; its codes and coordinates come from gazetteers, which are sources."""

    name: Text
    place_type: Literal["locality", "admin2", "admin1", "country", "region"]
    parent_id: Slug | None = None
    note: Text | None = None


class Authority(Strict):
    """An authority that designates."""

    name: Text
    authority_kind: Literal["intergovernmental", "national", "supranational"]
    country_code: CountryCode | None = None
    org_id: Slug | None = None


class Decision(Strict):
    """How a conflict of sources was settled.

    ``expect`` lists the values that sources claim. It is a guard: once sources change, or a rule would settle the
    matter, the decision no longer fits and the build asks for it to be looked at again. ``reject`` lists the values
    that are held to be wrong; the others stay as alternatives. A decision that only rejects what the rules pass over
    anyway is needed too, since a rule can prefer a value but never call another wrong.
    """

    record: Annotated[str, Field(pattern=r"^[a-z_]+/.+$")]
    field: str
    value: Text
    expect: tuple[str, ...] = Field(min_length=2)
    reject: tuple[str, ...] = ()
    reason: Text
    source_id: Slug | None = None


class Retired(Strict):
    """An id that is no longer in use, and where its record went."""

    id: str
    table: str
    into: tuple[str, ...] = Field(default=())
    reason: Text


class Different(Strict):
    """Two events, or two sources, that look like one and are not."""

    events: tuple[EventId, EventId] | None = None
    sources: tuple[Slug, Slug] | None = None
    reason: Text

    @model_validator(mode="after")
    def _is_one_pair(self) -> Self:
        if (self.events is None) == (self.sources is None):
            raise ValueError("a pair is of two events or of two sources; give one of the keys")
        return self

    @property
    def ids(self) -> tuple[str, str]:
        """Return the two ids, the lower first."""
        first, second = sorted(self.events or self.sources or ())
        return first, second


class Metadata(Strict):
    """What the descriptor says of the package as a whole."""

    name: Slug
    title: Text
    description: Text
    version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    created: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    homepage: Annotated[str, Field(pattern=r"^https?://[^ ]+$")] | None = None
    keywords: tuple[Text, ...]
    licenses: tuple[Mapping[str, str], ...]
    contributors: tuple[Mapping[str, str | tuple[str, ...]], ...]


@dataclass(frozen=True)
class Registry:
    """All of it, with the files for error messages."""

    events: Mapping[str, Event]
    organizations: Mapping[str, Organization]
    places: Mapping[str, PlaceEntry]
    authorities: Mapping[str, Authority]
    decisions: tuple[Decision, ...]
    retired: tuple[Retired, ...]
    pairs: tuple[Different, ...]
    metadata: Metadata
    files: Mapping[str, LinedFile]

    def known(self, table: str) -> Mapping[str, Strict]:
        """Return the records of a table whose identity is decided here."""
        tables: Mapping[str, Mapping[str, Strict]] = {
            "events": self.events,
            "organizations": self.organizations,
            "places": self.places,
            "authorities": self.authorities,
        }
        return tables[table]


class _File(Strict):
    """Shape of the registry as one document, so that errors are explained as in sheets."""

    events: dict[EventId, Event] = Field(default={})
    organizations: dict[Slug, Organization] = Field(default={})
    places: dict[Slug, PlaceEntry] = Field(default={})
    authorities: dict[Slug, Authority] = Field(default={})
    decisions: tuple[Decision, ...] = ()
    retired: tuple[Retired, ...] = ()
    pairs: tuple[Different, ...] = ()
    metadata: Metadata | None = None


def read_registry(folder: Path, root: Path) -> Registry:
    """Read the registry's files, each of which has the one key that its name says.

    Raises:
        ProblemsFound: with file and line of each fault.
    """
    problems: list[Problem] = []
    files: dict[str, LinedFile] = {}
    parts: dict[str, Any] = {}
    for name in _File.model_fields:
        path = folder / f"{name}.yaml"
        shown = path.relative_to(root).as_posix()
        if not path.is_file():
            problems.append(Problem(shown, 0, "the file is missing", f"add it, with the key '{name}'", "registry_file"))
            continue
        try:
            files[name] = read_yaml(path, shown)
        except ProblemsFound as found:
            problems += found.problems
            continue
        content = files[name].content
        if not isinstance(content, dict) or set(content) != {name}:
            problems.append(Problem(shown, 1, "another key than the file's name", f"write '{name}:'", "registry_file"))
            continue
        try:
            parts[name] = getattr(_parsed(content), name)
        except ValidationError as error:
            problems += [explain(detail, files[name], _File) for detail in error.errors()]
    if problems:
        raise ProblemsFound(problems)
    return Registry(**parts, files=files)


def _parsed(content: Any) -> _File:
    return TypeAdapter(_File).validate_python(content)


def registry_claims(registry: Registry, schemas: Schemas) -> Iterator[Claim]:
    """Turn identities and our own words into claims of the editors."""
    for table in ("events", "organizations", "places", "authorities"):
        for record_id, entry in registry.known(table).items():
            file = registry.files[table]
            key = schemas[table].key
            cells = {key: record_id} | entry.model_dump(exclude={"note", "retracted"}, exclude_none=True)
            for field, value in cells.items():
                yield Claim(
                    table,
                    record_id,
                    field,
                    value,
                    EDITORS,
                    note=getattr(entry, "note", None) if field == key else None,
                    file=file.name,
                    line=file.line((table, record_id, field)),
                )
    yield from _retired_ids(registry)
    yield from _editors_as_a_source(registry)


def _retired_ids(registry: Registry) -> Iterator[Claim]:
    file = registry.files["retired"]
    for index, entry in enumerate(registry.retired):
        for successor in entry.into or ("",):
            record_id = ":".join(part for part in (entry.table, entry.id, successor) if part)
            cells = {"table_name": entry.table, "record_id": entry.id, "into_id": successor, "reason": entry.reason}
            for field, value in cells.items():
                if value:
                    line = file.line(("retired", index))
                    yield Claim("retired_ids", record_id, field, value, EDITORS, file=file.name, line=line)


def _editors_as_a_source(registry: Registry) -> Iterator[Claim]:
    """Describe the registry itself as a source: undated, so that a release with another day has the same tables."""
    record = {
        "source_id": EDITORS,
        "title": f"Registry of {registry.metadata.title}",
        "publisher": "The iskp project",
        "source_type": "registry",
        "language": "en",
        "perpetrator_affiliated": "no",
        "licence": "CC BY 4.0",
    }
    file = registry.files["metadata"]
    for field, value in record.items():
        yield Claim("sources", EDITORS, field, value, EDITORS, file=file.name, line=file.line(("metadata",)))
