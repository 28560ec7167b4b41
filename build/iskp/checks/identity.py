"""Identity: every id that is used is known, every id that was published is live or retired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from iskp.coding.claims import EDITORS, Claim
from iskp.coding.registry import Registry
from iskp.coding.sheet import closest
from iskp.package.schema import Schemas
from iskp.problem import Problem
from iskp.reconcile.records import Records

DECIDED = ("events", "organizations", "places", "authorities")


def check_known(claims: Iterable[Claim], registry: Registry) -> Iterator[Problem]:
    """Check that sheets code only records whose identity the registry decides."""
    reported: set[tuple[str, str, str]] = set()
    for claim in claims:
        if claim.table_name not in DECIDED or claim.source_id == EDITORS:
            continue
        known = registry.known(claim.table_name)
        if claim.record_id not in known and (seen := (claim.file, claim.table_name, claim.record_id)) not in reported:
            reported.add(seen)
            what = f"{claim.record_id!r} is not in registry/{claim.table_name}.yaml"
            yield claim.problem(what, closest(claim.record_id, list(known)), "unknown_record")


def check_references(claims: Iterable[Claim], records: Records, schemas: Schemas) -> Iterator[Problem]:
    """Check that every value that names a record of another table names one that exists."""
    targets = {
        (schema.name, key.fields[0]): key.reference.resource
        for schema in schemas.values()
        for key in schema.foreign_keys
    }
    for claim in claims:
        target = targets.get((claim.table_name, claim.field))
        if target is not None and claim.value is not None and claim.value not in records.get(target, {}):
            what = f"{claim.value!r} is no record of {target}"
            yield claim.problem(what, closest(claim.value, list(records.get(target, {}))), "dangling_reference")
        speaker = claim.asserted_by_id
        if speaker is not None and speaker not in records.get("organizations", {}):
            what = f"asserted_by_id {speaker!r} is no organization"
            yield claim.problem(what, closest(speaker, list(records.get("organizations", {}))), "dangling_reference")


def check_used(records: Records, claims: Iterable[Claim], registry: Registry) -> Iterator[Problem]:
    """Check that no source is asked for a record that the registry has and no sheet codes."""
    coded = {(claim.table_name, claim.record_id) for claim in claims if claim.source_id != EDITORS}
    coded |= {("places", row["parent_id"]) for row in records.get("places", {}).values() if "parent_id" in row}
    coded |= {("places", claim.value or "") for claim in claims if claim.field == "place_id"}
    for table in ("events", "organizations", "places"):
        file = registry.files[table]
        for record_id in registry.known(table):
            if (table, record_id) not in coded:
                line = file.line((table, record_id))
                remedy = "code it, or take it out (an id that was published goes to retired.yaml)"
                yield Problem(
                    file.name, line, f"no sheet codes {record_id!r}", remedy, "unused_record", table, record_id
                )


def check_vanished(records: Records, published: Mapping[str, Iterable[str]], registry: Registry) -> Iterator[Problem]:
    """Check that every id of the package as it stands on disk is still there, or retired.

    Names of records are promises to everyone who cited one: an id may end, but not without a word on where it went.
    """
    retired = {(entry.table, entry.id) for entry in registry.retired}
    file = registry.files["retired"]
    for table, ids in published.items():
        for record_id in ids:
            if record_id not in records.get(table, {}) and (table, record_id) not in retired:
                what = f"the id {record_id!r} of {table} was published and has vanished"
                remedy = (
                    f"restore it, or add to {file.name}: {{id: {record_id}, table: {table}, into: [...], reason: ...}}"
                )
                yield Problem(file.name, 1, what, remedy, "vanished_id", table, record_id)
    for index, entry in enumerate(registry.retired):
        line = file.line(("retired", index))
        if entry.id in records.get(entry.table, {}):
            what = f"{entry.id!r} is retired, but still in use"
            yield Problem(file.name, line, what, "use another id; a retired one is never used again", "retired_in_use")
        for successor in entry.into:
            if successor not in records.get(entry.table, {}):
                what = f"{entry.id!r} went into {successor!r}, which does not exist"
                yield Problem(file.name, line, what, "name a live id", "retired_into")
