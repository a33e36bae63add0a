"""A language model fills what the rules did not find; it may only point at the source, never say a value itself.

Its answer is a list of (field, quote). The quote is looked up in the source, its value is read from there by the same
code that reads what the rules find, and what does not stand there, or says nothing, is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from extractors import dates, identifiers, quantities
from extractors.dates import is_month_first
from extractors.evidence import Evidence, Finding, stands_in
from extractors.extraction import Extraction
from extractors.layout import box_of
from extractors.pdf import PdfReader, ReadPage
from extractors.pointing import read_at, stated
from prompts import Ask, Question, load_prompt

VERSION = "quoted-2026.11b"
SCORE = 0.5  # it says where, but not how surely; a calibration knows better
IN_HISTORY = 0.6  # of the score, for what stands in the history of a thread
MOST_OF_A_FIELD = 10
LONGEST_BODY = 8_000  # characters that are sent
LONGEST_DOCUMENTS = 12_000

# What is asked for, in words that a model understands. Contact data is masked on the way out and found by rules anyway.
FIELDS: dict[str, str] = {
    "shipment": "number of the shipment, load, trip or transport order",
    "tracking": "parcel or tracking number",
    "pro": "PRO number of a freight bill",
    "bol": "number of the bill of lading",
    "cmr": "number of the CMR consignment note",
    "awb": "air waybill number",
    "container": "container number",
    "sscc": "SSCC or NVE of a pallet or carton",
    "purchase_order": "number of the customer's or purchase order",
    "sales_order": "number of the sales order or order confirmation",
    "delivery_order": "number of the delivery order or delivery note",
    "invoice": "invoice number",
    "seal": "seal number",
    "booking": "booking number",
    "return_authorisation": "return or RMA number",
    "carrier": "name of the carrier or haulier",
    "shipper": "name of the shipper or loading place",
    "consignee": "name of the consignee or receiver",
    "pickup_address": "address where the goods are collected",
    "delivery_address": "address where the goods are delivered",
    "pickup_planned": "date or time at which the goods are to be collected",
    "pickup_actual": "date or time at which the goods were collected",
    "eta_original": "date or time of arrival as first promised",
    "eta_revised": "date or time of arrival as expected now",
    "delivered_at": "date or time at which the goods were delivered",
    "delay_minutes": "how late it is, as a duration",
    "pieces": "how many pieces or cartons, with the word",
    "pallets": "how many pallets, with the word",
    "gross_weight": "gross weight with its unit",
    "goods_value": "value of the goods with its currency",
    "freight_charge": "price of the transport with its currency",
    "disputed_amount": "amount in dispute with its currency",
    "description": "what the goods are",
    "un_number": "UN number of dangerous goods",
    "vehicle_plate": "registration plate of the truck",
    "trailer_plate": "registration plate of the trailer",
    "driver_name": "name of the driver",
    "received_by": "name of who signed for the goods",
    "remarks": "remark or reservation on a delivery document",
}
_WORDS = frozenset(
    {"carrier", "shipper", "consignee", "pickup_address", "delivery_address"}
    | {"description", "driver_name", "received_by", "remarks"}
)
_BY_RULE = identifiers.FIELDS | dates.FIELDS | quantities.FIELDS


class _Place(NamedTuple):
    part: str
    page: int | None
    text: str
    read: ReadPage | None


def fill_missing(extraction: Extraction, pdf: PdfReader, now: datetime, ask: Ask, score: float = SCORE) -> Extraction:
    """The extraction with findings of the method `model` for fields that had none, each with this score in 0..1.

    Raises NoAnswer.
    """
    found = {finding.field for finding in extraction.findings}
    missing = {f: said for f, said in FIELDS.items() if f not in found and (f in _BY_RULE or f in _WORDS)}
    places = list(_places(extraction, pdf))
    given = _given(places)
    if not missing or not any(text.strip() for text in given.values()):
        return extraction
    described = "\n".join(f"- {field}: {said}" for field, said in missing.items())
    answer = ask(
        Question(load_prompt("extract"), given=given, told={"described": described}, choices={"fields": tuple(missing)})
    )
    reference = extraction.message.received_at or now
    if reference.tzinfo is None:
        reference = reference.replace(tzinfo=UTC)
    kept: dict[tuple[str, str], Finding] = {}
    for said in answer["found"]:
        finding = _proven(said, missing, extraction, places, reference, score)
        if finding is not None and sum(field == finding.field for field, _ in kept) < MOST_OF_A_FIELD:
            kept.setdefault((finding.field, finding.value), finding)
    findings = sorted((*extraction.findings, *kept.values()), key=lambda f: (f.field, -f.score))
    return extraction.model_copy(update={"findings": tuple(findings)})


def _proven(
    said: Mapping[str, str],
    missing: Mapping[str, str],
    extraction: Extraction,
    places: list[_Place],
    reference: datetime,
    score: float,
) -> Finding | None:
    """The place of a quote as a finding; None where it does not stand anywhere or is no value of its field."""
    field, quote = said["field"], said["quote"].strip()
    if field not in missing or not _could_be(field, quote):
        return None
    for place in places:
        read = partial(stated, reference=reference, month_first=is_month_first(place.text))
        for first, last in _occurrences(quote, place.text):
            if read(field, place.text[first:last]) is None or _is_something_else(field, place, first, last, extraction):
                continue
            at = read_at(field, place.text, first, last, read, prose=place.page is None)
            if at is None:
                continue
            value, start, end = at
            finding = Finding(
                field=field,
                value=value,
                score=round(score * IN_HISTORY, 3) if _is_history(extraction, place, start) else score,
                method="model",
                evidence=Evidence(
                    part=place.part,
                    page=place.page,
                    quote=place.text[start:end],
                    start=start,
                    end=end,
                    box=box_of(place.read.words, (start, end)) if place.read else None,
                ),
            )
            if stands_in(finding, place.text, read):
                return finding
    return None


def _could_be(field: str, quote: str) -> bool:
    if field in _WORDS:
        return 3 <= len(quote) <= 200 and any(c.isalpha() for c in quote)
    return len(quote) <= 60 and (field not in identifiers.FIELDS or sum(c.isdigit() for c in quote) >= 3)


def _occurrences(quote: str, text: str) -> Iterator[tuple[int, int]]:
    """Where the quote stands as whole words; runs of white space are the same to it, since line ends move."""
    pattern = r"\s+".join(map(re.escape, quote.split()))
    if not pattern:
        return
    before, after = r"(?<!\w)" if quote[0].isalnum() else "", r"(?!\w)" if quote[-1].isalnum() else ""
    for count, match in enumerate(re.finditer(before + pattern + after, text)):
        if count >= MOST_OF_A_FIELD:
            return
        yield match.span()


def _is_something_else(field: str, place: _Place, start: int, end: int, extraction: Extraction) -> bool:
    """Whether the rules already read another field there, or the quote is a piece of a longer reference."""
    if field in _WORDS:
        return False
    if field in identifiers.FIELDS and re.match(r"[/-]\w", place.text[end : end + 2]):
        return True
    return any(
        (f.evidence.part, f.evidence.page) == (place.part, place.page)
        and f.evidence.start < end
        and start < f.evidence.end
        for f in extraction.findings
    )


def _is_history(extraction: Extraction, place: _Place, start: int) -> bool:
    older = (s for s in extraction.message.segments if s.kind != "newest")
    return place.part == "body" and any(s.start <= start < s.end for s in older)


def _places(extraction: Extraction, pdf: PdfReader) -> Iterator[_Place]:
    """The newest text first: where a quote stands twice, that is meant."""
    message = extraction.message
    yield _Place("body", None, message.text, None)
    yield _Place("subject", None, message.subject, None)
    for document, attachment in zip(extraction.documents, message.attachments, strict=True):
        words: dict[int, ReadPage] = {}
        if attachment.content_type == "application/pdf" and not document.ocr:  # OCR takes seconds, so it has no boxes
            words = {read.page.number: read for read in pdf.read(attachment.content).pages}
        for page in document.pages:
            read = words.get(page.number)
            same = read is not None and read.page.text == page.text
            yield _Place(document.part, page.number, page.text, read if same else None)


def _given(places: list[_Place]) -> dict[str, str]:
    given: dict[str, str] = {}
    left = LONGEST_DOCUMENTS
    for place in places:
        if place.page is None:
            text = place.text[:LONGEST_BODY]
        else:
            text = _with_boxes(place)[:left]
            left -= len(text)
        if text.strip():
            given[place.part if place.page is None else f"{place.part} page {place.page}"] = text
    return given


def _with_boxes(place: _Place) -> str:
    """Each line with its box in front, so that what stands beside or below a label can be told."""
    if place.read is None:
        return place.text
    lines, at = [], 0
    for line in place.text.splitlines(keepends=True):
        box = box_of(place.read.words, (at, at + len(line)))
        lines.append(f"[{','.join(f'{edge:.0f}' for edge in box)}] {line}" if box else line)
        at += len(line)
    return "".join(lines)
