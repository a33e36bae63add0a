"""Where goods are taken and where they are brought: blocks of a page under or beside a heading that says which."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from extractors import dates, layout, parties
from extractors.captions import caption_of
from extractors.evidence import Span
from extractors.items import rows_of
from extractors.pdf import Word

_HEADINGS = tuple(
    (
        field,
        re.compile(
            rf"(?P<no>(?:stop|halt|pos\.?)? ?#?\d{{1,2}} ?[.)°ºª:]? ?)?(?:{words})(?: \d{{1,2}}| pieno| vuoto| ?\([^()]{{1,30}}\)|(?(no)(?-i: [A-Z]{{3,12}}){{1,2}}|(?!)))?\s*:?",
            re.IGNORECASE,
        ),
    )
    for field, words in (
        ("pickup_address", r"pick(?:[- ]?up)?(?: from| at)?|collect(?:ion|ed)?(?: from)?|load(?:ing|ed)?(?: at)?|from|origin|be?ladung|beladen|verladung|laden|abholung|von|chargement|enlèvement|ramassage|carga|recogida|origen|carico|ritiro|partenza|ophalen|załadunek"),
        ("delivery_address", r"deliver(?:y|ed)?(?: to)?|drop(?:[- ]?off)?|unload(?:ing|ed)?(?: at)?|to|destination|entladung|entladen|zustellung|anlieferung|nach|livraison|déchargement|descarga|entrega|destino|scarico|consegna|arrivo|lossen|afleveren|levering|rozładunek|dostawa"),
    )
)  # fmt: skip
_WHERE = re.compile(
    r"place|location|address|company|name|where|at|site|firma|ort|adresse|anschrift|ladestelle|entladestelle|lieu|chez|société|lugar|dirección|empresa|luogo|presso|indirizzo|ditta|adres|plaats|bedrijf|miejsce|nazwa",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"(?:date|day|time|slot|appointment|window|when|on|by|at|until|from|planned|datum|uhrzeit|zeit|termin|wann|am|bis|ab|um|le|heure|rdv|créneau|jour|avant|fecha|hora|cita|día|el|data|ora|ore|il|entro|orario|giorno|e|tijd|op|om|godzina|godz|dnia|und|and|et|y|en|i|de|di|of|planned|prévue?|geplant|plan)(?:$|[ /&.,-]+)",
    re.IGNORECASE,
)
_LABELLED = re.compile(r"(?P<label>[^\W\d][^:\n]{0,40}?) ?:(?= )\s*")
_RUN_TOGETHER = re.compile(
    r"(?P<label>[^\W\d]{4,20}) (?!(?:PO|No|Nr|Ref)\b)(?=[A-ZÀ-Ž])"
)  # "Mittente ORTOFRUTTICOLA LUCANA"
_SURE = 0.9
_MOST_HEADINGS, _MOST_ROWS, _MOST_LINES, _MOST_TOLD = 30, 12, 6, 60
_LONGEST_LINE = 80  # letters
_FARTHEST = 4.0  # heights from one row of a block to the next
_ALIGNED, _INDENTED = 4.0, 120.0  # points


class _Block(NamedTuple):
    field: str
    heading: Word
    rows: list[list[Word]]


class _Told(NamedTuple):
    label: str | None
    left: float
    start: int
    end: int
    cell: Word
    dated: bool  # begins with a day


Found = tuple[Span, Sequence[tuple[int, int]]]


def read_stops(
    text: str, cells: Sequence[Word], reference: datetime, *, month_first: bool, planned: bool
) -> Iterator[Found]:
    """Names, addresses and, where it is `planned`, days of the stops of a page with headings for both ends of a way."""
    for block in _blocks(text, cells):
        told = list(islice(_told(text, block.rows), _MOST_TOLD))
        lines = _where(told)
        found = list(parties.in_box(text, block.field, lines)) if lines else []
        if any(span.field in parties.ADDRESSES for span, _ in found):
            yield from ((span._replace(score=max(span.score, _SURE)), where) for span, where in found)
        for t in told if planned else ():
            if t.label is not None and not _says_when(t.label):
                continue
            moment = _moment(text, cells, t, block.field, reference, month_first)
            if moment is not None:
                yield moment, [(moment.start, moment.end)]
                break


def _blocks(text: str, cells: Sequence[Word]) -> Iterator[_Block]:
    headings = [(cell, field) for cell in cells if (field := _heading(text[cell.start : cell.end]))][:_MOST_HEADINGS]
    if len({field for _, field in headings}) < 2:
        return
    rows = rows_of(cells)
    for cell, field in headings:
        rivals = [other for other, _ in headings if other is not cell]
        if not any(layout.on_line(cell, o) or abs(cell.left - o.left) <= _ALIGNED for o in rivals):
            continue
        right = min((o.left for o in rivals if o.left > cell.right and layout.on_line(o, cell)), default=float("inf"))
        block = rows_of(layout.in_frame_beside(cells, cell)) or list(_rows(text, rows, cell, rivals, right - 1))
        if block and (layout.on_line(block[0][0], cell) or block[0][0].left - cell.left <= _INDENTED):
            yield _Block(field, cell, block)  # else the heading is centred, and those rows are of the next one


def _heading(words: str) -> str | None:
    if len(words) > 50:
        return None
    words = " ".join(words.split())
    return next((field for field, pattern in _HEADINGS if pattern.fullmatch(words)), None)


def _rows(
    text: str, rows: Sequence[list[Word]], heading: Word, rivals: Sequence[Word], right: float
) -> Iterator[list[Word]]:
    """The rows of a block, of which each is what stands between its heading's left side and the next block's."""
    last, count = heading, 0
    for row in rows:
        inside = [c for c in row if heading.left - _ALIGNED <= c.left < right and c is not heading]
        if (
            not inside
            or inside[0].bottom <= heading.top
            or (inside[0].top < heading.top and not layout.on_line(inside[0], heading))
        ):
            continue
        if any(c in rivals for c in inside) or inside[0].top - last.bottom > _FARTHEST * max(last.height, 4.0):
            return
        if max(c.end - c.start for c in inside) > _LONGEST_LINE:
            return  # the small print
        if len(inside) == 1 and _is_like(text, inside[0], heading):
            return
        yield inside
        last, count = inside[0], count + 1
        if count == _MOST_ROWS:
            return


def _is_like(text: str, cell: Word, heading: Word) -> bool:
    """Whether a cell looks like another heading: where that one begins, in capitals too, alone on its line."""
    words, said = text[cell.start : cell.end], text[heading.start : heading.end]
    return (
        abs(cell.left - heading.left) <= _ALIGNED
        and words.isupper()
        and said.isupper()
        and not any(c.isdigit() for c in words)
        and caption_of(words) is not None
    )


def _told(text: str, rows: Sequence[Sequence[Word]]) -> Iterator[_Told]:
    """What the cells of a block say, each with its label: that before its colon, or that left of it."""
    labels: list[float] = []  # where a column of labels begins
    for row in rows:
        label: str | None = None
        for at, cell in enumerate(row):
            words = text[cell.start : cell.end]
            in_column = at == 0 and any(abs(cell.left - left) <= _ALIGNED for left in labels)
            if label is None and at + 1 < len(row) and (in_column or _is_label(words)):
                label = words
                labels += [cell.left] if at == 0 else []
                continue
            dated = next(dates.find_moments(words), (1, 0))[0] == 0
            if (match := _LABELLED.match(words) or _RUN_TOGETHER.match(words)) and (
                match.re is _LABELLED or _is_place(match["label"])
            ):
                left = cell.left if match.re is _LABELLED else cell.left + cell.letter * match.end()
                yield _Told(match["label"], left, cell.start + match.end(), cell.end, cell, dated)
            else:
                yield _Told(label, cell.left, cell.start, cell.end, cell, dated)
            label = None


def _is_label(words: str) -> bool:
    words = words.strip(" :")
    return bool(
        _WHERE.fullmatch(words) or _says_when(words) or caption_of(words) is not None or parties.is_other_label(words)
    )


def _says_when(label: str) -> bool:
    label = label.strip(" :")
    at = 0
    while at < len(label) and (match := _WHEN.match(label, at)):
        at = match.end()
    return at >= len(label) > 0 or caption_of(label) in parties.PLACE_OF


def _where(told: Sequence[_Told]) -> list[tuple[int, int]]:
    """The lines that name a place: those after a label for it, else the first without any label."""
    first = next((n for n, t in enumerate(told) if t.label is not None and _is_place(t.label)), None)
    if first is None:
        first = next((n for n, t in enumerate(told) if t.label is None and not t.dated), None)
    if first is None:
        return []
    lines = [told[first]]
    for t in told[first + 1 :]:
        slack = _ALIGNED if lines[0].left == lines[0].cell.left else 5 * lines[0].cell.letter
        if abs(t.cell.left - lines[0].left) > slack:
            continue
        if t.label is not None or len(lines) == _MOST_LINES:
            break
        lines.append(t)
    return [(t.start, t.end) for t in lines]


def _is_place(label: str) -> bool:
    label = label.strip(" :")
    said = parties.label_of(label)
    return _WHERE.fullmatch(label) is not None or (said is not None and said[0] in _PLACES)


_PLACES = frozenset({"shipper", "consignee", *parties.ADDRESSES})


def _moment(
    text: str, cells: Sequence[Word], told: _Told, side: str, reference: datetime, month_first: bool
) -> Span | None:
    if next(dates.find_moments(text[told.start : told.end]), None) is None:
        return None
    found = next(dates.find_moments(text[told.start : layout.row_end(cells, told.cell)]), None)
    if found is None or told.start + found[0] >= told.end:
        return None
    start, end = told.start + found[0], told.start + found[1]
    if end >= told.end and (below := layout.under(cells, told.cell)) and below.start >= end:
        end = dates.time_at(text, below.start, below.end) or end
    field = parties.WHEN_THERE[side]
    for stop in (end, told.start + found[1]):
        if value := dates.value_of(field, text[start:stop], reference, month_first=month_first):
            return Span(field, value, start, stop, _SURE)
    return None
