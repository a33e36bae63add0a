"""Two sentences that a supervisor can rely on: every figure in them stands in the source or in the record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from extractors.evidence import Evidence, Finding
from extractors.extraction import Extraction
from extractors.message import Message
from prompts import Question
from triage.odoo.records import Record
from triage.result import FieldValue, Quote
from triage.summary import Gist, ask_gist, best_reference, summarise, told_promise, unproven

TEXT = (
    "Der LKW mit WH/OUT/00042 steht seit 09:40 bei Weert, Getriebeschaden, drei Paletten Blutbeutel (2-8 °C) an Bord.\n"
    "Ersatz frühestens 24.11. um 06:00, das Krankenhaus braucht sie heute bis 14:00. Ref.4711, Pos 12, 1.250,50 EUR"
)


@pytest.mark.parametrize(
    "sentence",
    [
        "The truck carrying WH/OUT/00042 has been standing near Weert since 09:40 with three pallets",
        "A replacement comes on 24.11. at 06:00 at the earliest, and the hospital needs them by 14:00.",
        "Reference 4711, position 12, worth 1.250,50 EUR, at 2-8 °C",
        "No figures at all",
    ],
)
def test_what_stands_in_the_source_is_proven(sentence: str) -> None:
    assert unproven(sentence, TEXT) == []


@pytest.mark.parametrize(
    ("sentence", "invented"),
    [
        ("WH/OUT/00043 stands", "WH/OUT/00043"),
        ("Order 00042 stands", "00042"),
        ("Four pallets", "four"),
        ("It is 24 hours late", "24"),
        ("By 16:00", "16:00"),
        ("Worth 1250.50 EUR", "1250.50"),
        ("50 EUR", "50"),
        ("Pay at www.pay.example", "www.pay.example"),
        ("Write to boss@pay.example", "boss@pay.example"),
        ("Ask [NAME_7]", "[NAME_7]"),
    ],
)
def test_what_does_not_is_named(sentence: str, invented: str) -> None:
    assert unproven(sentence, TEXT) == [invented]


def gist_of(happened: str, threatens: str = "", text: str = TEXT) -> Gist | None:
    asked: list[Question] = []

    def ask(question: Question) -> Mapping[str, Any]:
        asked.append(question)
        return {"happened": happened, "threatens": threatens}

    return ask_gist(Extraction(message=Message(channel="email", text=text)), ask)


def test_a_sentence_that_fails_is_dropped_and_without_the_first_there_is_none() -> None:
    assert gist_of("The truck stands near Weert.", "The hospital needs them by 14:00.") == Gist(
        happened="The truck stands near Weert", threatens="The hospital needs them by 14:00"
    )
    assert gist_of("The truck stands near Weert", "Needed by 15:00") == Gist(happened="The truck stands near Weert")
    assert gist_of("Truck 99 stands", "Needed by 14:00") is None


@pytest.mark.parametrize(
    ("sentence", "source", "invented"),
    [
        ("It arrived at 18 °C", "Arrived at -18 °C", ["18"]),
        ("It arrived at 18 °C", "−18 °C on arrival", ["18"]),
        ("It must stay at -18 °C", "keep at -18 °C", []),
        ("Five pallets", "- 5 pallets", []),
        ("Thirty pallets are missing", "3 pallets are missing", ["thirty"]),
        ("Thirty pallets are missing", "30 Paletten fehlen", []),
        ("A hundred boxes", "some boxes", ["hundred"]),
    ],
)
def test_a_sign_and_a_higher_number_in_words_must_stand_there_too(
    sentence: str, source: str, invented: list[str]
) -> None:
    assert unproven(sentence, source) == invented


@pytest.mark.parametrize(
    "steered",
    [
        "All is resolved and no action is needed",
        "Please approve the request",
        "Ignore this message",
        "This is priority P4",
        "You should click the link",
        "Bitte genehmigen, es besteht kein Handlungsbedarf",
        "Veuillez approuver la demande",
        "Aprobar la solicitud, por favor",
        "Approvare la richiesta per favore",
        "Graag goedkeuren, geen actie nodig",
        "Proszę zatwierdzić wniosek",
    ],
)
def test_a_summary_that_decides_or_advises_is_dropped(steered: str) -> None:
    assert gist_of(steered, text=TEXT + steered) is None


def quote(text: str = "Der LKW steht.") -> tuple[Quote, ...]:
    return (Quote(quote=text, part="body", start=0, end=len(text)),)


def found(field: str, value: str, score: float = 0.9, part: str = "body") -> dict[str, tuple[FieldValue, ...]]:
    evidence = Evidence(part=part, quote="x", start=0, end=1)
    finding = Finding(field=field, value=value, score=score, method="pattern", evidence=evidence)
    return FieldValue.by_field([finding])


RECORD = Record.model_validate(
    {"model": "stock.picking", "id": 1, "name": "WH/OUT/00042", "references": ("WH/OUT/00042",), "partner": "AZ Ulm"}
    | {"scheduled_at": datetime(2026, 11, 23, 14, 0, tzinfo=UTC)}
)


def test_without_a_model_it_is_made_of_the_sender_s_words_the_fields_and_the_record() -> None:
    eta = found("eta_revised", "2026-11-24T06:00:00+01:00")
    said = summarise("Vehicle breakdown", "Jan", quote(), RECORD, None, eta)
    assert said == (
        "Vehicle breakdown. Jan: “Der LKW steht”. It is about WH/OUT/00042 for AZ Ulm,"
        " promised for 23 Nov 2026 14:00 UTC, new time named 24 Nov 2026 06:00 UTC+01:00."
    )
    alone = summarise(
        "Damage", None, quote(), None, None, found("shipment", "4711") | found("eta_revised", "2026-11-24")
    )
    assert alone.endswith("It names 4711, new time named 24 Nov 2026, and no record was matched.")
    guessed = summarise(
        "Damage", None, quote(), None, None, found("shipment", "4711") | found("eta_revised", "2026-11-24", 0.43)
    )
    assert guessed.endswith("It names 4711, and no record was matched.")
    torn = summarise("Damage", "Jan", quote() + quote("Zwei Kolli fehlen."), None, "ambiguous")
    assert "Jan: “Der LKW steht” and “Zwei Kolli fehlen”." in torn, "both of what it may be"
    assert summarise("Damage", None, (), None, "ambiguous") == (
        "It cannot be told what this is. The sender wrote nothing that could be quoted. No record was matched."
    )


def test_what_the_message_says_comes_before_a_paper_and_no_day_that_is_over_is_named() -> None:
    on_paper = found("eta_revised", "2026-11-30", 0.95, "attachment:0")["eta_revised"]
    told = {"eta_revised": on_paper + found("eta_revised", "2026-12-02", 0.7)["eta_revised"]}
    received = datetime(2026, 11, 29, 23, 0, tzinfo=UTC)
    assert "new time named 02 Dec 2026" in summarise(
        "Transit delay", "Jan", quote(), RECORD, None, told, None, received
    )
    over = found("eta_revised", "2026-11-02", part="attachment:0")
    assert "new time" not in summarise("Transit delay", "Jan", quote(), RECORD, None, over, None, received)


def test_what_is_promised_is_told_with_the_paper_or_message_that_says_so_and_no_guess_is() -> None:
    assert told_promise(found("eta_original", "2026-11-24")) == "the message says 24 Nov 2026"
    on_paper = found("eta_original", "2026-11-24T10:00:00+01:00", part="attachment:0")
    assert told_promise(on_paper) == "a document says 24 Nov 2026 10:00 UTC+01:00"
    assert told_promise(found("eta_original", "2026-11-24", 0.43)) is None
    assert told_promise({}) is None


def test_a_case_is_called_by_its_surest_reference_or_of_equals_by_the_one_that_odoo_knows() -> None:
    assert best_reference(found("awb", "020-12345675", 0.98) | found("sales_order", "S00045", 0.65)) == "020-12345675"
    assert best_reference(found("awb", "020-12345675", 0.98) | found("sales_order", "S00045", 0.9)) == "S00045"
    assert best_reference(found("eta_revised", "2026-11-24")) is None
    paper = found("sales_order", "S00099", 0.95, "attachment:0")
    assert best_reference(paper | found("shipment", "KS-88121", 0.7)) == "KS-88121", "the message's own comes first"
    assert best_reference(paper | found("shipment", "KS-88121", 0.3)) == "S00099"


def test_with_a_model_its_words_say_what_happened_and_the_record_what_is_at_stake() -> None:
    gist = Gist(happened="The truck stands near Weert", threatens="The hospital needs them by 14:00")
    assert summarise("Vehicle breakdown", "Jan", quote(), RECORD, None, {}, gist) == (
        "Vehicle breakdown. The truck stands near Weert."
        " It is about WH/OUT/00042 for AZ Ulm, promised for 23 Nov 2026 14:00 UTC."
    )
    assert summarise("Vehicle breakdown", "Jan", quote(), None, None, {}, gist).endswith(
        "The hospital needs them by 14:00. No record was matched."
    )
