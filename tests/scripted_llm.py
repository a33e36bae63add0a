"""An OpenAI-compatible server on loopback that says what a test tells it to; a contract test holds it to a real one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple

MODEL = "scripted-1"
INPUT_TOKENS, OUTPUT_TOKENS = 100, 20


class Reply(NamedTuple):
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}
    after: float = 0.0


def says(value: Any, **more: Any) -> Reply:
    """`value` as the model's JSON, or as its very words where it is a string."""
    return Reply(json.dumps(completion(value if isinstance(value, str) else json.dumps(value))).encode(), **more)


def completion(content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": MODEL,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        },
    }


def error(status: int, **headers: str) -> Reply:
    body = {"error": {"message": "no", "type": "error", "param": None, "code": None}}
    return Reply(json.dumps(body).encode(), status, headers)


class ScriptedLlm(AbstractContextManager["ScriptedLlm"]):
    """`replies` are given in turn, the last one for ever; one may be a function of the request's JSON."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.replies: list[Reply | Callable[[dict[str, Any]], Reply]] = [says({})]
        self._lock = threading.Lock()
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # connections are kept, as by real servers

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                reply = scripted._next(asked)
                time.sleep(reply.after)
                try:
                    self.send_response(reply.status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(reply.body)))
                    for name, value in reply.headers.items():
                        self.send_header(name.replace("_", "-"), value)
                    self.end_headers()
                    self.wfile.write(reply.body)
                except OSError:
                    pass  # the caller no longer waits

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def script(self, *replies: Reply | Callable[[dict[str, Any]], Reply]) -> None:
        self.replies = list(replies)

    def sent(self, number: int = -1) -> str:
        """Everything the model would have read."""
        return "\n".join(message["content"] for message in self.requests[number]["messages"])

    def _next(self, asked: dict[str, Any]) -> Reply:
        with self._lock:
            self.requests.append(asked)
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply if isinstance(reply, Reply) else reply(asked)
