"""Predictions in, measures out: every share with its interval, every definition in one place.

Rows are those of `predictions.jsonl`. A case that could not be run, or that nobody labelled for a measure, is in no
denominator of it; how many there are is said beside.

Definitions
- accuracy, macro_f1: of the label given, abstained or not; macro over the labels that are true or given at least once.
- ece: of the label given, over 10 bins of equal mass.
- coverage_at_95_precision: the largest share of messages, most confident first, of which 95 % are right.
- fields: a value counts once a case; a case counts where it is labelled with `fields`, a field where any case names it.
  Strict: the same characters; case, spaces and the shapes of apostrophes and dashes aside. Relaxed: the same letters
  and digits, or one within the other.
- documents: types as a multiset for each case labelled with `documents`.
- money: processor time at the price of a core, and what the language model cost; not measured where an answer
  came from the cache, which has no price. A right decision is a label that is true, a route that is right, and no
  "cannot tell".
- routing: what the service would do beside what the policy does with the true label, or beside the case's own `route`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from eval.statistics import (
    DRAWS,
    NOTHING,
    SEED,
    Bootstrap,
    Estimate,
    Floats,
    estimate,
    f_score,
    interval,
    pivotal,
    proportion,
    quantile,
    rounded,
    upper_bound,
    wilson,
)

BINS = 10
FEWEST = 30  # cases below which a slice is not judged
ACCEPTED_ERRORS = (0.01, 0.02, 0.05)
ROUTES = ("activity", "approval", "ignore", "hold")
COSTS = Path(__file__).with_name("costs.yaml")
SLICES = ("label", "lang", "channel", "length", "thread_depth", "pdf", "scan", "attack", "source")

Row = Mapping[str, Any]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """Labels given to cases whose true label is known. `scores` (cases, labels) is null for who gives none."""

    labels: tuple[str, ...]
    groups: tuple[str, ...]
    truth: NDArray[np.int64]
    given: NDArray[np.int64]
    confidence: Floats | None
    scores: Floats | None = None

    @property
    def correct(self) -> Bools:
        return np.asarray(self.truth == self.given)

    def __len__(self) -> int:
        return len(self.truth)


def answers_of(rows: Sequence[Row], labels: Sequence[str]) -> Answers:
    """The rows that were scored and have a true label."""
    index = {label: i for i, label in enumerate(labels)}
    kept = [row for row in rows if has_label(row)]
    scores = np.array([[row["scores"].get(label, 0.0) for label in labels] for row in kept]).reshape(-1, len(labels))
    return Answers(
        labels=tuple(labels),
        groups=tuple(row["group"] for row in kept),
        truth=np.array([index[row["expected"]["label"]] for row in kept], int),
        given=np.array([index[row["label"]] for row in kept], int),
        confidence=np.array([row["confidence"] for row in kept], float),
        scores=scores,
    )


def has_label(row: Row) -> bool:
    return bool(row["scored"]) and row.get("label") is not None and row["expected"]["label"] is not None


def unanswered(row: Row) -> bool:
    """Whether a language model was asked for this row and gave no answer: away, over budget, or in no valid form."""
    return bool((row.get("llm_use") or {}).get("problems"))


def measure(
    rows: Sequence[Row],
    labels: Sequence[str],
    *,
    costs: Mapping[str, Any] | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> dict[str, Any]:
    """All measures of a run as JSON. `labels` in the order of the taxonomy."""
    costs = costs or load_costs()
    scored = [row for row in rows if row["scored"]]
    answers = answers_of(rows, labels)
    judged = [row for row in scored if has_label(row)]
    bootstrap = Bootstrap(answers.groups, draws, seed)
    unscored = Counter(row["unscored_reason"].split(":")[0] for row in rows if not row["scored"])
    return rounded(  # type: ignore[no-any-return]
        {
            "cases": {
                "n": len(rows),
                "scored": len(scored),
                "unscored": len(rows) - len(scored),
                "unscored_share": (len(rows) - len(scored)) / len(rows) if rows else 0.0,
                "unscored_reasons": dict(sorted(unscored.items())),
                "llm_unanswered": sum(map(unanswered, scored)),
                "with_label": len(answers),
                "groups": len({row["group"] for row in scored}),
            },
            "intervals": f"95 %: bootstrap of whole groups ({draws} draws, seed {seed}); Wilson where few hit or miss",
            **label_measures(answers, bootstrap),
            "secondary": multi_label(judged, labels, draws, seed),
            "abstention": abstention(judged, answers, bootstrap),
            "fields": field_measures(scored, draws, seed),
            "documents": document_measures(scored, draws, seed),
            "routing": routing(scored, costs, draws, seed),
            "slices": slices(judged, answers, bootstrap),
            "latency_ms": latency([row["latency_ms"] for row in scored]),
            "cpu_ms": latency([row["cpu_ms"] for row in scored if "cpu_ms" in row]),
            **spending(scored, costs, draws, seed),
        }
    )


# Labels


def label_measures(answers: Answers, bootstrap: Bootstrap) -> dict[str, Any]:
    """accuracy, macro_f1, per_label, confusion, calibration and selective prediction; also for a baseline."""
    n, labels = len(answers), answers.labels
    if not n:
        nothing = ("accuracy", "macro_f1", "ece", "brier", "coverage_at_95_precision", "aurc")
        return dict.fromkeys(nothing, NOTHING) | {"per_label": {}, "confusion": {"labels": [], "counts": []}}
    correct = answers.correct.astype(float)
    is_true = np.eye(len(labels))[answers.truth]
    is_given = np.eye(len(labels))[answers.given]
    used = np.flatnonzero(is_true.any(axis=0) | is_given.any(axis=0))
    is_true, is_given = is_true[:, used], is_given[:, used]
    k = len(used)

    def statistic(weights: Floats) -> Floats:
        hits = weights @ (is_true * is_given)
        true, given = weights @ is_true, weights @ is_given
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * hits / (true + given)
            accuracy = (weights @ correct / weights.sum(axis=1))[:, None]
            return np.hstack([accuracy, np.nanmean(f1, axis=1)[:, None], hits / given, hits / true, f1])

    value, drawn = bootstrap.of(statistic)
    part = bootstrap.effective / n
    accuracy = proportion(correct.sum(), n, drawn[:, 0], part)
    low, high = interval(drawn[:, 1])
    if high - low < 1e-9 and accuracy["low"] is not None and accuracy["high"] is not None:
        low, high = min(low, accuracy["low"]), max(high, accuracy["high"])  # no draw differs: as sure as accuracy is
    per_label = {}
    hits, true, given = ((is_true * is_given).sum(axis=0), is_true.sum(axis=0), is_given.sum(axis=0))
    for j, column in enumerate(used):
        precision, recall, f1 = (drawn[:, 2 + j + part_of * k] for part_of in range(3))
        per_label[labels[column]] = {
            "precision": proportion(hits[j], int(given[j]), precision, part),
            "recall": proportion(hits[j], int(true[j]), recall, part),
            "f1": f_score(hits[j], true[j] + given[j] - 2 * hits[j], f1, int(true[j]), part),
            "support": int(true[j]),
            "predicted": int(given[j]),
        }
    counts = np.zeros((len(labels), len(labels)), int)
    np.add.at(counts, (answers.truth, answers.given), 1)
    out: dict[str, Any] = {
        "accuracy": accuracy,
        "macro_f1": estimate(value[1], low, high, n),
        "per_label": per_label,
        "confusion": {"labels": list(labels), "counts": counts.tolist()},
    }
    return out | (confidence_measures(answers, bootstrap) if answers.confidence is not None else {})


# Confidence


def bins_of(confidence: Floats, count: int = BINS) -> NDArray[np.int64]:
    """The bin of each case: equal mass, the least confident first; equal confidences stay in one bin."""
    n = len(confidence)
    order = np.argsort(confidence, kind="stable")
    bins = np.empty(n, int)
    bins[order] = np.arange(n) * min(count, n) // max(n, 1)
    _, same = np.unique(confidence, return_inverse=True)
    lowest = np.full(same.max() + 1 if n else 0, n)
    np.minimum.at(lowest, same, bins)
    return np.asarray(lowest[same])


def confidence_measures(answers: Answers, bootstrap: Bootstrap) -> dict[str, Any]:
    assert answers.confidence is not None
    n = len(answers)
    confidence, correct = answers.confidence, answers.correct.astype(float)
    in_bin = np.eye(BINS)[bins_of(confidence)]
    if answers.scores is not None:
        squared = ((answers.scores - np.eye(len(answers.labels))[answers.truth]) ** 2).sum(axis=1)
    else:
        squared = (confidence - correct) ** 2
    order = np.argsort(-confidence, kind="stable")
    ends = np.append(np.diff(confidence[order]) != 0, True)  # a threshold cannot cut between equals

    def ece(weights: Floats) -> Floats:
        gaps = np.abs((weights * (confidence - correct)) @ in_bin)
        return np.asarray(gaps.sum(axis=1) / weights.sum(axis=1))

    def brier(weights: Floats) -> Floats:
        return np.asarray(weights @ squared / weights.sum(axis=1))

    def selective(weights: Floats) -> Floats:
        kept = np.cumsum(weights[:, order], axis=1)[:, ends]
        wrong = np.cumsum((weights * (1 - correct))[:, order], axis=1)[:, ends]
        coverage = kept / kept[:, -1:]
        with np.errstate(invalid="ignore", divide="ignore"):
            risk = np.where(kept > 0, wrong / kept, 0.0)
        steps = np.diff(coverage, axis=1, prepend=0.0)
        return np.column_stack([(risk * steps).sum(axis=1), np.where(risk <= 0.05 + 1e-9, coverage, 0.0).max(axis=1)])

    ece_value, ece_draws = bootstrap.of(ece)
    brier_value, brier_draws = bootstrap.of(brier)
    both, both_draws = bootstrap.of(selective)
    covered, part = round(both[1] * n), bootstrap.effective / n
    precision_bound = wilson(covered * part, n * part) if min(covered, n - covered) < 1 else interval(both_draws[:, 1])
    return {
        "ece": estimate(ece_value[0], *pivotal(ece_value[0], ece_draws[:, 0]), n),
        "brier": estimate(brier_value[0], *interval(brier_draws[:, 0]), n),
        "brier_of_top_label": brier_parts(confidence, correct),
        "coverage_at_95_precision": estimate(both[1], *_around(both[1], precision_bound), n),
        "aurc": estimate(both[0], *interval(both_draws[:, 0]), n),
        "reliability": reliability(confidence, correct),
        "risk_coverage": risk_coverage(confidence, answers.correct, part),
        "coverage_at_error": coverage_at_error(confidence, answers.correct, part),
    }


def _around(value: float, bounds: tuple[float, float]) -> tuple[float, float]:
    return min(bounds[0], value), max(bounds[1], value)


def brier_parts(confidence: Floats, correct: Floats) -> dict[str, float]:
    """Murphy (1973): score = reliability - resolution + uncertainty + what differs within bins (Stephenson 2008)."""
    bins = bins_of(confidence)
    base = correct.mean()
    share = np.bincount(bins, minlength=BINS) / len(bins)
    with np.errstate(invalid="ignore"):
        right = np.bincount(bins, correct, BINS) / np.bincount(bins, minlength=BINS)
        said = np.bincount(bins, confidence, BINS) / np.bincount(bins, minlength=BINS)
    score = float(((confidence - correct) ** 2).mean())
    parts = {
        "score": score,
        "reliability": float(np.nansum(share * (said - right) ** 2)),
        "resolution": float(np.nansum(share * (right - base) ** 2)),
        "uncertainty": float(base * (1 - base)),
    }
    parts["within_bins"] = score - (parts["reliability"] - parts["resolution"] + parts["uncertainty"])
    return parts


def reliability(confidence: Floats, correct: Floats) -> list[dict[str, Any]]:
    bins = bins_of(confidence)
    out = []
    for b in np.unique(bins):
        chosen = bins == b
        hits, n = correct[chosen].sum(), int(chosen.sum())
        low, high = wilson(hits, n)
        out.append({"confidence": float(confidence[chosen].mean()), "accuracy": estimate(hits / n, low, high, n)})
    return out


def _selective(confidence: Floats, correct: Bools) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Threshold, cases kept and wrong ones among them at each threshold there is, the highest first."""
    order = np.argsort(-confidence, kind="stable")
    ends = np.append(np.diff(confidence[order]) != 0, True)
    wrong = np.cumsum(~correct[order])
    return confidence[order][ends], (np.arange(len(order)) + 1)[ends], wrong[ends]


