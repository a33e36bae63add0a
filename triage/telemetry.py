"""Logs as JSON lines on standard error, and the figures of `/metrics`."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime

from prometheus_client import Counter, Histogram

RECEIVED = Counter("triage_messages_received_total", "Messages taken in", ["channel", "duplicate"])
REFUSED = Counter("triage_requests_refused_total", "Requests answered with an error", ["code"])
STAGE_SECONDS = Histogram("triage_stage_seconds", "Seconds a stage took for one message", ["stage"])
PUBLISH_RETRIES = Counter("triage_publish_retries_total", "Publishing attempts put off because Odoo was unavailable")
CALLBACKS = Counter("triage_callbacks_total", "Tries to post a result, by what came of them", ["outcome"])
LLM_QUESTIONS = Counter("triage_llm_questions_total", "Questions to the language model", ["prompt", "outcome"])
LLM_TOKENS = Counter("triage_llm_tokens_total", "Tokens that the language model took", ["direction"])

SAY_AGAIN_SECONDS = 60.0  # what fails again and again is told as often
_STANDARD = {*logging.LogRecord("", 0, "", 0, "", (), None).__dict__, "message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class OnceAMinute(logging.Filter):
    """Of the warnings of one place one a minute: with its database away the engine writes a hundred lines a second."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING:
            return True
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._told.get(place, -SAY_AGAIN_SECONDS) < SAY_AGAIN_SECONDS:
            return False
        self._told[place] = now
        return True


def set_up_logging(level: str = "INFO") -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for talkative in ("httpx", "sentence_transformers", "alembic", "dbos"):  # a line for each migration, for one
        logging.getLogger(talkative).setLevel("WARNING")
    engine = logging.getLogger("dbos")
    # A handler, else it adds one of its own form; one without a stream, since it is flushed at every start.
    engine.handlers, engine.filters, engine.propagate = [logging.NullHandler()], [OnceAMinute()], True
