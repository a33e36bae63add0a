"""One evaluation run: a dataset through the product into a folder that can be scored, compared and read alone.

    DIR/predictions.jsonl   a row a case: the result as the API gives it, what was expected, what was read
    DIR/pages/              pictures of the PDF pages of cases whose label or fields are wrong
    DIR/baselines.json      the labels that simple methods give to the same cases
    DIR/manifest.json       what ran: code, models, packages, arguments given and defaulted
    DIR/metrics.json        every measure with its interval
    DIR/thresholds.json     confidence thresholds for accepted errors, from this run
    DIR/report.html, .md    the same for people

Rows are written as they come. A run that was stopped goes on where it was; rows made by other code, models or input are
made again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from eval.datasets import Case, case_sha256, load_dataset, read_message
from eval.metrics import COSTS, differences, has_label, label_measures, load_costs, measure, unanswered
from eval.pages import draw
from eval.product import ROOT, Product, Row, code_sha256
from eval.statistics import DRAWS, SEED, Bootstrap, rounded
from extractors.message import Value
from triage.settings import Settings

PREDICTIONS, BASELINES, MANIFEST, METRICS = "predictions.jsonl", "baselines.json", "manifest.json", "metrics.json"
CACHE, ANSWERS = Path("build/eval-answers"), "answers"  # of the language model, by everything that could change them
THRESHOLDS, RED_TEAM, PAGES = "thresholds.json", "redteam.json", "pages"
EMBEDDINGS = Path("build/eval-e5.npz")
HALVES = "backslashreplace"  # half an emoji, as senders cut them off, has no UTF-8; as \ud83d it is JSON
BASELINE_NAMES = ("majority", "keywords", "tfidf", "knn", "zero_shot", "llm", "n8n")

Part = Literal["extraction", "classification", "routing"]
Progress = Callable[[str, int, int], None]  # what, done, of how many


class RunError(ValueError):
    """The run cannot start or be read; the text says what to do."""


class Suite(Value):
    """A run as data. Paths are relative to the suite's file; what the command line says wins."""

    name: str = "unnamed"
    dataset: Path | None = None
    split: str | None = None
    limit: int | None = None
    parts: tuple[Part, ...] = ("extraction", "classification", "routing")
    slices: tuple[str, ...] | None = None
    baselines: tuple[str, ...] = BASELINE_NAMES
    bundle: Path | None = None
    policy: Path | None = None
    llm: bool = True  # whether a language model that is set up takes part
    llm_model: str | None = None
    llm_tasks: tuple[str, ...] | None = None
    costs: Path = COSTS
    seed: int = SEED
    draws: int = DRAWS
    workers: int = 2


def load_suite(path: Path) -> Suite:
    try:
        suite = Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise RunError(f"{path} is not a suite: {error}") from error
    given = {name: path.parent / value for name, value in suite if isinstance(value, Path) and value != COSTS}
    return suite.model_copy(update=given)


