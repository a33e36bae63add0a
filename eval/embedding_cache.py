"""Vectors of texts that were encoded before, so that a second run takes seconds."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.embedding import Encodes, Matrix


class EmbeddingCache:
    """`path` is a file of vectors, each kept for its encoder; None keeps them for this run alone."""

    def __init__(self, encoder: Encodes, path: Path | None, progress: Any = None) -> None:
        self._encoder = encoder
        self._progress = progress
        self._path = path
        self._known: dict[str, NDArray[np.float32]] = {}
        if path is not None and path.exists():
            with np.load(path, allow_pickle=False) as file:
                self._known = dict(zip(file["keys"].tolist(), file["vectors"], strict=True))

    def encode(self, texts: Sequence[str]) -> Matrix:
        keys = [
            hashlib.sha256(f"{self._fingerprint} {text}".encode("utf-8", "surrogatepass")).hexdigest() for text in texts
        ]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        ordered = sorted(missing.items(), key=lambda item: len(item[1]))  # equal lengths waste no padding
        for start in range(0, len(ordered), 64):
            chunk = ordered[start : start + 64]
            for (key, _), vector in zip(chunk, self._encoder.encode([text for _, text in chunk]), strict=True):
                self._known[key] = vector
            if self._progress is not None:
                self._progress(min(start + 64, len(ordered)), len(ordered))
        if missing and self._path is not None:
            self._save()
        return np.array([self._known[key] for key in keys], np.float32)

    @cached_property
    def _fingerprint(self) -> str:
        """By the vector of one text, since other weights have the same name."""
        vector = np.round(self._encoder.encode(["0 pallets arrived wet."])[0], 3) + 0.0  # no -0.0
        return hashlib.sha256(vector.astype(np.float32).tobytes()).hexdigest()

    def _save(self) -> None:
        assert self._path is not None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._path.parent, suffix=".npz", delete=False) as file:
            np.savez(file, keys=np.array(list(self._known)), vectors=np.array(list(self._known.values())))
        os.replace(file.name, self._path)
