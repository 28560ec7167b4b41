"""Pairs of events that may be one are proposed, and each must be settled."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from iskp.checks.duplicates import distance, proposed_pairs, proposed_sources
from iskp.pipeline import build
from iskp.problem import ProblemsFound

DAY = datetime.date(2019, 4, 12)


def event(identity: str, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "event_id": identity,
        "event_class": "violent",
        "is_aggregate": False,
        "date_start": DAY,
        "date_end": DAY,
        "date_edtf": DAY.isoformat(),
        "place_id": "quetta",
        "latitude": 30.18,
        "longitude": 67.0,
        "killed_best": 20,
        "perpetrator_id": "islamic-state",
    }
    return row | changes


def are_proposed(**changes: object) -> bool:
    frame = pd.DataFrame([event("ev0001"), event("ev0002", **changes)])
    return bool(proposed_pairs(frame, {"hazarganji": "quetta", "quetta": "balochistan"}))


LATER = DAY + datetime.timedelta(days=3)
MUCH_LATER = DAY + datetime.timedelta(days=4)


@pytest.mark.parametrize(
    ("changes", "proposed"),
    [
        ({}, True),
        ({"date_start": LATER, "date_end": LATER}, True),
        ({"date_start": MUCH_LATER, "date_end": MUCH_LATER}, False),
        ({"date_start": None}, False),
        ({"date_start": datetime.date(2019, 1, 1)}, False),
        ({"place_id": "hazarganji", "latitude": None, "longitude": None}, True),
        ({"place_id": "mastung", "latitude": 29.8, "longitude": 66.85}, True),
        ({"place_id": "kabul", "latitude": 34.5, "longitude": 69.2}, False),
        ({"place_id": "kabul", "latitude": None, "longitude": None}, False),
        ({"place_id": None}, True),
        ({"place_id": None, "perpetrator_id": "ttp"}, False),
        ({"killed_best": 16}, True),
        ({"killed_best": 14}, False),
        ({"killed_best": None}, True),
        ({"is_aggregate": True}, False),
        ({"event_class": "political"}, False),
    ],
)
def test_pairs_are_close_in_date_place_and_toll(changes: dict[str, object], proposed: bool) -> None:
    assert are_proposed(**changes) is proposed


def test_distance_is_symmetric_and_zero_at_home() -> None:
    assert distance(30, 67, 29, 66) == pytest.approx(distance(29, 66, 30, 67))
    assert distance(30, 67, 30, 67) == 0


def test_unsettled_pair_stops_the_build_and_a_pointless_entry_too(
    example: Path, edit: Callable[[str, str, str], int]
) -> None:
    edit("registry/pairs.yaml", "pairs: []", "pairs: [{events: [ev0001, ev0002], reason: told apart}]")
    with pytest.raises(ProblemsFound, match="no longer proposed"):
        build(example)
    sheet = example / "sources/courier-2021-04.yaml"
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("  ev0001:", "  ev0002:"), encoding="utf-8")
    edit("registry/events.yaml", "events:", "events:\n  ev0002:\n    title: Another bombing")
    build(example)
    edit("registry/pairs.yaml", "pairs: [{events: [ev0001, ev0002], reason: told apart}]", "pairs: []")
    with pytest.raises(ProblemsFound, match="ev0001 and ev0002 may be one"):
        build(example)


@pytest.mark.parametrize(
    ("changes", "proposed"),
    [
        ({}, False),
        ({"url": "http://www.example.org/a/#comments"}, True),
        ({"url": "https://example.org/a?page=2"}, False),
        ({"title": "Blast AT market"}, True),
        ({"title": "Blast at market", "derived_from": "first"}, False),
        ({"title": "Blast at market", "derived_from": "third"}, False),
        ({"title": "Blast at market", "derived_from": "fourth"}, True),
        ({"url": "https://example.org/a", "derived_from": "first"}, True),
    ],
)
def test_sources_with_one_address_or_one_title_are_proposed(changes: dict[str, str], proposed: bool) -> None:
    first = {"source_id": "first", "title": "Blast at market", "url": "https://example.org/a", "derived_from": "third"}
    second = {"source_id": "second", "title": "Another", "url": "https://example.org/b", "derived_from": None} | changes
    sources = pd.DataFrame([first, second])
    assert bool(proposed_sources(sources, sources.dropna())) is proposed


def test_document_coded_in_two_sheets_stops_the_build(example: Path, edit: Callable[[str, str, str], int]) -> None:
    edit("sources/courier-2021-04.yaml", "https://example.org/courier", "http://www.example.org/gazette/")
    with pytest.raises(ProblemsFound, match=r"courier-2021-04 and gazette-2021-03-20 may be one: .*merge them"):
        build(example)
