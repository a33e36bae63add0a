"""What the columns of a table say of the whole load: the goods by name, and the totals in its last row."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import islice, pairwise
from typing import NamedTuple

from extractors.captions import caption_of
from extractors.dates import find_moments
from extractors.identifiers import reference_label
from extractors.items import column_of, is_subtotal, is_total, rows_of
from extractors.parties import begins_inside, goods_in
from extractors.pdf import Word
from extractors.quantities import value_of
from extractors.ruling import Box

_KILOS = r"[ ,(]*(?:in |en )?(?:kgs?|kilos?|lbs?)?"
_SAID_BY = (
    r",? (?:as|según|selon|laut|volgens|secondo|wg) (?:declar|déclar|dichiar|decl|angabe|opgave|oświad)[^,;:]{2,40}"
)
_HEADINGS = tuple(
    (field, re.compile(rf"(?:\d{{1,2}}[a-z]?[.)]? )?(?:{words})(?:{_SAID_BY})?\W*", re.IGNORECASE))
    for field, words in (
        ("description", r"(?:item |product |article |commodity )?description(?: of (?:the )?(?:goods|articles|contents|packages and goods))?|nature(?: and quantity)? of (?:the )?goods.*|commodity|goods|proper shipping name.*|(?:un-?nr\.?, ?)?offizielle (?:benennung|bezeichnung).*|officiële vervoersnaam|désignation officielle.*|clase de mercancía|(?:number and )?kind of packages.*description.*|warenbezeichnung|bezeichnung(?: des gutes)?|ware|inhalt|désignation(?: des marchandises)?|nature de la marchandise|marchandises?|descripción(?: de (?:la )?mercancía)?|mercancía|descrizione(?: della merce| merce)?|merce|natura della merce|aard (?:der|van de) goederen|omschrijving(?: (?:van )?(?:de )?goederen)?|goederen|nazwa towaru|rodzaj towaru|opis towaru|towar"),
        ("gross_weight", rf"(?:gross |total )?(?:weight|wt|mass)(?: gross)?{_KILOS}|gross ?(?:kgs?|kilos?|lbs?)|kg gross|kgs?|g\.? ?w\.?{_KILOS}|(?:gross weight )?kgs? ?/ ?lbs?|brut(?:to)?(?:gewicht|masse|gew\.?)?{_KILOS}|kgs? brut(?:to)?|gewicht{_KILOS}|bruto ?kgs?|kilo'?s|poids(?: brut)?{_KILOS}|kg bruts?|peso(?: bruto| lordo)?{_KILOS}|(?:kg )?lordo{_KILOS}|brutogewicht{_KILOS}|waga(?: brutto)?{_KILOS}|masa brutto{_KILOS}"),
        ("pieces", r"(?:no\.?(?: of)? |number of |# ?|total )?(?:pkgs?|packages|pieces(?: rcp)?|pcs|cajas|kartons?|dozen|cartoni|scatole|cartons|ctns|parcels|cases|drums)(?: qty)?|(?:pkg|package|pack) qty|(?:anzahl )?(?:der )?(?:packstücke|colli)|(?:nombre|quantité)(?: des?| de)? (?:colis|pièces)|nb(?:re)? (?:de )?colis|colis|(?:n[°º.] ?|aantal )?colli|(?:n[°º.] |número de )?bultos|(?:(?:liczba|[iIl]lość) )?(?:sztuk|opakowań)|anzahl,? (?:und |u\. )?(?:art|verpackung).*|kartons?(?: [lI]t\.? papier\w*)|anzahl und art der (?:versandstücke|packstücke|verpackung)|(?:number|no\.?) and (?:kind|type) of (?:packages|pkgs).*|aantal en soort colli|nombre et (?:type|nature) des? colis"),
        ("pallets", r"(?:h[./]?u\.?|handling units?|pallet|plt)(?: qty)?|(?:no\.? of )?(?:pallets|plts|skids)|paletten|palettes|palets|palés|bancali|palety|liczba palet"),
        ("volume", r"(?:volume|cube|cubage|measurement|volumen|objętość|kubatura)\W*(?:in )?(?:m3|m³|cbm)?|m3|m³|cbm"),
        ("hazard_class", r"(?:hazard |adr |imo |imdg )?class(?: or division)?|(?:adr-)?klasse|classe|clase|klasa"),
        ("quantity", r"(?:[lI]t\. papieren|szt|stk|qty|quantity|menge|anzahl|quantité|qté|cantidad|cant|quantità|q\.?tà|aantal|ilość)\.?(?: (?:unit|kg|m|u)\.?)?"),
        ("pieces_short", r"(?:qty |pcs |pieces )?(?:short|shortage|missing)|fehlend|fehlmenge|fehlt|manquants?|faltantes?|mancanti|ontbreekt|ontbrekend|manco|brak|braki|brakuje"),
        ("pieces_damaged", r"(?:(?:qty|pcs|pieces|no\.?|number) )?damaged?|beschädigt|bruch|avariée?s?|endommagée?s?|dañad[oa]s?|averiad[oa]s?|danneggiat[aoie]|beschadigd|uszkodzon[aeoy]+"),
        ("pickup_actual", r"(?:date )?(?:d['’])?enlèvement|date (?:ramasse|enl\.?)|pick-?up date|ship(?:ped)? date|ladedatum|abholdatum|fecha (?:de )?(?:recogida|carga)|data (?:di )?(?:ritiro|carico)|laaddatum|data załadunku"),
        ("delivered_at", r"delivery date|date delivered|date (?:de )?livraison|lieferdatum|fecha (?:de )?entrega|data (?:di )?consegna|leverdatum|data dostawy"),
        ("shipper", r"shipper|consignor|absender|expéditeur|remitente|mittente|afzender|nadawca"),
        ("consignee", r"consignee|delivered to|empfänger|destinataire|destinatario.*|geadresseerde|ontvanger|odbiorca"),
    )
)  # fmt: skip
_OF_COLUMNS = frozenset(field for field, _ in _HEADINGS) - {"shipper", "consignee"}  # which are boxes' captions, too
_NUMBER = re.compile(
    r"(?P<number>\d{1,3}(?:[ .,'’′]\d{3})+(?:[.,]\d{1,3})?|\d{1,7}(?:[.,]\d{1,3})?)(?P<unit>\s?[A-Za-zÀ-ž³]{1,10}\.?(?: (?:[a-z]{1,3}|gross|brutt?o|lordo))?)?"
)
_LEADING_NUMBER = re.compile(r"(?P<number>\d{1,7}(?:[.,]\d{1,3})?) +(?=[A-ZÀ-Ž]|\d{1,4} ?[x×] ?\d)")
_PACKED = re.compile(r"(?P<number>\d{1,5})(?P<unit> [A-Za-z])")  # "6 IBC's 31HA1 à 1.000 l"
_PALLETS = re.compile(r"\b(?:plts?|pal(?:l?ets?)?|skids?)\b", re.IGNORECASE)  # "4 PLT" counts no cartons
_HEADINGS_APART = 1.8  # heights between the lines of headings
_IN_PALLETS = re.compile(  # in the column for how goods are packed
    r"(?:eu(?:ro?)?[ -]?)?(?:plts?|pal(?:l?et(?:te[ns]?|s|y)?|és|\.)?|skids?|bancal[ei]s?|epal)", re.IGNORECASE
)
_FARTHEST = 8.0  # heights of a row, from one row of a table to the next
_MOST_ROWS, _LONGEST_HEADING, _MOST_HEADING_ROWS = 60, 110, 3
_MOST_NUMBERS, _LONGEST_TOTAL = 6, 50  # of a cell of totals
_AMOUNTS = frozenset({"gross_weight", "pieces", "pallets", "volume", "pieces_short", "pieces_damaged"})
_COUNTED = _AMOUNTS | {"quantity"}  # what a line of goods has, though not all of it is of use
_NAMED = frozenset({"description", "hazard_class", "consignee", "shipper", "pickup_actual", "delivered_at"})
_DATED = frozenset({"pickup_planned", "pickup_actual", "eta_original", "eta_revised", "delivered_at"})
_REFERENCES = frozenset({"shipment", "tracking", "cmr", "bol", "purchase_order", "delivery_order", "sales_order"})
_SEVERAL = frozenset(
    {"seal"}
)  # of which a row may have two, each in a column of its own: "Plombe oben", "Plombe unten"
_FEWEST_LISTED = 3  # columns of a list of shipments, which may count nothing
_BOX = re.compile(r"(\d{1,2})[a-z]?[.)]? ?[A-ZÀ-Ž]")  # "7 Anzahl", on a form
_CUBIC_METRES = re.compile(r"(?:\d{1,2}[a-z]?[.)]? )?m[3³]\W*", re.IGNORECASE)
_MOST_DIGITS = 4  # of a heading
_UNIT = re.compile(r"kgs?|kilos?|lbs?|tonnes?|t|m3|m³|cbm", re.IGNORECASE)
_ALL = r"totals?|totale|totaux|totali|totaal|gesamt|insgesamt|razem|łącznie"
_ALL_OF_IT = re.compile(rf"(?<!\w)(?:{_ALL})(?!\w)", re.IGNORECASE)
_SAID_TOTAL = re.compile(rf"^(?:{_ALL}|summe|somme|suma)\W{{1,3}}(?=\d)", re.IGNORECASE)  # "Gesamt: 22", in its column
_BARE_REFERENCE = re.compile(
    r"(?:ref|réf|rif|referenc\w*|référence|referencia|riferimento|referentie)\.?", re.IGNORECASE
)
_UNFINISHED = re.compile(
    r"(?:[,&(-]| (?:with|and|of|for|in|und|mit|für|et|de|avec|y|con|e|di|met|en|z|i)|environmentally(?: hazardous)?|umweltgefährdender|milieugevaarlijke)$",
    re.IGNORECASE,
)
_SHORTEST_NAME = 3  # letters
_CLOSE = 1.3  # heights between the lines of one name
_ALIGNED = 2.0  # points
_UNDER = 2.0  # from a line that names packages to what is in them
_FULL = 0.85  # of the widest line of a column
_CLASS = re.compile(r"[1-9](?:\.[1-6][A-S]?)?")


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
    headings: tuple[tuple[int, int], ...]  # their cells, as offsets
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
        later = _heading_at(text, rows, at + 1) if height > 1 else None
        if later is not None and later[1] >= height - 1 and _told(later[0]) > _told(headings):
            at, (headings, height) = at + 1, later  # its first row was of another box
        body, last = _body(text, rows[at + height :], headings)
        said = tuple((cell.start, cell.end) for row in rows[at : at + height] for cell in row)
        tables.append(_table(text, headings, body, last, said))
        at += height + len(body)
    return tables


class _Heading(NamedTuple):
    field: str  # or "" for another column
    left: float
    right: float
    pounds: bool
    frame: Box | None  # of ruled lines


def _heading_at(text: str, rows: Sequence[Sequence[Word]], at: int) -> tuple[list[_Heading], int] | None:
    """The columns that begin at a row, and how many rows their headings take: broken lines, or languages."""
    block: list[Sequence[Word]] = []
    best = None
    if len(rows[at]) < 2:  # the title of a box, or the last line of another
        return None
    for row in rows[at : at + _MOST_HEADING_ROWS]:
        apart = block and row[0].top - block[-1][0].bottom > _HEADINGS_APART * max(c.height for c in block[-1])
        if apart or _is_values(text, row) or _is_pairs(text, row):
            break
        block.append(row)
        found = _headings(text, block)
        if found is not None and (best is None or _told(found) >= _told(best[0]) - (len(block) > 1)):
            best = found, len(block)
    return best


def _is_values(text: str, row: Sequence[Word]) -> bool:
    """Whether a row holds what no heading does: an amount or a longer number, which that of a box is not."""
    words = [text[cell.start : cell.end] for cell in row]
    boxes = [int(box[1]) for said in words if (box := _BOX.match(said))]
    if len(boxes) >= _FEWEST_LISTED and all(a < b for a, b in pairwise(boxes)):
        return False
    return any(_NUMBER.fullmatch(said) or sum(c.isdigit() for c in said) > _MOST_DIGITS for said in words)


def _is_pairs(text: str, row: Sequence[Word]) -> bool:
    """Whether a row is made of captions, each with its value beside it."""
    captions = [_is_caption(text[cell.start : cell.end]) for cell in row]
    numbers = any(c.isdigit() for cell in row[1::2] for c in text[cell.start : cell.end])
    return len(row) >= 4 and numbers and all(captions[::2]) and not any(captions[1::2])


def _told(headings: Sequence[_Heading]) -> int:
    return sum(bool(heading.field) for heading in headings)


def _headings(text: str, block: Sequence[Sequence[Word]]) -> list[_Heading] | None:
    fullest = max(block, key=len)
    columns = [[cell] for cell in fullest]
    for cell in (cell for row in block if row is not fullest for cell in row):
        near = max(columns, key=lambda column: _shared(column[0], cell))
        over = [column for column in columns if 4 * _shared(column[0], cell) > column[0].right - column[0].left]
        if _shared(near[0], cell) <= 0:
            columns.append([cell])
        for column in over if len(over) > 1 else [near]:  # "Packages", over their quantity and their type
            if _shared(column[0], cell) > 0 and cell not in column:
                column.append(cell)
    headings: list[_Heading] = []
    for column in sorted(columns, key=lambda column: column[0].left):
        in_order = sorted(column, key=lambda cell: cell.top)
        lines = [" ".join(text[cell.start : cell.end].split()) for cell in in_order]
        words = " ".join(lines)
        said = (words,) if caption_of(words) == "" else (words, *lines)
        field = next((field for part in said if len(part) < _LONGEST_HEADING and (field := _field_of(part))), "")
        if field and field not in _SEVERAL and any(field == heading.field for heading in headings):
            field = ""
        pounds = re.search(r"\blbs?\b", words, re.IGNORECASE) and not re.search(r"\bkgs?\b", words, re.IGNORECASE)
        headings.append(_Heading(field, column[0].left, column[0].right, bool(pounds), column[0].frame))
    fields = {heading.field for heading in headings} - {""}
    counted = fields & _COUNTED
    listed = fields & _DATED and fields & _REFERENCES and len(fields) >= _FEWEST_LISTED
    return headings if listed or (counted and (len(counted) > 1 or fields & _NAMED)) else None


def _shared(first: Word | _Heading, second: Word | _Heading) -> float:
    return min(first.right, second.right) - max(first.left, second.left)


@lru_cache(maxsize=4096)  # a page's cells are asked for in several rows, and forms come again
def _field_of(words: str) -> str:
    if sum(c.isalpha() for c in words) < 2 and not _CUBIC_METRES.fullmatch(words):
        return ""
    words = " ".join(_ALL_OF_IT.sub(" ", words).split())
    if _BARE_REFERENCE.fullmatch(words):  # of articles, as a heading
        return ""
    field = next((field for field, pattern in _HEADINGS if pattern.fullmatch(words)), "") or reference_label(words)
    if not field:
        caption = caption_of(words)
        field = caption if caption in _OF_COLUMNS | _DATED else ""
    return field


def is_of_all(words: str) -> bool:
    """Whether a caption speaks of the total."""
    return _ALL_OF_IT.search(words) is not None


def _is_caption(words: str) -> bool:
    return bool(_field_of(words)) or caption_of(words) is not None


def _body(
    text: str, rows: Sequence[Sequence[Word]], headings: Sequence[_Heading]
) -> tuple[list[Sequence[Word]], Sequence[Word] | None]:
    """The rows under a heading, and the row of totals: that called so, or that which adds up those above it."""
    body: list[Sequence[Word]] = []
    sums: dict[str, Decimal] = {}
    before: Sequence[Word] = ()
    for at, row in enumerate(rows[:_MOST_ROWS]):
        if is_subtotal(text, row):
            continue
        if not any(c.isalnum() for cell in row for c in text[cell.start : cell.end]):  # a line of dashes
            summed = len(row) > 1 and body and at + 1 < len(rows)  # under each of the columns: their sums follow
            if summed and all(_NUMBER.fullmatch(text, c.start, c.end) for c in rows[at + 1][:2]):
                return body, rows[at + 1]
            continue
        if is_total(text, row):
            below = rows[at + 1] if at + 1 < len(rows) else row
            captions = not any(_NUMBER.fullmatch(text, cell.start, cell.end) for cell in row)
            close = below[0].top - row[0].bottom < 2 * row[0].height
            boxed = row[0].frame is not None and below[0].frame == row[0].frame
            under = captions and (close or boxed)
            return body, below if under and any(_NUMBER.fullmatch(text, c.start, c.end) for c in below) else row
        if before and _heading_at(text, rows, at) is not None:
            break
        if before and len(row) > 1 and all(_is_caption(text[cell.start : cell.end]) for cell in row):
            break  # another table's headings
        if before and row[0].top - before[0].bottom > _FARTHEST * max(before[0].height, 4.0):
            break
        if len(row) == 1 and row[0].end - row[0].start > 90:  # the small print
            break
        if not body and all(_is_caption(text[cell.start : cell.end]) for cell in row):  # in a language more
            continue
        placed = list(_placed(text, row, headings, body))
        amounts = {
            heading.field: number
            for heading, cell in placed
            if heading.field in _AMOUNTS and (number := _number(text, heading, cell)) is not None
        }
        alone = not any(heading.field == "description" for heading, _ in placed)
        added = {field: sums[field] == number for field, number in amounts.items() if field in sums}
        shorter = len(body) > 1 or len(row) < len(before)  # two lines may say the same
        if added and alone and shorter and all(added.values()):
            return body, row
        for field, number in amounts.items():
            sums[field] = sums.get(field, Decimal(0)) + number
        body.append(row)
        before = row
    return body, None


def _one_column(first: Box | None, second: Box | None) -> bool:
    """Whether two frames stand under each other, as wide as each other."""
    return bool(first and second and abs(first[0] - second[0]) < _ALIGNED and abs(first[2] - second[2]) < _ALIGNED)


def _apart(text: str, cell: Word, headings: Sequence[_Heading]) -> Iterator[Word]:
    """A cell of two columns, a number and what is counted, as two: columns may be so close that nothing parts them."""
    number = _LEADING_NUMBER.match(text, cell.start, cell.end)
    if number is not None:
        end, start = number.end("number"), number.end()
        first = cell._replace(end=end, right=cell.left + cell.letter * (end - cell.start))
        rest = cell._replace(start=start, left=cell.left + cell.letter * (start - cell.start))
        of_first, of_rest = (max(headings, key=lambda h: _shared(h, part)) for part in (first, rest))
        if of_first is not of_rest and min(_shared(of_first, first), _shared(of_rest, rest)) > 0:
            yield first
            yield rest
            return
    yield cell


def _placed(
    text: str, row: Sequence[Word], headings: Sequence[_Heading], rows: Sequence[Sequence[Word]]
) -> Iterator[tuple[_Heading, Word]]:
    """The cells of a row whose column is known, with it; cells in line with one of other `rows` share its column."""
    columns = [(str(i), heading.left, heading.right) for i, heading in enumerate(headings)]
    frames = [heading.frame for heading in headings if heading.frame is not None]
    ruled = len(set(frames)) == len(headings)
    for cell in (part for whole in row for part in _apart(text, whole, headings)):
        like = cell
        if ruled and cell.frame is not None:
            own = next((h for h in headings if _one_column(h.frame, cell.frame)), None)
            outside = cell.right < min(f[0] for f in frames) or cell.left > max(f[2] for f in frames)
            if own is not None and own.field:
                yield own, cell
            if own is not None or outside:
                continue
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
    text: str,
    headings: Sequence[_Heading],
    body: Sequence[Sequence[Word]],
    last: Sequence[Word] | None,
    said: tuple[tuple[int, int], ...],
) -> Table:
    named: list[Told] = []
    full = []
    all_placed = [list(_placed(text, row, headings, body)) for row in body]
    for row, placed in zip(body, all_placed, strict=True):
        if not _is_counted(text, placed) and not _is_listed(text, placed):
            continue
        full.append(row)
        here: list[Told] = []  # one of each field: a second cell of a column says more about the first
        for heading, cell in placed:
            if heading.field == "hazard_class":
                if _CLASS.fullmatch(text, cell.start, cell.end):
                    here.append(Told("hazard_class", cell.start, cell.end))
            elif heading.field not in _COUNTED and (
                heading.field in _SEVERAL or heading.field not in ("description", *(n.field for n in here))
            ):
                here.append(Told(heading.field, cell.start, cell.end))
        named += here
    goods = list(_goods(text, all_placed))
    totals: list[Told] = []
    source = last if last is not None else full[0] if len(full) == 1 else ()
    if last is not None:
        source = [part for cell in last for part in _numbers_in(text, cell)]
    summed = [*_placed(text, source, headings, body)]
    if last is not None or len(full) > 1:
        given = {heading.field for heading, cell in summed if _amount(text, heading, cell)}
        summed += _alone(text, [placed for placed in all_placed if _is_counted(text, placed)], given)
    packings = {cell.start: (after.start, after.end) for row in (*body, source) for cell, after in pairwise(row)}
    for heading, cell in summed:
        place = _amount(text, heading, cell) if heading.field in _COUNTED else None
        if place is None or (heading.field == "quantity" and last is None):
            continue
        packed = packings.get(cell.start)
        palletised = packed and heading.field in ("pieces", "quantity") and _IN_PALLETS.fullmatch(text, *packed)
        field = "pallets" if palletised or _PALLETS.search(text, place[1], cell.end) else heading.field
        pounds = field == "gross_weight" and heading.pounds and "lb" not in text[slice(*place)]
        totals.append(Told(field, *place, pounds))
    several = last is not None or len(full) > 1
    lines = tuple((cell.start, cell.end) for row in body for cell in row) if several else ()
    amounts = frozenset(heading.field for heading in headings) & _AMOUNTS
    counted = {"pieces", "quantity"} & {heading.field for heading in headings}
    if last is not None and counted and not any(total.field in ("pieces", "quantity") for total in totals):
        totals += _sum_in(text, last, "pieces" if "pieces" in counted else "quantity", all_placed)
    if any(total.field == "pieces" for total in totals):
        totals = [total for total in totals if total.field != "quantity"]
    return Table(tuple(goods), tuple(totals), tuple(named), said, lines, amounts)


def _alone(
    text: str, rows: Sequence[Sequence[tuple[_Heading, Word]]], given: Collection[str]
) -> Iterator[tuple[_Heading, Word]]:
    """What a table's sums do not say: all of its only line, and the weight or volume that stands once for all lines."""
    for field in ("gross_weight", "volume") if len(rows) > 1 else sorted(_AMOUNTS):
        of_field = [(h, c) for row in rows for h, c in row if h.field == field and _amount(text, h, c)]
        if len(of_field) == 1 and field not in given:
            yield of_field[0]


