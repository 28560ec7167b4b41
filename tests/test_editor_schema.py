"""The JSON Schema for editors takes what the model takes, and marks what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml


@pytest.fixture(scope="module")
def validator(root: Path) -> jsonschema_rs.Draft202012Validator:
    content = json.loads((root / "sources/sheet.schema.json").read_text(encoding="utf-8"))
    return jsonschema_rs.Draft202012Validator(content)


def sheet(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), yaml.CBaseLoader)  # noqa: S506 - texts only


def test_every_sheet_is_good_for_an_editor(root: Path, validator: jsonschema_rs.Draft202012Validator) -> None:
    for path in sorted((root / "sources").glob("*.yaml")):
        assert [str(error.instance_path) for error in validator.iter_errors(sheet(path))] == [], path.name


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["events"]["ev0001"].update(plcae_id="alba"),
        lambda s: s["events"]["ev0001"].update(event_type="bomb"),
        lambda s: s["events"]["ev0001"]["actors"][0].update(role="claimnt"),
        lambda s: s["source"].pop("title"),
        lambda s: s.update(evnts={}),
    ],
)
def test_what_the_model_refuses_is_marked(
    change: Callable[[Any], object], root: Path, validator: jsonschema_rs.Draft202012Validator
) -> None:
    content = sheet(root / "tests/example/sources/gazette-2021-03-20.yaml")
    assert validator.is_valid(content)
    change(content)
    assert not validator.is_valid(content)


def test_numbers_need_no_quotes(root: Path, validator: jsonschema_rs.Draft202012Validator) -> None:
    content = sheet(root / "tests/example/sources/gazette-2021-03-20.yaml")
    content["events"]["ev0001"]["counts"][0]["best"] = 7
    assert validator.is_valid(content)


def test_codes_come_with_their_definitions(root: Path) -> None:
    text = (root / "sources/sheet.schema.json").read_text(encoding="utf-8")
    assert "An attack by somebody who dies by the bomb that they carry or drive." in text
