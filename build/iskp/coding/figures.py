"""Figures: what a source's number and its qualifier say, and whether the number stands in the words.

The count rules. A source's figure ``n`` allows

========== ==== ==== ==== =================================================================================
qualifier  low  best high reason
========== ==== ==== ==== =================================================================================
exact      n    n    n    a bare figure is taken at its word
at_least   n    n    –    n is a lower bound; no source says how much more
more_than  n    n    –    the same; n + 1 would read a precision into a figure that is mostly a round one
nearly     –    n    n    the truth is below n, by how much is not said
about      –    n    –    n lies in the middle of an interval whose width is not said
up_to      –    –    n    n is an upper bound, which supports no best figure
range      a    –    b    the ends are told, a middle is not; a mean would be made up
vague      –    –    –    "dozens" and the like give no figure; the word stays in the claim
========== ==== ==== ==== =================================================================================

So the bounds always contain what the source says, and ``best`` is always a figure that a source tells. UCDP GED keeps
low, best and high in the same way. ACLED takes a word for a number ("dozens" for 12, "hundreds" for 100: codebook at
https://acleddata.com/knowledge-base/codebook/, seen 2026-11-23); we leave it empty, since such a number would look
like one that somebody counted. An absent toll is empty, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from num2words import num2words

from iskp.coding.evidence import normalised_words

VAGUE_WORDS = frozenset(
    {"couple", "dozens", "few", "group", "handful", "hundreds", "many", "millions", "number", "scores", "series"}
    | {"several", "some", "tens", "thousands", "various"}
)
NUMBER_NAMES = {
    1: (("a",), ("an",), ("one",), ("another",), ("only",)),
    2: (("couple",), ("pair",), ("both",)),
    12: (("dozen",),),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lowest, best and highest number that a figure allows; ``None`` where it sets no bound."""

    low: int | None = None
    best: int | None = None
    high: int | None = None

    def __post_init__(self) -> None:
        known = [n for n in (self.low, self.best, self.high) if n is not None]
        if known != sorted(known):
            raise ValueError(f"low, best and high are not in order: {self.low}, {self.best}, {self.high}")


def read_figure(value: str) -> tuple[int, int]:
    """Read a figure as coded: ``20``, or ``20..25`` for a range; both ends are equal for a single figure.

    Raises:
        ValueError: if it has another form, or its ends are the wrong way round.
    """
    first, dots, last = value.partition("..")
    low = int(first)
    high = int(last) if dots else low
    if low < 0 or high < low:
        raise ValueError(f"{value!r}: low is above high, or below 0; the lower end comes first")
    return low, high


def count_bounds(value: str | None, qualifier: str) -> Bounds:
    """Apply the count rules to one figure.

    Raises:
        ValueError: if the qualifier does not go with the value.

    >>> count_bounds("25", "at_least")
    Bounds(low=25, best=25, high=None)
    >>> count_bounds("50", "nearly")
    Bounds(low=None, best=50, high=50)
    """
    if (value is None) != (qualifier == "vague"):
        raise ValueError("a word for a number has the qualifier vague and no value; everything else has a value")
    if value is None:
        return Bounds()
    low, high = read_figure(value)
    if (".." in value) != (qualifier == "range"):
        raise ValueError("two figures joined by '..' have the qualifier range, and nothing else has")
    rules = {
        "exact": Bounds(low, low, low),
        "at_least": Bounds(low, low, None),
        "more_than": Bounds(low, low, None),
        "nearly": Bounds(None, low, low),
        "about": Bounds(None, low, None),
        "up_to": Bounds(None, None, low),
        "range": Bounds(low, None, high),
    }
    if qualifier not in rules:
        raise ValueError(f"{qualifier!r} does not qualify figures")
    return rules[qualifier]


def spellings(number: int) -> list[tuple[str, ...]]:
    """Return the runs of normalised words that can stand for a number: digits, grouped digits, words.

    >>> spellings(1300)[:2]
    [('1300',), ('1', '300')]
    """
    plain = num2words(number)
    forms = [str(number), f"{number:,}", plain, plain.replace(" and ", " ")]
    if number >= 1000 and number % 1000 == 0:
        forms.append(f"{number // 1000} thousand")
    found = [tuple(normalised_words(form)) for form in forms]
    return list(dict.fromkeys([*found, *NUMBER_NAMES.get(number, ())]))


def stands_in(value: str | None, words: Sequence[str]) -> bool:
    """Tell whether a claimed figure stands in words, in digits or spelled out; for a vague one, a word for a number.

    >>> stands_in("7", "killing seven afghan security personnel".split())
    True
    >>> stands_in("7", "killing 17 people".split())
    False
    """
    if value is None:
        return not VAGUE_WORDS.isdisjoint(words)
    return all(any(_has_run(words, form) for form in spellings(number)) for number in set(read_figure(value)))


def _has_run(words: Sequence[str], run: Sequence[str]) -> bool:
    """Tell whether a run stands in words and is no part of a longer number, such as the 300 of 1,300."""
    for start in range(len(words) - len(run) + 1):
        if tuple(words[start : start + len(run)]) == tuple(run):
            before = words[start - 1] if start else ""
            after = words[start + len(run)] if start + len(run) < len(words) else ""
            if not (_groups(before, run[0]) or _groups(run[-1], after)):
                return True
    return False


def _groups(left: str, right: str) -> bool:
    return left.isdigit() and len(left) <= 3 and right.isdigit() and len(right) == 3
