"""The HTTP API: routes and nothing else. `api:app` is the ASGI app; `create_app` builds one on other settings."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, Literal, TypeVar

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, Header, Query, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse
from fastapi.security import APIKeyHeader, HTTPBearer
from prometheus_client import generate_latest
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classifiers.taxonomy import Label
from extractors.conflicts import Conflict
from extractors.message import Submission, Value
from triage.callbacks import check_url
from triage.errors import BadInput, NotFound, TooLarge, TriageError, Unauthorized, Unavailable
from triage.intake import FORMS, Body, limits_of
from triage.policy import Policy
from triage.result import FINAL_STATES, DocumentSummary, FieldValue, Result, ScoredLabel, State
from triage.runtime import Runtime
from triage.security import Caller, basic_user, identify, refuse_other_sites
from triage.settings import Settings
from triage.store.store import Feedback, Filter
from triage.telemetry import RECEIVED, REFUSED
from triage.web import pages

T = TypeVar("T")
STATELESS_AT_ONCE = 8  # of 40 threads: files may be read for minutes, and intake must find a thread all the same
WAIT_SECONDS = 0.1  # between two looks at whether a message that somebody waits for is done
log = logging.getLogger(__name__)
Code = Literal["P1", "P2", "P3", "P4"]


class Problem(Value):
    field: str
    problem: str


class Error(Value):
    """Every answer that is not a 2xx has this form."""

    message: str
    code: str
    detail: tuple[Problem, ...] = ()
    request_id: str


class TryLater(Error):
    """An error that passes; the header Retry-After says the same."""

    retry_after_s: int


class MessagePage(Value):
    data: tuple[Result, ...]
    next_cursor: str | None
    has_more: bool
    next: str | None


class Me(Value):
    name: str
    scopes: tuple[str, ...]
    sites: tuple[str, ...] | None


class FeedbackSaved(Value):
    id: str
    message_id: str


class Classified(Value):
    label: str
    confidence: float
    is_exception: bool
    scores: tuple[ScoredLabel, ...]
    abstained: str | None
    classifier: str


class Extracted(Value):
    documents: tuple[DocumentSummary, ...]
    fields: dict[str, tuple[FieldValue, ...]]
    conflicts: tuple[Conflict, ...]
    extractor: str


class TaxonomyInForce(Value):
    version: str
    labels: tuple[dict[str, Any], ...]


class LimitBody:
    """Counts the bytes as they come, so that a body past the limit is refused whatever its headers claim."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                megabytes = self.limit / 1024 / 1024
                raise TooLarge(f"the body is larger than {megabytes:.0f} MB; send fewer or smaller files", field="body")
            return message

        await self.app(scope, counted, send)


# What every route needs


async def runtime_of(request: Request) -> Runtime:  # else FastAPI has it wait for a thread, without a deadline
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeOf = Annotated[Runtime, Depends(runtime_of)]


# They only stand in the OpenAPI document: the keys are read below, where the dashboard's login is known, too.
BEARER = HTTPBearer(auto_error=False, scheme_name="Bearer")
API_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, scheme_name="X-API-Key")


async def caller_of(
    request: Request,
    runtime: RuntimeOf,
    _bearer: Annotated[object, Security(BEARER)],
    _api_key: Annotated[object, Security(API_KEY)],
) -> Caller:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    key = request.headers.get("x-api-key")
    if scheme.lower() == "bearer":
        key = credentials.strip()
    # A browser on the dashboard: any user name, the key as password. It sends that with the forms of other web sites
    # too, so it opens nothing else.
    elif scheme.lower() == "basic" and request.url.path.startswith("/dashboard"):
        try:
            key = base64.b64decode(credentials).decode().partition(":")[2]
        except (ValueError, binascii.Error):
            raise Unauthorized("the Authorization header cannot be read; log in again") from None
    client = request.client.host if request.client else None
    return await in_thread(runtime, lambda: identify(runtime.store, key, client, request.headers))


CallerOf = Annotated[Caller, Depends(caller_of)]


async def read_in_thread(runtime: Runtime, work: Callable[[], T], limiter: CapacityLimiter) -> T:
    """Reading and labelling what is not stored, with a deadline in which the wait for a turn counts."""
    try:
        return await asyncio.wait_for(
            to_thread.run_sync(work, abandon_on_cancel=True, limiter=limiter), runtime.stateless_seconds
        )
    except TimeoutError:
        raise Unavailable("it was not read in time; send fewer or smaller files, or fewer at once") from None


