"""Derived columns: what follows from other cells and is claimed by nobody.

Each function fills the columns of one table, in text form; the schemas mark these columns ``derived``. Everything
here depends only on records and claims, so that the claims table alone rebuilds the rest.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from iskp.coding.claims import EDITORS, INFERRED, Claim
from iskp.coding.edtf_dates import bounds, known_day
from iskp.coding.figures import Bounds, count_bounds
from iskp.coding.sheet import CHILD_SECTIONS, FIGURE_COLUMNS
from iskp.package.schema import Schemas
from iskp.reconcile.context import Context, most_specific
from iskp.reconcile.records import Records
from iskp.reconcile.rules import independent

Row = dict[str, str]
PLACE_PRECISION = {
    "locality": "exact",
    "admin2": "admin2",
    "admin1": "admin1",
    "country": "country",
    "region": "region",
}
DATE_SUFFIX = "_edtf"
OFFICIAL = frozenset({"government_document", "intergovernmental_document"})


@dataclass
class Derivation:
    """Records being completed, with the claims of each by table and record."""

    records: Records
    schemas: Schemas
    context: Context
    claims: Mapping[tuple[str, str], Sequence[Claim]] = field(default_factory=dict)

    def rows(self, table: str) -> Mapping[str, Row]:
        """Return the records of a table."""
        return self.records.setdefault(table, {})

    def of(self, table: str, record_id: str) -> Sequence[Claim]:
        """Return the claims of a record that are not rejected and not ours."""
        found = self.claims.get((table, record_id), ())
        return [claim for claim in found if claim.status != "rejected" and claim.source_id != EDITORS]

    def children(self, table: str, parent_column: str) -> Mapping[str, list[tuple[str, Row]]]:
        """Return the records of a child table by their parent's id."""
        grouped: dict[str, list[tuple[str, Row]]] = {}
        for record_id, row in self.rows(table).items():
            grouped.setdefault(row[parent_column], []).append((record_id, row))
        return grouped


def derive(records: Records, claims: Iterable[Claim], schemas: Schemas, context: Context) -> None:
    """Fill every derived column of the records, in place."""
    by_record: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        by_record.setdefault((claim.table_name, claim.record_id), []).append(claim)
    work = Derivation(records, schemas, context, by_record)
    _keys(work)
    _dates(work)
    for step in (_names, _counts, _estimates, _stated, _events, _designation_actions, _designations):
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


def combined_bounds(claims: Sequence[Claim], context: Context) -> Bounds:
    """Return the bounds that independent figures allow together.

    Low is the lowest number that any source gives as a lower bound or as its figure, high the highest that any gives
    as an upper bound or as its figure. Each is empty when no source sets such a bound, and high also when a lower
    bound stands above every upper one, since then no source limits the toll.
    """
    figures = [count_bounds(claim.value, claim.qualifier or "exact") for claim in independent(claims, context)]
    bests = [figure.best for figure in figures if figure.best is not None]
    lows = [figure.low for figure in figures if figure.low is not None]
    highs = [figure.high for figure in figures if figure.high is not None]
    low = min([*lows, *bests]) if lows else None
    high = max([*highs, *bests]) if highs and max(highs) >= max(lows, default=0) else None
    return Bounds(low, None, high)


def _write_bounds(work: Derivation, table: str, record_id: str, row: Row) -> Sequence[Claim]:
    claims = [claim for claim in work.of(table, record_id) if claim.field in FIGURE_COLUMNS]
    limits = combined_bounds(claims, work.context)
    if limits.low is not None:
        row["low"] = str(limits.low)
    if limits.high is not None:
        row["high"] = str(limits.high)
    return claims


def _counts(work: Derivation) -> None:
    for record_id, row in work.rows("event_counts").items():
        claims = independent(_write_bounds(work, "event_counts", record_id, row), work.context)
        told = [claim for claim in claims if claim.value is not None]
        neutral = [claim for claim in told if claim.source_id not in work.context.perpetrators_own]
        if not told:
            row["basis"] = "words_only"
        elif not neutral:
            row["basis"] = "perpetrator_only"
        elif work.context.independent_voices({claim.source_id for claim in neutral}) == 1:
            row["basis"] = "single_source"
        else:
            row["basis"] = "agreement" if len({claim.value for claim in neutral}) == 1 else "range_of_sources"


def _estimates(work: Derivation) -> None:
    for record_id, row in work.rows("estimates").items():
        _write_bounds(work, "estimates", record_id, row)


def _stated(work: Derivation) -> None:
    for table in ("organization_relations", "organization_presence"):
        for record_id, row in work.rows(table).items():
            claims = work.of(table, record_id)
            days = sorted(_publication_days(claims, work.context))
            if days:
                row["first_stated_on"], row["last_stated_on"] = days[0].isoformat(), days[-1].isoformat()
            speakers = {claim.asserted_by_id for claim in claims if claim.field == "certainty"}
            if len(speakers) == 1 and (speaker := next(iter(speakers))) is not None:
                row["asserted_by_id"] = speaker


def _publication_days(claims: Iterable[Claim], context: Context) -> Iterator[datetime.date]:
    for source_id in {claim.source_id for claim in claims}:
        if source_id in context.published:
            yield context.published[source_id]


