"""Fields of a page that a trained tagger points at: it reads block by block, and the rules read the values there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import accumulate, dropwhile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from extractors import columns, contacts, dates, identifiers, layout, parties, quantities, trees
from extractors.blocks import Piece, pieces
from extractors.captions import caption_of
from extractors.documents import DocumentType
from extractors.evidence import Finding, Span, overlap
from extractors.forms import Setting
from extractors.pdf import ReadPage, Word
from extractors.pointing import PROVEN, Point, Pointed, joined, read_at, stated, with_full_stop, within
from extractors.told import names_day

_AMOUNTS = quantities.COUNTS | {"gross_weight", "volume"}
_PRICES = quantities.MONEYS - {"disputed_amount"}

WEIGHTS = Path(__file__).parent / "weights.npz"
LEAST = 0.4  # of the likeness, below which nothing is reported: the best F1 on documents of others
_KNOWN = 0.5  # the score of a time from which it is that of its day
_MUCH_MORE = 20  # letters
MOST_PAGES = 6  # of a document that the tagger reads: what stands later is left to the rules

_NOT = re.compile(r"(?<!\w)(?:no|not|without|keine?|ohne|sans|pas de|sin|senza|geen|zonder|bez|brak) $", re.IGNORECASE)
_AMOUNT = re.compile(r"\d{1,3}(?:[ .,'’]?\d{1,3}){0,4}(?: ?[^\W\d]{1,10}\.?)?")  # of a line of goods
_TO_BRACKET = re.compile(r",?\s{0,2}\(")
_LONGEST_PARTICLE = 5  # letters: "della"
_SENTENCE = 50  # letters of a line that is no line of a box
_ASIDE = 3.0  # points between the beginnings of the lines of a column

_FREE = "free words"  # not weighed: where notes begin and end is each maker's own custom
_NOTED, _FEWEST_WORDS = 0.8, 3  # the score from which what was pointed at is a note, and how long it is at least
_SURE_NOTE, _NAMED_NOTE = 0.95, 0.6  # from the first, what only its words tell for a note is none beside it
_CLAUSE = re.compile(r"[.;:!?] |[“”„»«\"]")
_NAMES_PIECE = re.compile(r"[^\W\d][\w./ -]{1,20}\d[\w./]{0,6}: ")  # "Palette 5: Umreifung gerissen"
KINDS: dict[str, str] = (  # fields that are told alike
    dict.fromkeys(identifiers.FIELDS, "reference")
    | dict.fromkeys(dates.FIELDS, "date")
    | dict.fromkeys(quantities.FIELDS - quantities.MONEYS, "amount")
    | dict.fromkeys(quantities.MONEYS, "money")
    | dict.fromkeys(parties.PARTIES, "party")
    | dict.fromkeys([*parties.ADDRESSES, "site"], "address")
    | dict.fromkeys(parties.PERSONS, "person")
    | {"description": "goods", "remarks": _FREE}
    | dict.fromkeys([*contacts.FIELDS, "un_number", "hazard_class", "signed"], "form")
)

_AT_STOPS = frozenset({"party", "address", "date"})
_ONE_MEANING = frozenset({"reference", "date", "party", "address"})

Weigh = Callable[[Sequence[Finding], Sequence[Finding]], list[Finding]]  # of the rules, of the tagger
Places = Sequence[tuple[int, int]]  # stretches of a page's text


def pointed_on(
    read: ReadPage, cells: Sequence[Word], kind: DocumentType, setting: Setting, point: Point
) -> Iterator[tuple[Span, Places]]:
    """What the tagger points at on a page, with the stretches of its text that say it; scores are the tagger's."""
    for piece in pieces(read, cells, kind):
        for field, start, end, score in _with_brackets(piece.text, point(piece.text)):
            places = piece.place(start, end)
            for part in _names(read.page.text, cells, places) if field == "description" else [places]:
                if part and (found := _value(field, piece, part, read, setting)):
                    value, part = _with_time(field, *found, piece, read, setting)
                    yield Span(field, value, part[0][0], max(stop for _, stop in part), score), part


def _with_brackets(text: str, pointed: Sequence[Pointed]) -> Iterator[Pointed]:
    """What was pointed at, goods and their technical name in brackets as one: `LIQUID, N.O.S.`, `(xylene)`."""

    def belong(first: Pointed, second: Pointed) -> bool:
        bracket = second[1] < first[2] or _TO_BRACKET.fullmatch(text, first[2], second[1])
        return first[0] == "description" and bool(bracket)

    return joined(sorted(pointed, key=lambda p: p[1]), belong, min)


