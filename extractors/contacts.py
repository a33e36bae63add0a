"""Telephone numbers and e-mail addresses."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from extractors.evidence import Span, without_overlaps

FIELDS = frozenset(["phone", "email"])

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_PHONES = (
    re.compile(
        r"(?<![\w/.-])(?:\(?\+|00)[1-9]\d{0,2}\)?[ ./-]{0,2}(?:\(0?\d{0,4}\)[ ./-]{0,2})?\d(?:[ ./-]{0,2}\d){5,12}(?!\w)"
    ),
    re.compile(r"(?<![\w.,/+-])\(?0\d{1,4}\)?[ ./-]{1,3}\d{2,5}(?:[ ./-]?\d{2,5}){1,4}(?![\w]|[.,/-]\d)"),
    re.compile(r"(?<![\w.,/+-])\(?[2-9]\d{2}\)?[ .-]\d{3}[.-]\d{4}(?![\w]|[.,/-]\d)"),
    re.compile(
        r"(?i:\b(?:tfno?|t[eé]l(?:efono?|efon|[eé]phone|efoon)?|phone|mob(?:ile|iel|il)?|portable|cell(?:ulare)?|handy|gsm|whatsapp|fax|kom(?:órka)?|móvil|ring|call(?: me| us)?(?: on| at)?)\b(?: (?:tr[áa]fico|dire[ck]t\w*|zentrale|central\w*|office|uffici\w+|biur\w+|autista|driver|fahrer|chauffeur|conductor|kierowc\w+|dispo\w*|planning|urgence\w*|urgencias|night|notte|nacht|n[or]|num\w{0,4})\b)?)[ .:#/°º)-]{0,4}(?P<number>\(?\d[\d ./()-]{5,16}\d)(?!\w)"
    ),
)
_BROKEN = re.compile(  # at the end of a line, after the code of its town or network
    r"(?i:\b(?:t[eé]l(?:efono?|efon|[eé]phone|efoon)?|phone|mob(?:ile|iel|il)?|portable|cell(?:ulare)?|handy|gsm|kom|móvil)\b)[ .:/°º)-]{0,4}(?P<number>\(?\d{2,5}\)? ?\n\d{2,4}(?:[ ./-]?\d{2,4}){1,4})(?![\w]|[.,/-]\d)"
)
_FEWEST_ABROAD = 9  # with the country's code
_FEWEST_PHONE_DIGITS, _MOST_PHONE_DIGITS = 7, 15
_LONGEST = 20_000
_ENDING = re.compile(r"[\w-]\.(de|at|ch|fr|be|es|it|nl|pl|uk|ie|ca|pt|cz|dk|se|au|nz|za|sg)(?![\w.-]|@)", re.IGNORECASE)
_ENDINGS = {"uk": "GB"}
_STATE = (  # but for Delaware, which is Germany more often
    r"(?:A[KLRZ]|C[AOT]|DC|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])"
)
_SIGNS = tuple(
    (region, re.compile(words))
    for region, words in (
        (
            "GB",
            r"(?<!\w)[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?!\w)|\+44|\b(?:United|UNITED) (?:Kingdom|KINGDOM)\b|\b(?:England|Scotland|Wales)\b|\bGroßbritannien\b|\bRoyaume-Uni\b|\bReino Unido\b|\bRegno Unito\b",
        ),
        (
            "US",
            rf"(?<!\w){_STATE} \d{{5}}(?:-\d{{4}})?(?!\w)|\+1[ (-]|\bUSA\b|\bU\.S\.A\.|(?<![\w.-])[2-9]\d\d-\d{{3}}-\d{{4}}(?![\w-])",
        ),
        ("CA", r"(?<!\w)[ABCEGHJ-NPRSTVXY][\dO][A-Z] ?\d[A-Z]\d(?!\w)|\b(?:Canada|CANADA)\b"),
        (
            "DE",
            r"GmbH|GMBH|\+49|USt-?Id|[Ss]traße \d|STRASSE \d|(?i:[a-zß]str\. \d)|\be\.K\.|\bHGB\b|\bADSp\b|\b(?:Deutschland|DEUTSCHLAND|Germany|GERMANY|Allemagne|Alemania|Germania|Duitsland|Niemcy)\b",
        ),
        (
            "NL",
            r"(?<!\w)\d{4} [A-Z]{2} [A-Z]|\+31|\bKvK\b|\bB\.V\.|\b(?:Nederland|NEDERLAND|Netherlands|NETHERLANDS|Niederlande|Pays-Bas|Países Bajos|Paesi Bassi|Holandia)\b",
        ),
        (
            "FR",
            r"\+33|\bSIRET\b|\bSARL\b|\bSAS\b|\bRCS\b|\bCedex\b|\bTél\.|(?<![\d.])0[1-9](?:[ .]\d\d){4}(?![\d.])|\b(?:France|FRANCE|Frankreich|Francia|Frankrijk|Francja)\b",
        ),
        (
            "ES",
            r"\+34|\b[CN]\.?I\.?F\.?[: ]{1,2}(?:ES)?[A-Z]-?\d|\bS\.L\.|\bS\.A\.U\.|\bPol[ií]gono\b|\b(?:España|ESPAÑA|Spain|SPAIN|Spanien|Espagne|Spagna|Spanje|Hiszpania)\b",
        ),
        (
            "IT",
            r"\+39|\bP\. ?IVA\b|\bS\.r\.l\.|\bS\.p\.A\.|\bD\.P\.R\.|(?<!\d)\d{5} [A-Z][\w' ]{2,30} \([A-Z]{2}\)|\b(?:Italia|ITALIA|Italy|ITALY|Italien|Italie|Italië|Włochy)\b",
        ),
        (
            "PL",
            r"\+48|\bNIP\b|(?<!\d)\d{2}-\d{3} [A-ZŁŚŻ]|Sp\. z o|\b(?:Polska|POLSKA|Poland|POLAND|Polen|Pologne|Polonia)\b",
        ),
        (
            "AT",
            r"\+43|(?<!\w)ATU ?\d{8}|\bFN \d{5,6} ?[a-z]\b|\b(?:Österreich|ÖSTERREICH|Austria|AUSTRIA|Autriche|Oostenrijk)\b",
        ),
        (
            "CH",
            r"\+41|(?<!\w)CHE-\d{3}|\bCHF\b|(?<![\d.])0\d\d \d{3} \d\d \d\d(?![\d.])|\b(?:Schweiz|SCHWEIZ|Suisse|SUISSE|Svizzera|Switzerland|SWITZERLAND|Suiza|Zwitserland|Szwajcaria)\b",
        ),
        (
            "BE",
            r"\+32|(?<![\d.])0\d \d{3} \d\d \d\d(?![\d.])|\b(?:België|BELGIË|Belgique|BELGIQUE|Belgium|BELGIUM|Belgien|Bélgica|Belgio|Belgia)\b",
        ),
        (
            "IE",
            r"\+353|\bDAC\b|(?<!\w)[AC-FHKNPRTV-Y]\d[\dW] [\dAC-FHKNPRTV-Y]{4}(?!\w)|\b(?:Ireland|IRELAND|Irland|Irlande|Irlanda|Ierland)\b",
        ),
        (
            "IE",
            r"\bCo\. (?:Carlow|Cavan|Clare|Cork|Donegal|Dublin|Galway|Kerry|Kildare|Kilkenny|Laois|Leitrim|Limerick|Longford|Louth|Mayo|Meath|Monaghan|Offaly|Roscommon|Sligo|Tipperary|Waterford|Westmeath|Wexford|Wicklow)\b",
        ),
        ("PT", r"\+351|\bNIPC\b|(?<!\d)\d{4}-\d{3} [A-Z]|\bPortugal\b"),
        ("AU", r"\+61|\bABN\b|\b(?:NSW|VIC|QLD|TAS) \d{4}\b|\b(?:Australia|AUSTRALIA)\b"),
        ("NZ", r"\+64|\bNZBN\b|\b(?:New|NEW) (?:Zealand|ZEALAND)\b"),
        ("IN", r"\+91|\bGSTIN\b|\bPvt\b"),
        ("ZA", r"\+27|\(Pty\) Ltd|\(PTY\) LTD|\b(?:South|SOUTH) (?:Africa|AFRICA)\b"),
        ("SG", r"\+65|\bP(?:te|TE) L(?:td|TD)\b|\b(?:Singapore|SINGAPORE) \d{6}\b"),
        ("TW", r"\+886|\b(?:Taiwan|TAIWAN)\b"),
        ("DK", r"\+45|\bA/S\b|\bApS\b|\b(?:Danmark|DANMARK|Denmark|DENMARK)\b"),
        ("SE", r"\+46|\b(?:Sverige|SVERIGE|Sweden|SWEDEN)\b"),
        ("CZ", r"\+420|\bs\.r\.o\.|\b(?:Czech|CZECH)\b"),
    )
)
_MARKS = re.compile(  # a country's letters before a post code, an account, or a number for taxes
    r"(?<![\w-])(?:(?P<post>A|B|CH|D|F|I|L|NL|PL|E|DK|SE?|CZ|FI)-\d{4,5} [A-ZÄÖÜ]"
    r"|(?P<code>AT|BE|CH|CZ|DE|DK|ES|FI|FR|GB|IE|IT|LU|NL|PL|PT|SE)(?:\d\d(?: ?[A-Z\d]{4}){3}|[A-Z]?\d{8}))"
)
_POSTS = {"A": "AT", "B": "BE", "D": "DE", "F": "FR", "I": "IT", "L": "LU", "E": "ES", "S": "SE"}
_LANGUAGES = tuple(  # where nothing shows the country
    (region, re.compile(words, re.IGNORECASE))
    for region, words in (
        ("GB", r"\b(?:the|and|for|our)\b"),
        ("IE", r"\b(?:the|and|for|our)\b"),  # whose numbers differ from the British in length
        ("DE", r"\b(?:und|der|nicht|ist|bitte|Empfänger|Lieferung|Sendung)\b"),
        ("FR", r"\b(?:et|du|destinataire|livraison|marchandises)\b"),
        ("ES", r"\b(?:del|los|destinatario|entrega|mercancía)\b"),
        ("IT", r"\b(?:della|il|destinatario|consegna|merce)\b"),
        ("NL", r"\b(?:het|een|ontvanger|levering|goederen)\b"),
        ("PL", r"\b(?:nr|odbiorca|dostawy|towaru|przesyłki)\b"),
    )
)
_ABROAD = ("+", "(+", "00")  # before the code of a country
_BESIDE = 160  # letters before a telephone number in which its owner's address may stand
_MOST_BESIDE = 20  # numbers
_NEARLY = 3  # times as often shown, a country may still not be the one that numbers belong to
_ACCOUNT_BEFORE = re.compile(
    r"\b(?:IBAN|Konto|BLZ|HRB|USt|NIP|REGON|SIRET|account no)\b(?:(?!tel|phone|fax|mob|handy|gsm|cell)[^\n|])*$",
    re.IGNORECASE,
)
_WAYBILL_BEFORE = re.compile(
    r"\b(?:[HM]?AWB|LTA|air ?waybill|guía aérea|luftfrachtbrief)\b[\s.:#°noºr-]{0,6}$", re.IGNORECASE
)
_FAX_BEFORE = re.compile(
    r"(?<![/&+|])(?<![/&+|] )(?<!tel)(?<!tel\.)\b(?:t[eé]l[eé])?(?:fax|faks|facsimile|t[eé]l[eé]copie\w*)\b[\s.:]{0,3}(?:n[°ºor]\.?)?[\s.:]{0,3}$",
    re.IGNORECASE,
)
_DATE_IN = re.compile(r"(?<!\d)[0-3]\d/[0-3]\d(?:/\d{2,4})?(?!\d)")
_DATE = re.compile(
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?![./-]?\d)|(?:[01]\d|2[0-4])[0-5]\d ?- ?(?:[01]\d|2[0-4])[0-5]\d(?!\d)"
)


def emails(text: str) -> Iterator[tuple[int, int]]:
    """Where addresses stand."""
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield match.span()


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers stand that look like telephone numbers; some may overlap."""
    for pattern in (*_PHONES, _BROKEN):
        for match in pattern.finditer(text):
            start, end = match.span("number") if "number" in pattern.groupindex else match.span()
            if text[start] == "(" and ")" not in text[start:end]:
                start += 1  # "Herr Kowalski (0171 2345678)"
            digits = sum(c.isdigit() for c in text[start:end])
            if _ACCOUNT_BEFORE.search(text, max(0, start - 40), start) or _DATE_IN.search(text, start, end):
                continue
            before = text[max(0, start - 24) : start]
            if _FAX_BEFORE.search(before) or _WAYBILL_BEFORE.search(before):
                continue
            fewest = _FEWEST_ABROAD if text.startswith(_ABROAD, start) else _FEWEST_PHONE_DIGITS
            if fewest <= digits <= _MOST_PHONE_DIGITS and not _DATE.match(text, start, end):
                yield start, end


