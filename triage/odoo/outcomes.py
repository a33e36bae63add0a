"""What people did in Odoo with what the service put there, written down as feedback on the message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bs4 import BeautifulSoup, Tag

from extractors.message import Value
from triage.odoo.gateway import OUTCOMES_AT_ONCE, Gateway
from triage.store.store import Outcome, Published, Store

ASK_AGAIN = timedelta(days=14)  # so long an approval may be withdrawn and decided anew
MAX_COMMENT = 5000
UNKNOWN = "somebody in Odoo"  # nothing tells who deleted an activity

_VERDICTS: dict[str, Literal["done", "cancelled", "approved", "refused"]] = {
    "done": "done",
    "gone": "cancelled",
    "cancel": "cancelled",
    "approved": "approved",
    "refused": "refused",
}


class Pulled(Value):
    """Items asked for, and the new outcomes by verdict."""

    asked: int
    new: dict[str, int]


def pull_outcomes(gateway: Gateway, store: Store, clock: Callable[[], datetime]) -> Pulled:
    """Ask Odoo for every undecided item; running it again, or twice at once, adds nothing.

    Raises OdooUnavailable, and OdooRefused where `triage odoo setup` was not run. What was written stays.
    """
    asked, new, after = 0, dict.fromkeys(("done", "cancelled", "approved", "refused"), 0), ""
    while batch := store.undecided(after, OUTCOMES_AT_ONCE, clock() - ASK_AGAIN):
        asked, after = asked + len(batch), batch[-1].key
        said = {row.get("key"): row for row in gateway.outcomes([_asked(published) for published in batch])}
        for published in batch:
            found = outcome(published, said.get(published.key, {}), clock())
            if found is not None and store.add_outcome(found, clock()):
                new[found.verdict] += 1
    return Pulled(asked=asked, new=new)


def _asked(published: Published) -> dict[str, Any]:
    record = published.record if published.item.kind == "activity" else None
    return {
        "kind": "activity" if published.item.model == "mail.activity" else "approval",
        "key": published.key,
        "id": published.item.id,
        "model": record.model if record else "",
        "res_id": record.id if record else 0,
    }


def outcome(published: Published, said: Mapping[str, Any], now: datetime) -> Outcome | None:
    """None while nobody decided. `said` is a row of the set-up's server action, in the form of any version of Odoo."""
    verdict = _VERDICTS.get(str(said.get("state")))
    if verdict is None:
        return None
    comment = text_of(said.get("comment")) or text_of(said.get("feedback")) or feedback_text(said.get("body"))
    return Outcome(
        key=published.key,
        message_id=published.message_id,
        verdict=verdict,
        by=str(said.get("by") or UNKNOWN),
        at=_moment(said.get("at")) or now,
        comment=comment[:MAX_COMMENT] or None,
    )


def feedback_text(body: object) -> str:
    """What the person wrote when the activity was marked done, out of the chatter message that Odoo makes of it.

    From 12 on it stands before the title `o_mail_note_title`, in 11 after the note, beneath a bold word.
    """
    if not isinstance(body, str) or not body:
        return ""
    soup = BeautifulSoup(body, "html.parser")
    outer = soup.find("div") or soup
    parts = [part for part in outer.find_all(["p", "div"], recursive=False) if isinstance(part, Tag)][1:]
    titles = [i for i, part in enumerate(parts) if "o_mail_note_title" in (part.get("class") or [])]
    if titles:
        return " ".join(part.get_text(" ", strip=True) for part in parts[: titles[0]]).strip()
    if len(parts) < 2:
        return ""
    words = parts[-1].find("div") or parts[-1]
    return words.get_text(" ", strip=True)


def text_of(markup: object) -> str:
    return BeautifulSoup(markup, "html.parser").get_text(" ", strip=True) if isinstance(markup, str) else ""


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)[:19]).replace(tzinfo=UTC)
    except ValueError:
        return None
