"""What was read of Odoo for one decision, kept with it, so that the decision can be made again without Odoo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from extractors.message import RecordRef, Value
from triage.odoo.records import Records
from triage.threads import Earlier


class Call(Value):
    """One look-up as JSON: `method` of `Records`, what it was asked, what it answered."""

    method: str
    asked: Any
    answer: Any


class Basis(Value):
    """What a decision rests on besides the understanding and the versioned files; `calls` is None without Odoo."""

    now: datetime
    evidence_url: str
    without_records: str
    fallback: RecordRef | None
    calls: tuple[Call, ...] | None
    earlier: Earlier | None = None


def watch(records: Records) -> tuple[Records, list[Call]]:
    """The same records, and the list in which every answer is written down; a call that raises is not."""
    calls: list[Call] = []

    def answer(method: str, *asked: Any, **named: Any) -> Any:
        found = getattr(records, method)(*asked, **named)
        calls.append(Call(method=method, asked=to_jsonable_python((asked, named)), answer=to_jsonable_python(found)))
        return found

    return cast(Records, _Records(answer)), calls


def remember(calls: tuple[Call, ...]) -> Records:
    """Answers as they were. LookupError for what was not asked then: the decision is made in another way now."""

    def answer(method: str, *asked: Any, **named: Any) -> Any:
        wanted = to_jsonable_python((asked, named))
        for call in calls:
            if (call.method, call.asked) == (method, wanted):
                # Whatever `Records` comes to offer is read back by the type that it states.
                returns = get_type_hints(getattr(Records, method))["return"]
                return TypeAdapter(returns).validate_python(call.answer)
        raise LookupError(f"{method}({wanted}) was not asked of Odoo then")

    return cast(Records, _Records(answer))


class _Records:
    def __init__(self, answer: Callable[..., Any]) -> None:
        self._answer = answer

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda *asked, **named: self._answer(method, *asked, **named)
