"""Who may call: API keys with scopes and sites, stored hashed; without any key, this machine only."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from extractors.message import Value
from triage.errors import Forbidden, Unauthorized
from triage.store.store import ApiKey, Store

SCOPES = ("ingest", "read", "feedback", "admin")
PREFIX = "dtk_"
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip")


class Caller(Value):
    """Whoever sent the request; `sites` is None for every site."""

    name: str
    scopes: tuple[str, ...]
    sites: tuple[str, ...] | None

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes

    def need(self, scope: str) -> None:
        """Raises Forbidden; `admin` may do everything."""
        if not self.may(scope):
            raise Forbidden(f"the key {self.name!r} lacks the scope {scope!r}; add a key that has it")

    def covers(self, site: str | None) -> bool:
        return self.sites is None or site in self.sites

    def need_site(self, site: str | None) -> None:
        """Raises Forbidden for a message of a site that the key does not cover."""
        if not self.covers(site):
            raise Forbidden(
                f"the key {self.name!r} covers the sites {', '.join(self.sites or ())}, not {site!r}", field="site"
            )


LOCAL = Caller(name="local", scopes=SCOPES, sites=None)


def make_key() -> tuple[str, str]:
    """A new key and the hash to store. The key has 256 random bits, so a plain fast hash keeps it safe."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, hash_key(key)


def hash_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def is_loopback(host: str | None) -> bool:
    if host in ("localhost", "testclient"):
        return True
    try:
        return ipaddress.ip_address((host or "").strip("[]")).is_loopback
    except ValueError:
        return False


def basic_user(headers: Mapping[str, str]) -> str | None:
    """The name that a person gave when the browser asked for a login; the key alone is what was checked."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name = base64.b64decode(credentials).decode().partition(":")[0]
    except (ValueError, binascii.Error):
        return None
    return " ".join(name.split())[:100] or None


def refuse_other_sites(headers: Mapping[str, str], public_url: str) -> None:
    """Raises Forbidden for a form that another web site has a browser send: it would send the login along.

    A browser says where a form comes from in Sec-Fetch-Site, an old one in Origin; what says neither is no browser
    with a form.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    own = {urlsplit(public_url).netloc, headers.get("host", "")}
    if site == "same-origin" or (site is None and origin is not None and urlsplit(origin).netloc in own):
        return
    raise Forbidden("a form is taken from this service's own pages only; open the page anew and send it again")


def identify(store: Store, key: str | None, client_host: str | None, headers: Mapping[str, str]) -> Caller:
    """Raises Unauthorized with what to do.

    Without any key set up only this machine is answered, and no web page that a browser on it has open: the Host
    must be loopback (no DNS rebinding) and the request must not come from another site. Nor is what a proxy passes on:
    whoever stands behind it would come from this machine.
    """
    if key:
        found: ApiKey | None = store.key(hash_key(key))
        if found is None:
            raise Unauthorized("the API key is unknown or revoked; send a valid one as 'Authorization: Bearer KEY'")
        return Caller(name=found.name, scopes=found.scopes, sites=found.sites)
    if store.has_keys():
        raise Unauthorized("an API key is needed; send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
    if passed_on := [name for name in PROXY_HEADERS if name in headers]:
        raise Unauthorized(
            f"no API key is set up, so what a proxy passes on ({passed_on[0]}) is refused; run 'triage keys add' first"
        )
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    if not (is_loopback(client_host) and is_loopback(host)):
        raise Unauthorized("no API key is set up, so only this machine is answered; run 'triage keys add' first")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Unauthorized("no API key is set up, so requests from other web sites are refused")
    return LOCAL
