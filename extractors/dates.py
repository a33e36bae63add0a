"""Dates, times and delays, each given its meaning by the words before it; without such words nothing is reported.

Cheap patterns find the candidates; only those that hold words ("demain 14h", "23. November") go to dateparser.
"""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from threading import Lock
from zoneinfo import ZoneInfo

from extractors.evidence import Span, without_overlaps

FIELDS = frozenset(
    ["pickup_planned", "pickup_actual", "eta_original", "eta_revised", "delivered_at", "document_date", "delay_minutes"]
)
_OLDEST = 3  # years before its message that a document may be from; the laws that it names are older
_HAPPENED = frozenset(["pickup_actual", "delivered_at", "document_date"])
TODAY_TOO = _HAPPENED | {"eta_original"}  # fields for which a day of the week that it is today is today's
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
    r"|(?-i:Mon(?! (?!(?:at|by|before|between|after|from|to|and|or|the|morning|afternoon|evening|night|am|pm|noon) ?)[a-zà-ÿ])|Tues?|Wed|Thur?s?|Fri|Sat|Sun)|tmrw|tmr)\b\.?"  # "Mon chauffeur" is mine
)
_TODAY = (
    r"(?:this (?:morning|afternoon|evening)|tonight|heut(?:e (?:früh|morgen|mittag|nachmittag|abend|nacht))?|ce (?:matin|soir|midi)|cet après-midi"
    r"|esta (?:mañana|tarde|noche)|stamattina|stamane|stasera|stanotte|vanochtend|vanmorgen|vanmiddag|vanavond|vannacht|dziś (?:rano|wieczorem))\b"
)
_THIS_DAY = frozenset(["today", "tonight", "heute", "aujourd'hui", "hoy", "oggi", "vandaag", "dziś", "dzisiaj"])
_SHORT_WORDS = {"tmrw": "tomorrow", "tmr": "tomorrow", "tues": "tue", "thur": "thu", "thurs": "thu"}
_TIME = r"(?:[01]?\d|2[0-3])(?:[:hu.][0-5]\d(?::[0-5]\d)?(?:\s?[ap]\.?m\b\.?|[ap]\b)?|\s?h\s?[0-5]\d(?!\d)|\s?[ap]\.?m\b\.?|\s?(?:uhr|uur|h)\b)(?:\s?uhr\b|\s?uur\b|\s?u\b\.?|\s?h\b|\s?h(?:ou)?rs\b)?"
TO = r"\s?(?:-|–|to|and|bis|und|à|et|a|y|e|en|tot|do|i)\s?(?:las |le |les )?"  # between the ends of a span
_OCLOCK = r"(?:[ap]\.?m\b\.?|uhr\b|uur\b|hrs?\b|h\b)"
_SPAN = rf"(?:[01]?\d|2[0-3])(?:(?:[:h]|\s?h\s)[0-5]\d{TO}(?:[01]?\d|2[0-3])(?:[:h]|\s?h\s)[0-5]\d(?:\s?{_OCLOCK})?|(?:\s?h)?{TO}(?:[01]?\d|2[0-3])(?:[:.][0-5]\d)?\s?{_OCLOCK})"  # 09:00-12:00, 14-16 Uhr
_HOUR = r"(?<=ore )(?:[01]?\d|2[0-3])(?:,[0-5]\d)?(?![\d:.,/-]\d|\d|\s?(?:€|euro|kg|colli|bancali))"  # alle ore 9, ore 11,05
_ZONES = {  # as papers print them beside a time; summer or winter is the day's
    **dict.fromkeys(["Z", "UTC", "GMT"], "UTC"),
    **dict.fromkeys(["ET", "EST", "EDT"], "America/New_York"),
    **dict.fromkeys(["CT", "CST", "CDT"], "America/Chicago"),
    **dict.fromkeys(["MT", "MST", "MDT"], "America/Denver"),
    **dict.fromkeys(["PT", "PST", "PDT"], "America/Los_Angeles"),
    **dict.fromkeys(["CET", "CEST", "MEZ", "MESZ"], "Europe/Berlin"),
    **dict.fromkeys(["EET", "EEST", "OEZ", "OESZ"], "Europe/Helsinki"),
    **{"BST": "Europe/London", "WET": "Europe/Lisbon", "WEST": "Europe/Lisbon", "SGT": "Asia/Singapore"},
    **{"HKT": "Asia/Hong_Kong", "JST": "Asia/Tokyo", "KST": "Asia/Seoul", "AEST": "Australia/Brisbane"},
    **{"AEDT": "Australia/Sydney", "AWST": "Australia/Perth", "NZST": "Pacific/Auckland", "NZDT": "Pacific/Auckland"},
}
_ZONE_NAME = rf"(?-i:{'|'.join(sorted(_ZONES.keys() - {'Z', 'UTC', 'GMT'}))})"
_ZONE = (  # 15:00-17:00 is a span of time
    r"(?:\s?(?:UTC|GMT)\s?[+-]\d{1,2}(?::?[0-5]\d)?\b|\s?(?:Z|UTC|GMT)\b|\s?\+\d{2}:?\d{2}\b|(?<=\d:\d\d:\d\d)-\d{2}:?\d{2}\b"
    rf"|\s(?:{_ZONE_NAME}\b|\({_ZONE_NAME}\)))?"
)
_ISO = r"(?:19|20)\d{2}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)"
_NUMERIC = r"(?:0?[1-9]|[12]\d|3[01])(?P<sep>[./-])(?:0?[1-9]|[12]\d|3[01])(?P=sep)(?:(?:19|20)\d{2}|\d{2})(?:\b|(?=(?:[01]?\d|2[0-3])(?:h|:|\sh\s)[0-5]\d(?!\d)))"  # scans lose blanks: 14/01/2710h25
_SHORT = r"(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?!\d)|(?:2[4-9]|3[01])[.-](?:0[1-9]|1[0-2])(?![\d:.,/-]\d|\d|\s?(?:t|to|tons?|kgs?|eur|usd|zł|%|€|m3|cbm|ldm)\b)|(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|[12]\d|3[01])(?:(?![\d/])|(?=(?:[01]\d|2[0-3]):[0-5]\d(?!\d)))"
_NAMED = (
    rf"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|\.)?(?:[ -]| ?\n)(?:de |of )?{_MONTH}(?:[ ,-]{{0,2}}(?:de |del )?(?:19|20)\d{{2}}\b)?"
    rf"|(?:0?[1-9]|[12]\d|3[01])-?{_MONTH}-?(?:19|20)\d{{2}}\b"
    r"|(?:0[1-9]|[12]\d|3[01])(?-i:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b"
    rf"|{_MONTH} (?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?\b(?:,? (?:19|20)\d{{2}}\b)?"
)
_GLUED = re.compile(r"(?<=\d)-?(?=[A-Za-zÀ-ÿ]{3})|(?<=[A-Za-zÀ-ÿ]{3})-?(?=\d)")  # 04-NOV-2026, 12NOV2026
_WEEKDAY = (  # before its date: "Thursday 26 November", "Mi., den 25.11."
    r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|(?:mo|di|mi|do|fr|sa|so)(?=[.,])"
    r"|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|(?:lun|mar|mer|jeu|ven|sam|dim)(?=[. ])|lunes|martes|miércoles|jueves|viernes|sábado|domingo|lunedì|martedì|mercoledì|giovedì|venerdì"
    r"|sabato|domenica|(?:maan|dins|woens|donder|vrij|zater|zon)dag|(?:ma|wo|vr|za|zo)(?=[. ])|poniedział\w+|wtor\w+|śro\w+|czwart\w+|piąt\w+|sobot\w+|niedziel\w+|(?:pon|pn|wt|śr|czw|pt)(?=[. ]))"
    r"\.?[ ,]{1,2}(?:the |den |dem |der |le |el |día |il |de |dnia )?"
)
PART_OF_DAY = (
    r"(?:morning|afternoon|evening|früh|vormittag|nachmittag|abend|mittag|matin|après-midi|soir|midi|mattina|pomeriggio|sera"
    r"|ochtend|middag|avond|vroeg|rano|wieczorem|po południu|por la (?:mañana|tarde|noche))"
)
TO_TIME = (  # words between a day and its time
    r"(?:(?:(?:time|uhrzeit|zeit|(?:lade|entlade|liefer)zeit|heure|hora|ora|(?:laad|los)?tijd|godz(?:ina)?)\.?[ ]?:|not later than|no later than|at the latest(?: by)?|spätestens(?: um| bis)?|fix(?: um)?|between|from|after|about|around|approx\.?|before|until|till?|at|by|zwischen|von|nach|vor|gegen|ab|bis(?: spätestens)?|um"
    r"|entre|avant|après|à partir de|vers(?: les)?|de|dès|à|antes de las?|hasta las?|desde las?|sobre las?|a partir de las?|de las?|a las?|tra le|fra le|entro le|dopo le|prima delle|verso le|dalle(?: ore)?|alle(?: ore)?|ore|tussen|voor|vanaf|na|rond|uiterlijk|om"
    r"|między|przed|około|ok\.|do godz\.?|od godz\.?|o godz\.?|godz\.?|do|od|po|o|ca\.?)[ ]){0,2}"
)
_DAY = rf"(?:(?:{_WEEKDAY})?(?:(?P<iso>{_ISO})T?|(?P<numeric>{_NUMERIC})|(?P<named>{_NAMED})|(?P<short>{_SHORT}))|(?:{_WEEKDAY}|(?:am|vom|zum|den|dnia|na dzień|na|op|le|du|au|il|el|al|dal|del) )(?P<bare>(?:0?[1-9]|[12]\d|3[01])[.-](?:0?[1-9]|1[0-2]))\.?(?![\d:.,/-]?\d)|(?P<today>{_TODAY})|(?P<word>{_DAY_WORD})(?:[ ]?{PART_OF_DAY}\b)?)"
_CANDIDATE = re.compile(
    rf"(?<![\w/.-])(?<!\d:){_DAY}"
    rf"(?:[ ,]{{0,3}}(?P<to>{TO_TIME})(?P<time>{_SPAN}|{_TIME}|{_HOUR}){_ZONE})?(?![\w])",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"(?<![\w/.-])([0-3]?\d)[/-]([0-3]?\d)(?P<year>[/-](?:20)?\d{2})?(?![\w/.-])")
