"""The child process that touches PDFs: run by file name, with nothing of ours imported, so that it holds no secrets.

It reads jobs from the socket given as its only argument and answers each with JSON lines: one a page, then one with
`end`. A job is a line of JSON, followed by the bytes of the PDF.
"""

from __future__ import annotations

import json
import math
import re
import resource
import socket
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from io import BufferedRWPair
from itertools import islice, pairwise
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

_MAX_PAGE_CHARS = 100_000
_MAX_CHARS = 1_000_000
_MAX_OBJECTS = 5_000
_MAX_DRAWN = 50
_FEWEST_CURVES, _MAX_SEGMENTS = 8, 2_000  # of a path that may be a signature; a logo's letters have fewer each
_FEWEST_LINES = 25  # the same stroke as a signature pad gives it, in short straight pieces
_SIGNATURE = (20.0, 320.0, 120.0)  # points: least and greatest width, greatest height
_SHORTEST_RULE, _MAX_RULES = 8.0, 1_500  # points; of a page
_MAX_PIECES = 20_000  # of all paths of a page
_MAX_VISITED = 20_000  # objects of a page, those in forms among them
_WHITE = 250  # of 255
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_INVISIBLE = raw.FPDF_TEXTRENDERMODE_INVISIBLE
_HYPHENS = frozenset((0x02, 0xAD, 0xFFFE))  # what PDFium reports for a hyphen at the end of a line, or a soft one

_UNMOVED = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_WORD = re.compile(r"\S+")

Box = tuple[float, float, float, float]
Matrix = tuple[float, float, float, float, float, float]


def serve(answers: Callable[[dict[str, Any], bytes], Iterator[dict[str, Any]]]) -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    stream = connection.makefile("rwb")
    _send(stream, {"ready": True})  # from here on the clock is the job's own
    while line := stream.readline():
        job = json.loads(line)
        content = stream.read(job["size"])
        _limit(job["memory"], job["seconds"])
        try:
            for answer in answers(job, content):
                _send(stream, answer)
        except MemoryError:
            _send(stream, {"end": True, "problem": "reading it needs more memory than is allowed"})
        except Exception as error:  # whatever a hostile file provokes is its own fault, and is told
            _send(stream, {"end": True, "problem": f"damaged: {type(error).__name__}"})


def _send(stream: BufferedRWPair, answer: dict[str, Any]) -> None:
    stream.write(json.dumps(answer).encode() + b"\n")
    stream.flush()


