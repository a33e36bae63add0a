"""Does the ranking of carriers hold on shipments that it has not seen?

The history is cut in time: the older part is what the ranking may know, the younger part is held back. Beside it stand
simpler rankings on the same shipments: the raw rate of the lane, the carrier's rate on all lanes, and the carrier that
went there most. Nobody can know how a carrier that was not chosen would have done; so a ranking is judged by how well
it foresaw the shipments that did go (Brier score), and by those that went with the carrier that it puts first.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from eval.statistics import Bootstrap, interval, rounded, wilson
from triage.carriers import FEWEST, WEIGHT_CLASSES, Lane, Trip, rank

HELD_BACK = 0.3
SEED = 20261123

Rates = dict[str, float]  # by carrier, for one lane
Ranking = Callable[[Sequence[Trip], Lane], Rates]


def load(path: Path) -> list[Trip]:
    """Trips from JSON lines; ValueError with the line's number where one is no trip."""
    adapter, trips = TypeAdapter(Trip), []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                trips.append(adapter.validate_json(line))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: no trip: {error}") from error
    return trips


def simulate(seed: int = SEED, shipments: int = 4000) -> list[Trip]:
    """Invented shipments of a year: carriers differ, and each is better on some ways than on others.

    They show whether the ranking finds what is there to be found. They say nothing about any real carrier.
    """
    random = np.random.default_rng(seed)
    carriers = [f"carrier {letter}" for letter in "ABCDEFGH"]
    lanes = [
        (origin, f"{country} {zone:02d}")
        for origin in ("ANR", "LGG")
        for country in ("BE", "DE", "FR")
        for zone in range(10, 20)
    ]
    skill = {c: random.normal(1.6, 0.6) for c in carriers}
    local = {(c, lane): random.normal(0, 0.7) for c in carriers for lane in lanes}
    liked = {lane: random.dirichlet(np.full(len(carriers), 0.6)) for lane in lanes}
    busy = random.dirichlet(np.full(len(lanes), 0.8))
    start = datetime(2025, 11, 23, tzinfo=UTC)
    trips = []
    for minute in np.sort(random.integers(0, 365 * 24 * 60, shipments)):
        way = lanes[random.choice(len(lanes), p=busy)]
        carrier = carriers[random.choice(len(carriers), p=liked[way])]
        in_time = random.random() < 1 / (1 + math.exp(-skill[carrier] - local[carrier, way]))
        due = start + timedelta(minutes=int(minute))
        lane = Lane(origin=way[0], zone=way[1], weight_class=WEIGHT_CLASSES[random.integers(len(WEIGHT_CLASSES))][1])
        done = due if in_time else due + timedelta(days=1 + int(random.integers(3)))
        trips.append(Trip(carrier=carrier, lane=lane, due=due, done=done))
    return trips


def backtest(trips: Sequence[Trip], held_back: float = HELD_BACK) -> dict[str, Any]:
    """Figures of each ranking on the held-back part, for lanes on which there was something to choose.

    A shipment counts as known once it is done and as asked about on the day that it was due, so nothing that was not
    known by the cut is used. ValueError where no lane had two carriers to choose from.
    """
    ordered = sorted(trips, key=lambda trip: trip.done)
    if len(ordered) < 2:
        raise ValueError("the history holds too few shipments; give at least some hundred")
    cut = ordered[int(len(ordered) * (1 - held_back))].done
    known = [trip for trip in ordered if trip.done < cut]
    later = [trip for trip in ordered if trip.done >= cut and trip.due >= cut]
    if not known:
        raise ValueError("all shipments were done at one time, so none is older than another; give a longer history")
    rates: dict[str, dict[Lane, Rates]] = {name: {} for name in RANKINGS}
    for lane in dict.fromkeys(trip.lane for trip in later):
        for name, ranking in RANKINGS.items():
            rates[name][lane] = ranking(known, lane)
    ours = rates["smoothed"]
    judged = [trip for trip in later if len(ours[trip.lane]) > 1 and trip.carrier in ours[trip.lane]]
    if not judged:
        raise ValueError("no held-back shipment went a way on which two carriers were known; give a longer history")
    happened = np.array([trip.on_time for trip in judged], float)
    draws = Bootstrap([str(trip.lane) for trip in judged])
    figures = {}
    for name in RANKINGS:
        foreseen = np.array([rates[name][trip.lane].get(trip.carrier, 0.5) for trip in judged])
        errors = (foreseen - happened) ** 2
        value, drawn = draws.of(lambda weights, e=errors: (weights @ e / weights.sum(axis=1))[:, None])  # type: ignore[misc]
        followed = [t.on_time for t in judged if t.carrier == _first(rates[name][t.lane])]
        figures[name] = {
            "brier": {"value": round(float(value[0]), 4), **rounded(_span(drawn[:, 0]), 4)},
            "first_choice_on_time": _share(sum(followed), len(followed)),
        }
    return {
        "shipments": len(ordered),
        "held_back": len(later),
        "judged": len(judged),
        "lanes": len({trip.lane for trip in judged}),
        "cut": cut.isoformat(),
        "on_time_as_it_was": _share(int(happened.sum()), len(judged)),
        "rankings": figures,
    }


