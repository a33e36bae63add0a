"""The inbound message as one value, and how each form that it may come in becomes one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from extractors import outlook, plain, replies, rfc822, sniff
from extractors.limits import InputError, LimitError, Limits
from extractors.wrapping import unwrapped

Channel = Literal["email", "portal", "document"]
ModelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]*$", max_length=100)]
RecordId = Annotated[int, Field(ge=1, lt=2**31)]
SegmentKind = Literal["newest", "quoted", "signature", "disclaimer"]


class Value(BaseModel):
    """A frozen value that refuses unknown fields; everything that flows through the service is one."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class Sender(Value):
    name: str | None = None
    email: str | None = None


class Thread(Value):
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()


class RecordRef(Value):
    """A record that the sender already knows, such as the picking a portal form was opened from."""

    model: ModelName
    id: RecordId


class Attachment(Value):
    """One file. `content_type` was read from the bytes, never from the name."""

    filename: str
    content_type: str
    content: bytes = Field(repr=False)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


class Segment(Value):
    """A run of `Message.text`; offsets are in characters, end exclusive."""

    kind: SegmentKind
    start: int
    end: int


class Message(Value):
    """One inbound message.

    `text` is the whole readable body, line ends as \\n. `segments` cover it without gaps and say which part the
    sender wrote now (`newest`) and which is history or boilerplate. Evidence offsets of part `body` point into
    `text`, those of part `subject` into `subject`. Times carry a zone.
    """

    channel: Channel
    subject: str = ""
    text: str = ""
    segments: tuple[Segment, ...] = ()
    signals: dict[str, int] = {}
    external_id: str | None = None
    message_id: str | None = None
    thread: Thread = Thread()
    site: str | None = None
    received_at: datetime | None = None
    sender: Sender = Sender()
    recipients: tuple[str, ...] = ()  # addresses that the mail went to: the mailbox may say which site is meant
    attachments: tuple[Attachment, ...] = ()
    record: RecordRef | None = None
    callback_url: str | None = None

    def _of(self, kind: SegmentKind) -> str:
        return "\n".join(self.text[s.start : s.end].strip() for s in self.segments if s.kind == kind).strip()

    @cached_property
    def newest(self) -> str:
        return self._of("newest")

    @cached_property
    def quoted(self) -> str:
        return self._of("quoted")


class SubmittedFile(Value):
    filename: str = Field("file", max_length=1000)
    content_type: str | None = Field(None, description="taken and ignored: a file's type is read from its bytes")
    content_base64: str = Field(repr=False)


class Submission(Value):
    """What a caller may say about a message, by the names of the public contract.

    One of `text`, `html` and `attachments` is needed, all else may be left out.
    """

    channel: Channel | None = None
    external_id: str | None = Field(None, min_length=1, max_length=500, description="stable id at the sender")
    site: str | None = Field(None, max_length=64)
    received_at: datetime | None = None
    sender: Sender = Sender()
    subject: str = ""
    text: str = ""
    html: str = ""
    thread: Thread = Thread()
    attachments: tuple[SubmittedFile, ...] = ()
    record: RecordRef | None = None
    callback_url: str | None = Field(None, max_length=2000)


_N8N_KEYS = frozenset({"from", "messageId", "textAsHtml", "inReplyTo", "textPlain", "textHtml"})
_JSON_FIELDS = frozenset({"sender", "thread", "record", "attachments", "from", "references", "to"})


def message_from_json(data: Mapping[str, Any], limits: Limits) -> Message:
    """A JSON message of the contract, or the item of n8n's Email Trigger; raises `InputError` and nothing else."""
    return _from_fields(data, (), limits)


