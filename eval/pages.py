"""Pictures of PDF pages for the report, made in a child process with limits: a case's PDF may be anybody's.

python -m eval.pages 1,2 < FILE.pdf prints {"1": "base64 of a PNG", …}
"""

from __future__ import annotations

import base64
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from io import BytesIO

SCALE = 1.2  # pixels a point: small type is still readable
SECONDS, MEMORY, LARGEST_SIDE = 20, 2 * 1024**3, 2000


def draw(content: bytes, numbers: Sequence[int]) -> dict[int, bytes]:
    """PNG by page number; what cannot be drawn is missing, whatever the bytes are."""
    command = [sys.executable, "-m", "eval.pages", ",".join(map(str, numbers))]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, check=True)  # noqa: S603
        return {int(number): base64.b64decode(png) for number, png in json.loads(done.stdout).items()}
    except (subprocess.SubprocessError, ValueError):
        return {}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    import pypdfium2

    drawn = {}
    with pypdfium2.PdfDocument(sys.stdin.buffer.read()) as document:
        for number in (int(n) for n in sys.argv[1].split(",")):
            if not 1 <= number <= len(document):
                continue
            page = document[number - 1]
            scale = min(SCALE, LARGEST_SIDE / max(page.get_size()))
            file = BytesIO()
            page.render(scale=scale, grayscale=True).to_pil().quantize(16).save(file, "PNG", optimize=True)
            drawn[number] = base64.b64encode(file.getvalue()).decode()
    print(json.dumps(drawn))


if __name__ == "__main__":
    main()
