"""References that lead to the records of a real Odoo 11."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.integration.odoo.database import OdooDatabase
from tests.integration.odoo.server import ADMIN
from triage.odoo.gateway import Gateway
from triage.odoo.records import OdooRecords
from triage.odoo.rpc import OdooRpcTransport
from triage.odoo.setup import Bot, Setup


@pytest.fixture
def odoo(shared_odoo: OdooDatabase) -> OdooDatabase:
    return shared_odoo


@pytest.fixture
def records(odoo: OdooDatabase) -> OdooRecords:
    return OdooRecords(odoo.gateway())


def test_a_picking_is_found_by_its_name_its_order_its_customers_reference_and_its_tracking_number(
    odoo: OdooDatabase, records: OdooRecords
) -> None:
    odoo.make_shipment(tracking="1Z999AA10123456785, 1Z999AA10123456786")
    when = datetime(2026, 12, 1, 8, 15, tzinfo=UTC)
    shipment = odoo.make_shipment(
        tracking="JD0146000034, JD0146000035", partner_reference="PO-4711", scheduled=when, price=80, quantity=5
    )
    assert shipment.order is not None
    for references in (
        {"delivery_order": [shipment.name.lower()]},
        {"shipment": [shipment.name]},
        {"sales_order": [shipment.order]},
        {"purchase_order": ["PO-4711"]},
        {"tracking": ["JD0146000035"]},
        {"bol": ["jd0146000034"], "purchase_order": ["PO-4711"], "sales_order": [shipment.order]},
    ):
        (record,) = records.find(references)
        assert (record.model, record.id, record.name) == ("stock.picking", shipment.id, shipment.name)
    assert {shipment.name, shipment.order, "PO-4711", "JD0146000034"} <= set(record.references)
    assert (record.value, record.currency) == (400.0, "EUR")
    assert record.responsible == odoo.dispatcher
    assert record.site == "WH"
    assert record.scheduled_at == when
    assert record.partner == "Brouwerij De Kroon"
    assert record.partner_email == "goods@example.com"
    assert records.get("stock.picking", shipment.id) == record
    assert records.find({}) == records.find({"invoice": ["INV/1"], "tracking": ["JD01460000"]}) == []


def test_receipts_are_found_by_purchase_order_and_lone_transfers_are_valued_at_list_price(
    odoo: OdooDatabase, records: OdooRecords
) -> None:
    receipt = odoo.make_shipment(order="purchase", price=25, quantity=4, partner_reference="SUP-99")
    assert receipt.order is not None
    for references in ({"purchase_order": [receipt.order]}, {"sales_order": ["SUP-99"]}):
        (record,) = records.find(references)
        assert (record.id, record.value, record.currency) == (receipt.id, 100.0, "EUR")
    lone = odoo.make_shipment(order=None, price=3, quantity=7)
    (record,) = records.find({"delivery_order": [lone.name]})
    assert (record.value, record.currency, record.responsible) == (21.0, "EUR", None)


def test_an_order_without_shipments_is_found_itself_and_one_with_two_as_both(
    odoo: OdooDatabase, records: OdooRecords
) -> None:
    partner = odoo.create("res.partner", name="Still talking")
    order = odoo.create("sale.order", partner_id=partner, client_order_ref="PO-1")
    (record,) = records.find({"purchase_order": ["PO-1"]})
    assert (record.model, record.id) == ("sale.order", order)
    split = odoo.make_shipment(two_deliveries=True)
    assert split.order is not None
    assert len(records.find({"sales_order": [split.order]})) == 2


def test_steps_inside_the_warehouse_are_left_out_unless_they_are_named(
    odoo: OdooDatabase, records: OdooRecords
) -> None:
    warehouse = odoo.search("stock.warehouse", [], [])[0]["id"]
    odoo.write("stock.warehouse", warehouse, delivery_steps="pick_pack_ship")
    shipment = odoo.make_shipment()
    odoo.write("stock.warehouse", warehouse, delivery_steps="ship_only")  # archives the kinds of the inner steps
    assert shipment.order is not None
    steps = odoo.search("stock.picking", [["origin", "=", shipment.order]], ["name"])
    assert len(steps) == 3
    (record,) = records.find({"sales_order": [shipment.order]})
    assert "/OUT/" in record.name
    inner = next(step for step in steps if "/PICK/" in step["name"])
    assert {r.name for r in records.find({"delivery_order": [inner["name"]]})} == {inner["name"]}


def test_what_is_gone_or_of_another_kind_is_no_record(odoo: OdooDatabase, records: OdooRecords) -> None:
    partner = odoo.create("res.partner", name="Dispatch desk")
    found = records.get("res.partner", partner)
    assert found is not None
    assert found.name == "Dispatch desk"
    for model, record_id in [("stock.picking", 999999), ("helpdesk.ticket", 1), ("res.users", 1), ("ir.cron", 1)]:
        assert records.get(model, record_id) is None


def test_hostile_references_find_nothing_and_break_nothing(odoo: OdooDatabase, records: OdooRecords) -> None:
    odoo.make_shipment(tracking="JD0146000034")
    hostile = ["%", "_____", "'; drop table stock_picking; --", "\x00\x01", "x" * 5000, "JD%", "|", "&"]
    many = [f"REF-{i:06d}" for i in range(5000)]
    fields = ("delivery_order", "shipment", "sales_order", "purchase_order", "tracking", "bol", "cmr", "awb", "pro")
    assert records.find(dict.fromkeys(fields, hostile + many)) == []


def test_a_batch_stands_for_its_shipments_and_a_single_one_for_itself(odoo: OdooDatabase) -> None:
    app = odoo.search("ir.module.module", [["name", "=", "stock_picking_batch"]], ["id"])[0]["id"]
    odoo.admin.execute_kw("ir.module.module", "button_immediate_install", [[app]])
    Setup(OdooRpcTransport(odoo.url, odoo.db, *ADMIN, 20.0), odoo.url).install(Bot("batch-bot", password="a-secret"))
    gateway = Gateway(OdooRpcTransport(odoo.url, odoo.db, "batch-bot", "a-secret", 20.0))
    records = OdooRecords(gateway)
    one, two, three = (odoo.make_shipment() for _ in range(3))
    for name, shipments in (("BATCH/00033", (one, two)), ("BATCH/00034", (three,))):
        batch = odoo.create("stock.picking.batch", name=name)
        for shipment in shipments:
            odoo.write("stock.picking", shipment.id, batch_id=batch)
    (whole,) = records.find({"shipment": ["batch/00033"]})
    assert (whole.model, whole.name) == ("stock.picking.batch", "BATCH/00033")
    assert records.get("stock.picking.batch", whole.id) == whole
    assert gateway.actions["stock.picking.batch"]
    (first, second) = (records.find({"delivery_order": [name]})[0].value for name in (one.name, two.name))
    assert first and second and whole.value == first + second, "a batch needs the approvals of what it carries"
    (single,) = records.find({"shipment": ["BATCH/00034"]})
    assert (single.model, single.id) == ("stock.picking", three.id)
    assert {"BATCH/00034", three.name} <= set(single.references)
    assert {r.name for r in records.find({"shipment": ["BATCH/00033"], "delivery_order": [one.name]})} == {
        "BATCH/00033",
        one.name,
    }
    old_bot = OdooRecords(odoo.gateway())  # of a set-up before batches were installed
    assert old_bot.find({"shipment": ["BATCH/00033"]}) == []
    assert old_bot.find({"vehicle_plate": ["1ABC234"], "delivery_order": [one.name]})[0].id == one.id


def test_the_open_shipments_of_a_senders_firm_are_found_where_nothing_else_is(
    odoo: OdooDatabase, records: OdooRecords
) -> None:
    shipment = odoo.make_shipment(partner="Atelier Morel")
    partner = odoo.search("stock.picking", [["id", "=", shipment.id]], ["partner_id"])[0]["partner_id"][0]
    odoo.write("res.partner", partner, email="Achats@atelier-morel.example")
    for sender in ("achats@ATELIER-morel.example", "l.petit@atelier-morel.example"):
        (record,) = records.find({"sender": [sender]})
        assert (record.id, record.partner_email) == (shipment.id, "Achats@atelier-morel.example")
    other = odoo.make_shipment()
    (record,) = records.find({"sender": ["achats@atelier-morel.example"], "delivery_order": [other.name]})
    assert record.id == other.id
    odoo.admin.execute_kw("stock.picking", "action_cancel", [[shipment.id]])
    (firm,) = records.find({"sender": ["achats@atelier-morel.example"]})
    assert (firm.model, firm.id, firm.name) == ("res.partner", partner, "Atelier Morel")
    odoo.write("res.partner", partner, email="morel@gmail.com")
    assert records.find({"sender": ["other@gmail.com"]}) == []
    for hostile in ("%", "_@_", "%@%", "a@b", "x@" + "y" * 500, "a\\@gmail.com", "@gmail.com", "morel_@gmail.com"):
        assert records.find({"sender": [hostile]}) == []
