"""Exports a recogniser: every form is written beside, checked, and only then put in its place."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datakit.charset import SPACE, write_charset
from datakit.errors import DatakitError, InputError, OutputError, UsageError
from datakit.files import Manifest, atomic_write, read_manifest, sha256_file, write_manifest
from datakit_train.export.inference import write_inference
from datakit_train.export.onnx_graph import find_template, write_onnx
from datakit_train.export.parity import (
    LIMIT,
    Parity,
    Picture,
    compare,
    inference_runner,
    load_pictures,
    trained_runner,
)
from datakit_train.export.pdparams import write_pdparams
from datakit_train.forward import Run, onnx_runner
from datakit_train.recognizer import Recognizer, find_model, load_recognizer
from datakit_train.weights.pdparams import read_pdparams
from datakit_train.weights.store import DESCRIPTION

FORMATS = ("paddle", "pdparams", "onnx")
COMMAND = "export"
_ONNX, _PDPARAMS, _INFERENCE, _DICT = "model.onnx", "model.pdparams", "inference", "dict.txt"


class ParityError(DatakitError):
    """An exported model reads otherwise than the trained one."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Exported:
    """The folder, its files (relative, in order) and what the checks said."""

    folder: Path
    files: tuple[str, ...]
    parity: tuple[Parity, ...]


def export(
    model: str | Path,
    out: Path,
    *,
    formats: Sequence[str] = FORMATS,
    labels: Path | None = None,
    data_dir: Path | None = None,
    limit: int = LIMIT,
    template: Path | None = None,
    say: Callable[[str], None] = lambda _line: None,
) -> Exported:
    """Write ``model`` to ``out``; every form is read back and has to read the same text.

    Args:
        model: name of a pulled recogniser or folder of a trained one.
        out: folder; an earlier export there is replaced as a whole, anything else is refused.
        formats: of :data:`FORMATS`.
        labels: label file with pictures to compare on; without it, the fixed probe picture alone.
        data_dir: root of its paths; default: its folder.
        limit: how many pictures of it, at most.
        template: ONNX file to write into; default: the pulled one.
        say: told what is done.

    Raises:
        ParityError: a form reads a picture otherwise; ``out`` is as it was.
        UsageError: an unknown format, or onnxruntime is missing.
        OutputError: ``out`` holds something else, or cannot be written.
    """
    if not formats or (unknown := [form for form in formats if form not in FORMATS]):
        raise UsageError(f"--formats {unknown[0] if formats else ''!r} is not of {', '.join(FORMATS)}")
    _require_own(out)
    folder = find_model(model)
    recognizer = load_recognizer(folder)
    graph = find_template(recognizer, template) if "onnx" in formats else None
    pictures = load_pictures(labels, recognizer.height, data_dir, limit)
    inputs = [folder / DESCRIPTION, *([labels] if labels else []), *([graph] if graph else [])]
    manifest = Manifest.begin(COMMAND, {"model": model, "formats": list(formats)}, inputs=inputs)
    staged = out.absolute().with_name(f".{out.name}.datakit-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        _write(staged, recognizer, formats, graph, say)
        parity = _check(staged, recognizer, formats, pictures, say)
        files = tuple(sorted(str(p.relative_to(staged)) for p in staged.rglob("*") if p.is_file()))
        counts = {"files": len(files), "pictures": len(pictures), "classes": recognizer.charset.num_classes}
        _describe(staged, parity, files)
        write_manifest(staged, manifest.ended("done", counts))
        _publish(staged, out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Exported(out, files, parity)


def _require_own(out: Path) -> None:
    """Refuse to replace what no export wrote."""
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir() or out.is_symlink():
        raise OutputError(f"{out}: is there and no folder")
    if not any(out.iterdir()):
        return
    try:
        command = read_manifest(out).command
    except InputError:
        command = ""
    if command != COMMAND:
        raise OutputError(f"{out}: holds something that is no export; choose another --out")


def _write(
    folder: Path,
    recognizer: Recognizer,
    formats: Sequence[str],
    graph: Path | None,
    say: Callable[[str], None],
) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror})") from error
    use_space = recognizer.charset.chars[-1:] == (SPACE,)
    write_charset(folder / _DICT, recognizer.charset, use_space_char=use_space)
    if "pdparams" in formats:
        say(f"writing {_PDPARAMS}")
        state = {name: value.numpy() for name, value in recognizer.network.state_dict().items()}
        write_pdparams(folder / _PDPARAMS, state)
    if graph is not None:
        say(f"writing {_ONNX} into the graph of {graph}")
        write_onnx(folder / _ONNX, recognizer, graph)
    if "paddle" in formats:
        say(f"writing {_INFERENCE}/")
        write_inference(folder / _INFERENCE, recognizer)


def _check(
    folder: Path,
    recognizer: Recognizer,
    formats: Sequence[str],
    pictures: Sequence[Picture],
    say: Callable[[str], None],
) -> tuple[Parity, ...]:
    trained = trained_runner(recognizer)
    runners: dict[str, Callable[[], Run]] = {
        "paddle": lambda: inference_runner(folder / _INFERENCE),
        "pdparams": lambda: _reread(folder / _PDPARAMS, recognizer),
        "onnx": lambda: onnx_runner(folder / _ONNX),
    }
    results = []
    for form in formats:
        result = compare(form, trained, runners[form](), recognizer, pictures)
        say(describe(result))
        results.append(result)
    wrong = [result for result in results if not result.same]
    if wrong:
        first = wrong[0].differences[0]
        raise ParityError(
            f"{wrong[0].form} reads {len(wrong[0].differences)} of {wrong[0].pictures} pictures otherwise; "
            f"{first.image}: {first.exported!r} instead of {first.trained!r}. Nothing was written"
        )
    return tuple(results)


def _reread(path: Path, recognizer: Recognizer) -> Run:
    """A second network, filled from the file by the restricted reader."""
    from datakit_train.architectures import build_network
    from datakit_train.recognizer import load_tensors

    network = build_network(recognizer.architecture, recognizer.charset.num_classes)
    load_tensors(network, read_pdparams(path))
    network.eval()
    return trained_runner(
        Recognizer(
            network, recognizer.charset, recognizer.architecture, recognizer.source, recognizer.licence
        )
    )


def describe(parity: Parity) -> str:
    """One line."""
    same = parity.pictures - len(parity.differences)
    return (
        f"{parity.form}: {same} of {parity.pictures} same text, max softmax difference {parity.largest:.2e}"
    )


def _describe(folder: Path, parity: Sequence[Parity], files: Sequence[str]) -> None:
    document: dict[str, Any] = {
        "schema_version": 1,
        "files": {name: sha256_file(folder / name) for name in files},
        "parity": [asdict(result) for result in parity],
    }
    atomic_write(folder / "export.json", json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def _publish(staged: Path, out: Path) -> None:
    """Put the finished folder in its place; an older export goes once the new one is there."""
    old = staged.with_name(staged.name + "-old")
    try:
        if out.exists():
            out.rename(old)
        staged.rename(out)
    except OSError as error:
        if old.exists() and not out.exists():
            old.rename(out)
        raise OutputError(f"{out}: cannot be put in place ({error.strerror})") from error
    finally:
        if out.exists():
            shutil.rmtree(old, ignore_errors=True)
