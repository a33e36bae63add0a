"""Priority: every part moves it the right way, says why, and the due time keeps to the site's working hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.taxonomy import load_taxonomy
from triage.odoo.records import Record
from triage.policy import PRIORITIES, Policy, load_policy
from triage.priority import Urgency, prioritise

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # a Monday
TAXONOMY = load_taxonomy()
POLICY = load_policy(TAXONOMY)


def a_record(**more: Any) -> Record:
    given: dict[str, Any] = {"model": "stock.picking", "id": 42, "name": "WH/OUT/00042", "currency": "EUR"}
    return Record.model_validate(given | {"value": 800.0, "scheduled_at": NOW + timedelta(hours=30)} | more)


def urgency(
    label: str = "transit_delay",
    record: Record | None = None,
    confidence: float = 0.9,
    policy: Policy = POLICY,
    now: datetime = NOW,
    **more: Any,
) -> Urgency:
    title = TAXONOMY.labels[label].title
    return prioritise(label, title, confidence, record or a_record(), policy, now, **more)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"label": "vehicle_breakdown"}, "Vehicle breakdown: severity 85%"),
        ({"record": a_record(scheduled_at=NOW + timedelta(hours=3))}, "promised in 3 h"),
        ({"record": a_record(scheduled_at=NOW - timedelta(hours=5))}, "promised 5 h ago"),
        ({"record": a_record(value=12_500.0)}, "shipment worth 12,500 EUR"),
        ({"record": a_record(customer_tags=("Carrier", "key ACCOUNT"))}, "customer tier A"),
        ({"record": a_record(customer_tags=("B customer",))}, "customer tier B"),
        ({"documents": ["damage_report"]}, "damage report attached"),
        ({"costs_money": True}, "document and record differ in what costs money"),
        ({"danger": "leaking"}, "immediate danger: “leaking”"),
    ],
)
def test_each_part_raises_the_priority_and_says_why(more: dict[str, Any], reason: str) -> None:
    plain, raised = urgency(), urgency(**more)
    assert reason in raised.reasons
    assert reason not in plain.reasons
    assert (raised.score, raised.priority) > (plain.score, "") or raised.priority < plain.priority


def test_a_customer_is_known_by_name_too_and_the_best_tier_counts() -> None:
    rules = POLICY.model_dump()
    rules["priority"]["customers"]["tiers"]["A"]["names"] = ["Klinikum Süd"]
    policy = Policy.model_validate(rules)
    found = urgency(record=a_record(partner="KLINIKUM SÜD", customer_tags=("B customer",)), policy=policy)
    assert "customer tier A" in found.reasons


def test_what_is_not_known_is_said() -> None:
    assert "no promised time is known" in urgency(record=a_record(scheduled_at=None)).reasons
    told = urgency(record=a_record(scheduled_at=None), told="a document says 24 Nov 2026")
    assert "no record says what was promised; a document says 24 Nov 2026" in told.reasons
    assert told.score == urgency(record=a_record(scheduled_at=None)).score
    assert "promised in 30 h" in urgency(told="a document says 24 Nov 2026").reasons
    assert "its value in SEK cannot be compared" in urgency(record=a_record(currency="SEK")).reasons
    assert "only 41% sure of the label" in urgency(confidence=0.41).reasons


def test_a_value_in_another_currency_counts_by_the_policys_rate() -> None:
    policy = Policy.model_validate(POLICY.model_dump() | {"exchange_rates": {"EUR": 1, "JPY": 0.006}})
    yen = urgency(record=a_record(value=2_000_000.0, currency="JPY"), policy=policy)
    assert yen.score == urgency(record=a_record(value=12_000.0)).score
    assert "shipment worth 2,000,000 JPY" in yen.reasons


def test_the_due_time_keeps_to_working_hours_but_p1_runs_round_the_clock() -> None:
    friday = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)
    far = a_record(scheduled_at=friday + timedelta(hours=60))
    p2 = urgency("vehicle_breakdown", far, now=friday)
    assert (p2.priority, p2.due) == ("P2", datetime(2026, 11, 30, 11, 0, tzinfo=UTC))
    p1 = urgency("vehicle_breakdown", a_record(scheduled_at=friday), now=friday)
    assert (p1.priority, p1.due) == ("P1", friday + timedelta(hours=1))


def test_a_label_may_have_a_floor_and_danger_is_always_p1() -> None:
    unsure: dict[str, Any] = {"confidence": 0.2, "record": a_record(scheduled_at=NOW + timedelta(days=30))}
    assert urgency("compliance_incident", **unsure).priority == "P2"
    low = Policy.model_validate(POLICY.model_dump() | {"priority": POLICY.priority.model_dump() | {"levels": STEEP}})
    floored = urgency("compliance_incident", policy=low, **unsure)
    assert floored.priority == "P2"
    assert "never below P2 for this label" in floored.reasons
    assert urgency("compliance_incident", danger="fumes", policy=low, **unsure).priority == "P1"


STEEP = {"P1": 0.99, "P2": 0.98, "P3": 0.97, "P4": 0.0}


@given(
    label=st.sampled_from(TAXONOMY.codes),
    hours=st.one_of(st.none(), st.floats(-500, 2000)),
    value=st.one_of(st.none(), st.floats(-1e6, 1e9)),
    confidence=st.floats(0, 1),
    costly=st.booleans(),
)
def test_whatever_comes_in_the_score_is_a_share_and_more_trouble_is_never_less_urgent(
    label: str, hours: float | None, value: float | None, confidence: float, costly: bool
) -> None:
    at = None if hours is None else NOW + timedelta(hours=hours)
    before = urgency(label, a_record(scheduled_at=at, value=value), confidence, costs_money=costly)
    assert 0 <= before.score <= 1
    assert before.priority in PRIORITIES
    assert before.due > NOW
    after = urgency(label, a_record(scheduled_at=NOW, value=value), confidence, costs_money=True)
    assert after.score >= before.score
    assert after.priority <= before.priority
