"""A tagger only points: what is read there is proven, and where it contradicts the rules the surer one stands."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from extractors.extraction import Extraction, extract
from extractors.limits import Limits
from extractors.message import message_from_json
from extractors.pdf import PdfReader
from extractors.pointed import readable
from extractors.pointing import Point
from tests.extractors.conftest import make_pdf

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)  # a Wednesday


@pytest.fixture(scope="module")
def pdf() -> Iterator[PdfReader]:
    with PdfReader(Limits()) as reader:
        yield reader


def pointing(*places: tuple[str, str, float]) -> Point:
    return lambda text: [(field, text.index(words), text.index(words) + len(words), s) for field, words, s in places]


def read(pdf: PdfReader, text: str, *places: tuple[str, str, float], subject: str = "") -> Extraction:
    message = message_from_json({"channel": "email", "subject": subject, "text": text}, Limits())
    return extract(message, pdf, now=NOW, point=pointing(*places))


def values(extraction: Extraction) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in extraction.findings:
        found.setdefault(finding.field, []).append(finding.value)
    return found


def test_what_is_pointed_at_stands_in_its_source_with_its_method(pdf: PdfReader) -> None:
    extraction = read(pdf, "The gas hobs came at 2.", ("description", "gas hobs", 0.9), ("delivered_at", "2", 0.8))
    assert values(extraction) == {"description": ["gas hobs"], "delivered_at": ["2026-11-25T14:00:00+00:00"]}
    for finding in extraction.findings:
        evidence = finding.evidence
        assert finding.method == "model"
        assert (extraction.source(evidence.part) or "")[evidence.start : evidence.end] == evidence.quote


def test_a_place_in_the_subject_is_evidence_in_the_subject(pdf: PdfReader) -> None:
    extraction = read(pdf, "See above.", ("description", "gas hobs", 0.9), subject="gas hobs")
    assert [f.evidence.part for f in extraction.findings] == ["subject"]


def test_what_says_nothing_for_its_field_is_dropped(pdf: PdfReader) -> None:
    text = "Please ring Sue about the matter."
    assert not read(pdf, text, ("gross_weight", "matter", 0.99), ("eta_revised", "Sue", 0.99)).findings


def test_a_day_goes_with_the_time_beside_it(pdf: PdfReader) -> None:
    found = values(read(pdf, "He is good for 0800 tomorrow in Tulsa.", ("eta_original", "0800", 0.9)))
    assert found["eta_original"] == ["2026-11-26T08:00:00+00:00"]


@pytest.mark.parametrize(
    ("text", "words", "value", "quote"),
    [
        ("Can't cover the 5am run to Daventry tmrw.", "5am", "2026-11-26T05:00:00+00:00", "5am run to Daventry tmrw"),
        ("Er kommt morgen mit der Maschine, ca. 9:00 im Werk.", "9:00", "2026-11-26T09:00:00+00:00", None),
        ("Leaves Friday 07:00, drop Telford 14:00.", "14:00", "2026-11-27T14:00:00+00:00", None),
        ("Bitte den Freitag vergessen. Termin 9:00.", "9:00", "2026-11-25T09:00:00+00:00", "9:00"),
        ("¿Puede venir el viernes antes de las 12?", "viernes", "2026-11-27T12:00:00+00:00", "viernes antes de las 12"),
        ("Send him Friday and 4 pallets with him.", "Friday", "2026-11-27", "Friday"),
        ("Plan: Stuttgart 4.12.", "4.12", "2026-12-04", "4.12."),
        ("Llega mañana al mediodía si todo va bien.", "mañana", "2026-11-26T12:00:00+00:00", "mañana al mediodía"),
        ("Przyjedzie jutro koło 13 zamiast dziś.", "jutro", "2026-11-26T13:00:00+00:00", "jutro koło 13"),
        ("Moved to 1pm, now he says it is tomorrow.", "1pm", "2026-11-25T13:00:00+00:00", "1pm"),
        ("Mon camion ne sera pas là pour 15h30.", "15h30", "2026-11-25T15:30:00+00:00", "15h30"),
        ("Przełożyli mi na 14 i dali awizację.", "14", "2026-11-25T14:00:00+00:00", "14"),
        ("Come at 7:00\n2. Friday: none", "7:00", "2026-11-25T07:00:00+00:00", "7:00"),
        ("Kursy z 12.11 muszę oddać.", "12.11", "2026-11-12", "12.11"),
        ("Termin war um 12.10 im Werk.", "12.10", "2026-11-25T12:10:00+00:00", "12.10"),
        ("L'enlèvement du 20 n'a pas eu lieu.", "20", "2026-11-20", "du 20"),
        ("He has missed the 11 again.", "11", "2026-11-25T11:00:00+00:00", "11"),
        ("Ginge auch der 2.?", "2", "2026-12-02", "der 2"),
    ],
)
def test_a_time_goes_with_the_day_of_its_sentence(
    pdf: PdfReader, text: str, words: str, value: str, quote: str | None
) -> None:
    (found,) = (f for f in read(pdf, text, ("pickup_planned", words, 0.9)).findings if f.field == "pickup_planned")
    assert found.value == value
    assert quote in (None, found.evidence.quote)


def test_what_is_new_is_not_on_a_day_that_is_over(pdf: PdfReader) -> None:
    found = values(read(pdf, "He was due yesterday and comes at 14:00.", ("eta_revised", "14:00", 0.9)))
    assert found["eta_revised"] == ["2026-11-25T14:00:00+00:00"]


def test_what_was_planned_for_a_day_that_is_over_says_so(pdf: PdfReader) -> None:
    text = "Left Kent on Saturday, should have been there by Tuesday noon. Still nothing."
    (found,) = read(pdf, text, ("eta_original", "Tuesday noon", 0.9)).findings
    assert (found.value, found.evidence.quote) == (
        "2026-11-24T12:00:00+00:00",
        "should have been there by Tuesday noon",
    )
    found_later = values(read(pdf, "Can it be Tuesday? Nobody came today.", ("eta_original", "Tuesday", 0.9)))
    assert found_later["eta_original"] == ["2026-12-01"]


def test_the_tagger_adds_the_time_to_the_day_of_the_rules(pdf: PdfReader) -> None:
    text = "Risulta consegnato ieri alle 16 ma non ho ricevuto niente."
    assert values(read(pdf, text, ("delivered_at", "ieri", 0.9)))["delivered_at"] == ["2026-11-24T16:00:00+00:00"]


def test_a_day_may_be_named_for_another_time_of_its_sentence(pdf: PdfReader) -> None:
    text = "Ferry booked, arrives Friday 07:00, delivery Telford 14:00 as agreed."
    found = values(read(pdf, text, ("eta_revised", "Friday 07:00", 0.9), ("eta_original", "14:00", 0.9)))
    assert found == {"eta_revised": ["2026-11-27T07:00:00+00:00"], "eta_original": ["2026-11-27T14:00:00+00:00"]}


def test_what_a_date_means_hangs_on_the_tagger(pdf: PdfReader) -> None:
    text = "Delivery today had 14 cartons."
    assert "eta_original" not in values(read(pdf, text, ("delivered_at", "today", 0.35)))
    assert values(read(pdf, text, ("delivered_at", "today", 0.5)))["delivered_at"] == ["2026-11-25"]


@pytest.mark.parametrize("words", ["16:00", "las 16:00"])
def test_what_time_it_is_now_is_no_time_of_anything(pdf: PdfReader, words: str) -> None:
    assert not read(pdf, "Son las 16:00 y nadie ha venido.", ("eta_revised", words, 0.9)).findings


def test_the_form_of_a_firm_keeps_its_full_stop(pdf: PdfReader) -> None:
    found = values(read(pdf, "Houtkamp Plaat B.V.", ("shipper", "Houtkamp Plaat B.V", 0.9)))
    assert found["shipper"] == ["Houtkamp Plaat B.V."]
    found = values(read(pdf, "It went to Houtkamp Plaat.", ("consignee", "Houtkamp Plaat", 0.9)))
    assert found["consignee"] == ["Houtkamp Plaat"]


def test_a_place_keeps_its_number_and_goods_lose_their_size(pdf: PdfReader) -> None:
    text = "Sendung im Depot 0163, Rohr 40x40."
    found = values(read(pdf, text, ("site", "Depot 0163", 0.9), ("description", "Rohr 40x40", 0.9)))
    assert (found["site"], found["description"]) == (["Depot 0163"], ["Rohr"])


def test_a_guess_is_not_reported_and_a_name_needs_more(pdf: PdfReader) -> None:
    text = "Harlow wants the tiles."
    assert not read(pdf, text, ("description", "tiles", 0.3), ("consignee", "Harlow", 0.45)).findings
    scores = {f.field: f.score for f in read(pdf, text, ("consignee", "Harlow", 0.8)).findings}
    assert 0 < scores["consignee"] < 0.8


def test_a_date_that_the_tagger_takes_for_another_is_that_other(pdf: PdfReader) -> None:
    text = "New delivery date Friday is not possible."
    assert "eta_revised" in values(read(pdf, text, ("eta_revised", "Friday", 0.9)))
    assert values(read(pdf, text, ("pickup_planned", "Friday", 0.9))) == {"pickup_planned": ["2026-11-27"]}


def test_a_number_in_words_that_mean_nothing_is_no_quantity(pdf: PdfReader) -> None:
    text = "We ship 400 parcels a month with you."
    assert "pieces" in values(read(pdf, text, ("pieces", "400 parcels", 0.9)))
    assert "pieces" not in values(read(pdf, text))


def test_a_checked_reference_needs_no_tagger(pdf: PdfReader) -> None:
    assert values(read(pdf, "Container CSQU3054383 is here."))["container"] == ["CSQU3054383"]


def test_history_is_not_read_by_the_tagger_and_gives_references_only(pdf: PdfReader) -> None:
    text = (
        "Thanks, all fine.\n\nOn Mon, 23 Nov 2026 at 10:00, Sue wrote:\n> 14 pallets, new ETA 24.11.2026, WH/OUT/00042"
    )
    message = message_from_json({"channel": "email", "text": text}, Limits())
    assert "pallets" not in readable(message).text
    assert set(values(read(pdf, text))) == {"delivery_order"}


def test_the_owner_of_a_thing_is_named_without_its_ending(pdf: PdfReader) -> None:
    assert values(read(pdf, "Darren's phone is off.", ("driver_name", "Darren's", 0.9)))["driver_name"] == ["Darren"]


def test_missing_pallets_are_counted_in_pallets(pdf: PdfReader) -> None:
    assert values(read(pdf, "We miss 2 pallets.", ("pieces_short", "2", 0.9)))["pieces_short"] == ["2 PF"]


@pytest.mark.parametrize(
    ("text", "words", "value"),
    [
        ("9 von 24 Paletten sind umgekippt.", "9", "9 PF"),
        ("Your claim for one tilted pallet of tiles.", "one", "1 PF"),
        ("There were 3 cartons pallets could not take.", "3", "3 H87"),
    ],
)
def test_damaged_pallets_are_counted_in_pallets_behind_other_words(
    pdf: PdfReader, text: str, words: str, value: str
) -> None:
    assert values(read(pdf, text, ("pieces_damaged", words, 0.9)))["pieces_damaged"] == [value]


def test_a_sign_alone_is_no_amount(pdf: PdfReader) -> None:
    places = (("goods_value", "€", 0.9), ("disputed_amount", "1,904", 0.9))
    found = values(read(pdf, "The VAT you put on, €1,904.", *places))
    assert found["disputed_amount"] == ["1904.00 EUR"] and "goods_value" not in found


def test_a_bare_temperature_needs_no_tagger(pdf: PdfReader) -> None:
    found = read(pdf, "Reefer unit stopped, set 36 returned 51 at the highest.")
    assert values(found) == {"temperature_required": ["36 FAH"], "temperature_recorded": ["51 FAH"]}


def test_quoted_words_are_a_remark_where_the_tagger_points_at_them(pdf: PdfReader) -> None:
    text = "The driver said the rest comes 'with the next one'."
    assert "remarks" not in values(read(pdf, text))
    assert values(read(pdf, text, ("remarks", "with the next one", 0.9)))["remarks"] == ["with the next one"]


def test_street_and_town_that_are_pointed_at_apart_are_one_address(pdf: PdfReader) -> None:
    text = "Bitte zur Zwislenstrasse, Parzelle 880,\n9056 Gais und nicht nach Bühler."
    places = [(words, 0.8) for words in ("Zwislenstrasse", "Parzelle 880", "9056 Gais", "Bühler")]
    found = values(read(pdf, text, *(("delivery_address", words, score) for words, score in places)))
    assert found["delivery_address"] == ["Zwislenstrasse, Parzelle 880, 9056 Gais", "Bühler"]


def test_a_part_of_a_name_beside_the_whole_of_it_says_nothing_more(pdf: PdfReader) -> None:
    text = "Uwe Tiedemann drives. Tiedemann waits."
    whole, part = text.index("Uwe"), text.rindex("Tiedemann")
    places = [("driver_name", whole, whole + 13, 0.9), ("driver_name", part, part + 9, 0.99)]
    message = message_from_json({"channel": "email", "text": text}, Limits())
    assert values(extract(message, pdf, now=NOW, point=lambda _: places)) == {"driver_name": ["Uwe Tiedemann"]}


def test_a_bracket_that_a_name_opens_is_closed(pdf: PdfReader) -> None:
    text = "Glass (jars) is short (all of it)."
    assert values(read(pdf, text, ("description", "Glass (jars", 0.9))) == {"description": ["Glass (jars)"]}


@pytest.mark.parametrize(
    ("text", "field", "words", "named"),
    [
        ("stuck 'at depot Harrow'", "site", "at depot Harrow", ["depot Harrow"]),
        ("il pane dell'hotel Sole", "consignee", "dell'hotel Sole", ["hotel Sole"]),
        ("Mesa de Dña. Elvira", "consignee", "de Dña. Elvira", ["Dña. Elvira"]),
        ("Mrs. Lindqvist has it.", "consignee", "Lindqvist", ["Mrs. Lindqvist"]),
        ("Mr Pascoe's armchair", "consignee", "Mr Pascoe's", ["Mr Pascoe"]),
        ("It went to Marlow's.", "consignee", "Marlow's", ["Marlow's"]),
        ("Apotheke «Zur Post» wartet", "consignee", "Apotheke «Zur Post", ["Apotheke «Zur Post»"]),
        ("Harlow Tiles Ltd. They wait.", "carrier", "Harlow Tiles Ltd", ["Harlow Tiles Ltd"]),
        ("two bottles of morphine 10 mg", "description", "morphine 10 mg", ["morphine"]),
        ("palets de naranja calibre 3", "description", "naranja calibre 3", ["naranja"]),
        ("got 5/8 plywood", "description", "5/8 plywood", ["plywood"]),
        ("Miele in vasetti", "description", "Miele in", ["Miele"]),
        ("where is the grain lorry", "description", "grain lorry", ["grain"]),
        ("hospital bed and mattress", "description", "hospital bed and mattress", ["hospital bed", "mattress"]),
    ],
)
def test_a_name_is_no_more_and_no_less_than_it_is_called(
    pdf: PdfReader, text: str, field: str, words: str, named: list[str]
) -> None:
    assert values(read(pdf, text, (field, words, 0.9))) == {field: named}


def test_a_name_that_is_pointed_at_in_pieces_is_one(pdf: PdfReader) -> None:
    found = values(read(pdf, "Ainsley Seed Merchants", ("shipper", "Ainsley Seed", 0.9), ("shipper", "Merchants", 0.8)))
    assert found == {"shipper": ["Ainsley Seed Merchants"]}


def test_goods_are_named_once_as_they_are_named_first(pdf: PdfReader) -> None:
    text = "The samples thawed. Patient samples! Coils came, and the coil rack, and steel bars and steel plates."
    words = ["samples", "Patient samples", "Coils", "coil rack", "steel bars", "steel plates"]
    found = values(read(pdf, text, *(("description", w, 0.9) for w in words)))
    assert sorted(found["description"]) == ["Coils", "samples", "steel bars", "steel plates"]


def test_several_numbers_that_are_pointed_at_as_one_are_several(pdf: PdfReader) -> None:
    found = values(read(pdf, "Touren 14, 15 und 22 warten", ("shipment", "14, 15 und 22", 0.9)))
    assert found["shipment"] == ["14", "15", "22"]
    found = values(read(pdf, "trailers FKL-231 and 233", ("trailer_plate", "FKL-231 and 233", 0.9)))
    assert "233" not in found.get("trailer_plate", [])


def test_a_word_is_no_number_but_may_begin_one(pdf: PdfReader) -> None:
    assert values(read(pdf, "RDV GEFO 99121", ("shipment", "GEFO", 0.9))) == {"shipment": ["GEFO 99121"]}
    assert not read(pdf, "RDV GEFO", ("shipment", "GEFO", 0.9)).findings


def test_a_number_is_one_kind_of_reference(pdf: PdfReader) -> None:
    found = read(pdf, "our order 4471-B", ("purchase_order", "4471-B", 0.9), ("shipment", "4471-B", 0.7))
    assert set(values(found)) == {"purchase_order"}
    found = read(pdf, "7745 MBT averiado", ("trailer_plate", "7745 MBT", 0.9), ("vehicle_plate", "7745 MBT", 0.8))
    assert set(values(found)) == {"vehicle_plate"}


def test_a_part_of_a_number_is_none_beside_the_whole(pdf: PdfReader) -> None:
    found = values(read(pdf, "dossier 2026/3391. Voor dossier 3391 graag"))
    assert found["shipment"] == ["2026/3391"]


def test_the_number_at_the_head_of_a_subject_is_read_to_its_end(pdf: PdfReader) -> None:
    assert values(read(pdf, "Unloaded.", subject="7781/26/EXP")) == {"shipment": ["7781/26/EXP"]}


def test_where_a_name_or_an_address_begins_the_tagger_knows_better(pdf: PdfReader) -> None:
    text = "Deliver to: Vane Audio, 3rd Floor, 20 Castle Park, Bristol BS2 0JA"
    whole = "3rd Floor, 20 Castle Park, Bristol BS2 0JA"
    assert values(read(pdf, text))["delivery_address"] == ["20 Castle Park, Bristol BS2 0JA"]
    assert values(read(pdf, text, ("delivery_address", whole, 0.9)))["delivery_address"] == [whole]


def test_a_driver_who_is_none_to_the_tagger_is_none(pdf: PdfReader) -> None:
    assert "driver_name" in values(read(pdf, "Driver Kowalski waits.", ("driver_name", "Kowalski", 0.3)))
    assert "driver_name" not in values(read(pdf, "DRIVER DID NOT ATTEND"))


def test_no_word_more_makes_an_address_of_a_number(pdf: PdfReader) -> None:
    assert not read(pdf, "instead of 4470, please", ("delivery_address", "4470", 0.9)).findings


def test_an_article_is_no_part_of_a_place(pdf: PdfReader) -> None:
    found = values(read(pdf, "bloqué à l'aire de Béziers", ("site", "l'aire de Béziers", 0.9)))
    assert found["site"] == ["aire de Béziers"]


def test_what_the_tagger_reads_in_the_message_is_held_against_its_document(pdf: PdfReader) -> None:
    report = make_pdf([(72, 760, "DAMAGE REPORT"), (72, 700, "Damaged pieces: 6 cartons")])
    attached = {"filename": "report.pdf", "content_base64": base64.b64encode(report).decode()}
    message = message_from_json({"text": "Kroon says four of them are broken.", "attachments": [attached]}, Limits())

    def point(text: str) -> Sequence[tuple[str, int, int, float]]:
        return pointing(("pieces_damaged", "four", 0.95))(text) if "four" in text else []

    (conflict,) = extract(message, pdf, now=NOW, point=point).conflicts
    assert (conflict.message.value, conflict.message.method) == ("4 H87", "model")
    assert conflict.document.value == "6 H87"
