"""Vector tiles as PostGIS writes them: points aggregated where they crowd and never dropped, shapes that never vanish."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from geo.collections import VERSIONS, Collection, Versions, concerning
from geo.columns import Column
from geo.curve import TOP_ZOOM, Tile
from geo.db import Statement
from geo.filters import Question, chosen, classes, summed
from geo.kinds import KINDS, ROLLED_UP, Kind

EXTENT = 4096
BUFFER = 64
"""Around lines, areas and squares, in the tile's own units; also in the box that is searched."""

SINGLE = 1_000
"""Up to so many points a tile shows each by itself; above, cells of 1/16 of the tile with counts and sums."""

CELL_BITS = 4
"""16 by 16 cells: on a screen 32 pixels each, so that the circles that stand for them have room for their numbers."""

SQUARES_FROM = 11
"""From this zoom on, homes shown by grid cell are squares; below, a square is smaller than a symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A tile's bytes, none where nothing lies in it, and the versions that it shows."""

    data: bytes
    versions: Versions

    @property
    def size(self) -> int:
        """Its bytes."""
        return len(self.data)


def tile(collections: Sequence[tuple[Collection, Question]], where: Tile, *, lang: str | None) -> Statement[Drawn]:
    """One tile of these collections, each a layer of its name; asked in one statement."""
    sql, values = tile_sql(collections, where, lang=lang)
    return Statement(sql, values, lambda row: Drawn(data=bytes(row.tile or b""), versions=row.versions or {}))


def tile_sql(
    collections: Sequence[tuple[Collection, Question]], where: Tile, *, lang: str | None
) -> tuple[str, dict[str, Any]]:
    """The statement of a tile and its values."""
    values: dict[str, Any] = {"z": where.z, "x": where.x, "y": where.y}
    values["lo"], values["hi"] = where.keys()
    layers = []
    for n, (collection, question) in enumerate(collections):
        condition, own = chosen(collection, question, prefix=f"c{n}_")
        values |= own | {f"layer{n}": collection.id} | classes(collection, f"classes{n}")
        layers.append(Layer(collection.kind.id, condition, n, bool(collection.filter), summed(collection, question)))
    # A filter hardly comes twice, and may be long: its text is not worth keeping.
    text = _text.__wrapped__ if any(question.searching for _, question in collections) else _text
    sql = text(tuple(layers), where.z, lang)
    return sql, {**values, **concerning(*(collection for collection, _ in collections))}


class Layer(NamedTuple):
    """What the text of a collection's part of a tile depends on, beside zoom and language."""

    kind: str
    condition: str
    number: int
    filtered: bool
    summed: bool
    """Whether the sums that the database keeps answer for it."""


@lru_cache(maxsize=1_000)
def _text(layers: tuple[Layer, ...], z: int, lang: str | None) -> str:
    parts = [part for layer in layers for part in _layers(layer, z, lang)]
    return FRAME.format(layers=" || ".join(parts) or "''::bytea", versions=VERSIONS)


FRAME = """
with frame as (
  select ST_TileEnvelope(%(z)s, %(x)s, %(y)s) as box,
         ST_Expand(ST_TileEnvelope(%(z)s, %(x)s, %(y)s), 40075016.6856 / (1 << %(z)s) * 64 / 4096) as wide,
         40075016.6856 / (1 << %(z)s) as side
), tile as (
  -- The middle of a square of 1 km is at most 707 m from its corners; the projection stretches that towards the poles.
  select *, ST_Expand(wide, 750 * cosh(greatest(abs(ST_YMin(wide)), abs(ST_YMax(wide))) / 6378137)) as reach from frame
)
select {layers} as tile, {versions} as versions
"""


def _layers(of: Layer, z: int, lang: str | None) -> list[str]:
    kind, layer = KINDS[of.kind], f"%(layer{of.number})s"
    if kind.geometry is None:
        return []
    if kind.geometry != "Point":
        return [_shapes(kind, of.condition, layer, z, lang)]
    squares = has_squares(kind) and z >= SQUARES_FROM
    points = f"{of.condition} and f.position <> 'cell'" if squares else of.condition
    gathered = _rolled_up(of, z) or _gathered(kind, points, z)
    layers = [_points(kind, points, gathered, layer, lang)]
    return layers + ([_squares(kind, of.condition, layer)] if squares else [])


