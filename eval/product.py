"""The product as the evaluation runs it: the service's own functions, without store, engine and Odoo."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from classifiers.bundle import MANIFEST, PACKAGED, load_bundle
from classifiers.cascade import Classifier
from classifiers.e5 import SHA256
from classifiers.embedding import Encoder
from classifiers.tagger import Tagger, load_tagger
from classifiers.taxonomy import load_taxonomy
from eval.datasets import Case, read_message
from extractors.extraction import Extraction
from extractors.limits import InputError
from extractors.message import Message
from extractors.pdf import PdfReader
from triage.intake import limits_of
from triage.llm import language_model
from triage.pipeline import Decision, decide, understand
from triage.policy import FILE as PACKAGED_POLICY
from triage.policy import load_policy
from triage.result import FieldValue
from triage.runtime import make_tools, with_language_model
from triage.settings import Settings
from triage.understanding import Understanding

ROOT = Path(__file__).parent.parent
CODE = ("prompts", "extractors", "classifiers", "triage")
READS = ("eval/datasets.py", "eval/product.py")  # how a case becomes a message, and a result a row
CLOCK = datetime(2026, 1, 1, tzinfo=UTC)  # for messages that do not say when they came: the same in every run
LONGEST_SOURCE = 20_000  # characters of a text kept for the report
LENGTHS = ((200, "under 200 characters"), (800, "200 to 800 characters"), (2500, "800 to 2,500 characters"))

Row = dict[str, Any]


class Product(AbstractContextManager["Product"]):
    """Built once a run; `answer` may be called from several threads."""

    def __init__(self, settings: Settings, encoder: Encoder | None = None) -> None:
        self.taxonomy = load_taxonomy()
        policy_file = settings.policy_file or PACKAGED_POLICY
        self.policy = load_policy(self.taxonomy, policy_file)
        self.limits = limits_of(settings)
        folder = settings.model_dir or PACKAGED
        self._pdf = PdfReader(self.limits)
        bundle = load_bundle(folder)
        self.encoder = encoder or Encoder(bundle.adapter)
        self.tools = make_tools(Classifier(self.encoder, bundle), Tagger(load_tagger()), self._pdf)
        self.llm_parallel = settings.llm_parallel
        self.llm = language_model(settings, lambda: datetime.now(UTC))
        if self.llm is not None:
            self.tools = with_language_model(
                self.tools, self.llm, settings, self.encoder, bundle, self.taxonomy, self._pdf
            )
        self.versions: dict[str, Any] = {
            "bundle": bundle.version,
            "bundle_sha256": _sha256(folder / MANIFEST),
            "encoder": {"multilingual-e5-small": SHA256},
            "thresholds": bundle.thresholds.__dict__,
            "taxonomy": self.taxonomy.version,
            "policy": self.policy.version,
            "policy_sha256": self.policy.sha256,  # of its thresholds, too
            "extractor": self.tools.extractor,
            "llm": self.llm.model if self.llm is not None else None,
            "prompts": {path.stem: _sha256(path) for path in sorted((ROOT / "prompts").glob("*.md"))},
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pdf.close()
        if self.llm is not None:
            self.llm.close()

    def extract(self, case: Case, folder: Path) -> Extraction:
        """Raises InputError where the message is refused, OSError for a lost file."""
        message = read_message(case, folder, self.limits)
        return self.tools.extract(message, message.received_at or CLOCK)

    def answer(self, case: Case, folder: Path, *, only_extract: bool = False, consult: bool = True) -> Row:
        """One row of predictions.jsonl; a case that cannot be run says why and is not scored. Never raises.

        `consult`: whether a language model that is set up is asked.
        """
        tools = self.tools if consult else self.tools.model_copy(update={"consult": None})
        unknown = {case.label, *(case.secondary_labels or ())} - {None, *self.taxonomy.codes}
        if unknown:
            return unscored(case, f"unknown label: {', '.join(sorted(map(str, unknown)))}")
        start, cpu = time.perf_counter(), time.thread_time()
        try:
            message = read_message(case, folder, self.limits)
            now = message.received_at or CLOCK
            if only_extract:
                extraction = self.tools.extract(message, now)
                elapsed = time.perf_counter() - start
                return _head(case, extraction, elapsed, time.thread_time() - cpu) | _extracted(extraction)
            understanding = understand(message, tools, self.taxonomy, now)
            decision = self._decide(case, understanding, now)
            elapsed = time.perf_counter() - start
            return self._row(case, understanding, decision, now, elapsed, time.thread_time() - cpu)
        except InputError as error:
            return unscored(case, f"refused: {error.message}")
        except OSError as error:
            return unscored(case, f"file lost: {error}")
        except Exception as error:  # a fault of the product must not end the run, nor count as a wrong label
            return unscored(case, f"crashed: {type(error).__name__}: {error}")

    def _decide(self, case: Case, understanding: Understanding, now: datetime) -> Decision:
        return decide(
            case.id,
            understanding,
            records=None,
            fallback=lambda: None,
            taxonomy=self.taxonomy,
            policy=self.policy,
            evidence_url="",
            now=now,
        )

    def _row(
        self, case: Case, understanding: Understanding, decision: Decision, now: datetime, elapsed: float, cpu: float
    ) -> Row:
        expected_route: str | None = case.route
        if expected_route is None and case.label is not None:
            certain = replace(
                understanding.prediction, label=case.label, confidence=1.0, scores={case.label: 1.0}, abstained=None
            )
            expected_route = _route(self._decide(case, understanding.model_copy(update={"prediction": certain}), now))
        scores = {label: round(score, 6) for label, score in understanding.prediction.scores.items()}
        row = _head(case, understanding.extraction, elapsed, cpu, expected_route)
        result = decision.result.model_dump(mode="json", exclude={"draft", "id"})
        result["confidence"] = round(understanding.prediction.confidence, 6)
        use = understanding.llm.model_dump(exclude={"seconds"}) if understanding.llm else None
        return row | result | {"route": _route(decision), "scores": scores, "llm_use": use}


def _route(decision: Decision) -> str:
    if decision.ignore:
        return "ignore"
    return decision.result.draft.kind if decision.result.draft else "hold"


def unscored(case: Case, reason: str) -> Row:
    return {"id": case.id, "scored": False, "unscored_reason": reason, **_labelled(case, case.route), "slices": {}}


def _labelled(case: Case, route: str | None) -> Row:
    expected = case.model_dump(mode="json", include={"label", "secondary_labels", "fields", "documents"})
    return {"expected": expected | {"route": route}, "group": case.cluster, "split": case.split}


def _head(case: Case, extraction: Extraction, elapsed: float, cpu: float, route: str | None = None) -> Row:
    sources = {"subject": extraction.message.subject, "body": extraction.message.text} | {
        f"{document.part} page {page.number}": page.text for document in extraction.documents for page in document.pages
    }
    pages = {
        f"{document.part} page {page.number}": [page.width, page.height]
        for document in extraction.documents
        for page in document.pages
        if page.width and page.height
    }
    return {
        "id": case.id,
        "scored": True,
        "unscored_reason": None,
        **_labelled(case, route),
        "slices": _slices(case, extraction),
        "latency_ms": round(elapsed * 1000, 3),
        "cpu_ms": round(cpu * 1000, 3),  # of this thread: a PDF is read in a process of its own, and is not in it
        "sources": {name: text[:LONGEST_SOURCE] for name, text in sources.items() if text},
        "pages": pages,  # size in PDF points
    }


def _extracted(extraction: Extraction) -> Row:
    fields = FieldValue.by_field(extraction.findings)
    documents = [
        d.model_dump(mode="json", include={"part", "filename", "type", "confidence"}) for d in extraction.documents
    ]
    return {
        "label": None,
        "fields": {name: [value.model_dump(mode="json") for value in values] for name, values in fields.items()},
        "documents": documents,
    }


def _slices(case: Case, extraction: Extraction) -> Mapping[str, str | None]:
    message = extraction.message
    length = next((name for most, name in LENGTHS if len(message.text) < most), "2,500 characters and more")
    pdfs = any(a.content_type == "application/pdf" for a in message.attachments)
    return {
        "lang": case.lang,
        "channel": message.channel,
        "length": length,
        "thread_depth": _depth(message),
        "pdf": "with PDF" if pdfs else "without PDF",
        "scan": "scanned" if any(d.ocr for d in extraction.documents) else None,
        "attack": case.attack,
        "source": case.source,
    }


def _depth(message: Message) -> str:
    quoted = sum(1 for s in message.segments if s.kind == "quoted" and s.end > s.start)
    earlier = max(quoted, len(message.thread.references), 1 if message.thread.in_reply_to else 0)
    return "first message" if earlier == 0 else "one before it" if earlier == 1 else "several before it"


def code_sha256() -> str:
    """One hash of everything that a result depends on in this repository."""
    digest = hashlib.sha256()
    paths = [path for room in CODE for path in sorted((ROOT / room).rglob("*"))] + [ROOT / name for name in READS]
    for path in paths:
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(ROOT).as_posix()} {_sha256(path)}\n".encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
