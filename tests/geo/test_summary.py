"""Summary against geopandas: sums by cell, by area, by commune and by year; what is too coarse is left out and told."""
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

from collections import Counter

import geopandas
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, mapping

from geo.errors import BadInput, TooMuch
from tests.conftest import PATIENT, SHARED
from tests.geo.planned import ask, put

GEOD = pyproj.Geod(ellps="WGS84")
HARD = settings(max_examples=15, deadline=None, suppress_health_check=PATIENT, database=None)
ETRS = pyproj.Transformer.from_crs(4326, 3035, always_xy=True)
places = st.lists(st.tuples(st.floats(2.7, 2.9), st.floats(50.4, 50.5)), min_size=1, max_size=30)


def rows(answer):
    """The rows by zone and year."""
    return {(one["properties"]["zone"], one["properties"]["year"]): one["properties"] for one in answer["features"]}


@pytest.mark.parametrize("side", [200, 1000])
def test_points_by_cell_are_the_cells_of_the_grid(database, side):
    """Each point in the square of EPSG:3035 that it lies in, with its kW; whatever the square, its polygon holds it."""

    @given(places=places)
    @HARD
    def tried(places):
        points = [Point(*one) for one in places]
        power = [float(n) if n % 3 else None for n in range(len(points))]
        put(database, "installations", points, power_kw=power)
        answer = ask(database, "summary", collection="installations", by="cell_200m" if side == 200 else "cell_1km")
        expected, kw = Counter(), Counter()
        for point, watts in zip(points, power, strict=True):
            x, y = (int(v // side) * side for v in ETRS.transform(point.x, point.y))
            expected[f"CRS3035RES{side}mN{y}E{x}"] += 1
            kw[f"CRS3035RES{side}mN{y}E{x}"] += watts or 0
        found = {one["properties"]["zone"]: one["properties"] for one in answer["features"]}
        assert {zone: one["count"] for zone, one in found.items()} == expected
        assert {zone: one["power_kw"] or 0 for zone, one in found.items()} == pytest.approx(kw)
        squares = shapely.union_all(
            [shapely.geometry.shape(one["geometry"]).buffer(1e-6) for one in answer["features"]]
        )
        assert all(squares.covers(point) for point in points)

    tried()


@pytest.mark.parametrize(("kind", "measure"), [("paths", "length_m"), ("areas", "area_m2")])
def test_shapes_by_area_are_cut_as_geopandas_cuts(database, kind, measure):
    """Lines and areas by drawn areas and by cell: the pieces' measures, which add up to the whole."""

    @given(places=places, zones=st.lists(st.tuples(st.floats(2.7, 2.9), st.floats(50.4, 50.5)), min_size=1, max_size=5))
    @HARD
    def tried(places, zones):
        shapes = [shapely.LineString([(x, y), (x + 0.01, y + 0.004)]) if kind == "paths" else Point(x, y).buffer(0.005, quad_segs=3) for x, y in places]  # fmt: skip
        put(database, kind, shapes)
        polygons = [Point(x, y).buffer(0.02, quad_segs=5) for x, y in zones]
        drawn = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": f"z{n}"}, "geometry": mapping(one)} for n, one in enumerate(polygons)]}  # fmt: skip
        expected = {}
        for n, polygon in enumerate(polygons, 1):
            cut = geopandas.GeoSeries(shapes, crs=4326).intersection(polygon)
            if much := sum(_measured(one) for one in cut if not one.is_empty):
                expected[str(n)] = much
        found = {
            zone: one[measure]
            for (zone, _), one in rows(ask(database, "summary", collection=kind, by="areas", areas=drawn)).items()
        }
        assert found == pytest.approx(expected, rel=1e-3)
        cells = ask(database, "summary", collection=kind, by="cell_1km")
        total = sum(one["properties"][measure] for one in cells["features"])
        assert total == pytest.approx(sum(_measured(one) for one in shapes), rel=1e-3)

    tried()


def _measured(shape):
    if shape.geom_type.endswith("Polygon"):
        return abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(shape))[0])
    return GEOD.geometry_length(shape)


