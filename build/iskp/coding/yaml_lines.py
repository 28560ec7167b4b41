"""YAML files with the line of every value, so that an error can say where it stands.

All scalars are read as text (``no`` stays ``no`` and ``2019-05`` stays ``2019-05``): what a value means is decided
by the model of the file, not by YAML's guesses. A key that stands twice is an error, since the second would silently
replace the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from iskp.problem import Problem, ProblemsFound

Place = tuple[str | int, ...]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class LinedFile:
    """A YAML file as plain mappings, lists and texts, with the line of each place in it."""

    name: str
    content: Any
    lines: Mapping[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """Return the line of a place or, where it does not exist, of the nearest one around it."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return 0


def read_yaml(path: Path, name: str | None = None) -> LinedFile:
    """Read one YAML file; ``name`` is how errors call it.

    Raises:
        ProblemsFound: for a syntax error, a duplicate key, an empty value or an alias.
    """
    name = name or str(path)
    lines: dict[Place, int] = {}
    problems: list[Problem] = []
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise ProblemsFound(
            [Problem(name, line, f"YAML syntax: {error.problem}", "mend the indent, quote or bracket", "yaml_syntax")]
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ProblemsFound(
            [Problem(name, 0, f"not readable as YAML: {error}", "save it as UTF-8 text", "yaml_syntax")]
        ) from error
    content = _plain(root, (), lines, problems, name) if root is not None else {}
    if problems:
        raise ProblemsFound(problems)
    return LinedFile(name, content, lines)


def _plain(node: yaml.Node, place: Place, lines: dict[Place, int], problems: list[Problem], name: str) -> Any:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            inner = (*place, str(key.value))
            line = key.start_mark.line + 1
            if key.value in mapping:
                problems.append(
                    Problem(name, line, f"key {key.value!r} stands twice", "keep one", "yaml_duplicate_key")
                )
                continue
            lines[inner] = line
            mapping[str(key.value)] = _plain(value, inner, lines, problems, name)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*place, i), lines, problems, name) for i, item in enumerate(node.value)]
    text = str(node.value)
    if text == "":
        line = lines[place]
        problems.append(Problem(name, line, "an empty value", "give a value or leave the key out", "yaml_empty"))
    return text


def read_folder(folder: Path, root: Path) -> Iterator[LinedFile]:
    """Read every ``*.yaml`` of a folder, in the order of their names; errors of all files come together.

    Raises:
        ProblemsFound: as :func:`read_yaml`.
    """
    files: list[LinedFile] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            files.append(read_yaml(path, path.relative_to(root).as_posix()))
        except ProblemsFound as found:
            problems += found.problems
    if problems:
        raise ProblemsFound(problems)
    yield from files
