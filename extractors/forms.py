"""What the parts of a form say: labels and values apart, boxes, columns of captions, and what is written into them."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice, takewhile
from typing import NamedTuple

from extractors import columns, contacts, dates, identifiers, layout, parties, quantities
from extractors.captions import OWN_NUMBER, caption_at_end, caption_of
from extractors.documents import DocumentType
from extractors.evidence import Span, meets
from extractors.pdf import Word

_MOST_NUMBERS = 400  # of a page
_MAX_LABELS = 200  # of a page; a form has a tenth of that
_APART = "\n\n\n"  # between pairs, so that no word of one speaks for the next
_LAYOUT_DOUBT = 0.95  # a label beside or above is a little less sure than one before
_EXECUTED = re.compile(r"executed on\b", re.IGNORECASE)  # of an air waybill
_SIGNED_WITHIN = 45.0  # points
_LARGER = 1.1  # times the height of a label: what stands over it is its value
_AT_STOP = 0.9  # of what a frame of its own holds
_CUSTOMER = 0.6  # of who buys: the goods may go to another
_NEXT_LINE, _ABOUT_THERE = 2.2, 3.0  # heights of a line
_LONGEST_NOTE = 90  # letters of what somebody notes about the goods on a form
_OWN_DATES = frozenset(parties.PLACE_OF) | {"eta_revised"}
_SIDES = {"shipper": 0, "pickup_address": 0, "consignee": 1, "delivery_address": 1, "carrier": 2}
_OF_ALL = re.compile(r"total|due|pay|gesamt|zahl|import|montant|bedrag|betrag|kwota|razem|suma", re.IGNORECASE)
_TOTAL_IN = re.compile(
    r"(?:grand |invoice )?(?:total|totaal|totale|gesamt|summe|razem)\W{1,3}[A-Z]{3}\W?", re.IGNORECASE
)
_TO_PLACE = re.compile(r"(?:\d{1,2}[a-z]?[.)]? )?(?:ship(?:ped)?|deliver(?:ed)?) ?to\W*", re.IGNORECASE)
_NUMBERED_BOX = re.compile(r"\d{1,2}[a-z]?[.)]? [A-ZÀ-Ž]")
_PAIR = re.compile(r"[^\W\d][\w ./'-]{2,40}:\s")  # a label with its own value, and so no value
_HALF_MARK = re.compile(r"[/+&·•|]")
_HALF_OR_DASH = re.compile(r"[/+&·•|–—]|(?<= )-(?= )")
_MOST_HALVES = 4
_HALF = re.compile(r"[^\s/+&·•|](?:[^/+&·•|]*[^\s/+&·•|])?")
_CANONICAL = {  # captions as the patterns of running text know them
    "shipment": "Shipment no",
    "bol": "B/L no",
    "pro": "PRO no",
    "cmr": "CMR no",
    "awb": "AWB no",
    "invoice": "Invoice no",
    "delivery_order": "Delivery note no",
    "purchase_order": "Purchase order no",
    "sales_order": "Sales order no",
    "booking": "Booking no",
    "seal": "Seal no",
    "vehicle_plate": "Vehicle plate",
    "trailer_plate": "Trailer no",
    "document_date": "Date",
    "pickup_planned": "To be collected",
    "pickup_actual": "Picked up",
    "eta_original": "Originally planned",
    "eta_revised": "New ETA",
    "delivered_at": "Delivered",
}
_IS_CURRENCY = re.compile(r"(?:currency|währung|devise|monnaie|moneda|divisa|valuta|waluta)\W*", re.IGNORECASE)
_AMOUNTS = frozenset({"pieces", "pallets", "gross_weight", "volume"})
_BOXED = _AMOUNTS | quantities.LOSSES
_SUM = re.compile(r"(?<!\w)(?:gesamt\w|summe\b)", re.IGNORECASE)  # "Gesamtrohmasse"
_OF_GOODS = re.compile(r"ware|goods|merc|marchandise|goeder|towar", re.IGNORECASE)  # and not of the invoice
_FREIGHT = re.compile(  # a line of an invoice for goods, between their value and the total
    r"(?:(?:ocean|sea|air|inland) )?freight\b[^:]{0,40}|(?:see|luft)?fracht\b[^:]{0,40}|(?:fret|flete|nolo|vracht)\b[^:]{0,40}"
    r"|frais de (?:transport|port)|transport(?:kosten)?|transporte|trasporto|spese di trasporto|portes|gastos de transporte|vrachtkosten"
    r"|koszty? transportu|carriage|shipping(?: (?:costs?|charges?))?|versandkosten",
    re.IGNORECASE,
)
_IN_HALVES = identifiers.FIELDS | _AMOUNTS | {"driver_name"}


class Setting(NamedTuple):
    """What values leave open: when their text came, whether its dates begin with the month, its telephones' country."""

    reference: datetime
    month_first: bool
    region: str | None


