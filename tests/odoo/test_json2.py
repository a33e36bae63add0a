"""JSON-2 as it was measured on Odoo 19: one server that answers with the statuses and bodies of that table."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from triage.errors import OdooError, OdooRefused, OdooUnavailable
from triage.odoo.connect import Access, chosen, connect
from triage.odoo.gateway import Gateway
from triage.odoo.json2 import Json2Transport
from triage.odoo.rpc import OdooRpcTransport
from triage.odoo.server import ask_server
from triage.odoo.transport import BAD_LOGIN, NO_RIGHT, UNKNOWN_MODEL

KEY = "0123456789abcdef"
MODELS = {"res.partner", "res.users", "mail.activity", "approval.request", "ir.actions.server"}
TAKES = {  # method: names of its arguments, those that it cannot do without
    "search_read": ({"domain", "fields", "offset", "limit", "order"}, set()),
    "fields_get": ({"allfields", "attributes"}, set()),
    "create": ({"vals_list"}, {"vals_list"}),
    "context_get": (set(), set()),
    "action_confirm": (set(), set()),
    "run": (set(), set()),
    "write": ({"vals"}, {"vals"}),
    "has_access": ({"operation"}, {"operation"}),
}


class Nineteen(BaseHTTPRequestHandler):
    """What the controller of Odoo 19 does with a call, in the order in which it does it."""

    protocol_version = "HTTP/1.1"
    connections = 0

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1  # type: ignore[attr-defined]

    def do_GET(self) -> None:
        major = self.server.major  # type: ignore[attr-defined]
        if self.path == "/web/version" and major >= 19:
            self.answer(200, {"version_info": [major, 0, 0, "final", 0, ""], "version": f"{major}.0"})
        else:
            self.answer(404, b"<!doctype html><title>404 Not Found</title>")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        seen = self.server.seen  # type: ignore[attr-defined]
        seen.append((self.path, body, dict(self.headers)))
        if self.path == "/web/webclient/version_info":
            self.answer(200, {"jsonrpc": "2.0", "id": None, "result": {"server_version": "17.0"}})
            return
        _, _, _, model, method = self.path.split("/")
        if self.headers["Authorization"] != f"bearer {KEY}":
            self.fail(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey")
        elif model not in MODELS:
            self.fail(404, "werkzeug.exceptions.NotFound", f"the model {model!r} does not exist")
        elif method not in TAKES:
            self.fail(404, "werkzeug.exceptions.NotFound", f"The method '{model}.{method}' does not exist")
        else:
            allowed, needed = TAKES[method]
            given = body.keys() - {"ids", "context"}
            if not needed <= given <= allowed:
                self.fail(422, "werkzeug.exceptions.UnprocessableEntity", "missing a required argument: 'vals_list'")
            else:
                self.work(model, method, body)

    def work(self, model: str, method: str, body: dict[str, Any]) -> None:
        match method:
            case "context_get":
                self.answer(200, {"lang": "en_US", "tz": "Europe/Brussels", "uid": 7})
            case "create" if "nonesuch" in body["vals_list"]:
                self.fail(500, "builtins.ValueError", "Invalid field 'nonesuch' on model 'res.partner'")
            case "create" if not body["vals_list"]:
                self.fail(422, "odoo.exceptions.ValidationError", "The operation cannot be completed")
            case "create":
                self.answer(200, [41])
            case "write":
                self.fail(403, "odoo.exceptions.AccessError", "You are not allowed to modify 'Contact' records.")
            case "action_confirm" if body["ids"] == [999]:
                self.fail(404, "odoo.exceptions.MissingError", "Record does not exist or has been deleted.")
            case "has_access":
                self.answer(200, body["operation"] == "read")
            case "fields_get":
                self.answer(200, {"id": {"type": "integer"}, "reference": {"type": "char"}})
            case _:
                self.answer(200, [])

    def fail(self, status: int, name: str, message: str) -> None:
        debug = "Traceback (most recent call last): secrets"
        self.answer(status, {"name": name, "message": message, "arguments": [message], "context": {}, "debug": debug})

    def answer(self, status: int, body: Any) -> None:
        status, body = self.server.instead or (status, body)  # type: ignore[attr-defined]
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(datetime.now(UTC) + timedelta(seconds=self.server.ahead), usegmt=True)  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Nineteen)
    server.daemon_threads = True
    server.seen, server.instead, server.major, server.connections, server.ahead = [], None, 19, 0, 0
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def url(server: Any) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def transport(server: Any, key: str = KEY) -> Json2Transport:
    return Json2Transport(url(server), "prod", key, timeout=2)


def test_a_call_is_one_post_with_named_arguments_the_key_and_the_database(server: Any) -> None:
    wire = transport(server)
    assert wire.uid == 7
    assert wire.call("res.partner", "create", ({"name": "x"},), {"context": {"lang": "en_US"}}) == [41]
    assert wire.call("approval.request", "action_confirm", ([5],), {}) == []
    assert wire.call("res.partner", "has_access", ([], "write"), {}) is False
    bodies = [(path, body) for path, body, _ in server.seen]
    assert bodies == [
        ("/json/2/res.users/context_get", {}),
        ("/json/2/res.partner/create", {"vals_list": {"name": "x"}, "context": {"lang": "en_US"}}),
        ("/json/2/approval.request/action_confirm", {"ids": [5]}),
        ("/json/2/res.partner/has_access", {"ids": [], "operation": "write"}),
    ]
    headers = {name.lower(): value for name, value in server.seen[1][2].items()}
    assert headers["authorization"] == f"bearer {KEY}"
    assert headers["x-odoo-database"] == "prod"
    assert headers["content-type"] == "application/json"
    assert server.connections == 1


def test_the_gateways_calls_fit_this_wire(server: Any) -> None:
    gateway = Gateway(transport(server))
    assert gateway.fields("approval.request") == {"id", "reference"}
    assert gateway.fields("purchase.order") == frozenset()  # an app that is not installed
    request = gateway.create_request({"name": "x", "category_id": 1})
    assert request == 41
    gateway.confirm(request)
    assert gateway.search_read("res.partner", [("id", "=", 1)], ["id"]) == []


@pytest.mark.parametrize(
    ("model", "method", "args", "kwargs", "said", "code"),
    [
        ("res.partner", "write", ([1], {}), {}, r"AccessError\): You are not", NO_RIGHT),
        ("helpdesk.ticket", "search_read", (), {}, "no model helpdesk.ticket", UNKNOWN_MODEL),
        ("res.partner", "nonesuch", (), {}, "NotFound", "odoo_refused"),
        ("approval.request", "action_confirm", ([999],), {}, "MissingError", "odoo_refused"),
        ("res.partner", "create", (), {}, "UnprocessableEntity", "odoo_refused"),
        ("res.partner", "create", ({},), {}, "ValidationError", "odoo_refused"),
        ("res.partner", "create", ({"nonesuch": 1},), {}, "ValueError", "odoo_refused"),
    ],
)
def test_every_refusal_of_the_table_is_final_and_named(
    server: Any, model: str, method: str, args: Any, kwargs: Any, said: str, code: str
) -> None:
    with pytest.raises(OdooRefused, match=said) as refused:
        transport(server).call(model, method, args, kwargs)
    assert refused.value.code == code
    assert "secrets" not in str(refused.value)


def test_a_wrong_key_is_a_bad_login(server: Any) -> None:
    with pytest.raises(OdooRefused, match="API key") as refused:
        _ = transport(server, "wrong").uid
    assert refused.value.code == BAD_LOGIN


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b"", OdooUnavailable),
        (503, b"<html>maintenance</html>", OdooUnavailable),
        (503, {"name": "werkzeug.exceptions.ServiceUnavailable", "message": "x"}, OdooUnavailable),
        (500, b"oops", OdooUnavailable),
        (500, {"name": "psycopg2.OperationalError", "message": "x"}, OdooUnavailable),
        (500, {"name": "psycopg2.errors.SerializationFailure", "message": "x"}, OdooUnavailable),
        (429, {"name": "werkzeug.exceptions.TooManyRequests", "message": "x"}, OdooUnavailable),
        (200, b"<html>maintenance</html>", OdooUnavailable),
        (404, b"<html>no such page</html>", OdooUnavailable),
        (303, b"", OdooUnavailable),
    ],
)
def test_what_stands_before_odoo_or_passes_by_itself_is_told_apart(
    server: Any, status: int, body: Any, kind: type[OdooError]
) -> None:
    server.instead = (status, body)
    with pytest.raises(kind):
        transport(server).call("res.partner", "search_read", (), {})


def test_a_server_that_is_not_there_or_says_nothing_is_unavailable_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(OdooUnavailable, match="Timeout"):
            Json2Transport(address, "db", KEY, timeout=0.2).call("res.partner", "search_read", (), {})
    with pytest.raises(OdooUnavailable, match="ConnectError"):
        Json2Transport(address, "db", KEY, timeout=0.2).call("res.partner", "search_read", (), {})


def test_an_unknown_positional_argument_is_a_mistake_of_ours(server: Any) -> None:
    with pytest.raises(ValueError, match="positional"):
        transport(server).call("res.partner", "search_read", ([],), {})
    assert server.seen == []


def test_the_wire_is_chosen_by_version_and_key_when_the_first_call_is_made(server: Any) -> None:
    both = Access(url(server), "prod", "bot", "secret", KEY, timeout=2)
    automatic = connect(both)
    assert server.seen == []
    assert isinstance(chosen(automatic), Json2Transport)
    assert automatic.uid == 7
    server.major = 17
    assert isinstance(chosen(connect(both)), OdooRpcTransport)
    assert isinstance(connect(Access(url(server), "prod", "bot", "secret")), OdooRpcTransport)
    assert isinstance(connect(Access(url(server), "prod", api_key=KEY, wire="json2")), Json2Transport)
    with pytest.raises(OdooRefused, match="TRIAGE_ODOO_LOGIN"):
        _ = connect(Access(url(server), "prod", api_key=KEY)).uid


def test_an_odoo_that_is_down_at_the_start_is_asked_again(server: Any) -> None:
    wire = connect(Access(url(server), "prod", api_key=KEY, timeout=2))
    server.instead = (503, b"")
    with pytest.raises(OdooUnavailable):
        wire.call("res.partner", "search_read", (), {})
    server.instead = None
    assert wire.call("res.partner", "search_read", (), {}) == []


def test_version_and_clock_are_read_from_old_and_new_servers(server: Any) -> None:
    server.ahead = 300
    new = ask_server(url(server), 2)
    assert (new.version, new.major) == ("19.0", 19)
    assert new.clock_ahead is not None and 295 < new.clock_ahead < 305
    server.major = 17
    assert ask_server(url(server), 2).version == "17.0"
    server.instead = (200, b"<html>a shop</html>")
    with pytest.raises(OdooUnavailable, match="not Odoo"):
        ask_server(url(server), 2)
