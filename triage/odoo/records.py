"""What the service reads of an Odoo record, and where the reading comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from extractors.message import Value
from triage.carriers import Lane, Option, weight_class, zone
from triage.errors import OdooRefused
from triage.odoo.gateway import ACTIVITY_MODELS, REGULATED_FIELDS, Gateway, related_id, related_name
from triage.odoo.history import History, kilograms
from triage.odoo.transport import NO_RIGHT

TRACKING_FIELDS = ("tracking", "pro", "bol", "cmr", "awb", "container", "sscc", "booking")
PLATES = ("vehicle_plate", "trailer_plate")
SENDER = "sender"  # beside the fields of the taxonomy: the address that a message came from
_FREE_MAIL = """
    aol.com free.fr freenet.de gmail.com gmx.at gmx.de gmx.net googlemail.com hotmail.com hotmail.fr icloud.com
    interia.pl laposte.net libero.it live.com mail.com me.com msn.com o2.pl online.nl onet.pl orange.fr outlook.com
    outlook.de proton.me protonmail.com skynet.be t-online.de telenet.be wanadoo.fr web.de wp.pl yahoo.com yahoo.de
    yahoo.fr yahoo.it ziggo.nl
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())  # say nothing about a firm; only the whole address is compared


class Record(Value):
    """A business record as far as matching, priority and policy need it. Times are UTC, `value` in `currency`.

    `references` are all names the record answers to (its own, its origin, customer reference, tracking number),
    by which the match explains itself.
    """

    model: str
    id: int
    name: str
    references: tuple[str, ...] = ()
    partner: str | None = None
    partner_email: str | None = None
    customer_tags: tuple[str, ...] = ()  # names of the contact's tags (categories)
    responsible: str | None = None  # login of the record's user
    site: str | None = None  # warehouse code
    scheduled_at: datetime | None = None
    value: float | None = None
    currency: str | None = None
    carrier: str | None = None
    regulated: bool = False
    direction: str | None = None  # outgoing, incoming or internal
    planned_at: datetime | None = None  # when goods are to leave or arrive; `promised_at` what the customer was told
    promised_at: datetime | None = None
    done_at: datetime | None = None
    weight_kg: float | None = None  # of the goods without packaging; None where Odoo holds none
    units: float | None = None  # pieces ordered; None where anything is counted in another unit
    packages: int | None = None
    freight_cost: float | None = None
    freight_currency: str | None = None
    lane: Lane | None = None


class Records(Protocol):
    """Where records are looked up; raises `OdooUnavailable` when that place is down."""

    def find(self, references: Mapping[str, Sequence[str]]) -> list[Record]:
        """Records that answer to any of the references, given by field code of the taxonomy."""

    def get(self, model: str, record_id: int) -> Record | None: ...

    def carriers(self, lane: Lane, carrier: str | None, now: datetime) -> tuple[Option, ...]:
        """Other carriers than `carrier` for the lane, the best first."""


_MAX_REFERENCES = 40  # per field: a message that names more is a list, and a list names no record
_MAX_MOVES = 500
_MAX_ABOARD = 500  # shipments of the batches that are named
_MAX_PARTNERS = 50
_MAX_OPEN = 20  # open shipments of a sender's firm: of more, none stands out
_UNITS = re.compile(r"(?:unit|unité|unidad|einheit|eenhe|stück|stuk|piece|pièce|pce|pcs|szt)", re.IGNORECASE)

Row = dict[str, Any]


