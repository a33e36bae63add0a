from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.replies import split


def parts(text: str, subject: str = "") -> dict[str, str]:
    out: dict[str, str] = {}
    for kind, start, end in split(text, subject):
        out[kind] = out.get(kind, "") + text[start:end]
    return {kind: part.strip() for kind, part in out.items()}


@pytest.mark.parametrize(
    "header",
    [
        "On Mon, 23 Nov 2026 at 10:00, Anna Smit <anna@example.com> wrote:",
        "On Mon, 23 Nov 2026 at 10:00, Anna Smit\n<anna@example.com> wrote:",
        "Am 23.11.2026 um 10:00 schrieb Anna Smit <anna@example.com>:",
        "Le lun. 23 nov. 2026 à 10:00, Anna Smit <anna@example.com> a écrit :",
        "El lun, 23 nov 2026 a las 10:00, Anna Smit (<anna@example.com>) escribió:",
        "Il giorno lun 23 nov 2026 alle ore 10:00 Anna Smit <anna@example.com> ha scritto:",
        "Op ma 23 nov 2026 om 10:00 schreef Anna Smit <anna@example.com>:",
        "W dniu 23.11.2026 o 10:00, Anna Smit pisze:",
        "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Anna Smit <\nanna@example.com>:",
        "Am Montag, 23. November 2026 um 10:00:12 MEZ hat Anna Smit <anna@example.com> Folgendes geschrieben:",
        "Anna Smit <anna@example.com> schrieb am Mo., 23. Nov. 2026, 10:00:",
        "Op ma 23 nov. 2026 10:00 schreef Anna Smit\n<anna@example.com>:",
        "Op 23 nov. 2026 om 10:00 heeft Anna Smit <anna@example.com> het volgende geschreven:",
        "En lunes, 23 de noviembre de 2026, 10:00:00 CET, Anna <anna@example.com> escribió:",
        "Wiadomość napisana przez Anna Smit <anna@example.com> w dniu 23 lis 2026, o godz. 10:00:",
        "Gesendet: Montag, 23. November 2026 um 10:00 Uhr\nVon: Anna <anna@example.com>\nAn: Dispo\nBetreff: Ladung",
        "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐",
        "-------- Message d’origine --------\nDe : Anna\nDate : 23/11/2026\nÀ : e@example.com\nObjet : camion",
        "-----Original Message-----",
        "-----Ursprüngliche Nachricht-----",
        "From: Anna Smit <anna@example.com>\nSent: Monday, 23 November 2026 10:00\nTo: Dispatch\nSubject: load",
        "Von: Anna Smit\nGesendet: Montag, 23. November 2026 10:00\nAn: Dispo\nBetreff: Ladung",
        "De : Anna Smit\nEnvoyé : lundi 23 novembre 2026 10:00\nÀ : Exploitation\nObjet : chargement",
        "De: Anna Smit\nEnviado: lunes\nPara: Tráfico\nAsunto: carga",
        "Da: Anna Smit\nInviato: lunedì\nA: Traffico\nOggetto: carico",
        "Van: Anna Smit\nVerzonden: maandag\nAan: Planning\nOnderwerp: lading",
        "Od: Anna Smit\nWysłano: poniedziałek\nDo: Spedycja\nTemat: ładunek",
        "________________________________\n*From:* Anna\n*Sent:* Monday\n*To:* Dispatch\n*Subject:* load",
    ],
)
def test_history_is_told_apart_in_each_language(header: str) -> None:
    found = parts(f"The truck broke down near Venlo.\n\n{header}\n\nWhere is the truck?\nPlease answer.\n", "RE: load")
    assert found["newest"] == "The truck broke down near Venlo."
    assert found["quoted"].endswith("Please answer.")


@pytest.mark.parametrize(
    "text",
    [
        "Delay notification\n------------------\nShipment: 4711\nNew ETA: 24.11.2026 14:00\nReason: breakdown",
        "Status update\n\n____________________\nLoad 4711\nIt broke down.\n____________________\nCall us: tel. 0171",
        "Dear customer,\n\nThis message is to inform you that shipment 4711 is delayed.\nNew ETA 24.11.",
        "Bonjour,\nCe message est pour vous informer que le destinataire refuse la livraison.",
        "Hallo,\nDie E-Mail ist nicht angekommen.\nBitte CMR nochmals senden.",
        "Bonjour,\nAvertissement : le camion est en panne.\nPrévoir 3 h de retard.",
        "Hi,\nCAUTION: this load is UN1263.\nThe driver has no ADR.",
        "All services are subject to delays of 24 hours.\nThis is due to the storm.",
        "The truck for this trip broke down:\n\nFrom: Antwerp\nTo: Milano\nDate: 24.11.2026\n\nWe need another one.",
        "Der LKW fällt aus:\nVon: Hamburg\nAn: Kollmar, Wien\nDatum: 24.11.2026\n\nBitte Ersatz.",
        "Bonjour,\nle client nous a écrit :\nLe camion n'est pas arrivé.",
        "Hola,\nel conductor escribió:\nEstoy parado en Irún.",
        "On 23 November the customer wrote:\nTwo pallets are missing.",
        "Hello,\nSent from Hamburg on 20.11.: 12 pallets.\nOnly 10 arrived.",
    ],
)
def test_what_only_looks_like_history_or_a_signature_is_read(text: str) -> None:
    assert parts(text) == {"newest": text}


