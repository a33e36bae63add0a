"""The ruled lines of a form, and the frames that they make: what stands in one frame belongs together."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

Box = tuple[float, float, float, float]

_MERGED, _DASH = 2.0, 6.0  # points: lines so close are one; pieces so close, of one line, go on
_TOUCHES = 3.5  # points between the end of a line and the line that it meets
_NEAR = 2.0  # points that a line may fall short of the text that it is over
_FEWEST_SIDES = 3  # of a frame; the fourth may be the edge of the page


class _Rule(NamedTuple):
    at: float  # across its direction
    first: float
    last: float


class Ruling:
    """Lines given as boxes of next to no width or height. A line that meets no other underlines, and frames nothing."""

    def __init__(self, lines: Iterable[Box]) -> None:
        across: list[_Rule] = []
        down: list[_Rule] = []
        for left, top, right, bottom in lines:
            if right - left >= bottom - top:
                across.append(_Rule((top + bottom) / 2, left, right))
            else:
                down.append(_Rule((left + right) / 2, top, bottom))
        across, down = _merged(across), _merged(down)
        self._across = [rule for rule in across if _meets(rule, down)]
        self._down = [rule for rule in down if _meets(rule, across)]
        self._across_at = [rule.at for rule in self._across]
        self._down_at = [rule.at for rule in self._down]

    def parts(self, left: float, right: float, y: float) -> bool:
        """Whether a line runs down between two places at the height `y`."""
        begin, end = bisect_left(self._down_at, left), bisect_right(self._down_at, right)
        return any(rule.first - _NEAR <= y <= rule.last + _NEAR for rule in self._down[begin:end])

    def frame(self, x: float, y: float) -> Box | None:
        """The frame around a point; None where lines stand on fewer than three of its sides."""
        row, column = bisect_left(self._across_at, y), bisect_left(self._down_at, x)
        over = next((r.at for r in reversed(self._across[:row]) if _covers(r, x)), None)
        under = next((r.at for r in self._across[row:] if _covers(r, x)), None)
        before = next((r.at for r in reversed(self._down[:column]) if _covers(r, y)), None)
        behind = next((r.at for r in self._down[column:] if _covers(r, y)), None)
        if sum(side is not None for side in (over, under, before, behind)) < _FEWEST_SIDES:
            return None
        far = 1e5
        return (
            -far if before is None else before,
            -far if over is None else over,
            far if behind is None else behind,
            far if under is None else under,
        )


def whole_frames(frames: Iterable[Box]) -> dict[Box | None, Box]:
    """For each frame the largest of those that share three sides with it: a frame with a smaller one in its corner."""
    by_size = sorted(frames, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]), reverse=True)
    whole: dict[Box | None, Box] = {}
    largest: dict[tuple[int, tuple[float, ...]], int] = {}  # by the side left out and the others: the place in by_size
    for place, frame in enumerate(by_size):
        threes = [(side, frame[:side] + frame[side + 1 :]) for side in range(4)]
        found = min((largest[three] for three in threes if three in largest), default=place)
        whole[frame] = by_size[found]
        if found == place:
            for three in threes:
                largest.setdefault(three, place)
    return whole


def _covers(rule: _Rule, place: float) -> bool:
    return rule.first - _NEAR <= place <= rule.last + _NEAR


def _meets(rule: _Rule, others: Sequence[_Rule]) -> bool:
    return any(
        rule.first - _TOUCHES <= other.at <= rule.last + _TOUCHES
        and other.first - _TOUCHES <= rule.at <= other.last + _TOUCHES
        for other in others
    )


def _merged(rules: list[_Rule]) -> list[_Rule]:
    """Each line once, the two edges of a thick one and the dashes of a broken one as one; in their order."""
    rows: list[list[_Rule]] = []
    for rule in sorted(rules):
        if rows and rule.at - rows[-1][0].at <= _MERGED:
            rows[-1].append(rule)
        else:
            rows.append([rule])
    found: list[_Rule] = []
    for row in rows:
        pieces = sorted(row, key=lambda rule: rule.first)
        found.append(pieces[0])
        for piece in pieces[1:]:
            if piece.first <= found[-1].last + _DASH:
                found[-1] = found[-1]._replace(last=max(found[-1].last, piece.last))
            else:
                found.append(piece)
    return found
