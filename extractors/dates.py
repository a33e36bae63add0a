"""Dates, times and delays, each given its meaning by the words before it; without such words nothing is reported.

Cheap patterns find the candidates; only those that hold words ("demain 14h", "23. November") go to dateparser.
"""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from threading import Lock

from extractors.evidence import Span, without_overlaps

FIELDS = frozenset(
    ["pickup_planned", "pickup_actual", "eta_original", "eta_revised", "delivered_at", "document_date", "delay_minutes"]
)
_OLDEST = 3  # years before its message that a document may be from; the laws that it names are older
_HAPPENED = frozenset(["pickup_actual", "delivered_at", "document_date"])
_LANGUAGES = ["en", "de", "fr", "es", "it", "nl", "pl"]
_MAX_CANDIDATES = 1000
_WEEK = 7  # days
_DATEPARSER = Lock()  # dateparser keeps the current reference time in a global

_MONTH = (
    r"(?:jan(?:uar[yi]?|vier|v|eiro)?|januari|feb(?:ruar[yi]?)?|f[ée]v(?:rier|r)?|febrero|febbraio|febr|mar(?:ch|s|zo|zec|ca)?"
    r"|märz?|mrz|maart|mrt|apr(?:il|ile)?|avr(?:il)?|abr(?:il)?|kwietnia|may|mai|mayo|maggio|mag|mei|maja|june?|juni|juin"
    r"|junio|giugno|giu|czerwca|july?|juli|juil(?:let)?|julio|luglio|lug|lipca|aug(?:ust|ustus)?|août|aout|agosto|ago|sierpnia"
    r"|sept?(?:ember|embre|iembre)?|settembre|set|września|o[ck]t(?:ober|obre|ubre)?|ottobre|ott|października|nov(?:ember|embre"
    r"|iembre)?|listopada|de[cz](?:ember|embre)?|d[ée]c(?:embre)?|dic(?:iembre|embre)?|grudnia|stycznia|lutego|enero|ene|gennaio"
    r"|gen)\b\.?"
)
_DAY_WORD = (
    r"(?:today|tonight|tomorrow|yesterday|monday|tuesday|wednesday|thursday|friday|saturday|sunday|heute|morgen|gestern"
    r"|übermorgen|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|aujourd'hui|demain|hier|lundi|mardi|mercredi"
    r"|jeudi|vendredi|samedi|dimanche|hoy|mañana|ayer|lunes|martes|miércoles|jueves|viernes|sábado|domingo|oggi|domani|ieri"
    r"|lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica|vandaag|gisteren|maandag|dinsdag|woensdag|donderdag|vrijdag"
    r"|zaterdag|zondag|dziś|dzisiaj|jutro|wczoraj|poniedziałek|wtorek|środ[aę]|czwartek|piątek|sobot[aę]|niedziel[aę]"
    r"|(?-i:Mon|Tues?|Wed|Thur?s?|Fri|Sat|Sun)|tmrw|tmr)\b\.?"
)
_TODAY = (
    r"(?:this (?:morning|afternoon|evening)|tonight|heut(?:e (?:früh|morgen|mittag|nachmittag|abend|nacht))?|ce (?:matin|soir|midi)|cet après-midi"
    r"|esta (?:mañana|tarde|noche)|stamattina|stamane|stasera|stanotte|vanochtend|vanmorgen|vanmiddag|vanavond|vannacht|dziś (?:rano|wieczorem))\b"
)
_SHORT_WORDS = {"tmrw": "tomorrow", "tmr": "tomorrow", "tues": "tue", "thur": "thu", "thurs": "thu"}
_TIME = r"(?:[01]?\d|2[0-3])(?:[:hu.][0-5]\d(?::[0-5]\d)?(?:\s?[ap]\.?m\b\.?)?|\s?[ap]\.?m\b\.?|\s?(?:uhr|h)\b)(?:\s?uhr\b|\s?h\b)?"
_ZONE = r"(?:\s?(?:Z|UTC|GMT)\b|\s?\+\d{2}:?\d{2}\b|(?<=\d:\d\d:\d\d)-\d{2}:?\d{2}\b)?"  # 15:00-17:00 is a span of time
_ISO = r"(?:19|20)\d{2}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)"
_NUMERIC = r"(?:0?[1-9]|[12]\d|3[01])(?P<sep>[./-])(?:0?[1-9]|[12]\d|3[01])(?P=sep)(?:(?:19|20)\d{2}|\d{2})\b"
_SHORT = (
    r"(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?!\d)|(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|[12]\d|3[01])(?![\d/])"
)
_NAMED = (
    rf"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|\.)?[ -](?:de |of )?{_MONTH}(?:[ ,-]{{0,2}}(?:de |del )?(?:19|20)\d{{2}}\b)?"
    rf"|(?:0?[1-9]|[12]\d|3[01])-?{_MONTH}-?(?:19|20)\d{{2}}\b"
    rf"|{_MONTH} (?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?\b(?:,? (?:19|20)\d{{2}}\b)?"
)
_GLUED = re.compile(r"(?<=\d)-?(?=[A-Za-zÀ-ÿ]{3})|(?<=[A-Za-zÀ-ÿ]{3})-?(?=\d)")  # 04-NOV-2026, 12NOV2026
_CANDIDATE = re.compile(
    rf"(?<![\w/.:-])(?:(?P<iso>{_ISO})T?|(?P<numeric>{_NUMERIC})|(?P<named>{_NAMED})|(?P<short>{_SHORT})|(?P<today>{_TODAY})|(?P<word>{_DAY_WORD}))"
    rf"(?:[ ,]{{0,3}}(?:(?:at|um|à|a las?|alle|ore|om|o|godz\.?|by|till?|before|bis|ab|gegen|vers|around|approx\.?|ca\.?)"
    rf" )?(?P<time>{_TIME}){_ZONE})?(?![\w])",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"(?<![\w/.-])([0-3]?\d)[/-]([0-3]?\d)(?:[/-](?:20)?\d{2})?(?![\w/.-])")
