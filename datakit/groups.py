"""What belongs together in a set: lines of one page, of one folder, of one text.

The page of a crop is read from its name: ``rec/r012_034.jpg`` is a line of ``rec/r012``, what stands before
the last ``_``, ``-`` or ``.`` of the name. A name without one is a page of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from datakit.errors import UsageError

By = Literal["page", "folder", "regex", "text", "none"]
BY: tuple[By, ...] = get_args(By)
PAGE_RULE = "the name up to its last _, - or ."

# Gives the group of a picture path and a text; None where the rule says nothing.
Grouping = Callable[[str, str], str | None]

_NAME = re.compile(r"(?P<folder>.*/)?(?P<page>[^/]*[^/_.-])[_.-]+[^/_.-]*\Z", re.DOTALL)


def page_of(image: str) -> str | None:
    """The page that a crop comes from, with its folder; None if its name does not say."""
    found = _NAME.match(_stem(image))
    return (found["folder"] or "") + found["page"] if found else None


def folder_of(image: str) -> str:
    """The folder of a picture, "" at the root."""
    return image.rpartition("/")[0]


def grouping(by: By, pattern: str | None = None) -> Grouping:
    """The rule that is called ``by``; ``pattern`` belongs to ``regex`` alone.

    The group of a regular expression is its first group, or all it matches; it is searched for in the path.

    Raises:
        UsageError: an unknown rule, a pattern that is none, or is missing, or not asked for.
    """
    if by not in BY:
        raise UsageError(f"--by {by!r} is not known; known are {', '.join(BY)}")
    if (by == "regex") != (pattern is not None):
        raise UsageError("--by regex and a pattern (--pattern REGEX) belong together")
    if pattern is not None:
        return _by_pattern(pattern)
    return _RULES[by]


def _stem(image: str) -> str:
    head, dot, suffix = image.rpartition(".")
    return head if dot and "/" not in suffix and head.rpartition("/")[2] else image


def _by_pattern(pattern: str) -> Grouping:
    try:
        search = re.compile(pattern).search
    except re.error as error:
        raise UsageError(f"--pattern {pattern!r} is no regular expression ({error})") from error

    def group(image: str, _text: str) -> str | None:
        found = search(image)
        return found[1 if found.re.groups else 0] if found else None

    return group


_RULES: Mapping[str, Grouping] = {
    "page": lambda image, _: page_of(image),
    "folder": lambda image, _: folder_of(image),
    "text": lambda _, text: text,
    "none": lambda _image, _text: None,
}
