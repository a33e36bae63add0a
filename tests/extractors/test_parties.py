from __future__ import annotations

# ruff: noqa: E501 - tables are read across, not wrapped
import re

import pytest

from extractors.parties import (
    ADDRESSES,
    find_named,
    find_parties,
    goods_in,
    goods_listed,
    holds,
    in_box,
    is_note,
    label_of,
    name_at,
    shipping_names,
    signature_label,
    told,
    value_of,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Driver: Jan Kowalski, tel +48 600 100 200", ("driver_name", "Jan Kowalski")),
        ("unser Fahrer Hr. Novak meldet sich", ("driver_name", "Novak")),
        ("signed for by: P. van der Berg", ("received_by", "P. van der Berg")),
        ("POD says 'SINGH', we have eleven of those", ("received_by", "SINGH")),
        ("It says 'signed by OKORO'. No Okoro here.", ("received_by", "OKORO")),
        ("Consignee: ACME BV, Industrieweg 3, 2030 Antwerpen", ("consignee", "ACME BV")),
        ("Absender: Ziegelwerk Altmark AG", ("shipper", "Ziegelwerk Altmark AG")),
        ("Przewoźnik: Trans-Kujawy Sp. z o.o.", ("carrier", "Trans-Kujawy Sp. z o.o.")),
        ("Remarks: 2 ctn short, pallet wet", ("remarks", "2 ctn short, pallet wet")),
        ("he wrote on the CMR 'rejected, shelf life'", ("remarks", "rejected, shelf life")),
        ("please deliver to Industriestraße 12a, 68169 Mannheim", ("delivery_address", "Industriestraße 12a, 68169 Mannheim")),
        ("new address is 1200 Main St, Columbus, OH 43215", ("delivery_address", "1200 Main St, Columbus, OH 43215")),
        ("DESTINO: 28915 LEGANÉS\nBULTOS: 2", ("delivery_address", "28915 LEGANÉS")),
        ("collect from 12 Dock Road, Manchester M17 1AB", ("pickup_address", "12 Dock Road, Manchester M17 1AB")),
        ("collect from 8:00 to 12:00 at 14 Mill Lane, Leeds LS10 1AB", ("pickup_address", "14 Mill Lane, Leeds LS10 1AB")),
        ("Enlèvement de 8h à 12h au 14 rue des Lilas, 69007 Lyon. Merci", ("pickup_address", "14 rue des Lilas, 69007 Lyon")),
        ("ship to 14 Main St, Ft. Worth, TX 76102. Call first", ("delivery_address", "14 Main St, Ft. Worth, TX 76102")),
        ("Lieferadresse: Fa. Holz Meier\nBahnhofstr. 5\n70173 Stuttgart", ("delivery_address", "Bahnhofstr. 5, 70173 Stuttgart")),
        ("nowy adres dostawy: ul. Długa 5, 30-002 Kraków", ("delivery_address", "ul. Długa 5, 30-002 Kraków")),
        ("the note came back, signature illegible", ("signed", "unreadable")),
        ("bon revenu non signé", ("signed", "no")),
    ],
)  # fmt: skip
def test_names_and_addresses_are_found_behind_the_words_that_say_what_they_are(
    text: str, expected: tuple[str, str]
) -> None:
    spans = find_parties(text)
    assert expected in [(span.field, span.value) for span in spans]
    for span in spans:
        quote = text[span.start : span.end]
        assert value_of(span.field, quote) == span.value or (span.field in ADDRESSES and holds(quote, span.value))


@pytest.mark.parametrize(
    "text",
    [
        "The driver said he would call.",
        "Carrier: n/a",
        "Consignee: same as above",
        "12 rue de la Paix, 75002 Paris",  # no word says what happens there
        "shipper signature / date",
    ],
)
def test_what_no_word_explains_is_not_reported(text: str) -> None:
    assert find_parties(text) == []


