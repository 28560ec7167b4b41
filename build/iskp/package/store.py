"""A store of released versions, at any place that ``fsspec`` reaches: a folder, S3-compatible storage, the web.

Layout::

    index.json                  the versions, with days, hashes and summaries
    latest                      the newest version's number, moved last
    v1.0.0/claim                whose release this is: the SHA-256 of its manifest
    v1.0.0/datapackage.json …   the package, as files that pandas can read by address
    v1.0.0/iskp-1.0.0.zip …     the release, with its change table, checksums and verifier
    v1.0.0/release.json         the manifest: SHA-256 and size of every file; written last of all

A version's folder never changes. It is claimed first, by a file that can be created only once, so that of two
publishers at once one goes on and the other is refused or, with the same bytes, helps. A version counts as published
when its manifest is there; the index is made from the manifests and checked after it was written, until it holds all
of them. So whoever is killed, wherever, publishing again completes it, and no reader ever sees half a version.

Object stores put a file as a whole or not at all. In a folder each is written aside, in ``.drafts``, and then moved or
linked into place; what a killed publisher left there, a later one removes after a day.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import pooch
from fsspec.implementations.local import LocalFileSystem
from packaging.version import Version

from iskp.package.archive import package_files
from iskp.package.files import sha256
from iskp.package.opening import open_package

MANIFEST, CLAIM, INDEX, LATEST = "release.json", "claim", "index.json", "latest"
DRAFTS = ".drafts"
ATTEMPTS = 20
DAY = 86_400.0


class PublishRefusedError(Exception):
    """Raised when a version is there already with other bytes."""


@dataclass
class Store:
    """A store at an address; ``write`` is a parameter only so that tests can stop it at any write."""

    address: str
    options: Mapping[str, Any] | None = None
    write: Callable[[Any, str, bytes], None] | None = None

    def __post_init__(self) -> None:
        self.files, root = fsspec.core.url_to_fs(self.address, **(self.options or {}))
        self.files.use_listings_cache = False
        self.root = root.rstrip("/")

    def path(self, *parts: str) -> str:
        """Return the path of something in the store."""
        return "/".join([self.root, *parts])

    def read(self, *parts: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            FileNotFoundError: if there is none.
        """
        content: bytes = self.files.cat_file(self.path(*parts))
        return content

    def manifest(self, version: str) -> dict[str, Any]:
        """Return the manifest of a version.

        Raises:
            FileNotFoundError: if the version is not published; the message has those that are.
        """
        try:
            content: dict[str, Any] = json.loads(self.read(f"v{version}", MANIFEST))
        except FileNotFoundError as error:
            there = ", ".join(entry["version"] for entry in self.index()) or "no version"
            raise FileNotFoundError(f"version {version} is not in {self.address}; there is {there}") from error
        return content

    def index(self) -> list[dict[str, Any]]:
        """Return the published versions, oldest first, with day, hash and summary of each."""
        try:
            content: list[dict[str, Any]] = json.loads(self.read(INDEX))["versions"]
        except FileNotFoundError:
            return []
        return content

    def manifests(self) -> dict[str, dict[str, Any]]:
        """Return the manifests that are in the store, whatever the index says."""
        self.files.invalidate_cache()
        found = self.files.glob(self.path("v*", MANIFEST))
        versions = [PurePosixPath(path).parent.name.removeprefix("v") for path in found]
        return {version: self.manifest(version) for version in sorted(versions, key=Version)}

    def publish(self, release: Path) -> str:
        """Publish a release from its folder; return its version. Safe to repeat.

        Raises:
            PublishRefusedError: if the version is there with other bytes.
        """
        manifest, files = manifest_of(release)
        version = manifest["version"]
        self._claim(version, sha256(_as_bytes(manifest)))
        for path, content in files.items():
            if not self._holds(f"v{version}", str(path), content=content):
                self._put(content, f"v{version}", str(path))
        self._put(_as_bytes(manifest), f"v{version}", MANIFEST)
        self._update_index()
        self._remove_old_drafts()
        return str(version)

    def _put(self, content: bytes, *parts: str) -> None:
        path = self.path(*parts)
        self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        if self.write is not None:
            self.write(self.files, path, content)
        elif isinstance(self.files, LocalFileSystem):
            with self._drafted(content) as draft:
                draft.replace(path)
        else:
            self.files.pipe_file(path, content)

    def _create(self, content: bytes, *parts: str) -> None:
        """Write a file that is not there yet, as a whole.

        Raises:
            FileExistsError: if it is there.
        """
        path = self.path(*parts)
        self.files.makedirs(path.rpartition("/")[0], exist_ok=True)
        if isinstance(self.files, LocalFileSystem):
            with self._drafted(content) as draft:
                os.link(draft, path)
        else:
            self.files.pipe_file(path, content, mode="create")

    @contextlib.contextmanager
    def _drafted(self, content: bytes) -> Iterator[Path]:
        """Give a file with the content, in the same file system as the store; it is gone afterwards."""
        folder = Path(self.path(DRAFTS))
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / uuid.uuid4().hex
        draft.write_bytes(content)
        try:
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _remove_old_drafts(self) -> None:
        if isinstance(self.files, LocalFileSystem):
            for draft in Path(self.path(DRAFTS)).glob("*"):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - draft.stat().st_mtime > DAY:
                        draft.unlink()

    def _holds(self, *parts: str, content: bytes) -> bool:
        try:
            return self.read(*parts) == content
        except FileNotFoundError:
            return False

    def _claim(self, version: str, digest: str) -> None:
        try:
            self._create(digest.encode(), f"v{version}", CLAIM)
        except FileExistsError:
            if self.read(f"v{version}", CLAIM).decode() != digest:
                message = f"version {version} is in {self.address} already, with other bytes; a version never changes"
                raise PublishRefusedError(message) from None

    def _update_index(self) -> None:
        for _ in range(ATTEMPTS):
            versions = [_entry(manifest) for manifest in self.manifests().values()]
            index = _as_bytes({"versions": versions})
            newest = str(versions[-1]["version"]).encode()
            if self._holds(INDEX, content=index) and self._holds(LATEST, content=newest):
                return
            self._put(index, INDEX)
            self._put(newest, LATEST)
        raise PublishRefusedError("other publishers change the index all the time; publish again")


