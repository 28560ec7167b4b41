"""A folder of releases: which there are, and what one holds."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from packaging.version import Version

DIST = "dist"
"""Name of the folder, below that of the package."""


def archived_descriptor(release: Path) -> dict[str, Any] | None:
    """Return the descriptor in the zip of a release's folder; ``None`` where there is no such release."""
    for path in sorted(release.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            content: dict[str, Any] = json.loads(archive.read("datapackage.json"))
            return content
    return None


def released_versions(dist: Path) -> list[str]:
    """Return the versions in a folder of releases, oldest first."""
    found = [path.name.removeprefix("v") for path in dist.glob("v*") if any(path.glob("*.zip"))]
    return sorted(found, key=Version)