_AMERICAN = re.compile(
    r"(?<![A-Za-z])(?:(?:A[KLRZ]|C[AO]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[DINOST]|N[CDEMVY]|O[HKR]|PA|S[CD]|T[NX]|UT|VA|W[AIVY]),? [1-9]"
    r"|(?:CT|M[AE]|N[HJ]|RI|VT),? 0)\d{4}(?!\d| \d)"
    r"|\b(?:LTL|SCAC|NMFC|BOL|PRO ?#|\d lbs?|\d ?(?:[AP]M ?)?[ECMP][SD]T|[AP]M [ECMP]T)\b"
)
_CLOCK = re.compile(rf"(?<![\w/.:,-])(?P<time>{_TIME}){_ZONE}(?![\w]|[.:/-]\d)", re.IGNORECASE)
_FROM_BEFORE = re.compile(r"\d\s?(?:h|uhr)?\s?(?:-|–|to|bis|à|do|tot)\s?$", re.IGNORECASE)  # it ends a span of time
_TIME_AFTER = re.compile(rf"[ ,]{{0,2}}\n?(?:(?:at|à|um|om|alle|ore|a las) )?{_TIME}(?![\w.:/-])", re.IGNORECASE)
_TIME_CELL = re.compile(rf"(?:[^\W\d]{{1,7}}\.? ){{0,2}}{_TIME}", re.IGNORECASE)
_TIME_FIRST = re.compile(rf"(?:(?:at|um|om|à|alle|ore|o|godz\.?) )?{_TIME}(?= [^\W\d])", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d{2}")
_CLOCK_PARTS = re.compile(r"(\d{1,2})(?:[:hu.](\d{2})(?::(\d{2}))?)?\s?([ap])?", re.IGNORECASE)
_ZONE_PARTS = re.compile(r"(?:(Z|UTC|GMT)|([+-])(\d{2}):?(\d{2}))\s*$", re.IGNORECASE)

_GENERIC, _NEAR = 0.65, 15  # words that only say delivery: their score, and how many letters away they still speak
_MEANINGS: tuple[tuple[str, float, str], ...] = (
    ("eta_original", 0.8, r"(?:livraison prévue|entrega prevista|consegna prevista)(?=\s?:)|entladetermin|entladezeit|liefertermin|losdatum|termin (?:dostawy|rozładunku)|original(?:ly)? (?:eta|planned|scheduled|delivery)|originally|initial(?:ly)? (?:eta|planned)|instead of|was due|ursprünglich\w*|statt|anstatt|initialement|au lieu d[eu]|originalmente|en lugar del?|inizialmente|invece d(?:i|el)|oorspronkelijk\w*|in plaats van|pierwotn\w+|zamiast"),
    ("eta_revised", 0.85, r"(?:new|revised|updated|current|latest) (?:eta|delivery|arrival|date|time|slot)|(?:now|re-?)(?: ?expected| ?scheduled| ?estimated| ?planned)|arrives?|komt (?:nu )?(?:aan|pas)|kommt(?: erst)?|arriv(?:e|era)|llega(?:rá)?|arriva|przyjedzie|will (?:now )?(?:arrive|be (?:there|delivered|with you))|(?:expected|estimated)(?: time of)?(?: delivery| arrival)?|arriving|arrival|eta|neue[rs]? (?:eta|termin|liefertermin|ankunft\w*)|voraussichtlich\w*|ankunft\w*|nouvelle (?:eta|date|livraison)|arrivée|livraison prévue|prévue?|nueva (?:eta|fecha)|llegada|prevista|nuova (?:eta|data)|arrivo|previst[oa]|nieuwe (?:eta|datum|levertijd)|verwacht\w*|aankomst|now[ay] (?:eta|termin|data)|przewidywan\w+|spodziewan\w+|przyjazd"),
    ("pickup_actual", 0.85, r"übernahme\w*(?: des gutes)?|prise en charge(?: de la marchandise)?|taking over(?: of the goods)?|presa in carico|(?:was |were |been )?(?:picked up|collected|loaded)(?: on| at)?|abgeholt|verladen am|enlevée?s?|chargée?s? le|recogid[oa]s?|ritirat[oaie]|opgehaald|odebran\w+"),
    ("pickup_planned", 0.8, r"pick-?\s?up|collection|to be collected|loading|abhol\w+|ladetermin|ladezeit|beladung|laaddatum|termin załadunku|enlèvement|ramassage|chargement|recogida|carga|ritiro|carico|ophal\w+|laden|laadtijd|odbi[oó]r\w*|załadun\w+"),
    ("delivered_at", 0.85, r"gut empfangen|marchandises? reçues?|goods received|delivered|received|rcvd|(?:upon )?receipt|signed (?:on|at)|zugestellt|geliefert|livrée?s?|entregad[oa]s?|consegnat[oaie]|afgeleverd|bezorgd|geleverd|dostarczon\w+|doręczon\w+"),
    ("eta_original", _GENERIC, r"(?<!proof of )(?:agreed |planned |scheduled |promised |confirmed )?deliver(?:y|ies|ed by)|(?:delivery |booked )?slot|due|promised|liefer(?:ung|termin)|anlieferung|zustellung|livraison|entrega|consegna|levering|bezorging|afspraak|dostaw[aęy]|dostarczenie"),
    ("document_date", 0.75, r"(?:invoice|document|issue|order|ship(?:ping)?|bill|confirmation) date|date of issue|dated|issued(?: on)?|printed(?: on)?|print date|gedruckt(?: am)?|druckdatum|imprimé(?: le)?|impreso(?: el)?|stampato(?: il)?|afgedrukt(?: op)?|wydrukowano|tax point|verzenddatum|sporządzon[yoa](?: dnia)?|établie? à(?: / \w+ \w+)?|lugar y fecha|luogo e data|ort(?: und|,) datum|fecha de admisión|rechnungsdatum|belegdatum|ausstellungsdatum|ausgestellt am|date (?:de facture|d'émission)|fecha(?: de (?:factura|emisión))?|data (?:fattura|emissione|documento|wystawienia)|factuurdatum|(?:^|(?<=\n))[ \t]*le(?=\s?:)|executed on(?: \(date\))?(?: at \(place\))?|(?<![A-Za-zà-ÿ] )(?:date|datum|data|fecha|date d'émission)(?=\s?:|\s*$)"),
)  # fmt: skip
_MEANING = tuple(
    (field, score, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)) for field, score, words in _MEANINGS
)
_NOT_BEFORE = re.compile(
    r"\b(?:not|n't|never|nicht|pas|non|no|niet|nie|to be|will be|wird|sera|será)\b[^.\n]{0,15}$", re.IGNORECASE
)