def _names(text: str, cells: Sequence[Word], places: Places) -> list[list[tuple[int, int]]]:
    """The lines of goods pointed at as one, name by name, but for what repeats one in another language; a name goes on
    where its line is unfinished or full.
    """
    names: list[list[tuple[int, int]]] = []
    listed = list(parties.goods_listed(text, *within(text, *places[0]))) if len(places) == 1 else []
    if len(listed) > 1:
        names = [[place] for place in listed]
    else:
        for place in places:
            if names and _goes_on(text, cells, names[-1][-1], place):
                names[-1].append(place)
            else:
                names.append([place])
    return [name for name in names if not _is_translation(text, *name[0])]


def _goes_on(text: str, cells: Sequence[Word], first: tuple[int, int], second: tuple[int, int]) -> bool:
    one, two = layout.cell_at(cells, first[0]), layout.cell_at(cells, second[0])
    said = text[first[0] : one.end if one else first[1]].rstrip()
    if one is None or two is None or one is two or columns.is_unfinished(said):
        return True
    if all(any(_is_amount(text, c) and layout.on_line(c, of) for c in cells if c is not of) for of in (one, two)):
        return False  # each has a count or weight of its own
    if parties.begins_inside(text, two.start):
        return True
    line = [c.right for c in cells if abs(c.left - one.left) < _ASIDE]
    edge = one.frame[2] if one.frame else max(line)
    return columns.has_no_room(text, one, two, edge)


def _is_translation(text: str, start: int, end: int) -> bool:
    """Whether goods repeat in another language what stands before a slash: `Pokrywy / Engine covers`."""
    line = text.rfind("\n", 0, start) + 1
    return text[line:start].endswith(" / ") and text[start:end][:1].isupper()


def _is_amount(text: str, cell: Word) -> bool:
    return _AMOUNT.fullmatch(text, cell.start, cell.end) is not None


def _value(
    field: str, piece: Piece, places: list[tuple[int, int]], read: ReadPage, setting: Setting
) -> tuple[str, list[tuple[int, int]]] | None:
    text = read.page.text
    start, end = places[0]
    if field in parties.ADDRESSES:
        if whole := _address_in_sentence(field, piece, places, text):
            return whole
        block = list(dropwhile(lambda line: parties.is_label(text[slice(*line)]), piece.block(start)))
        pointed = _address(field, places, text)
        for span, lines in parties.in_box(text, field, block):
            if span.field == field and any(a < end and start < b for a, b in lines):
                more = ": " in span.value or (pointed and len(span.value) > len(pointed[0]) + _MUCH_MORE)
                if more and pointed and parties.in_full(pointed[0]):
                    return pointed  # the line is a sentence, or the block a list
                return span.value, [*lines]
        return pointed
    if field in parties.PARTIES:
        return _party(field, piece, _without_caption(text, piece, places), text)
    if field == "description" and len(places) > 1:
        return _goods(text, places)
    if field == "remarks":
        return _note(piece, places, text)
    if len(places) > 1 and field in parties.SEVERAL_LINES:
        return _in_lines(field, places, text)
    caption, (first, last) = piece.cell(start)
    if field in dates.FIELDS - {"document_date", "delay_minutes"} and dates.is_to_pay(caption):
        return None
    if field == "description":
        goods = parties.goods_in(text, *within(text, start, end))
        if goods is None or caption_of(text[slice(*goods)]) is not None or _NOT.search(text, first, goods[0]):
            return None
        start, end = goods
    if field in _AMOUNTS and (amount := quantities.captioned(field, text, *within(text, start, end), caption)):
        return amount.value, [(amount.start, amount.end)]
    if field in _PRICES and not any(c.isalpha() or c in "€$£" for c in text[start:end]):
        named = quantities.currencies_in(caption) or quantities.currencies_in(text)
        start, end = within(text, start, end)
        money = quantities.in_currency(text[start:end], named.pop()) if len(named) == 1 else None
        return (money, [(start, end)]) if money else None
    if field in _PRICES:
        priced = within(text, start, end)
        if dollars := quantities.in_dollars(text, *priced):
            return dollars[1], [(dollars[0], priced[1])]
    if field in parties.PERSONS and any(c.isdigit() or c == "@" for c in text[start:end]):
        return None
    if field == "delivery_order":
        start = identifiers.begin_of_note(text, start, caption + text[first:start])
    found = read_at(field, text[first:last], start - first, end - first, partial(stated, **setting._asdict()))
    if found is None:
        return None
    value, place = found[0], (first + found[1], first + found[2])
    said = text[slice(*place)]
    if field in dates.FIELDS and "T" in value and not names_day(said) and dates.clock_in(said) is None:
        return None  # "week 5" is no time of day
    return value, [place]


