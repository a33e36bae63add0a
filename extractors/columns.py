"""What the columns of a table say of the whole load: the goods by name, and the totals in its last row."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from extractors.identifiers import reference_label
from extractors.items import column_of, is_total, rows_of
from extractors.pdf import Word
from extractors.quantities import value_of

_KILOS = r"[ ,(]*(?:in |en )?(?:kgs?|kilos?|lbs?)?"
_HEADINGS = tuple(
    (field, re.compile(rf"(?:\d{{1,2}}[a-z]?[.)]? )?(?:{words})\W*", re.IGNORECASE))
    for field, words in (
        ("description", r"(?:item |product |article |commodity )?description(?: of (?:the )?(?:goods|articles|contents|packages and goods))?|nature(?: and quantity)? of (?:the )?goods.*|commodity|goods|proper shipping name.*|offizielle (?:benennung|bezeichnung).*|officiële vervoersnaam|désignation officielle.*|clase de mercancía|(?:number and )?kind of packages.*description.*|warenbezeichnung|bezeichnung(?: des gutes)?|ware|inhalt|désignation(?: des marchandises)?|nature de la marchandise|marchandises?|descripción(?: de (?:la )?mercancía)?|mercancía|descrizione(?: della merce| merce)?|merce|natura della merce|aard (?:der|van de) goederen|omschrijving(?: (?:van )?(?:de )?goederen)?|goederen|nazwa towaru|rodzaj towaru|opis towaru|towar"),
        ("gross_weight", rf"(?:gross |total )?(?:weight|wt|mass)(?: gross)?{_KILOS}|gross ?(?:kgs?|kilos?|lbs?)|kg gross|(?:gross weight )?kgs? ?/ ?lbs?|brutto(?:gewicht|masse)?{_KILOS}|kgs? brutto|gewicht{_KILOS}|bruto ?kgs?|kilo'?s|poids(?: brut)?{_KILOS}|kg bruts?|peso(?: bruto| lordo)?{_KILOS}|(?:kg )?lordo{_KILOS}|brutogewicht{_KILOS}|waga(?: brutto)?{_KILOS}|masa brutto{_KILOS}"),
        ("pieces", r"(?:no\.?(?: of)? |number of |# ?|total )?(?:pkgs?|packages|pieces(?: rcp)?|pcs|cajas|kartons?|dozen|cartoni|scatole|cartons|ctns|parcels|cases|drums)(?: qty)?|(?:pkg|package|pack) qty|(?:anzahl )?(?:der )?(?:packstücke|colli)|(?:nombre|quantité)(?: des?| de)? (?:colis|pièces)|nb(?:re)? (?:de )?colis|colis|(?:n[°º.] ?|aantal )?colli|(?:n[°º.] |número de )?bultos|(?:liczba )?(?:sztuk|opakowań)|anzahl und art der (?:versandstücke|packstücke|verpackung)|(?:number|no\.?) and (?:kind|type) of (?:packages|pkgs).*|aantal en soort colli|nombre et (?:type|nature) des? colis"),
        ("pallets", r"(?:h\.?u\.?|handling units?|pallet|plt)(?: qty)?|(?:no\.? of )?(?:pallets|plts|skids)|paletten|palettes|palets|palés|bancali|palety|liczba palet"),
        ("volume", r"(?:volume|cube|cubage|measurement|volumen|objętość|kubatura)\W*(?:in )?(?:m3|m³|cbm)?|m3|m³|cbm"),
        ("hazard_class", r"(?:hazard |adr |imo |imdg )?class(?: or division)?|(?:adr-)?klasse|classe|clase|klasa"),
        ("quantity", r"(?:[lI]t\. papieren|qty|quantity|menge|anzahl|quantité|qté|cantidad|cant|quantità|q\.?tà|aantal|ilość)\.?(?: unit)?"),
        ("pickup_actual", r"(?:date )?(?:d['’])?enlèvement|date (?:ramasse|enl\.?)|pick-?up date|ship(?:ped)? date|ladedatum|abholdatum|fecha (?:de )?(?:recogida|carga)|data (?:di )?(?:ritiro|carico)|laaddatum|data załadunku"),
        ("delivered_at", r"delivery date|date delivered|date (?:de )?livraison|lieferdatum|fecha (?:de )?entrega|data (?:di )?consegna|leverdatum|data dostawy"),
        ("shipper", r"shipper|consignor|absender|expéditeur|remitente|mittente|afzender|nadawca"),
        ("consignee", r"consignee|delivered to|empfänger|destinataire|destinatario.*|geadresseerde|ontvanger|odbiorca"),
    )
)  # fmt: skip
_NUMBER = re.compile(
    r"(?P<number>\d{1,3}(?:[ .,']\d{3})+(?:[.,]\d{1,3})?|\d{1,7}(?:[.,]\d{1,3})?)(?P<unit>\s?[A-Za-zÀ-ž³]{1,10}\.?(?: [a-z]{1,3})?)?"
)
_PACKED = re.compile(r"(?P<number>\d{1,5})(?P<unit> [A-Za-z])")  # "6 IBC's 31HA1 à 1.000 l"
_PALLETS = re.compile(r"\b(?:plts?|pal(?:l?ets?)?|skids?)\b", re.IGNORECASE)  # "4 PLT" counts no cartons
_FARTHEST = 8.0  # heights of a row, from one row of a table to the next
_MOST_ROWS, _LONGEST_HEADING, _MOST_HEADING_ROWS = 60, 110, 3
_AMOUNTS = frozenset({"gross_weight", "pieces", "pallets", "volume"})
_COUNTED = _AMOUNTS | {"quantity"}  # what a line of goods has, though not all of it is of use
_UNIT = re.compile(r"kgs?|kilos?|lbs?|tonnes?|t|m3|m³|cbm", re.IGNORECASE)
_ALL_OF_IT = re.compile(
    r"(?<!\w)(?:totals?|totale|totaux|totali|totaal|gesamt|insgesamt|razem|łącznie)(?!\w)", re.IGNORECASE
)
_ALIGNED = 2.0  # points
_FULL = 0.85  # of the widest line of a column
_CLASS = re.compile(r"[1-9](?:\.[1-6][A-S]?)?")
_UN = re.compile(r"\s*UN ?\d{4}[ ,]+", re.IGNORECASE)


class Told(NamedTuple):
    """A field, where its value stands in the page's text, and whether only the heading says that it is in pounds."""

    field: str
    start: int
    end: int
    in_pounds: bool = False
    more: tuple[tuple[int, int], ...] = ()  # where it goes on


