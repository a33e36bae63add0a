"""How urgent a message is: a pure sum of four parts, each with its reason."""

from __future__ import annotations

from datetime import datetime, timedelta

from extractors.message import Value
from triage.odoo.records import Record
from triage.policy import Policy
from triage.result import Priority


class Urgency(Value):
    """`score` in 0..1; `due` is when a person should have looked at it, UTC."""

    priority: Priority
    score: float
    reasons: tuple[str, ...]
    due: datetime


def prioritise(
    label: str, title: str, confidence: float, record: Record | None, policy: Policy, now: datetime
) -> Urgency:
    rules = policy.priority
    severity = policy.labels[label].severity
    reasons = [f"{title}: severity {severity:.0%}"]

    urgency = rules.urgency_unknown
    if record is not None and record.scheduled_at is not None:
        hours = (record.scheduled_at - now).total_seconds() / 3600
        urgency = next((part for limit, part in policy.urgency_steps if hours <= limit), rules.urgency_later)
        reasons.append(f"promised {_span(hours)} ago" if hours < 0 else f"promised in {_span(hours)}")

    value = 0.0
    if record is not None and record.value and record.currency == rules.full_value.currency:
        value = min(record.value / rules.full_value.amount, 1.0)
        if value >= 0.25:
            reasons.append(f"shipment worth {record.value:,.0f} {record.currency}")

    w = rules.weights
    score = w.severity * severity + w.urgency * urgency + w.value * value + w.certainty * confidence
    ranked = sorted(rules.levels.items(), key=lambda level: -level[1])
    priority = next(name for name, least in ranked if score >= least)
    return Urgency(
        priority=priority,
        score=round(score, 4),
        reasons=tuple(reasons),
        due=now + timedelta(hours=rules.due_hours[priority]),
    )


def _span(hours: float) -> str:
    hours = abs(hours)
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
