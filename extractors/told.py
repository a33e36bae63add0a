"""What words say when it is known which field they state: less needs to be written then than in running text.

"at 2" is no time by itself, and no count either. Where a tagger has pointed at it as the time of a collection, it is.
"""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from extractors import dates, quantities
from extractors.evidence import Span

_SEVEN = {  # day of the week -> its names or their beginnings, as people write, lengthen and shorten them
    0: "monday|montag|lundi|lunes|lunedì|lunedi|maandag|poniedział|poniedzial|mon|mo|lun|ma|pon|pn",
    1: "tues|dienstag|mardi|martes|martedì|martedi|dinsdag|wtorek|wtorku|tue|di|mar|wt",
    2: "wednesday|weds|mittwoch|mercredi|miércoles|miercoles|mercoledì|mercoledi|woensdag|środa|środę|środy|środow|sroda|srode|srody|wed|mi|mer|mié|woe|wo|śr|sr",
    3: "thur|donnerstag|jeudi|jueves|giovedì|giovedi|donderdag|czwartek|czwartk|thu|do|jeu|jue|gio|czw",
    4: "friday|freitag|vendredi|viernes|venerdì|venerdi|vrijdag|piątek|piątk|piatek|piatk|fri|fr|ven|vie|vr|pt|pią",
    5: "saturday|samstag|sonnabend|samedi|sábado|sabado|sabato|zaterdag|sobot|sat|sa|sam|sáb|sab|za|sob",
    6: "sunday|sonntag|dimanche|domingo|domenica|zondag|niedziel|sun|so|dim|dom|zo|niedz",
}
_LONG = 4  # letters of a beginning that may go on: "vrijdagmiddag", "poniedziałku", "Weds"
_OFFSETS = {  # days from today
    0: "today|todays|tonight|tonite|heute|heut|heutige|heutigen|aujourd'hui|hoy|oggi|odierno|odierna|vandaag|heden|dziś|dzis|dzisiaj|dzisiejszym|dzisiejszą|dzisiejszej|now|jetzt|gerade|stamattina|stasera|vanmiddag|vanavond|vanochtend|vannamiddag|vannacht",
    1: "tomorrow|tomorow|tommorow|tomoz|tmrw|tmr|tmw|morgen|morgenfrüh|morgenochtend|morgenavond|morgenmiddag|morgenvoormiddag|morgennamiddag|morgenvroeg|demain|mañana|manana|domani|domattina|jutro|jutra|jutrzejszy",
    2: "übermorgen|overmorgen|dopodomani|après-demain|pojutrze",
    -1: "yesterday|yesterdays|gestern|gestrigen|hier|ayer|anoche|ieri|gisteren|gisteravond|gisterenavond|gistermiddag|gisterenmiddag|gisternamiddag|gisterochtend|gisterenochtend|gistermorgen|gisternacht|wczoraj|wczorajszej|wczorajszym",
    -2: "vorgestern|anteayer|avant-hier|eergisteren|przedwczoraj",
}
_PHRASES = tuple(  # that name a day in several words, or in one that means a day only where it was pointed at
    (offset, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))
    for offset, words in (
        (0, r"this (?:morning|afternoon|evening|aft|a\.?m|p\.?m)s?|(?:ce|du) jour|cet aprem|cette nuit|esta madrugada|in (?:giornata|mattinata)"),
        (-1, r"last (?:night|nite|evening)s?"),
    )
)  # fmt: skip
_NEXT_WORKING_DAY = re.compile(
    r"next[ -](?:working|business)[ -]day|nächste[rn]? (?:werktag|arbeitstag)|prochain jour ouvr(?:é|able)|(?:siguiente|próximo) día (?:hábil|laborable)|(?:prossimo|primo) giorno lavorativo|(?:volgende|eerstvolgende) werkdag|(?:następn\w+|kolejn\w+) d(?:zień|niu) robocz\w+",
    re.IGNORECASE,
)
_WEEKEND = 5  # its first day
_MISSED = re.compile(  # says of a day of the week that is planned that it is over: "should have been here Tuesday"
    r"(?<!\w)(?:should(?: have|['’]ve)|(?:was|were) (?:due|told|promised|planned|supposed|meant|scheduled|booked)|last (?=week|[a-z]{3,6}day)|running"
    r"|(?:nobody|no[- ]one) (?:came|has|ever|turned|showed|arrived|collected|picked)"
    r"|dev(?:ait|aient)|aurai(?:t|ent) dû|promis|personne n['’](?:est|a)|toujours (?:pas|rien)|(?:[a-z]{3,6}di|dimanche) dernier"
    r"|sollten?(?! (?:sie|wir|der|die|das|es)\b)|hätt\w{0,2}(?=[^.;!?\n]{1,50}\b(?:soll|müss))|versprochen|letzten? (?=woche|[a-z]{3,7}tag)"
    r"|deb[ií]an?|ten[ií]an? que|dijeron|prometi\w+|nadie (?:ha|vino|pasó|apareció)|(?:lunes|martes|miércoles|jueves|viernes|sábado|domingo) pasado"
    r"|doveva(?:no)?|promess\w+|nessuno (?:è|ha|si è)|(?:[a-z]{4,7}dì|sabato|domenica) scors[oa]"
    r"|zou(?:den)?(?! (?:u|je|jij|jullie|het|dat|kunnen|willen)\b)|had(?:den)? (?:moeten|zullen)|beloofd|vorige (?=week|[a-z]{3,6}dag)|afgelopen"
    r"|mia[łl][aoy]?|umawiali\w*|umówi\w+|obieca\w+|nikt nie (?:przy|dojech|dotar)\w*|zeszł\w+)(?!\w)",
    re.IGNORECASE,
)
_HAPPENED = frozenset(["pickup_actual", "delivered_at"])
PLANS = frozenset(["eta_original", "pickup_planned"])
_DAYS = {word: offset for offset, words in _OFFSETS.items() for word in words.split("|")}
_WEEK = [(day, word) for day, words in _SEVEN.items() for word in words.split("|")]
_SHORT = re.compile(  # 7.12. and 28.11 are days, 14.30 is a time, and 10.11 may be either
    r"(?<![\d.:/])(?:(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])\.(?!\d)|(2[4-9]|3[01])\.(0?[1-9]|1[0-2])(?![\d:]))"
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_DAY_OF_MONTH = re.compile(
    r"[ ,]{1,2}(?:the |den |le |el |il )?([12]?\d|3[01])(?:st|nd|rd|th)?\b(?![:.,]?\d|\s?(?:h|uhr|u|uur|am|pm|a\.m|p\.m)\b)",
    re.IGNORECASE,
)  # "lunes 23", "Wed 14th"
_ORDINAL = re.compile(r"(?<![\d.:/])([12]?\d|3[01])(?:st|nd|rd|th|er|º|ª|e)\b", re.IGNORECASE)
_WITH_ARTICLE = re.compile(
    r"(?<!entro )(?<!dopo )(?<!verso )(?<!per )\b(?:the|le|du|au|il|el|al|del|dal|am|der|den|dem|op|op de|vom|zum|bis|dnia|d[ií]a) ([1-9]|[12]\d|3[01])\.?(?![\d.:]|\s?(?:h|uhr|u)\b)",
    re.IGNORECASE,
)
_NOON_WORDS = r"noon|midday|mittags?|midi|mediod[ií]a|mezzogiorno|middaguur|południe|południa"
_NOON = re.compile(rf"\b(?:{_NOON_WORDS})\b", re.IGNORECASE)
_DIGITS = re.compile(
    r"(?<![\d.,:/-])([01]\d|2[0-3])([0-5]\d)\s?(?:h|hrs?|uhr|z|u)?(?![\d.,:/]|-(?![012]\d[0-5]\d\b))", re.IGNORECASE
)
_DOTTED = re.compile(r"(?<![\d.])([01]?\d|2[0-3])\.([0-5]\d)\s?[-–]\s?\d{1,2}\.([0-5]\d)(?!\d)")
_LAST_MONTH = 12
_HOURS_TO = re.compile(  # after a day: "tomorrow 8-15", "7 and 8:30"
    rf"(?<!\S)([5-9]|1\d|2[0-3]){dates.TO}([6-9]|1\d|2[0-4])(?::[0-5]\d)?$", re.IGNORECASE
)
_AT = (  # words before a time of day
    r"at|by|for|before|after|till?|until|from|since|around|about|um|bis|ab|seit|gegen|vor|nach|à|vers|avant|a|las|sobre|hacia|alle|le|dalle|delle|entro|ore|verso"
    r"|om|voor|vóór|na|vanaf|rond|omstreeks|tegen|between|zwischen|tra|entre|tussen|między|o|po|do|od|przed|około|okolo|koło|kolo|ok\.|ok|godz\.?|ca\.?"
)
_HOUR = re.compile(
    rf"(?:^|(?<!\w)(?:{_AT}|than)\s+)([01]?\d|2[0-3])\s?(?:(?P<unit>u|uur|h|uhr)|ish|rano|o['’]?clock)?(?![\d.,:/])\b",
    re.IGNORECASE,
)
_THEN_CLOCK = re.compile(
    rf"(?:[ ,]{{1,2}}{dates.PART_OF_DAY})?[ ,]{{1,3}}{dates.TO_TIME}(?:las |les? |alle |fra |tra |am |pm ){{0,2}}(?:at |by |for |um |à |a las |alle |ore |om |o |after |before |until |till |bis |ab |koło |okolo |omstreeks |tegen )?"
    rf"(?:[01]?\d|2[0-3])(?:[:.h][0-5]\d)?(?:{dates.TO}(?:[01]?\d|2[0-3])(?:[:.h][0-5]\d)?)?"
    r"(?:\s?(?:[ap]\.?m\b\.?|uhr\b|uur\b|hrs?\b|h\b|u\b)|(?=\s*(?:$|[.,;!?)\n])))",
    re.IGNORECASE,
)
_NO_DAY = frozenset(("hier", "jetzt", "gerade", "mart"))  # of words that may name one: "wir sind hier", Mart
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_LAST_HOUR = 12  # of a clock of twelve
_AFTERNOON = 6  # who says "at 5" without more means the hour of the day shift

_NUMBERS = (
    "one a an ein eine einen einer einem eins un une uno una een eén één jeden jedna jedną jednej jednego single",
    "two both pair couple zwei beide beiden deux dos ambos due entrambi twee beide dwa dwie dwóch oba obie",
    "three drei trois tres tre drie trzy trzech",
    "four vier quatre cuatro quattro cztery czterech",
    "five fünf cinq cinco cinque vijf pięć pięciu",
    "six sechs seis sei zes sześć sześciu",
    "seven sieben sept siete sette zeven siedem siedmiu",
    "eight acht huit ocho otto osiem ośmiu",
    "nine neun neuf nueve nove negen dziewięć dziewięciu",
    "ten zehn dix diez dieci tien dziesięć dziesięciu",
    "eleven elf onze once undici jedenaście",
    "twelve dozen zwölf dutzend douze douzaine doce docena dodici dozzina twaalf dozijn dwanaście tuzin",
)
_LARGER = {
    13: "thirteen dreizehn treize trece tredici dertien trzynaście", 14: "fourteen vierzehn quatorze catorce quattordici veertien czternaście",
    15: "fifteen fünfzehn quinze quince quindici vijftien piętnaście", 16: "sixteen sechzehn seize dieciséis sedici zestien szesnaście",
    17: "seventeen siebzehn dix-sept diecisiete diciassette zeventien siedemnaście", 18: "eighteen achtzehn dix-huit dieciocho diciotto achttien osiemnaście",
    19: "nineteen neunzehn dix-neuf diecinueve diciannove negentien dziewiętnaście", 20: "twenty zwanzig vingt veinte venti twintig dwadzieścia",
    30: "thirty dreißig trente treinta trenta dertig trzydzieści", 40: "forty vierzig quarante cuarenta quaranta veertig czterdzieści",
    50: "fifty fünfzig cinquante cincuenta cinquanta vijftig pięćdziesiąt", 60: "sixty sechzig soixante sesenta sessanta zestig sześćdziesiąt",
    90: "ninety neunzig novanta negentig",
}  # fmt: skip
_UP_TO_TWELVE = {word: n for n, words in enumerate(_NUMBERS, start=1) for word in words.split()}
_ABOVE_TWELVE = {word: n for n, words in _LARGER.items() for word in words.split()}
_NUMBER = _UP_TO_TWELVE | _ABOVE_TWELVE
_HOURS = frozenset(word for word, n in _UP_TO_TWELVE.items() if n > 1) - {
    "both",
    "pair",
    "couple",
    "beide",
    "beiden",
    "ambos",
    "entrambi",
    "oba",
    "obie",
    "dozen",
    "sei",
}
_TWENTY = 20
_AND_UNITS = re.compile(  # "twenty-four", "treinta y dos", "dwadzieścia cztery"
    rf"[ -](?:y |et[ -])?({'|'.join(word for word, n in _UP_TO_TWELVE.items() if n < 10 and word not in ('a', 'an'))})\b",
    re.IGNORECASE,
)
_DUTCH_HOURS = frozenset(
    ["één", "een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien", "elf", "twaalf"]
)
_ORDINAL_HOURS = (
    "pierwszej drugiej trzeciej czwartej piątej szóstej siódmej ósmej dziewiątej dziesiątej jedenastej dwunastej"
)
_CLOCK_WORDS = {
    **{word: _NUMBER[word] for word in (*_HOURS, "one", "eins", "één", "una", "sei")},
    **{word: n for n, word in enumerate(_ORDINAL_HOURS.split(), start=1)},
}
_ANY_CLOCK_WORD = "|".join(sorted(_CLOCK_WORDS, key=len, reverse=True))
_TO_THE_HOUR = re.compile(  # "half five", "quarter to three", "Viertel nach elf", "kwart over één"
    r"(?<!\w)(?:(?P<half>half(?: past)?|halb)|(?P<minutes>quarter|viertel|kwart|five|fünf|vijf|ten|zehn|tien|twenty|zwanzig|twintig)"
    rf"(?: min\w{{0,5}})? (?:past|after|nach|over|(?P<before>to|vor|voor))) (?P<hour>1[0-2]|\d|{_ANY_CLOCK_WORD})(?!\w|[:.,]\d)",
    re.IGNORECASE,
)
_MINUTES_OF = {**_NUMBER, **dict.fromkeys(["quarter", "viertel", "kwart"], 15)}
_AND_MINUTES = re.compile(  # "las 7 y media", "sei e mezza", "8 heures moins le quart"
    rf"(?<!\w)(?P<hour>[01]?\d|2[0-3]|midi|{_ANY_CLOCK_WORD})(?:\s?(?:h|heures?|horas?))? "
    r"(?:(?P<half>et demie?|y media|e mezz[ao])|(?P<quarter>et quart|y cuarto|e un quarto)|moins le quart|menos cuarto|meno un quarto)(?!\w)",
    re.IGNORECASE,
)
_HOUR_IN_WORDS = re.compile(
    rf"(?<!\w)(?:(?:at|by|before|after|till?|until|around|about|um|gegen|bis|vor|nach|à|vers|a las?|las|alle|dalle|(?:entro|verso|dopo|per) le|prima delle|om|rond|tegen|voor|o|około|koło|przed) (?P<at>{_ANY_CLOCK_WORD})|(?P<hour>{_ANY_CLOCK_WORD})(?: o['’]?clock|[ -]?ish| uhr| uur| heures))(?!\w)",
    re.IGNORECASE,
)
_THEN_SPOKEN = re.compile(  # "tomorrow at eight", "mañana al mediodía", "jutro koło 13 zamiast": the word before says that it is one
    rf"(?:[ ,]{{1,2}}{dates.PART_OF_DAY})?[ ,]{{1,3}}(?:(?:at|um|om|à|a las?|alle|o|koło|około|rond|tegen|gegen) (?:half |halb |quarter past |quarter to |kwart over |kwart voor |viertel nach |viertel vor )?(?:1\d|2[0-3]|\d|{_ANY_CLOCK_WORD})(?![\w:.,/]|\s?(?:kg|t|eur|€|%|pal\w*)\b)"
    rf"|(?:(?:at|am|um|à|a|al|by|o|w|om|voor|für|before|around) )?(?:{_NOON_WORDS})(?!\w))",
    re.IGNORECASE,
)
_DUTCH = re.compile(r"\b(?:om|rond|tegen|voor|na|vanaf|tot|gister\w*|van\w+|uur)\b", re.IGNORECASE)  # "half 10" is 9:30
_MORNING = re.compile(
    r"(?<!\w)(?:a\.m|morning|früh|morgens|vormittags?|ce matin|du matin|madrugada|mattin\w*|stamattina|vanochtend|vanmorgen|\w*ochtends?|rano)(?!\w)",
    re.IGNORECASE,
)
_EVENING = re.compile(
    r"(?<!\w)(?:p\.m|afternoon|evening|tonight|nachmittags?|abends?|après-midi|(?:ce|du) soir|tarde|noche|pomeriggio|sera|stasera|\w*middags?|\w*avonds?|po południu|wieczor\w+)(?!\w)",
    re.IGNORECASE,
)
_UN_NUMBER = re.compile(r"[0-3]\d{3}")  # of the numbers that the United Nations have given
_COUNT = re.compile(
    r"(?:(?:x|×|all|alle|the|die|les|los|gli|i|ca\.?|about|around|etwa|circa|rund|only|nur|just|another|other|altri|altre|andere|weitere)\s?)?(?P<n>\d{1,3}(?:[.,' ]\d{3})+(?!\d)|\d{1,6}|"
    + "|".join(sorted(_NUMBER, key=len, reverse=True))
    + r")\b(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
PALLETS = r"pallets?|palett\w*|palet\w*|bancal\w*|skids?|plts?"
_PALLET = re.compile(rf"\b(?:euro? ?)?(?:{PALLETS}|pal[eé]s?|epal)\b", re.IGNORECASE)
_LENGTHS = {**_NUMBER, "another": 1}
_HALF_MORE = r"\s(?:and (?:a )?half|1/2|½|et demie?|y media|e mezz[ao]|en (?:een )?half|i pół)"
_ANY_LENGTH = "|".join(sorted(_LENGTHS, key=len, reverse=True))
_LENGTH = re.compile(
    rf"(?:\D{{0,25}}?\s)??(?:ca\.?|~|\+)?\s?(?P<n>\d{{1,4}}(?:[.,]\d{{1,2}})?|(?:{_ANY_LENGTH})\b)"
    rf"(?:\s?(?:-|–|/|to|bis|à|a|do|tot|o|or|oder)\s?(?:\d{{1,3}}|{'|'.join(_NUMBER)}))?(?P<half>{_HALF_MORE})?[\s+-]{{0,2}}"
    r"(?:(?:of|more|full|good|working|business|additional|weitere|volle|lange|gute)\s)?"
    r"(?:(?P<m>min\w*)|(?P<h>h|hs|hrs?|hours?|std\.?|stund(?:en?)?|heures?|horas?|or[ae]|uur|uren|wachturen|u|godz\w*)"
    r"|(?P<d>d|days?|nights?|tage?n?|(?:werk|arbeits)tage?n?|nuits?|jours?|d[ií]as?|giorn[oi]|gg|dag(?:en)?|dni|dzień|dob[aeęy]|nächte?)|(?P<w>wks?|weeks?|wochen?|semaines?|semanas?|settiman[ae]|week|weken|tydzień|tygodni\w*))"
    rf"(?:\s?(?:(?:and|und|et|e|y|en|i)\s)?(?P<more>[0-5]?\d|{'|'.join(_ABOVE_TWELVE)})(?:\s?min\w*)?|(?P<and_half>{_HALF_MORE})(?!\w).*|(?!\w).*)",
    re.IGNORECASE | re.DOTALL,
)
_ONE_OF = re.compile(
    r"(?:godzin[aęey]|dzień|dob[aęy]|hora|ora|heure|hour)(?= (?:y|e|et|and|i)\b|$)", re.IGNORECASE
)  # "hora y media"
_OR_SO = re.compile(
    rf"een (uur|dag|week|minuut) of ({'|'.join(_NUMBER)}|\d{{1,2}})", re.IGNORECASE
)  # "een uur of vier" is four
_BARE_MINUTES = re.compile(r"\+?(\d{2,3})(?: late)?", re.IGNORECASE)
_HOURS_AND_MINUTES = re.compile(r"(\d{1,2})[:h](\d{2})\s?(?:h|hrs?|std\.?)?", re.IGNORECASE)
_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10_080}
_LONGEST_DELAY = 129_600  # minutes: ninety days
_DEGREES = re.compile(
    r"(?:\D{0,12}?\s)??(?P<low>(?:[+−–-]|minus |moins |meno |menos |min )?\d{1,3}(?:[.,]\d)?)(?:\s?(?:-|–|to|bis|à|a|/|and|und|et|e|y|tot|do)\s?(?P<high>(?:[+−–-]|minus |moins |meno |menos |min )?\d{1,3}(?:[.,]\d)?))?(?:\s?(?:°|º|deg\w*|grad\w*|gradi|graden|stopni)\s?C?)?(?:\D{0,12})",
    re.IGNORECASE,
)
_CELSIUS = 31  # a bare number above that is likelier Fahrenheit
_OF_CELSIUS = re.compile(r"°\s?C|(?<!\w)C(?!\w)", re.IGNORECASE)
_MOST = 100  # temperatures in one text
_TOLD = 0.9  # of them: no tagger needs to know them as well
_COLDEST, _HOTTEST = -200, 100  # of what is said without a scale
_BARE_DEGREES = r"(?:[+−–-]|minus |moins |meno |menos |min )?\d{1,2}(?:[.,]\d)?"
_TEMPERATURE = re.compile(  # without a scale: "set 2, reading 3", "consigne -20", "range 2-8"
    r"(?<!\w)(?:(?P<required>set(?: ?point)?(?: at| to| is)?|spec(?: is)?|range(?: is)?|limit(?: is)?|(?:keep|kept|stay|hold|held|carry|carried)(?: it| them)?(?: at| between)|consigne(?: à| de)?|réglée? (?:à|sur)|consigna(?: a| de)?|rango"
    r"|soll(?:temperatur|wert)?(?: ist)?|bereich|eingestellt(?: auf)?|impostat[oa](?: a)?|anziché|ingesteld(?: op)?|bereik|ustawion\w+(?: na)?|nastawa|wymagan\w+)"
    r"|temp(?:s|eratur\w*|ératures?)?(?: (?:is|now|at|ist|jetzt|à|a|es|è|ora|nu|jest|teraz))?|(?:logger|probe|display|recorder|printer|download|unit)(?: \w+)? (?:says?|shows?|showed|reads?)|reading|inside(?: now)?|holding(?: at)?|return(?:ed| air)"
    r"|(?:got|gets|went|goes|rose|climbed|back down)(?: to| above| over)|zeigt(?: an)?|affiche|indique|sonde(?: à| a)?|marca|indica|segna|toont|staat op|geeft|pokazuje|wskazuje)"
    rf"(?: ?:)? (?P<degrees>{_BARE_DEGREES}(?:\s?(?:-|–|/|to|bis|à|a|tot|do)\s?{_BARE_DEGREES})?)(?![\w:/]|[.,]\d|\s?(?:[°º%]|[CF]\b|deg|gra[dn]|stopni))"
    r"(?:(?<=[ /][+−–-]\d)|(?<=[ /][+−–-]\d\d)|(?=\s*(?:[.,;)!?\n]|$))|(?= (?:and|but|set|return\w*|reads?|reading|at|all|now|vs|the whole|whole|und|aber|jetzt|et|mais|y|pero|e|ma|ora|en|maar|nu|i|ale|teraz)\b))",
    re.IGNORECASE,
)
_COLD = re.compile(
    r"[°º]\s?[CF](?!\w)|(?<!\w)(?:reefer|fridge|freez|frozen|chill|cooler|temp(?:s?(?!\w)|erat|érat)|thermo|logger|probe|pulp|vaccin|vakzin|impfst|(?:tief)?kühl|gefror|frigo|congel|surgel|refrig|diepvries|gekoeld|koel|chłod|mroż|mroz|lód|lody)",
    re.IGNORECASE,
)
_MONEY = re.compile(
    r"(?P<before>[A-Z]{2,3}(?: ?\$)?|Rs\.?|[€$£])?\s?(?P<n>\d{1,3}(?:[ .,'’]\d{3})+(?:[.,]\d{1,2})?|\d{1,2}(?:,\d{2}){1,3},\d{3}(?:\.\d{1,2})?|\d{1,9}(?:[.,]\d{1,2})?)\s?(?P<many>k\b|tys\.?|mila\b|thousand|grand)?\s?(?P<after>[A-Za-z€$£ł]{1,10})?",
    re.IGNORECASE,
)
_CURRENCIES = {
    "EUR": "€ eur euro euros euroa ojro", "USD": "$ usd dollar dollars dollari dólares dolar dolary us$", "GBP": "£ gbp pound pounds quid sterling",
    "PLN": "zł pln zl złotych zloty", "CHF": "chf fr. franken francs franchi sfr", "CAD": "cad c$ can", "AUD": "aud a$", "SGD": "sgd s$", "INR": "rs inr rupees rupien",
    "SEK": "sek", "NOK": "nok", "DKK": "dkk", "CZK": "czk kč", "HUF": "huf ft", "RON": "ron lei", "AED": "aed", "OMR": "omr", "ZAR": "zar", "NZD": "nzd", "JPY": "jpy", "CNY": "cny rmb", "MXN": "mxn", "BRL": "brl",
}  # fmt: skip
_CURRENCY = {word: code for code, words in _CURRENCIES.items() for word in words.split()}


def value_of(field: str, quote: str, reference: datetime, *, month_first: bool = False) -> str | None:
    """The value of a quote of `field`, read as freely as it was written; None when it says nothing."""
    quote = " ".join(quote.split())
    if field == "delay_minutes":
        return _delay(quote)
    if field in dates.FIELDS:
        return _moment(field, quote, reference, month_first)
    if field in quantities.COUNTS:
        return _count(field, quote)
    if field in ("temperature_required", "temperature_recorded"):
        return _temperature(quote)
    if field in quantities.MONEYS:
        return _money(quote)
    if field == "un_number":
        return f"UN{quote}" if _UN_NUMBER.fullmatch(quote) else None
    return None


def names_day(quote: str) -> bool:
    return _day("eta_revised", " ".join(quote.split()), _ANY_DAY, month_first=False)[0] is not None


def days_in(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where running text names a day, in its order; short names are none there: "do", "sat"."""
    written = [(start + a, start + b) for a, b, _ in dates.days_in("eta_revised", text[start:end], _ANY_DAY)]
    words = [m.span() for m in _WORD.finditer(text, start, end) if _means_day(m[0].casefold())]
    yield from sorted({*written, *(w for w in words if not any(a <= w[0] < b for a, b in written))})


def _means_day(word: str) -> bool:
    return len(word) >= _LONG and word not in _NO_DAY and _offset("eta_revised", word, _ANY_DAY) is not None


def missed_in(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where running text says that what was planned has not come to pass."""
    return (m.span() for m in _MISSED.finditer(text, start, end))


def clock_after(text: str, start: int) -> int | None:
    """The end of the time of day that goes on from a day which ends at `start`; None where none does."""
    found = _THEN_CLOCK.match(text, start) or _THEN_SPOKEN.match(text, start)
    return found.end() if found else None


def _moment(field: str, quote: str, reference: datetime, month_first: bool) -> str | None:
    quote = quote.replace("’", "'")
    day, rest = _day(field, quote, reference, month_first)
    hour = _clock(rest, quote, alone=day is None)
    if hour is None:
        return day
    when = datetime.fromisoformat(day).replace(tzinfo=reference.tzinfo) if day else reference
    return when.replace(hour=hour[0], minute=hour[1], second=0, microsecond=0).isoformat()


def _day(field: str, quote: str, reference: datetime, month_first: bool) -> tuple[str | None, str]:
    """The day that is named, and the quote without it."""
    past = field in _HAPPENED or (field in PLANS and _MISSED.search(quote) is not None)
    if past and field in PLANS:
        field = "delivered_at"  # its day of the week is the last one
    named = list(dates.days_in(field, quote, reference, month_first=month_first))
    rest = "".join(" " if any(start <= i < end for start, end, _ in named) else c for i, c in enumerate(quote))
    for start, end, value in named:  # "Monday 07/12" is the 7th, whatever day of the week that is
        if any(c.isdigit() for c in quote[start:end]):
            return value[: len("2026-11-29")], rest
    for word in _WORD.finditer(quote):
        day = _weekday(word[0].casefold())
        number = _DAY_OF_MONTH.match(quote, word.end()) if day is not None else None
        if number and (dated := _nearest(reference, int(number[1]), weekday=day, past=past)):
            return dated, quote[: word.start()] + " " + quote[number.end() :]
    for pattern in (_SHORT, _ORDINAL):
        if found := pattern.search(rest):
            numbers = [int(n) for n in found.groups() if n]
            return _nearest(reference, *numbers, past=past), _without(rest, found)
    if named:
        return named[0][2][: len("2026-11-29")], rest
    for days, phrase in _PHRASES:
        if found := phrase.search(quote):
            return (reference + timedelta(days=days)).date().isoformat(), _without(quote, found)
    words = sorted(_WORD.finditer(quote), key=lambda word: len(word[0]) < _LONG)  # "do" is Thursday, if nothing else is
    for word in words:
        offset = _offset(field, word[0].casefold(), reference)
        if offset is not None:
            return (reference + timedelta(days=offset)).date().isoformat(), _without(quote, word)
    if found := _WITH_ARTICLE.search(quote):
        return _nearest(reference, int(found[1]), past=past), _without(quote, found)
    if found := _NEXT_WORKING_DAY.search(quote):
        ahead = next(n for n in (1, 2, 3) if (reference + timedelta(days=n)).weekday() < _WEEKEND)
        return (reference + timedelta(days=ahead)).date().isoformat(), _without(quote, found)
    return None, quote


def _without(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + " " + text[match.end() :]


def _offset(field: str, word: str, reference: datetime) -> int | None:
    """Days from the reference to what the word names: the last such day of what has happened, else the next."""
    if word in _DAYS:
        return _DAYS[word]
    day = _weekday(word)
    if day is None:
        return None
    ahead = (day - reference.weekday()) % 7
    if field in _HAPPENED:
        return ahead - 7 if ahead else 0
    return 0 if field in dates.TODAY_TOO and not ahead else ahead or 7


def _weekday(word: str) -> int | None:
    return next((day for day, name in _WEEK if word == name or _goes_on(word, name)), None)


def _goes_on(word: str, name: str) -> bool:
    if len(name) >= _LONG:
        return word.startswith(name)
    return len(name) == len("mon") and word in (f"{name}s", f"{name}day", f"{name}days", f"{name}rs")


def _nearest(
    reference: datetime, day: int, month: int | None = None, *, weekday: int | None = None, past: bool = False
) -> str | None:
    """The nearest such day, in this month and its neighbours or in the given month of any year; not one to come of
    what is `past`.
    """
    first = reference.replace(day=1)
    around = [first - timedelta(days=1), first, first - timedelta(days=32) if past else first + timedelta(days=31)]
    if month:
        around = [first.replace(year=first.year + years, month=month) for years in (-1, 0, 1)]
    near = []
    for of in around:
        try:
            near.append(of.replace(day=day))
        except ValueError:  # 31 November
            continue
    near = [d for d in near if weekday is None or d.weekday() == weekday]
    near = [d for d in near if not past or d <= reference]
    return min(near, key=lambda d: abs(d - reference)).date().isoformat() if near else None


def _clock(rest: str, quote: str, *, alone: bool) -> tuple[int, int] | None:
    """The time of day in what is left of a quote without its day; `alone`: where it names none."""
    if found := dates.clock_in(rest):
        return found
    if spoken := _spoken(rest, quote):
        return spoken
    if _NOON.search(rest):
        return 12, 0
    if (span := _DOTTED.search(rest)) and max(int(span[2]), int(span[3])) > _LAST_MONTH:  # else two days
        return int(span[1]), int(span[2])
    if digits := _DIGITS.search(rest):
        return int(digits[1]), int(digits[2])
    if not alone and (hours := _HOURS_TO.search(rest.strip())) and int(hours[1]) < int(hours[2]):
        return int(hours[1]), 0
    hour = _HOUR.search(rest.strip())
    if hour is None:
        words = (w[0].casefold() for w in _WORD.finditer(rest.replace("-", " ")))
        word = next((_NUMBER[w] for w in words if w in _HOURS), None)
        return _of_day(60 * word, quote) if word and alone else None
    if not alone and hour[0].strip() == hour[1]:
        return None  # a number beside a day may be anything
    return (int(hour[1]), 0) if hour["unit"] else _of_day(60 * int(hour[1]), quote)


def _spoken(rest: str, quote: str) -> tuple[int, int] | None:
    """A time of day in words: "half five" is 4:30 in the Netherlands."""
    if told := _TO_THE_HOUR.search(rest):
        hour = told["hour"].casefold()
        minutes = 60 * (_CLOCK_WORDS.get(hour) or int(hour))
        if half := told["half"]:
            english = half.casefold().startswith("half") and hour not in _DUTCH_HOURS and not _DUTCH.search(quote)
            return _of_day(minutes + 30 if english else minutes - 30, quote)
        more = _MINUTES_OF[told["minutes"].casefold()]
        return _of_day(minutes - more if told["before"] else minutes + more, quote)
    if told := _AND_MINUTES.search(rest):
        hour = told["hour"].casefold()
        minutes = 60 * (12 if hour == "midi" else _CLOCK_WORDS.get(hour) or int(hour))
        return _of_day(minutes + (30 if told["half"] else 15 if told["quarter"] else -15), quote)
    if told := _HOUR_IN_WORDS.search(rest):
        return _of_day(60 * _CLOCK_WORDS[(told["at"] or told["hour"]).casefold()], quote)
    return None


def _of_day(minutes: int, quote: str) -> tuple[int, int]:
    """The hour and minute that people mean who may have said them by a clock of twelve hours."""
    hour, minute = divmod(minutes % (24 * 60), 60)
    in_evening = _EVENING.search(quote) is not None
    after_noon = in_evening or (hour < _AFTERNOON and not _MORNING.search(quote))
    return hour + (12 if after_noon and hour < _LAST_HOUR and minutes else 0), minute


def _delay(quote: str) -> str | None:
    if about := _OR_SO.fullmatch(quote):
        quote = f"{about[2]} {about[1]}"
    if _ONE_OF.match(quote):
        quote = f"1 {quote}"
    if clock := _HOURS_AND_MINUTES.fullmatch(quote):
        minutes = 60.0 * int(clock[1]) + int(clock[2])
    elif bare := _BARE_MINUTES.fullmatch(quote):
        minutes = float(bare[1])
    elif match := _LENGTH.fullmatch(quote):
        word = match["n"].casefold()
        number = float(_LENGTHS.get(word) or word.replace(",", "."))
        number += 0.5 if match["half"] or match["and_half"] else 0.0
        minutes = number * next(_MINUTES[unit] for unit in "mhdw" if match[unit])
        if match["more"] and match["h"]:
            minutes += _ABOVE_TWELVE.get(match["more"].casefold()) or int(match["more"])
    else:
        return None
    return str(round(minutes)) if 0 < minutes <= _LONGEST_DELAY else None


def _count(field: str, quote: str) -> str | None:
    match = _COUNT.fullmatch(quote)
    if match is None or (field == "pieces" and _PALLET.search(quote)):
        return None
    unit = "PF" if field == "pallets" or _PALLET.search(match["rest"]) else "H87"
    number = match["n"].casefold()
    count = _NUMBER.get(number) or int(re.sub(r"[^0-9]", "", number))
    if number in _NUMBER and count >= _TWENTY and (units := _AND_UNITS.match(match["rest"])):
        count += _NUMBER[units[1].casefold()]
    return f"{count} {unit}" if count else None


def _temperature(quote: str) -> str | None:
    match = _DEGREES.fullmatch(quote)
    if match is None:
        return None
    low, high = (_degrees(match[name]) if match[name] else None for name in ("low", "high"))
    if low is None or not _COLDEST <= min(low, high or 0) <= max(low, high or 0) < _HOTTEST:
        return None
    scale = "FAH" if max(low, high or 0) > _CELSIUS and not _OF_CELSIUS.search(quote) else "CEL"
    if high is None:
        return f"{low:g} {scale}"
    low, high = quantities.from_cold(low, high)
    return f"{low:g}..{high:g} {scale}" if low < high else None


def find_temperatures(text: str) -> Iterator[Span]:
    """Temperatures that only the words before them and what is carried tell from other numbers."""
    if not _COLD.search(text):
        return
    for match in islice(_TEMPERATURE.finditer(text), _MOST):
        field = "temperature_required" if match["required"] else "temperature_recorded"
        if value := _temperature(match["degrees"]):
            yield Span(field, value, *match.span("degrees"), _TOLD)


def _degrees(text: str) -> float:
    number = float(re.sub(r"[^\d.]", "", text.replace(",", ".")))
    return -number if re.match(r"[−–-]|m", text, re.IGNORECASE) else number


def _money(quote: str) -> str | None:
    match = _MONEY.fullmatch(quote)
    if match is None:
        return None
    words = [word.casefold().replace(" ", "").rstrip(".") for word in (match["before"], match["after"]) if word]
    words.sort(key="$".__eq__)  # of "$1,500 CAD" the code says which dollars
    named = (w for word in words for w in (word, word.rstrip("$")) if w in _CURRENCY)
    currency = next((_CURRENCY[word] for word in named), None)
    amount = quantities.plain(match["n"]) * (1000 if match["many"] else 1)
    return f"{amount:.2f} {currency}" if currency else None