_CLAUSE_END = re.compile(r"[;!?\n]|\.\s")

_NUMBER = r"(?P<number>\d{1,4}(?:[.,]\d{1,2})?|an?|one|two|three|half an|eine[nr]?|zwei|drei|une?|deux|trois|dos|tres|due|tre|twee|drie|een|dwie|trzy)"
_UNIT = (
    r"(?:(?P<h>h|hrs?|hours?|std\.?|stunden?|heures?|horas?|or[ae]|uur|uren|godz\w*)|(?P<m>min\w{0,6}\.?|mins?)"
    r"|(?P<d>days?|tage?n?|jours?|días?|giorn[oi]|dag(?:en)?|dni|dzień))"
)
_DURATION = re.compile(
    rf"(?<![\w.,]){_NUMBER}[ -]?{_UNIT}(?:\s?(?P<rest>[0-5]\d)(?:\s?min\w{{0,6}}|(?!\w)))?(?!\w)", re.IGNORECASE
)
_LATE_BEFORE = re.compile(
    r"\b(?:waiting(?: time)?|waited|detention|wartezeit|standzeit|wartet?|attente|espera|attesa|wachttijd|wacht|oczekiwan\w+|postoj\w*|late|delay\w*|behind|verspät\w+|verzöger\w+|retard\w*|retraso|retrasad\w+|demora\w*|ritard\w*|vertrag\w+|vertraagd"
    r"|opóźni\w+|spóźni\w+)\b(?:[^.\n;]|ca\.|approx\.){0,25}$",
    re.IGNORECASE,
)
_LATE_AFTER = re.compile(
    r"[^.\n;]{0,15}?\b(?:wait(?:ing)?|(?:d')?attente|de espera|di attesa|wachten|wachttijd|gewartet|wartezeit|standzeit|oczekiwania|postoju|down|late|later|delay\w*|behind|verspät\w+|verzöger\w+|später|zu spät|de retard|en retard|de retraso|tarde"
    r"|di ritardo|in ritardo|te laat|later|vertraging|opóźnienia|spóźnienia|później)\b",
    re.IGNORECASE,
)
_WORD_NUMBERS = {
    **dict.fromkeys(["a", "an", "one", "ein", "eine", "einen", "einer", "un", "une", "een"], 1.0),
    **dict.fromkeys(["two", "zwei", "deux", "dos", "due", "twee", "dwie"], 2.0),
    **dict.fromkeys(["three", "drei", "trois", "tres", "tre", "drie", "trzy"], 3.0),
    "half an": 0.5,
}


