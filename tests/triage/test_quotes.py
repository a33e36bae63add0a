"""The sentences that speak for a label, found in a time that grows with the text and not with its square."""

from __future__ import annotations

import re
import time

from extractors.extraction import Extraction
from extractors.limits import Limits
from extractors.message import message_from_json
from triage.quotes import find_quotes


def weights(text: str, label: str) -> list[tuple[int, int, float]]:
    return [(word.start(), word.end(), 2.0 if word[0] == label else 0.1) for word in re.finditer(r"\w+", text)]


def test_the_sentence_with_the_weightiest_words_comes_first_and_counts_no_word_of_its_neighbours() -> None:
    message = message_from_json({"text": "Good day. The truck broke. Nothing else. It broke, it broke."}, Limits())
    first, second = find_quotes(Extraction(message=message), "broke", weights)
    assert (first.quote, second.quote) == ("It broke, it broke.", "The truck broke.")
    assert message.text[first.start : first.end] == first.quote


def test_a_text_of_nothing_but_short_sentences_takes_no_time_worth_naming() -> None:
    message = message_from_json({"text": "late.\n" * 12_000}, Limits())
    started = time.process_time()
    assert find_quotes(Extraction(message=message), "late", weights)[0].quote == "late."
    assert time.process_time() - started < 2
