"""Where the name of goods, of a place, a firm or a person begins and ends in running text, given about where it stands."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator

from extractors import identifiers, parties

FIELDS = parties.PARTIES | parties.PERSONS | {"site", "description"}

_TITLES = r"(?:Mrs?\.?|Ms\.?|Miss|Dr\.?|M\.|Mme|Mlle|Hr\.?|Herr|Frau|Familie|Sra?\.|Dñ?a?\.|[Ss]ig\.(?:ra)?|[Ss]ignora?|[Dd]hr\.?|[Mm]evr\.?|Pani?)"
_TITLE_BEFORE = re.compile(rf"(?<!\w){_TITLES} $")
_TITLED = re.compile(rf"{_TITLES} (?=[A-ZÀ-Ž])")
_LONGEST_TITLE = 10  # letters
OWNED = re.compile(r"['’]s$")
_BEFORE_NAME = re.compile(
    r"(?:(?:at|from|in|the|à|chez|bei|beim|im|vom|bij|naar|presso|w|do|z) (?=\S)|de (?=Dñ?a?\. )|(?i:dell|all|dall|nell|sull)['’](?=\w))"
)
_UNIT = r"(?:[cm]?m|[mk]?g|t|[cm]?l|lt?rs?|lit(?:er|re|ri|ro)s?|inch(?:es)?|ft|ct|°C)"
_SIZE_BEFORE = re.compile(rf"(?:\d[\d/.,x]* ?{_UNIT}|\d+/\d+) (?=\w)", re.IGNORECASE)
_SIZE_AFTER = re.compile(
    rf"(?: (?:calib(?:re|ro)|size|größe|taille|talla|taglia|maat|rozmiar))?(?: [^\s\d]*\d\S*(?: {_UNIT})?){{1,6}}$",
    re.IGNORECASE,
)
_CARRIED = re.compile(
    r" (?:trucks?|lorry|lorries|tankers?|loads?|shipments?|deliver(?:y|ies)|orders?|consignments?)$", re.IGNORECASE
)
_UNFINISHED = re.compile(  # "olio in bottiglia" is pointed at as "olio in"
    r" (?:and|as|at|for|from|in|of|on|per|to|with|auf|aus|bei|für|mit|und|von|zu|à|au|aux|avec|chez|dans|de|des|du|en|et|pour|sur|con|del|para|por|y|da|di|e|su|met|naar|op|van|voor|do|dla|na|od|w|z)$"
)
_WITH = re.compile(r" (?:&|\+|and|und|et|y|e|i|oraz) ")  # "en" is "in" in French and Spanish
_STEM, _ENDING = 4, 2  # letters
_AMONG = re.compile(r"[,;] |,? (?:/|&|\+|and|und|et|y|e|en|i|oraz) ")


def each(field: str, text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The places of several goods or numbers that are named in one breath: `bed and mattress`, `2291 & 2291A`."""
    apart = _WITH if field == "description" else _AMONG if field in identifiers.FIELDS else None
    marks = list(apart.finditer(text, start, end)) if apart else []
    places = list(zip([start, *(m.end() for m in marks)], [*(m.start() for m in marks), end], strict=True))
    yield from places if all(_is_one(field, text[a:b]) for a, b in places) else [(start, end)]


def _is_one(field: str, words: str) -> bool:
    if field in ("vehicle_plate", "trailer_plate"):
        return identifiers.is_plate(words)
    return field == "description" or any(c.isdigit() for c in words)


def is_same(first: str, second: str) -> bool:
    """Whether two names of goods are one, or the words of one stand in the other: `coil` and `coils`."""
    one, other = first.casefold().split(), second.casefold().split()
    if f" {' '.join(one)} " in f" {' '.join(other)} " or f" {' '.join(other)} " in f" {' '.join(one)} ":
        return True
    a, b = next((pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]), ("", ""))
    a, b = sorted((a, b), key=len)
    return len(a) >= _STEM and b.startswith(a[: max(_STEM, len(a) - _ENDING)])


def whole(field: str, text: str, start: int, end: int) -> tuple[int, int]:
    """The place of a name with the title before it, without the words and endings that only join it to its sentence."""
    if field == "description":
        return _goods(text, start, end)
    if before := _BEFORE_NAME.match(text, start, end):
        start = before.end()
    if field != "site" and (title := _TITLE_BEFORE.search(text, max(0, start - _LONGEST_TITLE), start)):
        start = title.start()
    if _TITLED.match(text, start, end) and (owner := OWNED.search(text, start, end)):
        end = owner.start()
    return start, end


def _goods(text: str, start: int, end: int) -> tuple[int, int]:
    """Goods without their size, without what carries them, and without the first word of what is told of them."""
    if size := _SIZE_BEFORE.match(text, start, end):
        start = size.end()
    for pattern in (_UNFINISHED, _SIZE_AFTER, _CARRIED):
        if match := pattern.search(text, start, end):
            end = match.start()
    return start, end
