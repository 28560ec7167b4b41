"""The commands. Each parses its arguments, calls one function and prints; slow imports come late."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from iskp.coding.claims import Claim
    from iskp.coding.verification import Verification
    from iskp.problem import Problem

try:
    import click
except ModuleNotFoundError:  # pragma: no cover - the light installation for loading tables
    sys.exit("The command needs more packages than loading the tables does: pip install 'iskp-data[publish]'")

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
root_option = click.option(
    "--root",
    type=FOLDER,
    default=Path(),
    show_default="this folder",
    help="Folder of the package: sources, registry, schemas.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print problems as JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="iskp-data", prog_name="iskp")
def main() -> None:
    """Code sources, build the tables, check them.

    A publisher's day: write sources/NAME.yaml, quoting words of the text as 'at:'; run 'iskp cite TEXT --sheet
    sources/NAME.yaml'; then 'iskp build' until it has nothing to say.
    """


def _stop(problems: Iterable[Problem], *, as_json: bool) -> NoReturn:
    from iskp.problem import as_json as to_json

    found = tuple(problems)
    if as_json:
        click.echo(to_json(found))
    else:
        for problem in found:
            click.echo(str(problem), err=True)
        noun = "problem" if len(found) == 1 else "problems"
        click.secho(f"{len(found)} {noun}", fg="red", err=True)
    sys.exit(1)


@main.command()
@root_option
@json_option
@click.option("--quiet", is_flag=True, help="Print problems only.")
@click.option("--texts", type=FOLDER, help="Folder with copies of the documents. [default: texts or ../shared/sources]")
def build(root: Path, texts: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Build the package: tables, descriptor, data dictionary.

    All checks run before anything is written. A build that fails leaves the old files as they were. Evidence is
    verified for each document of which a copy is at hand.
    """
    from rich.console import Console

    from iskp.problem import ProblemsFound

    _require(root, "schemas", "sources", "registry")
    console = Console(stderr=True, quiet=quiet or as_json)
    try:
        with console.status("importing") as status:
            from iskp.pipeline import build as run
            from iskp.pipeline import find_texts

            summary = run(root.resolve(), progress=status.update, texts=texts or find_texts(root.resolve()))
    except ProblemsFound as found:
        _stop(found.problems, as_json=as_json)
    if quiet or as_json:
        return
    width = max(map(len, summary.rows))
    for table, rows in summary.rows.items():
        click.echo(f"{table:<{width}} {rows:>7,} rows")
    statuses = ", ".join(f"{count:,} {status}" for status, count in summary.claims.items())
    click.echo(f"\nclaims:    {statuses}")
    click.echo(f"sources:   {summary.sources}")
    click.echo(f"evidence:  {summary.spans_verified:,} spans found again in copies of the documents")
    click.echo(f"conflicts: {summary.conflicts_settled} cells with differing claims, all settled")
    changed = len(summary.changed)
    click.echo(f"files:     {f'{changed} changed' if changed else 'unchanged, byte for byte'}")


def _require(root: Path, *folders: str) -> None:
    for folder in folders:
        if not (root / folder).is_dir():
            raise click.UsageError(f"{root.resolve()} has no folder {folder!r}; run this in a checkout, or give --root")


@main.command()
@click.argument("descriptor", type=FILE, default=Path("datapackage.json"))
@json_option
def validate(descriptor: Path, *, as_json: bool) -> None:
    """Validate a package on disk (any tabular Data Package): profile, bytes, hashes, cells, keys, CSV against Parquet.

    frictionless gives a second opinion on the CSV files.
    """
    from iskp.package.files import finish
    from iskp.package.validate import validate_package

    finish(descriptor.resolve().parent)
    if problems := validate_package(descriptor):
        _stop(problems, as_json=as_json)
    click.echo("valid" if not as_json else "[]")


