"""Fine-tuning: what a bundle adds to the encoder, as a low-rank adapter (LoRA) or as all the weights' changes.

Hu et al. 2021, arXiv:2106.09685: 1.3 million numbers instead of 21. The words' vectors stay as they are, so words
that no training message has keep their meaning.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from classifiers.e5 import DIMENSIONS, E5, rounds_fast

# By layer's name: ".../down" (rank, inputs) and ".../up" (outputs, rank) of an adapter, or of a training of all weights
# ".../change" (outputs, inputs) in whole steps and ".../step" (outputs).
Adapter = Mapping[str, NDArray[Any]]

RANK = 16
SCALE = 2.0
SHARPNESS = 20.0  # of unit vectors' products, so that the head's logits can be far apart
DROPOUT = 0.1
RATE, HEAD_RATE, DECAY, WARM_UP = 1e-3, 2e-3, 0.01, 0.1
BATCH = 16
EPOCHS = 3
SMOOTHING = 0.05  # of labels: some are wrong
DISTRACTED = 0.5  # of the texts of an epoch that are read once more with a sentence which changes nothing
BESIDE = 0.3  # of those sentences that stand in a line of the text; the others have one to themselves


class Tuned(NamedTuple):
    """The adapter and the linear head (labels, 384), with intercepts, that were trained with it."""

    adapter: Adapter
    head: NDArray[np.float32]
    intercepts: NDArray[np.float32]


class Low(torch.nn.Module):
    def __init__(self, base: torch.nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = torch.nn.Parameter(torch.randn(RANK, base.in_features) / math.sqrt(base.in_features))
        self.up = torch.nn.Parameter(torch.zeros(base.out_features, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # dropped between the two, not before: over as many numbers as x has, it took a third of the training's time
        low = functional.dropout(x @ (SCALE * self.down.T), DROPOUT)
        found: torch.Tensor = self.base(x) + low @ self.up.T
        return found


def merge(model: E5, adapter: Adapter) -> None:
    """Into the model's own weights, so that it costs nothing at run time. Raises ValueError for another model's."""
    for name in _layers(adapter):
        try:
            weight = model.get_parameter(f"{name}.weight")
            weight.data += _change(adapter, name).to(weight.dtype)
        except (AttributeError, KeyError, RuntimeError) as error:
            raise ValueError(f"the adapter does not fit the encoder at {name}: {error}") from error


def _layers(adapter: Adapter) -> set[str]:
    return {name.rpartition("/")[0] for name in adapter}


def _change(adapter: Adapter, name: str) -> torch.Tensor:
    def part(of: str) -> torch.Tensor:
        return torch.from_numpy(adapter[f"{name}/{of}"].astype(np.float32))

    if f"{name}/change" in adapter:
        return part("change") * part("step")[:, None]
    return SCALE * (part("up") @ part("down"))


def tune(
    model: E5,
    texts: Sequence[str],
    wanted: NDArray[np.float32],
    seed: int,
    epochs: int = EPOCHS,
    distractors: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Tuned:
    """Train adapter and head on all cores; `wanted` (texts, labels) adds up to 1 in each row.

    Some texts are read twice, with one of the `distractors` too, anew in every epoch; what such a twin is taken for is
    drawn to what the text alone is. The model is changed and of no more use.
    """
    torch.set_num_threads(os.cpu_count() or 1)
    torch.manual_seed(seed)
    order = random.Random(seed)  # noqa: S311 - an order, not a secret
    low = insert(model)
    head = torch.nn.Linear(DIMENSIONS, wanted.shape[1])
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    steps = epochs * math.ceil(len(texts) / BATCH)
    weights: list[torch.Tensor] = [p for layer in low.values() for p in (layer.down, layer.up)]
    optimizer, schedule = learner(weights, head, (RATE, HEAD_RATE), steps)
    model.train()
    done = 0
    for _ in range(epochs):
        for batch in batches([len(text) for text in texts], order):
            twice = [place for place in range(len(batch)) if distractors and order.random() < DISTRACTED]
            read = [texts[i] for i in batch]
            read += [distracted(read[place], distractors, order) for place in twice]
            # spelled out, attention goes back through its derivative several times faster than in one piece
            with sdpa_kernel(SDPBackend.MATH), torch.autocast("cpu", torch.bfloat16, enabled=rounds_fast()):
                vectors = model(model.ids(read))
            logits = head(functional.dropout(vectors.float() * SHARPNESS, DROPOUT))
            meant = torch.from_numpy(np.concatenate([wanted[batch], wanted[batch][twice]]))
            loss = functional.cross_entropy(logits, meant, label_smoothing=SMOOTHING)
            if twice:
                alone, twins = logits[twice].detach(), logits[len(batch) :]
                loss = loss + functional.kl_div(
                    twins.log_softmax(1), alone.log_softmax(1), log_target=True, reduction="batchmean"
                )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            schedule.step()
            done += len(batch)
            progress(done, epochs * len(texts))
    return Tuned(taken_out(low), head.weight.detach().mul(SHARPNESS).numpy(), head.bias.detach().numpy())


def distracted(text: str, distractors: Sequence[str], order: random.Random) -> str:
    """The text with one of the sentences before, after or between its lines, or at either end of a line: what a
    message is about stays the same.
    """
    lines, said = text.split("\n"), order.choice(distractors)
    if order.random() < BESIDE:
        place = order.randrange(len(lines))
        lines[place] = " ".join([said, lines[place]] if order.random() < 0.5 else [lines[place], said])
    else:
        lines.insert(order.randint(0, len(lines)), said)
    return "\n".join(lines)


def learner(
    weights: Sequence[torch.Tensor], head: torch.nn.Linear, rates: tuple[float, float], steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    """What trains the weights and the head at these `rates`: up at first, then down to nothing."""
    optimizer = torch.optim.AdamW(
        [{"params": weights, "lr": rates[0]}, {"params": head.parameters(), "lr": rates[1]}], weight_decay=DECAY
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / (WARM_UP * steps)) * max(0.0, 1 - step / steps)
    )
    return optimizer, schedule


def insert(model: E5) -> dict[str, Low]:
    """A low-rank part beside every linear layer of the model, each by that layer's name, ready to be trained."""
    linear = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear)]
    low = {name: Low(layer) for name, layer in linear}
    for name, layer in low.items():
        if rounds_fast():  # what is not trained need not be rounded anew in every step
            layer.base.bfloat16()
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, layer)
    return low


