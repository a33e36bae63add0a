"""What an Odoo server says of itself before any login: its version and its clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from triage.errors import OdooUnavailable
from triage.odoo.transport import status_error


@dataclass(frozen=True)
class Server:
    """`clock_ahead` in seconds, to the second; None where the server sent no date."""

    version: str
    major: int
    clock_ahead: float | None


def ask_server(url: str, timeout: float) -> Server:
    """`GET /web/version` (19 and newer), else `/web/webclient/version_info`. Raises OdooUnavailable."""
    with httpx.Client(base_url=url.rstrip("/"), timeout=timeout) as client:
        try:
            answer = client.get("/web/version")
            said = _json(answer)
            if "version" not in said:
                form = {"jsonrpc": "2.0", "method": "call", "params": {}}
                answer = client.post("/web/webclient/version_info", json=form)
                said = _json(answer).get("result") or {}
        except httpx.TransportError as error:
            text = f"Odoo cannot be reached at {url} ({type(error).__name__}); try again later."
            raise OdooUnavailable(text) from None
    version = str(said.get("version") or said.get("server_version") or "")
    major = re.search(r"\d+", version)
    if major is None:
        if answer.is_success:
            raise OdooUnavailable(f"What answers at {url} is not Odoo; check TRIAGE_ODOO_URL.")
        raise status_error(answer.status_code, "the question for its version")
    ahead = None
    if "date" in answer.headers:
        ahead = (parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)).total_seconds()
    return Server(version, int(major[0]), ahead)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json() if answer.is_success else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
