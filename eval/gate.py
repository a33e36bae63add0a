"""Whether a run may ship: floors, ceilings and no regression, from a file that people can argue about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from eval.compare import compare
from eval.report import at
from eval.run import RunError, read_metrics
from extractors.message import Value

FILE = Path(__file__).with_name("gates.yaml")
BOUNDS = ("floors", "ceilings")
SHARED = 0.9  # of this run's labelled cases, in the baseline too


class Bound(Value):
    """`end`: which part of the estimate must keep the bound. A measure that is not there fails, unless `optional`."""

    bound: float
    end: Literal["value", "low", "high"] = "value"
    optional: bool = False


class Gates(Value):
    version: str
    floors: dict[str, Bound] = {}
    ceilings: dict[str, Bound] = {}
    no_regression: tuple[str, ...] = Field((), description="measures of `compare` that must not be worse")
    slices_must_not_be_worse: bool = True


class Check(Value):
    rule: str
    measure: str
    found: str
    wanted: str
    passed: bool


def load_gates(path: Path = FILE) -> Gates:
    """`accuracy: 0.7` is short for `accuracy: {bound: 0.7}`."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name in BOUNDS:
            given = data.get(name) or {}
            data[name] = {k: v if isinstance(v, dict) else {"bound": v} for k, v in given.items()}
        return Gates.model_validate(data)
    except (OSError, AttributeError, yaml.YAMLError, ValidationError) as error:
        raise RunError(f"{path} is not a file of gates: {error}") from error


def check(gates: Gates, out: Path, baseline: Path | None = None) -> list[Check]:
    """Every rule with what was found, the failed ones first."""
    metrics = read_metrics(out)
    checks = [_bound("floor", name, bound, metrics) for name, bound in gates.floors.items()]
    checks += [_bound("ceiling", name, bound, metrics) for name, bound in gates.ceilings.items()]
    if baseline is not None:
        labelled = metrics["cases"]["with_label"] or metrics["fields"]["cases"]
        checks += _regressions(gates, compare(baseline, out), labelled)
    return sorted(checks, key=lambda c: c.passed)


def _bound(rule: str, name: str, bound: Bound, metrics: Mapping[str, Any]) -> Check:
    entry = at(metrics, name)
    number = entry.get(bound.end) if isinstance(entry, Mapping) else entry
    wanted = f"{bound.end if bound.end != 'value' else ''} {'>=' if rule == 'floor' else '<='} {bound.bound:g}".strip()
    if not isinstance(number, int | float):
        found = "not measured"
        return Check(rule=rule, measure=name, found=found, wanted=wanted, passed=bound.optional)
    passed = number >= bound.bound if rule == "floor" else number <= bound.bound
    return Check(rule=rule, measure=name, found=f"{number:.4g}", wanted=wanted, passed=passed)


def _regressions(gates: Gates, compared: Mapping[str, Any], labelled: int) -> list[Check]:
    shared = compared["cases"]["shared"]
    checks = [
        Check(
            rule="no regression",
            measure="shared cases",
            found=f"{shared} of {labelled}",
            wanted=f">= {SHARED:.0%}",
            passed=shared >= SHARED * labelled,
        )
    ]
    for name in gates.no_regression:
        entry = compared["measures"].get(name)
        if entry is None:
            checks.append(
                Check(rule="no regression", measure=name, found="not measured", wanted="in both runs", passed=False)
            )
            continue
        told = entry["difference"]["low"] is not None  # of a single group no interval can be drawn
        found = f"{entry['difference']['value']:+.4f}, {entry['verdict'] if told else 'no interval'}"
        passed = told and entry["verdict"] != "worse"
        checks.append(Check(rule="no regression", measure=name, found=found, wanted="not worse", passed=passed))
    if gates.slices_must_not_be_worse:
        worse = [f"{e['slice']}={e['value']}" for e in compared["slices"] if e["verdict"] == "worse"]
        checks.append(
            Check(
                rule="no regression",
                measure="slices",
                found=", ".join(worse) or f"{len(compared['slices'])} not worse",
                wanted="none worse (Holm)",
                passed=not worse,
            )
        )
    return checks


def as_text(checks: list[Check]) -> str:
    rows = [("", "rule", "measure", "found", "wanted")]
    rows += [("ok" if c.passed else "FAILED", c.rule, c.measure, c.found, c.wanted) for c in checks]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
