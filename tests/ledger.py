"""An Odoo of one file, outside the service: what was published is counted where the service cannot forget it.

Run as a program it serves the real API on a port, publishing into the ledger:
    python -m tests.ledger PORT LEDGER_FILE
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from extractors.message import Attachment
from triage.carriers import Lane, Option
from triage.errors import OdooUnavailable
from triage.odoo.records import Record
from triage.result import Draft, OdooItem


class Ledger:
    """Each row is one creation; `down` beside the file makes every call fail as a stopped Odoo does."""

    def __init__(self, path: Path, slow: float = 0.0) -> None:
        self._path = path
        self._slow = slow
        with self._open() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS created (id INTEGER PRIMARY KEY, key TEXT, kind TEXT)")

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30)

    @property
    def down(self) -> Path:
        return self._path.with_suffix(".down")

    def _answer(self) -> None:
        if self.down.exists():
            raise OdooUnavailable("the ledger is down")

    def find(self, references: Mapping[str, Sequence[str]]) -> list[Record]:
        self._answer()
        names = references.get("delivery_order", ())
        return [self.record(name) for name in names]

    def get(self, model: str, record_id: int) -> Record | None:
        self._answer()
        return self.record(f"WH/OUT/{record_id:05d}")

    def carriers(self, lane: Lane, carrier: str | None, now: datetime) -> tuple[Option, ...]:
        return ()

    @staticmethod
    def record(name: str) -> Record:
        number = int(name.rsplit("/", 1)[1])
        return Record(model="stock.picking", id=number, name=name, references=(name,))

    def publish(self, draft: Draft, files: Sequence[Attachment] = ()) -> OdooItem:
        self._answer()
        with self._open() as connection:
            found = connection.execute("SELECT id FROM created WHERE key = ?", (draft.key,)).fetchone()
            if found is None:
                cursor = connection.execute("INSERT INTO created (key, kind) VALUES (?, ?)", (draft.key, draft.kind))
                item = int(cursor.lastrowid or 0)
            else:
                item = int(found[0])
        connection.close()
        time.sleep(self._slow)  # between the creation and our writing down of its id: where a crash hurts
        return OdooItem(kind=draft.kind, model="mail.activity", id=item, url=f"http://odoo.example/{item}")

    def keys(self) -> Counter[str]:
        with self._open() as connection:
            return Counter(row[0] for row in connection.execute("SELECT key FROM created"))


def main(port: int, path: Path) -> None:
    import uvicorn

    from api import create_app
    from triage.runtime import Runtime
    from triage.settings import Settings

    def build(settings: Settings) -> Runtime:
        ledger = Ledger(path, slow=0.02)
        return Runtime.build(settings, records=ledger, publisher=ledger)

    uvicorn.run(create_app(Settings(), build), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
