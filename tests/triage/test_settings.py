"""Settings as an operator writes them, in the environment and in `.env`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from triage.cli import app
from triage.settings import Settings

DEFAULTS = Settings(_env_file=None)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("in_file", [False, True])
def test_an_empty_setting_is_one_that_is_not_set(in_file: bool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"TRIAGE_{name.upper()}" for name in Settings.model_fields]
    if in_file:
        (folder / ".env").write_text("".join(f"{name}=\n" for name in names))
    else:
        for name in names:
            monkeypatch.setenv(name, "")
    assert Settings() == DEFAULTS.model_copy(update={"llm_temperature": None})


def test_what_config_show_prints_is_an_env_file_with_the_same_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_LLM_TEMPERATURE", "")
    monkeypatch.setenv("TRIAGE_ODOO_DOCUMENT_MODELS", '["stock.picking", "documents.document"]')
    monkeypatch.setenv("TRIAGE_CALLBACK_PRIVATE", "yes")
    in_force = Settings()
    shown = CliRunner().invoke(app, ["config", "show"])
    assert shown.exit_code == 0, shown.output
    for name in ("LLM_TEMPERATURE", "ODOO_DOCUMENT_MODELS", "CALLBACK_PRIVATE"):
        monkeypatch.delenv(f"TRIAGE_{name}")
    (folder / ".env").write_text(shown.stdout)
    assert Settings() == in_force


def test_a_file_with_a_secret_may_be_named_in_the_env_file(folder: Path) -> None:
    (folder / "password").write_text("hunter2\n")
    (folder / "key").write_text("0123\n")
    (folder / ".env").write_text(
        "TRIAGE_ODOO_URL=http://127.0.0.1:1\nTRIAGE_ODOO_DB=prod\nTRIAGE_ODOO_LOGIN=bot\n"
        "TRIAGE_ODOO_PASSWORD=\nTRIAGE_ODOO_PASSWORD_FILE=password\nTRIAGE_ODOO_API_KEY_FILE=key\n"
    )
    settings = Settings()
    assert settings.odoo_password and settings.odoo_password.get_secret_value() == "hunter2"
    assert settings.odoo_api_key and settings.odoo_api_key.get_secret_value() == "0123"
