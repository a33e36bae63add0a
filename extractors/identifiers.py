"""References by which a shipment is known: by their own form and check digit, or by the words before them.

Check digits: ISO 6346 (container), GS1 (SSCC), IATA (air waybill), UPU S10, and those of UPS, FedEx, USPS and DHL as
the tracking_number_data project (MIT) lists them. What fails its check is not reported.
"""

# ruff: noqa: E501, SIM905 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from extractors.captions import caption_of
from extractors.evidence import Span, without_overlaps
from extractors.quantities import PACKED

_MAX_SPANS = 2000
_NEAR_TRUCK = 60  # letters from a plate to the word that says that a vehicle is meant

# ISO 3166-1 alpha-2: the last two letters of an S10 number
_COUNTRIES = frozenset(
    "AD AE AF AG AI AL AM AO AR AT AU AW AZ BA BB BD BE BF BG BH BI BJ BM BN BO BR BS BT BW BY BZ CA CD CF CG CH "
    "CI CL CM CN CO CR CU CV CW CY CZ DE DJ DK DM DO DZ EC EE EG ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH "
    "GI GL GM GN GP GQ GR GT GW GY HK HN HR HT HU ID IE IL IM IN IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR "
    "KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MG MH MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA "
    "NC NE NG NI NL NO NP NR NZ OM PA PE PF PG PH PK PL PM PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SI "
    "SK SL SM SN SO SR SS ST SV SY SZ TC TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VI VN "
    "VU WF WS YE YT ZA ZM ZW".split()
)


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(d) * weights[i % len(weights)] for i, d in enumerate(digits))


def _mod10(number: str, even: int, odd: int) -> bool:
    return -_weighted(number[:-1], (even, odd)) % 10 == int(number[-1])


def container(number: str) -> bool:
    """ISO 6346: letters count from 10 and skip the multiples of 11."""
    if not re.fullmatch(r"[A-Z]{3}[UJZ]\d{7}", number):
        return False
    total = 0
    for i, char in enumerate(number[:10]):
        value = int(char) if char.isdigit() else (v := ord(char) - 55) + (v - 1) // 10
        total += value << i
    return total % 11 % 10 == int(number[10])


def sscc(number: str) -> bool:
    return re.fullmatch(r"\d{18}", number) is not None and len(set(number)) > 2 and _mod10(number, 3, 1)


def awb(number: str) -> bool:
    """Three digits of the airline, seven of the serial, one check digit: the serial modulo 7."""
    digits = number.replace("-", "")
    return (
        re.fullmatch(r"\d{11}", digits) is not None and int(digits[3:10]) % 7 == int(digits[10]) and int(digits[3:]) > 0
    )


def s10(number: str) -> bool:
    if not re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", number) or number[-2:] not in _COUNTRIES:
        return False
    rest = 11 - _weighted(number[2:10], (8, 6, 4, 2, 3, 5, 9, 7)) % 11
    return {10: 0, 11: 5}.get(rest, rest) == int(number[10])


_OF_PARCEL = r"[A-Z]{2,4}\d{8,14}[A-Z]{2}"


def of_parcel(number: str) -> bool:
    """As parcel networks number: two to four letters of their own, digits, the country; without a known check digit."""
    return re.fullmatch(_OF_PARCEL, number) is not None and number[-2:] in _COUNTRIES


def ups(number: str) -> bool:
    if not re.fullmatch(r"1Z[A-Z0-9]{15}\d", number):
        return False
    digits = "".join(c if c.isdigit() else str((ord(c) - 63) % 10) for c in number[2:])
    return len(set(digits)) > 2 and _mod10(digits, 1, 2)


def fedex(number: str) -> bool:
    if not number.isdecimal() or len(set(number)) < 3:
        return False
    if len(number) == 12:
        return _weighted(number[:11], (3, 1, 7)) % 11 % 10 == int(number[11])
    if len(number) == 34 and number.startswith(("100", "96")):
        return _weighted(number[-14:-1], (1, 7, 3)) % 11 % 10 == int(number[-1])
    if len(number) == 22 and number.startswith("92"):
        return _mod10(number[2:], 3, 1)
    if len(number) == 22 and number.startswith("96"):
        return _mod10(number[7:], 1, 3)
    return len(number) == 15 and _mod10(number, 1, 3)


def usps(number: str) -> bool:
    if not number.isdecimal() or len(set(number)) < 3:
        return False
    if number.startswith("420") and len(number) in (30, 31, 34):
        number = number[8:] if number[8:10] in ("91", "92", "93", "94", "95") else number[-22:]
    if len(number) in (22, 26) and number.startswith(("91", "92", "93", "94", "95")):
        return _mod10(number, 3, 1)
    if len(number) != 20:
        return False
    return _mod10(number, 3, 1) or (number.startswith("7") and _mod10("91" + number, 3, 1))


def dhl(number: str) -> bool:
    return re.fullmatch(r"\d{10,11}", number) is not None and int(number[:-1]) % 7 == int(number[-1])


# --- values ----------------------------------------------------------------------------------------------------------

_ODOO_PICKING = re.compile(r"([A-Z0-9]{2,5})[/ _-]([O0]UT|IN|INT|PICK|PACK|DS|RET|POS)[/ _-](\d{3,6})")
_CHECKED: dict[str, Callable[[str], bool]] = {"container": container, "sscc": sscc, "awb": awb}
# A forwarder's own, without a check digit.
_HOUSE_AWB = re.compile(r"(?!.{0,9}AWB)[A-Z]{2,5}(?:[ -][A-Z]{2,5})?[ -]?\d[\d -]{3,14}")
_COMPACT = frozenset({"container", "sscc", "tracking", "vehicle_plate", "trailer_plate"})
_UN = re.compile(r"(?<!\d)(\d{4})\s*$")
_HYPHENS = str.maketrans("\u2010\u2011", "--")  # as typesetting has them
_BLANK_INSIDE = re.compile(r"(?<=\w[-/]) (?=\d)")  # "SRP- 30714", as a scan has it
_OWN_NAMES = {  # that a form prints beside the number itself: `BOL 7740912`
    field: re.compile(rf"^(?:{name})[\s.:#]+(?=\S*\d)")
    for field, name in (
        ("awb", "[HM]?-?AWB|LTA"),
        ("cmr", "CMR"),
        ("bol", "BOL|B/L"),
        ("pro", "PRO"),
        ("purchase_order", "P[./]?O"),
        ("sales_order", "S[./]O"),
        ("booking", r"BKG?"),
        ("delivery_order", r"D\.?D\.?T\.?"),
        ("vehicle_plate", "UNIT|TRUCK|TRACTOR|LKW|KFZ|CAMION|CAMIÓN"),
        ("trailer_plate", "UNIT|TRAILER|ANH|AUFL|RIM"),
    )
}
_IN_GROUPS = re.compile(r"\d[\d. ]*\d")  # with dots that a scan reads there
_COUNTED = re.compile(r"\d{1,3}(?:,\d{3})+")  # "PO 1,900" says how many were ordered
_COUNTRY_BEFORE = re.compile(r"^[A-Z]{1,3} (?=[A-Z0-9]{1,3}-[A-Z0-9]{2,3}-[A-Z0-9]{1,2}$)")  # "NL 74-BTR-8"
_NUMBER_SIGN = re.compile(r"^(?:N\.?[°º]|N[or]?\.)\s?(?=\S*\d)", re.IGNORECASE)

