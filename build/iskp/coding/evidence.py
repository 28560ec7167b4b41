r"""Evidence without the text: where a claim's words stand in a document, and their fingerprint.

Articles may not be redistributed, yet anyone who holds one must be able to check every value. So a claim points at
its words: the document is normalised to a list of words, and the evidence is the position of the first, their
number, and the SHA-256 of the words joined by single spaces. Normalisation is Unicode NFKC, casefold, and the
matches of ``\w+`` in order, so that quotation marks, dashes, line breaks and capitals do not matter.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_WRITTEN = re.compile(r"(?P<start>[0-9]+)\+(?P<words>[1-9][0-9]*):(?P<sha256>[0-9a-f]{64})")


@dataclass(frozen=True, order=True, slots=True)
class Evidence:
    """A span of words; written ``212+3:<sha256>`` in a sheet."""

    start: int
    words: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.start}+{self.words}:{self.sha256}"

    @classmethod
    def parse(cls, written: str) -> Evidence:
        """Read the written form.

        Raises:
            ValueError: if it has another form.
        """
        match = _WRITTEN.fullmatch(written)
        if match is None:
            raise ValueError("evidence is written START+WORDS:SHA256, as 'iskp cite' prints it")
        return cls(int(match["start"]), int(match["words"]), match["sha256"])


def normalised_words(text: str) -> list[str]:
    """Return the words of a text as evidence counts them.

    >>> normalised_words("Nearly 50 — they said — were “injured”.")
    ['nearly', '50', 'they', 'said', 'were', 'injured']
    """
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())


def fingerprint(words: Sequence[str]) -> str:
    """Return the SHA-256 of words joined by single spaces, in UTF-8, as lower-case hex."""
    return hashlib.sha256(" ".join(words).encode()).hexdigest()


def evidence_at(words: Sequence[str], start: int, length: int) -> Evidence:
    """Return the evidence of ``length`` words from ``start``.

    Raises:
        ValueError: if the span leaves the text.
    """
    if start < 0 or length < 1 or start + length > len(words):
        raise ValueError(f"words {start} to {start + length} are not all in a text of {len(words)} words")
    return Evidence(start, length, fingerprint(words[start : start + length]))


def cite(text: str, phrase: str) -> list[Evidence]:
    """Return the evidence of every place where a phrase stands in a text, in order; empty if nowhere."""
    words, sought = normalised_words(text), normalised_words(phrase)
    if not sought:
        return []
    return [
        evidence_at(words, start, len(sought))
        for start in range(len(words) - len(sought) + 1)
        if words[start : start + len(sought)] == sought
    ]


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a span stands in a copy of its document; ``start`` is ``None`` when it was not found.

    ``how`` is ``position`` (at the place it was coded from), ``moved`` (elsewhere, and only there),
    ``nearest`` (at several places; the surroundings settle which), ``ambiguous`` or ``missing``.
    """

    evidence: Evidence
    start: int | None
    how: str


def find_all(spans: Iterable[Evidence], words: Sequence[str]) -> dict[Evidence, Finding]:
    """Find spans again in any copy of their document, whatever furniture was put around it or taken away.

    A span that stands at its position is found there. Others are sought by sliding a window of their length over the
    text. One that stands at several places goes to the place that has moved by the same distance as the nearest span
    around it that is found without doubt; it stays ambiguous when there is none or two places tie.
    """
    wanted = sorted(set(spans))
    index = _windows(words, {span.words for span in wanted}, {span.sha256 for span in wanted})
    findings: dict[Evidence, Finding] = {}
    unsettled: dict[Evidence, list[int]] = {}
    for span in wanted:
        places = index.get((span.words, span.sha256), [])
        if span.start in places:
            findings[span] = Finding(span, span.start, "position")
        elif len(places) == 1:
            findings[span] = Finding(span, places[0], "moved")
        elif places:
            unsettled[span] = places
        else:
            findings[span] = Finding(span, None, "missing")
    anchors = [(f.evidence.start, f.start - f.evidence.start) for f in findings.values() if f.start is not None]
    for span, places in unsettled.items():
        findings[span] = _settle(span, places, anchors)
    return findings


def _settle(span: Evidence, places: Sequence[int], anchors: Sequence[tuple[int, int]]) -> Finding:
    if not anchors:
        return Finding(span, None, "ambiguous")
    _, shift = min(anchors, key=lambda anchor: abs(anchor[0] - span.start))
    ranked = sorted(places, key=lambda place: abs(place - span.start - shift))
    if abs(ranked[0] - span.start - shift) == abs(ranked[1] - span.start - shift):
        return Finding(span, None, "ambiguous")
    return Finding(span, ranked[0], "nearest")


def _windows(words: Sequence[str], lengths: set[int], wanted: set[str]) -> Mapping[tuple[int, str], list[int]]:
    index: dict[tuple[int, str], list[int]] = {}
    for length in sorted(lengths):
        for start in range(len(words) - length + 1):
            digest = fingerprint(words[start : start + length])
            if digest in wanted:
                index.setdefault((length, digest), []).append(start)
    return index


@dataclass(frozen=True)
class Text:
    """A held copy of a document."""

    path: Path
    words: Sequence[str]

    @property
    def sha256(self) -> str:
        """Return the fingerprint of the whole text."""
        return fingerprint(self.words)


def read_texts(folder: Path) -> list[Text]:
    """Read every ``*.txt`` of a folder, in the order of their names."""
    return [Text(path, normalised_words(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.txt"))]


def choose_text(spans: Sequence[Evidence], sha256: str, texts: Sequence[Text]) -> Text | None:
    """Return the copy of a document among texts: the one with its fingerprint, else the one with most of its spans.

    A text that holds less than half of the spans is no copy.
    """
    for text in texts:
        if text.sha256 == sha256:
            return text
    scored = [
        (sum(finding.start is not None for finding in find_all(spans, text.words).values()), text) for text in texts
    ]
    if not scored:
        return None
    found, best = max(scored, key=lambda pair: pair[0])
    return best if 2 * found >= len(set(spans)) > 0 else None
