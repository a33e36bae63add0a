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
from typing import Any

import numpy as np

from classifiers.examples import Labelled
from classifiers.prediction import Prediction
from classifiers.taxonomy import Taxonomy
from prompts import Ask, Question, load_prompt

CANDIDATES = 6  # hold the right label of 90 % of the messages that the cascade is unsure of (dev and calibration)
CANNOT_TELL = "cannot_tell"
NEVER = 2.0  # a threshold that no confidence reaches
FLOOR = 1e-6
LEAST_WORTH = 0.4  # of the values that a model adds, below which it is not asked for any: as for those on documents


class BlendError(ValueError):
    """The file of a calibration cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Blend:
    """What a model's label is worth, fitted on messages of the calibration split that the cascade is unsure of.

    The label's log score gets `weight` more, all are divided by `temperature`; from `threshold` on the label stands.
    `measured` says on how many messages, and how good cascade, model and blend were on them. `extract` says how many of
    the values that the model added to messages were `right` and `wrong`, and by which `prompt`; None: not measured.
    """

    model: str
    prompt: str
    classifier: str
    weight: float
    temperature: float
    threshold: float
    measured: dict[str, Any]
    extract: dict[str, Any] | None = None

    @property
    def worth(self) -> float | None:
        """How likely a value is right that the model adds, in 0..1; None where nobody measured it."""
        counts = self.extract
        return round((counts["right"] + 1) / (counts["right"] + counts["wrong"] + 2), 3) if counts else None

    def scores(self, before: dict[str, float], chosen: str) -> dict[str, float]:
        logits = np.log(np.maximum(list(before.values()), FLOOR))
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
    extract = load_prompt("extract").sha256
    checked = [
        ("model", model, blend.model),
        ("prompt", load_prompt("classify").sha256, blend.prompt),
        ("prompt 'extract'", extract, blend.extract.get("prompt") if blend.extract else extract),
        ("classifier", classifier, blend.classifier),
    ]
    for what, now, then in checked:
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
