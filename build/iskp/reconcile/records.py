"""From claims to records: each cell is settled by a decision, or else by the first rule that applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from iskp.coding.claims import Claim
from iskp.coding.registry import Decision, Registry
from iskp.problem import Problem
from iskp.reconcile.context import Context, make_context
from iskp.reconcile.rules import RULES, Verdict

Records = dict[str, dict[str, dict[str, str]]]
"""Table, record and field to the value, as text."""


@dataclass(frozen=True)
class Reconciled:
    """Records, and the claims with the status and rule that each was given; ``settled`` counts real conflicts."""

    records: Records
    claims: tuple[Claim, ...]
    problems: tuple[Problem, ...]
    settled: int


def reconcile(claims: Iterable[Claim], registry: Registry) -> Reconciled:
    """Settle every cell; conflicts that nothing settles, and decisions that no longer fit, come back as problems."""
    all_claims = list(claims)
    context = make_context(all_claims)
    decisions = {(*decision.record.split("/", 1), decision.field): decision for decision in registry.decisions}
    cells: dict[tuple[str, str, str], list[Claim]] = {}
    for claim in all_claims:
        cells.setdefault(claim.cell, []).append(claim)
    records: Records = {}
    judged: list[Claim] = []
    problems: list[Problem] = []
    settled = 0
    for cell, group in cells.items():
        decision = decisions.pop(cell, None)
        verdict, rule = _judge(group, context)
        if decision is not None:
            problems += _check_decision(decision, group, verdict, registry)
            judged += _decided(group, decision)
            value: str | None = decision.value
            settled += 1
        elif verdict is None:
            problems.append(_conflict(group))
            continue
        else:
            judged += _ruled(group, verdict, rule)
            value = verdict.value
            settled += len({claim.value for claim in group}) > 1
        record = records.setdefault(cell[0], {}).setdefault(cell[1], {})
        if value is not None:
            record[cell[2]] = value
    for decision in decisions.values():
        problems.append(_at(decision, registry, "decides a cell on which there is no claim", "remove the decision"))
    return Reconciled(records, tuple(judged), tuple(problems), settled)


def _judge(group: Sequence[Claim], context: Context) -> tuple[Verdict | None, str]:
    for rule in RULES:
        verdict = rule(group, context)
        if verdict is not None:
            return verdict, rule.__name__
    return None, ""


def _ruled(group: Iterable[Claim], verdict: Verdict, rule: str) -> list[Claim]:
    return [
        replace(
            claim, rule=claim.rule or rule, status="accepted" if claim.value in verdict.supporting else "alternative"
        )
        for claim in group
    ]


def _decided(group: Iterable[Claim], decision: Decision) -> list[Claim]:
    judged = []
    for claim in group:
        status = "accepted" if claim.value == decision.value else "alternative"
        if claim.value in decision.reject:
            status = "rejected"
        note = f"{claim.note}; decided: {decision.reason}" if claim.note else decision.reason
        judged.append(replace(claim, rule="decision", status=status, note=note))
    return judged


def _check_decision(
    decision: Decision, group: Sequence[Claim], verdict: Verdict | None, registry: Registry
) -> Iterable[Problem]:
    claimed = {claim.value or "" for claim in group}
    if claimed != set(decision.expect):
        what = (
            f"expects the values {', '.join(sorted(decision.expect))}, but sources claim {', '.join(sorted(claimed))}"
        )
        yield _at(decision, registry, what, "look at the claims again and mend or remove the decision")
    elif verdict is not None and verdict.value == decision.value and not decision.reject:
        yield _at(decision, registry, "is no longer needed: the rules give the same value", "remove the decision")
    if decision.value not in claimed:
        yield _at(decision, registry, f"takes {decision.value!r}, which no source claims", "take a claimed value")
    if decision.value in decision.reject:
        yield _at(decision, registry, "takes a value that it rejects", "mend 'value' or 'reject'")


def _at(decision: Decision, registry: Registry, what: str, remedy: str) -> Problem:
    file = registry.files["decisions"]
    index = registry.decisions.index(decision)
    table, record = decision.record.split("/", 1)
    line = file.line(("decisions", index))
    return Problem(file.name, line, f"the decision {what}", remedy, "decision", table, record, decision.field)


def _conflict(group: Sequence[Claim]) -> Problem:
    first = group[0]
    stated = "; ".join(
        f"{claim.value} ({claim.source_id}, {claim.file}:{claim.line}"
        + (f", “{claim.stated}”)" if claim.stated else ")")
        for claim in group
    )
    values = ", ".join(sorted({claim.value or "" for claim in group}))
    remedy = (
        "mend the coding, or add to registry/decisions.yaml: "
        f"record: {first.table_name}/{first.record_id}, field: {first.field}, value, reason, expect: [{values}]"
    )
    return first.problem(f"sources are in conflict and no rule settles it: {stated}", remedy, "unsettled_conflict")


def values_by_record(records: Records, table: str) -> Mapping[str, Mapping[str, str]]:
    """Return the records of a table; none if it has none."""
    return records.get(table, {})