def test_a_label_is_told_from_a_value_and_from_a_label_with_its_value() -> None:
    assert label_of("2 Empfänger (Name, Anschrift, Land)") == ("consignee", 35)
    assert label_of("SHIP FROM") == ("shipper", 9)
    assert label_of("Miejsce załadunku") == ("pickup_address", 17)
    assert label_of("Consignee: ACME BV") == ("consignee", 10)
    assert label_of("Van Doorn Transport BV") is None
    assert (signature_label("24 Gut empfangen / Marchandises reçues"), signature_label("Signature:")) == (2, 1)
    assert signature_label("Recibí conforme (nombre, DNI y firma)") == 2
    assert signature_label("Przewoźnik (pieczęć i podpis) – prosimy odesłać podpisane") == 1
    assert signature_label("Vi preghiamo di restituire la presente firmata per accettazione") == 0
    assert (signature_label("FIRMA DESTINATARIO"), signature_label("Firma conducente")) == (2, 1)
    assert signature_label("Empfangsbestätigung: Unterschrift") == 2
    assert signature_label("Signature of the contract follows") == 0
    assert signature_label("Firma Kofler GmbH") == 0


@pytest.mark.parametrize(
    ("cell", "goods"),
    [
        ("24 pallets Fresh pears, 9800 kg", "Fresh pears"),
        ("Drums, detergent concentrate", "detergent concentrate"),
        ("Paper towels, household, in boxes", "Paper towels, household, in boxes"),
        ("Poutrelles acier en", "Poutrelles acier"),
        ("UN 1263 FARBE, 3, II, (D/E)", "FARBE"),
        ("UN 1824, CLASS 8, PG II", None),
        ("Härter H20, kein Gefahrgut", "Härter H20"),
        ("GLAZES, NON HAZ", "GLAZES"),
        ("18 caisses-palettes, Carters bruts, 14 620 kg", "Carters bruts"),
        ("Miel de azahar Partida 0409 00 · Lote 26", "Miel de azahar"),
        ("Pressa eccentrica (1 collo, kg 11.850)", "Pressa eccentrica"),
        ("Pokrywy silnika / Engine covers", "Pokrywy silnika"),
        ("Transport – Déchets de bois", "Déchets de bois"),
        ("Stanzwerkzeuge netto 2.096 kg", "Stanzwerkzeuge"),
        ("Opakowania szklane (słoiki)", "Opakowania szklane (słoiki)"),
        ("COLIS PORTES EN BOIS", "PORTES EN BOIS"),
        ("Kraft paper rolls", "Kraft paper rolls"),
        ("Silicato sódico líquido, a granel", "Silicato sódico líquido"),
        ("Pâtes de fruits en vrac", "Pâtes de fruits en vrac"),
        ("in bulk, 1 liner bag fitted", None),
        ("Linerboard rolls", "Linerboard rolls"),
        ("40 steel drums", None),
        ("40 fibreboard boxes (4G) of tins", None),
        ("Holzkisten", None),
        ("En cajas de madera", None),
        ("skrzynie drewniane", None),
        ("Embalaje de cartón simple", None),
        ("netto 2.096 kg", None),
        ("trocken lagern", None),
        ("Artikel 2", None),
        ("Pimentón dulce, latas de 75 g", "Pimentón dulce"),
        ("PALM STEARIN, IN 20 KG CARTONS", "PALM STEARIN"),
        ("Craie broyée en sacs de 25 kg", "Craie broyée"),
        ("Rye malt whisky, 70 cl", "Rye malt whisky, 70 cl"),
        ("Floor tile, ctn", "Floor tile"),
        ("Barley straw pellets in bulk", "Barley straw pellets"),
        ("CRATES GEARED MOTORS", "GEARED MOTORS"),
        ("Cases for telescopes", "Cases for telescopes"),
        ("3 CRATES 90x70x65 CM", None),
        ("in glass jars", None),
        ("Glass jars", "Glass jars"),
    ],
)
def test_goods_are_named_without_what_they_are_packed_in(cell: str, goods: str | None) -> None:
    place = goods_in(cell, 0, len(cell))
    assert (place and cell[slice(*place)]) == goods