def is_month_first(text: str) -> bool:
    """Whether numeric dates in `text` are written as in the United States: by dates that can be read one way only,
    else by an address or units from there.
    """
    clear = [(int(m[1]), int(m[2])) for m in islice(_SLASHED.finditer(text), _MAX_CANDIDATES)]
    day, month = sum(a > 12 >= b for a, b in clear), sum(b > 12 >= a for a, b in clear)
    return month > day if month != day else _AMERICAN.search(text) is not None


def find_dates(text: str, reference: datetime, *, month_first: bool = False, clocks: bool = True) -> list[Span]:
    """Dates, times (ISO 8601) and `delay_minutes` in `text`; what it leaves open is taken from `reference` (aware).

    Without `clocks`, a time of day without its day says nothing, as on a form that is older than its message.
    """
    return without_overlaps([*_moments(text, reference, month_first, clocks), *_delays(text)])


def value_of(field: str, quote: str, reference: datetime, *, month_first: bool = False) -> str | None:
    """The value of a quote: minutes for `delay_minutes`, else a date (2026-11-23) or a time with its zone."""
    if field == "delay_minutes":
        match = _DURATION.fullmatch(quote)
        return _minutes(match) if match else None
    quote = " ".join(quote.split())  # a box may hold the day and the time below each other
    apart = _DAY_AND_TIME_APART.fullmatch(quote)
    if apart and _CANDIDATE.fullmatch(quote) is None:
        quote = f"{apart['day']} {apart['clock']}"
    match = _CANDIDATE.fullmatch(quote)
    if match and field == "document_date":
        day = (_moment(match, quote, reference, True, month_first) or "")[: len("2026-11-23")]
        return day if day and int(day[:4]) >= reference.year - _OLDEST else None
    if match:
        return _moment(match, quote, reference, field in _HAPPENED, month_first)
    clock = _CLOCK.fullmatch(quote)
    return _with_time(reference, clock["time"], quote) if clock else None


