"""Showing a difference: as text for a terminal, JSON lines, CSV, or one HTML page that needs nothing else."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator

from iskp.package.changes import summary_lines, write_changes
from iskp.package.diff import CHANGE_SCHEMA, Diff

COLOURS = {"add": "green", "remove": "red", "rename": "magenta", "change": "yellow"}
LIMIT = 2000
"""How many cells an HTML page shows of one table; the change table has all."""


def as_text(diff: Diff, limit: int) -> Iterator[tuple[str, str | None]]:
    """Yield lines with their colour: the summary, then cells up to a limit per table."""
    for line in summary_lines(diff):
        yield line, None
    counts: dict[str, int] = {}
    for row in diff.changes.to_pylist():
        if row["op"] not in COLOURS:
            continue
        counts[row["table"]] = shown = counts.get(row["table"], 0) + 1
        if shown > limit:
            continue
        if shown == 1:
            yield "", None
            yield row["table"], "cyan"
        yield f"  {_sign(row['op'])} {row['record_id']} {row['field']}: {_values(row)}", COLOURS[row["op"]]
    for table, count in counts.items():
        if count > limit:
            yield f"{table}: {count - limit:,} cells more; --limit shows more, --format csv all", None


def _sign(op: str) -> str:
    return {"add": "+", "remove": "-", "rename": ">", "change": "~"}[op]


def _values(row: dict[str, str | None]) -> str:
    if row["op"] == "add":
        return str(row["new"])
    if row["op"] == "remove":
        return str(row["old"])
    return f"{'' if row['old'] is None else row['old']} → {'' if row['new'] is None else row['new']}"


def as_json_lines(diff: Diff) -> Iterator[str]:
    """Yield one JSON object per change."""
    for row in diff.changes.to_pylist():
        yield json.dumps(row, ensure_ascii=False)


def as_csv(diff: Diff) -> str:
    """Return the change table as CSV."""
    return write_changes(diff.changes).decode()


STYLE = """
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%;table-layout:fixed}
td,th{border-bottom:1px solid #8884;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{position:sticky;top:0;background:Canvas}.add{background:#2a81}.remove{background:#c331}.change{background:#ca31}
.rename{background:#83c1}del{color:#c33;text-decoration:none}ins{color:#2a8;text-decoration:none}
input{font:inherit;padding:.3rem;width:100%;box-sizing:border-box}
@media(max-width:40rem){th:nth-child(4),td:nth-child(4){display:none}body{padding:.5rem;font-size:14px}}
"""
FILTER = """
document.querySelector('input').addEventListener('input',e=>{const q=e.target.value.toLowerCase();
document.querySelectorAll('tbody tr').forEach(r=>r.hidden=!r.textContent.toLowerCase().includes(q))});
"""


def as_html(diff: Diff) -> str:
    """Return a self-contained page: summary, a filter, and the changes of each table."""
    rows: dict[str, list[dict[str, str | None]]] = {}
    for row in diff.changes.to_pylist():
        rows.setdefault(str(row["table"]), []).append(row)
    title = f"Changes from {html.escape(diff.old)} to {html.escape(diff.new)}"
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<style>{STYLE}</style><h1>{title}</h1><ul>",
        *(f"<li>{html.escape(line)}</li>" for line in summary_lines(diff) or ["No change."]),
        '</ul><label>Filter <input type="search" placeholder="an id, a column, a value"></label>',
    ]
    for table, changes in rows.items():
        parts.append(f"<h2>{html.escape(table)}</h2>")
        if len(changes) > LIMIT:
            parts.append(f"<p>The first {LIMIT:,} of {len(changes):,} cells; the change table has all.</p>")
        parts.append("<table><thead><tr><th>record<th>column<th>change<th>cause</thead><tbody>")
        parts += [_html_row(row) for row in changes[:LIMIT]]
        parts.append("</tbody></table>")
    return "".join([*parts, f"<script>{FILTER}</script></html>\n"])


def _html_row(row: dict[str, str | None]) -> str:
    cells = {name: html.escape(row[name] or "") for name in CHANGE_SCHEMA.names}
    old = f"<del>{cells['old']}</del>" if cells["old"] else ""
    new = f"<ins>{cells['new']}</ins>" if cells["new"] else ""
    arrow = " → " if row["op"] in {"change", "rename"} else " "
    what = f"{cells['op'].replace('_', ' ')}: {old}{arrow}{new}"
    record, column, cause = cells["record_id"], cells["field"], cells["cause"]
    return f'<tr class="{cells["op"]}"><td>{record}<td>{column}<td>{what}<td>{cause}'
