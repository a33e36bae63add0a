from __future__ import annotations

import pytest

from extractors import identifiers
from extractors.identifiers import begin_of_note, captioned, find_references, value_of


def found(text: str) -> set[tuple[str, str]]:
    return {(span.field, span.value) for span in find_references(text)}


# Numbers from the examples of tracking_number_data (MIT) and of the standards.
@pytest.mark.parametrize(
    ("check", "valid", "invalid"),
    [
        ("container", ["CSQU3054383", "MSKU1234565"], ["CSQU3054384", "CSQX3054383", "MSKU1234567"]),
        ("sscc", ["106141412345678908", "340434161094042557"], ["106141412345678909", "000000000000000000"]),
        ("awb", ["020-12345675", "17612345675"], ["020-12345676", "02000000000", "020-1234567"]),
        (
            "ups",
            ["1Z5R89390357567127", "1Z879E930346834440", "1Z8V92A70367203024"],
            ["2Z5R89390357567127", "1Z1111111111111111", "1Z5R89390357567128"],
        ),
        ("s10", ["RB123456785GB", "RB123456785US"], ["RB123456786US", "RB123456785XX"]),
        (
            "fedex",
            [
                "986578788855",
                "477179081230",
                "568283610012734",
                "9611020987654312345672",
                "1001921334250001000300779017972697",
            ],
            ["996578788855", "568283610012732", "1001901781990001000300617767839438"],
        ),
        (
            "usps",
            [
                "03071790000523483741",
                "9400111201080805483016",
                "4201002334249200190132607600833457",
                "71969010756003077385",
            ],
            ["03071790000523483742", "9200000000000000000000"],
        ),
        ("dhl", ["3318810025", "8487135506", "73891051146"], ["3318810010", "73891051149"]),
    ],
)
def test_check_digits_tell_right_from_wrong(check: str, valid: list[str], invalid: list[str]) -> None:
    function = getattr(identifiers, check)
    assert {number: function(number) for number in valid} == dict.fromkeys(valid, True)
    assert {number: function(number) for number in invalid} == dict.fromkeys(invalid, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("box CSQU 305438-3 at the quay", ("container", "CSQU3054383")),
        ("parcel 1Z 5R8 939 03 5756 7127 lost", ("tracking", "1Z5R89390357567127")),
        ("(00)106141412345678908", ("sscc", "106141412345678908")),
        ("MAWB No. 176 12345675", ("awb", "176-12345675")),
        ("FedEx tracking 986578788855", ("tracking", "986578788855")),
        ("picking WH/OUT/00042 is late", ("delivery_order", "WH/OUT/00042")),
        ("picking WH-OUT-00042", ("delivery_order", "WH/OUT/00042")),
        ("S00045 and more", ("sales_order", "S00045")),
        ("your SO045", ("sales_order", "SO045")),
        ("P00012", ("purchase_order", "P00012")),
        ("PO00012", ("purchase_order", "PO00012")),
        ("PO 4500012345", ("purchase_order", "4500012345")),
        ("PO#4500012345", ("purchase_order", "4500012345")),
        ("Unsere Bestellnummer: 45-88123", ("purchase_order", "45-88123")),
        ("bon de commande n° 881234", ("purchase_order", "881234")),
        ("BOL# 0012345", ("bol", "0012345")),
        ("B/L MEDUX1234567", ("bol", "MEDUX1234567")),
        ("PRO# 123456789", ("pro", "123456789")),
        ("CMR 123456", ("cmr", "123456")),
        ("Booking ref: HLCU987654", ("booking", "HLCU987654")),
        ("boeking 7788123", ("booking", "7788123")),
        ("Seal no: AB12345", ("seal", "AB12345")),
        ("Plombe Nr. 4471203", ("seal", "4471203")),
        ("RMA 20231", ("return_authorisation", "20231")),
        ("Rechnung Nr. RE-2024-001", ("invoice", "RE-2024-001")),
        ("fattura n. 2024/778", ("invoice", "2024/778")),
        ("INV/2024/00012", ("invoice", "INV/2024/00012")),
        ("Lieferschein-Nr.: 80012345", ("delivery_order", "80012345")),
        ("Sendung 99887766", ("shipment", "99887766")),
        ("load ref 778812", ("shipment", "778812")),
        ("UN 1263, III", ("un_number", "UN1263")),
        ("UN-Nr. 1950", ("un_number", "UN1950")),
        ("Kennzeichen: HH-AB 1234", ("vehicle_plate", "HHAB1234")),
        ("truck AB12 CDE broke down", ("vehicle_plate", "AB12CDE")),
        ("Auflieger B-XY 987", ("trailer_plate", "BXY987")),
        ("Anh. AA-TO 880", ("trailer_plate", "AATO880")),
        ("Targa FX 418 LM Rim. XA 207 ZD", ("trailer_plate", "XA207ZD")),
        ("Véhicule / Vehicle: GH-774-PT", ("vehicle_plate", "GH774PT")),
        ("Samochód: PO 5KR09", ("vehicle_plate", "PO5KR09")),  # and no purchase order
        ("057 | CDG | 44182062 057-44182062", ("awb", "057-44182062")),  # as it stands at a form's head
        ("Precintos: ES 118803", ("seal", "ES 118803")),
        ("Uw bestelnummer VDV-0911", ("purchase_order", "VDV-0911")),
        ("2 pallets, 780 kg, DN 4410", ("delivery_order", "4410")),
        ("Missing, D/N 7712", ("delivery_order", "7712")),
        ("LS 30081 Fehlmenge", ("delivery_order", "30081")),
        ("bolla 4471 del 3/11", ("delivery_order", "4471")),
        ("your SO-2026-0412 is late", ("sales_order", "SO-2026-0412")),
        ("ordine cliente 44-120", ("purchase_order", "44-120")),
        ("zam. nr 44-120", ("purchase_order", "44-120")),
        ("z fakturą 881/11/2026", ("invoice", "881/11/2026")),
        ("nr listu przewozowego 4471220", ("cmr", "4471220")),
        ("nr bookingu 88120447", ("booking", "88120447")),
        ("B/L nr. MAEU4471221", ("bol", "MAEU4471221")),  # the line's letters, no container
        ("BL KRVT0091822 placed on hold", ("bol", "KRVT0091822")),
        ("PRO 7719", ("pro", "7719")),
        ("Le plombage n° 0092882", ("seal", "0092882")),
        ("zgoda na zwrot ZR/108", ("return_authorisation", "ZR/108")),
        ("Sdg. 22018817", ("shipment", "22018817")),
        ("con notes: 88120441", ("shipment", "88120441")),
        ("nº de viaje: 88120", ("shipment", "88120")),
        ("Orden de carga nº OC-4471", ("shipment", "OC-4471")),
        ("Abholauftrag Nr. 220418", ("shipment", "220418")),
        ("opdrachtnr. 77120", ("shipment", "77120")),
        ("PU # is FON-66120", ("shipment", "FON-66120")),
        ("Sendung 4471 2204 8812.", ("shipment", "447122048812")),
        ("Votre colis n° 6A 00881 2210.", ("tracking", "6A008812210")),
        ("RechnungR-26-3307", ("invoice", "R-26-3307")),  # run together on a scan
        ("Reserva n.º RSV-70921", ("booking", "RSV-70921")),
        ("PR0 440-918826", ("pro", "440-918826")),  # as a scan has it
        ("HAWB BCN-26-08817", ("awb", "BCN-26-08817")),
        ("Guía house CAB-QRO-260873", ("awb", "CAB-QRO-260873")),
        ("N380 QDT-2609-118 ; N705 XHLRTM7730412", ("invoice", "QDT-2609-118")),  # as customs call papers
        ("N380 QDT-2609-118 ; N705 XHLRTM7730412", ("bol", "XHLRTM7730412")),
        ("SELLO CL 0093481", ("seal", "CL 0093481")),
        ("CHASSIS PDCZ 418220", ("trailer_plate", "PDCZ418220")),
        ("rego 418XKT", ("vehicle_plate", "418XKT")),
        ("N/ commande CF-2026-3318", ("sales_order", "CF-2026-3318")),
        ("V/Cde BC 77-40183", ("purchase_order", "BC 77-40183")),
        ("Ihr Auftrag NB-55 2087", ("purchase_order", "NB-55 2087")),
        ("Ons ordernr. VK 118.204", ("sales_order", "VK 118.204")),
        ("Seals: CSQU3054383 / CN0047732", ("seal", "CN0047732")),
        ("CHASSIS......: PDCZ 418220", ("trailer_plate", "PDCZ418220")),
        ("Naczepa nr rej. GA 7704X +48 58 555 01 99", ("trailer_plate", "GA7704X")),
        ("chauffeur, GR-218-TB / FX-906-QN", ("trailer_plate", "FX906QN")),
        ("truck 31-BGK-7", ("vehicle_plate", "31BGK7")),
        ("Kz. LI-418 HK / LI-902 HK", ("trailer_plate", "LI902HK")),
        ("CSQU 305438\u20103", ("container", "CSQU3054383")),
        ("SSCC: 1 06141412 34567890 8", ("sscc", "106141412345678908")),
    ],
)
def test_references_are_found_as_people_write_them(text: str, expected: tuple[str, str]) -> None:
    assert expected in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "container CSQU3054384",  # check digit wrong
        "tracking 1Z5R89390357567128",
        "tracking RB123456786US",
        "SSCC 106141412345678909",
        "AWB 020-12345676",
        "Tel: 020-12345675",  # a good AWB check digit by chance
        "call +49 170 1234567",
        "phone 0049 1701234567",
        "order 23.11.2026",
        "order date 2026-11-23",
        "invoice 2026",
        "shipment 1240 kg",
        "the order of 1200 pallets",
        "load 33 pallets",
        "pro 20245 years",
        "professional service 12345",
        "UN 9999",
        "meet at 14:30, load 14:30",
        "truck arrives Monday",
        "VAT reg. GB 661 5520 18",
        "Overnight pallet delivery 94.00",
        "Delivery 0900 tomorrow",
        "Lieferung 0800-1200",
        "booking 1430 please",
        "load 1400hrs",
        "Projected delivery: 10/15",
        "levering 14-11 om 9 uur",
        "votre facture 12/11",
        "pedido 1200€.",
        "Rechnung 1250 Euro",
        "commande 4500 pièces",
        "Load 24000kg",
        "Delivery: 07700 900418",
        "CAMION 14H30",
        "SO0912/13NOV",  # a flight
        "booking MAR 12.11.2026",
        "Exp. 12.2026",
        "carga 2400 cajas",
        "viaje 1400 km",
        "STOVE PROPANE 850012340408",
        "not in any invoice. KRS 0000118271",
        "To quote on the invoice: OT-5-2027",
        "hoja PO-21930",
        "faktura N380",
        "Claim 26-1180",
        "Lieferschein-Nr. / Bestell-Nr. 80071822 / BG-2026-3390",  # each is the other's half
    ],
)
def test_wrong_check_digits_phone_numbers_dates_and_quantities_are_not_references(text: str) -> None:
    assert found(text) == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("load no. 1400", ("shipment", "1400")),
        ("Ref. 12/11", ("shipment", "12/11")),
        ("fattura n. 12/11", ("invoice", "12/11")),
        ("load 4471", ("shipment", "4471")),
        ("PO 4471T", ("purchase_order", "4471T")),
        ("Sendung 22018817 Paket beschädigt", ("shipment", "22018817")),
        ("Auftrag 4471 mindestens einen Tag später", ("sales_order", "4471")),
    ],
)
def test_what_looks_like_a_time_or_a_count_is_a_reference_where_it_is_called_one(
    text: str, expected: tuple[str, str]
) -> None:
    assert found(text) == {expected}


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("Lieferschein LS 70-4418", "delivery_order", "LS 70-4418"),
        ("Bon de livraison BL 55104", "delivery_order", "BL 55104"),
        ("Facture 4471-A, BL 77431", "delivery_order", "77431"),
        ("original despatch note DN 330718", "delivery_order", "DN 330718"),
        ("Dossier GT 26.3317", "shipment", "GT 26.3317"),
        ("our consignment APX 4471 0926", "shipment", "APX 4471 0926"),
        ("Speditionsauftrag Nr. 4471 der Agentur", "shipment", "4471"),
        ("Lettre de voiture : LV 0055 81 20", "cmr", "LV 0055 81 20"),
        ("the seller's invoice RTV-E 1907", "invoice", "RTV-E 1907"),
        ("Laut Handelsrechnung 900-26-1182", "invoice", "900-26-1182"),
        ("Bescheiden (N380) 2600418 van 28-10-2026", "invoice", "2600418"),
    ],
)
def test_a_number_keeps_the_letters_that_begin_it_behind_its_name(text: str, field: str, value: str) -> None:
    assert (field, value) in [(span.field, span.value) for span in find_references(text)]


