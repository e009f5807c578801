"""Lines as displays and needle printers show them: seven segments, and dots of a 5 x 7 matrix.

Both have tables of their own, and only for signs that they show without a doubt: seven segments draw 5 and S,
0 and O, 2 and Z, 8 and B, 1 and I or l alike, so the letters are left out. Any other character is refused.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from datakit.errors import InputError
from datakit_synth.layout import PAD, LineMask, Mask


def _pairs(table: str) -> dict[str, str]:
    """Sign, then what it looks like, parted by white space."""
    fields = table.split()
    return dict(zip(fields[::2], fields[1::2], strict=True))


# Which of the segments a (top), b, c (right), d (bottom), e, f (left), g (middle) are lit.
_LIT = """
0 abcdef 1 bc 2 abged 3 abgcd 4 fgbc 5 afgcd 6 afgedc 7 abc 8 abcdefg 9 abcdfg - g
A abcefg b cdefg C adef c deg d bcdeg E adefg F aefg H bcefg h cefg
J bcde L def n ceg o cdeg P abefg r eg t defg U bcdef u cde
"""
_POINTS = {".": (0.94,), ":": (0.3, 0.7)}
SEGMENTS: dict[str, str] = {" ": "", **_pairs(_LIT)}
SEGMENT_SIGNS = frozenset(SEGMENTS) | frozenset(_POINTS)
# Seven rows from the top, five dots a row as bits. The zero is slashed, so that it is no O.
_ROWS = """
0 0E11131519110E 1 040C040404040E 2 0E11010204081F 3 1F02040201110E 4 02060A121F0202 5 1F101E0101110E
6 0608101E11110E 7 1F010204080808 8 0E11110E11110E 9 0E11110F01020C A 0E11111F111111 B 1E11111E11111E
C 0E11101010110E D 1C12111111121C E 1F10101E10101F F 1F10101E101010 G 0E11101711110F H 1111111F111111
I 0E04040404040E J 0702020202120C K 11121418141211 L 1010101010101F M 111B1515111111 N 11111915131111
O 0E11111111110E P 1E11111E101010 Q 0E11111115120D R 1E11111E141211 S 0F10100E01011E T 1F040404040404
U 1111111111110E V 11111111110A04 W 1111111515150A X 11110A040A1111 Y 1111110A040404 Z 1F01020408101F
- 0000001F000000 . 00000000000C0C : 000C0C000C0C00 / 00010204081000 + 0004041F040400 * 0004150E150400
% 18190204081303 $ 040F140E051E04 # 0A0A1F0A1F0A0A ( 02040808080402 ) 08040202020408 = 00001F001F0000
"""
DOTS: dict[str, bytes] = {" ": bytes(7), **{sign: bytes.fromhex(row) for sign, row in _pairs(_ROWS).items()}}
_SHIFT = 4


def seven_segments(text: str, size: int, thickness: float, ghost: bool) -> tuple[LineMask, Mask | None]:
    """``text`` in segments of ``thickness`` heights, ``size`` px high; with ``ghost`` the unlit ones too.

    Raises:
        InputError: a character that segments cannot show.
    """
    _check(text, SEGMENT_SIGNS, "seven segments")
    cells = [_segment_cell(sign, size, thickness) for sign in text]
    line = _side_by_side(text, cells, gap=round(0.16 * size))
    if not ghost:
        return line, None
    unlit = [
        _segment_cell("8" if sign in SEGMENTS and sign != " " else sign, size, thickness) for sign in text
    ]
    return line, _side_by_side(text, unlit, gap=round(0.16 * size)).mask


def dot_matrix(text: str, size: int, radius: float, square: bool) -> LineMask:
    """``text`` in dots of ``radius`` pitches (0.5 touches the neighbour), ``size`` px high.

    Raises:
        InputError: a character that the table does not hold.
    """
    _check(text, frozenset(DOTS), "the dot matrix")
    return _side_by_side(text, [_dot_cell(sign, size, radius, square) for sign in text], gap=round(size / 7))


def _check(text: str, signs: frozenset[str], look: str) -> None:
    for sign in text:
        if sign not in signs:
            raise InputError(f"{look} cannot show {sign!r} of {text!r}")


def _side_by_side(text: str, cells: list[Mask], gap: int) -> LineMask:
    """Cells of one height from left to right; a mask that begins and ends with its first and last cell."""
    height = cells[0].shape[0]
    width = sum(cell.shape[1] for cell in cells) + gap * (len(cells) - 1)
    mask = np.zeros((height + 2 * PAD, width + 2 * PAD), np.uint8)
    places, x = [], PAD
    for index, (sign, cell) in enumerate(zip(text, cells, strict=True)):
        right = x + cell.shape[1]
        mask[PAD : PAD + height, x:right] = cell
        if sign != " ":
            places.append((index, x, PAD, right, PAD + height))
        x = right + gap
    return LineMask(mask, tuple(places))


@lru_cache(maxsize=2048)
def _segment_cell(sign: str, size: int, thickness: float) -> Mask:
    half = thickness * size / 2
    if sign in _POINTS:
        cell = np.zeros((size, max(3, round(2.6 * half))), np.uint8)
        for level in _POINTS[sign]:
            y = min(level * size, size - 1 - 1.2 * half)
            _polygon(
                cell,
                [
                    (0, y - 1.2 * half),
                    (2.4 * half, y - 1.2 * half),
                    (2.4 * half, y + 1.2 * half),
                    (0, y + 1.2 * half),
                ],
            )
        return cell
    width = round(0.52 * size)
    cell = np.zeros((size, width), np.uint8)
    left, right, top, bottom = half, width - 1 - half, half, size - 1 - half
    middle = (top + bottom) / 2
    ends = {
        "a": (left, top, right, top),
        "b": (right, top, right, middle),
        "c": (right, middle, right, bottom),
        "d": (left, bottom, right, bottom),
        "e": (left, middle, left, bottom),
        "f": (left, top, left, middle),
        "g": (left, middle, right, middle),
    }
    for name in SEGMENTS[sign]:
        _polygon(cell, _segment(*ends[name], half))
    return cell


def _segment(x0: float, y0: float, x1: float, y1: float, half: float) -> list[tuple[float, float]]:
    """A six-cornered bar from joint to joint, pointed at both, with a gap of a tenth of its breadth."""
    gap = 0.2 * half
    if y0 == y1:
        x0, x1 = x0 + gap, x1 - gap
        return [
            (x0, y0),
            (x0 + half, y0 - half),
            (x1 - half, y0 - half),
            (x1, y0),
            (x1 - half, y0 + half),
            (x0 + half, y0 + half),
        ]
    y0, y1 = y0 + gap, y1 - gap
    return [
        (x0, y0),
        (x0 + half, y0 + half),
        (x0 + half, y1 - half),
        (x0, y1),
        (x0 - half, y1 - half),
        (x0 - half, y0 + half),
    ]


def _polygon(cell: Mask, corners: list[tuple[float, float]]) -> None:
    points = np.rint(np.array(corners) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(cell, [points], 255, cv2.LINE_AA, _SHIFT)


@lru_cache(maxsize=2048)
def _dot_cell(sign: str, size: int, radius: float, square: bool) -> Mask:
    pitch = size / 7
    cell = np.zeros((size, round(5 * pitch)), np.uint8)
    for row, bits in enumerate(DOTS[sign]):
        for column in range(5):
            if bits >> (4 - column) & 1:
                x, y, reach = (column + 0.5) * pitch - 0.5, (row + 0.5) * pitch - 0.5, radius * pitch
                if square:
                    _polygon(
                        cell,
                        [
                            (x - reach, y - reach),
                            (x + reach, y - reach),
                            (x + reach, y + reach),
                            (x - reach, y + reach),
                        ],
                    )
                else:
                    centre = (round(x * (1 << _SHIFT)), round(y * (1 << _SHIFT)))
                    cv2.circle(cell, centre, round(reach * (1 << _SHIFT)), 255, -1, cv2.LINE_AA, _SHIFT)
    return cell
