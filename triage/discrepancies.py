"""Where a document and the record in Odoo say different things; what either does not say is no difference.

Only documents that name the record are compared, and a single one that names no other. Of several values of a field
in one document none may agree before they differ, and one of them must stand out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from difflib import SequenceMatcher
from types import MappingProxyType

from extractors.documents import Document, DocumentType
from extractors.evidence import Finding
from extractors.extraction import Extraction
from triage.matching import POINTS_AT, answers_to
from triage.odoo.records import Record
from triage.result import Discrepancy

COSTLY = frozenset({"gross_weight", "pieces", "packages", "consignee", "freight_charge"})
NAMES: Mapping[str, str] = MappingProxyType(
    {
        "gross_weight": "gross weight",
        "delivered_at": "day of delivery",
        "eta_revised": "arrival",
        "pickup_actual": "day of collection",
        "pickup_planned": "planned day of collection",
        "freight_charge": "freight charge",
    }
)

# Odoo adds up the goods' own weights. A document's gross weight has the packaging on top.
_LIGHTER = 0.03
_LIGHTER_KG = 1.0
_HEAVIER = 0.12
_PALLET_KG = 30.0
_PARCEL_KG = 1.0
_CHARGE = 0.01
_DAYS = 1  # a day's difference may be the time zone's
_ALIKE = 0.82
_KILOGRAMS: Mapping[str, float] = MappingProxyType({"KGM": 1.0, "LBR": 0.45359237, "TNE": 1000.0})
_PIECES = re.compile(r"pcs|pieces?|stück|pièces|piezas|pezzi|stuks|szt", re.IGNORECASE)
_FORMS = """
    ag bv bvba co corp corporation company gmbh inc kg limited llc llp ltd nv ohg oy plc pty sa sarl sas sl spa sp srl
    ug z o the and und et
"""
_LEGAL_FORM = frozenset(_FORMS.split())
_BILLS: frozenset[DocumentType] = frozenset({"freight_invoice", "rate_confirmation"})
_LONGEST = 120


def find_discrepancies(extraction: Extraction, record: Record | None) -> tuple[Discrepancy, ...]:
    """In the order of the documents, each field once: the first document that differs speaks for it."""
    if record is None or record.model not in ("stock.picking", "sale.order", "purchase.order"):
        return ()
    found: dict[str, Discrepancy] = {}
    for document in extraction.documents:
        said = [f for f in extraction.findings if f.evidence.part == document.part]
        if _is_about(said, record, alone=len(extraction.documents) == 1):
            for discrepancy in _compare(document, said, record):
                found.setdefault(discrepancy.field, discrepancy)
    return tuple(found.values())


def costs_money(discrepancies: Collection[Discrepancy]) -> bool:
    """Goods missing or too many, in the wrong hands, or charged otherwise than agreed."""
    return any(discrepancy.field in COSTLY for discrepancy in discrepancies)


def in_words(discrepancy: Discrepancy, record: Record) -> str:
    """For a rationale: `document says gross weight 812 kg, WH/OUT/00042 says 1240 kg`."""
    name = NAMES.get(discrepancy.field, discrepancy.field)
    return f"document says {name} {discrepancy.document}, {record.name} says {discrepancy.record}"


def _is_about(said: Sequence[Finding], record: Record, *, alone: bool) -> bool:
    references = [finding for finding in said if finding.field in POINTS_AT]
    return any(answers_to(record, finding.value) for finding in references) or (alone and not references)


def _compare(document: Document, said: Sequence[Finding], record: Record) -> Iterator[Discrepancy]:
    yield from _weight(said, record)
    yield from _counts(said, record)
    yield from _parties(said, record)
    yield from _dates(said, record)
    if document.type in _BILLS:
        yield from _charge(said, record)


def _weight(said: Sequence[Finding], record: Record) -> Iterator[Discrepancy]:
    if not record.weight_kg:
        return
    pallets = _amounts(said, "pallets")
    heaviest = record.weight_kg * (1 + _HEAVIER) + (max(pallets) if pallets else 1) * _PALLET_KG
    if record.weight_kg <= 30:
        heaviest = record.weight_kg * (1 + _HEAVIER) + (record.packages or 1) * _PARCEL_KG
    lightest = record.weight_kg * (1 - _LIGHTER) - _LIGHTER_KG
    read = {f: _kilograms(f.value) for f in said if f.field == "gross_weight"}
    weights = [kg for kg in read.values() if kg is not None]
    if any(lightest <= kg <= heaviest for kg in (*weights, sum(weights))):
        return
    best = _outstanding([f for f, kg in read.items() if kg is not None])
    if best is not None:
        yield Discrepancy(
            field="gross_weight", document=_shown(best.evidence.quote), record=f"{_number(record.weight_kg)} kg"
        )


def _counts(said: Sequence[Finding], record: Record) -> Iterator[Discrepancy]:
    """Pieces against the units ordered, cartons and parcels against Odoo's number of packages."""
    found = [f for f in said if f.field == "pieces"]
    loose = [f for f in found if _PIECES.search(f.evidence.quote)]
    packed = [f for f in found if f not in loose]
    for field, findings, known in (("pieces", loose, record.units), ("packages", packed, record.packages)):
        counts = _amounts(findings, "pieces")
        if not known or known in counts or sum(counts) == known:
            continue
        best = _outstanding(findings)
        if best is not None:
            yield Discrepancy(field=field, document=_shown(best.evidence.quote), record=_number(known))


