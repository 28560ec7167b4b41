"""Differences of packages: exact, by value, and enough to make the new tables from the old."""

from __future__ import annotations

import copy
import itertools
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packages import as_parquet, table, write_package

from iskp.package import row_diff
from iskp.package.apply import TextTable, apply_changes, text_tables
from iskp.package.changes import summary_lines, with_causes, without_cause
from iskp.package.diff import Diff, diff_packages
from iskp.package.line_diff import differing_lines
from iskp.package.opening import open_package
from iskp.package.show import as_html, as_json_lines, as_text
from iskp.package.table_file import TableFile
from iskp.package.version import Bump, computed_bump, is_tightened, next_version

Tables = dict[str, TextTable]
COLUMNS = {"id": "string", "name": "string", "n": "integer", "x": "number", "on": "date", "ok": "boolean"}
FIRST = ("a", "Alba", "1", "1.5", "2019-05-15", "true")
SECOND = ("b", None, "2", "2.0", None, "false")


def people(*rows: tuple[str | None, ...]) -> Tables:
    return {"people": table(["id"], dict(COLUMNS), *rows)}


def difference(
    tmp_path: Path, old: Tables, new: Tables, renames: Mapping[str, Mapping[str, str]] | None = None, **kwargs: Any
) -> Diff:
    before = write_package(tmp_path / "old", old, kwargs.pop("before", None))
    after = write_package(tmp_path / "new", new, kwargs.pop("after", None), **kwargs)
    with open_package(str(before)) as one, open_package(str(after)) as other:
        return diff_packages(one, other, renames)


def rows_of(diff: Diff) -> list[tuple[str | None, ...]]:
    return [(r["op"], r["record_id"], r["field"], r["old"], r["new"]) for r in diff.changes.to_pylist()]


def test_equal_packages_have_no_difference(tmp_path: Path) -> None:
    assert not difference(tmp_path, people(FIRST, SECOND), people(SECOND, FIRST))


def test_changed_cell_is_told_with_old_and_new_value(tmp_path: Path) -> None:
    changed = (*FIRST[:2], "7", *FIRST[3:])
    assert rows_of(difference(tmp_path, people(FIRST), people(changed))) == [("change", "a", "n", "1", "7")]


def test_numbers_dates_and_booleans_are_compared_as_values(tmp_path: Path) -> None:
    same = ("a", "Alba", "+01", "1.50", "2019-05-15", "True")
    assert not difference(tmp_path, people(FIRST), people(same))


@pytest.mark.parametrize("cell", ["5.7", "x", "1e3"])
def test_cell_that_is_no_integer_equals_no_integer(cell: str, tmp_path: Path) -> None:
    changed = (*FIRST[:2], cell, *FIRST[3:])
    assert rows_of(difference(tmp_path, people(FIRST), people(changed))) == [("change", "a", "n", "1", cell)]


def test_missing_value_differs_from_any_other(tmp_path: Path) -> None:
    changed = (*SECOND[:4], "2020-01-01", SECOND[5])
    assert rows_of(difference(tmp_path, people(SECOND), people(changed))) == [("change", "b", "on", None, "2020-01-01")]


def test_added_and_removed_rows_have_all_their_cells(tmp_path: Path) -> None:
    diff = difference(tmp_path, people(FIRST), people(SECOND))
    assert ("remove", "a", "name", "Alba", None) in rows_of(diff)
    assert ("add", "b", "n", None, "2") in rows_of(diff)
    assert (diff.tables["people"].added, diff.tables["people"].removed) == (1, 1)


