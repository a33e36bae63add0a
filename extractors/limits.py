"""What one message may cost, and the errors for input that costs more or cannot be read.

InputError(ValueError)   the caller sent something that cannot be read
└── LimitError           it is too large
"""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


class InputError(ValueError):
    """`message` is one sentence: what, which field, what to do; `field` is a path such as `attachments[0].filename`."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class LimitError(InputError):
    """Something is larger than a limit allows."""


@dataclass(frozen=True)
class Limits:
    """Bounds on hostile or broken input; sizes in bytes, times in seconds of wall clock."""

    max_attachments: int = 20
    max_attachment_bytes: int = 20 * MEGABYTE
    max_text_chars: int = 200_000
    max_mime_depth: int = 10
    max_pdf_pages: int = 50
    pdf_seconds: float = 20.0
    pdf_memory_bytes: int = 1024 * MEGABYTE
    max_ocr_pages: int = 5
    ocr_seconds: float = 90.0
    ocr_memory_bytes: int = 4096 * MEGABYTE
