"""Lines and areas in tiles: none vanishes however small or thin, none loses more than half a pixel, none ends at a tile's edge."""

import math
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from geo.curve import TOP_ZOOM, Tile
from geo.tiles import BUFFER
from tests.conftest import Territory, clone
from tests.geo.tiling import collection, layers, tile_of

QUICK = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SIZES = [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0, 8.0]
Ring = list[tuple[float, float]]


@pytest.fixture(scope="module")
def ground(admin_url: str, migrated: str):
    """One database for the module; each test begins by emptying it."""
    with clone(admin_url, migrated) as territory:
        yield territory


def put(territory: Territory, kind: str, shapes: list[str]) -> None:
    """These geometries, and nothing else; an invalid one is left out."""
    category = {"areas": "park", "paths": "footpath"}[kind]
    with territory.superuser() as connection:
        connection.execute(f"truncate territory.{kind} restart identity cascade".encode())
        connection.execute(
            f"insert into territory.{kind} (source_key, name, category, source, licence, position, geom) "
            f"select n, 'n', '{category}', 's', 'l', 'surveyed', g from unnest(%s::text[]) with ordinality w (wkt, n), "
            "lateral (select ST_Multi(ST_GeomFromText(wkt, 4326)) as g) made where ST_IsValid(g)".encode(),
            [shapes],
        )


def box(lon: float, lat: float, width: float, height: float, turn: float) -> Ring:
    """The corners of a turned rectangle, kept on Earth."""
    corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height), (0.0, 0.0)]
    cos, sin = math.cos(turn), math.sin(turn)
    turned = [(lon + x * cos - y * sin, lat + x * sin + y * cos) for x, y in corners]
    return [(max(-180.0, min(180.0, x)), max(-85.0, min(85.0, y))) for x, y in turned]


def wkt(points: Ring) -> str:
    return "(" + ", ".join(f"{x!r} {y!r}" for x, y in points) + ")"


boxes = st.builds(
    box,
    st.floats(-179, 179),
    st.floats(-80, 80),
    st.sampled_from(SIZES),
    st.sampled_from(SIZES),
    st.sampled_from([0.0, 0.3, math.pi / 4, 1.2]),
)
areas = st.one_of(
    boxes.map(lambda ring: f"POLYGON({wkt(ring)})"),
    st.tuples(boxes, boxes).map(lambda rings: f"MULTIPOLYGON({', '.join(f'({wkt(ring)})' for ring in rings)})"),
)
lines = st.one_of(
    boxes.map(lambda ring: f"LINESTRING{wkt(ring[:2])}"),
    boxes.map(lambda ring: f"LINESTRING{wkt(ring)}"),
    boxes.map(lambda ring: f"LINESTRING{wkt([ring[0], ring[1], ring[0]])}"),
    st.tuples(boxes, boxes).map(lambda all_: f"MULTILINESTRING({', '.join(wkt(ring[:3]) for ring in all_)})"),
)
zooms = st.sets(st.integers(0, TOP_ZOOM), min_size=1, max_size=4)

PLACES = """
select ST_X(p.geom) as lon, ST_Y(p.geom) as lat
from territory.{kind} f, lateral (select (ST_DumpPoints(f.geom)).geom union all select ST_PointOnSurface(f.geom)
  union all select ST_LineInterpolatePoint(ST_ExteriorRing((ST_Dump(ST_Envelope(ST_Expand(f.geom, 1e-9)))).geom), 0.3)) p
"""
MEETING = (
    "select f.id, ST_XMax(f.geom_3857) - ST_XMin(f.geom_3857) as width, ST_YMax(f.geom_3857) - ST_YMin(f.geom_3857) as height "
    "from territory.{kind} f where ST_Intersects(f.geom_3857, ST_TileEnvelope(%s, %s, %s))"
)


def assert_none_vanishes(territory: Territory, kind: str, zooms) -> None:
    """Each feature that meets a tile is in it, as something that can be drawn."""
    of = collection(kind)
    with territory.db.read() as tx:
        places = tx.exec_driver_sql(PLACES.format(kind=kind)).all()
        for z in zooms:
            for where in {tile_of(place.lon, place.lat, z) for place in places}:
                meeting = {row.id for row in tx.exec_driver_sql(MEETING.format(kind=kind), (z, where.x, where.y))}
                layer = layers(tx, of, where).get("some")
                there = {feature.id: feature for feature in layer.features} if layer else {}
                assert meeting <= there.keys(), f"{meeting - there.keys()} vanished from {where}"
                for feature in there.values():
                    assert feature.type == {"areas": 3, "paths": 2}[kind]
                    assert all(len(part) >= {"areas": 4, "paths": 2}[kind] for part in feature.parts)
                    assert all(len(set(part)) >= {"areas": 3, "paths": 2}[kind] for part in feature.parts)


