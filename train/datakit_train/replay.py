"""Replay: general lines in every epoch, so that what the model knew is trained along with what is new."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datakit.errors import UsageError
from datakit.line_sets import data_dir_of, find_sets, read_lines
from datakit.mix import Mix, Source, draws_of
from datakit.mix.guide import guide_ratios


def _lines(source: Source) -> int:
    return len(read_lines(source.label_file)[0])


def with_replay(mix: Mix, files: Sequence[Path]) -> Mix:
    """``mix`` with ``files`` as general sources at one ratio, such that domain to general is about 1:1.

    A general set much smaller than the domain is repeated four times and no more, as ``datakit mix`` does.

    Raises:
        UsageError: no line of ``mix`` or of ``files`` can be used, or the mix has general lines already.
        InputError: a label file cannot be read.
    """
    if not files:
        return mix
    if any(source.kind == "general" for source in mix.sources):
        raise UsageError("--replay: the mix has general lines already; add these to it with datakit mix")
    general = [
        Source(found, data_dir_of(found), "general", 1.0) for file in files for found in find_sets(file)
    ]
    lines = sum(map(_lines, general))
    drawn = sum(draws_of(_lines(source), source.ratio) for source in mix.sources)
    if not lines or not drawn:
        raise UsageError("--replay: no line can be used, on one side or the other")
    ratio = round(guide_ratios({"domain": drawn, "general": lines})["general"], 6)
    return Mix((*mix.sources, *(Source(s.label_file, s.data_dir, s.kind, ratio) for s in general)))