def setting_of(text: str, reference: datetime) -> Setting:
    american = dates.is_month_first(text)
    return Setting(reference, american, contacts.region_of(text, american=american))


_IN_LINE = re.compile(  # "Referentie klant: KL-4410"
    r"(?:^|(?<=[\n;|•]))[ \t*•>-]{0,6}(?P<label>[^\W\d_][^:=\n;|]{1,50}?)[ \t]{0,3}:[ \t]{0,3}"
    r"(?P<value>(?=[^\n;|]{0,79}\d)[^\n;|]{2,80})"
)
_ENDS = r"(?=[ \t]*(?:$|[;|(]|,(?!\d)|[ \t][^\W\d]|[ \t]/[ \t]))"
_FIRST_NUMBER = re.compile(
    rf"(?:(?!DAT[AEU]|TIME)[A-Z]{{2,4}}(?:-[A-Z]{{2,4}})? (?=\d))?[A-Z0-9](?:[A-Z0-9./_-]{{0,28}}[A-Z0-9])?(?: \d{{2,4}}){{0,4}}{_ENDS}"
)
_FIRST_AMOUNT = re.compile(rf"\d{{1,3}}(?:[ .,'’′]\d{{3}})*(?:[.,]\d{{1,3}})?(?: ?[A-Za-z]{{1,10}}\b\.?)?{_ENDS}")


def spans_in(text: str, setting: Setting, *, clocks: bool = False, captions: bool = True) -> Iterator[Span]:
    """What has a form of its own, and what numbers say by the words before them."""
    references = identifiers.find_references(text)
    yield from references
    for span in in_lines(text) if captions else ():
        if span.field not in identifiers.FIELDS:
            yield span
        elif not meets(span.start, span.end, references):
            references.append(span)
            yield span
    for span in contacts.find_contacts(text, setting.region):
        if not meets(span.start, span.end, references):
            yield span
    yield from dates.find_dates(text, setting.reference, month_first=setting.month_first, clocks=clocks)
    yield from quantities.find_quantities(text)


def in_lines(text: str, own: str | None = None) -> Iterator[Span]:
    """References after captions of forms in running text, where the words that it is searched for know none.

    `own` is the field of the paper's own number.
    """
    for match in islice(_IN_LINE.finditer(text), _MAX_LABELS):
        field = _announced(match["label"], own)
        if field in identifiers.FIELDS and not field.endswith("plate"):
            number = _FIRST_NUMBER.match(text, match.start("value"), match.end("value"))
            if number:
                yield from (s._replace(score=0.7) for s in identifiers.captioned(field, text, *number.span()))
        elif field in _BOXED:
            amount = _FIRST_AMOUNT.match(text, match.start("value"), match.end("value"))
            if amount and (span := quantities.captioned(field, text, *amount.span(), match["label"])):
                yield span._replace(score=0.73)


_NUMBER = re.compile(
    r"(?<![\w./,-])(?<!\d )(?:\d{1,4}(?: \d{2,5}){1,4}|\d{2,4}-\d{3} \d{3,4}|(?=[A-Z/._-]{0,14}\d)[A-Z0-9](?:[A-Z0-9/._-]{0,28}[A-Z0-9])?)(?![\w/-]|[.,]\d)"
)
_BEFORE_NUMBER = re.compile(r"(?<![\w/.-])[^\W\d_][^\d:;|,()\[\]\n·•–—]{1,60}:?\s*$")
_SENTENCE_BEFORE = re.compile(r".*[^\W\d_]{5}(?<!nr)\.\s(?=[A-ZÀ-Ž][^\W\d_]*[a-zà-ž])")
_SHORTEST_CAPTION = 3  # letters, in running text
_ITS_LETTERS = re.compile(r"(?<![\w/.-])[A-Z]{1,3}(?:-[A-Z]{1,3})? $")
_LEAST_LINE = 60  # letters of a line of running text, which goes on in the next


def in_sentences(text: str, found: Sequence[Span]) -> Iterator[Span]:
    """References in running text that follow a caption of forms, apart from what is found there already."""
    references = [span for span in found if span.field in identifiers.FIELDS]
    for number in islice(_NUMBER.finditer(text), _MOST_NUMBERS):
        start, end = number.span()
        if meets(start, end, references):
            continue
        caption, letters = _caption_before(_words_before(text, start))
        if sum(c.isalpha() for c in caption) < _SHORTEST_CAPTION:
            continue
        if not caption.islower() and not text[text.rfind("\n", 0, start) + 1 : start].strip():
            continue  # a heading over it
        start -= letters
        field = caption_of(caption) or ""
        if field not in identifiers.FIELDS or field.endswith("plate"):
            continue
        if all(identifiers.is_plausible(field, text, at, end) for at in (start, number.start())):
            yield from (s._replace(score=0.7) for s in identifiers.captioned(field, text, start, end))


