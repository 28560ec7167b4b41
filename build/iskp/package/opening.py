"""Opening a package wherever it is: a folder, a descriptor, a zip, an address, or a released version.

Whatever it is, it is read from a local folder: a zip is unpacked and an address fetched into one that is removed
after use. So everything that reads packages needs to know folders only.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iskp.package.resource import file_format, is_local_file

VERSION = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+")
DESCRIPTOR = "datapackage.json"
FORMATS = {"csv": "csv", "tsv": "tsv", "parquet": "parquet", "json": "json", "ndjson": "ndjson", "jsonl": "ndjson"}
ENCODINGS = {
    **dict.fromkeys(("utf-8", "utf8", "ascii", "us-ascii"), "utf-8"),
    **dict.fromkeys(("latin-1", "latin1", "iso-8859-1", "iso8859-1", "iso_8859-1"), "latin-1"),
    "utf-16": "utf-16",
}
"""Names of encodings, and what DuckDB calls those that it reads."""


@dataclass(frozen=True)
class OpenedPackage:
    """A package in a local folder; ``name`` is how it was asked for."""

    name: str
    root: Path
    descriptor: dict[str, Any]

    @property
    def version(self) -> str:
        """Return the declared version; ``0.0.0`` where none is."""
        return str(self.descriptor.get("version", "0.0.0"))

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the tabular resources by table: one for each table, Parquet rather than its CSV twin."""
        tables: dict[str, dict[str, Any]] = {}
        for resource in self.descriptor.get("resources", []):
            kind = self.table_format(resource)
            table = resource["name"].removesuffix("-parquet")
            if kind is not None and (table not in tables or kind == "parquet"):
                tables[table] = resource
        return tables

    def files(self) -> dict[str, dict[str, Any]]:
        """Return the other resources by name: without a schema, or of a form that is not read cell by cell."""
        resources = self.descriptor.get("resources", [])
        return {resource["name"]: resource for resource in resources if self.table_format(resource) is None}

    def table_format(self, resource: Mapping[str, Any]) -> str | None:
        """Return how a table is stored: ``csv tsv parquet json ndjson``, or ``None`` for what is not read as a table.

        That is a resource without a schema, of several files or elsewhere on the network, of another format, in an
        encoding other than UTF-8, UTF-16 and Latin-1, or JSON that is no array of objects.
        """
        if not resource.get("schema") or not is_local_file(resource):
            return None
        kind = FORMATS.get(file_format(resource), "")
        if kind == "json" and not _is_array_of_objects(self.root / resource["path"]):
            return None
        known_encoding = str(resource.get("encoding", "utf-8")).lower() in ENCODINGS
        return kind if kind and known_encoding else None


def read_package(folder: Path, name: str) -> OpenedPackage:
    """Read the package in a folder, with schemas that are given by path put in their place.

    Raises:
        FileNotFoundError: if there is no descriptor in it.
    """
    path = folder / DESCRIPTOR
    if not path.is_file():
        raise FileNotFoundError(f"{name}: there is no {DESCRIPTOR} in it")
    descriptor = json.loads(path.read_text(encoding="utf-8"))
    for resource in descriptor.get("resources", []):
        if isinstance(resource.get("schema"), str):
            resource["schema"] = json.loads((folder / resource["schema"]).read_text(encoding="utf-8"))
        if "schema" in resource and "primaryKey" in resource:
            # Public packages are found with the key beside the schema in place of in it.
            resource["schema"].setdefault("primaryKey", resource["primaryKey"])
    return OpenedPackage(name, folder, descriptor)


@contextlib.contextmanager
def open_package(reference: str, releases: Path | None = None) -> Iterator[OpenedPackage]:
    """Open a package for as long as the context lasts.

    ``reference`` is a folder, a ``datapackage.json``, a zip, an address that ``fsspec`` reaches, or the number of a
    version whose zip stands in the folder ``releases``. A folder that has no descriptor and one zip, as the folder of
    a release is, stands for that zip.

    Raises:
        FileNotFoundError: if there is nothing there.
    """
    with contextlib.ExitStack() as stack:
        if "://" in reference:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            yield read_package(_fetch(reference, folder), reference)
            return
        path = Path(reference)
        if not path.exists() and VERSION.fullmatch(reference):
            path = _released(reference.removeprefix("v"), releases)
        if not path.exists():
            raise FileNotFoundError(f"{reference}: no such folder, descriptor, zip or released version")
        path = _only_zip(path) or path
        if path.suffix == ".zip":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            yield read_package(_unpack(path, folder), reference)
        else:
            yield read_package(path if path.is_dir() else path.parent, reference)


def _is_array_of_objects(path: Path) -> bool:
    if not path.is_file():
        return True
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return re.match(r"\s*\[\s*(\{|\])", file.read(1000)) is not None


def _released(version: str, releases: Path | None) -> Path:
    found = sorted((releases / f"v{version}").glob("*.zip")) if releases is not None else []
    if not found:
        raise FileNotFoundError(f"version {version} is not among the releases in {releases or 'any folder'}")
    return found[0]


def _only_zip(folder: Path) -> Path | None:
    zips = sorted(folder.glob("*.zip")) if folder.is_dir() and not (folder / DESCRIPTOR).is_file() else []
    return zips[0] if len(zips) == 1 else None


def _unpack(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return _folder_of_descriptor(folder)


def _folder_of_descriptor(folder: Path) -> Path:
    found = sorted(folder.rglob(DESCRIPTOR), key=lambda path: len(path.parts))
    return found[0].parent if found else folder


def _fetch(address: str, folder: Path) -> Path:
    import fsspec

    if address.endswith(".zip"):
        archive = folder / "package.zip"
        with fsspec.open(address) as remote:
            archive.write_bytes(remote.read())
        return _unpack(archive, folder / "package")
    base = address.removesuffix(DESCRIPTOR).rstrip("/")
    wanted = [DESCRIPTOR]
    for name in wanted:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with fsspec.open(f"{base}/{name}") as remote:
            target.write_bytes(remote.read())
        if name == DESCRIPTOR:
            content = json.loads(target.read_text(encoding="utf-8"))
            for resource in content.get("resources", []):
                parts = [resource.get("path"), resource.get("schema")]
                wanted += [part for part in parts if isinstance(part, str) and "://" not in part]
    return folder
