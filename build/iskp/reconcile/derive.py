"""Derived columns: what follows from other cells and is claimed by nobody.

Each function fills the columns of one table, in text form; the schemas mark these columns ``derived``. Everything
here depends only on records and claims, so that the claims table alone rebuilds the rest.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence

from iskp.coding.claims import Claim
from iskp.coding.edtf_dates import bounds, known_day
from iskp.coding.sheet import CHILD_SECTIONS
from iskp.package.schema import Schemas
from iskp.reconcile.context import Context
from iskp.reconcile.derivation import DATE_SUFFIX, Derivation, Row, publication_days
from iskp.reconcile.events import derive_events
from iskp.reconcile.listings import derive_actions, derive_designations
from iskp.reconcile.records import Records
from iskp.reconcile.tolls import derive_counts, derive_estimates


def derive(records: Records, claims: Iterable[Claim], schemas: Schemas, context: Context) -> None:
    """Fill every derived column of the records, in place."""
    by_record: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        by_record.setdefault((claim.table_name, claim.record_id), []).append(claim)
    work = Derivation(records, schemas, context, by_record)
    _keys(work)
    _dates(work)
    for step in STEPS:
        step(work)


def _keys(work: Derivation) -> None:
    for table, rows in work.records.items():
        key = work.schemas[table].key
        for record_id, row in rows.items():
            row.setdefault(key, record_id)
    parents = {"events": "event_id", "organizations": "org_id", "designations": "designation_id"}
    for section in CHILD_SECTIONS.values():
        for record_id, row in work.rows(section.table).items():
            row[parents[section.parent]] = record_id.split(":", 1)[0]
    for record_id, row in work.rows("source_derivations").items():
        row["source_id"] = record_id.split(":", 1)[0]


def _dates(work: Derivation) -> None:
    for table, rows in work.records.items():
        columns = set(work.schemas[table].columns)
        dated = [column.removesuffix(DATE_SUFFIX) for column in columns if column.endswith(DATE_SUFFIX)]
        for row in rows.values():
            for stem in dated:
                if stem + DATE_SUFFIX in row:
                    _write_interval(row, stem, columns)


def _write_interval(row: Row, stem: str, columns: set[str]) -> None:
    interval = bounds(row[stem + DATE_SUFFIX])
    if interval.start is not None and f"{stem}_start" in columns:
        row[f"{stem}_start"] = interval.start.isoformat()
    if interval.end is not None and f"{stem}_end" in columns:
        row[f"{stem}_end"] = interval.end.isoformat()
    if f"{stem}_precision" in columns:
        row[f"{stem}_precision"] = interval.precision
    if f"{stem}_on" in columns and (day := known_day(row[stem + DATE_SUFFIX])) is not None:
        row[f"{stem}_on"] = day.isoformat()


SCRIPTS = {"LATIN": "Latn", "ARABIC": "Arab", "CYRILLIC": "Cyrl", "DEVANAGARI": "Deva"}


def script_of(text: str) -> str:
    """Return the ISO 15924 code of the script of a text's letters; ``Zyyy`` without letters, ``Zmth`` never.

    >>> script_of("ISKP"), script_of("داعش")
    ('Latn', 'Arab')
    """
    for character in text:
        if character.isalpha():
            return SCRIPTS.get(unicodedata.name(character, "").split(" ")[0], "Zzzz")
    return "Zyyy"


def _names(work: Derivation) -> None:
    for row in work.rows("organization_names").values():
        row["script"] = script_of(row["name"])


def _stated(work: Derivation) -> None:
    for table in ("organization_relations", "organization_presence"):
        for record_id, row in work.rows(table).items():
            claims = work.of(table, record_id)
            days = sorted(publication_days(claims, work.context))
            if days:
                row["first_stated_on"], row["last_stated_on"] = days[0].isoformat(), days[-1].isoformat()
            speakers = {claim.asserted_by_id for claim in claims if claim.field == "certainty"}
            if len(speakers) == 1 and (speaker := next(iter(speakers))) is not None:
                row["asserted_by_id"] = speaker


Step = Callable[[Derivation], None]
STEPS: Sequence[Step] = (
    _names,
    derive_counts,
    derive_estimates,
    _stated,
    derive_events,
    derive_actions,
    derive_designations,
)