def test_running_text_says_what_goods_are_in_and_several_are_parted() -> None:
    (goods,) = find_parties("Goods: onion powder in big bags")
    assert goods.value == "onion powder"
    for line, two in (
        ("Fresh oranges; fresh grapefruit", ["Fresh oranges", "fresh grapefruit"]),
        ("Granulés de PP / mélange-maître noir", ["Granulés de PP", "mélange-maître noir"]),
    ):
        assert [line[a:b] for a, b in goods_listed(line, 0, len(line))] == two


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("UN 1993, FLAMMABLE LIQUID, N.O.S. (xylene, n-butanol)", "FLAMMABLE LIQUID, N.O.S. (xylene, n-butanol)"),
        ("UN 1993 FLAMMABLE LIQUID, N.O.S.\n(xylene), Class 3, PG II", "FLAMMABLE LIQUID, N.O.S. (xylene)"),
        (
            "UN3077, HAZARDOUS SUBSTANCE, SOLID,\nN.O.S. (zinc oxide), Class 9",
            "HAZARDOUS SUBSTANCE, SOLID, N.O.S. (zinc oxide)",
        ),
        ("UN 1987 ALKOHOLE, N.A.G. (Propan-2-ol), 3, II, (D/E)", "ALKOHOLE, N.A.G. (Propan-2-ol)"),
        ("UN1263, PAINT, (D/E)", "PAINT"),
        (
            "UN3082, ENVIRONMENTALLY HAZARDOUS\nSUBSTANCE, LIQUID, N.O.S. (epoxy resin),\n9, PG III",
            "ENVIRONMENTALLY HAZARDOUS SUBSTANCE, LIQUID, N.O.S. (epoxy resin)",
        ),
        ("UN1263, PAINT, (C5000D)", "PAINT"),
        ("UN1263 PAINT (flash point 27 C)", "PAINT"),
        ("UN1263, PAINT,\nCLASS 3", "PAINT"),
    ],
)
def test_a_shipping_name_has_its_technical_name_in_brackets(line: str, name: str) -> None:
    assert [span.value for span in shipping_names(line)] == [name]


def test_a_class_right_after_a_un_number_is_no_shipping_name() -> None:
    assert list(shipping_names("UN 1824, CLASS 8, PG II")) == []


def test_the_lines_of_an_address_may_have_those_of_the_next_box_between_them_and_nothing_else_may_be_missing() -> None:
    quote = "Hafenstr. 18 Industrieweg 2\nD-28217 Bremen"
    assert holds(quote, "Hafenstr. 18, D-28217 Bremen")
    assert not holds(quote, "D-28217 Bremen, Hafenstr. 18")
    assert not holds(quote, "Hafenstr. 19, D-28217 Bremen")


@pytest.mark.parametrize("unit", ["A", "1 ", "Aa ", "driver ", "12 Abc ", "- ", "A.", "*", "A. "])
def test_hostile_text_is_got_through(unit: str) -> None:
    assert find_parties((unit * 200_000)[:200_000]) == []  # within the time-out of a test


