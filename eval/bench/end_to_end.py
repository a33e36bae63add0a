"""Messages a second through the whole way, beside the encoders alone on the same texts; then with kills.

The store is a fresh SQLite file, Odoo is an object that answers at once: what is measured is ours. With kills, the
service is a process that dies by SIGKILL while messages come in, and what it created is counted in a file of its own.
"""

from __future__ import annotations

import http.client
import json
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from classifiers.embedding import Encoder
from classifiers.text import classifier_text
from eval.bench.intake import bodies, free_port, served
from eval.bench.pdf import documents
from eval.bench.row import Row, row
from extractors.limits import Limits
from extractors.message import Attachment, Message, message_from_json
from triage.carriers import Lane, Option
from triage.odoo.records import Record
from triage.result import FINAL_STATES, Draft, OdooItem
from triage.runtime import Runtime
from triage.settings import Settings
from triage.store import tables as t
from triage.store.database import create_engine

MESSAGES, KILLED_MESSAGES, KILLS = 200, 120, 3


class InstantOdoo:
    """Knows every record and creates every item, in no time; with a file it writes down each creation there."""

    def __init__(self, ledger: Path | None = None) -> None:
        self._ledger = ledger
        if ledger is not None:
            with sqlite3.connect(ledger, timeout=30) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS created (key TEXT)")

    def find(self, references: Mapping[str, Sequence[str]]) -> list[Record]:
        return [self.record(1)]

    def get(self, model: str, record_id: int) -> Record | None:
        return self.record(record_id)

    def carriers(self, lane: Lane, carrier: str | None, now: datetime) -> tuple[Option, ...]:
        return ()

    def record(self, number: int) -> Record:
        return Record(model="stock.picking", id=number, name=f"WH/OUT/{number:05d}")

    def publish(self, draft: Draft, files: Sequence[Attachment] = ()) -> OdooItem:
        if self._ledger is not None:
            with sqlite3.connect(self._ledger, timeout=30) as connection:
                known = connection.execute("SELECT 1 FROM created WHERE key = ?", (draft.key,)).fetchone()
                if not known:  # as the publisher does in Odoo: search, then create
                    connection.execute("INSERT INTO created VALUES (?)", (draft.key,))
        return OdooItem(kind=draft.kind, model="mail.activity", id=1, url="http://odoo.example")


def messages(count: int) -> list[Message]:
    """Texts of the training split, as they are; more than there are begin anew under another id."""
    return [message_from_json(json.loads(body), Limits()) for body in bodies(count)]


def settings_in(folder: Path) -> Settings:
    return Settings(_env_file=None, data_dir=folder, odoo_fallback_model="stock.picking", odoo_fallback_id=1)


def through(batch: Sequence[Message]) -> dict[str, float]:
    """From the first acceptance to the last final state, and how many came to which end."""
    odoo = InstantOdoo()
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime.build(settings_in(Path(folder)), records=odoo, publisher=odoo)
        runtime.start()
        try:
            warm = batch[0].model_copy(update={"external_id": "warm"})
            first = runtime.service.accept(warm, header=None, original=None).id
            while runtime.store.state(first)[0] not in FINAL_STATES:
                time.sleep(0.05)
            cpu, started = time.process_time(), time.monotonic()
            for message in batch:
                runtime.service.accept(message, header=None, original=None)
            while (done := sum(n for s, n in runtime.store.states().items() if s in FINAL_STATES)) < len(batch) + 1:
                if time.monotonic() - started > 600:
                    break
                time.sleep(0.1)
            seconds = time.monotonic() - started
            cpu = time.process_time() - cpu
            failed = runtime.store.states().get("failed", 0)
            with runtime.store.engine.connect() as connection:
                took = connection.execute(sa.select(t.message.c.created_at, t.message.c.updated_at)).all()
        finally:
            runtime.stop()
    return {
        "per_second": len(batch) / seconds,
        "p95_s": float(np.quantile([(end - start).total_seconds() for start, end in took], 0.95)),
        "cpu_ms": cpu * 1000 / len(batch),
        "lost": len(batch) + 1 - done,
        "failed": failed,
    }


