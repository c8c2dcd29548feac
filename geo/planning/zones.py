"""By what a summary adds up: the whole, communes, INSPIRE cells, drawn areas or a collection of areas; each as SQL.

Points fall into communes and cells by what they carry and where they lie. Lines and areas are cut at the borders.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from geo.collections import Collection
from geo.planning import grounds, inputs
from geo.planning.coverage import DIMENSIONS
from geo.planning.grounds import Source
from geo.planning.question import Asked

By = Literal["territory", "commune", "cell_200m", "cell_1km", "areas"]
CELLS: Mapping[str, int] = {"cell_200m": 200, "cell_1km": 1000}
MAXIMUM_CELLS = 500_000
"""Squares of the grid that the boxes of lines and areas may meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zones:
    """SQL: `sources` stands behind `from`, `zone` names a row's zone, `piece` is what of it lies there.

    `first` are common table expressions; `names` are rows (zone, name, geometry); `coarse` is true of rows whose
    position is less exact than the zone is wide. `used` are collections that the zones themselves come from.
    """

    zone: str
    sources: str = "territory.{kind} f"
    piece: str = "f.geom"
    first: str = ""
    names: str = "select null::text as zone, null::text as name, null::text as geometry where false"
    coarse: str = "false"
    values: Mapping[str, Any] = field(default_factory=dict)
    used: tuple[Source, ...] = ()


def whole() -> Zones:
    """Everything together."""
    return Zones(zone="'territory'::text")


_COMMUNES = "select c.insee as zone, c.name, ST_AsGeoJSON(c.geom, 6) as geometry from territory.communes c where c.insee is not null"


def communes(asked: Asked, collection: Collection, *, schematic: bool) -> Zones:
    """By commune: points by the commune that they carry, lines and areas cut at the outlines that count."""
    if collection.kind.geometry == "Point":
        return Zones(zone="f.commune", names=_COMMUNES)
    outlines = [one for one in asked.territory.collections.values() if one.kind.id == "communes" and not one.filter]
    used = tuple(grounds.source(one, prefix="z_", schematic=schematic) for one in outlines[:1])
    kept = "true" if schematic else "f.position <> 'schematic'"
    rows = f"select f.insee as zone, f.name, f.geom from territory.communes f where f.insee is not null and {kept}"
    return _cut(rows, collection, {}, used)


def cells(collection: Collection, side: int) -> Zones:
    """By INSPIRE cell, which are squares of EPSG:3035. A point that may lie further off than a cell is wide counts in none."""
    name = "'CRS3035RES{side}mN' || {y}::bigint || 'E' || {x}::bigint"
    corner = "floor(ST_{axis}(ST_Transform(f.geom, 3035)) / {side}) * {side}"
    square = (
        f"select h.zone, h.zone as name, ST_AsGeoJSON(ST_Transform(ST_MakeEnvelope(x, y, x + {side}, y + {side}, 3035), 4326), 7) as geometry "
        "from (select distinct zone, split_part(zone, 'E', 3)::float8 as x, split_part(split_part(zone, 'N', 2), 'E', 1)::float8 as y from hits) h"
    )
    if collection.kind.geometry == "Point":
        zone = name.format(
            side=side, x=f"({corner.format(axis='X', side=side)})", y=f"({corner.format(axis='Y', side=side)})"
        )
        return Zones(zone=zone, names=square, coarse=f"coalesce(f.position_accuracy_m > {side}, false)")
    dimension = DIMENSIONS[str(collection.kind.geometry)]
    return Zones(
        zone=name.format(side=side, x=f"(grid.i * {side})", y=f"(grid.j * {side})"),
        sources=(
            "territory.{kind} f cross join lateral (select ST_Transform(f.geom, 3035) as g offset 0) flat "
            f"cross join lateral ST_SquareGrid({side}, flat.g) grid"
        ),
        piece=f"ST_Transform(ST_CollectionExtract(ST_Intersection(flat.g, grid.geom), {dimension}), 4326)",
        names=square,
    )


GRID = """
select sum(((ST_XMax(g) - ST_XMin(g)) / {side} + 2) * ((ST_YMax(g) - ST_YMin(g)) / {side} + 2)) from (
  select ST_Transform(ST_Envelope(f.geom), 3035) as g from territory.{kind} f where {where}) one
"""


def drawn(asked: Asked, collection: Collection, areas: Any) -> Zones:
    """By areas that were drawn or uploaded, each by its name and its number."""
    shapes = inputs.collected(asked.tx, areas, "/inputs/areas", types=("Polygon", "MultiPolygon"))
    values = {"zone_geoms": [json.dumps(one.geometry) for one in shapes], "zone_names": [one.name for one in shapes]}
    rows = (
        "select n::text as zone, name, ST_SetSRID(ST_GeomFromGeoJSON(t), 4326) as geom "
        "from unnest(%(zone_geoms)s::text[], %(zone_names)s::text[]) with ordinality u (t, name, n)"
    )
    return _cut(rows, collection, values, ())


def stored(asked: Asked, collection: Collection, id: str, *, schematic: bool) -> Zones:
    """By the items of a collection of areas, each by its id."""
    used = grounds.source(asked.territory.collection(id), prefix="z_", schematic=schematic)
    rows = f"select f.id::text as zone, f.name, f.geom from territory.{used.kind} f where {used.counted}"
    return _cut(rows, collection, used.values, (used,))


def _cut(rows: str, collection: Collection, values: Mapping[str, Any], used: tuple[Source, ...]) -> Zones:
    dimension = DIMENSIONS[str(collection.kind.geometry)]
    cut = f"ST_CollectionExtract(ST_Intersection(f.geom, z.geom), {dimension})"
    points = collection.kind.geometry == "Point"
    return Zones(
        zone="z.zone",
        sources="zones z join territory.{kind} f on ST_Intersects(z.geom, f.geom)",
        piece="f.geom" if points else f"case when ST_CoveredBy(f.geom, z.geom) then f.geom else {cut} end",
        first=f"zones as materialized ({rows}),",
        names="select zone, name, ST_AsGeoJSON(geom, 6) as geometry from zones",
        values=values,
        used=used,
    )
