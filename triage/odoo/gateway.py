"""The only door to Odoo: what is not on the list below is refused before anything is sent."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from triage.errors import OdooRefused, OdooUnavailable, OutsideAllowList
from triage.odoo.transport import NO_RIGHT, UNKNOWN_MODEL, Transport

REGULATED_FIELDS = ("is_dangerous", "is_dangerous_good", "is_hazardous", "dangerous_good", "adr_goods_id", "un_number")
REQUIREMENTS = (
    "has_date",
    "has_period",
    "has_quantity",
    "has_amount",
    "has_reference",
    "has_partner",
    "has_payment_method",
    "has_location",
    "has_product",
    "requirer_document",
)


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


_READ = {
    "stock.picking": _words(
        "name origin state partner_id user_id scheduled_date date_deadline carrier_id carrier_tracking_ref sale_id"
        " picking_type_id company_id date_done weight weight_uom_id weight_uom_name number_of_packages carrier_price"
        " batch_id"
    ),
    "stock.picking.type": _words("code warehouse_id active"),
    "stock.picking.batch": _words("name state user_id vehicle_id company_id"),
    "fleet.vehicle": _words("name license_plate active"),
    "delivery.carrier": _words("name company_id active max_weight"),
    "stock.warehouse": _words("code active"),
    "stock.move": _words("picking_id product_id product_uom_qty product_uom state"),
    "product.product": _words("list_price active") | set(REGULATED_FIELDS),
    "sale.order": _words(
        "name origin state client_order_ref partner_id user_id amount_total currency_id company_id warehouse_id"
        " commitment_date"
    ),
    "purchase.order": _words(
        "name origin state partner_ref partner_id user_id amount_total currency_id company_id picking_type_id"
        " date_planned"
    ),
    "res.partner": _words("name email active zip country_id category_id"),
    "res.partner.category": _words("name active"),
    "res.country": _words("code"),
    "project.task": _words("name user_id"),
    "helpdesk.ticket": _words("name user_id"),
    "res.users": _words("login tz active"),
    "res.company": _words("currency_id"),
    "mail.activity": _words("res_model res_id create_uid note active"),
    "mail.activity.type": _words("name sequence res_model"),
    "approval.category": _words("name") | set(REQUIREMENTS),
    "approval.request": _words("reference request_status create_uid"),
    "ir.attachment": _words(
        "name res_model res_id mimetype checksum file_size type create_uid create_date write_date datas"
    ),
    "documents.document": _words("res_model res_id"),
    "ir.actions.server": _words("name"),
}
READABLE: Mapping[str, frozenset[str]] = MappingProxyType({model: names | {"id"} for model, names in _READ.items()})
ACTIVITY_MODELS = frozenset(
    {
        "stock.picking",
        "stock.picking.batch",
        "sale.order",
        "purchase.order",
        "fleet.vehicle",
        "res.partner",
        "project.task",
        "helpdesk.ticket",
    }
)
# `triage odoo setup` makes a server action of this name, followed by the model, on each of these models.
ACTION_NAME = "Dispatch triage: "
# And one of this name, which tells what became of the items with given keys.
OUTCOMES_NAME = "Dispatch triage outcomes"
OUTCOMES_AT_ONCE = 100
KEY = re.compile(r"[\w.:/-]{4,120}", re.ASCII)

# An `in` with False among its values finds no archived record in Odoo 11.
ARCHIVED_TOO: tuple[Any, ...] = ("|", ("active", "=", True), ("active", "=", False))

_OPERATIONS = ("read", "write", "create", "unlink")
_NEEDED_BY_ACTION = frozenset({"summary", "note", "user_id", "date_deadline"})
_MAX_ROWS = 500
_MAX_VALUES = 500
_OPERATORS = frozenset({"=", "!=", "in", "not in", "<", "<=", ">", ">=", "ilike", "=ilike"})
_TAGS = _words(
    "a b blockquote br code div em h1 h2 h3 h4 h5 h6 hr i li ol p pre small span strong table tbody td th thead tr u ul"
)
_ATTRIBUTES = frozenset({"href", "title", "class", "target", "rel"})

Check = Callable[[Any], bool]


class Gateway:
    """`call` is the one place where the list is kept; every other method is a convenient way to it.

    Reading: `search_read` and `fields_get` on the models and fields of `READABLE`. Creating: `mail.activity`
    on `ACTIVITY_MODELS`, directly or by running the server action that `triage odoo setup` made for it,
    `approval.request`, and `ir.attachment` on an own request. Another action of that set-up
    tells outcomes. Own requests can be confirmed and cancelled; own are
    those that this object created or that `adopt` proved to be created by the same user. Of every model it may be
    asked what our own user may do with it, and for the id of one record to ask that of.
    Raises `OutsideAllowList` for all else; what the transport raises passes through.
    """

    def __init__(self, transport: Transport) -> None:
        self.__transport = transport
        self.__own_requests: set[int] = set()
        self.__existing: dict[str, frozenset[str]] = {}
        self.__actions: Mapping[str, int] | None = None
        self.__outcomes: int | None = None

    @property
    def uid(self) -> int:
        return self.__transport.uid

    def call(self, model: str, method: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        match method:
            case "fields_get":
                _require(model in READABLE or model in _CREATABLE, model, method, "the model is not on the list")
                _require(not args and dict(kwargs) == {"attributes": ["type"]}, model, method, "only names and types")
            case "search_read":
                _check_search_read(model, args, kwargs)
            case "create":
                self.__check_create(model, args, kwargs)
            case "run" if "triage_items" in (kwargs.get("context") or {}):
                self.__check_outcomes(model, args, kwargs)
            case "run":
                self.__check_run(model, args, kwargs)
            case "check_access_rights":
                form = len(args) == 2 and args[0] in _OPERATIONS and args[1] is False and not kwargs
                _require(form, model, method, "its form")
            case "has_access" | "check_access_rule":
                form = len(args) == 2 and (args[0] == [] or _ids(args[0])) and args[1] in _OPERATIONS and not kwargs
                _require(form, model, method, "its form")
            case "search":
                _require(list(args) == [[]] and dict(kwargs) == {"limit": 1}, model, method, "only for any one id")
            case "action_confirm" | "action_cancel":
                _require(model == "approval.request", model, method, "the method is not on the list")
                _require(len(args) == 1 and not kwargs and _ids(args[0]), model, method, "its form")
                _require(self.__own_requests.issuperset(args[0]), model, method, "the request is not ours")
            case _:
                raise _outside(model, method, "the method is not on the list")
        try:
            answer = self.__transport.call(model, method, args, kwargs)
        except OdooUnavailable as error:
            made = "summary" in (kwargs.get("context") or {}).get("triage_vals", {})  # a run without it only searches
            error.may_be_done = made or method in ("create", "action_confirm", "action_cancel")
            raise
        if method == "create" and model == "approval.request":
            self.__own_requests.add(_id(answer))
        return answer

    def fields(self, model: str) -> frozenset[str]:
        """Readable or creatable fields that this server has for the model; empty where the model does not exist.

        Asked once: an app that is installed later is seen after a restart.
        """
        if model not in self.__existing:
            try:
                there = self.call(model, "fields_get", (), {"attributes": ["type"]})
            except OdooRefused as refusal:
                if refusal.code != UNKNOWN_MODEL:
                    raise
                there = {}
            known = READABLE.get(model, frozenset()) | set(_CREATABLE.get(model, {}))
            self.__existing[model] = frozenset(there) & known
        return self.__existing[model]

    def search_read(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], *, limit: int = 80, order: str = "id"
    ) -> list[dict[str, Any]]:
        """Rows as Odoo gives them, with those of `fields` that the server has; none where the model does not exist."""
        there = [field for field in fields if field in self.fields(model)]
        if not there:
            return []
        form = {"domain": [list(t) if isinstance(t, tuple) else t for t in domain], "fields": there}
        return list(self.call(model, "search_read", (), {**form, "limit": limit, "order": order}))

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """As `search_read`, by id, archived ones too; ids that are gone have no row."""
        if not ids:
            return []
        domain: list[Any] = [("id", "in", sorted(set(ids)))]
        if "active" in self.fields(model):
            domain += ARCHIVED_TOO
        return self.search_read(model, domain, fields, limit=_MAX_ROWS)

    @property
    def actions(self) -> Mapping[str, int]:
        """Server actions of `triage odoo setup` by the model they are for; none where it was not run.

        Asked once: what is set up later is seen after a restart.
        """
        if self.__actions is None:
            names = [f"{ACTION_NAME}{model}" for model in sorted(ACTIVITY_MODELS)]
            try:
                rows = self.search_read("ir.actions.server", [("name", "in", names)], ["id", "name"])
            except OdooRefused as refusal:
                if refusal.code != NO_RIGHT:
                    raise
                rows = []
            self.__actions = MappingProxyType({row["name"].removeprefix(ACTION_NAME): row["id"] for row in rows})
        return self.__actions

    def run_action(
        self, on_model: str, key: str, record_id: int | None = None, values: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Id, res_model and res_id of the activity with the key, made now where there is none and `values` are given.

        Raises `OdooRefused` where the record is gone or may not be read.
        """
        context: dict[str, Any] = {"active_model": on_model, "triage_vals": {"key": key, **(values or {})}}
        if record_id is not None:
            context |= {"active_id": record_id, "active_ids": [record_id]}
        answer = self.call("ir.actions.server", "run", ([self.actions[on_model]],), {"context": context})
        found = answer.get("infos") if isinstance(answer, dict) else None
        if not isinstance(found, dict):
            raise OdooRefused("Odoo's server action answered in another form; run triage odoo setup.")
        if "refused" in found:
            raise OdooRefused(f"Odoo made no activity on {on_model}: {found['refused']}.")
        return found if found.get("id") else None

    def tells_outcomes(self) -> bool:
        """Whether the set-up's server action for it is there."""
        if self.__outcomes is None:
            rows = self.search_read("ir.actions.server", [("name", "=", OUTCOMES_NAME)], ["id"], limit=1)
            self.__outcomes = int(rows[0]["id"]) if rows else None
        return self.__outcomes is not None

    def outcomes(self, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What the set-up's server action says of items given as kind, key, id, model and res_id (0: no record).

        Rows hold key and state, and for what was decided by, at, body, feedback or comment as Odoo has them.
        """
        if not self.tells_outcomes():
            raise OdooRefused("Odoo has no server action that reports outcomes; run triage odoo setup.")
        context = {"active_model": "mail.activity", "triage_items": [dict(item) for item in items]}
        answer = self.call("ir.actions.server", "run", ([self.__outcomes],), {"context": context})
        found = answer.get("infos") if isinstance(answer, dict) else None
        if not isinstance(found, dict) or not isinstance(found.get("items"), list):
            said = found.get("refused") if isinstance(found, dict) else "it answered in another form"
            raise OdooRefused(f"Odoo told no outcomes: {said}; run triage odoo setup.")
        return [row for row in found["items"] if isinstance(row, dict)]

    def create_activity(self, on_model: str, values: Mapping[str, Any]) -> int:
        """The model goes into the context: `res_model_id` would need read rights on `ir.model`."""
        kwargs = {"context": {"default_res_model": on_model}}
        return _id(self.call("mail.activity", "create", (dict(values),), kwargs))

    def create_request(self, values: Mapping[str, Any]) -> int:
        return _id(self.call("approval.request", "create", (dict(values),)))

    def adopt(self, request_id: int, key: str) -> bool:
        """Whether the request was created by our user and carries the key; from then on it counts as our own."""
        rows = self.read("approval.request", [request_id], ["create_uid", "reference"])
        ours = bool(rows) and related_id(rows[0]["create_uid"]) == self.uid and rows[0]["reference"] == key
        if ours:
            self.__own_requests.add(request_id)
        return ours

    def confirm(self, request_id: int) -> None:
        self.call("approval.request", "action_confirm", ([request_id],))

    def cancel(self, request_id: int) -> None:
        self.call("approval.request", "action_cancel", ([request_id],))

    def attach(self, request_id: int, filename: str, content: bytes) -> int:
        """Evidence on an own approval request."""
        values = {
            "name": filename,
            "datas": base64.b64encode(content).decode("ascii"),
            "res_model": "approval.request",
            "res_id": request_id,
        }
        return _id(self.call("ir.attachment", "create", (values,)))

    def __check_create(self, model: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        allowed = _CREATABLE.get(model)
        if allowed is None:
            raise _outside(model, "create", "the model is not on the list")
        _require(len(args) == 1 and isinstance(args[0], dict), model, "create", "one record at a time")
        _check_values(allowed, args[0], model, "create")
        if model == "mail.activity":
            context = kwargs.get("context") if set(kwargs) == {"context"} else None
            on_model = context.get("default_res_model") if isinstance(context, dict) else None
            _require(isinstance(on_model, str) and on_model in ACTIVITY_MODELS, model, "create", f"not on {on_model!r}")
            _require(context == {"default_res_model": on_model}, model, "create", "the context is not on the list")
        else:
            _require(not kwargs, model, "create", "the context is not on the list")
        if model == "ir.attachment":
            _require(args[0].get("res_id") in self.__own_requests, model, "create", "the request is not ours")
            _require(set(args[0]) >= {"name", "datas", "res_model", "res_id"}, model, "create", "its form")

    def __check_outcomes(self, model: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        _require(model == "ir.actions.server", model, "run", "the method is not on the list")
        _require(self.__outcomes is not None, model, "run", "the action is not ours")
        _require(list(args) == [[self.__outcomes]], model, "run", "the action is not ours")
        context = kwargs["context"]
        form = set(kwargs) == {"context"} and isinstance(context, dict)
        form = form and set(context) == {"active_model", "triage_items"} and context["active_model"] == "mail.activity"
        _require(form, model, "run", "the context is not on the list")
        items = context["triage_items"]
        _require(isinstance(items, list) and 0 < len(items) <= OUTCOMES_AT_ONCE, model, "run", "its form")
        for item in items:
            form = isinstance(item, dict) and set(item) == {"kind", "key", "id", "model", "res_id"}
            _require(form and item["kind"] in ("activity", "approval"), model, "run", "its form")
            form = isinstance(item["key"], str) and len(item["key"]) >= 12 and KEY.fullmatch(item["key"]) is not None
            _require(form, model, "run", "the key is of another kind")
            form = _positive(item["id"]) and (_positive(item["res_id"]) or item["res_id"] == 0)
            _require(form and (item["model"] in ACTIVITY_MODELS or not item["res_id"]), model, "run", "its form")

    def __check_run(self, model: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Only an action of our own set-up, with nothing in its context but what it asks for."""
        _require(model == "ir.actions.server", model, "run", "the method is not on the list")
        _require(len(args) == 1 and _ids(args[0]) and len(args[0]) == 1, model, "run", "one action at a time")
        context = kwargs.get("context") if set(kwargs) == {"context"} else None
        _require(isinstance(context, dict) and isinstance(context.get("active_model"), str), model, "run", "its form")
        context = dict(context or {})
        action, values = self.actions.get(context.pop("active_model")), context.pop("triage_vals", None)
        _require(action == args[0][0], model, "run", "the action is not ours")
        _require(isinstance(values, dict) and _line(120)(values.get("key")), model, "run", "the key is missing")
        _require(KEY.fullmatch(values["key"]) is not None, model, "run", "the key is of another kind")
        if set(values) == {"key"}:
            _require(not context, model, "run", "the context is not on the list")
            return
        record = context.get("active_id")
        _require(
            context == {"active_id": record, "active_ids": [record]}, model, "run", "the context is not on the list"
        )
        values = {name: value for name, value in values.items() if name != "key"} | {"res_id": record}
        _require(set(values) >= _NEEDED_BY_ACTION, model, "run", "a value is missing")
        _check_values(_CREATABLE["mail.activity"], values, model, "run")


def related_id(value: Any) -> int | None:
    """The id of a many2one as Odoo gives it: `[id, name]`, or False."""
    return int(value[0]) if isinstance(value, (list, tuple)) and value else None


def related_name(value: Any) -> str | None:
    return str(value[1]) if isinstance(value, (list, tuple)) and len(value) > 1 else None


def _outside(model: Any, method: Any, why: str) -> OutsideAllowList:
    return OutsideAllowList(f"{model}.{method} was not sent to Odoo: {why}.")


def _require(condition: bool, model: Any, method: Any, why: str) -> None:
    if not condition:
        raise _outside(model, method, why)


def _check_values(allowed: Mapping[str, Check], values: Mapping[str, Any], model: str, method: str) -> None:
    for field, value in values.items():
        _require(field in allowed, model, method, f"the field {field!r} is not on the list")
        _require(allowed[field](value), model, method, f"the value of {field!r} is of another kind")


def _check_fields(model: str, method: str, fields: Any) -> None:
    _require(isinstance(fields, (list, tuple)) and len(fields) > 0, model, method, "fields must be named")
    for field in fields:
        _require(
            isinstance(field, str) and field in READABLE[model],
            model,
            method,
            f"the field {field!r} is not on the list",
        )


def _check_search_read(model: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    method = "search_read"
    _require(model in READABLE, model, method, "the model is not on the list")
    _require(not args and set(kwargs) == {"domain", "fields", "limit", "order"}, model, method, "its form")
    _check_fields(model, method, kwargs["fields"])
    limit, order, domain = kwargs["limit"], kwargs["order"], kwargs["domain"]
    _require(_integer(limit) and 0 < limit <= _MAX_ROWS, model, method, f"the limit must be within {_MAX_ROWS}")
    _require(isinstance(order, str), model, method, "the order must be a field")
    field, _, direction = order.partition(" ")
    _require(
        field in READABLE[model] and direction in ("", "asc", "desc"), model, method, "the order is not on the list"
    )
    _require(isinstance(domain, (list, tuple)) and len(domain) <= _MAX_VALUES, model, method, "the domain is no list")
    for term in domain:
        if isinstance(term, str):
            _require(term in ("&", "|", "!"), model, method, "the domain has an unknown operator")
            continue
        _require(isinstance(term, (list, tuple)) and len(term) == 3, model, method, "the domain has a malformed term")
        name, operator, value = term
        _require(
            isinstance(name, str) and name in READABLE[model], model, method, f"the field {name!r} is not on the list"
        )
        _require(isinstance(operator, str) and operator in _OPERATORS, model, method, "an operator is not on the list")
        values = value if isinstance(value, (list, tuple)) else [value]
        _require(len(values) <= _MAX_VALUES and all(map(_scalar, values)), model, method, "a value is no plain value")


def _scalar(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= 1000)


def _integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _positive(value: Any) -> bool:
    return _integer(value) and value > 0


def _id(value: Any) -> int:
    """Odoo 11 to 18 answer a create with an id, JSON-2 with a list of one."""
    return int(value[0] if isinstance(value, list) else value)


def _ids(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and 0 < len(value) <= _MAX_ROWS and all(map(_positive, value))


def _number(value: Any) -> bool:
    return (_integer(value) or isinstance(value, float)) and value == value and abs(value) < 1e15


def _text(limit: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= limit and "\x00" not in value


def _line(limit: int) -> Check:
    return lambda value: _text(limit)(value) and not re.search(r"[\r\n]", value)


def _day(value: Any) -> bool:
    return isinstance(value, str) and _parses(date.fromisoformat, value) and len(value) == 10


def _moment(value: Any) -> bool:
    return isinstance(value, str) and _parses(lambda text: datetime.strptime(text, "%Y-%m-%d %H:%M:%S"), value)  # noqa: DTZ007


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


class _Markup(HTMLParser):
    """Notes whether a text holds anything but plain formatting and links to http(s)."""

    def __init__(self) -> None:
        super().__init__()
        self.harmless = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.harmless &= tag in _TAGS and all(name in _ATTRIBUTES for name, _ in attrs)
        self.harmless &= all(_links_out(value or "") for name, value in attrs if name == "href")

    def _refuse(self, *_: str) -> None:
        self.harmless = False

    handle_comment = handle_decl = handle_pi = unknown_decl = _refuse  # type: ignore[assignment]


def _links_out(value: str) -> bool:
    try:
        return urlsplit(value).scheme in ("http", "https")
    except ValueError:
        return False


def _markup(value: Any) -> bool:
    if not _text(200_000)(value):
        return False
    markup = _Markup()
    markup.feed(value)
    markup.close()
    return markup.harmless


def _encoded(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 40_000_000 and value.isascii()


_CREATABLE: Mapping[str, Mapping[str, Check]] = MappingProxyType(
    {
        "mail.activity": {
            "res_id": _positive,
            "activity_type_id": _positive,
            "summary": _line(250),
            "note": _markup,
            "user_id": _positive,
            "date_deadline": _day,
        },
        "approval.request": {
            "name": _line(250),
            "category_id": _positive,
            "request_owner_id": _positive,
            "reason": _markup,
            "reference": _line(120),
            "amount": _number,
            "quantity": _number,
            "location": _line(250),
            "partner_id": _positive,
            "date": _moment,
            "date_start": _moment,
            "date_end": _moment,
        },
        "ir.attachment": {
            "name": _line(200),
            "datas": _encoded,
            "res_model": lambda value: value == "approval.request",
            "res_id": _positive,
        },
    }
)
