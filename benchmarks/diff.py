"""Measure the difference of two versions of a large table against peers in the same run.

Run: .venv/bin/python benchmarks/diff.py > benchmarks/diff.md      (add --large for 10 million rows, --daff for daff on 0.1 million)

Each figure is of a whole process: wall seconds and peak memory. ``daff`` is no dependency; install it to compare.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import duckdb

PYTHON = sys.executable
COLUMNS = [f"c{i:02d}" for i in range(29)]
RUNS = 5


def expression(position: int, salt: str) -> str:
    """Return the SQL of one column: texts, integers, floats, dates and booleans in turn, some missing."""
    seed = f"hash(i, {position}{salt})"
    kinds = [
        f"'name ' || ({seed} % 5000)",
        f"({seed} % 1000000)::BIGINT",
        f"({seed} % 1000000) / 97.0",
        f"DATE '2000-01-01' + ({seed} % 9000)::INTEGER",
        f"({seed} % 2) = 0",
    ]
    return f"CASE WHEN {seed} % 20 = 0 THEN NULL ELSE {kinds[position % 5]} END"


TYPES = ["string", "integer", "number", "date", "boolean"]


def make(folder: Path, rows: int, *, new: bool, form: str) -> None:
    """Write one version: in the new one 1 % of rows are changed in one column, 1 % gone and 1 % added."""
    folder.mkdir(parents=True)
    first, last = (rows // 100, rows + rows // 100) if new else (0, rows)
    columns = [expression(i, "") for i in range(29)]
    if new:
        columns[3] = f"CASE WHEN i % 100 = 7 THEN DATE '1999-09-09' ELSE {columns[3]} END"
    selected = ", ".join(f"{column} AS {name}" for name, column in zip(COLUMNS, columns, strict=True))
    path = folder / f"t.{form}"
    options = "FORMAT parquet, COMPRESSION zstd" if form == "parquet" else "FORMAT csv, HEADER"
    query = f"SELECT 'id' || lpad(i::VARCHAR, 9, '0') AS id, {selected} FROM range({first}, {last}) r(i)"
    duckdb.sql(f"COPY ({query}) TO '{path}' ({options})")
    fields = [{"name": "id", "type": "string"}]
    fields += [{"name": name, "type": TYPES[i % 5]} for i, name in enumerate(COLUMNS)]
    resource = {"name": "t", "path": path.name, "format": form, "schema": {"fields": fields, "primaryKey": ["id"]}}
    (folder / "datapackage.json").write_text(json.dumps({"resources": [resource]}), encoding="utf-8")


OURS = """
import sys
from iskp.package.opening import open_package
from iskp.package.diff import diff_packages
with open_package(sys.argv[1]) as old, open_package(sys.argv[2]) as new:
    print(diff_packages(old, new).tables["t"])
"""
FULL_JOIN = """
import sys, duckdb
columns = [f"c{i:02d}" for i in range(29)]
same = " OR ".join(f"o.{c} IS DISTINCT FROM n.{c}" for c in columns)
cells = ", ".join(f"o.{c} AS old_{c}, n.{c} AS new_{c}" for c in columns)
print(duckdb.sql(f"SELECT coalesce(o.id, n.id) AS id, {cells} FROM read_parquet('{sys.argv[1]}/t.parquet') o "
    f"FULL OUTER JOIN read_parquet('{sys.argv[2]}/t.parquet') n ON o.id = n.id "
    f"WHERE o.id IS NULL OR n.id IS NULL OR {same}").to_arrow_table().num_rows)
"""
TYPED_PARSE = """
import sys, pyarrow as pa, pyarrow.csv
kinds = [pa.string(), pa.int64(), pa.float64(), pa.date32(), pa.bool_()]
types = {"id": pa.string(), **{f"c{i:02d}": kinds[i % 5] for i in range(29)}}
for folder in sys.argv[1:3]:
    print(pyarrow.csv.read_csv(f"{folder}/t.csv", convert_options=pyarrow.csv.ConvertOptions(column_types=types)).num_rows)
"""
DAFF = "import sys, daff; sys.argv = ['daff', sys.argv[1] + '/t.csv', sys.argv[2] + '/t.csv']; daff.main()"


def run(code: str, old: Path, new: Path) -> tuple[float, float]:
    """Run a program on two versions; return wall seconds and peak megabytes."""
    start = time.perf_counter()
    process = subprocess.Popen([PYTHON, "-c", code, str(old), str(new)], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"a program failed: {code[:60]}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def compare(what: str, code: str, peer: str, other: str, folders: tuple[Path, Path], runs: int = RUNS) -> None:
    """Print a row: medians of both in turn, and the median of their ratios."""
    if runs > 1:
        run(code, *folders), run(other, *folders)
    pairs = [(run(code, *folders), run(other, *folders)) for _ in range(runs)]
    (ours, memory), (theirs, other_memory) = (
        (statistics.median(p[side][0] for p in pairs), statistics.median(p[side][1] for p in pairs)) for side in (0, 1)
    )
    ratio = statistics.median(a[0] / b[0] for a, b in pairs)
    print(
        f"| {what} | {ours:.2f} | {memory:,.0f} | {peer} | {theirs:.2f} | {other_memory:,.0f} | {ratio:.2f} |",
        flush=True,
    )


def main() -> None:
    """Print the report as Markdown."""
    print("# The difference of two versions\n")
    print(
        f"Made by `.venv/bin/python benchmarks/diff.py {' '.join(sys.argv[1:])}`: 30 columns, 1 % of rows changed, added"
    )
    print(
        f"and removed each; whole processes in turn, medians of {RUNS} after a warm-up. Python {platform.python_version()},"
    )
    print(f"duckdb {version('duckdb')}, pyarrow {version('pyarrow')}, 2 cores.\n")
    print("| what | s | MB | peer | s | MB | ratio |")
    print("|---|---:|---:|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        for form in ("parquet", "csv"):
            for side in ("old", "new"):
                make(top / form / side, 1_000_000, new=side == "new", form=form)
        parquet, csv = ((top / form / "old", top / form / "new") for form in ("parquet", "csv"))
        compare("Parquet, 1 M rows", OURS, "DuckDB full join, every field", FULL_JOIN, parquet)
        compare("CSV, 1 M rows", OURS, "typed parse of both files, pyarrow", TYPED_PARSE, csv)
        if "--daff" in sys.argv:
            for side in ("old", "new"):
                make(top / "small" / side, 100_000, new=side == "new", form="csv")
            compare("CSV, 0.1 M rows", OURS, "daff", DAFF, (top / "small" / "old", top / "small" / "new"), runs=1)
        if "--large" in sys.argv:
            for side in ("old", "new"):
                make(top / "large" / side, 10_000_000, new=side == "new", form="parquet")
            large = top / "large" / "old", top / "large" / "new"
            compare("Parquet, 10 M rows", OURS, "DuckDB full join, every field", FULL_JOIN, large, runs=1)


if __name__ == "__main__":
    main()
