"""Who sends, carries, receives and signs, and where: names and addresses behind the words that say what they are."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice

from extractors import signing
from extractors.captions import caption_of
from extractors.documents import is_title
from extractors.evidence import Span, without_overlaps
from extractors.quantities import PACKED, is_money

PARTIES = frozenset(["shipper", "consignee", "notify_party", "carrier"])
ADDRESSES = frozenset(["pickup_address", "delivery_address"])
SEVERAL_LINES = PARTIES | ADDRESSES | {"description", "remarks"}  # what may go on in the next line of a box
PERSONS = frozenset({"driver_name", "received_by"})
FIELDS = PARTIES | ADDRESSES | PERSONS | {"remarks", "description", "signed"}
PLACE_OF = {  # where an address stands after the caption of a date, "Delivered", it is the place
    "pickup_actual": "pickup_address",
    "pickup_planned": "pickup_address",
    "delivered_at": "delivery_address",
    "eta_original": "delivery_address",
}
WHEN_THERE = {"pickup_address": "pickup_planned", "delivery_address": "eta_original"}  # dates in these boxes
_WHO_IS_THERE = {"pickup_address": "shipper", "delivery_address": "consignee"}
ADDRESS_OF = {party: address for address, party in _WHO_IS_THERE.items()}
_MAX = 100
_LONGEST = 200

# What stands on a form or before a colon. Of two labels that fit, the longer one is meant.
_LABELS: tuple[tuple[str, str], ...] = (
    ("shipper", r"shipper(?: ?/ ?exporter)?|shipper'?s name(?: and address)?|exporter|exportador|esportatore|eksporter|consignor|sender|ship(?:ped)? from|seller|vendor|absender|versender|ausführer|exporteur|exportateur|auftraggeber|verkäufer|expéditeur|remettant|vendeur|remitente|expedidor|cargador|vendedor|mittente|speditore|venditore|afzender|verkoper|nadawca|sprzedawca|wysyłający"),
    ("consignee", r"consignee(?:'?s name(?: and address)?)?|receiver|recipient|customer|buyer|importer|ship(?:ped)? ?to|deliver(?:ed)? to|sold to|empfänger|warenempfänger|kunde|käufer|destinataire|client|acheteur|destinatario|consignatario|cliente|comprador|acquirente|geadresseerde|ontvanger|klant|koper|odbiorca|klient|kupujący|nabywca"),
    ("notify_party", r"notify(?: party| address)?|also notify|zu benachrichtigen(?:de partei)?|meldeadresse|à notifier|partie à notifier|notificar a|parte a notificar|notificare(?: a)?|te verwittigen partij|strona powiadamiana"),
    ("carrier", r"beförderer|(?:not negotiable\W*)?(?:air ?waybill\W*)?issued by(?: \(carrier\))?|issuing carrier|versandart|versand (?:durch|über|mit)|ship(?:ped)? via|delivered by|transport(?:ed)? by|envío por|agencia(?: de transporte)?|spedito con|verzonden (?:via|met)|(?:contracting |delivering )?carrier(?: name)?|haulier|trucking company|frachtführer|spediteur|spedition|transportunternehmen|transporteur|transportista|porteador|vettore|trasportatore|vervoerder|przewoźnik"),
    ("pickup_address", r"pick[- ]?up(?: (?:address|location|from|at|place))?|collect(?:ion|ed)?(?: (?:address|from|at|point))|picked up (?:at|from)|loaded at|place of (?:loading|taking over(?: the goods)?|receipt)|loading (?:place|address|point)|load at|(?:\w+- und )?ladestelle|ladeadresse|beladestelle|abholadresse|abholort|lieu de (?:chargement|prise en charge|ramassage|l'enlèvement)|adresse d'enlèvement|lugar de (?:carga|recogida)|dirección de recogida|luogo di (?:carico|ritiro)|laadplaats|laadadres|ophaaladres|miejsce (?:i data )?załadun?(?:ku|owania)|adres odbioru"),
    ("delivery_address", r"deliver(?:y)?(?: (?:address|location|place|to|at|point))?|drop(?:-?off)?(?: (?:address|location))?|place of (?:delivery|unloading)|unloading (?:place|address|point)|ship-?to address|destination(?: address)?|destino|destinazione|bestemming|zielort|lieferadresse|lieferanschrift|entladestelle|ablieferungsort|lieu de (?:livraison|déchargement)|adresse de livraison|lugar de (?:entrega|descarga)|dirección de entrega|luogo di (?:consegna|scarico)|indirizzo di consegna|losplaats|losadres|afleveradres|leveradres|miejsce (?:rozładunku|dostawy|przeznaczenia)|adres dostawy|auslieferungsort(?: des gutes)?"),
    ("driver_name", r"driver(?:'?s)?(?: name)?|fahrer(?:name)?|name des fahrers|chauffeur|conducteur|nom du chauffeur|conductor|chófer|autista|conducente|bestuurder|kierowca"),
    ("received_by", r"naam ontvanger|podpis odbiorcy|imię i nazwisko odbiorcy|nombre (?:del )?receptor|nom du réceptionnaire|nome (?:del )?ricevente|(?:goods )?received (?:in good order )?by|signed (?:for )?by|accepted by|print(?:ed)? name|name in (?:capitals|block (?:capitals|letters))|receiver'?s name|consignee name \(print\)|empfangen (?:von|durch)|angenommen (?:von|durch)|unterschrieben von|name (?:des empfängers|in druckbuchstaben)|reçu par|réceptionné par|signé par|nom du (?:réceptionnaire|signataire)|recibido por|firmado por|recibí|ricevuto da|firmato da|ritirato da|ontvangen door|getekend door|in ontvangst genomen door|odebrał[a]?|podpisał[a]?|przyjął|przyjęła|otrzymał[a]?"),
    ("remarks", r"vorbehalte und bemerkungen(?: der frachtführer)?|réserves et observations(?: d(?:es|u) transporteurs?)?|carrier's reservations(?: and observations)?|remarks?|reservations?|exceptions?(?: noted)?|delivery notes?|driver notes?|comments?|notes?|bemerkung(?:en)?|vorbehalte?|anmerkung(?:en)?|réserves?|observations?|remarques?|observaciones(?: (?:del )?receptor)?|reservas|anotaciones|osservazioni|riserve|annotazioni|note|opmerking(?:en)?|voorbehoud|uwagi|zastrzeżenia"),
    ("description", r"(?:description|nature)(?: and quantity)?(?: of (?:the )?(?:goods|articles|contents|commodity))?|commodity|goods|contents|product|warenbezeichnung|warenbeschreibung|bezeichnung(?: des gutes| der ware)?|ware|inhalt|ladung|désignation(?: des marchandises)?|nature de la marchandise|marchandises?|descripción(?: de la mercancía)?|mercancía|naturaleza|descrizione(?: della merce)?|merce|omschrijving(?: (?:van )?(?:de )?goederen)?|goederen|opis(?: towaru)?|nazwa towaru|towar|rodzaj towaru"),
)  # fmt: skip
_LABEL = tuple(
    (
        field,
        re.compile(
            rf"(?:\d{{1,2}}[a-z]?[.)]? {{0,2}}|stop ?#?\d{{1,2}}\W{{1,3}})?(?:{words})(?!\w)(?: ?[(\[/|][^:]{{0,110}})?\s*[:.]?\s*",
            re.IGNORECASE,
        ),
    )
    for field, words in _LABELS
)
# What else stands in the cells of forms: it is no name, whatever label is beside it.
_ABBREVIATED = re.compile(
    r"(?:(?:\.|\s)\w{1,2}|\b(?:inc|ltd|co|ehf|hf|şti|sti|san|tic|pty|pte|pvt|corp|bros|sp|st|jr|sr|kom|ges|mbh|mfg|ltda|lda|est|cía|cia|coop|intl|assoc|jun|sen|dept|div|hnos|soc|fils))\.$",
    re.IGNORECASE,
)
_OTHER_LABEL = re.compile(
    r"\W*(?:(?:\d{1,2}[.)] )?(?:b/?l|[mh]?awb|mrn|cmr|waybill|(?:cmr-)?frachtbrief|ordered|bestellt|geliefert|signature|sign(?:ed)?|date|time|qty|quantity|pieces|packages|pkgs|cartons|pallets|class|nmfc|weight|gross|net|volume|freight|charges?|rate|amount|total|page"
    r"|tractor|truck|trailer|vehicle|plate|seal|ref(?:erence)?s?|number|nos?|code|account(?:ing)?|information|iata|agent|name|address|house|master|phone|tel|fax|e-?mail|contact|city|zip|postcode|country|state|collected|delivered|loaded"
    r"|received|stamp|terms|incoterms?|vat|eori|sku|article|item|stat(?:isti\w+)?|batch|description|marks|un|hs|tariff|unit|price|value|currency|munt|devise|moneda|valuta|währung|waluta|instructions?|special|in|out|arrival|departure|arrived|departed|status|remarks|notes?|of|and|the|for|goods|order"
    r"|\w+(?:nummer|datum)|datum|uhrzeit|menge|anzahl|gewicht|unterschrift|stempel|kennzeichen|seite|nummer|nr|betrag|artikel|einheit|preis|ort|straße|plz|firma"
    r"|heure|quantité|poids|nombre|colis|cachet|montant|lieu|unité|prix|fecha|hora|cantidad|peso|bultos|sello|firma|importe|lugar|ora|quantità|colli|timbro|importo|luogo|aantal|gewicht|handtekening|stempel|bedrag|plaats"
    r"|data|godzina|ilość|waga|podpis|pieczęć|pieczątka|kwota|miejsce|jednostka|cena|carrier|shipper|consignee|driver|booking|invoice|shipment|delivery|pick-?up|customer|your|our|po|pro|bol|load|ihre?|unsere?|liefertermin|lieferdatum|termin|kunden?|bestell\w+|auftrags?|versandart|bearbeiter|votre|notre|commande|client|transporteur|pedido|cliente|transportista|ordine|vettore|bestelling|order|klant|vervoerder|zamówieni\w+|klient|przewoźnik|ilość|palet|waga|negotiable|not|issued|by|copy|original|prepaid|collect|réception|réserves|bill|to|apply|please|ontvanger|empfänger|destinataire|destinatario|odbiorca|absender|expéditeur|mittente|afzender|nadawca|chauffeur|fahrer|conducteur|autista|kierowca|scac|s|übernahme|plombe|rejestracyjny|pojazdu|odebrał|wydał|j\.?m|account|beförderer|conductor|tractora|remolque)\b[ /&().:#'’-]*){1,8}\W*",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"\W*(?:paket|parcel|post|express|standard|economy|selbstabhol\w+|abholung|lkw|truck|road|sea|air|ocean|rail|own vehicle|eigen\w*|n/?a|none|lt\. .*|laut .*|keine?|aucune?|ninguna?|nessun[oa]?|geen|brak|same as (?:above|consignee)|tbc|tbd|to order|as above|idem|siehe oben|t\.?b\.?[ac]\.?|to be (?:advised|confirmed|announced)|folgt|same as .*|nos soins|own (?:vehicle|transport)|by (?:sender|receiver)|form [\w-]*\d.*|.*…)\W*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?<!\w)(?:no|nr|num|n[°º])(?:\.|:| )[ :]{0,2}[\w/-]*\d", re.IGNORECASE
)  # "Invoice no. CI-90417"
_DOCUMENT_WORD = re.compile(
    r"(?<!\w)(?:order|note|list|slip|waybill|bill|notice|report|consignment|confirmation|declaration|certificate|statement|sheet|delivery|shipment|transport"
    r"|auftrag|schein|bericht|meldung|protokoll|commande|avis|bon|ordre|orden|aviso|parte|ordine|avviso|opdracht|bericht|zlecenie|protokół|page)(?!\w)",
    re.IGNORECASE,
)
_IN_LINE = tuple(
    (
        field,
        re.compile(
            rf"(?:^|(?<=[\n|;•*])|(?<=- ))[ \t*•>-]{{0,12}}(?![ \t*•>-])(?:{words})[ \t]*(?::|=|\|| - )[ \t]*(?P<value>[^\n|;]{{2,120}})",
            re.IGNORECASE,
        ),
    )
    for field, words in _LABELS
)

_NAME = r"(?:[A-ZÄÖÜÀ-ÝŁŚŻŹĆ](?:\.|[\w'’-]{0,19}\w)(?: (?:van|von|de|der|den|da|di|del|ten))?(?: (?:van|von|de|der|den|da|di|del|ten))?(?![\\w.]*:) ?){1,3}"
_SAID = (
    (
        "driver_name",
        re.compile(
            rf"(?<!\w)(?:(?i:driver|fahrer|chauffeur|conducteur|conductor|autista|bestuurder|kierowca)(?:'s name is| is|,|:)?) (?:(?:Mr|Mrs|Ms|Hr|Herrn?|Frau|M|Mme|Sr|Sra|Sig|Dhr|Mevr|Pan|Pani)\.? )?(?P<value>{_NAME})(?!\w)"
        ),
    ),
    (
        "received_by",
        re.compile(
            rf"(?<!\w)(?i:signed (?:for )?by|signed|received by|accepted by|pod name|(?:unterschrieben|angenommen|empfangen|quittiert) (?:von|durch)|(?:signé|reçu|réceptionné) par|(?:firmado|recibido|firmada|recogido) por|(?:firmat[oa]|ricevut[oa]|ritirat[oa]) da|(?:getekend|ontvangen|aangenomen) door|podpisał[a]?|odebra[łl][a]?|przyjął)(?:: | by | )(?:(?:Mr|Mrs|Ms|Hr|Herrn?|Frau|M|Mme|Sr|Sra|Sig|Dhr|Mevr|Pan|Pani)\.? )?(?P<value>{_NAME})(?!\w)"
        ),
    ),
    (
        "received_by",
        re.compile(
            r"(?<!\w)(?i:pod|proof of delivery|ablieferbeleg|bon|albarán)(?i: \w+)? (?i:says|shows|signed|name|lautet auf|dit|dice|zegt) ['\"‘“«„](?P<value>[A-ZÄÖÜ][\w .'-]{1,30}?)['\"’”»“]"
        ),
    ),
    (
        "remarks",
        re.compile(
            r"(?<!\w)(?i:cmr|pod|bol|b/l|waybill|docket|delivery note|lieferschein|frachtbrief|lettre de voiture|bon|albarán|carta de porte|ddt|lettera di vettura|vrachtbrief|pakbon|list przewozowy|chófer|driver|fahrer|chauffeur|autista)(?!\w)[^.\n'\"‘“«„]{0,40} ['\"‘“«„](?P<value>[^'\"‘“«„’”»\n]{4,80})['\"’”»“]"
        ),
    ),
)

_SIGNED = tuple(
    (said, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))
    for said, words in (
        ("no", r"not (?:yet )?signed|unsigned|no signature|without (?:a )?signature|signature missing|(?:noch )?nicht unterschrieben|ohne unterschrift|unterschrift fehlt|(?:non|pas encore) signée?|sans signature|sin firm(?:a|ar)|(?:aún )?no firmad[oa]|pendiente de firma|non (?:ancora )?firmat[oa]|senza firma|(?:nog )?niet (?:getekend|ondertekend)|zonder handtekening|bez podpisu|(?:jeszcze )?nie ?podpisan\w+"),
        ("unreadable", r"(?:illegible|unreadable) signature|signature (?:is )?(?:illegible|unreadable)|unleserliche unterschrift|unterschrift unleserlich|signature illisible|firma (?:ilegible|illeggibile)|onleesbare handtekening|nieczytelny podpis"),
        ("yes", r"signed (?:electronically |digitally )?(?:for )?by|was signed(?: for)?|(?:unterschrieben|unterzeichnet|signiert) (?:von|durch)|signée? (?:électroniquement )?par|firmad[oa] (?:electrónicamente |digitalmente )?por|firmat[oa] (?:digitalmente |elettronicamente )?da|(?:onder)?getekend door|podpisał[a]?|podpisan[oy] (?:elektronicznie |cyfrowo )?przez|gez\.|fdo\.|f\.to|/s/"),
    )
)  # fmt: skip
_SIGNATURE_WORD = re.compile(
    r"(?<!\w)(?:signatures?|sign here|(?:print name and )?sign|signed(?: for| by| on behalf| at)?|unterschrift(?:en)?|handtekening|podpis(?:y)?"
    r"|(?:sello|timbro|nombre|nome|data|fecha|cachet|,)[ ,/]*(?:y|e|et)?[ ,/]*firma|(?<!\w)[ye] firma|firma(?= (?:y|e|del?|conforme|basculista|pesador|pesatore|responsab(?:le|ile)|cliente|autorizada|destinatario|vettore|mittente|conducente|autista|ricevente|leggibile|legible|transportista|cargador|remitente|receptor)(?!\w))|(?<!.)firma(?= ?:?$)|firmad[oa] por|firmat[oa] (?:da|per)|signé (?:par|pour)|authori[sz]ed signator(?:y|ies))(?!\w)",
    re.IGNORECASE,
)
_RECEIVER = re.compile(
    r"receiver|consignee|customer|recipient|received|receipt|empfänger|empfangs|kunde|empfangen|erhalten|destinataire|réception|reçu|client|destinata?rio|cliente"
    r"|consignatario|recib|conforme|ricev|ontvan|geadresseerde|klant|odbior|otrzym",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"(?<!\w)(?:is|was|are|were|will|must|has|have|follows|ist|wird|wurde|sind|est|sera|sont|fue|sono|wordt|werd|jest)(?!\w)",
    re.IGNORECASE,
)
_SIGNING_SENTENCE = re.compile(
    r"(?<!\w)(?:mit|with|by|par|con|met|without|ohne|upon|seiner?|his|her|the|une?)\s*$"
    r"|(?<!\w)(?:bitten|veuillez|rogamos|gelieve|preghiamo|prosimy)(?!\w)",
    re.IGNORECASE,
)
_RECEIVED_LABEL = re.compile(
    r"(?:\d{1,2}[.)]? ?)?(?:przesy[łl]k[ęe] otrzymano|towar odebrano|gut empfangen|goods received|marchandises? reçues?|mercancía recibida|merce ricevuta|goederen ontvangen|towar otrzymano|ware erhalten|received in good order).{0,60}",
    re.IGNORECASE,
)
_FORMS = r"(?:Ltd|Limited|GmbH(?: & Co\. ?KG)?|mbH|AG|KG|OHG|B\.?V\.?|N\.V\.|(?<!, )NV|S\.?A\.?|S\.?A\.?R\.?L\.?|SAS|S\.?r\.?l\.?|S\.?p\.?A\.?|S\.?L\.?U?\.?|Sp\. z ?o\.o\.(?: Sp\. ?k\.)?|Spółka z o\.o\.(?: Sp\. ?k\.)?|Inc\.?|LLC|Corp\.?|plc|A/S|AB|AS|ApS|Oy|UAB|s\.r\.o\.|a\.s\.|Kft|S\.R\.L\.|Ltda\.?|Lda\.?|bvba|eG|e\.K\.|hf\.|ehf\.|A\.Ş\.|K\.K\.|Sp\. ?[jkp]\.|S\.n\.c\.|G(?:es|ES)\.?[mM]\.?[bB]\.?[hH]\.?|S(?:oc)?\. ?Coop\.(?: And\.)?|DAC|Pty\.? Ltd\.?|Sdn\.? Bhd\.?|d\.o\.o\.|Unipessoal Lda\.?|Sàrl|V\.O\.F\.|KGaA|Ltée)"
_FORM = f"(?:{_FORMS}|{_FORMS.upper()})"
_CAPITAL = r"[A-ZÄÖÜÀ-ÝŁŚŻŹĆ][\w.'’-]*"
_KIND = r"(?:C/|ul|al|pl|os|rue|av|avenue|bd|boulevard|allée|chemin|quai|place|via|viale|piazza|corso|calle|c/|avda|paseo|polígono|am|an der|in der|im|zum|zur|auf dem)\.?"
_PARTICLE = r"(?:de|du|des|la|le|les|l'|d'|del|della|delle|dello|degli|dei|di|da|der|den|dem|van|von|zu|zum|zur|am|an|of|the|y|e|et|und|en|i)"
_TOWN = r"(?:(?:Ste?|Sta|Sto|Ft|Mt|Pt|[NSEW])\. |[AO] )?[A-ZÄÖÜÀ-ÝŁŚŻŹĆ](?:[\w'’-]|\.(?=\w))+(?: (?:[A-ZÄÖÜÀ-ÝŁŚŻŹĆ][\w'’-]+|am|an|der|de|del|la|le|les|den|sur|in|upon|aan|ob|bei|di|do|sous|a\.d\.|a\.)){0,4}"
_STATE = r"(?:NSW|VIC|QLD|SA|WA|TAS|ACT|NT)"  # of Australia
_POSTCODE_TOWN = rf"(?:(?:[A-Z]{{1,3}}[- ])?(?:\d{{5}}|\d{{4}}(?: [A-Z]{{2}})?|\d{{2}}-\d{{3}}|\d{{3}} \d{{2}})[ ,]+{_TOWN}|{_TOWN},? (?:\(?[A-Z]{{2}}\)?,? )(?:\d{{5}}(?:-\d{{4}})?|[A-Z]\d[A-Z] ?\d[A-Z]\d)|{_TOWN},? (?:\([A-ZÀ-Ý][\w. -]{{1,24}}\),? )?[A-Z]\d[A-Z] ?\d[A-Z]\d|{_TOWN},? {_STATE},? \d{{4}}|{_TOWN},? (?:Co\. {_TOWN},? )?[A-Z]\d[\dW] [A-Z\d]{{4}}|{_TOWN},? [A-Z]{{1,2}}\d[A-Z\d]? ?\d[A-Z]{{2}}|[A-Z]{{1,2}}\d[A-Z\d]? \d[A-Z]{{2}},? {_TOWN})"
_NAMED_STREET = (
    rf"(?:{_CAPITAL}|{_KIND} ?{_CAPITAL})(?: (?:{_PARTICLE} )?{_CAPITAL}| {_PARTICLE} {_PARTICLE} {_CAPITAL}){{0,4}}"
)
_STREET = rf"(?:\d{{1,5}}[a-zA-Z]?(?:[-/]\d{{1,4}})?,? (?:{_KIND} (?:{_PARTICLE} ){{0,2}})?{_NAMED_STREET}|(?:{_KIND} (?:{_PARTICLE} ){{0,2}})?{_NAMED_STREET},? (?:n[°º.]? ?)?\d{{1,5}}(?: ?[a-zA-Z](?!\w))?(?:[-/]\d{{1,4}}[a-z]?)?)"
_ADDRESS = re.compile(
    rf"(?<![\w/.-])(?P<value>(?:(?i:units?|suite|plot|block|building|bldg|dock|gate|halle?|hal|bât\.?|nave|capannone|hala) [A-Z]?\d{{1,4}}[A-Za-z]?(?:[-/&]\d{{1,4}})?,? (?:[^,\n\d]{{3,40}}, )?)?{_STREET}(?:, | - |,?[ \t]*\n[ \t]*|,? )(?:[^,\n]{{2,40}}(?:, |,?[ \t]*\n[ \t]*))?{_POSTCODE_TOWN})(?!\w)"
)
_HAS_POSTCODE = re.compile(rf"(?<!\w){_POSTCODE_TOWN}")
_NOTICE = re.compile(r" [–-] |; |\. (?=[A-ZÄÖÜ])")
_TOWN_THEN_POSTCODE = re.compile(  # as in Australia, South Africa and Singapore, whose post codes are bare numbers
    rf"{_TOWN}(?:,? {_STATE})?,? \d{{4,6}}"
)
_BARE_POSTCODE = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|(?:[A-Z]{1,2}-)?\d{4,6}(?:-\d{3,4})?")
_MORE_COUNTRIES = [
    "USA",
    "U.S.A",
    "UK",
    "England",
    "Scotland",
    "Wales",
    "EE. UU",
    "EE.UU",
    "UAE",
    "U.A.E",
    "Czech Republic",
    "Holland",
    "The Netherlands",
    "Pays-Bas",
    "United States of America",
    "Great Britain",
    "Großbritannien",
    "Viet Nam",
    "Korea",
    "P.R. China",
    "Czechia",
    "Czechy",
    "Tschechien",
    "Tchéquie",
    "Türkiye",
    "Česko",
    "Česká republika",
    "Slovensko",
    "Slovenija",
    "Magyarország",
    "România",
    "Hrvatska",
    "Danmark",
    "Norge",
    "Sverige",
    "Suomi",
    "Eesti",
    "Latvija",
    "Lietuva",
    "Éire",
    "Ísland",
]
_NO_ADDRESS = re.compile(
    r"(?<!\w)(?:tel|phone|fax|e-?mail|vat|ust|attn|contact|ref|ansprechpartner|nip|tva|iva|btw|eori|nif|cif|siret|abn|uid|kvk|mwst|oib|ruc|rfc|rut|cuit|cnpj|gstin|uen|trn)(?!\w)|@",
    re.IGNORECASE,
)
_AFTER_ADDRESS = re.compile(  # days, opening hours, telephone numbers
    r"(?:[^\d\n]{0,10}[^\w\n.-])?(?:[0-3]?\d[./-][01]?\d[./-](?:20)?\d{2}|20\d{2}-[01]\d-[0-3]\d|[0-2]\d[:.]?[0-5]\d ?[-–] ?[0-2]\d[:.]?[0-5]\d"
    r"|\(?\d{3}\)?[ -]\d{3}-\d{4}|[0-2]?\d:[0-5]\d)(?![\w-])|\W{0,3}\+\d"
    r"|(?i:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?i:day)?[,.]? [\d(]|(?i:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|mo|di|mi|do|fr|sa|so)[,.]{1,2} (?:den )?\d"
    r"|(?i:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo|lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica"
    r"|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela),? (?:le |el |den )?\d"
)
_PICKUP_BEFORE = re.compile(
    r"(?<!\w)(?:pick(?:ed)?[ -]?up|collect\w*|load(?:ing|ed)?|from(?!\s+\d)|origin|shipper|sender|abhol\w+|lade\w+|beladen|absender|ab|enlèvement|enlever|charge\w*|expéditeur|recog\w+|carga\w*|origen|remitente|ritir\w+|caric\w+|mittente|opha\w+|laad\w*|laden|afzender|odb[ió]\w+|załad\w+|nadawc\w+)(?!\w)",
    re.IGNORECASE,
)
_DELIVERY_BEFORE = re.compile(
    r"(?<!\w)(?:deliver\w*|drop\w*|unload\w*|ship(?:ped)? to|to(?!\s+\d)|consignee|receiver|destination|address|new|liefer\w+|zustell\w+|entlade\w+|empfänger|adresse|anschrift|livr\w+|déchargement|destinataire|entreg\w+|descarg\w+|destin\w+|dirección|consegn\w+|scaric\w+|indirizzo|lever\w*|aflever\w*|bezorg\w*|los\w*|adres|ontvanger|dosta\w+|rozład\w+|odbiorc\w+|nach|naar|(?:à|a|do)(?!\s+(?:las? )?\d)|w)(?!\w)",
    re.IGNORECASE,
)


_ACCOUNT = re.compile(r"\s(?:no|nr|n[°º])\.?:? ?[A-Z]{0,3}-?\d[\d .-]+$", re.IGNORECASE)


@lru_cache(maxsize=4096)  # a carrier's forms bear the same labels every day
def label_of(words: str) -> tuple[str, int] | None:
    """The field that a form's cell is the label for, and the length of the label; None when it is for none of these.

    The length is that of `words` where they are a label and nothing else; after a label with its colon, a value follows.
    """
    if not words or len(words) > 160:
        return None
    length, words = len(words), _ACCOUNT.sub("", words.replace("’", "'"))  # "2 Exporter No GB188304417000"
    if caption_of(words) == "remarks":  # "Delivery / exception notes" is no address
        return "remarks", length
    if whom := _TO_WHOM.fullmatch(words):  # "To (Consignee)"
        words = whom["party"]
    if dated := _COMMA_DAY.search(words):  # "Loading place, 12.10.2026"
        words = words[: dated.start()]
    if whole := [field for field, pattern in _LABEL if pattern.fullmatch(words)]:
        return whole[0], length
    captions = [part for part in re.split(r" ?/ | /|(?<=\)) ", words) if part]
    if len(captions) > 1 and len(words) < 110 and not any(c.isdigit() for c in words.lstrip("0123456789")):
        for caption in captions:  # the same in several languages
            if field := next((field for field, pattern in _LABEL if pattern.fullmatch(caption)), None):
                return field, length
    head = words[: words.find(":") + 1]
    begun = [field for field, pattern in _LABEL if head and pattern.fullmatch(head)]
    if begun:
        return begun[0], len(head)
    field = caption_of(head or words) or ""
    field = PLACE_OF.get(field, field)
    return (field, len(head) or length) if field in FIELDS else None


_COMMA_DAY = re.compile(r", (?:am |on |le |el |il |op |dnia )?\d{1,2}[./-]\d{1,2}[./-](?:20)?\d\d$")
_TO_WHOM = re.compile(r"(?:to|from|an|von|à|de|a|da|aan|van|do|od) ?\((?P<party>[^()]{3,40})\) ?:?", re.IGNORECASE)


def is_label(words: str) -> bool:
    """Whether `words` are the label of a party, a place or a name, without any value."""
    found = label_of(words)
    return found is not None and found[1] == len(words)


_ADDRESSED = re.compile(
    r"(?:spett\.? ?(?:le|abile)(?: ditta)?|messrs\.?|[àa] l['’]attention de|attention|attn\.?|t\.? ?a\.? ?v\.?|z\. ?h(?:d|änden)\.?(?: von)?|(?:to|an|à|a|aan|do|para|per)(?=:| :))\s*:?\s*",
    re.IGNORECASE,
)


def addressed(words: str) -> int:
    """The length of what stands at the head of a letter before the name of whom it is written to; 0: none of that."""
    match = _ADDRESSED.match(words)
    return match.end() if match and (match.end() == len(words) or ":" in match[0]) else 0


_NOT_SIGNED = re.compile(  # a paper that says so needs none
    r"(?:without|no|ohne|sans|sin|senza|zonder|bez) (?:a |une |eine )?(?:signature|unterschrift|firma|handtekening|podpisu)"
    r"|(?:requires? no|ne nécessite (?:pas de|aucune)|no requiere|non richiede(?: la)?|vereist geen|bedarf keiner|nie wymaga) (?:signature|unterschrift|firma|handtekening|podpisu)",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def signature_label(words: str) -> int:
    """2 for the label of the receiver's signature, 1 for one that may be anybody's, 0 for another cell."""
    words = words.rstrip(_LINE)
    if len(words) > 120 or _NOT_SIGNED.search(words):
        return 0
    if _RECEIVED_LABEL.fullmatch(words):
        return 2
    match = next((m for m in _SIGNATURE_WORD.finditer(words) if not _SIGNING_SENTENCE.search(words[: m.start()])), None)
    if match is None or _VERB.search(words):
        return 0
    if len(words) > 75 and len(words) - match.end() > 45:  # the small print
        return 0
    return 2 if _RECEIVER.search(words) else 1


_LINE = " ._…"  # to sign on
_SIGNS_FOR = re.compile(
    r"(?:\d{1,2}[a-z]?[.)]? )?(?:(?:accepted |agreed )?(?:for|on behalf of|pour|für|per|por|voor|za|w imieniu) (?:the |le |la |l['’]|den |die |das |il |lo |el |de |het )?"
    r"(?:consignee|receiver|recipient|customer|carrier|haulier|shipper|sender|consignor|master|chargeur|caricatore|cargador|destinataire|réceptionnaire|client|transporteur|expéditeur"
    r"|empfänger|frachtführer|absender|spediteur|kunden|ricevitore|ricevente|destinatario|vettore|mittente|cliente|receptor|transportista|porteador|remitente"
    r"|ontvanger|vervoerder|afzender|odbiorc\w+|przewoźnik\w*|nadawc\w+)"
    r"|(?:completed|prepared) by|(?:geprüft|erstellt|übernommen)(?= ?\()|bon pour accord|per accettazione|(?:il )?(?:legale )?rappresentante"
    r"|(?:il )?responsabile|el responsable|le responsable|der lagerleiter|warehouse manager)(?!\w).{0,60}",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def signs_for(words: str) -> int:
    """As `signature_label`, for a caption that only says for whom somebody signs: `Pour le destinataire`."""
    if not _SIGNS_FOR.fullmatch(words.rstrip(_LINE)) or _VERB.search(words):
        return 0
    return 2 if _RECEIVER.search(words) else 1


_EXEMPT = re.compile(  # of customs: code 99208
    r"(?:exempt(?:ed)? from|waiver of|befreit von der|freistellung von der|dispensée? de|dispense de|exonerad[oa] de|dispensad[oa] de|esente da|esonero d[ai]lla|vrijgesteld van|zwolnion[oay] z)"
    r" (?:the |la )?(?:signature|unterschrift|firma|handtekening|ondertekening|podpisu)",
    re.IGNORECASE,
)


def needs_no_signature(text: str) -> bool:
    """Whether a paper says that nobody has to sign it."""
    return _EXEMPT.search(text) is not None


def signed_in(words: str) -> bool:
    """Whether a label for a signature goes on with a person's name and nothing else: `Signature : M. Fontvieille`."""
    last = next(reversed(list(_SIGNATURE_WORD.finditer(words))), None)
    return last is not None and is_person(words[last.end() :].strip(" :.…_"))


