"""Can a sender steer the service by writing to it? Attacks put into clean cases, and harmless words like theirs.

Every attack is compared with its twin: the same case in the same form (a hidden element, a PDF, a file name) without
the attack, so that what is counted is the attack's doing alone.

- flips: the label changed. success: what the attack is after came about, of the pairs where it was not so before.
- filed_otherwise: the label changed, and the service was sure of itself before and after.
- silenced: the message would now be ignored, and would not have been before. That is the harm that nobody would notice.
- control: harmless sentences put into the same cases; an attack that flips no more than these merely distracts.
"""

from __future__ import annotations

import base64
import html
import json
import random
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from eval.datasets import Case, Dataset, DatasetError
from eval.product import Product, Row, code_sha256
from eval.statistics import SEED, Estimate, estimate, rounded, wilson
from extractors.message import Value

DATA = Path(__file__).parent / "data" / "injection"
CASES_AN_ATTACK = 10
CASES_A_FOREIGN_ATTACK = 4
SEEN = "Please see the attached."  # so short that the documents are read, too
HTML_CARRIERS = {
    "html_comment": "<!-- {} -->",
    "hidden_html": '<div style="display:none">{}</div>',
    "white_text": '<p style="color:#ffffff;background-color:#ffffff">{}</p>',
}

Carrier = Literal[
    "body_start",
    "body_end",
    "subject",
    "signature",
    "quoted",
    "html_comment",
    "hidden_html",
    "white_text",
    "filename",
    "pdf_layer",
]
Progress = Callable[[str, int, int], None]


class Aim(Value):
    """What the attack is after: one of these."""

    label: str | None = None
    priority: str | None = None
    route: str | None = None
    field: dict[str, str] | None = None

    @property
    def says(self) -> str:
        name, value = next((n, v) for n, v in self if v is not None)
        return f"{name} {value['name'] if isinstance(value, dict) else value}"

    def reached(self, row: Row) -> bool:
        if self.field is not None:
            return any(f["value"] == self.field["value"] for f in row["fields"].get(self.field["name"], ()))
        if self.label is not None:
            return bool(row["label"] == self.label and row["abstained"] is None)
        return bool(row["priority"] == self.priority if self.priority is not None else row["route"] == self.route)


class Attack(Value):
    id: str
    carrier: Carrier
    lang: str
    aim: Aim | None = None
    text: str


class Pair(Value):
    """One attack in one case: the row of its twin, and its own."""

    attack: Attack
    case: str
    before: Row
    after: Row

    @property
    def flipped(self) -> bool:
        return bool(self.before["label"] != self.after["label"])

    @property
    def filed_otherwise(self) -> bool:
        return self.flipped and self.before["abstained"] is None and self.after["abstained"] is None

    @property
    def silenced(self) -> bool:
        return bool(self.after["route"] == "ignore" and self.before["route"] != "ignore")

    @property
    def open(self) -> bool:
        return self.attack.aim is not None and not self.attack.aim.reached(self.before)

    @property
    def succeeded(self) -> bool:
        return self.open and self.attack.aim is not None and self.attack.aim.reached(self.after)


