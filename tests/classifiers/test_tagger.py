"""What points at the fields of a message: whole words, once each, and the same tagger from the same data."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from classifiers.adapter import changes_of, in_steps, merge, nearest
from classifiers.bundle import BundleError
from classifiers.e5 import load_model
from classifiers.tagger import Pointed, Tagger, decode, load_tagger
from classifiers.tagging import HIDDEN, MASKED, UNSURE, Marked, _unshown, averaged, train_tagger

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


def test_a_training_goes_on_from_a_tagger_of_the_same_fields() -> None:
    examples = [Marked(str(n), "train", MAIL, (("pallets", 40, 42),)) for n in range(9)]
    first = train_tagger(examples, layers=1, epochs=1)
    before = first.head.copy()
    onward = train_tagger(examples, start=first)
    assert onward.trained_on["start"] == first.version and onward.version != first.version
    assert np.array_equal(onward.mean, first.mean) and not np.array_equal(onward.head, first.head)
    assert np.array_equal(first.head, before)
    others = [Marked(str(n), "train", MAIL, (("pieces", 40, 42),)) for n in range(9)]
    with pytest.raises(ValueError, match="other fields"):
        train_tagger(others, start=first)


def test_the_average_of_two_taggers_lies_between_them_and_is_one_of_its_own() -> None:
    examples = [Marked(str(n), "train", MAIL, (("pallets", 40, 42),)) for n in range(9)]
    first = train_tagger(examples, layers=1, epochs=1)
    second = replace(train_tagger(examples, layers=1, epochs=2), mean=first.mean, deviation=first.deviation)
    half = averaged(first, second, 0.25)
    assert half.version not in (first.version, second.version)
    assert half.head == pytest.approx(0.25 * first.head + 0.75 * second.head, abs=1e-6)
    one, other, mixed = (changes_of(tagger.adapter) for tagger in (first, second, half))
    for name, change in mixed.items():
        assert torch.allclose(change, 0.25 * one[name] + 0.75 * other[name], atol=float(change.abs().max()) / 100)


def test_some_places_are_hidden_as_a_whole_in_a_training_that_goes_on() -> None:
    torch.manual_seed(1)
    wanted = torch.tensor([[-100, 0, 1, 2, 2, 0, 1, 5, 0, -100]] * 4000)  # places of three tokens, of one and of one
    hidden = _unshown(wanted).float()
    together = hidden[:, 2] * hidden[:, 3] * hidden[:, 4]
    assert hidden[:, 1].mean().item() == pytest.approx(MASKED, abs=0.02)
    assert together.mean().item() == pytest.approx(HIDDEN + (1 - HIDDEN) * MASKED**3, abs=0.02)
    assert (hidden[:, 6] * hidden[:, 7]).mean().item() == pytest.approx(hidden[:, 6].mean().item() ** 2, abs=0.03)


def test_without_marks_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="mark more places"):
        train_tagger([Marked("1", "train", MAIL, ())])


def test_words_of_which_nobody_knows_what_they_state_teach_no_field() -> None:
    examples = [Marked(str(n), "train", MAIL, ((UNSURE, 0, 10), ("pallets", 40, 50))) for n in range(9)]
    assert train_tagger(examples, layers=1, epochs=1).fields == ("pallets",)


def test_a_faint_word_goes_with_the_name_beside_it_and_begins_none() -> None:
    text = "from Fresh & Local Foods\nGate 3"
    model = load_model(1)
    (window,) = model.windows(text)
    likely = {"Fresh": 0.9, "Local": 0.1, "Foods": 0.05, "Gate": 0.1}
    scores = np.zeros((len(window), 3), np.float32)
    for word, score in likely.items():
        start = text.index(word)
        for token, (a, b) in enumerate(window.offsets):
            if a < start + len(word) and start < b:
                scores[token, 1] = score
    found = decode(text, window, scores, ("carrier",), (0, len(text)))
    assert said(text, found) == {("carrier", "Fresh & Local Foods")} and found[0].score == pytest.approx(0.9)
    ahead = np.where(scores == np.float32(0.9), np.float32(0.1), scores)
    ahead[scores == np.float32(0.05)] = 0.8
    found = decode(text, window, ahead, ("carrier",), (0, len(text)))
    assert said(text, found) == {("carrier", "Fresh & Local Foods")}


def test_all_changes_of_a_training_are_kept_nearly_and_an_adapter_keeps_the_best_of_them() -> None:
    plain = load_model(1)
    names = [name for name, layer in plain.named_modules() if isinstance(layer, torch.nn.Linear)]
    torch.manual_seed(1)
    change = {name: torch.randn(plain.get_parameter(f"{name}.weight").shape) * 1e-3 for name in names}

    def off(model_change: dict[str, torch.Tensor]) -> float:
        return max(float((model_change[name] - change[name]).norm() / change[name].norm()) for name in names)

    def added(adapter: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        merged = load_model(1)
        merge(merged, adapter)
        return {n: merged.get_parameter(f"{n}.weight") - plain.get_parameter(f"{n}.weight") for n in names}

    kept = dict(in_steps(change))
    assert off(added(kept)) < 0.02
    assert off(added(dict(nearest(kept, 384)))) < 0.02 < off(added(dict(nearest(kept, 64)))) < 1
