"""What the rules need to know besides the claims of one cell: which sources copy, and what contains what."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from iskp.coding.claims import EDITORS, Claim
from iskp.coding.edtf_dates import bounds


@dataclass(frozen=True)
class Context:
    """Facts about sources, organizations, places and codes.

    ``copied_from`` maps a source to the one that it rewrites; ``parents`` maps an organization to the one that it is
    a part or province of; ``within`` maps a place to the next larger one; ``broader`` maps a code to a more general
    one; ``published`` maps a source to the last day on which it can have been published; ``aggregates`` are the events
    that a source calls recurring or cumulative.
    """

    copied_from: Mapping[str, str]
    parents: Mapping[str, str]
    within: Mapping[str, str]
    broader: Mapping[str, Mapping[str, str]]
    published: Mapping[str, datetime.date]
    perpetrators_own: frozenset[str]
    aggregates: frozenset[str] = frozenset()

    def origin(self, source_id: str) -> str:
        """Return the source that a source goes back to, by any number of rewrites; itself when it is no copy."""
        seen = {source_id}
        while source_id in self.copied_from and self.copied_from[source_id] not in seen:
            source_id = self.copied_from[source_id]
            seen.add(source_id)
        return source_id

    def copies(self, source_id: str, other: str) -> bool:
        """Tell whether a source goes back to the other one."""
        return source_id != other and other in _chain(source_id, self.copied_from)


def _chain(start: str, upward: Mapping[str, str]) -> list[str]:
    chain = [start]
    while chain[-1] in upward and upward[chain[-1]] not in chain:
        chain.append(upward[chain[-1]])
    return chain


def most_specific(values: Iterable[str], upward: Mapping[str, str]) -> str | None:
    """Return the value below all the others, when they lie on one line upwards; else ``None``.

    >>> most_specific(["islamic-state", "iskp"], {"iskp": "islamic-state"})
    'iskp'
    """
    distinct = set(values)
    if not distinct:
        return None
    for value in sorted(distinct):
        if distinct <= set(_chain(value, upward)):
            return value
    return None


BROADER_EVENT_TYPES: Mapping[str, str] = {
    "suicide_bombing": "bombing",
    "bombing": "attack",
    "complex_attack": "attack",
    "targeted_killing": "armed_assault",
    "armed_assault": "attack",
    "abduction": "attack",
}
BROADER_TARGETS: Mapping[str, str] = {
    "religious_community": "civilians",
    "public_gathering": "civilians",
    "private_citizens": "civilians",
    "police": "security_forces",
    "military": "security_forces",
}
BROADER_NAME_KINDS: Mapping[str, str] = {"acronym": "alias", "full_name": "alias", "own_name": "alias"}


def make_context(claims: Iterable[Claim]) -> Context:
    """Gather the context from the claims themselves, so that claims alone rebuild the tables."""
    copied: dict[str, str] = {}
    parents: dict[str, str] = {}
    within: dict[str, str] = {}
    published: dict[str, datetime.date] = {}
    own: set[str] = set()
    aggregates: set[str] = set()
    for claim in claims:
        if claim.value is None:
            continue
        match claim.table_name, claim.field:
            case "sources", "derived_from":
                copied[claim.record_id] = claim.value
            case "sources", "published_edtf":
                published[claim.record_id] = bounds(claim.value).end or datetime.date.max
            case "sources", "perpetrator_affiliated" if claim.value == "yes":
                own.add(claim.record_id)
            case "events", "is_aggregate" if claim.value == "true":
                aggregates.add(claim.record_id)
            case "organizations", "parent_id":
                parents.setdefault(claim.record_id, claim.value)
            case "places", "parent_id" if claim.source_id == EDITORS:
                within[claim.record_id] = claim.value
            case _:
                pass
    broader = {
        "event_type": BROADER_EVENT_TYPES,
        "target_type": BROADER_TARGETS,
        "name_kind": BROADER_NAME_KINDS,
    }
    return Context(copied, parents, within, broader, published, frozenset(own), frozenset(aggregates))
