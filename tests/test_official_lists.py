"""What the sheets say of official lists, against the copies of those lists: references, names, days, and absences.

The copies are held beside the checkout and belong to no release, so that no span of evidence points into them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from dateutil import parser


@dataclass(frozen=True)
class Entry:
    """One entry of a list: names as compared; days in ISO 8601, where the list has them."""

    primary: str
    names: set[str]
    listed: str | None = None
    amended: set[str | None] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)


Entries = dict[str, Entry]
DAY = r"(\d{1,2} [A-Z][a-z]{2,8}\.? \d{4})"


def _compared(name: str) -> str:
    return re.sub(r"[^\w]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()


def _iso(day: str) -> str | None:
    """None for a misprint: some entries, none of them of ours, have months that don't exist."""
    try:
        return parser.parse(day, dayfirst=True).date().isoformat()
    except parser.ParserError:
        return None


def read_un(path: Path) -> Entries:
    """The Security Council's list; an alias may hold several names, so an entry's whole text counts as its names."""
    entries = {}
    for entity in ElementTree.parse(path).getroot().iter("ENTITY"):  # noqa: S314 (a held file)
        updates: set[str | None] = {value.text for value in entity.findall("LAST_DAY_UPDATED/VALUE") if value.text}
        text = _compared(" ".join(entity.itertext()))
        name = _compared(entity.findtext("FIRST_NAME") or "")
        reference = (entity.findtext("REFERENCE_NUMBER") or "").strip()
        entries[reference] = Entry(name, {name, text}, entity.findtext("LISTED_ON"), updates)
    return entries


def read_ofac(path: Path) -> Entries:
    """The SDN list has no header row.

    Weak aliases stand in the remarks; the others in a file of their own, which not every copy comes with.
    """
    entries = {}
    for row in pd.read_csv(path, header=None, dtype=str, na_filter=False).iloc[:-1].itertuples(index=False):
        weak = {_compared(name) for name in re.findall(r"a\.k\.a\. '([^;]+)'", row[11])}
        programs = {f"us_{name.lower()}" for name in re.findall(r"\w+", row[3])}
        entries[str(row[0])] = Entry(_compared(row[1]), {_compared(row[1]), *weak}, programs=programs)
    aliases = path.with_name("alt.csv")
    if aliases.is_file():
        for row in pd.read_csv(aliases, header=None, dtype=str, na_filter=False).iloc[:-1].itertuples(index=False):
            entries[str(row[0])].names.add(_compared(row[3]))
    return entries


def read_dfat(path: Path) -> Entries:
    """Australia's list: aliases bear the reference of the entry with a letter; amendments stand in brackets."""
    entries: Entries = {}
    for row in pd.read_excel(path, dtype=str).dropna(subset=["Reference"]).to_dict("records"):
        matched = re.match(r"\s*(\d+)", row["Reference"])
        if matched is None:
            continue
        reference, name, told = (
            matched[1],
            _compared(str(row["Name of Individual or Entity"])),
            str(row["Listing Information"]),
        )
        if reference not in entries:
            amended = re.search(r"amended ([^)]*)", told)
            days = re.findall(DAY, amended[1]) if amended else []
            first = re.search(DAY, told) or re.match(r"(\d{4}-\d\d-\d\d)", told)
            entries[reference] = Entry(name, set(), _iso(first[1]) if first else None, {_iso(day) for day in days})
        entries[reference].names.add(name)
    return entries


def read_hmt(path: Path) -> Entries:
    """The Treasury's list: one row for each name; the first line tells the day of the copy."""
    rows = pd.read_csv(path, skiprows=1, dtype=str, encoding="cp1252").dropna(subset=["Group ID"])
    entries: Entries = {}
    for reference, group in rows.groupby("Group ID"):
        names = {_compared(name) for name in group["Name 6"].dropna()}
        primary = group.loc[group["Alias Type"] == "Prime Alias", "Name 6"].dropna()
        listed, updated = _iso(group["Listed On"].iloc[0]), _iso(group["Last Updated"].iloc[0])
        entries[str(reference)] = Entry(
            _compared(primary.iloc[0]) if len(primary) else "", names, listed, {updated} - {listed}
        )
    return entries


LISTS: dict[str, tuple[str, Callable[[Path], Entries]]] = {
    "un-consolidated-2020-11-30": ("un/un_2020-11-30_consolidated.xml", read_un),
    "un-consolidated-2024-11-30": ("un/un_2024-11-30_consolidated.xml", read_un),
    "un-consolidated-2025-11-18": ("un/un_2025-11-18_consolidated.xml", read_un),
    "ofac-sdn-2021-mid": ("ofac/2021-mid/sdn.csv", read_ofac),
    "ofac-sdn-2023-12-28": ("ofac/sdn_2023-12-28.csv", read_ofac),
    "au-dfat-2024-12": ("au/regulation8_consolidated_2024-12.xlsx", read_dfat),
    "uk-hmt-2020-04-27": ("uk/hmt_conlist_2020-04-27.csv", read_hmt),
}
OFAC = [name for name in LISTS if name.startswith("ofac")]
DATED = [name for name in LISTS if name not in OFAC]


