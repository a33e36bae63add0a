"""The one call of this package: a message in, its documents and fields with evidence out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice, pairwise
from statistics import median

from extractors import (
    columns,
    dates,
    forms,
    html,
    identifiers,
    invite,
    items,
    layout,
    parties,
    plain,
    pointed,
    pointed_pages,
    quantities,
    stops,
)
from extractors.captions import caption_of
from extractors.conflicts import Conflict, find_conflicts
from extractors.documents import Document, DocumentType, LineItem, Page, number_in_title, recognise
from extractors.evidence import Evidence, Finding, Method, Span, best, meets, overlap, stands_in, without_overlaps
from extractors.message import Attachment, Message, Value
from extractors.pdf import PdfReader, ReadPage, Word
from extractors.pointing import Point, stated
from extractors.ruling import Box
from extractors.told import find_temperatures
from extractors.values import value_of

VERSION = "rules-2026.12.4"  # goes into every result's provenance; change it with every change of what is found

_MAX_TEXT_FILE = 200_000
_MAX_IN_WINDOW = 200  # cells where an addressee may stand
_WEIGHT = {"newest": 1.0, "quoted": 0.6, "signature": 0.6, "disclaimer": 0.3}
_PDF = "application/pdf"
_PAGED = frozenset({_PDF, "image/png", "image/jpeg", "image/tiff", "image/gif"})
_OCR_DOUBT = 0.9  # what OCR reads is believed less, by this and by its own score
_TOTALS: dict[DocumentType, str] = {
    "freight_invoice": "freight_charge",
    "rate_confirmation": "freight_charge",
    "air_waybill": "freight_charge",
    "carrier_notice": "freight_charge",
    "commercial_invoice": "goods_value",
}
_HEAD = 800  # characters of a page in which a document's own number may stand without its name
_NUMBERS: dict[DocumentType, str] = {
    "commercial_invoice": "invoice",
    "freight_invoice": "invoice",
    "delivery_note": "delivery_order",
    "proof_of_delivery": "delivery_order",
    "cmr_waybill": "cmr",
    "bill_of_lading": "bol",
    "rate_confirmation": "shipment",
    "damage_report": "shipment",
    "carrier_notice": "shipment",
    "packing_list": "shipment",
    "dangerous_goods_declaration": "shipment",
    "air_waybill": "awb",
    "other_document": "shipment",
}
_ISSUERS: dict[DocumentType, str] = {
    "freight_invoice": "carrier",
    "carrier_notice": "carrier",
    "proof_of_delivery": "carrier",
    "air_waybill": "carrier",
    "bill_of_lading": "carrier",
    "damage_report": "carrier",
    "cmr_waybill": "carrier",
    "delivery_note": "shipper",
    "packing_list": "shipper",
    "commercial_invoice": "shipper",
}
_WINDOWED: dict[DocumentType, str] = {
    "delivery_note": "consignee",
    "packing_list": "consignee",
    "proof_of_delivery": "consignee",
    "rate_confirmation": "carrier",
}
_SIGNED = frozenset({"proof_of_delivery", "delivery_note", "cmr_waybill"})  # by the receiver
_SIGNED_BACK = _SIGNED | {"rate_confirmation"}  # by another than who issues it
_UNSIGNED = frozenset({"carrier_notice", "freight_invoice"})
_ARTICLES = frozenset({"delivery_note", "packing_list", "proof_of_delivery"})  # often listed by number
_RECEIVED = frozenset({"proof_of_delivery", "delivery_note", "cmr_waybill", "damage_report"})  # say when, and by whom
_ORDERS = frozenset({"rate_confirmation", "freight_invoice", "commercial_invoice", "packing_list", "carrier_notice"})
_AFTERWARDS = frozenset({"freight_invoice", "damage_report"})  # when all has happened that was planned
_DONE = _AFTERWARDS | {"proof_of_delivery"}  # nothing is to come that was planned before their own date
_PLANS = frozenset({"rate_confirmation", "delivery_note", "packing_list", "carrier_notice", "other_document"})
_CLAIMS = frozenset({"freight_invoice", "damage_report", "carrier_notice", "other_document"})  # of money
_INVOICES = frozenset({"freight_invoice", "commercial_invoice"})
_PRICED = frozenset({"freight_invoice", "rate_confirmation"})
_PAPERS_AHEAD = frozenset({"rate_confirmation", "bill_of_lading", "packing_list"})  # nobody has measured anything yet
_LATE = frozenset({"carrier_notice", "damage_report", "other_document"})  # others speak of days to pay, hours free
_WAITED = frozenset({"freight_invoice", "proof_of_delivery"})  # these of hours that a driver stood, too
_DAY = 24 * 60  # minutes
_PLATES = frozenset({"vehicle_plate", "trailer_plate"})
_DUE = re.compile(r"(?<!\w)(?:due|promised)(?!\w)", re.IGNORECASE)  # these may speak of money too
_CHANGED = re.compile(
    r"\b(?:new|revised|updated|re-?scheduled|re-?delivery|neue[nrs]?|nouve(?:l|lle|au)|nuev[oa]|nuov[oa]|nieuwe?|now[aey])\b",
    re.IGNORECASE,
)
_NEAR, _ROUND = 25, 60  # letters before a date
_COUNTS = frozenset({"pieces", "pallets"})
_UNLESS_RULES = quantities.LOSSES | {"delay_minutes"}
_BY_CAPTION = frozenset(
    {"shipment", "purchase_order", "sales_order", "delivery_order", "invoice", "booking", "bol", "cmr"}
)  # which the words before a number tell apart and no form of it
_ONE_EACH = frozenset({"pieces", "pallets", "gross_weight", "volume", "freight_charge", "goods_value"})
_BOXES = frozenset({"pieces", "volume"})  # whose captions, with the number of a box, read as amounts: "12 m3"
_FIRST = 2  # cells of a page that may name its issuer in any print
_FROM_PLACE = 0.6  # the score of a party that only stands at the head of its address
_FROM_LETTERHEAD = 0.62
_ABOUT = 0.05  # scores as far apart are about the same
_TITLED = 0.86  # of a number right after the document's name
_OWN_NUMBER = 0.5  # of a document, where it is called no more than a number
_GUESSES = dict.fromkeys([*parties.PARTIES, "received_by"], _FROM_PLACE) | {"shipment": _OWN_NUMBER}  # up to this score
_AS_TEXT = 0.72  # a score above that says that a label or a row of totals named the value
_LONG_NAME = 5  # words of goods' names; more describe what happened to them
_SOLD = re.compile(r"S\.?O?\b|S\d")
_SHIPPED = re.compile(r"ship|expédi|spedi|verzend|versand|envío", re.IGNORECASE)
_LARGE = 1.3  # times the usual width of a page's letters
_TOP = 0.4  # of a page: where letters and forms say of what day they are
_UNREAD = {
    "application/ms-tnef": "a damaged winmail.dat container: not read",
    "application/vnd.ms-outlook": "a damaged Outlook message: not read",
    "application/zip": "an archive: not read",
}


class Extraction(Value):
    """What was read from one message; findings are sorted by field, then by falling score.

    `signals` count what was removed from its documents, by the names of `Message.signals`.
    """

    message: Message
    documents: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    signals: dict[str, int] = {}

    def source(self, part: str, page: int | None = None) -> str | None:
        """The text that evidence offsets of a part point into; None when there is no such part or page."""
        if part == "subject":
            return self.message.subject
        if part == "body":
            return self.message.text
        for document in self.documents:
            if document.part == part:
                return next((p.text for p in document.pages if p.number == page), None)
        return None


def extract(
    message: Message,
    pdf: PdfReader,
    *,
    now: datetime,
    point: Point | None = None,
    weigh: pointed_pages.Weigh = pointed_pages.weighed,
) -> Extraction:
    """Documents and fields of `message`; a value that does not stand in its source is dropped, whoever found it.

    With `point`, what a tagger points at in the message and on the pages of documents is weighed against what the rules
    find there.

    `now` (aware) settles what dates leave open where the message does not say when it was received. Never raises
    for any content: what could not be read says so in `Document.problem`.
    """
    reference = message.received_at or now
    if reference.tzinfo is None:
        reference = reference.replace(tzinfo=UTC)
    documents: list[Document] = []
    signals: Counter[str] = Counter()
    setting = forms.setting_of(f"{message.subject}\n{message.text}", reference)
    settings = {"subject": setting, "body": setting}
    found = list(_in_message(message, setting))
    if point is not None:
        found = pointed.with_pointed(found, message, setting, point)
    for index, attachment in enumerate(message.attachments):
        document, pages, cells = _document(index, attachment, pdf, signals)
        document = document.model_copy(update={"line_items": _line_items(pages, cells)})
        signals["hidden_text"] += sum(page.hidden for page in pages)
        documents.append(document)
        setting = forms.setting_of("\n".join(page.page.text for page in pages), reference)
        settings[document.part] = setting
        signed = list(_signature(pages, cells, document.part, document.type))
        read = [f for page, boxes in zip(pages, cells, strict=True) for f in _on_page(page, boxes, document, setting)]
        said = any(finding.field == "signed" for finding in read)  # "gez. P. Tobler"
        found.extend(finding for finding in signed if finding.value == "yes" or not said)
        addressee = _WINDOWED.get(document.type)
        if pages and addressee and not any(f.field == addressee and f.score > _FROM_PLACE for f in read):
            read += _window(pages[0], cells[0], document.part, addressee)
        if pages and not any(finding.field == "document_date" for finding in read):
            read += _dated(pages[0], document.part, setting, read)
        issuer = _ISSUERS.get(document.type)
        if pages and issuer and not any(f.field == issuer and f.score > _FROM_PLACE for f in read):
            read += _letterhead(pages[0], cells[0], document.part, issuer, {f.value for f in read})
        own = max((finding.value for finding in read if finding.field == "document_date"), default="")
        settled = list(_settled(_as_done(read, document.type, own)))
        if point is not None and any(cells):
            near = pages[: pointed_pages.MOST_PAGES]
            last = near[-1].page.number
            taught = list(_as_done(_pointed(near, cells[: len(near)], document, setting, point), document.type, own))
            early = [f for f in settled if (f.evidence.page or 0) <= last]
            later = [f for f in settled if (f.evidence.page or 0) > last]
            settled = list(_each_told_once([*weigh(early, taught), *later]))
        found += settled
    extraction = Extraction(message=message, documents=tuple(documents), signals=dict(+signals))
    kept = [finding for finding in found if _is_proven(finding, extraction, settings[finding.evidence.part])]
    return extraction.model_copy(update={"findings": tuple(best(kept)), "conflicts": find_conflicts(kept)})


def _pointed(
    pages: Sequence[ReadPage], cells: Sequence[list[Word]], document: Document, setting: forms.Setting, point: Point
) -> Iterator[Finding]:
    numbered = document.type in _ARTICLES and any(item.sku for item in document.line_items)
    for page, boxes in zip(pages, cells, strict=True):
        for span, lines in pointed_pages.pointed_on(page, boxes, document.type, setting, point):
            span = span._replace(field=_meant(span, page.page.text, document, setting))
            articles = span.field == "description" and numbered
            instructions = span.field == "remarks" and _is_another(span, document, None)
            if not articles and not instructions:
                yield _read_on_page(span, page, document.part, "model", lines)


def _as_done(found: Iterable[Finding], kind: DocumentType, own: str) -> list[Finding]:
    """What a paper of something done, of its `own` day, says was to be loaded by then, has been."""
    return [
        finding.model_copy(update={"field": "pickup_actual"})
        if own and kind in _DONE and finding.field == "pickup_planned" and finding.value[: len(own)] <= own
        else finding
        for finding in found
    ]


def _settled(found: Sequence[Finding]) -> Iterator[Finding]:
    """A document states some fields once: of several values those found best; none where all are as good as running
    text, for then they are the amounts of its lines.
    """
    titled = [f for f in found if f.field in _NUMBERS.values() and f.score == _TITLED]
    lost = {finding.value for finding in found if finding.field in quantities.LOSSES}
    for field in sorted({finding.field for finding in found}):
        of_field = [finding for finding in found if finding.field == field]
        if field in identifiers.FIELDS:  # "TRANSPORT ORDER No. 4711" is no order for goods
            of_field = [
                f
                for f in of_field
                if not any(t.field != field and (t.value == f.value or overlap(t, f)) for t in titled)
            ]
        of_field = [f for f in of_field if f.score > _GUESSES.get(field, 0.0)] or of_field
        if field in _PLATES:  # "Truck / trailer": a plate is one or the other
            of_field = [f for f in of_field if not any(_is_other_plate(f, other) for other in found)]
            if not of_field:
                continue
        if field in _COUNTS:  # of several, those that are missing or damaged are a part
            of_field = [f for f in of_field if f.value not in lost] or of_field
        if field == "document_date":  # what is written later was added to it
            of_field = [f for f in of_field if not any(_same_place(f, other) for other in found)] or of_field
            of_field = [min(of_field, key=lambda f: (f.score < _AS_TEXT, f.value))]
        if field in dates.FIELDS - {"document_date", "delay_minutes"}:  # the day with its time says more
            timed = [f for f in of_field if "T" in f.value]
            of_field = [f for f in of_field if f in timed or not any(_says_more(t, f) for t in timed)]
        if field == "remarks":  # of a note and a part of it, the note
            of_field = [f for f in of_field if not any(f.value != o.value and f.value in o.value for o in of_field)]
        if field == "received_by":  # the driver signs, too
            drivers = {f.value.casefold() for f in found if f.field == "driver_name"}
            of_field = [f for f in of_field if f.value.casefold() not in drivers]
        if field in parties.ADDRESSES:  # a place of loading or delivery counts more than where a party has its seat
            of_field = [f for f in of_field if not any(f.value != o.value and f.value in o.value for o in of_field)]
            best = max(finding.score for finding in of_field)
            told = [finding for finding in of_field if finding.score == best]
            of_field = [f for f in of_field if any(parties.is_in_town(f.value, t.value) for t in told)] or told
        yield from _told_once(field, of_field)


def _each_told_once(found: Sequence[Finding]) -> Iterator[Finding]:
    for field in sorted({finding.field for finding in found}):
        yield from _told_once(field, [finding for finding in found if finding.field == field])


def _told_once(field: str, found: list[Finding]) -> list[Finding]:
    """Of several values of a field that a document states once, the best; none where none is told well."""
    if field not in _ONE_EACH or len({finding.value for finding in found}) < 2:
        return found
    surest = max(found, key=lambda finding: finding.score)
    best, as_text = surest.score, _AS_TEXT * (_OCR_DOUBT if surest.method == "ocr" else 1)
    found = [f for f in found if f.score == best] if best > as_text else []
    return _sum_of(found) if field in _COUNTS and len({f.value for f in found}) > 1 else found


def _is_other_plate(plate: Finding, other: Finding) -> bool:
    """Whether the same plate was read as the other vehicle's, and more surely; the truck comes first."""
    if other.field not in _PLATES or other.field == plate.field or other.value != plate.value:
        return False
    return (other.score, other.field == "vehicle_plate") > (plate.score, plate.field == "vehicle_plate")


