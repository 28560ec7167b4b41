"""The end of a process in the middle of its work, for tests of what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


class Killed(BaseException):
    """Stands for the end of the process."""


def moving(until: int) -> Callable[[Path, Path], None]:
    """Return a move of files that ends the process when it has moved so many."""
    moves = 0

    def replace(source: Path, target: Path) -> None:
        nonlocal moves
        if moves == until:
            raise Killed
        moves += 1
        source.replace(target)

    return replace