def _caption_before(words: str) -> tuple[str, int]:
    """The caption with which words end, and how long the letters behind it are that belong to the number: `DL` of
    `Delivery note DL`, where they are no caption or a short one of the same, or behind `Order #`.
    """
    whole = caption_at_end(words) or ""
    letters = _ITS_LETTERS.search(words + " ")
    if letters is None:
        return whole, 0
    before = caption_at_end(words[: letters.start()]) or ""
    own = caption_of(letters[0].strip()) if whole else None
    numbered = own is None and identifiers.is_number(before)
    belong = not whole or numbered or (bool(own) and own == caption_of(before))
    return (before, len(letters[0])) if before and belong else (whole, 0)


def _words_before(text: str, end: int) -> str:
    """The words of a sentence before a place, in its line or, where running text goes on, in the line before."""
    begin = text.rfind("\n", 0, end) + 1
    goes_on = not text[begin:end].strip()
    if goes_on:
        end = max(0, begin - 1)
        begin = text.rfind("\n", 0, end) + 1
    words = _BEFORE_NUMBER.search(text[max(begin, end - 2 * _LONGEST_NOTE) : end])
    if words is None or (goes_on and (words.start() == 0 or end - begin < _LEAST_LINE)):
        return ""
    sentence = _SENTENCE_BEFORE.match(words[0])
    return words[0][sentence.end() if sentence else 0 :].rstrip(": ")


def _announced(caption: str, own: str | None) -> str | None:
    """The field of a caption, `own` being that of the paper's own number."""
    field = caption_of(caption)
    return own if field == OWN_NUMBER else field


_CELL_AMOUNT = re.compile(
    r"(?P<label>[^\W\d][^\d:\n]{2,30}?)\s?:? (?P<value>\d[\d .,'’′]{0,11}(?<=\d)(?: ?[A-Za-z]{1,10}\.?)?)"
)
_CELL_NUMBER = re.compile(
    r"(?P<label>[^\W\d][^\d:\n]{2,30}?) (?P<value>(?:(?!N[RO] )[A-Z]{2,4} )?(?:[A-Z]{1,6}[-/]){0,2}\d[A-Z0-9/.-]{2,22}(?: \([^()\n]{1,30}\)| \w{1,6} \d[\d./-]{7,9})?)"
)
_CELL_MONEY = re.compile(r"(?P<label>[^\W\d][^\d:\n]{2,40}?)\s?: ")
_OF_WHOLE = re.compile(
    r"(?:total|totale|totaux|totaal|gesamt|insgesamt|summe|razem|łącznie) ?: (?=[^\n]{0,12}\d)", re.IGNORECASE
)


def in_cells(text: str, cells: Sequence[Word], total: str | None, own: str | None = None) -> Iterator[Span]:
    """Amounts, references and the `total` in one cell with their caption: `Palettes 33`, `Prix net : 1.060 EUR`."""
    for cell in cells:
        place = (cell.start, cell.end)
        money = _CELL_MONEY.match(text, *place)
        said = caption_of(money["label"]) if money else None
        if money and said and said in ("disputed_amount", total):
            if first := quantities.money_at(text, money.end(), cell.end):
                value, score = quantities.value_of(said, text[slice(*first)]) or "", _score(total, money["label"])
                yield Span(said, value, *first, score)
        elif _OF_WHOLE.match(text, *place):  # "Gesamt: 18 EPAL / 6.185 kg brutto"
            yield from _summed(text, *place)
        else:
            yield from _in_cell(text, cell, own)


def _in_cell(text: str, cell: Word, own: str | None) -> Iterator[Span]:
    for pattern in (_CELL_AMOUNT, _CELL_NUMBER):
        match = pattern.fullmatch(text, cell.start, cell.end)
        field = (_announced(match["label"], own) if match else None) or ""
        if match and field in _BOXED:
            if amount := quantities.captioned(field, text, *match.span("value"), match["label"]):
                yield amount
            return
        if match and field in identifiers.FIELDS and not field.endswith("plate"):
            yield from identifiers.captioned(field, text, *match.span("value"))
            return


def _score(total: str | None, caption: str) -> float:
    """Of money by its caption: on an invoice for goods, what these are worth is not what is to be paid with freight."""
    return 0.86 if total == "goods_value" and _OF_GOODS.search(caption) else 0.84


_TOTAL_LINE = re.compile(
    r"^(?:(?:grand|load)? ?(?:total|totaal|totale|totaux|gesamt|insgesamt|summe|suma|razem|łącznie)|\d[\d.,]* [^\W\d]{2,8} total)\b"
    r"[^\n]{0,120}$",
    re.IGNORECASE | re.MULTILINE,
)


