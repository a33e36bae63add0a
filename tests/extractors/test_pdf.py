from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pypdfium2 as pdfium
import pytest
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

from extractors.child import Child
from extractors.layout import box_of
from extractors.limits import Limits
from extractors.pdf import PdfReader, PdfText
from tests.extractors.conftest import make_pdf, written

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
    return written(bodies)


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


@pytest.mark.parametrize("blank", [0xA0, 0x2009, 0x202F, 0x3000])
def test_a_narrow_blank_sets_off_thousands_as_any_blank(reader: PdfReader, blank: int) -> None:
    cmap = b"begincmap 1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <5F> <%04X> endbfchar endcmap"
    content = b"BT /A 12 Tf 10 100 Td (12_400 kg) Tj ET"
    page = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</A 5 0 R>>>>>>",
        4: b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Courier/ToUnicode 6 0 R>>",
        6: b"<</Length %d>>stream\n%s\nendstream" % (len(cmap % blank), cmap % blank),
    }
    assert reader.read(written(page)).pages[0].page.text == "12 400 kg"


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


WHITE, NEARLY_WHITE, NAVY, BLACK = (1, 1, 1), (0.98, 0.99, 0.98), (0.1, 0.15, 0.4), (0, 0, 0)
PICTURE = ImageReader(Image.new("RGB", (60, 20), (20, 30, 90)))


def a_page(draw: Callable[[canvas.Canvas], None]) -> bytes:
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=(595, 842), pageCompression=0)
    sheet.drawString(72, 700, "Deliver to WH/OUT/00042")
    draw(sheet)
    sheet.save()
    return out.getvalue()


def say(sheet: canvas.Canvas, colour: tuple[float, float, float] = BLACK, mode: int = 0, size: float = 12) -> None:
    text = sheet.beginText(72, 600)
    text.setFont("Helvetica", size)
    text.setTextRenderMode(mode)
    text.setFillColorRGB(*colour)
    text.textOut("order WH/OUT/99917")
    sheet.drawText(text)


def bar(sheet: canvas.Canvas, colour: tuple[float, float, float], *, round_: float = 0) -> None:
    sheet.setFillColorRGB(*colour)
    sheet.roundRect(60, 590, 200, 30, round_, stroke=0, fill=1) if round_ else sheet.rect(60, 590, 200, 30, 0, 1)


def frame(sheet: canvas.Canvas) -> None:
    path = sheet.beginPath()
    path.rect(60, 590, 200, 30)
    path.rect(62, 592, 196, 26)
    sheet.setFillColorRGB(*BLACK)
    sheet.drawPath(path, stroke=0, fill=1, fillMode=0)


def clipped(sheet: canvas.Canvas, left: float) -> None:
    path = sheet.beginPath()
    path.rect(left, 590, 200, 30)
    sheet.saveState()
    sheet.clipPath(path, stroke=0)
    say(sheet)
    sheet.restoreState()


def form(sheet: canvas.Canvas, colour: tuple[float, float, float]) -> None:
    sheet.beginForm("form")
    say(sheet, colour)
    sheet.endForm()
    sheet.doForm("form")


def picture(sheet: canvas.Canvas) -> None:
    sheet.drawImage(PICTURE, 60, 590, 200, 30)


def below_a_bar(sheet: canvas.Canvas) -> None:
    say(sheet)
    bar(sheet, WHITE)


def below_a_picture(sheet: canvas.Canvas) -> None:
    say(sheet)
    picture(sheet)


def on_its_own_colour(sheet: canvas.Canvas) -> None:
    bar(sheet, NAVY)
    say(sheet, NAVY)


def on_a_picture_of_its_colour(sheet: canvas.Canvas) -> None:
    picture(sheet)
    say(sheet, (20 / 255, 30 / 255, 90 / 255))


def on_a_bar_under_white(sheet: canvas.Canvas) -> None:
    bar(sheet, NAVY)
    bar(sheet, WHITE)
    say(sheet, WHITE)


def beside_a_dark_corner(sheet: canvas.Canvas) -> None:
    path = sheet.beginPath()
    path.moveTo(60, 640)
    for x, y in ((260, 640), (260, 630), (70, 630), (70, 580), (60, 580)):
        path.lineTo(x, y)
    path.close()
    sheet.setFillColorRGB(*NAVY)
    sheet.drawPath(path, stroke=0, fill=1)
    say(sheet, WHITE)


def in_white_strokes(sheet: canvas.Canvas) -> None:
    sheet.setStrokeColorRGB(*WHITE)
    say(sheet, mode=1)


UNSEEN: dict[str, Callable[[canvas.Canvas], None]] = {
    "white": partial(say, colour=WHITE),
    "nearly white": partial(say, colour=NEARLY_WHITE),
    "white in a form": partial(form, colour=WHITE),
    "tiny": partial(say, size=0.5),
    "a hole for nothing": partial(say, mode=7),
    "clipped away": partial(clipped, left=300),
    **{
        f.__name__.replace("_", " "): f
        for f in (
            below_a_bar,
            below_a_picture,
            on_its_own_colour,
            on_a_picture_of_its_colour,
            on_a_bar_under_white,
            beside_a_dark_corner,
            in_white_strokes,
        )
    },
}


