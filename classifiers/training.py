"""`triage train`: labelled messages in, a bundle out. The same data, packages and machine give the same bundle."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from classifiers.bundle import Bundle, Thresholds
from classifiers.cascade import blend, softmax
from classifiers.embedding import ENGLISH_FEATURES, Encodes, Matrix, features
from classifiers.lexical import vectorizer

SPLITS = ("train", "dev", "calibration", "test")
HEAD_STRENGTHS = (0.01, 0.03, 0.1, 0.3)
LEXICAL_STRENGTHS = (5.0, 20.0)
GATE_STRENGTH = 20.0
SHARES = (0.0, 0.15, 0.3, 0.45, 0.6)
ACCEPTED_ERROR = 0.1
UNFAMILIAR = 0.005  # share of in-scope training texts that may be called out of scope
SEED = 20261123


@dataclass(frozen=True)
class Example:
    id: str
    group: str
    split: str
    lang: str
    text: str
    label: str


def split_of(group: str) -> str:
    """60 % train, 10 % dev, 15 % calibration, 15 % test, by group, the same for ever."""
    part = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) / 2**32
    return "train" if part < 0.6 else "dev" if part < 0.7 else "calibration" if part < 0.85 else "test"


class EmbeddingCache:
    """Vectors of texts that were encoded before, so that a second training takes seconds."""

    def __init__(self, encoder: Encodes, path: Path | None, progress: Any = None) -> None:
        self._encoder = encoder
        self._progress = progress
        self._path = path
        self._known: dict[str, NDArray[np.float32]] = {}
        if path is not None and path.exists():
            with np.load(path, allow_pickle=False) as file:
                self._known = dict(zip(file["keys"].tolist(), file["vectors"], strict=True))

    def encode(self, texts: Sequence[str]) -> Matrix:
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
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

    def _save(self) -> None:
        assert self._path is not None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._path.parent, suffix=".npz", delete=False) as file:
            np.savez(file, keys=np.array(list(self._known)), vectors=np.array(list(self._known.values())))
        os.replace(file.name, self._path)


def train(examples: Sequence[Example], labels: Sequence[str], encoder: EmbeddingCache) -> Bundle:
    """Fit on `train`, choose strength and blend on `dev`, temperature and thresholds on `calibration`.

    `test` is not looked at. Raises ValueError when a label has no training example.
    """
    index = {label: i for i, label in enumerate(labels)}
    by_split = {split: [e for e in examples if e.split == split] for split in SPLITS}
    missing = set(labels) - {e.label for e in by_split["train"]}
    if missing:
        raise ValueError(f"no training example for {', '.join(sorted(missing))}; add some to the data")
    vectors = {s: features(encoder, [e.text for e in by_split[s]]) for s in SPLITS if s != "test"}
    truth = {s: np.array([index[e.label] for e in by_split[s]]) for s in vectors}
    words = vectorizer().fit([e.text for e in by_split["train"]])
    counted = {s: words.transform([e.text for e in by_split[s]]) for s in vectors}

    mean = vectors["train"].mean(axis=0)
    spread = np.maximum(vectors["train"].std(axis=0), 1e-3)  # some dimensions hardly ever move
    scaled = {split: (found - mean) / spread for split, found in vectors.items()}
    foreign = {split: found[:, ENGLISH_FEATURES:] for split, found in scaled.items()}
    language = {split: np.array([e.lang == "en" for e in by_split[split]]) for split in vectors}

    def fit(features: Any, strength: float, wanted: Any = truth) -> LogisticRegression:
        model = LogisticRegression(C=strength, max_iter=2000, random_state=SEED)
        return model.fit(features["train"], wanted["train"])

    gate = fit(counted, GATE_STRENGTH, language)
    models = {
        "head": {c: fit(scaled, c) for c in HEAD_STRENGTHS},
        "multilingual": {c: fit(foreign, c) for c in HEAD_STRENGTHS},
        "lexical": {c: fit(counted, c) for c in LEXICAL_STRENGTHS},
    }

    def blended(split: str, head: float, multilingual: float, lexical: float, share: float) -> NDArray[np.float32]:
        return blend(
            models["head"][head].decision_function(scaled[split]),
            models["multilingual"][multilingual].decision_function(foreign[split]),
            models["lexical"][lexical].decision_function(counted[split]),
            gate.decision_function(counted[split])[:, None],
            share,
        )

    choices = list(product(HEAD_STRENGTHS, HEAD_STRENGTHS, LEXICAL_STRENGTHS, SHARES))
    chosen = min(choices, key=lambda choice: _loss(blended("dev", *choice), truth["dev"]))
    head, multilingual = models["head"][chosen[0]], models["multilingual"][chosen[1]]
    lexical, share = models["lexical"][chosen[2]], chosen[3]
    held_out = blended("calibration", *chosen)
    found = minimize_scalar(
        lambda log: _loss(held_out, truth["calibration"], float(np.exp(log))), bounds=(-3, 3), method="bounded"
    )
    temperature = float(np.exp(found.x))
    scores = softmax(held_out / np.float32(temperature))
    confidence, correct = scores.max(axis=1), scores.argmax(axis=1) == truth["calibration"]
    threshold, coverage = choose_threshold(confidence, correct, ACCEPTED_ERROR)

    centroids = np.array([vectors["train"][truth["train"] == i].mean(axis=0) for i in range(len(labels))])
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    familiar = (vectors["calibration"] @ centroids.T).max(axis=1)

    data = "\n".join(f"{e.id} {e.split} {e.label} {e.text}" for e in sorted(examples, key=lambda e: e.id))
    digest = hashlib.sha256(data.encode()).hexdigest()
    weights = b"".join(model.coef_.tobytes() for model in (head, multilingual, gate, lexical))
    fitted = hashlib.sha256(digest.encode() + weights).hexdigest()
    return Bundle(
        version=f"minilm-use-lexical-{fitted[:12]}",
        labels=tuple(labels),
        **_unscaled("head", head, mean, spread),
        **_unscaled("multilingual", multilingual, mean[ENGLISH_FEATURES:], spread[ENGLISH_FEATURES:]),
        english=np.asarray(gate.coef_, np.float32),
        english_intercepts=np.asarray(gate.intercept_, np.float32),
        lexical=np.asarray(lexical.coef_, np.float32),
        lexical_intercepts=np.asarray(lexical.intercept_, np.float32),
        idf=np.asarray(words.idf_, np.float32),
        centroids=np.asarray(centroids, np.float32),
        vocabulary=tuple(words.get_feature_names_out().tolist()),
        lexical_share=share,
        temperature=temperature,
        thresholds=Thresholds(
            confidence=round(threshold, 4),
            familiarity=round(float(np.quantile(familiar, UNFAMILIAR)), 4),
            accepted_error=ACCEPTED_ERROR,
            coverage=round(coverage, 4),
        ),
        trained_on={
            "data_sha256": digest,
            "counts": {split: len(by_split[split]) for split in SPLITS},
            "strengths": dict(zip(models, chosen, strict=False)),
        },
    )


def _unscaled(
    name: str, model: LogisticRegression, mean: NDArray[np.float32], spread: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """The weights with the scaling of their features folded in."""
    weights = model.coef_ / spread
    intercepts = model.intercept_ - weights @ mean
    return {name: np.asarray(weights, np.float32), f"{name}_intercepts": np.asarray(intercepts, np.float32)}


def _loss(logits: NDArray[np.float32], truth: NDArray[np.int64], temperature: float | None = None) -> float:
    """Mean log loss; without a temperature, that of the best one, since calibration comes later."""
    if temperature is None:
        return min(_loss(logits, truth, t) for t in (0.4, 0.6, 0.8, 1.0, 1.3))
    scores = softmax(logits / np.float32(temperature))
    return float(-np.log(np.clip(scores[np.arange(len(truth)), truth], 1e-12, None)).mean())


def choose_threshold(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], accepted_error: float, certainty: float = 0.9
) -> tuple[float, float]:
    """The lowest confidence above which the error stays accepted, by the upper Clopper-Pearson bound, and the
    coverage it leaves. Where no threshold reaches that, the one that comes nearest.
    """
    order = np.argsort(-confidence)
    wrong = np.cumsum(~correct[order])
    kept = np.arange(1, len(order) + 1)
    bound = beta.ppf(certainty, wrong + 1, kept - wrong)
    bound = np.where(kept == wrong, 1.0, bound)
    allowed = np.flatnonzero(bound <= accepted_error)
    last = int(allowed[-1]) if len(allowed) else int(bound.argmin())
    return float(confidence[order][last]), float(kept[last] / len(order))


def load_examples(paths: Sequence[Path], make_text: Any) -> list[Example]:
    """JSON lines as the contract's evaluation data. Raises ValueError that names file, line and field."""
    examples = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                row = json.loads(line)
                examples.append(
                    Example(
                        id=row["id"],
                        group=row["group"],
                        split=row["split"],
                        lang=row["lang"],
                        text=make_text(row["message"]),
                        label=row["label"],
                    )
                )
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path.name} line {number}: {error!r}") from error
    return examples
