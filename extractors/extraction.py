"""The one call of this package: a message in, its documents and fields with evidence out."""

from __future__ import annotations

from extractors.documents import Document
from extractors.evidence import Finding
from extractors.message import Message, Value


class Extraction(Value):
    """What was read from one message; findings are sorted by field, then by falling score."""

    message: Message
    documents: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()
