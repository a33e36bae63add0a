"""Outcomes and corrections become cases; what people do not agree on waits in a queue until somebody settles it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from eval.datasets import load_dataset
from eval.feedback import _case, export
from extractors.message import Message
from triage.cli import app
from triage.result import Result
from triage.runtime import Runtime
from triage.settings import Settings
from triage.store.store import Outcome, Store

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TEXT = "The truck for WH/OUT/00042 broke down near Ghent, recovery only tomorrow."


@pytest.fixture
def store(service: TestClient) -> Store:
    runtime: Runtime = service.app.state.runtime  # type: ignore[attr-defined]
    return runtime.store


def send(client: TestClient, number: int) -> str:
    body = {"channel": "portal", "text": TEXT, "external_id": str(number)}
    result = client.post("/v1/messages?wait=25", json=body).json()
    assert result["state"] == "published", result
    return str(result["id"])


def tell(client: TestClient, store: Store, message_id: str, verdict: Any, comment: str | None = None) -> None:
    now = client.app.state.runtime.clock()  # type: ignore[attr-defined]
    at = now + timedelta(hours=2)
    said = Outcome(
        key=f"triage:{message_id}", message_id=message_id, verdict=verdict, by="dana", at=at, comment=comment
    )
    assert store.add_outcome(said, now)


def cases(store: Store, **options: bool) -> dict[str, dict[str, Any]]:
    return {case["id"]: case for case in export(store, **options)}


def test_outcomes_of_odoo_become_cases_and_what_was_refused_or_dropped_waits_in_the_queue(
    service: TestClient, store: Store
) -> None:
    done, approved, refused, dropped, corrected = (send(service, number) for number in range(5))
    label = store.get(done).label
    tell(service, store, done, "done", "rebooked")
    tell(service, store, approved, "approved")
    tell(service, store, refused, "refused", "too dear")
    tell(service, store, dropped, "cancelled")
    tell(service, store, corrected, "done")
    service.post(f"/v1/messages/{corrected}/feedback", json={"verdict": "correct", "label": "damage", "by": "eva"})
    found = cases(store)
    assert [(found[i]["label"], found[i]["label_from"]) for i in (done, approved, refused, dropped, corrected)] == [
        (label, "outcome"),
        (label, "outcome"),
        (None, None),
        (None, None),
        ("damage", "correction"),
    ]
    (entry,) = found[done]["history"]
    assert (entry["verdict"], entry["by"], entry["comment"], entry["source"]) == ("done", "dana", "rebooked", "odoo")
    assert entry["at"] > store.get(done).received_at.isoformat()
    queue = cases(store, disputed_only=True)
    assert set(queue) >= {refused, dropped} and done not in queue and approved not in queue
    assert queue[refused]["reasons"] == ["dana refused the request"]
    assert queue[dropped]["reasons"] == ["it was dropped in Odoo"]


def test_a_dispute_is_settled_without_overwriting_and_opens_again_when_somebody_objects(
    service: TestClient, store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message_id = send(service, 1)

    def say(**verdict: str) -> None:
        assert service.post(f"/v1/messages/{message_id}/feedback", json=verdict).is_success

    say(verdict="correct", label="damage", by="eva")
    say(verdict="correct", label="delivery_refused", by="tom")
    assert cases(store)[message_id]["reasons"] == ["people named different labels: damage, delivery_refused"]
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(settings.data_dir))
    settle = ["feedback", "settle", message_id, "--label", "damage", "--by", "lena", "--comment", "photo"]
    answer = CliRunner().invoke(app, settle)
    assert answer.exit_code == 0, answer.output
    case = cases(store)[message_id]
    assert (case["label"], case["label_from"], case["disputed"]) == ("damage", "review", False)
    assert [entry["by"] for entry in case["history"]] == ["eva", "tom", "lena"]
    say(verdict="correct", label="delivery_refused", by="tom")
    assert cases(store)[message_id]["disputed"]
    assert CliRunner().invoke(app, ["feedback", "settle", message_id, "--label", "x", "--by", "lena"]).exit_code == 2
    assert CliRunner().invoke(app, [*settle[:2], "msg_none", *settle[3:]]).exit_code == 2

    out = tmp_path / "queue.jsonl"
    answer = CliRunner().invoke(app, ["feedback", "export", "--out", str(out), "--disputed"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(out.read_text().splitlines()[0])["reasons"]
    assert [case.id for case in load_dataset(out).cases] == [message_id]


def test_corrected_fields_stand_beside_those_that_were_right() -> None:
    evidence = {"part": "body", "start": 0, "end": 3, "quote": "B-1", "method": "pattern"}
    fields = {name: [{"value": "B-1", "score": 0.9, "evidence": evidence}] for name in ("bol", "tracking", "pieces")}
    given = {"id": "m", "state": "published", "channel": "portal", "received_at": "2026-11-23T08:00:00Z"}
    result = Result.model_validate(given | {"label": "damage", "fields": fields})
    row = {"label": None, "priority": None, "by": "eva", "comment": None, "source": "api", "created_at": NOW}
    said = (None, {"bol": ["B-2"], "tracking": []}, {"bol": ["B-3"]})
    history = [SimpleNamespace(**row, verdict="correct", decided_at=None, fields=entry) for entry in said]
    message = Message(channel="portal")
    assert _case(message, result, history)["fields"] == {"bol": ["B-3"], "tracking": [], "pieces": ["B-1"]}
    assert "fields" not in _case(message, result, history[:1])


def test_an_accepted_label_stays_the_one_that_was_accepted(service: TestClient, store: Store) -> None:
    message_id = send(service, 1)
    label = store.get(message_id).label
    service.post(f"/v1/messages/{message_id}/feedback", json={"verdict": "accept", "by": "eva"})
    (row,) = store.feedback(message_id)
    assert row.label == label
