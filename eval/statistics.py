"""How sure a figure is: intervals, tests and corrections, each by a published method.

- Cluster bootstrap: whole groups are drawn, since messages of one thread are not independent (Davison and Hinkley 1997,
  section 3.8). Every statistic sees the same draws, so two of them can be compared pair by pair.
- Wilson (1927) for proportions with few hits or misses, where the bootstrap calls 0 of 12 certain.
- Clopper and Pearson (1934) for bounds that must hold; order statistics for quantiles.
- McNemar (1947), exact where few pairs differ; Holm (1979) over several tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]  # weights (draws, cases) -> (draws,) or (draws, k)

SEED = 20261123
DRAWS = 2000
LEVEL = 0.95
FEW = 10  # hits or misses below which a proportion is given Wilson's interval
MOST_CELLS = 4_000_000  # of weights held at once


class Estimate(TypedDict):
    """`value` with its 95 % interval over `n` cases; null where nothing could be measured."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def estimate(value: float, low: float, high: float, n: int) -> Estimate:
    return Estimate(value=_tidy(value), low=_tidy(low), high=_tidy(high), n=n)


def _tidy(number: float) -> float | None:
    return round(float(number), 6) if np.isfinite(number) else None


NOTHING = Estimate(value=None, low=None, high=None, n=0)


class Bootstrap:
    """Draws of whole groups. `groups` names each case's group; of a single one nothing can be drawn, and no interval be
    given.
    """

    def __init__(self, groups: Sequence[str], draws: int = DRAWS, seed: int = SEED) -> None:
        names, self._codes, sizes = np.unique(
            np.asarray(groups, dtype=object).astype(str), return_inverse=True, return_counts=True
        )
        self.cases = len(groups)
        self.effective = float(sizes.sum() ** 2 / (sizes**2).sum()) if len(groups) else 0.0
        count = len(names)
        random = np.random.default_rng(seed)
        self._draws: NDArray[np.uint16] = np.zeros((draws, count), np.uint16)
        for row in self._draws if count else ():
            row[:] = np.bincount(random.integers(0, count, count), minlength=count)

    def of(self, statistic: Statistic) -> tuple[Floats, Floats]:
        """The statistic of the cases as they are, and of every draw: shapes (k,) and (draws, k)."""
        value = np.asarray(statistic(np.ones((1, self.cases))), float).reshape(1, -1)[0]
        step = max(1, MOST_CELLS // max(1, self.cases))
        drawn = [
            np.asarray(statistic(self._draws[start : start + step][:, self._codes].astype(float)), float).reshape(
                -1, len(value)
            )
            for start in range(0, len(self._draws), step)
        ]
        draws = np.concatenate(drawn) if drawn else np.zeros((0, len(value)))
        return value, draws if self._draws.shape[1] > 1 else np.full_like(draws, np.nan)


def interval(draws: Floats) -> tuple[float, float]:
    """The middle 95 % of the draws; those in which the statistic had no value are left out."""
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def pivotal(value: float, draws: Floats) -> tuple[float, float]:
    """For statistics that noise only makes larger, such as a calibration error: the percentile interval would lie above
    the truth, so it is mirrored at the value (Davison and Hinkley 1997, 5.2.1), held in 0..1 and around the value.
    """
    low, high = interval(draws)
    if not np.isfinite(low):
        return low, high
    return min(max(0.0, 2 * value - high), value), max(min(1.0, 2 * value - low), value)


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Both may be effective, not whole, numbers."""
    if n <= 0:
        return float("nan"), float("nan")
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def proportion(hits: float, n: int, draws: Floats, effective: float = 1.0) -> Estimate:
    """A share with its interval: Wilson's where hits or misses are few, else from the draws.

    `effective` is the part of the cases that counts as independent (groups over cases).
    """
    if n <= 0:
        return NOTHING
    value = hits / n
    low, high = wilson(hits * effective, n * effective) if min(hits, n - hits) < FEW else interval(draws)
    return estimate(value, low, high, n)


def f_score(true_positives: float, wrong: float, draws: Floats, n: int, effective: float = 1.0) -> Estimate:
    """F1 = 2J / (1 + J) for J = tp / (tp + fp + fn), which is a proportion and so can have Wilson's interval."""
    union = true_positives + wrong
    if union <= 0:
        return NOTHING | {"n": n}
    if min(true_positives, wrong) < FEW:
        low, high = (2 * j / (1 + j) for j in wilson(true_positives * effective, union * effective))
    else:
        low, high = interval(draws)
    return estimate(2 * true_positives / (2 * true_positives + wrong), low, high, n)


def quantile(values: Floats, q: float) -> Estimate:
    """A quantile with the interval of its order statistics (binomial, so for any distribution)."""
    n = len(values)
    if not n:
        return NOTHING
    ordered = np.sort(values)
    low, high = stats.binom.ppf([(1 - LEVEL) / 2, (1 + LEVEL) / 2], n, q).astype(int)
    return estimate(float(np.quantile(ordered, q)), ordered[max(0, low - 1)], ordered[min(n - 1, high)], n)


def upper_bound(errors: Any, n: Any, certainty: float = 0.95) -> Floats:
    """The largest error rate that `errors` of `n` still allow (one-sided Clopper-Pearson); numbers or arrays."""
    errors, n = np.asarray(errors, float), np.asarray(n, float)
    return np.asarray(np.where(errors >= n, 1.0, stats.beta.ppf(certainty, errors + 1, np.maximum(n - errors, 1e-9))))


def mcnemar(only_a: int, only_b: int) -> float:
    """The p-value of as uneven a split of the cases that just one of two got right; exact below 100 of them."""
    n = only_a + only_b
    if n == 0:
        return 1.0
    if n < 100:
        return float(stats.binomtest(only_a, n, 0.5).pvalue)
    return float(stats.chi2.sf((abs(only_a - only_b) - 1) ** 2 / n, 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.maximum.accumulate([(len(order) - i) * p_values[k] for i, k in enumerate(order)])
    out = np.empty(len(order))
    out[order] = np.minimum(adjusted, 1.0)
    return [float(p) for p in out]


def detectable(draws: Floats, n: int) -> float:
    """The smallest true difference that such a set shows four times in five (5 %, two-sided), by the draws' spread.

    Where the two never differed, as if they had on one case.
    """
    known = draws[np.isfinite(draws)]
    spread = float(known.std()) if len(known) else 0.0
    z = float(stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(0.8))
    return z * max(spread, 1 / max(n, 1))


def rounded(value: Any, digits: int = 6) -> Any:
    """A JSON value with every float rounded, so that two runs write the same bytes."""
    if isinstance(value, float):
        return round(value, digits) if np.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(entry, digits) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(entry, digits) for entry in value]
    return value