def encoders_alone(batch: Sequence[Message]) -> float:
    """Texts a second, one at a time, as messages come."""
    encoder = Encoder()
    texts = [classifier_text(m.subject, m.newest, m.quoted) for m in batch]
    encoder.encode(texts[:3])
    started = time.monotonic()
    for text in texts:
        encoder.encode([text])
    return len(texts) / (time.monotonic() - started)


def with_kills(count: int = KILLED_MESSAGES, kills: int = KILLS) -> dict[str, int]:
    """Of the messages that were accepted: how many have no end, and how many stand in Odoo twice or never."""
    answered: set[str] = set()
    left = bodies(count)
    with tempfile.TemporaryDirectory() as folder:
        place, port = Path(folder), free_port()
        ledger, data = place / "ledger.sqlite3", place / "data"
        command = ["-m", "eval.bench.end_to_end", str(port), str(data), str(ledger)]
        engine = create_engine(settings_in(data).sqlalchemy_url)
        for life in range(kills + 1):
            with served(command, port) as process:
                share = len(left) if life == kills else count // (kills + 1)
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                for body in left[:share]:
                    connection.request("POST", "/v1/messages", body, {"Content-Type": "application/json"})
                    answer = connection.getresponse()
                    said = json.loads(answer.read())
                    if answer.status in (200, 202):
                        answered.add(said["id"])
                connection.close()
                left = left[share:]
                if life < kills:
                    process.send_signal(signal.SIGKILL)
                else:
                    _until_done(engine, len(answered))
        with engine.connect() as reading:
            ends = {r.id: r.state for r in reading.execute(sa.select(t.message.c.id, t.message.c.state))}
            drafts = reading.execute(sa.select(t.publication.c.message_id, t.publication.c.key)).all()
        engine.dispose()
        with sqlite3.connect(ledger) as reader:
            created = Counter(key for (key,) in reader.execute("SELECT key FROM created"))
    published = [key for message_id, key in drafts if ends.get(message_id) == "published"]
    return {
        "answered": len(answered),
        "lost": sum(ends.get(message_id) not in FINAL_STATES for message_id in answered),
        "failed": sum(state == "failed" for state in ends.values()),
        "not_in_odoo": sum(created[key] == 0 for key in published),
        "doubled": sum(count > 1 for count in created.values()),
    }


def _until_done(engine: sa.Engine, count: int, seconds: float = 300) -> None:
    until = time.monotonic() + seconds
    query = sa.select(sa.func.count()).select_from(t.message).where(t.message.c.state.in_(FINAL_STATES))
    while time.monotonic() < until:
        with engine.connect() as connection:
            if connection.execute(query).scalar_one() >= count:
                return
        time.sleep(0.5)


def measure() -> list[Row]:
    plain = messages(MESSAGES)
    pdf = Attachment(filename="note.pdf", content_type="application/pdf", content=documents(1)[0])
    papers = [m.model_copy(update={"attachments": (pdf,), "external_id": f"{m.external_id}-pdf"}) for m in plain]
    alone, text, paper, killed = encoders_alone(plain), through(plain), through(papers), with_kills()
    rows = [row("our encoders alone", alone, "texts a second")]
    for name, found in (("text", text), ("text and a PDF of 2 pages", paper)):
        rate = found["per_second"]
        rows += [
            row(f"{name}: through the whole way", rate, "messages a second", rate / alone, "of the encoders alone"),
            row(f"{name}: from acceptance to the end, p95, {MESSAGES} at once", found["p95_s"], "s"),
            row(f"{name}: CPU", found["cpu_ms"], "ms a message"),
            row(f"{name}: lost or failed", found["lost"] + found["failed"], "messages"),
        ]
    said = {
        "answered": "accepted",
        "lost": "lost",
        "failed": "failed",
        "not_in_odoo": "published and not in Odoo",
        "doubled": "in Odoo twice",
    }
    return rows + [row(f"{KILLS} kills: {said[name]}", n, "messages") for name, n in killed.items()]


def serve(port: int, data: Path, ledger: Path) -> None:
    """The real API with a real worker, publishing into the ledger."""
    import uvicorn

    from api import create_app

    odoo = InstantOdoo(ledger)
    app = create_app(settings_in(data), lambda s: Runtime.build(s, records=odoo, publisher=odoo))
    uvicorn.run(app, port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
