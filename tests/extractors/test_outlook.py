from __future__ import annotations

import base64
import struct
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import pairwise

import pytest

from extractors import outlook
from extractors.limits import Limits
from extractors.message import message_from_json, message_from_rfc822
from extractors.sniff import content_type
from tests.extractors.conftest import make_pdf

PDF = make_pdf([(72, 700, "CMR 0093517")])


def tnef(*attributes: tuple[int, int, bytes]) -> bytes:
    """A winmail.dat of (level, attribute id, data)."""
    out = [struct.pack("<IH", 0x223E9F78, 1)]
    for level, identity, data in attributes:
        out.append(struct.pack("<BII", level, identity, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF))
    return b"".join(out)


WINMAIL = tnef(
    (1, 0x00089006, struct.pack("<I", 0x00010000)),
    (1, 0x00069007, struct.pack("<II", 1252, 0)),
    (1, 0x0002800C, b"Der Fahrer steht seit 6 Uhr vor Tor 3.\0"),
    (2, 0x00069002, bytes(14)),
    (2, 0x00018010, b"cmr.pdf\0"),
    (2, 0x0006800F, PDF),
)


@dataclass
class Entry:
    name: str
    kind: int  # 1 storage, 2 stream, 5 root
    children: list[int] = field(default_factory=list)
    start: int = 0xFFFFFFFE
    size: int = 0


