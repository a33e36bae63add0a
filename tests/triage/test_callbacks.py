"""A callback goes where it may, once it is due, signed, and again until it is taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api import create_app
from extractors.message import Message
from tests.ledger import Ledger
from triage import callbacks
from triage.callbacks import check_url, is_public, judge
from triage.errors import BadInput
from triage.pipeline import Tools
from triage.runtime import Runtime
from triage.settings import Settings
from triage.store import tables as t
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Callback, Store

KEY = b"0123456789abcdef0123456789abcdef"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
RUNNING = (409, '{"message":"The execution \\"7\\" is running already."}')
FINISHED = (409, '{"message":"The execution \\"7\\" has finished already."}')
BODY = {"channel": "portal", "text": "The truck for WH/OUT/00042 broke down near Ghent, recovery only tomorrow."}


class Receiver:
    """A server that answers as it is told, in turn (the last answer repeats), and keeps what came."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = [(200, "ok")]
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                status, text = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", text)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count: int, seconds: float = 20) -> None:
        until = time.monotonic() + seconds
        while len(self.came) < count:
            assert time.monotonic() < until, f"{len(self.came)} of {count} came"
            time.sleep(0.05)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def open_settings(settings: Settings, receiver: Receiver) -> Settings:
    given = {"callback_hosts": (f"localhost:{receiver.port}",), "callback_secret": SECRET, "callback_private": True}
    return Settings(_env_file=None, data_dir=settings.data_dir, **given)  # type: ignore[arg-type]


Start = Callable[[Settings], TestClient]


@pytest.fixture
def start(tools: Tools, ledger: Ledger) -> Start:
    def client(settings: Settings) -> TestClient:
        app = create_app(settings, lambda s: Runtime.build(s, records=ledger, publisher=ledger, tools=tools))
        return TestClient(app, base_url="http://127.0.0.1:8000")

    return client


def row(client: TestClient) -> Any:
    runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
    with runtime.store.engine.connect() as connection:
        return connection.execute(sa.select(t.callback)).one()


def until_state(client: TestClient, state: str) -> Any:
    end = time.monotonic() + 20
    while (found := row(client)).state != state:
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def test_the_result_is_posted_signed_with_its_query_string_kept(
    start: Start, open_settings: Settings, receiver: Receiver
) -> None:
    url = f"http://localhost:{receiver.port}/webhook-waiting/7?signature=ab%2Fcd&x=1"
    with start(open_settings) as client:
        answer = client.post("/v1/messages", json=BODY | {"callback_url": url})
        assert answer.status_code == 202
        receiver.wait(1)
        until_state(client, "delivered")
        result = client.get(f"/v1/messages/{answer.json()['id']}").json()
    path, headers, body = receiver.came[0]
    assert path == "/webhook-waiting/7?signature=ab%2Fcd&x=1"
    assert headers["host"] == f"localhost:{receiver.port}"
    assert json.loads(body) == result
    assert result["state"] == "published"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 30


def test_n8n_that_runs_still_is_asked_again_and_one_that_has_finished_counts_as_delivered(
    start: Start, open_settings: Settings, receiver: Receiver
) -> None:
    receiver.answers = [RUNNING, (503, "starting"), FINISHED]
    with start(open_settings) as client:
        client.post("/v1/messages", json=BODY | {"callback_url": f"http://localhost:{receiver.port}/w"})
        found = until_state(client, "delivered")
        assert found.attempts == 3
    assert len({headers["webhook-id"] for _, headers, _ in receiver.came}) == 1
    assert len(receiver.came) == 3


def test_a_redirect_is_not_followed_and_is_given_up(start: Start, open_settings: Settings, receiver: Receiver) -> None:
    receiver.answers = [(307, "/elsewhere"), (200, "ok")]
    with start(open_settings) as client:
        client.post("/v1/messages", json=BODY | {"callback_url": f"http://localhost:{receiver.port}/w"})
        found = until_state(client, "given_up")
    assert "redirects are not followed" in found.last_error
    assert len(receiver.came) == 1


