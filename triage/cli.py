"""The command line: `triage COMMAND`, also `python -m triage`."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from tqdm import tqdm

from eval.cli import eval_app, feedback_app
from triage.console import await_database, build, fail, open_store, read_settings, start
from triage.llm_cli import llm_app
from triage.odoo.cli import odoo_app
from triage.result import percent
from triage.security import SCOPES, is_loopback, make_key

CONTENT_TYPES = {".eml": "message/rfc822", ".pdf": "application/pdf", ".json": "application/json"}

app = typer.Typer(no_args_is_help=True, add_completion=False, help="AI exception triage for logistics dispatch.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
config = typer.Typer(no_args_is_help=True, help="The configuration in force.")
app.add_typer(keys, name="keys")
app.add_typer(config, name="config")
app.add_typer(odoo_app, name="odoo")
app.add_typer(llm_app, name="llm")
app.add_typer(eval_app, name="eval")
app.add_typer(feedback_app, name="feedback")
retention = typer.Typer(no_args_is_help=True, help="Deleting what is old.")
app.add_typer(retention, name="retention")

JsonOption = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


@app.command()
def serve() -> None:
    """Run the API, and the worker unless TRIAGE_RUN_WORKER=false. Example: triage serve"""
    import uvicorn

    from triage.telemetry import set_up_logging

    chosen = read_settings()  # first: api builds an app of them when it is imported
    from api import create_app

    set_up_logging()
    await_database(chosen)
    host = chosen.host
    if not is_loopback(host) and not open_store(chosen).has_keys():
        typer.echo("no API key is set up, so only 127.0.0.1 is served; 'triage keys add' makes one", err=True)
        host = "127.0.0.1"
    runtime = build(chosen)
    start(runtime)  # here, so that what keeps it from starting is one line
    served = create_app(chosen, lambda _: runtime)
    uvicorn.run(served, host=host, port=chosen.port, log_config=None, access_log=False, server_header=False)


@app.command()
def worker() -> None:
    """Work off the queues without an API (needs PostgreSQL beside a running API). Example: triage worker"""
    import signal
    import threading

    from triage.telemetry import set_up_logging

    set_up_logging()
    chosen = read_settings().model_copy(update={"run_worker": True})
    await_database(chosen)
    runtime = build(chosen)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    start(runtime)
    if chosen.worker_metrics_port is not None:
        from prometheus_client import start_http_server

        start_http_server(chosen.worker_metrics_port)
    stop.wait()
    runtime.stop()


@app.command()
def submit(
    files: Annotated[list[Path], typer.Argument(help=".eml, .pdf, .json files or folders of them")],
    url: Annotated[str, typer.Option(help="where the service is")] = "http://127.0.0.1:8000",
    key: Annotated[str | None, typer.Option(envvar="TRIAGE_API_KEY", help="API key with the scope ingest")] = None,
    wait: Annotated[float, typer.Option(help="seconds to wait for each result, 0 to 30")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Send messages to a running service. Example: triage submit samples/ --wait 30"""
    paths = sorted(p for given in files for p in (given.iterdir() if given.is_dir() else [given]))
    paths = [p for p in paths if p.suffix.lower() in CONTENT_TYPES or p in files]
    unknown = [str(p) for p in paths if p.suffix.lower() not in CONTENT_TYPES or not p.is_file()]
    if unknown:
        raise fail(f"only .eml, .pdf and .json files can be sent, not {', '.join(unknown)}", 2)
    if not paths:
        raise fail("there is no .eml, .pdf or .json file there", 2)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    failed = 0
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        for path in tqdm(paths, unit="message", disable=not sys.stderr.isatty()):
            query = {"wait": str(wait)}
            if path.suffix.lower() == ".pdf":
                query["filename"] = path.name
            try:
                answer = client.post(
                    "/v1/messages",
                    params=query,
                    content=path.read_bytes(),
                    headers={"Content-Type": CONTENT_TYPES[path.suffix.lower()]},
                )
            except httpx.TransportError as error:
                raise fail(f"{url} does not answer ({error}); start it with 'triage serve'") from error
            try:
                body = answer.json()
                problem = body["message"] if answer.is_error else None
            except (ValueError, LookupError, TypeError):  # not the service: a proxy before it, or another program
                words = " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())
                problem = f"{answer.status_code} {words[:100]}".rstrip()
            if problem is not None:
                failed += 1
                tqdm.write(f"{path.name}: {problem}", file=sys.stderr)
            elif as_json:
                tqdm.write(json.dumps(body, ensure_ascii=False))
            else:
                tqdm.write(f"{path.name:44} {one_line(body)}")
    if failed:
        raise fail(f"{failed} of {len(paths)} were refused")