async def in_thread(runtime: Runtime, work: Callable[[], T]) -> T:
    """Blocking work off the event loop, with a deadline; a database that hangs is a 503 and never a hanging client."""
    try:
        return await asyncio.wait_for(to_thread.run_sync(work, abandon_on_cancel=True), runtime.settings.intake_seconds)
    except TimeoutError:
        raise Unavailable("the store did not answer in time; send it again, it will be taken in once") from None
    except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
        log.exception("the store is unavailable")
        raise Unavailable("the store is unavailable; send it again, it will be taken in once") from error
    except sa.exc.DataError as error:
        raise BadInput("a value in the request has a character that the store cannot hold, such as NUL") from error


def absolute(request: Request, **query: str | int) -> str:
    return str(request.url.include_query_params(**query))


# What the routes read from the request themselves, for the OpenAPI document

REF = "#/components/schemas/{model}"
SUBMISSION = Submission.model_json_schema(ref_template=REF)
METADATA = ("channel", "external_id", "site", "received_at", "subject", "callback_url")


class Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """FastAPI sees no model in a body that a route reads itself, so what such a body is made of is added here."""
        document = super().openapi()
        own = {name: part for name, part in SUBMISSION.items() if name != "$defs"}
        document["components"]["schemas"] |= SUBMISSION["$defs"] | {Submission.__name__: own}
        return document


def body_doc() -> dict[str, Any]:
    """Body and query of the calls that take a message."""
    binary = {"type": "string", "format": "binary"}
    item = {"type": "object", "title": "EmailItem", "description": "An item of n8n's Email Trigger, as it is."}
    texts = {name: {"type": "string"} for name in Submission.model_fields if name != "attachments"}
    for name in ("sender", "thread", "record"):
        texts[name]["description"] = "the object as JSON"
    texts["metadata"] = {"type": "string", "description": "the whole message as JSON"}
    form = {"type": "object", "properties": texts, "additionalProperties": binary | {"description": "files"}}
    schemas: dict[str, Any] = {
        "application/json": {"anyOf": [{"$ref": REF.format(model=Submission.__name__)}, item]},
        "multipart/form-data": form,
    }
    fields = SUBMISSION["properties"] | {"filename": {"type": "string"}}
    only = dict.fromkeys(METADATA, "with a raw email, a PDF or a form") | {"filename": "with a PDF"}
    return {
        "requestBody": {"required": True, "content": {f: {"schema": schemas.get(f, binary)} for f in FORMS}},
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": fields[name], "description": forms}
            for name, forms in only.items()
        ],
    }


ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": TryLater if status in (429, 503) else Error, "description": text}
    for status, text in {
        400: "cannot be read",
        401: "no valid key",
        403: "scope or site missing",
        404: "not there",
        413: "too large",
        422: "refused",
        429: "queue full",
        500: "internal error",
        503: "store unavailable",
    }.items()
}