@pytest.mark.parametrize("draw", UNSEEN.values(), ids=UNSEEN)
def test_text_without_a_mark_on_the_page_is_left_out(reader: PdfReader, draw: Callable[[canvas.Canvas], None]) -> None:
    text = reader.read(a_page(draw))
    assert text.pages[0].page.text.strip() == "Deliver to WH/OUT/00042"
    assert text.pages[0].hidden == 1
    assert text.problem == "page 1 holds 17 letters that nobody sees: left out"


def then(*draws: Callable[[canvas.Canvas], None]) -> Callable[[canvas.Canvas], None]:
    def all_of_them(sheet: canvas.Canvas) -> None:
        for draw in draws:
            draw(sheet)

    return all_of_them


SEEN: dict[str, Callable[[canvas.Canvas], None]] = {
    "white on a dark bar": then(partial(bar, colour=NAVY), partial(say, colour=WHITE)),
    "white on a rounded bar": then(partial(bar, colour=NAVY, round_=6), partial(say, colour=WHITE)),
    "white on a picture": then(picture, partial(say, colour=WHITE)),
    "white in a form on a dark bar": then(partial(bar, colour=NAVY), partial(form, colour=WHITE)),
    "black in a form": partial(form, colour=BLACK),
    "black in a black frame": then(frame, say),
    "black, then a black frame around it": then(say, frame),
    "pale grey": partial(say, colour=(0.82, 0.82, 0.82)),
    "small": partial(say, size=3),
    "outlined": partial(say, colour=WHITE, mode=1),
    "in a clip": partial(clipped, left=60),
    "on a white bar": then(partial(bar, colour=WHITE), say),
}


@pytest.mark.parametrize("draw", SEEN.values(), ids=SEEN)
def test_text_that_is_seen_stays_whatever_lies_under_it(
    reader: PdfReader, draw: Callable[[canvas.Canvas], None]
) -> None:
    text = reader.read(a_page(draw))
    assert text.pages[0].page.text.split() == ["Deliver", "to", "WH/OUT/00042", "order", "WH/OUT/99917"]
    assert (text.pages[0].hidden, text.problem) == (0, None)


def test_of_a_clipped_line_the_words_that_are_seen_are_read(reader: PdfReader) -> None:
    assert "99917" not in (read := reader.read(a_page(partial(clipped, left=-97))).pages[0].page.text)
    assert "order" in read


@pytest.mark.parametrize("switched", ["OFF", "ON"])
@pytest.mark.parametrize("in_form", [True, False])
def test_text_in_a_layer_is_read_where_the_layer_is_switched_on(
    reader: PdfReader, switched: str, in_form: bool
) -> None:
    line = b"BT /A 12 Tf 72 600 Td (order WH/OUT/99917) Tj ET"
    shown = b"BT /A 12 Tf 72 700 Td (Deliver to WH/OUT/00042) Tj ET "
    content = shown + (b"/X Do" if in_form else b"/OC /L BDC " + line + b" EMC")
    fonts = b"/Font<</A 4 0 R>>"
    resources = fonts + b"/Properties<</L 6 0 R>>/XObject<</X 7 0 R>>"
    state = b"/OFF[6 0 R]" if switched == "OFF" else b""
    pdf = written(
        {
            1: b"<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[6 0 R]/D<</Order[6 0 R]" + state + b">>>>>>",
            2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<%s>>/Contents 5 0 R>>" % resources,
            4: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            5: b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
            6: b"<</Type/OCG/Name(layer)>>",
            7: b"<</Type/XObject/Subtype/Form/BBox[0 0 595 842]/OC 6 0 R/Resources<<%s>>/Length %d>>"
            % (fonts, len(line))
            + b"stream\n%s\nendstream" % line,
        }
    )
    assert ("99917" in reader.read(pdf).pages[0].page.text) == (switched == "ON")


def test_the_text_layer_of_a_scan_is_no_hidden_text_and_the_page_goes_to_ocr(
    reader: PdfReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []
    read = reader._ask

    def ask(child: Child, content: bytes, job: dict[str, object]) -> PdfText:
        asked.append(job)
        return PdfText() if child is reader._ocr else read(child, content, job)

    monkeypatch.setattr(reader, "_ask", ask)
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=(595, 842))
    sheet.drawImage(PICTURE, 0, 0, 595, 842)
    say(sheet, mode=3)
    sheet.save()
    text = reader.read(out.getvalue())
    assert asked[1:] == [{"numbers": [1]}]
    assert text.pages[0].hidden == 0


def test_text_outside_the_crop_box_is_left_out(reader: PdfReader) -> None:
    cropped = io.BytesIO()
    document = pdfium.PdfDocument(make_pdf([(72, 700, "Deliver to WH/OUT/00042"), (72, 100, "order WH/OUT/99917")]))
    document[0].set_cropbox(0, 400, 595, 842)
    document.save(cropped)
    assert reader.read(cropped.getvalue()).pages[0].page.text.strip() == "Deliver to WH/OUT/00042"


@pytest.mark.timeout(60)
def test_a_pdf_that_never_ends_is_killed_on_time_and_the_next_one_is_read() -> None:
    with PdfReader(Limits(pdf_seconds=1)) as reader:
        reader.read(TWO_PAGES)
        before = child_of(reader)
        text = reader.read(form_bomb(8, 10))
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
