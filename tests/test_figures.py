"""Figures: what they allow, and whether they stand in their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from num2words import num2words

from iskp.coding.evidence import normalised_words
from iskp.coding.figures import Bounds, count_bounds, read_figure, spellings, stands_in

NUMBERS = st.integers(0, 250_000)


@pytest.mark.parametrize(
    ("value", "qualifier", "bounds"),
    [
        ("20", "exact", Bounds(20, 20, 20)),
        ("20", "at_least", Bounds(20, 20, None)),
        ("20", "more_than", Bounds(20, 20, None)),
        ("20", "nearly", Bounds(None, 20, 20)),
        ("20", "about", Bounds(None, 20, None)),
        ("20", "up_to", Bounds(None, None, 20)),
        ("20..25", "range", Bounds(20, None, 25)),
        (None, "vague", Bounds()),
    ],
)
def test_qualifier_sets_the_bounds(value: str | None, qualifier: str, bounds: Bounds) -> None:
    assert count_bounds(value, qualifier) == bounds


@pytest.mark.parametrize(
    ("value", "qualifier"), [(None, "exact"), ("20", "vague"), ("20..25", "exact"), ("20", "range"), ("20", "near")]
)
def test_qualifier_that_does_not_go_with_the_value_is_refused(value: str | None, qualifier: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        count_bounds(value, qualifier)


@pytest.mark.parametrize("value", ["25..20", "x", "", "1.5"])
def test_what_is_no_figure_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_figure(value)


def test_bounds_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="not in order"):
        Bounds(3, 2, None)


@given(NUMBERS)
def test_number_stands_in_its_words_and_digits(number: int) -> None:
    for written in (str(number), f"{number:,}", num2words(number)):
        assert stands_in(str(number), normalised_words(f"killed {written} people"))


@given(NUMBERS, NUMBERS)
def test_number_does_not_stand_in_another(number: int, other: int) -> None:
    written = normalised_words(f"killed {other:,} people")
    assert stands_in(str(number), written) == (number == other)


def test_both_ends_of_a_range_must_stand_there() -> None:
    assert stands_in("20..25", normalised_words("between 20 and twenty-five"))
    assert not stands_in("20..25", normalised_words("between 20 and 30"))


def test_word_for_a_number_must_stand_there() -> None:
    assert stands_in(None, normalised_words("dozens of people"))
    assert not stands_in(None, normalised_words("the people"))


@given(NUMBERS)
def test_spellings_differ(number: int) -> None:
    assert len(set(spellings(number))) == len(spellings(number))
