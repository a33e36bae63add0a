"""The letters and words themselves: TF-IDF with a linear head, which also shows which words speak for a label.

The weights are those of scikit-learn's TfidfVectorizer, which fits them; it is not imported here, since that takes a
second of every start.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import count, pairwise

import numpy as np
from numpy.typing import NDArray

_LENGTHS = (2, 3, 4, 5)
_word = re.compile(r"\w+")
_word_or_mark = re.compile(r"\w+|[?!]")
_digit = re.compile(r"\d")


def _bare(text: str) -> str:
    """In lower case without accents; every digit is a 0, since which one it is says nothing."""
    letters = unicodedata.normalize("NFKD", text.lower())
    return _digit.sub("0", "".join(c for c in letters if not unicodedata.combining(c)))


def runs(text: str) -> list[str]:
    """Runs of 2 to 5 letters within words and their edges; they carry over between inflections and languages."""
    found = []
    for word in _bare(text).split():
        edged = f" {word} "
        for length in _LENGTHS:
            found += [edged[i : i + length] for i in range(max(1, len(edged) - length + 1))]
            if length >= len(edged):
                break  # a short word counts once
    return found


def words(text: str) -> list[str]:
    """Words, question and exclamation marks, and neighbours of these in pairs."""
    single = _word_or_mark.findall(_bare(text))
    return single + [f"{one} {next_one}" for one, next_one in pairwise(single)]


KINDS = (runs, words)


class Lexical:
    """A vocabulary for each of `KINDS`; `idf` and `coefficients` (labels, features) have them one after the other."""

    def __init__(
        self, vocabularies: Sequence[Sequence[str]], idf: NDArray[np.float32], coefficients: NDArray[np.float32]
    ) -> None:
        places = count()
        self._places = [{feature: next(places) for feature in vocabulary} for vocabulary in vocabularies]
        self._idf = idf
        self._coefficients = np.ascontiguousarray(coefficients.T)

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, labels), without the intercepts."""
        found = np.zeros((len(texts), self._coefficients.shape[1]), np.float32)
        for row, text in zip(found, texts, strict=True):
            for kind, places in zip(KINDS, self._places, strict=True):
                counts = Counter(places[feature] for feature in kind(text) if feature in places)
                if counts:
                    known = np.fromiter(counts, np.int64)
                    weights = (1 + np.log(np.fromiter(counts.values(), np.float32))) * self._idf[known]
                    row += weights @ self._coefficients[known] / np.linalg.norm(weights)
        return found

    def word_weights(self, text: str, label: int) -> list[tuple[int, int, float]]:
        """Start, end and weight of each word that speaks for the label (weight > 0) in the text."""
        weighted = []
        for word in _word.finditer(text):
            known = [
                places[feature]
                for kind, places in zip(KINDS, self._places, strict=True)
                for feature in kind(word.group())
                if feature in places
            ]
            weight = float((self._coefficients[known, label] * self._idf[known]).sum())
            if weight > 0:
                weighted.append((word.start(), word.end(), weight))
        return weighted
