"""Documents among the attachments: their type and their text, page by page."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, cast

from extractors.captions import without_accents
from extractors.message import Value
from extractors.words_of_types import Words, likeliest

DocumentType = Literal[
    "bill_of_lading",
    "cmr_waybill",
    "air_waybill",
    "delivery_note",
    "packing_list",
    "proof_of_delivery",
    "rate_confirmation",
    "freight_invoice",
    "commercial_invoice",
    "dangerous_goods_declaration",
    "customs_document",
    "carrier_notice",
    "damage_report",
    "other_document",
]


class Page(Value):
    """One page: `text` in reading order, `number` from 1, size in PDF points (in pixels for a picture)."""

    number: int
    width: float
    height: float
    text: str


class LineItem(Value):
    """One line of a table of goods; quantities are numbers as text (`12`, `2.5`), null where there is no such column."""

    page: int
    sku: str | None = None
    description: str | None = None
    ordered: str | None = None
    delivered: str | None = None
    box: tuple[float, float, float, float] | None = None


class Document(Value):
    """One attachment that was read, or the reason why it could not be (`problem`, a sentence for people)."""

    part: str
    filename: str
    type: DocumentType
    confidence: float
    page_count: int
    ocr: bool = False
    pages: tuple[Page, ...] = ()
    line_items: tuple[LineItem, ...] = ()
    problem: str | None = None


# A name of the document as it stands at its head, in the languages of the service. Titles that hold others come first.
_TITLES: tuple[tuple[DocumentType, str], ...] = (
    ("proof_of_delivery", r"bezorg(?:bewijs|bevestiging)|ablieferquittung|empfangsquittung|zustell(?:quittung|bestätigung)|attestation de livraison|constancia de entrega|quietanza di consegna|attestazione di consegna|leveringsbevestiging|bevestiging van (?:levering|aflevering)|pokwitowanie (?:odbioru|dostawy)|proof of delivery|p\.?o\.?d\.?(?=\s|$)|delivery ?receipt(?: consignee copy)?|delivery confirmation|abliefer(?:ungs?)?(?:nachweis|beleg)|zustell(?:nachweis|beleg)|empfangsbestätigung|preuve de livraison|récépissé de livraison|prueba de entrega|(?:comprobante|confirmación|justificante) de entrega|(?:prova|conferma|ricevuta) di consegna|bewijs van aflevering|aflever(?:ings)?bewijs|ontvangstbewijs|potwierdzenie (?:dostawy|odbioru|doręczenia)|protokół (?:dostawy|odbioru|zdawczo-odbiorczy)"),
    ("dangerous_goods_declaration", r"adr[- ](?:transport document|vervoersdocument|beförderungspapier)|vervoersdocument gevaarlijke|documento d[ie] (?:trasporto|transporte) (?:di |de |per |para )?(?:merci pericolose|mercancías peligrosas|adr)|document de transport adr|carta de porte adr|dokument przewozowy (?:adr|towarów niebezpiecznych)|imo declaration|document de transport \W{1,3}marchandises dangereuses|marchandises dangereuses par route|dangerous goods (?:declaration|note)|shipper's declaration for dangerous goods|multimodal dangerous goods|beförderungspapier|gefahrgut(?:erklärung|anmeldung|beförderung\w*)|déclaration de (?:chargement de )?(?:marchandises|matières) dangereuses|declaración de mercancías peligrosas|dichiarazione (?:di )?merci pericolose|gevaarlijke stoffen|deklaracja towarów niebezpiecznych"),
    ("air_waybill", r"air ?waybill|\b[mh]?awb\b|luftfrachtbrief|lettre de transport aérien|lettera di vettura aerea"),
    ("bill_of_lading", r"sjøfraktbrev|ladeschein|(?:straight )?bill of lading|\bb/l\b|sea ?waybill|konnossement|connaissement|conocimiento de embarque|polizza di carico|cognossement|konosament"),
    ("customs_document", r"declaración del valor|déclaration de (?:la )?valeur en douane|dichiarazione del valore|zollwertanmeldung|(?:customs value|valuation) declaration|clearance permit|(?:export|transit) (?:declaration|accompanying document)|versandbegleitdokument|(?:transit|uitvoer)begeleidingsdocument|document d['’]accompagnement (?:export|transit|d['’]exportation)|documento de acompañamiento (?:de )?(?:exportación|tránsito)|documento di accompagnamento (?:esportazione|export|transito)|bolletta doganale|(?:karnet|carnet) a\.?t\.?a\b|ata carnet|import entry(?: advice)?|customs (?:declaration|notice|hold|examination|clearance)|export accompanying document|ausfuhrbegleitdokument|zoll(?:anmeldung|bescheid|erklärung)|\bt1\b|\beur\.?1\b|\bmrn\b|déclaration en douane|declaración aduanera|dichiarazione doganale|douane(?:aangifte)?|zgłoszenie celne"),
    ("rate_confirmation", r"confirmación de (?:carga|transporte|flete)|confirmation de (?:chargement|transport)|conferma di (?:carico|trasporto)|(?:lade|transport)bestätigung|transportbevestiging|potwierdzenie (?:zlecenia|załadunku)|(?:sub-?contract )?haulage (?:order|confirmation)|carriage order|dispatch order|conferma (?:di |d['’]\s?)incarico|sub-?contract(?:or)? order|tender details|rate confirmation|load confirmation|carrier (?:rate )?confirmation|load tender|(?:carrier )?load agreement|transport (?:order|instruction)|transportauftrag|frachtauftrag|ladeauftrag|(?<!frachtbrief\s/\s)speditionsauftrag|beförderungsauftrag|(?:confirmation|ordre) d['’]affrètement|ordre de transport|orden de (?:carga|transporte)|ordem de carga|ordine di (?:trasporto|carico)|incarico di trasporto|(?:transport|vervoers|laad)opdracht|zlecenie (?:transportowe|spedycyjne|przewozu)"),
    ("commercial_invoice", r"commercial (?:[/&] |and )?(?:customs )?invoice|customs invoice|pro ?forma invoice|handelsrechnung|proformarechnung|facture (?:commerciale|pro ?forma)|factura comercial|fattura (?:commerciale|proforma)|handelsfactuur|faktura handlowa"),
    ("freight_invoice", r"gutschrift(?=-nr)|self[- ]bill(?:ing)?(?: invoice)?|freight (?:invoice|bill)|(?:carrier|transport|haulage) invoice|(?:fracht|sammel|transport|speditions|monats)rechnung|invoice|rechnung|facture|factura|fattura|factuur|faktura"),
    ("packing_list", r"note de colisage|packzettel|kolliliste|elenco colli|lista colli|lista de embalaje|verpakkingslijst|paklist|specyfikacja (?:ładunku|pakowania)|packing (?:list|slip)|packliste|liste de colisage|lista de (?:empaque|contenido|bultos)|packing-list|distinta (?:di )?imballaggio|paklijst|lista pakowa|specyfikacja wysyłkowa"),
    ("delivery_note", r"levering(?:sbon|snota)|bordereau de livraison|bon d['’]expédition|versandschein|warenbegleitschein|nota di consegna|d[ei]spatch note|goods delivery note|guía de remisión|nota de remisión|dowód dostawy|delivery (?:note|slip|docket)|lieferschein|bon de livraison|albarán|nota de entrega|documento di trasporto|bolla di (?:consegna|reso)|\bd\.?d\.?t\b\.?|pakbon|leverbon|afleverbon|dokument (?:dostawy|wz)|wydanie zewnętrzne|\bwz\b|list dostawy"),
    ("damage_report", r"perizia (?:di )?dann[io]|rapporto di perizia|(?:havarie|schaden)(?:gutachten|zertifikat)|rapport d['’]expertise|(?:informe|acta) de peritaje|expertiserapport|denuncia (?:di )?dann[io]|(?:damage )?survey report|presentation of loss (?:and|or|&) damage(?: claims?)?|cargo claim(?: form)?|verbale di (?:contestazione|accertamento)|schadensaufnahme|tatbestandsaufnahme|procès-verbal de constat|schadeaangifte|protokół (?:uszkodzenia|rozbieżności)|notice of (?:loss|damage)|over ?[/,] ?short(?: ?[/,&] ?damaged?)?|(?:freight )?damage (?:report|notification|protocol)|damages? (?:&|and) shortages?|os&?d report|(?:discrepancy|exception) report|constat (?:contradictoire|de réserves)|lettre de réserves|schadens?(?:meldung|protokoll|bericht|anzeige)|(?:rapport|constat|déclaration) (?:de dommages?|d['’]avaries?)|(?:parte|informe|acta) de (?:daños|incidencias?|averías)|réserves (?:sur|à) (?:la )?livraison|verbale di (?:danno|constatazione)|rapporto danni|schade(?:rapport|melding|formulier|protocol)|protokół (?:szkody|szkodowy|reklamacyjny|niezgodności)|protokol o škode"),
    ("other_document", r"delivery order|lieferauftrag|ordre de livraison|bon à délivrer|orden de entrega|ordine di consegna|uitleveringsopdracht|zlecenie wydania|kwit wagowy|ticket de (?:báscula|bascule)|(?:qualitäts)?prüfbericht|torschein|passierschein|(?:bollettino|scontrino) di pesatura|ticket de pesaje|packing declaration|certificate of (?:insurance|quality|analysis|conformity)|insurance certificate|versicherungszertifikat|(?:qualitäts|analysen|prüf)zertifikat|werkszeugnis|certificat (?:d['’](?:assurance|analyse)|de (?:qualité|conformité))|certificado de (?:seguro|calidad|análisis)|certificato di (?:assicurazione|qualità|conformità)|certificaat van verzekering|(?:verzekerings|kwaliteits)certificaat|świadectwo (?:kontroli )?jakości|certyfikat (?:ubezpieczenia|jakości)|protokół (?:kontroli|pomiaru) temperatury|shipper['’]?s letter of instructions?|equipment interchange receipt|recibo de intercambio de equipos?|warehouse receipt|avis de réception en entrepôt|lagerempfangsschein|(?:verified gross mass|vgm) (?:declaration|certificate)|(?:confirmación de )?cita de (?:des)?carga|zeitfenster(?:buchung|bestätigung)|retourbon|retourenschein|bon de retour|return(?:s)? note|albarán de devolución|temperature (?:(?:data )?(?:logger|recorder) )?(?:log|record(?:ing)?|report|chart)|temperatur(?:protokoll|schrieb|aufzeichnung)|(?:relevé|enregistrement) (?:de |des )?températures?|(?:registro|informe) (?:de control )?de temperaturas?|rapport de (?:contrôle de )?températures?|(?:rapporto|relazione) (?:di controllo )?(?:della )?temperatura|temperature control report|temperatur(?:kontroll)?bericht|raport (?:kontroli )?temperatury|(?:registrazione|tracciato) (?:delle )?temperature|(?:rittenrapport )?temperatuur(?:log|registratie|rapport)?|(?:rejestr|wydruk|zapis) temperatur\w*|weighbridge ticket|weigh ticket|wiegeschein|wiegenote|weegb(?:on|rief)|bon de pesée|certificate of origin|ursprungszeugnis|certificat d['’]origine|certificado de origen|certificato d['’]origine|certificaat van oorsprong|świadectwo pochodzenia|gate pass|paletten(?:schein|beleg)|lademittelschein|pallet (?:note|voucher|transfer)"),
    ("carrier_notice", r"(?:verspätungs|verzögerungs)(?:anzeige|avis|mitteilung|meldung)|notification (?:of delay|de retard)|(?:notificación|comunicado) de (?:retraso|demora|incidencia)|(?:comunicazione|segnalazione) (?:di )?ritardo|vertragings(?:melding|bericht)|powiadomienie o opóźnieniu|service (?:disruption|bulletin|advisory)|schedule (?:advisory|change)|zustellhindernis|avis de souffrance|aviso de (?:almacenaje|atraso)|bokningsbekräftelse|notice of (?:cargo )?hold|late arrival|verspätete (?:zustellung|lieferung|anlieferung)|vertraging(?: van)? (?:container|zending|levering|transport)|booking (?:confirmation|amendment)|(?:vessel|shipment|consignment|delivery) delay(?:ed)?|delay(?:ed)? (?:of|to|in) |(?:delay|arrival|shipment|service|exception|embargo|weather) (?:notice|alert|advisory|notification)|notice of (?:delay|arrival)|verspätungsmeldung|ankunftsavis|avis (?:de retard|d'arrivée)|aviso de (?:retraso|llegada)|avviso di (?:ritardo|arrivo|giacenza|mancata consegna)|avis d['’](?:instance|avarie)|aviso de (?:llegada|incidencia)|aankomstbericht|awizo|zawiadomienie o opóźnieniu"),
    ("cmr_waybill", r"\bcmr\b|goods transport note|lorry receipt|(?:international )?consignment note|(?:internationaler )?frachtbrief|lettre de voiture(?: internationale)?|carta de porte|lettera di vettura|vrachtbrief|(?:międzynarodowy )?list przewozowy"),
)  # fmt: skip
_TITLE = tuple((kind, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)) for kind, words in _TITLES)
_PLAIN_TITLE = tuple(  # as titles are often set: without accents, or with blanks between letters and none between words
    (kind, re.compile(rf"(?<!\w)(?:{without_accents(words).replace(' ', ' ?')})(?!\w)", re.IGNORECASE))
    for kind, words in _TITLES
)
_ANY_TITLE = re.compile("|".join(pattern.pattern for _, pattern in _PLAIN_TITLE), re.IGNORECASE)  # few lines have one
_DROPPED_CAPITAL = re.compile(r"^([A-Z]) (?=\w{4})")  # "C OMMERCIAL INVOICE": the first letter is set larger
_SPACED = re.compile(r"(?<!\w)(?:(?:\w ){3,}\w|(?:[A-Z]{1,2} ){4,}[A-Z]{1,2})(?!\w)")
_HEAD_LINES = 8
_UNSURE, _LIKELY = 0.6, 0.4  # below that a title is no proof; from that on the words are heard (dev, makers held out)
_REFERENCE = re.compile(
    r"[ .:#-]{0,3}(?:no|nr|n[°º]|number|nummer|numero|número|numéro)?[ .:#]{0,3}[A-Z/-]{0,6}\d", re.IGNORECASE
)
_SALUTATION = re.compile(
    r"(?:dear|to whom it may|geachte|beste|sehr geehrte\w?|guten tag|madame|monsieur|bonjour|estimad[oa]s?|muy señores|gentil[ei]|spett\.? cliente|egregi|szanown[ia]|dzień dobry)(?!\w)[^:]{0,60}[,:]?$",
    re.IGNORECASE,
)
_OF_A_LETTER, _LINES_OF_LETTER = 2.0, 80  # points; lines before its text begins
_OF_FREIGHT = re.compile(
    r"fre?igh?t|carrier|transport|haulage|fracht|fret", re.IGNORECASE
)  # "Invoice" alone is of any kind
_SPEAKS_OF_FREIGHT = re.compile(
    rf"{_OF_FREIGHT.pattern}|trasport|vracht|flete|portes|nolo\b|spedition|spedizion|line ?haul|shipment|fuel|diesel|przew[oó]z|spedyc",
    re.IGNORECASE,
)
_LONG_TITLE = 10  # letters
_BEFORE_TITLE = 12  # letters of a line: "STRAIGHT", "Copy"
_NUMBER_OF_IT = re.compile(
    r"[ \t]*+(?:(?:no|nr|n[°ºo]|num|number|nummer|numero|número|numéro|n)\b\.?)?[ \t]*+[:#.°º]?[ \t]*+(?P<value>[A-Z]{1,3} \d[\d./-]{2,}|(?=\S*\d\S*\d)[A-Z0-9][A-Z0-9./_-]{1,23}[A-Z0-9])\.?[ \t]*+",
    re.IGNORECASE,
)
_FILENAME_SEPARATORS = re.compile(r"[_\W]+")


def is_title(words: str) -> bool:
    """Whether `words` are the name of a kind of document and little else."""
    return any(_is_most_of(pattern, words) for _, pattern in _TITLE)


def number_in_title(text: str, kind: DocumentType) -> tuple[int, int] | None:
    """Where the number stands that follows the name of the document and ends its line: `Frachtrechnung PD-26/0446`."""
    start = 0
    titles = [pattern for of, pattern in _TITLE if of == kind]
    for line in text.split("\n"):
        for match in (m for pattern in titles if (m := pattern.search(line[:80]))):
            number = _NUMBER_OF_IT.fullmatch(line, match.end())
            if number and match.start() < _BEFORE_TITLE:
                return start + number.start("value"), start + number.end("value")
        start += len(line) + 1
    return None


def recognise(
    text: str, filename: str = "", headlines: Collection[str] = (), words: Words | None = None
) -> tuple[DocumentType, float]:
    """The type of a document by its title, or by the words of its first page where no title is sure."""
    kind, confidence = by_title(text, filename, headlines)
    if confidence < _UNSURE:
        other, likely = likeliest(text, words)
        if likely >= _LIKELY:
            return cast(DocumentType, other), round(min(likely, 0.95), 2)
    return kind, confidence


def by_title(text: str, filename: str = "", headlines: Collection[str] = ()) -> tuple[DocumentType, float]:
    """The type of a document by the names that stand in its text, those at its head, in large print (`headlines`) and
    by themselves counting most.

    Confidence is the share of the winner in all that was found, kept low where the only hint is in running text.
    """
    points: dict[DocumentType, float] = {}
    lines = [_plainly(line.strip()) for line in text[:6000].split("\n") if line.strip()]
    headlines = [_plainly(headline) for headline in headlines]
    titles = [(i, line) for i, line in enumerate(lines[:120]) if _ANY_TITLE.search(line[:200])]
    taken: set[tuple[int, int]] = set()
    for kind, pattern in _PLAIN_TITLE:
        for i, line in titles:
            named = [(i, at) for match in pattern.finditer(line[:200]) for at in range(match.start(), match.end())]
            if not named or not taken.isdisjoint(named):
                continue
            taken.update(named)
            share = len(named) / len(line)
            large = any(line.startswith(h) or (h in line and _is_most_of(pattern, h)) for h in headlines)
            large = large and (kind != "freight_invoice" or _OF_FREIGHT.search(line) is not None)
            weight = (3.0 if i < _HEAD_LINES or large else 0.5) * (1.0 if share > 0.5 or large else 0.4)
            if i < _HEAD_LINES and any(_is_in_capitals(match) for match in pattern.finditer(line[:200])):
                weight = 3.0  # "HANDELSFACTUUR Nr. RB-26-3381 Datum 30-11-2026"
            elif (
                kind != "customs_document"
                and share <= 0.5
                and not large
                and all(_REFERENCE.match(line, at.end()) for at in pattern.finditer(line[:200]))
            ):
                weight = 0.1  # another document is mentioned by its number
            points[kind] = points.get(kind, 0.0) + min(weight, 3.0 - min(points.get(kind, 0.0), 2.9))
        if pattern.search(_FILENAME_SEPARATORS.sub(" ", without_accents(filename))):
            points[kind] = points.get(kind, 0.0) + 1.0
    if any(_SALUTATION.match(line.strip()) for line in text[:6000].split("\n")[:_LINES_OF_LETTER]):
        points["carrier_notice"] = points.get("carrier_notice", 0.0) + _OF_A_LETTER
    if not points:
        return "other_document", 0.3
    best = max(points, key=lambda kind: points[kind])
    total = sum(points.values())
    most = 0.5 if best == "freight_invoice" and not _SPEAKS_OF_FREIGHT.search(text) else 0.95
    return best, round(min(most, points[best] / total * min(1.0, 0.35 + points[best] / 4)), 2)


def _is_in_capitals(title: re.Match[str]) -> bool:
    return title.start() == 0 and title[0].isupper() and len(title[0]) >= _LONG_TITLE


def _plainly(line: str) -> str:
    line = _SPACED.sub(lambda match: match[0].replace(" ", ""), line)
    return without_accents(_DROPPED_CAPITAL.sub(r"\1", line))


def _is_most_of(pattern: re.Pattern[str], words: str) -> bool:
    return any(len(match[0]) * 2 > len(words) for match in pattern.finditer(words))
