"""The report: data first (`report_data`), then drawn as one static HTML file and as Markdown."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from eval import plots
from eval.metrics import Row, differences, has_label, matched, same_relaxed, strict

HTML, MARKDOWN = "report.html", "report.md"
RED_TEAM_HTML, RED_TEAM_MARKDOWN = "redteam.html", "redteam.md"
MOST_SHOWN = 400  # cases in the browser of errors, the most confident first
MOST_FIELDS = 200
LONGEST_TEXT = 6000
TOP_SCORES = 5
_environment = Environment(
    loader=PackageLoader("eval", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


class Measure(NamedTuple):
    path: str
    title: str
    means: str
    style: str = "share"  # share, plain, ms, minutes


HEADLINE = (
    Measure("accuracy", "Accuracy", "the label is the true one"),
    Measure("macro_f1", "Macro-F1", "mean over labels, rare ones count as much"),
    Measure("coverage_at_95_precision", "Coverage at 95 % precision", "messages that could be taken as read"),
    Measure("abstention.rate", "Cannot tell", "messages where the service says so"),
    Measure("abstention.accuracy_when_answered", "Accuracy where it answers", "without those"),
    Measure("secondary.micro_f1", "All labels, F1", "first and secondary ones as a set"),
    Measure("fields.micro_f1", "Fields, F1", "the same characters"),
    Measure("fields.relaxed.micro_f1", "Fields, F1 relaxed", "the same letters and digits"),
    Measure("documents.accuracy", "Document types", "found among the attachments"),
    Measure("routing.accuracy", "Right route", "activity, approval, ignore or hold"),
    Measure("routing.lost", "Exceptions lost", "something had to be done, and it was ignored"),
    Measure("routing.utility", "Minutes saved a message", "by the stated costs, beside working by hand", "minutes"),
    Measure("ece", "Calibration error (ECE)", "10 bins of equal mass", "plain"),
    Measure("brier", "Brier score", "over all labels", "plain"),
    Measure("aurc", "AURC", "mean error over all coverages", "plain"),
    Measure("money.per_thousand", "Money for a thousand messages", "processor time and language model", "money"),
    Measure("money.per_thousand_right", "Money for a thousand right", "right label and route, in no doubt", "money"),
    Measure("cpu_ms.p50", "Processor time p50", "of the message's own thread", "ms"),
    Measure("latency_ms.p50", "Latency p50", "reading, labelling and deciding", "ms"),
    Measure("latency_ms.p95", "Latency p95", "", "ms"),
    Measure("latency_ms.p99", "Latency p99", "", "ms"),
)
BASELINE_COLUMNS = (*HEADLINE[:3], HEADLINE[12])


def write_reports(out: Path, manifest: Mapping[str, Any], metrics: Mapping[str, Any], rows: Sequence[Row]) -> None:
    data = report_data(manifest, metrics, rows, out / "pages")
    html = _environment.get_template("report.html").render(data, say=say, plots=_drawn(metrics))
    (out / HTML).write_text(html, encoding="utf-8", errors="backslashreplace")
    markdown = _environment.get_template("report.md").render(data, say=say)
    (out / MARKDOWN).write_text(markdown, encoding="utf-8", errors="backslashreplace")


def write_red_team(out: Path, found: Mapping[str, Any]) -> None:
    """redteam.html and redteam.md beside redteam.json."""
    for name in (RED_TEAM_HTML, RED_TEAM_MARKDOWN):
        (out / name).write_text(_environment.get_template(name).render(found=found, say=say), encoding="utf-8")


def at(metrics: Mapping[str, Any], path: str) -> Any:
    """The entry under a dotted path, None where there is none."""
    entry: Any = metrics
    for step in path.split("."):
        if not isinstance(entry, Mapping) or step not in entry:
            return None
        entry = entry[step]
    return entry


def say(number: float | None, style: str = "share") -> str:
    if number is None:
        return "–"
    if style == "share":
        return f"{100 * number:.1f} %"
    if style == "money":
        return f"{number:.5f}"
    if style == "ms":
        return f"{number:,.1f} ms"
    return f"{number:.2f}" if style == "minutes" else f"{number:.3f}"


def report_data(
    manifest: Mapping[str, Any], metrics: Mapping[str, Any], rows: Sequence[Row], pages: Path
) -> dict[str, Any]:
    """Everything the report shows, as plain values. `pages` is the folder of the page pictures."""
    wrong = [row for row in rows if has_label(row) and row["label"] != row["expected"]["label"]]
    wrong.sort(key=lambda row: (-row["confidence"], row["id"]))
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in wrong[:MOST_SHOWN]:
        groups.setdefault((row["expected"]["label"], row["label"]), []).append(_case(row, pages))
    confusion = metrics["confusion"]
    used = [i for i, label in enumerate(confusion["labels"]) if label in metrics["per_label"]]
    counts = [[confusion["counts"][i][j] for j in used] for i in used]
    headline = [(m, at(metrics, m.path)) for m in HEADLINE]
    measured = [entry for entry in metrics["baselines"].values() if "skipped" not in entry]
    others = sorted(measured, key=lambda entry: -(entry["accuracy"]["value"] or 0))
    ours = {"title": "This product", **metrics}
    field_errors = _field_errors(rows)
    return {
        "manifest": manifest,
        "metrics": metrics,
        "warnings": _warnings(manifest, metrics),
        "headline": [(m, e) for m, e in headline if e and e["value"] is not None],
        "unmeasured": [m.title for m, e in headline if not e or e["value"] is None],
        "baseline_columns": BASELINE_COLUMNS,
        "compared": [(entry["title"], [at(entry, m.path) for m in BASELINE_COLUMNS]) for entry in (ours, *others)],
        "left_out": [(e["title"], e["skipped"]) for e in metrics["baselines"].values() if "skipped" in e],
        "unanswered": [(e["title"], e["unanswered"]) for e in measured if e.get("unanswered")],
        "labels": [confusion["labels"][i] for i in used],
        "counts": counts,
        "largest_error": max((c for i, row in enumerate(counts) for j, c in enumerate(row) if i != j), default=0) + 2,
        "groups": sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])),
        "wrong": len(wrong),
        "shown": min(len(wrong), MOST_SHOWN),
        "unscored": [(row["id"], row["unscored_reason"]) for row in rows if not row["scored"]],
        "field_errors": field_errors[:MOST_FIELDS],
        "fields_wrong": len(field_errors),
        "read_wrongly": read_wrongly(rows, pages),
        "slices": {name: _judged(values) for name, values in metrics["slices"].items() if name != "label" and values},
    }


def _judged(values: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return sorted(values.items(), key=lambda item: (-item[1]["n"], item[0]))


def _warnings(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    cases = metrics["cases"]
    found = []
    if cases["unscored"]:
        found.append(f"{cases['unscored']} of {cases['n']} cases could not be run; they are in no figure.")
    if cases["llm_unanswered"]:
        found.append(
            f"The language model gave no answer in {cases['llm_unanswered']} cases; the next run repeats them."
        )
    if 0 < cases["with_label"] < 100:
        found.append(f"Only {cases['with_label']} cases have a label: read the intervals, not the values.")
    split = manifest["dataset"]["split"]
    if split in ("train", "dev", "calibration") or (split == "all" and "train" in manifest["dataset"]["splits"]):
        found.append(f"The split is {split}: the classifier may have learnt from these cases.")
    if manifest["dataset"]["datasheet"] is None:
        found.append("The dataset has no datasheet, so nobody vouches for what it is.")
    if manifest["cases"]["kept_from_other_versions"]:
        found.append(f"{manifest['cases']['kept_from_other_versions']} rows were made by other code, models or labels.")
    if manifest["code"]["dirty"]:
        found.append("The code had changes that were not committed.")
    return found


# One case


def _case(row: Row, pages: Path) -> dict[str, Any]:
    scores = sorted(row["scores"].items(), key=lambda item: (-item[1], item[0]))
    shown = scores[:TOP_SCORES]
    if row["expected"]["label"] not in dict(shown):
        shown.append((row["expected"]["label"], row["scores"].get(row["expected"]["label"], 0.0)))
    others = [entry for entry in scores if entry not in shown]
    quotes = [("quote", e["part"], e.get("page"), e["start"], e["end"]) for e in row["evidence"]]
    fields = [
        ("field", f["evidence"]["part"], f["evidence"]["page"], f["evidence"]["start"], f["evidence"]["end"])
        for values in row["fields"].values()
        for f in values
    ]
    marks: dict[str, list[tuple[str, int, int]]] = {}
    for kind, part, page, start, end in quotes + fields:
        marks.setdefault(part if page is None else f"{part} page {page}", []).append((kind, start, end))
    return {
        "id": row["id"],
        "row": row,
        "scores": shown,
        "other_scores": others,
        "sources": [
            (name, highlighted(text, marks.get(name, ())), len(text) > LONGEST_TEXT, _page(name, row, pages))
            for name, text in sorted(row["sources"].items(), key=lambda item: _reading_order(item[0]))
        ],
        "fields": {name: [f["value"] for f in values] for name, values in row["fields"].items()},
    }


def _page(source: str, row: Row, pages: Path) -> dict[str, Any] | None:
    """A page with the boxes of what was found on it and its picture, None where nothing was."""
    boxes = []
    wrong = {name: {strict(value) for value in extra} for name, (_, extra) in differences(row).items()}
    for name, values in row["fields"].items():
        for f in values:
            e = f["evidence"]
            if e.get("box") and f"{e['part']} page {e['page']}" == source:
                left, top, right, bottom = e["box"]
                boxes.append(
                    {
                        "x": left,
                        "y": top,
                        "width": right - left,
                        "height": bottom - top,
                        "says": f"{name}: {f['value']}",
                        "wrong": strict(f["value"]) in wrong.get(name, ()),
                    }
                )
    size = row.get("pages", {}).get(source)
    if not size or not boxes:
        return None
    picture = pages / row.get("pictures", {}).get(source, "none")
    png = base64.b64encode(picture.read_bytes()).decode() if picture.is_file() else None
    return {"width": size[0], "height": size[1], "boxes": boxes, "png": png}


def _reading_order(source: str) -> tuple[int, str]:
    return ("subject", "body").index(source) if source in ("subject", "body") else 2, source


def highlighted(text: str, marks: Sequence[tuple[str, int, int]]) -> Markup:
    """The text, escaped, with its evidence marked; what lies within several marks carries them all."""
    text = text[:LONGEST_TEXT]
    cuts = sorted({0, len(text), *(min(max(p, 0), len(text)) for _, a, b in marks for p in (a, b))})
    out = Markup()
    for start, end in pairwise(cuts):
        kinds = sorted({kind for kind, a, b in marks if a <= start and end <= b})
        piece = Markup.escape(text[start:end])
        out += Markup('<mark class="{}">{}</mark>').format(" ".join(kinds), piece) if kinds else piece
    return out


def _field_errors(rows: Sequence[Row]) -> list[tuple[str, str, list[str], list[str]]]:
    """(case, field, missed, not asked for), for the fields that the dataset labels."""
    names = {
        name
        for row in rows
        if row["scored"] and row["expected"]["fields"] is not None
        for name, values in row["expected"]["fields"].items()
        if values
    }
    found = []
    for row in rows:
        for name, (missed, extra) in differences(row).items():
            if name in names:
                close = matched(missed, extra, same_relaxed) == max(len(missed), len(extra))
                found.append((row["id"], name + (" (form only)" if close else ""), missed, extra))
    return found


def read_wrongly(rows: Sequence[Row], pages: Path) -> list[dict[str, Any]]:
    """Documents whose fields differ from what people typed, those with most differences first, with their pages."""
    cases: list[tuple[int, str, dict[str, Any]]] = []
    for row in rows:
        wrong = differences(row) if row.get("pages") else {}
        drawn = [(name, page) for name in row.get("pages", {}) if wrong and (page := _page(name, row, pages))]
        if drawn:
            missed = {name: values for name, (values, _) in wrong.items() if values}
            count = sum(len(values) + len(extra) for values, extra in wrong.values())
            cases.append((-count, row["id"], {"row": row, "pages": drawn, "missed": missed, "count": count}))
    return [case for _, _, case in sorted(cases, key=lambda entry: entry[:2])[:MOST_SHOWN]]


def _drawn(metrics: Mapping[str, Any]) -> dict[str, Markup]:
    """SVG made here from numbers and our own codes, so it is safe as it is."""
    if metrics["accuracy"]["value"] is None:
        return {}
    drawn = {
        "reliability": plots.reliability(metrics["reliability"]),
        "risk_coverage": plots.risk_coverage(metrics["risk_coverage"], 1 - metrics["accuracy"]["value"]),
    }
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704
