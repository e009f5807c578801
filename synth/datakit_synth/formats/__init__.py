"""How the pictures of a run lie on disk: files in folders, one LMDB set, or Parquet files.

Whatever the format, a worker writes its own shard (:mod:`.folder` or :mod:`.pack`), and the run joins the
shards once all are there; pictures never travel between processes.
"""

from __future__ import annotations

from datakit.errors import UsageError
from datakit_synth.formats.files_set import FILES
from datakit_synth.formats.format import Format
from datakit_synth.formats.lmdb_joined import LMDB
from datakit_synth.formats.parquet import PARQUET

FORMATS = {"files": FILES, "lmdb": LMDB, "parquet": PARQUET}


def find_format(name: str) -> Format:
    """The format called ``name``, ready for use.

    Raises:
        UsageError: there is none of that name.
        MissingExtraError: it needs a package that is not installed; holds the pip line.
    """
    if name not in FORMATS:
        raise UsageError(f"no format {name!r}: one of {', '.join(FORMATS)}")
    FORMATS[name].require()
    return FORMATS[name]


__all__ = ["FORMATS", "Format", "find_format"]
