"""What an earlier message of the same thread means for a newer one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from extractors.conflicts import SURE
from extractors.message import RecordRef, Value
from triage.result import FieldValue, Kind, OdooItem, Priority

Change = Literal["solved", "escalation", "changed", "update"]
SOLVED_LABEL = "status_update"
# A later message that states one of these otherwise brings news, though label and urgency are the same.
NEWS = frozenset(["pickup_planned", "eta_revised", "delivered_at", "pieces_short", "pieces_damaged", "disputed_amount"])


class Earlier(Value):
    """The newest earlier message of the thread from the same sender's side, as it was decided.

    `item` is what stands, or stood, in Odoo for it, `asked` and `category` as what it was drafted; `record` what it
    was matched to; `facts` its values of `NEWS`, `reasons` why its first step needs approval (None: not kept then).
    """

    id: str
    label: str
    is_exception: bool
    priority: Priority
    record: RecordRef | None = None
    item: OdooItem | None = None
    asked: Kind | None = None
    category: str | None = None
    facts: frozenset[tuple[str, str]] = frozenset()
    reasons: frozenset[str] | None = None
    emergency: bool = False


def is_solved(earlier: Earlier | None, label: str) -> bool:
    """Whether a message with this label says that an exception, of which people know, is over."""
    return earlier is not None and earlier.is_exception and earlier.item is not None and label == SOLVED_LABEL


def facts(fields: Mapping[str, Sequence[FieldValue]]) -> frozenset[tuple[str, str]]:
    """The values whose change is news, with their fields' names; a guess is none."""
    return frozenset(
        (name, found.value) for name in NEWS & fields.keys() for found in fields[name] if found.score >= SURE
    )


def change(
    earlier: Earlier,
    label: str,
    priority: Priority,
    stated: frozenset[tuple[str, str]] = frozenset(),
    reasons: frozenset[str] = frozenset(),
    emergency: bool = False,
) -> Change:
    """How the state moved: anything but an `update` supersedes the earlier result.

    `stated` are the newer `facts`, `reasons` the newer reasons for approval: one that nobody was asked about is news.
    So is an `emergency` where none was before, whatever the priority.
    """
    if is_solved(earlier, label):
        return "solved"
    if priority < earlier.priority or (emergency and not earlier.emergency):  # P1 before P2
        return "escalation"
    news = [fact for fact in stated if not any(_agree(fact, known) for known in earlier.facts)]
    unasked = earlier.reasons is not None and not reasons <= earlier.reasons
    return "changed" if label != earlier.label or news or unasked else "update"


def _agree(now: tuple[str, str], before: tuple[str, str]) -> bool:
    """Whether a value says no more than an earlier one did: the same, its day alone, its moment in another zone."""
    (field, value), (known, told) = now, before
    if field != known:
        return False
    if value == told:
        return True
    if len(value) == len("2026-11-24"):
        return told.startswith(value)
    try:
        return datetime.fromisoformat(value) == datetime.fromisoformat(told)
    except ValueError:
        return False
