"""One database of the real Odoo 11, fresh for a test, with what tests do in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

import odoorpc

from tests.integration.odoo.server import ADMIN, APPROVER, BOT, CATEGORY, DISPATCHER, OdooServer
from triage.odoo.gateway import Gateway
from triage.odoo.publisher import OdooPublisher
from triage.odoo.rpc import OdooRpcTransport

Rows = dict[str, list[dict[str, Any]]]

# Odoo 11 to 13 store the nearest deadline of a record's activities in the record's own row, and stamp the row when
# they do. No client can create an activity without that; every other column must stay as it was.
BOOKKEEPING: Mapping[str, frozenset[str]] = {
    "stock_picking": frozenset({"activity_date_deadline", "write_date"}),
}


@dataclass(frozen=True)
class Shipment:
    """A picking made by `OdooDatabase.make_shipment`; `order` is the name of its sale or purchase order."""

    id: int
    name: str
    order: str | None
    order_id: int | None
    partner: str


class OdooDatabase:
    """A clone of the template: stock, delivery, sale, purchase, the approvals stand-in, no demo data.

    `url`, `db`, `login`, `password` are what the service is configured with: a bot user who may read what the
    gateway reads and, as Odoo 11 demands for activities, write pickings and orders. `dispatcher` (Dana) and
    `approver` (Ari, who answers the approval category `category`) are logins of people; both are in Brussels' zone.
    `admin` is an odoorpc session of user 1, who passes every access check: look and prepare with it, never test
    rights with it.
    """

    category = CATEGORY
    dispatcher = DISPATCHER[0]
    approver = APPROVER[0]

    def __init__(self, server: OdooServer, name: str) -> None:
        self.server = server
        self.url = server.url
        self.db = name
        self.login, self.password = BOT

    @cached_property
    def admin(self) -> odoorpc.ODOO:
        return self.server.session(self.db, ADMIN)

    def transport(self, timeout: float = 10.0) -> OdooRpcTransport:
        return OdooRpcTransport(self.url, self.db, self.login, self.password, timeout)

    def gateway(self) -> Gateway:
        return Gateway(self.transport())

    def publisher(self, gateway: Gateway | None = None) -> OdooPublisher:
        return OdooPublisher(gateway or self.gateway(), self.url, major=lambda: 11)

    def settings(self) -> dict[str, str]:
        """The environment that points the service at this database."""
        given = {"URL": self.url, "DB": self.db, "LOGIN": self.login, "PASSWORD": self.password}
        return {f"TRIAGE_ODOO_{name}": value for name, value in given.items()}

    def stop(self) -> None:
        """Stops Odoo for everybody: connections are refused until `start`. PostgreSQL goes on."""
        self.server.stop()

    def start(self) -> None:
        """Odoo on the same port again; returns when it answers."""
        self.server.start()

    def search(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        """Rows as the administrator sees them, by id."""
        return list(self.admin.execute_kw(model, "search_read", [domain, fields], {"order": "id"}))

    def create(self, model: str, **values: Any) -> int:
        """A record made by the administrator."""
        return int(self.admin.execute_kw(model, "create", [values]))

    def write(self, model: str, record_id: int, **values: Any) -> None:
        self.admin.execute_kw(model, "write", [[record_id], values])

    def user_id(self, login: str) -> int:
        return int(self.search("res.users", [["login", "=", login]], ["id"])[0]["id"])

    def activities(self, picking_id: int) -> list[dict[str, Any]]:
        """Activities on a picking; `user_id` and `activity_type_id` as [id, name], `date_deadline` as YYYY-MM-DD."""
        fields = ["summary", "note", "user_id", "date_deadline", "activity_type_id", "create_uid"]
        return self.search("mail.activity", [["res_model", "=", "stock.picking"], ["res_id", "=", picking_id]], fields)

    def requests(self, reference: str | None = None) -> list[dict[str, Any]]:
        """Approval requests, all or those with our key; `request_status`: new, pending, approved, refused, cancel."""
        fields = ["name", "reference", "reason", "amount", "request_status", "request_owner_id", "category_id"]
        domain = [["reference", "=", reference]] if reference else []
        return self.search("approval.request", domain, [*fields, "create_uid"])

    def make_shipment(
        self,
        *,
        order: Literal["sale", "purchase"] | None = "sale",
        partner: str = "Brouwerij De Kroon",
        product: str = "Copper pipe 22 mm",
        price: float = 120.0,
        quantity: float = 10.0,
        scheduled: datetime | None = None,
        tracking: str | None = None,
        partner_reference: str | None = None,
        responsible: str | None = DISPATCHER[0],
        two_deliveries: bool = False,
    ) -> Shipment:
        """A picking: the delivery of a confirmed sale order, the receipt of a purchase order, or one without order.

        `price` is per piece, without tax, in the company's currency (EUR here); `scheduled` is an aware datetime;
        `responsible` a login, for sale orders; `partner_reference` the customer's or supplier's order number.
        `two_deliveries` splits a sale order's picking: the second is a backorder, the first is returned.
        """
        partner_id = self.create("res.partner", name=partner, email="goods@example.com", supplier=True)
        product_id = self.create(
            "product.product", name=product, type="product", list_price=price, taxes_id=[(6, 0, [])]
        )
        order_id, name = None, None
        if order == "sale":
            line: dict[str, Any] = {"product_id": product_id, "product_uom_qty": quantity, "price_unit": price}
            values = {"partner_id": partner_id, "order_line": [(0, 0, line)], "client_order_ref": partner_reference}
            user = self.user_id(responsible) if responsible else False
            order_id = self.create("sale.order", **values, user_id=user)
            self.admin.execute_kw("sale.order", "action_confirm", [[order_id]])
            name = self.search("sale.order", [["id", "=", order_id]], ["name"])[0]["name"]
        elif order == "purchase":
            unit = self.search("product.product", [["id", "=", product_id]], ["uom_po_id"])[0]["uom_po_id"][0]
            now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
            line = {"product_id": product_id, "product_qty": quantity, "price_unit": price, "name": product}
            line |= {"product_uom": unit, "date_planned": now, "taxes_id": [(6, 0, [])]}
            values = {"partner_id": partner_id, "order_line": [(0, 0, line)], "partner_ref": partner_reference}
            order_id = self.create("purchase.order", **values)
            self.admin.execute_kw("purchase.order", "button_confirm", [[order_id]])
            name = self.search("purchase.order", [["id", "=", order_id]], ["name"])[0]["name"]
        else:
            self._make_transfer(partner_id, product_id, quantity)
        domain = [["origin", "=", name]] if name else [["partner_id", "=", partner_id]]
        picking_id = self.search("stock.picking", domain, ["name"])[-1]["id"]
        if two_deliveries:
            self._deliver_half(picking_id)
        values = {"carrier_tracking_ref": tracking} if tracking else {}
        if scheduled:
            values["scheduled_date"] = scheduled.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        if values:
            self.write("stock.picking", picking_id, **values)
        picking = self.search("stock.picking", [["id", "=", picking_id]], ["name"])[0]
        return Shipment(picking_id, picking["name"], name, order_id, partner)

    def stock_rows(self) -> Rows:
        """Every row of every table `stock_*`, column by column, for `assert before == after`.

        Left out are the columns of `BOOKKEEPING`, in which Odoo itself notes that a record has an activity.
        """
        rows: Rows = {}
        with self.server.postgres.connect(self.db) as connection:
            query = "select tablename from pg_tables where schemaname = 'public' and tablename like 'stock%' order by 1"
            for (table,) in connection.execute(query).fetchall():
                cursor = connection.execute(f'select * from "{table}"')
                names = [column.name for column in cursor.description or ()]
                kept = [(i, n) for i, n in enumerate(names) if n not in BOOKKEEPING.get(table, ())]
                rows[table] = sorted(({n: row[i] for i, n in kept} for row in cursor.fetchall()), key=repr)
        return rows

    def _make_transfer(self, partner_id: int, product_id: int, quantity: float) -> None:
        fields = ["default_location_src_id"]
        kind = self.search("stock.picking.type", [["code", "=", "outgoing"]], fields)[0]
        product = self.search("product.product", [["id", "=", product_id]], ["uom_id", "name"])[0]
        customers = self.search("stock.location", [["usage", "=", "customer"]], ["id"])[0]["id"]
        places = {"location_id": kind["default_location_src_id"][0], "location_dest_id": customers}
        move = {"name": product["name"], "product_id": product_id, "product_uom_qty": quantity, **places}
        move["product_uom"] = product["uom_id"][0]
        values = {"picking_type_id": kind["id"], "move_lines": [(0, 0, move)], **places}
        self.create("stock.picking", partner_id=partner_id, **values)

    def _deliver_half(self, picking_id: int) -> None:
        """Sends half of the goods, so that the rest stands in a backorder of the same order."""
        move = self.search("stock.move", [["picking_id", "=", picking_id]], ["product_uom_qty"])[0]
        self.write("stock.move", move["id"], quantity_done=move["product_uom_qty"] / 2)
        self.admin.execute_kw("stock.picking", "action_done", [[picking_id]])


@contextmanager
def clone(server: OdooServer) -> Iterator[OdooDatabase]:
    """A copy of the template on the running server, dropped at the end."""
    server.start()
    name = f"odoo_{secrets.token_hex(6)}"
    server.postgres.create(name, template=OdooServer.TEMPLATE)
    yield OdooDatabase(server, name)
    server.postgres.drop(name)
