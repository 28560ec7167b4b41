"""The lines of two large CSV files that differ: a row whose whole line stands in both versions needs no parsing.

To take a line as it is costs half of taking it apart. Only where no row goes over several lines, of course: that is
so where quotes come in pairs in every line.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from iskp.package.table_file import TableFile, literal

NO_SEPARATOR = "\x01"
"""What stands in no line, so that each is one cell."""
PIECE = 1 << 20


def differing_lines(
    connection: duckdb.DuckDBPyConnection, old: TableFile, new: TableFile, folder: Path
) -> tuple[TableFile, TableFile] | None:
    """Return both versions with only the lines that the other has not, or ``None`` where lines are not rows.

    Lines are told apart by their 64-bit hashes. The lines are written to ``folder``.
    """
    try:
        if any(_goes_over_lines(connection, side) for side in (old, new)):
            return None
        connection.execute(
            "CREATE OR REPLACE TABLE other_lines AS SELECT o.digest, n.line FROM "
            f"(SELECT line, hash(line) AS digest FROM {_lines(new)}) n FULL OUTER JOIN "
            f"(SELECT hash(line) AS digest FROM {_lines(old)}) o ON o.digest = n.digest "
            "WHERE o.digest IS NULL OR n.digest IS NULL"
        )
    except duckdb.InvalidInputException:
        return None
    own = f"{_lines(old)} WHERE hash(line) IN (SELECT digest FROM other_lines WHERE digest IS NOT NULL)"
    for name, lines in (("old", own), ("new", "other_lines WHERE digest IS NULL")):
        connection.execute(
            f"COPY (SELECT line FROM {lines}) TO {literal(str(folder / f'{name}.csv'))} "
            f"(FORMAT csv, HEADER false, DELIMITER '{NO_SEPARATOR}', QUOTE '', ESCAPE '')"
        )
    connection.execute("DROP TABLE other_lines")
    return (
        TableFile(old.package, old.resource, folder / "old.csv"),
        TableFile(new.package, new.resource, folder / "new.csv"),
    )


def _lines(side: TableFile) -> str:
    return (
        f"read_csv({literal(side.path)}, header = true, auto_detect = false, delim = '{NO_SEPARATOR}', quote = '', "
        f"escape = '', encoding = {literal(side.encoding)}, columns = {{'line': 'VARCHAR'}})"
    )


def _goes_over_lines(connection: duckdb.DuckDBPyConnection, side: TableFile) -> bool:
    with Path(side.path).open("rb") as file:
        quote = side.dialect["quote"].encode()
        if not any(quote in piece for piece in iter(lambda: file.read(PIECE), b"")):
            return False
    odd = f"(length(line) - length(replace(line, {literal(side.dialect['quote'])}, ''))) % 2 = 1"
    return connection.execute(f"SELECT 1 FROM {_lines(side)} WHERE {odd} LIMIT 1").fetchone() is not None
