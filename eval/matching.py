"""How often the right record is taken among several that could be meant, and how often a person is asked instead.

Each case is a message as people write it, the records of Odoo that answer to it, and the one meant; null where nobody
could tell. Taking a wrong record is the fault that counts: `wrong`. To ask where the answer was there is `asked`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from eval.statistics import wilson
from extractors.extraction import extract
from extractors.limits import Limits
from extractors.message import Message, RecordRef, Value, message_from_json
from extractors.pdf import PdfReader
from triage.matching import match
from triage.odoo.records import Record

CASES = Path(__file__).parent / "data" / "matching" / "cases.jsonl"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Case(Value):
    """`meant` is the name of a record, or null where a person has to be asked."""

    id: str
    why: str
    message: dict[str, Any]
    records: tuple[Record, ...]
    thread_record: RecordRef | None = None
    meant: str | None


def load(path: Path) -> list[Case]:
    """ValueError with the line's number where one is no case."""
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            cases.append(Case.model_validate_json(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: no case: {error}") from error
    if not cases:
        raise ValueError(f"{path} holds no case; write one JSON object a line")
    return cases


def judge(case: Case) -> tuple[Literal["right", "asked", "wrong"], str]:
    """With what was matched, or why nothing was. The references are read from the text as in the service."""
    message: Message = message_from_json({"channel": "email", **case.message}, Limits())
    extraction = extract(message, PdfReader(Limits()), now=NOW)
    matching = match(
        extraction.findings, case.records, message.record, sender=message.sender.email, thread_record=case.thread_record
    )
    taken = matching.match.name if matching.match else None
    if taken == case.meant:
        return "right", taken or matching.reason or ""
    return ("asked" if taken is None else "wrong"), taken or matching.reason or ""


def evaluate(cases: Iterable[Case]) -> dict[str, Any]:
    judged = [(case, *judge(case)) for case in cases]
    counts = {name: sum(verdict == name for _, verdict, _ in judged) for name in ("right", "asked", "wrong")}
    low, high = wilson(counts["right"], len(judged))
    return {
        "cases": len(judged),
        **counts,
        "accuracy": {"value": counts["right"] / len(judged) if judged else None, "low": low, "high": high},
        "to_be_asked": sum(case.meant is None for case, _, _ in judged),
        "not_right": [
            {"id": case.id, "why": case.why, "meant": case.meant, "verdict": verdict, "said": said}
            for case, verdict, said in judged
            if verdict != "right"
        ],
    }


def as_text(found: dict[str, Any]) -> str:
    share = found["accuracy"]
    lines = [
        f"{found['right']} of {found['cases']} right ({share['low']:.0%} to {share['high']:.0%}), of which "
        f"{found['to_be_asked']} should ask; {found['asked']} asked in vain, {found['wrong']} matched wrongly"
    ]
    lines += [f"  {c['verdict']}: {c['id']} meant {c['meant'] or 'to ask'}: {c['said']}" for c in found["not_right"]]
    return "\n".join(lines)
