from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from triage.errors import OdooRefused, OdooUnavailable, OutsideAllowList
from triage.odoo.gateway import Gateway
from triage.odoo.transport import UNKNOWN_MODEL

BOT = 7


class Recording:
    """A transport that notes what reaches it; it knows one approval request of ours (11) and one of others (12)."""

    uid = BOT

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def call(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        self.sent.append((model, method))
        if method == "create":
            return 40
        if method == "fields_get":
            return {name: {} for name in ("id", "name", "create_uid", "reference", "password", "origin")}
        if model == "approval.request" and method == "search_read":
            asked = kwargs["domain"][0][2]
            owner = {11: BOT, 12: 1}
            return [{"id": i, "create_uid": [owner[i], "?"], "reference": "key-1"} for i in asked if i in owner]
        return []


@pytest.fixture
def wire() -> Recording:
    return Recording()


@pytest.fixture
def gateway(wire: Recording) -> Gateway:
    return Gateway(wire)


ON_PICKING = {"context": {"default_res_model": "stock.picking"}}
ACTIVITY = {"res_id": 1, "summary": "late", "note": "<p>x</p>", "user_id": 2, "date_deadline": "2026-12-01"}


def reading(**changes: Any) -> dict[str, Any]:
    return {"domain": [], "fields": ["name"], "limit": 10, "order": "id"} | changes


@pytest.mark.parametrize(
    "method",
    [
        "write",
        "unlink",
        "copy",
        "name_create",
        "message_post",
        "execute_kw",
        "execute",
        "action_done",
        "button_validate",
        "action_approve",
        "action_refuse",
        "activity_schedule",
        "toggle_active",
        "read_group",
        "export_data",
        "load",
        "sudo",
        "with_context",
        "_write",
        "search",
        "read",
        "CREATE",
        "create ",
        "",
    ],
)
@pytest.mark.parametrize("model", ["stock.picking", "mail.activity", "approval.request", "res.users"])
def test_no_method_off_the_list_reaches_the_wire(gateway: Gateway, wire: Recording, model: str, method: str) -> None:
    for args in ((), ([1],), ([1], {"name": "x"})):
        with pytest.raises(OutsideAllowList):
            gateway.call(model, method, args, {})
    assert wire.sent == []


@pytest.mark.parametrize(
    "model",
    ["stock.picking", "res.partner", "res.users", "mail.message", "ir.actions.server", "ir.cron", "approval.category"],
)
def test_nothing_is_created_elsewhere(gateway: Gateway, wire: Recording, model: str) -> None:
    with pytest.raises(OutsideAllowList):
        gateway.call(model, "create", ({"name": "x"},))
    assert wire.sent == []


@pytest.mark.parametrize("model", ["ir.config_parameter", "res.groups", "account.move", "mail.message", "hr.employee"])
def test_models_off_the_list_are_not_read(gateway: Gateway, wire: Recording, model: str) -> None:
    with pytest.raises(OutsideAllowList):
        gateway.call(model, "search_read", (), reading(fields=["id"]))
    with pytest.raises(OutsideAllowList):
        gateway.search_read(model, [], ["id"])
    assert ("search_read") not in [method for _, method in wire.sent]


@pytest.mark.parametrize(
    "changes",
    [
        {"fields": ["login", "password"]},
        {"fields": []},
        {"fields": "login"},
        {"fields": ["partner_id.email"]},
        {"domain": [("password", "=like", "a%")]},
        {"domain": [("password", "ilike", "a")]},
        {"domain": [("groups_id.name", "=", "Settings")]},
        {"domain": ["|", ("id", "=", 1), ("new_password", "!=", False)]},
        {"domain": [("login", "child_of", 1)]},
        {"domain": [("login", "inselect", ["select 1", []])]},
        {"domain": [("login", "in", [("select",)])]},
        {"domain": [("login", "=", {"a": 1})]},
        {"domain": ["X"]},
        {"domain": [("login", "=")]},
        {"domain": "[('id','=',1)]"},
        {"domain": [("id", "=", 1)] * 501},
        {"domain": [("id", "in", list(range(501)))]},
        {"order": "password"},
        {"order": "id; select 1"},
        {"order": "login asc, password"},
        {"limit": 0},
        {"limit": 501},
        {"limit": None},
        {"limit": True},
        {"offset": 1},
        {"context": {"active_test": False}},
        {"context": {"uid": 1}},
    ],
)
def test_reading_stays_within_fields_domain_order_and_limit(
    gateway: Gateway, wire: Recording, changes: dict[str, Any]
) -> None:
    with pytest.raises(OutsideAllowList):
        gateway.call("res.users", "search_read", (), reading(fields=["login"]) | changes)
    assert wire.sent == []
    gateway.call(
        "res.users", "search_read", (), reading(fields=["login"], domain=["|", ("id", "=", 1), ["login", "=", "x"]])
    )
    assert wire.sent == [("res.users", "search_read")]


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"default_res_model": "res.users"},
        {"default_res_model": "ir.cron"},
        {"default_res_model": ["stock.picking"]},
        {"default_res_model": "stock.picking", "default_user_id": 1},
        {"default_res_model": "stock.picking", "uid": 1},
        {"default_res_model": "stock.picking", "su": True},
        {"default_res_model": "stock.picking", "tracking_disable": True},
        {"default_res_model": "stock.picking", "mail_activity_quick_update": True},
        {"default_res_model": "stock.picking", "force_company": 2},
    ],
)
def test_the_context_of_an_activity_says_its_model_and_nothing_else(
    gateway: Gateway, wire: Recording, context: dict[str, Any] | None
) -> None:
    with pytest.raises(OutsideAllowList):
        gateway.call("mail.activity", "create", (ACTIVITY,), {} if context is None else {"context": context})
    assert wire.sent == []
    gateway.call("mail.activity", "create", (ACTIVITY,), ON_PICKING)
    assert wire.sent == [("mail.activity", "create")]


