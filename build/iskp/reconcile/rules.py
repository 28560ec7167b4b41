"""The rules by which claims on one cell become one value.

The rules are tried in the order of :data:`RULES`; the first that gives a verdict settles the cell, and its name
stands in the ``rule`` column of every claim that it judged. A rule returns ``None`` where it does not apply. Where
none applies the sources are in unsettled conflict, and the build stops until ``registry/decisions.yaml`` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from iskp.coding.claims import EDITORS, INFERRED, Claim
from iskp.coding.edtf_dates import Interval, bounds, expression
from iskp.coding.evidence import normalised_words
from iskp.coding.figures import count_bounds
from iskp.coding.sheet import FIGURE_COLUMNS, is_date_column
from iskp.reconcile.context import Context, most_specific

CERTAINTY = ("suspected", "attributed", "asserted")
ORGANIZATION_FIELDS = frozenset({"org_id", "parent_id", "related_org_id", "estimator_id"})
UNKNOWN = frozenset({"unknown", "not_told"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The value of a cell (``None``: left empty on purpose) and the values of claims that support it."""

    value: str | None
    supporting: frozenset[str | None]


Rule = Callable[[Sequence[Claim], Context], Verdict | None]


def independent(claims: Sequence[Claim], context: Context) -> list[Claim]:
    """Return the claims of sources of which no original makes a claim on the same cell.

    A rewrite, reprint or wire copy knows no more than what it copies; where the two differ the copy has garbled it.
    """
    sources = {claim.source_id for claim in claims}
    return [claim for claim in claims if not any(context.copies(claim.source_id, other) for other in sources)]


def _values(claims: Sequence[Claim]) -> set[str]:
    return {claim.value for claim in claims if claim.value is not None}


