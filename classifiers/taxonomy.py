"""The closed label set, loaded from data and checked, so that a site can read and version it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("taxonomy.yaml")


@dataclass(frozen=True)
class Label:
    code: str
    title: str
    exception: bool
    means: str


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
    labels = {}
    for code, entry in data["labels"].items():
        if set(entry) != {"title", "exception", "means"}:
            raise ValueError(f"{path.name}: label {code} must have title, exception and means, and has {sorted(entry)}")
        labels[code] = Label(code=code, **entry)
    return Taxonomy(version=str(data["version"]), labels=labels)