FIELDS = frozenset(
    "shipment tracking pro bol cmr awb container sscc purchase_order sales_order delivery_order invoice seal "
    "booking return_authorisation un_number vehicle_plate trailer_plate".split()
)


def value_of(field: str, quote: str) -> str | None:
    """The stated form of a reference: upper case; without separators where they mean nothing; None when it is none.

    awb `020-12345675`, delivery_order `WH/OUT/00042`, un_number `UN1263`; sscc without the leading (00).
    """
    text = _BLANK_INSIDE.sub("", " ".join(quote.upper().translate(_HYPHENS).split()))
    if field == "un_number":
        match = _UN.search(text)
        return f"UN{match[1]}" if match and 4 <= int(match[1]) <= 3550 else None
    if field == "delivery_order" and (match := _ODOO_PICKING.fullmatch(text)):
        return "/".join(match.groups()).replace("/0UT/", "/OUT/")  # as OCR, and tired people, write it
    if field in _OWN_NAMES:
        text = _OWN_NAMES[field].sub("", text)
    small = quote.partition(" ")[0][1:].islower()
    text = _NUMBER_SIGN.sub("", _without_caption(text, _SHORTEST_WORD if small else _SHORTEST_CAPTION))
    if not any(c.isdigit() for c in text) or _COUNTED.fullmatch(text):
        return None
    compact = re.sub(r"[ ./()-]", "", text)
    if field == "sscc" and len(compact) == 20 and compact.startswith("00"):
        compact = compact[2:]
    if field == "awb" and _HOUSE_AWB.fullmatch(text):
        return text
    if field in _OF_TRANSPORT and of_parcel(text):
        return None
    if field in _CHECKED and not _CHECKED[field](compact):
        return None
    if field == "awb":
        return f"{compact[:3]}-{compact[3:]}"
    if field.endswith("plate"):
        compact = re.sub(r"[ ./()-]", "", _COUNTRY_BEFORE.sub("", text))
        if "," in compact:
            return None
    if " " in text and _IN_GROUPS.fullmatch(text):
        return compact
    return compact if field in _COMPACT else text or None


def _without_caption(text: str, shortest: int) -> str:
    """A number without the word that names it in the same cell: `Seal UK0883178`, `Factuur 2026-20557`."""
    word, _, number = text.partition(" ")
    named = len(word) >= shortest and word.rstrip(".:").isalpha() and caption_of(word) is not None
    return number if named and any(c.isdigit() for c in number) else text


_SHORTEST_CAPTION = 4  # letters: what is shorter may be a part of the number, as in `PSD 4418`
_SHORTEST_WORD = 3  # in small letters, which are no part of it: `Rit 26-119043`

# --- by their own form -----------------------------------------------------------------------------------------------

_START, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_CONTAINER = re.compile(rf"{_START}[A-Za-z]{{3}}[UJZujz][ -]?\d{{3}}[ ]?\d{{3}}[ \u2010\u2011-]?\d{_END}")
_UPS = re.compile(rf"{_START}1[Zz](?: ?[A-Za-z0-9]){{16}}{_END}")
_S10 = re.compile(rf"{_START}[A-Z]{{2}} ?\d{{3}} ?\d{{3}} ?\d{{3}} ?[A-Z]{{2}}{_END}")
_DIGITS = re.compile(r"(?<![\w.,/+-])(?:\(00\) ?)?\d{2,34}(?:[ -]\d{2,22}){0,8}(?![\w/]|[.,-]\d)")
_GROUP = re.compile(r"\d[\d-]{8,}\d")
_SSCC_IN_PARTS = re.compile(r"(?<![\w.,/+-])(?<!\d )\d(?: \d{3,13}){1,3} \d(?![\w/]| \d|[.,-]\d)")
_LONGEST_IN_GROUPS = 20
_LONGEST_WRITTEN = 24
_PICKING = re.compile(rf"{_START}[A-Z][A-Z0-9]{{1,4}}[/ _-](?:[O0]UT|IN|INT|PICK|PACK|DS|RET|POS)[/ _-]\d{{3,6}}{_END}")
_PARTS = r"(?:-\d{1,8}|(?<=20\d\d)/\d{2,8}){0,2}"  # of SO-2026-0412
_SALES = re.compile(rf"{_START}S\d{{5,6}}{_END}|{_START}SO-?\d{{3,8}}{_PARTS}{_END}(?!/\d)|{_START}SO \d{{4,8}}{_END}")
_NOT_INSIDE = r"(?<![A-Za-z0-9])(?<![A-Za-z0-9]-)(?<![Hh]oja )"  # of KTP-PO-88120, or of a Spanish register
_PURCHASE = re.compile(rf"{_NOT_INSIDE}(?:P0\d{{4}}|PO-?\d{{4,10}}{_PARTS}){_END}")
_RETURN = re.compile(rf"{_START}RMA-\d[\d-]{{2,12}}{_END}")
_ODOO_INVOICE = re.compile(rf"{_START}(?:INV|BILL|RINV)/\d{{4}}/(?:\d{{2}}/)?\d{{3,6}}{_END}")
_UN_NUMBER = re.compile(rf"{_START}(?:UN|ONU)[ -]?(?:(?:No|Nr|nº|n°|number)\.?:? ?)?\d{{4}}{_END}")

