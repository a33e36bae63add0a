"""The words of a page say what it is where its title does not, and only then."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from extractors.documents import by_title, recognise
from extractors.words_of_types import Words, likeliest, load, packaged, save

PLAIN = "Some page\nweighbridge tare gross axle weighbridge\nnothing else"
KNOWN = Words(
    ["delivery_note", "other_document"],
    {"weighbridge": 0, "delivered": 1},
    np.array([2.0, 1.0]),
    np.array([[-3.0, 3.0], [3.0, -3.0]]),
    np.zeros(2),
)


def test_words_speak_where_no_title_is_sure() -> None:
    assert recognise(PLAIN, words=KNOWN)[0] == "other_document"
    assert recognise("Delivered\n" + PLAIN.replace("weighbridge", ""), words=KNOWN)[0] == "delivery_note"


def test_a_sure_title_is_not_talked_over() -> None:
    text = "PROOF OF DELIVERY\n" + PLAIN
    assert by_title(text)[1] > 0.6
    assert recognise(text, words=KNOWN) == by_title(text)


def test_words_that_nobody_knows_leave_it_to_the_titles() -> None:
    assert recognise("qwerty uiop", words=KNOWN)[0] == by_title("qwerty uiop")[0] == "other_document"


def test_accents_and_capitals_make_no_other_word_and_repetition_counts_less_than_once_more() -> None:
    one, two = (likeliest(text, KNOWN) for text in ("WEIGHBRIDGE", "weighbridgé weighbridge"))
    assert one == two and one[0] == "other_document"


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    save(KNOWN, tmp_path / "types.npz")
    loaded = load(tmp_path / "types.npz")
    assert likeliest(PLAIN, loaded) == likeliest(PLAIN, KNOWN)
    assert len(packaged().types) == 14
