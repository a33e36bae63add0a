"""A file's type from its bytes: names and declared types are often missing or wrong."""

from __future__ import annotations

import io
import re
import zipfile

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"GIF8", "image/gif"),
    (b"\x78\x9f\x3e\x22", "application/ms-tnef"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MSG_STREAM = "__properties_version1.0".encode("utf-16-le")  # every .msg has it, and no other document
_OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_HEADER_LINE = re.compile(rb"([A-Za-z][A-Za-z0-9-]{0,70}):[ \t]?[^\r\n]*")
_HTML = re.compile(rb"<(?:!doctype html|html|head|body|div|table|p)[\s>]", re.IGNORECASE)


def content_type(content: bytes) -> str:
    """The MIME type of `content`; `application/octet-stream` where it is none that we know."""
    head = content[:4096]
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head.startswith(_OLE):
        return "application/vnd.ms-outlook" if _MSG_STREAM in content else "application/x-ole-storage"
    if b"%PDF-" in head[:1024]:  # real files carry junk before the mark; Acrobat allows 1024 bytes, too
        return "application/pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zip_type(content)
    if head.lstrip(b"\xef\xbb\xbf\r\n").upper().startswith(b"BEGIN:VCALENDAR"):
        return "text/calendar"
    if _is_mail(head):
        return "message/rfc822"
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "application/octet-stream"
    if _HTML.search(head[:1024]):
        return "text/html"
    control = sum(1 for byte in head if byte < 32 and byte not in b"\t\n\r\f\x1b")
    return "text/plain" if head and control <= len(head) // 100 else "application/octet-stream"


def _zip_type(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except Exception:  # zipfile raises a dozen kinds on damaged archives
        return "application/zip"
    for prefix, name in _OFFICE.items():
        if any(n.startswith(prefix) for n in names):
            return name
    return "application/zip"


def _is_mail(head: bytes) -> bool:
    """Header lines up to the first empty one, among them who or what about, and one that only mailers write.

    People write "Date:" and "To:" over notes of their own: beside a date there must be an address.
    """
    names: set[bytes] = set()
    has_address = False
    lines = head.split(b"\n")
    for line in lines[:-1] if len(lines) > 1 else lines:  # the last one may be cut off
        line = line.rstrip(b"\r")
        if not line:
            break
        if line[:1] in b" \t" and names:
            continue
        if line.startswith(b"From ") and not names:  # mbox
            continue
        match = _HEADER_LINE.match(line)
        if match is None:
            return False
        names.add(match[1].lower())
        has_address |= match[1].lower() in (b"from", b"to") and b"@" in match[0]
    mailer = {b"message-id", b"mime-version", b"received", b"return-path", b"delivered-to"}
    return bool(names & {b"from", b"subject", b"to"}) and (bool(names & mailer) or (b"date" in names and has_address))
