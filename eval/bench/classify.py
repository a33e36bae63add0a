"""CPU a message for our classifier, for its encoders alone and for simple methods, on the same texts in one process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from classifiers.bundle import load_bundle
from classifiers.cascade import Classifier
from classifiers.embedding import Encoder
from classifiers.taxonomy import load_taxonomy
from classifiers.training import load_examples
from eval.baselines import KEYWORDS, NEIGHBOURS, load_keywords
from eval.bench.row import Row, cpu_ms, row
from triage.training_text import text_of

DATA = Path(__file__).parent.parent / "data" / "dispatch.jsonl"
MESSAGES, LEARNT = 100, 400
SHORT = 280  # characters


def measure() -> list[Row]:
    examples = load_examples([DATA], text_of)
    texts = [e.text for e in examples if e.split == "test"][:MESSAGES]
    learnt = [e for e in examples if e.split == "train"][:LEARNT]
    truth = [e.label for e in learnt]
    bundle = load_bundle()
    encoder = Encoder(bundle.adapter)
    ours = Classifier(encoder, bundle)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode")
    line = LogisticRegression(C=10.0, max_iter=2000).fit(words.fit_transform([e.text for e in learnt]), truth)
    known = encoder.encode([e.text for e in learnt])
    near = KNeighborsClassifier(NEIGHBOURS, metric="cosine", algorithm="brute").fit(known, truth)
    described = encoder.encode([f"{label.title}: {label.means}" for label in load_taxonomy().labels.values()])
    rules = load_keywords(KEYWORDS)
    found = {
        "ours": cpu_ms(lambda text: ours.predict([text]), texts),
        "our encoder alone": cpu_ms(lambda text: encoder.encode([text]), texts),
        "embeddings, nearest neighbours": cpu_ms(lambda text: near.predict(encoder.encode([text])), texts),
        "embeddings, label descriptions": cpu_ms(lambda text: np.argmax(encoder.encode([text]) @ described.T), texts),
        "TF-IDF, logistic regression": cpu_ms(lambda text: line.predict(words.transform([text])), texts),
        "keyword rules": cpu_ms(lambda text: [len(rule.findall(text)) for rule in rules.values()], texts),
    }
    rows = [row(name, ms, "CPU ms a message", ms / found["ours"], "of ours") for name, ms in found.items()]
    short = [text for text in texts if len(text) <= SHORT]
    whole = cpu_ms(lambda text: ours.predict([text]), short)
    alone = cpu_ms(lambda text: encoder.encode([text]), short)
    return [
        *rows,
        row("ours, up to 280 characters", whole, "CPU ms a message", whole / alone, "of our encoder alone"),
        row(
            "ours, up to 280 characters, 2 cores",
            2000 / whole,
            "messages a second",
            alone / whole,
            "of our encoder alone",
        ),
    ]
