"""Schemas are the only definition of a column, and are read strictly."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iskp.package.schema import TableSchema, read_schemas
from iskp.package.text import parse_cell
from iskp.package.types import arrow_schema, to_frame
from iskp.problem import ProblemsFound

CONTRACT = {
    "events": "event_id title description event_class event_type date_start date_end date_precision date_edtf "
    "multi_day country_code admin1_code place_id place_precision latitude longitude perpetrator_id attribution "
    "target_type weapon_type suicide outcome is_aggregate killed_low killed_best killed_high wounded_low "
    "wounded_best wounded_high n_sources n_independent_sources status",
    "organizations": "org_id name acronym org_type parent_id country_code founded_start founded_end founded_edtf "
    "dissolved_start dissolved_end dissolved_edtf status description",
    "designations": "designation_id org_id authority_id program listing_kind listed_name list_reference designated_on "
    "designated_start designated_end designated_precision ended_on status coverage legal_instrument instrument_url",
    "claims": "claim_id table_name record_id field value stated qualifier source_id evidence_start evidence_words "
    "evidence_sha256 status rule note",
}
TABLES = (
    "events organizations designations event_actors event_counts organization_names organization_relations "
    "organization_presence organization_identifiers estimates designation_actions places sources claims"
)


def test_every_table_of_the_design_has_a_schema(schemas: dict[str, TableSchema]) -> None:
    assert set(TABLES.split()) <= set(schemas)


@pytest.mark.parametrize("table", CONTRACT)
def test_every_column_of_the_contract_is_there(table: str, schemas: dict[str, TableSchema]) -> None:
    assert set(CONTRACT[table].split()) <= set(schemas[table].columns)


def test_every_example_is_a_value_of_its_column(schemas: dict[str, TableSchema]) -> None:
    for schema in schemas.values():
        for field in schema.fields:
            parse_cell(field.example, field.type)
            assert field.constraints.enum is None or field.example in field.constraints.enum, field.name


def test_every_code_has_a_label_and_a_definition(schemas: dict[str, TableSchema]) -> None:
    for schema in schemas.values():
        for field in schema.fields:
            for category in field.categories or ():
                assert category.label, (field.name, category.value)
                assert category.description.endswith("."), (field.name, category.value)


def test_patterns_group_their_alternatives(schemas: dict[str, TableSchema]) -> None:
    for schema in schemas.values():
        for field in schema.fields:
            pattern = field.constraints.pattern
            assert pattern is None or (pattern.startswith("(") and pattern.endswith(")")), field.name


def test_core_columns_are_mapped_to_other_event_datasets(schemas: dict[str, TableSchema]) -> None:
    mapped = {dataset for field in schemas["events"].fields for dataset in field.mapping}
    assert mapped == {"ucdp_ged", "gtd", "acled"}


Change = Callable[[dict[str, Any]], None]


def _first(schema: dict[str, Any]) -> dict[str, Any]:
    field: dict[str, Any] = schema["fields"][0]
    return field


FAULTS: dict[str, tuple[Change, str]] = {
    "unknown key of a field": (lambda s: _first(s).update(constraint={}), "unknown key"),
    "unknown key of a table": (lambda s: s.update(licences=[]), "unknown key"),
    "unknown type": (lambda s: _first(s).update(type="list"), "Input should be"),
    "codes told twice, differently": (
        lambda s: s["fields"][4]["constraints"].update(enum=["other"]),
        "must list the same codes",
    ),
    "key without a column": (lambda s: s.update(primaryKey=["nothing"]), "does not have"),
    "foreign key to nowhere": (
        lambda s: s["foreignKeys"][0]["reference"].update(resource="nowhere"),
        "foreign key leads to nowhere",
    ),
    "one name for two types": (lambda s: s["fields"][14].update(type="string"), "latitude"),
    "another name than the file's": (lambda s: s.update(name="evnts"), "calls itself"),
    "two columns of one name": (lambda s: s["fields"].append(s["fields"][1]), "same name"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_schema_is_refused(fault: str, root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "schemas", tmp_path / "schemas")
    path = tmp_path / "schemas" / "events.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change, message = FAULTS[fault]
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ProblemsFound, match=message):
        read_schemas(tmp_path / "schemas")


def test_schema_that_is_no_json_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{\n"name": }', encoding="utf-8")
    with pytest.raises(ProblemsFound, match=r"x\.json:2: not JSON"):
        read_schemas(tmp_path)


def test_fault_of_a_schema_is_placed_by_folder_and_file(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "schemas", tmp_path / "schemas")
    (tmp_path / "schemas/events.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ProblemsFound) as caught:
        read_schemas(tmp_path / "schemas")
    assert {problem.file for problem in caught.value.problems} == {"schemas/events.json"}


def test_arrow_schema_has_descriptions_and_refuses_nulls(schemas: dict[str, TableSchema]) -> None:
    field = arrow_schema(schemas["events"]).field("event_id")
    assert not field.nullable
    assert field.metadata[b"description"].startswith(b"Permanent name")


def test_record_with_a_column_that_the_schema_does_not_know_is_refused(schemas: dict[str, TableSchema]) -> None:
    with pytest.raises(ValueError, match="has no column 'evnt_id'"):
        to_frame([{"evnt_id": "ev0001"}], schemas["events"])
