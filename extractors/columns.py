"""What the columns of a table say of the whole load: the goods by name, and the totals in its last row."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from extractors.items import column_of, is_total, rows_of
from extractors.pdf import Word

_HEADINGS = tuple(
    (field, re.compile(rf"(?:{words})\W*", re.IGNORECASE))
    for field, words in (
        ("description", r"(?:item |product |article |commodity )?description(?: of (?:the )?(?:goods|articles|contents|packages and goods))?|nature(?: and quantity)? of (?:the )?goods.*|commodity|goods|proper shipping name.*|(?:number and )?kind of packages.*description.*|warenbezeichnung|bezeichnung(?: des gutes)?|ware|inhalt|désignation(?: des marchandises)?|nature de la marchandise|marchandises?|descripción(?: de (?:la )?mercancía)?|mercancía|descrizione(?: della merce| merce)?|merce|natura della merce|omschrijving(?: (?:van )?(?:de )?goederen)?|goederen|nazwa towaru|opis towaru|towar"),
        ("gross_weight", r"(?:gross |total )?(?:weight|wt|mass)\W*(?:in )?(?:kgs?|lbs?)?(?: gross)?|gross (?:kgs?|lbs?)|brutto(?:gewicht)?\W*(?:kg)?|kg brutto|gewicht\W*(?:kg)?|poids(?: brut)?\W*(?:kg)?|peso(?: bruto| lordo)?\W*(?:kg)?|brutogewicht\W*(?:kg)?|waga(?: brutto)?\W*(?:kg)?|masa brutto\W*(?:kg)?"),
        ("pieces", r"(?:no\.?(?: of)? |number of |# ?)?(?:pkgs?|packages|pieces|pcs|cartons|ctns|parcels|cases|drums)(?: qty)?|(?:pkg|package|pack) qty|(?:anzahl )?(?:packstücke|colli)|nombre(?: de)? (?:colis|pièces)|nb(?:re)? (?:de )?colis|colis|(?:n[°º.] )?colli|(?:n[°º.] )?bultos|(?:liczba )?(?:sztuk|opakowań)"),
        ("pallets", r"(?:h\.?u\.?|handling units?|pallet|plt)(?: qty)?|(?:no\.? of )?(?:pallets|plts|skids)|paletten|palettes|palets|palés|bancali|palety|liczba palet"),
        ("volume", r"(?:volume|cube|measurement|volumen|objętość|kubatura)\W*(?:m3|m³|cbm)?|m3|m³|cbm"),
    )
)  # fmt: skip
_NUMBER = re.compile(
    r"(?P<number>\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,3})?|\d{1,7}(?:[.,]\d{1,3})?)(?P<unit>\s?[A-Za-zÀ-ž³]{1,10}\.?)?"
)
_PALLETS = re.compile(r"\b(?:plts?|pal(?:l?ets?)?|skids?)\b", re.IGNORECASE)  # "4 PLT" counts no cartons
_FARTHEST = 8.0  # heights of a row, from one row of a table to the next
_MOST_ROWS, _LONGEST_HEADING = 60, 110
_UN = re.compile(r"\s*UN ?\d{4}[ ,]+", re.IGNORECASE)


class Told(NamedTuple):
    """A field, where its value stands in the page's text, and whether only the heading says that it is in pounds."""

    field: str
    start: int
    end: int
    in_pounds: bool = False


class Table(NamedTuple):
    goods: tuple[Told, ...]
    totals: tuple[Told, ...]
    lines: tuple[tuple[int, int], ...]  # the cells of its rows above the totals, as offsets

    def lists(self, field: str, start: int, end: int) -> bool:
        """Whether a place is an amount of one of its rows, of which the totals give the sum."""
        return any(told.field == field for told in self.totals) and any(a <= start and end <= b for a, b in self.lines)


def read_tables(text: str, cells: Sequence[Word]) -> list[Table]:
    """The tables of a page whose headings name the goods and at least one amount."""
    rows = rows_of(cells)
    tables = []
    at = 0
    while at < len(rows):
        headings = _headings(text, rows[at])
        if headings is None:
            at += 1
            continue
        body, last = _body(text, rows, at)
        tables.append(_table(text, headings, body, last))
        at += len(body) + 1
    return tables


class _Heading(NamedTuple):
    field: str  # or "" for another column
    left: float
    right: float
    pounds: bool


def _headings(text: str, row: Sequence[Word]) -> list[_Heading] | None:
    headings: list[_Heading] = []
    for cell in row:
        words = " ".join(text[cell.start : cell.end].split())
        short = words if len(words) < _LONGEST_HEADING else ""
        field = next((field for field, pattern in _HEADINGS if pattern.fullmatch(short)), "")
        if field and any(field == heading.field for heading in headings):
            field = ""
        headings.append(_Heading(field, cell.left, cell.right, bool(re.search(r"\blbs?\b", words, re.IGNORECASE))))
    fields = {heading.field for heading in headings} - {""}
    return headings if len(fields) >= 2 and (fields - {"description"}) else None


def _body(text: str, rows: Sequence[Sequence[Word]], at: int) -> tuple[list[Sequence[Word]], Sequence[Word] | None]:
    """The rows under a heading, and the row of totals, if there is one."""
    body: list[Sequence[Word]] = []
    before = rows[at]
    for row in rows[at + 1 : at + 1 + _MOST_ROWS]:
        if is_total(text, row):
            return body, row
        first = before[0]
        if _headings(text, row):
            break
        if body and row[0].top - first.bottom > _FARTHEST * max(first.height, 4.0):
            break
        if len(row) == 1 and row[0].end - row[0].start > 90:  # the small print
            break
        body.append(row)
        before = row
    return body, None


def _table(
    text: str, headings: Sequence[_Heading], body: Sequence[Sequence[Word]], last: Sequence[Word] | None
) -> Table:
    columns = [(str(i), heading.left, heading.right) for i, heading in enumerate(headings)]

    def values(row: Sequence[Word]) -> Iterator[tuple[_Heading, Word]]:
        for cell in row:
            heading = headings[int(column_of(cell, columns))]
            if heading.field:
                yield heading, cell

    goods: list[Told] = []
    full = []
    for row in body:
        placed = list(values(row))
        numbers = [h.field for h, c in placed if h.field != "description" and _amount(text, h, c)]
        if not numbers:
            continue
        full.append(row)
        for heading, cell in placed:
            if heading.field == "description" and sum(c.isalpha() for c in text[cell.start : cell.end]) > 3:
                skip = _UN.match(text, cell.start, cell.end)
                start = skip.end() if skip else cell.start
                goods.append(Told("description", start, cell.end))
    totals: list[Told] = []
    source = last if last is not None else full[0] if len(full) == 1 else ()
    for heading, cell in values(source):
        place = None if heading.field == "description" else _amount(text, heading, cell)
        if place is None:
            continue
        field = "pallets" if _PALLETS.search(text, place[1], cell.end) else heading.field
        pounds = field == "gross_weight" and heading.pounds and "lb" not in text[slice(*place)]
        totals.append(Told(field, *place, pounds))
    lines = tuple((cell.start, cell.end) for row in body for cell in row) if last is not None else ()
    return Table(tuple(goods), tuple(totals), lines)


def _amount(text: str, heading: _Heading, cell: Word) -> tuple[int, int] | None:
    match = _NUMBER.fullmatch(text[cell.start : cell.end].strip())
    if match is None:
        return None
    start = cell.start + text[cell.start : cell.end].index(match[0])
    with_unit = heading.field in ("gross_weight", "volume")  # a weight is read with its unit, a count without
    return start, start + len(match[0] if with_unit else match["number"])
