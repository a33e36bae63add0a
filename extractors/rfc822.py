"""A raw email taken apart: headers, bodies, files, and the messages nested in it.

Parsed with the compat32 policy on purpose: the newer policies parse headers by a grammar that is quadratic on long
ones and raises on broken ones.
"""

from __future__ import annotations

import base64
import email
import quopri
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message as Mime
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime

from extractors import html, invite, outlook, plain, sniff
from extractors.limits import LimitError, Limits

_MAX_WORK = 20_000_000  # lines times boundaries: what the standard parser gets through in about 2 s
_MAX_PARTS = 1000
_MAX_CONTAINERS = 10  # of Outlook's, in one message: each costs a process
_LOGO_BYTES = 30_000  # inline images below this are logos and icons
_MAILBOX = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w.-]{1,250}", re.ASCII)  # the standard parser recurses on comments
_DATA_URI = re.compile(r"data:[\w.+-]{1,80}/[\w.+-]{1,80};base64,[\w+/=%-]*", re.ASCII)  # pictures pasted into HTML
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,500})>")


@dataclass
class Mail:
    """What a raw email holds; `text` is the readable body with nested messages appended as quoted ones."""

    subject: str
    sender: tuple[str | None, str | None]
    message_id: str | None
    in_reply_to: str | None
    references: tuple[str, ...]
    sent_at: datetime | None
    recipients: tuple[str, ...] = ()
    text: str = ""
    files: list[tuple[str, bytes]] = field(default_factory=list)
    signals: Counter[str] = field(default_factory=Counter)


def read(raw: bytes, limits: Limits, *, depth: int = 0, spent: Counter[str] | None = None) -> Mail:
    """`raw` as a `Mail`; raises `LimitError` where parsing it would cost too much, and nothing else.

    `spent` is what the message that holds it has cost before: what is nested counts together.
    """
    spent = Counter() if spent is None else spent
    spent["work"] += (raw.lower().count(b"boundary") + 2) * raw.count(b"\n")
    if spent["work"] > _MAX_WORK:
        raise LimitError("The email has too many lines and parts; send it without its attachments", field="body")
    try:
        mime = email.message_from_bytes(raw, policy=compat32)
        return _read(mime, limits, depth, spent)
    except RecursionError:
        raise LimitError("The email is nested too deeply; send the inner message by itself", field="body") from None


def addresses(values: Iterable[str | None]) -> tuple[str, ...]:
    """The addresses of several headers in small letters, each once, in order; at most 100."""
    found = (mail.lower() for value in values if value for mail in _MAILBOX.findall(value[:4000]))
    return tuple(dict.fromkeys(found))[:100]


def message_ids(value: str | None) -> tuple[str, ...]:
    """Message-IDs without their angle brackets, in order."""
    value = plain.line(value, Counter(), 20_000)  # without what no store can hold
    found = _MESSAGE_ID.findall(value) or value.replace(",", " ").split()[:100]
    return tuple(one for one in found if len(one) <= 500)


def address(value: str | None) -> tuple[str | None, str | None]:
    """(name, address) of the first mailbox of a header, either of them None."""
    try:
        for name, mail in getaddresses([(value or "")[:2000]], **_NOT_STRICT):
            return name.strip() or None, mail.strip().lower() or None
    except RecursionError:  # comments within comments, which no sender writes
        pass
    return None, None


# Patched Python versions refuse, by default, addresses with a comma in an unquoted name, which real senders write.
_NOT_STRICT: dict[str, bool] = {"strict": False} if "strict" in (getaddresses.__kwdefaults__ or {}) else {}


