"""Overlay against geopandas: intersection and difference of random areas, lines and points, and of the real heritage."""
# Points are starred:
# pyright: reportArgumentType=false, reportCallIssue=false

import geopandas
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, mapping

from geo.errors import BadInput
from tests.conftest import PATIENT, SHARED
from tests.geo.planned import ask, put

GEOD = pyproj.Geod(ellps="WGS84")
HARD = settings(max_examples=15, deadline=None, suppress_health_check=PATIENT, database=None)
OPERATIONS = ("intersection", "difference")
offsets = st.lists(
    st.tuples(st.floats(-0.03, 0.03), st.floats(-0.02, 0.02), st.floats(0.002, 0.02)), min_size=1, max_size=8
)
MEASURE = {"areas": "area_m2", "paths": "length_m", "places": "count"}


def measured(geometry):
    """Square metres, metres or a count, on the ellipsoid."""
    if geometry.geom_type.endswith("Polygon"):
        return abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(geometry))[0])
    return GEOD.geometry_length(geometry) if geometry.geom_type.endswith("LineString") else 1


def made(kind, centre, offsets):
    """Discs, lines or points around a centre."""
    places = [(centre[0] + dx, centre[1] + dy, r) for dx, dy, r in offsets]
    if kind == "areas":
        return [Point(x, y).buffer(r, quad_segs=4) for x, y, r in places]
    if kind == "paths":
        return [shapely.LineString([(x - r, y), (x + r, y + r)]) for x, y, r in places]
    return [Point(x, y) for x, y, _ in places]


@pytest.mark.parametrize("kind", MEASURE)
def test_pieces_are_those_of_geopandas(database, kind):
    """The same pieces, and their sums by attribute, at any latitude; overlapping areas cut once."""

    @given(centre=st.tuples(st.floats(-170, 170), st.floats(-80, 80)), ours=offsets, theirs=offsets)
    @HARD
    def tried(centre, ours, theirs):
        subject, others = made(kind, centre, ours), made("areas", centre, theirs)
        put(database, kind, subject)
        put(database, "heritage", others)
        frame = geopandas.GeoDataFrame({"name": [f"n{n}" for n in range(len(subject))]}, geometry=subject, crs=4326)
        union = geopandas.GeoDataFrame(geometry=[shapely.union_all(others)], crs=4326)
        for operation in OPERATIONS:
            pieces = frame.overlay(union, how=operation, keep_geom_type=True)
            expected = {}
            for name, piece in zip(pieces["name"], pieces.geometry, strict=True):
                expected[name] = expected.get(name, 0) + measured(piece)
            found = ask(database, "overlay", collection=kind, other="heritage", operation=operation, attribute="name")
            got = {one["value"]: one[MEASURE[kind]] for one in found["overlay"]["by"]}
            # A sliver that one of the two sees and the other does not is no difference.
            for name in expected.keys() | got.keys():
                assert got.get(name, 0) == pytest.approx(expected.get(name, 0), rel=1e-3, abs=1)
            assert found["overlay"]["total"] == pytest.approx(sum(got.values()), abs=0.1)

    tried()


def test_the_real_heritage_within_its_buffer_zone(database):
    """The mining estates of the World Heritage inside the core zone, measured by geopandas from the same files."""
    estates, zone = (SHARED / "loos" / name for name in ("unesco_cites_minieres.geojson", "zt_cites_minieres.geojson"))
    if not (estates.exists() and zone.exists()):
        pytest.skip("the open data of Loos is not here")
    subject, others = (geopandas.read_file(one).to_crs(4326) for one in (estates, zone))
    subject.geometry, others.geometry = (one.geometry.force_2d().make_valid() for one in (subject, others))
    subject, others = (one[one.geom_type.str.endswith("Polygon")].head(60) for one in (subject, others))
    put(database, "heritage", list(subject.geometry))
    put(database, "areas", list(others.geometry))
    union = shapely.union_all(list(others.geometry))
    expected = sum(
        measured(piece) for one in subject.geometry if (piece := _areal(one.intersection(union))) is not None
    )
    found = ask(database, "overlay", collection="heritage", other="areas")["overlay"]
    assert found["total"] == pytest.approx(expected, rel=1e-3)
    assert found["grounds"][0]["looked_at"] == len(subject)


def _areal(shape):
    """The areas of a geometry, if it has any."""
    parts = [one for one in shapely.get_parts(shape) if one.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts) if parts else None


def test_by_attribute_and_by_drawn_areas(database):
    """Only the kind's own public columns; an area that was drawn cuts like one that is stored."""
    put(database, "areas", [Point(2.79, 50.44).buffer(0.01), Point(2.9, 50.44).buffer(0.01)], category=["park", "belt"])
    drawn = mapping(Point(2.79, 50.44).buffer(0.02))
    found = ask(database, "overlay", collection="areas", areas=drawn, attribute="category", operation="difference")
    assert [one["value"] for one in found["overlay"]["by"]] == ["belt"]
    for name in ("geom", "geom_3857", "x'; drop", "dataset"):
        with pytest.raises(BadInput, match="must be one of"):
            ask(database, "overlay", collection="areas", areas=drawn, attribute=name)


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
            "self-intersection at 0.5, 0.5",
        ),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0]]]}, "fewer than four"),
        ({"type": "Point", "coordinates": [0, 0]}, "must be one of"),
        ({"type": "FeatureCollection", "features": []}, "no feature"),
        ({"type": "FeatureCollection", "features": {}}, "must be an array"),
        ({"type": "FeatureCollection", "features": [3]}, "must be a GeoJSON Feature"),
    ],
)
def test_a_bad_drawing_is_refused_with_the_place_of_its_fault(database, drawn, said):
    """Where a polygon crosses itself is told in degrees."""
    with pytest.raises(BadInput, match=said):
        ask(database, "overlay", collection="areas", areas=drawn)
