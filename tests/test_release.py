"""The story of a publisher and a data scientist: release, publish, add a source, release again, load both."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from killed import Killed, moving
from moto.server import ThreadedMotoServer

import iskp
from iskp.cli import main
from iskp.package.apply import apply_changes, text_tables
from iskp.package.changes import cause_counts
from iskp.package.commit_notes import commit_causes
from iskp.package.files import finish, write_all
from iskp.package.opening import open_package
from iskp.package.store import PublishRefusedError, Store, manifest_of
from iskp.pipeline import build
from iskp.release import ReleaseRefusedError, carry_out, plan_release, with_entry

Edit = Callable[[str, str, str], int]
GAZETTE = "sources/gazette-2021-03-20.yaml"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def files_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def released(example: Path) -> Path:
    """The made-up package, released once as 0.1.0."""
    carry_out(example, plan_release(example, "2021-05-02"))
    return example


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISKP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the release's own verifier in an interpreter that sees no package."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py")]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_the_story(released: Path, edit: Edit, tmp_path: Path, cache: Path) -> None:
    store = f"file://{tmp_path}/store"
    assert run("publish", store, "--root", released).exit_code == 0

    edit(GAZETTE, "best: 7, stated: killed seven people", "best: 8, stated: killed eight people")
    edit(GAZETTE, "qualifier: nearly, ", "")
    text = (released / GAZETTE).read_text(encoding="utf-8").splitlines()
    kept = [line for line in text if "best: 8" not in line]
    (released / GAZETTE).write_text("\n".join(kept) + "\n", encoding="utf-8")

    refused = run("release", "--root", released, "--date", "2021-06-01")
    assert refused.exit_code == 1
    assert "have no cause" in refused.stderr

    dry = run("release", "--root", released, "--date", "2021-06-01", "--cause", "recoded", "--dry-run")
    assert "would write dist/v0.2.0/example-0.2.0.zip" in dry.output
    assert not (released / "dist/v0.2.0").exists()

    done = run("release", "--root", released, "--date", "2021-06-01", "--cause", "recoded")
    assert done.exit_code == 0, done.stderr
    assert "version 0.2.0" in done.output
    assert "## 0.2.0 (2021-06-01)" in (released / "CHANGELOG.md").read_text(encoding="utf-8")
    assert run("publish", store, "--root", released).exit_code == 0

    assert list(iskp.versions(store).index) == ["0.1.0", "0.2.0"]
    old, new = (iskp.load("event_counts", version=v, store=store) for v in ("0.1.0", "0.2.0"))
    assert str(old["best"].dtype) == "Int64"
    changes = iskp.changes("0.1.0", "0.2.0", store=store)
    changed = changes[(changes["table"] == "event_counts") & (changes["op"] == "change")]
    assert set(changed["cause"]) == {"recoded"}
    assert not old.equals(new)
    plain = pd.read_parquet(f"{store}/v0.1.0/data/event_counts.parquet")
    pd.testing.assert_frame_equal(plain, old)

    for version in ("0.1.0", "0.2.0"):
        assert verify(released / f"dist/v{version}").stdout == "good\n"
    assert run("versions", store).output.startswith("0.1.0      2021-05-02")

    shutil.rmtree(tmp_path / "store")
    pd.testing.assert_frame_equal(iskp.load("event_counts", version="0.1.0", store=store), old)


def test_unchanged_package_is_not_released(released: Path) -> None:
    with pytest.raises(ReleaseRefusedError, match=r"nothing changed since version 0\.1\.0"):
        plan_release(released, "2021-06-01")


def test_package_bears_the_released_version_only_while_it_is_that(released: Path, edit: Edit) -> None:
    def version() -> str:
        build(released)
        return str(json.loads((released / "datapackage.json").read_text(encoding="utf-8"))["version"])

    assert version() == "0.1.0"
    edit("registry/events.yaml", "Bombing of a market in Alba", "Bombing of the market of Alba")
    assert version() == "0.1.0+changed"
    assert "version: 0.1.0+changed" in (released / "CITATION.cff").read_text(encoding="utf-8")
    carry_out(released, plan_release(released, "2021-06-01", cause="recoded"))
    assert version() == "0.2.0"


def test_less_than_the_computed_version_is_refused_and_more_is_granted(released: Path, edit: Edit) -> None:
    edit("registry/events.yaml", "title: Bombing", "title: The bombing")
    with pytest.raises(ReleaseRefusedError, match=r"ask for 0\.2\.0"):
        plan_release(released, "2021-06-01", version="0.1.1", cause="reworded")
    assert plan_release(released, "2021-06-01", version="1.0.0", cause="reworded").version == "1.0.0"


def test_released_id_that_is_lost_stops_the_release(released: Path, edit: Edit) -> None:
    for name in (GAZETTE, "sources/courier-2021-04.yaml", "registry/events.yaml"):
        edit(name, "ev0001:", "ev0002:")
    shutil.rmtree(released / "data")
    with pytest.raises(ReleaseRefusedError, match="the released id 'ev0001' is lost"):
        plan_release(released, "2021-06-01", cause="renumbered")


def test_retired_id_is_released_as_a_rename(released: Path, edit: Edit) -> None:
    for name in (GAZETTE, "sources/courier-2021-04.yaml", "registry/events.yaml"):
        edit(name, "ev0001:", "ev0002:")
    edit("registry/retired.yaml", "[]", "[{id: ev0001, table: events, into: [ev0002], reason: renumbered}]")
    plan = plan_release(released, "2021-06-01", cause="renumbered")
    assert plan.diff.tables["events"].renamed == 1
    assert plan.diff.tables["events"].removed == 0


def test_causes_come_from_a_file(released: Path, edit: Edit, tmp_path: Path) -> None:
    edit("registry/events.yaml", "title: Bombing", "title: The bombing")
    path = tmp_path / "causes.csv"
    path.write_text("table,record_id,field,cause\n,,,reworded\nevents,ev0001,title,plainer\n", encoding="utf-8")
    result = run("release", "--root", released, "--date", "2021-06-01", "--causes", path)
    assert result.exit_code == 0, result.stderr
    with gzip.open(released / "dist/v0.2.0/changes.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        causes = {(row["table"], row["field"]): row["cause"] for row in csv.DictReader(lines) if row["op"] == "change"}
    assert causes["events", "title"] == "plainer"
    assert set(causes.values()) == {"plainer", "reworded"}


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=publisher", "-c", "user.email=publisher@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def test_causes_come_from_the_notes_of_the_commits_since_the_last_release(released: Path, edit: Edit) -> None:
    git(released, "init", "--quiet")
    git(released, "add", ".")
    git(released, "commit", "--quiet", "--message", "Release 0.1.0\n\nCause: of long ago")
    edit("registry/events.yaml", "Bombing of a market in Alba", "Bombing of the market of Alba")
    git(released, "commit", "--quiet", "--all", "--message", "Reword\n\nCause: reworded\nCause: (claims) see events")
    plan = plan_release(released, "2021-06-01", cause="no cause told")
    assert dict(cause_counts(plan.diff.changes)) == {"reworded": 1, "see events": 1}
    file = [{"table": "events", "record_id": "", "field": "", "cause": "from the file"}]
    plan = plan_release(released, "2021-06-01", causes=file)
    assert dict(cause_counts(plan.diff.changes)) == {"from the file": 1, "see events": 1}


@pytest.mark.parametrize(("note", "message"), [("(events)", "gives no cause"), ("(a, b, c, d) why", "more in its")])
def test_note_that_is_no_cause_is_refused(note: str, message: str, released: Path) -> None:
    git(released, "init", "--quiet")
    git(released, "add", ".")
    git(released, "commit", "--quiet", "--message", "Release 0.1.0")
    git(released, "commit", "--quiet", "--allow-empty", "--message", f"Change\n\nCause: {note}")
    with pytest.raises(ValueError, match=message):
        commit_causes(released, "dist/v0.1.0")


def test_outside_a_checkout_no_commit_gives_a_cause(released: Path) -> None:
    assert commit_causes(released, "dist/v0.1.0") == []


def test_change_table_of_a_release_makes_the_new_tables_from_the_old(released: Path, edit: Edit) -> None:
    edit("registry/events.yaml", "title: Bombing", "title: The bombing")
    edit("registry/organizations.yaml", "name: Red Front", "name: The Red Front\n    acronym: Red Front")
    carry_out(released, plan_release(released, "2021-06-01", cause="reworded"))
    with gzip.open(released / "dist/v0.2.0/changes.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        rows = [{key: value or None for key, value in row.items()} for row in csv.DictReader(lines)]
    with open_package("0.1.0", released / "dist") as old, open_package("0.2.0", released / "dist") as new:
        assert apply_changes(text_tables(old), rows) == text_tables(new)


def test_same_release_is_the_same_bytes(example: Path) -> None:
    first, second = (plan_release(example, "2021-05-02").files for _ in range(2))
    assert first == second


def test_release_that_exists_with_other_bytes_is_refused(released: Path, edit: Edit) -> None:
    edit("registry/events.yaml", "title: Bombing", "title: The bombing")
    plan = plan_release(released, "2021-06-01", cause="reworded")
    target = released / "dist/v0.2.0/example-0.2.0.zip"
    target.parent.mkdir()
    target.write_bytes(b"other")
    with pytest.raises(ReleaseRefusedError, match="a release never changes"):
        carry_out(released, plan)


def test_change_log_keeps_one_entry_per_version() -> None:
    once = with_entry("# Changelog\n", "0.1.0", "## 0.1.0 (2021-05-02)\n\n- First release.\n")
    twice = with_entry(once, "0.1.0", "## 0.1.0 (2021-05-03)\n\n- First release.\n")
    third = with_entry(twice, "0.2.0", "## 0.2.0 (2021-06-01)\n\n- More.\n")
    assert twice.count("## 0.1.0") == 1
    assert third.index("## 0.2.0") < third.index("## 0.1.0 (2021-05-03)")


@pytest.mark.parametrize("damage", ["zip", "sums", "missing", "inside"])
def test_verifier_finds_damage(damage: str, released: Path) -> None:
    folder = released / "dist/v0.1.0"
    archive = folder / "example-0.1.0.zip"
    if damage == "zip":
        archive.write_bytes(archive.read_bytes() + b"x")
    elif damage == "sums":
        (folder / "SHA256SUMS").unlink()
    elif damage == "missing":
        (folder / "changes.csv.gz").unlink()
    else:
        with zipfile.ZipFile(archive) as opened:
            content = {name: opened.read(name) for name in opened.namelist()}
        content["data/events.csv"] += b"x"
        with zipfile.ZipFile(archive, "w") as opened:
            for name, data in content.items():
                opened.writestr(name, data)
    result = verify(folder)
    assert result.returncode == 1
    assert result.stdout != "good\n"


def killing(after: int) -> Callable[[Any, str, bytes], None]:
    """Return a writer that ends the process after some writes, in the middle of one."""
    writes = 0

    def write(files: Any, path: str, content: bytes) -> None:
        nonlocal writes
        writes += 1
        if writes > after:
            files.pipe_file(path, content[: len(content) // 2])
            raise Killed
        files.pipe_file(path, content)

    return write


def test_publisher_killed_at_any_write_publishes_nothing_false_and_completes(released: Path, tmp_path: Path) -> None:
    whole = f"{tmp_path}/whole"
    Store(whole).publish(released / "dist/v0.1.0")
    wanted = files_of(Path(whole))
    for after in random.Random(7).sample(range(len(wanted)), min(25, len(wanted))):
        target = f"{tmp_path}/killed{after}"
        with pytest.raises(Killed):
            Store(target, write=killing(after)).publish(released / "dist/v0.1.0")
        index = Path(target, "index.json")
        if index.is_file() and not index.read_bytes().strip().endswith(b"}"):
            assert not Path(target, "latest").is_file()
        Store(target).publish(released / "dist/v0.1.0")
        assert files_of(Path(target)) == wanted


def test_publisher_killed_while_claiming_leaves_no_claim(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that is there and empty would refuse everybody for ever."""

    def killed(*arguments: object) -> None:
        raise Killed

    store = Store(f"{tmp_path}/store")
    with monkeypatch.context() as patched:
        patched.setattr("os.link", killed)
        with pytest.raises(Killed):
            store.publish(released / "dist/v0.1.0")
    assert not (tmp_path / "store/v0.1.0/claim").exists()
    assert store.publish(released / "dist/v0.1.0") == "0.1.0"


