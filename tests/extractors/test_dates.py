from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from extractors.dates import find_dates, value_of

MONDAY = datetime(2026, 11, 23, 8, 15, tzinfo=timezone(timedelta(hours=1)))


def found(text: str) -> list[tuple[str, str]]:
    return [(span.field, span.value) for span in find_dates(text, MONDAY)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("New ETA 24.11.2026 14:30.", ("eta_revised", "2026-11-24T14:30:00+01:00")),
        ("Original ETA was 2026-11-23T10:00Z", ("eta_original", "2026-11-23T10:00:00+00:00")),
        ("expected on November 26th, 2026", ("eta_revised", "2026-11-26")),
        ("ETA tomorrow 9:00", ("eta_revised", "2026-11-24T09:00:00+01:00")),
        ("Delivered on 22/11/2026 at 3 pm.", ("delivered_at", "2026-11-22T15:00:00+01:00")),
        ("Delivery date:\n25.11.2026\nNew ETA:\n26.11.2026", ("eta_revised", "2026-11-26")),
        ("Abholung am 25.11. um 08:00 Uhr", ("pickup_planned", "2026-11-25T08:00:00+01:00")),
        ("neue Ankunft morgen um 16 Uhr", ("eta_revised", "2026-11-24T16:00:00+01:00")),
        ("Livraison prévue demain à 14h30", ("eta_revised", "2026-11-24T14:30:00+01:00")),
        ("Nueva fecha 3 de diciembre", ("eta_revised", "2026-12-03")),
        ("nuova data 3 dicembre", ("eta_revised", "2026-12-03")),
        ("verwacht op 28 november", ("eta_revised", "2026-11-28")),
        ("nowa data 27 listopada", ("eta_revised", "2026-11-27")),
        ("Pickup: Friday 9:00", ("pickup_planned", "2026-11-27T09:00:00+01:00")),
        ("picked up 20.11.2026", ("pickup_actual", "2026-11-20")),
        ("Invoice date: 11/23/2026", ("document_date", "2026-11-23")),
        ("ETA 2 January", ("eta_revised", "2027-01-02")),
        ("Livré le 20.11.2026 à 07 h 35", ("delivered_at", "2026-11-20T07:35:00+01:00")),
        ("Livraison le 25/11/2026 de 06 h 30 à 08 h 00", ("eta_original", "2026-11-25T06:30:00+01:00")),
        ("Livraison le 25/11/2026 entre 6 h et 8 h", ("eta_original", "2026-11-25T06:00:00+01:00")),
        ("Geliefert:18/11/26 um 9:40", ("delivered_at", "2026-11-18T09:40:00+01:00")),
        ("Livré le 14/11/2610h25", ("delivered_at", "2026-11-14T10:25:00+01:00")),
        ("Geleverd op 3/11/269:15", ("delivered_at", "2026-11-03T09:15:00+01:00")),
        ("Geleverd op 3/1111:30", ("delivered_at", "2026-11-03T11:30:00+01:00")),
        ("Geleverd op 3-11-2026 10.50 u", ("delivered_at", "2026-11-03T10:50:00+01:00")),
        ("Delivered on 3 November 2026 at 22:00 hours", ("delivered_at", "2026-11-03T22:00:00+01:00")),
        ("Consegnato il 3-11-26 ore 11,05", ("delivered_at", "2026-11-03T11:05:00+01:00")),
        (
            "08/11/2026 17:22 Lyon Enlevé chez nous\n09/11/2026 09:31 Paris",
            ("pickup_actual", "2026-11-08T17:22:00+01:00"),
        ),
        ("Pickup on 25 \nNovember 2026 at 7.30 am", ("pickup_planned", "2026-11-25T07:30:00+01:00")),
        ("10.11.2026 11:06 Ulm Zugestellt", ("delivered_at", "2026-11-10T11:06:00+01:00")),
        ("Delivery appt 11/25/2026 06:30 ET, door 41", ("eta_original", "2026-11-25T06:30:00-05:00")),
        ("ETA 25.11.2026 09:35 (CET)", ("eta_revised", "2026-11-25T09:35:00+01:00")),
        ("ETA 25.07.2026 09:35 CET", ("eta_revised", "2026-07-25T09:35:00+02:00")),
        ("ETA 25.11.2026 09:35 UTC+9", ("eta_revised", "2026-11-25T09:35:00+09:00")),
        ("Verladung ab Werk am 25.11.2026, 13:00 Uhr", ("pickup_planned", "2026-11-25T13:00:00+01:00")),
        ("Retirar el 25/11/2026 a las 09:00 h", ("pickup_planned", "2026-11-25T09:00:00+01:00")),
        ("Eerder opgegeven aankomst\n25.11.2026", ("eta_original", "2026-11-25")),
        ("Następna próba doręczenia: 25.11.2026", ("eta_revised", "2026-11-25")),
        ("Die Zustellung erfolgt nun am 25.11.2026", ("eta_revised", "2026-11-25")),
    ],
)
def test_dates_get_their_meaning_from_the_words_before_them(text: str, expected: tuple[str, str]) -> None:
    assert expected in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "The meeting is on 12.12.2026.",
        "call me at 14:30",
        "09/11/2026 09:31 Paris not delivered",
        "08/11/2026 17:22 Lyon, pris\n09/11/2026 03:48 Lyon, tri",
        "08/11/2026 Lyon, lieu de chargement\n09/11/2026 03:48 Lyon, tri",
        "Not delivered 21.11.2026",
        "ETA 31.02.2026",
        "ETA 45.99.2026",
        "eta 3.5.2",
        "miejsce dostawy\n25.11.2026",
    ],
)
def test_dates_without_meaning_and_dates_that_do_not_exist_are_not_reported(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("running 2 h late", "120"),
        ("delayed by 1.5 hours", "90"),
        ("2h30 late", "150"),
        ("about an hour late", "60"),
        ("45 min Verspätung", "45"),
        ("Verspätung von ca. 2 Std.", "120"),
        ("retard de 3 h", "180"),
        ("3 horas de retraso", "180"),
        ("ritardo di 2 ore", "120"),
        ("2 uur vertraging", "120"),
        ("opóźnienie 2 godz", "120"),
        ("two days late", "2880"),
        ("Waiting at delivery 1.5 hr 42.00 63.00", "90"),
        ("Paralización en destino 3 h 45,00 135,00", "180"),
        ("Sosta allo scarico 2 h 80,00", "120"),
        ("Attente au déchargement au-delà de la franchise, 1 h 30", "90"),
        ("un retard d'environ 13 heures et demie", "810"),
        ("anderthalb Stunden Verspätung", "90"),
        ("Wartezeit 2½ Std.", "150"),
        ("ritardo di un'ora e mezza", "90"),
        ("retraso de una hora y media", "90"),
        ("een half uur vertraging", "30"),
    ],
)
def test_delays_are_minutes_in_every_language(text: str, minutes: str) -> None:
    assert found(text) == [("delay_minutes", minutes)]


def test_a_duration_that_is_no_delay_is_not_reported() -> None:
    assert found("unloading takes 2 hours, we open in 3 days") == []


@pytest.mark.parametrize(
    "rule",
    [
        "Waiting time free for\n2 hours, thereafter GBP 45.00",
        "Waiting time beyond free 2 h",
        "Wachttijd (1 uur vrij)",
        "Wachttijd langer dan 1 uur wordt aangerekend",
    ],
)
def test_time_that_is_free_to_wait_is_no_delay(rule: str) -> None:
    assert found(rule) == []


def test_quotes_give_their_value_again() -> None:
    text = "New ETA 24.11.2026 14:30, 3 h delay. Pickup: Friday 9:00."
    spans = find_dates(text, MONDAY)
    assert len(spans) == 3
    assert all(value_of(span.field, text[span.start : span.end], MONDAY) == span.value for span in spans)


@pytest.mark.parametrize(
    "unit", ["1.", "1.1.2026 ", "eta 1.1.26 ", "1 min ", "1 min late ", "not delivered ", "mon ", "1 h ", "1/1/2611h1"]
)
@pytest.mark.timeout(60)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    find_dates((unit * 200_000)[:200_000], MONDAY)
