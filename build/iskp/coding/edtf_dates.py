"""Dates with honest uncertainty: EDTF expressions (ISO 8601-2) as intervals of days.

An expression names the interval in which a date is known to lie. The bounds come from the ``edtf`` library; this
module adds the precision code, the order of the ends, and the narrowing of several expressions to one.
"""

from __future__ import annotations

import calendar
import datetime
import functools
import math
import re
from dataclasses import dataclass
from typing import Any

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """Days from ``start`` to ``end``, both inclusive; ``None`` is an end that is not known."""

    start: datetime.date | None
    end: datetime.date | None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(f"the end {self.end} is before the start {self.start}")

    def contains(self, other: Interval) -> bool:
        """Tell whether every day of the other interval is in this one."""
        starts = self.start is None or (other.start is not None and self.start <= other.start)
        ends = self.end is None or (other.end is not None and other.end <= self.end)
        return starts and ends

    def intersect(self, other: Interval) -> Interval | None:
        """Return the days in both, or ``None`` when there are none."""
        starts = [day for day in (self.start, other.start) if day is not None]
        ends = [day for day in (self.end, other.end) if day is not None]
        start, end = max(starts, default=None), min(ends, default=None)
        if start is not None and end is not None and end < start:
            return None
        return Interval(start, end)

    @property
    def precision(self) -> str:
        """Return the code of ``date_precision``: the calendar unit that the interval is, else range or open.

        >>> bounds("2019-05").precision, bounds("2019-05-13/2019-05-15").precision, bounds("../2016").precision
        ('month', 'week', 'open')
        """
        if self.start is None or self.end is None:
            return "open"
        if self.start.isocalendar()[:2] == self.end.isocalendar()[:2]:
            return "day" if self.start == self.end else "week"
        if self.start.day == 1 and self.end.day == calendar.monthrange(self.end.year, self.end.month)[1]:
            months = (self.end.year - self.start.year) * 12 + self.end.month - self.start.month + 1
            return _unit(self.start.month, months)
        return "range"


def _unit(first: int, months: int) -> str:
    if months == 1:
        return "month"
    if months == 12 and first == 1:
        return "year"
    meteorological = months == 3 and first % 3 == 0
    part_of_year = months in {3, 4, 6} and (first - 1) % months == 0
    return "season" if meteorological or part_of_year else "range"


@functools.cache
def bounds(expression: str) -> Interval:
    """Return the interval of an EDTF expression.

    Uncertain and approximate expressions (``?``, ``~``) have the bounds of their unit: no slack is made up. A set
    of alternatives has the bounds of its first and last.

    Raises:
        ValueError: if the text is no EDTF, or its end is before its start.

    >>> bounds("2015-37")
    Interval(start=datetime.date(2015, 1, 1), end=datetime.date(2015, 4, 30))
    """
    if re.search(r"[0-9]{4}-24", expression):
        raise ValueError(f"{expression!r}: a winter lies in two years; write it as an interval of months")
    if expression.startswith("/") or expression.endswith("/"):
        raise ValueError(f"{expression!r}: write '..' for an end that is not known")
    first, _, last = expression.partition("/")
    lower, upper = _calendar_unit(first), _calendar_unit(last or first)
    if lower is not None and upper is not None:
        return Interval(lower.start, upper.end)
    return _parsed(expression)


def known_day(expression: str) -> datetime.date | None:
    """Return the day that an expression names without doubt, ``None`` for a longer time and for an unsure day.

    A reader of a column of days does not see the ``?``, ``~`` or ``%`` (uncertain, approximate, both: EDTF level 1)
    that the expression beside it bears, so such a day stays out of it.

    >>> known_day("2015-09-29"), known_day("2015-09-29?"), known_day("2015-09")
    (datetime.date(2015, 9, 29), None, None)
    """
    interval = bounds(expression)
    return interval.start if interval.precision == "day" and not re.search("[?~%]", expression) else None


def _calendar_unit(written: str) -> Interval | None:
    """Read a year, month, day or open end; ``None`` for any other form, which is the library's to read.

    Nearly all dates have these forms, and the library's grammar takes 7 ms for each expression.
    """
    if written == "..":
        return Interval(None, None)
    if not (match := re.fullmatch(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", written)):
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    if year is None or (month is not None and month > 12):
        return None
    try:
        start = datetime.date(year, month or 1, day or 1)
        end = datetime.date(year, month or 12, day or calendar.monthrange(year, month or 12)[1])
    except ValueError as error:
        raise ValueError(f"{written!r} is no EDTF date: {error}") from error
    return Interval(start, end)


def _parsed(expression: str) -> Interval:
    from edtf import EDTFParseException, parse_edtf

    try:
        parsed: Any = parse_edtf(expression)
    except EDTFParseException as error:
        raise ValueError(f"{expression!r} is no EDTF date") from error
    return Interval(_day(parsed.lower_strict()), _day(parsed.upper_strict()))


def _day(moment: Any) -> datetime.date | None:
    if isinstance(moment, float) and math.isinf(moment):
        return None
    return datetime.date(moment.tm_year, moment.tm_mon, moment.tm_mday)


def expression(interval: Interval) -> str:
    """Write an interval as the shortest EDTF expression that has its bounds.

    >>> expression(bounds("2019-05-01/2019-05-31")), expression(Interval(None, datetime.date(2016, 7, 31)))
    ('2019-05', '../2016-07')
    """
    start, end = interval.start, interval.end
    if start is None or end is None:
        return f"{_open_end(start, start)}/{_open_end(end, end and end + DAY)}"
    shortest = {"day": start.isoformat(), "month": f"{start:%Y-%m}", "year": f"{start:%Y}"}
    if interval.precision in shortest:
        return shortest[interval.precision]
    if start.day == 1 and (end + DAY).day == 1:
        whole_years = start.month == 1 and end.month == 12
        return f"{start:%Y}/{end:%Y}" if whole_years else f"{start:%Y-%m}/{end:%Y-%m}"
    return f"{start}/{end}"


def _open_end(day: datetime.date | None, first_of_month: datetime.date | None) -> str:
    if day is None or first_of_month is None:
        return ".."
    return f"{day:%Y-%m}" if first_of_month.day == 1 else day.isoformat()


def same(first: str, second: str) -> bool:
    """Tell whether two expressions name the same days."""
    return bounds(first) == bounds(second)