class OdooRecords:
    """Records of Odoo 11 to 19, in about ten calls a message, with the fields that the server has.

    An order that has shipments is reported as its shipments; one that has none, as itself. The steps inside a
    warehouse (pick, pack) are left out where a delivery or receipt answers to the same order. The value is that of
    the sale order, else of the purchase order, else quantity times list price. `scheduled_at` is the date promised
    to the customer where Odoo keeps one, else the scheduled date.
    """

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._history = History(gateway)

    def find(self, references: Mapping[str, Sequence[str]]) -> list[Record]:
        """Records that answer to any of the references; cancelled shipments only where they are named themselves."""

        def given(*fields: str) -> list[str]:
            return _spellings(value for field in fields for value in references.get(field, ())[:_MAX_REFERENCES])

        names = given("delivery_order", "shipment")
        numbers = {t.upper() for t in given("shipment", *TRACKING_FIELDS) if re.fullmatch(r"[A-Za-z0-9-]{6,60}", t)}
        tracking = sorted(numbers)[:_MAX_REFERENCES]
        ours, theirs = given("sales_order"), given("purchase_order")
        sales = self._search("sale.order", [_in("name", ours), _in("client_order_ref", ours + theirs)])
        purchases = self._search("purchase.order", [_in("name", theirs), _in("partner_ref", ours + theirs)])
        origins = ours + theirs + given("shipment") + [row["name"] for row in sales + purchases]
        sale_ids = [row["id"] for row in sales]

        def is_named(row: Row) -> bool:
            return row["name"] in names or not numbers.isdisjoint(_tracking_numbers(row))

        def is_ordered(row: Row) -> bool:
            return row["origin"] in origins or related_id(row.get("sale_id")) in sale_ids

        alive = [("state", "!=", "cancel")]
        pickings = self._search(
            "stock.picking",
            [
                _in("name", names),
                *([("carrier_tracking_ref", "ilike", number)] for number in tracking),
                *(["&", *alive, *term] for term in (_in("origin", origins), _in("sale_id", sale_ids)) if term),
            ],
        )
        named = [row for row in pickings if is_named(row)]
        ordered = [row for row in pickings if row not in named and is_ordered(row)]
        shipped = {row["origin"] for row in named + ordered}
        shipped |= {related_name(row.get("sale_id")) for row in named + ordered}
        shipments = self._shipments(named + self._without_inner_steps(ordered), sales + purchases)
        shipments = self._trips(names, given(*PLATES), shipments)
        unshipped = (
            (model, [row for row in rows if row["name"] not in shipped])
            for model, rows in (("sale.order", sales), ("purchase.order", purchases))
        )
        found = shipments + [record for model, rows in unshipped for record in self._orders(model, rows)]
        return found or self._of_sender(references.get(SENDER, ()))

    def carriers(self, lane: Lane, carrier: str | None, now: datetime) -> tuple[Option, ...]:
        """Other carriers than `carrier` for the lane, the best first; none where history may not be read."""
        return self._history.options(lane, carrier, now)

    def get(self, model: str, record_id: int) -> Record | None:
        """The record, or None where it is gone, is of a kind that takes no activity, or its app is not installed."""
        if model == "stock.picking":
            found = self._shipments([*self._table(model, [record_id]).values()], [])
        elif model in ACTIVITY_MODELS:
            found = self._orders(model, [*self._table(model, [record_id]).values()])
        else:
            return None
        return found[0] if found else None

    def _shipments(self, rows: list[Row], orders: list[Row]) -> list[Record]:
        if not rows:
            return []
        known = {order["name"]: order for order in orders}
        sale_ids = _ids(rows, "sale_id") - {order["id"] for order in orders if "client_order_ref" in order}
        known |= {row["name"]: row for row in self._table("sale.order", sale_ids).values()}
        unknown = sorted({row["origin"] for row in rows if row["origin"]} - set(known))
        known |= {row["name"]: row for row in self._search("purchase.order", [_in("name", unknown)])}

        def order_of(row: Row) -> Row:
            return known.get(related_name(row.get("sale_id")) or "") or known.get(row["origin"] or "") or {}

        pairs = [(row, order_of(row)) for row in rows]
        types = self._table("stock.picking.type", _ids(rows, "picking_type_id"), ["warehouse_id", "code"])
        warehouses = self._table("stock.warehouse", _ids(types.values(), "warehouse_id"), ["code"])
        everything = [*rows, *(order for _, order in pairs)]
        partners = self._partners(everything)
        users = self._table("res.users", _ids(everything, "user_id"), ["login"])
        contents = self._contents(rows)
        companies = self._table("res.company", _ids(rows, "company_id"), ["currency_id"])
        records = []
        for row, order in pairs:
            worth, regulated, units = contents.get(row["id"], (None, False, None))
            partner = row["partner_id"] or order.get("partner_id")
            site = _of(warehouses, _of(types, row["picking_type_id"], "warehouse_id"), "code")
            promised = _moment(row.get("date_deadline")) or _moment(order.get("commitment_date"))
            weight = kilograms(row)
            to = zone(_of(partners, partner, "country"), _of(partners, partner, "zip"))
            direction = _of(types, row["picking_type_id"], "code")
            freight = row.get("carrier_price") or None
            currency = order.get("currency_id") or _of(companies, row["company_id"], "currency_id")
            record = Record(
                model="stock.picking",
                id=row["id"],
                name=row["name"],
                references=_unique([row["name"], row["origin"], *_tracking_numbers(row), *_order_names(order)]),
                partner=related_name(partner),
                partner_email=_of(partners, partner, "email"),
                responsible=_of(users, row.get("user_id"), "login") or _of(users, order.get("user_id"), "login"),
                customer_tags=_of(partners, partner, "tags") or (),
                site=site,
                scheduled_at=_moment(row.get("date_deadline") or row["scheduled_date"]),
                value=order.get("amount_total", worth),
                currency=related_name(currency),
                carrier=related_name(row.get("carrier_id")),
                regulated=regulated,
                direction=direction,
                planned_at=_moment(row["scheduled_date"]),
                promised_at=promised,
                done_at=_moment(row.get("date_done")),
                weight_kg=weight,
                units=units,
                packages=row.get("number_of_packages") or None,
                freight_cost=freight,
                freight_currency=related_name(_of(companies, row["company_id"], "currency_id")) if freight else None,
                lane=Lane(origin=site, zone=to, weight_class=weight_class(weight))
                if site and to and direction == "outgoing"
                else None,
            )
            records.append(record)
        return records

    def _orders(self, model: str, rows: list[Row]) -> list[Record]:
        """Orders, and every other kind of record that is known by its name alone."""
        types = self._table("stock.picking.type", _ids(rows, "picking_type_id"), ["warehouse_id"])
        places = _ids(rows, "warehouse_id") | _ids(types.values(), "warehouse_id")
        warehouses = self._table("stock.warehouse", places, ["code"])
        partners = self._partners(rows)
        users = self._table("res.users", _ids(rows, "user_id"), ["login"])
        records = []
        for row in rows:
            warehouse = row.get("warehouse_id") or _of(types, row.get("picking_type_id"), "warehouse_id")
            record = Record(
                model=model,
                id=row["id"],
                name=row["name"],
                references=_unique([*_order_names(row), row.get("origin"), row.get("license_plate")]),
                partner=related_name(row.get("partner_id")),
                partner_email=_of(partners, row.get("partner_id"), "email") or row.get("email") or None,
                customer_tags=_of(partners, row.get("partner_id"), "tags") or (),
                responsible=_of(users, row.get("user_id"), "login"),
                site=_of(warehouses, warehouse, "code"),
                scheduled_at=_moment(row.get("commitment_date") or row.get("date_planned")),
                value=row.get("amount_total"),
                currency=related_name(row.get("currency_id")),
            )
            records.append(record)
        return self._loaded(records) if model == "stock.picking.batch" else records

    def _loaded(self, batches: list[Record]) -> list[Record]:
        """With what is aboard: what needs an approval for a shipment needs it for the batch that carries it."""
        rows = self._search("stock.picking", [_in("batch_id", [batch.id for batch in batches])], _MAX_ABOARD)
        cut = len(rows) == _MAX_ABOARD  # of what the rest is nobody knows
        of = {row["id"]: related_id(row["batch_id"]) for row in rows}
        shipments = self._shipments(rows, [])
        loaded = []
        for batch in batches:
            aboard = [s for s in shipments if of[s.id] == batch.id]
            values, currencies = [s.value for s in aboard if s.value], {s.currency for s in aboard if s.value}
            more = {
                "regulated": cut or any(s.regulated for s in aboard),
                "value": sum(values) if values else None,
                "currency": currencies.pop() if len(currencies) == 1 else None,  # of several: it needs approval
                "scheduled_at": min((s.scheduled_at for s in aboard if s.scheduled_at), default=None),
            }
            loaded.append(batch.model_copy(update=more))
        return loaded

    def _without_inner_steps(self, rows: list[Row]) -> list[Row]:
        types = self._table("stock.picking.type", _ids(rows, "picking_type_id"), ["code"])
        outer = [row for row in rows if _of(types, row["picking_type_id"], "code") != "internal"]
        return outer + [row for row in rows if row["origin"] not in {other["origin"] for other in outer}]

    def _partners(self, rows: list[Row]) -> dict[int, Row]:
        """Partners of the rows, with the code of their `country` and the names of their `tags`."""
        partners = self._table("res.partner", _ids(rows, "partner_id"), ["email", "zip", "country_id", "category_id"])
        countries = self._table("res.country", _ids(partners.values(), "country_id"), ["code"])
        tags = {tag for partner in partners.values() for tag in partner.get("category_id") or ()}
        names = self._table("res.partner.category", tags, ["name"])
        for partner in partners.values():
            partner["country"] = _of(countries, partner.get("country_id"), "code")
            partner["tags"] = tuple(names[tag]["name"] for tag in partner.get("category_id") or () if tag in names)
        return partners

    def _trips(self, names: list[str], plates: list[str], shipments: list[Record]) -> list[Record]:
        """The shipments, and the batches and vehicles that are named: a vehicle as the batches that it now drives.

        A batch of a single shipment is that shipment. A batch whose shipments are found already goes by its name.
        """
        vehicles = []
        if plates := [plain for plate in plates if (plain := _plate(plate))]:
            # Odoo keeps plates as people wrote them: any sign may stand between the letters.
            spelled = [[("license_plate", "=ilike", "%".join(plate))] for plate in dict.fromkeys(plates)]
            vehicles = [v for v in self._optional("fleet.vehicle", spelled) if _plate(v["license_plate"]) in plates]
        driven = ["&", ("state", "in", ["draft", "in_progress"]), *_in("vehicle_id", [v["id"] for v in vehicles])]
        batches = self._optional("stock.picking.batch", [_in("name", names), driven if vehicles else []])
        if not vehicles and not batches:
            return shipments
        plate_of = {vehicle["id"]: vehicle["license_plate"] for vehicle in vehicles}
        for batch in batches:
            batch["license_plate"] = plate_of.get(related_id(batch.get("vehicle_id")) or 0)
        aboard = self._search("stock.picking", [_in("batch_id", [batch["id"] for batch in batches])], _MAX_ABOARD)
        by_batch = {b["id"]: [row for row in aboard if related_id(row["batch_id"]) == b["id"]] for b in batches}
        alone = 1 if len(aboard) < _MAX_ABOARD else None  # of a list that was cut no batch is known to hold just one
        single = {rows[0]["id"]: batch for batch in batches if len(rows := by_batch[batch["id"]]) == alone}
        known = {shipment.id: shipment for shipment in shipments}
        known |= {r.id: r for r in self._shipments([r for r in aboard if r["id"] in single.keys() - known.keys()], [])}
        for picking, batch in single.items():
            references = _unique([*known[picking].references, batch["name"], batch["license_plate"]])
            known[picking] = known[picking].model_copy(update={"references": references})
        whole = [batch for batch in batches if len(by_batch[batch["id"]]) != alone]
        busy = _ids(batches, "vehicle_id")
        trips = self._orders("stock.picking.batch", whole)
        idle = self._orders("fleet.vehicle", [vehicle for vehicle in vehicles if vehicle["id"] not in busy])
        return [*known.values(), *trips, *idle]

    def _of_sender(self, senders: Sequence[str]) -> list[Record]:
        """What the sender's firm still waits for, else the firm itself: for a person to choose from."""
        addresses = [
            sender.strip() for sender in senders if re.fullmatch(r"[^@\s%\\]{1,64}@[\w.-]{3,190}", sender.strip())
        ]
        if not addresses:
            return []
        domain = addresses[0].rpartition("@")[2].casefold()
        terms = [[("email", "=ilike", _literally(addresses[0]))]]
        if domain not in FREE_MAIL:
            terms.append([("email", "=ilike", f"%@{_literally(domain)}")])
        partners = self._search("res.partner", terms)
        if not partners or len(partners) > _MAX_PARTNERS:
            return []
        ids = [partner["id"] for partner in partners]
        still = ["&", ("state", "not in", ["done", "cancel", "draft"]), *_in("partner_id", ids)]
        waiting = self._without_inner_steps(self._search("stock.picking", [still]))
        if waiting and len(waiting) <= _MAX_OPEN:
            return self._shipments(waiting, [])
        exact = [p for p in partners if (p.get("email") or "").casefold() == addresses[0].casefold()]
        return self._orders("res.partner", (exact or partners)[:1])

    def _optional(self, model: str, terms: Iterable[Sequence[Any]]) -> list[Row]:
        """As `_search`; none where a bot of an earlier set-up may not read the model, which `odoo check` reports."""
        try:
            return self._search(model, terms)
        except OdooRefused as refusal:
            if refusal.code != NO_RIGHT:
                raise
            return []

    def _contents(self, rows: list[Row]) -> dict[int, tuple[float | None, bool, float | None]]:
        """Of each picking: quantity times list price, whether a product is flagged as regulated, and pieces."""
        flags = [flag for flag in REGULATED_FIELDS if flag in self._gateway.fields("product.product")]
        moves = self._gateway.search_read(
            "stock.move",
            [("picking_id", "in", [row["id"] for row in rows]), ("state", "!=", "cancel")],
            ["picking_id", "product_id", "product_uom_qty", "product_uom"],
            limit=_MAX_MOVES,
        )
        counted = len(moves) < _MAX_MOVES  # a part of the value would pass for the whole
        products = self._table("product.product", _ids(moves, "product_id"), ["list_price", *flags])
        contents: dict[int, tuple[float | None, bool, float | None]] = {}
        if not counted:  # those of which not even one move is in the list, too
            contents = {row["id"]: (None, bool(flags), None) for row in rows}
        for move in moves:
            picking, product = related_id(move["picking_id"]), products.get(related_id(move["product_id"]) or 0, {})
            if picking is not None:
                worth, regulated, units = contents.get(picking, (0.0, False, 0.0))
                counts = units is not None and counted and _UNITS.match(related_name(move["product_uom"]) or "")
                more = move["product_uom_qty"] * product.get("list_price", 0.0)
                contents[picking] = (
                    (worth or 0.0) + more if counted else None,
                    # Of a list that was cut nobody knows what the rest holds.
                    regulated or any(product.get(flag) for flag in flags) or (bool(flags) and not counted),
                    (units or 0.0) + move["product_uom_qty"] if counts else None,
                )
        return contents

    def _search(self, model: str, terms: Iterable[Sequence[Any]], limit: int = 80) -> list[Row]:
        """Rows for which any of the terms holds; no call where there is none, or for fields the server lacks."""
        there = self._gateway.fields(model)
        known = [term for term in terms if term and all(isinstance(t, str) or t[0] in there for t in term)]
        if not known:
            return []
        domain = ["|"] * (len(known) - 1) + [part for term in known for part in term]
        return self._gateway.search_read(model, domain, sorted(there), limit=limit, order="id desc")

    def _table(self, model: str, ids: Iterable[int], fields: Sequence[str] | None = None) -> dict[int, Row]:
        """Rows by id; with all that may be read of them, or with some fields."""
        wanted = sorted(self._gateway.fields(model)) if fields is None else ["id", *fields]
        return {row["id"]: row for row in self._gateway.read(model, [*ids], wanted)}


