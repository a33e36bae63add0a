"""The draft of what is created in Odoo: one activity, or one approval request."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader

from extractors.message import RecordRef
from triage.odoo.records import Record
from triage.policy import Policy
from triage.result import Draft, Kind, Result, percent
from triage.summary import best_reference
from triage.threads import Change, Earlier

LONGEST_SUMMARY = 120
FOLLOWS: dict[Change, str] = {
    "solved": "Solved?",
    "escalation": "Escalation:",
    "changed": "Changed:",
    "update": "Update:",
}

# Everything that came from outside goes through this environment, which escapes it.
_templates = Environment(
    loader=PackageLoader("triage", "web/templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_templates.filters["percent"] = percent


def external_key(message_id: str) -> str:
    """The same for every try, so that Odoo can be searched for it before anything is created."""
    return f"triage:{message_id}"


def draft(
    result: Result,
    record: Record | None,
    title: str,
    policy: Policy,
    evidence_url: str,
    reason_text: str | None,
    earlier: Earlier | None = None,
    moved: Change | None = None,
) -> Draft:
    """`record` is None without Odoo: then the draft shows what would be made. `reason_text` says why we cannot tell.

    `earlier` is what came before in the thread, and `moved` how the state has changed since.
    """
    approval = result.recommendations[0].approval
    # By the policy's emergency path: the person acts, and asks for the approval afterwards.
    at_once = approval is not None and approval.afterwards and policy.emergency.item == "activity"
    needs_approval = approval is not None and not at_once
    key = external_key(result.id)
    head = "Cannot tell" if result.abstained else title
    certainty = "" if result.abstained else f" ({percent(result.confidence)})"
    mark = "EMERGENCY " if result.emergency else ""
    follows = f"{FOLLOWS[moved]} " if moved and earlier and earlier.item else ""
    note = _templates.get_template("note.html").render(
        result=result,
        title=title,
        key=key,
        url=evidence_url,
        reason=reason_text,
        earlier=earlier,
        earlier_url=f"{evidence_url.rpartition('/')[0]}/{earlier.id}" if earlier else None,
        follows=FOLLOWS[moved] if moved else "Follow-up:",
    )
    if result.due is None:
        raise ValueError("a draft needs a due time")
    kind: Kind = "approval" if needs_approval else "activity"
    category = approval.category if approval and needs_approval else None
    matched = RecordRef(model=result.match.model, id=result.match.id) if result.match else None
    same_case = earlier and (earlier.asked, earlier.category, earlier.record) == (kind, category, matched)
    before = earlier.item if earlier and same_case else None
    name = record.name if record else best_reference(result.fields) or "no record"
    return Draft(
        kind=kind,
        key=key,
        record=RecordRef(model=record.model, id=record.id) if record else None,
        record_name=name,
        summary=f"{mark}[{result.priority}] {follows}{head}{certainty}: {name}"[:LONGEST_SUMMARY],
        note=note,
        due=result.due,
        assignee=(approval.approver if approval else None)
        or (None if needs_approval else (record and record.responsible) or policy.assignee),
        category=category,
        amount=record.value if record and needs_approval else None,
        adds_to=before if moved == "update" else None,
        replaces=before if before and before.kind == "approval" and moved in ("escalation", "changed") else None,
    )
