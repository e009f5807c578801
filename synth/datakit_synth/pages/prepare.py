"""All that is known before a page is drawn: texts, fonts, photos, the job, and what identifies the run."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from datakit.effects import check_preset
from datakit.errors import InputError
from datakit.files import Manifest, library_versions, sha256_file
from datakit_corpora import TEMPLATES, Template, find_templates, read_corpus
from datakit_fonts import CoverageIndex, find_fonts, font_sha256
from datakit_synth.assemble import texts_sha256
from datakit_synth.backgrounds import check_grounds, find_photos
from datakit_synth.identity import BYTE_LIBRARIES
from datakit_synth.pages.render import PageJob, PageRenderer
from datakit_synth.pages.request import PageRequest
from datakit_synth.pages.shards import SHARD_PAGES, encode_page
from datakit_synth.prepare import strong_enough
from datakit_synth.texts import Rules

COMMAND = "synth-pages"
# Texts longer than this are cut: a line of a page is joined from shorter ones.
MAX_LENGTH = 40
MOST_TEXTS = 20_000
_TEXTS_A_TEMPLATE = 200
_SAMPLE = 6


@dataclass(frozen=True, slots=True)
class PreparedPages:
    """``warnings`` name fonts and photos that were set aside; ``refused``: texts not used, by reason."""

    request: PageRequest
    job: PageJob
    warnings: tuple[str, ...]
    refused: dict[str, int]

    def fingerprint(self) -> str:
        """What decides the bytes of the run; paths do not count."""
        job = asdict(self.job)
        versions = library_versions()
        document = {
            **{name: value for name, value in job.items() if name not in ("texts", "faces", "photos")},
            "count": self.request.count,
            "texts": texts_sha256(self.job.texts),
            "faces": [(face.index, face.name, font_sha256(face.path)) for face in self.job.faces],
            "photos": [sha256_file(path) for path in self.job.photos],
            "layout": SHARD_PAGES,
            "versions": [versions.get(name) for name in BYTE_LIBRARIES],
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

    def manifest(self) -> Manifest:
        """The manifest of the run that begins."""
        request, job = self.request, self.job
        arguments = {
            "fingerprint": self.fingerprint(),
            "pages": request.count,
            **{name: getattr(job, name) for name in ("size", "lines", "backgrounds", "presets", "layouts")},
            "illegible": job.illegible,
            "photos": request.photos,
            "texts": len(job.texts),
            "texts_sha256": texts_sha256(job.texts),
            "texts_refused": self.refused,
            "fonts": [{**asdict(face), "sha256": font_sha256(face.path)} for face in job.faces],
            "warnings": self.warnings,
        }
        return Manifest.begin(COMMAND, arguments, seed=job.seed, inputs=request.corpora)


def prepare_pages(request: PageRequest, *, seed: int = 0) -> PreparedPages:
    """Find texts, fonts and photos.

    Raises:
        InputError: no usable font, no usable text, an unreadable corpus, no background photo.
        UsageError: a request that makes no sense.
    """
    request.check()
    for preset in request.presets:
        check_preset(preset)
    photos, broken_photos = find_photos(request.photos) if request.photos else ((), ())
    check_grounds(request.backgrounds, photos)
    catalogue = find_fonts(request.fonts).require()
    faces = strong_enough(catalogue.faces)
    rules = Rules(CoverageIndex(faces), request.charset, MAX_LENGTH)
    texts = _texts(request, rules, Random(f"pages:{seed}"))
    aside = (*catalogue.broken, *rules.index.broken)
    broken = {font.path for font in rules.index.broken}
    job = PageJob(
        seed,
        request.size,
        request.lines,
        texts,
        tuple(face for face in faces if face.path not in broken),
        request.backgrounds,
        photos,
        request.presets,
        request.layouts,
        request.illegible,
    )
    warnings = (*(font.reason for font in aside), *broken_photos)
    return PreparedPages(request, job, warnings, dict(rules.refused))


def _texts(request: PageRequest, rules: Rules, rng: Random) -> tuple[str, ...]:
    """At most :data:`MOST_TEXTS` usable texts, each once."""
    found: dict[str, None] = {}
    for path in request.corpora:
        found.update(dict.fromkeys(rules.usable(read_corpus(path))))
    templates = find_templates(request.templates)
    if not (request.corpora or templates):
        templates = list(TEMPLATES.values())
    found.update(dict.fromkeys(rules.usable(_made(templates, rng))))
    texts = list(found)
    if not texts:
        reasons = ", ".join(f"{count} {reason}" for reason, count in rules.refused.most_common())
        raise InputError(f"no text can be rendered ({reasons or 'the corpora are empty'})")
    return tuple(texts if len(texts) <= MOST_TEXTS else rng.sample(texts, MOST_TEXTS))


def _made(templates: Sequence[Template], rng: Random) -> list[str]:
    return [template.make(rng) for template in templates for _ in range(_TEXTS_A_TEMPLATE)]


def estimate_pages(prepared: PreparedPages) -> dict[str, Any]:
    """What the run will take, judged by a few pages drawn in memory; CPU seconds of one worker."""
    renderer = PageRenderer(prepared.job)
    count = min(_SAMPLE, prepared.request.count)
    renderer.render(0)
    began, size, boxes, ignored = time.process_time(), 0, 0, 0
    for index in range(count):
        page = renderer.render(index)
        size += len(encode_page(page))
        boxes += len(page.boxes)
        ignored += sum(box.ignored for box in page.boxes)
    share = prepared.request.count / count
    return {
        "pages": prepared.request.count,
        "sample": count,
        "lines": round(boxes * share),
        "ignored": round(ignored * share),
        "bytes": round(size * share),
        "seconds": (time.process_time() - began) * share,
    }
