"""A problem: what is wrong, where, and what to do about it.

Both halves of the package report through this one type, so that a publisher reads one list, in one form,
whether the fault lies in a coding sheet, a table or a file of the package. Checks return problems and never
print; raising is a separate step, so that all problems of a run are seen together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

REBUILD = "build the package again; files of a package are never edited by hand"
"""What to do about a file of a package that is not what its descriptor says."""


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """One fault.

    ``file`` and ``line`` say where a person mends it (``line`` counts from 1; 0 when there is none to name);
    ``table``, ``key`` and ``column`` say which cell of the result is concerned, where one is.
    """

    file: str
    line: int
    what: str
    remedy: str
    rule: str
    table: str = ""
    key: str = ""
    column: str = ""
    value: str = ""

    def __str__(self) -> str:
        """Render as ``file:line: what; remedy``, as compilers do, so that editors can jump to it.

        >>> print(Problem("sources/x.yaml", 41, "unknown key 'plcae_id'", "write 'place_id'", "unknown_key"))
        sources/x.yaml:41: unknown key 'plcae_id'; write 'place_id' [unknown_key]
        """
        place = f"{self.file}:{self.line}" if self.line else self.file
        cell = "/".join(part for part in (self.table, self.key, self.column) if part)
        head = f"{place}: {cell}: " if cell else f"{place}: "
        return f"{head}{self.what}; {self.remedy} [{self.rule}]"


class ProblemsFound(Exception):
    """Raised where work cannot go on; carries every problem found so far, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))


def raise_if_any(problems: Iterable[Problem]) -> None:
    """Raise :class:`ProblemsFound` when there is at least one problem."""
    found = tuple(problems)
    if found:
        raise ProblemsFound(found)


def as_json(problems: Iterable[Problem]) -> str:
    """Serialize problems as a JSON array, one object each, for editors and continuous integration."""
    return json.dumps([asdict(problem) for problem in problems], ensure_ascii=False, indent=2)
