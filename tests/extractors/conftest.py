from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen import canvas

from extractors.limits import Limits
from extractors.pdf import PdfReader

Lines = list[tuple[float, float, str]]
MakePdf = Callable[..., bytes]


def make_pdf(*pages: Lines, **options: object) -> bytes:
    """Pages of (x, y from the bottom, text) lines, in the order in which they are drawn."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=A4, **options)
    for page in pages:
        for x, y, text in page:
            sheet.drawString(x, y, text)
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def written(bodies: dict[int, bytes]) -> bytes:
    """A PDF of these objects, numbered from 1, of which the first is its catalogue."""
    out, offsets = b"%PDF-1.4\n", []
    for number, body in bodies.items():
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(bodies) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + table + trailer


@pytest.fixture(scope="session")
def reader() -> Iterator[PdfReader]:
    with PdfReader(Limits()) as pdf:
        yield pdf
