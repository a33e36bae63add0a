from __future__ import annotations

from collections import Counter

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
        "<style>.x{font-size:0}</style><p class=x>secret</p>",
        "<p style='font-size:1px'>secret</p>",
        "<p style='font:0/0 a'>secret</p>",
        "<p style='color:#fdfdfd'>secret <b>secret</b></p>",
        "<p style='color:transparent'>secret</p>",
        "<p style='opacity:.01'>secret</p>",
        "<div style='position:absolute; left:-9999px'>secret</div>",
        "<blockquote type=cite style='color:#fff'>secret</blockquote>",
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


@pytest.mark.parametrize(
    "markup",
    [
        # as MJML and hybrid layouts close the gaps between columns
        "<table><tr><td style='font-size:0px;padding:20px 0'><div style='font-size:13px'>Late</div></td></tr></table>",
        "<style>.two{font-size:0} .two .in{font-size:14px}</style><div class=two><div class=in>Late</div></div>",
        "<table style='color:#fff'><tr><td style='background:#003366'>Late</td></tr></table>",
        "<div style='color:#fff'><span style='color:#333'>Late</span></div>",
        "<td style='background:#222;background-image:none'><font color=white>Late</font></td>",
        "<td background='x.png'><font color=white>Late</font></td>",
        "<p style='text-indent:-141.6pt'>Late</p>",
    ],
)
def test_what_an_element_inside_makes_visible_again_is_read(markup: str) -> None:
    assert readable(markup) == ("Late", Counter())


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
@pytest.mark.timeout(60)
def test_hostile_markup_takes_linear_time(unit: str) -> None:
    readable((unit * 200_000)[:200_000])
