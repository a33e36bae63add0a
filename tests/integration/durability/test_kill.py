"""Whatever dies, every accepted message comes to one result, and the ledger outside holds one item for each."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from tests.ledger import Ledger
from triage.store import tables

MESSAGES = 200
START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """The service as its own process, so that it can be killed."""

    def __init__(self, folder: Path, database_url: str | None = None, **environment: str) -> None:
        self.ledger = Ledger(folder / "ledger.sqlite3")
        self._environment = os.environ | {"TRIAGE_DATA_DIR": str(folder / "data")} | environment
        if database_url:
            self._environment["TRIAGE_DATABASE_URL"] = database_url
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "tests.ledger", str(port), str(self._folder / "ledger.sqlite3")]
        self._process = subprocess.Popen(command, env=self._environment)
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                httpx.get(f"{self.url}/health/live", timeout=1)
                return
            except httpx.TransportError:
                assert self._process.poll() is None, "the service did not start"
                time.sleep(0.2)
        pytest.fail("the service did not answer in time")

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=30)


def text(number: int) -> dict[str, object]:
    return {
        "channel": "portal",
        "external_id": f"kill-{number}",
        "text": f"Lorry on WH/OUT/{number + 1:05d} has a blown tyre near Venlo, driver waits for the service van.",
    }


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to its end in time"
        time.sleep(0.3)


def states(url: str) -> dict[str, int]:
    lines = httpx.get(f"{url}/metrics", timeout=10).text.splitlines()
    return {line.split('"')[1]: int(line.split()[-1]) for line in lines if line.startswith("triage_messages{")}


@pytest.fixture(params=["sqlite", "postgresql"])
def process(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Process]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    process = Process(tmp_path, url)
    yield process
    process.stop()


def test_kill_in_the_middle_of_200_messages_loses_none_and_publishes_none_twice(process: Process) -> None:
    process.start()
    with httpx.Client(base_url=process.url, timeout=30) as client:
        for number in range(MESSAGES):
            assert client.post("/v1/messages", json=text(number)).status_code == 202
    for share in (0.2, 0.6):  # twice, at different depths of the queue
        wait_until(lambda share=share: len(process.ledger.keys()) >= MESSAGES * share, 120)  # type: ignore[misc]
        process.kill()
        process.start()
    wait_until(lambda: states(process.url).get("published", 0) == MESSAGES, 180)
    assert states(process.url) == {"published": MESSAGES}
    keys = process.ledger.keys()
    assert len(keys) == MESSAGES
    assert set(keys.values()) == {1}


def test_unfinished_messages_are_submitted_again_from_our_tables_when_the_engines_are_dropped(
    process: Process, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    process.ledger.down.touch()  # so that all of them are unfinished
    process.start()
    with httpx.Client(base_url=process.url, timeout=30) as client:
        for number in range(20):
            client.post("/v1/messages", json=text(number)).raise_for_status()
    wait_until(lambda: states(process.url).get("processing", 0) == 20, 60)
    process.kill()
    drop_engine_tables(process, tmp_path)
    process.ledger.down.unlink()
    process.start()
    wait_until(lambda: states(process.url).get("published", 0) == 20, 90)
    assert set(process.ledger.keys().values()) == {1}


def drop_engine_tables(process: Process, folder: Path) -> None:
    url = process._environment.get("TRIAGE_DATABASE_URL")
    if url:
        engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            connection.execute(sa.text("DROP SCHEMA dbos CASCADE"))
        return
    engine = sa.create_engine(f"sqlite:///{folder / 'data' / 'triage.sqlite3'}")
    ours = {*tables.metadata.tables, "alembic_version"}
    with engine.begin() as connection:
        for name in sa.inspect(connection).get_table_names():
            if name not in ours:
                connection.execute(sa.text(f'DROP TABLE "{name}"'))


def test_of_two_postgresql_workers_one_is_killed_for_ever_and_the_other_finishes_all(
    postgres_url: str, tmp_path: Path
) -> None:
    both = [
        Process(tmp_path, postgres_url, TRIAGE_EXECUTOR_ID=name, TRIAGE_TAKEOVER_SECONDS="2") for name in ("a", "b")
    ]
    for process in both:
        process.start()
    try:
        with ThreadPoolExecutor(20) as pool:
            same = list(pool.map(lambda n: httpx.post(f"{both[n % 2].url}/v1/messages", json=text(0)), range(50)))
        assert {answer.status_code for answer in same} <= {200, 202}
        assert len({answer.json()["id"] for answer in same}) == 1, "the same message at two processes is one message"
        for number in range(1, 60):
            httpx.post(f"{both[number % 2].url}/v1/messages", json=text(number), timeout=30).raise_for_status()
        wait_until(lambda: len(both[1].ledger.keys()) >= 5, 60)
        both[0].kill()
        wait_until(lambda: states(both[1].url) == {"published": 60}, 120)
        assert len(both[1].ledger.keys()) == 60
        assert set(both[1].ledger.keys().values()) == {1}
    finally:
        for process in both:
            process.stop()
