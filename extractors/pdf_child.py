"""The child process that touches PDFs: run by file name, with nothing of ours imported, so that it holds no secrets.

It reads jobs from the socket given as its only argument and answers each with JSON lines: one a page, then one with
`end`. A job is a line of JSON, followed by the bytes of the PDF.
"""

from __future__ import annotations

import ctypes
import json
import math
import re
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from io import BufferedRWPair
from itertools import groupby, islice, pairwise
from statistics import median
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

_MAX_PAGE_CHARS = 100_000
_MAX_CHARS = 1_000_000
_MAX_OBJECTS = 5_000
_MAX_DRAWN = 50
_FEWEST_CURVES, _MAX_SEGMENTS = 8, 2_000  # of a path that may be a signature; a logo's letters have fewer each
_FEWEST_IN_PARTS, _FEWEST_SLANTED = 2, 10  # curves, and pieces neither upright nor level, of one drawn piece by piece
_LONGEST_PART, _MAX_PARTS = 16, 3_000  # segments of each, and how many are looked at
_SLANT = 0.4  # points
_FEWEST_LINES = 25  # the same stroke as a signature pad gives it, in short straight pieces
_SIGNATURE = (20.0, 320.0, 120.0)  # points: least and greatest width, greatest height
_SCRIPTS = re.compile(  # typefaces that look written by hand, without blanks and hyphens; few files set the flag for it
    r"script|handwrit|signature|cursive|calligra|brush|caveat|homemadeapple|reeniebeanie|shadowsintolight|kristi|kalam|rufscript|breip"
    r"|greatvibes|indieflower|pacifico|satisfy|sacramento|allura|alexbrush|parisienne|mrdafoe|mrdehaviland|mrssaintdelafield|herrvon"
    r"|belleaurore|nothingyoucoulddo|overtherainbow|coveredbyyourgrace|justanotherhand|justmeagain|patrickhand|gochihand|nanumpen|gaegu"
    r"|permanentmarker|rocksalt|gloriahallelujah|handlee|architectsdaughter|amaticsc|yellowtail|tangerine|italianno|pinyon|kaushan"
    r"|courgette|waitingforthesunrise|cedarville|meddon|zeyada|sueellenfrancisco|lovedbytheking|qwigley|qwitcher|arizonia|bilbo|ruthie"
    r"|stalemate|condiment|dawningofanewday|swankyandmoo|schoolbell|comingsoon|craftygirls|annieuseyour|giveyouglory|sedgwickave"
    r"|squarepeg|licorice|ephesis|birthstone|windsong|gwendolyn|meaculpa|fuzzybubbles|grapenuts|comforter|whisper|playwrite|edu[a-z]{2,16}hand"
    r"|nothingyou|daniel|segoepr|bradleyhand|lucidahand|mistral|inkfree|zapfino|roundhand|signpainter|savoye|noteworthy|rageitalic|vladimir"
    r"|journal|jsquared|biro|autograph|mayfair",
    re.IGNORECASE,
)
_NO_SIGNATURE = re.compile(
    r"[\W\d]|.*(?<!\w)[^\W\dA-ZÀ-Ž]{4}"
)  # a note: no name begins so, or has a word in small letters
_FONT_NAME = 128  # bytes
_WORDS_APART = 2.0  # heights of what a hand wrote: farther apart, somebody else did
_SCRIPT, _ITALIC = 8, 64  # the flags of a font that looks written, and of one whose letters lean
_ITALIC_NAMES = re.compile(r"italic|oblique|kursiv", re.IGNORECASE)  # not every file sets its flag
_LARGE = 1.2  # times a page's usual print: where a form has no script, its signatures are set so, in italics
_GOES_ON = 2.0  # points between the end of a curve and the beginning of the next
_BOXED, _MAX_BOX_SEGMENTS = 0.93, 200  # of what its sides span a box encloses, a round or slanted stamp 0.9 at most
_ANNOTATED = (raw.FPDF_ANNOT_INK, raw.FPDF_ANNOT_STAMP, raw.FPDF_ANNOT_WIDGET)  # what tablets and e-sign tools leave
_NOT_SHOWN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
_SHORTEST_RULE, _MAX_RULES = 8.0, 1_500  # points; of a page
_MAX_PIECES = 20_000  # of all paths of a page
_MAX_VISITED = 20_000  # objects of a page, those in forms among them
_WHITE = 250  # of 255
_PAPER = (255, 255, 255)
_NEAR = 40  # of 255: print in a colour as near to its ground's is looked at
_FAINT = 12  # of 255: what changes the page's picture by less is not seen
_SMALLEST = 1.0  # points, of print that can be read
_THINNEST = 3.0  # points: what is thinner is a line, no ground and no cover
_MAX_AREAS = 100  # of a page: to look at its print costs less than to compare it with more of them
_SHARP, _MOST_DOTS = 1.5, 1_500_000  # of the picture that is looked at: dots a point, and in all
_ABOUT = 10.0  # points about the first and the last letters of texts, which others tower above
_LOOK_SECONDS = 4.0  # of a document; then what is doubtful is read, and no more appearances of annotations are
_BLANKS = frozenset((0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000))  # some set off the thousands
_IN_ANY_FONT = 0xFF  # a font that stands in for one that the file does not bring may lack the letters beyond
_PASSWORD = 4  # FPDF_ERR_PASSWORD
_HYPHENS = frozenset((0x02, 0xAD, 0xFFFE))  # what PDFium reports for a hyphen at the end of a line, or a soft one