def _events(work: Derivation) -> None:
    classes = {
        category.value: category.broader or ""
        for category in work.schemas["events"].field("event_type").categories or ()
    }
    actors = work.children("event_actors", "event_id")
    counts = work.children("event_counts", "event_id")
    for event_id, row in work.rows("events").items():
        row["event_class"] = classes[row["event_type"]]
        _locate(work, event_id, row)
        if perpetrator := _perpetrator(actors.get(event_id, []), row["attribution"], work.context):
            row["perpetrator_id"] = perpetrator
        for measure in ("killed", "wounded"):
            _toll(row, measure, [count for _, count in counts.get(event_id, []) if count["measure"] == measure])
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


def _perpetrator(actors: Sequence[tuple[str, Row]], attribution: str, context: Context) -> str | None:
    """Return the one organization that all perpetrators are or belong to, else all claimants; ``None`` for rivals.

    Where the attribution is disputed, perpetrators and claimants count alike, so that rivals leave it open.
    """
    roles = {role: {row["org_id"] for _, row in actors if row["role"] == role} for role in ("perpetrator", "claimant")}
    if attribution == "disputed":
        return most_specific(roles["perpetrator"] | roles["claimant"], context.parents)
    return most_specific(roles["perpetrator"] or roles["claimant"], context.parents)


def _toll(row: Row, measure: str, counts: Sequence[Row]) -> None:
    """Take the toll of all victims; where none is told, add up the classes of victims, the attackers left out."""
    whole = [count for count in counts if count["victim_class"] == "all"]
    parts = whole or [count for count in counts if count["victim_class"] not in {"all", "perpetrators"}]
    for column in ("low", "best", "high"):
        figures = [count.get(column) for count in parts]
        if figures and None not in figures:
            row[f"{measure}_{column}"] = str(sum(int(figure) for figure in figures if figure is not None))


def _count_sources(row: Row, claims: Iterable[Claim], context: Context) -> None:
    sources = {claim.source_id for claim in claims}
    independent_voices = context.independent_voices(sources - context.perpetrators_own)
    row["n_sources"] = str(len(sources))
    row["n_independent_sources"] = str(independent_voices)
    if row.get("attribution") == "disputed":
        row["status"] = "disputed"
    else:
        row["status"] = "confirmed" if independent_voices > 1 else "provisional"


def _designation_actions(work: Derivation) -> None:
    for record_id, row in work.rows("designation_actions").items():
        days = sorted(_publication_days(work.of("designation_actions", record_id), work.context))
        if days:
            row["observed_on"] = days[0].isoformat()


def designation_status(actions: Sequence[Row]) -> tuple[str, str]:
    """Return the status that follows from a designation's dated history, and the day for which it is told.

    Ended is a designation where the last word is a delisting. Whatever shows the organization on the list after that,
    a new listing, an amendment or a look at the list, has it active again. An absence from a list is an observation,
    not a delisting, and leaves the status as it was; where nothing but absence was seen the organization is not
    listed. A status is no older than the last word and no younger: an active listing may have ended since.
    """
    if not actions:
        return "unknown", ""
    present = [action for action in actions if action["action"] != "observed_absent"]
    last = max(present or actions, key=_when)
    status = "not_listed" if not present else "ended" if last["action"] == "delisted" else "active"
    return status, _told_for(last)


def _when(action: Row) -> tuple[str, str, bool]:
    """Return what dated actions are ordered by: last day, first day; what ends a listing comes last on its day."""
    end = action.get("action_end") or action.get("observed_on") or ""
    return end, action.get("action_start") or "", action["action"] == "delisted"


def _told_for(action: Row) -> str:
    """Return the day from which an action holds for certain.

    What happened within an interval is done at its end. What was seen within one holds from its start on only as far
    as is known: it may have been seen on that day.
    """
    start, end = action.get("action_start") or "", action.get("action_end") or ""
    days = (start, end) if action["action"].startswith("observed") else (end, start)
    return days[0] or days[1] or action.get("observed_on") or ""


def _designations(work: Derivation) -> None:
    actions = work.children("designation_actions", "designation_id")
    for designation_id, row in work.rows("designations").items():
        history = [action for _, action in actions.get(designation_id, [])]
        row["status"], day_told = designation_status(history)
        if day_told:
            row["status_as_of"] = day_told
        ended = [action.get("action_edtf") for action in history if action["action"] == "delisted"]
        if row["status"] == "ended" and ended and ended[-1] is not None and (day := known_day(ended[-1])) is not None:
            row["ended_on"] = day.isoformat()
        claims = list(work.of("designations", designation_id))
        for action_id, _ in actions.get(designation_id, []):
            claims += work.of("designation_actions", action_id)
        if page := row.get("instrument_url") or _official_page(claims, work):
            row["official_url"] = page


def _official_page(claims: Iterable[Claim], work: Derivation) -> str | None:
    """Return the page of the official source that says most of a listing; ``None`` where no official source tells.

    A page that gives the accepted day stands above one that names the organization, and that above one from which we
    only infer; among equals the latest published is taken.
    """
    ranks: dict[str, tuple[bool, bool, str]] = {}
    for claim in claims:
        source = work.rows("sources")[claim.source_id]
        if source["source_type"] in OFFICIAL and "url" in source:
            gives_day = claim.status == "accepted" and claim.field.endswith(DATE_SUFFIX)
            named = claim.qualifier != INFERRED
            rank = (named and gives_day, named, source.get("published_end", ""))
            ranks[source["url"]] = max(rank, ranks.get(source["url"], rank))
    return max(ranks, key=lambda url: (ranks[url], url), default=None)


Step = Callable[[Derivation], None]
