"""What is asked: fixed lists of boxes and tiles that hold data, the same for all who are compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asinh, floor, pi, radians, tan

import psycopg

from api.tiles import SET
from geo.collections import Reach
from geo.curve import Tile
from geo.filters import Question
from geo.kinds import Kind
from geo.space import Bbox
from geo.tiles import drawn

SHARES = (0.001, 0.01, 0.1, 0.5, 1.0)
"""Of the extent's area."""

ZOOMS = (0, 6, 10, 12, 14, 16)
SESSION = range(5, 17)
LISTED = 12
"""So many boxes, or tiles, take turns: PostgreSQL alone must plan each once a client, and is to be measured at work."""
ANY = Question(limit=1)


@dataclass(frozen=True, slots=True)
class Scenery:
    """What questions are drawn from: the extent, and points of the data in a random order that stays."""

    extent: Bbox
    points: Sequence[tuple[float, float]]
    ids: Sequence[int]


def scenery(connection: psycopg.Connection, reach: Reach) -> Scenery:
    """Points by a hash of their keys: where data are dense, questions are."""
    rows = connection.execute(
        "select ST_X(geom), ST_Y(geom), id from territory.installations order by md5(source_key) limit 4000"
    ).fetchall()
    assert reach.bbox
    return Scenery(reach.bbox, [(x, y) for x, y, _ in rows], [id for _, _, id in rows])


def boxes(scene: Scenery, share: float) -> list[Bbox]:
    """Boxes of this share of the extent around points of the data, moved inside the extent."""
    whole = scene.extent
    width, height = (whole.east - whole.west) * share**0.5, (whole.north - whole.south) * share**0.5
    found = []
    for x, y in scene.points[: 1 if share == 1 else LISTED]:
        west = min(max(x - width / 2, whole.west), whole.east - width)
        south = min(max(y - height / 2, whole.south), whole.north - height)
        found.append(Bbox(*(round(side, 6) for side in (west, south, west + width, south + height))))
    return found


def tiles(scene: Scenery, z: int) -> list[Tile]:
    """Tiles of a zoom that hold data, the dense ones first to be met."""
    met = dict.fromkeys(_around(x, y, z) for x, y in scene.points)
    return list(met)[:LISTED]


def session(scene: Scenery) -> list[Tile]:
    """What a map of 4 by 3 tiles asks for on its way in, from the country to the roofs around one point."""
    x, y = scene.points[0]
    asked = []
    for z in SESSION:
        middle = _around(x, y, z)
        columns, rows = range(middle.x - 2, middle.x + 2), range(middle.y - 1, middle.y + 2)
        asked += [tile for row in rows for column in columns if (tile := Tile(z=z, x=column, y=row)).inside]
    return asked


def every_zoom(scene: Scenery, each: int) -> list[Tile]:
    """Tiles of z0 to z22 that hold data."""
    return [tile for z in range(23) for tile in tiles(scene, z)[:each]]


def items_path(box: Bbox, limit: int) -> str:
    """A page of the service's."""
    return f"/collections/installations/items?f=geojson&limit={limit}&bbox={_text(box)}"


def peer_items_path(kind: Kind, box: Bbox, limit: int) -> str:
    """The same page of the peer's, with the same properties."""
    names = ",".join(column.name for column in kind.public)
    return f"/collections/territory.installations/items?f=geojson&limit={limit}&bbox={_text(box)}&properties={names}"


def tile_path(tile: Tile) -> str:
    """A tile of the service's."""
    return f"/collections/installations/tiles/{SET}/{tile.z}/{tile.y}/{tile.x}"


def peer_tile_path(kind: Kind, tile: Tile, *, stored: bool) -> str:
    """The same tile of the peer's, with the same properties; `stored` names the column that needs no transformation."""
    names = ",".join(column.name for column in drawn(kind))
    address = f"/collections/territory.installations/tiles/{SET}/{tile.z}/{tile.x}/{tile.y}?properties={names}"
    return f"{address}&geom-column=geom_3857" if stored else address


def _text(box: Bbox) -> str:
    return f"{box.west},{box.south},{box.east},{box.north}"


def _around(x: float, y: float, z: int) -> Tile:
    n = 1 << z
    return Tile(z=z, x=floor((x + 180) / 360 * n), y=floor((1 - asinh(tan(radians(y))) / pi) / 2 * n))