_UNMOVED = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_CHANNELS = raw.c_uint(), raw.c_uint(), raw.c_uint(), raw.c_uint()  # where PDFium writes a colour
_WORD = re.compile(r"\S+")

Box = tuple[float, float, float, float]
Colour = tuple[int, int, int]
Matrix = tuple[float, float, float, float, float, float]
Point = tuple[float, float]
Part = tuple[list[Point], list[int]]  # a path's points, and what kind of piece leads to each


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
    left, looked = _MAX_CHARS, 0.0
    for number in range(1, min(count, job["pages"]) + 1):
        try:
            page = document[number - 1]
            text = _Text(page, looks=looked < _LOOK_SECONDS)
        except pdfium.PdfiumError:
            yield {"page": number, "width": 0, "height": 0, "text": "", "problem": f"page {number} is damaged"}
            continue
        problem = None
        hidden = text.hidden_texts if text.text.strip() else 0  # else it is the text layer of a scan
        if hidden:
            problem = f"page {number} holds {text.hidden} letters that nobody sees: left out"
        if text.cut or len(text.text) > left:
            problem = f"page {number} has too much text: only its beginning was read"
        size = {"width": text.width, "height": text.height}
        words = [[s, e, *sides] for s, e, sides in text.words(min(left, len(text.text)))]
        drawn = list(islice(text.drawn(), _MAX_DRAWN))
        looked += text.looked
        lines = {"hidden": hidden, "drawn": drawn, "rules": list(islice(text.rules(), _MAX_RULES))}
        yield {"page": number, **size, "text": text.text[:left], "words": words, **lines, "problem": problem}
        left = max(0, left - len(text.text))
        text.close()
        page.close()
    too_many = (
        f"more than {job['pages']} pages: only the first {job['pages']} were read" if count > job["pages"] else None
    )
    yield {"end": True, "problem": too_many}


def _is_stroke(path: Any) -> bool:
    """Whether a path has as many curves, or short pieces, as one that a hand draws, and is no box of round corners."""
    count = raw.FPDFPath_CountSegments(path)
    if not _FEWEST_CURVES <= count <= _MAX_SEGMENTS:
        return False
    segments = [raw.FPDFPath_GetPathSegment(path, i) for i in range(count)]
    kinds = [raw.FPDFPathSegment_GetType(segment) for segment in segments]
    if kinds.count(raw.FPDF_SEGMENT_BEZIERTO) < _FEWEST_CURVES and kinds.count(raw.FPDF_SEGMENT_LINETO) < _FEWEST_LINES:
        return False
    matrix = raw.FS_MATRIX()
    if count > _MAX_BOX_SEGMENTS or not raw.FPDFPageObj_GetMatrix(path, matrix):
        return True
    lines: list[list[Point]] = []
    for segment, kind in zip(segments, kinds, strict=True):
        if kind == raw.FPDF_SEGMENT_MOVETO or not lines:
            lines.append([])
        lines[-1].append(_point(segment, matrix))
    return not all(map(_is_box, lines))


