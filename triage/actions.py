"""What to recommend, and whose approval it needs: the policy's catalogue applied to one message."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from triage.odoo.records import Record
from triage.policy import Policy, money_text
from triage.result import Approval, Recommendation


def recommend(
    label: str,
    title: str,
    confidence: float,
    fields: Collection[str],
    record: Record | None,
    policy: Policy,
    *,
    secondary: Collection[str] = (),
    documents: Collection[str] = (),
    danger: str | None = None,
) -> tuple[Recommendation, ...]:
    """Actions in the policy's order; the score falls with the rank and with our doubt about the label.

    `policy` is that of the site. `secondary` labels add no action, but their reasons for approval. `fields` and
    `documents` are the fields found in the message and the types attached, for what they say about the goods. `danger`
    is what `immediate_danger` found.
    """
    rules = policy.labels[label]
    of_the_shipment = shipment_reasons((label, *secondary), fields, documents, record, policy)
    recommendations = []
    for rank, name in enumerate(rules.actions, start=1):
        action = policy.actions[name]
        needed = of_the_shipment | {reason: policy.approval.reasons[reason].text for reason in action.approval}
        reasons = {reason: needed[reason] for reason in policy.approval.reasons if reason in needed}
        at_once = danger is not None and name in policy.emergency.actions
        recommendations.append(
            Recommendation(
                rank=rank,
                action=name,
                title=action.title,
                score=round(confidence * 0.8 ** (rank - 1), 4),
                rationale=f"usual step {rank} for {title.lower()}",
                requires_approval=bool(reasons),
                approval_reasons=tuple(dict.fromkeys(reasons.values())),
                approval=approval(reasons, policy, afterwards=at_once) if reasons else None,
            )
        )
    return tuple(recommendations)


def shipment_reasons(
    labels: Collection[str], fields: Collection[str], documents: Collection[str], record: Record | None, policy: Policy
) -> dict[str, str]:
    """Why anything done about this shipment needs approval, whatever the action: the reason's name and its words."""
    rules = policy.approval
    found: dict[str, dict[str, object]] = {name: {} for label in labels for name in policy.labels[label].approval}
    regulated = not set(rules.regulated.fields).isdisjoint(fields)
    regulated |= not set(rules.regulated.documents).isdisjoint(documents)
    if regulated or (record is not None and record.regulated):
        found["regulated_goods"] = {}
    if record is not None and record.value:
        for reason, threshold in rules.value_thresholds.items():
            worth = policy.converted(record.value, record.currency, threshold.currency)
            if worth is None:
                found["unknown_currency"] = {"currency": record.currency or "no currency"}
            elif abs(worth) > threshold.amount:  # of a return it may be below zero
                found[reason] = {"value": money_text(record.value, str(record.currency)), "threshold": threshold}
    elif rules.unknown_value and (record is None or record.value is None):
        found["unknown_value"] = {}
    blank = {"value": "", "threshold": "", "currency": ""}
    return {name: rules.reasons[name].text.format(**blank | words) for name, words in found.items()}


def approval(reasons: Iterable[str], policy: Policy, *, afterwards: bool = False) -> Approval:
    """Whom the reasons lead to. They come in the policy's order: the first one's role decides, the others are named."""
    rules = policy.approval
    named = [rules.reasons[name] for name in reasons]
    first = policy.roles[named[0].role]
    titles = dict.fromkeys(policy.roles[reason.role].title for reason in named)
    override = dict.fromkeys(policy.roles[reason.override].title for reason in named)
    return Approval(
        role=first.title,
        category=first.category or rules.category,
        approver=(policy.emergency.contact if afterwards else None) or first.login or rules.approver,
        also=tuple(title for title in titles if title != first.title),
        override=" and ".join(override),
        afterwards=afterwards,
    )


def immediate_danger(label: str, confidence: float, text: str, policy: Policy) -> str | None:
    """The word in the text that speaks of immediate danger, where the policy has an emergency path for the label.

    It never takes an approval away: it lets a person do the policy's protective steps before it is given.
    """
    rules = policy.emergency
    if not rules.allowed or label not in rules.labels or confidence < rules.confidence:
        return None
    found = rules.sign.search(text)
    return found[0] if found else None
