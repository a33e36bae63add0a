"""Whether a delivery was signed for, as messages tell it: "we signed for 13", "sin firmar", "nikt nie podpisał"."""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from extractors.evidence import Span

_MAX = 200  # words of signing in one text
_BEFORE, _AFTER = 90, 60  # letters around such a word that say what is meant
_SCORE = 0.75

_HAVE_SIGNED = (
    r"(?:counter-?)?signed|sgd|did sign|(?:gegen|ab)gezeichnet|unterschrieben|unterzeichnet|quittiert|signiert|unterschrieb|signée?s?|émargée?s?|firm(?:ad[oa]s?|ó|é|amos|aron|at[oaie]|ò)"
    r"|(?:onder|af)?getekend|(?:onder)?tekende|podpis(?:ał\w*|ali\w*|ano|an[eay]|uję)|pokwitowa(?:ł\w*|ne|ny|no)"
)
_TO_SIGN = r"sign|unterschreiben|unterzeichnen|quittieren|abzeichnen|signer|émarger|firmar(?:l[oa])?|firmare|(?:onder|af)?tekenen|podpisa(?:ć|nia)|pokwitować|pokwitowania"
_SIGNATURE = r"signature|unterschrift|handtekening|podpis(?:u|em)?|firma"
_NO = r"no|without(?: an?y?)?|ohne|keine|sans|pas de|aucune|sin(?: la| ninguna)?|falta(?: la)?|senza(?: la)?|manca(?:no)?(?: la)?|nessuna|zonder|geen|bez|brak|ani|nie ma"
_REFUSED = r"refus\w*|declin\w+|(?:ver)?weiger\w*|geweigerd|neg(?:ó|o|aron|ado)|niega|rifiut\w*|odm[óo]wi\w*|odmawia"
_ILLEGIBLE = r"illegible|unreadable|unleserlich\w?|illisible|ilegible|illeggibile|onleesba(?:ar|re)|nieczyteln[yae]"
_RECEIPT = r"cmr|pod|proof of delivery|bol|b/l|waybill|delivery note|frachtbrief|lieferschein|ablieferbeleg|lettre de voiture|bl|albarán|carta de porte|ddt|bolla|vrachtbrief|pakbon|list przewozowy|wz"
_SAYS = re.compile(
    rf"(?<!\w)(?:(?P<signed>{_HAVE_SIGNED})|(?P<to_sign>{_TO_SIGN})"
    rf"|(?P<not_signed>(?:{_NO}) (?:{_SIGNATURE})|unsigned|niepodpisan\w+|signature missing|unterschrift (?:fehlt|verweigert)|handtekening ontbreekt|(?:odm[óo]wi\w+|odmowa) podpisu|refus de signature)"
    rf"|(?P<illegible>(?:{_ILLEGIBLE}) (?:{_SIGNATURE})|(?:{_SIGNATURE})(?: \w{{2,4}})? (?:{_ILLEGIBLE})|(?:{_RECEIPT})(?: [\w/-]{{1,20}}){{0,3}} (?:{_ILLEGIBLE}))"
    r"|(?P<by_name>clean signature|signature(?= ['\"‘“«„])|(?:signature|signataire|unterschrift|handtekening|podpis)(?= ?: ?[^\W\d_])))(?!\w)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.,;!?:\n()–—]")