@dataclass(frozen=True)
class Coded:
    """A list as held and as coded: ``claims`` are those of its sheet, a row a record, by table."""

    entries: Entries
    claims: dict[str, pd.DataFrame]

    def references(self) -> dict[str, set[str]]:
        """The references of the entries that are of each organization, from its identifiers and its listings."""
        rows = self.claims["organization_identifiers"]
        pairs = set(zip(rows["record_id"].str.split(":").str[0], rows["identifier"], strict=True))
        listings = self.listings()
        pairs |= set(zip(listings["org_id"], listings["reference"], strict=True))
        return {org_id: {reference for other, reference in pairs if other == org_id} for org_id, _ in pairs}

    def listings(self) -> pd.DataFrame:
        """The designations that the sheet takes from an entry of this list, with the entry's reference."""
        rows = self.claims["designations"]
        references = self.claims["organization_identifiers"]
        first = references.groupby(references["record_id"].str.split(":").str[0])["identifier"].first()
        rows = rows[rows["listed_name"].notna()]
        reference = rows["list_reference"] if "list_reference" in rows else pd.Series(pd.NA, index=rows.index)
        return rows.assign(reference=reference.fillna(rows["org_id"].map(first)))

    def actions(self, designation: str, *kinds: str) -> set[str]:
        """The days of the actions of these kinds on one listing."""
        rows = self.claims["designation_actions"]
        mine = rows["record_id"].str.startswith(f"{designation}:") & rows["action"].isin(kinds)
        return set(rows.loc[mine, "action_edtf"])


@pytest.fixture(scope="module", params=LISTS)
def coded(request: pytest.FixtureRequest, root: Path) -> Coded:
    name = str(request.param)
    place, read = LISTS[name]
    path = root.parent / "shared/data" / place
    if not path.is_file():
        pytest.skip(f"{place} is not beside the checkout")
    claims = pd.read_parquet(
        root / "data/claims.parquet", columns=["table_name", "record_id", "field", "value", "source_id"]
    )
    mine = claims[claims["source_id"] == name]
    tables = {
        str(table): group.pivot(index="record_id", columns="field", values="value").reset_index()
        for table, group in mine.groupby("table_name", observed=True)
    }
    return Coded(read(path), tables)


def test_listed_name_is_a_name_of_the_entry_with_the_coded_reference(coded: Coded) -> None:
    listings = coded.listings()
    assert len(listings) >= 10
    for listing in listings.to_dict("records"):
        assert _compared(listing["listed_name"]) in coded.entries[listing["reference"]].names, listing


@pytest.mark.parametrize("coded", DATED, indirect=True)
def test_day_of_listing_is_that_of_the_entry(coded: Coded) -> None:
    listings = coded.listings()
    dated = listings.dropna(subset=["designated_edtf"])
    told = [row for row in dated.to_dict("records") if coded.entries[row["reference"]].listed]
    assert len(told) >= 10
    for listing in told:
        assert listing["designated_edtf"] == coded.entries[listing["reference"]].listed, listing["record_id"]


@pytest.mark.parametrize("coded", DATED, indirect=True)
def test_days_of_amendment_are_all_coded_and_no_others(coded: Coded) -> None:
    for listing in coded.listings().to_dict("records"):
        days = coded.actions(listing["record_id"], "amended", "alias_added")
        days = {day for day in days if "/" not in day}
        entries = [coded.entries[reference] for reference in coded.references()[listing["org_id"]]]
        updates = {day for entry in entries for day in entry.amended}
        assert days == updates, listing["record_id"]


@pytest.mark.parametrize("coded", OFAC, indirect=True)
def test_program_of_the_entry_is_the_coded_one(coded: Coded) -> None:
    for listing in coded.listings().to_dict("records"):
        assert listing["program"] in coded.entries[listing["reference"]].programs, listing["record_id"]


def test_each_name_coded_stands_in_the_entry_of_its_organization(coded: Coded) -> None:
    references = coded.references()
    names = coded.claims["organization_names"]
    for name in names.to_dict("records"):
        org_id = name["record_id"].split(":")[0]
        texts = [text for reference in references[org_id] for text in coded.entries[reference].names]
        assert any(re.search(rf"\b{_compared(name['name'])}\b", text) for text in texts), name["record_id"]


def test_every_listing_is_observed_on_the_day_of_the_copy(coded: Coded) -> None:
    for listing in coded.listings()["record_id"]:
        assert len(coded.actions(listing, "observed_present")) == 1, listing


def test_organization_said_to_be_absent_has_no_entry_of_its_name(coded: Coded, root: Path) -> None:
    actions = coded.claims["designation_actions"]
    absent = actions.loc[actions["action"] == "observed_absent", "record_id"].str.split(":").str[0]
    rows = coded.claims["designations"].set_index("record_id")
    names = pd.read_parquet(root / "data/organization_names.parquet")
    for designation in absent:
        org_id, program = rows.loc[designation, "org_id"], rows.loc[designation, "program"]
        known = {_compared(name) for name in names.loc[names["org_id"] == org_id, "name"]}
        for reference, entry in coded.entries.items():
            if not entry.programs or program in entry.programs:
                assert entry.primary not in known, (designation, reference)


def test_wrong_day_and_wrong_name_are_found(coded: Coded) -> None:
    """The comparison itself: an entry of another organization has neither this name nor this day."""
    listings = coded.listings()
    first, last = listings.iloc[0], listings.iloc[-1]
    assert first["reference"] != last["reference"]
    assert _compared(first["listed_name"]) not in coded.entries[last["reference"]].names