def _limit(memory: int, seconds: float) -> None:
    """Memory for this process in all, CPU time for this job; the parent's clock is the first to act."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = math.ceil(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (used + math.ceil(seconds) + 1, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _answers(job: dict[str, Any], content: bytes) -> Iterator[dict[str, Any]]:
    try:
        document = pdfium.PdfDocument(content)
        count = len(document)
    except pdfium.PdfiumError as error:
        encrypted = getattr(error, "err_code", None) == _PASSWORD
        yield {"end": True, "problem": "encrypted" if encrypted else "damaged"}
        return
    yield {"count": count}
    left = _MAX_CHARS
    for number in range(1, min(count, job["pages"]) + 1):
        try:
            page = document[number - 1]
            text = _Text(page)
        except pdfium.PdfiumError:
            yield {"page": number, "width": 0, "height": 0, "text": "", "problem": f"page {number} is damaged"}
            continue
        problem = None
        if text.hidden and text.text.strip():
            problem = f"page {number} holds {text.hidden} letters that nobody sees: left out"
        if text.cut or len(text.text) > left:
            problem = f"page {number} has too much text: only its beginning was read"
        size = {"width": text.width, "height": text.height}
        words = [[s, e, *sides] for s, e, sides in text.words(min(left, len(text.text)))]
        drawn = list(islice(text.drawn(), _MAX_DRAWN))
        lines = {"drawn": drawn, "rules": list(islice(text.rules(), _MAX_RULES))}
        yield {"page": number, **size, "text": text.text[:left], "words": words, **lines, "problem": problem}
        left = max(0, left - len(text.text))
        text.close()
        page.close()
    too_many = (
        f"more than {job['pages']} pages: only the first {job['pages']} were read" if count > job["pages"] else None
    )
    yield {"end": True, "problem": too_many}


def _is_stroke(path: Any) -> bool:
    """Whether a path has as many curves, or short pieces, as one that a hand draws."""
    segments = raw.FPDFPath_CountSegments(path)
    if not _FEWEST_CURVES <= segments <= _MAX_SEGMENTS:
        return False
    kinds = [raw.FPDFPathSegment_GetType(raw.FPDFPath_GetPathSegment(path, i)) for i in range(segments)]
    return (
        kinds.count(raw.FPDF_SEGMENT_BEZIERTO) >= _FEWEST_CURVES
        or kinds.count(raw.FPDF_SEGMENT_LINETO) >= _FEWEST_LINES
    )


def _paths(page: Any) -> Iterator[tuple[Any, Matrix]]:
    """The paths of a page that leave a mark, each with what takes its points to the page; those in forms, too."""
    count = raw.FPDFPage_CountObjects(page)
    waiting = [(raw.FPDFPage_GetObject(page, n), _UNMOVED) for n in reversed(range(min(count, _MAX_OBJECTS)))]
    for _ in range(_MAX_VISITED):
        if not waiting:
            return
        item, matrix = waiting.pop()
        own = raw.FS_MATRIX()
        if not raw.FPDFPageObj_GetMatrix(item, own):
            continue
        moved = _combined((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_FORM:
            count = min(raw.FPDFFormObj_CountObjects(item), max(0, _MAX_VISITED - len(waiting)))
            waiting += [(raw.FPDFFormObj_GetObject(item, n), moved) for n in reversed(range(count))]
        elif kind == raw.FPDF_PAGEOBJ_PATH and _is_seen(item):
            yield item, moved


def _combined(first: Matrix, second: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _is_seen(path: Any) -> bool:
    fill, stroke = raw.c_int(), raw.c_int()
    if not raw.FPDFPath_GetDrawMode(path, fill, stroke) or stroke.value:
        return bool(stroke.value)
    colours = [raw.c_uint() for _ in range(4)]
    coloured = raw.FPDFPageObj_GetFillColor(path, *colours)
    return bool(fill.value and coloured and colours[3].value and min(c.value for c in colours[:3]) < _WHITE)


def _pieces(path: Any, most: int) -> Iterator[tuple[float, float, float, float]]:
    """The straight pieces of a path in its own space: x and y of both ends."""
    x, y = raw.c_float(), raw.c_float()
    start = last = (0.0, 0.0)
    for number in range(min(raw.FPDFPath_CountSegments(path), most)):
        segment = raw.FPDFPath_GetPathSegment(path, number)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        here, kind = (x.value, y.value), raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = here
        elif kind == raw.FPDF_SEGMENT_LINETO:
            yield *last, *here
        if raw.FPDFPathSegment_GetClose(segment):
            yield *here, *start
        last = here


def _shown(page: pdfium.PdfPage) -> Box:
    """Left, bottom, right and top of what is seen of the page, in the page's own space."""
    box = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page, box)
    return box.left, box.bottom, box.right, box.top


def _may_hide_text(page: pdfium.PdfPage) -> bool:
    """Whether an object of the page draws text that nobody sees, or is a form, which may hold such."""
    shown = _shown(page)
    for number in range(min(raw.FPDFPage_CountObjects(page), _MAX_PAGE_CHARS)):
        item = raw.FPDFPage_GetObject(page, number)
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_FORM:
            return True
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            alpha = raw.c_uint()
            colours = [raw.c_uint(), raw.c_uint(), raw.c_uint(), alpha]
            if raw.FPDFTextObj_GetTextRenderMode(item) == _INVISIBLE:
                return True
            if raw.FPDFPageObj_GetFillColor(item, *colours) and alpha.value == 0:
                return True
            left, bottom, right, top = (raw.c_float() for _ in range(4))
            if raw.FPDFPageObj_GetBounds(item, left, bottom, right, top) and (
                left.value < shown[0] or bottom.value < shown[1] or right.value > shown[2] or top.value > shown[3]
            ):
                return True
    return False


