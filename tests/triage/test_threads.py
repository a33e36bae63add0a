"""A reply that changes the state of its case takes the earlier result's place, and says so in Odoo."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import create_app
from classifiers.prediction import Prediction
from classifiers.taxonomy import load_taxonomy
from extractors.evidence import Evidence, Finding
from extractors.extraction import Extraction
from extractors.message import Message
from tests.ledger import Ledger
from tests.light import light_tools
from triage.pipeline import Tools
from triage.result import FieldEvidence, FieldValue, OdooItem
from triage.runtime import Runtime
from triage.settings import Settings
from triage.threads import Change, Earlier, change, facts

BROKEN = (
    "Breakdown A67",
    "Good morning, our truck with WH/OUT/00042 broke down on the A67 near Eindhoven, gearbox gone, "
    "driver is waiting for a tow.",
)
SOLVED = (
    "Re: Breakdown A67",
    "Good news, repaired and back on the road since 11:20, delivered and signed for at 14:05, POD attached. "
    "All sorted, thanks for your patience.",
)


def mail(
    content: tuple[str, str], number: int, sender: str = "ops@carrier.example", reply_to: int | None = None
) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"] = content[0], sender
    message["Message-ID"] = f"<{number}@carrier.example>"
    if reply_to is not None:
        message["In-Reply-To"] = f"<{reply_to}@carrier.example>"
        message["References"] = f"<{reply_to}@carrier.example>"
    message.set_content(content[1])
    return bytes(message)


def post(service: TestClient, raw: bytes) -> dict[str, Any]:
    answer = service.post("/v1/messages?wait=30", content=raw, headers={"Content-Type": "message/rfc822"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_solved_exception_supersedes_the_earlier_result_and_asks_to_close_its_item(
    service: TestClient, ledger: Ledger
) -> None:
    first = post(service, mail(BROKEN, 1))
    assert (first["label"], first["state"]) == ("vehicle_breakdown", "published")
    reply = post(service, mail(SOLVED, 2, reply_to=1))
    assert (reply["label"], reply["state"]) == ("status_update", "published")
    assert reply["supersedes"] == first["id"]
    assert reply["match"]["name"] == "WH/OUT/00042", "known from the thread: the reply names no reference"
    (step,) = reply["recommendations"]
    assert step["action"] == "close_item"
    assert "Solved?" in reply["draft"]["summary"]
    assert f"activity {first['odoo'][0]['id']}" in reply["draft"]["note"]
    again = service.get(f"/v1/messages/{first['id']}").json()
    assert again["superseded_by"] == reply["id"]
    assert len(ledger.keys()) == 2


def test_the_pages_of_a_superseded_message_and_of_its_follow_up_lead_to_each_other(service: TestClient) -> None:
    first, reply = post(service, mail(BROKEN, 1)), post(service, mail(SOLVED, 2, reply_to=1))
    assert f'"/dashboard/messages/{reply["id"]}"' in service.get(f"/dashboard/messages/{first['id']}").text
    assert f'"/dashboard/messages/{first["id"]}"' in service.get(f"/dashboard/messages/{reply['id']}").text


def test_a_stranger_who_names_a_message_of_the_thread_changes_nothing(service: TestClient) -> None:
    first = post(service, mail(BROKEN, 1))
    other = post(service, mail(SOLVED, 2, sender="someone@else.example", reply_to=1))
    assert other["supersedes"] is None
    assert other["state"] == "ignored"
    assert service.get(f"/v1/messages/{first['id']}").json()["superseded_by"] is None


def test_of_a_free_mail_service_only_the_same_address_is_the_same_side(service: TestClient) -> None:
    first = post(service, mail(BROKEN, 1, sender="jan.kok@gmail.com"))
    other = post(service, mail(SOLVED, 2, sender="somebody.else@gmail.com", reply_to=1))
    assert (other["supersedes"], other["state"]) == (None, "ignored")
    assert post(service, mail(SOLVED, 3, sender="Jan.Kok@gmail.com", reply_to=1))["supersedes"] == first["id"]


def test_good_news_without_a_known_exception_needs_nobody(service: TestClient, ledger: Ledger) -> None:
    assert post(service, mail(SOLVED, 7, reply_to=6))["state"] == "ignored"
    assert not ledger.keys()


ITEM = OdooItem(kind="activity", model="mail.activity", id=7, url="http://odoo.example/7")


@pytest.mark.parametrize(
    ("label", "priority", "expected"),
    [
        ("transit_delay", "P2", "update"),
        ("transit_delay", "P3", "update"),
        ("transit_delay", "P1", "escalation"),
        ("missing_goods", "P1", "escalation"),
        ("missing_goods", "P2", "changed"),
        ("status_update", "P4", "solved"),
    ],
)
def test_how_the_state_moved(label: str, priority: Any, expected: Change) -> None:
    earlier = Earlier(id="msg_1", label="transit_delay", is_exception=True, priority="P2", item=ITEM)
    assert change(earlier, label, priority) == expected


def test_immediate_danger_is_an_escalation_once_though_the_case_was_of_the_highest_priority() -> None:
    earlier = Earlier(id="msg_1", label="compliance_incident", is_exception=True, priority="P1", item=ITEM)
    assert change(earlier, "compliance_incident", "P1") == "update"
    assert change(earlier, "compliance_incident", "P1", emergency=True) == "escalation"
    told = earlier.model_copy(update={"emergency": True})
    assert change(told, "compliance_incident", "P1", emergency=True) == "update"


def test_an_emergency_is_not_added_to_the_item_of_an_incident_without_one(service: TestClient, ledger: Ledger) -> None:
    cold = "Temperature log of WH/OUT/00042 shows +9 °C, required 2-8 °C. Goods quarantined."
    leak = "WH/OUT/00042: the drums are leaking acid now, driver injured, the depot is being evacuated."
    first = post(service, mail(("Temperature WH/OUT/00042", cold), 1))
    assert (first["label"], first["priority"], first["emergency"]) == ("compliance_incident", "P1", None)
    second = post(service, mail(("Re: Temperature WH/OUT/00042", leak), 2, reply_to=1))
    assert second["emergency"] == "leaking"
    assert second["supersedes"] == first["id"]
    assert second["draft"]["summary"].startswith("EMERGENCY [P1] Escalation:")
    assert second["draft"]["adds_to"] is None
    third = post(service, mail(("Re: Temperature WH/OUT/00042", leak), 3, reply_to=2))
    assert third["draft"]["adds_to"]["key"] == second["odoo"][0]["key"]


def test_the_same_trouble_with_a_new_time_of_arrival_is_a_change_and_the_same_time_again_is_none() -> None:
    eta = frozenset({("eta_revised", "2026-11-25")})
    earlier = Earlier(id="msg_1", label="transit_delay", is_exception=True, priority="P2", item=ITEM, facts=eta)
    assert change(earlier, "transit_delay", "P2", eta) == "update"
    assert change(earlier, "transit_delay", "P2") == "update"
    assert change(earlier, "transit_delay", "P2", frozenset({("eta_revised", "2026-11-27")})) == "changed"


@pytest.mark.parametrize(("score", "expected"), [(0.9, frozenset({("eta_revised", "2026-11-27")})), (0.4, frozenset())])
def test_a_guessed_time_of_arrival_is_no_news(score: float, expected: frozenset[tuple[str, str]]) -> None:
    evidence = FieldEvidence(part="body", quote="Friday", start=0, end=6, method="pointed")
    assert facts({"eta_revised": (FieldValue(value="2026-11-27", score=score, evidence=evidence),)}) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-24", "update"),
        ("2026-11-24T13:00:00+00:00", "update"),
        ("2026-11-24T14:00:00", "changed"),
        ("2026-11-25", "changed"),
        ("soon", "changed"),
    ],
)
def test_the_day_alone_and_the_same_moment_in_another_zone_are_no_news(value: str, expected: Change) -> None:
    told = frozenset({("eta_revised", "2026-11-24T14:00:00+01:00")})
    earlier = Earlier(id="msg_1", label="transit_delay", is_exception=True, priority="P2", item=ITEM, facts=told)
    assert change(earlier, "transit_delay", "P2", frozenset({("eta_revised", value)})) == expected


def test_a_new_reason_for_approval_is_a_change_and_one_that_was_asked_about_is_none() -> None:
    asked = frozenset(["carrier selection"])
    earlier = Earlier(id="msg_1", label="no_capacity", is_exception=True, priority="P2", item=ITEM, reasons=asked)
    assert change(earlier, "no_capacity", "P2", reasons=asked) == "update"
    assert change(earlier, "no_capacity", "P2", reasons=asked | {"regulated goods"}) == "changed"


def read_as(label: str, eta: tuple[str, float] | None = None) -> Tools:
    """Tools that take every message for one label and find one reference and time of arrival in it."""

    def extract(message: Message, _now: datetime) -> Extraction:
        told = [("delivery_order", "WH/OUT/00042", 0.97), *([("eta_revised", *eta)] if eta else [])]
        where = Evidence(part="body", quote="x", start=0, end=1)
        found = [Finding(field=f, value=v, score=s, method="pattern", evidence=where) for f, v, s in told]
        return Extraction(message=message, findings=tuple(found))

    def classify(_extraction: Extraction) -> Prediction:
        scores = {code: 0.999 if code == label else 0.00004 for code in load_taxonomy().codes}
        return Prediction(label=label, confidence=0.999, scores=scores, abstained=None, version="told")

    return light_tools(extract=extract, classify=classify)


def test_what_is_filed_unseen_supersedes_nothing(settings: Settings, ledger: Ledger) -> None:
    def read(message: bytes, tools: Tools) -> dict[str, Any]:
        app = create_app(settings, lambda s: Runtime.build(s, records=ledger, publisher=ledger, tools=tools))
        with TestClient(app, base_url="http://127.0.0.1:8000") as client:
            return post(client, message)

    first = read(mail(BROKEN, 1), read_as("vehicle_breakdown", ("2026-11-27", 0.9)))
    away = read(mail(("Away", "I am out of the office."), 2, reply_to=1), read_as("not_dispatch"))
    assert (first["state"], away["state"], away["supersedes"]) == ("published", "ignored", None)
    guess = read(mail(("Re", "Friday?"), 3, reply_to=1), read_as("vehicle_breakdown", ("2026-11-25", 0.3)))
    same = read(mail(("Re", "27th"), 4, reply_to=1), read_as("vehicle_breakdown", ("2026-11-27", 0.9)))
    assert (guess["supersedes"], same["supersedes"]) == (None, None), "a guess in between changes nothing"
    news = read(mail(("Re", "28th"), 5, reply_to=1), read_as("vehicle_breakdown", ("2026-11-28", 0.9)))
    assert news["supersedes"] == same["id"], "the newest of the thread that stands"


def test_without_an_item_in_odoo_there_is_nothing_to_close() -> None:
    earlier = Earlier(id="msg_1", label="transit_delay", is_exception=True, priority="P2")
    assert change(earlier, "status_update", "P4") == "changed"
