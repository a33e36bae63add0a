"""One line of the performance table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, TypedDict


class Row(TypedDict):
    """`of` says of what `ratio` is; null where there is nothing beside it in the same run."""

    what: str
    value: float
    unit: str
    ratio: float | None
    of: str


def row(what: str, value: float, unit: str, ratio: float | None = None, of: str = "") -> Row:
    return Row(what=what, value=round(value, 3), unit=unit, ratio=None if ratio is None else round(ratio, 3), of=of)


def cpu_ms(call: Callable[[Any], Any], inputs: Sequence[Any]) -> float:
    """CPU milliseconds an input, one at a time, warmed up; the median of three rounds, since machines are noisy."""
    for one in inputs[:3]:
        call(one)
    rounds = []
    for _ in range(3):
        started = time.process_time()
        for one in inputs:
            call(one)
        rounds.append((time.process_time() - started) * 1000 / len(inputs))
    return statistics.median(rounds)