@pytest.mark.parametrize(
    ("box", "address"),
    [
        ("Ems AG\nRampe 11-14\nDieselstraße 25\n49716 Meppen", "Dieselstraße 25, 49716 Meppen"),
        ("Ibis SA\nPlataforma seco - muelles 20\nC/ Carolina, 18\n50014 Zaragoza", "C/ Carolina, 18, 50014 Zaragoza"),
        ("Marín SA\nnave 14\n36900 Marín\nEspaña", "nave 14, 36900 Marín, España"),
        ("Ems AG\nAbbundhalle, Dieselstraße 25\n49716 Meppen", "Dieselstraße 25, 49716 Meppen"),
        ("Ems NV\nHal C, brama 2, Kade 3\n1000 Brussel", "Kade 3, 1000 Brussel"),
        ("Ems Ltd\nDistribution Centre, Trafalgar Way\nBristol BS11 9YA", "Trafalgar Way, Bristol BS11 9YA"),
        ("Ems Ltd\nOak House, 14 Mill Lane\nBrackley NN13 5TX", "Oak House, 14 Mill Lane, Brackley NN13 5TX"),
        ("Ems SA\nCtra. Onda, km 3\n12200 Onda", "Ctra. Onda, km 3, 12200 Onda"),
        ("Ems\nNeckar Geräte GmbH, Talstraße 40\n74172 Neckarsulm", "Talstraße 40, 74172 Neckarsulm"),
    ],
)
def test_the_building_before_a_street_is_none_of_the_address(box: str, address: str) -> None:
    lines = [match.span() for match in re.finditer(r"[^\n]+", box)]
    found = {span.field: span.value for span, _ in in_box(box, "consignee", lines)}
    assert found["delivery_address"] == address


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        ("Kade 3\n24143 Kiel\nNiemcy / Germany", "Kade 3, 24143 Kiel, Niemcy / Germany"),
        ("47 Foundry Street\nCanonsburg, PA 15317\nUnited States of America", None),
        ("Kade 3, Leeds LS12 5JB — by haulier, to be agreed", "Kade 3, Leeds LS12 5JB"),
        ("Quai Est – porte 17, 56100 LORIENT", "Quai Est – porte 17, 56100 LORIENT"),
        ("Kade 3, 03044 Cottbus. Annahme nur mit Helm.", "Kade 3, 03044 Cottbus"),
        ("380 Salinas Rd, Watsonville, CA\n95076", "380 Salinas Rd, Watsonville, CA 95076"),
    ],
)
def test_an_address_ends_with_its_country_or_its_town(lines: str, address: str | None) -> None:
    box = f"Ems AG\n{lines}"
    found = {s.field: s.value for s, _ in in_box(box, "consignee", [m.span() for m in re.finditer(r"[^\n]+", box)])}
    assert found["delivery_address"] == (address or lines.replace("\n", ", "))


@pytest.mark.parametrize(
    ("printed", "address"),
    [
        ("Kühlhaus Ost, Hafenstraße 60\n8590 Romanshorn", "Hafenstraße 60, 8590 Romanshorn"),
        ("Gourmet Benelux DC, Wijngaardveld 52\n9300 Aalst", "Wijngaardveld 52, 9300 Aalst"),
        ("Polígono Malpica, calle F 61\n50016 Zaragoza", "Polígono Malpica, calle F 61, 50016 Zaragoza"),
        ("S.L. — Polígono El Oliveral, nave 8\n46394 Ribarroja", "Polígono El Oliveral, nave 8, 46394 Ribarroja"),
        ("Consignee address: 520 Locust St\nMcKeesport, PA 15132", "520 Locust St, McKeesport, PA 15132"),
        ("10/21/2026 22:00\nPO # CF-339120", None),
    ],
)
def test_an_address_begins_with_its_street_and_holds_no_day(printed: str, address: str | None) -> None:
    assert value_of("delivery_address", printed) == address


def test_a_remark_is_given_without_the_marks_of_its_quotation() -> None:
    assert value_of("remarks", "„1 Rolle fehlt, Karton 3 nass“") == "1 Rolle fehlt, Karton 3 nass"
    assert value_of("remarks", '2 ctn "Alpha" short') == '2 ctn "Alpha" short'


@pytest.mark.parametrize("line", ["Le", "1 BELADUNG"])
def test_a_word_beside_the_name_of_a_driver_is_no_person(line: str) -> None:
    assert name_at(line, 0, len(line), person=True) is None


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Mme Delphine Achard", "Delphine Achard"),
        ("M. Paulo Teixeira, GSM +352 621 555 094", "Paulo Teixeira"),
        ("M. Verstegen", "M. Verstegen"),
        ("Mme Faugère", "Mme Faugère"),
        ("Col Petrie Rego 418.XKT", "Col Petrie"),
    ],
)
def test_a_person_is_named_without_title_and_plate(line: str, name: str) -> None:
    place = name_at(line, 0, len(line), person=True)
    assert place is not None and line[slice(*place)] == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Wendell Stamper Cell 606-555-0138", "Wendell Stamper"),
        ("AERONAVE CARGO 45 rue de Paris", "AERONAVE CARGO"),
        ("Atlantique Fret International —", "Atlantique Fret International"),
    ],
)
def test_a_name_ends_before_a_telephone_number_or_a_street(line: str, name: str) -> None:
    assert name_at(line, 0, len(line)) == (0, len(name))


