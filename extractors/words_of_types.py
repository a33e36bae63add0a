"""What kind of paper a page's words speak for, where no title says so: a linear model of single words.

`triage eval types` fits it on the documents of dev and writes `types.npz`; reading needs numpy alone.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from extractors.captions import without_accents

FILE = Path(__file__).parent / "types.npz"
LONGEST = 3000  # letters of a page that are read: what a paper is stands at its beginning
_WORD = re.compile(r"[^\W\d_]{2,}")


class Words(NamedTuple):
    """The number of each known word, its rarity, and the weights (types, words) with their intercepts."""

    types: list[str]
    numbers: dict[str, int]
    rarity: NDArray[Any]
    weights: NDArray[Any]
    intercepts: NDArray[Any]


def words_in(text: str) -> list[str]:
    """The words of the beginning of a page, in small letters and without accents."""
    return _WORD.findall(without_accents(text[:LONGEST].casefold()))


def likeliest(text: str, known: Words | None = None) -> tuple[str, float]:
    """The type that the words of a page speak for, and how likely it is in 0..1."""
    known = known or packaged()
    counts = Counter(known.numbers[word] for word in words_in(text) if word in known.numbers)
    if not counts:
        return known.types[0], 0.0
    row = np.zeros(len(known.numbers))
    for word, count in counts.items():
        row[word] = (1 + math.log(count)) * known.rarity[word]
    logits = known.weights @ (row / np.linalg.norm(row)) + known.intercepts
    powers = np.exp(logits - logits.max())
    best = int(powers.argmax())
    return known.types[best], float(powers[best] / powers.sum())


def save(known: Words, path: Path = FILE) -> None:
    told = json.dumps({"types": known.types, "words": list(known.numbers)}).encode()
    rarity, weights, intercepts = (a.astype(np.float16) for a in (known.rarity, known.weights, known.intercepts))
    read = np.frombuffer(told, np.uint8)
    np.savez_compressed(path, told=read, rarity=rarity, weights=weights, intercepts=intercepts)


def load(path: Path = FILE) -> Words:
    with np.load(path, allow_pickle=False) as file:
        told = json.loads(file["told"].tobytes())
        rarity, weights, intercepts = (file[name].astype(float) for name in ("rarity", "weights", "intercepts"))
    return Words(told["types"], {word: n for n, word in enumerate(told["words"])}, rarity, weights, intercepts)


@lru_cache(maxsize=1)
def packaged() -> Words:
    return load()
