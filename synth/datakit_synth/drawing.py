"""Sample i of a run: a text set in type or in pictures of characters, or two real crops side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datakit_synth.join_plan import JoinBook
from datakit_synth.joining import JPEG_QUALITY, join_files, joined_params
from datakit_synth.layout import LineMask
from datakit_synth.render import Rendered, Renderer, sample_rng


def draw_sample(renderer: Renderer, index: int, text: str) -> Rendered:
    """Picture ``index`` of the renderer's run, whose text is ``text``.

    Raises:
        InputError: nothing covers ``text``, or a real crop cannot be read any more.
    """
    book = renderer.job.source
    if isinstance(book, JoinBook):
        return _joined(book, index, renderer.job.seed)
    return renderer.render(text, sample_rng(renderer.job.seed, index))


def _joined(book: JoinBook, index: int, seed: int) -> Rendered:
    names, root = book.pairs[index], Path(book.root)
    done = join_files(root / names[0], root / names[1], sample_rng(seed, index))
    # Where the ink is, nobody knows: these pixels are real.
    unknown = np.zeros(done.image.shape[:2], np.uint8)
    return Rendered(done.image, JPEG_QUALITY, joined_params(names, done), unknown, LineMask(unknown, ()))
