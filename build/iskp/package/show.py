"""Showing a difference: as text for a terminal, JSON lines, CSV, or one HTML page that needs nothing else."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator

from iskp.package.change_table import CHANGE_SCHEMA
from iskp.package.changes import summary_lines, write_changes
from iskp.package.diff import Diff

COLOURS = {"add": "green", "remove": "red", "rename": "magenta", "change": "yellow"}
LIMIT = 2000
"""How many rows and cells an HTML page shows of one table; the change table has all."""


Row = dict[str, str | None]
SHOWN_FIRST = ("rename", "change", "remove", "add")


def _shown(diff: Diff) -> dict[str, list[Row]]:
    """Return what to show of each table: changed cells first, and each new or removed row in one line."""
    tables: dict[str, list[Row]] = {}
    for row in diff.changes.to_pylist():
        shown = tables.setdefault(str(row["table"]), [])
        last = shown[-1] if shown else None
        if row["op"] in {"add", "remove"}:
            value = f"{row['field']}: {row['new' if row['op'] == 'add' else 'old']}"
            if last is not None and (last["op"], last["record_id"]) == (row["op"], row["record_id"]):
                last["new"] = f"{last['new']} · {value}"
                continue
            shown.append({**row, "field": "", "old": None, "new": value})
        else:
            shown.append(row)
    for shown in tables.values():
        shown.sort(key=lambda row: SHOWN_FIRST.index(str(row["op"])) if row["op"] in SHOWN_FIRST else -1)
    return tables


def as_text(diff: Diff, limit: int) -> Iterator[tuple[str, str | None]]:
    """Yield lines with their colour: the summary, then rows and cells up to a limit per table."""
    for line in summary_lines(diff):
        yield line, None
    for table, rows in _shown(diff).items():
        lines = [row for row in rows if row["op"] in COLOURS]
        if not lines:
            continue
        yield "", None
        yield table, "cyan"
        for row in lines[:limit]:
            field = f" {row['field']}" if row["field"] else ""
            yield f"  {_sign(str(row['op']))} {row['record_id']}{field}: {_values(row)}", COLOURS[str(row["op"])]
        if len(lines) > limit:
            yield f"  {len(lines) - limit:,} more; --limit shows more, --format csv all", None


def _sign(op: str) -> str:
    return {"add": "+", "remove": "-", "rename": ">", "change": "~"}[op]


def _values(row: Row) -> str:
    if row["op"] in {"add", "remove"}:
        return str(row["new"])
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
th:nth-child(1){width:24%}th:nth-child(2){width:16%}th:nth-child(4){width:20%}
td,th{border-bottom:1px solid #8884;padding:.3rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{position:sticky;top:0;background:Canvas}.add{background:#2a81}.remove{background:#c331}.change{background:#ca31}
.rename{background:#83c1}del{color:#c33;text-decoration:none}ins{color:#2a8;text-decoration:none}
input{font:inherit;padding:.3rem;width:100%;box-sizing:border-box}
@media(max-width:40rem){th:nth-child(4),td:nth-child(4){display:none}th:nth-child(1){width:30%}th:nth-child(2){width:22%}body{padding:.5rem;font-size:14px}}
"""
FILTER = """
document.querySelector('input').addEventListener('input',e=>{const q=e.target.value.toLowerCase();
document.querySelectorAll('tbody tr').forEach(r=>r.hidden=!r.textContent.toLowerCase().includes(q))});
"""


def as_html(diff: Diff) -> str:
    """Return a self-contained page: summary, a filter, and the changes of each table."""
    title = f"Changes from {html.escape(diff.old)} to {html.escape(diff.new)}"
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<style>{STYLE}</style><h1>{title}</h1><ul>",
        *(f"<li>{_linked(html.escape(line), diff)}</li>" for line in summary_lines(diff) or ["No change."]),
        '</ul><label>Filter <input type="search" placeholder="an id, a column, a value"></label>',
    ]
    # Small tables first: of a long one nobody reads past its end.
    for table, changes in sorted(_shown(diff).items(), key=lambda shown: len(shown[1])):
        parts.append(f'<h2 id="{html.escape(table)}">{html.escape(table)}</h2>')
        if len(changes) > LIMIT:
            parts.append(f"<p>The first {LIMIT:,} of {len(changes):,}; the change table has all.</p>")
        caused = any(row["cause"] for row in changes)
        parts.append(f"<table><thead><tr><th>record<th>column<th>change{'<th>cause' if caused else ''}</thead><tbody>")
        parts += [_html_row(row, caused=caused) for row in changes[:LIMIT]]
        parts.append("</tbody></table>")
    return "".join([*parts, f"<script>{FILTER}</script></html>\n"])


def _linked(line: str, diff: Diff) -> str:
    """Return a line of the summary with a link to the table that it begins with."""
    table, colon, rest = line.partition(":")
    return f'<a href="#{table}">{table}</a>{colon}{rest}' if table in diff.tables else line


def _html_row(row: Row, *, caused: bool) -> str:
    cells = {name: html.escape(row[name] or "") for name in CHANGE_SCHEMA.names}
    old = f"<del>{cells['old']}</del>" if cells["old"] else ""
    kind = "del" if row["op"] == "remove" else "ins"
    new = f"<{kind}>{cells['new']}</{kind}>" if cells["new"] else ""
    arrow = " → " if row["op"] in {"change", "rename"} else " "
    what = f"{cells['op'].replace('_', ' ')}: {old}{arrow}{new}"
    record, column, cause = cells["record_id"], cells["field"], cells["cause"]
    last = f"<td>{cause}" if caused else ""
    return f'<tr class="{cells["op"]}"><td>{record}<td>{column}<td>{what}{last}'
