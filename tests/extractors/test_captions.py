"""What captions of forms say, and the list of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from extractors import captions, dates, identifiers, parties, quantities
from extractors.captions import caption_at_end, caption_of

FILE = Path(captions.__file__).with_name("captions.yaml")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("Lieferschein-Nr. Absender", "delivery_order"),
        ("N° commande destinataire", "purchase_order"),
        ("Réf. expéditeur", "shipment"),
        ("Cartons avariés", "pieces_damaged"),
        ("Cartons manquants", "pieces_short"),
        ("Mate's note", "remarks"),
        ("Contenido declarado", "description"),
        ("Date of note", "document_date"),
        ("Statistischer Wert", "goods_value"),
        ("Rechnungsnummer", "invoice"),
        ("2 Consignee (name, address, country) / Destinataire (nom, adresse, pays)", "consignee"),
        ("Luogo di destinazione (se diverso)", "delivery_address"),
        ("Gross Weight (kg)", "gross_weight"),
        ("Carrier’s reservations and observations", "remarks"),
        ("EXCEPTIONS NOTÉES AU RAMASSAGE / EXCEPTIONS AT PICK-UP", "remarks"),
        ("Bijzonderheden bij lossing", "remarks"),
        ("USZKODZENIA / DAMAGES:", "remarks"),
        ("Pour le destinataire :", "received_by"),
        ("Recibida por", "received_by"),
        ("Remis à", "received_by"),
        ("Angeliefert am", "delivered_at"),
        ("New delivery date offered", "eta_revised"),
        ("Original due date", "eta_original"),
        ("Termin gwarantowany", "eta_original"),
        ("Ausstelldatum", "document_date"),
        ("Nadawca Sender", "shipper"),
        ("Date/Time delivered", "delivered_at"),
        ("Uw referentie / bestelnummer afnemer", "purchase_order"),
        ("Sideloader trailer rego", "trailer_plate"),
        ("N/pedido", "sales_order"),
        ("P/U #", "shipment"),
        ("CUST P0", "purchase_order"),
        ("Ns. commessa", "sales_order"),
        ("Tour-Auftrag", "shipment"),
        ("Tour-Nr.", ""),
        ("Schadennummer", ""),
        ("N° sinistre", ""),
        ("Claim no.", ""),
        ("Viaggio / Voyage", ""),
        ("Zamknięcia", "seal"),
        ("S/pedido", "purchase_order"),
        ("N/ commande", "sales_order"),
        ("V/Cde", "purchase_order"),
        ("N/Réf.", "shipment"),
        ("COMMANDE EXPÉDITEUR / SHIPPER'S ORDER", "sales_order"),
        ("RECEIVER ORDER", "purchase_order"),
        ("Scellés [19 10] nombre / marques", "seal"),
        ("Vervoermiddel bij vertrek [19 05]", "vehicle_plate"),
        ("SU PEDID0", "purchase_order"),
        ("BOEKINGSNR. REDERIJ", "booking"),
        ("ORDEN CARGA", "shipment"),
        ("Transport document number", "shipment"),
        ("Informe n.º", "shipment"),
        ("Entladenr.", "shipment"),
        ("Zlec. załadunku", "shipment"),
        ("Beleg-Nr.", captions.OWN_NUMBER),
        ("Aangifte / Ref. nr. (LRN)", ""),
        ("LRN [12 09]", ""),
        ("Net weight", ""),
        ("Due date", ""),
    ],
)
def test_a_caption_is_known_by_its_words_whatever_stands_with_them(words: str, field: str) -> None:
    assert caption_of(words) == field


@pytest.mark.parametrize("words", ["Hartmann Logistik GmbH", "12.11.2026", "Rotterdam", "", "x", "Ship " * 40])
def test_what_is_written_into_a_form_is_no_caption(words: str) -> None:
    assert caption_of(words) is None


def test_each_caption_of_the_list_says_one_field_that_there_is() -> None:
    fields = yaml.safe_load(FILE.read_text(encoding="utf-8"))["fields"]
    known = identifiers.FIELDS | dates.FIELDS | quantities.FIELDS | parties.FIELDS | {"none", captions.OWN_NUMBER}
    assert set(fields) <= known
    said = [(phrase, field) for field, of in fields.items() for phrases in of.values() for phrase in phrases]
    assert all(isinstance(phrase, str) for phrase, _ in said)
    twice = {phrase for phrase, field in said if (caption_of(phrase) or "none") != field}
    assert not twice, "another field's, too, or no caption as it is read"


@pytest.mark.parametrize(
    ("words", "caption"),
    [
        ("geliefert laut Bestellung Nr.", "laut Bestellung Nr."),
        ("known there as collection number", "collection number"),
        ("we thank you", None),
        ("", None),
    ],
)
def test_running_text_may_end_with_a_caption(words: str, caption: str | None) -> None:
    assert caption_at_end(words) == caption