@main.command()
@click.argument("text", type=FILE)
@click.argument("words", required=False)
@click.option("--sheet", type=FILE, help="Replace every quoted 'at:' of this coding sheet by its fingerprint.")
def cite(text: Path, words: str | None, sheet: Path | None) -> None:
    """Print the evidence fingerprint of WORDS in TEXT, for pasting into a sheet as 'at:'."""
    from iskp.coding.evidence import cite as find
    from iskp.problem import ProblemsFound

    if (words is None) == (sheet is None):
        raise click.UsageError("give either the words, or --sheet")
    if sheet is not None:
        from iskp.coding.quoting import fill_sheet

        try:
            count = fill_sheet(sheet, text)
        except ProblemsFound as found:
            _stop(found.problems, as_json=False)
        click.echo(f"{count} quotes replaced in {sheet}")
        return
    places = find(text.read_text(encoding="utf-8"), words or "")
    if not places:
        raise click.ClickException(f"the words “{words}” do not stand in {text.name}; copy them as they stand there")
    for evidence in places:
        click.echo(str(evidence))
    if len(places) > 1:
        click.echo(f"{len(places)} places; take the one that you mean, in the order of the text", err=True)


@main.command()
@root_option
@click.option("--texts", type=FOLDER, required=True, help="Folder with copies of the documents, as *.txt.")
@click.option("--missing-ok", is_flag=True, help="Do not fail for documents of which no copy is there.")
@json_option
def verify(root: Path, texts: Path, *, missing_ok: bool, as_json: bool) -> None:
    """Find every span of evidence again in copies of the documents, and every figure in its span."""
    from iskp.problem import Problem, ProblemsFound

    _require(root, "schemas", "sources", "registry")
    try:
        from iskp.pipeline import read_coded, verify_evidence

        results = verify_evidence(read_coded(root.resolve()).claims, texts)
    except ProblemsFound as found:
        _stop(found.problems, as_json=as_json)
    problems = [problem for result in results for problem in result.problems]
    for result in results:
        if result.text is None and not missing_ok:
            what = f"no copy of {result.source_id} is in {texts}"
            problems.append(Problem(f"sources/{result.source_id}.yaml", 0, what, "add it, or --missing-ok", "no_copy"))
    if not as_json:
        _print_verification(results)
    if problems:
        _stop(problems, as_json=as_json)


def _print_verification(results: Iterable[Verification]) -> None:
    for result in results:
        if result.text is None:
            click.echo(f"{result.source_id:<30} no copy")
            continue
        total = len(result.findings)
        click.echo(
            f"{result.source_id:<30} {result.found} of {total} spans found"
            f" ({result.count('position')} in place, {result.count('moved', 'nearest')} moved,"
            f" {result.count('ambiguous')} ambiguous, {result.count('missing')} missing) in {result.text.name}"
        )


@main.command()
@click.argument("record")
@root_option
def explain(record: str, root: Path) -> None:
    """Show what stands behind RECORD (such as ev0042): each claim, its source, its words and what became of it."""
    from iskp.problem import ProblemsFound

    _require(root, "schemas", "sources", "registry")
    try:
        from iskp.pipeline import make_records, read_coded

        _, claims, _ = make_records(read_coded(root.resolve()))
    except ProblemsFound as found:
        _stop(found.problems, as_json=False)
    mine = [claim for claim in claims if claim.record_id == record or claim.record_id.startswith(f"{record}:")]
    if not mine:
        from iskp.package.schema import suggest

        known = sorted({claim.record_id for claim in claims if ":" not in claim.record_id})
        near = suggest(record, known)
        raise click.ClickException(
            f"there is no record {record!r}; {near if near.startswith('did') else 'see data/*.csv'}"
        )
    for claim in sorted(mine, key=lambda claim: (claim.cell != (claim.table_name, record, claim.field), claim.cell)):
        _print_claim(claim)


COLOURS = {"accepted": "green", "alternative": "yellow", "rejected": "red"}


def _print_claim(claim: Claim) -> None:
    value = claim.value if claim.value is not None else f"({claim.stated})"
    qualifier = f" [{claim.qualifier}]" if claim.qualifier not in {None, "exact"} else ""
    words = f" “{claim.stated}”" if claim.stated else ""
    status = click.style(f"{claim.status:<11}", fg=COLOURS[claim.status])
    click.echo(f"{status} {claim.record_id} {claim.field} = {value}{qualifier}{words}")
    click.echo(f"            {claim.source_id} ({claim.file}:{claim.line}), by {claim.rule}")
    if claim.note:
        click.echo(f"            {claim.note}")
