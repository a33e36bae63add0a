"""What the service stored can be made again, and what people said of it becomes cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from classifiers.embedding import Encoder
from eval import cli
from eval import replay as replays
from eval.datasets import load_dataset, read_message
from eval.feedback import export
from eval.product import Product
from eval.replay import replay
from extractors.limits import Limits
from tests.ledger import Ledger
from triage.cli import app
from triage.odoo.remembered import remember
from triage.settings import Settings
from triage.store import tables as t
from triage.store.database import create_engine
from triage.store.files import Files
from triage.store.store import Store

SAMPLES = Path(__file__).parent.parent.parent / "samples"


@pytest.fixture
def store(alone: TestClient, settings: Settings) -> Iterator[Store]:
    engine = create_engine(settings.sqlalchemy_url)
    yield Store(engine, Files(settings.data_dir / "files"))
    engine.dispose()


def send(client: TestClient, name: str) -> str:
    answer = client.post(
        "/v1/messages?wait=30", content=(SAMPLES / name).read_bytes(), headers={"Content-Type": "message/rfc822"}
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def test_a_stored_result_is_made_again_byte_for_byte(alone: TestClient, store: Store, encoder: Encoder) -> None:
    with Product(Settings(_env_file=None), encoder) as product:
        for name in ("01-breakdown-a1m.eml", "13-schadensmeldung.eml"):  # the second has a PDF
            found = replay(store, product, send(alone, name))
            assert found["same"], found["differences"]
            assert found["decision_replayed"]


def test_a_decision_is_made_again_from_the_records_as_they_were(
    service: TestClient, settings: Settings, ledger: Ledger, encoder: Encoder
) -> None:
    body = {"channel": "portal", "text": "The truck for WH/OUT/00042 broke down near Ghent, recovery only tomorrow."}
    message_id = service.post("/v1/messages?wait=30", json=body).json()["id"]
    engine = create_engine(settings.sqlalchemy_url)
    store = Store(engine, Files(settings.data_dir / "files"))
    decided = store.decision(message_id)
    assert decided is not None and decided[0].match is not None and decided[0].draft is not None
    with Product(Settings(_env_file=None), encoder) as product:
        found = replay(store, product, message_id)
        assert found["same"], found["differences"]

        with engine.begin() as connection:  # the record as it might have been
            basis = connection.execute(sa.select(t.result.c.basis)).scalar_one()
            basis["calls"][0]["answer"][0]["value"] = 1_000_000.0
            connection.execute(sa.update(t.result).values(basis=basis))
        found = replay(store, product, message_id)
    engine.dispose()
    assert "decision.draft.kind" in [place["path"] for place in found["differences"]]


def test_what_nobody_asked_of_odoo_then_is_said_and_not_made_up() -> None:
    with pytest.raises(LookupError, match="find"):
        remember(()).find({"shipment": ["ABC"]})


def test_a_replay_says_where_a_result_differs(alone: TestClient, store: Store, encoder: Encoder) -> None:
    message_id = send(alone, "01-breakdown-a1m.eml")
    with store.engine.begin() as connection:
        stored = connection.execute(sa.select(t.result.c.understanding)).scalar_one()
        stored["prediction"]["label"] = "damage"
        connection.execute(sa.update(t.result).values(understanding=stored))
    with Product(Settings(_env_file=None), encoder) as product:
        found = replay(store, product, message_id)
    assert [(place["path"], place["then"]) for place in found["differences"]] == [("prediction.label", "damage")]


def test_a_replay_names_the_policy_of_the_site_that_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    understanding: Any = SimpleNamespace(prediction=SimpleNamespace(version="c"), extractor="e", taxonomy="1")
    decided: Any = SimpleNamespace(id="m", provenance=SimpleNamespace(policy="1/antwerp abc"))
    monkeypatch.setattr(replays, "understand", lambda *_: understanding)
    monkeypatch.setattr(replays, "_decide", lambda *_: decided)
    policy = {"provenance": {"policy": decided.provenance.policy}}
    monkeypatch.setattr(replays, "_json", lambda value: policy if value is decided else {})
    store, product = MagicMock(), MagicMock()
    store.decision.return_value = decided, None
    store.understanding.return_value = understanding
    product.policy.name = "1 abc"
    found = replay(store, product, "m")
    assert found["same"] and found["versions"]["now"] == found["versions"]["then"]


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ({"same": True, "decision_replayed": True}, 0, "the same\n"),
        (
            {"same": True, "decision_replayed": False},
            0,
            "the understanding is the same; the decision could not be replayed\n",
        ),
        (
            {"same": False, "decision_replayed": False},
            1,
            "0 places differ; the decision could not be replayed\n",
        ),
        (FileNotFoundError("no such file: ab12"), 2, "triage: msg_1 cannot be made again: no such file: ab12\n"),
        (ValueError("the stored file ab12 has changed"), 2, "triage: msg_1 cannot be made again: the stored file"),
    ],
)
def test_the_command_says_what_could_not_be_made_again(
    answer: dict[str, Any] | Exception, status: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(*_: object) -> dict[str, Any]:
        if isinstance(answer, Exception):
            raise answer
        return answer | {"versions": {"then": {}, "now": {}}, "differences": []}

    monkeypatch.setattr(replays, "replay", made)
    monkeypatch.setattr(cli, "_product", MagicMock())
    monkeypatch.setattr(cli, "open_store", MagicMock())
    said = CliRunner().invoke(app, ["eval", "replay", "msg_1"])
    assert said.exit_code == status and says in said.output


def test_feedback_becomes_cases_with_who_when_and_why(
    alone: TestClient, store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [send(alone, name) for name in ("01-breakdown-a1m.eml", "13-schadensmeldung.eml", "03-tender-declined.eml")]

    def say(message_id: str, **verdict: object) -> None:
        answer = alone.post(f"/v1/messages/{message_id}/feedback", json=verdict)
        assert answer.is_success, answer.text

    say(ids[0], verdict="accept", by="eva")
    say(ids[1], verdict="correct", label="damage", by="eva", comment="crushed cartons")
    say(ids[1], verdict="correct", label="delivery_refused", by="tom")
    say(ids[2], verdict="reject", by="tom")
    cases = list(export(store))
    assert [case["id"] for case in cases] == ids
    assert [case["label"] for case in cases] == [store.get(ids[0]).label, "delivery_refused", None]
    assert [case["disputed"] for case in cases] == [False, True, True]
    assert [(h["by"], h["label"], h["comment"]) for h in cases[1]["history"]] == [
        ("eva", "damage", "crushed cartons"),
        ("tom", "delivery_refused", None),
    ]

    monkeypatch.setenv("TRIAGE_DATA_DIR", str(settings.data_dir))
    out = tmp_path / "cases.jsonl"
    answer = CliRunner().invoke(app, ["feedback", "export", "--out", str(out), "--disputed"])
    assert answer.exit_code == 0, answer.output
    assert [json.loads(line)["id"] for line in out.read_text(encoding="utf-8").splitlines()] == ids[1:]
    read = {case.id: read_message(case, tmp_path, Limits()) for case in load_dataset(out).cases}
    for message_id in ids[1:]:
        stored = store.message(message_id)
        assert read[message_id].text == stored.text
        assert [a.sha256 for a in read[message_id].attachments] == [a.sha256 for a in stored.attachments]