class _Text:
    """The text of one page and, for each of its characters, the character of PDFium that it is."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        self._page = page
        self.width, self.height = page.get_size()
        self._textpage = page.get_textpage()
        count = self._textpage.count_chars()
        self.cut = count > _MAX_PAGE_CHARS
        self.hidden = 0
        self._shown = _shown(page)
        may_hide = _may_hide_text(page)
        chars: list[str] = []
        indices: list[int] = []
        for index in range(min(count, _MAX_PAGE_CHARS)):
            code = raw.FPDFText_GetUnicode(self._textpage, index)
            if code in _HYPHENS:
                code = 0x2D
            elif 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
                code = 0xFFFD
            elif code == 0xA0:
                code = 0x20
            elif code < 0x20 and code != 0x0A:  # line ends come as CR LF
                continue
            if may_hide and code > 0x20 and self._is_hidden(index):
                self.hidden += 1
                continue
            chars.append(chr(code))
            indices.append(index)
        self.text, self._indices = _in_reading_order("".join(chars), indices, self._box)

    def _is_hidden(self, index: int) -> bool:
        alpha = raw.c_uint()
        text_object = raw.FPDFText_GetTextObject(self._textpage, index)
        invisible = bool(text_object) and raw.FPDFTextObj_GetTextRenderMode(text_object) == _INVISIBLE
        colours = [raw.c_uint(), raw.c_uint(), raw.c_uint(), alpha]
        if invisible or (raw.FPDFText_GetFillColor(self._textpage, index, *colours) and alpha.value == 0):
            return True
        left, right, bottom, top = (raw.c_double() for _ in range(4))
        if not raw.FPDFText_GetCharBox(self._textpage, index, left, right, bottom, top):
            return False
        x0, y0, x1, y1 = self._shown
        return bool(right.value <= x0 or top.value <= y0 or left.value >= x1 or bottom.value >= y1)

    def words(self, until: int) -> Iterator[tuple[int, int, Box]]:
        """Start, end and (left, top, right, bottom), in points from the top left, of each word that is drawn."""
        for match in _WORD.finditer(self.text, 0, until):
            first, last = self._box(self._indices[match.start()]), self._box(self._indices[match.end() - 1])
            if first and last:
                left, top, right, bottom = zip(first, last, strict=True)
                sides = min(left), min(top), max(right), max(bottom)
                yield match.start(), match.end(), tuple(round(side, 1) for side in sides)  # type: ignore[misc]

    def drawn(self) -> Iterator[Box]:
        """Where somebody may have signed: a path of many curves or pieces, or a picture, no larger than a signature."""
        for number in range(min(raw.FPDFPage_CountObjects(self._page), _MAX_OBJECTS)):
            item = raw.FPDFPage_GetObject(self._page, number)
            kind = raw.FPDFPageObj_GetType(item)
            if kind != raw.FPDF_PAGEOBJ_IMAGE and not (kind == raw.FPDF_PAGEOBJ_PATH and _is_stroke(item)):
                continue
            sides = [raw.c_float() for _ in range(4)]
            left, bottom, right, top = sides
            if not raw.FPDFPageObj_GetBounds(item, *sides):
                continue
            box = self._upright(left.value, top.value, right.value, bottom.value)
            if _SIGNATURE[0] < box[2] - box[0] < _SIGNATURE[1] and 4 < box[3] - box[1] < _SIGNATURE[2]:
                yield box

    def rules(self) -> Iterator[Box]:
        """The lines that run straight across or down the page, edges of boxes and filled areas among them."""
        left = _MAX_PIECES
        for path, (a, b, c, d, e, f) in _paths(self._page):
            for x0, y0, x1, y1 in _pieces(path, left):
                left -= 1
                box = self._upright(a * x0 + c * y0 + e, b * x0 + d * y0 + f, a * x1 + c * y1 + e, b * x1 + d * y1 + f)
                width, height = box[2] - box[0], box[3] - box[1]
                if min(width, height) < 1 and max(width, height) >= _SHORTEST_RULE:
                    yield tuple(round(side, 1) for side in box)  # type: ignore[misc]

    def close(self) -> None:
        self._textpage.close()

    def _box(self, index: int) -> Box | None:
        if index < 0:
            return None
        sides = [raw.c_double() for _ in range(4)]
        left, right, bottom, top = sides
        if not raw.FPDFText_GetCharBox(self._textpage, index, left, right, bottom, top) or right.value <= left.value:
            return None
        return self._upright(left.value, top.value, right.value, bottom.value)

    def _upright(self, left: float, top: float, right: float, bottom: float) -> Box:
        first, second = self._device(left, top), self._device(right, bottom)
        (x0, x1), (y0, y1) = (sorted(pair) for pair in zip(first, second, strict=True))
        return x0, y0, x1, y1

    @cached_property
    def _mapping(self) -> tuple[float, float, float, float, float, float]:
        """From the page's own space to points from the top left, which rotation and crop boxes set apart."""
        scale, far = 100, 1000.0  # PDFium answers in whole units
        width, height = round(self.width * scale), round(self.height * scale)
        points = []
        for x, y in ((0.0, 0.0), (far, 0.0), (0.0, far)):
            device_x, device_y = raw.c_int(), raw.c_int()
            raw.FPDF_PageToDevice(self._page, 0, 0, width, height, 0, x, y, device_x, device_y)
            points.append((device_x.value / scale, device_y.value / scale))
        (x0, y0), (x1, y1), (x2, y2) = points
        return (x1 - x0) / far, (x2 - x0) / far, x0, (y1 - y0) / far, (y2 - y0) / far, y0

    def _device(self, x: float, y: float) -> tuple[float, float]:
        a, b, c, d, e, f = self._mapping
        return a * x + b * y + c, d * x + e * y + f