@pytest.mark.parametrize(
    "changes",
    [
        {"res_model": "res.users"},
        {"res_model_id": 1},
        {"create_uid": 1},
        {"res_id": 0},
        {"res_id": True},
        {"res_id": "1"},
        {"user_id": [(0, 0, {"name": "x"})]},
        {"user_id": [1, "name"]},
        {"activity_type_id": (6, 0, [1])},
        {"date_deadline": "tomorrow"},
        {"date_deadline": "20261201"},
        {"summary": "two\nlines"},
        {"summary": "x" * 251},
        {"note": "<script>alert(1)</script>"},
        {"note": "<img src=x onerror=alert(1)>"},
        {"note": "<p onclick='x()'>x</p>"},
        {"note": "<a href='javascript:alert(1)'>x</a>"},
        {"note": "<a href='//elsewhere'>x</a>"},
        {"note": "<!--x--><p>x</p>"},
        {"note": "<![CDATA[x]]>"},
        {"note": "<iframe/>"},
        {"note": "\x00"},
        {"note": ["<p>"]},
    ],
)
def test_the_values_of_an_activity_are_checked_one_by_one(
    gateway: Gateway, wire: Recording, changes: dict[str, Any]
) -> None:
    with pytest.raises(OutsideAllowList):
        gateway.call("mail.activity", "create", (ACTIVITY | changes,), ON_PICKING)
    assert wire.sent == []


def test_many_records_at_once_and_stray_arguments_are_refused(gateway: Gateway, wire: Recording) -> None:
    for args, kwargs in [
        (([ACTIVITY],), ON_PICKING),
        ((ACTIVITY, ACTIVITY), ON_PICKING),
        ((), ON_PICKING),
        ((ACTIVITY,), ON_PICKING | {"vals": {}}),
    ]:
        with pytest.raises(OutsideAllowList):
            gateway.call("mail.activity", "create", args, kwargs)
    with pytest.raises(OutsideAllowList):
        gateway.call("stock.picking", "search_read", ([],), reading())
    with pytest.raises(OutsideAllowList):
        gateway.call("stock.picking", "fields_get", (), {"attributes": ["string", "help"]})
    assert wire.sent == []


@pytest.mark.parametrize(
    "changes",
    [
        {"approver_ids": [(0, 0, {"user_id": 1, "status": "approved"})]},
        {"request_status": "approved"},
        {"date_confirmed": "2026-01-01 00:00:00"},
        {"amount": "1"},
        {"amount": float("nan")},
        {"amount": float("inf")},
        {"date": "2026-12-01"},
        {"reason": "<script>x</script>"},
        {"category_id": "General"},
    ],
)
def test_the_values_of_a_request_are_checked_one_by_one(
    gateway: Gateway, wire: Recording, changes: dict[str, Any]
) -> None:
    with pytest.raises(OutsideAllowList):
        gateway.create_request({"name": "x", "category_id": 1} | changes)
    with pytest.raises(OutsideAllowList):
        gateway.call(
            "approval.request", "create", ({"name": "x"},), {"context": {"default_request_status": "approved"}}
        )
    assert wire.sent == []


