"""Findings and their proof: a value that does not stand in its source is not reported."""

from __future__ import annotations

from typing import Literal

from extractors.message import Value

Method = Literal["pattern", "layout", "ocr", "model"]


class Evidence(Value):
    """Where something stands.

    `part` is `subject`, `body` or `attachment:N`; `page` counts from 1 and is null outside documents; `start` and
    `end` are character offsets into the text of that part (of that page, in a document); `quote` is the text
    between them, verbatim. `box` is (left, top, right, bottom) in PDF points from the top left corner of the page.
    """

    part: str
    quote: str
    start: int
    end: int
    page: int | None = None
    box: tuple[float, float, float, float] | None = None


class Finding(Value):
    """One value of one field of the taxonomy, with its proof. `value` is normalised, `score` in 0..1."""

    field: str
    value: str
    score: float
    method: Method
    evidence: Evidence
