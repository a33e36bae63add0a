"""The result of one message, as the API, the store, Odoo and the evaluation know it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from classifiers.prediction import Abstention
from extractors.documents import Document, LineItem
from extractors.evidence import Evidence, Finding
from extractors.message import RecordRef, Value
from triage.llm import LlmUse

State = Literal["queued", "processing", "published", "ignored", "held", "failed"]
FINAL_STATES: frozenset[str] = frozenset({"published", "ignored", "held", "failed"})
Priority = Literal["P1", "P2", "P3", "P4"]
Kind = Literal["activity", "approval"]


def percent(score: float | None) -> str:
    """For people: nothing that was read or judged is certain, so 99% at most."""
    return "–" if score is None else f"{min(score, 0.99):.0%}"


class ScoredLabel(Value):
    label: str
    confidence: float


class Quote(Value):
    """A verbatim sentence that speaks for the label; offsets as in `extractors.evidence.Evidence`."""

    quote: str
    part: str
    start: int
    end: int
    page: int | None = None


class DocumentSummary(Value):
    part: str
    filename: str
    type: str
    confidence: float
    pages: int
    ocr: bool
    problem: str | None = None
    line_items: tuple[LineItem, ...] = ()

    @classmethod
    def of(cls, d: Document) -> DocumentSummary:
        return cls(
            part=d.part,
            filename=d.filename,
            type=d.type,
            confidence=d.confidence,
            pages=d.page_count,
            ocr=d.ocr,
            problem=d.problem,
            line_items=d.line_items,
        )


class FieldEvidence(Evidence):
    method: str


class FieldValue(Value):
    value: str
    score: float
    evidence: FieldEvidence

    @classmethod
    def by_field(cls, findings: Sequence[Finding]) -> dict[str, tuple[FieldValue, ...]]:
        fields: dict[str, tuple[FieldValue, ...]] = {}
        for f in findings:
            evidence = FieldEvidence(**f.evidence.model_dump(), method=f.method)
            fields[f.field] = (*fields.get(f.field, ()), cls(value=f.value, score=f.score, evidence=evidence))
        return fields


class Candidate(Value):
    """A record of Odoo that the message may be about, and why we think so."""

    model: str
    id: int
    name: str
    score: float
    reasons: tuple[str, ...] = ()


class Match(Candidate):
    alternatives: tuple[Candidate, ...] = ()


class Discrepancy(Value):
    field: str
    document: str
    record: str


class Approval(Value):
    """Who approves a step, as the policy says: role and Odoo's category, or the user where Odoo has no approvals.

    `also` are the roles that other reasons name, `override` may set the reasons aside. With `afterwards` a person may
    do the step at once, for immediate danger, and the approval follows.
    """

    role: str
    category: str
    approver: str | None = None
    also: tuple[str, ...] = ()
    override: str
    afterwards: bool = False


class Recommendation(Value):
    rank: int
    action: str
    title: str
    score: float
    rationale: str
    options: tuple[dict[str, Any], ...] = ()
    requires_approval: bool = False
    approval_reasons: tuple[str, ...] = ()
    approval: Approval | None = None


class OdooItem(Value):
    """An activity or approval request that stands in Odoo; `key` is our external key, by which it is found there."""

    kind: Kind
    model: str
    id: int
    url: str
    key: str | None = None


class Draft(Value):
    """What is to be created in Odoo, complete before the first call, so that a page can show it without Odoo.

    `key` is our external key, the same for every try. `note` is HTML in which everything from outside is escaped.
    `record` is null while no Odoo was there to look it up. `adds_to` is an item of the same case: while that is
    open, nothing else is created. `replaces` is an approval request of ours that is cancelled once this one stands.
    """

    kind: Kind
    key: str
    record: RecordRef | None
    record_name: str
    summary: str
    note: str
    due: datetime
    assignee: str | None = None
    category: str | None = None
    amount: float | None = None
    adds_to: OdooItem | None = None
    replaces: OdooItem | None = None


class Provenance(Value):
    classifier: str
    llm: str | None = None
    llm_use: LlmUse | None = None
    prompts: dict[str, str] = {}
    policy: str
    taxonomy: str
    extractor: str
    degraded: tuple[str, ...] = ()


class Failure(Value):
    code: str
    message: str
    retryable: bool


class Result(Value):
    """What `GET /v1/messages/{id}` answers; every field is always there, ids are strings, times are UTC."""

    id: str
    state: State
    state_reason: str | None = None
    duplicate: bool = False
    channel: str
    external_id: str | None = None
    site: str | None = None
    subject: str | None = None
    sender: str | None = None
    received_at: Annotated[datetime, AfterValidator(lambda when: when.astimezone(UTC))]
    label: str | None = None
    confidence: float | None = None
    is_exception: bool | None = None
    secondary_labels: tuple[ScoredLabel, ...] = ()
    alternatives: tuple[ScoredLabel, ...] = ()
    priority: Priority | None = None
    priority_score: float | None = None
    priority_reasons: tuple[str, ...] = ()
    due: datetime | None = None
    emergency: str | None = None  # the word that spoke of immediate danger, where the policy's emergency path applies
    summary: str | None = None
    evidence: tuple[Quote, ...] = ()
    documents: tuple[DocumentSummary, ...] = ()
    fields: dict[str, tuple[FieldValue, ...]] = {}
    match: Match | None = None
    discrepancies: tuple[Discrepancy, ...] = ()
    conflicts: tuple[str, ...] = ()  # what the message and its documents say against each other, in words
    recommendations: tuple[Recommendation, ...] = ()
    draft: Draft | None = None
    odoo: tuple[OdooItem, ...] = ()
    needs_review: bool | None = None
    abstained: Abstention | None = None
    supersedes: str | None = None
    superseded_by: str | None = None
    provenance: Provenance | None = None
    failure: Failure | None = None
