"""A language model as a second opinion on what the cascade is unsure of: one label of a closed list.

What its opinion is worth is measured, never taken from itself. With a `Blend` that was fitted for this model, prompt
and bundle, its label moves the calibrated scores and the result is calibrated again. Without one it changes the order
of the first candidates and nothing else: the confidence stays what the cascade gave, and so does the abstention.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import beta

from classifiers.examples import Labelled
from classifiers.prediction import Prediction
from classifiers.taxonomy import Taxonomy
from classifiers.training import choose_threshold
from prompts import Ask, Question, load_prompt

CANDIDATES = 6  # hold the right label of 90 % of the messages that the cascade is unsure of (dev and calibration)
CANNOT_TELL = "cannot_tell"
NEVER = 2.0  # a threshold that no confidence reaches
CERTAINTY = 0.9
FEWEST_TO_FIT = 30
_FLOOR = 1e-6


class BlendError(ValueError):
    """The file of a calibration cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Blend:
    """What a model's label is worth, fitted on messages of the calibration split that the cascade is unsure of.

    The label's log score gets `weight` more, all are divided by `temperature`; from `threshold` on the label stands.
    `measured` says on how many messages, and how good cascade, model and blend were on them.
    """

    model: str
    prompt: str
    classifier: str
    weight: float
    temperature: float
    threshold: float
    measured: dict[str, Any]

    def scores(self, before: dict[str, float], chosen: str) -> dict[str, float]:
        logits = np.log(np.maximum(list(before.values()), _FLOOR))
        logits[list(before).index(chosen)] += self.weight
        powers = np.exp((logits - logits.max()) / self.temperature)
        return dict(zip(before, (powers / powers.sum()).tolist(), strict=True))

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def load_blend(path: Path, model: str, classifier: str) -> Blend:
    """Raises BlendError where the file is missing, broken, or fitted for something else than what runs."""
    try:
        blend = Blend(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BlendError(f"{path.name} is no calibration of a language model: {error}") from error
    runs = (model, load_prompt("classify").sha256, classifier)
    made_for = (blend.model, blend.prompt, blend.classifier)
    for what, now, then in zip(("model", "prompt", "classifier"), runs, made_for, strict=True):
        if now != then:
            raise BlendError(
                f"{path.name} was made for the {what} {then}, and {now} runs; run 'triage llm calibrate' again"
            )
    return blend


def is_unsure(prediction: Prediction) -> bool:
    """Whether a second opinion is asked for; a text without words gets none."""
    return prediction.abstained in ("ambiguous", "out_of_scope")


def candidates(prediction: Prediction, count: int = CANDIDATES) -> list[str]:
    return sorted(prediction.scores, key=lambda code: -prediction.scores[code])[:count]


def ask_label(
    text: str, choices: Sequence[str], examples: Sequence[Labelled], taxonomy: Taxonomy, ask: Ask
) -> str | None:
    """One of `choices`, or None where the model cannot tell. Raises NoAnswer.

    All labels are described, so that the beginning of every question is the same and servers need not read it again.
    """
    shown = "\n\n".join(f"{example.text}\nlabel: {example.label}" for example in examples)
    question = Question(
        load_prompt("classify"),
        given={"examples": shown, "message": text} if shown else {"message": text},
        told={
            "described": "\n".join(f"- {label.code}: {label.means}" for label in taxonomy.labels.values()),
            "candidates": ", ".join([*choices, CANNOT_TELL]),
        },
        choices={"labels": [*choices, CANNOT_TELL]},
    )
    label = str(ask(question)["label"])
    return None if label == CANNOT_TELL else label


def second_opinion(
    prediction: Prediction, text: str, examples: Sequence[Labelled], taxonomy: Taxonomy, ask: Ask, blend: Blend | None
) -> Prediction:
    """`prediction` where the cascade is sure or the model cannot tell, else with the model heard. Raises NoAnswer.

    No exception is talked away: where the cascade's best guess is one, an opinion that it is none changes nothing.
    """
    if not is_unsure(prediction):
        return prediction
    chosen = ask_label(text, candidates(prediction), examples, taxonomy, ask)
    if chosen is None or talks_away(prediction.label, chosen, taxonomy):
        return prediction
    return heard(prediction, chosen, blend)


def talks_away(label: str, chosen: str, taxonomy: Taxonomy) -> bool:
    return taxonomy.labels[label].exception and not taxonomy.labels[chosen].exception


def heard(prediction: Prediction, chosen: str, blend: Blend | None) -> Prediction:
    if blend is None:
        before = prediction.scores
        scores = before | {chosen: before[prediction.label], prediction.label: before[chosen]}
        return replace(prediction, label=chosen, scores=scores)
    scores = blend.scores(prediction.scores, chosen)
    label = max(scores, key=lambda code: scores[code])
    decided = prediction.abstained == "ambiguous" and scores[label] >= blend.threshold
    return replace(
        prediction,
        label=label,
        scores=scores,
        confidence=scores[label],
        abstained=None if decided else prediction.abstained,
    )


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
        return float(-np.mean([np.log(max(s[case.truth], _FLOOR)) for s, case in zip(scores, used, strict=True)]))

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
