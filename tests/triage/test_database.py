"""The tables come to the newest revision whole or not at all, whatever dies meanwhile, also when several begin."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from triage.store.database import create_engine, migrate
from triage.store.tables import metadata


def test_a_migration_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'triage.sqlite3'}"
    engine, made = create_engine(url), 0

    @sa.event.listens_for(engine, "before_cursor_execute")
    def die(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        nonlocal made
        made += statement.lstrip().startswith("CREATE TABLE")
        if made == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(engine)
    engine.dispose()
    engine = create_engine(url)
    migrate(engine)
    assert set(sa.inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_several_may_begin_at_once(tmp_path: Path) -> None:
    engines = [create_engine(f"sqlite:///{tmp_path / 'triage.sqlite3'}") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, engines))
    for engine in engines:
        engine.dispose()


def test_none_that_opens_the_file_first_is_turned_away_by_another(tmp_path: Path) -> None:
    def opened(engine: sa.Engine) -> str:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())

    for n in range(40):
        engines = [create_engine(f"sqlite:///{tmp_path / f'{n}.sqlite3'}") for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            assert list(pool.map(opened, engines)) == ["wal"] * 6
        for engine in engines:
            engine.dispose()