_DAY_AND_TIME_APART = re.compile(  # of a box, in two lines, with other boxes' words of these lines between
    rf"(?P<day>{_ISO}|{_NUMERIC}) (?P<between>.{{1,120}}) (?P<clock>{_TIME})", re.IGNORECASE
)
_DATE_LABEL = re.compile(
    r"(?:(?:date|datum|data|fecha|termin|when|wann)\W*(?:(?:and|et|en|und|y|e|i|/)\W*)?(?:time|heure|uhrzeit|zeit|tijd|hora|ora|godz\w*)?|\w*termin)\W*",
    re.IGNORECASE,
)


def is_date_label(words: str) -> bool:
    """Whether a cell says no more than that a day, or a day and a time, stands there."""
    return _DATE_LABEL.fullmatch(words) is not None


def is_time(words: str) -> bool:
    """Whether a cell says a time of day and at most a word or two before it: `entro le 11:00`."""
    return _TIME_CELL.fullmatch(words.strip()) is not None


def time_at(text: str, start: int, end: int) -> int | None:
    """The end of the time of day with which a cell begins, after a word or two at most; None where it does not."""
    if is_time(text[start:end]):
        return end
    match = _TIME_FIRST.match(text, start, end)
    return match.end() if match else None


_WHEN_RECEIVED = re.compile(
    r"(?:date (?:and|et|&) (?:time|heure)|date ?/ ?time|datum ?(?:/|und|en) ?(?:uhrzeit|zeit|tijd)|fecha y hora|fecha ?/ ?hora|data e ora|data ?/ ?ora|data i godzina|data ?/ ?godz\w*)"
    r"(?: (?:of|de|der|di|van) \w+)?\W*",
    re.IGNORECASE,
)
_PLACE_AND = r"(?:\d{1,2}[a-z]?[.)]? )?(?:place and date|lieu et date|ort und (?:tag|datum)|plaats en datum|lugar y fecha|luogo e data|miejsce i data|date|datum|data|fecha)"
_BOX_LABELS = tuple(
    (field, re.compile(rf"{_PLACE_AND} {words}.{{0,40}}", re.IGNORECASE))
    for field, words in (
        ("pickup_actual", r"(?:of |de |der |van |della |di )?(?:la )?(?:taking over|prise en charge|l'enlèvement|übernahme|inontvangstneming|presa in carico|carga|toma de carga|załadowania|d'expédition)"),
        ("delivered_at", r"(?:of |de |der |van |della |di )?(?:la )?(?:receipt|réception|empfang\w*|ontvangst|recepción|ricevimento|odbioru)"),
    )
)  # fmt: skip
_ESTABLISHED = re.compile(
    r"(?:\d{1,2}[a-z]?[.)]? )?(?:established (?:in|at)|établie? à|ausgefertigt in|opgemaakt te|compilat[oa] a|formalizad[oa] en|wystawiono w)(?:\W.{0,60})?",
    re.IGNORECASE,
)


def box_label(words: str, *, received: bool = False) -> str | None:
    """The field of the date in a form's box of which `words` are the label; where goods are `received`, day and time
    without more are those of the delivery.
    """
    if len(words) > 90:
        return None
    if received and _WHEN_RECEIVED.fullmatch(words):
        return "delivered_at"
    if _ESTABLISHED.fullmatch(words):
        return "document_date"
    return next((field for field, pattern in _BOX_LABELS if pattern.fullmatch(words)), None)


def find_moments(text: str) -> Iterator[tuple[int, int]]:
    """Where dates with their year stand, each with the time that follows it, on the next line too."""
    for match in islice(_CANDIDATE.finditer(text), _MAX_CANDIDATES):
        if not (match["iso"] or match["numeric"] or (match["named"] and _YEAR.search(match["named"]))):
            continue
        time = None if match["time"] else _TIME_AFTER.match(text, match.end())
        yield match.start(), time.end() if time else match.end()


