"""What an earlier message of the same thread means for a newer one."""

from __future__ import annotations

from typing import Literal

from extractors.message import RecordRef, Value
from triage.result import OdooItem, Priority

Change = Literal["solved", "escalation", "changed", "update"]
SOLVED_LABEL = "status_update"


class Earlier(Value):
    """The newest earlier message of the thread from the same sender's side, as it was decided.

    `item` is what stands, or stood, in Odoo for it; `record` what it was matched to.
    """

    id: str
    label: str
    is_exception: bool
    priority: Priority
    record: RecordRef | None = None
    item: OdooItem | None = None


def is_solved(earlier: Earlier | None, label: str) -> bool:
    """Whether a message with this label says that an exception, of which people know, is over."""
    return earlier is not None and earlier.is_exception and earlier.item is not None and label == SOLVED_LABEL


def change(earlier: Earlier, label: str, priority: Priority) -> Change:
    """How the state moved: anything but an `update` supersedes the earlier result."""
    if is_solved(earlier, label):
        return "solved"
    if priority < earlier.priority:  # P1 before P2
        return "escalation"
    return "changed" if label != earlier.label else "update"
