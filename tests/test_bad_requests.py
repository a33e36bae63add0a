"""Requests that no store can hold or no parser reads: each is answered with its field and the remedy, never a 500."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.light import LABEL, light_service
from triage.settings import Settings

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.fixture
def light(settings: Settings) -> Iterator[TestClient]:
    with light_service(settings) as client:
        yield client


def fields(answer: Any) -> list[str]:
    return [problem["field"] for problem in answer.json()["detail"]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "until"),
        ({"cursor": base64.urlsafe_b64encode(b"0001-01-01T00:00:00+14:00 msg_x").decode()}, "cursor"),
    ],
)
def test_a_time_outside_the_calendar_is_refused(light: TestClient, query: dict[str, str], field: str) -> None:
    answer = light.get("/v1/messages", params=query)
    assert (answer.status_code, fields(answer)) == (400, [field])


def test_a_verdict_that_cannot_be_read_names_the_body(light: TestClient) -> None:
    path = "/v1/messages/msg_x/feedback"
    broken = light.post(path, content=b'{"verdict":', headers=JSON)
    assert (broken.status_code, fields(broken)) == (422, ["body"])
    large = light.post(path, content=b"x" * (26 * 1024 * 1024), headers=JSON)
    assert (large.status_code, fields(large)) == (413, ["body"])


def test_what_a_person_wrote_is_kept_without_what_no_store_can_hold(light: TestClient) -> None:
    message_id = light.post("/v1/messages?wait=20", json={"text": "The truck is late."}).json()["id"]
    said = {
        "verdict": "correct",
        "by": "a\0nna",
        "comment": "see\0 below",
        "label": LABEL,
        "fields": {"p\0ro": ["1\0"]},
    }
    light.post(f"/v1/messages/{message_id}/feedback", json=said).raise_for_status()
    (row,) = light.app.state.runtime.store.feedback(message_id)  # type: ignore[attr-defined]
    assert (row.by, row.comment, row.fields) == ("anna", "see below", {"pro": ["1"]})


def test_a_form_is_bounded_like_json_and_says_what_is_wrong(light: TestClient) -> None:
    picture = f'<p>The truck is late.</p><img src="data:image/png;base64,{"A" * 2_000_000}">'
    assert light.post("/v1/messages", data={"html": picture}, files={"f": b"hello"}).status_code == 202
    many = light.post("/v1/messages", files=[(f"f{n}", (f"{n}.txt", b"hello")) for n in range(21)])
    assert (many.status_code, fields(many)) == (413, ["attachments"])
    wide = light.post("/v1/messages", data={f"f{n}": "x" for n in range(101)}, files={"f": b"hello"})
    assert (wide.status_code, fields(wide)) == (413, ["body"])
    for content, headers in ((b"garbage", FORM), (b"x", {"Content-Type": "multipart/form-data"})):
        broken = light.post("/v1/messages", content=content, headers=headers)
        assert (broken.status_code, fields(broken)) == (400, ["body"])
        assert "boundary" in broken.json()["message"]
