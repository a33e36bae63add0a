"""Prompts are files with an id, a version and a schema; a question is one of them with its blanks filled.

Whoever asks knows this module alone. The door that carries a question to a model (`triage/llm.py`) is handed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Protocol

import yaml

FOLDER = Path(__file__).parent
FENCE = "fence"  # the one blank that the door fills itself


class PromptError(ValueError):
    """A prompt file is missing or lacks what every prompt must say."""


@dataclass(frozen=True)
class Prompt:
    """`schema` is the JSON schema of the answer; a string `$name` in it is a blank for a list of choices.

    `text` tells the model what to do and never holds anything from outside. `sha256` is that of the whole file.
    """

    id: str
    version: str
    schema: dict[str, Any]
    max_tokens: int
    text: str
    sha256: str


@dataclass(frozen=True)
class Question:
    """`told` and `choices` are ours and fill the blanks of the text and of the schema; `given` is data from outside."""

    prompt: Prompt
    given: Mapping[str, str]
    told: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, fence: str) -> str:
        """Raises KeyError for a blank that was not filled."""
        return Template(self.prompt.text).substitute(self.told, **{FENCE: fence})

    def schema(self) -> dict[str, Any]:
        filled = _filled(self.prompt.schema, self.choices)
        assert isinstance(filled, dict)
        return filled


class Ask(Protocol):
    """An answer that keeps to the question's schema. Raises NoAnswer and nothing else."""

    def __call__(self, question: Question) -> Mapping[str, Any]: ...


class NoAnswer(Exception):
    """The local answer has to do; `code` is what the result is marked with."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@cache
def load_prompt(name: str) -> Prompt:
    """Raises PromptError that names the file and what is missing."""
    path = FOLDER / f"{name}.md"
    try:
        raw = path.read_bytes()
        _, head, text = raw.decode().split("---\n", 2)
        given = yaml.safe_load(head)
        return Prompt(
            id=given["id"],
            version=str(given["version"]),
            schema=given["schema"],
            max_tokens=int(given["max_tokens"]),
            text=text.strip(),
            sha256=hashlib.sha256(raw).hexdigest(),
        )
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise PromptError(
            f"{path.name} must begin with front matter (id, version, max_tokens, schema): {error!r}"
        ) from error


def _filled(part: Any, choices: Mapping[str, Sequence[str]]) -> Any:
    if isinstance(part, dict):
        return {name: _filled(value, choices) for name, value in part.items()}
    if isinstance(part, list):
        return [_filled(value, choices) for value in part]
    return list(choices[part[1:]]) if isinstance(part, str) and part.startswith("$") else part