@pytest.mark.parametrize(
    ("words", "noted"),
    [
        ("néant", False),
        ("OK", False),
        ("Keine Beanstandungen.", False),
        ("sans réserve", False),
        ("bez uwag", False),
        ("ok, 2 Kartons nass", True),
        ("keine Beanstandungen außer 1 Palette", True),
        ("conforme sauf 2 colis", True),
        ("☒ Bruch", False),
        ("beschädigt ☐ ja ☒ nein", False),
        ("DN-440917", False),
        ("Driver: K. Moroz", False),
        ("Nom: Claire Rouvier", False),
        ("Préjudice estimé : 1 850,00 EUR", False),
        ("11 November 2026", False),
        ("Paket 7: Band gerissen", True),
        ("Bemerkung: Band gerissen", True),
        ("Liability limitation for loss or damage may be applicable. See 49 U.S.C. 14706(c)(1)(A)", False),
    ],
)
def test_a_box_for_remarks_that_says_there_are_none_holds_no_remark(words: str, noted: bool) -> None:
    assert is_note(words) is noted


@pytest.mark.parametrize(
    ("line", "page", "mail"),
    [
        ("Signed by:", False, False),
        ("Unterschrieben von:\nDatum:", False, False),
        ("Signed for by", False, True),
        ("Signed by:  ________  Date: ______", False, False),
        ("The CMR must be signed by the consignee", False, False),
        ("To be signed by driver and receiver", False, False),
        ("Bitte nur unterschrieben von Frau Adler senden", False, False),
        ("Le bon doit être signé par le client", False, False),
        ("the POD was signed for", False, True),
        ("POD was signed for by P. Novak", True, True),
        ("Signed by: P. Novak  Date: 21.11.2026", True, True),
    ],
)
def test_a_caption_or_an_instruction_signs_nothing(line: str, page: bool, mail: bool) -> None:
    assert ("signed" in {span.field for span in find_named(line)}) is page
    assert ("signed" in {span.field for span in find_parties(line)}) is mail


def boxed(label: str, box: str) -> list[tuple[str, str]]:
    return [(s.field, s.value) for s, _ in in_box(box, label, [m.span() for m in re.finditer(r"[^\n]+", box)])]


@pytest.mark.parametrize(
    ("label", "box", "address"),
    [
        ("delivery_address", "Harbour Foods DC\n22 Fern Street\nSouth Gran NSW 2142", "22 Fern Street, South Gran NSW 2142"),
        ("consignee", "Harbour Foods\n22 Fern Street, South Gran NSW 2142", "22 Fern Street, South Gran NSW 2142"),
        ("consignee", "Épicerie Fundy Ltée\n1290, boulevard Nord\nMoncton (N.-B.) E1E 3S2", "1290, boulevard Nord, Moncton (N.-B.) E1E 3S2"),
        ("consignee", "Corrib Foods Ltd\nQuay Road, Ennis V95 K2H6", "Quay Road, Ennis V95 K2H6"),
        ("consignee", "Farmagal, S.A.\nRúa Nova 17, 15008 A Coruña", "Rúa Nova 17, 15008 A Coruña"),
        ("consignee", "Straits Foods Pte Ltd\n18 TUAS BAY LINK\nSINGAPORE 637338", "18 TUAS BAY LINK, SINGAPORE 637338"),
    ],
)  # fmt: skip
def test_towns_are_known_as_their_countries_write_them(label: str, box: str, address: str) -> None:
    assert ("delivery_address", address) in boxed(label, box)


@pytest.mark.parametrize("last", ["FRANCE TEL +33 3 81 55 50 61", "FRANCE · TVA FR61488120774", "FRANCE\nTél. 03 81"])
def test_a_country_before_a_telephone_or_tax_number_belongs_to_the_address(last: str) -> None:
    found = boxed("consignee", f"Moteurs Doubs SAS\n22 rue Longue\n25200 Montbéliard\n{last}")
    assert ("delivery_address", "22 rue Longue, 25200 Montbéliard, FRANCE") in found


