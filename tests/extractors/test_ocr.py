from __future__ import annotations

import io
from datetime import UTC, datetime

import numpy as np
import pypdfium2 as pdfium
import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from extractors.extraction import extract
from extractors.limits import Limits
from extractors.message import message_from_pdf
from extractors.pdf import PdfReader
from tests.extractors.conftest import make_pdf

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
NOTE = make_pdf(
    [
        (60, 800, "Lieferschein"),
        (60, 770, "Delivery order WH/OUT/00042"),
        (60, 740, "Container MSKU 907032 3"),
        (300, 700, "BOL No."),
        (300, 680, "7740912"),
        (60, 650, "Empfangen am Tor 4, zwei Kartons fehlen"),
    ]
)


def picture(turned: float = 0) -> Image.Image:
    """The upper third of the note as a scanner at 150 dpi sees it, turned counterclockwise by so many degrees."""
    image = pdfium.PdfDocument(NOTE)[0].render(scale=150 / 72).to_pil().convert("L")
    image = image.crop((0, 0, image.width, image.height // 3))
    noise = np.random.default_rng(7).normal(0, 12, (image.height, image.width))
    noisy = Image.fromarray(np.clip(np.asarray(image, np.float64) + noise, 0, 255).astype(np.uint8))
    return noisy.rotate(turned, expand=True, fillcolor=255)


def as_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def scan(image: Image.Image) -> bytes:
    out = io.BytesIO()
    width, height = image.width * 72 / 150, image.height * 72 / 150
    sheet = canvas.Canvas(out, pagesize=(width, height))
    sheet.drawImage(ImageReader(image), 0, 0, width, height)
    sheet.save()
    return out.getvalue()


@pytest.mark.parametrize("turned", [1.5, 90, 180, 270])
def test_a_scan_is_read_whichever_way_it_lies_and_its_boxes_lie_on_it(reader: PdfReader, turned: float) -> None:
    extraction = extract(message_from_pdf(scan(picture(turned)), Limits()), reader, now=NOW)
    (document,) = extraction.documents
    assert (document.ocr, document.problem, document.type) == (True, None, "delivery_note")
    found = {finding.field: finding for finding in extraction.findings}
    assert found["delivery_order"].value == "WH/OUT/00042"
    assert found["container"].value == "MSKU9070323"
    assert found["bol"].value == "7740912"
    for finding in found.values():
        assert (finding.method, finding.score < 0.95) == ("ocr", True)
    box = found["bol"].evidence.box
    assert box is not None
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    page = document.pages[0]
    from_top, from_left = {
        1.5: (y, x),
        90: (x, page.height - y),
        180: (page.height - y, page.width - x),
        270: (page.width - x, y),
    }[turned]
    assert from_left == pytest.approx(320, abs=25)
    assert from_top == pytest.approx(841.89 - 684, abs=18)


def test_a_photograph_is_read_as_its_camera_held_it(reader: PdfReader) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    text = reader.read_image(as_bytes(picture(90), "JPEG", quality=80, exif=exif))
    assert "WH/OUT/00042" in text.pages[0].page.text.replace("0UT", "OUT")
    assert text.pages[0].page.width > text.pages[0].page.height


def test_a_page_on_which_nothing_can_be_read_says_so_and_nothing_is_guessed(reader: PdfReader) -> None:
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 255, (500, 700), dtype=np.uint8))
    text = reader.read_image(as_bytes(noise, "PNG"))
    assert text.pages[0].page.text == ""
    assert text.problem == "nothing can be read on page 1"


def test_of_many_scanned_pages_the_first_are_read_and_the_rest_is_owned_up_to() -> None:
    blank = Image.new("L", (300, 200), 255)
    with PdfReader(Limits(max_ocr_pages=2)) as reader:
        text = reader.read_image(as_bytes(blank, "TIFF", save_all=True, append_images=[blank] * 6))
        assert (text.page_count, len(text.pages)) == (7, 2)
        assert text.problem is not None
        assert "more than 2 pages: only the first 2 were read" in text.problem
        problem = reader.read(make_pdf([], [], [], [(72, 700, "text")])).problem
        assert problem is not None
        assert "1 of 3 pages without a text layer were not read" in problem


@pytest.mark.parametrize(
    "content", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0 no picture", b"GIF89a", b"II*\x00\x08\x00"]
)
def test_a_broken_picture_is_called_damaged(reader: PdfReader, content: bytes) -> None:
    assert reader.read_image(content).problem == "damaged"


def test_a_picture_of_a_hundred_megapixels_is_refused_before_it_is_decoded(reader: PdfReader) -> None:
    bomb = as_bytes(Image.new("1", (10_000, 10_000)), "PNG")
    assert len(bomb) < 100_000
    assert reader.read_image(bomb).problem == "a picture of more than 60 megapixels: not read"


def test_a_scan_that_takes_too_long_ends_its_child_only() -> None:
    with PdfReader(Limits(ocr_seconds=0.2)) as reader:
        problem = reader.read(scan(picture())).problem
        assert problem is not None
        assert "took longer than 0.2 s" in problem
        assert "1 of 1 pages without a text layer were not read" in problem
        assert reader.read(NOTE).problem is None