def _as_bytes(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _entry(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": manifest["version"],
        "created": manifest["created"],
        "manifest_sha256": sha256(_as_bytes(manifest)),
        "summary": manifest["summary"],
    }


def manifest_of(release: Path) -> tuple[dict[str, Any], dict[PurePosixPath, bytes]]:
    """Return the manifest of a release in its folder, and the files to publish: those of the release and its package.

    Raises:
        FileNotFoundError: if there is no zip in the folder.
    """
    archives = sorted(release.glob("*.zip"))
    if not archives:
        raise FileNotFoundError(f"{release}: no release is in it; make one with 'iskp release'")
    files = {PurePosixPath(path.name): path.read_bytes() for path in sorted(release.iterdir()) if path.is_file()}
    with open_package(str(archives[0])) as package:
        files |= package_files(package)
        about = package.descriptor
    log = files.get(PurePosixPath("CHANGELOG.md"), b"").decode()
    manifest = {
        "name": about["name"],
        "version": about["version"],
        "created": about["created"][:10],
        "summary": _section(log, about["version"]),
        "files": {str(path): {"bytes": len(files[path]), "sha256": sha256(files[path])} for path in sorted(files)},
    }
    return manifest, files


def _section(log: str, version: str) -> list[str]:
    section = log.partition(f"\n## {version} ")[2].partition("\n## ")[0]
    return [line.removeprefix("- ") for line in section.splitlines() if line.startswith("- ")]


def cached_file(store: Store, version: str, name: str, cache: Path) -> Path:
    """Return a local copy of a file of a version, fetched once, kept by its hash, and verified at each use.

    Raises:
        FileNotFoundError: if the version or the file is not published, and no copy is kept.
        ValueError: if what was fetched has another hash than the manifest says.
    """
    entry = cached_manifest(store, version, cache)["files"].get(name)
    if entry is None:
        raise FileNotFoundError(f"version {version} in {store.address} has no file {name}")

    def fetch(_url: str, output: str, _pooch: Any) -> None:
        Path(output).write_bytes(store.read(f"v{version}", name))

    suffix = PurePosixPath(name).suffix
    # Where a file is kept on disk is nobody's business; whoever loads a table asks for the table.
    pooch.get_logger().setLevel("WARNING")
    fetched: str = pooch.retrieve(
        url=store.path(f"v{version}", name),
        known_hash=f"sha256:{entry['sha256']}",
        fname=f"{entry['sha256']}{suffix}",
        path=cache,
        downloader=fetch,
    )
    return Path(fetched)


def cached_manifest(store: Store, version: str, cache: Path) -> dict[str, Any]:
    """Return a version's manifest, kept once it was read: a published version never changes."""
    key = hashlib.sha256(f"{store.address} {version}".encode()).hexdigest()
    path = cache / f"{key}.json"
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    manifest = store.manifest(version)
    cache.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_bytes(_as_bytes(manifest))
    draft.replace(path)
    return manifest