@pytest.mark.parametrize(
    "after", ["Thursday 3 December 2026, 14:00", "mardi 9 février 2027 à 06 h 00", "Mo., 7.12.2026"]
)
def test_a_day_in_the_next_line_is_no_part_of_the_line_with_name_and_address(after: str) -> None:
    found = boxed("pickup_address", f"Burren Resins Ltd, Quay Road 4, 31582 Nienburg\n{after}")
    assert found == [("shipper", "Burren Resins Ltd"), ("pickup_address", "Quay Road 4, 31582 Nienburg")]


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ("Citrus Packers\n8800 Grove Rd, Lake Wales, FL 33853", [("shipper", "Citrus Packers"), ("pickup_address", "8800 Grove Rd, Lake Wales, FL 33853")]),
        ("Zona ASI Nord, lotto 9, 82100 Benevento", [("pickup_address", "Zona ASI Nord, lotto 9, 82100 Benevento")]),
        ("Apotheke, Ebene 0\nUntere Marktstraße 40\n4822 Bad Goisern", [("pickup_address", "Untere Marktstraße 40, 4822 Bad Goisern")]),
        ("Entrepôt Borinage, quai 4\nRoute Haute 190, 7011 Ghlin", [("pickup_address", "Route Haute 190, 7011 Ghlin")]),
        ("Bexwell Seeds Ltd, 14 Downham Road\nWatton, Thetford IP25 6NB", [("shipper", "Bexwell Seeds Ltd"), ("pickup_address", "14 Downham Road, Watton, Thetford IP25 6NB")]),
        ("Calder Crafts Ltd\nDC 14 - Receiving\n26 Mill Road\nHexham NE46 1AA", [("shipper", "Calder Crafts Ltd"), ("pickup_address", "26 Mill Road, Hexham NE46 1AA")]),
        ("Calle Torneros 40, 28906\nGetafe", [("pickup_address", "Calle Torneros 40, 28906 Getafe")]),
        ("Azulejos Gorda\n5500 Kempwood Drive\nHouston, TX 77080\nPICKED UP AT\nLa Porte, TX 77571", [("shipper", "Azulejos Gorda"), ("pickup_address", "5500 Kempwood Drive, Houston, TX 77080")]),
        ("Teruel Química\nDomicilio: Calle Berna 21, 44195 Teruel", [("shipper", "Teruel Química"), ("pickup_address", "Calle Berna 21, 44195 Teruel")]),
        ("Brack Ltd, 88\nDon Road, Barnsley S70 1XA", [("shipper", "Brack Ltd"), ("pickup_address", "88 Don Road, Barnsley S70 1XA")]),
        ("Pell Paper Co.\nAddress: 1475 Northgate Drive\nCity/State/Zip: Delavan, WI 53115", [("shipper", "Pell Paper Co."), ("pickup_address", "1475 Northgate Drive, Delavan, WI 53115")]),
    ],
)  # fmt: skip
def test_a_place_begins_with_its_street_or_estate(box: str, found: list[tuple[str, str]]) -> None:
    assert boxed("pickup_address", box) == found


