"""The report's pictures as inline SVG that takes the colours of the page, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, DIM, OURS, BAND = "#010101", "#020202", "#030303", "#040404"  # stand for the page's variables
_PAGE = {INK: "var(--ink)", DIM: "var(--dim)", OURS: "var(--accent)", BAND: "var(--band)"}
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "triage",  # so that the same figures give the same bytes
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": DIM,
    "axes.labelcolor": DIM,
    "xtick.color": DIM,
    "ytick.color": DIM,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
}


@contextmanager
def _drawing(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        yield figure, axes


def _svg(figure: Figure, title: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    for stand_in, variable in _PAGE.items():
        text = text.replace(stand_in, variable)
    return text.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)


def reliability(bins: Sequence[Mapping[str, Any]]) -> str:
    with _drawing(5.2, 3.9) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=DIM, linewidth=0.8, linestyle=(0, (4, 3)))
        x = [b["confidence"] for b in bins]
        y = [b["accuracy"]["value"] for b in bins]
        low = [b["accuracy"]["value"] - b["accuracy"]["low"] for b in bins]
        high = [b["accuracy"]["high"] - b["accuracy"]["value"] for b in bins]
        axes.errorbar(x, y, yerr=[low, high], fmt="o", color=OURS, markersize=5, elinewidth=1.1, capsize=2.5)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence stated", ylabel="share that is right")
        return _svg(figure, "Reliability: confidence stated against share that is right")


def risk_coverage(curve: Sequence[Sequence[float]], base: float) -> str:
    """`base` is the error when every message is answered."""
    with _drawing(5.2, 3.9) as (figure, axes):
        coverage = [point[0] for point in curve]
        shown = [(c, p) for c, p in zip(coverage, curve, strict=True) if c >= 0.03]
        axes.fill_between(
            [c for c, _ in shown], [p[1] for _, p in shown], [p[2] for _, p in shown], color=BAND, linewidth=0
        )
        axes.plot(coverage, [point[1] for point in curve], color=OURS, linewidth=1.8)
        axes.axhline(0.05, color=DIM, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.annotate("5 % error", (0.01, 0.05), xytext=(0, 3), textcoords="offset points", color=DIM, fontsize=9)
        top = min(1.0, max(0.12, 1.5 * max([base, *(point[1] for point in curve)], default=0)))
        axes.set(xlim=(0, 1.005), ylim=(0, top), xlabel="share of messages answered", ylabel="share of those wrong")
        return _svg(figure, "Risk and coverage: error of the most confident messages")
