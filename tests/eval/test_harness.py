"""What a run keeps, makes again and leaves behind, with a product that stands in for the real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from classifiers.embedding import Encoder
from eval import product as products
from eval import run as runs
from eval.gate import Gates, check, load_gates
from eval.product import Product
from eval.run import RunError, Suite, read_manifest, read_rows, run
from extractors.limits import Limits
from tests.eval.rows import StandIn
from tests.eval.test_thresholds import a_policy
from triage.settings import Settings


def write(folder: Path, *cases: dict[str, Any]) -> Path:
    path = folder / "cases.jsonl"
    lines = ({"id": str(i), "message": {"text": "Late."}, "label": "damage"} | c for i, c in enumerate(cases))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def start(dataset: Path, out: Path, product: Any = None, settings: Any = None, **more: Any) -> dict[str, Any]:
    suite = Suite(dataset=dataset, baselines=more.pop("baselines", ()), draws=20)
    stand_in: Any = product or StandIn()
    return run(suite, out, settings=settings or Settings(_env_file=None), product=stand_in, **more)


def test_a_label_that_was_mended_is_measured_and_its_neighbours_are_not_run_again(tmp_path: Path) -> None:
    start(write(tmp_path, {}, {}), tmp_path / "run")
    metrics = start(write(tmp_path, {"label": "status_update"}, {}), tmp_path / "run")
    assert metrics["accuracy"]["value"] == 0.5
    assert read_manifest(tmp_path / "run")["cases"]["run_now"] == 1


@pytest.mark.parametrize("only_failed", [False, True])
def test_a_case_that_the_language_model_did_not_answer_is_told_and_run_again(tmp_path: Path, only_failed: bool) -> None:
    product = StandIn()
    answer = product.answer

    def away(case: Any, *more: Any, **named: Any) -> dict[str, Any]:
        problems = ["llm_unavailable"] if case.id == "0" else []
        return answer(case, *more, **named) | {"llm_use": {"problems": problems}}

    product.answer = away  # type: ignore[method-assign]
    dataset, out = write(tmp_path, {}, {}), tmp_path / "run"
    assert start(dataset, out, product)["cases"]["llm_unanswered"] == 1
    assert "gave no answer in 1 cases" in (out / "report.md").read_text(encoding="utf-8")
    assert start(dataset, out, only_failed=only_failed)["cases"]["llm_unanswered"] == 0
    assert read_manifest(out)["cases"]["run_now"] == 1


def test_no_question_is_asked_before_the_first_case_is_measured(tmp_path: Path) -> None:
    product, asked = StandIn(), []
    answer = product.answer

    def noted(case: Any, *more: Any, consult: bool = True, **named: Any) -> dict[str, Any]:
        asked.append((case.id, consult))
        return answer(case, *more, **named)

    product.answer = noted  # type: ignore[method-assign]
    start(write(tmp_path, {}), tmp_path / "run", product)
    assert asked == [("0", False), ("0", True)]


def test_half_an_emoji_in_what_was_expected_ends_no_run(tmp_path: Path) -> None:
    half = {"fields": {"bol": ["7 \ud83d"]}, "label": "status_update"}
    assert start(write(tmp_path, half), tmp_path / "run")["fields"]["micro_f1"]["value"] == 0.0
    assert read_rows(tmp_path / "run")[0]["expected"]["fields"] == {"bol": ["7 \ud83d"]}
    assert "7 \\ud83d" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_the_report_counts_all_groups_and_all_fields_that_differ(tmp_path: Path) -> None:
    """Of cases that have no label, too."""
    asked = {"label": None, "fields": {"bol": ["B-1"]}}
    dataset = write(tmp_path, *({**asked, "group": f"g{i // 2}"} for i in range(220)))
    start(dataset, tmp_path / "run")
    assert "220 cases in 110 groups" in (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "220 cases in 110 groups" in html and "220, the first 200 of them here" in html


def test_a_run_that_was_stopped_leaves_no_figures_of_the_one_before(tmp_path: Path) -> None:
    product = StandIn()
    start(write(tmp_path, {}), tmp_path / "run", product)
    passes = {"floors": {"accuracy": {"bound": 0.1}}, "version": "1"}
    assert check(Gates.model_validate(passes), tmp_path / "run")[0].passed

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    product.answer = stopped  # type: ignore[method-assign, assignment]
    product.versions |= {"bundle": "another"}
    with pytest.raises(KeyboardInterrupt):
        start(write(tmp_path, {}), tmp_path / "run", product)
    with pytest.raises(RunError, match="make it with"):
        check(Gates.model_validate(passes), tmp_path / "run")


def test_the_packaged_gates_let_no_answers_of_other_code_and_no_attack_that_crashes_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    start(write(tmp_path, {}), out)
    monkeypatch.setattr(runs, "code_sha256", lambda: "worse code")
    start(write(tmp_path, {}), out, only_failed=True)
    manifest = read_manifest(out)
    attack = {"code": "worse code", "versions": manifest["versions"], "unscored": 1}
    (out / "redteam.json").write_text(json.dumps(attack), encoding="utf-8")
    failed = {c.measure for c in check(load_gates(), out) if not c.passed}
    assert failed >= {"cases.kept_from_other_versions", "attack.unscored"}


def test_rows_of_other_versions_give_no_thresholds_for_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    start(write(tmp_path, {}), out)
    assert (out / "thresholds.json").exists()
    monkeypatch.setattr(runs, "code_sha256", lambda: "other code")
    start(write(tmp_path, {}), out, only_failed=True)
    assert not (out / "thresholds.json").exists()


def test_what_could_change_a_row_makes_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(**more: Any) -> int:
        start(write(tmp_path, {}), tmp_path / "run", **more)
        return int(read_manifest(tmp_path / "run")["cases"]["kept"])

    settings = Settings(_env_file=None, llm_url="http://127.0.0.1:1/v1", llm_model="m")
    assert (kept(settings=settings), kept(settings=settings)) == (0, 1)
    for name, value in (("llm_tasks", ("extract",)), ("llm_url", "http://127.0.0.1:2/v1"), ("llm_temperature", 1.0)):
        settings = settings.model_copy(update={name: value})
        assert (name, kept(settings=settings), kept(settings=settings)) == (name, 0, 1)
    product = StandIn()
    product.limits = Limits(max_ocr_pages=0)
    assert kept(settings=settings, product=product) == 0
    monkeypatch.setattr(runs, "_packages", lambda: {"pypdfium2": "another"})
    assert kept(settings=settings) == 0


def test_what_makes_and_reads_a_row_is_in_the_hash_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = set()
    monkeypatch.setattr(products, "ROOT", tmp_path)
    (tmp_path / "eval").mkdir()
    for name in ("product.py", "datasets.py"):
        for text in ("a = 1", "a = 2"):
            (tmp_path / "eval" / name).write_text(text)
            hashes.add(products.code_sha256())
    assert len(hashes) == 3 + 1


def test_a_run_is_named_by_thresholds_too_and_by_no_model_that_it_did_not_ask(tmp_path: Path, encoder: Encoder) -> None:
    hashes = set()
    for n in (1, 2):
        policy = a_policy(tmp_path, n=n)
        settings = Settings(_env_file=None, policy_file=tmp_path / "policy.yaml").model_copy(update={"llm_model": "m"})
        with Product(settings, encoder) as product:
            assert product.versions["policy_sha256"] == policy.sha256
            assert product.versions["llm"] is None
            hashes.add(product.versions["policy_sha256"])
    assert len(hashes) == 2
