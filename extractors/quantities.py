"""Counts, weight, volume, temperature, hazard class and money, where the words beside them say what they are."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from extractors.captions import without_accents
from extractors.evidence import Span, meets, without_overlaps

TEMPERATURES = frozenset(["temperature_required", "temperature_recorded"])
COUNTS = frozenset(["pieces", "pallets", "pieces_short", "pieces_damaged"])
LOSSES = frozenset(["pieces_short", "pieces_damaged"])
MONEYS = frozenset(["goods_value", "freight_charge", "disputed_amount"])
FIELDS = COUNTS | MONEYS | TEMPERATURES | {"gross_weight", "volume", "hazard_class"}

_AMOUNT = r"\d{1,3}(?:[ .,'’′]\d{3}){1,3}(?:[.,]\d{1,2})?|\d{1,9}(?:[.,]\d{1,3})?"
_PALLET = r"(?:euro? ?)?(?:pallets?|pal(?:l?et\w{0,6}|és|ette|\.)|plts?|epal|bancal[ei]|skids?)"
_PIECE = (
    r"(?:pcs|pieces?|ctns?|cartons?|karton\w{0,3}|cases|box(?:es)?|packages|pkgs?|parcels|drums?|units|colli|collo|kartons?|pakete?|packstücke?|stück|colis|cartons"
    r"|pièces|bultos?|cajas?|piezas?|pezzi|scatole|cartoni|stuks|dozen|doos|sacks?|säcke?|bags?|totes?|crates?|kits?|rolls?|items|bacs|sacs|caisses|rouleaux|sacos|bales?|reels?|coils?|trays?|cages?|roll ?cages?|bins|gaylords?|pails?|ibcs?|kegs?|barrels?|bundles?|lengths|sheets|platten|ballen|fässer|kisten?|gebinde|bunde?|coils|gitterboxen|fûts?|sacch?[io]|pacch[io]|pacco|rotoli|eimer|kanister|trommeln?|paquetes|rollos|bidons?|ballots?|bobines?|cagettes?|palox|fusti|fusto|casse|bidoni|ceste|balle|bobine|latas|barriles|bidones|garrafas|fardos|bobinas|vaten|balen|kratjes|rolcontainers?|beczki|beczek|skrzy[nń]\w*|bele|rolek|zgrzew\w*|cassette|zakken|kratten|rollen|worki|work[óo]w|szt|sztuk|karton(?:y|ów)?|pacz(?:k[aię]|ek)|opakowa[ńn]\w*)"
)
_ONE = r"one|two|three|four|five|six|eine?|zwei|drei|vier|fünf|une?|deux|trois|quatre|cinq|dos|tres|cuatro|due|tre|quattro|twee|drie|dwa|dwie|trzy|cztery"
_WHOLE = r"[1-9]\d{0,2}(?:[.,'’′]\d{3}){1,2}|[1-9]\d{0,2} \d{3}(?!\d)|\d{1,6}"
_COUNT = rf"(?<![\w.,/-])(?P<n>{_WHOLE}|{_ONE})[ \t]?(?:x[ \t]?)?(?:[^\W\d]\w* )?(?P<unit>{_PALLET}|{_PIECE})(?!\w)"
_PALLETS = re.compile(rf"(?<![\w.,/-])(?P<n>{_WHOLE})[ \t]?(?:x[ \t]?)?{_PALLET}(?!\w)", re.IGNORECASE)
_PIECES = re.compile(rf"(?<![\w.,/-])(?P<n>{_WHOLE})[ \t]?(?:x[ \t]?)?{_PIECE}(?!\w)", re.IGNORECASE)
_ITEM = re.compile(
    r"(?:pcs|pieces?|pezzi|piezas?|pièces|stuks|stück|units?|items|szt\w*)$", re.IGNORECASE
)  # not packed
PACKED = rf"(?:{_PALLET}|{_PIECE}|kgs?|lbs?)"
_SOME = re.compile(
    rf"(?:\W|manqu\w+ |falta\w* |fehl\w+ ){{0,3}}(?:\d{{1,4}}|{_ONE})(?: x| ?/ ?\d+)?[ ]\w", re.IGNORECASE
)
_COUNTED = re.compile(_COUNT, re.IGNORECASE)
_IS_PALLET = re.compile(_PALLET, re.IGNORECASE)
OF = r"(?:out of|of|von|sur|de|su|van|z|ze|of the|of our|of your|out of the|von den|von unseren|der|des|sur les|de los|de las|degli|delle|dei|van de|met een totaal van|spośród)"
_PART_OF = re.compile(  # "4 colis sur 32", "3 of the 12 pallets", "2 von 14 Europaletten"
    rf"(?<![\w.,/-])(?P<part>\d{{1,4}}|{_ONE})(?: (?P<unit1>{_PALLET}|{_PIECE}))? {OF} (?P<whole>{_WHOLE})(?: (?P<unit2>{_PALLET}|{_PIECE}))?(?![\w/-]|[.,:]\d)",
    re.IGNORECASE,
)
_LOSS = tuple(
    (field, re.compile(rf"(?<!\w)(?:{without_accents(words)})(?!\w)", re.IGNORECASE))
    for field, words in (
        (
            "pieces_short",
            r"short(?:age|ed)?|shy|missing|not (?:received|delivered|loaded|supplied)|too few|less than|fewer|zu wenig|nicht (?:dabei|geliefert|erhalten|angekommen|mitgekommen)|en moins|non (?:livrée?s?|reçue?s?)|in meno|non (?:consegnat|ricevut)[oaie]|de menos|no (?:entregad|recibid)[oa]s?|te weinig|niet (?:geleverd|ontvangen|meegekomen)|za mało|nie (?:dostarczono|dojechał\w*|dotarł\w*)|not (?:there|found|located|on it)|lost|verloren|perdus?|perdid[oa]s?|pers[aoie]|smarrit[oaie]|zoek|kwijt|zgubion\w+|zaginę\w+|brakuje|fehl(?:en|t|end\w*|menge)|manqu(?:e|ent|ants?)|falta[ns]?|faltantes?|manca(?:no|nti|nte)?|mancanza|ontbre(?:ken|ekt)|vermist|te ?kort|brak(?:uje|owało|ujące)?",
        ),
        (
            "pieces_damaged",
            r"damaged?|bruch|fêlée?s?|déchirée?s?|percé\w*|lid split|spoiled|gequetscht|bent|split|burst|smashed|ripped|opened|dripping|leaks?|soaked|scratched|cracked|unusable|gebrochen|verbogen|aufgerissen|eingedrückt|zerbrochen|undicht|ausgelaufen|éventrée?s?|fendue?s?|tordue?s?|rayée?s?|golpead[oa]s?|abiert[oa]s?|rasgad[oa]s?|perforad[oa]s?|sfondat[oaie]|forat[oaie]|ammaccat[oaie]|aperte?|gescheurd|gebroken|lek(?:ken)?|pęknięt\w+|rozdart\w+|połaman\w+|crushed|broken|wet|torn|chipped|punctured|ripped open|collapsed|stained|durchnässt\w*|verbeult|eingebeult|durchstossen|zerquetscht|zerkratzt|gerissen|angerissen|geknickt|verschmutzt|verschimmelt|avariée?s?|crevée?s?|renversée?s?|souillée?s?|moisie?s?|cabossée?s?|bosselée?s?|enfoncée?s?|humides?|aplastad[oa]s?|abollad[oa]s?|derramad[oa]s?|manchad[oa]s?|ammuffit[oaie]|strappat[oaie]|lacerat[oaie]|macchiat[oaie]|versat[oaie]|gedeukt|verbrijzeld|beschimmeld|vervuild|zalan\w+|zagrzybion\w+|zabrudzon\w+|dented|stove in|scuffed|leaking|beschädigt\w*|defekt|zerdrückt|nass|kaputt|endommagée?s?|abîmée?s?|écrasée?s?|mouillée?s?|cassée?s?|dañad[oa]s?|rot[oa]s?|mojad[oa]s?|aplastad[oa]s?|danneggiat[oiae]|rott[oiae]|bagnat[oiae]|schiacciat[oiae]|beschadigde?|kapotte?|natte?|ingedeukt|uszkodz\w+|zniszcz\w+|mokr\w+|zgniecion\w+",
        ),
    )
)
_WEIGHT = re.compile(
    rf"(?:gross ?weight|g\.?w\.?|brutto(?:gewicht)?|poids brut|peso (?:bruto|lordo)|brutogewicht|waga brutto|total weight|weight|gewicht|poids"
    rf"|peso|waga)[ \t]*+(?:\(?(?P<u1>kgs?|lbs?|t)\)?)?[ \t]*+[:=]?[ \t]*+(?P<quote>(?P<n>{_AMOUNT})[ \t]?(?P<u2>kgs?|kilos?|lbs?|tons?|t)?)(?!\w)",
    re.IGNORECASE,
)
_BARE_WEIGHT = re.compile(
    rf"(?<![\w.,/-])(?<!max )(?<!max\. )(?P<quote>(?:{_AMOUNT})[ \t]?(?:kgs?|kilos?|kilogram\w*|lbs?|tonnes?|tonnen|toneladas|tonnellate|tons?|mt|t))(?!\w|/|[.,]\d)",
    re.IGNORECASE,
)
_BOX_AFTER = re.compile(r"\s?\d{1,2} [A-ZÀ-Ž][a-zà-ž]{2}")  # "11 Poids brut kg", and after it "12 Cubage m³"
_POSTCODE_BEFORE = re.compile(r"(?<!\w)[A-Z]{1,2}\d[A-Z\d]? $")
_COLUMN_AFTER = re.compile(  # "31 Packages and description of goods" is the 31st box of a form
    r"\s?(?:,|/|&|and|et|und|y|e|en|i)?\s?(?:description|désignation|beschreibung|warenbezeichnung|descripci[óo]n|descrizione|omschrijving|opis)",
    re.IGNORECASE,
)
_VOLUME = re.compile(
    rf"(?<![\w.,])(?P<n>{_AMOUNT})\s?(?:m3|m³|(?-i:mc)(?!-)|cbm|cu\.? ?m(?!\w)|cubic met(?:er|re)s?|(?P<feet>cft|cu\.? ?ft|cubic feet))(?!\w)",
    re.IGNORECASE,
)
_DEGREES = r"(?:°|º|˚|deg(?:rees|\.)?|grad|degrés|grados|gradi|graden|stopni)"
_SIGNED = r"[+−–-]?\s?\d{1,3}(?:[.,]\d{1,2})?"
_TEMPERATURE = re.compile(
    rf"(?<![\w.,/])(?P<low>{_SIGNED})(?:\s?{_DEGREES}?\s?[CF]?\s?(?:-|–|to|bis|à|a|/|\.\.|,?\s?max\.?|and|und|et|(?P<between>y|e|en|i)|do|tot)\s?(?P<high>{_SIGNED}))?"
    rf"\s?(?:{_DEGREES}\s?(?P<scale>C(?:elsius)?|F(?:ahrenheit)?)?|(?P<letter>[CF]))(?!\w)",
    re.IGNORECASE,
)
_NO_READING = re.compile(  # the flash point of a liquid, the accuracy of a probe
    r"(?:flash ?point|fla?mmpunkt|\bf\.?p\.?(?=\W)|point d['’][ée]clair|punto de inflamaci[óo]n|punto d['’]infiammabilit[àa]"
    r"|punto di infiammabilit[àa]|vlampunt|temperatura zap[łl]onu|\bpt\.? (?:d['’])?[ée]clair)[^\d\n]{0,20}$|±\s*$",
    re.IGNORECASE,
)
_CLOSED_CUP = re.compile(
    r"\s?(?:\(?c\.?\s?c\.?(?!\w)|\(?closed[ -]cup)", re.IGNORECASE
)  # so is the flash point of a liquid
_BETWEEN = re.compile(r"(?<!\w)(?:entre|tra|fra|tussen|między)\s{0,2}$", re.IGNORECASE)
_A_WORD = re.compile(r" ?[^\W\d_]{3}")
_TEMP = re.compile(r"\btemp|set ?point|reefer|consigne|kühl", re.IGNORECASE)
_BARE_TEMPERATURE = re.compile(
    r"(?<!\w)(?:return air|supply air|(?:recorder|logger|probe|display) (?:shows?|showed|reads?|reading)|temp(?:eratur\w*)?\.?|core temp\w*)[^\d\n;:,+−–-]{0,18}:?[ ]?(?P<n>[+−–-]?\d{1,2}[.,]\d)(?![\w%.,]|\s?(?:°|º|[CF]\b))",
    re.IGNORECASE,
)
_HEAVIEST = 100  # tonnes on one truck
_HOTTEST = 40  # degrees without a scale
_TEMPERATURE_MEANING = tuple(
    (field, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))
    for field, words in (
        (
            "temperature_required",
            r"set ?(?:point|temp\w*|at|to)?|eingestellt(?: auf)?|réglée?s? (?:à|sur)|ajustad[oa] a|impostat[oa] a|ingesteld op|ustawion\w+ na|nastaw\w*|requir\w+|must|keep|kept|store\w*|hold|spec\w*|limit|between|carriage|maintain|soll\w*|vorgabe|zwischen|lager\w+|consigne|entre|requise?|maximum|max\.?|min\.?|requerid\w+|entre|tra|richiest\w+|tussen|vereist\w*|moet\w*|między|wymagan\w+|temp(?:erature|eratur|ératuur)? range",
        ),
        (
            "temperature_recorded",
            r"record\w*|logger|logged|read\w*|showed?|shows|showing|measured|reached|rose|risen|arrived at|probe|alarm|actual|ist|gemessen|stieg|angestiegen|zeigt\w*|relevée?|mesurée?|affich\w+|atteint|registr\w+|marcab?a?|rilevat\w+|segna\w*|gemeten|opgelopen|aangegeven|zmierzon\w+|wzros\w+|pokaz\w+|excursion|up to|(?<!set )at",
        ),
    )
)
_HAZARD = re.compile(
    r"(?<!\w)(?:(?:hazard|imdg|imo|adr|dg|danger|gefahrgut)[ -]?)?(?:class(?:e)?|cl\.|kl\.|klasse|clase|klasa|division)\.?[ ]?:?[ ]?(?P<class>[1-9](?:\.[1-6][A-S]?)?)(?![\w]|[.,]\d)",
    re.IGNORECASE,
)
_CLASS_AFTER_NAME = re.compile(  # UN1263, PAINT, 3, PG III
    r"(?<!\w)UN ?\d{4}[ ,][^\n]{0,100}?[ ,](?P<class>[1-9](?:\.[1-6])?)(?: ?\(\d(?:\.\d)?\))?,? {0,2}(?:(?:(?:PG|VG|GE|p\.g\.) ?)?I{1,3}(?!\w)|\([A-E](?:/[A-E])?\))"
)
_DANGER = re.compile(
    r"\bUN ?\d{4}\b|\bONU ?\d{4}\b|haz(?:ard|mat)|\bADR\b|IMDG|\bIATA DGR\b|dangerous|gefahrgut|dangereu|peligros|pericolos|gevaarlijk|niebezpieczn",
    re.IGNORECASE,
)
_OF_DOLLAR = {"us": "USD", "a": "AUD", "au": "AUD", "c": "CAD", "ca": "CAD", "s": "SGD", "nz": "NZD", "hk": "HKD"}
_SIGN = r"(?:US|AU?|CA?|S|NZ|HK)\$"
_MONIES = rf"{_SIGN}|EUR(?:OS?)?|USD|GBP|PLN|CHF|CZK|HUF|DKK|NOK|SEK|RON|CAD|AUD|€|\$|£|zł|złotych|dollars?|pounds"
_DOLLARS = r"(?:USD|CAD|AUD|NZD|HKD|SGD|MXN)"  # whose sign "$" may be
_DOLLARS_SAID = re.compile(rf"(?<!\w){_DOLLARS}(?!\w)", re.IGNORECASE)
_MONEY = re.compile(
    rf"(?<![\w.,])(?:\$[ ]?(?P<n3>{_AMOUNT})[ ]?(?P<c3>{_DOLLARS})(?![ ]?\d)|(?P<c1>{_DOLLARS}[ ]?\$|{_MONIES})[ ]?(?P<n1>{_AMOUNT})(?:,-+|,–)?|(?P<n2>{_AMOUNT})(?:,-+|,–)?[ ]?(?P<c2>\$[ ]?{_DOLLARS}|{_MONIES}))(?![\w]|[.,]\d)",
    re.IGNORECASE,
)
_CURRENCY = {
    "€": "EUR",
    "$": "USD",
    "£": "GBP",
    "zł": "PLN",
    "euro": "EUR",
    "euros": "EUR",
    "złotych": "PLN",
    "dollar": "USD",
    "dollars": "USD",
    "pounds": "GBP",
}
_UNITS = {"k": "KGM", "l": "LBR", "t": "TNE", "m": "TNE"}
_MONEY_MEANING = tuple(
    (field, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))
    for field, words in (
        ("goods_value", r"handelsrechnung(?: \w+){0,6}|commercial invoice(?: \w+){0,4}|worth|valued at|im wert von|d'une valeur de|por valor de|del valore di|ter waarde van|o wartości|importe total(?: de la)? factura|total invoiced? (?:amount|value)|wartość faktury|(?:goods|cargo|declared|merchandise|shipment|commercial|insured) value|value of (?:the )?(?:goods|cargo|shipment)|warenwert|gesamtwert|valeur (?:totale )?(?:de la marchandise|des marchandises|de l['’]envoi|déclarée)|valor (?:total )?(?:de la mercancía|del envío|declarado)|valore (?:totale )?(?:della merce|della spedizione|dichiarato)|goederenwaarde|wartość (?:towaru|przesyłki|ładunku)"),
        ("freight_charge", r"freight(?: (?:charge|cost|rate))?s?|rate|(?:agreed|transport|freight|haulage) (?:price|cost)|transportpreis|frachtpreis|preis für (?:den transport|die (?:fahrt|tour|fracht))|prix (?:du transport|convenu)|precio (?:del )?(?:transporte|porte)|prezzo (?:del )?trasporto|prijs (?:voor|van) (?:deze|de|het) (?:rit|transport)|vrachtprijs|ritprijs|stawka|przewoźne|line ?haul|fracht(?:kosten|rate|preis)?|fret|frais de transport|flete|nolo|vracht(?:kosten|prijs)?|fracht"),
        ("disputed_amount", r"schadenersatz|schadensersatz|schadevergoeding|dommages(?:-intérêts)?|indemni\w+|risarcimento|odszkodowani\w+|disput\w+|overcharg\w+|credit(?:ed)?|compensat\w+|penalt\w+|difference|credit note|refund|claim|surcharge|detention|waiting time|reklam\w+|gutschrift|differenz|litige|avoir|surfacturation|reclama\w+|abono|contest\w+|storno|geschil|creditnota|reklamacj\w+|roszczeni\w+"),
    )
)  # fmt: skip
_WORD_NUMBERS = {
    **dict.fromkeys(["one", "ein", "eine", "un", "une"], 1),
    **dict.fromkeys(["two", "zwei", "deux", "dos", "due", "twee", "dwa", "dwie"], 2),
    **dict.fromkeys(["three", "drei", "trois", "tres", "tre", "drie", "trzy"], 3),
    **dict.fromkeys(["four", "vier", "quatre", "cuatro", "quattro", "cztery"], 4),
    **dict.fromkeys(["five", "fünf", "cinq"], 5),
    "six": 6,
}
_LABELLED = tuple(
    (
        field,
        re.compile(
            rf"(?:^|(?<=\n)|(?<=[\d ] ))(?:\d{{1,2}}[.)]? )?(?:{words})(?: ?/ ?[\w ]{{3,25}})?\W{{0,3}}:\s+(?P<quote>{_AMOUNT})(?=\s*(?:[\n;|]|$)|\s{{2,}}|\s+[A-ZÀ-Ý][\w ]{{2,20}}:)",
            re.IGNORECASE,
        ),
    )
    for field, words in (
        ("gross_weight", r"gross(?: mass| wt\.?)?\W{1,3}kgs?|(?:gross (?:weight|mass)|gross ?wt|bruttogewicht|brutto|rohmasse|masse brute|masa bruta|massa lorda|poids brut|peso bruto|peso lordo|brutogewicht|waga brutto|weight|gewicht|peso|poids)\W{1,3}(?:in )?kgs?|kgs?"),
        ("volume", r"(?:volume|umfang|cubage|volumen|measurement|kubatuur|objętość|cube)\W{1,3}(?:in )?(?:m3|m³|cbm)"),
        ("pieces", r"(?:no\.?|number|total|nombre|número|numero|aantal|liczba|total de)? ?(?:of |de |di )?(?:pieces|packages|pkgs|cartons|parcels|pakete|pcs|packstücke|colis|bultos|colli|sztuk|opakowań)(?: rcp| totali| total(?:es|en)?)?|anzahl(?: (?:der )?(?:packstücke|colli))?|nombre|aantal"),
        ("pallets", r"(?:no\.? of |number of |total )?pallets|(?:anzahl )?paletten|(?:nombre de )?palettes|palés|(?:aantal )?pallets|palety|liczba palet"),
    )
)  # fmt: skip
_TOTAL = re.compile(
    rf"(?<!\w)(?<!sub)(?<!sub-)(?<!sub )(?:grand )?(?:total(?:e|aal)?(?: (?:carrier pay|due|amount|payable|invoice|freight|charges?|value|rate|ttc|à payer|factura|a pagar|fattura|te betalen|eur|usd|gbp|chf|brutto))*|gesamt(?:betrag|summe|wert)?|rechnungsbetrag|zu zahlen|endbetrag|importe total|te betalen|totaalbedrag|razem(?: do zapłaty)?|do zapłaty|kwota (?:brutto|do zapłaty)|amount due|invoice (?:total|value)|net à payer)"
    rf"[^\d\n]{{0,25}}?(?P<money>(?:\$[ ]?(?:{_AMOUNT})[ ]?{_DOLLARS}|(?:{_SIGN}|EUR|USD|GBP|PLN|CHF|€|(?:{_DOLLARS}[ ]?)?\$|£)[ ]?(?:{_AMOUNT})|(?:{_AMOUNT})[ ]?(?:EUR|USD|GBP|PLN|CHF|€|\$(?:[ ]?{_DOLLARS})?|£|zł)))(?![\w]|[.,]\d)",
    re.IGNORECASE,
)
_OF_TAX = re.compile(
    r"(?<!\w)(?:nett?o?|vat|tax(?:es)?|mwst|ust|tva|ht|iva|imponibile|btw)(?!\w)|(?<!\w)(?:excl|exkl|zzgl)",
    re.IGNORECASE,
)
_WITH_TAX = re.compile(
    r"incl|inkl|ttc|compr[ei]s|con iva|brutto|à payer|payable|due|te betalen|zu zahlen", re.IGNORECASE
)
_DISPUTED = re.compile(
    r"(?<!\w)(?:credit(?:ed)?|refund(?:ed)?|back|wrong\w*|disput\w+|incorrect\w*|gutschr\w+|erstatt\w+|falsch\w*|rembours\w+|avoir|à tort|abon\w+|devol\w+|rimbors\w+|accredit\w+|stornare|terug\w*|crediteren|zwr[óo]t\w*|korekt\w+)(?!\w)",
    re.IGNORECASE,
)


_FOR_LATE = re.compile(  # what the law adds to an invoice that is paid late, not the price of this transport
    r"recouvrement|recovery costs|late payment|retard de paiement|verzug|mora(?!\w)|ritardato pagamento|te late betaling|incassokosten"
    r"|odzyskiwani",
    re.IGNORECASE,
)
_ABBREVIATED = r"(?<!\bca)(?<!approx)(?<!\btemp)(?<!\bnr)(?<!\bno)(?<!\bok)(?<!\binkl)(?<!\bzzgl)(?<!\bcirc)(?<!\bapp)"
_CLAUSES = re.compile(rf"[;!?\n]|{_ABBREVIATED}\.\s", re.IGNORECASE)


def find_quantities(text: str) -> list[Span]:
    """Quantities and money in `text`, in order."""
    parts = list(_parts(text))
    wholes = list(_wholes(text, parts))
    others = [
        span
        for span in without_overlaps(list(_all(text, parts)))
        if span.field in LOSSES or not meets(span.start, span.end, wholes)
    ]
    return sorted([*wholes, *others], key=lambda span: span.start)


def _wholes(text: str, parts: Sequence[re.Match[str]]) -> Iterator[Span]:
    """How many there should be, where a part of them is spoken of: `4 colis sur 32`."""
    for match in parts:
        unit = match["unit1"] or match["unit2"]
        field = "pallets" if _IS_PALLET.fullmatch(unit) else "pieces"
        place = match.span("whole") if not match["unit2"] else (match.start("whole"), match.end("unit2"))
        if value := value_of(field, text[slice(*place)]):
            yield Span(field, value, *place, 0.76)


def find_total(text: str) -> tuple[int, int, str] | None:
    """Where the last total of an invoice or order stands, and its value."""
    for match in reversed(list(islice(_TOTAL.finditer(text), 200))):
        said = text[match.start() : match.start("money")]
        if _OF_TAX.search(said) and not _WITH_TAX.search(said):
            continue  # a part of what is to be paid
        start, end = match.span("money")
        if money := in_dollars(text, start, end):
            return money[0], end, money[1]
        if value := value_of("goods_value", text[start:end]):
            return start, end, value
    return None


def in_dollars(text: str, start: int, end: int) -> tuple[int, str] | None:
    """Where the amount after a "$" begins, and its value, if the only dollar that a page names is another country's."""
    currency = _dollar_in(text) if text.startswith("$", start) else "USD"
    if currency == "USD":
        return None
    bare = end - len(text[start:end].lstrip("$ "))
    value = in_currency(text[bare:end], currency)
    return (bare, value) if value else None