_SENTENCE = re.compile(r"[.;!?](?:\s|$)|\n")
_WORDS = r"(?: [^\W\d_][\w'’]*){0,4} $"  # "nobody at the dock has signed"
_NOT = re.compile(
    rf"(?:(?<!\w)(?:not|never|nothing|nobody|no[- ]one|nicht|nichts|nix|nie|niemand|keiner|pas|jamais|personne|no|nadie|nunca|non|nessuno|mai|niets?|nooit|nikt|nic)|n['’]t){_WORDS}",
    re.IGNORECASE,
)
_NOTHING = re.compile(r" (?:nothing|nichts|nix|rien|nada|niente|nulla|niets|niczego)(?!\w)", re.IGNORECASE)
_WILL_NOT = re.compile(  # sign; that there is nobody to sign says less
    rf"(?:(?<!\w)(?:(?:(?:would|wo|did|could|does|do)n['’]?t|(?:would|will|did|could|does) not|(?:nobody|no[- ]one) would)(?: want to)?|sans|sin|senza|without|zonder te|ohne zu|bez) $"
    rf"|(?<!\w)(?:nichts?|nix|niemand|keiner|pas|rien|personne|no(?= \w)|nadie|non|nessuno|niets?|nie|nikt|{_REFUSED}){_WORDS})",
    re.IGNORECASE,
)
_IF = re.compile(r"(?<!\w)(?:if|in case|unless|wenn|falls|sollte|jeśli)(?!\w)", re.IGNORECASE)
_TO_GET = re.compile(  # a paper, that has been signed: "haven't received the CMR signed by them"
    r"(?<!\w)(?:received|got|seen|reçue?s?|ricevut\w+|recibid\w+|visto|erhalten|bekommen|ontvangen|gekregen|dosta\w+|otrzyma\w+)(?!\w)",
    re.IGNORECASE,
)
_WANTED = re.compile(  # "must be signed", "who signed", "if it is signed", "falta el CMR firmado"
    r"(?<!\w)(?:must|should|shall|be|being|needs?|needed|require[sd]?|if|once|until|unless|who|whoever|want\w*|get|getting|muss|müssen|soll\w*|wenn|falls|sobald|wer|brauch\w*|benötig\w*|fehlt"
    r"|doit|doivent|faut|si|dès que|qui|attend\w*|besoin|manque|deben?|hay que|necesit\w*|quién|quier\w*|env[ií]e\w*|enviar\w*|envi[aá]d\w*|m[aá]nd[ae]\w*|mandar\w*|faltan?"
    r"|dev[eo]|devono|serv[eo]\w*|bisogno|manc\w+|inviat\w+|inviare|mandat\w+|attes[ao]|moet\w*|als|wie|nodig|worden|stuur|sturen|musi|mają być|jeśli|gdy|kto|potrzeb\w*|zanim)(?!\w)",
    re.IGNORECASE,
)
_PLEASE = re.compile(
    r"(?<!\w)(?:please|pls|kindly|send|bitte|merci de|veuillez|por favor|per favore|graag|proszę|prosimy)(?! (?:find|see|note)(?!\w))(?!\w)",
    re.IGNORECASE,
)
_ANOTHER = r"driver|courier|haulier|shipper|sender|fahrer|kurier|frächter|absender|chauffeur|conducteur|livreur|coursier|expéditeur|conductor|ch[óo]fer|repartidor|transportista|remitente|autista|corriere|vettore|mittente|bestuurder|koerier|afzender|kierowca|nadawca"
_OF_ANOTHER = re.compile(rf"(?<!\w)(?:{_ANOTHER}){_WORDS}", re.IGNORECASE)  # than who receives
_PAPER = r"contract|agreement|offer|quotation|certificate|form|order confirmation|vertrag|angebot|auftragsbestätigung|zertifikat|contrat|offre|devis|certificat|contrato|oferta|pedido|certificado|acta|eur\.?1|contratto|offerta|ordine|preventivo|certificato|offerte|bestelling|certificaat|umow[aęy]|ofert[aęy]|zamówieni[ae]|zlecenie|certyfikat"
_ANOTHER_PAPER = re.compile(rf"(?<!\w)(?:{_PAPER})(?!\w)[^.;!?\n]{{0,25}}$", re.IGNORECASE)
_NO_RECEIPT = re.compile(  # "signed off", "signed out of your hub", "signed by your driver", "signed our refusal form"
    rf" (?:off|in at|in/out|out|up)(?!\w)|(?: (?:by|von|par|por|da|door|przez))(?: [^\W\d_]+)? (?:{_ANOTHER})(?!\w)|(?: [^\W\d_]+){{0,2}} (?:{_PAPER})(?!\w)",
    re.IGNORECASE,
)
_THE_SIGNED = re.compile(r"(?<!\w)(?:the|an?|any|no|your|our|my|their|its) signed$", re.IGNORECASE)
_PAPER_AFTER = re.compile(
    rf" (?:[^\W\d_]+ )?(?:{_RECEIPT}|paper\w*|cop(?:y|ies)|docs?|documents?|version)(?!\w)", re.IGNORECASE
)
_HERE = re.compile(
    r"(?<!\w)(?:attached|att|enclosed|here (?:is|are)|herewith|bijgevoegd|w załączeniu)(?!\w)", re.IGNORECASE
)
_NO_NAME = re.compile(r"(?: (?:for|by|von|par|por|da|door|przez)){0,2}[ \t]*:[ \t_.]*(?=$|\n|[^\W\d_]+:)")
_BY_MACHINE = re.compile(
    r"(?<!\w)(?:valid|valable|v[aá]lido|gültig|geldig|ważn\w+|generated|automat\w+|maschinell|comput\w+|ele[ck]tr\w+|gegenereerd|wygenerowan\w+)(?!\w)",
    re.IGNORECASE,
)
_NEEDED = re.compile(
    r"[^.;!?\n]{0,25}(?<!\w)(?:required|necessary|needed|valid|gültig|erforderlich|notwendig|nötig|requise|nécessaire|valable|necesaria|richiesta|necessaria|nodig|vereist|geldig|ważn\w+|wymagan\w+)",
    re.IGNORECASE,
)


