"""Evidence is found again wherever its words stand."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from iskp.coding.evidence import (
    Evidence,
    Text,
    choose_text,
    cite,
    evidence_at,
    find_all,
    fingerprint,
    normalised_words,
)
from iskp.coding.quoting import quotes_to_fingerprints, with_text_sha256
from iskp.pipeline import read_coded, verify_evidence
from iskp.problem import ProblemsFound

WORDS = st.lists(st.sampled_from(["red", "blue", "seven", "people", "died", "in", "alba", "nearly", "50"]), min_size=1)


@given(WORDS, st.data())
def test_span_is_found_at_its_position(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    span = evidence_at(words, start, data.draw(st.integers(1, len(words) - start)))
    finding = find_all([span], words)[span]
    assert (finding.start, finding.how) == (start, "position")


@given(WORDS, st.lists(st.sampled_from(["menu", "login"]), min_size=1), st.data())
def test_unique_span_is_found_behind_new_furniture(words: list[str], furniture: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    span = evidence_at(words, start, data.draw(st.integers(1, len(words) - start)))
    run = words[start : start + span.words]
    assume(sum(words[i : i + span.words] == run for i in range(len(words))) == 1)
    finding = find_all([span], furniture + words)[span]
    assert (finding.start, finding.how) == (len(furniture) + start, "moved")


def test_repeated_span_goes_with_its_neighbours() -> None:
    words = "one died in alba then two died in alba".split()
    spans = [evidence_at(words, 1, 3), evidence_at(words, 5, 1), evidence_at(words, 6, 3)]
    findings = find_all(spans, ["menu", *words])
    assert [findings[span].start for span in spans] == [2, 6, 7]
    assert findings[spans[2]].how == "nearest"


def test_repeated_span_without_neighbours_is_ambiguous() -> None:
    words = "a x b a y b".split()
    span = Evidence(9, 1, fingerprint(["a"]))
    assert find_all([span], words)[span].how == "ambiguous"


def test_span_that_is_not_there_is_missing() -> None:
    span = Evidence(0, 1, fingerprint(["gone"]))
    assert find_all([span], ["here"])[span].how == "missing"


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalised_words(text)
    assert normalised_words(" ".join(once)) == once


@given(st.integers(0, 10**6), st.integers(1, 99), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_written_evidence_reads_back(start: int, words: int, digest: str) -> None:
    evidence = Evidence(start, words, digest)
    assert Evidence.parse(str(evidence)) == evidence


@pytest.mark.parametrize("written", ["3+0:" + "a" * 64, "3+2:abc", "killed 20 people", "3+2", "-1+2:" + "a" * 64])
def test_other_forms_of_evidence_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match="iskp cite"):
        Evidence.parse(written)


def test_citation_ignores_case_quotes_and_line_breaks() -> None:
    assert cite("He said: “Killed\n20 people!”", "killed 20 PEOPLE") == [
        Evidence(2, 3, fingerprint(["killed", "20", "people"]))
    ]


def test_phrase_without_words_is_nowhere() -> None:
    assert cite("some text", "…") == []


def test_text_with_less_than_half_of_the_spans_is_no_copy() -> None:
    words = "one two three four".split()
    spans = [evidence_at(words, i, 1) for i in range(4)]
    other = Text(Path("other.txt"), ["one", "five"])
    assert choose_text(spans, "0" * 64, [other]) is None
    assert choose_text(spans, "0" * 64, [other, Text(Path("copy.txt"), ["menu", *words])]) is not None


def test_quotes_become_fingerprints_and_all_else_stays() -> None:
    sheet = 'a:  # comment\n  - {x: 1, at: killed two}\n  - at: "two people"\n'
    filled, count = quotes_to_fingerprints(sheet, "He killed two people.", "sheet")
    assert count == 2
    assert (
        filled.replace(f"1+2:{fingerprint(['killed', 'two'])}", "killed two").replace(
            f"2+2:{fingerprint(['two', 'people'])}", '"two people"'
        )
        == sheet
    )


def test_header_gets_the_fingerprint_of_the_text_once() -> None:
    sheet = "source:\n  source_id: wire\n  title: x\n"
    filled = with_text_sha256(sheet, "Some text.")
    assert filled == f"source:\n  source_id: wire\n  text_sha256: {fingerprint(['some', 'text'])}\n  title: x\n"
    assert with_text_sha256(filled, "Another text.") == filled


def test_quote_that_stands_twice_needs_a_number() -> None:
    with pytest.raises(ProblemsFound, match="add #1 to #2"):
        quotes_to_fingerprints("at: two", "two and two", "sheet")
    assert quotes_to_fingerprints("at: 'two #2'", "two and two", "sheet")[0] == f"at: 2+1:{fingerprint(['two'])}"


def test_quote_that_is_not_in_the_text_names_its_line() -> None:
    with pytest.raises(ProblemsFound, match=r"sheet:2: .*do not stand in the text"):
        quotes_to_fingerprints("x: 1\nat: three", "two", "sheet")


def test_every_span_of_the_held_documents_is_found_in_place(root: Path, held_texts: Path) -> None:
    for document in verify_evidence(read_coded(root).claims, held_texts):
        assert document.text is not None, document.source_id
        assert document.count("position") == len(document.findings) > 100
        assert document.problems == ()


def _stripped(text: str, seed: int) -> str:
    """Drop lines of fewer than nine words (menus, captions, headings), and wrap the rest anew."""
    generator = random.Random(seed)
    words = [word for line in text.splitlines() if len(line.split()) >= 9 for word in line.split()]
    return "".join(word + generator.choice([" ", " ", " ", "\n", "\n\n"]) for word in words)


def test_spans_are_found_in_copies_without_furniture_and_with_other_line_breaks(
    root: Path, held_texts: Path, tmp_path: Path
) -> None:
    for number, path in enumerate(sorted(held_texts.glob("*.txt"))):
        stripped = _stripped(path.read_text(encoding="utf-8"), number)
        (tmp_path / f"copy{number}.txt").write_text(stripped, encoding="utf-8")
    found = total = 0
    for document in verify_evidence(read_coded(root).claims, tmp_path):
        assert document.text is not None, document.source_id
        found += document.found
        total += len(document.findings)
    assert found >= 0.95 * total