@lru_cache(maxsize=8)  # a page is asked about for each of its prices
def _dollar_in(page: str) -> str:
    named = {found[0].upper() for found in islice(_DOLLARS_SAID.finditer(page), 100)}
    return named.pop() if len(named) == 1 else "USD"


def value_of(field: str, quote: str) -> str | None:
    """`12 H87` (pieces), `33 PF` (pallets), `812 KGM`, `1.5 MTQ`, `2..8 CEL`, `1234.50 EUR`, hazard class `6.1`.

    Units are those of UN/ECE rec. 20, currencies of ISO 4217.
    """
    if field in COUNTS:
        if re.fullmatch(r"\d{1,9}|\d{1,3}(?:[., '’′]\d{3})+", quote):  # its label says what is counted
            count = int(re.sub(r"\D", "", quote))
            return f"{count} {'PF' if field == 'pallets' else 'H87'}" if count else None
        if field in LOSSES and (parts := _PART_OF.fullmatch(quote)):
            unit = parts["unit1"] or parts["unit2"] or ""
            number = parts["part"].casefold()
            return f"{_WORD_NUMBERS.get(number) or int(number)} {'PF' if _IS_PALLET.fullmatch(unit) else 'H87'}"
        match = _COUNTED.fullmatch(quote) or (_ANY_COUNTED.fullmatch(quote) if field in LOSSES else None)
        if match is None:
            return None
        number = match["n"].casefold()
        unit = "PF" if _IS_PALLET.fullmatch(match["unit"]) else "H87"
        return (
            f"{_WORD_NUMBERS[number] if number in _WORD_NUMBERS else int(''.join(filter(str.isdigit, number)))} {unit}"
        )
    if field in TEMPERATURES:
        match = _TEMPERATURE.fullmatch(quote)
        if match is None and re.fullmatch(r"[+−–-]?\d{1,2}[.,]\d", quote):  # its words say that it is a temperature
            return f"{_signed(quote):g} CEL"
        return _degrees(match) if match else None
    if field == "volume":
        match = _VOLUME.fullmatch(quote)
        amount = match["n"] if match else quote if re.fullmatch(_AMOUNT, quote) else None  # its label says cubic metres
        if amount is None:
            return None
        small = re.fullmatch(r"\d{1,3}[.,]\d{3}", amount)  # no load has a thousand cubic metres
        amount = amount.replace(",", ".") if small else plain_number(amount, decimals=3)
        return f"{Decimal(amount).normalize():f} {'FTQ' if match and match['feet'] else 'MTQ'}"
    if field == "hazard_class":
        return quote.upper() if re.fullmatch(r"[1-9](?:\.[1-6][A-S]?)?", quote, re.IGNORECASE) else None
    if field == "gross_weight":
        if exact := _IN_GRAMS.fullmatch(quote):
            return f"{Decimal(exact['n'].replace(',', '.')).normalize():f} KGM"
        if re.fullmatch(_AMOUNT, quote):  # its label says kilograms
            return f"{plain_number(quote, decimals=3)} KGM"
        match = re.fullmatch(rf"({_AMOUNT})\s?((?i:k(?:gs?|ilo\w*)|lbs?|mt|t(?:ons?|onn\w*|onelad\w*)?))", quote)
        if match is None:
            return None
        unit, amount = _UNITS[match[2][0].lower()], match[1]
        if unit == "TNE" and re.fullmatch(r"\d{1,3}[.,]\d{3}", amount):  # to the kilogram
            return f"{Decimal(amount.replace(',', '.')).normalize():f} TNE"
        return f"{plain_number(amount, decimals=3)} {unit}"
    match = _MONEY.fullmatch(quote)
    if match is None:
        return None
    symbol = (match["c1"] or match["c2"] or match["c3"]).lower()
    amount = Decimal(plain_number(match["n1"] or match["n2"] or match["n3"], decimals=2))
    return f"{amount:.2f} {_currency(symbol)}"