_BARE_FIRM = re.compile(r"firma ?:?", re.IGNORECASE)


def may_be_firm(words: str) -> bool:
    """Whether a caption says "Firma": a signature in Spanish and Italian, a company in German and Polish."""
    return _BARE_FIRM.fullmatch(words) is not None


def find_parties(text: str) -> list[Span]:
    """Names and addresses in running text, in order."""
    return without_overlaps([*_labelled(text), *_said(text), *_addresses(text)]) + list(signing.find_signed(text))


def find_named(text: str) -> list[Span]:
    """As `find_parties`, without what only running text says: on a form, an address belongs to its box."""
    return without_overlaps([*_labelled(text), *_said(text)]) + list(_signed(text))


_ROW = re.compile(
    r"(?P<name>name|company(?: name)?|chez|bei|bij|presso|at|ditta|firma|nom|raison sociale|nombre|razón social|nome|ragione sociale|naam|nazwa)"
    r"|(?:street|address(?: \d)?|city.{0,12}|town|zip(?: code)?|postcode|postal code|country|straße|str\.?|anschrift|plz.{0,6}|ort|land"
    r"|rue|adresse|domicile|siège(?: social)?|ville|cp.{0,8}|pays|calle|dirección|domicilio|sede(?: legale)?|siedziba|ciudad|población|país|via|indirizzo|località|città|cap.{0,8}|paese|straat|adres|plaats|ulica|miasto|kraj)",
    re.IGNORECASE,
)


