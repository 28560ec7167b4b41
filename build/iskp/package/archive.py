"""A release as files: a zip whose bytes depend on its content alone, its checksums, and a verifier.

The zip has the package as it stands: descriptor, tables, and the texts beside them. Entries are sorted, have one
fixed time and mode, and are deflated by the one level, so that the same package makes the same bytes.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath

from iskp.package.files import sha256
from iskp.package.opening import OpenedPackage

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
CHANGES = PurePosixPath("changes.csv.gz")
"""The change table of a release: as CSV it can be larger than the package, since a new row is told cell by cell."""
BESIDE = ("README.md", "CHANGELOG.md", "LICENSE", "LICENSE-DATA.md", "CITATION.cff")


def package_files(package: OpenedPackage) -> dict[PurePosixPath, bytes]:
    """Return the files of a package: its descriptor, its resources, and the texts that lie beside it."""
    names = ["datapackage.json", *(resource["path"] for resource in package.descriptor["resources"])]
    names += [name for name in (*BESIDE, "data/README.md") if (package.root / name).is_file()]
    return {PurePosixPath(name): (package.root / name).read_bytes() for name in dict.fromkeys(names)}


def deterministic_zip(files: Mapping[PurePosixPath, bytes]) -> bytes:
    """Return a zip of the files; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(str(path), FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, files[path])
    return buffer.getvalue()


def checksums(files: Mapping[PurePosixPath, bytes]) -> bytes:
    """Return a ``SHA256SUMS`` file, as ``sha256sum --check`` reads it."""
    return "".join(f"{sha256(content)}  {path}\n" for path, content in sorted(files.items())).encode()


def verifier() -> bytes:
    """Return ``verify.py``, which checks a release with the standard library alone."""
    return resources.files("iskp.package").joinpath("verify_release.py").read_bytes()


def release_files(package: OpenedPackage, change_table: bytes) -> dict[PurePosixPath, bytes]:
    """Return the files of a release: zip, change table, verifier, and the checksums of them."""
    stem = f"{package.descriptor['name']}-{package.version}"
    files = {
        PurePosixPath(f"{stem}.zip"): deterministic_zip(package_files(package)),
        CHANGES: gzip.compress(change_table, compresslevel=9, mtime=0),
        PurePosixPath("verify.py"): verifier(),
    }
    return {**files, PurePosixPath("SHA256SUMS"): checksums(files)}