def compound_file(streams: dict[str, bytes]) -> bytes:
    """An OLE compound file (version 3) of streams by path, each in sectors of its own, as Outlook writes .msg."""
    entries = [Entry("Root Entry", 5)]
    by_path = {"": 0}
    sectors: list[bytes] = []
    chains: list[int] = []

    def place(data: bytes) -> int:
        first, parts = len(sectors), [data[i : i + 512].ljust(512, b"\0") for i in range(0, len(data), 512)]
        sectors.extend(parts)
        chains.extend([*range(first + 1, first + len(parts)), 0xFFFFFFFE])
        return first

    for path, data in streams.items():
        parent = ""
        for name in (parts := path.split("/")):
            whole = f"{parent}/{name}" if parent else name
            if whole not in by_path:
                by_path[whole] = len(entries)
                entries[by_path[parent]].children.append(len(entries))
                entries.append(Entry(name, 2 if name == parts[-1] else 1))
            parent = whole
        padded = data.ljust(4096, b"\0")  # smaller ones would belong into the mini stream
        entry = entries[by_path[path]]
        entry.start, entry.size = place(padded), len(padded)
    next_one = {a: b for entry in entries for a, b in pairwise(entry.children)}
    none, directory = 0xFFFFFFFF, b""
    for number, entry in enumerate(entries):
        encoded = f"{entry.name}\0".encode("utf-16-le")
        child = entry.children[0] if entry.children else none
        directory += encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), entry.kind, 1)
        directory += struct.pack("<III", none, next_one.get(number, none), child)
        directory += bytes(36) + struct.pack("<IQ", entry.start, entry.size)
    first_directory = place(directory + bytes(-len(directory) % 512))
    tables = -(-(len(chains) + 2) // 128)
    first_table = len(sectors)
    chains += [0xFFFFFFFD] * tables
    table = struct.pack(f"<{len(chains)}I", *chains).ljust(tables * 512, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, tables, first_directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack(f"<{tables}I", *range(first_table, first_table + tables)).ljust(436, b"\xff")
    return header + b"".join(sectors) + table


def properties(header: int, sizes: dict[int, int]) -> bytes:
    """The table of properties of a .msg: tag and size of each that has a stream."""
    return bytes(header) + b"".join(struct.pack("<IIII", tag, 6, size, 0) for tag, size in sizes.items())


def msg() -> bytes:
    body = "Please stop S00064, the customer is closed this week.\r\n".ljust(2048).encode("utf-16-le")
    subject = "S00064 please stop".ljust(2048).encode("utf-16-le")
    headers = "From: Lotte Peeters <lotte@haldenroth.example>\r\nMessage-ID: <abc@haldenroth.example>\r\n\r\n"
    transport = headers.ljust(2048).encode("utf-16-le")
    name = "cmr.pdf".ljust(2048).encode("utf-16-le")
    root = {0x0037001F: len(subject), 0x1000001F: len(body), 0x007D001F: len(transport)}
    attached = {0x37010102: len(PDF), 0x3707001F: len(name)}
    return compound_file(
        {
            "__properties_version1.0": properties(32, root),
            "__substg1.0_0037001F": subject,
            "__substg1.0_1000001F": body,
            "__substg1.0_007D001F": transport,
            "__attach_version1.0_#00000000/__properties_version1.0": properties(8, attached),
            "__attach_version1.0_#00000000/__substg1.0_37010102": PDF,
            "__attach_version1.0_#00000000/__substg1.0_3707001F": name,
        }
    )


def mail_with(name: str, content: bytes, text: str = "") -> bytes:
    mail = EmailMessage()
    mail["From"] = "exchange@carrier.example"
    mail["Subject"] = "Verspätung"
    mail.set_content(text)
    mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return bytes(mail)


def test_a_winmail_dat_gives_its_files_and_its_text_where_the_mail_has_none() -> None:
    message = message_from_rfc822(mail_with("winmail.dat", WINMAIL), Limits())
    assert message.newest.strip() == "Der Fahrer steht seit 6 Uhr vor Tor 3."
    assert [(a.filename, a.content_type) for a in message.attachments] == [("cmr.pdf", "application/pdf")]
    again = message_from_rfc822(mail_with("winmail.dat", WINMAIL, text="Siehe CMR."), Limits())
    assert again.newest.strip() == "Siehe CMR."


def test_a_winmail_dat_of_windows_letters_keeps_them_in_text_and_names() -> None:
    other = WINMAIL.replace(b"vor Tor 3.", "für Köln. ".encode("cp1252")).replace(
        b"cmr.pdf", "rü.pdf".encode("cp1252") + b" "
    )
    message = message_from_rfc822(mail_with("winmail.dat", other), Limits())
    assert message.newest.strip() == "Der Fahrer steht seit 6 Uhr für Köln."
    assert [a.filename.strip() for a in message.attachments] == ["rü.pdf"]


def test_of_many_containers_only_ten_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    monkeypatch.setattr(outlook, "open_container", lambda content, kind: opened.append(kind))
    mail = EmailMessage()
    mail.set_content("Hallo")
    for number in range(30):
        mail.add_attachment(WINMAIL, maintype="application", subtype="octet-stream", filename=f"{number}.dat")
    message_from_rfc822(bytes(mail), Limits(max_attachments=40))
    assert 0 < len(opened) <= 20


def test_an_outlook_message_is_read_as_the_mail_it_is() -> None:
    content = msg()
    assert content_type(content) == outlook.MSG
    message = message_from_rfc822(mail_with("FW.msg", content), Limits())
    assert "Please stop S00064" in message.newest
    assert "lotte@haldenroth.example" in message.text
    assert [(a.filename, a.content_type) for a in message.attachments] == [("cmr.pdf", "application/pdf")]


@pytest.mark.parametrize("content", [WINMAIL, msg()], ids=["winmail.dat", "msg"])
def test_it_may_also_come_as_a_file_of_a_json_message(content: bytes) -> None:
    file = {"filename": "x", "content_base64": base64.b64encode(content).decode()}
    message = message_from_json({"channel": "portal", "attachments": [file]}, Limits())
    assert len(message.attachments) == 1
    assert "Tor 3" in message.text or "S00064" in message.text


@pytest.mark.parametrize(
    "content", [WINMAIL[:60], WINMAIL[:6] + b"\xff" * 4000, msg()[:3000], msg()[:512] + bytes(9000)]
)
def test_a_damaged_one_stays_a_file_that_was_not_read(content: bytes) -> None:
    message = message_from_rfc822(mail_with("winmail.dat", content, text="Hallo"), Limits())
    assert message.newest.strip() == "Hallo"
    assert len(message.attachments) <= 1


def test_a_container_that_never_ends_costs_its_child_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "_SECONDS", 1)
    many = tnef(*[(1, 0x00089006, b"\0\0\1\0")] * 400_000)  # the parser copies the rest of the file for each
    assert outlook.open_container(many, outlook.TNEF) is None
