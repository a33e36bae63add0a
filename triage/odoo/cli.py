"""`triage odoo …`: what an operator does once, and looks at when something is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from triage.console import build, configured, fail, read_settings

if TYPE_CHECKING:
    from triage.runtime import Runtime

T = TypeVar("T")

odoo_app = typer.Typer(no_args_is_help=True, help="Set Odoo up for the service, and check what it may do there.")

JsonOption = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


@odoo_app.command()
def setup(
    url: Annotated[str, typer.Option(envvar="TRIAGE_ODOO_URL", help="http(s)://host[:port]")],
    db: Annotated[str, typer.Option(envvar="TRIAGE_ODOO_DB", help="name of the database")],
    admin_login: Annotated[
        str | None, typer.Option(envvar="TRIAGE_ODOO_ADMIN_LOGIN", help="asked for if not given")
    ] = None,
    admin_password: Annotated[
        str | None, typer.Option(envvar="TRIAGE_ODOO_ADMIN_PASSWORD", help="or its API key; asked for if not given")
    ] = None,
    bot: Annotated[str, typer.Option(envvar="TRIAGE_ODOO_LOGIN", help="the bot's login")] = "dispatch-triage",
    bot_password: Annotated[
        str | None, typer.Option(envvar="TRIAGE_ODOO_PASSWORD", help="for a new bot; made and shown once if not given")
    ] = None,
    bot_email: Annotated[str | None, typer.Option(help="for a new bot: the sender of Odoo's notifications")] = None,
    take_over: Annotated[bool, typer.Option("--take-over", help="make an existing user the bot")] = False,
    category: Annotated[
        list[str] | None, typer.Option(help="approval category; may be given again; default: all of the policy's")
    ] = None,
    policy_file: Annotated[Path | None, typer.Option(envvar="TRIAGE_POLICY_FILE", help="names the categories")] = None,
    approver: Annotated[list[str] | None, typer.Option(help="login of who approves; may be given again")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="take everything away again")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the bot, its rights and its server actions, with an administrator's login that is not kept.

    Example: triage odoo setup --url https://odoo.example.com --db prod --approver ari --dry-run
    """
    from triage.errors import BadInput, TriageError
    from triage.odoo.connect import FIRST_WITHOUT_RPC, Access, Wire, connect
    from triage.odoo.server import ask_server
    from triage.odoo.setup import Bot, Setup

    login = admin_login or typer.prompt("Administrator's login", err=True)
    secret = admin_password or typer.prompt("Administrator's password", hide_input=True, err=True)
    try:
        server = ask_server(url, 60)
        wire: Wire = "rpc" if server.major < FIRST_WITHOUT_RPC else "json2"
        work = Setup(connect(Access(url, db, login, secret, secret, 60, wire)), url, dry_run=dry_run)
        made = Bot(bot, bot_password, bot_email, take_over)
        steps = (
            work.remove() if remove else work.install(made, category or policy_categories(policy_file), approver or [])
        )
    except BadInput as error:
        raise fail(error.message, 2) from error
    except (TriageError, ValueError) as error:
        raise fail(error) from error
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run, "steps": [asdict(step) for step in steps]}))
        return
    for step in steps:
        typer.echo(str(step))
    if not remove:
        typer.echo(f"\nTRIAGE_ODOO_URL={url}\nTRIAGE_ODOO_DB={db}\nTRIAGE_ODOO_LOGIN={bot}\nTRIAGE_ODOO_PASSWORD=…")
        if server.major >= 14:
            typer.echo(
                "or, better: log in as the bot, My Profile, Account Security, New API Key: TRIAGE_ODOO_API_KEY=…"
            )
    if dry_run:
        typer.echo("\nNothing was changed.")


@odoo_app.command()
def check(as_json: JsonOption = False) -> None:
    """Say what the bot can do, cannot do and should not be able to do. Example: triage odoo check

    Exit status 1 where something is red.
    """
    from triage.errors import TriageError
    from triage.odoo.check import Finding, findings, gather
    from triage.odoo.connect import chosen, connect, odoo_access
    from triage.odoo.gateway import Gateway
    from triage.odoo.json2 import Json2Transport
    from triage.odoo.server import ask_server

    settings = read_settings()
    if not settings.odoo_configured:
        raise fail("Odoo is not configured; set TRIAGE_ODOO_URL, _DB, _LOGIN and _PASSWORD", 2)
    with configured():
        categories = policy_categories(settings.policy_file)
    try:
        access = odoo_access(settings)
        server = ask_server(access.url, access.timeout)
        transport = chosen(connect(access))
        wire: Literal["rpc", "json2"] = "json2" if isinstance(transport, Json2Transport) else "rpc"
        found = findings(gather(Gateway(transport), server, wire, categories))
    except TriageError as error:
        found = [Finding("red", error.code, error.message)]
    worst = found[0].level
    if as_json:
        typer.echo(json.dumps({"status": worst, "findings": [asdict(finding) for finding in found]}))
    else:
        for finding in found:
            typer.secho(f"{finding.level:6}", fg={"amber": "yellow"}.get(finding.level, finding.level), nl=False)
            typer.echo(finding.text)
    if worst == "red":
        raise typer.Exit(1)


@odoo_app.command("pull-outcomes")
def pull_outcomes(as_json: JsonOption = False) -> None:
    """Read what people did with our activities and requests; the worker does it by itself, too.

    Example: triage odoo pull-outcomes
    """
    with _runtime() as runtime:
        pulled = _pulling(runtime.pull_outcomes)
    new = ", ".join(f"{count} {verdict}" for verdict, count in pulled.new.items() if count) or "nothing new"
    typer.echo(pulled.model_dump_json() if as_json else f"{pulled.asked} items asked for: {new}")


@odoo_app.command("pull-documents")
def pull_documents(
    since: Annotated[
        datetime | None, typer.Option(help="UTC; default: where the last run ended, at first a day back")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take in new PDF files on the models of TRIAGE_ODOO_DOCUMENT_MODELS; the worker does it by itself, too.

    Example: triage odoo pull-documents --since 2026-11-01
    """
    with _runtime() as runtime:
        if not runtime.settings.odoo_document_models:
            raise fail("no model is named; set TRIAGE_ODOO_DOCUMENT_MODELS='[\"stock.picking\"]'", 2)
        pulled = _pulling(lambda: runtime.pull_documents(since.replace(tzinfo=UTC) if since else None))
    text = f"{pulled.new} taken in, {pulled.known} known before, {pulled.refused} refused"
    typer.echo(pulled.model_dump_json() if as_json else text)


@contextmanager
def _runtime() -> Iterator[Runtime]:
    """The service without its worker: what is taken in is worked off by the one that runs."""
    settings = read_settings().model_copy(update={"run_worker": False})
    if not settings.odoo_configured:
        raise fail("Odoo is not configured; set TRIAGE_ODOO_URL, _DB, _LOGIN and _PASSWORD", 2)
    runtime = build(settings)
    try:
        yield runtime
    finally:
        runtime.stop()


def _pulling(work: Callable[[], T]) -> T:
    from triage.errors import TriageError

    try:
        return work()
    except TriageError as error:
        raise fail(error.message) from error


def policy_categories(file: Path | None) -> list[str]:
    from classifiers.taxonomy import load_taxonomy
    from triage.policy import FILE, load_policy

    return sorted(load_policy(load_taxonomy(), file or FILE).categories)
