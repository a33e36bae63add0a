"""What is old is forgotten whole, what is not stays, and the audit tells that it was there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from extractors.message import Attachment, Message
from triage import retention
from triage.cli import app
from triage.result import Draft, OdooItem, State
from triage.retention import Forgotten, forget
from triage.store import tables as t
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Feedback, Outcome, Store

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    engine = create_engine(f"sqlite:///{tmp_path / 'data' / 'triage.sqlite3'}")
    migrate(engine)
    yield Store(engine, Files(tmp_path / "data" / "files"))
    engine.dispose()


def take_in(store: Store, text: str, at: datetime, *files: bytes, state: State = "published") -> str:
    attachments = tuple(
        Attachment(filename=f"{i}.pdf", content_type="application/pdf", content=content)
        for i, content in enumerate(files)
    )
    url = "https://n8n.example/hook"
    message = Message(channel="portal", text=text, attachments=attachments, callback_url=url)
    original = store.keep_files(message, text.encode())
    with store.transaction() as connection:
        message_id = store.accept(connection, message, header=None, original_sha256=original, now=at).id
        if state != "queued":
            store.set_state(connection, message_id, state, at)
        draft = Draft(
            kind="activity", key=f"triage:{message_id}", record=None, record_name="x", summary="x", note="x", due=at
        )
        store.save_draft(connection, message_id, draft, at)
        item = OdooItem(kind="activity", model="mail.activity", id=1, url="https://odoo.example")
        store.save_item(connection, draft.key, item, at)
    store.add_feedback(message_id, Feedback(verdict="reject", by="eva"), at)
    store.add_outcome(Outcome(key=draft.key, message_id=message_id, verdict="done", by="dana", at=at), at)
    return message_id


def age_files(store: Store, days: float) -> None:
    for path in store.files._folder.glob("*/*"):
        at = (NOW - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))


def rows(store: Store, table: sa.Table) -> int:
    with store.engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def on_disk(store: Store) -> int:
    return len([path for path in store.files._folder.glob("*/*") if path.is_file()])


def test_old_messages_go_with_all_that_hangs_on_them_and_shared_files_stay(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        take_in(store, f"old {number}", NOW - timedelta(days=400), b"%PDF shared", f"%PDF {number}".encode())
    young = take_in(store, "young", NOW - timedelta(days=3), b"%PDF shared")
    working = take_in(store, "never ended", NOW - timedelta(days=400), b"%PDF working", state="queued")
    age_files(store, 400)
    batches: list[int] = []
    gone = forget(store, NOW - YEAR, NOW, batches.append)
    assert gone == Forgotten(messages=5, files=10)
    assert batches == [2, 2, 1]
    assert [rows(store, table) for table in (t.message, t.publication, t.callback, t.feedback)] == [2, 2, 2, 4]
    assert on_disk(store) == 4
    assert store.message(young).attachments[0].content == b"%PDF shared"
    assert store.message(working).attachments[0].content == b"%PDF working"
    with store.engine.connect() as connection:
        deleted = connection.execute(sa.select(t.audit.c.actor).where(t.audit.c.action == "deleted")).scalars().all()
        accepted = sa.select(sa.func.count()).where(t.audit.c.action == "accepted")
        assert (list(deleted), connection.execute(accepted).scalar_one()) == (["retention"] * 5, 7)
    assert forget(store, NOW - YEAR, NOW) == Forgotten(messages=0, files=0)


def test_a_file_that_a_message_on_its_way_in_has_just_put_is_never_deleted(store: Store) -> None:
    take_in(store, "old", NOW - timedelta(days=400), b"%PDF same")
    age_files(store, 400)
    sha256 = store.files.put(b"%PDF same")  # of a message whose row is not there yet
    at = (NOW - timedelta(minutes=1)).timestamp()
    os.utime(store.files._path(sha256), (at, at))
    assert forget(store, NOW - YEAR, NOW).messages == 1
    assert store.files.get(sha256) == b"%PDF same"
    # Put at the very moment between the look and the deletion.
    assert not store.files.remove(sha256, NOW - timedelta(days=1))
    assert store.files.get(sha256) == b"%PDF same"


def test_what_a_run_that_was_broken_off_left_on_the_disk_is_deleted_by_the_next(store: Store) -> None:
    message_id = take_in(store, "old", NOW - timedelta(days=400), b"%PDF left")
    age_files(store, 400)
    store.forget([message_id], NOW - YEAR, NOW)
    assert on_disk(store) == 2
    assert forget(store, NOW - YEAR, NOW).files == 2
    assert on_disk(store) == 0


def test_the_command_wants_a_span_and_says_what_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path / "data"))
    answer = CliRunner().invoke(app, ["retention", "run"])
    assert answer.exit_code == 2 and "TRIAGE_RETENTION_DAYS" in answer.output
    engine = create_engine(f"sqlite:///{tmp_path / 'data' / 'triage.sqlite3'}")
    migrate(engine)
    take_in(Store(engine, Files(tmp_path / "data" / "files")), "old", datetime.now(UTC) - timedelta(days=40))
    engine.dispose()
    monkeypatch.setenv("TRIAGE_RETENTION_DAYS", "30")
    answer = CliRunner().invoke(app, ["retention", "run", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout) == {"messages": 1, "files": 0}  # a file of today is spared for a day
