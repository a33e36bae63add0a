"""How every command ends when it cannot go on, and where it gets its settings, the store and the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

if TYPE_CHECKING:
    from triage.runtime import Runtime
    from triage.settings import Settings
    from triage.store.store import Store


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


def read_settings() -> Settings:
    from triage.settings import Settings

    with configured():
        return Settings()


def open_store(settings: Settings) -> Store:
    from triage.store.database import create_engine, migrate
    from triage.store.files import Files
    from triage.store.store import Store

    engine = create_engine(settings.sqlalchemy_url)
    migrate(engine)
    return Store(engine, Files(settings.data_dir / "files"))


def build(settings: Settings) -> Runtime:
    from triage.runtime import Runtime

    with configured():
        return Runtime.build(settings)


def _unusable(what: str) -> typer.Exit:
    return fail(f"the configuration is not usable: {' '.join(what.split())}", 2)


def _told(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        setting = f"TRIAGE_{problem['loc'][0]}: ".upper() if problem["loc"] else ""
        yield setting + problem["msg"].removeprefix("Value error, ")