def one_line(result: dict[str, Any]) -> str:
    if result["label"] is None or result["priority"] is None:
        return f"{result['id']} {result['state']}"
    label = f"cannot tell ({result['abstained']})" if result["abstained"] else result["label"]
    planned = result["draft"]["kind"] if result["draft"] else "-"
    return f"{result['state']:10} {result['priority']} {label:34} {percent(result['confidence']):>4} {planned}"


@app.command()
def demo(
    samples: Annotated[Path, typer.Option(help="folder of messages")] = Path("samples"),
    stay: Annotated[bool, typer.Option(help="keep serving afterwards")] = True,
) -> None:
    """Start the service and show it triaging a sample inbox. Example: triage demo --no-stay"""
    import threading

    import uvicorn

    from triage.telemetry import set_up_logging

    chosen = read_settings()
    from api import create_app

    set_up_logging("WARNING")
    if not samples.is_dir():
        raise fail(f"there is no folder {samples}; run it from the project's folder or give --samples", 2)
    typer.echo("Starting (the models take a few seconds to load) …")
    runtime = build(chosen)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(chosen, lambda _: runtime), host="127.0.0.1", port=chosen.port, log_config=None, access_log=False
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise fail("the service did not start; the log above says why")
            time.sleep(0.1)
        url = f"http://127.0.0.1:{chosen.port}"
        submit([samples], url=url, key=os.environ.get("TRIAGE_API_KEY"), wait=30)
        typer.echo(f"\nThe queue:   {url}/dashboard\nThe API:     {url}/openapi.json")
        if stay:
            typer.echo("Ctrl-C stops it; everything taken in is kept in the data folder.")
            while thread.is_alive():
                thread.join(1)
    except KeyboardInterrupt:
        pass
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar of the texts that a training has done of all; none where nobody watches."""
    with tqdm(total=1, unit="text", disable=not sys.stderr.isatty()) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


@app.command()
def train(
    data: Annotated[list[Path], typer.Option(help="JSON lines of labelled messages")] = [
        Path("eval/data/dispatch.jsonl")
    ],
    distractors: Annotated[
        Path | None, typer.Option(help="JSON lines with the text of sentences that must change no label")
    ] = Path("eval/data/distractors.jsonl"),
    out: Annotated[Path | None, typer.Option(help="folder of the bundle; default: the packaged one")] = None,
    keep_encoder: Annotated[
        bool, typer.Option(help="leave the encoder of that bundle as it is: minutes instead of hours")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train the classifier from labelled messages. Example: triage train --out build/bundle"""
    from classifiers.bundle import PACKAGED, load_bundle
    from classifiers.embedding import Encoder
    from classifiers.examples import Labelled, save_examples
    from classifiers.tagger import load_tagger
    from classifiers.taxonomy import load_taxonomy
    from classifiers.training import load_distractors, load_examples
    from classifiers.training import train as fit
    from triage.training_text import text_of

    try:
        examples = load_examples(data, text_of)
        told = load_distractors(distractors) if distractors else []
        kept = load_bundle(out or PACKAGED) if keep_encoder else None
        start = None if keep_encoder else load_tagger()
        with _progress() as progress:
            bundle = fit(examples, load_taxonomy().codes, kept, distractors=told, start=start, progress=progress)
    except (OSError, ValueError, RuntimeError) as error:
        raise fail(str(error)) from error
    bundle.save(out or PACKAGED)
    shown = [Labelled(e.text, e.label) for e in examples if e.split == "train"]
    save_examples(out or PACKAGED, shown, Encoder(bundle.adapter))
    report = {"version": bundle.version, "thresholds": bundle.thresholds.__dict__, **bundle.trained_on}
    typer.echo(json.dumps(report, indent=None if as_json else 1))


