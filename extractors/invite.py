"""Calendar invites (RFC 5545) as text that people and the rules can read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from icalendar import Calendar

_MOST_EVENTS = 20
_LONGEST = 4000


def readable(content: bytes) -> str | None:
    """What the events of an invite say, a line for each thing; None where it cannot be read."""
    try:
        events = Calendar.from_ical(content).walk("VEVENT")[:_MOST_EVENTS]
    except Exception:  # the parser raises many kinds on what only looks like a calendar
        return None
    lines: list[str] = []
    for event in events:
        for name, label in (
            ("SUMMARY", ""),
            ("STATUS", "Status: "),
            ("DTSTART", "Start: "),
            ("DTEND", "End: "),
            ("LOCATION", "Location: "),
            ("DESCRIPTION", ""),
        ):
            if (value := event.get(name)) is not None:
                lines.append(f"{label}{_said(value)}"[:_LONGEST])
        lines.append("")
    return "\n".join(lines).strip() or None


def _said(value: Any) -> str:
    moment = getattr(value, "dt", None)
    if isinstance(moment, datetime):
        return moment.isoformat(sep=" ", timespec="minutes")
    if isinstance(moment, date):
        return moment.isoformat()
    return str(value)
