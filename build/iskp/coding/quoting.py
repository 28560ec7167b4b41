"""Turning the words that a coder quotes in a draft into fingerprints, in place.

A coder writes ``at: killed 20 people``, as it stands in the text; this module replaces the words by their
fingerprint, and leaves everything else in the sheet as it was written. Where the words stand more than once, the
coder says which: ``at: killed 20 people #2``.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from iskp.coding.evidence import Evidence, cite, fingerprint, normalised_words
from iskp.problem import Problem, ProblemsFound


def quotes_to_fingerprints(sheet: str, text: str, name: str) -> tuple[str, int]:
    """Return a sheet with every quoted ``at`` replaced, and how many there were.

    Raises:
        ProblemsFound: for words that are not in the text, or stand there more than once with no number given.
    """
    root = yaml.compose(sheet, Loader=yaml.SafeLoader)
    quoted = [node for node in _at_nodes(root) if not _is_fingerprint(str(node.value))]
    problems: list[Problem] = []
    replacements: list[tuple[int, int, str]] = []
    for node in quoted:
        try:
            evidence = _resolve(str(node.value), text)
        except ValueError as error:
            line = node.start_mark.line + 1
            problems.append(Problem(name, line, str(error), "quote the words as they stand in the text", "quote"))
            continue
        replacements.append((node.start_mark.index, node.end_mark.index, str(evidence)))
    if problems:
        raise ProblemsFound(problems)
    for start, end, written in sorted(replacements, reverse=True):
        sheet = sheet[:start] + written + sheet[end:]
    return sheet, len(replacements)


def _at_nodes(node: yaml.Node | None) -> list[yaml.ScalarNode]:
    found: list[yaml.ScalarNode] = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "at" and isinstance(value, yaml.ScalarNode):
                found.append(value)
            else:
                found += _at_nodes(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            found += _at_nodes(item)
    return found


def _is_fingerprint(written: str) -> bool:
    try:
        Evidence.parse(written)
    except ValueError:
        return False
    return True


def _resolve(quoted: str, text: str) -> Evidence:
    phrase, numbered, number = quoted.rpartition(" #")
    if not (numbered and re.fullmatch(r"[1-9][0-9]*", number)):
        phrase, number = quoted, ""
    places = cite(text, phrase)
    if not places:
        raise ValueError(f"the words “{phrase}” do not stand in the text")
    if not number and len(places) > 1:
        raise ValueError(
            f"the words “{phrase}” stand in the text {len(places)} times; add #1 to #{len(places)}, or more words"
        )
    if number and int(number) > len(places):
        raise ValueError(f"the words “{phrase}” stand in the text only {len(places)} times")
    return places[int(number or 1) - 1]


def with_text_sha256(sheet: str, text: str) -> str:
    """Return a sheet whose header has the fingerprint of the whole text, by which a copy of it is recognised.

    A header that has one keeps it: a sheet is of the text that it was coded from.
    """
    if re.search(r"^\s+text_sha256:", sheet, re.MULTILINE):
        return sheet
    whole = fingerprint(normalised_words(text))
    return re.sub(r"^(\s+)source_id:.*$", rf"\g<0>\n\g<1>text_sha256: {whole}", sheet, count=1, flags=re.MULTILINE)


def fill_sheet(sheet: Path, text: Path) -> int:
    """Replace the quoted words in a sheet's file by fingerprints; return how many there were.

    Raises:
        ProblemsFound: as :func:`quotes_to_fingerprints`; then the file is as it was.
    """
    words = text.read_text(encoding="utf-8")
    written, count = quotes_to_fingerprints(sheet.read_text(encoding="utf-8"), words, str(sheet))
    sheet.write_text(with_text_sha256(written, words), encoding="utf-8")
    return count
