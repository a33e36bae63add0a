"""Rows of predictions.jsonl as a run writes them, with only what a test says."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from eval.datasets import Case
from eval.product import _labelled
from extractors.limits import Limits

LABELS = ("damage", "transit_delay", "status_update")


def a_row(number: int, true: str, given: str, confidence: float = 0.8, **more: Any) -> dict[str, Any]:
    rest = (1 - confidence) / (len(LABELS) - 1)
    expected = {"label": true, "secondary_labels": None, "fields": None, "documents": None, "route": None}
    row = {
        "id": f"case-{number:04}",
        "scored": True,
        "unscored_reason": None,
        "expected": expected | more.pop("expected", {}),
        "group": f"group-{number}",
        "split": "test",
        "slices": {},
        "latency_ms": 10.0 + number % 7,
        "sources": {"body": "The pallet is <wet>."},
        "label": given,
        "confidence": confidence,
        "scores": {label: confidence if label == given else rest for label in LABELS},
        "abstained": None,
        "secondary_labels": [],
        "fields": {},
        "documents": [],
        "evidence": [],
        "route": None,
        "channel": "email",
        "priority": "P2",
        "key": "k",
    }
    return row | more


def found(*values: str) -> list[dict[str, Any]]:
    evidence = {"part": "body", "page": None, "start": 0, "end": 3, "quote": "The"}
    return [{"value": value, "score": 0.9, "evidence": evidence} for value in values]


class StandIn:
    """A product that calls everything damage, so that a test of the harness needs no model."""

    taxonomy = SimpleNamespace(codes=LABELS, labels=dict.fromkeys(LABELS))
    limits = Limits()
    llm = None

    def __init__(self) -> None:
        self.versions: dict[str, Any] = {"bundle": "b", "policy": "p", "extractor": "e", "taxonomy": "1"}

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None: ...

    def answer(self, case: Case, folder: Path, *, only_extract: bool = False, consult: bool = True) -> dict[str, Any]:
        row = a_row(0, "damage", "damage", id=case.id, **_labelled(case, None))
        return row | {"label": None} if only_extract else row