def _in(field: str, values: Sequence[str | int]) -> list[Any]:
    return [(field, "in", list(values))] if values else []


def _spellings(values: Iterable[str]) -> list[str]:
    """The values as they are and in capitals, which is how Odoo's sequences write; none that is no plain reference."""
    plain = [v for v in (value.strip() for value in values) if 2 < len(v) <= 100 and v.isprintable()]
    return list(dict.fromkeys([*plain, *(v.upper() for v in plain)]))


def _tracking_numbers(row: Row) -> list[str]:
    return re.split(r"[,;\s]+", (row.get("carrier_tracking_ref") or "").strip().upper())


def _plate(text: Any) -> str:
    return "".join(c for c in str(text or "") if c.isalnum()).upper()


def _literally(text: str) -> str:
    """For `=ilike`, where _ and % stand for anything."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def _order_names(order: Row) -> list[Any]:
    return [order.get(field) for field in ("name", "client_order_ref", "partner_ref")]


def _unique(names: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _ids(rows: Iterable[Row], field: str) -> set[int]:
    return {i for i in (related_id(row.get(field)) for row in rows) if i is not None}


def _of(table: Mapping[int, Row], related: Any, field: str) -> Any:
    """The field of the row that a many2one points at, or None."""
    return table.get(related_id(related) or 0, {}).get(field) or None


def _moment(text: str | bool | None) -> datetime | None:
    """Odoo writes UTC without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if isinstance(text, str) else None