def taken_out(low: Mapping[str, Low]) -> Adapter:
    return {
        f"{name}/{part}": value.detach().numpy().astype(np.float16)
        for name, layer in low.items()
        for part, value in (("down", layer.down), ("up", layer.up))
    }


def joined(first: Adapter, second: Adapter) -> Adapter:
    """What adds as much as the two after one another; both are for the same layers."""
    return {name: np.concatenate([first[name], second[name]], axis=1 if name.endswith("/up") else 0) for name in first}


def in_steps(change: Mapping[str, torch.Tensor]) -> Adapter:
    """What a training has added to each layer's weights, as eight-bit numbers with a step for each output."""
    found: dict[str, NDArray[Any]] = {}
    for name, added in change.items():
        step = added.abs().amax(1).clamp(min=1e-12) / 127
        found[f"{name}/change"] = (added / step[:, None]).round().numpy().astype(np.int8)
        found[f"{name}/step"] = step.numpy()
    return found


def changes_of(adapter: Adapter) -> dict[str, torch.Tensor]:
    """What an adapter adds to each layer's weights."""
    return {name: _change(adapter, name) for name in sorted(_layers(adapter))}


def nearest(adapter: Adapter, rank: int) -> Adapter:
    """The low-rank adapter that comes nearest to one of all weights' changes."""
    found: dict[str, NDArray[np.float16]] = {}
    for name in _layers(adapter):
        up, strength, down = torch.linalg.svd(_change(adapter, name), full_matrices=False)
        parts = {"down": down[:rank], "up": up[:, :rank] * strength[:rank] / SCALE}
        found |= {f"{name}/{part}": value.numpy().astype(np.float16) for part, value in parts.items()}
    return found


def batches(lengths: Sequence[int], order: random.Random) -> Iterator[list[int]]:
    """Numbers of texts in an order of chance, those of one length together: equal lengths waste no padding."""
    mixed = order.sample(range(len(lengths)), len(lengths))
    batches = []
    for start in range(0, len(mixed), 16 * BATCH):
        near = sorted(mixed[start : start + 16 * BATCH], key=lengths.__getitem__)
        batches += [near[i : i + BATCH] for i in range(0, len(near), BATCH)]
    order.shuffle(batches)
    yield from batches
