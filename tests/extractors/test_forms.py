"""Forms: boxes, columns, totals, tables of goods, signatures, and dates as their country writes them."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from reportlab.pdfgen.canvas import Canvas

from extractors import extraction, forms, items, layout
from extractors.blocks import pieces
from extractors.dates import is_month_first
from extractors.documents import DocumentType, Page
from extractors.evidence import Evidence, Finding
from extractors.extraction import Extraction, extract
from extractors.limits import Limits
from extractors.message import message_from_pdf
from extractors.ocr_child import _drawn, _ink, _rules
from extractors.pdf import PdfReader, ReadPage, Word
from tests.extractors.conftest import written

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def paper(draw: Callable[[Canvas], None]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(600, 800))
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def read(reader: PdfReader, draw: Callable[[Canvas], None]) -> Extraction:
    return extract(message_from_pdf(paper(draw), Limits()), reader, now=NOW)


def values(extraction: Extraction, field: str) -> list[str]:
    return [finding.value for finding in extraction.findings if finding.field == field]


def lines(canvas: Canvas, x: float, y: float, *texts: str, size: float = 9, font: str = "Courier") -> None:
    canvas.setFont(font, size)
    for number, text in enumerate(texts):
        canvas.drawString(x, y - 11 * number, text)


def cmr(canvas: Canvas) -> None:
    lines(canvas, 300, 760, "CMR  4471203", size=14)
    for x, y, label, *box in (
        (30, 740, "1 Sender (name, address, country)", "Kofler Obst", "Etschweg 5", "I-39018 Terlan"),
        (30, 660, "2 Consignee (name, address, country)", "Frischemarkt eG", "Großmarkt 12", "D-45329 Essen"),
        (300, 660, "16 Carrier (name, address, country)", "Tirol Frigo GmbH", "Bahnhofstr. 40", "A-6112 Wattens"),
    ):
        lines(canvas, x, y, label, size=5.5, font="Helvetica")
        lines(canvas, x + 3, y - 14, *box)


def test_the_boxes_of_two_columns_keep_their_names_and_addresses_apart(reader: PdfReader) -> None:
    found = read(reader, cmr)
    assert values(found, "shipper") == ["Kofler Obst"] and values(found, "carrier") == ["Tirol Frigo GmbH"]
    assert values(found, "consignee") == ["Frischemarkt eG"]
    assert values(found, "delivery_address") == ["Großmarkt 12, D-45329 Essen"]
    (address,) = [f for f in found.findings if f.field == "delivery_address"]
    assert address.evidence.box is not None and address.evidence.box[2] < 300, "the box beside it is not marked"


def goods(canvas: Canvas) -> None:
    lines(canvas, 40, 760, "DELIVERY RECEIPT", size=16)
    for x, word in ((40, "ITEM"), (120, "DESCRIPTION"), (330, "ORDERED"), (430, "DELIVERED")):
        lines(canvas, x, 700, word, font="Helvetica-Bold")
    for y, row in ((684, ("KP-10", "Planter terracotta", "1,040", "38")), (668, ("KP-14", "Planter", "25", "25"))):
        for x, word in zip((40, 120, 340, 440), row, strict=True):
            lines(canvas, x, y, word)
    lines(canvas, 40, 640, "Total", "2 lines")


def test_a_table_of_goods_is_read_line_by_line_up_to_its_total(reader: PdfReader) -> None:
    (document,) = read(reader, goods).documents
    assert [(i.sku, i.description, i.ordered, i.delivered) for i in document.line_items] == [
        ("KP-10", "Planter terracotta", "1040", "38"),
        ("KP-14", "Planter", "25", "25"),
    ]


@pytest.mark.parametrize(
    ("printed", "amount"),
    [("1.234,50", "1234.5"), ("1,234.50", "1234.5"), ("1.200,00", "1200"), ("0,500", "0.5"), ("1 040", "1040")],
)
def test_amounts_of_goods_are_numbers_however_they_are_printed(reader: PdfReader, printed: str, amount: str) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "DELIVERY NOTE", size=16)
        for y, row in ((700, ("Item", "Description", "Ordered", "Delivered")), (684, ("A-1", "Sand", printed, "7"))):
            for x, word in zip((40, 120, 330, 430), row, strict=True):
                lines(canvas, x, y, word)

    (document,) = read(reader, draw).documents
    assert [(i.ordered, i.delivered) for i in document.line_items] == [(amount, "7")]


def test_what_was_not_delivered_ends_no_table_and_a_total_ends_it_for_the_next_page(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        for table in ((("SKU", "Qty", "Received"), ("A-1", "5", "4"), ("A-2", "3", "-"), ("A-3", "2", "2"), ("Total",)),
                      (("B-1", "7", "7"),)):  # fmt: skip
            lines(canvas, 40, 760, "DELIVERY NOTE", size=16)
            for number, row in enumerate(table):
                for x, word in zip((40, 200, 300), row, strict=False):
                    lines(canvas, x, 700 - 16 * number, word)
            canvas.showPage()

    (document,) = read(reader, draw).documents
    assert [(i.sku, i.ordered, i.delivered) for i in document.line_items] == [("A-1", "5", "4"), ("A-3", "2", "2")]


@pytest.mark.parametrize("word", ["Subtotal", "Sub total", "Zwischensumme", "Sous-total", "Suma częściowa"])
def test_the_sum_of_a_part_ends_no_table(word: str) -> None:
    row = [Word(0, len(word), 40.0, 10.0, 90.0, 20.0)]
    assert items.is_subtotal(word, row) and not items.is_total(word, row)


@pytest.mark.parametrize(("drawn", "said"), [(True, "yes"), (False, "no")])
def test_a_proof_of_delivery_is_signed_where_a_hand_drew_on_the_line(reader: PdfReader, drawn: bool, said: str) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=16)
        lines(canvas, 40, 500, "Signature:")
        if drawn:
            path = canvas.beginPath()
            path.moveTo(110, 500)
            for step in range(12):
                x = 110 + step * 8
                path.curveTo(x + 2, 515, x + 5, 488, x + 8, 502)
            canvas.drawPath(path)

    found = read(reader, draw)
    assert values(found, "signed") == [said]
    (finding,) = [f for f in found.findings if f.field == "signed"]
    assert finding.evidence.quote == "Signature:"


def round_box(canvas: Canvas) -> None:
    canvas.roundRect(110, 480, 180, 40, 8)


def pill(canvas: Canvas) -> None:
    canvas.roundRect(110, 480, 180, 40, 20)


def round_frame(canvas: Canvas) -> None:
    frame = canvas.beginPath()  # its edges are filled, as a browser prints them
    frame.roundRect(110, 480, 180, 40, 8)
    frame.roundRect(111, 481, 178, 38, 7)
    canvas.drawPath(frame, stroke=0, fill=1, fillMode=0)


@pytest.mark.parametrize("box", [round_box, pill, round_frame])
@pytest.mark.parametrize(("drawn", "said"), [(True, "yes"), (False, "no")])
def test_an_empty_box_to_sign_in_is_no_signature_though_its_corners_are_round(
    reader: PdfReader, box: Callable[[Canvas], None], drawn: bool, said: str
) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=16)
        lines(canvas, 40, 500, "Signature:")
        box(canvas)
        if drawn:
            path = canvas.beginPath()
            path.moveTo(120, 500)
            for x in range(120, 200, 8):
                path.curveTo(x + 2, 515, x + 5, 488, x + 8, 502)
            canvas.drawPath(path)

    assert values(read(reader, draw), "signed") == [said]


@pytest.mark.parametrize("slant", [0, 5])
def test_a_round_or_slanted_stamp_where_somebody_signs_is_taken_for_a_signature(reader: PdfReader, slant: int) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=16)
        lines(canvas, 40, 500, "Signature:")
        canvas.rotate(slant)
        canvas.roundRect(160, 470, 120, 30, 4) if slant else canvas.circle(160, 500, 30)

    assert values(read(reader, draw), "signed") == ["yes"]


def test_a_proof_of_delivery_is_signed_where_the_drawing_was_made_a_part_of_the_page(reader: PdfReader) -> None:
    def draw(canvas: Canvas, times: float = 0.5) -> None:
        canvas.beginForm("signature", 0, 0, 400, 100)
        path = canvas.beginPath()
        path.moveTo(0, 50)
        for x in range(0, 300, 30):
            path.curveTo(x + 5, 90, x + 20, 5, x + 30, 50)
        canvas.drawPath(path)
        canvas.endForm()
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=16)
        lines(canvas, 40, 500, "Signature:")
        canvas.translate(110, 480)
        canvas.scale(times, times)
        canvas.doForm("signature")

    assert values(read(reader, draw), "signed") == ["yes"]
    assert values(read(reader, lambda canvas: draw(canvas, 2.0)), "signed") == ["no"]  # too large


SCRAWL = b"0 9 m " + b" ".join(b"%d 30 %d 0 %d 12 c" % (x + 2, x + 5, x + 8) for x in range(0, 90, 8)) + b" S"
PICTURE = b"q 90 0 0 30 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \0 EI Q"
ROUND = b"8 0 m 82 0 l 86 0 90 4 90 8 c 90 22 l 90 26 86 30 82 30 c 8 30 l 4 30 0 26 0 22 c 0 8 l 0 4 4 0 8 0 c s"


def annotated(kind: bytes, shown: bytes, *, more: bytes = b"", flags: int = 4, others: int = 0) -> bytes:
    """A proof of delivery with an annotation beside the label of its signature, after `others` that show nothing."""
    page = b"BT /A 16 Tf 40 760 Td (PROOF OF DELIVERY) Tj ET BT /A 9 Tf 40 500 Td (Signature:) Tj ET"
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 90 30]/Resources<<%s>>/Length %d>>stream\n%s\nendstream"
    rectangle = b"[110 490 200 520]"
    return written(
        {
            1: b"<</Type/Catalog/Pages 2 0 R>>",
            2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</A 5 0 R>>>>"
            b"/Annots[null %s 6 0 R]>>" % (b"9 0 R " * others),
            4: b"<</Length %d>>stream\n%s\nendstream" % (len(page), page),
            5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            6: b"<</Type/Annot/Subtype/%s/Rect%s/F %d%s/AP<</N 7 0 R>>>>" % (kind, rectangle, flags, more),
            7: form % (b"/XObject<</F 8 0 R>>", 5, b"/F Do"),  # as layers of fields are drawn: a form in a form
            8: form % (b"/Font<</A 5 0 R>>", len(shown), shown),
            9: b"<</Type/Annot/Subtype/Widget/Rect%s/AP<</N 10 0 R>>>>" % rectangle,
            10: form % (b"", len(ROUND), ROUND),
        }
    )


@pytest.mark.parametrize(
    ("pdf", "said"),
    [
        (annotated(b"Widget", SCRAWL), "yes"),
        (annotated(b"Widget", PICTURE, more=b"/FT/Sig"), "yes"),
        (annotated(b"Stamp", SCRAWL), "yes"),
        (annotated(b"Stamp", PICTURE), "yes"),
        (annotated(b"Ink", b"", more=b"/InkList[[110 500 130 515 150 495 200 510]]"), "yes"),
        (annotated(b"Widget", b""), "no"),
        (annotated(b"Widget", ROUND), "no"),
        (annotated(b"Stamp", b"BT /A 9 Tf 9 9 Td (RECEIVED) Tj ET"), "no"),
        (annotated(b"Square", SCRAWL), "no"),
        (annotated(b"Stamp", SCRAWL, flags=2), "no"),
        (annotated(b"Stamp", SCRAWL, others=4_000), "yes"),
    ],
)
def test_a_proof_of_delivery_is_signed_where_an_annotation_shows_a_drawing(
    reader: PdfReader, pdf: bytes, said: str
) -> None:
    found = extract(message_from_pdf(pdf, Limits()), reader, now=NOW)
    assert values(found, "signed") == [said]


def in_two_hands(hand: bytes, flags: int, words: bytes) -> bytes:
    """A proof of delivery with words in a typeface of its own over the line for the signature."""
    page = b"BT /A 16 Tf 40 760 Td (PROOF OF DELIVERY) Tj ET BT /A 9 Tf 40 500 Td (Receiver's signature:) Tj ET"
    page += b" BT /A 9 Tf 40 640 Td (Goods: paint) Tj ET"
    page += b" BT /H 18 Tf 150 500 Td (%s) Tj ET" % words
    font = b"<</Type/Font/Subtype/TrueType/BaseFont/%s/FontDescriptor 7 0 R/FirstChar 32/LastChar 32/Widths[300]>>"
    descriptor = (
        b"<</Type/FontDescriptor/FontName/%s/Flags %d/FontBBox[0 0 900 900]/ItalicAngle 0/Ascent 900/MissingWidth 500>>"
    )
    return written(
        {
            1: b"<</Type/Catalog/Pages 2 0 R>>",
            2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
            b"/Resources<</Font<</A 5 0 R/H 6 0 R>>>>>>",
            4: b"<</Length %d>>stream\n%s\nendstream" % (len(page), page),
            5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            6: font % hand,
            7: descriptor % (hand, flags),
        }
    )


@pytest.mark.parametrize(
    ("hand", "flags", "words", "said"),
    [
        (b"AAAAAA+Homemade-Apple", 32, b"DOkonkwo", "yes"),
        (b"DancingScript-Bold", 4, b"i.V. Kofler 14.1.27", "yes"),
        (b"Unknown", 32 + 8, b"ELau", "yes"),
        (b"Charis-Italic", 32, b"ELau", "yes"),
        (b"Charis", 32 + 64, b"ELau", "yes"),
        (b"Charis-Italic", 32 + 64, b"Karton fehlt", "no"),
        (b"Carlito", 32, b"MEIER", "no"),
        (b"Caveat", 32, b"1 carton short", "no"),
        (b"Caveat", 32, b"Karton fehlt", "no"),
    ],
)
def test_a_name_in_a_typeface_that_looks_written_is_a_signature_and_a_note_is_none(
    reader: PdfReader, hand: bytes, flags: int, words: bytes, said: str
) -> None:
    found = extract(message_from_pdf(in_two_hands(hand, flags, words), Limits()), reader, now=NOW)
    assert values(found, "signed") == [said]


@pytest.mark.parametrize(
    ("title", "caption", "line", "drawn", "said"),
    [
        ("CONSTAT DE DOMMAGES", "Pour le destinataire : D. Chapuis", False, True, ["yes"]),
        ("CONSTAT DE DOMMAGES", "Observations faites", False, True, ["yes"]),
        ("CONSTAT DE DOMMAGES", "Signature : D. Chapuis", False, False, ["yes"]),
        ("LETTRE DE VOITURE", "Observations faites", False, True, []),
        ("RATE CONFIRMATION", "For the carrier: ______________", False, False, ["no"]),
        ("ALBARÁN", "Recibí conforme (nombre, DNI y firma)", False, False, ["no"]),
        ("PACKING LIST", "Il responsabile del magazzino: ______________", False, False, ["no"]),
        ("PACKING LIST", "Il legale rappresentante", True, False, ["no"]),
        ("PACKING LIST", "Il legale rappresentante", False, False, []),
        ("PACKING LIST", "Date: ______________", True, False, []),
        ("BILL OF LADING", "Firma: ................................", False, False, ["no"]),
        ("DELIVERY NOTE", "Pour l'expéditeur", True, False, []),
    ],
)
def test_who_signs_may_be_told_by_a_caption_that_speaks_of_no_signature(
    reader: PdfReader, title: str, caption: str, line: bool, drawn: bool, said: list[str]
) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, title, size=16)
        lines(canvas, 110, 470, caption)
        if line:
            canvas.line(110, 445, 250, 445)
        if drawn:
            curve_by_curve(canvas)

    assert values(read(reader, draw), "signed") == said


@pytest.mark.parametrize(
    ("title", "line", "drawn", "said"),
    [
        ("HOUSE AIR WAYBILL", "UNTERSCHRIFT VERSENDER / AGENT ....: GEZ. P. TOBLER", False, ["yes"]),
        ("DANGEROUS GOODS DECLARATION", "Driver's signature: ..................", True, ["yes"]),
        ("DANGEROUS GOODS DECLARATION", "Driver's signature: ..................", False, ["no"]),
        ("RATE CONFIRMATION", "Carrier's signature: ..................", True, ["no"]),
        ("RATE CONFIRMATION", "For the carrier: ..................", True, ["no"]),
        ("RATE CONFIRMATION", "Vi preghiamo di restituire la presente firmata per accettazione", False, []),
        ("DAMAGE REPORT", "Informe generado electrónicamente, sin firma.", False, []),
        ("PACKING LIST", "Signature  Vrijgesteld van ondertekening (99208)", False, []),
    ],
)
def test_the_one_who_must_sign_may_have_signed_elsewhere_or_need_not(
    reader: PdfReader, title: str, line: str, drawn: bool, said: list[str]
) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, title, size=16)
        lines(canvas, 40, 200, *line.split("  "))
        if drawn:
            curve_by_curve(canvas)

    assert values(read(reader, draw), "signed") == said


def test_firma_at_the_head_of_a_german_paper_is_no_place_to_sign(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "LIEFERSCHEIN", size=16)
        lines(canvas, 40, 700, "Firma", "Tischlerei Obermoser", "Dorfstraße 8", "5772 Niedernsill")
        lines(canvas, 40, 300, "Unterschrift:")

    assert values(read(reader, draw), "signed") == ["no"]


def test_a_drawing_on_a_customs_document_that_no_caption_asks_for_is_a_stamp(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "CUSTOMS DECLARATION", size=16)
        curve_by_curve(canvas)

    assert values(read(reader, draw), "signed") == []


@pytest.mark.parametrize(("hands", "said"), [(((60, 700, 140, 725),), ["no"]), ((), [])])
def test_the_receiver_of_a_scan_has_not_signed_where_only_another_hand_is_seen(
    hands: tuple[tuple[float, float, float, float], ...], said: list[str]
) -> None:
    text = "22 Signature of the sender\n24 Goods received"
    words = [
        Word(m.start(), m.end(), 40.0 + 9 * m.start(), 640, 40.0 + 9 * m.end(), 650) for m in re.finditer(r"\S+", text)
    ]
    page = ReadPage(Page(number=1, width=600, height=800, text=text), tuple(words), True, drawn=hands)
    found = extraction._signature([page], [layout.cells(page)], "attachment:0", "cmr_waybill")
    assert [finding.value for finding in found] == said


@pytest.mark.parametrize(("letter", "said"), [(9, ["yes"]), (5, [])])
def test_a_name_in_letters_as_large_as_a_hand_s_is_a_signature_on_a_scan(letter: int, said: list[str]) -> None:
    rows = (
        ("WEIGHBRIDGE TICKET", 40, 5),
        ("Gross 39.620 kg", 400, 5),
        ("Net 24.740 kg", 430, 5),
        ("M. Royo", 600, letter),
    )
    text = "\n".join(row for row, _, _ in rows)
    words = [
        Word(text.index(row), text.index(row) + len(row), 40, top, 40 + width * len(row), top + 10)
        for row, top, width in rows
    ]
    page = ReadPage(Page(number=1, width=600, height=800, text=text), tuple(words), True)
    found = extraction._signature([page], [layout.cells(page)], "attachment:0", "other_document")
    assert [finding.value for finding in found] == said


@pytest.mark.parametrize(
    ("kind", "field"), [("proof_of_delivery", "pickup_actual"), ("rate_confirmation", "pickup_planned")]
)
def test_what_a_paper_of_something_done_was_to_load_by_its_own_day_was_loaded(kind: DocumentType, field: str) -> None:
    evidence = Evidence(part="attachment:0", quote="2026-11-24 07:30", start=0, end=16, page=1)
    planned = Finding(
        field="pickup_planned", value="2026-11-24T07:30:00+01:00", score=0.8, method="layout", evidence=evidence
    )
    assert [f.field for f in extraction._as_done([planned], kind, "2026-11-25")] == [field]
    assert [f.field for f in extraction._as_done([planned], kind, "2026-11-23")] == ["pickup_planned"]
    assert [f.field for f in extraction._as_done([planned], kind, "")] == ["pickup_planned"]


@pytest.mark.parametrize(("height", "said"), [(60, []), (30, ["yes"])])
def test_a_round_or_square_drawing_that_no_caption_asks_for_is_a_stamp_or_a_code(
    reader: PdfReader, height: int, said: list[str]
) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "COMMERCIAL INVOICE", size=16)
        canvas.ellipse(160, 300, 220, 300 + height)

    assert values(read(reader, draw), "signed") == said


def test_a_signature_at_the_far_end_of_its_box_is_one(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=16)
        frame(canvas, 105, 470, 300, 610)
        lines(canvas, 108, 600, "Receiver's signature", size=6, font="Helvetica")
        curve_by_curve(canvas)

    assert values(read(reader, draw), "signed") == ["yes"]


@pytest.mark.parametrize(("driver", "receiver"), [("Pavel Novak", []), ("Jan Dvorak", ["Pavel Novak"])])
def test_who_drove_did_not_receive(reader: PdfReader, driver: str, receiver: list[str]) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=16)
        lines(canvas, 40, 700, f"Driver: {driver}")
        lines(canvas, 120, 500, "Receiver's signature:", "Pavel Novak")

    assert values(read(reader, draw), "received_by") == receiver


@pytest.mark.parametrize(("caption", "said"), [("Driver:", "no"), ("", "yes")])
def test_a_name_with_a_caption_of_its_own_is_no_signature_above_it(reader: PdfReader, caption: str, said: str) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=16)
        lines(canvas, 120, 500, "Receiver's signature:")
        lines(canvas, 40, 480, caption)
        lines(canvas, 120, 480, "Pavel Novak")

    found = read(reader, draw)
    assert values(found, "signed") == [said]
    assert values(found, "received_by") == (["Pavel Novak"] if said == "yes" else [])


@pytest.mark.parametrize(
    ("line", "short"),
    [
        ("3 cartons short", ["3 H87"]),
        ("1 carton short may be claimed within 7 days", []),
        ("1 Karton fehlt: innerhalb von 7 Tagen melden", []),
    ],
)
def test_a_condition_in_print_notes_no_loss(reader: PdfReader, line: str, short: list[str]) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=16)
        lines(canvas, 40, 500, line)

    found = read(reader, draw)
    assert values(found, "pieces_short") == short and bool(values(found, "remarks")) is bool(short)


def test_the_total_of_an_invoice_is_its_charge_and_an_american_date_begins_with_the_month(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "FREIGHT INVOICE", size=16)
        lines(canvas, 40, 700, "Invoice number: 20418", "Invoice date: 11/09/2026", "Peoria, IL 61604")
        lines(canvas, 40, 600, "Line haul 2,450.00 USD", "Fuel 410.00 USD", "Total due: 2,860.00 USD")

    found = read(reader, draw)
    assert values(found, "freight_charge") == ["2860.00 USD"]
    assert values(found, "document_date") == ["2026-11-09"]


def test_an_invoice_states_how_long_a_driver_waited_and_not_how_long_one_may_pay(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "FREIGHT INVOICE", size=16)
        lines(canvas, 40, 600, "Waiting time at delivery, 90 min 1.5 h 48.00", "Claims for waiting within 2 h")
        lines(canvas, 40, 500, "Delayed payment after 30 days is charged")

    assert values(read(reader, draw), "delay_minutes") == ["90"]


def test_an_order_says_how_cold_it_must_be_and_not_how_cold_it_was(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "TRANSPORT ORDER", size=16)
        lines(canvas, 40, 600, "Frozen fish -20 °C")

    found = read(reader, draw)
    assert (values(found, "temperature_required"), values(found, "temperature_recorded")) == (["-20 CEL"], [])


def test_a_paper_is_of_its_own_date_and_not_of_that_of_the_order(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "FREIGHT INVOICE", size=16)
        lines(canvas, 40, 700, "Order date: 02.11.2026", "Invoice date: 09.11.2026")

    assert values(read(reader, draw), "document_date") == ["2026-11-09"]


def test_the_window_of_a_delivery_note_names_the_receiver(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 720, "Bergklinik Sankt Anna", "Anna-Allee 1", "87561 Oberstdorf", font="Helvetica")
        lines(canvas, 40, 640, "Lieferschein Nr. LS-261002", size=14)

    found = read(reader, draw)
    assert values(found, "consignee") == ["Bergklinik Sankt Anna"]
    assert values(found, "delivery_address") == ["Anna-Allee 1, 87561 Oberstdorf"]
    assert values(found, "delivery_order") == ["LS-261002"]


def test_a_form_of_one_firm_is_issued_by_the_firm_in_its_letterhead(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "NORTHGATE", size=16)
        lines(canvas, 320, 760, "Northgate Road Freight Ltd")
        lines(canvas, 40, 700, "FREIGHT INVOICE", size=14)
        lines(canvas, 40, 640, "Invoice to", "Pennine Crockery plc", "Invoice no. NG/1180", "Tax point 18 Nov 2026")

    found = read(reader, draw)
    assert values(found, "carrier") == ["Northgate Road Freight Ltd"]
    assert values(found, "invoice") == ["NG/1180"]
    assert values(found, "document_date") == ["2026-11-18"]


def test_a_label_in_two_languages_over_its_value_is_one_label(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "CMR  4471203", size=14)
        lines(canvas, 300, 600, "11 Poids brut, kg", "Gross weight", "4 870")

    assert values(read(reader, draw), "gross_weight") == ["4870 KGM"]


def waybill(canvas: Canvas, total: str) -> None:
    lines(canvas, 40, 760, "STRAIGHT BILL OF LADING", size=14)
    lines(canvas, 40, 730, "Ship from", "Topeka, KS 66603")
    for x, heading in ((40, "Pallets"), (120, "Pkg qty"), (220, "Weight lb"), (320, "Commodity description")):
        lines(canvas, x, 600, heading, size=7)
    for y, *row in ((586, "3", "18", "1,240", "Paper bags, 12 oz"), (572, "1", "6", "410", "Cup sleeves")):
        for x, words in zip((40, 120, 220, 320), row, strict=True):
            lines(canvas, x, y, words)
    if total:
        for x, words in (
            (40, total),
            (120, "24"),
            (220, "1,650"),
            (320, "TOTAL, SHRINK WRAPPED" if total == "4" else ""),
        ):
            lines(canvas, x, 540, words)


@pytest.mark.parametrize("total", ["TOTAL 4", "4"], ids=["at its begin", "beside the goods"])
def test_the_totals_of_a_table_are_what_is_shipped_and_its_lines_are_not(reader: PdfReader, total: str) -> None:
    found = read(reader, lambda canvas: waybill(canvas, total))
    assert values(found, "pieces") == ["24 H87"] and values(found, "gross_weight") == ["1650 LBR"], (
        "the heading says lb"
    )
    assert set(values(found, "description")) == {"Paper bags, 12 oz", "Cup sleeves"}
    without = read(reader, lambda canvas: waybill(canvas, ""))
    assert "1650 LBR" not in values(without, "gross_weight"), "nothing is added up"


def test_small_print_under_a_value_names_it_where_it_stands_nearer_than_what_follows(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=14)
        for y, value, caption in (
            (700, "JB-2231", "Shipment no."),
            (664, "Gareth Price", "Driver"),
            (628, "20/11/2026 13:05", "Delivered"),
        ):
            lines(canvas, 40, y, value)
            lines(canvas, 40, y - 9, caption, size=5.5, font="Helvetica")

    found = read(reader, draw)
    assert values(found, "shipment") == ["JB-2231"] and values(found, "driver_name") == ["Gareth Price"]
    assert values(found, "delivered_at") == ["2026-11-20T13:05:00+00:00"]


@pytest.mark.parametrize(("aside", "down", "size"), [(0, 11.5, 5.5), (5, 14, 12)], ids=["lower", "aslant"])
def test_small_print_names_the_value_over_it_though_not_right_under_it(
    reader: PdfReader, aside: float, down: float, size: float
) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=14)
        lines(canvas, 40, 700, "JB-2231", size=size * 2)
        lines(canvas, 40 + aside, 700 - down, "Shipment no.", size=size, font="Helvetica")

    assert values(read(reader, draw), "shipment") == ["JB-2231"]


def test_a_page_that_has_its_captions_under_its_values_is_read_upwards(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PACKING LIST", size=14)
        for y, row in (
            (700, (("TK-4471", "Your order"), ("R7 spring", "Price list"), ("H-20.118", "Our order"))),
            (674, (("88-3310", "Delivery note"), ("Selby", "Port of loading"), ("812 kg", "Gross weight"))),
        ):
            for x, (value, caption) in zip((40, 200, 360), row, strict=True):
                lines(canvas, x, y, value)
                lines(canvas, x, y - 8, caption, size=5.5, font="Helvetica")

    found = read(reader, draw)
    assert values(found, "purchase_order") == ["TK-4471"] and values(found, "sales_order") == ["H-20.118"]
    assert values(found, "delivery_order") == ["88-3310"] and not values(found, "shipment")
    (page,) = reader.read(paper(draw)).pages
    shown = "".join(piece.text for piece in pieces(page, layout.cells(page), "packing_list"))
    assert "Your order: TK-4471\n" in shown and "Delivery note: 88-3310\n" in shown
    assert "order: 88-3310" not in shown


def test_several_lines_over_their_caption_are_one_box(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=14)
        lines(canvas, 40, 700, "Brannock Outlet", font="Helvetica")
        lines(canvas, 42, 690, "Shipper", size=5.5, font="Helvetica")
        lines(canvas, 300, 700, "Frischemarkt eG", "Hauptstr. 12", "45329 Essen", font="Helvetica")
        lines(canvas, 300, 668, "Consignee", size=5.5, font="Helvetica")

    found = read(reader, draw)
    assert values(found, "shipper") == ["Brannock Outlet"] and values(found, "consignee") == ["Frischemarkt eG"]
    assert values(found, "delivery_address") == ["Hauptstr. 12, 45329 Essen"] and not values(found, "pickup_address")


def test_a_label_in_the_middle_of_its_frame_speaks_for_all_lines_of_the_next(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "RATE CONFIRMATION", size=14)
        for y, label, *said in (
            (660, "Collection", "Burren Resins Ltd, Quay Road 4, 31582 Nienburg", "Thursday 3 December 2026, 14:00"),
            (620, "Delivery", "Humber Laminates plc, 41 Marsh Lane, Goole DN14 6XL", "Monday 7 December 2026, 08:30"),
        ):
            canvas.rect(30, y, 120, 40)
            canvas.rect(150, y, 400, 40)
            lines(canvas, 40, y + 15, label, font="Helvetica")
            lines(canvas, 160, y + 26, *said, font="Helvetica")

    found = read(reader, draw)
    assert values(found, "pickup_address") == ["Quay Road 4, 31582 Nienburg"]
    assert values(found, "delivery_address") == ["41 Marsh Lane, Goole DN14 6XL"]
    assert values(found, "consignee") == ["Humber Laminates plc"]


def test_coloured_stripes_of_a_printout_are_no_boxes(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        for y in range(530, 800, 44):
            canvas.setFillGray(0.9)
            canvas.rect(10, y, 580, 22, stroke=0, fill=1)
        canvas.setFillGray(0)
        lines(canvas, 40, 760, "PACKING LIST", size=14)
        for x, label, *box in (
            (40, "SHIP FROM:", "SALTGRASS OUTDOOR", "5150 LOGISTICS BLVD", "FORT WORTH, TX 76177"),
            (300, "SHIP TO:", "TIMBERLINE GOODS", "1800 FRONTIER AVE", "CHEYENNE, WY 82007"),
        ):
            lines(canvas, x, 722, label, *box)
        lines(canvas, 40, 678, *(f"0{n} TENT 4 PERSON GREEN" for n in range(12)))

    found = read(reader, draw)
    assert values(found, "pickup_address") == ["5150 LOGISTICS BLVD, FORT WORTH, TX 76177"]
    assert values(found, "delivery_address") == ["1800 FRONTIER AVE, CHEYENNE, WY 82007"]


def test_a_line_that_holds_name_and_address_gives_both(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "Transportauftrag WT-118204", size=14)
        for y, label, value in (
            (700, "Ladestelle", "Nordmehl AG, Kornweg 3, 31582 Nienburg"),
            (680, "Ladetermin", "23.11.2026, 07:00 - 10:00 Uhr"),
            (660, "Entladestelle", "Backhaus Heide eG, Am Ebensberg 14, 21335 Lüneburg"),
            (640, "Entladetermin", "24.11.2026, 15:00 Uhr"),
        ):
            lines(canvas, 40, y, label)
            lines(canvas, 160, y, value)

    found = read(reader, draw)
    assert values(found, "shipper") == ["Nordmehl AG"] and values(found, "consignee") == ["Backhaus Heide eG"]
    assert values(found, "pickup_address") == ["Kornweg 3, 31582 Nienburg"]
    assert values(found, "delivery_address") == ["Am Ebensberg 14, 21335 Lüneburg"]
    assert values(found, "pickup_planned") == ["2026-11-23T07:00:00+00:00"], "a span of time begins with its first"
    assert values(found, "eta_original") == ["2026-11-24T15:00:00+00:00"]


def test_dates_in_the_boxes_of_a_load_are_when_the_truck_is_to_be_there(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "CARRIER RATE CONFIRMATION", size=14)
        lines(canvas, 40, 700, "PICKUP", "Dalton Feed Mill", "410 Elevator Rd", "Salina, KS 67401", "11/24/2026 08:00")
        lines(canvas, 300, 700, "DELIVERY", "Yuma Ranch", "2200 Avenue B", "Yuma, AZ 85364", "11/26/2026 07:00")

    found = read(reader, draw)
    assert values(found, "pickup_planned") == ["2026-11-24T08:00:00+00:00"]
    assert values(found, "eta_original") == ["2026-11-26T07:00:00+00:00"]


def test_a_letter_is_of_the_day_at_its_head_and_of_the_firm_in_large_print(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 770, "Transports Bellecour", size=18)
        lines(canvas, 400, 740, "Lyon, le 18/11/2026")
        lines(canvas, 40, 710, "AVIS DE RETARD")
        for y, label, day in ((680, "Livraison", "18/11/2026"), (660, "Nouvelle livraison", "19/11/2026")):
            lines(canvas, 40, y, label)
            lines(canvas, 200, y, day)

    found = read(reader, draw)
    assert values(found, "document_date") == ["2026-11-18"] and values(found, "carrier") == ["Transports Bellecour"]
    assert values(found, "eta_revised") == ["2026-11-19"]


def test_dangerous_goods_go_by_their_shipping_names(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "MULTIMODAL DANGEROUS GOODS FORM", size=12)
        lines(canvas, 40, 700, "160 steel drums", "UN1263, PAINT, Class 3, PG III", "Flashpoint 27 C")

    found = read(reader, draw)
    assert values(found, "description") == ["PAINT"] and values(found, "hazard_class") == ["3"]
    assert values(found, "un_number") == ["UN1263"]


def test_the_numbered_boxes_of_a_form_are_the_headings_of_its_goods_and_a_row_over_them_is_not(
    reader: PdfReader,
) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 770, "CMR 7204118", size=14)
        lines(canvas, 30, 619, "Marks", size=7)
        lines(canvas, 200, 619, "of the goods", size=7)
        for y, row in (
            (608, ("6 Zeichen", "7 Anzahl", "9 Bezeichnung des Gutes", "11 Bruttogew. kg")),
            (590, ("L1-42", "42", "Schnittholz Fichte", "22.180")),
            (575, ("H1-3", "3", "Hobelware, kein Gefahrgut", "1.580")),
            (560, ("", "", "davon 3 auf Paletten", "")),
            (540, ("K1-2", "2", "Holzkisten", "80")),
            (529, ("", "", "Beschläge", "")),
        ):
            for x, word in zip((30, 120, 200, 420), row, strict=True):
                lines(canvas, x, y, word, size=8)

    assert set(values(read(reader, draw), "description")) == {"Schnittholz Fichte", "Hobelware", "Beschläge"}


def test_goods_as_declared_and_counted_with_a_unit_have_their_columns(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 770, "CONOCIMIENTO DE EMBARQUE", size=14)
        for y, row in (
            (608, ("Marcas", "Mercancía, según declaración del cargador", "Cantidad u.")),
            (590, ("CQ-1", "Tramos de torre", "3")),
            (570, ("CQ-4", "Multiplicadora", "1")),
        ):
            for x, word in zip((30, 120, 420), row, strict=True):
                lines(canvas, x, y, word, size=8)

    assert set(values(read(reader, draw), "description")) == {"Tramos de torre", "Multiplicadora"}


def waybill_in_three_languages(canvas: Canvas) -> None:
    lines(canvas, 300, 770, "CMR 7204118", size=14)
    boxes = (
        (740, "1", ("Afzender (naam, adres)", "Sender (name, address)", "Expéditeur (nom, adresse)")),
        (640, "4", ("Plaats en datum van inontvangstneming", "Place and date of taking over the goods")),
        (160, "24", ("Goederen ontvangen - Goods received", "handtekening en stempel van de geadresseerde")),
    )  # fmt: skip
    for top, number, captions in boxes:
        lines(canvas, 30, top, number, size=5, font="Helvetica")
        lines(canvas, 38, top, captions[0], size=5, font="Helvetica")
        for at, caption in enumerate(captions[1:], start=1):
            lines(canvas, 38, top - 6 * at, caption, size=5, font="Helvetica")
    lines(
        canvas,
        32,
        716,
        "Van Oldenborgh Metaalbewerking",
        "en Machinebouw B.V.",
        "Afdeling Expeditie",
        "Industrieweg 41",
    )
    lines(canvas, 32, 672, "7202 CA Zutphen", "Nederland")
    lines(canvas, 32, 620, "Zutphen, Nederland", "17-11-2026")
    lines(canvas, 32, 140, "18-11-2026", "10u20", "M. Delvaux")
    stroke = canvas.beginPath()  # as a signature pad gives it: many short straight pieces
    stroke.moveTo(40, 100)
    for step in range(60):
        stroke.lineTo(41 + 2 * step, 100 + 9 * ((step * 7) % 5 - 2) / 2)
    canvas.drawPath(stroke)


def test_boxes_with_captions_in_three_languages_give_party_place_dates_and_who_received(reader: PdfReader) -> None:
    found = read(reader, waybill_in_three_languages)
    assert values(found, "shipper") == ["Van Oldenborgh Metaalbewerking en Machinebouw B.V."]
    assert values(found, "pickup_address") == ["Industrieweg 41, 7202 CA Zutphen, Nederland"], "without the department"
    assert values(found, "pickup_actual") == ["2026-11-17"]
    assert values(found, "delivered_at") == ["2026-11-18T10:20:00+00:00"]
    assert values(found, "received_by") == ["M. Delvaux"] and values(found, "signed") == ["yes"]


def rows_under_headings(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "STRAIGHT BILL OF LADING", size=14)
    for x, heading, name, street, town in (
        (40, "SHIP FROM", "Two Creeks Maple Co.", "318 Sugarhouse Road", "Saint Johnsbury, VT 05819"),
        (310, "SHIP TO", "Harvest Basket DC 14", "2900 Commerce Pkwy", "Breinigsville, PA 18031"),
    ):
        lines(canvas, x, 720, heading, size=7, font="Helvetica")
        for at, (label, value) in enumerate((("NAME", name), ("STREET", street), ("CITY/ST/ZIP", town)), start=1):
            lines(canvas, x, 720 - 13 * at, label, size=6, font="Helvetica")
            lines(canvas, x + 60, 720 - 13 * at, value)
    for y, row in (
        (600, ("PACKAGES", "COMMODITY", "WEIGHT")),
        (591, ("QTY", "DESCRIPTION", "(lb)")),
        (575, ("168", "Maple syrup", "3,864")),
        (562, ("40", "Maple candy", "612")),
        (549, ("208", "", "4,476")),
    ):
        for x, words in zip((40, 140, 400), row, strict=True):
            lines(canvas, x, y, words)
    lines(canvas, 40, 300, "2 ctn crushed, 1 short")


def test_rows_under_a_heading_headings_of_two_lines_and_a_sum_without_its_word(reader: PdfReader) -> None:
    found = read(reader, rows_under_headings)
    assert values(found, "shipper") == ["Two Creeks Maple Co."] and values(found, "consignee") == [
        "Harvest Basket DC 14"
    ]
    assert values(found, "pickup_address") == ["318 Sugarhouse Road, Saint Johnsbury, VT 05819"]
    assert values(found, "pieces") == ["208 H87"] and values(found, "gross_weight") == ["4476 LBR"]
    assert values(found, "remarks") == ["2 ctn crushed, 1 short"]


def consignments(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "FACTURA", size=14)
    for y, row in (
        (700, ("Expedición", "Albarán", "Destinatario", "Bultos", "Kilos")),
        (680, ("50-2611-00418", "9017", "Turrones La Cigarra", "4", "1.920")),
        (667, ("50-2611-00733", "9024", "Confiserie Bertrand", "2", "880")),
        (654, ("50-2611-01102", "s/ref.", "Hermanos Quintanilla", "1", "412")),
    ):
        for x, words in zip((40, 150, 230, 420, 480), row, strict=True):
            lines(canvas, x, y, words)


def test_a_table_of_consignments_names_each_and_adds_up_to_nothing_that_is_not_written(reader: PdfReader) -> None:
    found = read(reader, consignments)
    assert set(values(found, "shipment")) == {"50-2611-00418", "50-2611-00733", "50-2611-01102"}
    assert set(values(found, "delivery_order")) == {"9017", "9024"}
    assert set(values(found, "consignee")) == {"Turrones La Cigarra", "Confiserie Bertrand", "Hermanos Quintanilla"}
    assert values(found, "pieces") == [] and values(found, "gross_weight") == []


def transport_order(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "Transportauftrag Nr. 26-11-04417", size=14)
    for y, place, name, day, clock in (
        (700, "Ladestelle", "Glashütte Brakel GmbH", "16.11.2026", "07:30 Uhr"),
        (620, "Entladestelle", "Getränke Obermaier GmbH", "17.11.2026", "10:00 Uhr"),
    ):
        lines(canvas, 40, y, place, name, "Industriepark 7", "84453 Mühldorf")
        lines(canvas, 300, y, "Datum / Uhrzeit", day, clock)
        lines(canvas, 430, y, "Referenz", "Ladenummer", "771-2604")


def test_day_and_time_beside_a_place_are_when_the_truck_is_to_be_there(reader: PdfReader) -> None:
    found = read(reader, transport_order)
    assert values(found, "pickup_planned") == ["2026-11-16T07:30:00+00:00"]
    assert values(found, "eta_original") == ["2026-11-17T10:00:00+00:00"]


def test_ink_that_no_line_of_text_holds_may_be_a_signature() -> None:
    pixels = np.full((800, 600, 3), 255, np.uint8)
    pixels[300:303, 50:550] = 0  # a rule of the form
    for x in range(200, 330):
        y = 400 + round(14 * math.sin(x / 6))
        pixels[y - 3 : y + 3, x : x + 2] = (120, 30, 20)
    word = np.array([[50, 500], [150, 500], [150, 520], [50, 520]], np.float64)
    pixels[500:520, 50:150] = 0
    ((corners),) = _drawn(_ink(pixels, 0), [word], 72 / 150)
    (left, top), (right, bottom) = corners
    assert left <= 200 and right >= 330 and top <= 386 and bottom >= 414
    assert bottom - top < 60, "neither the rule nor the word is part of it"


def frame(canvas: Canvas, left: float, bottom: float, right: float, top: float) -> None:
    canvas.rect(left, bottom, right - left, top - bottom)


def framed_waybill(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "AIR WAYBILL", size=14)
    frame(canvas, 30, 660, 300, 750)
    frame(canvas, 190, 725, 300, 750)  # in its corner
    lines(canvas, 33, 743, "Shipper's Name and Address", size=5, font="Helvetica")
    lines(canvas, 193, 743, "Shipper's Account Number", size=5, font="Helvetica")
    lines(canvas, 200, 730, "44120")
    lines(canvas, 45, 705, "Kwekerij Oostdijk B.V.", "Oostdijkje 41", "1483 AB De Rijp", "Netherlands")
    frame(canvas, 30, 570, 300, 660)
    lines(canvas, 33, 653, "Consignee's Name and Address", size=5, font="Helvetica")
    lines(canvas, 45, 610, "Midori Flower Import Ltd", "3-8-12 Tokai", "Tokyo 143-0001", "Japan")


def test_what_stands_in_the_frame_of_a_caption_is_its_value_however_far_below(reader: PdfReader) -> None:
    found = read(reader, framed_waybill)
    assert values(found, "shipper") == ["Kwekerij Oostdijk B.V."]
    assert values(found, "consignee") == ["Midori Flower Import Ltd"]
    assert values(found, "pickup_address") == ["Oostdijkje 41, 1483 AB De Rijp, Netherlands"]


def receipt(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "DELIVERY RECEIPT / REÇU DE LIVRAISON", size=14)
    for left, words, value in (
        (30, ("B/L No.", "Conn. no"), "OV-11803"),
        (150, ("Cust. PO", "Commande"), "4416-B"),
        (270, ("Unit / Trailer", "Unité / Remorque"), "KL 4182X / QB 5340"),
    ):
        frame(canvas, left, 705, left + 120, 720)
        frame(canvas, left, 680, left + 120, 705)
        lines(canvas, left + 3, 709, words[0], size=6, font="Helvetica")
        lines(canvas, left + 60, 709, words[1], size=6, font="Helvetica")
        lines(canvas, left + 4, 688, value)


def test_a_caption_in_two_languages_stands_over_its_value(reader: PdfReader) -> None:
    found = read(reader, receipt)
    assert values(found, "bol") == ["OV-11803"] and values(found, "purchase_order") == ["4416-B"]


def tour(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "ABLIEFERBELEG", size=14)
    for left, label, value in ((30, "Fahrzeug / Fahrer", "OA-SL 512 / Jonas Dogan"), (230, "Beladen am", "30.10.2026")):
        frame(canvas, left, 690, left + 200, 720)
        lines(canvas, left + 3, 712, label, size=5, font="Helvetica")
        lines(canvas, left + 6, 698, value)


def test_a_label_of_two_halves_names_the_halves_of_its_value(reader: PdfReader) -> None:
    found = read(reader, tour)
    assert values(found, "vehicle_plate") == ["OASL512"] and values(found, "driver_name") == ["Jonas Dogan"]
    assert values(found, "pickup_actual") == ["2026-10-30"]


def pair_of_plates(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "FRACHTBRIEF CMR", size=14)
    lines(canvas, 30, 712, "25/26 Amtl. Kennzeichen Kfz / Anhänger", size=6, font="Helvetica")
    lines(canvas, 30, 698, "LL-384KX LL-117AN")


def test_two_plates_without_a_slash_go_by_the_order_of_their_label(reader: PdfReader) -> None:
    found = read(reader, pair_of_plates)
    assert values(found, "vehicle_plate") == ["LL384KX"] and values(found, "trailer_plate") == ["LL117AN"]


def chambers(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "BEFÖRDERUNGSPAPIER", size=14)
    xs = (30, 200, 300, 420)
    table(
        canvas,
        "",
        xs,
        (700, ("Bezeichnung des Gutes", "Gewicht kg", "Plombe oben", "Plombe unten")),
        (680, ("Dieselkraftstoff", "21.480", "N 004181", "N 004184")),
        (660, ("Heizöl", "8.010", "N 004182", "N 004185")),
    )


def test_a_row_may_have_a_seal_in_each_of_two_columns(reader: PdfReader) -> None:
    found = read(reader, chambers)
    assert sorted(values(found, "seal")) == ["N 004181", "N 004182", "N 004184", "N 004185"]


def survey(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "CONSTAT D'AVARIE", size=14)
    lines(canvas, 40, 700, "Notre commande : CF 118-26")


def test_what_is_ours_where_damage_is_reported_is_the_buyers(reader: PdfReader) -> None:
    found = read(reader, survey)
    assert values(found, "purchase_order") == ["CF 118-26"] and not values(found, "sales_order")


def order(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "INCARICO DI TRASPORTO", size=14)
    for left, heading, rows in (
        (
            30,
            "CARICO",
            (
                ("Ditta", "Ceramiche Valdastra S.p.A."),
                ("Indirizzo", "Via Ghiarola 104"),
                ("Località", "41042 Fiorano (MO)"),
                ("Data", "09/03/2026"),
            ),
        ),
        (
            300,
            "SCARICO",
            (
                ("Ditta", "Edilcentro Murgia S.r.l."),
                ("Indirizzo", "Via Adriatica 12"),
                ("Località", "70033 Corato (BA)"),
                ("Data", "10/03/2026"),
            ),
        ),
    ):
        frame(canvas, left, 700, left + 260, 716)
        lines(canvas, left + 110, 704, heading, font="Helvetica-Bold")
        for number, (label, value) in enumerate(rows):
            top = 700 - 16 * number
            frame(canvas, left, top - 16, left + 60, top)
            frame(canvas, left + 60, top - 16, left + 260, top)
            lines(canvas, left + 3, top - 11, label, size=7, font="Helvetica")
            lines(canvas, left + 64, top - 11, value)


def test_a_heading_in_the_middle_of_its_block_says_whose_rows_they_are(reader: PdfReader) -> None:
    found = read(reader, order)
    assert values(found, "shipper") == ["Ceramiche Valdastra S.p.A."]
    assert values(found, "delivery_address") == ["Via Adriatica 12, 70033 Corato (BA)"]
    assert values(found, "pickup_planned") == ["2026-03-09"] and values(found, "eta_original") == ["2026-03-10"]


def lading(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "BILL OF LADING", size=14)
    columns = ((30, 70, "Pieces"), (70, 330, "Description of goods"), (330, 420, "Weight lbs"))
    rows = (("52", "Cabinets, wooden", "1,868"), ("1", "Hardware", "64"), ("53", "TOTAL", "1,932"))
    for left, right, heading in columns:
        frame(canvas, left, 640, right, 715)
        lines(canvas, left + 3, 704, heading, size=7, font="Helvetica")
    for number, row in enumerate(rows):
        for (left, _, _), word in zip(columns, row, strict=True):
            lines(canvas, left + 4, 685 - 14 * number, word)


def test_the_columns_of_a_ruled_table_are_its_own(reader: PdfReader) -> None:
    found = read(reader, lading)
    assert values(found, "description") == ["Cabinets, wooden", "Hardware"]
    assert values(found, "pieces") == ["53 H87"] and values(found, "gross_weight") == ["1932 LBR"]


def test_the_lines_of_a_tilted_scan_are_found_where_it_would_lie_straight() -> None:
    pixels = np.full((800, 1000, 3), 255, np.uint8)
    for x in range(100, 900):
        y = 200 + round(0.02 * (x - 100))
        pixels[y : y + 3, x] = 0
    found = _rules(_ink(pixels, 0), 0.02, 72 / 200)
    assert len(found) == 1
    (left, top), (right, bottom) = found[0]
    assert right - left > 700 and bottom - top < 12, "one line, and level"


def stamped(canvas: Canvas) -> None:
    lines(canvas, 40, 770, "CMR WAYBILL", size=14)
    canvas.beginForm("box")
    frame(canvas, 0, 0, 240, 60)
    canvas.endForm()
    for y, label, name in ((680, "1 Sender", "Kofler Obst"), (600, "2 Consignee", "Frischemarkt eG")):
        canvas.saveState()
        canvas.translate(30, y)
        canvas.doForm("box")
        canvas.restoreState()
        lines(canvas, 33, y + 52, label, size=5, font="Helvetica")
        lines(canvas, 60, y + 14, name)


def test_frames_that_a_form_draws_again_and_again_are_where_it_draws_them(reader: PdfReader) -> None:
    found = read(reader, stamped)
    assert values(found, "shipper") == ["Kofler Obst"] and values(found, "consignee") == ["Frischemarkt eG"]


def two_ends(canvas: Canvas) -> None:
    lines(canvas, 30, 770, "TRANSPORT ORDER TO-26-1180", size=14)
    lines(canvas, 30, 700, "1 PICK-UP", "Kofler Obst", "Etschweg 5", "I-39018 Terlan", "24.11.2026 08:00")
    lines(canvas, 300, 700, "2 DELIVERY", "Frischemarkt eG", "Großmarkt 12", "D-45329 Essen", "25.11.2026 06:30")
    lines(canvas, 30, 600, "Palettes 33")
    lines(canvas, 300, 600, "Gesamt: 18 EPAL / 6.185 kg")


def test_blocks_under_headings_for_both_ends_of_the_way_say_who_where_and_when(reader: PdfReader) -> None:
    found = read(reader, two_ends)
    assert values(found, "shipper") == ["Kofler Obst"] and values(found, "consignee") == ["Frischemarkt eG"]
    assert values(found, "pickup_address") == ["Etschweg 5, I-39018 Terlan"]
    assert values(found, "delivery_address") == ["Großmarkt 12, D-45329 Essen"]
    assert [value[:16] for value in values(found, "pickup_planned")] == ["2026-11-24T08:00"]
    assert [value[:16] for value in values(found, "eta_original")] == ["2026-11-25T06:30"]
    assert values(found, "gross_weight") == ["6185 KGM"]


def test_a_heading_for_one_end_alone_makes_no_stop(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 30, 770, "TRANSPORT ORDER", size=14)
        lines(canvas, 30, 700, "Notes", "DELIVERY", "by truck only")

    found = read(reader, draw)
    assert values(found, "consignee") == [] and values(found, "delivery_address") == []


@pytest.mark.parametrize(
    ("text", "american"),
    [
        ("Rampe 11-14, Ankunft 25.11.2026", False),
        ("Form 04/23 rev. 2, 25.11.2026", False),
        ("Pickup 11/24/2026, deliver 11/25/2026", True),
        ("Delivery 24/11/2026", False),
        ("DE 20457 Hamburg, 04/11/2026", False),
        ("Dover, DE 19901, 04/11/2026", True),
        ("BOL 4711, Rochdale OL16 5LB, 04/11/2026", False),
        ("BOL 4711, £450.00, 04/11/2026", False),
        ("BOL 4711, 04/11/2026", True),
    ],
)
def test_only_dates_say_that_a_paper_is_american(text: str, american: bool) -> None:
    assert is_month_first(text) is american


def test_dots_lead_from_a_label_to_its_value_and_the_lines_under_that_are_its_address(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 50, 760, "POLIZZA DI CARICO", font="Courier")
        lines(canvas, 50, 700, "Caricatore................... Pastificio Monteverdi S.r.l.", font="Courier")
        lines(canvas, 212, 686, "Via Fratelli Rosselli 63", "42043 Gattatico (RE)", font="Courier")
        lines(canvas, 50, 640, "Ricevitore................... Consorzio Spesa Gallura", font="Courier")

    found = read(reader, draw)
    assert values(found, "shipper") == ["Pastificio Monteverdi S.r.l."]
    assert values(found, "pickup_address") == ["Via Fratelli Rosselli 63, 42043 Gattatico (RE)"]
    assert values(found, "consignee") == ["Consorzio Spesa Gallura"]


def test_a_colon_in_a_column_of_its_own_is_no_part_of_a_value(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 70, 760, "TRANSPORTOPDRACHT 61-20455", size=14)
        lines(canvas, 70, 640, "Laden bij")
        lines(canvas, 158, 640, ": Droogfruit Zeeuwsch Land B.V.")
        lines(canvas, 164, 628, "Handelspoort 14", "4538 BN Terneuzen")
        lines(canvas, 70, 580, "Laden op")
        lines(canvas, 158, 580, ": dinsdag 24 november 2026, 07.30 uur")

    found = read(reader, draw)
    assert values(found, "shipper") == ["Droogfruit Zeeuwsch Land B.V."]
    assert values(found, "pickup_address") == ["Handelspoort 14, 4538 BN Terneuzen"]


def test_rows_under_a_heading_say_at_whose_place_it_is(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 57, 760, "Confirmation d'affrètement AFF-26-90317", size=14)
        lines(canvas, 57, 680, "Enlèvement", "Chez", "Adresse")
        lines(canvas, 159, 668, "Verreries de la Touloubre", "Chemin de la Plaine 4", "13300 Salon-de-Provence")

    found = read(reader, draw)
    assert values(found, "shipper") == ["Verreries de la Touloubre"]
    assert values(found, "pickup_address") == ["Chemin de la Plaine 4, 13300 Salon-de-Provence"]


def test_a_line_that_sums_up_says_how_much_of_each_kind_there_is() -> None:
    def summed(text: str) -> list[tuple[str, str]]:
        return [(span.field, span.value) for span in forms.in_totals(text)]

    amounts = [("pallets", "7 PF"), ("pieces", "136 H87"), ("gross_weight", "4912 LBR")]
    assert summed("5 PLT 96 CTN\nGRAND TOTAL 7 PLT 136 CTN 4,912 LBS\nCOD") == amounts
    assert summed("142 CTN TOTAL 4,874 LB") == [("pieces", "142 H87"), ("gross_weight", "4874 LBR")]
    assert summed("Total 24 colis, poids brut 186,5 kg, poids net 149,0 kg") == [("pieces", "24 H87")]
    assert summed("Totally 3 pallets") == []


def curve_by_curve(canvas: Canvas) -> None:
    for x in range(120, 216, 24):
        canvas.bezier(x, 500, x + 8, 528, x + 16, 476, x + 24, 502 if x > 180 else 500)


def piece_by_piece(canvas: Canvas) -> None:
    points = [(120 + 5 * n, 500 + (-1) ** n * (4 + n % 3)) for n in range(16)]
    for (x0, y0), (x1, y1) in pairwise(points):
        canvas.line(x0, y0, x1, y1)


def a_box_edge_by_edge(canvas: Canvas) -> None:
    for x0, y0, x1, y1 in ((110, 480, 290, 480), (290, 480, 290, 520), (290, 520, 110, 520), (110, 520, 110, 480)):
        canvas.line(x0, y0, x1, y1)


@pytest.mark.parametrize(
    ("hand", "said"), [(curve_by_curve, "yes"), (piece_by_piece, "yes"), (a_box_edge_by_edge, "no")]
)
def test_a_signature_may_be_drawn_in_many_paths_and_a_box_is_none(
    reader: PdfReader, hand: Callable[[Canvas], None], said: str
) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "PROOF OF DELIVERY", size=16)
        lines(canvas, 40, 500, "Signature:")
        hand(canvas)

    assert values(read(reader, draw), "signed") == [said]


@pytest.mark.parametrize(("height", "said"), [(200, ["yes"]), (700, [])])
def test_a_drawing_that_no_caption_asks_for_is_a_signature_unless_it_is_in_the_head(
    reader: PdfReader, height: int, said: list[str]
) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "COMMERCIAL INVOICE", size=16)
        lines(canvas, 120, 180, "H. Chassagnon, export")
        canvas.translate(0, height - 500)
        curve_by_curve(canvas)

    found = [f for f in read(reader, draw).findings if f.field == "signed"]
    assert [f.value for f in found] == said
    assert all(f.evidence.quote == "H. Chassagnon, export" and f.evidence.box for f in found)


@pytest.mark.parametrize(
    ("title", "line", "field", "value"),
    [
        ("AIR WAYBILL", "Llegada estimada 30/11/2026", "eta_original", "2026-11-30"),
        ("CMR WAYBILL", "Arrivo previsto 24/11/2026 ore 11:30", "eta_original", "2026-11-24T11:30:00+00:00"),
        ("CARRIER NOTICE", "New ETA: 30/11/2026", "eta_revised", "2026-11-30"),
        ("BILL OF LADING", "New ETA: 30/11/2026", "eta_revised", "2026-11-30"),
        ("DELIVERY NOTE", "Loading: 19/11/2026", "pickup_planned", "2026-11-19"),
        ("COMMERCIAL INVOICE", "Verladung am 25.11.2026, 13:00 Uhr", "pickup_planned", "2026-11-25T13:00:00+00:00"),
        ("DELIVERY NOTE", "Loading: 23/11/2026 08:10", "pickup_actual", "2026-11-23T08:10:00+00:00"),
        ("DELIVERY NOTE", "Loading: 23/11/2026 10:10", "pickup_planned", "2026-11-23T10:10:00+00:00"),
        ("RATE CONFIRMATION", "Loading: 23/11/2026 08:10", "pickup_planned", "2026-11-23T08:10:00+00:00"),
        ("FREIGHT INVOICE", "Livraison le 20/11/2026 : Entrepots Sudest", "delivered_at", "2026-11-20"),
    ],
)
def test_what_is_still_to_come_when_a_paper_is_received_is_planned(
    reader: PdfReader, title: str, line: str, field: str, value: str
) -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 40, 740, title, size=16)
        lines(canvas, 40, 640, line)

    assert values(read(reader, page), field) == [value]


def test_the_day_by_which_an_invoice_is_due_is_no_delivery(reader: PdfReader) -> None:
    def page(canvas: Canvas) -> None:
        lines(canvas, 40, 740, "FREIGHT INVOICE", size=16)
        lines(canvas, 40, 640, "Due 20/11/2026")

    assert values(read(reader, page), "delivered_at") == []


def table(canvas: Canvas, title: str, xs: Sequence[float], *rows: tuple[float, tuple[str, ...]]) -> None:
    lines(canvas, 40, 770, title, size=14)
    for y, row in rows:
        for x, words in zip(xs, row, strict=True):
            lines(canvas, x, y, words, size=8)


def amounts(found: Extraction) -> dict[str, list[str]]:
    return {field: told for field in ("pieces", "pallets", "gross_weight", "volume") if (told := values(found, field))}


def test_numbered_boxes_head_a_table_and_its_sum_is_beside_a_word_for_it(reader: PdfReader) -> None:
    found = read(
        reader,
        lambda canvas: table(
            canvas,
            "FRACHTBRIEF CMR",
            (40, 130, 190, 280, 400, 490),
            (600, ("6 Kennz.", "7 Anzahl", "8 Verpackung", "9 Bezeichnung", "11 Brutto kg", "12 m³")),
            (584, ("L1-42", "42", "Pakete", "Schnittholz", "22.180", "45,0")),
            (570, ("H1-3", "3", "Pakete", "Hobelware", "1.580", "4,8")),
            (540, ("", "45", "", "gesamt", "23.760", "49,8")),
        ),
    )
    assert amounts(found) == {"pieces": ["45 H87"], "gross_weight": ["23760 KGM"], "volume": ["49.8 MTQ"]}


def test_a_heading_over_two_columns_is_that_of_each(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        table(
            canvas,
            "BILL OF LADING",
            (40, 90, 160, 210, 280, 360),
            (584, ("QTY", "TYPE", "QTY", "TYPE", "WEIGHT LB", "COMMODITY")),
            (570, ("18", "PLT", "1,452", "CTN", "17,196", "Paper towels")),
            (556, ("8", "PLT", "288", "CTN", "4,464", "Napkins")),
            (530, ("26", "", "1,740", "", "21,660", "GRAND TOTAL")),
        )
        lines(canvas, 42, 596, "HANDLING UNIT", size=8)
        lines(canvas, 172, 596, "PACKAGE", size=8)

    found = read(reader, draw)
    assert amounts(found) == {"pallets": ["26 PF"], "pieces": ["1740 H87"], "gross_weight": ["21660 LBR"]}


def test_what_stands_over_the_headings_of_a_table_is_none_of_them(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        table(
            canvas,
            "HAUSLUFTFRACHTBRIEF",
            (40, 100, 200, 420),
            (584, ("Kolli", "Verpackung", "Warenbezeichnung", "Brutto kg")),
            (570, ("3", "Kartons", "Lagersteine", "21,4")),
            (556, ("2", "Kisten", "Polierscheiben", "66,9")),
            (540, ("5", "", "Total", "88,3")),
        )
        lines(canvas, 42, 594, "Sendung", size=8)

    found = read(reader, draw)
    assert amounts(found) == {"pieces": ["5 H87"], "gross_weight": ["88.3 KGM"]}


def test_what_stands_once_beside_several_lines_is_the_weight_of_all(reader: PdfReader) -> None:
    found = read(
        reader,
        lambda canvas: table(
            canvas,
            "CONOCIMIENTO DE EMBARQUE",
            (40, 130, 400, 490),
            (600, ("Bultos", "Mercancía", "Peso bruto kg", "Volumen m3")),
            (586, ("810", "Vino tinto", "18.940,0", "24,600")),
            (572, ("450", "Vino blanco", "", "")),
        ),
    )
    assert amounts(found) == {"gross_weight": ["18940 KGM"], "volume": ["24.6 MTQ"]}


@pytest.mark.parametrize(
    "under",
    [(544, ("---", "", "-------", "")), (544, ("Razem / Total", "", "", ""))],
    ids=["dashes", "in a row over it"],
)
def test_sums_may_stand_under_a_line_of_dashes_or_under_the_word_for_them(
    reader: PdfReader, under: tuple[float, tuple[str, ...]]
) -> None:
    found = read(
        reader,
        lambda canvas: table(
            canvas,
            "HOUSE AIR WAYBILL",
            (40, 100, 240, 400),
            (600, ("Stk", "Verpackung", "Brutto kg", "Ware")),
            (586, ("8", "Karton", "131.20", "Pigmentpaste")),
            (572, ("2", "Fass", "88.60", "Isopropanol")),
            under,
            (530, ("10", "", "219.80", "Volumen 0.684 CBM")),
        ),
    )
    assert amounts(found) == {"pieces": ["10 H87"], "gross_weight": ["219.8 KGM"], "volume": ["0.684 MTQ"]}


def test_packages_that_the_next_column_calls_pallets_are_pallets(reader: PdfReader) -> None:
    found = read(
        reader,
        lambda canvas: table(
            canvas,
            "AFLEVERBEWIJS",
            (40, 100, 200, 400),
            (600, ("Colli", "Verpakking", "Goederen", "Brutogewicht")),
            (586, ("11", "pallets", "Hulpstoffen voor tabletten", "4.730 kg")),
        ),
    )
    assert amounts(found) == {"pallets": ["11 PF"], "gross_weight": ["4730 KGM"]}


def test_an_invoice_for_goods_says_what_they_are_worth_and_what_their_carriage_costs(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 770, "COMMERCIAL INVOICE 4471", size=14)
        lines(canvas, 40, 700, "All prices in AUD")
        for y, label, amount in ((500, "Goods value", "95,868.00"), (484, "Ocean freight", "3,140.00")):
            lines(canvas, 300, y, label)
            lines(canvas, 440, y, amount)
        lines(canvas, 300, 468, "Total AUD 99,008.00")

    found = read(reader, draw)
    assert values(found, "goods_value") == ["95868.00 AUD"] and values(found, "freight_charge") == ["3140.00 AUD"]


def test_the_first_value_of_a_column_is_not_that_of_the_goods(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 770, "EXPORT DECLARATION", size=14)
        lines(canvas, 300, 600, "Customs value EUR", "31.800,00", "24.660,00")

    assert values(read(reader, draw), "goods_value") == []


def test_boxes_say_how_many_are_damaged_and_missing_and_what_is_claimed(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 770, "ACTA DE DAÑOS", size=14)
        for x, caption, value in (
            (40, "Bultos dañados", "5"),
            (200, "Bultos faltantes", "1"),
            (360, "Importe reclamado", "438,60 €"),
        ):
            lines(canvas, x, 600, caption, size=7, font="Helvetica")
            lines(canvas, x, 588, value)

    found = read(reader, draw)
    assert values(found, "pieces_damaged") == ["5 H87"] and values(found, "pieces_short") == ["1 H87"]
    assert values(found, "disputed_amount") == ["438.60 EUR"]


def test_of_several_counts_that_of_what_is_damaged_is_not_the_load_s(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 770, "DAMAGE REPORT", size=14)
        lines(canvas, 40, 600, "Consignment of 320 sacks of coffee.")
        lines(canvas, 40, 560, "14 sacks wet. The 14 sacks are kept apart.")

    found = read(reader, draw)
    assert values(found, "pieces") == ["320 H87"] and values(found, "pieces_damaged") == ["14 H87"]


def test_what_is_missing_and_damaged_is_told_by_captions_side_by_side(reader: PdfReader) -> None:
    def draw(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "CONSTAT D'AVARIES", size=16)
        lines(canvas, 40, 600, "Colis manifestés : 2 160", "Colis manquants : 6")
        lines(canvas, 300, 600, "Nombre de colis : 2 160", "Colis avariés : 42")

    found = read(reader, draw)
    assert (values(found, "pieces_short"), values(found, "pieces_damaged")) == (["6 H87"], ["42 H87"])
    assert values(found, "pieces") == ["2160 H87"]


@pytest.mark.parametrize(
    ("title", "field", "value"),
    [
        ("TICKET DE PESAJE N. 00418.", "shipment", "00418"),
        ("LETTRE DE TRANSPORT AERIEN\nN. MFA-2611-0773 du 4 mai, 2 pages", "awb", "MFA-2611-0773"),
    ],
)
def test_a_paper_of_any_type_is_known_by_the_number_in_its_title(
    reader: PdfReader, title: str, field: str, value: str
) -> None:
    assert values(read(reader, lambda canvas: lines(canvas, 40, 760, *title.split("\n"))), field) == [value]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bring the load, known as collection number QRN 4418, to dock 3", [("shipment", "QRN 4418")]),
        ("zamówienie odbiorcy 71 004 553, plomba 0559218", [("purchase_order", "71004553"), ("seal", "0559218")]),
        ("Leveren met lettera di vettura 118 55 20774", [("cmr", "1185520774")]),
        ("Uw order BX-4417 Ons ordernr. VK 118.204", [("purchase_order", "BX-4417"), ("sales_order", "VK 118.204")]),
        ("LOAD # BX 71180", [("shipment", "BX 71180")]),
        ("Lieferschein LS 55902", [("delivery_order", "LS 55902")]),
        ("The tank will be discharged at the outer jetty, and for our file\nQRN.26.519.", [("shipment", "QRN.26.519")]),
        ("ARRIVAL NOTICE of the line for the goods below, and at the same time a FREIGHT BILL\n1601 Gulf Tower", []),
        ("See the invoice. Cod. cliente 0440218", []),
        ("Freight bill 180.00", []),
        ("DELIVERY NOTE [19 10]", []),
        ("Registered in England OC 418802", []),
        ("order 4711 12 pallets", []),
    ],
)  # fmt: skip
def test_captions_of_forms_name_numbers_in_running_text(text: str, found: list[tuple[str, str]]) -> None:
    assert [(span.field, span.value) for span in forms.in_sentences(text, [])] == found


def test_what_is_found_in_a_sentence_is_not_searched_for_again() -> None:
    text = "plomba 0559218"
    (span,) = forms.in_sentences(text, [])
    assert not [*forms.in_sentences(text, [span])]


def test_who_is_named_without_an_address_has_that_of_whom_it_is_written_to(reader: PdfReader) -> None:
    def notice(canvas: Canvas) -> None:
        lines(canvas, 40, 760, "ARRIVAL NOTICE", size=14)
        lines(canvas, 40, 720, "Bexwell Cycles Ltd", "6 Mill Lane", "Newark NG24 2TN")
        lines(canvas, 40, 640, "Consignee:")
        lines(canvas, 130, 640, "Bexwell Cycles Ltd")

    assert values(read(reader, notice), "delivery_address") == ["6 Mill Lane, Newark NG24 2TN"]
