"""The mix as PaddleOCR wants it: one data_dir, a label_file_list, a ratio_list of at most 1 each.

PaddleOCR takes ``random.sample(lines, round(len(lines) * ratio))``, which fails above 1, and has one
``data_dir`` for all files. So a ratio of 2.3 becomes three entries, and label files are written anew
relative to the folder that all sources share. Lines that no loader can use are left out, so that its counts
are the printed ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from datakit.files import atomic_open, atomic_write
from datakit.labels import LabelFault
from datakit.mix.draws import split_ratio
from datakit.mix.moved import common_folder, moved_lines
from datakit.mix.sources import Mix, Source


@dataclass(frozen=True, slots=True)
class PaddleLists:
    """What was written: paths to put into a PaddleOCR configuration, and the lines that were left out."""

    config: Path
    data_dir: Path
    label_file_list: tuple[str, ...]
    ratio_list: tuple[float, ...]
    left_out: tuple[LabelFault, ...]


def paddleocr_lists(mix: Mix) -> tuple[list[str], list[float]]:
    """``label_file_list`` and ``ratio_list`` of the mix, files as they are; ratio 0 gives no entry."""
    entries = [(str(source.label_file), term) for source in mix.sources for term in split_ratio(source.ratio)]
    return [file for file, _ in entries], [term for _, term in entries]


def _write_source(source: Source, path: Path, data_dir: Path, *, allow_outside: bool) -> list[LabelFault]:
    left_out = []
    with atomic_open(path, "wb") as stream:
        for line in moved_lines(source.label_file, source.data_dir, data_dir, allow_outside=allow_outside):
            if isinstance(line, LabelFault):
                left_out.append(line)
            else:
                stream.write(line)
    return left_out


def write_paddleocr_lists(mix: Mix, out: Path, *, allow_outside: bool = False) -> PaddleLists:
    """Write ``out/paddleocr_train.yml`` and ``out/labels/*.txt``; the YAML is the ``Train.dataset`` of a
    configuration.

    Paths in the YAML are absolute, since PaddleOCR starts them at its own working folder.

    Raises:
        InputError: a label file cannot be read.
        OutputError: a file cannot be written.
    """
    data_dir = common_folder([source.data_dir for source in mix.sources])
    folder = out / "labels"
    left_out: list[LabelFault] = []
    files: list[str] = []
    ratios: list[float] = []
    for number, source in enumerate(mix.sources, start=1):
        path = folder / f"{number:02d}_{source.kind}_{source.label_file.stem}.txt"
        left_out += _write_source(source, path, data_dir, allow_outside=allow_outside)
        terms = split_ratio(source.ratio)
        files += [str(path.resolve())] * len(terms)
        ratios += terms
    dataset = {"data_dir": str(data_dir), "label_file_list": files, "ratio_list": ratios}
    config = out / "paddleocr_train.yml"
    atomic_write(config, yaml.safe_dump({"Train": {"dataset": dataset}}, sort_keys=False, allow_unicode=True))
    return PaddleLists(config, data_dir, tuple(files), tuple(ratios), tuple(left_out))
