"""A label file that badcases wrote, as a source that mix and finetune take."""

from __future__ import annotations

from datakit.mix import Mix, Source, write_mix


def write_source(source: Source, lines: int) -> None:
    """Write ``source`` as a mix beside its label file, ``x.yaml`` for ``x.txt``; none is left without lines.

    Raises:
        OutputError: it cannot be written.
    """
    path = source.label_file.with_suffix(".yaml")
    if lines:
        write_mix(path, Mix((source,)))
    else:
        path.unlink(missing_ok=True)
