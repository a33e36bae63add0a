"""The sentence encoder of a bundle: one for all languages of the service."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from classifiers.adapter import Adapter, merge
from classifiers.e5 import DIMENSIONS, E5, load_model, rounds_fast

Matrix = NDArray[np.float32]
_PART = 100  # texts that one core takes at a time
_TOKENS = 64  # of a usual message, for which the weights are laid out


class Encodes(Protocol):
    def encode(self, texts: Sequence[str]) -> Matrix: ...


class Encoder:
    """Texts to vectors: `encode(texts) -> (n, 384)`, each of length 1. Safe to call from several threads.

    Each call uses one core: several callers at once use the cores better than one caller with several. Without an
    adapter it is the encoder as its makers trained it.
    """

    def __init__(self, adapter: Adapter | None = None) -> None:
        self._model = load_model()
        if adapter is not None:
            merge(self._model, adapter)
        ready(self._model)

    def encode(self, texts: Sequence[str]) -> Matrix:
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        with torch.inference_mode():
            for row, text in enumerate(texts):  # one by one: no padding, and the company a text keeps changes nothing
                vectors[row] = self._model(self._model.ids([text]))[0].numpy()
        return vectors


def encode_all(encoder: Encodes, texts: Sequence[str]) -> Matrix:
    """What `encode` gives, with all cores."""
    parts = [texts[start : start + _PART] for start in range(0, len(texts), _PART)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate([np.zeros((0, DIMENSIONS), np.float32), *pool.map(encoder.encode, parts)])


def ready(model: E5) -> None:
    """For answering, one core a call, with the fastest numbers that this processor has."""
    torch.set_num_threads(1)
    model.eval()
    if rounds_fast():
        model.bfloat16()
        _pack(model)


class _Packed(torch.nn.Module):
    """A linear layer whose weights lie as oneDNN reads them, as torch's own compiler does it: a sixth faster.

    Without it they are laid out anew with every call.
    """

    def __init__(self, layer: torch.nn.Linear) -> None:
        super().__init__()
        self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), _TOKENS)
        self._bias = layer.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
        return found


def _pack(model: torch.nn.Module) -> None:
    for name, layer in list(model.named_modules()):
        if isinstance(layer, torch.nn.Linear):
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, _Packed(layer))
