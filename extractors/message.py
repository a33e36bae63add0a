"""The inbound message as one value, whatever form it came in."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Channel = Literal["email", "portal", "document"]
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

    model: str
    id: int


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