def create_app(settings: Settings | None = None, build: Callable[[Settings], Runtime] = Runtime.build) -> FastAPI:
    """`build` lets a test put other collaborators in."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime = await to_thread.run_sync(build, settings)
        app.state.runtime = runtime
        await to_thread.run_sync(runtime.start)
        try:
            yield
        finally:
            await to_thread.run_sync(runtime.stop)

    app = Api(
        title="Dispatch exception triage",
        version=version("dispatch-triage"),
        lifespan=lifespan,
        responses=ERRORS,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(LimitBody, limit=settings.max_body_bytes)
    add_error_handlers(app)
    add_message_routes(app, settings)
    add_stateless_routes(app, settings)
    add_operations_routes(app)
    add_pages(app)
    return app


def problem_of(problem: dict[str, Any]) -> Problem:
    if problem["type"] == "json_invalid":
        return Problem(field="body", problem=f"it is not JSON ({problem['ctx']['error']}); send one JSON object")
    where = ".".join(str(step) for step in problem["loc"][1:]) or str(problem["loc"][0])
    return Problem(field=where, problem=problem["msg"])


def add_error_handlers(app: FastAPI) -> None:
    def answer(request: Request, status: int, message: str, code: str, detail: list[Problem]) -> JSONResponse:
        REFUSED.labels(code).inc()
        error = Error(message=message, code=code, detail=tuple(detail), request_id=secrets.token_hex(8))
        content = error.model_dump(mode="json")
        headers = {}
        if status in (429, 503):
            headers["Retry-After"] = "60" if status == 429 else "5"
            content["retry_after_s"] = int(headers["Retry-After"])
        if status == 401 and request.url.path.startswith("/dashboard"):
            headers["WWW-Authenticate"] = 'Basic realm="API key as password"'
        return JSONResponse(content, status, headers)

    @app.exception_handler(TriageError)
    async def triage_error(request: Request, error: TriageError) -> JSONResponse:
        detail = [Problem(field=error.field, problem=error.message)] if error.field else []
        return answer(request, error.status, error.message, error.code, detail)

    @app.exception_handler(RequestValidationError)
    async def validation_error(request: Request, error: RequestValidationError) -> JSONResponse:
        detail = [problem_of(problem) for problem in error.errors()]
        return answer(request, 422, f"{detail[0].field}: {detail[0].problem}", "validation_error", detail)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        messages = {
            404: f"there is nothing at {request.url.path}; /openapi.json lists what there is",
            405: f"{request.method} is not allowed at {request.url.path}",
        }
        if isinstance(error.__cause__, TriageError):  # FastAPI wraps what reading a body raises
            return await triage_error(request, error.__cause__)
        codes = {400: "bad_input", 404: "not_found", 405: "method_not_allowed"}
        message = messages.get(error.status_code, str(error.detail))
        return answer(request, error.status_code, message, codes.get(error.status_code, "http_error"), [])

    @app.exception_handler(Exception)
    async def internal_error(request: Request, error: Exception) -> JSONResponse:
        log.error("request failed", exc_info=error, extra={"path": request.url.path})
        message = "an internal error; it is in the service's log, and the request can be sent again"
        return answer(request, 500, message, "internal_error", [])


def add_message_routes(app: FastAPI, settings: Settings) -> None:
    limits = limits_of(settings)

    @app.post(
        "/v1/messages",
        status_code=202,
        tags=["messages"],
        operation_id="submitMessage",
        summary="Submit one message",
        openapi_extra=body_doc(),
        response_description="safe in the store; as far as it has come",
        responses={200: {"model": Result, "description": "the whole result, or a replay"}},
    )
    async def submit_message(
        request: Request,
        response: Response,
        caller: CallerOf,
        runtime: RuntimeOf,
        wait: Annotated[float, Query(ge=0, le=30, description="seconds to hold the answer for the result")] = 0,
        idempotency_key: Annotated[
            str | None,
            Header(
                alias="Idempotency-Key",
                description="by which a repeat is known, before external_id; with another body it is a 422",
            ),
        ] = None,
    ) -> Result:
        caller.need("ingest")
        body = await Body.read(request, settings)

        def accept() -> tuple[str, bool]:
            message = body.message(limits)
            if message.site is None and caller.sites is not None and len(caller.sites) == 1:
                message = message.model_copy(update={"site": caller.sites[0]})
            caller.need_site(message.site)
            if message.callback_url:
                check_url(message.callback_url, settings)
            accepted = runtime.service.accept(
                message, header=idempotency_key, original=body.original, sites=caller.sites
            )
            RECEIVED.labels(message.channel, str(accepted.duplicate).lower()).inc()
            return accepted.id, accepted.duplicate

        message_id, duplicate = await in_thread(runtime, accept)
        result = await finished(runtime, message_id, wait)
        if duplicate and not caller.covers(result.site):
            # another site sent it first: this one learns that it came, and no more
            result = Result(id=result.id, state=result.state, channel=result.channel, received_at=result.received_at)
        if duplicate or (wait and result.state in FINAL_STATES):
            response.status_code = 200
        return result.model_copy(update={"duplicate": duplicate})

    @app.get("/v1/messages", tags=["messages"], operation_id="listMessages", summary="List messages, newest first")
    async def list_messages(
        request: Request,
        caller: CallerOf,
        runtime: RuntimeOf,
        state: State | None = None,
        label: str | None = None,
        priority: Code | None = None,
        needs_review: bool | None = None,
        site: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        cursor: str | None = None,
    ) -> MessagePage:
        caller.need("read")
        for name, at in (("since", since), ("until", until)):
            if at is not None and at.tzinfo is None:
                raise BadInput(f"{name} has no zone; write it like 2026-11-23T08:15:00Z", field=name)
            if at is not None and not 1 < at.year < 9999:  # in UTC it may be of no year at all
                raise BadInput(f"{name} is out of range; write it like 2026-11-23T08:15:00Z", field=name)
        where = Filter(
            state=state,
            label=label,
            priority=priority,
            needs_review=needs_review,
            site=site,
            since=since,
            until=until,
            sites=caller.sites,
        )
        found, following = await in_thread(runtime, lambda: runtime.store.page(where, limit, cursor))
        following_url = absolute(request, cursor=following) if following else None
        return MessagePage(data=tuple(found), next_cursor=following, has_more=following is not None, next=following_url)

    @app.get("/v1/messages/{message_id}", tags=["messages"], operation_id="getMessage", summary="Get one message")
    async def get_message(message_id: str, caller: CallerOf, runtime: RuntimeOf) -> Result:
        caller.need("read")
        return await in_thread(runtime, lambda: visible(runtime, caller, message_id))

    @app.post(
        "/v1/messages/{message_id}/feedback",
        status_code=201,
        tags=["messages"],
        operation_id="giveFeedback",
        summary="Say whether the result was right",
    )
    async def give_feedback(message_id: str, feedback: Feedback, caller: CallerOf, runtime: RuntimeOf) -> FeedbackSaved:
        caller.need("feedback")
        if feedback.label is not None and feedback.label not in runtime.taxonomy.labels:
            raise BadInput(f"label {feedback.label!r} is unknown; GET /v1/taxonomy lists the labels", field="label")
        if feedback.verdict == "correct" and not (feedback.label or feedback.fields or feedback.priority):
            raise BadInput("verdict 'correct' needs a label, fields or a priority", field="verdict")

        def save() -> str:
            said, label = feedback, visible(runtime, caller, message_id).label
            if said.verdict == "accept" and said.label is None:  # a later retry may give the message another one
                said = said.model_copy(update={"label": label})
            return runtime.store.add_feedback(message_id, said, runtime.clock())

        return FeedbackSaved(id=await in_thread(runtime, save), message_id=message_id)

    @app.post(
        "/v1/messages/{message_id}/retry",
        status_code=202,
        tags=["messages"],
        operation_id="retryMessage",
        summary="Put a failed or held message back to work",
    )
    async def retry_message(message_id: str, caller: CallerOf, runtime: RuntimeOf) -> Result:
        caller.need("ingest")

        def retry() -> Result:
            visible(runtime, caller, message_id)
            return runtime.service.retry(message_id, caller.name)

        return await in_thread(runtime, retry)


async def finished(runtime: Runtime, message_id: str, seconds: float) -> Result:
    """The result as soon as it is final, or as far as it has come when the time is over.

    The waiting holds no thread: those who wait would leave none for intake.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (await in_thread(runtime, lambda: runtime.store.state(message_id)))[0] in FINAL_STATES:
            break
        await asyncio.sleep(WAIT_SECONDS)
    return await in_thread(runtime, lambda: runtime.store.get(message_id))


