"""The change table as a file, its causes, and its summary in words."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from iskp.package.change_table import CHANGE_SCHEMA
from iskp.package.diff import Diff

CAUSED = frozenset({"change", "rename", "remove", "change_file"})
"""Operations that need a cause: what was published is no longer what it was."""
NEW_COLUMN = "the column is new"


def with_causes(changes: pa.Table, causes: Sequence[Mapping[str, str]], default: str = "") -> pa.Table:
    """Return a change table with its causes filled in.

    Each cause has a text and, to say what it is for, a ``table``, ``record_id`` and ``field``; one that is left out
    means all. The last cause that fits holds, so that a file goes from the general to the special. What a new column
    holds needs no other cause than that it is new.
    """
    rows = changes.to_pylist()
    new_columns = {(row["table"], row["field"]) for row in rows if row["op"] == "add_column"}
    filled = []
    for row in rows:
        is_new = row["op"] == "change" and (row["table"], row["field"]) in new_columns
        cause = NEW_COLUMN if is_new else default if row["op"] in CAUSED else ""
        for candidate in causes:
            if row["op"] in CAUSED and (_fits(candidate, row) if not is_new else _names(candidate, row)):
                cause = candidate["cause"]
        filled.append(cause or row["cause"])
    index = changes.schema.get_field_index("cause")
    return changes.set_column(index, CHANGE_SCHEMA.field("cause"), pa.array(filled, pa.string()))


def _names(cause: Mapping[str, str], row: Mapping[str, str | None]) -> bool:
    """Tell whether a cause is for this column in so many words."""
    return cause.get("field") == row["field"] and _fits(cause, row)


def _fits(cause: Mapping[str, str], row: Mapping[str, str | None]) -> bool:
    return all(not cause.get(key) or cause[key] == row[key] for key in ("table", "record_id", "field"))


def read_causes(path: Path) -> list[dict[str, str]]:
    """Read a file of causes: CSV with the columns table, record_id, field, cause; the first three may be empty.

    Raises:
        ValueError: if a column is missing, or a row has no cause.
    """
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for number, row in enumerate(rows, start=2):
        if not {"table", "record_id", "field", "cause"} <= set(row) or not row["cause"]:
            raise ValueError(f"{path}:{number}: each row needs the columns table, record_id, field and a cause")
    return rows


def without_cause(changes: pa.Table) -> list[dict[str, str]]:
    """Return the changes that need a cause and have none."""
    return [row for row in changes.to_pylist() if row["op"] in CAUSED and not row["cause"]]


def write_changes(changes: pa.Table) -> bytes:
    """Write a change table as CSV."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CHANGE_SCHEMA.names)
    writer.writerows([row[name] or "" for name in CHANGE_SCHEMA.names] for row in changes.to_pylist())
    return buffer.getvalue().encode()


def summary_lines(diff: Diff) -> list[str]:
    """Say in words what changed, one line per table that did, schema first."""
    lines = [f"{change['op'].replace('_', ' ')}: {_label(change)}" for change in diff.schema_changes()]
    for table in diff.tables.values():
        parts = [
            f"{count:,} {words}"
            for count, words in (
                (table.added, "added"),
                (table.removed, "removed"),
                (table.renamed, "renamed"),
                (table.changed, f"changed ({table.cells:,} values)"),
            )
            if count
        ]
        if parts:
            lines.append(f"{table.table}: {', '.join(parts)}")
    if diff.metadata_changed:
        lines.append("metadata changed")
    return lines


def _label(change: Mapping[str, str]) -> str:
    label = ".".join(part for part in (change["table"], change["field"]) if part)
    if "code" in change["op"]:
        return f"{label} {change['old'] or change['new']}"
    if change["op"] in {"change_type", "change_constraint", "change_key"}:
        return f"{label} from {change['old']} to {change['new']}"
    return label


def cause_counts(changes: pa.Table) -> list[tuple[str, int]]:
    """Return each cause with the number of changes that it stands for, most frequent first."""
    return Counter(cause for cause in changes["cause"].to_pylist() if cause).most_common()


def changelog_entry(version: str, day: str, diff: Diff, reasons: Iterable[str]) -> str:
    """Return the section of a readable change log for one release."""
    lines = [f"## {version} ({day})", ""]
    lines += [f"- {line}" for line in summary_lines(diff)] or ["- First release."]
    causes = cause_counts(diff.changes)
    if causes:
        lines += ["", "Causes of changed values:", ""]
        lines += [f"- {cause} ({count:,})" for cause, count in causes]
    reason = next(iter(reasons), "")
    if reason:
        lines += ["", f"The version follows from: {reason}."]
    return "\n".join(lines) + "\n"
