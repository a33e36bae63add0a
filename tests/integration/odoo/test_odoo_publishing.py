"""Drafts that become activities and approval requests in a real Odoo 11, once each, and nothing besides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from extractors.message import RecordRef
from tests.integration.odoo.database import OdooDatabase, Shipment
from triage.errors import OdooRefused, OdooUnavailable
from triage.odoo.gateway import Gateway
from triage.odoo.publisher import OdooPublisher
from triage.odoo.records import OdooRecords
from triage.odoo.rpc import OdooRpcTransport
from triage.odoo.transport import BAD_LOGIN, UNKNOWN_MODEL
from triage.result import Draft, OdooItem

DUE = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)  # in Brussels it is the second already


def draft(shipment: Shipment, key: str | None = None, **changes: Any) -> Draft:
    values: dict[str, Any] = {
        "kind": "activity",
        "record": RecordRef(model="stock.picking", id=shipment.id),
        "record_name": shipment.name,
        "summary": "[P1] Vehicle breakdown (94%): " + shipment.name,
        "note": "<p>“the truck &lt;script&gt;alert(1)&lt;/script&gt; broke down”</p>",
        "due": DUE,
    }
    return Draft(key=key or key_of(shipment), **(values | changes))


def key_of(shipment: Shipment) -> str:
    return f"triage:msg_{shipment.id}x"


@pytest.fixture
def odoo(shared_odoo: OdooDatabase) -> OdooDatabase:
    return shared_odoo


@pytest.fixture
def publisher(odoo: OdooDatabase) -> OdooPublisher:
    return odoo.publisher()


def test_an_activity_stands_on_the_right_picking_assigned_due_and_escaped(
    odoo: OdooDatabase, publisher: OdooPublisher
) -> None:
    other, shipment = odoo.make_shipment(), odoo.make_shipment()
    item = publisher.publish(draft(shipment, assignee=odoo.approver))
    (activity,) = odoo.activities(shipment.id)
    assert activity["id"] == item.id
    assert activity["user_id"][0] == odoo.user_id(odoo.approver)
    assert activity["summary"] == f"[P1] Vehicle breakdown (94%): {shipment.name}"
    assert activity["activity_type_id"][1] == "Dispatch exception"
    assert activity["date_deadline"] == "2026-12-02"
    assert "&lt;script&gt;" in activity["note"]
    assert "<script" not in activity["note"]
    assert f"Ref: {key_of(shipment)}" in activity["note"]
    assert item.url == f"{odoo.url}/web#id={shipment.id}&model=stock.picking&view_type=form"
    assert odoo.activities(other.id) == []


def test_without_an_assignee_it_goes_to_the_orders_salesperson_and_else_to_the_bot(
    odoo: OdooDatabase, publisher: OdooPublisher
) -> None:
    owned, orphan = odoo.make_shipment(), odoo.make_shipment(order=None)
    publisher.publish(draft(owned))
    publisher.publish(draft(orphan))
    publisher.publish(draft(orphan, "triage:misdirected", assignee="nobody"))
    assert odoo.activities(owned.id)[0]["user_id"][0] == odoo.user_id(odoo.dispatcher)
    unassigned, misdirected = odoo.activities(orphan.id)
    assert unassigned["user_id"][0] == misdirected["user_id"][0] == odoo.user_id(odoo.login)
    assert "Meant for nobody" in misdirected["note"]


def test_the_same_draft_published_again_by_a_new_process_adds_nothing(
    odoo: OdooDatabase, publisher: OdooPublisher
) -> None:
    shipment = odoo.make_shipment()
    first = publisher.publish(draft(shipment))
    assert odoo.publisher().publish(draft(shipment)) == first
    longer = publisher.publish(draft(shipment, key_of(shipment) + "1"))
    wild = publisher.publish(draft(shipment, key_of(shipment).replace("_", "X")))
    assert len({first.id, longer.id, wild.id}) == 3
    assert len(odoo.activities(shipment.id)) == 3


def test_a_try_that_decides_otherwise_still_finds_what_an_earlier_one_made(
    odoo: OdooDatabase, publisher: OdooPublisher
) -> None:
    shipment, other = odoo.make_shipment(), odoo.make_shipment()
    first = publisher.publish(draft(shipment))
    key = key_of(shipment)
    assert publisher.publish(draft(other, key)) == first
    assert publisher.publish(draft(other, key, kind="approval")) == first
    assert odoo.activities(other.id) == odoo.requests(key) == []


def test_a_quoted_key_or_a_strangers_request_is_not_taken_for_ours(
    odoo: OdooDatabase, publisher: OdooPublisher
) -> None:
    shipment = odoo.make_shipment()
    quoting = publisher.publish(draft(shipment, note="<p>they wrote: Ref: triage:quoted</p>"))
    category = odoo.search("approval.category", [], [])[0]["id"]
    odoo.create("approval.request", category_id=category, reference="triage:quoted")
    assert publisher.publish(draft(shipment, "triage:quoted")).id != quoting.id
    assert len(odoo.activities(shipment.id)) == 2


def test_an_approval_request_is_created_and_confirmed_once(odoo: OdooDatabase, publisher: OdooPublisher) -> None:
    shipment = odoo.make_shipment(price=5000)
    wanted = draft(shipment, kind="approval", category=odoo.category, amount=50000.0)
    item = publisher.publish(wanted)
    assert odoo.publisher().publish(wanted) == item
    (request,) = odoo.requests(key_of(shipment))
    assert (item.kind, item.model, item.id) == ("approval", "approval.request", request["id"])
    assert request["request_status"] == "pending"
    assert request["amount"] == 50000.0
    assert "&lt;script&gt;" in request["reason"]
    assert request["request_owner_id"][0] == odoo.user_id(odoo.login)
    assert odoo.activities(shipment.id) == []


def test_a_request_that_was_created_and_not_confirmed_is_confirmed_by_the_next_try(
    odoo: OdooDatabase, publisher: OdooPublisher
) -> None:
    shipment = odoo.make_shipment()
    gateway = odoo.gateway()
    category = gateway.search_read("approval.category", [("name", "=", odoo.category)], ["id"])[0]["id"]
    request = gateway.create_request({"name": "half done", "category_id": category, "reference": key_of(shipment)})
    assert publisher.publish(draft(shipment, kind="approval")).id == request
    assert [r["request_status"] for r in odoo.requests(key_of(shipment))] == ["pending"]


def test_what_an_approval_category_requires_is_filled_or_named(odoo: OdooDatabase, publisher: OdooPublisher) -> None:
    shipment = odoo.make_shipment()
    approver = (0, 0, {"user_id": odoo.user_id(odoo.approver)})
    category = odoo.create("approval.category", name="Demanding", approver_ids=[approver])
    filled = (
        "has_amount",
        "has_date",
        "has_location",
        "has_partner",
        "has_period",
        "has_quantity",
        "requirer_document",
    )
    odoo.write("approval.category", category, **dict.fromkeys(filled, "required"))
    with pytest.raises(OdooRefused, match="requires an amount"):
        publisher.publish(draft(shipment, kind="approval", category="Demanding"))
    item = publisher.publish(draft(shipment, kind="approval", category="Demanding", amount=1.0))
    fields = ["date", "date_start", "location", "partner_id", "quantity"]
    (request,) = odoo.search("approval.request", [["id", "=", item.id]], fields)
    assert all(request[field] for field in fields)
    assert request["date"] == "2026-12-01 23:30:00"
    files = odoo.search("ir.attachment", [["res_model", "=", "approval.request"], ["res_id", "=", item.id]], ["name"])
    assert len(files) == 1
    odoo.write("approval.category", category, has_product="required")
    with pytest.raises(OdooRefused, match="requires products"):
        publisher.publish(draft(shipment, "triage:other", kind="approval", category="Demanding", amount=1.0))
    with pytest.raises(OdooRefused, match="no approval category 'Nonesuch'"):
        publisher.publish(draft(shipment, "triage:other", kind="approval", category="Nonesuch"))
    assert odoo.requests("triage:other") == []


def test_without_the_approvals_app_the_approver_gets_an_activity_that_says_so(odoo: OdooDatabase) -> None:
    class WithoutApprovals:
        """The real transport, with approval.* asked for under a name that this Odoo does not have."""

        def __init__(self, real: OdooRpcTransport) -> None:
            self._real = real

        @property
        def uid(self) -> int:
            return self._real.uid

        def call(self, model: str, method: str, args: Any, kwargs: Any) -> Any:
            return self._real.call(model.replace("approval.", "approvals_not_here."), method, args, kwargs)

    shipment = odoo.make_shipment()
    publisher = odoo.publisher(Gateway(WithoutApprovals(odoo.transport())))
    item = publisher.publish(draft(shipment, kind="approval", assignee=odoo.approver))
    (activity,) = odoo.activities(shipment.id)
    assert (item.kind, item.id) == ("activity", activity["id"])
    assert activity["summary"].startswith("Approval needed (no approvals app in Odoo): [P1]")
    assert activity["user_id"][0] == odoo.user_id(odoo.approver)


def test_odoo_stopped_is_unavailable_and_the_same_objects_publish_when_it_is_back(
    odoo: OdooDatabase, publisher: OdooPublisher
) -> None:
    shipment, later = odoo.make_shipment(), odoo.make_shipment()
    publisher.publish(draft(shipment))
    cold = odoo.publisher()
    odoo.stop()
    for each in (publisher, cold):
        with pytest.raises(OdooUnavailable) as raised:
            each.publish(draft(later))
        assert raised.value.retryable
    odoo.start()
    items = {each.publish(draft(later)).id for each in (publisher, cold)}
    assert len(items) == 1 == len(odoo.activities(later.id))


def test_publishing_changes_no_stock_row(odoo: OdooDatabase, publisher: OdooPublisher) -> None:
    shipment = odoo.make_shipment(tracking="1Z999AA10123456784")
    before = odoo.stock_rows()
    OdooRecords(odoo.gateway()).find({"delivery_order": [shipment.name]})
    publisher.publish(draft(shipment))
    publisher.publish(draft(shipment, "triage:approval", kind="approval"))
    assert any(before.values())
    assert odoo.stock_rows() == before
    odoo.write("stock.picking", shipment.id, note="a change is seen")
    assert odoo.stock_rows() != before


def test_the_bots_own_rights_stop_at_what_it_needs(odoo: OdooDatabase) -> None:
    transport = odoo.transport()
    for model in ("sale.order.line", "account.invoice", "ir.config_parameter"):
        with pytest.raises(OdooRefused, match="AccessError"):
            transport.call(model, "search_read", [], {"domain": [], "limit": 1})
    with pytest.raises(OdooRefused, match="AccessError"):
        transport.call("stock.picking", "create", [{}], {})


def test_each_failure_is_told_apart_and_none_shows_the_servers_traceback(odoo: OdooDatabase) -> None:
    transport = odoo.transport()
    with pytest.raises(OdooRefused, match=r"no model helpdesk\.ticket") as unknown:
        transport.call("helpdesk.ticket", "fields_get", [], {})
    assert unknown.value.code == UNKNOWN_MODEL
    category = odoo.create("approval.category", name="Nobody approves")
    request = transport.call("approval.request", "create", [{"category_id": category}], {})
    failures: list[tuple[str, str, list[Any], str]] = [
        ("res.partner", "nonesuch", [], "AttributeError"),
        ("res.partner", "search_read", [[["nonesuch", "=", 1]]], "ValueError"),
        ("res.groups", "write", [[1], {"name": "x"}], "AccessError"),
        ("stock.picking", "write", [[999999], {"origin": "x"}], "MissingError"),
        ("mail.activity", "create", [{"res_id": 1}], "ValidationError"),
        ("approval.request", "action_confirm", [[request]], "UserError"),
    ]
    for model, method, args, name in failures:
        with pytest.raises(OdooRefused, match=name) as refused:
            transport.call(model, method, args, {})
        assert "Traceback" not in str(refused.value)
        assert not refused.value.retryable
    wrong = OdooRpcTransport(odoo.url, odoo.db, odoo.login, "wrong")
    with pytest.raises(OdooRefused) as bad:
        wrong.call("res.partner", "search", [[]], {})
    assert bad.value.code == BAD_LOGIN
    with pytest.raises(OdooUnavailable):
        OdooRpcTransport(odoo.url, "odoo_nonesuch", odoo.login, odoo.password).call("res.partner", "search", [[]], {})


def test_a_user_that_was_given_another_password_is_logged_out_and_back_in_when_it_returns(odoo: OdooDatabase) -> None:
    transport = odoo.transport()
    before = transport.uid
    bot = odoo.user_id(odoo.login)
    odoo.write("res.users", bot, password="rotated")
    with pytest.raises(OdooRefused) as refused:
        transport.call("res.partner", "search", [[]], {"limit": 1})
    assert refused.value.code == BAD_LOGIN
    odoo.write("res.users", bot, password=odoo.password)
    assert transport.call("res.partner", "search", [[]], {"limit": 1})
    assert transport.uid == before


def test_one_transport_serves_many_threads_and_conflicts_pass_when_tried_again(odoo: OdooDatabase) -> None:
    shipments = [odoo.make_shipment(order=None) for _ in range(2)]
    publisher = odoo.publisher()

    def publish(number: int) -> OdooItem:
        for _ in range(50):
            # Odoo 11 writes the picking's own row with each activity, so two at once may conflict
            with suppress(OdooUnavailable):
                return publisher.publish(draft(shipments[number % 2], f"triage:thread_{number}"))
        raise AssertionError("never published")

    with ThreadPoolExecutor(4) as pool:
        items = list(pool.map(publish, range(8)))
    assert len({item.id for item in items}) == 8
    assert [len(odoo.activities(shipment.id)) for shipment in shipments] == [4, 4]
