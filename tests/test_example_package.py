"""What comes out of two small sources, cell by cell."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from iskp.pipeline import build
from iskp.problem import ProblemsFound
from iskp.reconcile.derive import script_of

Tables = Callable[[str], pd.DataFrame]

DELISTED_TWICE = (
    "[{action: delisted, key: a, action_edtf: '2021-04-20'}, {action: listed, action_edtf: '2021-04-01'}, "
    "{action: delisted, key: b, action_edtf: '2021-03-20'}]"
)
SEEN = "actions: [{action: observed_present, key: seen}]"


@pytest.fixture(scope="module")
def built(filled_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "package"
    shutil.copytree(filled_example, folder)
    build(folder, texts=folder / "texts")
    return folder


@pytest.fixture(scope="module")
def table(built: Path) -> Tables:
    return lambda name: pd.read_parquet(built / "data" / f"{name}.parquet")


def test_narrower_of_two_dates_that_agree_is_taken(table: Tables) -> None:
    (event,) = table("events").to_dict("records")
    assert event["date_edtf"] == "2021-03-18"
    assert event["date_start"] == event["date_end"] == datetime.date(2021, 3, 18)
    assert event["date_precision"] == "day"


def test_more_specific_event_type_is_taken_and_gives_the_class(table: Tables) -> None:
    (event,) = table("events").to_dict("records")
    assert (event["event_type"], event["event_class"]) == ("suicide_bombing", "violent")


def test_tolls_of_two_sources_give_a_range_and_the_later_gives_the_best(table: Tables) -> None:
    (event,) = table("events").to_dict("records")
    assert (event["killed_low"], event["killed_best"]) == (7, 9)
    assert pd.isna(event["killed_high"])


def test_nearly_sets_an_upper_bound_only(table: Tables) -> None:
    counts = table("event_counts").set_index("event_count_id")
    wounded = counts.loc["ev0001:wounded:all"]
    assert pd.isna(wounded["low"])
    assert (wounded["best"], wounded["high"]) == (40, 40)


def test_word_for_a_number_gives_no_figure(table: Tables) -> None:
    (estimate,) = table("estimates").to_dict("records")
    assert pd.isna(estimate["low"])
    assert pd.isna(estimate["best"])


def test_untold_facts_are_unknown_and_said_by_the_editors(table: Tables) -> None:
    (event,) = table("events").to_dict("records")
    claims = table("claims")
    (claim,) = claims[(claims["field"] == "suicide") & (claims["record_id"] == "ev0001")].to_dict("records")
    assert event["suicide"] == claim["value"] == "unknown"
    assert (claim["source_id"], claim["rule"]) == ("iskp-editors", "not_stated")


def test_claimant_is_the_perpetrator_where_no_source_names_one(table: Tables) -> None:
    (event,) = table("events").to_dict("records")
    assert (event["perpetrator_id"], event["attribution"]) == ("red-branch", "claimed")


def test_two_independent_sources_confirm(table: Tables) -> None:
    (event,) = table("events").to_dict("records")
    assert (event["n_sources"], event["n_independent_sources"], event["status"]) == (2, 2, "confirmed")


def test_place_gives_country_precision_and_point(table: Tables) -> None:
    (event,) = table("events").to_dict("records")
    assert (event["country_code"], event["place_precision"]) == ("PT", "exact")
    assert (event["latitude"], event["longitude"]) == (38.5, -9.0)


def test_observed_listing_is_active_without_a_date(table: Tables) -> None:
    (designation,) = table("designations").to_dict("records")
    (action,) = table("designation_actions").to_dict("records")
    assert designation["status"] == "active"
    assert pd.isna(designation["designated_on"])
    assert action["observed_on"] == datetime.date(2021, 3, 20)


@pytest.mark.parametrize(
    ("written", "day"),
    [("2021-03-20", datetime.date(2021, 3, 20)), ("2021-03-20?", None), ("2021-03-20~", None), ("2021-03", None)],
)
def test_only_a_day_without_doubt_is_a_day_of_designation_and_of_its_end(
    written: str, day: datetime.date | None, example: Path
) -> None:
    (example / "sources/harbour-list.yaml").write_text(
        "source: {source_id: harbour-list, title: List, publisher: Harbour, source_type: government_document, "
        "language: en, url: 'https://x.org', perpetrator_affiliated: no, accessed_on: 2021-05-01, licence: no}\n"
        f"designations: {{portland-not-told-red-front: {{designated_edtf: '{written}', "
        f"actions: [{{action: delisted, action_edtf: '{written}'}}]}}}}\n",
        encoding="utf-8",
    )
    build(example)
    (designation,) = pd.read_parquet(example / "data/designations.parquet").to_dict("records")
    found = [None if pd.isna(designation[column]) else designation[column] for column in ("designated_on", "ended_on")]
    assert found == [day, day]


def test_listing_ends_with_its_last_delisting(example: Path) -> None:
    (example / "sources/harbour-list.yaml").write_text(
        "source: {source_id: harbour-list, title: List, publisher: Harbour, source_type: government_document, "
        "language: en, url: 'https://x.org', perpetrator_affiliated: no}\n"
        f"designations: {{portland-not-told-red-front: {{actions: {DELISTED_TWICE}}}}}\n",
        encoding="utf-8",
    )
    build(example)
    (designation,) = pd.read_parquet(example / "data/designations.parquet").to_dict("records")
    assert (designation["status"], designation["ended_on"]) == ("ended", datetime.date(2021, 4, 20))


@pytest.mark.parametrize(
    ("pages", "page"),
    [
        ({"a": ("government_document", "designated_edtf: '2021-03-20'"), "b": ("government_document", SEEN)}, "a"),
        ({"a": ("government_document", SEEN), "b": ("intergovernmental_document", SEEN)}, "b"),
        (
            {"a": ("government_document", SEEN), "b": ("government_document", f"qualifier: inferred, note: x, {SEEN}")},
            "a",
        ),
        ({"a": ("government_document", SEEN), "b": ("news_article", "designated_edtf: '2021-03-20'")}, "a"),
        ({"a": ("government_document", SEEN), "b": ("news_article", "instrument_url: 'https://x.org/law'")}, "law"),
        ({"a": ("news_article", SEEN)}, None),
    ],
)
def test_official_page_is_the_instrument_or_what_says_most(
    pages: dict[str, tuple[str, str]], page: str | None, example: Path
) -> None:
    for day, (name, (kind, stated)) in enumerate(pages.items(), start=1):
        (example / f"sources/{name}.yaml").write_text(
            f"source: {{source_id: {name}, title: List {name}, publisher: Harbour, source_type: {kind}, language: en, "
            f"url: 'https://x.org/{name}', published_edtf: 2021-05-0{day}, perpetrator_affiliated: no}}\n"
            f"designations: {{portland-not-told-red-front: {{{stated}}}}}\n",
            encoding="utf-8",
        )
    build(example)
    (designation,) = pd.read_parquet(example / "data/designations.parquet").to_dict("records")
    found = designation["official_url"]
    assert (None if pd.isna(found) else found) == (f"https://x.org/{page}" if page else None)


def test_copy_neither_corroborates_nor_counts(example: Path, edit: Callable[[str, str, str], int]) -> None:
    edit("sources/courier-2021-04.yaml", "  url:", "  derived_from: gazette-2021-03-20\n  url:")
    build(example)
    (event,) = pd.read_parquet(example / "data/events.parquet").to_dict("records")
    assert (event["n_sources"], event["n_independent_sources"], event["status"]) == (2, 1, "provisional")
    assert event["killed_best"] == 7


def test_digest_of_two_sources_is_derived_from_both_and_corroborates_neither(example: Path) -> None:
    (example / "sources/digest.yaml").write_text(
        "source: {source_id: digest, title: Week, publisher: Digest, source_type: news_article, language: en, "
        "derived_from: [courier-2021-04, gazette-2021-03-20], url: 'https://x.org', perpetrator_affiliated: no}\n"
        "events: {ev0001: {event_type: bombing}}\n",
        encoding="utf-8",
    )
    build(example)
    (event,) = pd.read_parquet(example / "data/events.parquet").to_dict("records")
    sources = pd.read_parquet(example / "data/sources.parquet").set_index("source_id")
    derivations = pd.read_parquet(example / "data/source_derivations.parquet")
    assert (event["n_sources"], event["n_independent_sources"]) == (3, 2)
    assert sources.loc["digest", "derived_from"] == "courier-2021-04"
    assert list(derivations["derived_from"]) == ["courier-2021-04", "gazette-2021-03-20"]


def test_perpetrators_own_medium_never_gives_a_best_figure(example: Path, edit: Callable[[str, str, str], int]) -> None:
    for sheet in ("gazette-2021-03-20", "courier-2021-04"):
        edit(f"sources/{sheet}.yaml", "perpetrator_affiliated: no", "perpetrator_affiliated: yes")
    build(example)
    counts = pd.read_parquet(example / "data/event_counts.parquet").set_index("event_count_id")
    killed = counts.loc["ev0001:killed:all"]
    assert pd.isna(killed["best"])
    assert killed["basis"] == "perpetrator_only"


def test_decision_settles_a_conflict_and_rejects(example: Path, edit: Callable[[str, str, str], int]) -> None:
    edit("sources/courier-2021-04.yaml", "value: suicide_bombing", "value: armed_clash")
    decision = "[{record: events/ev0001, field: event_type, value: bombing, expect: [bombing, armed_clash], "
    edit("registry/decisions.yaml", "[]", decision + "reject: [armed_clash], reason: the hospitals saw no clash}]")
    build(example)
    claims = pd.read_parquet(example / "data/claims.parquet")
    statuses = claims[claims["field"] == "event_type"].set_index("source_id")["status"].to_dict()
    assert statuses == {"gazette-2021-03-20": "accepted", "courier-2021-04": "rejected"}


@pytest.mark.parametrize(
    ("expect", "value", "complaint"),
    [
        ("[bombing, attack]", "bombing", "expects the values"),
        ("[bombing, suicide_bombing]", "suicide_bombing", "no longer needed"),
        ("[bombing, suicide_bombing]", "arrest", "no source claims"),
    ],
)
def test_decision_that_no_longer_fits_stops_the_build(
    expect: str, value: str, complaint: str, example: Path, edit: Callable[[str, str, str], int]
) -> None:
    decision = f"[{{record: events/ev0001, field: event_type, value: {value}, expect: {expect}, reason: because}}]"
    edit("registry/decisions.yaml", "[]", decision)
    with pytest.raises(ProblemsFound, match=complaint):
        build(example)


def test_scripts_are_told_from_letters() -> None:
    assert [script_of(name) for name in ("ISKP", "دولت", "Вилаят", "123")] == ["Latn", "Arab", "Cyrl", "Zyyy"]
