"""What is answered while something is away, hangs or is lost."""

from __future__ import annotations

import threading
import time

from tests.ledger import Ledger
from tests.light import light_service
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
