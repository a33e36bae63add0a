"""Personal data out of a text before it leaves the house, and back into the answer.

Masked are e-mail addresses, phone numbers, IBANs, payment cards, and the names of persons that the headers, the
signature or the greeting at the end give away. References stay readable: without them nobody could tell what a message
is about. Recognisers of patterns miss what has none (a name in the middle of a sentence, a street).
"""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from extractors import contacts
from extractors.identifiers import find_references
from extractors.message import Message

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ \u00a0]?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_CARD = re.compile(r"(?<![\w.,/+-])(?:\d[ -]?){12,18}\d(?![\w]|[.,/-]\d)")
_CARD_BRANDS = re.compile(r"4|5[1-5]|2[2-7]|3[47]|3[068]|6(?:011|5)")
_WORD = r"(?<!\w)[^\W\d_]{1,40}(?:['’-][^\W\d_]{1,40}){0,2}\.?"
_ADDRESSED = re.compile(rf"(?P<name>{_WORD},?(?: {_WORD},?){{1,3}})[\"']? ?[<\[(](?:mailto:)?[^\s<>@]+@")
_GREETING = re.compile(
    rf"(?:regards|best|sincerely|cheers|thanks|thank you|rgds|grüße?n?|gruß|gruss|grüssen|mfg|vg|lg|cordialement|bien à vous|merci|saludos?|gracias|atentamente|saluti|grazie|groeten|groetjes|groet|gr|mvg|bedankt|pozdrawiam|pozdrowienia|poważaniem|dziękuję)[ ,.!]*\n?[ ]*(?P<name>{_WORD}(?: {_WORD}){{0,2}})[ .]*$",
    re.IGNORECASE,
)
_FOR = re.compile(r"i\. ?[AV]\.|ppa\.", re.IGNORECASE)  # before the name of who signs for a firm
_BESIDE = re.compile(r"\s[|•·–-]\s")  # what stands beside it: "Pieter de Vries | Planner"
_PARTICLES = frozenset("van von der den de di da del della la le du dos ten ter zu".split())  # noqa: SIM905
_NO_PERSON = re.compile(
    r"\b(?:gmbh|ag|kg|ltd|llc|inc|plc|bv|nv|sa|sas|sarl|srl|spa|sl|ab|oy|sp|zoo|group|logisti\w*|transport\w*|spedition\w*|trucking|freight\w*|cargo|express|couriers?|shipping|dispatch\w*|dispo\w*|team|service\w*|support|info|customer\w*|warehouse|lager\w*|depot|magazijn|office|planning|sales|export|import|desk|center|centre|central|notification\w*|noreply|no|reply|tracking|delivery|parcel\w*|operations?|accounts?|billing|claims|customs|department|abteilung|service|kundenservice|haulage|lines?|airlines?|port|terminal|hospital|klinik\w*|clinic|store|shop|market|hotel)\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\[[A-Z]+_\d+\]")
_SHORTEST_PART = 3


class _Hit(NamedTuple):
    kind: str
    start: int
    end: int


class Masked(NamedTuple):
    """`texts` by name as they may go out; `original` says what each placeholder stands for."""

    texts: dict[str, str]
    original: dict[str, str]

    def restore(self, answer: Any) -> Any:
        """The same answer with the personal data back in every string; an unknown placeholder stays as it is."""
        if isinstance(answer, str):
            return _PLACEHOLDER.sub(lambda found: self.original.get(found[0], found[0]), answer)
        if isinstance(answer, Mapping):
            return {name: self.restore(value) for name, value in answer.items()}
        if isinstance(answer, list | tuple):
            return [self.restore(value) for value in answer]
        return answer


def mask(texts: Mapping[str, str], people: Sequence[str] = ()) -> Masked:
    """The same thing gets the same placeholder in all `texts`; `people` as `people_in` finds them."""
    placeholders: dict[tuple[str, str], str] = {}
    counts: dict[str, int] = {}
    names = _names(people)

    def placeholder(kind: str, value: str) -> str:
        if (kind, value) not in placeholders:
            counts[kind] = counts.get(kind, 0) + 1
            placeholders[kind, value] = f"[{kind}_{counts[kind]}]"
        return placeholders[kind, value]

    masked = {}
    for name, text in texts.items():
        out, at = [], 0
        for hit in _hits(text, names):
            out += [text[at : hit.start], placeholder(hit.kind, text[hit.start : hit.end])]
            at = hit.end
        masked[name] = "".join([*out, text[at:]])
    return Masked(masked, {shown: value for (_, value), shown in placeholders.items()})


