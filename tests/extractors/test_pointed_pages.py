"""A tagger reads a page block by block, each value behind its caption; what it points at is read from the page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from extractors import layout
from extractors.blocks import Piece, pieces
from extractors.columns import is_unfinished
from extractors.evidence import Evidence, Finding, Method
from extractors.extraction import Extraction, extract
from extractors.limits import Limits
from extractors.message import message_from_pdf
from extractors.pdf import PdfReader
from extractors.pointed_pages import MOST_PAGES, _one_meaning_each, candidates, completed, weighed
from extractors.pointing import Point
from tests.extractors.conftest import make_pdf

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


TWO_COLUMNS = make_pdf(
    [
        (40, 760, "WAYBILL"),
        (40, 700, "Taken at"),
        (40, 685, "Kofler Obst"),
        (40, 670, "Etschweg 5"),
        (40, 655, "39018 Terlan"),
        (300, 700, "Brought to"),
        (300, 685, "Frischemarkt eG"),
        (300, 670, "Großmarkt 12"),
        (300, 655, "45329 Essen"),
        (40, 600, "Gross weight kg"),
        (300, 600, "1.250"),
    ]
)


def read(reader: PdfReader, content: bytes, point: Point) -> Extraction:
    """With everything that is pointed at, whatever it weighs."""
    message = message_from_pdf(content, Limits())
    return extract(message, reader, now=NOW, point=point, weigh=lambda found, pointed: [*found, *pointed])


def pointing(*places: tuple[str, str, float]) -> Point:
    def point(text: str) -> list[tuple[str, int, int, float]]:
        return [(f, text.index(said), text.index(said) + len(said), s) for f, said, s in places if said in text]

    return point


def told(extraction: Extraction, field: str) -> list[Finding]:
    return [f for f in extraction.findings if f.field == field]


@pytest.fixture
def shown(reader: PdfReader) -> list[Piece]:
    (page,) = reader.read(TWO_COLUMNS).pages
    return pieces(page, layout.cells(page), "cmr_waybill")


def test_the_lines_of_a_block_stand_together_and_a_value_behind_its_caption(shown: list[Piece]) -> None:
    (piece,) = shown
    assert piece.text.startswith("cmr waybill\n")
    assert "Kofler Obst\nEtschweg 5\n39018 Terlan\n" in piece.text
    assert "Gross weight kg: 1.250\n" in piece.text


def test_a_dollar_that_is_pointed_at_is_that_of_the_country_that_its_page_names(reader: PdfReader) -> None:
    page = make_pdf(
        [(40, 760, "LOAD CONFIRMATION"), (40, 700, "All rates in AUD"), (40, 600, "Agreed"), (200, 600, "$1,813.00")]
    )
    found = read(reader, page, pointing(("freight_charge", "$1,813.00", 0.7)))
    assert [f.value for f in told(found, "freight_charge") if f.method == "model"] == ["1813.00 AUD"]


def test_a_place_in_a_piece_is_that_of_the_page_and_a_caption_before_it_is_none(
    reader: PdfReader, shown: list[Piece]
) -> None:
    text = reader.read(TWO_COLUMNS).pages[0].page.text
    piece = shown[0]
    start = piece.text.index("Frischemarkt")
    places = piece.place(start, piece.text.index("45329 Essen") + len("45329 Essen"))
    assert [text[a:b] for a, b in places] == ["Frischemarkt eG", "Großmarkt 12", "45329 Essen"]
    assert piece.place(*_span(piece.text, "Gross weight kg: ")) == []


def test_what_is_pointed_at_over_several_lines_is_one_address_with_its_own_box(reader: PdfReader) -> None:
    found = read(reader, TWO_COLUMNS, pointing(("delivery_address", "Großmarkt 12\n45329 Essen", 0.97)))
    (address,) = told(found, "delivery_address")
    assert (address.value, address.method) == ("Großmarkt 12, 45329 Essen", "model")
    box = address.evidence.box
    assert box is not None and box[0] > 290, "the column beside it is not marked"


def test_an_amount_has_the_unit_of_its_caption(reader: PdfReader) -> None:
    found = read(reader, TWO_COLUMNS, pointing(("gross_weight", "1.250", 0.97)))
    assert [f.value for f in told(found, "gross_weight")] == ["1250 KGM"]


def test_what_says_nothing_for_its_field_is_dropped(reader: PdfReader) -> None:
    found = read(reader, TWO_COLUMNS, pointing(("document_date", "Kofler Obst", 0.99), ("un_number", "WAYBILL", 0.99)))
    assert not told(found, "document_date") and not told(found, "un_number")


def test_goods_are_weighed_and_stand_without_packing_and_captions_are_none(reader: PdfReader) -> None:
    page = make_pdf(
        [(40, 700, "Goods"), (40, 680, "Drums, olive oil 5 l"), (40, 600, "Gross weight"), (40, 580, "80 kg")]
    )
    pointed = pointing(("description", "Drums, olive oil 5 l", 0.95), ("description", "Gross weight", 0.9))
    message = message_from_pdf(page, Limits())
    for weigh in (weighed, lambda _, pointed: list(pointed)):
        found = extract(message, reader, now=NOW, point=pointed, weigh=weigh)
        assert [f.value for f in told(found, "description")] == ["olive oil 5 l"]


COUNTED = [(40, 680, "Rose bushes"), (300, 680, "12"), (40, 668, "hyacinths in pots"), (300, 668, "3")]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        (COUNTED, ["Rose bushes", "hyacinths in pots"]),
        ([(40, 680, "ROSE BUSHES,"), (40, 668, "PRUNED")], ["ROSE BUSHES, PRUNED"]),
        ([(40, 680, "CORROSIVE AMINES,"), (40, 668, "N.O.S.")], ["CORROSIVE AMINES, N.O.S."]),
        ([(40, 680, "ACID LIQUID, N.O.S."), (40, 668, "(xylene, butanol)")], ["ACID LIQUID, N.O.S. (xylene, butanol)"]),
        (
            [
                (40, 680, "ROSE BUSHES"),
                (40, 668, "WILD HYACINTHS"),
                (40, 600, "A very much longer line of other words far below"),
            ],
            ["ROSE BUSHES", "WILD HYACINTHS"],
        ),
        ([(40, 680, "ROSE BUSHES"), (40, 668, "HYACINTHS"), (40, 600, "ROSE BUSHES, YES")], ["ROSE BUSHES HYACINTHS"]),
        ([(40, 680, "Rose bushes"), (40, 668, "in wooden crates")], ["Rose bushes in wooden crates"]),
        (
            [
                (40, 680, "LADIES LEATHER"),
                (40, 668, "FOOTWEAR"),
                (40, 600, "A very much longer line of words far below"),
            ],
            ["LADIES LEATHER FOOTWEAR"],
        ),
        ([(40, 680, "Rose bushes; hyacinths")], ["Rose bushes", "hyacinths"]),
        ([(40, 680, "Rosen / Roses")], ["Rosen"]),
        (
            [
                (40, 680, "CLAY GRANULATE,"),
                (40, 668, "in bulk, 1 liner"),
                (40, 600, "A very much longer line of words far below"),
            ],
            ["CLAY GRANULATE"],
        ),
    ],
)
def test_goods_pointed_at_together_are_one_name_where_its_line_goes_on(
    reader: PdfReader, lines: list[tuple[float, float, str]], names: list[str]
) -> None:
    said = [said for left, top, said in lines if left == 40 and top > 600]
    page = make_pdf([(40, 740, "WAYBILL"), *lines])
    found = read(reader, page, pointing(("description", "\n".join(said), 0.9)))
    assert sorted(f.value for f in told(found, "description") if f.method == "model") == sorted(names)


def test_goods_and_their_technical_name_that_were_pointed_at_apart_are_one(reader: PdfReader) -> None:
    page = make_pdf([(40, 740, "WAYBILL"), (40, 680, "Excipients (magnesium stearate)"), (40, 640, "Rosen / Roses")])
    apart = pointing(
        ("description", "Excipients", 0.9), ("description", "magnesium stearate", 0.8), ("description", "Roses", 0.9)
    )
    assert [f.value for f in told(read(reader, page, apart), "description")] == ["Excipients (magnesium stearate)"]


def test_goods_are_told_in_full_where_one_way_knows_only_how_their_name_begins() -> None:
    found, pointed = completed(
        [finding("description", "Wool rugs, red", 0.8, 20), finding("description", "Wool", 0.8, 90)],
        [finding("description", "Wool rugs", 0.3, 20)],
    )
    assert [f.value for f in found] == ["Wool rugs, red", "Wool"]
    assert [(f.value, f.score) for f in pointed] == [("Wool rugs, red", 0.3)]
    apart = [finding("description", "Kettles", 0.9, 20), finding("description", "toasters", 0.9, 29)]
    assert completed([finding("description", "Kettles, toasters", 0.8, 20)], apart)[1] == apart


def test_a_part_of_a_number_is_told_in_full() -> None:
    plate = finding("vehicle_plate", "PL 7K 044", 0.8, 20)
    parts = [finding("vehicle_plate", "PL 7K", 0.9, 20), finding("vehicle_plate", "044", 0.7, 26)]
    assert [(f.value, f.score) for f in completed([plate], parts)[1]] == [("PL 7K 044", 0.9), ("PL 7K 044", 0.7)]
    other = [finding("trailer_plate", "044", 0.7, 26)]
    assert completed([plate], other)[1] == other


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Carrier Tri-Prairie Freight Lines", "Tri-Prairie Freight Lines"),
        ("Versand durch Krumbiegel Spedition", "Krumbiegel Spedition"),
        ("Spedition Krumbiegel", "Spedition Krumbiegel"),
        ("Transporteur Krumbiegel Nord", "Krumbiegel Nord"),
        ("Transport. Krumbiegel Nord", "Krumbiegel Nord"),
        ("récépissé émargé Krumbiegel Nord SAS", "Krumbiegel Nord SAS"),
    ],
)
def test_a_name_goes_without_the_caption_that_leads_in_to_it(reader: PdfReader, line: str, name: str) -> None:
    said = "Tri-Prairie Freight Lines" if "Tri" in line else "Krumbiegel"
    said = line[line.index(" ") + 1 :] if line.startswith("récépissé") else said
    said = line if line.startswith("Transport") else said
    found = read(reader, make_pdf([(40, 700, line)]), pointing(("carrier", said, 0.9)))
    assert name in [f.value for f in told(found, "carrier") if f.method == "model"]


def finding(field: str, value: str, score: float, start: int, method: Method = "layout") -> Finding:
    place = Evidence(part="attachment:0", page=1, quote=value, start=start, end=start + len(value))
    return Finding(field=field, value=value, score=score, method=method, evidence=place)


@pytest.mark.parametrize(("score", "kept"), [(0.9, ["1250 KGM"]), (0.5, [])])
def test_of_two_weights_of_a_document_the_one_that_is_told_well_stands(
    reader: PdfReader, score: float, kept: list[str]
) -> None:
    page = make_pdf([(40, 700, "Line 1"), (40, 600, "420 kg"), (40, 500, "Line 2"), (40, 400, "1.250 kg")])
    pointed = pointing(("gross_weight", "420 kg", 0.45), ("gross_weight", "1.250 kg", score))
    assert [f.value for f in told(read(reader, page, pointed), "gross_weight")] == kept


def test_what_both_find_weighs_more_than_what_one_finds() -> None:
    rules, tagger = finding("shipment", "TR-88120", 0.8, 10), finding("shipment", "TR-88120", 0.9, 40, "model")
    (alone,), (both,) = weighed([rules], []), weighed([rules], [tagger])
    assert 0.5 < alone.score < both.score <= 1
    assert both.evidence == rules.evidence, "the rules say best where it stands"


def test_what_neither_is_sure_of_is_not_reported() -> None:
    assert weighed([], [finding("carrier", "Tirol Frigo", 0.3, 10, "model")]) == []


def test_a_place_that_is_taken_for_another_field_speaks_against_a_value() -> None:
    date = finding("eta_original", "2026-11-23", 0.6, 10)
    (told,) = [c for c in candidates([date], [finding("document_date", "2026-11-23", 0.95, 10, "model")]) if c.rules]
    assert (told.tagger, told.for_another, told.otherwise) == (0, 0.95, 0)


def test_pages_that_the_tagger_does_not_read_are_left_to_the_rules(reader: PdfReader) -> None:
    content = make_pdf(*([(40.0, 700.0, f"Seal no: AB{number}44120")] for number in range(MOST_PAGES + 1)))
    seen: list[str] = []

    def point(text: str) -> list[tuple[str, int, int, float]]:
        seen.append(text)
        return []

    message = message_from_pdf(content, Limits())
    found = extract(message, reader, now=NOW, point=point, weigh=lambda *_: [])
    assert len(seen) == MOST_PAGES
    assert [f.value for f in told(found, "seal")] == [f"AB{MOST_PAGES}44120"]


def _span(text: str, words: str) -> tuple[int, int]:
    return text.rindex(words), text.rindex(words) + len(words)


def test_the_same_words_have_one_meaning_and_a_part_of_them_none() -> None:
    def found(field: str, value: str, start: int, end: int, score: float) -> Finding:
        evidence = Evidence(part="file", quote="x" * (end - start), start=start, end=end, page=1)
        return Finding(field=field, value=value, score=score, method="model", evidence=evidence)

    likely = [
        found("shipment", "LD-229841", 10, 19, 0.9),
        found("pickup_planned", "2026-11-24T08:00:00+00:00", 30, 46, 0.8),
        found("consignee", "Frischemarkt eG", 60, 75, 0.8),
    ]
    less = [
        found("purchase_order", "LD-229841", 10, 19, 0.5),
        found("shipment", "229841", 13, 19, 0.5),
        found("pickup_planned", "2026-11-24", 100, 110, 0.6),
        found("eta_original", "2026-11-24T08:00:00+00:00", 30, 46, 0.5),
        found("carrier", "Frischemarkt eG", 60, 75, 0.5),
    ]
    assert _one_meaning_each([*less, *likely]) == likely


def test_a_day_takes_the_time_that_the_other_way_knows() -> None:
    day = finding("delivered_at", "2026-10-05", 0.8, 10)
    timed = finding("delivered_at", "2026-10-05T09:10:00+00:00", 0.82, 10, "model")
    assert [f.value for f in weighed([day], [timed])] == [timed.value]
    other = finding("delivered_at", "2026-10-05T17:00:00+00:00", 0.9, 90, "model")
    assert completed([day], [timed, other]) == ([timed.model_copy(update={"score": day.score})], [timed, other])
    apart = day.model_copy(update={"evidence": day.evidence.model_copy(update={"start": 150, "end": 160})})
    assert completed([apart], [timed, other]) == ([apart], [timed, other]), "nobody knows which of the two"


def test_of_a_field_s_candidates_each_knows_how_many_there_are_and_which_are_better() -> None:
    rules = [finding("shipment", "A-1", 0.7, 10), finding("shipment", "B-2", 0.6, 30)]
    told = {c.finding.value: c for c in candidates(rules, [finding("shipment", "B-2", 0.9, 30, "model")])}
    assert (told["A-1"].of_field, told["A-1"].better_by_rules, told["A-1"].better_by_tagger) == (2, 0, 1)
    assert (told["B-2"].of_field, told["B-2"].better_by_rules, told["B-2"].better_by_tagger) == (2, 1, 0)


def test_a_town_takes_the_street_that_the_other_way_knows() -> None:
    town = finding("pickup_address", "Ennis V95 K4P1, Ireland", 0.85, 30)
    whole = finding("pickup_address", "Kilrush Road, Ennis V95 K4P1, Ireland", 0.98, 10, "model")
    assert [f.value for f in weighed([town], [whole])] == [whole.value]


def test_a_time_in_the_next_line_of_the_block_is_that_of_the_day(reader: PdfReader) -> None:
    page = make_pdf(
        [(40, 700, "PROOF OF DELIVERY"), (40, 600, "Delivered"), (40, 588, "17.11.2026"), (40, 576, "11:18")]
    )
    found = told(read(reader, page, pointing(("delivered_at", "17.11.2026", 0.9))), "delivered_at")
    assert [f.value for f in found if f.method == "model"] == ["2026-11-17T11:18:00+00:00"]


def test_the_time_in_the_next_line_keeps_the_zone_that_stands_beside_it(reader: PdfReader) -> None:
    page = make_pdf([(40, 700, "LOAD CONFIRMATION"), (40, 600, "11/25/2026"), (40, 588, "15:30 CT (appt)")])
    found = told(read(reader, page, pointing(("pickup_planned", "11/25/2026", 0.9))), "pickup_planned")
    assert [f.value for f in found if f.method == "model"] == ["2026-11-25T15:30:00-06:00"]


def test_the_day_by_which_to_pay_is_no_day_of_the_transport(reader: PdfReader) -> None:
    page = make_pdf([(40, 700, "FATTURA"), (40, 600, "Scadenza"), (200, 600, "30/12/2026")])
    assert told(read(reader, page, pointing(("pickup_actual", "30/12/2026", 0.9))), "pickup_actual") == []


def test_a_bare_number_is_no_time_of_day(reader: PdfReader) -> None:
    page = make_pdf([(40, 700, "COMMERCIAL INVOICE"), (40, 600, "Departure from Vigo: week 5")])
    assert told(read(reader, page, pointing(("pickup_planned", "5", 0.9))), "pickup_planned") == []


def test_a_name_over_two_lines_keeps_the_full_stop_that_shortens_it(reader: PdfReader) -> None:
    page = make_pdf([(40, 700, "INVOICE"), (40, 600, "Carrier"), (40, 588, "Sudety"), (40, 576, "Freight S.A.")])
    (found,) = told(read(reader, page, pointing(("carrier", "Sudety\nFreight S.A", 0.9))), "carrier")
    assert found.value == "Sudety Freight S.A."


def test_a_town_s_street_is_known_by_its_country_too() -> None:
    town = finding("pickup_address", "Imperia, Italia", 0.85, 90)
    whole = finding("pickup_address", "Via Argine 90, 18100 Imperia (IM), Italia", 0.98, 10, "model")
    assert [f.value for f in weighed([town], [whole])] == [whole.value]


def test_a_street_that_is_pointed_at_goes_on_to_its_town(reader: PdfReader) -> None:
    line = "Delivered on 4.12. to Druk s.r.o., Prumyslova 1472, 70200 Ostrava, Czechy. Order OBJ-26."
    page = make_pdf([(40, 700, "NOTICE"), (40, 600, line)])
    (found,) = told(read(reader, page, pointing(("delivery_address", "Prumyslova 1472", 0.9))), "delivery_address")
    assert found.value == "Prumyslova 1472, 70200 Ostrava, Czechy"


def test_an_address_that_is_pointed_at_in_a_sentence_is_not_the_whole_sentence(reader: PdfReader) -> None:
    line = "We took the goods to the hub of Halles Express, 5 Market Street, 94150 Rungis, and nobody was there."
    page = make_pdf([(40, 700, "NOTICE"), (40, 600, line)])
    point = pointing(("delivery_address", "5 Market Street, 94150 Rungis", 0.9))
    assert "5 Market Street, 94150 Rungis" in [f.value for f in told(read(reader, page, point), "delivery_address")]


def test_a_long_label_at_the_head_of_a_block_is_no_part_of_an_address(reader: PdfReader) -> None:
    label = "2 Consignee (name, address, country) - Destinataire (nom, adresse, pays)"
    box = enumerate((label, "Frischemarkt eG", "Hauptstr. 12", "45329 Essen"))
    page = make_pdf([(40, 700, "CMR"), *((40, 600 - 11 * n, line) for n, line in box)])
    found = told(read(reader, page, pointing(("delivery_address", "Hauptstr. 12", 0.9))), "delivery_address")
    assert {f.value for f in found} == {"Hauptstr. 12, 45329 Essen"}


@pytest.mark.parametrize(
    ("line", "pointed", "note"),
    [
        ("3 Säcke Kakao gerissen, neu vernäht.", "Säcke Kakao gerissen", "3 Säcke Kakao gerissen, neu vernäht."),
        ("Palette 5: Umreifung gerissen, foliert", "Umreifung gerissen", "Palette 5: Umreifung gerissen, foliert"),
        ("Keep dry. Skid 2 paint scratched. Clean.", "paint scratched", "Skid 2 paint scratched."),
        ("Vermerkt ist: „Aggregat bei Ankunft aus“.", "Aggregat bei Ankunft", "Aggregat bei Ankunft aus"),
    ],
)
def test_a_note_that_is_pointed_at_is_all_of_its_sentence(
    reader: PdfReader, line: str, pointed: str, note: str
) -> None:
    page = make_pdf([(40, 760, "DAMAGE REPORT"), (40, 700, line)])
    found = read(reader, page, pointing(("remarks", pointed, 0.97)))
    assert note in [f.value for f in told(found, "remarks")]


def test_a_note_goes_on_in_its_next_line_with_the_comma_between(reader: PdfReader) -> None:
    page = make_pdf([(40, 760, "DAMAGE REPORT"), (40, 700, "Crate three stove in,"), (40, 687, "to be inspected.")])
    found = read(reader, page, pointing(("remarks", "Crate three stove in,\nto be inspected", 0.97)))
    assert "Crate three stove in, to be inspected." in [f.value for f in told(found, "remarks")]


def test_a_sure_note_stands_instead_of_its_part_and_of_what_is_only_worded_like_one() -> None:
    def note(value: str, start: int, score: float, method: Method) -> Finding:
        evidence = Evidence(part="file", quote=value, start=start, end=start + len(value), page=1)
        return Finding(field="remarks", value=value, score=score, method=method, evidence=evidence)

    part, cell = note("2 cartons crushed,", 10, 0.75, "layout"), note("02 broken", 90, 0.55, "layout")
    named = note("Seal intact on arrival", 200, 0.75, "layout")
    sure = note("2 cartons crushed, taped by shipper", 10, 0.97, "model")
    assert weighed([part, cell, named], [sure]) == [sure, named]
    unsure = sure.model_copy(update={"score": 0.7})
    assert weighed([part], [unsure]) == [part]


def test_articles_by_number_are_no_goods_though_they_are_pointed_at(reader: PdfReader) -> None:
    def page(number: str) -> bytes:
        return make_pdf(
            [
                (40, 760, "DELIVERY NOTE"),
                *[(40, 700, number), (120, 700, "Description"), (340, 700, "Delivered")],
                *[(40, 680, "4711-A"), (120, 680, "Oak shelf boards"), (340, 680, "12")],
            ]
        )

    point = pointing(("description", "Oak shelf boards", 0.97))
    assert not told(read(reader, page("SKU"), point), "description")
    assert told(read(reader, page("Marks"), point), "description")


def test_a_shipping_name_goes_on_behind_a_word_that_never_ends_one() -> None:
    assert is_unfinished("ENVIRONMENTALLY HAZARDOUS")
    assert not is_unfinished("AEROSOLS, FLAMMABLE")


LETTER = make_pdf(
    [
        (40, 760, "La livraison est à effectuer chez Landmachines Terpstra B.V., Turfkade 3, 8441 BC"),
        (40, 745, "Heerenveen, Pays-Bas, le mercredi. Die Sendung der Werkzeugfabrik Hilden KG (2 Paletten) kommt"),
        (40, 730, "an Ihre Lieferanschrift Hintere Laufer Gasse 19, 90403 Nürnberg, am Montag, wie vereinbart."),
        (40, 640, "Camion, Transports Broyard SA"),
        (40, 600, "NOTIFY DESPACHANTE VILA MARIA"),
        (40, 560, "As agents of Sextant Bulk Express we inform you that the tank below arrives."),
        (40, 520, "Hurtownia Stali Sp. j."),
        (40, 505, "Halle 2, Rampe Nord"),
        (40, 490, "Seetalstrasse 118"),
        (40, 475, "6032 Emmen"),
    ]
)


@pytest.mark.parametrize(
    ("field", "pointed", "value"),
    [
        ("consignee", "Landmachines Terpstra B.V", "Landmachines Terpstra B.V."),
        ("shipper", "Hilden KG", "Werkzeugfabrik Hilden KG"),
        ("shipper", "Hurtownia Stali Sp. j", "Hurtownia Stali Sp. j."),
        ("carrier", "Broyard SA", "Transports Broyard SA"),
        ("notify_party", "NOTIFY DESPACHANTE VILA MARIA", "DESPACHANTE VILA MARIA"),
        ("carrier", "Sextant Bulk Express", "Sextant Bulk Express"),
        ("delivery_address", "Turfkade 3, 8441 BC\nHeerenveen", "Turfkade 3, 8441 BC Heerenveen, Pays-Bas"),
        ("delivery_address", "Gasse 19", "Hintere Laufer Gasse 19, 90403 Nürnberg"),
        ("delivery_address", "Nord\nSeetalstrasse 118\n6032 Emmen", "Seetalstrasse 118, 6032 Emmen"),
    ],
)
def test_what_is_pointed_at_in_a_sentence_is_read_in_full_and_without_the_rest_of_its_line(
    reader: PdfReader, field: str, pointed: str, value: str
) -> None:
    (found,) = [f for f in told(read(reader, LETTER, pointing((field, pointed, 0.8))), field) if f.method == "model"]
    assert found.value == value


def test_a_heading_of_carriage_over_a_carrier_is_no_part_of_its_name(reader: PdfReader) -> None:
    page = make_pdf([(40, 700, "Transporte"), (40, 688, "Graneles Norte, S.L.")])
    found = read(reader, page, pointing(("carrier", "Transporte\nGraneles Norte, S.L.", 0.9)))
    assert [f.value for f in told(found, "carrier") if f.method == "model"] == ["Graneles Norte, S.L."]


def test_a_form_goes_on_in_the_next_line_of_a_carrier_s_block(reader: PdfReader) -> None:
    page = make_pdf([(40, 700, "Camionisti Adda Soc."), (40, 688, "Coop."), (40, 600, "Targa")])
    found = read(reader, page, pointing(("carrier", "Camionisti Adda Soc", 0.9)))
    assert [f.value for f in told(found, "carrier") if f.method == "model"] == ["Camionisti Adda Soc. Coop."]


def test_goods_that_are_said_not_to_be_there_are_none(reader: PdfReader) -> None:
    page = make_pdf([(40, 740, "WAYBILL"), (40, 700, "NO DRY ICE"), (40, 640, "DENTAL MIRRORS")])
    found = read(reader, page, pointing(("description", "DRY ICE", 0.9), ("description", "DENTAL MIRRORS", 0.9)))
    assert [f.value for f in told(found, "description") if f.method == "model"] == ["DENTAL MIRRORS"]
