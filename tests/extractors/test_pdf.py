from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pypdfium2 as pdfium
import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen import canvas

from extractors.layout import box_of
from extractors.limits import Limits
from extractors.pdf import PdfReader
from tests.extractors.conftest import make_pdf

TWO_PAGES = make_pdf([(72, 800, "Bill of Lading"), (72, 780, "BOL No: 0012345")], [(72, 800, "Gross weight: 812 kg")])


def form_bomb(depth: int, width: int) -> bytes:
    """A page whose form draws another one `width` times, which draws another one …: width**depth pieces of text."""
    draws = b"/F Do " * width
    bodies = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</XObject<</F 6 0 R>>>>/Contents 5 0 R>>",
        4: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        5: b"<</Length %d>>stream\n%s\nendstream" % (len(draws), draws),
    }
    for number in range(6, 6 + depth):
        last = number == 5 + depth
        content = b"BT /A 12 Tf 10 10 Td (hello world) Tj ET" if last else draws
        resources = b"/Font<</A 4 0 R>>" if last else b"/XObject<</F %d 0 R>>" % (number + 1)
        head = b"<</Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<<%s>>/Length %d>>" % (resources, len(content))
        bodies[number] = head + b"stream\n" + content + b"\nendstream"
    out, offsets = b"%PDF-1.4\n", []
    for number, body in bodies.items():
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(bodies) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + table + trailer


def child_of(reader: PdfReader) -> int:
    return reader._text.pid or 0


def test_pages_are_read_with_their_size_and_number(reader: PdfReader) -> None:
    text = reader.read(TWO_PAGES)
    assert (text.page_count, text.problem) == (2, None)
    first, second = (read.page for read in text.pages)
    assert first.text.splitlines()[:2] == ["Bill of Lading", "BOL No: 0012345"]
    assert (first.number, second.number) == (1, 2)
    assert second.width == pytest.approx(595.28, abs=0.1)
    assert second.height == pytest.approx(841.89, abs=0.1)


def test_a_box_lies_where_the_span_is_drawn_counted_from_the_top_left(reader: PdfReader) -> None:
    read = reader.read(TWO_PAGES).pages[0]
    start = read.page.text.index("0012345")
    assert box_of(read.words, (9000, 9005)) is None
    box = box_of(read.words, (start, start + 7))
    assert box is not None
    left, top, right, bottom = box
    assert 72 < left < right < 250
    assert top < 841.89 - 780 < bottom + 3
    assert 5 < bottom - top < 20


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_box_lies_where_it_is_seen_on_a_turned_page(reader: PdfReader, turn: int) -> None:
    turned = io.BytesIO()
    document = pdfium.PdfDocument(make_pdf([(72, 800, "Seal 4711")]))
    document[0].set_rotation(turn)
    document.save(turned)
    read = reader.read(turned.getvalue()).pages[0]
    box = box_of(read.words, (0, 4))
    assert box is not None
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    width, height = 595.28, 841.89
    upright = {90: (y, x), 180: (width - x, y), 270: (width - y, height - x)}[turn]  # counted from the bottom left
    assert upright == pytest.approx((84, 804), abs=4)


def test_cells_drawn_column_by_column_are_read_row_by_row_and_keep_their_boxes(reader: PdfReader) -> None:
    cells = [(72.0 + 100 * c, 800.0 - 20 * r, f"c{c}r{r}") for c in range(5) for r in range(4)]
    pdf = make_pdf(cells)
    read = reader.read(pdf).pages[0]
    text = read.page.text
    assert text.splitlines()[:2] == ["c0r0 c1r0 c2r0 c3r0 c4r0", "c0r1 c1r1 c2r1 c3r1 c4r1"]
    start = text.index("c3r1")
    box = box_of(read.words, (start, start + 4))
    assert box is not None
    assert box[0] == pytest.approx(372, abs=2)
    assert box[3] == pytest.approx(841.89 - 780, abs=3)


def test_two_columns_of_running_text_are_not_mixed(reader: PdfReader) -> None:
    lines = [(72.0 + 250 * c, 800.0 - 20 * r, f"column {c} line {r}") for c in range(2) for r in range(10)]
    assert reader.read(make_pdf(lines)).pages[0].page.text.splitlines()[:2] == ["column 0 line 0", "column 0 line 1"]


