"""The child process that opens Outlook's own containers: the file on standard input, what is in it on standard output.

A line of JSON, then the bytes of the files in it, one after the other. Its parsers copy and loop as a file tells
them to, so it has limits of its own.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

_MEMORY = 1024**3


def main(kind: str, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = sys.stdin.buffer.read()
    said, files = _tnef(content) if kind == "application/ms-tnef" else _msg(content)
    said["files"] = [[name, len(data)] for name, data in files]
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + b"".join(data for _, data in files))


def _tnef(content: bytes) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    from tnefparse import TNEF

    parsed = TNEF(content, do_checksum=False)
    charset = parsed.codepage or "cp1252"
    for attachment in parsed.attachments:
        attachment._name = _text(attachment._name, charset)  # the library takes it for UTF-8
    files = [(str(_text(a.long_filename(), charset)), bytes(a.data or b"")) for a in parsed.attachments]
    return {"text": _text(parsed.body, charset), "html": _text(parsed.htmlbody, charset)}, files


def _msg(content: bytes) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    from oxmsg import Message

    message = Message.load(content)
    said = {
        "headers": dict(message.message_headers),
        "subject": message.subject,
        "from": message.sender,
        "sent_at": message.sent_date.isoformat() if message.sent_date else None,
        "text": _text(message.body),
        "html": _text(message.html_body),
    }
    return said, [(a.file_name or "", a.file_bytes) for a in message.attachments if a.file_bytes]


def _text(value: str | bytes | None, charset: str = "cp1252") -> str:
    if not isinstance(value, bytes):
        return value or ""
    for name in ("utf-8", charset):
        try:
            return value.decode(name)
        except (UnicodeError, LookupError):
            continue
    return value.decode("cp1252", "replace")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