@app.command("train-tagger")
def train_tagger(
    data: Annotated[Path, typer.Option(help="JSON lines of messages")] = Path("eval/data/dispatch.jsonl"),
    marks: Annotated[Path, typer.Option(help="JSON lines of the places that state fields")] = Path(
        "eval/data/marks.jsonl"
    ),
    pages: Annotated[
        Path | None, typer.Option(help="JSON lines of pieces of documents' pages with such places")
    ] = Path("eval/data/page_marks.jsonl"),
    out: Annotated[Path | None, typer.Option(help="folder of the tagger; default: the packaged one")] = None,
    start: Annotated[Path | None, typer.Option(help="folder of a tagger to go on from, with two more epochs")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train what points at the fields of messages and pages. Example: triage train-tagger --out build/tagger"""
    from classifiers.tagger import PACKAGED, load_tagger
    from classifiers.tagging import train_tagger as fit
    from triage.training_text import load_marked, load_marked_pages

    try:
        examples = [*(load_marked_pages(pages) if pages else ()), *load_marked(data, marks)]
        with _progress() as progress:
            bundle = fit(examples, start=load_tagger(start) if start else None, progress=progress)
    except (OSError, ValueError, RuntimeError) as error:
        raise fail(str(error)) from error
    bundle.save(out or PACKAGED)
    report = {"version": bundle.version, "fields": bundle.fields, **bundle.trained_on}
    typer.echo(json.dumps(report, indent=None if as_json else 1))


@keys.command("add")
def keys_add(
    name: Annotated[str, typer.Argument(help="who will use it")],
    scope: Annotated[list[str], typer.Option(help="ingest, read, feedback or admin (all); may be given again")] = [
        "ingest",
        "read",
    ],
    site: Annotated[list[str] | None, typer.Option(help="only this site; may be given again")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it once. Example: triage keys add n8n --scope ingest --scope read"""
    from triage.runtime import utc_now

    wrong = set(scope) - set(SCOPES)
    if wrong:
        raise fail(f"unknown scope {', '.join(sorted(wrong))}; there are {', '.join(SCOPES)}", 2)
    key, digest = make_key()
    key_id = open_store(read_settings()).add_key(name, digest, scope, site, utc_now())
    typer.echo(
        json.dumps({"id": key_id, "name": name, "key": key}) if as_json else f"{key}\nKeep it: it is not shown again."
    )


@keys.command("list")
def keys_list(as_json: JsonOption = False) -> None:
    """List the keys, never their secrets. Example: triage keys list"""
    for key in open_store(read_settings()).api_keys():
        state = "revoked" if key.revoked_at else "active"
        line = f"{key.id}  {key.name:24} {','.join(key.scopes):28} {','.join(key.sites or ['every site'])}  {state}"
        typer.echo(key.model_dump_json() if as_json else line)


@keys.command("revoke")
def keys_revoke(
    key_id: Annotated[str, typer.Argument(help="as triage keys list shows it")], as_json: JsonOption = False
) -> None:
    """Make a key useless at once. Example: triage keys revoke key_0199…"""
    from triage.errors import NotFound
    from triage.runtime import utc_now

    now = utc_now()
    try:
        open_store(read_settings()).revoke_key(key_id, now)
    except NotFound as error:
        raise fail(error.message, 2) from error
    typer.echo(json.dumps({"id": key_id, "revoked_at": now.isoformat()}) if as_json else f"{key_id} is revoked")


@retention.command("run")
def retention_run(
    days: Annotated[int | None, typer.Option(min=1, help="default: TRIAGE_RETENTION_DAYS")] = None,
    as_json: JsonOption = False,
) -> None:
    """Delete messages that ended longer ago, with their results, feedback and files; the audit stays.

    Write what people said first: triage feedback export. Example: triage retention run --days 365
    """
    from datetime import timedelta

    from triage.retention import forget
    from triage.runtime import utc_now

    chosen = read_settings()
    span = days or chosen.retention_days
    if span is None:
        raise fail("nothing says how old; set TRIAGE_RETENTION_DAYS or give --days", 2)
    now = utc_now()
    with tqdm(unit="message", disable=not sys.stderr.isatty()) as bar:
        gone = forget(open_store(chosen), now - timedelta(days=span), now, bar.update)
    typer.echo(gone.model_dump_json() if as_json else f"{gone.messages} messages and {gone.files} files deleted")


@config.command("show")
def config_show(as_json: JsonOption = False) -> None:
    """Print every setting in force as lines of a .env, secrets masked. Example: triage config show"""
    shown = read_settings().model_dump(mode="json")
    if shown["database_url"]:
        import sqlalchemy as sa

        shown["database_url"] = sa.engine.make_url(shown["database_url"]).render_as_string(hide_password=True)
    if as_json:
        typer.echo(json.dumps(shown))
    else:
        for name, value in shown.items():
            said = "" if value is None else value if isinstance(value, str) else json.dumps(value)
            typer.echo(f"TRIAGE_{name.upper()}={said}")


def main() -> None:
    app()
