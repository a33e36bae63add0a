"""`triage eval weigh`: how much the rules and the tagger count on documents, fitted on documents the tagger never read.

Logistic regression over `extractors.pointed_pages.features`; a candidate is right when its document states it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from eval.datasets import Case, read_message
from eval.metrics import strict
from eval.product import CLOCK
from extractors.evidence import Finding
from extractors.extraction import extract
from extractors.limits import Limits
from extractors.pdf import PdfReader
from extractors.pointed_pages import LEAST, Candidate, candidates, features
from extractors.pointing import Point

STRENGTH = 0.3  # of the regression: 1 is as good, 0.1 worse
FOLDS = 8


class Weighing(NamedTuple):
    """`right` and `kept` count candidates of documents whose layout was held out in turn."""

    weights: dict[str, float]
    documents: int
    candidates: int
    kept: int
    right: int


def unread(cases: Sequence[Case], pages: Path) -> list[Case]:
    """The cases of `dev` of which no piece stands in the file that the tagger was trained on."""
    lines = pages.read_text(encoding="utf-8").splitlines()
    read = {str(json.loads(line)["id"]).rpartition("/")[0] for line in lines}
    return [case for case in cases if case.split == "dev" and case.id not in read and case.fields]


def weigh(cases: Sequence[Case], folder: Path, point: Point, pdf: PdfReader) -> Weighing:
    """Fit on all cases; files are read from `folder`. Raises ValueError where there are too few layouts."""
    rows: list[dict[str, float]] = []
    right: list[bool] = []
    layouts: list[str] = []
    met: list[Candidate] = []

    def record(found: Sequence[Finding], pointed: Sequence[Finding]) -> list[Finding]:
        met.extend(candidates(found, pointed))
        return []

    for case in cases:
        stated = {(field, strict(value)) for field, values in (case.fields or {}).items() for value in values}
        message = read_message(case, folder, Limits())
        met.clear()
        extract(message, pdf, now=message.received_at or CLOCK, point=point, weigh=record)
        rows += map(features, met)
        right += [(c.finding.field, strict(c.finding.value)) in stated for c in met]
        layouts += [case.cluster] * len(met)
    if len(set(layouts)) < FOLDS:
        raise ValueError(f"{len(set(layouts))} layouts that the tagger has not read; {FOLDS} are needed")
    names = sorted({name for row in rows for name in row} - {""})
    table = np.array([[row.get(name, 0.0) for name in names] for row in rows])
    truth = np.array(right)
    likely = np.zeros(len(rows))
    for train, held in GroupKFold(FOLDS).split(table, truth, layouts):
        likely[held] = _fitted(table[train], truth[train]).predict_proba(table[held])[:, 1]
    model = _fitted(table, truth)
    weights = {"": float(model.intercept_[0]), **dict(zip(names, map(float, model.coef_[0]), strict=True))}
    kept = likely >= LEAST
    return Weighing(
        {name: round(weight, 3) for name, weight in weights.items()},
        len(cases),
        len(rows),
        int(kept.sum()),
        int(truth[kept].sum()),
    )


def _fitted(table: np.ndarray, truth: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=STRENGTH, max_iter=3000).fit(table, truth)
