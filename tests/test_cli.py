"""The commands, as a publisher uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from iskp.cli import main

Edit = Callable[[str, str, str], int]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_build_prints_a_summary_and_the_second_build_changes_nothing(example: Path) -> None:
    first, second = run("build", "--root", example), run("build", "--root", example)
    assert first.exit_code == second.exit_code == 0
    assert "events                         1 rows" in first.output
    assert "spans found again" in first.output
    assert "files:     unchanged, byte for byte" in second.output


def test_build_prints_each_problem_with_its_place_and_fails(example: Path, edit: Edit) -> None:
    line = edit("sources/courier-2021-04.yaml", "role: claimant", "role: claimnt")
    result = run("build", "--root", example)
    assert result.exit_code == 1
    assert f"sources/courier-2021-04.yaml:{line}: unknown code 'claimnt'" in result.stderr
    assert "did you mean 'claimant'?" in result.stderr


def test_problems_can_be_had_as_json(example: Path, edit: Edit) -> None:
    line = edit("sources/courier-2021-04.yaml", "role: claimant", "role: claimnt")
    (problem,) = json.loads(run("build", "--json", "--root", example).stdout)
    assert (problem["file"], problem["line"]) == ("sources/courier-2021-04.yaml", line)
    assert problem["rule"] == "unknown_code"


def test_build_outside_a_checkout_says_what_is_missing(tmp_path: Path) -> None:
    result = run("build", "--root", tmp_path)
    assert result.exit_code == 2
    assert "has no folder 'schemas'" in result.stderr


def test_validate_says_valid(example: Path) -> None:
    run("build", "--root", example)
    assert run("validate", example / "datapackage.json").output == "valid\n"


def test_validate_finds_an_edited_file(example: Path) -> None:
    run("build", "--root", example)
    (example / "data" / "events.csv").write_text("edited", encoding="utf-8")
    result = run("validate", example / "datapackage.json")
    assert result.exit_code == 1
    assert "data/events.csv" in result.stderr


def test_cite_prints_the_fingerprint(example: Path) -> None:
    result = run("cite", example / "texts/courier.txt", "at least NINE people")
    assert result.output.startswith("3+4:")


def test_cite_tells_of_words_that_are_not_there(example: Path) -> None:
    result = run("cite", example / "texts/courier.txt", "ten people")
    assert result.exit_code == 1
    assert "copy them as they stand there" in result.stderr


def test_cite_needs_words_or_a_sheet(example: Path) -> None:
    assert run("cite", example / "texts/courier.txt").exit_code == 2


def test_cite_fills_a_sheet(example: Path, root: Path) -> None:
    draft = (root / "tests/example/sources/courier-2021-04.yaml").read_text(encoding="utf-8")
    (example / "draft.yaml").write_text(draft, encoding="utf-8")
    result = run("cite", example / "texts/courier.txt", "--sheet", example / "draft.yaml")
    assert result.output.startswith("7 quotes replaced")


def test_verify_counts_spans_and_fails_for_a_document_that_is_not_there(example: Path) -> None:
    result = run("verify", "--root", example, "--texts", example / "texts")
    assert result.exit_code == 0
    assert "7 of 7 spans found" in result.output
    (example / "texts/courier.txt").unlink()
    assert run("verify", "--root", example, "--texts", example / "texts").exit_code == 1
    assert run("verify", "--root", example, "--texts", example / "texts", "--missing-ok").exit_code == 0


def test_explain_shows_every_claim_with_its_source(example: Path) -> None:
    output = run("explain", "ev0001", "--root", example).output
    assert "date_edtf = 2021-03-18 “on Thursday”" in output
    assert "gazette-2021-03-20 (sources/gazette-2021-03-20.yaml:17), by narrowest_date" in output


def test_explain_suggests_a_near_record(example: Path) -> None:
    result = run("explain", "red-frnt", "--root", example)
    assert result.exit_code == 1
    assert "did you mean 'red-front'?" in result.stderr


@pytest.mark.parametrize("command", ["build", "validate", "cite", "verify", "explain"])
def test_every_command_has_help(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 4