@pytest.mark.parametrize(
    ("quote", "address"),
    [
        ("80 rue du\nDauphiné, 69960 Corbas", "80 rue du Dauphiné, 69960 Corbas"),
        ("ul. Leśna 3, 26-300 Opoczno, Polska 2026-12-02", "ul. Leśna 3, 26-300 Opoczno, Polska"),
        ("112 avenue du Rhône, 07250 Le Pouzin, le 24/11/2026 à 09 h 15", "112 avenue du Rhône, 07250 Le Pouzin"),
        ("Tor 5, Hafenstraße 33, 41460 Neuss", "Hafenstraße 33, 41460 Neuss"),
        ("7 rue des Docks, 69009 Lyon - come casella 2", "7 rue des Docks, 69009 Lyon"),
        ("│2150 Lauxmont Road\n│York, PA 17406", "2150 Lauxmont Road, York, PA 17406"),
        ("Calle Torneros 40, 28906\nGetafe", "Calle Torneros 40, 28906 Getafe"),
        ("Turfkade 3, 8441 BC\nHeerenveen", "Turfkade 3, 8441 BC Heerenveen"),
        ("DC North, Unit 12 Wardley Cross, Swinton M27 9LT", "Unit 12 Wardley Cross, Swinton M27 9LT"),
        ("Bay 12-18, 75 Market Loop, Kingston, NY 12401", "75 Market Loop, Kingston, NY 12401"),
        ("ul. Leśna 4, 62-023 Gądki) była", "ul. Leśna 4, 62-023 Gądki"),
        ("18 Tuas Bay Link\nSingapore 637338", "18 Tuas Bay Link, Singapore 637338"),
    ],
)
def test_an_address_has_no_gate_before_it_no_day_behind_it_and_no_comma_in_its_street(quote: str, address: str) -> None:
    assert value_of("delivery_address", quote) == address


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Messrs. Cascadia Supply, Inc.", "Cascadia Supply, Inc."),
        ("09-12-2026 Betonwerk Slinge B.V.", "Betonwerk Slinge B.V."),
        ("Ogeechee Haulers, Inc. DOT 3307714", "Ogeechee Haulers, Inc."),
        ("Innkreis Logistik KG Route", "Innkreis Logistik KG"),
        ("Bodensee Rauch KG Sendungsnr", "Bodensee Rauch KG"),
        ("│ Hallsberg Gjuteri AB │ Booking", "Hallsberg Gjuteri AB"),
        ("Ihre Möbelspedition Kaltenegger", "Möbelspedition Kaltenegger"),
        ("Hafnarmálning ehf.", "Hafnarmálning ehf."),
        ("Antep Nakliyat Ltd. Şti.", "Antep Nakliyat Ltd. Şti."),
        ("Regantes del Jiloca, C.R.", "Regantes del Jiloca, C.R."),
        ("Kuipers Transport B.V., t.a.v. planning", "Kuipers Transport B.V."),
        ("Bexwell Foods, U.S.A.", "Bexwell Foods"),
    ],
)
def test_a_firm_s_name_goes_from_its_first_word_to_its_legal_form(line: str, name: str) -> None:
    place = name_at(line, 0, len(line))
    assert place is not None and line[slice(*place)] == name


@pytest.mark.parametrize(
    ("box", "name"),
    [
        ("Trasportatori Uniti Adda Soc.\nCoop.", "Trasportatori Uniti Adda Soc. Coop."),
        ("Trans-Wisła Sp. z\no.o.", "Trans-Wisła Sp. z o.o."),
        ("LKW-Sammelgut durch Jura Fracht AG", "Jura Fracht AG"),
        ("Transport par Valmont SAS", "Valmont SAS"),
    ],
)
def test_a_carrier_s_form_may_be_broken_and_how_it_carries_is_no_name(box: str, name: str) -> None:
    assert ("carrier", name) in boxed("carrier", box)


def test_a_name_over_two_lines_keeps_the_comma_between_them() -> None:
    assert value_of("carrier", "Correas Express,\nS.L.") == "Correas Express, S.L."


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("8 Geadresseerde Nr. CHE-207.441.118", "consignee"),
        ("Exportador [13 01]", "shipper"),
        ("2  DROP", "delivery_address"),
        ("Verpackungs- und Ladestelle", "pickup_address"),
        ("To (Consignee)", "consignee"),
        ("Beladestelle, 30.11.2026", "pickup_address"),
    ],
)
def test_labels_bear_numbers_of_accounts_and_of_boxes(words: str, field: str) -> None:
    assert label_of(words) == (field, len(words))


@pytest.mark.parametrize("unit", ["Aa-", "Aa Co. ", "Aa (B) ", "Aa NSW ", "12 Aa, ", "Aa Ltd DOT "])
@pytest.mark.timeout(60)
def test_a_hostile_line_of_a_box_takes_linear_time(unit: str) -> None:
    line = unit * 400
    assert not [s for s, _ in in_box(line, "delivery_address", [(0, len(line))]) if len(s.value) > 200]


@pytest.mark.parametrize(
    ("quote", "name"),
    [
        ("9.20 Uhr Gindele", "Gindele"),
        ("Mw. T. Oudshoorn", "T. Oudshoorn"),
        ("Mr Neil Garbutt", "Neil Garbutt"),
        ("H. Brinkmeier", "H. Brinkmeier"),
        ("SIGNATURE T Guidry", None),
        ("on glass by", None),
    ],
)
def test_who_received_goods_is_named_without_the_time_or_his_title(quote: str, name: str | None) -> None:
    assert value_of("received_by", quote) == name


