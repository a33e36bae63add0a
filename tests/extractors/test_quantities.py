from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors import told
from extractors.quantities import (
    FIELDS,
    captioned,
    currencies_in,
    find_quantities,
    find_total,
    knows_pounds_alone,
    value_of,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("33 pallets on board", ("pallets", "33 PF")),
        ("12 Paletten", ("pallets", "12 PF")),
        ("40 cartons on board", ("pieces", "40 H87")),
        ("40 cartons short", ("pieces_short", "40 H87")),
        ("es fehlen 3 Kartons", ("pieces_short", "3 H87")),
        ("two cartons missing", ("pieces_short", "2 H87")),
        ("1 pallet crushed", ("pieces_damaged", "1 PF")),
        ("12,5 m³", ("volume", "12.5 MTQ")),
        ("volume 12,5 mc", ("volume", "12.5 MTQ")),
        ("2 CARTONS ECRASES", ("pieces_damaged", "2 H87")),
        ("1 carton bosselé", ("pieces_damaged", "1 H87")),
        ("keep between 2-8 °C", ("temperature_required", "2..8 CEL")),
        ("requerida entre 2 y 8 ºC", ("temperature_required", "2..8 CEL")),
        ("vereist tussen 2 en 8 °C", ("temperature_required", "2..8 CEL")),
        ("richiesta tra 2 e 8 °C", ("temperature_required", "2..8 CEL")),
        ("gemeten: pallet 3 en 14 °C", ("temperature_recorded", "14 CEL")),
        ("the logger showed +11,4 °C", ("temperature_recorded", "11.4 CEL")),
        ("must stay at -15 to -18 °C", ("temperature_required", "-18..-15 CEL")),
        ("set point -18 C", ("temperature_required", "-18 CEL")),
        ("hazmat, Class 6.1", ("hazard_class", "6.1")),
        ("Gross weight: 1.240,5 kg", ("gross_weight", "1240.5 KGM")),
        ("Bruttogewicht: 12.400 kg", ("gross_weight", "12400 KGM")),
        ("Goods value EUR 45.000,00", ("goods_value", "45000.00 EUR")),
        ("Warenwert 1.234 €", ("goods_value", "1234.00 EUR")),
        ("freight 1,250.00 USD", ("freight_charge", "1250.00 USD")),
        ("we dispute $300", ("disputed_amount", "300.00 USD")),
        ("freight $1,500.00 CAD", ("freight_charge", "1500.00 CAD")),
        ("freight CAD $1,500.00", ("freight_charge", "1500.00 CAD")),
        ("fret 1 500,00 $ CAD", ("freight_charge", "1500.00 CAD")),
        ("we dispute AUD $900.00", ("disputed_amount", "900.00 AUD")),
        ("Warenwert CHF 1’234.50", ("goods_value", "1234.50 CHF")),
        ("brutto: 12’400 kg", ("gross_weight", "12400 KGM")),
        ("gross weight: 24,500 t", ("gross_weight", "24.5 TNE")),
        ("Bruttogewicht: 12.400 t", ("gross_weight", "12.4 TNE")),
        ("gross weight 571,000 KG", ("gross_weight", "571 KGM")),
        ("Bruttogewicht: 812.500 kg", ("gross_weight", "812.5 KGM")),
        ("1’200 cartons on board", ("pieces", "1200 H87")),
        ("kwota roszczenia: 1 215,00 PLN", ("disputed_amount", "1215.00 PLN")),
        ("VOL 2.429 M3", ("volume", "2.429 MTQ")),  # no load has 2,429 cubic metres
        ("35 Masa bruta (kg): 16.920", ("gross_weight", "16920 KGM")),
        ("6 Total bultos: 1.440", ("pieces", "1440 H87")),
        ("Warenwert CHF 11′680.00", ("goods_value", "11680.00 CHF")),
        ("freight US$ 1,200.00", ("freight_charge", "1200.00 USD")),
        ("freight A$900.00", ("freight_charge", "900.00 AUD")),
        ("112.000 m³", ("volume", "112 MTQ")),
        ("192 188 4 cases short", ("pieces_short", "4 H87")),
        ("312 cartons avariés", ("pieces_damaged", "312 H87")),
        ("17 sacchi ammuffiti", ("pieces_damaged", "17 H87")),
        ("peso lordo kg 26.300 ton", ("gross_weight", "26300 KGM")),  # the unit of the next column
        ("min. 15 °C, max. 40 °C", ("temperature_required", "15..40 CEL")),
        ("valeur totale de l’envoi CHF 6870.00", ("goods_value", "6870.00 CHF")),
    ],
)
def test_quantities_carry_value_and_unit(text: str, expected: tuple[str, str]) -> None:
    spans = find_quantities(text)
    assert [(span.field, span.value) for span in spans] == [expected]
    assert value_of(spans[0].field, text[spans[0].start : spans[0].end]) == expected[1]


