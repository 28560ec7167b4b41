"""What the words of a text say about a date: "last month", "on Friday", "early 2016" as EDTF.

A coder writes both the words and the date that they take them for. This module resolves the words again, against
the day on which the text was published, and the two must agree. So a slip in a calendar is found by the build, and
nobody has to trust that "on Friday" was looked up right.

Rules:

- A weekday is the last such day *before* publication; a month without a year is the last such month that had begun.
- "this week" and "this month" run from their first day to publication; "last" is the whole unit before, with weeks
  from Monday to Sunday.
- "early", "mid" and "late" are the thirds of a year (EDTF 37 to 39); "beginning" and "start" are early, "end" is
  late. Seasons are meteorological and northern (EDTF 21 to 23); a winter is refused, since it lies in two years.
- Words that count from another event ("that year", "at the time") mean its date; a month, the last such one before.
- "days after" something is from one to fourteen days later; a number of units later is that unit, shifted.
- "as of" and "by" set only the latest day; "recently" and "lately" too: the day of publication.
- A text whose day of publication is not known, only an interval, resolves to the interval from the earliest to the
  latest that any of those days would give.
- Nothing that a text reports can lie after its publication, so every result is cut there.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Callable

from dateutil.easter import easter
from dateutil.relativedelta import MO, relativedelta
from num2words import num2words

from iskp.coding.edtf_dates import DAY, Interval, bounds

MONTHS = {name.casefold(): i for i, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.casefold(): i for i, name in enumerate(calendar.month_abbr) if name} | {"sept": 9}
WEEKDAYS = {name.casefold(): i for i, name in enumerate(calendar.day_name)}
NUMBERS = {num2words(n): n for n in range(1, 32)} | {str(n): n for n in range(1, 32)} | {"a": 1, "one": 1}
THIRDS = {"early": "37", "beginning": "37", "start": "37", "mid": "38", "middle": "38", "late": "39", "end": "39"}
SEASONS = {"spring": "21", "summer": "22", "fall": "23", "autumn": "23"}
MONTH = "(?P<month>" + "|".join(sorted(MONTHS, key=len, reverse=True)) + ")"
YEAR = "(?P<year>(?:19|20)[0-9]{2})"
FORTNIGHT = 14 * DAY

Resolver = Callable[[re.Match[str], datetime.date], Interval]
_GRAMMAR: list[tuple[re.Pattern[str], Resolver]] = []


def _rule(pattern: str) -> Callable[[Resolver], Resolver]:
    def register(resolver: Resolver) -> Resolver:
        _GRAMMAR.append((re.compile(pattern), resolver))
        return resolver

    return register


def normalise(words: str) -> str:
    """Fold case, drop articles, ordinal endings and leading prepositions, and unify blanks.

    >>> normalise("On the 15th of May, 2019"), normalise("In early 2016"), normalise("last month's")
    ('15 may 2019', 'early 2016', 'last month')
    """
    text = re.sub(r"['’]s\b", "", words.casefold())
    text = re.sub(r"\b([0-9]{1,2})(st|nd|rd|th)\b", r"\1", text)
    text = re.sub(r"[^\w/ -]", " ", text).replace("-", " ")
    text = re.sub(r"\b(the|of)\b", " ", text)
    text = re.sub(r"\b(year|time) (?=(19|20)[0-9]{2})", "", text)
    text = " ".join(text.split())
    return re.sub(r"^(on|in|at|during|since|from|dated|around) ", "", text)


def resolve(
    words: str,
    published: Interval,
    *,
    relative_to: str | None = None,
    followed_by: str | None = None,
    by_then: bool = False,
) -> str:
    """Resolve time words to the days that they can mean.

    Args:
        words: the words, as they stand in the text.
        published: the days on which the text can have been published.
        relative_to: EDTF of another event, when the words count from it ("three months later", "that year").
        followed_by: EDTF of another event of which the text says that it came so long after this one.
        by_then: the words tell when it was already so, not when it began; only the latest day follows.

    Raises:
        ValueError: if no rule reads the words.

    >>> resolve("On Friday", bounds("2019-05-15"))
    '2019-05-10/2019-05-10'
    >>> resolve("last week", bounds("2017-06-26/2017-06-30"))
    '2017-06-19/2017-06-25'
    >>> resolve("Three months later", bounds("2018-09"), relative_to="2017-04")
    '2017-07-01/2017-07-31'
    """
    text = normalise(words)
    if published.start is None or published.end is None:
        raise ValueError("the publication date has an open end")
    if relative_to is not None or followed_by is not None:
        meant = _counted(text, bounds(relative_to or followed_by or ""), backwards=followed_by is not None)
    else:
        meant = Interval(_read(text, published.start).start, _read(text, published.end).end)
    if by_then:
        meant = Interval(None, meant.end)
    cut = meant.intersect(Interval(None, published.end))
    if cut is None:
        raise ValueError("the words name a time after publication")
    return f"{cut.start or '..'}/{cut.end or '..'}"


def _read(text: str, published: datetime.date) -> Interval:
    for pattern, resolver in _GRAMMAR:
        if match := pattern.fullmatch(text):
            return resolver(match, published)
    raise ValueError(f"no rule reads the time words {text!r}")


def _counted(text: str, anchor: Interval, *, backwards: bool) -> Interval:
    """Resolve words that count from another event: "that year", "in June", "three months later"."""
    if re.fullmatch(r"(?:(?:later|earlier) )?(?:that|same) (?:day|week|month|year|time)|time|meantime", text):
        return anchor
    if text in MONTHS and anchor.end is not None:
        return _read(text, anchor.end)
    return _shifted(text, anchor, backwards=backwards)


def _shifted(text: str, anchor: Interval, *, backwards: bool) -> Interval:
    match = re.fullmatch(r"(?:(?P<number>\w+) )?(?P<unit>day|week|month|year)s? (?:later|after|before|earlier)", text)
    if match is None or anchor.start is None or anchor.end is None:
        raise ValueError(f"no rule reads the time words {text!r} as counted from another event")
    if match["number"] is None:
        if match["unit"] != "day":
            raise ValueError(f"{text!r} counts from another event, but says not how many")
        if backwards or text.endswith(("before", "earlier")):
            return Interval(anchor.start - FORTNIGHT, anchor.end - DAY)
        return Interval(anchor.start + DAY, anchor.end + FORTNIGHT)
    number = NUMBERS[match["number"]] * (-1 if backwards or text.endswith(("before", "earlier")) else 1)
    shift = {f"{match['unit']}s": number}
    if match["unit"] in {"month", "year"}:
        start = (anchor.start + relativedelta(**shift)).replace(day=1)  # type: ignore[arg-type]
        end = anchor.end.replace(day=1) + relativedelta(**shift)  # type: ignore[arg-type]
        return Interval(start, end + relativedelta(months=1) - DAY)
    return Interval(anchor.start + relativedelta(**shift), anchor.end + relativedelta(**shift))  # type: ignore[arg-type]


def _month(year: int, month: int) -> Interval:
    return Interval(datetime.date(year, month, 1), datetime.date(year, month, calendar.monthrange(year, month)[1]))


@_rule(YEAR)
def _year(match: re.Match[str], published: datetime.date) -> Interval:
    return bounds(match["year"])


@_rule(rf"{MONTH} {YEAR}")
def _month_of_year(match: re.Match[str], published: datetime.date) -> Interval:
    return _month(int(match["year"]), MONTHS[match["month"]])


@_rule(rf"{MONTH} (?P<day>[0-9]{{1,2}}) {YEAR}")
@_rule(rf"(?P<day>[0-9]{{1,2}}) {MONTH} {YEAR}")
def _full_date(match: re.Match[str], published: datetime.date) -> Interval:
    day = datetime.date(int(match["year"]), MONTHS[match["month"]], int(match["day"]))
    return Interval(day, day)


@_rule(f"{MONTH}(?: this year)?")
def _bare_month(match: re.Match[str], published: datetime.date) -> Interval:
    month = MONTHS[match["month"]]
    return _month(published.year if month <= published.month else published.year - 1, month)


@_rule(rf"(?P<part>{'|'.join(THIRDS)}) {YEAR}")
def _part_of_year(match: re.Match[str], published: datetime.date) -> Interval:
    return bounds(f"{match['year']}-{THIRDS[match['part']]}")


@_rule(rf"(?P<season>{'|'.join(SEASONS)})(?: and (?P<other>{'|'.join(SEASONS)}))? {YEAR}")
def _season(match: re.Match[str], published: datetime.date) -> Interval:
    last = match["other"] or match["season"]
    first = bounds(f"{match['year']}-{SEASONS[match['season']]}")
    return Interval(first.start, bounds(f"{match['year']}-{SEASONS[last]}").end)


@_rule(r"(?:as|by) (?P<rest>.+)")
def _latest(match: re.Match[str], published: datetime.date) -> Interval:
    return Interval(None, _read(match["rest"], published).end)


@_rule(rf"(?:between )?(?P<first>.+?) (?:to|until|and) (?P<last>(?:{MONTH}).*)")
def _from_to(match: re.Match[str], published: datetime.date) -> Interval:
    last = _read(match["last"], published)
    first = _read(match["first"], published)
    return Interval(first.start, last.end)


@_rule("|".join(WEEKDAYS))
def _weekday(match: re.Match[str], published: datetime.date) -> Interval:
    back = (published.weekday() - WEEKDAYS[match[0]] - 1) % 7 + 1
    return Interval(published - back * DAY, published - back * DAY)


@_rule("today|yesterday")
def _day_word(match: re.Match[str], published: datetime.date) -> Interval:
    day = published - DAY if match[0] == "yesterday" else published
    return Interval(day, day)


@_rule(r"(?:earlier |later )?this (?P<unit>week|month|year)")
def _this(match: re.Match[str], published: datetime.date) -> Interval:
    first = {
        "week": published + relativedelta(weekday=MO(-1)),
        "month": published.replace(day=1),
        "year": published.replace(month=1, day=1),
    }
    return Interval(first[match["unit"]], published)


@_rule("last (?P<unit>week|month|year)")
def _last(match: re.Match[str], published: datetime.date) -> Interval:
    if match["unit"] == "week":
        sunday = published + relativedelta(weekday=MO(-1)) + relativedelta(days=-1)
        return Interval(sunday + relativedelta(weekday=MO(-1)), sunday)
    if match["unit"] == "month":
        before = published.replace(day=1) - DAY
        return _month(before.year, before.month)
    return bounds(str(published.year - 1))


@_rule("recently|lately|recent past|recent|already")
def _recently(match: re.Match[str], published: datetime.date) -> Interval:
    return Interval(None, published)


@_rule(r"(?P<day>easter|easter sunday|good friday)(?: (?P<year>[0-9]{4}))?")
def _easter(match: re.Match[str], published: datetime.date) -> Interval:
    years = [int(match["year"])] if match["year"] else [published.year, published.year - 1]
    offset = 2 * DAY if match["day"] == "good friday" else 0 * DAY
    days = [easter(year) - offset for year in years]
    day = next((day for day in days if day <= published), days[-1])
    return Interval(day, day)
