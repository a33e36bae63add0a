from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from extractors.documents import Document, DocumentType
from extractors.evidence import Evidence, Finding
from extractors.extraction import Extraction
from extractors.message import Message
from triage.discrepancies import costs_money, find_discrepancies, in_words
from triage.odoo.records import Record

NAME = ("delivery_order", "WH/OUT/00042", "WH/OUT/00042")
Said = tuple[str, str, str]  # field, value, quote


def record(**more: Any) -> Record:
    given: dict[str, Any] = {
        "model": "stock.picking",
        "id": 42,
        "name": "WH/OUT/00042",
        "references": ("WH/OUT/00042", "SO0042"),
        "direction": "outgoing",
        "partner": "Brouwerij De Kroon NV, Els Peeters",
        "carrier": "Scheldevracht",
        "planned_at": datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        "weight_kg": 1240.0,
        "units": 40.0,
        "packages": 10,
    }
    return Record.model_validate(given | more)


def read(*documents: Sequence[Said], kind: DocumentType = "cmr_waybill", scores: Sequence[float] = ()) -> Extraction:
    """Each document with what it says; its own name is said first by the caller where it matters."""
    findings = []
    for number, said in enumerate(documents):
        for place, (field, value, quote) in enumerate(said):
            evidence = Evidence(part=f"attachment:{number}", page=1, quote=quote, start=0, end=len(quote))
            score = scores[place] if scores else 0.9
            findings.append(Finding(field=field, value=value, score=score, method="pattern", evidence=evidence))
    read = [
        Document(part=f"attachment:{n}", filename="scan.pdf", type=kind, confidence=0.9, page_count=1)
        for n in range(len(documents))
    ]
    return Extraction(message=Message(channel="document"), documents=tuple(read), findings=tuple(findings))


def fields(extraction: Extraction, known: Record) -> list[str]:
    return [d.field for d in find_discrepancies(extraction, known)]


def test_a_weight_that_differs_is_told_in_the_words_of_the_document() -> None:
    (found,) = find_discrepancies(read([NAME, ("gross_weight", "812 KGM", "812 kg")]), record())
    assert (found.field, found.document, found.record) == ("gross_weight", "812 kg", "1240 kg")
    assert in_words(found, record()) == "document says gross weight 812 kg, WH/OUT/00042 says 1240 kg"


@pytest.mark.parametrize(
    ("value", "differs"),
    [
        ("1240 KGM", False),
        ("1.24 TNE", False),
        ("2733.7 LBR", False),  # the same in pounds
        ("1400 KGM", False),  # packaging on top of the goods
        ("1210 KGM", False),
        ("1100 KGM", True),
        ("1700 KGM", True),
        ("1240 LBR", True),
        ("12.4 TNE", True),
        ("? KGM", False),
        ("1240 XYZ", False),
    ],
)
def test_weights_are_compared_in_one_unit_and_with_room_for_packaging(value: str, differs: bool) -> None:
    assert fields(read([NAME, ("gross_weight", value, value)]), record()) == ["gross_weight"] * differs


def test_what_the_document_or_the_record_does_not_say_is_no_difference() -> None:
    everything: list[Said] = [
        NAME,
        ("gross_weight", "5 KGM", "5 kg"),
        ("pieces", "1 H87", "1 pcs"),
        ("consignee", "Somebody Else", "Somebody Else"),
        ("carrier", "Another", "Another"),
        ("freight_charge", "900.00 EUR", "EUR 900"),
        ("eta_revised", "2026-12-24", "24 December"),
        ("pickup_actual", "2026-12-24", "24 December"),
    ]
    blank = Record(model="stock.picking", id=42, name="WH/OUT/00042")
    assert fields(read(everything, kind="freight_invoice"), blank) == []
    assert fields(read([NAME]), record()) == []
    assert find_discrepancies(read(everything), None) == ()


def test_a_document_about_another_shipment_is_not_compared() -> None:
    wrong: Said = ("gross_weight", "5 KGM", "5 kg")
    other: Said = ("delivery_order", "WH/OUT/00077", "WH/OUT/00077")
    assert fields(read([other, wrong]), record()) == []
    assert fields(read([other, wrong], [NAME]), record()) == []
    assert fields(read([wrong], [wrong]), record()) == []  # two documents, and neither says what it is about
    assert fields(read([wrong]), record()) == ["gross_weight"]  # a single one that came with the message
    assert fields(read([("sales_order", "so0042", "so0042"), wrong]), record()) == ["gross_weight"]


