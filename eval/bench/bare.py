"""What the intake is measured beside: a FastAPI route that parses JSON, inserts it durably and answers 202.

python -m eval.bench.bare PORT FILE
"""

from __future__ import annotations

import json
import sqlite3
import sys
import uuid

import uvicorn
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse


def make(path: str) -> FastAPI:
    def insert(body: bytes) -> str:
        message = json.loads(body)
        identity = uuid.uuid4().hex
        connection = sqlite3.connect(path, timeout=30)
        try:
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("INSERT INTO message VALUES (?, ?)", (identity, json.dumps(message)))
            connection.commit()
        finally:
            connection.close()
        return identity

    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE message (id TEXT PRIMARY KEY, body TEXT NOT NULL)")
    app = FastAPI()

    @app.post("/v1/messages")
    async def take(request: Request) -> JSONResponse:
        identity = await run_in_threadpool(insert, await request.body())
        return JSONResponse({"id": identity}, 202)

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    return app


if __name__ == "__main__":
    uvicorn.run(make(sys.argv[2]), port=int(sys.argv[1]), log_level="warning", access_log=False)
