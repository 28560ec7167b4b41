"""The whole way, always forward: sheets and registry → claims → records → tables → checks → files.

Nothing is written unless every check holds: the files are made in a folder of their own, validated there as a
package, and only then moved in, all of them or none.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pandas as pd

from iskp.checks.duplicates import check_duplicates, check_publishers
from iskp.checks.identity import check_known, check_references, check_used, check_vanished
from iskp.checks.tables import check_tables
from iskp.coding.claims import EDITORS, Claim, check_claims, check_dates, check_fingerprints, sheet_claims
from iskp.coding.editor_schema import editor_schema
from iskp.coding.evidence import read_texts
from iskp.coding.registry import Registry, read_registry, registry_claims
from iskp.coding.sheet import parse_sheet, sheet_model
from iskp.coding.verification import Verification, verify
from iskp.coding.yaml_lines import LinedFile, read_yaml
from iskp.output import DESCRIPTOR, Files, make_csv_package, make_files
from iskp.package.descriptor import as_bytes
from iskp.package.files import write_all
from iskp.package.releases import DIST
from iskp.package.schema import Schemas, read_schemas
from iskp.package.second_opinion import SecondOpinion
from iskp.package.text import parse_cell
from iskp.package.types import Cell, Record, to_frame
from iskp.package.validate import check_package
from iskp.problem import Problem, ProblemsFound, raise_if_any
from iskp.readme import with_tables
from iskp.reconcile.context import make_context
from iskp.reconcile.defaults import not_stated
from iskp.reconcile.derive import derive
from iskp.reconcile.records import Records, reconcile

MINTED = ("events", "organizations", "places", "authorities", "designations", "sources")
TABLES = (
    *MINTED,
    *(
        "event_actors",
        "event_counts",
        "estimates",
        "designation_actions",
        "source_derivations",
        "claims",
        "retired_ids",
    ),
    *("organization_identifiers", "organization_names", "organization_presence", "organization_relations"),
)
"""The tables that coding fills; a schema more is welcome, one less is not."""
SHEET_SCHEMA = PurePosixPath("sources/sheet.schema.json")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Summary:
    """What a build made: rows per table, claims by status, and the files that changed."""

    rows: Mapping[str, int]
    claims: Mapping[str, int]
    sources: int
    conflicts_settled: int
    spans_verified: int
    changed: tuple[PurePosixPath, ...]


@dataclass(frozen=True)
class Coded:
    """All that people wrote, read and checked one file at a time."""

    schemas: Schemas
    registry: Registry
    claims: tuple[Claim, ...]


def read_coded(root: Path) -> Coded:
    """Read schemas, registry and sheets into claims.

    Raises:
        ProblemsFound: with every fault of every file, so that a publisher mends them in one go.
    """
    schemas = read_schemas(root / "schemas")
    raise_if_any(_missing_schema(table) for table in TABLES if table not in schemas)
    problems: list[Problem] = []
    claims: list[Claim] = []
    registry: Registry | None = None
    try:
        registry = read_registry(root / "registry", root)
        claims += registry_claims(registry, schemas)
    except ProblemsFound as found:
        problems += found.problems
    model = sheet_model(schemas)
    seen: dict[str, str] = {}
    for path in sorted((root / "sources").glob("*.yaml")):
        try:
            file = read_yaml(path, path.relative_to(root).as_posix())
            sheet = parse_sheet(file, model)
        except ProblemsFound as found:
            problems += found.problems
            continue
        problems += _check_sheet_name(sheet.source.source_id, file, seen)
        coded = sheet_claims(sheet, file, schemas)
        problems += check_claims(coded, sheet)
        problems += check_fingerprints(coded)
        problems += check_dates(sheet, file)
        claims += coded
    if registry is not None:
        problems += check_known(claims, registry)
    problems += check_publishers(claims)
    if problems or registry is None:
        raise ProblemsFound(problems)
    return Coded(schemas, registry, tuple(claims))


def _missing_schema(table: str) -> Problem:
    what = f"there is no schema of the table {table!r}, which coding fills"
    return Problem(
        f"schemas/{table}.json", 0, what, "restore the file; 'git status' tells if it was deleted", "schema_missing"
    )


def _check_sheet_name(source_id: str, file: LinedFile, seen: dict[str, str]) -> Iterable[Problem]:
    line = file.line(("source", "source_id"))
    if Path(file.name).stem != source_id:
        what = f"the sheet is of {source_id!r}, but the file has another name"
        yield Problem(file.name, line, what, f"rename it to {source_id}.yaml", "sheet_name")
    if source_id in seen:
        what = f"the source {source_id!r} has a sheet already, {seen[source_id]}"
        yield Problem(file.name, line, what, "give it an id of its own", "duplicate_id")
    seen[source_id] = file.name


def make_records(coded: Coded) -> tuple[Records, tuple[Claim, ...], int]:
    """Reconcile claims to records and fill the derived columns; return also the judged claims.

    Raises:
        ProblemsFound: for conflicts that nothing settles and references that lead nowhere.
    """
    claims = [*coded.claims, *not_stated(coded.claims, coded.schemas)]
    claims = [_editorial(claim) for claim in claims]
    reconciled = reconcile(claims, coded.registry)
    problems = [*reconciled.problems]
    problems += check_references(reconciled.claims, reconciled.records, coded.schemas)
    problems += check_used(reconciled.records, reconciled.claims, coded.registry)
    raise_if_any(problems)
    context = make_context(claim for claim in reconciled.claims if claim.status == "accepted")
    derive(reconciled.records, reconciled.claims, coded.schemas, context)
    return reconciled.records, reconciled.claims, reconciled.settled


def _editorial(claim: Claim) -> Claim:
    return replace(claim, rule="editorial") if claim.source_id == EDITORS and not claim.rule else claim


def make_frames(records: Records, claims: Iterable[Claim], schemas: Schemas) -> dict[str, pd.DataFrame]:
    """Turn records and claims into typed frames, one per schema, in the order of their names."""
    frames = {}
    for name, schema in schemas.items():
        rows: list[Record]
        if name == "claims":
            rows = [_claim_record(claim) for claim in claims]
        else:
            rows = [
                {field.name: parse_cell(row.get(field.name, ""), field.type) for field in schema.fields}
                for row in records.get(name, {}).values()
            ]
        frames[name] = to_frame(rows, schema)
    return frames


def _claim_record(claim: Claim) -> dict[str, Cell]:
    columns = ("claim_id", "table_name", "record_id", "field", "value", "stated", "qualifier", "asserted_by_id")
    record: dict[str, Cell] = {column: getattr(claim, column) for column in (*columns, "source_id")}
    if claim.evidence is not None:
        record["evidence_start"] = claim.evidence.start
        record["evidence_words"] = claim.evidence.words
        record["evidence_sha256"] = claim.evidence.sha256
    return record | {"status": claim.status, "rule": claim.rule, "note": claim.note}


def published_ids(root: Path, schemas: Schemas) -> dict[str, list[str]]:
    """Return the ids of the package as it stands on disk, by table; none where nothing was built yet."""
    ids = {}
    for table in MINTED:
        path = root / "data" / f"{table}.csv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as lines:
                ids[table] = [row[schemas[table].key] for row in csv.DictReader(lines) if schemas[table].key in row]
    return ids


def _silent(step: str) -> None:
    """Report progress to nobody."""


def _is_made_here(path: PurePosixPath) -> bool:
    """Tell whether a file below data/ is the build's to remove: all of them are."""
    return path.parent.name == "data"


