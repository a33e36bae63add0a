"""Makes a draft real in Odoo exactly once, however often it is asked to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from functools import cached_property
from html import escape
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from extractors.message import Attachment, RecordRef
from triage.errors import OdooRefused
from triage.odoo.gateway import ARCHIVED_TOO, KEY, REQUIREMENTS, Gateway, related_id
from triage.odoo.records import OdooRecords
from triage.result import Draft, OdooItem

ACTIVITY_TYPE = "Dispatch exception"
APPROVAL_TYPE = "Dispatch approval"  # of an activity that asks for approval, where Odoo has no approvals app
FIRST_WITH_SHORT_LINKS = 18
MAX_ATTACHED = 10_000_000  # bytes of evidence on one request
_SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg", "image/tiff", "image/gif"})
_TO_DO = ("To Do", "To-Do", "Todo", "To-do")
_SUPERUSER = 1  # Odoo 11 and 12 create every activity in this user's name, whoever asks
NEEDED_BY_APPROVALS = frozenset(
    {"name", "category_id", "reason", "reference", "amount", "request_owner_id", "request_status", "create_uid"}
)
REFUSED_REQUIREMENTS = {"has_payment_method": "a payment method", "has_product": "products"}


class OdooPublisher:
    """`publish` searches for the draft's key first and adopts what carries it, so a repeated try adds nothing.

    In Odoo the key stands as `Ref: KEY` at the end of an activity's note and as `reference` of an approval request;
    only items that our own user created are adopted (Odoo 11 and 12 do not say who created an activity). Activities
    are searched for and created by the server actions of `triage odoo setup`; where it was not run, by our own user,
    of whom Odoo then demands write access to the record. The activity goes to the draft's assignee, else to the user
    responsible for the record, else to our own user. The owner of an approval request is our own user: the service
    asks, the category's approvers answer. `url` is Odoo's address as people reach it, `major` asks for its version.
    """

    def __init__(
        self, gateway: Gateway, url: str, *, major: Callable[[], int], default_category: str = ACTIVITY_TYPE
    ) -> None:
        self._gateway = gateway
        self._records = OdooRecords(gateway)
        self._url = url.rstrip("/")
        self._ask_major = major
        self._default_category = default_category

    def publish(self, draft: Draft, files: Sequence[Attachment] = ()) -> OdooItem:
        """The item in Odoo: its own, or the open one of the case that it adds to.

        `files` came with the message; documents and pictures among them are attached to an approval request. Raises
        `OdooUnavailable` (try again, nothing is doubled) or `OdooRefused`.
        """
        if not KEY.fullmatch(draft.key):
            raise ValueError(f"a key must be 4 to 120 letters, digits or ._:/-, not {draft.key!r}")
        evidence = _evidence(draft, files)
        # Both kinds, and every record: what was decided may have changed since the try that we do not remember.
        item = self._find_request(draft.key, evidence) or self._find_activity(draft.key)
        if item is None and draft.adds_to is not None and self._is_open(draft.adds_to):
            return draft.adds_to
        if item is None and draft.kind == "activity":
            item = self._create_activity(draft, draft.summary)
        elif item is None and self._gateway.fields("approval.request"):
            item = self._create_request(draft, evidence)
        elif item is None:
            item = self._create_activity(draft, f"Approval needed (no approvals app in Odoo): {draft.summary}")
        if draft.replaces is not None:
            self._cancel(draft.replaces)
        return item

    def _is_open(self, item: OdooItem) -> bool:
        """Whether it still waits for a person; one of which Odoo tells nothing does not."""
        asked = {"kind": item.kind, "key": item.key, "id": item.id, "model": "", "res_id": 0}
        try:
            rows = self._gateway.outcomes([asked]) if item.key else []
        except OdooRefused:  # no set-up that tells: better a second item than none
            return False
        return any(row.get("state") in ("new", "pending") for row in rows)

    def _cancel(self, item: OdooItem) -> None:
        """Our own request, unless a person has decided on it."""
        rows = self._gateway.read("approval.request", [item.id], ["request_status"])
        if rows and rows[0]["request_status"] in ("new", "pending") and self._gateway.adopt(item.id, item.key or ""):
            self._gateway.cancel(item.id)

    def _find_activity(self, key: str) -> OdooItem | None:
        for model in self._gateway.actions:  # any of them searches everywhere, and sees what our own user may not
            found = self._gateway.run_action(model, key)
            return self._activity(found["id"], found["res_model"], found["res_id"], key) if found else None
        creators = [self._gateway.uid, _SUPERUSER]
        domain: list[Any] = [("create_uid", "in", creators), ("note", "ilike", f"Ref: {key}")]
        if "active" in self._gateway.fields("mail.activity"):  # from 19 on a done activity is archived
            domain += ARCHIVED_TOO
        for row in self._gateway.search_read("mail.activity", domain, ["id", "note", "res_model", "res_id"]):
            if _carries(row["note"] or "", key):
                return self._activity(row["id"], row["res_model"], row["res_id"], key)
        return None

    def _create_activity(self, draft: Draft, summary: str) -> OdooItem:
        if draft.record is None:
            raise OdooRefused("An activity needs a record to stand on, and the draft has none.")
        user = self._assignee(draft.assignee, draft.record)
        note = draft.note
        if draft.assignee and user.get("login") != draft.assignee:
            note += f"<p>Meant for {escape(draft.assignee)}, who is not a user of Odoo.</p>"
        if not _carries(note, draft.key):
            note += f"<p>Ref: {draft.key}</p>"
        values = {
            "res_id": draft.record.id,
            "summary": _line(summary),
            "note": note,
            "user_id": user["id"],
            "date_deadline": draft.due.astimezone(_zone(user.get("tz"))).date().isoformat(),
        }
        kind = self._activity_type(draft.record.model, APPROVAL_TYPE if draft.kind == "approval" else ACTIVITY_TYPE)
        if kind is not None:
            values["activity_type_id"] = kind
        if draft.record.model in self._gateway.actions:
            del values["res_id"]
            made = self._gateway.run_action(draft.record.model, draft.key, draft.record.id, values)
            if made is None:
                raise OdooRefused(f"Odoo made no activity on {draft.record_name}; run triage odoo setup.")
            return self._activity(made["id"], made["res_model"], made["res_id"], draft.key)
        activity = self._gateway.create_activity(draft.record.model, values)
        return self._activity(activity, draft.record.model, draft.record.id, draft.key)

    def _activity(self, activity: int, model: str, record_id: int, key: str) -> OdooItem:
        """An activity has no page of its own: its link leads to the record it stands on."""
        return OdooItem(kind="activity", model="mail.activity", id=activity, url=self._link(model, record_id), key=key)

    def _request(self, request: int, key: str) -> OdooItem:
        url = self._link("approval.request", request)
        return OdooItem(kind="approval", model="approval.request", id=request, url=url, key=key)

    @cached_property
    def _major(self) -> int:
        """What hides its version gets the older links, which newer servers lead on: no link is worth a failure."""
        try:
            return self._ask_major()
        except OdooRefused:
            return 0

    def _link(self, model: str, record_id: int) -> str:
        if self._major >= FIRST_WITH_SHORT_LINKS:
            return f"{self._url}/odoo/{model}/{record_id}"
        return f"{self._url}/web#id={record_id}&model={model}&view_type=form"

    def _assignee(self, login: str | None, record: RecordRef) -> dict[str, Any]:
        """Id, login and tz of the first of assignee, responsible and own user who is an active user."""
        if login and (rows := self._users([("login", "=", login)])):
            return rows[0]
        found = self._records.get(record.model, record.id)
        if found and found.responsible and (rows := self._users([("login", "=", found.responsible)])):
            return rows[0]
        return (self._users([("id", "=", self._gateway.uid)]) or [{"id": self._gateway.uid}])[0]

    def _users(self, domain: list[Any]) -> list[dict[str, Any]]:
        return self._gateway.search_read("res.users", [*domain, ("active", "=", True)], ["id", "login", "tz"], limit=1)

    def _activity_type(self, model: str, wanted: str) -> int | None:
        """None leaves the choice to Odoo."""
        names = list(dict.fromkeys([wanted, ACTIVITY_TYPE, *_TO_DO]))
        rows = self._gateway.search_read(
            "mail.activity.type",
            [("name", "in", names)],
            ["id", "name", "res_model"],
            order="sequence",
        )
        rows = [row for row in rows if not row.get("res_model") or row["res_model"] == model]
        rows.sort(key=lambda row: min(names.index(row["name"]), 2))  # among To Do and the like, Odoo's order
        return int(rows[0]["id"]) if rows else None

    def _find_request(self, key: str, evidence: Mapping[str, bytes]) -> OdooItem | None:
        """What carries the key; one that an earlier try created and no more gets its evidence and is confirmed now."""
        there = self._gateway.fields("approval.request")
        if not there:
            return None
        lacking = NEEDED_BY_APPROVALS - there
        if lacking:
            raise OdooRefused(f"Odoo's approval.request lacks {', '.join(sorted(lacking))}: cannot search for our own.")
        domain = [("reference", "=", key), ("create_uid", "=", self._gateway.uid)]
        rows = self._gateway.search_read("approval.request", domain, ["id", "request_status"], limit=1)
        if not rows:
            return None
        request = int(rows[0]["id"])
        if rows[0]["request_status"] == "new" and self._gateway.adopt(request, key):
            domain = [("res_model", "=", "approval.request"), ("res_id", "=", request)]
            attached = {row["name"] for row in self._gateway.search_read("ir.attachment", domain, ["name"])}
            self._confirm(request, {name: content for name, content in evidence.items() if name not in attached})
        return self._request(request, key)

    def _create_request(self, draft: Draft, evidence: Mapping[str, bytes]) -> OdooItem:
        category = self._category(draft.category or self._default_category)
        request = self._gateway.create_request(self._request_values(draft, category))
        self._confirm(request, evidence)
        return self._request(request, draft.key)

    def _confirm(self, request: int, evidence: Mapping[str, bytes]) -> None:
        for name, content in evidence.items():
            self._gateway.attach(request, name, content)
        self._gateway.confirm(request)

    def _category(self, name: str) -> dict[str, Any]:
        rows = self._gateway.search_read(
            "approval.category", [("name", "=", name)], ["id", "name", *REQUIREMENTS], limit=1
        )
        if not rows:
            raise OdooRefused(f"Odoo has no approval category {name!r}; create it, then retry the message.")
        for field, what in REFUSED_REQUIREMENTS.items():
            if rows[0].get(field) == "required":
                raise OdooRefused(f"The approval category {name!r} requires {what}; make that optional in Odoo.")
        return rows[0]

    def _request_values(self, draft: Draft, category: dict[str, Any]) -> dict[str, Any]:
        wanted = {field for field in REQUIREMENTS if category.get(field) in ("required", "optional")}
        required = {field for field in wanted if category[field] == "required"}
        values: dict[str, Any] = {
            "name": _line(draft.summary),
            "category_id": category["id"],
            "request_owner_id": self._gateway.uid,
            "reason": draft.note,
            "reference": draft.key,
        }
        due = draft.due.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        if "has_amount" in wanted and draft.amount is not None:
            values["amount"] = draft.amount
        elif "has_amount" in required:
            raise OdooRefused(f"The approval category {category['name']!r} requires an amount, and none is known.")
        if "has_date" in required:
            values["date"] = due
        if "has_period" in required:
            values |= {"date_start": due, "date_end": due}
        if "has_quantity" in required:
            values["quantity"] = 1.0  # one shipment
        if "has_location" in required:
            values["location"] = _line(draft.record_name)
        if "has_partner" in required:
            partner = self._partner(draft.record)
            if partner is None:
                raise OdooRefused(
                    f"The approval category {category['name']!r} requires a contact; the record has none."
                )
            values["partner_id"] = partner
        return values

    def _partner(self, record: RecordRef | None) -> int | None:
        if record is None or "partner_id" not in self._gateway.fields(record.model):
            return None
        rows = self._gateway.read(record.model, [record.id], ["partner_id"])
        return related_id(rows[0]["partner_id"]) if rows else None


def _evidence(draft: Draft, files: Sequence[Attachment]) -> dict[str, bytes]:
    """What is attached to an approval request, by name: the recommendation, and the documents that came."""
    found = {"dispatch-exception.html": draft.note.encode()}
    for number, file in enumerate(files, start=1):
        fits = sum(map(len, found.values())) + len(file.content) <= MAX_ATTACHED
        if file.content_type in _SHOWN and fits:
            found[f"{number} {_line(file.filename)[:150]}"] = file.content
    return found


def _carries(note: str, key: str) -> bool:
    """The key must be the last word: a quote within the note may repeat the key of another message."""
    return re.sub(r"<[^>]*>", " ", note).split()[-2:] == ["Ref:", key]


def _line(text: str) -> str:
    """A char field of Odoo holds one line."""
    line = " ".join(text.replace("\x00", " ").split())
    return line if len(line) <= 250 else line[:249] + "…"


def _zone(name: object) -> tzinfo:
    """The due day is that of the person who has to act."""
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