def _goods(text: str, places: Places) -> tuple[str, list[tuple[int, int]]] | None:
    """Goods whose name takes several lines, with the marks between them; a line that names packing only ends them."""
    lines: list[tuple[int, int]] = []
    for place in places:
        inside = parties.begins_inside(text, place[0]) and not parties.is_bulk(text, *place)
        if parties.goods_in(text, *place) is None and not inside:
            break
        lines.append(place)
    if not lines:
        return None
    first, last = within(text, *lines[0])[0], within(text, *lines[-1])[1]
    if goods := parties.goods_in(text, first, lines[0][1]):
        first = goods[0]
    said = "".join(text[a:b] for a, b in lines)
    if text[last : last + 1] == ")" and said.rstrip(")").count("(") > said.rstrip(")").count(")"):
        last += 1
    if goods := parties.goods_in(text, lines[-1][0], last):
        last = with_full_stop(text, *goods)
    lines[0] = (first, lines[0][1])
    lines[-1] = (lines[-1][0], last)
    value = parties.value_of("description", "\n".join(text[a:b] for a, b in lines))
    return (value, lines) if value else None


def _note(piece: Piece, places: Places, text: str) -> tuple[str, list[tuple[int, int]]] | None:
    """A note with what its sentence begins and ends with in its lines: `3 Säcke`, `Palette 5:`, `, repacked.`"""
    lines = [*places]
    _, (first, _) = piece.cell(lines[0][0])
    marks = [m.end() for m in _CLAUSE.finditer(text, first, lines[0][0])]
    if len(marks) > 1 or not _NAMES_PIECE.fullmatch(text, first, lines[0][0]):
        first = marks[-1] if marks else first
    lines[0] = (first, lines[0][1])
    for n, (start, end) in enumerate(lines):
        _, (_, last) = piece.cell(start)
        stop = _CLAUSE.search(text, max(start, end - 1), last)
        last = last if stop is None else stop.start() + (text[stop.start()] == ".")
        lines[n] = (start, last if n == len(lines) - 1 or text[end:last].strip(" ,.;-–") == "" else end)
    value = parties.value_of("remarks", "\n".join(text[a:b] for a, b in lines))
    return (value, lines) if value and value.count(" ") >= _FEWEST_WORDS - 1 and parties.is_note(value) else None


def _address(field: str, places: Places, text: str) -> tuple[str, list[tuple[int, int]]] | None:
    """The address that was pointed at, with the town that goes on behind its street."""
    *others, (start, end) = places
    end = within(text, start, end)[1]
    return _in_lines(field, [*others, (start, parties.address_end(text, start, end))], text)


def _party(field: str, piece: Piece, places: Places, text: str) -> tuple[str, list[tuple[int, int]]] | None:
    """The name that was pointed at, all of its line but what leads in to it; in a sentence, as far as capitals go."""
    if len(places) > 1:
        return _in_lines(field, places, text)
    start, end = within(text, *places[0])
    _, line = piece.cell(places[0][0])
    start = _after_what_is_told(text, start, end)
    word = text.find(" ", start, end)
    captioned = start < word and _is_caption(text[start:word])
    if captioned:
        start = word + 1
    name = parties.name_at(text, *line)
    if name is None or not name[0] <= start < name[1]:
        name = parties.name_around(text, start, end, line)
    elif captioned or _leads_in(text[name[0] : start]):
        name = (start, name[1])
    elif not all(parties.is_of_name(rest) for rest in (text[name[0] : start], text[end : name[1]].strip(" .,"))):
        name = parties.name_around(text, start, end, line)
    name = (name[0], with_full_stop(text, *name))
    lines = [name]
    below = piece.below(start)
    if below[0] < below[1] and parties.form_goes_on(text[slice(*name)], text[slice(*below)]):
        lines.append(below)
    value = parties.value_of(field, "\n".join(text[a:b] for a, b in lines))
    return (value, lines) if value else None