_CUSTOMER = re.compile(
    r"(?<!\w)(?:sold to|customer|client|buyer|kunden?|käufer|besteller|leistungsempfänger|acheteur|cliente|comprador|acquirente|cessionario|klant|koper|nabywca|kupujący|klient|messrs|account and risk)(?!\w)",
    re.IGNORECASE,
)
_RECEIVES = re.compile(
    r"(?<!\w)(?:consignee|receiver|recipient|ship|deliver|empfäng|destina|liefer|livr|entreg|consegn|geadres|ontvang|odbior|aflever|dosta)",
    re.IGNORECASE,
)


def is_customer(label: str) -> bool:
    """Whether a label speaks of who buys, and not of who receives the goods."""
    label = _ASIDE.sub("", label)  # BUYER (IF OTHER THAN CONSIGNEE)
    return _CUSTOMER.search(label) is not None and _RECEIVES.search(label) is None


_ASIDE = re.compile(r"\([^()]{0,80}\)")
_IS_RECEIVER = re.compile(
    r"(?<!\w)(?:consignee|receiver|recipient|empfänger|destinataire|destinatario|geadresseerde|ontvanger|odbiorca)",
    re.IGNORECASE,
)


def is_receiver(label: str) -> bool:
    """Whether a label names the consignee as such, and not only where the goods go."""
    return _IS_RECEIVER.search(label) is not None


