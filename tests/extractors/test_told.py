"""What is pointed at as a time, a count or an amount is read as people write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from extractors import told

WEDNESDAY = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.mark.parametrize(("quote", "value"), [("1993", "UN1993"), ("7740", None), ("UN 1993", None)])
def test_four_digits_are_a_un_number_where_they_are_known_to_be_one(quote: str, value: str | None) -> None:
    assert told.value_of("un_number", quote, WEDNESDAY) == value


@pytest.mark.parametrize(
    ("quote", "value"),
    [
        ("um 5", "2026-11-25T17:00:00+00:00"),
        ("before noon", "2026-11-25T12:00:00+00:00"),
        ("1400", "2026-11-25T14:00:00+00:00"),
        ("19u", "2026-11-25T19:00:00+00:00"),
        ("entro le 16", "2026-11-25T16:00:00+00:00"),
        ("between 8 and 12", "2026-11-25T08:00:00+00:00"),
        ("five-ish", "2026-11-25T17:00:00+00:00"),
        ("the 2nd", "2026-12-02"),
        ("le 9", "2026-12-09"),
        ("28.11", "2026-11-28"),
        ("tomoz", "2026-11-26"),
        ("vrijdagmiddag", "2026-11-27"),
        ("do środy", "2026-12-02"),
        ("Do", "2026-11-26"),
        ("pon. 30.11", "2026-11-30"),
        ("Montag 7.12. um 14 Uhr", "2026-12-07T14:00:00+00:00"),
        ("6th 1000", "2026-12-06T10:00:00+00:00"),
        ("gestern 14 Uhr", "2026-11-24T14:00:00+00:00"),
        ("19/11 09:00-12:00", "2026-11-19T09:00:00+00:00"),  # of a span of time, its beginning
        ("Friday 06.30-07.15", "2026-11-27T06:30:00+00:00"),
        ("Friday 0600-1000", "2026-11-27T06:00:00+00:00"),
        ("jutro 8-15", "2026-11-26T08:00:00+00:00"),
        ("tomorrow, 14 pallets", "2026-11-26"),
        ("vanmorgen 14 CC", "2026-11-25"),
        ("lunes 23 a mediodía", "2026-11-23T12:00:00+00:00"),
        ("Monday 07:00, delivery Telford 14:00", "2026-11-30T14:00:00+00:00"),  # pointed at for its last words
        ("Friday between 17:00 and 18:00", "2026-11-27T17:00:00+00:00"),
        ("viernes de 15:00 a 17:00", "2026-11-27T15:00:00+00:00"),
        ("tomorrow 7 and 8:30", "2026-11-26T07:00:00+00:00"),
        ("lunedì 23 alle 9", "2026-11-23T09:00:00+00:00"),
        ("Wed 14th after 3pm", "2026-10-14T15:00:00+00:00"),  # a Wednesday
        ("24.11. około 11", "2026-11-24T11:00:00+00:00"),
        ("domani 26/11 ore 8", "2026-11-26T08:00:00+00:00"),
        ("lundi rond 11 uur", "2026-11-30T11:00:00+00:00"),
        ("morgen om 5u", "2026-11-26T05:00:00+00:00"),  # by a clock of 24 hours
        ("26.11. 15.20u", "2026-11-26T15:20:00+00:00"),
        ("poniedzialek", "2026-11-30"),
        ("w środku na 18", "2026-11-25T18:00:00+00:00"),  # in the middle, not on Wednesday
        ("aujourd’hui", "2026-11-25"),
        ("this a.m", "2026-11-25"),
        ("ce jour", "2026-11-25"),
        ("morgenvoormiddag", "2026-11-26"),
        ("gisteravond", "2026-11-24"),
        ("last night", "2026-11-24"),
        ("next working day AM", "2026-11-26"),
        ("el día 4", "2026-12-04"),
        ("30NOV", "2026-11-30"),
        ("this week", None),
        ("soon", None),
    ],
)
def test_a_planned_time(quote: str, value: str | None) -> None:
    assert told.value_of("pickup_planned", quote, WEDNESDAY) == value


@pytest.mark.parametrize(
    ("quote", "time"),
    [
        ("half five", "17:30"),
        ("half vijf", "16:30"),
        ("om half 10", "09:30"),
        ("half 10", "10:30"),
        ("halb eins", "12:30"),
        ("about a quarter past four", "16:15"),
        ("Viertel vor vier", "15:45"),
        ("kwart over één", "13:15"),
        ("ten past eight this morning", "08:10"),
        ("half one this afternoon", "13:30"),
        ("las 7 y media", "07:30"),
        ("sei e mezza", "06:30"),
        ("8 heures moins le quart", "07:45"),
        ("o szóstej", "06:00"),
        ("two o'clock", "14:00"),
        ("heute um zwei", "14:00"),
        ("tonight at 8", "20:00"),
        ("this morning at five", "05:00"),
    ],
)
def test_a_time_in_words(quote: str, time: str) -> None:
    assert told.value_of("pickup_planned", quote, WEDNESDAY) == f"2026-11-25T{time}:00+00:00"


@pytest.mark.parametrize(
    ("quote", "value"),
    [
        ("Wednesday", "2026-11-25"),  # on a Wednesday
        ("should have been here Tuesday noon", "2026-11-24T12:00:00+00:00"),
        ("devait arriver jeudi", "2026-11-19"),
        ("jeudi toujours pas", "2026-11-19"),
        ("hätt am Dienstag kommen sollen", "2026-11-24"),
        ("zou maandag komen", "2026-11-23"),
        ("zou u maandag kunnen komen", "2026-11-30"),
        ("miał mieć w poniedziałek", "2026-11-23"),
    ],
)
def test_a_day_on_which_nothing_came_is_over(quote: str, value: str) -> None:
    assert told.value_of("eta_original", quote, WEDNESDAY) == value


def test_what_has_happened_was_on_the_last_such_day() -> None:
    assert told.value_of("delivered_at", "vendredi", WEDNESDAY) == "2026-11-20"
    assert told.value_of("pickup_actual", "the 28th", WEDNESDAY) == "2026-10-28"
    assert told.value_of("delivered_at", "Monday the 14th", WEDNESDAY) == "2026-09-14"
    assert told.value_of("eta_revised", "vendredi", WEDNESDAY) == "2026-11-27"


@pytest.mark.parametrize(
    ("field", "quote", "value"),
    [
        ("delay_minutes", "2-3 Stunden", "120"),
        ("delay_minutes", "waiting 3 hours", "180"),
        ("delay_minutes", "una semana", "10080"),
        ("delay_minutes", "4:50 h", "290"),
        ("delay_minutes", "nine days", "12960"),
        ("delay_minutes", "three kings", None),
        ("delay_minutes", "two hours forty", "160"),
        ("delay_minutes", "two and a half hours", "150"),
        ("delay_minutes", "2 1/2 hrs", "150"),
        ("delay_minutes", "1u15", "75"),
        ("delay_minutes", "hora y media", "90"),
        ("delay_minutes", "een uur of vier", "240"),
        ("delay_minutes", "venti minuti", "20"),
        ("delay_minutes", "a couple of hours", "120"),
        ("delay_minutes", "drei bis fünf Arbeitstage", "4320"),
        ("delay_minutes", "+90", "90"),
        ("pieces", "six sash windows", "6 H87"),
        ("pieces", "1.200 Kartons", "1200 H87"),
        ("pieces", "both parcels", "2 H87"),
        ("pieces", "4 pallets", None),
        ("pieces", "forty lamps", "40 H87"),
        ("pieces", "twenty two boxes", "22 H87"),
        ("pieces", "vingt-quatre colis", "24 H87"),
        ("pieces", "treinta y dos cajas", "32 H87"),
        ("pieces", "dwadzieścia cztery kartony", "24 H87"),
        ("pallets", "sechs Paletten", "6 PF"),
        ("pieces_short", "one pallet", "1 PF"),
        ("temperature_required", "2 bis 8", "2..8 CEL"),
        ("temperature_recorded", "minus 9", "-9 CEL"),
        ("temperature_recorded", "46", "46 FAH"),  # no cargo is carried that hot
        ("temperature_recorded", "46 °C", "46 CEL"),
        ("temperature_required", "34-36", "34..36 FAH"),
        ("temperature_required", "or below -60", "-60 CEL"),
        ("temperature_recorded", "-9/-11", "-11..-9 CEL"),
        ("temperature_recorded", "460", None),
        ("disputed_amount", "118 euro", "118.00 EUR"),
        ("disputed_amount", "1 140 €", "1140.00 EUR"),
        ("goods_value", "$14k", "14000.00 USD"),
        ("disputed_amount", "INR 1,46,000", "146000.00 INR"),
        ("goods_value", "95", None),  # of which currency?
    ],
)
def test_an_amount(field: str, quote: str, value: str | None) -> None:
    assert told.value_of(field, quote, WEDNESDAY) == value


@pytest.mark.parametrize(
    ("text", "required", "recorded"),
    [
        ("Fridge alarm, set 2, reading 3 and climbing.", ["2 CEL"], ["3 CEL"]),
        ("Frigo en panne : température -16 pour l'instant, consigne -20.", ["-20 CEL"], ["-16 CEL"]),
        ("Agregat chłodniczy stoi, pokazuje -11", [], ["-11 CEL"]),
        ("Sono vaccini, range 2-8.", ["2..8 CEL"], []),
        ("The reefer is holding 36, so all fine.", [], ["36 FAH"]),
        ("The reefer: we set 2 pallets aside, range 2-8 pallets, set 5.10 as date.", [], []),
        ("A set 2, reading 3 of the invoice.", [], []),
    ],
)
def test_the_words_before_a_bare_number_tell_that_it_is_a_temperature(
    text: str, required: list[str], recorded: list[str]
) -> None:
    found = list(told.find_temperatures(text))
    assert [span.value for span in found if span.field == "temperature_required"] == required
    assert [span.value for span in found if span.field == "temperature_recorded"] == recorded
