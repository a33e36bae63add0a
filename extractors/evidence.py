"""Findings and their proof: a value that does not stand in its source is not reported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple, Protocol

from extractors.message import Value

_MOST_OF_A_FIELD = 500  # findings

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

    @property
    def on_paper(self) -> bool:
        """Whether it stands in a document, not in what the sender wrote."""
        return self.part.startswith("attachment:")


class Finding(Value):
    """One value of one field of the taxonomy, with its proof. `value` is normalised, `score` in 0..1."""

    field: str
    value: str
    score: float
    method: Method
    evidence: Evidence


class Span(NamedTuple):
    """A value found in one text, before it is known which part of the message that text is."""

    field: str
    value: str
    start: int
    end: int
    score: float


def stands_in(finding: Finding, source: str | None, read: Callable[[str, str], str | None]) -> bool:
    """Whether the quote stands in `source` where the finding says, and says what the finding says.

    `read(field, quote)` gives the value of a quote in the field's stated form, or None when it has none.
    """
    evidence = finding.evidence
    if source is None or not 0 <= evidence.start < evidence.end <= len(source):
        return False
    return (
        source[evidence.start : evidence.end] == evidence.quote and read(finding.field, evidence.quote) == finding.value
    )


class Stretch(Protocol):
    """Anything that stands in a text from `start` to `end`."""

    @property
    def start(self) -> int: ...

    @property
    def end(self) -> int: ...


def meets(start: int, end: int, others: Iterable[Stretch]) -> bool:
    """Whether a stretch of a text has letters in common with one of some others."""
    return any(other.start < end and start < other.end for other in others)


def overlap(one: Finding, other: Finding) -> bool:
    """Whether two findings have words in common."""
    first, second = one.evidence, other.evidence
    same_page = (first.part, first.page) == (second.part, second.page)
    return same_page and meets(first.start, first.end, (second,))


def without_overlaps(spans: list[Span]) -> list[Span]:
    """The best-scored spans that do not overlap, longest first among equals, in the order of the text."""
    kept: list[Span] = []
    taken = bytearray()
    for span in sorted(spans, key=lambda s: (-s.score, s.start - s.end, s.start)):
        if len(taken) < span.end:
            taken.extend(bytes(span.end - len(taken)))
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\x01" * (span.end - span.start)
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)


def best(findings: Sequence[Finding]) -> list[Finding]:
    """Each value of a field once, where it is best proven; sorted by field, then by falling score."""
    proven: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.field, finding.value)
        if key not in proven or finding.score > proven[key].score:
            proven[key] = finding
    kept: list[Finding] = []
    counts: dict[str, int] = {}
    for finding in sorted(proven.values(), key=lambda f: (f.field, -f.score)):
        counts[finding.field] = counts.get(finding.field, 0) + 1
        if counts[finding.field] <= _MOST_OF_A_FIELD:
            kept.append(finding)
    return kept
