"""Carriers ranked from the finished deliveries of a real Odoo 11, with the bot that `triage odoo setup` makes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.odoo.database import OdooDatabase
from tests.integration.odoo.server import ADMIN
from triage.carriers import Lane
from triage.odoo.gateway import Gateway
from triage.odoo.history import History
from triage.odoo.records import OdooRecords
from triage.odoo.rpc import OdooRpcTransport
from triage.odoo.setup import Bot, Setup

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LANE = Lane(origin="WH", zone="BE 20", weight_class="up to 300 kg")


def bot_gateway(odoo: OdooDatabase) -> Gateway:
    return Gateway(OdooRpcTransport(odoo.url, odoo.db, "history-bot", "history-secret", 20.0))


def carrier(odoo: OdooDatabase, name: str) -> int:
    product = odoo.create("product.product", name=f"Freight {name}", type="service")
    return odoo.create("delivery.carrier", name=name, product_id=product, delivery_type="fixed")


def deliveries(odoo: OdooDatabase, carrier_id: int, outcomes: str, *, zip_code: str = "2030", cost: float = 90) -> None:
    """One finished delivery for each letter: `.` in time, `x` two days late."""
    belgium = odoo.search("res.country", [["code", "=", "BE"]], ["id"])[0]["id"]
    shipment = odoo.make_shipment(order=None)
    partner = odoo.search("stock.picking", [["id", "=", shipment.id]], ["partner_id"])[0]["partner_id"][0]
    odoo.write("res.partner", partner, country_id=belgium, zip=zip_code)
    with odoo.server.postgres.connect(odoo.db) as connection:
        columns = [
            row[0]
            for row in connection.execute(
                "select column_name from information_schema.columns where table_name = 'stock_picking'"
            )
        ]
        changed = ("id", "name", "state", "carrier_id", "scheduled_date", "date_done", "weight", "carrier_price")
        kept = ", ".join(f'"{c}"' for c in columns if c not in changed)
        for number, outcome in enumerate(outcomes):
            due = NOW - timedelta(days=3 + number)
            done = due + timedelta(days=2 if outcome == "x" else 0)
            connection.execute(
                f"insert into stock_picking ({kept}, name, state, carrier_id, scheduled_date, date_done, weight,"
                f" carrier_price) select {kept}, %s, 'done', %s, %s, %s, 120, %s from stock_picking where id = %s",
                (
                    f"H/{carrier_id}/{zip_code}/{number}",
                    carrier_id,
                    due.replace(tzinfo=None),
                    done.replace(tzinfo=None),
                    cost,
                    shipment.id,
                ),
            )


@pytest.fixture(scope="module")
def odoo(shared_odoo: OdooDatabase) -> OdooDatabase:
    Setup(OdooRpcTransport(shared_odoo.url, shared_odoo.db, *ADMIN, 20.0), shared_odoo.url).install(
        Bot("history-bot", password="history-secret")
    )
    late, fine = carrier(shared_odoo, "Altijd Later"), carrier(shared_odoo, "Scheldevracht")
    gone, few = carrier(shared_odoo, "Gone & Sons"), carrier(shared_odoo, "Twee Ritten")
    deliveries(shared_odoo, late, "xx.xx.xx..xx")
    deliveries(shared_odoo, fine, "........x...", cost=110)
    deliveries(shared_odoo, gone, "............")
    deliveries(shared_odoo, few, "..")
    deliveries(shared_odoo, fine, "xxxxx", zip_code="9000")
    shared_odoo.write("delivery.carrier", gone, active=False)
    return shared_odoo


def test_carriers_are_ranked_by_their_deliveries_on_the_lane_with_interval_sample_and_cost(odoo: OdooDatabase) -> None:
    best, worst = History(bot_gateway(odoo)).options(LANE, None, NOW)
    assert (best.carrier, best.shipments, best.cost, best.currency) == ("Scheldevracht", 12, 110.0, "EUR")
    assert (worst.carrier, worst.shipments, worst.cost) == ("Altijd Later", 12, 90.0)
    assert worst.low < worst.on_time_rate < worst.high < best.on_time_rate
    assert best.on_time_rate < 11 / 12  # what is known more broadly pulls it down
    assert best.usual_per_week is not None


def test_the_carrier_that_failed_is_no_option_and_an_unknown_lane_has_none(odoo: OdooDatabase) -> None:
    history = History(bot_gateway(odoo))
    assert [o.carrier for o in history.options(LANE, "Scheldevracht", NOW)] == ["Altijd Later"]
    assert history.options(Lane(origin="WH", zone="PL 00"), None, NOW) == ()


def test_history_is_read_once_an_hour_in_bounds_and_page_by_page(
    odoo: OdooDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = bot_gateway(odoo)
    history = History(gateway)
    calls: list[str] = []
    real = gateway.search_read

    def counted(model: str, *args: object, **kwargs: object) -> list[dict[str, object]]:
        calls.append(model)
        return real(model, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(gateway, "search_read", counted)
    assert len(history.trips(NOW)) == 43
    first = len(calls)
    assert first <= 8
    history.options(LANE, None, NOW + timedelta(minutes=59))
    assert len(calls) == first
    history.options(LANE, None, NOW + timedelta(minutes=61))
    assert len(calls) == 2 * first
    assert len(History(gateway, max_trips=7).trips(NOW)) == 7
    assert len(History(gateway, days=4).trips(NOW)) < 43
    monkeypatch.setattr("triage.odoo.history._PAGE", 10)
    assert len(History(gateway).trips(NOW)) == 43


def test_a_way_is_read_by_itself_where_the_latest_deliveries_do_not_hold_the_year(odoo: OdooDatabase) -> None:
    history = History(bot_gateway(odoo), max_trips=30)
    carriers = {trip.carrier for trip in history.trips(NOW)}
    assert "Altijd Later" not in carriers
    assert [(o.carrier, o.shipments) for o in history.options(LANE, None, NOW)] == [
        ("Scheldevracht", 12),
        ("Altijd Later", 4),
    ]


def test_a_bot_that_may_not_read_carriers_gets_no_options_and_no_error(odoo: OdooDatabase) -> None:
    group = odoo.search("ir.model.data", [["module", "=", "dispatch_triage"], ["name", "=", "group"]], ["res_id"])
    domain = [["group_id", "=", group[0]["res_id"]], ["model_id.model", "=", "stock.picking"]]
    access = odoo.search("ir.model.access", domain, ["id"])[0]["id"]
    odoo.write("ir.model.access", access, perm_read=False)
    try:
        assert History(bot_gateway(odoo)).options(LANE, None, NOW) == ()
    finally:
        odoo.write("ir.model.access", access, perm_read=True)


def test_a_shipments_lane_weight_and_dates_are_read(odoo: OdooDatabase) -> None:
    records = OdooRecords(bot_gateway(odoo))
    scheduled = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
    shipment = odoo.make_shipment(scheduled=scheduled, quantity=4)
    picking = odoo.search("stock.picking", [["id", "=", shipment.id]], ["partner_id"])[0]
    country = odoo.search("res.country", [["code", "=", "BE"]], ["id"])[0]["id"]
    tag = odoo.create("res.partner.category", name="Key account")
    odoo.write("res.partner", picking["partner_id"][0], country_id=country, zip="2018 AB", category_id=[(6, 0, [tag])])
    odoo.write("stock.picking", shipment.id, number_of_packages=3)
    (record,) = records.find({"delivery_order": [shipment.name]})
    assert record.lane == Lane(origin="WH", zone="BE 20")
    assert (record.direction, record.units, record.packages) == ("outgoing", 4.0, 3)
    assert (record.planned_at, record.promised_at, record.weight_kg) == (scheduled, None, None)
    assert record.customer_tags == ("Key account",)
    assert [o.carrier for o in records.carriers(LANE, None, NOW)] == ["Scheldevracht", "Altijd Later"]
