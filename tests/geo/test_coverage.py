"""Coverage against pyproj and shapely: which share lies within a distance, at any latitude; and what is left out."""
# Points are starred, and pyproj transforms arrays as well as numbers:
# pyright: reportArgumentType=false, reportCallIssue=false

import geopandas
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, mapping, shape

from geo.errors import BadInput, TooMuch
from tests.conftest import PATIENT, SHARED
from tests.geo.planned import ask, put

GEOD = pyproj.Geod(ellps="WGS84")
HARD = settings(max_examples=25, deadline=None, suppress_health_check=PATIENT, database=None)
centres = st.tuples(st.floats(-179, 179), st.floats(-83, 83))
around = st.lists(st.tuples(st.floats(0, 360), st.floats(1, 5_000)), min_size=1, max_size=12)


def flat(lon, lat):
    """A plane of the test's own: distances from its middle are exact, others to a millionth here."""
    there = pyproj.Transformer.from_crs(4326, f"+proj=aeqd +lat_0={lat} +lon_0={lon} +ellps=WGS84", always_xy=True)
    return lambda geometry: shapely.transform(geometry, there.transform, interleaved=False)


def points(centre, around):
    """Points by direction and metres."""
    return [Point(*GEOD.fwd(*centre, azimuth, metres)[:2]) for azimuth, metres in around]


