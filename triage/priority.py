"""How urgent a message is: a pure sum of six parts, each with its reason, and the due time that follows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from extractors.message import Value
from triage.odoo.records import Record
from triage.policy import PRIORITIES, Policy, money_text
from triage.result import Priority
from triage.working_time import after_working_hours

WORTH_SAYING = 0.25  # a smaller share of the policy's full value moves nothing
UNSURE = 0.6


class Urgency(Value):
    """`score` in 0..1; `due` is when a person should have looked at it, UTC."""

    priority: Priority
    score: float
    reasons: tuple[str, ...]
    due: datetime


def prioritise(
    label: str,
    title: str,
    confidence: float,
    record: Record | None,
    policy: Policy,
    now: datetime,
    *,
    documents: Collection[str] = (),
    costs_money: bool = False,
    danger: str | None = None,
    told: str | None = None,
) -> Urgency:
    """`policy` is that of the site. `documents` are the types attached, `costs_money` says that one of them and the
    record differ in what costs money, `danger` is the word that speaks of immediate danger. `told` says what message
    or document call promised: it is shown where the record says nothing, and moves no urgency.
    """
    rules, of_label = policy.priority, policy.labels[label]
    w = rules.weights
    parts = (
        (w.severity, (of_label.severity, [f"{title}: severity {of_label.severity:.0%}"])),
        (w.urgency, _promise(record, policy, now, told)),
        (w.value, _value(record, policy)),
        (w.customer, _customer(record, policy)),
        (w.evidence, _evidence(documents, costs_money, policy)),
        (w.certainty, (confidence, [f"only {confidence:.0%} sure of the label"] if confidence < UNSURE else [])),
    )
    score = sum(weight * share for weight, (share, _) in parts)
    reasons = [reason for weight, (_, said) in parts for reason in said if weight]
    priority = next(name for name in PRIORITIES if score >= rules.levels[name])
    if danger:
        priority = "P1"
        reasons.insert(0, f"immediate danger: “{danger}”")
    elif of_label.at_least and priority > of_label.at_least:
        priority = of_label.at_least
        reasons.append(f"never below {priority} for this label")
    hours = rules.due_hours[priority]
    plain = priority in rules.round_the_clock
    return Urgency(
        priority=priority,
        score=round(score, 4),
        reasons=tuple(reasons),
        due=now + timedelta(hours=hours) if plain else after_working_hours(now, hours, policy.calendar),
    )


def _promise(record: Record | None, policy: Policy, now: datetime, told: str | None) -> tuple[float, list[str]]:
    if record is None or record.scheduled_at is None:
        said = f"no record says what was promised; {told}" if told else "no promised time is known"
        return policy.priority.urgency_unknown, [said]
    hours = (record.scheduled_at - now).total_seconds() / 3600
    share = next((part for limit, part in policy.urgency_steps if hours <= limit), policy.priority.urgency_later)
    return share, [f"promised {_span(hours)} ago" if hours < 0 else f"promised in {_span(hours)}"]


def _value(record: Record | None, policy: Policy) -> tuple[float, list[str]]:
    full = policy.priority.full_value
    if record is None or not record.value:
        return 0.0, []
    worth = policy.converted(record.value, record.currency, full.currency)
    if worth is None:
        return 0.0, [f"its value in {record.currency or 'no currency'} cannot be compared"]
    share = min(max(worth / full.amount, 0.0), 1.0)
    said = [f"shipment worth {money_text(record.value, str(record.currency))}"] if share >= WORTH_SAYING else []
    return share, said


def _customer(record: Record | None, policy: Policy) -> tuple[float, list[str]]:
    """The best tier whose tag or name the record's customer carries."""
    tags = {tag.casefold() for tag in record.customer_tags} if record else set()
    name = (record.partner or "").casefold() if record else ""
    tiers = policy.priority.customers.tiers.items()
    found = [
        (tier.score, code)
        for code, tier in tiers
        if any(tag.casefold() in tags for tag in tier.tags) or any(known.casefold() == name for known in tier.names)
    ]
    if not found:
        return policy.priority.customers.otherwise, []
    share, code = max(found)
    return share, [f"customer tier {code}"]


def _evidence(documents: Collection[str], costs_money: bool, policy: Policy) -> tuple[float, list[str]]:
    rules = policy.priority.evidence
    counting = [(share, kind.replace("_", " ")) for kind, share in rules.documents.items() if kind in documents]
    said = [f"{kind} attached" for _, kind in sorted(counting, reverse=True)]
    if costs_money:
        said.append("document and record differ in what costs money")
    return max([share for share, _ in counting] + [rules.costly_discrepancy * costs_money]), said


def _span(hours: float) -> str:
    hours = abs(hours)
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"
