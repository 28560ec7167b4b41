"""Words of time resolve to the days that they can mean."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iskp.coding.edtf_dates import Interval, _parsed, bounds, expression, same
from iskp.coding.stated_dates import MONTHS, WEEKDAYS, resolve

DAYS = st.dates(datetime.date(1990, 1, 1), datetime.date(2040, 12, 31))
WEDNESDAY = "2019-05-15"

RESOLVED = [
    ("On Friday", WEDNESDAY, "2019-05-10"),
    ("on Wednesday", WEDNESDAY, "2019-05-08"),
    ("last month's", WEDNESDAY, "2019-04"),
    ("last year", WEDNESDAY, "2018"),
    ("last week", WEDNESDAY, "2019-05-06/2019-05-12"),
    ("earlier this week", WEDNESDAY, "2019-05-13/2019-05-15"),
    ("earlier this month", WEDNESDAY, "2019-05-01/2019-05-15"),
    ("this year", WEDNESDAY, "2019-01-01/2019-05-15"),
    ("yesterday", WEDNESDAY, "2019-05-14"),
    ("Easter Sunday", WEDNESDAY, "2019-04-21"),
    ("Good Friday 2018", WEDNESDAY, "2018-03-30"),
    ("April 12, 2019", WEDNESDAY, "2019-04-12"),
    ("12 April 2019", WEDNESDAY, "2019-04-12"),
    ("in January 2015", WEDNESDAY, "2015-01"),
    ("In May", "2017-06-25/2017-06-30", "2017-05"),
    ("in December", WEDNESDAY, "2018-12"),
    ("in April this year", WEDNESDAY, "2019-04"),
    ("early 2015", WEDNESDAY, "2015-37"),
    ("the start of 2018", "2018-09", "2018-37"),
    ("late 2016", WEDNESDAY, "2016-39"),
    ("the fall of 2015", WEDNESDAY, "2015-23"),
    ("the spring and summer of 2015", WEDNESDAY, "2015-21/2015-22"),
    ("As of July 2016", "2018-09", "../2016-07"),
    ("by the fall of 2015", "2018-09", "../2015-23"),
    ("From January 2018 to August", "2018-09", "2018-01/2018-08"),
    ("recently", WEDNESDAY, "../2019-05-15"),
    ("On Friday", "2019-05-16/2019-05-31", "2019-05-10/2019-05-24"),
    ("last week", "2017-06-25/2017-06-30", "2017-06-12/2017-06-25"),
    ("last month", "2018-09", "2018-08"),
]


@pytest.mark.parametrize(("words", "published", "meant"), RESOLVED)
def test_words_resolve_against_publication(words: str, published: str, meant: str) -> None:
    assert same(resolve(words, bounds(published)), meant)


@pytest.mark.parametrize(
    ("words", "other", "meant"),
    [
        ("Three months later", "2017-04", "2017-07"),
        ("two days after", "2017-04-10", "2017-04-12"),
        ("a week later", "2017-04-10", "2017-04-17"),
        ("a year earlier", "2017-04", "2016-04"),
        ("days after", "2017-04-10", "2017-04-11/2017-04-24"),
        ("later that year", "2016", "2016"),
        ("At the same time", "2014-06", "2014-06"),
        ("in June", "2017-07", "2017-06"),
    ],
)
def test_words_that_count_from_another_event(words: str, other: str, meant: str) -> None:
    assert same(resolve(words, bounds("2018-09"), relative_to=other), meant)


def test_words_may_place_another_event_after_this_one() -> None:
    meant = resolve("days after", bounds("2017-06-30"), followed_by="2017-06-15")
    assert same(meant, "2017-06-01/2017-06-14")


def test_words_may_tell_when_it_was_already_so() -> None:
    assert same(resolve("during 2015", bounds("2018-09"), by_then=True), "../2015")


@pytest.mark.parametrize("words", ["people died", "in winter 2015", "", "the day", "31 June 2017"])
def test_words_that_no_rule_reads_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        resolve(words, bounds(WEDNESDAY))


def test_time_after_publication_is_refused() -> None:
    with pytest.raises(ValueError, match="after publication"):
        resolve("June 2019", bounds(WEDNESDAY))


@given(DAYS, st.sampled_from(sorted(WEEKDAYS)))
def test_weekday_is_within_the_seven_days_before_publication(published: datetime.date, weekday: str) -> None:
    meant = bounds(resolve(f"on {weekday}", Interval(published, published)))
    assert meant.start == meant.end
    assert meant.start is not None
    assert 1 <= (published - meant.start).days <= 7
    assert meant.start.weekday() == WEEKDAYS[weekday]


@given(DAYS, st.sampled_from(sorted(MONTHS)))
def test_bare_month_had_begun_and_is_less_than_a_year_old(published: datetime.date, month: str) -> None:
    meant = bounds(resolve(f"in {month}", Interval(published, published)))
    assert meant.start is not None
    assert meant.start <= published
    assert (published - meant.start).days < 366
    assert meant.start.month == MONTHS[month]


WORDS = st.sampled_from(["on Friday", "last week", "last month", "last year", "this week", "this month", "recently"])


@given(DAYS, st.integers(0, 60), WORDS)
def test_unknown_day_of_publication_gives_an_interval_around_each_day_that_it_can_be(
    first: datetime.date, length: int, words: str
) -> None:
    last = first + datetime.timedelta(days=length)
    whole = bounds(resolve(words, Interval(first, last)))
    for published in (first, first + (last - first) / 2, last):
        assert whole.contains(bounds(resolve(words, Interval(published, published))))


INTERVALS = st.builds(
    lambda start, length, open_start, open_end: Interval(
        None if open_start else start, None if open_end else start + datetime.timedelta(days=length)
    ),
    DAYS,
    st.integers(0, 3000),
    st.booleans(),
    st.booleans(),
)


@given(INTERVALS)
def test_written_interval_reads_back(interval: Interval) -> None:
    assert bounds(expression(interval)) == interval


@given(DAYS, DAYS, st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d"]), st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d"]))
def test_calendar_units_have_the_bounds_that_the_library_gives(
    first: datetime.date, last: datetime.date, form: str, other: str
) -> None:
    for written in (first.strftime(form), f"{min(first, last):{form}}/{max(first, last):{other}}"):
        try:
            assert bounds(written) == _parsed(written)
        except ValueError:
            assert "/" in written


@given(INTERVALS, INTERVALS)
def test_intersection_is_in_both(first: Interval, second: Interval) -> None:
    common = first.intersect(second)
    assert second.intersect(first) == common
    if common is not None:
        assert first.contains(common)
        assert second.contains(common)


@pytest.mark.parametrize(
    ("written", "precision"),
    [
        ("2019-05-15", "day"),
        ("2019-05-13/2019-05-19", "week"),
        ("2019-05", "month"),
        ("2015-23", "season"),
        ("2015-37", "season"),
        ("2019", "year"),
        ("2019-05-15/2019-06-02", "range"),
        ("2018/2019", "range"),
        ("../2019", "open"),
    ],
)
def test_precision_is_the_calendar_unit(written: str, precision: str) -> None:
    assert bounds(written).precision == precision


@pytest.mark.parametrize("written", ["2019-02-30", "2019-13", "May 2019", "/2019", "2019/2018", "2015-24", ""])
def test_what_is_no_edtf_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        bounds(written)