def in_totals(text: str) -> Iterator[Span]:
    """Amounts with their units in a line that sums up, `GRAND TOTAL 7 PLT 136 CTN 4,912 LBS`, one of each kind."""
    for line in islice(_TOTAL_LINE.finditer(text), _MAX_LABELS):
        spans = list(_summed(text, *line.span()))
        kinds = Counter(span.field for span in spans)
        yield from (span for span in spans if kinds[span.field] == 1)


def _summed(text: str, start: int, end: int) -> Iterator[Span]:
    for span in quantities.find_quantities(text[start:end]):
        if span.field in _AMOUNTS:
            yield span._replace(start=start + span.start, end=start + span.end, score=0.84)


Pairs = Sequence[tuple[Word, Word]]  # as `layout.pairs` finds them


def in_pairs(text: str, cells: list[Word], pairs: Pairs, setting: Setting, own: str | None = None) -> Iterator[Span]:
    """What each value says after its label. All pairs are searched as one text: a search costs most by its start."""
    lines: list[str] = []
    begins: list[int] = []  # of each value in the searched text
    values: list[Word] = []
    length = 0
    whole = ((None, cell) for cell in cells if ":" in text[cell.start : cell.end])
    for label, value in (*whole, *_over_labels(text, pairs)):
        words = text[value.start : value.end]
        if not any(char.isdigit() for char in words) or (label and _PAIR.match(words)):
            continue
        if label and (_is_halved(text, label, value) or _is_column(text, cells, label, value)):
            continue
        head = f"{_called(text[label.start : label.end])}: " if label else ""
        lines.append(f"{head}{words}")
        begins.append(length + len(head))
        values.append(value)
        length += len(lines[-1]) + len(_APART)
    for cell in cells:
        for span in in_lines(text[cell.start : cell.end], own):
            yield span._replace(start=span.start + cell.start, end=span.end + cell.start)
    for span in spans_in(_APART.join(lines), setting, captions=False):
        at = bisect_right(begins, span.start) - 1
        end = begins[at] + values[at].end - values[at].start if at >= 0 else 0
        if span.end <= end:
            moved = values[at].start - begins[at]
            score = round(span.score * _LAYOUT_DOUBT, 3)
            yield span._replace(start=span.start + moved, end=span.end + moved, score=score)


def _over_labels(text: str, found: Pairs) -> list[tuple[Word, Word]]:
    """The pairs, and those of a label with the value under the label below it: the same in another language."""
    below = {label: value for label, value in found if value.top > label.top + label.height / 2}
    more = [(label, value, below[value]) for label, value in below.items() if value in below]
    return [*found, *((label, value) for label, other, value in more if not _differ(text, label, other))]


def _differ(text: str, label: Word, other: Word) -> bool:
    fields = {caption_of(text[cell.start : cell.end]) for cell in (label, other)} - {None}
    return len(fields) > 1


def _is_column(text: str, cells: list[Word], label: Word, value: Word) -> bool:
    """Whether a value is the first of several alike that stand under their heading."""
    below = _next_of_column(cells, label, value)
    shapes = [re.sub(r"\d", "9", text[cell.start : cell.end]) for cell in (value, below) if cell]
    return len(shapes) == 2 and shapes[0] == shapes[1]


def _next_of_column(cells: list[Word], label: Word, value: Word) -> Word | None:
    """What stands under a value that stands under its label."""
    return layout.under(cells, value) if value.top > label.bottom else None


def _called(label: str) -> str:
    """The label as running text would have it, where it is known from forms only."""
    label = label.rstrip(" :")
    field = caption_of(label)
    return _CANONICAL.get(field, label) if field else label


def captioned(text: str, cells: list[Word], pairs: Pairs, total: str | None, own: str | None = None) -> Iterator[Span]:
    """References, amounts and the `total` in cells whose caption names them, where the value alone says nothing."""
    amounts: dict[str, list[tuple[bool, Span]]] = {}
    for label, value in pairs:
        caption = text[label.start : label.end].rstrip(" :")
        field = _announced(caption, own)
        if total and _TOTAL_IN.fullmatch(caption):
            field = total
        freight = total == "goods_value" and _FREIGHT.fullmatch(caption) is not None and layout.on_line(label, value)
        if freight:
            field = "freight_charge"
        if not field or _is_halved(text, label, value):
            continue
        below = _next_of_column(cells, label, value)
        if field in identifiers.FIELDS and not field.endswith("plate"):
            if below is None or not any(identifiers.captioned(field, text, below.start, below.end)):
                yield from identifiers.captioned(field, text, value.start, value.end)
        elif field in _BOXED:
            box = _NUMBERED_BOX.match(caption)
            unit = (
                any(c.isdigit() for c in caption[box.end() - 1 if box else 0 :])
                or text[slice(*layout.left_of(cells, label))][-1:].isdigit()
            )
            column = below and quantities.captioned(field, text, below.start, below.end, caption)
            span = quantities.captioned(field, text, value.start, value.end, caption)
            if span and not unit and not column:
                amounts.setdefault(span.field, []).append((_sums_up(caption), span))
        elif field in quantities.TEMPERATURES:
            if degrees := quantities.value_of(field, text[value.start : value.end]):
                yield Span(field, degrees, value.start, value.end, 0.83)
        elif field in (total, "goods_value", "disputed_amount") or freight:
            said = text[value.start : value.end]
            beside = total == "goods_value" and layout.on_line(label, value)
            sure = beside or _OF_ALL.search(caption) or quantities.currencies_in(caption)
            bare = _in_its_currency(text, cells, caption, said) if sure else None
            first = quantities.money_at(text, value.start, value.end)
            if value.top > label.bottom and _is_added(text, cells, value):
                continue
            if first and (money := quantities.value_of(field, text[slice(*first)])):
                yield Span(field, money, *first, _score(total, caption))
            elif bare:
                yield Span(field, bare, value.start, value.end, _score(total, caption))
    for of_field in amounts.values():  # of several, those of the lines are not the load's
        of_all = [span for total, span in of_field if total] or [span for _, span in of_field]
        if len({span.value for span in of_all}) == 1:
            yield of_all[0]


