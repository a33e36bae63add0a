from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from triage.errors import OdooRefused, OdooUnavailable
from triage.odoo.rpc import OdooRpcTransport
from triage.odoo.transport import BAD_LOGIN, UNKNOWN_MODEL


class Scripted(BaseHTTPRequestHandler):
    """Logs in as user 7 and then answers what the server's `answer` holds: a status and a body."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, answer = self.server.answer  # type: ignore[attr-defined]
        params = body["params"]
        if status == 200 and self.path.endswith("version_info"):
            answer = {"result": {"server_version": "17.0"}}
        elif status == 200 and params.get("method") == "login":
            self.server.logins += 1  # type: ignore[attr-defined]
            answer = {"result": 7}
        elif status == 200 and params.get("method") == "execute":
            answer = {"result": {"lang": "en_US"}}
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.send_header("location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    server.answer, server.logins = (200, {"result": True}), 0
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def transport(port: int, timeout: float = 2.0) -> OdooRpcTransport:
    return OdooRpcTransport(f"http://127.0.0.1:{port}", "db", "bot", "secret", timeout)


def failure(name: str, message: str = "details") -> dict[str, Any]:
    data = {"name": name, "message": message, "debug": "Traceback (most recent call last): secrets", "arguments": []}
    return {"error": {"code": 200, "message": "Odoo Server Error", "data": data}}


PASSING = [
    (502, b""),
    (503, b"down"),
    (504, b""),
    (500, b"oops"),
    (429, b""),
    (404, b""),
    (403, b""),
    (301, b""),
    (200, b"<html>maintenance</html>"),
    (200, b""),
    (200, failure("psycopg2.OperationalError", "could not connect")),
    (200, failure("psycopg2.extensions.TransactionRollbackError")),
    (200, failure("psycopg2.errors.SerializationFailure")),
    (200, failure("psycopg2.pool.PoolError", "The Connection Pool Is Full")),
    (200, failure("odoo.http.SessionExpiredException")),
    (200, {"error": {"code": 1}}),
]
FINAL = [
    (200, failure("odoo.exceptions.AccessError")),
    (200, failure("odoo.exceptions.ValidationError")),
    (200, failure("odoo.exceptions.UserError")),
    (200, failure("odoo.exceptions.MissingError")),
    (200, failure("builtins.ValueError")),
    (200, failure("odoo.addons.x.Unheard")),
]


@pytest.mark.parametrize("answer", PASSING)
def test_what_passes_by_itself_is_unavailable(server: Any, answer: Any) -> None:
    connected, cold = transport(server.server_port), transport(server.server_port)
    assert connected.call("res.partner", "search", [], {}) is True
    server.answer = answer
    with pytest.raises(OdooUnavailable) as raised:
        connected.call("res.partner", "search", [], {})
    assert "secrets" not in str(raised.value)
    with pytest.raises(OdooUnavailable):
        cold.call("res.partner", "search", [], {})


@pytest.mark.parametrize("answer", FINAL)
def test_what_stays_is_refused_by_name(server: Any, answer: Any) -> None:
    connected = transport(server.server_port)
    assert connected.uid == 7
    server.answer = answer
    with pytest.raises(OdooRefused) as raised:
        connected.call("res.partner", "search", [], {})
    assert answer[1]["error"]["data"]["name"].rpartition(".")[2] in str(raised.value)
    assert "secrets" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_model_that_is_not_there_is_told_from_other_refusals(server: Any) -> None:
    for answer in (
        failure("odoo.exceptions.UserError", "Object approval.request doesn't exist"),
        failure("builtins.KeyError", "'approval.request'"),
    ):
        server.answer = (200, answer)
        with pytest.raises(OdooRefused) as raised:
            transport(server.server_port).call("approval.request", "fields_get", [], {})
        assert raised.value.code == UNKNOWN_MODEL


def test_a_login_that_is_no_longer_accepted_is_tried_anew_once(server: Any) -> None:
    connected = transport(server.server_port)
    connected.call("res.partner", "search", [], {})
    server.answer = (200, failure("odoo.exceptions.AccessDenied", "Access denied"))
    with pytest.raises(OdooRefused) as raised:
        connected.call("res.partner", "search", [], {})
    assert raised.value.code == BAD_LOGIN
    assert server.logins == 2


def test_a_server_that_is_not_there_or_says_nothing_is_unavailable_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        with pytest.raises(OdooUnavailable, match="TimeoutError"):
            transport(silent.getsockname()[1], timeout=0.2).call("res.partner", "search", [], {})
        port = silent.getsockname()[1]
    with pytest.raises(OdooUnavailable, match="ConnectionRefusedError"):
        transport(port).call("res.partner", "search", [], {})


@pytest.mark.parametrize(
    "url",
    ["odoo.example.com", "ftp://odoo.example.com", "https://", "https://h/odoo", "https://u:p@h", "https://h?db=x"],
)
def test_a_url_that_cannot_work_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="URL of Odoo"):
        OdooRpcTransport(url, "db", "bot", "secret")
