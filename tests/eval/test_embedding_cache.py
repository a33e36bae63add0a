from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from classifiers.embedding import Matrix
from eval.embedding_cache import EmbeddingCache


class Says:
    """The same kind of encoder with other weights."""

    def __init__(self, number: float) -> None:
        self.number = number

    def encode(self, texts: Sequence[str]) -> Matrix:
        return np.full((len(texts), 2), self.number, np.float32)


def test_a_file_keeps_the_vectors_of_each_encoder_apart_also_those_of_half_an_emoji(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    texts = ["late", "cut \ud83d"]
    for number in (1, 2, 1):
        assert (EmbeddingCache(Says(number), file).encode(texts) == number).all()
    assert len(EmbeddingCache(Says(1), file)._known) == 4