def visible(runtime: Runtime, caller: Caller, message_id: str) -> Result:
    """Raises NotFound also for a message of another site: its existence is not told."""
    result = runtime.store.get(message_id)
    if not caller.covers(result.site):
        raise NotFound(f"there is no message {message_id}", field="id")
    return result


def add_stateless_routes(app: FastAPI, settings: Settings) -> None:
    limits = limits_of(settings)
    limiter = CapacityLimiter(STATELESS_AT_ONCE)

    @app.post(
        "/v1/classify",
        tags=["stateless"],
        operation_id="classify",
        summary="Label a message without storing it",
        openapi_extra=body_doc(),
    )
    async def classify(request: Request, caller: CallerOf, runtime: RuntimeOf) -> Classified:
        caller.need("ingest")
        body = await Body.read(request, settings)
        understood = await read_in_thread(runtime, lambda: runtime.understand(body.message(limits)), limiter)
        prediction = understood.prediction
        ranked = sorted(prediction.scores.items(), key=lambda item: -item[1])
        return Classified(
            label=prediction.label,
            confidence=prediction.confidence,
            is_exception=runtime.taxonomy.labels[prediction.label].exception,
            scores=tuple(ScoredLabel(label=code, confidence=score) for code, score in ranked),
            abstained=prediction.abstained,
            classifier=prediction.version,
        )

    @app.post(
        "/v1/extract",
        tags=["stateless"],
        operation_id="extract",
        summary="Read documents and fields without storing them",
        openapi_extra=body_doc(),
    )
    async def extract(request: Request, caller: CallerOf, runtime: RuntimeOf) -> Extracted:
        caller.need("ingest")
        body = await Body.read(request, settings)
        extraction = await read_in_thread(runtime, lambda: runtime.extract(body.message(limits)), limiter)
        return Extracted(
            documents=tuple(DocumentSummary.of(d) for d in extraction.documents),
            fields=FieldValue.by_field(extraction.findings),
            conflicts=extraction.conflicts,
            extractor=runtime.tools.extractor,
        )


