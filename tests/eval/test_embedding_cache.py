from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from classifiers.embedding import Matrix
from eval.embedding_cache import EmbeddingCache


class Ones:
    def encode(self, texts: Sequence[str]) -> Matrix:
        return np.ones((len(texts), 2), np.float32)


class Twos:
    def encode(self, texts: Sequence[str]) -> Matrix:
        return np.full((len(texts), 2), 2, np.float32)


def test_a_file_keeps_the_vectors_of_each_encoder_apart_also_those_of_half_an_emoji(tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    texts = ["late", "cut \ud83d"]
    assert (EmbeddingCache(Ones(), file).encode(texts) == 1).all()
    assert (EmbeddingCache(Twos(), file).encode(texts) == 2).all()
    assert len(EmbeddingCache(Ones(), file)._known) == 4
