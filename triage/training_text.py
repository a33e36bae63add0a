"""The same text for training as for triage: a labelled message goes through the same reading as a live one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from classifiers.tagging import Marked
from classifiers.text import classifier_text
from extractors.limits import Limits
from extractors.message import message_from_json
from extractors.pointed import readable


def text_of(message: dict[str, Any]) -> str:
    read = message_from_json(message, Limits())
    return classifier_text(read.subject, read.newest, read.quoted)


def load_marked(messages: Path, marks: Path) -> list[Marked]:
    """The messages whose `marks` say which words state which field, as a tagger reads them; none of the split `test`.

    A mark is `[field, part, start, end, quote]`. Raises ValueError that names file, line and what is wrong.
    """
    rows = {row["id"]: row for row in map(json.loads, messages.read_text(encoding="utf-8").splitlines())}
    found = []
    for number, line in enumerate(marks.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            told = json.loads(line)
            row = rows[told["id"]]
            read = readable(message_from_json(row["message"], Limits()))
            places = []
            for field, part, start, end, quote in told["places"]:
                moved = next(at - begin for at, of, begin in reversed(read.parts) if of == part and begin <= start)
                place = (str(field), start + moved, end + moved)
                if read.text[place[1] : place[2]] != quote:
                    raise ValueError(f"{quote!r} does not stand at {start} of the {part}")
                places.append(place)
        except (ValueError, KeyError, TypeError, StopIteration) as error:
            raise ValueError(f"{marks.name} line {number}: {error!r}") from error
        if row["split"] != "test":
            found.append(Marked(told["id"], row["split"], read.text, tuple(places)))
    return found


def load_marked_pages(pages: Path) -> list[Marked]:
    """Pieces of pages as `extractors.blocks` gives them.

    A place is `[field, start, end]`, of the field "" where nobody knows whether the words state one. Raises ValueError
    that names file, line and what is wrong.
    """
    found = []
    for number, line in enumerate(pages.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            told = json.loads(line)
            places = tuple((str(field), int(start), int(end)) for field, start, end in told["places"])
            found.append(Marked(told["id"], "train", told["text"], places))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{pages.name} line {number}: {error!r}") from error
    return found
