"""The contract over HTTP: what every caller is promised."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml
from fastapi.testclient import TestClient
from reportlab.pdfgen.canvas import Canvas
from starlette.datastructures import Headers

from api import create_app
from classifiers.prediction import Prediction
from extractors.message import Submission
from tests.ledger import Ledger
from triage.errors import Unauthorized
from triage.pipeline import Tools
from triage.policy import FILE as PACKAGED_POLICY
from triage.result import Result
from triage.runtime import Runtime
from triage.security import identify, make_key
from triage.settings import Settings
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Store

BREAKDOWN = (
    "Our truck for WH/OUT/00042 broke down on the A67 near Eindhoven, gearbox gone, driver is waiting for a tow."
)


def portal(text: str = BREAKDOWN, **more: object) -> dict[str, object]:
    return {"channel": "portal", "text": text, **more}


def a_pdf(*lines: str) -> bytes:
    file = BytesIO()
    canvas = Canvas(file)
    for number, line in enumerate(lines):
        canvas.drawString(72, 770 - 18 * number, line)
    canvas.save()
    return file.getvalue()


def an_email(pdf: bytes | None = None) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Disposition <dispo@spedition-weber.example>"
    mail["Subject"] = "Panne WH/OUT/00042"
    mail["Message-ID"] = "<panne-1@spedition-weber.example>"
    mail.set_content(
        "Guten Morgen,\n\nunser LKW steht mit Reifenschaden auf der A3 bei Limburg, Ankunft unklar.\n\nMfG Weber"
    )
    if pdf:
        mail.add_attachment(pdf, maintype="application", subtype="pdf", filename="notice.pdf")
    return bytes(mail)


def store_of(client: TestClient) -> Store:
    store: Store = client.app.state.runtime.store  # type: ignore[attr-defined]
    return store


def test_a_message_is_taken_with_202_and_its_result_stands_under_its_id(service: TestClient) -> None:
    answer = service.post("/v1/messages", json=portal(external_id="a-1"))
    assert answer.status_code == 202
    assert answer.json()["state"] in ("queued", "processing", "published")
    assert answer.json()["duplicate"] is False
    assert service.get(f"/v1/messages/{answer.json()['id']}").json()["id"] == answer.json()["id"]


def test_wait_answers_200_with_the_whole_result(service: TestClient, ledger: Ledger) -> None:
    answer = service.post("/v1/messages?wait=20", json=portal(external_id="a-2"))
    assert answer.status_code == 200
    result = answer.json()
    assert set(result) == set(Result.model_fields), "every field is always there"
    assert result["state"] == "published"
    assert result["label"] == "vehicle_breakdown"
    assert result["fields"]["delivery_order"][0]["value"] == "WH/OUT/00042"
    quote = result["evidence"][0]
    assert BREAKDOWN[quote["start"] : quote["end"]] == quote["quote"]
    assert result["match"]["name"] == "WH/OUT/00042"
    assert result["provenance"]["classifier"]
    assert result["provenance"]["policy"]
    assert list(ledger.keys().values()) == [1]


@pytest.mark.parametrize("form", ["json", "n8n", "rfc822", "pdf", "multipart"])
def test_every_body_form_of_the_contract_is_taken(service: TestClient, form: str) -> None:
    pdf = a_pdf("CARRIER NOTICE", "Delivery WH/OUT/00042 is delayed by 3 hours, missed connection at the hub.")
    if form == "json":
        file = {"filename": "x", "content_type": "text/plain", "content_base64": base64.b64encode(pdf).decode()}
        answer = service.post("/v1/messages?wait=20", json=portal("see the attached notice", attachments=[file]))
    elif form == "n8n":
        item = {
            "messageId": "<n8n-1@x.example>",
            "from": {"value": [{"address": "a@b.example", "name": "A"}], "text": "A <a@b.example>"},
            "subject": "WH/OUT/00042",
            "text": "missed the connection at the hub, new ETA tomorrow",
            "html": False,
            "references": "<one@x.example>",
            "date": "2026-11-23T08:00:00.000Z",
        }
        answer = service.post("/v1/messages?wait=20", json=item)
    elif form == "rfc822":
        answer = service.post("/v1/messages?wait=20", content=an_email(pdf), headers={"Content-Type": "message/rfc822"})
    elif form == "pdf":
        headers = {"Content-Type": "application/pdf"}
        answer = service.post("/v1/messages?wait=20&external_id=pdf-1&site=ANR", content=pdf, headers=headers)
    else:
        answer = service.post(
            "/v1/messages?wait=20",
            data={"channel": "portal", "external_id": "form-1", "text": BREAKDOWN},
            files={"whatever": ("no-extension", pdf)},
        )
    assert answer.status_code == 200, answer.text
    result = answer.json()
    assert result["fields"]["delivery_order"][0]["value"] == "WH/OUT/00042"
    if form in ("json", "rfc822", "pdf", "multipart"):
        assert [d["pages"] for d in result["documents"]] == [1], "the file is known by its bytes"
    if form == "pdf":
        assert result["site"] == "ANR"


def test_fifty_equal_posts_at_once_give_one_message(service: TestClient, ledger: Ledger) -> None:
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(lambda _: service.post("/v1/messages", json=portal(external_id="same")), range(50)))
    assert {a.status_code for a in answers} <= {200, 202}
    assert len({a.json()["id"] for a in answers}) == 1
    assert sum(not a.json()["duplicate"] for a in answers) == 1
    service.post("/v1/messages?wait=20", json=portal(external_id="same"))
    assert list(ledger.keys().values()) == [1]


def test_a_repeat_is_known_by_message_id_or_by_its_content(service: TestClient) -> None:
    headers = {"Content-Type": "message/rfc822"}
    first = service.post("/v1/messages", content=an_email(), headers=headers).json()
    again = service.post("/v1/messages", content=an_email(), headers=headers)
    assert (again.status_code, again.json()["id"], again.json()["duplicate"]) == (200, first["id"], True)
    one = service.post("/v1/messages", json=portal("nobody answers the gate at dock 4")).json()
    late = service.post(
        "/v1/messages", json=portal("nobody answers the gate at dock 4", received_at="2026-11-23T08:15:00Z")
    )
    assert late.json()["id"] == one["id"]


def test_an_idempotency_key_with_another_body_is_a_422(service: TestClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = service.post("/v1/messages", json=portal(), headers=headers)
    assert service.post("/v1/messages", json=portal(), headers=headers).json()["id"] == first.json()["id"]
    other = service.post("/v1/messages", json=portal("another text altogether"), headers=headers)
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("request_", "status", "field"),
    [
        ({"json": {"channel": "portal"}}, 400, "text"),
        ({"json": {"channel": "telex", "text": "x"}}, 400, "channel"),
        ({"json": portal(colour="red")}, 400, "colour"),
        ({"json": portal(received_at="yesterday")}, 400, "received_at"),
        ({"json": [1, 2]}, 400, "body"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "body"),
        ({"content": b"x", "headers": {"Content-Type": "text/csv"}}, 400, "Content-Type"),
        ({"content": b"no pdf", "headers": {"Content-Type": "application/pdf"}}, 400, "body"),
        ({"json": portal(attachments=[{"filename": "a", "content_base64": "!!"}])}, 400, "content_base64"),
        ({"json": portal(callback_url="http://10.0.0.1/x")}, 400, "callback_url"),
        ({"json": portal(), "params": {"wait": "99"}}, 422, "wait"),
        ({"content": b"x" * (26 * 1024 * 1024), "headers": {"Content-Type": "application/json"}}, 413, "body"),
    ],
)
def test_bad_input_is_answered_with_the_field_and_the_remedy(
    service: TestClient, request_: dict[str, object], status: int, field: str
) -> None:
    answer = service.post("/v1/messages", **request_)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert {"message", "code", "detail", "request_id"} <= set(body)
    assert "error" not in body
    assert any(field in problem["field"] for problem in body["detail"]), body


def test_unknown_paths_and_messages_take_the_same_error_form(service: TestClient) -> None:
    for path in ("/v1/nothing", "/v1/messages/msg_none"):
        answer = service.get(path)
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
        assert answer.json()["message"]


def test_lists_are_paged_newest_first_with_an_absolute_next_url(service: TestClient) -> None:
    ids = [service.post("/v1/messages", json=portal(external_id=f"p{n}")).json()["id"] for n in range(5)]
    first = service.get("/v1/messages?limit=3").json()
    assert [m["id"] for m in first["data"]] == ids[:1:-1]
    assert first["has_more"] is True
    assert first["next"].startswith("http://127.0.0.1:8000/v1/messages?")
    second = service.get(first["next"]).json()
    assert [m["id"] for m in second["data"]] == ids[1::-1]
    assert (second["has_more"], second["next"], second["next_cursor"]) == (False, None, None)
    assert service.get("/v1/messages?cursor=nonsense").status_code == 400


def test_what_needs_nothing_is_ignored_and_nothing_is_published(service: TestClient, ledger: Ledger) -> None:
    text = "Big winter sale! 30% off pallet wrap and tape until Friday. Unsubscribe here. Follow us on LinkedIn."
    result = service.post("/v1/messages?wait=20", json=portal(text)).json()
    assert (result["state"], result["label"], result["is_exception"]) == ("ignored", "not_dispatch", False)
    assert not ledger.keys()


def test_an_exception_without_a_record_is_held_and_says_why(service: TestClient) -> None:
    result = service.post(
        "/v1/messages?wait=20", json=portal("Lorry broke down near Breda, engine dead, no ETA yet")
    ).json()
    assert result["state"] == "held"
    assert result["state_reason"] == "no reference points at a record"
    assert result["needs_review"] is True


def test_without_odoo_what_would_be_made_lies_in_the_store(alone: TestClient) -> None:
    result = alone.post("/v1/messages?wait=20", json=portal()).json()
    assert (result["state"], result["state_reason"]) == ("held", "odoo_not_configured")
    assert result["draft"]["kind"] in ("activity", "approval")
    assert "WH/OUT/00042" in result["draft"]["summary"]
    assert alone.get("/health/ready").json()["parts"]["odoo"]["status"] == "not_configured"


def test_while_odoo_is_down_the_result_is_seen_and_published_later(service: TestClient, ledger: Ledger) -> None:
    ledger.down.touch()
    path = "/v1/messages/" + service.post("/v1/messages", json=portal(external_id="down")).json()["id"]
    until = time.monotonic() + 20
    while (seen := service.get(path).json())["provenance"] is None and time.monotonic() < until:
        time.sleep(0.1)
    assert seen["state"] == "processing"
    assert seen["label"] == "vehicle_breakdown"
    assert seen["provenance"]["degraded"] == ["odoo_unavailable"]
    assert service.get("/health/ready").json() | {"parts": None} == {"status": "degraded", "parts": None}
    ledger.down.unlink()
    assert service.post("/v1/messages?wait=20", json=portal(external_id="down")).json()["state"] == "published"
    assert list(ledger.keys().values()) == [1]


def test_a_message_whose_workflow_broke_on_our_database_is_swept_up_and_finished(
    service: TestClient, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = sa.exc.OperationalError("UPDATE", {}, Exception("disk I/O error"))

    def fail(*_: object) -> None:
        raise broken

    monkeypatch.setattr(Store, "save_decision", fail)
    message_id = service.post("/v1/messages?wait=2", json=portal()).json()["id"]
    runtime = service.app.state.runtime  # type: ignore[attr-defined]
    until = time.monotonic() + 20
    while runtime.engine.active() and time.monotonic() < until:
        time.sleep(0.1)
    assert store_of(service).state(message_id)[0] == "processing"
    monkeypatch.undo()
    runtime.service.sweep()
    assert service.post("/v1/messages?wait=20", json=portal()).json()["state"] == "published"
    assert list(ledger.keys().values()) == [1]


def test_past_the_queues_limit_the_answer_is_429_and_says_when_to_come_back(settings: Settings, tools: Tools) -> None:
    full = settings.model_copy(update={"max_queued": 0})
    app = create_app(full, lambda s: Runtime.build(s, tools=tools))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        answer = client.post("/v1/messages", json=portal())
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert answer.json()["retry_after_s"] == 60


def test_a_database_that_hangs_is_a_503_and_what_comes_again_is_taken_in_once(
    settings: Settings, tools: Tools, ledger: Ledger
) -> None:
    hasty = settings.model_copy(update={"intake_seconds": 1.0})
    app = create_app(hasty, lambda s: Runtime.build(s, records=ledger, publisher=ledger, tools=tools))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        blocker = sqlite3.connect(settings.data_dir / "triage.sqlite3", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        answer = client.post("/v1/messages", json=portal(external_id="slow"))
        blocker.execute("ROLLBACK")
        blocker.close()
        assert answer.status_code == 503
        assert answer.json()["code"] == "unavailable"
        until = time.monotonic() + 20
        while not client.get("/v1/messages").json()["data"] and time.monotonic() < until:
            time.sleep(0.2)
        result = client.post("/v1/messages?wait=20", json=portal(external_id="slow")).json()
        assert result["state"] == "published"
    assert list(ledger.keys().values()) == [1]


def test_feedback_is_kept_and_checked(service: TestClient) -> None:
    message_id = service.post("/v1/messages?wait=20", json=portal()).json()["id"]
    path = f"/v1/messages/{message_id}/feedback"
    assert service.post(path, json={"verdict": "correct", "label": "transit_delay", "by": "eva"}).status_code == 201
    assert [f.label for f in store_of(service).feedback(message_id)] == ["transit_delay"]
    assert service.post(path, json={"verdict": "correct", "label": "nonsense", "by": "eva"}).status_code == 400
    assert service.post(path, json={"verdict": "correct", "by": "eva"}).status_code == 400
    assert service.post("/v1/messages/msg_x/feedback", json={"verdict": "accept", "by": "eva"}).status_code == 404


def test_only_failed_and_held_messages_can_be_retried(service: TestClient) -> None:
    done = service.post("/v1/messages?wait=20", json=portal()).json()["id"]
    assert service.post(f"/v1/messages/{done}/retry").status_code == 422
    held = service.post("/v1/messages?wait=20", json=portal("Lorry broke down near Breda, engine dead, no ETA")).json()[
        "id"
    ]
    assert service.post(f"/v1/messages/{held}/retry").status_code == 202


def test_stateless_calls_store_nothing(service: TestClient) -> None:
    labels = service.post("/v1/classify", json=portal()).json()
    assert labels["label"] == "vehicle_breakdown"
    assert sum(s["confidence"] for s in labels["scores"]) == pytest.approx(1, abs=1e-6)
    fields = service.post("/v1/extract", json=portal()).json()
    assert fields["fields"]["delivery_order"][0]["value"] == "WH/OUT/00042"
    assert store_of(service).states() == {}


def test_keys_have_scopes_and_sites_and_are_stored_hashed(service: TestClient) -> None:
    store, clock = store_of(service), service.app.state.runtime.clock  # type: ignore[attr-defined]
    assert service.get("/v1/me").json()["name"] == "local"
    key, digest = make_key()
    store.add_key("reader", digest, ["read"], ["ANR"], clock())
    assert key not in str(store.api_keys())
    assert service.get("/v1/me").status_code == 401, "with a key set up nobody comes in without one"
    auth = {"Authorization": f"Bearer {key}"}
    assert service.get("/v1/me", headers=auth).json() == {"name": "reader", "scopes": ["read"], "sites": ["ANR"]}
    assert service.get("/v1/me", headers={"X-API-Key": key}).status_code == 200
    assert service.post("/v1/messages", json=portal(), headers=auth).status_code == 403
    writer, digest = make_key()
    store.add_key("writer", digest, ["ingest"], ["RTM", "AMS"], clock())
    other = {"Authorization": f"Bearer {writer}"}
    assert service.post("/v1/messages", json=portal(site="ANR"), headers=other).status_code == 403
    sent = service.post("/v1/messages", json=portal(site="RTM"), headers=other)
    assert sent.status_code == 202
    assert service.get(f"/v1/messages/{sent.json()['id']}", headers=auth).status_code == 404
    assert service.get("/v1/messages", headers=auth).json()["data"] == []
    store.revoke_key(store.api_keys()[0].id, clock())
    assert service.get("/v1/me", headers=auth).status_code == 401


def test_what_another_site_sent_before_is_a_duplicate_and_tells_nothing_else(service: TestClient) -> None:
    store, clock = store_of(service), service.app.state.runtime.clock  # type: ignore[attr-defined]
    login = {}
    for site in ("ANR", "RTM"):
        key, digest = make_key()
        store.add_key(site, digest, ["ingest"], [site], clock())
        login[site] = {"X-API-Key": key}
    url = "/v1/messages?wait=20"
    first = service.post(url, json=portal(external_id="1001", subject="Between us"), headers=login["ANR"]).json()
    guess = service.post(url, json=portal("guess", external_id="1001"), headers=login["RTM"])
    told = guess.json()
    assert (guess.status_code, told["id"], told["duplicate"]) == (200, first["id"], True)
    assert (told["site"], told["subject"], told["sender"], told["summary"]) == (None, None, None, None)
    assert told["fields"] == {} and told["evidence"] == []
    again = service.post(url, json=portal(external_id="1001", subject="Between us"), headers=login["ANR"]).json()
    assert (again["subject"], again["duplicate"]) == ("Between us", True)


def test_sixty_who_wait_keep_nobody_else_waiting(settings: Settings, tools: Tools, ledger: Ledger) -> None:
    ledger.down.touch()  # so that none of them is done before its time
    slow = settings.model_copy(update={"intake_seconds": 3.0})
    app = create_app(slow, lambda s: Runtime.build(s, records=ledger, publisher=ledger, tools=tools))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client, ThreadPoolExecutor(61) as pool:
        sent = [
            pool.submit(client.post, "/v1/messages?wait=6", json=portal(f"{BREAKDOWN} {n}", external_id=f"w-{n}"))
            for n in range(60)
        ]
        assert [answer.result().status_code for answer in sent] == [202] * 60


def test_the_login_of_a_browser_opens_the_dashboard_only(service: TestClient) -> None:
    key, digest = make_key()
    runtime = service.app.state.runtime  # type: ignore[attr-defined]
    runtime.store.add_key("dana", digest, ["ingest", "read", "admin"], None, runtime.clock())
    basic = {"Authorization": "Basic " + base64.b64encode(f"dana:{key}".encode()).decode()}
    assert service.get("/dashboard", headers=basic).status_code == 200
    forged = service.post("/v1/messages", data={"channel": "portal", "text": "forged"}, headers=basic)
    assert forged.status_code == 401, "a browser sends its login with the forms of other web sites, too"


def test_a_site_has_one_name_whatever_the_message_calls_it(tmp_path: Path, settings: Settings, tools: Tools) -> None:
    rules = yaml.safe_load(PACKAGED_POLICY.read_text(encoding="utf-8"))
    rules["sites"] = {"ANR": {"title": "Antwerp", "warehouses": ["WH2"], "policy": {"assignee": "anna"}}}
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(rules, sort_keys=False), encoding="utf-8")
    here = settings.model_copy(update={"policy_file": tmp_path / "policy.yaml"})
    with TestClient(
        create_app(here, lambda s: Runtime.build(s, tools=tools)), base_url="http://127.0.0.1:8000"
    ) as client:
        for number, (said, site) in enumerate([("ANR", "ANR"), ("anr", "ANR"), ("WH2", "ANR"), ("GOT", "GOT")]):
            sent = portal(external_id=f"s-{number}", site=said)
            assert client.post("/v1/messages?wait=20", json=sent).json()["site"] == site
        store = store_of(client)
        assert sum(store.states(["ANR"]).values()) == 3 and sum(store.states().values()) == 4


def test_a_message_whose_file_is_lost_fails_and_says_so(service: TestClient, ledger: Ledger) -> None:
    ledger.down.touch()
    file = {"filename": "a.txt", "content_base64": base64.b64encode(b"hello").decode()}
    sent = service.post("/v1/messages?wait=2", json=portal(external_id="lost", attachments=[file])).json()
    runtime = service.app.state.runtime  # type: ignore[attr-defined]
    for path in (runtime.settings.data_dir / "files").rglob("*"):
        if path.is_file():
            path.unlink()
    ledger.down.unlink()
    runtime.service.publish(sent["id"], "0", 1)
    ended = service.get(f"/v1/messages/{sent['id']}").json()
    assert (ended["state"], ended["failure"]["code"]) == ("failed", "internal_error")


def test_without_keys_no_other_machine_and_no_web_page_is_answered(service: TestClient) -> None:
    assert service.get("/v1/me", headers={"Host": "evil.example"}).status_code == 401
    assert service.get("/v1/me", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 401


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_without_keys_nothing_that_a_proxy_passes_on_is_answered(tmp_path: Path, header: str) -> None:
    pool = create_engine(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    migrate(pool)
    store, local = Store(pool, Files(tmp_path / "files")), Headers({"Host": "127.0.0.1:8000"})
    assert identify(store, None, "127.0.0.1", local).name == "local"
    proxied = Headers({"Host": "127.0.0.1:8000", header: "for=203.0.113.9"})
    with pytest.raises(Unauthorized, match="triage keys add"):
        identify(store, None, "127.0.0.1", proxied)
    key, digest = make_key()
    store.add_key("desk", digest, ["read"], None, datetime.now(UTC))
    assert identify(store, key, "127.0.0.1", proxied).name == "desk"
    pool.dispose()


def test_health_and_metrics_tell_what_is(service: TestClient) -> None:
    service.post("/v1/messages?wait=20", json=portal())
    assert service.get("/health/live").json() == {"status": "ok"}
    parts = service.get("/health/ready").json()["parts"]
    assert {name: part["status"] for name, part in parts.items()} == {
        "store": "ok",
        "models": "ok",
        "worker": "ok",
        "odoo": "ok",
        "llm": "not_configured",
    }
    metrics = service.get("/metrics").text
    assert 'triage_messages{state="published"} 1' in metrics
    assert 'triage_queue_depth{queue="triage"} 0' in metrics


def test_the_taxonomy_carries_its_x12_reasons_each_with_one_label(service: TestClient) -> None:
    labels = {label["code"]: label for label in service.get("/v1/taxonomy").json()["labels"]}
    assert labels["vehicle_breakdown"]["x12_1651"] == ["AF", "AI"]
    assert labels["pickup_failure"]["x12_1651"] == ["AX", "AY"]
    reasons = [reason for label in labels.values() for reason in label["x12_1651"]]
    assert len(reasons) == len(set(reasons)) > 50
    assert all(len(reason) == 2 and reason.isalnum() for reason in reasons)


def test_the_policy_in_force_is_shown_for_the_centre_and_for_a_site(tmp_path: Path, tools: Tools) -> None:
    rules = yaml.safe_load(PACKAGED_POLICY.read_text(encoding="utf-8"))
    rules["sites"] = {
        "ANR": {"title": "Antwerp", "warehouses": ["WHA"], "policy": {"assignee": "anna"}},
        "RTM": {"title": "Rotterdam", "mailboxes": ["rtm@example.com"]},
    }
    file = tmp_path / "policy.yaml"
    file.write_text(yaml.safe_dump(rules), encoding="utf-8")
    settings = Settings(_env_file=None, data_dir=tmp_path / "data", policy_file=file)
    with TestClient(
        create_app(settings, lambda s: Runtime.build(s, tools=tools)), base_url="http://127.0.0.1:8000"
    ) as client:
        centre = client.get("/v1/policy").json()
        assert (centre["site"], centre["assignee"], set(centre["sites"])) == (None, None, {"ANR", "RTM"})
        for name in ("ANR", "wha"):
            at_site = client.get("/v1/policy", params={"site": name}).json()
            assert (at_site["site"], at_site["assignee"], at_site["version"]) == ("ANR", "anna", rules["version"])
        assert client.get("/v1/policy?site=nowhere").json()["site"] is None, "the centre's rules hold everywhere else"
        key, digest = make_key()
        store_of(client).add_key("rotterdam", digest, ["read"], ["RTM"], client.app.state.runtime.clock())  # type: ignore[attr-defined]
        auth = {"Authorization": f"Bearer {key}"}
        assert set(client.get("/v1/policy", headers=auth).json()["sites"]) == {"RTM"}
        assert client.get("/v1/policy?site=ANR", headers=auth).status_code == 403


def test_the_emergency_path_leaves_its_mark_in_odoo_and_in_the_audit(
    settings: Settings, tools: Tools, ledger: Ledger
) -> None:
    """The label is given here: whether a text is a compliance incident is the classifier's own test."""
    label = "compliance_incident"

    def classify(extraction: object) -> Prediction:
        return Prediction(label, 0.9, {label: 0.9, "damage": 0.1}, None, "given")

    sure = tools.model_copy(update={"classify": classify})
    app = create_app(settings, lambda s: Runtime.build(s, records=ledger, publisher=ledger, tools=sure))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        texts = ("WH/OUT/00042: one drum is leaking, UN 1263", "WH/OUT/00043: the seal was broken on arrival, UN 1263")
        leak, seal = (client.post("/v1/messages?wait=20", json=portal(text)).json() for text in texts)
        audit = sa.text("SELECT message_id, actor, detail FROM audit WHERE action = 'emergency_path'")
        with store_of(client).engine.connect() as connection:
            rows = connection.execute(audit).all()
    assert [(row.message_id, row.actor) for row in rows] == [(leak["id"], "service")]
    assert '"leaking"' in str(rows[0].detail)
    assert leak["draft"]["summary"].startswith("EMERGENCY [P1]")
    assert (leak["emergency"], seal["emergency"]) == ("leaking", None)
    assert [item["kind"] for item in leak["odoo"] + seal["odoo"]] == ["approval", "approval"]


