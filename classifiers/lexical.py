"""The letters themselves: TF-IDF with a linear head, which also shows which words speak for a label.

The weights are those of scikit-learn's TfidfVectorizer, which fits them; it is not imported here, since that takes a
second of every start.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LENGTHS = (2, 3, 4, 5)
_word = re.compile(r"\w+")
_digit = re.compile(r"\d")


def runs(text: str) -> list[str]:
    """Runs of 2 to 5 letters within words and their edges; they carry over between inflections and languages.

    In lower case without accents; every digit is a 0, since which one it is says nothing.
    """
    letters = unicodedata.normalize("NFKD", text.lower())
    bare = _digit.sub("0", "".join(c for c in letters if not unicodedata.combining(c)))
    found = []
    for word in bare.split():
        edged = f" {word} "
        for length in _LENGTHS:
            found += [edged[i : i + length] for i in range(max(1, len(edged) - length + 1))]
            if length >= len(edged):
                break  # a short word counts once
    return found


class Lexical:
    """`coefficients` has the shape (labels, runs of letters)."""

    def __init__(self, vocabulary: Sequence[str], idf: NDArray[np.float32], coefficients: NDArray[np.float32]) -> None:
        self._index = {run: i for i, run in enumerate(vocabulary)}
        self._idf = idf
        self._coefficients = np.ascontiguousarray(coefficients.T)

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, labels), without the intercepts."""
        found = np.zeros((len(texts), self._coefficients.shape[1]), np.float32)
        for row, text in zip(found, texts, strict=True):
            counts = Counter(self._index[run] for run in runs(text) if run in self._index)
            if counts:
                known = np.fromiter(counts, np.int64)
                weights = (1 + np.log(np.fromiter(counts.values(), np.float32))) * self._idf[known]
                row += weights @ self._coefficients[known] / np.linalg.norm(weights)
        return found

    def word_weights(self, text: str, label: int) -> list[tuple[int, int, float]]:
        """Start, end and weight of each word that speaks for the label (weight > 0) in the text."""
        weighted = []
        for word in _word.finditer(text):
            known = [self._index[run] for run in runs(word.group()) if run in self._index]
            weight = float((self._coefficients[known, label] * self._idf[known]).sum())
            if weight > 0:
                weighted.append((word.start(), word.end(), weight))
        return weighted
