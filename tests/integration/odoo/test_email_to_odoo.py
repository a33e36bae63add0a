"""The whole service against a real Odoo 11: what a carrier writes ends where a supervisor looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from reportlab.pdfgen.canvas import Canvas

from api import create_app
from tests.integration.odoo.database import OdooDatabase
from triage.pipeline import Tools
from triage.runtime import Runtime
from triage.settings import Settings

EML = {"Content-Type": "message/rfc822"}
Start = Callable[..., AbstractContextManager[TestClient]]


def notice(picking: str, *, number: int = 1) -> bytes:
    """A carrier's mail; the number of the delivery stands only in its PDF."""
    file = BytesIO()
    canvas = Canvas(file)
    lines = [
        "NOORDERVRACHT BV  -  CARRIER NOTICE",
        f"Delivery order: {picking}",
        "Vehicle: 93-BDH-7",
        "Status: vehicle broken down, gearbox, waiting for a tow",
    ]
    for row, line in enumerate(lines):
        canvas.drawString(72, 770 - 20 * row, line)
    canvas.save()
    mail = EmailMessage()
    mail["From"] = "Planning Noordervracht <planning@noordervracht.example>"
    mail["To"] = "dispatch@shipper.example"
    mail["Subject"] = "Breakdown A67"
    mail["Message-ID"] = f"<notice-{number}-{picking.replace('/', '-')}@noordervracht.example>"
    mail.set_content(
        "Good morning,\n\nour truck broke down on the A67 near Eindhoven, gearbox gone, driver is waiting for a tow."
        "\n\nKind regards,\nPlanning"
    )
    mail.add_attachment(file.getvalue(), maintype="application", subtype="pdf", filename="notice.pdf")
    return bytes(mail)


@pytest.fixture
def start(tmp_path: Path, odoo: OdooDatabase, tools: Tools) -> Start:
    """Starts the service on that Odoo, as its environment would."""

    @contextmanager
    def service(**more: Any) -> Iterator[TestClient]:
        given: dict[str, Any] = {name.removeprefix("TRIAGE_").lower(): value for name, value in odoo.settings().items()}
        settings = Settings(_env_file=None, data_dir=tmp_path / "data", **given, **more)
        app = create_app(settings, lambda s: Runtime.build(s, tools=tools))
        with TestClient(app, base_url="http://127.0.0.1:8000") as client:
            yield client

    return service


def test_an_email_with_a_pdf_becomes_one_activity_on_the_right_picking_and_changes_nothing_else(
    odoo: OdooDatabase, start: Start
) -> None:
    odoo.make_shipment()
    shipment = odoo.make_shipment(scheduled=datetime.now(UTC) + timedelta(hours=3))
    before = odoo.stock_rows()
    with start() as service:
        result = service.post("/v1/messages?wait=25", content=notice(shipment.name), headers=EML).json()
        assert result["state"] == "published", result
        (activity,) = odoo.activities(shipment.id)
        assert activity["id"] == result["odoo"][0]["id"]
        assert activity["user_id"][0] == odoo.user_id(odoo.dispatcher)
        assert "Vehicle breakdown" in activity["summary"]
        assert activity["summary"].startswith(f"[{result['priority']}]")
        assert activity["date_deadline"] >= f"{datetime.now(UTC):%Y-%m-%d}"
        assert result["evidence"][0]["quote"] in activity["note"].replace("&nbsp;", " ")
        assert f"/dashboard/messages/{result['id']}" in activity["note"]
        assert f"Ref: triage:{result['id']}" in activity["note"]
        found = result["fields"]["delivery_order"][0]
        assert (found["value"], found["evidence"]["part"], found["evidence"]["page"]) == (
            shipment.name,
            "attachment:0",
            1,
        )

        again = service.post("/v1/messages?wait=25", content=notice(shipment.name), headers=EML)
        assert (again.status_code, again.json()["duplicate"]) == (200, True)
        assert len(odoo.activities(shipment.id)) == 1
    assert odoo.stock_rows() == before


def test_a_dear_shipment_becomes_one_confirmed_approval_request(odoo: OdooDatabase, start: Start) -> None:
    shipment = odoo.make_shipment(price=2_500.0, quantity=10.0)
    before = odoo.stock_rows()
    with start() as service:
        result = service.post("/v1/messages?wait=25", content=notice(shipment.name), headers=EML).json()
        assert result["state"] == "published", result
        assert result["recommendations"][0]["requires_approval"] is True
        (request,) = odoo.requests(f"triage:{result['id']}")
        assert request["request_status"] == "pending"
        assert request["amount"] == 25_000.0
        assert not odoo.activities(shipment.id)
        service.post("/v1/messages?wait=25", content=notice(shipment.name), headers=EML)
        assert len(odoo.requests()) == 1
    assert odoo.stock_rows() == before


def test_what_came_while_odoo_was_stopped_is_published_once_it_is_back(odoo: OdooDatabase, start: Start) -> None:
    shipment = odoo.make_shipment()
    with start() as service:
        odoo.stop()
        try:
            path = service.post("/v1/messages", content=notice(shipment.name), headers=EML).json()["id"]
            seen = wait_for(service, path, lambda result: bool(result["provenance"]))
            assert seen["state"] == "processing"
            assert seen["label"] == "vehicle_breakdown"
            assert seen["provenance"]["degraded"] == ["odoo_unavailable"]
            assert service.get("/health/ready").json()["parts"]["odoo"]["status"] == "degraded"
            assert service.get("/health/ready").status_code == 200
        finally:
            odoo.start()
        assert wait_for(service, path, lambda result: result["state"] == "published")["match"]["name"] == shipment.name
        assert len(odoo.activities(shipment.id)) == 1


def test_an_unmatched_message_is_held_or_goes_to_the_fallback_record(odoo: OdooDatabase, start: Start) -> None:
    inbox = odoo.make_shipment(order=None, partner="Dispatch inbox")
    with start() as service:
        held = service.post("/v1/messages?wait=25", content=notice("WH/OUT/99999"), headers=EML).json()
        assert held["state"] == "held"
    with start(odoo_fallback_model="stock.picking", odoo_fallback_id=inbox.id) as service:
        result = service.post("/v1/messages?wait=25", content=notice("WH/OUT/99999", number=2), headers=EML).json()
        assert result["state"] == "published", result
        assert result["match"] is None
    assert len(odoo.activities(inbox.id)) == 1


def wait_for(service: TestClient, message_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        result: dict[str, Any] = service.get(f"/v1/messages/{message_id}").json()
        if condition(result):
            return result
        time.sleep(0.2)
    raise AssertionError(f"it did not come to that: {result}")
