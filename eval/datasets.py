"""Labelled cases: JSON lines of the contract, and the datasheet beside them that says what they are.

A dataset `cases.jsonl` may have a datasheet `cases.datasheet.yaml` (or `.yml`, `.json`). Where there is one, its hashes
are checked, so that a figure always belongs to the very cases it was measured on.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from extractors import sniff
from extractors.limits import Limits
from extractors.message import (
    Attachment,
    Message,
    Value,
    message_from_form,
    message_from_json,
    message_from_pdf,
    message_from_rfc822,
)

Route = Literal["activity", "approval", "ignore", "hold"]
SHEETS = (".datasheet.yaml", ".datasheet.yml", ".datasheet.json")


class DatasetError(ValueError):
    """The dataset cannot be used; the text names file, line and field, and what to do."""


class Case(BaseModel):
    """One labelled message. `fields` and `documents` are null where nobody labelled them, empty where there are none.

    `route` is what ought to be done (`activity`, `approval`, `ignore`); null: what the policy does with the true label.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str = Field(min_length=1)
    message: dict[str, Any] | None = None
    eml: str | None = None
    files: tuple[str, ...] = ()
    label: str | None = None
    secondary_labels: tuple[str, ...] | None = None
    fields: dict[str, tuple[str, ...]] | None = None
    documents: tuple[str, ...] | None = None
    lang: str | None = None
    source: str | None = None
    licence: str | None = None
    split: str | None = None
    group: str | None = None
    route: Route | None = None
    attack: str | None = None

    @field_validator("fields", mode="before")
    @classmethod
    def _one_value_is_a_list_of_one(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        listed = {n: v if isinstance(v, list | tuple) else [] if v is None else [v] for n, v in given.items()}
        return {name: [_plain(value) for value in values] for name, values in listed.items()}

    @property
    def cluster(self) -> str:
        """Cases of one group are not independent of each other; a case without a group is its own."""
        return self.group or self.id


def _plain(value: Any) -> Any:
    """A quantity given as value and unit, as the service writes it: `812 KGM`."""
    if not isinstance(value, Mapping):
        return value
    return " ".join(str(value[part]) for part in ("value", "unit", "currency") if value.get(part) is not None)


class Datasheet(Value):
    """`sha256` is that of the JSON lines file, `files` that of each file its cases name, by relative path."""

    name: str
    version: str = "1"
    sha256: str
    licence: str
    label_guide: str
    how_made: str
    files: dict[str, str] = {}
    cases: int | None = None
    splits: dict[str, int] = {}
    notes: str = ""


class Dataset(Value):
    path: Path
    sha256: str
    cases: tuple[Case, ...]
    sheet: Datasheet | None = None

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def splits(self) -> dict[str, int]:
        return dict(sorted(Counter(case.split or "none" for case in self.cases).items()))

    def selected(self, split: str | None) -> tuple[Case, ...]:
        """The cases of a split, `all` of them, or by default those of `test` where there are any."""
        if split is None:
            split = "test" if "test" in self.splits else "all"
        if split == "all":
            return self.cases
        chosen = tuple(case for case in self.cases if (case.split or "none") == split)
        if not chosen:
            raise DatasetError(
                f"{self.path.name} has no split {split!r}; it has {', '.join(self.splits) or 'no cases'}"
            )
        return chosen


def load_dataset(path: Path) -> Dataset:
    """Raises DatasetError for a line that is no case, an id given twice, or content that is not the datasheet's."""
    dataset = load_unchecked(path)
    if dataset.sheet is not None:
        _check(dataset, dataset.sheet)
    return dataset


def load_unchecked(path: Path) -> Dataset:
    """The same without a look at the datasheet's hashes: for writing a new one."""
    try:
        raw = path.read_bytes()
        lines = raw.decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as UTF-8 JSON lines: {error}") from error
    cases: list[Case] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        case = _case(line, f"{path.name} line {number}")
        if case.id in seen:
            raise DatasetError(f"{path.name} line {number}: the id {case.id!r} stands on line {seen[case.id]} already")
        seen[case.id] = number
        cases.append(case)
    if not cases:
        raise DatasetError(f"{path.name} holds no case; write one JSON object a line")
    return Dataset(path=path, sha256=hashlib.sha256(raw).hexdigest(), cases=tuple(cases), sheet=_sheet(path))


def _case(line: str, where: str) -> Case:
    try:
        case = Case.model_validate(json.loads(line))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"]) or "the line"
        raise DatasetError(f"{where}: {field}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{where}: this is not JSON ({error}); write one object a line") from error
    if case.message is None and case.eml is None and not case.files:
        raise DatasetError(f"{where}: give one of message, eml or files")
    return case


def sheet_path(path: Path) -> Path:
    """The datasheet beside a dataset; where there is none, where one would stand."""
    candidates = [path.with_name(path.stem + ending) for ending in SHEETS]
    return next((p for p in candidates if p.exists()), candidates[0])


def _sheet(path: Path) -> Datasheet | None:
    place = sheet_path(path)
    if not place.exists():
        return None
    try:
        return Datasheet.model_validate(yaml.safe_load(place.read_text(encoding="utf-8")))
    except (ValidationError, yaml.YAMLError) as error:
        raise DatasetError(f"{place.name} is not a datasheet: {error}") from error


def _check(dataset: Dataset, sheet: Datasheet) -> None:
    remedy = "restore it, or write a new datasheet with 'triage eval datasheet'"
    if sheet.sha256 != dataset.sha256:
        raise DatasetError(f"{dataset.path.name} is not the file its datasheet describes (SHA-256 differs); {remedy}")
    if sheet.files:
        found = file_hashes(dataset)
        wrong = sorted(name for name in found.keys() | sheet.files.keys() if found.get(name) != sheet.files.get(name))
        if wrong:
            raise DatasetError(f"{', '.join(wrong[:5])}: not what the datasheet of {dataset.path.name} says; {remedy}")


def file_hashes(dataset: Dataset) -> dict[str, str]:
    """SHA-256 of every file that the cases name; one that is missing is left out."""
    names = sorted({name for case in dataset.cases for name in (*case.files, *([case.eml] if case.eml else []))})
    paths = {name: dataset.folder / name for name in names}
    return {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in paths.items() if p.is_file()}


def describe(dataset: Dataset, **said: str) -> Datasheet:
    """A datasheet for the dataset as it is now; `said` is what only a person knows, else kept from the old one."""
    old = dataset.sheet.model_dump() if dataset.sheet else {"name": dataset.path.stem}
    kept = old | {name: value for name, value in said.items() if value}
    missing = [name for name in ("licence", "label_guide", "how_made") if not kept.get(name)]
    if missing:
        raise DatasetError(f"the datasheet needs {', '.join(missing)}")
    counted = {"cases": len(dataset.cases), "splits": dataset.splits, "files": file_hashes(dataset)}
    return Datasheet.model_validate(kept | counted | {"sha256": dataset.sha256})


def read_message(case: Case, folder: Path, limits: Limits) -> Message:
    """The message of a case as the service would read it. Raises InputError as intake does, OSError for a lost file."""
    files = [(Path(name).name, (folder / name).read_bytes()) for name in case.files]
    if case.eml is not None:
        message = message_from_rfc822((folder / case.eml).read_bytes(), limits)
        more = tuple(Attachment(filename=n, content_type=sniff.content_type(c), content=c) for n, c in files)
        return message.model_copy(update={"attachments": message.attachments + more}) if more else message
    if case.message is not None:
        if not files:
            return message_from_json(case.message, limits)
        return message_from_form({"metadata": json.dumps(case.message)}, files, limits)
    name, content = files[0]
    if len(files) == 1 and sniff.content_type(content) == "application/pdf":
        return message_from_pdf(content, limits, filename=name)
    if len(files) == 1 and Path(name).suffix.lower() == ".eml":
        return message_from_rfc822(content, limits)
    return message_from_form({}, files, limits)


def case_sha256(case: Case, folder: Path) -> str:
    """A case and the files that it names, as one hash. Its labels are in it: a row holds what was expected, too."""
    digest = hashlib.sha256(json.dumps(case.model_dump(), sort_keys=True).encode())
    for name in (*([case.eml] if case.eml else []), *case.files):
        path = folder / name
        digest.update(f"\n{name} ".encode() + (path.read_bytes() if path.is_file() else b"missing"))
    return digest.hexdigest()


# Splits


def split_by_group(cases: Sequence[Case], shares: Mapping[str, float]) -> list[Case]:
    """Every group whole in one split, the same one for ever, whatever cases are added. `shares` sum to 1."""
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise DatasetError("the shares of the splits must sum to 1")

    def split(group: str) -> str:
        part = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4]) / 2**32
        ends = zip(shares, _running(shares.values()), strict=True)
        return next((name for name, end in ends if part < end), list(shares)[-1])

    return [case.model_copy(update={"split": split(case.cluster)}) for case in cases]


