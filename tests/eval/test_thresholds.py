"""What an evaluation proved on the calibration split is what the policy lets pass unseen, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from classifiers.taxonomy import load_taxonomy
from triage.policy import FILE, Policy, load_policy

LINE = "secondary_label: 0.15"


def a_policy(folder: Path, split: str = "calibration", accepted: float = 0.05, **measured: Any) -> Policy:
    found = {"0.05": {"proven": {"threshold": 0.9}}, "0.01": {"proven": {"threshold": None}}}
    thresholds = {"split": split, "classifier": "c1", "accepted_error": found} | measured
    (folder / "thresholds.json").write_text(json.dumps(thresholds))
    text = FILE.read_text(encoding="utf-8")
    assert LINE in text
    path = folder / "policy.yaml"
    path.write_text(text.replace(LINE, f"{LINE}\n  accepted_error: {accepted}\n  thresholds: thresholds.json"))
    return load_policy(load_taxonomy(), path)


def test_a_label_stands_unseen_from_the_proven_threshold_of_this_classifier_only(tmp_path: Path) -> None:
    rules = a_policy(tmp_path).confidence
    assert rules.may_stand("c1", 0.9)
    assert not rules.may_stand("c1", 0.89)
    assert not rules.may_stand("another", 0.99)
    assert not a_policy(tmp_path, accepted=0.01).confidence.may_stand("c1", 1.0)
    assert load_policy(load_taxonomy()).confidence.may_stand("any", 0.0)


def test_other_thresholds_make_another_policy_and_those_of_the_test_split_none(tmp_path: Path) -> None:
    assert a_policy(tmp_path).sha256 != a_policy(tmp_path, n=7).sha256
    with pytest.raises(ValueError, match="calibration"):
        a_policy(tmp_path, split="test")
    with pytest.raises(ValueError, match="accepted_error: it must be one of"):
        a_policy(tmp_path, accepted=0.03)