def _same_place(date: Finding, other: Finding) -> bool:
    """Whether another date was read where `date` stands, as surely: that its box or its row names."""
    return other.field in dates.FIELDS - {"document_date"} and other.score >= date.score and overlap(date, other)


def _says_more(timed: Finding, day: Finding) -> bool:
    return timed.value.startswith(day.value) and timed.score >= day.score - _ABOUT


def _sum_of(found: Sequence[Finding]) -> list[Finding]:
    """Of several counts the one that is the sum of the others; none where they add up to nothing that is written."""
    counts = {int(finding.value.split()[0]) for finding in found}
    most = max(counts)
    return [f for f in found if int(f.value.split()[0]) == most] if sum(counts) == 2 * most else []


def _document(
    index: int, attachment: Attachment, pdf: PdfReader, signals: Counter[str]
) -> tuple[Document, tuple[ReadPage, ...], list[list[Word]]]:
    """What an attachment is, its pages, and the cells of each; what was removed from its text adds to `signals`."""
    pages: tuple[ReadPage, ...] = ()
    count, problem = 0, None
    if attachment.content_type in _PAGED:
        text = pdf.read(attachment.content) if attachment.content_type == _PDF else pdf.read_image(attachment.content)
        pages, count, problem = text.pages, text.page_count, text.problem
    elif attachment.content_type in ("text/plain", "text/html", "text/calendar"):
        written = plain.decode(attachment.content[: 4 * _MAX_TEXT_FILE])
        if attachment.content_type == "text/calendar":
            written = invite.readable(attachment.content[: 4 * _MAX_TEXT_FILE]) or written
        if attachment.content_type == "text/html":
            written, removed = html.readable(written)
            signals.update(removed)
        written = plain.clean(written, signals)
        pages, count = (ReadPage(Page(number=1, width=0, height=0, text=written[:_MAX_TEXT_FILE]), (), False),), 1
        if len(attachment.content) > 4 * _MAX_TEXT_FILE or len(written) > _MAX_TEXT_FILE:
            problem = "too long: only its beginning was read"
    else:
        problem = _UNREAD.get(attachment.content_type, f"not read: {attachment.content_type}")
    cells = [layout.cells(page) for page in pages]
    headlines = layout.headlines(pages[0], cells[0]) if pages else ()
    kind, confidence = recognise("\n".join(read.page.text for read in pages[:2]), attachment.filename, headlines)
    ocr = any(read.ocr for read in pages)
    document = Document(
        part=f"attachment:{index}",
        filename=attachment.filename,
        type=kind,
        confidence=round(confidence * _OCR_DOUBT, 2) if ocr else confidence,
        page_count=count,
        ocr=ocr,
        pages=tuple(read.page for read in pages),
        problem=problem,
    )
    return document, pages, cells


