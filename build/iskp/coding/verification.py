"""Verification: every span of evidence found again in a copy of its document, and every figure in its span."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from iskp.coding.claims import Claim
from iskp.coding.evidence import Evidence, Finding, Text, choose_text, find_all, normalised_words
from iskp.coding.figures import stands_in
from iskp.coding.sheet import FIGURE_COLUMNS
from iskp.problem import Problem


@dataclass(frozen=True)
class Verification:
    """What became of one document's spans; ``text`` is ``None`` when no copy was found."""

    source_id: str
    text: Path | None
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]

    def count(self, *how: str) -> int:
        """Count the spans that were found in one of these ways."""
        return sum(finding.how in how for finding in self.findings)

    @property
    def found(self) -> int:
        """Count the spans that were found without doubt."""
        return self.count("position", "moved", "nearest")


def verify(claims: Iterable[Claim], fingerprints: dict[str, str], texts: Sequence[Text]) -> list[Verification]:
    """Verify the evidence of all claims, document by document, in the order of their ids.

    ``fingerprints`` maps each source whose text is held to the SHA-256 of that text. A copy may have other furniture
    around the article, and other line breaks; it is recognised by the spans that stand in it.
    """
    by_source: dict[str, list[Claim]] = {source_id: [] for source_id in fingerprints}
    for claim in claims:
        if claim.evidence is not None and claim.source_id in by_source:
            by_source[claim.source_id].append(claim)
    return [
        _verify_document(source_id, coded, fingerprints[source_id], texts)
        for source_id, coded in sorted(by_source.items())
    ]


def _verify_document(source_id: str, claims: Sequence[Claim], sha256: str, texts: Sequence[Text]) -> Verification:
    spans = sorted({claim.evidence for claim in claims if claim.evidence is not None})
    text = choose_text(spans, sha256, texts)
    if text is None:
        return Verification(source_id, None, (), ())
    findings = find_all(spans, text.words)
    problems: list[Problem] = []
    lost: set[Evidence] = set()
    for claim in claims:
        if claim.evidence is None or claim.evidence in lost:
            continue
        if findings[claim.evidence].start is None:
            lost.add(claim.evidence)
        problems += _check_claim(claim, findings[claim.evidence], text)
    return Verification(source_id, text.path, tuple(findings.values()), tuple(problems))


def _check_claim(claim: Claim, finding: Finding, text: Text) -> Iterable[Problem]:
    span = finding.evidence
    if finding.start is None:
        what = f"the {span.words} words of the evidence at word {span.start} are {finding.how} in {text.path.name}"
        yield claim.problem(what, "cite the words again with 'iskp cite'", f"evidence_{finding.how}")
        return
    words = text.words[finding.start : finding.start + span.words]
    if claim.field in FIGURE_COLUMNS and not stands_in(claim.value, words):
        what = f"the figure {claim.value or claim.stated!r} does not stand in its evidence, “{' '.join(words)}”"
        yield claim.problem(what, "cite the words that have the figure, or mend the figure", "figure_not_in_evidence")
    if claim.stated is not None and not _within(normalised_words(claim.stated), words):
        what = f"the stated words “{claim.stated}” do not stand in the evidence, “{' '.join(words)}”"
        yield claim.problem(
            what, "state words of the evidence, or cite the span that has them", "stated_not_in_evidence"
        )


def _within(run: Sequence[str], words: Sequence[str]) -> bool:
    return any(list(words[i : i + len(run)]) == list(run) for i in range(len(words) - len(run) + 1))
