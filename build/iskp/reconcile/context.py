"""What the rules need to know besides the claims of one cell: whose voice a source is, and what contains what."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from iskp.coding.claims import EDITORS, Claim
from iskp.coding.edtf_dates import bounds


@dataclass(frozen=True)
class Context:
    """Facts about sources, organizations, places and codes.

    ``copied_from`` maps a source to those that it rewrites; ``publishers`` maps it to its publisher; ``parents`` maps
    an organization to the one that it is a part or province of; ``within`` maps a place to the next larger one;
    ``broader`` maps a code to a more general one; ``published`` maps a source to the last day on which it can have
    been published; ``aggregates`` are the events that a source calls recurring or cumulative.
    """

    copied_from: Mapping[str, frozenset[str]]
    publishers: Mapping[str, str]
    parents: Mapping[str, str]
    within: Mapping[str, str]
    broader: Mapping[str, Mapping[str, str]]
    published: Mapping[str, datetime.date]
    perpetrators_own: frozenset[str]
    aggregates: frozenset[str] = frozenset()

    def copies(self, source_id: str, other: str) -> bool:
        """Tell whether a source goes back to the other one, by any number of rewrites."""
        return source_id != other and other in self._line(source_id)

    def voices(self, source_id: str) -> frozenset[str]:
        """Return the publishers that speak in a source: its own, or those of the originals that it goes back to.

        A publisher's reports are one voice, however many there are: a newsroom that repeats itself corroborates
        nothing, nor do ten papers that print one agency.
        """
        line = self._line(source_id)
        first = [source for source in line if not self.copied_from.get(source)] or [source_id]
        return frozenset(self.publishers.get(source, source) for source in first)

    def independent_voices(self, sources: Iterable[str]) -> int:
        """Count the independent publishers behind some sources; a source of several counts where none of them does.

        >>> context = Context({"c": frozenset("ab")}, {}, {}, {}, {}, {}, frozenset())
        >>> context.independent_voices(["a", "c"]), context.independent_voices(["a", "b", "c"])
        (1, 2)
        """
        heard: set[str] = set()
        count = 0
        for voices in sorted(
            (self.voices(source) for source in sources), key=lambda found: (len(found), sorted(found))
        ):
            count += heard.isdisjoint(voices)
            heard |= voices
        return count

    def _line(self, source_id: str) -> set[str]:
        line, ahead = {source_id}, [source_id]
        while ahead:
            originals = self.copied_from.get(ahead.pop(), frozenset()) - line
            line |= originals
            ahead += originals
        return line


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
    copied: dict[str, frozenset[str]] = {}
    publishers: dict[str, str] = {}
    parents: dict[str, str] = {}
    within: dict[str, str] = {}
    published: dict[str, datetime.date] = {}
    own: set[str] = set()
    aggregates: set[str] = set()
    for claim in claims:
        if claim.value is None:
            continue
        match claim.table_name, claim.field:
            case "source_derivations", "derived_from":
                copy = claim.record_id.partition(":")[0]
                copied[copy] = copied.get(copy, frozenset()) | {claim.value}
            case "sources", "publisher":
                publishers[claim.record_id] = claim.value
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
    return Context(copied, publishers, parents, within, broader, published, frozenset(own), frozenset(aggregates))
