"""Draw, read, count: the recall of every character of a model's dictionary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from datakit.badcases.alignment import align
from datakit.errors import InputError, UsageError
from datakit.probe.report import CharacterRecall, ProbeReport
from datakit.probe.texts import probe_texts
from datakit.progress import Progress

if TYPE_CHECKING:
    from datakit_fonts import FontFace
    from datakit_synth.render import Renderer, RenderJob
    from datakit_train.recognizer import Recognizer

# Faces lighter than this are drawn by nobody and vanish at line height 48.
MIN_WEIGHT = 300
HEIGHTS = (44, 56)
_BATCH_WIDTH = 32 * 320
# Pictures that wait for a batch of their width: memory stays flat over a dictionary of any size.
_WAITING = 2_000

Pair = tuple[str, str]


def probe(
    model: str | Path | Recognizer = "ppocrv3-rec",
    *,
    chars: Iterable[str] | None = None,
    lines: int = 6,
    fonts: Sequence[str | Path] = (),
    preset: str = "clean",
    seed: int = 0,
    progress: bool = False,
) -> ProbeReport:
    """Draw every character of ``chars`` (default: the dictionary) in ``lines`` lines, and read them.

    Fonts are drawn at random among those that cover a line (as ``datakit synth`` does), on plain ground with
    the effects of ``preset``. A character that no font covers, that is not in the model's dictionary or
    that has no ink is named in ``not_probed``. The same arguments and fonts give the same figures.

    Raises:
        InputError: no usable font, the model is not there, no character is left to probe.
        UsageError: an unknown preset, fewer than one line.
    """
    from datakit.effects import check_preset
    from datakit_fonts import CoverageIndex, find_fonts
    from datakit_synth.render import Renderer, RenderJob
    from datakit_train.recognizer import Recognizer, load_recognizer

    if lines < 1:
        raise UsageError(f"lines {lines}: at least 1")
    check_preset(preset)
    faces = _strong(find_fonts(fonts).require().faces)
    recognizer = model if isinstance(model, Recognizer) else load_recognizer(model)
    index = CoverageIndex(faces)
    wanted = list(dict.fromkeys(recognizer.charset.chars if chars is None else chars))
    refused = _refused(wanted, recognizer, index.mask)
    probed = [char for char in wanted if char not in refused]
    if not probed:
        reasons = ", ".join(sorted(set(refused.values()))) or "none was given"
        raise InputError(f"no character is left to probe: {reasons}")
    texts = list(probe_texts(probed, lines, lambda text: bool(index.mask(text)), Random(f"probe:{seed}")))
    broken = {font.path for font in index.broken}
    job = RenderJob(
        seed, tuple(face for face in faces if face.path not in broken), ("plain",), (), (preset,), HEIGHTS
    )
    renderer, counts = Renderer(job), _Counts()
    with Progress(len(texts), "probe", enabled=progress) as bar:
        for text, read in _read(recognizer, _drawn(renderer, texts, job, recognizer.height), bar):
            counts.add(text, read)
    settings = {"lines": lines, "preset": preset, "seed": seed, "drawn": len(texts)}
    families = tuple(sorted({face.family for face in job.faces}))
    return ProbeReport(str(recognizer.source), counts.table(probed), refused, families, settings)


def _strong(faces: Sequence[FontFace]) -> tuple[FontFace, ...]:
    return tuple(face for face in faces if face.axes or face.weight >= MIN_WEIGHT) or tuple(faces)


def _refused(chars: Sequence[str], recognizer: Recognizer, mask: Any) -> dict[str, str]:
    """The characters that cannot be probed, with the reason."""
    reasons: dict[str, str] = {}
    for char in chars:
        if len(char) != 1:
            reasons[char] = "is not one code point"
        elif char.isspace() or not char.isprintable():
            reasons[char] = "has no ink"
        elif char not in recognizer.charset:
            reasons[char] = "is not in the dictionary"
        elif not mask(char):
            reasons[char] = "no font covers it"
    return reasons


def _drawn(
    renderer: Renderer, texts: Sequence[str], job: RenderJob, height: int
) -> Iterator[tuple[str, int, Any]]:
    """Text, padded width and picture, resized and normalised."""
    from datakit.images import line_width, resize_norm
    from datakit_synth.render import sample_rng

    for number, text in enumerate(texts):
        image = renderer.render(text, sample_rng(job.seed, number)).image
        width = line_width(image.shape[1], image.shape[0], target_height=height)
        yield text, width, resize_norm(image, height, width)


def _read(recognizer: Recognizer, drawn: Iterable[tuple[str, int, Any]], bar: Progress) -> Iterator[Pair]:
    """Text and reading of every picture, in batches of one width."""
    waiting: dict[int, list[tuple[str, Any]]] = defaultdict(list)
    held = 0
    for text, width, picture in drawn:
        waiting[width].append((text, picture))
        held += 1
        if len(waiting[width]) * width >= _BATCH_WIDTH:
            batch = waiting.pop(width)
            held -= len(batch)
            yield from _read_batch(recognizer, batch, bar)
        elif held >= _WAITING:
            for batch in waiting.values():
                yield from _read_batch(recognizer, batch, bar)
            waiting.clear()
            held = 0
    for batch in waiting.values():
        yield from _read_batch(recognizer, batch, bar)


def _read_batch(recognizer: Recognizer, batch: list[tuple[str, Any]], bar: Progress) -> Iterator[Pair]:
    from datakit_train.predict import read_pictures

    read = read_pictures(recognizer, [picture for _, picture in batch])
    bar.advance(len(batch))
    yield from ((text, found) for (text, _), (found, _) in zip(batch, read, strict=True))


@dataclass(slots=True)
class _Counts:
    """Lines of every character, those in which it was read, and what was read in its place."""

    lines: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    instead: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, text: str, read: str) -> None:
        """One line; a character counts as read where all its occurrences are."""
        missed: dict[str, str] = {}
        if text != read:
            for step in align(text, read):
                if step.operation in ("replace", "delete"):
                    missed.setdefault(step.expected, step.read)
        for char in set(text):
            self.lines[char] += 1
            if char in missed:
                self.instead[char][missed[char]] += 1
            else:
                self.found[char] += 1

    def table(self, chars: Sequence[str]) -> tuple[CharacterRecall, ...]:
        """Every one of ``chars``, worst first."""
        rows = (
            CharacterRecall(
                char,
                self.lines[char],
                self.found[char],
                tuple(sorted(self.instead[char].items(), key=lambda item: (-item[1], item[0]))),
            )
            for char in chars
        )
        return tuple(sorted(rows, key=lambda row: (row.recall, row.char)))