def _all(text: str, parts: Sequence[re.Match[str]]) -> Iterator[Span]:
    for field, pattern in (("pallets", _PALLETS), ("pieces", _PIECES)):
        for match in pattern.finditer(text):
            if not _COLUMN_AFTER.match(text, match.end()):
                score = 0.7 if field == "pieces" and _ITEM.search(match[0]) else 0.74
                yield Span(field, value_of(field, match[0]) or "", match.start(), match.end(), score)
    yield from _losses(text, parts)
    yield from _temperatures(text)
    for match in _BARE_TEMPERATURE.finditer(text):
        yield Span("temperature_recorded", f"{_signed(match['n']):g} CEL", match.start("n"), match.end("n"), 0.6)
    for match in _VOLUME.finditer(text):
        yield Span("volume", value_of("volume", match[0]) or "", match.start(), match.end(), 0.85)
    if _DANGER.search(text):
        for match in _HAZARD.finditer(text):
            yield Span("hazard_class", match["class"].upper(), *match.span("class"), 0.85)
        for match in _CLASS_AFTER_NAME.finditer(text):
            yield Span("hazard_class", match["class"], *match.span("class"), 0.8)
    for match in _WEIGHT.finditer(text):
        if match["u2"] is None and _BOX_AFTER.match(text, match.end() - 2):
            continue
        named = (match["u1"] or "").casefold().startswith("k")  # what stands behind it then is another unit's column
        place = match.span("n" if named else "quote")
        value = value_of("gross_weight", text[slice(*place)]) if named or match["u2"] else None
        if value is not None:
            gross = re.match(r"gross|g\.?w|brut|poids brut|peso (?:bruto|lordo)|waga brutto", match[0], re.IGNORECASE)
            score = 0.6 if not gross else 0.75 if named else 0.9
            yield Span("gross_weight", value, *place, score)
    for field, pattern in _LABELLED:
        for match in pattern.finditer(text):
            if value := value_of(field, match["quote"]):
                yield Span(field, value, *match.span("quote"), 0.75)
    for match in _BARE_WEIGHT.finditer(text):
        if _POSTCODE_BEFORE.search(text, max(0, match.start() - 6), match.start()) and len(match[0]) == 3:
            continue  # OL16 5LB
        if value := value_of("gross_weight", match["quote"]):
            if value.endswith(" TNE") and Decimal(value.split()[0]) > _HEAVIEST and match[0][-1] in "tT":
                continue  # KR 8814 T is a plate
            yield Span("gross_weight", value, match.start(), match.end(), 0.5)
    for match in _MONEY.finditer(text):
        before = _CLAUSES.split(text[max(0, match.start() - 50) : match.start()])[-1]
        best = max(
            ((m.end(), field) for field, pattern in _MONEY_MEANING for m in pattern.finditer(before)), default=None
        )
        value = value_of("goods_value", match[0])
        if best is not None and best[1] == "disputed_amount" and _FOR_LATE.search(before):
            continue
        if best is not None and value is not None:
            yield Span(best[1], value, match.start(), match.end(), 0.75)
        elif value is not None and _DISPUTED.search(text, match.end(), match.end() + 120):
            yield Span("disputed_amount", value, match.start(), match.end(), 0.55)


