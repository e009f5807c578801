"""All that is known before anything is drawn: fonts, photos, the plan, the job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.effects import check_preset
from datakit.errors import UsageError
from datakit_corpora import read_corpus
from datakit_fonts import BrokenFont, CoverageIndex, FontFace, find_fonts
from datakit_synth.backgrounds import check_grounds, find_photos
from datakit_synth.char_crops import CropBook, CropCoverage, name_missing, read_crops
from datakit_synth.join_plan import any_font_rules, plan_joins
from datakit_synth.looks import NONE
from datakit_synth.plan import Plan, make_plan
from datakit_synth.render import RenderJob
from datakit_synth.request import SynthRequest
from datakit_synth.style import StyleProfile
from datakit_synth.style_files import style_from, style_warnings
from datakit_synth.texts import NO_CROP, NO_FONT, Rules

# Strokes of faces lighter than this vanish at line height 32.
MIN_WEIGHT = 300


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known before anything is drawn; ``warnings`` name fonts and photos that were set aside."""

    plan: Plan
    job: RenderJob
    warnings: tuple[str, ...]


def prepare(request: SynthRequest, *, seed: int = 0) -> Prepared:
    """Find fonts and photos, measure the style, plan; impossible characters stand in the plan, no error yet.

    Raises:
        InputError: no usable font, an unreadable corpus, no background photo, no crop to take a style from.
        UsageError: a request that makes no sense.
    """
    request.check()
    if request.join_real is not None:
        return _prepare_joins(request, request.join_real, seed)
    for preset in request.presets:
        check_preset(preset)
    if not request.presets:
        raise UsageError("no preset is chosen")
    photos, broken_photos = find_photos(request.photos) if request.photos else ((), ())
    check_grounds(request.backgrounds, photos, own=request.style_from is not None)
    catalogue = find_fonts(request.fonts).require()
    faces = strong_enough(catalogue.faces)
    book, broken_crops = _crops(request)
    rules = _rules(request, faces, book)
    plan = make_plan(request, rules, seed)
    broken = {font.path for font in rules.index.broken}
    kept = tuple(face for face in faces if face.path not in broken)
    style = _style(request, seed)
    job = RenderJob(
        seed=seed,
        faces=kept,
        backgrounds=request.backgrounds,
        photos=photos,
        presets=request.presets,
        heights=request.heights,
        looks=request.looks if book is None else (NONE,),
        style=style,
        source=book,
    )
    aside: tuple[BrokenFont, ...] = (*catalogue.broken, *rules.index.broken)
    warnings = (*(font.reason for font in aside), *broken_photos, *broken_crops, *style_warnings(style))
    return Prepared(plan, job, warnings)


def _rules(request: SynthRequest, faces: Sequence[FontFace], book: CropBook | None) -> Rules:
    return Rules(
        CoverageIndex(faces) if book is None else CropCoverage(book),
        request.charset,
        request.limit,
        keep_spaces=request.keep_spaces,
        lack=NO_FONT if book is None else NO_CROP,
    )


def _crops(request: SynthRequest) -> tuple[CropBook | None, tuple[str, ...]]:
    """The pictures of characters that a run is written with, and what was set aside."""
    if request.char_crops is None:
        return None, ()
    book, aside = read_crops(request.char_crops, request.crops_dir)
    missing = name_missing((text for path in request.corpora for text in read_corpus(path)), book)
    return book, (*aside, *filter(None, (missing,)))


def _prepare_joins(request: SynthRequest, labels: Path, seed: int) -> Prepared:
    rules = any_font_rules(request.charset, request.limit)
    plan, book = plan_joins(labels, request.count or 0, rules, data_dir=request.crops_dir, seed=seed)
    # Fonts only set the labels of the contact sheet.
    catalogue = find_fonts(request.fonts)
    job = RenderJob(seed=seed, faces=strong_enough(catalogue.faces), source=book)
    return Prepared(plan, job, ())


def _style(request: SynthRequest, seed: int) -> StyleProfile | None:
    if request.style_from is None:
        return None
    return style_from(request.style_from, data_dir=request.style_data_dir, seed=seed)


def strong_enough(faces: Sequence[FontFace]) -> tuple[FontFace, ...]:
    """The faces of at least :data:`MIN_WEIGHT`, or all of them where there is none."""
    strong = tuple(face for face in faces if face.axes or face.weight >= MIN_WEIGHT)
    return strong or tuple(faces)
