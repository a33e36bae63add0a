"""What a language model's label is worth, fitted on answers for the calibration split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import beta

from classifiers.llm import FLOOR, NEVER, Blend
from classifiers.training import choose_threshold
from prompts import load_prompt

CERTAINTY = 0.9
FEWEST_TO_FIT = 30


class Judged(NamedTuple):
    """A message of the calibration split that the cascade is unsure of; `chosen` is None where nothing is heard."""

    scores: dict[str, float]
    chosen: str | None
    truth: str


def fit_blend(judged: Sequence[Judged], model: str, classifier: str, accepted_error: float) -> Blend:
    """Two numbers by the log loss, and the threshold by the upper bound of the error. Raises ValueError for too few."""
    used = [case for case in judged if case.chosen is not None]
    if len(used) < FEWEST_TO_FIT:
        raise ValueError(f"only {len(used)} answers to fit on, and {FEWEST_TO_FIT} are needed; give a larger --limit")

    def blended(weight: float, log_temperature: float) -> list[dict[str, float]]:
        blend = Blend(model, "", classifier, weight, float(np.exp(log_temperature)), NEVER, {})
        return [blend.scores(case.scores, str(case.chosen)) for case in used]

    def loss(parameters: NDArray[np.float64]) -> float:
        scores = blended(*parameters)
        return float(-np.mean([np.log(max(s[case.truth], FLOOR)) for s, case in zip(scores, used, strict=True)]))

    found = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", bounds=[(0.0, 10.0), (-2.0, 2.0)])
    weight, log_temperature = found.x
    after = blended(weight, log_temperature)
    best = [max(scores, key=lambda code: scores[code]) for scores in after]
    confidence = np.array([scores[label] for scores, label in zip(after, best, strict=True)])
    right = np.array([label == case.truth for label, case in zip(best, used, strict=True)])
    threshold, coverage = choose_threshold(confidence, right, accepted_error, CERTAINTY)
    kept = confidence >= threshold
    wrong = int((~right[kept]).sum())
    if wrong == kept.sum() or beta.ppf(CERTAINTY, wrong + 1, kept.sum() - wrong) > accepted_error:
        threshold, coverage = NEVER, 0.0
    return Blend(
        model=model,
        prompt=load_prompt("classify").sha256,
        classifier=classifier,
        weight=round(float(weight), 4),
        temperature=round(float(np.exp(log_temperature)), 4),
        threshold=round(threshold, 4),
        measured={
            "messages": len(judged),
            "heard": len(used),
            "cascade_right": _share(max(c.scores, key=lambda code: c.scores[code]) == c.truth for c in used),
            "model_right": _share(c.chosen == c.truth for c in used),
            "blend_right": _share(right),
            "mean_confidence": round(float(confidence.mean()), 4),
            "log_loss_before": round(loss(np.array([0.0, 0.0])), 4),
            "log_loss_after": round(loss(found.x), 4),
            "accepted_error": accepted_error,
            "coverage": round(coverage, 4),
        },
    )


def _share(hits: Any) -> float:
    return round(float(np.mean(list(hits))), 4)
