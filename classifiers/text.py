"""What of a message the classifier reads."""

from __future__ import annotations

import re

LONGEST = 1200  # characters; the encoder cuts at 160 tokens, and the point of a mail stands early
_SPACE = re.compile(r"[^\S\n]+")


def classifier_text(subject: str, newest: str, quoted: str = "", documents: str = "") -> str:
    """Subject and newest text; history and documents are read only where these say next to nothing."""
    own = f"{subject}\n{newest}".strip()
    parts = [own] if len(own) >= 40 or not (quoted or documents) else [own, documents, quoted]
    return _SPACE.sub(" ", "\n".join(part for part in parts if part)).strip()[:LONGEST]