def risk_coverage(confidence: Floats, correct: Bools, effective: float = 1.0, most: int = 200) -> list[list[float]]:
    """[coverage, error, upper bound of the error, threshold], at most `most` points. `effective` as in `proportion`."""
    threshold, kept, wrong = _selective(confidence, correct)
    bounds = upper_bound(wrong * effective, kept * effective)
    points = np.unique(np.linspace(0, len(kept) - 1, min(most, len(kept))).astype(int))
    return [[kept[i] / len(correct), wrong[i] / kept[i], float(bounds[i]), float(threshold[i])] for i in points]


def coverage_at_error(confidence: Floats, correct: Bools, effective: float = 1.0) -> dict[str, dict[str, Any]]:
    """For each accepted error: the coverage at which it is seen, and the one at which it is proven (95 % upper bound).

    The bound holds for a threshold fixed beforehand; chosen and judged on one set, it is a little too kind. Messages of
    one thread prove no more than `effective` of them, as in `proportion`.
    """
    threshold, kept, wrong = _selective(confidence, correct)
    bounds = upper_bound(wrong * effective, kept * effective)
    out = {}
    for accepted in ACCEPTED_ERRORS:
        entry: dict[str, Any] = {}
        for name, reached in (("seen", wrong / kept <= accepted + 1e-9), ("proven", bounds <= accepted)):
            places = np.flatnonzero(reached)
            i = int(places[-1]) if len(places) else None
            entry[name] = {
                "coverage": 0.0 if i is None else kept[i] / len(correct),
                "threshold": None if i is None else float(threshold[i]),
                "error": None if i is None else wrong[i] / kept[i],
                "error_upper_bound": None if i is None else float(bounds[i]),
            }
        out[f"{accepted:g}"] = entry
    return out


