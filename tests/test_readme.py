"""The snippets of the README do what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SNIPPET = re.compile(r"^```(?P<language>python|sh)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(root: Path, language: str) -> list[str]:
    found = SNIPPET.finditer((root / "README.md").read_text(encoding="utf-8"))
    return [match["code"] for match in found if match["language"] == language]


def test_python_snippets_run(root: Path) -> None:
    code = "\n".join(snippets(root, "python"))
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True, text=True)
    assert "iskp" in done.stdout


def test_worked_example_adds_a_source(root: Path, tmp_path: Path) -> None:
    for name in ("sources", "registry", "schemas", "data", "dist"):
        shutil.copytree(root / name, tmp_path / name)
    for name in ("README.md", "datapackage.json"):
        shutil.copy(root / name, tmp_path)
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    setup = "git init -q . && git add data && git -c user.name=t -c user.email=t@example.org commit -qm before\n"
    steps = [step for step in snippets(root, "sh") if "make" not in step.split()]
    script = "set -euo pipefail\n" + setup + "\n".join(steps)
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "3 quotes replaced" in done.stdout
    assert "date_edtf = 2019-04-12 “Friday”" in done.stdout
    assert "valid" in done.stdout
    assert re.search(r"example-wire-2019-04-13 +3 of 3 spans found", done.stdout), done.stdout
    assert "data/events.csv" in done.stdout
    assert "claims: " in done.stdout
    assert "would write dist/v" in done.stdout
    assert "known errors" in done.stdout


@pytest.mark.parametrize(
    "page", ["README.md", "sources/README.md", "registry/README.md", "schemas/README.md", "build/README.md"]
)
def test_links_lead_somewhere(page: str, root: Path) -> None:
    text = (root / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert ((root / page).parent / target).exists(), target