def test_a_delivery_note_that_is_a_reference_goes_without_the_letters_that_name_it() -> None:
    assert [span.value for span in captioned("shipment", "BL 66014", 0, 8)] == ["66014"]
    assert begin_of_note("BL 66014", 0, "Réf. expéditeur: ") == 3
    assert begin_of_note("BL 66014", 0, "Bon de livraison: ") == 0


def test_hundredths_in_words_of_an_amount_are_no_number() -> None:
    assert find_references("son ochenta mil dólares con 50/100") == []


@pytest.mark.parametrize(
    ("cell", "field", "value"),
    [
        ("3391 del 10/12/2026", "delivery_order", "3391"),
        ("2600418 van 28-10-2026", "delivery_order", "2600418"),
        ("5091 (intern)", "delivery_order", "5091"),
        ("HVTSAI0055120", "delivery_order", "HVTSAI0055120"),
        ("INV-30771", "invoice", "INV-30771"),
    ],
)
def test_a_cell_with_a_caption_holds_a_number_and_what_is_said_of_it(cell: str, field: str, value: str) -> None:
    assert [(span.field, span.value) for span in captioned("delivery_order", cell, 0, len(cell))] == [(field, value)]


def test_a_part_of_a_longer_number_is_no_order() -> None:
    assert ("purchase_order", "PO-88120") not in found("Bestellung Empfänger: KTP-PO-88120")