_PHONE_BEFORE = re.compile(
    r"(?:\b(?:t[eé]l(?:[eé]?fono?|efon|ephone)?|phone|fax|mob(?:ile|il)?|cell|handy|gsm|whatsapp|call|hotline|kom|t|m|f)"
    r"\b[ .:/)-]*|\+\s*|\(\s*|\bIBAN\b.{0,12})$",
    re.IGNORECASE,
)
_DATE_LIKE = re.compile(
    r"(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d{2}|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2})(?:[T ].*)?|(?:(?:0?[1-9]|1[0-2])\.)?(?:19|20)\d{2}"
    r"|\d{1,2}[:.]\d{2}(?:[:.]\d{2})?"
)
_TRACKING_BEFORE = re.compile(
    r"track|tracing|waybill|parcel|colis|paquet|paket|sendung|envío|envio|spedizione|zending|przesy|label|airbill|consign",
    re.IGNORECASE,
)
_ACCOUNT_BEFORE = re.compile(
    r"(?:\b[A-Z]{2}\d\d|\b(?:IBAN|CLABE|CCC|RIB|NRB|konto|compte|cuenta|conto|rachun\w+|account|rekening)\b[^\d\n]{0,12}) ?$",
    re.IGNORECASE,
)  # of a bank
_SSCC_BEFORE = re.compile(r"\bsscc|\bnve\b|pallet|palet|\(00\)", re.IGNORECASE)
_AWB_BEFORE = re.compile(r"\b(?:[mh]?awb|air ?way ?bill|luftfrachtbrief|lta|lettera di vettura aerea)\b", re.IGNORECASE)
_SEALED = re.compile(r"seal|plomb|scell|sigill|precint|zegel|siegel", re.IGNORECASE)
_AND_SEAL = re.compile(r" ?/ ?((?:[A-Z]{1,4}[ -]?)?\d{5,10})(?![\w/-]|[.,]\d)")  # "MQSU2077346 / CN0047732"
_PLATES = re.compile(  # of France and Italy, of Great Britain, of Germany, of Poland, of the Netherlands, of Spain
    r"(?<![\w./-])(?:[A-HJ-NP-TV-Z]{2}[- ]\d{3}[- ][A-HJ-NP-TV-Z]{2}|[A-Z]{2}\d{2} [A-Z]{3}|[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} \d{1,4}|[A-Z]{2,3} \d{4}[A-Z]|[A-Z]{2,3} \d{3}[A-Z]{2}"
    r"|\d{2}-[A-Z]{3}-\d|[A-Z]{2}-\d{2}-[A-Z]{2}|\d-[A-Z]{3}-\d{2}|[A-Z]{2}-\d{3}-[A-Z]|[A-Z]-\d{3}-[A-Z]{2}|\d{4} [B-DF-HJ-NPR-TV-Z]{3})(?![\w-])"
)
_TRUCK = re.compile(
    r"truck|lorry|vehicle|driver|\bunit\b|tractor|artic|van\b|lkw|fahrer|fahrzeug|sattelzug|\bzug\b|auflieger|camion|chauffeur|véhicule|semi|conducteur|camión|conductor|chófer|furgon|autista|mezzo|motrice|bilico|targa|rimorchio|wagen|chauffeur|trekker|oplegger|auto|kierowc|ciągnik|naczep|pojazd",
    re.IGNORECASE,
)
_TRAILER = re.compile(
    r"trailer|auflieger|anhänger|semi|remorque|remolque|rimorchio|oplegger|naczep|(?<!\w)(?:anh|aufl|rim|rem|opl|nacz)\.",
    re.IGNORECASE,
)
_AND_TRAILER = re.compile(r"\s?[/+]\s?")  # "GR-218-TB / FX-906-QN"
_PARCEL = re.compile(f"{_START}{_OF_PARCEL}{_END}")
_POSTNL = re.compile(rf"{_START}3S[A-Z]{{2,4}}\d{{5,11}}{_END}")
_CARRIERS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("fedex", re.compile(r"\bfed ?ex\b", re.IGNORECASE), fedex),
    ("usps", re.compile(r"\busps\b", re.IGNORECASE), usps),
    ("dhl", re.compile(r"\bdhl\b", re.IGNORECASE), dhl),
)


def _by_form(text: str) -> Iterator[Span]:
    sealed = _SEALED.search(text) is not None
    for pattern, field, check, score in (
        (_CONTAINER, "container", container, 0.98),
        (_UPS, "tracking", ups, 0.98),
        (_S10, "tracking", s10, 0.95),
        (_PARCEL, "tracking", lambda number: of_parcel(number) and not _fails_its_check(number), 0.86),
    ):
        for match in pattern.finditer(text):
            if check(re.sub(r"[ \u2010\u2011-]", "", match[0]).upper()):
                yield Span(field, value_of(field, match[0]) or "", match.start(), match.end(), score)
                if field == "container" and sealed and (seal := _AND_SEAL.match(text, match.end())):
                    yield Span("seal", value_of("seal", seal[1]) or "", *seal.span(1), 0.8)
    for pattern, field, score in (
        (_PICKING, "delivery_order", 0.99),
        (_SALES, "sales_order", 0.9),
        (_PURCHASE, "purchase_order", 0.9),
        (_ODOO_INVOICE, "invoice", 0.95),
        (_RETURN, "return_authorisation", 0.9),
        (_POSTNL, "tracking", 0.9),
        (_UN_NUMBER, "un_number", 0.95),
    ):
        for match in pattern.finditer(text):
            value = value_of(field, match[0])
            if value is not None:
                yield Span(field, value, match.start(), match.end(), score)
    for match in _SSCC_IN_PARTS.finditer(text):
        if sscc(value := match[0].replace(" ", "")):
            yield Span("sscc", value, match.start(), match.end(), 0.98)
    end_of_plate = -1
    for match in _PLATES.finditer(text):
        near = text[max(0, match.start() - _NEAR_TRUCK) : match.end() + _NEAR_TRUCK]
        second = end_of_plate >= 0 and _AND_TRAILER.fullmatch(text, end_of_plate, match.start()) is not None
        end_of_plate = match.end()
        if _TRUCK.search(near):
            before = text[max(0, match.start() - 15) : match.start()]
            field = "trailer_plate" if second or _TRAILER.search(before) else "vehicle_plate"
            yield Span(field, value_of(field, match[0]) or "", match.start(), match.end(), 0.6)
    for match in _AWB.finditer(text):
        line = text[max(0, match.start() - 40) : match.start()].rsplit("\n", 1)[-1]
        if awb(match[0].replace("-", "")) and not _PHONE_BEFORE.search(line):
            yield Span("awb", match[0], match.start(), match.end(), 0.8)
    yield from _numbers(text)