def _in_reading_order(text: str, indices: list[int], box: Any) -> tuple[str, list[int]]:
    """PDFium gives lines in the order in which they were drawn; where that order jumps about, sort them into rows.

    A page of two or three columns jumps back to the top once or twice and is left as it is.
    """
    lines: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text[at:end].strip():
            lines.append((at, end))
        at = end + 1
    placed: list[tuple[float, float, float, int, int]] = []
    for start, end in lines:
        first = next((b for i in range(start, end) if not text[i].isspace() and (b := box(indices[i]))), None)
        if first is not None:
            placed.append((first[1], first[3], first[0], start, end))
    jumps = sum(1 for a, b in pairwise(placed) if b[1] < a[0])
    if len(placed) < len(lines) or jumps < 3 or jumps * 10 < len(placed):
        return text, indices
    placed.sort()
    rows: list[list[tuple[float, float, float, int, int]]] = []
    for line in placed:
        middle = (line[0] + line[1]) / 2
        if rows and rows[-1][0][0] <= middle <= rows[-1][0][1]:
            rows[-1].append(line)
        else:
            rows.append([line])
    out: list[str] = []
    order: list[int] = []
    for row in rows:
        for k, (_, _, _, start, end) in enumerate(sorted(row, key=lambda line: line[2])):
            separator = "\n" if k == 0 else " "
            if out:
                out.append(separator)
                order.append(-1)
            out.append(text[start:end].rstrip())
            order.extend(indices[start : start + len(out[-1])])
    return "".join(out), order


if __name__ == "__main__":
    serve(_answers)
