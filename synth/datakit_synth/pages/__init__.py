"""Synthetic pages for detection: lines laid out, boxes exact, illegible lines labelled ``###``.

``synthesize_pages(request, out)`` draws a :class:`PageRequest`; ``prepare_pages`` only looks for texts
and fonts.
"""

from __future__ import annotations

from datakit_synth.pages.prepare import PreparedPages, estimate_pages, prepare_pages
from datakit_synth.pages.render import Page, PageJob, PageRenderer
from datakit_synth.pages.request import PageRequest
from datakit_synth.pages.run import PagesResult, synthesize_pages

__all__ = [
    "Page",
    "PageJob",
    "PageRenderer",
    "PageRequest",
    "PagesResult",
    "PreparedPages",
    "estimate_pages",
    "prepare_pages",
    "synthesize_pages",
]