def test_the_share_of_points_is_that_of_the_ellipsoid(database):
    """Each point that pyproj puts within the distance counts, none beyond it, stored or sent."""

    @given(centre=centres, homes=around, parks=around, distance=st.floats(50, 4_000))
    @HARD
    def tried(centre, homes, parks, distance):
        homes, parks = points(centre, homes), points(centre, parks)
        put(database, "places", homes)
        put(database, "buildings", parks)
        nearest = [min(GEOD.inv(h.x, h.y, p.x, p.y)[2] for p in parks) for h in homes]
        found = ask(database, "coverage", near="buildings", distance=distance, collection="places")["coverage"]
        assert found["total"] == len(homes)
        assert (
            sum(one < distance * 0.999 for one in nearest)
            <= found["covered"]
            <= sum(one <= distance * 1.001 for one in nearest)
        )
        sent = {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": mapping(h)} for h in homes]}
        again = ask(database, "coverage", near="buildings", distance=distance, points=sent)["coverage"]
        assert (again["total"], again["covered"]) == (found["total"], found["covered"])

    tried()


@pytest.mark.parametrize(("kind", "wide"), [("areas", 0), ("paths", None)])
def test_the_share_of_shapes_is_what_shapely_measures(database, kind, wide):
    """Areas and lines within a distance of points, at any latitude: total and covered part within 0.1 %."""

    @given(centre=centres, corners=around, parks=around, distance=st.floats(100, 3_000))
    @HARD
    def tried(centre, corners, parks, distance):
        there = flat(*centre)
        subject = [Point(x.x, x.y).buffer(0.01) if wide is not None else shapely.LineString([(x.x, x.y), (x.x + 0.02, x.y + 0.01)]) for x in points(centre, corners)]  # fmt: skip
        put(database, kind, subject)
        put(database, "places", parks := points(centre, parks))
        # Small pieces, for a line that is straight in degrees is none in the plane.
        whole = shapely.union_all([there(shapely.segmentize(one, 0.0005)) for one in subject])
        reach = shapely.union_all([there(one).buffer(distance, quad_segs=64) for one in parks])
        measured = (lambda g: g.area) if wide is not None else (lambda g: g.length)
        answer = ask(database, "coverage", near="places", distance=distance, collection=kind)
        found = answer["coverage"]
        assert found["total"] == pytest.approx(measured(whole), rel=1e-3)
        assert found["covered"] == pytest.approx(measured(whole & reach), rel=2e-3, abs=measured(whole) * 1e-3)
        parts = {one["properties"]["part"]: shape(one["geometry"]) for one in answer["features"]}
        assert sum(measured(there(shapely.segmentize(one, 0.0005))) for one in parts.values()) == pytest.approx(
            found["total"], rel=2e-3
        )

    tried()


def test_an_area_alone_is_asked_about(database):
    """The share of a drawn area that lies within 300 m of a park."""
    put(database, "places", [Point(2.79, 50.44)])
    area = mapping(Point(2.79, 50.44).buffer(0.02))
    found = ask(database, "coverage", near="places", distance=300, area=area)["coverage"]
    assert (found["of"], found["measure"]) == ("area", "area_m2")
    assert found["covered"] == pytest.approx(3.14159 * 300**2, rel=1e-3)
    assert found["total"] == pytest.approx(abs(GEOD.geometry_area_perimeter(shape(area))[0]), rel=1e-3)


def test_what_nobody_surveyed_covers_nothing_unless_asked(database):
    """Schematic areas are left out, and the answer says so."""
    put(database, "areas", [Point(2.79, 50.44).buffer(0.01)], position="schematic", accuracy=1000)
    put(database, "places", [Point(2.79, 50.44)])
    question = {"near": "areas", "distance": 300.0, "collection": "places"}
    strict = ask(database, "coverage", **question)["coverage"]
    assert strict["covered"] == 0
    assert strict["grounds"][0]["left_out"] == [{"reason": "schematic", "count": 1}]
    assert (strict["grounds"][0]["looked_at"], strict["grounds"][0]["counted"]) == (1, 0)
    asked = ask(database, "coverage", **question, schematic=True)["coverage"]
    assert asked["covered"] == 1
    assert asked["accuracy_m"] == 1005


def test_nothing_has_no_share(database):
    """An empty collection is no division by zero."""
    found = ask(database, "coverage", near="areas", distance=300.0, collection="paths")["coverage"]
    assert (found["total"], found["share"]) == (0, None)


def test_bounds_are_named(database):
    """Half of the world at once is too much, and the answer says what the bound is."""
    with pytest.raises(TooMuch, match="20000 km²"):
        ask(database, "coverage", near="areas", distance=300.0, area=mapping(Point(2, 50).buffer(5)))
    put(database, "areas", [Point(2, 50).buffer(0.1), Point(20, 50).buffer(0.1)])
    with pytest.raises(TooMuch, match="500 km"):
        ask(database, "coverage", near="areas", distance=300.0, collection="areas")
    with pytest.raises(BadInput):
        ask(database, "coverage", near="areas", distance=300.0)


def test_the_real_spoil_heaps(database):
    """Mine shafts and estates of the World Heritage within 500 m of a listed spoil heap, against geopandas."""
    names = ("unesco_terrils", "puits_de_mines", "unesco_cites_minieres")
    files = [SHARED / "loos" / f"{name}.geojson" for name in names]
    if not all(file.exists() for file in files):
        pytest.skip("../shared/data is not here")
    heaps, shafts, estates = (geopandas.read_file(file).to_crs(4326) for file in files)
    put(database, "areas", list(heaps.geometry))
    put(database, "places", list(shafts.geometry))
    put(database, "heritage", list(estates.geometry))
    west, south, east, north = shapely.total_bounds([*heaps.geometry, *shafts.geometry, *estates.geometry])
    plane = f"+proj=laea +lat_0={(south + north) / 2} +lon_0={(west + east) / 2} +ellps=WGS84"
    heap, shaft, estate = (one.to_crs(plane).geometry.union_all() for one in (heaps, shafts, estates))
    question = {"near": "areas", "distance": 500.0}
    points = ask(database, "coverage", **question, collection="places")["coverage"]
    assert points["total"] == len(shafts)
    assert points["covered"] == sum(one.distance(heap) <= 500 for one in shapely.get_parts(shaft))
    assert 0 < points["covered"] < points["total"]
    areas = ask(database, "coverage", **question, collection="heritage")["coverage"]
    assert areas["total"] == pytest.approx(estate.area, rel=1e-3)
    assert areas["covered"] == pytest.approx(estate.intersection(heap.buffer(500, quad_segs=64)).area, rel=1e-3)
