"""The errors of the service, each with a stable code, an HTTP status and whether trying again can help.

TriageError
├── BadInput            400  the caller sent something that cannot be read
├── Unauthorized        401  no key, or an unknown one
├── Forbidden           403  the key lacks the scope or the site
├── NotFound            404
├── Conflict            422  the same Idempotency-Key with another body, or an action the state forbids
├── TooLarge            413  a limit of size was passed
├── TooManyMessages     429  the hard limit of the queue
├── Unavailable         503  the store does not answer; try again
└── OdooError
    ├── OdooUnavailable      down, slow, restarting, rate-limiting: try again later
    ├── OdooRefused          refused this call for good: rights, constraint, unknown model
    └── OutsideAllowList     our own gateway refused a call before the wire
"""

from __future__ import annotations


class TriageError(Exception):
    """`message` is one sentence: what, which field, what to do."""

    code = "internal_error"
    status = 500
    retryable = False

    def __init__(self, message: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        if code is not None:
            self.code = code


class BadInput(TriageError):
    code = "bad_input"
    status = 400


class Unauthorized(TriageError):
    code = "unauthorized"
    status = 401


class Forbidden(TriageError):
    code = "forbidden"
    status = 403


class NotFound(TriageError):
    code = "not_found"
    status = 404


class Conflict(TriageError):
    code = "conflict"
    status = 422


class TooLarge(TriageError):
    code = "too_large"
    status = 413


class TooManyMessages(TriageError):
    code = "too_many_messages"
    status = 429
    retryable = True


class Unavailable(TriageError):
    code = "unavailable"
    status = 503
    retryable = True


class OdooError(TriageError):
    code = "odoo_error"
    status = 502


class OdooUnavailable(OdooError):
    """`may_be_done`: Odoo was asked to make or change something, and may do so yet though it has not answered."""

    code = "odoo_unavailable"
    retryable = True
    may_be_done = False


class OdooRefused(OdooError):
    code = "odoo_refused"


class OutsideAllowList(OdooError):
    code = "outside_allow_list"