def test_openapi_describes_the_contract(service: TestClient) -> None:
    described = service.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]["/v1/messages"]["post"]["requestBody"]["content"]) == {
        "application/json",
        "message/rfc822",
        "application/pdf",
        "multipart/form-data",
    }
    assert "/metrics" in described["paths"]
    operations = [o for path in described["paths"].values() for o in path.values()]
    assert all(o["operationId"] and o["summary"] and o["tags"] for o in operations)


def test_openapi_names_what_a_message_may_say_where_and_with_which_key(service: TestClient) -> None:
    described = service.get("/openapi.json").json()
    schemas, schemes = described["components"]["schemas"], described["components"]["securitySchemes"]
    post = described["paths"]["/v1/messages"]["post"]
    content = {form: body["schema"] for form, body in post["requestBody"]["content"].items()}
    assert content["application/json"]["anyOf"][0] == {"$ref": "#/components/schemas/Submission"}
    assert set(schemas["Submission"]["properties"]) == set(Submission.model_fields)
    assert {"text", "external_id", "metadata"} < set(content["multipart/form-data"]["properties"])
    refs = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert refs <= set(schemas) and "$defs" not in json.dumps(described)
    asked = {(p["in"], p["name"]) for p in post["parameters"]}
    assert {("header", "Idempotency-Key"), ("query", "wait"), ("query", "site"), ("query", "filename")} <= asked
    assert [schemes[name] for (name,) in post["security"]] == [
        {"type": "http", "scheme": "bearer"},
        {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    ]
    assert "security" not in described["paths"]["/health/live"]["get"]
    answers = {
        status: answer["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for status, answer in post["responses"].items()
    }
    assert (answers["200"], answers["202"], answers["422"], answers["429"]) == ("Result", "Result", "Error", "TryLater")
    assert "retry_after_s" in schemas["TryLater"]["properties"]


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/classify", "/v1/extract"])
def test_each_query_parameter_that_openapi_names_is_taken(service: TestClient, path: str) -> None:
    given = {
        "channel": "document",
        "external_id": "q-1",
        "site": "ANR",
        "received_at": "2026-11-23T08:15:00Z",
        "subject": "WH/OUT/00042",
        "filename": "notice.pdf",
    }
    named = service.get("/openapi.json").json()["paths"][path]["post"]["parameters"]
    assert {p["name"] for p in named if p["in"] == "query"} - {"wait"} == {*given, "callback_url"}
    headers = {"Content-Type": "application/pdf"}
    answer = service.post(path, params=given, content=a_pdf("truck broke down"), headers=headers)
    assert answer.status_code in (200, 202), answer.text
    if path == "/v1/messages":
        kept = service.get(f"/v1/messages/{answer.json()['id']}").json()
        assert {name: kept[name] for name in ("channel", "external_id", "site", "subject", "received_at")} == {
            name: given[name] for name in ("channel", "external_id", "site", "subject", "received_at")
        }


def test_pages_escape_what_came_from_outside(alone: TestClient) -> None:
    text = "<script>alert(1)</script> truck WH/OUT/00042 broke down <b>now</b>, gearbox gone"
    result = alone.post("/v1/messages?wait=20", json=portal(text, subject="<img src=x onerror=alert(1)>")).json()
    for path in ("/dashboard", f"/dashboard/messages/{result['id']}"):
        page = alone.get(path)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "<img" not in page.text
    assert "<mark" in page.text
    assert "<script" not in result["draft"]["note"]
