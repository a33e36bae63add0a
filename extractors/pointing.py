"""The value at a place that a tagger points at, read by the rules' own code: a word more or less where that reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime

from extractors import dates, naming, parties, quantities, told
from extractors.values import value_of

Pointed = tuple[str, int, int, float]  # field, start, end, score
Point = Callable[[str], Sequence[Pointed]]  # of a text

PROVEN = 0.9  # of the rules: by its check digit or its form, which no opinion changes

_EDGE = " \t\r\n,;:.!?()[]{}\"'„“”«»<>*|"
_OPENING = {")": "(", "«": "»", "»": "«", "“": "„", "”": "“"}
_MOMENTS = dates.FIELDS - {"delay_minutes"}
_NAMED = naming.FIELDS | frozenset(parties.ADDRESSES)  # a word more makes no name of what is none
_SENTENCE = re.compile(r"[.;!?\n]\s")
_SENTENCE_END = re.compile(r"(?:(?<!\b[^\W\d])(?<!\b[^\W\d]{2})\.|[;!?\n])\s|\n(?=[\d*•–-])")  # not of "ca. 9:00"
_ELIDED = re.compile(r"(?:d|l|dell|all|un|nell|quell)['’]", re.IGNORECASE)
_SHORTENED = re.compile(
    r"(?<!\w)(?:(?:\w{1,2}\.)+\w|sp\. ?[jkp]|(?<=, )s|soc|coop"
    r"|co|inc|corp|ltd|bros|gebr|c[ií]a|hnos|ltda|lda|pty|kft|zrt)$",
    re.IGNORECASE,
)  # B.V.
_SENTENCE_BEGINS = re.compile(r" [A-ZÀ-Ž]")
_DAY_AND_MONTH = re.compile(r"(?<![\d.])[0-3]?\d\.[01]?\d$")
_NOW = re.compile(  # "It is 16:00 and nobody came"
    r"\b(?:it is|it['’]s|es ist|il est|sono le|son las|es la|het is|jest)"
    r"(?: now| already| jetzt| schon| déjà| ya| già| nu| al| już)? $",
    re.IGNORECASE,
)
_APART = re.compile(r"[,\n]")
_TO_DIGITS = re.compile(r"\D{0,4}")
_OF_PALLETS = re.compile(  # "9 von 24 Paletten", "one damaged pallet"
    rf"\s(?:{quantities.OF} \d{{1,4}} |(?!(?:{quantities.PACKED})\b)[^\W\d_]{{3,}} )?(?:{told.PALLETS})\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\S+")
_BARE_NUMBER = re.compile(  # that an article may make a day of the month: "enlèvement du 20", "Ginge auch der 2.?"
    r"\d{1,2}\b(?![:h]|[.,]\d|\s?(?:[hu]|uhr|uur|o['’]?clock|am|pm|a\.m|p\.m)\b)", re.IGNORECASE
)
_ARTICLE = re.compile(
    r"(?<!\w)(?<!entro )(?<!dopo )(?<!verso )(?<!delle )"
    r"(?:le|du|au|il|el|al|del|dal|der|den|dem|am|zum|vom|op de|dnia|d[ií]a) $",
    re.IGNORECASE,
)
_LONGEST_ARTICLE = 12
_NEAR = 80  # letters around a place in which its value may go on
_DAY = len("2026-11-29")
_WORDS_ASIDE = 2  # that a value may have more or less than was pointed at


def joined(
    places: Iterable[Pointed], belong: Callable[[Pointed, Pointed], bool], score: Callable[[float, float], float]
) -> Iterator[Pointed]:
    """The places, those of one field as one that `belong` together, each with the one before it."""
    last: Pointed | None = None
    for place in places:
        if last is not None and place[0] == last[0] and belong(last, place):
            last = (last[0], last[1], place[2], score(place[3], last[3]))
            continue
        if last is not None:
            yield last
        last = place
    if last is not None:
        yield last


def stated(field: str, quote: str, reference: datetime, *, month_first: bool, region: str | None = None) -> str | None:
    """The value of a quote that is known to be of `field`: less needs to be written then than in running text."""
    said = value_of(field, quote, reference, month_first=month_first, region=region)
    return said or told.value_of(field, quote, reference, month_first=month_first)


def read_at(
    field: str, text: str, start: int, end: int, read: Callable[[str, str], str | None], *, prose: bool = False
) -> tuple[str, int, int] | None:
    """The value at a place, and where exactly it stands: a word more or less than was pointed at, where that reads.

    In `prose`, a time goes with the day that its sentence names.
    """
    found = _read_near(field, text, start, end, read, prose=prose)
    if found is None or not prose or field not in _MOMENTS:
        return found
    value, start, end = found
    if any(_NOW.search(text, max(0, start - 20), at) for at in (start, _digits(text, start, end))):
        return None
    if "T" not in value:
        later = told.clock_after(text, end)
        said = read(field, text[start:later]) if later else None
        if later and said and "T" in said:
            return said, start, later
    elif not told.names_day(text[start:end]) and (day := _day_of(text, start, end)):
        first, last = min(start, day[0]), max(end, within(text, *day)[1])
        said = read(field, text[first:last]) or ""
        new = field != "eta_revised" or said >= value  # "was due yesterday, comes at 14:00" is today's
        if new and said.partition("T")[2] == value.partition("T")[2]:
            value, start, end = said, first, last
    return _missed(field, text, value, start, end, read)


def _missed(
    field: str, text: str, value: str, start: int, end: int, read: Callable[[str, str], str | None]
) -> tuple[str, int, int]:
    """What was planned for a day of the week, with the words of its sentence which say that this day is over."""
    first, last = _sentence(text, start, end)
    words = told.missed_in(text, first, last) if field in told.PLANS else ()
    for a, b in sorted(words, key=lambda word: max(start - word[1], word[0] - end)):
        said = read(field, text[min(a, start) : max(b, end)]) or ""
        if len(said) == len(value) and said[_DAY:] == value[_DAY:] and _weeks_before(said, value):
            return said, min(a, start), max(b, end)
    return value, start, end


def _weeks_before(said: str, value: str) -> bool:
    days = (date.fromisoformat(value[:_DAY]) - date.fromisoformat(said[:_DAY])).days
    return days > 0 and days % 7 == 0


def _digits(text: str, start: int, end: int) -> int:
    """Where the digits of a time of day begin: behind the "las" of "Son las 16:00"."""
    found = _TO_DIGITS.match(text, start, end)
    return found.end() if found else start


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Start and end of the sentence around a place, as far as it is near."""
    first, last = max(0, start - _NEAR), min(len(text), end + _NEAR)
    stop = _SENTENCE_END.search(text, end, last)
    return max((m.end() for m in _SENTENCE_END.finditer(text, first, start)), default=first), (
        stop.start() if stop else last
    )