def moment(value: str | None) -> datetime | None:
    """The time of a Date header in its own zone, else in UTC; None when it cannot be read."""
    try:
        when = parsedate_to_datetime((value or "")[:200])
        when = when if when.tzinfo else when.replace(tzinfo=UTC)
        when.astimezone(UTC)  # a time that UTC cannot hold is none
        return when
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _read(mime: Mime, limits: Limits, depth: int, spent: Counter[str]) -> Mail:
    signals: Counter[str] = Counter()
    references = message_ids(_header(mime, "References", 20_000))
    replied_to = message_ids(_header(mime, "In-Reply-To"))
    own = message_ids(_header(mime, "Message-ID"))
    # Taken apart before it is decoded: an encoded name may hold a comma, which separates mailboxes.
    name, mail_address = address(_raw_header(mime, "From") or _raw_header(mime, "Sender"))
    name = _decoded(name)
    mail = Mail(
        subject=plain.line(_header(mime, "Subject"), signals),
        sender=(plain.line(name, signals) or None, plain.line(mail_address, signals, 320) or None),
        message_id=own[0] if own else None,
        in_reply_to=replied_to[0] if replied_to else None,
        references=references[:200],
        sent_at=moment(_header(mime, "Date")),
        recipients=addresses(_raw_header(mime, name) for name in ("Delivered-To", "X-Original-To", "To", "Cc")),
        signals=signals,
    )
    bodies: dict[int, tuple[list[str], list[str]]] = {}  # plain texts and HTML of each part that is one body
    nested: list[Mail] = []
    invites: list[str] = []
    for part, level, one_body in _leaves(mime, depth, limits, signals):
        if part.get_content_type() in ("message/rfc822", "message/global") and part.is_multipart():
            inner = part.get_payload(0)
            if isinstance(inner, Mime):
                raw = _encoded_whole(part, inner)
                nested.append(
                    _read(inner, limits, level + 1, spent)
                    if raw is None
                    else read(raw, limits, depth=level + 1, spent=spent)
                )
            continue
        if (encoding := part.get("Content-Transfer-Encoding")) and str(encoding) != _transfer_encoding(part):
            part.replace_header("Content-Transfer-Encoding", _transfer_encoding(part))  # blanks around it count there
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            content = b""
        filename = plain.line(_decoded(part.get_filename()), signals, 255)
        declared = part.get_content_type()
        if declared in ("text/plain", "text/html") and not filename and part.get_content_disposition() != "attachment":
            texts, htmls = bodies.setdefault(one_body, ([], []))
            (texts if declared == "text/plain" else htmls).append(plain.decode(content, _charset(part)))
            continue
        if not content:
            continue
        kind = sniff.content_type(content)
        if kind == "text/calendar" and not filename and (said := invite.readable(content)):
            invites.append(said)
            continue
        if kind == "message/rfc822":  # a forwarded mail that its mailer declared as a plain file
            if level < limits.max_mime_depth:
                nested.append(read(content, limits, depth=level + 1, spent=spent))
                continue
        elif kind == outlook.MSG and (forwarded := of_outlook(content, limits, spent)):
            nested.append(forwarded)
            continue
        elif kind == outlook.TNEF and (opened := open_container(content, kind, spent)):
            signals["winmail_dat"] += 1  # the same mail once more, as Exchange packs it
            if not any(text.strip() for texts, htmls in bodies.values() for text in (*texts, *htmls)):
                bodies[id(part)] = ([opened.text], [opened.html])
            mail.files.extend(opened.files)
            continue
        elif kind.startswith("image/") and len(content) < _LOGO_BYTES and _is_inline(part):
            signals["inline_images"] += 1
            continue
        mail.files.append((filename or "attachment", content))
    read_by_words: dict[str, str] = {}  # some write the same twice
    room = 8 * limits.max_text_chars  # of HTML, in all
    for texts, htmls in bodies.values():
        markup = _DATA_URI.sub("data:", "\n".join(htmls))
        if markup and room <= 0:
            signals["parts_left_out"] += 1
            markup = ""
        room -= len(markup)
        text = body("\n\n".join(texts), markup, limits, signals, stub_allowed=False)
        if text.strip():
            read_by_words.setdefault(" ".join(text.split()), text)
    mail.text = "\n\n".join(read_by_words.values())
    if invites and not mail.text.strip():  # mailers mostly write the same in words beside it
        mail.text = body("\n\n".join(invites), "", limits, signals, stub_allowed=False)
    for inner_mail in nested:
        absorb(mail, inner_mail)
    return mail


def open_container(content: bytes, kind: str, spent: Counter[str]) -> outlook.Opened | None:
    """None also for one too many."""
    spent["containers"] += 1
    return outlook.open_container(content, kind) if spent["containers"] <= _MAX_CONTAINERS else None


def of_outlook(content: bytes, limits: Limits, spent: Counter[str]) -> Mail | None:
    """A .msg file as a `Mail`; None where it cannot be read."""
    opened = open_container(content, outlook.MSG, spent)
    if opened is None:
        return None
    headers = {name.lower(): value for name, value in opened.headers.items()}
    signals: Counter[str] = Counter()
    name, mail_address = address(headers.get("from") or opened.sender)
    own, replied_to = message_ids(headers.get("message-id")), message_ids(headers.get("in-reply-to"))
    mail = Mail(
        subject=plain.line(opened.subject, signals),
        sender=(plain.line(_decoded(name), signals) or None, plain.line(mail_address, signals, 320) or None),
        message_id=own[0] if own else None,
        in_reply_to=replied_to[0] if replied_to else None,
        references=message_ids(headers.get("references"))[:200],
        sent_at=moment(headers.get("date")) or (datetime.fromisoformat(opened.sent_at) if opened.sent_at else None),
        recipients=addresses(headers.get(name) for name in ("delivered-to", "to", "cc")),
        files=list(opened.files),
        signals=signals,
    )
    mail.text = body(opened.text, opened.html, limits, signals, stub_allowed=False)
    return mail