def message_from_form(fields: Mapping[str, str], files: Sequence[tuple[str, bytes]], limits: Limits) -> Message:
    """A multipart form: the fields of the JSON form as strings (documents as JSON), files as (filename, content).

    A field `metadata` may hold the whole JSON form. An email as the only file is the message itself.
    Raises `InputError` and nothing else.
    """
    data: dict[str, Any] = {}
    if fields.get("metadata", "").strip():
        metadata = _json("metadata", fields["metadata"])
        if not isinstance(metadata, dict):
            raise InputError("The form field metadata must hold a JSON object", field="metadata")
        data.update(metadata)
    for name, value in fields.items():
        if name == "metadata" or value.strip() in ("", "null", "undefined") or (name == "html" and value == "false"):
            continue
        is_document = name in _JSON_FIELDS and value.lstrip()[:1] in ("{", "[")
        data[name] = _json(name, value) if is_document else value
    if isinstance(data.get("sender"), str):
        name_part, mail = rfc822.address(data["sender"])
        data["sender"] = {"name": name_part, "email": mail}
    only_mail = len(files) == 1 and sniff.content_type(files[0][1]) == "message/rfc822"
    if only_mail and not any(data.get(name) for name in ("text", "html", "attachments", "textPlain", "textHtml")):
        return message_from_rfc822(files[0][1], limits, **data)
    return _from_fields(data, files, limits)


def message_from_rfc822(raw: bytes, limits: Limits, /, **metadata: Any) -> Message:
    """A raw email. `metadata` are fields of the JSON form, which win over the headers.

    Broken mail is read as far as it goes; raises `InputError` where nothing is in it, `LimitError` past a limit.
    """
    form = _validated(Submission, _by_contract(metadata))
    mail = rfc822.read(raw, limits)
    if not (mail.text.strip() or mail.subject or mail.files):
        raise InputError("The email has no subject, no text and no attachments; send the whole raw email", field="body")
    return _message(form, mail, limits, default_channel="email")


def message_from_pdf(raw: bytes, limits: Limits, /, **metadata: Any) -> Message:
    """One PDF as a message of the channel `document`; `metadata` as above, and `filename`."""
    if sniff.content_type(raw) != "application/pdf":
        raise InputError("The body is not a PDF; send a file that begins with %PDF", field="body")
    filename = str(metadata.pop("filename", None) or "document.pdf")
    form = _validated(Submission, _by_contract(metadata))
    mail = _empty_mail()
    mail.files.append((filename, raw))
    return _message(form, mail, limits, default_channel="document")


def _from_fields(data: Mapping[str, Any], files: Sequence[tuple[str, bytes]], limits: Limits) -> Message:
    if not isinstance(data, Mapping):
        raise InputError("The body must be one JSON object; send messages one by one", field="body")
    is_email_item = not _N8N_KEYS.isdisjoint(data)
    mail = _empty_mail()
    if is_email_item:
        mail.message_id = _first_id(data.get("messageId"))
        mail.recipients = rfc822.addresses(
            [
                *(_n8n_addresses(data.get(name)) for name in ("to", "cc")),
                _n8n_header(data.get("headers"), "delivered-to"),
            ]
        )
        data = _by_contract(_from_n8n(data))
    else:
        data = _by_contract(data)
        text = data.get("text")
        if isinstance(text, str) and len(text) > limits.max_text_chars:
            raise LimitError(f"The field text is longer than {limits.max_text_chars} characters; cut it", field="text")
    form = _validated(Submission, data)
    for i, file in enumerate(form.attachments):
        mail.files.append((file.filename, _decoded(file.content_base64, i, limits)))
    mail.files.extend(files)
    if not (form.text.strip() or form.html.strip() or mail.files or (is_email_item and form.subject.strip())):
        raise InputError("The message is empty: give one of text, html or attachments", field="text")
    mail.text = rfc822.body(
        form.text, form.html, limits, mail.signals, stub_allowed=not is_email_item, may_be_derived=is_email_item
    )
    default: Channel = "email" if is_email_item else "portal" if mail.text.strip() else "document"
    return _message(form, mail, limits, default_channel=default)


