"""`triage train-tagger`: messages with marked places in, a tagger out. The same data and machine give the same one."""

from __future__ import annotations

import hashlib
import math
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from classifiers.adapter import BATCH, DROPOUT, batches, changes_of, in_steps, learner, merge
from classifiers.e5 import DIMENSIONS, E5, load_model, rounds_fast
from classifiers.tagger import TaggerBundle, places_of

Place = tuple[str, int, int]  # field, start and end in the text; of UNSURE nobody knows whether it states one
UNSURE = ""

EPOCHS = 6
RATE, HEAD_RATE = 1.2e-4, 2e-3
ONWARD = 2, 8e-5, 3e-4  # epochs and rates of a training that goes on from a tagger
KEPT = 0.4  # of that tagger in the one that comes out: half way, it knows the new and has forgotten less of the old
MASKED = 0.1  # of the tokens are not shown then: names that it knows by heart say less, what stands around them more
HIDDEN = 0.2  # of the places are not shown as a whole
NONE_AHEAD = 5.0  # of the logit for "no field" at the start: most words state none
FEWEST = 8  # places of a field, below which it is not learnt
SAMPLE = 200  # windows from which the usual state is taken
SEED = 20261129
_IGNORED = -100  # of functional.cross_entropy


@dataclass(frozen=True)
class Marked:
    """A text and what is marked in it."""

    id: str
    split: str
    text: str
    places: tuple[Place, ...]


def train_tagger(
    examples: Sequence[Marked],
    layers: int | None = None,
    epochs: int | None = None,
    start: TaggerBundle | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> TaggerBundle:
    """Fit all the encoder's layers, or the first few, on `train` on all cores; the other splits are not looked at.

    All their weights are trained and kept: the nearest adapter of rank 64 has forgotten a third of it, and trained
    as an adapter, the first eight layers did not even learn what they were shown.

    With `start` the training goes on from that tagger, at less than its pace and with some words masked: a third of the
    time of a whole one; what comes out is the average of both. Raises ValueError when there is nothing to learn from.
    """
    learnt = sorted((e for e in examples if e.split == "train"), key=lambda e: e.id)
    counts = Counter(field for e in learnt for field, _, _ in e.places if field != UNSURE)
    fields = tuple(sorted(field for field, count in counts.items() if count >= FEWEST))
    if not fields:
        raise ValueError(f"no field is marked {FEWEST} times in the split 'train'; mark more places")
    if start is not None and start.fields != fields:
        raise ValueError("the tagger to go on from knows other fields; train one from the beginning")
    usual_epochs, rate, head_rate = (EPOCHS, RATE, HEAD_RATE) if start is None else ONWARD
    torch.set_num_threads(os.cpu_count() or 1)
    torch.manual_seed(SEED)
    order = random.Random(SEED)  # noqa: S311 - an order, not a secret
    model = load_model(layers if start is None else start.layers)
    linear = {name: layer.weight for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear)}
    before = {name: weight.clone() for name, weight in linear.items()}
    index = {field: i for i, field in enumerate(fields)}
    windows = [window for e in learnt for window in _windows(model, e, index)]
    head = torch.nn.Linear(DIMENSIONS, 1 + 2 * len(fields))
    if start is None:
        mean, deviation = _usual(model, [ids for ids, _ in order.sample(windows, min(SAMPLE, len(windows)))])
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
        head.bias.data[0] = NONE_AHEAD
    else:
        merge(model, start.adapter)
        mean, deviation = torch.from_numpy(start.mean), torch.from_numpy(start.deviation)
        head.weight.data, head.bias.data = torch.tensor(start.head), torch.tensor(start.intercepts)
    for weight in linear.values():
        weight.requires_grad_(True)
    for name in (name for name in linear if name.endswith(".outer")):
        model.get_submodule(name).register_forward_hook(lambda _, __, found: functional.dropout(found, DROPOUT))
    epochs = epochs or usual_epochs
    steps = epochs * math.ceil(len(windows) / BATCH)
    weights = list(linear.values())
    optimizer, schedule = learner(weights, head, (rate, head_rate), steps)
    model.train()
    done = 0
    for _ in range(epochs):
        for batch in batches([len(ids) for ids, _ in windows], order):
            longest = max(len(windows[i][0]) for i in batch)
            ids = torch.full((len(batch), longest), model.padding)
            wanted = torch.full((len(batch), longest), _IGNORED)
            for row, i in enumerate(batch):
                ids[row, : len(windows[i][0])] = torch.tensor(windows[i][0])
                wanted[row, : len(windows[i][0])] = torch.from_numpy(windows[i][1])
            if start is not None:
                ids[_unshown(wanted) & ids.ne(model.padding)] = model.unknown
            with sdpa_kernel(SDPBackend.MATH), torch.autocast("cpu", torch.bfloat16, enabled=rounds_fast()):
                found = model.states(ids)
            states = (found.float() - mean) / deviation
            logits = head(functional.dropout(states, DROPOUT))
            loss = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=_IGNORED)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            schedule.step()
            done += len(batch)
            progress(done, epochs * len(windows))
    adapter = in_steps({name: weight.detach() - before[name] for name, weight in linear.items()})
    weight, bias = head.weight.detach(), head.bias.detach()
    told = "\n".join(f"{e.id} {e.split} {e.places} {e.text}" for e in sorted(examples, key=lambda e: e.id))
    digest = hashlib.sha256(told.encode()).hexdigest()
    parts = b"".join(array.tobytes() for array in (weight.numpy(), *adapter.values()))
    bundle = TaggerBundle(
        version=f"e5-tagger-{hashlib.sha256(digest.encode() + parts).hexdigest()[:12]}",
        fields=fields,
        layers=len(model.layers),
        adapter=adapter,
        head=weight.numpy(),
        intercepts=bias.numpy(),
        mean=mean.numpy(),
        deviation=deviation.numpy(),
        trained_on={
            "data_sha256": digest,
            "messages": dict(Counter(e.split for e in examples)),
            "places": sum(counts[field] for field in fields),
            "epochs": epochs,
            "start": start.version if start is not None else None,
        },
    )
    return bundle if start is None else averaged(start, bundle, KEPT)


