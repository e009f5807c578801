"""Checks on pages that give lines to train on and to measure with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from datakit.audit.check import Check
from datakit.audit.copy_checks import RowFinding
from datakit.audit.picture_table import PictureTable
from datakit.groups import PAGE_RULE, Grouping, page_of

# What the rule has to find before names are believed to tell pages, as "img_0001" is no page "img": so many
# pages on each side, none with more than this share of its lines.
_LEAST_PAGES = 2
_LARGEST_PAGE = 0.5
# Share of the pages of a validation set from which on it was not split by page.
SPLIT_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class SharedPage:
    """A page of a validation set, and how many lines of it are trained on; ``rule`` tells pages apart."""

    page: str
    trained: int
    rule: str


@dataclass(frozen=True, slots=True)
class SharedPages:
    """How many of the pages of a validation set also give lines to train on."""

    shared: int
    pages: int
    rule: str


def shared_page(page: SharedPage) -> Iterator[str]:
    """Pages on both sides."""
    yield f"page {page.page!r} also gives {page.trained} lines to train on (page: {page.rule})"


def not_by_group(pages: SharedPages) -> Iterator[str]:
    """Splits by line."""
    if pages.shared >= SPLIT_SHARE * pages.pages:
        yield f"{pages.shared} of {pages.pages} pages also give lines to train on (page: {pages.rule})"


PAGE_CHECKS: dict[str, Check[SharedPage]] = {
    "leak-page": Check(
        shared_page,
        "warning",
        "Is no page of the validation set trained on?",
        "Lines of one page share font, paper and words: the score says how well this page is known, not how "
        "well the next one will be read.",
        "datakit split --by page",
    ),
}

SPLIT_CHECKS: dict[str, Check[SharedPages]] = {
    "split-not-by-group": Check(
        not_by_group,
        "warning",
        "Was the set split by page?",
        "A split by line puts every page on both sides, and the score comes out too high.",
        "datakit split --by page",
    ),
}


def page_findings(
    table: PictureTable, val_sources: Collection[int], group: Grouping | None = None
) -> Iterator[RowFinding]:
    """A finding for the first line of every shared page, and one for a validation set split by line.

    ``group`` is the rule (see :func:`datakit.groups.grouping`); without one pages are told by their names,
    and by their folders where both sides share one.
    """
    pages = _pages(table, val_sources, group)
    trained = Counter(page for row, page in pages if table.sources[row] not in val_sources)
    rule = PAGE_RULE if group is None else "as asked for"
    for source in sorted(val_sources):
        own = [(row, page) for row, page in pages if table.sources[row] == source]
        if group is None and not (_tells(trained) and _tells(Counter(page for _, page in own))):
            continue
        yield from _of_source(own, trained, rule)


def _of_source(own: list[tuple[int, str]], trained: Counter[str], rule: str) -> Iterator[RowFinding]:
    firsts: dict[str, int] = {}
    for row, page in own:
        firsts.setdefault(page, row)
    shared = [(page, row) for page, row in firsts.items() if trained[page]]
    for page, row in shared:
        for code, check in PAGE_CHECKS.items():
            for message in check.run(SharedPage(page, trained[page], rule)):
                yield RowFinding(code, row, message)
    if shared:
        for code, split in SPLIT_CHECKS.items():
            for message in split.run(SharedPages(len(shared), len(firsts), rule)):
                yield RowFinding(code, shared[0][1], message)


def _pages(
    table: PictureTable, val_sources: Collection[int], group: Grouping | None
) -> list[tuple[int, str]]:
    """(row, page) of every row that has one."""
    if group is not None:
        named = ((row, group(table.images[row], table.texts[row])) for row in range(len(table)))
        return [(row, page) for row, page in named if page is not None]
    pages = [(row, page) for row in range(len(table)) if (page := page_of(table.images[row])) is not None]
    folders: tuple[set[str], set[str]] = (set(), set())
    for row, page in pages:
        folders[table.sources[row] in val_sources].add(page.rpartition("/")[0])
    if folders[0] & folders[1]:
        return pages
    return [(row, page.rpartition("/")[2]) for row, page in pages]


def _tells(pages: Counter[str]) -> bool:
    """Whether these are pages, rather than names that happen to begin alike."""
    return len(pages) >= _LEAST_PAGES and max(pages.values()) <= _LARGEST_PAGE * pages.total()
