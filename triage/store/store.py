"""Reading and writing our tables; every method that changes something takes the time as an argument."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from extractors.message import Attachment, Message, Value
from triage.errors import BadInput, Conflict, NotFound
from triage.result import FINAL_STATES, Draft, Failure, OdooItem, Result, State
from triage.store import tables as t
from triage.store.files import Files
from triage.understanding import Understanding

STATELESS_FIELDS = {"received_at", "callback_url"}  # n8n sends other ones with each retry of the same message


def new_id(prefix: str, now: datetime) -> str:
    """An id that sorts by time: 48 bits of milliseconds, 80 bits of chance."""
    return f"{prefix}_{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"


def content_hash(message: Message) -> str:
    """SHA-256 of what the message says, so that a repeat is known whatever transport details differ."""
    said = message.model_dump(mode="json", exclude={"attachments", *STATELESS_FIELDS})
    said["attachments"] = [[a.filename, a.sha256] for a in message.attachments]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def idempotency_key(message: Message, header: str | None, digest: str) -> str:
    """The contract's order: header, channel and external id, Message-ID, content."""
    if header:
        return f"header:{header}"
    if message.external_id:
        return f"external:{message.channel}:{message.external_id}"
    if message.message_id:
        return f"message-id:{message.message_id}"
    return f"content:{digest}"


class Accepted(Value):
    """What intake answers: the message's id, and whether it was there before."""

    id: str
    duplicate: bool


class Feedback(Value):
    verdict: Literal["accept", "reject", "correct"]
    label: str | None = None
    fields: dict[str, list[str]] | None = None
    priority: Literal["P1", "P2", "P3", "P4"] | None = None
    by: str
    comment: str | None = None


class ApiKey(Value):
    id: str
    name: str
    scopes: tuple[str, ...]
    sites: tuple[str, ...] | None
    created_at: datetime
    revoked_at: datetime | None


class Filter(Value):
    """What `GET /v1/messages` may ask for; `sites` are the ones the key may see."""

    state: State | None = None
    label: str | None = None
    priority: Literal["P1", "P2", "P3", "P4"] | None = None
    site: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    sites: tuple[str, ...] | None = None


