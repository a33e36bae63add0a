"""Coverage-guided fuzzing of what reads bytes from outside; needs `pip install atheris` (Linux, x86-64).

    python -m tests.fuzz mail -max_total_time=600      # or json, text; the rest is libFuzzer's

Anything but a message or an `InputError`, a value that does not stand in its source, or an input that takes longer than
thirty seconds ends it and is written to tests/extractors/found/TARGET-…; what lies there is tried with every test run.
"""

from __future__ import annotations

import sys
from pathlib import Path

SAMPLES = Path(__file__).parent.parent / "samples"


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["extractors"]):
        from tests.extractors.targets import FOUND, TARGETS, as_seed

    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"python -m tests.fuzz {'|'.join(TARGETS)} [libFuzzer's options]")
    target = sys.argv.pop(1)
    corpus = Path("build", "fuzz", target)
    corpus.mkdir(parents=True, exist_ok=True)
    FOUND.mkdir(exist_ok=True)
    for path in SAMPLES.iterdir():
        if seed := as_seed(target, path):
            (corpus / path.name).write_bytes(seed)
            TARGETS[target](seed)  # what is loaded on first use is not the fault of what comes first
    options = ["-timeout=30", "-rss_limit_mb=2048", "-max_len=20000", f"-artifact_prefix={FOUND}/{target}-"]
    atheris.Setup([sys.argv[0], str(corpus), *options, *sys.argv[1:]], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