def test_a_telephone_number_behind_a_plate_is_no_trailer() -> None:
    assert ("vehicle_plate", "GA7704X") not in found("Naczepa nr rej. GA 7704X +48 58 555 01 99")


def test_the_number_of_seals_is_none_of_them() -> None:
    text = "2 / NLD 0771844, NLD 0771845"
    assert [s.value for s in identifiers.captioned("seal", text, 0, len(text))] == ["NLD 0771844", "NLD 0771845"]


def test_two_plates_may_stand_side_by_side() -> None:
    assert identifiers.two_plates("LL-384KX LL-117AN", 0, 17) == [(0, 8), (9, 17)]
    assert identifiers.two_plates("GK-418-TR 1 FX-902-BL", 0, 21) == [(0, 9), (12, 21)], "a slash, as a scan has it"
    assert identifiers.two_plates("HH AB 1234", 0, 10) == []


def test_a_list_after_one_word_is_read_to_its_end() -> None:
    text = "POs 4500012345, 4500012346 and 4500012347, 3 pallets"
    assert found(text) == {("purchase_order", f"450001234{i}") for i in (5, 6, 7)}


def test_numbers_next_to_each_other_are_two_with_a_slash_between_and_others_one() -> None:
    assert found("LS 4471/4472") == {("delivery_order", "4471"), ("delivery_order", "4472")}
    assert found("ref. 2025/2026") == {("shipment", "2025/2026")}
    assert found("ref. 4471/2204") == {("shipment", "4471/2204")}


