"""What CI holds the product to on every change: a small run of the real data through the real models, and its gate."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from triage.cli import app

SUITES = Path(__file__).parent.parent.parent / "eval" / "suites"


def test_the_product_passes_the_small_gate_and_a_stricter_one_fails(tmp_path: Path) -> None:
    out, gates = tmp_path / "small", SUITES / "small_gates.yaml"
    run = ["eval", "run", "--suite", str(SUITES / "small.yaml"), "--limit", "40", "--baselines", "none"]
    answer = CliRunner().invoke(app, [*run, "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    answer = CliRunner().invoke(app, ["eval", "gate", str(out), "--gates", str(gates)])
    assert answer.exit_code == 0, answer.output

    (tmp_path / "strict.yaml").write_text("version: '1'\nfloors: {accuracy: 1.0}\n")
    answer = CliRunner().invoke(app, ["eval", "gate", str(out), "--gates", str(tmp_path / "strict.yaml"), "--json"])
    assert answer.exit_code == 1
    assert [c["passed"] for c in json.loads(answer.stdout)] == [False]
