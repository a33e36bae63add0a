"""Which record of Odoo a message means: only one that stands out is taken, close ones are put to a human."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from extractors.conflicts import SURE
from extractors.evidence import Finding
from extractors.message import RecordRef, Value
from extractors.pointing import PROVEN
from triage.odoo.records import FREE_MAIL, PLATES, SENDER, TRACKING_FIELDS, Record
from triage.result import Candidate, Match

MIN_SCORE = 0.5  # below, a reference is too doubtful to act on: it stood in old history, or was read badly
MIN_LEAD = 0.25  # by how much the references that speak for one alone must outweigh those for another alone
MAX_ALTERNATIVES = 5

# How far a reference of this kind points at one record: its own name is unique, an order may have several shipments,
# and a customer's order number is unique for that customer only.
OWN_NAME = 1.0
POINTS_AT: Mapping[str, float] = MappingProxyType(
    {
        "delivery_order": 0.9,
        "shipment": 0.9,
        "sales_order": 0.85,
        "purchase_order": 0.8,
        **dict.fromkeys(TRACKING_FIELDS, 0.95),
        **dict.fromkeys(PLATES, 0.67),  # enough alone, too little to make an order doubtful
    }
)
# A reply is mostly about the record of the message before it. The sender alone never decides, only between others.
THREAD = 0.6
FROM_ADDRESS = 0.45
FROM_DOMAIN = 0.4


Hits = dict[str, tuple[float, str]]  # by plain reference: its weight, and the reason in words


class Matching(Value):
    """`match` is None when there is no candidate or none stands out; `reason` then says why, for people."""

    match: Match | None = None
    alternatives: tuple[Candidate, ...] = ()
    reason: str | None = None


def match(
    findings: Sequence[Finding],
    candidates: Sequence[Record],
    given: RecordRef | None,
    *,
    sender: str | None = None,
    thread_record: RecordRef | None = None,
) -> Matching:
    """The record that the sender gave is taken as it is; else references decide, each weighed by its score.

    `candidates` are records that answer to the findings, and the given one where it exists. `sender` is the address
    that the message came from, `thread_record` the record that an earlier message of the same thread matched.
    """
    hits = {record: _hits(findings, record) | _context(record, sender, thread_record) for record in candidates}
    ranked = sorted(hits, key=lambda record: (-_weight(hits[record]), record.model, record.id))
    named = [_candidate(record, hits[record]) for record in ranked]
    if given is not None:
        for position, record in enumerate(ranked):
            if (record.model, record.id) == (given.model, given.id):
                chosen = named.pop(position)
                reasons = ("the sender gave this record", *chosen.reasons)
                return _matched(chosen.model_copy(update={"score": 1.0, "reasons": reasons}), named)
    if not named or named[0].score < MIN_SCORE:
        reason = "the references found are too doubtful" if named else "no reference points at a record"
        if named and not any(hit.strip() == hit for hit in hits[ranked[0]]):
            reason = "no reference points at a record; those of the sender's firm are named"
        return Matching(alternatives=tuple(named[:MAX_ALTERNATIVES]), reason=reason)
    strangers = (f.value for f in findings if _is_stranger(f, candidates))
    if (unknown := next(strangers, None)) and not _hits([f for f in findings if f.score >= SURE], ranked[0]):
        reason = f"the message names {unknown}, to which no record answers"
        return Matching(alternatives=tuple(named[:MAX_ALTERNATIVES]), reason=reason)
    best = hits[ranked[0]]
    close = [record.name for record in ranked[1:] if _lead(best, hits[record]) < MIN_LEAD]
    if close:
        names = " and ".join([ranked[0].name, *close][:3])
        reason = f"{len(close) + 1} records answer to the message about equally well ({names}{' …' * (len(close) > 2)})"
        return Matching(alternatives=tuple(named[:MAX_ALTERNATIVES]), reason=reason)
    return _matched(named[0], named[1:])


def _matched(chosen: Candidate, others: Sequence[Candidate]) -> Matching:
    return Matching(match=Match(**chosen.model_dump(), alternatives=tuple(others[:MAX_ALTERNATIVES])))


def _hits(findings: Sequence[Finding], record: Record) -> Hits:
    """The references of the message to which the record answers; one that was found twice counts once."""
    hits: Hits = {}
    names = {_plain(reference) for reference in record.references}
    for finding in findings:
        value = _plain(finding.value)
        is_name = value == _plain(record.name)
        if finding.field in PLATES and _bare(finding.value) in {_bare(known) for known in record.references}:
            names.add(value)
        if finding.field in POINTS_AT and (is_name or value in names):
            score = finding.score * (OWN_NAME if is_name else POINTS_AT[finding.field])
            what = "is its name" if is_name else "is one of its references"
            hits[value] = max(hits.get(value, (0.0, "")), (score, f"{finding.field} {finding.value} {what}"))
    return hits


def _is_stranger(finding: Finding, candidates: Sequence[Record]) -> bool:
    """Whether the message itself surely names a shipment of Odoo's form that is none of the candidates."""
    named = finding.field == "delivery_order" and finding.score >= PROVEN
    in_message = not finding.evidence.on_paper
    return named and in_message and not any(answers_to(record, finding.value) for record in candidates)


def answers_to(record: Record, reference: str) -> bool:
    return _plain(reference) in {_plain(known) for known in (record.name, *record.references)}


def _context(record: Record, sender: str | None, thread_record: RecordRef | None) -> Hits:
    hits: Hits = {}
    if thread_record is not None and (record.model, record.id) == (thread_record.model, thread_record.id):
        hits[" thread"] = (THREAD, "an earlier message of the thread was about it")
    known = (record.partner_email or "").strip().casefold()
    address = (sender or "").strip().casefold()
    domain = address.rpartition("@")[2]
    if address and known == address:
        hits[f" {SENDER}"] = (FROM_ADDRESS, "the sender is its contact")
    elif domain and domain not in FREE_MAIL and known.endswith(f"@{domain}"):
        hits[f" {SENDER}"] = (FROM_DOMAIN, f"the sender is of its contact's firm ({domain})")
    return hits


def _weight(hits: Hits) -> float:
    """Different references that agree strengthen each other."""
    return 1.0 - math.prod(1.0 - score for score, _ in hits.values())


def _lead(one: Hits, other: Hits) -> float:
    """What both answer to, such as the order that two shipments share, says nothing about which is meant."""
    alone = {value: hit for value, hit in one.items() if value not in other or other[value][0] < hit[0]}
    against = {value: hit for value, hit in other.items() if value not in one or one[value][0] < hit[0]}
    return _weight(alone) - _weight(against)


def _candidate(record: Record, hits: Hits) -> Candidate:
    reasons = tuple(text for _, text in sorted(hits.values(), reverse=True))
    return Candidate(model=record.model, id=record.id, name=record.name, score=round(_weight(hits), 4), reasons=reasons)


def _plain(reference: str) -> str:
    return "".join(reference.split()).casefold()


def _bare(plate: str) -> str:
    """People write plates with dashes, dots or nothing between the letters."""
    return re.sub(r"\W", "", plate).casefold()
