"""Pieces, pallets, weight and money, where the words beside them say what they are."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator

from extractors.evidence import Span, without_overlaps

FIELDS = frozenset(["pieces", "pallets", "gross_weight", "goods_value", "freight_charge", "disputed_amount"])

_AMOUNT = r"\d{1,3}(?:[ .,']\d{3}){1,3}(?:[.,]\d{1,2})?|\d{1,9}(?:[.,]\d{1,3})?"
_PALLETS = re.compile(
    r"(?<![\w.,/-])(?P<n>\d{1,4})\s?(?:x\s?)?(?:euro ?)?(?:pallets?|pal(?:l?et\w{0,6}|és|ette|\.)|plts?|epal|bancal[ei]|skids?)(?!\w)",
    re.IGNORECASE,
)
_PIECES = re.compile(
    r"(?<![\w.,/-])(?P<n>\d{1,6})\s?(?:x\s?)?(?:pcs|pieces?|cartons?|boxes|packages|parcels|colli|collo|kartons?|pakete|packstücke"
    r"|stück|colis|pièces|bultos|cajas|piezas|pezzi|scatole|stuks|dozen|szt|sztuk|kartonów)(?!\w)",
    re.IGNORECASE,
)
_WEIGHT = re.compile(
    rf"(?:gross ?weight|g\.?w\.?|brutto(?:gewicht)?|poids brut|peso (?:bruto|lordo)|brutogewicht|waga brutto|total weight|weight|gewicht|poids"
    rf"|peso|waga)[ \t]*(?:\(?(?P<u1>kgs?|lbs?|t)\)?)?[ \t]*[:=]?[ \t]*(?P<quote>(?P<n>{_AMOUNT})[ \t]?(?P<u2>kgs?|kilos?|lbs?|tons?|t)?)(?!\w)",
    re.IGNORECASE,
)
_MONEY = re.compile(
    rf"(?<![\w.,])(?:(?P<c1>EUR|USD|GBP|PLN|CHF|€|\$|£)[ ]?(?P<n1>{_AMOUNT})|(?P<n2>{_AMOUNT})[ ]?(?P<c2>EUR|USD|GBP|PLN|CHF|€|\$|£|zł))(?![\w]|[.,]\d)",
    re.IGNORECASE,
)
_CURRENCY = {"€": "EUR", "$": "USD", "£": "GBP", "zł": "PLN"}
_UNITS = {"k": "KGM", "l": "LBR", "t": "TNE"}
_MONEY_MEANING = tuple(
    (field, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))
    for field, words in (
        ("goods_value", r"(?:goods|cargo|declared|merchandise|shipment|commercial|insured) value|value of (?:the )?(?:goods|cargo|shipment)|warenwert|valeur (?:de la marchandise|déclarée)|valor (?:de la mercancía|declarado)|valore (?:della merce|dichiarato)|goederenwaarde|wartość towaru"),
        ("freight_charge", r"freight(?: (?:charge|cost|rate))?s?|rate|line ?haul|fracht(?:kosten|rate|preis)?|fret|frais de transport|flete|nolo|vracht(?:kosten|prijs)?|fracht"),
        ("disputed_amount", r"disput\w+|overcharg\w+|difference|credit note|refund|claim|surcharge|detention|waiting time|reklam\w+|gutschrift|differenz|litige|avoir|surfacturation|reclama\w+|abono|contest\w+|storno|geschil|creditnota|reklamacj\w+"),
    )
)  # fmt: skip


def find_quantities(text: str) -> list[Span]:
    """Quantities and money in `text`, in order."""
    return without_overlaps(list(_all(text)))


def value_of(field: str, quote: str) -> str | None:
    """`12 H87` (pieces), `33 PF` (pallets), `812 KGM`, `1234.50 EUR`: units of UN/ECE rec. 20, currencies of ISO 4217."""
    if field in ("pieces", "pallets"):
        match = re.match(r"\d+", quote)
        return f"{int(match[0])} {'H87' if field == 'pieces' else 'PF'}" if match else None
    if field == "gross_weight":
        match = re.fullmatch(rf"({_AMOUNT})\s?([A-Za-z]+)", quote)
        return f"{_plain(match[1], decimals=3)} {_UNITS[match[2][0].lower()]}" if match else None
    match = _MONEY.fullmatch(quote)
    if match is None:
        return None
    symbol = (match["c1"] or match["c2"]).lower()
    return f"{_plain(match['n1'] or match['n2'], decimals=2)} {_CURRENCY.get(symbol, symbol.upper())}"


def _all(text: str) -> Iterator[Span]:
    for field, pattern in (("pallets", _PALLETS), ("pieces", _PIECES)):
        for match in pattern.finditer(text):
            yield Span(field, value_of(field, match[0]) or "", match.start(), match.end(), 0.7)
    for match in _WEIGHT.finditer(text):
        quote = match["quote"]
        value = value_of("gross_weight", quote) if match["u2"] else None
        if value is not None:
            score = (
                0.9
                if re.match(r"gross|g\.?w|brut|poids brut|peso (?:bruto|lordo)|waga brutto", match[0], re.IGNORECASE)
                else 0.6
            )
            yield Span("gross_weight", value, match.start("quote"), match.end("quote"), score)
    for match in _MONEY.finditer(text):
        before = re.split(r"[;\n]|\.\s", text[max(0, match.start() - 50) : match.start()])[-1]
        best = max(
            ((m.end(), field) for field, pattern in _MONEY_MEANING for m in pattern.finditer(before)), default=None
        )
        value = value_of("goods_value", match[0])
        if best is not None and value is not None:
            yield Span(best[1], value, match.start(), match.end(), 0.75)


def _plain(amount: str, *, decimals: int) -> str:
    """`1.234,50` and `1,234.50` as `1234.50`: the last separator is the decimal one unless it sets off thousands."""
    amount = amount.replace(" ", "").replace("'", "")
    last = max(amount.rfind("."), amount.rfind(","))
    if last < 0:
        return str(int(amount))
    fraction = amount[last + 1 :]
    separators = amount.count(".") + amount.count(",")
    thousands = (
        len(fraction) == 3
        and (separators == 1 or amount.count(amount[last]) > 1)
        and (decimals < 3 or amount[:last] != "0")
    )
    if thousands:
        return str(int(re.sub(r"[.,]", "", amount)))
    return f"{int(re.sub(r'[.,]', '', amount[:last]) or 0)}.{fraction}"