def _runs(text: str) -> Iterator[re.Match[str]]:
    """Runs of digits in groups, and each group of a run too long for any one number."""
    for match in _DIGITS.finditer(text):
        yield match
        if " " in match[0] and sum(c.isdigit() for c in match[0]) > _LONGEST_IN_GROUPS:
            yield from _GROUP.finditer(text, *match.span())


_AWB = re.compile(r"(?<![\w-])\d{3}-\d{8}(?![\w-])")


def _numbers(text: str) -> Iterator[Span]:
    named = {name: bool(pattern.search(text)) for name, pattern, _ in _CARRIERS}
    for match in _runs(text):
        quote = match[0]
        digits = re.sub(r"\D", "", quote)
        if len(digits) < 10:
            continue
        before = text[max(0, match.start() - 40) : match.start()]
        line = before.rsplit("\n", 1)[-1]
        if (_PHONE_BEFORE.search(line) and not quote.startswith("(")) or _ACCOUNT_BEFORE.search(line):
            continue
        start, end = match.span()
        if len(digits) in (18, 20) and (len(digits) == 18 or digits.startswith("00")) and sscc(digits[-18:]):
            score = 0.98 if quote.startswith("(00)") or _SSCC_BEFORE.search(before) else 0.8
            yield Span("sscc", digits[-18:], start, end, score)
        elif (
            len(digits) == 11
            and awb(digits)
            and (_AWB_BEFORE.search(before) or re.fullmatch(r"\d{3}[- ]\d{8}|\d{3}-\d{4} \d{4}", quote))
        ):
            yield Span("awb", value_of("awb", quote) or "", start, end, 0.97 if _AWB_BEFORE.search(before) else 0.75)
        elif len(digits) in (22, 26, 30, 34) and (usps(digits) or fedex(digits)):
            yield Span("tracking", digits, start, end, 0.95)
        else:
            meant = bool(_TRACKING_BEFORE.search(before))
            for name, _, check in _CARRIERS:
                if (named[name] or (meant and len(digits) >= 12)) and check(digits):
                    yield Span("tracking", digits, start, end, 0.95 if meant and named[name] else 0.7)
                    break


# --- by the words before them ----------------------------------------------------------------------------------------

