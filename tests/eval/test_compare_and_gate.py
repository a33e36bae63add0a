"""Two runs beside each other, and a run before its gates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.compare import as_text, compare
from eval.gate import Gates, check
from eval.metrics import load_costs
from eval.run import RunError, score
from tests.eval.rows import LABELS, a_row
from tests.eval.rows import found as values
from triage.cli import app

runner = CliRunner()


def a_run(folder: Path, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir()
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "predictions.jsonl").write_text(text, encoding="utf-8")
    manifest = {
        "started_at": "2026-11-23T08:00:00+00:00",
        "arguments": {"given": {}, "defaulted": {}},
        "code": {"revision": None, "dirty": None, "sha256": "0" * 64},
        "dataset": {"name": "d.jsonl", "sha256": "0" * 64, "datasheet": None, "splits": {}, "split": "test"},
        "versions": {"bundle": "b", "policy": "p", "extractor": "e", "taxonomy": "1"},
        "labels": LABELS,
        "packages": {},
        "machine": {"python": "3.11", "cores": 2, "system": "x"},
        "settings": {"workers": 1},
        "scoring": {"seed": 1, "draws": 400, "costs": load_costs(), "slices": None},
        "cases": {"selected": len(rows), "run_now": 0, "kept": 0, "kept_from_other_versions": 0},
        "timing": {"seconds": 1.0},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "baselines.json").write_text("{}", encoding="utf-8")
    score(folder)
    return folder


def rows(right: range, n: int = 200, **more: Any) -> list[dict[str, Any]]:
    """Of `n` cases those in `right` are right; half of the cases are German."""
    return [
        a_row(
            i, "damage", "damage" if i in right else "transit_delay", slices={"lang": "de" if i % 2 else "en"}, **more
        )
        for i in range(n)
    ]


def test_a_plain_gain_is_better_with_what_was_fixed_and_broken(tmp_path: Path) -> None:
    found = compare(a_run(tmp_path / "a", rows(range(10, 110))), a_run(tmp_path / "b", rows(range(14, 150))))
    assert found["verdict"] == "better"
    assert found["broken"] == [f"case-{i:04}" for i in range(10, 14)]
    assert len(found["fixed"]) == 40
    accuracy = found["measures"]["accuracy"]
    assert accuracy["difference"]["value"] == pytest.approx(36 / 200)
    # 44 differ: the standard error is sqrt(44/200 - 0.18^2) / sqrt(200) = 0.0306, so 2.8 times it could be shown.
    assert accuracy["smallest_detectable"] == pytest.approx(2.8 * 0.0306, rel=0.1)
    assert {entry["value"]: entry["verdict"] for entry in found["slices"]}["de"] == "better"


def test_a_gain_that_chance_could_give_is_tied(tmp_path: Path) -> None:
    found = compare(a_run(tmp_path / "a", rows(range(100))), a_run(tmp_path / "b", rows(range(103))))
    assert found["verdict"] == "tied"
    assert found["measures"]["accuracy"]["mcnemar_p"] == pytest.approx(0.25)


@pytest.mark.parametrize(("broken", "verdict"), [(5, "tied"), (6, "worse")])
def test_no_measure_calls_worse_what_so_few_cases_cannot_tell(tmp_path: Path, broken: int, verdict: str) -> None:
    before, after = (rows(range(n), route="activity", expected={"route": "activity"}) for n in (150, 150 - broken))
    found = compare(a_run(tmp_path / "a", before), a_run(tmp_path / "b", after))
    assert {found["verdict"], *(entry["verdict"] for entry in found["measures"].values())} == {verdict}
    assert set(found["measures"]) == {"accuracy", "macro_f1", "routing.utility"}


def test_only_cases_that_both_could_run_and_that_mean_the_same_are_compared(tmp_path: Path) -> None:
    first, second = rows(range(50), 60), rows(range(50), 60)
    first[0] = first[0] | {"scored": False, "unscored_reason": "refused: x"}
    second[1]["expected"]["label"] = "status_update"
    found = compare(a_run(tmp_path / "a", first), a_run(tmp_path / "b", second[:-1]))
    assert found["cases"] == {
        "shared": 57,
        "only_in_a": 1,
        "only_in_b": 0,
        "not_run_in_one": 1,
        "labelled_differently": 1,
    }
    with pytest.raises(RunError, match="share no labelled case"):
        compare(tmp_path / "a", a_run(tmp_path / "c", [a_row(900, "damage", "damage")]))


def documents(right: range, wanted: dict[str, list[str]] | None, **more: Any) -> list[dict[str, Any]]:
    expected = {"label": None, "fields": wanted}
    return [
        a_row(i, "", "", label=None, expected=expected, fields={"bol": values("B-1" if i in right else "B-2")}, **more)
        for i in range(60)
    ]


def test_documents_that_have_no_label_are_compared_by_their_fields(tmp_path: Path) -> None:
    before = a_run(tmp_path / "a", documents(range(20), {"bol": ["B-1"]}))
    found = compare(before, a_run(tmp_path / "b", documents(range(50), {"bol": ["B-1"]})))
    assert (found["verdict"], found["cases"]["shared"], found["cases"]["not_run_in_one"]) == ("better", 60, 0)
    assert list(found["measures"]) == ["fields.micro_f1"]
    assert "BETTER" in as_text(found) and "McNemar" not in as_text(found)


@pytest.mark.parametrize("mended", [None, {}, {"bol": ["B-2"]}])
def test_fields_that_were_labelled_differently_are_no_gain_of_the_product(tmp_path: Path, mended: Any) -> None:
    """With labels, so that something is left to compare."""
    first, second = (
        [row | {"label": "damage", "expected": row["expected"] | {"label": "damage"}} for row in documents(range(0), w)]
        for w in ({"bol": ["B-1"]}, mended)
    )
    found = compare(a_run(tmp_path / "a", first), a_run(tmp_path / "b", second))
    assert "fields.micro_f1" not in found["measures"]
    assert "TIED" in as_text(found)


def test_a_policy_that_expects_less_of_itself_saves_nothing(tmp_path: Path) -> None:
    """It ignores what went to approval, and expects so."""
    before, after = (rows(range(60), 60, route=route, expected={"route": route}) for route in ("approval", "ignore"))
    found = compare(a_run(tmp_path / "a", before), a_run(tmp_path / "b", after))
    assert found["measures"]["routing.utility"]["verdict"] == "worse"


def test_many_slices_make_no_discovery_of_chance(tmp_path: Path) -> None:
    """Six fixed in one slice of 35 is p = 0.03 by itself, and not among eight slices."""
    before = [a_row(i, "damage", "damage", slices={"source": f"s{i // 35}"}) for i in range(280)]
    after = [dict(row) for row in before]
    for i in range(6):
        before[i]["label"] = "transit_delay"
    found = compare(a_run(tmp_path / "a", before), a_run(tmp_path / "b", after))
    by_slice = {entry["value"]: entry for entry in found["slices"]}
    assert by_slice["s0"]["p"] == pytest.approx(2 / 2**6)
    assert by_slice["s0"]["p_adjusted"] > 0.05
    assert by_slice["s0"]["verdict"] == "tied"


def test_a_gate_fails_with_status_one_and_says_what(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", rows(range(120)))
    gates = tmp_path / "gates.yaml"
    gates.write_text("version: '1'\nfloors: {accuracy: 0.5}\nceilings: {cases.unscored_share: 0.0}", encoding="utf-8")
    assert runner.invoke(app, ["eval", "gate", str(run), "--gates", str(gates)]).exit_code == 0
    gates.write_text("version: '1'\nfloors: {accuracy: {bound: 0.59, end: low}}", encoding="utf-8")
    answer = runner.invoke(app, ["eval", "gate", str(run), "--gates", str(gates)])
    assert answer.exit_code == 1
    assert "FAILED" in answer.output and "accuracy" in answer.output


def test_what_is_not_measured_does_not_pass_a_gate_unless_it_is_optional(tmp_path: Path) -> None:
    run, gates = a_run(tmp_path / "run", rows(range(120))), tmp_path / "gates.yaml"
    gates.write_text("version: '1'\nfloors: {fields.micro_f1: 0.1}", encoding="utf-8")
    assert runner.invoke(app, ["eval", "gate", str(run), "--gates", str(gates)]).exit_code == 1
    gates.write_text("version: '1'\nfloors: {fields.micro_f1: {bound: 0.1, optional: true}}", encoding="utf-8")
    assert runner.invoke(app, ["eval", "gate", str(run), "--gates", str(gates)]).exit_code == 0
    gates.write_text("version: '1'\nflores: {}", encoding="utf-8")
    assert runner.invoke(app, ["eval", "gate", str(run), "--gates", str(gates)]).exit_code == 2


def test_a_gate_with_a_baseline_fails_on_a_regression_and_not_on_noise(tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("version: '1'\nno_regression: [accuracy]", encoding="utf-8")
    main = a_run(tmp_path / "main", rows(range(150)))
    for name, right, status in (("noise", range(149), 0), ("worse", range(120), 1)):
        run = a_run(tmp_path / name, rows(right))
        arguments = ["eval", "gate", str(run), "--gates", str(gates), "--baseline", str(main)]
        assert runner.invoke(app, arguments).exit_code == status, name


@pytest.mark.parametrize(("shared", "passed"), [(179, False), (180, True)])
def test_a_baseline_of_other_cases_lets_nothing_pass(tmp_path: Path, shared: int, passed: bool) -> None:
    main, run = a_run(tmp_path / "main", rows(range(shared), shared)), a_run(tmp_path / "run", rows(range(200)))
    found = {c.measure: c for c in check(Gates(version="1"), run, main)}
    assert (found["shared cases"].found, found["shared cases"].passed) == (f"{shared} of 200", passed)


def test_a_loss_in_one_group_has_no_interval_and_does_not_pass(tmp_path: Path) -> None:
    main, run = (a_run(tmp_path / name, rows(range(n), group="g")) for name, n in (("main", 200), ("run", 10)))
    gates = Gates(version="1", no_regression=("accuracy",))
    found = {c.measure: c for c in check(gates, run, main)}
    assert not found["accuracy"].passed and "no interval" in found["accuracy"].found


def test_the_packaged_gates_can_be_read(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run", rows(range(200)))
    answer = runner.invoke(app, ["eval", "gate", str(run), "--json"])
    assert {check["measure"] for check in json.loads(answer.output)} >= {"accuracy", "ece", "latency_ms.p95"}
