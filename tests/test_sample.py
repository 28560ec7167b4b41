"""The sample for a second coder: the same for the same seed, spread over sources, and without the values."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from iskp.checks.sample import HIDDEN, IDENTITY, blinded, draw
from iskp.cli import main


@pytest.fixture(scope="module")
def frames(root: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(root / f"data/{name}.parquet") for name in ("claims", "sources", "events")}


def test_same_seed_draws_the_same_and_another_seed_another(frames: dict[str, pd.DataFrame]) -> None:
    first, again, other = (list(draw(frames, seed, 30)["claim_id"]) for seed in (1, 1, 2))
    assert len(first) == 30
    assert first == again
    assert first != other


def test_no_source_gives_more_than_two_claims(frames: dict[str, pd.DataFrame]) -> None:
    drawn = draw(frames, 3, 10_000)
    assert drawn["source_id"].value_counts().max() == 2
    assert len(drawn) > 500


def test_only_accepted_claims_of_pages_that_are_not_held_are_drawn(frames: dict[str, pd.DataFrame]) -> None:
    drawn = draw(frames, 4, 10_000)
    held = frames["sources"].loc[frames["sources"]["text_sha256"].notna(), "source_id"]
    assert set(drawn["status"]) == {"accepted"}
    assert drawn["url"].notna().all()
    assert not set(drawn["source_id"]) & {*held, "iskp-editors"}


def test_nothing_is_drawn_that_the_id_says_already(frames: dict[str, pd.DataFrame]) -> None:
    drawn = draw(frames, 5, 10_000)
    assert IDENTITY not in set(zip(drawn["table_name"], drawn["field"], strict=True))


def test_no_part_of_a_blinded_id_is_the_value(frames: dict[str, pd.DataFrame]) -> None:
    drawn = draw(frames, 7, 10_000)
    shown = [blinded(claim["record_id"], claim["value"]) for claim in drawn.to_dict("records")]
    assert sum(HIDDEN in record_id for record_id in shown) > 100
    for record_id, value in zip(shown, drawn["value"], strict=True):
        assert value.casefold() not in record_id.casefold().split(":")


def test_command_shows_event_and_page_and_values_only_when_asked(root: Path, frames: dict[str, pd.DataFrame]) -> None:
    drawn = draw(frames, 6, 30)
    arguments = ["sample", "--root", str(root), "--seed", "6"]
    blind, opened = (CliRunner().invoke(main, [*arguments, *extra]).output for extra in ([], ["--values"]))
    assert " = " not in "".join(line for line in blind.splitlines() if "://" not in line)
    for claim in drawn.to_dict("records"):
        assert claim["url"] in blind
        assert f"{claim['field']} = {claim['value']}" in opened
        assert not isinstance(claim["event"], str) or claim["event"] in blind
    assert blind.count("follows from the page") == int((drawn["qualifier"] == "inferred").sum()) > 0
