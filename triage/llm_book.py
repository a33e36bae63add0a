"""What the language model answered and what it cost, in a SQLite file: the cache and the day's budget.

Only masked answers and hashes of questions are kept. Several processes on one data folder share the file, and so the
budget.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

KEPT = timedelta(days=30)
_TABLES = """
CREATE TABLE IF NOT EXISTS answer (key TEXT PRIMARY KEY, value TEXT NOT NULL, model TEXT NOT NULL, day TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS answer_day ON answer (day);
CREATE TABLE IF NOT EXISTS spent (day TEXT PRIMARY KEY, tokens INTEGER NOT NULL, cost REAL NOT NULL);
"""


class Stored(NamedTuple):
    """The JSON of an answer and the model that gave it."""

    value: str
    model: str


class Spent(NamedTuple):
    tokens: int
    cost: float


class OverBudget(Exception):
    """The sentence says which budget and what to set."""


class Book:
    """`daily_tokens` and `daily_cost` are None for no limit. Days are those of UTC."""

    def __init__(self, path: Path, daily_tokens: int | None, daily_cost: float | None) -> None:
        self._tokens = daily_tokens
        self._cost = daily_cost
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._lock = threading.Lock()
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.executescript(_TABLES)

    def cached(self, key: str) -> Stored | None:
        with self._lock:
            row = self._file.execute("SELECT value, model FROM answer WHERE key = ?", (key,)).fetchone()
        return Stored(*row) if row else None

    def keep(self, key: str, answer: Stored, now: datetime) -> None:
        with self._writing() as file:
            file.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)", (key, *answer, _day(now)))
            file.execute("DELETE FROM answer WHERE day < ?", (_day(now - KEPT),))

    def reserve(self, now: datetime, tokens: int, cost: float) -> None:
        """Counts the call before it is made, so that many at once cannot pass the budget. Raises OverBudget."""
        with self._writing() as file:
            so_far = self._spent(file, now)
            if problem := self.full(Spent(so_far.tokens + tokens, so_far.cost + cost)):
                raise OverBudget(problem)
            self._add(file, now, tokens, cost)

    def settle(self, now: datetime, tokens: int, cost: float) -> None:
        """Corrects the day of the reservation by the difference to what the call really took."""
        with self._writing() as file:
            self._add(file, now, tokens, cost)

    def spent(self, now: datetime) -> Spent:
        with self._lock:
            return self._spent(self._file, now)

    def full(self, spent: Spent) -> str | None:
        if self._tokens is not None and spent.tokens > self._tokens:
            return f"the day's {self._tokens} tokens are used up (TRIAGE_LLM_DAILY_TOKENS)"
        if self._cost is not None and spent.cost > self._cost:
            return f"the day's {self._cost:g} are spent (TRIAGE_LLM_DAILY_COST)"
        return None

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield self._file
            except BaseException:
                self._file.execute("ROLLBACK")
                raise
            self._file.execute("COMMIT")

    @staticmethod
    def _spent(file: sqlite3.Connection, now: datetime) -> Spent:
        row = file.execute("SELECT tokens, cost FROM spent WHERE day = ?", (_day(now),)).fetchone()
        return Spent(*row) if row else Spent(0, 0.0)

    @staticmethod
    def _add(file: sqlite3.Connection, now: datetime, tokens: int, cost: float) -> None:
        file.execute(
            "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE SET"
            " tokens = max(tokens + excluded.tokens, 0), cost = max(cost + excluded.cost, 0)",
            (_day(now), tokens, cost),
        )


def _day(now: datetime) -> str:
    return now.date().isoformat()
