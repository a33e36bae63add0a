"""Intervals and tests against hand-computed and textbook values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from eval.statistics import (
    Bootstrap,
    f_score,
    holm,
    interval,
    mcnemar,
    pivotal,
    proportion,
    quantile,
    rounded,
    upper_bound,
    wilson,
)


def test_wilson_is_the_interval_of_the_library_and_of_the_book() -> None:
    for hits, n in ((0, 10), (3, 10), (10, 10), (81, 263)):
        low, high = wilson(hits, n)
        expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, table I


def test_mcnemar_is_exact_when_few_differ() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(1, 6) == pytest.approx(2 * (1 + 7) / 2**7)
    assert mcnemar(150, 86) == pytest.approx(stats.chi2.sf(63**2 / 236, 1))


def test_holm_is_what_one_gets_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


def test_upper_bound_follows_the_rule_of_three() -> None:
    assert upper_bound(0, 100) == pytest.approx(0.0295, abs=1e-4)
    assert upper_bound(5, 5) == 1.0


def test_the_cluster_bootstrap_knows_that_copies_are_not_evidence() -> None:
    random = np.random.default_rng(1)
    hits = (random.random(200) < 0.7).astype(float)

    def mean(weights: np.ndarray) -> np.ndarray:
        return np.asarray(weights @ np.tile(hits, 5)[: weights.shape[1]] / weights.sum(axis=1))

    alone = interval(Bootstrap([str(i) for i in range(200)]).of(mean)[1])
    copied = interval(Bootstrap([str(i % 200) for i in range(1000)]).of(mean)[1])
    believed = interval(Bootstrap([str(i) for i in range(1000)]).of(mean)[1])
    assert copied == pytest.approx(alone, abs=0.015)
    assert believed[1] - believed[0] < 0.6 * (copied[1] - copied[0])


def test_the_bootstrap_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(2).normal(size=400)
    value, draws = Bootstrap([str(i) for i in range(400)]).of(lambda w: w @ values / w.sum(axis=1))
    low, high = interval(draws)
    assert value[0] == pytest.approx(values.mean())
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.08)


def test_the_same_seed_gives_the_same_draws_and_another_one_others() -> None:
    groups = [str(i % 9) for i in range(40)]
    values = np.arange(40.0)
    first, second, third = (Bootstrap(groups, 50, seed).of(lambda w: w @ values)[1] for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != third).any()


def test_nothing_wrong_of_a_few_is_not_called_certain() -> None:
    estimate = proportion(12, 12, np.ones(100))
    assert estimate == {"value": 1.0, "low": pytest.approx(0.7575, abs=1e-4), "high": 1.0, "n": 12}
    perfect = f_score(12, 0, np.ones(100), 12)
    assert perfect["low"] is not None and perfect["low"] < 0.9


def test_the_interval_of_a_calibration_error_holds_its_value() -> None:
    low, high = pivotal(0.02, np.linspace(0.03, 0.09, 500))
    assert 0 <= low <= 0.02 <= high


def test_the_interval_of_a_quantile_is_that_of_order_statistics() -> None:
    estimate = quantile(np.arange(1.0, 101.0), 0.5)
    assert estimate["value"] == 50.5
    assert (estimate["low"], estimate["high"]) == (40.0, 61.0)


def test_one_group_has_no_interval() -> None:
    values = np.array([1.0, 2.0, 4.0])
    value, draws = Bootstrap(["a", "a", "a"], 20).of(lambda w: w @ values / w.sum(axis=1))
    assert value[0] == pytest.approx(7 / 3)
    assert np.isnan(interval(draws)).all()


def test_what_has_no_value_is_null_in_json() -> None:
    assert rounded({"a": [float("nan"), 1 / 3]}) == {"a": [None, 0.333333]}
