"""The package as committed: what the build makes, valid, covered by claims, and free of copied sentences."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from iskp.package.validate import validate_package
from iskp.pipeline import build

Snapshot = Callable[[Path], dict[str, bytes]]


def test_committed_package_is_valid(root: Path) -> None:
    assert validate_package(root / "datapackage.json") == []


def test_deleted_package_is_restored_byte_for_byte(root: Path, tmp_path: Path, snapshot: Snapshot) -> None:
    for folder in ("sources", "registry", "schemas", "dist"):
        shutil.copytree(root / folder, tmp_path / folder)
    build(tmp_path)
    assert snapshot(tmp_path) == snapshot(root)
    assert (tmp_path / "sources/sheet.schema.json").read_bytes() == (root / "sources/sheet.schema.json").read_bytes()


def test_every_cell_that_is_not_derived_has_an_accepted_claim(root: Path) -> None:
    """Told from the files alone, without the code that makes them."""
    descriptor = json.loads((root / "datapackage.json").read_text(encoding="utf-8"))
    with (root / "data/claims.csv").open(encoding="utf-8", newline="") as lines:
        accepted = {
            (claim["table_name"], claim["record_id"], claim["field"])
            for claim in csv.DictReader(lines)
            if claim["status"] == "accepted"
        }
    uncovered = []
    for resource in descriptor["resources"]:
        if resource["format"] != "csv" or resource["name"] == "claims":
            continue
        (key,) = resource["schema"]["primaryKey"]
        facts = [field["name"] for field in resource["schema"]["fields"] if not field.get("derived")]
        with (root / resource["path"]).open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                uncovered += [
                    (resource["name"], row[key], fact)
                    for fact in facts
                    if row[fact] and (resource["name"], row[key], fact) not in accepted
                ]
    assert uncovered == []


def test_claims_of_held_documents_have_evidence(root: Path) -> None:
    claims = pd.read_parquet(root / "data/claims.parquet")
    sources = pd.read_parquet(root / "data/sources.parquet")
    held = set(sources[sources["text_sha256"].notna()]["source_id"])
    stated = claims[claims["source_id"].isin(held) & (claims["table_name"] != "sources")]
    assert len(held) == 5
    assert bool(stated["evidence_sha256"].notna().all())


GROUPS = "iskp islamic-state al-qaida ttp lashkar-e-jhangvi imu boko-haram al-nusra-front"
PROGRAMS = (
    "un_1267 us_fto us_sdgt uk_proscription uk_sanctions eu_sanctions au_listing ca_listing in_uapa pk_proscription "
    "pk_sanctions nz_designation"
)


def test_every_program_says_when_and_by_what_it_lists_each_group_or_that_it_does_not(root: Path) -> None:
    """A listing has bounds of its day, an instrument and a page; an absence has a list that was looked at."""
    rows = pd.read_parquet(root / "data/designations.parquet").set_index(["org_id", "program"]).sort_index()
    actions = pd.read_parquet(root / "data/designation_actions.parquet")
    seen_absent = set(actions[actions["action"] == "observed_absent"]["designation_id"])
    pages = rows["instrument_url"].fillna(rows["official_url"])
    listed = rows["designated_end"].notna() & rows["legal_instrument"].notna() & pages.notna()
    absent = (rows["status"] == "not_listed") & rows["designation_id"].isin(seen_absent)
    told = set(rows.index[listed | absent])
    assert {(group, program) for group in GROUPS.split() for program in PROGRAMS.split()} - told == set()


def test_only_accepted_value_of_a_plain_cell_is_the_cell(root: Path) -> None:
    """Where one value is accepted for a cell it stands in the table, unless the rule computes it from several."""
    claims = pd.read_csv(root / "data/claims.csv", keep_default_na=False, na_values=[""], dtype=str)
    accepted = claims[(claims["status"] == "accepted") & claims["value"].notna()]
    tables = {
        name: pd.read_csv(root / f"data/{name}.csv", keep_default_na=False, na_values=[""], dtype=str)
        for name in accepted["table_name"].unique()
    }
    keys = {name: frame.columns[0] for name, frame in tables.items()}
    indexed = {name: frame.set_index(keys[name], drop=False) for name, frame in tables.items()}
    for (table, record, field), group in accepted.groupby(["table_name", "record_id", "field"]):
        values = set(group["value"])
        if len(values) == 1:
            cell = indexed[str(table)].loc[str(record), str(field)]
            value = values.pop()
            assert pd.isna(cell) or cell == value or float(cell) == float(value), (table, record, field)


def test_no_sentence_of_a_held_document_is_in_the_project(root: Path, held_texts: Path) -> None:
    listing = held_texts.parent / "hooks" / "copied-words"
    if not listing.is_file():
        pytest.skip("the list of copied words is not beside the checkout")
    done = subprocess.run([sys.executable, str(listing), str(root)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_points_lie_in_the_division_that_they_are_coded_in(root: Path) -> None:
    """Held boundaries exist for Afghanistan's provinces only."""
    boundaries = root.parent / "shared/data/gazetteer/geoBoundaries-AFG-ADM1.geojson"
    if not boundaries.is_file():
        pytest.skip("the boundaries are not beside the checkout")
    provinces = {
        feature["properties"]["shapeISO"]: feature["geometry"]
        for feature in json.loads(boundaries.read_text(encoding="utf-8"))["features"]
    }
    places = pd.read_parquet(root / "data/places.parquet").dropna(subset=["latitude"])
    checked = 0
    for place in places.to_dict("records"):
        geometry = provinces.get(place["admin1_code"])
        if geometry is not None:
            checked += 1
            assert _inside(geometry, place["longitude"], place["latitude"]), place["place_id"]
    assert checked >= 3


def _inside(geometry: dict[str, object], x: float, y: float) -> bool:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return any(_in_ring(polygon[0], x, y) for polygon in polygons)  # type: ignore[attr-defined]


def _in_ring(ring: list[tuple[float, float]], x: float, y: float) -> bool:
    inside = False
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


def test_project_names_no_registry_host(root: Path) -> None:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--index-url" not in lock


PROVINCES = {
    "PK-BA": ("Balochistan",),
    "PK-IS": ("Islamabad",),
    "PK-KP": ("Khyber", "Federally Administered Tribal"),
    "PK-PB": ("Punjab",),
    "PK-SD": ("Sindh",),
}


def test_points_in_pakistan_lie_where_the_nearest_events_of_ucdp_lie(root: Path) -> None:
    """No boundaries of Pakistan's provinces are held; 6,416 located events with their province are."""
    rows = root.parent / "shared/data/ucdp/hdx_ged_pakistan_1989-2021.csv"
    if not rows.is_file():
        pytest.skip("the UCDP rows are not beside the checkout")
    ucdp = pd.read_csv(rows, skiprows=[1], usecols=["latitude", "longitude", "adm_1"]).dropna()
    places = pd.read_parquet(root / "data/places.parquet").dropna(subset=["latitude"])
    mine = places[(places["country_code"] == "PK") & places["admin1_code"].notna()]
    assert len(mine) >= 10
    for place in mine.to_dict("records"):
        apart = (ucdp["latitude"] - place["latitude"]) ** 2 + (ucdp["longitude"] - place["longitude"]) ** 2
        province = str(ucdp.loc[apart.idxmin(), "adm_1"])
        assert province.startswith(PROVINCES[place["admin1_code"]]), (place["place_id"], province)
