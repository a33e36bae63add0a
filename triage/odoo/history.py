"""Finished shipments of Odoo, read in bounds and kept for an hour, from which carriers are ranked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from triage.carriers import Lane, Option, Trip, rank, weight_class, zone
from triage.errors import OdooRefused
from triage.odoo.gateway import Gateway, related_id, related_name
from triage.odoo.transport import NO_RIGHT

DAYS = 365
MAX_TRIPS = 2000  # the latest of all, and the latest of each way that is asked for; 4 pages each
_PAGE = 500
_KEPT = timedelta(hours=1)
_POUND = 0.45359237

Row = dict[str, Any]


class History:
    """`options` answers from memory; what is older than an hour is read again.

    A year's deliveries of the way that is asked for are read whole; how carriers do elsewhere, towards which their
    rates are drawn, is taken from the latest of all, so that a busy company costs no more than a small one.
    Done is when Odoo says that the transfer was done: where a site books it as goods leave, the rate is that of
    leaving on time. Due is the deadline where Odoo keeps one, else the scheduled date.
    """

    def __init__(self, gateway: Gateway, days: int = DAYS, max_trips: int = MAX_TRIPS) -> None:
        self._gateway = gateway
        self._days = days
        self._max_trips = max_trips
        self._lock = Lock()
        self._read_at: datetime | None = None
        self._origins: Mapping[int, str] = {}
        self._trips: dict[int, Trip] = {}
        self._all = True  # whether these are all of the year
        self._ways: dict[tuple[str, str], dict[int, Trip]] = {}
        self._limits: Mapping[str, float | None] = {}

    def options(self, lane: Lane, carrier: str | None, now: datetime) -> tuple[Option, ...]:
        """Other carriers than `carrier` that may still be booked, the best first; none without the right to read."""
        with self._lock:  # workers wait for the one that reads, rather than each reading the year
            self._refresh(now)
            way, limits = self._way(lane, now), self._limits
            trips = (self._trips | way).values()
        gone = {trip.carrier for trip in trips} - limits.keys()
        ranked = rank(trips, lane, now, without=[*gone, *([carrier] if carrier else [])])
        return tuple(option.model_copy(update={"max_weight": limits[option.carrier]}) for option in ranked)

    def trips(self, now: datetime) -> tuple[Trip, ...]:
        """Of the last year, the latest `max_trips`, oldest first."""
        with self._lock:
            self._refresh(now)
            return tuple(sorted(self._trips.values(), key=lambda trip: trip.done))

    def _refresh(self, now: datetime) -> None:
        if self._read_at is not None and self._read_at <= now < self._read_at + _KEPT:
            return
        try:
            self._origins = self._outgoing()
            rows = self._done(now, [])
            self._trips, self._limits = self._as_trips(rows), self._bookable()
            self._all = len(rows) < self._max_trips
        except OdooRefused as refusal:
            if refusal.code != NO_RIGHT:
                raise
            self._trips, self._limits, self._all = {}, {}, True
        self._ways = {}
        self._read_at = now

    def _way(self, lane: Lane, now: datetime) -> dict[int, Trip]:
        """All of a year that went from `lane.origin` to `lane.zone`; those at hand where they are all there are."""
        if self._all:
            return {}
        key = (lane.origin, lane.zone)
        if key not in self._ways:
            country, _, digits = lane.zone.partition(" ")
            countries = self._gateway.search_read("res.country", [("code", "=", country)], ["id"], limit=1)
            domain: list[Any] = [("country_id", "in", [row["id"] for row in countries])]
            if digits:
                domain.append(("zip", "=ilike", f"{digits}%"))
            there = self._gateway.search_read("res.partner", domain, ["id"], limit=_PAGE, order="id desc")
            kinds = [kind for kind, origin in self._origins.items() if origin == lane.origin]
            domain = [("picking_type_id", "in", kinds), ("partner_id", "in", [row["id"] for row in there])]
            self._ways[key] = self._as_trips(self._done(now, domain))
        return self._ways[key]

    def _bookable(self) -> dict[str, float | None]:
        """Carriers that are not archived, with the heaviest load that they take where Odoo knows it."""
        rows = self._gateway.search_read("delivery.carrier", [], ["name", "max_weight"], limit=_PAGE)
        return {row["name"]: row.get("max_weight") or None for row in rows}

    def _as_trips(self, rows: list[Row]) -> dict[int, Trip]:
        partners = self._rows("res.partner", _ids(rows, "partner_id"), ["zip", "country_id"])
        countries = self._rows("res.country", _ids(partners.values(), "country_id"), ["code"])
        companies = self._rows("res.company", _ids(rows, "company_id"), ["currency_id"])
        trips: dict[int, Trip] = {}
        for row in rows:
            partner = partners.get(related_id(row["partner_id"]) or 0, {})
            country = countries.get(related_id(partner.get("country_id")) or 0, {}).get("code")
            origin = self._origins.get(related_id(row["picking_type_id"]) or 0)
            to = zone(country, partner.get("zip") or None)
            due, carrier = row.get("date_deadline") or row["scheduled_date"], related_name(row["carrier_id"])
            if not (origin and to and due and carrier and row["date_done"]):
                continue
            cost = row.get("carrier_price") or None
            company = companies.get(related_id(row["company_id"]) or 0, {})
            trips[row["id"]] = Trip(
                carrier=carrier,
                lane=Lane(origin=origin, zone=to, weight_class=weight_class(kilograms(row))),
                due=_moment(due),
                done=_moment(row["date_done"]),
                cost=cost,
                currency=related_name(company.get("currency_id")) if cost else None,
            )
        return trips

    def _outgoing(self) -> dict[int, str]:
        """The code of the warehouse of each type of transfer that delivers."""
        kinds = self._gateway.search_read(
            "stock.picking.type", [("code", "=", "outgoing")], ["id", "warehouse_id"], limit=_PAGE
        )
        codes = self._rows("stock.warehouse", _ids(kinds, "warehouse_id"), ["code"])
        origins = {kind["id"]: codes.get(related_id(kind["warehouse_id"]) or 0, {}).get("code") for kind in kinds}
        return {kind: code for kind, code in origins.items() if code}

    def _done(self, now: datetime, narrower: list[Any]) -> list[Row]:
        """Page by page downwards by id: a page's place does not move when a shipment is finished meanwhile."""
        if "carrier_id" not in self._gateway.fields("stock.picking"):  # the delivery app is not installed
            return []
        since = (now.astimezone(UTC) - timedelta(days=self._days)).strftime("%Y-%m-%d %H:%M:%S")
        fields = (
            "id carrier_id picking_type_id partner_id company_id scheduled_date date_deadline date_done carrier_price"
        )
        wanted = [*fields.split(), "weight", "weight_uom_id", "weight_uom_name"]
        domain = [
            ("state", "=", "done"),
            ("carrier_id", "!=", False),
            ("picking_type_id", "in", sorted(self._origins)),
            ("date_done", ">=", since),
            *narrower,
        ]
        rows: list[Row] = []
        while self._origins and len(rows) < self._max_trips:
            below = [("id", "<", rows[-1]["id"])] if rows else []
            limit = min(_PAGE, self._max_trips - len(rows))
            page = self._gateway.search_read("stock.picking", domain + below, wanted, limit=limit, order="id desc")
            rows += page
            if len(page) < limit:
                break
        return rows

    def _rows(self, model: str, ids: set[int], fields: list[str]) -> dict[int, Row]:
        wanted = sorted(ids)
        pages = [wanted[at : at + _PAGE] for at in range(0, len(wanted), _PAGE)]
        return {row["id"]: row for page in pages for row in self._gateway.read(model, page, ["id", *fields])}


def kilograms(row: Row) -> float | None:
    """A picking's weight. Odoo 11 names the unit by a record, newer ones by a text; without either it is kilograms."""
    unit = related_name(row.get("weight_uom_id")) or row.get("weight_uom_name") or "kg"
    factor = {"kg": 1.0, "lb": _POUND, "lbs": _POUND, "lb(s)": _POUND, "t": 1000.0, "g": 0.001}.get(
        str(unit).casefold()
    )
    weight = row.get("weight")
    return round(weight * factor, 3) if weight and factor else None


def _ids(rows: Any, field: str) -> set[int]:
    return {i for i in (related_id(row.get(field)) for row in rows) if i is not None}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
