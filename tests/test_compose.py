"""What the containers of compose.yaml are told, and what not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

SERVICES: dict[str, Any] = yaml.safe_load((Path(__file__).parent.parent / "compose.yaml").read_text())["services"]
OURS = ("triage", "worker")


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_env_reaches_the_service_and_its_worker_save_what_only_fits_here(name: str) -> None:
    assert SERVICES[name]["env_file"] == [{"path": ".env", "required": False}]
    fixed = SERVICES[name]["environment"]
    assert fixed["TRIAGE_DATABASE_URL"].startswith("postgresql://") and fixed["TRIAGE_DATA_DIR"] == "/data"
    assert (fixed["TRIAGE_HOST"], fixed["TRIAGE_PORT"]) == ("0.0.0.0", "8000")
    assert fixed["TRIAGE_ODOO_URL"] == "${TRIAGE_ODOO_URL:-http://odoo:8069}"
    assert fixed["ODOO_DB_PASSWORD"] == ""


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_no_other_container_gets_a_secret_of_the_service(name: str) -> None:
    assert "env_file" not in SERVICES[name]
    told = set(SERVICES[name].get("environment", {}).values())
    assert not {value for value in told if "TRIAGE_" in value} - {"${TRIAGE_DB_PASSWORD:?set it in .env}"}
    assert name == "triage-db" or "${TRIAGE_DB_PASSWORD:?set it in .env}" not in told
