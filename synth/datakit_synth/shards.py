"""A shard of a run: its pictures, its label file, and a marker that says it is whole.

The pictures get their final name when the last one is there; the label file and the marker follow. A killed
run leaves at most unfinished pictures, which the next run of that shard removes.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2

from datakit.effects import warm_preset
from datakit.errors import OutputError
from datakit.executor import Shard, sign_of_life
from datakit.files import atomic_write
from datakit.labels import encode_rec
from datakit_synth.backgrounds import warm_grounds
from datakit_synth.drawing import draw_sample
from datakit_synth.pictures import Add, read_pack, write_folder, write_pack
from datakit_synth.render import Rendered, Renderer, RenderJob, encode

SHARD_LINES = 200
# Parameters whose values are counted for the account of a run, and under which name.
_COUNTED = {"font": "fonts", "preset": "presets", "background": "backgrounds", "look": "looks"}


@dataclass(frozen=True, slots=True)
class ShardJob:
    """What a worker needs beside the texts; ``packed``: one file of pictures instead of a folder."""

    render: RenderJob
    out: str
    packed: bool = False
    keep_params: bool = False


@dataclass(frozen=True, slots=True)
class ShardDone:
    """The account of a finished shard.

    ``redrawn`` lines were drawn again because effects had made them illegible; ``flattened`` grounds lost
    contrast so that the ink could be told from them. ``checksum`` is the CRC-32 of all pictures, end to end.
    ``sizes`` are the bytes of each picture of a pack, () for a folder. ``counts``: lines by font, preset,
    background and look.
    """

    index: int
    lines: int
    bytes: int
    redrawn: int = 0
    flattened: int = 0
    checksum: int = 0
    sizes: tuple[int, ...] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ShardFiles:
    """Where the parts of shard ``index`` of the run in ``out`` lie."""

    out: Path
    index: int

    def _beside(self, suffix: str) -> Path:
        return self.out / "shards" / f"{self.index:05d}{suffix}"

    @property
    def folder(self) -> Path:
        """The folder of picture files."""
        return self.out / "images" / f"{self.index:05d}"

    @property
    def pack(self) -> Path:
        """All pictures in one file."""
        return self._beside(".pack")

    @property
    def labels(self) -> Path:
        """The label file."""
        return self._beside(".txt")

    @property
    def params(self) -> Path:
        """The parameters of every picture, one JSON document a line."""
        return self._beside(".params.jsonl")

    @property
    def marker(self) -> Path:
        """The account; it is written last."""
        return self._beside(".json")


def image_name(index: int) -> str:
    """Path of sample ``index`` inside the output folder, with forward slashes."""
    return f"images/{index // SHARD_LINES:05d}/{index:06d}.jpg"


def shard_labels(index: int, texts: Iterator[str] | list[str] | tuple[str, ...]) -> bytes:
    """What the label file of shard ``index`` holds."""
    first = index * SHARD_LINES
    return b"".join(encode_rec(image_name(first + offset), text) for offset, text in enumerate(texts))


@lru_cache(maxsize=1)
def _renderer(job: RenderJob) -> Renderer:
    return Renderer(job)


def warm_up(presets: tuple[str, ...], backgrounds: tuple[str, ...]) -> None:
    """Make and import what is drawn with, whatever the texts and fonts: a second or two of a worker."""
    for preset in presets:
        warm_preset(preset)
    warm_grounds(backgrounds)


def render_shard(job: ShardJob, shard: Shard) -> ShardDone:
    """Draw and write a shard, whose items are texts; what an earlier, unfinished try left is removed.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
        InputError: a text that no font of the job covers.
    """
    cv2.setNumThreads(1)
    files = ShardFiles(Path(job.out), shard.index)
    account = _Account(shard.index, job.packed, [] if job.keep_params else None)
    try:
        files.marker.unlink(missing_ok=True)
        with _writer(job, files) as add:
            _draw(job, shard, account, add)
    except OSError as error:
        place = files.pack if job.packed else files.folder
        where = f"after {account.lines} pictures, {account.bytes:,} bytes of this shard"
        raise OutputError(f"{place}: cannot be written ({error.strerror}, {where})") from error
    atomic_write(files.labels, shard_labels(shard.index, list(shard.items)))
    if account.params is not None:
        atomic_write(files.params, "".join(account.params))
    done = account.done()
    atomic_write(files.marker, json.dumps(asdict(done)) + "\n")
    return done


def _writer(job: ShardJob, files: ShardFiles) -> AbstractContextManager[Add]:
    return write_pack(files.pack) if job.packed else write_folder(files.folder)


def _draw(job: ShardJob, shard: Shard, account: _Account, add: Add) -> None:
    renderer = _renderer(job.render)
    for offset, text in enumerate(shard.items):
        index = shard.index * SHARD_LINES + offset
        sign_of_life(f"line {index} ({text!r})")
        rendered = draw_sample(renderer, index, text)
        data = encode(rendered)
        add(f"{index:06d}.jpg", data)
        account.add(index, text, rendered, data)


class _Account:
    """Counts what a shard draws."""

    def __init__(self, index: int, packed: bool, params: list[str] | None) -> None:
        self.index, self.params = index, params
        self.lines = self.bytes = self.redrawn = self.flattened = self.checksum = 0
        self._sizes: list[int] | None = [] if packed else None
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in _COUNTED.values()}

    def add(self, index: int, text: str, rendered: Rendered, data: bytes) -> None:
        self.lines += 1
        self.bytes += len(data)
        self.checksum = zlib.crc32(data, self.checksum)
        if self._sizes is not None:
            self._sizes.append(len(data))
        self.redrawn += bool(rendered.params["redrawn"])
        self.flattened += rendered.params["colour"]["flattened"] < 1.0
        for parameter, name in _COUNTED.items():
            self._counts[name].update(_names(parameter, rendered.params))
        if self.params is not None:
            self.params.append(params_line(index, text, rendered))

    def done(self) -> ShardDone:
        return ShardDone(
            index=self.index,
            lines=self.lines,
            bytes=self.bytes,
            redrawn=self.redrawn,
            flattened=self.flattened,
            checksum=self.checksum,
            sizes=tuple(self._sizes or ()),
            counts={name: dict(sorted(counter.items())) for name, counter in self._counts.items()},
        )


def _names(parameter: str, params: dict[str, Any]) -> set[str]:
    """What is counted of a picture: a line in several fonts counts for each of them."""
    parts = {name for _, name, _ in params.get("parts", ())} if parameter == "font" else set()
    return {params[parameter], *parts} - {""}


def params_line(index: int, text: str, rendered: Rendered) -> str:
    """The parameters of a picture as one line of JSON; ``datakit synth --redraw`` draws it from them."""
    document = {"schema_version": 1, "index": index, "image": image_name(index), "text": text}
    document |= {"quality": rendered.quality, "params": rendered.params}
    return json.dumps(document, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: Any) -> Any:
    """numpy's scalars and arrays as JSON has them."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def read_marker(files: ShardFiles) -> ShardDone | None:
    """The account of a shard; None when there is none that can be read."""
    try:
        document = json.loads(files.marker.read_bytes())
        return ShardDone(**{**document, "sizes": tuple(document["sizes"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def read_done(job: ShardJob, index: int, lines: int, *, joined: bool = False) -> ShardDone | None:
    """The account of a shard of ``job`` if all of it is on disk; see :func:`shard_whole`."""
    files = ShardFiles(Path(job.out), index)
    return shard_whole(files, lines, packed=job.packed, params=job.keep_params, joined=joined)


def shard_whole(
    files: ShardFiles, lines: int, *, packed: bool, params: bool, joined: bool = False
) -> ShardDone | None:
    """The account of a shard of ``lines`` lines if all of it is on disk, byte counts included; else None.

    ``joined``: the pictures stand in the joined set already, and are not looked for.
    """
    done = read_marker(files)
    if done is None or done.index != files.index or done.lines != lines or not files.labels.is_file():
        return None
    if params and not files.params.is_file():
        return None
    return done if joined or _all_there(files, done, packed) else None


def _all_there(files: ShardFiles, done: ShardDone, packed: bool) -> bool:
    try:
        if packed:
            return files.pack.stat().st_size == done.bytes == sum(done.sizes)
        sizes = [path.stat().st_size for path in files.folder.iterdir()]
    except OSError:
        return False
    return len(sizes) == done.lines and sum(sizes) == done.bytes


def shard_pictures(out: Path, done: ShardDone) -> Iterator[bytes]:
    """The pictures of a finished shard in order, as bytes.

    Raises:
        OutputError: they are not what was written; the marker is removed, so that the next run draws the
            shard again.
    """
    files = ShardFiles(out, done.index)
    checksum = 0
    try:
        for data in _stored(files, done):
            checksum = zlib.crc32(data, checksum)
            yield data
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be read ({error.strerror})") from error
    if checksum != done.checksum:
        files.marker.unlink(missing_ok=True)
        place = files.pack if done.sizes else files.folder
        raise OutputError(f"{place}: the pictures are damaged (CRC-32); the same command draws them again")


def _stored(files: ShardFiles, done: ShardDone) -> Iterator[bytes]:
    if done.sizes:
        yield from read_pack(files.pack, done.sizes)
        return
    first = done.index * SHARD_LINES
    for index in range(first, first + done.lines):
        yield (files.folder / f"{index:06d}.jpg").read_bytes()
