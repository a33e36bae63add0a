"""What to recommend, and whose approval it needs: the policy's catalogue applied to one message."""

from __future__ import annotations

from collections.abc import Sequence

from triage.odoo.records import Record
from triage.policy import Policy
from triage.result import Recommendation


def recommend(
    label: str, title: str, confidence: float, fields: Sequence[str], record: Record | None, policy: Policy
) -> tuple[Recommendation, ...]:
    """Actions in the policy's order; the score falls with the rank and with our doubt about the label.

    `fields` are the fields found in the message, for what they say about the goods.
    """
    rules = policy.labels[label]
    of_the_shipment = approval_reasons(label, fields, record, policy)
    recommendations = []
    for rank, name in enumerate(rules.actions, start=1):
        action = policy.actions[name]
        own = (policy.approval.reasons[action.approval],) if action.approval else ()
        reasons = tuple(dict.fromkeys(own + of_the_shipment))
        recommendations.append(
            Recommendation(
                rank=rank,
                action=name,
                title=action.title,
                score=round(confidence * 0.8 ** (rank - 1), 4),
                rationale=f"usual step {rank} for {title.lower()}",
                requires_approval=bool(reasons),
                approval_reasons=reasons,
            )
        )
    return tuple(recommendations)


def approval_reasons(label: str, fields: Sequence[str], record: Record | None, policy: Policy) -> tuple[str, ...]:
    """Why anything done about this shipment needs approval, whatever the action."""
    texts = policy.approval.reasons
    threshold = policy.approval.value_threshold
    reasons = []
    named = policy.labels[label].approval
    if named:
        reasons.append(texts[named])
    if "un_number" in fields or "hazard_class" in fields or (record is not None and record.regulated):
        reasons.append(texts["regulated_goods"])
    if record is not None and record.value:
        if record.currency != threshold.currency:
            reasons.append(texts["unknown_currency"].format(currency=record.currency or "no currency"))
        elif record.value > threshold.amount:
            value = f"{record.value:,.0f} {record.currency}"
            reasons.append(texts["value"].format(value=value, threshold=threshold))
    return tuple(dict.fromkeys(reasons))
