from __future__ import annotations

import base64
import io
from datetime import UTC, datetime

import pytest
from reportlab.pdfgen import canvas

from extractors.evidence import Evidence, Finding, Span, stands_in, without_overlaps
from extractors.extraction import Extraction, _settled, extract
from extractors.limits import Limits
from extractors.message import message_from_json
from extractors.pdf import PdfReader
from extractors.values import value_of
from tests.extractors.conftest import make_pdf

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TEXT = """Hello,

driver broke down near Venlo. Load WH/OUT/00042, container CSQU3054383. New ETA 24.11.2026 14:30, about 3 h delay.

Kind regards,
Jan

From: Anna <anna@example.com>
Sent: Monday, 23 November 2026
To: Dispatch
Subject: status

Order S00045 please, container CSQU3054383.
"""
POD = make_pdf(
    [(72, 800, "PROOF OF DELIVERY"), (72, 780, "Delivery note: WH/OUT/00043"), (72, 760, "Gross weight: 812 kg")],
    [(72, 800, "BOL No: 0012345")],
)


def extracted(reader: PdfReader, *files: bytes, text: str = TEXT, subject: str = "RE: PO 4500012345") -> Extraction:
    attachments = [{"filename": "file", "content_base64": base64.b64encode(file).decode()} for file in files]
    return extract(
        message_from_json({"text": text, "subject": subject, "attachments": attachments}, Limits()), reader, now=NOW
    )


def test_text_hidden_in_a_file_gives_no_field_and_is_counted(reader: PdfReader) -> None:
    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    sheet.drawString(72, 700, "Delivery note: WH/OUT/00043")
    sheet.setFillColorRGB(1, 1, 1)
    sheet.drawString(72, 600, "Delivery note: WH/OUT/99917")
    sheet.save()
    result = extracted(reader, out.getvalue(), POD)
    assert "WH/OUT/00043" in {finding.value for finding in result.findings}
    assert "99917" not in result.model_dump_json()
    assert result.signals == {"hidden_text": 1}


def test_text_hidden_in_an_html_or_text_file_is_counted_too(reader: PdfReader) -> None:
    page = "<html><p>Delivery note: WH/OUT/00043</p><p style='display:none'>Delivery note: WH/OUT/99917</p></html>"
    result = extracted(reader, page.encode(), "Weight\u200b 812 kg".encode())
    assert "99917" not in result.model_dump_json()
    assert result.signals == {"hidden_text": 1, "zero_width": 1}


def test_fields_come_from_subject_body_and_every_page_each_with_its_proof(reader: PdfReader) -> None:
    result = extracted(reader, POD)
    found = {(f.field, f.value): f.evidence for f in result.findings}
    assert found["purchase_order", "4500012345"].part == "subject"
    assert found["delivery_order", "WH/OUT/00042"].part == "body"
    assert found["eta_revised", "2026-11-24T14:30:00+00:00"].quote == "24.11.2026 14:30"
    assert found["delay_minutes", "180"].part == "body"
    assert (found["bol", "0012345"].part, found["bol", "0012345"].page) == ("attachment:0", 2)
    for finding in result.findings:
        source = result.source(finding.evidence.part, finding.evidence.page)
        assert source is not None
        assert source[finding.evidence.start : finding.evidence.end] == finding.evidence.quote
        assert value_of(finding.field, finding.evidence.quote, NOW) == finding.value
        assert (finding.evidence.box is not None) == (finding.evidence.part == "attachment:0")


def test_documents_are_typed_and_findings_sorted(reader: PdfReader) -> None:
    result = extracted(reader, POD)
    assert [(d.part, d.type, d.page_count) for d in result.documents] == [("attachment:0", "proof_of_delivery", 2)]
    keys = [(f.field, -f.score) for f in result.findings]
    assert keys == sorted(keys)
    assert len({(f.field, f.value) for f in result.findings}) == len(result.findings)


def test_history_counts_less_than_what_was_written_now(reader: PdfReader) -> None:
    scores = {f.value: f.score for f in extracted(reader).findings}
    assert scores["S00045"] == pytest.approx(0.9 * 0.6)
    assert scores["CSQU3054383"] == 0.98  # stands in both: the better proof is kept


def test_every_attachment_is_accounted_for(reader: PdfReader) -> None:
    png, page = b"\x89PNG\r\n\x1a\n", b"<html><body><p>Delivery note</p><p>PO 4500099999\x01</p></body></html>"
    documents = extracted(reader, b"%PDF-1.4 broken", png, page, b"\x00\x01").documents
    assert [d.part for d in documents] == [f"attachment:{i}" for i in range(4)]
    assert [d.problem is None for d in documents] == [False, False, True, False]
    assert documents[2].pages[0].text == "Delivery note\n\nPO 4500099999"


@pytest.mark.parametrize(
    ("quote", "start", "value", "proven"),
    [
        ("WH/OUT/00042", 5, "WH/OUT/00042", True),
        ("WH/OUT/00042", 5, "WH/OUT/00043", False),
        ("WH/OUT/00042", 4, "WH/OUT/00042", False),
        ("WH/OUT/00043", 5, "WH/OUT/00043", False),
        ("WH/OUT/00042", 500, "WH/OUT/00042", False),
        ("", 5, "WH/OUT/00042", False),
    ],
)
def test_only_what_stands_in_its_source_is_proven(quote: str, start: int, value: str, proven: bool) -> None:
    evidence = Evidence(part="body", quote=quote, start=start, end=start + len(quote))
    finding = Finding(field="delivery_order", value=value, score=1.0, method="model", evidence=evidence)
    assert stands_in(finding, "load WH/OUT/00042", lambda field, text: value_of(field, text, NOW)) is proven


def test_a_total_read_from_a_scan_counts_more_than_the_counts_in_its_text() -> None:
    def read(quote: str, start: int, score: float) -> Finding:
        evidence = Evidence(part="attachment:0", page=1, quote=quote, start=start, end=start + len(quote))
        return Finding(field="pieces", value=f"{quote} H87", score=score, method="ocr", evidence=evidence)

    lines = [read("840", 0, 0.66), read("220", 20, 0.66)]
    assert [f.value for f in _settled([*lines, read("1060", 40, 0.715)])] == ["1060 H87"]
    assert [f.value for f in _settled(lines)] == []


def test_of_overlapping_spans_the_best_is_kept() -> None:
    spans = [Span("a", "1", 0, 5, 0.5), Span("b", "2", 3, 8, 0.9), Span("c", "3", 8, 9, 0.1)]
    assert [span.field for span in without_overlaps(spans)] == ["b", "c"]


def test_the_same_message_gives_the_same_extraction(reader: PdfReader) -> None:
    assert extracted(reader, POD) == extracted(reader, POD)


@pytest.mark.timeout(60)
def test_an_email_of_200_000_characters_is_read_in_bounded_time(reader: PdfReader) -> None:
    extracted(reader, text=(TEXT * 1000)[:200_000])
