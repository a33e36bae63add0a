"""The same text for training as for triage: a labelled message goes through the same reading as a live one."""

from __future__ import annotations

from typing import Any

from classifiers.text import classifier_text
from extractors.limits import Limits
from extractors.message import message_from_json


def text_of(message: dict[str, Any]) -> str:
    read = message_from_json(message, Limits())
    return classifier_text(read.subject, read.newest, read.quoted)
