"""Datasets: any file of the contract is taken, and what a datasheet vouches for is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from eval.datasets import (
    DatasetError,
    case_sha256,
    describe,
    load_dataset,
    read_message,
    sheet_path,
    split_by_group,
    split_by_time,
)
from extractors.limits import Limits
from triage.cli import app

SAMPLES = Path(__file__).parent.parent.parent / "samples"
SAID = {"licence": "Apache-2.0", "label_guide": "1", "how_made": "written by hand"}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def a_case(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"c{number}", "message": {"text": "The truck is late."}, "label": "transit_delay"} | more


def with_sheet(path: Path) -> Path:
    sheet = describe(load_dataset(path), **SAID)
    sheet_path(path).write_text(yaml.safe_dump(sheet.model_dump(mode="json")), encoding="utf-8")
    return path


def test_a_file_without_a_datasheet_is_taken(tmp_path: Path) -> None:
    dataset = load_dataset(write(tmp_path / "d.jsonl", a_case(1, unknown_extra=1), a_case(2)))
    assert [case.id for case in dataset.cases] == ["c1", "c2"]
    assert dataset.sheet is None


def test_content_that_is_not_what_the_datasheet_says_is_refused(tmp_path: Path) -> None:
    path = with_sheet(write(tmp_path / "d.jsonl", a_case(1), a_case(2)))
    sheet = load_dataset(path).sheet
    assert sheet is not None and sheet.cases == 2 and sheet.licence == "Apache-2.0"
    write(path, a_case(1), a_case(2, label="damage"))
    with pytest.raises(DatasetError, match="SHA-256 differs"):
        load_dataset(path)


def test_a_changed_attachment_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "mail.eml").write_bytes(b"Subject: late\n\nThe truck is late.")
    path = with_sheet(write(tmp_path / "d.jsonl", {"id": "c1", "eml": "mail.eml", "label": "transit_delay"}))
    (tmp_path / "mail.eml").write_bytes(b"Subject: late\n\nThe truck is on time.")
    with pytest.raises(DatasetError, match=r"mail\.eml"):
        load_dataset(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id": "a", "message": {"text": "x"}}\n{"id": "a", "message": {"text": "y"}}', "line 2: the id 'a' stands"),
        ('{"id": "a"}', "give one of message, eml or files"),
        ('{"message": {"text": "x"}}', "line 1: id"),
        ("{", "not JSON"),
        ("\n\n", "holds no case"),
    ],
)
def test_a_line_that_is_no_case_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=says):
        load_dataset(path)


def test_every_form_of_message_is_read_as_the_service_reads_it(tmp_path: Path) -> None:
    pdf, mail = SAMPLES / "31-service-delay-notice.pdf", SAMPLES / "01-breakdown-a1m.eml"
    for source in (pdf, mail):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    cases = load_dataset(
        write(
            tmp_path / "d.jsonl",
            {"id": "json", "message": {"channel": "portal", "text": "Late."}},
            {"id": "both", "message": {"channel": "portal", "text": "Late."}, "files": [pdf.name]},
            {"id": "eml", "eml": mail.name},
            {"id": "eml and pdf", "eml": mail.name, "files": [pdf.name]},
            {"id": "pdf", "files": [pdf.name]},
        )
    ).cases
    read = {case.id: read_message(case, tmp_path, Limits()) for case in cases}
    shapes = {name: (m.channel, [a.content_type for a in m.attachments]) for name, m in read.items()}
    assert shapes == {
        "json": ("portal", []),
        "both": ("portal", ["application/pdf"]),
        "eml": ("email", []),
        "eml and pdf": ("email", ["application/pdf"]),
        "pdf": ("document", ["application/pdf"]),
    }
    assert read["eml"].text == read["eml and pdf"].text
    assert len({case_sha256(case, tmp_path) for case in cases}) == len(cases)


def test_the_default_split_is_test_where_there_is_one(tmp_path: Path) -> None:
    mixed = load_dataset(write(tmp_path / "d.jsonl", a_case(1, split="train"), a_case(2, split="test"), a_case(3)))
    assert [case.id for case in mixed.selected(None)] == ["c2"]
    assert len(mixed.selected("all")) == 3
    with pytest.raises(DatasetError, match="has no split 'dev'"):
        mixed.selected("dev")
    plain = load_dataset(write(tmp_path / "e.jsonl", a_case(1), a_case(2)))
    assert len(plain.selected(None)) == 2


def test_splits_keep_groups_whole_and_never_move(tmp_path: Path) -> None:
    rows = [a_case(i, group=f"g{i // 4}") for i in range(400)]
    shares = {"train": 0.6, "dev": 0.2, "test": 0.2}
    cases = split_by_group(load_dataset(write(tmp_path / "d.jsonl", *rows)).cases, shares)
    for group in range(100):
        assert len({case.split for case in cases[4 * group : 4 * group + 4]}) == 1
    assert 0.45 < sum(case.split == "train" for case in cases) / 400 < 0.75
    fewer = split_by_group(load_dataset(write(tmp_path / "e.jsonl", *rows[:100])).cases, shares)
    assert [case.split for case in fewer] == [case.split for case in cases[:100]]


def test_a_split_keeps_half_an_emoji(tmp_path: Path) -> None:
    case, out = a_case(1, message={"text": "Late \ud83d"}), tmp_path / "split.jsonl"
    answer = CliRunner().invoke(app, ["eval", "split", str(write(tmp_path / "d.jsonl", case)), "--out", str(out)])
    assert answer.exit_code == 0, answer.output
    assert json.loads(out.read_text(encoding="utf-8"))["message"] == case["message"]


def test_a_split_by_time_keeps_the_newest_for_the_test(tmp_path: Path) -> None:
    rows = [
        a_case(i, group=f"g{i // 2}", message={"text": "x", "received_at": f"2026-10-{i + 1:02}T08:00:00Z"})
        for i in range(20)
    ]
    dataset = load_dataset(write(tmp_path / "d.jsonl", *rows))
    cases = split_by_time(dataset.cases, {"train": 0.7, "test": 0.3})
    assert [case.split for case in cases] == ["train"] * 14 + ["test"] * 6
    early, late = "2026-10-01T09:00:00+02:00", "2026-10-01T08:00:00+00:00"  # as text the other way round
    for times in ((early, late), ("2026-10-01T07:00:00", late)):
        rows = [a_case(i, message={"text": "x", "received_at": time}) for i, time in enumerate(times)]
        cases = split_by_time(load_dataset(write(tmp_path / "d.jsonl", *rows)).cases, {"train": 0.5, "test": 0.5})
        assert [case.split for case in cases] == ["train", "test"]
    with pytest.raises(DatasetError, match="received_at"):
        split_by_time(load_dataset(write(tmp_path / "e.jsonl", a_case(1))).cases, {"train": 1.0})
