"""The one call of this package: a message in, its documents and fields with evidence out."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from extractors import dates, html, identifiers, layout, plain, quantities
from extractors.documents import Document, Page, recognise
from extractors.evidence import Evidence, Finding, Method, Span, stands_in
from extractors.message import Attachment, Message, Value
from extractors.pdf import PdfReader, ReadPage, Word

VERSION = "rules-2026.11"  # goes into every result's provenance; change it with every change of what is found

_MAX_FINDINGS_A_FIELD = 500
_MAX_TEXT_FILE = 200_000
_WEIGHT = {"newest": 1.0, "quoted": 0.6, "signature": 0.6, "disclaimer": 0.3}
_PDF = "application/pdf"
_PAGED = frozenset({_PDF, "image/png", "image/jpeg", "image/tiff", "image/gif"})
_OCR_DOUBT = 0.9  # what OCR reads is believed less, by this and by its own score
_APART = "\n\n\n"  # between pairs, so that no word of one speaks for the next
_LAYOUT_DOUBT = 0.95  # a label beside or above is a little less sure than one before
_UNREAD = {
    "application/ms-tnef": "a damaged winmail.dat container: not read",
    "application/vnd.ms-outlook": "a damaged Outlook message: not read",
    "application/zip": "an archive: not read",
}


class Extraction(Value):
    """What was read from one message; findings are sorted by field, then by falling score."""

    message: Message
    documents: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()

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


def extract(message: Message, pdf: PdfReader, *, now: datetime) -> Extraction:
    """Documents and fields of `message`; a value that does not stand in its source is dropped, whoever found it.

    `now` (aware) settles what dates leave open where the message does not say when it was received. Never raises
    for any content: what could not be read says so in `Document.problem`.
    """
    reference = message.received_at or now
    if reference.tzinfo is None:
        reference = reference.replace(tzinfo=UTC)
    documents: list[Document] = []
    found = list(_in_message(message, reference))
    for index, attachment in enumerate(message.attachments):
        document, pages = _document(index, attachment, pdf)
        documents.append(document)
        for page in pages:
            found.extend(_on_page(page, document.part, reference))
    read = Extraction(message=message, documents=tuple(documents))
    kept = [finding for finding in found if _is_proven(finding, read, reference)]
    return read.model_copy(update={"findings": tuple(_best(kept))})


def value_of(field: str, quote: str, reference: datetime) -> str | None:
    """What a quote says as a value of `field`, in the field's stated form; None when it says nothing."""
    if field in identifiers.FIELDS:
        return identifiers.value_of(field, quote)
    if field in dates.FIELDS:
        return dates.value_of(field, quote, reference)
    if field in quantities.FIELDS:
        return quantities.value_of(field, quote)
    return " ".join(quote.split()) or None


def _document(index: int, attachment: Attachment, pdf: PdfReader) -> tuple[Document, tuple[ReadPage, ...]]:
    pages: tuple[ReadPage, ...] = ()
    count, problem = 0, None
    if attachment.content_type in _PAGED:
        text = pdf.read(attachment.content) if attachment.content_type == _PDF else pdf.read_image(attachment.content)
        pages, count, problem = text.pages, text.page_count, text.problem
    elif attachment.content_type in ("text/plain", "text/html"):
        written = plain.decode(attachment.content[: 4 * _MAX_TEXT_FILE])
        if attachment.content_type == "text/html":
            written, _ = html.readable(written)
        written = plain.clean(written, Counter())
        pages, count = (ReadPage(Page(number=1, width=0, height=0, text=written[:_MAX_TEXT_FILE]), (), False),), 1
        if len(attachment.content) > 4 * _MAX_TEXT_FILE or len(written) > _MAX_TEXT_FILE:
            problem = "too long: only its beginning was read"
    else:
        problem = _UNREAD.get(attachment.content_type, f"not read: {attachment.content_type}")
    kind, confidence = recognise("\n".join(read.page.text for read in pages[:2]), attachment.filename)
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
    return document, pages