def _in_message(message: Message, setting: forms.Setting) -> Iterator[Finding]:
    named = _in_prose(message.subject, setting)
    for span in without_overlaps([*named, *identifiers.find_code(message.subject)]):
        yield _finding(span, "subject", message.subject)
    segments = iter(message.segments)
    segment = next(segments, None)
    for span in sorted(_in_prose(message.text, setting), key=lambda s: s.start):
        while segment is not None and segment.end <= span.start:
            segment = next(segments, None)
        if span.field == "document_date":  # a mail's own or quoted "Date:" header
            continue
        if segment is not None and segment.kind == "quoted" and span.field not in identifiers.FIELDS:
            continue  # what the history says may have changed
        weight = _WEIGHT[segment.kind] if segment is not None else 1.0
        yield _finding(span._replace(score=round(span.score * weight, 3)), "body", message.text)


def _in_prose(text: str, setting: forms.Setting) -> list[Span]:
    spans = [*forms.spans_in(text, setting, clocks=True), *parties.find_parties(text)]
    bare = [t for t in find_temperatures(text) if not meets(t.start, t.end, spans)]
    return [*spans, *bare]


def _line_items(pages: Sequence[ReadPage], cells: Sequence[list[Word]]) -> tuple[LineItem, ...]:
    found: list[LineItem] = []
    columns = None
    for read, boxes in zip(pages, cells, strict=True):
        lines, columns = items.read_items(read.page.text, boxes, read.page.number, columns)
        found += lines
    return tuple(found)


