"""Verify a release: its checksums, and every file in its zip against the descriptor. Needs nothing but Python.

Usage: python verify.py [FOLDER]     (the folder of the release; by default the one of this file)
"""

import hashlib
import json
import sys
import zipfile
from pathlib import Path


def problems_of(folder: Path) -> list[str]:
    """Return what is wrong with the release in a folder; nothing if it is good."""
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        return [f"{sums} is missing"]
    problems = []
    for line in sums.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            problems.append(f"{name} has another SHA-256 than SHA256SUMS says")
        elif name.endswith(".zip"):
            problems += problems_of_zip(path)
    return problems


def problems_of_zip(path: Path) -> list[str]:
    """Return what is wrong with the package in a zip."""
    problems = []
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "datapackage.json" not in names:
            return [f"{path.name}: no datapackage.json in it"]
        descriptor = json.loads(archive.read("datapackage.json"))
        for resource in descriptor["resources"]:
            name = resource["path"]
            if name not in names:
                problems.append(f"{path.name}: {name} is missing")
                continue
            content = archive.read(name)
            if len(content) != resource["bytes"]:
                problems.append(f"{path.name}: {name} has {len(content)} bytes, not {resource['bytes']}")
            if f"sha256:{hashlib.sha256(content).hexdigest()}" != resource["hash"]:
                problems.append(f"{path.name}: {name} has another SHA-256 than the descriptor says")
    return problems


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    problems = problems_of(folder)
    sys.stdout.write("".join(f"{problem}\n" for problem in problems) or "good\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