def test_by_year_and_by_the_items_of_a_collection(database):
    """Years that nobody knows are a row of their own; what lies in no zone is told."""
    put(database, "installations", [Point(2.79, 50.44), Point(2.79, 50.44), Point(2.791, 50.44), Point(3, 50)], year=[2013, 2013, None, 2020], power_kw=[3.0, None, 5.5, 1.0])  # fmt: skip
    put(database, "areas", [Point(2.79, 50.44).buffer(0.01)])
    answer = ask(database, "summary", collection="installations", by="areas", zones="areas", by_year=True)
    told = [one["properties"] for one in answer["features"]]
    assert [(one["name"], one["year"], one["count"], one["power_kw"], one["power_kw_known"]) for one in told] == [
        ("n0", 2013, 2, 3.0, 1),
        ("n0", None, 1, 5.5, 1),
    ]
    ground = answer["summary"]["grounds"][0]
    assert (ground["looked_at"], ground["counted"]) == (4, 3)
    assert ground["left_out"] == [{"reason": "in_no_zone", "count": 1}]


@pytest.mark.parametrize("by", ["territory", "commune", "cell_1km", "areas"])
def test_a_column_that_is_named_as_what_a_row_says_itself_keeps_its_sum_apart(database, by):
    """Detections have a column `count`: how many roofs each stands for, beside how many detections there are."""
    put(database, "detections", [Point(2.79, 50.44), Point(2.7901, 50.44)], count=[3, 4], power_kw=[2.0, None])
    put(database, "areas", [Point(2.79, 50.44).buffer(0.01)])
    zones = {"zones": "areas"} if by == "areas" else {}
    (told,) = (
        one["properties"] for one in ask(database, "summary", collection="detections", by=by, **zones)["features"]
    )
    assert (told["count"], told["count_sum"], told["count_known"], told["power_kw"]) == (2, 7, 2, 2.0)


def test_a_cell_finer_than_the_data_counts_nothing(database):
    """An entry that is shown at a square of 1 km lies in no square of 200 m; one at 200 m does."""
    put(database, "installations", [Point(2.79, 50.44)], position="digitised", accuracy=707.1)
    answer = ask(database, "summary", collection="installations", by="cell_200m")
    assert answer["features"] == []
    assert answer["summary"]["grounds"][0]["left_out"] == [{"reason": "coarser_than_the_zones", "count": 1}]
    assert ask(database, "summary", collection="installations", by="cell_1km")["features"]


def test_schematic_lines_have_no_length_unless_asked(database):
    """Left out and told; asked for, they count, and the accuracy says what that is worth."""
    put(database, "paths", [shapely.LineString([(2.79, 50.44), (2.8, 50.44)])], position="schematic", accuracy=600)
    strict = ask(database, "summary", collection="paths")
    assert strict["features"] == []
    assert strict["summary"]["grounds"][0]["left_out"] == [{"reason": "schematic", "count": 1}]
    asked = ask(database, "summary", collection="paths", schematic=True)
    expected = GEOD.line_length([2.79, 2.8], [50.44, 50.44])
    assert asked["features"][0]["properties"]["length_m"] == pytest.approx(expected, rel=1e-4)
    assert asked["summary"]["accuracy_m"] == 600


def test_real_areas_by_commune(database):
    """The estates of the World Heritage by the communes of the agglomeration, against geopandas."""
    folder = SHARED / "loos"
    if not (folder / "communes.geojson").exists():
        pytest.skip("the open data of Loos is not here")
    communes = geopandas.read_file(folder / "communes.geojson").to_crs(4326)
    estates = geopandas.read_file(folder / "unesco_cites_minieres.geojson").to_crs(4326).explode(ignore_index=True)
    estates = estates[estates.geom_type == "Polygon"].head(80)
    estates.geometry = estates.geometry.force_2d().make_valid()
    estates = estates[estates.geom_type.str.endswith("Polygon")]
    put(database, "communes", list(communes.geometry), insee=[f"{62000 + n}" for n in range(len(communes))])
    put(database, "heritage", list(estates.geometry))
    answer = ask(database, "summary", collection="heritage", by="commune")
    found = {one["properties"]["zone"]: one["properties"]["area_m2"] for one in answer["features"]}
    expected = {}
    for n, outline in enumerate(communes.geometry):
        much = sum(_measured(one) for one in estates.geometry.intersection(outline) if one.area)
        if much > 1:
            expected[f"{62000 + n}"] = much
    assert {zone: much for zone, much in found.items() if much > 1} == pytest.approx(expected, rel=1e-3)


def test_bounds_and_contradictions_are_named(database):
    """A country by small squares; zones where there are none."""
    put(database, "areas", [Point(2, 47).buffer(3)])
    with pytest.raises(TooMuch, match="500000 cells"):
        ask(database, "summary", collection="areas", by="cell_200m")
    for inputs in ({"by": "areas"}, {"by": "commune", "zones": "areas"}):
        with pytest.raises(BadInput):
            ask(database, "summary", collection="areas", **inputs)