class Store:
    def __init__(self, engine: sa.Engine, files: Files) -> None:
        self.engine = engine
        self.files = files
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        with self.engine.begin() as connection:
            yield connection

    # Intake

    def keep_files(self, message: Message, original: bytes | None) -> str | None:
        """Put the files on disk before the transaction that names them; returns the original's SHA-256."""
        for attachment in message.attachments:
            self.files.put(attachment.content)
        return self.files.put(original) if original is not None else None

    def accept(
        self,
        connection: sa.Connection,
        message: Message,
        *,
        header: str | None,
        original_sha256: str | None,
        now: datetime,
    ) -> Accepted:
        """Insert the message, or find the one that came before it.

        Raises Conflict when the same Idempotency-Key header came with another body.
        """
        digest = content_hash(message)
        key = idempotency_key(message, header, digest)
        if len(key) > 600:
            raise BadInput(
                "external_id or Idempotency-Key is longer than 500 characters; shorten it", field="external_id"
            )
        body = message.model_dump(mode="json", exclude={"attachments": {"__all__": {"content"}}})
        for stored, attachment in zip(body["attachments"], message.attachments, strict=True):
            stored["sha256"] = attachment.sha256
        row = {
            "id": new_id("msg", now),
            "idempotency_key": key,
            "content_hash": digest,
            "body": body,
            "original_sha256": original_sha256,
            "site": message.site,
            "state": "queued",
            "generation": 0,
            "created_at": now,
            "updated_at": now,
        }
        # RETURNING and not rowcount, which says -1 on PostgreSQL.
        insert = self._insert(t.message).values(row).on_conflict_do_nothing().returning(t.message.c.id)
        message_id = connection.execute(insert).scalar_one_or_none()
        if message_id is not None:
            self.log(connection, now, "intake", "accepted", message_id, {"idempotency_key": key})
            return Accepted(id=message_id, duplicate=False)
        first = connection.execute(
            sa.select(t.message.c.id, t.message.c.content_hash).where(t.message.c.idempotency_key == key)
        ).one()
        if header and first.content_hash != digest:
            raise Conflict(
                f"Idempotency-Key {header!r} was used before with another body; use a new key for a new message",
                field="Idempotency-Key",
                code="idempotency_key_reused",
            )
        return Accepted(id=first.id, duplicate=True)

    def waiting(self) -> int:
        return self._count(t.message.c.state.in_(("queued", "processing")))

    def _count(self, where: sa.ColumnElement[bool]) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(t.message).where(where)).scalar_one())

    # The way of one message

    def message(self, message_id: str) -> Message:
        """The message as it came, files included. Raises NotFound."""
        with self.engine.connect() as connection:
            body = connection.execute(
                sa.select(t.message.c.body).where(t.message.c.id == message_id)
            ).scalar_one_or_none()
        if body is None:
            raise NotFound(f"there is no message {message_id}", field="id")
        attachments = tuple(
            Attachment(filename=a["filename"], content_type=a["content_type"], content=self.files.get(a["sha256"]))
            for a in body["attachments"]
        )
        return Message.model_validate_json(json.dumps(body | {"attachments": []})).model_copy(
            update={"attachments": attachments}
        )

    def original(self, message_id: str) -> bytes | None:
        with self.engine.connect() as connection:
            sha256 = connection.execute(
                sa.select(t.message.c.original_sha256).where(t.message.c.id == message_id)
            ).scalar_one_or_none()
        return self.files.get(sha256) if sha256 else None

    def state(self, message_id: str) -> tuple[State, int]:
        """State and generation. Raises NotFound."""
        with self.engine.connect() as connection:
            row = connection.execute(
                sa.select(t.message.c.state, t.message.c.generation).where(t.message.c.id == message_id)
            ).one_or_none()
        if row is None:
            raise NotFound(f"there is no message {message_id}", field="id")
        return row.state, row.generation

    def set_state(
        self,
        connection: sa.Connection,
        message_id: str,
        state: State,
        now: datetime,
        *,
        reason: str | None = None,
        failure: Failure | None = None,
        columns: dict[str, Any] | None = None,
    ) -> None:
        """`columns` are further columns of the message, such as its label."""
        connection.execute(
            sa.update(t.message)
            .where(t.message.c.id == message_id)
            .values(
                state=state,
                state_reason=reason,
                failure=failure.model_dump() if failure else None,
                updated_at=now,
                **(columns or {}),
            )
        )
        if state in FINAL_STATES:
            detail = {"reason": reason, "failure": failure.code if failure else None}
            self.log(connection, now, "service", state, message_id, detail)

    def save_understanding(
        self, connection: sa.Connection, understanding: Understanding, message_id: str, now: datetime
    ) -> None:
        """Kept from the first run of a generation; running the step again changes nothing."""
        values = {
            "message_id": message_id,
            "understanding": understanding.model_dump(mode="json", exclude={"extraction": {"message"}}),
            "created_at": now,
        }
        connection.execute(self._insert(t.result).values(values).on_conflict_do_nothing())

    def understanding(self, message_id: str) -> Understanding | None:
        with self.engine.connect() as connection:
            stored = connection.execute(
                sa.select(t.result.c.understanding).where(t.result.c.message_id == message_id)
            ).scalar_one_or_none()
        if stored is None:
            return None
        message = self.message(message_id)
        stored["extraction"]["message"] = {"channel": message.channel}
        understood = Understanding.model_validate_json(json.dumps(stored))
        return understood.model_copy(
            update={"extraction": understood.extraction.model_copy(update={"message": message})}
        )

    def save_decision(self, connection: sa.Connection, message_id: str, decision: Result, now: datetime) -> None:
        values = {"decision": decision.model_dump(mode="json"), "decided_at": now}
        connection.execute(sa.update(t.result).where(t.result.c.message_id == message_id).values(values))

    def save_draft(self, connection: sa.Connection, message_id: str, draft: Draft, now: datetime) -> None:
        row = {
            "key": draft.key,
            "message_id": message_id,
            "kind": draft.kind,
            "draft": draft.model_dump(mode="json"),
            "attempts": 0,
            "created_at": now,
        }
        insert = self._insert(t.publication).values(row)
        renewed = {"kind": insert.excluded.kind, "draft": insert.excluded.draft}
        connection.execute(
            insert.on_conflict_do_update(index_elements=["key"], set_=renewed, where=t.publication.c.item.is_(None))
        )

    def save_item(self, connection: sa.Connection, key: str, item: OdooItem, now: datetime) -> None:
        connection.execute(
            sa.update(t.publication)
            .where(t.publication.c.key == key)
            .values(item=item.model_dump(mode="json"), published_at=now, last_error=None)
        )

    def count_attempt(self, key: str, error: str | None) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                sa.update(t.publication)
                .where(t.publication.c.key == key)
                .values(attempts=t.publication.c.attempts + 1, last_error=error)
            )

    def unfinished(self) -> list[tuple[str, State, int]]:
        """Every message that has not come to its end: id, state, generation."""
        c = t.message.c
        query = (
            sa.select(c.id, c.state, c.generation).where(c.state.in_(("queued", "processing"))).order_by(c.created_at)
        )
        with self.engine.connect() as connection:
            return [(row.id, row.state, row.generation) for row in connection.execute(query)]

    def held_because(self, reason: str) -> list[str]:
        query = sa.select(t.message.c.id).where(t.message.c.state == "held", t.message.c.state_reason == reason)
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def retry(self, connection: sa.Connection, message_id: str, actor: str, now: datetime) -> int:
        """Put a failed or held message back to work; returns its new generation. Raises NotFound, Conflict."""
        row = connection.execute(
            sa.update(t.message)
            .where(t.message.c.id == message_id, t.message.c.state.in_(("failed", "held")))
            .values(
                state="queued", state_reason=None, failure=None, generation=t.message.c.generation + 1, updated_at=now
            )
            .returning(t.message.c.generation)
        ).one_or_none()
        if row is None:
            state, _ = self.state(message_id)
            raise Conflict(f"message {message_id} is {state}; only a failed or held one can be retried", field="id")
        connection.execute(sa.delete(t.result).where(t.result.c.message_id == message_id))
        self.log(connection, now, actor, "retry", message_id, None)
        return int(row.generation)

    # Reading

    def get(self, message_id: str) -> Result:
        """The message with its result, as far as it has come. Raises NotFound."""
        with self.engine.connect() as connection:
            row = connection.execute(self._results().where(t.message.c.id == message_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no message {message_id}", field="id")
        return self._result(row)

    def page(self, where: Filter, limit: int, cursor: str | None) -> tuple[list[Result], str | None]:
        """Newest first, with the cursor of the next page or None at the end. Raises BadInput for a foreign cursor."""
        c = t.message.c
        query = self._results().order_by(c.created_at.desc(), c.id.desc()).limit(limit + 1)
        for column, value in (
            (c.state, where.state),
            (c.label, where.label),
            (c.priority, where.priority),
            (c.site, where.site),
        ):
            if value is not None:
                query = query.where(column == value)
        if where.since is not None:
            query = query.where(c.created_at >= where.since)
        if where.until is not None:
            query = query.where(c.created_at < where.until)
        if where.sites is not None:
            query = query.where(c.site.in_(where.sites))
        if cursor is not None:
            at, last = _read_cursor(cursor)
            query = query.where(sa.tuple_(c.created_at, c.id) < sa.tuple_(sa.literal(at, t.UtcDateTime), last))
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()
        more = len(rows) > limit
        rows = rows[:limit]
        return [self._result(row) for row in rows], _cursor(rows[-1].created_at, rows[-1].id) if more else None

    @staticmethod
    def _results() -> sa.Select[Any]:
        return (
            sa.select(t.message, t.result.c.decision, t.publication.c.item, t.publication.c.draft)
            .outerjoin(t.result, t.result.c.message_id == t.message.c.id)
            .outerjoin(t.publication, t.publication.c.message_id == t.message.c.id)
        )

    @staticmethod
    def _result(row: Any) -> Result:
        base = {
            "id": row.id,
            "state": row.state,
            "state_reason": row.state_reason,
            "channel": row.body["channel"],
            "external_id": row.body["external_id"],
            "site": row.site,
            "subject": row.body["subject"] or None,
            "sender": row.body["sender"]["email"] or row.body["sender"]["name"],
            "received_at": row.body["received_at"] or row.created_at.isoformat(),
            "failure": row.failure,
            "draft": row.draft,
            "odoo": [row.item] if row.item else [],
        }
        return Result.model_validate_json(json.dumps((row.decision or {}) | base))

    def states(self) -> dict[str, int]:
        """How many messages stand in each state."""
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(t.message.c.state, sa.func.count()).group_by(t.message.c.state))
            return {state: count for state, count in rows}  # noqa: C416

    def ping(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(sa.select(1))

    # People

    def add_feedback(self, message_id: str, feedback: Feedback, now: datetime) -> str:
        feedback_id = new_id("fb", now)
        with self.engine.begin() as connection:
            self.state(message_id)
            row = {"id": feedback_id, "message_id": message_id, "created_at": now, **feedback.model_dump()}
            connection.execute(sa.insert(t.feedback).values(row))
            self.log(connection, now, feedback.by, f"feedback_{feedback.verdict}", message_id, None)
        return feedback_id

    def feedback(self, message_id: str) -> Sequence[Any]:
        query = sa.select(t.feedback).where(t.feedback.c.message_id == message_id).order_by(t.feedback.c.created_at)
        with self.engine.connect() as connection:
            return connection.execute(query).all()

    def add_key(self, name: str, digest: str, scopes: Sequence[str], sites: Sequence[str] | None, now: datetime) -> str:
        key_id = new_id("key", now)
        row = {"id": key_id, "name": name, "hash": digest, "scopes": list(scopes), "created_at": now}
        with self.engine.begin() as connection:
            connection.execute(sa.insert(t.api_key).values(row | {"sites": list(sites) if sites else sa.null()}))
            self.log(connection, now, "operator", "key_added", None, {"key": key_id, "name": name})
        return key_id

    def api_keys(self) -> list[ApiKey]:
        with self.engine.connect() as connection:
            return [_api_key(row) for row in connection.execute(sa.select(t.api_key).order_by(t.api_key.c.created_at))]

    def key(self, digest: str) -> ApiKey | None:
        query = sa.select(t.api_key).where(t.api_key.c.hash == digest, t.api_key.c.revoked_at.is_(None))
        with self.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return _api_key(row) if row else None

    def has_keys(self) -> bool:
        query = sa.select(t.api_key.c.id).where(t.api_key.c.revoked_at.is_(None)).limit(1)
        with self.engine.connect() as connection:
            return connection.execute(query).first() is not None

    def revoke_key(self, key_id: str, now: datetime) -> None:
        """Raises NotFound."""
        with self.engine.begin() as connection:
            update = sa.update(t.api_key).where(t.api_key.c.id == key_id).values(revoked_at=now)
            if not connection.execute(update).rowcount:
                raise NotFound(f"there is no key {key_id}; `triage keys list` shows them", field="id")
            self.log(connection, now, "operator", "key_revoked", None, {"key": key_id})

    @staticmethod
    def log(
        connection: sa.Connection,
        now: datetime,
        actor: str,
        action: str,
        message_id: str | None,
        detail: dict[str, Any] | None,
    ) -> None:
        row = {"id": new_id("aud", now), "at": now, "actor": actor, "action": action, "message_id": message_id}
        connection.execute(sa.insert(t.audit).values(row | {"detail": detail}))


def _api_key(row: Any) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=tuple(row.scopes),
        sites=tuple(row.sites) if row.sites else None,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def _cursor(at: datetime, message_id: str) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {message_id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        at, message_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return datetime.fromisoformat(at), message_id
    except (ValueError, binascii.Error) as error:
        raise BadInput(
            "cursor is not one that this service gave out; leave it away to begin anew", field="cursor"
        ) from error
