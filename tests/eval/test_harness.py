"""What a run keeps, makes again and leaves behind, with a product that stands in for the real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eval.run import Suite, read_manifest, run
from tests.eval.rows import StandIn
from triage.settings import Settings


def write(folder: Path, *cases: dict[str, Any]) -> Path:
    path = folder / "cases.jsonl"
    lines = ({"id": str(i), "message": {"text": "Late."}, "label": "damage"} | c for i, c in enumerate(cases))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def start(dataset: Path, out: Path, product: Any = None, settings: Any = None, **more: Any) -> dict[str, Any]:
    suite = Suite(dataset=dataset, baselines=more.pop("baselines", ()), draws=20)
    return run(suite, out, settings=settings or Settings(_env_file=None), product=product or StandIn(), **more)


def test_a_label_that_was_mended_is_measured_and_its_neighbours_are_not_run_again(tmp_path: Path) -> None:
    start(write(tmp_path, {}, {}), tmp_path / "run")
    metrics = start(write(tmp_path, {"label": "status_update"}, {}), tmp_path / "run")
    assert metrics["accuracy"]["value"] == 0.5
    assert read_manifest(tmp_path / "run")["cases"]["run_now"] == 1
