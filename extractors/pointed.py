"""Fields of a message that a trained tagger points at, read by the rules' own code and proven like any finding."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from extractors import dates, parties, quantities, told
from extractors.dates import is_month_first
from extractors.evidence import Evidence, Finding, stands_in
from extractors.extraction import Extraction, best, value_of
from extractors.message import Message

Point = Callable[[str], Sequence[tuple[str, int, int, float]]]  # of a text: field, start, end, score

LONGEST = 20_000  # letters that a tagger is given; it reads less of most texts

_READ = frozenset({"newest", "signature"})
_EDGE = " \t\r\n,;:.!?()[]{}\"'„“”«»<>*|"
_SURE = 0.6  # of the tagger, against the rules
_PROVEN = 0.9  # of the rules: by its check digit or its form, which no opinion changes
_BY_WORDS = (dates.FIELDS | quantities.FIELDS) - {"hazard_class", "volume"}  # what a date or a number says
_LEAST, _TRUST = 0.4, 0.85
_DOUBT = (  # fields, the least score that counts, and what it is worth: measured on dev and calibration
    (frozenset(parties.PARTIES) | {"driver_name", "received_by"}, (0.5, 0.6)),
    (frozenset(parties.ADDRESSES) | {"site"}, (0.5, 0.6)),
    (dates.FIELDS, (0.4, 0.75)),
)
_MOMENTS = dates.FIELDS - {"delay_minutes"}
_SENTENCE = re.compile(r"[.;!?\n]\s")
_ELIDED = re.compile(r"(?:d|l|dell|all|un|nell|quell)['’]", re.IGNORECASE)
_SIZES = re.compile(r"(?: \S*\d\S*)+$")
_WORD = re.compile(r"\S+")
_NEAR = 80  # letters around a place in which its value may go on
_WORDS_ASIDE = 2  # that a value may have more or less than was pointed at


class Readable(NamedTuple):
    """Subject, newest text and signature as one text; `parts`: the start of each in it, its part, its start there."""

    text: str
    parts: tuple[tuple[int, str, int], ...]

    def place(self, start: int, end: int) -> tuple[str, int, int] | None:
        """The part, and the start and end in it; None across two parts."""
        at, part, begin = next(p for p in reversed(self.parts) if p[0] <= start)
        after = next((p[0] for p in self.parts if p[0] > at), len(self.text) + 1)
        return (part, begin + start - at, begin + end - at) if end < after else None


def readable(message: Message) -> Readable:
    """What a tagger reads and is trained on: the history of a thread is left out."""
    pieces = [("subject", 0, message.subject)]
    pieces += [("body", s.start, message.text[s.start : s.end]) for s in message.segments if s.kind in _READ]
    text, parts = "", []
    for part, begin, piece in pieces:
        if piece.strip():
            text += "\n" if text else ""
            parts.append((len(text), part, begin))
            text += piece
    return Readable(text, tuple(parts))


def with_pointed(extraction: Extraction, point: Point, now: datetime) -> Extraction:
    """The extraction with what the tagger points at, and without what the rules took for another field there.

    Documents stay as they are: their fields are told by where they stand on the page.
    """
    message = extraction.message
    reading = readable(message)
    if not reading.text:
        return extraction
    reference = message.received_at or now
    if reference.tzinfo is None:
        reference = reference.replace(tzinfo=UTC)
    month_first = is_month_first(f"{message.subject}\n{message.text}")
    read = partial(_value, reference=reference, month_first=month_first)
    pointed = []
    for field, start, end, score in point(reading.text[:LONGEST]):
        place = reading.place(start, end)
        if place is None:
            continue
        part, begin, stop = place
        source = message.subject if part == "subject" else message.text
        if found := _read(field, source, begin, stop, read):
            value, begin, stop = found
            evidence = Evidence(part=part, quote=source[begin:stop], start=begin, end=stop)
            finding = Finding(field=field, value=value, score=score, method="model", evidence=evidence)
            if stands_in(finding, source, read):
                pointed.append(finding)
    findings = _merged(extraction.findings, pointed, message)
    said = {(f.field, f.value) for f in findings}
    conflicts = tuple(c for c in extraction.conflicts if (c.field, c.message.value) in said)
    return extraction.model_copy(update={"findings": findings, "conflicts": conflicts})


def _value(field: str, quote: str, reference: datetime, month_first: bool) -> str | None:
    said = value_of(field, quote, reference, month_first=month_first)
    return said or told.value_of(field, quote, reference, month_first=month_first)


def _read(
    field: str, text: str, start: int, end: int, read: Callable[[str, str], str | None]
) -> tuple[str, int, int] | None:
    """The value at a place, and where exactly it stands: a word more or less than was pointed at, where that reads."""
    if field in dates.FIELDS:
        start, end = dates.whole(text, start, end)
    start, end = _within(text, start, end)
    if field == "description":
        start, end = _name(text, start, end)
    value = read(field, text[start:end]) if start < end else None
    if value and field not in _MOMENTS:
        return value, start, end
    near: list[tuple[int, str, int, int]] = [(0, value, start, end)] if value else []
    first, last = max(0, start - _NEAR), min(len(text), end + _NEAR)
    words = [(m.start(), m.end()) for m in _WORD.finditer(text, first, last)]
    inside = [i for i, (a, b) in enumerate(words) if a < end and start < b]
    if not inside:
        return None
    for first in range(max(0, inside[0] - _WORDS_ASIDE), min(inside[-1], inside[0] + _WORDS_ASIDE) + 1):
        for last in range(max(first, inside[-1] - _WORDS_ASIDE), min(len(words), inside[-1] + _WORDS_ASIDE + 1)):
            a, b = _within(text, words[first][0], words[last][1])
            if a < b and not _SENTENCE.search(text, a, b) and (said := read(field, text[a:b])):
                near.append((abs(a - start) + abs(b - end), said, a, b))
    if value and field in _MOMENTS:  # a day goes with the time beside it, and a time with its day
        near = [n for n in near if n[1] == value or _says_more(text, n, start, end)]
        near = [n for n in near if n[1] != value] or near
    return min(near)[1:] if near else None


def _says_more(text: str, near: tuple[int, str, int, int], start: int, end: int) -> bool:
    """Whether more words than were pointed at name both a day and a time, where those named one of them."""
    _, value, a, b = near
    longer = a <= start and end <= b and told.names_day(text[a:b]) and "T" in value
    return longer and not (told.names_day(text[start:end]) and dates.clock_in(text[start:end]))


def _name(text: str, start: int, end: int) -> tuple[int, int]:
    """Goods without the article that is run into their name, and without sizes after it."""
    if article := _ELIDED.match(text, start, end):
        start = article.end()
    if sizes := _SIZES.search(text, start, end):
        end = sizes.start()
    return start, end


def _within(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGE:
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    return start, end


def _merged(findings: Sequence[Finding], pointed: Sequence[Finding], message: Message) -> tuple[Finding, ...]:
    """Both ways' findings, each value of a field once; where they contradict each other, the surer one's."""
    read = _Places((s.start, s.end) for s in message.segments if s.kind in _READ)
    theirs = {part: _Places(_spots(pointed, part)) for part in ("subject", "body")}
    kept: list[Finding] = []
    for finding in findings:
        place = finding.evidence
        if place.part == "subject" or (place.part == "body" and read.over(place.start, place.start + 1)):
            there = [pointed[i] for i in theirs[place.part].over(place.start, place.end)]
            if _gainsaid(finding, there):
                continue
        kept.append(finding)
    rules = {part: _Places(_spots([f for f in kept if f.method == "pattern"], part)) for part in ("subject", "body")}
    for finding in pointed:
        place = finding.evidence
        least, trust = next((doubt for fields, doubt in _DOUBT if finding.field in fields), (_LEAST, _TRUST))
        if finding.score >= least and not rules[place.part].over(place.start, place.end):
            kept.append(finding.model_copy(update={"score": round(finding.score * trust, 3)}))
    return tuple(best(kept))


def _gainsaid(finding: Finding, there: Sequence[Finding]) -> bool:
    """Whether the tagger takes for another field what the rules found, or for nothing what hangs on words around it."""
    if finding.score >= _PROVEN or any(p.field == finding.field for p in there):
        return False
    return any(p.score >= _SURE for p in there) or (not there and finding.field in _BY_WORDS)


def _spots(findings: Sequence[Finding], part: str) -> Iterator[tuple[int, int]]:
    """Start and end of each finding of a part of the message; nowhere where it is of another."""
    return ((f.evidence.start, f.evidence.end) if f.evidence.part == part else (0, 0) for f in findings)


class _Places:
    """Which of many places in a text cover a stretch of it, found without looking at each of them."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self._sorted = sorted((start, end, n) for n, (start, end) in enumerate(places) if start < end)
        self._longest = max((end - start for start, end, _ in self._sorted), default=0)

    def over(self, start: int, end: int) -> list[int]:
        """Their numbers, in the order in which they were given to this list of places."""
        first = bisect_right(self._sorted, (start - self._longest,))
        found = []
        for begin, stop, n in self._sorted[first:]:
            if begin >= end:
                break
            if stop > start:
                found.append(n)
        return sorted(found)