def _day_of(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the sentence around a time of day names its day: the last time before it, else right after it."""
    days = list(told.days_in(text, *_sentence(text, start, end)))
    before = [day for day in days if day[1] <= start]
    after = [day for day in days if day[0] >= end and not _APART.search(text, end, day[0])]
    return before[-1] if before else after[0] if after else None


def _read_near(
    field: str, text: str, start: int, end: int, read: Callable[[str, str], str | None], *, prose: bool
) -> tuple[str, int, int] | None:
    if field in dates.FIELDS:
        start, end = dates.whole(text, start, end)
    start, end = within(text, start, end)
    if field in _MOMENTS and prose and _BARE_NUMBER.match(text, start) and text[start:end].isdigit():
        article = _ARTICLE.search(text, max(0, start - _LONGEST_ARTICLE), start)
        start = article.start() if article else start
    if field in ("description", "site") and (article := _ELIDED.match(text, start, end)):
        start = article.end()
    if prose and field in naming.FIELDS:
        start, end = naming.whole(field, text, start, end)
    if field in parties.PERSONS and (owner := naming.OWNED.search(text, start, end)):
        end = owner.start()
    if field in _MOMENTS and text[end : end + 1] == "." and _DAY_AND_MONTH.search(text, start, end):
        end += 1  # "12.10." is a day, and "12.10" may be a time
    if field in parties.PARTIES:
        end = with_full_stop(text, start, end, prose=prose)
    if field in quantities.LOSSES and (pallets := _OF_PALLETS.match(text, end)):
        end = pallets.end()
    if field in quantities.MONEYS and not any(c.isdigit() for c in text[start:end]):
        return None  # a sign, whose amount was pointed at as something else
    value = read(field, text[start:end]) if start < end else None
    if value and field not in _MOMENTS:
        return value, start, end
    if prose and field in _NAMED:
        return None
    near: list[tuple[int, str, int, int]] = [(0, value, start, end)] if value else []
    first, last = max(0, start - _NEAR), min(len(text), end + _NEAR)
    words = [(m.start(), m.end()) for m in _WORD.finditer(text, first, last)]
    inside = [i for i, (a, b) in enumerate(words) if a < end and start < b]
    if not inside:
        return None
    for first in range(max(0, inside[0] - _WORDS_ASIDE), min(inside[-1], inside[0] + _WORDS_ASIDE) + 1):
        for last in range(max(first, inside[-1] - _WORDS_ASIDE), min(len(words), inside[-1] + _WORDS_ASIDE + 1)):
            a, b = within(text, words[first][0], words[last][1])
            if a < b and not _SENTENCE.search(text, a, b) and (said := read(field, text[a:b])):
                near.append((abs(a - start) + abs(b - end), said, a, b))
    if value and field in _MOMENTS:  # a day goes with the time beside it, and a time with its day
        near = [n for n in near if n[1] == value or _says_more(text, n, start, end)]
        near = [n for n in near if n[1] != value] or near
    return min(near)[1:] if near else None


def _says_more(text: str, near: tuple[int, str, int, int], start: int, end: int) -> bool:
    """Whether more words than were pointed at name both a day and a time, where those named one of them."""
    _, value, a, b = near
    day = told.names_day(text[start:end]) or any(told.days_in(text, a, b))
    longer = a <= start and end <= b and day and "T" in value
    return longer and not (told.names_day(text[start:end]) and dates.clock_in(text[start:end]))


def with_full_stop(text: str, start: int, end: int, *, prose: bool = False) -> int:
    """The end of a name with the full stop that shortens its last word: `Freight S.A.`

    In `prose`, that of "Ltd. We" ends the sentence.
    """
    short = _SHORTENED.search(text, start, end) if text[end : end + 1] == "." else None
    ends = prose and short is not None and "." not in short[0] and _SENTENCE_BEGINS.match(text, end + 1)
    return end + (short is not None and not ends)


def within(text: str, start: int, end: int) -> tuple[int, int]:
    """The place without the blanks and marks around it, but with the bracket that closes what it opens."""
    while start < end and text[start] in _EDGE:
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    closing = text[end : end + 1]
    opening = _OPENING.get(closing, "")
    closes = opening and text.count(opening, start, end) == 1 + text.count(closing, start, end)
    return start, end + bool(closes)
