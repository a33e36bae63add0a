"""Everything that runs, built from the settings in one place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from classifiers.bundle import PACKAGED, load_bundle
from classifiers.cascade import Classifier
from classifiers.embedding import Encoder
from classifiers.prediction import Prediction
from classifiers.taxonomy import Taxonomy, load_taxonomy
from classifiers.text import classifier_text
from extractors import extraction as extractor
from extractors.extraction import Extraction
from extractors.message import Message
from extractors.pdf import PdfReader
from triage.engine import Engine
from triage.intake import limits_of
from triage.odoo.connect import connect, odoo_access
from triage.odoo.gateway import Gateway
from triage.odoo.publisher import OdooPublisher
from triage.odoo.records import OdooRecords, Records
from triage.pipeline import Tools, understand
from triage.policy import FILE as PACKAGED_POLICY
from triage.policy import Policy, load_policy
from triage.service import Publisher, Service
from triage.settings import Settings
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Store
from triage.understanding import Understanding

SWEEP_SECONDS = 60.0
KEEP_WORKFLOWS = timedelta(days=7)

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


def document_text(extraction: Extraction) -> str:
    return "\n".join(page.text for document in extraction.documents for page in document.pages)


class Runtime:
    """Built once a process. `start` begins the worker where the settings ask for one."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        engine: Engine,
        service: Service,
        tools: Tools,
        pdf: PdfReader,
        taxonomy: Taxonomy,
        policy: Policy,
        clock: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.store = store
        self.engine = engine
        self.service = service
        self.tools = tools
        self.taxonomy = taxonomy
        self.policy = policy
        self.clock = clock
        self._pdf = pdf
        self._working = False

    @classmethod
    def build(
        cls,
        settings: Settings,
        *,
        records: Records | None = None,
        publisher: Publisher | None = None,
        tools: Tools | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> Runtime:
        """`records`, `publisher` and `tools` come from the settings unless given. Errors say what to set."""
        taxonomy = load_taxonomy()
        policy = load_policy(taxonomy, settings.policy_file or PACKAGED_POLICY)
        pdf = PdfReader(limits_of(settings))
        if tools is None:
            bundle = load_bundle(settings.model_dir or PACKAGED)
            tools = make_tools(Classifier(Encoder(), bundle), pdf)
        pool = create_engine(settings.sqlalchemy_url)
        migrate(pool)
        engine = Engine(pool, settings.executor_id)
        engine.prepare()
        store = Store(pool, Files(settings.data_dir / "files"))
        if settings.odoo_configured and records is None:
            records, publisher = connect_odoo(settings)
        service = Service(store, engine, tools, taxonomy, policy, settings, records, publisher, clock)
        return cls(settings, store, engine, service, tools, pdf, taxonomy, policy, clock)

    def start(self) -> None:
        if not self.settings.run_worker:
            return
        self.engine.start(
            self.service,
            triage_workers=self.settings.triage_workers,
            publish_workers=self.settings.publish_workers,
        )
        self._working = True
        self.service.sweep()
        self.service.release_held()
        self.engine.every(SWEEP_SECONDS, self.service.sweep)
        self.engine.every(3600, self._purge)
        if self.settings.database_url:
            self.engine.every(self.settings.takeover_seconds, self.engine.adopt_dead())

    def stop(self) -> None:
        if self._working:
            self.engine.stop()
            self._working = False
        self._pdf.close()
        self.store.engine.dispose()

    def _purge(self) -> None:
        self.engine.purge((self.clock() - KEEP_WORKFLOWS).isoformat())

    # For the stateless calls

    @property
    def stateless_seconds(self) -> float:
        return self.settings.pdf_seconds * 2 + self.settings.intake_seconds

    def understand(self, message: Message) -> Understanding:
        return understand(message, self.tools, self.taxonomy, self.clock())

    def extract(self, message: Message) -> Extraction:
        return self.tools.extract(message, self.clock())

    # What it says of itself

    def health(self) -> dict[str, dict[str, Any]]:
        """Part by part: `ok`, `degraded` (it may be down for a while) or `down`."""
        parts: dict[str, dict[str, Any]] = {}
        try:
            self.store.ping()
            parts["store"] = {"status": "ok", "database": self.store.engine.dialect.name}
        except Exception as error:
            parts["store"] = {"status": "down", "problem": type(error).__name__}
        parts["models"] = {"status": "ok", "classifier": load_bundle(self.settings.model_dir or PACKAGED).version}
        parts["worker"] = {"status": "ok" if self._working else "not_here"}
        parts["odoo"] = self._odoo_health()
        parts["llm"] = {"status": "not_configured"}
        return parts

    def _odoo_health(self) -> dict[str, Any]:
        if self.service.records is None:
            return {"status": "not_configured"}
        try:
            self.service.records.find({})
        except Exception as error:
            return {"status": "degraded", "problem": str(error)}
        return {"status": "ok"}

    def gauges(self) -> bytes:
        """Prometheus text of what stands in the store and the queues now."""
        lines = ["# HELP triage_messages Messages by state", "# TYPE triage_messages gauge"]
        lines += [f'triage_messages{{state="{state}"}} {count}' for state, count in sorted(self.store.states().items())]
        lines += ["# HELP triage_queue_depth Workflows waiting or running", "# TYPE triage_queue_depth gauge"]
        lines += [f'triage_queue_depth{{queue="{queue}"}} {count}' for queue, count in self.engine.depth().items()]
        return ("\n".join(lines) + "\n").encode()


def make_tools(classifier: Classifier, pdf: PdfReader) -> Tools:
    def extract(message: Message, now: datetime) -> Extraction:
        return extractor.extract(message, pdf, now=now)

    def classify(extraction: Extraction) -> Prediction:
        message = extraction.message
        text = classifier_text(message.subject, message.newest, message.quoted, document_text(extraction))
        return classifier.predict([text])[0]

    return Tools(extract=extract, classify=classify, word_weights=classifier.word_weights, extractor=extractor.VERSION)


def connect_odoo(settings: Settings) -> tuple[OdooRecords, OdooPublisher]:
    access = odoo_access(settings)
    gateway = Gateway(connect(access))
    return OdooRecords(gateway), OdooPublisher(gateway, access.url)
