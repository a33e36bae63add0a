"""The durable engine behind a small port: what was submitted here is worked off, whatever dies meanwhile.

Our own tables are the truth; a workflow only drives. The workflow bodies below are frozen: changes go to their end or
behind `DBOS.patch`, because a worker of the next release finishes what one of this release began. For the same reason
`application_version` is a constant of ours.
"""

from __future__ import annotations

import fcntl
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Protocol

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions
from dbos._dbos import _get_dbos_instance

from triage.errors import TriageError
from triage.telemetry import SAY_AGAIN_SECONDS

APPLICATION = "dispatch-triage"
APPLICATION_VERSION = "1"
TRIAGE_QUEUE, PUBLISH_QUEUE = "triage", "publish"
ACTIVE = ["ENQUEUED", "DELAYED", "PENDING"]
MAX_RECOVERIES = 5
POLL_SECONDS = 0.1
PURGE_BATCH = 500

log = logging.getLogger(__name__)


class Work(Protocol):
    """What the engine drives. Both may run more than once for the same arguments and must then change nothing.

    `run` tells one submission of a message from another; a step hands it on to what it submits.
    """

    def understand(self, message_id: str, run: str) -> None: ...

    def publish(self, message_id: str, run: str, attempt: int) -> None: ...


class AlreadyRunning(RuntimeError):
    """Another process works under the same name; two would do everything twice."""


_work: Work | None = None  # the decorated functions must be module-level, so what they drive is set at start


def _the_work() -> Work:
    if _work is None:
        raise RuntimeError("the engine was not started")
    return _work


@DBOS.step(name="understand")
def _understand(message_id: str, run: str) -> None:
    _the_work().understand(message_id, run)


@DBOS.step(name="publish")
def _publish(message_id: str, run: str, attempt: int) -> None:
    _the_work().publish(message_id, run, attempt)


@DBOS.workflow(name="triage_message", max_recovery_attempts=MAX_RECOVERIES)
def triage_message(message_id: str, run: str) -> None:
    _understand(message_id, run)


@DBOS.workflow(name="publish_message", max_recovery_attempts=MAX_RECOVERIES)
def publish_message(message_id: str, run: str, attempt: int) -> None:
    _publish(message_id, run, attempt)