class Table(NamedTuple):
    goods: tuple[Told, ...]
    totals: tuple[Told, ...]
    named: tuple[Told, ...]  # what its rows say beside goods and amounts: references, consignees, hazard classes
    lines: tuple[tuple[int, int], ...]  # the cells of its rows, of which each is a part only, as offsets
    amounts: frozenset[str]  # the fields of its columns of amounts

    def lists(self, field: str, start: int, end: int, *, by_heading: bool) -> bool:
        """Whether a place is an amount of one of its several rows, and so not that of the load.

        One that only its heading names is one of them even where no totals are found.
        """
        told = field in self.amounts if by_heading else any(total.field == field for total in self.totals)
        return told and any(a <= start and end <= b for a, b in self.lines)


def read_tables(text: str, cells: Sequence[Word]) -> list[Table]:
    """The tables of a page whose headings name the goods and at least one amount."""
    rows = rows_of(cells)
    tables = []
    at = 0
    while at < len(rows):
        found = _heading_at(text, rows, at)
        if found is None:
            at += 1
            continue
        headings, height = found
        body, last = _body(text, rows[at + height :], headings)
        tables.append(_table(text, headings, body, last))
        at += height + len(body)
    return tables


class _Heading(NamedTuple):
    field: str  # or "" for another column
    left: float
    right: float
    pounds: bool


