"""What a language model adds to known messages is counted, right and wrong; so is nothing that was there before."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.scripted_llm import ScriptedLlm, says
from triage.llm import LanguageModel
from triage.llm_cli import added_by
from triage.settings import Settings

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TEXT = "Hello, there is some trouble with our load for Kroon, can somebody ring back? Our matter is 77-4410-Q."


def test_values_that_the_model_adds_are_counted_by_whether_they_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifiers.tagger.Tagger.point", lambda *_: [])  # nothing changes with the next training
    case = {"message": {"channel": "portal", "text": TEXT}, "fields": {"shipment": ["77-4410-Q"]}}
    splits = {"a": "dev", "b": "calibration", "c": "train", "d": "test"}
    lines = [json.dumps({"id": name, "split": split, **case}) for name, split in splits.items()]
    data = tmp_path / "cases.jsonl"
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with ScriptedLlm() as server:
        found = [("shipment", "77-4410-Q"), ("carrier", "Kroon"), ("seal", "nowhere 1234")]
        server.script(says({"found": [{"field": field, "quote": quote} for field, quote in found]}))
        given = {"llm_url": server.url, "llm_model": "m", "data_dir": tmp_path}
        with LanguageModel(Settings(_env_file=None, **given), lambda: NOW) as model:  # type: ignore[arg-type]
            counted = added_by(model, [data], 10)
    assert (counted["messages"], counted["right"], counted["wrong"]) == (2, 2, 2)  # a quote from nowhere is dropped
