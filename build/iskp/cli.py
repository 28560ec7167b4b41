"""The commands. Each parses its arguments, calls one function and prints; slow imports come late."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import datetime

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
    _leave_cycles()
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


def _leave_cycles() -> None:
    """Do not look for cycles of dead objects: a build makes claims by the ten thousand, keeps them, and ends.

    The collector would take a fifth of its time; an exit that collects would cost as much again.
    """
    import atexit
    import gc

    gc.disable()
    atexit.register(gc.freeze)


def _require(root: Path, *folders: str) -> None:
    for folder in folders:
        if not (root / folder).is_dir():
            raise click.UsageError(f"{root.resolve()} has no folder {folder!r}; run this in a checkout, or give --root")


@main.command()
@click.argument("package", type=click.Path(exists=True, path_type=Path), default=Path())
@json_option
def validate(package: Path, *, as_json: bool) -> None:
    """Validate a package on disk (any tabular Data Package): profile, bytes, hashes, cells, keys, CSV against Parquet.

    PACKAGE is its folder or its datapackage.json [default: this folder]. frictionless gives a second opinion; of
    schemas that this project does not write, its opinion on the cells is the only one.
    """
    from iskp.package.files import finish
    from iskp.package.validate import is_of_our_kind, validate_package

    descriptor = package / "datapackage.json" if package.is_dir() else package
    if not descriptor.is_file():
        raise click.UsageError(f"{package.resolve()} has no datapackage.json; name the folder of a package")
    finish(descriptor.resolve().parent)
    if problems := validate_package(descriptor):
        _stop(problems, as_json=as_json)
    click.echo("[]" if as_json else "valid" if is_of_our_kind(descriptor) else "valid (cells by frictionless alone)")


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


@main.command()
@root_option
@click.option("--errors", is_flag=True, help="List what sources printed that other sources show to be wrong.")
def sources(root: Path, *, errors: bool) -> None:
    """List the sources with the number of their claims, or their known errors."""
    from collections import Counter

    from iskp.problem import ProblemsFound

    _require(root, "schemas", "sources", "registry")
    try:
        from iskp.pipeline import make_records, read_coded

        records, claims, _ = make_records(read_coded(root.resolve()))
    except ProblemsFound as found:
        _stop(found.problems, as_json=False)
    if errors:
        _print_errors(claims)
        return
    counts = Counter(claim.source_id for claim in claims)
    for source_id, source in sorted(records["sources"].items()):
        click.echo(
            f"{source_id:<50} {counts[source_id]:>6,} claims  {source.get('published_edtf', ''):<12} {source['title']}"
        )


def _print_errors(claims: Iterable[Claim]) -> None:
    by_cell: dict[tuple[str, str, str], list[Claim]] = {}
    for claim in claims:
        by_cell.setdefault(claim.cell, []).append(claim)
    total = 0
    for cell, group in sorted(by_cell.items()):
        accepted = [claim for claim in group if claim.status == "accepted"]
        for wrong in group:
            if wrong.status != "rejected":
                continue
            total += 1
            words = f" “{wrong.stated}”" if wrong.stated else ""
            click.secho(f"{wrong.source_id}: {cell[1]} {cell[2]}", bold=True)
            click.echo(f"  printed {wrong.value}{words}; holds {', '.join(sorted({c.value or '' for c in accepted}))}")
            click.echo(f"  by {', '.join(sorted({claim.source_id for claim in accepted}))}")
            click.echo(f"  {wrong.note}")
    click.echo(f"{total} known errors")


@main.command()
@root_option
@click.option("--seed", type=int, required=True, help="Number that the sample follows from; write it down.")
@click.option("--size", default=30, show_default=True, help="How many claims.")
@click.option("--values", is_flag=True, help="Show the values too, to compare with the second coding.")
def sample(root: Path, seed: int, size: int, *, values: bool) -> None:
    """Draw claims for a second coder, without their values: what a page says is coded again, and then compared.

    The same tables and the same seed give the same sample. In an id, … stands for a part that is the value. What a
    source does not say itself is marked as following from the page.
    """
    import pandas as pd

    from iskp.checks.sample import blinded, draw

    _require(root, "data")
    try:
        frames = {name: pd.read_parquet(root / "data" / f"{name}.parquet") for name in ("claims", "sources", "events")}
    except FileNotFoundError as error:
        raise click.ClickException(f"{error.filename} is missing; run 'iskp build'") from error
    for number, claim in enumerate(draw(frames, seed, size).to_dict("records"), start=1):
        value = f" = {claim['value']}" if values else ""
        event = f" ({claim['event']})" if isinstance(claim["event"], str) else ""
        record_id = claim["record_id"] if values else blinded(claim["record_id"], claim["value"])
        follows = ", follows from the page" if claim["qualifier"] == "inferred" else ""
        click.echo(f"{number:>3} {claim['table_name']}/{record_id}{event} {claim['field']}{value}{follows}")
        click.echo(f"    {claim['title']} ({claim['publisher']}), {claim['url']}")


@main.command()
@click.argument("old")
@click.argument("new", default=".")
@click.option(
    "--format", "form", type=click.Choice(["text", "jsonl", "csv", "html"]), default="text", show_default=True
)
@click.option("--limit", default=20, show_default=True, help="Cells to show of each table, as text.")
@click.option("--releases", type=FOLDER, help="Folder of released versions. [default: dist]")
def diff(old: str, new: str, form: str, limit: int, releases: Path | None) -> None:
    """Compare two versions of a package; exit with 1 if they differ, as diff does.

    OLD and NEW are each a folder, a datapackage.json, a zip, an address, or the number of a released version.
    """
    from iskp.package.opening import open_package
    from iskp.package.releases import DIST
    from iskp.package.renames import compare
    from iskp.package.show import as_csv, as_html, as_json_lines, as_text

    folder = releases or Path(DIST)
    try:
        with open_package(old, folder) as before, open_package(new, folder) as after:
            difference = compare(before, after)
    except (FileNotFoundError, ValueError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    if form == "text":
        lines = [click.style(line, fg=colour) if colour else line for line, colour in as_text(difference, limit)]
        show = click.echo_via_pager if sys.stdout.isatty() else click.echo
        show("\n".join(lines) or "no difference")
    elif form == "jsonl":
        for line in as_json_lines(difference):
            click.echo(line)
    else:
        click.echo(as_csv(difference) if form == "csv" else as_html(difference), nl=False)
    sys.exit(1 if difference else 0)


@main.command()
@root_option
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Day of the release, YYYY-MM-DD.")
@click.option("--version", help="Ask for more than the computed version.")
@click.option("--cause", default="", help="Cause of every changed value that has no other.")
@click.option("--causes", type=FILE, help="CSV file of causes: table, record_id, field, cause.")
@click.option("--dry-run", is_flag=True, help="Show all of it, and change nothing.")
def release(
    root: Path, day: datetime.datetime, version: str | None, cause: str, causes: Path | None, *, dry_run: bool
) -> None:
    """Release: build, compare with the last release, compute the version, write dist/vX.Y.Z and the change log.

    An unchanged package is refused, and so is a change of a published value without a cause: from the notes of the
    commits since ('Cause: why', or 'Cause: (table, record, field) why'), a file, or for all the rest --cause. What
    fails leaves nothing half done.
    """
    from iskp.package.changes import read_causes
    from iskp.problem import ProblemsFound
    from iskp.release import ReleaseRefusedError, carry_out, plan_release

    _require(root, "schemas", "sources", "registry")
    try:
        given = read_causes(causes) if causes else []
        plan = plan_release(root.resolve(), f"{day:%Y-%m-%d}", version=version, causes=given, cause=cause)
        click.echo(plan.entry)
        if dry_run:
            for path, content in sorted(plan.files.items()):
                if path.parts[0] == "dist":
                    click.echo(f"would write {path} ({len(content):,} bytes)")
            return
        changed = carry_out(root.resolve(), plan)
    except ProblemsFound as found:
        _stop(found.problems, as_json=False)
    except (ReleaseRefusedError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"version {plan.version}: {len(changed)} files written, the release in dist/v{plan.version}")


@main.command()
@click.argument("target")
@root_option
@click.option("--version", help="Version to publish. [default: the newest in dist]")
def publish(target: str, root: Path, version: str | None) -> None:
    """Publish a release to TARGET, any place that fsspec reaches: a folder, an s3:// address and so on.

    Safe to repeat and safe to kill: a version never changes, and publishing again completes it.
    """
    from iskp.package.releases import DIST, released_versions
    from iskp.package.store import PublishRefusedError, Store

    known = released_versions(root / DIST)
    if not known:
        raise click.ClickException(f"no release is in {root / DIST}; make one with 'iskp release'")
    chosen = version or known[-1]
    try:
        Store(target).publish(root / DIST / f"v{chosen}")
    except (PublishRefusedError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"version {chosen} is in {target}")


@main.command()
@click.argument("store")
def versions(store: str) -> None:
    """List the versions that are in STORE."""
    from iskp.package.store import Store

    for entry in Store(store).index():
        click.echo(f"{entry['version']:<10} {entry['created']}  {'; '.join(entry['summary'][:4])}")


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
