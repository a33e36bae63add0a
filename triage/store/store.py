"""Reading and writing our tables; every method that changes something takes the time as an argument."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import AfterValidator, Field
from sqlalchemy.dialects import postgresql, sqlite

from extractors import plain
from extractors.message import Attachment, Message, RecordRef, Value
from triage.errors import BadInput, Conflict, NotFound
from triage.odoo.records import FREE_MAIL
from triage.odoo.remembered import Basis
from triage.result import FINAL_STATES, Draft, Failure, OdooItem, Result, State
from triage.store import tables as t
from triage.store.files import Files
from triage.threads import Earlier, facts
from triage.understanding import Understanding

# n8n sends other ones with each retry of the same message, and one mail may come by several mailboxes.
STATELESS_FIELDS = {"received_at", "callback_url", "recipients"}
MOST_OF_A_THREAD = 20
CALLBACK_AFTER = timedelta(seconds=1)  # the sender must have its 202 first: an n8n that still runs answers 409


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


# What a person wrote, without what nobody can see and no store can hold.
Written = Annotated[str, Field(max_length=10_000), AfterValidator(lambda text: plain.clean(text, Counter()))]


class Feedback(Value):
    verdict: Literal["accept", "reject", "correct"]
    label: Written | None = None
    fields: dict[Written, list[Written]] | None = None
    priority: Literal["P1", "P2", "P3", "P4"] | None = None
    by: Annotated[Written, Field(max_length=200)]
    comment: Written | None = None


class Outcome(Value):
    """What became of an item in Odoo. `at` is when, by Odoo's clock; where nobody wrote that down, when we saw it."""

    key: str
    message_id: str
    verdict: Literal["done", "cancelled", "approved", "refused"]
    by: str
    at: datetime
    comment: str | None = None


class Published(Value):
    """An item of ours in Odoo whose outcome is asked for; `record` is the one that an activity stands on."""

    key: str
    message_id: str
    item: OdooItem
    record: RecordRef | None
    published_at: datetime


class Decisions(Value):
    """Of one kind of item: those open now, and how those decided in a span of time were, with the hours they took."""

    kind: Literal["activity", "approval"]
    open: int
    oldest_hours: float | None
    verdicts: dict[str, int]
    hours: tuple[float, ...]

    @property
    def median_hours(self) -> float | None:
        return median(self.hours) if self.hours else None


class Callback(Value):
    """A result to be posted; `attempt` counts from 1, over all tries of the same result."""

    id: str
    message_id: str
    url: str
    attempt: int
    created_at: datetime


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
    needs_review: bool | None = None
    site: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    sites: tuple[str, ...] | None = None


def _thread_refs(message: Message) -> set[str]:
    ids = (message.message_id, message.thread.in_reply_to, *message.thread.references)
    return {hashlib.sha256(known.strip("<> ").encode()).hexdigest() for known in ids if known}


