"""Reading PDFs: pypdfium2 and pdfplumber in our process, ours in a child with limits; memory over 500 documents.

Ours pays for a child process that can be killed, for text in reading order and for a place of each character. What it
buys is that the service's own memory stays where it was.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import psutil  # type: ignore[import-untyped]

from eval.bench.row import Row, row
from extractors.limits import Limits
from extractors.pdf import PdfReader

DOCUMENTS, SAMPLE = 500, 100


def documents(count: int) -> list[bytes]:
    """Delivery notes of two pages with 40 lines each, no two of them alike."""
    from reportlab.pdfgen.canvas import Canvas

    made = []
    for number in range(count):
        file = BytesIO()
        canvas = Canvas(file)
        for page in (1, 2):
            canvas.drawString(72, 800, f"DELIVERY NOTE WH/OUT/{number:05}   page {page} of 2")
            for n in range(40):
                text = f"{n + 1:3}  SKU-{number * 37 + n:05}  article of this line   {n + 3} pcs   4.5 kg"
                canvas.drawString(72, 780 - 17 * n, text)
            canvas.showPage()
        canvas.save()
        made.append(file.getvalue())
    return made


def with_pypdfium2(content: bytes) -> int:
    import pypdfium2

    with pypdfium2.PdfDocument(content) as document:
        return sum(len(page.get_textpage().get_text_range()) for page in document)


def with_pdfplumber(content: bytes) -> int:
    import pdfplumber

    with pdfplumber.open(BytesIO(content)) as document:
        return sum(len(page.extract_text()) for page in document.pages)


def measure() -> list[Row]:
    files = documents(DOCUMENTS)
    with PdfReader(Limits()) as reader:
        read: dict[str, Callable[[bytes], Any]] = {
            "ours, in a child that can be killed": reader.read,
            "pypdfium2": with_pypdfium2,
            "pdfplumber": with_pdfplumber,
        }
        times, grown = {}, {}
        for name, call in read.items():
            call(files[0])
            gc.collect()
            before, started = _megabytes(), time.perf_counter()
            for content in files[:SAMPLE]:
                call(content)
            times[name] = (time.perf_counter() - started) * 1000 / SAMPLE
            for content in files[SAMPLE:]:
                call(content)
            gc.collect()
            grown[name] = _megabytes() - before
        children = psutil.Process().children(recursive=True)
        held = sum(child.memory_info().rss for child in children) / 2**20
    ours = times["ours, in a child that can be killed"]
    rows = [row(name, ms, "ms a document of 2 pages", ms / ours, "of ours") for name, ms in times.items()]
    for name, megabytes in grown.items():
        rows.append(row(f"{name}: memory grown in this process over {DOCUMENTS} documents", megabytes, "MB"))
    return [*rows, row("ours: memory held by the child at the end", held, "MB")]


def _megabytes() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20
