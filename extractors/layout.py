"""Labels and values set apart on a page: a value may stand right of its label, or below it in the same box."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from extractors.captions import DATA_ELEMENT, caption_of
from extractors.parties import is_person, label_of
from extractors.pdf import ReadPage, Word
from extractors.ruling import Box, Ruling, whole_frames

_MAX_CELLS = 1500
_LONGEST_LABEL, _MOST_DIGITS = 60, 3  # of what is not known as a label
_FARTHEST = 3.5  # heights of the label, from it down to its value
_MOST_LINES = 6
_HEADED = 120.0  # points, from a heading down to the last row of its block
_INDENT = 12.0  # points, from the side of a frame to its text
_FOLLOWS = 3.0  # heights between two cells of one line in a frame
_HEAD, _HEAD_AGAIN = 0.3, 0.12  # of a page's height, the first one and the next: what is drawn there is a logo
_SQUARE = 0.1  # of its height: how much a round or square drawing may be wider than high
_TALL = 1.6  # of a line that has no tall letters, in widths of one
_FEWEST_UNDER, _MORE_UNDER = 4, 1.4  # captions under their values where a page has them there; times those over them
_LEADING, _LEADING_IN_FRAME = 1.3, 3.0  # heights between the lines of a box; lines around it tell where it ends
_SIGNATURE_RIGHT, _SIGNATURE_OVER, _SIGNATURE_UNDER = 230.0, 60.0, 75.0  # points from its label
_SIGNATURE_BOX = 160.0  # points: the height of a box to sign in
_LONG_SIDE = 842.0  # points, of a sheet
_LINE_TO_SIGN, _LINE_UNDER, _LINE_OVER = (60.0, 300.0), 45.0, 12.0  # points: its width, and how far from its caption
_BLANK = re.compile(r"[^_.…]*[ :]*(?:_{5,}|\.{8,}|…{4,})\s*")
_SIGNED_ASIDE, _SIGNED_UNDER, _SIGNED_OVER, _SIGNED_BESIDE = 15.0, 45.0, 16.0, 120.0  # points, of a name in script
_IN_PRINT = re.compile(r"name|naam|nom|imi[eę]|nazw", re.IGNORECASE)
_BOX_NUMBER = re.compile(r"\d{1,2}[a-z]?[.)]?")
BOX_NUMBERS = re.compile(r"\d{1,2}[a-z]?(?: ?/ ?\d{1,2}[a-z]?)+[.)]? ")  # "25/26 Kfz / Anhänger"
_POSTCODE = re.compile(r"(?=\D*\d)[A-Z0-9]{2,5}[ -]?[A-Z0-9]{2,4}")
_BOX_NUMBER_GAP = 2.5  # heights, between the number of a box and what the box is for
_BOX_DEPTH = 55.0  # points, from a label down to the last line of its box
_SCRAWLED, _NAME_BY_HAND = 2.0, 1.5  # times as wide as other letters: a signature that was taken for words, for a name
_HEADLINE = 1.3  # times the usual height of a line
_LISTS = re.compile(r"\([^\d()]+,[^\d()]+\)\s*$")  # (name, address, country)
_BAR = 2.2  # times as high as its words: a bar, no box
_ASIDE = 0.7  # heights between the beginnings of a value and of the label below it, as scans have them
_SMALLER = 0.75  # times the width of a value's letters: a caption
_FEWEST_STRIPES = 4
_GAP = 2.0  # letters' widths; words farther apart are cells of their own


def box_of(words: Sequence[Word], *spans: tuple[int, int]) -> tuple[float, float, float, float] | None:
    """The box of spans of the page's text; within a word, letters are taken as equally wide. None: not drawn."""
    boxes = []
    for start, end in spans:
        for word in _touched(words, start, end):
            first, last = max(start, word.start) - word.start, min(end, word.end) - word.start
            boxes.append((word.left + word.letter * first, word.top, word.left + word.letter * last, word.bottom))
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return round(min(lefts), 1), min(tops), round(max(rights), 1), max(bottoms)


def score_of(words: Sequence[Word], start: int, end: int) -> float:
    """How surely the worst word of a span was read."""
    return min((word.score for word in _touched(words, start, end)), default=0.0)


