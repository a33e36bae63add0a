"""The words themselves: TF-IDF with a linear head, which also shows which words speak for a label."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

WORD = r"(?u)\b\w\w+\b"
_token = re.compile(WORD)


def vectorizer(vocabulary: Sequence[str] | None = None, idf: NDArray[np.float32] | None = None) -> TfidfVectorizer:
    """Words and pairs of words, sublinear counts; ready with `vocabulary` and `idf`, else waiting to be fitted."""
    words = TfidfVectorizer(
        token_pattern=WORD,
        ngram_range=(1, 2),
        min_df=1 if vocabulary is not None else 3,
        sublinear_tf=True,
        strip_accents="unicode",
        dtype=np.float32,
        vocabulary=None if vocabulary is None else {word: i for i, word in enumerate(vocabulary)},
    )
    if idf is not None:
        words.idf_ = idf
    return words


class Lexical:
    """`coefficients` has the shape (labels, words)."""

    def __init__(
        self,
        vocabulary: Sequence[str],
        idf: NDArray[np.float32],
        coefficients: NDArray[np.float32],
        intercepts: NDArray[np.float32],
    ) -> None:
        self._words = vectorizer(vocabulary, idf)
        self._index = {word: i for i, word in enumerate(vocabulary)}
        self._idf = idf
        self._coefficients = coefficients
        self._intercepts = intercepts
        self._plain = self._words.build_preprocessor()

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, labels)."""
        features: csr_matrix = self._words.transform(texts)
        return np.asarray(features @ self._coefficients.T + self._intercepts, np.float32)

    def word_weights(self, text: str, label: int) -> list[tuple[int, int, float]]:
        """Start, end and weight of each word that speaks for the label (weight > 0) in the text."""
        weighted = []
        for word in _token.finditer(text):
            known = self._index.get(self._plain(word.group()))
            weight = 0.0 if known is None else float(self._coefficients[label, known] * self._idf[known])
            if weight > 0:
                weighted.append((word.start(), word.end(), weight))
        return weighted
