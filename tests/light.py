"""A service without models, for tests of what comes in and what people see."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi.testclient import TestClient

from api import create_app
from classifiers.prediction import Prediction
from extractors.extraction import Extraction
from triage.pipeline import Tools
from triage.runtime import Runtime
from triage.settings import Settings

LABEL = "transit_delay"


def light_tools(**more: Any) -> Tools:
    """Everything is a delay in transit, and nothing is found in it."""
    told = {
        "extract": lambda message, now: Extraction(message=message),
        "classify": lambda extraction: Prediction(LABEL, 0.9, {LABEL: 0.9}, None, "told"),
        "word_weights": lambda text, label: [],
        "extractor": "told",
    }
    return Tools(**(told | more))


@contextmanager
def light_service(settings: Settings, tools: Tools | None = None, **more: Any) -> Iterator[TestClient]:
    """`more` goes to `Runtime.build`. An internal error is an answer and not an exception, as for every client."""
    app = create_app(settings, lambda s: Runtime.build(s, tools=tools or light_tools(), **more))
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield client