_DOTTED = re.compile(r"(?<![\d.])[0-3]?\d\.[01]?\d\.(?:20)?\d{2}(?![\d.])")
_AMERICAN = re.compile(
    r"(?<![A-Za-z])(?:(?:A[KLRZ]|C[AO]|DC|FL|GA|HI|I[ADLN]|K[SY]|LA|M[DINOST]|N[CDEMVY]|O[HKR]|PA|S[CD]|T[NX]|UT|VA|W[AIVY]),? [1-9]"
    r"|(?:CT|M[AE]|N[HJ]|RI|VT),? 0)\d{4}(?!\d| \d)|(?<![A-Za-z])DE,? 19[7-9]\d\d(?!\d| \d)"  # DE 20457 is in Germany
    r"|\b(?:LTL|SCAC|NMFC|BOL|PRO ?#|\d lbs?|\d ?(?:[AP]M ?)?[ECMP][SD]T|[AP]M [ECMP]T)\b"
)
_BRITISH = re.compile(r"£|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b")
_CLOCK = re.compile(
    rf"(?<![\w/.:,-])(?P<time>{_SPAN}|{_TIME}(?<!\d uur)(?<!\duur)){_ZONE}(?![\w]|[.:/-]\d)", re.IGNORECASE
)
_FROM_BEFORE = re.compile(
    r"(?<![./-]\d{3})(?<!/\d)\d\s?(?:h|hrs?|uhr|uur)?\s?(?:-|–|to|till|until|and|bis|und|à|et|y|a|e|en|tot|do|i)\s?(?:(?:las|le|les|alle|ore|um|godz\.?) )?$",
    re.IGNORECASE,
)  # it ends a span of time, and does not follow a day: "18/11/26 à 9h40"
_THEN_DAY = re.compile(  # "16:40 yesterday", "um 9 Uhr am 24.11."
    rf"(?P<clock>(?:{_SPAN}|{_TIME}){_ZONE}),? (?:(?:on|this|next|am|vom|den|nächsten|le|du|ce|el|del|de|il|di|op|van|w|we|dnia) ){{0,2}}(?P<day>{_DAY})(?!\w|,? (?:at |um |à |om |o )?{_TIME})",
    re.IGNORECASE,
)
_TIME_AFTER = re.compile(rf"[ ,]{{0,2}}\n?(?:(?:at|à|um|om|alle|ore|a las) )?{_TIME}{_ZONE}(?![\w.:/-])", re.IGNORECASE)
_TIME_CELL = re.compile(
    rf"(?:[^\W\d]{{1,10}}\.?:? ){{0,2}}{_TIME}(?: ?(?:-|–|bis|to|à|a|tot|do) ?{_TIME})?{_ZONE}", re.IGNORECASE
)
_TIME_FIRST = re.compile(
    rf"(?P<first>(?:(?:at|um|om|à|alle|ore|o|godz\.?) )?{_TIME}{_ZONE})(?: ?[-–] ?{_TIME})?(?= \(?[^\W\d])",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d{2}")
_CLOCK_PARTS = re.compile(  # "9:30 am", "9:30a", but not "15:00 a 17:00" or "15:00 and 17:00"
    r"(\d{1,2})(?:(?:[:u.,]|\s?h\s?)(\d{2})(?::(\d{2}))?)?(?:(?:\s?(?=[ap]\.?m\b)|(?=[ap]\b))([ap]))?", re.IGNORECASE
)
_ZONE_PARTS = re.compile(
    r"(?:(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?|(?<![^\W\d])(?P<name>[A-Z]{1,4}))\)?$", re.IGNORECASE
)

_NEAR_DAY = 40  # letters
_GENERIC, _NEAR = 0.65, 15  # words that only say delivery: their score, and how many letters away they still speak
_UNLOADING = (
    r"unload(?:ing)?|entlad(?:ung|en)|entladestelle|abladen|déchargement|descarga|scarico|lossen|lossing|rozładun\w+"
)
_UNLOADED = re.compile(rf"(?<!\w)(?:{_UNLOADING})(?!\w)", re.IGNORECASE)
_MEANINGS: tuple[tuple[str, float, str], ...] = (
    ("", 0.0, r"etd|atd|departure|departed|sail(?:ed|ing|s)|abfahrt|abgefahren|départ|parti|salida|salió|partenza|partito|vertrek|vertrokken|wyjazd|wyjechał|odjazd|due date|payment|payable|zahl\w+|fällig\w*|échéance|vencimiento|scadenza|vervaldatum|płatno\w+|valid (?:until|to)|cut-?off|closing|expir\w+|best before|mhd|dlc"),
    ("eta_original", 0.8, _UNLOADING),
    ("eta_original", 0.85, r"(?:previous(?:ly)?|earlier) (?:advised|announced|given|notified|planned|scheduled|eta|date|arrival|delivery)(?: (?:eta|date|arrival|delivery))?|eerder (?:opgegeven|gemelde?|geplande?)(?: aankomst| levering)?|bisherige[rs]? (?:eta|termin|liefertermin|ankunft)|(?:eta|date|livraison|arrivée) précédente|(?:fecha|llegada|entrega) anterior|(?:data|arrivo|consegna) precedente|poprzedni\w* (?:eta|termin|data)"),
    ("eta_original", 0.8, r"needed (?:on site )?by|required (?:on site )?by|delivery deadline|(?:livraison prévue|entrega prevista|consegna prevista)(?=\s?:)|entladetermin|entladezeit|liefertermin|losdatum|termin (?:dostawy|rozładunku)|original(?:ly)? (?:eta|planned|scheduled|delivery)|originally|initial(?:ly)? (?:eta|planned)|instead of|was due|ursprünglich\w*|statt|anstatt|initialement|au lieu d[eu]|originalmente|en lugar del?|inizialmente|invece d(?:i|el)|oorspronkelijk\w*|in plaats van|pierwotn\w+|zamiast"),
    ("eta_revised", 0.85, r"(?:new|revised|updated|current|latest) (?:eta|delivery|arrival|date|time|slot)|(?:now|re-?)(?: ?expected| ?scheduled| ?estimated| ?planned)|arrives?|komt (?:nu )?(?:aan|pas)|kommt(?: erst)?|arriv(?:e|era)|llega(?:rá)?|arriva|przyjedzie|will (?:now )?(?:arrive|be (?:there|delivered|with you))|(?:expected|estimated)(?: time of)?(?: delivery| arrival)?|arriving|arrival|eta|neue[rs]? (?:eta|termin|liefertermin|ankunft\w*)|ankunft\w*|nouvelle (?:eta|date|livraison)|arrivée|livraison prévue|nueva (?:eta|fecha)|llegada|nuova (?:eta|data)|arrivo|nieuwe (?:eta|datum|levertijd)|aankomst|now[ay] (?:eta|termin|data)|przyjazd"),
    ("eta_revised", 0.85, r"(?:next|new|second|another|2nd) (?:delivery )?attempt|re-?delivery|(?:nächste|neue|erneute|zweite)[rn]? (?:zustellversuch|zustellung|anlieferung|lieferung)|(?:zustellung|(?:an|aus)?lieferung) erfolgt (?:nun(?:mehr)?|jetzt|dann)|(?:nouvelle|prochaine|seconde|deuxième) (?:présentation|tentative|livraison)|(?:nuevo|próximo|segundo) intento|nueva entrega|(?:nuovo|prossimo|secondo) tentativo|nuova consegna|(?:nieuwe|volgende|tweede) (?:aanbieding|(?:aflever|bezorg)?poging|levering)|opnieuw aan(?:bieden|geboden)?|(?:następna|kolejna|ponowna|druga) (?:próba|dostawa)|próba doręczenia|ponowne (?:doręczenie|dostarczenie)"),
    ("pickup_actual", 0.85, r"übernahme\w*(?: des gutes)?|prise en charge(?: de la marchandise)?|taking over(?: of the goods)?|presa in carico|(?:was |were |been )?(?:picked up|collected|loaded)(?: on| at)?|abgeholt|verladen am|enlevée?s?|chargée?s? le|recogido|(?:sido|fue|fueron|est[áa]n?) recogid[oa]s?|ritirat[oaie]|opgehaald|odebran\w+"),
    ("pickup_planned", 0.8, r"pick-?\s?up|collect(?:ion)?(?! (?:charges?|freight|on delivery))|to be collected|loading|abhol\w+|ladetermin|ladezeit|beladung|verladung|verladetermin|verladedatum|laaddatum|termin załadunku|enlèvement|ramassage|chargement|recogida|retirar|recoger|carga|ritiro|carico|ophal\w+|laden|laadtijd|lading(?= (?:is|op|om|van|mo|di|wo|do|vr|\d))|beladen|laadmoment|odbi[oó]r\w*|załadun\w+"),
    ("delivered_at", 0.85, r"gut empfangen|marchandises? reçues?|goods received|delivered|received|rcvd|(?:upon )?receipt|signed (?:on|at)|zugestellt|geliefert|livrée?s?|entregad[oa]s?|consegnat[oaie]|afgeleverd|bezorgd|geleverd|dostarczon\w+|doręczon\w+"),
    ("eta_original", _GENERIC, r"(?<!proof of )(?:agreed |planned |scheduled |promised |confirmed )?deliver(?:y(?! (?:note|order|docket|slip|receipt|no\b))|ies|ed by)|(?:delivery |booked )?slot|due|promised|liefer(?:ung|termin)|anlieferung|zustellung|(?<!bon de )(?<!bons de )(?<!lieu de )(?<!adresse de )livraison|(?<!nota de )(?<!albarán de )(?<!lugar de )(?<!dirección de )entrega|(?<!bolla di )(?<!documento di )(?<!luogo di )(?<!indirizzo di )consegna|(?<!plaats van )levering|bezorging|afspraak|(?<!dokument )(?<!miejsce )(?<!adres )dostaw[aęy]|dostarczenie"),
    ("document_date", 0.7, r"(?:order|ship(?:ping)?) date"),  # where the paper gives none of its own
    ("document_date", 0.75, r"(?:invoice|document|issue|bill|confirmation) date|date of issue|dated|issued(?: on)?|printed(?: on)?|print date|gedruckt(?: am)?|druckdatum|imprimé(?: le)?|impreso(?: el)?|stampato(?: il)?|afgedrukt(?: op)?|wydrukowano|tax point|verzenddatum|sporządzon[yoa](?: dnia)?|établie? à(?: / \w+ \w+)?|lugar y fecha|luogo e data|ort(?: und|,) datum|fecha de admisión|rechnungsdatum|belegdatum|ausstellungsdatum|ausgestellt am|date (?:de facture|d'émission)|fecha(?: de (?:factura|emisión))?|data (?:fattura|emissione|documento|wystawienia)|factuurdatum|(?:^|(?<=\n))[ \t]*le(?=\s?:)|executed on(?: \(date\))?(?: at \(place\))?|(?<![A-Za-zà-ÿ] )(?:date|datum|data|fecha|date d'émission)(?=\s?:|\s*$)"),
)  # fmt: skip
_MEANING = tuple(
    (field, score, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)) for field, score, words in _MEANINGS
)
_MOVED_TO = re.compile(  # "moved from 24.11. to 26.11.", "ETA was 20/11, now 26/11", "27/11 (was 25/11)"
    r"(?:(?<!\w)(?:moved|postponed|rescheduled|pushed|put back|brought forward|verschoben|verlegt|décal\w*|report(?:ée?s?|er)|aplaz\w+|pospuest\w+|spostat\w+|rinviat\w+|posticip\w+|verplaatst|verzet|verschoven|uitgesteld|przesun\w+|przełoż\w+)(?!\w).{0,40}?"
    r"(?<!\w)(?:(?P<old>from|vo[nm]|d[ue]|del|dal|van|z)|to|auf(?: den)?|au|al|naar|na|para el|a|until|till|bis)|(?P<was>(?:(?<=\()|(?:eta|date|delivery|termin)\W{0,2} ?)(?:was|war|était|era))|\d[^\n]{0,12}, (?:now|jetzt|nun|maintenant|ahora|adesso|ora|nu|teraz))[ :]{0,2}$",
    re.IGNORECASE,
)
_PLANNED = re.compile(  # say of what is named before them that it is to come, and of nothing else that it arrives
    r"(?<!\w)(?:prévue?s?|previst[oa]s?|verwacht\w*|przewidywan\w+|spodziewan\w+|voraussichtlich\w*)(?!\w)",
    re.IGNORECASE,
)
_VERB_AFTER = tuple(  # "am Freitag um 14:20 zugestellt", "wordt vrijdag opgehaald"
    (happened, planned, re.compile(rf"[^.;!?\n]{{0,40}}?(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))
    for happened, planned, words in (
        (
            "delivered_at",
            "eta_original",
            r"(?:aus|an|ab)?geliefert|zugestellt|entladen|abgeladen|(?:af)?geleverd|bezorgd|gelost",
        ),
        ("pickup_actual", "pickup_planned", r"abgeholt|verladen|beladen|geladen|übernommen|aufgeladen|opgehaald"),
        ("", "eta_original", r"(?:an|aus|ab)(?:zu)?liefern|zu(?:zu)?stellen|(?:af)?leveren|bezorgen"),
        ("", "pickup_planned", r"ab(?:zu)?holen|ophalen"),
        ("", "eta_revised", r"an(?:zu)?kommen|ein(?:zu)?treffen|aankomen"),
    )
)
_EVENTS = tuple(  # of a parcel's history, each in a row that begins with its day: `08/12/2026 17:22 Lyon Livré`
    (field, re.compile(rf"[^.;!?\n]{{0,40}}?(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))
    for field, words in (
        (
            "delivered_at",
            r"delivered|zugestellt|ausgeliefert|livrée?s?|entregad[oa]s?|consegnat[oaie]|(?:af)?geleverd|bezorgd|doręczon[oay]|dostarczon[oay]",
        ),
        (
            "pickup_actual",
            r"picked up|collected|abgeholt|übernommen|enlevée?s?|pris en charge|recogid[oa]s?|ritirat[oaie]|opgehaald|odebran[oay] od nadawcy|nadan[oay]",
        ),
    )
)
_NO_EVENT = re.compile(
    r"\b(?:not|nicht|pas|no|non|niet|nie|out for|to be|attempt\w*|versuch\w*|tentative|intento|tentativo|poging|próba)\b",
    re.IGNORECASE,
)
_TO_COME = re.compile(
    r"\b(?:wird|werden|soll(?:en|te|ten)?|kann|können|muss|müssen|möchten?|wollen|würden|wordt|worden|zal|zullen|moet(?:en)?|kan|kunnen|mag)\b",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(r"\bsollten?\b", re.IGNORECASE)
_DENIED = re.compile(r"\b(?:nicht|kein\w*|niet|geen|nie|noch)\b", re.IGNORECASE)
_AT_EARLIEST = re.compile(r"\b(?:nicht|niet)(?: (?:mehr|meer))? (?:vor|voor)(?: (?:dem|de))? $", re.IGNORECASE)
_NOT_BEFORE = re.compile(
    r"(?:\b(?:not|never|nicht|pas|non|no|niet|nie|to be|will be|wird|sera|será)|n['’]t)\b[^.\n]{0,15}$", re.IGNORECASE
)
_NOT_COMING = re.compile(r"(?:\b(?:not|cannot|never|no|non|nie)|n['’]t)\s+(?:(?:be|yet)\s+)?$", re.IGNORECASE)
_COMING_NOT = re.compile(r"\s+(?:pas|plus|nicht|niet)\b", re.IGNORECASE)
_BUT_THEN = re.compile(  # "will not arrive before Friday" says when it comes at the earliest
    r"\b(?:before|until|till?|earlier|antes|hasta|prima|fino|avant|jusqu\w*|vor|voor|bis|tot|eher|eerder|früher|przed|wcześniej)\b",
    re.IGNORECASE,
)
_NOT_KEPT = re.compile(  # "the ETA of tomorrow 10:00 cannot be met"
    r"[^.,;!?\n]{0,40}?\b(?:no longer|cannot|can['’]t|won['’]t|not|nicht|pas|no|non|niet|nie) (?:[^\W\d]+ ){0,2}?"
    r"(?:holds?|met|kept|valid|gehalten|halten|eingehalten|einhalten|tenue?s?|tenir|respectée?|cumpl\w+|rispett\w+|gehaald|halen|haalbaar|dotrzyma\w+|utrzyma\w+)\b",
    re.IGNORECASE,
)

_CLAUSE_END = re.compile(r"[;!?\n]|\.\s")

_NUMBER = r"(?P<number>\d{1,4}(?:[.,]\d{1,2}|\s?½)?|½|an?|one|two|three|half an|(?:ein|zwei|drei)einhalb|anderthalb|(?:eine )?halbe|anderhal(?:f|ve)|een half|half|(?:une )?demi|(?:una )?media|mezz['’]|(?:una )?mezza|pół|półtorej|półtora|eine[nr]?|zwei|drei|une?|una|un['’]|deux|trois|dos|tres|due|tre|twee|drie|een|dwie|trzy)"
_UNIT = (
    r"(?:(?P<h>h|hrs?|hours?|std\.?|stunden?|heures?|horas?|or[ae]|uur|uren|godz\w*)|(?P<m>min\w{0,6}\.?|mins?)"
    r"|(?P<d>days?|tage?n?|jours?|días?|giorn[oi]|dag(?:en)?|dni|dzień))"
)
_DURATION = re.compile(
    rf"(?<![\w.,]){_NUMBER}[ -]?{_UNIT}(?:(?P<half>\s(?:and a half|et demie?|y media|e mezz[oa]|en (?:een )?half|i pół))|\s?(?P<rest>[0-5]\d)(?:\s?min\w{{0,6}}|(?![\w]|[.,]\d))|,?\s(?:(?:e|et|and|und|y|en|i)\s)?(?P<more>[0-5]?\d)\s?min\w{{0,6}})?(?!\w)",
    re.IGNORECASE,
)
_LATE_BEFORE = re.compile(
    r"\b(?:waiting(?: time)?|waited|detention|wartezeit|standzeit|wart\w+|atten\w+|esper\w+|paralización|attesa|sosta|aspett\w+|wachttijd|wacht\w*|lleva|czeka\w*|steht|stehen|staat|staan|stoi|oczekiwan\w+|postoj\w*|late|delay\w*|behind|verspät\w+|verzöger\w+|retard\w*|retraso|retrasad\w+|demora\w*|ritard\w*|vertrag\w+|vertraagd"
    r"|opóźni\w+|spóźni\w+)\b(?:(?:[^.\n;]|\n(?=[a-zà-ž])|ca\.|approx\.){0,25}|[^.\n;\d]{26,45})$",
    re.IGNORECASE,
)
_LATE_AFTER = re.compile(
    r"[^.\n;]{0,15}?\b(?:wait(?:ing)?|(?:d')?attente|esperando|aspettando|de espera|di attesa|wachten|wachttijd|gewartet|wartezeit|standzeit|oczekiwania|postoju|down|late|later|delay\w*|behind|verspät\w+|verzöger\w+|später|zu spät|de retard|en retard|de retraso|tarde"
    r"|di ritardo|in ritardo|te laat|later|vertraging|opóźnienia|spóźnienia|później)\b",
    re.IGNORECASE,
)
_FREE = r"free|frei\w*|kostenfrei\w*|vrij\w*|gratis|gratuite?s?|libres?|bezpłatn\w+|woln\w+|included|inkl\w*|inbegrepen"
_FREE_BEFORE = re.compile(  # time that costs nothing is a rule, and nobody has waited for it
    rf"(?<!\w)(?:{_FREE}|franchise)(?: (?:for|of|de|von|für|per|di|van|time))?\s?$", re.IGNORECASE
)
_FREE_AFTER = re.compile(
    rf"[ ,]{{0,2}}(?:{_FREE}|franchise|thereafter|danach|daarna)(?!\w)"
    r"|[^.;\d\n]{0,25}(?<!\w)(?:(?:is|are|will be) (?:charged|billed)|(?:wird|werden) (?:berechnet|in rechnung)|(?:wordt|worden) (?:aangerekend|berekend|in rekening)|(?:est|sont|sera|seront) facturée?s?|se (?:factura|cobra)\w*|(?:è|viene|verrà) (?:addebitat|fatturat)\w+|jest płatn\w+|naliczam\w+)(?!\w)",
    re.IGNORECASE,
)
_AT_HOUR = re.compile(
    r"(?<!\w)(?:(?:om|vanaf|rond)|(?P<since>sinds|depuis|seit|desde las?|dalle|od))\s$", re.IGNORECASE
)
_LONGEST_SPOKEN = 5  # hours: "depuis 2h30" is how long, "depuis 8h30" since when
_HALVES = (
    *("half an", "half", "halbe", "eine halbe", "demi", "une demi", "media", "una media"),
    *("mezz'", "mezz’", "mezza", "una mezza", "een half", "pół"),
)
_WORD_NUMBERS = {
    **dict.fromkeys(["a", "an", "one", "ein", "eine", "einen", "einer", "un", "une", "una", "un'", "un’", "een"], 1.0),
    **dict.fromkeys(["two", "zwei", "deux", "dos", "due", "twee", "dwie"], 2.0),
    **dict.fromkeys(["three", "drei", "trois", "tres", "tre", "drie", "trzy"], 3.0),
    **dict.fromkeys(_HALVES, 0.5),
    **dict.fromkeys(["anderthalb", "eineinhalb", "anderhalf", "anderhalve", "półtorej", "półtora"], 1.5),
    **{"zweieinhalb": 2.5, "dreieinhalb": 3.5},
}


def is_month_first(text: str) -> bool:
    """Whether numeric dates in `text` are written as in the United States: by dates that can be read one way only,
    else by an address or units from there.
    """
    found = list(islice(_SLASHED.finditer(text), _MAX_CANDIDATES))
    written = [m for m in found if m["year"]]
    if not written and not _DOTTED.search(text):  # "ramp 11-14" and "Form 04/23" are no dates where others are
        written = [m for m in found if "/" in m[0]]
    clear = [(int(m[1]), int(m[2])) for m in written]
    day, month = sum(a > 12 >= b for a, b in clear), sum(b > 12 >= a for a, b in clear)
    if month != day:
        return month > day
    american = {match[0] for match in islice(_AMERICAN.finditer(text), _MAX_CANDIDATES)}
    return bool(american - {"BOL"}) or (bool(american) and _BRITISH.search(text) is None)


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
    if match is None and (turned := _THEN_DAY.fullmatch(quote)):
        return value_of(field, f"{turned['day']} {turned['clock']}", reference, month_first=month_first)
    if match and field == "document_date":
        day = (_moment(match, quote, reference, field, month_first) or "")[: len("2026-11-23")]
        return day if day and int(day[:4]) >= reference.year - _OLDEST else None
    if match:
        return _moment(match, quote, reference, field, month_first)
    if soon := _day_soon(quote, reference, field in _HAPPENED):
        return soon
    clock = _CLOCK.fullmatch(quote)
    return _with_time(reference, clock["time"], quote) if clock else None


def _day_soon(quote: str, reference: datetime, past: bool) -> str | None:
    """The day that "12.11" is in November, where it might be a time too: most times are rounder."""
    written = _DAY_OR_TIME.fullmatch(quote)
    if written is None or int(written[2]) % _ROUND_MINUTES == 0:
        return None
    try:
        day = _nearest(reference, int(written[2]), int(written[1]), past)
    except ValueError:  # 31.11
        return None
    return day.date().isoformat() if abs(day - reference) < _SOON else None


_DAY_OR_TIME = re.compile(r"(0?[1-9]|[12]\d|3[01])\.(0[1-9]|1[0-2])")
_ROUND_MINUTES = 5
_SOON = timedelta(days=45)
_DAY_AND_TIME_APART = re.compile(  # of a box, in two lines, with other boxes' words of these lines between
    rf"(?P<day>{_ISO}|{_NUMERIC}) (?P<between>.{{1,120}}) (?P<clock>{_TIME}{_ZONE})", re.IGNORECASE
)
_DATE_LABEL = re.compile(
    r"(?:(?:date|datum|data|fecha|termin|when|wann)\W*(?:(?:and|et|en|und|y|e|i|/)\W*)?(?:time|heure|uhrzeit|zeit|tijd|hora|ora|godz\w*)?|\w*termin)\W*",
    re.IGNORECASE,
)


def is_date_label(words: str) -> bool:
    """Whether a cell says no more than that a day, or a day and a time, stands there."""
    return _DATE_LABEL.fullmatch(words) is not None


_TO_PAY = re.compile(
    r"(?<!\w)(?:due date|payment|payable|pay by|zahlbar|zahlungsziel|fällig\w*|échéance|vencimiento|scadenza|vervaldatum|(?:termin )?płatno\w+)\W{0,3}$",
    re.IGNORECASE,
)


def is_to_pay(caption: str) -> bool:
    """Whether a caption says that money is due on the day that it announces."""
    return _TO_PAY.search(caption) is not None


def is_time(words: str) -> bool:
    """Whether a cell says a time of day and at most a word or two before it: `entro le 11:00`."""
    return _TIME_CELL.fullmatch(words.strip()) is not None


def time_at(text: str, start: int, end: int) -> int | None:
    """The end of the time of day with which a cell begins, after a word or two at most; None where it does not."""
    if is_time(text[start:end]):
        return end
    match = _TIME_FIRST.match(text, start, end)
    return match.end("first") if match else None


_WHEN_RECEIVED = re.compile(
    r"(?:date (?:and|et|&) (?:time|heure)|date ?/ ?time|datum ?(?:/|und|en) ?(?:uhrzeit|zeit|tijd)|fecha y hora|fecha ?/ ?hora|data e ora|data ?/ ?ora|data i godzina|data ?/ ?godz\w*)"
    r"(?: (?:of|de|der|di|van) \w+)?\W*",
    re.IGNORECASE,
)
_ARRIVAL = re.compile(r"(?:ETA|E\.T\.A\.)(?: [A-Z][\w'-]{2,20}){1,2}:?")  # at a port
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
    if _ARRIVAL.fullmatch(words):
        return "eta_original"
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
        end = match.start("to") if match["time"] else match.end()
        if value := _moment(match, match[0], reference, field, month_first):
            yield match.start(), end, value


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    """The place with all of the dates and times that it holds a part of."""
    for pattern in (_CANDIDATE, _CLOCK):
        for match in pattern.finditer(text, max(0, start - 25), end + 25):
            if match.start() < end and start < match.end():
                start, end = min(start, match.start()), max(end, match.end())
    return start, end


def clock_in(text: str) -> tuple[int, int] | None:
    """The last time of day in `text` that is written as one and does not end a span of time: hour and minute."""
    for match in reversed(list(_CLOCK.finditer(text))):
        told = _time_of(match["time"])
        if told and not _FROM_BEFORE.search(text, max(0, match.start() - 16), match.start()):
            return told[:2]
    return None


def _moments(text: str, reference: datetime, month_first: bool, clocks: bool) -> Iterator[Span]:
    days: list[tuple[int, int]] = []
    for pattern in (_CANDIDATE, _CLOCK) if clocks else (_CANDIDATE,):
        for match in islice(pattern.finditer(text), _MAX_CANDIDATES):
            if pattern is _CANDIDATE and not (match["today"] or (match["word"] or "").lower() in _THIS_DAY):
                days.append(match.span())
            turned = _THEN_DAY.match(text, match.start()) if pattern is _CLOCK else None
            if pattern is _CLOCK and turned is None and _names_a_day(text, match.start(), days):
                continue  # a time of that day, not of today
            match = turned or match
            meaning = _meaning(text, match.start(), match.end(), day=pattern is _CANDIDATE)
            if meaning is None or (meaning[0] == "document_date" and pattern is _CLOCK):
                continue
            if pattern is _CLOCK and _FROM_BEFORE.search(text, max(0, match.start() - 16), match.start()):
                continue
            field, score = meaning
            value = value_of(field, match[0], reference, month_first=month_first)
            if value is None:
                continue
            unloaded = _UNLOADED.search(text, max(0, match.start() - _NEAR_DAY), match.start())
            if clocks and unloaded and field == "eta_original" and value[:10] <= reference.date().isoformat():
                continue  # in mail: when it was unloaded is no field
            end = match.end()
            if match[0].endswith(".") and value_of(field, match[0][:-1], reference, month_first=month_first) == value:
                end -= 1  # the full stop of the sentence
            yield Span(
                field, value, match.start(), end, score if turned or pattern is _CANDIDATE else round(score - 0.15, 2)
            )


def _names_a_day(text: str, start: int, days: list[tuple[int, int]]) -> bool:
    """Whether a day stands before a time of day, in the same clause."""
    at = bisect_right(days, (start, start))
    last = days[at - 1][1] if at else -_NEAR_DAY
    return start - last < _NEAR_DAY and not _CLAUSE_END.search(text, last, start)


def _by_verb(text: str, clause: str, end: int) -> tuple[str, float] | None:
    """The field that a verb after a date gives it, where nothing before it does."""
    found = [
        (after.end(), happened, planned)
        for happened, planned, verbs in _VERB_AFTER
        if (after := verbs.match(text, end))
    ]
    if not found:
        return None
    last, happened, planned = min(found)
    said = f"{clause} {text[end:last]}"
    to_come = _TO_COME.search(said) is not None
    if to_come and _AT_EARLIEST.search(clause):  # "wird nicht vor Freitag zugestellt" promises nothing
        return "eta_revised" if planned == "eta_original" else planned, 0.7
    field = planned if to_come else happened
    if field == "eta_revised" and _SUPPOSED.search(said):
        field = "eta_original"
    return (field, 0.7) if field and not _DENIED.search(said) else None


def _comes_not(clause: str, arrival: re.Match[str]) -> bool:
    """Whether something does not arrive on the day that the clause ends with."""
    after = clause[arrival.end() :]
    denied = _NOT_COMING.search(clause[: arrival.start()]) or _COMING_NOT.match(after)
    return denied is not None and _BUT_THEN.search(after) is None


def _event(text: str, start: int, end: int) -> tuple[str, float] | None:
    """The field of what happened on the day with which a line begins, as the rest of the line says."""
    if text[text.rfind("\n", 0, start) + 1 : start].strip():
        return None
    found = [(after.end(), field) for field, words in _EVENTS if (after := words.match(text, end))]
    if not found or _NO_EVENT.search(text, end, min(found)[0]):
        return None
    return min(found)[1], 0.8


def _row_before(text: str, start: int) -> int:
    """Where the line of a date begins, if it and the one before both begin with a date: rows of a history; else 0."""
    line = text.rfind("\n", 0, start) + 1
    above = text.rfind("\n", 0, line - 1) + 1 if line else 0
    return line if line and not text[line:start].strip() and _CANDIDATE.match(text, above) else 0


def _meaning(text: str, start: int, end: int, *, day: bool) -> tuple[str, float] | None:
    """The field that the nearest words before `start`, in the same clause, give to a date there, or a verb after it."""
    if day and (event := _event(text, start, end)):
        return event
    before = text[max(0, start - 70, _row_before(text, start)) : start]
    clause = before
    for stop in _CLAUSE_END.finditer(before):
        if before[stop.end() :].strip():  # a line end right before the date is a label above its value
            clause = before[stop.end() :]
    best: tuple[int, int, str, float] | None = None
    for field, score, pattern in _MEANING:
        for match in pattern.finditer(clause):
            if field in _HAPPENED and _NOT_BEFORE.search(clause[: match.start()]):
                continue
            if field == "eta_revised" and _comes_not(clause, match):
                continue
            if best is None or (match.end(), len(match[0])) > best[:2]:
                best = (match.end(), len(match[0]), field, score)
    if day and (moved := _MOVED_TO.search(clause)) and (best is None or best[2] in ("eta_original", "eta_revised")):
        best = (len(clause), 0, "eta_original" if moved["old"] or moved["was"] else "eta_revised", 0.85)
    planned = max((m.end() for m in _PLANNED.finditer(clause)), default=-1)
    if planned >= 0 and (best is None or best[2] in ("document_date", "delivered_at")):
        best = (planned, 0, "eta_revised", 0.85)
    elif best and planned > best[0]:  # "recogida prevista para el jueves"
        best = (planned, best[1], "pickup_planned" if best[2] == "pickup_actual" else best[2], best[3])
    if best is None:
        return _by_verb(text, clause, end)
    if not best[2]:
        return None
    if best[2] == "eta_revised" and _NOT_KEPT.match(text, end):
        return "eta_original", 0.7
    distance = len(clause) - best[0]
    far = distance > (_NEAR if best[3] == _GENERIC else 30)
    return best[2], round(best[3] - (0.2 if far else 0.0), 2)


def _moment(match: re.Match[str], quote: str, reference: datetime, field: str, month_first: bool) -> str | None:
    groups = match.groupdict()
    past = field in _HAPPENED
    day: datetime | None
    try:
        if groups["iso"]:
            year, month, day_number = (int(part) for part in re.split(r"[-/.]", groups["iso"]))
            day = reference.replace(year=year, month=month, day=day_number)
        elif groups["numeric"]:
            day = _numeric(groups["numeric"], reference, month_first)
        elif short := groups["short"] or groups["bare"]:
            day_number, month = (int(part) for part in re.split(r"[./-]", short)[:2])
            if month > 12 or (month_first and "/" in short and day_number <= 12):
                day_number, month = month, day_number
            day = _nearest(reference, month, day_number, past)
        elif groups["today"]:
            day = reference
        else:
            word = _GLUED.sub(" ", groups["named"]) if groups["named"] else groups["word"]
            word = _SHORT_WORDS.get(word.lower().rstrip("."), word.rstrip("."))
            parsed = _parsed(" ".join(word.lower().split()), reference.date().isoformat(), bool(groups["named"]), past)
            day = reference.replace(year=parsed.year, month=parsed.month, day=parsed.day) if parsed else None
            if day and groups["word"] and field in TODAY_TOO and abs((reference - day).days) == _WEEK:
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
    clock = clock.strip()
    if re.fullmatch(_SPAN, clock, re.IGNORECASE) and (half := re.search(r"[ap]\.?m\b\.?$", clock, re.IGNORECASE)):
        first, last = (int(n) for n in re.findall(r"\d+", clock)[:2])
        clock = f"{first}{half[0]}" if first <= last else f"{first} h"  # 9 to 2pm begins in the morning
    parts = _CLOCK_PARTS.match(clock)
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
    zone = None if quote.endswith(clock) else _ZONE_PARTS.search(quote)  # 15:00-17:00 has none
    if zone is None:
        return when.isoformat()
    if zone["name"]:
        return when.replace(tzinfo=ZoneInfo(_ZONES[zone["name"].upper()])).isoformat()
    return f"{when.replace(tzinfo=None).isoformat()}{zone['sign']}{int(zone['hours']):02}:{zone['minutes'] or '00'}"


def _delays(text: str) -> Iterator[Span]:
    for match in _DURATION.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()]
        if _FREE_BEFORE.search(before) or _FREE_AFTER.match(text, match.end()):
            continue
        if match["h"] and match["number"][0].isdigit() and (at := _AT_HOUR.search(before)):
            clock = match["rest"] or re.search(r"[.,]\d\d$", match["number"])
            if not at["since"] or (clock and float(match["number"].replace(",", ".")) >= _LONGEST_SPOKEN):
                continue  # "sinds 8.30 uur"
        if _LATE_AFTER.match(text, match.end(), match.end() + 40) or _LATE_BEFORE.search(before):
            value = _minutes(match)
            if value is not None:
                yield Span("delay_minutes", value, match.start(), match.end(), 0.85)


def _minutes(match: re.Match[str]) -> str | None:
    word = match["number"].lower()
    number = _WORD_NUMBERS.get(word) or float(re.sub(r"\s?½$", ".5", word.replace(",", ".")))
    number += 0.5 if match["half"] else 0.0
    minutes = number * (60 if match["h"] else 1440 if match["d"] else 1)
    if rest := match["rest"] or match["more"]:
        if not match["h"]:
            return None
        minutes += int(rest)
    return str(round(minutes)) if 0 < minutes <= 129_600 else None
