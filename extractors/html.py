"""HTML as a reader sees it: text line by line, tables row by row, hidden text removed and counted."""

# ruff: noqa: SIM905 - the tag names are read as one table

from __future__ import annotations

import re
from collections import Counter

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
_MAX_CELL_DEPTH = 12  # layout tables nest a few deep; deeper ones are read as plain blocks, to stay linear

# html.parser is quadratic on unclosed markup, so only well-formed tags reach it.
_MARKUP = re.compile(r"<(/?[a-zA-Z][^<>]*>)?")
_HIDING = re.compile(
    r"(?:^|;|\s)(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|font-size\s*:\s*0(?:\.0+)?(?:px|pt|em|%|rem)?\s*(?:;|!|$)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)"
    r"|max-height\s*:\s*0(?:px|pt)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
_COLOUR = re.compile(r"(?:^|;|\s)color\s*:\s*([^;!]{1,40})", re.IGNORECASE)
_BACKGROUND = re.compile(r"(?:^|;|\s)background(?:-color)?\s*:\s*([^;!]{1,80})", re.IGNORECASE)
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})", re.IGNORECASE)
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
    hidden_classes = _hidden_classes(soup)
    text = _render(soup, hidden_classes, signals)
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


def _hidden_classes(soup: BeautifulSoup) -> frozenset[str]:
    """Classes that a style sheet hides everywhere; rules inside @media hide on some screens only and do not count."""
    css = "\n".join(style.get_text() for style in soup.find_all("style"))[:200_000]
    css = _AT_RULE.sub("", css)
    rules = (rule.rpartition("{") for rule in css.split("}"))
    return frozenset(name for names, _, body in rules if _HIDING.search(body) for name in _CLASS.findall(names))


def _is_white(colour: str) -> bool:
    colour = colour.strip().lower()
    if colour in ("white", "#fff", "#ffffff", "#fefefe"):
        return True
    rgb = _RGB.search(colour)
    return rgb is not None and all(int(part) >= 250 for part in rgb.groups())


def _background(tag: Tag, style: str) -> str | None:
    match = _BACKGROUND.search(style)
    value = match[1] if match else tag.get("bgcolor")
    return value.strip() if isinstance(value, str) and value.strip().lower() not in ("transparent", "none") else None


def _render(soup: BeautifulSoup, hidden_classes: frozenset[str], signals: Counter[str]) -> str:
    """One walk over the tree with an explicit stack, since hostile trees are deeper than Python's."""
    out: list[str] = []
    stack: list[tuple[PageElement, bool, bool, int]] = [(child, True, False, 0) for child in reversed(soup.contents)]
    leaving: list[tuple[str, int]] = []
    marker = NavigableString("")
    while stack:
        node, white_ground, preformatted, cells = stack.pop()
        if node is marker:
            _leave(out, *leaving.pop())
            continue
        if isinstance(node, NavigableString):
            text = str(node).translate(_MARKS)
            text = text if preformatted else re.sub(r"\s+", " ", text)
            if text.strip() or not out or out[-1] not in (_BLOCK, _PARAGRAPH, "\n"):
                out.append(text)
            continue
        if not isinstance(node, Tag) or node.name in _DROPPED:
            continue
        style = str(node.get("style") or "")
        classes = node.get("class")
        ground = _background(node, style)
        if ground is not None:
            white_ground = _is_white(ground)
        colour = _COLOUR.search(style)
        colour_value = colour[1] if colour else node.get("color")
        if (
            node.has_attr("hidden")
            or _HIDING.search(style)
            or (isinstance(classes, list) and not hidden_classes.isdisjoint(classes))
            or (white_ground and isinstance(colour_value, str) and _is_white(colour_value))
        ):
            if node.get_text(strip=True):
                signals["hidden_text"] += 1
            continue
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
            stack.append((marker, white_ground, preformatted, cells))
        if name == "li":
            out.append("- ")
        deeper = cells + (1 if is_cell or cited else 0)
        pre = preformatted or name == "pre" or "pre-wrap" in style
        stack.extend((child, white_ground, pre, deeper) for child in reversed(node.contents))
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
        out[start:] = [_BLOCK, "\n".join(f"> {line}".rstrip() for line in cited.split("\n")), _BLOCK]
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
