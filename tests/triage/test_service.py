"""What a try to publish leads to when Odoo does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from classifiers.taxonomy import load_taxonomy
from extractors.message import Attachment, Message
from tests.ledger import Ledger
from tests.triage.test_threads import read_as
from triage.errors import OdooUnavailable
from triage.policy import load_policy
from triage.result import Draft, OdooItem
from triage.service import SETTLED, Service
from triage.settings import Settings
from triage.store.database import create_engine, migrate
from triage.store.files import Files
from triage.store.store import Store

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Submitted:
    """An engine that only notes what it is given."""

    def __init__(self) -> None:
        self.delays: list[timedelta] = []

    def submit_triage(self, *_: Any) -> None: ...

    def submit_publish(self, *_: Any) -> None:
        self.delays.append(_[4] if len(_) > 4 else timedelta())


@pytest.mark.parametrize(("may_be_done", "delay"), [(False, timedelta(seconds=2)), (True, SETTLED)])
def test_what_odoo_may_still_be_making_is_not_made_again_before_a_search_can_find_it(
    settings: Settings, ledger: Ledger, may_be_done: bool, delay: timedelta
) -> None:
    class Slow(Ledger):
        def publish(self, draft: Draft, files: Sequence[Attachment] = ()) -> OdooItem:
            error = OdooUnavailable("no answer")
            error.may_be_done = may_be_done
            raise error

    pool, taxonomy, submitted = create_engine(settings.sqlalchemy_url), load_taxonomy(), Submitted()
    migrate(pool)
    store, slow = Store(pool, Files(settings.data_dir / "files")), Slow(ledger._path)
    tools, policy = read_as("vehicle_breakdown"), load_policy(taxonomy)
    service = Service(store, submitted, tools, taxonomy, policy, settings, ledger, slow, lambda: NOW)  # type: ignore[arg-type]
    message_id = service.accept(Message(channel="portal", text="It broke down."), header=None, original=None).id
    service.understand(message_id, "0")
    service.publish(message_id, "0", 1)
    assert submitted.delays == [timedelta(), delay]
    assert store.state(message_id)[0] == "processing"
    pool.dispose()
