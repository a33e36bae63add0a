"""What a message and its documents say against each other, in words for a supervisor."""

from __future__ import annotations

from collections.abc import Iterator

from extractors.conflicts import Conflict
from extractors.extraction import Extraction
from triage.discrepancies import NAMES

_TROUBLE = {"remarks": "a remark", "pieces_short": "goods missing", "pieces_damaged": "goods damaged"}
_LONGEST = 80


def in_words(conflict: Conflict) -> str:
    """`the message says gross weight 1240 kg, its document 812 kg`."""
    name = NAMES.get(conflict.field, conflict.field.replace("_", " "))
    ours, theirs = _shown(conflict.message.evidence.quote), _shown(conflict.document.evidence.quote)
    return f"the message says {name} {ours}, its document {theirs}"


def trouble(extraction: Extraction) -> Iterator[str]:
    """What the documents complain of: a message that calls for nothing must not carry it past everybody."""
    for document in extraction.documents:
        if document.type == "damage_report":
            yield f"{document.filename} is a damage report"
        for line in document.line_items:
            if line.ordered and line.delivered and float(line.delivered) < float(line.ordered):
                goods = line.description or line.sku or "a line"
                yield f"{document.filename} shows {line.delivered} of {line.ordered} of {_shown(goods)}"
    for finding in extraction.findings:
        if finding.field in _TROUBLE and finding.evidence.on_paper:
            yield f"a document says {_TROUBLE[finding.field]}: {_shown(finding.evidence.quote)}"


def _shown(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
