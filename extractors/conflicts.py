"""Where a message and a document that came with it say different things about one fact.

Only what one of the two may state once is compared: a fact that the newest text gives one value, and that exactly one
document speaks of, none of its values agreeing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from extractors.evidence import Finding
from extractors.message import Value

SURE = 0.6  # less certain findings, and all of quoted text, contradict nobody
LIKELY = 0.5  # on paper: what is rather right than wrong is worth a look at the page
_KILOGRAMS: Mapping[str, float] = MappingProxyType({"KGM": 1.0, "LBR": 0.45359237, "TNE": 1000.0})
_SAME_WEIGHT = 0.02
_SAME_DEGREE = 0.5  # of 2..8 degrees Celsius, 36..46 degrees Fahrenheit
_NUMBERS = ("purchase_order", "delivery_order", "awb", "bol", "cmr", "container", "seal", "tracking")
_DAYS = ("delivered_at", "pickup_actual", "eta_revised")
_LOSSES = ("pieces_short", "pieces_damaged")
_PLAIN = ("pallets", "un_number", "hazard_class", "temperature_required", "vehicle_plate", "trailer_plate")


class Conflict(Value):
    """Two findings of one field, one in the message and one in the document, that cannot both be right."""

    field: str
    message: Finding
    document: Finding


def find_conflicts(findings: Sequence[Finding]) -> tuple[Conflict, ...]:
    """`findings` as they were found, before those of one value are made one; a conflict for each field at most."""
    conflicts = []
    for field in (*_NUMBERS, *_DAYS, "gross_weight", *_LOSSES, *_PLAIN):
        said = [f for f in findings if f.field == field and f.score >= (LIKELY if f.evidence.on_paper else SURE)]
        ours = [f for f in said if not f.evidence.on_paper]
        theirs = [f for f in said if f.evidence.on_paper]
        if not theirs or len({f.value for f in ours}) != 1 or len({f.evidence.part for f in theirs}) != 1:
            continue
        if not any(_agree(field, ours[0].value, other.value) for other in theirs):
            conflicts.append(Conflict(field=field, message=ours[0], document=max(theirs, key=lambda f: f.score)))
    return tuple(conflicts)


def _agree(field: str, one: str, other: str) -> bool:
    if field in _DAYS:
        return one[:10] == other[:10] or datetime.fromisoformat(one) == datetime.fromisoformat(other)
    if field in _NUMBERS:  # with and without its prefix
        plain, given = sorted((re.sub(r"\W|_", "", one), re.sub(r"\W|_", "", other)), key=len)
        return given.endswith(plain)
    if field in _LOSSES:  # the same cartons are pieces to one and pallets to another
        return one.partition(" ")[0] == other.partition(" ")[0]
    if field == "gross_weight":
        first, second = _kilograms(one), _kilograms(other)
        return first is None or second is None or abs(first - second) <= _SAME_WEIGHT * max(first, second)
    if field == "temperature_required" and one[-3:] != other[-3:]:  # in another unit
        ours, theirs = _celsius(one), _celsius(other)
        return len(ours) == len(theirs) and all(abs(a - b) < _SAME_DEGREE for a, b in zip(ours, theirs, strict=True))
    return one == other


def _celsius(value: str) -> list[float]:
    """The degrees of `5 CEL`, or the lowest and the highest of `36..46 FAH`."""
    degrees, _, unit = value.partition(" ")
    return [(float(d) - 32) / 1.8 if unit == "FAH" else float(d) for d in degrees.split("..")]


def _kilograms(value: str) -> float | None:
    amount, _, unit = value.partition(" ")
    return float(amount) * _KILOGRAMS[unit] if unit in _KILOGRAMS else None
