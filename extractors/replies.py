"""What the sender wrote now, told apart from quoted history, signature and disclaimer, line by line.

Own rules instead of mail-parser-reply: that library strips lines, so no offset survives it, and its expressions
backtrack badly on hostile text.
"""

# ruff: noqa: E501 - tables of words are read across, not wrapped

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Kind = Literal["newest", "quoted", "signature", "disclaimer"]
Run = tuple[Kind, int, int]

_LOOK = 500  # characters of a line that the rules look at
_SHORT_FORWARD = 200  # characters above a forwarded message that still count as a cover note
_SHORT_COVER = 130  # letters beside lines cited with `>` that are sent on: who writes more says himself what matters

# "On Mon, … wrote:" in the languages of the service; mail clients wrap it over up to three lines. Without an address,
# or a clock and a year, people say so of others, and go on in words of their own: "Le client nous a écrit :".
_WROTE = re.compile(
    r"[\s>]*(?:(?:on|am|le|el|en|il|op|em|w dniu|dnia|den|[\w.,]{2,12} \d{1,2}\b|\d{1,4}[./-]\d)\b.{3,350}"
    r"(?:wrote|schrieb(?: .{1,120})?|folgendes geschrieben|a écrit|escribió|ha scritto|schreef(?: .{1,120})?"
    r"|volgende geschreven|napisał(?:\(a\)|a)?|pisze)"
    r"|[^<>]{1,100}<[^<>\s]{1,100}@[^<>\s]{1,100}> (?:wrote|schrieb am .{5,60})"
    r"|wiadomość napisana przez .{3,200} w dniu .{3,80})\s?:\s*$",
    re.IGNORECASE | re.DOTALL,
)
_CLOCK = re.compile(r"\d:\d\d|\d ?[hu] ?\d\d|(?:um|at|à|ore|om|o|las|godz\.) \d{1,2}\.\d\d", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d\d")
_WROTE_END = re.compile(
    r"(?:wrote|schrieb|geschrieben|écrit|escribió|scritto|schreef|geschreven|napisał|pisze|napisana).{0,300}:\s*$",
    re.IGNORECASE | re.DOTALL,
)
_SEPARATOR = re.compile(
    r"[\s>]*(?:[-\u2010-\u2015_=*]{2,}\s*(?:(?P<fw>forwarded message|weitergeleitete nachricht|message transféré|mensaje reenviado"
    r"|messaggio inoltrato|doorgestuurd bericht|wiadomość przekazana|przekazana wiadomość"
    r"|treść przekazanej wiadomości)|original message|original appointment|ursprüngliche nachricht"
    r"|originalnachricht|message d['’]origine|message original|mensaje original|messaggio originale"
    r"|oorspronkelijk bericht|wiadomość oryginalna|oryginalna wiadomość)[^\n]{0,80}"
    r"|(?P<fw2>begin forwarded message|anfang der weitergeleiteten nachricht|début du message (?:transféré|réexpédié)"
    r"|inicio del mensaje reenviado|inizio messaggio inoltrato|begin doorgestuurd bericht"
    r"|początek przekazywanej wiadomości)\s*:?)\s*$",
    re.IGNORECASE,
)
_FROM = re.compile(r"[\s>]*\*?(?:from|von|de|da|van|od|expéditeur|absender)\s?:\*?\s*\S", re.IGNORECASE)
_HEADER = re.compile(
    r"[\s>]*\*?(?:from|sent|to|cc|bcc|subject|date|reply-to|importance|attachments?|von|gesendet|an|betreff|datum|kopie"
    r"|de|envoyé|à|objet|enviado(?: el)?|para|asunto|fecha|da|inviato|a|oggetto|data|van|verzonden|aan|onderwerp"
    r"|od|wysłan[oe]|do|temat|dw|thema)\s?:\*?(?:\s|$)",
    re.IGNORECASE,
)
_SUBJECT_OR_DATE = re.compile(
    r"[\s>]*\*?(?:sent|subject|date|gesendet|betreff|datum|envoyé|objet|enviado(?: el)?|asunto|fecha|inviato|oggetto|data"
    r"|verzonden|onderwerp|wysłan[oe]|temat)\s?:",
    re.IGNORECASE,
)
# "From: Antwerp, To: Milano, Date: 24.11." is a trip; of a mail one of these is said, or an address
_OF_MAIL = re.compile(
    r"[\s>]*\*?(?:sent|subject|gesendet|betreff|envoyé|objet|enviado(?: el)?|asunto|inviato|oggetto|verzonden|onderwerp"
    r"|wysłan[oe]|temat)\s?:|.{0,200}\S@\S",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*[_-]{20,}\s*$")
_CITED = re.compile(r"\s{0,3}>")
_CITED_TWICE = re.compile(r"\s{0,3}>\s?>")
_SIGN_OFF = re.compile(
    r"\s*(?:--\s*$|__\s*$|(?:best|kind|warm|many|with)(?: (?:best|kind))? (?:regards|wishes)|regards|rgds\b|brgds|br[,.]?\s*$"
    r"|cheers|sincerely|yours (?:sincerely|faithfully|truly)|(?:many )?thanks(?: (?:and|&) [\w ]{3,20})?\s*[,.!]*\s*$"
    r"|thank you(?: and [\w ]{3,20})?\s*[,.!]*\s*$|thx\s*[,.!]*\s*$"
    r"|mit (?:freundlich|best)\w+ gr[üu](?:ß|ss)|(?:viele|beste|liebe|freundliche|sch[öo]ne)\w* gr[üu](?:ß|ss)|gr[üu](?:ß|ss)e?\b|mfg\b|vg\s*[,.]?\s*$"
    r"|(?:bien )?cordialement|(?:sincères |meilleures )?salutations|bien à vous|merci\s*[,.!]*\s*$|bonne (?:journée|réception)"
    r"|(?:un )?(?:cordial )?saludos?\b|atentamente|muchas gracias\s*[,.!]*\s*$|gracias\s*[,.!]*\s*$"
    r"|(?:cordiali|distinti) saluti|(?:un )?saluti?\s*[,.!]*\s*$|grazie(?: mille)?\s*[,.!]*\s*$"
    r"|met vriendelijke groet|(?:vriendelijke|hartelijke) groet|mvg\b|groet(?:en|jes)?\s*[,.!]*\s*$|(?:alvast )?bedankt\s*[,.!]*\s*$"
    r"|(?:z )?poważaniem|z powazaniem|pozdrawiam|pozdrowienia|dziękuję\s*[,.!]*\s*$"
    r"|(?:sent|gesendet|envoyé|enviado|inviato|verzonden|verstuurd|wysłan[oe]) (?:from my|\w.{0,25}\b(?:iphone|ipad|android|samsung|galaxy|huawei|xiaomi|blackberry|outlook|mobile|smartphone|handy|mobiltelefon|proton ?mail|yahoo|gmx|web\.de)\b)"
    r"|von meinem .{2,30} gesendet|get outlook for\b)",
    re.IGNORECASE,
)
_THANKS = re.compile(
    r"\s*(?:(?:many )?thanks|thank you|thx|merci|(?:muchas )?gracias|grazie|(?:alvast )?bedankt|dziękuję)",
    re.IGNORECASE,
)
_LINE = re.compile(r"\s*(?:-{3,}|_{3,})\s*$")
_CONTACT = re.compile(r"(?:tel|phone|fon|fax|mob)\w*\W|www\.|\S@\S", re.IGNORECASE)
_POSTSCRIPT = re.compile(r"\s*(?:p\.?\s?s\.?|n\.?\s?b\.?)\s?[:.\s]", re.IGNORECASE)
_DISCLAIMER = re.compile(
    r"[\s>*]*\[?(?:confidentiality notice|disclaimer|legal notice|caution: ?(?:this (?:e-?mail|message)|external)|external(?: e-?mail)?\]|warning: this e-?mail"
    r"|this (?:e-?mail|message) (?:originated|was sent|comes) from outside|this (?:e-?mail|message) has been (?:scanned|checked)"
    r"|if you (?:are not the intended|have received this (?:e-?mail|message) in error)"
    r"|please consider the environment|think before you print|all (?:business|transactions|services) (?:is|are) (?:subject to (?:our|the)\b|undertaken)"
    r"|we (?:operate|work) (?:exclusively|only|solely) (?:under|on the basis)"
    r"|der inhalt dieser e-?mail|haftungsausschluss|bitte denken sie an die umwelt"
    r"|wir arbeiten ausschlie(?:ß|ss)lich auf grundlage der"
    r"|avertissement ?: ?(?:ce (?:message|courriel|mail)|cet e-?mail|e-?mail externe)|avis de confidentialité|pensez à l'environnement"
    r"|aviso (?:legal|de confidencialidad)|avviso di riservatezza"
    r"|treść tej wiadomości|klauzula poufności)",
    re.IGNORECASE,
)
# "This message is to inform you that …" is what the mail is about; a disclaimer goes on with one of these words
_ABOUT_ITSELF = re.compile(
    r"[\s>*]*(?:this (?:e-?mail|message|communication)(?: and any (?:attachments|files)[^.]{0,60})? (?:is|are|may|contains?)\b"
    r"|(?:diese|die) e-?mail (?:enthält|und|ist|kann)"
    r"|ce (?:message|courriel|mail)(?: et [^.]{0,60})? (?:est|sont|contient|peut)"
    r"|este (?:mensaje|correo)(?: [^.]{0,60})? (?:es|contiene|puede|va dirigido)"
    r"|(?:questa e-?mail|il presente messaggio|questo messaggio)(?: [^.]{0,60})? (?:è|contiene|può|sono)"
    r"|(?:dit (?:e-?mail)?bericht|deze e-?mail|de informatie in dit)(?: [^.]{0,60})? (?:is|zijn|kan|bevat|verzonden)"
    r"|(?:ta|niniejsza) wiadomość)",
    re.IGNORECASE,
)
_CONFIDENTIAL = re.compile(
    r"confidential|privileged|proprietary|legally|solely|intended (?:only|solely|exclusively|for|recipient)|addressee"
    r"|vertraulich|rechtlich geschützt|ausschlie(?:ß|ss)lich|nur für d|confidentiel|privilégié|exclusi|confidencial"
    r"|privilegiad|va dirigido|riservat|confidenzial|vertrouwelijk|uitsluitend|bestemd voor|poufn|wyłącznie|przeznaczon",
    re.IGNORECASE,
)
_FORWARD_SUBJECT = re.compile(r"\s*(?:\[[^\[\]]{1,30}\]:?\s*){0,3}(?:fwd?|wg|tr|rv|i|doorst|fw|pd)\s?:", re.IGNORECASE)


class _Line(NamedTuple):
    start: int
    end: int
    text: str  # at most _LOOK characters, without the line end


def split(text: str, subject: str = "") -> list[Run]:
    """Runs of `text` as (kind, start, end), without gaps and in order.

    A forwarded message under nothing but a cover note stays `newest`: without it nothing would be left to read.
    """
    lines = _lines(text)
    kinds: list[Kind] = ["newest"] * len(lines)
    begin = 0
    sent_on = _cited_under_cover(lines) if _FORWARD_SUBJECT.match(subject) else 0
    for _ in range(5):  # a forwarded forward of a forward …
        quote, content, forwarded = _find_quote(lines, begin)
        _mark_own(lines, kinds, begin, quote, sent_on)
        if quote >= len(lines):
            break
        cover = sum(
            len(line.text.strip()) for line, kind in zip(lines[:quote], kinds[:quote], strict=True) if kind == "newest"
        )
        is_forward = forwarded or _FORWARD_SUBJECT.match(subject) is not None
        if cover == 0 or (is_forward and cover <= _SHORT_FORWARD):
            kinds[quote:content] = ["quoted"] * (content - quote)
            begin = content
            sent_on = _end_of_citation(lines, content) if is_forward else begin
            continue
        kinds[quote:] = ["quoted"] * (len(lines) - quote)
        break
    else:
        kinds[begin:] = ["quoted"] * (len(lines) - begin)
    _unquote_if_nothing_left(lines, kinds)
    return _runs(lines, kinds)


def _lines(text: str) -> list[_Line]:
    lines, at = [], 0
    while at < len(text):
        end = text.find("\n", at)
        stop = len(text) if end < 0 else end + 1
        lines.append(_Line(at, stop, text[at : min(stop, at + _LOOK)].rstrip("\n")))
        at = stop
    return lines


def _find_quote(lines: list[_Line], begin: int) -> tuple[int, int, bool]:
    """Line where history begins for good, line where its content begins, and whether it was forwarded.

    Lines cited with `>` do not end the sender's own text, since people answer below and between them.
    """
    for i in range(begin, len(lines)):
        line = lines[i].text
        if not line.strip() or _CITED.match(line):
            continue
        separator = _SEPARATOR.match(line)
        if separator:
            return i, _after_headers(lines, i + 1), bool(separator["fw"] or separator["fw2"])
        if _FROM.match(line) and _is_header_block(lines, i):
            start = i
            while start > max(begin, i - 3) and _SUBJECT_OR_DATE.match(lines[start - 1].text):
                start -= 1  # GMX and others name the day before the sender
            start = start - 1 if start > begin and _RULE.match(lines[start - 1].text) else start
            return start, _after_headers(lines, i), False
        if length := _wrote(lines, i):
            content = i + length
            if _is_cited_below(lines, content):
                continue  # the `>` lines mark themselves, and text may follow below them
            return i, content, False
    return len(lines), len(lines), False


def _wrote(lines: list[_Line], i: int) -> int:
    """How many lines from `i` on are the "On … wrote:" header of a mail; 0 when none."""
    joined = ""
    for length in range(1, 4):
        if i + length > len(lines) or not lines[i + length - 1].text.strip():
            return 0
        joined = f"{joined} {lines[i + length - 1].text}".strip()
        if len(joined) > _LOOK:
            return 0
        if joined[-1:] == ":" and _WROTE_END.search(joined) and _WROTE.match(joined):
            is_mail = "@" in joined or (_CLOCK.search(joined) and _YEAR.search(joined))
            return length if is_mail or _is_cited_below(lines, i + length) else 0
    return 0


def _is_cited_below(lines: list[_Line], i: int) -> bool:
    below = next((k for k in range(i, len(lines)) if lines[k].text.strip()), len(lines))
    return below < len(lines) and _CITED.match(lines[below].text) is not None


def _is_header_block(lines: list[_Line], i: int) -> bool:
    following = [line.text for line in lines[i + 1 : i + 8]]
    headers = [line for line in following if _HEADER.match(line)]
    return (
        len(headers) >= 2
        and any(_SUBJECT_OR_DATE.match(line) for line in headers)
        and any(_OF_MAIL.match(line) for line in (lines[i].text, *headers))
    )


def _after_headers(lines: list[_Line], i: int) -> int:
    while i < len(lines) and not lines[i].text.strip():
        i += 1
    if not any(_HEADER.match(line.text) for line in lines[i : i + 2]):
        return i
    while i < len(lines) and lines[i].text.strip():
        if not _HEADER.match(lines[i].text) and not any(_HEADER.match(line.text) for line in lines[i + 1 : i + 3]):
            break
        i += 1
    return i


def _end_of_citation(lines: list[_Line], i: int) -> int:
    """The line after those from `i` on that are cited, as Apple's Mail sends a message on."""
    while i < len(lines) and _CITED.match(lines[i].text):
        i += 1
    return i


def _cited_under_cover(lines: list[_Line]) -> int:
    """The line after the first that are cited, where little else is said: what somebody sends on with `>` before it."""
    cited = next((i for i, line in enumerate(lines) if _CITED.match(line.text)), len(lines))
    own = sum(len(line.text.strip()) for line in lines if not _CITED.match(line.text))
    return _end_of_citation(lines, cited) if own <= _SHORT_COVER else 0


def _mark_own(lines: list[_Line], kinds: list[Kind], begin: int, end: int, sent_on: int) -> None:
    """Cited lines, the signature and disclaimers within the sender's own text; up to `sent_on` cited lines are that."""
    kind: Kind = "newest"
    written = signature_lines = 0
    blank_before, thanked = True, False
    for i in range(begin, end):
        line = lines[i].text
        stripped = line.strip()
        if not stripped:
            kinds[i] = kind
            blank_before = True
            continue
        cited = _CITED if i >= sent_on else _CITED_TWICE
        if cited.match(line) or _wrote(lines, i):
            kinds[i] = "quoted"
            for k in range(i + 1, min(end, i + _wrote(lines, i))):
                kinds[k] = "quoted"
            blank_before = False
            continue
        if kinds[i] == "quoted":
            continue
        if kind == "disclaimer" and blank_before and not signature_lines:
            kind = "newest"  # a banner above the text
        if _DISCLAIMER.match(line) or _is_about_itself(lines, i):
            kind = "disclaimer"
        elif (
            kind == "newest"
            and written
            and len(stripped) <= 90
            and (_SIGN_OFF.match(line) or _is_line_above_name(lines, i, end))
        ):
            kind, signature_lines = "signature", 0
            thanked = _THANKS.match(line) is not None
        elif kind == "signature" and (
            _POSTSCRIPT.match(line) or ((blank_before or (thanked and signature_lines == 1)) and _is_prose(stripped))
        ):
            kind = "newest"  # text goes on below the name
        if kind == "newest":
            written += 1
        elif kind == "signature":
            signature_lines += 1
            if signature_lines > 20:
                kind = "newest"
        kinds[i] = kind
        blank_before = False


def _is_about_itself(lines: list[_Line], i: int) -> bool:
    """Whether a mail says at line `i` for whom it is meant; the words that tell may stand in the line below."""
    below = lines[i + 1].text if i + 1 < len(lines) else ""
    return _ABOUT_ITSELF.match(lines[i].text) is not None and bool(_CONFIDENTIAL.search(f"{lines[i].text} {below}"))


def _is_line_above_name(lines: list[_Line], i: int, end: int) -> bool:
    """Whether line `i` is a rule over a name and how to reach it; those in notices stand over what they say."""
    if not _LINE.match(lines[i].text):
        return False
    below = [line.text for line in lines[i + 1 : min(end, i + 12)] if line.text.strip()]
    return (
        bool(below)
        and not re.search(r"[\d:]", below[0])
        and (any(_CONTACT.search(line) for line in below) or (len(below) <= 2 and _is_name(below[0])))
        and not any(_LINE.match(line) for line in below)
    )


def _is_name(line: str) -> bool:
    words = line.split()
    return 2 <= len(words) <= 4 and all(word[0].isupper() for word in words)


def _is_prose(line: str) -> bool:
    return len(line) > 160 or (line[-1] in ".?!" and line.count(" ") >= 4 and not _SIGN_OFF.match(line))


def _unquote_if_nothing_left(lines: list[_Line], kinds: list[Kind]) -> None:
    if any(kind == "newest" and line.text.strip() for line, kind in zip(lines, kinds, strict=True)):
        return
    for wanted in ("quoted", "signature", "disclaimer"):
        if any(kind == wanted and line.text.strip() for line, kind in zip(lines, kinds, strict=True)):
            kinds[:] = ["newest" if kind == wanted else kind for kind in kinds]
            return


def _runs(lines: list[_Line], kinds: list[Kind]) -> list[Run]:
    runs: list[Run] = []
    for line, kind in zip(lines, kinds, strict=True):
        if runs and runs[-1][0] == kind:
            runs[-1] = (kind, runs[-1][1], line.end)
        else:
            runs.append((kind, line.start, line.end))
    return runs
