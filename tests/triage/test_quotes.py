"""The sentences that speak for a label, found in a time that grows with the text and not with its square."""

from __future__ import annotations

import re

import pytest

from classifiers.prediction import Prediction
from extractors.evidence import Evidence, Finding
from extractors.extraction import Extraction
from extractors.limits import Limits
from extractors.message import message_from_json
from triage.quotes import find_quotes, telling_quotes


def weights(text: str, label: str) -> list[tuple[int, int, float]]:
    return [(word.start(), word.end(), 2.0 if word[0] == label else 0.1) for word in re.finditer(r"\w+", text)]


def test_the_sentence_with_the_weightiest_words_comes_first_and_counts_no_word_of_its_neighbours() -> None:
    message = message_from_json({"text": "Good day. The truck broke. Nothing else. It broke, it broke."}, Limits())
    first, second = find_quotes(Extraction(message=message), "broke", weights)
    assert (first.quote, second.quote) == ("It broke, it broke.", "The truck broke.")
    assert message.text[first.start : first.end] == first.quote


def test_where_two_labels_are_in_question_each_is_told_in_its_most_telling_sentence() -> None:
    message = message_from_json({"text": "The truck is late. Two drums are missing. It is late, late."}, Limits())
    scores = {"late": 0.45, "missing": 0.4, "damage": 0.15}
    torn = Prediction("late", 0.45, scores, "ambiguous", "1")
    told = telling_quotes(Extraction(message=message), torn, weights)
    assert [quote.quote for quote in told] == ["It is late, late.", "Two drums are missing."]
    sure = Prediction("late", 0.9, scores, None, "1")
    assert [q.quote for q in telling_quotes(Extraction(message=message), sure, weights)][1] == "The truck is late."


def test_a_sentence_that_states_values_and_a_longer_one_come_before_one_whose_words_say_as_much() -> None:
    text = "The driver knew of nothing. Three crates are missing. None of us here has any idea where."
    message = message_from_json({"text": text}, Limits())
    at = text.index("Three")
    evidence = Evidence(part="body", quote="Three", start=at, end=at + 5)
    missing = Finding(field="pieces_short", value="3 H87", score=0.9, method="pattern", evidence=evidence)
    told = find_quotes(Extraction(message=message, findings=(missing,)), "missing", weights)
    assert [q.quote for q in told] == ["Three crates are missing.", "None of us here has any idea where."]


@pytest.mark.timeout(30)
def test_a_text_of_nothing_but_short_sentences_is_read_in_a_time_that_grows_with_it() -> None:
    message = message_from_json({"text": "late.\n" * 12_000}, Limits())
    assert find_quotes(Extraction(message=message), "late", weights)[0].quote == "late."
