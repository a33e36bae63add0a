"""The goods of a delivery note or proof of delivery, line by line: what was ordered, and what was delivered."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors.documents import LineItem
from extractors.pdf import Word
from extractors.quantities import plain_number

_COLUMNS = tuple(
    (column, re.compile(rf"(?:{words})\.?", re.IGNORECASE))
    for column, words in (
        ("sku", r"sku|item(?: ?(?:no|number|code|#))?|article(?: ?(?:no|number))?|part(?: ?(?:no|number|#))?|product(?: code| no)?|code|material|artikel(?:[- ]?(?:nr|nummer|code))?|art\.?[- ]?nr|mat\.?[- ]?nr|réf(?:érence)?|code article|referencia|ref|código|codice(?: articolo)?|articolo|artikelnummer|indeks|kod|symbol|nr (?:kat|art)"),
        ("description", r"(?:item |product |article |goods )?description(?: of goods)?|contents|bezeichnung|beschreibung|artikelbezeichnung|désignation|libellé|descripción|concepto|descrizione|omschrijving|nazwa(?: towaru)?|opis"),
        ("ordered", r"(?:qty\.? ?|quantity )?ord(?:ered)?(?: ?(?:qty|quantity))?|bestellt(?:e menge)?|bestellmenge|soll|(?:qté |quantité )?(?:commandée?|cdée?)|(?:cant(?:idad|\.)? )?pedid[ao]|(?:q\.?tà |quantità )?ordinat[ao]|besteld(?: aantal)?|zamówion[eao]|ilość zam"),
        ("delivered", r"(?:qty\.? ?|quantity )?(?:del(?:ivered|'?d)?|shipped|ship|rec(?:eived|'?d)?)(?: ?(?:qty|quantity))?|qty|quantity|geliefert(?:e menge)?|liefermenge|ist|menge|(?:qté |quantité )?(?:livrée?|reçue?)|qté|quantité|(?:cant(?:idad|\.)? )?(?:entregad[ao]|servid[ao]|recibid[ao])|cantidad|cant|(?:q\.?tà |quantità )?(?:consegnat[ao]|spedit[ao])|q\.?tà|quantità|geleverd(?: aantal)?|aantal|dostarczon[eao]|wydan[eao]|ilość(?: wyd)?"),
    )
)  # fmt: skip
_BARE = re.compile(  # what was ordered, where another column says what was delivered
    r"(?:qty|quantity|menge|qté|quantité|cantidad|cant|q\.?tà|quantità|aantal|ilość)\.?", re.IGNORECASE
)
_NUMBER = re.compile(r"\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,3})?(?!\d)|\d+(?:[.,]\d{1,3})?")
_UNIT = re.compile(
    r"\s*(?:pcs?|ea|ct[n]?s?|cs|box(?:es)?|stk?|stück|krt|kart\.?|pal|pc[e]?|u|uds?|szt\.?|st|ks|x|kg|bt|rol|pz|cj|cajas|colis|m|l)\.?",
    re.IGNORECASE,
)
_TOTAL = re.compile(
    r"(?:grand |shipment |sub)?totals?\b|summe|gesamt|insgesamt|tot(?:ale[s]?|aal|aux|ali)\b|somme\b|razem|suma|łącznie|ogółem",
    re.IGNORECASE,
)
_SUM = re.compile(rf"(?:[\d., ]+ |\w{{2,15}} ?/ ?)?(?:{_TOTAL.pattern})", re.IGNORECASE)
_SUBTOTAL = re.compile(
    r"(?:sub-?\s?tota(?:a?l)\w*|sous-?\s?total|zwischensumme|tussentotaal|suma częściowa)(?!\w)", re.IGNORECASE
)
_MAX_LINES = 500
Columns = tuple[tuple[str, float, float], ...]  # name (or "" for another), left and right edge of its heading


def read_items(
    text: str, cells: Sequence[Word], page: int, columns: Columns | None = None
) -> tuple[list[LineItem], Columns | None]:
    """The lines of the table on a page, and its columns, by which a table goes on over the next page."""
    rows = rows_of(cells)
    items: list[LineItem] = []
    goes_on = True
    for at, row in enumerate(rows):
        found = _header(text, row)
        if found is not None:
            columns = found
            items, goes_on = _body(text, rows[at + 1 :], page, columns)
            break
    else:
        if columns is not None:
            items, goes_on = _body(text, rows, page, columns)
    return items[:_MAX_LINES], columns if goes_on else None


def rows_of(cells: Sequence[Word]) -> list[list[Word]]:
    """Cells that stand beside each other, from the top of the page down and from left to right."""
    rows: list[list[Word]] = []
    for cell in sorted(cells, key=lambda cell: (cell.top + cell.bottom) / 2):
        middle = (cell.top + cell.bottom) / 2
        if rows and rows[-1][0].top <= middle <= rows[-1][0].bottom:
            rows[-1].append(cell)
        else:
            rows.append([cell])
    return [sorted(row, key=lambda cell: cell.left) for row in rows]


def _header(text: str, row: Sequence[Word]) -> Columns | None:
    said = [" ".join(text[cell.start : cell.end].split()) for cell in row]
    found = [next((name for name, pattern in _COLUMNS if pattern.fullmatch(words)), "") for words in said]
    amounts = [_BARE.fullmatch(words) is not None for words in said]
    if "ordered" not in found and ("delivered", False) in zip(found, amounts, strict=True):
        found = ["ordered" if bare else name for name, bare in zip(found, amounts, strict=True)]
    columns: list[tuple[str, float, float]] = []
    for cell, name in zip(row, found, strict=True):
        if name and any(name == known for known, _, _ in columns):
            name = ""
        columns.append((name, cell.left, cell.right))
    names = {name for name, _, _ in columns}
    return tuple(columns) if "delivered" in names and names & {"sku", "description"} else None


def _body(text: str, rows: Sequence[Sequence[Word]], page: int, columns: Columns) -> tuple[list[LineItem], bool]:
    """The lines of a table, and whether it may go on over the next page: no total ends it."""
    items: list[LineItem] = []
    for row in rows:
        if is_subtotal(text, row):
            continue
        values: dict[str, str] = {}
        for cell in row:
            name = column_of(cell, columns)
            words = " ".join(text[cell.start : cell.end].split())
            if name:
                values[name] = f"{values[name]} {words}" if name in values else words
        first = text[row[0].start : row[0].end].strip()
        if _TOTAL.match(first) or _TOTAL.match(values.get("description", "")):
            return items, False
        amounts = {name: _amount(values[name]) for name in ("ordered", "delivered") if name in values}
        if amounts.get("delivered") is None:
            if (
                items
                and set(values) == {"description"}
                and row[0].top - (items[-1].box or (0, 0, 0, 0))[3] < 1.5 * row[0].height
            ):
                items[-1] = items[-1].model_copy(
                    update={"description": f"{items[-1].description or ''} {values['description']}".strip()}
                )
            elif items and len(values) > 1 and not (amounts.get("ordered") and values.get("delivered", "-") in "-–—"):
                break
            continue
        lefts, tops, rights, bottoms = zip(*((c.left, c.top, c.right, c.bottom) for c in row), strict=True)
        box = (min(lefts), min(tops), max(rights), max(bottoms))
        items.append(
            LineItem(page=page, sku=values.get("sku"), description=values.get("description"), box=box, **amounts)
        )
    return items, True


def is_total(text: str, row: Sequence[Word]) -> bool:
    """Whether one of the cells of a row begins with a word for the sum, after a sum or its name in another language."""
    return not is_subtotal(text, row) and any(_SUM.match(text, cell.start, cell.end) for cell in row)


def is_subtotal(text: str, row: Sequence[Word]) -> bool:
    """Whether one of the cells of a row begins with a word for the sum of a part of the table."""
    return any(_SUBTOTAL.match(text, cell.start, cell.end) for cell in row)


def column_of(cell: Word, columns: Sequence[tuple[str, float, float]]) -> str:
    """The name of the column that a cell belongs to; columns are names with the left and right edge of the heading.

    That which it overlaps, else the last that begins before its middle: headings stand at the left of their column.
    """
    middle = (cell.left + cell.right) / 2
    over = [c for c in columns if cell.left < c[2] and c[1] < cell.right]
    before = [c for c in columns if c[1] <= middle]
    if over:
        return min(over, key=lambda c: abs(c[1] + c[2] - 2 * middle))[0]
    return max(before, key=lambda c: c[1])[0] if before else min(columns, key=lambda c: c[1])[0]


def _amount(words: str) -> str | None:
    match = _NUMBER.match(words)
    if match is None or not (match.end() == len(words) or _UNIT.fullmatch(words, match.end())):
        return None
    return plain_number(match[0], decimals=3)
