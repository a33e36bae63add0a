"""How every command ends when it cannot go on, and where it gets its settings, the store and the service."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

if TYPE_CHECKING:
    from triage.runtime import Runtime
    from triage.settings import Settings
    from triage.store.store import Store


ASK_AGAIN_SECONDS = 5.0
SAY_AGAIN = 12  # one line a minute

log = logging.getLogger(__name__)


def fail(message: object, status: int = 1) -> typer.Exit:
    typer.echo(f"triage: {message}", err=True)
    return typer.Exit(status)


@contextmanager
def configured() -> Iterator[None]:
    """What is raised inside is the fault of a setting, the policy or a bundle: one line and exit status 2."""
    try:
        yield
    except ValidationError as error:
        raise _unusable("; ".join(_told(error))) from error
    except SettingsError as error:
        setting = str(error).split('"')[1].upper()
        raise _unusable(f'TRIAGE_{setting}: it must be a JSON list, such as ["one", "two"]') from error
    except (OSError, ValueError, RuntimeError) as error:
        raise _unusable(str(error)) from error


@contextmanager
def with_database() -> Iterator[None]:
    """A database that is down, or refuses us, is one line and exit status 1."""
    try:
        yield
    except sa.exc.OperationalError as error:
        text = f"the database cannot be used ({_reason(error)}); look after it, or mend TRIAGE_DATABASE_URL"
        raise fail(text) from error


def await_database(settings: Settings) -> None:
    """What runs for long waits for PostgreSQL, which may be up later than we are; a line a minute says for what."""
    from triage.store.database import create_engine

    if not settings.database_url:
        return
    engine, tries = create_engine(settings.sqlalchemy_url), 0
    while True:
        try:
            engine.connect().close()
            break
        except sa.exc.OperationalError as error:
            if tries % SAY_AGAIN == 0:
                text = "the database does not answer, trying again; if it is up, mend TRIAGE_DATABASE_URL"
                log.warning(text, extra={"problem": _reason(error)})
            tries += 1
            time.sleep(ASK_AGAIN_SECONDS)
    engine.dispose()


def read_settings() -> Settings:
    from triage.settings import Settings

    with configured():
        return Settings()


def open_store(settings: Settings) -> Store:
    from triage.store.database import create_engine, migrate
    from triage.store.files import Files
    from triage.store.store import Store

    with with_database():
        engine = create_engine(settings.sqlalchemy_url)
        migrate(engine)
    return Store(engine, Files(settings.data_dir / "files"))


def build(settings: Settings) -> Runtime:
    from triage.runtime import Runtime

    with configured(), with_database():
        return Runtime.build(settings)


def start(runtime: Runtime) -> None:
    from triage.engine import AlreadyRunning

    try:
        with with_database():
            runtime.start()
    except AlreadyRunning as error:
        raise fail(str(error)) from error


def _reason(error: sa.exc.OperationalError) -> str:
    return str(error.orig).strip().partition("\n")[0]


def _unusable(what: str) -> typer.Exit:
    return fail(f"the configuration is not usable: {' '.join(what.split())}", 2)


def _told(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        setting = f"TRIAGE_{problem['loc'][0]}: ".upper() if problem["loc"] else ""
        yield setting + problem["msg"].removeprefix("Value error, ")