_WORDS: tuple[tuple[str, float, str], ...] = (
    ("tracking", 0.75, r"paquete|pacco|parcel|paket|colis|pakket|paczka|track(?:ing|\s?&\s?trace)?(?: id)?|trace id|sendungsnummer|paketnummer|suivi|seguimiento|tracciamento|track ?(?:&|en) ?trace|śledzeni\w+"),
    ("pro", 0.85, r"PR[O0]"),
    ("bol", 0.85, r"n705\)?(?= )|b/?o/?l|b/l|[hm]b/?l|bl(?=[ -]?(?:no|nr|num|#)(?!º|°))|bl(?=(?: ?n(?:[º°]|\.))?[ :]{1,2}[A-Z]{4}[A-Z0-9]{0,6}\d{5})|bills? of lading|konnossement|connaissement|conocimiento(?: de embarque)?|polizza di carico|cognossement|konosament"),
    ("awb", 0.85, r"house (?:air ?)?way ?bill|guía (?:aérea )?house(?: \(hawb\))?|h-?awb"),
    ("cmr", 0.85, r"n730\)?(?: cmr)?(?= )|cmr(?:[ -](?:frachtbrief|waybill|note|vrachtbrief))?|frachtbrief|lettre de voiture|carta de porte|lettera di vettura|vrachtbrief|list(?:u|em)? przewozow\w+"),
    ("purchase_order", 0.8, r"p\.?o\.?s?|purchase orders?|(?:your|customer|client) order|uw order|ihr auftrag|(?:vs|vostro|v)[./]{0,2} ?ordine|(?:su|vuestro|s/) ?pedido|v/ ?(?:cde|commande)|ordine cliente|bestellung|bestell|(?<!\bn/ )(?<!\bnotre )(?:bon de )?commande|orden de compra|(?<!\bn/ )(?<!\bnuestro )pedido|ordine (?:d['’]acquisto|acquisto)|inkooporder|bestelling|bestel|zamówieni\w+|zam\.|cde(?= ?(?:n[°º]|\d))"),
    ("sales_order", 0.7, r"(?:n/ ?|notre |nuestro )(?:commande|cde|pedido)|s\.o\.?|sales orders?|order confirmation|orderbevestiging|confirmation de commande|conferma d['’]ordine|confirmación de pedido|potwierdzenie zamówienia|orders?|ord|auftrags?|kundenauftrag|auftragsbestätigung|pedido de venta|ordine(?: di vendita)?|verkooporder"),
    ("delivery_order", 0.75, r"(?:delivery|d[ei]spatch) (?:order|note|docket)|d/n|lieferscheine?|ls(?=[ .:-]{0,3}(?:nr|\d))|lfs|bon de livraison|(?:n[°º] de )?bl(?= ?:)|bl(?=(?: n[°º]\.?)? ?\d)|albarán(?: de entrega)?|documento di trasporto|ddt|boll[ae]|pakbon|(?:af)?leverbon|dokument dostawy|wz|dn(?= ?\d)|lieferungs?|delivery|livraison|entrega|consegna|levering|dostaw[ay]"),
    ("invoice", 0.8, r"n380\)?(?= )|invoices?|inv|self[- ]?bill|(?:handels|fracht|proforma|speditions|sammel)?rechnungs?|rg|re(?=[ -]?(?:nr|no))|factures?|factura|fattura|(?:handels|vracht|transport|proforma)?factuur|faktur[ayęąo]|fra(?=\.? ?n[º°])"),
    ("booking", 0.8, r"bookings?|bkg|buchungs?|réservation|reserva|prenotazione|boeking|bookingu|rezerwacj[ai]"),
    ("seal", 0.8, r"seals?|sellos?(?=(?: n[.º°]{1,2}| no\.?)? ?[:#]? ?[A-Z]{0,4}[ -]?\d{5})|plomb(?:e|en|age|a|y|ę|ą)?|siegel|scellé|precinto|sigillo|zegel"),
    ("shipment", 0.55, r"(?:your|our|y/|o/|ihre?|unsere?|votre|notre|v/|n/|su|nuestra|vostro|nostro|vs|ns|uw|onze|wasz|nasz)[ .]?(?:ref(?:erence|erenz|erencia|erentie)?|zeichen|réf(?:érence)?|rif(?:erimento)?|nr|sygn)|ref(?:erence|erenz|erencia|erentie)?|rif(?:erimento)?|réf(?:érence)?|sygn|sto|file|dossier|akte|expediente|pratica|kenmerk"),
    ("return_authorisation", 0.85, r"rma|rga|return authori[sz]ation|retouren?|retour|zgod[aęy] na zwrot|autorisation de retour|autorización de devolución|autorizzazione al reso|retournummer"),
    ("shipment", 0.7, r"shipments?|shpt?|shp|con(?:s|signment)?(?: notes?|(?=[ :#]))|tender(?: id)?|pro[- ]?bill|lr(?= ?(?:no|\d{5}))|(?:pu|pick-?up)(?= ?(?:#|no|nr|number|request))(?: request)?|pu(?= \d)|récépissé|giacenza|dossiernummer|ritnummer|consignments?|loads?(?: id)?|trip|job|sendung|sendungs?|sdg|ladung|(?:transport|speditions|fracht|lade|verlade|fahr|abhol|versand|beförderungs|umzugs)auftrags?|expédition|récép|envoi|envío|envio|expedici[óo]n|exp(?=\. )|viaje|carga|orden de (?:carga|transporte)|spedizione|sped(?=\. )|ldv|ordine di (?:carico|trasporto|ritiro)|numero di (?:carico|ritiro)|référence d['’]enlèvement|viaggio|zending|zendingen|rit|opdrachts?|laadref(?:erentie)?|losref(?:erentie)?|przesyłk[aię]|awizacj[aię]|ładun(?:ek|ku)|zleceni(?:e|a|u|em)(?: transportow\w+)?|zlec\.|abruf|transport"),
    ("vehicle_plate", 0.82, r"vehicle|véhicule|vehículo|veicolo|voertuig|samochód|pojazd|plates?|licen[cs]e plate|plaque|immatriculée?|registration|rego?|truck|lorry|tractor|lkw|zugmaschine|kennzeichen|kfz|immatriculation|cami[oó]n|tracteur|matrícula|tractora|targa(?: motrice)?|motrice|kenteken|vrachtwagen|nr rej|ciągnik|rejestracyjny"),
    ("trailer_plate", 0.82, r"(?:trailer|chassis(?=[ .:#]{1,24}[A-Z]{3}Z ?\d{6})|auflieger|anhänger|anh\.|aufl\.|remorque|semi-remorque|rem\.|remolque|rimorchio|rim\.|semirimorchio|oplegger|opl\.|naczepa|nacz\.)(?:,? (?:nr rej|reg|regn|registration|kennz|kennzeichen|immat|immatr|targa|targata|matr|matrícula|kenteken)\b)?"),
)  # fmt: skip
_CONNECTOR = (
    r"(?:(?:s|\(s\))?(?:[ -]?(?:no|nos|nr|num|number(?:s|\(s\))?|nummer|numéro|número|numero|numer|reference|referenz|référence|"
    r"referencia|riferimento|referentie|ref|id)\b|[ ]?n(?:\.?[º°]|\.))?\.?){1,2}(?:[ .]{2,24}(?=:))?[ \t]*+#?[ \t]*+(?:(?:is|was|ist|lautet|est|es(?: el)?|è)\b|[:#=]{1,2}[ \t]*+\n?|-(?= ))?[ \t]*+[#(\"“]?"
)
_VALUE = (
    r"(?P<value>(?-i:(?!(?:PO|SO|BL|BOL|PRO|CMR|AWB|DDT|INV|RMA|REF|NR|NO) )[A-Z]{2,4}(?:-[A-Z]{1,4})?) \d(?:[\d./-]{2,12}\d(?![\w/-]|[.,]\d| \d)|\d{1,4}(?: \d{2,4}){1,4}(?![\w/-]|[.,]\d| \d))"  # with the letters of a country or a firm
    r"|(?-i:[A-Z]{1,4})[-/]\d{1,4}(?: \d{3,4}){1,2}(?: \d\d)?(?![\w/-]|[.,]\d| \d)"  # NB-55 2087
    r"|\d{2,4}-\d{3} \d{3,4}(?![\w/-]|[.,]\d| \d)|\d(?: \d{3}){2,3}(?![\w/-]|[.,]\d| \d)"  # 45-118 207, 0 447 120
    r"|(?-i:(?!PO|SO|BL|NR|NO)[A-Z]{2}|(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z0-9]{2,6})(?: \d{4,5}){2,4}(?: \d{1,2})?(?![\w/-]|[.,]\d| \d)"  # 6A 00881 2210
    r"|(?=[A-Za-z/._-]{0,14}\d)(?:\d{2,4}(?: \d{3,4}){1,3}(?![\w/-]|[.,]\d| \d)|\d{3,4}(?: \d{2,4}){2,5}(?![\w/-]|[.,]\d| \d)|[A-Za-z0-9](?:[A-Za-z0-9/._-]{0,30}[A-Za-z0-9])?))"
)
_VALUE_OF = {"delivery_order": _VALUE.replace("BL|", "", 1)}  # "Bon de livraison BL 55104"
_PLATE = r"(?P<value>[A-Z]{3}Z \d{6}(?!\d)|[A-Z]{2} \d{1,2} [A-Z]{1,3} \d{4}(?!\d)|[A-ZÄÖÜ0-9]{5,9}(?![A-Za-z0-9-]| [A-Z]?\d)|[A-ZÄÖÜ0-9]{1,4}(?:[ -][A-Z0-9ÄÖÜ]{1,5}){0,2})"
_APART = r"(?:(?<![^\W\d_])|(?=\d)|(?<=[a-z])(?=[A-Z]))"  # a word that goes on is no label: PROPANE
_ONE_PLATE = rf"{_PLATE}(?!/\d)"  # Reg. UE 2016/679 is a law
_CONTEXTS = tuple(
    (
        field,
        score,
        re.compile(
            rf"(?<![\w/-])(?i:{words})(?i:{_CONNECTOR}){_APART}{_ONE_PLATE if field.endswith('plate') else _VALUE_OF.get(field, _VALUE)}(?![\w-])"
            if field != "pro"
            else rf"(?<![\w/-])(?:PR[O0]|Pro|pro(?=[ -]?(?:#|no|number|nr)))(?i:{_CONNECTOR}){_APART}{_VALUE}(?![\w-])"
        ),
    )
    for field, score, words in _WORDS
)
_WHOSE = r"(?:\w+['’]s|our|your|customer|client|ihre?|unsere?|votre|notre|su|nuestr[oa]|vs\.?|ns\.?|uw|onze)"
_AS_LABEL = tuple(
    (field, re.compile(rf"(?:{_WHOSE} )?(?:{words})(?:{_CONNECTOR})", re.IGNORECASE)) for field, _, words in _WORDS
)


