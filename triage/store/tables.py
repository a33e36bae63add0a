"""The tables that an auditor reads; the engine's own tables can be dropped without loss, these cannot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A time with zone UTC on both databases; SQLite alone would forget the zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        at: datetime = value
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


metadata = sa.MetaData()

message = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("idempotency_key", sa.String(600), nullable=False, unique=True),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("body", sa.JSON, nullable=False),  # Message without the files' bytes; those lie under their SHA-256
    sa.Column("original_sha256", sa.String(64)),
    sa.Column("site", sa.String(64)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("state_reason", sa.Text),
    sa.Column("generation", sa.Integer, nullable=False),  # grows with each retry asked for by a person
    sa.Column("label", sa.String(64)),
    sa.Column("priority", sa.String(2)),
    sa.Column("needs_review", sa.Boolean),  # null until it was decided
    sa.Column("failure", sa.JSON),
    sa.Column("superseded_by", sa.String(40)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Index("message_state", "state", "created_at"),
    sa.Index("message_review", "needs_review", "created_at"),
    sa.Index("message_created", "created_at", "id"),
)

thread = sa.Table(
    "thread",
    metadata,
    sa.Column("ref", sa.String(64), primary_key=True),  # SHA-256 of a Message-ID that the message has or names
    sa.Column("message_id", sa.String(40), sa.ForeignKey("message.id"), primary_key=True, index=True),
)

result = sa.Table(
    "result",
    metadata,
    sa.Column("message_id", sa.String(40), sa.ForeignKey("message.id"), primary_key=True),
    sa.Column("understanding", sa.JSON, nullable=False),
    sa.Column("decision", sa.JSON),
    sa.Column("basis", sa.JSON),  # what the decision rests on, as it was read then, for a replay
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("decided_at", UtcDateTime),
)

publication = sa.Table(
    "publication",
    metadata,
    sa.Column("key", sa.String(80), primary_key=True),  # our external key in Odoo
    sa.Column("message_id", sa.String(40), sa.ForeignKey("message.id"), nullable=False, index=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("draft", sa.JSON, nullable=False),
    sa.Column("item", sa.JSON),  # what stands in Odoo, null until it does
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("published_at", UtcDateTime),
)

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("message_id", sa.String(40), sa.ForeignKey("message.id"), nullable=False, index=True),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("label", sa.String(64)),
    sa.Column("fields", sa.JSON),
    sa.Column("priority", sa.String(2)),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("comment", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("source", sa.String(8), nullable=False, server_default="api"),  # api, page, review or odoo (an outcome)
    sa.Column("publication_key", sa.String(80)),  # of an outcome: the item in Odoo that was decided
    sa.Column("decided_at", UtcDateTime),  # of an outcome: when, by Odoo's clock
    sa.Index("feedback_outcome", "publication_key", "verdict", unique=True),
)

bookmark = sa.Table(
    "bookmark",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

callback = sa.Table(
    "callback",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("message_id", sa.String(40), sa.ForeignKey("message.id"), nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("state", sa.String(12), nullable=False),  # waiting, delivered or given_up
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("next_at", UtcDateTime, nullable=False),
    sa.Index("callback_due", "state", "next_at"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("actor", sa.String(200), nullable=False),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("message_id", sa.String(40), index=True),
    sa.Column("detail", sa.JSON),
)

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("sites", sa.JSON),  # null: every site
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
)
