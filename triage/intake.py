"""From an HTTP body to a Message: the four forms of the contract, told apart by content type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from extractors.limits import InputError, LimitError, Limits
from extractors.message import (
    Message,
    message_from_form,
    message_from_json,
    message_from_pdf,
    message_from_rfc822,
)
from triage.errors import BadInput, TooLarge, TriageError
from triage.settings import Settings

MAX_FORM_FIELDS = 100
FORMS = ("application/json", "message/rfc822", "application/pdf", "multipart/form-data")


def limits_of(settings: Settings) -> Limits:
    return Limits(**{field.name: getattr(settings, field.name) for field in fields(Limits)})


class Body:
    """What came in the request, read whole and within the limits, not yet understood."""

    def __init__(
        self,
        content_type: str,
        raw: bytes,
        query: Mapping[str, str],
        form: dict[str, str] | None = None,
        files: list[tuple[str, bytes]] | None = None,
    ) -> None:
        self.content_type = content_type
        self.raw = raw
        self.query = query
        self.form = form or {}
        self.files = files or []

    @classmethod
    async def read(cls, request: Request, settings: Settings) -> Body:
        """Raises BadInput for another content type, TooLarge for too many files. The size is held by the middleware."""
        content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        query = {k: v for k, v in request.query_params.items() if k != "wait"}
        if content_type not in FORMS:
            raise BadInput(
                f"Content-Type {content_type or '(none)'} is not taken; send one of {', '.join(FORMS)}",
                field="Content-Type",
                code="unsupported_media_type",
            )
        if content_type != "multipart/form-data":
            return cls(content_type, await request.body(), query)
        try:
            # As large a part as a body may be: HTML with pictures inside, or files within `metadata`, is taken as JSON.
            form = await request.form(
                max_files=settings.max_attachments, max_fields=MAX_FORM_FIELDS, max_part_size=settings.max_body_bytes
            )
        except HTTPException as error:
            raise _form_error(str(error.detail), settings) from error
        texts: dict[str, str] = {}
        files: list[tuple[str, bytes]] = []
        for name, part in form.multi_items():
            if isinstance(part, str):
                texts[name] = part
            else:
                files.append((part.filename or name, await part.read()))
        return cls(content_type, b"", query, texts, files)

    @property
    def original(self) -> bytes | None:
        """The bytes to keep beside the message; a form's files are kept one by one."""
        return self.raw or None

    def message(self, limits: Limits) -> Message:
        """Raises BadInput or TooLarge, naming the field and the remedy. Takes CPU: not for the event loop."""
        try:
            if self.content_type == "application/json":
                return message_from_json(_json_object(self.raw), limits)
            if self.content_type == "message/rfc822":
                return message_from_rfc822(self.raw, limits, **self.query)
            if self.content_type == "application/pdf":
                return message_from_pdf(self.raw, limits, **self.query)
            return message_from_form(self.form | dict(self.query), self.files, limits)
        except InputError as error:
            raise from_input_error(error) from error


def _form_error(said: str, settings: Settings) -> TriageError:
    """With field and remedy, which the parser's own words lack."""
    if said.startswith("Too many files"):
        most = settings.max_attachments
        return TooLarge(f"the form has more than {most} files; send at most {most}", field="attachments")
    if said.startswith("Too many fields"):
        return TooLarge(f"the form has more than {MAX_FORM_FIELDS} fields; send those of the contract", field="body")
    return BadInput(
        f"the form cannot be read ({said.rstrip('.')}); send it as multipart/form-data with its boundary", field="body"
    )


def from_input_error(error: InputError) -> TriageError:
    kind = TooLarge if isinstance(error, LimitError) else BadInput
    return kind(error.message, field=error.field)


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"the body is not JSON ({error}); in n8n send JSON.stringify(…) of one object", field="body"
        ) from error
    if not isinstance(data, dict):
        raise BadInput("the body must be one JSON object; send one request for each message", field="body")
    return data
