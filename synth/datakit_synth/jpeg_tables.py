"""The quantisation table of a JPEG file, from its bytes: what says how coarsely it was saved."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_DQT, _START_OF_SCAN = 0xDB, 0xDA
# The luminance table of ITU-T T.81, annex K.1, in ascending order: only its scale is asked for here.
_STANDARD = bytes.fromhex(
    "0a0b0c0c0d0e0e0e10101011121316161818181a1d2325282831333337373838"
    "393a3c3d3e40404445484d4e505157575c5c5f62636465676767686d70717879"
)
_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})


def jpeg_quality(table: Sequence[int]) -> int:
    """The quality, 1 to 100, whose luminance table comes nearest to ``table``; 0 for an empty one.

    The table of the standard is scaled as libjpeg scales it (jcparam.c). Only sums are compared, so that the
    order of the entries does not matter, and tables of other encoders get the quality as coarse as theirs.
    """
    if not table:
        return 0
    wanted = sum(table)
    return min(range(100, 0, -1), key=lambda quality: abs(_SUMS[quality - 1] - wanted))


def _scaled_sum(quality: int) -> int:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return sum(min(255, max(1, (entry * scale + 50) // 100)) for entry in _STANDARD)


_SUMS = tuple(_scaled_sum(quality) for quality in range(1, 101))


def luminance_table(data: bytes) -> tuple[int, ...]:
    """The 64 entries of table 0 in file order; () where there is none or the file ends before it.

    Segments as in ITU-T T.81, annex B.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if kind == 0xFF:
            at += 1
            continue
        if kind in _ALONE:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if kind == _START_OF_SCAN or length < 2:
            return ()
        if kind == _DQT:
            table = _table_zero(data[at + 4 : at + 2 + length])
            if table:
                return table
        at += 2 + length
    return ()


def _table_zero(segment: bytes) -> tuple[int, ...]:
    at = 0
    while at < len(segment):
        wide, number = segment[at] >> 4, segment[at] & 15
        size = 128 if wide else 64
        entries = segment[at + 1 : at + 1 + size]
        if len(entries) < size:
            return ()
        if number == 0:
            return struct.unpack(">64H", entries) if wide else tuple(entries)
        at += 1 + size
    return ()
