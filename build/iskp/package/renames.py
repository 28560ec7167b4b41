"""Renamed ids, which a package tells in its table ``retired_ids``, and the difference of packages in their light."""

from __future__ import annotations

import csv

from iskp.package.diff import Diff, diff_packages
from iskp.package.opening import OpenedPackage
from iskp.package.row_diff import Renames


def renames_of(package: OpenedPackage) -> Renames:
    """Return the renamed ids that a package tells in its table ``retired_ids``: those with one successor."""
    path = package.root / "data" / "retired_ids.csv"
    if not path.is_file():
        return {}
    successors: dict[tuple[str, str], list[str]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            successors.setdefault((row["table_name"], row["record_id"]), []).append(row["into_id"])
    renames: dict[str, dict[str, str]] = {}
    for (table, old), new in successors.items():
        if len(new) == 1 and new[0]:
            renames.setdefault(table, {})[old] = new[0]
    return renames


def compare(old: OpenedPackage, new: OpenedPackage) -> Diff:
    """Compare two packages, with the renames that the newer tells.

    A retired id whose successor was there before is a merger and not a rename: the old row is gone.
    """
    tables = old.resources()
    renames: dict[str, dict[str, str]] = {}
    for table, pairs in renames_of(new).items():
        known = ids_of(old, table) if table in tables else set()
        renames[table] = {a: b for a, b in pairs.items() if a in known and b not in known}
    return diff_packages(old, new, renames)


def ids_of(package: OpenedPackage, table: str) -> set[str]:
    """Return the ids of a table."""
    with (package.root / "data" / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
        return {row[0] for row in csv.reader(lines)}
