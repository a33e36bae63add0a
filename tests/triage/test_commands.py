"""How commands end: what cannot be used is one line with the remedy, and an exit status that says whose fault it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner

from triage import console
from triage.cli import app
from triage.engine import AlreadyRunning
from triage.settings import Settings

RUN = CliRunner()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "worker",
        "demo",
        "config show",
        "keys list",
        "odoo check",
        "odoo pull-outcomes",
        "llm check",
        "llm calibrate --out x",
        "eval run --dataset x.jsonl",
        "eval redteam",
        "eval replay msg_1",
        "eval backtest --simulate",
        "feedback export",
        "feedback settle msg_1 --label damage --by eva",
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line_in_every_command(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_PORT", "x")
    answer = RUN.invoke(app, command.split())
    assert answer.exit_code == 2, answer.output
    (line,) = answer.stderr.splitlines()
    assert line.startswith("triage: the configuration is not usable: TRIAGE_PORT: Input should be a valid integer")


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [("LLM_TASKS", "classify", "JSON list"), ("DATABASE_URL", "x", "postgresql"), ("LLM_URL", "x", "TRIAGE_LLM_MODEL")],
)
def test_the_line_names_the_setting_and_the_remedy(
    variable: str, value: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TRIAGE_{variable}", value)
    answer = RUN.invoke(app, ["config", "show"])
    (line,) = answer.stderr.splitlines()
    assert answer.exit_code == 2 and f"TRIAGE_{variable}" in line and remedy in line


@pytest.mark.parametrize("command", ["serve", "worker", "demo --samples .", "odoo check", "eval replay msg_1"])
@pytest.mark.parametrize("policy", [None, "version: ours\npriority: x\n", "version: [ours\n"])
def test_a_policy_that_cannot_be_used_is_one_line_that_names_the_file(
    command: str, policy: str | None, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_POLICY_FILE", "ours.yaml")
    for name in ("URL", "DB", "LOGIN", "PASSWORD"):
        monkeypatch.setenv(f"TRIAGE_ODOO_{name}", "http://127.0.0.1:1")
    if policy is not None:
        (folder / "ours.yaml").write_text(policy)
    answer = RUN.invoke(app, command.split())
    assert answer.exit_code == 2, answer.output
    (line,) = answer.stderr.splitlines()
    assert line.startswith("triage: the configuration is not usable: ours.yaml: ")


@pytest.fixture
def proxy() -> Iterator[HTTPServer]:
    """A proxy whose service is away: an HTML page, with the status that a test sets."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(server.status)  # type: ignore[attr-defined]
            self.end_headers()
            self.wfile.write(b"<html><head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("status", [502, 301, 200])
def test_what_is_no_answer_of_the_service_is_said_with_status_and_first_words(
    status: int, proxy: HTTPServer, folder: Path
) -> None:
    proxy.status = status  # type: ignore[attr-defined]
    (folder / "mail.eml").write_text("Subject: late\n\nThe truck is late.")
    answer = RUN.invoke(app, ["submit", "mail.eml", "--url", f"http://127.0.0.1:{proxy.server_port}"])
    assert answer.exit_code == 1, answer.output
    assert f"mail.eml: {status}" in answer.stderr and "502 Bad Gateway nginx" in answer.stderr


def test_what_a_command_did_is_said_as_json_too(folder: Path) -> None:
    def told(*command: str) -> object:
        answer = RUN.invoke(app, [*command, "--json"])
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    assert told("feedback", "export", "--out", "f.jsonl") == {"cases": 0, "file": "f.jsonl"}
    cases = [{"id": str(n), "message": {"text": f"late {n}"}, "label": "damage", "group": str(n)} for n in range(4)]
    Path("cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    split = told("eval", "split", "cases.jsonl", "--out", "split.jsonl", "--shares", "train=0.75,test=0.25")
    assert split == {"file": "split.jsonl", "splits": {"train": 3, "test": 1}}
    of = ["--licence", "Apache-2.0", "--label-guide", "1", "--how-made", "by hand"]
    sheet = told("eval", "datasheet", "split.jsonl", *of)
    assert isinstance(sheet, dict) and Path(sheet["file"]).is_file() and len(sheet["sha256"]) == 64
    key = json.loads(RUN.invoke(app, ["keys", "add", "n8n", "--json"]).stdout)
    revoked = told("keys", "revoke", key["id"])
    assert isinstance(revoked, dict) and revoked["id"] == key["id"] and revoked["revoked_at"]


@pytest.mark.parametrize("command", ["keys revoke key_1", "feedback settle msg_1 --label damage --by eva"])
def test_an_unknown_id_is_wrong_use(command: str) -> None:
    answer = RUN.invoke(app, command.split())
    assert answer.exit_code == 2, answer.output
    assert "there is no" in answer.stderr


@pytest.mark.parametrize("command", ["keys list", "retention run --days 9", "feedback export"])
def test_a_database_that_is_down_is_one_line(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_DATABASE_URL", "postgresql://a:secret@127.0.0.1:1/triage")
    answer = RUN.invoke(app, command.split())
    assert answer.exit_code == 1, answer.output
    (line,) = answer.stderr.splitlines()
    assert line.startswith("triage: the database cannot be used (connection failed") and "secret" not in line


def test_what_runs_for_long_waits_for_its_database_and_says_so_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if sum(waited) > 100:
            raise KeyboardInterrupt

    monkeypatch.setattr("triage.console.time.sleep", wait)
    down = Settings(_env_file=None, database_url="postgresql://a:secret@127.0.0.1:1/triage")
    with pytest.raises(KeyboardInterrupt):
        console.await_database(down)
    assert [record.getMessage().partition(",")[0] for record in caplog.records] == ["the database does not answer"] * 2
    console.await_database(Settings(_env_file=None))  # SQLite is there or it is broken


def test_what_keeps_a_worker_from_starting_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    class Unstartable:
        def __init__(self, error: Exception) -> None:
            self.error = error

        def start(self) -> None:
            raise self.error

    gone = sa.exc.OperationalError("SELECT 1", {}, Exception("server closed the connection\nunexpectedly"))
    for error, said in ((gone, "server closed the connection)"), (AlreadyRunning("another worker runs"), "another")):
        with pytest.raises(typer.Exit) as ended:
            console.start(Unstartable(error))  # type: ignore[arg-type]
        (line,) = capsys.readouterr().err.splitlines()
        assert ended.value.exit_code == 1 and line.startswith("triage: ") and said in line
