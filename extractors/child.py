"""A child process that touches files from outside: it can be limited, killed and replaced, and holds no secrets."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_START_SECONDS = 20.0  # time for the child to start, on top of the first job's own
KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "VIRTUAL_ENV")
_MAX_LINE = 8 * 1024 * 1024


class ChildFailed(Exception):
    """The child was killed or died; the text says why, in words for people."""


class Child:
    """One job at a time; thread-safe; started with the first job, and anew after `jobs_a_child` of them.

    `seconds` (wall clock) and `memory` (bytes of address space) bound each job. What leaks, or what a file left
    behind, ends with the child.
    """

    def __init__(self, script: Path, *, seconds: float, memory: int, jobs_a_child: int) -> None:
        self._script = script
        self._seconds = seconds
        self._memory = memory
        self._jobs_a_child = jobs_a_child
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._buffer = bytearray()
        self._served = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        with self._lock:
            self._stop()

    def ask(self, content: bytes, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The child's answers, up to the one with `end`. Raises `ChildFailed`; other callers wait meanwhile."""
        with self._lock:
            yield from self._ask(content, job)
            if self._served >= self._jobs_a_child:
                self._stop()

    def _ask(self, content: bytes, extra: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        deadline = time.monotonic() + self._seconds
        if self._process is None:
            self._start()
            deadline += _START_SECONDS
        self._served += 1
        job = {"size": len(content), "memory": self._memory, "seconds": self._seconds, **extra}
        done = False
        try:
            self._send(json.dumps(job).encode() + b"\n" + content, deadline)
            while not done:
                answer = json.loads(self._line(deadline))
                if "ready" in answer:
                    deadline = time.monotonic() + self._seconds
                    continue
                done = "end" in answer
                yield answer
        except TimeoutError:
            raise ChildFailed(f"took longer than {self._seconds:g} s") from None
        except (OSError, EOFError, ValueError):
            raise ChildFailed("reading it ended unexpectedly: damaged, or too large for the memory allowed") from None
        finally:
            if not done:
                self._stop()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            # -P: the folder of the script holds modules named like those of the standard library
            [sys.executable, "-P", str(self._script), str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ},
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