_LOOSE = tuple(
    (value, re.compile(words, re.IGNORECASE))
    for value, words in (
        ("unreadable", r"illegib|unread|unleserlich|illisib|ilegib|illeggib|onleesba|nieczyteln"),
        ("no", r"\b(?:un|nicht |not |never |no |non |sin |senza |niet |geen |bez |nie ?)(?:\w+ )?(?:sign|unterschr|firm|émarg|getekend|handtekening|podpis)"),
        ("yes", r"\b(?:sign|unterschr|firm|émarg|getekend|handtekening|podpis)"),
    )
)  # fmt: skip


def value_of(quote: str) -> str | None:
    """What a quote says that is known to tell of a signature."""
    said = next(find_signed(quote), None)
    return said.value if said else next((value for value, words in _LOOSE if words.search(quote)), None)


def find_signed(text: str) -> Iterator[Span]:
    """What is told first of the signature of whoever received the goods; nothing where it is only asked for."""
    for match in islice(_SAYS.finditer(text), _MAX):
        if told := _told(text, match):
            value, start, end = told
            yield Span("signed", value, start, end, _SCORE)
            return


def _told(text: str, match: re.Match[str]) -> tuple[str, int, int] | None:
    start, end = match.span()
    sentence = _SENTENCE.split(text[max(0, start - _BEFORE) : start])[-1]
    clause = _CLAUSE.split(sentence)[-1]
    if _ANOTHER_PAPER.search(sentence) or _NO_RECEIPT.match(text, end):
        return None
    if match["illegible"]:
        return "unreadable", start, end
    if match["not_signed"]:
        return None if _BY_MACHINE.search(sentence) or _NEEDED.match(text, end) else ("no", start, end)
    both = match[0].casefold().startswith(("counter", "gegen"))
    if _OF_ANOTHER.search(clause) and not both:
        return None
    denied = (_WILL_NOT if match["to_sign"] else _NOT).search(clause)
    nothing = _NOTHING.match(text, end)
    after = _SENTENCE.split(text[end : end + _AFTER])[0]
    a_paper = _THE_SIGNED.search(clause + match[0]) or (
        match["signed"] and _PAPER_AFTER.match(after)
    )  # perhaps to come
    if match["to_sign"] and _IF.search(clause):
        return None
    if denied or (nothing and not match["to_sign"]):
        first = start - len(clause) + denied.start() if denied else start
        last = nothing.end() if nothing and not denied else end
        return None if a_paper or _TO_GET.search(clause) else ("no", first, last)
    asked = _WANTED.search(clause) or _PLEASE.search(sentence) or text[end + len(after) :].startswith("?")
    if match["to_sign"] or asked or _NO_NAME.match(text, end):
        return None
    here = _HERE.search(sentence) or _HERE.search(after)
    return ("yes", start, end) if here or not a_paper else None
