"""Documents among the attachments: their type and their text, page by page."""

from __future__ import annotations

from typing import Literal

from extractors.message import Value

DocumentType = Literal[
    "bill_of_lading",
    "cmr_waybill",
    "air_waybill",
    "delivery_note",
    "packing_list",
    "proof_of_delivery",
    "rate_confirmation",
    "freight_invoice",
    "commercial_invoice",
    "dangerous_goods_declaration",
    "customs_document",
    "carrier_notice",
    "damage_report",
    "other_document",
]


class Page(Value):
    """One page: `text` in reading order, `number` from 1, size in PDF points."""

    number: int
    width: float
    height: float
    text: str


class Document(Value):
    """One attachment that was read, or the reason why it could not be (`problem`, a sentence for people)."""

    part: str
    filename: str
    type: DocumentType
    confidence: float
    page_count: int
    ocr: bool = False
    pages: tuple[Page, ...] = ()
    problem: str | None = None
