from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eval.backtest import as_text, backtest, load, simulate
from triage.carriers import Lane, Trip

INVENTED = simulate(shipments=1500)


def test_the_smoothed_ranking_foresees_better_than_raw_rates() -> None:
    found = backtest(INVENTED)
    rankings = found["rankings"]
    assert rankings["smoothed"]["brier"]["value"] < rankings["raw rate"]["brier"]["value"]
    assert found["judged"] <= found["held_back"] < found["shipments"] == 1500


def test_what_happened_after_the_cut_is_not_known_to_the_ranking() -> None:
    found = backtest(INVENTED)
    cut = found["cut"]
    swapped = [
        trip.model_copy(update={"done": trip.due + timedelta(days=0 if not trip.on_time else 3)})
        if trip.due.isoformat() > cut
        else trip
        for trip in INVENTED
    ]
    again = backtest(swapped)
    assert again["on_time_as_it_was"]["value"] < 0.4 < found["on_time_as_it_was"]["value"]
    assert again["rankings"]["smoothed"]["brier"]["value"] > 0.4  # it foresaw the world as it had been


def test_a_history_is_read_back_as_it_was_saved_and_a_broken_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "history.jsonl"
    file.write_text("".join(f"{trip.model_dump_json()}\n" for trip in INVENTED[:5]), encoding="utf-8")
    assert load(file) == INVENTED[:5]
    file.write_text('{"carrier": 1}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="line 1: no trip"):
        load(file)


@pytest.mark.parametrize("trips", [[], INVENTED[:1], INVENTED[:10]])
def test_a_history_too_short_to_judge_says_so(trips: list[Trip]) -> None:
    with pytest.raises(ValueError, match="give"):
        backtest(trips)


def test_what_one_lane_or_one_moment_cannot_say_is_said() -> None:
    day, lane = datetime(2026, 1, 1, tzinfo=UTC), Lane(origin="ANR", zone="DE 10")

    def trips(apart: timedelta) -> list[Trip]:
        days = (day + i * apart for i in range(60))
        return [Trip(carrier="ab"[i % 2], lane=lane, due=at, done=at) for i, at in enumerate(days)]

    found = backtest(trips(timedelta(days=1)))
    assert found["rankings"]["smoothed"]["brier"] == {"value": 0.0, "low": None, "high": None}
    assert "one lane" in as_text(found)
    with pytest.raises(ValueError, match="give a longer history"):
        backtest(trips(timedelta(0)))