def test_only_own_requests_are_confirmed_cancelled_or_given_files(gateway: Gateway, wire: Recording) -> None:
    for act in (gateway.confirm, gateway.cancel, lambda i: gateway.attach(i, "x.pdf", b"x")):
        for request in (11, 12, 40):
            with pytest.raises(OutsideAllowList):
                act(request)
    assert wire.sent == []
    assert gateway.create_request({"name": "x", "category_id": 1}) == 40
    gateway.confirm(40)
    gateway.attach(40, "x.pdf", b"x")
    gateway.cancel(40)
    with pytest.raises(OutsideAllowList):
        gateway.call("approval.request", "action_confirm", ([40, 12],))
    values = {"name": "x", "datas": "", "res_model": "stock.picking", "res_id": 40}
    with pytest.raises(OutsideAllowList):
        gateway.call("ir.attachment", "create", (values,))
    with pytest.raises(OutsideAllowList):
        gateway.call("ir.attachment", "create", (values | {"res_model": "approval.request", "public": True},))
    assert [method for _, method in wire.sent] == ["create", "action_confirm", "create", "action_cancel"]


def test_a_request_is_adopted_only_with_our_user_and_our_key(gateway: Gateway) -> None:
    assert not gateway.adopt(12, "key-1")
    assert not gateway.adopt(11, "key-2")
    assert not gateway.adopt(13, "key-1")
    with pytest.raises(OutsideAllowList):
        gateway.confirm(11)
    assert gateway.adopt(11, "key-1")
    gateway.confirm(11)


def test_fields_are_asked_for_once_and_only_known_ones_are_used(gateway: Gateway, wire: Recording) -> None:
    assert gateway.fields("stock.picking") == {"id", "name", "origin"}
    gateway.search_read("stock.picking", [], ["name", "user_id"])
    gateway.search_read("stock.picking", [], ["name"])
    assert [method for _, method in wire.sent].count("fields_get") == 1
    assert "password" not in gateway.fields("res.users")