# Points: each by itself where they are few, else cells


POINTS = """
coalesce((
  select case when few.n <= {single} then
    (select ST_AsMVT(t, {layer}, {extent}, 'geom', 'id') from (
       select f.id, ST_MakePoint(floor((ST_X(f.geom_3857) - ST_XMin(tile.box)) / tile.side * {extent}),
                                 floor((ST_YMax(tile.box) - ST_Y(f.geom_3857)) / tile.side * {extent})) as geom, {properties}
       from territory.{kind} f, tile where {within} and {condition} order by f.id) t)
  else ({gathered}) end
  from (select count(*) as n from (select from territory.{kind} f where {within} and {condition} limit {single} + 1) some_) few
), '')"""
WITHIN = "f.key22 >= %(lo)s and f.key22 < %(hi)s"


def _points(kind: Kind, condition: str, gathered: str, layer: str, lang: str | None) -> str:
    return POINTS.format(
        single=SINGLE,
        layer=layer,
        extent=EXTENT,
        properties=_properties(kind, lang),
        kind=kind.id,
        within=WITHIN,
        condition=condition,
        gathered=gathered.replace("{layer}", layer),
    )


# A cell's number is its key's leading bits; its bits taken apart again are its column and row in the tile.
CELLS = """
select ST_AsMVT(t, {{layer}}, {extent}, 'geom') from (
  select ST_MakePoint((territory.even_bits(c.cell & {mask}) + 0.5) * {step}, (territory.even_bits((c.cell & {mask}) >> 1) + 0.5) * {step}) as geom,
         {names} from ({cells}) c order by c.cell) t"""


def _gathered(kind: Kind, condition: str, z: int) -> str:
    """Cells counted from the table itself; from the index alone where nothing but the tile is asked."""
    bits = min(CELL_BITS, TOP_ZOOM - z)
    shift = 2 * (TOP_ZOOM - z - bits)
    sums = "".join(
        f', sum(round(f."{column.name}" * 1000)::bigint) / 1000.0::float8 as "{column.name}"'
        for column in kind.summables
    )
    classes = "".join(
        f', nullif(count(*) filter (where f."{kind.classed_by}" = \'{value}\'), 0) as "{value}"'
        for value in _classes(kind)
    )
    cells = (
        f"select f.key22 >> {shift} as cell, count(*) as point_count{sums}{classes} "
        f"from territory.{kind.id} f where {WITHIN} and {condition} group by 1"
    )
    return _cells(kind, cells, bits)


def _rolled_up(of: Layer, z: int) -> str | None:
    """Cells summed from those that the database keeps; None where they do not answer for it, or are too coarse."""
    kind = KINDS[of.kind]
    level = next((level for level in ROLLED_UP if z + CELL_BITS <= level), None)
    if not of.summed or level is None:
        return None
    shift = 2 * (level - z - CELL_BITS)
    up = 2 * (TOP_ZOOM - level)
    sums = "".join(f', sum(c."{column.name}") / 1000.0::float8 as "{column.name}"' for column in kind.summables)
    classes = "".join(
        f", nullif(sum(c.n) filter (where c.class = '{value}'), 0)::bigint as \"{value}\"" for value in _classes(kind)
    )
    only = f" and c.class = any(%(classes{of.number})s)" if of.filtered else ""
    cells = (
        f"select c.cell >> {shift} as cell, sum(c.n)::bigint as point_count{sums}{classes} "
        f"from territory.{kind.id}_cells{level} c where c.cell >= %(lo)s >> {up} and c.cell < %(hi)s >> {up}{only} group by 1"
    )
    return _cells(kind, cells, CELL_BITS)


def _cells(kind: Kind, cells: str, bits: int) -> str:
    names = ", ".join(f'c."{name}"' for name in gathered_fields(kind))
    return CELLS.format(extent=EXTENT, mask=(1 << (2 * bits)) - 1, step=EXTENT >> bits, cells=cells, names=names)


def gathered_fields(kind: Kind) -> tuple[str, ...]:
    """What a cell tells, all of it numbers: how many, what they add up to, and how many of each class."""
    return ("point_count", *(column.name for column in kind.summables), *_classes(kind))


def _classes(kind: Kind) -> Sequence[str]:
    choices = kind.column(kind.classed_by).choices if kind.classed_by else None
    return tuple(choices or ())


