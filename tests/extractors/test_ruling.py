"""Ruled lines, and the frames that they make."""

from __future__ import annotations

from extractors.ruling import Ruling, whole_frames

BOX = [(10, 10, 110, 10), (10, 60, 110, 60), (10, 10, 10, 60), (110, 10, 110, 60)]  # across, across, down, down


def test_four_lines_frame_what_stands_between_them() -> None:
    ruling = Ruling(BOX)
    assert ruling.frame(50, 30) == (10, 10, 110, 60)
    assert ruling.frame(150, 30) is None, "beside it there is a line on one side only"


def test_a_line_down_the_middle_parts_a_box() -> None:
    ruling = Ruling([*BOX, (60, 10, 60, 60)])
    assert ruling.frame(50, 30) == (10, 10, 60, 60) and ruling.frame(70, 30) == (60, 10, 110, 60)
    assert ruling.parts(55, 65, 30) and not ruling.parts(20, 30, 30) and not ruling.parts(55, 65, 90)


def test_a_line_that_meets_no_other_underlines_and_frames_nothing() -> None:
    ruling = Ruling([*BOX, (20, 40, 80, 40)])
    assert ruling.frame(50, 30) == (10, 10, 110, 60)


def test_dashes_and_the_two_edges_of_a_thick_line_are_one_line() -> None:
    dashes = [(x, 10, x + 8, 11) for x in range(10, 110, 10)]
    ruling = Ruling([*dashes, *BOX[1:], (10, 61, 110, 61)])
    assert ruling.frame(50, 30) == (10, 10.5, 110, 60)


def test_a_frame_with_a_smaller_one_in_its_corner_is_one() -> None:
    large, beside = (10.0, 10.0, 110.0, 60.0), (10.0, 10.0, 80.0, 60.0)
    assert whole_frames([beside, large]) == {large: large, beside: large}
    other = (110.0, 10.0, 210.0, 60.0)
    assert whole_frames([large, other])[other] == other