def run(
    suite: Suite,
    out: Path,
    *,
    settings: Settings,
    use_cache: bool = True,
    only_failed: bool = False,
    arguments: dict[str, Any] | None = None,
    progress: Progress = lambda *_: None,
    product: Product | None = None,
) -> dict[str, Any]:
    """Runs what has not been run, scores, reports, and returns the metrics. Raises DatasetError and RunError."""
    if suite.dataset is None:
        raise RunError("give --dataset, or a suite that names one")
    unknown = set(suite.baselines) - set(BASELINE_NAMES)
    if unknown:
        raise RunError(f"unknown baseline {', '.join(sorted(unknown))}; there are {', '.join(BASELINE_NAMES)}")
    dataset = load_dataset(suite.dataset)
    chosen = dataset.selected(suite.split)[: suite.limit]
    settings = settings.model_copy(
        update={k: v for k, v in (("model_dir", suite.bundle), ("policy_file", suite.policy)) if v is not None}
    )
    costs = load_costs(suite.costs)
    out.mkdir(parents=True, exist_ok=True)
    if not use_cache and not only_failed:
        shutil.rmtree(out / ANSWERS, ignore_errors=True)
    # The model's answers and its budget are the evaluation's own, not the service's.
    own: dict[str, Any] = {"data_dir": CACHE if use_cache else out / ANSWERS}
    own |= {name: value for name in ("llm_model", "llm_tasks") if (value := getattr(suite, name)) is not None}
    settings = settings.model_copy(update=own if suite.llm else own | {"llm_url": None, "llm_model": None})
    started, clock = datetime.now(UTC), time.perf_counter()
    with product or Product(settings) as p:
        code = code_sha256()
        packages = _packages()
        versions = (code, json.dumps(p.versions, sort_keys=True), packages, p.limits, _asked_how(settings), suite.parts)
        keys = _keys(chosen, dataset.folder, repr(versions))
        kept = _kept(out, keys, use_cache=use_cache, only_failed=only_failed)
        todo = [case for case in chosen if case.id not in kept]
        only_extract = "classification" not in suite.parts and "routing" not in suite.parts

        def answer(case: Case) -> Row:
            return p.answer(case, dataset.folder, only_extract=only_extract) | {"key": keys[case.id]}

        for name in (METRICS, MANIFEST):  # of the run before: were this one stopped, a gate would judge by them
            (out / name).unlink(missing_ok=True)
        if todo:
            # The first message loads what the others find loaded, as in a service that runs.
            p.answer(todo[0], dataset.folder, only_extract=only_extract, consult=False)
        spent = time.perf_counter(), time.process_time()
        if not use_cache and not only_failed:
            (out / PREDICTIONS).unlink(missing_ok=True)
        rows = kept | _stream(todo, answer, out / PREDICTIONS, suite.workers, progress)
        wall, cpu = time.perf_counter() - spent[0], time.process_time() - spent[1]
        ordered = [rows[case.id] for case in chosen]
        for row, case in zip(ordered, chosen, strict=True):
            wrong_label = has_label(row) and row["label"] != row["expected"]["label"]
            if wrong_label or (row.get("pages") and differences(row)):
                row["pictures"] = _pictures(row, case, dataset.folder, p, out / PAGES)
        _replace(out / PREDICTIONS, "".join(_line(row) for row in ordered))
        baselines: dict[str, Any] = {}
        if not only_extract and suite.baselines and any(case.label for case in chosen):
            from eval.baselines import run_baselines

            cache = EMBEDDINGS if use_cache else None
            baselines = run_baselines(suite.baselines, dataset, chosen, p, cache, progress)
        _write(out / BASELINES, baselines)
        labels = p.taxonomy.codes
        manifest = {
            "suite": suite.name,
            "started_at": started.isoformat(timespec="seconds"),
            "arguments": arguments or {"given": suite.model_dump(mode="json", exclude_unset=True), "defaulted": {}},
            "code": {**_revision(), "sha256": code},
            "dataset": {
                "name": dataset.path.name,
                "sha256": dataset.sha256,
                "datasheet": dataset.sheet.model_dump(mode="json", exclude={"files"}) if dataset.sheet else None,
                "splits": dataset.splits,
                "split": suite.split or ("test" if "test" in dataset.splits else "all"),
            },
            "versions": p.versions,
            "labels": list(labels),
            "packages": packages,
            "machine": {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.machine()},
            "settings": {"workers": suite.workers},
            "scoring": {"seed": suite.seed, "draws": suite.draws, "costs": costs, "slices": suite.slices},
            "cases": {
                "selected": len(chosen),
                "run_now": len(todo),
                "kept": len(kept),
                "kept_from_other_versions": sum(rows[i]["key"] != keys[i] for i in kept),
            },
        }
    timing = _timing([rows[case.id] for case in todo], wall, cpu, suite.workers)
    manifest["timing"] = timing | {"seconds": round(time.perf_counter() - clock, 3)}
    _write(out / MANIFEST, manifest)
    return score(out)