def people_in(message: Message) -> tuple[str, ...]:
    """Names of persons in the sender, in addresses within the text, in signatures and after the closing greeting."""
    sender = message.sender.name or ""
    found = [sender.title() if sender.islower() else sender, *(m["name"] for m in _ADDRESSED.finditer(message.text))]
    for segment in message.segments:
        text = message.text[segment.start : segment.end].rstrip()
        if segment.kind == "signature":
            lines = [_FOR.sub("", _BESIDE.split(line)[0]).strip(" ,.*_-|") for line in text.splitlines()]
            lines = [line for line in lines if line][:4]
            found += [line for line in lines if len(line.split()) <= 4]
        ending = text[-160:]
        if greeting := _GREETING.search(ending):
            found.append(greeting["name"])
    people = [" ".join(reversed(n.split(", ", 1))) if ", " in n else n for n in found]
    return tuple(dict.fromkeys(name.strip() for name in people if _is_person(name.strip())))


def _is_person(name: str) -> bool:
    words = name.split()
    if not 1 <= len(words) <= 4 or _NO_PERSON.search(name) or any(c.isdigit() or c in "@/:&" for c in name):
        return False
    return all(word[0].isupper() or word.lower() in _PARTICLES for word in words) and len(words[0]) >= _SHORTEST_PART


def _names(people: Sequence[str]) -> re.Pattern[str] | None:
    """Whole names before their parts, so that a name becomes one placeholder."""
    parts = [p for name in people for p in name.split() if len(p) >= _SHORTEST_PART and p.lower() not in _PARTICLES]
    wanted = sorted({*people, *(p.strip(".,") for p in parts)}, key=lambda name: (-len(name), name))
    spellings = [spelling for name in wanted for spelling in _spellings(name)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, spellings))})(?!\w)") if spellings else None


def _spellings(name: str) -> Iterable[str]:
    """Headers and signatures have capitals where the text has none; a part alone in small letters may be any word."""
    small = (name.lower(),) if " " in name else ()
    return dict.fromkeys((name, name.upper(), name.title(), *small))


def _hits(text: str, names: re.Pattern[str] | None) -> list[_Hit]:
    """In order, none overlapping another; what is proven by its form wins over what only looks like it."""
    readable = [(span.start, span.end) for span in find_references(text) if not span.field.endswith("plate")]
    taken: list[tuple[int, int]] = []
    kept: list[_Hit] = []
    for hit in _candidates(text, names):
        blocked = taken if hit.kind in ("EMAIL", "IBAN") else [*taken, *readable]
        if all(hit.end <= start or end <= hit.start for start, end in blocked):
            taken.append((hit.start, hit.end))
            kept.append(hit)
    return sorted(kept, key=lambda hit: hit.start)


def _candidates(text: str, names: re.Pattern[str] | None) -> Iterator[_Hit]:
    for start, end in contacts.emails(text):
        yield _Hit("EMAIL", start, end)
    for match in _IBAN.finditer(text):
        if (length := _iban_length(match[0])) is not None:
            yield _Hit("IBAN", match.start(), match.start() + length)
    for match in _CARD.finditer(text):
        if _is_card(re.sub(r"\D", "", match[0])):
            yield _Hit("CARD", *match.span())
    for start, end in contacts.phones(text):
        yield _Hit("PHONE", start, end)
    if names is not None:
        for match in names.finditer(text):
            yield _Hit("NAME", *match.span())


def _iban_length(text: str) -> int | None:
    """How much of the text is an IBAN by ISO 13616's check (97), the words after it left out; None when nothing is."""
    for end in range(len(text), 14, -1):
        compact = "".join(text[:end].split())
        if 15 <= len(compact) <= 34 and not text[end - 1].isspace():
            number = "".join(str(int(c, 36)) for c in compact[4:] + compact[:4])
            if int(number) % 97 == 1:
                return end
    return None


def _is_card(digits: str) -> bool:
    """Luhn's check and the first digits of a brand."""
    doubled = [int(d) * 2 if i % 2 else int(d) for i, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0 and _CARD_BRANDS.match(digits) is not None
