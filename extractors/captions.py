"""What the captions of forms say, in the languages of the service: `captions.yaml`, and how loosely it is read."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("captions.yaml")
_LONGEST = 110  # letters of a caption, in all its languages
_MOST_WORDS = 12  # of one of them
_MOST_DIGITS = 3
_NUMBERED = re.compile(r"\d{1,2}[a-z]?[.)]? |\(\d{1,2}[a-z]?\) ?")
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\*+|†")
DATA_ELEMENT = re.compile(r" ?\[\d\d \d\d(?: ?[/,] ?\d\d \d\d){0,3}\] ?")  # "Scellés [19 10]", as customs number boxes
_WHOSE = re.compile(r"(?<!\w)(?:(?P<ours>n)|[vs]) ?/ ?(?=[^\W\d]{3})", re.IGNORECASE)  # "N/pedido", "V/Cde"
_OTHER_LANGUAGE = re.compile(r"\s*(?:/|\||–|—|·|•)\s*|\s-\s|\n")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]{1,2}(?!\w))?[°º]?|#")
_ZERO = re.compile(r"(?<=[^\W\d_]{3})0|0(?=[^\W\d_]{3})")  # "SU PEDID0"
_ENDINGS = ("nummern", "nummer", "number", "nr")
_ACCENTS = frozenset(map(chr, range(0x300, 0x370)))
_LINKING = frozenset(
    ["of", "the", "de", "del", "della", "di", "du", "des", "la", "le", "van", "von", "der", "het", "da", "do"]
)
_NONE = "none"
OWN_NUMBER = "own_number"  # of the paper itself: which field that is, its type says
_ORDERS = frozenset(["purchase_order", "sales_order", "delivery_order"])
_WHO = frozenset(["shipper", "consignee", "carrier", "driver_name"])


class _Captions(NamedTuple):
    fields: dict[tuple[str, ...], str]
    fillers: frozenset[str]
    words: frozenset[str]  # of all phrases

    def may_be_said(self, word: str) -> bool:
        """Whether a caption may hold a word at all: most of what is written into forms ends here."""
        return word in self.words or self._says_nothing(word)

    def may_be_with(self, field: str, word: str) -> bool:
        """Whether a word says no more than whose the value of `field` is, or that there is one."""
        return self._says_nothing(word) or (field not in _WHO and self.fields.get((word,)) in _WHO)

    def _says_nothing(self, word: str) -> bool:
        return word in self.fillers or (word.isdecimal() and len(word) < 3)


@lru_cache(maxsize=16384)  # some 200 documents': a carrier's forms bear the same captions every day
def caption_of(words: str) -> str | None:
    """The field whose value a cell with these words announces; "" where it is none of ours, None: it is no caption.

    Of several languages or halves the first that is known counts, the longest known phrase in it first. All its other
    words must be such as stand with any caption. Colons and blanks around them say nothing.
    """
    if not 2 <= len(words) <= _LONGEST:
        return None
    words = words.replace("’", "'")
    asides = _ASIDE.findall(words)
    words = _ASIDE.sub(" ", words) if asides else words
    words = _WHOSE.sub(lambda whose: "ns " if whose["ours"] else "vs ", words)
    if sum(c.isdigit() for c in words) > _MOST_DIGITS:
        return None
    numbered = _NUMBERED.match(words)
    words = words[numbered.end() :] if numbered else words
    found = [_field(part) for part in (words, *_OTHER_LANGUAGE.split(words)) if part.strip()]
    fields = [field for field in found if field]
    if fields[:1] == ["shipment"] and "" in (found[0], *map(_field, asides)):  # "Viaggio / Voyage", "Ref. nr. (LRN)"
        return ""
    if fields[:1] == ["shipment"]:  # "Uw referentie / bestelnummer afnemer" is what the second half says
        fields = [field for field in fields if field in _ORDERS] or fields
    return next(iter(fields), next((field for field in found if field is not None), None))


def caption_at_end(words: str) -> str | None:
    """The longest caption with which running text ends: `laut Bestellung Nr.` of `geliefert laut Bestellung Nr.`"""
    said = words.split()
    first = len(said)
    while first > max(0, len(said) - _MOST_WORDS // 2) and all(map(_captions().may_be_said, _tokens(said[first - 1]))):
        first -= 1
    endings = (" ".join(said[at:]) for at in range(first, len(said)))
    return next((ending for ending in endings if caption_of(ending) is not None), None)


def _field(words: str) -> str | None:
    tokens = _tokens(words)
    if not tokens or len(tokens) > _MOST_WORDS or not all(map(_captions().may_be_said, tokens)):
        return None
    if (field := _said(tokens)) is not None:
        return field
    cuts = ((_said(tokens[:at]), _said(tokens[at:])) for at in range(1, len(tokens)))
    halves = [(one, two) for one, two in cuts if one is not None and two is not None]
    if not halves:
        return None
    # the same in two languages, and nothing between: "Nadawca Sender", "Commande expéditeur Shipper's order"
    first, second = next((both for both in halves if both[0] == both[1]), halves[0])
    return first or second


def _said(tokens: tuple[str, ...]) -> str | None:
    known = _captions()
    for length in range(len(tokens), 0, -1):
        for at in range(len(tokens) - length + 1):
            field = known.fields.get(tokens[at : at + length])
            others = (*tokens[:at], *tokens[at + length :])
            if field is not None and all(known.may_be_with(field, other) for other in others):
                return "" if field == _NONE else field
    return None


def _unlinked(tokens: tuple[str, ...]) -> tuple[str, ...]:
    """A phrase without the words that only link others, which captions often leave out."""
    said = tuple(token for token in tokens if token not in _LINKING)
    return said if len(said) > 1 else tokens


def _tokens(words: str) -> tuple[str, ...]:
    return tuple(part for word in _WORD.findall(_plain(words)) for part in _parts(word))


def _plain(words: str) -> str:
    """In small letters and without accents, which capitals often lack; with the o that a scan reads as a zero."""
    return without_accents(_ZERO.sub("o", words).casefold())


def without_accents(words: str) -> str:
    if words.isascii():
        return words
    letters = unicodedata.normalize("NFD", words.replace("ł", "l").replace("Ł", "L"))
    return "".join(c for c in letters if c not in _ACCENTS)


def _parts(word: str) -> tuple[str, ...]:
    """`rechnungsnummer` as `rechnungs nummer`: what is numbered is what counts."""
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) > len(e) + 2), None)
    return (word,) if ending is None else (word[: -len(ending)], ending)


@lru_cache(maxsize=1)
def _captions() -> _Captions:
    import yaml

    read = yaml.load(_FILE.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    fields: dict[tuple[str, ...], str] = {}
    for field, by_language in read["fields"].items():
        for phrases in by_language.values():
            for phrase in phrases:
                fields.setdefault(_tokens(phrase), field)
    for phrase, field in list(fields.items()):  # "orden carga" is "orden de carga"
        fields.setdefault(_unlinked(phrase), field)
    fillers = frozenset(_plain(word) for line in read["fillers"] for word in line.split())
    return _Captions(fields, fillers, frozenset(word for phrase in fields for word in phrase))