def is_labelled(words: str) -> bool:
    """Whether `words` begin with the label of a reference or plate and end with its value: `TRACTORA 4471 LKR`."""
    return any((match := pattern.match(words)) and match.end() == len(words) for _, _, pattern in _CONTEXTS)


@lru_cache(maxsize=4096)
def reference_label(words: str) -> str | None:
    """The reference that `words` are the label of, and nothing else, as over a column; None: of no reference."""
    field = next((field for field, pattern in _AS_LABEL if pattern.fullmatch(words)), None) or caption_of(words)
    return field if field in FIELDS else None


_BY_PREFIX = (  # Polish bookkeeping numbers its papers so
    ("delivery_order", re.compile(r"(?<![\w/])WZ/\d+(?:/[\dA-Z]+)+(?![\w/])")),
    ("invoice", re.compile(r"(?<![\w/])F[VSA][/ ]\d+(?:/[\dA-Z]+)+(?![\w/])")),
)
_TWO_PLATES = re.compile(
    r"(?i:kennz\w*|\bkz|zestaw\w*|attelage|motrice|trattore|trekker|ciągnik|plaques?|plates?|immatr\w*|matrícula|targa|kenteken|rejestracyjn\w+|nr rej|reg\. no|truck|tractor|zugmaschine|lkw|vehicle|véhicule|auto|pojazd|vrachtwagen|camión|camion|targhe|kentekens?)(?:[^:\n]{0,50}[/+&][^:\n]{0,40}[:\n]|\.?(?: rej\.?| no\.?| nr\.?)?[ :]{0,2})\s*"
    rf"{_PLATE.replace('value', 'vehicle_plate')}\s*[/+]\s*{_PLATE.replace('value', 'trailer_plate')}(?![\w-])"
)
_NEXT = re.compile(
    r"[ \t]*+(?:,|;|&|\+|/|\b(?:and|und|et|y|e|en|oraz|i|or)\b)[ \t]*+(?:and |und |et |y |e |en |i )?"
    + _VALUE
    + r"(?![\w-])"
)
_UNIT = (
    rf"{PACKED}|tons?|tonn\w*|palet\w*|km|miles?|m3|cbm|%|€|\$|£|euros?|eur|usd|dollars?|gbp|pounds|pln|zł|złotych|chf"
    r"|hours?|hrs?|min(?:s|ut\w*)?|days?|tage?|jours?|uhr"
)
_UNIT_AFTER = re.compile(rf"\s?(?:{_UNIT}|[thx])(?!\w)", re.IGNORECASE)
_WITH_UNIT = re.compile(rf"\d+(?:{_UNIT})|\d{{3,4}}h", re.IGNORECASE)
_MOST_COUNTED = 6  # digits; a longer number before a unit is no count
_OF_A_PLACE = re.compile(  # "Lieu de livraison : 13127 Vitrolles" names no delivery note
    r"(?<!\w)(?:place|point|address|lieu|adresse|endroit|luogo|indirizzo|lugar|dirección|punto|miejsce|adres|plaats|ort|date|data|fecha|datum|termin)(?: of| de| du| di| del| della| der| van)? $",
    re.IGNORECASE,
)
_ON_INVOICE = re.compile(  # "À rappeler sur la facture : OT-5-2027" is what is to be quoted there
    r"(?<!\w)(?:on|sur|auf|in|op|en|na)(?: (?:the|your|every|each|la|les|vos|votre|chaque|der|ihrer|jeder|tutte le|su|uw|de|elke|każdej))? $",
    re.IGNORECASE,
)
_OF_TRAILER = re.compile(  # "Naczepa nr rej."
    r"(?<![\w/+&])(?<![/+&] )(?:trailer|auflieger|anhänger|remorque|remolque|rimorchio|oplegger|naczep[ay]|przyczep[ay])[ .,]{1,2}$",
    re.IGNORECASE,
)
_SECOND_HALF = re.compile(r"[^\W\d][.:]? ?/ ?$")  # of a label in two halves
_TWO_VALUES = re.compile(r" ?/ ?[A-Z0-9]{0,12}[A-Z0-9-]{0,4}\d")
_MORE_OF_A_PRICE = re.compile(r"[.,]\d\d(?!\d)")
_PRICE = re.compile(r"\d{1,6}[.,]\d{2}|\d\d/100")
_PHONE = re.compile(r"0\d{3,4} \d{6}(?!\w)")  # 07700 900418
_A_NUMBER = re.compile(
    r"(?:(?<!\w)n(?:\.?[º°]|\.|os?\b|r)|(?:nr|num\w*|number\w*|nummer|ref\w*|rif\w*|réf\w*|id)\b|#)[^\w#]*$",
    re.IGNORECASE,
)
_DAY = re.compile(r"(?:0?[1-9]|[12]\d|3[01])[/-](?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])[/-](?:[12]\d|3[01])")
_CLOCK = re.compile(r"(?:[01]\d|2[0-3])[0-5][05](?:-(?:[01]\d|2[0-4])[0-5][05])?")
_TIME_IN_CAPITALS = re.compile(r"\d{1,2}H\d{2}")  # "CAMION 14H30"
_WHEN = frozenset({"shipment", "delivery_order", "booking", "return_authorisation"})  # "Delivery 0900", "load 1400"
_NUMBER_OF_A_FIRM = re.compile(
    r"(?<!\w)(?:vat|btw|tva|iva|mwst|ust|company|commercial|handelsregister|hrb|kvk|siret|siren|rcs|nip|regon|krs|cif|nif|p\.iva|rea|reg\.? in \w+)(?:[ .-]{0,2}(?:id\w*|reg\w*|n[o°º]|nr|number|nummer)){0,3}[.:]{0,2} $",
    re.IGNORECASE,
)
_PRINTER = re.compile(
    r"vordruck|verlag|druk|imprim|formul|(?<!\w)(?:form|mod|stampa)(?!\w)", re.IGNORECASE
)  # of the form
_LEAST_DIGITS = {
    "shipment": 4,
    "delivery_order": 4,
    "sales_order": 4,
    "tracking": 6,
    "cmr": 4,
    "invoice": 3,
    "pro": 4,
    "seal": 3,
}


