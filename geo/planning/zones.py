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
    """SQL: `sources` stands behind `from`, `keys` tell a row's zone, `piece` is what of it lies there.

    `zone` names a group's zone by its keys, `k0` and on. `first` are common table expressions; `names` are rows (zone,
    name, geometry), found by the groups where need be; `coarse` is true of rows whose position is less exact than the zone
    is wide. A `partition` has each row in one zone; else it may lie in several, or none. `used` are collections that the
    zones themselves come from.
    """

    keys: tuple[str, ...]
    zone: str = "k0::text"
    partition: bool = False
    sources: str = "territory.{kind} f"
    piece: str = "f.geom"
    first: str = ""
    names: str = "select null::text as zone, null::text as name, null::text as geometry where false"
    coarse: str = "false"
    values: Mapping[str, Any] = field(default_factory=dict)
    used: tuple[Source, ...] = ()


def whole(collection: Collection) -> Zones:
    """Everything together."""
    return Zones(keys=("'territory'::text",), partition=collection.kind.geometry == "Point")


_COMMUNES = "select c.insee as zone, c.name, ST_AsGeoJSON(c.geom, 6) as geometry from territory.communes c where c.insee is not null"


def communes(asked: Asked, collection: Collection, *, schematic: bool) -> Zones:
    """By commune: points by the commune that they carry, lines and areas cut at the outlines that count."""
    if collection.kind.geometry == "Point":
        return Zones(keys=("f.commune",), partition=True, names=_COMMUNES)
    outlines = [one for one in asked.territory.collections.values() if one.kind.id == "communes" and not one.filter]
    used = tuple(grounds.source(one, prefix="z_", schematic=schematic) for one in outlines[:1])
    kept = "true" if schematic else "f.position <> 'schematic'"
    rows = f"select f.insee as zone, f.name, f.geom from territory.communes f where f.insee is not null and {kept}"
    return _cut(rows, collection, {}, used)


def cells(collection: Collection, side: int) -> Zones:
    """By INSPIRE cell, which are squares of EPSG:3035. A point that may lie further off than a cell is wide counts in none."""
    zone = f"'CRS3035RES{side}mN' || k0::bigint || 'E' || k1::bigint"
    square = (
        f"select {zone} as zone, {zone} as name, "
        f"ST_AsGeoJSON(ST_Transform(ST_MakeEnvelope(k1, k0, k1 + {side}, k0 + {side}, 3035), 4326), 7) as geometry "
        "from (select distinct k0, k1 from groups where not coarse) squares"
    )
    flat = "territory.{kind} f cross join lateral (select ST_Transform(f.geom, 3035) as g offset 0) flat"
    if collection.kind.geometry == "Point":
        y, x = (f"floor(ST_{axis}(flat.g) / {side}) * {side}" for axis in "YX")
        coarse = f"coalesce(f.position_accuracy_m > {side}, false)"
        return Zones(keys=(y, x), zone=zone, partition=True, sources=flat, names=square, coarse=coarse)
    dimension = DIMENSIONS[str(collection.kind.geometry)]
    return Zones(
        keys=(f"grid.j::float8 * {side}", f"grid.i::float8 * {side}"),
        zone=zone,
        sources=f"{flat} cross join lateral ST_SquareGrid({side}, flat.g) grid",
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
        "select n as zone, name, ST_SetSRID(ST_GeomFromGeoJSON(t), 4326) as geom "
        "from unnest(%(zone_geoms)s::text[], %(zone_names)s::text[]) with ordinality u (t, name, n)"
    )
    return _cut(rows, collection, values, (), table=False)


def stored(asked: Asked, collection: Collection, id: str, *, schematic: bool) -> Zones:
    """By the items of a collection of areas, each by its id."""
    used = grounds.source(asked.territory.collection(id), prefix="z_", schematic=schematic)
    rows = f"select f.id as zone, f.name, f.geom from territory.{used.kind} f where {used.counted}"
    return _cut(rows, collection, used.values, (used,))


def _cut(
    rows: str, collection: Collection, values: Mapping[str, Any], used: tuple[Source, ...], *, table: bool = True
) -> Zones:
    """By the areas of the SQL `rows` (zone, name, geom); those of a table are found by its own index, and by helpers."""
    dimension = DIMENSIONS[str(collection.kind.geometry)]
    cut = f"ST_CollectionExtract(ST_Intersection(f.geom, z.geom), {dimension})"
    source = f"({rows})" if table else "zones"
    return Zones(
        keys=("z.zone",),
        sources=f"{source} z join territory.{{kind}} f on ST_Intersects(z.geom, f.geom)",
        piece=f"case when ST_CoveredBy(f.geom, z.geom) then f.geom else {cut} end",
        first="" if table else f"zones as materialized ({rows}),",
        names=f"select zone::text, name, ST_AsGeoJSON(geom, 6) as geometry from {source} named",
        values=values,
        used=used,
    )
