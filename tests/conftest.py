"""Fixtures: the checkout, the documents held beside it, and a small made-up package to build and break."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from iskp.coding.evidence import fingerprint, normalised_words
from iskp.coding.quoting import fill_sheet
from iskp.package.schema import TableSchema, read_schemas

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
TEXT_OF_SHEET = {"gazette-2021-03-20": "gazette", "courier-2021-04": "courier"}


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def schemas() -> dict[str, TableSchema]:
    """The schemas of the checkout."""
    return read_schemas(ROOT / "schemas")


@pytest.fixture(scope="session")
def held_texts() -> Path:
    """The folder of held documents; tests that want it are skipped where it is missing."""
    folder = SHARED / "sources"
    if not folder.is_dir():
        pytest.skip("the held documents are not beside the checkout")
    return folder


@pytest.fixture(scope="session")
def filled_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up package with its quotes turned into fingerprints."""
    folder = tmp_path_factory.mktemp("example") / "package"
    shutil.copytree(ROOT / "tests" / "example", folder)
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    for sheet, text in TEXT_OF_SHEET.items():
        path, source = folder / f"sources/{sheet}.yaml", folder / f"texts/{text}.txt"
        whole = fingerprint(normalised_words(source.read_text(encoding="utf-8")))
        path.write_text(path.read_text(encoding="utf-8").replace(text.upper(), whole), encoding="utf-8")
        fill_sheet(path, source)
    return folder


@pytest.fixture
def example(filled_example: Path, tmp_path: Path) -> Path:
    """A fresh copy of the made-up package, to build and to break."""
    folder = tmp_path / "package"
    shutil.copytree(filled_example, folder)
    return folder


@pytest.fixture
def edit(example: Path) -> Callable[[str, str, str], int]:
    """Replace a text in a file of the made-up package, once; return the line on which it stood."""

    def replace(name: str, old: str, new: str) -> int:
        path = example / name
        content = path.read_text(encoding="utf-8")
        assert content.count(old) >= 1, f"{old!r} is not in {name}"
        path.write_text(content.replace(old, new, 1), encoding="utf-8")
        return content[: content.index(old)].count("\n") + 1

    return replace


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, bytes]]:
    """Return the bytes of every file that a build makes."""

    def take(folder: Path) -> dict[str, bytes]:
        made = [*folder.glob("data/*"), folder / "datapackage.json"]
        return {str(path.relative_to(folder)): path.read_bytes() for path in made if path.is_file()}

    return take
