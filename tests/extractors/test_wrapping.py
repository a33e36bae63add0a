"""Lines broken by a mailer are read as what was written."""

from __future__ import annotations

from extractors.limits import Limits
from extractors.message import message_from_json
from extractors.wrapping import unwrapped

BROKEN = """\
Guten Tag Frau Lehner, unser Fahrer steht seit heute früh in Suben und
kommt wegen der Sperre nicht weiter. Er wird daher leider nicht vor
Mittwoch 14 Uhr bei Ihnen in Linz ankommen. Bitte geben Sie das auch an
Ihren Kunden weiter, die Papiere liegen beim Fahrer.
Referenz: KS-88120
- 14 Paletten Fliesen
"""


def test_a_sentence_goes_on_where_the_mailer_cut_it_and_no_offset_changes() -> None:
    whole = unwrapped(BROKEN)
    assert "nicht vor Mittwoch 14 Uhr bei Ihnen in Linz ankommen." in whole
    assert whole.endswith("beim Fahrer.\nReferenz: KS-88120\n- 14 Paletten Fliesen\n")
    assert len(whole) == len(BROKEN)


def test_what_the_writer_put_on_lines_of_their_own_stays_there() -> None:
    for text in (
        "Hallo,\nder LKW ist kaputt\nwir brauchen Ersatz\nbis morgen\nGruß\nJan",
        "one line that is long enough to be taken for a broken one, as it seems here\nand another one",
        "Container      Line  Size  Customs  Freight              Avail  LFD\n" * 4,
    ):
        assert unwrapped(text) == text


def test_a_long_line_that_its_writer_broke_within_a_sentence_is_made_whole() -> None:
    text = (
        "Hi all, our customer in Veghel has only taken part of load KS-88121. They took 1140 bags and refused 60 that\n"
        "got wet, the driver has them on board.\nPlease tell him what to do.\n"
    )
    assert "refused 60 that got wet, the driver" in unwrapped(text)
    assert "on board.\nPlease" in unwrapped(text)


def test_the_newest_text_of_a_message_is_whole() -> None:
    message = message_from_json({"text": f"{BROKEN}\nAm 24.11.2026 schrieb Lehner:\n> {BROKEN}"}, Limits())
    assert "nicht vor Mittwoch" in message.newest
    assert message.text[message.segments[0].start : message.segments[0].end].startswith("Guten Tag")