def money_at(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the money stands that a cell begins with, whatever is said of it: `480,00 EUR oltre IVA`."""
    match = _MONEY.match(text, start, end)
    return match.span() if match else None


_PRICE = re.compile(r"[.,]\d\d$")
_IN_GRAMS = re.compile(
    r"(?P<n>[2-9]\d{2}[.,]\d{3})(?:\s?kgs?)?", re.IGNORECASE
)  # no load weighs 571 tonnes: to the gram
_AMOUNT_ALONE = re.compile(rf"(?P<quote>{_AMOUNT})(?: ?(?P<unit>[A-Za-zÀ-ž³]{{1,12}}\.?(?: [a-zà-ž]{{1,4}})?))?")


def in_pounds(weight: str) -> str:
    """A weight that was taken for kilograms, where something else than its own words says that it is in pounds."""
    return weight.replace(" KGM", " LBR")


_POUNDS = re.compile(r"(?<![^\W\d])(?:lbs?|pounds?)(?!\w)", re.IGNORECASE)
_KILOGRAMS = re.compile(r"(?<![A-Za-z])kgs?(?![A-Za-z])|kilo", re.IGNORECASE)


@lru_cache(maxsize=8)  # a page is asked about for each of its weights
def knows_pounds_alone(page: str) -> bool:
    """Whether a page speaks of pounds and never of kilograms: what it weighs without a unit is in pounds."""
    return _POUNDS.search(page) is not None and _KILOGRAMS.search(page) is None


def captioned(field: str, text: str, start: int, end: int, caption: str) -> Span | None:
    """The amount that a cell holds whose caption names `field`, alone or with its unit; None where there is more."""
    match = _AMOUNT_ALONE.fullmatch(text, start, end)
    if match is None:
        return None
    if field in COUNTS:
        if not re.fullmatch(r"\d{1,6}|\d{1,3}[., '’′]\d{3}", match["quote"]):
            return None
        pallets = field not in LOSSES and match["unit"] and _IS_PALLET.match(match["unit"])
        place, field = match.span("quote"), "pallets" if pallets else field
    elif field == "gross_weight" and not match["unit"] and _PRICE.search(match["quote"]):
        return None
    else:
        place = match.span() if match["unit"] else match.span("quote")
    value = value_of(field, text[slice(*place)])
    bare = field == "gross_weight" and not match["unit"]
    if value and bare and (_POUNDS.search(caption) or knows_pounds_alone(text)):
        value = in_pounds(value)
    return Span(field, value, *place, 0.79) if value else None


_NOUN = r"(?P<unit>[^\W\d_][\w'’.-]{2,})"
_ANY_COUNTED = re.compile(rf"(?<![\w.,/#-])(?P<n>\d{{1,4}}|{_ONE})[ ](?:x )?{_NOUN}", re.IGNORECASE)
_NOT_COUNTED = re.compile(
    r"(?:days?|hours?|hrs?|min\w*|kgs?|lbs?|mm|cm|km|tage?|stunden?|jours?|heures?|días?|horas?|giorni|ore|dagen|uur|dni|godz\w*|eur|usd|°\w?|uhr|position\w*|pos)\.?",
    re.IGNORECASE,
)


def find_losses(text: str) -> Iterator[Span]:
    """What a note counts as missing or damaged, whatever it is: `3 pails dented`, `manque 2 palettes`."""
    for match in islice(_ANY_COUNTED.finditer(text), 20):
        if _NOT_COUNTED.fullmatch(match["unit"]):
            continue
        yield from _loss(text, match)


def tells_of_loss(text: str) -> bool:
    """Whether `text` counts what is missing or damaged: `1 box ochre missing`."""
    said = without_accents(text)
    return _SOME.match(text) is not None and any(words.search(said) for _, words in _LOSS)


def _parts(text: str) -> Iterator[re.Match[str]]:
    """Where a part of a whole is counted: `3 of the 12 pallets`."""
    for match in _PART_OF.finditer(text):
        named = match["unit2"] or (match["unit1"] and not re.search(r"(?<!out) of \d", match[0], re.IGNORECASE))
        if named and int(re.sub(r"\D", "", match["part"]) or 1) < int(re.sub(r"\D", "", match["whole"])):
            yield match


def _losses(text: str, parts: Sequence[re.Match[str]]) -> Iterator[Span]:
    """Counts with a word of loss in the same clause, no other count between: `2 ctn short`, `es fehlen 3 Kartons`."""
    for match in parts:
        for span in _loss(text, match):
            yield span._replace(score=0.82)
    for match in _COUNTED.finditer(text):
        if not any(part.start() <= match.start() < part.end() for part in parts):
            yield from _loss(text, match)


_NONE_OF_IT = re.compile(
    r"\W{0,3}(?:keine?|none|nil|no|aucune?|ningun[oa]?|nessun[oa]?|geen|brak)(?!\w)", re.IGNORECASE
)


def _loss(text: str, match: re.Match[str]) -> Iterator[Span]:
    before = re.split(r"[.;!?\n]", text[max(0, match.start() - 30) : match.start()])[-1]
    after = re.split(r"[.;:!?\n,]|\d", text[match.end() : match.end() + 30])[0]
    before, after = without_accents(before), without_accents(after)
    near: list[tuple[int, str]] = []
    for field, words in _LOSS:
        near += [(m.start(), field) for m in words.finditer(after) if not _NONE_OF_IT.match(after, m.end())]
        near += [
            (len(before) - m.end() + 5, field)
            for m in words.finditer(before)
            if not re.search(r"\d", before[m.end() :])
        ]
    if near and (value := value_of(min(near)[1], match[0])):
        yield Span(min(near)[1], value, match.start(), match.end(), 0.8)


def _temperatures(text: str) -> Iterator[Span]:
    for found in _TEMPERATURE.finditer(text):
        match: re.Match[str] | None = found
        if found["between"] and not _BETWEEN.search(text, max(0, found.start() - 12), found.start()):
            match = _TEMPERATURE.match(text, found.start("high"))  # two readings, or the number of something else
        if match is None:
            continue
        value = _degrees(match)
        signed = match["low"].strip().startswith(("+", "-", "−", "–"))
        before = _CLAUSES.split(text[max(0, match.start() - 50) : match.start()])[-1]
        if _NO_READING.search(before) or _CLOSED_CUP.match(text, match.end()):
            continue
        if value is None or (match["letter"] and not match["high"] and not signed and not _TEMP.search(before)):
            continue  # "5 C" alone is as likely a dock
        on_line = "" if match[0].startswith("\n") else before  # the match may begin with the line's end
        named = signed or match["high"] or _TEMP.search(on_line)
        ordinal = not named and _A_WORD.match(text, match.end())  # "1° carico"
        if not match["letter"] and not match["scale"] and (ordinal or abs(_signed(match["low"])) > _HOTTEST):
            continue  # an angle
        said = max(
            ((m.end(), field) for field, words in _TEMPERATURE_MEANING for m in words.finditer(before)), default=None
        )
        field = (
            "temperature_required"
            if match["high"] or before.strip(" :").casefold() in ("temp", "temperature", "temperatur", "température")
            else said[1]
            if said
            else "temperature_recorded"
        )
        yield Span(field, value, match.start(), match.end(), 0.8 if said else 0.6)


def _degrees(match: re.Match[str]) -> str | None:
    scale = "FAH" if (match["scale"] or match["letter"] or "C")[0] in "fF" else "CEL"
    low, high = (_signed(match[name]) if match[name] else None for name in ("low", "high"))
    if low is None or high is None:
        return f"{low:g} {scale}"
    low, high = from_cold(low, high)
    return f"{low:g}..{high:g} {scale}" if low < high else None


def from_cold(low: float, high: float) -> tuple[float, float]:
    """The ends of a range, the colder first: below zero it is told either way, "-6 to -9"."""
    return (high, low) if high < low <= 0 else (low, high)


def _signed(text: str) -> float:
    return float(re.sub(r"\s", "", text).replace(",", ".").replace("−", "-").replace("–", "-"))


_CODES = re.compile(
    rf"(?<![A-Za-z])(?:{_SIGN}|(?:EUR|USD|GBP|PLN|CHF|CZK|HUF|DKK|NOK|SEK|RON|CAD|AUD|NZD|HKD|SGD|JPY|CNY|INR|AED|ZAR|TRY)(?![A-Za-z]))|[€£$]|zł"
)
_BARE = re.compile(rf"(?:{_AMOUNT})", re.IGNORECASE)


def currencies_in(text: str) -> set[str]:
    """The ISO 4217 codes of the currencies that are named anywhere in `text`."""
    said = {found[0] for found in islice(_CODES.finditer(text), 500)}
    return {_dollar_in(text) if sign == "$" else _currency(sign.lower()) for sign in said}


def _currency(symbol: str) -> str:
    symbol = symbol.strip("$ ") or symbol
    symbol = _OF_DOLLAR.get(symbol, symbol)
    return _CURRENCY.get(symbol, symbol.upper())


def in_currency(amount: str, currency: str) -> str | None:
    """An amount that stands without its currency, in that one; None where it is no amount of money."""
    if not _BARE.fullmatch(amount) or not re.search(r"[.,]\d{2}$", amount):
        return None
    return f"{plain(amount):.2f} {currency}"


def is_money(words: str) -> bool:
    """Whether words are an amount of money, with its currency or without."""
    return _MONEY.fullmatch(words) is not None or in_currency(words, "EUR") is not None


def plain(amount: str) -> Decimal:
    """An amount of money as written, `1.234,50`."""
    return Decimal(plain_number(amount, decimals=2))


def plain_number(amount: str, *, decimals: int) -> str:
    """`1.234,50` and `1,234.50` as `1234.50`: the last separator is the decimal one unless it sets off thousands."""
    amount = re.sub(r"[ '’′]", "", amount)
    last = max(amount.rfind("."), amount.rfind(","))
    if last < 0:
        return str(int(amount))
    fraction = amount[last + 1 :]
    separators = amount.count(".") + amount.count(",")
    thousands = (
        len(fraction) == 3
        and re.match(r"\d{1,3}(?!\d)", amount)
        and (separators == 1 or amount.count(amount[last]) > 1)
        and (decimals < 3 or amount[:last] != "0")
    )
    if thousands:
        return str(int(re.sub(r"[.,]", "", amount)))
    fraction = fraction.rstrip("0")  # 7,936.00 is no other weight than 7936
    whole = int(re.sub(r"[.,]", "", amount[:last]) or 0)
    return f"{whole}.{fraction}" if fraction else str(whole)
