"""Telephone numbers and e-mail addresses."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from extractors.evidence import Span, without_overlaps

FIELDS = frozenset(["phone", "email"])

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])")
_PHONES = (
    re.compile(
        r"(?<![\w/.-])(?:\+|00)[1-9]\d{0,2}[ ./-]{0,2}(?:\(0?\d{0,4}\)[ ./-]{0,2})?\d(?:[ ./-]{0,2}\d){5,12}(?!\w)"
    ),
    re.compile(r"(?<![\w.,/+-])\(?0\d{1,4}\)?[ ./-]{1,3}\d{2,5}(?:[ ./-]?\d{2,5}){1,4}(?![\w]|[.,/-]\d)"),
    re.compile(r"(?<![\w.,/+-])\(?[2-9]\d{2}\)?[ .-]\d{3}[.-]\d{4}(?![\w]|[.,/-]\d)"),
    re.compile(
        r"(?i:\b(?:tfno?|t[eé]l(?:efono?|efon|[eé]phone|efoon)?|phone|mob(?:ile|iel|il)?|portable|cell(?:ulare)?|handy|gsm|whatsapp|fax|kom(?:órka)?|móvil|ring|call(?: me| us)?(?: on| at)?)\b(?: (?:tr[áa]fico|dire[ck]t\w*|zentrale|central\w*|office|uffici\w+|biur\w+|autista|driver|fahrer|chauffeur|conductor|kierowc\w+|dispo\w*|planning|urgence\w*|urgencias|night|notte|nacht)\b)?)[ .:#/)-]{0,4}(?P<number>\(?\d[\d ./()-]{5,16}\d)(?!\w)"
    ),
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
        ("GB", r"(?<!\w)[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}(?!\w)|\+44"),
        ("US", rf"(?<!\w){_STATE} \d{{5}}(?:-\d{{4}})?(?!\w)|\+1[ (-]"),
        ("DE", r"GmbH|GMBH|\+49|USt-?Id|[Ss]traße \d|STRASSE \d|(?i:[a-zß]str\. \d)|\be\.K\.|\bHGB\b|\bADSp\b"),
        ("NL", r"(?<!\w)\d{4} [A-Z]{2} [A-Z]|\+31|\bKvK\b|\bB\.V\."),
        ("FR", r"\+33|\bSIRET\b|\bSARL\b|\bSAS\b|\bRCS\b|\bCedex\b|\bTél\.|(?<![\d.])0[1-9](?:[ .]\d\d){4}(?![\d.])"),
        ("ES", r"\+34|\bC\.?I\.?F\b|\bS\.L\.|\bS\.A\.U\.|\bPol[ií]gono\b"),
        ("IT", r"\+39|\bP\. ?IVA\b|\bS\.r\.l\.|\bS\.p\.A\.|\bD\.P\.R\.|(?<!\d)\d{5} [A-Z][\w' ]{2,30} \([A-Z]{2}\)"),
        ("PL", r"\+48|\bNIP\b|(?<!\d)\d{2}-\d{3} [A-ZŁŚŻ]|Sp\. z o"),
        ("AT", r"\+43"),
        ("CH", r"\+41"),
        ("BE", r"\+32"),
        ("IE", r"\+353"),
        ("PT", r"\+351|\bNIPC\b"),
        ("AU", r"\+61|\bABN\b|\b(?:NSW|VIC|QLD|TAS) \d{4}\b"),
        ("NZ", r"\+64|\bNZBN\b"),
        ("IN", r"\+91|\bGSTIN\b|\bPvt\b"),
        ("ZA", r"\+27|\(Pty\) Ltd|\(PTY\) LTD"),
        ("SG", r"\+65|\bP(?:te|TE) L(?:td|TD)\b|\b(?:Singapore|SINGAPORE) \d{6}\b"),
    )
)
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
    for pattern in _PHONES:
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
            fewest = _FEWEST_ABROAD if text.startswith(("+", "00"), start) else _FEWEST_PHONE_DIGITS
            if fewest <= digits <= _MOST_PHONE_DIGITS and not _DATE.match(text, start, end):
                yield start, end


def region_of(text: str, *, american: bool = False) -> str | None:
    """The country (ISO 3166-1) that telephone numbers without a country's code belong to, if `text` shows one.

    By the numbers that have one, the ends of e-mail and web addresses, and the forms of firms and post codes.
    """
    if american:
        return "US"
    votes: Counter[str] = Counter()
    for ending in _ENDING.findall(text[:_LONGEST]):
        votes[_ENDINGS.get(ending.lower(), ending.upper())] += 2
    for region, pattern in _SIGNS:
        votes[region] += len(pattern.findall(text[:_LONGEST]))
    best = votes.most_common(2)
    return best[0][0] if best and (len(best) == 1 or best[0][1] > best[1][1]) and best[0][1] else None


def find_contacts(text: str, region: str | None = None) -> list[Span]:
    """Addresses and telephone numbers in `text`, in order; `region` as `region_of` gives it."""
    spans = [Span("email", text[start:end].lower(), start, end, 0.97) for start, end in emails(text)]
    for start, end in phones(text):
        if value := value_of("phone", text[start:end], region):
            spans.append(Span("phone", value, start, end, 0.95 if value.startswith("+") else 0.8))
    return without_overlaps(spans)


_FEWEST_DIGITS = 5  # of a telephone number


def value_of(field: str, quote: str, region: str | None = None) -> str | None:
    """An address in lower case; a number with its country's code, or with that of `region`, as E.164, else as printed."""
    if field == "email":
        return quote.lower() if _EMAIL.fullmatch(quote) else None
    if sum(c.isdigit() for c in quote) < _FEWEST_DIGITS:
        return None
    international = quote.startswith(("+", "00"))
    printed = " ".join(quote.split()) or None
    if not international and region is None:
        return printed
    import phonenumbers  # a tenth of a second to load, so only for the texts that need it

    written = "+" + re.sub(r"\(0\)|\D", "", quote.removeprefix("00")) if international else quote
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None if international else printed
    if not phonenumbers.is_possible_number(number):
        return None if international else printed
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
