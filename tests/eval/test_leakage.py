"""Leakage is found in each of its forms, and honest neighbours are left alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from eval.datasets import Case
from eval.leakage import find_leaks
from triage.cli import app

LATE = (
    "The truck for order 4471 is still in Calais because of the strike, we expect it on Friday morning at the earliest."
)
SAME = (
    "the truck for order 9902 is still in CALAIS because of the strike; we expect it on friday morning at the earliest"
)
NEAR = (
    "Hi Ann, the truck for order 12 is still in Calais because of the strike, we expect it on Friday at the earliest."
)
OTHER = "Two cartons arrived crushed this morning, the driver has signed for it and we keep the photos for the claim."


def leaks(*texts: tuple[str, str, str]) -> list[tuple[str, str, str]]:
    """(split, group, text) of each case to (kind, first, second)."""
    cases = [
        Case.model_validate({"id": str(i), "message": {"text": t}, "split": s, "group": g or None})
        for i, (s, g, t) in enumerate(texts)
    ]
    return [(leak.kind, leak.first, leak.second) for leak in find_leaks(cases, [t for _, _, t in texts])]


def test_each_form_of_leak_is_found_across_splits() -> None:
    assert leaks(("train", "", LATE), ("test", "", LATE)) == [("exact", "0", "1")]
    assert leaks(("train", "", LATE), ("test", "", SAME)) == [("normalised", "0", "1")]
    assert leaks(("train", "", LATE), ("dev", "", NEAR)) == [("near", "0", "1")]
    assert leaks(("train", "g", LATE), ("test", "g", OTHER)) == [("group", "0", "1")]


def test_what_is_alike_within_one_split_or_not_alike_at_all_is_no_leak() -> None:
    assert leaks(("train", "", LATE), ("train", "", LATE), ("test", "", OTHER)) == []
    assert leaks(("train", "", "Any news?"), ("test", "", "Any news yet?")) == []


def test_a_leak_far_from_the_first_block_is_found() -> None:
    texts = [f"word{i} and word{i + 1} and word{i * 7} went to place{i * 3} on day{i}a" for i in range(700)]
    rows = [("train", "", text.replace("0", "zero")) for text in texts]
    found = leaks(*rows, ("test", "", LATE), ("train", "", NEAR))
    assert [kind for kind, first, second in found if (first, second) == ("700", "701")] == ["near"]


def test_the_command_fails_with_a_table(tmp_path: Path) -> None:
    rows = [{"id": s, "message": {"text": LATE}, "split": s} for s in ("train", "test")]
    path = tmp_path / "d.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    answer = CliRunner().invoke(app, ["eval", "leakage", str(path)])
    assert answer.exit_code == 1
    assert "exact" in answer.output and "train (train) = test (test)" in answer.output
    path.write_text(json.dumps(rows[0]), encoding="utf-8")
    assert CliRunner().invoke(app, ["eval", "leakage", str(path)]).exit_code == 0
    assert CliRunner().invoke(app, ["eval", "leakage", str(tmp_path / "none.jsonl")]).exit_code == 2


def test_the_same_document_on_both_sides_is_found_though_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7 bill of lading 1")
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7 bill of lading 2")
    rows = [{"id": s, "files": ["a.pdf"], "split": s} for s in ("train", "test")]
    path = tmp_path / "d.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    answer = CliRunner().invoke(app, ["eval", "leakage", str(path)])
    assert answer.exit_code == 1 and "exact" in answer.output
    path.write_text("\n".join(map(json.dumps, [rows[0], rows[1] | {"files": ["b.pdf"]}])), encoding="utf-8")
    assert CliRunner().invoke(app, ["eval", "leakage", str(path)]).exit_code == 0
    (tmp_path / "b.pdf").unlink()
    assert "1 could not be read" in CliRunner().invoke(app, ["eval", "leakage", str(path)]).output


def test_the_same_in_other_words_is_found_by_its_vector() -> None:
    texts = [
        LATE,
        "Because of the strike order 4471 has not left Calais; no lorry before Friday.",
        OTHER,
    ]
    cases = [
        Case.model_validate({"id": str(i), "message": {"text": t}, "split": s})
        for i, (s, t) in enumerate(zip(("train", "test", "test"), texts, strict=True))
    ]
    vectors = np.array([[1.0, 0.0], [0.98, 0.199], [0.8, 0.6]], np.float32)
    found = find_leaks(cases, texts, vectors=vectors)
    assert [(leak.kind, leak.first, leak.second) for leak in found] == [("meaning", "0", "1")]
    assert find_leaks(cases, texts) == []


def test_our_own_messages_have_no_copies_across_their_splits() -> None:
    """Copies in other words take minutes to look for: `--meaning`, when the data change (docs/evaluation.md)."""
    answer = CliRunner().invoke(app, ["eval", "leakage", "eval/data/dispatch.jsonl"])
    assert answer.exit_code == 0, answer.output
