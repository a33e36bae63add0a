"""What the service reads of an Odoo record, and where the reading comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from extractors.message import Value


class Record(Value):
    """A business record as far as matching, priority and policy need it. Times are UTC, `value` in `currency`.

    `references` are all names the record answers to (its own, its origin, customer reference, tracking number),
    by which the match explains itself.
    """

    model: str
    id: int
    name: str
    references: tuple[str, ...] = ()
    partner: str | None = None
    partner_email: str | None = None
    responsible: str | None = None  # login of the record's user
    site: str | None = None  # warehouse code
    scheduled_at: datetime | None = None
    value: float | None = None
    currency: str | None = None
    carrier: str | None = None
    regulated: bool = False


class Records(Protocol):
    """Where records are looked up; raises `OdooUnavailable` when that place is down."""

    def find(self, references: Mapping[str, Sequence[str]]) -> list[Record]:
        """Records that answer to any of the references, given by field code of the taxonomy."""

    def get(self, model: str, record_id: int) -> Record | None: ...
