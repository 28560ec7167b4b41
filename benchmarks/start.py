"""Measure what a user waits for: help, import, a whole build; each against a peer in the same run.

Run: .venv/bin/python benchmarks/start.py > benchmarks/start.md
"""

from __future__ import annotations

import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNS = 9
PYTHON = sys.executable
FIVE_DOCUMENTS = "78325c4"
"""The last commit at which the five documents, and the lists they need, were all that was coded."""
IMPORTS = [PYTHON, "-c", "import pandas, pandera.pandas, frictionless"]
BUILD = [PYTHON, "-m", "iskp", "build", "--quiet", "--texts", str(ROOT.parent / "shared" / "sources")]
PAIRS = [
    ("iskp --help", [PYTHON, "-m", "iskp", "--help"], "python -c pass", [PYTHON, "-c", "pass"], "under 0.2 s"),
    ("import iskp", [PYTHON, "-c", "import iskp"], "import pandas", [PYTHON, "-c", "import pandas"], "≤ 1.1 ×"),
    (
        "import iskp, and load events",
        [PYTHON, "-c", "import iskp; iskp.load('events')"],
        "import pandas, and read_parquet",
        [PYTHON, "-c", "import pandas; pandas.read_parquet('data/events.parquet')"],
        "",
    ),
    (
        "iskp build, five documents",
        [*BUILD, "--root", "{five}"],
        "import pandas, pandera.pandas, frictionless",
        IMPORTS,
        "under 3 ×",
    ),
    ("iskp build, everything", BUILD, "import pandas, pandera.pandas, frictionless", IMPORTS, ""),
]


def seconds(command: list[str]) -> float:
    """Return the wall time of one whole process."""
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def five_documents(folder: Path) -> None:
    """Put sheets and registry of the five documents into a folder, with the schemas of today, which only grew."""
    archive = subprocess.run(
        ["git", "archive", FIVE_DOCUMENTS, "sources", "registry"], cwd=ROOT, check=True, capture_output=True
    )
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    pair = "pairs:\n  - {events: [ev0051, ev0052], reason: settled at a later commit}\n"
    (folder / "registry" / "pairs.yaml").write_text(pair, encoding="utf-8")


def main() -> None:
    """Print the report as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        five_documents(Path(folder))
        report(folder)


def report(five: str) -> None:
    """Time every pair in turn and print the table; ``five`` is the folder of the five documents."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("pandas", "pyarrow", "pandera", "frictionless", "click")
    )
    print("# What a user waits for\n")
    print("Made by `.venv/bin/python benchmarks/start.py > benchmarks/start.md`: whole processes in turn, one warm-up,")
    print(f"medians of {RUNS}, ratios pair by pair. Python {platform.python_version()}, {packages}, 2 cores.\n")
    print("| what | median s | peer | median s | ratio (median) | wanted |")
    print("|---|---:|---|---:|---:|---|")
    for what, template, peer, other, wanted in PAIRS:
        command = [five if part == "{five}" else part for part in template]
        seconds(command), seconds(other)
        pairs = [(seconds(command), seconds(other)) for _ in range(RUNS)]
        ours = statistics.median(a for a, _ in pairs)
        theirs = statistics.median(b for _, b in pairs)
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"| {what} | {ours:.2f} | {peer} | {theirs:.2f} | {ratio:.2f} | {wanted} |")


if __name__ == "__main__":
    main()