def _on_page(read: ReadPage, cells: list[Word], document: Document, setting: forms.Setting) -> Iterator[Finding]:
    text, part = read.page.text, document.part
    under = layout.captions_under(text, cells)
    pairs = list(layout.pairs(text, cells, under))
    total = _TOTALS.get(document.type)
    stated = quantities.find_total(text) if total else None
    if total and stated:
        yield _read_on_page(Span(total, stated[2], stated[0], stated[1], 0.85), read, part, "pattern")
    number = _NUMBERS.get(document.type)
    titled = number_in_title(text[:_HEAD], document.type) if number and read.page.number == 1 else None
    place = titled or (identifiers.find_number(text[:_HEAD]) if number and read.page.number == 1 else None)
    if number and place and (value := identifiers.value_of(number, text[slice(*place)])):
        yield _read_on_page(Span(number, value, *place, _TITLED if titled else _OWN_NUMBER), read, part, "pattern")
    spans: list[tuple[Span, Method]] = [(span, "pattern") for span in forms.spans_in(text, setting)]
    spans += [(span, "pattern") for span in forms.in_sentences(text, [span for span, _ in spans])]
    spans += [(span, "pattern") for named in parties.find_named(text) if (span := _in_cell(text, cells, named))]
    spans += [(span, "layout") for span in forms.in_pairs(text, cells, pairs, setting, number)]
    tables = columns.read_tables(text, cells)
    shipped = list(parties.shipping_names(text))
    spans = [(span, method) for span, method in spans if not shipped or span.field != "description"]
    spans += [(span, "pattern") for span in shipped]
    said = {start for table in tables for start, _ in table.headings}
    captions = [(value, of) for value, label in under.items() if (of := caption_of(text[label.start : label.end]))]
    on_pallets = {told.start for table in tables for told in table.totals if told.field == "pallets"}
    for span, method in spans:
        expected = span.field == "eta_original" and document.type in _INVOICES
        if expected and _DUE.search(text, max(0, span.start - _NEAR), span.start):
            continue  # the day by which to pay
        if span.field in _ONE_EACH | quantities.LOSSES and _over_cells(text, cells, span):
            continue
        if (span.field == "pieces" and span.start in on_pallets) or (span.field in _BOXES and span.start in said):
            continue
        if span.field in _UNLESS_RULES and forms.is_rule(text, span.start):
            continue
        if span.field in _BY_CAPTION and any(c.start <= span.start < c.end and of != span.field for c, of in captions):
            continue  # the words before it are the caption of another
        span = span._replace(field=_meant(span, text, document, setting))
        headed = method == "layout"
        in_line = any(table.lists(span.field, span.start, span.end, by_heading=headed) for table in tables)
        if not in_line and not _is_another(span, document, total if stated else None):
            yield _read_on_page(span, read, part, method)
    headings = {place for table in tables if table.goods for place in table.headings}
    goods = not _has_articles(document)
    if document.type in _PRICED:  # or its lines are services
        tables = [t if t.amounts else t._replace(goods=()) for t in tables]
    for span in (*forms.captioned(text, cells, pairs, total, number), *forms.in_cells(text, cells, total, number)):
        in_line = any(table.lists(span.field, span.start, span.end, by_heading=True) for table in tables)
        if not in_line and not (span.field == "pieces" and span.start in on_pallets):
            yield _read_on_page(span._replace(field=_meant(span, text, document, setting)), read, part, "layout")
    for span in forms.in_totals(text):
        yield _read_on_page(span, read, part, "pattern")
    for span, lines in _in_tables(text, tables, setting, shipped, goods=goods):
        yield _read_on_page(span, read, part, "layout", lines)
    for span in (
        *forms.dates_in_boxes(text, cells, setting, received=document.type in _RECEIVED),
        *forms.halves(text, cells, pairs),
    ):
        span = span._replace(field=_meant(span, text, document, setting))
        yield _read_on_page(span, read, part, "layout")
    receivers = forms.receivers(text, cells) if document.type in _RECEIVED else ()
    for span in (*receivers, *(forms.notes(text, cells, tables) if document.type not in _ORDERS else ())):
        yield _read_on_page(span, read, part, "layout")
    at_stops = forms.stops(text, cells, setting) if document.type == "rate_confirmation" else ()
    planned = document.type in _PLANS - {"other_document"}
    ends = stops.read_stops(text, cells, setting.reference, month_first=setting.month_first, planned=planned)
    placed = [
        *at_stops,
        *ends,
        *parties.told(text),
        *forms.in_boxes(text, cells, setting, headings, document.type, under),
    ]
    for span, lines in (*placed, *forms.seats(text, cells, [span for span, _ in placed])):
        span = span._replace(field=_meant(span, text, document, setting))
        if not _is_another(span, document, None):
            yield _read_on_page(span, read, part, "layout", lines)


