"""Designations: whether a listing stands, as of when, when it ended, and which official page to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iskp.coding.claims import INFERRED, Claim
from iskp.coding.edtf_dates import known_day
from iskp.reconcile.derivation import DATE_SUFFIX, Derivation, Row, publication_days

OFFICIAL = frozenset({"government_document", "intergovernmental_document"})


def derive_actions(work: Derivation) -> None:
    """Fill the first day on which a source tells of an action."""
    for record_id, row in work.rows("designation_actions").items():
        days = sorted(publication_days(work.of("designation_actions", record_id), work.context))
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


def derive_designations(work: Derivation) -> None:
    """Fill status, end and page of every designation, from its dated history and its sources."""
    actions = work.children("designation_actions", "designation_id")
    for designation_id, row in work.rows("designations").items():
        history = [action for _, action in actions.get(designation_id, [])]
        row["status"], day_told = designation_status(history)
        if day_told:
            row["status_as_of"] = day_told
        if row["status"] == "ended":
            delisting = max((action for action in history if action["action"] == "delisted"), key=_when)
            if "action_edtf" in delisting and (day := known_day(delisting["action_edtf"])) is not None:
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
