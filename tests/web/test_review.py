"""What a person should look at is marked with its reason and can be asked for, earlier messages included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient

from api import create_app
from extractors.message import Message
from tests.triage.test_decisions import NOW, a_record, decided, understood
from triage.pipeline import Tools
from triage.result import Provenance, Result
from triage.runtime import Runtime
from triage.settings import Settings
from triage.store import tables as t
from triage.store.database import MIGRATIONS, create_engine, migrate
from triage.store.store import Filter, Store
from triage.web.pages import review_reasons


def unused(*_: object) -> Any:
    raise AssertionError("nothing is understood here")


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[TestClient]:
    """The pages and the API without models and without a worker."""
    tools = Tools(extract=unused, classify=unused, word_weights=unused, extractor="x")
    settings = Settings(_env_file=None, data_dir=tmp_path / "data", run_worker=False)
    with TestClient(
        create_app(settings, lambda s: Runtime.build(s, tools=tools)), base_url="http://127.0.0.1:8000"
    ) as c:
        yield c


def keep(client: TestClient, subject: str, *records: Any) -> tuple[str, Result]:
    """Decided and kept as the worker does it."""
    service = client.app.state.runtime.service  # type: ignore[attr-defined]
    store: Store = service.store
    told = understood()
    with store.transaction() as connection:
        message = Message(channel="portal", subject=subject, text=told.extraction.message.text)
        message_id = store.accept(connection, message, header=None, original_sha256=None, now=NOW).id
        store.save_understanding(connection, told, message_id, NOW)
    decision = decided(told, *records)
    service._publish(message_id, decision)
    return message_id, decision.result


def test_what_needs_review_is_marked_with_its_reason_and_can_be_asked_for(shown: TestClient) -> None:
    lost, result = keep(shown, "Lost")
    clear, other = keep(shown, "Clear", a_record())
    assert (result.needs_review, other.needs_review) == (True, False)

    def ids(query: str) -> list[str]:
        return [found["id"] for found in shown.get(f"/v1/messages?{query}").json()["data"]]

    assert (ids("needs_review=true"), ids("needs_review=false")) == ([lost], [clear])
    assert sorted(ids("")) == sorted([lost, clear])
    why = "no record in Odoo was matched"
    queue, asked = shown.get("/dashboard").text, shown.get("/dashboard?needs_review=true").text
    assert queue.count(f"needs review: {why}") == 1 and "Clear" in queue
    assert "Lost" in asked and "Clear" not in asked
    assert why in shown.get(f"/dashboard/messages/{lost}").text
    assert "Needs review" not in shown.get(f"/dashboard/messages/{clear}").text
    shown.post(f"/v1/messages/{lost}/retry").raise_for_status()
    assert ids("needs_review=true") == [], "it is decided anew"


def test_each_reason_for_a_review_is_said_in_plain_words() -> None:
    lost, matched = decided(understood()).result, decided(understood(), a_record()).result
    assert review_reasons(matched, True) == []
    needs = matched.model_copy(update={"needs_review": True})
    assert review_reasons(lost, True) == ["no record in Odoo was matched"]
    assert review_reasons(needs, False) == ["the label is below the proven threshold"]
    assert review_reasons(needs, True) == ["the label was below the proven threshold"], "under the policy of then"
    told = needs.model_copy(update={"abstained": "ambiguous", "conflicts": ("800 kg, 812 kg",)})
    assert review_reasons(told, True) == [
        "the service cannot tell what it is",
        "the message and its documents contradict each other",
    ]
    filed = lost.model_copy(update={"state": "ignored", "conflicts": ("x",)})
    assert review_reasons(filed, True) == ["the message and its documents contradict each other"]


def decided_before(engine: sa.Engine) -> None:
    """Tables as they were before the column, with a message that needs review, one that does not, and a new one."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        for name, needs in (("msg_lost", True), ("msg_clear", False), ("msg_new", None)):
            row = {"id": name, "idempotency_key": name, "content_hash": "x", "state": "held", "generation": 0}
            body = Message(channel="portal", text="x").model_dump(mode="json")
            connection.execute(sa.insert(t.message).values(row | {"body": body, "created_at": NOW, "updated_at": NOW}))
            if needs is not None:
                made = Provenance(classifier="x", policy="x", taxonomy="x", extractor="x")
                decision = Result(
                    id=name, state="held", channel="portal", received_at=NOW, needs_review=needs, provenance=made
                ).model_dump(mode="json")
                kept = {"message_id": name, "understanding": {}, "decision": decision, "created_at": NOW}
                connection.execute(sa.insert(t.result).values(kept))


def found_after(engine: sa.Engine, store: Store) -> list[list[str]]:
    migrate(engine)
    return [[r.id for r in store.page(Filter(needs_review=needs), 9, None)[0]] for needs in (True, False, None)]


def test_earlier_messages_are_found_by_it_after_the_migration(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    decided_before(engine)
    store = Store(engine, None)  # type: ignore[arg-type]
    assert found_after(engine, store) == [["msg_lost"], ["msg_clear"], ["msg_new", "msg_lost", "msg_clear"]]
    engine.dispose()
