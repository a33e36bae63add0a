"""PDF files that people attach in a real Odoo 11 are taken in once each, with the record known."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from tests.integration.odoo.database import OdooDatabase, Shipment
from tests.integration.odoo.test_email_to_odoo import notice
from tests.integration.odoo.test_odoo_setup import NEW, install
from triage.odoo.cli import odoo_app
from triage.odoo.documents import BOOKMARK
from triage.pipeline import Tools
from triage.result import FINAL_STATES, Result
from triage.runtime import Runtime
from triage.settings import Settings
from triage.store import tables as t

MODELS = ("stock.picking", "purchase.order", "documents.document")


@pytest.fixture(scope="module")
def ready(shared_odoo: OdooDatabase) -> OdooDatabase:
    install(shared_odoo)
    return shared_odoo


@pytest.fixture
def runtime(ready: OdooDatabase, tmp_path: Path, tools: Tools) -> Iterator[Runtime]:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        odoo_url=ready.url,
        odoo_db=ready.db,
        odoo_login=NEW.login,
        odoo_password=NEW.password,
        odoo_document_models=MODELS,
        odoo_pull_seconds=0,
        max_attachment_bytes=50_000,
    )
    runtime = Runtime.build(settings, tools=tools)
    runtime.start()
    yield runtime
    runtime.stop()


def pdf_of(mail: bytes) -> bytes:
    import email
    from email.message import EmailMessage
    from email.policy import default

    message = email.message_from_bytes(mail, policy=default)
    assert isinstance(message, EmailMessage)
    content = next(message.iter_attachments()).get_content()
    assert isinstance(content, bytes)
    return content


def attach(
    odoo: OdooDatabase, shipment: Shipment, content: bytes, name: str = "notice.pdf", model: str = MODELS[0]
) -> int:
    encoded = base64.b64encode(content).decode()
    return odoo.create("ir.attachment", name=name, datas=encoded, datas_fname=name, res_model=model, res_id=shipment.id)


def ended(runtime: Runtime) -> list[Result]:
    with runtime.store.engine.connect() as connection:
        ids = connection.execute(sa.select(t.message.c.id).order_by(t.message.c.created_at)).scalars().all()
    until = time.monotonic() + 30
    while any(runtime.store.state(message_id)[0] not in FINAL_STATES for message_id in ids):
        assert time.monotonic() < until
        time.sleep(0.05)
    return [runtime.store.get(message_id) for message_id in ids]


def test_a_new_pdf_is_taken_in_once_and_ends_as_an_activity_on_its_record(
    ready: OdooDatabase, runtime: Runtime
) -> None:
    shipment, other = ready.make_shipment(), ready.make_shipment()
    before = ready.stock_rows()
    first = attach(ready, shipment, pdf_of(notice("somewhere else entirely")))
    attach(ready, other, pdf_of(notice(other.name)), name="second.pdf")
    attach(ready, other, b"just text", name="named.pdf")
    attach(ready, other, pdf_of(notice("x")), model="res.partner")
    pulled = runtime.pull_documents()
    assert (pulled.new, pulled.known, pulled.refused) == (2, 0, 1)  # Odoo 11 believes the name of a file
    results = ended(runtime)
    assert [result.channel for result in results] == ["document", "document"]
    (mine,) = [r for r in results if f":ir.attachment:{first}:" in (r.external_id or "")]
    message = runtime.store.message(mine.id)
    assert message.record is not None and (message.record.model, message.record.id) == ("stock.picking", shipment.id)
    assert mine.match is not None and mine.match.id == shipment.id
    assert message.attachments[0].filename == "notice.pdf"
    assert mine.state == "published", mine
    assert [a["id"] for a in ready.activities(shipment.id)] == [mine.odoo[0].id]

    again = runtime.pull_documents()
    assert (again.new, again.known, again.refused) == (0, 3, 0)
    third = attach(ready, shipment, pdf_of(notice(shipment.name, number=3)))
    assert runtime.pull_documents().new == 1
    ready.write("ir.attachment", third, datas=base64.b64encode(pdf_of(notice(other.name))).decode())
    assert runtime.pull_documents().new == 1  # other content in the same attachment
    ended(runtime)
    assert ready.stock_rows() == before


def test_nothing_is_skipped_when_many_have_the_same_time_and_the_bookmark_stands_at_it(
    ready: OdooDatabase, runtime: Runtime
) -> None:
    runtime.pull_documents()
    shipment = ready.make_shipment()
    numbers = [attach(ready, shipment, pdf_of(notice(f"N{i}")), name=f"{i}.pdf") for i in range(3)]
    late = attach(ready, shipment, pdf_of(notice("late")), name="late.pdf")
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    with ready.server.postgres.connect(ready.db) as connection:
        connection.execute(
            "update ir_attachment set write_date = %s where id = any(%s)", (at.replace(tzinfo=None), numbers)
        )
        moved = at.replace(tzinfo=None) - timedelta(days=3)
        connection.execute("update ir_attachment set write_date = %s where id = %s", (moved, late))
        connection.commit()
    assert runtime.pull_documents().new == 3
    assert runtime.store.bookmark(BOOKMARK) == at
    with ready.server.postgres.connect(ready.db) as connection:  # a transaction that began before and ended after
        moved = at.replace(tzinfo=None) - timedelta(minutes=10)
        connection.execute("update ir_attachment set write_date = %s where id = %s", (moved, late))
        connection.commit()
    assert runtime.pull_documents().new == 1
    ended(runtime)


def test_what_cannot_be_read_is_refused_once_with_an_audit_line_and_holds_nothing_up(
    ready: OdooDatabase, runtime: Runtime
) -> None:
    runtime.pull_documents()
    shipment = ready.make_shipment()
    huge = attach(ready, shipment, b"%PDF-1.4\n" + b"0" * 60_000, name="huge.pdf")
    attach(ready, shipment, pdf_of(notice("good")), name="good.pdf")
    pulled = runtime.pull_documents()
    assert (pulled.new, pulled.refused) == (1, 1)
    assert runtime.pull_documents().refused == 0
    with runtime.store.engine.connect() as connection:
        rows = connection.execute(sa.select(t.audit.c.detail).where(t.audit.c.action == "document_refused")).scalars()
        (problem,) = [detail["problem"] for detail in rows if detail["attachment"] == huge]
    assert "larger" in problem
    ended(runtime)


def test_the_commands_say_what_they_did_and_what_is_missing(
    ready: OdooDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ready.settings().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRIAGE_ODOO_LOGIN", NEW.login)
    monkeypatch.setenv("TRIAGE_ODOO_PASSWORD", NEW.password or "")
    monkeypatch.setenv("TRIAGE_DATA_DIR", str(tmp_path / "data"))
    assert CliRunner().invoke(odoo_app, ["pull-documents"]).exit_code == 2
    monkeypatch.setenv("TRIAGE_ODOO_DOCUMENT_MODELS", '["stock.picking"]')
    attach(ready, ready.make_shipment(), pdf_of(notice("by command")))
    answer = CliRunner().invoke(odoo_app, ["pull-documents", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout.splitlines()[-1])["new"] >= 1
    answer = CliRunner().invoke(odoo_app, ["pull-outcomes", "--json"])
    assert json.loads(answer.stdout.splitlines()[-1])["asked"] == 0
