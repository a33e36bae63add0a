"""Many small decision trees that together say how likely something is; reading them needs numpy alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Trees(NamedTuple):
    """Arrays (trees, nodes): at a node the number in `column` of a row is held against `limit`, and the way goes on to
    `left` where it is no more, else to `right`; a leaf leads to itself. `value` is what a leaf adds to the logit.
    """

    names: tuple[str, ...]  # of the columns
    start: float  # the logit before any tree
    column: NDArray[Any]
    limit: NDArray[Any]
    left: NDArray[Any]
    right: NDArray[Any]
    value: NDArray[Any]

    def likely(self, rows: NDArray[np.float32]) -> NDArray[Any]:
        """Rows (n, columns) to their likelihoods (n) in 0..1."""
        trees = np.arange(len(self.column))
        at = np.zeros((len(rows), len(trees)), np.intp)
        while True:
            less = np.take_along_axis(rows, self.column[trees, at].astype(np.intp), 1) <= self.limit[trees, at]
            on = np.where(less, self.left[trees, at], self.right[trees, at])
            if (on == at).all():
                break
            at = on
        logits = self.start + self.value[trees, at].sum(1)
        return np.asarray(1 / (1 + np.exp(-logits)))


def save(trees: Trees, path: Path) -> None:
    names = np.frombuffer("\n".join(trees.names).encode(), np.uint8)
    arrays = {name: value for name, value in trees._asdict().items() if name not in ("names", "start")}
    np.savez_compressed(path, names=names, start=np.float32(trees.start), **arrays)


def load(path: Path) -> Trees:
    with np.load(path, allow_pickle=False) as arrays:
        told = {name: arrays[name] for name in arrays.files}
    names = tuple(told.pop("names").tobytes().decode().split("\n"))
    return Trees(names, float(told.pop("start")), **told)