def split_by_time(cases: Sequence[Case], shares: Mapping[str, float]) -> list[Case]:
    """The oldest groups in the first split, the newest in the last; a group counts by its newest message."""
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise DatasetError("the shares of the splits must sum to 1")
    newest: dict[str, datetime] = {}
    for case in cases:
        received = _received(case)
        newest[case.cluster] = max(newest.get(case.cluster, received), received)
    sizes = Counter(case.cluster for case in cases)
    chosen: dict[str, str] = {}
    names, ends = list(shares), _running(shares.values())
    done = 0
    for group in sorted(newest, key=lambda g: (newest[g], g)):
        middle = (done + sizes[group] / 2) / len(cases)
        chosen[group] = next((name for name, end in zip(names, ends, strict=True) if middle <= end), names[-1])
        done += sizes[group]
    return [case.model_copy(update={"split": chosen[case.cluster]}) for case in cases]


def _running(shares: Iterable[float]) -> list[float]:
    total, ends = 0.0, []
    for share in shares:
        total += share
        ends.append(total)
    return ends


def _received(case: Case) -> datetime:
    given = (case.message or {}).get("received_at")
    try:
        received = datetime.fromisoformat(str(given))
    except ValueError:
        raise DatasetError(f"case {case.id}: message.received_at is no ISO 8601 time; give one") from None
    return received if received.tzinfo else received.replace(tzinfo=UTC)