def region_of(text: str, *, american: bool = False) -> str | None:
    """The country (ISO 3166-1) that telephone numbers without a country's code belong to, if `text` shows one.

    By the numbers that have one, the ends of e-mail and web addresses, and the forms of firms and post codes.
    """
    text = text[:_LONGEST]
    national = [place for place in phones(text) if not text.startswith(_ABROAD, place[0])][:_MOST_BESIDE]
    numbers = [text[start:end] for start, end in national]
    if american and _any_valid(numbers, "US"):
        return "US"
    votes = _votes(text)
    for start, _ in national:  # the address beside a number is most often its owner's
        votes += _votes(text[max(0, start - _BESIDE) : start])
    spoken = Counter({region: len(words.findall(text)) for region, words in _LANGUAGES})
    if not votes:
        votes = Counter({region: n for region, n in spoken.items() if _any_valid(numbers, region)})
    most = max(votes.values(), default=0)
    likely = [region for region, n in votes.items() if n and _NEARLY * n >= most]
    likely = [region for region in likely if _any_valid(numbers, region)] or likely
    best = sorted(likely, key=lambda region: (-votes[region], -spoken[region]))
    told = [(votes[region], spoken[region]) for region in best[:2]]
    return best[0] if best and (len(told) == 1 or told[0] != told[1]) else None


