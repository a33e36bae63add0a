"""`triage llm …`: whether the language model answers, and what its opinion is worth."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from prompts import NoAnswer, load_prompt
from triage.console import fail, read_settings

if TYPE_CHECKING:
    from triage.llm import LanguageModel

llm_app = typer.Typer(no_args_is_help=True, help="The optional language model.")

JsonOption = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
_HELD_OUT = ("calibration", "dev")  # splits with typed fields that no model here is fitted on, and none is tested on
TRY_OUT = "Truck broke down near Weert with WH/OUT/00042 aboard, gearbox gone, no ETA yet."


@llm_app.command()
def check(as_json: JsonOption = False) -> None:
    """Ask one question and say what came of it. Example: triage llm check"""
    from classifiers.llm import ask_label
    from classifiers.taxonomy import load_taxonomy
    from triage.llm import LanguageModel
    from triage.runtime import utc_now

    settings = read_settings()
    try:
        model = LanguageModel(settings, utc_now)
    except ValueError as error:
        raise fail(error, 2) from error
    taxonomy = load_taxonomy()
    ask = model.conversation()
    with model:
        try:
            label = ask_label(TRY_OUT, taxonomy.codes, (), taxonomy, ask)
        except NoAnswer as problem:
            raise fail(f"no answer: {problem.reason}") from problem
    report = {"asked": TRY_OUT, "label": label, **ask.use.model_dump()}
    typer.echo(json.dumps(report, indent=None if as_json else 1))


@llm_app.command()
def calibrate(
    out: Annotated[Path, typer.Option(help="the file to write; TRIAGE_LLM_CALIBRATION then names it")],
    data: Annotated[list[Path] | None, typer.Option(help="JSON lines of labelled messages")] = None,
    limit: Annotated[int, typer.Option(min=1, help="messages to ask about at most, drawn at random")] = 200,
    as_json: JsonOption = False,
) -> None:
    """Measure the model on messages of the calibration split that the cascade is unsure of, and fit its weight.

    Where the task `extract` is on, it is also asked to fill the fields of messages of dev and calibration whose fields
    are known: what share of the values that it adds is right is their score from then on.

    Example: triage llm calibrate --out data/llm-calibration.json
    """
    from tqdm import tqdm

    from classifiers.blending import Judged, fit_blend
    from classifiers.bundle import PACKAGED, load_bundle
    from classifiers.cascade import Classifier
    from classifiers.embedding import Encoder
    from classifiers.examples import load_examples as load_shown
    from classifiers.llm import ask_label, candidates, is_unsure, talks_away
    from classifiers.taxonomy import load_taxonomy
    from classifiers.training import SEED, load_examples
    from triage.llm import INVALID, LanguageModel
    from triage.runtime import utc_now
    from triage.training_text import text_of

    settings, files = read_settings(), data or [Path("eval/data/dispatch.jsonl")]
    try:
        model = LanguageModel(settings, utc_now)
        examples = load_examples(files, text_of)
    except (OSError, ValueError) as error:
        raise fail(error, 2) from error
    taxonomy = load_taxonomy()
    folder = settings.model_dir or PACKAGED
    bundle = load_bundle(folder)
    encoder = Encoder(bundle.adapter)
    shown, classifier = load_shown(folder, taxonomy.labels), Classifier(encoder, bundle)
    held_out = [example for example in examples if example.split == "calibration"]
    predictions = classifier.predict([example.text for example in held_out])
    unsure = [(example, p) for example, p in zip(held_out, predictions, strict=True) if is_unsure(p)]
    random.Random(SEED).shuffle(unsure)  # noqa: S311 - a sample, not a secret
    judged: list[Judged] = []
    ask = model.conversation()
    with model:
        for example, prediction in tqdm(unsure[:limit], unit="message", disable=not sys.stderr.isatty()):
            choices = candidates(prediction)
            try:
                chosen = ask_label(example.text, choices, shown.nearest(example.text, encoder, choices), taxonomy, ask)
            except NoAnswer as problem:
                if problem.code != INVALID:
                    raise fail(f"no answer: {problem.reason}; what was answered is kept, run it again") from problem
                chosen = None
            if chosen is not None and talks_away(prediction.label, chosen, taxonomy):
                chosen = None
            judged.append(Judged(prediction.scores, chosen, example.label))
        added = added_by(model, files, limit) if "extract" in settings.llm_tasks else None
    try:
        blend = fit_blend(judged, model.model, bundle.version, bundle.thresholds.accepted_error)
    except ValueError as error:
        raise fail(error) from error
    blend = replace(blend, extract=added)
    blend.save(out)
    report = {**asdict(blend), "took": ask.use.model_dump()}
    typer.echo(json.dumps(report, indent=None if as_json else 1))


def added_by(model: LanguageModel, files: Sequence[Path], limit: int) -> dict[str, Any]:
    """How many of the values that the model adds to messages of known fields are right, and how many wrong."""
    from tqdm import tqdm

    from classifiers.tagger import Tagger, load_tagger
    from classifiers.training import SEED
    from extractors.extraction import extract
    from extractors.limits import Limits
    from extractors.llm import fill_missing
    from extractors.message import message_from_json
    from extractors.pdf import PdfReader
    from triage.llm import INVALID
    from triage.redaction import people_in
    from triage.runtime import utc_now

    rows = [json.loads(line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row.get("fields") and row.get("message") and row.get("split") in _HELD_OUT]
    random.Random(SEED).shuffle(rows)  # noqa: S311 - a sample, not a secret
    tagger, right, wrong = Tagger(load_tagger()), 0, 0
    with PdfReader(Limits()) as pdf:
        for row in tqdm(rows[:limit], unit="message", disable=not sys.stderr.isatty()):
            message = message_from_json(row["message"], Limits())
            now = message.received_at or utc_now()
            before = extract(message, pdf, now=now, point=tagger.point)
            try:
                after = fill_missing(before, pdf, now, model.conversation(people_in(message)))
            except NoAnswer as problem:
                if problem.code != INVALID:
                    raise fail(f"no answer: {problem.reason}; what was answered is kept, run it again") from problem
                continue
            known = {(field, value.casefold()) for field, values in row["fields"].items() for value in values}
            said = [(f.field, f.value.casefold()) for f in after.findings if f not in before.findings]
            right += sum(each in known for each in said)
            wrong += sum(each not in known for each in said)
    return {"prompt": load_prompt("extract").sha256, "messages": len(rows[:limit]), "right": right, "wrong": wrong}
