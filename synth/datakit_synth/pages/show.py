"""Pages with their boxes drawn, for human eyes: the contact sheet and the HTML page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from datakit.effects import Image
from datakit.files import atomic_write
from datakit.images import read_bgr
from datakit.labels import DetLine, read_det
from datakit.report import render
from datakit.report.pictures import thumbnail
from datakit_synth.account import Account
from datakit_synth.page import used_fonts
from datakit_synth.sheet import spread

CONTACT, HTML = "contact.png", "pages.html"
_PAGES, _COLUMNS, _CELL = 12, 4, (400, 520)
_TEXT, _IGNORED = (0, 170, 0), (0, 0, 230)


def show(out: Path, labels: Path, arguments: Mapping[str, Any], account: Account) -> None:
    """Write contact.png and pages.html for the pages of ``labels``; ``arguments`` are those of the manifest.

    Raises:
        OutputError: they cannot be written.
    """
    lines, _ = read_det(labels)
    chosen = [lines[index] for index in spread(len(lines), _PAGES)]
    pictures = [draw_boxes(np.asarray(read_bgr(out / line.image), np.uint8), line) for line in chosen]
    _write_contact(out / CONTACT, pictures)
    page = render(
        "pages.html",
        account=account,
        ignored=sum(box.ignored for line in lines for box in line.boxes),
        boxes=sum(len(line.boxes) for line in lines),
        arguments=arguments,
        fonts=used_fonts(arguments, account),
        samples=[(line, thumbnail(picture, 640)) for line, picture in zip(chosen, pictures, strict=True)],
    )
    atomic_write(out / HTML, page)


def draw_boxes(image: Image, line: DetLine) -> Image:
    """The page with its boxes: green for text, red for ignored ones; a dot at the first point."""
    shown = np.array(image, np.uint8)
    for box in line.boxes:
        colour = _IGNORED if box.ignored else _TEXT
        points = np.rint(np.array(box.points)).astype(np.int32)
        cv2.polylines(shown, [points], True, colour, 1, cv2.LINE_AA)
        cv2.circle(shown, (int(points[0][0]), int(points[0][1])), 3, colour, -1)
    return shown


def _write_contact(path: Path, pictures: list[Image]) -> None:
    cells = [_cell(picture) for picture in pictures]
    blank = np.full((_CELL[1], _CELL[0], 3), 225, np.uint8)
    columns = min(_COLUMNS, len(cells))
    cells += [blank] * (-len(cells) % columns)
    rows = [np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    _, data = cv2.imencode(".png", np.vstack(rows))
    atomic_write(path, np.asarray(data).tobytes())


def _cell(picture: Image) -> Image:
    cell = np.full((_CELL[1], _CELL[0], 3), 225, np.uint8)
    scale = min(1.0, (_CELL[0] - 8) / picture.shape[1], (_CELL[1] - 8) / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    cell[4 : 4 + size[1], 4 : 4 + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cell
