"""A sample of claims for a second coder, who codes the same fields from the same pages without seeing the values.

Drawn are accepted claims of sources that we do not hold (the spans of those that we do are verified word by word),
of the fields in which a coder has to judge. At most two are of one source, so that no long list dominates.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import pandas as pd

from iskp.coding.claims import EDITORS

TABLES = (
    *("events", "event_counts", "event_actors", "designations", "designation_actions"),
    *("organizations", "organization_names", "organization_relations"),
)
FIELDS = (
    *("date_edtf", "founded_edtf", "designated_edtf", "action_edtf", "event_type", "action", "coverage"),
    *("attribution", "place_id", "org_id", "best", "name", "listed_name", "list_reference", "legal_instrument"),
)
IDENTITY = ("designations", "org_id")
"""What the record's id says already, so that nobody has to judge it."""
OF_ONE_SOURCE = 2
HIDDEN = "…"


def draw(frames: Mapping[str, pd.DataFrame], seed: int, size: int) -> pd.DataFrame:
    """Return ``size`` claims with title, publisher and address of their sources; fewer where there are not so many.

    ``frames`` holds the tables ``claims``, ``sources`` and ``events``; the column ``event`` says of which event a claim
    is, since an id alone leaves the second coder to guess. The same tables and the same seed give the same sample, in
    the same order.
    """
    sources, claims = frames["sources"], frames["claims"]
    pages = sources[sources["url"].notna() & sources["text_sha256"].isna() & (sources["source_id"] != EDITORS)]
    accepted = claims[(claims["status"] == "accepted") & claims["source_id"].isin(pages["source_id"])]
    judged = accepted[accepted["field"].isin(FIELDS) & accepted["table_name"].isin(TABLES)].sort_values("claim_id")
    judged = judged[(judged["table_name"] != IDENTITY[0]) | (judged["field"] != IDENTITY[1])]
    order = random.Random(seed).sample(range(len(judged)), len(judged))
    shuffled = judged.iloc[order]
    drawn = shuffled[shuffled.groupby("source_id", observed=True).cumcount() < OF_ONE_SOURCE].head(size)
    titles = frames["events"].set_index("event_id")["title"]
    drawn = drawn.assign(event=drawn["record_id"].str.split(":").str[0].map(titles))
    return drawn.merge(pages[["source_id", "title", "publisher", "url"]], on="source_id")


def blinded(record_id: str, value: str) -> str:
    """Return ``record_id`` with each part that is the value itself hidden, since a key made of values tells them.

    >>> blinded("ev0088:subject:isis-hind-province", "isis-hind-province")
    'ev0088:subject:…'
    >>> blinded("islamic-state-libya:Wilayat Barqa", "WILAYAT BARQA")
    'islamic-state-libya:…'
    >>> blinded("ev0050", "2017-05-12")
    'ev0050'
    """
    return ":".join(HIDDEN if part.casefold() == value.casefold() else part for part in record_id.split(":"))
