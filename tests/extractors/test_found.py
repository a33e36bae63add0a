"""Bytes on which reading once failed, found by `tests.fuzz`, and the samples that it starts from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.extractors.targets import FOUND, TARGETS, as_seed
from tests.fuzz import SAMPLES


@pytest.mark.parametrize("path", sorted(FOUND.glob("*-*")), ids=lambda path: path.name)
def test_what_once_failed_is_read_or_refused(path: Path) -> None:
    TARGETS[path.name.partition("-")[0]](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_the_samples_are_read_by_the_targets(target: str) -> None:
    seeds = [seed for path in sorted(SAMPLES.iterdir()) if (seed := as_seed(target, path))]
    assert len(seeds) > 1
    for seed in seeds:
        TARGETS[target](seed)
