"""The wire to Odoo 19 and newer: JSON-2, `POST /json/2/MODEL/METHOD` with an API key."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from triage.errors import OdooRefused, OdooUnavailable
from triage.odoo.transport import BAD_LOGIN, server_error, status_error

# JSON-2 knows named arguments only; these are the names of ours, by method.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "create": ("vals_list",),
    "write": ("ids", "vals"),
    "unlink": ("ids",),
    "run": ("ids",),
    "action_confirm": ("ids",),
    "action_cancel": ("ids",),
    "has_access": ("ids", "operation"),
    "search": ("domain",),
}


class Json2Transport:
    """Safe to share between threads; keeps its connections. `timeout` is in seconds, for each wait on the network."""

    def __init__(self, url: str, db: str, api_key: str, timeout: float = 10.0) -> None:
        headers = {"Authorization": f"bearer {api_key}", "X-Odoo-Database": db, "User-Agent": "dispatch-triage"}
        self._client = httpx.Client(base_url=f"{url.rstrip('/')}/json/2", headers=headers, timeout=timeout)
        self._uid: int | None = None

    @property
    def uid(self) -> int:
        if self._uid is None:
            self._uid = int(self.call("res.users", "context_get", (), {})["uid"])
        return self._uid

    def call(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        what = f"{model}.{method}"
        names = _NAMES.get(method, ())
        if len(args) > len(names):
            raise ValueError(f"{what} has positional arguments whose names are not known")
        form = {**dict(zip(names, args, strict=False)), **kwargs}
        try:
            answer = self._client.post(f"/{quote(model, safe='')}/{quote(method, safe='')}", json=form)
        except httpx.TransportError as error:
            cause = error.__context__.__context__ if error.__context__ else None  # under httpx lies httpcore
            if isinstance(cause, ssl.SSLCertVerificationError):
                text = f"Odoo's certificate is not trusted ({cause.verify_message}); check TRIAGE_ODOO_URL."
                raise OdooUnavailable(text) from None
            text = f"Odoo cannot be reached for {what} ({type(error).__name__}); try again later."
            raise OdooUnavailable(text) from None
        return _result(answer, model, what)


def _result(answer: httpx.Response, model: str, what: str) -> Any:
    try:
        body = answer.json()
    except ValueError:
        if answer.is_success:
            raise OdooUnavailable(f"Odoo's answer to {what} is not one of Odoo's; is it restarting?") from None
        raise status_error(answer.status_code, what) from None
    if answer.is_success:
        return body
    if answer.status_code == 401:
        raise OdooRefused("Odoo does not accept the API key; check TRIAGE_ODOO_API_KEY.", code=BAD_LOGIN)
    name = body.get("name") if isinstance(body, dict) else None
    # What stands before Odoo answers JSON of its own; from 502 on and 429 the status says enough.
    if not name or answer.status_code in (408, 425, 429) or answer.status_code > 500:
        raise status_error(answer.status_code, what)
    message = str(body.get("message") or "")
    unknown = str(name).endswith("NotFound") and repr(model) in message
    raise server_error(name, message, what, unknown_model=unknown)