def test_a_callback_survives_a_stop_and_each_repeat_of_a_message_is_answered_at_its_own_address(
    start: Start, open_settings: Settings, receiver: Receiver
) -> None:
    receiver.answers = [(503, "down"), (200, "ok")]
    base = f"http://localhost:{receiver.port}"
    with start(open_settings) as client:
        client.post("/v1/messages?wait=20", json=BODY | {"external_id": "1", "callback_url": f"{base}/a"})
        receiver.wait(1)
    with start(open_settings) as client:
        receiver.wait(2)
        until_state(client, "delivered")
        again = client.post("/v1/messages", json=BODY | {"external_id": "1", "callback_url": f"{base}/b"})
        assert again.json()["duplicate"] is True
        receiver.wait(3)
    assert [path for path, _, _ in receiver.came] == ["/a", "/a", "/b"]


def test_a_private_address_is_refused_when_it_is_time_to_send(
    start: Start, open_settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = open_settings.model_copy(update={"callback_private": False})
    with start(closed) as client:  # the port is a private address's; only the look-up can tell
        url = f"https://localhost:{receiver.port}/w"
        assert client.post("/v1/messages", json=BODY | {"callback_url": url}).status_code == 202
        found = until_state(client, "given_up")
    assert "private address" in found.last_error
    assert receiver.came == []


def test_after_its_hours_a_callback_that_nobody_takes_is_given_up_with_an_audit_line(
    start: Start, open_settings: Settings, receiver: Receiver
) -> None:
    receiver.answers = [(503, "down")]
    with start(open_settings.model_copy(update={"callback_hours": 1.5 / 3600})) as client:
        client.post("/v1/messages", json=BODY | {"callback_url": f"http://localhost:{receiver.port}/w"})
        until_state(client, "given_up")
        runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
        with runtime.store.engine.connect() as connection:
            actions = connection.execute(sa.select(t.audit.c.action)).scalars().all()
    assert "callback_given_up" in actions


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://n8n.example/x",
        "https://n8n.example:8443/x",
        "https://n8n.example@evil.example/x",
        "https://user:pw@n8n.example/x",
        "https://n8n.example.evil.example/x",
        "https://n8n.example\\@evil.example/",
        "ftp://n8n.example/x",
        "file:///etc/passwd",
        "https://[::1/x",
        "https://n8n.example:99999/x",
        "https://n8n.example/x\r\nHost: evil",
        "//n8n.example/x",
        "n8n.example",
    ],
)
def test_only_an_allowed_host_is_taken(url: str) -> None:
    settings = Settings(_env_file=None, callback_hosts=("n8n.example", "n8n.example:8444"), callback_secret=SECRET)
    with pytest.raises(BadInput) as caught:
        check_url(url, settings)
    assert caught.value.field == "callback_url"
    assert check_url("https://N8N.example/a?b=c", settings).query == "b=c"
    assert check_url("https://n8n.example:8444/a", settings).port == 8444


def test_without_hosts_set_up_the_refusal_says_what_to_do(alone: TestClient) -> None:
    answer = alone.post("/v1/messages", json=BODY | {"callback_url": "https://n8n.example/x"})
    assert answer.status_code == 400
    assert "TRIAGE_CALLBACK_HOSTS" in answer.json()["message"]


def test_hosts_without_a_good_secret_are_no_configuration() -> None:
    for secret in (None, "short", "whsec_%%%", "whsec_" + base64.b64encode(b"too short").decode()):
        with pytest.raises(ValueError, match="TRIAGE_CALLBACK_SECRET"):
            Settings(_env_file=None, callback_hosts=("n8n.example",), callback_secret=secret)


