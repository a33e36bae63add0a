"""What `triage odoo check` says: whether the bot can do its work, and what it could do besides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from triage.errors import OdooRefused
from triage.odoo.connect import FIRST_WITH_JSON2, FIRST_WITHOUT_RPC
from triage.odoo.gateway import ACTIVITY_MODELS, READABLE, REQUIREMENTS, Gateway
from triage.odoo.publisher import ACTIVITY_TYPE, NEEDED_BY_APPROVALS, REFUSED_REQUIREMENTS
from triage.odoo.server import Server
from triage.odoo.transport import NO_RIGHT, UNKNOWN_MODEL

Level = Literal["green", "amber", "red"]
Wire = Literal["rpc", "json2"]

OLDEST, NEWEST_RUN = 14, 19  # what this client is written for, and what it was tried on
MOST_SECONDS_APART = 60.0
OWN_ITEMS = frozenset({"mail.activity", "approval.request"})  # what the service exists to create
ESSENTIAL = frozenset({"stock.picking", "res.users", "mail.activity", "mail.activity.type"})
_MORE_GUARDED = """
    account.invoice account.move account.payment approval.category delivery.carrier fleet.vehicle ir.actions.server
    ir.config_parameter ir.cron ir.model.access ir.rule payment.transaction procurement.group procurement.rule
    product.template purchase.order.line res.groups sale.order.line stock.move.line stock.picking.batch stock.quant
    stock.rule
