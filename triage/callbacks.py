"""Results posted to the address that came with the message: signed, to allowed hosts only, until they are taken.

A callback is a row that is written in the transaction which takes the message in; the worker claims those due. A
claim is a lease: when its worker dies, the next one posts again, under the same `webhook-id`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import logging
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import SplitResult, quote, urlsplit

import httpx

from extractors.message import Value
from triage.errors import BadInput
from triage.result import FINAL_STATES
from triage.settings import Settings
from triage.store.store import Callback, Store
from triage.telemetry import CALLBACKS

DELAYS = (1, 2, 5, 15, 60, 300, 1800)  # seconds; the last one repeats until TRIAGE_CALLBACK_HOURS are over
AT_ONCE = 8
SECONDS = 10.0  # for each wait on the network
TRY_SECONDS = 20.0  # for all of one try, so that it ends within its lease however slowly an answer drips
LEASE = timedelta(seconds=60)
MAX_ANSWER = 16 * 1024
WORTH_ANOTHER_TRY = frozenset({404, 408, 409, 425, 429})  # and every 5xx; an n8n that starts answers 404 for a while
PORTS = {"https": 443, "http": 80}

log = logging.getLogger(__name__)


class Answer(Value):
    """What came of one try."""

    end: Literal["delivered", "refused", "later"]
    error: str | None = None


def check_url(url: str, settings: Settings) -> SplitResult:
    """Raises BadInput for an address that no result is posted to, with what to do about it."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise BadInput("callback_url cannot be read as a URL", field="callback_url") from None
    schemes = ("https", "http") if settings.callback_private else ("https",)
    if parts.scheme not in schemes or not host:
        raise BadInput(f"callback_url must begin with {' or '.join(s + '://' for s in schemes)}", field="callback_url")
    if parts.username is not None or parts.password is not None or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise BadInput("callback_url must hold no user, password or white space", field="callback_url")
    allowed = {name.lower() for name in settings.callback_hosts}
    plain = port is None or port == PORTS[parts.scheme]
    if f"{host}:{port or PORTS[parts.scheme]}" not in allowed and not (plain and host in allowed):
        raise BadInput(
            "callback_url names a host that is not allowed; add it (with its port, unless it is the usual one) to"
            " TRIAGE_CALLBACK_HOSTS, or poll GET /v1/messages/{id}",
            field="callback_url",
        )
    return parts


def deliver(store: Store, settings: Settings, clock: Callable[[], datetime]) -> None:
    """Post what is due, several at once. Each ends as delivered, given up (with an audit line), or put off."""
    while due := store.claim_callbacks(AT_ONCE, clock(), LEASE):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda callback: _deliver(store, settings, clock, callback), due))


def _deliver(store: Store, settings: Settings, clock: Callable[[], datetime], callback: Callback) -> None:
    now = clock()
    result = store.get(callback.message_id)
    if result.state not in FINAL_STATES:  # put back to work since the claim: it is posted once that is done
        return
    answer = post(callback, result.model_dump_json().encode(), settings, now)
    CALLBACKS.labels(answer.end).inc()
    over = now - callback.created_at >= timedelta(hours=settings.callback_hours)
    if answer.end == "delivered":
        store.end_callback(callback, "delivered", None, clock())
    elif answer.end == "refused" or over:
        log.warning("a callback is given up", extra={"message_id": callback.message_id, "problem": answer.error})
        store.end_callback(callback, "given_up", answer.error, clock())
    else:
        delay = timedelta(seconds=DELAYS[min(callback.attempt, len(DELAYS)) - 1])
        store.put_off_callback(callback, answer.error or "", clock() + delay)


def post(callback: Callback, body: bytes, settings: Settings, now: datetime) -> Answer:
    """One try. The connection goes to the very address that was checked, whatever the name resolves to next."""
    try:
        parts = check_url(callback.url, settings)
    except BadInput as error:  # the settings have changed since
        return Answer(end="refused", error=error.message)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return Answer(end="later", error=f"the host of callback_url is unknown: {error}")
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not settings.callback_private and not all(map(is_public, addresses)):
        text = "callback_url leads to a private address; set TRIAGE_CALLBACK_PRIVATE=true if that is meant"
        return Answer(end="refused", error=text)
    if settings.callback_secret is None:
        return Answer(end="refused", error="TRIAGE_CALLBACK_SECRET is not set")
    headers = sign(f"{callback.id}-{int(callback.created_at.timestamp())}", body, settings, now)
    headers |= {"Host": parts.netloc, "Content-Type": "application/json", "User-Agent": "dispatch-triage"}
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    path = quote(target, safe="".join(map(chr, range(33, 127)))).encode()  # a plain URL stays as it is

    async def send() -> Answer:
        problem = ""
        async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as client:
            for address in dict.fromkeys(addresses):
                literal = f"[{address}]" if address.version == 6 else str(address)
                url = httpx.URL(f"{parts.scheme}://{literal}:{port}").copy_with(raw_path=path)
                named = {"sni_hostname": host}
                try:
                    async with client.stream("POST", url, content=body, headers=headers, extensions=named) as response:
                        return judge(response.status_code, await _beginning(response))
                except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                    problem = f"{type(error).__name__}: {error}"[:500]
                except httpx.HTTPError as error:
                    return Answer(end="later", error=f"{type(error).__name__}: {error}"[:500])
        return Answer(end="later", error=problem)

    try:
        return asyncio.run(asyncio.wait_for(send(), TRY_SECONDS))
    except TimeoutError:
        return Answer(end="later", error=f"it did not answer within {TRY_SECONDS:g} s")


async def _beginning(response: httpx.Response) -> str:
    text = b""
    async for chunk in response.aiter_raw(4096):
        text += chunk
        if len(text) >= MAX_ANSWER:
            break
    return text[:MAX_ANSWER].decode("utf-8", "replace")


def judge(status: int, text: str) -> Answer:
    """n8n's Wait node says 409 in two ways: it runs still (later), or has what it waited for (delivered)."""
    if 200 <= status < 300 or (status == 409 and "finished already" in text):
        return Answer(end="delivered")
    if 300 <= status < 400:
        return Answer(end="refused", error=f"it answered {status}; redirects are not followed, give the final address")
    later = status >= 500 or status in WORTH_ANOTHER_TRY
    return Answer(end="later" if later else "refused", error=f"it answered {status}: {' '.join(text.split())[:300]}")


def sign(webhook_id: str, body: bytes, settings: Settings, now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks, symmetric form v1."""
    secret = settings.callback_secret.get_secret_value() if settings.callback_secret else ""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    timestamp = str(int(now.timestamp()))
    digest = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it is an address of the open internet, also beneath the forms in which IPv6 wraps an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in ipaddress.IPv6Network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast
