"""Cases that stand on both sides of a split, so that a test would only ask what was learnt by heart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from classifiers.embedding import Matrix
from eval.datasets import Case, read_message
from extractors.limits import InputError, Limits
from extractors.message import Value

Kind = Literal["group", "exact", "normalised", "near", "meaning"]
SIMILAR = 0.6  # Jaccard of word triples; two letters from one hand about two shipments stay below 0.4
ALIKE = 0.96  # cosine of the encoder's vectors; hand-written messages about like events come up to 0.95
FEWEST_WORDS = 6  # below that, short answers ("any news?") would all be copies of each other
BLOCK = 512
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"\w+")


class Leak(Value):
    kind: Kind
    first: str
    first_split: str
    second: str
    second_split: str
    similarity: float


def text_of(case: Case, folder: Path) -> str:
    """Subject and what was newly written; the quoted history is shared in a thread by nature.

    Where nothing was written, the hashes of the files: the same document twice is a leak, too.
    """
    try:
        message = read_message(case, folder, Limits())
    except (InputError, OSError):
        return ""
    return f"{message.subject}\n{message.newest}".strip() or " ".join(a.sha256 for a in message.attachments)


def normalised(text: str) -> str:
    """Letters only differ by what they say: case, accents, spaces, punctuation and all numbers are gone."""
    flat = unicodedata.normalize("NFKD", text.casefold())
    flat = "".join(c for c in flat if not unicodedata.combining(c))
    return " ".join(_WORD.findall(_NUMBER.sub("0", flat)))


def find_leaks(
    cases: Sequence[Case],
    texts: Sequence[str],
    similar: float = SIMILAR,
    vectors: Matrix | None = None,
    alike: float = ALIKE,
) -> list[Leak]:
    """Pairs across splits, each once with the strongest kind, worst first. Cases without a split are left out.

    With `vectors` (unit vectors, one a text) texts that say the same in other words are found, too.
    """
    kept = [i for i, case in enumerate(cases) if case.split]
    if vectors is not None:
        vectors = vectors[kept]
    cases, texts = [cases[i] for i in kept], [texts[i] for i in kept]
    found: dict[tuple[int, int], tuple[Kind, float]] = {}
    for kind, keys in (
        ("exact", list(texts)),
        ("normalised", plain := [normalised(text) for text in texts]),
        ("group", [case.group or "" for case in cases]),
    ):
        for pair in _same(keys, [case.split or "" for case in cases]):
            found.setdefault(pair, (kind, 1.0))  # type: ignore[arg-type]
    for i, j, similarity in _near(plain, similar):
        if cases[i].split != cases[j].split:
            found.setdefault((i, j), ("near", similarity))
    for i, j, similarity in _alike(plain, vectors, alike) if vectors is not None else ():
        if cases[i].split != cases[j].split:
            found.setdefault((i, j), ("meaning", similarity))
    order = ("exact", "normalised", "near", "meaning", "group")
    leaks = [
        Leak(
            kind=kind,
            first=cases[i].id,
            first_split=cases[i].split or "",
            second=cases[j].id,
            second_split=cases[j].split or "",
            similarity=round(similarity, 3),
        )
        for (i, j), (kind, similarity) in found.items()
    ]
    return sorted(leaks, key=lambda leak: (order.index(leak.kind), -leak.similarity, leak.first, leak.second))


def _same(keys: Sequence[str], splits: Sequence[str]) -> list[tuple[int, int]]:
    """For each key in several splits, the first case of each split paired with the first one of all."""
    firsts: dict[str, dict[str, int]] = {}
    for i, (key, split) in enumerate(zip(keys, splits, strict=True)):
        if key:
            firsts.setdefault(key, {}).setdefault(split, i)
    return [(min(f.values()), i) for f in firsts.values() for i in sorted(f.values())[1:]]


def _long(texts: Sequence[str]) -> list[int]:
    return [i for i, text in enumerate(texts) if len(text.split()) >= FEWEST_WORDS]


def _alike(texts: Sequence[str], vectors: Matrix, alike: float) -> list[tuple[int, int, float]]:
    long = _long(texts)
    rows = vectors[long]
    pairs = []
    for start in range(0, len(long), BLOCK):
        cosines = rows[start : start + BLOCK] @ rows.T
        a, b = np.nonzero(cosines >= alike)
        pairs += [(long[i + start], long[j], float(cosines[i, j])) for i, j in zip(a, b, strict=True) if i + start < j]
    return pairs


def _near(texts: Sequence[str], similar: float) -> list[tuple[int, int, float]]:
    long = _long(texts)
    if len(long) < 2:
        return []
    triples = CountVectorizer(ngram_range=(3, 3), binary=True, tokenizer=str.split, token_pattern=None, lowercase=False)
    rows: csr_matrix = triples.fit_transform([texts[i] for i in long])
    rows = rows.astype(np.float32)
    sizes = np.asarray(rows.sum(axis=1)).ravel()
    pairs = []
    for start in range(0, len(long), BLOCK):
        shared = (rows[start : start + BLOCK] @ rows.T).tocoo()
        a, b = shared.row + start, shared.col
        jaccard = shared.data / (sizes[a] + sizes[b] - shared.data)
        keep = (a < b) & (jaccard >= similar)
        pairs += [(long[i], long[j], float(s)) for i, j, s in zip(a[keep], b[keep], jaccard[keep], strict=True)]
    return pairs
