"""A whole run through the product with its real models, on a few of the sample messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from classifiers.embedding import Encoder
from eval import run as runs
from eval.product import Product
from eval.report import read_wrongly
from eval.run import RunError, Suite, load_suite, read_manifest, read_rows, run
from tests.eval.rows import a_row
from triage.cli import app
from triage.settings import Settings

SAMPLES = Path(__file__).parent.parent.parent / "samples"
CHOSEN = 8


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset")
    lines = []
    for line in (SAMPLES / "expected.jsonl").read_text(encoding="utf-8").splitlines()[:CHOSEN]:
        case = json.loads(line)
        source = SAMPLES / case.pop("file")
        (folder / source.name).write_bytes(source.read_bytes())
        form = {"message": json.loads(source.read_text())} if source.suffix == ".json" else {"eml": source.name}
        lines.append({"id": source.stem, **form, **case})
    lines.append({"id": "no text", "message": {"channel": "portal"}, "label": "damage"})
    lines.append({"id": "lost", "eml": "lost.eml", "label": "damage"})
    path = folder / "cases.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def product(encoder: Encoder) -> Iterator[Product]:
    with Product(Settings(_env_file=None), encoder) as built:
        yield built


def start(dataset: Path, out: Path, product: Product, **more: Any) -> dict[str, Any]:
    suite = Suite(dataset=dataset, baselines=("keywords",), draws=50)
    return run(suite, out, settings=Settings(_env_file=None), product=product, **more)


TIMES = ("latency_ms", "cpu_ms", "money", "harness_ms_per_case")  # money is counted from processor time


def without_times(metrics: dict[str, Any]) -> str:
    kept = {k: v for k, v in metrics.items() if k not in TIMES}
    return json.dumps(kept)


def test_a_run_leaves_everything_and_two_give_the_same_figures(dataset: Path, tmp_path: Path, product: Product) -> None:
    first = start(dataset, tmp_path / "a", product)
    assert first["cases"]["n"] == CHOSEN + 2
    assert first["cases"]["unscored_reasons"] == {"file lost": 1, "refused": 1}
    assert first["accuracy"]["n"] == CHOSEN
    for name in ("accuracy", "macro_f1", "per_label", "ece", "coverage_at_95_precision"):
        assert first[name], name
    assert first["fields"]["micro_f1"]["value"] > 0.5
    assert first["latency_ms"]["p50"]["value"] <= first["latency_ms"]["p95"]["value"]
    assert (tmp_path / "a" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")

    rows = read_rows(tmp_path / "a")
    read = next(row for row in rows if row["id"] == "01-breakdown-a1m")
    assert read["scored"] and read["route"] in ("activity", "approval")
    for values in read["fields"].values():
        for value in values:
            e = value["evidence"]
            source = e["part"] if e["page"] is None else f"{e['part']} page {e['page']}"
            assert read["sources"][source][e["start"] : e["end"]] == e["quote"]

    second = start(dataset, tmp_path / "b", Product(Settings(_env_file=None), product.encoder))
    assert without_times(first) == without_times(second)


def test_a_stopped_run_goes_on_where_it_was(dataset: Path, tmp_path: Path, product: Product) -> None:
    out = tmp_path / "run"
    whole = start(dataset, out, product)
    lines = (out / "predictions.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (out / "predictions.jsonl").write_text("".join(lines[:5]) + lines[5][:40], encoding="utf-8")
    again = start(dataset, out, Product(Settings(_env_file=None), product.encoder))
    assert read_manifest(out)["cases"]["kept"] == 5
    assert without_times(again) == without_times(whole)


def test_only_what_failed_is_run_again(dataset: Path, tmp_path: Path, product: Product) -> None:
    out = tmp_path / "run"
    with pytest.raises(RunError, match="nothing in"):
        start(dataset, out, product, only_failed=True)
    product = Product(Settings(_env_file=None), product.encoder)
    start(dataset, out, product)
    lost = dataset.parent / "lost.eml"
    lost.write_bytes((SAMPLES / "01-breakdown-a1m.eml").read_bytes())
    try:
        metrics = start(dataset, out, Product(Settings(_env_file=None), product.encoder), only_failed=True)
    finally:
        lost.unlink()
    assert read_manifest(out)["cases"]["run_now"] == 2
    assert metrics["cases"]["unscored_reasons"] == {"refused": 1}


def test_other_code_or_models_make_the_rows_again(
    dataset: Path, tmp_path: Path, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    start(dataset, out, product)
    monkeypatch.setattr(runs, "code_sha256", lambda: "other code")
    start(dataset, out, Product(Settings(_env_file=None), product.encoder))
    assert read_manifest(out)["cases"]["kept"] == 0


@pytest.mark.parametrize("part", ["classify", "extract"])
def test_a_fault_of_the_product_is_told_and_is_no_wrong_label(
    part: str, dataset: Path, tmp_path: Path, product: Product
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("boom")

    product.tools = product.tools.model_copy(update={part: broken})
    metrics = start(dataset, tmp_path / "run", product)
    assert metrics["cases"]["unscored_reasons"]["crashed"] == CHOSEN
    assert metrics["accuracy"]["n"] == 0


def test_the_report_needs_no_network_and_lets_no_message_through_as_markup(
    dataset: Path, tmp_path: Path, product: Product
) -> None:
    rows = tmp_path / "evil.jsonl"
    evil = {"channel": "portal", "text": "<script>alert(1)</script> The goods are damaged <img src=http://x.example/a>"}
    rows.write_text(json.dumps({"id": "<b>evil</b>", "message": evil, "label": "no_capacity"}), encoding="utf-8")
    start(rows, tmp_path / "run", product)
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in html
    assert "<script" not in html and "<img" not in html and "<b>evil" not in html
    assert "@import" not in html and 'rel="stylesheet"' not in html and " src=" not in html.replace("&lt;img src=", "")


def test_the_report_shows_on_the_page_what_was_read_wrongly_and_names_what_was_missed(tmp_path: Path) -> None:
    def at(value: str, left: float) -> dict[str, Any]:
        place = {"part": "attachment:0", "page": 1, "start": 0, "end": 3, "box": [left, 10.0, left + 30, 20.0]}
        return {"value": value, "evidence": place}

    row = a_row(
        1,
        "damage",
        "damage",
        expected={"fields": {"bol": ["B-1"], "pieces": ["24 H87"]}},
        fields={"bol": [at("B-1", 50)], "pallets": [at("4 PF", 90)]},
        pages={"attachment:0 page 1": [600, 800]},
    )
    (case,) = read_wrongly([row, a_row(2, "damage", "damage", expected={"fields": {}})], tmp_path)
    assert case["missed"] == {"pieces": ["24 H87"]} and case["count"] == 2
    ((name, page),) = case["pages"]
    assert name == "attachment:0 page 1" and [(box["x"], box["wrong"]) for box in page["boxes"]] == [
        (50, False),
        (90, True),
    ]


def test_the_command_says_what_was_given_and_what_defaulted(dataset: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(f"name: small\ndataset: {dataset}\nparts: [extraction]\ndraws: 50\nlimit: 3\n", encoding="utf-8")
    out = tmp_path / "run"
    answer = CliRunner().invoke(
        app, ["eval", "run", "--suite", str(suite), "--out", str(out), "--limit", "2", "--json"]
    )
    assert answer.exit_code == 0, answer.output
    metrics = json.loads(answer.stdout)
    assert metrics["cases"]["n"] == 2
    assert metrics["accuracy"]["value"] is None
    arguments = read_manifest(out)["arguments"]
    assert arguments["given"]["limit"] == 2
    assert arguments["defaulted"]["seed"] is None
    assert CliRunner().invoke(app, ["eval", "run"]).exit_code == 2


def test_a_suite_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text("datset: x.jsonl", encoding="utf-8")
    with pytest.raises(RunError, match="datset"):
        load_suite(path)
