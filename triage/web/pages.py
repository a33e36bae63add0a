"""The exception dashboard: server-rendered pages without scripts or anything from another host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from extractors.message import Value
from triage.pipeline import reason_for, why_review
from triage.result import FINAL_STATES, Result, percent
from triage.store.store import Filter

if TYPE_CHECKING:
    from triage.runtime import Runtime

PAGE_SIZE = 50
DECISION_SPAN = timedelta(days=30)  # of the figures on how people decide
REASON_TEXTS = {
    "odoo_not_configured": "Odoo is not configured: this is what would be made",
    "odoo_unavailable": "Odoo is away: this is what will be made when it is back",
}


class Run(Value):
    """A piece of text, marked or not; `why` says what the mark means."""

    text: str
    why: str | None = None
    kind: str = ""


def age(then: datetime, now: datetime) -> str:
    minutes = max(int((now - then).total_seconds() // 60), 0)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def marked(text: str, marks: Sequence[tuple[int, int, str, str]]) -> Iterator[Run]:
    """Cut a text at its marks (start, end, why, kind); of two that overlap, the one that begins later is inside."""
    cuts = sorted({0, len(text), *(m[0] for m in marks), *(m[1] for m in marks)})
    for start, end in pairwise(cuts):
        covering = [m for m in marks if m[0] <= start and end <= m[1]]
        inner = min(covering, key=lambda m: m[1] - m[0], default=None)
        yield Run(text=text[start:end], why=inner[2] if inner else None, kind=inner[3] if inner else "")


def review_reasons(result: Result, may_stand: bool) -> list[str]:
    """Why a person should look; `may_stand` by the policy in force now."""
    if not result.needs_review:
        return []
    reasons = why_review(
        abstained=result.abstained is not None,
        unmatched=result.match is None and result.state != "ignored",
        contradicts=bool(result.conflicts),
        may_stand=may_stand,
    )
    # Decided under another policy, it may have been below the threshold of that one.
    return reasons or ["the label was below the proven threshold"]


def _may_stand(runtime: Runtime, result: Result) -> bool:
    classifier = result.provenance.classifier if result.provenance else ""
    return runtime.policy.at(result.site).confidence.may_stand(classifier, result.confidence or 0.0)


def _environment() -> Environment:
    templates = Environment(
        loader=PackageLoader("triage", "web/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["percent"] = percent
    templates.globals["age"] = age
    return templates


_templates = _environment()


def queue(runtime: Runtime, where: Filter, cursor: str | None, query: Mapping[str, str]) -> str:
    results, following = runtime.store.page(where, PAGE_SIZE, cursor)
    states = runtime.store.states(where.sites)
    shown = {name: value for name, value in query.items() if name != "cursor"}
    return _templates.get_template("queue.html").render(
        results=results,
        reviews={r.id: review_reasons(r, _may_stand(runtime, r)) for r in results},
        labels=runtime.taxonomy.labels,
        states=[(state, states.get(state, 0)) for state in ("queued", "processing", *sorted(FINAL_STATES))],
        where=where,
        next_url=f"?{urlencode(shown | {'cursor': following})}" if following else None,
        decisions=decisions(runtime) if where.sites is None else [],
        now=runtime.clock(),
        odoo=runtime.service.records is not None,
    )


def decisions(runtime: Runtime) -> list[dict[str, Any]]:
    """Ageing and approval cycle of what stands in Odoo, in words; nothing where nothing ever stood there."""
    now = runtime.clock()
    kinds = runtime.store.decisions(now - DECISION_SPAN, now)
    titles = {"activity": "Activities", "approval": "Approvals"}
    return [
        {
            "title": titles[kind.kind],
            "open": kind.open,
            "oldest": age(now - timedelta(hours=kind.oldest_hours), now) if kind.oldest_hours is not None else None,
            "decided": len(kind.hours),
            "median": age(now - timedelta(hours=kind.median_hours), now) if kind.median_hours is not None else None,
        }
        for kind in kinds
        if kind.open or kind.hours
    ]


def message(runtime: Runtime, result: Result, may_judge: bool) -> str:
    stored = runtime.store.message(result.id, files=False)  # a lost file is told by the state, and shown all the same
    understanding = runtime.store.understanding(result.id, files=False)
    places: list[dict[str, Any]] = [
        {"title": "Subject", "part": "subject", "page": None, "text": stored.subject, "problem": None},
        {"title": "Message", "part": "body", "page": None, "text": stored.text, "problem": None},
    ]
    for document in understanding.extraction.documents if understanding else ():
        for page in document.pages:
            title = f"{document.filename}, page {page.number} of {document.page_count}"
            places.append(
                {"title": title, "part": document.part, "page": page.number, "text": page.text, "problem": None}
            )
        if document.problem:
            places.append(
                {"title": document.filename, "part": document.part, "page": 0, "text": "", "problem": document.problem}
            )
    for place in places:
        place["runs"] = list(marked(place["text"], _marks(result, place["part"], place["page"], runtime)))
    return _templates.get_template("message.html").render(
        result=result,
        labels=runtime.taxonomy.labels,
        places=[place for place in places if place["text"].strip() or place["problem"]],
        signals=Counter(stored.signals) + Counter(understanding.extraction.signals if understanding else {}),
        later=runtime.store.later(result.id),
        verdicts=runtime.store.feedback(result.id),
        may_judge=may_judge,
        review=review_reasons(result, _may_stand(runtime, result)),
        why_not=reason_for(result.abstained, result.confidence or 0.0) if result.abstained else None,
        reason=REASON_TEXTS.get(result.state_reason or "", result.state_reason),
        now=runtime.clock(),
    )


def _marks(result: Result, part: str, page: int | None, runtime: Runtime) -> list[tuple[int, int, str, str]]:
    title = runtime.taxonomy.labels[result.label].title if result.label else ""
    marks = [
        (q.start, q.end, f"speaks for: {title}", "quote") for q in result.evidence if (q.part, q.page) == (part, page)
    ]
    for field, values in result.fields.items():
        for value in values:
            e = value.evidence
            if (e.part, e.page) == (part, page):
                name = field.replace("_", " ")
                marks.append((e.start, e.end, f"{name}: {value.value} ({percent(value.score)}, {e.method})", "field"))
    return marks
