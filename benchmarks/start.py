"""Measure what a user waits for: help, import, a whole build; each against a peer in the same run.

Run: .venv/bin/python benchmarks/start.py > benchmarks/start.md
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUNS = 9
PYTHON = sys.executable
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
        "iskp build, everything",
        [PYTHON, "-m", "iskp", "build", "--quiet"],
        "import pandas, pandera.pandas, frictionless",
        [PYTHON, "-c", "import pandas, pandera.pandas, frictionless"],
        "under 3 × for the five documents",
    ),
]


def seconds(command: list[str]) -> float:
    """Return the wall time of one whole process."""
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the report as Markdown."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("pandas", "pyarrow", "pandera", "frictionless", "click")
    )
    print("# What a user waits for\n")
    print("Made by `.venv/bin/python benchmarks/start.py > benchmarks/start.md`: whole processes in turn, one warm-up,")
    print(f"medians of {RUNS}, ratios pair by pair. Python {platform.python_version()}, {packages}, 2 cores.\n")
    print("| what | median s | peer | median s | ratio (median) | wanted |")
    print("|---|---:|---|---:|---:|---|")
    for what, command, peer, other, wanted in PAIRS:
        seconds(command), seconds(other)
        pairs = [(seconds(command), seconds(other)) for _ in range(RUNS)]
        ours = statistics.median(a for a, _ in pairs)
        theirs = statistics.median(b for _, b in pairs)
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"| {what} | {ours:.2f} | {peer} | {theirs:.2f} | {ratio:.2f} | {wanted} |")


if __name__ == "__main__":
    main()