def _over_cells(text: str, cells: Sequence[Word], span: Span) -> bool:
    """Whether the number of a span goes on in the next cell, and so is two, or what it counts is the next caption's."""
    cell = layout.cell_at(cells, span.start)
    if cell is None or span.end <= cell.end:
        return False
    last = layout.cell_at(cells, span.end - 1)
    captioned = last is not None and ":" in text[span.end : last.end]  # "Colis manquants : 6", "Colis avariés : 42"
    return captioned or any(c.isdigit() for c in text[cell.end : span.end])


def _in_cell(text: str, cells: Sequence[Word], span: Span) -> Span | None:
    """What running text names, up to the end of its cell: the words of the next column say something else."""
    cell = layout.cell_at(cells, span.start)
    if cell is None or span.end <= cell.end:
        return span
    if span.field in parties.ADDRESSES:  # fine where each of its lines is one cell
        lines = [c for c in cells if c.start < span.end and span.start < c.end]
        beside = any(layout.on_line(a, b) for a, b in pairwise(lines))
        return None if beside else span
    value = (
        parties.value_of(span.field, text[span.start : cell.end]) if "\n" not in text[span.start : span.end] else None
    )
    return span._replace(value=value, end=cell.end) if value else None


def _meant(span: Span, text: str, document: Document, setting: forms.Setting) -> str:
    """The field of a span on a document of this type: a damage report describes the damage, a delivery was shipped."""
    if document.type == "damage_report" and span.field == "description" and span.value.count(" ") > _LONG_NAME:
        return "remarks"
    if span.field in ("pickup_planned", "pickup_actual"):
        if _is_to_come(span.value, setting):
            return span.field if document.type in _AFTERWARDS else "pickup_planned"
        stamped = document.type in _RECEIVED and "T" in span.value
        return "pickup_actual" if stamped or document.type not in _PLANS else span.field
    if span.field == "eta_original" and document.type in _AFTERWARDS:
        return "delivered_at"
    changed = span.field == "eta_revised" and _CHANGED.search(text, max(0, span.start - _ROUND), span.start)
    if span.field == "eta_revised" and not changed and document.type not in _LATE - _AFTERWARDS:
        tells_of_past = document.type in _RECEIVED | _AFTERWARDS and not _is_to_come(span.value, setting)
        return span.field if tells_of_past else "eta_original"  # papers that go with goods announce no delay
    if span.field == "temperature_recorded" and document.type in _PAPERS_AHEAD:
        return "temperature_required"
    if document.type == "damage_report" and span.field == "sales_order":  # written where goods arrive: "Notre commande"
        return "purchase_order"
    if document.type in _PRICED and span.field == "sales_order" and not _SOLD.match(span.value):
        return "shipment"  # the order is one of transport
    if document.type == "cmr_waybill" and span.field == "disputed_amount":  # its box 20 has reductions and refunds
        return "freight_charge"
    shipped = span.field == "document_date" and _SHIPPED.search(text[: span.start][-40:])
    return "pickup_actual" if document.type == "proof_of_delivery" and shipped else span.field


