"""What frictionless finds in a package, as problems; run as a module, the process behind the second opinion."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from frictionless import FrictionlessException, Package, system

from iskp.package.resource import file_format, is_local_file
from iskp.problem import REBUILD, Problem, as_json


def check_with_frictionless(path: Path) -> list[Problem]:
    """Let frictionless validate a descriptor and its resources, foreign keys included.

    Left out are Parquet files, whose bytes frictionless cannot count nor read nulls in their integers, and what is
    elsewhere on the network.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    content["resources"] = [described for described in content["resources"] if _is_checked(described)]
    try:
        with system.use_context(trusted=False):
            report = Package(content, basepath=str(path.parent)).validate(parallel=False)
    except FrictionlessException as error:
        faults = error.reasons or [error.error]
        return [Problem(path.name, 0, fault.message, "mend the metadata", "frictionless") for fault in faults]
    problems = [Problem(path.name, 0, fault.message, REBUILD, "frictionless") for fault in report.errors]
    for task in report.tasks:
        for fault in task.errors:
            line = getattr(fault, "row_number", 0) or 0
            problems.append(Problem(str(task.place), line, fault.message, REBUILD, "frictionless"))
    return problems


def _is_checked(described: Mapping[str, Any]) -> bool:
    return "data" in described or (is_local_file(described) and file_format(described) != "parquet")


def main() -> None:
    """Read the path of a descriptor as a line of JSON and print the problems as JSON; unasked, say nothing."""
    if question := sys.stdin.readline():
        with contextlib.redirect_stdout(sys.stderr):
            problems = check_with_frictionless(Path(json.loads(question)))
        sys.stdout.write(as_json(problems))


if __name__ == "__main__":
    main()
