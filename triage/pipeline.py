"""The way of one message, in the order in which it goes.

    message -> extraction -> prediction -> match -> priority -> policy -> recommendation -> draft

`understand` needs nothing but the message, so it runs whatever is down. `decide` needs the records. Both are pure:
their collaborators, the time included, are arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from classifiers.prediction import Prediction
from classifiers.taxonomy import Taxonomy
from extractors.evidence import Finding
from extractors.extraction import Extraction
from extractors.message import Message, RecordRef, Value
from triage.actions import immediate_danger, recommend
from triage.carriers import Lane
from triage.conflicts import in_words as conflict_in_words
from triage.conflicts import trouble
from triage.consultation import Consulted
from triage.discrepancies import costs_money, find_discrepancies, in_words
from triage.drafting import draft
from triage.matching import match
from triage.odoo.records import SENDER, Record, Records
from triage.odoo.remembered import Basis
from triage.policy import ABSTAINED_ACTION, SOLVED_ACTION, Policy
from triage.priority import prioritise
from triage.quotes import WordWeights, telling_quotes
from triage.result import (
    DocumentSummary,
    FieldValue,
    Provenance,
    Recommendation,
    Result,
    ScoredLabel,
)
from triage.summary import summarise, told_promise
from triage.threads import Earlier, change, facts, is_solved
from triage.understanding import Understanding

ODOO_NOT_CONFIGURED = "odoo_not_configured"
ODOO_UNAVAILABLE = "odoo_unavailable"
ALTERNATIVES = 2
CARRIER_SELECTION = "carrier_selection"  # the policy's reason for approval of an action that picks a carrier
# What nobody is to look at must be surer than any other answer: of 3,669 messages of dev and calibration that needed
# somebody, 30 would be filed without this, 6 at 95 % and 2 at 98.5, for which a ninth of what 95 % files is looked at.
FILED_UNSEEN = 0.985
REASONS = {
    "ambiguous": "several labels fit about equally well",
    "out_of_scope": "it is unlike anything this service was trained on",
    "insufficient_evidence": "there is too little readable text",
    "conflicting_sources": "the message and its documents say different things",
}
CLEAR = 2 / 3  # a confidence above that is twice that of all other labels together


class Tools(Value):
    """The collaborators of `understand`."""

    extract: Callable[[Message, datetime], Extraction]
    classify: Callable[[Extraction], Prediction]
    word_weights: WordWeights
    extractor: str
    consult: Callable[[Extraction, Prediction, datetime], Consulted | None] | None = None  # with a language model


def reason_for(abstained: str, confidence: float) -> str:
    """Why there is no answer, in words that are also true of a label that is ahead and still below its bound."""
    if abstained == "ambiguous" and confidence > CLEAR:
        return "one label fits best, but not surely enough to go by it unread"
    return REASONS[abstained]


def why_review(*, abstained: bool, unmatched: bool, contradicts: bool, may_stand: bool) -> list[str]:
    """Why a person should look, in plain words; `may_stand`: the label needs nobody's look for its confidence."""
    reasons = {
        "the service cannot tell what it is": abstained,
        "no record in Odoo was matched": unmatched,
        "the message and its documents contradict each other": contradicts,
        "the label is below the proven threshold": not may_stand,
    }
    return [reason for reason, holds in reasons.items() if holds]


def understand(message: Message, tools: Tools, taxonomy: Taxonomy, now: datetime) -> Understanding:
    extraction = tools.extract(message, now)
    prediction = tools.classify(extraction)
    consulted = tools.consult(extraction, prediction, now) if tools.consult else None
    if consulted is not None:
        prediction = consulted.prediction
    return Understanding(
        extraction=consulted.extraction if consulted else extraction,
        prediction=prediction,
        # By the values found here: what a language model was talked into finding chooses no sentence.
        quotes=telling_quotes(extraction, prediction, tools.word_weights),
        extractor=tools.extractor,
        taxonomy=taxonomy.version,
        gist=consulted.gist if consulted else None,
        llm=consulted.use if consulted else None,
    )


