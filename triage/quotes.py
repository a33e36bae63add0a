"""The sentences that speak for a label, verbatim and with their place."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence

from classifiers.prediction import Prediction
from extractors.extraction import Extraction
from triage.result import Quote

MOST_QUOTES = 2
LONGEST_QUOTE = 300
# What a sentence gains by its length and by the values it states, beside the words that speak most for the label (1):
# chosen by what a reader found most telling in 150 messages of dev and calibration.
_LENGTH, _VALUE, _VALUES = 0.3, 0.3, 2
_SENTENCE = re.compile(r"[^\n.!?]+(?:[.!?](?!\s|$)[^\n.!?]*)*[.!?]*")


WordWeights = Callable[[str, str], Sequence[tuple[int, int, float]]]


def telling_quotes(extraction: Extraction, prediction: Prediction, word_weights: WordWeights) -> tuple[Quote, ...]:
    """What speaks for the label; where several are in question, the most telling sentence for each of the likeliest."""
    if prediction.abstained != "ambiguous":
        return find_quotes(extraction, prediction.label, word_weights)
    likeliest = sorted(prediction.scores, key=lambda label: -prediction.scores[label])[:MOST_QUOTES]
    best = [find_quotes(extraction, label, word_weights)[:1] for label in likeliest]
    return tuple(dict.fromkeys(quote for found in best for quote in found))


def find_quotes(extraction: Extraction, label: str, word_weights: WordWeights) -> tuple[Quote, ...]:
    """`word_weights(text, label)` gives (start, end, weight) of the words that speak for the label, in their order.

    Looks into the newest text first, then the subject, then the documents.
    """
    message = extraction.message
    places: list[tuple[str, int | None, str, int, int]] = [
        ("body", None, message.text, s.start, s.end) for s in message.segments if s.kind == "newest"
    ]
    places.append(("subject", None, message.subject, 0, len(message.subject)))
    places += [(d.part, p.number, p.text, 0, len(p.text)) for d in extraction.documents for p in d.pages]
    scored: list[tuple[float, Quote]] = []
    for part, page, text, start, end in places:
        weights = word_weights(text[start:end], label)
        begins = [start + s for s, _, _ in weights]  # in order: each sentence looks at its own words alone
        for sentence in _SENTENCE.finditer(text, start, end):
            quote = sentence.group().strip()
            if len(quote) < 3:
                continue
            at = sentence.start() + sentence.group().index(quote)
            until = min(at + len(quote), at + LONGEST_QUOTE)
            own = weights[bisect_left(begins, at) : bisect_left(begins, until)]
            total = sum(w for _, e, w in own if e + start <= until)
            score = total / math.sqrt(len(quote.split()))  # else the longest sentence would always win
            scored.append((score, Quote(quote=text[at:until], part=part, start=at, end=until, page=page)))
        if part != "body" and any(score > 0 for score, _ in scored):
            break  # the documents are asked only when the message itself says nothing
    most = max((score for score, _ in scored), default=0.0)
    if most <= 0:
        return tuple(quote for _, quote in scored[:1])
    told = _told_in(extraction)
    speaking = [(score / most + told(quote), quote) for score, quote in scored if score > 0]
    return tuple(quote for _, quote in sorted(speaking, key=lambda pair: -pair[0])[:MOST_QUOTES])


def _told_in(extraction: Extraction) -> Callable[[Quote], float]:
    """`The driver knew of nothing` may be as typical of missing goods as `three crates are missing`, and tells less."""
    starts: dict[tuple[str, int | None], list[int]] = {}
    for place in sorted((f.evidence for f in extraction.findings), key=lambda e: e.start):
        starts.setdefault((place.part, place.page), []).append(place.start)

    def told(quote: Quote) -> float:
        there = starts.get((quote.part, quote.page), [])
        values = bisect_left(there, quote.end) - bisect_left(there, quote.start)
        return _LENGTH * math.log(len(quote.quote.split())) + _VALUE * min(values, _VALUES)

    return told
