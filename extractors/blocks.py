"""A page as a tagger reads it: block by block, each value behind its caption, in pieces that each name the document.

What stands beside or over a value on the page would be far from it in the page's text.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from extractors import layout
from extractors.captions import caption_of
from extractors.columns import is_of_all
from extractors.documents import DocumentType
from extractors.pdf import ReadPage, Word

LONGEST = 420  # letters of a piece, some 140 tokens
MOST_PIECES = 40  # of a page
_CAPTION = 40  # letters
_LEADING = 1.6  # heights between the lines of a block
_ASIDE = 3.0  # points between the beginnings of its lines
_OVER = 260.0  # points from a caption down to its value


class Piece(NamedTuple):
    """`text` to be read; `parts`: start in it, end in it, start in the page's text. The rest of it is context."""

    text: str
    parts: tuple[tuple[int, int, int], ...]

    def place(self, start: int, end: int) -> list[tuple[int, int]]:
        """The stretches of the page's text that a stretch of `text` shows, in its order."""
        found = []
        for begin, stop, at in self.parts:
            a, b = max(start, begin), min(end, stop)
            if a < b:
                found.append((at + a - begin, at + b - begin))
        return found

    def _part(self, place: int) -> int:
        """The number of the part that shows a place of the page's text."""
        return next(n for n, (begin, stop, at) in enumerate(self.parts) if at <= place < at + stop - begin)

    def cell(self, start: int) -> tuple[str, tuple[int, int]]:
        """The captions before the cell that holds a place of the page's text, and where on the page it stands."""
        begin, stop, at = self.parts[self._part(start)]
        line = self.text.rfind("\n", 0, begin) + 1
        return self.text[line:begin], (at, at + stop - begin)

    def rest(self, end: int) -> tuple[int, int]:
        """What follows a place that ends at `end` in its cell of the page's text; nothing after its last word."""
        begin, stop, at = self.parts[self._part(end - 1)]
        last = at + stop - begin
        said = self.text[begin + end - at : stop]
        return end + len(said) - len(said.lstrip(" ,")), last

    def below(self, start: int) -> tuple[int, int]:
        """The next line, in the page's text, of the block that holds a place of it; empty after its last line."""
        n = self._part(start)
        if n + 1 == len(self.parts) or self.text[self.parts[n][1] : self.parts[n + 1][0]] != "\n":
            return start, start
        begin, stop, at = self.parts[n + 1]
        return at, at + stop - begin

    def block(self, start: int) -> list[tuple[int, int]]:
        """The lines, in the page's text, of the block that holds a place of it, without the captions at its head."""
        lines: list[tuple[int, int]] = []
        last, holds = 0, False
        for begin, stop, at in self.parts:
            if "\n\n" in self.text[last:begin]:
                if holds:
                    break
                lines = []
            if lines or not is_caption(self.text[begin:stop]):
                lines.append((at, at + stop - begin))
            holds = holds or at <= start < at + stop - begin
            last = stop
        return lines


def pieces(read: ReadPage, cells: Sequence[Word], kind: DocumentType) -> list[Piece]:
    """The cells of a page in blocks, `cells` as `layout.cells` gives them."""
    text = read.page.text
    head = f"{kind.replace('_', ' ')}\n"
    found: list[Piece] = []
    told, parts = head, list[tuple[int, int, int]]()
    captions = [cell for cell in cells if is_caption(text[cell.start : cell.end])]
    named = layout.captions_under(text, cells)
    for block in _blocks(cells):
        lines = [
            ("".join(f"{text[c.start : c.end].rstrip(' :')}: " for c in context), cell)
            for context, cell in (_lines_over(block, captions, named) if named else _lines(block, captions))
        ]
        if len(told) > len(head) and len(told) + sum(len(c) + w.end - w.start for c, w in lines) > LONGEST:
            found.append(Piece(told, tuple(parts)))
            told, parts = head, []
        for context, cell in lines:
            if len(told) > LONGEST + 100:  # a long block
                found.append(Piece(told, tuple(parts)))
                told, parts = head, []
            told += context
            words = text[cell.start : cell.end]
            parts.append((len(told), len(told) + len(words), cell.start))
            told += words + "\n"
        told += "\n"
        if len(found) == MOST_PIECES:
            return found
    if parts:
        found.append(Piece(told, tuple(parts)))
    return found


def _blocks(cells: Sequence[Word]) -> list[list[Word]]:
    """Cells of one frame that begin under each other without a gap, from the top of the page to its foot."""
    blocks: list[list[Word]] = []
    open_by_left: list[tuple[float, int]] = []  # left of the last line, number of its block; sorted
    for cell in sorted(cells, key=lambda c: (c.top, c.left)):
        low = bisect_left(open_by_left, (cell.left - _ASIDE, -1))
        high = bisect_right(open_by_left, (cell.left + _ASIDE, len(blocks)))
        joined = None
        for place in range(low, high):
            last = blocks[open_by_left[place][1]][-1]
            height = max(last.height, cell.height, 1.0)
            if (
                last.frame == cell.frame
                and 0.3 * height < cell.top - last.top
                and cell.top - last.bottom < _LEADING * height
            ):
                joined = place
        if joined is None:
            blocks.append([cell])
            number = len(blocks) - 1
        else:
            number = open_by_left.pop(joined)[1]
            blocks[number].append(cell)
        entry = (cell.left, number)
        open_by_left.insert(bisect_left(open_by_left, entry), entry)
    return blocks


def _lines(block: Sequence[Word], captions: Sequence[Word]) -> list[tuple[list[Word], Word]]:
    """The cells of a block, each with the captions that stand before it and, for the first, over it."""
    lines = []
    for cell in block:
        context = []
        if cell not in captions:
            if cell is block[0]:
                context += _max_by(
                    (c for c in captions if 0 < cell.top - c.top < _OVER and _overlaps(cell, c)), lambda c: c.top
                )
            context += _max_by(
                (c for c in captions if c.right <= cell.left + 1 and layout.on_line(c, cell)), lambda c: c.right
            )
        lines.append((context, cell))
    return lines


def _lines_over(
    block: Sequence[Word], captions: Sequence[Word], named: Mapping[Word, Word]
) -> list[tuple[list[Word], Word]]:
    """The cells of a block of a page that has its captions under its values, the first over each after its caption."""
    lines: list[tuple[list[Word], Word]] = []
    caption: list[Word] = []
    for cell, above in zip(reversed(block), [*reversed(block[:-1]), None], strict=True):
        caption = [] if cell in captions else [named[cell]] if cell in named else caption
        first = above is None or above in captions or above in named
        lines.append((caption if first else [], cell))
    return lines[::-1]


def _max_by(cells: Iterable[Word], key: Callable[[Word], float]) -> list[Word]:
    best = max(cells, key=key, default=None)
    return [best] if best else []


def _overlaps(cell: Word, other: Word) -> bool:
    return other.left < cell.right + 1 and cell.left < other.right + 1


def is_caption(words: str) -> bool:
    """Whether a cell says what another one holds."""
    if len(words) > _CAPTION:
        return False
    return words.rstrip().endswith(":") or caption_of(words) is not None or is_of_all(words)