class Decision(Value):
    """The result so far; `hold` says why nothing can be published, `ignore` that nothing needs to be."""

    result: Result
    hold: str | None = None
    ignore: bool = False
    basis: Basis | None = None


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
    earlier: Earlier | None = None,
) -> Decision:
    """`records` is None without Odoo (`without_records` says why), `fallback` the record for what cannot be matched,
    `earlier` an earlier message of the same thread.

    Raises OdooUnavailable when the records are out of reach.
    """
    extraction, prediction = understanding.extraction, understanding.prediction
    message = extraction.message
    label = taxonomy.labels[prediction.label]
    solved = prediction.abstained is None and is_solved(earlier, label.code)
    acts = bool(policy.labels[label.code].actions)
    conflicts = [conflict_in_words(conflict) for conflict in extraction.conflicts]
    if not acts and prediction.abstained is None:
        conflicts += trouble(extraction)
        if conflicts:
            prediction = replace(prediction, abstained="conflicting_sources")
            solved = False
        elif prediction.confidence < FILED_UNSEEN and not solved:
            prediction = replace(prediction, abstained="ambiguous")
    actionable = acts or solved or prediction.abstained is not None
    thread_record = earlier.record if earlier else None

    candidates: list[Record] = []
    if records is not None and actionable:
        candidates = records.find(_references(extraction.findings, message.sender.email))
        for given in (message.record, thread_record):
            if given and (given.model, given.id) not in {(c.model, c.id) for c in candidates}:
                candidates += [found] if (found := records.get(given.model, given.id)) else []
    matching = match(
        extraction.findings, candidates, message.record, sender=message.sender.email, thread_record=thread_record
    )
    record = next(
        (c for c in candidates if matching.match and (c.model, c.id) == (matching.match.model, matching.match.id)), None
    )
    known = RecordRef(model=record.model, id=record.id) if record is not None else None
    elsewhere = (known is not None or matching.alternatives) and thread_record not in (None, known)
    if elsewhere and prediction.abstained is None:  # another case, in the same thread
        return decide(
            message_id,
            understanding,
            records,
            fallback,
            taxonomy,
            policy,
            evidence_url,
            now,
            without_records=without_records,
        )

    named = policy.site_of(message.site, None)
    site = policy.site_of(message.site, record.site if record else None, message.recipients)
    policy = policy.at(site)
    documents = {document.type for document in extraction.documents}
    said = "\n".join([message.subject, message.newest, *(quote.quote for quote in understanding.quotes)])
    danger = None if prediction.abstained else immediate_danger(label.code, prediction.confidence, said, policy)
    discrepancies = find_discrepancies(extraction, record)
    values = FieldValue.by_field(extraction.findings)
    urgency = prioritise(
        label.code,
        label.title,
        prediction.confidence,
        record,
        policy,
        now,
        documents=documents,
        costs_money=costs_money(discrepancies),
        danger=danger,
        told=told_promise(values),
    )
    fields = {finding.field for finding in extraction.findings}
    others = tuple(
        ScoredLabel(label=code, confidence=round(score, 4))
        for code, score in sorted(prediction.scores.items(), key=lambda item: -item[1])
        if code != label.code
    )
    secondary = tuple(other for other in others if other.confidence >= policy.confidence.secondary_label)
    recommendations: tuple[Recommendation, ...]
    if prediction.abstained:
        recommendations = (
            Recommendation(
                rank=1,
                action=ABSTAINED_ACTION,
                title=policy.actions[ABSTAINED_ACTION].title,
                score=round(1 - prediction.confidence, 4),
                rationale=reason_for(prediction.abstained, prediction.confidence),
            ),
        )
    elif solved:
        recommendations = (
            Recommendation(
                rank=1,
                action=SOLVED_ACTION,
                title=policy.actions[SOLVED_ACTION].title,
                score=round(prediction.confidence, 4),
                rationale="the sender says that it is over",
            ),
        )
    else:
        recommendations = recommend(
            label.code,
            label.title,
            prediction.confidence,
            fields,
            record,
            policy,
            secondary=[second.label for second in secondary],
            documents=documents,
            danger=danger,
        )
    differences = [*conflicts, *(in_words(found, record) for found in discrepancies if record is not None)]
    if differences:
        first, *rest = recommendations
        rationale = "; ".join([first.rationale, *differences])
        recommendations = (first.model_copy(update={"rationale": rationale}), *rest)
    if record is not None and records is not None and record.lane is not None:
        recommendations = _with_carriers(recommendations, record, record.lane, records, policy, now)

    moved = None
    if earlier and not prediction.abstained:
        reasons = frozenset(recommendations[0].approval_reasons if recommendations else ())
        moved = change(earlier, label.code, urgency.priority, facts(values), reasons, danger is not None)
    summary = summarise(
        label.title,
        message.sender.name or message.sender.email,
        understanding.quotes,
        record,
        prediction.abstained,
        values,
        understanding.gist,
        message.received_at or now,
    )
    llm = understanding.llm
    result = Result(
        id=message_id,
        state="processing",
        channel=message.channel,
        external_id=message.external_id,
        site=named or site,
        subject=message.subject or None,
        sender=message.sender.email or message.sender.name,
        received_at=message.received_at or now,
        label=label.code,
        confidence=round(prediction.confidence, 4),
        is_exception=label.exception,
        secondary_labels=secondary,
        alternatives=others[:ALTERNATIVES],
        priority=urgency.priority,
        priority_score=urgency.score,
        priority_reasons=urgency.reasons,
        due=urgency.due,
        emergency=danger,
        summary=summary,
        evidence=understanding.quotes,
        documents=tuple(DocumentSummary.of(d) for d in extraction.documents),
        fields=values,
        match=matching.match,
        discrepancies=discrepancies,
        conflicts=tuple(conflicts),
        recommendations=recommendations,
        needs_review=bool(
            why_review(
                abstained=prediction.abstained is not None,
                unmatched=actionable and record is None,
                contradicts=bool(conflicts),
                may_stand=policy.confidence.may_stand(prediction.version, prediction.confidence),
            )
        ),
        abstained=prediction.abstained,
        supersedes=earlier.id if actionable and earlier and moved not in (None, "update") else None,
        provenance=Provenance(
            classifier=prediction.version,
            policy=policy.name,
            taxonomy=understanding.taxonomy,
            extractor=understanding.extractor,
            llm=llm.model if llm and llm.questions else None,
            llm_use=llm,
            prompts=llm.prompts if llm else {},
            degraded=(*(() if records is not None else (without_records,)), *(llm.problems if llm else ())),
        ),
    )
    if not actionable:
        return Decision(result=result, ignore=True)
    reason = reason_for(prediction.abstained, prediction.confidence) if prediction.abstained else None
    target = record or (fallback() if records is not None else None)
    if target is None and records is not None:
        return Decision(result=result, hold=matching.reason or "no record was found for the references in this message")
    planned = draft(result, target, label.title, policy, evidence_url, reason, earlier, moved)
    return Decision(
        result=result.model_copy(update={"draft": planned}), hold=without_records if records is None else None
    )


def _with_carriers(
    recommendations: Sequence[Recommendation],
    record: Record,
    lane: Lane,
    records: Records,
    policy: Policy,
    now: datetime,
) -> tuple[Recommendation, ...]:
    """Where a person has to choose a carrier, those that history speaks for; looked up once, and only then."""
    choices = [r for r in recommendations if CARRIER_SELECTION in policy.actions[r.action].approval]
    options = records.carriers(lane, record.carrier, now) if choices else ()
    shown = tuple(option.model_dump() for option in options)
    return tuple(r.model_copy(update={"options": shown}) if r in choices else r for r in recommendations)


def _references(findings: Sequence[Finding], sender: str | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {SENDER: [sender]} if sender else {}
    for finding in findings:
        values = found.setdefault(finding.field, [])
        if finding.value not in values:
            values.append(finding.value)
    return found
