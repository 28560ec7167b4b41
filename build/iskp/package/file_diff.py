"""The files of two packages that are not compared cell by cell: whether they are there, and whether they are the same.

A picture or a table in a form that is not read may hold data too: that it changed must not go unsaid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from iskp.package.change_table import SchemaChange
from iskp.package.files import sha256
from iskp.package.opening import OpenedPackage


def file_difference(old: OpenedPackage, new: OpenedPackage) -> Iterator[SchemaChange]:
    """Yield a change for each file that is new, gone, or other by its SHA-256."""
    before, after = _digests(old), _digests(new)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            op = "add_file" if name not in before else "remove_file" if name not in after else "change_file"
            yield SchemaChange(name, op, "", before.get(name, ""), after.get(name, ""))


def _digests(package: OpenedPackage) -> dict[str, str]:
    return {name: _digest(package, resource) for name, resource in package.files().items()}


def _digest(package: OpenedPackage, resource: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a resource's files, of its data in the descriptor, or of its address on the network."""
    paths = resource.get("path", [])
    parts = [_content(package, resource, path) for path in ([paths] if isinstance(paths, str) else paths)]
    if "data" in resource:
        parts.append(repr(resource["data"]).encode())
    return f"sha256:{sha256(b''.join(parts))}"


def _content(package: OpenedPackage, resource: Mapping[str, Any], path: str) -> bytes:
    file = package.root / path
    is_here = "://" not in path and file.is_file()
    return file.read_bytes() if is_here else f"{path} {resource.get('hash')}".encode()
