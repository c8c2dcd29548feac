"""Nearby: which features of some collections lie within a distance of a place, nearest first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import Strict
from sqlalchemy import text
from sqlalchemy.engine import Connection

from geo.collections import Collection
from geo.errors import BadInput, NotFound, Problem
from geo.features import feature
from geo.filters import spelled
from geo.space import VERTICES

MAXIMUM_DISTANCE_M = 50_000
MAXIMUM_FEATURES = 1_000
DEFAULT_FEATURES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReference:
    """An item of a collection, by its id."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    collection: str
    id: Annotated[int, Strict(), Ge(1), Le(2**62)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to look for, and around what: a GeoJSON geometry or an item."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid", "allow_inf_nan": False}
    collections: Annotated[list[str], MinLen(1), MaxLen(50)]
    distance: Annotated[float, Strict(), Gt(0), Le(MAXIMUM_DISTANCE_M)]
    geometry: dict[str, Any] | None = None
    feature: ItemReference | None = None
    limit: Annotated[int, Strict(), Ge(1), Le(MAXIMUM_FEATURES)] = DEFAULT_FEATURES


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """The answer: Feature texts joined by commas, how many they are, and whether more lie within the distance."""

    features: str
    returned: int
    more: bool
    schematic: int


# Each collection is asked through its own geography index; the distances are then sorted together.
_ONE = """
select %(id{n})s as collection, f.id, f.position, ST_Distance(f.geom::geography, place.g) as metres, {feature} as feature
from territory.{kind} f, place
where {where} and ST_DWithin(f.geom::geography, place.g, %(distance)s)
order by metres, f.id limit %(limit)s + 1
"""
_ALL = """
with place as materialized (select ST_GeomFromGeoJSON(%(place)s)::geography as g),
found as ({parts}),
nearest as (
  select *, row_number() over (order by metres, collection, id) as n from found order by metres, collection, id limit %(limit)s + 1
)
select string_agg(
         left(feature, -2) || ',"collection":' || to_json(collection) || ',"distance_m":' || round(metres::numeric, 2) || '}}}}',
         ',' order by n) filter (where n <= %(limit)s) as features,
       count(*) as found,
       count(*) filter (where n <= %(limit)s and position = 'schematic') as schematic
from nearest
"""


def nearby(
    tx: Connection,
    place: dict[str, Any],
    collections: Sequence[Collection],
    *,
    distance_m: float,
    limit: int,
    lang: str | None,
) -> Nearby:
    """Features within `distance_m` metres (on the ellipsoid) of a GeoJSON geometry, with `distance_m` among their properties.

    Features at a cell count at its middle, the only position of theirs that is public.
    """
    _check(tx, place)
    parts, values = [], {"place": json.dumps(place), "distance": distance_m, "limit": limit}
    for n, one in enumerate(collections):
        where, own = spelled(one.condition(), prefix=f"c{n}_")
        values |= own | {f"id{n}": one.id}
        parts.append("(" + _ONE.format(n=n, kind=one.kind.id, feature=feature(one.kind.id, lang), where=where) + ")")
    row = tx.exec_driver_sql(_ALL.format(parts=" union all ".join(parts)), values).one()
    return Nearby(
        features=row.features or "",
        returned=min(row.found, limit),
        more=row.found > limit,
        schematic=row.schematic,
    )


def place_of(tx: Connection, collection: Collection, id: int) -> dict[str, Any]:
    """The geometry of an item, to ask around it; NotFound if there is no such item or it has none."""
    if collection.kind.geometry is None:
        raise NotFound("items of this collection have no geometry")
    where, values = spelled(collection.condition())
    found = tx.exec_driver_sql(
        f"select ST_AsGeoJSON(f.geom, 9) from territory.{collection.kind.id} f where f.id = %(id)s and {where}",
        values | {"id": id},
    ).scalar_one_or_none()
    if found is None:
        raise NotFound("the collection has no such item")
    return json.loads(found)


def _check(tx: Connection, place: dict[str, Any]) -> None:
    """PostGIS answers anything about an invalid geometry, sometimes wrongly: it is refused, with the reason."""
    row = tx.execute(
        text("select ST_IsValid(g) as valid, ST_NPoints(g) as points from ST_GeomFromGeoJSON(:place) g"),
        {"place": json.dumps(place)},
    ).one()
    if not row.valid or row.points > VERTICES:
        message = "is not a valid geometry: its rings or lines cross or touch themselves"
        raise BadInput(Problem(pointer="/inputs/geometry", message=message))