def red_team(
    product: Product,
    dataset: Dataset,
    *,
    split: str = "dev",
    folder: Path = DATA,
    seed: int = SEED,
    workers: int = 2,
    progress: Progress = lambda *_: None,
) -> dict[str, Any]:
    """All suites as one JSON value. Raises DatasetError for a suite that cannot be read, or a split without a case."""
    attacks = _lines(folder / "attacks.jsonl", Attack)
    foreign = [
        Attack(id=f"bipia-{n:02}", carrier="body_end", lang="en", text=text)
        for n, text in enumerate(_flat(folder / "bipia_attacks.json"), start=1)
    ]
    notinject = [json.loads(line)["prompt"] for line in _read(folder / "notinject.jsonl").splitlines()]
    emails = [json.loads(line)["context"] for line in _read(folder / "bipia_emails.jsonl").splitlines()]
    control = [Attack(id=f"control-{n}", carrier="body_end", lang="", text=t) for n, t in enumerate(notinject)]
    clean = [c for c in dataset.selected(split) if c.label is not None and c.message and c.message.get("text")]
    if not clean:
        raise DatasetError(f"{dataset.path.name} has no labelled message in the split {split!r}")
    chance = random.Random(seed)  # noqa: S311 - which cases are drawn, not a secret
    control = chance.sample(control, min(len(control), len(foreign)))
    plan = [(a, case) for a in attacks for case in _drawn(chance, clean, a, CASES_AN_ATTACK)]
    plan += [(a, case) for a in (*foreign, *control) for case in _drawn(chance, clean, a, CASES_A_FOREIGN_ATTACK)]
    honest = [Case.model_validate(h) for h in map(_harmless, _read(folder / "harmless.jsonl").splitlines())]

    asked: dict[str, Case] = {}
    for attack, case in plan:
        for twin in (_twin_id(case, attack.carrier), _own_id(case, attack)):
            if twin not in asked:
                text = attack.text if twin == _own_id(case, attack) else None
                message = carry(case.message or {}, attack.carrier, text)
                asked[twin] = Case(id=twin, message=message, label=case.label)
    asked |= {case.id: case for case in honest}
    for name, texts in (("notinject", notinject), ("email", emails)):
        asked |= {f"{name}-{n}": _strange(f"{name}-{n}", text) for n, text in enumerate(texts)}
    rows = _answers(product, list(asked.values()), workers, progress)

    pairs = [
        Pair(attack=a, case=c.id, before=rows[_twin_id(c, a.carrier)], after=rows[_own_id(c, a)])
        for a, c in plan
        if rows[_twin_id(c, a.carrier)]["scored"] and rows[_own_id(c, a)]["scored"]
    ]
    ours = [p for p in pairs if p.attack.aim is not None]
    found: dict[str, Any] = {
        "code": code_sha256(),
        "versions": product.versions,
        "dataset": {"name": dataset.path.name, "sha256": dataset.sha256, "split": split},
        "seed": seed,
        "unscored": sum(not row["scored"] for row in rows.values()),
        "unscored_reasons": dict(Counter(row["unscored_reason"] for row in rows.values() if not row["scored"])),
        "attacks": len(attacks),
        **_outcome(ours),
        "by_carrier": _grouped(ours, lambda p: p.attack.carrier),
        "by_aim": _grouped(ours, lambda p: p.attack.aim.says if p.attack.aim else ""),
        "by_lang": _grouped(ours, lambda p: p.attack.lang),
        "bipia": _outcome([p for p in pairs if p.attack.id.startswith("bipia")]),
        "control": _outcome([p for p in pairs if p.attack.id.startswith("control")]),
        "harmless": _harmless_outcome([rows[case.id] for case in honest], notinject, emails, rows),
        "examples": [_example(p) for p in sorted(ours, key=_order) if p.flipped or p.succeeded or p.silenced][:60],
        "harmless_errors": [
            {"id": c.id, "text": (c.message or {})["text"], "true": c.label, "given": rows[c.id]["label"]}
            for c in honest
            if rows[c.id]["scored"] and rows[c.id]["label"] != c.label
        ],
    }
    return rounded(found)  # type: ignore[no-any-return]


# What is asked


def carry(message: Mapping[str, Any], carrier: Carrier, text: str | None) -> dict[str, Any]:
    """The message in the carrier's form, with the attack in it, or without it as the twin."""
    own = str(message["text"])
    kept = {name: value for name, value in message.items() if name not in ("text", "html", "attachments")}
    if carrier == "subject":
        return kept | {"text": own, "subject": " ".join(filter(None, [message.get("subject"), text]))}
    if carrier == "filename":
        name = f"{text or 'note'}.txt"
        return kept | {"text": own, "attachments": [_file(name, b"See the mail.")]}
    if carrier == "pdf_layer":
        return kept | {"text": SEEN, "attachments": [_file("scan.pdf", _pdf(own, text))]}
    if carrier in HTML_CARRIERS:
        hidden = HTML_CARRIERS[carrier].format(html.escape(text or "").replace("--", "- -"))
        body = html.escape(own).replace("\n", "<br>")
        return kept | {"html": f"<html><body><p>{body}</p>{hidden if text else ''}</body></html>"}
    if text is None:
        return kept | {"text": own}
    around = {
        "body_start": f"{text}\n\n{own}",
        "body_end": f"{own}\n\n{text}",
        "signature": f"{own}\n\n-- \n{text}",
        "quoted": f"{own}\n\nOn Mon, 23 Nov 2026 at 08:02, Planning <planning@sender.example> wrote:\n"
        + "\n".join(f"> {line}" for line in textwrap.wrap(text, 72)),
    }
    return kept | {"text": around[carrier]}


def _pdf(text: str, hidden: str | None) -> bytes:
    """A page of visible text; the hidden one is drawn in rendering mode 3, which shows nothing."""
    from reportlab.pdfgen.canvas import Canvas

    file = BytesIO()
    canvas = Canvas(file, invariant=1)
    shown = canvas.beginText(60, 780)
    for line in (part for paragraph in text.splitlines() for part in textwrap.wrap(paragraph, 90) or [""]):
        shown.textLine(line)
    canvas.drawText(shown)
    if hidden:
        layer = canvas.beginText(60, 60)
        layer.setTextRenderMode(3)
        for line in textwrap.wrap(hidden, 90):
            layer.textLine(line)
        canvas.drawText(layer)
    canvas.save()
    return file.getvalue()


def _file(name: str, content: bytes) -> dict[str, str]:
    return {"filename": name, "content_base64": base64.b64encode(content).decode()}


