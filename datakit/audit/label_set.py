"""A label file on its way through an audit: what it is, its bytes, and what has been counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from datakit.audit.chunks import PADDING, Chunk, read_again, read_chunks
from datakit.audit.inputs.source import LabelSource, SourceKind
from datakit.audit.pair_index import Batch, Line
from datakit.audit.tally import Tally
from datakit.labels import STDIN, LabelFault, Task, det_entry, rec_entry, sniff_task
from datakit.lmdb_set import scan_lmdb

Entry = Line | LabelFault


def label_source(
    given: str | Path | LabelSource, task: Task | None, data_dir: str | Path | None
) -> LabelSource:
    """What a label file is audited as; a source that is one already stays as it is."""
    if isinstance(given, LabelSource):
        return given
    file = str(given)
    own = Path() if file == STDIN else Path(file).parent
    return LabelSource(file, task or sniff_task(file), Path(data_dir) if data_dir is not None else own)


@dataclass(slots=True)
class LabelSet:
    """One source, opened (``stream`` is None for an LMDB set), and the sums over its lines.

    ``seed`` is the number of its folder: files of one folder share it.
    """

    number: int
    source: LabelSource
    stream: BinaryIO | None
    seed: int
    tally: Tally = field(default_factory=lambda: Tally(cap=0))

    @property
    def file(self) -> str:
        """As given."""
        return self.source.file

    @property
    def kind(self) -> SourceKind:
        """Lines of a file, or samples of an LMDB set."""
        return self.source.kind

    @property
    def data_dir(self) -> str:
        """What paths are relative to."""
        return str(self.source.data_dir)

    def size(self) -> int:
        """The bytes of a file."""
        return 0 if self.stream is None else self.stream.seek(0, 2)

    def chunks(self, size: int | None = None) -> Iterator[Chunk]:
        """The lines of a file, from its start; ``size`` as in ``read_chunks``."""
        if self.stream is None:
            return iter(())
        self.stream.seek(0)
        return read_chunks(self.stream, self.file, size)

    def entry(self, number: int, raw: bytes) -> Entry:
        """What one line of the file is."""
        return (rec_entry if self.source.task == "rec" else det_entry)(self.file, number, raw)

    def entries(self, chunk: Chunk) -> list[Entry]:
        """What every line of a chunk is."""
        return [self.entry(number, raw) for number, raw in chunk.lines()]

    def samples(self) -> Iterator[Entry]:
        """The samples of an LMDB set."""
        return scan_lmdb(self.file)

    def again(self, batch: Batch, numbers: Sequence[int]) -> Iterator[Line]:
        """Read lines of a batch once more, those that are usable."""
        if self.stream is None:
            wanted = set(numbers)
            found: Iterator[Entry] = (entry for entry in self.samples() if entry.line in wanted)
        else:
            chunk = read_again(self.stream, self.file, batch.offset, batch.size, batch.first)
            found = self._lines_of(chunk, numbers)
        for entry in found:
            if not isinstance(entry, LabelFault):
                yield entry

    def _lines_of(self, chunk: Chunk, numbers: Sequence[int]) -> Iterator[Entry]:
        ends = chunk.ends()
        for number in numbers:
            index = number - chunk.first
            start = int(ends[index - 1]) + 1 if index else 0
            yield self.entry(number, chunk.raw(start, int(ends[index])))


def size_of(chunk: Chunk) -> int:
    """The bytes of a chunk without its padding."""
    return len(chunk.data) - PADDING