_COUNT_IN_TOTAL = re.compile(r"(?<![\w.,])\d[\d.,]*(?: (?:[^\W\d]{2,12})(?!\S))?")


def _numbers_in(text: str, cell: Word) -> Iterator[Word]:
    """A cell of a row of totals, or its numbers where it holds several of them: `TOTAL: 32 PALLETS 33,280.0`."""
    found = list(islice(_COUNT_IN_TOTAL.finditer(text, cell.start, cell.end), _MOST_NUMBERS))
    if len(found) < 2 or not is_total(text, [cell]) or cell.end - cell.start > _LONGEST_TOTAL:
        yield cell
        return
    for number in found:
        left, right = (cell.left + cell.letter * (at - cell.start) for at in number.span())
        yield cell._replace(start=number.start(), end=number.end(), left=left, right=right)


def _is_counted(text: str, placed: Sequence[tuple[_Heading, Word]]) -> bool:
    return any(heading.field in _COUNTED and _amount(text, heading, cell) for heading, cell in placed)


def _is_listed(text: str, placed: Sequence[tuple[_Heading, Word]]) -> bool:
    """Whether a row gives a reference and a day."""
    referred = any(h.field in _REFERENCES and any(map(str.isdigit, text[c.start : c.end])) for h, c in placed)
    return referred and any(h.field in _DATED and next(find_moments(text[c.start : c.end]), None) for h, c in placed)


