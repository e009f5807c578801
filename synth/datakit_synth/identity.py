"""Which run a folder holds: the manifest, and the fingerprint of everything that decides its bytes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from datakit.errors import InputError, OutputError
from datakit.files import (
    LOCK,
    MANIFEST,
    TEMPORARY,
    Manifest,
    library_versions,
    read_manifest,
    sha256_file,
)
from datakit_fonts import Axis, FontFace, font_sha256
from datakit_synth.assemble import texts_sha256
from datakit_synth.char_crops import CropBook, describe
from datakit_synth.prepare import Prepared
from datakit_synth.request import SynthRequest
from datakit_synth.shards import SHARD_LINES

# Libraries whose version decides the bytes of a run.
BYTE_LIBRARIES = ("datakit", "numpy", "opencv-python-headless", "freetype-py", "uharfbuzz", "albumentations")
# Of a render job: what stands in the fingerprint by its content instead of by its name.
_BY_CONTENT = frozenset({"seed", "faces", "photos", "style", "source"})


def fingerprint(prepared: Prepared, layout: str, keep_params: bool) -> str:
    """What decides the bytes of a run; ``layout`` is the name of its format. Paths do not count."""
    job = prepared.job
    versions = library_versions()
    document = {
        "seed": job.seed,
        "texts": texts_sha256(line.text for line in prepared.plan.lines),
        "faces": [(face.index, face.family, face.style, font_sha256(face.path)) for face in job.faces],
        "photos": [sha256_file(path) for path in job.photos],
        "style": None if job.style is None else job.style.digest,
        "looks": {
            field.name: getattr(job, field.name) for field in fields(job) if field.name not in _BY_CONTENT
        },
        "layout": [layout, keep_params, SHARD_LINES],
        "versions": [versions.get(name) for name in BYTE_LIBRARIES],
    }
    if job.source is not None:
        document["source"] = job.source.digest
    text = json.dumps(document, ensure_ascii=True, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def make_manifest(
    request: SynthRequest, prepared: Prepared, *, seed: int, layout: str, keep_params: bool
) -> Manifest:
    """The manifest of a run that begins."""
    faces = prepared.job.faces
    arguments = {
        "fingerprint": fingerprint(prepared, layout, keep_params),
        "format": layout,
        "keep_params": keep_params,
        "lines": len(prepared.plan.lines),
        "texts_sha256": texts_sha256(line.text for line in prepared.plan.lines),
        "plan": prepared.plan.to_dict(),
        "backgrounds": request.backgrounds,
        "photos": request.photos,
        "presets": request.presets,
        "looks": request.looks,
        "heights": request.heights,
        "style": _style(request, prepared),
        "source": _source(request, prepared),
        "max_length": request.max_length,
        "fonts": [{**asdict(face), "sha256": font_sha256(face.path)} for face in faces],
        "warnings": prepared.warnings,
    }
    inputs = [*request.corpora]
    if request.style_from is not None and request.style_from.is_file():
        inputs.append(request.style_from)
    inputs += [
        path for path in (request.join_real, request.char_crops) if path is not None and path.is_file()
    ]
    return Manifest.begin("synth", arguments, seed=seed, inputs=inputs)


def _source(request: SynthRequest, prepared: Prepared) -> dict[str, Any] | None:
    book = prepared.job.source
    if isinstance(book, CropBook):
        return {"kind": "char-crops", "path": request.char_crops, **describe(book)}
    if book is None:
        return None
    return {"kind": "join-real", "path": request.join_real, "root": book.root, "sha256": book.digest}


def _style(request: SynthRequest, prepared: Prepared) -> dict[str, Any] | None:
    profile = prepared.job.style
    if profile is None:
        return None
    return {"labels": request.style_from, "data_dir": request.style_data_dir, **profile.to_dict()}


def manifest_faces(manifest: Manifest) -> tuple[FontFace, ...]:
    """The faces of a run whose font files are on this machine, unchanged."""
    found = []
    for entry in manifest.arguments["fonts"]:
        values = {key: value for key, value in entry.items() if key != "sha256"}
        face = FontFace(**{**values, "axes": tuple(Axis(**axis) for axis in values["axes"])})
        if Path(face.path).is_file() and font_sha256(face.path) == entry["sha256"]:
            found.append(face)
    return tuple(found)


def require_ours(out: Path, wanted: str, command: str = "synth") -> None:
    """``out`` is absent, empty, or holds the run of ``command`` with fingerprint ``wanted``, finished or not.

    Raises:
        OutputError: it holds something else.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out}: is a file, not a folder")
    names = {path.name for path in out.iterdir() if path.name != LOCK and not path.name.startswith(TEMPORARY)}
    if names <= {"slices"}:
        return
    if MANIFEST not in names:
        raise OutputError(
            f"{out}: holds other files ({', '.join(sorted(names)[:3])}); choose an empty folder"
        )
    try:
        found = read_manifest(out)
    except InputError as error:
        raise OutputError(
            f"{out}: holds a manifest that cannot be read; choose an empty folder ({error})"
        ) from error
    if found.command != command or found.arguments.get("fingerprint") != wanted:
        raise OutputError(
            f"{out}: holds another run (command {found.command}, seed {found.seed}): other texts, fonts, "
            "looks, format or library versions; choose an empty folder"
        )
