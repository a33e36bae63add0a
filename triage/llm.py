"""The one door to a language model: what goes out, what it may cost, and what happens when it does not answer.

A question passes, in this order: masking of personal data, the cache, the circuit breaker, the day's budget, the wire
(langchain on any OpenAI-compatible endpoint, under one deadline), the check against its schema. Whatever fails, the
caller gets NoAnswer and the local answer stands. openai and langchain are loaded with the first question.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from pydantic import SecretStr

from extractors.message import Value
from prompts import NoAnswer, Question
from triage.llm_book import Book, OverBudget, Stored
from triage.redaction import mask
from triage.settings import Settings
from triage.telemetry import LLM_QUESTIONS, LLM_TOKENS

UNAVAILABLE, OVER_BUDGET, INVALID = "llm_unavailable", "llm_over_budget", "llm_invalid_answer"
FAILURES_BEFORE_OPEN = 5
OPEN_SECONDS = 60.0
OF_THE_QUESTION = frozenset({400, 413, 422})  # it is too long, or a filter's: statuses that say nothing of the next one
CHARACTERS_PER_TOKEN = 3  # a low estimate, so that a budget is rather reserved too high; the server's count replaces it
# Chat templates turn these into the marks between system and user; in data they are only letters.
_CONTROL = re.compile(r"<(?=\|)|<(?=/?s>|<SYS>|(?:start|end)_of_turn>|(?:un)?used\d)|\[(?=/?INST\])", re.IGNORECASE)

log = logging.getLogger(__name__)


class LlmUse(Value):
    """What the questions about one message took: `cost` in the currency of the prices set, `problems` as in `degraded`.

    `prompts` names each prompt asked, with version and the first letters of its SHA-256.
    """

    model: str
    prompts: dict[str, str] = {}
    questions: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0
    problems: tuple[str, ...] = ()


class Reply(NamedTuple):
    """`value` keeps to the schema; tokens are as the server counted them, or estimated where it did not."""

    value: Any
    model: str
    input_tokens: int
    output_tokens: int


class Failed(NoAnswer):
    """A call that was made and gave no answer; `tokens` (input, output) are what it may have cost all the same.

    `away`: the server is, or is not well. Else it answered, and the next question may fare better.
    """

    def __init__(self, code: str, reason: str, tokens: tuple[int, int] = (0, 0), *, away: bool) -> None:
        super().__init__(code, reason)
        self.tokens = tokens
        self.away = away


class Wire(Protocol):
    """Raises Failed."""

    def ask(self, system: str, user: str, schema: dict[str, Any], max_tokens: int, seconds: float) -> Reply: ...

    def close(self) -> None: ...


class LanguageModel(AbstractContextManager["LanguageModel"]):
    """Safe to use from several threads. `clock` gives the time in UTC, `fence` a random word for each question."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        fence: Callable[[], str] = lambda: secrets.token_hex(8),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if settings.llm_url is None or settings.llm_model is None:
            raise ValueError("no language model is set up; set TRIAGE_LLM_URL and TRIAGE_LLM_MODEL")
        self.model = settings.llm_model
        self._settings = settings
        self._clock = clock
        self._fence = fence
        self._wire: Wire | None = None
        self._book = Book(settings.data_dir / "llm.sqlite3", settings.llm_daily_tokens, settings.llm_daily_cost)
        self._breaker = Breaker(monotonic)
        self._slots = threading.BoundedSemaphore(settings.llm_parallel)
        self._lock = threading.Lock()
        self._problem: str | None = None

    def conversation(self, people: Sequence[str] = ()) -> Conversation:
        """For the questions about one message; `people` are the names to mask (`redaction.people_in`)."""
        return Conversation(self, people)

    def answer(self, question: Question, people: Sequence[str] = ()) -> tuple[Any, LlmUse]:
        """The answer with personal data restored, and what it took. Raises NoAnswer."""
        started = time.monotonic()
        masked = mask(question.given, people)
        given = {name: _CONTROL.sub(_harmless, text) for name, text in masked.texts.items()}
        schema = question.schema()
        key = self._key(question, schema, given)
        outcome = "cached"
        try:
            stored = self._book.cached(key)
            if stored is None:
                reply = self._asked(question, schema, given)
                stored = Stored(json.dumps(reply.value, ensure_ascii=False), reply.model)
                self._book.keep(key, stored, self._clock())
                tokens, outcome = (reply.input_tokens, reply.output_tokens), "answered"
            else:
                tokens = (0, 0)
        except (NoAnswer, sqlite3.Error) as error:
            problem = error if isinstance(error, NoAnswer) else NoAnswer(UNAVAILABLE, f"its file fails: {error}")
            outcome, asked = problem.code, question.prompt.id
            log.warning("the language model gave no answer", extra={"prompt": asked, "why": problem.reason})
            raise problem from None
        finally:
            LLM_QUESTIONS.labels(question.prompt.id, outcome).inc()
        use = LlmUse(
            model=stored.model,
            questions=1,
            cached=int(outcome == "cached"),
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            cost=self._price(*tokens),
            seconds=round(time.monotonic() - started, 3),
        )
        return masked.restore(json.loads(stored.value)), use

    def health(self) -> dict[str, Any]:
        """`ok`, or `degraded` with the problem: it looks at the last calls and asks nothing itself."""
        spent = self._book.spent(self._clock())
        shown = {"model": self.model, "tokens_today": spent.tokens, "cost_today": round(spent.cost, 6)}
        problem = self._book.full(spent) or self._problem
        return {"status": "degraded", "problem": problem, **shown} if problem else {"status": "ok", **shown}

    def close(self) -> None:
        with self._lock:
            if self._wire is not None:
                self._wire.close()
                self._wire = None
        self._book.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _key(self, question: Question, schema: dict[str, Any], given: Mapping[str, str]) -> str:
        """Whatever could change the answer; the fence is random and left out."""
        s = self._settings
        parts = [s.llm_url, s.llm_model, s.llm_temperature, question.prompt.sha256, schema, dict(question.told), given]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _price(self, input_tokens: int, output_tokens: int) -> float:
        s = self._settings
        return (input_tokens * s.llm_price_input + output_tokens * s.llm_price_output) / 1e6

    def _asked(self, question: Question, schema: dict[str, Any], given: Mapping[str, str]) -> Reply:
        fence = self._fence()
        system, user = question.text(fence), fenced(given, fence)
        limit = question.prompt.max_tokens
        if not self._slots.acquire(timeout=self._settings.llm_timeout):
            raise NoAnswer(UNAVAILABLE, "all calls to the language model are taken")
        try:
            estimate = (len(system) + len(user) + len(json.dumps(schema))) // CHARACTERS_PER_TOKEN
            day = self._clock()
            try:
                self._book.reserve(day, estimate + limit, self._price(estimate, limit))
            except OverBudget as full:
                raise NoAnswer(OVER_BUDGET, str(full)) from None
            used = (0, 0)
            try:
                if not self._breaker.allows():
                    raise NoAnswer(UNAVAILABLE, f"not asked again for a while: {self._problem}")
                reply = self._open_wire().ask(system, user, schema, limit, self._settings.llm_timeout)
                used = (reply.input_tokens, reply.output_tokens)
            except Failed as problem:
                used = problem.tokens
                self._problem = problem.reason
                # What a text from outside can bring about must not stop the questions about all other messages.
                if problem.away:
                    self._breaker.failed()
                else:
                    self._breaker.succeeded()
                raise
            finally:
                self._book.settle(day, sum(used) - estimate - limit, self._price(*used) - self._price(estimate, limit))
                LLM_TOKENS.labels("input").inc(used[0])
                LLM_TOKENS.labels("output").inc(used[1])
            self._breaker.succeeded()
            self._problem = None
            return reply
        finally:
            self._slots.release()

    def _open_wire(self) -> Wire:
        with self._lock:
            if self._wire is None:
                self._wire = LangchainWire(self._settings)
            return self._wire


