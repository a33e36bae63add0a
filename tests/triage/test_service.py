"""What the service does when Odoo does not answer, the disk is full, or a message took its worker down."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from classifiers.taxonomy import load_taxonomy
from extractors.message import Attachment, Message
from tests.ledger import Ledger
from tests.triage.test_threads import read_as
from triage.errors import OdooUnavailable, Unavailable
from triage.policy import load_policy
from triage.result import Draft, OdooItem
from triage.service import SETTLED, Service
from triage.settings import Settings
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Store

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


MESSAGE = Message(channel="portal", text="It broke down.")


class Submitted:
    """An engine that only notes what it is given, and on which nothing runs."""

    def __init__(self) -> None:
        self.delays: list[timedelta] = []
        self.poisoned: set[tuple[str, str]] = set()
        self.meanwhile: Callable[[], None] = lambda: None

    def submit_triage(self, *_: Any) -> None: ...

    def submit_publish(self, *given: Any) -> None:
        self.delays.append(given[4] if len(given) > 4 else timedelta())

    def given_up(self) -> set[tuple[str, str]]:
        return self.poisoned

    def active(self) -> set[str]:
        self.meanwhile()
        return set()

    def alone(self, _what: str) -> AbstractContextManager[bool]:
        return nullcontext(True)


@contextmanager
def build(settings: Settings, engine: Submitted, ledger: Ledger, publisher: Ledger) -> Iterator[Service]:
    pool, taxonomy = create_engine(settings.sqlalchemy_url), load_taxonomy()
    migrate(pool)
    store, tools = Store(pool, Files(settings.data_dir / "files")), read_as("vehicle_breakdown")
    service: Any = Service
    yield service(store, engine, tools, taxonomy, load_policy(taxonomy), settings, ledger, publisher, lambda: NOW)
    pool.dispose()


@pytest.mark.parametrize(("may_be_done", "delay"), [(False, timedelta(seconds=2)), (True, SETTLED)])
def test_what_odoo_may_still_be_making_is_not_made_again_before_a_search_can_find_it(
    settings: Settings, ledger: Ledger, may_be_done: bool, delay: timedelta
) -> None:
    class Slow(Ledger):
        def publish(self, draft: Draft, files: Sequence[Attachment] = ()) -> OdooItem:
            error = OdooUnavailable("no answer")
            error.may_be_done = may_be_done
            raise error

    submitted = Submitted()
    with build(settings, submitted, ledger, Slow(ledger._path)) as service:
        message_id = service.accept(MESSAGE, header=None, original=None).id
        service.understand(message_id, "0")
        service.publish(message_id, "0", 1)
        assert submitted.delays == [timedelta(), delay]
        assert service.store.state(message_id)[0] == "processing"


def test_who_was_retried_is_not_given_up_for_what_an_earlier_run_did(settings: Settings, ledger: Ledger) -> None:
    submitted = Submitted()
    with build(settings, submitted, ledger, ledger) as service:
        message_id = service.accept(MESSAGE, header=None, original=None).id
        submitted.poisoned = {(message_id, "0-1764000000000")}
        service.sweep()
        assert service.store.state(message_id) == ("failed", 0)
        service.retry(message_id, "eva")
        service.sweep()
        assert service.store.state(message_id) == ("queued", 1)
        submitted.poisoned |= {(message_id, "1")}
        service.sweep()
        assert service.store.state(message_id) == ("failed", 1)


def test_who_came_to_its_end_while_the_sweep_looked_stays_there(settings: Settings, ledger: Ledger) -> None:
    submitted = Submitted()
    with build(settings, submitted, ledger, ledger) as service:
        message_id = service.accept(MESSAGE, header=None, original=None).id
        submitted.poisoned = {(message_id, "0")}

        def end() -> None:
            with service.store.transaction() as connection:
                service.store.set_state(connection, message_id, "published", NOW)

        submitted.meanwhile = end
        service.sweep()
        assert service.store.state(message_id)[0] == "published"


def test_a_full_disk_is_told_and_not_filled_further(
    settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with build(settings, Submitted(), ledger, ledger) as service:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="No space left on device"):
            service.accept(MESSAGE, header=None, original=b"From: a@b.example")
        assert [path for path in (settings.data_dir / "files").rglob("*") if path.is_file()] == []
        assert service.store.waiting() == 0
