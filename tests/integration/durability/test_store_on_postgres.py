"""What the store does for outcomes, callbacks and retention does the same on PostgreSQL, with two workers at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.light import light_service
from tests.triage.test_retention import NOW, YEAR, age_files, on_disk, rows, take_in
from tests.web.test_review import decided_before, found_after
from triage.callbacks import LEASE
from triage.engine import AlreadyRunning, Engine
from triage.retention import Forgotten, forget
from triage.settings import Settings
from triage.store import tables as t
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Outcome, Store


@pytest.fixture
def store(postgres_url: str, tmp_path: Path) -> Iterator[Store]:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://", 1))
    migrate(engine)
    yield Store(engine, Files(tmp_path / "files"))
    engine.dispose()


def test_old_messages_go_and_the_audit_stays(store: Store) -> None:
    take_in(store, "old", NOW - timedelta(days=400), b"%PDF shared", b"%PDF own")
    young = take_in(store, "young", NOW - timedelta(days=3), b"%PDF shared")
    age_files(store, 400)
    assert forget(store, NOW - YEAR, NOW) == Forgotten(messages=1, files=2)
    assert [rows(store, table) for table in (t.message, t.publication, t.callback, t.feedback)] == [1, 1, 1, 2]
    assert on_disk(store) == 2
    assert store.message(young).attachments[0].content == b"%PDF shared"
    with store.engine.connect() as connection:
        assert "deleted" in connection.execute(sa.select(t.audit.c.action)).scalars().all()


def test_earlier_messages_are_found_by_their_need_of_review(postgres_url: str) -> None:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://", 1))
    decided_before(engine)
    found = found_after(engine, Store(engine, None))  # type: ignore[arg-type]
    assert found == [["msg_lost"], ["msg_clear"], ["msg_new", "msg_lost", "msg_clear"]]
    engine.dispose()


def test_an_outcome_seen_by_two_workers_is_written_once(store: Store) -> None:
    message_id = take_in(store, "x", NOW - timedelta(hours=5))
    said = Outcome(key=f"triage:{message_id}", message_id=message_id, verdict="refused", by="ari", at=NOW)
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(lambda _: store.add_outcome(said, NOW), range(8))) == [False] * 7 + [True]
    (activities, approvals) = store.decisions(NOW - timedelta(days=1), NOW)
    assert activities.verdicts == {"done": 1, "refused": 1} and approvals.open == 0
    assert activities.hours == (0.0, 5.0)


def test_a_callback_is_claimed_by_one_of_two_workers(store: Store) -> None:
    for number in range(20):
        take_in(store, str(number), NOW - timedelta(minutes=1))
    with ThreadPoolExecutor(8) as pool:
        claimed = [c.id for batch in pool.map(lambda _: store.claim_callbacks(20, NOW, LEASE), range(8)) for c in batch]
    assert len(claimed) == len(set(claimed)) == 20
    assert len(store.claim_callbacks(20, NOW + LEASE, LEASE)) == 20


def test_a_lock_that_was_lost_with_its_session_is_taken_again(store: Store) -> None:
    mine, other = Engine(store.engine, "a"), Engine(store.engine, "a")
    mine.keep_lock()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    with store.engine.begin() as connection:
        connection.execute(sa.text(cut))
    mine.keep_lock()
    mine.keep_lock()
    with pytest.raises(AlreadyRunning):
        other.keep_lock()


def test_what_one_worker_does_alone_no_other_does_meanwhile(store: Store) -> None:
    one, other = Engine(store.engine, "a"), Engine(store.engine, "b")
    with one.alone("sweep") as first, other.alone("sweep") as second:
        assert (first, second) == (True, False)
    with other.alone("sweep") as after:
        assert after


def test_a_bookmark_moves(store: Store) -> None:
    assert store.bookmark("odoo.documents") is None
    store.set_bookmark("odoo.documents", NOW)
    store.set_bookmark("odoo.documents", NOW + timedelta(hours=1))
    assert store.bookmark("odoo.documents") == NOW + timedelta(hours=1)


def test_what_postgres_cannot_hold_is_refused_and_never_a_500(postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data_dir=tmp_path / "data", database_url=postgres_url)
    with light_service(settings) as client:
        for path in ("/v1/messages?label=%00", "/v1/messages/%00"):
            assert client.get(path).status_code == 400, path
        message_id = client.post("/v1/messages?wait=20", json={"text": "The truck is late."}).json()["id"]
        said = {"verdict": "accept", "by": "a\0nna", "comment": "\0"}
        assert client.post(f"/v1/messages/{message_id}/feedback", json=said).status_code == 201
        record = {"model": "stock\0picking", "id": 1}
        assert client.post("/v1/messages", json={"text": "x", "record": record}).status_code == 400
        assert client.app.state.runtime.store.files_in_use()  # type: ignore[attr-defined]