def _sums_up(caption: str) -> bool:
    return columns.is_of_all(caption) or _SUM.search(caption) is not None


def _is_added(text: str, cells: list[Word], value: Word) -> bool:
    """Whether an amount of money has another right under it: the first of a column, and not its total."""
    below = [c for c in cells if abs(c.right - value.right) <= 3 and 0 < c.top - value.top < 2.5 * value.height]
    return any(quantities.is_money(text[c.start : c.end]) for c in below)


def _in_its_currency(text: str, cells: list[Word], caption: str, amount: str) -> str | None:
    """An amount with the currency that its caption, the box for it or else the whole page names, if it is one only."""
    boxes = (text[c.start : c.end] for label in cells if _IS_CURRENCY.fullmatch(text, label.start, label.end)
             for c in layout.in_box_of(cells, label)[1:3])  # fmt: skip
    for words in (caption, *(box for box in boxes if len(box) == len("EUR")), text):
        if named := quantities.currencies_in(words):
            return quantities.in_currency(amount, named.pop()) if len(named) == 1 else None
    return None


def halves(text: str, cells: list[Word], pairs: Pairs) -> Iterator[Span]:
    """Two values in one box, `OS-HG 3017 / Daniljuk`, as their label says in its order: `Kfz / Fahrer`."""
    for label, value in pairs:
        fields = _fields_of_halves(text[label.start : label.end])
        if not fields:
            continue
        value = _first_of_row(cells, label, value)
        parts = [match.span() for match in _HALF.finditer(text, value.start, value.end)]
        if len(parts) == 1 and set(fields) == {"vehicle_plate", "trailer_plate"}:
            parts = identifiers.two_plates(text, *parts[0]) or parts
        last: Word | None = value
        while last and len(parts) < len(fields):
            last = layout.under(cells, last) or layout.right_of(cells, last)
            if last is None or (last.frame != value.frame and value.frame is not None):
                break
            parts += [match.span() for match in _HALF.finditer(text, last.start, last.end)]
        for field, (start, end) in zip(fields, parts, strict=False):
            if field in identifiers.FIELDS and not field.endswith("plate"):
                yield from identifiers.captioned(field, text, start, end)
                continue
            if field in _AMOUNTS:
                if amount := quantities.captioned(field, text, start, end, text[label.start : label.end]):
                    yield amount._replace(score=0.83)
                continue
            place = parties.name_at(text, start, end, person=True) if field in parties.FIELDS else (start, end)
            if place is None or (field.endswith("plate") and not identifiers.is_plate(text[slice(*place)])):
                continue
            if found := (parties if field in parties.FIELDS else identifiers).value_of(field, text[slice(*place)]):
                yield Span(field, found, *place, 0.83)


def _first_of_row(cells: Sequence[Word], label: Word, value: Word) -> Word:
    """The cell with which the row under a label begins: on a scan, not always the highest of them."""
    row = [c for c in cells if layout.on_line(c, value) and c.frame == value.frame and c.left > label.left - c.height]
    return value if layout.on_line(label, value) else min(row, key=lambda c: c.left, default=value)


def _fields_of_halves(label: str) -> list[str]:
    """The fields of a label that names several of them, in one language or more: references, plates, the driver."""
    label = label[numbers.end() :] if (numbers := layout.BOX_NUMBERS.match(label)) else label
    fields = [caption_of(half.strip(" :")) or "" for half in _HALF_MARK.split(label)]
    if "" in fields:  # "trekker – oplegger / tracteur – remorque"
        fields = [caption_of(half.strip(" :")) or "" for half in _HALF_OR_DASH.split(label)]
    fields = list(dict.fromkeys(fields))
    return fields if 1 < len(fields) < _MOST_HALVES and set(fields) <= _IN_HALVES else []