def _goods(text: str, rows: Sequence[Sequence[tuple[_Heading, Word]]]) -> Iterator[Told]:
    """The goods of the rows that are counted, with the lines in which their names go on; under a line that names
    packages or a container only, the goods of the lines below it.
    """
    described = [c for placed in rows for h, c in placed if h.field == "description"]
    widest = max((c.left + _FULL * (c.right - c.left) for c in described), default=0.0)
    found: Told | None = None
    packed = False
    last: Word | None = None
    for placed in rows:
        named = [(c, _name_in(text, c)) for h, c in placed if h.field == "description"]
        if not named:
            continue
        cell, place = next(((c, name) for c, name in named if name), named[0])
        counted = _is_counted(text, placed)
        close = last is not None and cell.top - last.bottom < _CLOSE * last.height
        under = last is not None and cell.top - last.bottom < _UNDER * last.height
        alone = len(placed) == 1
        goes_on = (
            found is not None
            and last is not None
            and _ends_at(text, found, last)
            and (_is_full(text, last, cell, widest) or _goes_on(text, found, cell))
        )
        if found and place and close and alone and not counted and goes_on:
            found = found._replace(more=(*found.more, place))
            last = cell
            continue
        if found:
            yield found
        goes_under = packed and under and not counted
        packed = (counted and place is None) or (goes_under and (place is not None or found is None))
        found = Told("description", *place) if place and (counted or packed) else None
        last = cell
    if found:
        yield found


