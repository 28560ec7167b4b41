"""The data dictionary ``data/README.md`` and the table in ``README.md``: made with every build, so never stale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from iskp.package.schema import FieldSchema, Schemas


def data_readme(schemas: Schemas, rows: Mapping[str, int]) -> bytes:
    """Describe every table and column as Markdown."""
    lines = [
        "# The tables",
        "",
        "Made by `iskp build`; never edited. Each table is a CSV file and a Parquet file with the same rows.",
        "The empty cell is the only missing value. *Derived* columns are computed from other cells; *editorial* ones",
        "are our own words or decisions; all others are facts with a claim in `claims`.",
        "",
        "| table | rows | what |",
        "|---|---:|---|",
    ]
    lines += [f"| [{name}](#{name}) | {rows[name]} | {schema.description} |" for name, schema in schemas.items()]
    for name, schema in schemas.items():
        lines += ["", f"## {name}", "", schema.description, "", f"Primary key: `{schema.key}`."]
        for foreign in schema.foreign_keys:
            target = f"`{foreign.reference.resource}.{foreign.reference.fields[0]}`"
            lines.append(f"`{foreign.fields[0]}` leads to {target}.")
        lines += ["", "| column | type | what | example |", "|---|---|---|---|"]
        lines += [_row(field) for field in schema.fields]
        for field in schema.fields:
            lines += _codes(field)
    return ("\n".join(lines) + "\n").encode()


TABLES_START, TABLES_END = "<!-- tables: written by the build -->\n", "<!-- end of tables -->"


def with_tables(readme: str, schemas: Schemas, rows: Mapping[str, int]) -> str:
    """Return a README with its list of tables brought up to date; without the markers, as it was."""
    before, start, rest = readme.partition(TABLES_START)
    _, end, after = rest.partition(TABLES_END)
    if not (start and end):
        return readme
    lines = ["", "| table | rows | what |", "|---|---:|---|"]
    lines += [f"| `{name}` | {rows[name]:,} | {schema.description} |" for name, schema in schemas.items()]
    return before + start + "\n".join([*lines, "", ""]) + end + after


def _row(field: FieldSchema) -> str:
    marks = [mark for mark, holds in (("derived", field.derived), ("editorial", field.editorial)) if holds]
    marks += ["required"] if field.constraints.required else []
    kind = ", ".join([field.type, *marks])
    mapped = "; ".join(f"{dataset}: `{name}`" for dataset, name in field.mapping.items())
    text = field.description + (f" ({mapped})" if mapped else "")
    return f"| `{field.name}` | {kind} | {text} | `{field.example}` |"


def _codes(field: FieldSchema) -> Iterator[str]:
    if field.categories is None:
        return
    yield from ("", f"Codes of `{field.name}`:", "")
    for category in field.categories:
        yield f"- `{category.value}`: {category.description}"