def _is_halved(text: str, label: Word, value: Word) -> bool:
    """Whether a value is read by the halves of its label."""
    fields = set(_fields_of_halves(text[label.start : label.end]))
    both = len(_HALF.findall(text, value.start, value.end)) == len(fields)
    return fields == {"vehicle_plate", "trailer_plate"} or (bool(fields) and both)


def in_boxes(
    text: str,
    cells: list[Word],
    setting: Setting,
    headings: Collection[tuple[int, int]],
    kind: DocumentType,
    under: Mapping[Word, Word],
) -> Iterator[tuple[Span, Sequence[tuple[int, int]]]]:
    """What stands in the boxes of a form that are labelled as a party's, an address's or a name's.

    The `headings` of tables are labels of their columns; `under` as `layout.captions_under` finds it.
    """

    def is_value(words: str) -> bool:
        other = (
            parties.is_other_label(words)
            or parties.signature_label(words)
            or identifiers.reference_label(words.strip(" :"))
            or identifiers.is_labelled(words)
        )
        return not _PAIR.match(words) and (not other or is_label(words))

    labelled = [
        (cell, label)
        for cell in cells
        if (cell.start, cell.end) not in headings and (label := _label(text[cell.start : cell.end], kind))
    ][:_MAX_LABELS]
    if any(of[0] == "consignee" and parties.is_receiver(text[c.start : c.end]) for c, of in labelled):
        labelled = [  # the goods go elsewhere than to the consignee's seat
            (c, ("delivery_address", of[1]) if _TO_PLACE.match(text, c.start, c.end) else of) for c, of in labelled
        ]
    beside: dict[Word, list[Word]] = {}
    for cell, value in layout.pairs(text, cells, under, [cell for cell, _ in labelled]):
        next_box = _NUMBERED_BOX.match(text, cell.start) and _NUMBERED_BOX.match(text, value.start)
        if not next_box and is_value(text[value.start : value.end]):
            beside.setdefault(cell, []).append(value)
    for cell, (field, length) in labelled:
        words, near = text[cell.start : cell.end], beside.get(cell, [])
        if length < len(words):
            near = [cell._replace(start=cell.start + length, left=_left_of_value(cells, cell, length / len(words)))]
        elif len(near) == 2 and not words.rstrip().endswith(":") and not layout.in_columns(cells, cell, *near):
            near.sort(key=lambda value: value.top < cell.bottom)  # a box: its content stands below
        near.sort(key=lambda value: value.bottom > cell.top or value.height < _LARGER * cell.height)  # or over it
        labels = [_label_of_box(text[value.start : value.end]) for value in near]
        if (field, True) in [(of[0], value.top > cell.top) for of, value in zip(labels, near, strict=True) if of]:
            continue  # the same label in another language: it speaks for itself
        if field == "shipper" and kind == "freight_invoice" and parties.is_seller(words[:length]):
            field = "carrier"  # who sells the transport
        customer = field == "consignee" and parties.is_customer(words[:length])
        if customer and kind == "freight_invoice":
            continue  # who pays
        score = _CUSTOMER if customer else None
        if rows := list(_rows(text, cells, cell, field)):
            yield from _scored(parties.in_box(text, field, rows), score)
            continue
        first = next((value for of, value in zip(labels, near, strict=True) if of is None), None)
        if first is None or _is_halved(text, cell, first):
            continue
        first = layout.first_beside(cells, cell, first)
        box = layout.box_under(text, cells, first, is_label, cell)
        if first.bottom <= cell.top:
            box = [*layout.lines_over(text, cells, first, is_label), first]
        places = [(line.start, line.end) for line in box]
        read = _scored(parties.in_box(text, field, places, any_place=kind == "cmr_waybill"), score)
        yield from ((span, lines) for span, lines in read if not _is_dated(span, setting))
        said = caption_of(words[:length])
        when = dates.box_label(words) or (said if said in parties.PLACE_OF else parties.WHEN_THERE.get(field))
        if when:
            for start, end in places:
                for span in dates.find_days(text[start:end], setting.reference, month_first=setting.month_first):
                    spot = (start + span.start, start + span.end)
                    moment = dates.value_of(
                        when, text[slice(*spot)], setting.reference, month_first=setting.month_first
                    )
                    if moment:
                        yield Span(when, moment, *spot, 0.7), [spot]


