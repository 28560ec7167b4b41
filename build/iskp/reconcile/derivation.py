"""Records on their way to completion, with what the columns that follow from others are made of."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from iskp.coding.claims import EDITORS, Claim
from iskp.package.schema import Schemas
from iskp.reconcile.context import Context
from iskp.reconcile.records import Records

Row = dict[str, str]
DATE_SUFFIX = "_edtf"


@dataclass
class Derivation:
    """Records being completed, with the claims of each by table and record."""

    records: Records
    schemas: Schemas
    context: Context
    claims: Mapping[tuple[str, str], Sequence[Claim]] = field(default_factory=dict)

    def rows(self, table: str) -> Mapping[str, Row]:
        """Return the records of a table."""
        return self.records.setdefault(table, {})

    def of(self, table: str, record_id: str) -> Sequence[Claim]:
        """Return the claims of a record that are not rejected and not ours."""
        found = self.claims.get((table, record_id), ())
        return [claim for claim in found if claim.status != "rejected" and claim.source_id != EDITORS]

    def children(self, table: str, parent_column: str) -> Mapping[str, list[tuple[str, Row]]]:
        """Return the records of a child table by their parent's id."""
        grouped: dict[str, list[tuple[str, Row]]] = {}
        for record_id, row in self.rows(table).items():
            grouped.setdefault(row[parent_column], []).append((record_id, row))
        return grouped


def publication_days(claims: Iterable[Claim], context: Context) -> Iterator[datetime.date]:
    """Yield the days on which the sources of some claims were published, as far as they are known."""
    for source_id in {claim.source_id for claim in claims}:
        if source_id in context.published:
            yield context.published[source_id]
