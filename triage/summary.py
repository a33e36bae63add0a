"""Two sentences for a supervisor: what happened, to what, what it threatens, by when.

Without a language model they are made of the sender's own words, the fields and the record. With one, what happened is
said in its words, if every figure and reference in them stands in the source; else the extractive sentence stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from extractors.conflicts import SURE
from extractors.extraction import Extraction
from extractors.message import Value
from prompts import Ask, Question, load_prompt
from triage.odoo.records import Record
from triage.result import FieldValue, Quote

Fields = Mapping[str, Sequence[FieldValue]]

WEST = timedelta(hours=12)  # by which a sender's day may be behind that of UTC
LONGEST_QUOTE = 200
LONGEST_ASKED = 6_000  # characters that are sent
# What a case is called by, the names that Odoo knows best before the others.
_NAMES = ("delivery_order", "sales_order", "purchase_order", "shipment", "tracking", "container", "awb", "cmr", "bol")
_ABOUT = 0.15  # scores as far apart are about the same
_WHEN = (
    ("eta_revised", "new time named"),  # expected, offered or asked for
    ("pickup_planned", "collection planned for"),
    ("eta_original", "promised for"),
)
_FIGURE = re.compile(r"(?:https?://|www\.)\S+|\S*@\S+|\[[A-Z]+_\d+\]|[^\W\d_]*(?:[./-][^\W\d_]+)*[./-]?\d[\w.,:/+#%-]*")
_WORDS_FOR_NUMBERS = (
    "two zwei deux dos due twee dwa dwie dwóch", "three drei trois tres tre drie trzy trzech",
    "four vier quatre cuatro quattro cztery czterech", "five fünf cinq cinco cinque vijf pięć pięciu",
    "six sechs seis sei zes sześć sześciu", "seven sieben sept siete sette zeven siedem siedmiu",
    "eight acht huit ocho otto osiem ośmiu", "nine neun neuf nueve nove negen dziewięć dziewięciu",
    "ten zehn dix diez dieci tien dziesięć dziesięciu", "eleven elf onze once undici jedenaście",
    "twelve dozen zwölf dutzend douze douzaine doce docena dodici dozzina twaalf dozijn dwanaście tuzin",
)  # fmt: skip
_NUMBER = {word: (str(n), ws.split()) for n, ws in enumerate(_WORDS_FOR_NUMBERS, start=2) for word in ws.split()}
# A summary is asked for in English, so a higher number needs its English word, or its figures in the source.
_HIGHER = "thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()  # noqa: SIM905
_TENS = "thirty forty fifty sixty seventy eighty ninety hundred".split()  # noqa: SIM905
_NUMBER |= {word: (str(n), [word]) for n, word in enumerate(_HIGHER, start=13)}
_NUMBER |= {word: (str(n), [word]) for n, word in zip(range(30, 101, 10), _TENS, strict=True)}
_NUMBER |= {"thousand": ("1000", ["thousand"])}
# A summary tells; it neither decides nor advises. What sounds like that may have been put there by the sender.
_ADVICE = re.compile(
    r"\b(?:ignor\w+|disregard\w*|approv\w+|no (?:further )?action|not urgent|priorit\w+|P[1-4]|please|click\w*|you|your"
    r"|instruct\w+|system|assistant|label\w*|classif\w+"
    r"|bitte|freigeben|freizugeben|freigabe|genehmig\w+|ignorier\w*|anweisung\w*|kein handlungsbedarf|keine maßnahmen?"
    r"|veuillez|svp|approuv\w+|aucune action|por favor|aprob\w+|aprueb\w+|ninguna acción|prioridad\w*"
    r"|per favore|prego|nessuna azione|alstublieft|graag|goedkeur\w*|goedgekeurd|negeer\w*|negeren|geen actie"
    r"|proszę|zatwierd\w+|zignoruj\w*|nie wymaga|priorytet\w*)\b",
    re.IGNORECASE,
)


class Gist(Value):
    """A language model's sentences, each verified; null where it did not hold."""

    happened: str | None = None
    threatens: str | None = None


def ask_gist(extraction: Extraction, ask: Ask) -> Gist | None:
    """Raises NoAnswer. None where no sentence stood the check."""
    message = extraction.message
    source = "\n".join(
        [message.subject, message.text, *(page.text for document in extraction.documents for page in document.pages)]
    )
    if not source.strip():
        return None
    answer = ask(Question(load_prompt("summarise"), given={"message": source[:LONGEST_ASKED]}))
    happened, threatens = (_verified(str(answer[name]), source) for name in ("happened", "threatens"))
    return Gist(happened=happened, threatens=threatens) if happened else None


def _verified(sentence: str, source: str) -> str | None:
    said = " ".join(sentence.split()).rstrip(". ")
    return said if said and not unproven(said, source) and not _ADVICE.search(said) else None