def _after_what_is_told(text: str, start: int, end: int) -> int:
    """Where a name begins that was pointed at with a small word before it: `émargé Messageries du Lot SAS`."""
    told, _, name = text[start:end].partition(" ")
    small = told.isalpha() and told.islower() and len(told) > _LONGEST_PARTICLE
    return start + len(told) + 1 if small and name[:1].isupper() and " " in name else start


def _address_in_sentence(
    field: str, piece: Piece, places: Places, text: str
) -> tuple[str, list[tuple[int, int]]] | None:
    """The whole address of which a part was pointed at, in lines that end anywhere in it; None: no sentence."""
    lines = [line for line in piece.block(places[0][0]) if line[0] < line[1]]
    flat = " ".join(text[slice(*line)] for line in lines)
    begins = list(accumulate((b - a + 1 for a, b in lines), initial=0))
    inside = [
        (begin + max(a, first) - a, begin + min(b, last) - a)
        for (a, b), begin in zip(lines, begins, strict=False)
        for first, last in places
        if a < last and first < b
    ]
    if not inside:
        return None
    first, last = inside[0][0], inside[-1][1]
    begun = max(n for n, b in enumerate(begins) if b <= first)
    before, long = flat[begins[begun] : first].strip(" .:"), begins[begun + 1] - begins[begun] > _SENTENCE
    boxed = not long or not before or _leads_in(before)
    found = None if boxed else parties.address_around(flat, first, last)
    if found is None:
        return None
    parts = [
        (a + max(begin, found[0]) - begin, min(b, a + found[1] - begin))
        for (a, b), begin in zip(lines, begins, strict=False)
        if begin < found[1] and found[0] < begin + b - a
    ]
    value = parties.value_of(field, flat[slice(*found)])
    return (value, parts) if value else None