def _by_words(text: str) -> Iterator[Span]:
    for match in _TWO_PLATES.finditer(text):
        values = [(f, value_of(f, match[f])) for f in ("vehicle_plate", "trailer_plate")]
        if match["trailer_plate"].replace(" ", "").isdecimal() and text[match.start("trailer_plate") - 1] == "+":
            continue  # "GA 7704X +48 58 555 01 99" is a plate and a telephone number
        for field, value in values:
            if _plausible(field, text, *match.span(field)) and value:
                yield Span(field, value, *match.span(field), 0.85)
    for field, pattern in _BY_PREFIX:
        for match in pattern.finditer(text):
            yield Span(field, match[0], *match.span(), 0.8)
    for field, score, pattern in _CONTEXTS:
        for match in pattern.finditer(text):
            start, end = match.span("value")
            if not _plausible(field, text, start, end) or _OF_A_PLACE.search(
                text, max(0, match.start() - 24), match.start()
            ):
                continue
            label = text[match.start() : start]
            if _says_when(field, label, text[start:end]):
                continue
            before = text[max(0, match.start() - 24) : match.start()]
            if field == "invoice" and _ON_INVOICE.search(before):
                continue
            if field == "vehicle_plate" and _OF_TRAILER.search(before):
                continue
            if _SECOND_HALF.search(before) and _TWO_VALUES.match(text, end):
                continue  # "Lieferschein-Nr. / Bestell-Nr. 80071822 / BG-3390" are read by halves
            if both := _neighbours(text, start, end):
                yield from (Span(field, text[a:b], a, b, score) for a, b in both)
                continue
            value = value_of(field, text[start:end])
            if value is not None:
                yield Span(field, value, start, end, score)
            if field.endswith("plate"):
                continue
            shape = _shape(text[start:end])
            for _ in range(50):  # "POs 4500012345, 4500012346 and 4500012347"
                following = _NEXT.match(text, end)
                if following is None:
                    break
                start, end = following.span("value")
                value = value_of(field, text[start:end])
                if _shape(text[start:end]) != shape or value is None or not _plausible(field, text, start, end):
                    break
                if _says_when(field, label, text[start:end]):
                    break
                yield Span(field, value, start, end, score)


_TWO = re.compile(r"(\d{4,10})/(\d{4,10})")
_NEAR = 50