def seats(text: str, cells: list[Word], found: Sequence[Span]) -> Iterator[tuple[Span, Sequence[tuple[int, int]]]]:
    """The address of who sends or receives, named without one, under the same name elsewhere: of who is written to."""
    for party, field in parties.ADDRESS_OF.items():
        named = [span for span in found if span.field == party]
        names = {span.value.casefold() for span in named}
        if not names or any(span.field == field for span in found):
            continue
        again = (c for c in cells if text[c.start : c.end].strip(" :,").casefold() in names)
        again = (c for c in again if not meets(c.start, c.end, named))
        for cell in islice(again, _MAX_AGAIN):
            box = layout.box_under(text, cells, cell, is_label)
            below = takewhile(lambda line: not layout.is_beside(text, cells, line, is_label), box[1:])
            lines = [(c.start, c.end) for c in (cell, *below)]
            address = next(((s, of) for s, of in parties.in_box(text, party, lines) if s.field == field), None)
            if address and parties.in_full(address[0].value):
                yield address[0]._replace(score=_SEAT), address[1]
                break


_MAX_AGAIN, _SEAT = 4, 0.7


def _left_of_value(cells: Sequence[Word], cell: Word, share: float) -> float:
    """Where the value begins in a cell whose label takes that `share` of it, if its next line begins there too."""
    about = cell.left + share * (cell.right - cell.left)
    below = [c for c in cells if 0 < c.top - cell.top < _NEXT_LINE * cell.height and c.left > cell.left + cell.height]
    next_line = min(below, key=lambda c: abs(c.left - about), default=cell)
    return next_line.left if abs(next_line.left - about) < _ABOUT_THERE * cell.height else cell.left


def _label(words: str, kind: DocumentType) -> tuple[str, int] | None:
    if kind == "rate_confirmation" and (length := parties.addressed(words)):
        return "carrier", length  # who is to carry is written to
    return parties.label_of(words)


def stops(text: str, cells: list[Word], setting: Setting) -> Iterator[tuple[Span, Sequence[tuple[int, int]]]]:
    """Who, where and when of the stops of an order: frames in which a word says whether goods are taken or brought."""
    for label in cells:
        said = _label_of_stop(text[label.start : label.end])
        inside = [c for c in cells if c.frame == label.frame and c is not label] if label.frame and said else []
        right = sorted((c for c in inside if c.left > label.right), key=lambda c: (round(c.left), c.top))
        if said is None or not right:
            continue
        column = [c for c in right if abs(c.left - right[0].left) <= 3]
        places = [(c.start, c.end) for c in sorted(column, key=lambda c: c.top)]
        if len(places) > 1:
            for span, lines in parties.in_box(text, said, places):
                yield span._replace(score=_AT_STOP), lines
        for cell in right:
            for start, end in dates.find_moments(text[cell.start : cell.end]):
                spot = (cell.start + start, cell.start + end)
                when = parties.WHEN_THERE[said]
                moment = dates.value_of(when, text[slice(*spot)], setting.reference, month_first=setting.month_first)
                if moment and cell not in column:
                    yield Span(when, moment, *spot, 0.8), [spot]


def _label_of_stop(words: str) -> str | None:
    found = caption_of(words)
    found = parties.PLACE_OF.get(found or "", found)
    return found if found in parties.WHEN_THERE else None


def _scored(
    found: Iterator[tuple[Span, Sequence[tuple[int, int]]]], score: float | None
) -> Iterator[tuple[Span, Sequence[tuple[int, int]]]]:
    return ((span if score is None else span._replace(score=score), lines) for span, lines in found)


def _is_dated(span: Span, setting: Setting) -> bool:
    """Whether what was taken for an address is a day: DELIVERY DUE says when, and not where."""
    days = dates.find_days(span.value, setting.reference) if span.field in parties.ADDRESSES else iter(())
    return any(day.start == 0 for day in days)


def _label_of_box(words: str) -> tuple[str, int] | None:
    return None if caption_of(words) in parties.PLACE_OF else parties.label_of(words)


def _rows(text: str, cells: list[Word], heading: Word, field: str) -> Iterator[tuple[int, int]]:
    """The name and the parts of an address in rows that say what each is, under a heading that says whose they are."""
    side = _SIDES.get(field)
    for at, (label, value) in enumerate(layout.rows_under(cells, heading)):
        words = text[label.start : label.end]
        own = parties.label_of(words)
        kind = None if own and (_SIDES.get(own[0]) != side or "(" in words) else parties.row_of(words)
        if kind is None or (at == 0) != (kind == "name"):
            return
        for line in layout.box_under(text, cells, value, is_label, label):
            yield line.start, line.end