def _ends_at(text: str, name: Told, cell: Word) -> bool:
    """Whether a name takes all that its last line says but for a word that joins."""
    end = name.more[-1][1] if name.more else name.end
    return all(len(word.strip(",")) < _SHORTEST_NAME for word in text[end : cell.end].split())


def _goes_on(text: str, first: Told, second: Word) -> bool:
    """Whether a name of goods is unfinished at the end of its line."""
    end = first.more[-1][1] if first.more else first.end
    return begins_inside(text, second.start) or is_unfinished(text[first.start : end])


def _name_in(text: str, cell: Word) -> tuple[int, int] | None:
    place = goods_in(text, cell.start, cell.end)
    return place if place and sum(c.isalpha() for c in text[slice(*place)]) > _SHORTEST_NAME else None


def _is_full(text: str, line: Word, below: Word, widest: float) -> bool:
    return has_no_room(text, line, below, line.frame[2]) if line.frame else line.right > widest


def has_no_room(text: str, line: Word, below: Word, edge: float) -> bool:
    """Whether the first word of the line below a line does not fit behind it; a single word seldom is a name."""
    first, *more = text[below.start : below.end].split()
    return not more or line.right + below.letter * (len(first) + 1) > edge


def is_unfinished(words: str) -> bool:
    """Whether a name cannot end here: at a comma, a hyphen or a word that joins."""
    return _UNFINISHED.search(words) is not None