def _is_to_come(moment: str, setting: forms.Setting) -> bool:
    """Whether a day or time is later than that at which its document was received."""
    if "T" in moment:
        return datetime.fromisoformat(moment) > setting.reference
    return moment > setting.reference.date().isoformat()


def _in_tables(
    text: str, tables: Sequence[columns.Table], setting: forms.Setting, shipped: Sequence[Span], *, goods: bool
) -> Iterator[tuple[Span, Sequence[tuple[int, int]]]]:
    """Totals, references and parties of tables, and their `goods`, which may go on in the next line."""
    american = quantities.knows_pounds_alone(text)
    for told in (told for table in tables for told in (*table.totals, *(table.goods if goods else ()), *table.named)):
        start, end = told.start, told.end
        if told.field == "description" and any(start <= name.start < end for name in shipped):
            continue  # it is named better
        if told.field == "shipment" and not goods:
            continue  # the references of articles
        if told.field == "quantity":
            if not goods:
                continue  # of articles, not of packages
            told = told._replace(field="pieces")
        if told.field in parties.PARTIES and (name := parties.name_at(text, start, end)):
            start, end = name
        elif told.field in identifiers.FIELDS and not identifiers.is_plausible(told.field, text, start, end):
            continue
        places = [(start, end), *told.more]
        words = " ".join(text[a:b] for a, b in places)
        value = value_of(told.field, words, setting.reference, month_first=setting.month_first)
        bare = told.field == "gross_weight" and not any(c.isalpha() for c in words)
        if value and (told.in_pounds or (bare and american)):
            value = quantities.in_pounds(value)
        if value:
            yield Span(told.field, value, start, places[-1][1], 0.8), places if told.more else ()


def _has_articles(document: Document) -> bool:
    """Whether its goods are articles by number, as line items give them."""
    return document.type in _ARTICLES and (bool(document.line_items) or document.type != "proof_of_delivery")