PRIVATE = (
    "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 224.0.0.1 ::1 fe80::1 fd00::1"
    " ::ffff:127.0.0.1 64:ff9b::a00:1 2002:7f00:1:: :: ff02::1"
)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_addresses_that_are_not_of_the_open_internet_are_told(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    assert is_public(ipaddress.ip_address("93.184.216.34"))
    assert is_public(ipaddress.ip_address("2606:2800:220:1:248:1893:25c8:1946"))


def test_answers_are_told_apart() -> None:
    assert judge(204, "").end == "delivered"
    assert judge(*FINISHED).end == "delivered"
    assert judge(*RUNNING).end == judge(500, "").end == judge(429, "").end == judge(404, "").end == "later"
    assert judge(301, "").end == judge(401, "").end == judge(410, "").end == "refused"


def test_who_claimed_one_and_died_leaves_it_to_the_next_after_the_lease(
    start: Start, open_settings: Settings, receiver: Receiver
) -> None:
    asleep = open_settings.model_copy(update={"run_worker": False})
    with start(asleep) as client:
        client.post("/v1/messages", json=BODY | {"callback_url": f"http://localhost:{receiver.port}/w"})
        runtime: Runtime = client.app.state.runtime  # type: ignore[attr-defined]
        store, now = runtime.store, datetime.now(UTC) + timedelta(seconds=5)
        assert store.claim_callbacks(8, now, callbacks.LEASE) == []  # its message has no result yet
        with store.transaction() as connection:
            message_id = connection.execute(sa.select(t.message.c.id)).scalar_one()
            store.set_state(connection, message_id, "held", now)
        later = now + timedelta(hours=30)  # the hours of a callback count from here: there was nothing to post before
        tries = [
            store.claim_callbacks(8, later + wait, callbacks.LEASE)
            for wait in (timedelta(), timedelta(seconds=1), callbacks.LEASE)
        ]
        assert [[(c.attempt, c.created_at) for c in claimed] for claimed in tries] == [[(1, later)], [], [(2, later)]]


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    engine = create_engine(settings.sqlalchemy_url)
    migrate(engine)
    yield Store(engine, Files(settings.data_dir / "files"))
    engine.dispose()


def failed_message(store: Store, url: str, now: datetime) -> str:
    message = Message(channel="portal", text="x", callback_url=url)
    with store.transaction() as connection:
        message_id = store.accept(connection, message, header=None, original_sha256=None, now=now).id
        store.set_state(connection, message_id, "failed", now)
    return message_id


def test_a_retry_while_the_earlier_result_is_being_posted_loses_no_callback(
    store: Store, open_settings: Settings, receiver: Receiver
) -> None:
    at = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    message_id = failed_message(store, f"http://localhost:{receiver.port}/w", at)
    (of_failure,) = store.claim_callbacks(8, at + timedelta(seconds=2), callbacks.LEASE)
    with store.transaction() as connection:
        store.retry(connection, message_id, "eva", at + timedelta(seconds=3))
    callbacks._deliver(store, open_settings, lambda: at + timedelta(seconds=4), of_failure)
    assert receiver.came == [], "a message in work has no result to post"
    with store.transaction() as connection:
        store.set_state(connection, message_id, "published", at + timedelta(seconds=5))
    store.end_callback(of_failure, "delivered", None, at + timedelta(seconds=6))  # the post that was under way
    (of_success,) = store.claim_callbacks(8, at + timedelta(seconds=7), callbacks.LEASE)
    store.end_callback(of_failure, "given_up", "late", at + timedelta(seconds=8))
    callbacks._deliver(store, open_settings, lambda: at + timedelta(seconds=9), of_success)
    assert [json.loads(body)["state"] for _, _, body in receiver.came] == ["published"]
    assert store.claim_callbacks(8, at + timedelta(hours=1), callbacks.LEASE) == []


def test_an_answer_that_drips_for_ever_ends_within_the_time_of_one_try(
    open_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callbacks, "TRY_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 503 Busy\r\n")
                while True:
                    connection.sendall(b"X: y\r\n")
                    time.sleep(0.2)

        threading.Thread(target=drip, daemon=True).start()
        port, now = server.getsockname()[1], datetime.now(UTC)
        allowed = open_settings.model_copy(update={"callback_hosts": (f"localhost:{port}",)})
        posted = Callback(id="cb_1", message_id="m", url=f"http://localhost:{port}/", attempt=1, created_at=now)
        answer = callbacks.post(posted, b"{}", allowed, now)
    assert answer.end == "later" and "did not answer" in (answer.error or "")


def test_signs_that_no_request_line_may_hold_are_escaped(open_settings: Settings, receiver: Receiver) -> None:
    now = datetime.now(UTC)
    url = f"http://localhost:{receiver.port}/w?site=München&q=a%2Fb"
    posted = Callback(id="cb_1", message_id="m", url=url, attempt=1, created_at=now)
    assert callbacks.post(posted, b"{}", open_settings, now).end == "delivered"
    assert receiver.came[0][0] == "/w?site=M%C3%BCnchen&q=a%2Fb"