def add_operations_routes(app: FastAPI) -> None:
    @app.get("/v1/me", tags=["service"], operation_id="me", summary="Name, scopes and sites of the key")
    async def me(caller: CallerOf) -> Me:
        return Me(name=caller.name, scopes=caller.scopes, sites=caller.sites)

    @app.get("/v1/taxonomy", tags=["service"], operation_id="taxonomy", summary="The labels in force")
    async def taxonomy(caller: CallerOf, runtime: RuntimeOf) -> TaxonomyInForce:
        caller.need("read")

        def shown(label: Label) -> dict[str, Any]:
            return {
                "code": label.code,
                "title": label.title,
                "is_exception": label.exception,
                "means": label.means,
                "x12_1651": label.x12,
            }

        labels = runtime.taxonomy.labels.values()
        return TaxonomyInForce(version=runtime.taxonomy.version, labels=tuple(shown(label) for label in labels))

    @app.get("/v1/policy", tags=["service"], operation_id="policy", summary="The policy in force")
    async def policy(caller: CallerOf, runtime: RuntimeOf, site: str | None = None) -> Policy:
        """Of the centre, or with `site` (a site's or a warehouse's code) of that site, which has `site` set there."""
        caller.need("read")
        if site:
            code = runtime.policy.site_of(site, None)
            caller.need_site(code)
            return runtime.policy.at(code)
        sites = {c: s for c, s in runtime.policy.sites.items() if caller.sites is None or c in caller.sites}
        return runtime.policy.model_copy(update={"sites": sites})

    @app.get("/health/live", tags=["service"], operation_id="live", summary="The process answers")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/health/ready",
        tags=["service"],
        operation_id="ready",
        summary="Readiness, part by part",
        responses={503: {"model": dict[str, Any], "description": "the same, where a part is down"}},
    )
    async def ready(runtime: RuntimeOf, response: Response) -> dict[str, Any]:
        parts = await in_thread(runtime, runtime.health)
        down = any(part["status"] == "down" for part in parts.values())
        response.status_code = 503 if down else 200
        degraded = any(part["status"] == "degraded" for part in parts.values())
        return {"status": "down" if down else "degraded" if degraded else "ok", "parts": parts}

    @app.get(
        "/metrics",
        tags=["service"],
        operation_id="metrics",
        summary="Counters and gauges for Prometheus",
        response_class=PlainTextResponse,
    )
    async def metrics(runtime: RuntimeOf) -> Response:
        text = await in_thread(runtime, lambda: generate_latest() + runtime.gauges())
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


NO_FRAME = {"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY"}


def add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("/dashboard")

    @app.get("/dashboard", response_class=HTMLResponse, include_in_schema=False)
    async def dashboard(
        request: Request,
        caller: CallerOf,
        runtime: RuntimeOf,
        state: State | None = None,
        label: str | None = None,
        priority: Code | None = None,
        needs_review: bool | None = None,
        cursor: str | None = None,
    ) -> HTMLResponse:
        caller.need("read")
        where = Filter(state=state, label=label, priority=priority, needs_review=needs_review, sites=caller.sites)
        return await in_thread(runtime, lambda: HTMLResponse(pages.queue(runtime, where, cursor, request.query_params)))

    @app.get("/dashboard/messages/{message_id}", response_class=HTMLResponse, include_in_schema=False)
    async def message_page(message_id: str, caller: CallerOf, runtime: RuntimeOf) -> HTMLResponse:
        caller.need("read")

        def page() -> HTMLResponse:
            result = visible(runtime, caller, message_id)
            # In a frame of another site, a person could be led to press the form's button.
            return HTMLResponse(pages.message(runtime, result, caller.may("feedback")), headers=NO_FRAME)

        return await in_thread(runtime, page)

    @app.post("/dashboard/messages/{message_id}/verdict", include_in_schema=False)
    async def judge_message(
        request: Request, message_id: str, caller: CallerOf, runtime: RuntimeOf
    ) -> RedirectResponse:
        """The form of the message's page: its label confirmed, or another one said to be right."""
        caller.need("feedback")
        refuse_other_sites(request.headers, runtime.settings.public_url)
        form = await request.form(max_files=0, max_fields=10, max_part_size=10_000)
        label, comment = str(form.get("label") or ""), str(form.get("comment") or "")[:2000].strip() or None
        if label not in runtime.taxonomy.labels:
            raise BadInput(f"label {label!r} is unknown; choose one of the list", field="label")
        by = f"{caller.name} ({person})" if (person := basic_user(request.headers)) else caller.name

        def save() -> None:
            verdict: Literal["accept", "correct"] = "correct"
            if label == visible(runtime, caller, message_id).label:
                verdict = "accept"
            said = Feedback(verdict=verdict, label=label, by=by[:200], comment=comment)
            runtime.store.add_feedback(message_id, said, runtime.clock(), source="page")

        await in_thread(runtime, save)
        return RedirectResponse(f"/dashboard/messages/{message_id}#verdict", status_code=303)


app = create_app()