def test_of_several_values_one_that_agrees_or_their_sum_is_enough_and_equals_do_not_differ() -> None:
    def weights(*values: str) -> list[Said]:
        return [NAME, *(("gross_weight", f"{value} KGM", f"{value} kg") for value in values)]

    assert fields(read(weights("300", "1240")), record()) == []
    assert fields(read(weights("600", "640")), record()) == []
    assert fields(read(weights("300", "400")), record()) == []  # which of them is the whole is not known
    assert fields(read(weights("300", "400"), scores=(0.9, 0.6, 0.95)), record()) == ["gross_weight"]


def test_pieces_are_compared_with_units_and_cartons_with_packages() -> None:
    def counted(quote: str) -> list[str]:
        return fields(read([NAME, ("pieces", f"{quote.split()[0]} H87", quote)]), record())

    assert counted("40 pcs") == counted("10 cartons") == counted("10 colli") == []
    assert counted("38 Stück") == ["pieces"]
    assert counted("9 boxes") == ["packages"]


@pytest.mark.parametrize(
    ("name", "differs"),
    [
        ("Brouwerij de Kroon", False),
        ("DE KROON BROUWERIJ N.V.", False),
        ("Els Peeters", False),
        ("Brouwerij De Krom", False),  # as OCR reads
        ("Brasserie du Nord SA", True),
        ("NV", False),
    ],
)
def test_a_consignee_is_another_only_when_no_spelling_explains_it(name: str, differs: bool) -> None:
    assert fields(read([NAME, ("consignee", name, name)]), record()) == ["consignee"] * differs
    assert fields(read([NAME, ("consignee", name, name)]), record(direction="incoming")) == []


def test_another_carrier_is_a_difference_that_costs_nothing_by_itself() -> None:
    found = find_discrepancies(read([NAME, ("carrier", "Altijd Later BV", "Altijd Later BV")]), record())
    assert [d.field for d in found] == ["carrier"]
    assert not costs_money(found)
    assert fields(read([NAME, ("carrier", "Scheldevracht bvba", "Scheldevracht bvba")]), record()) == []


def test_dates_are_compared_with_what_odoo_means_by_them() -> None:
    def dated(field: str, day: str, known: Record) -> list[str]:
        return fields(read([NAME, (field, day, day)]), known)

    promised = record(promised_at=datetime(2026, 11, 24, 17, 0, tzinfo=UTC))
    assert dated("eta_revised", "2026-11-27T10:00", promised) == ["eta_revised"]
    assert dated("eta_revised", "2026-11-22", promised) == []  # earlier than promised
    assert dated("eta_revised", "2026-11-27", record()) == []  # nobody was promised anything
    assert dated("pickup_actual", "2026-11-25", record()) == ["pickup_actual"]
    assert dated("pickup_actual", "2026-11-21", record()) == []
    assert dated("pickup_planned", "someday", record()) == []
    done = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert dated("pickup_actual", "2026-11-17", record(done_at=done)) == ["pickup_actual"]
    came_in = record(direction="incoming", done_at=done)
    assert dated("pickup_actual", "2026-11-17", came_in) == []  # collected from the supplier before it came
    assert dated("delivered_at", "2026-11-17", came_in) == ["delivered_at"]


def test_a_charge_above_the_agreed_one_is_a_difference_on_a_bill_only_and_in_its_currency() -> None:
    agreed = record(freight_cost=450.0, freight_currency="EUR")

    def charged(value: str, kind: DocumentType) -> list[str]:
        return fields(read([NAME, ("freight_charge", value, value)], kind=kind), agreed)

    assert charged("612.50 EUR", "freight_invoice") == ["freight_charge"]
    assert charged("450.00 EUR", "freight_invoice") == charged("400 EUR", "freight_invoice") == []
    assert charged("612.50 PLN", "freight_invoice") == charged("612.50 EUR", "cmr_waybill") == []


def test_goods_hands_and_charges_cost_money() -> None:
    assert costs_money(find_discrepancies(read([NAME, ("gross_weight", "812 KGM", "812 kg")]), record()))
    assert not costs_money(())
