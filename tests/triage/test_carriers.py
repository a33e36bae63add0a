from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.carriers import MOST, Lane, Trip, rank, weight_class, zone

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LANE = Lane(origin="ANR", zone="FR 59", weight_class="up to 2.5 t")


def trips(carrier: str, outcomes: str, lane: Lane = LANE, cost: float | None = None) -> list[Trip]:
    """`.` in time, `x` a day late."""
    found = []
    for day, outcome in enumerate(outcomes, start=2):
        due = NOW - timedelta(days=day)
        done = due + timedelta(days=outcome == "x")
        found.append(Trip(carrier=carrier, lane=lane, due=due, done=done, cost=cost, currency="EUR" if cost else None))
    return found


def test_the_carrier_that_was_on_time_more_often_on_the_lane_comes_first() -> None:
    history = trips("late", "x.xx.x.xxx") + trips("good", "..........")
    first, second = rank(history, LANE, NOW)
    assert (first.carrier, second.carrier) == ("good", "late")
    assert first.low < first.on_time_rate < first.high <= 1


def test_three_of_three_do_not_beat_ninety_five_of_a_hundred() -> None:
    history = trips("new", "...") + trips("proven", "...................x" * 5) + trips("third", ".x" * 30)
    assert [o.carrier for o in rank(history, LANE, NOW)] == ["proven", "new", "third"]
    new = rank(history, LANE, NOW)[1]
    proven = rank(history, LANE, NOW)[0]
    assert new.high - new.low > proven.high - proven.low
    assert (new.shipments, proven.shipments) == (3, 100)


def test_a_carrier_that_is_new_to_the_weight_class_is_judged_by_its_other_loads() -> None:
    light = LANE.model_copy(update={"weight_class": "parcel"})
    (option,) = rank(trips("a", "....x.....", light), LANE, NOW)
    assert (option.shipments, option.shipments_on_the_way) == (0, 10)
    assert 0.6 < option.on_time_rate < 0.9


def test_who_never_or_hardly_went_that_way_is_no_option() -> None:
    elsewhere = LANE.model_copy(update={"zone": "PL 00"})
    history = trips("elsewhere", "." * 40, elsewhere) + trips("twice", "..") + trips("out", "." * 9)
    assert rank(history, LANE, NOW, without=["out"]) == ()


def test_the_cost_is_the_usual_one_of_the_lane_and_unknown_where_nothing_is_known() -> None:
    history = [*trips("a", "...", cost=100), *trips("a", ".", cost=9000), *trips("b", "....")]
    costs = {o.carrier: (o.cost, o.currency) for o in rank(history, LANE, NOW)}
    assert costs == {"a": (100.0, "EUR"), "b": (None, None)}


def test_on_time_is_by_day() -> None:
    due = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
    assert Trip(carrier="a", lane=LANE, due=due, done=due + timedelta(hours=17)).on_time
    assert not Trip(carrier="a", lane=LANE, due=due, done=due + timedelta(hours=19)).on_time


@pytest.mark.parametrize(
    ("country", "postcode", "expected"),
    [
        ("BE", "2030", "BE 20"),
        ("nl", "1012 AB", "NL 10"),
        ("GB", "sw1a 1aa", "GB SW"),
        ("IE", None, "IE"),
        (None, "1", None),
    ],
)
def test_a_zone_is_the_country_and_two_signs_of_the_postcode(
    country: str | None, postcode: str | None, expected: str | None
) -> None:
    assert zone(country, postcode) == expected


def test_an_unknown_weight_is_a_class_of_its_own() -> None:
    assert [weight_class(kg) for kg in (None, 0, 30, 31, 2500, 9999)] == [
        "any weight", "any weight", "parcel", "up to 300 kg", "up to 2.5 t", "over 2.5 t"
    ]  # fmt: skip


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.text(".x", max_size=30), max_size=8))
def test_any_history_gives_a_short_list_of_sound_rates(outcomes: dict[str, str]) -> None:
    history = [trip for carrier, seen in outcomes.items() for trip in trips(carrier, seen)]
    options = rank(history, LANE, NOW)
    assert len(options) <= MOST
    assert all(0 <= o.low <= o.on_time_rate <= o.high <= 1 for o in options)
    assert [o.on_time_rate for o in options] == sorted((o.on_time_rate for o in options), reverse=True)
    assert options == rank(list(reversed(history)), LANE, NOW)