def _heading_at(text: str, rows: Sequence[Sequence[Word]], at: int) -> tuple[list[_Heading], int] | None:
    """The columns that begin at a row, and how many rows their headings take: broken lines, or languages."""
    block: list[Sequence[Word]] = []
    best = None
    for row in rows[at : at + _MOST_HEADING_ROWS]:
        apart = block and row[0].top - block[-1][0].bottom > 1.5 * max(c.height for c in block[-1])
        if apart or any(_NUMBER.fullmatch(text, cell.start, cell.end) for cell in row):
            break
        block.append(row)
        found = _headings(text, block)
        if found is not None and (best is None or _told(found) > _told(best[0])):
            best = found, len(block)
    return best


def _told(headings: Sequence[_Heading]) -> int:
    return sum(bool(heading.field) for heading in headings)


def _headings(text: str, block: Sequence[Sequence[Word]]) -> list[_Heading] | None:
    columns: list[list[Word]] = []
    for cell in (cell for row in block for cell in row):
        near = max(columns, key=lambda column: _shared(column[0], cell), default=None)
        if near is not None and _shared(near[0], cell) > 0:
            near.append(cell)
        else:
            columns.append([cell])
    headings: list[_Heading] = []
    for column in sorted(columns, key=lambda column: column[0].left):
        lines = [" ".join(text[cell.start : cell.end].split()) for cell in column]
        words = " ".join(lines)
        field = next(
            (field for said in (words, *lines) if len(said) < _LONGEST_HEADING and (field := _field_of(said))), ""
        )
        if field and any(field == heading.field for heading in headings):
            field = ""
        pounds = re.search(r"\blbs?\b", words, re.IGNORECASE) and not re.search(r"\bkgs?\b", words, re.IGNORECASE)
        headings.append(_Heading(field, column[0].left, column[0].right, bool(pounds)))
    fields = {heading.field for heading in headings} - {""}
    return headings if len(fields) >= 2 and fields & _COUNTED else None


def _shared(first: Word | _Heading, second: Word | _Heading) -> float:
    return min(first.right, second.right) - max(first.left, second.left)


@lru_cache(maxsize=4096)  # a page's cells are asked for in several rows, and forms come again
def _field_of(words: str) -> str:
    if sum(c.isalpha() for c in words) < 2:
        return ""
    words = " ".join(_ALL_OF_IT.sub(" ", words).split())
    return next((field for field, pattern in _HEADINGS if pattern.fullmatch(words)), "") or reference_label(words) or ""


def _body(
    text: str, rows: Sequence[Sequence[Word]], headings: Sequence[_Heading]
) -> tuple[list[Sequence[Word]], Sequence[Word] | None]:
    """The rows under a heading, and the row of totals: that called so, or that which adds up those above it."""
    body: list[Sequence[Word]] = []
    sums: dict[str, Decimal] = {}
    before: Sequence[Word] = ()
    for at, row in enumerate(rows[:_MOST_ROWS]):
        if is_total(text, row):
            return body, row
        if before and _heading_at(text, rows, at) is not None:
            break
        if before and row[0].top - before[0].bottom > _FARTHEST * max(before[0].height, 4.0):
            break
        if len(row) == 1 and row[0].end - row[0].start > 90:  # the small print
            break
        placed = list(_placed(row, headings, body))
        amounts = {
            heading.field: number
            for heading, cell in placed
            if heading.field in _AMOUNTS and (number := _number(text, heading, cell)) is not None
        }
        alone = not any(heading.field == "description" for heading, _ in placed)
        if sums and amounts and alone and all(sums.get(field) == number for field, number in amounts.items()):
            return body, row
        for field, number in amounts.items():
            sums[field] = sums.get(field, Decimal(0)) + number
        body.append(row)
        before = row
    return body, None


