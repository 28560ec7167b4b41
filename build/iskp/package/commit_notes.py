"""Causes of changes from the notes of the commits that made them, as git trailers.

A commit message may end with lines such as::

    Cause: the second edition of the list
    Cause: (designations, united-states-us-fto-iskp, status) revoked by the notice of 8 July

What stands in brackets says what the cause is for: table, record and field, as in a file of causes; what is left out
means all. Read are the commits since the last release, oldest first, so that a later note stands over an earlier one.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

SCOPED = re.compile(r"(?:\((?P<scope>[^)]*)\)\s*)?(?P<cause>[^(\s].*)")
COLUMNS = ("table", "record_id", "field")


def commit_causes(root: Path, release: str) -> list[dict[str, str]]:
    """Return the causes noted since the commit that added a release's folder; none outside a git checkout.

    Raises:
        ValueError: if a note has more in its brackets than table, record and field.
    """
    since = _git(root, "log", "--max-count=1", "--diff-filter=A", "--format=%H", "--", release).strip()
    if not since:
        return []
    notes = _git(root, "log", "--reverse", "--format=%(trailers:key=Cause,valueonly,unfold)", f"{since}..HEAD")
    return [_cause(line) for line in notes.splitlines() if line.strip()]


def _cause(note: str) -> dict[str, str]:
    matched = SCOPED.fullmatch(note.strip())
    if matched is None:
        raise ValueError(f"the commit note 'Cause: {note}' gives no cause; write it after the brackets")
    scope = [part.strip() for part in (matched["scope"] or "").split(",")]
    if len(scope) > len(COLUMNS):
        raise ValueError(f"the commit note 'Cause: {note}' has more in its brackets than table, record and field")
    return {**dict.fromkeys(COLUMNS, ""), **dict(zip(COLUMNS, scope, strict=False)), "cause": matched["cause"]}


def _git(root: Path, *arguments: str) -> str:
    """Return what git says, and nothing where there is no git or no checkout."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout
