"""Calendar invites (RFC 5545) as text that people and the rules can read."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from icalendar import Calendar

_MOST_EVENTS = 20
_LONGEST = 4000
_LARGEST = 800_000  # bytes
_FOLD = re.compile(rb"(?:(?<!\n)\r\n|(?<![\r\n])\n)(?:\r?\n)*[ \t]")  # as the parser does
# How calendars say when the clocks change. Others may take for ever: every second since 1970, for one.
_CHANGE_OF_CLOCKS = re.compile(
    rb"RRULE:(?=.*BYMONTH=)(?:(?:FREQ=YEARLY|BYMONTH=\d{1,2}|BYDAY=[+-]?\d{0,2}[A-Z]{2}"
    rb"|BYMONTHDAY=-?\d{1,2}(?:,-?\d{1,2}){0,6}|INTERVAL=[1-9]|UNTIL=\d{8}(?:T\d{6}Z?)?|WKST=[A-Z]{2})(?:;|\s*$))+",
    re.IGNORECASE,
)
_MOST_RULES = 12


def readable(content: bytes) -> str | None:
    """What the events of an invite say, a line for each thing; None where it cannot be read."""
    if len(content) > _LARGEST:
        return None
    try:
        events = Calendar.from_ical(_tame(content)).walk("VEVENT")[:_MOST_EVENTS]
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


def _tame(content: bytes) -> bytes:
    """Without the rules of repetition that are no change of clocks: they say nothing that is read here."""
    lines, rules = [], 0
    for line in _FOLD.sub(b"", content).split(b"\n"):
        if line[:5].upper() == b"RRULE":
            rules += 1
            if rules > _MOST_RULES or not _CHANGE_OF_CLOCKS.fullmatch(line):
                continue
        lines.append(line)
    return b"\n".join(lines)


def _said(value: Any) -> str:
    moment = getattr(value, "dt", None)
    if isinstance(moment, datetime):
        return moment.isoformat(sep=" ", timespec="minutes")
    if isinstance(moment, date):
        return moment.isoformat()
    return str(value)