class Conversation:
    """An `Ask` that remembers what it took. One message, one thread."""

    def __init__(self, model: LanguageModel, people: Sequence[str]) -> None:
        self._model = model
        self._people = people
        self.use = LlmUse(model=model.model)

    def __call__(self, question: Question) -> Mapping[str, Any]:
        prompt = question.prompt
        named = {**self.use.prompts, prompt.id: f"{prompt.version}:{prompt.sha256[:12]}"}
        try:
            answer, took = self._model.answer(question, self._people)
        except NoAnswer as problem:
            spent = problem.tokens if isinstance(problem, Failed) else (0, 0)
            more = {
                "problems": tuple(dict.fromkeys((*self.use.problems, problem.code))),
                "prompts": named,
                "input_tokens": self.use.input_tokens + spent[0],
                "output_tokens": self.use.output_tokens + spent[1],
                "cost": round(self.use.cost + self._model._price(*spent), 8),
            }
            self.use = self.use.model_copy(update=more)
            raise
        so_far = self.use
        self.use = LlmUse(
            model=took.model,
            prompts=named,
            questions=so_far.questions + 1,
            cached=so_far.cached + took.cached,
            input_tokens=so_far.input_tokens + took.input_tokens,
            output_tokens=so_far.output_tokens + took.output_tokens,
            cost=round(so_far.cost + took.cost, 8),
            seconds=round(so_far.seconds + took.seconds, 3),
            problems=so_far.problems,
        )
        assert isinstance(answer, dict)
        return answer


