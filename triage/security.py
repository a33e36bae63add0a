"""Who may call: API keys with scopes and sites, stored hashed; without any key, this machine only."""

from __future__ import annotations

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


class Caller(Value):
    """Whoever sent the request; `sites` is None for every site."""

    name: str
    scopes: tuple[str, ...]
    sites: tuple[str, ...] | None

    def need(self, scope: str) -> None:
        """Raises Forbidden; `admin` may do everything."""
        if scope not in self.scopes and "admin" not in self.scopes:
            raise Forbidden(f"the key {self.name!r} lacks the scope {scope!r}; add a key that has it")

    def need_site(self, site: str | None) -> None:
        """Raises Forbidden for a message of a site that the key does not cover."""
        if self.sites is not None and site not in self.sites:
            raise Forbidden(
                f"the key {self.name!r} covers the sites {', '.join(self.sites)}, not {site!r}", field="site"
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


def identify(store: Store, key: str | None, client_host: str | None, headers: Mapping[str, str]) -> Caller:
    """Raises Unauthorized with what to do.

    Without any key set up only this machine is answered, and no web page that a browser on it has open: the Host
    must be loopback (no DNS rebinding) and the request must not come from another site.
    """
    if key:
        found: ApiKey | None = store.key(hash_key(key))
        if found is None:
            raise Unauthorized("the API key is unknown or revoked; send a valid one as 'Authorization: Bearer KEY'")
        return Caller(name=found.name, scopes=found.scopes, sites=found.sites)
    if store.has_keys():
        raise Unauthorized("an API key is needed; send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    if not (is_loopback(client_host) and is_loopback(host)):
        raise Unauthorized("no API key is set up, so only this machine is answered; run 'triage keys add' first")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Unauthorized("no API key is set up, so requests from other web sites are refused")
    return LOCAL
