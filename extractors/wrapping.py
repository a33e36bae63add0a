"""Lines broken for their width, made whole again: a sentence goes on where it was cut."""

from __future__ import annotations

import re
from itertools import pairwise

_NARROWEST, _WIDEST = 60, 80  # letters of a line: mailers break at 72 to 78
_FEWEST = 4  # breaks, those before a small letter counted twice: a mailer broke the lines, and not the writer
_LINE = re.compile(r"[^\n]+")
_ENDS = re.compile(r"[.:;!?|>]\s*$")
_BEGINS = re.compile(r"\s|[-–*•>|+#]|\d{1,2}[.)]\s|[^\s:]{1,20}(?: [^\s:]{1,12})?:(?:\s|$)")  # bullets, quotes, labels


def unwrapped(text: str) -> str:
    """`text` with a blank for each line end that was set for the lines' width, so that every offset stays.

    A mailer broke a line where the next word would not have fitted, and broke several; a hand has broken a longer one
    where the next begins small. List items, quotes and labels stay on lines of their own.
    """
    lines = list(_LINE.finditer(text))
    widths = [len(line[0].rstrip()) for line in lines if " " in line[0].strip()]
    width = max(widths, default=0)
    by_hand, by_mailer, small = [], list[int](), 0
    for line, following in pairwise(lines):
        said, next_said = line[0].rstrip(), following[0]
        if line.end() + 1 != following.start() or _ENDS.search(said) or _BEGINS.match(next_said):
            continue
        if len(said) > _WIDEST and next_said[0].islower():
            by_hand.append(line.end())
        elif len(said) + 1 + len(next_said.split(maxsplit=1)[0]) > width:
            by_mailer.append(line.end())
            small += next_said[0].islower()
    if not _NARROWEST <= width <= _WIDEST or not small or len(by_mailer) + small < _FEWEST:
        by_mailer = []
    whole = list(text)
    for at in (*by_hand, *by_mailer):
        whole[at] = " "
    return "".join(whole)
