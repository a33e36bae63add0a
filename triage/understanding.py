"""What was understood of a message before any record was looked at: it needs neither network nor Odoo."""

from __future__ import annotations

from classifiers.prediction import Prediction
from extractors.extraction import Extraction
from extractors.message import Value
from triage.llm import LlmUse
from triage.result import Quote
from triage.summary import Gist


class Understanding(Value):
    extraction: Extraction
    prediction: Prediction
    quotes: tuple[Quote, ...] = ()
    extractor: str
    taxonomy: str
    gist: Gist | None = None
    llm: LlmUse | None = None