def test_renamed_id_is_a_rename_also_where_it_is_referred_to(tmp_path: Path) -> None:
    def with_child(identity: str) -> Tables:
        child = table(["key"], {"key": "string", "person": "string"}, ("k", identity))
        return {**people((identity, *FIRST[1:])), "child": child}

    old, new = with_child("a"), with_child("z")
    for name, tables in (("old", old), ("new", new)):
        folder = write_package(tmp_path / name, tables)
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        reference = {"fields": ["person"], "reference": {"resource": "people", "fields": ["id"]}}
        descriptor["resources"][1]["schema"]["foreignKeys"] = [reference]
        (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    with open_package(str(tmp_path / "old")) as one, open_package(str(tmp_path / "new")) as other:
        diff = diff_packages(one, other, {"people": {"a": "z"}})
    assert rows_of(diff) == [("rename", "a", "", "a", "z")]
    assert diff.tables["people"].renamed == 1


def test_table_without_a_key_is_a_bag_of_rows(tmp_path: Path) -> None:
    def bag(*values: str) -> Tables:
        made = TextTable([], {"v": "string"})
        made.rows = {str(i): {"v": value} for i, value in enumerate(values)}
        return {"bag": made}

    diff = difference(tmp_path, bag("x", "x", "y"), bag("y", "x", "z"))
    assert (diff.tables["bag"].added, diff.tables["bag"].removed) == (1, 1)


@pytest.mark.parametrize("name", ["Alba", 'a "quoted" name', "two\nlines", 'odd "\nlines"', "sep\x01arator"])
def test_large_files_are_compared_by_their_lines_or_else_by_their_cells(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_diff, "CHECKED_ROWS", 0)
    same = ("s", name, *FIRST[2:])
    old, new = people(FIRST, same), people((*FIRST[:2], "7", *FIRST[3:]), same, ("t", name, *FIRST[2:]))
    rows = rows_of(difference(tmp_path, old, new))
    assert rows[0] == ("change", "a", "n", "1", "7")
    assert ("add", "t", "name", None, name) in rows
    assert {row[:2] for row in rows} == {("change", "a"), ("add", "t")}


def test_only_lines_that_differ_are_parsed(tmp_path: Path) -> None:
    old, new = people(FIRST, SECOND), people((*FIRST[:2], "7", *FIRST[3:]), SECOND)
    folders = [write_package(tmp_path / name, tables) for name, tables in (("old", old), ("new", new))]
    with open_package(str(folders[0])) as one, open_package(str(folders[1])) as other, duckdb.connect() as connection:
        files = [TableFile(package, package.resources()["people"]) for package in (one, other)]
        reduced = differing_lines(connection, *files, tmp_path)
        assert reduced is not None
        assert [Path(str(file.lines)).read_text(encoding="utf-8").count("\n") for file in reduced] == [1, 1]


def test_rows_that_share_a_key_are_refused(tmp_path: Path) -> None:
    doubled = people(FIRST)
    doubled["people"].rows["again"] = dict(doubled["people"].rows["a"])
    with pytest.raises(ValueError, match="share a key"):
        difference(tmp_path, people(FIRST), doubled)


def test_csv_and_zip_and_parquet_of_one_package_are_equal(root: Path, tmp_path: Path) -> None:
    csv_only = tmp_path / "csv"
    shutil.copytree(root / "data", csv_only / "data")
    descriptor = json.loads((root / "datapackage.json").read_text(encoding="utf-8"))
    descriptor["resources"] = [r for r in descriptor["resources"] if r["format"] == "csv"]
    (csv_only / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        archive.write(root / "datapackage.json", "datapackage.json")
        for path in (root / "data").iterdir():
            archive.write(path, f"data/{path.name}")
    with open_package(str(csv_only)) as one, open_package(str(tmp_path / "whole.zip")) as other:
        assert diff_packages(one, other).changes.num_rows == 0


def test_address_is_opened_like_a_folder(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "p", people(FIRST))
    with open_package(f"file://{folder}/datapackage.json") as one, open_package(str(folder)) as other:
        assert not diff_packages(one, other)


def test_folder_of_one_zip_stands_for_the_zip_and_of_two_for_none(tmp_path: Path) -> None:
    root = write_package(tmp_path / "p", people(FIRST))
    release = tmp_path / "release"
    release.mkdir()
    with zipfile.ZipFile(release / "p.zip", "w") as archive:
        for path in root.rglob("*.*"):
            archive.write(path, path.relative_to(root))
    with open_package(str(root)) as one, open_package(str(release)) as other:
        assert not diff_packages(one, other)
    (release / "q.zip").write_bytes((release / "p.zip").read_bytes())
    with pytest.raises(FileNotFoundError, match=r"no datapackage\.json"), open_package(str(release)):
        pass


def test_nothing_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"), open_package(str(tmp_path / "none")):
        pass
    with pytest.raises(FileNotFoundError, match=r"no datapackage\.json"), open_package(str(tmp_path)):
        pass


CELLS: dict[str, st.SearchStrategy[str | None]] = {
    "string": st.none()
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=6),
    "integer": st.none() | st.integers(-999, 999).map(str),
    "number": st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    "boolean": st.none() | st.sampled_from(["true", "false"]),
    "date": st.none() | st.dates().map(str),
}
KINDS = st.dictionaries(st.sampled_from(["p", "q", "r", "s"]), st.sampled_from(sorted(CELLS)), max_size=4)


@st.composite
def text_table(draw: st.DrawFn, ids: list[str]) -> TextTable:
    columns = {"id": "string", **draw(KINDS)}
    made = TextTable(["id"], columns)
    for identity in draw(st.lists(st.sampled_from(ids), unique=True)):
        made.rows[identity] = {"id": identity, **{c: draw(CELLS[k]) for c, k in columns.items() if c != "id"}}
    return made


@st.composite
def two_versions(draw: st.DrawFn) -> tuple[Tables, Tables, dict[str, dict[str, str]]]:
    old = {
        name: draw(text_table(["a", "b", "c", "d"])) for name in draw(st.sets(st.sampled_from(["t", "u"]), min_size=1))
    }
    new = {name: draw(text_table(["a", "b", "c", "d", "e"])) for name in ("t", "v")}
    if "t" in old and draw(st.booleans()):
        new["t"] = copy.deepcopy(old["t"])
        for identity in draw(st.lists(st.sampled_from(sorted(new["t"].rows) or ["-"]), max_size=2)):
            for column, kind in new["t"].columns.items():
                if identity in new["t"].rows and column != "id":
                    new["t"].rows[identity][column] = draw(CELLS[kind])
    renames: dict[str, dict[str, str]] = {}
    if "t" in old and "a" in old["t"].rows and "a" in new["t"].rows and draw(st.booleans()):
        row = new["t"].rows.pop("a")
        new["t"].rows["z"] = {**row, "id": "z"}
        renames = {"t": {"a": "z"}}
    return old, new, renames


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(two_versions(), st.sampled_from([0, row_diff.CHECKED_ROWS]))
def test_changes_applied_to_the_old_tables_give_the_new(
    tmp_path_factory: pytest.TempPathFactory, versions: tuple[Tables, Tables, dict[str, dict[str, str]]], large: int
) -> None:
    old, new, renames = versions
    folder = tmp_path_factory.mktemp("versions")
    with mock.patch.object(row_diff, "CHECKED_ROWS", large):
        diff = difference(folder, old, new, renames)
    with open_package(str(folder / "old")) as before, open_package(str(folder / "new")) as after:
        made, wanted = apply_changes(text_tables(before), diff.changes.to_pylist()), text_tables(after)
    assert {n: (t.key, t.columns) for n, t in made.items()} == {n: (t.key, t.columns) for n, t in wanted.items()}
    assert {n: _values(t) for n, t in made.items()} == {n: _values(t) for n, t in wanted.items()}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(two_versions())
def test_difference_is_the_same_whether_the_tables_are_csv_or_parquet(
    tmp_path_factory: pytest.TempPathFactory, versions: tuple[Tables, Tables, dict[str, dict[str, str]]]
) -> None:
    old, new, renames = versions
    folder = tmp_path_factory.mktemp("forms")
    write_package(folder / "old", old)
    write_package(folder / "new", new)
    sides = [(folder / name, as_parquet(folder / name, folder / f"{name}-parquet")) for name in ("old", "new")]
    told = []
    for before, after in itertools.product(*sides):
        with open_package(str(before)) as one, open_package(str(after)) as other:
            told.append(rows_of(diff_packages(one, other, renames)))
    assert all(rows == told[0] for rows in told)


def _values(made: TextTable) -> dict[str, dict[str, object]]:
    """Return rows with numbers as numbers: 1.0 and 1 are one value, whoever wrote it."""
    return {
        identity: {c: float(v) if v is not None and made.columns[c] == "number" else v for c, v in row.items()}
        for identity, row in made.rows.items()
    }


BUMPS: dict[str, tuple[dict[str, Any], Bump]] = {
    "nothing": ({}, Bump.NONE),
    "metadata": ({"title": "Another title"}, Bump.PATCH),
    "corrected value": ({"new": people((*FIRST[:1], "Elba", *FIRST[2:]), SECOND)}, Bump.MINOR),
    "added row": ({"new": people(FIRST, SECOND, ("c", *FIRST[1:]))}, Bump.MINOR),
    "added table": ({"new": {**people(FIRST, SECOND), "more": table(["id"], {"id": "string"}, ("a",))}}, Bump.MINOR),
    "lost row": ({"new": people(FIRST)}, Bump.MAJOR),
    "lost table": ({"new": {"more": table(["id"], {"id": "string"}, ("a",))}}, Bump.MAJOR),
    "loosened": ({"before": {"people.n": {"minimum": 1}}, "after": {"people.n": {"minimum": 0}}}, Bump.MINOR),
    "tightened": ({"before": {"people.n": {"minimum": 0}}, "after": {"people.n": {"minimum": 1}}}, Bump.MAJOR),
    "required": ({"after": {"people.id": {"required": True}}}, Bump.MAJOR),
    "added code": (
        {"before": {"people.name": {"enum": ["Alba"]}}, "after": {"people.name": {"enum": ["Alba", "Elba"]}}},
        Bump.MINOR,
    ),
    "lost code": (
        {"before": {"people.name": {"enum": ["Alba", "Elba"]}}, "after": {"people.name": {"enum": ["Alba"]}}},
        Bump.MAJOR,
    ),
}


@pytest.mark.parametrize("case", BUMPS)
def test_version_follows_from_the_difference(case: str, tmp_path: Path) -> None:
    arguments, bump = BUMPS[case]
    arguments = dict(arguments)
    diff = difference(tmp_path, people(FIRST, SECOND), arguments.pop("new", people(FIRST, SECOND)), **arguments)
    assert computed_bump(diff)[0] is bump


@pytest.mark.parametrize(
    ("before", "after", "bump"),
    [(True, True, Bump.MINOR), (False, True, Bump.MAJOR), (True, False, Bump.MINOR), (False, False, Bump.MAJOR)],
)
@pytest.mark.parametrize("renames", [None, {"people": {"b": "c"}}])
def test_row_gone_is_major_where_the_old_version_promised_its_id(
    before: bool, after: bool, bump: Bump, renames: Mapping[str, Mapping[str, str]] | None, tmp_path: Path
) -> None:
    kept = people(FIRST, ("c", *SECOND[1:])) if renames else people(FIRST)
    packages = [
        write_package(tmp_path / name, tables) for name, tables in (("old", people(FIRST, SECOND)), ("new", kept))
    ]
    for folder, transient in zip(packages, (before, after), strict=True):
        descriptor = folder if folder.is_file() else folder / "datapackage.json"
        content = json.loads(descriptor.read_text(encoding="utf-8"))
        for resource in content["resources"]:
            resource["schema"] |= {"transientIds": True} if transient else {}
        descriptor.write_text(json.dumps(content), encoding="utf-8")
    with open_package(str(packages[0])) as old, open_package(str(packages[1])) as new:
        assert computed_bump(diff_packages(old, new, renames))[0] is bump


def test_type_and_column_changes_are_major_or_minor(tmp_path: Path) -> None:
    fewer, other, more = (people(FIRST) for _ in range(3))
    del fewer["people"].columns["ok"]
    other["people"].columns["n"] = "string"
    more["people"].columns["z"] = "string"
    for row in more["people"].rows.values():
        row["z"] = None
    bumps = [
        computed_bump(difference(tmp_path / name, people(FIRST), new))[0]
        for name, new in (("fewer", fewer), ("other", other), ("more", more))
    ]
    assert bumps == [Bump.MAJOR, Bump.MAJOR, Bump.MINOR]


@pytest.mark.parametrize(
    ("name", "old", "new", "tightened"),
    [
        ("required", None, True, True),
        ("required", True, None, False),
        ("minimum", 1, 2, True),
        ("maximum", 1, 2, False),
        ("pattern", "(a)", "(b)", True),
        ("enum", None, ["a"], True),
        ("maxLength", None, 3, True),
    ],
)
def test_tightened_constraints_are_told_from_loosened_ones(
    name: str, old: object, new: object, tightened: bool
) -> None:
    assert is_tightened(name, old, new) is tightened


def test_versions_before_one_raise_the_minor_part() -> None:
    assert [next_version("0.3.1", bump) for bump in Bump] == ["0.3.1", "0.3.2", "0.4.0", "0.4.0"]


def test_causes_go_from_the_general_to_the_special(tmp_path: Path) -> None:
    changed = ("a", "Elba", "7", *FIRST[3:])
    changes = difference(tmp_path, people(FIRST), people(changed)).changes
    assert len(without_cause(changes)) == 2
    caused = with_causes(changes, [{"cause": "recoded"}, {"table": "people", "field": "n", "cause": "recounted"}])
    assert caused["cause"].to_pylist() == ["recounted", "recoded"]
    assert without_cause(caused) == []


def test_cells_of_a_new_column_need_no_other_cause(tmp_path: Path) -> None:
    more = people(("a", "Elba", *FIRST[2:]))
    more["people"].columns["z"] = "string"
    more["people"].rows["a"]["z"] = "new"
    changes = difference(tmp_path, people(FIRST), more).changes
    assert [row["field"] for row in without_cause(with_causes(changes, []))] == ["name"]

    def causes(field: str) -> dict[str, str]:
        caused = with_causes(changes, [{"cause": "recoded"}, {"field": field, "cause": "measured"}])
        return {row["field"]: row["cause"] for row in caused.to_pylist() if row["op"] == "change"}

    assert causes("") == {"name": "measured", "z": "the column is new"}
    assert causes("z") == {"name": "recoded", "z": "measured"}


def test_difference_is_shown_as_text_json_and_a_page(tmp_path: Path) -> None:
    changed = (*FIRST[:1], "<Elba & co>", *FIRST[2:])
    diff = difference(tmp_path, people(FIRST), people(changed, SECOND))
    assert summary_lines(diff) == ["people: 1 added, 1 changed (1 values)"]
    text = "\n".join(line for line, _ in as_text(diff, 20))
    assert "~ a name: Alba → <Elba & co>" in text
    assert json.loads(next(iter(as_json_lines(diff))))["record_id"] == "a"
    page = as_html(diff)
    assert "&lt;Elba &amp; co&gt;" in page
    assert "http" not in page


def test_key_beside_the_schema_is_taken_for_the_key(tmp_path: Path) -> None:
    def keyless(name: str) -> Path:
        made = table(["code"], {"code": "string", "name": "string"}, ("CZ", name), ("NA", "Namibia"))
        folder = write_package(tmp_path / name, {"data": made})
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        descriptor["resources"][0]["primaryKey"] = descriptor["resources"][0]["schema"].pop("primaryKey")
        (folder / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
        return folder

    with open_package(str(keyless("Czechia"))) as old, open_package(str(keyless("Elsewhere"))) as new:
        assert rows_of(diff_packages(old, new)) == [("change", "CZ", "name", "Czechia", "Elsewhere")]
