"""The Islamic State's Khorasan, Pakistan and Hind provinces as tables: events, organizations, designations.

>>> import iskp
>>> events = iskp.load("events")
>>> str(events["killed_best"].dtype)
'Int64'

Importing this package costs next to nothing: pandas is imported when the first table is loaded.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["changes", "citation", "load", "resolve", "tables", "version", "versions"]


@functools.cache
def _root() -> Path:
    """Return the folder of ``datapackage.json``: inside an installed wheel, or the top of a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "_package", package.parent.parent):
        if (folder / "datapackage.json").is_file():
            return folder
    raise FileNotFoundError("the tables are not here; in a checkout, build them with 'make' or 'iskp build'")


@functools.cache
def _descriptor() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((_root() / "datapackage.json").read_text(encoding="utf-8"))
    return content


def _resources() -> dict[str, dict[str, Any]]:
    return {described["name"]: described for described in _descriptor()["resources"] if described["format"] == "csv"}


def version() -> str:
    """Return the version of the data, to cite.

    >>> version().count(".")
    2
    """
    return str(_descriptor()["version"])


def citation() -> str:
    """Return how to cite the data, with its version and licence."""
    about = _descriptor()
    authors = ", ".join(person["title"] for person in about["contributors"])
    licence = about["licenses"][0]["name"]
    return f"{authors} ({about['created'][:4]}). {about['title']}. Version {about['version']}. {licence}."


def tables() -> pd.DataFrame:
    """Return the tables, with the title, number of columns and description of each.

    >>> "events" in tables().index
    True
    """
    import pandas as pd

    rows = [(name, d["title"], len(d["schema"]["fields"]), d["description"]) for name, d in _resources().items()]
    return pd.DataFrame(rows, columns=["table", "title", "columns", "description"]).set_index("table")


def load(table: str, version: str | None = None, store: str | None = None) -> pd.DataFrame:
    """Load a table with the right dtypes: dates, nullable integers and booleans, categories with all their codes.

    Without ``version`` the installed data are loaded. With it, that version is fetched from ``store`` (an address that
    ``fsspec`` reaches, or the environment's ``ISKP_STORE``), verified by its hash, and kept, so that it loads without
    a network from then on.

    Raises:
        KeyError: if there is no such table; the message names the nearest one.
        FileNotFoundError: if the version is not in the store.
    """
    import pandas as pd

    if version is not None:
        return pd.read_parquet(_fetched(f"data/{table}.parquet", version, store))
    known = _resources()
    if table not in known:
        import difflib

        near = difflib.get_close_matches(table, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(known)
        raise KeyError(f"there is no table {table!r}; {hint}")
    return pd.read_parquet(_root() / "data" / f"{table}.parquet")


def _address(store: str | None) -> str:
    address = store or os.environ.get("ISKP_STORE")
    if not address:
        raise ValueError("give store=…, an address of published versions, or set ISKP_STORE")
    return address


def _cache() -> Path:
    caches = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"))
    return Path(os.environ.get("ISKP_CACHE", caches / "iskp")).expanduser()


def _fetched(name: str, version: str, store: str | None) -> Path:
    from iskp.package.store import Store, cached_file

    return cached_file(Store(_address(store)), version, name, _cache())


def versions(store: str | None = None) -> pd.DataFrame:
    """Return the versions in a store, with the day and the hash of each."""
    import pandas as pd

    from iskp.package.store import Store

    columns = ["version", "created", "manifest_sha256", "summary"]
    return pd.DataFrame(Store(_address(store)).index(), columns=columns).set_index("version")


def changes(old: str, new: str, store: str | None = None) -> pd.DataFrame:
    """Return what changed from one version to another, one row per cell: table, record, op, field, old, new, cause.

    From one version to the next these are the published changes with their causes; over several versions they are
    computed from the two, and have none.
    """
    import pandas as pd

    known = list(versions(store).index)
    if old in known and known.index(old) + 1 < len(known) and known[known.index(old) + 1] == new:
        return pd.read_csv(_fetched("changes.csv.gz", new, store), dtype="str", keep_default_na=False, na_values=[""])
    from iskp.package.opening import open_package

    try:
        from iskp.package.renames import compare
    except ModuleNotFoundError as error:
        message = "comparing versions that do not follow each other needs more: pip install 'iskp-data[publish]'"
        raise ModuleNotFoundError(message) from error

    zips = [_fetched(f"{_descriptor()['name']}-{version}.zip", version, store) for version in (old, new)]
    with open_package(str(zips[0])) as before, open_package(str(zips[1])) as after:
        frame: pd.DataFrame = compare(before, after).changes.to_pandas()
    return frame


def resolve(record_id: str, table: str | None = None) -> list[str]:
    """Return the live ids that an id stands for: itself, its successors, or none if it was withdrawn.

    Say of which ``table`` it is where several have such an id (``united-nations`` is an organization and an authority).

    Raises:
        KeyError: if the id was never published.
        ValueError: if it stands for different ids in different tables.
    """
    retired = load("retired_ids")
    candidates = _resources().keys() - {"claims", "retired_ids"} if table is None else {table}
    found = {name: ids for name in sorted(candidates) if (ids := _successors(record_id, name, retired)) is not None}
    if not found:
        raise KeyError(f"{record_id!r} was never an id of {table or 'any table'}")
    first, *others = found.values()
    if any(other != first for other in others):
        raise ValueError(f"{record_id!r} is an id of {' and '.join(found)}; say of which, with table=…")
    return first


def _successors(record_id: str, table: str, retired: pd.DataFrame) -> list[str] | None:
    """Return the live ids of a table that an id stands for; ``None`` where the table never had it."""
    live = set(load(table)[_resources()[table]["schema"]["primaryKey"][0]])
    mine = retired[retired["table_name"] == table]
    if record_id not in live and record_id not in set(mine["record_id"]):
        return None
    found: list[str] = []
    open_ids, seen = [record_id], set[str]()
    while open_ids:
        current = open_ids.pop(0)
        if current in live:
            found.append(current)
        elif current not in seen:
            open_ids += list(mine.loc[mine["record_id"] == current, "into_id"].dropna())
        seen.add(current)
    return found
