"""`triage llm …`: whether the language model answers, and what its opinion is worth."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from prompts import NoAnswer
from triage.console import fail, read_settings

llm_app = typer.Typer(no_args_is_help=True, help="The optional language model.")

JsonOption = Annotated[bool, typer.Option("--json", help="print the result as JSON")]
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

    settings = read_settings()
    try:
        model = LanguageModel(settings, utc_now)
        examples = load_examples(data or [Path("eval/data/dispatch.jsonl")], text_of)
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
    try:
        blend = fit_blend(judged, model.model, bundle.version, bundle.thresholds.accepted_error)
    except ValueError as error:
        raise fail(error) from error
    blend.save(out)
    report = {**asdict(blend), "took": ask.use.model_dump()}
    typer.echo(json.dumps(report, indent=None if as_json else 1))
