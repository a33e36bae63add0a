"""What many tests share: the real models, loaded once, and a service on a fresh SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api import create_app
from classifiers.bundle import load_bundle
from classifiers.cascade import Classifier
from classifiers.embedding import Encoder
from classifiers.tagger import Tagger, load_tagger
from extractors.limits import Limits
from extractors.pdf import PdfReader
from tests.ledger import Ledger
from triage.pipeline import Tools
from triage.runtime import Runtime, make_tools
from triage.settings import Settings


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder(load_bundle().adapter)


@pytest.fixture(scope="session")
def classifier(encoder: Encoder) -> Classifier:
    return Classifier(encoder, load_bundle())


@pytest.fixture(scope="session")
def tagger() -> Tagger:
    return Tagger(load_tagger())


@pytest.fixture(scope="session")
def tools(classifier: Classifier, tagger: Tagger) -> Iterator[Tools]:
    pdf = PdfReader(Limits())
    yield make_tools(classifier, tagger, pdf)
    pdf.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite3")


@pytest.fixture
def service(settings: Settings, tools: Tools, ledger: Ledger) -> Iterator[TestClient]:
    """The whole service over HTTP, publishing into the ledger."""
    app = create_app(settings, lambda s: Runtime.build(s, records=ledger, publisher=ledger, tools=tools))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture
def alone(settings: Settings, tools: Tools) -> Iterator[TestClient]:
    """The whole service without Odoo."""
    app = create_app(settings, lambda s: Runtime.build(s, tools=tools))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client
