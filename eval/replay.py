"""A stored result made again from what the store kept, offline: the same bytes, or the places where they differ.

Made again are the understanding (extraction, prediction, evidence) and, from the records of Odoo as they were read
then, the decision (match, priority, recommendations, draft). Both get the time that it was then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from classifiers.taxonomy import load_taxonomy
from eval.product import Product
from extractors.message import Value
from triage.errors import NotFound
from triage.odoo.records import Record
from triage.odoo.remembered import Basis, remember
from triage.pipeline import decide, understand
from triage.result import Result
from triage.store import tables as t
from triage.store.store import Store
from triage.understanding import Understanding


def replay(store: Store, product: Product, message_id: str) -> dict[str, Any]:
    """`same`, the versions then and now, and each differing place as (path, then, now). Raises NotFound; OSError
    and ValueError for a stored file that is lost or broken.

    `decision_replayed` is False where nothing was decided yet, or before the service kept what decisions rest on.
    """
    stored = store.understanding(message_id)
    if stored is None:
        raise NotFound(f"message {message_id} has no result yet", field="id")
    with store.engine.connect() as connection:
        then = connection.execute(
            sa.select(t.result.c.created_at).where(t.result.c.message_id == message_id)
        ).scalar_one()
    again = understand(store.message(message_id), product.tools, load_taxonomy(), then)
    places = list(_differences(_json(stored), _json(again)))
    versions = {"then": _versions(stored), "now": _versions(again)}
    decided = store.decision(message_id)
    if decided is not None:
        result, basis = decided
        versions["then"]["policy"] = result.provenance.policy if result.provenance else "unknown"
        try:
            renewed: Any = _json(_decide(again, product, result.id, basis))
        except LookupError as error:  # today's way asks Odoo what nobody asked then
            renewed = {"not decided": str(error)}
        versions["now"]["policy"] = (renewed.get("provenance") or {}).get("policy", product.policy.name)  # of the site
        places += [(f"decision.{path}", old, new) for path, old, new in _differences(_json(result), renewed)]
    return {
        "id": message_id,
        "same": not places,
        "decision_replayed": decided is not None,
        "versions": versions,
        "differences": [{"path": path, "then": old, "now": new} for path, old, new in places],
    }


def _decide(understanding: Understanding, product: Product, message_id: str, basis: Basis) -> Result:
    records = remember(basis.calls) if basis.calls is not None else None
    given = basis.fallback

    def fallback() -> Record | None:
        return records.get(given.model, given.id) if records is not None and given is not None else None

    return decide(
        message_id,
        understanding,
        records,
        fallback,
        product.taxonomy,
        product.policy,
        basis.evidence_url,
        basis.now,
        without_records=basis.without_records,
        earlier=basis.earlier,
    ).result


def _versions(understanding: Understanding) -> dict[str, str]:
    return {
        "classifier": understanding.prediction.version,
        "extractor": understanding.extractor,
        "taxonomy": understanding.taxonomy,
    }


def _json(value: Value) -> Any:
    """Without the message itself, and without what the model's answers took: a replay has them from the cache."""
    took = {"questions", "cached", "input_tokens", "output_tokens", "cost", "seconds"}
    hidden: Any = {"provenance": {"llm_use": took}}
    if isinstance(value, Understanding):
        hidden = {"extraction": {"message"}, "llm": took}
    return json.loads(value.model_dump_json(exclude=hidden))


def _differences(then: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            yield from _differences(then.get(key), now.get(key), f"{path}.{key}" if path else key)
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        for i, (old, new) in enumerate(zip(then, now, strict=True)):
            yield from _differences(old, new, f"{path}[{i}]")
    elif then != now:
        yield path, then, now
