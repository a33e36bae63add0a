"""The sentence encoder of a bundle: one for all languages of the service."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray

from classifiers.adapter import Adapter, merge
from classifiers.e5 import DIMENSIONS, E5, Layer, attend, load_model, rounds_fast

Matrix = NDArray[np.float32]
_PART = 100  # texts that one core takes at a time
_TOKENS = 64  # of a usual message, for which the weights are laid out
_SHORT = 100  # tokens, below which torch's own attention takes twice the time of its parts


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
    if hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):  # not in every build of torch
        model.layers = torch.nn.ModuleList(PackedLayer(cast(Layer, layer)) for layer in model.layers)


class _Packed(torch.nn.Module):
    """A linear layer, several that read the same or one with what follows it, as oneDNN is fastest at them.

    Its weights lie as oneDNN reads them, as torch's own compiler does it: otherwise they are laid out anew with every
    call.
    """

    def __init__(self, *layers: torch.nn.Linear, then: str = "none") -> None:
        super().__init__()
        weight = torch.cat([layer.weight.detach() for layer in layers])
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _TOKENS)
        self._bias = torch.cat([layer.bias.detach() for layer in layers])
        self._then = then

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, self._then, [], "none")
        return found


class PackedLayer(torch.nn.Module):
    """A layer of the encoder: an eighth faster in bfloat16, in float32 twice as fast on AMD's processors."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        self._heads = layer.heads
        self._asked = _Packed(layer.query, layer.key, layer.value)
        self._attended, self._attended_norm = _Packed(layer.attended), layer.attended_norm
        self._inner, self._outer = _Packed(layer.inner, then="gelu"), _Packed(layer.outer)
        self._outer_norm = layer.outer_norm

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        asked = self._asked(x).chunk(3, -1)
        short = mask is None and x.shape[1] < _SHORT
        seen = _attend_short(asked, self._heads) if short else attend(asked, self._heads, mask)
        x = self._attended_norm(x + self._attended(seen))
        found: torch.Tensor = self._outer_norm(x + self._outer(self._inner(x)))
        return found


def _attend_short(asked: Sequence[torch.Tensor], heads: int) -> torch.Tensor:
    """What `attend` gives where nothing is masked."""
    texts, tokens, wide = asked[0].shape
    q, k, v = (p.float().reshape(texts, tokens, heads, -1).transpose(1, 2).flatten(0, 1) for p in asked)
    scores = torch.baddbmm(q.new_empty(1), q, k.transpose(1, 2), beta=0, alpha=q.shape[-1] ** -0.5)
    seen = torch.bmm(scores.softmax(-1), v).reshape(texts, heads, tokens, -1).transpose(1, 2)
    return seen.reshape(texts, tokens, wide).to(asked[0].dtype)
