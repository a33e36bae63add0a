"""Which record of Odoo a message means: only one that stands out is taken, close ones are put to a human."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from extractors.evidence import Finding
from extractors.message import RecordRef, Value
from triage.odoo.records import TRACKING_FIELDS, Record
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
    }
)


Hits = dict[str, tuple[float, str]]  # by plain reference: its weight, and the reason in words


class Matching(Value):
    """`match` is None when there is no candidate or none stands out; `reason` then says why, for people."""

    match: Match | None = None
    alternatives: tuple[Candidate, ...] = ()
    reason: str | None = None


def match(findings: Sequence[Finding], candidates: Sequence[Record], given: RecordRef | None) -> Matching:
    """The record that the sender gave is taken as it is; else references decide, each weighed by its score.

    `candidates` are records that answer to the findings, and the given one where it exists.
    """
    hits = {record: _hits(findings, record) for record in candidates}
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
        if finding.field in POINTS_AT and (is_name or value in names):
            score = finding.score * (OWN_NAME if is_name else POINTS_AT[finding.field])
            what = "is its name" if is_name else "is one of its references"
            hits[value] = max(hits.get(value, (0.0, "")), (score, f"{finding.field} {finding.value} {what}"))
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
