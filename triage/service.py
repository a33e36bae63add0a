"""What the service does with a message from the outside in: accept it, understand it, publish it, never lose it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from classifiers.taxonomy import Taxonomy
from extractors.message import Attachment, Message
from triage.engine import Engine
from triage.errors import Conflict, NotFound, OdooUnavailable, TooManyMessages, TriageError, Unavailable
from triage.odoo.records import Record, Records
from triage.odoo.remembered import Basis, watch
from triage.pipeline import ODOO_NOT_CONFIGURED, ODOO_UNAVAILABLE, Decision, Tools, decide, understand
from triage.policy import Policy
from triage.result import FINAL_STATES, Draft, Failure, OdooItem, Result, State
from triage.settings import Settings
from triage.store.store import Accepted, Store
from triage.telemetry import PUBLISH_RETRIES, STAGE_SECONDS
from triage.understanding import Understanding

RETRY_DELAYS = (2, 5, 15, 60, 300)  # seconds; the last one repeats until Odoo is back
# What Odoo did not answer in time it may still be making, where no search finds it yet; after 120 s it breaks that off.
SETTLED = timedelta(seconds=150)

log = logging.getLogger(__name__)


class Publisher(Protocol):
    """Creates what the draft says, once: a second call with the same key finds what the first one made.

    `files` came with the message and are evidence for whoever approves.

    Raises OdooUnavailable (try again), OdooRefused or OutsideAllowList (never again).
    """

    def publish(self, draft: Draft, files: Sequence[Attachment]) -> OdooItem: ...


def _columns(result: Result) -> dict[str, Any]:
    """By which messages are asked for."""
    return {"label": result.label, "priority": result.priority, "needs_review": result.needs_review}


class Service:
    """The engine's `Work`. `records` and `publisher` are None without Odoo; `clock` returns the time in UTC."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        tools: Tools,
        taxonomy: Taxonomy,
        policy: Policy,
        settings: Settings,
        records: Records | None,
        publisher: Publisher | None,
        clock: Callable[[], datetime],
    ) -> None:
        self.store = store
        self.engine = engine
        self.tools = tools
        self.taxonomy = taxonomy
        self.policy = policy
        self.settings = settings
        self.records = records
        self.publisher = publisher
        self.clock = clock

    # Intake

    def accept(
        self, message: Message, *, header: str | None, original: bytes | None, sites: Sequence[str] | None = None
    ) -> Accepted:
        """One transaction stores the message and queues it; when this returns, it is safe.

        Raises Conflict for a reused Idempotency-Key, TooManyMessages past the limit, Unavailable on a full disk.
        """
        now = self.clock()
        if self.store.waiting() >= self.settings.max_queued:
            raise TooManyMessages(f"{self.settings.max_queued} messages are waiting; send this one again in a minute")
        try:
            original_sha256 = self.store.keep_files(message, original)
        except OSError as error:
            log.exception("the files of a message cannot be kept")
            what = error.strerror or type(error).__name__
            raise Unavailable(f"the message's files cannot be kept ({what}); send it again later") from error
        with self.store.transaction() as connection:
            accepted = self.store.accept(
                connection, message, header=header, original_sha256=original_sha256, now=now, sites=sites
            )
            if not accepted.duplicate:
                self.engine.submit_triage(connection, accepted.id, "0")
        return accepted

    def retry(self, message_id: str, actor: str) -> Result:
        with self.store.transaction() as connection:
            generation = self.store.retry(connection, message_id, actor, self.clock())
            self.engine.submit_triage(connection, message_id, str(generation))
        return self.store.get(message_id)

    # The steps that the engine drives; each may run again after a crash

    def understand(self, message_id: str, run: str) -> None:
        if self.store.state(message_id)[0] in FINAL_STATES:
            return
        try:
            understanding = self.store.understanding(message_id)  # there already when this step runs again
            if understanding is None:
                with STAGE_SECONDS.labels("understand").time():
                    understanding = understand(self.store.message(message_id), self.tools, self.taxonomy, self.clock())
        except sa.exc.SQLAlchemyError:
            raise
        except Exception as error:
            self._fail(message_id, error)
            return
        columns = {"label": understanding.prediction.label}
        with self.store.transaction() as connection:
            self.store.save_understanding(connection, understanding, message_id, self.clock())
            self.store.set_state(connection, message_id, "processing", self.clock(), columns=columns)
            self.engine.submit_publish(connection, message_id, run)

    def publish(self, message_id: str, run: str, attempt: int) -> None:
        if self.store.state(message_id)[0] in FINAL_STATES:
            return
        try:
            understanding = self.store.understanding(message_id)
            if understanding is None:
                return
            try:
                with STAGE_SECONDS.labels("publish").time():
                    self._publish(message_id, self._decide(message_id, understanding, self.records))
            except OdooUnavailable as error:
                self._publish_later(message_id, run, attempt, understanding, error)
        except sa.exc.SQLAlchemyError:
            raise  # our own database: the engine and the sweep try again
        except Exception as error:
            self._fail(message_id, error)

    def _publish_later(
        self, message_id: str, run: str, attempt: int, understanding: Understanding, error: OdooUnavailable
    ) -> None:
        PUBLISH_RETRIES.inc()
        delay = timedelta(seconds=RETRY_DELAYS[min(attempt, len(RETRY_DELAYS)) - 1])
        if error.may_be_done:
            delay = max(delay, SETTLED)
        log.warning("Odoo is unavailable, trying again", extra={"message_id": message_id, "attempt": attempt})
        self._keep_provisional(message_id, self._decide(message_id, understanding, None), error)
        with self.store.transaction() as connection:
            self.engine.submit_publish(connection, message_id, run, attempt + 1, delay)

    def _decide(self, message_id: str, understanding: Understanding, records: Records | None) -> Decision:
        """The decision with its basis, so that it can be replayed."""
        watched, calls = watch(records) if records is not None else (None, [])
        url = f"{self.settings.public_url.rstrip('/')}/dashboard/messages/{message_id}"
        earlier = self.store.earlier(message_id)
        now, without = self.clock(), ODOO_NOT_CONFIGURED if self.records is None else ODOO_UNAVAILABLE
        decision = decide(
            message_id,
            understanding,
            watched,
            lambda: self._fallback(watched),
            self.taxonomy,
            self.policy,
            url,
            now,
            without_records=without,
            earlier=earlier,
        )
        basis = Basis(
            now=now,
            evidence_url=url,
            without_records=without,
            fallback=self.settings.odoo_fallback,
            calls=tuple(calls) if records is not None else None,
            earlier=earlier,
        )
        return decision.model_copy(update={"basis": basis})

    def _publish(self, message_id: str, decision: Decision) -> None:
        now = self.clock()
        result = decision.result
        with self.store.transaction() as connection:
            self.store.save_decision(connection, message_id, result, decision.basis, now)
            if result.draft is not None:
                self.store.save_draft(connection, message_id, result.draft, now)
            columns = _columns(result) | {"site": result.site}
            state: State = "ignored" if decision.ignore else "held" if decision.hold else "processing"
            self.store.set_state(connection, message_id, state, now, reason=decision.hold, columns=columns)
            if result.supersedes:
                self.store.supersede(connection, result.supersedes, message_id, now)
        if state != "processing" or result.draft is None or self.publisher is None:
            return
        try:
            files = self.store.message(message_id).attachments if result.draft.kind == "approval" else ()
            item = self.publisher.publish(result.draft, files)
        except TriageError as error:
            self.store.count_attempt(result.draft.key, error.message)
            raise
        now = self.clock()
        with self.store.transaction() as connection:
            self.store.save_item(connection, result.draft.key, item, now)
            if result.emergency:
                detail = {"sign": result.emergency, "item": item.kind, "due": result.draft.due.isoformat()}
                self.store.log(connection, now, "service", "emergency_path", message_id, detail)
            added = f"added to {item.kind} {item.id} of its case" if item == result.draft.adds_to else None
            self.store.set_state(connection, message_id, "published", now, reason=added)

    def _keep_provisional(self, message_id: str, decision: Decision, error: OdooUnavailable) -> None:
        """While Odoo is away, people still see what was understood."""
        result = decision.result
        columns = _columns(result)
        with self.store.transaction() as connection:
            self.store.save_decision(connection, message_id, result, decision.basis, self.clock())
            self.store.set_state(
                connection, message_id, "processing", self.clock(), reason=error.message, columns=columns
            )

    def _fail(self, message_id: str, error: Exception) -> None:
        log.exception("message failed", extra={"message_id": message_id})
        if isinstance(error, TriageError):
            failure = Failure(code=error.code, message=error.message, retryable=error.retryable)
        else:
            text = f"an internal error ({type(error).__name__}); the service's log names it under {message_id}"
            failure = Failure(code="internal_error", message=text, retryable=True)
        with self.store.transaction() as connection:
            self.store.set_state(connection, message_id, "failed", self.clock(), failure=failure)

    def _fallback(self, records: Records | None) -> Record | None:
        given = self.settings.odoo_fallback
        return records.get(given.model, given.id) if records is not None and given is not None else None

    # What keeps the promise that nothing is lost

    def sweep(self) -> None:
        """Submit again what no workflow works on, and give up what took its worker down again and again."""
        with self.engine.alone("sweep") as alone:
            if alone:  # of two at once each would submit the same message, under another name
                self._submit_stranded()

    def _submit_stranded(self) -> None:
        unfinished = self.store.unfinished()
        # A run is named by its generation: one that a person has retried since is judged by its own runs.
        poisoned = {(message_id, run.partition("-")[0]) for message_id, run in self.engine.given_up()}
        active = self.engine.active()
        for message_id, _, generation in unfinished:
            if message_id in active or self.store.state(message_id)[0] in FINAL_STATES:  # it ended while we looked
                continue
            now = self.clock()
            with self.store.transaction() as connection:
                if (message_id, str(generation)) in poisoned:
                    text = "working on this message took the worker down several times; look at it by hand, then retry"
                    failure = Failure(code="poison_message", message=text, retryable=True)
                    self.store.set_state(connection, message_id, "failed", now, failure=failure)
                else:
                    log.warning("submitting a stranded message again", extra={"message_id": message_id})
                    self.engine.submit_triage(connection, message_id, f"{generation}-{int(now.timestamp() * 1000)}")

    def release_held(self) -> None:
        """Once Odoo is configured, what was only held for the lack of it goes on."""
        if self.records is None:
            return
        for message_id in self.store.held_because(ODOO_NOT_CONFIGURED):
            with suppress(Conflict, NotFound):  # another worker, or a person, was first
                self.retry(message_id, "service")
