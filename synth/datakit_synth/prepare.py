"""All that is known before anything is drawn: fonts, photos, the plan, the job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datakit.effects import check_preset
from datakit.errors import UsageError
from datakit_fonts import BrokenFont, CoverageIndex, FontFace, find_fonts
from datakit_synth.backgrounds import check_grounds, find_photos
from datakit_synth.plan import Plan, make_plan
from datakit_synth.render import RenderJob
from datakit_synth.request import SynthRequest
from datakit_synth.texts import Rules

# Strokes of faces lighter than this vanish at line height 32.
MIN_WEIGHT = 300


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known before anything is drawn; ``warnings`` name fonts and photos that were set aside."""

    plan: Plan
    job: RenderJob
    warnings: tuple[str, ...]


def prepare(request: SynthRequest, *, seed: int = 0) -> Prepared:
    """Find fonts and photos and plan; impossible characters stand in the plan and raise nothing yet.

    Raises:
        InputError: no usable font, an unreadable corpus, no background photo.
        UsageError: a request that makes no sense.
    """
    request.check()
    for preset in request.presets:
        check_preset(preset)
    if not request.presets:
        raise UsageError("no preset is chosen")
    photos, broken_photos = find_photos(request.photos) if request.photos else ((), ())
    check_grounds(request.backgrounds, photos)
    catalogue = find_fonts(request.fonts).require()
    faces = strong_enough(catalogue.faces)
    rules = Rules(CoverageIndex(faces), request.charset, request.limit, keep_spaces=request.keep_spaces)
    plan = make_plan(request, rules, seed)
    broken = {font.path for font in rules.index.broken}
    kept = tuple(face for face in faces if face.path not in broken)
    job = RenderJob(seed, kept, request.backgrounds, photos, request.presets, request.heights, request.looks)
    aside: tuple[BrokenFont, ...] = (*catalogue.broken, *rules.index.broken)
    return Prepared(plan, job, (*(font.reason for font in aside), *broken_photos))


def strong_enough(faces: Sequence[FontFace]) -> tuple[FontFace, ...]:
    """The faces of at least :data:`MIN_WEIGHT`, or all of them where there is none."""
    strong = tuple(face for face in faces if face.axes or face.weight >= MIN_WEIGHT)
    return strong or tuple(faces)
