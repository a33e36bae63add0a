"""What a quote says as a value of a field, whoever pointed at it."""

from __future__ import annotations

from datetime import datetime

from extractors import contacts, dates, identifiers, parties, quantities


def value_of(
    field: str, quote: str, reference: datetime, *, month_first: bool = False, region: str | None = None
) -> str | None:
    """What a quote says as a value of `field`, in the field's stated form; None when it says nothing."""
    if field in identifiers.FIELDS:
        return identifiers.value_of(field, quote)
    if field in dates.FIELDS:
        return dates.value_of(field, quote, reference, month_first=month_first)
    if field in quantities.FIELDS:
        return quantities.value_of(field, quote)
    if field in contacts.FIELDS:
        return contacts.value_of(field, quote, region)
    if field in parties.FIELDS:
        return parties.value_of(field, quote)
    return " ".join(quote.split()) or None
