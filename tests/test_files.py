"""Files of a package are moved in all or none, wherever the move is cut off."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from killed import Killed, moving

from iskp.package.files import finish, write_all

OLD = {"data/a.csv": b"old a", "data/b.csv": b"old b", "datapackage.json": b"old"}
NEW = {"data/a.csv": b"new a", "data/c.csv": b"new c", "datapackage.json": b"new"}


def lay(folder: Path, files: dict[str, bytes]) -> None:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".staging" not in path.parts
    }


def everything(path: PurePosixPath) -> bool:
    return True


def as_paths(files: dict[str, bytes]) -> dict[PurePosixPath, bytes]:
    return {PurePosixPath(name): content for name, content in files.items()}


def test_new_files_are_written_and_old_ones_removed(tmp_path: Path) -> None:
    lay(tmp_path, OLD)
    changed = write_all(tmp_path, as_paths(NEW), everything)
    assert files_of(tmp_path) == NEW
    assert [str(path) for path in changed] == ["data/a.csv", "data/b.csv", "data/c.csv", "datapackage.json"]


def test_equal_files_are_not_touched(tmp_path: Path) -> None:
    lay(tmp_path, OLD)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert write_all(tmp_path, as_paths(OLD), everything) == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize("step", range(6))
def test_move_that_is_cut_off_leaves_the_old_package_or_can_be_finished(step: int, tmp_path: Path) -> None:
    lay(tmp_path, OLD)
    try:
        write_all(tmp_path, as_paths(NEW), everything, moving(until=step))
    except Killed:
        if step == 0:
            assert files_of(tmp_path) == OLD
        finish(tmp_path)
    assert files_of(tmp_path) == (OLD if step == 0 else NEW)
    assert not (tmp_path / ".staging").exists()


CONTENTS = st.dictionaries(
    st.sampled_from(["data/a.csv", "data/b.csv", "data/c.csv", "datapackage.json"]), st.binary(max_size=8), min_size=1
)


@given(CONTENTS, CONTENTS)
def test_any_files_become_any_others(
    tmp_path_factory: pytest.TempPathFactory, old: dict[str, bytes], new: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    lay(folder, old)
    write_all(folder, as_paths(new), everything)
    kept = {name: content for name, content in old.items() if not name.startswith("data/")}
    assert files_of(folder) == kept | new


def test_killed_build_leaves_the_package_whole(
    example: Path, edit: Callable[[str, str, str], int], snapshot: Callable[[Path], dict[str, bytes]]
) -> None:
    command = [sys.executable, "-m", "iskp", "build", "--quiet", "--root", str(example)]
    subprocess.run(command, check=True)
    before = snapshot(example)
    edit("registry/events.yaml", "title: Bombing", "title: The bombing")
    for delay in (0.3, 0.9, 1.5, 2.1, 2.7):
        process = subprocess.Popen(command)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        finish(example)
        after = snapshot(example)
        assert after == before or (after != before and b"The bombing" in after["data/events.csv"])
        if after != before:
            break
    subprocess.run(command, check=True)
    assert b"The bombing" in snapshot(example)["data/events.csv"]
