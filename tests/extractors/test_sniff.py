from __future__ import annotations

import io
import zipfile

import pytest

from extractors.sniff import content_type
from tests.extractors.conftest import make_pdf


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (make_pdf([(72, 700, "x")]), "application/pdf"),
        (b"\xef\xbb\xbf\r\n%PDF-1.7\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0..", "image/jpeg"),
        (b"II*\x00....", "image/tiff"),
        (b"Received: from x\r\n by y\r\nFrom: a@b\r\nSubject: late\r\n\r\nhello", "message/rfc822"),
        (b"From: a@b\nDate: today\n" + b"X-Long: " + b"y" * 9000 + b"\n\nhello", "message/rfc822"),
        (b"From: Anna\nSubject: just a note pasted into a file\n\nhello", "text/plain"),
        (b"Date: 24.11.2026\nTo: Kroon NV\nContainer: MSKU1234565\nStatus: damaged\n\nRegards", "text/plain"),
        (archive("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (archive("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (archive("a.txt"), "application/zip"),
        (b"PK\x03\x04broken", "application/zip"),
        (b"<!DOCTYPE html><html><body>x", "text/html"),
        ("Größe;Menge\n1;2\n".encode(), "text/plain"),
        (b"\x00\x01\x02\x03", "application/octet-stream"),
        (b"", "application/octet-stream"),
    ],
)
def test_the_type_comes_from_the_bytes(content: bytes, expected: str) -> None:
    assert content_type(content) == expected
