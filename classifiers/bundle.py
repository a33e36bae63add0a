"""A trained classifier on disk: JSON and npz with their hashes in a manifest, never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.adapter import Adapter
from classifiers.e5 import SHA256 as ENCODER

PACKAGED = Path(__file__).parent / "bundle"
ARRAYS, ADAPTER, WORDS, MANIFEST = "arrays.npz", "adapter.npz", "vocabularies.json", "manifest.json"


class BundleError(RuntimeError):
    """The bundle is missing, damaged or made for something else."""


@dataclass(frozen=True)
class Thresholds:
    """Below `confidence` the label is `ambiguous`; below `familiarity` the text is `out_of_scope`."""

    confidence: float
    familiarity: float
    accepted_error: float
    coverage: float


@dataclass(frozen=True)
class Bundle:
    """The weights map features to logits and have the shape (labels, features).

    `head` reads the vectors of the encoder with the bundle's `adapter`, `lexical` the letters and words of
    `vocabularies`. `centroids` are unit vectors, one a label.
    """

    version: str
    labels: tuple[str, ...]
    adapter: Adapter
    head: NDArray[np.float32]
    head_intercepts: NDArray[np.float32]
    lexical: NDArray[np.float32]
    lexical_intercepts: NDArray[np.float32]
    idf: NDArray[np.float32]
    centroids: NDArray[np.float32]
    vocabularies: tuple[tuple[str, ...], ...]
    lexical_share: float
    temperature: float
    thresholds: Thresholds
    trained_on: dict[str, Any]

    def save(self, folder: Path) -> None:
        arrays = {name: value for name, value in self.__dict__.items() if isinstance(value, np.ndarray)}
        arrays["lexical"] = arrays["lexical"].astype(np.float16)  # by far the largest; half the bits are enough
        folder.mkdir(parents=True, exist_ok=True)
        (folder / WORDS).write_text(json.dumps(self.vocabularies, ensure_ascii=False), encoding="utf-8")
        told = {
            "version": self.version,
            "labels": self.labels,
            "lexical_share": self.lexical_share,
            "temperature": self.temperature,
            "thresholds": asdict(self.thresholds),
            "trained_on": self.trained_on,
        }
        write_files(folder, arrays, self.adapter, told, WORDS)


def load_bundle(folder: Path = PACKAGED) -> Bundle:
    """Raises BundleError that says what to do."""
    told, arrays, adapter = read_files(folder, "triage train", WORDS)
    return Bundle(
        version=told["version"],
        labels=tuple(told["labels"]),
        adapter=adapter,
        vocabularies=tuple(map(tuple, json.loads((folder / WORDS).read_text(encoding="utf-8")))),
        lexical_share=told["lexical_share"],
        temperature=told["temperature"],
        thresholds=Thresholds(**told["thresholds"]),
        trained_on=told["trained_on"],
        **arrays,
    )


def write_files(
    folder: Path, arrays: Mapping[str, NDArray[Any]], adapter: Adapter, told: Mapping[str, Any], *others: str
) -> None:
    """Arrays, adapter and a manifest with what is `told`, the encoder's hash and those of these files and `others`."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / ARRAYS, **arrays)  # type: ignore[arg-type]
    np.savez_compressed(folder / ADAPTER, **adapter)  # type: ignore[arg-type]
    hashes = {name: _sha256(folder / name) for name in (ARRAYS, ADAPTER, *others)}
    manifest = {**told, "encoder": ENCODER, "sha256": hashes}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def read_files(
    folder: Path, command: str, *others: str
) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]], Adapter]:
    """What `write_files` wrote, once all hashes hold. Raises BundleError that names the `command` that makes it."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(f"there is no classifier in {folder}; run '{command}'") from None
    if manifest.get("encoder") != ENCODER:
        raise BundleError(f"the classifier in {folder} was trained for another encoder; run '{command}'")
    if not set(others) <= manifest["sha256"].keys():
        raise BundleError(f"the classifier in {folder} was made by another version; run '{command}'")
    for name, sha256 in manifest["sha256"].items():
        if not (folder / name).is_file() or _sha256(folder / name) != sha256:
            raise BundleError(f"{name} in {folder} is not the file that was trained; restore it or run '{command}'")
    with np.load(folder / ARRAYS, allow_pickle=False) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files}
    with np.load(folder / ADAPTER, allow_pickle=False) as file:
        adapter = {name: file[name] for name in file.files}
    return manifest, arrays, adapter


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
