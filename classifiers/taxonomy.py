"""The closed label set, loaded from data and checked, so that a site can read and version it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("taxonomy.yaml")


@dataclass(frozen=True)
class Label:
    """`x12` are the status reasons of ANSI X12 214 (element 1651) that say the same."""

    code: str
    title: str
    exception: bool
    means: str
    x12: tuple[str, ...]


@dataclass(frozen=True)
class Taxonomy:
    """`labels` by code, in the order of the file."""

    version: str
    labels: dict[str, Label]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.labels)


@cache
def load_taxonomy(path: Path = FILE) -> Taxonomy:
    """Raises ValueError that names the label and what is wrong with it."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    labels: dict[str, Label] = {}
    reasons: dict[str, str] = {}
    for code, entry in data["labels"].items():
        if set(entry) != {"title", "exception", "means", "x12"}:
            raise ValueError(
                f"{path.name}: label {code} must have title, exception, means and x12, and has {sorted(entry)}"
            )
        labels[code] = Label(code=code, **entry | {"x12": tuple(entry["x12"])})
        for reason in labels[code].x12:
            if reasons.setdefault(reason, code) != code:
                raise ValueError(f"{path.name}: X12 reason {reason} stands with {reasons[reason]} and {code}")
    return Taxonomy(version=str(data["version"]), labels=labels)
