"""Points for tiles to hold, where the web-mercator formula puts them, and what all tiles of a zoom say together."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from geo import tiles
from geo.collections import Collection
from geo.curve import Tile
from geo.filters import Question, matching, spelled
from geo.kinds import KINDS
from tests.conftest import Territory
from tests.geo import mvt

EVERYTHING = Question(limit=1)
SUMS = ("power_kw", "area_m2", "annual_mwh")
TECHNOLOGIES = ("photovoltaic", "heat_pump", "wind")


@dataclass(frozen=True, slots=True)
class Spot:
    """Some installations at or around one place; `cell` is the side of the grid square that they are shown by."""

    lon: float
    lat: float
    copies: int = 1
    spread: float = 0.0
    cell: int | None = None


def collection(kind: str = "installations", **filter: Any) -> Collection:
    """A collection as a pack would name it."""
    return Collection(
        id="some", kind=KINDS[kind], filter=filter, title={}, description={}, colour="#000000", visible=True
    )


# Every value follows from the number of the row, so that a failing example is the same each time.
PUT = """
with given as (
  select *, n + i as number from unnest(%(lon)s::float8[], %(lat)s::float8[], %(copies)s::int[], %(spread)s::float8[], %(cell)s::int[])
    with ordinality as spot (lon, lat, copies, spread, cell, n), generate_series(1, copies) as i
), scattered as (
  select *, (hashint4(number::int) %% 1000) / 1000.0 as a, (hashint4(number::int + 7) %% 1000) / 1000.0 as b from given
), placed as (
  select *, ST_SetSRID(ST_MakePoint(greatest(-180, least(180, lon + a * spread)), greatest(-85.06, least(85.06, lat + b * spread))), 4326) as place
  from scattered
)
insert into territory.installations
  (source_key, name, technology, power_kw, area_m2, annual_mwh, owner_kind, year, since, source, licence, position, cell, geom)
select %(mark)s || n || '-' || i, 'n', (array['photovoltaic', 'heat_pump', 'wind'])[1 + number %% 3],
       case when number %% 5 > 0 then (number * 7919 %% 1000000) / 1000.0 end, number * 31 %% 90, case when number %% 2 = 0 then number * 0.001 end,
       case when number %% 2 = 0 then 'company' end, 2000 + number %% 4, make_date(2000 + (number %% 4)::int, 6, 1),
       's', 'l', case when cell is null then 'surveyed' else 'cell' end, case when cell is not null then register.cell_name(place, cell) end,
       case when cell is null then place else register.cell_centre(place, cell) end
from placed
"""


def put(territory: Territory, spots: Sequence[Spot], mark: str = "") -> None:
    """Add the installations of these spots, in one statement."""
    columns = ("lon", "lat", "copies", "spread", "cell")
    values: dict[str, Any] = {name: [getattr(spot, name) for spot in spots] for name in columns}
    with territory.superuser() as connection:
        connection.execute(PUT, values | {"mark": mark})


def tile_of(lon: float, lat: float, z: int) -> Tile:
    """The tile of a place by the formula of web mercator."""
    lat = max(-85.0511287, min(85.0511287, lat))
    x = (lon + 180) / 360 * 4194304
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 4194304
    column, row = (max(0, min(4194303, math.floor(value))) >> (22 - z) for value in (x, y))
    return Tile(z=z, x=column, y=row)


def around(where: Tile) -> Iterable[Tile]:
    """A tile's neighbours, across the antimeridian too."""
    side = 1 << where.z
    for y in range(max(0, where.y - 1), min(side, where.y + 2)):
        for x in {(where.x + step) % side for step in (-1, 0, 1)}:
            if (x, y) != (where.x, where.y):
                yield Tile(z=where.z, x=x, y=y)


def layers(
    tx: Connection, one: Collection, where: Tile, question: Question = EVERYTHING, lang: str | None = None
) -> dict[str, mvt.Layer]:
    """What a tile of one collection holds."""
    return mvt.read(tiles.tile([(one, question)], where, lang=lang).asked(tx).data)


