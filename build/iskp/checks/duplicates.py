"""Duplicates: pairs of events, or of sources, that may be one, each settled in the registry as the same or different.

No event may stand twice. Two single events are proposed as a pair when the days in which they are known to lie come
within three days of each other, one place holds the other or they are within 50 km, and their tolls, where both are
told, differ by a quarter at most. Events whose date is not known to a month are left out: they would pair with all.

No document may be two sources, for it would corroborate itself. Two sources are proposed when they have the same
address, or the same title where neither says that it derives from the other nor both from a third. A publisher under
two names would corroborate itself likewise, so that its spelling is checked too.
"""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pandas as pd

from iskp.coding.claims import Claim
from iskp.coding.evidence import normalised_words
from iskp.coding.registry import Registry
from iskp.problem import Problem

DAYS_APART = datetime.timedelta(days=3)
LONGEST_INTERVAL = datetime.timedelta(days=31)
KILOMETRES = 50.0
TOLL_DIFFERENCE = 0.25
EARTH_RADIUS = 6371.0
CLASSES = frozenset({"violent", "law_enforcement"})


@dataclass(frozen=True, order=True)
class Pair:
    """Two events or sources that may be one, the lower id first, and why they were proposed."""

    first: str
    second: str
    reason: str = ""
    table: str = "events"


def proposed_pairs(events: pd.DataFrame, within: Mapping[str, str]) -> list[Pair]:
    """Return pairs of single events close in date, place and toll; ``within`` maps a place to the next larger."""
    rows = [
        row
        for row in events.to_dict("records")
        if row["event_class"] in CLASSES and not row["is_aggregate"] and _is_dated(row)
    ]
    pairs = []
    for one, other in combinations(sorted(rows, key=lambda row: str(row["event_id"])), 2):
        if _close_in_time(one, other) and _close_in_place(one, other, within) and _close_in_toll(one, other):
            reason = f"{one['date_edtf']} and {other['date_edtf']}, {one['place_id']} and {other['place_id']}"
            pairs.append(Pair(str(one["event_id"]), str(other["event_id"]), reason))
    return pairs


Row = Mapping[Any, Any]


def _is_dated(row: Row) -> bool:
    start, end = row["date_start"], row["date_end"]
    known = bool(pd.notna(start)) and bool(pd.notna(end))
    return known and bool(end - start <= LONGEST_INTERVAL)


def _close_in_time(one: Row, other: Row) -> bool:
    gap = max(one["date_start"], other["date_start"]) - min(one["date_end"], other["date_end"])
    return bool(gap <= DAYS_APART)


def _close_in_place(one: Row, other: Row, within: Mapping[str, str]) -> bool:
    places = [one["place_id"], other["place_id"]]
    if any(pd.isna(place) for place in places):
        return bool(one["perpetrator_id"] == other["perpetrator_id"])
    first, second = (_larger(str(place), within) for place in places)
    if first[0] in second or second[0] in first:
        return True
    points = [float(row[axis]) for row in (one, other) for axis in ("latitude", "longitude")]
    return not any(map(math.isnan, points)) and distance(*points) <= KILOMETRES


def _larger(place: str, within: Mapping[str, str]) -> Sequence[str]:
    chain = [place]
    while chain[-1] in within and within[chain[-1]] not in chain:
        chain.append(within[chain[-1]])
    return chain


def distance(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Return the great-circle distance of two points in kilometres.

    >>> round(distance(30.18, 67.0, 29.8, 66.85))
    45
    """
    a, b, c, d = map(math.radians, (latitude, longitude, other_latitude, other_longitude))
    h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(h))


def _close_in_toll(one: Row, other: Row) -> bool:
    tolls = [one["killed_best"], other["killed_best"]]
    if any(pd.isna(toll) for toll in tolls):
        return True
    low, high = sorted(int(toll) for toll in tolls)
    return high - low <= TOLL_DIFFERENCE * high


def proposed_sources(sources: pd.DataFrame, derivations: pd.DataFrame) -> list[Pair]:
    """Return pairs of sources that may be one document: they share an address, or a title that nothing explains.

    A title is explained where one is a copy of the other, or both are of a third.
    """
    originals: dict[str, set[str]] = {}
    for copy, original in zip(derivations["source_id"], derivations["derived_from"], strict=True):
        originals.setdefault(str(copy), set()).add(str(original))
    rows = sorted(sources.to_dict("records"), key=lambda row: str(row["source_id"]))
    pairs = {
        pair: f"both have the title {one['title']}"
        for pair, one, _ in _alike(rows, "title", str.casefold)
        if not _derived(*pair, originals)
    }
    pairs |= {pair: f"both have the address {one['url']}" for pair, one, _ in _alike(rows, "url", _address)}
    return [Pair(*ids, reason, "sources") for ids, reason in sorted(pairs.items())]


def _alike(rows: Iterable[Row], column: str, same: Callable[[str], str]) -> Iterator[tuple[tuple[str, str], Row, Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if bool(pd.notna(row[column])):
            groups.setdefault(same(str(row[column])), []).append(row)
    for group in groups.values():
        for one, other in combinations(group, 2):
            yield (str(one["source_id"]), str(other["source_id"])), one, other


def _address(url: str) -> str:
    """Return an address without what does not tell pages apart: scheme, www, a closing slash, the place in the page."""
    parts = urlsplit(url)
    return urlunsplit(("", parts.netloc.lower().removeprefix("www."), parts.path.rstrip("/"), parts.query, ""))


def _derived(one: str, other: str, originals: Mapping[str, set[str]]) -> bool:
    above, beside = originals.get(one, set()), originals.get(other, set())
    return one in beside or other in above or not above.isdisjoint(beside)


def check_publishers(claims: Iterable[Claim]) -> Iterator[Problem]:
    """Check that a publisher has one spelling, since sources of one publisher count as one voice."""
    named = [claim for claim in claims if (claim.table_name, claim.field) == ("sources", "publisher")]
    spellings: dict[str, Counter[str]] = {}
    for claim in named:
        spellings.setdefault(_plain(claim.value or ""), Counter())[claim.value or ""] += 1
    for claim in named:
        usual = spellings[_plain(claim.value or "")].most_common(1)[0][0]
        if claim.value != usual:
            what = f"{claim.value!r} and {usual!r} are spellings of one publisher"
            yield claim.problem(what, f"write {usual!r}", "publisher_spelling")


def _plain(name: str) -> str:
    return "".join(normalised_words(name)).removeprefix("the")


def check_duplicates(
    frames: Mapping[str, pd.DataFrame], within: Mapping[str, str], registry: Registry
) -> Iterator[Problem]:
    """Check that every proposed pair is settled, and that no settled pair has become pointless."""
    found = [
        *proposed_pairs(frames["events"], within),
        *proposed_sources(frames["sources"], frames["source_derivations"]),
    ]
    proposed = {(pair.first, pair.second): pair for pair in found}
    file = registry.files["pairs"]
    settled = {entry.ids: index for index, entry in enumerate(registry.pairs)}
    for key, pair in proposed.items():
        if key not in settled:
            what = f"{pair.first} and {pair.second} may be one: {pair.reason}"
            remedy = f"merge them, or add to {file.name}: {{{pair.table}: [{pair.first}, {pair.second}], reason: ...}}"
            yield Problem(file.name, 1, what, remedy, "unsettled_pair", pair.table, pair.first)
    for key, index in settled.items():
        if key not in proposed:
            what = f"{key[0]} and {key[1]} are no longer proposed as one"
            yield Problem(file.name, file.line(("pairs", index)), what, "remove the entry", "pointless_pair")