def _votes(text: str) -> Counter[str]:
    """How often a text shows each country."""
    votes: Counter[str] = Counter()
    for ending in _ENDING.findall(text):
        votes[_ENDINGS.get(ending.lower(), ending.upper())] += 2
    for mark in _MARKS.finditer(text):
        region = mark["code"] or mark["post"]
        votes[_POSTS.get(region, region)] += 2
    for region, pattern in _SIGNS:
        votes[region] += len(pattern.findall(text))
    return +votes


def _any_valid(numbers: Sequence[str], region: str) -> bool:
    """Whether one of some numbers without their country's code may be of a region; where there are none, any is."""
    if not numbers:
        return True
    import phonenumbers

    for number in numbers:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def find_contacts(text: str, region: str | None = None) -> list[Span]:
    """Addresses and telephone numbers in `text`, in order; `region` as `region_of` gives it."""
    spans = [Span("email", text[start:end].lower(), start, end, 0.97) for start, end in emails(text)]
    for start, end in phones(text):
        if value := value_of("phone", text[start:end], region):
            spans.append(Span("phone", value, start, end, 0.95 if value.startswith("+") else 0.8))
    return without_overlaps(spans)


_FEWEST_DIGITS = 5  # of a telephone number
_BEFORE_NUMBER = re.compile(r"(?:[^\W\d]{1,12}[ .:]{1,3}){0,2}(?=[+(\d])")  # "PH +31 30 555 4410"


def value_of(field: str, quote: str, region: str | None = None) -> str | None:
    """An address in lower case; a number with its country's code, or with that of `region`, as E.164, else as printed."""
    if field == "email":
        return quote.lower() if _EMAIL.fullmatch(quote) else None
    if sum(c.isdigit() for c in quote) < _FEWEST_DIGITS:
        return None
    quote = " ".join(quote.split())  # it may go on in the next line
    before = _BEFORE_NUMBER.match(quote)
    quote = quote[before.end() :] if before else quote
    quote = quote.removeprefix("(") if quote.startswith("(+") else quote
    international = quote.startswith(_ABROAD)
    printed = quote or None
    if not international and region is None:
        return printed
    import phonenumbers  # a tenth of a second to load, so only for the texts that need it

    written = "+" + re.sub(r"\(0\)|\D", "", quote.removeprefix("00")) if international else quote
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None if international else printed
    if not phonenumbers.is_possible_number(number):
        full = quote.startswith("+") and len(written) > _FEWEST_ABROAD
        return (written if full else None) if international else printed
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
