from __future__ import annotations

from pathlib import Path

import pytest

from eval.matching import CASES, evaluate, load
from extractors.evidence import Evidence, Finding
from extractors.message import RecordRef
from triage.matching import Matching, match
from triage.odoo.records import Record


def found(field: str, value: str, score: float = 0.95) -> Finding:
    evidence = Evidence(part="body", quote=value, start=0, end=len(value))
    return Finding(field=field, value=value, score=score, method="pattern", evidence=evidence)


def picking(number: int, *references: str) -> Record:
    name = f"WH/OUT/{number:05d}"
    return Record(model="stock.picking", id=number, name=name, references=(name, *references))


def chosen(matching: Matching) -> int | None:
    return matching.match.id if matching.match else None


A, B = picking(1, "SO0042", "PO-77", "1Z999AA10123456784"), picking(2, "SO0042", "PO-77", "JD014600003")
C = picking(3, "SO0099")


def test_the_pickings_own_name_is_the_best_reference() -> None:
    by_name = match([found("delivery_order", "wh/out/00001")], [A], None)
    by_order = match([found("sales_order", "SO0042")], [A], None)
    assert by_name.match is not None
    assert by_order.match is not None
    assert by_name.match.score > by_order.match.score
    assert by_name.match.reasons == ("delivery_order wh/out/00001 is its name",)


def test_an_order_with_one_shipment_matches_it_and_with_several_asks() -> None:
    assert chosen(match([found("sales_order", "SO0042")], [A], None)) == 1
    asked = match([found("sales_order", "SO0042")], [A, B], None)
    assert asked.match is None
    assert [c.id for c in asked.alternatives] == [1, 2]
    assert asked.reason == "2 records answer to the message about equally well (WH/OUT/00001 and WH/OUT/00002)"


def test_what_two_shipments_share_does_not_blur_the_one_that_is_named() -> None:
    shared = [found("sales_order", "SO0042"), found("purchase_order", "PO-77")]
    for own in (found("delivery_order", "WH/OUT/00002"), found("tracking", "JD014600003", 0.9)):
        matching = match([*shared, own], [A, B], None)
        assert chosen(matching) == 2
        assert matching.match is not None
        assert [c.id for c in matching.match.alternatives] == [1]


def test_two_shipments_named_alike_are_a_question() -> None:
    matching = match(
        [found("delivery_order", "WH/OUT/00001"), found("delivery_order", "WH/OUT/00003", 0.9)], [A, C], None
    )
    assert matching.match is None
    assert len(matching.alternatives) == 2


def test_a_reference_from_old_history_neither_decides_nor_disturbs() -> None:
    old = found("delivery_order", "WH/OUT/00003", 0.4)
    assert chosen(match([found("delivery_order", "WH/OUT/00001"), old], [A, C], None)) == 1
    alone = match([old], [C], None)
    assert alone.match is None
    assert alone.reason == "the references found are too doubtful"
    assert [c.id for c in alone.alternatives] == [3]


def test_references_that_agree_strengthen_each_other_and_repeats_do_not() -> None:
    once = match([found("sales_order", "SO0042", 0.7)], [A], None).match
    twice = match([found("sales_order", "SO0042", 0.7), found("sales_order", "so 0042", 0.6)], [A], None).match
    more = match([found("sales_order", "SO0042", 0.7), found("tracking", "1Z999AA10123456784", 0.7)], [A], None).match
    assert once is not None
    assert twice is not None
    assert more is not None
    assert once.score == twice.score < more.score < 1


def test_the_record_that_the_sender_gave_is_taken() -> None:
    given = RecordRef(model="stock.picking", id=3)
    matching = match([found("delivery_order", "WH/OUT/00001")], [A, C], given)
    assert matching.match is not None
    assert (matching.match.id, matching.match.score) == (3, 1.0)
    assert matching.match.reasons == ("the sender gave this record",)
    assert [c.id for c in matching.match.alternatives] == [1]


def test_a_given_record_that_does_not_exist_leaves_it_to_the_references() -> None:
    assert chosen(match([found("delivery_order", "WH/OUT/00001")], [A], RecordRef(model="stock.picking", id=99))) == 1


@pytest.mark.parametrize("findings", [[], [found("invoice", "SO0042")], [found("sales_order", "SO9999")]])
def test_nothing_that_points_at_a_record_is_no_match(findings: list[Finding]) -> None:
    assert match(findings, [A], None).match is None
    assert match(findings, [], None) == Matching(reason="no reference points at a record")


def test_the_senders_firm_decides_between_customers_who_number_alike_and_never_alone() -> None:
    morel = A.model_copy(update={"partner_email": "achats@atelier-morel.example"})
    other = C.model_copy(update={"references": (C.name, "PO-77"), "partner_email": "in@bouwmaat.example"})
    order = [found("purchase_order", "PO-77")]
    assert match(order, [morel, other], None).match is None
    assert chosen(match(order, [morel, other], None, sender="Luc@Atelier-Morel.example")) == 1
    alone = match([], [morel], None, sender="achats@atelier-morel.example")
    assert alone.match is None
    assert alone.reason == "no reference points at a record; those of the sender's firm are named"
    gmail = morel.model_copy(update={"partner_email": "morel@gmail.com"})
    assert match(order, [gmail, other], None, sender="another@gmail.com").match is None
    assert chosen(match(order, [gmail, other], None, sender="morel@gmail.com")) == 1


def test_a_reply_is_about_the_threads_record_until_it_names_another() -> None:
    thread = RecordRef(model="stock.picking", id=1)
    reply = match([], [A], None, thread_record=thread)
    assert chosen(reply) == 1
    assert reply.match is not None
    assert reply.match.reasons == ("an earlier message of the thread was about it",)
    assert chosen(match([found("sales_order", "SO0042")], [A, B], None, thread_record=thread)) == 1
    assert chosen(match([found("delivery_order", "WH/OUT/00003")], [A, C], None, thread_record=thread)) == 3


def test_a_reply_that_names_a_shipment_which_odoo_does_not_know_is_not_taken_for_the_threads() -> None:
    thread = RecordRef(model="stock.picking", id=1)
    unknown, history = found("delivery_order", "WH/OUT/00077", 0.99), found("delivery_order", "WH/OUT/00001", 0.59)
    for said in ([unknown], [unknown, history]):
        asked = match(said, [A], None, thread_record=thread)
        assert asked.match is None
        assert [c.id for c in asked.alternatives] == [1]
        assert asked.reason == "the message names WH/OUT/00077, to which no record answers"
    assert chosen(match([unknown, found("sales_order", "SO0042")], [A], None, thread_record=thread)) == 1


def test_a_plate_is_the_same_however_it_is_written_and_weaker_than_an_order() -> None:
    batch = Record(model="stock.picking.batch", id=9, name="BATCH/9", references=("BATCH/9", "1-ABC-234"))
    plate = found("vehicle_plate", "1ABC234", 0.75)
    assert chosen(match([plate], [batch], None)) == 9
    assert chosen(match([plate, found("sales_order", "SO0099", 0.9)], [batch, C], None)) == 3
    assert chosen(match([found("tracking", "1ABC234")], [batch], None)) is None


def test_no_ambiguous_case_is_matched_wrongly_and_few_are_asked_in_vain() -> None:
    found = evaluate(load(CASES))
    assert found["cases"] >= 30
    assert found["wrong"] == 0, found["not_right"]
    assert found["asked"] <= 1, found["not_right"]


def test_a_file_without_a_case_proves_nothing(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    with pytest.raises(ValueError, match="holds no case"):
        load(tmp_path / "none.jsonl")
