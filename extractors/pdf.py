"""PDF text from one child process that can be limited, killed and replaced: no PDF is ever opened in this one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from extractors.documents import Page
from extractors.limits import Limits
from extractors.message import Value

_CHILD = Path(__file__).with_name("pdf_child.py")
_DOCUMENTS_A_CHILD = 200  # then a fresh one, so that leaks and whatever a file left behind end
_START_SECONDS = 20.0  # time for the child to start, on top of the first job's own
_KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
_MAX_LINE = 8 * 1024 * 1024
_MAX_SPANS = 1000

Box = tuple[float, float, float, float]


class PdfText(Value):
    """The pages that could be read, how many there are, and what stood in the way (for people), if anything."""

    pages: tuple[Page, ...] = ()
    page_count: int = 0
    problem: str | None = None


class _ChildFailed(Exception):
    """The child was killed or died; the text says why, in words for people."""


class PdfReader:
    """Reads PDFs one at a time in a child process; thread-safe; the child starts with the first PDF.

    Never raises for any bytes: what went wrong is `PdfText.problem`.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._served = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._stop()

    def read(self, content: bytes) -> PdfText:
        """The text of each page in reading order; pages read before a failure are kept."""
        pages: list[Page] = []
        problems: list[str] = []
        count = 0
        with self._lock:
            try:
                for answer in self._ask(content, {}):
                    count = answer.get("count", count)
                    if answer.get("problem"):
                        problems.append(answer["problem"])
                    if "page" in answer:
                        pages.append(
                            Page(
                                number=answer["page"],
                                width=answer["width"],
                                height=answer["height"],
                                text=answer["text"],
                            )
                        )
            except _ChildFailed as failure:
                kept = f": only the first {len(pages)} of {count} pages were read" if pages else ""
                problems.append(f"{failure}{kept}")
        return PdfText(pages=tuple(pages), page_count=count, problem="; ".join(problems[:10]) or None)

    def boxes(self, content: bytes, spans: Sequence[tuple[int, int, int]]) -> list[Box | None]:
        """For each (page, start, end) into the text that `read` gave: its box in points from the top left."""
        if not spans:
            return []
        found: list[Box | None] = []
        with self._lock:
            try:
                for answer in self._ask(content, {"spans": [list(span) for span in spans[:_MAX_SPANS]]}):
                    found = [tuple(box) if box else None for box in answer.get("boxes", ())]
            except _ChildFailed:
                found = []
        return found + [None] * (len(spans) - len(found))

    def _ask(self, content: bytes, extra: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if self._process is not None and (self._served >= _DOCUMENTS_A_CHILD or self._process.poll() is not None):
            self._stop()
        seconds = self._limits.pdf_seconds
        deadline = time.monotonic() + seconds
        if self._process is None:
            self._start()
            deadline += _START_SECONDS
        self._served += 1
        job = {
            "size": len(content),
            "memory": self._limits.pdf_memory_bytes,
            "seconds": seconds,
            "pages": self._limits.max_pdf_pages,
            **extra,
        }
        done = False
        try:
            self._send(json.dumps(job).encode() + b"\n" + content, deadline)
            while not done:
                answer = json.loads(self._line(deadline))
                if "ready" in answer:
                    deadline = time.monotonic() + seconds
                    continue
                done = "end" in answer
                yield answer
        except TimeoutError:
            raise _ChildFailed(f"took longer than {seconds:g} s") from None
        except (OSError, EOFError, ValueError):
            raise _ChildFailed("reading it ended unexpectedly: damaged, or too large for the memory allowed") from None
        finally:
            if not done:
                self._stop()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            # -P: the folder of the script holds modules named like those of the standard library
            [sys.executable, "-P", str(_CHILD), str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
        )
        theirs.close()
        self._socket = ours

    def _send(self, data: bytes, deadline: float) -> None:
        assert self._socket is not None
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))
        self._socket.sendall(data)

    def _line(self, deadline: float) -> bytes:
        assert self._socket is not None
        scanned = 0
        while (end := self._buffer.find(b"\n", scanned)) < 0:
            scanned = len(self._buffer)
            if scanned > _MAX_LINE:
                raise ValueError("the child's answer is too long")
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            chunk = self._socket.recv(65536)
            if not chunk:
                raise EOFError
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._socket = None
        self._buffer.clear()
        self._served = 0