def score(out: Path) -> dict[str, Any]:
    """Measures and reports from what stands in the folder, without running anything again."""
    from eval.report import write_reports

    manifest, rows = read_manifest(out), read_rows(out)
    scoring, labels = manifest["scoring"], manifest["labels"]
    metrics = measure(rows, labels, costs=scoring["costs"], draws=scoring["draws"], seed=scoring["seed"])
    if scoring["slices"] is not None:
        metrics["slices"] = {name: metrics["slices"].get(name, {}) for name in scoring["slices"]}
    metrics["baselines"] = score_baselines(rows, _read(out / BASELINES), labels, scoring["draws"], scoring["seed"])
    timing = manifest["timing"]
    metrics["cases"]["kept_from_other_versions"] = manifest["cases"]["kept_from_other_versions"]
    metrics["harness_ms_per_case"] = timing.get("harness_ms_per_case")
    _write(out / METRICS, metrics)
    if manifest["cases"]["kept_from_other_versions"]:  # what they prove is of no one classifier
        (out / THRESHOLDS).unlink(missing_ok=True)
    else:
        _write(out / THRESHOLDS, _thresholds(metrics, manifest))
    write_reports(out, manifest, metrics, rows)
    return metrics


def score_baselines(
    rows: Sequence[Row], baselines: dict[str, Any], labels: Sequence[str], draws: int, seed: int
) -> dict[str, Any]:
    """The same measures on the same cases, so that the columns of the table can be read beside each other."""
    import numpy as np

    from eval.metrics import Answers

    kept = [row for row in rows if has_label(row)]
    if not kept:
        return {}
    index = {label: i for i, label in enumerate(labels)}
    out: dict[str, Any] = {}
    for name, baseline in baselines.items():
        if "skipped" in baseline:
            out[name] = baseline
            continue
        told = [row for row in kept if row["id"] in baseline["answers"]]
        given = [baseline["answers"][row["id"]] for row in told]
        bootstrap = Bootstrap([row["group"] for row in told], draws, seed)
        answers = Answers(
            labels=tuple(labels),
            groups=tuple(row["group"] for row in told),
            truth=np.array([index[row["expected"]["label"]] for row in told], int),
            given=np.array([index[entry["label"]] for entry in given], int),
            confidence=np.array([entry["confidence"] for entry in given], float),
        )
        measures = label_measures(answers, bootstrap)
        wanted = ("accuracy", "macro_f1", "ece", "coverage_at_95_precision", "aurc")
        out[name] = {key: value for key, value in baseline.items() if key != "answers"}
        out[name] |= rounded({measure: measures[measure] for measure in wanted if measure in measures})
    return out


# Rows


def _keys(cases: Iterable[Case], folder: Path, versions: str) -> dict[str, str]:
    """What a row depends on: the case with its labels, code, models, policy, settings."""
    version = hashlib.sha256(versions.encode()).hexdigest()
    return {c.id: hashlib.sha256(f"{version} {case_sha256(c, folder)}".encode()).hexdigest()[:16] for c in cases}


def _asked_how(settings: Settings) -> tuple[Any, ...]:
    """What a language model's part in a row depends on besides its name; the address may hold a secret."""
    if settings.llm_url is None:
        return ()
    calibration = settings.llm_calibration.read_bytes() if settings.llm_calibration else None
    return settings.llm_url, settings.llm_temperature, sorted(settings.llm_tasks), calibration


def _kept(out: Path, keys: dict[str, str], *, use_cache: bool, only_failed: bool) -> dict[str, Row]:
    """Rows that need not be made again: none that a language model was asked for and left without an answer.

    `only_failed` keeps every other row that was scored, whatever made it.
    """
    if not (out / PREDICTIONS).exists():
        if only_failed:
            raise RunError(f"there is nothing in {out} that could have failed; run it without --only-failed first")
        return {}
    if not use_cache and not only_failed:
        return {}
    rows = {row["id"]: row for row in read_rows(out) if row["id"] in keys and not unanswered(row)}
    if only_failed:
        return {i: row for i, row in rows.items() if row["scored"]}
    return {i: row for i, row in rows.items() if row["key"] == keys[i]}


def _stream(
    cases: Sequence[Case], answer: Callable[[Case], Row], path: Path, workers: int, progress: Progress
) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    with path.open("a", encoding="utf-8", errors=HALVES) as file, ThreadPoolExecutor(max(1, workers)) as pool:
        for row in _as_they_come(pool, answer, cases, 2 * workers):
            rows[row["id"]] = row
            file.write(_line(row))
            file.flush()
            progress("cases", len(rows), len(cases))
    return rows


def _as_they_come(
    pool: ThreadPoolExecutor, answer: Callable[[Case], Row], cases: Iterable[Case], ahead: int
) -> Iterator[Row]:
    """A few cases ahead, so that a stop does not wait for all of them."""
    running: set[Future[Row]] = set()
    for case in cases:
        running.add(pool.submit(answer, case))
        if len(running) >= ahead:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        yield from (future.result() for future in done)


