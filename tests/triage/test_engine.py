"""The workflows are frozen: a worker of the next release finishes what one of this release began."""

from __future__ import annotations

import inspect
import json
import logging
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dbos._dbos import _get_dbos_instance

from triage import engine
from triage.store.database import create_engine
from triage.telemetry import set_up_logging


def test_names_steps_and_arguments_of_the_workflows_have_not_changed() -> None:
    """A change here strands jobs in flight: add at the end or behind `DBOS.patch`, and only then change this test."""
    assert (engine.APPLICATION, engine.APPLICATION_VERSION) == ("dispatch-triage", "1")
    assert (engine.TRIAGE_QUEUE, engine.PUBLISH_QUEUE) == ("triage", "publish")
    source = inspect.getsource(engine)
    for line in (
        '@DBOS.workflow(name="triage_message", max_recovery_attempts=MAX_RECOVERIES)\n'
        "def triage_message(message_id: str, run: str) -> None:\n"
        "    _understand(message_id, run)\n",
        '@DBOS.workflow(name="publish_message", max_recovery_attempts=MAX_RECOVERIES)\n'
        "def publish_message(message_id: str, run: str, attempt: int) -> None:\n"
        "    _publish(message_id, run, attempt)\n",
        '@DBOS.step(name="understand")\ndef _understand(message_id: str, run: str) -> None:\n',
        '@DBOS.step(name="publish")\ndef _publish(message_id: str, run: str, attempt: int) -> None:\n',
    ):
        assert line in source


def test_what_the_engine_could_not_write_the_end_of_is_ended_once_nothing_works_on_it(tmp_path: Path) -> None:
    pool = create_engine(f"sqlite:///{tmp_path / 'triage.sqlite3'}")
    began, go_on, full = threading.Event(), threading.Event(), threading.Event()

    class Work:
        def understand(self, message_id: str, run: str) -> None:
            began.set()
            assert go_on.wait(60)
            full.set()

        def publish(self, message_id: str, run: str, attempt: int) -> None: ...

    @sa.event.listens_for(pool, "do_execute")
    def disk(_cursor: Any, statement: str, *_more: Any) -> None:
        if full.is_set() and statement.startswith(("INSERT", "UPDATE")):
            raise sqlite3.OperationalError("database or disk is full")

    running = engine.Engine(pool, "one")
    running.prepare()
    running.start(Work(), triage_workers=1, publish_workers=1)
    try:
        with pool.begin() as connection:
            running.submit_triage(connection, "msg_1", "0")
        assert began.wait(60)
        running.end_lost()
        running.end_lost()
        assert running.active() == {"msg_1"}, "it is being worked on"
        go_on.set()
        until = time.monotonic() + 60
        while _get_dbos_instance()._active_workflows_set.activeList():
            assert time.monotonic() < until
            time.sleep(0.05)
        full.clear()
        running.end_lost()
        assert running.active() == {"msg_1"}, "it may have begun just now"
        running.end_lost()
        assert running.active() == set()
    finally:
        running.stop()
        pool.dispose()


def test_the_engine_itself_tells_once_a_minute_that_its_database_is_away_and_in_our_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    theirs = logging.getLogger("dbos")
    before, root = (theirs.handlers, theirs.filters, theirs.propagate), logging.getLogger().handlers[:]
    try:
        set_up_logging()
        for number in range(3):
            theirs.warning("no connection, try %d", number)
        theirs.error("a workflow failed")
    finally:
        (theirs.handlers, theirs.filters, theirs.propagate), logging.getLogger().handlers[:] = before, root
    told = [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()]
    assert told == ["no connection, try 0", "a workflow failed"]


def test_a_task_that_fails_again_and_again_is_told_once_a_minute(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pool = create_engine(f"sqlite:///{tmp_path / 'triage.sqlite3'}")
    turns = {"away": threading.Semaphore(0), "broken": threading.Semaphore(0)}

    def away() -> None:
        turns["away"].release()
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("connection refused"))

    def broken() -> None:
        turns["broken"].release()
        raise LookupError("x")

    waiting = engine.Engine(pool, "one")
    for task in (away, broken):
        waiting.every(0.01, task)
    for turn in turns.values():
        for _ in range(5):
            assert turn.acquire(timeout=60)
    waiting._stop.set()
    told = {record.task: record.exc_info for record in caplog.records}  # type: ignore[attr-defined]
    assert len(caplog.records) == 2 and not told["away"] and told["broken"]
    pool.dispose()