def test_quotes_are_exact_and_give_their_value_again() -> None:
    text = "Re WH/OUT/00042 / CSQU 305438-3, (00)106141412345678908; MAWB 176 12345675; PO 4500012345; UN 1263"
    spans = find_references(text)
    assert len(spans) == 6
    assert all(value_of(span.field, text[span.start : span.end]) == span.value for span in spans)


def test_a_checked_number_outscores_one_known_by_its_words_alone() -> None:
    scores = {span.field: span.score for span in find_references("container CSQU3054383, load 778812")}
    assert scores["container"] > 0.9 > scores["shipment"]


@pytest.mark.parametrize(
    "unit",
    ["1", "12 ", "1234567890-", "A", "po ", "order no no ", "PO 123, ", "1Z ", "MSKU 123 ", f"order{' ' * 9_000}x "],
)
@pytest.mark.timeout(60)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    find_references((unit * 200_000)[:200_000])


@pytest.mark.parametrize(
    ("field", "quote", "value"),
    [
        ("cmr", "CMR 4471203", "4471203"),
        ("bol", "BOL 7740912", "7740912"),
        ("bol", "BL-2026-0412", "BL-2026-0412"),
        ("delivery_order", "DDT 4410093", "4410093"),
        ("delivery_order", "N. 1187/A", "1187/A"),
        ("vehicle_plate", "Unit 6417", "6417"),
        ("shipment", "NR 4471", "NR 4471"),
        ("seal", "Seal UK0883178", "UK0883178"),
        ("invoice", "Factuur 2026-20557", "2026-20557"),
        ("trailer_plate", "Rimorchio AE 40772", "AE40772"),
        ("vehicle_plate", "NL 74-BTR-8", "74BTR8"),
        ("vehicle_plate", "OS HG 3017", "OSHG3017"),
        ("shipment", "PSD 4418 0277 61", "PSD 4418 0277 61"),
        ("purchase_order", "Baustelle 4711", "BAUSTELLE 4711"),
        ("shipment", "Rit 26-119043", "26-119043"),
        ("bol", "SRP- 30714", "SRP-30714"),
        ("shipment", "SC\u201026\u2010330", "SC-26-330"),
        ("cmr", "N.º 4471", "4471"),
        ("awb", "HAWB ZRH-508817", "ZRH-508817"),
        ("awb", "AWB 020-12345676", None),
        ("awb", "FOR AWB 020-12345676", None),
        ("sales_order", "SO 20918", "SO 20918"),
        ("sales_order", "S/O 20918", "20918"),
        ("purchase_order", "P/O 20918", "20918"),
        ("shipment", "118 442", "118442"),
        ("shipment", "118 442/26", "118 442/26"),
        ("pro", "417-220 1185", "417-220 1185"),
        ("sscc", "80 41.7 226", None),
        ("cmr", "80 41.7 226", "80417226"),
        ("shipment", "QX440022917DE", None),
        ("booking", "BK 205518802", "205518802"),
        ("un_number", "trailer 53207", None),
        ("purchase_order", "1,900", None),
        ("shipment", "GEFO", None),
    ],
)
def test_a_number_goes_without_the_name_that_is_printed_beside_it(field: str, quote: str, value: str | None) -> None:
    assert value_of(field, quote) == value