def _is_box(line: list[Point]) -> bool:
    """Whether a line runs once around all that it spans, or straight across; a hand's goes to and fro."""
    xs, ys = zip(*line, strict=True)
    spanned: float = (max(xs) - min(xs)) * (max(ys) - min(ys))
    return _BOXED * spanned <= abs(_area(line)) <= 1.01 * spanned


def _area(corners: Sequence[Point]) -> float:
    """What a line encloses that ends where it begins; less than 0 if it runs clockwise."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]])) / 2


def _is_drawing(item: Any, kind: int) -> bool:
    return kind == raw.FPDF_PAGEOBJ_IMAGE or (kind == raw.FPDF_PAGEOBJ_PATH and _is_stroke(item))


def _shows_drawing(annotation: Any) -> bool:
    count = min(raw.FPDFAnnot_GetObjectCount(annotation), _MAX_OBJECTS)
    objects = _objects([raw.FPDFAnnot_GetObject(annotation, number) for number in range(count)])
    return any(_is_drawing(item, kind) for item, kind, _ in islice(objects, _MAX_OBJECTS))


def _is_as_large_as_signature(box: Box) -> bool:
    return _SIGNATURE[0] < box[2] - box[0] < _SIGNATURE[1] and 4 < box[3] - box[1] < _SIGNATURE[2]


def _paths(page: Any) -> Iterator[tuple[Any, Matrix]]:
    """The paths of a page that leave a mark, each with what takes its points to the page; those in forms, too."""
    for item, kind, matrix in _on_page(page):
        own = raw.FS_MATRIX()
        if kind == raw.FPDF_PAGEOBJ_PATH and raw.FPDFPageObj_GetMatrix(item, own) and _is_seen(item):
            yield item, _combined((own.a, own.b, own.c, own.d, own.e, own.f), matrix)


def _lines_in_parts(page: Any) -> Iterator[Box]:
    """Left, bottom, right, top of what a hand drew in few curves or piece by piece, in paths that go on one another."""
    for line in _joined(islice(_paths(page), _MAX_PARTS)):
        curves = sum(kinds.count(raw.FPDF_SEGMENT_BEZIERTO) // 3 for _, kinds in line)  # each has three points
        slanted = sum(
            kind == raw.FPDF_SEGMENT_LINETO and min(abs(x1 - x0), abs(y1 - y0)) > _SLANT
            for points, kinds in line
            for ((x0, y0), (x1, y1)), kind in zip(pairwise(points), kinds[1:], strict=True)
        )
        if curves >= _FEWEST_IN_PARTS or slanted >= _FEWEST_SLANTED:
            yield _around([point for points, _ in line for point in points])


def _joined(paths: Iterable[tuple[Any, Matrix]]) -> Iterator[list[Part]]:
    """Short open paths in a row, each of which begins where the one before ends."""
    line: list[Part] = []
    for path, matrix in paths:
        count = raw.FPDFPath_CountSegments(path)
        if not 1 < count <= _LONGEST_PART:
            continue
        segments = [raw.FPDFPath_GetPathSegment(path, number) for number in range(count)]
        points = [_point(segment, raw.FS_MATRIX(*matrix)) for segment in segments]
        if raw.FPDFPathSegment_GetClose(segments[-1]) or math.dist(points[0], points[-1]) < _GOES_ON:
            continue  # a box
        if line and math.dist(line[-1][0][-1], points[0]) > _GOES_ON:
            yield line
            line = []
        line.append((points, [raw.FPDFPathSegment_GetType(segment) for segment in segments]))
    yield line


def _around(points: Sequence[Point]) -> Box:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _on_page(page: Any) -> Iterator[tuple[Any, int, Matrix]]:
    """As `_objects`, the objects of a page."""
    count = min(raw.FPDFPage_CountObjects(page), _MAX_OBJECTS)
    return _objects([raw.FPDFPage_GetObject(page, number) for number in range(count)])


def _objects(items: list[Any]) -> Iterator[tuple[Any, int, Matrix]]:
    """Each object, and what those that are forms hold, with its kind and what takes its form's space to the page."""
    waiting = [(item, _UNMOVED) for item in reversed(items)]
    for _ in range(_MAX_VISITED):
        if not waiting:
            return
        item, matrix = waiting.pop()
        kind, own = raw.FPDFPageObj_GetType(item), raw.FS_MATRIX()
        if kind != raw.FPDF_PAGEOBJ_FORM:
            yield item, kind, matrix
        elif raw.FPDFPageObj_GetMatrix(item, own):
            moved = _combined((own.a, own.b, own.c, own.d, own.e, own.f), matrix)
            count = min(raw.FPDFFormObj_CountObjects(item), max(0, _MAX_VISITED - len(waiting)))
            waiting += [(raw.FPDFFormObj_GetObject(item, n), moved) for n in reversed(range(count))]


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


