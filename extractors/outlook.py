"""Outlook's own containers, winmail.dat (TNEF) and .msg, opened in a child process that ends with the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from extractors.child import KEPT_ENVIRONMENT

TNEF = "application/ms-tnef"
MSG = "application/vnd.ms-outlook"

_CHILD = Path(__file__).with_name("outlook_child.py")
_SECONDS = 10
_MOST_FILES = 100


@dataclass(frozen=True)
class Opened:
    """`headers` are those of the mail as it was transported, where a .msg has kept them."""

    text: str = ""
    html: str = ""
    subject: str = ""
    sender: str = ""
    sent_at: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    files: tuple[tuple[str, bytes], ...] = ()


def open_container(content: bytes, kind: str) -> Opened | None:
    """What is in a file of type `TNEF` or `MSG`; None where it is damaged, too large or hostile."""
    environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, "-P", str(_CHILD), kind, str(_SECONDS)],
            input=content,
            capture_output=True,
            timeout=_SECONDS + 5,
            env=environment,
            check=True,
        )
        line, _, data = done.stdout.partition(b"\n")
        said = json.loads(line)
    except (subprocess.SubprocessError, OSError, ValueError):
        return None
    files: list[tuple[str, bytes]] = []
    for name, size in said["files"][:_MOST_FILES]:
        files.append((name.rstrip("\0"), data[:size]))
        data = data[size:]
    return Opened(
        text=said["text"],
        html=said["html"],
        subject=said.get("subject") or "",
        sender=said.get("from") or "",
        sent_at=said.get("sent_at"),
        headers=said.get("headers") or {},
        files=tuple(files),
    )