def read_rows(out: Path) -> list[Row]:
    """Rows by case, the last one of each; a line that a kill cut short is left out."""
    try:
        lines = (out / PREDICTIONS).read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise RunError(f"{out} holds no {PREDICTIONS}; make it with 'triage eval run'") from error
    rows: dict[str, Row] = {}
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        rows[row["id"]] = row
    return list(rows.values())


def read_manifest(out: Path) -> dict[str, Any]:
    return _read(out / MANIFEST)


def read_metrics(out: Path) -> dict[str, Any]:
    """The run's figures, with those of a red team in the same folder under `attack`. Raises RunError where it is not of
    the code and models of the run.
    """
    metrics = _read(out / METRICS)
    if not (out / RED_TEAM).exists():
        return metrics
    attack, manifest = _read(out / RED_TEAM), read_manifest(out)
    if (attack.get("code"), attack.get("versions")) != (manifest["code"]["sha256"], rounded(manifest["versions"])):
        raise RunError(
            f"{out / RED_TEAM} is of other code, models or policy than the run beside it; make it again with "
            f"'triage eval redteam --out {out}', or remove it"
        )
    return metrics | {"attack": attack}


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}); make it with 'triage eval run'") from error


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n"


def _write(path: Path, value: Any) -> None:
    _replace(path, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def _replace(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", errors=HALVES)
    part.replace(path)


def _pictures(row: Row, case: Case, folder: Path, product: Product, place: Path) -> dict[str, str]:
    """By source (`attachment:0 page 1`) the file in `place` that shows the page, for pages with something found."""
    wanted: dict[str, set[int]] = {}
    for value in (value for values in row["fields"].values() for value in values):
        evidence = value["evidence"]
        if evidence.get("box") and evidence["page"]:
            wanted.setdefault(evidence["part"], set()).add(evidence["page"])
    shown = {}
    attachments = read_message(case, folder, product.limits).attachments if wanted else ()
    for part, numbers in sorted(wanted.items()):
        index = part.removeprefix("attachment:")
        if not index.isdecimal() or int(index) >= len(attachments):
            continue
        file = attachments[int(index)]
        for number, png in draw(file.content, sorted(numbers)).items():
            place.mkdir(exist_ok=True)
            name = f"{file.sha256[:16]}-{number}.png"
            (place / name).write_bytes(png)
            shown[f"{part} page {number}"] = name
    return shown


# What ran


def _timing(rows: Sequence[Row], wall: float, cpu: float, workers: int) -> dict[str, Any]:
    """`harness_ms_per_case` is what the evaluation adds to the product's own time; only meant with one worker."""
    n = sum(row["scored"] for row in rows)
    if not n:
        return {"wall_seconds": round(wall, 3)}
    own = sum(row["latency_ms"] for row in rows if row["scored"])
    timing = {"wall_seconds": round(wall, 3), "process_cpu_ms_per_case": round(cpu * 1000 / n, 3)}
    if workers == 1:
        timing["harness_ms_per_case"] = round((wall * 1000 - own) / n, 3)
    return timing


def _thresholds(metrics: dict[str, Any], manifest: dict[str, Any]) -> dict[str, Any]:
    """Named by the split they were chosen on: only those from `calibration` may go into a policy."""
    return {
        "classifier": manifest["versions"]["bundle"],
        "dataset_sha256": manifest["dataset"]["sha256"],
        "split": manifest["dataset"]["split"],
        "n": metrics["cases"]["with_label"],
        "accepted_error": metrics.get("coverage_at_error", {}),
    }


def _revision() -> dict[str, Any]:
    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603, S607
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return {"revision": git("rev-parse", "HEAD"), "dirty": None if changed is None else bool(changed)}


def _packages() -> dict[str, str]:
    """The versions of what the project asks for, and of what those bring that moves figures."""
    try:
        asked = importlib.metadata.requires("dispatch-triage") or []
    except importlib.metadata.PackageNotFoundError:
        asked = []
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in asked if "extra ==" not in line}
    versions = {}
    for name in sorted(names | {"scipy", "transformers", "tokenizers"}):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions
