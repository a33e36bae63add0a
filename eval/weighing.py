"""`triage eval weigh`: how much the rules and the tagger count on documents, fitted on documents the tagger never read.

Boosted decision trees over `extractors.pointed_pages.features`; a candidate is right when its document states it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import GroupKFold

from eval.datasets import Case, read_message
from eval.metrics import strict
from eval.product import CLOCK
from extractors.evidence import Finding
from extractors.extraction import extract
from extractors.limits import Limits
from extractors.pdf import PdfReader
from extractors.pointed_pages import LEAST, Candidate, candidates, completed, features
from extractors.pointing import Point
from extractors.trees import Trees

TREES, LEAVES, RATE = 300, 10, 0.06
PART, COLUMNS, FEWEST = 0.7, 0.3, 10  # of the candidates a tree sees, of the columns a split does; candidates of a leaf
SEED = 20261201
FOLDS = 8


_FIRST = re.compile(r"(?:[ehij]|c[a-d])-")  # ids of the first eight makers: eval/field_guide.md


class Weighing(NamedTuple):
    """`right` and `kept` count candidates of documents whose layout was held out in turn."""

    weights: Trees
    documents: int
    candidates: int
    kept: int
    right: int


def unread(cases: Sequence[Case], pages: Path) -> list[Case]:
    """The cases of `dev` of which no piece stands in the file that the tagger was trained on.

    Without those of the first eight makers, which give goods by another rule than documents do now.
    """
    lines = pages.read_text(encoding="utf-8").splitlines()
    read = {str(json.loads(line)["id"]).rpartition("/")[0] for line in lines}
    return [
        case
        for case in cases
        if case.split == "dev" and case.id not in read and case.fields and not _FIRST.match(case.id)
    ]


def weigh(cases: Sequence[Case], folder: Path, point: Point, pdf: PdfReader) -> Weighing:
    """Fit on all cases; files are read from `folder`. Raises ValueError where there are too few layouts."""
    met: list[Candidate] = []

    def record(found: Sequence[Finding], pointed: Sequence[Finding]) -> list[Finding]:
        met.extend(candidates(*completed(found, pointed)))
        return []

    read = []
    for case in cases:
        met.clear()
        message = read_message(case, folder, Limits())
        extract(message, pdf, now=message.received_at or CLOCK, point=point, weigh=record)
        read.append((case, tuple(met)))
    return fitted(read)


def fitted(cases: Sequence[tuple[Case, Sequence[Candidate]]]) -> Weighing:
    """Raises ValueError where there are too few layouts."""
    stated = {
        case.id: {(f, strict(v)) for f, values in (case.fields or {}).items() for v in values} for case, _ in cases
    }
    each = [(case, candidate, features(candidate)) for case, met in cases for candidate in met]
    layouts = [case.cluster for case, _, _ in each]
    if len(set(layouts)) < FOLDS:
        raise ValueError(f"{len(set(layouts))} layouts that the tagger has not read; {FOLDS} are needed")
    names = tuple(sorted({name for _, _, row in each for name in row}))
    table = np.array([[row.get(name, 0.0) for name in names] for _, _, row in each], np.float32)
    truth = np.array([(c.finding.field, strict(c.finding.value)) in stated[case.id] for case, c, _ in each])
    likely = np.zeros(len(each))
    for train, held in GroupKFold(FOLDS).split(table, truth, layouts):
        likely[held] = _fit(table[train], truth[train]).predict_proba(table[held])[:, 1]
    kept = likely >= LEAST
    weights = _as_trees(_fit(table, truth), names)
    return Weighing(weights, len(cases), len(each), int(kept.sum()), int(truth[kept].sum()))


def _fit(table: np.ndarray, truth: np.ndarray) -> GradientBoostingClassifier:
    model = GradientBoostingClassifier(
        n_estimators=TREES,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        max_depth=None,
        subsample=PART,
        max_features=COLUMNS,
        min_samples_leaf=FEWEST,
        random_state=SEED,
    )
    return model.fit(table, truth)


def _as_trees(model: GradientBoostingClassifier, names: tuple[str, ...]) -> Trees:
    """The same trees in arrays that nothing but numpy is needed for."""
    grown = [tree.tree_ for tree in model.estimators_[:, 0]]
    shape = len(grown), max(tree.node_count for tree in grown)
    column, left, right = (np.zeros(shape, np.int16) for _ in range(3))
    limit, value = (np.zeros(shape, np.float32) for _ in range(2))
    for n, tree in enumerate(grown):
        nodes = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        column[n, nodes] = np.where(leaf, 0, tree.feature)
        limit[n, nodes] = tree.threshold
        left[n, nodes] = np.where(leaf, nodes, tree.children_left)
        right[n, nodes] = np.where(leaf, nodes, tree.children_right)
        value[n, nodes] = np.where(leaf, RATE * tree.value[:, 0, 0], 0)
    share = float(model.init_.class_prior_[1])
    return Trees(names, float(np.log(share / (1 - share))), column, limit, left, right, value)
