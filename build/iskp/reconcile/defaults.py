"""What stands in a required cell when no source tells: said openly, as a claim of the editors.

"Unknown" in a table is a statement too: that the coded sources were read and none tells. So it is a claim like any
other, with the rule ``not_stated``, and gives way as soon as one source does tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iskp.coding.claims import EDITORS, Claim
from iskp.package.schema import Schemas

VIOLENT = frozenset({"violent"})
FORCE = frozenset({"violent", "law_enforcement"})
NOTE = "No coded source tells."


def not_stated(claims: Iterable[Claim], schemas: Schemas) -> Iterator[Claim]:
    """Yield a claim of the editors for each cell that needs a value and on which no source makes a claim."""
    told: set[tuple[str, str, str]] = set()
    types: dict[str, set[str]] = {}
    first: dict[tuple[str, str], Claim] = {}
    for claim in claims:
        told.add(claim.cell)
        first.setdefault((claim.table_name, claim.record_id), claim)
        if (claim.table_name, claim.field) == ("events", "event_type") and claim.value:
            types.setdefault(claim.record_id, set()).add(claim.value)
    classes = {c.value: c.broader or "" for c in schemas["events"].field("event_type").categories or ()}
    for (table, record_id), seat in first.items():
        if table == "events":
            wanted = _wanted_of_event({classes[kind] for kind in types.get(record_id, ())})
        elif table == "organizations":
            wanted = dict.fromkeys(("org_type", "status"), "unknown")
        elif table == "designations":
            wanted = {"designation_id": record_id, "listing_kind": "unknown", "coverage": "uncertain"}
            wanted["program"] = "not_told"
        else:
            continue
        yield from _missing(table, record_id, wanted, told, seat)


def _wanted_of_event(classes: set[str]) -> dict[str, str]:
    violent = bool(classes & VIOLENT)
    wanted = {"is_aggregate": "false", "attribution": "unattributed" if violent else "not_applicable"}
    if violent:
        wanted |= dict.fromkeys(("suicide", "multi_day", "target_type", "weapon_type"), "unknown")
    if classes & FORCE:
        wanted["outcome"] = "unknown"
    return wanted


def _missing(
    table: str, record_id: str, wanted: dict[str, str], told: set[tuple[str, str, str]], seat: Claim
) -> Iterator[Claim]:
    for column, value in wanted.items():
        if (table, record_id, column) not in told:
            identity = column.endswith("_id")
            yield Claim(
                table,
                record_id,
                column,
                value,
                EDITORS,
                note=None if identity else NOTE,
                file=seat.file,
                line=seat.line,
                rule="editorial" if identity else "not_stated",
            )