def _shown(page: Any) -> Box:
    """Left, bottom, right and top of what is seen of the page, in the page's own space."""
    box = raw.FS_RECTF()
    raw.FPDF_GetPageBoundingBox(page, box)
    return box.left, box.bottom, box.right, box.top


def _surely_seen(page: Any) -> set[int] | None:
    """The addresses of the texts that stand out from all that may lie under them, with nothing over them; None: all do.

    None of those in forms is among them: they do not tell whether their form is switched off or transparent.
    """
    shown = _shown(page)
    texts: dict[int, Box] = {}
    areas: list[_Area] = []
    lowest = math.inf  # of these texts: what lies below covers none
    all_seen = True
    sides = left, bottom, right, top = [raw.c_float() for _ in range(4)]
    filled, stroked = raw.c_int(), raw.c_int()
    for number in range(min(raw.FPDFPage_CountObjects(page), _MAX_PAGE_CHARS)):
        item = raw.FPDFPage_GetObject(page, number)
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_PATH and not (raw.FPDFPath_GetDrawMode(item, filled, stroked) and filled.value):
            continue
        raw.FPDFPageObj_GetBounds(item, *sides)
        box = left.value, bottom.value, right.value, top.value
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            if _is_within(box, shown) and _stands_out(item, box, areas):
                texts[ctypes.addressof(item.contents)] = box
                lowest = min(lowest, box[1])
            else:
                all_seen = False
        elif min(box[2] - box[0], box[3] - box[1]) >= _THINNEST:
            area = _Area(item, kind, box)
            areas.append(area)
            if len(areas) > _MAX_AREAS:
                return set()
            covered = [t for t, its in texts.items() if area.touches(its)] if box[3] > lowest else []
            for text in covered:
                del texts[text]
            all_seen = all_seen and kind != raw.FPDF_PAGEOBJ_FORM and not covered
    return None if all_seen else set(texts)


def _stands_out(text: Any, box: Box, areas: list[_Area]) -> bool:
    colour = _colour(text)
    if raw.FPDFTextObj_GetTextRenderMode(text) != raw.FPDF_TEXTRENDERMODE_FILL or colour is None or not _is_whole(text):
        return False
    if min(box[2] - box[0], box[3] - box[1]) < _SMALLEST and _print_size(text) < _SMALLEST:
        return False
    for area in reversed(areas):
        if area.touches(box):
            if area.is_like(colour):
                return False
            if area.fills(box):
                return True
    return not _is_near(colour, _PAPER)


