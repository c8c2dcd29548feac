"""Scenario: what a proposal touches and changes, before and after, against shapely, pyproj and numbers known beforehand."""
# pyright: reportArgumentType=false, reportCallIssue=false

import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, Polygon, mapping

from geo.errors import BadInput
from tests.conftest import PATIENT
from tests.geo.planned import ask, put
from tests.geo.test_coverage import around, flat, points

GEOD = pyproj.Geod(ellps="WGS84")
HERE = Point(2.79, 50.44)


def away(metres, azimuth=90.0):
    """A point so many metres from here."""
    return Point(GEOD.fwd(HERE.x, HERE.y, azimuth, metres)[:2])


def test_what_a_park_touches_and_covers(database):
    """A new park: the estate that it overlaps, the nearest home, and one home more within 300 m."""
    park, estate = HERE.buffer(0.002, quad_segs=8), Point(2.792, 50.44).buffer(0.001, quad_segs=8)
    put(database, "heritage", [estate])
    put(database, "areas", [away(5_000).buffer(0.001)])
    put(database, "places", [away(5_000), away(300), away(2_000)])
    answer = ask(
        database,
        "scenario",
        geometry=mapping(park),
        collections=["heritage", "places"],
        covers="areas",
        covered="places",
    )
    told = answer["scenario"]
    overlap = abs(GEOD.geometry_area_perimeter(park & estate)[0])
    assert told["touches"][0]["area_m2"] == pytest.approx(overlap, rel=1e-3)
    assert told["area_m2"] == pytest.approx(abs(GEOD.geometry_area_perimeter(park)[0]), rel=1e-3)
    assert [one["item"] is not None for one in told["nearest"]] == [True, True]
    assert told["nearest"][0]["distance_m"] == 0
    assert (told["coverage"]["before"]["covered"], told["coverage"]["after"]["covered"]) == (1, 2)
    assert told["coverage"]["after"]["share"] == pytest.approx(2 / 3, abs=1e-6)
    assert {one["collection"] for one in told["grounds"]} == {"heritage", "places", "areas"}


def test_a_bridge_between_two_parts(database):
    """Two paths and the line between them: two parts become one, as long as all three."""
    put(database, "paths", [LineString([away(-1000), away(-100)]), LineString([away(100), away(1000)])], accuracy=2)
    bridge = LineString([away(-100), away(100)])
    told = ask(database, "scenario", geometry=mapping(bridge), collections=["paths"], paths="paths")["scenario"][
        "connection"
    ]
    assert (told["before"]["parts"], told["after"]["parts"]) == (2, 1)
    assert told["after"]["longest_m"] == pytest.approx(2000, rel=1e-3)
    assert told["tolerance_m"] == 2


def test_what_cannot_be_asked(database):
    """A point joins no paths; a collection that is covered needs one that covers."""
    for inputs in ({"paths": "paths"}, {"covers": "areas"}, {"covered": "places"}):
        with pytest.raises(BadInput):
            ask(database, "scenario", geometry=mapping(HERE), collections=["areas"], **inputs)


def test_any_park_anywhere_is_measured_on_the_ellipsoid(database):
    """Its area, what it touches, the nearest home, and the homes within reach before and after: as pyproj has them, at all latitudes."""

    @given(
        centre=st.tuples(st.floats(-179, 179), st.floats(-80, 80)),
        homes=around,
        old=around,
        sides=st.tuples(st.floats(50, 1500), st.floats(50, 1500)),
        distance=st.floats(50, 3_000),
    )
    @settings(max_examples=20, deadline=None, suppress_health_check=PATIENT, database=None)
    def tried(centre, homes, old, sides, distance):
        placed, parks = points(centre, homes), points(centre, old)
        corners = points(centre, [(0, sides[0]), (90, sides[1]), (180, sides[0]), (270, sides[1])])
        west, east = corners[3].x, corners[1].x
        if east < west or max(abs(one.x) for one in (*placed, *parks, *corners)) > 179.9:
            return
        park = Polygon([(one.x, one.y) for one in corners])
        put(database, "places", placed)
        put(database, "buildings", parks)
        put(database, "heritage", [shapely.box(west, park.bounds[1], centre[0], park.bounds[3])])
        told = ask(database, "scenario", geometry=mapping(park), collections=["heritage", "places"], covers="buildings", covered="places", distance=distance)["scenario"]  # fmt: skip
        whole = abs(GEOD.geometry_area_perimeter(park)[0])
        assert told["area_m2"] == pytest.approx(whole, rel=1e-3)
        assert told["touches"][0]["area_m2"] == pytest.approx(whole / 2, rel=2e-3)
        plane = flat(*centre)
        away_from = [plane(one).distance(plane(park)) for one in placed]
        assert told["nearest"][1]["distance_m"] == pytest.approx(min(away_from), rel=1e-3, abs=0.05)
        reach = [min(GEOD.inv(one.x, one.y, other.x, other.y)[2] for other in parks) for one in placed]
        nearer = [min(pair) for pair in zip(reach, away_from, strict=True)]
        for part, metres in (("before", reach), ("after", nearer)):
            sure, possible = (sum(one < distance * by for one in metres) for by in (0.999, 1.001))
            assert sure <= told["coverage"][part]["covered"] <= possible

    tried()
