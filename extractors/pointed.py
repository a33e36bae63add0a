"""Fields of a message that a trained tagger points at, read by the rules' own code and proven like any finding."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from extractors import dates, identifiers, naming, parties, quantities
from extractors.evidence import Evidence, Finding, best
from extractors.forms import Setting
from extractors.message import Message
from extractors.pointing import PROVEN, Point, Pointed, joined, read_at, stated

LONGEST = 20_000  # letters that a tagger is given; it reads less of most texts

_READ = frozenset({"newest", "signature"})
_SURE = 0.6  # of the tagger, against the rules
# What hangs on the words around it: what a number says, and whether "Driver waiting" names anybody.
_BY_WORDS = (quantities.FIELDS | {"driver_name", "remarks"}) - {"hazard_class", "volume"}
_TRUCK_FIRST = 0.1  # of a score
_WHOLE = (naming.FIELDS | identifiers.FIELDS) - {"description"}
_APART = re.compile(r"[ ./-]")
_AS_POINTED = naming.FIELDS | frozenset(parties.ADDRESSES)  # where these begin and end, words decide
_LEAST, _TRUST = 0.4, 0.85
_DOUBT = (  # fields, the least score that counts, and what it is worth: measured on dev and calibration
    (parties.PARTIES | parties.PERSONS | frozenset(parties.ADDRESSES) | {"site"}, (0.5, 0.65)),
    (dates.FIELDS, (0.5, 0.8)),
    (identifiers.FIELDS | quantities.MONEYS, (0.5, 0.8)),
)


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


def with_pointed(rules: Sequence[Finding], message: Message, setting: Setting, point: Point) -> list[Finding]:
    """What the rules and the tagger find in a message, without what the rules took for another field than it."""
    reading = readable(message)
    read = partial(stated, **setting._asdict())
    pointed, pointed_at = [], []
    places = point(reading.text[:LONGEST]) if reading.text else ()
    for field, start, end, score in _whole(reading.text, places):
        place = reading.place(start, end)
        if place is None:
            continue
        part, *where = place
        source = message.subject if part == "subject" else message.text
        for begin, stop in naming.each(field, source, *where):
            if found := read_at(field, source, begin, stop, read, prose=True):
                value, first, last = found
                evidence = Evidence(part=part, quote=source[first:last], start=first, end=last)
                pointed.append(Finding(field=field, value=value, score=score, method="model", evidence=evidence))
                itself = field in dates.FIELDS and max(first, begin) < min(
                    last, stop
                )  # without its day some words before
                pointed_at.append((max(first, begin), min(last, stop)) if itself else (first, last))
    return _named_once(_whole_names(_of_one_field(_merged(best(rules), pointed, pointed_at, message))))


def _whole(text: str, places: Iterable[Pointed]) -> Iterator[Pointed]:
    """The places, those of one address as one: street and town, which a comma or the end of a line parts; those of one
    name as one where nothing stands between them.
    """

    def belong(first: Pointed, second: Pointed) -> bool:
        between = text[first[2] : second[1]]
        if first[0] in parties.ADDRESSES:
            return not between.strip(" ,\n")
        return first[0] in naming.FIELDS and between == " "

    return joined(places, belong, max)


def _merged(
    findings: Sequence[Finding], pointed: Sequence[Finding], places: Sequence[tuple[int, int]], message: Message
) -> list[Finding]:
    """Both ways' findings; where they contradict each other at one of the `places` pointed at, the surer one's."""
    read = _Places((s.start, s.end) for s in message.segments if s.kind in _READ)
    at = list(zip(pointed, places, strict=True))
    theirs = {part: _Places(p if f.evidence.part == part else (0, 0) for f, p in at) for part in ("subject", "body")}
    kept: list[Finding] = []
    for finding in findings:
        place = finding.evidence
        if place.part == "subject" or (place.part == "body" and read.over(place.start, place.start + 1)):
            there = [pointed[i] for i in theirs[place.part].over(place.start, place.end)]
            if _gainsaid(finding, there):
                continue
        kept.append(finding)
    rules = [finding for finding in kept if finding.method == "pattern"]
    ours = {part: _Places(_spots(rules, part)) for part in ("subject", "body")}
    less: set[int] = set()
    told = []
    for finding, (start, end) in at:
        least, trust = next((doubt for fields, doubt in _DOUBT if finding.field in fields), (_LEAST, _TRUST))
        if finding.score < least:
            continue
        end = start + 1 if finding.field in quantities.LOSSES else end  # "9 of 24 pallets" holds the whole
        there = [rules[i] for i in ours[finding.evidence.part].over(start, end)]
        if all(_says_more(finding, rule) for rule in there):
            less.update(map(id, there))
            told.append(finding.model_copy(update={"score": round(finding.score * trust, 3)}))
    return [finding for finding in kept if id(finding) not in less] + told


def _says_more(pointed: Finding, rule: Finding) -> bool:
    """Whether the tagger's date has the rule's words and more: the time of the day, or that the day is over."""
    whole, part = pointed.evidence, rule.evidence
    covers = whole.start <= part.start and part.end <= whole.end and len(part.quote) < len(whole.quote)
    return covers and pointed.field == rule.field and pointed.field in dates.FIELDS


def _of_one_field(findings: Sequence[Finding]) -> list[Finding]:
    """Each number as one kind of reference, the surer one: of two as sure, a truck's plate or a shipment's number."""

    def rank(finding: Finding) -> tuple[float, bool]:
        return finding.score + _TRUCK_FIRST * (finding.field == "vehicle_plate"), finding.field == "shipment"

    references = [finding for finding in findings if finding.field in identifiers.FIELDS]
    meant = {finding.value: finding.field for finding in sorted(references, key=rank)}
    return [f for f in findings if f.field not in identifiers.FIELDS or f.field == meant[f.value]]


def _whole_names(findings: Sequence[Finding]) -> list[Finding]:
    """Without names and numbers that are a part of a longer one of their field: "Tiedemann" beside "Uwe Tiedemann"."""
    said = [(finding, f" {_APART.sub(' ', finding.value).casefold()} ") for finding in findings]
    longest: dict[str, set[str]] = {}
    for finding, words in said:
        if finding.field in _WHOLE:
            longest.setdefault(finding.field, set()).add(words)
    return [f for f, words in said if not any(words in n and words != n for n in longest.get(f.field, ()))]


def _named_once(findings: Sequence[Finding]) -> list[Finding]:
    """Goods as they are first named: no "patient samples" after "samples", no "coils" after "coil"."""
    goods: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (f.evidence.part != "subject", f.evidence.start)):
        others = (g.value for g in goods if g.value != finding.value)
        if finding.field == "description" and not any(naming.is_same(other, finding.value) for other in others):
            goods.append(finding)
    return [f for f in findings if f.field != "description" or f in goods]


def _gainsaid(finding: Finding, there: Sequence[Finding]) -> bool:
    """Whether the tagger takes for another field what the rules found, or for nothing what hangs on words around it.

    What a date means hangs on them alone: there the tagger has to agree.
    """
    if finding.score >= PROVEN:
        return False
    date = finding.field in dates.FIELDS
    if same := [p for p in there if p.field == finding.field and (p.score >= _LEAST or not date)]:
        return finding.field in _AS_POINTED and any(p.score >= _SURE for p in same)
    return date or any(p.score >= _SURE for p in there) or (not there and finding.field in _BY_WORDS)


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
