"""The package as committed is the one that the build makes, and valid."""

from pathlib import Path

from iskp.package.validate import validate_package

ROOT = Path(__file__).parent.parent


def test_committed_package_is_valid() -> None:
    assert validate_package(ROOT / "datapackage.json") == []
