"""What simple methods make of the same cases: without them a figure says nothing.

Each reads the text that the product's classifier reads and is fitted on the dataset's own `train` split, with settings
fixed beforehand. `keywords` and `zero_shot` need no examples.

Two ask a language model with the labels' descriptions and the message, and nothing else: `llm` for one label out of the
closed set, `n8n` in the way in which the Text Classifier node of n8n asks, for a yes or no a category. Both are left
out, with the reason, where no model is set up.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from classifiers.e5 import DIMENSIONS
from classifiers.embedding import Encoder
from classifiers.taxonomy import Taxonomy
from eval.datasets import Case, Dataset
from eval.embedding_cache import EmbeddingCache
from eval.product import Product
from prompts import NoAnswer, Question, load_prompt
from triage.llm import LanguageModel, LlmUse
from triage.runtime import text_to_classify

KEYWORDS = Path(__file__).with_name("keywords.yaml")
NEIGHBOURS = 7
SHARPNESS = 20.0  # of the softmax over cosines of the zero-shot baseline; it moves confidences, never a label
TITLES = {
    "majority": "Most frequent label",
    "keywords": "Keyword rules",
    "tfidf": "TF-IDF, logistic regression",
    "knn": f"Embeddings, {NEIGHBOURS} nearest",
    "zero_shot": "Embeddings, label descriptions",
    "llm": "Language model alone",
    "n8n": "Language model as n8n's Text Classifier asks",
}
NO_MODEL = "no language model is set up (TRIAGE_LLM_URL and TRIAGE_LLM_MODEL)"
NO_EXAMPLES = "the dataset has no train split apart from these cases"
Scores = NDArray[np.float64]  # (cases, labels), rows sum to 1
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def run_baselines(
    names: Sequence[str],
    dataset: Dataset,
    chosen: Sequence[Case],
    product: Product,
    cache: Path | None,
    progress: Callable[[str, int, int], None],
) -> dict[str, Any]:
    """By name: title, number of training cases, and label and confidence for each case; or why it was left out."""
    asked = {case.id for case in chosen}
    train = [
        c for c in dataset.cases if c.split == "train" and c.label in product.taxonomy.labels and c.id not in asked
    ]
    skipped = {} if train else dict.fromkeys(("majority", "tfidf", "knn"), NO_EXAMPLES)
    skipped |= {} if product.llm else dict.fromkeys(("llm", "n8n"), NO_MODEL)
    texts = [_text(case, dataset.folder, product) for case in chosen]
    learnt = [_text(case, dataset.folder, product) for case in train]

    @functools.cache
    def vectors() -> EmbeddingCache:  # without the adapter, which has learnt the labels
        return EmbeddingCache(Encoder(), cache, lambda done, total: progress("embeddings", done, total))

    def encode(batch: Sequence[str]) -> NDArray[np.float32]:
        return vectors().encode(batch) if batch else np.zeros((0, DIMENSIONS), np.float32)

    codes = product.taxonomy.codes
    truth = np.array([codes.index(str(case.label)) for case in train], int)
    methods: dict[str, Callable[[], Scores]] = {
        "majority": lambda: majority(truth, len(codes), len(texts)),
        "keywords": lambda: keywords(texts, codes),
        "tfidf": lambda: tfidf(learnt, truth, texts, len(codes)),
        "knn": lambda: nearest(encode(learnt), truth, encode(texts), len(codes)),
        "zero_shot": lambda: zero_shot(texts, product.taxonomy, encode),
    }
    out: dict[str, Any] = {}
    for name in names:
        if name in skipped:
            out[name] = {"title": TITLES[name], "skipped": skipped[name]}
            continue
        if name in ("llm", "n8n") and product.llm is not None:
            asked_model = ask_model(name, product.llm, product.taxonomy, texts, progress, product.llm_parallel)
            out[name] = {"title": TITLES[name], "train": 0} | _told(chosen, *asked_model)
            continue
        try:
            scores = methods[name]()
        except ValueError as error:  # examples of one label, or without a word; our own figures stand
            out[name] = {"title": TITLES[name], "skipped": f"the train split is not enough for it: {error}"}
            continue
        best = scores.argmax(axis=1)
        answers = {
            case.id: {"label": codes[b], "confidence": round(float(row[b]), 6)}
            for case, b, row in zip(chosen, best, scores, strict=True)
        }
        out[name] = {"title": TITLES[name], "train": len(train), "answers": answers}
    return out


def _text(case: Case, folder: Path, product: Product) -> str:
    try:
        return text_to_classify(product.extract(case, folder))
    except Exception:  # what the product refuses or fails on is counted in its own rows and must not end the run
        return ""


def majority(truth: NDArray[np.int64], labels: int, cases: int) -> Scores:
    shares = np.bincount(truth, minlength=labels) / len(truth)
    return np.tile(shares, (cases, 1))


def keywords(texts: Sequence[str], codes: Sequence[str]) -> Scores:
    """The label with most words of its list in the text; the first among equals, `transit_delay` where none is."""
    rules = load_keywords(KEYWORDS)
    counts = np.zeros((len(texts), len(codes)))
    for j, code in enumerate(codes):
        if code in rules:
            counts[:, j] = [len({m.group().casefold() for m in rules[code].finditer(text)}) for text in texts]
    counts[counts.sum(axis=1) == 0, list(codes).index("transit_delay")] = 1e-3
    smoothed = counts + 1e-4
    return np.asarray(smoothed / (smoothed.sum(axis=1, keepdims=True) + 1))


def load_keywords(path: Path) -> dict[str, re.Pattern[str]]:
    lists = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        code: re.compile("|".join(rf"\b{re.escape(word)}" for word in words), re.IGNORECASE)
        for code, words in lists.items()
    }


def tfidf(learnt: Sequence[str], truth: NDArray[np.int64], texts: Sequence[str], labels: int) -> Scores:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode")
    model = LogisticRegression(C=10.0, max_iter=2000).fit(words.fit_transform(learnt), truth)
    return _spread(model.predict_proba(words.transform(texts)), model.classes_, labels)


def nearest(learnt: NDArray[np.float32], truth: NDArray[np.int64], vectors: NDArray[np.float32], labels: int) -> Scores:
    count = min(NEIGHBOURS, len(learnt))
    model = KNeighborsClassifier(count, metric="cosine", weights="distance", algorithm="brute").fit(learnt, truth)
    return _spread(model.predict_proba(vectors), model.classes_, labels)


def zero_shot(texts: Sequence[str], taxonomy: Taxonomy, encode: Encode) -> Scores:
    described = encode([f"{label.title}: {label.means}" for label in taxonomy.labels.values()])
    logits = SHARPNESS * (encode(texts) @ described.T).astype(float)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def ask_model(
    name: str,
    model: LanguageModel,
    taxonomy: Taxonomy,
    texts: Sequence[str],
    progress: Callable[[str, int, int], None],
    parallel: int = 1,
) -> tuple[list[str | None], list[str], list[LlmUse]]:
    """For each text a label or None, the reasons for None, and what the answers took."""
    question = _one_label if name == "llm" else _yes_or_no

    def ask(text: str) -> tuple[str | None, str | None, LlmUse]:
        try:
            answer, use = model.answer(question(taxonomy, text))
        except NoAnswer as problem:
            return None, problem.code, LlmUse(model=model.model)
        label = answer["label"] if name == "llm" else next((c for c in taxonomy.codes if answer.get(c)), None)
        return label, None if label else "no category", use

    labels: list[str | None] = []
    problems, uses = [], []
    with ThreadPoolExecutor(parallel) as pool:
        for label, problem, use in pool.map(ask, texts):
            labels.append(label)
            uses.append(use)
            problems += [problem] if problem else []
            progress(TITLES[name], len(labels), len(texts))
    return labels, problems, uses


def _one_label(taxonomy: Taxonomy, text: str) -> Question:
    told, choices = {"described": _described(taxonomy)}, {"labels": taxonomy.codes}
    return Question(load_prompt("baseline_llm"), given={"message": text}, told=told, choices=choices)


def _yes_or_no(taxonomy: Taxonomy, text: str) -> Question:
    prompt = load_prompt("baseline_n8n")
    fields = {"required": list(taxonomy.codes), "properties": {code: {"type": "boolean"} for code in taxonomy.codes}}
    asked = replace(prompt, schema=prompt.schema | fields)
    return Question(asked, given={"text": text}, told={"described": _described(taxonomy)})


def _described(taxonomy: Taxonomy) -> str:
    return "\n".join(f"- {label.code}: {label.means}" for label in taxonomy.labels.values())


def _told(
    cases: Sequence[Case], labels: Sequence[str | None], problems: Sequence[str], uses: Sequence[LlmUse]
) -> dict[str, Any]:
    """A model says no confidence, so each answer counts as certain. Cases without an answer are in no figure."""
    answered = [(case.id, label) for case, label in zip(cases, labels, strict=True) if label]
    return {
        "answers": {identity: {"label": label, "confidence": 1.0} for identity, label in answered},
        "unanswered": {code: problems.count(code) for code in sorted(set(problems))},
        "tokens": {"prompt": sum(u.input_tokens for u in uses), "completion": sum(u.output_tokens for u in uses)},
        "cost": round(sum(u.cost for u in uses), 6),
        "cached": sum(u.cached for u in uses),
    }


def _spread(scores: Scores, classes: NDArray[np.int64], labels: int) -> Scores:
    out = np.zeros((len(scores), labels))
    out[:, classes] = scores
    return out
