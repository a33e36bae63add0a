"""A stored result made again from what the store kept, offline: the same bytes, or the places where they differ.

What is replayed is all that needs no record of Odoo: extraction, prediction and evidence. The decision also rests on a
record as it was in Odoo at that moment, which the store does not keep.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from classifiers.taxonomy import load_taxonomy
from eval.product import Product
from triage.errors import NotFound
from triage.pipeline import understand
from triage.store import tables as t
from triage.store.store import Store
from triage.understanding import Understanding


def replay(store: Store, product: Product, message_id: str) -> dict[str, Any]:
    """`same`, the versions then and now, and each differing place as (path, then, now). Raises NotFound."""
    stored = store.understanding(message_id)
    if stored is None:
        raise NotFound(f"message {message_id} has no result yet", field="id")
    with store.engine.connect() as connection:
        then = connection.execute(
            sa.select(t.result.c.created_at).where(t.result.c.message_id == message_id)
        ).scalar_one()
    again = understand(store.message(message_id), product.tools, load_taxonomy(), then)
    places = list(_differences(_json(stored), _json(again)))
    return {
        "id": message_id,
        "same": not places,
        "versions": {"then": _versions(stored), "now": _versions(again)},
        "differences": [{"path": path, "then": old, "now": new} for path, old, new in places],
    }


def _versions(understanding: Understanding) -> dict[str, str]:
    return {
        "classifier": understanding.prediction.version,
        "extractor": understanding.extractor,
        "taxonomy": understanding.taxonomy,
    }


def _json(understanding: Understanding) -> Any:
    return json.loads(understanding.model_dump_json(exclude={"extraction": {"message"}}))


def _differences(then: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            yield from _differences(then.get(key), now.get(key), f"{path}.{key}" if path else key)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for i, (old, new) in enumerate(zip(then, now, strict=True)):
            yield from _differences(old, new, f"{path}[{i}]")
    elif then != now:
        yield path, then, now
