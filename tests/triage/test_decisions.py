"""Priority, policy, recommendation and draft: pure steps, so each promise is one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from classifiers.prediction import Prediction
from classifiers.taxonomy import load_taxonomy
from extractors.conflicts import find_conflicts
from extractors.documents import Document, DocumentType, LineItem
from extractors.evidence import Evidence, Finding
from extractors.extraction import Extraction
from extractors.message import Message, RecordRef, Segment
from triage.actions import recommend
from triage.carriers import Lane, Option
from triage.odoo.records import Record
from triage.pipeline import FILED_UNSEEN, Decision, decide
from triage.policy import FILE, load_policy
from triage.priority import prioritise
from triage.quotes import find_quotes
from triage.result import OdooItem, Result, percent
from triage.threads import Earlier
from triage.understanding import Understanding

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TAXONOMY = load_taxonomy()
POLICY = load_policy(TAXONOMY)
TEXT = "Hello. The truck for WH/OUT/00042 broke down. Regards"


def a_record(**more: object) -> Record:
    given: dict[str, object] = {
        "model": "stock.picking",
        "id": 42,
        "name": "WH/OUT/00042",
        "references": ("WH/OUT/00042",),
        "responsible": "anna",
        "currency": "EUR",
        "value": 800.0,
        "scheduled_at": NOW + timedelta(hours=3),
    }
    return Record.model_validate(given | more)


class Records:
    def __init__(self, *records: Record) -> None:
        self._records = list(records)

    def find(self, references: object) -> list[Record]:
        return self._records

    def get(self, model: str, record_id: int) -> Record | None:
        return next((r for r in self._records if (r.model, r.id) == (model, record_id)), None)

    def carriers(self, lane: Lane, carrier: str | None, now: datetime) -> tuple[Option, ...]:
        return ()


def understood(
    label: str = "vehicle_breakdown", abstained: str | None = None, text: str = TEXT, confidence: float = 0.9
) -> Understanding:
    message = Message(channel="portal", text=text, segments=(Segment(kind="newest", start=0, end=len(text)),))
    findings: tuple[Finding, ...] = ()
    if "WH/OUT/00042" in text:
        at = text.index("WH/OUT/00042")
        evidence = Evidence(part="body", quote="WH/OUT/00042", start=at, end=at + 12)
        findings = (
            Finding(field="delivery_order", value="WH/OUT/00042", score=0.95, method="pattern", evidence=evidence),
        )
    scores = dict.fromkeys(TAXONOMY.codes, (1 - confidence) / 22) | {label: confidence}
    prediction = Prediction(label, confidence, scores, abstained, "test")  # type: ignore[arg-type]
    extraction = Extraction(message=message, findings=findings)
    return Understanding(extraction=extraction, prediction=prediction, extractor="x", taxonomy="1")


def decided(understanding: Understanding, *records: Record, fallback: Record | None = None) -> Decision:
    found = Records(*records)
    return decide("msg_1", understanding, found, lambda: fallback, TAXONOMY, POLICY, "http://triage.example/m", NOW)


def test_nothing_is_told_as_certain() -> None:
    assert [percent(score) for score in (None, 0.0, 0.874, 0.9984, 1.0)] == ["–", "0%", "87%", "99%", "99%"]


def test_every_label_has_rules_and_every_name_in_the_policy_leads_somewhere(tmp_path: Path) -> None:
    data = yaml.safe_load(FILE.read_text())
    changes: tuple[tuple[Callable[[Any], object], str], ...] = (
        (lambda d: d["labels"].pop("damage"), "damage"),
        (lambda d: d["labels"]["damage"]["actions"].append("pray"), "pray"),
        (lambda d: d["actions"]["expedite"].update(approval=["whim"]), "whim"),
        (lambda d: d["labels"]["damage"].update(severity=7), "severity"),
        (lambda d: d.update(colour="red"), "colour"),
    )
    for change, complaint in changes:
        broken = yaml.safe_load(yaml.safe_dump(data))
        change(broken)
        path = tmp_path / "policy.yaml"
        path.write_text(yaml.safe_dump(broken))
        with pytest.raises(ValueError, match=complaint):
            load_policy(TAXONOMY, path)
    assert sum(POLICY.priority.weights.model_dump().values()) == pytest.approx(1)


def test_priority_rises_with_severity_urgency_and_value_and_says_why() -> None:
    soon = prioritise("vehicle_breakdown", "Breakdown", 0.9, a_record(), POLICY, NOW)
    later = prioritise(
        "vehicle_breakdown", "Breakdown", 0.9, a_record(scheduled_at=NOW + timedelta(days=9)), POLICY, NOW
    )
    mild = prioritise("billing_dispute", "Billing dispute", 0.9, a_record(), POLICY, NOW)
    dear = prioritise("vehicle_breakdown", "Breakdown", 0.9, a_record(value=50_000.0), POLICY, NOW)
    assert later.score < soon.score < dear.score
    assert mild.score < soon.score
    assert soon.priority == "P1"
    assert soon.due == NOW + timedelta(hours=1)
    assert "promised in 3 h" in soon.reasons
    late = prioritise("damage", "Damage", 0.9, a_record(scheduled_at=NOW - timedelta(hours=5)), POLICY, NOW)
    assert "promised 5 h ago" in late.reasons


@pytest.mark.parametrize(
    ("record", "fields", "reason"),
    [
        (a_record(value=12_500.0), (), "the shipment is worth 12,500 EUR, and the threshold is 10,000 EUR"),
        (a_record(value=900.0, currency="USD"), (), "in USD, which the threshold cannot be compared with"),
        (a_record(regulated=True), (), "regulated goods"),
        (a_record(), ("un_number",), "regulated goods"),
    ],
)
def test_high_risk_always_goes_to_approval(record: Record, fields: tuple[str, ...], reason: str) -> None:
    steps = recommend("document_problem", "Document problem", 0.9, fields, record, POLICY)
    assert all(step.requires_approval for step in steps)
    assert any(reason in text for text in steps[0].approval_reasons)


def test_carrier_choice_and_customer_promise_need_approval_whatever_the_shipment_is() -> None:
    steps = {s.action: s for s in recommend("vehicle_breakdown", "Breakdown", 0.9, (), a_record(), POLICY)}
    assert steps["reassign_carrier"].requires_approval
    assert steps["inform_customer"].requires_approval
    assert not steps["ask_carrier_plan"].requires_approval


def test_a_matched_exception_becomes_an_activity_for_the_records_own_user() -> None:
    draft = decided(understood(), a_record()).result.draft
    assert draft is not None
    assert (draft.kind, draft.assignee, draft.key) == ("activity", "anna", "triage:msg_1")
    assert draft.summary == "[P1] Vehicle breakdown (90%): WH/OUT/00042"
    assert draft.due == NOW + timedelta(hours=1)
    for expected in ("http://triage.example/m", "triage:msg_1", "90%"):
        assert expected in draft.note


def test_a_dear_shipment_becomes_an_approval_request_with_its_amount() -> None:
    draft = decided(understood(), a_record(value=25_000.0)).result.draft
    assert draft is not None
    assert (draft.kind, draft.category, draft.amount) == ("approval", "Dispatch exception", 25_000.0)


def test_two_records_that_fit_equally_are_not_chosen_between() -> None:
    twin = a_record(id=43, name="WH/OUT/00043", references=("WH/OUT/00042",))
    one = a_record(name="WH/OUT/00041", references=("WH/OUT/00042",))
    decision = decided(understood(), one, twin)
    assert decision.result.match is None
    assert decision.hold


def test_what_cannot_be_told_is_put_to_a_person_with_the_reason_and_the_best_guesses() -> None:
    result = decided(understood(abstained="ambiguous", confidence=0.4), a_record()).result
    assert result.draft is not None
    assert result.abstained == "ambiguous"
    assert result.needs_review is True
    assert result.draft.summary.startswith("[P")
    assert "Cannot tell" in result.draft.summary
    assert "several labels fit about equally well" in result.draft.note
    assert len(result.alternatives) == 2


def test_a_label_that_is_ahead_but_not_sure_enough_is_not_called_one_of_several() -> None:
    result = decided(understood("status_update", confidence=0.97), a_record()).result
    assert result.abstained == "ambiguous"
    assert result.draft is not None
    assert "one label fits best, but not surely enough" in result.draft.note


def test_no_record_means_held_or_the_fallback_record_and_never_a_guess() -> None:
    without = understood(text="The truck broke down. Regards")
    assert decided(without).hold
    result = decided(without, fallback=a_record(id=7, name="Inbox")).result
    assert result.draft is not None
    assert result.draft.record_name == "Inbox"
    assert result.match is None
    assert result.needs_review is True


@pytest.mark.parametrize(("score", "name"), [(0.6, "1190388"), (0.9, "230076")])
def test_without_a_record_a_draft_is_named_after_the_surest_reference(score: float, name: str) -> None:
    text = "Load 1190388, SO 230076: the truck broke down."
    found = tuple(
        Finding(
            field=field,
            value=value,
            score=sure,
            method="pattern",
            evidence=Evidence(part="body", quote=value, start=text.index(value), end=text.index(value) + len(value)),
        )
        for field, value, sure in (("shipment", "1190388", 0.97), ("sales_order", "230076", score))
    )
    told = understood(text=text)
    told = told.model_copy(update={"extraction": told.extraction.model_copy(update={"findings": found})})
    result = decide("msg_1", told, None, lambda: None, TAXONOMY, POLICY, "http://triage.example/m", NOW).result
    assert result.draft is not None and result.draft.record_name == name


def test_information_only_is_ignored_but_a_doubtful_one_is_not() -> None:
    read = understood("status_update")
    sure = read.model_copy(update={"prediction": replace(read.prediction, confidence=FILED_UNSEEN)})
    assert decided(sure, a_record()).ignore
    assert not decided(understood("status_update", abstained="ambiguous"), a_record()).ignore
    fairly_sure = decided(read, a_record())
    assert not fairly_sure.ignore and fairly_sure.result.abstained == "ambiguous"


def test_text_from_outside_is_escaped_in_the_note() -> None:
    text = "<script>steal()</script> WH/OUT/00042 broke down"
    understanding = understood(text=text)
    quotes = find_quotes(understanding.extraction, "vehicle_breakdown", lambda t, label: [(0, 8, 1.0)])
    draft = decided(understanding.model_copy(update={"quotes": quotes}), a_record()).result.draft
    assert draft is not None
    assert "<script>" not in draft.note
    assert "&lt;script&gt;" in draft.note


def test_quotes_are_verbatim_and_the_telling_sentence_comes_first() -> None:
    extraction = understood().extraction
    word = TEXT.index("broke")
    quotes = find_quotes(
        extraction, "vehicle_breakdown", lambda text, label: [(word, word + 5, 2.0)] if text == TEXT else []
    )
    assert quotes[0].quote == "The truck for WH/OUT/00042 broke down."
    assert TEXT[quotes[0].start : quotes[0].end] == quotes[0].quote


def with_document(told: Understanding, *lines: LineItem, kind: DocumentType = "proof_of_delivery") -> Understanding:
    document = Document(
        part="attachment:0", filename="pod.pdf", type=kind, confidence=0.9, page_count=1, line_items=lines
    )
    extraction = told.extraction.model_copy(update={"documents": (document,)})
    return told.model_copy(update={"extraction": extraction})


SHORT = LineItem(page=1, description="Brake discs", ordered="10", delivered="8")
FULL = LineItem(page=1, description="Brake discs", ordered="10", delivered="10")


def test_a_message_that_calls_for_nothing_does_not_carry_its_documents_complaint_past_everybody() -> None:
    sure = understood("status_update")
    sure = sure.model_copy(update={"prediction": replace(sure.prediction, confidence=0.99)})
    assert decided(with_document(sure, FULL), a_record()).ignore
    found = decided(with_document(sure, SHORT), a_record())
    assert not found.ignore
    assert found.result.abstained == "conflicting_sources"
    assert found.result.conflicts == ("pod.pdf shows 8 of 10 of Brake discs",)
    assert "8 of 10 of Brake discs" in found.result.recommendations[0].rationale
    assert found.result.draft is not None
    assert "8 of 10 of Brake discs" in found.result.draft.note
    assert decided(with_document(sure, kind="damage_report"), a_record()).result.abstained == "conflicting_sources"


def test_a_message_of_the_thread_about_another_shipment_follows_up_nothing() -> None:
    item = OdooItem(kind="activity", model="mail.activity", id=7, url="http://odoo.example/7")
    about = RecordRef(model="stock.picking", id=7)
    earlier = Earlier(id="msg_0", label="damage", is_exception=True, priority="P2", record=about, item=item)

    def followed(told: Understanding, *records: Record) -> Decision:
        known = Records(*records)
        return decide("msg_1", told, known, lambda: None, TAXONOMY, POLICY, "http://t", NOW, earlier=earlier)

    first = a_record(id=7, name="WH/OUT/00007", references=("WH/OUT/00007",))
    other = followed(understood(), a_record(), first).result
    assert (other.match and other.match.id, other.supersedes) == (42, None)
    assert other.draft is not None and "Changed:" not in other.draft.summary
    good = understood("status_update", confidence=0.99)
    assert followed(good, a_record(), first).ignore
    unknown = followed(understood(), first).result
    assert (unknown.match, unknown.supersedes) == (None, None)
    same = followed(understood(text="The truck broke down. Regards"), first).result
    assert (same.match and same.match.id, same.supersedes) == (7, "msg_0")


def test_good_news_in_a_thread_closes_nothing_over_what_its_document_complains_of() -> None:
    item = OdooItem(kind="activity", model="mail.activity", id=7, url="http://odoo.example/7")
    earlier = Earlier(id="msg_0", label="vehicle_breakdown", is_exception=True, priority="P2", item=item)

    def followed(told: Understanding) -> Result:
        records = Records(a_record())
        return decide("msg_1", told, records, lambda: None, TAXONOMY, POLICY, "http://t", NOW, earlier=earlier).result

    good = followed(with_document(understood("status_update"), FULL))
    assert ([step.action for step in good.recommendations], good.supersedes) == (["close_item"], "msg_0")
    short = followed(with_document(understood("status_update"), SHORT))
    assert ([step.action for step in short.recommendations], short.supersedes) == (["look_at_it"], None)
    assert (short.abstained, short.needs_review) == ("conflicting_sources", True)
    assert "8 of 10 of Brake discs" in short.recommendations[0].rationale


def test_the_note_does_not_call_unknown_what_a_document_promises() -> None:
    told = with_document(understood())
    evidence = Evidence(part="attachment:0", page=1, quote="24.11.2026", start=0, end=10)
    promise = Finding(field="eta_original", value="2026-11-24", score=0.8, method="layout", evidence=evidence)
    findings = (*told.extraction.findings, promise)
    told = told.model_copy(update={"extraction": told.extraction.model_copy(update={"findings": findings})})
    draft = decided(told, a_record(scheduled_at=None)).result.draft
    assert draft is not None
    assert "no record says what was promised; a document says 24 Nov 2026" in draft.note


def test_a_message_and_a_document_that_contradict_each_other_are_looked_at_and_keep_their_label() -> None:
    told = understood()
    said = [
        Finding(
            field="gross_weight",
            value=f"{kilograms} KGM",
            score=0.9,
            method="pattern",
            evidence=Evidence(part=part, quote=f"{kilograms} kg", start=0, end=len(kilograms) + 3),
        )
        for part, kilograms in (("body", "1240"), ("attachment:0", "812"))
    ]
    conflicts = find_conflicts(said)
    extraction = told.extraction.model_copy(update={"conflicts": conflicts})
    found = decided(told.model_copy(update={"extraction": extraction}), a_record()).result
    assert (found.abstained, found.needs_review, found.label) == (None, True, "vehicle_breakdown")
    assert found.conflicts == ("the message says gross weight 1240 kg, its document 812 kg",)
