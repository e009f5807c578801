"""A file and ``-o`` overrides into a PaddleConfig."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datakit.errors import InputError
from datakit.paddleocr_config.build import build
from datakit.paddleocr_config.check import check_keys
from datakit.paddleocr_config.document import MAX_BYTES, parse_yaml
from datakit.paddleocr_config.overrides import apply_overrides
from datakit.paddleocr_config.tree import PaddleConfig


def load_config(
    path: str | Path, overrides: Sequence[str] = (), *, folder: Path | None = None
) -> PaddleConfig:
    """Read a PaddleOCR recognition configuration.

    Args:
        path: the YAML.
        overrides: ``Global.epoch_num=10`` and the like, over the values of the file.
        folder: where relative paths start; the working folder, as in PaddleOCR. Nothing is looked up there
            yet: :func:`datakit.paddleocr_config.require_files` does.

    Raises:
        InputError: not there, not YAML, unsafe YAML, an unknown key (all are named), a senseless value.
        UsageError: an override that makes no sense.
    """
    path = Path(path)
    document = parse_yaml(_read(path), path)
    overridden = apply_overrides(document, overrides) if isinstance(document, dict) else ()
    return config_of(document, path=path, folder=folder, overridden=overridden)


def config_of(
    document: Mapping[str, Any], *, path: Path, folder: Path | None = None, overridden: tuple[str, ...] = ()
) -> PaddleConfig:
    """The configuration of a document that was read already.

    Raises:
        InputError: an unknown key or a senseless value.
    """
    notes = check_keys(document, path)
    return build(document, path, (folder or Path.cwd()).absolute(), overridden, notes)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            # One more than the limit, so that what is too long is seen and not read.
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        where = "" if path.is_absolute() else f"; looked in {Path.cwd()}"
        raise InputError(f"cannot be read ({error.strerror}){where}", file=path) from error