class Engine:
    """Submit from any process; run in a worker. `engine` is the pool that our own tables use, too."""

    def __init__(self, engine: sa.Engine, executor_id: str) -> None:
        self._engine = engine
        self._executor_id = executor_id
        self._seen_lost: set[str] = set()  # workflows that no thread worked on at the last look
        self._client: DBOSClient | None = None
        self._lock: IO[str] | sa.Connection | None = None
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def _sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    def prepare(self) -> None:
        """Create or migrate the engine's tables."""
        DBOS.migrate(self._engine.url.render_as_string(hide_password=False))

    @property
    def client(self) -> DBOSClient:
        if self._client is None:
            self._client = DBOSClient(
                system_database_engine=self._engine,
                serializer=DBOSPortableJSONSerializer(),
                application_name=APPLICATION,
                retry_connection_errors=False,  # intake answers 503 instead of waiting for ever
            )
        return self._client

    # Submitting

    def submit_triage(self, connection: sa.Connection, message_id: str, run: str) -> None:
        """In the caller's transaction; a `run` that was submitted before changes nothing."""
        options: EnqueueOptions = {
            "queue_name": TRIAGE_QUEUE,
            "workflow_name": "triage_message",
            "workflow_id": f"triage:{message_id}:{run}",
            "app_version": APPLICATION_VERSION,
        }
        self.client.enqueue_in_transaction(connection, options, message_id, run)

    def submit_publish(
        self, connection: sa.Connection, message_id: str, run: str, attempt: int = 1, delay: timedelta = timedelta()
    ) -> None:
        options: EnqueueOptions = {
            "queue_name": PUBLISH_QUEUE,
            "workflow_name": "publish_message",
            "workflow_id": f"publish:{message_id}:{run}:{attempt}",
            "app_version": APPLICATION_VERSION,
        }
        if delay:
            options["delay_seconds"] = delay.total_seconds()
        self.client.enqueue_in_transaction(connection, options, message_id, run, attempt)

    # Looking

    def active(self) -> set[str]:
        """Ids of the messages that some workflow still works or waits on."""
        found = self.client.list_workflows(status=ACTIVE, load_input=False, load_output=False)
        return {workflow.workflow_id.split(":")[1] for workflow in found}

    def given_up(self) -> set[tuple[str, str]]:
        """Messages whose workflow took its worker down again and again, each with the run that did."""
        status = ["MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
        found = self.client.list_workflows(status=status, load_input=False, load_output=False)
        ids = (workflow.workflow_id.split(":") for workflow in found)
        return {(message_id, run) for _, message_id, run, *_ in ids}

    def depth(self) -> dict[str, int]:
        """Workflows waiting or running, by queue."""
        found = self.client.list_workflows(status=ACTIVE, load_input=False, load_output=False)
        queues = [workflow.queue_name for workflow in found]
        return {name: queues.count(name) for name in (TRIAGE_QUEUE, PUBLISH_QUEUE)}

    def cancel(self, message_id: str) -> None:
        for prefix in ("triage", "publish"):
            for workflow in self.client.list_workflows(status=ACTIVE, workflow_id_prefix=f"{prefix}:{message_id}:"):
                self.client.cancel_workflow(workflow.workflow_id)

    def purge(self, completed_before: str) -> int:
        """Delete finished workflows (ISO 8601 time) in batches; returns how many."""
        purged = 0
        while True:
            found = self.client.list_workflows(
                completed_before=completed_before, limit=PURGE_BATCH, load_input=False, load_output=False
            )
            done = [workflow.workflow_id for workflow in found if workflow.status not in ACTIVE]
            if not done:
                return purged
            self.client.delete_workflows(done)
            purged += len(done)

    # Running

    def start(self, work: Work, *, triage_workers: int, publish_workers: int) -> None:
        """Take this worker's lock, recover what it had begun, and work off both queues. Raises AlreadyRunning."""
        global _work
        self._lock = self._take_lock()
        _work = work
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_engine": self._engine,
            "system_database_url": self._engine.url.render_as_string(hide_password=False),
            "application_version": APPLICATION_VERSION,
            "executor_id": self._executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "use_listen_notify": False,  # nothing here waits for a notification
            "log_level": "WARNING",
        }
        DBOS(config=config)
        DBOS.listen_queues([TRIAGE_QUEUE, PUBLISH_QUEUE])
        DBOS.launch()
        for name, workers in ((TRIAGE_QUEUE, triage_workers), (PUBLISH_QUEUE, publish_workers)):
            DBOS.register_queue(
                name, worker_concurrency=workers, polling_interval_sec=POLL_SECONDS, on_conflict="always_update"
            )

    def every(self, seconds: float, task: Callable[[], object]) -> None:
        """Run a task again and again until the engine stops; an error is logged and the next turn comes.

        One that repeats is told once a minute, and without a trace where the database or Odoo is away.
        """

        def loop() -> None:
            quiet_until = 0.0
            while not self._stop.wait(seconds):
                try:
                    task()
                    quiet_until = 0.0
                except Exception as error:
                    if time.monotonic() < quiet_until:
                        continue
                    quiet_until = time.monotonic() + SAY_AGAIN_SECONDS
                    known = isinstance(error, (TriageError, sa.exc.OperationalError, sa.exc.TimeoutError))
                    told = {"task": task.__name__, "problem": " ".join(str(error).split())[:300]}
                    log.warning("periodic task failed, trying again", exc_info=not known, extra=told)

        thread = threading.Thread(target=loop, name=f"every-{task.__name__}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        global _work
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)
        DBOS.destroy(workflow_completion_timeout_sec=10)
        _work = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def end_lost(self) -> None:
        """End what this worker began and, twice in a row, no thread of it works on: a periodic task.

        So the engine leaves what it could not write the end of: on a full disk, in a database that turned read-only.
        The message has no workflow then, and the sweep submits it again.
        """
        pending = self.client.list_workflows(status="PENDING", load_input=False, load_output=False)
        mine = {workflow.workflow_id for workflow in pending if workflow.executor_id == self._executor_id}
        lost = mine - set(_get_dbos_instance()._active_workflows_set.activeList())
        for workflow_id in lost & self._seen_lost:
            log.warning("ending a workflow that nothing works on", extra={"workflow": workflow_id})
            self.client.cancel_workflow(workflow_id)
        self._seen_lost = lost - self._seen_lost

    # One process under one name

    def _take_lock(self) -> IO[str] | sa.Connection:
        if self._sqlite:
            path = Path(f"{self._engine.url.database}.lock")
            file = path.open("w")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.close()
                raise AlreadyRunning(f"another process works on {self._engine.url.database}; stop it first") from error
            return file
        connection = self._engine.connect()
        if not _try_lock(connection, self._executor_id):
            connection.close()
            raise AlreadyRunning(f"another worker runs as {self._executor_id!r}; give each its own TRIAGE_EXECUTOR_ID")
        return connection

    def keep_lock(self) -> None:
        """A periodic task: a lock that went with its session is taken again, before the others think us dead."""
        try:
            if isinstance(self._lock, sa.Connection):
                self._lock.execute(sa.select(1))
                self._lock.commit()
                return
        except sa.exc.DBAPIError:
            log.warning("the session of this worker's lock is gone; taking it again")
            lost, self._lock = self._lock, None
            if lost is not None:
                lost.close()
        self._lock = self._take_lock()

    @contextmanager
    def alone(self, what: str) -> Iterator[bool]:
        """Whether no other worker does this at the moment."""
        if self._sqlite:
            yield True
            return
        with self._locked(f"alone:{what}") as got:  # the name of no worker
            yield got

    @contextmanager
    def _locked(self, name: str) -> Iterator[bool]:
        """PostgreSQL's lock of that name, given back at the end; False where another session holds it."""
        with self._engine.connect() as connection:
            got = _try_lock(connection, name)
            try:
                yield got
            finally:
                if got:
                    connection.execute(_lock_query("pg_advisory_unlock", name))
                    connection.commit()

    def adopt_dead(self) -> Callable[[], None]:
        """A periodic task: a worker whose lock is free twice in a row is dead; what it had begun is queued again."""
        seen_dead: set[str] = set()

        def adopt_dead() -> None:
            nonlocal seen_dead
            pending = self.client.list_workflows(status="PENDING", load_input=False, load_output=False)
            owners = {workflow.executor_id for workflow in pending if workflow.executor_id} - {self._executor_id}
            free: set[str] = set()
            for owner in owners:
                with self._locked(owner) as dead:
                    if not dead:
                        continue
                    free.add(owner)
                    if owner in seen_dead:
                        log.warning("taking over the work of a dead worker", extra={"executor": owner})
                        DBOS._recover_pending_workflows([owner])
            seen_dead = free

        return adopt_dead


def _lock_query(function: str, executor_id: str) -> sa.Select[tuple[bool]]:
    return sa.select(getattr(sa.func, function)(sa.func.hashtext(f"{APPLICATION}:{executor_id}")))


def _try_lock(connection: sa.Connection, executor_id: str) -> bool:
    got = bool(connection.execute(_lock_query("pg_try_advisory_lock", executor_id)).scalar_one())
    connection.commit()  # the lock belongs to the session; an idle transaction would be ended by the server
    return got
