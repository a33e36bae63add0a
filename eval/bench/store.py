"""The store with 100,000 messages: what a page, a filter, a look-up and an insert cost there, beside an empty one."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from classifiers.taxonomy import load_taxonomy
from eval.bench.classify import DATA
from eval.bench.row import Row, row
from eval.product import Product
from extractors.limits import Limits
from extractors.message import message_from_json
from triage.pipeline import decide, understand
from triage.settings import Settings
from triage.store import tables as t
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Filter, Store

MESSAGES, BATCH, TIMES = 100_000, 5_000, 30
START = datetime(2026, 1, 1, tzinfo=UTC)


def fill(store: Store, count: int) -> None:
    """Copies of one real message with its real result, spread over labels, states and a year."""
    text = json.loads(DATA.read_text(encoding="utf-8").split("\n", 1)[0])["message"]
    message = message_from_json(text, Limits())
    taxonomy = load_taxonomy()
    with Product(Settings(_env_file=None)) as product:
        understanding = understand(message, product.tools, taxonomy, START)
        decided = decide("bench", understanding, None, lambda: None, taxonomy, product.policy, "", START).result
    with store.transaction() as connection:
        first = store.accept(connection, message, header="bench", original_sha256=None, now=START)
        store.save_understanding(connection, understanding, first.id, START)
        store.save_decision(connection, first.id, decided, None, START)
    with store.engine.connect() as connection:
        told = dict(connection.execute(sa.select(t.message)).one()._mapping)
        result = dict(connection.execute(sa.select(t.result)).one()._mapping)
    chance = random.Random(1)  # noqa: S311 - figures, not secrets
    states = ("published",) * 8 + ("ignored", "held")
    for begin in range(0, count, BATCH):
        messages, results = [], []
        for n in range(begin, min(begin + BATCH, count)):
            at = START + timedelta(seconds=300 * n)
            identity = f"msg_{n:032x}"
            more = {"id": identity, "idempotency_key": f"bench:{n}", "created_at": at, "updated_at": at}
            more |= {"state": chance.choice(states), "label": chance.choice(taxonomy.codes)}
            messages.append(told | more | {"priority": chance.choice(("P1", "P2", "P3", "P4"))})
            results.append(result | {"message_id": identity, "created_at": at, "decided_at": at})
        with store.transaction() as connection:
            connection.execute(sa.insert(t.message), messages)
            connection.execute(sa.insert(t.result), results)


def calls(store: Store) -> dict[str, Callable[[], Any]]:
    message = message_from_json({"channel": "portal", "text": "The truck broke down."}, Limits())
    number = iter(range(10**9))

    def accept() -> None:
        with store.transaction() as connection:
            key = f"again-{next(number)}"
            store.accept(connection, message, header=key, original_sha256=None, now=START)

    with store.engine.connect() as connection:
        identities = list(connection.execute(sa.select(t.message.c.id).limit(500)).scalars())
    chance = random.Random(2)  # noqa: S311
    deep = store.page(Filter(), 50, None)[1]
    for _ in range(9):
        deep = store.page(Filter(), 50, deep)[1] or deep
    return {
        "one message with its result": lambda: store.get(chance.choice(identities)),
        "the newest 50": lambda: store.page(Filter(), 50, None),
        "50 of one state": lambda: store.page(Filter(state="held"), 50, None),
        "50 of one label and priority": lambda: store.page(Filter(label="damage", priority="P1"), 50, None),
        "50 by a cursor, 500 back": lambda: store.page(Filter(), 50, deep),
        "how many wait": store.waiting,
        "how many in each state": store.states,
        "take in one more": accept,
    }


def median_ms(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(TIMES):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def measure(count: int = MESSAGES) -> list[Row]:
    found: dict[int, dict[str, float]] = {}
    size = 0.0
    for messages in (count // 100, count):
        with tempfile.TemporaryDirectory() as folder:
            engine = create_engine(f"sqlite:///{folder}/store.sqlite3")
            migrate(engine)
            store = Store(engine, Files(Path(folder) / "files"))
            fill(store, messages)
            found[messages] = {name: median_ms(call) for name, call in calls(store).items()}
            engine.dispose()
            size = Path(folder, "store.sqlite3").stat().st_size / 2**20
    small, large = found[count // 100], found[count]
    of = f"of that with {count // 100:,}"
    rows = [row(f"{name}, among {count:,}", ms, "ms", ms / small[name], of) for name, ms in large.items()]
    return [*rows, row(f"{count:,} messages with their results on disk", size, "MB")]
