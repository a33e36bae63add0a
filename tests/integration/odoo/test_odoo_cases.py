"""One case has one live item in a real Odoo 11: follow-ups add to it or replace it; faults end in a stated state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import create_app
from extractors.message import Attachment
from tests.integration.odoo.database import OdooDatabase
from tests.integration.odoo.server import APPROVER, DISPATCHER
from tests.integration.odoo.test_email_to_odoo import EML, notice, wait_for
from tests.integration.odoo.test_odoo_publishing import draft, key_of
from tests.integration.odoo.test_odoo_setup import NEW, install, transport
from triage.errors import OdooRefused
from triage.odoo.gateway import Gateway
from triage.pipeline import Tools
from triage.runtime import Runtime
from triage.settings import Settings

Start = Callable[..., AbstractContextManager[TestClient]]
BROKEN = "our truck with {name} broke down on the A67 near Eindhoven, gearbox gone, driver is waiting for a tow."
STILL = "as said, the truck is still broken down near Eindhoven with its gearbox gone; the driver waits for the tow."


@pytest.fixture(scope="module")
def ready(shared_odoo: OdooDatabase) -> OdooDatabase:
    install(shared_odoo)
    return shared_odoo


@pytest.fixture
def start(tmp_path: Path, ready: OdooDatabase, tools: Tools) -> Start:
    """The service with the bot that the set-up made, who may write no record."""

    @contextmanager
    def service() -> Iterator[TestClient]:
        given: dict[str, Any] = {"odoo_url": ready.url, "odoo_db": ready.db}
        given |= {"odoo_login": NEW.login, "odoo_password": NEW.password}
        settings = Settings(_env_file=None, data_dir=tmp_path / "data", **given)
        with TestClient(
            create_app(settings, lambda s: Runtime.build(s, tools=tools)), base_url="http://127.0.0.1:8000"
        ) as client:
            yield client

    return service


def send(service: TestClient, text: str, thread: str, number: int) -> dict[str, Any]:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "planning@noordervracht.example", "Breakdown A67"
    mail["Message-ID"] = f"<{thread}-{number}@noordervracht.example>"
    if number > 1:
        mail["In-Reply-To"] = mail["References"] = f"<{thread}-1@noordervracht.example>"
    mail.set_content(f"Good morning,\n\n{text}\n\nKind regards,\nPlanning")
    answer = service.post("/v1/messages?wait=25", content=bytes(mail), headers=EML)
    found: dict[str, Any] = answer.json()
    return found


def test_a_follow_up_without_news_adds_to_the_open_activity_and_makes_one_once_that_is_done(
    ready: OdooDatabase, start: Start
) -> None:
    shipment = ready.make_shipment()
    with start() as service:
        first = send(service, BROKEN.format(name=shipment.name), "case", 1)
        assert first["state"] == "published", first
        for number in (2, 3):
            again = send(service, STILL, "case", number)
            assert (again["label"], again["state"]) == ("vehicle_breakdown", "published"), again
            assert again["odoo"] == first["odoo"]
            assert again["state_reason"] == f"added to activity {first['odoo'][0]['id']} of its case"
        assert len(ready.activities(shipment.id)) == 1
        page = service.get(f"/dashboard/messages/{first['id']}").text
        assert f"/dashboard/messages/{again['id']}" in page
        assert "nothing else was made" in service.get(f"/dashboard/messages/{again['id']}").text
        done = ready.server.session(ready.db, DISPATCHER)
        done.execute_kw("mail.activity", "action_feedback", [[first["odoo"][0]["id"]]], {"feedback": "towed"})
        later = send(service, STILL, "case", 4)
        assert later["odoo"][0]["id"] != first["odoo"][0]["id"]
        (activity,) = ready.activities(shipment.id)
        assert "Update:" in activity["summary"]


def test_a_request_of_ours_that_is_replaced_is_cancelled_once_the_new_one_stands_and_a_decided_one_never(
    ready: OdooDatabase,
) -> None:
    publisher = ready.publisher(Gateway(transport(ready)))
    shipment, decided = ready.make_shipment(), ready.make_shipment()
    key = key_of(shipment)
    first = publisher.publish(draft(shipment, kind="approval", category=ready.category))
    second = draft(shipment, key + "2", kind="approval", category=ready.category, replaces=first)
    for _ in range(2):  # a second try does no more
        publisher.publish(second)
    assert [row["request_status"] for row in ready.requests(key)] == ["cancel"]
    assert [row["request_status"] for row in ready.requests(key + "2")] == ["pending"]

    first = publisher.publish(draft(decided, kind="approval", category=ready.category))
    ready.server.session(ready.db, APPROVER).execute_kw("approval.request", "action_approve", [[first.id]])
    publisher.publish(draft(decided, key_of(decided) + "2", kind="approval", replaces=first))
    assert [row["request_status"] for row in ready.requests(key_of(decided))] == ["approved"]


def test_an_approval_request_carries_the_recommendation_and_the_documents_that_came(ready: OdooDatabase) -> None:
    publisher = ready.publisher(Gateway(transport(ready)))
    shipment = ready.make_shipment()
    files = (
        Attachment(filename="pod.pdf", content_type="application/pdf", content=b"%PDF-1.4 pod"),
        Attachment(filename="run.exe", content_type="application/octet-stream", content=b"MZ"),
        Attachment(filename="huge.pdf", content_type="application/pdf", content=b"x" * 10_000_001),
    )
    item = publisher.publish(draft(shipment, kind="approval", category=ready.category), files)
    domain = [["res_model", "=", "approval.request"], ["res_id", "=", item.id]]
    names = [row["name"] for row in ready.search("ir.attachment", domain, ["name"])]
    assert names == ["dispatch-exception.html", "1 pod.pdf"]


def test_without_the_app_an_approval_is_an_activity_of_the_type_for_approvals(ready: OdooDatabase) -> None:
    class WithoutApprovals(Gateway):
        def fields(self, model: str) -> frozenset[str]:
            return frozenset() if model.startswith("approval.") else super().fields(model)

    shipment = ready.make_shipment()
    ready.publisher(WithoutApprovals(transport(ready))).publish(draft(shipment, kind="approval"))
    (activity,) = ready.activities(shipment.id)
    assert activity["activity_type_id"][1] == "Dispatch approval"


def test_links_are_those_of_the_version(ready: OdooDatabase) -> None:
    publisher = ready.publisher(Gateway(transport(ready)))
    shipment = ready.make_shipment()
    old = f"{ready.url}/web#id={shipment.id}&model=stock.picking&view_type=form"
    assert publisher.publish(draft(shipment)).url == old

    newer = type(publisher)(Gateway(transport(ready)), ready.url, major=lambda: 18)
    assert newer.publish(draft(shipment)).url == f"{ready.url}/odoo/stock.picking/{shipment.id}"

    def hidden() -> int:
        raise OdooRefused("What answers is not Odoo.")

    unknown = type(publisher)(Gateway(transport(ready)), ready.url, major=hidden)
    assert unknown.publish(draft(shipment)).url == old


def test_an_archived_assignee_is_passed_over_and_the_note_says_for_whom_it_was(ready: OdooDatabase) -> None:
    left = ready.create("res.users", name="Left", login="left", email="left@example.com")
    ready.write("res.users", left, active=False)
    shipment = ready.make_shipment()
    ready.publisher(Gateway(transport(ready))).publish(draft(shipment, assignee="left"))
    (activity,) = ready.activities(shipment.id)
    assert activity["user_id"][0] == ready.user_id(ready.dispatcher)
    assert "Meant for left" in activity["note"]


def test_a_record_that_was_deleted_meanwhile_is_refused_with_its_reason(ready: OdooDatabase) -> None:
    shipment = ready.make_shipment(order=None)
    ready.admin.execute_kw("stock.picking", "unlink", [[shipment.id]])
    with pytest.raises(OdooRefused, match="the record is gone"):
        ready.publisher(Gateway(transport(ready))).publish(draft(shipment))


def test_a_removed_category_fails_the_message_with_the_remedy_and_a_retry_publishes_once_it_is_back(
    ready: OdooDatabase, start: Start
) -> None:
    shipment = ready.make_shipment(price=2_500.0, quantity=10.0)
    with start() as service:
        probe = service.post("/v1/messages?wait=25", content=notice(shipment.name), headers=EML).json()
        name = probe["draft"]["category"]
        (category,) = ready.search("approval.category", [["name", "=", name]], ["id"])
        ready.write("approval.category", category["id"], name="renamed away")
        failed = service.post("/v1/messages?wait=25", content=notice(shipment.name, number=2), headers=EML).json()
        assert failed["state"] == "failed"
        assert failed["failure"]["code"] == "odoo_refused"
        assert name in failed["failure"]["message"]
        ready.write("approval.category", category["id"], name=name)
        service.post(f"/v1/messages/{failed['id']}/retry")
        wait_for(service, failed["id"], lambda result: result["state"] == "published")
        assert len(ready.requests(f"triage:{failed['id']}")) == 1
