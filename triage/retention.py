"""Forgetting: messages that ended long ago, with their results and files. The audit keeps that they were there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from extractors.message import Value
from triage.store.store import Store

BATCH = 200  # messages in one transaction, so that intake never waits long for the writer
UNNAMED_FOR = timedelta(days=1)  # a file is written before the row that names it


class Forgotten(Value):
    messages: int
    files: int


def forget(
    store: Store, before: datetime, now: datetime, progress: Callable[[int], object] = lambda count: None
) -> Forgotten:
    """Delete what came to its end before a time, then every file that no message names any more.

    It can be broken off anywhere and run again. A repeat of a deleted message is a new one.
    """
    messages = 0
    while ids := store.expired(before, BATCH):
        messages += store.forget(ids, before, now)
        progress(len(ids))
    used = store.files_in_use()
    files = sum(
        store.files.remove(sha256, now - UNNAMED_FOR)
        for sha256 in store.files.older_than(now - UNNAMED_FOR)
        if bytes.fromhex(sha256) not in used
    )
    return Forgotten(messages=messages, files=files)
