"""Text to a calibrated label, or to the reason why none can be given."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.bundle import Bundle
from classifiers.embedding import Encodes
from classifiers.lexical import Lexical
from classifiers.prediction import Abstention, Prediction

FEWEST_LETTERS = 8
_letters = re.compile(r"[^\W\d_]")


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def blend(meant: NDArray[np.float32], lexical: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """The logits of the two heads to one; `share` is the part of the lexical one."""
    return np.asarray((1 - share) * meant + share * lexical, np.float32)


class Classifier:
    """The encoder with the bundle's adapter, the trained heads, the calibration, the thresholds."""

    def __init__(self, encoder: Encodes, bundle: Bundle) -> None:
        self._encoder = encoder
        self._bundle = bundle
        self._lexical = Lexical(bundle.vocabularies, bundle.idf, bundle.lexical)
        self._label_index = {label: i for i, label in enumerate(bundle.labels)}

    @property
    def version(self) -> str:
        return self._bundle.version

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """`texts` as `classifiers.text.classifier_text` makes them."""
        b = self._bundle
        vectors = self._encoder.encode(texts)
        lexical = self._lexical.logits(texts)
        logits = blend(vectors @ b.head.T + b.head_intercepts, lexical + b.lexical_intercepts, b.lexical_share)
        scores = softmax(logits / np.float32(b.temperature))
        familiarity = (vectors @ b.centroids.T).max(axis=1) if len(texts) else np.zeros(0)
        return [
            self._prediction(text, row, float(known))
            for text, row, known in zip(texts, scores, familiarity, strict=True)
        ]

    def _prediction(self, text: str, scores: NDArray[np.float64], familiarity: float) -> Prediction:
        best = int(scores.argmax())
        confidence = float(scores[best])
        thresholds = self._bundle.thresholds
        abstained: Abstention | None = None
        if len(_letters.findall(text)) < FEWEST_LETTERS:
            abstained = "insufficient_evidence"
        elif familiarity < thresholds.familiarity:
            abstained = "out_of_scope"
        elif confidence < thresholds.confidence:
            abstained = "ambiguous"
        return Prediction(
            label=self._bundle.labels[best],
            confidence=confidence,
            scores={label: float(score) for label, score in zip(self._bundle.labels, scores, strict=True)},
            abstained=abstained,
            version=self.version,
        )

    def word_weights(self, text: str, label: str) -> list[tuple[int, int, float]]:
        """Start, end and weight of the words of `text` (as it was written) that speak for the label."""
        return self._lexical.word_weights(text, self._label_index[label])