def _message(form: Submission, mail: rfc822.Mail, limits: Limits, *, default_channel: Channel) -> Message:
    signals = mail.signals
    spent: Counter[str] = Counter()
    files: list[tuple[str, bytes]] = []
    pending, mail.files = mail.files, []
    for filename, content in pending:
        kind = sniff.content_type(content)
        if kind == "message/rfc822":
            rfc822.absorb(mail, rfc822.read(content, limits, depth=1, spent=spent))
        elif kind == outlook.MSG and (forwarded := rfc822.of_outlook(content, limits, spent)):
            rfc822.absorb(mail, forwarded)
        elif kind == outlook.TNEF and (opened := rfc822.open_container(content, kind, spent)):
            mail.text = mail.text or rfc822.body(opened.text, opened.html, limits, signals, stub_allowed=False)
            mail.files.extend(opened.files)
        else:
            files.append((filename, content))
    files += mail.files
    if len(files) > limits.max_attachments:
        raise LimitError(
            f"The message has {len(files)} attachments; send at most {limits.max_attachments}", field="attachments"
        )
    attachments: list[Attachment] = []
    for i, (filename, content) in enumerate(files):
        if len(content) > limits.max_attachment_bytes:
            raise LimitError(
                f"Attachment {i} is larger than {limits.max_attachment_bytes} bytes; send a smaller one",
                field=f"attachments[{i}]",
            )
        name = plain.line(filename.replace("\\", "/").rsplit("/", 1)[-1], signals, 255) or "file"
        attachments.append(Attachment(filename=name, content_type=sniff.content_type(content), content=content))
    subject = plain.line(form.subject, signals) or mail.subject
    text = mail.text
    if len(text) > limits.max_text_chars:
        signals["text_cut"] += len(text) - limits.max_text_chars
        text = text[: limits.max_text_chars]
    received_at = form.received_at or mail.sent_at
    if received_at is not None:
        received_at = _aware(received_at)
    in_reply_to = _first_id(form.thread.in_reply_to) or mail.in_reply_to
    references = tuple(ref for value in form.thread.references for ref in rfc822.message_ids(value)) or mail.references
    segments = tuple(Segment(kind=kind, start=a, end=b) for kind, a, b in replies.split(text, subject))
    return Message(
        channel=form.channel or default_channel,
        subject=subject,
        text="".join(
            unwrapped(text[s.start : s.end]) if s.kind == "newest" else text[s.start : s.end] for s in segments
        ),
        segments=segments,
        signals={name: count for name, count in sorted(signals.items()) if count},
        external_id=form.external_id,
        message_id=mail.message_id,
        thread=Thread(in_reply_to=in_reply_to, references=references[:200]),
        site=form.site,
        received_at=received_at,
        sender=Sender(
            name=plain.line(form.sender.name, signals) or mail.sender[0],
            email=(plain.line(form.sender.email, signals, 320) or mail.sender[1] or "").lower() or None,
        ),
        recipients=mail.recipients,
        attachments=tuple(attachments),
        record=form.record,
        callback_url=form.callback_url,
    )


def _empty_mail() -> rfc822.Mail:
    return rfc822.Mail("", (None, None), None, None, (), None)


def _aware(when: datetime) -> datetime:
    """In the zone it was given in, by which "14:00" in the text is meant; without one it is UTC."""
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    try:
        when.astimezone(UTC)
    except OverflowError:
        raise InputError("The field received_at is out of range; give an ISO 8601 time", field="received_at") from None
    return when


def _first_id(value: object) -> str | None:
    ids = rfc822.message_ids(value) if isinstance(value, str) else ()
    return ids[0] if ids else None


def _by_contract(data: Mapping[str, Any]) -> dict[str, Any]:
    """Nulls mean absent, as n8n sends them; invisible bytes that no store can hold are taken out of short fields."""
    out: dict[str, Any] = {}
    for name, value in data.items():
        if value is None or (name == "html" and value is False):
            continue
        if name in ("external_id", "site", "callback_url") and isinstance(value, str):
            value = plain.line(value, Counter(), 5000)
            if not value:
                continue
        if name in ("sender", "thread", "record") and isinstance(value, Mapping):
            value = {k: v for k, v in value.items() if v is not None}
            if name == "thread" and isinstance(value.get("references"), str):
                value["references"] = [value["references"]]
        out[str(name)] = value
    return out