def averaged(start: TaggerBundle, onward: TaggerBundle, share: float) -> TaggerBundle:
    """The tagger between two, the second trained on from the first, of which it has that `share`.

    Wortsman et al. 2021, arXiv:2109.01903.
    """
    added = changes_of(onward.adapter)
    change = {name: share * first + (1 - share) * added[name] for name, first in changes_of(start.adapter).items()}
    digest = hashlib.sha256(f"{start.version} {onward.version} {share}".encode()).hexdigest()
    return replace(
        onward,
        version=f"e5-tagger-{digest[:12]}",
        adapter=in_steps(change),
        head=(share * start.head + (1 - share) * onward.head).astype(np.float32),
        intercepts=(share * start.intercepts + (1 - share) * onward.intercepts).astype(np.float32),
    )


def _unshown(wanted: torch.Tensor) -> torch.Tensor:
    """Tokens taken by chance, and all of places taken by chance; `wanted` (windows, tokens) is as `_windows` has it."""
    place = (wanted > 0).logical_and(wanted % 2 == 1).cumsum(1)
    hidden = (torch.rand(len(wanted), int(place.max()) + 1) < HIDDEN).gather(1, place)
    return (torch.rand(wanted.shape) < MASKED) | (hidden & (wanted > 0))


def _windows(model: E5, example: Marked, index: dict[str, int]) -> list[tuple[list[int], NDArray[np.int64]]]:
    """Token numbers of each window and what each token should be taken for."""
    found = []
    known = [place for place in example.places if place[0] in index]
    again = _open(example)
    for window in model.windows(example.text):
        wanted = np.zeros(len(window), np.int64)
        last: Place | None = None
        for token, (start, end) in enumerate(places_of(window, example.text)):
            if start == end:
                wanted[token] = _IGNORED
                continue
            place = next((p for p in known if p[1] <= start < p[2]), None)
            if place is not None:
                wanted[token] = 1 + 2 * index[place[0]] + (place == last)
            elif any(start < to and at < end for at, to in again):
                wanted[token] = _IGNORED
            last = place
        real = sum(window.attention_mask)
        found.append((window.ids[:real], wanted[:real]))
    return found


def _open(example: Marked) -> list[tuple[int, int]]:
    """Neither right nor wrong: places of UNSURE, and the words of a mark once more, since a value is marked once."""
    again = []
    for field, start, end in example.places:
        if field == UNSURE:
            again.append((start, end))
            continue
        said = example.text[start:end]
        at = example.text.find(said)
        while at >= 0 and said:
            again.append((at, at + len(said)))
            at = example.text.find(said, at + 1)
    return again


def _usual(model: E5, sample: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of the tokens' states: most of a state is the same in all tokens."""
    with torch.no_grad():
        states = torch.cat([model.states(torch.tensor([ids]))[0].float() for ids in sample])
    return states.mean(0), states.std(0)
