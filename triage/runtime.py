"""Everything that runs, built from the settings in one place."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from classifiers.bundle import PACKAGED, Bundle, load_bundle
from classifiers.cascade import Classifier
from classifiers.embedding import Encoder
from classifiers.examples import load_examples
from classifiers.llm import LEAST_WORTH, candidates, load_blend, second_opinion
from classifiers.prediction import Prediction
from classifiers.tagger import Tagger, load_tagger
from classifiers.taxonomy import Taxonomy, load_taxonomy
from classifiers.text import classifier_text
from extractors import extraction as extractor
from extractors.extraction import Extraction
from extractors.llm import fill_missing
from extractors.message import Message
from extractors.pdf import PdfReader
from prompts import Ask
from triage.callbacks import deliver
from triage.consultation import Consultation
from triage.engine import Engine
from triage.errors import OdooRefused
from triage.intake import limits_of
from triage.llm import LanguageModel, language_model
from triage.odoo.connect import connect, odoo_access
from triage.odoo.documents import PulledDocuments, pull_documents
from triage.odoo.gateway import Gateway
from triage.odoo.outcomes import Pulled, pull_outcomes
from triage.odoo.publisher import OdooPublisher
from triage.odoo.records import OdooRecords, Records
from triage.odoo.server import ask_server
from triage.pipeline import Tools, understand
from triage.policy import FILE as PACKAGED_POLICY
from triage.policy import Policy, load_policy
from triage.retention import forget
from triage.service import Publisher, Service
from triage.settings import Settings
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Store
from triage.understanding import Understanding
from triage.web.pages import DECISION_SPAN

SWEEP_SECONDS = 60.0
KEEP_WORKFLOWS = timedelta(days=7)
CALLBACK_POLL_SECONDS = 0.5
RETENTION_SECONDS = 6 * 3600.0
ODOO_HEALTH_SECONDS = 2.0  # a probe is answered within some seconds, however long Odoo takes

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
        llm: LanguageModel | None = None,
        gateway: Gateway | None = None,
    ) -> None:
        self.settings = settings
        self.gateway = gateway
        self.llm = llm
        self.store = store
        self.engine = engine
        self.service = service
        self.tools = tools
        self.taxonomy = taxonomy
        self.policy = policy
        self.clock = clock
        self._pdf = pdf
        self._working = False
        self._askers = ThreadPoolExecutor(1, thread_name_prefix="odoo-health")
        self._asked: Future[None] | None = None
        self._asking = threading.Lock()

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
        llm: LanguageModel | None = None
        if tools is None:
            bundle = load_bundle(settings.model_dir or PACKAGED)
            encoder = Encoder(bundle.adapter)
            tools = make_tools(Classifier(encoder, bundle), Tagger(load_tagger()), pdf)
            llm = language_model(settings, clock)
            if llm is not None:
                tools = with_language_model(tools, llm, settings, encoder, bundle, taxonomy, pdf)
        pool = create_engine(settings.sqlalchemy_url)
        migrate(pool)
        engine = Engine(pool, settings.executor_id)
        engine.prepare()
        store = Store(pool, Files(settings.data_dir / "files"))
        gateway: Gateway | None = None
        if settings.odoo_configured and records is None:
            records, publisher, gateway = connect_odoo(settings)
        service = Service(store, engine, tools, taxonomy, policy, settings, records, publisher, clock)
        return cls(settings, store, engine, service, tools, pdf, taxonomy, policy, clock, llm, gateway)

    def start(self) -> None:
        if not self.settings.run_worker or self._working:
            return
        self.engine.start(
            self.service,
            triage_workers=self.settings.triage_workers,
            publish_workers=self.settings.publish_workers,
        )
        self._working = True
        try:
            self.service.sweep()
            self.service.release_held()
        except BaseException:
            self.stop()  # else its threads would keep the process alive
            raise
        self.engine.every(SWEEP_SECONDS, self.service.sweep)
        self.engine.every(SWEEP_SECONDS, self.engine.end_lost)
        self.engine.every(3600, self._purge)
        if self.gateway is not None and self.settings.odoo_pull_seconds:
            self.engine.every(self.settings.odoo_pull_seconds, self.pull_outcomes)
            if self.settings.odoo_document_models:
                self.engine.every(self.settings.odoo_pull_seconds, self.pull_documents)
        if self.settings.callback_hosts:
            self.engine.every(CALLBACK_POLL_SECONDS, self.call_back)
        if self.settings.retention_days:
            self.engine.every(RETENTION_SECONDS, self.forget)
        if self.settings.database_url:
            self.engine.every(self.settings.takeover_seconds / 2, self.engine.keep_lock)
            self.engine.every(self.settings.takeover_seconds, self.engine.adopt_dead())

    def stop(self) -> None:
        if self._working:
            self.engine.stop()
            self._working = False
        self._askers.shutdown(wait=False, cancel_futures=True)
        self._pdf.close()
        if self.llm is not None:
            self.llm.close()
        self.store.engine.dispose()

    def _purge(self) -> None:
        self.engine.purge((self.clock() - KEEP_WORKFLOWS).isoformat())

    # What the worker does by the clock, and an operator by a command

    def pull_outcomes(self) -> Pulled:
        """Raises OdooError; OdooRefused also where Odoo is not configured."""
        return pull_outcomes(self._odoo(), self.store, self.clock)

    def pull_documents(self, since: datetime | None = None) -> PulledDocuments:
        """Raises OdooError, TooManyMessages; what was taken in before that stays."""
        return pull_documents(
            self._odoo(),
            self.store,
            lambda message, original: self.service.accept(message, header=None, original=original),
            limits_of(self.settings),
            self.settings.odoo_document_models,
            self.settings.odoo_db or "",
            self.clock,
            since,
        )

    def _odoo(self) -> Gateway:
        if self.gateway is None:
            raise OdooRefused("Odoo is not configured; set TRIAGE_ODOO_URL, _DB, _LOGIN and _PASSWORD.")
        return self.gateway

    def call_back(self) -> None:
        deliver(self.store, self.settings, self.clock)

    def forget(self) -> None:
        forget(self.store, self.clock() - timedelta(days=self.settings.retention_days or 0), self.clock())

    # For the stateless calls

    @property
    def stateless_seconds(self) -> float:
        asked = len(self.settings.llm_tasks) * self.settings.llm_timeout if self.settings.llm_url else 0.0
        return self.settings.pdf_seconds + self.settings.ocr_seconds + self.settings.intake_seconds + asked

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
        parts["models"] = {"status": "ok", "classifier": self._classifier}
        parts["worker"] = {"status": "ok" if self._working else "not_here"}
        parts["odoo"] = self._odoo_health()
        parts["llm"] = self.llm.health() if self.llm else {"status": "not_configured"}
        return parts

    @cached_property
    def _classifier(self) -> str:
        """Asked of the files once: a probe every few seconds must not read megabytes."""
        return load_bundle(self.settings.model_dir or PACKAGED).version

    def _odoo_health(self) -> dict[str, Any]:
        """An Odoo that hangs is degraded, too; it is asked once, however many probes come meanwhile."""
        if self.service.records is None:
            return {"status": "not_configured"}
        with self._asking:
            if self._asked is None or self._asked.done():
                self._asked = self._askers.submit(self._ask_odoo, self.service.records)
            asked = self._asked
        try:
            asked.result(ODOO_HEALTH_SECONDS)
        except Exception as error:
            late = f"it does not answer within {ODOO_HEALTH_SECONDS:g} s"
            return {"status": "degraded", "problem": str(error) if asked.done() else late}
        return {"status": "ok"}

    def _ask_odoo(self, records: Records) -> None:
        if self.gateway is not None:  # `find` without a reference asks nothing of Odoo
            self.gateway.search_read("res.users", [("id", "=", self.gateway.uid)], ["id"], limit=1)
        else:
            records.find({})

    def gauges(self) -> bytes:
        """Prometheus text of what stands in the store and the queues now."""
        lines = ["# HELP triage_messages Messages by state", "# TYPE triage_messages gauge"]
        lines += [f'triage_messages{{state="{state}"}} {count}' for state, count in sorted(self.store.states().items())]
        for kind in self.store.decisions(self.clock() - DECISION_SPAN, self.clock()):
            of = f'kind="{kind.kind}"'
            lines += [f"triage_odoo_open_items{{{of}}} {kind.open}"]
            lines += [f"triage_odoo_oldest_open_item_seconds{{{of}}} {(kind.oldest_hours or 0) * 3600:.0f}"]
            lines += [f"triage_odoo_decision_median_seconds{{{of}}} {(kind.median_hours or 0) * 3600:.0f}"]
            lines += [
                f'triage_odoo_decisions{{{of},verdict="{verdict}"}} {count}' for verdict, count in kind.verdicts.items()
            ]
        lines += ["# HELP triage_queue_depth Workflows waiting or running", "# TYPE triage_queue_depth gauge"]
        lines += [f'triage_queue_depth{{queue="{queue}"}} {count}' for queue, count in self.engine.depth().items()]
        return ("\n".join(lines) + "\n").encode()


def text_to_classify(extraction: Extraction) -> str:
    message = extraction.message
    return classifier_text(message.subject, message.newest, message.quoted, document_text(extraction))


def with_language_model(
    tools: Tools,
    llm: LanguageModel,
    settings: Settings,
    encoder: Encoder,
    bundle: Bundle,
    taxonomy: Taxonomy,
    pdf: PdfReader,
) -> Tools:
    """The same tools, which ask the model where the cascade is unsure or fields are missing. Raises BlendError."""
    examples = load_examples(settings.model_dir or PACKAGED, taxonomy.labels)
    blend = load_blend(settings.llm_calibration, llm.model, bundle.version) if settings.llm_calibration else None
    worth = blend.worth if blend is not None else None

    def fill(extraction: Extraction, now: datetime, ask: Ask) -> Extraction:
        if worth is None:
            return fill_missing(extraction, pdf, now, ask)
        return fill_missing(extraction, pdf, now, ask, worth) if worth >= LEAST_WORTH else extraction

    def judge(extraction: Extraction, prediction: Prediction, ask: Ask) -> Prediction:
        text = text_to_classify(extraction)
        shown = examples.nearest(text, encoder, candidates(prediction))
        return second_opinion(prediction, text, shown, taxonomy, ask, blend)

    consult = Consultation(llm, fill, judge, taxonomy, settings.llm_tasks)
    return tools.model_copy(update={"consult": consult})


def make_tools(classifier: Classifier, tagger: Tagger, pdf: PdfReader) -> Tools:
    def extract(message: Message, now: datetime) -> Extraction:
        return extractor.extract(message, pdf, now=now, point=tagger.point)

    def classify(extraction: Extraction) -> Prediction:
        return classifier.predict([text_to_classify(extraction)])[0]

    version = f"{extractor.VERSION} {tagger.version}"
    return Tools(extract=extract, classify=classify, word_weights=classifier.word_weights, extractor=version)


def connect_odoo(settings: Settings) -> tuple[OdooRecords, OdooPublisher, Gateway]:
    access = odoo_access(settings)
    gateway = Gateway(connect(access))
    major = lambda: ask_server(access.url, access.timeout).major  # noqa: E731
    url = settings.odoo_public_url or access.url
    return OdooRecords(gateway), OdooPublisher(gateway, url, major=major), gateway