"""
GUARDED = frozenset((READABLE.keys() - OWN_ITEMS) | set(_MORE_GUARDED.split()))
NEEDED: Mapping[str, frozenset[str]] = {
    "stock.picking": frozenset({"name", "origin", "state", "partner_id", "scheduled_date", "picking_type_id"}),
    "mail.activity": frozenset({"res_id", "res_model", "summary", "note", "user_id", "date_deadline", "create_uid"}),
    "approval.request": NEEDED_BY_APPROVALS,
}


@dataclass(frozen=True)
class Finding:
    level: Level
    code: str
    text: str


@dataclass(frozen=True)
class Facts:
    """`rights` by model, for models that exist: a subset of read, write, create, unlink. Those of `untried` models
    may be less: record rules can only be tried on a record, and there is none. `fields`: what there is of `NEEDED`.
    `categories`: each approval category of the policy with what it requires; None where there is none of that name.
    """

    server: Server
    wire: Wire
    rights: Mapping[str, frozenset[str]]
    untried: frozenset[str]
    fields: Mapping[str, frozenset[str]]
    actions: frozenset[str]
    activity_type: bool
    outcomes: bool
    categories: Mapping[str, Mapping[str, Any] | None]


def gather(gateway: Gateway, server: Server, wire: Wire, categories: Collection[str]) -> Facts:
    """With some hundred short calls as the bot. Raises what the transport raises."""
    rights, untried = {}, set()
    for model in sorted(GUARDED | OWN_ITEMS):
        asked = _rights(gateway, server, model)
        if asked is not None:
            rights[model], tried = asked
            untried |= set() if tried else {model}
    fields = {model: gateway.fields(model) for model in NEEDED if model in rights}
    types = _rows(gateway, "mail.activity.type", [("name", "=", ACTIVITY_TYPE)], ["id"])
    domain = [("name", "in", sorted(categories))]
    there = {row["name"]: row for row in _rows(gateway, "approval.category", domain, ["name", *REQUIREMENTS])}
    return Facts(
        server=server,
        wire=wire,
        rights=rights,
        untried=frozenset(untried),
        fields=fields,
        actions=frozenset(gateway.actions),
        activity_type=bool(types),
        outcomes="read" in rights.get("ir.actions.server", ()) and gateway.tells_outcomes(),
        categories={name: there.get(name) for name in sorted(categories)},
    )


def findings(facts: Facts) -> list[Finding]:
    """Everything that a person should know, the worst first; all green when nothing else is said."""
    found = [*_protocol(facts), *_too_much(facts), *_too_little(facts), *_approvals(facts), *_rest(facts)]
    return sorted(found, key=lambda finding: ("red", "amber", "green").index(finding.level))


def _protocol(facts: Facts) -> Iterator[Finding]:
    server, name = facts.server, f"Odoo {facts.server.version}"
    if facts.wire == "rpc" and server.major >= FIRST_WITHOUT_RPC:
        yield Finding("red", "protocol", f"{name} has no RPC any more; set TRIAGE_ODOO_API_KEY, and JSON-2 is used.")
    elif facts.wire == "rpc" and server.major >= FIRST_WITH_JSON2:
        text = (
            "RPC ends with Odoo 22 (fall 2028; Odoo Online 21.1, winter 2027); set TRIAGE_ODOO_API_KEY to use JSON-2."
        )
        yield Finding("amber", "protocol", f"{name}: {text}")
    else:
        yield Finding("green", "protocol", f"{name} over {facts.wire}, which this version supports.")
    if server.major < OLDEST:
        yield Finding("amber", "version", f"{name} is older than {OLDEST}, the oldest that this client is written for.")
    elif server.major > NEWEST_RUN:
        yield Finding("amber", "version", f"{name} is newer than {NEWEST_RUN}, the newest that was tried.")


def _too_much(facts: Facts) -> Iterator[Finding]:
    clean = True
    for model in sorted(GUARDED & facts.rights.keys()):
        held = [operation for operation in ("write", "create", "unlink") if operation in facts.rights[model]]
        if held and model in facts.untried:
            text = (
                f"the bot may {', '.join(held)} {model}, unless a rule of its group forbids it; there is no record to"
            )
            yield Finding("amber", "untried_rights", f"{text} try that with. triage odoo setup makes such a rule.")
        elif held:
            clean = False
            yield Finding("red", "too_many_rights", f"the bot may {', '.join(held)} {model}; run triage odoo setup.")
    if clean:
        yield Finding("green", "too_many_rights", "the bot may write no record of the business that was asked about.")


def _too_little(facts: Facts) -> Iterator[Finding]:
    for model in sorted(ESSENTIAL - facts.rights.keys()):
        yield Finding("red", "missing_app", f"Odoo has no {model}; install the app that brings it.")
    for model in sorted(READABLE.keys() & facts.rights.keys() - {"ir.actions.server"}):
        if "read" not in facts.rights[model]:
            level: Level = "red" if model in ESSENTIAL else "amber"
            yield Finding(level, "missing_right", f"the bot may not read {model}; run triage odoo setup.")
    for model, needed in NEEDED.items():
        lacking = needed - facts.fields.get(model, needed)
        if lacking:
            text = f"{model} lacks {', '.join(sorted(lacking))}, or hides it from the bot."
            yield Finding("red", "missing_fields", text)
    for model in sorted(ACTIVITY_MODELS & facts.rights.keys() - facts.actions):
        if "write" in facts.rights[model]:
            text = "activities are created with the bot's own write access; triage odoo setup does without it."
            yield Finding("amber", "no_server_action", f"{model}: {text}")
        else:
            level = "red" if model == "stock.picking" else "amber"
            text = "no server action and no write access, so no activity can be created; run triage odoo setup."
            yield Finding(level, "no_server_action", f"{model}: {text}")
    if "stock.picking" in facts.actions:
        yield Finding("green", "server_action", "activities are created by server actions.")


def _approvals(facts: Facts) -> Iterator[Finding]:
    if "approval.request" not in facts.rights:
        yield Finding("amber", "approvals", "Odoo has no approvals app: approvals become activities for the approver.")
        return
    if "create" not in facts.rights["approval.request"]:
        yield Finding("red", "approvals", "the bot may not create approval requests; give it the app's user group.")
    for name, category in facts.categories.items():
        yield from _category(name, category)


def _category(name: str, category: Mapping[str, Any] | None) -> Iterator[Finding]:
    if category is None:
        yield Finding("red", "approvals", f"there is no approval category {name!r}; run triage odoo setup.")
        return
    demanded = [field for field in REQUIREMENTS if category.get(field) == "required"]
    for field in demanded:
        if field in REFUSED_REQUIREMENTS:
            text = f"category {name!r} requires {REFUSED_REQUIREMENTS[field]}, which the service never has."
            yield Finding("red", "approvals", f"{text} Make {field} optional.")
        elif field in ("has_amount", "has_partner"):
            text = f"category {name!r} requires {field.removeprefix('has_')}; a record without it cannot be requested."
            yield Finding("amber", "approvals", text)
    if not demanded:
        yield Finding("green", "approvals", f"approval category {name!r} is there and requires nothing that can lack.")


def _rest(facts: Facts) -> Iterator[Finding]:
    if facts.activity_type:
        yield Finding("green", "activity_type", f"activity type {ACTIVITY_TYPE!r} is there.")
    else:
        text = f"there is no activity type {ACTIVITY_TYPE!r}, so To Do is used; run triage odoo setup."
        yield Finding("amber", "activity_type", text)
    if facts.outcomes:
        yield Finding("green", "outcomes", "a server action tells what people decided.")
    else:
        text = "no server action tells what people decided, or which item of a case is open; run triage odoo setup."
        yield Finding("amber", "outcomes", text)
    apart = facts.server.clock_ahead
    if apart is None:
        yield Finding("amber", "clock", "Odoo sent no date; the clocks could not be compared.")
    elif abs(apart) > MOST_SECONDS_APART:
        text = f"Odoo's clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} this machine's."
        yield Finding("amber", "clock", f"{text} Due times are as wrong; set both by NTP.")
    else:
        yield Finding("green", "clock", f"the clocks are {abs(apart):.0f} s apart.")


def _rights(gateway: Gateway, server: Server, model: str) -> tuple[frozenset[str], bool] | None:
    """What the bot may do, and whether record rules were tried; None where the model does not exist."""
    new = server.major >= 18  # `check_access_rights` and `check_access_rule` became `has_access`

    def may(operation: str, ids: list[int]) -> bool:
        if new:
            return bool(gateway.call(model, "has_access", (ids, operation)))
        if not ids:
            return bool(gateway.call(model, "check_access_rights", (operation, False)))
        try:
            gateway.call(model, "check_access_rule", (ids, operation))
        except OdooRefused as refusal:
            if refusal.code != NO_RIGHT:
                raise
            return False
        return True

    try:
        held = {operation for operation in ("read", "write", "create", "unlink") if may(operation, [])}
    except OdooRefused as refusal:
        if refusal.code != UNKNOWN_MODEL:
            raise
        return None
    if held <= {"read"}:
        return frozenset(held), True
    example = list(gateway.call(model, "search", ([],), {"limit": 1})) if "read" in held else []
    return frozenset(operation for operation in held if not example or may(operation, example)), bool(example)


def _rows(gateway: Gateway, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
    try:
        return gateway.search_read(model, domain, fields, limit=1)
    except OdooRefused as refusal:
        if refusal.code != NO_RIGHT:
            raise
        return []
