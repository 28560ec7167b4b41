"""Files of a package: made in memory, written all or none.

A build never edits a package in place. It makes every file's bytes, stages those that changed in a folder beside the
package, writes a journal, and only then moves them in. Killed before the journal, the old package is whole; killed
after it, :func:`finish` (which every command that reads or writes a package calls first) completes the move, since
each step can be repeated. So at no time does a reader that starts with :func:`finish` see half of each.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

STAGING = ".staging"
JOURNAL = "journal.json"


def sha256(content: bytes) -> str:
    """Return the SHA-256 of some bytes as lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(
    root: Path,
    files: Mapping[PurePosixPath, bytes],
    owned: Callable[[PurePosixPath], bool],
    replace: Callable[[Path, Path], object] = os.replace,
) -> list[PurePosixPath]:
    """Make the files of ``root`` equal to ``files``, all of them or none; return the paths that changed, sorted.

    Existing files for which ``owned`` is true and that ``files`` does not hold are removed: what an earlier build
    made must not outlive the table that it was made from. ``replace`` moves one file and is a parameter only so
    that tests can stop it at any step.
    """
    finish(root, replace)
    changed = [path for path, content in files.items() if not _holds(root / path, content)]
    existing = (PurePosixPath(p.relative_to(root).as_posix()) for p in root.glob("data/*") if p.is_file())
    gone = [path for path in existing if owned(path) and path not in files]
    if not changed and not gone:
        return []
    staging = root / STAGING
    staging.mkdir()
    for path in changed:
        target = staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(files[path])
        _sync(target)
    journal = json.dumps({"move": [str(p) for p in sorted(changed)], "remove": [str(p) for p in sorted(gone)]})
    draft = staging / f"{JOURNAL}.draft"
    draft.write_text(journal, encoding="utf-8")
    _sync(draft)
    replace(draft, staging / JOURNAL)
    _sync(staging)
    finish(root, replace)
    return sorted([*changed, *gone])


def finish(root: Path, replace: Callable[[Path, Path], object] = os.replace) -> None:
    """Complete a move that was cut off after its journal was written, or sweep away one that never got so far."""
    staging = root / STAGING
    if not staging.exists():
        return
    if (staging / JOURNAL).exists():
        journal = json.loads((staging / JOURNAL).read_text(encoding="utf-8"))
        for name in journal["move"]:
            if (staging / name).exists():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                replace(staging / name, root / name)
        for name in journal["remove"]:
            (root / name).unlink(missing_ok=True)
    shutil.rmtree(staging)


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.stat().st_size == len(content) and path.read_bytes() == content