def absorb(mail: Mail, inner: Mail) -> None:
    """`inner` appended to `mail` as mailers quote: history, unless nothing stands above or the subject says forward."""
    head = [
        "-----Original Message-----",
        f"From: {inner.sender[0] or ''} <{inner.sender[1] or ''}>",
        f"Date: {inner.sent_at.isoformat() if inner.sent_at else ''}",
        f"Subject: {inner.subject}",
    ]
    mail.text = "\n\n".join(part for part in (mail.text.rstrip(), "\n".join(head), inner.text) if part)
    mail.files.extend(inner.files)
    mail.signals.update(inner.signals)
    mail.signals["nested_messages"] += 1


def body(
    text: str,
    markup: str,
    limits: Limits,
    signals: Counter[str],
    *,
    stub_allowed: bool,
    may_be_derived: bool = False,
) -> str:
    """The readable body: the plain text, or the HTML where the plain text is missing or, unless allowed, a stub.

    With `may_be_derived` the text may have been made of the HTML by a tool that takes what is hidden there, too.
    """
    text = plain.clean(_DATA_URI.sub("", text), signals).strip("\n")  # some make a text of the HTML with its pictures
    if markup.strip():
        markup = _DATA_URI.sub("data:", markup)
        most = 8 * limits.max_text_chars
        if len(markup) > most:
            signals["text_cut"] += 0 if text.strip() else len(markup) - most
            markup = markup[:most]
            if (tag := markup.rfind("<")) > markup.rfind(">"):  # half a tag would be read as text
                markup = markup[:tag]
        visible, found = html.readable(markup)
        signals.update(found)
        hidden: Counter[str] = Counter()
        visible = plain.clean(visible, hidden)
        is_stub = not stub_allowed and len(visible) > 200 and len(text.strip()) * 3 < len(visible)
        holds_hidden = may_be_derived and found["hidden_text"] > 0 and bool(visible.strip())
        if not text.strip() or is_stub or holds_hidden:
            signals.update(hidden)
            text = visible
    if len(text) > limits.max_text_chars:
        signals["text_cut"] += len(text) - limits.max_text_chars
        text = text[: limits.max_text_chars]
    return text


def _encoded_whole(part: Mime, inner: Mime) -> bytes | None:
    """The nested mail of a part that was encoded as a whole, as standards forbid and mailers do; None for others."""
    if _transfer_encoding(part) not in ("base64", "quoted-printable"):
        return None
    try:
        written = inner.as_bytes()
        if _transfer_encoding(part) == "quoted-printable":
            return quopri.decodestring(written)
        return base64.b64decode(b"".join(written.split()), validate=True)
    except Exception:  # the label lies, or it is broken in one of the many ways that cannot be written down again
        return None


def _transfer_encoding(part: Mime) -> str:
    return str(part.get("Content-Transfer-Encoding") or "").strip().lower()


def _leaves(mime: Mime, depth: int, limits: Limits, signals: Counter[str]) -> list[tuple[Mime, int, int]]:
    """The parts that hold something, with their depth, in order; those past a limit are counted and left out.

    Parts that are alternatives of each other have one number in common: text beside an HTML body that is none, as a
    gateway adds it, does not stand for the body.
    """
    leaves: list[tuple[Mime, int, int]] = []
    stack = [(mime, depth, 0)]
    while stack:
        part, level, one_body = stack.pop()
        one_body = one_body or (
            id(part) if part.get_content_subtype() == "alternative" or not part.is_multipart() else 0
        )
        if level > limits.max_mime_depth or len(leaves) >= _MAX_PARTS:
            signals["parts_left_out"] += 1
        elif part.get_content_maintype() == "multipart" and part.is_multipart():
            payload = part.get_payload()
            if isinstance(payload, list):
                stack.extend((child, level + 1, one_body) for child in reversed(payload) if isinstance(child, Mime))
        else:
            leaves.append((part, level, one_body))
    return leaves


def _is_inline(part: Mime) -> bool:
    return part.get_content_disposition() != "attachment" and (
        part.get("Content-ID") is not None or part.get_content_disposition() == "inline"
    )


def _charset(part: Mime) -> str | None:
    charset = part.get_param("charset")
    return charset if isinstance(charset, str) else None


def _header(mime: Mime, name: str, limit: int = 4000) -> str | None:
    return _decoded(_raw_header(mime, name, limit))


def _raw_header(mime: Mime, name: str, limit: int = 4000) -> str | None:
    return next((str(value)[:limit] for key, value in mime.raw_items() if key.lower() == name.lower()), None)


def _decoded(value: str | None) -> str | None:
    """A header with its encoded words decoded, raw 8-bit bytes included; never raises."""
    if value is None:
        return None
    if any("\udc80" <= c <= "\udcff" for c in value):
        value = plain.decode(value.encode("utf-8", "surrogateescape"))
    value = re.sub(r"\s*[\r\n]+\s*", " ", value)
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value)
    except Exception:  # binascii and header errors on broken encoded words: the raw header is still readable
        return value
    return "".join(part if isinstance(part, str) else plain.decode(part, charset) for part, charset in parts)
