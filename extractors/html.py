"""HTML as a reader sees it: text line by line, tables row by row, hidden text removed and counted."""

# ruff: noqa: SIM905 - the tag names are read as one table

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag

# Marks in the text while it is put together: the end of a cell, of a block (many in a row are one line end), of a
# paragraph.
_CELL, _BLOCK, _PARAGRAPH = "\x1f", "\x1e", "\x1d"
_MARKS = str.maketrans("", "", _CELL + _BLOCK + _PARAGRAPH)
_DROPPED = frozenset({"script", "style", "head", "title", "meta", "link", "template", "object", "svg"})
_BLOCKS = frozenset(
    "address article aside blockquote body center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li "
    "main nav ol p pre section table tbody tfoot thead tr ul".split()
)
_WHITE = 248  # of 255, each of red, green and blue
_MAX_CELL_DEPTH = 12  # layout tables nest a few deep; deeper ones are read as plain blocks, to stay linear

# html.parser is quadratic on unclosed markup, so only well-formed tags reach it.
_MARKUP = re.compile(r"<(/?[a-zA-Z][^<>]*>)?")
_HIDING = re.compile(  # whatever stands inside
    r"(?:^|;|\s)(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|opacity\s*:\s*0?(?:\.0\d*|0)\s*(?:;|!|$)|(?:left|top|text-indent)\s*:\s*-(?:999|\d{4})"
    r"|max-height\s*:\s*0(?:px|pt)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"(?:^|;|\s)font(?:-size\s*:|\s*:(?:[^;]{0,40}?\s)??)\s*(\d{1,4}(?:\.\d{0,9})?|\.\d{1,9})([a-z]{0,4}|%)(?![\w%])",
    re.IGNORECASE,
)
_TINY = {"px": 2.0, "pt": 1.5}  # nobody reads letters up to this size; in other units none up to 0
_COLOUR = re.compile(r"(?:^|;|\s)color\s*:\s*([^;!]{1,40})", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:^|;|\s)background(?:-color|-image)?\s*:\s*([^;!]{1,80})", re.IGNORECASE)
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})", re.IGNORECASE)
_HEX = re.compile(r"#(?:([0-9a-f])([0-9a-f])([0-9a-f])|([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2}))$")
_STYLE_END = re.compile(r"</style", re.IGNORECASE)
_CLASS = re.compile(r"\.([\w-]{1,60})\s*(?:,|$)")
_AT_RULE = re.compile(r"@media[^{}]{0,300}\{(?:[^{}]{0,5000}\{[^{}]{0,5000}\}){0,300}", re.IGNORECASE)


def readable(html: str) -> tuple[str, Counter[str]]:
    """The visible text of `html`, and counts of what was removed (`hidden_text` elements, `html_comments`).

    Rows of tables become lines with ` | ` between cells; cited blocks become lines that begin with `> `.
    """
    html, comments = _without_declarations(html.translate(_MARKS))
    html = _MARKUP.sub(lambda m: m[0] if m[1] else "&lt;", html)
    soup = BeautifulSoup(html, "html.parser")
    signals: Counter[str] = Counter()
    if comments:
        signals["html_comments"] = comments
    text = _render(soup, signals)
    return _tidy(text), signals


def _without_declarations(html: str) -> tuple[str, int]:
    """Comments, doctypes and processing instructions cut out in one pass; an unclosed one ends the document."""
    out: list[str] = []
    at = comments = 0
    last_style = max((found.start() for found in _STYLE_END.finditer(html)), default=-1)
    while (start := html.find("<", at)) >= 0:
        if html.startswith("<!--", start):
            close, skip = "-->", 3
            comments += 1
        elif html.startswith(("<!", "<?"), start):
            close, skip = ">", 1
        elif start < last_style and html[start : start + 6].lower() == "<style":
            end = _STYLE_END.search(html, start).start()  # type: ignore[union-attr] # the last one is yet to come
            out.append(html[at:end].replace("<!--", "").replace("-->", ""))  # old browsers' habit: no comment
            at = end
            continue
        else:
            out.append(html[at : start + 1])
            at = start + 1
            continue
        out.append(html[at:start])
        end = html.find(close, start)
        at = len(html) if end < 0 else end + skip
    out.append(html[at:])
    return "".join(out), comments


def _classes(soup: BeautifulSoup) -> tuple[frozenset[str], dict[str, bool]]:
    """Classes that a style sheet hides everywhere, and those that set a size: whether it is too small to read.

    Rules inside @media hold on some screens only and do not count.
    """
    css = "\n".join(style.get_text() for style in soup.find_all("style"))[:200_000]
    css = _AT_RULE.sub("", css)
    hidden: set[str] = set()
    sizes: dict[str, bool] = {}
    for names, _, body in (rule.rpartition("{") for rule in css.split("}")):
        if _HIDING.search(body):
            hidden.update(_CLASS.findall(names))
        if (tiny := _is_tiny(body)) is not None:
            sizes.update(dict.fromkeys(_CLASS.findall(names), tiny))
    return frozenset(hidden), sizes


