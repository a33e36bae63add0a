"""What is recommended, whose approval it needs, and what the emergency path allows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.prediction import Prediction
from classifiers.taxonomy import load_taxonomy
from extractors.extraction import Extraction
from extractors.message import Message, Segment
from triage.actions import immediate_danger, recommend
from triage.carriers import Lane, Option
from triage.odoo.records import Record
from triage.pipeline import Decision, decide
from triage.policy import Policy, load_policy
from triage.result import Approval, Recommendation
from triage.understanding import Understanding

NOW = datetime(2026, 11, 28, 23, 0, tzinfo=UTC)  # a Saturday night
TAXONOMY = load_taxonomy()
POLICY = load_policy(TAXONOMY)


def a_record(**more: Any) -> Record:
    given: dict[str, Any] = {"model": "stock.picking", "id": 42, "name": "WH/OUT/00042", "currency": "EUR"}
    return Record.model_validate(given | {"value": 800.0, "responsible": "anna"} | more)


def changed(policy: Policy = POLICY, **sections: dict[str, Any]) -> Policy:
    """The policy with entries of its sections replaced."""
    rules = policy.model_dump()
    for section, entries in sections.items():
        rules[section] = rules[section] | entries
    return Policy.model_validate(rules)


def steps(label: str, record: Record | None = None, policy: Policy = POLICY, **more: Any) -> dict[str, Recommendation]:
    found = recommend(label, label, 0.9, more.pop("fields", ()), record or a_record(), policy, **more)
    return {step.action: step for step in found}


@pytest.mark.parametrize(
    ("label", "action", "reason", "role"),
    [
        ("no_capacity", "reassign_carrier", "carrier selection is a human decision", "Dispatch manager"),
        ("transit_delay", "expedite", "premium freight costs extra", "Dispatch manager"),
        ("transit_delay", "inform_customer", "it changes what was promised to a customer", "Dispatch manager"),
        ("billing_dispute", "settle_dispute", "it deviates from the contract", "Commercial manager"),
        ("compliance_incident", "quarantine", "regulated goods are in the shipment", "Safety officer"),
    ],
)
def test_risky_steps_name_their_reason_and_who_approves(label: str, action: str, reason: str, role: str) -> None:
    step = steps(label)[action]
    assert step.requires_approval
    assert reason in step.approval_reasons
    assert step.approval is not None
    assert (step.approval.role, step.approval.override) == (role, "Operations director")


def test_a_harmless_step_needs_nobody() -> None:
    step = steps("transit_delay")["ask_carrier_plan"]
    assert (step.requires_approval, step.approval_reasons, step.approval) == (False, (), None)


def test_a_secondary_label_adds_its_reasons_to_every_step() -> None:
    torn = steps("damage", secondary=["compliance_incident"])
    assert torn.keys() == steps("damage").keys()
    assert all("regulated goods are in the shipment" in step.approval_reasons for step in torn.values())


@pytest.mark.parametrize(
    ("record", "more", "reason"),
    [
        (a_record(value=10_000.0), {}, None),
        (a_record(value=10_000.01), {}, "the shipment is worth 10,000.01 EUR, and the threshold is 10,000 EUR"),
        (a_record(value=-12_000.0), {}, "the shipment is worth -12,000 EUR, and the threshold is 10,000 EUR"),
        (a_record(currency="CHF"), {}, "the shipment's value is in CHF, which the threshold cannot be compared with"),
        (a_record(currency=None), {}, "is in no currency, which"),
        (a_record(value=None), {}, None),
        (a_record(regulated=True), {}, "regulated goods are in the shipment"),
        (a_record(), {"fields": ["hazard_class"]}, "regulated goods are in the shipment"),
        (a_record(), {"documents": ["dangerous_goods_declaration"]}, "regulated goods are in the shipment"),
    ],
)
def test_what_the_shipment_is_may_need_approval_whatever_the_step(
    record: Record, more: dict[str, Any], reason: str | None
) -> None:
    step = steps("document_problem", record, **more)["correct_papers"]
    assert step.requires_approval == (reason is not None)
    assert reason is None or reason in step.approval_reasons[0]


def test_rates_compare_a_foreign_value_with_the_threshold() -> None:
    policy = changed(exchange_rates={"EUR": 1, "CHF": 1.1})
    assert not steps("damage", a_record(value=9000.0, currency="CHF"), policy)["open_claim"].requires_approval
    dear = steps("damage", a_record(value=9500.0, currency="CHF"), policy)["open_claim"]
    assert dear.approval_reasons == ("the shipment is worth 9,500 CHF, and the threshold is 10,000 EUR",)


def test_a_higher_threshold_leads_to_a_higher_role() -> None:
    dear = steps("damage", a_record(value=60_000.0))["open_claim"]
    assert dear.approval is not None
    assert (dear.approval.role, dear.approval.also) == ("Operations director", ("Dispatch manager",))
    assert len(dear.approval_reasons) == 2


def test_a_policy_may_want_approval_where_no_value_is_known() -> None:
    strict = changed(approval={"unknown_value": True})
    assert steps("damage", a_record(value=None), strict)["open_claim"].approval_reasons == (
        "the shipment's value is not known",
    )
    unmatched = recommend("damage", "Damage", 0.9, (), None, strict)
    assert all("the shipment's value is not known" in step.approval_reasons for step in unmatched)
    assert not recommend("damage", "Damage", 0.9, (), None, POLICY)[0].requires_approval


def test_of_several_reasons_the_policys_first_says_who_decides_and_the_others_are_named() -> None:
    policy = changed(
        roles={"safety_officer": {"title": "Safety officer", "category": "Safety", "login": "sam"}},
    )
    step = steps("billing_dispute", a_record(regulated=True), policy)["settle_dispute"]
    assert step.approval == Approval(
        role="Safety officer",
        category="Safety",
        approver="sam",
        also=("Commercial manager",),
        override="Operations director",
    )
    assert step.approval_reasons == ("regulated goods are in the shipment", "it deviates from the contract")


REGULATED = ["un_number", "hazard_class", "temperature_required"]


@given(
    threshold=st.integers(0, 12_000),
    own=st.lists(st.sampled_from(sorted(POLICY.approval.reasons)), max_size=3),
    action=st.sampled_from(sorted(POLICY.actions)),
    label=st.sampled_from(sorted(POLICY.labels)),
    fields=st.sampled_from([REGULATED[:1], REGULATED[:2], REGULATED]),
    value=st.one_of(st.none(), st.floats(0, 100_000)),
    found=st.sets(st.sampled_from(REGULATED)),
)
def test_whatever_a_site_says_and_gets_through_nothing_loses_an_approval(
    threshold: int, own: list[str], action: str, label: str, fields: list[str], value: float | None, found: set[str]
) -> None:
    local = {
        "approval": {
            "value_thresholds": {"value": {"amount": threshold, "currency": "EUR"}},
            "regulated": {"fields": fields},
        },
        "actions": {action: {"approval": own}},
        "labels": {label: {"approval": own}},
    }
    central = changed(sites={"ANR": {"title": "Antwerp", "policy": local}})
    try:
        site = central.at("ANR")
    except ValueError:
        return  # it did not get through
    record = a_record(value=value)
    for code in POLICY.labels:
        here, there = (steps(code, record, p, fields=found) for p in (site, central))
        for name, step in there.items():
            assert len(here[name].approval_reasons) >= len(step.approval_reasons)


# Emergency


@pytest.mark.parametrize(
    "text",
    [
        "One drum is LEAKING at dock 4",
        "Ein Fass ist ausgelaufen, wir haben die Halle geräumt",
        "fuite d'acide sur le quai",
        "El camión está en fuego",
        "er is een lekkage in de trailer",
        "Z beczki cieknie, kierowca czeka",
        "c'è fumo dal rimorchio",
    ],
)
def test_words_of_immediate_danger_are_seen_in_seven_languages(text: str) -> None:
    assert immediate_danger("compliance_incident", 0.9, text, POLICY)


@pytest.mark.parametrize(
    ("label", "confidence", "text", "policy"),
    [
        ("compliance_incident", 0.9, "The seal number on the CMR differs; brandneue Ware, lekker weekend", POLICY),
        ("damage", 0.9, "the drum is leaking", POLICY),
        ("compliance_incident", 0.4, "the drum is leaking", POLICY),
        ("compliance_incident", 0.9, "the drum is leaking", changed(emergency={"allowed": False})),
        ("compliance_incident", 0.9, "the drum is leaking", changed(emergency={"signs": ()})),
    ],
)
def test_the_emergency_path_opens_only_where_the_policy_says(
    label: str, confidence: float, text: str, policy: Policy
) -> None:
    assert immediate_danger(label, confidence, text, policy) is None


def test_only_the_protective_steps_may_go_before_their_approval() -> None:
    found = steps("compliance_incident", danger="leaking")
    assert found["quarantine"].approval and found["quarantine"].approval.afterwards
    assert found["open_claim"].approval and not found["open_claim"].approval.afterwards
    assert all(step.requires_approval for step in found.values())


def leaking(policy: Policy = POLICY, label: str = "compliance_incident", abstained: str | None = None) -> Decision:
    text = "A drum of UN 1263 is leaking in the trailer, driver has left the cab."
    message = Message(
        channel="email", text=text, segments=(Segment(kind="newest", start=0, end=len(text)),), recipients=("anr@x.be",)
    )
    scores = dict.fromkeys(TAXONOMY.codes, 0.1 / 22) | {label: 0.9}
    understanding = Understanding(
        extraction=Extraction(message=message, findings=()),
        prediction=Prediction(label, 0.9, scores, abstained, "test"),  # type: ignore[arg-type]
        extractor="x",
        taxonomy="1",
    )

    class Records:
        def find(self, references: object) -> list[Record]:
            return []

        def get(self, model: str, record_id: int) -> Record | None:
            return None

        def carriers(self, lane: Lane, carrier: str | None, now: datetime) -> tuple[Option, ...]:
            return ()

    return decide("msg_1", understanding, Records(), lambda: a_record(), TAXONOMY, policy, "http://t.example/m", NOW)


def test_an_emergency_is_marked_due_at_once_and_still_asks_for_its_approval() -> None:
    result = leaking().result
    assert result.draft is not None
    assert result.draft.kind == "approval"
    assert result.draft.summary.startswith("EMERGENCY [P1] Compliance incident")
    assert (result.emergency, result.priority) == ("leaking", "P1")
    assert (result.draft.due - NOW).total_seconds() == 3600
    assert "The policy allows step 1 at once; its approval by the Safety officer follows." in result.draft.note
    assert "The Operations director may override." in result.draft.note


def test_a_policy_may_send_an_emergency_as_an_activity_to_its_contact() -> None:
    result = leaking(changed(emergency={"item": "activity", "contact": "oncall"})).result
    assert result.draft is not None
    assert (result.draft.kind, result.draft.assignee, result.draft.category) == ("activity", "oncall", None)
    assert result.recommendations[0].requires_approval
    unnamed = leaking(changed(emergency={"item": "activity"})).result.draft
    assert unnamed is not None
    assert unnamed.assignee == "anna"


def test_words_of_danger_in_another_label_or_in_doubt_change_nothing() -> None:
    for decision in (leaking(label="status_inquiry"), leaking(abstained="ambiguous")):
        assert decision.result.emergency is None
        assert decision.result.draft is not None
        assert not decision.result.draft.summary.startswith("EMERGENCY")


def test_the_rules_of_the_mailboxs_site_decide() -> None:
    site = {"title": "Antwerp", "mailboxes": ["anr@x.be"], "policy": {"emergency": {"allowed": False}}}
    result = leaking(changed(sites={"ANR": site})).result
    assert (result.site, result.emergency) == ("ANR", None)
    assert result.provenance is not None
    assert "/ANR" in result.provenance.policy
