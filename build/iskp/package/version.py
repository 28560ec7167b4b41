"""The version that follows from a difference, by rule. See ``VERSIONING.md``.

- PATCH when the content of no table changed: only descriptions, metadata, or files around the tables.
- MINOR when tables, columns, rows or codes were added, values were corrected, or a constraint was loosened.
- MAJOR when a table, column, code or id disappeared, a type or key changed, or a constraint was tightened: what a
  user wrote against the old version may fail against the new one.

A renamed id counts as disappeared, since the old one no longer finds its row. Where the old version's schema has
``transientIds`` the keys of rows are made of what they say, and nobody was promised that they stay: there a row that
goes is a corrected value.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator, Mapping

from packaging.version import Version

from iskp.package.diff import Diff


class Bump(enum.IntEnum):
    """Which part of the version goes up; ``NONE`` when nothing changed."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


OPERATIONS: Mapping[str, Bump] = {
    "remove_table": Bump.MAJOR,
    "remove_column": Bump.MAJOR,
    "remove_code": Bump.MAJOR,
    "remove_file": Bump.MAJOR,
    "change_type": Bump.MAJOR,
    "change_key": Bump.MAJOR,
    "rename": Bump.MAJOR,
    "remove": Bump.MAJOR,
    "add_table": Bump.MINOR,
    "add_column": Bump.MINOR,
    "add_code": Bump.MINOR,
    "add_file": Bump.MINOR,
    "change_file": Bump.MINOR,
    "add": Bump.MINOR,
    "change": Bump.MINOR,
}


def computed_bump(diff: Diff) -> tuple[Bump, list[str]]:
    """Return the bump that a difference asks for, and the reasons for it, the weightiest first."""
    reasons: list[tuple[Bump, str]] = [(Bump.PATCH, "metadata changed")] if diff.metadata_changed else []
    for change in diff.schema_changes():
        if change["op"] == "change_constraint":
            reasons += list(_constraint_reasons(change))
        else:
            label = f"{change['table']}.{change['field']}" if change["field"] else change["table"]
            code = f" {change['old'] or change['new']}" if "code" in change["op"] else ""
            reasons.append((OPERATIONS[change["op"]], f"{change['op'].replace('_', ' ')}: {label}{code}"))
    for table in diff.tables.values():
        for op, count, words in (
            ("remove", table.removed, "rows gone"),
            ("rename", table.renamed, "ids renamed"),
            ("add", table.added, "rows added"),
            ("change", table.cells, "values corrected"),
        ):
            if count:
                bump = OPERATIONS[op] if table.promised else Bump.MINOR
                reasons.append((bump, f"{table.table}: {count:,} {words}"))
    reasons.sort(key=lambda reason: -reason[0])
    return (reasons[0][0] if reasons else Bump.NONE), [text for _, text in reasons]


def _constraint_reasons(change: Mapping[str, str]) -> Iterator[tuple[Bump, str]]:
    label = f"{change['table']}.{change['field']}"
    if change["field"] == "foreignKeys":
        tightened = len(json.loads(change["new"])) >= len(json.loads(change["old"]))
    else:
        ((name, old),) = json.loads(change["old"]).items()
        tightened = is_tightened(name, old, json.loads(change["new"])[name])
    bump = Bump.MAJOR if tightened else Bump.MINOR
    yield bump, f"constraint {'tightened' if tightened else 'loosened'}: {label}"


def is_tightened(name: str, old: object, new: object) -> bool:
    """Tell whether a constraint lets fewer values through than before; a changed pattern is taken to.

    >>> is_tightened("minimum", 0, 1), is_tightened("maximum", 9, 10), is_tightened("required", True, None)
    (True, False, False)
    """
    if new is None or new is False:
        return False
    if old is None or old is False or isinstance(new, str | bool | list):
        return True
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return True
    return new > old if name.startswith(("min", "exclusiveMin")) else new < old


def next_version(current: str, bump: Bump) -> str:
    """Return the version after a bump. Before 1.0.0 a MAJOR change raises the minor part, as SemVer has it.

    >>> next_version("1.2.3", Bump.MINOR), next_version("0.1.0", Bump.MAJOR), next_version("1.2.3", Bump.MAJOR)
    ('1.3.0', '0.2.0', '2.0.0')
    """
    version = Version(current)
    major, minor, patch = version.major, version.minor, version.micro
    if bump is Bump.MAJOR and major > 0:
        return f"{major + 1}.0.0"
    if bump in {Bump.MAJOR, Bump.MINOR}:
        return f"{major}.{minor + 1}.0"
    if bump is Bump.PATCH:
        return f"{major}.{minor}.{patch + 1}"
    return current
