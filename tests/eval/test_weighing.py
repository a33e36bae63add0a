"""The trees that weigh what was found on documents, as scikit-learn fits them and as numpy alone reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from eval.datasets import Case
from eval.weighing import FOLDS, _as_trees, _fit, fitted
from extractors import trees
from extractors.evidence import Evidence, Finding
from extractors.pointed_pages import KINDS, WEIGHTS, Candidate, features


def a_candidate(value: str, rules: float, tagger: float) -> Candidate:
    evidence = Evidence(part="attachment:0", quote=value, start=0, end=len(value), page=1)
    finding = Finding(field="shipment", value=value, score=max(rules, tagger), method="model", evidence=evidence)
    return Candidate(finding, rules, tagger, 0.0, 0.0, 0.0, 0.0, 1, 1, 0, 0)


def cases_of(layouts: int) -> list[tuple[Case, list[Candidate]]]:
    """In each the number that both ways are sure of is stated, and another is not."""
    chance = np.random.default_rng(1)
    told = []
    for n in range(layouts):
        case = Case(id=f"a-{n}", group=f"a-{n}", message={"text": ""}, fields={"shipment": (f"A-{n}",)})
        right = a_candidate(f"A-{n}", chance.uniform(0.6, 0.9), chance.uniform(0.6, 1.0))
        told.append((case, [right, a_candidate(f"B {n}", 0.0, chance.uniform(0.25, 0.5))]))
    return told


def test_what_is_read_by_numpy_alone_says_what_was_fitted(tmp_path: Path) -> None:
    found = fitted(cases_of(60))
    assert (found.documents, found.candidates, found.kept, found.right) == (60, 120, 60, 60)
    trees.save(found.weights, tmp_path / "weights.npz")
    read = trees.load(tmp_path / "weights.npz")
    assert read.names == found.weights.names

    def likely(candidate: Candidate) -> float:
        row = [features(candidate).get(name, 0.0) for name in read.names]
        return float(read.likely(np.array([row], np.float32))[0])

    assert likely(a_candidate("C-1", 0.8, 0.9)) > 0.9
    assert likely(a_candidate("D 1", 0.0, 0.3)) < 0.1


def test_the_trees_are_those_of_scikit_learn() -> None:
    chance = np.random.default_rng(2)
    table = chance.normal(size=(400, 5)).astype(np.float32)
    truth = table[:, 0] * table[:, 1] + chance.normal(size=400) > 0
    model = _fit(table, truth)
    ours = _as_trees(model, tuple("abcde")).likely(table)
    assert np.allclose(ours, model.predict_proba(table)[:, 1], atol=1e-5)


def test_too_few_layouts_are_refused() -> None:
    with pytest.raises(ValueError, match="layouts that the tagger has not read"):
        fitted(cases_of(FOLDS - 1))


def test_the_packaged_trees_ask_for_nothing_that_no_candidate_has() -> None:
    known = {*features(a_candidate("A", 0.5, 0.5)), *KINDS, *(f"kind {kind}" for kind in KINDS.values())}
    assert set(trees.load(WEIGHTS).names) <= known
