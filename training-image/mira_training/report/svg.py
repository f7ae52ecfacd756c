"""Small charts as SVG that takes its colours from the page: readable in the light, in the dark and on paper.

Not matplotlib: its import costs more than all of these charts, and its colours are fixed when they are drawn.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

TICKS = 5
SMALL, LARGE = 1e-4, 1e7
LINED_UP = 0.0005
_FACTORS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Plane:
    """The drawing area of a chart: ranges of data, and where they lie in the picture (in its own units)."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: float = 340
    height: float = 300
    left: float = 46
    right: float = 14
    top: float = 12
    bottom: float = 44

    def at_x(self, value: float) -> float:
        """The picture's x of a value."""
        low, high = self.x
        return self.left + (value - low) / ((high - low) or 1) * (self.width - self.left - self.right)

    def at_y(self, value: float) -> float:
        """The picture's y of a value; it grows downwards."""
        low, high = self.y
        return self.height - self.bottom - (value - low) / ((high - low) or 1) * (self.height - self.top - self.bottom)

    def points(self, xs: Iterable[float], ys: Iterable[float]) -> str:
        """The points of a path."""
        return " ".join(f"{self.at_x(x):.1f},{self.at_y(y):.1f}" for x, y in zip(xs, ys, strict=True))


@dataclass(frozen=True)
class Series:
    """One line of a chart; `role` gives its colour: candidate, current or guide."""

    role: str
    xs: Sequence[float]
    ys: Sequence[float]
    dots: bool = field(default=False)


def chart(plane: Plane, parts: Sequence[Markup], *, says: str) -> Markup:
    """A picture of the parts, with a sentence for those who cannot see it."""
    inside = Markup("").join(parts)
    return Markup('<svg class="chart" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">{}</svg>').format(
        plane.width, plane.height, says, inside
    )


def axes(plane: Plane, x_label: str, y_label: str) -> Markup:
    """Gridlines with numbers, and a label per axis."""
    parts = []
    low_x, high_x = plane.width - plane.right, plane.left
    foot = plane.height - plane.bottom
    for value in ticks(*plane.y):
        parts.append(_rule(high_x, plane.at_y(value), low_x, plane.at_y(value)))
        parts.append(_text(plane.left - 7, plane.at_y(value) + 4, number(value), "tick end"))
    for value in ticks(*plane.x):
        parts.append(_rule(plane.at_x(value), foot, plane.at_x(value), foot + 4))
        parts.append(_text(plane.at_x(value), foot + 18, number(value), "tick middle"))
    parts.append(_text((high_x + low_x) / 2, plane.height - 6, x_label, "label middle"))
    middle = (plane.top + foot) / 2
    parts.append(
        Markup('<text class="label middle" transform="translate(12 {:.1f}) rotate(-90)">{}</text>').format(
            middle, y_label
        )
    )
    return Markup("").join(parts)


def line(plane: Plane, series: Series) -> Markup:
    """The series as a line, with a dot at each point if it asks for them."""
    drawn = Markup('<polyline class="line {}" points="{}"/>').format(series.role, plane.points(series.xs, series.ys))
    return drawn + (cloud(plane, series, radius=3) if series.dots else Markup(""))


def cloud(plane: Plane, series: Series, *, radius: float) -> Markup:
    """The series as dots."""
    dots = (
        Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{:g}"/>').format(plane.at_x(x), plane.at_y(y), radius)
        for x, y in zip(series.xs, series.ys, strict=True)
    )
    return Markup('<g class="dots {}">{}</g>').format(series.role, Markup("").join(dots))


def columns(plane: Plane, role: str, edges: Sequence[float], heights: Sequence[float]) -> Markup:
    """A histogram as one outline over the edges."""
    xs = [edge for edge in edges for _ in (0, 1)]
    ys = [0.0, *(height for height in heights for _ in (0, 1)), 0.0]
    return Markup('<polygon class="area {}" points="{}"/>').format(role, plane.points(xs, ys))


def interval(lower: float, upper: float, middle: float, reach: float | None = None) -> Markup:
    """A difference with its interval around a line at zero: what lies right of it is better."""
    reach = max(reach or max(abs(lower), abs(upper)), 1e-12) * 1.15
    plane = Plane(x=(-reach, reach), y=(0, 1), width=190, height=22, left=2, right=2, top=0, bottom=0)
    role = "better" if lower > 0 else "worse" if upper < 0 else "even"
    parts = (
        Markup('<line class="zero" x1="{0:.1f}" y1="1" x2="{0:.1f}" y2="21"/>').format(plane.at_x(0)),
        Markup('<line class="whisker {}" x1="{:.1f}" y1="11" x2="{:.1f}" y2="11"/>').format(
            role, plane.at_x(lower), plane.at_x(upper)
        ),
        Markup('<circle class="whisker {}" cx="{:.1f}" cy="11" r="4"/>').format(role, plane.at_x(middle)),
    )
    says = f"difference {number(middle)}, 95% interval from {number(lower)} to {number(upper)}"
    return Markup('<svg class="interval" viewBox="0 0 190 22" role="img" aria-label="{}">{}</svg>').format(
        says, Markup("").join(parts)
    )


def sparkline(shares: Sequence[float]) -> Markup:
    """A histogram as small as a word."""
    highest = max(shares, default=0) or 1
    width = 96 / max(len(shares), 1)
    bars = (
        Markup('<rect x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/>').format(
            index * width, 20 - max(share / highest * 20, 0.6), max(width - 0.8, 0.5), max(share / highest * 20, 0.6)
        )
        for index, share in enumerate(shares)
    )
    return Markup('<svg class="spark" viewBox="0 0 96 20" aria-hidden="true">{}</svg>').format(Markup("").join(bars))


def ticks(low: float, high: float) -> list[float]:
    """About five round numbers from low to high."""
    step = (high - low) / TICKS
    if step <= 0 or not math.isfinite(step):
        return [low]
    size = 10.0 ** math.floor(math.log10(step))
    step = next(factor * size for factor in _FACTORS if factor * size >= step * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def number(value: float) -> str:
    """The number as short as it can be read: 0.25, 1,200, 3.4e-7."""
    if value == 0:
        return "0"
    size = abs(value)
    if not SMALL <= size < LARGE:
        return f"{value:.3g}"
    digits = max(0, 3 - math.floor(math.log10(size)) - 1)
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def measure(value: float) -> str:
    """A measured value, so that a column of them lines up: three decimals where it is small."""
    return f"{value:.3f}" if LINED_UP <= abs(value) < 10 or value == 0 else number(value)


def _rule(x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="rule" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(x1, y1, x2, y2)


def _text(x: float, y: float, said: str, css: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}">{}</text>').format(css, x, y, said)
