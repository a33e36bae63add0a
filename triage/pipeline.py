"""The way of one message, in the order in which it goes.

    message -> extraction -> prediction -> match -> priority -> policy -> recommendation -> draft

`understand` needs nothing but the message, so it runs whatever is down. `decide` needs the records. Both are pure:
their collaborators, the time included, are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from classifiers.prediction import Prediction
from classifiers.taxonomy import Taxonomy
from extractors.evidence import Finding
from extractors.extraction import Extraction
from extractors.message import Message, Value
from triage.actions import recommend
from triage.drafting import draft
from triage.matching import match
from triage.odoo.records import Record, Records
from triage.policy import Policy
from triage.priority import prioritise
from triage.quotes import find_quotes
from triage.result import (
    DocumentSummary,
    FieldValue,
    Provenance,
    Recommendation,
    Result,
    ScoredLabel,
)
from triage.summary import summarise
from triage.understanding import Understanding

ODOO_NOT_CONFIGURED = "odoo_not_configured"
ODOO_UNAVAILABLE = "odoo_unavailable"
ALTERNATIVES = 2
ABSTAINED_ACTION = "look_at_it"
REASONS = {
    "ambiguous": "several labels fit about equally well",
    "out_of_scope": "it is unlike anything this service was trained on",
    "insufficient_evidence": "there is too little readable text",
    "conflicting_sources": "the message and its documents say different things",
}


class Tools(Value):
    """The collaborators of `understand`."""

    extract: Callable[[Message, datetime], Extraction]
    classify: Callable[[Extraction], Prediction]
    word_weights: Callable[[str, str], Sequence[tuple[int, int, float]]]
    extractor: str


def understand(message: Message, tools: Tools, taxonomy: Taxonomy, now: datetime) -> Understanding:
    extraction = tools.extract(message, now)
    prediction = tools.classify(extraction)
    return Understanding(
        extraction=extraction,
        prediction=prediction,
        quotes=find_quotes(extraction, prediction.label, tools.word_weights),
        extractor=tools.extractor,
        taxonomy=taxonomy.version,
    )


class Decision(Value):
    """The result so far; `hold` says why nothing can be published, `ignore` that nothing needs to be."""

    result: Result
    hold: str | None = None
    ignore: bool = False


def decide(
    message_id: str,
    understanding: Understanding,
    records: Records | None,
    fallback: Callable[[], Record | None],
    taxonomy: Taxonomy,
    policy: Policy,
    evidence_url: str,
    now: datetime,
    without_records: str = ODOO_NOT_CONFIGURED,
) -> Decision:
    """`records` is None without Odoo (`without_records` says why), `fallback` the record for what cannot be matched.

    Raises OdooUnavailable when the records are out of reach.
    """
    extraction, prediction = understanding.extraction, understanding.prediction
    message = extraction.message
    label = taxonomy.labels[prediction.label]
    actionable = bool(policy.labels[label.code].actions) or prediction.abstained is not None

    candidates: list[Record] = []
    if records is not None and actionable:
        candidates = records.find(_references(extraction.findings))
        given = message.record and records.get(message.record.model, message.record.id)
        if given and given not in candidates:
            candidates.append(given)
    matching = match(extraction.findings, candidates, message.record)
    record = next(
        (c for c in candidates if matching.match and (c.model, c.id) == (matching.match.model, matching.match.id)), None
    )

    urgency = prioritise(label.code, label.title, prediction.confidence, record, policy, now)
    fields = {finding.field for finding in extraction.findings}
    recommendations: tuple[Recommendation, ...]
    if prediction.abstained:
        recommendations = (
            Recommendation(
                rank=1,
                action=ABSTAINED_ACTION,
                title=policy.actions[ABSTAINED_ACTION].title,
                score=round(1 - prediction.confidence, 4),
                rationale=REASONS[prediction.abstained],
            ),
        )
    else:
        recommendations = recommend(label.code, label.title, prediction.confidence, sorted(fields), record, policy)

    others = sorted(prediction.scores.items(), key=lambda item: -item[1])
    others = [(code, score) for code, score in others if code != label.code]
    summary = summarise(
        label.title, message.sender.name or message.sender.email, understanding.quotes, record, prediction.abstained
    )
    result = Result(
        id=message_id,
        state="processing",
        channel=message.channel,
        external_id=message.external_id,
        site=message.site or (record.site if record else None),
        subject=message.subject or None,
        sender=message.sender.email or message.sender.name,
        received_at=message.received_at or now,
        label=label.code,
        confidence=round(prediction.confidence, 4),
        is_exception=label.exception,
        secondary_labels=tuple(
            ScoredLabel(label=code, confidence=round(score, 4))
            for code, score in others
            if score >= policy.confidence.secondary_label
        ),
        alternatives=tuple(
            ScoredLabel(label=code, confidence=round(score, 4)) for code, score in others[:ALTERNATIVES]
        ),
        priority=urgency.priority,
        priority_score=urgency.score,
        priority_reasons=urgency.reasons,
        due=urgency.due,
        summary=summary,
        evidence=understanding.quotes,
        documents=tuple(DocumentSummary.of(d) for d in extraction.documents),
        fields=FieldValue.by_field(extraction.findings),
        match=matching.match,
        recommendations=recommendations,
        needs_review=prediction.abstained is not None or (actionable and record is None),
        abstained=prediction.abstained,
        provenance=Provenance(
            classifier=prediction.version,
            policy=policy.version,
            taxonomy=understanding.taxonomy,
            extractor=understanding.extractor,
            degraded=() if records is not None else (without_records,),
        ),
    )
    if not actionable:
        return Decision(result=result, ignore=True)
    reason = REASONS[prediction.abstained] if prediction.abstained else None
    target = record or (fallback() if records is not None else None)
    if target is None and records is not None:
        return Decision(result=result, hold=matching.reason or "no record was found for the references in this message")
    planned = draft(result, target, label.title, policy, evidence_url, reason)
    return Decision(
        result=result.model_copy(update={"draft": planned}), hold=without_records if records is None else None
    )


def _references(findings: Sequence[Finding]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in findings:
        values = found.setdefault(finding.field, [])
        if finding.value not in values:
            values.append(finding.value)
    return found