def test_money_without_meaning_is_not_reported() -> None:
    assert find_quantities("lunch was 12 EUR, 5 km, at dock 5 C, class 3 of the school") == []


def test_of_a_loss_that_there_is_none_of_no_count_is_told() -> None:
    assert [
        (s.field, s.value) for s in find_quantities("Beschädigt 7 Kartons Fehlend keine") if "pieces_" in s.field
    ] == [("pieces_damaged", "7 H87")]


@pytest.mark.parametrize(
    "text",
    [
        "Classe 3, GE III, point d'éclair 31 °C c.c.",
        "Flammpunkt: 31 °C",
        "Probe accuracy ± 0.9 °F",
        "Class 3, PG II, (-9 °C c.c.)",
        "Pt éclair 12 °C",
    ],
)
def test_a_flash_point_and_an_accuracy_are_no_readings(text: str) -> None:
    assert [s for s in find_quantities(text) if s.field == "temperature_recorded"] == []


@pytest.mark.parametrize(
    "text",
    [
        "Canal Bank, Rochdale OL16 5LB",
        "31 Bultos y descripción de las mercancías",
        "11 Poids brut kg 12 Cubage m³",
        "USDOT 2188417 MC-771620",
        "indemnité forfaitaire de recouvrement : 40,00 €",
    ],
)
def test_postcodes_and_the_numbers_of_a_forms_boxes_are_no_quantities(text: str) -> None:
    assert find_quantities(text) == []


@pytest.mark.parametrize("quote", ["20 ctns", "6 cbm", "3 plt", "12 x"])
def test_what_is_counted_in_something_else_is_no_weight(quote: str) -> None:
    assert value_of("gross_weight", quote) is None


@given(
    field=st.sampled_from(sorted(FIELDS)),
    number=st.from_regex(r"[0-9][0-9 .,'’]{0,12}", fullmatch=True),
    unit=st.text(alphabet="abcdefghiklmnoprstuxz°€$³ ./", max_size=8),
)
def test_no_quote_is_too_odd_to_be_read(field: str, number: str, unit: str) -> None:
    value_of(field, number + unit)
    value_of(field, unit + number)


def test_the_total_without_tax_and_that_of_the_tax_are_not_to_be_paid() -> None:
    text = "Total: 119.00 EUR\nTotal net: 100.00 EUR\nTotal VAT: 19.00 EUR\n"
    assert (find_total(text) or ())[2:] == ("119.00 EUR",)
    assert (find_total("Total incl. VAT: 119.00 EUR\nTotal MwSt: 19.00 EUR") or ())[2:] == ("119.00 EUR",)
    assert (find_total("Net à payer: 119,00 EUR\nTotal HT 100,00 EUR") or ())[2:] == ("119.00 EUR",)


def test_a_dollar_is_that_of_the_code_beside_it() -> None:
    assert [
        total[2] for text in ("Total: $1,500.00 CAD", "Total due CAD $1,500.00") if (total := find_total(text))
    ] == [
        "1500.00 CAD",
        "1500.00 CAD",
    ]
    assert (told.value_of("freight_charge", "$900 AUD", NOW), told.value_of("freight_charge", "AUD $900", NOW)) == (
        "900.00 AUD",
        "900.00 AUD",
    )


def test_a_dollar_is_that_of_the_only_country_that_a_page_names() -> None:
    totals = ("Total AUD ex GST $1,813.00", "Linehaul in AUD\nTotal: $ 1,813.00", "Total S$1,813.00", "Total $1,813.00")
    assert [(find_total(text) or ())[2:] for text in totals] == [
        ("1813.00 AUD",),
        ("1813.00 AUD",),
        ("1813.00 SGD",),
        ("1813.00 USD",),
    ]
    assert currencies_in("Unit price AUD … $ 12.00") == {"AUD"} and currencies_in("S$ 4.00") == {"SGD"}


def test_nothing_is_no_count() -> None:
    assert value_of("pallets", "0") is None


@pytest.mark.parametrize(
    ("page", "caption", "weight"),
    [
        ("Weight 3,418", "Weight", "3418 KGM"),
        ("Weight 3,418", "Weight (lbs)", "3418 LBR"),
        ("Weight 3,418 pieces of 12 lb", "Weight", "3418 LBR"),
        ("Weight 3,418 or 1550 kg, parcels to 70 lb", "Weight", "3418 KGM"),
    ],
)
def test_a_weight_without_a_unit_is_in_that_of_its_caption_or_of_its_page(page: str, caption: str, weight: str) -> None:
    found = captioned("gross_weight", page, 7, 12, caption)
    assert found is not None
    assert found.value == weight


def test_a_word_that_holds_lb_speaks_of_no_pounds() -> None:
    assert knows_pounds_alone("WEIGHT (LBS) 3,418")
    assert not knows_pounds_alone("Reklamationen innerhalb von 8 Tagen, Gewicht 3418")
    assert not knows_pounds_alone("3,418 lb / 1,550kg")