def test_a_parcel_network_has_letters_of_its_own_before_its_digits_and_a_country_behind() -> None:
    assert ("tracking", "QRN004418820771GB") in found("Label QRN004418820771GB scanned 11:24")
    assert not found("Label QRN004418820771XX scanned 11:24")
    assert not found("part RB123456786GB"), "of the post, and its check digit is wrong"
    (span,) = captioned("cmr", "QX4400229178PL", 0, 14)
    assert (span.field, span.value) == ("tracking", "QX4400229178PL")


@pytest.mark.parametrize("account", ["PL10 {}", "CLABE {}", "Konto {}"])
def test_the_number_of_a_bank_account_is_no_sscc(account: str) -> None:
    assert ("sscc", "106141412345678908") in found("pallet 1061 4141 2345 6789 08")
    assert not any(field == "sscc" for field, _ in found(account.format("1061 4141 2345 6789 08")))


def test_sap_numbers_its_purchase_orders_from_4500000000_whatever_they_are_called() -> None:
    assert [s.field for s in captioned("shipment", "4500771234", 0, 10)] == ["purchase_order"]
    assert [s.field for s in captioned("shipment", "4600771234", 0, 10)] == ["shipment"]


def test_customs_put_how_many_seals_there_are_before_their_number() -> None:
    assert [s.value for s in captioned("seal", "1 QRN4471850", 0, 12)] == ["QRN4471850"]
    assert [s.value for s in captioned("seal", "2 / QRN 4471850, QRN 4471851", 0, 28)] == ["QRN 4471850", "QRN 4471851"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Bestelnummer QB-704 552 93", ("purchase_order", "QB-704 552 93")),
        ("bestelnr. 46-119 208", ("purchase_order", "46-119 208")),
        ("Votre envoi n° 0 447 121 est arrivé", ("shipment", "0447121")),
    ],
)
def test_digits_in_groups_are_read_to_their_end(text: str, value: tuple[str, str]) -> None:
    assert found(text) == {value}