def _sum_in(
    text: str, last: Sequence[Word], field: str, rows: Sequence[Sequence[tuple[_Heading, Word]]]
) -> Iterator[Told]:
    """The cell of the last row, wherever it stands, that is the sum of the numbers of a column."""
    numbers = [n for row in rows for h, c in row if h.field == field and (n := _number(text, h, c)) is not None]
    for cell in last:
        if numbers and text[cell.start : cell.end].replace(" ", "") == str(sum(numbers)):
            yield Told(field, cell.start, cell.end)
            return


def _amount(text: str, heading: _Heading, cell: Word) -> tuple[int, int] | None:
    words = _SAID_TOTAL.sub("", text[cell.start : cell.end].strip())
    packed = heading.field == "pieces" and caption_of(words) in (None, "pieces")  # "35 Gesamtrohmasse" is a box
    match = _NUMBER.fullmatch(words) or (_PACKED.match(words) if packed else None)
    if match is None:
        return None
    start = cell.start + text[cell.start : cell.end].index(match[0])
    with_unit = heading.field in ("gross_weight", "volume")  # a weight is read with its unit, a count without
    if with_unit and match["unit"] and _UNIT.fullmatch(match["unit"].strip()):
        return start, start + len(match[0])
    return start, start + len(match["number"])


def _number(text: str, heading: _Heading, cell: Word) -> Decimal | None:
    place = _amount(text, heading, cell)
    field = "pieces" if heading.field == "quantity" else heading.field
    value = value_of(field, text[slice(*place)]) if place else None
    return Decimal(value.split()[0]) if value else None
