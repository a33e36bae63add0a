"""What the rules read in lines of mail and in forms' lines of one string, in seven languages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from extractors.forms import in_cells, in_lines, setting_of, spans_in
from extractors.pdf import Word
from extractors.quantities import find_quantities

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # a Monday


def read(text: str) -> set[tuple[str, str]]:
    spans = spans_in(text, setting_of(text, NOW), clocks=True)
    return {(span.field, span.value.removesuffix(":00+00:00")) for span in spans}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Truck WGM12345 arrived at the gate", {("vehicle_plate", "WGM12345")}),
        ("Nr rej. PPI 22K4 / PPI 9P71", {("vehicle_plate", "PPI22K4"), ("trailer_plate", "PPI9P71")}),
        ("Opdrachtnummer: TO-26-5512", {("shipment", "TO-26-5512")}),
        ("Referentie klant: KL-4410", {("shipment", "KL-4410")}),
        ("Ilość palet: 30", {("pallets", "30 PF")}),
        ("Sendungsnummer: 4410 8821 00", {("tracking", "4410882100")}),
        ("collection tomorrow between 08:00 and 10:00", {("pickup_planned", "2026-11-24T08:00")}),
        ("Liefertermin Donnerstag, den 26.11.2026 um 10:30", {("eta_original", "2026-11-26T10:30")}),
        ("Abholung Mittwoch, 25.11., 14-16 Uhr", {("pickup_planned", "2026-11-25T14:00")}),
        ("Ophalen vrijdag 27-11 tussen 8 en 10 uur", {("pickup_planned", "2026-11-27T08:00")}),
        ("new ETA 14:00 tomorrow", {("eta_revised", "2026-11-24T14:00")}),
        ("new ETA Friday 9 to 2pm", {("eta_revised", "2026-11-27T09:00")}),
        ("nowy termin: w środę 25.11 o 14:00", {("eta_revised", "2026-11-25T14:00")}),
        ("wurde am Freitag um 14:20 Uhr zugestellt", {("delivered_at", "2026-11-20T14:20")}),
        ("wordt vrijdag opgehaald", {("pickup_planned", "2026-11-27")}),
        ("wurde am Freitag nicht zugestellt", set()),
        ("wird nicht vor morgen 14-16 Uhr ankommen", {("eta_revised", "2026-11-24T14:00")}),
        ("wird nicht vor Freitag zugestellt", {("eta_revised", "2026-11-27")}),
        ("zal niet voor vrijdag aankomen", {("eta_revised", "2026-11-27")}),
        ("sollte heute um 10 Uhr ankommen", {("eta_original", "2026-11-23T10:00")}),
        ("wird heute nicht ankommen", set()),
        ("will not arrive on 24.11.2026", set()),
        ("won't arrive tomorrow", set()),
        ("L'envoi n'arrivera pas demain à 10h", set()),
        ("El envío no llegará mañana a las 10:00", set()),
        ("La merce non arriva domani", set()),
        ("Die Sendung kommt nicht morgen an", set()),
        ("won't arrive before Friday", {("eta_revised", "2026-11-27")}),
        ("L'envoi n'arrivera pas avant demain 10h", {("eta_revised", "2026-11-24T10:00")}),
        ("No problem, it arrives tomorrow", {("eta_revised", "2026-11-24")}),
        ("The ETA of tomorrow 10:00 cannot be met", {("eta_original", "2026-11-24T10:00")}),
        ("Die ETA morgen 10 Uhr kann nicht gehalten werden", {("eta_original", "2026-11-24T10:00")}),
        ("The goods weren't delivered on 21.11.2026", set()),
        ("It hasn’t been picked up on 20.11.2026", set()),
        ("il ritiro è previsto per il 25/11", {("pickup_planned", "2026-11-25")}),
        ("Recogida el jueves 26/11", {("pickup_planned", "2026-11-26")}),
        ("Rozładunek w środę 25.11 o 8:00", {("eta_original", "2026-11-25T08:00")}),
        ("unloaded yesterday, unloading 09:00", set()),
        ("ETD 22-Oct-2026", set()),
        ("ETA was 20/11, now 26/11", {("eta_original", "2026-11-20"), ("eta_revised", "2026-11-26")}),
        ("3 of the 12 pallets are crushed", {("pallets", "12 PF"), ("pieces_damaged", "3 PF")}),
        ("Il manque 4 colis sur 32", {("pieces_short", "4 H87"), ("pieces", "32 H87")}),
        ("1 pallet te weinig", {("pieces_short", "1 PF")}),
        ("1,240 cartons", {("pieces", "1240 H87")}),
        ("Goods value approx. 12.500 Euro", {("goods_value", "12500.00 EUR")}),
        ("freight rate € 1.150,- all-in", {("freight_charge", "1150.00 EUR")}),
        ("Reefer set at -18 °C", {("temperature_required", "-18 CEL")}),
        ("1° carico a Bari", set()),
        ("a temperatura controllata:\n1° carico a Bari", set()),
        (
            "logger shows 8° on arrival, temp. 9° later",
            {("temperature_recorded", "8 CEL"), ("temperature_recorded", "9 CEL")},
        ),
        ("Lieu de livraison : 13127 Vitrolles", set()),
    ],
)
def test_lines_are_read_as_people_write_them(text: str, expected: set[tuple[str, str]]) -> None:
    assert read(text) == expected


def test_the_number_of_the_paper_itself_is_what_its_type_says() -> None:
    told = "Nr dokumentu: ADR/26/1187"
    assert [(span.field, span.value) for span in in_lines(told, "shipment")] == [("shipment", "ADR/26/1187")]
    assert list(in_lines(told)) == []


def test_a_number_ends_before_what_else_a_line_says_behind_a_slash() -> None:
    assert [span.value for span in in_lines("nr załadunku: 0441 / okno B")] == ["0441"]


@pytest.mark.parametrize(
    ("cell", "field", "value"),
    [
        ("Nostra pratica IMP 5520.26", "shipment", "IMP 5520.26"),
        ("Ns. pratica MI/PRJ/558", "shipment", "MI/PRJ/558"),
        ("D.D.T. mittente 932/V del 07/12/2026", "delivery_order", "932/V"),
        ("Ritnummer 5091 (intern)", "shipment", "5091"),
    ],
)
def test_a_cell_of_a_caption_and_a_number_is_read(cell: str, field: str, value: str) -> None:
    cells = [Word(start=0, end=len(cell), left=0, top=0, right=200, bottom=9)]
    assert [(span.field, span.value) for span in in_cells(cell, cells, None)] == [(field, value)]


@pytest.mark.parametrize(
    "unit", ["a:b;", "a: 1 2 ", "mon 25-11 ", "16:40 on ", "14-16 ", "moved from ", "wordt ", "4 of 5 "]
)
@pytest.mark.timeout(60)
def test_hostile_lines_take_linear_time(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    list(in_lines(text))
    list(spans_in(text[:50_000], setting_of("", NOW)))
    find_quantities(text)