def _placed(
    row: Sequence[Word], headings: Sequence[_Heading], rows: Sequence[Sequence[Word]]
) -> Iterator[tuple[_Heading, Word]]:
    """The cells of a row whose column is known, with it; cells in line with one of other `rows` share its column."""
    columns = [(str(i), heading.left, heading.right) for i, heading in enumerate(headings)]
    for cell in row:
        like = cell
        if not any(_shared(cell, heading) > 0 for heading in headings):
            aligned = [
                c
                for other in rows
                for c in other
                if abs(c.left - cell.left) <= _ALIGNED or abs(c.right - cell.right) <= _ALIGNED
            ]
            like = next((c for c in aligned if any(_shared(c, heading) > 0 for heading in headings)), cell)
        heading = headings[int(column_of(like, columns))]
        if heading.field:
            yield heading, cell


def _table(
    text: str, headings: Sequence[_Heading], body: Sequence[Sequence[Word]], last: Sequence[Word] | None
) -> Table:
    goods: list[Told] = []
    named: list[Told] = []
    full = []
    all_placed = [list(_placed(row, headings, body)) for row in body]
    described = [c for placed in all_placed for h, c in placed if h.field == "description"]
    widest = max((c.left + _FULL * (c.right - c.left) for c in described), default=0.0)
    wrapped: Word | None = None  # goods whose line is full, and may go on in the next
    for row, placed in zip(body, all_placed, strict=True):
        if not any(h.field in _COUNTED and _amount(text, h, c) for h, c in placed):
            more = [cell for heading, cell in placed if heading.field == "description"]
            if len(row) == len(more) == 1 and wrapped and more[0].top - wrapped.bottom < wrapped.height:
                goods[-1] = goods[-1]._replace(more=(*goods[-1].more, (more[0].start, more[0].end)))
            wrapped = None
            continue
        full.append(row)
        wrapped = None
        here: list[Told] = []  # one of each field: a second cell of a column says more about the first
        for heading, cell in placed:
            if heading.field == "description" and sum(c.isalpha() for c in text[cell.start : cell.end]) > 3:
                skip = _UN.match(text, cell.start, cell.end)
                start = skip.end() if skip else cell.start
                goods.append(Told("description", start, cell.end))
                wrapped = cell if cell.right > widest else None
            elif heading.field == "hazard_class":
                if _CLASS.fullmatch(text, cell.start, cell.end):
                    here.append(Told("hazard_class", cell.start, cell.end))
            elif heading.field not in _COUNTED and heading.field not in ("description", *(n.field for n in here)):
                here.append(Told(heading.field, cell.start, cell.end))
        named += here
    totals: list[Told] = []
    source = last if last is not None else full[0] if len(full) == 1 else ()
    for heading, cell in _placed(source, headings, body):
        place = _amount(text, heading, cell) if heading.field in _AMOUNTS else None
        if place is None:
            continue
        field = "pallets" if _PALLETS.search(text, place[1], cell.end) else heading.field
        pounds = field == "gross_weight" and heading.pounds and "lb" not in text[slice(*place)]
        totals.append(Told(field, *place, pounds))
    several = last is not None or len(full) > 1
    lines = tuple((cell.start, cell.end) for row in body for cell in row) if several else ()
    amounts = frozenset(heading.field for heading in headings) & _AMOUNTS
    return Table(tuple(goods), tuple(totals), tuple(named), lines, amounts)


def _amount(text: str, heading: _Heading, cell: Word) -> tuple[int, int] | None:
    words = text[cell.start : cell.end].strip()
    match = _NUMBER.fullmatch(words) or (_PACKED.match(words) if heading.field == "pieces" else None)
    if match is None:
        return None
    start = cell.start + text[cell.start : cell.end].index(match[0])
    with_unit = heading.field in ("gross_weight", "volume")  # a weight is read with its unit, a count without
    if with_unit and match["unit"] and _UNIT.fullmatch(match["unit"].strip()):
        return start, start + len(match[0])
    return start, start + len(match["number"])


def _number(text: str, heading: _Heading, cell: Word) -> Decimal | None:
    place = _amount(text, heading, cell)
    value = value_of(heading.field, text[slice(*place)]) if place else None
    return Decimal(value.split()[0]) if value else None