class Breaker:
    """After some failures of the server in a row nothing is asked for a while; then one question tries again."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_again_at = 0.0

    def allows(self) -> bool:
        with self._lock:
            now = self._monotonic()
            if self._failures < FAILURES_BEFORE_OPEN:
                return True
            if now < self._closed_again_at:
                return False
            self._closed_again_at = now + OPEN_SECONDS  # this one tries; the others wait for how it ends
            return True

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            self._closed_again_at = self._monotonic() + OPEN_SECONDS

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0


class LangchainWire:
    """langchain's ChatOpenAI on a loop of its own, so that a deadline ends the call and not only the waiting for it."""

    def __init__(self, settings: Settings) -> None:
        import openai
        from langchain.chat_models import init_chat_model

        # Of its own: langchain shares one among all models of a process, and its connections belong to one loop.
        self._http = openai.DefaultAsyncHttpxClient(follow_redirects=False)

        @cache
        def chat(max_tokens: int) -> Any:
            return init_chat_model(
                str(settings.llm_model),
                model_provider="openai",
                base_url=settings.llm_url,
                api_key=settings.llm_api_key or SecretStr("none"),  # local servers want none, the library wants one
                temperature=settings.llm_temperature,
                max_tokens=max_tokens,
                timeout=settings.llm_timeout,
                max_retries=settings.llm_retries,
                http_async_client=self._http,
            )

        self._chat = chat
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="llm", daemon=True)
        self._thread.start()

    def ask(self, system: str, user: str, schema: dict[str, Any], max_tokens: int, seconds: float) -> Reply:
        import openai

        estimate = (len(system) + len(user)) // CHARACTERS_PER_TOKEN
        waiting = asyncio.run_coroutine_threadsafe(
            asyncio.wait_for(self._ask(system, user, schema, max_tokens), seconds), self._loop
        )
        try:
            answer = waiting.result(seconds + 5)
        except (TimeoutError, openai.APITimeoutError):
            waiting.cancel()
            raise Failed(UNAVAILABLE, f"it did not answer within {seconds:g} s", (estimate, 0), away=True) from None
        except openai.APIStatusError as error:
            away = error.status_code not in OF_THE_QUESTION
            raise Failed(UNAVAILABLE, f"it answered with the status {error.status_code}", away=away) from None
        except openai.LengthFinishReasonError as error:
            usage = error.completion.usage
            used = (usage.prompt_tokens, usage.completion_tokens) if usage else (estimate, max_tokens)
            raise Failed(INVALID, f"its answer is longer than {max_tokens} tokens", used, away=False) from None
        except openai.APIConnectionError as error:
            why = type(error.__cause__ or error).__name__
            raise Failed(UNAVAILABLE, f"it cannot be reached ({why})", away=True) from None
        except Exception as error:  # an answer of another form fails somewhere within the libraries
            why = type(error).__name__
            raise Failed(INVALID, f"its answer cannot be read ({why})", (estimate, 0), away=False) from None
        return _checked(answer, schema, estimate)

    async def _ask(self, system: str, user: str, schema: dict[str, Any], max_tokens: int) -> dict[str, Any]:
        from langsmith import tracing_context

        with tracing_context(enabled=False):  # a variable of the environment must not open a second door
            chain = self._chat(max_tokens).with_structured_output(
                schema, method="json_schema", include_raw=True, strict=True
            )
            answer = await chain.ainvoke([("system", system), ("human", user)])
        assert isinstance(answer, dict)
        return answer

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._http.aclose(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


def _checked(answer: Mapping[str, Any], schema: dict[str, Any], estimate: int) -> Reply:
    """Raises Failed, which knows what the bad answer cost."""
    from jsonschema import Draft202012Validator

    raw = answer["raw"]
    usage = raw.usage_metadata or {}
    tokens = (int(usage.get("input_tokens", estimate)), int(usage.get("output_tokens", 0)))
    if answer["parsed"] is None:
        raise Failed(INVALID, "its answer is not the JSON that was asked for", tokens, away=False)
    for wrong in Draft202012Validator(schema).iter_errors(answer["parsed"]):
        raise Failed(INVALID, f"its answer breaks the schema at {wrong.json_path}", tokens, away=False)
    return Reply(answer["parsed"], str(raw.response_metadata.get("model_name") or ""), *tokens)


def fenced(given: Mapping[str, str], fence: str) -> str:
    """Each text between two lines that its writer could not know."""
    return "\n\n".join(f"BEGIN {name} {fence}\n{text}\nEND {name} {fence}" for name, text in given.items())


def _harmless(mark: re.Match[str]) -> str:
    return "‹" if mark[0] == "<" else "("


def language_model(settings: Settings, clock: Callable[[], datetime]) -> LanguageModel | None:
    """None where no endpoint is set."""
    return LanguageModel(settings, clock) if settings.llm_url else None
