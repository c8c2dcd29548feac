"""A drawing of where a declaration lies, for its owner's page: the square or the point, and what the territory's map has around it.

PostGIS writes the shapes as SVG paths, in metres from the drawing's middle in the grid's own system (EPSG:3035), in
which a square of the grid is upright. Nothing of it is asked of anybody else.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import Connection, Row

from geo.privacy import Shown

NAMES = 6
"""Names that a drawing has room for."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Something around: its kind, and its outline or line as an SVG path."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Name:
    """A name and where it is written: metres to the right of the middle, and below it."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """The drawing: metres from its middle to each side; the exact point; the side of the square around the middle, or None."""

    half: int
    x: float
    y: float
    square: int | None
    shapes: Sequence[Shape]
    names: Sequence[Name]


def sketch(tx: Connection, location: tuple[float, float], how: Shown | None) -> Sketch:
    """Where a point in WGS 84 degrees lies, and the square in which it is shown; `how` is None for what is only counted."""
    square = how.cell_m if how else None
    half = max(300, round((square or 0) * 0.75))
    lon, lat = location
    values = {"lon": lon, "lat": lat, "square": square, "half": half}
    middle = tx.execute(text(_MIDDLE), values).one()
    frame = {"cx": middle.cx, "cy": middle.cy, "half": half}
    shapes = [Shape(*row) for row in tx.execute(text(_SHAPES), frame)]
    names = list(_apart(tx.execute(text(_NAMES), frame), half))
    return Sketch(half=half, x=middle.x, y=middle.y, square=square, shapes=shapes, names=names)


def _apart(rows: Iterable[Row], half: int) -> Iterator[Name]:
    """The names that do not stand in each other's way, or over the edge, from the middle outwards."""
    kept: list[tuple[Name, float]] = []
    for name, x, y in rows:
        wide = len(name) * half * 0.034
        apart = all(abs(y - one.y) > half * 0.09 or abs(x - one.x) > (wide + other) / 2 for one, other in kept)
        if apart and abs(x) + wide / 2 < half and abs(y) < half * 0.92 and len(kept) < NAMES:
            kept.append((Name(name, x, y), wide))
            yield kept[-1][0]


_MIDDLE = """
select cx, cy, round((ST_X(p) - cx)::numeric, 1)::float8 as x, round((cy - ST_Y(p))::numeric, 1)::float8 as y
from ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), 3035) p,
  cast(:square as integer) square,
  lateral (select coalesce((floor(ST_X(p) / square) + 0.5) * square, ST_X(p)) as cx,
                  coalesce((floor(ST_Y(p) / square) + 0.5) * square, ST_Y(p)) as cy) middle
"""

_FRAME = """
with frame as (
  select f, ST_Transform(f, 4326) as box
  from ST_MakeEnvelope(:cx - :half, :cy - :half, :cx + :half, :cy + :half, 3035) f),
found as (
  select what, name, ST_Translate(ST_ClipByBox2D(ST_Transform(geom, 3035), f), -:cx, -:cy) as geom
  from frame, lateral (
    select 1 as rank, 'area' as what, name, geom from territory.areas where geom && box
    union all select 2, 'estate', name, geom from territory.heritage where geom && box
    union all select 3, 'path', name, geom from territory.paths where geom && box
    union all select 4, 'border', name, ST_Boundary(geom) from territory.communes where geom && box
    union all select 5, 'place', name, geom from territory.places where geom && box) layers
  order by rank)
"""

_SHAPES = f"{_FRAME} select what, ST_AsSVG(geom, 1, 0) from found where what <> 'place' and not ST_IsEmpty(geom)"

_NAMES = f"""{_FRAME}
select name, round(ST_X(p)::numeric, 1)::float8, round(-ST_Y(p)::numeric, 1)::float8
from (select name, ST_PointOnSurface(geom) as p from found where what in ('place', 'area') and not ST_IsEmpty(geom)) named
order by ST_X(p) ^ 2 + ST_Y(p) ^ 2, name
"""