class _Area:
    """What is filled, or a picture or a form, which may hold anything."""

    def __init__(self, item: Any, kind: int, box: Box) -> None:
        self._item, self._is_path = item, kind == raw.FPDF_PAGEOBJ_PATH
        self._left, self._bottom, self._right, self._top = box

    @cached_property
    def _is_of(self) -> Colour | None:
        return _colour(self._item) if self._is_path else None

    def is_like(self, colour: Colour) -> bool:
        """Whether it is, or may be, of nearly a colour."""
        return self._is_of is None or _is_near(self._is_of, colour)

    def touches(self, box: Box) -> bool:
        """By more than a point: what stands beside it touches it now and then."""
        if box[0] + 1 > self._right or box[1] + 1 > self._top or self._left + 1 > box[2] or self._bottom + 1 > box[3]:
            return False
        return not (self._is_path and len(self._rectangles) == 2 and _is_within(box, self._rectangles[1]))

    def fills(self, box: Box) -> bool:
        alone = self._is_path and len(self._rectangles) == 1
        return alone and _is_within(box, self._rectangles[0]) and _is_whole(self._item)

    @cached_property
    def _rectangles(self) -> list[Box]:
        """The rectangle that a path fills; or a frame's, and the one that it leaves free; none: neither, surely."""
        filled, stroked, matrix = raw.c_int(), raw.c_int(), raw.FS_MATRIX()
        count = raw.FPDFPath_CountSegments(self._item)
        if count not in (4, 5, 10):
            return []
        raw.FPDFPath_GetDrawMode(self._item, filled, stroked)
        raw.FPDFPageObj_GetMatrix(self._item, matrix)
        segments = [raw.FPDFPath_GetPathSegment(self._item, number) for number in range(count)]
        if any(raw.FPDFPathSegment_GetType(segment) == raw.FPDF_SEGMENT_BEZIERTO for segment in segments):
            return []
        points = [_point(segment, matrix) for segment in segments]
        found, turns = [], []
        for corners in (points[:5], points[5:]) if count > 5 else (points,):
            xs, ys = zip(*corners, strict=True)
            found.append((min(xs), min(ys), max(xs), max(ys)))
            turns.append(_area(corners))
            if abs(turns[-1]) < 0.99 * (max(xs) - min(xs)) * (max(ys) - min(ys)):
                return []
        is_frame = filled.value == raw.FPDF_FILLMODE_ALTERNATE or turns[0] * turns[-1] < 0
        return found if len(found) == 1 or (is_frame and _is_within(found[1], found[0])) else []


def _point(segment: Any, matrix: Any) -> Point:
    """Where a piece of a path ends on the page, or what bends it lies."""
    x, y = raw.c_float(), raw.c_float()
    raw.FPDFPathSegment_GetPoint(segment, x, y)
    return matrix.a * x.value + matrix.c * y.value + matrix.e, matrix.b * x.value + matrix.d * y.value + matrix.f


def _colour(item: Any) -> Colour | None:
    """What a text or a path is filled with; None: it is transparent, or filled with a pattern."""
    red, green, blue, alpha = _CHANNELS
    if not raw.FPDFPageObj_GetFillColor(item, red, green, blue, alpha) or raw.FPDFPageObj_HasTransparency(item):
        return None
    return (red.value, green.value, blue.value) if alpha.value == 255 else None


def _is_whole(item: Any) -> bool:
    """Whether an object is not cut, and not in a layer, which may be switched off.

    PDFium drops the clip of an object that lies in it wholly.
    """
    if raw.FPDFClipPath_CountPaths(raw.FPDFPageObj_GetClipPath(item)) >= 0:
        return False
    for number in range(raw.FPDFPageObj_CountMarks(item)):
        name, size = (raw.FPDF_WCHAR * 3)(), raw.c_ulong()
        raw.FPDFPageObjMark_GetName(raw.FPDFPageObj_GetMark(item, number), name, ctypes.sizeof(name), size)
        if bytes(name) == "OC\0".encode("utf-16-le"):
            return False
    return True


def _print_size(text: Any) -> float:
    size, matrix = raw.c_float(), raw.FS_MATRIX()
    raw.FPDFTextObj_GetFontSize(text, size)
    raw.FPDFPageObj_GetMatrix(text, matrix)
    return float(size.value) * math.hypot(matrix.c, matrix.d)


def _is_near(colour: Colour, other: Colour) -> bool:
    return max(abs(colour[0] - other[0]), abs(colour[1] - other[1]), abs(colour[2] - other[2])) < _NEAR


def _is_within(box: Box, other: Box) -> bool:
    """Within a point: letters stand out of a bar now and then."""
    return other[0] - 1 <= box[0] and other[1] - 1 <= box[1] and box[2] <= other[2] + 1 and box[3] <= other[3] + 1