def abstention(rows: Sequence[Row], answers: Answers, bootstrap: Bootstrap) -> dict[str, Any]:
    """How often the service says that it cannot tell, and how right it is where it answers."""
    n = len(rows)
    if not n:
        return {"rate": NOTHING, "accuracy_when_answered": NOTHING, "reasons": {}}
    answered = np.array([row["abstained"] is None for row in rows], float)
    correct = answers.correct.astype(float)

    def statistic(weights: Floats) -> Floats:
        kept = weights @ answered
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.column_stack([1 - kept / weights.sum(axis=1), (weights @ (answered * correct)) / kept])

    _, drawn = bootstrap.of(statistic)
    part = bootstrap.effective / n
    reasons = Counter(row["abstained"] for row in rows if row["abstained"])
    return {
        "rate": proportion(n - answered.sum(), n, drawn[:, 0], part),
        "accuracy_when_answered": proportion((answered * correct).sum(), int(answered.sum()), drawn[:, 1], part),
        "reasons": dict(sorted(reasons.items())),
    }


# Several labels


def multi_label(rows: Sequence[Row], labels: Sequence[str], draws: int, seed: int) -> dict[str, Any]:
    """First and secondary labels as one set, for the cases that say which secondary ones there are."""
    rows = [row for row in rows if row["expected"]["secondary_labels"] is not None]
    if not rows:
        return {"micro_f1": NOTHING, "exact_match": NOTHING, "jaccard": NOTHING}
    index = {label: i for i, label in enumerate(labels)}
    true, given = np.zeros((2, len(rows), len(labels)))
    for i, row in enumerate(rows):
        for label in {row["expected"]["label"], *row["expected"]["secondary_labels"]} & index.keys():
            true[i, index[label]] = 1
        for label in {row["label"], *(entry["label"] for entry in row["secondary_labels"])} & index.keys():
            given[i, index[label]] = 1
    both, either = (true * given).sum(axis=1), np.maximum(true, given).sum(axis=1)
    bootstrap = Bootstrap([row["group"] for row in rows], draws, seed)
    exact = (both == either).astype(float)

    def statistic(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        micro = 2 * (weights @ both) / (weights @ (true.sum(axis=1) + given.sum(axis=1)))
        return np.column_stack([micro, weights @ exact / total, weights @ (both / either) / total])

    value, drawn = bootstrap.of(statistic)
    part = bootstrap.effective / len(rows)
    return {
        "micro_f1": f_score(both.sum(), (either - both).sum(), drawn[:, 0], len(rows), part),
        "exact_match": proportion(exact.sum(), len(rows), drawn[:, 1], part),
        "jaccard": estimate(value[2], *interval(drawn[:, 2]), len(rows)),
    }


# Fields


_SHAPES = str.maketrans("’‘–—", "''--")  # whoever types what a paper says has one key for these


def strict(value: str) -> str:
    return " ".join(value.translate(_SHAPES).split()).casefold()


def relaxed(value: str) -> str:
    plain = unicodedata.normalize("NFKD", value.casefold())
    return "".join(c for c in plain if c.isalnum())


def same_relaxed(a: str, b: str) -> bool:
    """The same letters and digits, or the shorter of at least four of them within the longer."""
    a, b = relaxed(a), relaxed(b)
    return a == b or (min(len(a), len(b)) >= 4 and (a in b or b in a))


def matched(true: Sequence[str], given: Sequence[str], same: Callable[[str, str], bool]) -> int:
    """How many values find a partner, each at most one; equal ones first."""
    left, hits = list(given), 0
    for value in sorted(true, key=lambda v: strict(v) not in {strict(g) for g in given}):
        partner = next((g for g in left if strict(g) == strict(value)), None) or next(
            (g for g in left if same(value, g)), None
        )
        if partner is not None:
            left.remove(partner)
            hits += 1
    return hits


def differences(row: Row) -> dict[str, tuple[list[str], list[str]]]:
    """By field, the values missed and those that nobody asked for; empty where the fields are not labelled."""
    if not row["scored"] or row["expected"]["fields"] is None:
        return {}
    found = {}
    for name in sorted({*row["expected"]["fields"], *row["fields"]}):
        true = row["expected"]["fields"].get(name, [])
        given = [f["value"] for f in row["fields"].get(name, ())]
        missed = [v for v in true if strict(v) not in {strict(g) for g in given}]
        extra = [g for g in given if strict(g) not in {strict(v) for v in true}]
        if missed or extra:
            found[name] = (missed, extra)
    return found


def field_measures(rows: Sequence[Row], draws: int, seed: int) -> dict[str, Any]:
    rows = [row for row in rows if row["expected"]["fields"] is not None]
    names = sorted({name for row in rows for name, values in row["expected"]["fields"].items() if values})
    if not names:
        return {"micro_f1": NOTHING, "relaxed": {"micro_f1": NOTHING}, "per_field": {}, "cases": len(rows)}
    # (cases, fields, [strict hits, relaxed hits, true values, given values])
    counts = np.zeros((len(rows), len(names), 4))
    for i, row in enumerate(rows):
        for j, name in enumerate(names):
            true = list({strict(v): v for v in row["expected"]["fields"].get(name, ())}.values())
            given = list({strict(f["value"]): f["value"] for f in row["fields"].get(name, ())}.values())
            equal = len({strict(v) for v in true} & {strict(v) for v in given})
            counts[i, j] = (equal, matched(true, given, same_relaxed), len(true), len(given))
    bootstrap = Bootstrap([row["group"] for row in rows], draws, seed)
    part = bootstrap.effective / len(rows)
    flat = counts.reshape(len(rows), -1)

    def scores(totals: Floats, kind: int) -> tuple[Floats, Floats, Floats]:
        hits, true, given = totals[..., kind], totals[..., 2], totals[..., 3]
        with np.errstate(invalid="ignore", divide="ignore"):
            return hits / given, hits / true, 2 * hits / (true + given)

    def statistic(weights: Floats) -> Floats:
        totals = (weights @ flat).reshape(len(weights), len(names), 4)
        columns = []
        for kind in (0, 1):
            columns += [s[:, None] for s in scores(totals.sum(axis=1), kind)]
            columns.append(scores(totals, kind)[2])
        return np.hstack(columns)

    _, drawn = bootstrap.of(statistic)
    totals = counts.sum(axis=0)

    def block(kind: int) -> tuple[dict[str, Estimate], list[Estimate]]:
        start = kind * (3 + len(names))
        hits, true, given = (float(totals[:, c].sum()) for c in (kind, 2, 3))
        micro = {
            "micro_precision": proportion(hits, int(given), drawn[:, start], part),
            "micro_recall": proportion(hits, int(true), drawn[:, start + 1], part),
            "micro_f1": f_score(hits, true + given - 2 * hits, drawn[:, start + 2], len(rows), part),
        }
        each = [
            f_score(t[kind], t[2] + t[3] - 2 * t[kind], drawn[:, start + 3 + j], int(t[2]), part)
            for j, t in enumerate(totals)
        ]
        return micro, each

    exact, each_exact = block(0)
    loose, each_loose = block(1)
    per_field = {
        name: {
            "f1": each_exact[j],
            "relaxed_f1": each_loose[j],
            "precision": totals[j, 0] / totals[j, 3] if totals[j, 3] else None,
            "recall": totals[j, 0] / totals[j, 2] if totals[j, 2] else None,
            "support": int(totals[j, 2]),
            "found": int(totals[j, 3]),
        }
        for j, name in enumerate(names)
    }
    return {**exact, "relaxed": loose, "per_field": per_field, "cases": len(rows)}


def document_measures(rows: Sequence[Row], draws: int, seed: int) -> dict[str, Any]:
    rows = [row for row in rows if row["expected"]["documents"] is not None]
    rows = [row for row in rows if row["expected"]["documents"] or row["documents"]]
    if not rows:
        return {"accuracy": NOTHING, "micro_f1": NOTHING, "per_type": {}}
    true = [Counter(row["expected"]["documents"]) for row in rows]
    given = [Counter(entry["type"] for entry in row["documents"]) for row in rows]
    counts = np.array([[(t & g).total(), t.total(), g.total()] for t, g in zip(true, given, strict=True)], float)
    bootstrap = Bootstrap([row["group"] for row in rows], draws, seed)
    part = bootstrap.effective / len(rows)

    def statistic(weights: Floats) -> Floats:
        hits, wanted, found = (weights @ counts).T
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.column_stack([hits / wanted, 2 * hits / (wanted + found)])

    _, drawn = bootstrap.of(statistic)
    hits, wanted, found = counts.sum(axis=0)
    per_type = {}
    for name in sorted({name for counter in (*true, *given) for name in counter}):
        right = sum(min(t[name], g[name]) for t, g in zip(true, given, strict=True))
        support, said = sum(t[name] for t in true), sum(g[name] for g in given)
        per_type[name] = {
            "precision": right / said if said else None,
            "recall": right / support if support else None,
            "support": support,
            "predicted": said,
        }
    return {
        "accuracy": proportion(hits, int(wanted), drawn[:, 0], part),
        "micro_f1": f_score(hits, wanted + found - 2 * hits, drawn[:, 1], len(rows), part),
        "per_type": per_type,
    }


# What is done


def load_costs(path: Path = COSTS) -> dict[str, Any]:
    """Raises ValueError that names the entry that is missing."""
    costs = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name in ("version", "unit", "by_hand", "routes", "wrong_label", "cannot_tell"):
        if name not in costs:
            raise ValueError(f"{path.name} lacks {name}")
    missing = [f"routes.{a}.{b}" for a in ROUTES for b in ROUTES if b not in costs["routes"].get(a, {})]
    if missing:
        raise ValueError(f"{path.name} lacks {', '.join(missing)}")
    return dict(costs)


def cost(row: Row, costs: Mapping[str, Any]) -> float:
    """What the outcome of one case costs; the label matters only where somebody is asked to act."""
    total = float(costs["routes"][row["expected"]["route"]][row["route"]])
    if row["route"] == "ignore" or row["expected"]["route"] == "ignore":
        return total
    if row["abstained"]:
        return total + float(costs["cannot_tell"])
    return total + (float(costs["wrong_label"]) if row["expected"]["label"] not in (None, row["label"]) else 0.0)


def routing(rows: Sequence[Row], costs: Mapping[str, Any], draws: int, seed: int) -> dict[str, Any]:
    rows = [row for row in rows if row.get("route") and row["expected"]["route"]]
    stated = {"version": str(costs["version"]), "unit": costs["unit"], "by_hand": costs["by_hand"]}
    if not rows:
        return {
            "accuracy": NOTHING,
            "cost": NOTHING,
            "utility": NOTHING,
            "lost": NOTHING,
            "confusion": {},
            "costs": stated,
        }
    wanted, done = [row["expected"]["route"] for row in rows], [row["route"] for row in rows]
    right = np.array([a == b for a, b in zip(wanted, done, strict=True)], float)
    needed = np.array([a != "ignore" for a in wanted], float)
    lost = needed * np.array([b == "ignore" for b in done], float)
    spent = np.array([cost(row, costs) for row in rows])
    bootstrap = Bootstrap([row["group"] for row in rows], draws, seed)

    def statistic(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.column_stack(
                [weights @ right / total, weights @ spent / total, (weights @ lost) / (weights @ needed)]
            )

    value, drawn = bootstrap.of(statistic)
    part = bootstrap.effective / len(rows)
    low, high = interval(drawn[:, 1])
    confusion: dict[str, dict[str, int]] = {}
    for (a, b), count in sorted(Counter(zip(wanted, done, strict=True)).items()):
        confusion.setdefault(a, {})[b] = count
    by_hand = float(costs["by_hand"])
    return {
        "accuracy": proportion(right.sum(), len(rows), drawn[:, 0], part),
        "cost": estimate(value[1], low, high, len(rows)),
        "utility": estimate(by_hand - value[1], by_hand - high, by_hand - low, len(rows)),
        "lost": proportion(lost.sum(), int(needed.sum()), drawn[:, 2], part),
        "confusion": confusion,
        "costs": stated,
    }


# Slices and time


def slices(rows: Sequence[Row], answers: Answers, bootstrap: Bootstrap) -> dict[str, Any]:
    """Accuracy where a property of the case has one value, for those with enough cases."""
    places = slice_places(rows)
    correct = answers.correct.astype(float)
    judged = {key: chosen for key, chosen in places.items() if chosen.sum() >= FEWEST}
    drawn: Floats = np.zeros((0, 0))
    if judged:
        members = np.array(list(judged.values()), float).T

        def statistic(weights: Floats) -> Floats:
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.asarray((weights * correct) @ members / (weights @ members))

        _, drawn = bootstrap.of(statistic)
    out: dict[str, dict[str, Any]] = {}
    columns = {key: i for i, key in enumerate(judged)}
    for (name, value), chosen in places.items():
        n = int(chosen.sum())
        entry: dict[str, Any] = {"n": n, "note": "too few"}
        if (name, value) in columns:
            part = bootstrap.effective / len(rows)
            hits = correct[chosen].sum()
            entry = {"n": n, "accuracy": proportion(hits, n, drawn[:, columns[name, value]], part)}
        out.setdefault(name, {})[value] = entry
    return out


def slice_places(rows: Sequence[Row]) -> dict[tuple[str, str], Bools]:
    """(slice, value) to the cases in it, in a stable order; a property that no case states is no slice."""
    places: dict[tuple[str, str], Bools] = {}
    for name in SLICES:
        values = [row["expected"]["label"] if name == "label" else row["slices"].get(name) for row in rows]
        for value in sorted({str(v) for v in values if v is not None}):
            places[name, value] = np.array([v is not None and str(v) == value for v in values])
    return places


def latency(milliseconds: Sequence[float]) -> dict[str, Any]:
    times = np.array(milliseconds, float)
    out: dict[str, Any] = {f"p{q}": quantile(times, q / 100) for q in (50, 95, 99)}
    return out | {"mean": float(times.mean()) if len(times) else None}


def spending(rows: Sequence[Row], costs: Mapping[str, Any], draws: int, seed: int) -> dict[str, Any]:
    """Tokens in all; money for a thousand messages and a thousand right decisions, from what each row says it took."""
    uses = [row.get("llm_use") or {} for row in rows]
    tokens = {
        "prompt": sum(use.get("input_tokens", 0) for use in uses),
        "completion": sum(use.get("output_tokens", 0) for use in uses),
        "questions": sum(use.get("questions", 0) for use in uses),
        "cached": sum(use.get("cached", 0) for use in uses),
    }
    price = costs.get("money")
    if not rows or price is None:
        return {"tokens": tokens, "money": {"per_thousand": NOTHING, "per_thousand_right": NOTHING}}
    stated = {"currency": price["currency"], "core_hour": price["core_hour"]}
    if tokens["cached"]:
        return {"tokens": tokens, "money": {**stated, "per_thousand": NOTHING, "per_thousand_right": NOTHING}}
    processor = np.array([row.get("cpu_ms", 0.0) for row in rows]) / 3.6e6 * float(price["core_hour"])
    spent = processor + np.array([use.get("cost", 0.0) for use in uses])
    right = np.array([_is_right(row) for row in rows], float)
    asked = np.array([has_label(row) for row in rows], float)
    bootstrap = Bootstrap([row["group"] for row in rows], draws, seed)

    def statistic(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            a_right_one = (weights @ (spent * asked)) / (weights @ right)
            return 1000 * np.column_stack([weights @ spent / weights.sum(axis=1), a_right_one])

    value, drawn = bootstrap.of(statistic)
    n, decided = len(rows), int(right.sum())
    return {
        "tokens": tokens,
        "money": {
            **stated,
            "per_thousand": estimate(value[0], *interval(drawn[:, 0]), n),
            "per_thousand_right": estimate(value[1], *interval(drawn[:, 1]), decided),
        },
    }


def _is_right(row: Row) -> bool:
    expected = row["expected"]
    if row.get("label") is None or row.get("abstained") or row["label"] != expected["label"]:
        return False
    return expected["route"] is None or row.get("route") == expected["route"]
