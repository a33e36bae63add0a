"""What a list hides that Odoo gives cut: then it needs approval."""

from __future__ import annotations

from collections.abc import Callable
from operator import eq, ne
from typing import Any

from triage.odoo.gateway import Gateway
from triage.odoo.records import OdooRecords

FIELDS = {
    "stock.picking": "name origin state partner_id scheduled_date picking_type_id company_id batch_id",
    "stock.picking.batch": "name state user_id company_id",
    "stock.picking.type": "code warehouse_id",
    "stock.move": "picking_id product_id product_uom_qty product_uom state",
    "product.product": "list_price is_dangerous",
    "res.company": "currency_id",
}
SIGNS: dict[str, Callable[[Any, Any], bool]] = {"in": lambda own, value: own in value, "=": eq, "!=": ne}


class Tables:
    """A transport that answers from rows of each model, by Odoo's domains."""

    uid = 7

    def __init__(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        self._rows = rows

    def call(self, model: str, method: str, args: Any, options: Any) -> Any:
        if method == "fields_get":
            return {field: {} for field in FIELDS.get(model, "").split()}
        found = [row for row in self._rows.get(model, []) if holds(row, options["domain"])]
        found.sort(key=lambda row: row["id"], reverse="desc" in options["order"])
        return [
            {name: row.get(name, False) for name in ("id", *options["fields"])} for row in found[: options["limit"]]
        ]


def holds(row: dict[str, Any], domain: list[Any]) -> bool:
    said: list[bool] = []
    for term in reversed(domain):
        if isinstance(term, str):
            one, other = said.pop(), said.pop()
            said.append((one or other) if term == "|" else (one and other))
        else:
            own = row.get(term[0], False)
            said.append(SIGNS[term[1]](own[0] if isinstance(own, list) else own, term[2]))
    return all(said)


def picking(number: int, batch: int | None = None) -> dict[str, Any]:
    row = {"id": number, "name": f"WH/OUT/{number:05}", "state": "assigned", "scheduled_date": "2026-12-01 08:00:00"}
    return row | {"picking_type_id": [1, "out"], "company_id": [1, "us"], "batch_id": [batch, "b"] if batch else False}


def move(number: int, of: int, product: int, quantity: float = 1.0) -> dict[str, Any]:
    row = {"id": number, "picking_id": [of, "p"], "product_id": [product, "x"], "product_uom_qty": quantity}
    return row | {"product_uom": [1, "Units"], "state": "assigned"}


def records(**rows: list[dict[str, Any]]) -> OdooRecords:
    harmless, dangerous = ({"id": n, "list_price": 1.0, "is_dangerous": n == 2} for n in (1, 2))
    there: dict[str, list[dict[str, Any]]] = {
        "res.company": [{"id": 1, "currency_id": [1, "EUR"]}],
        "stock.picking.type": [{"id": 1, "code": "outgoing"}],
        "product.product": [harmless, dangerous],
        "stock.picking": rows["pickings"],
        "stock.move": rows["moves"],
        "stock.picking.batch": [{"id": 3, "name": "BATCH/00003", "state": "in_progress", "company_id": [1, "us"]}],
    }
    return OdooRecords(Gateway(Tables(there)))


def test_a_batch_needs_the_approval_of_what_it_carries_however_long_its_list() -> None:
    dear = [move(1, 1, 2, 50_000.0), *(move(n, n, 1) for n in range(2, 82))]
    (batch,) = records(pickings=[picking(n, 3) for n in range(1, 82)], moves=dear).find({"shipment": ["BATCH/00003"]})
    assert (batch.model, batch.regulated, batch.value, batch.currency) == ("stock.picking.batch", True, 50_080.0, "EUR")


def test_of_a_list_of_moves_that_was_cut_every_shipment_counts_as_regulated() -> None:
    moves = [*(move(n, 1, 1) for n in range(1, 501)), move(501, 2, 2)]
    odoo = records(pickings=[picking(1), picking(2)], moves=moves)
    found = odoo.find({"delivery_order": ["WH/OUT/00001", "WH/OUT/00002"]})
    assert {(record.name, record.regulated, record.value) for record in found} == {
        ("WH/OUT/00001", True, None),
        ("WH/OUT/00002", True, None),
    }
    whole = records(pickings=[picking(1)], moves=moves[:10]).find({"delivery_order": ["WH/OUT/00001"]})
    assert [(record.regulated, record.value) for record in whole] == [(False, 10.0)]
