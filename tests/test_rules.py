"""The rules of reconciliation, each on the claims that it is for."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskp.coding.claims import Claim
from iskp.coding.edtf_dates import bounds
from iskp.reconcile import rules
from iskp.reconcile.context import Context, most_specific
from iskp.reconcile.listings import designation_status
from iskp.reconcile.tolls import combined_bounds

CONTEXT = Context(
    copied_from={"copy": frozenset({"first"}), "digest": frozenset({"first", "second"})},
    publishers={"first": "Gazette", "again": "Gazette", "second": "Courier", "copy": "Mirror", "digest": "Mirror"},
    parents={"branch": "front"},
    within={"town": "land"},
    broader={"event_type": {"suicide_bombing": "bombing", "bombing": "attack"}},
    published={"first": datetime.date(2020, 1, 1), "second": datetime.date(2020, 2, 1)},
    perpetrators_own=frozenset({"own"}),
    aggregates=frozenset({"ev0009"}),
)


def claims(column: str, table: str = "events", record: str = "ev0001", **values: str) -> list[Claim]:
    return [Claim(table, record, column, value, source) for source, value in values.items()]


def test_unanimous_sources_settle() -> None:
    verdict = rules.unanimous(claims("suicide", first="yes", second="yes"), CONTEXT)
    assert verdict is not None
    assert verdict.value == "yes"


def test_unknown_yields() -> None:
    verdict = rules.known_over_unknown(claims("suicide", first="unknown", second="yes"), CONTEXT)
    assert verdict is not None
    assert verdict.value == "yes"


def test_copy_yields_to_its_original() -> None:
    verdict = rules.original_over_copy(claims("place_id", first="land", copy="town"), CONTEXT)
    assert verdict is not None
    assert verdict.value == "land"


def test_copy_yields_to_nobody_else() -> None:
    assert rules.original_over_copy(claims("place_id", second="land", copy="town"), CONTEXT) is None


def test_dates_that_agree_are_narrowed() -> None:
    verdict = rules.narrowest_date(claims("date_edtf", first="2016", second="../2016-07"), CONTEXT)
    assert verdict is not None
    assert verdict.value == "2016-01/2016-07"


def test_disjoint_dates_are_no_ones_to_settle() -> None:
    group = claims("date_edtf", first="2017", second="2018-07-13")
    assert all(rule(group, CONTEXT) is None for rule in rules.RULES)


def test_citation_with_its_number_is_the_one_without() -> None:
    group = claims("legal_instrument", "designations", first="Order 2011", second="Order, 2011 (S.I. 2011/108)")
    verdict = rules.fullest_citation(group, CONTEXT)
    assert verdict == rules.Verdict("Order, 2011 (S.I. 2011/108)", frozenset({"Order, 2011 (S.I. 2011/108)"}))


@pytest.mark.parametrize("other", ["Order 2012 (No. 7)", "Order 20", "Reorder 2011 (No. 7)"])
def test_citations_of_other_instruments_stay_in_conflict(other: str) -> None:
    assert rules.fullest_citation(claims("legal_instrument", first="Order 2011", second=other), CONTEXT) is None


def test_aggregate_keeps_its_whole_span() -> None:
    group = claims("date_edtf", record="ev0009", first="../2018-09", second="../2021-12")
    verdict = rules.whole_span_of_aggregate(group, CONTEXT)
    assert verdict is not None
    assert verdict.value == "../2021-12"


def test_province_is_more_specific_than_its_parent() -> None:
    group = claims("org_id", table="event_actors", first="front", second="branch")
    verdict = rules.most_specific_organization(group, CONTEXT)
    assert verdict is not None
    assert verdict.value == "branch"


def test_town_is_more_specific_than_its_land() -> None:
    verdict = rules.most_specific_place(claims("place_id", first="land", second="town"), CONTEXT)
    assert verdict is not None
    assert verdict.value == "town"


def test_suicide_bombing_is_more_specific_than_attack() -> None:
    verdict = rules.most_specific_code(claims("event_type", first="attack", second="suicide_bombing"), CONTEXT)
    assert verdict is not None
    assert verdict.value == "suicide_bombing"


@pytest.mark.parametrize(
    ("values", "joint"),
    [
        ({"first": "claimed", "second": "attributed"}, "claimed_and_attributed"),
        ({"first": "claimed", "second": "alleged"}, "claimed"),
        ({"first": "unattributed", "second": "attributed"}, "attributed"),
        ({"first": "claimed", "second": "disputed"}, "disputed"),
    ],
)
def test_attributions_add_up(values: dict[str, str], joint: str) -> None:
    verdict = rules.joint_attribution(claims("attribution", **values), CONTEXT)
    assert verdict is not None
    assert verdict.value == joint


@pytest.mark.parametrize(
    ("inferred", "value"),
    [({"second"}, "named"), ({"first", "third"}, "catch_all"), (set(), None), ({"first", "second", "third"}, None)],
)
def test_what_is_stated_stands_above_what_is_inferred(inferred: set[str], value: str | None) -> None:
    group = [
        replace(claim, qualifier="inferred") if claim.source_id in inferred else claim
        for claim in claims("coverage", first="named", second="catch_all", third="named")
    ]
    verdict = rules.stated_over_inferred(group, CONTEXT)
    assert (None if verdict is None else verdict.value) == value


def test_own_voice_is_stronger_than_hearsay_and_a_denial_disputes() -> None:
    stronger = rules.strongest_certainty(claims("certainty", first="attributed", second="asserted"), CONTEXT)
    disputed = rules.strongest_certainty(claims("certainty", first="disputed", second="asserted"), CONTEXT)
    assert stronger is not None
    assert disputed is not None
    assert (stronger.value, disputed.value) == ("asserted", "disputed")


def test_editors_yield_to_the_only_value_that_sources_give() -> None:
    verdict = rules.editors_last(
        claims("outcome", first="succeeded") + claims("outcome", **{"iskp-editors": "failed"}), CONTEXT
    )
    assert verdict is not None
    assert verdict.value == "succeeded"


def counts(**figures: str) -> list[Claim]:
    """Figures by source, written ``qualifier value``."""
    split = {source: figure.split(" ") for source, figure in figures.items()}
    return [
        Claim("event_counts", "ev0001:killed:all", "best", value, source, qualifier=qualifier)
        for source, (qualifier, value) in split.items()
    ]


def test_best_figure_is_that_of_most_independent_sources() -> None:
    group = counts(first="exact 20", second="exact 22", third="exact 20", copy="exact 22")
    verdict = rules.count_rule(group, CONTEXT)
    assert verdict is not None
    assert verdict.value == "20"


def test_tie_of_figures_goes_to_the_later_report() -> None:
    verdict = rules.count_rule(counts(first="exact 20", second="exact 22"), CONTEXT)
    assert verdict is not None
    assert verdict.value == "22"


def test_publisher_that_repeats_itself_is_one_voice() -> None:
    group = counts(first="exact 20", again="exact 20", second="exact 22")
    verdict = rules.count_rule(group, CONTEXT)
    assert verdict is not None
    assert verdict.value == "22"


@pytest.mark.parametrize(
    ("sources", "voices"),
    [
        ([], 0),
        (["first", "again"], 1),
        (["first", "second"], 2),
        (["first", "copy"], 1),
        (["second", "copy"], 2),
        (["digest"], 1),
        (["digest", "second"], 1),
        (["digest", "first", "second"], 2),
        (["digest", "copy"], 1),
        (["digest", "unheard"], 2),
    ],
)
def test_sources_have_as_many_voices_as_publishers_of_originals(sources: list[str], voices: int) -> None:
    assert CONTEXT.independent_voices(sources) == voices


def test_digest_yields_to_each_of_its_originals() -> None:
    for original in ("first", "second"):
        verdict = rules.original_over_copy(claims("place_id", **{original: "land", "digest": "town"}), CONTEXT)
        assert verdict is not None
        assert verdict.value == "land"


def test_upper_bound_alone_gives_no_best_figure() -> None:
    verdict = rules.count_rule(counts(first="up_to 20"), CONTEXT)
    assert verdict is not None
    assert verdict.value is None


FIGURES = st.lists(
    st.tuples(st.sampled_from(["exact", "at_least", "more_than", "nearly", "about", "up_to"]), st.integers(0, 500)),
    min_size=1,
    max_size=6,
)


@given(FIGURES)
def test_bounds_of_many_figures_contain_the_best(figures: list[tuple[str, int]]) -> None:
    group = [
        Claim("event_counts", "ev0001:killed:all", "best", str(number), f"source{i}", qualifier=qualifier)
        for i, (qualifier, number) in enumerate(figures)
    ]
    limits = combined_bounds(group, CONTEXT)
    verdict = rules.count_rule(group, CONTEXT)
    assert verdict is not None
    if verdict.value is not None:
        best = int(verdict.value)
        assert limits.low is None or limits.low <= best
        assert limits.high is None or best <= limits.high


VALUES = st.lists(st.sampled_from(["2016", "2016-07", "2016-07-23", "../2016-12", "2017", "2018-07-13"]), min_size=1)


@given(VALUES, st.randoms())
def test_order_of_claims_does_not_matter(values: list[str], shuffler: random.Random) -> None:
    group = claims("date_edtf", **{f"source{i}": value for i, value in enumerate(values)})
    shuffled = [replace(claim) for claim in group]
    shuffler.shuffle(shuffled)
    for rule in rules.RULES:
        assert rule(group, CONTEXT) == rule(shuffled, CONTEXT)


@given(VALUES)
def test_narrowed_date_lies_in_every_claim(values: list[str]) -> None:
    verdict = rules.narrowest_date(
        claims("date_edtf", **{f"source{i}": value for i, value in enumerate(values)}), CONTEXT
    )
    if verdict is not None and verdict.value is not None:
        assert all(bounds(value).contains(bounds(verdict.value)) for value in values)


def test_values_on_two_lines_have_no_most_specific() -> None:
    assert most_specific(["town", "village"], {"town": "land", "village": "land"}) is None


@pytest.mark.parametrize(
    ("actions", "status"),
    [
        ([], "unknown"),
        ([("listed", "2001-01-01")], "active"),
        ([("listed", "2001-01-01"), ("delisted", "2020-10-20")], "ended"),
        ([("delisted", "2020-10-20"), ("listed", "2021-10-20")], "active"),
        ([("delisted", "2013-01-01/2013-10-20"), ("listed", "2013-10-20")], "active"),
        ([("listed", "2013-10-20"), ("delisted", "2013-10-20")], "ended"),
        ([("delisted", "2020-10-20"), ("listed", "2021-10-20"), ("observed_present", "2022-01-01")], "active"),
        ([("observed_absent", "2020-10-20")], "not_listed"),
        ([("observed_present", "2001-01-01"), ("observed_absent", "2020-10-20")], "active"),
    ],
)
def test_status_of_a_designation_follows_from_its_actions(actions: list[tuple[str, str]], status: str) -> None:
    rows = [{"action": action, "action_start": day[:10], "action_end": day[-10:]} for action, day in actions]
    assert designation_status(rows)[0] == status


@pytest.mark.parametrize(
    ("actions", "day"),
    [
        ([], ""),
        ([("listed", "2001-01-01", "2001-12-31")], "2001-12-31"),
        ([("listed", "2001-01-01", "")], "2001-01-01"),
        ([("listed", "2001-01-01", "2001-01-01"), ("observed_present", "2020-01-01", "2020-12-31")], "2020-01-01"),
        ([("listed", "2001-01-01", "2001-01-01"), ("observed_absent", "2020-01-01", "2020-01-01")], "2001-01-01"),
        (
            [("observed_absent", "2011-01-01", "2011-01-01"), ("observed_absent", "2020-01-01", "2020-01-01")],
            "2020-01-01",
        ),
        ([("listed", "2001-01-01", "2001-01-01"), ("delisted", "2020-01-01", "2020-01-31")], "2020-01-31"),
        ([("observed_present", "", "")], "2019-05-15"),
    ],
)
def test_status_is_told_for_the_day_of_the_last_word(actions: list[tuple[str, str, str]], day: str) -> None:
    rows = [
        {"action": action, "action_start": start, "action_end": end, "observed_on": "2019-05-15"}
        for action, start, end in actions
    ]
    assert designation_status(rows)[1] == day
