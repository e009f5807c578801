"""Defects of every kind, planted into clean label files, with the findings that they have to give.

A plant takes a clean line and gives the bytes of a bad one. Plants of texts put something between two letters
(or at an end), so that several fit on one line and each stays what it is.
"""

from __future__ import annotations

import io
import json
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

Point = tuple[int, int]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Line:
    """A clean recognition line."""

    image: str
    text: str

    @property
    def data(self) -> bytes:
        return f"{self.image}\t{self.text}".encode()


@dataclass(frozen=True)
class Page:
    """A clean detection page; boxes are (text, points)."""

    image: str
    size: tuple[int, int]
    boxes: tuple[tuple[str, tuple[Point, ...]], ...]

    @property
    def data(self) -> bytes:
        return self.with_boxes([box_of(text, points) for text, points in self.boxes])

    def with_boxes(self, boxes: object) -> bytes:
        return f"{self.image}\t{json.dumps(boxes, ensure_ascii=False)}".encode()


def box_of(text, points):
    return {"transcription": text, "points": [list(point) for point in points]}


@dataclass
class Bench:
    """What a plant works with: a generator, a folder for pictures of its own, a clean line that stands
    earlier.
    """

    random: random.Random
    folder: Path
    earlier: Line | Page | None = None
    made: int = field(default=0)

    def name(self, suffix: str = ".png") -> str:
        self.made += 1
        return f"own/{self.made:05d}{suffix}"

    def write(self, data: bytes, suffix: str = ".png") -> str:
        name = self.name(suffix)
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_bytes(data)
        return name

    def picture(self, width: int, height: int, suffix: str = ".png") -> bytes:
        grey = np.random.default_rng(self.random.getrandbits(32)).integers(
            0, 255, (height, width, 3), np.uint8
        )
        return cv2.imencode(suffix, grey)[1].tobytes()


# --- clean sets ---------------------------------------------------------------------------------------------


def words(generator: random.Random, count: int) -> list[str]:
    """Different texts of 6 to 12 letters and digits, without equal neighbours."""
    found: dict[str, None] = {}
    while len(found) < count:
        text = "".join(generator.choice(LETTERS) for _ in range(generator.randint(6, 12)))
        if all(a != b for a, b in pairwise(text)):
            found[text] = None
    return list(found)


