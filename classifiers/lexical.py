"""The letters themselves: TF-IDF with a linear head, which also shows which words speak for a label."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer, strip_accents_unicode

_word = re.compile(r"\w+")


def vectorizer(vocabulary: Sequence[str] | None = None, idf: NDArray[np.float32] | None = None) -> TfidfVectorizer:
    """Runs of 2 to 5 letters within words, sublinear counts; they carry over between inflections and languages.

    With `vocabulary` and `idf` it is ready, else it waits to be fitted.
    """
    runs = TfidfVectorizer(
        analyzer="char_wb",
        preprocessor=plain,
        ngram_range=(2, 5),
        min_df=1 if vocabulary is not None else 3,
        max_features=None if vocabulary is not None else 40_000,
        sublinear_tf=True,
        dtype=np.float32,
        vocabulary=None if vocabulary is None else {run: i for i, run in enumerate(vocabulary)},
    )
    if idf is not None:
        runs.idf_ = idf
    return runs


def plain(text: str) -> str:
    """Lower case without accents; every digit is a 0, since which one it is says nothing."""
    return re.sub(r"\d", "0", strip_accents_unicode(text.lower()))


class Lexical:
    """`coefficients` has the shape (labels, runs of letters)."""

    def __init__(self, vocabulary: Sequence[str], idf: NDArray[np.float32], coefficients: NDArray[np.float32]) -> None:
        self._runs = vectorizer(vocabulary, idf)
        self._index = {run: i for i, run in enumerate(vocabulary)}
        self._idf = idf
        self._coefficients = coefficients
        self._cut = self._runs.build_analyzer()

    def features(self, texts: Sequence[str]) -> csr_matrix:
        """(n, runs of letters)."""
        return self._runs.transform(texts)

    def word_weights(self, text: str, label: int) -> list[tuple[int, int, float]]:
        """Start, end and weight of each word that speaks for the label (weight > 0) in the text."""
        weighted = []
        for word in _word.finditer(text):
            known = [self._index[run] for run in self._cut(word.group()) if run in self._index]
            weight = float((self._coefficients[label, known] * self._idf[known]).sum())
            if weight > 0:
                weighted.append((word.start(), word.end(), weight))
        return weighted
