"""What supervisors said of results, as labelled cases: who, when and why stand beside each, nothing is overwritten."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from extractors.message import Message
from triage.result import Result
from triage.store import tables as t
from triage.store.store import Store


def export(store: Store, *, disputed_only: bool = False) -> Iterator[dict[str, Any]]:
    """A case for each message with feedback, oldest first, in the form of the contract, with the whole `history`.

    The latest verdict gives the label; null where it only says that the service was wrong. `disputed` is a case that
    somebody has to decide: people named different labels, or nobody named the right one.
    """
    query = sa.select(t.feedback.c.message_id).group_by(t.feedback.c.message_id)
    with store.engine.connect() as connection:
        ids = connection.execute(query.order_by(sa.func.min(t.feedback.c.created_at))).scalars().all()
    for message_id in ids:
        case = _case(store.message(message_id), store.get(message_id), store.feedback(message_id))
        if case["disputed"] or not disputed_only:
            yield case


def _case(message: Message, result: Result, history: Sequence[Any]) -> dict[str, Any]:
    named = [_label(entry, result) for entry in history]
    fields = next((entry.fields for entry in reversed(history) if entry.fields), None)
    thread = message.thread
    root = (*thread.references, *([thread.in_reply_to] if thread.in_reply_to else []), message.message_id or result.id)
    return {
        "id": result.id,
        "message": as_json(message),
        "label": named[-1],
        **({"fields": fields} if fields else {}),
        "source": "feedback",
        "group": root[0],
        "service": {
            "label": result.label,
            "confidence": result.confidence,
            "provenance": result.provenance.model_dump(mode="json") if result.provenance else None,
        },
        "disputed": len(set(named)) > 1 or named[-1] is None,
        "history": [
            {
                "verdict": entry.verdict,
                "label": label,
                "priority": entry.priority,
                "by": entry.by,
                "at": entry.created_at.isoformat(),
                "comment": entry.comment,
            }
            for entry, label in zip(history, named, strict=True)
        ],
    }


def _label(entry: Any, result: Result) -> str | None:
    """The label that a verdict stands for: a correction of other things leaves the service's label standing."""
    if entry.label is not None:
        return str(entry.label)
    return None if entry.verdict == "reject" else result.label


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
