"""What of a message the classifier reads."""

from __future__ import annotations

import re

LONGEST = 1200  # characters; encoders cut at some 250 tokens anyway, and the point of a mail stands early
_MARKS = re.compile(r"\S*\d\S*")
_SPACE = re.compile(r"\s+")


def classifier_text(subject: str, newest: str, quoted: str = "", documents: str = "") -> str:
    """Subject and newest text; history and documents only fill up what is left of the room.

    Every word with a digit becomes `0`: a reference or an amount says nothing about the label, and encoders are
    easily moved by it.
    """
    own = f"{subject}\n{newest}".strip()
    parts = [own] if len(own) >= 40 or not (quoted or documents) else [own, documents, quoted]
    return mask("\n".join(part for part in parts if part))[:LONGEST]


def mask(text: str) -> str:
    return _SPACE.sub(" ", _MARKS.sub("0", text)).strip()
