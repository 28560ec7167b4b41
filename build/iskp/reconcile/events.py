"""Events: class, place, perpetrator, toll and number of sources, as they follow from the rows below an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from iskp.coding.claims import Claim
from iskp.reconcile.context import Context, most_specific
from iskp.reconcile.derivation import Derivation, Row
from iskp.reconcile.tolls import derive_toll

PLACE_PRECISION = {
    "locality": "exact",
    "admin2": "admin2",
    "admin1": "admin1",
    "country": "country",
    "region": "region",
}


def derive_events(work: Derivation) -> None:
    """Fill what follows for an event from its place, its actors, its figures and its sources."""
    classes = {
        category.value: category.broader or ""
        for category in work.schemas["events"].field("event_type").categories or ()
    }
    actors = work.children("event_actors", "event_id")
    counts = work.children("event_counts", "event_id")
    for event_id, row in work.rows("events").items():
        row["event_class"] = classes[row["event_type"]]
        _locate(work, event_id, row)
        rows = [actor for _, actor in actors.get(event_id, [])]
        if perpetrator := principal(rows, row["attribution"], work.context.parents):
            row["perpetrator_id"] = perpetrator
        for measure in ("killed", "wounded"):
            derive_toll(row, measure, [count for _, count in counts.get(event_id, []) if count["measure"] == measure])
        claims = list(work.of("events", event_id))
        for table, children in (("event_actors", actors), ("event_counts", counts)):
            for child_id, _ in children.get(event_id, []):
                claims += work.of(table, child_id)
        _count_sources(row, claims, work.context)


def _locate(work: Derivation, event_id: str, row: Row) -> None:
    row["place_precision"] = "unknown"
    place = work.rows("places").get(row.get("place_id", ""))
    if place is None:
        return
    row["place_precision"] = PLACE_PRECISION[place["place_type"]]
    if any(
        c.qualifier == "near" and c.field == "place_id" for c in work.of("events", event_id) if c.status == "accepted"
    ):
        row["place_precision"] = "near"
    for column in ("country_code", "admin1_code", "latitude", "longitude"):
        if column in place:
            row[column] = place[column]


def principal(actors: Sequence[Row], attribution: str, parents: Mapping[str, str]) -> str | None:
    """Return the one organization that all perpetrators and claimants are or belong to; ``None`` for rivals.

    A claim by a province says more than a headline that names the whole group, so the two are read together. Where
    they are rivals the perpetrators count alone, unless the attribution is disputed, which leaves it open.

    >>> headline, claim = ({"role": "perpetrator", "org_id": "islamic-state"}, {"role": "claimant", "org_id": "iskp"})
    >>> principal([headline, claim], "claimed_and_attributed", {"iskp": "islamic-state"})
    'iskp'
    >>> principal([headline, {"role": "claimant", "org_id": "ttp"}], "claimed_and_attributed", {})
    'islamic-state'
    >>> principal([headline, {"role": "claimant", "org_id": "ttp"}], "disputed", {})
    """
    roles = {role: {row["org_id"] for row in actors if row["role"] == role} for role in ("perpetrator", "claimant")}
    together = most_specific(roles["perpetrator"] | roles["claimant"], parents)
    return together if together or attribution == "disputed" else most_specific(roles["perpetrator"], parents)


def _count_sources(row: Row, claims: Iterable[Claim], context: Context) -> None:
    sources = {claim.source_id for claim in claims}
    independent_voices = context.independent_voices(sources - context.perpetrators_own)
    row["n_sources"] = str(len(sources))
    row["n_independent_sources"] = str(independent_voices)
    if row.get("attribution") == "disputed":
        row["status"] = "disputed"
    else:
        row["status"] = "confirmed" if independent_voices > 1 else "provisional"
