"""The wire to Odoo 11 to 21: `/jsonrpc` through odoorpc. Odoo 22 has it no more (fall 2028)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import odoorpc
from odoorpc.error import RPCError

from triage.errors import OdooError, OdooRefused, OdooUnavailable
from triage.odoo.transport import BAD_LOGIN, server_error, status_error


class OdooRpcTransport:
    """Safe to share between threads: after the login a call holds no state. Logs in at the first call.

    `url` is `http(s)://host[:port]`, without a path; `timeout` is in seconds, for each wait on the network.
    """

    def __init__(self, url: str, db: str, login: str, password: str, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"the URL of Odoo must be http(s)://host[:port] without a path, not {url!r}")
        if parts.username or parts.query or parts.fragment:
            raise ValueError("the URL of Odoo must not carry a user, a query or a fragment")
        tls = parts.scheme == "https"
        self._host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self._port = parts.port or (443 if tls else 80)
        self._protocol = "jsonrpc+ssl" if tls else "jsonrpc"
        self._db, self._login, self._password, self._timeout = db, login, password, timeout
        self._client: odoorpc.ODOO | None = None

    @property
    def uid(self) -> int:
        return int(self._connected().env.uid)

    def call(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        client = self._connected()
        try:
            return self._execute(client, model, method, args, kwargs)
        except OdooRefused as refusal:
            if refusal.code != BAD_LOGIN:
                raise
        # The server checks the credentials before anything else, so nothing was done yet: log in anew, once.
        self._client = None
        return self._execute(self._connected(), model, method, args, kwargs)

    def _connected(self) -> odoorpc.ODOO:
        client = self._client
        if client is None:  # no lock: two threads that log in at once do no harm, one that waits for another would
            try:
                client = odoorpc.ODOO(
                    self._host, self._protocol, self._port, self._timeout, opener=build_opener(_NoRedirect)
                )
                client.login(self._db, self._login, self._password)
            except Exception as error:
                raise _translated(error, "login") from None
            self._client = client
        return client

    def _execute(
        self, client: odoorpc.ODOO, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        try:
            return client.execute_kw(model, method, list(args), dict(kwargs))
        except Exception as error:
            raise _translated(error, f"{model}.{method}") from None


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST becomes a GET without its body; better to name the wrong URL."""

    def redirect_request(self, *_: object) -> None:
        return None


def _translated(error: Exception, what: str) -> OdooError:
    if isinstance(error, RPCError):
        return _server_error(error, what)
    if isinstance(error, HTTPError):
        return status_error(error.code, what)
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return OdooUnavailable(f"Odoo's certificate is not trusted ({cause.verify_message}); check TRIAGE_ODOO_URL.")
    if isinstance(error, (OSError, HTTPException)):
        return OdooUnavailable(f"Odoo cannot be reached for {what} ({type(cause).__name__}); try again later.")
    if isinstance(error, (ValueError, LookupError, TypeError, AttributeError)):
        return OdooUnavailable(f"Odoo's answer to {what} is not one of Odoo's; is it restarting?")
    raise error


def _server_error(error: RPCError, what: str) -> OdooError:
    if not error.info:  # odoorpc's own way of saying that `login` answered False
        return OdooRefused("Odoo does not accept the login; check TRIAGE_ODOO_LOGIN and its password.", code=BAD_LOGIN)
    data = error.info.get("data") or {}
    name, message = str(data.get("name") or ""), str(data.get("message") or "")
    model = what.rpartition(".")[0]
    unknown = (name.endswith("UserError") and f"Object {model} " in message) or (
        name.endswith("KeyError") and model in message
    )
    return server_error(name, message, what, unknown_model=bool(model) and unknown)