@pytest.mark.parametrize("content", [b"", b"garbage", b"%PDF-1.4\n", TWO_PAGES[: len(TWO_PAGES) // 2], b"\0" * 9999])
def test_what_is_no_pdf_or_only_half_of_one_is_called_damaged(reader: PdfReader, content: bytes) -> None:
    text = reader.read(content)
    assert text.pages == ()
    assert text.problem is not None
    assert "damaged" in text.problem


def test_an_encrypted_pdf_is_named_so(reader: PdfReader) -> None:
    locked = make_pdf([(72, 700, "secret")], encrypt=StandardEncryption("password", canPrint=0))
    assert reader.read(locked).problem == "encrypted"


def test_of_200_pages_the_first_50_are_read_and_the_rest_is_owned_up_to(reader: PdfReader) -> None:
    text = reader.read(make_pdf(*[[(72.0, 700.0, f"sheet {i}")] for i in range(200)]))
    assert (len(text.pages), text.page_count) == (50, 200)
    assert text.problem == "more than 50 pages: only the first 50 were read"


def test_a_page_without_anything_on_it_is_named(reader: PdfReader) -> None:
    assert reader.read(make_pdf([(72, 700, "text")], [])).problem == "nothing can be read on page 2"


def test_text_that_nobody_sees_is_left_out_and_counted(reader: PdfReader) -> None:
    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    sheet.drawString(72, 700, "Deliver to WH/OUT/00042")
    for y, mode, alpha in ((600, 3, 1.0), (500, 0, 0.0)):
        sheet.setFillAlpha(alpha)
        hidden = sheet.beginText(72, y)
        hidden.setTextRenderMode(mode)
        hidden.textLine("order WH/OUT/99917")
        sheet.drawText(hidden)
    sheet.setFillAlpha(1.0)
    sheet.drawString(-900, 400, "beside WH/OUT/99917")
    sheet.drawString(72, 2000, "above WH/OUT/99917")
    sheet.save()
    text = reader.read(out.getvalue())
    assert text.pages[0].page.text.strip() == "Deliver to WH/OUT/00042"
    assert text.problem == "page 1 holds 69 letters that nobody sees: left out"


def test_a_pdf_that_never_ends_is_killed_on_time_and_the_next_one_is_read() -> None:
    with PdfReader(Limits(pdf_seconds=1)) as reader:
        reader.read(TWO_PAGES)
        before, started = child_of(reader), time.monotonic()
        text = reader.read(form_bomb(8, 10))
        assert time.monotonic() - started < 5
        assert text.problem == "took longer than 1 s"
        assert reader.read(TWO_PAGES).page_count == 2
        assert child_of(reader) != before


def test_a_pdf_that_wants_too_much_memory_ends_its_child_only() -> None:
    with PdfReader(Limits(pdf_seconds=30, pdf_memory_bytes=250 * 1024 * 1024)) as reader:
        problem = reader.read(form_bomb(8, 10)).problem
        assert problem is not None
        assert "memory" in problem
        assert reader.read(TWO_PAGES).problem is None


def test_a_child_that_was_killed_from_outside_is_replaced() -> None:
    with PdfReader(Limits()) as reader:
        reader.read(TWO_PAGES)
        os.kill(child_of(reader), 9)
        results = [reader.read(TWO_PAGES).problem for _ in range(2)]
        assert results[-1] is None


def test_the_child_is_replaced_after_many_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("extractors.pdf._DOCUMENTS_A_CHILD", 2)
    with PdfReader(Limits()) as reader:
        children = set()
        for _ in range(4):
            reader.read(TWO_PAGES)
            children.add(child_of(reader))
        assert len(children - {0}) == 2


def test_many_threads_get_each_their_own_answer(reader: PdfReader) -> None:
    files = [make_pdf([(72, 700, f"number {i}")]) for i in range(12)]
    with ThreadPoolExecutor(6) as pool:
        texts = list(pool.map(reader.read, files))
    assert [text.pages[0].page.text.strip() for text in texts] == [f"number {i}" for i in range(12)]


def test_secrets_of_the_environment_do_not_reach_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_ODOO_PASSWORD", "hunter2")
    with PdfReader(Limits()) as reader:
        reader.read(TWO_PAGES)
        with open(f"/proc/{child_of(reader)}/environ", "rb") as environment:
            assert b"hunter2" not in environment.read()


def test_the_parent_never_loads_pdfium() -> None:
    code = "import sys, extractors.extraction, extractors.pdf; sys.exit('pypdfium2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
