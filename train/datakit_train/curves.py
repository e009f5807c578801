"""Loss, learning rate and scores of a run as one page without scripts, and as a picture."""

from __future__ import annotations

import html
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.files import atomic_write
from datakit_train.watch import EVALUATIONS, read_evaluations

PAGE = "curves.html"
PICTURE = "curves.png"
_WIDTH, _HEIGHT, _LEFT, _TOP = 760, 200, 70, 30
_COLOURS = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df")
# More points than pixels help nobody; a page of a long run stays small.
_POINTS = 600


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: a name and (step, value) points."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves with a common axis; ``low`` and ``high`` are its ends."""

    title: str
    lines: tuple[Line, ...]
    low: float
    high: float
    steps: float

    def place(self, step: float, value: float) -> tuple[float, float]:
        """Pixels of a point."""
        x = _LEFT + (step / self.steps) * (_WIDTH - _LEFT - 10)
        share = (value - self.low) / (self.high - self.low)
        return round(x, 1), round(_TOP + (1 - share) * (_HEIGHT - _TOP - 20), 1)


def thin(points: Sequence[tuple[float, float]], most: int = _POINTS) -> tuple[tuple[float, float], ...]:
    """At most ``most`` points, each the mean of its neighbours."""
    size = -(-len(points) // most) or 1
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return tuple((sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups)


def _panel(title: str, lines: Sequence[Line]) -> Panel:
    values = [y for line in lines for _, y in line.points if math.isfinite(y)]
    low, high = min(values), max(values)
    spread = (high - low) or abs(high) or 1.0
    steps = max(x for line in lines for x, _ in line.points) or 1.0
    return Panel(title, tuple(lines), max(0.0, low - 0.05 * spread), high + 0.05 * spread, steps)


def panels(folder: Path) -> list[Panel]:
    """What a run's journals hold: nothing before the first step."""
    journal = folder / "train.jsonl"
    text = journal.read_text("utf-8") if journal.exists() else ""
    records = [json.loads(line) for line in text.splitlines()]
    if not records:
        return []
    made = [
        _panel(title, [Line(key, thin([(float(r["step"]), float(r[key])) for r in records]))])
        for key, title in (("loss", "CTC loss"), ("rate", "learning rate"))
    ]
    scores: dict[str, list[tuple[float, float]]] = {}
    for step, candidate in read_evaluations(folder / EVALUATIONS):
        for name, score in {"domain": candidate.domain, **candidate.guards}.items():
            scores.setdefault(name, []).append((float(step), score.accuracy_folded))
    if scores:
        made.append(_panel("folded accuracy", [Line(n, thin(points)) for n, points in scores.items()]))
    return made


def _svg(panel: Panel) -> str:
    parts = [f'<text x="{_LEFT}" y="16" font-weight="bold">{html.escape(panel.title)}</text>']
    for value in (panel.low, panel.high):
        _, y = panel.place(0, value)
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.3g}</text>')
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y}" y2="{y}" stroke="#ccc"/>')
    for number, line in enumerate(panel.lines):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join("{},{}".format(*panel.place(*point)) for point in line.points)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        x = _LEFT + 160 + 120 * number
        parts.append(f'<text x="{x}" y="16" fill="{colour}">{html.escape(line.name)}</text>')
    parts.append(f'<text x="{_WIDTH - 10}" y="{_HEIGHT - 4}" text-anchor="end">step {panel.steps:.0f}</text>')
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}"'
    label = html.escape(panel.title, quote=True)
    return f'<svg {box} role="img" aria-label="{label}" font-size="12">{"".join(parts)}</svg>'


def _page(made: Sequence[Panel], name: str) -> str:
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>{html.escape(name)}</title></head><body style='font-family: sans-serif'>"
        f"<h1>{html.escape(name)}</h1>\n" + "\n".join(_svg(panel) for panel in made) + "\n</body></html>\n"
    )


def _picture(made: Sequence[Panel]) -> bytes:
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (_WIDTH, _HEIGHT * len(made)), "white")
    for row, panel in enumerate(made):
        part = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
        draw = ImageDraw.Draw(part)
        draw.text((_LEFT, 6), panel.title, fill="black")
        for value in (panel.low, panel.high):
            x, y = panel.place(0, value)
            draw.line([(x, y), (_WIDTH - 10, y)], fill="#cccccc")
            draw.text((4, y - 5), f"{value:.3g}", fill="black")
        for number, line in enumerate(panel.lines):
            colour = _COLOURS[number % len(_COLOURS)]
            placed = [panel.place(*point) for point in line.points]
            draw.line(placed if len(placed) > 1 else [placed[0], placed[0]], fill=colour, width=2)
            # Pillow's own font has Latin-1 only.
            name = line.name.encode("latin-1", "replace").decode("latin-1")
            draw.text((_LEFT + 160 + 120 * number, 6), name, fill=colour)
        picture.paste(part, (0, row * _HEIGHT))
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def write_curves(folder: Path) -> None:
    """Write ``curves.html`` and ``curves.png`` of the run in ``folder``; nothing where it has no step.

    Raises:
        OutputError: they cannot be written.
    """
    made = panels(folder)
    if made:
        atomic_write(folder / PAGE, _page(made, folder.name))
        atomic_write(folder / PICTURE, _picture(made))