def _is_another(span: Span, document: Document, total: str | None) -> bool:
    """Whether a document of this type does not mean what a span of running text would say."""
    if span.field == "description":
        return _has_articles(document)
    if span.field == "remarks":  # the notes of an order are instructions
        return document.type in _ORDERS - {"carrier_notice"} and not quantities.tells_of_loss(span.value)
    if span.field == "delay_minutes":
        waited = document.type in _WAITED and int(span.value) <= _DAY
        return document.type not in _LATE and not waited
    if span.field == "disputed_amount":
        return document.type not in _CLAIMS
    return span.field == total


def _dated(read: ReadPage, part: str, setting: forms.Setting, others: Sequence[Finding]) -> Iterator[Finding]:
    """The first date in the upper part of a page that nothing else was read from."""
    taken = [f.evidence for f in others if f.evidence.page == read.page.number and f.field in dates.FIELDS]
    for span in dates.find_days(read.page.text, setting.reference, month_first=setting.month_first):
        found = _read_on_page(span, read, part, "layout")
        box = found.evidence.box
        if meets(span.start, span.end, taken) or box is None:
            continue
        if box[1] < _TOP * read.page.height:
            yield found
        return


def _window(read: ReadPage, cells: list[Word], part: str, party: str) -> Iterator[Finding]:
    text = read.page.text
    near = (c for c in cells if c.top < read.page.height * 0.4 and c.left < read.page.width * 0.5)
    for cell in islice(near, _MAX_IN_WINDOW):
        if parties.label_of(text[cell.start : cell.end]) or layout.is_beside(text, cells, cell, forms.is_label):
            continue
        lines = layout.box_under(text, cells, cell, forms.is_label)
        found = list(parties.in_window(text, [(line.start, line.end) for line in lines], party))
        if found:
            for span, of in found:
                yield _read_on_page(span, read, part, "layout", of)
            return


def _letterhead(read: ReadPage, cells: list[Word], part: str, field: str, others: Collection[str]) -> Iterator[Finding]:
    text = read.page.text
    usual = median(cell.letter for cell in cells) if cells else 0.0
    head = [c for c in cells if c.top < read.page.height * 0.2]
    large = [(c.start, c.end) for n, c in enumerate(head) if c.letter > _LARGE * usual or n < _FIRST]
    end = len(text) if field == "shipper" else max((c.end for c in head), default=0)  # carriers go by their brand
    place = parties.letterhead(text, [(cell.start, cell.end) for cell in cells], large, in_full=end)
    if place and (value := parties.value_of(field, text[slice(*place)])) and value not in others:
        yield _read_on_page(Span(field, value, *place, _FROM_LETTERHEAD), read, part, "layout")


def _signature(
    pages: Sequence[ReadPage], cells: Sequence[list[Word]], part: str, kind: DocumentType
) -> Iterator[Finding]:
    """Whether a hand has drawn something where the receiver signs, or where anybody signs what no receiver does."""
    places = [
        (parties.signature_label(read.page.text[cell.start : cell.end]), at, cell)
        for at, (read, boxes) in enumerate(zip(pages, cells, strict=True))
        for cell in boxes
    ]
    surely = [p for p in places if not parties.may_be_firm(pages[p[1]].page.text[p[2].start : p[2].end])]
    places = surely if any(rank for rank, _, _ in surely) else places
    best = max((rank for rank, _, _ in places), default=0)
    labels = [(at, cell) for rank, at, cell in places if rank == best > 0 or (rank and kind not in _SIGNED)]
    anybody = best == 1 and len(labels) > 1 and kind in _SIGNED  # who signs where is not said
    if not labels or (anybody and kind == "cmr_waybill"):
        yield from _signed_for(pages, cells, part, kind)
        return
    for at, cell in labels:
        if box := _drawn_at(pages[at], cells[at], cell):
            yield _signed_with(box, cell, 0.8, pages[at], part)
            return
    if kind in _UNSIGNED or any(parties.needs_no_signature(read.page.text) for read in pages):
        return
    for at, cell in labels:
        if parties.signed_in(pages[at].page.text[cell.start : cell.end]):
            yield _read_on_page(Span("signed", "yes", cell.start, cell.end, 0.6), pages[at], part, "layout")
            return
    for at, cell in labels:  # a hand in print of its own
        if not pages[at].ocr and (name := layout.written_by(pages[at].page.text, cells[at], cell)):
            yield _read_on_page(Span("signed", "yes", name.start, name.end, 0.6), pages[at], part, "layout")
            return
    others = anybody or pages[0].ocr or kind not in _SIGNED_BACK
    elsewhere = list(_signed_for(pages, cells, part, kind)) if others else []
    yield from elsewhere
    at, cell = labels[0]
    lost = pages[at].ocr and not (best > 1 and pages[at].drawn)  # faint strokes of a scan, where none is seen
    if not elsewhere and not anybody and not lost:
        yield _read_on_page(Span("signed", "no", cell.start, cell.end, 0.55), pages[at], part, "layout")


