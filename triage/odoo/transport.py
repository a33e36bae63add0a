"""What every wire to Odoo has in common: one call, and each failure told apart: later, or never."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from triage.errors import OdooError, OdooRefused, OdooUnavailable

UNKNOWN_MODEL = "odoo_unknown_model"
BAD_LOGIN = "odoo_bad_login"
NO_RIGHT = "odoo_no_right"

# Names of server-side exceptions that pass by themselves; all others are refusals. The wording of an error differs
# between versions and languages, its class does not.
_PASSING = frozenset(
    {
        "OperationalError",
        "InterfaceError",
        "TransactionRollbackError",
        "SerializationFailure",
        "DeadlockDetected",
        "LockNotAvailable",
        "QueryCanceled",
        "QueryCanceledError",
        "PoolError",
        "ConcurrencyError",
        "MemoryError",
        "SessionExpiredException",
        "TooManyRequests",
        "BadGateway",
        "ServiceUnavailable",
        "GatewayTimeout",
    }
)
_WRITTEN_FOR_PEOPLE = frozenset({"AccessError", "UserError", "ValidationError", "MissingError", "RedirectWarning"})
_PASSING_STATUS = frozenset({408, 425, 429})


class Transport(Protocol):
    """One call of one method of one model, as the user that the transport is logged in as.

    Raises `OdooUnavailable` when trying again later can help and `OdooRefused` when it cannot.
    """

    @property
    def uid(self) -> int: ...

    def call(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any: ...


def server_error(name: object, message: object, what: str, *, unknown_model: bool = False) -> OdooError:
    """The error for what Odoo said: `name` is the class of its exception, `what` the call, as `model.method`."""
    name = str(name or "unknown error").rsplit(".", 1)[-1]
    words = (str(message or "").strip().splitlines() or [""])[0][:200]
    model = what.rpartition(".")[0]
    if name in _PASSING:
        return OdooUnavailable(f"Odoo failed at {what} ({name}); try again later.")
    if name == "AccessDenied":
        return OdooRefused(f"Odoo refused {what}: AccessDenied, the password is no longer accepted.", code=BAD_LOGIN)
    if unknown_model:
        return OdooRefused(f"Odoo has no model {model}; the app that brings it is not installed.", code=UNKNOWN_MODEL)
    said = f": {words}" if words and name in _WRITTEN_FOR_PEOPLE else ""
    return OdooRefused(f"Odoo refused {what} ({name}){said}", code=NO_RIGHT if name == "AccessError" else None)


def status_error(status: int, what: str) -> OdooError:
    """The error for an HTTP status without a word from Odoo itself: it says nothing about the message, which waits
    until the server, what stands before it, or the setting is mended.
    """
    passing = status >= 500 or status in _PASSING_STATUS
    return OdooUnavailable(
        f"Odoo answered HTTP {status} to {what}; {'try again later' if passing else 'check TRIAGE_ODOO_URL'}."
    )
