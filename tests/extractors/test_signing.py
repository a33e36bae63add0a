import pytest

from extractors.signing import find_signed, value_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("We signed for 20, the note says 22.", "yes"),
        ("My neighbour signed while I was at work.", "yes"),
        ("Delivered 09:14, sgd Whitlock, 3 plts.", "yes"),
        ("I did sign but the box was closed.", "yes"),
        ("The CMR was signed with a reserve.", "yes"),
        ("Signed POD attached, all good.", "yes"),
        ("It shows a signature 'K PRICE', we have no Price.", "yes"),
        ("Unser Pförtner hat unter Vorbehalt unterschrieben.", "yes"),
        ("Der Lieferschein wurde ungeprüft abgezeichnet.", "yes"),
        ("Der Fahrer hat den Vermerk gegengezeichnet.", "yes"),
        ("Le gardien a signé sans ouvrir.", "yes"),
        ("BL émargé avec réserve.", "yes"),
        ("El portero firmó sin mirar.", "yes"),
        ("Os adjunto el albarán firmado.", "yes"),
        ("Ha firmato la portinaia.", "yes"),
        ("Vi mando la bolla, firmata con riserva.", "yes"),
        ("De buurvrouw heeft ervoor getekend.", "yes"),
        ("Odebrał i podpisał magazynier Nowak.", "yes"),
        ("Nobody at the store has signed.", "no"),
        ("The lady wouldn't sign for it.", "no"),
        ("They refused to sign because two were wet.", "no"),
        ("I have signed nothing.", "no"),
        ("Ik heb niets getekend.", "no"),
        ("He didn't want to sign.", "no"),
        ("The note came back unsigned.", "no"),
        ("Left on the step with no signature.", "no"),
        ("Der Kunde wollte nicht unterschreiben.", "no"),
        ("Frachtbrief kam ohne Unterschrift zurück.", "no"),
        ("Le magasin a refusé de signer.", "no"),
        ("Personne n'a signé.", "no"),
        ("El encargado no ha querido firmar.", "no"),
        ("El albarán vino sin firmar.", "no"),
        ("Il cliente si è rifiutato di firmare.", "no"),
        ("DDT senza firma del destinatario.", "no"),
        ("De klant weigerde te tekenen.", "no"),
        ("Niemand heeft getekend.", "no"),
        ("Kierownik odmówił podpisania.", "no"),
        ("Nikt nie podpisał.", "no"),
        ("List przewozowy wrócił bez podpisu.", "no"),
        ("POD 4471 is illegible, rescan it.", "unreadable"),
        ("Die Unterschrift ist unleserlich.", "unreadable"),
        ("Podpis nieczytelny.", "unreadable"),
    ],
)
def test_a_message_tells_whether_a_delivery_was_signed_for(text: str, value: str) -> None:
    (found,) = find_signed(text)
    assert (found.field, found.value) == ("signed", value)
    assert value_of(text[found.start : found.end]) == value


@pytest.mark.parametrize(
    "text",
    [
        "Please send the signed CMR.",
        "I'm still without the signed BOL.",
        "We haven't received the CMR signed by them.",
        "Who signed for it?",
        "If they don't sign, take it back.",
        "It must be signed for by a vet.",
        "There's nobody to sign before noon.",
        "Still no sign of your driver.",
        "QC hasn't signed off the batch.",
        "Signed in/out times are on page 2.",
        "Two drums were collected, signed by your driver.",
        "The courier signed our refusal form.",
        "This notice is generated without signature.",
        "Bitte unterschrieben zurück.",
        "Der Fahrer wollte nicht unterschreiben.",
        "Wir brauchen den CMR unterschrieben.",
        "Me falta el albarán firmado.",
        "Il colore è quello dell'ordine firmato.",
        "Mi serve la POD firmata dal cliente.",
        "Het moet worden getekend door de klant.",
        "Kierowca podpisał.",
        "Signed by:",
    ],
)
def test_what_is_asked_for_or_signed_by_another_than_the_receiver_tells_nothing(text: str) -> None:
    assert list(find_signed(text)) == []


@pytest.mark.parametrize(
    ("quote", "value"),
    [
        ("signed", "yes"),
        ("firmato", "yes"),
        ("nicht unterschrieben", "no"),
        ("unsigned", "no"),
        ("niepodpisany", "no"),
        ("signature illegible", "unreadable"),
        ("stamped", None),
    ],
)
def test_whether_a_paper_is_signed(quote: str, value: str | None) -> None:
    assert value_of(quote) == value