def _is_white(colour: str) -> bool:
    """So near to white that on white nobody sees it."""
    colour = colour.strip().lower()
    if colour in ("white", "snow", "transparent"):
        return True
    if parts := _HEX.match(colour):
        return all(int(part * (2 // len(part)), 16) >= _WHITE for part in parts.groups() if part)
    rgb = _RGB.search(colour)
    return rgb is not None and all(int(level) >= _WHITE for level in rgb.groups())


def _is_tiny(style: str) -> bool | None:
    """Whether its letters are too small to read; None where it says nothing of their size."""
    said = _SIZE.findall(style)
    return float(said[-1][0]) <= _TINY.get(said[-1][1].lower(), 0.0) if said else None


def _background(tag: Tag, style: str) -> str | None:
    """The last that is said, as a browser takes it; a picture counts as any ground but white."""
    said = _BACKGROUND.findall(style) or [str(tag.get("bgcolor") or tag.get("background") or "none")]
    grounds = [value for value in map(str.strip, said) if value.lower() not in ("transparent", "none", "")]
    return grounds[-1] if grounds else None


class _Look(NamedTuple):
    """How text is set where no element inside says otherwise."""

    white: bool = False
    white_ground: bool = True
    tiny: bool = False
    preformatted: bool = False

    @property
    def hidden(self) -> bool:
        return self.tiny or (self.white and self.white_ground)

    def inside(self, tag: Tag, style: str, sizes: Mapping[str, bool]) -> _Look:
        look = self
        ground = _background(tag, style)
        if ground is not None:
            look = look._replace(white_ground=_is_white(ground))
        colour = _COLOUR.search(style)
        value = colour[1] if colour else tag.get("color")
        if isinstance(value, str) and value.strip().lower() not in ("inherit", "currentcolor"):
            look = look._replace(white=_is_white(value))
        size = _is_tiny(style)
        if size is None:
            size = next((sizes[name] for name in tag.get("class") or () if name in sizes), None)
        if size is not None:
            look = look._replace(tiny=size)
        if tag.name == "pre" or "pre-wrap" in style:
            look = look._replace(preformatted=True)
        return look


def _render(soup: BeautifulSoup, signals: Counter[str]) -> str:
    """One walk over the tree with an explicit stack, since hostile trees are deeper than Python's."""
    hidden_classes, sizes = _classes(soup)
    out: list[str] = []
    # with the element that made the text around a node invisible, where one did
    stack: list[tuple[PageElement, _Look, Tag | None, int]] = [
        (child, _Look(), None, 0) for child in reversed(soup.contents)
    ]
    leaving: list[tuple[str, int]] = []
    marker = NavigableString("")
    counted: Tag | None = None
    while stack:
        node, look, hiding, cells = stack.pop()
        if node is marker:
            _leave(out, *leaving.pop())
            continue
        if isinstance(node, NavigableString):
            text = str(node).translate(_MARKS)
            if hiding is not None and text.strip():
                signals["hidden_text"] += hiding is not counted
                counted = hiding
                continue
            text = text if look.preformatted else re.sub(r"\s+", " ", text)
            if text.strip() or not out or out[-1] not in (_BLOCK, _PARAGRAPH, "\n"):
                out.append(text)
            continue
        if not isinstance(node, Tag) or node.name in _DROPPED:
            continue
        style = str(node.get("style") or "")
        classes = node.get("class")
        if (
            node.has_attr("hidden")
            or _HIDING.search(style)
            or (isinstance(classes, list) and not hidden_classes.isdisjoint(classes))
        ):
            if node.get_text(strip=True):
                signals["hidden_text"] += 1
            continue
        look = look.inside(node, style, sizes)
        hiding = (hiding or node) if look.hidden else None
        name = node.name
        if name == "br":
            out.append("\n")
            continue
        is_cell = name in ("td", "th")
        if is_cell and cells >= _MAX_CELL_DEPTH:
            is_cell, name = False, "div"
        if name in _BLOCKS:
            out.append(_BLOCK)
        cited = name == "blockquote" and cells < _MAX_CELL_DEPTH and _is_cited(node)
        kind = "cell" if is_cell else "cited" if cited else "block" if name in _BLOCKS else ""
        if kind:
            leaving.append((kind if name != "p" else "paragraph", len(out)))
            stack.append((marker, look, hiding, cells))
        if name == "li" and hiding is None:
            out.append("- ")
        deeper = cells + (1 if is_cell or cited else 0)
        stack.extend((child, look, hiding, deeper) for child in reversed(node.contents))
    return "".join(out)


def _is_cited(node: Tag) -> bool:
    return node.get("type") == "cite" or "quote" in str(node.get("class") or "")


def _leave(out: list[str], kind: str, start: int) -> None:
    if kind == "cell":
        cell = "".join(out[start:]).strip(" \n" + _BLOCK + _PARAGRAPH)
        simple = not any(mark in cell for mark in ("\n", _CELL, _BLOCK, _PARAGRAPH))
        out[start:] = [cell, _CELL] if simple else [_BLOCK, cell, _BLOCK]
    elif kind == "cited":
        cited = _tidy("".join(out[start:]))
        lines = cited.split("\n") if cited else []
        out[start:] = [_BLOCK, "\n".join(f"> {line}".rstrip() for line in lines), _BLOCK]
    else:
        out.append(_PARAGRAPH if kind == "paragraph" else _BLOCK)


def _tidy(text: str) -> str:
    """Marks as line ends, trimmed lines, cells joined, never more than one empty line."""
    text = re.sub(f"{_PARAGRAPH}[{_BLOCK}{_PARAGRAPH}]*", "\n\n", text)
    text = re.sub(f"{_BLOCK}+", "\n", re.sub(f"\n{_BLOCK}+", "\n", text))
    lines: list[str] = []
    for line in text.split("\n"):
        line = " | ".join(cell.strip() for cell in line.split(_CELL) if cell.strip()) if _CELL in line else line.strip()
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip("\n")