def _spans(text: str, reference: datetime) -> Iterator[Span]:
    yield from identifiers.find_references(text)
    yield from dates.find_dates(text, reference)
    yield from quantities.find_quantities(text)


def _in_message(message: Message, reference: datetime) -> Iterator[Finding]:
    for span in _spans(message.subject, reference):
        yield _finding(span, "subject", message.subject)
    segments = iter(message.segments)
    segment = next(segments, None)
    for span in sorted(_spans(message.text, reference), key=lambda s: s.start):
        while segment is not None and segment.end <= span.start:
            segment = next(segments, None)
        if span.field == "document_date":  # a mail's own or quoted "Date:" header
            continue
        weight = _WEIGHT[segment.kind] if segment is not None else 1.0
        yield _finding(span._replace(score=round(span.score * weight, 3)), "body", message.text)


def _on_page(read: ReadPage, part: str, reference: datetime) -> Iterator[Finding]:
    text = read.page.text
    for span in _spans(text, reference):
        yield _read_on_page(span, read, part, "pattern")
    for span in _in_pairs(read, reference):
        yield _read_on_page(span, read, part, "layout")


def _in_pairs(read: ReadPage, reference: datetime) -> Iterator[Span]:
    """What each value says after its label. All pairs are searched as one text: a search costs most by its start."""
    text = read.page.text
    lines: list[str] = []
    begins: list[int] = []  # of each value in the searched text
    values: list[Word] = []
    length = 0
    for label, value in layout.pairs(text, layout.cells(read)):
        words = text[value.start : value.end]
        if not any(char.isdigit() for char in words):
            continue
        head = f"{text[label.start : label.end].rstrip(' :')}: "
        lines.append(f"{head}{words}")
        begins.append(length + len(head))
        values.append(value)
        length += len(lines[-1]) + len(_APART)
    for span in _spans(_APART.join(lines), reference):
        at = bisect_right(begins, span.start) - 1
        end = begins[at] + values[at].end - values[at].start if at >= 0 else 0
        if span.end <= end:
            moved = values[at].start - begins[at]
            score = round(span.score * _LAYOUT_DOUBT, 3)
            yield span._replace(start=span.start + moved, end=span.end + moved, score=score)


def _read_on_page(span: Span, read: ReadPage, part: str, method: Method) -> Finding:
    if read.ocr:
        sure = layout.score_of(read.words, span.start, span.end) * _OCR_DOUBT
        span, method = span._replace(score=round(span.score * sure, 3)), "ocr"
    found = _finding(span, part, read.page.text, read.page.number)
    box = layout.box_of(read.words, span.start, span.end)
    evidence = found.evidence.model_copy(update={"box": box})
    return found.model_copy(update={"method": method, "evidence": evidence})


def _finding(span: Span, part: str, text: str, page: int | None = None) -> Finding:
    quote = text[span.start : span.end]
    evidence = Evidence(part=part, page=page, quote=quote, start=span.start, end=span.end)
    return Finding(field=span.field, value=span.value, score=span.score, method="pattern", evidence=evidence)


def _is_proven(finding: Finding, extraction: Extraction, reference: datetime) -> bool:
    source = extraction.source(finding.evidence.part, finding.evidence.page)
    return stands_in(finding, source, lambda field, quote: value_of(field, quote, reference))


def _best(findings: list[Finding]) -> list[Finding]:
    """Each value of a field once, where it is best proven; sorted by field, then by falling score."""
    best: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.field, finding.value)
        if key not in best or finding.score > best[key].score:
            best[key] = finding
    kept: list[Finding] = []
    counts: dict[str, int] = {}
    for finding in sorted(best.values(), key=lambda f: (f.field, -f.score)):
        counts[finding.field] = counts.get(finding.field, 0) + 1
        if counts[finding.field] <= _MAX_FINDINGS_A_FIELD:
            kept.append(finding)
    return kept
