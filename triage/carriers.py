"""Which other carriers could take a load, ranked by how they did on the same lane; a person chooses.

A carrier's on-time rate is drawn towards what is known more broadly: that of the lane towards that of the same way
with any weight, that towards all the carrier did, that towards all carriers. Each step is a beta-binomial update in
which the broader rate counts as `PRIOR` shipments, so that three shipments out of three are no 100 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from statistics import median

from extractors.message import Value

PRIOR = 10.0  # shipments that the broader rate is worth; of 2 to 40 the backtest prefers none clearly
FEWEST = 3  # shipments on the way without which a carrier is no option
MOST = 5
WEIGHT_CLASSES = ((30.0, "parcel"), (300.0, "up to 300 kg"), (2500.0, "up to 2.5 t"), (math.inf, "over 2.5 t"))
UNKNOWN_WEIGHT = "any weight"
_RECENT = timedelta(days=56)
_LEVEL = 1.6448536269514722  # of a normal distribution: 90 % lie within


class Lane(Value):
    """A way: from a warehouse to a zone (country and the first two digits of the postcode), for loads of one class."""

    origin: str
    zone: str
    weight_class: str = UNKNOWN_WEIGHT

    def __str__(self) -> str:
        return f"{self.origin} to {self.zone}, {self.weight_class}"


class Trip(Value):
    """One finished shipment; `due` and `done` UTC, `cost` null where Odoo holds none."""

    carrier: str
    lane: Lane
    due: datetime
    done: datetime
    cost: float | None = None
    currency: str | None = None

    @property
    def on_time(self) -> bool:
        """By day: the minutes of Odoo's planned times are mostly its own."""
        return self.done.date() <= self.due.date()


class Option(Value):
    """`on_time_rate` with the interval that holds it nine times in ten; `shipments` are those on the lane itself, and
    `shipments_on_the_way` with any weight. `usual_per_week` is what the carrier took of late, a hint at its capacity.
    """

    carrier: str
    on_time_rate: float
    low: float
    high: float
    shipments: int
    shipments_on_the_way: int
    cost: float | None = None
    currency: str | None = None
    usual_per_week: float | None = None
    max_weight: float | None = None
    lane: str


class _Tally:
    def __init__(self) -> None:
        self.on_time = 0
        self.total = 0

    def add(self, trip: Trip) -> None:
        self.total += 1
        self.on_time += trip.on_time


def weight_class(kilograms: float | None) -> str:
    if not kilograms or kilograms < 0:
        return UNKNOWN_WEIGHT
    return next(name for limit, name in WEIGHT_CLASSES if kilograms <= limit)


def zone(country: str | None, postcode: str | None) -> str | None:
    """`BE 20`; the country alone where the postcode is unknown, None without a country."""
    if not country:
        return None
    digits = "".join(c for c in (postcode or "") if c.isalnum())[:2].upper()
    return f"{country.upper()} {digits}".strip()


def rank(trips: Iterable[Trip], lane: Lane, now: datetime, *, without: Sequence[str] = ()) -> tuple[Option, ...]:
    """Carriers that have gone this way, the likeliest to be on time first; `without` names those that are out."""
    everybody, overall = _Tally(), dict[str, _Tally]()
    way, same = dict[str, _Tally](), dict[str, _Tally]()
    costs: dict[str, list[tuple[str | None, float]]] = {}
    recent: dict[str, int] = {}
    for trip in trips:
        everybody.add(trip)
        overall.setdefault(trip.carrier, _Tally()).add(trip)
        if now - _RECENT <= trip.done <= now and trip.lane.origin == lane.origin:
            recent[trip.carrier] = recent.get(trip.carrier, 0) + 1
        if (trip.lane.origin, trip.lane.zone) == (lane.origin, lane.zone):
            way.setdefault(trip.carrier, _Tally()).add(trip)
            if trip.lane.weight_class == lane.weight_class:
                same.setdefault(trip.carrier, _Tally()).add(trip)
                if trip.cost:
                    costs.setdefault(trip.carrier, []).append((trip.currency, trip.cost))
    options = []
    for carrier in way:
        if carrier in without or way[carrier].total < FEWEST:
            continue
        on_lane = same.get(carrier, _Tally())
        rate, weight = _smoothed([everybody, overall[carrier], way[carrier], on_lane])
        low, high = _interval(rate, weight)
        cost, currency = _usual_cost(costs.get(carrier, []))
        option = Option(
            carrier=carrier,
            on_time_rate=round(rate, 4),
            low=round(low, 4),
            high=round(high, 4),
            shipments=on_lane.total,
            shipments_on_the_way=way[carrier].total,
            cost=cost,
            currency=currency,
            usual_per_week=round(recent.get(carrier, 0) / (_RECENT.days / 7), 1),
            lane=str(lane),
        )
        options.append(option)
    return tuple(sorted(options, key=lambda o: (-o.on_time_rate, -o.shipments, o.carrier))[:MOST])


def _smoothed(levels: Sequence[_Tally]) -> tuple[float, float]:
    """The rate of the last level, drawn towards that of each broader one; and the shipments that it is worth."""
    rate, weight = 0.5, 2.0
    for tally in levels:
        rate = (tally.on_time + rate * weight) / (tally.total + weight)
        worth = tally.total + weight
        weight = PRIOR
    return rate, worth


def _interval(rate: float, weight: float) -> tuple[float, float]:
    """Wilson's for a rate seen in `weight` shipments: near the quantiles of the beta distribution, without scipy."""
    z2 = _LEVEL**2
    centre = (rate + z2 / (2 * weight)) / (1 + z2 / weight)
    half = _LEVEL / (1 + z2 / weight) * math.sqrt(rate * (1 - rate) / weight + z2 / (4 * weight**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _usual_cost(costs: Sequence[tuple[str | None, float]]) -> tuple[float | None, str | None]:
    """The median, in the currency that most were in."""
    if not costs:
        return None, None
    currencies = [currency for currency, _ in costs]
    usual = max(sorted(set(currencies), key=str), key=currencies.count)
    return round(median(cost for currency, cost in costs if currency == usual), 2), usual
