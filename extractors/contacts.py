"""Telephone numbers and e-mail addresses."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator

from extractors.evidence import Span, without_overlaps

FIELDS = frozenset(["phone", "email"])

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_PHONES = (
    re.compile(
        r"(?<![\w/.-])(?:\+|00)[1-9]\d{0,2}[ ./-]{0,2}(?:\(0?\d{0,4}\)[ ./-]{0,2})?\d(?:[ ./-]{0,2}\d){5,12}(?!\w)"
    ),
    re.compile(r"(?<![\w.,/+-])\(?0\d{1,4}\)?[ ./-]{1,3}\d{2,5}(?:[ ./-]?\d{2,5}){1,4}(?![\w]|[.,/-]\d)"),
    re.compile(r"(?<![\w.,/+-])\(?[2-9]\d{2}\)?[ .-]\d{3}[.-]\d{4}(?![\w]|[.,/-]\d)"),
    re.compile(
        r"(?i:\b(?:t[eé]l(?:efono?|efon|[eé]phone|efoon)?|phone|mob(?:ile|iel|il)?|portable|cell(?:ulare)?|handy|gsm|whatsapp|fax|kom(?:órka)?|móvil|ring|call(?: me| us)?(?: on| at)?)\b)[ .:#/)-]{0,4}(?P<number>\(?\d[\d ./()-]{5,16}\d)(?!\w)"
    ),
)
_FEWEST_PHONE_DIGITS, _MOST_PHONE_DIGITS = 7, 15
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|(?:[01]\d|2[0-4])[0-5]\d ?- ?(?:[01]\d|2[0-4])[0-5]\d")


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses stand."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield match.span()


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers stand that look like telephone numbers; some may overlap."""
    for pattern in _PHONES:
        for match in pattern.finditer(text):
            start, end = match.span("number") if "number" in pattern.groupindex else match.span()
            digits = sum(c.isdigit() for c in text[start:end])
            if _FEWEST_PHONE_DIGITS <= digits <= _MOST_PHONE_DIGITS and not _DATE.fullmatch(text[start:end]):
                yield start, end


def find_contacts(text: str) -> list[Span]:
    """Addresses and telephone numbers in `text`, in order."""
    spans = [Span("email", text[start:end].lower(), start, end, 0.97) for start, end in emails(text)]
    for start, end in phones(text):
        if value := value_of("phone", text[start:end]):
            spans.append(Span("phone", value, start, end, 0.95 if value.startswith("+") else 0.8))
    return without_overlaps(spans)


def value_of(field: str, quote: str) -> str | None:
    """An address in lower case; a number with its country's code as E.164, any other as printed."""
    if field == "email":
        return quote.lower() if _EMAIL.fullmatch(quote) else None
    if not quote.startswith(("+", "00")):
        return " ".join(quote.split()) or None
    import phonenumbers  # a tenth of a second to load, so only for the texts that need it

    try:
        number = phonenumbers.parse("+" + re.sub(r"\(0\)|\D", "", quote.removeprefix("00")))
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
