"""Real servers for tests: `postgres_url` for a store, `odoo` for a whole Odoo 11.

Where Python 3.7 or PostgreSQL cannot be had, a test that asks for them is skipped with the reason; with `CI` set it
fails, because there they are promised. The first test that asks for `odoo` on a machine builds it (two minutes, kept
in ~/.cache/dispatch-triage-tests or TRIAGE_TEST_CACHE); after that it starts in seconds, and each test gets a clone
of a template database. Odoo serves one process at a time: tests that use it do not run in parallel.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import NoReturn

import pytest

from tests.integration.odoo.database import OdooDatabase, clone
from tests.integration.odoo.server import Missing, OdooServer, Postgres

BUILD_SECONDS = 1200


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "odoo_server" in getattr(item, "fixturenames", ()):  # any of them may be the first and have to build it
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL cluster: `url(db)`, `create(db)`, `drop(db)`, `connect(db)`, `stop()`, `start()`."""
    try:
        cluster = Postgres()
    except Missing as missing:
        _do_without(missing)
    yield cluster
    cluster.remove()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL (`postgresql://user:password@127.0.0.1:port/name`) of an empty database that this test alone uses."""
    name = f"test_{secrets.token_hex(6)}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def odoo_server(postgres: Postgres) -> Iterator[OdooServer]:
    """The Odoo process that all databases share; tests want `odoo`."""
    try:
        server = OdooServer(postgres)
    except Missing as missing:
        _do_without(missing)
    yield server
    server.remove()


@pytest.fixture
def odoo(odoo_server: OdooServer) -> Iterator[OdooDatabase]:
    """A running Odoo 11 with a database for this test alone; see `OdooDatabase` for what tests do with it."""
    with clone(odoo_server) as database:
        yield database


@pytest.fixture(scope="module")
def shared_odoo(odoo_server: OdooServer) -> Iterator[OdooDatabase]:
    """One for all tests of a module: saves the three seconds in which Odoo opens a database. They must not stop it."""
    with clone(odoo_server) as database:
        yield database


def _do_without(missing: Missing) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"needed in CI: {missing}", pytrace=False)
    pytest.skip(str(missing))
