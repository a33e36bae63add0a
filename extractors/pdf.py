"""Text and pictures to pages with text, in child processes: no file from outside is ever opened in this one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from extractors.child import Child, ChildFailed
from extractors.documents import Page
from extractors.limits import Limits

_DOCUMENTS_A_CHILD = 200  # then a fresh one, so that leaks and whatever a file left behind end


class Word(NamedTuple):
    """Where a word of a page's text stands on the page; of OCR, a whole line, and how surely it was read (0..1)."""

    start: int
    end: int
    left: float
    top: float
    right: float
    bottom: float
    score: float = 1.0
    frame: tuple[float, float, float, float] | None = None  # of ruled lines, that a cell of a form stands in

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def letter(self) -> float:
        """How wide its letters are."""
        return (self.right - self.left) / (self.end - self.start)


@dataclass(frozen=True)
class ReadPage:
    """`words` are in the order of the text; the page is upright after `turned` quarter turns, counterclockwise.

    `drawn` are the boxes of what may be signatures: paths of many curves. `rules` are straight lines, as boxes, of a
    scan where they would stand if its lines did not sink towards the right by `tilt` of their length. `hidden` texts
    that nobody sees were left out.
    """

    page: Page
    words: tuple[Word, ...]
    ocr: bool
    turned: int = 0
    drawn: tuple[tuple[float, float, float, float], ...] = ()
    rules: tuple[tuple[float, float, float, float], ...] = ()
    tilt: float = 0.0
    hidden: int = 0


@dataclass(frozen=True)
class PdfText:
    """The pages that could be read, how many there are, and what stood in the way (for people), if anything."""

    pages: tuple[ReadPage, ...] = ()
    page_count: int = 0
    problem: str | None = None


class PdfReader:
    """Reads one file at a time; thread-safe; the children start with the first file that needs them.

    Pages without a text layer, and images, go through OCR, which is slow (seconds a page) and large (a GB), so its
    child lives for one file. Never raises for any bytes: what went wrong is `PdfText.problem`.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        folder = Path(__file__).parent
        self._text = Child(
            folder / "pdf_child.py",
            seconds=limits.pdf_seconds,
            memory=limits.pdf_memory_bytes,
            jobs_a_child=_DOCUMENTS_A_CHILD,
        )
        self._ocr = Child(
            folder / "ocr_child.py", seconds=limits.ocr_seconds, memory=limits.ocr_memory_bytes, jobs_a_child=1
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._text.close()
        self._ocr.close()

    def read(self, content: bytes) -> PdfText:
        """The text of each page of a PDF in reading order; pages read before a failure are kept."""
        text = self._ask(self._text, content, {"pages": self._limits.max_pdf_pages})
        bare = [read.page.number for read in text.pages if not read.page.text.strip() and read.page.width]
        if not bare:
            return text
        scanned = self._ask(self._ocr, content, {"numbers": bare[: self._limits.max_ocr_pages]})
        by_number = {read.page.number: read for read in scanned.pages}
        problems = [text.problem, scanned.problem]
        if len(by_number) < len(bare):
            problems.append(f"{len(bare) - len(by_number)} of {len(bare)} pages without a text layer were not read")
        return PdfText(
            pages=tuple(by_number.get(read.page.number, read) for read in text.pages),
            page_count=text.page_count,
            problem="; ".join(problem for problem in problems if problem) or None,
        )

    def read_image(self, content: bytes) -> PdfText:
        """The pages of a picture (PNG, JPEG, TIFF, GIF); their size, and that of boxes, is in pixels."""
        return self._ask(self._ocr, content, {"image": True, "pages": self._limits.max_ocr_pages})

    def _ask(self, child: Child, content: bytes, job: dict[str, object]) -> PdfText:
        pages: list[ReadPage] = []
        problems: list[str] = []
        count = 0
        try:
            for answer in child.ask(content, job):
                count = answer.get("count", count)
                if answer.get("problem"):
                    problems.append(answer["problem"])
                if "page" in answer:
                    page = Page(
                        number=answer["page"], width=answer["width"], height=answer["height"], text=answer["text"]
                    )
                    words = tuple(Word(*word) for word in answer.get("words", ()))
                    pages.append(
                        ReadPage(
                            page,
                            words,
                            child is self._ocr,
                            answer.get("turned", 0),
                            tuple(map(tuple, answer.get("drawn", ()))),
                            tuple(map(tuple, answer.get("rules", ()))),
                            answer.get("tilt", 0.0),
                            answer.get("hidden", 0),
                        )
                    )
        except ChildFailed as failure:
            kept = f": only the first {len(pages)} of {count} pages were read" if pages else ""
            problems.append(f"{failure}{kept}")
        return PdfText(pages=tuple(pages), page_count=count, problem="; ".join(problems[:10]) or None)
