"""The labelled messages of the training split, so that a language model can be shown the nearest ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from classifiers.bundle import MANIFEST
from classifiers.embedding import Encodes, encode_all

FILE = "examples.npz"
LONGEST = 300  # characters of an example; its point stands early


class Labelled(NamedTuple):
    text: str
    label: str


class Examples:
    """Vectors take one byte a dimension; neighbours are found across languages."""

    def __init__(self, labelled: Sequence[Labelled], vectors: NDArray[np.int8]) -> None:
        self._labelled = labelled
        self._vectors = vectors

    def nearest(self, text: str, encoder: Encodes, labels: Sequence[str]) -> list[Labelled]:
        """For each of the labels the example most like `text`, the least like first: models hear the last best."""
        if not self._labelled:
            return []
        vector = encoder.encode([text])[0]
        likeness = self._vectors.astype(np.float32) @ vector
        best: dict[str, int] = {}
        for i in np.argsort(-likeness):
            label = self._labelled[i].label
            if label in labels and label not in best:
                best[label] = int(i)
        return [self._labelled[i] for i in sorted(best.values(), key=lambda i: float(likeness[i]))]


def save_examples(folder: Path, labelled: Sequence[Labelled], encoder: Encodes) -> None:
    """Into a bundle that stands there already; its manifest gets the file's hash."""
    vectors = encode_all(encoder, [example.text for example in labelled])
    scaled = np.round(vectors / np.abs(vectors).max() * 127).astype(np.int8)
    texts = json.dumps([(e.text[:LONGEST], e.label) for e in labelled], ensure_ascii=False).encode()
    np.savez_compressed(folder / FILE, vectors=scaled, labelled=np.frombuffer(texts, np.uint8))
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["sha256"][FILE] = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def load_examples(folder: Path, labels: Collection[str]) -> Examples:
    """None of an older bundle that came without; examples of labels that are no more are left out.

    `load_bundle` checks the file's hash.
    """
    if not (folder / FILE).exists():
        return Examples((), np.zeros((0, 0), np.int8))
    with np.load(folder / FILE, allow_pickle=False) as file:
        vectors, written = file["vectors"], json.loads(file["labelled"].tobytes())
    kept = [i for i, (_, label) in enumerate(written) if label in labels]
    return Examples([Labelled(*written[i]) for i in kept], vectors[kept])
