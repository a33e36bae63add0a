"""What a classifier says of a text: a label with an honest score, the next best ones, or why it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Abstention = Literal["ambiguous", "out_of_scope", "insufficient_evidence", "conflicting_sources"]


@dataclass(frozen=True)
class Prediction:
    """`scores` are calibrated probabilities over all labels of the taxonomy and sum to 1."""

    label: str
    confidence: float
    scores: dict[str, float]
    abstained: Abstention | None
    version: str
