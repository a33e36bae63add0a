"""Messages a second through the whole way, beside the encoders alone on the same texts in the same run.

    python -m eval.bench.end_to_end --messages 200

The store is a fresh SQLite file, Odoo is an object that answers at once: what is measured is ours. Losses are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from classifiers.embedding import Encoder
from classifiers.text import classifier_text
from extractors.limits import Limits
from extractors.message import Attachment, Message, message_from_json
from triage.odoo.records import Record
from triage.result import FINAL_STATES, Draft, OdooItem
from triage.runtime import Runtime
from triage.settings import Settings

DATA = Path("eval/data/dispatch.jsonl")


class InstantOdoo:
    """Knows every record and creates every item, in no time."""

    def find(self, references: Mapping[str, Sequence[str]]) -> list[Record]:
        return [self.record(1)]

    def get(self, model: str, record_id: int) -> Record | None:
        return self.record(record_id)

    def record(self, number: int) -> Record:
        return Record(model="stock.picking", id=number, name=f"WH/OUT/{number:05d}")

    def publish(self, draft: Draft) -> OdooItem:
        return OdooItem(kind=draft.kind, model="mail.activity", id=1, url="http://odoo.example")


def two_pages() -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    file = BytesIO()
    canvas = Canvas(file)
    for page in (1, 2):
        canvas.drawString(72, 800, f"DELIVERY NOTE WH/OUT/00042   page {page} of 2")
        for line in range(40):
            canvas.drawString(
                72, 780 - 17 * line, f"{line + 1:3}  SKU-{line * 37:05}  article of this line   12 pcs   4.5 kg"
            )
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def messages(count: int) -> list[Message]:
    """Texts of the training split, as they are; more than there are begin anew under another id."""
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    texts = [row["message"] for row in rows if row["split"] == "train"]
    return [message_from_json(texts[n % len(texts)] | {"external_id": f"bench-{n}"}, Limits()) for n in range(count)]


def end_to_end(batch: Sequence[Message]) -> dict[str, float]:
    """Seconds from the first acceptance to the last final state, and how many came to which end."""
    odoo = InstantOdoo()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            _env_file=None, data_dir=Path(folder), odoo_fallback_model="stock.picking", odoo_fallback_id=1
        )
        runtime = Runtime.build(settings, records=odoo, publisher=odoo)
        runtime.start()
        try:
            warm = runtime.service.accept(
                batch[0].model_copy(update={"external_id": "warm"}), header=None, original=None
            )
            runtime.service.wait(warm.id, 60)
            cpu, started = time.process_time(), time.monotonic()
            for message in batch:
                runtime.service.accept(message, header=None, original=None)
            accepted = time.monotonic() - started
            while (done := sum(n for s, n in runtime.store.states().items() if s in FINAL_STATES)) < len(batch) + 1:
                if time.monotonic() - started > 600:
                    break
                time.sleep(0.1)
            seconds = time.monotonic() - started
            states = runtime.store.states()
        finally:
            runtime.stop()
    lost = len(batch) + 1 - done
    figures = {"per_second": len(batch) / seconds, "accept_per_second": len(batch) / accepted, "lost": lost}
    return figures | {"cpu_ms": (time.process_time() - cpu) * 1000 / len(batch), "failed": states.get("failed", 0)}


def encoders_alone(batch: Sequence[Message]) -> float:
    """Texts a second, one at a time, as messages come."""
    encoder = Encoder()
    texts = [classifier_text(m.subject, m.newest, m.quoted) for m in batch]
    encoder.encode(texts[:3])
    started = time.monotonic()
    for text in texts:
        encoder.encode([text])
    return len(texts) / (time.monotonic() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200)
    count = parser.parse_args().messages
    plain = messages(count)
    pdf = Attachment(filename="note.pdf", content_type="application/pdf", content=two_pages())
    with_pdf = [m.model_copy(update={"attachments": (pdf,), "external_id": f"{m.external_id}-pdf"}) for m in plain]
    alone = encoders_alone(plain)
    text_only, documents = end_to_end(plain), end_to_end(with_pdf)
    report = {
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "messages": count,
        "encoders_alone_per_second": round(alone, 1),
        "text_only": {name: round(value, 2) for name, value in text_only.items()},
        "with_2_page_pdf": {name: round(value, 2) for name, value in documents.items()},
        "ratio_text_only_to_encoders": round(text_only["per_second"] / alone, 3),
        "ratio_pdf_to_encoders": round(documents["per_second"] / alone, 3),
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
