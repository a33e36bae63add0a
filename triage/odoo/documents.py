"""PDF files that people attach to records in Odoo, taken in as messages whose record is known."""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from extractors.limits import InputError, Limits
from extractors.message import Message, RecordRef, Value, message_from_pdf
from triage.odoo.gateway import Gateway
from triage.store.store import Accepted, Store

BOOKMARK = "odoo.documents"
FIRST_TIME = timedelta(days=1)  # what the first run looks back, unless it is told otherwise
# A row is stamped when its transaction begins and seen when it ends, so the last stretch is looked at again. What was
# taken in before is known by its key and not even downloaded.
OVERLAP = timedelta(minutes=15)
PAGE = 100
REFUSED = "document_refused"

log = logging.getLogger(__name__)


class PulledDocuments(Value):
    """Files taken in now, known before, and refused (each with a line in the audit)."""

    new: int
    known: int
    refused: int


def pull_documents(
    gateway: Gateway,
    store: Store,
    accept: Callable[[Message, bytes], Accepted],
    limits: Limits,
    models: Sequence[str],
    database: str,
    clock: Callable[[], datetime],
    since: datetime | None = None,
) -> PulledDocuments:
    """Take in what was attached or changed since the bookmark, which moves only when all of it was looked at.

    Raises OdooUnavailable, OdooRefused, TooManyMessages: run it again, what was taken in is known.
    """
    begin = since or store.bookmark(BOOKMARK) or clock() - FIRST_TIME
    newest, counts = begin, {"new": 0, "known": 0, "refused": 0}
    for rows in _pages(gateway, [m for m in models if gateway.fields(m) or m == "documents.document"], begin - OVERLAP):
        externals = [f"odoo:{database}:ir.attachment:{row['id']}:{row['checksum']}" for row in rows]
        known = store.known([_key(external) for external in externals])
        refused = store.audited(REFUSED, [_line(external) for external in externals])
        for row, external in zip(rows, externals, strict=True):
            newest = max(newest, _moment(row["write_date"]))
            if _key(external) in known or _line(external) in refused:
                counts["known"] += 1
                continue
            try:
                content = _content(gateway, row, limits)
                message = message_from_pdf(content, limits, filename=row["name"], external_id=external)
            except InputError as error:
                counts["refused"] += 1
                log.warning("a document of Odoo was refused", extra={"attachment": row["id"], "problem": error.message})
                detail = {"problem": error.message, "attachment": row["id"], "name": str(row["name"])[:200]}
                store.audit(clock(), "odoo", REFUSED, _line(external), detail)
                continue
            more = {"record": _record(gateway, row), "received_at": _moment(row["create_date"])}
            accepted = accept(message.model_copy(update=more), content)
            counts["known" if accepted.duplicate else "new"] += 1
    store.set_bookmark(BOOKMARK, newest)
    return PulledDocuments(**counts)


def _pages(gateway: Gateway, models: Sequence[str], since: datetime) -> Iterator[list[dict[str, Any]]]:
    """By id, until a page is empty: Odoo 11 takes out of a page what our user may not see."""
    after = 0
    fields = ["name", "res_model", "res_id", "checksum", "file_size", "create_date", "write_date"]
    asked: list[Any] = [
        ("res_model", "in", list(models)),
        ("res_id", ">", 0),
        ("mimetype", "=", "application/pdf"),
        ("type", "=", "binary"),
        ("write_date", ">=", since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")),
        ("create_uid", "!=", gateway.uid),
    ]
    while rows := gateway.search_read("ir.attachment", [*asked, ("id", ">", after)], fields, limit=PAGE):
        yield rows
        after = rows[-1]["id"]


def _content(gateway: Gateway, row: dict[str, Any], limits: Limits) -> bytes:
    if (row["file_size"] or 0) > limits.max_attachment_bytes:
        raise InputError(f"The file is larger than {limits.max_attachment_bytes} bytes; split it", field="attachments")
    found = gateway.search_read("ir.attachment", [("id", "=", row["id"])], ["datas"], limit=1)
    try:
        return base64.b64decode(found[0]["datas"] or "") if found else b""
    except (binascii.Error, ValueError) as error:
        raise InputError("The file cannot be read from Odoo", field="attachments") from error


def _record(gateway: Gateway, row: dict[str, Any]) -> RecordRef | None:
    """The one that the file hangs on; for a file of the Documents app the one that it is linked to, if any."""
    model, number = str(row["res_model"]), int(row["res_id"])
    if model == "documents.document":
        found = gateway.search_read(model, [("id", "=", number)], ["res_model", "res_id"], limit=1)
        model, number = (str(found[0]["res_model"] or ""), int(found[0]["res_id"] or 0)) if found else ("", 0)
        if model in ("", "documents.document") or not number:
            return None
    return RecordRef(model=model, id=number)


def _key(external: str) -> str:
    return f"external:document:{external}"


def _line(external: str) -> str:
    """What the audit calls it, which has room for 40 characters."""
    return "att_" + hashlib.sha256(external.encode()).hexdigest()[:36]


def _moment(text: object) -> datetime:
    return datetime.fromisoformat(str(text)[:19]).replace(tzinfo=UTC)