@pytest.mark.parametrize(
    "end",
    [
        "____________________\nJan de Vries\nPlanner\nTel +31 20 555 0101",
        "-----\nJan Smit",
        "This e-mail and its contents are meant for you.\nThis message is intended only for the person it is sent to.",
        "Diese E-Mail ist nur für den Empfänger bestimmt.",
        "Ce message et ses pièces jointes sont\nconfidentiels.",
        "Verstuurd vanaf mijn iPhone",
        "Von meinem Samsung Galaxy gesendet.",
    ],
)
def test_the_end_of_a_mail_is_told_apart_by_what_it_says(end: str) -> None:
    found = parts(f"Driver is stuck at the gate.\n\n{end}\n")
    assert "newest" in found and end.splitlines()[-1] not in found["newest"]


def test_answers_between_cited_lines_are_the_senders_own() -> None:
    found = parts("On Monday Anna wrote:\n> Is it loaded?\nYes, at noon.\n> And the seal?\nSeal 4471203.\n")
    assert found["newest"] == "Yes, at noon.\nSeal 4471203."
    assert "> And the seal?" in found["quoted"]


@pytest.mark.parametrize(
    "sign_off",
    [
        "Kind regards,",
        "Mit freundlichen Grüßen",
        "MfG",
        "Cordialement",
        "Saludos",
        "Cordiali saluti",
        "Met vriendelijke groet,",
        "Pozdrawiam",
        "-- ",
        "Sent from my iPhone",
    ],
)
def test_the_signature_is_told_apart(sign_off: str) -> None:
    found = parts(f"Driver is stuck at the gate.\n\n{sign_off}\nJan de Vries\nTel +31 20 555 0101\n")
    assert found["newest"] == "Driver is stuck at the gate."
    assert "Jan de Vries" in found["signature"] or sign_off == "-- "


def test_text_that_goes_on_after_thanks_is_not_lost() -> None:
    found = parts("Please check the load.\n\nThanks!\n\nThe container at the port is still closed for us.\nBye\n")
    assert "The container at the port" in found["newest"]


def test_text_in_the_line_below_thanks_is_not_lost() -> None:
    assert "arrives at 14:00" in parts("Can you check?\nThanks.\nThe truck arrives at 14:00 instead of noon.")["newest"]


def test_a_postscript_below_the_name_is_the_senders_own() -> None:
    assert "gate code" in parts("Coming at 9.\n\nRegards\nJan\n\nPS: what is the gate code\n")["newest"]


def test_banner_and_disclaimer_are_told_apart_from_the_text_between() -> None:
    found = parts(
        "CAUTION: This email originated from outside the organisation.\n\nTruck is late.\n\nRegards\nJan\n\n"
        "This e-mail and any attachments are confidential.\nIf you are not the intended recipient, delete it.\n"
    )
    assert found["newest"] == "Truck is late."
    assert found["signature"] == "Regards\nJan"
    assert found["disclaimer"].startswith("CAUTION")
    assert found["disclaimer"].endswith("delete it.")


@pytest.mark.parametrize("subject", ["FW: load", "[EXTERNAL] WG: load"])
@pytest.mark.parametrize("cover", ["", "fyi\n\n", "please handle, thx Anna\n\n"])
def test_a_forwarded_message_under_a_cover_note_stays_newest(cover: str, subject: str) -> None:
    text = f"{cover}From: Bob <bob@example.com>\nSent: Monday\nTo: Anna\nSubject: load\n\nOur driver is sick.\n"
    assert "Our driver is sick." in parts(text, subject)["newest"]


def test_a_forwarded_message_that_is_cited_stays_newest_and_what_it_cites_is_history() -> None:
    text = (
        "FYI\n\nBegin forwarded message:\n\n> From: Ops <ops@x.example>\n> Subject: Rolling\n> Date: 3.11.2026\n> \n"
        "> Booking LAX7740221 was rolled.\n>> When does it sail?\n\nWhat now?\n"
    )
    newest = "".join(text[start:end] for kind, start, end in split(text) if kind == "newest")
    assert "LAX7740221" in newest and "What now?" in newest and "FYI" in newest
    assert "Subject" not in newest and "When does it sail" not in newest


@pytest.mark.parametrize(
    ("cover", "subject", "newest"),
    [
        ("Can you answer him?", "WG: bindings", True),
        ("Can you answer him?", "RE: bindings", False),
        ("Settled. Another lorry takes it. " * 5, "FW: bindings", False),
    ],
)
def test_lines_cited_under_a_short_note_are_news_where_the_subject_says_forward(
    cover: str, subject: str, newest: bool
) -> None:
    text = f"{cover}\n\n> The bindings hang at customs in Basel.\n>> Where are they?\n\nTom\n"
    found = parts(text, subject)
    assert ("hang at customs" in found["newest"]) == newest
    assert "Where are they" in found["quoted"]


def test_a_chain_of_forwards_is_followed_down_to_its_content() -> None:
    head = "From: Bob\nSent: Monday\nTo: Anna\nSubject: load\n\n"
    assert parts(head * 3 + "Our driver is sick.\n", "FW: FW: load")["newest"] == "Our driver is sick."


def test_a_reply_of_one_word_does_not_turn_history_into_news() -> None:
    found = parts("ok\n\nFrom: Bob\nSent: Monday\nTo: Anna\nSubject: load\n\nOur driver is sick.\n", "RE: load")
    assert found["newest"] == "ok"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "> a",
                "From: x",
                "Subject: y",
                "",
                "Thanks",
                "--",
                "On 1 May x wrote:",
                "text",
                "PS: z",
                "____________________",
            ]
        ),
        max_size=25,
    )
)
def test_segments_cover_every_character_once(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert "".join(text[start:end] for _, start, end in split(text, "FW:")) == text
    if text.strip():
        assert any(kind == "newest" and text[start:end].strip() for kind, start, end in split(text))


@pytest.mark.parametrize("unit", ["On 1\nwrote:\n", ">\n", "Thanks\n", "From: a\n", "a\n", "On a wrote: "])
@pytest.mark.timeout(60)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    split((unit * 200_000)[:200_000])