TEXT_FOLDERS = ("texts", "../shared/sources")
"""Where copies of documents are looked for, from the package's folder, when a publisher names no place."""


def find_texts(root: Path) -> Path | None:
    """Return the folder of held documents beside a checkout, if there is one."""
    return next((root / folder for folder in TEXT_FOLDERS if (root / folder).is_dir()), None)


def verify_evidence(claims: Iterable[Claim], texts: Path) -> list[Verification]:
    """Verify the evidence of claims against the copies of documents in a folder."""
    claims = tuple(claims)
    fingerprints = {c.record_id: c.value for c in claims if c.field == "text_sha256" and c.value is not None}
    return verify(claims, fingerprints, read_texts(texts))


def build(root: Path, progress: Progress = _silent, texts: Path | None = None) -> Summary:
    """Build the package in ``root`` from its sheets, registry and schemas.

    ``texts`` is a folder with copies of documents; the evidence of each that is there is verified as well.

    Raises:
        ProblemsFound: with every problem found; then nothing was written.
    """
    with SecondOpinion() as second_opinion, tempfile.TemporaryDirectory() as aside:
        return _build(root, progress, texts, second_opinion, Path(aside))


def _build(root: Path, progress: Progress, texts: Path | None, second_opinion: SecondOpinion, aside: Path) -> Summary:
    progress("reading sheets and registry")
    coded = read_coded(root)
    verified = 0
    if texts is not None:
        progress("verifying evidence")
        verifications = verify_evidence(coded.claims, texts)
        raise_if_any(problem for verification in verifications for problem in verification.problems)
        verified = sum(verification.found for verification in verifications)
    progress("reconciling claims")
    records, claims, settled = make_records(coded)
    raise_if_any(check_vanished(records, published_ids(root, coded.schemas), coded.registry))
    progress("making and checking tables")
    frames = make_frames(records, claims, coded.schemas)
    csv_package = make_csv_package(frames, coded.schemas, coded.registry)
    second_opinion.ask(write_aside(csv_package, aside / "csv"))
    within = {str(key): str(row["parent_id"]) for key, row in records.get("places", {}).items() if "parent_id" in row}
    problems = check_tables(frames, coded.schemas, claims)
    raise_if_any([*problems, *check_duplicates(frames, within, coded.registry)])
    progress("writing files aside")
    files = make_files(csv_package, frames, coded.schemas, coded.registry, root / DIST)
    progress("validating the package")
    raise_if_any(check_package(write_aside(files, aside / "package")) or second_opinion.answer())
    progress("moving files in")
    files[SHEET_SCHEMA] = as_bytes(editor_schema(coded.schemas))
    rows = {name: len(frame) for name, frame in frames.items()}
    if (root / "README.md").is_file():
        readme = with_tables((root / "README.md").read_text(encoding="utf-8"), coded.schemas, rows)
        files[PurePosixPath("README.md")] = readme.encode()
    changed = write_all(root, files, owned=_is_made_here)
    statuses = frames["claims"]["status"].value_counts()
    return Summary(
        rows,
        {str(status): int(count) for status, count in statuses.items()},
        len(frames["sources"]),
        settled,
        verified,
        tuple(changed),
    )


def write_aside(files: Files, folder: Path) -> Path:
    """Write the files of a package into a folder of their own; return the path of the descriptor."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder / DESCRIPTOR
