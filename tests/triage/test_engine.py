"""The workflows are frozen: a worker of the next release finishes what one of this release began."""

from __future__ import annotations

import inspect
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from triage import engine
from triage.store.database import create_engine


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
        end_lost = running.end_lost()
        end_lost()
        end_lost()
        assert running.active() == {"msg_1"}, "it is being worked on"
        go_on.set()
        until = time.monotonic() + 60
        while engine._get_dbos_instance()._active_workflows_set.activeList():
            assert time.monotonic() < until
            time.sleep(0.05)
        full.clear()
        end_lost()
        assert running.active() == {"msg_1"}, "it may have begun just now"
        end_lost()
        assert running.active() == set()
    finally:
        running.stop()
        pool.dispose()
