"""`triage train`: labelled messages in, a bundle out. The same data, packages and machine give the same bundle."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack, vstack
from scipy.stats import beta
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from classifiers.adapter import EPOCHS, Tuned, distracted, joined, merge, nearest, tune
from classifiers.bundle import Bundle, Thresholds
from classifiers.cascade import blend, softmax
from classifiers.e5 import load_model
from classifiers.embedding import Encoder, encode_all
from classifiers.lexical import KINDS
from classifiers.tagger import TaggerBundle

SPLITS = ("train", "dev", "calibration", "test")
LEXICAL_STRENGTHS = (5.0, 20.0)
SHARES = (0.0, 0.15, 0.3, 0.45, 0.6)
ACCEPTED_ERROR = 0.05
BEGINNING = 64  # rank of what is taken over from a tagger
UNFAMILIAR = 0.005  # share of in-scope training texts that may be called out of scope
SECONDARY = 0.25  # share of what a message teaches that goes to its secondary labels, where it has some
SEED = 20261123


@dataclass(frozen=True)
class Example:
    id: str
    group: str
    split: str
    lang: str
    text: str
    label: str
    secondary: tuple[str, ...] = ()


def split_of(group: str) -> str:
    """60 % train, 10 % dev, 15 % calibration, 15 % test, by group, the same for ever."""
    part = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) / 2**32
    return "train" if part < 0.6 else "dev" if part < 0.7 else "calibration" if part < 0.85 else "test"


def train(
    examples: Sequence[Example],
    labels: Sequence[str],
    kept: Bundle | None = None,
    epochs: int = EPOCHS,
    distractors: Sequence[str] = (),
    start: TaggerBundle | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Bundle:
    """Fit on `train`, choose strength and blend on `dev`, temperature and thresholds on `calibration`.

    `test` is not looked at. `distractors` are sentences that must change no label, such as orders to the reader.
    With `start` the encoder begins as that tagger's, which has read messages for what they state. With `kept` that
    bundle's encoder and head stay, and only what is cheap is fitted again.
    Raises ValueError when a label has no training example or `kept` knows other labels.
    """
    index = {label: i for i, label in enumerate(labels)}
    by_split = {split: [e for e in examples if e.split == split] for split in SPLITS if split != "test"}
    missing = set(labels) - {e.label for e in by_split["train"]}
    if missing:
        raise ValueError(f"no training example for {', '.join(sorted(missing))}; add some to the data")
    if kept is not None and kept.labels != tuple(labels):
        raise ValueError("the encoder that is to be kept was trained for other labels; train it again")
    texts = {split: [e.text for e in found] for split, found in by_split.items()}
    truth = {split: np.array([index[e.label] for e in found]) for split, found in by_split.items()}
    if kept is not None:
        tuned = Tuned(kept.adapter, kept.head, kept.head_intercepts)
        made = {name: kept.trained_on.get(name) for name in ("epochs", "start")}
    else:
        model = load_model()
        beginning = nearest(start.adapter, BEGINNING) if start is not None else None
        if beginning is not None:
            merge(model, beginning)
        tuned = tune(model, texts["train"], _wanted(by_split["train"], index), SEED, epochs, distractors, progress)
        if beginning is not None:
            tuned = tuned._replace(adapter=joined(beginning, tuned.adapter))
        made = {"epochs": epochs, "start": start.version if start is not None else None}
    encoder = Encoder(tuned.adapter)
    vectors = {split: encode_all(encoder, found) for split, found in texts.items()}
    counters = [
        TfidfVectorizer(analyzer=kind, min_df=3, max_features=40_000, sublinear_tf=True, dtype=np.float32)
        for kind in KINDS
    ]
    for counter in counters:
        counter.fit(texts["train"])

    def count(found: Sequence[str]) -> csr_matrix:
        return hstack([counter.transform(found) for counter in counters]).tocsr()

    counted = {split: count(found) for split, found in texts.items()}
    order = random.Random(SEED)  # noqa: S311 - an order, not a secret
    more = [distracted(text, distractors, order) for text in texts["train"]] if distractors else []
    told = vstack([counted["train"], count(more)]) if more else counted["train"]
    meant = np.tile(truth["train"], 2 if more else 1)
    models = {
        strength: LogisticRegression(C=strength, max_iter=2000, random_state=SEED).fit(told, meant)
        for strength in LEXICAL_STRENGTHS
    }

    def blended(split: str, strength: float, share: float) -> NDArray[np.float32]:
        vector_logits = vectors[split] @ tuned.head.T + tuned.intercepts
        return blend(vector_logits, models[strength].decision_function(counted[split]), share)

    strength, share = min(product(LEXICAL_STRENGTHS, SHARES), key=lambda c: _loss(blended("dev", *c), truth["dev"]))
    lexical = models[strength]
    held_out = blended("calibration", strength, share)
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

    data = "\n".join(
        [f"{e.id} {e.split} {e.label} {' '.join(e.secondary)} {e.text}" for e in sorted(examples, key=lambda e: e.id)]
        + list(distractors)
    )
    digest = hashlib.sha256(data.encode()).hexdigest()
    weights = b"".join(array.tobytes() for array in (tuned.head, lexical.coef_, *tuned.adapter.values()))
    fitted = hashlib.sha256(digest.encode() + weights).hexdigest()
    return Bundle(
        version=f"e5-lexical-{fitted[:12]}",
        labels=tuple(labels),
        adapter=tuned.adapter,
        head=np.asarray(tuned.head, np.float32),
        head_intercepts=np.asarray(tuned.intercepts, np.float32),
        lexical=np.asarray(lexical.coef_, np.float32),
        lexical_intercepts=np.asarray(lexical.intercept_, np.float32),
        idf=np.concatenate([counter.idf_ for counter in counters]).astype(np.float32),
        centroids=np.asarray(centroids, np.float32),
        vocabularies=tuple(tuple(counter.get_feature_names_out().tolist()) for counter in counters),
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
            "distractors": len(distractors),
            "counts": {split: sum(e.split == split for e in examples) for split in SPLITS},
            **made,
            "lexical_strength": strength,
        },
    )


def _wanted(examples: Sequence[Example], index: dict[str, int]) -> NDArray[np.float32]:
    """What each message should be taken for, (messages, labels)."""
    wanted = np.zeros((len(examples), len(index)), np.float32)
    for row, example in zip(wanted, examples, strict=True):
        row[index[example.label]] = 1 - SECONDARY * bool(example.secondary)
        for label in example.secondary:
            row[index[label]] += SECONDARY / len(example.secondary)
    return wanted


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
                if row["label"] is None:  # nobody labelled it; its marks teach the tagger
                    continue
                examples.append(
                    Example(
                        id=row["id"],
                        group=row["group"],
                        split=row["split"],
                        lang=row["lang"],
                        text=make_text(row["message"]),
                        label=row["label"],
                        secondary=tuple(row.get("secondary_labels") or ()),
                    )
                )
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path.name} line {number}: {error!r}") from error
    return examples


def load_distractors(path: Path) -> list[str]:
    """The `text` of each JSON line. Raises ValueError that names file, line and what is wrong."""
    texts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            texts.append(str(json.loads(line)["text"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name} line {number}: {error!r}; each line needs a text") from error
    return texts
