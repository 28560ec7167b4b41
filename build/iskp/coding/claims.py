"""Claims: what sources say, one value of one field of one record at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from iskp.coding.edtf_dates import bounds, same
from iskp.coding.evidence import Evidence, fingerprint, normalised_words
from iskp.coding.figures import count_bounds
from iskp.coding.sheet import CHILD_SECTIONS, FIGURE_COLUMNS, Row, coded_columns, is_date_column
from iskp.coding.stated_dates import resolve
from iskp.coding.yaml_lines import LinedFile, Place
from iskp.package.schema import Schemas, TableSchema
from iskp.problem import Problem

EDITORS = "iskp-editors"
"""Source id of our own decisions, which are claims like any other."""
INFERRED = "inferred"
"""Qualifier of what a source does not say, but what follows from what it says."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One value that a source states; ``value`` is ``None`` for a word that stands for a number.

    ``number`` counts the claims of one source for one field, from 1. ``file`` and ``line`` say where it was coded;
    ``status`` and ``rule`` are filled in by reconciliation.
    """

    table_name: str
    record_id: str
    field: str
    value: str | None
    source_id: str
    stated: str | None = None
    qualifier: str | None = None
    asserted_by_id: str | None = None
    evidence: Evidence | None = None
    note: str | None = None
    file: str = ""
    line: int = 0
    number: int = 1
    status: str = ""
    rule: str = ""

    @property
    def claim_id(self) -> str:
        """Return the permanent name: it does not change when the value is corrected."""
        name = f"{self.source_id}/{self.table_name}/{self.record_id}/{self.field}"
        return name if self.number == 1 else f"{name}/{self.number}"

    @property
    def cell(self) -> tuple[str, str, str]:
        """Return table, record and field."""
        return self.table_name, self.record_id, self.field

    def problem(self, what: str, remedy: str, rule: str) -> Problem:
        """Return a problem at the place where the claim was coded."""
        return Problem(
            self.file, self.line, what, remedy, rule, self.table_name, self.record_id, self.field, self.value or ""
        )


def numbered(claims: Iterable[Claim]) -> list[Claim]:
    """Number the claims that one source makes for one field, in the order in which they were coded."""
    counts: Counter[tuple[str, ...]] = Counter()
    result = []
    for claim in claims:
        counts[claim.source_id, *claim.cell] += 1
        result.append(replace(claim, number=counts[claim.source_id, *claim.cell]))
    return result


def sheet_claims(sheet: Any, file: LinedFile, schemas: Schemas) -> list[Claim]:
    """Turn a parsed sheet into claims, in its order; the header's fields are claims of the source about itself."""
    claims = list(_header_claims(sheet.source, file, schemas["sources"]))
    reader = _Reader(sheet, file, schemas)
    for table in ("organizations", "events", "designations", "places"):
        for record_id, row in getattr(sheet, table).items():
            claims += reader.row(row, table, record_id, (table, record_id))
    return numbered(claims)


def _header_claims(source: Any, file: LinedFile, schema: TableSchema) -> Iterator[Claim]:
    """Yield what the header says; of which sources it is a copy is the editors' finding, not a word of the source."""

    def claim(cell: tuple[str, str, str], value: str, by: str, index: int = 0) -> Claim:
        note = source.note if cell[2] in {"published_edtf", "derived_from"} else None
        line = file.line(_place_of(("source",), cell[2], index, file))
        return Claim(*cell, value, by, note=note, file=file.name, line=line)

    for field in schema.fields:
        value = source.main_original if field.name == "derived_from" else getattr(source, field.name, None)
        if value is not None:
            yield claim(("sources", source.source_id, field.name), value, source.source_id)
    for index, original in enumerate(source.derived_from):
        cell = ("source_derivations", f"{source.source_id}:{original}", "derived_from")
        yield claim(cell, original, EDITORS, index)


@dataclass(frozen=True)
class _Reader:
    """Reads the rows of one sheet."""

    sheet: Any
    file: LinedFile
    schemas: Schemas

    def row(self, row: Any, table: str, record_id: str, place: Place) -> Iterator[Claim]:
        """Yield the claims of a row, then those of its child rows."""
        for field in coded_columns(self.schemas[table]):
            for index, coded in enumerate(getattr(row, field.name)):
                where = _place_of(place, field.name, index, self.file)
                yield self.claim((table, record_id, field.name), coded.value, row, coded, where)
        if table == "organization_names" and not row.language:
            yield self.claim((table, record_id, "language"), self.sheet.source.language, row, Row(), place)
        if table == "events" and not row.date_edtf and self.sheet.source.published_edtf is not None:
            yield self.undated(row, record_id, place)
        for name, section in CHILD_SECTIONS.items():
            if section.parent == table:
                for index, child in enumerate(getattr(row, name)):
                    child_id = _child_id(record_id, child, section.id_columns)
                    yield from self.row(_with_inference(child, row), section.table, child_id, (*place, name, index))

    def undated(self, row: Any, event_id: str, place: Place) -> Claim:
        """Return what is certain of an event without time words: it came before the text that tells of it."""
        latest = bounds(self.sheet.source.published_edtf).end
        witness = row.event_type[0] if row.event_type else Row()
        claim = self.claim(("events", event_id, "date_edtf"), f"../{latest}", row, witness, place)
        note = "Undated in the source, which can only tell of what came before its publication."
        return replace(claim, stated=None, note=note)

    def claim(self, cell: tuple[str, str, str], value: str | None, row: Any, coded: Any, place: Place) -> Claim:
        """Return one claim; what the value does not say for itself it takes from its row."""
        table, record_id, field = cell
        qualifier = coded.qualifier
        if row.qualifier == INFERRED:
            qualifier = qualifier or INFERRED
        if field in FIGURE_COLUMNS:
            qualifier = qualifier or row.qualifier or "exact"
        at = coded.at or row.at
        return Claim(
            table,
            record_id,
            field,
            value,
            self.sheet.source.source_id,
            stated=coded.stated or row.stated,
            qualifier=qualifier,
            asserted_by_id=coded.asserted_by_id or row.asserted_by_id,
            evidence=Evidence.parse(at) if at else None,
            note=coded.note or row.note,
            file=self.file.name,
            line=self.file.line(place),
        )


