"""What a build puts out, as bytes: tables as CSV and Parquet, descriptor, data dictionary, citation file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from iskp.coding.claims import EDITORS
from iskp.coding.registry import Registry
from iskp.package.descriptor import as_bytes, descriptor
from iskp.package.parquet import write_parquet
from iskp.package.releases import archived_descriptor
from iskp.package.schema import Schemas
from iskp.package.text import write_csv
from iskp.readme import data_readme

Files = Mapping[PurePosixPath, bytes]
DESCRIPTOR = PurePosixPath("datapackage.json")


def make_csv_package(frames: Mapping[str, pd.DataFrame], schemas: Schemas, registry: Registry) -> Files:
    """Make the package with its CSV files alone: what a second opinion needs, before Parquet files are made."""
    files = {PurePosixPath(f"data/{name}.csv"): write_csv(frame, schemas[name]) for name, frame in frames.items()}
    return {**files, DESCRIPTOR: as_bytes(descriptor(_described(frames, registry), files, schemas))}


def make_files(
    csv_package: Files, frames: Mapping[str, pd.DataFrame], schemas: Schemas, registry: Registry, dist: Path
) -> dict[PurePosixPath, bytes]:
    """Make every file of the package: to the CSV files their Parquet twins, and a descriptor of both.

    The package bears the version of its last release while it is what was released, and ``0.3.0+changed`` after that:
    nobody shall cite a version for other data. ``dist`` is the folder of releases.
    """
    files = {path: content for path, content in csv_package.items() if path != DESCRIPTOR}
    for name, frame in frames.items():
        files[PurePosixPath(f"data/{name}.parquet")] = write_parquet(frame, schemas[name])
    described = descriptor(_described(frames, registry), files, schemas)
    released = archived_descriptor(dist / f"v{described['version']}")
    if released is not None and released != described:
        described["version"] += "+changed"
    files[PurePosixPath("data/README.md")] = data_readme(schemas, {name: len(frame) for name, frame in frames.items()})
    files[DESCRIPTOR] = as_bytes(described)
    files[PurePosixPath("CITATION.cff")] = citation_file({**_metadata(registry), "version": described["version"]})
    return files


def _metadata(registry: Registry) -> dict[str, Any]:
    return {key: value for key, value in registry.metadata.model_dump(mode="json").items() if value is not None}


def _described(frames: Mapping[str, pd.DataFrame], registry: Registry) -> dict[str, Any]:
    """Return what the descriptor says of the package as a whole: metadata, sources, coverage."""
    sources = [
        {
            key: row[column]
            for key, column in (("title", "title"), ("path", "url"), ("version", "published_edtf"))
            if not pd.isna(row[column])
        }
        for row in frames["sources"].to_dict("records")
        if row["source_id"] != EDITORS
    ]
    return {**_metadata(registry), "sources": sources, **coverage(frames)}


def coverage(frames: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Describe the temporal and spatial coverage of the events, for the descriptor."""
    events = frames["events"]
    starts, ends = events["date_start"].dropna(), events["date_end"].dropna()
    countries = sorted(events["country_code"].dropna().unique())
    return {
        "temporal": {"start": str(starts.min()), "end": str(ends.max())} if len(starts) and len(ends) else {},
        "spatial": {"countries": countries},
    }


def citation_file(metadata: Mapping[str, Any]) -> bytes:
    """Return ``CITATION.cff``, as Citation File Format 1.2 has it."""
    quoted = {key: json.dumps(metadata[key], ensure_ascii=False) for key in ("title", "description")}
    authors = "".join(f"  - name: {json.dumps(person['title'])}\n" for person in metadata["contributors"])
    return (
        "cff-version: 1.2.0\nmessage: If you use these data, please cite them as below.\ntype: dataset\n"
        f"title: {quoted['title']}\nabstract: {quoted['description']}\nversion: {metadata['version']}\n"
        f"date-released: {metadata['created']}\nlicense: {metadata['licenses'][0]['name']}\nauthors:\n{authors}"
    ).encode()