def _rows(tx: Connection, one: Collection, question: Question, more: str = "true") -> tuple[str, Mapping[str, Any]]:
    where, values = spelled(matching(one, question))
    return f"from territory.{one.kind.id} f where {where} and {more}", values


def totals(tx: Connection, one: Collection, question: Question = EVERYTHING) -> Counter[str]:
    """How many the collection has, what they add up to in thousandths, and how many of each technology."""
    source, values = _rows(tx, one, question)
    sums = ", ".join(f'coalesce(sum(round(f."{name}" * 1000)::bigint), 0)::bigint as "{name}"' for name in SUMS)
    classes = ", ".join(f"count(*) filter (where f.technology = '{name}') as \"{name}\"" for name in TECHNOLOGIES)
    row = tx.exec_driver_sql(f"select count(*) as n, {sums}, {classes} {source}", values).mappings().one()
    return Counter({name: value for name, value in row.items() if value})


def counted(features: Iterable[mvt.Feature], *, by_technology: bool = True) -> Counter[str]:
    """The same of features: a cell tells its sums, a single point is one of its technology."""
    found: Counter[str] = Counter()
    for feature in features:
        properties = feature.properties
        found["n"] += properties.get("point_count", 1)
        for name in SUMS:
            found[name] += round(properties.get(name, 0) * 1000)
        if by_technology and "point_count" in properties:
            found.update({name: properties.get(name, 0) for name in TECHNOLOGIES})
        elif by_technology:
            found[properties["technology"]] += 1
    return Counter({name: value for name, value in found.items() if value})


def zoom(tx: Connection, one: Collection, z: int, question: Question = EVERYTHING) -> Counter[str]:
    """What all tiles of a zoom say together: points of each tile, and each square once; also, that they agree.

    The tiles are those in which the formula puts points and squares; their neighbours must hold no point of their own.
    """
    squares = z >= tiles.SQUARES_FROM
    source, values = _rows(tx, one, question, "f.position <> 'cell'" if squares else "true")
    places = tx.exec_driver_sql(f"select distinct ST_X(f.geom) as lon, ST_Y(f.geom) as lat {source}", values).all()
    holding = {tile_of(place.lon, place.lat, z) for place in places}
    found: Counter[str] = Counter()
    for where in holding:
        points = layers(tx, one, where, question).get("some")
        assert points, f"{where} holds nothing"
        found += counted(points.features)
    for where in {other for one_tile in sorted(holding, key=repr)[:12] for other in around(one_tile)} - holding:
        assert "some" not in layers(tx, one, where, question), f"{where} holds points of its neighbour"
    return found + (_squares(tx, one, z, question) if squares else Counter())


def _squares(tx: Connection, one: Collection, z: int, question: Question) -> Counter[str]:
    """Each square once, though looked for at each of its corners; all tiles must say the same of it."""
    source, values = _rows(tx, one, question, "f.position = 'cell'")
    asked: dict[Tile, Mapping[str, mvt.Layer]] = {}
    corners = (
        "from (select f.cell, f.id, (ST_DumpPoints(ST_Transform(territory.cell_square(f.cell), 4326))).geom as corner "
        f"{source}) f"
    )
    sql = f"select distinct f.cell, ST_X(f.corner) as lon, ST_Y(f.corner) as lat {corners}"
    found: dict[str, dict[str, Any]] = {}
    for corner in tx.exec_driver_sql(sql, values):
        where = tile_of(corner.lon, corner.lat, z)
        if where not in asked:
            asked[where] = layers(tx, one, where, question)
        layer = asked[where].get("some:squares")
        assert layer, f"the square {corner.cell} is missing in a tile that it reaches into"
        told = {feature.properties["cell"]: feature for feature in layer.features}
        assert len(told) == len(layer.features), "a square is told twice in one tile"
        assert corner.cell in told
        for name, feature in told.items():
            assert feature.type == 3
            assert found.setdefault(name, feature.properties) == feature.properties, "two tiles disagree about a square"
    whole = [mvt.Feature(None, 3, [], properties) for properties in found.values()]
    technologies = tx.exec_driver_sql(f"select f.technology, count(*) as n {source} group by 1", values)
    return counted(whole, by_technology=False) + Counter({row.technology: row.n for row in technologies})