def find_days(text: str, reference: datetime, *, month_first: bool = False) -> Iterator[Span]:
    """Every date written with its year, whatever it means, as a `document_date`: a form says that by its place."""
    for match in islice(_CANDIDATE.finditer(text), _MAX_CANDIDATES):
        written = match["iso"] or match["numeric"] or (match["named"] if _YEAR.search(match["named"] or "") else None)
        value = value_of("document_date", match[0], reference, month_first=month_first) if written else None
        if value is not None:
            yield Span("document_date", value, *match.span(), 0.5)


def days_in(field: str, text: str, reference: datetime, *, month_first: bool = False) -> Iterator[tuple[int, int, str]]:
    """Start, end and day of every date in `text`, whatever words stand before it."""
    for match in islice(_CANDIDATE.finditer(text), _MAX_CANDIDATES):
        end = match.start("time") if match["time"] else match.end()
        if value := _moment(match, match[0], reference, field in _HAPPENED, month_first):
            yield match.start(), end, value


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    """The place with all of the dates and times that it holds a part of."""
    for pattern in (_CANDIDATE, _CLOCK):
        for match in pattern.finditer(text, max(0, start - 25), end + 25):
            if match.start() < end and start < match.end():
                start, end = min(start, match.start()), max(end, match.end())
    return start, end


def clock_in(text: str) -> tuple[int, int] | None:
    """The first time of day in `text` that is written as one, hour and minute."""
    match = _CLOCK.search(text)
    told = _time_of(match["time"]) if match else None
    return told[:2] if told else None


def _moments(text: str, reference: datetime, month_first: bool, clocks: bool) -> Iterator[Span]:
    for pattern in (_CANDIDATE, _CLOCK) if clocks else (_CANDIDATE,):
        for match in islice(pattern.finditer(text), _MAX_CANDIDATES):
            meaning = _meaning(text, match.start())
            if meaning is None or (meaning[0] == "document_date" and pattern is _CLOCK):
                continue
            if pattern is _CLOCK and _FROM_BEFORE.search(text, max(0, match.start() - 8), match.start()):
                continue
            field, score = meaning
            value = value_of(field, match[0], reference, month_first=month_first)
            if value is None:
                continue
            end = match.end()
            if match[0].endswith(".") and value_of(field, match[0][:-1], reference, month_first=month_first) == value:
                end -= 1  # the full stop of the sentence
            yield Span(field, value, match.start(), end, score if pattern is _CANDIDATE else round(score - 0.15, 2))


def _meaning(text: str, start: int) -> tuple[str, float] | None:
    """The field that the nearest words before `start`, in the same clause, give to a date there."""
    before = text[max(0, start - 70) : start]
    clause = before
    for stop in _CLAUSE_END.finditer(before):
        if before[stop.end() :].strip():  # a line end right before the date is a label above its value
            clause = before[stop.end() :]
    best: tuple[int, int, str, float] | None = None
    for field, score, pattern in _MEANING:
        for match in pattern.finditer(clause):
            if field in _HAPPENED and _NOT_BEFORE.search(clause[: match.start()]):
                continue
            if best is None or (match.end(), len(match[0])) > best[:2]:
                best = (match.end(), len(match[0]), field, score)
    if best is None:
        return None
    distance = len(clause) - best[0]
    far = distance > (_NEAR if best[3] == _GENERIC else 30)
    return best[2], round(best[3] - (0.2 if far else 0.0), 2)


def _moment(match: re.Match[str], quote: str, reference: datetime, past: bool, month_first: bool) -> str | None:
    groups = match.groupdict()
    day: datetime | None
    try:
        if groups["iso"]:
            year, month, day_number = (int(part) for part in re.split(r"[-/.]", groups["iso"]))
            day = reference.replace(year=year, month=month, day=day_number)
        elif groups["numeric"]:
            day = _numeric(groups["numeric"], reference, month_first)
        elif groups["short"]:
            day_number, month = (int(part) for part in re.split(r"[./]", groups["short"])[:2])
            if month > 12 or (month_first and "/" in groups["short"] and day_number <= 12):
                day_number, month = month, day_number
            day = _nearest(reference, month, day_number, past)
        elif groups["today"]:
            day = reference
        else:
            word = _GLUED.sub(" ", groups["named"]) if groups["named"] else groups["word"]
            word = _SHORT_WORDS.get(word.lower().rstrip("."), word.rstrip("."))
            parsed = _parsed(" ".join(word.lower().split()), reference.date().isoformat(), bool(groups["named"]), past)
            day = reference.replace(year=parsed.year, month=parsed.month, day=parsed.day) if parsed else None
            if past and day and groups["word"] and (reference - day).days == _WEEK:
                day = reference  # "loaded Friday", on a Friday
    except ValueError:
        return None
    if day is None:
        return None
    if not groups["time"]:
        return day.date().isoformat()
    return _with_time(day, groups["time"], quote)