def _without_caption(text: str, piece: Piece, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The lines of a name that was pointed at without a caption over it, and without what stands in another block."""
    start = places[0][0]
    begins = text[piece.cell(start)[1][0] : start].strip() == ""  # else the end of what stands before the name
    block = piece.block(start if begins else places[-1][0])
    rest = [p for p in places if any(a <= p[0] < b for a, b in block)] or places

    def heads(place: tuple[int, int]) -> bool:
        return parties.is_label(text[slice(*place)]) or _CARRIAGE.fullmatch(text, *place) is not None

    return list(dropwhile(heads, rest[:-1])) + rest[-1:]


def _in_lines(field: str, places: Places, text: str) -> tuple[str, list[tuple[int, int]]] | None:
    lines = [within(text, *place) for place in places]
    lines = [(a, with_full_stop(text, a, b)) for a, b in lines if a < b]
    value = parties.value_of(field, "\n".join(text[a:b] for a, b in lines))
    return (value, lines) if value and lines else None


def _with_time(
    field: str, value: str, places: list[tuple[int, int]], piece: Piece, read: ReadPage, setting: Setting
) -> tuple[str, list[tuple[int, int]]]:
    """A day with the time that stands behind it in its line, or in the next line of its block."""
    if field not in dates.FIELDS - {"document_date", "delay_minutes"} or "T" in value or len(places) != 1:
        return value, places
    text, (start, end) = read.page.text, places[0]
    told = setting._asdict()
    for first, last in (piece.rest(end), piece.below(start)):
        stop = dates.time_at(text, first, last) if end <= first < last else None
        if stop is None or dates.clock_in(text[end:first]) or any(dates.find_days(text[end:first], setting.reference)):
            continue
        said = stated(field, text[start:stop], **told)
        if said and said == stated(field, f"{text[start:end]} {text[first:stop]}", **told):
            return said, [(start, end), (first, stop)]
    return value, places


_LEAD_IN = re.compile(
    r"from|to|for|by|chez|von|an|bei|durch|de|du|da|dal|od|dla|für|pour|para|per|van|aan|bij|spett\.?le|m/s",
    re.IGNORECASE,
)
_FIRM = re.compile(
    r"transports?\b|transporte\b|trasport[io]\b|spedition|spedizion|logist|cargo|freight|haulage|truck|express",
    re.IGNORECASE,
)
_LED_IN = re.compile(
    r".* (?:from|to|by|at|chez|von|vom|an|bei|durch|mit|par|por|od|przez|door|naar|aan|bij|presso|dal|da|à)"
)


def _leads_in(words: str) -> bool:
    """Whether what stands before a name in its cell is no part of it: `Carrier`, `Versand durch`."""
    words = words.strip(" .:")
    if not words or _FIRM.search(words):
        return False
    led_in = _LEAD_IN.fullmatch(words) or (_LED_IN.fullmatch(words) and not parties.is_of_name(words))
    return bool(led_in) or caption_of(words) is not None or parties.is_label(words)


def _is_caption(word: str) -> bool:
    """Whether the first word of what may be a name is no part of one: `NOTIFY`, but not `Corriere` or `Carrier`."""
    if _ROLE.fullmatch(word):
        return True
    return word.isupper() and parties.is_label(word) and _IN_NAMES.match(word) is None and _leads_in(word)


_ROLE = re.compile(  # says whose name follows, and begins none
    r"(?:transporteur|transportista|porteador|vettore|trasportatore|vervoerder|przewoźnik|frachtführer|haulier|transport(?=\.)"
    r"|expéditeur|destinataire|mittente|destinatario|remitente|cargador|afzender|ontvanger|geadresseerde|nadawca|odbiorca"
    r"|absender|empfänger|consignee|consignor|shipper|(?:transp|exp|expéd|dest|mitt|abs|empf)(?=\.))\W?",
    re.IGNORECASE,
)
_CARRIAGE = re.compile(r"(?:transporte?|trasporto|vervoer|przewóz|haulage|carriage)\W{0,2}", re.IGNORECASE)


_IN_NAMES = re.compile(r"carrier|corriere|courier|koerier|agent|agence|agenzia|client|kunde", re.IGNORECASE)


class Candidate(NamedTuple):
    """A value of a field of a document and all that speaks for and against it; scores are 0 where there is none."""

    finding: Finding
    rules: float
    tagger: float
    rules_other: float  # the best score of another value of the field
    tagger_other: float
    for_another: float  # the tagger's best score for another field at the same place
    otherwise: float  # and for the same field there, read otherwise
    of_field: int  # candidates of its field
    of_value: int  # and of its value
    better_by_rules: int  # candidates of its field that the rules score higher
    better_by_tagger: int


def weighed(found: Sequence[Finding], pointed: Sequence[Finding]) -> list[Finding]:
    """What probably is right of what the rules found on a document and of what the tagger points at there.

    Each that is weighed has its likelihood as its score: by decision trees that were fitted on documents that neither
    was fitted on (`eval.weighing`, `weights.npz`).
    """
    found, pointed = completed(found, pointed)
    kept = _noted([f for f in found if _stands(f)], pointed)
    weighing = candidates(found, pointed)
    for candidate, score in zip(weighing, _likely(weighing), strict=True):
        if score >= LEAST:
            kept.append(candidate.finding.model_copy(update={"score": round(score, 3)}))
    return _one_meaning_each(kept)


def _noted(found: Sequence[Finding], pointed: Sequence[Finding]) -> list[Finding]:
    """What stands, with the notes that the tagger is sure of where the rules found none, or a part of them."""
    kept = [*found]
    for note in sorted((p for p in pointed if p.field == "remarks" and p.score >= _NOTED), key=lambda p: -p.score):
        here = [f for f in kept if f.field == "remarks" and overlap(f, note)]
        if all(f.value.rstrip(" .,") in note.value for f in here):
            guessed = [f for f in kept if f.field == "remarks" and f.score < _NAMED_NOTE and note.score > _SURE_NOTE]
            kept = [*(f for f in kept if f not in here and f not in guessed), note]
    return kept


def completed(found: Sequence[Finding], pointed: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Both with what the other way knows more of a value: the time of a day, the street of a town, all of a name."""
    return _named_in_full(*_in_full(*_timed(found, _numbered_in_full(found, pointed))))


def _numbered_in_full(found: Sequence[Finding], pointed: Sequence[Finding]) -> list[Finding]:
    """What was pointed at, with all of a number of which no more than a part was: `PL 7K` and `044` are one plate."""
    numbers: dict[tuple[str, int | None], list[Finding]] = {}
    for finding in found:
        if KINDS.get(finding.field) == "reference":
            numbers.setdefault((finding.field, finding.evidence.page), []).append(finding)

    def told(finding: Finding) -> Finding:
        whole = [f for f in numbers.get((finding.field, finding.evidence.page), ()) if _is_part(finding, f)]
        return whole[0].model_copy(update={"score": finding.score}) if len({f.value for f in whole}) == 1 else finding

    return [told(finding) for finding in pointed]


def _timed(found: Sequence[Finding], pointed: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Both with the days for which one of them knows the time told with it: what speaks for the day speaks for both."""
    times: dict[tuple[str, str], list[Finding]] = {}
    for finding in _best([f for f in (*found, *pointed) if KINDS.get(f.field) == "date" and "T" in f.value]).values():
        times.setdefault((finding.field, finding.value.partition("T")[0]), []).append(finding)

    def told(finding: Finding) -> Finding:
        timed = times.get((finding.field, finding.value), [])
        timed = [t for t in timed if overlap(t, finding)] or timed
        if len(timed) != 1 or timed[0].score < _KNOWN:
            return finding
        return timed[0].model_copy(update={"score": finding.score})

    return [told(f) for f in found], [told(f) for f in pointed]


def _in_full(found: Sequence[Finding], pointed: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Both with the street of a place of which one of them knows no more than the town."""
    known = [f for f in (*found, *pointed) if f.field in parties.ADDRESSES and f.score >= _KNOWN]

    def told(finding: Finding) -> Finding:
        if finding.field not in parties.ADDRESSES or not parties.is_town(finding.value):
            return finding
        fuller = {f.value: f for f in known if f.field == finding.field and parties.is_in_town(f.value, finding.value)}
        return next(iter(fuller.values())).model_copy(update={"score": finding.score}) if len(fuller) == 1 else finding

    return [told(f) for f in found], [told(f) for f in pointed]


def _named_in_full(found: Sequence[Finding], pointed: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Both with the goods of which one of them knows no more than how their name begins."""
    known = [f for f in (*found, *pointed) if f.field == "description" and f.score >= _KNOWN]

    def told(finding: Finding) -> Finding:
        if finding.field != "description":
            return finding
        longer = [f for f in known if _begins(finding, f) and not any(_is_rest(o, finding, f) for o in known)]
        most = max(longer, key=lambda f: len(f.value), default=finding)
        return most.model_copy(update={"score": finding.score})

    return [told(f) for f in found], [told(f) for f in pointed]


def _begins(finding: Finding, longer: Finding) -> bool:
    one, two = finding.evidence, longer.evidence
    rest = longer.value[len(finding.value) :]
    same = (one.page, one.start) == (two.page, two.start) and longer.value.startswith(finding.value)
    return same and bool(rest) and not rest[0].isalnum()


def _is_rest(other: Finding, finding: Finding, longer: Finding) -> bool:
    """Whether goods of their own stand in a longer name, behind those that begin it: `Kettles, toasters`."""
    start, whole = other.evidence.start, longer.evidence
    return other.evidence.page == whole.page and finding.evidence.end < start and other.evidence.end <= whole.end


def _one_meaning_each(found: Sequence[Finding]) -> list[Finding]:
    """Without what a likelier finding says too: the same words are one reference, one day, one party or one place, and
    a part of a number, or a day whose time is known, says nothing more.
    """
    kept: list[Finding] = []
    told: dict[tuple[str, int | None, int | str], list[Finding]] = {}  # by their letters, or by what they say
    days: set[tuple[str, str]] = set()
    for finding in sorted(found, key=lambda f: -f.score):
        kind, place = KINDS.get(finding.field, ""), finding.evidence
        letters = kind in ("reference", "date")
        says = range(place.start, place.end) if letters else [_value_key(finding)[1]]
        keys = [(kind, place.page, at) for at in says] if kind in _ONE_MEANING else []
        others = [k for key in keys for k in told.get(key, ()) if overlap(finding, k)]
        if any(k.field != finding.field or (kind == "reference" and _is_part(finding, k)) for k in others):
            continue
        if (finding.field, finding.value) in days:
            continue
        kept.append(finding)
        for key in keys:
            told.setdefault(key, []).append(finding)
        if kind == "date" and "T" in finding.value:
            days.add((finding.field, finding.value.partition("T")[0]))
    return kept


def _is_part(finding: Finding, other: Finding) -> bool:
    one, two = finding.evidence, other.evidence
    return finding.value != other.value and two.start <= one.start and one.end <= two.end


def candidates(found: Sequence[Finding], pointed: Sequence[Finding]) -> list[Candidate]:
    """Each value of a field once; the evidence is that of the rules, where they found it too."""
    settled = {_value_key(f) for f in found if _stands(f)}
    rules = _best([f for f in found if not _stands(f)])
    tagger = _best([f for f in pointed if KINDS.get(f.field) != _FREE and _value_key(f) not in settled])
    by_page: dict[int | None, list[Finding]] = {}
    for finding in pointed:
        by_page.setdefault(finding.evidence.page, []).append(finding)
    sure = _best([f for f in found if _stands(f) and KINDS.get(f.field) in _AT_STOPS])
    rules_of, tagger_of = _by_field({**rules, **sure}), _by_field(tagger)
    all_of = {**tagger, **rules}
    of_field, of_value = Counter(field for field, _ in all_of), Counter(f.value for f in all_of.values())
    weighed_rules = _by_field(rules)  # without those that are sure
    told = []
    for field, value in sorted(all_of):
        key, finding = (field, value), all_of[field, value]
        place = finding.evidence
        by_rules, by_tagger = (of[key].score if key in of else 0.0 for of in (rules, tagger))
        there = [
            p
            for p in by_page.get(place.page, ())
            if p.evidence.start < place.end and place.start < p.evidence.end and _holds(finding, p)
        ]
        told.append(
            Candidate(
                finding,
                by_rules,
                by_tagger,
                _of_another(rules_of, field, value),
                _of_another(tagger_of, field, value),
                max((p.score for p in there if p.field != field), default=0.0),
                max((p.score for p in there if p.field == field and _value_key(p) != key), default=0.0),
                of_field[field],
                of_value[finding.value],
                sum(score > by_rules for _, score in weighed_rules.get(field, ())),
                sum(score > by_tagger for _, score in tagger_of.get(field, ())),
            )
        )
    return told


def _holds(finding: Finding, other: Finding) -> bool:
    """Whether what overlaps a value of several lines is not of the box beside it, whose words stand between them."""
    return "\n" not in finding.evidence.quote or all(w in finding.value for w in other.evidence.quote.split())


def features(candidate: Candidate) -> dict[str, float]:
    """By name, as the columns of `weights.npz` have them; what is not named is 0."""
    finding, *scores = candidate
    value = finding.value
    return {
        **dict(zip(Candidate._fields[1:], map(float, scores), strict=True)),
        "ocr": float(finding.method == "ocr"),
        "layout": float(finding.method == "layout"),
        "length": float(len(value)),
        "digits": sum(c.isdigit() for c in value) / max(1, len(value)),
        "blanks": float(value.count(" ")),
        "commas": float(value.count(",")),
        finding.field: 1.0,
        f"kind {KINDS.get(finding.field, 'other')}": 1.0,
    }


def _likely(weighing: Sequence[Candidate]) -> list[float]:
    if not weighing:
        return []
    known = _weights()
    rows = [[told.get(name, 0.0) for name in known.names] for told in map(features, weighing)]
    return [float(score) for score in known.likely(np.array(rows, np.float32))]


def _stands(finding: Finding) -> bool:
    """Whether a finding of the rules is not weighed: remarks, and references that their form proves."""
    kind = KINDS.get(finding.field)
    return kind == _FREE or (kind in _AT_STOPS | {"reference"} and finding.score >= PROVEN)


def _value_key(finding: Finding) -> tuple[str, str]:
    return finding.field, " ".join(finding.value.split()).rstrip(" .").casefold()


def _best(findings: Sequence[Finding]) -> dict[tuple[str, str], Finding]:
    best: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = _value_key(finding)
        if key not in best or finding.score > best[key].score:
            best[key] = finding
    return best


def _by_field(best: Mapping[tuple[str, str], Finding]) -> dict[str, list[tuple[str, float]]]:
    of: dict[str, list[tuple[str, float]]] = {}
    for (field, value), finding in best.items():
        of.setdefault(field, []).append((value, finding.score))
    return of


def _of_another(scores: Mapping[str, Sequence[tuple[str, float]]], field: str, value: str) -> float:
    return max((score for other, score in scores.get(field, ()) if other != value), default=0.0)


@lru_cache(maxsize=1)
def _weights() -> trees.Trees:
    return trees.load(WEIGHTS)
