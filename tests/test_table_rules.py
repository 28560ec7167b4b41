"""Every rule across columns, rows and tables has tables that break it."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from iskp.checks import tables as checks
from iskp.package.schema import TableSchema
from iskp.pipeline import Coded, make_frames, make_records, read_coded

Frames = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def coded(filled_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Coded:
    folder = tmp_path_factory.mktemp("rules") / "package"
    shutil.copytree(filled_example, folder)
    return read_coded(folder)


@pytest.fixture
def frames(coded: Coded) -> Frames:
    records, claims, _ = make_records(coded)
    return make_frames(records, claims, coded.schemas)


def test_good_tables_break_no_rule(frames: Frames, schemas: dict[str, TableSchema]) -> None:
    assert checks.check_tables(frames, schemas, []) == []


def set_cell(table: str, column: str, value: object, row: int = 0) -> Callable[[Frames], None]:
    def change(frames: Frames) -> None:
        frames[table].loc[frames[table].index[row], column] = value  # type: ignore[call-overload]

    return change


def add_row(table: str, **changes: object) -> Callable[[Frames], None]:
    def change(frames: Frames) -> None:
        row = frames[table].iloc[[0]].assign(**changes)
        frames[table] = pd.concat([frames[table], row], ignore_index=True).astype(frames[table].dtypes)

    return change


def both(*steps: Callable[[Frames], None]) -> Callable[[Frames], None]:
    def change(frames: Frames) -> None:
        for step in steps:
            step(frames)

    return change


BROKEN: dict[str, Callable[[Frames], None]] = {
    "bounds_in_order": set_cell("event_counts", "low", 500),
    "dates_in_order": set_cell("events", "date_end", datetime.date(2000, 1, 1)),
    "foreign_keys": set_cell("events", "place_id", "elba"),
    "unique_keys": add_row("event_actors", event_actor_id="ev0001:other:red-branch"),
    "parts_within_totals": add_row(
        "event_counts", event_count_id="ev0001:killed:civilians", measure="killed", victim_class="civilians", best=600
    ),
    "aggregates_have_no_single_toll": set_cell("estimates", "event_id", "ev0001"),
    "perpetrators_are_actors": set_cell("event_actors", "role", "target"),
    "listed_names_are_names": set_cell("organizations", "acronym", "XYZ"),
    "mutual_relations_once": both(
        add_row(
            "organization_relations",
            organization_relation_id="a",
            org_id="red-front",
            relation="fights",
            related_org_id="red-branch",
        ),
        add_row(
            "organization_relations",
            organization_relation_id="b",
            org_id="red-branch",
            relation="fights",
            related_org_id="red-front",
        ),
    ),
    "points_in_country": set_cell("places", "country_code", None),
    "claims_cover_cells": set_cell("designations", "list_reference", "X.1"),
}


def test_every_rule_is_shown_to_fail() -> None:
    assert set(BROKEN) == {rule.__name__ for rule in checks.RULES}


@pytest.mark.parametrize("rule", BROKEN)
def test_rule_finds_what_it_is_for(rule: str, frames: Frames, schemas: dict[str, TableSchema]) -> None:
    BROKEN[rule](frames)
    broken = {problem.rule for problem in checks.check_tables(frames, schemas, [])}
    assert rule in broken


COLUMN_FAULTS = {
    "column_pattern": set_cell("events", "event_id", "event1"),
    "column_minimum": set_cell("event_counts", "low", -1),
    "column_maximum": set_cell("places", "latitude", 91.0),
    "column_clean_text": set_cell("events", "title", "two\nlines"),
    "column_not_nullable": set_cell("events", "title", None),
    "column_multiple_fields_uniqueness": add_row("authorities"),
    "column_column_in_schema": lambda frames: frames.update(events=frames["events"].assign(extra=1)),
    "column_column_in_dataframe": lambda frames: frames.update(events=frames["events"].drop(columns="title")),
    "column_dtype('Int64')": lambda frames: frames.update(
        events=frames["events"].assign(n_sources=frames["events"]["n_sources"].astype("float64"))
    ),
}


@pytest.mark.parametrize("rule", COLUMN_FAULTS)
def test_column_check_finds_what_it_is_for(rule: str, frames: Frames, schemas: dict[str, TableSchema]) -> None:
    COLUMN_FAULTS[rule](frames)
    found = {p.rule for p in checks.check_columns(frames, schemas, checks.Origins([]))}
    assert rule in found


def test_problem_of_a_cell_leads_to_the_line_where_it_was_coded(frames: Frames, coded: Coded) -> None:
    set_cell("places", "latitude", 91.0)(frames)
    _, claims, _ = make_records(coded)
    (problem,) = checks.check_tables(frames, coded.schemas, claims)
    assert problem.file == "sources/gazette-2021-03-20.yaml"
    assert problem.line > 0
    assert (problem.table, problem.key, problem.column) == ("places", "alba", "latitude")