def cells(read: ReadPage) -> list[Word]:
    """Words that follow each other in the text, on one line, with no more than a letter or so between them, as one.

    As seen on the upright page: on a page that lies on its side, these are not the words' own boxes. A ruled line
    parts cells, as dots do that lead to a value, and each knows the frame of such lines that it stands in.
    """
    text = read.page.text
    corner = _turned((0.0, 0.0, read.page.width, read.page.height), read.turned)[:2]
    words = [_level(_upright(word, read.turned), read.tilt, corner) for word in read.words[: 20 * _MAX_CELLS]]
    ruling = Ruling(_turned(rule, read.turned) for rule in read.rules)
    found = words[:1]
    for before, word in pairwise(words):
        height = max(1.0, before.height, word.height)
        level = abs(word.top + word.bottom - before.top - before.bottom) < height  # a dash has next to no height
        same_line = level and "\n" not in text[before.end : word.start]
        letter = max(before.letter, word.letter, 0.4 * height)
        last = found[-1]
        if same_line and text[last.start : last.end] == ":":
            found[-1] = word  # "Loading at   : Kofler", in a column of colons
            continue
        gap = _BOX_NUMBER_GAP * height if _numbers_a_box(text, last, word) else _GAP * letter
        near = same_line and -height < word.left - before.right < gap and not text.endswith("....", 0, before.end)
        if near and not ruling.parts(before.right - 1, word.left + 1, (word.top + word.bottom) / 2):
            top, bottom = min(last.top, word.top), max(last.bottom, word.bottom)
            found[-1] = Word(last.start, word.end, last.left, top, word.right, bottom)
        else:
            found.append(word)
    frames = [ruling.frame((cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2) for cell in found[:_MAX_CELLS]]
    boxes = {frame for frame in frames if frame}
    whole = whole_frames(boxes - _stripes(boxes))
    return [cell._replace(frame=whole.get(frame)) for cell, frame in zip(found, frames, strict=False)]


def cell_at(cells: Sequence[Word], place: int) -> Word | None:
    """The cell that holds a place of the page's text."""
    return next((cell for cell in cells if cell.start <= place < cell.end), None)


def _stripes(frames: set[Box]) -> set[Box]:
    """The coloured stripes of a printout, every other of one height: they are no boxes, and nothing ends with them."""
    steps = {frame: _step(frame) for frame in frames}
    alike = Counter(steps.values())
    between = {frame: (*size, (step + 2) % 4) for frame, (*size, step) in steps.items()}
    return {f for f, step in steps.items() if alike[step] >= max(_FEWEST_STRIPES, 3 * alike[between[f]])}


def _step(frame: Box) -> tuple[int, ...]:
    """The sides and height of a frame, and in which quarter of twice its height down the page it begins."""
    left, top, right, bottom = frame
    height = max(1.0, bottom - top)
    return round(left), round(right), round(height), math.floor(2 * top / height + 0.5) % 4


def headlines(read: ReadPage, page: Sequence[Word]) -> list[str]:
    """The cells of a page's upper half in print much larger than the rest."""
    if read.ocr or not page:  # whose boxes are as high as the ink
        return []
    usual = median(cell.height for cell in page)
    large = [c for c in page if c.height > _HEADLINE * usual and c.top < read.page.height / 2]
    return [read.page.text[c.start : c.end].strip() for c in large]


def _numbers_a_box(text: str, cell: Word, word: Word) -> bool:
    return _BOX_NUMBER.fullmatch(text, cell.start, cell.end) is not None and text[word.start].isupper()


def pairs(
    text: str, page: Sequence[Word], under: Mapping[Word, Word], labels: Sequence[Word] | None = None
) -> Iterator[tuple[Word, Word]]:
    """Each cell that may be a label (all, or `labels`), with the cell to its right and the one below, if any.

    `under` as `captions_under` finds it: these captions have the value over them and no other.
    """
    by_top = sorted(page, key=lambda cell: cell.top)
    tops = [cell.top for cell in by_top]
    framed = _by_frame(by_top)
    over = {label: value for value, label in under.items()}
    for label in page if labels is None else labels:
        if label in over:
            yield label, over[label]
            continue
        words = text[label.start : label.end]
        words = words[numbers.end() :] if (numbers := BOX_NUMBERS.match(words)) else words
        words = DATA_ELEMENT.sub(" ", words)
        unknown = labels is None and (len(words) > _LONGEST_LABEL or sum(c.isdigit() for c in words) > _MOST_DIGITS)
        if unknown or sum(c.isalpha() for c in words) < 2:
            continue
        inside = _contents(text, framed, label)
        near = by_top[
            bisect_right(tops, label.top - label.height) : bisect_right(tops, label.bottom + _FARTHEST * label.height)
        ]
        right = [c for c in inside or near if c.left >= label.right - 1 and on_line(c, label)]
        framed_below = [c for c in inside if c.top > label.top + label.height / 2]
        lower = framed_below or [c for c in near if c.top > label.top + label.height / 2]
        below = [c for c in lower if _stands_under(c, label)] or framed_below
        below = below or [
            c for c in _under_frame(framed, label) if _stands_under(c, label) or _is_bar(framed, label, c)
        ]
        if right:
            yield label, min(right, key=lambda cell: cell.left)
        if value := _captioned(text, by_top, tops, label, min((c.top for c in below), default=None)):
            yield label, value
        elif below:
            yield label, min(below, key=lambda cell: cell.top)


def _contents(text: str, framed: dict[Box | None, list[Word]], label: Word) -> list[Word]:
    """What stands in the frame of a label; in the one below where that holds the label in several languages only."""
    if label.frame is None:
        return []
    others = [c for c in framed[label.frame] if c is not label]
    others = _without_translation(text, label, others)
    said = [caption_of(text[c.start : c.end]) for c in others]
    if None in said:
        return others
    if not others or set(said) != {caption_of(text[label.start : label.end])}:
        return []  # a heading of its column
    return _under_frame(framed, label)


def _without_translation(text: str, label: Word, others: list[Word]) -> list[Word]:
    """A frame's other cells but the line right under its label that lists in brackets what the label lists."""
    if not _LISTS.search(text, label.start, label.end):
        return others
    rest = [
        c
        for c in others
        if not (abs(c.left - label.left) <= 3 and 0 < c.top - label.top < 2 * label.height)
        or not _LISTS.search(text, c.start, c.end)
    ]
    return rest or others


def _under_frame(framed: dict[Box | None, list[Word]], label: Word) -> list[Word]:
    """What stands in the frame right under that of a label."""
    side, left = (label.frame[3], label.left) if label.frame else (None, 0.0)
    under = (f for f in framed if f and side is not None and abs(f[1] - side) < 2 and f[0] - 2 < left < f[2])
    return framed.get(next(under, None), [])


def _is_bar(framed: dict[Box | None, list[Word]], label: Word, under: Word) -> bool:
    """Whether a label alone fills a frame over that of `under`, as wide: a bar with the label in its middle."""
    bar, box = label.frame, under.frame
    if bar is None or box is None or len(framed[bar]) > 1 or bar[3] - bar[1] > _BAR * label.height:
        return False
    return abs(bar[0] - box[0]) <= 3 and abs(bar[2] - box[2]) <= 3


def _by_frame(page: Sequence[Word]) -> dict[Box | None, list[Word]]:
    """The cells of each frame of ruled lines, in their order; those that stand in none are left out."""
    framed: dict[Box | None, list[Word]] = {}
    for cell in page:
        if cell.frame is not None:
            framed.setdefault(cell.frame, []).append(cell)
    return framed


def in_columns(page: Sequence[Word], label: Word, right: Word, below: Word) -> bool:
    """Whether labels stand in a column and values in the next: what is below `label` has its own value beside it.

    The last label of a column is known by the one above it. Labels in print smaller than what stands below them are
    those of boxes.
    """
    if label.letter <= 0.8 * below.letter:
        return False
    values = [c for c in page if abs(c.left - right.left) <= 3 and c is not right and c.left > label.right]
    over = [
        c
        for c in page
        if abs(c.left - label.left) <= 1 and c.bottom <= label.top and label.top - c.bottom < 2 * label.height
    ]
    rows = [below, *over[-1:]]
    return any(on_line(value, row) for value in values for row in rows)


def is_beside(text: str, page: Sequence[Word], value: Word, is_label: Callable[[str], bool]) -> bool:
    """Whether a label stands to the left of `value`, on its line."""
    return any(
        cell.right <= value.left and on_line(cell, value) and is_label(text[cell.start : cell.end]) for cell in page
    )


def box_under(
    text: str, page: Sequence[Word], value: Word, stops: Callable[[str], bool], label: Word | None = None
) -> list[Word]:
    """`value` and the lines below it that begin where it does, without a gap, up to one at which `stops` is true.

    Where `value` stands beside `label`, they end with the row of the next label below that.
    """
    lines = [value]
    beside = label is not None and value.left > label.right
    labels = [c for c in page if label and beside and c.top > label.top and abs(c.left - label.left) <= 3]
    leading = _LEADING if value.frame is None else _LEADING_IN_FRAME
    for cell in sorted((c for c in page if c.top > value.top and c.frame == value.frame), key=lambda cell: cell.top):
        last = lines[-1]
        if cell.top > last.bottom + leading * max(last.height, _TALL * last.letter) or len(lines) > _MOST_LINES:
            break
        if any(on_line(cell, c) for c in labels):
            break
        if abs(cell.left - value.left) <= last.height and cell.top > last.top + last.height / 2:
            if stops(text[cell.start : cell.end]):
                break
            lines.append(cell)
    return [_with_next(text, page, line) for line in lines] if value.frame is not None else lines


def in_frame_beside(page: Sequence[Word], label: Word) -> list[Word]:
    """What stands in the frame beside that of a label, as high as it: the label may stand in the middle of its own.

    Nothing where the label is not alone in its frame, or the next holds no more than one cell.
    """
    if label.frame is None or any(c.frame == label.frame and c is not label for c in page):
        return []
    _, top, side, bottom = label.frame
    beside = [
        c
        for c in page
        if c.frame and abs(c.frame[0] - side) <= 2 and abs(c.frame[1] - top) <= 2 and abs(c.frame[3] - bottom) <= 2
    ]
    return beside if len(beside) > 1 else []  # else a row of headings


def first_beside(page: Sequence[Word], label: Word, value: Word) -> Word:
    """The first line of the frame beside that of a label where `value` stands in it, else `value`."""
    beside = in_frame_beside(page, label)
    return min((c for c in beside if abs(c.left - value.left) <= 3), key=lambda c: c.top) if value in beside else value


def lines_over(text: str, page: Sequence[Word], value: Word, stops: Callable[[str], bool]) -> list[Word]:
    """The lines above `value`, the last line of a box over its caption, that begin where it does without a gap."""
    lines: list[Word] = []
    first = value
    for cell in sorted((c for c in page if c.top < value.top and c.frame == value.frame), key=lambda c: -c.top):
        if first.top > cell.bottom + _LEADING * max(first.height, _TALL * first.letter) or len(lines) > _MOST_LINES:
            break
        if abs(cell.left - value.left) <= max(3.0, _ASIDE * value.height) and cell.top < first.top - first.height / 2:
            if stops(text[cell.start : cell.end]) or cell.letter < _SMALLER * value.letter:
                break
            first = cell
            lines.insert(0, cell)
    return lines


def _with_next(text: str, page: Sequence[Word], line: Word) -> Word:
    """A line of a framed box with the postcode that follows close behind: `Québec (QC)   G1K 3Y2`."""
    following = [c for c in page if c.frame == line.frame and 0 < c.start - line.end <= 2 and on_line(c, line)]
    if following and not _POSTCODE.fullmatch(text, following[0].start, following[0].end):
        return line
    if following and 0 < following[0].left - line.right < _FOLLOWS * line.height:
        return line._replace(end=following[0].end, right=following[0].right)
    return line


def in_box_of(page: Sequence[Word], label: Word) -> list[Word]:
    """The cells that may fill the box of a label, nearest first: itself, beside it, and down to some lines below."""
    if inside := [c for c in page if c.frame == label.frame and c is not label] if label.frame else []:
        return [label, *sorted(inside, key=lambda c: (not on_line(c, label), round(c.top), c.left))]
    depth = max(_BOX_DEPTH, 6 * label.height)
    under = [
        c
        for c in page
        if label.top < c.top < label.bottom + depth
        and label.left - 2 * c.height < c.left < max(label.right, label.left + depth)
    ]
    beside = [
        c for c in page if on_line(c, label) and (0 <= c.left - label.right < depth or _is_next(c.frame, label.frame))
    ]
    return [label, *sorted(beside, key=lambda c: c.left)[:1], *sorted(under, key=lambda c: (round(c.top), c.left))]


def _is_next(frame: Box | None, before: Box | None) -> bool:
    return frame is not None and before is not None and abs(frame[0] - before[2]) <= 2


def row_end(page: Sequence[Word], cell: Word) -> int:
    """Where the text of a cell, and of the next one close behind it on its line or below it, ends."""
    following = next((c for c in page if c.start >= cell.end), None)
    if following is None or following.start - cell.end > 2 or abs(following.left - cell.left) > 2 * _BOX_DEPTH:
        return cell.end
    return following.end


def left_of(page: Sequence[Word], cell: Word) -> tuple[int, int]:
    """The text of the nearest cell to the left on the same line, as offsets; none at all where there is none."""
    near = [c for c in page if c.right <= cell.left and on_line(c, cell)]
    nearest = max(near, key=lambda c: c.right, default=None)
    return (nearest.start, nearest.end) if nearest else (0, 0)


def under(page: Sequence[Word], cell: Word) -> Word | None:
    """The next cell that begins under `cell`, close to it."""
    near = [c for c in page if abs(c.left - cell.left) <= 3 and 0 < c.top - cell.top < 2.5 * cell.height]
    return min(near, key=lambda c: c.top, default=None)


def over(page: Sequence[Word], cell: Word) -> Word | None:
    """The next cell that begins over `cell`, close to it."""
    near = [c for c in page if abs(c.left - cell.left) <= 3 and 0 < cell.top - c.top < 2.5 * cell.height]
    return max(near, key=lambda c: c.top, default=None)


def headings_over(page: Sequence[Word], cell: Word) -> list[Word]:
    """Cells whose frame of ruled lines is over that of `cell`, the nearest first."""
    over = [
        c
        for c in page
        if 0 < cell.top - c.top < _HEADED
        and cell.frame is not None
        and c.frame is not None
        and c.frame[0] - 2 <= cell.left <= c.frame[2]
    ]
    return sorted(over, key=lambda c: -c.top)


def section_over(page: Sequence[Word], cell: Word) -> Word | None:
    """The heading over a block of framed rows, one of which holds `cell`: in no frame, where the rows begin."""
    if cell.frame is None:
        return None
    row = min((c for c in page if on_line(c, cell) and c.left <= cell.left), key=lambda c: c.left, default=cell)
    over = [c for c in page if c.frame is None and 0 < cell.top - c.top < _HEADED and abs(c.left - row.left) <= _INDENT]
    return max(over, key=lambda c: c.top, default=None)


def right_of(page: Sequence[Word], cell: Word) -> Word | None:
    """The next cell to the right on the same line."""
    near = [c for c in page if c.left >= cell.right and on_line(c, cell)]
    return min(near, key=lambda c: c.left, default=None)


def rows_under(page: Sequence[Word], label: Word) -> Iterator[tuple[Word, Word]]:
    """The rows of a block under its heading, each as its first cell and the one beside it.

    They begin where the heading begins, or where the frame does that it stands in the middle of.
    """
    last = label
    left = label.frame[0] if label.frame else None
    for cell in sorted((c for c in page if c.top > label.top), key=lambda cell: cell.top):
        if cell.top > last.bottom + 2.5 * max(last.height, label.height):
            return
        framed = left is not None and cell.frame is not None and abs(cell.frame[0] - left) <= 3
        first = abs(cell.left - label.left) <= 3 or (framed and left is not None and cell.left - left < _INDENT)
        if first and cell.top > last.top + last.height / 2:
            last = cell
            beside = [c for c in page if c.left >= cell.right and on_line(c, cell)]
            if beside:
                yield cell, min(beside, key=lambda c: c.left)


def drawn_at(
    read: ReadPage, page: Sequence[Word], label: Word, stops: Callable[[Word], bool]
) -> tuple[float, float, float, float] | None:
    """The drawing beside or under a label for a signature, or over its line, up to the next cell that `stops` there."""
    beside = [c.left for c in page if c.left > label.right and on_line(c, label) and stops(c)]
    unit = max(1.0, read.page.width / _LONG_SIDE, read.page.height / _LONG_SIDE)  # of a picture: pixels a point
    right = min([label.left + unit * _SIGNATURE_RIGHT, *beside])
    scrawled = [c for c in page if read.ocr and _is_scrawled(read.page.text, c, label.letter)]
    marks = [(box, _turned(box, read.turned)) for box in read.drawn]
    marks += [(_turned(c[2:6], -read.turned), c[2:6]) for c in scrawled]
    for original, box in marks:
        x, y = _middle(box)
        frames = box[0] <= label.left and label.right <= box[2] and box[1] <= label.top and label.bottom <= box[3]
        near = label.top - unit * _SIGNATURE_OVER < y < label.bottom + unit * _SIGNATURE_UNDER
        near = near or _is_inside((x, y), label.frame, unit * _SIGNATURE_BOX)
        if near and not frames and label.left - 2 * label.height - 8 < x < right:
            return original
    return None


def _is_scrawled(text: str, cell: Word, usual: float) -> bool:
    """Whether letters are as large as a hand's: read, though they are no text."""
    if cell.letter > _SCRAWLED * usual:
        return True
    return cell.letter > _NAME_BY_HAND * usual and is_person(text[cell.start : cell.end])


def drawn_under_head(read: ReadPage, page: Sequence[Word]) -> tuple[Box, Word] | None:
    """The first drawing that does not begin in the head of the page, with the cell nearest to it."""
    _, top, _, bottom = _turned((0.0, 0.0, read.page.width, read.page.height), read.turned)
    head = _HEAD if read.page.number == 1 else _HEAD_AGAIN
    usual = median(cell.letter for cell in page) if page else 0.0
    named = [c for c in page if read.ocr and is_person(read.page.text[c.start : c.end])]
    written = [_turned(c[2:6], -read.turned) for c in named if c.letter > _NAME_BY_HAND * usual]
    for box in (*read.drawn, *written):
        seen = _turned(box, read.turned)
        width, height = seen[2] - seen[0], seen[3] - seen[1]
        is_stamp = abs(width - height) < _SQUARE * height  # or a code, or the mark of a class of dangerous goods
        if page and not is_stamp and seen[1] - top > head * (bottom - top):
            return box, min(page, key=lambda cell: math.dist(_middle(cell[2:6]), _middle(seen)))
    return None


def has_empty_line(read: ReadPage, page: Sequence[Word], label: Word) -> bool:
    """Whether a line to sign on, ruled or of dots, follows a label, lies over it or under it."""
    text = read.page.text
    if label.frame is not None:
        return False
    lines = [(c.left, c.bottom) for c in page if _BLANK.fullmatch(text, c.start, c.end)]
    for rule in read.rules:
        left, top, right, bottom = _turned(rule, read.turned)
        if bottom - top < 1 and _LINE_TO_SIGN[0] < right - left < _LINE_TO_SIGN[1]:
            lines.append((left, bottom))
    return any(
        label.left - _SIGNED_ASIDE < left < label.right + _SIGNED_ASIDE
        and label.top - _LINE_OVER < height < label.bottom + _LINE_UNDER
        for left, height in lines
    )


def _is_inside(point: tuple[float, float], frame: Box | None, highest: float) -> bool:
    """Whether a point lies in a frame that is no higher than this."""
    if frame is None or frame[3] - frame[1] > highest:
        return False
    return frame[0] < point[0] < frame[2] and frame[1] < point[1] < frame[3]


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def written_by(text: str, page: Sequence[Word], label: Word) -> Word | None:
    """The name of a person and nothing else where somebody signs, that is not said to be his name in print."""
    for cell in page:
        if cell is label or not is_person(text[cell.start : cell.end]):
            continue
        framed = label.frame is not None and cell.frame == label.frame
        across = cell.left < label.right + _SIGNED_ASIDE and cell.right > label.left - _SIGNED_ASIDE
        under = across and 0 < cell.top - label.top < _SIGNED_UNDER
        over = across and 0 < label.top - cell.bottom < _SIGNED_OVER
        beside = on_line(cell, label) and 0 < cell.left - label.right < _SIGNED_BESIDE
        of_signer = not _IN_PRINT.search(text, *left_of(page, cell)) and not is_of_another(text, page, cell)
        if (framed or under or over or beside) and of_signer:
            return cell
    return None


def is_of_another(text: str, page: Sequence[Word], cell: Word) -> bool:
    """Whether the caption to the left of a name says that it is not the one who receives: `Driver: P. Novak`."""
    words = text[slice(*left_of(page, cell))]
    label = label_of(words)
    return label is not None and label[1] == len(words) and label[0] not in ("received_by", "consignee")


def _upright(word: Word, turned: int) -> Word:
    left, top, right, bottom = _turned(word[2:6], turned)
    return word._replace(left=left, top=top, right=right, bottom=bottom)


def _level(word: Word, tilt: float, corner: tuple[float, float]) -> Word:
    """The word where it would stand if its page, with this `corner` at its top left, were turned to lie straight."""
    if not tilt:
        return word
    across = ((word.left + word.right) / 2 - corner[0]) * tilt
    down = ((word.top + word.bottom) / 2 - corner[1]) * tilt
    shorter = abs(tilt) * (word.right - word.left) / 2  # a slanted line's box is higher than its letters
    middle = (word.top + word.bottom) / 2 - across
    half = max(word.height / 4, word.height / 2 - shorter)
    return word._replace(left=word.left + down, right=word.right + down, top=middle - half, bottom=middle + half)


def _turned(box: tuple[float, float, float, float], turned: int) -> tuple[float, float, float, float]:
    """The box on the page turned by so many quarters, counterclockwise, about its top left corner."""
    left, top, right, bottom = box
    match turned % 4:
        case 1:
            return top, -right, bottom, -left
        case 2:
            return -right, -bottom, -left, -top
        case 3:
            return -bottom, left, -top, right
    return box


def _stands_under(cell: Word, label: Word) -> bool:
    """Begins about where the label begins, is centred beneath it, or ends right beneath its end."""
    starts = abs(cell.left - label.left) <= 1.5 * label.height
    ends = abs(cell.right - label.right) <= 1 and cell.top - label.bottom < label.height
    within = cell.left < label.right and label.left < cell.right and cell.left >= label.left - label.height
    return starts or ends or within


def captions_under(text: str, page: Sequence[Word]) -> dict[Word, Word]:
    """Values with the captions under them, on a page that has its captions there; nothing on any other."""
    by_top = sorted(page, key=lambda cell: cell.top)
    tops = [cell.top for cell in by_top]
    found: dict[Word, Word] = {}
    upright = 0
    for label in page:
        if caption_of(text[label.start : label.end]) is None:
            continue
        lower = by_top[bisect_right(tops, label.bottom) : bisect_right(tops, label.bottom + 2 * label.height)]
        below = [c for c in lower if _stands_under(c, label)]
        value = _captioned(text, by_top, tops, label, min((c.top for c in below), default=None))
        if value is not None:
            found[value] = label
        elif any(caption_of(text[c.start : c.end]) is None for c in below):
            upright += 1
    return found if len(found) >= max(_FEWEST_UNDER, _MORE_UNDER * upright) else {}


def _captioned(
    text: str, by_top: Sequence[Word], tops: Sequence[float], label: Word, next_top: float | None
) -> Word | None:
    """The value that a label in smaller print stands under, where that is nearer than what stands below the label."""
    over = by_top[bisect_right(tops, label.top - 4 * label.height) : bisect_right(tops, label.top)]
    near, larger = 1.8 * label.height, 1.15 * label.letter
    aside = max(3.0, _ASIDE * label.height)  # on a scan, which may be larger than its paper
    touching = -0.2 * label.height
    values = [
        c
        for c in over
        if abs(c.left - label.left) <= aside and touching < label.top - c.bottom <= near and c.letter > larger
    ]
    values = [c for c in values if caption_of(text[c.start : c.end]) is None]
    if not values:
        return None
    value = max(values, key=lambda cell: cell.bottom)
    gap = label.top - value.bottom
    return value if next_top is None or gap < 0.8 * (next_top - label.bottom) else None


def on_line(cell: Word, other: Word) -> bool:
    """Whether two cells stand beside each other."""
    return _overlap(cell.top, cell.bottom, other.top, other.bottom) > 0.5


def _overlap(first: float, last: float, other_first: float, other_last: float) -> float:
    """The part of the shorter of two stretches that both cover."""
    shorter = max(0.1, min(last - first, other_last - other_first))
    return (min(last, other_last) - max(first, other_first)) / shorter


def _touched(words: Sequence[Word], start: int, end: int) -> Iterator[Word]:
    at = max(0, bisect_right(words, start, key=lambda word: word.start) - 1)
    while at < len(words) and words[at].start < end:
        if words[at].end > start:
            yield words[at]
        at += 1
