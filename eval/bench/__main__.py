"""The performance table in one command; each part in a process of its own, losses printed too.

    python -m eval.bench [classify pdf intake end_to_end embeddings store] [--out FILE.json]

Machines are noisy: read the ratios, which are taken within one part of one run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PARTS = ("classify", "pdf", "intake", "end_to_end", "embeddings", "store")
PACKAGES: tuple[str, ...] = (
    *("torch", "sentence-transformers", "numpy", "scikit-learn", "fastapi", "uvicorn", "sqlalchemy", "dbos"),
    *("pypdfium2", "pdfplumber"),
)


def machine() -> dict[str, Any]:
    cpu = next(
        (line.split(":", 1)[1].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "threads": {"torch": 1, "numpy": os.environ.get("OMP_NUM_THREADS", "as numpy sets it")},
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def run(part: str) -> dict[str, Any]:
    """The rows of a part, or why it could not be measured."""
    code = f"import json; from eval.bench.{part} import measure; print(json.dumps(measure()))"
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    seconds = round(time.monotonic() - started, 1)
    if done.returncode:
        return {"seconds": seconds, "failed": done.stderr.strip().splitlines()[-1:] or ["no message"]}
    return {"seconds": seconds, "rows": json.loads(done.stdout.splitlines()[-1])}


def as_text(part: str, found: dict[str, Any]) -> str:
    lines = [f"\n{part} ({found['seconds']} s)"]
    if "failed" in found:
        return "\n".join([*lines, f"  FAILED: {found['failed'][0]}"])
    for r in found["rows"]:
        ratio = f"{r['ratio']:8.2f} {r['of']}" if r["ratio"] is not None else ""
        lines.append(f"  {r['what']:80.80} {r['value']:12,.2f} {r['unit']:24} {ratio}".rstrip())
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="file for the table as JSON")
    given = parser.parse_args()
    unknown = set(given.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    table: dict[str, Any] = {"machine": machine(), "parts": {}}
    print(json.dumps(table["machine"], indent=1))
    for part in given.parts or PARTS:
        table["parts"][part] = run(part)
        print(as_text(part, table["parts"][part]), flush=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    if any("failed" in found for found in table["parts"].values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
