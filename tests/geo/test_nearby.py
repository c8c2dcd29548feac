"""What lies nearby: distances against pyproj at any latitude, order, bounds, and the index that answers."""
# Points are starred:
# pyright: reportArgumentType=false, reportCallIssue=false

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geo.collections import Collection
from geo.kinds import KINDS
from geo.planning.nearby import nearby
from tests.conftest import PATIENT

GEOD = Geod(ellps="WGS84")
ALL = Collection(id="all", kind=KINDS["places"], filter={}, title={}, description={}, colour="#000000", visible=True)
lons = st.floats(-180, 180, allow_nan=False)
lats = st.floats(-84, 84, allow_nan=False)


def put(database, points):
    """Places at these points, and nothing else."""
    with database.superuser() as connection:
        connection.execute("truncate territory.places")
        connection.execute(
            "insert into territory.places (source_key, name, category, source, licence, position, geom) "
            "select n, 'n' || n, 'other', 's', 'l', 'surveyed', ST_SetSRID(ST_MakePoint(lon, lat), 4326) "
            "from unnest(%s::float8[], %s::float8[]) with ordinality p (lon, lat, n)",
            [[lon for lon, _ in points], [lat for _, lat in points]],
        )


def ask(database, lon, lat, distance, limit=1000):
    """The names and distances of what is found."""
    with database.db.read() as tx:
        place = {"type": "Point", "coordinates": [lon, lat]}
        found = nearby(tx, place, [ALL], distance_m=distance, limit=limit, lang=None)
    features = json.loads(f"[{found.features}]")
    return [(one["properties"]["name"], one["properties"]["distance_m"]) for one in features], found


def test_distances_are_those_of_the_ellipsoid(database):
    """Within 0.1 % of pyproj, at all latitudes, across the antimeridian; nothing within is missed."""

    @given(
        centre=st.tuples(lons, lats),
        around=st.lists(st.tuples(st.floats(0, 360), st.floats(1, 60_000)), min_size=1, max_size=20),
        distance=st.floats(10, 50_000),
    )
    @settings(max_examples=40, deadline=None, suppress_health_check=PATIENT, database=None)
    def tried(centre, around, distance):
        points = [GEOD.fwd(*centre, azimuth, metres)[:2] for azimuth, metres in around]
        points = [(lon, max(-85.0, min(85.0, lat))) for lon, lat in points]
        put(database, points)
        found, _ = ask(database, *centre, distance)
        metres = {f"n{n}": GEOD.inv(*centre, *point)[2] for n, point in enumerate(points, 1)}
        assert [value for _, value in found] == sorted(value for _, value in found)
        for name, value in found:
            assert value == pytest.approx(metres[name], rel=1e-3, abs=0.02)
        certain = {name for name, value in metres.items() if value < distance * 0.999 - 0.02}
        possible = {name for name, value in metres.items() if value <= distance * 1.001 + 0.02}
        assert certain <= {name for name, _ in found} <= possible

    tried()


def test_more_than_the_limit_is_said(database):
    """A truncated answer never looks whole."""
    put(database, [(2.79 + n / 10000, 50.45) for n in range(10)])
    found, answer = ask(database, 2.79, 50.45, 5000, limit=4)
    assert [name for name, _ in found] == ["n1", "n2", "n3", "n4"]
    assert answer.more
    assert not ask(database, 2.79, 50.45, 5000, limit=10)[1].more


def test_the_distance_is_answered_from_its_index(database):
    """On 20,000 points the plan names the geography index and no sequential scan of the places."""
    put(database, [(n % 200 / 100, 40 + n // 200 / 100) for n in range(20_000)])
    with database.superuser() as connection:
        connection.execute("analyze territory.places")
        plan = "\n".join(
            row[0]
            for row in connection.execute(
                "explain select * from territory.places f where "
                "ST_DWithin(f.geom::geography, ST_GeomFromText('POINT(1 40.5)', 4326)::geography, 300)"
            )
        )
    assert "Index" in plan
    assert "Seq Scan" not in plan
