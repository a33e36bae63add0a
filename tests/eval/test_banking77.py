"""The yardstick draws as it says; the figure itself is `triage eval banking77`, which takes a minute."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from eval.banking77 import DATA, REPEATS, SHOTS, load, measure
from eval.embedding_cache import EmbeddingCache


class Spelling:
    """Vectors by the topic that a text names, with noise: what a perfect encoder would give."""

    def encode(self, texts: list[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), 8), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[int(text.split()[0])] = 1
        return vectors


def test_the_data_are_the_published_questions() -> None:
    texts, labels = load(DATA / "train.csv")
    asked, wanted = load(DATA / "test.csv")
    assert len(asked) == 3080 and len(set(wanted)) == 77 and set(labels) == set(wanted)
    assert min(Counter(labels).values()) >= SHOTS
    assert all(texts) and all(asked)


def test_a_perfect_encoder_scores_all_and_is_told_apart_from_the_published_one(tmp_path: Path) -> None:
    chance = random.Random(1)
    for name, count in (("train.csv", 40), ("test.csv", 5)):
        rows = [f"{topic} {chance.random()},topic {topic}" for topic in range(6) for _ in range(count)]
        (tmp_path / name).write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    found = measure(EmbeddingCache(Spelling(), None), tmp_path)  # type: ignore[arg-type]
    assert found["accuracy"] == pytest.approx(100) and len(found["repeats"]) == REPEATS
    assert found["labels"] == 6 and not found["reproduced"]