def dates_in_boxes(text: str, cells: list[Word], setting: Setting, *, received: bool) -> Iterator[Span]:
    """Dates beside or under the label of their box, captions in other languages between; of the receiver's box too."""
    for label in cells:
        words = text[label.start : label.end]
        said = caption_of(words)
        field = dates.box_label(words, received=received) or (said if said in _OWN_DATES else None)
        if field is None and received and parties.signature_label(words) == 2:
            field = "delivered_at"
        if field is None and _EXECUTED.match(words):
            yield from _executed(text, cells, label, setting)
        if (field is None or field == "delivered_at") and dates.is_date_label(words):
            field = _date_of_place(text, cells, label, received=received) or field
        if field is None:
            continue
        for value in layout.in_box_of(cells, label):
            if value is not label and dates.box_label(text[value.start : value.end]) not in (None, field):
                break
            last = layout.row_end(cells, value)
            found = next(dates.find_moments(text[value.start : last]), None)
            if found is None:
                continue
            start, end = value.start + found[0], value.start + found[1]
            near = [layout.under(cells, value), layout.right_of(cells, value)]
            if value.frame:
                near += [c for c in cells if c.frame == value.frame and c.start >= value.end]
            for cell in near:  # with the other boxes' words of that line between
                if cell and end == value.end <= cell.start and (time := dates.time_at(text, cell.start, cell.end)):
                    end = time
                    break
            moment = dates.value_of(field, text[start:end], setting.reference, month_first=setting.month_first)
            if moment:
                yield Span(field, moment, start, end, 0.8)
            break


def _executed(text: str, cells: list[Word], label: Word, setting: Setting) -> Iterator[Span]:
    """The day in the box that the issuing carrier signs, over its captions or under them."""
    for cell in cells:
        if abs(cell.top - label.top) < _SIGNED_WITHIN and abs(cell.left - label.left) < _SIGNED_WITHIN:
            for day in dates.find_days(text[cell.start : cell.end], setting.reference):
                yield day._replace(start=cell.start + day.start, end=cell.start + day.end, score=0.85)
                return


def _date_of_place(text: str, cells: list[Word], label: Word, *, received: bool) -> str | None:
    """What a date is that only its place says: beside, under or in the box of a place, or where the receiver signs."""
    over = [c for c in cells if c.frame == label.frame and c.top < label.top] if label.frame else []
    near = [text[slice(*layout.left_of(cells, label))], *(text[c.start : c.end] for c in over[:1])]
    if above := layout.over(cells, label):
        near.append(text[above.start : above.end])
    near += [text[c.start : c.end] for c in layout.headings_over(cells, label)]
    if section := layout.section_over(cells, label):
        near.append(text[section.start : section.end])
    for words in near:
        said = caption_of(words)
        if said in ("pickup_actual", "delivered_at"):
            return said
        if (place := parties.label_of(words)) and place[0] in parties.WHEN_THERE:
            return parties.WHEN_THERE[place[0]]
    if received and any(_signs(text[c.start : c.end]) for c in cells if layout.on_line(c, label)):
        return "delivered_at"
    return None


def _signs(words: str) -> bool:
    return parties.signature_label(words) == 2 or caption_of(words) == "received_by"


def receivers(text: str, cells: list[Word]) -> Iterator[Span]:
    """The person's name in the box that the receiver signs."""
    for label in cells:
        if parties.signature_label(text[label.start : label.end]) < 2:
            continue
        for value in layout.in_box_of(cells, label)[1:]:
            place = parties.person_at(text, value.start, value.end)
            if place and not layout.is_of_another(text, cells, value):
                yield Span("received_by", text[slice(*place)], *place, 0.55)
                break


_RULE = re.compile(
    r"(?<!\w)(?:must|(?-i:may)|claims?|within|otherwise|unless|charged|muss|müssen|kann|können|innerhalb|reklamationen|sonst|doi(?:t|vent)|peu(?:t|vent)|réclamations?|sinon|deben?|pueden?|reclamaci(?:ón|ones)|dentro de|dev(?:e|ono)|può|possono|reclam[io]|entro|moet(?:en)?|kan|kunnen|binnen|tenzij|klachten|musi|muszą|może|mogą|reklamacj\w+|w ciągu)(?!\w)",
    re.IGNORECASE,
)


def is_rule(text: str, start: int) -> bool:
    """Whether the line there is one of the conditions in print, `claims must be made within 7 days`, and no note."""
    begin, end = text.rfind("\n", 0, start) + 1, text.find("\n", start)
    return _RULE.search(text, begin, end if end >= 0 else len(text)) is not None


def notes(text: str, cells: list[Word], tables: Sequence[columns.Table]) -> Iterator[Span]:
    """What somebody wrote on a form of goods that are missing or damaged."""
    for cell in cells:
        words = text[cell.start : cell.end]
        in_table = any(a <= cell.start < b for table in tables for a, b in table.lines)
        noted = not in_table and not is_rule(text, cell.start)
        if len(words) < _LONGEST_NOTE and noted and quantities.tells_of_loss(words):
            yield Span("remarks", parties.value_of("remarks", words) or "", cell.start, cell.end, 0.55)
            for span in quantities.find_losses(words):
                yield span._replace(start=span.start + cell.start, end=span.end + cell.start, score=0.6)


def is_label(words: str) -> bool:
    return parties.label_of(words) is not None