_SELLER = re.compile(
    r"(?<!\w)(?:seller|vendor|verkäufer|vendeur|vendedor|venditore|verkoper|sprzedawca|wystawca)(?!\w)", re.IGNORECASE
)


def is_seller(label: str) -> bool:
    """Whether a label speaks of who sells."""
    return _SELLER.search(label) is not None


def row_of(words: str) -> str | None:
    """What a row of an address on a form is labelled as: `name`, or `place` for all that belongs to the address."""
    words = words.strip(" :")
    if caption_of(words) in ("shipper", "consignee"):
        return "name"
    halves = [words, *words.split(" / "), *(words.split(" ") if words.count(" ") == 1 else ())]
    match = next((m for half in halves if (m := _ROW.fullmatch(half))), None)
    return None if match is None else "name" if match["name"] else "place"


def in_box(
    text: str, label: str, lines: Sequence[tuple[int, int]], *, any_place: bool = False
) -> Iterator[tuple[Span, Sequence[tuple[int, int]]]]:
    """What the lines of a form's box say, given as offsets into `text`, where `label` is what the box is for.

    Each with the lines that it stands in: the text of another box may stand between them. With `any_place` the box of
    a place may name no more than a town.
    """
    if label not in PARTIES | ADDRESSES:
        if label == "remarks":
            for note in _notes_of(text, lines):
                yield from _as_span(label, text, note, 0.75)
            return
        place = name_at(text, *lines[0], person=True) if label in PERSONS else lines[0]
        if label == "description":
            for goods in goods_listed(text, *lines[0]):
                if not is_other_label(text[slice(*goods)]):
                    yield from _as_span(label, text, [goods], 0.75)
            return
        if label == "driver_name" and place and " / " in text[slice(*place)]:
            for half in re.finditer(r"[^/]*[^/ ]", text[slice(*place)]):
                start = place[0] + half.start() + len(half[0]) - len(half[0].lstrip())
                if name := name_at(text, start, place[0] + half.end(), person=True):
                    yield from _as_span(label, text, [name], 0.75)
            return
        if place and not is_other_label(text[slice(*place)]) and not signature_label(text[slice(*place)]):
            yield from _as_span(label, text, [place], 0.75)
        return
    lines = list(_before_other_lines(text, [_without_caption(text, *line) for line in lines]))
    if not lines:
        return
    both = list(_name_and_address(text, *lines[0]))
    apart = len(both) > 1
    if apart:
        lines = [*both, *lines[1:]]
    named = (len(lines) > 1 and not _ESTATE.match(text, *lines[0])) or label in PARTIES
    named = named and not text[lines[0][0]].isdigit() and (apart or label in PARTIES or not _is_town(text, lines[1:]))
    named = named and (label in PARTIES or not _POSTCODE_LAST.search(text, *lines[0]))
    party = _WHO_IS_THERE.get(label, label)
    if named and len(lines) > 1 and _goes_on(text[slice(*lines[0])], text[slice(*lines[1])]):
        yield from _as_span(party, text, lines[:2], 0.85 if label in PARTIES else 0.6)
        lines = lines[1:]
    elif named and not _is_hall(label, text[slice(*lines[0])]) and (place := _party_at(party, text, *lines[0])):
        yield from _as_span(party, text, [place], 0.85 if label in PARTIES else 0.6)
    field = ADDRESS_OF.get(label, label)
    if field in ADDRESSES:
        first = 1 if named else 0
        if last := _last_of_address(text, lines, first):
            first = _first_of_address(text, lines[:last], first)
            whole = [*lines[first : last - 1], _without_notice(text, *lines[last - 1])]
            whole[0] = _without_building(text, *whole[0])
            yield from _as_span(field, text, whole, 0.85 if label in ADDRESSES else 0.75)
        elif any_place and label in ADDRESSES and is_country(text[slice(*lines[0])].rpartition(", ")[2]):
            yield from _as_span(field, text, lines[:1], 0.7)  # no more than a town: the party's address says more


def _is_hall(label: str, line: str) -> bool:
    """Whether the first line of a place says no more than where on the premises: `Apotheke, Ebene 0`."""
    return label in ADDRESSES and _INSIDE.match(line) is not None and _ENDS_WITH_FORM.fullmatch(line.strip()) is None


