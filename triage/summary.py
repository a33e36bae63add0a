"""Two sentences for a supervisor, made only of what stands in the source or in the record."""

from __future__ import annotations

from collections.abc import Sequence

from triage.odoo.records import Record
from triage.result import Quote

LONGEST_QUOTE = 200


def summarise(
    title: str, sender: str | None, quotes: Sequence[Quote], record: Record | None, abstained: str | None
) -> str:
    """The first sentence says what happened, in the sender's words; the second says to what, and what was promised."""
    who = sender or "The sender"
    what = f"{who}: “{shorten(quotes[0].quote).rstrip('.')}”" if quotes else f"{who} wrote nothing that could be quoted"
    head = "It cannot be told what this is" if abstained else title
    first = f"{head}. {what}."
    if record is None:
        return f"{first} No record was matched."
    partner = f" for {record.partner}" if record.partner else ""
    promised = f", promised for {record.scheduled_at:%d %b %Y %H:%M} UTC" if record.scheduled_at else ""
    return f"{first} It is about {record.name}{partner}{promised}."


def shorten(text: str, longest: int = LONGEST_QUOTE) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else flat[: longest - 1].rsplit(" ", 1)[0] + " …"
