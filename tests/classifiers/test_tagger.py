"""What points at the fields of a message: whole words, once each, and the same tagger from the same data."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from classifiers.bundle import BundleError
from classifiers.tagger import Pointed, Tagger, load_tagger
from classifiers.tagging import UNSURE, Marked, train_tagger

MAIL = (
    "Collection Thursday\nMorning Sue, the 14 pallets of roof tiles for Harlow Builders were not ready when our driver "
    "came at 07:30. Can we fetch them on Friday at 10:00 instead? Ref TR-88120."
)


def said(text: str, pointed: list[Pointed]) -> set[tuple[str, str]]:
    return {(p.field, text[p.start : p.end]) for p in pointed}


def test_it_points_at_what_a_mail_is_about(tagger: Tagger) -> None:
    found = said(MAIL, tagger.point(MAIL))
    assert {("pallets", "14"), ("description", "roof tiles"), ("shipment", "TR-88120")} <= found


def test_the_same_number_in_subject_and_text_is_no_long_one(tagger: Tagger) -> None:
    text = "Load GF-44120\nGF-44120 we'll be at the packhouse 3 hrs after booked time, was double booked."
    assert ("shipment", "GF-44120") in said(text, tagger.point(text))


def test_places_are_whole_words_in_their_order_and_do_not_overlap(tagger: Tagger) -> None:
    pointed = tagger.point(MAIL)
    assert pointed
    for before, after in pairwise(pointed):
        assert before.end <= after.start
    for place in pointed:
        assert not MAIL[place.start - 1 : place.start].isalnum()
        assert not MAIL[place.end : place.end + 1].isalnum()
        assert 0 < place.score <= 1


def test_a_long_text_is_read_to_its_end_and_nothing_is_pointed_at_twice(tagger: Tagger) -> None:
    filler = "Nothing to report from the yard this morning, the gate is open and the weather is fine. " * 12
    text = f"{filler}\n{MAIL}\n{filler}"
    pointed = tagger.point(text)
    assert ("description", "roof tiles") in said(text, pointed)
    assert len({(p.start, p.end) for p in pointed}) == len(pointed)


@pytest.mark.parametrize("text", ["", " \n ", "?!", "…"])
def test_nothing_is_no_error(tagger: Tagger, text: str) -> None:
    assert tagger.point(text) == []


def test_training_twice_gives_the_same_tagger_and_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    goods = ["tiles", "pumps", "apples", "doors", "paint", "salmon", "books", "tyres", "glass"]
    texts = [(f"Our {name} are still missing", name) for name in goods]
    examples = [
        Marked(str(n), "train", text, (("description", text.index(name), text.index(name) + len(name)),))
        for n, (text, name) in enumerate(texts)
    ]
    first, second = (train_tagger(examples, layers=1, epochs=1) for _ in range(2))
    assert first.version == second.version
    assert first.fields == ("description",)
    first.save(tmp_path)
    loaded = load_tagger(tmp_path)
    assert Tagger(loaded).point(MAIL) == Tagger(first).point(MAIL)
    with (tmp_path / "arrays.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match="triage train-tagger"):
        load_tagger(tmp_path)


def test_without_marks_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="mark more places"):
        train_tagger([Marked("1", "train", MAIL, ())])


def test_words_of_which_nobody_knows_what_they_state_teach_no_field() -> None:
    examples = [Marked(str(n), "train", MAIL, ((UNSURE, 0, 10), ("pallets", 40, 50))) for n in range(9)]
    assert train_tagger(examples, layers=1, epochs=1).fields == ("pallets",)