def _from_n8n(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of n8n's Email Trigger as fields of the contract; what the caller added by our names is kept."""
    data = {name: value for name, value in item.items() if name in Submission.model_fields}
    simple = item.get("metadata") if isinstance(item.get("metadata"), Mapping) else {}
    assert isinstance(simple, Mapping)
    if "sender" not in data:
        data["sender"] = _n8n_sender(item.get("from"))
    if "thread" not in data:
        references = item.get("references") or simple.get("references")
        listed = references if isinstance(references, list) else [references]
        in_reply_to = item.get("inReplyTo") or simple.get("in-reply-to")
        data["thread"] = {
            "in_reply_to": in_reply_to if isinstance(in_reply_to, str) else None,
            "references": [value for value in listed if isinstance(value, str)],
        }
    if "received_at" not in data:
        data["received_at"] = _n8n_date(item.get("date"), item.get("headers"))
    for ours, theirs in (("text", "textPlain"), ("html", "textHtml")):
        if not data.get(ours) and isinstance(item.get(theirs), str):
            data[ours] = item[theirs]
    for name in ("subject", "text"):
        if not isinstance(data.get(name), str):
            data.pop(name, None)
    files = data.get("attachments")
    if isinstance(files, list) and not all(isinstance(f, Mapping) and "content_base64" in f for f in files):
        raise InputError(
            "The attachments of an n8n item travel as binary data; send them as files of a multipart form",
            field="attachments",
        )
    return data


def _n8n_sender(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        entries = value.get("value")
        first = entries[0] if isinstance(entries, list) and entries else None
        if isinstance(first, Mapping):
            name, mail = first.get("name"), first.get("address")
            return {"name": name if isinstance(name, str) else None, "email": mail if isinstance(mail, str) else None}
        value = value.get("text")
    name, mail = rfc822.address(value if isinstance(value, str) else None)
    return {"name": name, "email": mail}


def _n8n_addresses(value: object) -> str | None:
    """What a `to` or `cc` of n8n says: it is a text, an object that holds one, or several of these."""
    entries = [entry.get("text") if isinstance(entry, Mapping) else entry for entry in _listed(value)]
    return ", ".join(entry for entry in entries[:100] if isinstance(entry, str)) or None


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _n8n_header(headers: object, name: str) -> str | None:
    """What stands in a header; n8n gives whole lines by their names in small letters."""
    line = headers.get(name) if isinstance(headers, Mapping) else None
    return line.partition(":")[2].strip() if isinstance(line, str) else None


def _n8n_date(value: object, headers: object) -> datetime | None:
    """The Date header of the mail as n8n gives it; a broken one is the sender's fault and no reason to refuse.

    n8n turns it into UTC; the header itself, `Date: …`, still has the zone in which the sender's "14:00" is meant.
    """
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return rfc822.moment(value)
    written = rfc822.moment(_n8n_header(headers, "date"))
    return written if written is not None and when.tzinfo and written == when else when


def _json(field: str, value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise InputError(f"The form field {field} does not hold valid JSON; check it", field=field) from None


def _decoded(content: str, i: int, limits: Limits) -> bytes:
    field = f"attachments[{i}].content_base64"
    if len(content) > 2 * limits.max_attachment_bytes:
        raise LimitError(
            f"Attachment {i} is larger than {limits.max_attachment_bytes} bytes; send a smaller one", field=field
        )
    try:
        return base64.b64decode("".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"The field {field} is not base64; encode the file's bytes", field=field) from None


def _validated(model: type[Submission], data: Mapping[str, Any]) -> Submission:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ""
        for step in first["loc"]:
            path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
        path = plain.line(path, Counter(), 200)
        if first["type"] == "extra_forbidden":
            message = f"The field {path} is not known; remove it or check its spelling"
        elif first["type"] == "missing":
            message = f"The field {path} is missing; add it"
        else:
            message = f"The field {path} cannot be read: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise InputError(message, field=path) from None
    except RecursionError:
        raise InputError("The body is nested too deeply; send a flat object", field="body") from None
