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


@pytest.fixture(scope="session")
def reader() -> Iterator[PdfReader]:
    with PdfReader(Limits()) as pdf:
        yield pdf
