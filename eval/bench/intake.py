"""How many messages a second are taken in durably over HTTP, beside a bare FastAPI insert with the same database."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from eval.bench.classify import DATA
from eval.bench.row import Row, row

REQUESTS, CLIENTS = 1000, 8


def bodies(count: int) -> list[bytes]:
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    texts = [r["message"] for r in rows if r["split"] == "train"]
    return [json.dumps(texts[n % len(texts)] | {"external_id": f"bench-{n}"}).encode() for n in range(count)]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@contextmanager
def served(command: Sequence[str], port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process that answers on the port."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, *command], env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port, process)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers on port {port}; exit status {process.poll()}")


def post_all(port: int, requests: Sequence[bytes], clients: int = CLIENTS) -> tuple[float, list[float]]:
    """Seconds in all and of each; raises RuntimeError for an answer that is not 202."""

    def client(mine: Sequence[bytes]) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        times = []
        for body in mine:
            started = time.perf_counter()
            connection.request("POST", "/v1/messages", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 202:
                raise RuntimeError(f"answered {answer.status}: {said[:300]!r}")
            times.append(time.perf_counter() - started)
        connection.close()
        return times

    started = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = [t for part in pool.map(client, [requests[n::clients] for n in range(clients)]) for t in part]
    return time.perf_counter() - started, times


def measure() -> list[Row]:
    rates, slowest = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = free_port(), free_port()
        requests = bodies(REQUESTS + CLIENTS)
        settings = {"TRIAGE_DATA_DIR": str(Path(folder) / "data"), "TRIAGE_RUN_WORKER": "false"}
        settings |= {"TRIAGE_PORT": str(ours)}
        servers = {
            "ours": (["-m", "triage", "serve"], ours, settings),
            "bare": (["-m", "eval.bench.bare", str(bare), str(Path(folder) / "bare.sqlite3")], bare, {}),
        }
        for name, (command, port, environment) in servers.items():
            with served(command, port, **environment):
                post_all(port, requests[:CLIENTS])
                seconds, times = post_all(port, requests[CLIENTS:])
            rates[name], slowest[name] = REQUESTS / seconds, float(np.quantile(times, 0.99)) * 1000
    return [
        row("ours: 202 after one durable transaction, queued", rates["ours"], "messages a second"),
        row("a bare FastAPI insert", rates["bare"], "messages a second", rates["ours"] / rates["bare"], "ours over it"),
        row("ours, p99", slowest["ours"], "ms"),
        row("a bare FastAPI insert, p99", slowest["bare"], "ms", slowest["ours"] / slowest["bare"], "ours over it"),
    ]
