"""What personal data leaves the house, and what stays readable."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.limits import Limits
from extractors.message import Message, Segment, message_from_json
from triage.redaction import mask, people_in


def masked(text: str, *people: str) -> str:
    return mask({"text": text}, people).texts["text"]


@pytest.mark.parametrize(
    ("text", "secret", "kind"),
    [
        ("mail jan.de-smet+x@haulier.example today", "jan.de-smet+x@haulier.example", "EMAIL"),
        ("call +32 471 23 45 67 now", "+32 471 23 45 67", "PHONE"),
        ("Tel.: 0049 (0)40 / 123 45-67", "0049 (0)40 / 123 45-67", "PHONE"),
        ("my mobile 0171 2345678, or 030/1234567", "030/1234567", "PHONE"),
        ("appelez le 06 12 34 56 78 svp", "06 12 34 56 78", "PHONE"),
        ("tel 612345678", "612345678", "PHONE"),
        ("Tel 0221-1234567", "0221-1234567", "PHONE"),
        ("Tfn. 612 34 56 78", "612 34 56 78", "PHONE"),
        ("HRB 1234 Köln, USt-ID DE123456789, Mobil: 0171 2345678", "0171 2345678", "PHONE"),
        ("USt-ID DE123456789 | M 0171 2345678", "0171 2345678", "PHONE"),
        ("driver: (415) 555-2671", "555-2671", "PHONE"),
        ("pay to DE89 3704 0044 0532 0130 00 please", "DE89 3704 0044 0532 0130 00", "IBAN"),
        ("from the bank's page: DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "0532", "IBAN"),
        ("IBAN NL91ABNA0417164300", "NL91ABNA0417164300", "IBAN"),
        ("card 4111 1111 1111 1111 exp 12/27", "4111 1111 1111 1111", "CARD"),
        ("card 378282246310005", "378282246310005", "CARD"),
    ],
)
def test_what_has_a_pattern_is_masked(text: str, secret: str, kind: str) -> None:
    assert secret not in masked(text)
    assert f"[{kind}_1]" in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "WH/OUT/00042 and S00045, PO 4500012345",
        "container MSCU6639870, SSCC 340123450000000018",
        "AWB 020-12345675, UPS 1Z5R89390357567127",
        "23.11.2026 14:00, 2026-11-23T08:15:00Z, 24/11/2026",
        "812 kg, 1.234,50 EUR, 33 pallets, -18 °C",
        "plate 1-ABC-234, seal 0048213",
        "booking 6270012345",
        "card 4111 1111 1111 1112",
    ],
)
def test_references_dates_and_amounts_stay_readable(text: str) -> None:
    assert masked(text) == text


def test_the_same_thing_has_the_same_mask_everywhere_and_comes_back_in_its_own_spelling() -> None:
    texts = {"body": "Maria: a@b.example. A@b.example and a@b.example", "subject": "MARIA a@b.example"}
    done = mask(texts, ["Maria"])
    assert done.texts == {"body": "[NAME_1]: [EMAIL_1]. [EMAIL_2] and [EMAIL_1]", "subject": "[NAME_2] [EMAIL_1]"}
    assert done.restore(done.texts) == texts
    assert done.restore({"found": [{"quote": "[EMAIL_2]"}], "n": 1, "x": None}) == {
        "found": [{"quote": "A@b.example"}],
        "n": 1,
        "x": None,
    }


def test_a_mask_that_the_sender_wrote_himself_reveals_nothing_that_was_not_masked() -> None:
    done = mask({"text": "[EMAIL_1] [PHONE_7]"})
    assert done.original == {} and done.restore("[EMAIL_1]") == "[EMAIL_1]"


def message(text: str, sender: str | None = None) -> Message:
    data = {"channel": "email", "text": text, "sender": {"name": sender, "email": "x@y.example"}}
    return message_from_json(data, Limits())


@pytest.mark.parametrize(
    ("text", "sender", "hidden"),
    [
        ("Our truck stands. Ask Ilse.", "Ilse Peeters", "Ilse"),
        ("Our truck stands.\n\nKind regards\nTomasz Nowak\nDispatch", None, "Nowak"),
        ("LKW steht auf der A3. Gruß Holger", None, "Holger"),
        ("Le camion est en panne.\nCordialement,\nAmélie Durand", None, "Durand"),
        ("El camión no llega. Saludos, Jorge", None, "Jorge"),
        ("De chauffeur is ziek.\nGroeten,\nWim van den Berg", None, "Berg"),
        ("see below\n\nFrom: Anna Schmidt <anna@x.example>\nSent: Monday\nSchmidt wrote", None, "Schmidt"),
        ("hello, please ask Schmidt", "Schmidt, Anna", "Schmidt"),
        ("This is Jan Kok, the truck stands.", "JAN KOK", "Kok"),
        ("This is Jan Kok, the truck stands.", "jan kok", "Kok"),
        ("hans müller hier, der LKW steht.", "Hans Müller", "müller"),
        ("LKW steht.\n\nMit freundlichen Grüßen\n\ni.A. Sabine Krüger\nDisposition", None, "Krüger"),
        ("De wagen staat.\n\nMet vriendelijke groeten,\n\nPieter de Vries | Planner", None, "Vries"),
        ("The truck stands.\n\nBest,\nTom Baker", None, "Baker"),
    ],
)
def test_names_in_headers_signatures_and_greetings_are_masked(text: str, sender: str | None, hidden: str) -> None:
    read = message(text, sender)
    assert hidden not in masked(read.text, *people_in(read))


@pytest.mark.parametrize(
    "sender", ["Haulier Logistics GmbH", "DHL Express", "Dispatch", "Warehouse Antwerp", "No Reply", "noreply@x", "MSC"]
)
def test_firms_and_departments_are_no_persons(sender: str) -> None:
    text = "Dispatch at the Antwerp warehouse: the DHL Express truck of Haulier Logistics and MSC stands."
    read = message(text, sender)
    assert masked(read.text, *people_in(read)) == text or sender == "MSC"


@given(st.text(max_size=400), st.lists(st.text(max_size=20), max_size=3))
@settings(max_examples=150, deadline=None)
def test_masking_loses_nothing_of_any_text(text: str, people: list[str]) -> None:
    done = mask({"t": text}, [name for name in people if name.strip()])
    if not any(f"[{kind}_" in text for kind in ("EMAIL", "PHONE", "IBAN", "CARD", "NAME")):
        assert done.restore(done.texts["t"]) == text


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text", ["a" * 20_000, "0 " * 10_000, "a@" * 10_000, "A1" * 10_000, "Ab-" * 7000, "+1 (" * 5000, "Aa Bb " * 3500]
)
def test_masking_takes_a_bounded_time(text: str) -> None:
    whole = Message(channel="email", text=text, segments=(Segment(kind="signature", start=0, end=len(text)),))
    mask({"text": text}, people_in(whole))
