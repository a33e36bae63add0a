"""Two runs on the same cases: better, worse or tied, where, and what difference this set could have shown at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from eval.metrics import FEWEST, Row, cost, has_label, slice_places, strict
from eval.run import RunError, read_manifest, read_rows
from eval.statistics import Bootstrap, Floats, detectable, estimate, holm, interval, mcnemar, rounded

SIGNIFICANT = 0.05
FEWEST_APART = 6  # pairs that differ, below which nothing is told: five, all one way, are p = 0.06
Verdict = Literal["better", "worse", "tied"]


def compare(a: Path, b: Path) -> dict[str, Any]:
    """`b` beside `a`, as JSON; every difference is b minus a. Raises RunError when they share no case."""
    first, second = read_manifest(a), read_manifest(b)
    scoring = second["scoring"]
    rows_a, rows_b = ({row["id"]: row for row in read_rows(out)} for out in (a, b))
    shared = [i for i in rows_a if i in rows_b]
    pairs = [(rows_a[i], rows_b[i]) for i in shared]
    ran = [(x, y) for x, y in pairs if x["scored"] and y["scored"]]
    alike = [(x, y) for x, y in ran if x["expected"]["label"] == y["expected"]["label"]]
    same = [(x, y) for x, y in alike if has_label(x) and has_label(y)]
    fields = _fields(ran, scoring["draws"], scoring["seed"])
    if not same and not fields:
        raise RunError(f"{a} and {b} share no labelled case that both could run")
    bootstrap = Bootstrap([x["group"] for x, _ in same], scoring["draws"], scoring["seed"])
    right = np.array([[row["label"] == row["expected"]["label"] for row in pair] for pair in same], bool)
    right = right.reshape(-1, 2).T
    lost, won = right[0] & ~right[1], right[1] & ~right[0]
    measures = {"fields.micro_f1": fields}
    verdict = fields.get("verdict")  # of runs that read documents and label nothing
    if same:
        measures = {
            "accuracy": _difference(lambda w: w @ (right[1].astype(float) - right[0]) / w.sum(axis=1), bootstrap),
            "macro_f1": _macro_f1(same, bootstrap),
            "fields.micro_f1": fields,
            "routing.utility": _utility(same, scoring, bootstrap),
        }
        measures["accuracy"]["mcnemar_p"] = p = mcnemar(int(lost.sum()), int(won.sum()))
        if p >= SIGNIFICANT:
            measures["accuracy"]["verdict"] = "tied"
        verdict = measures["accuracy"]["verdict"]
    ids = [x["id"] for x, _ in same]
    return rounded(  # type: ignore[no-any-return]
        {
            "a": _name(first, a),
            "b": _name(second, b),
            "cases": {
                "shared": len(same) or fields["difference"]["n"],
                "only_in_a": len(rows_a.keys() - rows_b.keys()),
                "only_in_b": len(rows_b.keys() - rows_a.keys()),
                "not_run_in_one": len(pairs) - len(ran),
                "labelled_differently": len(ran) - len(alike),
            },
            "verdict": verdict,
            "measures": {name: entry for name, entry in measures.items() if entry},
            "slices": _slices(same, right),
            "fixed": [i for i, changed in zip(ids, won, strict=True) if changed],
            "broken": [i for i, changed in zip(ids, lost, strict=True) if changed],
        }
    )


def _name(manifest: Mapping[str, Any], out: Path) -> dict[str, Any]:
    return {
        "folder": out.name,
        "code": manifest["code"]["sha256"][:16],
        "bundle": manifest["versions"]["bundle"],
        "policy": manifest["versions"]["policy"],
        "dataset_sha256": manifest["dataset"]["sha256"],
    }


def _difference(statistic: Any, bootstrap: Bootstrap, apart: int = FEWEST_APART) -> dict[str, Any]:
    """`apart`: how many pairs differ."""
    value, drawn = bootstrap.of(statistic)
    low, high = interval(drawn[:, 0])
    verdict: Verdict = "tied" if apart < FEWEST_APART else "better" if low > 0 else "worse" if high < 0 else "tied"
    return {
        "difference": estimate(value[0], low, high, bootstrap.cases),
        "verdict": verdict,
        "smallest_detectable": detectable(drawn[:, 0], bootstrap.cases),
    }


def _macro_f1(pairs: Sequence[tuple[Row, Row]], bootstrap: Bootstrap) -> dict[str, Any]:
    labels = sorted(
        {row[part] for pair in pairs for row in pair for part in ("label",)}
        | {x["expected"]["label"] for x, _ in pairs}
    )
    index = {label: i for i, label in enumerate(labels)}
    true = np.eye(len(labels))[[index[x["expected"]["label"]] for x, _ in pairs]]
    given = [np.eye(len(labels))[[index[pair[side]["label"]] for pair in pairs]] for side in (0, 1)]

    def macro(weights: Floats, said: Floats) -> Floats:
        used = np.flatnonzero(true.any(axis=0) | said.any(axis=0))  # as in the run's own figure
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * (weights @ (true * said)) / (weights @ true + weights @ said)
        return np.asarray(np.nanmean(f1[:, used], axis=1))

    apart = sum(x["label"] != y["label"] for x, y in pairs)
    return _difference(lambda weights: macro(weights, given[1]) - macro(weights, given[0]), bootstrap, apart)


def _fields(pairs: Sequence[tuple[Row, Row]], draws: int, seed: int) -> dict[str, Any]:
    """Where both runs were asked for the same fields; whether the label is known does not matter."""
    asked = ((pair, [row["expected"]["fields"] for row in pair]) for pair in pairs)
    pairs = [pair for pair, (of_a, of_b) in asked if of_a is not None and of_a == of_b]
    names = {name for x, _ in pairs for name, values in x["expected"]["fields"].items() if values}
    if not names:
        return {}
    counts = np.array([[_field_counts(row, names) for row in pair] for pair in pairs], float)  # (cases, 2, 3)

    def statistic(weights: Floats) -> Floats:
        totals = np.einsum("dc,csk->dsk", weights, counts)
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * totals[..., 0] / (totals[..., 1] + totals[..., 2])
        return np.asarray(f1[:, 1] - f1[:, 0])

    return _difference(statistic, Bootstrap([x["group"] for x, _ in pairs], draws, seed))


def _field_counts(row: Row, names: set[str]) -> tuple[int, int, int]:
    true = {(name, strict(v)) for name in names for v in row["expected"]["fields"].get(name, ())}
    given = {(name, strict(f["value"])) for name in names for f in row["fields"].get(name, ())}
    return len(true & given), len(true), len(given)


def _utility(pairs: Sequence[tuple[Row, Row]], scoring: Mapping[str, Any], bootstrap: Bootstrap) -> dict[str, Any]:
    """In the unit of the second run's costs; both runs are judged by those, and by the first run's expected route."""
    if any(not row.get("route") or not row["expected"]["route"] for pair in pairs for row in pair):
        return {}
    judged = [[{**row, "expected": x["expected"]} for row in (x, y)] for x, y in pairs]
    spent = np.array([[cost(row, scoring["costs"]) for row in pair] for pair in judged]).T
    saved = spent[0] - spent[1]
    return _difference(lambda weights: weights @ saved / weights.sum(axis=1), bootstrap, int(np.count_nonzero(saved)))


def _slices(pairs: Sequence[tuple[Row, Row]], right: Any) -> list[dict[str, Any]]:
    """Slices with enough cases; p-values of McNemar, adjusted by Holm over all of them."""
    places = {k: chosen for k, chosen in slice_places([x for x, _ in pairs]).items() if chosen.sum() >= FEWEST}
    entries: list[dict[str, Any]] = []
    for (name, value), chosen in places.items():
        lost, won = ((right[i] & ~right[1 - i] & chosen).sum() for i in (0, 1))
        entry: dict[str, Any] = {
            "slice": name,
            "value": value,
            "n": int(chosen.sum()),
            "fixed": int(won),
            "broken": int(lost),
        }
        entries.append(entry | {"difference": (won - lost) / chosen.sum(), "p": mcnemar(int(lost), int(won))})
    for entry, p in zip(entries, holm([entry["p"] for entry in entries]), strict=True):
        entry["p_adjusted"] = p
        entry["verdict"] = "tied" if p >= SIGNIFICANT else "better" if entry["difference"] > 0 else "worse"
    return sorted(entries, key=lambda e: (e["p_adjusted"], e["p"], e["slice"], e["value"]))


def as_text(found: Mapping[str, Any], most: int = 20) -> str:
    """The comparison for a terminal."""
    cases = found["cases"]
    lines = [
        f"{found['b']['folder']} is {found['verdict'].upper()} beside {found['a']['folder']}"
        f" on {cases['shared']} shared cases"
    ]
    for name, says in (
        ("only_in_a", "only in the first"),
        ("only_in_b", "only in the second"),
        ("not_run_in_one", "not run in one of them"),
        ("labelled_differently", "labelled differently by now"),
    ):
        if cases[name]:
            lines.append(f"  left out: {cases[name]} {says}")
    lines.append(f"\n{'measure':18} {'difference':>11}   {'95 % interval':20} {'could have shown':>16}  verdict")
    for name, entry in found["measures"].items():
        d = entry["difference"]
        span = "none" if d["low"] is None else f"{d['low']:+.4f} to {d['high']:+.4f}"
        lines.append(
            f"{name:18} {d['value']:+11.4f}   {span:20} {entry['smallest_detectable']:16.4f}  {entry['verdict']}"
        )
    if "accuracy" in found["measures"]:
        lines.append(f"McNemar on accuracy: p = {found['measures']['accuracy']['mcnemar_p']:.4f}")
    if found["slices"]:
        lines.append(f"\n{'slice':36} {'cases':>6} {'fixed':>6} {'broken':>6} {'p (Holm)':>9}  verdict")
        for e in found["slices"][:most]:
            place = f"{e['slice']}: {e['value']}"
            lines.append(
                f"{place:36.36} {e['n']:6} {e['fixed']:6} {e['broken']:6} {e['p_adjusted']:9.4f}  {e['verdict']}"
            )
    for name in ("fixed", "broken"):
        listed = found[name]
        more = f" and {len(listed) - most} more" if len(listed) > most else ""
        lines.append(f"\n{name} ({len(listed)}): {', '.join(listed[:most])}{more}")
    return "\n".join(lines)