def test_a_model_that_is_not_installed_has_no_fields_and_no_rows() -> None:
    class Bare(Recording):
        def call(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
            raise OdooRefused("no such model", code=UNKNOWN_MODEL)

    gateway = Gateway(Bare())
    assert gateway.fields("approval.request") == frozenset()
    assert gateway.search_read("purchase.order", [], ["name"]) == []


def test_the_transport_is_not_offered(gateway: Gateway, wire: Recording) -> None:
    offered = [getattr(gateway, name) for name in dir(gateway) if not name.startswith("_")]
    assert all(thing is not wire for thing in offered)
    assert not hasattr(gateway, "execute_kw")


class WithActions(Recording):
    """A server on which the setup was run: action 31 creates activities on pickings."""

    def call(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if model == "ir.actions.server" and method == "fields_get":
            return {"id": {}, "name": {}}
        if model == "ir.actions.server" and method == "search_read":
            return [{"id": 31, "name": "Dispatch triage: stock.picking"}]
        self.sent.append((model, method))
        return {"type": "ir.actions.act_window_close", "infos": self.infos}

    def __init__(self) -> None:
        super().__init__()
        self.infos: dict[str, Any] = {"id": 5, "res_model": "stock.picking", "res_id": 1}


GIVEN = {name: value for name, value in ACTIVITY.items() if name != "res_id"} | {"key": "triage:msg_1"}
RUN = {"active_model": "stock.picking", "active_id": 1, "active_ids": [1], "triage_vals": GIVEN}


def test_our_server_action_is_run_to_search_and_to_create() -> None:
    wire = WithActions()
    gateway = Gateway(wire)
    assert gateway.actions == {"stock.picking": 31}
    gateway.call("ir.actions.server", "run", ([31],), {"context": RUN})
    gateway.call(
        "ir.actions.server",
        "run",
        ([31],),
        {"context": {"active_model": "stock.picking", "triage_vals": {"key": "abcd"}}},
    )
    assert wire.sent == [("ir.actions.server", "run")] * 2
    assert gateway.run_action("stock.picking", "abcd") == {"id": 5, "res_model": "stock.picking", "res_id": 1}
    wire.infos = {}
    assert gateway.run_action("stock.picking", "abcd") is None
    wire.infos = {"refused": "the record is gone"}
    with pytest.raises(OdooRefused, match="the record is gone"):
        gateway.run_action("stock.picking", "abcd")


@pytest.mark.parametrize(
    ("action", "changes"),
    [
        (32, {}),
        (True, {}),
        (31, {"active_model": "sale.order"}),
        (31, {"active_model": ["stock.picking"]}),
        (31, {"active_id": 2}),
        (31, {"active_ids": [1, 2]}),
        (31, {"active_id": "1", "active_ids": ["1"]}),
        (31, {"active_test": False}),
        (31, {"default_user_id": 1}),
        (31, {"uid": 1}),
        (31, {"lang": "en_US"}),
        (31, {"triage_vals": None}),
        (31, {"triage_vals": {"key": "abcd"}}),
        (31, {"triage_vals": GIVEN | {"key": "a%"}}),
        (31, {"triage_vals": GIVEN | {"key": 1}}),
        (31, {"triage_vals": GIVEN | {"res_model": "res.users"}}),
        (31, {"triage_vals": GIVEN | {"create_uid": 1}}),
        (31, {"triage_vals": GIVEN | {"user_id": [(6, 0, [1])]}}),
        (31, {"triage_vals": GIVEN | {"note": "<script>x</script>"}}),
        (31, {"triage_vals": {"key": "abcd", "summary": "late"}}),
    ],
)
def test_no_other_action_and_nothing_else_in_its_context_reaches_the_wire(action: Any, changes: dict[str, Any]) -> None:
    wire = WithActions()
    gateway = Gateway(wire)
    for args, kwargs in [(([action],), {"context": RUN | changes}), (([action, 31],), {"context": RUN})]:
        with pytest.raises(OutsideAllowList):
            gateway.call("ir.actions.server", "run", args, kwargs)
    with pytest.raises(OutsideAllowList):
        gateway.call("stock.picking", "run", ([31],), {"context": RUN})
    with pytest.raises(OutsideAllowList):
        gateway.call("ir.actions.server", "run", ([31],), {"context": RUN, "more": 1})
    assert wire.sent == []


def test_of_any_model_only_our_own_rights_may_be_asked(gateway: Gateway, wire: Recording) -> None:
    gateway.call("res.groups", "check_access_rights", ("write", False))
    gateway.call("res.groups", "has_access", ([], "write"))
    gateway.call("res.groups", "check_access_rule", ([1], "write"))
    gateway.call("res.groups", "search", ([],), {"limit": 1})
    assert len(wire.sent) == 4
    forms: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("check_access_rights", ("write", True), {}),
        ("check_access_rights", ("delete", False), {}),
        ("has_access", (["1"], "write"), {}),
        ("has_access", ([], "write"), {"context": {}}),
        ("search", ([("name", "=", "x")],), {"limit": 1}),
        ("search", ([],), {"limit": 2}),
        ("search", ([],), {"limit": 1, "order": "name"}),
    ]
    for method, args, kwargs in forms:
        with pytest.raises(OutsideAllowList):
            gateway.call("res.groups", method, args, kwargs)
    assert len(wire.sent) == 4


def test_a_call_that_makes_something_and_is_not_answered_may_be_done_all_the_same() -> None:
    class Silent(WithActions):
        silent = False

        def call(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
            if self.silent:
                raise OdooUnavailable("no answer")
            return 7 if method == "create" else super().call(model, method, args, kwargs)

    wire = Silent()
    gateway = Gateway(wire)
    assert gateway.actions
    gateway.create_request({"name": "x", "category_id": 1})
    wire.silent = True
    search = {"active_model": "stock.picking", "triage_vals": {"key": "abcd"}}
    calls: list[tuple[bool, str, str, tuple[Any, ...], dict[str, Any]]] = [
        (True, "ir.actions.server", "run", ([31],), {"context": RUN}),
        (True, "approval.request", "create", ({"name": "x", "category_id": 1},), {}),
        (True, "approval.request", "action_confirm", ([7],), {}),
        (False, "ir.actions.server", "run", ([31],), {"context": search}),
        (False, "res.users", "search_read", (), reading(fields=["login"], domain=[], order="id")),
    ]
    for may_be_done, model, method, args, kwargs in calls:
        with pytest.raises(OdooUnavailable) as raised:
            gateway.call(model, method, args, kwargs)
        assert raised.value.may_be_done is may_be_done, (model, method)
