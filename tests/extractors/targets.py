"""What `tests.fuzz` throws bytes at, and what must hold for any of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from extractors.extraction import extract
from extractors.limits import InputError, Limits
from extractors.message import Message, message_from_json, message_from_rfc822
from extractors.pdf import PdfReader

FOUND = Path(__file__).parent / "found"
LIMITS = Limits(max_ocr_pages=0)
READER = PdfReader(LIMITS)  # starts nothing, since no file reaches it
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def _mail(data: bytes) -> None:
    try:
        message = message_from_rfc822(data, LIMITS)
    except InputError:
        return
    _read(message)


def _json(data: bytes) -> None:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return  # the API's own parser says so
    try:
        message = message_from_json(body, LIMITS)
    except InputError:
        return
    _read(message)


def _text(data: bytes) -> None:
    subject, _, body = data.decode("utf-8", "replace").partition("\n")
    _json(json.dumps({"subject": subject, "text": body}).encode())


def _read(message: Message) -> None:
    assert "".join(message.text[s.start : s.end] for s in message.segments) == message.text
    found = extract(message.model_copy(update={"attachments": ()}), READER, now=NOW)
    for finding in found.findings:
        at = finding.evidence
        source = found.source(at.part, at.page)
        assert source is not None, finding
        assert source[at.start : at.end] == at.quote, finding


TARGETS = {"mail": _mail, "json": _json, "text": _text}


def as_seed(target: str, path: Path) -> bytes:
    """A sample as the target wants it; empty where it does not suit."""
    if path.suffix == ".eml" and target == "text":
        message = message_from_rfc822(path.read_bytes(), LIMITS)
        return f"{message.subject}\n{message.text}".encode()
    return path.read_bytes() if path.suffix == {"mail": ".eml", "json": ".json"}.get(target) else b""
