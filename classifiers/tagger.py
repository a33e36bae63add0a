"""Which words of a message state which field: the encoder with an adapter and a head of their own.

It only points; what the words say is read by the rules of `extractors`, so nothing can be invented.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding
from torch.nn import functional

from classifiers.adapter import Adapter, merge
from classifiers.bundle import read_files, write_files
from classifiers.e5 import OVERLAP, load_model
from classifiers.embedding import ready

PACKAGED = Path(__file__).parent / "tagger_bundle"
MOST_WINDOWS = 5  # of a text, some four pages: what people tell stands before that
FLOOR = 0.25  # of a score, below which nothing is pointed at; who reads it sets his own above
_SKIPPED = 0.4  # of the floor: a word of that score between two of one field belongs to them
_FAINT = 0.03  # at which a word still goes with those of a field beside it, where no field is likelier
_ABBREVIATED = 5  # letters of a word that a full stop shortens
_WORD = re.compile(r"[^\W_](?:\S*[^\W_])?[°º%€$£]?|[€$£]|[+-](?=\d)\S*\w")


class Pointed(NamedTuple):
    """A place in a text, in characters, that states a field; `score` in 0..1 is how surely."""

    field: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class TaggerBundle:
    """`head` maps a token's state, less `mean` and over `deviation`, to logits (1 + 2 a field, 384): none, then
    beginning and inside of each of `fields`.
    """

    version: str
    fields: tuple[str, ...]
    layers: int
    adapter: Adapter
    head: NDArray[np.float32]
    intercepts: NDArray[np.float32]
    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]
    trained_on: dict[str, Any]

    def save(self, folder: Path) -> None:
        arrays = {name: value for name, value in self.__dict__.items() if isinstance(value, np.ndarray)}
        told = {name: self.__dict__[name] for name in ("version", "fields", "layers", "trained_on")}
        write_files(folder, arrays, self.adapter, told)


def load_tagger(folder: Path = PACKAGED) -> TaggerBundle:
    """Raises BundleError that says what to do."""
    told, arrays, adapter = read_files(folder, "triage train-tagger")
    return TaggerBundle(
        version=told["version"],
        fields=tuple(told["fields"]),
        layers=told["layers"],
        trained_on=told["trained_on"],
        adapter=adapter,
        **arrays,
    )


class Tagger:
    """Safe to call from several threads; each call uses one core."""

    def __init__(self, bundle: TaggerBundle) -> None:
        self._bundle = bundle
        self._model = load_model(bundle.layers)
        merge(self._model, bundle.adapter)
        ready(self._model)
        scale = torch.from_numpy(bundle.head / bundle.deviation)  # of states as they come
        self._head = scale, torch.from_numpy(bundle.intercepts) - scale @ torch.from_numpy(bundle.mean)

    @property
    def version(self) -> str:
        return self._bundle.version

    def point(self, text: str) -> list[Pointed]:
        """The places in the order of the text; none overlap."""
        found, begin = list[Pointed](), 0
        windows = self._model.windows(text)[:MOST_WINDOWS]
        for at, window in enumerate(windows, start=1):
            last = window.offsets[max(0, len(window) - 1 - OVERLAP // 2)][1]  # the rest is better read by the next one
            end = last if at < len(windows) else len(text)
            with torch.inference_mode():
                states = self._model.states(torch.tensor([window.ids]))[0].float()
                scores = functional.linear(states, *self._head).softmax(1).numpy()
            found += decode(text, window, scores, self._bundle.fields, (begin, end))
            begin = end
        return found


def decode(
    text: str, window: Encoding, scores: NDArray[np.float32], fields: tuple[str, ...], part: tuple[int, int]
) -> list[Pointed]:
    """Runs of words of one field from the scores (tokens, 1 + 2 a field), of those that begin in a `part` of the text.

    A word is of the field that its tokens speak for together: half a name points at nothing.
    """
    begins, inside = scores[:, 1::2], scores[:, 2::2]
    either = begins + inside
    tokens = places_of(window, text)
    runs: list[tuple[int, int, int, list[float]]] = []  # field, start, end, scores
    token = 0
    skipped: NDArray[np.float32] | None = None  # what was said of the one word since the last run
    ahead: tuple[int, int, int] | None = None  # words of one field, side by side, that are too faint to begin a run
    for word in _WORD.finditer(text, part[0]):
        if word.start() >= part[1]:
            break
        while token < len(tokens) and (tokens[token][1] <= word.start() or tokens[token][0] == tokens[token][1]):
            token += 1
        of = []
        while token < len(tokens) and tokens[token][0] < word.end():
            of.append(token)
            token += 1
        if not of:
            continue
        weights = np.array([max(1, tokens[t][1] - tokens[t][0]) for t in of], np.float32)
        said = weights @ either[of] / weights.sum()
        field = int(said.argmax())
        between = text[runs[-1][2] : word.start()] if runs else ""
        begin = word.start()
        if ahead is not None and ahead[0] == field and _is_beside(text[ahead[2] : begin]):
            begin = ahead[1]
        if said[field] < FLOOR:
            faint = said[field] >= _FAINT
            if faint and skipped is None and runs and runs[-1][0] == field and _is_beside(between):
                runs[-1] = (field, runs[-1][1], word.end(), runs[-1][3])
                continue
            ahead = (field, begin, word.end()) if faint else None
            skipped = said if skipped is None else np.zeros_like(said)
            continue
        short = runs and between.strip() == "." and runs[-1][2] - runs[-1][1] <= _ABBREVIATED  # "Gebr. Ossenkamp"
        beside = _is_beside(between)  # the same number in subject and text is no long one
        near = skipped is None and (beside or short or begins[of[0], field] <= inside[of[0], field])
        over = skipped is not None and skipped[field] >= FLOOR * _SKIPPED and between.count("\n") == 0
        if runs and runs[-1][0] == field and (near or over):
            _, start, _, earlier = runs.pop()
            runs.append((field, start, word.end(), [*earlier, float(said[field])]))
        else:
            runs.append((field, begin, word.end(), [float(said[field])]))
        skipped = ahead = None
    return [Pointed(fields[field], start, end, round(sum(of) / len(of), 4)) for field, start, end, of in runs]


def _is_beside(between: str) -> bool:
    """Whether a gap between two words lets them be one name: `Fresh & Local`."""
    return not between.replace("&", "").strip() and "\n" not in between


def places_of(window: Encoding, text: str) -> list[tuple[int, int]]:
    """Start and end of each token without the blanks before it; both the same for what stands for no text."""
    places = []
    for start, end in window.offsets:
        while start < end and text[start].isspace():
            start += 1
        places.append((start, end))
    return places
