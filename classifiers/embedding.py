"""The sentence encoder of a bundle: one for all languages of the service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from classifiers.adapter import Adapter, merge
from classifiers.e5 import DIMENSIONS, load_model

Matrix = NDArray[np.float32]
BATCH = 8


class Encodes(Protocol):
    def encode(self, texts: Sequence[str]) -> Matrix: ...


class Encoder:
    """Texts to vectors: `encode(texts) -> (n, 384)`, each of length 1. Safe to call from several threads.

    Each call uses one core: several callers at once use the cores better than one caller with several. Without an
    adapter it is the encoder as its makers trained it.
    """

    def __init__(self, adapter: Adapter | None = None) -> None:
        torch.set_num_threads(1)
        self._model = load_model()
        if adapter is not None:
            merge(self._model, adapter)
        self._model.eval()
        able = torch.cpu.get_capabilities()
        if able.get("avx512_bf16") or able.get("amx_bf16"):
            self._model.bfloat16()

    def encode(self, texts: Sequence[str]) -> Matrix:
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        ordered = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # equal lengths waste no padding
        for start in range(0, len(ordered), BATCH):
            rows = ordered[start : start + BATCH]
            with torch.inference_mode():
                found = self._model(self._model.preprocess([texts[i] for i in rows]))["sentence_embedding"].float()
            vectors[rows] = torch.nn.functional.normalize(found, dim=1).numpy()  # bfloat16 is a little off
        return vectors
