from __future__ import annotations

import pytest

from extractors.contacts import find_contacts, region_of, value_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call +49 (0)621 123456-12 now", ("phone", "+4962112345612")),
        ("T: +31 6 12345678", ("phone", "+31612345678")),
        ("0044 20 7946 0000", ("phone", "+442079460000")),
        ("Tel. 0621/12 34 56", ("phone", "0621/12 34 56")),
        ("phone 555-014-2277", ("phone", "555-014-2277")),
        ("tel. kom. 605 \n555 173, biuro", ("phone", "605 555 173")),
        ("mail A.Huber@Spedition-X.example.", ("email", "a.huber@spedition-x.example")),
    ],
)
def test_contacts_are_found_in_their_stated_form(text: str, expected: tuple[str, str]) -> None:
    (span,) = find_contacts(text)
    assert (span.field, span.value) == expected
    assert value_of(span.field, text[span.start : span.end]) == span.value


@pytest.mark.parametrize(
    "text",
    [
        "10/19/2026 0600-1000",
        "PO 4500012345",
        "dock 12:30",
        "no@where",
        "07/09 26091577",
        "Fax: 0621 / 12 34 56",
        "Faks nr 22 481 03 51",
        "AWB 020-44817731",
        "tote 00447718",
    ],
)
def test_times_numbers_and_halves_of_addresses_are_none(text: str) -> None:
    assert find_contacts(text) == []


@pytest.mark.parametrize(
    ("text", "american", "region", "number"),
    [
        ("Telefon 0421 555 0910, dispo@wesertor.de", False, "DE", "+494215550910"),
        ("Unit 6, Llangollen LL20 8SN, tel 01270 555 018", False, "GB", "+441270555018"),
        ("Tel (812) 555-0144", True, "US", "+18125550144"),
        ("Tel. 0421 555 0910", False, None, "0421 555 0910"),
        ("Contact 03.21.55.88.40 à Anzin", False, "FR", "+33321558840"),
        ("Riviera Verde 71, 35139 PADOVA (PD) Tel. 049 555 7715", False, "IT", "+390495557715"),
        ("LIEFERSCHEIN NR 90114, SILOSTR. 60, TEL. 0511 555 7741", False, "DE", "+495115557741"),
        ("GSTIN 33AAKFS4471L1ZQ Ph: 0422-255 7310", False, "IN", "+914222557310"),
        ("Móvil tráfico 609 555 418, Talleres Ribera, S.L.", False, "ES", "+34609555418"),
        ("Kofler GmbH, CH-3250 Lyss, Telefon 032 555 64 40", False, "CH", "+41325556440"),
        ("Steiner GmbH, A-4600 Wels, Österreich, Tel. 07242 55 55 30", False, "AT", "+437242555530"),
        ("Route de Bure 27, 2900 Porrentruy, tél. 032 555 61 44", False, "CH", "+41325556144"),
        ("Park, Glanmire, Co. Cork, office 021 555 0182", False, "IE", "+353215550182"),
        ("300, rue Dalhousie, Québec G0A 3X0, Tél. 418 555-0127", False, "CA", "+14185550127"),
        ("Kaohsiung, Taiwan, TEL 886-7-555-2310, ship to Tacoma", True, "TW", "+88675552310"),
        ("Import Pte Ltd, Singapore 758277, TEL NO : 65550193", False, "SG", "+6565550193"),
        ("A Coruña, España, Teléfono (+34) 981 555 317", False, "ES", "+34981555317"),
        ("Svincoli: 0721 555 319, reso al destinatario della merce", False, "IT", "+390721555319"),
        ("Ring our line on 912-555-0133", False, "US", "+19125550133"),
        ("Call us on 01772 555 090 and hold the van", False, "GB", "+441772555090"),
        ("I am in the ward on 01 555 0184 until four", False, "IE", "+35315550184"),
        ("Rampe ist zu, was tun? Tel. 0171 5550044", False, "DE", "+491715550044"),
        ("Weber GmbH, Leipzig, an Rossi, 76121 Barletta, Italia, Tel. 0883 555 920", False, "IT", "+390883555920"),
    ],
)
def test_a_number_gets_the_code_of_the_country_that_the_text_shows(
    text: str, american: bool, region: str | None, number: str
) -> None:
    assert region_of(text, american=american) == region
    assert [span.value for span in find_contacts(text, region) if span.field == "phone"] == [number]


def test_a_country_where_no_number_of_the_text_can_be_is_not_theirs() -> None:
    text = "+44 1405 555 018, Goole DN14 6XL. Ennis V95 K2H6, traffic desk 091 555 018"
    assert region_of(text) == "IE"


def test_a_number_with_its_code_counts_however_long_and_without_the_words_before_it() -> None:
    assert value_of("phone", "+44 1472 555 0199", "GB") == "+4414725550199"
    assert value_of("phone", "PH +31 30 555 4410") == "+31305554410"
    assert value_of("phone", "+47 22 55", "NO") is None, "a part of one"


def test_the_code_of_a_country_alone_is_no_number() -> None:
    assert value_of("phone", "obowiązkowa: +49", "PL") is None


def test_the_number_of_an_account_is_no_telephone() -> None:
    assert find_contacts("IBAN DE12 2905 0101 0009 4471 00", "DE") == []


def test_a_number_for_telephone_and_fax_is_one() -> None:
    assert [s.value for s in find_contacts("Tel./Fax: 0621 / 12 34 56")] == ["0621 / 12 34 56"]