def unproven(sentence: str, source: str) -> list[str]:
    """The figures, references, numbers in words and addresses in the sentence that do not stand in the source."""
    known = " ".join(source.split()).casefold()
    tokens = [found[0].rstrip(".,:/-") for found in _FIGURE.finditer(sentence)]
    missing = [token for token in tokens if not _stands(token.casefold(), known)]
    for word in re.findall(r"[^\W\d_]+", sentence.casefold()):
        if word in _NUMBER:
            digits, words = _NUMBER[word]
            if not any(_stands(way, known) for way in (digits, *words)):
                missing.append(word)
    return missing


def _stands(token: str, known: str) -> bool:
    """Whether a token stands by itself: 24 is not in 24.11., 42 is not in WH/OUT/00042, and 18 is not in -18."""
    alone = r"(?<!\w)(?<!\d[.,:])(?<!\w[/-])(?<!\W[−-])"
    return re.search(rf"{alone}{re.escape(token)}(?!\w)(?![.,:]\d)(?![/-]\w)", f" {known}") is not None


def summarise(
    title: str,
    sender: str | None,
    quotes: Sequence[Quote],
    record: Record | None,
    abstained: str | None,
    fields: Fields = MappingProxyType({}),
    gist: Gist | None = None,
    received: datetime | None = None,
) -> str:
    """The first sentence says what happened; the second to what, what was promised and what time is named instead.

    No day that was over when the message was `received` is told as that time.
    """
    if gist is not None and gist.happened:
        what = gist.happened
    else:
        told = quotes if abstained == "ambiguous" else quotes[:1]
        words = " and ".join(f"“{shorten(quote.quote).rstrip('.')}”" for quote in told)
        said = f": {words}" if words else " wrote nothing that could be quoted"
        what = f"{sender or 'The sender'}{said}"
    head = "It cannot be told what this is" if abstained else title
    return f"{head}. {what}. {_at_stake(record, fields, gist, received)}"


def _at_stake(record: Record | None, fields: Fields, gist: Gist | None, received: datetime | None) -> str:
    if received is not None:
        today = f"{received - WEST:%Y-%m-%d}"
        ahead = [found for found in fields.get("eta_revised", ()) if found.value[:10] >= today]
        fields = {**fields, "eta_revised": ahead}
    revised = _surely(fields, "eta_revised")
    instead = f", new time named {_moment(revised)}" if revised else ""
    if record is not None:
        partner = f" for {record.partner}" if record.partner else ""
        promised = f", promised for {record.scheduled_at:%d %b %Y %H:%M} UTC" if record.scheduled_at else ""
        return f"It is about {record.name}{partner}{promised}{instead}."
    if gist is not None and gist.threatens:
        return f"{gist.threatens}. No record was matched."
    name = best_reference(fields)
    when = next((f", {words} {_moment(value)}" for field, words in _WHEN if (value := _surely(fields, field))), "")
    return f"It names {name}{when}, and no record was matched." if name else "No record was matched."


def best_reference(fields: Fields) -> str | None:
    """The surest reference, of the message itself before those of a paper with it; of several about as sure, the one
    that Odoo would know best.
    """
    own = [best for name in _NAMES if (best := _best(fields, name)) and not best.evidence.on_paper]
    told = own or [max(fields[name], key=lambda found: found.score) for name in _NAMES if fields.get(name)]
    least = max((found.score for found in told), default=0.0) - _ABOUT
    return next((found.value for found in told if found.score >= least), None)


def told_promise(fields: Fields) -> str | None:
    """What a message or its document says was promised, in words that name which of them says so."""
    best = _best(fields, "eta_original")
    if best is None:
        return None
    who = "a document" if best.evidence.on_paper else "the message"
    return f"{who} says {_moment(best.value)}"


def _surely(fields: Fields, name: str) -> str | None:
    best = _best(fields, name)
    return best.value if best else None


def _best(fields: Fields, name: str) -> FieldValue | None:
    """The message's own best told value, else a document's, which may be older; an unsure one stands among the fields,
    with its score, and in no sentence.
    """
    sure = [found for found in fields.get(name, ()) if found.score >= SURE]
    return max(sure, key=lambda found: (not found.evidence.on_paper, found.score), default=None)


def _moment(value: str) -> str:
    """`2026-11-24T14:00:00+01:00` as people write it, with the zone it came with."""
    at = datetime.fromisoformat(value)
    if len(value) == 10:
        return f"{at:%d %b %Y}"
    return f"{at:%d %b %Y %H:%M}{f' {at.tzname()}' if at.tzinfo else ''}"


_CITED = re.compile(r"^\s{0,3}>+ ?", re.MULTILINE)  # before the lines of a message that was sent on


def shorten(text: str, longest: int = LONGEST_QUOTE) -> str:
    flat = " ".join(_CITED.sub("", text).split())
    return flat if len(flat) <= longest else flat[: longest - 1].rsplit(" ", 1)[0] + " …"
