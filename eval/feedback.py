"""What people said of results, here and in Odoo, as labelled cases: who, when and why, nothing overwritten."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from extractors.message import Message
from triage.result import Result
from triage.store import tables as t
from triage.store.store import Store

SURE = 0.9  # a label of which the service was so sure, and which one person alone calls wrong, wants a second look


def export(store: Store, *, disputed_only: bool = False) -> Iterator[dict[str, Any]]:
    """A case for each message with feedback, oldest first, in the form of the contract, with the whole `history`.

    `label` is what people named last, else the service's where the item in Odoo was done or approved, else null;
    `label_from` says which. `disputed` is a case that somebody has to decide, `reasons` why: people named different
    labels or only said that it is wrong, a sure label was corrected, a request was refused or an activity dropped.
    `fields`, where anybody corrected one, are the service's with all corrections over them, the newest last.
    What `triage feedback settle` said ends a dispute until somebody speaks against it.
    """
    query = sa.select(t.feedback.c.message_id).group_by(t.feedback.c.message_id)
    with store.engine.connect() as connection:
        ids = connection.execute(query.order_by(sa.func.min(t.feedback.c.created_at))).scalars().all()
    for message_id in ids:
        case = _case(store.message(message_id), store.get(message_id), store.feedback(message_id))
        if case["disputed"] or not disputed_only:
            yield case


def _case(message: Message, result: Result, history: Sequence[Any]) -> dict[str, Any]:
    label, label_from = _decided(history, result)
    reasons = list(_disputes(history, result))
    found = {name: [value.value for value in values] for name, values in result.fields.items()}
    corrected = [entry.fields for entry in history if entry.fields]
    fields = {name: values for given in (found, *corrected) for name, values in given.items()}
    thread = message.thread
    root = (*thread.references, *([thread.in_reply_to] if thread.in_reply_to else []), message.message_id or result.id)
    return {
        "id": result.id,
        "message": as_json(message),
        "label": label,
        **({"fields": fields} if corrected else {}),
        "source": "feedback",
        "group": root[0],
        "label_from": label_from,
        "service": {
            "label": result.label,
            "confidence": result.confidence,
            "state": result.state,
            "provenance": result.provenance.model_dump(mode="json") if result.provenance else None,
        },
        "disputed": bool(reasons),
        "reasons": reasons,
        "history": [
            {
                "verdict": entry.verdict,
                "label": _named(entry, result),
                "fields": entry.fields,
                "priority": entry.priority,
                "by": entry.by,
                "at": (entry.decided_at or entry.created_at).isoformat(),
                "comment": entry.comment,
                "source": entry.source,
            }
            for entry in history
        ],
    }


def _named(entry: Any, result: Result) -> str | None:
    """The label that a verdict stands for: a correction of other things leaves the service's label standing.

    A refusal or a dropped activity speaks of what was recommended, not of the label.
    """
    if entry.label is not None:
        return str(entry.label)
    return None if entry.verdict in ("reject", "refused", "cancelled") else result.label


def _decided(history: Sequence[Any], result: Result) -> tuple[str | None, str | None]:
    people = [entry for entry in history if entry.source != "odoo"]
    if people:
        kinds = {"accept": "acceptance", "correct": "correction", "reject": None}
        return _named(people[-1], result), "review" if people[-1].source == "review" else kinds[people[-1].verdict]
    label = _named(history[-1], result)
    return label, "outcome" if label is not None else None


def _disputes(history: Sequence[Any], result: Result) -> Iterator[str]:
    reviews = [i for i, entry in enumerate(history) if entry.source == "review"]
    entries = history[reviews[-1] :] if reviews else history
    people = [entry for entry in entries if entry.source != "odoo"]
    named = [_named(entry, result) for entry in people]
    labels = sorted({label for label in named if label is not None})
    if len(labels) > 1:
        yield f"people named different labels: {', '.join(labels)}"
    if named and named[-1] is None:
        yield f"{people[-1].by} says that it is wrong, and nobody says what is right"
    sure = result.confidence is not None and result.confidence >= SURE
    if sure and not reviews and len(people) == 1 and labels and labels[0] != result.label:
        yield f"one person corrected a label of which the service was sure ({result.confidence:.0%})"
    if not people:
        last = entries[-1]
        if last.verdict == "refused":
            yield f"{last.by} refused the request"
        elif last.verdict == "cancelled" and result.superseded_by is None:
            yield "it was dropped in Odoo"


def as_json(message: Message) -> dict[str, Any]:
    """The message in the form in which the API takes it."""
    given = message.model_dump(
        mode="json",
        include={"channel", "external_id", "site", "received_at", "sender", "subject", "text", "thread", "record"},
        exclude_none=True,
    )
    files = [
        {"filename": a.filename, "content_base64": base64.b64encode(a.content).decode()} for a in message.attachments
    ]
    return given | ({"attachments": files} if files else {})
