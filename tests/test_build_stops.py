"""Each fault stops the build with a problem that names file, line and remedy, and leaves the package as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from iskp.coding.evidence import fingerprint
from iskp.pipeline import TABLES, build
from iskp.problem import Problem, ProblemsFound

Edit = Callable[[str, str, str], int]
Snapshot = Callable[[Path], dict[str, bytes]]
GAZETTE = "sources/gazette-2021-03-20.yaml"
COURIER = "sources/courier-2021-04.yaml"

FAULTS = {
    "unknown key": (GAZETTE, "attribution:", "attributoin:", "unknown_key", "did you mean 'attribution'?"),
    "unknown code": (GAZETTE, "role: claimant", "role: claimnt", "unknown_code", "did you mean 'claimant'?"),
    "dangling organization": (GAZETTE, "{org_id: red-branch", "{org_id: red-brnch", "dangling_reference", "red-branch"),
    "end before start": (GAZETTE, "value: 2019-37", "value: 2019-05/2019-01", "sheet_value", "mend the value"),
    "low above best": (GAZETTE, "best: 7,", "best: 9..7, qualifier: range,", "sheet_value", "mend the value"),
    "changed words": (GAZETTE, "stated: took credit", "stated: took blame", "evidence_mismatch", "iskp cite"),
    "changed date": (GAZETTE, "value: 2021-03-18", "value: 2021-03-19", "stated_date", "mend the date"),
    "syntax error": (GAZETTE, "    attribution:", "   attribution:", "yaml_syntax", "mend the indent"),
    "duplicate key": (GAZETTE, "  red-front:\n", "  red-branch:\n", "yaml_duplicate_key", "keep one"),
    "empty value": (GAZETTE, "country_code: PT", "country_code: ", "yaml_empty", "leave the key out"),
    "line break in a cell": ("registry/events.yaml", "title: Bombing", 'title: "Two\\nlines" #', "sheet_value", "mend"),
    "the text NA": ("registry/events.yaml", "title: Bombing of a market in Alba", "title: NA", "sheet_value", "mend"),
    "a date that is none": (COURIER, "value: 2021-03,", "value: 2021-13,", "sheet_value", "mend the value"),
    "a date without words": (COURIER, "stated: last month, ", "", "stated_date", "give them as 'stated'"),
    "words that are no date": (COURIER, "stated: last month", "stated: people died", "stated_date", "time words"),
    "unknown event": (COURIER, "ev0001:", "ev0002:", "unknown_record", "add it to the registry"),
    "evidence that is no fingerprint": (
        GAZETTE,
        "{value: bombing, stated: bomber, at: ",
        "{value: bombing, stated: bomber, at: p",
        "evidence_form",
        "iskp cite",
    ),
    "no value": (GAZETTE, "{value: claimed, ", "{", "value_missing", "give one"),
    "too many words": (GAZETTE, "stated: bomber", "stated: a b c d e f g h i j", "sheet_value", "mend the value"),
    "word for a number with a value": (GAZETTE, "qualifier: nearly", "qualifier: vague", "count_rule", "mend"),
    "two spellings of a publisher": (
        GAZETTE,
        "The Northern Gazette",
        "Southern courier",
        "publisher_spelling",
        "write",
    ),
    "inferred from nothing": (
        GAZETTE,
        "{value: claimed,",
        "{value: claimed, qualifier: inferred,",
        "inferred_note",
        "say",
    ),
    "key of a header left out": (COURIER, "  source_id: courier-2021-04\n", "", "missing_key", "add it"),
    "registry file with another key": (
        "registry/retired.yaml",
        "retired:",
        "retird:",
        "registry_file",
        "write 'retired:'",
    ),
    "retired into nothing": (
        "registry/retired.yaml",
        "[]",
        "[{id: ev0009, table: events, into: [ev0008], reason: one event}]",
        "retired_into",
        "name a live id",
    ),
    "unknown registry key": ("registry/events.yaml", "title:", "titel:", "unknown_key", "did you mean 'title'?"),
    "misnamed sheet": (COURIER, "source_id: courier-2021-04", "source_id: courier-2021", "sheet_name", "rename"),
}


def problems_of(folder: Path, texts: Path | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ProblemsFound) as caught:
        build(folder, texts=texts)
    return caught.value.problems


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_stops_the_build_and_leaves_the_package(
    fault: str, example: Path, edit: Edit, snapshot: Snapshot
) -> None:
    build(example)
    before = snapshot(example)
    name, old, new, rule, remedy = FAULTS[fault]
    line = edit(name, old, new)
    problems = [problem for problem in problems_of(example) if problem.rule == rule]
    assert problems, f"no problem of the rule {rule}"
    assert problems[0].file == name
    assert abs(problems[0].line - line) <= 1
    assert remedy in problems[0].remedy
    assert snapshot(example) == before


def test_two_sources_in_conflict_are_printed_with_all_their_claims(example: Path, edit: Edit) -> None:
    edit(COURIER, "published_edtf: 2021-04", "published_edtf: 2021-05")
    edit(COURIER, "value: 2021-03, stated", "value: 2021-04, stated")
    (problem,) = [p for p in problems_of(example) if p.rule == "unsettled_conflict"]
    assert "2021-03-18 (gazette-2021-03-20, sources/gazette-2021-03-20.yaml:17" in problem.what
    assert "2021-04 (courier-2021-04, sources/courier-2021-04.yaml:15" in problem.what
    assert "registry/decisions.yaml" in problem.remedy


def test_fingerprint_of_another_span_is_found_out_where_the_text_is_held(example: Path, edit: Edit) -> None:
    content = (example / GAZETTE).read_text(encoding="utf-8")
    row = next(line for line in content.splitlines() if "best: 40" in line)
    digest = row.partition("+3:")[2][:64]
    edit(GAZETTE, digest, fingerprint(["other", "words", "altogether"]))
    (problem,) = problems_of(example, texts=example / "texts")
    assert problem.rule == "evidence_missing"
    assert problem.file == GAZETTE


def test_figure_that_is_not_in_its_words_is_found_out_where_the_text_is_held(example: Path, edit: Edit) -> None:
    edit(GAZETTE, "best: 7,", "best: 8,")
    (problem,) = problems_of(example, texts=example / "texts")
    assert problem.rule == "figure_not_in_evidence"


def test_words_that_their_evidence_does_not_have_are_found_out_where_the_text_is_held(
    example: Path, edit: Edit
) -> None:
    edit(GAZETTE, "stated: nearly 40", "stated: almost 40")
    problems = problems_of(example, texts=example / "texts")
    assert {problem.rule for problem in problems} == {"stated_not_in_evidence"}
    assert problems[0].file == GAZETTE


def test_missing_file_of_the_registry_is_named(example: Path) -> None:
    (example / "registry/pairs.yaml").unlink()
    (problem,) = problems_of(example)
    assert (problem.file, problem.rule) == ("registry/pairs.yaml", "registry_file")


def test_id_that_was_published_and_vanished_stops_the_build(example: Path, edit: Edit, snapshot: Snapshot) -> None:
    build(example)
    before = snapshot(example)
    for name in (GAZETTE, COURIER, "registry/events.yaml"):
        edit(name, "ev0001:", "ev0002:")
    (problem,) = problems_of(example)
    assert problem.rule == "vanished_id"
    assert "ev0001" in problem.what
    assert "registry/retired.yaml" in problem.remedy
    assert snapshot(example) == before


def test_retired_id_may_vanish(example: Path, edit: Edit) -> None:
    build(example)
    for name in (GAZETTE, COURIER, "registry/events.yaml"):
        edit(name, "ev0001:", "ev0002:")
    edit("registry/retired.yaml", "[]", "[{id: ev0001, table: events, into: [ev0002], reason: renumbered}]")
    build(example)


def test_retired_id_is_never_used_again(example: Path, edit: Edit) -> None:
    edit("registry/retired.yaml", "[]", "[{id: ev0001, table: events, reason: withdrawn}]")
    assert "retired_in_use" in {problem.rule for problem in problems_of(example)}


def test_source_coded_twice_is_a_duplicate_id(example: Path) -> None:
    (example / "sources" / "gazette-copy.yaml").write_bytes((example / GAZETTE).read_bytes())
    assert "duplicate_id" in {problem.rule for problem in problems_of(example)}


def test_record_that_no_sheet_codes_is_reported(example: Path, edit: Edit) -> None:
    edit("registry/organizations.yaml", "  red-front:", "  blue-front:\n    name: Blue Front\n  red-front:")
    assert {problem.rule for problem in problems_of(example)} == {"unused_record"}


def test_all_faults_are_reported_together(example: Path, edit: Edit) -> None:
    edit(GAZETTE, "attribution:", "attributoin:")
    edit(COURIER, "value: 2021-03,", "value: 2021-13,")
    edit("registry/events.yaml", "title:", "titel:")
    files = {problem.file for problem in problems_of(example)}
    assert files == {GAZETTE, COURIER, "registry/events.yaml"}


@pytest.mark.parametrize("table", TABLES)
def test_missing_schema_of_a_table_is_named(example: Path, table: str) -> None:
    (example / f"schemas/{table}.json").unlink()
    problems = problems_of(example)
    assert {problem.rule for problem in problems} <= {"schema_missing", "schema_foreign_key"}
    assert all(table in problem.what for problem in problems)


def test_tables_that_coding_needs_are_those_with_a_schema(root: Path) -> None:
    assert set(TABLES) == {path.stem for path in (root / "schemas").glob("*.json")}