def _neighbours(text: str, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The two of `4471/4472`: numbers as long as each other and close together, no years."""
    match = _TWO.fullmatch(text, start, end)
    if match is None or len(match[1]) != len(match[2]) or _DATE_LIKE.fullmatch(match[1]):
        return None
    return (match.span(1), match.span(2)) if 0 < int(match[2]) - int(match[1]) <= _NEAR else None


def is_number(label: str) -> bool:
    """Whether a label ends with a word or sign for a number: `Order #`, `Bestell-Nr.`"""
    return _A_NUMBER.search(label) is not None


def _says_when(field: str, label: str, value: str) -> bool:
    """Whether a day or time stands after a word for what happens then, which is not called a number: `Delivery 14/11`."""
    if is_number(label):
        return False
    return _DAY.fullmatch(value) is not None or (field in _WHEN and _CLOCK.fullmatch(value) is not None)


def is_plate(words: str) -> bool:
    """Whether words look like a number plate or a trailer's number."""
    compact = re.sub(r"[ .-]", "", words)
    return (
        4 <= len(compact) <= 11 and sum(c.isdigit() for c in compact) >= 2 and compact.isalnum() and compact.isupper()
    )


_BLANK_OR_SLASH = re.compile(r" (?:[1Il|] )?")  # as a scan reads it


def two_plates(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The two plates of `LL-384KX LL-117AN`, which nothing but a blank parts; none where these are not two."""
    blanks = [match.span() for match in _BLANK_OR_SLASH.finditer(text, start, end)]
    halves = [((start, a), (b, end)) for a, b in blanks if is_plate(text[start:a]) and is_plate(text[b:end])]
    return list(min(halves, key=lambda h: abs(h[0][1] - h[0][0] - (h[1][1] - h[1][0])), default=()))


_WRITTEN = re.compile(r"(?=[^\d]*\d)[A-Z0-9]{1,20}(?:[ ./_-]{1,2}[A-Z0-9]{1,14}){0,4}")
_PREFIXES = (  # what a number calls itself, whatever its box is called
    ("purchase_order", re.compile(r"P[./]?O\b|O\.?D\.?A\b|45\d{8}$")),  # 45...: as SAP numbers its orders
    ("sales_order", re.compile(r"S[./]?O\b")),
    ("delivery_order", re.compile(r"D\.?D\.?T\b")),
    ("invoice", re.compile(r"INV\b")),
)
_COUNT_BEFORE = re.compile(r"\d{1,2} ?[ /] ?(?=[A-Z])")  # of seals, as customs have it: "2 / NLD 0771844, NLD 0771845"
_OF_TRANSPORT = frozenset({"shipment", "cmr", "bol"})  # as a parcel's number is called too
_LETTERS = re.compile(r"(?:LS|BL|DN) (?=\d)")  # of a delivery note
_NOTE = re.compile(r"lieferschein|livraison|(?:delivery|d[ei]spatch) (?:note|docket)", re.IGNORECASE)
_LIST = re.compile(r"\s*(?:[,;]|\s/\s|\s\+\s|\s&\s)\s*")
_BEHIND = re.compile(  # a number: "3391 del 10/12/2026", "5091 (intern)"
    r"(?: (?:d\.?d|del|vom|du|van|of|dated|dt|z|z dnia|de|di)\.? \d{1,4}[./-](?:\d{1,2}|[A-Za-z]{3})[./-]\d{2,4}| \([^()\n]{1,30}\))\s*$",
    re.IGNORECASE,
)


def captioned(field: str, text: str, start: int, end: int) -> Iterator[Span]:
    """The references that a cell holds whose caption says that it is one: `R 418 552`, `26-7741, 26-7742`."""
    if field == "seal" and (count := _COUNT_BEFORE.match(text, start, end)):
        start = count.end()
    at = start
    for part in _LIST.split(_BEHIND.sub("", text[start:end])):
        at = text.index(part, at) if part else at
        digits = sum(c.isdigit() for c in part)
        if not _WRITTEN.fullmatch(part) or len(part) > _LONGEST_WRITTEN or digits < 3 or digits * 4 < len(part):
            return
        if _DATE_LIKE.fullmatch(part) or _PRICE.fullmatch(part) or _fails_its_check(re.sub(r"[ ./-]", "", part)):
            return
        own = next((of for of, prefix in _PREFIXES if prefix.match(part)), field)
        own = "tracking" if field in _OF_TRANSPORT and of_parcel(part.replace(" ", "")) else own
        if field == "shipment" and (letters := _LETTERS.match(part)):  # "Réf. expéditeur BL 66014"
            own, part, at = "delivery_order", part[letters.end() :], at + letters.end()
        if value := value_of(own, part):
            yield Span(own, value, at, at + len(part), 0.79)
        at += len(part)


_WITH_DATE = re.compile(r"[A-Z]{2,4} \d{1,2}[./-]\d{1,2}[./-](?:20)?\d{2}")  # "CET 12.11.2026"


def begin_of_note(text: str, start: int, before: str) -> int:
    """Where the number of a delivery note begins: its letters belong to it only where its name stands `before` them."""
    letters = _LETTERS.match(text, start)
    return letters.end() if letters and not _NOTE.search(before) else start


_OF_CUSTOMS = re.compile(r"N\d{3}")  # their code of a kind of paper
_OF_A_DAY = re.compile(r"(?:dat[aeu]m?|dated|fecha)\b", re.IGNORECASE)


def is_plausible(field: str, text: str, start: int, end: int) -> bool:
    """Whether what stands in a column of such references looks like one."""
    value = text[start:end].strip()
    return value.count(" ") < 4 and value.upper() == value and _plausible(field, text, start, end)


def _plausible(field: str, text: str, start: int, end: int) -> bool:
    value = text[start:end]
    digits = sum(c.isdigit() for c in value)
    if _OF_A_DAY.match(value) or _OF_CUSTOMS.fullmatch(value) or _WITH_DATE.fullmatch(value):
        return False
    if field.endswith("plate"):
        if _NUMBER_OF_A_FIRM.search(text, max(0, start - 20), start):
            return False
        if _TIME_IN_CAPITALS.fullmatch(value):
            return False
        letters = sum(c.isalpha() for c in value)
        if field == "trailer_plate" and value.isdecimal() and 4 <= len(value) <= 7:  # a trailer's number, in America
            return re.search(r"(?:no\.?|number|#)[^\w\n]*$", text[:start][-20:], re.IGNORECASE) is not None
        return 5 <= len(value) <= 11 and digits >= 2 and letters >= 1 and not _UNIT_AFTER.match(text, end)
    if digits < _LEAST_DIGITS.get(field, 3) or digits * 3 < len(value) or _DATE_LIKE.fullmatch(value):
        return False
    if _PRICE.fullmatch(value) or _MORE_OF_A_PRICE.match(text, end):
        return False
    if " " in value and _NUMBER_OF_A_FIRM.search(text, start, start + value.index(" ") + 1):  # KRS 0000118271
        return False
    if value.isdecimal() and len(value) <= _MOST_COUNTED and _UNIT_AFTER.match(text, end):
        return False
    if _WITH_UNIT.fullmatch(value) or _PHONE.match(text, start):
        return False
    if " " in value and _UNIT_AFTER.match(text, end):
        return False
    compact = re.sub(r"[ ./-]", "", value).upper()
    if field in _OF_A_LINE and _LIKE_CONTAINER.fullmatch(compact):
        return True  # MAEU4471220: the line's letters and its own number
    return not _fails_its_check(compact)


_LIKE_CONTAINER = re.compile(r"[A-Z]{3}[UJZ]\d{7}")
_OF_A_LINE = frozenset({"bol", "booking"})


def _fails_its_check(compact: str) -> bool:
    """Whether `compact` has the form of a checked number and is none: then it was misread or mistyped."""
    if re.fullmatch(r"1Z[A-Z0-9]{16}", compact):
        return not ups(compact)
    if _LIKE_CONTAINER.fullmatch(compact):
        return not container(compact)
    if re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", compact):
        return not s10(compact)
    if re.fullmatch(r"\d{18}", compact):
        return not sscc(compact)
    return False


def _shape(value: str) -> str:
    return re.sub(r"[A-Za-z]", "A", re.sub(r"\d", "9", value))


# What a document's own number is called by when it is called no more than a number.
_BARE_NUMBER = re.compile(
    rf"(?:^|\n|(?<=  )|(?<=\s))(?:n[o°º]|n\.[°º]|n(?=\.)|nr|num(?:ber|mer|éro)?|número|numero)\.?(?: ?/ ?(?:n[o°º]|nr|number|nummer|numéro|número|numero)\.?)?[ \t]*+[:#]?[ \t]*+{_VALUE}(?![\w-])",
    re.IGNORECASE,
)


def find_number(text: str) -> tuple[int, int] | None:
    """The first number that is called nothing but a number, as the head of a document has it."""
    for match in _BARE_NUMBER.finditer(text):
        before = text[max(0, match.start() - 30) : match.start()].rpartition("\n")[2].split()
        if before and not match[0].startswith("\n") and reference_label(before[-1]):  # PRO NO. 478-210936-5
            continue
        start = match.start("value")
        line = text[max(0, start - 80) : start].rpartition("\n")[2]
        if _NUMBER_OF_A_FIRM.search(line) or _PRINTER.search(line):
            continue
        if _plausible("invoice", text, *match.span("value")):
            return match.span("value")
    return None


_CODE = re.compile(
    r"(?:(?i:re|aw|fwd?|wg|tr|rv|r|i|odp|antw?)\s?:\s*){0,4}"
    rf"(?P<code>(?=[A-Z/-]{{0,6}}\d)(?:[A-Z]{{2,5}}[-/]?)?\d[\dA-Z]{{1,12}}(?:[-/][\dA-Z]{{1,10}}){{0,3}}){_END}(?!/\w)"
)


def find_code(subject: str) -> list[Span]:
    """The number with which a subject begins, somebody's for the shipment, though no word says so."""
    match = _CODE.match(subject)
    if match is None or sum(c.isdigit() for c in match["code"]) < 5 or _DATE_LIKE.fullmatch(match["code"]):
        return []
    return [Span("shipment", value_of("shipment", match["code"]) or "", *match.span("code"), 0.5)]


def find_references(text: str) -> list[Span]:
    """References in `text`, in order, none overlapping another; linear in its length."""
    spans: list[Span] = []
    for source in (_by_form(text), _by_words(text)):
        for span in source:
            spans.append(span)
            if len(spans) >= _MAX_SPANS:
                break
    return without_overlaps(spans)
