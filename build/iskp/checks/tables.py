"""Checks of tables: each column by pandera, then named rules across columns, rows and tables.

Every rule is a function that takes frames and returns problems. The places where the cells were coded are found
through the claims, so that a publisher is sent to a line of a sheet and not to a row of a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import pandas as pd
from pandera.errors import SchemaErrors

from iskp.coding.claims import Claim
from iskp.package.schema import Schemas
from iskp.package.types import pandera_schema
from iskp.problem import Problem

Frames = Mapping[str, pd.DataFrame]
Fault = tuple[str, str, str, str]
"""Record id, column, what is wrong, and what to do."""


class Origins:
    """Where cells were coded: file and line by table, record and field."""

    def __init__(self, claims: Iterable[Claim]) -> None:
        self._places: dict[tuple[str, str, str], tuple[str, int]] = {}
        for claim in claims:
            if claim.file:
                for cell in (claim.cell, (claim.table_name, claim.record_id, "")):
                    self._places.setdefault(cell, (claim.file, claim.line))

    def problem(self, table: str, fault: Fault, rule: str, value: str = "") -> Problem:
        """Return a problem at the place where the cell was coded, else the record, else the table."""
        record_id, column, what, remedy = fault
        file, line = self._places.get(
            (table, record_id, column), self._places.get((table, record_id, ""), (f"table {table}", 0))
        )
        return Problem(file, line, what, remedy, rule, table, record_id, column, value)


def check_columns(frames: Frames, schemas: Schemas, origins: Origins) -> Iterator[Problem]:
    """Check every column against its schema: type, required, codes, pattern, range, uniqueness, clean text."""
    for table, frame in frames.items():
        try:
            pandera_schema(schemas[table]).validate(frame, lazy=True)
        except SchemaErrors as errors:
            key = schemas[table].key
            for case in errors.failure_cases.to_dict("records"):
                position = case["index"]
                record_id = "" if pd.isna(position) else str(frame.iloc[int(position)][key])
                column, check = str(case["column"]), str(case["check"])
                what = f"the value {case['failure_case']!r} fails the check {check}"
                remedy = f"see {column!r} in schemas/{table}.json"
                yield origins.problem(
                    table, (record_id, column, what, remedy), f"column_{check}", str(case["failure_case"])
                )


def bounds_in_order(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """Low ≤ best ≤ high, wherever a table has such columns."""
    for table, frame in frames.items():
        for stem in ("", "killed_", "wounded_"):
            columns = [f"{stem}{name}" for name in ("low", "best", "high")]
            if not set(columns) <= set(frame.columns):
                continue
            for left, right in ((0, 1), (1, 2), (0, 2)):
                wrong = (frame[columns[left]] > frame[columns[right]]).fillna(False)
                for row in frame[wrong].to_dict("records"):
                    what = f"{columns[left]} {row[columns[left]]} is above {columns[right]} {row[columns[right]]}"
                    yield table, (str(row[schemas[table].key]), columns[left], what, "mend the figure or its qualifier")


def dates_in_order(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """A start is never after its end, and what ends has not begun later."""
    for table, frame in frames.items():
        stems = [column.removesuffix("_start") for column in frame.columns if column.endswith("_start")]
        pairs = [(f"{stem}_start", f"{stem}_end") for stem in stems]
        pairs += [("began_start", "ended_end"), ("founded_start", "dissolved_end")]
        for start, end in pairs:
            if not {start, end} <= set(frame.columns):
                continue
            wrong = (frame[start] > frame[end]).fillna(False)
            for row in frame[wrong].to_dict("records"):
                what = f"{start} {row[start]} is after {end} {row[end]}"
                yield table, (str(row[schemas[table].key]), start, what, "mend one of the dates")


def foreign_keys(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """Every reference leads to a row."""
    for table, frame in frames.items():
        for key in schemas[table].foreign_keys:
            column, target = key.fields[0], key.reference
            known = set(frames[target.resource][target.fields[0]])
            for row in frame[~frame[column].isin(known) & frame[column].notna()].to_dict("records"):
                what = f"{row[column]!r} is no row of {target.resource}"
                yield table, (str(row[schemas[table].key]), column, what, "mend the reference")


def unique_keys(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """No two rows share a unique key."""
    for table, frame in frames.items():
        for key in schemas[table].unique_keys:
            for row in frame[frame.duplicated(list(key))].to_dict("records"):
                what = f"another row has the same {', '.join(key)}"
                yield table, (str(row[schemas[table].key]), key[0], what, "merge the rows, or mend one")


def parts_within_totals(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """The best figure of a class of victims never exceeds that of all."""
    counts = frames["event_counts"]
    totals = counts[counts["victim_class"] == "all"].set_index(["event_id", "measure"])["best"]
    for row in counts[counts["victim_class"] != "all"].to_dict("records"):
        total = totals.get((row["event_id"], row["measure"]))
        if total is not None and not pd.isna(total) and not pd.isna(row["best"]) and row["best"] > total:
            what = f"{row['best']} of {row['victim_class']}, but {total} of all"
            yield "event_counts", (str(row["event_count_id"]), "best", what, "mend one of the figures")


def aggregates_have_no_single_toll(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """A toll that an estimate takes from an event is that of an aggregate: cumulative tolls are no single events."""
    aggregate = frames["events"].set_index("event_id")["is_aggregate"]
    for row in frames["estimates"].dropna(subset=["event_id"]).to_dict("records"):
        if not bool(aggregate.get(row["event_id"], True)):
            what = f"{row['event_id']} is the event of an estimate, but no aggregate"
            yield "estimates", (str(row["estimate_id"]), "event_id", what, "code is_aggregate, or drop the link")


def perpetrators_are_actors(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """An attribution to somebody needs somebody to whom it is made."""
    named = frames["events"]["attribution"].isin(["claimed", "attributed", "claimed_and_attributed"])
    roles = frames["event_actors"]
    acting = set(roles[roles["role"].isin(["perpetrator", "claimant", "participant"])]["event_id"])
    for row in frames["events"][named].to_dict("records"):
        if row["event_id"] not in acting:
            what = f"attribution is {row['attribution']}, but nobody is perpetrator, claimant or participant"
            yield "events", (str(row["event_id"]), "attribution", what, "code the actor, or mend the attribution")


def listed_names_are_names(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """The acronym under which we list an organization is one that a source uses."""
    names = set(zip(frames["organization_names"]["org_id"], frames["organization_names"]["name"], strict=True))
    for row in frames["organizations"].dropna(subset=["acronym"]).to_dict("records"):
        if (row["org_id"], row["acronym"]) not in names:
            what = f"no coded source uses the acronym {row['acronym']!r}"
            yield "organizations", (str(row["org_id"]), "acronym", what, "take one that a source uses, or none")


def mutual_relations_once(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """A relation that holds both ways stands once, whichever way: two rows would count one fight twice."""
    relations = frames["organization_relations"]
    mutual = relations[relations["relation"].isin(["fights", "allied_with"])]
    pairs = set(zip(mutual["org_id"], mutual["relation"], mutual["related_org_id"], strict=True))
    for row in mutual.to_dict("records"):
        turned = (row["related_org_id"], row["relation"], row["org_id"])
        if turned in pairs and row["org_id"] > row["related_org_id"]:
            what = f"{row['related_org_id']} {row['relation']} {row['org_id']} stands already"
            key = str(row["organization_relation_id"])
            yield "organization_relations", (key, "relation", what, "code it under the other organization")


def points_in_country(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """A place that has coordinates has both, and a country."""
    for row in frames["places"].to_dict("records"):
        if pd.isna(row["latitude"]) != pd.isna(row["longitude"]):
            yield "places", (str(row["place_id"]), "latitude", "only one of two coordinates", "code both")
        elif not pd.isna(row["latitude"]) and pd.isna(row["country_code"]):
            yield "places", (str(row["place_id"]), "country_code", "coordinates without a country", "code the country")


def claims_cover_cells(frames: Frames, schemas: Schemas) -> Iterator[tuple[str, Fault]]:
    """Every cell that is neither empty nor derived has an accepted claim."""
    claims = frames["claims"]
    accepted = claims[claims["status"] == "accepted"]
    covered = set(zip(accepted["table_name"], accepted["record_id"], accepted["field"], strict=True))
    for table, frame in frames.items():
        if table == "claims":
            continue
        key = schemas[table].key
        for field in schemas[table].fields:
            if field.derived:
                continue
            for record_id in frame[frame[field.name].notna()][key]:
                if (table, record_id, field.name) not in covered:
                    yield table, (str(record_id), field.name, "no accepted claim backs the cell", "code its source")


Rule = Callable[[Frames, Schemas], Iterator[tuple[str, Fault]]]
RULES: Sequence[Rule] = (
    bounds_in_order,
    dates_in_order,
    foreign_keys,
    unique_keys,
    parts_within_totals,
    aggregates_have_no_single_toll,
    perpetrators_are_actors,
    listed_names_are_names,
    mutual_relations_once,
    points_in_country,
    claims_cover_cells,
)


def check_tables(frames: Frames, schemas: Schemas, claims: Iterable[Claim]) -> list[Problem]:
    """Run every check on all tables, and return all problems."""
    origins = Origins(claims)
    problems = list(check_columns(frames, schemas, origins))
    for rule in RULES:
        problems += [origins.problem(table, fault, rule.__name__) for table, fault in rule(frames, schemas)]
    return problems
