"""What is answered while something is away, hangs or is lost."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from extractors.extraction import Extraction
from extractors.message import Message
from tests.ledger import Ledger
from tests.light import light_service, light_tools
from triage.settings import Settings


def test_an_odoo_that_hangs_leaves_the_service_ready_and_is_asked_once(settings: Settings, ledger: Ledger) -> None:
    asked, over = [], threading.Event()

    class Hanging(Ledger):
        def find(self, references: object) -> list[object]:  # type: ignore[override]
            asked.append(1)
            over.wait(60)
            return []

    hanging = Hanging(ledger._path)
    with light_service(settings, records=hanging, publisher=hanging) as client:
        started = time.monotonic()
        first, second = client.get("/health/ready"), client.get("/health/ready")
        over.set()
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json()["parts"]["odoo"]["status"] == "degraded"
        assert "does not answer" in second.json()["parts"]["odoo"]["problem"]
        assert time.monotonic() - started < 30 and len(asked) == 1
        until = time.monotonic() + 20
        while client.get("/health/ready").json()["status"] != "ok" and time.monotonic() < until:
            time.sleep(0.1)
        assert client.get("/health/ready").json()["status"] == "ok"


def test_the_page_of_a_message_whose_file_is_lost_still_shows_it(settings: Settings) -> None:
    body = {"subject": "Seal broken", "attachments": [{"filename": "a.txt", "content_base64": "aGVsbG8gd29ybGQ="}]}
    with light_service(settings) as client:
        message_id = client.post("/v1/messages?wait=20", json=body).json()["id"]
        for file in (settings.data_dir / "files").glob("*/*"):
            file.unlink()
        page = client.get(f"/dashboard/messages/{message_id}")
        assert page.status_code == 200 and "Seal broken" in page.text


def test_slow_stateless_calls_leave_threads_for_intake(settings: Settings) -> None:
    begun, over = [], threading.Event()

    def slow(message: Message, now: object) -> Extraction:
        begun.append(1)
        over.wait(100)
        return Extraction(message=message)

    hasty = settings.model_copy(update={"intake_seconds": 5.0, "run_worker": False})
    with light_service(hasty, light_tools(extract=slow)) as client, ThreadPoolExecutor(45) as pool:
        asked = [pool.submit(client.post, "/v1/extract", json={"text": f"number {n}"}) for n in range(45)]
        seen = 0
        while not seen or seen < len(begun):  # until no more begin
            seen = len(begun)
            time.sleep(4)
        taken = client.post("/v1/messages", json={"text": "The truck is late."})
        over.set()
        assert taken.status_code == 202
        assert {answer.result().status_code for answer in asked} == {200}