def _numeric(text: str, reference: datetime, month_first: bool) -> datetime:
    """Day first, as outside the United States, unless only month first makes a date; with dots always day first."""
    first, second, year = (int(part) for part in re.split(r"[./-]", text))
    year += 2000 if year < 100 else 0
    swapped = second > 12 or (month_first and "." not in text and first <= 12)
    day, month = (second, first) if swapped else (first, second)
    return reference.replace(year=year, month=month, day=day)


def _nearest(reference: datetime, month: int, day: int, past: bool = False) -> datetime:
    """The nearest such day; the last one of what has happened."""
    years = (reference.year - 1, reference.year, reference.year + 1)
    candidates = []
    for year in years:
        try:
            candidates.append(reference.replace(year=year, month=month, day=day))
        except ValueError:  # 29 February
            continue
    if past:
        candidates = [c for c in candidates if c <= reference + timedelta(days=1)] or candidates
    return min(candidates, key=lambda candidate: abs(candidate - reference))


@lru_cache(maxsize=4096)
def _parsed(word: str, today: str, has_day: bool, past: bool) -> datetime | None:
    """One date in words; `has_day` when it names a day of a month, else it is a day like "tomorrow" or "Friday"."""
    import dateparser  # type: ignore[import-untyped]  # half a second to load, so only for the texts that need it

    settings = {
        "RELATIVE_BASE": datetime.fromisoformat(today),
        "PREFER_DATES_FROM": "current_period" if has_day else "past" if past else "future",
        "DATE_ORDER": "DMY",
        "REQUIRE_PARTS": ["day"] if has_day else [],
    }
    with _DATEPARSER:
        parsed: datetime | None = dateparser.parse(word, languages=_LANGUAGES, settings=settings)
    if parsed is None or re.search(r"(?:19|20)\d{2}", word) or not has_day:
        return parsed
    return _nearest(datetime.fromisoformat(today), parsed.month, parsed.day, past)


def _time_of(clock: str) -> tuple[int, int, int] | None:
    """Hour, minute and second; None where it is none, as 13 pm."""
    parts = _CLOCK_PARTS.match(clock.strip())
    if parts is None:
        return None
    hour = int(parts[1])
    if parts[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts[4].lower() == "p" else 0)
    return hour, int(parts[2] or 0), int(parts[3] or 0)


def _with_time(day: datetime, clock: str, quote: str) -> str | None:
    time = _time_of(clock)
    if time is None:
        return None
    when = day.replace(hour=time[0], minute=time[1], second=time[2], microsecond=0)
    zone = _ZONE_PARTS.search(quote)
    if zone is None:
        return when.isoformat()
    if zone[1]:
        return when.replace(tzinfo=None).isoformat() + "+00:00"
    return f"{when.replace(tzinfo=None).isoformat()}{zone[2]}{zone[3]}:{zone[4]}"


def _delays(text: str) -> Iterator[Span]:
    for match in _DURATION.finditer(text):
        before = text[max(0, match.start() - 45) : match.start()]
        if _LATE_AFTER.match(text, match.end(), match.end() + 40) or _LATE_BEFORE.search(before):
            value = _minutes(match)
            if value is not None:
                yield Span("delay_minutes", value, match.start(), match.end(), 0.85)


def _minutes(match: re.Match[str]) -> str | None:
    word = match["number"].lower()
    number = _WORD_NUMBERS[word] if word in _WORD_NUMBERS else float(word.replace(",", "."))
    minutes = number * (60 if match["h"] else 1440 if match["d"] else 1)
    if match["rest"]:
        if not match["h"]:
            return None
        minutes += int(match["rest"])
    return str(round(minutes)) if 0 < minutes <= 129_600 else None
