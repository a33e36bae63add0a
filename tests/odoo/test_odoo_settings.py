from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from triage import runtime
from triage.odoo.connect import connect, odoo_access
from triage.odoo.json2 import Json2Transport
from triage.odoo.setup import Bot, Setup
from triage.settings import Settings

WHERE: dict[str, Any] = {"odoo_url": "http://127.0.0.1:1", "odoo_db": "prod"}
LOGIN: dict[str, Any] = {"odoo_login": "bot", "odoo_password": "secret"}
KEY: dict[str, Any] = {"odoo_api_key": "0123"}


@pytest.mark.parametrize("given", [{}, WHERE | LOGIN, WHERE | KEY, WHERE | LOGIN | KEY])
def test_a_login_or_a_key_is_enough_and_nothing_is_asked_of_odoo_yet(given: dict[str, Any]) -> None:
    settings = Settings(_env_file=None, **given)
    assert settings.odoo_configured is bool(given)
    if given:
        connect(odoo_access(settings))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (WHERE, "TRIAGE_ODOO_LOGIN"),
        (KEY, "TRIAGE_ODOO_URL"),
        (WHERE | {"odoo_login": "bot"}, "TRIAGE_ODOO_PASSWORD"),
        (WHERE | LOGIN | {"odoo_transport": "json2"}, "TRIAGE_ODOO_API_KEY"),
        (WHERE | KEY | {"odoo_transport": "rpc"}, "TRIAGE_ODOO_LOGIN"),
    ],
)
def test_what_is_missing_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Settings(_env_file=None, **given)


def test_an_error_in_the_settings_shows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="TRIAGE_ODOO_LOGIN") as shown:
        Settings(_env_file=None, **WHERE, odoo_password="hunter2-secret")
    assert "hunter2" not in str(shown.value)
    monkeypatch.setenv("TRIAGE_ODOO_PASSWORD_FILE", str(tmp_path / "nothing"))
    with pytest.raises(ValueError, match=r"TRIAGE_ODOO_PASSWORD_FILE: .*nothing cannot be read \(No such file"):
        Settings(_env_file=None)


def test_a_file_may_hold_a_list_and_an_empty_one_sets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").write_text('["stock.picking"]\n')
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("TRIAGE_ODOO_DOCUMENT_MODELS_FILE", str(tmp_path / "models"))
    monkeypatch.setenv("TRIAGE_RETENTION_DAYS_FILE", str(tmp_path / "empty"))
    settings = Settings(_env_file=None)
    assert (settings.odoo_document_models, settings.retention_days) == (("stock.picking",), None)


def test_the_transport_of_the_settings_is_the_one_that_is_used() -> None:
    settings = Settings(_env_file=None, **WHERE, **KEY, odoo_transport="json2")
    assert isinstance(connect(odoo_access(settings)), Json2Transport)
    assert "0123" not in repr(settings)


@pytest.mark.parametrize(
    ("public", "begins"),
    [(None, "http://127.0.0.1:1/odoo/"), ("https://odoo.example.com/", "https://odoo.example.com/odoo/")],
)
def test_links_lead_to_the_address_at_which_people_reach_odoo(
    public: str | None, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "ask_server", lambda *_: SimpleNamespace(major=18))
    settings = Settings(_env_file=None, **WHERE, **LOGIN, odoo_public_url=public)
    _, publisher, _ = runtime.connect_odoo(settings)
    assert publisher._link("stock.picking", 42) == f"{begins}stock.picking/42"
    assert odoo_access(settings).url == WHERE["odoo_url"], "the service itself goes on with its own"


class Users:
    """An Odoo in which an earlier set-up made one bot and the dispatchers' own service user has too many rights."""

    uid = 2

    def __init__(self) -> None:
        self.written: list[tuple[str, Any]] = []

    def call(self, model: str, method: str, args: Any, options: Any) -> Any:
        bot = {"id": 8, "login": "dispatch-triage", "groups_id": [1, 20], "active": True, "partner_id": [80, "p"]}
        other = {"id": 9, "login": "odoo-svc", "groups_id": [1, 50], "active": True, "partner_id": [90, "p"]}
        if method == "fields_get":
            return {field: {} for field in ("login", "groups_id", "active", "partner_id")}
        if method != "search_read":
            self.written.append((method, args))
            return True
        if model == "ir.model.data" and ("module", "=", "base") in options["domain"]:
            return [{"id": 1, "res_id": 1}]
        if model == "ir.model.data":
            return [{"id": 1, "name": "bot", "model": "res.users", "res_id": 8}]
        if model == "res.groups":
            return [{"id": number, "implied_ids": []} for number in (1, 20, 50)]
        ((field, _, value),) = options["domain"] or [("id", "=", 0)]
        return [user for user in (bot, other) if model == "res.users" and user[field] == value]


def test_take_over_takes_the_named_user_though_an_earlier_set_up_made_another() -> None:
    odoo = Users()
    Setup(odoo, "http://odoo.example")._bot(Bot("odoo-svc", take_over=True), 20)
    assert odoo.written == [("write", ([9], {"groups_id": [(6, 0, [1, 20])]}))]
