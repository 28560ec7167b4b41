"""Validation of a package on disk: every check has a package that fails it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest

from iskp.package.files import sha256
from iskp.package.frictionless_check import check_with_frictionless
from iskp.package.second_opinion import SecondOpinion
from iskp.package.validate import check_package, validate_package
from iskp.pipeline import build


@pytest.fixture(scope="module")
def good(filled_example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "package"
    shutil.copytree(filled_example, folder)
    build(folder)
    return folder


@pytest.fixture
def package(good: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    shutil.copytree(good / "data", folder / "data")
    shutil.copy(good / "datapackage.json", folder)
    return folder


def rules_broken(package: Path) -> set[str]:
    return {p.rule for p in check_package(package / "datapackage.json")}


def change_descriptor(package: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = package / "datapackage.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def change_file(package: Path, name: str, content: bytes) -> None:
    """Write a file, and mend its size and hash in the descriptor, so that only its content is at fault."""
    (package / name).write_bytes(content)

    def mend(descriptor: dict[str, Any]) -> None:
        for resource in descriptor["resources"]:
            if resource["path"] == name:
                resource.update(bytes=len(content), hash=f"sha256:{sha256(content)}")

    change_descriptor(package, mend)


def replace_in(package: Path, name: str, old: str, new: str) -> None:
    content = (package / name).read_text(encoding="utf-8")
    assert old in content
    change_file(package, name, content.replace(old, new, 1).encode())


def test_good_package_has_no_problem(package: Path) -> None:
    assert validate_package(package / "datapackage.json") == []


DESCRIPTOR_FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "v2 profile": (lambda d: d.update(resources=[]), "v2_profile"),
    "size": (lambda d: d["resources"][0].update(bytes=1), "file_bytes"),
    "hash": (lambda d: d["resources"][0].update(hash="sha256:" + "0" * 64), "file_hash"),
    "hash of a Parquet file": (lambda d: d["resources"][-1].update(hash="sha256:" + "0" * 64), "file_hash"),
    "missing file": (lambda d: d["resources"][0].update(path="data/none.csv"), "file_exists"),
    "unknown key of a schema": (
        lambda d: d["resources"][0]["schema"]["fields"][0].update(constraint={}),
        "schema_model",
    ),
}


@pytest.mark.parametrize("fault", DESCRIPTOR_FAULTS)
def test_fault_of_the_descriptor_is_found(fault: str, package: Path) -> None:
    change, rule = DESCRIPTOR_FAULTS[fault]
    change_descriptor(package, change)
    assert rule in rules_broken(package)


def test_descriptor_that_is_no_json_is_found(package: Path) -> None:
    (package / "datapackage.json").write_text("{", encoding="utf-8")
    assert rules_broken(package) == {"descriptor_syntax"}


EVENTS = "data/events.csv"
CELL_FAULTS = {
    "header": (EVENTS, "event_id,title", "event_id,titel", "csv_header"),
    "width": (EVENTS, "ev0001,", "ev0001,,", "csv_width"),
    "integer": (EVENTS, ",7,9,", ",7.0,9,", "cell_type"),
    "date": (EVENTS, "2021-03-18,2021-03-18", "18.03.2021,2021-03-18", "cell_type"),
    "boolean": (EVENTS, ",false,", ",no,", "cell_type"),
    "number": (EVENTS, ",38.5,", ",38°,", "cell_type"),
    "required": (EVENTS, "ev0001,Bombing of a market in Alba", "ev0001,", "cell_required"),
    "line break": (EVENTS, "A bomber strikes", '"A bomber\nstrikes"#', "csv_syntax"),
    "quoted line break": (EVENTS, "A bomber strikes the harbour market.", '"A bomber\nstrikes."', "cell_control"),
    "missing token": (EVENTS, "A bomber strikes the harbour market.", "None", "cell_missing_token"),
    "code": (EVENTS, ",suicide_bombing,", ",suicide_bomb,", "cell_enum"),
    "pattern": (EVENTS, "ev0001,", "event1,", "cell_pattern"),
    "minimum": (EVENTS, ",7,9,", ",-7,9,", "cell_minimum"),
    "maximum": (EVENTS, ",38.5,", ",138.5,", "cell_maximum"),
    "foreign key": (EVENTS, ",alba,", ",elba,", "foreign_key"),
    "foreign key to itself": ("data/organizations.csv", ",red-front,,", ",blue-front,,", "foreign_key"),
}


@pytest.mark.parametrize("fault", CELL_FAULTS)
def test_fault_of_a_cell_is_found(fault: str, package: Path) -> None:
    name, old, new, rule = CELL_FAULTS[fault]
    replace_in(package, name, old, new)
    assert rule in rules_broken(package)


def test_file_that_is_not_utf8_is_found(package: Path) -> None:
    change_file(package, EVENTS, (package / EVENTS).read_bytes().replace(b"Alba", b"\xe9lba"))
    assert "csv_encoding" in rules_broken(package)


def test_repeated_primary_key_is_found(package: Path) -> None:
    content = (package / EVENTS).read_text(encoding="utf-8")
    change_file(package, EVENTS, (content + content.splitlines()[1] + "\n").encode())
    assert "primary_key" in rules_broken(package)


def test_repeated_unique_key_is_found(package: Path) -> None:
    name = "data/event_actors.csv"
    content = (package / name).read_text(encoding="utf-8")
    row = content.splitlines()[1]
    change_file(package, name, (content + row.replace("ev0001:", "ev0001:z", 1) + "\n").encode())
    assert "unique_key" in rules_broken(package)


def test_rows_out_of_order_are_found(package: Path) -> None:
    name = "data/organizations.csv"
    header, *rows = (package / name).read_text(encoding="utf-8").splitlines()
    change_file(package, name, ("\n".join([header, *reversed(rows)]) + "\n").encode())
    assert "row_order" in rules_broken(package)


def change_parquet(package: Path, change: Callable[[Any], Any]) -> None:
    name = "data/events.parquet"
    table = change(pyarrow.parquet.read_table(package / name))
    pyarrow.parquet.write_table(table, package / "changed.parquet")
    change_file(package, name, (package / "changed.parquet").read_bytes())


def test_parquet_with_another_schema_is_found(package: Path) -> None:
    change_parquet(package, lambda table: table.drop_columns(["title"]))
    assert "parquet_schema" in rules_broken(package)


def test_parquet_with_another_number_of_rows_is_found(package: Path) -> None:
    change_parquet(package, lambda table: table.slice(0, 0))
    assert rules_broken(package) & {"parquet_rows", "parquet_schema"}


def test_parquet_with_another_cell_is_found(package: Path) -> None:
    def change(table: Any) -> Any:
        index = table.schema.get_field_index("title")
        field = table.schema.field(index)
        return table.set_column(index, field, pyarrow.array(["Another title"]))

    change_parquet(package, change)
    assert "parquet_cell" in rules_broken(package)


def test_resources_that_are_no_table_are_checked_by_their_bytes_alone(package: Path) -> None:
    picture = {"name": "picture", "path": "picture.png", "bytes": 3, "hash": f"sha256:{sha256(b'png')}"}
    others = [{"name": "inline", "data": [1]}, {"name": "far", "path": "https://example.org/t.csv"}]
    change_descriptor(package, lambda d: d["resources"].extend([picture, *others]))
    assert rules_broken(package) == {"file_exists"}
    (package / "picture.png").write_bytes(b"png")
    assert rules_broken(package) == set()
    (package / "picture.png").write_bytes(b"gif")
    assert rules_broken(package) == {"file_hash"}


def test_frictionless_gives_a_second_opinion(package: Path) -> None:
    replace_in(package, EVENTS, ",alba,", ",elba,")
    assert {problem.rule for problem in check_with_frictionless(package / "datapackage.json")} == {"frictionless"}


def test_frictionless_in_its_own_process_finds_the_same(package: Path) -> None:
    replace_in(package, EVENTS, ",alba,", ",elba,")
    with SecondOpinion() as second_opinion:
        second_opinion.ask(package / "datapackage.json")
        assert second_opinion.answer() == check_with_frictionless(package / "datapackage.json")


def test_second_opinion_counts_where_our_own_checks_find_nothing(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iskp.package.validate.check_package", lambda _: [])
    replace_in(package, EVENTS, ",alba,", ",elba,")
    assert {problem.rule for problem in validate_package(package / "datapackage.json")} == {"frictionless"}


STATIONS = {
    "name": "stations",
    "path": "stations.csv",
    "schema": {
        "fields": [{"name": "id", "type": "integer"}, {"name": "opened", "type": "year"}],
        "missingValues": ["", "NA"],
    },
}


@pytest.mark.parametrize(
    ("described", "rows", "rules"),
    [
        ({}, "1,1999\n2,NA\n", []),
        ({}, "x,99x\n", ["frictionless", "frictionless"]),
        ({"bytes": 1}, "1,1999\n", ["file_bytes", "frictionless"]),
        ({"path": ""}, "x,1999\n", ["file_exists", "frictionless", "v2_profile"]),
        ({"path": "https://example.org/stations.csv"}, "", []),
        ({"path": "gone.csv"}, "", ["file_exists", "frictionless"]),
    ],
)
def test_package_that_others_made_is_checked_by_frictionless(
    described: dict[str, Any], rows: str, rules: list[str], tmp_path: Path
) -> None:
    (tmp_path / "stations.csv").write_text("id,opened\n" + rows, encoding="utf-8")
    descriptor = tmp_path / "datapackage.json"
    descriptor.write_text(json.dumps({"name": "stations", "resources": [STATIONS | described]}), encoding="utf-8")
    problems = validate_package(descriptor)
    assert sorted(problem.rule for problem in problems) == rules
    assert not any("build the package again" in problem.remedy for problem in problems)


def test_second_opinion_that_breaks_down_is_a_problem(package: Path) -> None:
    with SecondOpinion() as second_opinion:
        second_opinion.ask(package / "no-such-file.json")
        (problem,) = second_opinion.answer()
    assert "could not finish: FileNotFoundError" in problem.what


def test_bare_pandas_reads_the_types_that_the_schema_names(package: Path) -> None:
    events = pd.read_parquet(package / EVENTS.replace("csv", "parquet"))
    kinds = {str(events[column].dtype) for column in ("killed_best", "is_aggregate", "date_start", "event_type")}
    assert kinds == {"Int64", "boolean", "date32[day][pyarrow]", "category"}
