"""``import iskp``: what a data scientist sees."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

import iskp

FIRST_CLASS = {
    ("events", "date_start"): "date32[day][pyarrow]",
    ("events", "killed_best"): "Int64",
    ("events", "is_aggregate"): "boolean",
    ("events", "event_type"): "category",
    ("events", "title"): "str",
    ("events", "latitude"): "float64",
    ("sources", "published_on"): "date32[day][pyarrow]",
    ("claims", "evidence_start"): "Int64",
}


@pytest.mark.parametrize(("table", "column"), FIRST_CLASS)
def test_loaded_column_has_the_right_dtype(table: str, column: str) -> None:
    assert str(iskp.load(table)[column].dtype) == FIRST_CLASS[table, column]


def test_categories_have_all_codes_in_the_order_of_the_schema() -> None:
    categories = list(iskp.load("events")["date_precision"].cat.categories)
    assert categories == ["day", "week", "month", "season", "year", "range", "open"]


def test_bare_read_parquet_gives_the_same_frame(root: Path) -> None:
    for table in iskp.tables().index:
        pd.testing.assert_frame_equal(iskp.load(table), pd.read_parquet(root / "data" / f"{table}.parquet"))


def test_dates_can_be_compared_and_subtracted() -> None:
    events = iskp.load("events").dropna(subset=["date_start", "date_end"])
    assert bool((events["date_start"] <= events["date_end"]).all())
    assert "duration" in str((events["date_end"] - events["date_start"]).dtype)


def test_misspelt_table_suggests_the_right_one() -> None:
    with pytest.raises(KeyError, match="did you mean 'events'"):
        iskp.load("event")


def test_unknown_table_lists_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"known are .*organizations"):
        iskp.load("xyz")


def test_tables_are_described() -> None:
    assert iskp.tables().loc["events", "description"].startswith("One row per real-world event")


def test_citation_has_version_and_licence() -> None:
    assert iskp.version() in iskp.citation()
    assert "CC-BY-4.0" in iskp.citation()


def test_importing_does_not_import_pandas() -> None:
    code = "import sys, iskp; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_installed_wheel_carries_the_data(root: Path, tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*build, str(tmp_path), str(root)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = "import iskp; print(iskp.__file__, len(iskp.load('events')))"
    environment = {"PYTHONPATH": str(tmp_path / "installed"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    file, rows = done.stdout.split()
    assert file.startswith(str(tmp_path))
    assert int(rows) == len(iskp.load("events"))