class _Picture:
    """A page, or what of it lies about some boxes, drawn with and without some of its texts."""

    def __init__(self, page: pdfium.PdfPage, size: tuple[float, float], boxes: list[Box], texts: list[Any]) -> None:
        self._page, self._size = page, size
        shown = [b for b in boxes if b[2] > 0 and b[3] > 0 and b[0] < size[0] and b[1] < size[1]] or [(0, 0, 1, 1)]
        left, top, right, bottom = zip(*shown, strict=True)
        self._left, self._top = max(0.0, min(left) - _ABOUT), max(0.0, min(top) - _ABOUT)
        width = min(size[0], max(right) + _ABOUT) - self._left
        height = min(size[1], max(bottom) + _ABOUT) - self._top
        self._scale = min(_SHARP, math.sqrt(_MOST_DOTS / (width * height)))
        self._width, self._height = math.ceil(width * self._scale), math.ceil(height * self._scale)
        self._with = self._drawn()
        for text in texts:
            raw.FPDFPageObj_SetIsActive(text, False)
        self._without = self._drawn()
        for text in texts:
            raw.FPDFPageObj_SetIsActive(text, True)

    def _drawn(self) -> bytes:
        """Three bytes a dot, row by row."""
        bitmap = pdfium.PdfBitmap.new_native(self._width, self._height, raw.FPDFBitmap_BGR)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, self._width, self._height)
        place = (-self._left, -self._top, *self._size)
        raw.FPDF_RenderPageBitmap(bitmap, self._page, *(round(side * self._scale) for side in place), 0, 0)
        self._stride = bitmap.stride
        return bytes(bitmap.buffer)

    def is_marked(self, box: Box | None, is_hole: bool) -> bool:
        """Whether the picture differs in a box without the texts; if they are holes, whether it has several colours."""
        if box is None:
            return False
        x0, x1 = ((x - self._left) * self._scale for x in (box[0], box[2]))
        y0, y1 = ((y - self._top) * self._scale for y in (box[1], box[3]))
        left, right = max(0, round(x0) - 1), min(self._width, round(x1) + 1)
        corner = None
        for y in range(max(0, round(y0) - 1), min(self._height, round(y1) + 1)):
            row = slice(y * self._stride + 3 * left, y * self._stride + 3 * right)
            seen, other = self._with[row], self._without[row]
            if is_hole:
                corner = corner or seen[:3]
                other = corner * (len(seen) // 3)
            if seen != other and any(abs(a - b) >= _FAINT for a, b in zip(seen, other, strict=True)):
                return True
        return False


class _Text:
    """The text of one page and, for each of its characters, the character of PDFium that it is."""

    def __init__(self, page: pdfium.PdfPage, *, looks: bool) -> None:
        self._page, self._looks = page, looks
        self.width, self.height = page.get_size()
        self._textpage = page.get_textpage()
        self._chars = self._textpage.raw  # calls take it in a third of the time
        count = raw.FPDFText_CountChars(self._chars)
        self.cut = count > _MAX_PAGE_CHARS
        started = time.process_time()
        unseen = self._unseen(min(count, _MAX_PAGE_CHARS))
        self.looked = time.process_time() - started  # in seconds
        self.hidden = 0
        hidden_texts: set[int] = set()
        chars: list[str] = []
        indices: list[int] = []
        for index in range(min(count, _MAX_PAGE_CHARS)):
            code = raw.FPDFText_GetUnicode(self._chars, index)
            if code in _HYPHENS:
                code = 0x2D
            elif 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
                code = 0xFFFD
            elif code in _BLANKS:
                code = 0x20
            elif code < 0x20 and code != 0x0A:  # line ends come as CR LF
                continue
            if code > 0x20 and index in unseen:
                self.hidden += 1
                hidden_texts.add(unseen[index])
                continue
            chars.append(chr(code))
            indices.append(index)
        self.hidden_texts = len(hidden_texts)
        self._looks_of: dict[int, tuple[bool, bool]] = {}  # by a font's address: written by hand, leaning
        self.text, self._indices = _in_reading_order("".join(chars), indices, self._box)

    def _unseen(self, count: int) -> dict[int, int]:
        """The characters that leave no mark on the page, each with the address of its text."""
        seen = _surely_seen(self._page.raw)
        if seen is None:
            return {}
        unseen: dict[int, int] = {}
        doubtful: dict[int, list[int]] = {}  # by the address of their text
        texts: dict[int, Any] = {}
        for index in range(count):
            text = raw.FPDFText_GetTextObject(self._chars, index)
            if text and (address := ctypes.addressof(text.contents)) not in seen:
                texts[address] = text
                doubtful.setdefault(address, []).append(index)
        for address, indices in list(doubtful.items()):
            if self._is_void(texts[address], indices[0]):
                unseen.update(dict.fromkeys(doubtful.pop(address), address))
        if self._looks and doubtful:
            unseen.update(self._without_mark(texts, doubtful))
        return unseen

    def _code(self, index: int) -> int:
        return int(raw.FPDFText_GetUnicode(self._chars, index))

    def _is_letter(self, index: int) -> bool:
        return self._code(index) > 0x20

    def _is_void(self, text: Any, index: int) -> bool:
        """Whether a text is drawn in a way that shows nothing, or too small to be read."""
        mode, alpha = raw.FPDFTextObj_GetTextRenderMode(text), raw.c_uint()
        coloured = raw.FPDFPageObj_GetFillColor(text, raw.c_uint(), raw.c_uint(), raw.c_uint(), alpha)
        if mode == raw.FPDF_TEXTRENDERMODE_INVISIBLE:
            return True
        if mode == raw.FPDF_TEXTRENDERMODE_FILL and coloured and alpha.value == 0:
            return True
        box = raw.FS_RECTF()
        raw.FPDFText_GetLooseCharBox(self._chars, index, box)
        return bool(0 < max(box.right - box.left, box.top - box.bottom) < _SMALLEST)

    def _without_mark(self, texts: dict[int, Any], doubtful: dict[int, list[int]]) -> Iterator[tuple[int, int]]:
        """The characters of words without which the page's picture stays what it is, and their texts' addresses."""
        ends = [
            box for indices in doubtful.values() for index in (indices[0], indices[-1]) if (box := self._box(index))
        ]
        picture = _Picture(self._page, (self.width, self.height), ends, [texts[address] for address in doubtful])
        for address, indices in doubtful.items():
            has_font = raw.FPDFFont_GetIsEmbedded(raw.FPDFTextObj_GetFont(texts[address]))
            is_hole = raw.FPDFTextObj_GetTextRenderMode(texts[address]) == raw.FPDF_TEXTRENDERMODE_CLIP
            for is_word, word in groupby(indices, self._is_letter):
                letters = list(word)
                if not is_word or any(picture.is_marked(self._box(index), is_hole) for index in letters):
                    continue
                if has_font or all(self._code(index) <= _IN_ANY_FONT for index in letters):
                    yield from ((index, address) for index in letters)

    def words(self, until: int) -> Iterator[tuple[int, int, Box]]:
        """Start, end and (left, top, right, bottom), in points from the top left, of each word that is drawn."""
        for match in _WORD.finditer(self.text, 0, until):
            first, last = self._box(self._indices[match.start()]), self._box(self._indices[match.end() - 1])
            if first and last:
                left, top = round(min(first[0], last[0]), 1), round(min(first[1], last[1]), 1)
                right, bottom = round(max(first[2], last[2]), 1), round(max(first[3], last[3]), 1)
                yield match.start(), match.end(), (left, top, right, bottom)

    def drawn(self) -> Iterator[Box]:
        """Where somebody may have signed: a path of many curves or pieces, a picture, an annotation with either, or a
        name in a typeface that looks written by hand or in large italics.
        """
        yield from self._annotated()
        by_hand = False
        sides = left, bottom, right, top = [raw.c_float() for _ in range(4)]
        for item, kind, (a, b, c, d, e, f) in _on_page(self._page.raw):
            by_hand = by_hand or (kind == raw.FPDF_PAGEOBJ_TEXT and self._is_by_hand(item))
            if not _is_drawing(item, kind) or not raw.FPDFPageObj_GetBounds(item, *sides):
                continue
            corners = [(x.value, y.value) for x in (left, right) for y in (bottom, top)]
            xs, ys = [a * x + c * y + e for x, y in corners], [b * x + d * y + f for x, y in corners]
            box = self._upright(min(xs), max(ys), max(xs), min(ys))
            if _is_as_large_as_signature(box):
                yield box
        if by_hand:
            yield from self._in_script()
        for x0, y0, x1, y1 in _lines_in_parts(self._page.raw):
            box = self._upright(x0, y1, x1, y0)
            if _is_as_large_as_signature(box):
                yield box

    def _in_script(self) -> Iterator[Box]:
        """Where a name stands in a typeface that looks written by hand, as e-sign tools leave it."""
        for line in re.finditer(r".+", self.text):
            for by_hand, found in groupby(_WORD.finditer(self.text, *line.span()), self._is_script):
                for start, end, box in self._written(list(found)) if by_hand else ():
                    if _is_as_large_as_signature(box) and not _NO_SIGNATURE.match(self.text, start, end):
                        yield box

    def _written(self, words: Sequence[re.Match[str]]) -> Iterator[tuple[int, int, Box]]:
        """Start, end and box of words that follow each other closely."""
        first, last, around = 0, 0, None
        for word in words:
            boxes = [box for at in self._indices[slice(*word.span())] if (box := self._box(at))]
            if not boxes:
                continue
            lefts, tops, rights, bottoms = zip(*boxes, strict=True)
            box = min(lefts), min(tops), max(rights), max(bottoms)
            if around and abs(box[0] - around[2]) < _WORDS_APART * max(box[3] - box[1], around[3] - around[1]):
                around = around[0], min(around[1], box[1]), box[2], max(around[3], box[3])
            else:
                if around:
                    yield first, last, around
                first, around = word.start(), box
            last = word.end()
        if around:
            yield first, last, around

    def _is_script(self, word: re.Match[str]) -> bool:
        index = self._indices[word.start()]
        text = raw.FPDFText_GetTextObject(self._chars, index) if index >= 0 else None
        return bool(text) and self._is_by_hand(text)

    def _is_by_hand(self, text: Any) -> bool:
        """Whether a text is in a typeface that looks written by hand, or in large italics."""
        font = raw.FPDFTextObj_GetFont(text)
        if not font:
            return False
        address = ctypes.addressof(font.contents)
        if address not in self._looks_of:  # few fonts on a page, each asked once
            name = ctypes.create_string_buffer(_FONT_NAME)
            size = raw.FPDFFont_GetBaseFontName(font, name, _FONT_NAME)
            plain = re.sub(r"[ _-]", "", name.value.decode(errors="ignore")) if 0 < size <= _FONT_NAME else ""
            flags = max(0, raw.FPDFFont_GetFlags(font))
            written = bool(flags & _SCRIPT) or _SCRIPTS.search(plain) is not None
            leans = bool(flags & _ITALIC) or _ITALIC_NAMES.search(plain) is not None
            self._looks_of[address] = written, leans
        written, leans = self._looks_of[address]
        return written or (leans and _print_size(text) > _LARGE * self._usual)

    @cached_property
    def _usual(self) -> float:
        """The size of most of the page's print."""
        texts = [item for item, kind, _ in _on_page(self._page.raw) if kind == raw.FPDF_PAGEOBJ_TEXT]
        return median(map(_print_size, texts)) if texts else 0.0

    def _annotated(self) -> list[Box]:
        """Where ink, or a stamp or a field that shows a drawing, lies on the page."""
        found, started, sides = [], time.process_time(), raw.FS_RECTF()
        for number in range(min(raw.FPDFPage_GetAnnotCount(self._page), _MAX_OBJECTS)):
            annotation = raw.FPDFPage_GetAnnot(self._page, number)
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            is_shown = kind in _ANNOTATED and not raw.FPDFAnnot_GetFlags(annotation) & _NOT_SHOWN
            if is_shown and raw.FPDFAnnot_GetRect(annotation, sides):
                box = self._upright(sides.left, sides.top, sides.right, sides.bottom)
                looks = self._looks and time.process_time() - started < _LOOK_SECONDS
                is_large = _is_as_large_as_signature(box)
                if is_large and (kind == raw.FPDF_ANNOT_INK or (looks and _shows_drawing(annotation))):
                    found.append(box)
            raw.FPDFPage_CloseAnnot(annotation)
        self.looked += time.process_time() - started
        return found

    def rules(self) -> Iterator[Box]:
        """The lines that run straight across or down the page, edges of boxes and filled areas among them."""
        left = _MAX_PIECES
        for path, (a, b, c, d, e, f) in _paths(self._page.raw):
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
        left, right, bottom, top = raw.c_double(), raw.c_double(), raw.c_double(), raw.c_double()
        if not raw.FPDFText_GetCharBox(self._chars, index, left, right, bottom, top) or right.value <= left.value:
            return None
        return self._upright(left.value, top.value, right.value, bottom.value)

    def _upright(self, left: float, top: float, right: float, bottom: float) -> Box:
        a, b, c, d, e, f = self._mapping
        x0, y0, x1, y1 = (
            a * left + b * top + c,
            d * left + e * top + f,
            a * right + b * bottom + c,
            d * right + e * bottom + f,
        )
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

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
