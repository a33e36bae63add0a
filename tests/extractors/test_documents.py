from __future__ import annotations

import pytest

from extractors.documents import number_in_title, recognise


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("PROOF OF DELIVERY\nDelivery note 123\nReceived by: J. Smit", "proof_of_delivery"),
        ("DELIVERY ORDER\nNo. DO-88120\nPlease release to Boxhaul Ltd", "other_document"),
        ("ORDEN DE ENTREGA (DELIVERY ORDER) N.º OE-2027", "other_document"),
        ("KWIT WAGOWY\nnr 004471/2026", "other_document"),
        ("INFORME DE CONTROL DE TEMPERATURA\nLaboratorio", "other_document"),
        ("DOCUMENTO DI TRASPORTO PER MERCI PERICOLOSE\nD.D.T. 7718", "dangerous_goods_declaration"),
        ("Commercial / Customs Invoice\nInvoice 0090441", "commercial_invoice"),
        ("INTERNATIONALER FRACHTBRIEF\nCMR", "cmr_waybill"),
        ("Straight Bill of Lading\nShip from", "bill_of_lading"),
        ("Air Waybill\n020-12345675", "air_waybill"),
        ("Lieferschein Nr. 800123", "delivery_note"),
        ("Liste de colisage", "packing_list"),
        ("COMMERCIAL INVOICE\nExporter", "commercial_invoice"),
        ("Frachtrechnung\nRechnungsnummer 12", "freight_invoice"),
        ("Rozenburg Export B.V.\nHANDELSFACTUUR Nr. RB-26-3381 Datum 30-11-2026 Blad 1 van 1", "commercial_invoice"),
        ("ACTA DE AVERÍAS Y FALTAS n.º PA-004417", "damage_report"),
        ("Objet : réserves sur livraison du 24 novembre", "damage_report"),
        ("Verspätete Zustellung Ihrer Sendung", "carrier_notice"),
        ("Vertraging container FCIU3048775", "carrier_notice"),
        ("FREIGHT BILL/PRO\nDELIVERY RECEIPT CONSIGNEE COPY DF 208841", "proof_of_delivery"),
        ("Sub-Contractor Order WC-60934", "rate_confirmation"),
        ("Rate Confirmation\nLoad 778812", "rate_confirmation"),
        ("Shipper's Declaration for Dangerous Goods", "dangerous_goods_declaration"),
        ("Damage report", "damage_report"),
        ("Notice of delay", "carrier_notice"),
        ("C O M M E R C I A L I N V O I C E\n1. SHIPPER / EXPORTER", "commercial_invoice"),
        ("A L B A R A N\nNUMERO 26/004417", "delivery_note"),
        ("Frachtbrief / Speditionsauftrag (§ 408 HGB)", "cmr_waybill"),
        ("Temperaturprotokoll TW-40881", "other_document"),
        ("Leveringsbon\nnr. LB 26-18457", "delivery_note"),
        ("CONFIRMACIÓN DE CARGA 26-0077419", "rate_confirmation"),
        ("CONFERMA DI INCARICO DI\nTRASPORTO", "rate_confirmation"),
        ("FA C T U R E C O M M E R C I A L E", "commercial_invoice"),
        ("Bezorgbewijs", "proof_of_delivery"),
        ("Temperature Recorder Report", "other_document"),
        ("Schedule Advisory", "carrier_notice"),
        ("LADESCHEIN\nfür die Rheinschifffahrt", "bill_of_lading"),
        ("Oggetto: denuncia di danno, vostra spedizione 26/30914", "damage_report"),
        ("CERTIFICAAT VAN VERZEKERING", "other_document"),
        ("ŚWIADECTWO KONTROLI JAKOŚCI\nnr SKJ-1604/26", "other_document"),
        ("SHIPPER'S LETTER OF INSTRUCTION", "other_document"),
        ("Torkontrolle Süd\nTORSCHEIN", "other_document"),
        ("BOLLETTINO DI PESATURA\nN. 0094418", "other_document"),
        ("DECLARACIÓN DEL VALOR EN ADUANA\nNúmero y fecha de la factura", "customs_document"),
        ("CARGO CLEARANCE PERMIT PG : 1 OF 1", "customs_document"),
        ("DÉCLARATION DE CHARGEMENT DE MARCHANDISES DANGEREUSES\nBON DE LIVRAISON", "dangerous_goods_declaration"),
        ("DOCUMENTO DI TRASPORTO PER MERCI PERICOLOSE\nmittente", "dangerous_goods_declaration"),
        ("RAPPORTO DI PERIZIA DANNI\nLettera di vettura CMR n. BF0093317", "damage_report"),
    ],
)
def test_a_title_at_the_head_names_the_type(head: str, expected: str) -> None:
    kind, confidence = recognise(head + "\nsome line\nanother line")
    assert kind == expected
    assert confidence > 0.4


def test_a_mention_in_running_text_is_weaker_than_a_title() -> None:
    titled = recognise("Bill of Lading\nx")[1]
    mentioned = recognise("\n".join(["line"] * 20) + "\nplease send us the bill of lading as soon as you can")[1]
    assert mentioned < titled


def test_without_any_hint_it_is_another_document_with_low_confidence() -> None:
    assert recognise("hello") == ("other_document", 0.3)


def test_an_invoice_that_does_not_speak_of_freight_may_be_one_of_goods() -> None:
    assert recognise("INVOICE\n12 chairs  480.00 EUR")[1] <= 0.5  # how far below, its learnt words say
    assert recognise("INVOICE\nFreight Essen to Lyon  480.00 EUR")[1] > 0.5


def test_the_filename_is_a_hint_where_the_text_gives_none() -> None:
    assert recognise("", "scan_CMR_0042.pdf")[0] == "cmr_waybill"


def test_the_number_behind_a_title_goes_without_the_full_stop() -> None:
    text = "BASCULA\nTICKET DE PESAJE N. 00418."
    place = number_in_title(text, "other_document")
    assert place is not None and text[slice(*place)] == "00418"