@pytest.mark.parametrize(
    ("letter", "found"),
    [
        (
            "We collect on 18/11/2026 from Midland Flatpack Ltd, 9 Axis Road, Corby\nNN17 5AB, and bring it",
            [("shipper", "Midland Flatpack Ltd"), ("pickup_address", "9 Axis Road, Corby NN17 5AB")],
        ),
        (
            "Vi confermiamo di ritirare lunedì alle ore 7.30 presso Meccaniche Adda S.p.A., Via dei Mille 12, 23900 Lecco, un",
            [("shipper", "Meccaniche Adda S.p.A."), ("pickup_address", "Via dei Mille 12, 23900 Lecco")],
        ),
        (
            "destinata a Officina Cavalca Pierino, Strada Vallazza 15, 43010 Fontevivo (PR),\nnon è stata consegnata",
            [("consignee", "Officina Cavalca Pierino"), ("delivery_address", "Strada Vallazza 15, 43010 Fontevivo (PR)")],
        ),
        ("Zugestellt bei Haus Tjaden, Billstraße 9, 26571 Juist\nEmpfangen von", [("consignee", "Haus Tjaden"), ("delivery_address", "Billstraße 9, 26571 Juist")]),
        ("Invoices to Calder Freight Ltd, 9 Axis Road, Corby NN17 5AB", []),
    ],
)  # fmt: skip
def test_a_letter_says_in_its_sentences_where_goods_are_taken_and_brought(
    letter: str, found: list[tuple[str, str]]
) -> None:
    assert [(span.field, span.value) for span, _ in told(letter)] == found


@pytest.mark.parametrize("unit", ["from Aa ", "load Aa, 1 Aa ", "Aa 1, ", "to Aa Ltd, 9 Aa Road, "])
@pytest.mark.timeout(60)
def test_a_hostile_letter_takes_linear_time(unit: str) -> None:
    assert len(list(told(unit * 4000))) < 400


@pytest.mark.parametrize(
    ("printed", "address"),
    [
        ("Am Kanal 14\n66663 Merzig Germany", "Am Kanal 14, 66663 Merzig, Germany"),
        ("4 Long Lane, Hull HU1 2AB United Kingdom", "4 Long Lane, Hull HU1 2AB, United Kingdom"),
        ("Calle Sur 45, 02300 Ciudad de México", "Calle Sur 45, 02300 Ciudad de México"),
        ("Via Selce 3, 40026 Imola (BO)", "Via Selce 3, 40026 Imola (BO)"),
        ("7 rue Haute, 1240 Luxembourg", "7 rue Haute, 1240 Luxembourg"),
    ],
)
def test_a_country_is_parted_from_its_town(printed: str, address: str) -> None:
    assert value_of("delivery_address", printed) == address


@pytest.mark.parametrize("after", ["TO: DALE CO-OP, STATION YARD, RIPON HG4 1AB", "Order no. : 4471 77120 Bourg"])
def test_a_line_that_announces_something_else_ends_an_address(after: str) -> None:
    assert ("delivery_address", "19 rue Haute, 62000 Arras") in boxed(
        "consignee", f"Droguerie Sud SAS\n19 rue Haute, 62000 Arras\n{after}"
    )


@pytest.mark.parametrize("last", ["Croatia   OIB 40118827165", "Croatia — RUC 20556677120"])
def test_a_country_before_the_number_of_a_tax_payer_belongs_to_the_address(last: str) -> None:
    assert ("delivery_address", "Put Sunca 31, 21210 Solin, Croatia") in boxed(
        "consignee", f"Plastika d.o.o.\nPut Sunca 31\n21210 Solin\n{last}"
    )


def test_a_department_with_a_gate_is_none_of_the_address() -> None:
    assert ("delivery_address", "Industrieweg 60, 5561 AB Riethoven") in boxed(
        "delivery_address", "Bouwmarkt Zuid\nAfd. Tuin, poort 2\nIndustrieweg 60\n5561 AB Riethoven"
    )
