"""Look-ups in a real Odoo 11 with 50,000 pickings, 30,000 of them delivered: milliseconds and calls.

    python -m eval.bench.matching [PICKINGS]

Starts the Odoo of the integration tests (built on the first run), fills a clone by SQL, and asks as the service does.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.integration.odoo.database import OdooDatabase, clone
from tests.integration.odoo.server import ADMIN, OdooServer, Postgres
from triage.carriers import Lane
from triage.odoo.gateway import Gateway
from triage.odoo.records import OdooRecords
from triage.odoo.rpc import OdooRpcTransport
from triage.odoo.setup import Bot, Setup
from triage.odoo.transport import Transport

PICKINGS = 50_000
REPEATS = 20


class Counting:
    """A transport that counts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.calls = 0

    @property
    def uid(self) -> int:
        return self._transport.uid

    def call(self, model: str, method: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        self.calls += 1
        return self._transport.call(model, method, args, kwargs or {})


def fill(odoo: OdooDatabase, count: int) -> str:
    """Copies of one real delivery and its move, each its own; returns the name of the last."""
    pattern = odoo.make_shipment(tracking="1Z999AA10123456784")
    carriers = []
    for letter in "ABCDEF":
        product = odoo.create("product.product", name=f"Freight {letter}", type="service")
        carriers.append(odoo.create("delivery.carrier", name=f"Carrier {letter}", product_id=product))
    belgium = odoo.search("res.country", [["code", "=", "BE"]], ["id"])[0]["id"]
    changed: dict[str, dict[str, str]] = {
        "res_partner": {
            "name": "'Customer ' || n",
            "display_name": "'Customer ' || n",
            "email": "'goods@customer' || n || '.example'",
            "zip": "(1000 + n % 9000)::text",
            "country_id": str(belgium),
            "commercial_partner_id": "null",
            "message_last_post": "null",
        },
        "stock_picking": {
            "name": "'WH/OUT/' || (100000 + n)",
            "origin": "'SO' || (100000 + n)",
            "carrier_tracking_ref": "'JD01460' || (10000000 + n)",
            "partner_id": f"(select min(id) from res_partner where name like 'Customer %') + n % {count // 2}",  # noqa: S608
            "carrier_id": f"(array{carriers})[1 + n % 6]",
            "state": "case when n % 5 < 3 then 'done' else 'assigned' end",
            "scheduled_date": "timestamp '2026-11-22 08:00' - (n % 360) * interval '1 day'",
            "date_done": "timestamp '2026-11-22 08:00' - (n % 360) * interval '1 day' + (n % 7 / 6) * interval '2 day'",
            "weight": "1 + n % 900",
            "carrier_price": "40 + n % 60",
            "sale_id": "null",
            "group_id": "null",
        },
        "stock_move": {"picking_id": "p.id", "name": "'move'", "group_id": "null", "sale_line_id": "null"},
    }
    sources = {
        "res_partner": ("res_partner", f"generate_series(1, {count // 2}) n"),
        "stock_picking": ("stock_picking", f"generate_series(1, {count}) n"),
        "stock_move": ("stock_move", "stock_picking p"),
    }
    partner = odoo.search("stock.picking", [["id", "=", pattern.id]], ["partner_id"])[0]["partner_id"][0]
    where = {
        "res_partner": f"t.id = {partner}",
        "stock_picking": f"t.id = {pattern.id}",
        "stock_move": f"t.picking_id = {pattern.id} and p.name like 'WH/OUT/1%' and length(p.name) = 13",
    }
    with odoo.server.postgres.connect(odoo.db) as connection:
        for table, (name, rows) in sources.items():
            query = "select column_name from information_schema.columns where table_name = %s and column_name <> 'id'"
            columns = [row[0] for row in connection.execute(query, (name,)).fetchall()]
            new = changed[table]
            values = [new.get(column, f't."{column}"') for column in columns]
            listed = ", ".join(f'"{column}"' for column in columns)
            text = (
                f"insert into {name} ({listed}) select {', '.join(values)} from {name} t, {rows} where {where[table]}"  # noqa: S608
            )
            connection.execute(text)
        connection.execute("analyze")
        connection.commit()
    return f"WH/OUT/{100000 + count}"


def measure(count: int = PICKINGS) -> None:
    postgres = Postgres()
    try:
        server = OdooServer(postgres)
        try:
            with clone(server) as odoo:
                _measure(odoo, count)
        finally:
            server.remove()
    finally:
        postgres.remove()


def _measure(odoo: OdooDatabase, count: int) -> None:
    last = fill(odoo, count)
    Setup(OdooRpcTransport(odoo.url, odoo.db, *ADMIN, 60.0), odoo.url).install(Bot("bench-bot", password="a-secret"))  # noqa: S106
    transport = Counting(OdooRpcTransport(odoo.url, odoo.db, "bench-bot", "a-secret", 60.0))
    records = OdooRecords(Gateway(transport))
    number = int(last.rsplit("/", 1)[1]) - 7
    asked: dict[str, dict[str, list[str]]] = {
        "delivery by name": {"delivery_order": [f"WH/OUT/{number}"]},
        "delivery by its order": {"sales_order": [f"SO{number}"]},
        "delivery by tracking number": {"tracking": [f"JD01460{10000000 + count - 7}"]},
        "sender alone": {"sender": [f"goods@customer{count // 4}.example"]},
        "nothing to be found": {
            "delivery_order": ["WH/OUT/1"],
            "tracking": ["JD0146099999999"],
            "sender": ["a@b.example"],
        },
        "20 references of all kinds": {
            field: [f"{prefix}{number - i}" for i in range(5)]
            for field, prefix in (("delivery_order", "WH/OUT/"), ("sales_order", "SO"), ("tracking", "JD0146010"))
        }
        | {"purchase_order": [f"P{i:05d}" for i in range(5)]},
    }
    print(f"{count} pickings in Odoo 11; median of {REPEATS}, after one to warm up")
    for what, references in asked.items():
        found = records.find(references)
        calls, times = transport.calls, []
        for _ in range(REPEATS):
            started = time.perf_counter()
            records.find(references)
            times.append((time.perf_counter() - started) * 1000)
        each = (transport.calls - calls) / REPEATS
        print(f"  {what:30} {statistics.median(times):7.0f} ms {each:5.0f} calls, {len(found)} records")
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    lane = Lane(origin="WH", zone="BE 65", weight_class="up to 300 kg")
    for what in ("carriers, history read", "carriers, from memory"):
        calls, started = transport.calls, time.perf_counter()
        options = records.carriers(lane, None, now)
        took = (time.perf_counter() - started) * 1000
        print(f"  {what:30} {took:7.0f} ms {transport.calls - calls:5} calls, {len(options)} options")


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else PICKINGS)
