"""The z-order curve of zoom 22: which of its keys a tile holds, and along which stretches of it a box lies. No SQL."""

from dataclasses import dataclass
from math import asinh, pi, radians, tan
from typing import NamedTuple

from geo.space import Bbox

TOP_ZOOM = 22
SIDE = 1 << TOP_ZOOM
HIGHEST = 85.0511287
"""The latitude at which the outermost tiles end."""

CELLS = 96
"""Into so many cells a box is cut at most: fewer read more of what lies around the box, more cost more to name."""

SLACK = 2
"""Columns and rows by which Python's and PostgreSQL's arithmetic may differ at a box's edge; more than enough."""


def _spread(n: int) -> int:
    key = 0
    for bit in range(11):
        key |= (n >> bit & 1) << 2 * bit
    return key


SPREAD = tuple(_spread(n) for n in range(1 << 11))
"""The bits of a number below 2048, each moved to twice its place."""


def spread(n: int) -> int:
    """The bits of a column or row, with a nought before each."""
    return SPREAD[n & 2047] | SPREAD[n >> 11] << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A tile of WebMercatorQuad: zoom, column, row."""

    z: int
    x: int
    y: int

    @property
    def inside(self) -> bool:
        """Whether the tile matrix has such a tile."""
        return 0 <= self.z <= TOP_ZOOM and 0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z

    def keys(self) -> tuple[int, int]:
        """The keys that lie in the tile: from the first, up to but without the second."""
        key, shift = spread(self.x) | spread(self.y) << 1, 2 * (TOP_ZOOM - self.z)
        return key << shift, (key + 1) << shift


class Stretch(NamedTuple):
    """Keys from `lo` up to but without `hi`; with `inside`, all places that have them lie in the box."""

    lo: int
    hi: int
    inside: bool

    def made_of(self, zoom: int) -> bool:
        """Whether it begins and ends with cells of this zoom."""
        return not (self.lo | self.hi) & ((1 << 2 * (TOP_ZOOM - zoom)) - 1)


def stretches(box: Bbox) -> list[Stretch]:
    """What to read of the curve to find all that lies in a box, in its order: at most CELLS stretches, none twice."""
    frames = [_frame(part) for part in box.parts()]
    shift = next(s for s in range(TOP_ZOOM + 1) if sum(_cells(frame, s) for frame in frames) <= CELLS)
    cells: dict[int, bool] = {}
    for west, north, east, south in frames:
        columns = [(spread(x), _within(x, shift, west, east)) for x in range(west >> shift, (east >> shift) + 1)]
        for y in range(north >> shift, (south >> shift) + 1):
            row, level = spread(y) << 1, _within(y, shift, north, south)
            for column, upright in columns:
                key = row | column
                cells[key] = (level and upright) or cells.get(key, False)
    return _joined(sorted(cells.items()), 2 * shift)


def _joined(cells: list[tuple[int, bool]], shift: int) -> list[Stretch]:
    found: list[Stretch] = []
    start = end = 0
    before = False
    for key, inside in cells:
        if key != end or inside != before:
            if end > start:
                found.append(Stretch(start << shift, end << shift, before))
            start, before = key, inside
        end = key + 1
    found.append(Stretch(start << shift, end << shift, before))
    return found


def _cells(frame: tuple[int, int, int, int], shift: int) -> int:
    west, north, east, south = frame
    return ((east >> shift) - (west >> shift) + 1) * ((south >> shift) - (north >> shift) + 1)


def _within(n: int, shift: int, first: int, last: int) -> bool:
    """Whether a cell's columns (or rows) lie between the box's sides, however these were rounded."""
    return n << shift >= first + 2 * SLACK and (n + 1) << shift <= last - 2 * SLACK


def _frame(box: Bbox) -> tuple[int, int, int, int]:
    """First column, first row, last column, last row of zoom 22, with SLACK around them."""
    return (
        _held(_column(box.west) - SLACK),
        _held(_row(box.north) - SLACK),
        _held(_column(box.east) + SLACK),
        _held(_row(box.south) + SLACK),
    )


def _column(longitude: float) -> int:
    return int((longitude + 180) / 360 * SIDE)


def _row(latitude: float) -> int:
    return int((1 - asinh(tan(radians(max(-HIGHEST, min(HIGHEST, latitude))))) / pi) / 2 * SIDE)


def _held(n: int) -> int:
    return max(0, min(SIDE - 1, n))
