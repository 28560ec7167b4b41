"""Figures of several sources: their bounds, what they rest on, and the toll of an event."""

from __future__ import annotations

from collections.abc import Sequence

from iskp.coding.claims import Claim
from iskp.coding.figures import Bounds, count_bounds
from iskp.coding.sheet import FIGURE_COLUMNS
from iskp.reconcile.context import Context
from iskp.reconcile.derivation import Derivation, Row
from iskp.reconcile.rules import independent


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


def derive_counts(work: Derivation) -> None:
    """Fill the bounds and the basis of every figure of an event."""
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


def derive_estimates(work: Derivation) -> None:
    """Fill the bounds of every estimate."""
    for record_id, row in work.rows("estimates").items():
        _write_bounds(work, "estimates", record_id, row)


def derive_toll(row: Row, measure: str, counts: Sequence[Row]) -> None:
    """Take the toll of all victims; where none is told, add up the classes of victims, the attackers left out."""
    whole = [count for count in counts if count["victim_class"] == "all"]
    parts = whole or [count for count in counts if count["victim_class"] not in {"all", "perpetrators"}]
    for column in ("low", "best", "high"):
        figures = [count.get(column) for count in parts]
        if figures and None not in figures:
            row[f"{measure}_{column}"] = str(sum(int(figure) for figure in figures if figure is not None))
