"""Text from outside stays in its place on the pages: however long a word is, and whichever way it is written."""

from __future__ import annotations

import re

from tests.light import light_service
from triage.settings import Settings

HEBREW = "המשאית מאחרת"


def test_text_written_from_right_to_left_turns_nothing_around_it(settings: Settings) -> None:
    body = {"subject": HEBREW, "text": f"{HEBREW}!", "sender": {"name": HEBREW}}
    with light_service(settings) as client:
        message_id = client.post("/v1/messages?wait=20", json=body).json()["id"]
        queue, page = client.get("/dashboard").text, client.get(f"/dashboard/messages/{message_id}").text
    assert queue.count(f"<bdi>{HEBREW}</bdi>") == 2, "subject and sender"
    assert f"from <bdi>{HEBREW}</bdi>, " in page, "else the minutes after it would stand before it"
    assert re.search(rf'<pre dir="auto">.*{HEBREW}!', page)


def test_a_word_without_an_end_breaks_instead_of_lying_over_the_next_column(settings: Settings) -> None:
    with light_service(settings) as client:
        style = client.get("/dashboard").text
    assert re.search(r"\bbody \{[^}]*overflow-wrap: break-word", style)