# Homes shown by grid cell: one square with a count, wherever it reaches into the tile

SQUARES = """
coalesce((
  select ST_AsMVT(t, {layer} || ':squares', {extent}, 'geom') from (
    select ST_AsMVTGeom(ST_Transform(territory.cell_square(s.cell), 3857), tile.box, {extent}, {buffer}, true) as geom,
           s.cell, s.point_count{summed}
    from (select f.cell, count(*) as point_count{sums} from territory.{kind} f, tile
          where f.position = 'cell' and f.geom_3857 && tile.reach and {condition}
          group by f.cell) s, tile
    where ST_Intersects(ST_Transform(territory.cell_square(s.cell), 3857), tile.wide) order by s.cell) t
), '')"""


def has_squares(kind: Kind) -> bool:
    """Whether items of the kind may be shown by grid cell; the squares are a layer of their own."""
    return any(column.name == "cell" for column in kind.columns)


def _squares(kind: Kind, condition: str, layer: str) -> str:
    names = [column.name for column in kind.summables]
    sums = "".join(f', sum(round(f."{name}" * 1000)::bigint) / 1000.0::float8 as "{name}"' for name in names)
    return SQUARES.format(
        layer=layer,
        extent=EXTENT,
        buffer=BUFFER,
        kind=kind.id,
        condition=condition,
        sums=sums,
        summed="".join(f', s."{name}"' for name in names),
    )


# Lines and areas: simplified to half a pixel, and where nothing would be left, what is there made a pixel wide

SHAPES = """
coalesce((
  select ST_AsMVT(t, {layer}, {extent}, 'geom', 'id') from (
    select * from (
      select f.id, coalesce(ST_AsMVTGeom({simplified}, tile.box, {extent}, {buffer}, true), {least}) as geom, {properties}
      from territory.{kind} f, tile where f.geom_3857 && tile.wide and ST_Intersects(f.geom_3857, tile.wide) and {condition}
      order by f.id) drawn
    where geom is not null) t
), '')"""

PIXEL = "tile.side / 512"
WITHIN_WIDE = "ST_ClipByBox2D(f.geom_3857, tile.wide::box2d)"
FAT = f"ST_Buffer({WITHIN_WIDE}, {PIXEL} / 2, 'quad_segs=1')"
"""A sliver, or less than a pixel, half a pixel fatter on each side."""

STROKE = f"""(
  select ST_MakeLine(ST_MakePoint(p.x, p.y), ST_MakePoint(p.x + {{extent}} / 512, p.y))
  from (select floor((ST_X(q.p) - ST_XMin(tile.box)) / tile.side * {{extent}}) as x, floor((ST_YMax(tile.box) - ST_Y(q.p)) / tile.side * {{extent}}) as y
        from (select ST_ClosestPoint({WITHIN_WIDE}, ST_Centroid(tile.box)) as p) q) p)"""
"""A line of a pixel, in the tile's own units, for a line that is shorter than the tile's grid."""


def _shapes(kind: Kind, condition: str, layer: str, z: int, lang: str | None) -> str:
    area = kind.geometry == "MultiPolygon"
    fat = f"ST_AsMVTGeom({FAT}, tile.box, {EXTENT}, {BUFFER}, true)"
    return SHAPES.format(
        layer=layer,
        extent=EXTENT,
        buffer=BUFFER,
        kind=kind.id,
        condition=condition,
        properties=_properties(kind, lang),
        simplified="f.geom_3857" if z >= TOP_ZOOM else f"ST_Simplify(f.geom_3857, {PIXEL} / 2, true)",
        least=fat if area else STROKE.format(extent=EXTENT),
    )


def drawn(kind: Kind) -> tuple[Column, ...]:
    """What a map draws by: name, closed lists, sums, position. Everything else is one request for the item away."""
    return tuple(
        column
        for column in kind.public
        if column.name in ("name", "site", "cell", "commune")
        or column.summable
        or (column.choices and not column.name.endswith("_precision") and column.name[-2:] not in ("_d", "_g"))
    )


def _properties(kind: Kind, lang: str | None) -> str:
    return ", ".join(
        f"""coalesce(f.translations #>> '{{{lang},{column.name}}}', f."{column.name}") as "{column.name}\""""
        if lang and column.translated
        else f'f."{column.name}"'
        for column in drawn(kind)
    )
