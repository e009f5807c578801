"""Splitting label files for training, validation and test, so that what belongs together stays together."""

from datakit.split.output import format_split, split_document, write_split
from datakit.split.plan import Share, Split, share, split_labels
from datakit.split.read import SplitLine, read_lines

__all__ = [
    "Share",
    "Split",
    "SplitLine",
    "format_split",
    "read_lines",
    "share",
    "split_document",
    "split_labels",
    "write_split",
]