def _drawn_at(read: ReadPage, cells: list[Word], label: Word) -> Box | None:
    text = read.page.text

    def is_caption(other: Word) -> bool:
        words = text[other.start : other.end]
        signs = parties.signature_label(words) or parties.signs_for(words)
        return signs > 0 or parties.is_other_label(words) or forms.is_label(words)

    return layout.drawn_at(read, cells, label, is_caption)


def _signed_for(
    pages: Sequence[ReadPage], cells: Sequence[list[Word]], part: str, kind: DocumentType
) -> Iterator[Finding]:
    """Whether somebody has signed where only a caption says for whom: `Pour le destinataire`."""
    if kind in _UNSIGNED:
        return
    captions = [
        (at, cell)
        for at, (read, boxes) in enumerate(zip(pages, cells, strict=True))
        for cell in boxes
        if parties.signs_for(read.page.text[cell.start : cell.end]) > (kind in _SIGNED)
    ]
    for at, cell in captions:
        if box := _drawn_at(pages[at], cells[at], cell):
            yield _signed_with(box, cell, 0.7, pages[at], part)
            return
    is_empty = kind in _SIGNED_BACK and any(not pages[at].ocr for at, _ in captions)  # where it is signed back
    if not is_empty and (found := list(_signed_somewhere(pages, cells, part, kind))):
        yield from found
        return
    for at, cell in captions:
        if not pages[at].ocr and layout.has_empty_line(pages[at], cells[at], cell):
            yield _read_on_page(Span("signed", "no", cell.start, cell.end, 0.55), pages[at], part, "layout")
            return


def _signed_somewhere(
    pages: Sequence[ReadPage], cells: Sequence[list[Word]], part: str, kind: DocumentType
) -> Iterator[Finding]:
    """A drawing where no caption says who signs, or on a scan none is near one, with the words nearest to it."""
    if kind in ("cmr_waybill", "customs_document"):  # one hand of several may still be missing; or it is stamped
        return
    for read, boxes in zip(pages, cells, strict=True):
        if drawn := layout.drawn_under_head(read, boxes):
            yield _signed_with(*drawn, 0.6, read, part)
            return


def _signed_with(box: Box, words: Word, score: float, read: ReadPage, part: str) -> Finding:
    found = _read_on_page(Span("signed", "yes", words.start, words.end, score), read, part, "layout")
    return found.model_copy(update={"evidence": found.evidence.model_copy(update={"box": box})})


def _read_on_page(
    span: Span, read: ReadPage, part: str, method: Method, lines: Sequence[tuple[int, int]] = ()
) -> Finding:
    if read.ocr:
        sure = layout.score_of(read.words, span.start, span.end) * _OCR_DOUBT
        span, method = span._replace(score=round(span.score * sure, 3)), "ocr"
    found = _finding(span, part, read.page.text, read.page.number)
    box = layout.box_of(read.words, *(lines or [(span.start, span.end)]))
    evidence = found.evidence.model_copy(update={"box": box})
    return found.model_copy(update={"method": method, "evidence": evidence})


def _finding(span: Span, part: str, text: str, page: int | None = None) -> Finding:
    quote = text[span.start : span.end]
    evidence = Evidence(part=part, page=page, quote=quote, start=span.start, end=span.end)
    return Finding(field=span.field, value=span.value, score=span.score, method="pattern", evidence=evidence)


def _is_proven(finding: Finding, extraction: Extraction, setting: forms.Setting) -> bool:
    source = extraction.source(finding.evidence.part, finding.evidence.page)
    if finding.field == "signed" and finding.method != "pattern":  # a drawing; its label stands there
        return stands_in(finding, source, lambda *_: finding.value)
    apart = ", " if finding.field in parties.ADDRESSES else " "
    if (
        finding.method != "pattern"
        and finding.field in parties.SEVERAL_LINES
        and parties.holds(finding.evidence.quote, finding.value, apart)
    ):
        return stands_in(finding, source, lambda *_: finding.value)
    currency = finding.value.rpartition(" ")[2]
    bare = quantities.in_currency(finding.evidence.quote, currency) if finding.field in _TOTALS.values() else None
    if finding.method != "pattern" and bare == finding.value:
        named = quantities.currencies_in(source or "")  # beside its label, or in a box of its own
        return currency in named and stands_in(finding, source, lambda *_: finding.value)
    if (
        finding.field == "gross_weight" and finding.method != "pattern"
    ):  # the column's heading may say that it is pounds
        bare = value_of(finding.field, finding.evidence.quote, setting.reference)
        if bare is not None and bare != finding.value == quantities.in_pounds(bare):
            return stands_in(finding, source, lambda *_: finding.value)
    free = finding.method not in ("pattern", "layout") or finding.field in quantities.TEMPERATURES
    says = stated if free else value_of  # what was pointed at, or words before it told, is read more freely
    return stands_in(finding, source, partial(says, **setting._asdict()))
