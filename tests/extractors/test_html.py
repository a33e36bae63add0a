from __future__ import annotations

import time

import pytest

from extractors.html import readable


def test_tables_are_read_row_by_row_also_where_the_cells_hold_paragraphs() -> None:
    text, _ = readable(
        "<p>Status:</p><table><tr><th>Ref</th><th>ETA</th></tr>"
        "<tr><td><p class=MsoNormal>WH/OUT/00042</p></td><td><p>24.11.</p></td></tr></table>"
    )
    assert text == "Status:\n\nRef | ETA\nWH/OUT/00042 | 24.11."


@pytest.mark.parametrize(
    "hidden",
    [
        "<div style='display: none'>secret</div>",
        "<span style='color:red; visibility:hidden'>secret</span>",
        "<span style='font-size:0px'>secret</span>",
        "<p style='color:#FFFFFF'>secret</p>",
        "<font color=white>secret</font>",
        "<p hidden>secret</p>",
        "<style>.x{display:none}</style><p class=x>secret</p>",
        "<div style='max-height:0;overflow:hidden'>secret</div>",
        "<style>.x, .y{display:none}</style><p class=x>secret</p>",
        "<style><!-- .x{display:none} --></style><p class=x>secret</p>",
    ],
)
def test_hidden_text_is_removed_and_counted(hidden: str) -> None:
    text, signals = readable(f"<body>seen {hidden} also</body>")
    assert "secret" not in text
    assert text.split() == ["seen", "also"]
    assert signals["hidden_text"] == 1


def test_what_only_looks_like_hiding_stays() -> None:
    text, signals = readable(
        "<td style='background-color:#003366'><font color='#ffffff'>Header</font></td>"
        "<p style='font-size:0.9em'>small</p><style>@media print{.y{display:none}}</style><p class=y>screen</p>"
    )
    assert text.split() == ["Header", "small", "screen"]
    assert signals["hidden_text"] == 0


def test_comments_are_removed_and_counted_and_an_unclosed_one_ends_the_text() -> None:
    text, signals = readable("a<!-- one -->b<!--[if mso]>two<![endif]-->c<!-- open d")
    assert text == "abc"
    assert signals["html_comments"] == 3


def test_cited_blocks_become_cited_lines() -> None:
    text, _ = readable("Yes, ok.<div>On Mon, A wrote:<blockquote type=cite>Is it ok?</blockquote></div>")
    assert text.splitlines() == ["Yes, ok.", "On Mon, A wrote:", "> Is it ok?"]


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<!--",
        "<a ",
        "<![CDATA[",
        "</",
        "<div>",
        "<table><tr><td>x",
        "<blockquote type=cite>x",
        "<a b='",
        "&#1",
        "<style>",
    ],
)
def test_hostile_markup_takes_linear_time(unit: str) -> None:
    started = time.monotonic()
    readable((unit * 200_000)[:200_000])
    assert time.monotonic() - started < 8
