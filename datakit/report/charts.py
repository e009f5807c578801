"""Small charts: numbers that templates draw, and whole inline SVG pictures.

No script, no style attribute, no link: they live under a content security policy that forbids everything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


@dataclass(frozen=True, slots=True)
class Chart:
    """A line in a box of ``width`` x ``height`` px: ``points`` for an SVG polyline, marks as (y, text)."""

    width: int
    height: int
    points: str
    marks: tuple[tuple[float, str], ...]


def rank_frequency(
    counts: Sequence[int], *, floors: Sequence[int] = (), width: int = 640, height: int = 220
) -> Chart:
    """Counts against rank, both logarithmic, most frequent first; ``floors`` become horizontal marks.

    ``counts`` need not be sorted; zeros are left out, and no count at all gives an empty line.
    """
    ordered = sorted((count for count in counts if count > 0), reverse=True)
    top = math.log10(max([10, *ordered[:1], *floors]))
    right = math.log10(max(10, len(ordered)))

    def at(value: float) -> float:
        return round(height * (1 - math.log10(value) / top), 1)

    points = (
        f"{width * math.log10(rank) / right:.1f},{at(count)}" for rank, count in enumerate(ordered, start=1)
    )
    return Chart(width, height, " ".join(points), tuple((at(floor), str(floor)) for floor in floors))


# More bars than this are thinner than the eye tells apart, wider ones than this look like a flag.
MOST_BARS = 100
WIDEST = 40
_INK, _MARK, _DIM = "#245ea8", "#b25e09", "#667079"


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _element(name: str, content: str = "", **attributes: object) -> str:
    """One SVG element; attribute values are escaped, ``content`` has to be."""
    written = "".join(
        f' {key.replace("_", "-")}="{escape(_number(value) if isinstance(value, float) else value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>"


def _label(x: float, y: float, text: str, colour: str = _DIM, anchor: str = "start") -> str:
    return _element("text", str(escape(text)), x=x, y=y, font_size=12, fill=colour, text_anchor=anchor)


def _svg(width: int, height: int, label: str, parts: Iterable[str]) -> Markup:
    body = "".join(parts)
    box = f"0 0 {width} {height}"
    return Markup(  # noqa: S704 - every value in it went through _element, which escapes
        _element("svg", body, viewBox=box, width=width, height=height, role="img", aria_label=label)
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """Entries with a value from ``low`` to ``high``, both included."""

    low: int
    high: int
    count: int

    @property
    def name(self) -> str:
        """The values, as in "26-30"; a first bar that begins below 0 is named from 0."""
        low = max(0, self.low)
        return f"{low}" if low == self.high else f"{low}-{self.high}"


def bars(counts: Mapping[int, int], *, most: int = MOST_BARS, mark: int | None = None) -> list[Bar]:
    """``counts`` (value -> entries) as at most ``most`` + 2 bars of one width, empty ones included.

    Bars start so that none holds both sides of ``mark``: values up to it on the one side, larger on the
    other.
    """
    filled = [value for value, count in counts.items() if count > 0]
    if not filled:
        return []
    low, high = min(filled), max(filled)
    step = max(1, -(-(high - low + 1) // most))
    if mark is not None:
        low -= (low - mark - 1) % step
    sums: Counter[int] = Counter()
    for value in filled:
        sums[(value - low) // step] += counts[value]
    return [Bar(low + i * step, low + (i + 1) * step - 1, sums[i]) for i in range((high - low) // step + 1)]


def _bar(bar: Bar, left: float, wide: float, top: int, mark: int | None, height: int) -> str:
    tall = max(1.0, height * bar.count / top) if bar.count else 0.0
    beyond = mark is not None and bar.low > mark
    share = _element("title", str(escape(f"{bar.name}: {bar.count:,}")))
    colour = _MARK if beyond else _INK
    return _element(
        "rect", share, x=left, y=float(height - tall + 16), width=wide, height=float(tall), fill=colour
    )


def histogram(
    counts: Mapping[int, int],
    *,
    mark: int | None = None,
    label: str = "",
    width: int = 640,
    height: int = 200,
) -> Markup:
    """Inline SVG of whole numbers and how often each occurs, linear; safe in a template that escapes.

    ``mark`` is a limit: a dashed line behind it, and bars beyond it in another colour. ``label`` is read out
    by screen readers. No entry at all gives an empty picture of the same size.
    """
    drawn = bars(counts, mark=mark)
    parts = []
    if drawn:
        top = max(bar.count for bar in drawn)
        low, high = drawn[0].low, drawn[-1].high + 1
        scale = min(width / (high - low), WIDEST / (drawn[0].high + 1 - low))
        right = scale * (high - low)
        for bar in drawn:
            left, wide = (bar.low - low) * scale, (bar.high + 1 - bar.low) * scale
            parts.append(_bar(bar, left, max(1.0, wide - 1), top, mark, height))
        parts.append(_label(0.0, height + 30.0, str(max(0, low))))
        if high - low > 1:
            parts.append(_label(right, height + 30.0, str(high - 1), anchor="end"))
        parts.append(_label(0.0, 12.0, f"{top:,}"))
        if mark is not None and low <= mark < high:
            at = (mark + 1 - low) * scale
            parts.append(_dashed(at, 16.0, at, height + 16.0))
            parts.append(_label(at, 12.0, str(mark), _MARK, "end" if at > right / 2 else "start"))
    return _svg(width, height + 36, label, parts)


def _dashed(x1: float, y1: float, x2: float, y2: float) -> str:
    return _element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=_MARK, stroke_dasharray="4 4")


def log_log(
    counts: Sequence[int],
    *,
    floors: Sequence[int] = (),
    label: str = "",
    width: int = 640,
    height: int = 220,
) -> Markup:
    """Inline SVG of :func:`rank_frequency`; safe in a template that escapes.

    ``floors`` are dashed lines with their number beside. Zeros have no place on a logarithmic axis and are
    left out.
    """
    chart = rank_frequency(counts, floors=floors, width=width, height=height)
    ranks = sum(count > 0 for count in counts)
    parts = []
    for number, (y, text) in enumerate(chart.marks):
        parts.append(_dashed(0.0, y + 16.0, float(width), y + 16.0))
        # Two floors can lie closer than a line of text.
        parts.append(_label(width + 6.0, y + 20.0 - 12 * (number % 2), text, _MARK))
    if ranks:
        moved = " ".join(_shifted(point, 16.0) for point in chart.points.split(" "))
        parts.append(_element("polyline", points=moved, fill="none", stroke=_INK, stroke_width=2))
        parts.append(_label(0.0, 12.0, f"{max(counts):,}"))
        parts.append(_label(0.0, height + 30.0, "1"))
        parts.append(_label(float(width), height + 30.0, f"{max(10, ranks):,}", anchor="end"))
    return _svg(width + 60, height + 36, label, parts)


def _shifted(point: str, down: float) -> str:
    x, y = point.split(",")
    return f"{x},{_number(float(y) + down)}"