def count_rule(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """Figures: best is the figure that most independent publishers give; in a tie, the latest published.

    Tolls are corrected upwards and downwards after the first day, so the later report knows more. A perpetrator's own
    medium never supports a best figure: it has an interest in the number. Neither do words, ranges and upper bounds.
    """
    if claims[0].field not in FIGURE_COLUMNS:
        return None
    support: dict[str, set[str]] = {}
    latest: dict[str, str] = {}
    for claim in independent(claims, context):
        best = count_bounds(claim.value, claim.qualifier or "exact").best
        if best is not None and claim.source_id not in context.perpetrators_own:
            support.setdefault(str(best), set()).add(claim.source_id)
            day = context.published.get(claim.source_id)
            latest[str(best)] = max(latest.get(str(best), ""), day.isoformat() if day else "")
    if not support:
        return Verdict(None, frozenset(claim.value for claim in claims))
    voices = {figure: context.independent_voices(sources) for figure, sources in support.items()}
    best_figure = max(voices, key=lambda figure: (voices[figure], latest[figure], -int(figure)))
    return Verdict(best_figure, frozenset({best_figure}))


def unanimous(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """All sources give one value."""
    values = _values(claims)
    if len(values) != 1:
        return None
    return Verdict(next(iter(values)), frozenset(values))


def known_over_unknown(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """A source that does not know contradicts nobody."""
    values = _values(claims) - UNKNOWN
    if len(values) != 1:
        return None
    return Verdict(next(iter(values)), frozenset(values))


def original_over_copy(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """Where the originals agree, what their copies make of it does not count."""
    originals = independent(claims, context)
    if len(originals) == len(claims):
        return None
    values = _values(originals)
    if len(values) != 1:
        return None
    return Verdict(next(iter(values)), frozenset(values))


def narrowest_date(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """Dates that can all be true together are true together: the days that all of them allow.

    A source that says "2016" and one that says "by July 2016" do not contradict each other. Disjoint dates do.
    """
    if not is_date_column(claims[0].field):
        return None
    originals = independent(claims, context)
    common: Interval | None = Interval(None, None)
    for value in _values(originals):
        common = common.intersect(bounds(value)) if common is not None else None
    if common is None:
        return None
    return _interval_verdict(common, _values(originals))


def whole_span_of_aggregate(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """What recurs, and is told of in two texts, went on from the first time to the last.

    An aggregate has no one date that two texts could narrow: it lies in the days from the earliest start to the
    latest end that they give.
    """
    if claims[0].table_name != "events" or claims[0].record_id not in context.aggregates:
        return None
    if not is_date_column(claims[0].field):
        return None
    intervals = [bounds(value) for value in _values(independent(claims, context))]
    starts = [interval.start for interval in intervals if interval.start is not None]
    ends = [interval.end for interval in intervals if interval.end is not None]
    whole = Interval(
        min(starts) if len(starts) == len(intervals) else None, max(ends) if len(ends) == len(intervals) else None
    )
    return _interval_verdict(whole, _values(claims))


def _interval_verdict(interval: Interval, values: set[str]) -> Verdict:
    """Take the claimed expression for an interval where there is one; else all claims together make it."""
    exact = frozenset(value for value in values if bounds(value) == interval)
    if exact:
        return Verdict(min(exact), exact)
    return Verdict(expression(interval), frozenset(values))


def most_specific_organization(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """A source that names the parent does not contradict one that names the province."""
    if claims[0].field not in ORGANIZATION_FIELDS:
        return None
    return _specific(independent(claims, context), context.parents)


def most_specific_place(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """A source that names the country does not contradict one that names the town in it."""
    if claims[0].field != "place_id":
        return None
    return _specific(independent(claims, context), context.within)


def most_specific_code(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """A source that says "attack" does not contradict one that says "suicide bombing"."""
    broader = context.broader.get(claims[0].field)
    if broader is None:
        return None
    return _specific(independent(claims, context), broader)


def fullest_citation(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """A citation of a legal instrument with its number does not contradict one without: the fullest has all the others.

    Citations are compared as words, so that punctuation and case make no other instrument.
    """
    if claims[0].field != "legal_instrument":
        return None
    spelled = {value: f" {' '.join(normalised_words(value))} " for value in _values(independent(claims, context))}
    fullest = max(sorted(spelled), key=lambda value: len(spelled[value]))
    if all(words in spelled[fullest] for words in spelled.values()):
        return Verdict(fullest, frozenset({fullest}))
    return None


def _specific(claims: Sequence[Claim], upward: Mapping[str, str]) -> Verdict | None:
    values = _values(claims) - UNKNOWN
    value = most_specific(values, upward)
    return None if value is None else Verdict(value, frozenset({value}))


def joint_attribution(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """Attributions add up: claimed in one source and attributed in another is both.

    What a source says in its own voice stands above an allegation, and silence (unattributed) contradicts nothing.
    A dispute in any source leaves it disputed.
    """
    if claims[0].field != "attribution":
        return None
    values = _values(independent(claims, context)) - {"not_applicable", "unattributed"}
    if "disputed" in values:
        return Verdict("disputed", frozenset({"disputed"}))
    own_voice = values - {"alleged"}
    if not own_voice:
        return None
    value = "claimed_and_attributed" if len(own_voice) > 1 else next(iter(own_voice))
    return Verdict(value, frozenset(own_voice))


def strongest_certainty(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """What one source says in its own voice is asserted, even if another only passes it on; a denial disputes it."""
    if claims[0].field != "certainty":
        return None
    values = _values(independent(claims, context))
    if "disputed" in values:
        return Verdict("disputed", frozenset({"disputed"}))
    strongest = max(values, key=CERTAINTY.index)
    return Verdict(strongest, frozenset({strongest}))


def stated_over_inferred(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """What sources say stands above what only follows from one: the inference rests on a reading of ours."""
    said = [claim for claim in independent(claims, context) if claim.qualifier != INFERRED]
    if not said or len(said) == len(claims) or len(_values(said)) != 1:
        return None
    return Verdict(next(iter(_values(said))), frozenset(_values(said)))


def editors_last(claims: Sequence[Claim], context: Context) -> Verdict | None:
    """What we filled in because no source told gives way as soon as one does."""
    sources = [claim for claim in claims if claim.source_id != EDITORS]
    if not sources or len(sources) == len(claims) or len(_values(sources)) != 1:
        return None
    return Verdict(next(iter(_values(sources))), frozenset(_values(sources)))


RULES: Sequence[Rule] = (
    count_rule,
    unanimous,
    known_over_unknown,
    original_over_copy,
    whole_span_of_aggregate,
    narrowest_date,
    most_specific_organization,
    most_specific_place,
    most_specific_code,
    fullest_citation,
    joint_attribution,
    strongest_certainty,
    stated_over_inferred,
    editors_last,
)
