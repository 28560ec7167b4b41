"""The Islamic State's Khorasan, Pakistan and Hind provinces as tables: events, organizations, designations.

>>> import iskp
>>> events = iskp.load("events")
>>> str(events["killed_best"].dtype)
'Int64'

Importing this package costs next to nothing: pandas is imported when the first table is loaded.
"""

from __future__ import annotations

import difflib
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["citation", "load", "tables", "version"]


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


def load(table: str) -> pd.DataFrame:
    """Load a table with the right dtypes: dates, nullable integers and booleans, categories with all their codes.

    Raises:
        KeyError: if there is no such table; the message names the nearest one.
    """
    import pandas as pd

    known = _resources()
    if table not in known:
        near = difflib.get_close_matches(table, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "known are " + ", ".join(known)
        raise KeyError(f"there is no table {table!r}; {hint}")
    return pd.read_parquet(_root() / "data" / f"{table}.parquet")