def as_text(found: dict[str, Any]) -> str:
    was = found["on_time_as_it_was"]
    lines = [
        f"{found['judged']} of {found['held_back']} held-back shipments on {found['lanes']} lanes had a choice; "
        f"{was['value']:.1%} were on time as they went ({was['low']:.1%} to {was['high']:.1%})",
        f"{'ranking':22}{'Brier (less is better)':34}on time with the carrier put first",
    ]
    for name, figures in found["rankings"].items():
        brier, first = figures["brier"], figures["first_choice_on_time"]
        told = (
            "none"
            if first["value"] is None
            else (f"{first['value']:.1%} ({first['low']:.1%} to {first['high']:.1%}, n={first['n']})")
        )
        brier_said = f"{brier['value']:.4f}"
        span = "one lane" if brier["low"] is None else f"{brier['low']:.4f} to {brier['high']:.4f}"
        lines.append(f"{name:22}{f'{brier_said} ({span})':34}{told}")
    return "\n".join(lines)


def _smoothed(known: Sequence[Trip], lane: Lane) -> Rates:
    return {option.carrier: option.on_time_rate for option in rank(known, lane, known[-1].done)}


def _raw(known: Sequence[Trip], lane: Lane) -> Rates:
    """The plain share on the lane, of the way where the carrier took no such load: what a spreadsheet would say."""
    seen: dict[str, list[bool]] = defaultdict(list)
    way: dict[str, list[bool]] = defaultdict(list)
    for trip in known:
        if (trip.lane.origin, trip.lane.zone) == (lane.origin, lane.zone):
            way[trip.carrier].append(trip.on_time)
            if trip.lane == lane:
                seen[trip.carrier].append(trip.on_time)
    return {c: float(np.mean(seen.get(c) or all_)) for c, all_ in way.items() if len(all_) >= FEWEST}


def _overall(known: Sequence[Trip], lane: Lane) -> Rates:
    there = _raw(known, lane)
    seen: dict[str, list[bool]] = defaultdict(list)
    for trip in known:
        seen[trip.carrier].append(trip.on_time)
    return {carrier: float(np.mean(seen[carrier])) for carrier in there}


def _most_used(known: Sequence[Trip], lane: Lane) -> Rates:
    """By the number of shipments; as a forecast everybody's rate, a hair apart to keep the order."""
    there = _raw(known, lane)
    everybody = float(np.mean([trip.on_time for trip in known]))
    went = [trip.carrier for trip in known if (trip.lane.origin, trip.lane.zone) == (lane.origin, lane.zone)]
    return {carrier: everybody + went.count(carrier) * 1e-9 for carrier in there}


RANKINGS: dict[str, Ranking] = {
    "smoothed": _smoothed,
    "raw rate": _raw,
    "carrier overall": _overall,
    "most used": _most_used,
}


def _first(rates: Rates) -> str | None:
    return max(sorted(rates), key=lambda carrier: rates[carrier], default=None)


def _share(hits: int, n: int) -> dict[str, Any]:
    if not n:
        return {"value": None, "low": None, "high": None, "n": 0}
    low, high = wilson(hits, n)
    return {"value": round(hits / n, 4), "low": round(low, 4), "high": round(high, 4), "n": n}


def _span(drawn: Any) -> dict[str, float]:
    low, high = interval(drawn)
    return {"low": low, "high": high}