THIN = "POLYGON((2 50, 2.5 50, 2.5 50.0000001, 2 50.0000001, 2 50))"


@given(shapes=st.lists(areas, min_size=1, max_size=6), zooms=zooms)
@example(shapes=["POLYGON((2 50, 2.0000001 50, 2 50.0000001, 2 50))"], zooms=set(range(TOP_ZOOM + 1)))
@example(shapes=[THIN], zooms=set(range(20)))
@example(shapes=["POLYGON((2 50, 2.5 50.5, 2.5000001 50.5, 2.0000001 50, 2 50))"], zooms=set(range(18)))
@QUICK
def test_no_area_vanishes(ground, shapes, zooms):
    """Smaller than a pixel, longer than a tile and thinner than its grid, in two parts far apart."""
    put(ground, "areas", shapes)
    assert_none_vanishes(ground, "areas", zooms)


@given(shapes=st.lists(lines, min_size=1, max_size=6), zooms=zooms)
@example(shapes=["LINESTRING(2 50, 2.0000001 50)"], zooms=set(range(TOP_ZOOM + 1)))
@example(shapes=["LINESTRING(2 50, 2.001 50, 2 50)"], zooms=set(range(TOP_ZOOM + 1)))
@QUICK
def test_no_line_vanishes(ground, shapes, zooms):
    """Points in disguise, rings, there and back, in two parts far apart."""
    put(ground, "paths", shapes)
    assert_none_vanishes(ground, "paths", zooms)


def test_what_a_buffer_reaches_is_in_the_tile(ground):
    """A feature beside the tile but within its buffer is there, so that strokes do not end at the edge; beyond, it is not."""
    where = tile_of(2.79, 50.45, 14)
    side = 40075016.6856 / (1 << 14)
    east = -20037508.3428 + (where.x + 1) * side
    middle = 20037508.3428 - (where.y + 0.5) * side
    shapes = []
    for units in (BUFFER - 20, BUFFER + 20):
        x = east + side * units / 4096
        shapes.append(f"LINESTRING({x} {middle}, {x + 2000} {middle})")
        shapes.append(f"POLYGON(({x} {middle}, {x + 2000} {middle}, {x} {middle + 100}, {x} {middle}))")
    shapes = [
        ground.scalar("select ST_AsText(ST_Transform(ST_GeomFromText(%s, 3857), 4326), 15)", one) for one in shapes
    ]
    for kind, mine in (("paths", shapes[::2]), ("areas", shapes[1::2])):
        put(ground, kind, mine)
        with ground.db.read() as tx:
            assert [one.id for one in layers(tx, collection(kind), where)["some"].features] == [1]


def far(points: Sequence[tuple[float, float]], line: Sequence[tuple[float, float]]) -> float:
    """How far the first line strays from the second, at most, by its points."""

    def away(p, a, b):
        (px, py), (ax, ay), (bx, by) = p, a, b
        length = (bx - ax) ** 2 + (by - ay) ** 2
        t = 0 if length == 0 else max(0, min(1, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length))
        return math.hypot(px - ax - t * (bx - ax), py - ay - t * (by - ay))

    return max(min(away(p, a, b) for a, b in pairwise(line)) for p in points)


def test_a_line_is_simplified_to_half_a_pixel_and_no_more(ground):
    """A wavy line loses points at low zooms and strays at most half a pixel of 512, plus the grid's rounding."""
    wavy = [(2.7 + n * 1e-5, 50.45 + 0.002 * math.sin(n / 9) + 0.0003 * math.sin(n * 1.7)) for n in range(4000)]
    put(ground, "paths", [f"LINESTRING{wkt(wavy)}"])
    sizes = {}
    with ground.db.read() as tx:
        for z in (10, 12, 14, TOP_ZOOM):
            where = tile_of(*wavy[2000], z)
            (feature,) = layers(tx, collection("paths"), where)["some"].features
            sizes[z] = sum(map(len, feature.parts))
            side = 1 << z
            true = [
                (
                    ((lon + 180) / 360 * side - where.x) * 4096,
                    ((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * side - where.y) * 4096,
                )
                for lon, lat in wavy
            ]
            assert max(far(part, true) for part in feature.parts) <= 4 + 1.5
            inside = [
                p for p in true if -BUFFER / 2 < p[0] < 4096 + BUFFER / 2 and -BUFFER / 2 < p[1] < 4096 + BUFFER / 2
            ]
            drawn = [point for part in feature.parts for point in part]
            assert far(inside[:: max(1, len(inside) // 200)], drawn) <= 4 + 1.5
    assert sizes[10] < 200 < sizes[14]


def test_a_tile_beyond_everything_is_empty(ground):
    """No layer at all rather than an empty one."""
    put(ground, "areas", [THIN])
    with ground.db.read() as tx:
        assert layers(tx, collection("areas"), Tile(z=5, x=0, y=0)) == {}
