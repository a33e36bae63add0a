"""CPU a text of our encoder, as a bundle sets it up, in float32 and through the libraries, beside MiniLM."""

from __future__ import annotations

import torch

from classifiers.adapter import merge
from classifiers.bundle import load_bundle
from classifiers.e5 import load_model
from classifiers.embedding import Encoder
from classifiers.training import load_examples
from eval.banking77 import MiniLM
from eval.bench.classify import DATA
from eval.bench.libraries import through_libraries
from eval.bench.row import Row, cpu_ms, row
from triage.training_text import text_of

MESSAGES = 100


def measure() -> list[Row]:
    texts = [e.text for e in load_examples([DATA], text_of) if e.split == "test"][:MESSAGES]
    adapter = load_bundle().adapter
    ours, exact, minilm = Encoder(adapter), load_model(), MiniLM()
    merge(exact, adapter)
    exact.eval()
    theirs = through_libraries(exact)

    def in_full(text: str) -> torch.Tensor:
        with torch.inference_mode():
            return exact(exact.ids([text]))  # type: ignore[no-any-return]

    found = {
        "our encoder": cpu_ms(lambda text: ours.encode([text]), texts),
        "our encoder, float32": cpu_ms(in_full, texts),
        "our encoder, float32, through transformers": cpu_ms(lambda text: theirs.encode([text]), texts),
        "MiniLM, float32": cpu_ms(lambda text: minilm.encode([text]), texts),
    }
    base = found["MiniLM, float32"]
    rows = [row(name, ms, "CPU ms a text", ms / base, "of MiniLM") for name, ms in found.items()]
    cosine = min(float(in_full(text).numpy()[0] @ ours.encode([text])[0]) for text in texts)
    return [*rows, row("least cosine of our encoder to float32", cosine, "cosine")]