def _with_inference(child: Any, parent: Any) -> Any:
    """Return a child row as its parent has it: what belongs to an inferred row is inferred, and from the same."""
    if parent.qualifier != INFERRED or child.qualifier is not None:
        return child
    return child.model_copy(update={"qualifier": INFERRED, "note": child.note or parent.note})


def _place_of(row: Place, column: str, index: int, file: LinedFile) -> Place:
    listed = (*row, column, index)
    return listed if listed in file.lines else (*row, column)


def _child_id(parent: str, child: Any, columns: Iterable[str]) -> str:
    parts = [parent]
    for column in columns:
        parts += [coded.value for coded in getattr(child, column)[:1] if coded.value is not None]
    return ":".join([*parts, child.key] if child.key else parts)


def check_claims(claims: Iterable[Claim], sheet: Any) -> Iterator[Problem]:
    """Check what a sheet's model cannot see: evidence, figures and their qualifiers, and values that are missing."""
    held = sheet.source.text_sha256 is not None
    for claim in claims:
        if claim.table_name == "sources" or claim.source_id == EDITORS:
            continue
        if held and claim.evidence is None:
            remedy = "run 'iskp cite TEXT \"the words\"' and give the fingerprint as 'at'"
            yield claim.problem("no evidence, though the text is held", remedy, "evidence_missing")
        if claim.field in FIGURE_COLUMNS:
            try:
                count_bounds(claim.value, claim.qualifier or "exact")
            except ValueError as error:
                yield claim.problem(str(error), "mend the figure or its qualifier", "count_rule")
        elif claim.qualifier == INFERRED and claim.note is None:
            yield claim.problem("inferred, but from what?", "say in 'note' what it follows from", "inferred_note")
        elif claim.value is None:
            yield claim.problem("no value", "give one; only a count may go without", "value_missing")


def check_fingerprints(claims: Iterable[Claim]) -> Iterator[Problem]:
    """Check fingerprints as far as that goes without the text.

    One span of one document has one fingerprint; and where the stated words are as many as the span's, they are the
    span, so their fingerprint must be its.
    """
    known: dict[tuple[str, int, int], str] = {}
    reported: set[tuple[int, Evidence]] = set()
    for claim in claims:
        span = claim.evidence
        if span is None or (claim.line, span) in reported:
            continue
        first = known.setdefault((claim.source_id, span.start, span.words), span.sha256)
        stated = normalised_words(claim.stated or "")
        contradicted = first != span.sha256
        misquoted = len(stated) == span.words and fingerprint(stated) != span.sha256
        if contradicted or misquoted:
            reported.add((claim.line, span))
            other = "that of the stated words" if misquoted else "the one given for the same span elsewhere"
            what = f"the fingerprint of the evidence {span.start}+{span.words} does not match {other}"
            yield claim.problem(what, "cite the words again with 'iskp cite'", "evidence_mismatch")


def check_dates(sheet: Any, file: LinedFile) -> Iterator[Problem]:
    """Resolve the stated words of every date again, and compare with the date that the coder wrote."""
    published = sheet.source.published_edtf
    held = sheet.source.text_sha256 is not None
    for place, column, coded in _dates(sheet, file):
        here = Problem(file.name, file.line(place), "", "", "stated_date", column=column, value=coded.value)
        if coded.stated is None:
            if held:
                yield _with(here, "a date without the words that state it", "give them as 'stated'")
            continue
        if published is None:
            yield _with(here, "words of time, but the document has no date", "give source.published_edtf")
            continue
        try:
            resolved = resolve(
                coded.stated,
                bounds(published),
                relative_to=coded.relative_to,
                followed_by=coded.followed_by,
                by_then=coded.by_then is not None,
            )
        except ValueError as error:
            remedy = "give the time words alone, or relative_to/followed_by where they count from another event"
            yield _with(here, f"{coded.stated!r}: {error}", remedy)
            continue
        if not same(resolved, coded.value):
            what = f"{coded.stated!r}, published {published}, resolves to {resolved}, but {coded.value} was coded"
            yield _with(here, what, "mend the date, or the words")


def _with(problem: Problem, what: str, remedy: str) -> Problem:
    return Problem(problem.file, problem.line, what, remedy, problem.rule, column=problem.column, value=problem.value)


def _dates(sheet: Any, file: LinedFile) -> Iterator[tuple[Place, str, Any]]:
    for place, row in _rows(sheet):
        for column in type(row).model_fields:
            if is_date_column(column):
                for index, coded in enumerate(getattr(row, column)):
                    if coded.value is not None:
                        yield _place_of(place, column, index, file), column, coded


def _rows(sheet: Any) -> Iterator[tuple[Place, Any]]:
    for table in ("organizations", "events", "designations", "places"):
        for record_id, row in getattr(sheet, table).items():
            yield (table, record_id), row
            for name, section in CHILD_SECTIONS.items():
                if section.parent == table:
                    for index, child in enumerate(getattr(row, name)):
                        yield (table, record_id, name, index), child


def accepted_values(claims: Iterable[Claim]) -> Mapping[tuple[str, str, str], str]:
    """Return the value of each cell that has an accepted claim with a value."""
    return {claim.cell: claim.value for claim in claims if claim.status == "accepted" and claim.value is not None}