def rendered_lines(folder: Path, count: int, seed: int = 0) -> list[Line]:
    """Clean lines with pictures that show their text, dark on light paper with some noise."""
    generator = random.Random(seed)
    (folder / "img").mkdir(parents=True, exist_ok=True)
    lines = []
    for number, text in enumerate(words(generator, count)):
        noise = np.random.default_rng(number).integers(-8, 8, (36, 20 * len(text), 3))
        paper = np.clip(generator.randint(190, 245) + noise, 0, 255).astype(np.uint8)
        cv2.putText(paper, text, (4, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (20, 20, 20), 2, cv2.LINE_AA)
        name = f"img/{number:05d}.jpg"
        assert cv2.imwrite(str(folder / name), paper)
        lines.append(Line(name, text))
    return lines


def rendered_pages(folder: Path, count: int, seed: int = 0) -> list[Page]:
    """Clean pages of 720 x 480 px with six boxes, 40 px high, apart from each other."""
    generator = random.Random(seed)
    (folder / "pages").mkdir(parents=True, exist_ok=True)
    pages = []
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 40, (480, 720, 3))
        paper = (215 + noise).astype(np.uint8)
        boxes = []
        for row, text in enumerate(words(generator, 6)):
            left, top = generator.randint(20, 300), 20 + 75 * row
            right = left + 20 * len(text)
            cv2.putText(paper, text, (left + 4, top + 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2)
            boxes.append((text, rectangle(left, top, right, top + 40)))
        name = f"pages/{number:05d}.jpg"
        assert cv2.imwrite(str(folder / name), paper)
        pages.append(Page(name, (720, 480), tuple(boxes)))
    return pages


def rectangle(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


# --- plants in texts ----------------------------------------------------------------------------------------

Insert = Callable[[random.Random], str]
CONTROLS = [chr(c) for c in (*range(1, 9), *range(14, 28), 127, *range(0x80, 0x85), *range(0x86, 0xA0))]


def one_of(chars) -> Insert:
    return lambda generator: generator.choice(list(chars))


# What goes between two letters, by the check that has to see it.
INSERTS: dict[str, Insert] = {
    "control-character": one_of(CONTROLS),
    "zero-width": one_of("\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e"),
    "bidi-mark": one_of("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
    "wide-space": one_of("\u3000"),
    "odd-space": one_of("\u00a0\u2002\u2003\u2009\u202f\u205f\u1680"),
    "double-space": one_of(["  ", "   "]),
    "not-nfc": one_of(["e\u0301", "A\u030a", "u\u0308", "\u212b", "\uf900", "\u1112\u1161"]),
    "not-in-dictionary": one_of("жΩ龘€あ💡"),
    "nul": one_of("\0"),
    "carriage-return": one_of("\r"),
    "line-separator": one_of("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"),
    "look-alike": one_of(["P\u0430y", "b\u03bfx", "\u0421ar", "\u0412\u0415R"]),
    "mixed-width": one_of("\uff21\uff17\uff4d"),
    "misread-encoding": one_of(["\u00c3\u00a9", "\u00c3\u00bc", "\u00c2\u00a3", "\u00e2\u20ac\u0153"]),
    "replacement-character": one_of("\ufffd"),
    "private-use": one_of("\ue000\uf8ff\U000f0001"),
    "no-character": one_of("\ufdd0\uffff\U0001fffe"),
    "emoji": one_of("\U0001f600\U0001f680\U0001f1e9"),
    "two-widths": one_of(["\uff01a!", "\uff08x)", "\uff1f1?"]),
    # Last, so that nothing is put into them.
    "escape-sequence": one_of(["\\n", "\\t", "\\r"]),
    "html-entity": one_of(["&amp;", "&#39;", "&lt;", "&#x41;"]),
}


def inserted(generator: random.Random, text: str, what: str) -> str:
    """``text`` with ``what`` between two letters or digits of it."""
    places = [
        i
        for i in range(1, len(text))
        if (text[i - 1] + text[i]).isascii() and text[i - 1].isalnum() and text[i].isalnum()
    ]
    place = generator.choice(places)
    return text[:place] + what + text[place:]


def _edged(generator: random.Random, text: str) -> str:
    left, right = generator.choice([(" ", ""), ("", " "), (" ", " "), ("", "\u00a0"), ("\u3000", "")])
    return left + text + right


TextPlant = Callable[[random.Random, str], str]

TEXTS: dict[str, TextPlant] = {
    **{
        code: (lambda generator, text, what=what: inserted(generator, text, what(generator)))
        for code, what in INSERTS.items()
    },
    "edge-space": _edged,
    "extra-tab": lambda generator, text: text + "\t" + generator.choice(["", "x", "1\t2"]),
    "crlf": lambda generator, text: text + "\r",
}
# In this order, so that what has to stand at the end does; a tab hides the carriage return after it.
COMBINED = [code for code in TEXTS if code != "extra-tab"]

WHOLE: dict[str, TextPlant] = {
    "empty-label": lambda generator, text: "",
    "ignore-mark": lambda generator, text: "###",
    "lone-star": lambda generator, text: "*",
    "csv-quotes": lambda generator, text: f'"{text[:3]},{text[3:]}"',
    "over-limit": lambda generator, text: (text * 9)[: generator.randint(26, 50)],
    "ctc-steps": lambda generator, text: text[0] * generator.randint(21, 25),
}


# --- plants in pictures and whole lines ---------------------------------------------------------------------


def _bomb(generator: random.Random) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    side = generator.randint(30_000, 60_000)
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def _broken(bench: Bench) -> bytes:
    whole = bytearray(bench.picture(120, 40))
    whole[20] ^= 1  # in the header, under a checksum
    return bench.random.choice([b"", b"no picture", b"<!doctype html><title>404</title>", bytes(whole)])


def _half(bench: Bench) -> bytes:
    whole = bench.picture(120, 40, bench.random.choice([".jpg", ".png"]))
    return whole[: bench.random.choice([30, len(whole) // 2, len(whole) * 3 // 4])]


def _foreign(bench: Bench) -> bytes:
    return bench.random.choice([b"%PDF-1.4\n", b"P6 40 30 255\n" + bytes(3600), b"<svg xmlns='x'/>"])


def _encoded(bench: Bench, mode: str, format_: str, **options: object) -> bytes:
    noise = np.random.default_rng(bench.random.getrandbits(32)).integers(0, 255, (40, 120, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(stream, format_, **options)
    return stream.getvalue()


def _turned(bench: Bench) -> bytes:
    exif = Image.Exif()
    exif[274] = bench.random.randint(2, 4)
    return _encoded(bench, "RGB", "JPEG", exif=exif)


def _deep(bench: Bench) -> bytes:
    noise = np.random.default_rng(bench.random.getrandbits(32)).integers(0, 65535, (40, 120), np.uint16)
    return cv2.imencode(".png", noise)[1].tobytes()


def _blank(bench: Bench) -> bytes:
    noise = np.random.default_rng(bench.random.getrandbits(32)).integers(-2, 3, (40, 120), np.int16)
    paper = (bench.random.randint(10, 245) + noise).astype(np.uint8)
    return cv2.imencode(bench.random.choice([".png", ".jpg"]), paper)[1].tobytes()


def _one_pixel(bench: Bench) -> bytes:
    sides = bench.random.choice([(1, 1), (bench.random.randint(2, 90), 1), (1, bench.random.randint(2, 90))])
    return bench.picture(*sides)


def _blurred(bench: Bench) -> bytes:
    paper = np.full((48, 200), 240, np.uint8)
    text = str(bench.random.randint(100_000, 999_999))
    cv2.putText(paper, text, (8, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 10, 3, cv2.LINE_AA)
    return cv2.imencode(".jpg", cv2.GaussianBlur(paper, (0, 0), bench.random.uniform(5, 7)))[1].tobytes()


def _outside(bench: Bench) -> str:
    return bench.random.choice(["../up.jpg", "/etc/hostname", "img/../../up.png", "a/../../../up.png"])


def _bracketed(bench: Bench) -> str:
    (bench.folder / "[1]").mkdir(exist_ok=True)
    name = f"[1]/{bench.made}.png"
    bench.made += 1
    (bench.folder / name).write_bytes(bench.picture(120, 40))
    return name


ImagePlant = Callable[[Bench], str]

IMAGES: dict[str, ImagePlant] = {
    "image-missing": lambda bench: "missing/" + bench.name(".jpg"),
    "image-unreadable": lambda bench: bench.write(_broken(bench), ".jpg"),
    "image-truncated": lambda bench: bench.write(_half(bench), ".jpg"),
    "image-format": lambda bench: bench.write(_foreign(bench), ".jpg"),
    "image-bomb": lambda bench: bench.write(_bomb(bench.random)),
    "path-outside": _outside,
    "image-one-pixel": lambda bench: bench.write(_one_pixel(bench)),
    "image-blank": lambda bench: bench.write(_blank(bench), bench.random.choice([".png", ".jpg"])),
    "image-turned": lambda bench: bench.write(_turned(bench), ".jpg"),
    "image-cmyk": lambda bench: bench.write(_encoded(bench, "CMYK", "JPEG"), ".jpg"),
    "image-alpha": lambda bench: bench.write(_encoded(bench, bench.random.choice(["RGBA", "LA"]), "PNG")),
    "image-deep": lambda bench: bench.write(_deep(bench)),
    "image-suffix": lambda bench: bench.write(
        bench.picture(120, 40, ".jpg"), bench.random.choice([".png", ".bmp"])
    ),
}
SHAPES: dict[str, ImagePlant] = {
    "image-tiny": lambda bench: bench.write(
        bench.picture(bench.random.choice([5, 90]), bench.random.randint(3, 7))
    ),
    "image-upright": lambda bench: bench.write(bench.picture(30, bench.random.randint(46, 200))),
    "image-squeezed": lambda bench: bench.write(bench.picture(bench.random.randint(330, 900), 48)),
    "image-blurred": lambda bench: bench.write(_blurred(bench), ".jpg"),
    "bracket-path": _bracketed,
}


Respelt = Callable[[Bench, str], str]

# Paths that are spelt wrongly, from the right one.
PATHS: dict[str, Respelt] = {
    "path-backslash": lambda bench, path: path.replace("/", "\\"),
    "path-drive": lambda bench, path: bench.random.choice(["C:\\", "d:/", "\\\\server\\"]) + path,
    "path-absolute": lambda bench, path: bench.random.choice(["/data/", "~/", "/"]) + path,
    "path-url": lambda bench, path: bench.random.choice(["http://a.example/", "s3://bucket/"]) + path,
    "path-parent": lambda bench, path: "img/../" + path,
    "path-edge-space": lambda bench, path: bench.random.choice([" " + path, path + " ", path + "\u3000"]),
    "path-case": lambda bench, path: bench.earlier.image.upper(),
}

LinePlant = Callable[[Bench, Line], bytes]


def _bytes_of(bench: Bench) -> bytes:
    return (bench.folder / bench.earlier.image).read_bytes()


def _two_texts(bench: Bench, line: Line) -> bytes:
    # Real texts repeat; the same text again would be a duplicate line.
    text = line.text if line.text != bench.earlier.text else line.text + "1"
    return Line(bench.earlier.image, text).data


LINES: dict[str, LinePlant] = {
    "blank-line": lambda bench, line: bench.random.choice([b"", b" ", b"\t \t"]),
    "invalid-utf8": lambda bench, line: (
        line.data + bench.random.choice([b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xb7"])
    ),
    "missing-tab": lambda bench, line: (
        f"{line.image}{bench.random.choice([' ', '    ', ',', chr(92) + 't'])}{line.text}".encode()
    ),
    "empty-path": lambda bench, line: f"\t{line.text}".encode(),
    "broken-json": lambda bench, line: f'["{line.image}"\t{line.text}'.encode(),
    "bad-image-list": lambda bench, line: (
        bench.random.choice(["[]", f'["{line.image}", 3]', '["", "a.jpg"]', "[null]"]) + f"\t{line.text}"
    ).encode(),
    "duplicate-line": lambda bench, line: bench.earlier.data,
    "image-two-texts": _two_texts,
    "exact-copy": lambda bench, line: Line(bench.write(_bytes_of(bench)), bench.earlier.text).data,
    "copy-two-texts": lambda bench, line: Line(bench.write(_bytes_of(bench)), bench.earlier.text + "1").data,
    "text-dense": lambda bench, line: Line(bench.write(bench.picture(40, 48)), (line.text * 4)[:24]).data,
    **{
        code: (lambda bench, line, plant=plant: Line(line.image, plant(bench.random, line.text)).data)
        for code, plant in (TEXTS | WHOLE).items()
    },
    **{
        code: (lambda bench, line, plant=plant: Line(plant(bench), line.text).data)
        for code, plant in (IMAGES | SHAPES).items()
    },
    **{
        code: (lambda bench, line, spell=spell: Line(spell(bench, line.image), line.text).data)
        for code, spell in PATHS.items()
    },
}


def combined(bench: Bench, line: Line) -> tuple[bytes, set[str]]:
    """Several defects on one line: one to three of the text, perhaps one of the picture."""
    codes = sorted(bench.random.sample(COMBINED, bench.random.randint(1, 3)), key=COMBINED.index)
    text = line.text
    for code in codes:
        text = TEXTS[code](bench.random, text)
    image = line.image
    if "nul" not in codes and bench.random.random() < 0.5:
        plants = IMAGES | SHAPES
        code = bench.random.choice(list(plants))
        image = plants[code](bench)
        codes.append(code)
    return Line(image, text).data, set(codes)


# --- plants on pages ----------------------------------------------------------------------------------------

Boxes = list[dict[str, object]]
PagePlant = Callable[[Bench, Page], bytes]


def _is_long(points: tuple[Point, ...]) -> bool:
    return points[1][0] - points[0][0] >= 3 * (points[3][1] - points[0][1])


def _changed(change: Callable[[Bench, Page, Boxes, int], object]) -> PagePlant:
    """A plant that changes one box of a page in place, chosen by chance."""

    def plant(bench: Bench, page: Page) -> bytes:
        boxes: Boxes = [box_of(text, points) for text, points in page.boxes]
        # A word of one letter or a square box does not say where it begins.
        clear = [at for at, (text, points) in enumerate(page.boxes) if len(text) > 1 and _is_long(points)]
        change(bench, page, boxes, bench.random.choice(clear))
        return page.with_boxes(boxes)

    return plant


def _points(order: Callable[[list[list[int]]], object]) -> PagePlant:
    def change(bench: Bench, page: Page, boxes: Boxes, at: int) -> None:
        boxes[at]["points"] = order(boxes[at]["points"])

    return _changed(change)


def _value(key: str, *values: object) -> PagePlant:
    def change(bench: Bench, page: Page, boxes: Boxes, at: int) -> None:
        boxes[at][key] = bench.random.choice(values)

    return _changed(change)


Sides = tuple[int, int, int, int]


def _added(text: Callable[[str], str], place: Callable[[Sides], Sides]) -> PagePlant:
    """A plant that puts another box near a chosen one; ``place`` gets and gives left, top, right, bottom."""

    def change(bench: Bench, page: Page, boxes: Boxes, at: int) -> None:
        (left, top), _, (right, bottom), _ = boxes[at]["points"]
        boxes.append(box_of(text(boxes[at]["transcription"]), rectangle(*place((left, top, right, bottom)))))

    return _changed(change)


def _same(text: str) -> str:
    return text


def _other(text: str) -> str:
    return text[::-1] + "x"


def _outside_box(points: list[list[int]]) -> list[list[int]]:
    width, left = points[1][0] - points[0][0], points[0][0]
    return [[x - left - width // 2, y] for x, y in points]


def _crowd(bench: Bench, page: Page) -> bytes:
    boxes = [box_of(text, points) for text, points in page.boxes]
    for box in list(boxes):
        moved = [[x, y + 18] for x, y in box["points"]]
        boxes.append(box_of(_other(box["transcription"]), moved))
    return page.with_boxes(boxes)


def _lose(bench: Bench, page: Page, boxes: Boxes, at: int) -> None:
    (left, top), *_ = boxes[at]["points"]
    high = max(2, max(page.size) * 5 // 960)
    boxes[at]["points"] = [list(p) for p in rectangle(left, top, left + 12 * high, top + high)]


PAGES: dict[str, PagePlant] = {
    "page-without-boxes": lambda bench, page: page.with_boxes([]),
    "page-only-ignored": lambda bench, page: page.with_boxes(
        [box_of(bench.random.choice(["###", "*"]), points) for _, points in page.boxes]
    ),
    "broken-json": lambda bench, page: page.data[: -bench.random.randint(1, 20)],
    "not-a-list": lambda bench, page: page.with_boxes(bench.random.choice([{}, 3, "boxes", None])),
    "bad-box": lambda bench, page: page.with_boxes(
        [bench.random.choice([{}, {"points": []}, {"transcription": "a"}, 3, []])]
    ),
    "bad-points": _value("points", [], None, [[1, 2, 3]], [["1", "2"]], [[1, True]], [[float("nan"), 1]]),
    "bad-image-list": lambda bench, page: b'["a.jpg", "b.jpg"]\t' + page.data.split(b"\t")[1],
    "text-type": _value("transcription", 12, None, True, ["a"]),
    "difficult": _value("difficult", True),
    "surrogate": lambda bench, page: page.data.replace(page.boxes[0][0].encode(), rb"a\ud800b", 1),
    "box-empty-text": _value("transcription", ""),
    "box-lone-star": _value("transcription", "*"),
    "box-few-points": _points(lambda points: points[:3]),
    "box-no-area": _points(lambda points: [points[0]] * 4),
    "box-outside": _points(_outside_box),
    "box-self-crossing": _points(lambda points: [points[0], points[1], points[3], points[2]]),
    "box-counter-clockwise": _points(lambda points: [points[0], *points[:0:-1]]),
    "box-first-point": _points(lambda points: [*points[1:], points[0]]),
    "box-upside-down": _points(lambda points: [*points[2:], *points[:2]]),
    "box-lost-at-scale": _changed(_lose),
    "box-duplicate": _added(_same, lambda box: (box[0] + 1, box[1] + 1, box[2] + 1, box[3] + 1)),
    "box-two-texts": _added(_other, lambda box: (box[0] + 1, box[1], box[2], box[3] - 1)),
    "box-nested": _added(
        _other, lambda box: (box[0] + 2, box[1] + 2, (2 * box[0] + box[2]) // 3, box[3] - 2)
    ),
    "box-merged": _added(
        _other, lambda box: ((box[0] + box[2]) // 2, box[1], (3 * box[2] - box[0]) // 2, box[3])
    ),
    "box-hidden": _added(lambda text: "###", lambda box: (box[0] - 3, box[1] - 3, box[2] + 3, box[3] + 3)),
    "page-crowded": _crowd,
    "duplicate-page": lambda bench, page: bench.earlier.data,
    **{
        code: (lambda bench, page, plant=plant: Page(plant(bench), page.size, page.boxes).data)
        for code, plant in IMAGES.items()
    },
    **{
        code: (lambda bench, page, spell=spell: Page(spell(bench, page.image), page.size, page.boxes).data)
        for code, spell in PATHS.items()
    },
}


# --- label files --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planted:
    """A label file: its bytes, the (code, line) that have to be found, and the lines that are clean."""

    data: bytes
    expected: frozenset[tuple[str, int]]
    clean: frozenset[int]


Entry = Line | Page
Choice = Callable[[Bench, Entry], tuple[bytes, set[str]]]


def only(code: str, plants: dict[str, Callable[[Bench, Entry], bytes]]) -> Choice:
    """Nothing but one defect."""
    return lambda bench, entry: (plants[code](bench, entry), {code})


def any_of(plants: dict[str, Callable[[Bench, Entry], bytes]]) -> Choice:
    """One defect of any kind a line."""

    def choose(bench: Bench, entry: Entry) -> tuple[bytes, set[str]]:
        code = bench.random.choice(list(plants))
        return plants[code](bench, entry), {code}

    return choose


def plant(entries: list[Entry], folder: Path, choose: Choice, *, share: float, seed: int) -> Planted:
    """Plant defects into ``share`` of the lines; the first and the last line stay clean."""
    bench = Bench(random.Random(seed), folder)
    lines, expected, clean, whole = [], set(), set(), []
    for number, entry in enumerate(entries, start=1):
        if number in (1, len(entries)) or bench.random.random() >= share:
            lines.append(entry.data)
            clean.add(number)
            whole.append(entry)
            continue
        bench.earlier = bench.random.choice(whole)
        data, codes = choose(bench, entry)
        lines.append(data)
        expected |= {(code, number) for code in codes}
    return Planted(b"".join(line + b"\n" for line in lines), frozenset(expected), frozenset(clean))