def _side(address: str | None) -> str:
    """The firm's domain; the whole address where anybody may have one of that domain."""
    whole = (address or "").lower()
    domain = whole.rpartition("@")[2]
    return whole if domain in FREE_MAIL else domain


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
        sites: Sequence[str] | None = None,
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
            refs = [{"ref": ref, "message_id": message_id} for ref in _thread_refs(message)]
            if refs:
                connection.execute(sa.insert(t.thread), refs)
            self._expect_callback(connection, message_id, message.callback_url, now)
            return Accepted(id=message_id, duplicate=False)
        first = connection.execute(
            sa.select(t.message.c.id, t.message.c.content_hash, t.message.c.site).where(
                t.message.c.idempotency_key == key
            )
        ).one()
        if header and first.content_hash != digest:
            raise Conflict(
                f"Idempotency-Key {header!r} was used before with another body; use a new key for a new message",
                field="Idempotency-Key",
                code="idempotency_key_reused",
            )
        if sites is None or first.site in sites:  # what another site sent is told to nobody else
            self._expect_callback(connection, first.id, message.callback_url, now)
        return Accepted(id=first.id, duplicate=True)

    def earlier(self, message_id: str) -> Earlier | None:
        """The newest decided message of the same thread that came before, from the same sender's side.

        One whose own item stands in Odoo goes before others. A stranger who names a Message-ID of ours is not heard.
        """
        same = sa.select(t.thread.c.ref).where(t.thread.c.message_id == message_id)
        own = sa.select(t.message.c.created_at, t.message.c.body).where(t.message.c.id == message_id)
        with self.engine.connect() as connection:
            row = connection.execute(own).one_or_none()
            if row is None:
                raise NotFound(f"there is no message {message_id}", field="id")
            before = sa.tuple_(t.message.c.created_at, t.message.c.id) < sa.tuple_(
                sa.literal(row.created_at, t.UtcDateTime), message_id
            )
            query = (
                self._results()
                .where(t.message.c.id.in_(sa.select(t.thread.c.message_id).where(t.thread.c.ref.in_(same))))
                .where(before, t.result.c.decided_at.is_not(None), t.message.c.state != "failed")
                .order_by(t.message.c.created_at.desc(), t.message.c.id.desc())
                .limit(MOST_OF_A_THREAD)
            )
            found = [self._result(earlier) for earlier in connection.execute(query)]
        side = _side(row.body["sender"]["email"])
        found = [result for result in found if side and _side(result.sender) == side]
        told: set[tuple[str, str]] = set()  # what the thread said last of each field
        for result in found:
            known = {name for name, _ in told}
            told |= {fact for fact in facts(result.fields) if fact[0] not in known}
        found.sort(key=lambda result: not _stands(result))  # stable: newest first among equals
        for result in found[:1]:
            if result.label and result.priority:
                record = RecordRef(model=result.match.model, id=result.match.id) if result.match else None
                return Earlier(
                    id=result.id,
                    label=result.label,
                    is_exception=bool(result.is_exception) and result.abstained is None,
                    priority=result.priority,
                    record=record,
                    item=result.odoo[0] if result.odoo else None,
                    asked=result.draft.kind if result.draft else None,
                    category=result.draft.category if result.draft else None,
                    facts=frozenset(told),
                    reasons=frozenset(result.recommendations[0].approval_reasons if result.recommendations else ()),
                    emergency=result.emergency is not None,
                )
        return None

    def later(self, message_id: str) -> list[tuple[str, datetime]]:
        """Messages of the same thread that came after it, oldest first, with the times at which they came."""
        same = sa.select(t.thread.c.ref).where(t.thread.c.message_id == message_id)
        own = sa.select(t.message.c.created_at).where(t.message.c.id == message_id).scalar_subquery()
        query = (
            sa.select(t.message.c.id, t.message.c.created_at)
            .where(t.message.c.id.in_(sa.select(t.thread.c.message_id).where(t.thread.c.ref.in_(same))))
            .where(t.message.c.created_at >= own, t.message.c.id != message_id)
            .order_by(t.message.c.created_at)
            .limit(MOST_OF_A_THREAD)
        )
        with self.engine.connect() as connection:
            return [(row.id, row.created_at) for row in connection.execute(query)]

    def supersede(self, connection: sa.Connection, message_id: str, by: str, now: datetime) -> None:
        other = t.message.alias()
        failed = sa.select(other.c.id).where(other.c.state == "failed")
        free = sa.or_(t.message.c.superseded_by.is_(None), t.message.c.superseded_by.in_(failed))
        where = (t.message.c.id == message_id, free)
        connection.execute(sa.update(t.message).where(*where).values(superseded_by=by))
        self.log(connection, now, "service", "superseded", message_id, {"by": by})

    def known(self, keys: Sequence[str]) -> set[str]:
        """Which of these idempotency keys were taken in before."""
        query = sa.select(t.message.c.idempotency_key).where(t.message.c.idempotency_key.in_(keys))
        with self.engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def waiting(self) -> int:
        return self._count(t.message.c.state.in_(("queued", "processing")))

    def _count(self, where: sa.ColumnElement[bool]) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(t.message).where(where)).scalar_one())

    # The way of one message

    def message(self, message_id: str, *, files: bool = True) -> Message:
        """The message as it came, files included unless nobody needs them. Raises NotFound; OSError, ValueError for a
        file that is lost or broken.
        """
        with self.engine.connect() as connection:
            body = connection.execute(
                sa.select(t.message.c.body).where(t.message.c.id == message_id)
            ).scalar_one_or_none()
        if body is None:
            raise NotFound(f"there is no message {message_id}", field="id")
        attachments = tuple(
            Attachment(filename=a["filename"], content_type=a["content_type"], content=self.files.get(a["sha256"]))
            for a in (body["attachments"] if files else ())
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

    def understanding(self, message_id: str, *, files: bool = True) -> Understanding | None:
        """`files` as for `message`."""
        with self.engine.connect() as connection:
            stored = connection.execute(
                sa.select(t.result.c.understanding).where(t.result.c.message_id == message_id)
            ).scalar_one_or_none()
        if stored is None:
            return None
        message = self.message(message_id, files=files)
        stored["extraction"]["message"] = {"channel": message.channel}
        understood = Understanding.model_validate_json(json.dumps(stored))
        return understood.model_copy(
            update={"extraction": understood.extraction.model_copy(update={"message": message})}
        )

    def save_decision(
        self, connection: sa.Connection, message_id: str, decision: Result, basis: Basis | None, now: datetime
    ) -> None:
        values: dict[str, Any] = {"decision": decision.model_dump(mode="json"), "decided_at": now}
        values["basis"] = basis.model_dump(mode="json") if basis else sa.null()
        connection.execute(sa.update(t.result).where(t.result.c.message_id == message_id).values(values))

    def decision(self, message_id: str) -> tuple[Result, Basis] | None:
        """What was decided last and what it rests on; None where nothing was, or where nobody kept its basis."""
        query = sa.select(t.result.c.decision, t.result.c.basis).where(t.result.c.message_id == message_id)
        with self.engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or row.decision is None or row.basis is None:
            return None
        result, basis = json.dumps(row.decision), json.dumps(row.basis)
        return Result.model_validate_json(result), Basis.model_validate_json(basis)

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
        """An item of another key was made for an earlier message: it is not published, or counted, a second time."""
        own = item.key in (None, key)
        connection.execute(
            sa.update(t.publication)
            .where(t.publication.c.key == key)
            .values(item=item.model_dump(mode="json"), published_at=now if own else None, last_error=None)
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
                state="queued",
                state_reason=None,
                needs_review=None,
                failure=None,
                generation=t.message.c.generation + 1,
                updated_at=now,
            )
            .returning(t.message.c.generation)
        ).one_or_none()
        if row is None:
            state, _ = self.state(message_id)
            raise Conflict(f"message {message_id} is {state}; only a failed or held one can be retried", field="id")
        connection.execute(sa.delete(t.result).where(t.result.c.message_id == message_id))
        again = {"state": "waiting", "attempts": 0, "created_at": now, "next_at": now + CALLBACK_AFTER}
        connection.execute(sa.update(t.callback).where(t.callback.c.message_id == message_id).values(again))
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
            (c.needs_review, where.needs_review),
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
            "superseded_by": row.superseded_by,
            "draft": row.draft,
            "odoo": [row.item] if row.item else [],
        }
        return Result.model_validate_json(json.dumps((row.decision or {}) | base))

    def states(self, sites: Sequence[str] | None = None) -> dict[str, int]:
        """How many messages stand in each state, of all sites or of these."""
        query = sa.select(t.message.c.state, sa.func.count()).group_by(t.message.c.state)
        if sites is not None:
            query = query.where(t.message.c.site.in_(sites))
        with self.engine.connect() as connection:
            rows = connection.execute(query)
            return {state: count for state, count in rows}  # noqa: C416

    def ping(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(sa.select(1))

    # People

    def add_feedback(
        self, message_id: str, feedback: Feedback, now: datetime, source: Literal["api", "page", "review"] = "api"
    ) -> str:
        """Every verdict is a row of its own: a later one stands beside the earlier, never in its place."""
        feedback_id = new_id("fb", now)
        with self.engine.begin() as connection:
            self.state(message_id)
            row = {"id": feedback_id, "message_id": message_id, "created_at": now, "source": source}
            row |= feedback.model_dump()
            connection.execute(sa.insert(t.feedback).values(row))
            self.log(connection, now, feedback.by, f"feedback_{feedback.verdict}", message_id, None)
        return feedback_id

    def feedback(self, message_id: str) -> Sequence[Any]:
        query = sa.select(t.feedback).where(t.feedback.c.message_id == message_id).order_by(t.feedback.c.created_at)
        with self.engine.connect() as connection:
            return connection.execute(query).all()

    # What became of the items in Odoo

    def undecided(self, after: str, limit: int, decided_since: datetime) -> list[Published]:
        """Items in Odoo without an outcome, by key, those after `after`.

        An approval decided since `decided_since` is asked for again: it may have been withdrawn and decided anew.
        """
        p, f = t.publication.c, t.feedback.c
        final = sa.exists().where(
            f.publication_key == p.key,
            sa.or_(p.kind == "activity", f.verdict == "cancelled", f.decided_at < decided_since),
        )
        query = sa.select(p.key, p.message_id, p.item, p.draft, p.published_at)
        query = query.where(p.published_at.is_not(None), p.key > after, ~final).order_by(p.key).limit(limit)
        with self.engine.connect() as connection:
            return [
                Published(
                    key=row.key,
                    message_id=row.message_id,
                    item=row.item,
                    record=row.draft["record"],
                    published_at=row.published_at,
                )
                for row in connection.execute(query)
            ]

    def add_outcome(self, outcome: Outcome, now: datetime) -> bool:
        """False where it was written down before."""
        then = sa.select(t.message.c.label).where(t.message.c.id == outcome.message_id).scalar_subquery()
        row = {
            "id": new_id("fb", now),
            "message_id": outcome.message_id,
            "verdict": outcome.verdict,
            "by": outcome.by[:200],
            "comment": outcome.comment,
            # As it was then: a message that is tried again may get another label.
            "label": then if outcome.verdict in ("done", "approved") else None,
            "fields": sa.null(),
            "created_at": now,
            "source": "odoo",
            "publication_key": outcome.key,
            "decided_at": outcome.at,
        }
        with self.engine.begin() as connection:
            insert = self._insert(t.feedback).values(row).on_conflict_do_nothing().returning(t.feedback.c.id)
            new = connection.execute(insert).scalar_one_or_none() is not None
            if new:
                detail = {"at": outcome.at.isoformat(), "key": outcome.key}
                self.log(connection, now, outcome.by[:200], f"odoo_{outcome.verdict}", outcome.message_id, detail)
        return new

    def decisions(self, since: datetime, now: datetime) -> list[Decisions]:
        """Ageing of open items, and how those decided since a time were decided, by kind."""
        p, f = t.publication.c, t.feedback.c
        decided = sa.exists().where(f.publication_key == p.key)
        waiting = sa.select(p.kind, sa.func.count().label("n"), sa.func.min(p.published_at).label("oldest"))
        waiting = waiting.where(p.published_at.is_not(None), ~decided).group_by(p.kind)
        taken = sa.select(p.kind, f.verdict, p.published_at, f.decided_at).join(t.feedback, f.publication_key == p.key)
        with self.engine.connect() as connection:
            still = {row.kind: row for row in connection.execute(waiting)}
            past = connection.execute(taken.where(f.decided_at >= since)).all()
        found = []
        for kind in ("activity", "approval"):
            rows = [row for row in past if row.kind == kind]
            there = still.get(kind)
            hours = [max((row.decided_at - row.published_at).total_seconds(), 0.0) / 3600 for row in rows]
            found.append(
                Decisions(
                    kind=kind,
                    open=there.n if there else 0,
                    oldest_hours=(now - there.oldest).total_seconds() / 3600 if there else None,
                    verdicts=dict(sorted(Counter(row.verdict for row in rows).items())),
                    hours=tuple(sorted(hours)),
                )
            )
        return found

    # How far something outside was read

    def bookmark(self, name: str) -> datetime | None:
        with self.engine.connect() as connection:
            query = sa.select(t.bookmark.c.at).where(t.bookmark.c.name == name)
            return connection.execute(query).scalar_one_or_none()

    def set_bookmark(self, name: str, at: datetime) -> None:
        insert = self._insert(t.bookmark).values(name=name, at=at)
        with self.engine.begin() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"at": at}))

    # Callbacks

    def _expect_callback(self, connection: sa.Connection, message_id: str, url: str | None, now: datetime) -> None:
        """A repeat with another address is answered there, too: n8n gives each execution its own."""
        if url is None:
            return
        row = {
            "id": "cb_" + hashlib.sha256(f"{message_id} {url}".encode()).hexdigest()[:32],
            "message_id": message_id,
            "url": url,
            "state": "waiting",
            "attempts": 0,
            "created_at": now,
            "next_at": now + CALLBACK_AFTER,
        }
        connection.execute(self._insert(t.callback).values(row).on_conflict_do_nothing())

    def claim_callbacks(self, limit: int, now: datetime, lease: timedelta) -> list[Callback]:
        """Those due for messages that have come to their end. Who claimed one and died leaves it to the next."""
        c = t.callback.c
        due = sa.select(c.id).join(t.message, t.message.c.id == c.message_id)
        due = due.where(c.state == "waiting", c.next_at <= now, t.message.c.state.in_(FINAL_STATES))
        due = due.order_by(c.next_at).limit(limit)
        claim = sa.update(t.callback).where(c.state == "waiting", c.next_at <= now)
        claim = claim.values(
            next_at=now + lease,
            attempts=c.attempts + 1,
            created_at=sa.case((c.attempts == 0, sa.literal(now, t.UtcDateTime)), else_=c.created_at),
        )
        with self.engine.begin() as connection:
            ids = connection.execute(due).scalars().all()
            if not ids:
                return []
            rows = connection.execute(claim.where(c.id.in_(ids)).returning(t.callback)).all()
        return [
            Callback(id=r.id, message_id=r.message_id, url=r.url, attempt=r.attempts, created_at=r.created_at)
            for r in rows
        ]

    @staticmethod
    def _claimed(callback: Callback) -> sa.Update:
        """The row while that claim holds: a retry of the message, or a later claim, has made another callback of it."""
        c = t.callback.c
        mine = (c.id == callback.id, c.attempts == callback.attempt, c.created_at == callback.created_at)
        return sa.update(t.callback).where(c.state == "waiting", *mine)

    def put_off_callback(self, callback: Callback, error: str, until: datetime) -> None:
        update = self._claimed(callback)
        with self.engine.begin() as connection:
            connection.execute(update.values(next_at=until, last_error=error))

    def end_callback(
        self, callback: Callback, state: Literal["delivered", "given_up"], error: str | None, now: datetime
    ) -> None:
        update = self._claimed(callback)
        with self.engine.begin() as connection:
            connection.execute(update.values(state=state, last_error=error))
            detail = {"callback": callback.id, "attempts": callback.attempt, "error": error}
            self.log(connection, now, "service", f"callback_{state}", callback.message_id, detail)

    # Forgetting

    def expired(self, before: datetime, limit: int) -> list[str]:
        """Ids of messages that came to their end before a time, oldest first."""
        c = t.message.c
        query = sa.select(c.id).where(c.state.in_(FINAL_STATES), c.updated_at < before)
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(c.updated_at, c.id).limit(limit)).scalars())

    def forget(self, message_ids: Sequence[str], before: datetime, now: datetime) -> int:
        """Delete messages with all that hangs on them but the audit, in one transaction; returns how many."""
        c = t.message.c
        with self.engine.begin() as connection:
            still = sa.select(c.id).where(c.id.in_(message_ids), c.state.in_(FINAL_STATES), c.updated_at < before)
            ids = connection.execute(still.with_for_update()).scalars().all()
            for table in (t.callback, t.feedback, t.publication, t.result, t.thread):
                connection.execute(sa.delete(table).where(table.c.message_id.in_(ids)))
            connection.execute(sa.delete(t.message).where(c.id.in_(ids)))
            for message_id in ids:
                self.log(connection, now, "retention", "deleted", message_id, {"ended_before": before.isoformat()})
        return len(ids)

    def files_in_use(self) -> set[bytes]:
        """The SHA-256, 32 bytes each, of every file that a message names."""
        used: set[bytes] = set()
        query = sa.select(t.message.c.original_sha256, t.message.c.body["attachments"].label("attachments"))
        with self.engine.connect() as connection:
            for row in connection.execution_options(yield_per=1000).execute(query):
                names = [a["sha256"] for a in row.attachments or ()]
                used.update(bytes.fromhex(name) for name in (row.original_sha256, *names) if name)
        return used

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

    def audit(self, now: datetime, actor: str, action: str, about: str, detail: dict[str, Any]) -> None:
        """A line about something that is no message; `about` has 40 characters at most."""
        with self.engine.begin() as connection:
            self.log(connection, now, actor, action, about, detail)

    def audited(self, action: str, about: Sequence[str]) -> set[str]:
        """For which of these there is such a line."""
        a = t.audit.c
        query = sa.select(a.message_id).where(a.message_id.in_(about), a.action == action)
        with self.engine.connect() as connection:
            return set(connection.execute(query).scalars())

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
        return datetime.fromisoformat(at).astimezone(UTC), message_id
    except (ValueError, OverflowError, binascii.Error) as error:
        raise BadInput(
            "cursor is not one that this service gave out; leave it away to begin anew", field="cursor"
        ) from error


def _stands(result: Result) -> bool:
    """Whether an item was made in Odoo for this very message; a follow-up may only have added to one."""
    return bool(result.odoo) and (result.draft is None or result.odoo[0].key in (None, result.draft.key))
