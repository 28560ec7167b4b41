"""A release: build, compare with the last one, compute the version, ask for causes, and write all of it or nothing.

The release is made in a copy of the checkout's inputs. Only when everything holds are its files, the stamped metadata,
the change log and the built package moved into the checkout, by one journal, so that a release that fails or is
killed leaves nothing half done: the next command completes it or sweeps it away.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.version import Version

from iskp.package.archive import release_files
from iskp.package.change_table import CHANGE_SCHEMA
from iskp.package.changes import changelog_entry, with_causes, without_cause, write_changes
from iskp.package.commit_notes import commit_causes
from iskp.package.diff import Diff
from iskp.package.files import finish, write_all
from iskp.package.opening import OpenedPackage, open_package, read_package
from iskp.package.releases import DIST, released_versions
from iskp.package.renames import compare, ids_of
from iskp.package.version import Bump, computed_bump, next_version
from iskp.pipeline import build

INPUTS = ("sources", "registry", "schemas")
TEXTS = ("README.md", "CHANGELOG.md", "LICENSE", "LICENSE-DATA.md")
METADATA = PurePosixPath("registry/metadata.yaml")
LISTED_CAUSES = 10


class ReleaseRefusedError(Exception):
    """Raised when there is a reason not to release; the message says which, and what to do."""


@dataclass(frozen=True)
class Plan:
    """What a release would be: its version and day, why, what changed, and its files."""

    version: str
    day: str
    reasons: Sequence[str]
    diff: Diff
    entry: str
    files: Mapping[PurePosixPath, bytes]


def plan_release(
    root: Path,
    day: str,
    *,
    version: str | None = None,
    causes: Sequence[Mapping[str, str]] = (),
    cause: str = "",
) -> Plan:
    """Work out a release, and change nothing.

    ``version`` asks for more than the computed one. Changed values are explained by ``cause``, over that by the notes
    of commits, and over those by ``causes``.

    Raises:
        ReleaseRefusedError: if nothing changed, a published id would be lost, a cause is missing, or less than the
            computed version is asked for.
        ProblemsFound: if the package does not build.
    """
    finish(root)
    dist = root / DIST
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in INPUTS:
            shutil.copytree(root / name, copy / name)
        for name in (*TEXTS, "datapackage.json"):
            if (root / name).is_file():
                shutil.copy(root / name, copy)
        if (root / "data").is_dir():
            shutil.copytree(root / "data", copy / "data")
        build(copy)
        released = released_versions(dist)
        current = read_package(copy, str(root))
        if not released:
            chosen, reasons, diff = version or current.version, ["it is the first release"], _nothing(current)
        else:
            with open_package(released[-1], dist) as last:
                diff = compare(last, current)
                _check_ids(last, current)
            chosen, reasons = _choose(diff, released, version)
        noted = commit_causes(root, f"{DIST}/v{released[-1]}") if released else []
        diff = _explained(diff, [*noted, *causes], cause)
        entry = changelog_entry(chosen, day, diff, reasons)
        files = _stamped(copy, chosen, day, entry)
        for path, content in release_files(read_package(copy, chosen), write_changes(diff.changes)).items():
            files[PurePosixPath(DIST) / f"v{chosen}" / path] = content
        return Plan(chosen, day, reasons, diff, entry, files)


def _nothing(package: OpenedPackage) -> Diff:
    return Diff("", package.name, CHANGE_SCHEMA.empty_table(), {})


def _choose(diff: Diff, released: Sequence[str], version: str | None) -> tuple[str, list[str]]:
    bump, reasons = computed_bump(diff)
    if bump is Bump.NONE:
        raise ReleaseRefusedError(f"nothing changed since version {released[-1]}; there is nothing to release")
    computed = next_version(released[-1], bump)
    if version is not None and Version(version) < Version(computed):
        why = f"the changes ask for {computed} ({reasons[0]})"
        raise ReleaseRefusedError(f"version {version} is too low: {why}; ask for that or more")
    return version or computed, reasons


def _check_ids(last: OpenedPackage, current: OpenedPackage) -> None:
    """Check that every id that was released is live or retired.

    The build checks the same against the tables on disk; this is against what was released, whatever happened since.
    """
    retired = ids_of(current, "retired_ids") if "retired_ids" in current.resources() else set()
    names = {":".join(entry.split(":")[:2]) for entry in retired}
    for table in ("events", "organizations", "places", "authorities", "designations", "sources"):
        if table in last.resources() and table in current.resources():
            lost = sorted(i for i in ids_of(last, table) - ids_of(current, table) if f"{table}:{i}" not in names)
            if lost:
                where = "registry/retired.yaml"
                raise ReleaseRefusedError(f"{table}: the released id {lost[0]!r} is lost; restore or add it to {where}")


def _explained(diff: Diff, causes: Sequence[Mapping[str, str]], cause: str) -> Diff:
    changes = with_causes(diff.changes, causes, cause)
    missing = without_cause(changes)
    if missing:
        listed = "\n".join(
            f"  {row['table']}, {row['record_id']}, {row['field']}: {row['old'] or ''} -> {row['new'] or ''}"
            for row in missing[:LISTED_CAUSES]
        )
        raise ReleaseRefusedError(
            f"{len(missing):,} changes of published values have no cause:\n{listed}\n"
            "give one for all with --cause, in a commit's note ('Cause: (table, record, field) why'), or in a CSV file "
            "(table, record_id, field, cause) with --causes"
        )
    return Diff(diff.old, diff.new, changes, diff.tables, diff.metadata_changed)


def _stamped(copy: Path, version: str, day: str, entry: str) -> dict[PurePosixPath, bytes]:
    """Stamp version and day into the copy, build it again, and return every file that the checkout must get."""
    metadata = copy / METADATA
    text = metadata.read_text(encoding="utf-8")
    text = re.sub(r"^  version: .*$", f"  version: {version}", text, flags=re.MULTILINE)
    text = re.sub(r"^  created: .*$", f"  created: {day}", text, flags=re.MULTILINE)
    metadata.write_text(text, encoding="utf-8")
    log = copy / "CHANGELOG.md"
    log.write_text(
        with_entry(log.read_text(encoding="utf-8") if log.is_file() else "", version, entry), encoding="utf-8"
    )
    build(copy)
    made = [copy / "datapackage.json", copy / "CITATION.cff", log, metadata, *(copy / "data").iterdir()]
    made += [copy / name for name in ("README.md",) if (copy / name).is_file()]
    return {PurePosixPath(path.relative_to(copy).as_posix()): path.read_bytes() for path in made}


def with_entry(log: str, version: str, entry: str) -> str:
    """Return a change log with the entry of a version at its top, in place of an earlier draft of the same."""
    title, _, rest = log.partition("\n## ")
    sections = [f"## {part.rstrip()}\n" for part in ("\n## " + rest).split("\n## ") if part.strip()] if rest else []
    kept = [section for section in sections if not section.startswith(f"## {version} ")]
    return "\n".join([(title.rstrip() or "# Changelog") + "\n", entry, *kept]).rstrip() + "\n"


def carry_out(root: Path, plan: Plan) -> list[PurePosixPath]:
    """Write a planned release into the checkout, all of it or nothing; return the paths that changed.

    Raises:
        ReleaseRefusedError: if the version was released before with other bytes.
    """
    for path, content in plan.files.items():
        target = root / path
        if path.parts[0] == DIST and target.is_file() and target.read_bytes() != content:
            raise ReleaseRefusedError(f"{path} is there already, with other bytes; a release never changes")
    return write_all(root, plan.files, owned=lambda path: path.parent.name == "data")
