"""`triage eval …`: a change is decided by figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.console import configured, fail, open_store, read_settings

if TYPE_CHECKING:
    from eval.product import Product
    from triage.settings import Settings

eval_app = typer.Typer(no_args_is_help=True, help="Measure, compare and gate the product on labelled cases.")
feedback_app = typer.Typer(no_args_is_help=True, help="What supervisors said of results.")

GATES = Path(__file__).with_name("gates.yaml")
DISPATCH = Path(__file__).parent / "data" / "dispatch.jsonl"
DOCUMENTS, PAGE_MARKS = (DISPATCH.with_name(name) for name in ("documents.jsonl", "page_marks.jsonl"))

JsonOption = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
Out = Annotated[Path, typer.Argument(help="folder of a run")]


class Bar:
    """One progress bar at a time, on a terminal only."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._what = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if what != self._what:
            self.close()
            self._bar = tqdm(total=total, unit="case", desc=what, disable=not sys.stderr.isatty())
            self._what = what
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


@eval_app.command("run")
def run_command(
    context: typer.Context,
    dataset: Annotated[Path | None, typer.Option(help="labelled cases, JSON lines")] = None,
    out: Annotated[Path, typer.Option(help="folder for predictions, metrics and report")] = Path("build/eval"),
    suite: Annotated[Path | None, typer.Option(help="YAML that names dataset, models, slices and more")] = None,
    split: Annotated[str | None, typer.Option(help="a split, or 'all'; default: test where there is one")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first so many cases")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="cases at once; 1 for honest latencies")] = None,
    baselines: Annotated[str | None, typer.Option(help="comma-separated names, or 'none'; default: all")] = None,
    bundle: Annotated[Path | None, typer.Option(help="another classifier bundle")] = None,
    policy: Annotated[Path | None, typer.Option(help="another policy file")] = None,
    seed: Annotated[int | None, typer.Option(help="of the bootstrap")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="run every case again")] = False,
    only_failed: Annotated[bool, typer.Option("--only-failed", help="run again only what could not be run")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the product on labelled cases and report.

    Example: triage eval run --dataset eval/data/dispatch.jsonl --out build/eval
    """
    from eval.datasets import DatasetError
    from eval.run import RunError, Suite, load_suite, run

    if dataset is None and suite is None:
        raise fail("give --dataset FILE.jsonl or --suite SUITE.yaml", 2)
    names = None if baselines is None else tuple(n for n in baselines.split(",") if n and n != "none")
    given = {
        "dataset": dataset,
        "split": split,
        "limit": limit,
        "workers": workers,
        "baselines": names,
        "bundle": bundle,
        "policy": policy,
        "seed": seed,
    }
    settings = read_settings()
    bar = Bar()
    try:
        chosen = load_suite(suite) if suite is not None else Suite(name=dataset.stem if dataset else "unnamed")
        chosen = Suite.model_validate(chosen.model_dump() | {k: v for k, v in given.items() if v is not None})
        metrics = run(
            chosen,
            out,
            settings=settings,
            use_cache=not no_cache,
            only_failed=only_failed,
            arguments=_arguments(context),
            progress=bar,
        )
    except (DatasetError, RunError) as error:
        raise fail(error, 2) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise fail(error) from error
    finally:
        bar.close()
    _show(metrics, out, as_json)


@eval_app.command("score")
def score_command(out: Out, as_json: JsonOption = False) -> None:
    """Measure and report again from a run's folder, without running. Example: triage eval score build/eval"""
    from eval.run import RunError, score

    try:
        metrics = score(out)
    except RunError as error:
        raise fail(error, 2) from error
    _show(metrics, out, as_json)


@eval_app.command("compare")
def compare_command(
    a: Annotated[Path, typer.Argument(help="folder of the run before")],
    b: Annotated[Path, typer.Argument(help="folder of the run after")],
    out: Annotated[Path | None, typer.Option(help="file for the comparison as JSON")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether run B is better, worse or tied beside run A. Example: triage eval compare build/before build/after"""
    from eval.compare import as_text, compare
    from eval.run import RunError

    try:
        found = compare(a, b)
    except RunError as error:
        raise fail(error, 2) from error
    if out is not None:
        out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else as_text(found))


@eval_app.command("gate")
def gate_command(
    out: Out,
    gates: Annotated[Path, typer.Option(help="file of floors, ceilings and measures that must not get worse")] = GATES,
    baseline: Annotated[Path | None, typer.Option(help="folder of the run to compare with")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fail (exit status 1) when a run may not ship. Example: triage eval gate build/eval --baseline build/main"""
    from eval.gate import as_text, check, load_gates
    from eval.run import RunError

    try:
        checks = check(load_gates(gates), out, baseline)
    except RunError as error:
        raise fail(error, 2) from error
    typer.echo(json.dumps([c.model_dump() for c in checks]) if as_json else as_text(checks))
    if not all(c.passed for c in checks):
        raise typer.Exit(1)


@eval_app.command("redteam")
def redteam_command(
    dataset: Annotated[Path, typer.Option(help="labelled cases to put the attacks into")] = DISPATCH,
    split: Annotated[str, typer.Option(help="a split of it, or 'all'")] = "dev",
    out: Annotated[
        Path, typer.Option(help="folder for redteam.json, .html and .md; that of a run, to gate both")
    ] = Path("build/eval"),
    workers: Annotated[int, typer.Option(min=1, help="messages at once")] = 2,
    seed: Annotated[int | None, typer.Option(help="of the draw of cases")] = None,
    as_json: JsonOption = False,
) -> None:
    """Try to steer the product by what messages say, and see that honest words are not taken for attacks.

    Example: triage eval redteam --out build/eval
    """
    from eval.datasets import DatasetError, load_dataset
    from eval.redteam import red_team
    from eval.report import say, write_red_team
    from eval.run import CACHE, RED_TEAM
    from eval.statistics import SEED

    # The model's answers and its budget are the evaluation's own, not the service's.
    settings = read_settings().model_copy(update={"data_dir": CACHE})
    bar = Bar()
    try:
        with _product(settings) as product:
            found = red_team(
                product,
                load_dataset(dataset),
                split=split,
                seed=SEED if seed is None else seed,
                workers=workers,
                progress=bar,
            )
    except DatasetError as error:
        raise fail(error, 2) from error
    finally:
        bar.close()
    out.mkdir(parents=True, exist_ok=True)
    (out / RED_TEAM).write_text(
        json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
    )
    write_red_team(out, found)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for title, entry in (("ours", found), ("BIPIA", found["bipia"]), ("control", found["control"])):
        typer.echo(f"{title} ({entry['pairs']} pairs)")
        for name in ("flips", "success", "filed_otherwise", "silenced"):
            e = entry[name]
            typer.echo(f"  {name:16} {say(e['value']):>8}   {say(e['low'])} to {say(e['high'])}, n={e['n']}")
    for name, e in found["harmless"].items():
        typer.echo(f"{name:34} {say(e['value']):>8}   {say(e['low'])} to {say(e['high'])}, n={e['n']}")
    typer.echo(f"report: {out / 'redteam.html'}")


@eval_app.command("banking77")
def banking77_command(
    cache: Annotated[Path | None, typer.Option(help="file that keeps the embeddings between runs")] = None,
    as_json: JsonOption = False,
) -> None:
    """Reproduce MiniLM's published BANKING77 figure with our code; exit status 1 when it is a point off.

    Example: triage eval banking77 --cache build/banking77.npz
    """
    from eval.banking77 import WITHIN, MiniLM, measure
    from eval.embedding_cache import EmbeddingCache

    bar = Bar()
    try:
        vectors = EmbeddingCache(MiniLM(), cache, lambda done, total: bar("embeddings", done, total))
        found = measure(vectors, progress=bar)
    except OSError as error:
        raise fail(error, 2) from error
    finally:
        bar.close()
    if as_json:
        typer.echo(json.dumps(found))
    else:
        typer.echo(
            f"{found['accuracy']:.2f} (spread {found['spread']:.2f} over {len(found['repeats'])} repeats), "
            f"published {found['published']:.2f}, difference {found['difference']:+.2f}"
        )
    if not found["reproduced"]:
        raise fail(f"the figure differs by more than {WITHIN:g} point")


@eval_app.command("weigh")
def weigh_command(
    dataset: Annotated[Path, typer.Option(help="labelled documents, JSON lines")] = DOCUMENTS,
    pages: Annotated[Path, typer.Option(help="what the tagger was trained on")] = PAGE_MARKS,
    out: Annotated[Path | None, typer.Option(help="default: the packaged weights")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit how much rules and tagger count on documents, on those of dev that the tagger has not read.

    Example: triage eval weigh --out build/weights.npz
    """
    from classifiers.tagger import Tagger, load_tagger
    from eval.datasets import load_dataset
    from eval.weighing import unread, weigh
    from extractors.limits import Limits
    from extractors.pdf import PdfReader
    from extractors.pointed_pages import WEIGHTS
    from extractors.trees import save

    try:
        with PdfReader(Limits()) as pdf:
            cases = unread(load_dataset(dataset).cases, pages)
            found = weigh(cases, dataset.parent, Tagger(load_tagger()).point, pdf)
        save(found.weights, out or WEIGHTS)
    except (OSError, ValueError) as error:
        raise fail(error, 2) from error
    told = (
        f"{found.right} of {found.kept} kept are right, of {found.candidates} candidates in {found.documents} documents"
    )
    counted = {name: value for name, value in found._asdict().items() if name != "weights"}
    typer.echo(json.dumps(counted) if as_json else f"{told}, each layout held out in turn")


@eval_app.command("types")
def types_command(
    dataset: Annotated[Path, typer.Option(help="labelled documents, JSON lines")] = DOCUMENTS,
    out: Annotated[Path | None, typer.Option(help="default: the packaged file")] = None,
    as_json: JsonOption = False,
) -> None:
    """Learn what kind of paper the words of a page speak for, from the documents of dev.

    Example: triage eval types --out build/types.npz
    """
    from eval.datasets import load_dataset
    from eval.paper_types import learn
    from extractors.limits import Limits
    from extractors.pdf import PdfReader
    from extractors.words_of_types import FILE, save

    try:
        with PdfReader(Limits(max_ocr_pages=0)) as pdf:
            cases = [case for case in load_dataset(dataset).cases if case.split == "dev"]
            found = learn(cases, dataset.parent, pdf)
        save(found.words, out or FILE)
    except (OSError, ValueError) as error:
        raise fail(error, 2) from error
    counts = {"documents": found.documents, "titles": found.titles, "both": found.both}
    told = f"{found.both} of {found.documents} right, each maker's held out in turn; by titles alone {found.titles}"
    typer.echo(json.dumps(counts) if as_json else told)


@eval_app.command("leakage")
def leakage_command(
    datasets: Annotated[list[Path], typer.Argument(help="labelled cases, JSON lines; several are taken as one")],
    similar: Annotated[float, typer.Option(min=0.05, max=1, help="Jaccard of word triples that is too much")] = 0.6,
    meaning: Annotated[
        bool, typer.Option(help="look for the same in other words, too, by the encoder's vectors: some minutes")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Fail (exit status 1) on the same text on both sides of a split.

    Example: triage eval leakage --meaning eval/data/dispatch.jsonl
    """
    from eval.datasets import DatasetError, load_dataset
    from eval.leakage import find_leaks, text_of

    try:
        loaded = [load_dataset(path) for path in datasets]
    except DatasetError as error:
        raise fail(error, 2) from error
    cases = [case for dataset in loaded for case in dataset.cases]
    texts = [text_of(case, dataset.folder) for dataset in loaded for case in dataset.cases]
    vectors = None
    if meaning:
        from classifiers.embedding import Encoder, encode_all

        vectors = encode_all(Encoder(), texts)
    leaks = find_leaks(cases, texts, similar, vectors)
    if as_json:
        typer.echo(json.dumps([leak.model_dump() for leak in leaks]))
    elif not leaks:
        unread = texts.count("")
        typer.echo(f"no leak among {len(cases)} cases" + (f", of which {unread} could not be read" if unread else ""))
    else:
        typer.echo(f"{'kind':11} {'like':>5}  cases")
        for leak in leaks[:100]:
            pair = f"{leak.first} ({leak.first_split}) = {leak.second} ({leak.second_split})"
            typer.echo(f"{leak.kind:11} {leak.similarity:5.2f}  {pair}")
        typer.echo(f"{len(leaks)} leaks among {len(cases)} cases: give the pairs one split (and one group)")
    if leaks:
        raise typer.Exit(1)


@eval_app.command("split")
def split_command(
    dataset: Annotated[Path, typer.Argument(help="labelled cases, JSON lines")],
    out: Annotated[Path, typer.Option(help="file for the same cases with their splits")],
    by: Annotated[str, typer.Option(help="group or time")] = "group",
    shares: Annotated[
        str, typer.Option(help="in this order; for time the oldest first")
    ] = "train=0.7,dev=0.1,test=0.2",
    as_json: JsonOption = False,
) -> None:
    """Give every case a split, groups whole. Example: triage eval split cases.jsonl --by time --out split.jsonl"""
    from eval.datasets import DatasetError, load_dataset, split_by_group, split_by_time

    ways = {"group": split_by_group, "time": split_by_time}
    try:
        parts = {name: float(share) for name, share in (part.split("=") for part in shares.split(","))}
        if by not in ways:
            raise DatasetError(f"--by must be group or time, not {by!r}")
        chosen = {case.id: case.split for case in ways[by](load_dataset(dataset).cases, parts)}
    except ValueError as error:
        raise fail(error, 2) from error
    lines = []
    for line in dataset.read_text(encoding="utf-8-sig").split("\n"):
        if line.strip():
            row = json.loads(line)
            lines.append(json.dumps(row | {"split": chosen[str(row["id"])]}, ensure_ascii=False))
    out.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")  # half emojis, as JSON
    counts = {name: sum(split == name for split in chosen.values()) for name in parts}
    text = ", ".join(f"{name} {count}" for name, count in counts.items())
    typer.echo(json.dumps({"file": str(out), "splits": counts}) if as_json else text)


@eval_app.command("datasheet")
def datasheet_command(
    dataset: Annotated[Path, typer.Argument(help="labelled cases, JSON lines")],
    licence: Annotated[str, typer.Option(help="of the cases")] = "",
    label_guide: Annotated[str, typer.Option(help="version of the label guide they were labelled by")] = "",
    how_made: Annotated[str, typer.Option(help="who wrote or collected and labelled them, and how")] = "",
    notes: Annotated[str, typer.Option(help="what else a reader must know")] = "",
    as_json: JsonOption = False,
) -> None:
    """Write the datasheet beside a dataset, with the hash of its content.

    Example: triage eval datasheet cases.jsonl --licence Apache-2.0 --label-guide 1 --how-made "written by hand"
    """
    import yaml

    from eval.datasets import DatasetError, describe, load_unchecked, sheet_path

    try:
        sheet = describe(
            load_unchecked(dataset), licence=licence, label_guide=label_guide, how_made=how_made, notes=notes
        )
    except DatasetError as error:
        raise fail(error, 2) from error
    place = sheet_path(dataset)
    place.write_text(
        yaml.safe_dump(sheet.model_dump(mode="json"), sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    told = {"file": str(place), "sha256": sheet.sha256}
    typer.echo(json.dumps(told) if as_json else f"{place} {sheet.sha256}")


@eval_app.command("replay")
def replay_command(
    message_id: Annotated[str, typer.Argument(help="a message in the service's store")], as_json: JsonOption = False
) -> None:
    """Make a stored result again, offline; exit status 1 when it differs. Example: triage eval replay msg_0199"""
    from eval.replay import replay
    from triage.errors import NotFound

    settings = read_settings()
    try:
        with _product(settings) as product:
            found = replay(open_store(settings), product, message_id)
    except NotFound as error:
        raise fail(error.message, 2) from error
    except (OSError, ValueError) as error:  # a stored file is lost or broken
        raise fail(f"{message_id} cannot be made again: {error}", 2) from error
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        decided = found["decision_replayed"]
        same = "the same" if decided else "the understanding is the same"
        told = same if found["same"] else f"{len(found['differences'])} places differ"
        typer.echo(told if decided else f"{told}; the decision could not be replayed")
        for version, then in found["versions"]["then"].items():
            now = found["versions"]["now"][version]
            typer.echo(f"  {version}: {then}" + ("" if then == now else f", now {now}"))
        for place in found["differences"][:20]:
            typer.echo(f"  {place['path']}: {place['then']!r:.60} now {place['now']!r:.60}")
    if not found["same"]:
        raise typer.Exit(1)


@eval_app.command("backtest")
def backtest_command(
    history: Annotated[Path | None, typer.Option(help="finished shipments, JSON lines; default: Odoo's")] = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="invented shipments, to try the ranking itself")] = False,
    save: Annotated[Path | None, typer.Option(help="file for the shipments that were read, to repeat it later")] = None,
    as_json: JsonOption = False,
) -> None:
    """Rank carriers by older shipments and look at younger ones. Example: triage eval backtest --simulate"""
    from datetime import UTC, datetime

    from eval import backtest
    from triage.errors import TriageError
    from triage.odoo.history import History
    from triage.runtime import connect_odoo

    settings = read_settings()
    if history is None and not simulate and not settings.odoo_configured:
        raise fail("give --history FILE.jsonl or --simulate, or configure Odoo (TRIAGE_ODOO_URL and the others)", 2)
    try:
        if simulate:
            trips = backtest.simulate()
        elif history is not None:
            trips = backtest.load(history)
        else:
            trips = list(History(connect_odoo(settings)[2], max_trips=20_000).trips(datetime.now(UTC)))
        if save is not None:
            save.write_text("".join(f"{trip.model_dump_json()}\n" for trip in trips), encoding="utf-8")
        found = backtest.backtest(trips)
    except (OSError, ValueError, TriageError) as error:
        raise fail(error) from error
    typer.echo(json.dumps(found) if as_json else backtest.as_text(found))


@eval_app.command("matching")
def matching_command(
    cases: Annotated[Path | None, typer.Option(help="another set, JSON lines")] = None, as_json: JsonOption = False
) -> None:
    """Match the ambiguous cases; exit status 1 where one is matched wrongly. Example: triage eval matching"""
    from eval import matching

    try:
        found = matching.evaluate(matching.load(cases or matching.CASES))
    except (OSError, ValueError) as error:
        raise fail(error, 2) from error
    typer.echo(json.dumps(found) if as_json else matching.as_text(found))
    if found["wrong"]:
        raise typer.Exit(1)


@feedback_app.command("export")
def feedback_export(
    out: Annotated[Path, typer.Option(help="file for the cases, JSON lines")] = Path("build/feedback.jsonl"),
    disputed: Annotated[bool, typer.Option("--disputed", help="only those that somebody has to decide")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write what supervisors said as labelled cases. Example: triage feedback export --out build/feedback.jsonl"""
    from eval.feedback import export

    count = 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as file:
        for case in export(open_store(read_settings()), disputed_only=disputed):
            file.write(json.dumps(case, ensure_ascii=False) + "\n")
            count += 1
    typer.echo(json.dumps({"cases": count, "file": str(out)}) if as_json else f"{count} cases in {out}")


@feedback_app.command("settle")
def feedback_settle(
    message_id: Annotated[str, typer.Argument(help="a message of the queue: triage feedback export --disputed")],
    label: Annotated[str, typer.Option(help="the right label")],
    by: Annotated[str, typer.Option(help="who decides")],
    comment: Annotated[str | None, typer.Option(help="why")] = None,
    as_json: JsonOption = False,
) -> None:
    """Decide a disputed case; what was said before stays.

    Example: triage feedback settle msg_0199 --label damage --by eva
    """
    from datetime import UTC, datetime

    from classifiers.taxonomy import load_taxonomy
    from triage.errors import NotFound
    from triage.store.store import Feedback

    if label not in load_taxonomy().labels:
        raise fail(f"label {label!r} is unknown; there are {', '.join(load_taxonomy().labels)}", 2)
    try:
        said = Feedback(verdict="correct", label=label, by=by, comment=comment)
        open_store(read_settings()).add_feedback(message_id, said, datetime.now(UTC), source="review")
    except NotFound as error:
        raise fail(error.message, 2) from error
    told = {"id": message_id, "label": label, "by": by}
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else f"{message_id} is {label}, says {by}")


def _product(settings: Settings) -> Product:
    from eval.product import Product

    with configured():
        return Product(settings)


def _arguments(context: typer.Context) -> dict[str, Any]:
    """What was said on the command line, and what was not."""
    split: dict[str, dict[str, Any]] = {"given": {}, "defaulted": {}}
    for name, value in sorted(context.params.items()):
        source = context.get_parameter_source(name)
        defaulted = source is None or source.name == "DEFAULT"
        split["defaulted" if defaulted else "given"][name] = str(value) if isinstance(value, Path) else value
    return split


def _show(metrics: dict[str, Any], out: Path, as_json: bool) -> None:
    from eval.report import HEADLINE, at, say

    if as_json:
        typer.echo(json.dumps(metrics, ensure_ascii=False))
        return
    for measure in HEADLINE:
        entry = at(metrics, measure.path)
        if entry and entry["value"] is not None:
            span = f"{say(entry['low'], measure.style)} to {say(entry['high'], measure.style)}"
            typer.echo(f"{measure.title:28} {say(entry['value'], measure.style):>10}   {span:24} n={entry['n']}")
    cases = metrics["cases"]
    if cases["unscored"]:
        typer.echo(f"{cases['unscored']} of {cases['n']} cases could not be run: {cases['unscored_reasons']}")
    typer.echo(f"report: {out / 'report.html'}")
