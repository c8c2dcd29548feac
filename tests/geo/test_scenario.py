"""Scenario: what a proposal touches and changes, before and after, against shapely, pyproj and numbers known beforehand."""
# pyright: reportArgumentType=false, reportCallIssue=false

import pyproj
import pytest
from shapely.geometry import LineString, Point, mapping

from geo.errors import BadInput
from tests.geo.planned import ask, put

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