def test_publisher_process_killed_at_random_moments_loses_nothing(released: Path, tmp_path: Path) -> None:
    def command(target: Path) -> list[str]:
        return [sys.executable, "-m", "iskp", "publish", f"file://{target}", "--root", str(released)]

    def published(target: Path) -> dict[str, bytes]:
        return {name: content for name, content in files_of(target).items() if not name.startswith(".drafts/")}

    start = time.perf_counter()
    subprocess.run(command(tmp_path / "whole"), check=True, capture_output=True)
    whole = time.perf_counter() - start
    chosen = random.Random(9)
    for number in range(10):
        target = tmp_path / f"killed{number}"
        with subprocess.Popen(command(target), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            time.sleep(chosen.uniform(0.5, 1) * whole)
            process.kill()
        if (target / "index.json").exists():
            assert json.loads((target / "index.json").read_text(encoding="utf-8"))["versions"]
        subprocess.run(command(target), check=True, capture_output=True)
        assert published(target) == published(tmp_path / "whole")


def test_old_drafts_are_removed_and_new_ones_left(released: Path, tmp_path: Path) -> None:
    drafts = tmp_path / "store/.drafts"
    drafts.mkdir(parents=True)
    for name, age in (("old", 100_000), ("new", 0)):
        (drafts / name).write_bytes(b"")
        os.utime(drafts / name, (time.time() - age,) * 2)
    Store(f"{tmp_path}/store").publish(released / "dist/v0.1.0")
    assert [path.name for path in drafts.iterdir()] == ["new"]


def test_published_version_is_never_overwritten(released: Path, edit: Edit, tmp_path: Path) -> None:
    store = Store(f"{tmp_path}/store")
    store.publish(released / "dist/v0.1.0")
    before = files_of(tmp_path / "store")
    (released / "dist/v0.1.0/changes.csv.gz").write_bytes(b"other")
    with pytest.raises(PublishRefusedError, match="a version never changes"):
        store.publish(released / "dist/v0.1.0")
    assert files_of(tmp_path / "store") == before


def test_publishing_again_changes_nothing(released: Path, tmp_path: Path) -> None:
    store = Store(f"{tmp_path}/store")
    store.publish(released / "dist/v0.1.0")
    before = files_of(tmp_path / "store")
    store.publish(released / "dist/v0.1.0")
    assert files_of(tmp_path / "store") == before


def two_releases(released: Path, edit: Edit) -> list[Path]:
    edit("registry/events.yaml", "title: Bombing", "title: The bombing")
    carry_out(released, plan_release(released, "2021-06-01", cause="reworded"))
    return [released / "dist" / f"v{version}" for version in ("0.1.0", "0.2.0")]


def test_two_publishers_at_once_lose_nothing(released: Path, edit: Edit, tmp_path: Path) -> None:
    first, second = two_releases(released, edit)
    target = f"{tmp_path}/store"
    entered = False

    def write(files: Any, path: str, content: bytes) -> None:
        nonlocal entered
        if path.endswith("index.json") and not entered:
            entered = True
            Store(target).publish(second)
        files.pipe_file(path, content)

    Store(target, write=write).publish(first)
    assert [entry["version"] for entry in Store(target).index()] == ["0.1.0", "0.2.0"]
    assert Store(target).read("latest") == b"0.2.0"


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, Any]]:
    """A server of the S3 protocol on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {"endpoint_url": f"http://{host}:{port}", "key": "test", "secret": "test"}
    server.stop()


@pytest.mark.filterwarnings("ignore")
def test_store_on_s3_is_published_to_read_from_and_refuses(
    s3: dict[str, Any], released: Path, edit: Edit, tmp_path: Path, cache: Path
) -> None:
    fsspec.filesystem("s3", **s3).mkdir("iskp-test")
    first, second = two_releases(released, edit)
    address = "s3://iskp-test/store"
    with pytest.raises(Killed):
        Store(address, s3, write=killing(5)).publish(first)
    assert Store(address, s3).index() == []
    for release in (first, second):
        Store(address, s3).publish(release)
    store = Store(address, s3)
    assert [entry["version"] for entry in store.index()] == ["0.1.0", "0.2.0"]
    events = pd.read_parquet(f"{address}/v0.2.0/data/events.parquet", storage_options=s3)
    assert list(events["title"]) == ["The bombing of a market in Alba"]
    (second / "changes.csv.gz").write_bytes(b"other")
    with pytest.raises(PublishRefusedError):
        store.publish(second)


def test_release_killed_at_any_time_is_whole_or_can_be_completed(released: Path, edit: Edit) -> None:
    edit("registry/events.yaml", "title: Bombing", "title: The bombing")
    before = files_of(released)
    plan = plan_release(released, "2021-06-01", cause="reworded")
    pristine = released.parent / "pristine"
    shutil.copytree(released, pristine)
    carry_out(pristine, plan)
    wanted = files_of(pristine)
    for step in random.Random(3).sample(range(len(plan.files)), 25):
        folder = released.parent / f"killed{step}"
        shutil.copytree(released, folder)
        try:
            write_all(folder, plan.files, lambda path: path.parent.name == "data", moving(until=step))
        except Killed:
            finish(folder)
        assert files_of(folder) in (before, wanted)


def test_retired_ids_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = ["table_name", "record_id", "into_id", "reason"]
    rows = [("events", "x1", "x2", "r"), ("events", "x2", "ev0001", "r"), ("events", "x3", None, "withdrawn")]
    load = iskp.load
    retired = pd.DataFrame(rows, columns=columns)
    monkeypatch.setattr(iskp, "load", lambda table: retired if table == "retired_ids" else load(table))
    assert iskp.resolve("ev0001") == ["ev0001"]
    assert iskp.resolve("x1") == ["ev0001"]
    assert iskp.resolve("x3") == []
    assert iskp.resolve("voa-2019-05-15") == ["voa-2019-05-15"]
    assert iskp.resolve("united-nations") == ["united-nations"]
    with pytest.raises(KeyError, match="never an id of any table"):
        iskp.resolve("ev9999")
    with pytest.raises(KeyError, match="never an id of sources"):
        iskp.resolve("x1", "sources")


def test_id_that_is_retired_in_one_table_and_lives_in_another_asks_for_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [("authorities", "iskp", "united-nations", "r")]
    retired = pd.DataFrame(rows, columns=["table_name", "record_id", "into_id", "reason"])
    load = iskp.load
    monkeypatch.setattr(iskp, "load", lambda table: retired if table == "retired_ids" else load(table))
    with pytest.raises(ValueError, match="authorities and organizations; say of which"):
        iskp.resolve("iskp")
    assert iskp.resolve("iskp", "authorities") == ["united-nations"]


def test_loading_a_version_needs_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ISKP_STORE", raising=False)
    with pytest.raises(ValueError, match="ISKP_STORE"):
        iskp.load("events", version="0.1.0")


def test_file_that_was_tampered_with_in_the_store_is_not_loaded(released: Path, tmp_path: Path, cache: Path) -> None:
    store = f"{tmp_path}/store"
    Store(store).publish(released / "dist/v0.1.0")
    (tmp_path / "store/v0.1.0/data/events.parquet").write_bytes(b"tampered")
    with pytest.raises(ValueError, match="hash"):
        iskp.load("events", version="0.1.0", store=store)


def test_version_that_is_not_in_the_store_is_told_with_those_that_are(
    released: Path, tmp_path: Path, cache: Path
) -> None:
    store = f"file://{tmp_path}/store"
    Store(store).publish(released / "dist/v0.1.0")
    with pytest.raises(FileNotFoundError, match=r"version 9\.9\.9 is not in .*; there is 0\.1\.0"):
        iskp.load("events", version="9.9.9", store=store)
    with pytest.raises(FileNotFoundError, match="there is no version"):
        iskp.load("events", version="9.9.9", store=f"file://{tmp_path}/nowhere")


def test_release_without_a_zip_cannot_be_published(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="iskp release"):
        manifest_of(tmp_path)


def test_diff_command_has_the_exit_status_of_diff(released: Path) -> None:
    assert run("diff", "0.1.0", released, "--releases", released / "dist").exit_code == 0
    assert run("diff", released / "none", released).exit_code == 2