def _parties(said: Sequence[Finding], record: Record) -> Iterator[Discrepancy]:
    consignee = record.partner if record.direction == "outgoing" else None
    for field, known in (("consignee", consignee), ("carrier", record.carrier)):
        findings = [f for f in said if f.field == field]
        if not known or any(_same_party(f.value, known) for f in findings):
            continue
        best = _outstanding(findings)
        if best is not None:
            yield Discrepancy(field=field, document=_shown(best.value), record=_shown(known))


def _dates(said: Sequence[Finding], record: Record) -> Iterator[Discrepancy]:
    """A delivery against Odoo's, an arrival only where Odoo holds what was promised, a collection against the plan.

    Odoo's scheduled date is the day on which goods leave; of a delivery it says nothing.
    """
    outgoing = record.direction == "outgoing"  # of an incoming one Odoo knows when it came, not when it was collected
    planned = record.planned_at if outgoing else None
    comparisons: tuple[tuple[str, datetime | None, bool], ...] = (
        ("delivered_at", record.done_at if record.direction == "incoming" else None, False),
        ("eta_revised", record.promised_at, True),
        ("pickup_planned", planned, False),
        ("pickup_actual", record.done_at or planned if outgoing else None, False),
    )
    for field, known, only_later in comparisons:
        days = {f: _day(f.value) for f in said if f.field == field}
        if known is None:
            continue
        apart = {f: (day - known.date()).days for f, day in days.items() if day is not None}
        if any((gap if only_later else abs(gap)) <= _DAYS for gap in apart.values()):
            continue
        best = _outstanding(list(apart))
        if best is not None:
            yield Discrepancy(field=field, document=_shown(best.value), record=known.date().isoformat())


def _charge(said: Sequence[Finding], record: Record) -> Iterator[Discrepancy]:
    if not record.freight_cost or not record.freight_currency:
        return
    findings = [f for f in said if f.field == "freight_charge" and f.value.endswith(f" {record.freight_currency}")]
    if any(amount <= record.freight_cost * (1 + _CHARGE) for amount in _amounts(findings, "freight_charge")):
        return
    best = _outstanding(findings)
    if best is not None:
        agreed = f"{record.freight_cost:.2f} {record.freight_currency}"
        yield Discrepancy(field="freight_charge", document=_shown(best.value), record=agreed)


def _outstanding(findings: Sequence[Finding]) -> Finding | None:
    """The one that is surer than all others; None where two are equally sure."""
    ranked = sorted(findings, key=lambda f: -f.score)
    if not ranked or (len(ranked) > 1 and ranked[1].score == ranked[0].score):
        return None
    return ranked[0]


def _amounts(findings: Sequence[Finding], field: str) -> list[float]:
    return [amount for f in findings if f.field == field and (amount := _amount(f.value)) is not None]


def _amount(value: str) -> float | None:
    try:
        return float(value.split()[0])
    except (ValueError, IndexError):
        return None


def _kilograms(value: str) -> float | None:
    amount, unit = _amount(value), value.rpartition(" ")[2]
    return amount * _KILOGRAMS[unit] if amount is not None and unit in _KILOGRAMS else None


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def _same_party(one: str, other: str) -> bool:
    """Names of one party: all words of one in the other, or spelled nearly alike, legal forms aside.

    Odoo shows a contact of a company as `Company, Contact`; either may stand in the document.
    """
    words = _words(one)
    known = [_words(other), *(_words(part) for part in other.split(","))]
    return not words or any(
        name
        and (
            set(words) <= set(name)
            or set(name) <= set(words)
            or SequenceMatcher(None, " ".join(words), " ".join(name)).ratio() >= _ALIKE
        )
        for name in known
    )


def _words(name: str) -> list[str]:
    words = re.findall(r"\w+", re.sub(r"(?<=\w)\.(?=\w)", "", name[:_LONGEST]).casefold())
    return [word for word in words if word not in _LEGAL_FORM]


def _number(amount: float) -> str:
    return f"{amount:.1f}".removesuffix(".0")


def _shown(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
