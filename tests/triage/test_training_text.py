"""What a tagger is trained on is what it reads of a live message, at the same places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from triage.training_text import load_marked, load_marked_pages

TEXT = "The tiles for Harlow are late.\n\nOn Mon, 23 Nov 2026 at 10:00, Sue wrote:\n> Where are the doors?"


def files(tmp_path: Path, places: list[list[Any]], split: str = "train") -> tuple[Path, Path]:
    messages, marks = tmp_path / "messages.jsonl", tmp_path / "marks.jsonl"
    message = {"channel": "email", "subject": "tiles", "text": TEXT}
    messages.write_text(json.dumps({"id": "m-1", "split": split, "message": message}) + "\n")
    marks.write_text(json.dumps({"id": "m-1", "places": places}) + "\n")
    return messages, marks


def test_places_of_the_parts_are_those_of_the_text_that_is_read(tmp_path: Path) -> None:
    places = [["description", "body", 4, 9, "tiles"], ["consignee", "body", 14, 20, "Harlow"]]
    (marked,) = load_marked(*files(tmp_path, [["description", "subject", 0, 5, "tiles"], *places]))
    assert [marked.text[start:end] for _, start, end in marked.places] == ["tiles", "tiles", "Harlow"]
    assert marked.text.startswith("tiles\nThe tiles")
    assert "doors" not in marked.text


def test_the_test_split_is_left_out(tmp_path: Path) -> None:
    assert load_marked(*files(tmp_path, [], split="test")) == []


@pytest.mark.parametrize(
    "place",
    [
        ["description", "body", 4, 9, "doors"],
        ["description", "body", 90, 95, "doors"],  # in the history, which is not read
        ["description", "page", 4, 9, "tiles"],
        ["description", "body"],
    ],
)
def test_a_mark_that_does_not_stand_there_is_refused_by_file_and_line(tmp_path: Path, place: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"marks.jsonl line 1"):
        load_marked(*files(tmp_path, [place]))


def test_the_marks_that_come_with_the_data_stand_where_they_say() -> None:
    data = Path(__file__).parents[2] / "eval" / "data"
    marked = load_marked(data / "dispatch.jsonl", data / "marks.jsonl")
    assert sum(len(m.places) for m in marked) > 18_000


def test_pieces_of_pages_are_learnt_from(tmp_path: Path) -> None:
    file = tmp_path / "pages.jsonl"
    file.write_text(json.dumps({"id": "d/0", "text": "Sender: Kofler", "places": [["shipper", 8, 14]]}) + "\n")
    pieces = load_marked_pages(file)
    assert [(p.id, p.places) for p in pieces] == [("d/0", (("shipper", 8, 14),))]


def test_a_damaged_piece_is_refused_by_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "pages.jsonl"
    file.write_text(json.dumps({"id": "d/0", "places": []}) + "\n")
    with pytest.raises(ValueError, match=r"pages.jsonl line 1"):
        load_marked_pages(file)
