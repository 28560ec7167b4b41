"""Differences of packages that others made: tables in other forms and dialects, and files that are no tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from iskp.cli import main
from iskp.package.diff import Diff, diff_packages
from iskp.package.opening import open_package
from iskp.package.version import Bump, computed_bump

SCHEMA = {
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "n", "type": "integer"},
        {"name": "name", "type": "string"},
    ],
    "primaryKey": "id",
}
ROWS = [{"id": "a", "n": 1, "name": "Älba"}, {"id": "b", "n": None, "name": "Elba, old"}]


def package(folder: Path, content: bytes, file: str, **described: Any) -> Path:
    """Write a package of one resource; return its folder."""
    folder.mkdir(parents=True)
    (folder / file).write_bytes(content)
    resource = {"name": "t", "path": file, "schema": SCHEMA, **described}
    (folder / "datapackage.json").write_text(json.dumps({"name": "p", "resources": [resource]}), encoding="utf-8")
    return folder


def difference(old: Path, new: Path) -> Diff:
    with open_package(str(old)) as before, open_package(str(new)) as after:
        return diff_packages(before, after)


def cells(diff: Diff) -> list[tuple[str | None, ...]]:
    return [(r["op"], r["record_id"], r["field"], r["old"], r["new"]) for r in diff.changes.to_pylist()]


CSV = 'id,n,name\na,1,Älba\nb,,"Elba, old"\n'
FORMS: Mapping[str, tuple[bytes, str, dict[str, Any]]] = {
    "CSV": (CSV.encode(), "t.csv", {}),
    "CSV with a byte order mark": (CSV.encode("utf-8-sig"), "t.csv", {}),
    "CSV in Latin-1": (CSV.encode("latin-1"), "t.csv", {"encoding": "iso-8859-1"}),
    "CSV in UTF-16": (CSV.encode("utf-16"), "t.csv", {"encoding": "utf-16"}),
    "TSV": ("id\tn\tname\na\t1\tÄlba\nb\t\tElba, old\n".encode(), "t.tsv", {}),
    "another dialect": (
        "id;n;name\na;1;Älba\nb;;'Elba, old'\n".encode(),
        "t.csv",
        {"dialect": {"delimiter": ";", "quoteChar": "'"}},
    ),
    "a dialect of frictionless": (
        "id|n|name\na|1|Älba\nb||Elba, old\n".encode(),
        "t.csv",
        {"dialect": {"csv": {"delimiter": "|"}}},
    ),
    "no header": ('a,1,Älba\nb,,"Elba, old"\n'.encode(), "t.csv", {"dialect": {"header": False}}),
    "columns in another order": ('name,id,more,n\nÄlba,a,x,1\n"Elba, old",b,y,\n'.encode(), "t.csv", {}),
    "other missing values": (
        CSV.replace("b,,", "b,NA,").encode(),
        "t.csv",
        {"schema": {**SCHEMA, "missingValues": ["", {"value": "NA", "label": "not told"}]}},
    ),
    "JSON": (json.dumps(ROWS).encode(), "t.json", {}),
    "JSON lines": ("\n".join(map(json.dumps, ROWS)).encode(), "t.ndjson", {}),
}


CODECS = {"CSV in UTF-16": "utf-16-le"}


@pytest.mark.parametrize("form", FORMS)
def test_table_in_any_form_equals_the_same_in_csv(form: str, tmp_path: Path) -> None:
    content, file, described = FORMS[form]
    plain = package(tmp_path / "old", CSV.encode(), "t.csv")
    assert cells(difference(plain, package(tmp_path / "new", content, file, **described))) == []


@pytest.mark.parametrize("form", FORMS)
def test_one_edit_of_a_table_in_any_form_gives_that_edit(form: str, tmp_path: Path) -> None:
    content, file, described = FORMS[form]
    before, after = (words.encode(CODECS.get(form, "utf-8")) for words in ("Elba, old", "Elba, new"))
    old = package(tmp_path / "old", content, file, **described)
    new = package(tmp_path / "new", content.replace(before, after), file, **described)
    assert cells(difference(old, new)) == [("change", "b", "name", "Elba, old", "Elba, new")]


FILES: Mapping[str, tuple[str, dict[str, Any]]] = {
    "a picture": ("t.png", {"schema": None}),
    "an unknown format": ("t.arrow", {}),
    "an encoding that is not read": ("t.csv", {"encoding": "shift_jis"}),
    "JSON that is no array of objects": ("t.json", {}),
}


@pytest.mark.parametrize("case", FILES)
def test_file_that_is_no_table_is_compared_by_its_bytes(case: str, tmp_path: Path) -> None:
    file, described = FILES[case]
    old, same, new = (
        package(tmp_path / name, content, file, **described)
        for name, content in (("old", b'{"a": 1}'), ("same", b'{"a": 1}'), ("new", b'{"a": 2}'))
    )
    assert not difference(old, same)
    changed = difference(old, new)
    assert [row[:3] for row in cells(changed)] == [("change_file", "", "")]
    assert computed_bump(changed)[0] is Bump.MINOR


def test_file_that_comes_or_goes_is_told(tmp_path: Path) -> None:
    old = package(tmp_path / "old", b"1", "one.png", name="one", schema=None)
    new = package(tmp_path / "new", b"1", "two.png", name="two", schema=None)
    diff = difference(old, new)
    assert [(row["table"], row["op"]) for row in diff.changes.to_pylist()] == [
        ("one", "remove_file"),
        ("two", "add_file"),
    ]
    assert computed_bump(diff)[0] is Bump.MAJOR


WRONG: Mapping[str, tuple[bytes | None, str]] = {
    "a file is missing": (None, "the table t has no file t.csv"),
    "a column is missing": (b"id,name\na,Alba\n", "has no column 'n', which its schema names"),
    "a quote is open": (b'id,n,name\na,1,"Alba\n', "t: a file is not what its descriptor says"),
}


@pytest.mark.parametrize("case", WRONG)
def test_table_that_cannot_be_read_is_told_in_one_line(case: str, tmp_path: Path) -> None:
    content, message = WRONG[case]
    old = package(tmp_path / "old", CSV.encode(), "t.csv")
    new = package(tmp_path / "new", content or b"", "t.csv")
    if content is None:
        (new / "t.csv").unlink()
    result = CliRunner().invoke(main, ["diff", str(old), str(new)])
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