def _before_other_lines(text: str, lines: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The lines of a box up to the first that says something else; a country may stand before that, `SPAIN Tel. +34`."""
    for n, (start, end) in enumerate(lines):
        other = _NO_ADDRESS.search(text, start, end)
        if other or (n and (_AFTER_ADDRESS.match(text, start, end) or _announces(text[start:end]))):
            end = start + len(text[start : other.start() if other else start].rstrip(" ,;·•|/-–—("))
            if n and end > start and is_country(text[start:end]):
                yield start, end
            return
        yield start, end


def _announces(line: str) -> bool:
    """Whether a line is a label of something else, perhaps with its value: `TO: Swale Ltd`, `Docket no. : 4471`."""
    if label_of(line) or addressed(line):
        return True
    head, colon, _ = line.partition(":")
    return bool(colon) and row_of(head) is None and caption_of(head) is not None


def _without_caption(text: str, start: int, end: int) -> tuple[int, int]:
    """A line of an address without what says what follows: `City/State/Zip: Delavan, WI 53115`."""
    start += len(text[start:end]) - len(text[start:end].lstrip())
    caption = _CAPTION_BEFORE.match(text, start, end)
    known = caption and (row_of(caption["words"]) or label_of(caption["words"]))
    return (caption.end(), end) if caption and known else (start, end)


_CAPTION_BEFORE = re.compile(r"(?P<words>[^\W\d][^:\n]{1,30}?) ?: *(?=\S)")
_ESTATE = re.compile(  # no firm, though its number stands in the next part of the line: `Zona ASI Nord, lotto 8`
    r"(?:z\.? ?[ai]\.?|zac|zone (?:industrielle|artisanale|d['’]activités?)|zona (?:industriale?|asi|artigianale)|pol(?:ígono|\.)|p\. ?i\."
    r"|parc d['’]activités?|industriegebiet|gewerbegebiet|gewerbepark|industrieterrein|bedrijventerrein|strefa)(?!\w)",
    re.IGNORECASE,
)


_TICKS = re.compile(r"\s*[☐☑☒□■❏❑✓✗]|.*[☐□❏]")  # a form's own choices, ticked or not
_LONG_LINE, _FULL = 35, 0.75  # letters; of the longest line of a box
_NO_NOTE = re.compile(
    r".*(?:in (?:apparent )?good order|liability limitation|\bU\.? ?S\.? ?C\b|unless (?:otherwise )?(?:stated|noted)|except as noted|see reverse)|.*:\s*$|\W*$"
    r"|[\w./-]*\d[\w./-]*\W*$|\d{1,2}\.? [^\W\d]{3,10}\.? \d{2,4}\W*$"  # a number, a day
    r"|(?:none|nil|n/?a|keine|aucune?|sans|ninguna?|nessuna?|geen|brak|no\.? [\d/-]+|nr\.? [\d/-]+)\W*$"
    r"|(?:ok(?:ay)?|all ok|i\.? ?o\.?|in ordnung|néant|ras|nihil|conforme?|no remarks?|clean|keine (?:beanstandung\w*|vorbehalte?|mängel)"
    r"|sans réserves?|sin (?:novedad|reservas|observaciones)|senza riserve|nessuna riserva|geen (?:opmerkingen|bijzonderheden)"
    r"|zonder (?:opmerkingen|voorbehoud)|in orde|bez (?:uwag|zastrzeżeń))\W*$",
    re.IGNORECASE,
)


def is_note(words: str) -> bool:
    """Whether somebody has written `words` in a box for remarks: the form's own words there are none."""
    if is_other_label(words) or signature_label(words) or _NO_NOTE.match(words) or _TICKS.match(words):
        return False
    caption, colon, value = words.partition(":")
    if is_money(value.strip()):
        return False
    if not colon or not value.strip() or any(c.isdigit() for c in caption):  # "Paket 7: Band gerissen"
        return True
    said = caption_of(caption)
    return said == "remarks" if said is not None else row_of(caption) is None


def begins_inside(text: str, start: int) -> bool:
    """Whether a line begins as no sentence and no name does: with a small letter, a bracket or a comma."""
    return text[start].islower() or text[start] in "(,"


def _notes_of(text: str, lines: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """The notes of a box, each with its lines: one goes on that begins with a small letter or a bracket, or under a
    line that is full.
    """
    full = max(_LONG_LINE, *(_FULL * (end - start) for start, end in lines))
    note: list[tuple[int, int]] = []
    for start, end in lines:
        ticked = _TICKS.match(text[start:end])
        if not ticked and not is_note(text[start:end]):
            break
        if note and (
            ticked
            or not (begins_inside(text, start) or text[note[-1][1] - 1] in ",-–&(" or note[-1][1] - note[-1][0] >= full)
        ):
            yield note
            note = []
        if not ticked:
            note.append((start, end))
    if note:
        yield note


def _is_town(text: str, lines: Sequence[tuple[int, int]]) -> bool:
    """Whether an address ends with the first of its lines: `2255 Airport Rd` looks like a town with its postcode."""
    return _begins_with_town(text, *lines[0]) and not any(_HAS_POSTCODE.search(text, *line) for line in lines[1:])


def _begins_with_town(text: str, start: int, end: int) -> bool:
    """Whether a town with its postcode stands there; `8800 Grove Line Rd, Lake Wales, FL 33853` has one behind."""
    town = _HAS_POSTCODE.match(text, start, end)
    return town is not None and _HAS_POSTCODE.search(text, town.end(), end) is None


_UNFINISHED = re.compile(rf" (?:&|and|und|et|e|y|en|i|{_PARTICLE})$")
_OF_ANOTHER = re.compile(r"c/o|inh\.|inhaber|p\.?a\.? |chez ", re.IGNORECASE)
_FORM_IN_TWO = re.compile(
    r".* (?:S(?:oc)?\.\n ?Coop\.|Sp\. z\n ?o\. ?o\.|Sp\.\n ?(?:z ?o\. ?o\.|[jkp]\.)|Pty\n ?Ltd\.?|Sdn\n ?Bhd\.?)(?: .*)?",
    re.IGNORECASE,
)
_ENDS_WITH_FORM = re.compile(rf".*(?<!\w){_FORM}", re.IGNORECASE)


def form_goes_on(first: str, second: str) -> bool:
    """Whether the legal form of a firm is broken across two lines: `Trasporti Riuniti Soc.`, `Coop.`"""
    return _FORM_IN_TWO.fullmatch(f"{first}\n{second.strip()}") is not None


def _goes_on(first: str, second: str) -> bool:
    """Whether a firm's name takes two lines, its legal form standing in the second."""
    if _UNFINISHED.search(first) and not any(c.isdigit() for c in second):
        return True
    return (
        not any(c.isdigit() for c in first + second)
        and not _OF_ANOTHER.match(second)
        and (_ENDS_WITH_FORM.fullmatch(second.strip()) is not None or form_goes_on(first, second))
        and _ENDS_WITH_FORM.fullmatch(first.strip()) is None
    )


_HALLS = r"[nr]?dc|hall|halle|hala|plant|cooler|building|bldg|dock|gate|tor|door|warehouse|lager|werk|pump station|site|stand|bay|shed|magazzino|capannone|nave|muelle|puerta|quai|bât\w*|porte|hangar|depot|magazyn|loods|zentrallager|außenlager|wareneingang|warenannahme|entrep[ôo]t|floor|level|ebene|etage|stock|\w*apotheke|pharmacy|réception|quay|receiving|goods[ -]in"
_BUILDING = re.compile(rf"(?:{_HALLS}|unit|suite)\b", re.IGNORECASE)


_NUMBERED_BUILDING = re.compile(
    r"\b(?:[nr]?dc|shed|(?:hall|werks?)?tor|planta|hall|halle|hala|stand|gate|docks?|bays?|floor|level|ebene|etage|bldg|loods|keet|nave|almac[eé]n|muelles?|puerta|porta|porte|poort|brama|door|quais?|hangar|lager|rampe|rampa|magazyn|rayon)\.? ?[\w-]{1,8}$",
    re.IGNORECASE,
)


def _first_of_address(text: str, lines: Sequence[tuple[int, int]], first: int) -> int:
    """The line of the street: departments and persons that stand before it are left out."""
    for n in range(first, len(lines)):
        line = text[slice(*lines[n])]
        if any(c.isdigit() for c in line):
            after = text[slice(*lines[n + 1])] if n + 1 < len(lines) else ""
            postcode = _HAS_POSTCODE.search(after)
            towns = [_HAS_POSTCODE.search(text, *later) is not None for later in lines[n + 1 :]]
            street_next = any(c.isdigit() for c in after) and (
                any(towns[1:]) or not (postcode and postcode.start() == 0)  # 2044 Nandino Blvd looks like a town
            )
            street_next = street_next and not _TOWN_THEN_POSTCODE.fullmatch(after.strip())
            building = _BUILDING.match(line) and not any(c.isdigit() for c in line.partition(",")[2])
            if street_next and (building or _NUMBERED_BUILDING.search(line)):
                continue
            town = _HAS_POSTCODE.search(line) or _BARE_POSTCODE.fullmatch(line.strip())
            return first if town and town.start() == 0 and n > first and not any(towns) else n
    return first


_POSTCODE_LAST = re.compile(
    r", ((?:[A-Z]{1,2}-)?(?:\d{5}|\d{4}(?: [A-Z]{2})?|\d{2}-\d{3}))$"
)  # the town is on the next line
_NEXT_PART = re.compile(r", (?=\S)")


def _without_building(text: str, start: int, end: int) -> tuple[int, int]:
    """The line of an address without a firm, a hall or a box before its street: `Abbundhalle, Am Sportplatz 4`."""
    while comma := _NEXT_PART.search(text, start, end):
        part, following = text[start : comma.start()], text[comma.end() : end].partition(", ")[0]
        numbered = any(c.isdigit() for c in following) and any(c.isalpha() for c in following)
        town = _HAS_POSTCODE.match(following) or _TOWN_THEN_POSTCODE.fullmatch(following)
        street = (numbered or _ROAD.match(following)) and not town
        if not street or not (_INSIDE.match(part) or _NUMBERED_BUILDING.search(part) or _FIRM.search(part)):
            break
        start = comma.end()
    return start, end


_FIRM = re.compile(rf" {_FORM}$")
_ROAD = re.compile(r".*\b(?:road|rd|street|st|lane|ln|way|avenue|ave|drive|close|wynd|row)$", re.IGNORECASE)
_INSIDE = re.compile(
    rf"(?:{_HALLS}|hal|brama|afd(?:\.|eling)|abt(?:\.|eilung)|dep(?:artmen)?t\.?|reparto|dział|sklad|almac[eé]n|d[ée]p[ôo]t|(?:regional |national )?distribution cent(?:re|er)"
    r"|p\.? ?o\.? ?box|postfach|postbus|b\.?p\.?|case postale|apartado|casella postale|\w+(?:halle|lager))(?!\w)",
    re.IGNORECASE,
)


def _last_of_address(text: str, lines: Sequence[tuple[int, int]], first: int) -> int:
    """How many of a box's lines end with its address: with a postcode or a country; 0 where nothing says so."""
    for n in range(len(lines), first, -1):
        line = text[slice(*lines[n - 1])].strip(" ,.")
        if is_country(line.rpartition(", ")[2]) and (n - first > 1 or "," in line):
            return n
        if _HAS_POSTCODE.search(line) or (n - first > 1 and _BARE_POSTCODE.fullmatch(line)):
            return n
        over = text[slice(*lines[n - 2])].rstrip(" ,") if n - first > 1 else ""
        if (code := _POSTCODE_LAST.search(over)) and _HAS_POSTCODE.fullmatch(f"{code[1]} {line}"):
            return n
        under_street = n - first > 1 and any(c.isdigit() for c in text[slice(*lines[n - 2])])
        if under_street and _TOWN_THEN_POSTCODE.fullmatch(line):
            return n
    return 0


def is_town(address: str) -> bool:
    """Whether an address says no more than the town, perhaps with its country."""
    town, *more = address.split(", ")
    return not more or (len(more) == 1 and is_country(more[0]) and not is_country(town))


def in_full(address: str) -> bool:
    """Whether an address has a street or a number before its town and postcode, or behind them."""
    town = _HAS_POSTCODE.search(address)
    return town is not None and len(address) > town.end() - town.start() + 3 and "," in address


def is_in_town(address: str, town: str) -> bool:
    """Whether an address says all that `town` does, `Imperia, Italia`, and more: `… 90, 18100 Imperia (IM), Italia`."""
    name, _, country = town.partition(", ")
    more, _, last = address.rpartition(", ") if country else (address, "", "")
    return last == country and re.search(rf", (?:[\w-]+ )?{re.escape(name)}(?: \([^()]+\))?$", more) is not None


def address_end(text: str, start: int, end: int) -> int:
    """Where an address ends whose street alone stands from `start` to `end`: after the town that follows in its line."""
    if _HAS_POSTCODE.search(text, start, end) or not (town := _TOWN_AFTER.match(text, end)):
        return end
    country = _COUNTRY_NEXT.match(text, town.end())
    return country.end() if country and is_country(country[1]) else town.end()


def address_around(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The address in a sentence, with its country, of which a part stands from `start` to `end`."""
    for match in islice(_ADDRESS.finditer(text, max(0, start - _LONGEST), end + _LONGEST), _MAX):
        first, last = match.span("value")
        if last <= start or end <= first:
            continue
        if text[:start].rstrip()[-1:] in _PARTING and _ADDRESS.match(text, start):
            first = start
        for word in _WORDS.finditer(text, first, max(first, start)):
            if label_of(word[0]):  # "Lieferanschrift Äußere Laufer Gasse 19"
                first = word.end() + 1
        first, town = min(first, start), _HAS_POSTCODE.search(text, start, end)
        last = end if town and town.end() == end else max(last, end)
        if "(" in text[first:last].rpartition(")")[2] and text[last : last + 1] == ")":
            last += 1
        elif province := _PROVINCE.match(text, last):
            last = province.end()
        countries = [m for pattern in _COUNTRIES_NEXT if (m := pattern.match(text, last)) and is_country(m[1])]
        return first, countries[0].end() if countries else last
    return None


_PARTING = tuple(",;:(")
_PROVINCE = re.compile(r" \([^()\d\n]{2,24}\)")
_COUNTRIES_NEXT = tuple(re.compile(rf", ([A-ZÀ-Ž][\w-]{{1,20}}(?: [\w-]{{1,20}}){{{n}}})(?!\w)") for n in (3, 2, 1, 0))


_TOWN_AFTER = re.compile(rf", {_POSTCODE_TOWN}(?!\w)")
_COUNTRY_NEXT = re.compile(r", ([A-ZÀ-Ž][\w -]{1,25})(?!\w)")


def _without_notice(text: str, start: int, end: int) -> tuple[int, int]:
    """The last line of an address without what a dash parts from its town: `97076 Würzburg – Termin 05:00`."""
    town = _HAS_POSTCODE.search(text, start, end)
    notice = _NOTICE.match(text, town.end(), end) if town else None
    return (start, town.end()) if town and notice and not is_country(text[notice.end() : end]) else (start, end)


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    from phonenumbers.geodata.locale import LOCALE_DATA  # a tenth of a second to load, so only with the first address

    languages = ("aa", "en", "de", "fr", "es", "it", "nl", "pl")  # aa: where a name is given once for several
    names = {n for of in LOCALE_DATA.values() for language in languages if (n := of.get(language, "*"))[0] != "*"}
    return frozenset(name.casefold() for name in (*LOCALE_DATA, *names, *_MORE_COUNTRIES))


def is_country(words: str) -> bool:
    """Whether `words` are a country's name in a language of the service, or its ISO 3166 code."""
    return all(name.strip(" .()").casefold() in _countries() for name in words.split(" / "))


def _name_and_address(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A line that says both, `Nordmehl AG, Kornweg 3, 31582 Nienburg`, as two; any other as it is.

    After a legal form, the address may go on in the next line: `Bexwell Ltd, 14 Downham Road`.
    """
    comma = text.find(", ", start, end)
    named = comma >= 0 and not any(c.isdigit() for c in text[start:comma]) and not _ESTATE.match(text, start, comma)
    whole = _HAS_POSTCODE.search(text, comma, end) or (_FIRM.search(text, start, comma) and text[comma + 2].isdigit())
    if named and whole and not _begins_with_town(text, comma + 2, end):
        yield from ((start, comma), (comma + 2, end))
    else:
        yield start, end


_MATERIAL = r"(?:bois|madera|legno|holz|hout|houten|drewn\w+|wood(?:en)?|acero|acier|acciaio|stahl|staal|steel|cart[óo]n\w*|plásti\w+|plasti\w+|fibreboard)"
_PACKING = rf"(?:{PACKED}|jerricans?|jerrycans?|kanister|jaulas?|gabbi[ae]|cunas?|(?:holz|sperrholz|stahl|metall|kunststoff|falt|well|gitter)\w{{0,12}}(?:kisten?|kartons?|boxen|fässer|paletten|verschläge))"
_LOOSE = r"(?:in bulk|a granel|en vrac|alla rinfusa|luzem)(?!\w)"
_EACH, _MEASURE = r"(?:of|de|di|da|von|van|à|zu|po)", r"(?:kgs?|g|lbs?|l|lt|ml)"
_FILLED = r"(?:bottles|jars|tins|cans|flaschen|gläser\w?|dosen|bouteilles|bocaux|boîtes|botellas|tarros|bottiglie|barattoli|flessen|potten|blikken|butelkach|słoikach|puszkach)"  # by themselves they may be the goods
_AMOUNT_AFTER = re.compile(
    rf"[ ,]+(?:net(?:to)?|brutto|gross|lordo|neto|bruto|brut)\.? \d|, (?=\d[\d.,]{{0,9}}(?: \d{{3}})? ?{PACKED}(?!\w))|[ ,]+(?:\(?UN ?\d{{4}}|(?:HS|SH|CN|NC|partida|v\.d\.|tariff|zolltarif\w*|pos\.) (?:code |no\.? |nr\.? )?\d|\d{{8,10}}(?!\S))"
    r"|, [1-9](?:\.\d)?, (?:PG |VG |GE )?I{1,3}(?!\w)| ?[│|·]| ?\((?=\d)| [–—-] (?=\d)| / (?-i:(?=[A-ZÀ-Ž][a-zà-ž]))"
    rf"|,? (?:in|en|à|w|op|su) (?:{PACKED},? (?:{_EACH} )?)?\d[\d.,]* ?{_MEASURE}(?!\w)|, {PACKED},? (?:{_EACH} )?\d[\d.,]* ?{_MEASURE}(?!\w)"
    r"|, (?:ctns?|pkgs?|pcs)\.?(?!\w)"
    r"|[ ,]+(?:(?:loose |shipped |carried )?in bulk|a granel|alla rinfusa)(?!\w)"
    r"|, (?:(?:en |in )?vrac|luzem|lose|los(?:gestort)?)(?!\w)|[ ,]+(?:non?[- ](?:haz|dangerous|hazardous|peligros[oa]s?|adr)(?!\w)|not restricted|kein gefahrgut|geen adr|sans danger)",
    re.IGNORECASE,
)
_CUT_SHORT = re.compile(r"(?: (?:HS|of|in|en|de|di|da|du|des|do|w|na|z|i|y|e|et|und|and|mit|auf|on|met|van))+$")
_UN_NUMBER = re.compile(r"UN ?\d{4}[ ,]+", re.IGNORECASE)
_PACKED_AFTER = re.compile(rf" (?:in|en|w|auf|on|op|sur|su) (?:\w+ )?{PACKED}n?$", re.IGNORECASE)
_COUNTED_BEFORE = re.compile(
    rf"{PACKED}[,:] (?=\w{{3}})|\d[\d.,]* ?x? ?{PACKED}(?:-\w+,)?\.? (?:of |de |di |d['’]|mit |von |with |à |z |met )?(?=\w{{3}})"
    r"|(?:ctns?|pkgs?|pcs|bags|crates|cases|packages|skids|kisten|colis|colli|bultos|each)\.? (?!for |with |and )(?=\w{3})"
    r"|(?:transport|transporte|trasporto|vervoer|przewóz|haulage|carriage)(?: (?:de|di|of|von|van)| [–—-]|:)? (?=\w{3})",
    re.IGNORECASE,
)
_NO_GOODS = re.compile(
    rf"\d+ ?[x×] ?\d\d ?(?:['′’]|ft\b|foot)|(?:\d[\d.,]* ?{PACKED} )?\d[\d.,]* ?[x×*] ?\d[\d.,]* ?[x×*] ?\d|.{{0,40}}(?:\bs\.?t\.?c\b|said to contain|shipper['’]s load)|\W*(?:ems?\b|class\b|freight\b|not restricted|seals?\b|\(|vol(?:ume)?\b|dims?\b|hs\b|(?:marks?|merken|marken|kennzeichen|marques|marcas|marche)\b|po\b|order\b|invoice\b|lote?\b|batch\b|charge\b|total)"
    rf"|(?:\d[\d.,]* )?(?:\w+ )?(?!rolls|coils|sheets|kits|lengths){_PACKING}(?: (?:on|auf|sur|su|en|na|op) (?:\d+ )?{PACKED})?(?: (?:(?:de|di|en|in|z|aus) )?{_MATERIAL})?(?: slac)?\W*$"
    rf"|(?:\d[\d.,]* )?(?:\w+ )?{_PACKING} \([1-7][A-Z]{{1,2}}\d?\)"
    rf"|(?:in|en|w|auf|on|op|sur|sobre|su) (?:\w+ )?(?:{_PACKING}|{_FILLED})(?: (?:de|di|en|in|of|z|aus) \w+)?\W*$"
    r"|(?:net(?:to)?|brutto|gross|lordo|neto|bruto|brut)\.? \d|(?:artikel|article|art[íi]culo|articolo|item|pos(?:ition|\.)?|line|lp\.) \d{1,3}\W*$|totaa?l\w* (?:aantal|number|nombre)"
    rf"|(?:embalajes?|emballages?|verpackung|imball\w+|opakowani\w+|verpakking|packaging|packing)(?: (?:de |di |en |in |aus |z )?{_MATERIAL}(?: \w+)?)?\W*$"
    rf"|(?:keep|store|stow|handle|do not|ne pas|tenir|conservar|mantener|conservare|tenere|chronić|nie) [a-zà-ž]|(?:trocken|kühl|aufrecht|droog|koel) \w+(?:e?n|t)\W*$|nicht (?:stapeln|stürzen|werfen)|niet stapelen|{_LOOSE}",
    re.IGNORECASE,
)
_LISTED = re.compile(r" ?;\s| / (?=[a-zà-ž])")


def goods_in(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where the goods alone stand: `Fresh pears` of `24 pallets Fresh pears, 9800 kg`; None where only packing does."""
    number = _UN_NUMBER.match(text, start, end)
    start = number.end() if number else start
    if _NO_GOODS.match(text, start, end):
        return None
    counted = _COUNTED_BEFORE.match(text, start, end)
    start = counted.end() if counted else start
    end = start + len(_AMOUNT_AFTER.split(text[start:end])[0].rstrip())
    end -= len(text[start:end]) - len(_CUT_SHORT.sub("", text[start:end]))
    return (start, end) if end > start else None


def is_bulk(text: str, start: int, end: int) -> bool:
    """Whether a line says that goods are loose: `in bulk, 1 liner bag fitted`."""
    return _IN_BULK.match(text, start, end) is not None


_IN_BULK = re.compile(_LOOSE, re.IGNORECASE)


def goods_listed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The goods of a line, of which it may list several: `Fresh oranges; fresh grapefruit`."""
    for mark in _LISTED.finditer(text, start, end):
        if place := goods_in(text, start, mark.start()):
            yield place
        start = mark.end()
    if place := goods_in(text, start, end):
        yield place


_LETTERHEAD = re.compile(
    rf"(?P<value>[A-ZÄÖÜÀ-ÝŁŚŻŹĆ][\w&'’.+-]*(?: (?:{_PARTICLE} )?[\w&'’.+-]+){{0,6}},? {_FORM})(?=\s*(?:$|[·•|,\n–-]| {_CAPITAL}))"
)
_FORM_FIRST = re.compile(rf"{_FORM}(?!\w)")  # the second line of a firm's name
_BRAND = re.compile(rf"{_CAPITAL}(?: (?:&|{_PARTICLE}|{_CAPITAL})){{0,4}} {_CAPITAL}")
_ONE_WORD = re.compile(r"[A-Z][A-Za-z&.-]{4,}")
_REST_OF_NAME = re.compile(rf",?(?: [\w&'’.+-]+){{0,4}},? {_FORM}(?!\w)")
_HEAD_CELLS = 6


def letterhead(
    text: str, cells: Sequence[tuple[int, int]], large: Sequence[tuple[int, int]] = (), *, in_full: int = 0
) -> tuple[int, int] | None:
    """Where the firm that issued a page names itself: first of all, in `large` print, or in the small print at the end.

    What is in large print is looked for with its legal form too, up to the offset `in_full`.
    """
    cells = [
        (start, end) for start, end in cells if not _ADDRESSED.match(text, start, end)
    ]  # who issued writes to them
    places = [match.span("value") for start, end in cells[:2] if (match := _LETTERHEAD.search(text, start, end))]
    places = [(start, end) for start, end in places if not _FORM_FIRST.match(text, start, end)]
    if places:
        return places[0]
    for start, end in large:
        words = text[start:end].strip()
        one = (start, end) == tuple(large[0]) and _ONE_WORD.fullmatch(words) and not is_other_label(words)
        if (one or _BRAND.fullmatch(words)) and not _DOCUMENT_WORD.search(words) and not is_title(words):
            return _in_full(text[:in_full], words) or (start, end)
    for start, end in (*cells[2:_HEAD_CELLS], *cells[-_HEAD_CELLS:]):
        if (match := _LETTERHEAD.search(text, start, end)) and not _FORM_FIRST.match(match["value"]):
            return match.span("value")
    return None


def _in_full(text: str, brand: str) -> tuple[int, int] | None:
    """Where a brand stands with the rest of the firm's name and its legal form."""
    for match in islice(re.finditer(re.escape(brand), text, re.IGNORECASE), _MAX):
        if rest := _REST_OF_NAME.match(text, match.end()):
            return match.start(), rest.end()
    return None


_TO = re.compile(r"(?:an|to|à|a|aan|do|herrn|firma|fa\.|attn)[.:]?", re.IGNORECASE)
_SHIPPING_NAME = re.compile(  # UN1263, PAINT, Class 3, PG III; UN 1993 FLAMMABLE LIQUID, N.O.S. (xylene), 3, III
    r"(?<!\w)UN ?\d{4},? (?P<name>(?!(?i:class|klasse|classe|clase|klasa|PG)\b)[A-ZÀ-Ž](?:[A-ZÀ-Ž0-9 ,/.'’-]|(?:(?<=,)|(?<=LY HAZARDOUS)|(?<=GEFÄHRDENDER)|(?<=GEVAARLIJKE))\n(?=[A-ZÀ-Ž][A-ZÀ-Ž.])(?!UN ?\d|PG|CLASS)){2,80}?"
    r"(?:,?[ \n]\((?![A-E]/|[A-E]\d|(?i:fl(?:ash|ammp)|punto|point|vlam|ltd|limited|marine))[^\W\d][^()]{3,60}\))?)"
    r"(?=,? (?:(?i:class|klasse|classe|clase|klasa)\.? ?)?[1-9](?:\.\d)?(?!\d|\w)|,? \(|,? PG|(?<!,)(?<!LY HAZARDOUS)(?<!GEFÄHRDENDER)(?<!GEVAARLIJKE)\n|,\n(?![A-ZÀ-Ž][A-ZÀ-Ž.])|,\n(?=UN ?\d|PG|CLASS)|$)"
)


def shipping_names(text: str) -> Iterator[Span]:
    """The proper shipping names of dangerous goods, in the order of ADR, IMDG and IATA."""
    for match in islice(_SHIPPING_NAME.finditer(text), _MAX):
        name = match["name"].rstrip(" ,")
        yield Span("description", " ".join(name.split()), match.start("name"), match.start("name") + len(name), 0.85)


def in_window(
    text: str, lines: Sequence[tuple[int, int]], party: str = "consignee"
) -> Iterator[tuple[Span, Sequence[tuple[int, int]]]]:
    """A name and address without a label, as in the window of an envelope: that of `party`, to whom it is sent."""
    if lines and _TO.fullmatch(text, *lines[0]):
        lines = lines[1:]
    plain = [text[start:end] for start, end in lines]
    if len(lines) < 3 or any(c.isdigit() for c in plain[0]) or re.search(r"[·•|:]", "".join(plain)):
        return
    if not _HAS_POSTCODE.search(text, *lines[-1]) and not _HAS_POSTCODE.search(text, *lines[-2]):
        return
    for span, of in in_box(text, party, lines):
        yield span._replace(score=0.65), of


def holds(quote: str, value: str, apart: str = ", ") -> bool:
    """Whether the parts of a value stand in `quote` one after the other; lines of a box beside it may be between."""
    at, quote = 0, " ".join(quote.split())
    for line in value.split(apart):
        at = quote.find(line, at)
        if at < 0:
            return False
        at += len(line)
    return True


@lru_cache(maxsize=4096)
def is_other_label(words: str) -> bool:
    """Whether `words` are themselves a label, or the title of a document, and so no value."""
    return _OTHER_LABEL.fullmatch(words) is not None or is_title(words) or caption_of(words) is not None


def _as_span(
    field: str, text: str, lines: Sequence[tuple[int, int]], score: float
) -> Iterator[tuple[Span, Sequence[tuple[int, int]]]]:
    if value := value_of(field, "\n".join(text[start:end] for start, end in lines)):
        yield Span(field, value, lines[0][0], lines[-1][1], score), lines


def value_of(field: str, quote: str) -> str | None:
    """As printed, with single blanks; the lines of an address joined by commas."""
    if field == "signed":
        said = next((value for value, pattern in _SIGNED if pattern.fullmatch(quote)), None)
        return said or signing.value_of(quote)
    around = "" if field == "remarks" else " ,;"  # a remark is given as it stands
    value = " ".join(quote.split()).strip(around)
    if field == "remarks" and (quoted := _QUOTED.fullmatch(value)):
        value = quoted[1]
    if field in ADDRESSES:
        around += _RULE_SIGNS
        lines = [" ".join(line.split()).strip(around) for line in quote.strip(around + "\n").split("\n")]
        if (country := _COUNTRY_AFTER.search(lines[-1])) and is_country(country[1]):
            lines[-1:] = [lines[-1][: country.start()], country[1]]
        value = _joined(lines)
        value = _TOLD_AFTER.sub("", _POSTCODE_APART.sub(" ", _PARTS_OF_ADDRESS.sub(", ", value)))
        value = _BEFORE_STREET.sub("", _REST_OF_FIRM.sub("", _DAY_AFTER.sub("", value)))
        value = value[_without_building(value, 0, len(value))[0] :]
        value = value if "(" in value else value.partition(")")[0]  # of what is told in brackets
        value = _with_country_apart(value)
        caption, colon, rest = value.partition(": ")
        value = rest if colon and caption_of(caption) is not None else value
        if _DAY.search(value):
            return None
    if field == "received_by":
        value = value[clock.end() :] if (clock := _SIGNING_CLOCK.match(value)) else value
        value = value[title.end() :] if (title := _TITLE.match(value)) else value
        if signature_label(value) or value.islower():
            return None
    if not 2 <= len(value) <= _LONGEST or not any(c.isalpha() for c in value):
        return None
    return value


def _with_country_apart(value: str) -> str:
    """An address with a comma before the country that stands behind its town: `66663 Merzig Germany`."""
    whole, _, last = value.rpartition(", ")
    words = last.split(" ")
    for at in (len(words) - 2, len(words) - 1):
        town, country = words[:at], " ".join(words[at:])
        named = (
            len(country) > 3
            and country[0].isalpha()
            and is_country(country)
            and town[-1:]
            and town[-1].casefold() not in _OF_A_NAME
        )
        if named and any(c.isdigit() for c in last) and any(len(w) > 2 and w.isalpha() for w in town):
            return ", ".join(part for part in (whole, " ".join(town), country) if part)
    return value


_OF_A_NAME = frozenset(["de", "of", "new", "nueva", "northern"])  # Ciudad de México, New Mexico


def _joined(lines: Sequence[str]) -> str:
    """The lines of an address in one, each without its caption; a street may go on in the next: `80 rue du`."""
    parts = [line[slice(*_without_caption(line, 0, len(line)))] for line in lines if line]
    return "".join(p + (" " if _UNFINISHED.search(p) or p.isdigit() else ", ") for p in parts).rstrip(" ,")


_QUOTED = re.compile(r"[„“\"«»‚‘‹]([^„“”\"«»]+)[“”\"»«’‘›]")
_PARTS_OF_ADDRESS = re.compile(  # "12 allée Gutenberg,71100 Chalon", "Contrada Piana 18 - 70037 Ruvo"
    r"(?<=[^\W\d]),(?=\w)| [-–—·] (?=(?:[A-Z]{1,2}-)?\d{4,5} [A-ZÀ-Ž][^,\d]{2,40}$)"
)
_POSTCODE_APART = re.compile(  # in a cell or line of its own
    r"(?:(?<=, \d{5})|(?<=, \d{4})|(?<=, \d{4} [A-Z]{2})|(?<=, \d{2}-\d{3})), (?=[A-ZÀ-Ž])|(?<=, [A-Z]{2}), (?=\d{5}(?!\d))"
)
_REST_OF_FIRM = re.compile(rf"^{_FORM}\.?(?:,| [-–—·]) (?=\S)")  # "S.L. — Polígono El Oliveral"
_BEFORE_STREET = re.compile(  # "Kühlhaus Ost, Hafenstraße 60", "Magazzino, Archenweg 44"
    r"^[^\d,]+, (?=[^\d,]*(?:straße|strasse|str\.|weg|gasse|ring|allee|platz|chaussee|damm|ufer|straat|laan|dijk|veld|kade|singel)"
    r" \d{1,4} ?[a-z]?(?:[-/]\d{1,4})?(?:,|$))",
    re.IGNORECASE,
)
_DAY = re.compile(r"(?<!\d)\d{1,2}[./]\d{1,2}[./](?:19|20)?\d\d(?!\d)")
_SIGNING_CLOCK = re.compile(r"(?:\d[\d:., ]{0,15})?(?:(?:uhr|uur|hrs) )?", re.IGNORECASE)  # `9.20 Uhr Gindele`
_DAY_IN_FULL = r"(?:\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d)"
_DAY_AFTER = re.compile(rf",? (?:(?:le|el|il|am|on|den|dnia|op|del|vom|du) )?{_DAY_IN_FULL}(?:,? [^,]{{1,20}})?$")
_TOLD_AFTER = re.compile(
    r" [–—-] [a-zà-ž]\D*\d?$"
)  # "Leeds LS12 5JB — by haulier", not "quai Est – porte 17, 56100 LORIENT"
_COUNTRY_AFTER = re.compile(r" [-–—] ([^-–—,\d]{3,30})$")  # "38100 GRENOBLE - FRANCE"
_PERSON = re.compile(
    r"[A-ZÀ-ÝŁŚŻ][a-zà-ÿłśżźćńęą]{2,} [A-ZÀ-ÝŁŚŻ]\.|(?:(?:[A-ZÀ-ÝŁŚŻ](?:\. ?| )){1,2}|[A-ZÀ-ÝŁŚŻ][a-zà-ÿłśżźćńęą]+ )(?:(?:van|de|der|von|di|da) ){0,2}(?:[A-ZÀ-ÝŁŚŻ][a-zà-ÿłśżźćńęą'-]+|[A-ZÀ-ÝŁŚŻ]{3,})"
)


def is_person(words: str) -> bool:
    """Whether `words` are the name of a person, `R. Kettner`, and nothing else."""
    return _PERSON.fullmatch(words) is not None


def person_at(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Where a cell names a person, `R. Kettner`, perhaps after the time; None where it is something else."""
    match = next((m for m in _PERSON.finditer(text, start, end) if not is_other_label(m[0])), None)
    if match is None or match.end() < end - 1:
        return None
    before = text[start : match.start()].replace("h", "")  # of a time, as in 9h35
    return None if any(c.isalpha() for c in before) else match.span()


_PREPOSITION = r"(?:from|at|to|by|presso|chez|bei|von|an|der|da|dalla|di|del|de|a|à|al|alla|en|por|par|do|od|w|z|bij|van|naar|aan|door)"
_SIDES_SAID = tuple(
    (field, party, re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE))
    for field, party, words in (
        ("pickup_address", "shipper", r"pick(?:ed)?[ -]?up|collect(?:ed|ion)?|load(?:ed|ing)?|ritir\w+|caric\w+|presa in carico|recog\w+|carga\w*|charge(?:r|z|rez|ment|ée?s?)|enl[eè]v\w+|pris en charge|remise?s? par|expédiée?s? par|ab(?:ge)?hol\w*|abzuholen|(?:be|ge)?laden|ladung|opha\w+|opgehaald|odbi[óe]\w+|odebra\w+|załad\w+"),
        ("delivery_address", "consignee", r"deliver(?:ed|y)?|unload(?:ed|ing)?|destined|consegn\w+|destinat[oaie]|scaric\w+|entreg\w+|destinad[oa]s?|descarg\w+|livr\w+|destinée?s?|décharg\w+|(?:ge|an|aus|ab)?liefer\w*|zu(?:ge|zu)?stell\w*|bestimmt|entlad\w+|(?:ge|af)?lever\w*|af(?:ge|te )lever\w*|bestemd|loss\w+|dostarcz\w+|dostaw\w*|rozład\w+"),
    )
)  # fmt: skip
_WHO_THERE = re.compile(
    rf"(?<!\w){_PREPOSITION} (?:the |der |die |den |la |le |il |el |de |het )?(?P<name>[A-ZÀ-Ž][^,;:()]{{2,60}}(?:, ?{_FORM})?)(?:,| ?\() ?$"
)
_SENTENCE_LONG = 120  # letters from what happens to where


def told(text: str) -> Iterator[tuple[Span, Sequence[tuple[int, int]]]]:
    """Who sends and receives, and where, in the sentences of a letter: `collect on Monday from X Ltd, 9 Axis Road, …`

    Their lines end anywhere in a name or an address.
    """
    flat = text.replace("\n", " ")
    for match in islice(_ADDRESS.finditer(flat), _MAX):
        start, end = match.span()
        comma = flat.find(", ", start, end)
        if _FIRM.search(flat, start, comma) and _ADDRESS.match(flat, comma + 2):  # "Midland Ltd, 9 Axis Road"
            start = comma + 2
        begin = max(0, start - _SENTENCE_LONG)
        before = flat[begin:start]
        who = _WHO_THERE.search(before)
        if who is None:
            continue
        said = [(max((m.end() for m in words.finditer(before, 0, who.start() + 1)), default=-1), field, party)
                for field, party, words in _SIDES_SAID]  # fmt: skip
        at, field, party = max(said)
        name = name_at(flat, begin + who.start("name"), begin + who.end("name"))
        breaks = (start + m.start() for m in re.finditer(r"\n", text[start:end]))
        end = next((n for n in breaks if _ADDRESS.fullmatch(flat, start, n)), end)  # no town goes on in the next line
        place = address_around(flat, start, end)
        if at < 0 or name is None or place is None:
            continue
        firm, address = value_of(party, flat[slice(*name)]), value_of(field, flat[slice(*place)])
        if firm and address:
            yield Span(party, firm, *name, 0.7), [name]
            yield Span(field, address, *place, 0.7), [place]


_TO_ORDER = re.compile(
    r"to (?:the )?order of |an (?:die )?order von |à l['’]ordre de |a la orden de |all['’]ordine di ", re.IGNORECASE
)


_RULE_SIGNS = "│┃║¦ "  # of tables in letters of one width
_TITLE = re.compile(  # before both names of a person; "M. Verstegen" may be an initial
    r"(?:(?:Mr|Mrs|Ms|Mme|Mlle|M|Hr|Sr|Sra|Sig|Sig\.ra|Dhr|Mevr|Mw)\.?|Herr|Frau|Pani?) (?=[A-ZÀ-Ž][\w.'’-]{1,20} [A-ZÀ-Ž][\w'’-])"
)
_BEFORE_NAME = re.compile(
    rf"(?:ihre?|votre|uw|messrs\.?|m/s\.?|spett(?:\.?le|abile)\.?(?: ditta)?|{_DAY_IN_FULL}(?!\d)) +(?=[^\W\d])",
    re.IGNORECASE,
)
_AFTER_FORM = re.compile(  # the number of a carrier's licence, or the caption of the next column
    rf" (?P<form>{_FORM}) (?:(?:US ?DOT|DOT|MC|SCAC|IATA|NIP|KRS|ABN|Licen[cs]e|(?i:route|tour|ref|date|datum|fecha|data|page))\b.{{0,40}})$"
)
_FORM_WITHIN = re.compile(rf" (?>{_FORM})(?= [^\W\d])")  # "Rauch KG Sendungsnr"
_SHORTEST_PERSON = 3  # letters: "Le" stands before a day, "1 BELADUNG" is a heading


def name_at(text: str, start: int, end: int, *, person: bool = False) -> tuple[int, int] | None:
    """The part of a labelled line that is a name: up to a comma, a telephone number or an address; None: no name."""
    if ordered := _TO_ORDER.match(text, start, end):
        start = ordered.end()
    if before := _BEFORE_NAME.match(text, start, end):
        start = before.end()
    start += len(text[start:end]) - len(text[start:end].lstrip(_RULE_SIGNS))
    line = text[start:end]
    cut = re.search(
        r"\s*(?:[│┃║¦]|,(?! ?(?:S\. ?[A-Z]|(?-i:(?!U\.S|U\.K)[A-Z]\.[A-Z](?=\.$))|S\.? ?Coop|Lda|Ltda|Soc|SA|SL|Inc|L\.?L\.?C|Ltd|Co|Corp|GmbH|B\.V|s\.r\.l|s\.p\.a)(?:\.|(?!\w)))|;|\||\t| {3,}|_{3,}|\((?![\w .-]{1,14}\) ?(?:P(?:te|ty|vt)|Ltd|Limited|Co|GmbH|B\.?V|S\.?A|Inc|LLP|LLC|Private)\b)|\s[A-ZÀ-Ý][\w.]{1,20}(?: (?-i:[a-zà-ž][\w.]{0,12}|No\.?|Nr\.?)){0,2}\s?:|\s(?:handtekening|signature|unterschrift|firma|podpis|datum|fecha|rego|kenteken|kennzeichen|immatriculation|matrícula|targa)(?!\w)|\s[-–—·•](?:\s|$)|\s\d{1,5},? (?:rue|av|avenue|bd|boulevard|allée|chemin|quai|via|calle|ul)\.? |(?<!\w)(?:tel|phone|attn|c/o)(?!\w)|(?<!\w)(?:t[eé]l\w*|mob(?:ile|iel|il)?|handy|cell|gsm|kom|tlf|m[oó]vil|portable|immat\w*)\b[ .:]{0,3}(?=[\d(+]|$)|(?<!\w)\+\d)",
        line,
        re.IGNORECASE,
    )
    if cut:
        line = line[: cut.start()]
    if after := _AFTER_FORM.search(line):
        line = line[: after.end("form")]
    elif (form := _FORM_WITHIN.search(line)) and is_other_label(line[form.end() :].strip()):
        line = line[: form.end()]
    begin = len(line) - len(line.lstrip(" .:-"))
    if person and (title := _TITLE.match(line, begin)):
        begin = title.end()
    line = line.rstrip(" -")
    if line.endswith(".") and not _ABBREVIATED.search(line):
        line = line.rstrip(" .")
    while person and (last := line.rpartition(" ")) and last[0].count(" ") > 0 and _OTHER_LABEL.fullmatch(last[2]):
        line = last[0].rstrip(" -")  # the label of the next column
    if ":" in line[begin:] or signature_label(line):
        return None
    letters = sum(c.isalpha() for c in line)
    if _NO_NAME.fullmatch(line) or _NO_NOTE.match(line) or _NUMBERED.search(line) or is_country(line):
        return None
    if is_other_label(line) or line[begin : begin + 1].islower():
        return None
    if letters < 2 or letters * 2 < len(line) - begin or len(line) - begin > 80:
        return None
    if person and (letters < _SHORTEST_PERSON or line[begin].isdigit()):
        return None
    return start + begin, start + len(line)


def _party_at(party: str, text: str, start: int, end: int) -> tuple[int, int] | None:
    """A party's name in a line; before a carrier's may stand how it carries: `LKW-Stückgut durch Jura Fracht AG`."""
    means = _BY_MEANS.match(text, start, end) if party == "carrier" else None
    return name_at(text, means.end() if means else start, end)


_BY_MEANS = re.compile(
    r"(?:[^\s:,]+ ){1,2}(?:durch|mit|via|by|par|door|przez|tramite|por medio de) (?=(?-i:[A-ZÀ-Ž]))", re.IGNORECASE
)


def name_around(text: str, start: int, end: int, line: tuple[int, int]) -> tuple[int, int]:
    """A name in a sentence, of which a part stands from `start` to `end`: with the words in capitals before it in its
    line, and its legal form.
    """
    for word in reversed([*_WORDS.finditer(text, line[0], start)]):
        if (
            start - word.end() > 1
            or not _OF_NAME.fullmatch(word[0])
            or word[0][0].islower()  # "é" too
            or label_of(word[0])
            or caption_of(word[0]) is not None
        ):
            break
        start = word.start()
    form = _FORM_NEXT.match(text, end, line[1])
    return start, form.end() if form else end


def is_of_name(words: str) -> bool:
    """Whether all `words` may be of a firm's name: none is small but those that stand in names, and none a day."""
    return all(_OF_NAME.fullmatch(word) or _UNFINISHED.fullmatch(f" {word}") or word == "&" for word in words.split())


_WORDS = re.compile(r"\S+")
_OF_NAME = re.compile(r"[A-ZÀ-Ž][\w'’&.-]*(?<!\d)")
_FORM_NEXT = re.compile(rf",? {_FORM}(?!\w)")
_NEXT_LABEL = re.compile(r"\s[A-ZÀ-Ž][^\W\d]{1,20}\.?(?: [a-zà-ž]{1,12}){0,2}\s?:")


def _labelled(text: str) -> Iterator[Span]:
    for field, pattern in _IN_LINE:
        for match in islice(pattern.finditer(text), _MAX):
            start, end = match.span("value")
            if field in ADDRESSES:
                address = _ADDRESS.search(text, start, min(len(text), end + _LONGEST))
                if address and address.start() - start < 60 and (value := value_of(field, address["value"])):
                    yield Span(field, value, *address.span("value"), 0.85)
                    named = text[start : address.start()].rstrip(" ,\n-–")
                    party = _WHO_IS_THERE[field]
                    name = name_at(text, start, start + len(named)) if named and "\n" not in named else None
                    if (
                        name
                        and not _BUILDING.match(text[slice(*name)])
                        and (firm := value_of(party, text[slice(*name)]))
                    ):
                        yield Span(party, firm, *name, 0.6)
                elif not address and (town := _HAS_POSTCODE.match(text, start, end)):
                    yield Span(field, " ".join(town[0].split()), *town.span(), 0.7)
                continue
            place: tuple[int, int] | None
            if field == "remarks":
                said = text[start:end].rstrip()
                place = (start, start + len(said)) if is_note(said) else None
            elif field == "description":
                if next_label := _NEXT_LABEL.search(text, start, end):
                    end = next_label.start()
                if place := goods_in(text, start, end):
                    said = _PACKED_AFTER.sub("", text[slice(*place)].rstrip(" ."))
                    place = (place[0], place[0] + len(said))
            else:
                place = _party_at(field, text, start, end) if any(c.isupper() for c in text[start:end]) else None
            if place and (value := value_of(field, text[place[0] : place[1]])):
                yield Span(field, value, *place, 0.75)


def _said(text: str) -> Iterator[Span]:
    for field, pattern in _SAID:
        for match in islice(pattern.finditer(text), _MAX):
            start = match.start("value")
            end = start + len(match["value"].rstrip())
            words = text[start:end].split()
            labels = is_other_label(text[start:end]) or any(caption_of(w) is not None for w in words if len(w) > 3)
            if not labels and (value := value_of(field, text[start:end])):
                yield Span(field, value, start, end, 0.7)


_NEAR = 20
_VALID = re.compile(r"(?<!\w)(?:valid|valable|v[aá]lido|gültig|geldig|ważn\w+)\W{1,2}$", re.IGNORECASE)
_NEEDS_NONE = re.compile(  # "valid without signature", "no signature is required"
    r"[^.]{0,25}(?<!\w)(?:required|necessary|needed|valid|gültig|erforderlich|notwendig|requise|nécessaire|valable|necesaria|richiesta|necessaria|nodig|vereist|geldig|ważn\w+)",
    re.IGNORECASE,
)
_TO_BE_SIGNED = re.compile(
    r"(?<!\w)(?:must|should|shall|needs?|ha(?:ve|s) to|to be|please(?! (?:find|see|note))|muss|müssen|soll(?:en|te|ten)?|bitte(?! beachten)|doi(?:t|vent)|veuillez|dev[eo](?:no)?|deben?|por favor|moet(?:en)?|dient|graag|prosimy|proszę|musi|należy)(?!\w)[^.,;:!?\n]*$",
    re.IGNORECASE,
)
_BY_MACHINE = re.compile(  # "generado electrónicamente, sin firma"
    r"(?<!\w)(?:comput|ele[ck]tr[oó]|automat|maschinell|EDI(?!\w)|informat|gegenereerd|wygenerowan)[^\n.]{0,40}$",
    re.IGNORECASE,
)
_REST_OF_LINE = re.compile(r"(?: by)?[ \t:.]*(?P<rest>.{0,80})")


def _signed(text: str) -> Iterator[Span]:
    """What a page says of a signature; "yes" only with a name behind."""
    for value, pattern in _SIGNED:
        for match in islice(pattern.finditer(text), _MAX):
            before = text[max(0, match.start() - 3 * _NEAR) : match.start()]
            if _NEEDS_NONE.match(text, match.end()) or _VALID.search(before[-_NEAR:]) or _BY_MACHINE.search(before):
                continue
            if value == "yes" and (_TO_BE_SIGNED.search(before) or not _names_one(text, match.end())):
                continue
            yield Span("signed", value, *match.span(), 0.75)
            return


def _names_one(text: str, start: int) -> bool:
    """Whether a name follows on the same line."""
    match = _REST_OF_LINE.match(text, start)
    return match is not None and name_at(text, *match.span("rest"), person=True) is not None


def _addresses(text: str) -> Iterator[Span]:
    for match in islice(_ADDRESS.finditer(text), _MAX):
        before = text[max(0, match.start() - 80) : match.start()]
        pickup = max((m.end() for m in _PICKUP_BEFORE.finditer(before)), default=-1)
        delivery = max((m.end() for m in _DELIVERY_BEFORE.finditer(before)), default=-1)
        if pickup == delivery:
            continue
        field = "pickup_address" if pickup > delivery else "delivery_address"
        if value := value_of(field, match["value"]):
            yield Span(field, value, *match.span("value"), 0.65)
