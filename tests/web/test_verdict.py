"""A wrong label is corrected on the message's own page, by whom the page is for, and from nowhere else."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from triage.runtime import Runtime
from triage.security import make_key
from triage.store import tables as t

OWN = {"Sec-Fetch-Site": "same-origin"}
BODY = {"channel": "portal", "text": "The truck for WH/OUT/00042 broke down near Ghent, recovery only tomorrow."}


def send(client: TestClient, **more: Any) -> dict[str, Any]:
    result: dict[str, Any] = client.post("/v1/messages?wait=20", json=BODY | more).json()
    return result


def said(client: TestClient) -> list[Any]:
    runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
    with runtime.store.engine.connect() as connection:
        return list(connection.execute(sa.select(t.feedback).order_by(t.feedback.c.created_at)))


def judge(client: TestClient, message_id: str, headers: dict[str, str], **form: str) -> Any:
    path = f"/dashboard/messages/{message_id}/verdict"
    return client.post(path, data=form, headers=headers, follow_redirects=False)


def test_the_notes_link_leads_to_a_form_whose_verdicts_are_added_and_shown(service: TestClient) -> None:
    result = send(service)
    assert f"/dashboard/messages/{result['id']}#verdict" in result["draft"]["note"]
    page = service.get(f"/dashboard/messages/{result['id']}")
    assert 'id="verdict"' in page.text and f'value="{result["label"]}" selected' in page.text
    assert page.headers["X-Frame-Options"] == "DENY"
    answer = judge(service, result["id"], OWN, label="damage", comment="<b>crushed</b>")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/dashboard/messages/{result['id']}#verdict")
    assert judge(service, result["id"], OWN, label=result["label"]).status_code == 303
    assert [(row.verdict, row.label, row.comment, row.source) for row in said(service)] == [
        ("correct", "damage", "<b>crushed</b>", "page"),
        ("accept", result["label"], None, "page"),
    ]
    page = service.get(f"/dashboard/messages/{result['id']}")
    assert "&lt;b&gt;crushed&lt;/b&gt;" in page.text and "<b>crushed</b>" not in page.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"},
    ],
)
def test_a_form_of_another_web_site_is_refused(service: TestClient, headers: dict[str, str]) -> None:
    message_id = send(service)["id"]
    key, digest = make_key()
    service.app.state.runtime.store.add_key("eva", digest, ["read", "feedback"], None, new_time(service))  # type: ignore[attr-defined]
    login = {"Authorization": "Basic " + base64.b64encode(f"eva:{key}".encode()).decode()}
    assert judge(service, message_id, login | headers, label="damage").status_code == 403
    assert said(service) == []
    assert judge(service, message_id, login | {"Origin": "http://127.0.0.1:8000"}, label="damage").status_code == 303


def new_time(client: TestClient) -> Any:
    return client.app.state.runtime.clock()  # type: ignore[attr-defined]


def test_the_scope_and_the_site_are_asked_for_and_the_name_of_the_login_is_kept(service: TestClient) -> None:
    result = send(service, site="ANR")
    store = service.app.state.runtime.store  # type: ignore[attr-defined]
    logins: dict[str, dict[str, str]] = {}
    keys: list[tuple[str, list[str], list[str] | None]] = [
        ("desk", ["read", "feedback"], ["ANR"]),
        ("eye", ["read"], None),
        ("far", ["admin"], ["RTM"]),
    ]
    for name, scopes, sites in keys:
        key, digest = make_key()
        store.add_key(name, digest, scopes, sites, new_time(service))
        logins[name] = {"Authorization": "Basic " + base64.b64encode(f"Dana D:{key}".encode()).decode()} | OWN
    assert judge(service, result["id"], logins["eye"], label="damage").status_code == 403
    assert judge(service, result["id"], logins["far"], label="damage").status_code == 404
    assert judge(service, result["id"], OWN, label="damage").status_code == 401
    assert judge(service, result["id"], logins["desk"], label="no such label").status_code == 400
    assert "<form" not in service.get(f"/dashboard/messages/{result['id']}", headers=logins["eye"]).text
    assert said(service) == []
    assert judge(service, result["id"], logins["desk"], label="damage").status_code == 303
    assert [row.by for row in said(service)] == ["desk (Dana D)"]