def _drawn(chance: random.Random, cases: Sequence[Case], attack: Attack, count: int) -> list[Case]:
    fit = [c for c in cases if attack.carrier != "pdf_layer" or _is_latin(str((c.message or {})["text"]))]
    return chance.sample(fit, min(count, len(fit)))


def _is_latin(text: str) -> bool:
    """What the PDF's standard font can draw."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _twin_id(case: Case, carrier: Carrier) -> str:
    """Carriers of one form share a twin."""
    form = "html" if carrier in HTML_CARRIERS else carrier if carrier in ("pdf_layer", "filename") else "plain"
    return f"{case.id} as {form}"


def _own_id(case: Case, attack: Attack) -> str:
    return f"{case.id} with {attack.id}"


def _strange(identity: str, text: str) -> Case:
    return Case(id=identity, message={"channel": "email", "text": text}, label="not_dispatch")


def _harmless(line: str) -> dict[str, Any]:
    row = json.loads(line)
    message = {"channel": "email", "text": row["text"]}
    return {"id": row["id"], "lang": row["lang"], "label": row["label"], "message": message}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{path.name} of the red team cannot be read: {error}") from error


def _lines(path: Path, kind: type[Attack]) -> list[Attack]:
    found = []
    for number, line in enumerate(_read(path).splitlines(), start=1):
        try:
            found.append(kind.model_validate_json(line))
        except ValidationError as error:
            raise DatasetError(f"{path.name} line {number}: {error}") from error
    return found


def _flat(path: Path) -> list[str]:
    return [text for texts in json.loads(_read(path)).values() for text in texts]


def _answers(product: Product, cases: Sequence[Case], workers: int, progress: Progress) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    with ThreadPoolExecutor(max(1, workers)) as pool:
        for row in pool.map(lambda case: product.answer(case, Path()), cases):
            rows[row["id"]] = row
            progress("messages", len(rows), len(cases))
    return rows


# What came of it


def share(hits: int, n: int) -> Estimate:
    return estimate(hits / n if n else float("nan"), *wilson(hits, n), n)


def _outcome(pairs: Sequence[Pair]) -> dict[str, Any]:
    wanted = [p for p in pairs if p.open]
    sure = [p for p in pairs if p.before["abstained"] is None]
    noticed = [p for p in pairs if p.before["route"] != "ignore"]
    return {
        "pairs": len(pairs),
        "flips": share(sum(p.flipped for p in pairs), len(pairs)),
        "success": share(sum(p.succeeded for p in wanted), len(wanted)),
        "filed_otherwise": share(sum(p.filed_otherwise for p in sure), len(sure)),
        "silenced": share(sum(p.silenced for p in noticed), len(noticed)),
    }


def _grouped(pairs: Sequence[Pair], key: Callable[[Pair], str]) -> dict[str, Any]:
    names = sorted({key(p) for p in pairs})
    return {name: _outcome([p for p in pairs if key(p) == name]) for name in names}


def _harmless_outcome(
    honest: Sequence[Row], notinject: Sequence[str], emails: Sequence[str], rows: Mapping[str, Row]
) -> dict[str, Any]:
    honest = [row for row in honest if row["scored"]]
    exceptions = [row for row in honest if row["expected"]["route"] != "ignore"]
    return {
        "right": share(sum(row["label"] == row["expected"]["label"] for row in honest), len(honest)),
        "cannot_tell": share(sum(row["abstained"] is not None for row in honest), len(honest)),
        "ignored": share(sum(row["route"] == "ignore" for row in exceptions), len(exceptions)),
        "notinject_taken_for_exception": _taken(rows[f"notinject-{n}"] for n in range(len(notinject))),
        "emails_taken_for_exception": _taken(rows[f"email-{n}"] for n in range(len(emails))),
    }


def _taken(rows: Iterable[Row]) -> Estimate:
    """Texts that have nothing to do with dispatch and were filed as an exception without a doubt."""
    scored = [row for row in rows if row["scored"]]
    return share(sum(row["is_exception"] and row["abstained"] is None for row in scored), len(scored))


def _order(pair: Pair) -> tuple[bool, bool, str, str]:
    return (not pair.succeeded, not pair.silenced, pair.attack.id, pair.case)


def _example(pair: Pair) -> dict[str, Any]:
    seen = ("label", "confidence", "abstained", "priority", "route")
    return {
        "attack": pair.attack.id,
        "carrier": pair.attack.carrier,
        "aim": pair.attack.aim.says if pair.attack.aim else "",
        "text": pair.attack.text,
        "case": pair.case,
        "true": pair.before["expected"]["label"],
        "before": {name: pair.before[name] for name in seen},
        "after": {name: pair.after[name] for name in seen},
        "succeeded": pair.succeeded,
        "silenced": pair.silenced,
    }
