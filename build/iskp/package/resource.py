"""What the descriptor of a resource says of where and how its data are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any


def is_local_file(resource: Mapping[str, Any]) -> bool:
    """Tell whether a resource is one local file: not data in the descriptor, several files, or an address.

    >>> is_local_file({"path": "a.csv"}), is_local_file({"path": ["a.csv", "b.csv"]}), is_local_file({"data": []})
    (True, False, False)
    """
    path = resource.get("path")
    return isinstance(path, str) and "://" not in path


def file_format(resource: Mapping[str, Any]) -> str:
    """Return the declared format of a resource's file, else the ending of its name, in lower case.

    >>> file_format({"path": "a.CSV"}), file_format({"path": "a.txt", "format": "tsv"}), file_format({"path": ["a"]})
    ('csv', 'tsv', '')
    """
    path = resource.get("path")
    named = PurePosixPath(path).suffix if isinstance(path, str) else ""
    return str(resource.get("format") or named).lower().strip(".")
