"""Which wire is used: chosen by the operator, or by what the server is and what credentials there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from triage.errors import OdooRefused
from triage.odoo.json2 import Json2Transport
from triage.odoo.rpc import OdooRpcTransport
from triage.odoo.server import ask_server
from triage.odoo.transport import Transport
from triage.settings import Settings

Wire = Literal["auto", "rpc", "json2"]
FIRST_WITH_JSON2 = 19
FIRST_WITHOUT_RPC = 22


@dataclass(frozen=True)
class Access:
    """Where Odoo is and who we are there: a login with its password (or, from 14 on, its API key), or an API key."""

    url: str
    db: str
    login: str | None = None
    password: str | None = None
    api_key: str | None = None
    timeout: float = 10.0
    wire: Wire = "auto"


def odoo_access(settings: Settings) -> Access:
    """Raises OdooRefused where Odoo is not configured."""
    if not (settings.odoo_url and settings.odoo_db):
        raise OdooRefused("Odoo is not configured; set TRIAGE_ODOO_URL, _DB, _LOGIN and _PASSWORD.")
    return Access(
        url=settings.odoo_url,
        db=settings.odoo_db,
        login=settings.odoo_login,
        password=settings.odoo_password.get_secret_value() if settings.odoo_password else None,
        api_key=settings.odoo_api_key.get_secret_value() if settings.odoo_api_key else None,
        timeout=settings.odoo_timeout,
        wire=settings.odoo_transport,
    )


def connect(access: Access) -> Transport:
    """Sends nothing yet: an Odoo that is down when the service starts is asked again with each call."""
    if access.wire == "auto" and access.api_key:
        return _Chosen(partial(_by_version, access))
    return _json2(access) if access.wire == "json2" else _rpc(access)


class _Chosen:
    """The wire that the first call which reaches the server decides for."""

    def __init__(self, choose: Callable[[], Transport]) -> None:
        self._choose = choose
        self._transport: Transport | None = None

    @property
    def transport(self) -> Transport:
        if self._transport is None:
            self._transport = self._choose()
        return self._transport

    @property
    def uid(self) -> int:
        return self.transport.uid

    def call(self, model: str, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return self.transport.call(model, method, args, kwargs)


def chosen(transport: Transport) -> Transport:
    """The wire itself, decided now where it was not yet."""
    return transport.transport if isinstance(transport, _Chosen) else transport


def _by_version(access: Access) -> Transport:
    new = ask_server(access.url, access.timeout).major >= FIRST_WITH_JSON2
    return _json2(access) if new else _rpc(access)


def _json2(access: Access) -> Transport:
    if not access.api_key:
        raise OdooRefused("JSON-2 wants an API key of the bot; set TRIAGE_ODOO_API_KEY.")
    return Json2Transport(access.url, access.db, access.api_key, access.timeout)


def _rpc(access: Access) -> Transport:
    secret = access.password or access.api_key
    if not (access.login and secret):
        raise OdooRefused("This version of Odoo wants a login, too; set TRIAGE_ODOO_LOGIN and TRIAGE_ODOO_PASSWORD.")
    return OdooRpcTransport(access.url, access.db, access.login, secret, access.timeout)
